"""A shard of the case: whole bunches of units, planned by one worker at given prices, as often as prices change.

A unit is what no limit but the shared ones ties to others: a place on its own, planned by the dynamic programme, or an
item over all its places, planned as a small mixed-integer programme. A bunch is some units taken together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from echelon_models.ordering.plan import Decisions
from echelon_models.ordering.prices.arrays import BACKORDER, LOST, Offers, Pieces, Places, pick
from echelon_models.ordering.prices.levels import Ladder, bends
from echelon_models.ordering.prices.programme import CHUNK, Batch, Slot, Terms
from echelon_models.ordering.prices.small import SmallPrograms


class OrderLines(NamedTuple):
    """Order lines, sorted by offer and period placed."""

    offer: np.ndarray
    placed: np.ndarray
    quantity: np.ndarray

    def take(self, chosen: np.ndarray) -> OrderLines:
        return OrderLines(self.offer[chosen], self.placed[chosen], self.quantity[chosen])


def join(parts: Iterable[OrderLines]) -> OrderLines:
    """The lines of all parts."""
    nothing = OrderLines(np.zeros(0, int), np.zeros(0, int), np.zeros(0))
    return OrderLines(*(np.concatenate(column) for column in zip(nothing, *parts, strict=True)))


class Stocks(NamedTuple):
    """(P, T) units at each place: in stock at the end of t, at its peak in t, waiting at the end of t, lost in t."""

    closing: np.ndarray
    peak: np.ndarray
    waiting: np.ndarray
    lost: np.ndarray


class Priced(NamedTuple):
    """What a shard answers. Per unit, places first: `value`, no more than its least cost at the prices; `cost`, what
    the plan found for it costs without them; `signature`, equal for equal plans. Per bunch (G, R): `use` of the limits.
    And the plans themselves: order lines of the places, with the case's numbers of offers; decisions on the items and
    what these use, as `item_use` (n, R)."""

    value: np.ndarray
    cost: np.ndarray
    signature: np.ndarray
    use: np.ndarray
    lines: OrderLines
    decisions: Decisions | None
    item_use: np.ndarray | None


@dataclass
class Shard:
    """Units of a case. Places with their offers and price ranges are numbered within the shard (`offer_number` is the
    case's number); `ladders` are those of the places that need more levels than the bends; `small` are the items
    planned as small programmes. `bunch` of each unit, places first, counts from 0. `at_peak[r]` tells how storage row
    r counts. `pinned` lines are part of every plan; the supply of the places has what they bring."""

    places: Places
    offers: Offers
    pieces: Pieces
    offer_number: np.ndarray
    pinned: OrderLines
    ladders: dict[int, Ladder]
    small: SmallPrograms | None
    bunch: np.ndarray
    bunches: int
    at_peak: np.ndarray

    @cached_property
    def batches(self) -> list[Batch]:
        """The places in batches that one pass plans together."""
        first_offer = np.searchsorted(self.offers.place, np.arange(len(self.places) + 1))
        ranges = np.bincount(self.pieces.offer, minlength=len(self.offers))
        bent = bends(self.places)
        alike: dict[tuple[int, tuple[int, ...], tuple[int, ...]], list[int]] = defaultdict(list)
        for p, policy in enumerate(self.places.policy.tolist()):
            own = slice(first_offer[p], first_offer[p + 1])
            alike[policy, tuple(ranges[own].tolist()), self._strides(p, own)].append(p)
        found = []
        for (policy, counts, strides), members in alike.items():
            sizes = np.array([self.ladders[p].count if p in self.ladders else bent.shape[1] for p in members])
            for part in _chunks(sizes):
                chosen = np.array(members)[part]
                levels = self._levels(chosen, bent, int(sizes[part].max()))
                slots = [
                    self._slot(levels, first_offer[chosen] + n, count, stride)
                    for n, (count, stride) in enumerate(zip(counts, strides, strict=True))
                ]
                found.append(Batch(chosen, levels, self.places, slots, policy))
        return found

    def _strides(self, p: int, own: slice) -> tuple[int, ...]:
        """Over how many levels the multiple of each offer goes."""
        step = self.ladders[p].step if p in self.ladders else np.nan
        multiples = self.offers.multiple[own].tolist()
        return tuple(1 if np.isnan(m) or np.isnan(step) else round(m / step) for m in multiples)

    def _levels(self, members: np.ndarray, bent: np.ndarray, size: int) -> np.ndarray:
        """(n, size) the levels of each place; shorter lists are filled with their last level, grids go on."""
        levels = np.empty((len(members), size))
        for row, p in enumerate(members.tolist()):
            own = self.ladders[p].values(size) if p in self.ladders else bent[p]
            levels[row, : len(own)], levels[row, len(own) :] = own, own[-1]
        return levels

    def _slot(self, levels: np.ndarray, offer: np.ndarray, count: int, stride: int) -> Slot:
        first = np.searchsorted(self.pieces.offer, offer)
        return Slot(levels, offer, self.offers, [self.pieces.take(first + k) for k in range(count)], stride)

    def part(self, places: np.ndarray, small: SmallPrograms | None, bunch: np.ndarray) -> Shard:
        """A shard of these places (ascending) and of the items in `small`; `bunch` of each."""
        kept, offer, own = pick(self.places, self.offers, self.pieces, places)
        number = np.full(len(self.offers), -1)
        number[offer] = np.arange(len(offer))
        pins = self.pinned.take(np.flatnonzero(number[self.pinned.offer] >= 0))
        ladders = {k: self.ladders[p] for k, p in enumerate(places.tolist()) if p in self.ladders}
        return Shard(
            places=kept,
            offers=own[0],
            pieces=own[1],
            offer_number=self.offer_number[offer],
            pinned=pins._replace(offer=number[pins.offer]),
            ladders=ladders,
            small=small,
            bunch=bunch,
            bunches=self.bunches,
            at_peak=self.at_peak,
        )

    def plan(self, prices: np.ndarray, seconds: float | None) -> Priced:
        """The best plan of every unit at these prices of the limit rows (R,); `seconds` is for each small programme,
        None for its relaxation only."""
        value, lines = self._plan_places(prices)
        place, row, use = self.uses(lines)
        cost = value - np.bincount(place, use * np.append(prices, 0.0)[row], len(self.places))
        by_bunch = self._by_bunch(self.bunch[place], row, use, len(prices))
        signature = self._signature(lines)
        decisions = item_use = None
        if self.small is not None:
            items = self.small.relax(prices) if seconds is None else self.small.plan(prices, seconds)
            value, cost = np.append(value, items.value), np.append(cost, items.cost)
            signature = np.append(signature, items.cost)
            own = self.bunch[len(self.places) :]
            np.add.at(by_bunch, own, items.use)
            decisions, item_use = items.decisions, items.use
        lines = lines._replace(offer=self.offer_number[lines.offer])
        return Priced(value, cost, signature, by_bunch, lines, decisions, item_use)

    def _plan_places(self, prices: np.ndarray) -> tuple[np.ndarray, OrderLines]:
        """(P,) least costs at the prices, pinned lines included, and the other lines of these plans."""
        padded = np.append(prices, 0.0)
        terms = self._terms(padded)
        plans = [batch.solve(terms) for batch in self.batches]
        value = np.empty(len(self.places))
        for batch, plan in zip(self.batches, plans, strict=True):
            value[batch.members] = plan.cost
        value += (terms.arriving * self.places.supply).sum(axis=1) + self._pinned_cost(terms)
        lines = join([OrderLines(*plan[:3]) for plan in plans])
        return value, lines.take(np.lexsort((lines.placed, lines.offer)))

    def _pinned_cost(self, terms: Terms) -> np.ndarray:
        """(P,) what the pinned lines cost at the prices; storage is paid for with the supply."""
        offer, t, quantity = self.pinned
        line = self.offers.line_cost[offer] + terms.line_price[offer, t]
        cost = terms.money[offer, t] * self.amounts(offer, quantity) + terms.unit[offer, t] * quantity + line
        return np.bincount(self.offers.place[offer], cost, len(self.places))

    def _terms(self, padded: np.ndarray) -> Terms:
        o = self.offers
        line_price = o.hours_per_order[:, None] * padded[o.hours]
        stored, peak = self._storage_prices(padded)
        holding = self.places.holding + stored * self.places.volume[:, None]
        holding[:, :-1] += (peak * self.places.volume[:, None])[:, 1:]
        return Terms(
            money=1.0 + padded[o.department] + padded[o.company],
            unit=padded[o.units] + o.hours_per_unit[:, None] * padded[o.hours],
            line=np.where(o.open, o.line_cost[:, None] + line_price, np.inf),
            line_price=line_price,
            holding=holding,
            arriving=peak * self.places.volume[:, None],
        )

    def _storage_prices(self, padded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(P, T) prices of a m³ that counts at the end of a period, and of one that counts at its peak."""
        at_peak = np.append(self.at_peak, False)[self.places.storage]
        price = padded[self.places.storage]
        return np.where(at_peak, 0.0, price), np.where(at_peak, price, 0.0)

    def _by_bunch(self, bunch: np.ndarray, row: np.ndarray, use: np.ndarray, rows: int) -> np.ndarray:
        """(G, R) use added up; row R stands for no limit and is left out."""
        flat = np.bincount(bunch * (rows + 1) + row, use, self.bunches * (rows + 1))
        return flat.astype(float).reshape(self.bunches, rows + 1)[:, :rows]

    def uses(self, lines: OrderLines) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(place, limit row, use) of all that draws on a limit: these and the pinned lines, and stock by its volume."""
        places, offers = self.places, self.offers
        offer, t, quantity = join([lines, self.pinned])
        amount = self.amounts(offer, quantity)
        hours = offers.hours_per_order[offer] + offers.hours_per_unit[offer] * quantity
        drawn = (offers.department, amount), (offers.company, amount), (offers.units, quantity), (offers.hours, hours)
        parts = [(offers.place[offer], rows[offer, t], use) for rows, use in drawn]
        none = len(self.at_peak)
        if (places.storage < none).any():
            stocks = stocks_of(places, offers, lines)
            units = np.where(np.append(self.at_peak, False)[places.storage], stocks.peak, stocks.closing)
            number = np.repeat(np.arange(len(places)), units.shape[1])
            parts.append((number, places.storage.ravel(), (places.volume[:, None] * units).ravel()))
        place, row, use = (np.concatenate(part) for part in zip(*parts, strict=True))
        return place, row, use

    def amounts(self, offer: np.ndarray, quantity: np.ndarray) -> np.ndarray:
        """Price of each line: that of the cheapest range it reaches."""
        first = np.searchsorted(self.pieces.offer, offer)
        last = np.searchsorted(self.pieces.offer, offer, side="right")
        amount = np.full(len(offer), np.inf)
        for k in range(int((last - first).max(initial=0))):
            piece = np.minimum(first + k, last - 1)
            price = self.pieces.price[piece] * quantity + self.pieces.fixed[piece]
            reached = quantity >= self.pieces.low[piece] - 1e-6
            amount = np.minimum(amount, np.where(reached, price, np.inf))
        return amount

    def _signature(self, lines: OrderLines) -> np.ndarray:
        """(P,) a number for each place's lines: equal for equal plans and, chance apart, for no others."""
        weight = _scattered(self.offer_number[lines.offer] * 1024 + lines.placed)
        return np.bincount(self.offers.place[lines.offer], lines.quantity * weight, len(self.places)).astype(float)


def _scattered(numbers: np.ndarray) -> np.ndarray:
    """Numbers from 0.5 to 1.5 without any pattern, always the same for the same whole number (mixed as by Steele, Lea
    & Flood 2014, SplitMix)."""
    z = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return 0.5 + ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2**53


def stocks_of(places: Places, offers: Offers, lines: OrderLines) -> Stocks:
    """What order lines (beside the pinned ones) leave at each place: demand is served as soon as there is stock."""
    arrives = lines.placed + offers.lead_time[lines.offer]
    shape = places.demand.shape
    flat = offers.place[lines.offer] * shape[1] + arrives
    arrived = np.bincount(flat, lines.quantity, shape[0] * shape[1]).astype(float).reshape(shape)
    return Stocks(*_run_down(places, arrived))


def _run_down(places: Places, arrived: np.ndarray) -> tuple[np.ndarray, ...]:
    """Closing, peak, waiting, lost through the periods."""
    closing, peak, waiting, lost = (np.zeros_like(arrived) for _ in range(4))
    before, loses, waits = np.zeros(len(arrived)), places.policy == LOST, places.policy == BACKORDER
    for t in range(arrived.shape[1]):
        left = before + arrived[:, t] + places.supply[:, t] - places.demand[:, t]
        peak[:, t] = np.maximum(before, 0.0) + places.supply[:, t] + arrived[:, t]
        closing[:, t], short = np.maximum(left, 0.0), np.maximum(-left, 0.0)
        lost[:, t], waiting[:, t] = np.where(loses, short, 0.0), np.where(waits, short, 0.0)
        before = np.where(waits, left, closing[:, t])
    return closing, peak, waiting, lost


def _chunks(sizes: np.ndarray) -> list[np.ndarray]:
    """Positions in parts of similar size, each about as many levels in all as fit the cache."""
    order = np.argsort(sizes, kind="stable")
    ascending, parts, start = sizes[order], [], 0
    while start < len(order):
        largest = 1.25 * ascending[start] + 8
        alike = int(np.searchsorted(ascending, largest, side="right"))
        fits = np.arange(1, alike - start + 1) * ascending[start:alike] <= CHUNK
        stop = start + max(int(np.argmin(fits)) if not fits.all() else len(fits), 1)
        parts.append(order[start:stop])
        start = stop
    return parts
