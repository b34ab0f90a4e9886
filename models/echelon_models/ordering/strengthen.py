"""Rows that tighten the relaxation: they cut off no plan, only fractions, so the bound is closer to the best plan.

Big-M rows alone leave a gap of two thirds on published instances; either of these closes it to about one percent:

- **(l,S) rows** in Wagner-Whitin form (Barany, Van Roy & Wolsey 1984; Pochet & Wolsey 1994): what is demanded in
  k..u and finds no arrival in k..u was in stock before k, or waits, or is lost.
- **Facility location** (Krarup & Bilde 1977): each unit is traced from the order it came with to the demand it
  serves, so that an order line is tied to each single demand rather than to their sum.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo

from echelon_models.ordering.sets import Place, Sets

FACILITY_PERIODS = 30  # up to this horizon facility location pays
FACILITY_LINKS = 60_000  # and up to this many order-demand links
WINDOW = 12  # periods an (l,S) row spans at most


def strengthen(m: Any, sets: Sets, formulation: str) -> dict[str, int]:
    """Choose for each place and add the rows: name of the formulation -> number of places that take it."""
    fixed = {(o[1], o[2]) for o in m.lines}
    joined = {(i, end) for a, b, i in sets.lanes for end in (a, b)}
    plain = [p for p in sets.places if p not in fixed and p not in joined]
    single = [p for p in sets.places if p in fixed and p not in joined]
    networks = _networks(sets, fixed)
    by_facility = single if formulation in ("auto", "facility") else []
    if formulation == "auto" and (sets.horizon > FACILITY_PERIODS or _links(m, sets, single) > FACILITY_LINKS):
        by_facility = []
    by_rows = [] if formulation == "big_m" else [p for p in single if p not in set(by_facility)]
    linked = [] if formulation == "big_m" else sorted(p for p in joined if p in sets.places)
    facility_location(m, sets, by_facility)
    groups = [*((p,) for p in [*by_rows, *linked]), *(networks if formulation != "big_m" else [])]
    ls_rows(m, sets, groups)
    took = {
        "facility location": len(by_facility),
        "(l,S) rows": len(by_rows) + len(linked),
        "big-M": len(sets.places) - len(by_facility) - len(by_rows) - len(linked),
    }
    return {name: count for name, count in took.items() if count} if plain or fixed else {}


def _networks(sets: Sets, fixed: set[Place]) -> list[tuple[Place, ...]]:
    """Items over all their places that lanes join: together they are supplied by orders only."""
    places: dict[str, set[Place]] = {}
    for a, b, i in sets.lanes:
        places.setdefault(i, set()).update([(i, a), (i, b)])
    return [tuple(sorted(group)) for group in places.values() if group & fixed]


def _links(m: Any, sets: Sets, places: Iterable[Place]) -> int:
    """Number of order-demand pairs that facility location would trace."""
    orders = {p: 0 for p in places}
    for o in m.lines:
        if (o[1], o[2]) in orders:
            orders[o[1], o[2]] += 1
    demands = dict.fromkeys(orders, 0)
    for i, l, _ in sets.demand:
        if (i, l) in demands:
            demands[i, l] += 1
    return sum(orders[p] * demands[p] for p in orders)


def ls_rows(m: Any, sets: Sets, groups: list[tuple[Place, ...]]) -> None:
    """For each group of places and k <= e (e - k < WINDOW):
    stock before k + free arrivals in k..e + lost + waiting in k..e + sum over u of d_u·(lines arriving in k..u)
    >= demand in k..e (units). Stock before k counts what is on its way within the group."""
    m.ls_rows = pyo.ConstraintList()
    for group in groups:
        members = set(group)
        demand = [sum(sets.demand.get((i, l, u), 0.0) for i, l in group) for u in range(sets.horizon)]
        lines, free = _supply(m, sets, group, members)
        slack = [_unserved(m, group, u) for u in range(sets.horizon)]
        for k in range(sets.horizon):
            row = list(_held_before(m, sets, group, members, k))
            arrived: list[Any] = []
            wanted = 0.0
            for e in range(k, min(k + WINDOW, sets.horizon)):
                arrived += lines[e]
                row += free[e]
                row += slack[e]
                if demand[e] > 0:
                    row += [demand[e] * y for y in arrived]
                    wanted += demand[e]
                    if not isinstance(left := sum(row), int | float):  # else there is nothing to decide
                        m.ls_rows.add(left >= wanted)


def _supply(
    m: Any, sets: Sets, group: tuple[Place, ...], members: set[Place]
) -> tuple[list[list[Any]], list[list[Any]]]:
    """For each period: the lines that arrive in it, and all other arrivals from outside the group."""
    lines: list[list[Any]] = [[] for _ in range(sets.horizon)]
    free: list[list[Any]] = [[] for _ in range(sets.horizon)]
    for i, l in group:
        for u in range(sets.horizon):
            for o in sets.arriving.get((i, l, u), ()):
                (lines if o in m.lines else free)[u].append(m.line[o] if o in m.lines else m.quantity[o])
            free[u] += [m.transfer[key] for key in sets.inbound.get((i, l, u), ()) if (i, key[0]) not in members]
            if (i, l, u) in sets.receipts:
                free[u].append(sets.receipts[i, l, u])
    return lines, free


def _unserved(m: Any, group: tuple[Place, ...], u: int) -> list[Any]:
    return [v[i, l, u] for i, l in group for v in (m.waiting, m.lost) if (i, l, u) in v]


def _held_before(m: Any, sets: Sets, group: tuple[Place, ...], members: set[Place], k: int) -> Iterable[Any]:
    """Stock of the group at the end of k - 1, and what is then on its way between its places."""
    for i, l in group:
        yield m.stock[i, l, k - 1] if k else sets.opening.get((i, l), 0.0)
        for u in range(k, sets.horizon):
            yield from (
                m.transfer[key] for key in sets.inbound.get((i, l, u), ()) if key[3] < k and (i, key[0]) in members
            )


def facility_location(m: Any, sets: Sets, places: list[Place]) -> None:
    """Trace units: traced[o, u] from order o to the demand of u; traced_free[i, l, a, u] from stock, receipts and
    orders without a line that arrive in a. For each place, period u and order o:

    traced[o, u] <= d_u·line[o];  sum over u of traced <= quantity (or the free arrivals);
    sum over sources of traced + lost + never served = d_u;  stock at t >= all traced from a <= t to u > t.
    """
    demands = {p: [u for u in range(sets.horizon) if (*p, u) in sets.demand] for p in places}
    serves = {p: _serves(sets, p) for p in places}
    arrivals = {
        o: a for (i, l, a), orders in sets.arriving.items() if (i, l) in demands for o in orders if o in m.lines
    }
    links = [(*o, u) for o, a in arrivals.items() for u in demands[o[1], o[2]] if serves[o[1], o[2]](a, u)]
    free = {(i, l, a): supply for i, l in places for a in range(sets.horizon) if (supply := _free(m, sets, i, l, a))}
    free_links = [(*key, u) for key in free for u in demands[key[:2]] if serves[key[:2]](key[2], u)]
    never = [(i, l, u) for i, l in places for u in demands[i, l] if sets.places[i, l].policy == "backorder"]
    m.traced = pyo.Var(pyo.Set(initialize=links, dimen=5), domain=pyo.NonNegativeReals)
    m.traced_free = pyo.Var(pyo.Set(initialize=free_links, dimen=4), domain=pyo.NonNegativeReals)
    m.never_served = pyo.Var(pyo.Set(initialize=never, dimen=3), domain=pyo.NonNegativeReals)

    traces: list[tuple[Any, Any, Any, int]] = [
        *((k, m.traced[k], k[:4], arrivals[k[:4]]) for k in links),
        *((k, m.traced_free[k], k[:3], k[2]) for k in free_links),
    ]
    into: dict[Any, list[Any]] = {(*p, u): [] for p in places for u in demands[p]}
    out_of: dict[Any, list[tuple[int, Any]]] = {key: [] for key in [*arrivals, *free]}
    across: dict[Any, list[Any]] = {}
    for key, variable, source, arrival in traces:
        place, u = (key[1:3] if len(key) == 5 else key[:2]), key[-1]
        into[(*place, u)].append(variable)
        out_of[source].append((u, variable))
        for t in range(arrival, u):
            across.setdefault((*place, t), []).append(variable)

    m.trace_link = pyo.Constraint(
        m.traced.index_set(),
        rule=lambda m, s, i, l, t, u: m.traced[s, i, l, t, u] <= sets.demand[i, l, u] * m.line[s, i, l, t],
    )
    m.trace_orders = pyo.Constraint(
        pyo.Set(initialize=[o for o in arrivals if out_of[o]], dimen=4),
        rule=lambda m, *o: sum(v for _, v in out_of[o]) <= m.quantity[o],
    )
    m.trace_free = pyo.Constraint(
        pyo.Set(initialize=[k for k in free if out_of[k]], dimen=3),
        rule=lambda m, *k: sum(v for _, v in out_of[k]) <= free[k],
    )
    m.trace_demand = pyo.Constraint(
        pyo.Set(initialize=list(into), dimen=3),
        rule=lambda m, *k: sum(into[k]) + sum(v[k] for v in (m.lost, m.never_served) if k in v) == sets.demand[k],
    )
    m.trace_stock = pyo.Constraint(
        pyo.Set(initialize=list(across), dimen=3), rule=lambda m, *k: m.stock[k] >= sum(across[k])
    )


def _serves(sets: Sets, place: Place) -> Any:
    """Whether units that arrive in a may serve the demand of u: later ones, and earlier ones where demand waits."""
    if sets.places[place].policy == "backorder":
        return lambda a, u: True
    return lambda a, u: a <= u


def _free(m: Any, sets: Sets, i: str, l: str, a: int) -> Any:
    """Units that arrive in a and are tied to no line: opening stock, receipts, orders without fixed cost."""
    fixed = sets.receipts.get((i, l, a), 0.0) + (sets.opening.get((i, l), 0.0) if a == 0 else 0.0)
    orders = [m.quantity[o] for o in sets.arriving.get((i, l, a), ()) if o not in m.lines]
    return sum(orders) + fixed if orders or fixed else None
