"""Order planning as a mixed-integer program: multi-item, multi-site, multi-supplier lot sizing under shared limits.

Decide how much to order on each offer in each period (and to transfer over each lane) so that purchase, ordering,
holding, shortage, transfers and exceeding soft limits together cost least. Source: the multi-item capacitated
lot-sizing problem (Pochet & Wolsey, Production Planning by Mixed Integer Programming, 2006, ch. 4, 7, 12) with
backlogging, lost sales and batch sizes; price breaks as multiple-choice segments (Croxton, Gendron & Magnanti 2003).

Index letters: supplier s, item i, site l, period t; an order o = (s, i, l, t). See `sets.Sets` for the data.
"""

from __future__ import annotations

import math
from typing import Any

import pyomo.environ as pyo

from echelon.solvers.handover import garbage_collector_paused
from echelon_models.ordering.sets import OrderKey, Sets
from echelon_models.ordering.strengthen import strengthen


def build(sets: Sets, formulation: str = "auto", *, elastic: bool = False) -> pyo.ConcreteModel:
    """The model of a case. With `elastic`, every hard limit may be broken and the only aim is to break them least
    (in money's worth of goods), which explains an infeasible case."""
    with garbage_collector_paused():
        m = pyo.ConcreteModel()
        order_variables(m, sets)
        stock_variables(m, sets, elastic)
        limit_variables(m, sets, elastic)

        stock_balance(m, sets)
        served_is_not_negative(m, sets)
        order_lines(m, sets)
        batches(m, sets)
        price_segments(m, sets)
        supplier_orders(m, sets)
        pinned_orders(m, sets)
        safety_stock(m, sets)
        fill_rates(m, sets)
        supplier_shares(m, sets)
        budgets(m, sets)
        storage(m, sets)
        supplier_capacity(m, sets)
        m.tighten = None if elastic else strengthen(m, sets, formulation)

        m.total = pyo.Objective(expr=limits_broken(m, sets) if elastic else total_cost(m, sets))
    return m


def order_variables(m: Any, sets: Sets) -> None:
    """quantity[o] units; line[o] = 1 if anything is ordered; batch[o] multiples; segment[o, k] = 1 if the quantity
    lies in price segment k, segment_quantity[o, k] then; supplier_order[s, l, t] = 1 if s gets an order for l."""
    m.orders = pyo.Set(initialize=sets.orders, dimen=4)
    m.lines = pyo.Set(initialize=[o for o in sets.orders if sets.needs_line(o)], dimen=4)
    free = [o for o in sets.orders if o not in sets.pinned]
    m.batched = pyo.Set(initialize=[o for o in free if sets.offer(o).multiple == sets.offer(o).multiple], dimen=4)
    m.broken_down = pyo.Set(initialize=[o for o in sets.orders if o[:3] in sets.breaks], dimen=4)
    m.segments = {o: sets.segments(o) for o in m.broken_down}
    m.choices = pyo.Set(initialize=[(*o, k) for o, ranges in m.segments.items() for k in range(len(ranges))], dimen=5)
    joint = sorted({(s, l, t) for s, i, l, t in sets.orders if sets.order_cost.get(s, 0.0) > 0})
    m.joint = pyo.Set(initialize=joint, dimen=3)

    m.quantity = pyo.Var(m.orders, bounds=lambda m, *o: (0, sets.most[o]))
    m.line = pyo.Var(m.lines, domain=pyo.Binary, bounds=lambda m, *o: (int(o in sets.pinned), 1))
    m.batch = pyo.Var(
        m.batched,
        domain=pyo.NonNegativeIntegers,
        bounds=lambda m, *o: (0, math.ceil(sets.most[o] / sets.offer(o).multiple - 1e-9)),  # HiGHS errs on fractions
    )
    m.segment = pyo.Var(m.choices, domain=pyo.Binary, bounds=lambda m, *ok: (int(ok[:4] in sets.pinned), 1))
    m.segment_quantity = pyo.Var(m.choices, domain=pyo.NonNegativeReals)
    placed = sets.elsewhere.placed | {(s, l, t) for s, i, l, t in sets.orders if (s, i, l, t) in sets.pinned}
    m.supplier_order = pyo.Var(m.joint, domain=pyo.Binary, bounds=lambda m, *slt: (int(slt in placed), 1))


