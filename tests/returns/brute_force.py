"""The best plan of a tiny case by trying all: who serves what in which order on which day, what goes where when.

Times are whole minutes from leaving a place to the next; a tour leaves as early as it may and, where hours cost, as
late as its calls allow (found by trying every minute). Goods of a stop are not split. Breaks, docks and times by the
time of day are left to other tests.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from echelon.tables import Frames

DIMENSIONS = ("weight", "volume", "pallets")
MINUTE = 60
Goods = tuple[str, int, str, str, float]  # hub, day, product, option, units


class Case:
    """The rows of a completed case."""

    def __init__(self, full: Frames, options: Any):
        self.full, self.options = full, options
        self.days = list(full["days"]["t"])
        self.stops = list(full["stops"].itertuples(index=False))
        self.hubs = {row.hub: row for row in full["hubs"].itertuples(index=False)}
        self.shifts = [
            (row, t) for t in self.days for row in full["vehicles"].itertuples(index=False) for _ in range(row.count)
        ]
        self.km = {(r.origin, r.target): r.km for r in full["distances"].itertuples(index=False)}
        self.inlets = set(full["inlets"].itertuples(index=False, name=None))
        self.windows: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for r in full["windows"].itertuples(index=False):
            self.windows[r.place].append((r.t, r.opens, r.closes))

    def way(self, a: str, b: str) -> float:
        return 0.0 if a == b else self.km[a, b]


def optimum(full: Frames, options: Any) -> float:
    """Least cost over all plans."""
    case, best = Case(full, options), math.inf
    for assignment in itertools.product(range(-1, len(case.shifts)), repeat=len(case.stops)):
        on: dict[int, list[int]] = defaultdict(list)
        for i, v in enumerate(assignment):
            if v >= 0:
                on[v].append(i)
        left = sum(stop.loss for stop, v in zip(case.stops, assignment, strict=True) if v < 0)
        worth = sum(stop.worth for stop, v in zip(case.stops, assignment, strict=True) if v >= 0)
        choices = [list(_tours(case, v, of)) for v, of in on.items()]
        for tours in itertools.product(*choices):
            cost = left - worth + sum(cost for cost, _ in tours)
            brought = {i: where for _, where_of in tours for i, where in where_of.items()}
            if cost - _most_value(case, brought) < best and _intake_fits(case, brought):
                best = min(best, cost + _hubs(case, brought))
    return best


def _tours(case: Case, v: int, stops: list[int]) -> Iterator[tuple[float, dict[int, tuple[str, int]]]]:
    """(cost, stop -> (hub, day)) of every tour of a vehicle over these stops."""
    row, t = case.shifts[v]
    skills = {s.strip() for s in row.skills.split(",") if s.strip()}
    for i in stops:
        stop = case.stops[i]
        if (
            not stop.ready <= t <= stop.deadline
            or not {s.strip() for s in stop.skills.split(",") if s.strip()} <= skills
        ):
            return
    hubs = [h.strip() for h in row.unloads_at.split(",")]
    at_end = row.end in hubs
    between = row.trips - 1 if at_end else row.trips
    for order in itertools.permutations(stops):
        for calls in _with_hubs(list(order), hubs, between):
            sequence = [*calls, row.end] if at_end else calls
            found = _tour(case, row, t, sequence)
            if found is not None:
                yield found


def _with_hubs(order: list[int], hubs: list[str], most: int) -> Iterator[list[Any]]:
    """The order of stops with up to `most` calls at hubs put in."""
    for count in range(most + 1):
        for gaps in itertools.combinations(range(len(order) + 1), count):
            for chosen in itertools.product(hubs, repeat=count):
                calls: list[Any] = list(order)
                for gap, hub in sorted(zip(gaps, chosen, strict=True), reverse=True):
                    calls.insert(gap, hub)
                yield calls


def _tour(case: Case, row: Any, t: int, calls: list[Any]) -> tuple[float, dict[int, tuple[str, int]]] | None:
    """(cost, where goods go) of a tour; None if it breaks a rule."""
    where = _loads(case, row, t, calls)
    if where is None:
        return None
    points = [row.start, *(case.stops[c].stop if isinstance(c, int) else c for c in calls), row.end]
    km = sum(case.way(a, b) for a, b in itertools.pairwise(points))
    if km > (math.inf if row.range != row.range else row.range):
        return None
    hours = _hours(case, row, t, calls)
    if hours is None:
        return None
    carbon = case.options.carbon_price / 1000 * row.emissions
    return row.fixed_cost + km * (row.cost_per_km + carbon) + hours * row.cost_per_hour, where


def _loads(case: Case, row: Any, t: int, calls: list[Any]) -> dict[int, tuple[str, int]] | None:
    """Where the goods of each stop go; None if they do not fit, or find no hub."""
    trips: list[list[int]] = [[]]
    ends: list[str] = []
    for call in calls:
        if isinstance(call, int):
            trips[-1].append(call)
        else:
            ends.append(call)
            trips.append([])
    where = {}
    for number, trip in enumerate(trips):
        hub = ends[number] if number < len(ends) else ""
        for d in DIMENSIONS:
            room = math.inf if getattr(row, d) != getattr(row, d) else getattr(row, d)
            board = sum(getattr(case.stops[i], f"delivery_{d}") for i in trip)
            if (number == 0 and board and row.start not in case.hubs) or board > room:
                return None
            for i in trip:
                board += getattr(case.stops[i], f"load_{d}") - getattr(case.stops[i], f"delivery_{d}")
                if board > room + 1e-9:
                    return None
        for i in trip:
            collects = any(getattr(case.stops[i], f"load_{d}") > 0 for d in DIMENSIONS)
            if collects and (not hub or (case.stops[i].stop, hub) not in case.inlets):
                return None
            where[i] = (hub if collects else "", t)
    return where


def _hours(case: Case, row: Any, t: int, calls: list[Any]) -> float | None:
    """The shortest tour in hours; None if it is late whenever it leaves."""
    best = None
    waits = bool(case.windows) and (row.cost_per_hour > 0 or row.max_hours == row.max_hours)
    latest = row.shift_end if waits else row.shift_start + 1
    for leave in range(row.shift_start, latest, MINUTE):
        clock, here = float(leave), row.start
        for call in calls:
            place = case.stops[call].stop if isinstance(call, int) else call
            takes = case.stops[call].service_minutes if isinstance(call, int) else case.hubs[call].unload_minutes
            begin = _open(case, place, t, clock + case.way(here, place) * MINUTE)
            if begin is None:
                break
            clock, here = begin + takes * MINUTE, place
        else:
            clock += case.way(here, row.end) * MINUTE
            longest = math.inf if row.max_hours != row.max_hours else row.max_hours * 3600
            if clock <= row.shift_end and clock - leave <= longest:
                best = min(best or math.inf, (clock - leave) / 3600)
    return best


def _open(case: Case, place: str, t: int, moment: float) -> float | None:
    if place not in case.windows:
        return moment
    found = [max(moment, opens) for day, opens, closes in case.windows[place] if day == t and moment <= closes]
    return min(found, default=None)


def _intake_fits(case: Case, brought: dict[int, tuple[str, int]]) -> bool:
    taken: dict[Any, float] = defaultdict(float)
    for i, (hub, t) in brought.items():
        for d in DIMENSIONS:
            taken[hub, t, d] += getattr(case.stops[i], f"load_{d}")
    return all(
        not hub or getattr(case.hubs[hub], f"intake_{d}") != getattr(case.hubs[hub], f"intake_{d}")
        or load <= getattr(case.hubs[hub], f"intake_{d}") + 1e-9
        for (hub, _, d), load in taken.items()
    )  # fmt: skip


def _goods(case: Case, brought: dict[int, tuple[str, int]]) -> list[Goods]:
    names = {case.stops[i].stop: where for i, where in brought.items()}
    return [
        (*names[row.stop], row.product, row.option, row.quantity)
        for row in case.full["goods"].itertuples(index=False)
        if row.stop in names
    ]


def _most_value(case: Case, brought: dict[int, tuple[str, int]]) -> float:
    best = case.full["recovery"].groupby("product")["net"].max().to_dict()
    return sum(units * max(best.get(product, 0.0), 0.0) for _, _, product, _, units in _goods(case, brought)) + 1e6


def _hubs(case: Case, brought: dict[int, tuple[str, int]]) -> float:
    """The least that handling, stock, line-haul and recovery can cost for what was brought."""
    handling = sum(case.hubs[h].handling_cost * case.stops[i].load_weight for i, (h, _) in brought.items() if h)
    goods = _goods(case, brought)
    if not goods:
        return handling
    outlets = list(case.full["outlets"].itertuples(index=False))
    choices = []
    for hub, t, product, option, _ in goods:
        open_to = [o for o in outlets if o.hub == hub and o.product == product and option in ("", o.kind)]
        choices.append([None, *((o.destination, day) for o in open_to for day in case.days if day >= t)])
    return handling + min(_flow_cost(case, goods, chosen) for chosen in itertools.product(*choices))


def _flow_cost(case: Case, goods: list[Goods], chosen: tuple[tuple[str, int] | None, ...]) -> float:
    """Cost of sending each of the goods to its destination on its day (None: it stays); infinite if a limit breaks."""
    products = {row.product: row for row in case.full["products"].itertuples(index=False)}
    terms = {(row.destination, row.product): row for row in case.full["recovery"].itertuples(index=False)}
    ways = {(row.hub, row.destination): row for row in case.full["ways"].itertuples(index=False)}
    loads: dict[Any, float] = defaultdict(float)
    units_in: dict[Any, float] = defaultdict(float)
    weight_in: dict[str, float] = defaultdict(float)
    kept: dict[Any, float] = defaultdict(float)
    cost, last, carbon = 0.0, case.days[-1], case.options.carbon_price / 1000
    for (hub, t, product, option, units), to in zip(goods, chosen, strict=True):
        row = products[product]
        for day in range(t, last + 1 if to is None else to[1]):
            for d in DIMENSIONS:
                kept[hub, day, d] += units * getattr(row, d)
        if to is None:
            nets = [case_net(case, hub, product, option)]
            cost -= case.options.final_stock_share * max(*nets, 0.0) * units
            continue
        treated = terms[to[0], product]
        cost += units * (treated.emissions * carbon - treated.net) + units * row.weight * ways[hub, to[0]].weight_cost
        units_in[to] += units
        weight_in[to[0]] += units * row.weight
        for d in DIMENSIONS:
            loads[hub, *to, d] += units * getattr(row, d)
    trucks: dict[Any, int] = defaultdict(int)
    for (hub, target, day, d), load in loads.items():
        trucks[hub, target, day] = max(
            trucks[hub, target, day], 1, math.ceil(load / getattr(ways[hub, target], d) - 1e-9)
        )
    for (hub, target, _), count in trucks.items():
        way = ways[hub, target]
        cost += count * (way.truck_cost + carbon * way.emissions) if count <= way.trucks else math.inf
    for (hub, _, d), load in kept.items():
        limit = getattr(case.hubs[hub], f"storage_{d}")
        cost += math.inf if load > limit + 1e-9 else load * case.hubs[hub].stock_cost * (d == "weight")
    for row in case.full["destinations"].itertuples(index=False):
        if any(g == row.destination and units > row.capacity + 1e-9 for (g, _), units in units_in.items()):
            return math.inf
        if weight_in[row.destination] > row.weight_limit + 1e-9:
            return math.inf
    return cost


def case_net(case: Case, hub: str, product: str, option: str) -> float:
    """The most that a unit may be recovered for from a hub."""
    rows = case.full["outlets"].merge(case.full["recovery"][["destination", "product", "net"]])
    fits = (rows["hub"] == hub) & (rows["product"] == product) & ((rows["kind"] == option) | (option == ""))
    return float(rows.loc[fits, "net"].max()) if fits.any() else 0.0
