"""Network design as a mixed-integer program: multi-period, multi-echelon, multi-product capacitated facility location.

Decide which sites are open in which period, with how much capacity, and what flows where, so that discounted cost is
least. Source: Melo, Nickel & Saldanha da Gama 2009, European Journal of Operational Research 196 (facility location
and supply chain management); the links between flows and sites are those of Balinski 1965, the pooling of stock is by
pieces of a concave cost (Croxton, Gendron & Magnanti 2003, Management Science 49).

Index letters: site s, customer c, mode m, product p, period t. See `sets.Sets` for the data.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo

from echelon.solvers.handover import garbage_collector_paused
from echelon_models.network.costs import limits_broken, total_cost
from echelon_models.network.limits import backup, budgets, carbon_caps, failures, number_of_sites, service
from echelon_models.network.sets import Flow, Sets
from echelon_models.network.terms import added, or_zero, returned, room


def build(sets: Sets, *, elastic: bool = False) -> pyo.ConcreteModel:
    """The model of a case. With `elastic`, demand may stay unserved, every hard limit may be broken, and the only aim
    is to break them least, which explains an infeasible case."""
    with garbage_collector_paused():
        m = pyo.ConcreteModel()
        m.nothing = pyo.Expression(expr=0.0)
        site_variables(m, sets)
        flow_variables(m, sets, elastic)
        limit_variables(m, sets, elastic)

        openings(m, sets)
        capacity_steps(m, sets)
        demand(m, sets)
        sourcing(m, sets)
        throughput(m, sets)
        site_balance(m, sets)
        site_capacity(m, sets)
        supply_capacity(m, sets)
        returns(m, sets)
        pooled_stock(m, sets)
        number_of_sites(m, sets)
        budgets(m, sets)
        service(m, sets)
        carbon_caps(m, sets)
        backup(m, sets)
        enough_capacity(m, sets)

        m.total = pyo.Objective(expr=limits_broken(m, sets) if elastic else total_cost(m, sets))
    return m


def site_variables(m: Any, sets: Sets) -> None:
    """open[s, t] = 1 if the site is open; opened, closed[s, t] = 1 if it opens, closes in t; step[s, k, t] = 1 if it
    has step k, bought[s, k, t] = 1 if it takes it in t."""
    m.site_times = pyo.Set(initialize=[(s, t) for s in sets.sites for t in sets.times], dimen=2)
    m.step_times = pyo.Set(initialize=[(*k, t) for k in sets.steps for t in sets.times], dimen=3)

    def state(m: Any, s: str, t: int) -> tuple[int, int]:
        pinned = sets.pinned.get((s, t))
        return (0, 1) if pinned is None else (int(pinned), int(pinned))

    m.open = pyo.Var(m.site_times, domain=pyo.Binary, bounds=state)
    m.opened = pyo.Var(m.site_times, bounds=lambda m, s, t: (0, int(t > 0 or not sets.sites[s].existing)))
    m.closed = pyo.Var(m.site_times, bounds=lambda m, s, t: (0, int(t > 0 or sets.sites[s].existing)))
    m.step = pyo.Var(m.step_times, domain=pyo.Binary)
    m.bought = pyo.Var(m.step_times, bounds=(0, 1))


def flow_variables(m: Any, sets: Sets, elastic: bool) -> None:
    """serve[s, c, m, p, t]: share of a demand; move[s, s', m, p, t], supply, through[s, p, t]: units; back[s, c, m, p,
    t]: share of a return; recovered[s, p, t]: units; refused[c, p, t]: share of a demand that is not served."""
    m.serves = pyo.Set(initialize=sets.serves, dimen=5)
    m.moves = pyo.Set(initialize=sets.moves, dimen=5)
    m.backs = pyo.Set(initialize=sets.backs, dimen=5)
    choices = _choices(sets)
    m.chosen = {key: keys for key, keys in choices.items() if elastic or not _whole(sets, key, keys)}
    whole = {keys[0] for key, keys in choices.items() if key not in m.chosen}

    m.serve = pyo.Var(m.serves, domain=lambda m, *k: pyo.Binary if k in whole else pyo.UnitInterval)
    m.assign = pyo.Var(pyo.Set(initialize=list(m.chosen), dimen=2), domain=pyo.Binary)
    refusable = [k for k in sets.demand if elastic or sets.may_refuse(k[0])]
    m.refused = pyo.Var(pyo.Set(initialize=refusable, dimen=3), bounds=(0, 1))
    m.move = pyo.Var(m.moves, bounds=lambda m, a, b, i, p, t: (0, sets.most[p, t]))
    passing = dict.fromkeys([(s, p, t) for s, _, _, p, t in (*sets.serves, *sets.moves)])
    m.passing = pyo.Set(initialize=list(passing), dimen=3)
    m.through = pyo.Var(m.passing, bounds=lambda m, s, p, t: (0, sets.most[p, t]))
    m.supply = pyo.Var(
        pyo.Set(initialize=[k for k in passing if k[:2] in sets.supply], dimen=3),
        bounds=lambda m, s, p, t: (0, sets.most[p, t]),
    )
    m.back = pyo.Var(m.backs, bounds=(0, 1))
    taking = dict.fromkeys((s, p, t) for s, _, _, p, t in sets.backs)
    m.taking = pyo.Set(initialize=list(taking), dimen=3)
    m.recovered = pyo.Var(m.taking, domain=pyo.NonNegativeReals)


def _choices(sets: Sets) -> dict[tuple[str, int], list[Flow]]:
    """(s, n) -> the serves by which site s may serve unit n."""
    unit_of = {(*want, unit.t): n for n, unit in enumerate(sets.units) for want in unit.wants}
    choices: dict[tuple[str, int], list[Flow]] = defaultdict(list)
    for key in sets.serves:
        if (n := unit_of.get((key[1], key[3], key[4]))) is not None:
            choices[key[0], n].append(key)
    return choices


def _whole(sets: Sets, choice: tuple[str, int], keys: list[Flow]) -> bool:
    """Whether a unit is a single demand with a single way, all of which must be served: then serve itself is 0 or 1."""
    return len(sets.units[choice[1]].wants) == len(keys) == 1 and not sets.may_refuse(keys[0][1])


def limit_variables(m: Any, sets: Sets, elastic: bool) -> None:
    """Excess over each limit (0 where it is hard), and, only in the elastic model, sites too many or too few, returns
    left behind, and units that no backup covers."""

    def excess(limits: Iterable[Any], hard: Any) -> pyo.Var:
        limits = list(limits)
        return pyo.Var(
            pyo.Set(initialize=limits, dimen=len(limits[0]) if limits and isinstance(limits[0], tuple) else 1),
            bounds=lambda m, *key: (0, 0 if hard(key[0] if len(key) == 1 else key) and not elastic else None),
        )

    m.budget_excess = excess(sets.budgets, lambda t: sets.budgets[t].hard)
    m.service_excess = excess(sets.service, lambda key: sets.service[key].hard)
    capped = [t for t, row in sets.carbon.items() if row.cap == row.cap]
    m.carbon_excess = excess(capped, lambda t: sets.carbon[t].hard)
    m.sites_amiss = excess(sets.site_limits if elastic else (), lambda key: True)
    m.left_behind = excess(sets.returned if elastic else (), lambda key: True)
    m.uncovered = excess(failures(sets) if elastic else (), lambda key: True)


def openings(m: Any, sets: Sets) -> None:
    """opened - closed = open - open before; opened <= 1 - open before; closed <= open before (for each s, t)."""

    def before(m: Any, s: str, t: int) -> Any:
        return m.open[s, t - 1] if t else int(sets.sites[s].existing)

    later = [(s, t) for s, t in m.site_times if t]
    m.change = pyo.Constraint(
        m.site_times, rule=lambda m, s, t: m.opened[s, t] - m.closed[s, t] == m.open[s, t] - before(m, s, t)
    )
    m.opens_if_closed = pyo.Constraint(later, rule=lambda m, s, t: m.opened[s, t] <= 1 - m.open[s, t - 1])
    m.closes_if_open = pyo.Constraint(later, rule=lambda m, s, t: m.closed[s, t] <= m.open[s, t - 1])


def capacity_steps(m: Any, sets: Sets) -> None:
    """step k <= open; step k <= step k - 1; steps stay while the site is open: step >= step before - closed; bought >=
    step - step before (for each s, k, t)."""

    def before(m: Any, s: str, k: int, t: int) -> Any:
        return m.step[s, k, t - 1] if t else int(sets.steps[s, k].existing and sets.sites[s].existing)

    m.step_if_open = pyo.Constraint(m.step_times, rule=lambda m, s, k, t: m.step[s, k, t] <= m.open[s, t])
    m.step_order = pyo.Constraint(
        [k for k in m.step_times if k[1] > 1], rule=lambda m, s, k, t: m.step[s, k, t] <= m.step[s, k - 1, t]
    )
    m.step_stays = pyo.Constraint(
        m.step_times,
        rule=lambda m, s, k, t: m.step[s, k, t] >= before(m, s, k, t) - m.closed[s, t],
    )
    m.step_bought = pyo.Constraint(
        m.step_times, rule=lambda m, s, k, t: m.bought[s, k, t] >= m.step[s, k, t] - before(m, s, k, t)
    )


def demand(m: Any, sets: Sets) -> None:
    """Sum of serve over sites and modes + refused = 1 (shares; for each c, p, t with demand)."""
    ways: dict[Any, list[Any]] = {key: [] for key in sets.demand}
    for s, c, i, p, t in sets.serves:
        ways[c, p, t].append(m.serve[s, c, i, p, t])
    m.demand = pyo.Constraint(list(sets.demand), rule=lambda m, *k: added(m, ways[k]) + or_zero(m.refused, k) == 1)


def sourcing(m: Any, sets: Sets) -> None:
    """A unit is served by one site: serve over the modes = assign (<= where some may be refused) for each of its
    demands; assign over the sites <= 1 (shares; for each s and unit with a choice)."""
    by_demand: dict[Any, list[Any]] = defaultdict(list)
    of_unit: dict[int, list[Any]] = defaultdict(list)
    for (s, n), keys in m.chosen.items():
        of_unit[n].append(m.assign[s, n])
        for key in keys:
            by_demand[s, n, key[1], key[3], key[4]].append(m.serve[key])

    def one_site(m: Any, s: str, n: int, c: str, p: str, t: int) -> Any:
        served = sum(by_demand[s, n, c, p, t])
        return served <= m.assign[s, n] if (c, p, t) in m.refused else served == m.assign[s, n]

    m.one_site = pyo.Constraint(list(by_demand), rule=one_site)
    m.one_assignment = pyo.Constraint(list(of_unit), rule=lambda m, n: sum(of_unit[n]) <= 1)


def throughput(m: Any, sets: Sets) -> None:
    """through = moves out + demand served; through <= total demand·open (units; for each s, p, t)."""
    out: dict[Any, list[Any]] = {key: [] for key in m.passing}
    for key in sets.serves:
        s, c, _, p, t = key
        out[s, p, t].append(sets.demand[c, p, t] * m.serve[key])
    for key in sets.moves:
        out[key[0], key[3], key[4]].append(m.move[key])
    m.throughput = pyo.Constraint(m.passing, rule=lambda m, *k: sum(out[k]) == m.through[k])
    m.throughput_if_open = pyo.Constraint(
        m.passing, rule=lambda m, s, p, t: m.through[s, p, t] <= sets.most[p, t] * m.open[s, t]
    )


def site_balance(m: Any, sets: Sets) -> None:
    """supply + moves in + recovered = through (units; for each s, p, t)."""
    inbound: dict[Any, list[Any]] = defaultdict(list)
    for key in sets.moves:
        inbound[key[1], key[3], key[4]].append(m.move[key])
    keys = dict.fromkeys([*m.passing, *inbound, *m.taking])
    m.site_balance = pyo.Constraint(
        list(keys),
        rule=lambda m, *k: (
            or_zero(m.supply, k) + sum(inbound.get(k, ())) + or_zero(m.recovered, k) == or_zero(m.through, k)
        ),
    )


def site_capacity(m: Any, sets: Sets) -> None:
    """Sum over p of capacity use·through <= capacity·open + steps (capacity units; for each s, t with a capacity)."""
    products: dict[Any, list[str]] = defaultdict(list)
    for s, p, t in m.passing:
        products[s, t].append(p)
    limited = [(s, t) for s, t in m.site_times if sets.capacity(s, t) < math.inf and (s, t) in products]
    m.site_capacity = pyo.Constraint(
        limited,
        rule=lambda m, s, t: (
            sum(sets.handling[s, p].capacity_use * m.through[s, p, t] for p in products[s, t]) <= room(m, sets, s, t)
        ),
    )


def supply_capacity(m: Any, sets: Sets) -> None:
    """supply <= capacity·open (units; for each s, p, t with a limit)."""
    limited = [k for k in m.supply if sets.supply[k[:2]].capacity == sets.supply[k[:2]].capacity]
    m.supply_capacity = pyo.Constraint(
        limited,
        rule=lambda m, s, p, t: m.supply[s, p, t] <= sets.supply[s, p].capacity * sets.years[t] * m.open[s, t],
    )


def returns(m: Any, sets: Sets) -> None:
    """All returns are taken back by open sites; recovered <= recoverable share and capacity; the rest, disposed of,
    within its limit (units; for each c, p, t with returns, and each s, p, t that takes some)."""
    ways: dict[Any, list[Any]] = {key: [] for key in sets.returned}
    for s, c, i, p, t in sets.backs:
        ways[c, p, t].append(m.back[s, c, i, p, t])
    m.all_returns = pyo.Constraint(
        list(sets.returned), rule=lambda m, *k: added(m, ways[k]) + or_zero(m.left_behind, k) == 1
    )
    taken = returned(m, sets)
    total: dict[Any, float] = defaultdict(float)
    for (_, p, t), quantity in sets.returned.items():
        total[p, t] += quantity
    m.returns_if_open = pyo.Constraint(m.taking, rule=lambda m, s, p, t: taken[s, p, t] <= total[p, t] * m.open[s, t])
    m.recoverable = pyo.Constraint(
        m.taking, rule=lambda m, s, p, t: m.recovered[s, p, t] <= sets.recovery[s, p].recoverable * taken[s, p, t]
    )

    def limited(column: str) -> list[Any]:
        return [k for k in m.taking if getattr(sets.recovery[k[:2]], column) < math.inf]

    m.recovery_capacity = pyo.Constraint(
        limited("capacity"),
        rule=lambda m, s, p, t: m.recovered[s, p, t] <= sets.recovery[s, p].capacity * sets.years[t],
    )
    m.disposal_limit = pyo.Constraint(
        limited("disposal_limit"),
        rule=lambda m, s, p, t: (
            taken[s, p, t] - m.recovered[s, p, t] <= sets.recovery[s, p].disposal_limit * sets.years[t]
        ),
    )


def pooled_stock(m: Any, sets: Sets) -> None:
    """Throughput lies on one piece of the square root: pieces sum to through; on_piece <= high·piece; one piece if the
    site is open (units; for each s that holds stock, p with pooling, t)."""
    pooled = [k for k in m.passing if k[1] in sets.pieces and sets.sites[k[0]].holds_stock]
    keys = [(*k, n) for k in pooled for n in range(len(sets.pieces[k[1]]))]
    m.piece = pyo.Var(pyo.Set(initialize=keys, dimen=4), domain=pyo.Binary)
    m.on_piece = pyo.Var(m.piece.index_set(), domain=pyo.NonNegativeReals)
    m.pooled = pyo.Set(initialize=pooled, dimen=3)
    count = {p: range(len(pieces)) for p, pieces in sets.pieces.items()}
    m.pieces_sum = pyo.Constraint(
        m.pooled, rule=lambda m, s, p, t: sum(m.on_piece[s, p, t, n] for n in count[p]) == m.through[s, p, t]
    )
    m.on_piece_high = pyo.Constraint(
        m.piece.index_set(),
        rule=lambda m, s, p, t, n: (
            m.on_piece[s, p, t, n] <= sets.pieces[p][n].high * sets.years[t] * m.piece[s, p, t, n]
        ),
    )
    m.one_piece = pyo.Constraint(
        m.pooled, rule=lambda m, s, p, t: sum(m.piece[s, p, t, n] for n in count[p]) <= m.open[s, t]
    )


def enough_capacity(m: Any, sets: Sets) -> None:
    """Open sites that deliver, and those that supply, have room for all demand (units; for each p, t), and so are at
    least as many as the largest of them would have to be. Both are implied, but let the solver cut off sets of sites
    that are too small. Where demand may be refused, or returns serve it, they do not hold."""
    if sets.returned or len(m.refused):
        return
    deliverers: dict[Any, list[str]] = defaultdict(list)
    suppliers: dict[Any, list[str]] = defaultdict(list)
    for s, p, t in dict.fromkeys((s, p, t) for s, _, _, p, t in sets.serves):
        deliverers[p, t].append(s)
    for s, p, t in m.supply:
        suppliers[p, t].append(s)
    kinds = {"deliver": deliverers, "supply": suppliers}
    keys = [(kind, *key) for kind, sites in kinds.items() for key in sites]
    m.enough_capacity = pyo.Constraint(
        keys,
        rule=lambda m, kind, p, t: sum(_at_most(m, sets, s, p, t) for s in kinds[kind][p, t]) >= sets.most[p, t],
    )
    m.enough_sites = pyo.Constraint(
        keys,
        rule=lambda m, kind, p, t: (
            sum(m.open[s, t] for s in kinds[kind][p, t]) >= _fewest(sets, kinds[kind][p, t], p, t)
        ),
    )


def _at_most(m: Any, sets: Sets, s: str, p: str, t: int) -> Any:
    """The most units of p that an open site can pass on in t, at most all demand."""
    use, total = sets.handling[s, p].capacity_use, sets.most[p, t]
    if use <= 0 or sets.capacity(s, t) == math.inf:
        return total * m.open[s, t]
    return min(sets.capacity(s, t) / use, total) * m.open[s, t] + sum(
        min(row.capacity * sets.years[t] / use, total) * m.step[s, k, t] for k, row in sets.steps_of(s)
    )


def _fewest(sets: Sets, sites: list[str], p: str, t: int) -> int:
    """How many of the sites it takes, the largest first and with all their steps, to pass on all demand of p in t."""
    left, count = sets.most[p, t] * (1 - 1e-9), 0
    uses = {s: sets.handling[s, p].capacity_use for s in sites}
    rooms = {s: sets.capacity(s, t) + sets.years[t] * sum(row.capacity for _, row in sets.steps_of(s)) for s in sites}
    for size in sorted((rooms[s] / uses[s] if uses[s] > 0 else math.inf for s in sites), reverse=True):
        if left <= 0:
            break
        left, count = left - size, count + 1
    return count