def stock_variables(m: Any, sets: Sets, elastic: bool) -> None:
    """At the end of t, units: stock[i, l, t], waiting[i, l, t]; of the demand of t: lost[i, l, t], late[i, l, t]
    (not served in t); transfer[a, b, i, t] sent; shortfall[i, l, t] below safety stock; below_fill[i, l]."""
    times = [(i, l, t) for i, l in sets.places for t in range(sets.horizon)]
    policy = {place: row.policy for place, row in sets.places.items()}
    may_lose = ("lost", "none") if elastic else ("lost",)
    filled = [p for p, row in sets.places.items() if row.fill_rate > 0 and row.policy != "none"]
    waits = [(i, l, t) for i, l, t in times if policy[i, l] == "backorder"]

    m.times = pyo.Set(initialize=times, dimen=3)
    m.stock = pyo.Var(m.times, domain=pyo.NonNegativeReals)
    m.waiting = pyo.Var(pyo.Set(initialize=waits, dimen=3), domain=pyo.NonNegativeReals)
    m.lost = pyo.Var(
        pyo.Set(initialize=[(i, l, t) for i, l, t in sets.demand if policy[i, l] in may_lose], dimen=3),
        bounds=lambda m, i, l, t: (0, sets.demand[i, l, t]),
    )
    m.late = pyo.Var(
        pyo.Set(initialize=[(i, l, t) for i, l, t in waits if (i, l) in set(filled)], dimen=3),
        domain=pyo.NonNegativeReals,
    )
    m.below_fill = pyo.Var(
        pyo.Set(initialize=filled, dimen=2),
        bounds=lambda m, i, l: (0, 0 if sets.places[i, l].fill_rate_hard and not elastic else None),
    )
    m.transfer = pyo.Var(pyo.Set(initialize=sets.transfers, dimen=4), domain=pyo.NonNegativeReals)
    m.shortfall = pyo.Var(
        pyo.Set(initialize=list(sets.safety), dimen=3), bounds=lambda m, i, l, t: (0, sets.safety[i, l, t].quantity)
    )


def limit_variables(m: Any, sets: Sets, elastic: bool) -> None:
    """Excess over each shared limit (0 where it is hard), money carried over to the next period, and, only in the
    elastic model, how far a supplier's share is missed."""

    def excess(limits: dict[Any, Any], dimen: int) -> pyo.Var:
        return pyo.Var(
            pyo.Set(initialize=list(limits), dimen=dimen),
            bounds=lambda m, *key: (0, 0 if limits[key].hard and not elastic else None),
        )

    m.budget_excess = excess(sets.budgets, 2)
    m.storage_excess = excess(sets.storage, 2)
    m.capacity_excess = excess(sets.capacity, 3)
    carried = [(d, t) for (d, t), row in sets.budgets.items() if row.carry_over and (d, t + 1) in sets.budgets]
    m.carried = pyo.Var(pyo.Set(initialize=carried, dimen=2), domain=pyo.NonNegativeReals)
    m.overspent = pyo.Var(
        pyo.Set(initialize=[k for k in carried if cheaper_than_later(sets, *k)], dimen=2), domain=pyo.Binary
    )
    missed = [(s, i, side) for s, i in sets.shares for side in ("min", "max")] if elastic else []
    m.share_missed = pyo.Var(pyo.Set(initialize=missed, dimen=3), domain=pyo.NonNegativeReals)


