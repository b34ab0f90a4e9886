"""The case as the formulation reads it: index sets and look-ups, made once from the completed tables.

Index letters: supplier s, item i, site l, period t (0 is the first). An *order* (s, i, l, t) is a chance to order; a
*place* (i, l) is an item at a site.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from echelon.tables import Frames
from echelon_models.lookup import by_key
from echelon_models.ordering.complete import DAYS_OF_YEAR
from echelon_models.ordering.schema import OrderingOptions

ABOVE = 1.001  # an order may seem to exceed a hard capacity by this: else its bound would hide the capacity's price

Place = tuple[str, str]
PlaceTime = tuple[str, str, int]
OrderKey = tuple[str, str, str, int]
TransferKey = tuple[str, str, str, int]


class Segment(NamedTuple):
    """A range of quantities of one order line, low <= x <= high, in which it costs price * x + fixed."""

    low: float
    high: float
    price: float
    fixed: float


class Elsewhere(NamedTuple):
    """What items outside the model take of what is shared: their use by (limit, name, unit, t), and the (supplier,
    site, t) of the orders to which a line may be added for nothing."""

    use: dict[tuple[str, str, str, int], float]
    placed: set[tuple[str, str, int]]


NOWHERE = Elsewhere({}, set())


@dataclass(frozen=True)
class Sets:
    """Index sets and look-ups of one case; rows of tables are named tuples with the tables' column names."""

    horizon: int
    days: list[int]
    places: dict[Place, Any]
    demand: dict[PlaceTime, float]
    opening: dict[Place, float]
    receipts: dict[PlaceTime, float]
    offers: dict[tuple[str, str, str], Any]
    orders: list[OrderKey]
    pinned: dict[OrderKey, float]
    order_cost: dict[str, float]
    lanes: dict[tuple[str, str, str], Any]
    transfers: list[TransferKey]
    safety: dict[PlaceTime, Any]
    budgets: dict[tuple[str, int], Any]
    storage: dict[tuple[str, int], Any]
    capacity: dict[tuple[str, str, int], Any]
    shares: dict[tuple[str, str], Any]
    breaks: dict[tuple[str, str, str], list[Any]]
    elsewhere: Elsewhere
    most: dict[OrderKey, float] = field(default_factory=dict)
    arriving: dict[PlaceTime, list[OrderKey]] = field(default_factory=dict)
    inbound: dict[PlaceTime, list[TransferKey]] = field(default_factory=dict)
    outbound: dict[PlaceTime, list[TransferKey]] = field(default_factory=dict)

    def offer(self, order: OrderKey) -> Any:
        return self.offers[order[:3]]

    def least(self, order: OrderKey) -> float:
        """The smallest quantity that the offer allows: its minimum, rounded up to the multiple."""
        offer = self.offer(order)
        return round_up(offer.minimum, offer.multiple)

    def holding_cost(self, place: Place, t: int) -> float:
        """Cost of one unit in stock at the end of period t: value · rate · days / 365."""
        row = self.places[place]
        return row.value * row.holding_rate * self.days[t] / DAYS_OF_YEAR

    def needs_line(self, order: OrderKey) -> bool:
        """Whether it matters if anything is ordered at all: a fixed cost, a minimum, setup hours, price breaks."""
        offer, key = self.offer(order), order[:3]
        fixed = offer.line_cost > 0 or offer.hours_per_order > 0 or self.order_cost.get(order[0], 0.0) > 0
        return fixed or offer.minimum > 0 or key in self.breaks

    def segments(self, order: OrderKey) -> list[Segment]:
        """The price breaks of an order as ranges of quantity; empty where the offer has none.

        all_units: price p_k for the whole line; incremental: p_k beyond break q_k, so p_k x + sum of
        (p_{j-1} - p_j) q_j over the breaks passed. Below an all-units break a range ends at the last multiple below it
        or, without multiples, one part in a million early: whoever would order within that sliver orders up to the
        break for less.
        """
        key = order[:3]
        if key not in self.breaks:
            return []
        offer, most = self.offers[key], self.most[order]
        lows = [0.0, *(b.from_quantity for b in self.breaks[key])]
        prices = [offer.price, *(b.price for b in self.breaks[key])]
        incremental = self.breaks[key][0].kind == "incremental"
        ranges, fixed = [], 0.0
        for k, (low, price) in enumerate(zip(lows, prices, strict=True)):
            last = k + 1 == len(lows)
            high = most if last else lows[k + 1]
            if incremental and k:
                fixed += (prices[k - 1] - price) * low
            if not incremental and not last:
                has_multiple = offer.multiple == offer.multiple
                high = round_up(high, offer.multiple) - offer.multiple if has_multiple else high * (1 - 1e-6)
            if low <= most and low <= high:
                ranges.append(Segment(low, min(high, most), price, fixed))
            if order in self.pinned and low <= most:
                ranges = [Segment(low, most, price, fixed)]
        return ranges


