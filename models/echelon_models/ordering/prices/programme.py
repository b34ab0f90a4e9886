"""The best plan of each place at given prices: one dynamic programme, vectorised over places.

For a place with candidate levels X_0 = 0 < X_1 < ... (see `levels`), f[t][k] is the least cost up to the end of period
t with X_k units arrived from orders so far:

    f[t][k] = stock_cost[t](X_k) + min(f[t-1][k],
                                       min over offers, ranges, j < k of f[t-1][j] + unit·(X_k - X_j) + fixed)

where X_k - X_j is at least the smallest and at most the largest quantity and a multiple. Because the cost of a line is
linear in its range, the inner minimum is a running minimum of f - unit·X, so a period takes time in proportion to the
levels (Wagner & Whitin 1958 in the form of Federgruen & Tzur 1991). Offers of one place follow each other within a
period: each may be used once. Demand may wait (negative stock) or be lost (levels below run-out move up to it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from echelon_models.ordering.prices.arrays import BACKORDER, LOST, Offers, Pieces, Places

EPSILON = 1e-6  # units by which a level may miss a demand or a smallest quantity through rounding
NOTHING = (np.zeros(0, int), np.zeros(0, int), np.zeros(0))
CHUNK = 1 << 15  # places x levels in one batch: what fits the processor's cache


@dataclass(frozen=True)
class Terms:
    """What offers and stock cost at given prices. Offers: by the period an order is placed in, (O, T): money is
    worth `money`, a unit adds `unit`, a line costs `line` (infinite where none may be placed), of which `line_price` is
    for limits. Places, (P, T): `holding` a unit in stock at the end of t, `arriving` a unit that arrives in t."""

    money: np.ndarray
    unit: np.ndarray
    line: np.ndarray
    line_price: np.ndarray
    holding: np.ndarray
    arriving: np.ndarray


class Plans(NamedTuple):
    """The plans found: order lines as (offer, period placed, quantity) arrays, `level` (P, T) what has arrived from
    orders (and been lost) up to t, `cost` (P,) at the prices, infinite where a place cannot be served."""

    offer: np.ndarray
    placed: np.ndarray
    quantity: np.ndarray
    level: np.ndarray
    cost: np.ndarray


class Batch:
    """Places that one pass plans together: same policy, same number of offers and ranges, similar number of levels."""

    def __init__(self, members: np.ndarray, levels: np.ndarray, places: Places, slots: list[Slot], policy: int):
        self.members = members
        self.levels = levels
        self.policy = policy
        self.slots = slots
        own = places.take(members)
        self.net = (own.supply - own.demand).cumsum(axis=1)
        self.own = own if own.safety.any() else None
        self.lost_cost, self.final_value, self.backorder_cost = own.lost_cost, own.final_value, own.backorder_cost
        if policy == LOST:
            self.run_out = np.stack([_first_at_least(levels, -net - EPSILON) for net in self.net.T], axis=1)

    def solve(self, terms: Terms) -> Plans:
        """The best plans of the places at the prices in `terms`."""
        holding = terms.holding[self.members]
        arriving = terms.arriving[self.members]
        lines = [slot.lines(terms, arriving) for slot in self.slots]
        values = self._forward(lines, holding)
        return self._backward(values, lines)

    def _forward(self, lines: list[Lines], holding: np.ndarray) -> list[list[np.ndarray]]:
        """For each period the values before each offer and, at last, with the cost of stock."""
        f = np.full(self.levels.shape, np.inf)
        f[:, 0] = 0.0
        values = []
        for t in range(holding.shape[1]):
            stages = [f]
            for slot, line in zip(self.slots, lines, strict=True):
                if line.possible[t]:
                    f = slot.order(f, self.levels, line, t)
                stages.append(f)
            f = self._keep(f, t, holding)
            stages.append(f)
            values.append(stages)
        return values

    def _keep(self, f: np.ndarray, t: int, holding: np.ndarray) -> np.ndarray:
        """f with the cost of stock, of waiting, of what is lost in t."""
        last = t == holding.shape[1] - 1
        stock = self.levels + self.net[:, t, None]
        short = stock < -EPSILON
        if self.policy == BACKORDER:
            waiting = np.maximum(-stock, 0.0)
            f = f + waiting * (self.backorder_cost + (self.lost_cost if last else 0.0))[:, None]
        else:
            if self.policy == LOST:
                lost = np.where(short, f - self.lost_cost[:, None] * stock, np.inf).min(axis=1)
            f = np.where(short, np.inf, f)
            if self.policy == LOST:
                row, run_out = np.arange(len(f)), self.run_out[:, t]
                f[row, run_out] = np.minimum(f[row, run_out], lost)
        np.maximum(stock, 0.0, out=stock)
        f = f + stock * (holding[:, t] - (self.final_value if last else 0.0))[:, None]
        if self.own is not None:
            f += np.maximum(self.own.safety[:, t, None] - stock, 0.0) * self.own.shortfall_cost[:, t, None]
        return f

    def _backward(self, values: list[list[np.ndarray]], lines: list[Lines]) -> Plans:
        """Walk back along the best path of each place."""
        last = values[-1][-1]
        at = last.argmin(axis=1)
        row = np.arange(len(last))
        cost, horizon = last[row, at], len(values)
        level = np.empty((len(last), horizon))
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        for t in range(horizon - 1, -1, -1):
            level[:, t] = self.levels[row, at]
            stages = values[t]
            if self.policy == LOST:
                at = self._before_loss(stages[-2], t, at)
            for s in range(len(self.slots) - 1, -1, -1):
                before, after = stages[s], stages[s + 1]
                if after is before:
                    continue
                moved = np.flatnonzero(after[row, at] < before[row, at])
                if len(moved):
                    came, offer = self.slots[s].trace(before, self.levels, lines[s], t, moved, at[moved])
                    quantity = self.levels[moved, at[moved]] - self.levels[moved, came]
                    at[moved] = came
                    found.append((offer, t - self.slots[s].lead_time[moved], quantity))
        offer, placed, quantity = (np.concatenate(part) for part in zip(NOTHING, *found, strict=True))
        return Plans(offer, placed, quantity, level, cost)

    def _before_loss(self, f: np.ndarray, t: int, at: np.ndarray) -> np.ndarray:
        """Where each place stood before it lost demand in t: the best level below run-out, or where it is."""
        at = at.copy()
        row = np.flatnonzero(at == self.run_out[:, t])
        stock = self.levels[row] + self.net[row, t, None]
        lost = np.where(stock < -EPSILON, f[row] - self.lost_cost[row, None] * stock, np.inf)
        best = lost.argmin(axis=1)
        better = lost[np.arange(len(row)), best] < f[row, at[row]]
        at[row[better]] = best[better]
        return at


@dataclass(frozen=True)
class Lines:
    """What the lines of one slot cost by the period they arrive in: per range (pieces, n, T) `unit` and `fixed`."""

    unit: np.ndarray
    fixed: np.ndarray
    possible: np.ndarray  # (T,) whether any place may have a line arrive


class Slot:
    """The n-th offer of each place of a batch, with its price ranges."""

    def __init__(self, levels: np.ndarray, offer: np.ndarray, offers: Offers, pieces: list[Pieces], stride: int):
        self.offer = offer
        self.lead_time = offers.lead_time[offer]
        self.price = np.stack([piece.price for piece in pieces])
        self.beyond = np.stack([piece.fixed for piece in pieces])
        self.stride = stride
        lows = [np.maximum(piece.low, offers.minimum[offer]) for piece in pieces]
        maximum = offers.maximum[offer]
        self.least = [low - EPSILON if low.any() else None for low in lows]
        self.low = [None if low is None else _last_at_most(levels, low, stride) for low in self.least]
        self.most = maximum + EPSILON if np.isfinite(maximum).any() else None
        self.high = None if self.most is None else _first_within(levels, self.most, stride)

    def lines(self, terms: Terms, arriving: np.ndarray) -> Lines:
        """The costs of lines by arrival period."""
        horizon = arriving.shape[1]
        placed = np.arange(horizon) - self.lead_time[:, None]
        row, at = self.offer[:, None], np.maximum(placed, 0)
        money, unit = terms.money[row, at], terms.unit[row, at] + arriving
        line = np.where(placed >= 0, terms.line[row, at], np.inf)
        units = money * self.price[:, :, None] + unit
        fixed = line + money * self.beyond[:, :, None]
        return Lines(units, fixed, np.asarray(np.isfinite(line).any(axis=0)))

    def order(self, f: np.ndarray, levels: np.ndarray, line: Lines, t: int) -> np.ndarray:
        """The values after this offer may have been used: the running minimum of f - unit·X, back at each level."""
        best = f
        for k, low in enumerate(self.low):
            unit = line.unit[k, :, t, None] * levels
            reached = f - unit
            if self.high is None:
                reached = _running_minimum(reached, self.stride)
                if low is not None:
                    reached = _at(reached, low)
            else:
                reached = _window_minimum(reached, self.high, low, self.stride)
            reached += unit
            reached += line.fixed[k, :, t, None]
            best = np.minimum(best, reached)
        return best

    def trace(
        self, f: np.ndarray, levels: np.ndarray, line: Lines, t: int, rows: np.ndarray, at: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """For rows that moved to level `at`: the level they came from and their offer."""
        own, values = levels[rows], f[rows]
        steps = levels[rows, at][:, None] - own
        best, came = np.full(len(rows), np.inf), np.zeros(len(rows), int)
        allowed = steps >= -EPSILON
        if self.stride > 1:
            allowed &= (at[:, None] - np.arange(levels.shape[1])) % self.stride == 0
        if self.most is not None:
            allowed &= steps <= self.most[rows, None]
        for k, least in enumerate(self.least):
            within = allowed if least is None else allowed & (steps >= least[rows, None])
            cost = np.where(within, values + line.unit[k, rows, t, None] * steps, np.inf)
            j = cost.argmin(axis=1)
            total = cost[np.arange(len(rows)), j] + line.fixed[k, rows, t]
            came = np.where(total < best, j, came)
            best = np.minimum(best, total)
        return came, self.offer[rows]


def _running_minimum(values: np.ndarray, stride: int) -> np.ndarray:
    """The least of each element and those before it in steps of `stride`, along the levels."""
    if stride == 1:
        return np.minimum.accumulate(values, axis=1)
    n, k = values.shape
    blocks = np.concatenate([values, np.full((n, -k % stride), np.inf)], axis=1).reshape(n, -1, stride)
    return np.minimum.accumulate(blocks, axis=1).reshape(n, -1)[:, :k]


def _at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """values[i, index[i, k]], infinite where the index is negative."""
    taken = np.take_along_axis(values, np.maximum(index, 0), axis=1)
    taken[index < 0] = np.inf
    return taken


def _first_at_least(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(n,) the first level of each row that is at least its value; the last where none is."""
    return np.minimum((levels < values[:, None]).sum(axis=1), levels.shape[1] - 1)