def stock_balance(m: Any, sets: Sets) -> None:
    """(stock - waiting) before + arrivals - sent - (demand - lost) = (stock - waiting) after (units; for each i, l, t).
    What is served is demand - lost + what waited before - what waits now."""

    def rule(m: Any, i: str, l: str, t: int) -> Any:
        before = m.stock[i, l, t - 1] - or_zero(m.waiting, (i, l, t - 1)) if t else sets.opening.get((i, l), 0.0)
        sent = sum(m.transfer[k] for k in sets.outbound.get((i, l, t), ()))
        served = sets.demand.get((i, l, t), 0.0) - or_zero(m.lost, (i, l, t))
        after = m.stock[i, l, t] - or_zero(m.waiting, (i, l, t))
        return before + arrivals(m, sets, i, l, t) - sent - served == after

    m.stock_balance = pyo.Constraint(m.times, rule=rule)


def served_is_not_negative(m: Any, sets: Sets) -> None:
    """waiting after <= waiting before + demand (units; for each i, l, t that may wait): else stock could be lent by
    customers who never asked for it."""
    m.served_is_not_negative = pyo.Constraint(
        m.waiting.index_set(),
        rule=lambda m, i, l, t: (
            m.waiting[i, l, t] <= (m.waiting[i, l, t - 1] if t else 0.0) + sets.demand.get((i, l, t), 0.0)
        ),
    )


def or_zero(variable: Any, key: Any) -> Any:
    """The variable at `key`, or 0 where the case has no such variable."""
    return variable[key] if key in variable else 0.0


def arrivals(m: Any, sets: Sets, i: str, l: str, t: int) -> Any:
    """Units that arrive at a place in t: orders, transfers, firm receipts."""
    return (
        sum(m.quantity[o] for o in sets.arriving.get((i, l, t), ()))
        + sum(m.transfer[k] for k in sets.inbound.get((i, l, t), ()))
        + sets.receipts.get((i, l, t), 0.0)
    )


def order_lines(m: Any, sets: Sets) -> None:
    """least·line <= quantity <= most·line (units; for each order that needs a line)."""
    m.order_line_most = pyo.Constraint(m.lines, rule=lambda m, *o: m.quantity[o] <= sets.most[o] * m.line[o])

    def least(m: Any, *o: Any) -> Any:
        minimum = 0.0 if o in sets.pinned else min(sets.least(o), sets.most[o])
        if minimum < sets.least(o) and o not in sets.pinned:
            return m.line[o] == 0  # a hard capacity allows less than the minimum
        return m.quantity[o] >= minimum * m.line[o] if minimum > 0 else pyo.Constraint.Skip

    m.order_line_least = pyo.Constraint(m.lines, rule=least)


def batches(m: Any, sets: Sets) -> None:
    """quantity = multiple·batch (units; for each order in multiples)."""
    m.whole_batches = pyo.Constraint(m.batched, rule=lambda m, *o: m.quantity[o] == sets.offer(o).multiple * m.batch[o])


def price_segments(m: Any, sets: Sets) -> None:
    """The quantity lies in one price segment: low·segment <= segment_quantity <= high·segment, summing to the line
    and the quantity (units; for each order with price breaks)."""
    m.segment_low = pyo.Constraint(
        m.choices,
        rule=lambda m, *ok: (
            m.segment_quantity[ok] >= m.segments[ok[:4]][ok[4]].low * m.segment[ok]
            if m.segments[ok[:4]][ok[4]].low > 0
            else pyo.Constraint.Skip
        ),
    )
    m.segment_high = pyo.Constraint(
        m.choices, rule=lambda m, *ok: m.segment_quantity[ok] <= m.segments[ok[:4]][ok[4]].high * m.segment[ok]
    )
    m.one_segment = pyo.Constraint(
        m.broken_down, rule=lambda m, *o: sum(m.segment[(*o, k)] for k in range(len(m.segments[o]))) == m.line[o]
    )
    m.segments_sum = pyo.Constraint(
        m.broken_down,
        rule=lambda m, *o: sum(m.segment_quantity[(*o, k)] for k in range(len(m.segments[o]))) == m.quantity[o],
    )


