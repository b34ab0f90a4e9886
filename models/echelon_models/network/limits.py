"""The limits of a network as constraint groups: numbers of sites, budgets, service, carbon, backup."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pyomo.environ as pyo

from echelon_models.network.schema import NO_LIMIT
from echelon_models.network.sets import Flow, Sets
from echelon_models.network.terms import added, emissions, investment, or_zero, room
from echelon_models.rows import EVERY


def number_of_sites(m: Any, sets: Sets) -> None:
    """minimum <= sites that are open, opened, closed or changed <= maximum (for each region, kind and t limited)."""
    counted = {"open": [m.open], "opened": [m.opened], "closed": [m.closed], "changed": [m.opened, m.closed]}

    def count(region: str, kind: str, counts: str, t: int) -> Any:
        of = [s for s, row in sets.sites.items() if region in (EVERY, row.region) and kind in ("any", row.kind)]
        return added(m, [variable[s, t] for variable in counted[counts] for s in of])

    keys = list(sets.site_limits)
    m.sites_at_least = pyo.Constraint(
        [k for k in keys if sets.site_limits[k].minimum > 0],
        rule=lambda m, *k: count(*k) + or_zero(m.sites_amiss, k) >= sets.site_limits[k].minimum,
    )
    m.sites_at_most = pyo.Constraint(
        [k for k in keys if sets.site_limits[k].maximum < NO_LIMIT],
        rule=lambda m, *k: count(*k) - or_zero(m.sites_amiss, k) <= sets.site_limits[k].maximum,
    )


def budgets(m: Any, sets: Sets) -> None:
    """Opening, closing and steps <= budget + excess (money, not discounted; for each t with a budget)."""
    m.budget = pyo.Constraint(
        m.budget_excess.index_set(),
        rule=lambda m, t: investment(m, sets, t) - m.budget_excess[t] <= sets.budgets[t].amount,
    )


def service(m: Any, sets: Sets) -> None:
    """Demand of a group not served from within <= (1 - share)·demand + excess (units; for each service limit, t)."""
    by_time: dict[int, list[Flow]] = defaultdict(list)
    if sets.service:
        for key in sets.serves:
            by_time[key[4]].append(key)

    def rule(m: Any, group: str, measure: str, within: float, t: int) -> Any:
        served = sum(
            sets.demand[k[1], k[3], t] * m.serve[k]
            for k in by_time[t]
            if group in (EVERY, sets.customers[k[1]].group) and sets.within(k, measure, within)
        )
        total = sum(q for (c, _, u), q in sets.demand.items() if u == t and group in (EVERY, sets.customers[c].group))
        key = (group, measure, within, t)
        if not total:
            return pyo.Constraint.Skip
        return total - served - m.service_excess[key] <= (1 - sets.service[key].share) * total

    m.service = pyo.Constraint(m.service_excess.index_set(), rule=rule)


def carbon_caps(m: Any, sets: Sets) -> None:
    """Emissions <= cap + excess (t CO2; for each t with a cap)."""
    emitted = emissions(m, sets) if len(m.carbon_excess) else {}
    m.carbon_cap = pyo.Constraint(
        m.carbon_excess.index_set(), rule=lambda m, t: emitted[t] - m.carbon_excess[t] <= sets.carbon[t].cap
    )


def failures(sets: Sets) -> list[tuple[str, str, str, int]]:
    """(s, c, p, t): what another site must be able to take over should s fail, where a backup is asked for."""
    return list(dict.fromkeys((s, c, p, t) for s, c, _, p, t in sets.serves)) if sets.backup_cover > 0 else []


def backup(m: Any, sets: Sets) -> None:
    """Should site f fail in t, the others can take over: rescue[f, s, c, p, t] over s >= cover·what f serves (shares);
    what passes s anyway and what it takes over fit its capacity (capacity units, for each f, s, t), and it is open;
    the other sites' supply suffices (units, for each f, p, t). Lanes are not planned anew."""
    lost = failures(sets)
    if not lost:
        return
    served: dict[Any, list[Any]] = defaultdict(list)
    for key in sets.serves:
        served[key[0], key[1], key[3], key[4]].append(m.serve[key])
    helpers: dict[Any, list[str]] = defaultdict(list)
    for s, c, p, t in lost:
        helpers[c, p, t].append(s)
    rescues = [(f, s, c, p, t) for f, c, p, t in lost for s in helpers[c, p, t] if s != f]
    m.rescue = pyo.Var(pyo.Set(initialize=rescues, dimen=5), bounds=(0, 1))
    m.covered = pyo.Constraint(
        lost,
        rule=lambda m, f, c, p, t: (
            sum(m.rescue[f, s, c, p, t] for s in helpers[c, p, t] if s != f) + or_zero(m.uncovered, (f, c, p, t))
            >= sets.backup_cover * sum(served[f, c, p, t])
        ),
    )
    loads: dict[Any, list[Any]] = defaultdict(list)
    for f, s, c, p, t in rescues:
        loads[f, s, t].append((p, sets.demand[c, p, t] * m.rescue[f, s, c, p, t]))
    m.rescue_if_open = pyo.Constraint(
        list(loads),
        rule=lambda m, f, s, t: sum(q for _, q in loads[f, s, t]) <= m.open[s, t] * _total(sets, t),
    )
    m.rescue_capacity = pyo.Constraint(
        [k for k in loads if sets.capacity(k[1], k[2]) < math.inf],
        rule=lambda m, f, s, t: (
            sum(sets.handling[s, p].capacity_use * m.through[s, p, t] for p in sets.products if (s, p, t) in m.through)
            + sum(sets.handling[s, p].capacity_use * q for p, q in loads[f, s, t])
            <= room(m, sets, s, t)
        ),
    )
    backup_supply(m, sets)


def backup_supply(m: Any, sets: Sets) -> None:
    """Capacity of the other suppliers >= their supply + cover·supply of f (units; for each f, p, t that supplies)."""
    suppliers: dict[Any, list[str]] = defaultdict(list)
    for s, p, t in m.supply:
        suppliers[p, t].append(s)

    def capacity(s: str, p: str, t: int) -> float:
        given = sets.supply[s, p].capacity * sets.years[t]
        return min(given, sets.most[p, t]) if given == given else sets.most[p, t]

    def rule(m: Any, f: str, p: str, t: int) -> Any:
        others = [s for s in suppliers[p, t] if s != f]
        missing = sum(or_zero(m.uncovered, k) for k in m.uncovered if (k[0], k[2], k[3]) == (f, p, t))
        return (
            sum(capacity(s, p, t) * m.open[s, t] - m.supply[s, p, t] for s in others) + sets.most[p, t] * missing
            >= sets.backup_cover * m.supply[f, p, t]
        )

    m.backup_supply = pyo.Constraint(list(m.supply), rule=rule)


def _total(sets: Sets, t: int) -> float:
    """All demand of t, units."""
    return sum(quantity for (_, u), quantity in sets.most.items() if u == t)
