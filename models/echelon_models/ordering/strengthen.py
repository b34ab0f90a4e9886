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

from echelon_models.ordering.sets import Place, PlaceTime, Sets

FACILITY_PERIODS = 30  # up to this horizon facility location pays
FACILITY_LINKS = 60_000  # and up to this many order-demand links
VIOLATION = 1e-3  # of its demand by which an (l,S) row must be violated to be worth adding


def strengthen(m: Any, sets: Sets, formulation: str) -> LSRows | None:
    """Choose a formulation for each place. Facility location is built in at once; the (l,S) rows are returned as the
    callable that adds them to the relaxation where it violates them. `m.took` counts the places by formulation."""
    fixed = {(o[1], o[2]) for o in m.lines}
    joined = {(i, end) for a, b, i in sets.lanes for end in (a, b)}
    alone = [p for p in sets.places if p in fixed and p not in joined]
    small = sets.horizon <= FACILITY_PERIODS and _links(m, sets, alone) <= FACILITY_LINKS
    traced = alone if formulation == "facility" or (formulation == "auto" and small) else []
    cut = [p for p in alone if p not in set(traced)] + sorted(joined & set(sets.places))
    if formulation == "big_m":
        cut = []
    facility_location(m, sets, traced)
    rest = len(sets.places) - len(traced) - len(cut)
    m.took = {"facility location": len(traced), "(l,S) rows": len(cut), "big-M": rest}
    return LSRows(m, sets, [*((p,) for p in cut), *_networks(sets, fixed)]) if cut else None


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


class LSRows:
    """The (l,S) rows of groups of places, added only where the relaxation violates them. For k <= e:

    stock before k + free arrivals in k..e + waiting and lost in k..e + sum over u in k..e of d_u·(lines arriving in
    k..u) >= demand in k..e (units). Stock before k counts what is then on its way within the group.
    """

    def __init__(self, m: Any, sets: Sets, groups: list[tuple[Place, ...]]):
        self.horizon = sets.horizon
        self.rows = m.ls_rows = pyo.ConstraintList()
        self.groups = [self._terms(m, sets, group) for group in groups]

    def __call__(self) -> list[Any]:
        """Add, for each group and k, the row that the present values violate most; return the rows added."""
        added = []
        for demand, held, lines, free in self.groups:
            line_values = [sum(pyo.value(v) for v in terms) for terms in lines]
            free_values = [sum(pyo.value(v) for v in terms) for terms in free]
            for k in range(self.horizon):
                left = sum(pyo.value(v) for v in held[k])
                e = _most_violated(k, left, demand, line_values, free_values)
                if e is not None:
                    added.append(self._add(k, e, demand, held, lines, free))
        return added

    def _add(self, k: int, e: int, demand: list[float], held: Any, lines: Any, free: Any) -> Any:
        row, arrived = list(held[k]), []
        for u in range(k, e + 1):
            arrived += lines[u]
            row += free[u]
            row += [demand[u] * y for y in arrived]
        return self.rows.add(sum(row) >= sum(demand[k : e + 1]))

    def _terms(self, m: Any, sets: Sets, group: tuple[Place, ...]) -> tuple[Any, ...]:
        """(demand, held, lines, free) of a group by period: held[k] is stock before k and what is then on its way
        within the group; lines arrive in u; free is all else that may serve, or leave unserved, the demand of u."""
        demand = [sum(sets.demand.get((i, l, u), 0.0) for i, l in group) for u in range(self.horizon)]
        held: list[list[Any]] = [[] for _ in range(self.horizon)]
        lines: list[list[Any]] = [[] for _ in range(self.horizon)]
        free: list[list[Any]] = [[] for _ in range(self.horizon)]
        for i, l in group:
            for u in range(self.horizon):
                held[u].append(m.stock[i, l, u - 1] if u else sets.opening.get((i, l), 0.0))
                free[u] += [v[i, l, u] for v in (m.waiting, m.lost) if (i, l, u) in v]
                free[u].append(sets.receipts.get((i, l, u), 0.0))
                for o in sets.arriving.get((i, l, u), ()):
                    (lines if o in m.lines else free)[u].append(m.line[o] if o in m.lines else m.quantity[o])
                for key in sets.inbound.get((i, l, u), ()):
                    if (i, key[0]) not in group:
                        free[u].append(m.transfer[key])
                    else:
                        for k in range(key[3] + 1, u + 1):
                            held[k].append(m.transfer[key])
        return demand, held, lines, free


def _most_violated(k: int, left: float, demand: list[float], lines: list[float], free: list[float]) -> int | None:
    """The end e of the (l,S) row from k that the values violate most; None if they violate none."""
    worst, found, arrived, wanted = VIOLATION, None, 0.0, 0.0
    for e in range(k, len(demand)):
        arrived += lines[e]
        left += free[e] + demand[e] * arrived
        wanted += demand[e]
        if (short := (wanted - left) / max(1.0, wanted)) > worst:
            worst, found = short, e
        if arrived >= 1.0:
            break
    return found


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
    supplies = {(i, l, a): _free(m, sets, i, l, a) for i, l in places for a in range(sets.horizon)}
    free = {key: supply for key, supply in supplies.items() if supply is not None}
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
        rule=lambda m, *k: (
            sum(terms) == sets.demand[k] if (terms := [*into[k], *_unserved(m, k)]) else pyo.Constraint.Skip
        ),
    )
    m.trace_stock = pyo.Constraint(
        pyo.Set(initialize=list(across), dimen=3), rule=lambda m, *k: m.stock[k] >= sum(across[k])
    )


def _unserved(m: Any, k: PlaceTime) -> list[Any]:
    """The variables that leave demand unserved for good."""
    return [v[k] for v in (m.lost, m.never_served) if k in v]


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