def supplier_orders(m: Any, sets: Sets) -> None:
    """line <= supplier_order: lines to one supplier for one site in one period share one order."""
    m.joint_lines = pyo.Set(initialize=[o for o in m.lines if (o[0], o[2], o[3]) in m.joint], dimen=4)
    m.joint_order = pyo.Constraint(
        m.joint_lines, rule=lambda m, s, i, l, t: m.line[s, i, l, t] <= m.supplier_order[s, l, t]
    )


def pinned_orders(m: Any, sets: Sets) -> None:
    """quantity = the pinned quantity (units; for each pinned order)."""
    pinned = [o for o in sets.orders if o in sets.pinned]
    m.pinned_order = pyo.Constraint(
        pyo.Set(initialize=pinned, dimen=4), rule=lambda m, *o: m.quantity[o] == sets.pinned[o]
    )


def safety_stock(m: Any, sets: Sets) -> None:
    """stock + shortfall >= safety stock (units; for each i, l, t that has one)."""
    m.safety_stock = pyo.Constraint(
        m.shortfall.index_set(),
        rule=lambda m, i, l, t: m.stock[i, l, t] + m.shortfall[i, l, t] >= sets.safety[i, l, t].quantity,
    )


def fill_rates(m: Any, sets: Sets) -> None:
    """Over the horizon, late + lost <= (1 - fill rate)·demand + below_fill (units; for each i, l with a fill rate),
    where late[t] >= waiting[t] - waiting[t-1] is the demand of t that t does not serve."""
    m.rise_of_waiting = pyo.Constraint(
        m.late.index_set(),
        rule=lambda m, i, l, t: m.late[i, l, t] >= m.waiting[i, l, t] - (m.waiting[i, l, t - 1] if t else 0.0),
    )

    def rule(m: Any, i: str, l: str) -> Any:
        times = range(sets.horizon)
        demand = sum(sets.demand.get((i, l, t), 0.0) for t in times)
        missed = sum(v[i, l, t] for v in (m.late, m.lost) for t in times if (i, l, t) in v)
        return missed <= (1 - sets.places[i, l].fill_rate) * demand + m.below_fill[i, l]

    m.fill_rate = pyo.Constraint(m.below_fill.index_set(), rule=rule)


def supplier_shares(m: Any, sets: Sets) -> None:
    """min share·all <= a supplier's part <= max share·all of what is ordered of an item (units; for each s, i)."""
    ordered: dict[str, list[OrderKey]] = {}
    for o in sets.orders:
        ordered.setdefault(o[1], []).append(o)

    def part_and_all(s: str, i: str) -> tuple[Any, Any]:
        orders = ordered.get(i, [])
        return sum(m.quantity[o] for o in orders if o[0] == s), sum(m.quantity[o] for o in orders)

    def at_least(m: Any, s: str, i: str) -> Any:
        part, whole = part_and_all(s, i)
        missed = or_zero(m.share_missed, (s, i, "min"))
        share = sets.shares[s, i].min_share
        return part + missed >= share * whole if share > 0 and i in ordered else pyo.Constraint.Skip

    def at_most(m: Any, s: str, i: str) -> Any:
        part, whole = part_and_all(s, i)
        missed = or_zero(m.share_missed, (s, i, "max"))
        share = sets.shares[s, i].max_share
        offers_some = any(o[0] == s for o in ordered.get(i, []))
        return part - missed <= share * whole if share < 1 and offers_some else pyo.Constraint.Skip

    keys = pyo.Set(initialize=list(sets.shares), dimen=2)
    m.min_share = pyo.Constraint(keys, rule=at_least)
    m.max_share = pyo.Constraint(keys, rule=at_most)


