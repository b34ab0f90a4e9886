"""Consolidation as a mixed-integer program: which hub takes the goods of which stop on which day, and what each hub
sends where, in how many trucks, so that cost net of recovered value is least.

The cost of visiting a stop on behalf of a hub on a day is an estimate that the routes give (see `estimate`); all else
is exact. Sources: freight consolidation with truckloads as whole numbers (Daganzo 2005, Logistics Systems Analysis);
recovery options with yields (Thierry, Salomon, van Nunen & van Wassenhove 1995, California Management Review 37).
Index letters: see `sets`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyomo.environ as pyo

from echelon.solvers.handover import garbage_collector_paused
from echelon_models.returns.schema import DIMENSIONS, NO_LIMIT
from echelon_models.returns.sets import Commodity, Sets, Visit, limited


@dataclass(frozen=True)
class Estimate:
    """What visits are expected to take on the road: money and minutes of each, and what the vehicles of a hub and day
    can do in all: minutes, and loads by dimension. Without rooms, the visits are known to fit."""

    cost: Mapping[Visit, float]
    minutes: Mapping[Visit, float] = field(default_factory=dict)
    room: Mapping[tuple[str, int, str], float] = field(default_factory=dict)  # (h, t, dimension or "minutes")


def build(sets: Sets, estimate: Estimate, *, divisible: bool = False, trucks: Any = None) -> pyo.ConcreteModel:
    """The model of a case. With `divisible`, stops may be visited in part; `trucks` holds the number of trucks of each
    (h, g, t): both together leave a linear program, whose duals are the prices of the limits."""
    with garbage_collector_paused():
        m = pyo.ConcreteModel()
        visit_variables(m, sets, divisible)
        flow_variables(m, sets, trucks)

        each_stop_once(m, sets)
        hub_balance(m, sets)
        hub_intake(m, sets)
        hub_storage(m, sets)
        truck_capacity(m, sets)
        no_goods_without_truck(m, sets)
        destination_capacity(m, sets)
        weight_limits(m, sets)
        vehicle_room(m, sets, estimate)

        m.total = pyo.Objective(expr=sum(cost_lines(m, sets, estimate).values()))
    return m


def visit_variables(m: Any, sets: Sets, divisible: bool) -> None:
    """visit[i, h, t] = 1 if the goods of stop i come to hub h on day t."""
    m.visits = pyo.Set(initialize=sets.visits, dimen=3)
    m.visit = pyo.Var(m.visits, domain=pyo.UnitInterval if divisible else pyo.Binary)
    m.of_hub_day = defaultdict(list)
    for i, h, t in sets.visits:
        m.of_hub_day[h, t].append(i)


def flow_variables(m: Any, sets: Sets, trucks: Any) -> None:
    """ship[h, g, c, t], stock[h, c, t]: units, the latter at the end of the day; trucks[h, g, t]: whole numbers."""
    commodities = {h: sets.commodities_of(h) for h in sets.hubs}
    here = {(h, c) for h, of_hub in commodities.items() for c in of_hub}
    m.outlets = {(o.hub, o.destination, *o.commodity): o for o in sets.outlets if (o.hub, o.commodity) in here}
    m.ship = pyo.Var([(*key, t) for key in m.outlets for t in sets.times], domain=pyo.NonNegativeReals)
    m.stock = pyo.Var([(*k, t) for k in _flat(commodities) for t in sets.times], domain=pyo.NonNegativeReals)
    ways = list(dict.fromkeys(key[:2] for key in m.outlets))
    m.trucks = pyo.Var(
        [(*way, t) for way in ways for t in sets.times],
        domain=pyo.NonNegativeIntegers if trucks is None else pyo.NonNegativeReals,
        bounds=lambda m, h, g, t: (0, _most_trucks(sets, h, g)) if trucks is None else (trucks[h, g, t],) * 2,
    )
    m.on_way = defaultdict(list)
    for h, g, *c in m.outlets:
        m.on_way[h, g].append(tuple(c))


def _flat(commodities: Mapping[str, list[Commodity]]) -> list[tuple[str, str, str]]:
    return [(h, *c) for h, of_hub in commodities.items() for c in of_hub]


def _most_trucks(sets: Sets, h: str, g: str) -> int | None:
    given = sets.ways[h, g].trucks
    return None if given == NO_LIMIT else int(given)


def each_stop_once(m: Any, sets: Sets) -> None:
    """Σ(h, t) visit[i, h, t] <= 1 (for each i)."""
    of_stop: dict[int, list[Any]] = defaultdict(list)
    for key in sets.visits:
        of_stop[key[0]].append(m.visit[key])
    m.of_stop = of_stop
    m.each_stop_once = pyo.Constraint(list(of_stop), rule=lambda m, i: sum(of_stop[i]) <= 1)


def hub_balance(m: Any, sets: Sets) -> None:
    """ship out + stock − stock the day before − what comes in = 0 (units; for each h, c, t). Goods may be sent on the
    day on which they come."""
    incoming: dict[Any, list[Any]] = defaultdict(list)
    for i, h, t in sets.visits:
        for c, units in sets.goods[i].items():
            incoming[h, *c, t].append(units * m.visit[i, h, t])
    targets: dict[Any, list[str]] = defaultdict(list)
    for h, g, *c in m.outlets:
        targets[h, *c].append(g)

    def rule(m: Any, h: str, p: str, o: str, t: int) -> Any:
        before = m.stock[h, p, o, t - 1] if t else 0.0
        sent = sum(m.ship[h, g, p, o, t] for g in targets[h, p, o])
        return sent + m.stock[h, p, o, t] - before - sum(incoming[h, p, o, t]) == 0.0

    m.hub_balance = pyo.Constraint(list(m.stock), rule=rule)


def hub_intake(m: Any, sets: Sets) -> None:
    """Σ(i) load·visit <= intake of the hub (for each h, t, d with a limit)."""
    m.hub_intake = pyo.Constraint(
        [
            (h, t, d)
            for h, row in sets.hubs.items()
            for t in sets.times
            for d in DIMENSIONS
            if limited(getattr(row, f"intake_{d}")) and any(sets.load(i, d) for i in m.of_hub_day[h, t])
        ],
        rule=lambda m, h, t, d: (
            sum(sets.load(i, d) * m.visit[i, h, t] for i in m.of_hub_day[h, t]) <= getattr(sets.hubs[h], f"intake_{d}")
        ),
    )


def hub_storage(m: Any, sets: Sets) -> None:
    """Σ(c) amount·stock <= storage of the hub (for each h, t, d with a limit)."""
    kept: dict[Any, list[Any]] = defaultdict(list)
    for h, p, o, t in m.stock:
        kept[h, t].append((sets.amounts[p, o], m.stock[h, p, o, t]))
    m.hub_storage = pyo.Constraint(
        [
            (h, t, d)
            for h, t in kept
            for d in DIMENSIONS
            if limited(getattr(sets.hubs[h], f"storage_{d}")) and any(a[d] for a, _ in kept[h, t])
        ],
        rule=lambda m, h, t, d: sum(a[d] * s for a, s in kept[h, t]) <= getattr(sets.hubs[h], f"storage_{d}"),
    )


def truck_capacity(m: Any, sets: Sets) -> None:
    """Σ(c) amount·ship <= capacity of a truck · trucks (for each h, g, t, d)."""
    m.truck_capacity = pyo.Constraint(
        [(h, g, t, d) for h, g, t in m.trucks for d in DIMENSIONS if any(sets.amounts[c][d] for c in m.on_way[h, g])],
        rule=lambda m, h, g, t, d: (
            sum(sets.amounts[c][d] * m.ship[h, g, *c, t] for c in m.on_way[h, g])
            <= getattr(sets.ways[h, g], d) * m.trucks[h, g, t]
        ),
    )


def no_goods_without_truck(m: Any, sets: Sets) -> None:
    """ship <= all units that may come to the hub · trucks (for each h, g, c, t): what the capacity of a truck says only
    of large loads, and what goods without any load need."""
    most: dict[Any, float] = defaultdict(float)
    for i, h in dict.fromkeys((i, h) for i, h, _ in sets.visits):
        for c, units in sets.goods[i].items():
            most[h, *c] += units
    m.no_goods_without_truck = pyo.Constraint(
        list(m.ship), rule=lambda m, h, g, p, o, t: m.ship[h, g, p, o, t] <= most[h, p, o] * m.trucks[h, g, t]
    )


def destination_capacity(m: Any, sets: Sets) -> None:
    """Σ(h, c) ship <= capacity of the destination (units; for each g, t with a limit)."""
    sent = _sent(m)
    m.destination_capacity = pyo.Constraint(
        [(g, t) for g, row in sets.destinations.items() if limited(row.capacity) and g in sent for t in sets.times],
        rule=lambda m, g, t: sum(m.ship[h, g, *c, t] for h, c in sent[g]) <= sets.destinations[g].capacity,
    )


def weight_limits(m: Any, sets: Sets) -> None:
    """Σ(h, c, t) weight·ship <= weight limit of the destination (kg; for each g with a limit)."""
    sent = _sent(m)
    m.weight_limit = pyo.Constraint(
        [
            g
            for g, row in sets.destinations.items()
            if limited(row.weight_limit) and any(sets.amounts[c]["weight"] for _, c in sent.get(g, ()))
        ],
        rule=lambda m, g: (
            sum(sets.amounts[c]["weight"] * m.ship[h, g, *c, t] for h, c in sent[g] for t in sets.times)
            <= sets.destinations[g].weight_limit
        ),
    )


def _sent(m: Any) -> dict[str, list[tuple[str, Commodity]]]:
    """destination -> the (hub, commodity) that may be sent there."""
    sent: dict[str, list[tuple[str, Commodity]]] = defaultdict(list)
    for h, g, *c in m.outlets:
        sent[g].append((h, (c[0], c[1])))
    return sent


def vehicle_room(m: Any, sets: Sets, estimate: Estimate) -> None:
    """Σ(i) load·visit <= what the vehicles of the hub can bring in a day; the same in minutes (estimates; for each h,
    t, d)."""

    def rule(m: Any, h: str, t: int, d: str) -> Any:
        of = [i for i in m.of_hub_day[h, t]]
        use = (estimate.minutes[i, h, t] if d == "minutes" else sets.load(i, d) for i in of)
        taken = sum(each * m.visit[i, h, t] for i, each in zip(of, use, strict=True) if each)
        return pyo.Constraint.Skip if isinstance(taken, int) else taken <= estimate.room[h, t, d]

    m.vehicle_room = pyo.Constraint(list(estimate.room), rule=rule)


def cost_lines(m: Any, sets: Sets, estimate: Estimate) -> dict[str, Any]:
    """The cost lines as expressions, in money; those of the routes are estimates."""
    last = sets.times[-1]
    visits = {i: sum(of) for i, of in m.of_stop.items()}
    trucks, ship = m.trucks.items(), [(m.outlets[key[:4]], variable) for key, variable in m.ship.items()]
    weight = {o: sets.amounts[o.commodity]["weight"] for o in m.outlets.values()}
    return {
        "routes": sum(estimate.cost[key] * m.visit[key] for key in sets.visits),
        "left behind": sum(stop.loss * (1 - visits.get(i, 0)) for i, stop in enumerate(sets.stops)),
        "at hub": -sum(sets.at_hub(i, h) * m.visit[i, h, t] for i, h, t in sets.visits),
        "stock": sum(
            sets.hubs[h].stock_cost * sets.amounts[p, o]["weight"] * stock for (h, p, o, _), stock in m.stock.items()
        ),
        "line-haul": sum(sets.ways[h, g].truck_cost * n for (h, g, _), n in trucks)
        + sum(sets.ways[o.hub, o.destination].weight_cost * weight[o] * units for o, units in ship),
        "carbon": sets.carbon
        * (
            sum(sets.ways[h, g].emissions * n for (h, g, _), n in trucks)
            + sum(o.emissions * units for o, units in ship)
        ),
        "treatment": sum(o.cost * units for o, units in ship),
        "recovered value": -sum(o.value * units for o, units in ship),
        "final stock": -sum(
            sets.final_share * max(sets.best_net(h, (p, o)), 0.0) * stock
            for (h, p, o, t), stock in m.stock.items()
            if t == last and sets.final_share
        ),
    }
