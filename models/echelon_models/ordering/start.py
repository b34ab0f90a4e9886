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
    """Turn the relaxation, whose values the variables hold, into a plan. Period by period, an offer on which the
    relaxation has ordered more than this plan so far gets a lot: what the relaxation orders until the next lot pays
    (Wagner & Whitin 1958), cut to what the supplier's capacity and the budgets leave, rounded to what the offer
    allows."""
    wanted: dict[tuple[str, str, str], np.ndarray] = defaultdict(lambda: np.zeros(sets.horizon))
    for o in sets.orders:
        if o not in sets.pinned:
            wanted[o[:3]][o[3]] = m.quantity[o].value
    shared_cost = _order_cost_a_line(m, sets)
    ends = {}
    for offer, quantities in wanted.items():
        fixed = sets.offers[offer].line_cost + shared_cost.get(offer[0], 0.0)
        holding = np.array([sets.holding_cost(offer[1:], t) for t in range(sets.horizon)])
        ends[offer] = _lot_ends(quantities, fixed, holding)
    totals = {offer: quantities.cumsum() for offer, quantities in wanted.items()}
    ordered: dict[OrderKey, float] = {}
    placed = dict.fromkeys(wanted, 0.0)
    rooms = _Rooms(sets)
    for t in range(sets.horizon):
        for offer in sorted(wanted, key=lambda offer: placed[offer] - totals[offer][t]):
            order, now = (*offer, t), totals[offer][t] - placed[offer]
            if now <= 1e-6 or order not in m.orders:
                continue
            until_next = totals[offer][ends[offer][t] - 1] - placed[offer]
            lot = _allowed(order, min(until_next, max(now, rooms.left(order))), sets)
            if lot > 0 and lot <= rooms.left(order, hard=True):
                ordered[order] = lot
                placed[offer] += lot
                rooms.take(order, lot)
    _raise_shares(ordered, sets)
    set_orders(m, sets, ordered)


class _Rooms:
    """What supplier capacity and budgets still leave for orders, period by period."""

    def __init__(self, sets: Sets):
        self.sets = sets
        self.capacity = {key: row.capacity for key, row in sets.capacity.items()}
        self.budgets = {key: row.amount for key, row in sets.budgets.items()}
        for order, quantity in sets.pinned.items():
            self.take(order, quantity)

    def left(self, order: OrderKey, hard: bool = False) -> float:
        """Units of the order that fit (with `hard`, into hard limits only)."""
        uses = [use for use in self._uses(order) if use[2].hard or not hard]
        return min(
            (max(rooms[key] - fixed, 0.0) / unit for rooms, key, _, fixed, unit in uses if unit > 0), default=math.inf
        )

    def take(self, order: OrderKey, quantity: float) -> None:
        for rooms, key, _, fixed, unit in self._uses(order):
            rooms[key] -= fixed + unit * quantity

    def _uses(self, order: OrderKey) -> list[tuple[dict[Any, float], Any, Any, float, float]]:
        """(rooms, key, row of the limit, fixed use, use a unit) of each limit that the order draws on."""
        s, i, l, t = order
        offer, department = self.sets.offer(order), self.sets.places[i, l].department
        uses: list[tuple[dict[Any, float], Any, Any, float, float]] = []
        for measure, fixed, unit in (("units", 0.0, 1.0), ("hours", offer.hours_per_order, offer.hours_per_unit)):
            if (s, measure, t) in self.capacity:
                uses.append((self.capacity, (s, measure, t), self.sets.capacity[s, measure, t], fixed, unit))
        budgets = [(name, t) for name in sorted({department, ""}) if (name, t) in self.budgets]
        return uses + [(self.budgets, key, self.sets.budgets[key], 0.0, offer.price) for key in budgets]


def _order_cost_a_line(m: Any, sets: Sets) -> dict[str, float]:
    """A supplier's order cost spread over the lines that the relaxation puts on an order."""
    lines: dict[str, float] = defaultdict(float)
    orders: dict[str, float] = defaultdict(float)
    for s, i, l, t in m.lines:
        lines[s] += m.line[s, i, l, t].value
    for s, l, t in m.joint:
        orders[s] += m.supplier_order[s, l, t].value
    return {s: cost * min(orders[s] / lines[s], 1.0) for s, cost in sets.order_cost.items() if lines[s] > 0}


def _lot_ends(wanted: np.ndarray, fixed: float, holding: np.ndarray) -> list[int]:
    """For each period t, the period before which a lot placed in t should end, so that serving `wanted` from t on
    costs least; holding[t] is the cost of a unit at the end of t. Dynamic programme from the last period back:
    cost[t] = min over u > t of fixed + holding of wanted[t..u-1] from t on + cost[u]."""
    horizon = len(wanted)
    kept = np.concatenate([[0.0], holding.cumsum()])
    cost, ends = np.zeros(horizon + 1), [horizon] * horizon
    for t in range(horizon - 1, -1, -1):
        carried = (wanted[t:] * (kept[t:horizon] - kept[t])).cumsum()
        totals = fixed + carried + cost[t + 1 :]
        ends[t] = t + 1 + int(totals.argmin())
        cost[t] = totals.min() if wanted[t] > 1e-6 else cost[t + 1]
    return ends


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