def amount(m: Any, sets: Sets, o: OrderKey) -> Any:
    """What an order line costs to buy, money: price·quantity or, with price breaks, by segment."""
    if o in m.segments:
        ranges = m.segments[o]
        return sum(
            seg.price * m.segment_quantity[(*o, k)] + seg.fixed * m.segment[(*o, k)] for k, seg in enumerate(ranges)
        )
    return sets.offer(o).price * m.quantity[o]


def budgets(m: Any, sets: Sets) -> None:
    """Spend on orders placed in t <= budget + carried in - carried on + excess (money; for each department, t).
    Only what is not spent is carried on: never an excess that would cost more, or be forbidden, later."""
    placed: dict[tuple[str, int], list[OrderKey]] = {}
    for o in sets.orders:
        department = sets.places[o[1], o[2]].department
        for name in {department, ""}:
            placed.setdefault((name, o[3]), []).append(o)

    def rule(m: Any, d: str, t: int) -> Any:
        spend = sum(amount(m, sets, o) for o in placed.get((d, t), ())) + taken(sets, "budget", d, "money", t)
        carried_in = or_zero(m.carried, (d, t - 1))
        carried_on = or_zero(m.carried, (d, t))
        return spend - carried_in + carried_on - m.budget_excess[d, t] <= sets.budgets[d, t].amount

    def dearest(d: str, t: int) -> float:
        most = sum(sets.offer(o).price * sets.most[o] for o in placed.get((d, t), ()))
        return most + taken(sets, "budget", d, "money", t)

    m.budget = pyo.Constraint(m.budget_excess.index_set(), rule=rule)
    m.no_excess_if_carried = pyo.Constraint(
        m.overspent.index_set(), rule=lambda m, d, t: m.budget_excess[d, t] <= dearest(d, t) * m.overspent[d, t]
    )
    m.no_carry_if_exceeded = pyo.Constraint(
        m.overspent.index_set(),
        rule=lambda m, d, t: (
            m.carried[d, t]
            <= sum(sets.budgets[d, u].amount for u in range(t + 1) if (d, u) in sets.budgets) * (1 - m.overspent[d, t])
        ),
    )


def taken(sets: Sets, *limit: Any) -> float:
    """What items outside the model use of a limit row, in its unit."""
    return sets.elsewhere.use.get(limit, 0.0)


def cheaper_than_later(sets: Sets, d: str, t: int) -> bool:
    """Whether exceeding the budget of t costs less than exceeding one to which its rest may be carried over."""
    row, now = sets.budgets[d, t], sets.budgets[d, t]
    while now.carry_over and (d, t + 1) in sets.budgets:
        t, now = t + 1, sets.budgets[d, t + 1]
        if not row.hard and (now.hard or now.excess_cost > row.excess_cost):
            return True
    return False


def storage(m: Any, sets: Sets) -> None:
    """Volume of closing stock (or, at peak, of opening stock and arrivals) <= capacity + excess (m³; for each l, t)."""
    stored: dict[str, list[str]] = {}
    for i, l in sets.places:
        if sets.places[i, l].volume > 0:
            stored.setdefault(l, []).append(i)

    def rule(m: Any, l: str, t: int) -> Any:
        def units(i: str) -> Any:
            if sets.storage[l, t].counts == "closing":
                return m.stock[i, l, t]
            return (m.stock[i, l, t - 1] if t else sets.opening.get((i, l), 0.0)) + arrivals(m, sets, i, l, t)

        use = sum(sets.places[i, l].volume * units(i) for i in stored.get(l, ())) + taken(sets, "storage", l, "m³", t)
        return use - m.storage_excess[l, t] <= sets.storage[l, t].capacity

    m.storage = pyo.Constraint(m.storage_excess.index_set(), rule=rule)


