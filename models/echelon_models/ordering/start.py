"""First plans: from an earlier plan, or by rounding the relaxation item by item."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np

from echelon.tables import Frames
from echelon_models.ordering.sets import OrderKey, Sets, round_up

BLOCKS = {  # variable -> position of the item in its index
    "quantity": 1,
    "line": 1,
    "batch": 1,
    "segment": 1,
    "segment_quantity": 1,
    "traced": 1,
    "transfer": 2,
} | dict.fromkeys(("stock", "waiting", "lost", "late", "below_fill", "shortfall", "traced_free", "never_served"), 0)


def block_of(variable: Any) -> str | None:
    """The item that a variable belongs to; None for what items share (supplier orders, excess of limits)."""
    position = BLOCKS.get(variable.parent_component().name)
    return None if position is None else variable.index()[position]


def warm_start(m: Any, sets: Sets, full: Frames, plan: Frames) -> None:
    """Give the model's integers the values they have in an earlier plan's result tables (orders of periods or offers
    that this case does not know are left out)."""
    position = full["periods"].set_index("period")["t"]
    orders = plan["orders"].assign(t=plan["orders"]["period"].map(position))
    keys = zip(orders["supplier"], orders["item"], orders["site"], orders["t"], strict=True)
    set_orders(m, sets, dict(zip(keys, orders["quantity"], strict=True)))


def set_orders(m: Any, sets: Sets, ordered: dict[OrderKey, float]) -> None:
    """Give the model's integers the values that belong to these order quantities; what is not ordered is zero."""
    ordered = {o: q for o, q in {**ordered, **sets.pinned}.items() if o in m.orders and q > 0}
    for o in m.lines:
        m.line[o].set_value(int(o in ordered), skip_validation=True)
    for o in m.batched:
        m.batch[o].set_value(round(ordered.get(o, 0.0) / sets.offer(o).multiple), skip_validation=True)
    joint = {(s, l, t) for s, _, l, t in ordered}
    for key in m.joint:
        m.supplier_order[key].set_value(int(key in joint), skip_validation=True)
    for o in m.broken_down:
        quantity = ordered.get(o, 0.0)
        reached = [k for k, seg in enumerate(m.segments[o]) if quantity > 0 and quantity >= seg.low - 1e-6]
        for k in range(len(m.segments[o])):
            m.segment[(*o, k)].set_value(int(bool(reached) and k == reached[-1]), skip_validation=True)


def round_relaxation(m: Any, sets: Sets) -> None:
    """Turn the relaxation, whose values the variables hold, into a plan: what it orders on an offer a little each
    period is gathered into lots (Wagner & Whitin 1958, with the relaxation's quantities as demand) and rounded up to
    what the offer allows; what one lot has too much, the next one has less."""
    wanted: dict[tuple[str, str, str], np.ndarray] = defaultdict(lambda: np.zeros(sets.horizon))
    for o in sets.orders:
        if o not in sets.pinned:
            wanted[o[:3]][o[3]] = m.quantity[o].value
    shared_cost = _order_cost_a_line(m, sets)
    ordered: dict[OrderKey, float] = {}
    for offer, quantities in wanted.items():
        fixed = sets.offers[offer].line_cost + shared_cost.get(offer[0], 0.0)
        holding = np.array([sets.holding_cost(offer[1:], t) for t in range(sets.horizon)])
        surplus = 0.0
        for t, need in _lots(quantities, fixed, holding):
            lot = _allowed((*offer, t), need - surplus, sets)
            surplus += lot - need
            if lot > 0:
                ordered[(*offer, t)] = lot
    _raise_shares(ordered, sets)
    set_orders(m, sets, ordered)


def _order_cost_a_line(m: Any, sets: Sets) -> dict[str, float]:
    """A supplier's order cost spread over the lines that the relaxation puts on an order."""
    lines: dict[str, float] = defaultdict(float)
    orders: dict[str, float] = defaultdict(float)
    for s, i, l, t in m.lines:
        lines[s] += m.line[s, i, l, t].value
    for s, l, t in m.joint:
        orders[s] += m.supplier_order[s, l, t].value
    return {s: cost * min(orders[s] / lines[s], 1.0) for s, cost in sets.order_cost.items() if lines[s] > 0}


def _lots(wanted: np.ndarray, fixed: float, holding: np.ndarray) -> list[tuple[int, float]]:
    """(period, quantity) of the lots that serve `wanted` at least fixed and holding cost; holding[t] is the cost of a
    unit at the end of t. Dynamic programme over the period u up to which all is served: cost[u] = min over t < u of
    cost[t] + fixed + holding of wanted[t..u-1] from t on."""
    horizon = len(wanted)
    kept = np.concatenate([[0.0], holding.cumsum()])
    cost, first = [0.0] + [math.inf] * horizon, [0] * (horizon + 1)
    for u in range(1, horizon + 1):
        if wanted[u - 1] <= 1e-6:
            cost[u], first[u] = cost[u - 1], -1
            continue
        for t in range(u):
            carried = float(wanted[t:u] @ (kept[t:u] - kept[t]))
            if cost[t] + fixed + carried < cost[u]:
                cost[u], first[u] = cost[t] + fixed + carried, t
    lots, u = [], horizon
    while u > 0:
        t = first[u]
        if t >= 0:
            lots.append((t, float(wanted[t:u].sum())))
        u = t if t >= 0 else u - 1
    return lots[::-1]


def _allowed(order: OrderKey, need: float, sets: Sets) -> float:
    """The least quantity the offer allows that covers the need, or the most it allows; 0 where nothing is needed."""
    if need <= 1e-6:
        return 0.0
    offer, most = sets.offer(order), sets.most[order]
    lot = round_up(max(need * (1 - 1e-6), offer.minimum), offer.multiple)
    if lot > most:
        lot = math.floor(most / offer.multiple + 1e-9) * offer.multiple if offer.multiple == offer.multiple else most
    return lot if lot >= sets.least(order) else 0.0


def _raise_shares(ordered: dict[OrderKey, float], sets: Sets) -> None:
    """Raise lots until each supplier has the smallest share it must have and no other more than its largest."""
    for (s, i), row in sets.shares.items():
        for _ in range(100):
            lots = {o: q for o, q in ordered.items() if o[1] == i}
            whole, part = sum(lots.values()), sum(q for o, q in lots.items() if o[0] == s)
            if part < row.min_share * whole - 1e-6:
                grown = _grow(ordered, sets, [o for o in lots if o[0] == s])
            elif part > row.max_share * whole + 1e-6:
                grown = _grow(ordered, sets, [o for o in lots if o[0] != s])
            else:
                break
            if not grown:
                break


def _grow(ordered: dict[OrderKey, float], sets: Sets, orders: list[OrderKey]) -> bool:
    """Raise the smallest of these lots by one multiple, if one has room."""
    for o in sorted(orders, key=lambda o: ordered[o]):
        step = sets.offer(o).multiple if sets.offer(o).multiple == sets.offer(o).multiple else 0.1 * ordered[o]
        if o not in sets.pinned and ordered[o] + step <= sets.most[o]:
            ordered[o] += step
            return True
    return False