def _last_at_most(levels: np.ndarray, low: np.ndarray, stride: int) -> np.ndarray:
    """(n, K) the last level, in steps of `stride` before each one, that is at least `low` below it; -1 if none."""
    at = np.arange(levels.shape[1])
    rows = zip(levels, low, strict=True)
    found = np.stack([np.searchsorted(row, row - least, side="right") - 1 for row, least in rows])
    return np.where(found < 0, -1, found - (found - at) % stride).astype(np.int32)


def _first_within(levels: np.ndarray, most: np.ndarray, stride: int) -> np.ndarray:
    """(n, K) the first level, in steps of `stride` before each one, that is at most `most` below it."""
    at = np.arange(levels.shape[1])
    found = np.stack([np.searchsorted(row, row - largest) for row, largest in zip(levels, most, strict=True)])
    return (found + (at - found) % stride).astype(np.int32)


def _window_minimum(values: np.ndarray, first: np.ndarray, last: np.ndarray | None, stride: int) -> np.ndarray:
    """The least of values[i, first[i, k]..last[i, k]] in steps of `stride`, for each level k (by default, up to k);
    infinite where that is empty. By minima over windows of 1, 2, 4, ... steps."""
    n, k = values.shape
    last = np.broadcast_to(np.arange(k), (n, k)) if last is None else last
    steps = np.where(last >= first, (last - first) // stride + 1, 0)
    tables, width = [values], 1
    while 2 * width <= steps.max(initial=0):
        shifted = np.full_like(values, np.inf)
        shifted[:, width * stride :] = tables[-1][:, : k - width * stride]
        tables.append(np.minimum(tables[-1], shifted))
        width *= 2
    size = np.maximum(np.log2(np.maximum(steps, 1)).astype(int), 0)
    stack, row = np.stack(tables), np.arange(n)[:, None]
    ends = np.maximum(last, 0), np.maximum(first + ((1 << size) - 1) * stride, 0)
    left, right = (stack[size, row, np.minimum(end, k - 1)] for end in ends)
    return np.where(steps > 0, np.minimum(left, right), np.inf)