def prepare(full: Frames, options: OrderingOptions, *, pins: bool = True, elsewhere: Elsewhere = NOWHERE) -> Sets:
    """Read the completed tables into `Sets`; without `pins`, as if no order were pinned. `full` may hold some items
    only, and `elsewhere` what the others take."""
    offers = by_key(full["offers"], "supplier", "item", "site")
    horizon = len(full["periods"])
    pinned = {k: r.quantity for k, r in by_key(full["pinned_orders"], "supplier", "item", "site", "t").items()}
    pinned = pinned if pins else {}
    chances = [
        (*key, t)
        for key, offer in offers.items()
        for t in range(options.frozen_periods, horizon - offer.lead_time)
        if (*key, t) not in pinned
    ]
    lanes = by_key(full["lanes"], "from_site", "to_site", "item")
    breaks: dict[tuple[str, str, str], list[Any]] = defaultdict(list)
    for row in full["price_breaks"].itertuples(index=False):
        breaks[row.supplier, row.item, row.site].append(row)
    sets = Sets(
        horizon=horizon,
        days=full["periods"]["days"].tolist(),
        places=by_key(full["item_sites"], "item", "site"),
        demand=_sums(full["demand"], "item", "site", "t"),
        opening=_sums(full["stock"], "item", "site"),
        receipts=_sums(full["receipts"], "item", "site", "t"),
        offers=offers,
        orders=sorted([*chances, *(k for k, q in pinned.items() if q > 0)]),
        pinned=pinned,
        order_cost=dict(zip(full["suppliers"]["supplier"], full["suppliers"]["order_cost"], strict=True)),
        lanes=lanes,
        transfers=[(*key, t) for key, lane in lanes.items() for t in range(horizon - lane.lead_time)],
        safety=by_key(full["safety_stock"], "item", "site", "t"),
        budgets=by_key(full["budgets"], "department", "t"),
        storage=by_key(full["storage"], "site", "t"),
        capacity=by_key(full["supplier_capacity"], "supplier", "measure", "t"),
        shares=by_key(full["shares"], "supplier", "item"),
        breaks=dict(breaks),
        elsewhere=elsewhere,
    )
    _link(sets)
    sets.most.update(_largest_useful_orders(sets))
    return sets


def round_up(quantity: float, multiple: float) -> float:
    """The least multiple that covers the quantity; the quantity itself where multiple is blank (NaN)."""
    return math.ceil(quantity / multiple - 1e-9) * multiple if multiple == multiple else quantity


def _sums(frame: Any, *key: str) -> dict[Any, float]:
    """Key -> quantity, added up over the rows of the key, zeros left out."""
    total = frame.groupby(list(key))["quantity"].sum()
    return {k: float(q) for k, q in total.items() if q > 0}


def _link(sets: Sets) -> None:
    """Which orders arrive, which transfers come in and go out, at each place in each period."""
    arriving, inbound, outbound = defaultdict(list), defaultdict(list), defaultdict(list)
    for s, i, l, t in sets.orders:
        if (arrival := t + sets.offers[s, i, l].lead_time) < sets.horizon:
            arriving[i, l, arrival].append((s, i, l, t))
    for a, b, i, t in sets.transfers:
        outbound[i, a, t].append((a, b, i, t))
        inbound[i, b, t + sets.lanes[a, b, i].lead_time].append((a, b, i, t))
    sets.arriving.update(arriving)
    sets.inbound.update(inbound)
    sets.outbound.update(outbound)


def beyond_capacity(sets: Sets) -> Sets:
    """The same case with orders that may exceed a supplier's hard capacity, to explain why there is no plan."""
    return replace(sets, most=_largest_useful_orders(sets, within_capacity=False))


def _largest_useful_orders(sets: Sets, *, within_capacity: bool = True) -> dict[OrderKey, float]:
    """The tight big M of each order: no plan gains by ordering more.

    That is all that may still be needed from the arrival on (see `_need`), raised to what the offer's minimum,
    multiple or highest break may make worth taking, cut at the offer's maximum and the supplier's hard capacity.
    """
    need = _need(sets)
    generous = _generous(sets, need)
    most = {}
    for order in sets.orders:
        s, i, l, t = order
        offer = sets.offer(order)
        if order in sets.pinned:
            most[order] = sets.pinned[order]
            continue
        top = max((b.from_quantity for b in sets.breaks.get(order[:3], [])), default=0.0)
        useful = max(need[i, l][t + offer.lead_time], generous.get(i, 0.0))
        quantity = round_up(max(useful, offer.minimum, top), offer.multiple) if useful > 0 else 0.0
        quantity = min(quantity, offer.maximum) if offer.maximum == offer.maximum else quantity
        for measure, per_unit in (("units", 1.0), ("hours", offer.hours_per_unit)):
            row = sets.capacity.get((s, measure, t))
            if within_capacity and row is not None and row.hard and per_unit > 0:
                room = max(row.capacity - sets.elsewhere.use.get(("supplier capacity", s, measure, t), 0.0), 0.0)
                quantity = min(quantity, ABOVE * room / per_unit)
        most[order] = quantity
    return most