def supplier_capacity(m: Any, sets: Sets) -> None:
    """Units ordered, or hours of lines and units, <= capacity + excess (units or hours; for each s, measure, t)."""
    asked: dict[tuple[str, int], list[OrderKey]] = {}
    for o in sets.orders:
        asked.setdefault((o[0], o[3]), []).append(o)

    def load(m: Any, o: OrderKey, measure: str) -> Any:
        if measure == "units":
            return m.quantity[o]
        offer = sets.offer(o)
        return offer.hours_per_unit * m.quantity[o] + (offer.hours_per_order * m.line[o] if o in m.lines else 0.0)

    def rule(m: Any, s: str, measure: str, t: int) -> Any:
        use = sum(load(m, o, measure) for o in asked.get((s, t), ()))
        use += taken(sets, "supplier capacity", s, measure, t)
        return use - m.capacity_excess[s, measure, t] <= sets.capacity[s, measure, t].capacity

    m.supplier_capacity = pyo.Constraint(m.capacity_excess.index_set(), rule=rule)


def total_cost(m: Any, sets: Sets) -> Any:
    """All costs of the plan, money. The recheck recomputes each line of it from the tables."""
    last = sets.horizon - 1
    place = sets.places
    return (
        sum(amount(m, sets, o) for o in m.orders)
        + sum(sets.offer(o).line_cost * m.line[o] for o in m.lines)
        + sum(sets.order_cost[s] * m.supplier_order[s, l, t] for s, l, t in m.joint)
        + sum(sets.holding_cost((i, l), t) * m.stock[i, l, t] for i, l, t in m.times)
        - sum(place[i, l].final_value * m.stock[i, l, last] for i, l in place)
        + sum(place[i, l].backorder_cost * m.waiting[i, l, t] for i, l, t in m.waiting)
        + sum(place[i, l].lost_cost * m.waiting[i, l, t] for i, l, t in m.waiting if t == last)
        + sum(place[i, l].lost_cost * m.lost[i, l, t] for i, l, t in m.lost)
        + sum(sets.safety[k].shortfall_cost * m.shortfall[k] for k in m.shortfall)
        + sum(place[k].fill_rate_cost * m.below_fill[k] for k in m.below_fill if not place[k].fill_rate_hard)
        + sum(sets.lanes[a, b, i].cost * m.transfer[a, b, i, t] for a, b, i, t in m.transfer)
        + sum(row.excess_cost * m.budget_excess[k] for k, row in sets.budgets.items() if not row.hard)
        + sum(row.excess_cost * m.storage_excess[k] for k, row in sets.storage.items() if not row.hard)
        + sum(row.excess_cost * m.capacity_excess[k] for k, row in sets.capacity.items() if not row.hard)
    )


def limits_broken(m: Any, sets: Sets) -> Any:
    """How far hard limits are broken, in money's worth of goods; a forbidden shortage weighs ten times its worth, so
    that limits are eased before demand is refused."""
    values = [row.value for row in sets.places.values()] or [1.0]
    volumes = [row.volume for row in sets.places.values() if row.volume > 0] or [1.0]
    unit = max(sum(values) / len(values), 1e-6)
    per_m3 = unit / (sum(volumes) / len(volumes))
    hard_fill = [k for k in m.below_fill if sets.places[k].fill_rate_hard]
    forbidden = [k for k in m.lost if sets.places[k[:2]].policy == "none"]
    return (
        sum(m.budget_excess[k] for k, row in sets.budgets.items() if row.hard)
        + per_m3 * sum(m.storage_excess[k] for k, row in sets.storage.items() if row.hard)
        + unit * sum(m.capacity_excess[k] for k, row in sets.capacity.items() if row.hard)
        + unit * sum(m.share_missed[k] for k in m.share_missed)
        + sum(10 * max(sets.places[k].value, unit) * m.below_fill[k] for k in hard_fill)
        + sum(10 * max(sets.places[k[:2]].value, unit) * m.lost[k] for k in forbidden)
    )