def _need(sets: Sets) -> dict[Place, np.ndarray]:
    """For each place and arrival period, the largest quantity that can still be of use.

    Alone: max over e >= a of demand up to e + safety stock at e - stock and receipts up to e, where demand counts
    from the start if it may wait, else from a on (less the stock that must be left by then). Over lanes: all that is
    wanted at the places that can be reached, nothing netted.
    """
    zeros = np.zeros(sets.horizon)
    demand, receipts, safety = ({p: zeros.copy() for p in sets.places} for _ in range(3))
    for (i, l, t), quantity in sets.demand.items():
        demand[i, l][t] += quantity
    for (i, l, t), quantity in sets.receipts.items():
        receipts[i, l][t] += quantity
    for (i, l, t), row in sets.safety.items():
        safety[i, l][t] = row.quantity
    targets = _targets(sets)
    need = {}
    for place, row in sets.places.items():
        reached = targets.get(place)
        if reached:
            wanted = np.sum([demand[p] for p in reached], axis=0)
            waits = any(sets.places[p].policy == "backorder" for p in reached)
            total = np.full(sets.horizon, wanted.sum()) if waits else wanted[::-1].cumsum()[::-1]
            need[place] = total + sum(safety[p].max() for p in reached)
            continue
        supply = sets.opening.get(place, 0.0) + receipts[place].cumsum()
        open_at_end = demand[place].cumsum() + safety[place] - supply
        latest = np.maximum.accumulate(open_at_end[::-1])[::-1]  # max over e >= a
        if row.policy != "backorder":  # demand before a is served or lost by then
            before = np.concatenate([[0.0], (demand[place].cumsum() - supply)[:-1]])
            before[0] = 0.0
            latest = latest - np.maximum(before, 0.0)
        need[place] = np.maximum(latest, 0.0)
    return need


def _targets(sets: Sets) -> dict[Place, set[Place]]:
    """For each place with lanes: itself and the places its stock can reach over lanes."""
    steps: dict[Place, set[Place]] = defaultdict(set)
    for a, b, i in sets.lanes:
        steps[i, a].add((i, b))
    targets = {}
    for place in steps:
        reached, frontier = {place}, [place]
        while frontier:
            new = steps.get(frontier.pop(), set()) - reached
            reached |= new
            frontier += new
        targets[place] = reached
    for _, b, i in sets.lanes:
        targets.setdefault((i, b), {(i, b)})
    return targets


def _generous(sets: Sets, need: dict[Place, np.ndarray]) -> dict[str, float]:
    """Items with shares: what must come from one supplier (because it is needed when no other delivers, or by its
    minimum, multiple or pinned order) pulls up the orders of all, at most to all that together over the smallest part
    that the shares leave to a supplier."""
    shares = _smallest_parts(sets)
    forced: dict[str, float] = defaultdict(float)
    for (s, i, l), offer in sets.offers.items():
        if i in shares:
            top = max((b.from_quantity for b in sets.breaks.get((s, i, l), [])), default=0.0)
            step = offer.multiple if offer.multiple == offer.multiple else 0.0
            pins = sum(q for k, q in sets.pinned.items() if k[:3] == (s, i, l))
            forced[i] += max(offer.minimum, step, top) + pins
    wanted: dict[str, float] = defaultdict(float)
    for (i, _), quantities in need.items():
        wanted[i] += float(quantities.max(initial=0.0))
    return {item: (wanted[item] + forced[item]) / share for item, share in shares.items()}


def _smallest_parts(sets: Sets) -> dict[str, float]:
    """For each item with shares, the smallest part of all its orders that is left to one of its suppliers (who may
    deliver at all): the largest share, or what the smallest shares of the others leave."""
    suppliers: dict[str, set[str]] = defaultdict(set)
    for s, i, _ in sets.offers:
        suppliers[i].add(s)
    parts = {}
    for item in {i for _, i in sets.shares}:
        rows = {s: sets.shares[s, item] for s in suppliers[item] if (s, item) in sets.shares}
        least = sum(row.min_share for row in rows.values())
        left = [
            min(rows[s].max_share, 1 - least + rows[s].min_share) if s in rows else 1 - least for s in suppliers[item]
        ]
        parts[item] = min((part for part in left if part > 1e-9), default=1.0)
    return parts
