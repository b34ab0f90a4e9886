"""Large networks: prices bound what any of them costs, and say where a small model should look.

Give each demand a price for being served. Then every site plans alone: in each period it serves the demands whose
prices most exceed their cost, as far as its capacity goes (a continuous knapsack), and a dynamic programme over the
periods decides when it is open. For any prices, all prices paid less what the sites save is at most what any network
costs; a subgradient raises it. Source: Lagrangian relaxation of capacitated facility location (Beasley 1993, European
Journal of Operational Research 65; Held, Wolfe & Crowder 1974 for the steps). Costs that the sites' own plans leave out
(lanes, pooling, steps, excess of limits) are not negative, so the bound holds for every case. What forcing a site open
or closed adds to the bound fixes sites once a good network is known (Beasley's problem reduction).
"""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from echelon_models.network.sets import KG, Flow, Sets

LARGE = 20_000  # serves from which on prices are worth their time
LARGEST = 250_000  # serves up to which one model holds them all
CHEAPEST = 8  # serves of each demand that a small model holds
ROUNDS = 400  # of prices, at most
PATIENCE = 12  # rounds without a better bound after which steps are halved
MEMORY = 0.97  # weight of the past in the share of rounds in which a site is open
WORTH_A_LOOK = 0.02  # share of rounds from which a site is in the small model


@dataclass(frozen=True)
class Priced:
    """What prices tell of a case: a bound on what any network costs, the share of late rounds in which each site is
    open in each period, and by how much the bound rises if each site is forced into a state: rise[t, state][s]."""

    bound: float
    shares: np.ndarray
    rise: dict[tuple[int, bool], np.ndarray]


class _Prices:
    """The wants of one period as arrays: cost[s, j] of serving want j from site s in full (infinite: no way),
    load[s, j] in capacity units, room[s], fixed[s] of being open, refusal[j]; money discounted."""

    def __init__(self, sets: Sets, t: int):
        self.wants = [key for key in sets.demand if key[2] == t]
        self.place = {key: j for j, key in enumerate(self.wants)}
        names = list(sets.sites)
        row = {s: n for n, s in enumerate(names)}
        shape = (len(names), len(self.wants))
        factor, price = sets.factor[t], sets.carbon_price(t)
        self.cost, self.load = np.full(shape, np.inf), np.zeros(shape)
        for key in sets.serves:
            if key[4] == t:
                s, c, _, p, _ = key
                j, quantity = self.place[c, p, t], sets.demand[c, p, t]
                self.cost[row[s], j] = min(self.cost[row[s], j], quantity * _unit_cost(sets, key))
                self.load[row[s], j] = quantity * sets.handling[s, p].capacity_use
        steps = [sum(k.capacity for _, k in sets.steps_of(s)) for s in names]
        self.room = np.array([sets.capacity(s, t) + sets.years[t] * more for s, more in zip(names, steps, strict=True)])
        yearly = np.array([r.running_cost + price * r.emissions / KG for r in sets.sites.values()])
        self.fixed = factor * sets.years[t] * yearly
        refusals = [sets.customers[c].unserved_cost * sets.demand[c, p, t] * factor for c, p, _ in self.wants]
        self.refusal = np.nan_to_num(np.array(refusals), nan=np.inf)

    def start(self) -> np.ndarray:
        """Prices that just pay each demand's cheapest way and its part of the site."""
        part = np.where(np.isfinite(self.room), self.fixed / np.maximum(self.room, 1e-9), 0.0)
        return (self.cost + part[:, None] * self.load).min(axis=0)

    def knapsacks(self, prices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(saving of each site if it is open, never positive; share of each want that it then serves)."""
        gain = np.where(np.isfinite(self.cost), self.cost - prices, 0.0)
        gain = np.minimum(gain, 0.0)
        order = np.argsort(gain / np.maximum(self.load, 1e-12), axis=1, kind="stable")
        load = np.take_along_axis(np.where(gain < 0, self.load, 0.0), order, axis=1)
        left = self.room[:, None] - (load.cumsum(axis=1) - load)
        share = np.where(load > 0, np.clip(left / np.maximum(load, 1e-12), 0.0, 1.0), 1.0)
        shares = np.zeros_like(share)
        np.put_along_axis(shares, order, share, axis=1)
        shares[gain >= 0] = 0.0
        return (gain * shares).sum(axis=1), shares


def _unit_cost(sets: Sets, key: Flow) -> float:
    """What serving one unit costs on the way and at the site, with the price of its emissions, discounted money."""
    terms, handling = sets.way_terms[key[:4]], sets.handling[key[0], key[3]]
    emitted = terms.emissions + handling.emissions / KG
    supply = sets.supply.get((key[0], key[3]))
    made = supply.cost if supply is not None and not sets.moves and not sets.backs else 0.0
    price = sets.carbon_price(key[4])
    return sets.factor[key[4]] * (terms.transport + terms.duty + handling.cost + made + price * emitted)


def _when_open(
    sets: Sets, fixed: np.ndarray, savings: np.ndarray, forced: tuple[int, bool] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """(least cost of each site, open[s, t]) where being open in t costs fixed + savings; a dynamic programme over the
    periods with each site's opening and closing costs. `forced` = (t, state) asks that all be so in t."""
    rows = list(sets.sites.values())
    opening = np.array([[f * r.opening_cost for f in sets.factor] for r in rows])
    closing = np.array([[f * r.closing_cost for f in sets.factor] for r in rows])
    here = fixed + savings
    pinned = np.array([[sets.pinned.get((s, t), -1) for t in sets.times] for s in sets.sites], dtype=int)
    stay_open, stay_closed = np.where(pinned == 0, np.inf, here), np.where(pinned == 1, np.inf, 0.0)
    if forced is not None:
        (stay_closed if forced[1] else stay_open)[:, forced[0]] = np.inf
    existing = np.array([r.existing for r in rows])
    cost = np.stack([np.where(existing, np.inf, 0.0), np.where(existing, 0.0, np.inf)], axis=1)  # closed, open
    came = np.zeros((len(rows), sets.horizon, 2), dtype=int)
    for t in sets.times:
        to_open = np.stack([cost[:, 0] + opening[:, t], cost[:, 1]], axis=1)
        to_closed = np.stack([cost[:, 0], cost[:, 1] + closing[:, t]], axis=1)
        came[:, t, 0], came[:, t, 1] = to_closed.argmin(axis=1), to_open.argmin(axis=1)
        cost = np.stack([to_closed.min(axis=1) + stay_closed[:, t], to_open.min(axis=1) + stay_open[:, t]], axis=1)
    state = cost.argmin(axis=1)
    is_open = np.zeros((len(rows), sets.horizon), dtype=bool)
    for t in reversed(sets.times):
        is_open[:, t] = state == 1
        state = came[np.arange(len(rows)), t, state]
    return cost.min(axis=1), is_open


def price_demand(sets: Sets, deadline: float) -> Priced:
    """The best prices of `ROUNDS` rounds, or until `deadline` (of time.monotonic())."""
    periods = [_Prices(sets, t) for t in sets.times]
    fixed = np.stack([period.fixed for period in periods], axis=1)
    prices = [period.start() for period in periods]
    best, kept, scale, idle, at_best = -1e300, prices, 1.0, 0, fixed
    shares = np.zeros(fixed.shape)
    direction = [np.zeros(len(p)) for p in prices]
    for n in range(ROUNDS):
        solved = [period.knapsacks(price) for period, price in zip(periods, prices, strict=True)]
        savings = np.stack([saving for saving, _ in solved], axis=1)
        sites, is_open = _when_open(sets, fixed, savings)
        paid = sum(float(np.minimum(p, q.refusal).sum()) for p, q in zip(prices, periods, strict=True))
        bound = float(sites.sum()) + paid
        weight = min(MEMORY, n / (n + 1))
        shares = weight * shares + (1 - weight) * is_open
        if n == 0 or bound > best + 1e-6 * abs(best):
            best, kept, idle, at_best = bound, prices, 0, savings
        elif (idle := idle + 1) >= PATIENCE:
            scale, idle, prices = scale / 2, 0, kept
        missing = [
            np.where(price < period.refusal, 1.0, 0.0) - (share * is_open[:, t : t + 1]).sum(axis=0)
            for t, (price, period, (_, share)) in enumerate(zip(prices, periods, solved, strict=True))
        ]
        direction = [0.7 * g + 0.3 * d for g, d in zip(missing, direction, strict=True)]
        length = sum(float(d @ d) for d in direction)
        if length < 1e-9 or scale < 1e-3 or time.monotonic() > deadline:
            break
        step = scale * 0.05 * abs(best) / length
        prices = [price + step * d for price, d in zip(prices, direction, strict=True)]
    sites, _ = _when_open(sets, fixed, at_best)
    rise = {
        (t, state): _when_open(sets, fixed, at_best, (t, state))[0] - sites
        for t in sets.times
        for state in (False, True)
    }
    return Priced(best, shares, rise)


def thin_out(sets: Sets, priced: Priced) -> Sets:
    """The case with the sites that the prices open and each demand's cheapest serves from them."""
    chosen = {s for s, share in zip(sets.sites, priced.shares.max(axis=1), strict=True) if share >= WORTH_A_LOOK}
    chosen |= {s for s, row in sets.sites.items() if row.existing} | {
        s for (s, _), state in sets.pinned.items() if state
    }
    ways: dict[tuple[str, str, int], list[tuple[float, Flow]]] = defaultdict(list)
    for key in sets.serves:
        if key[0] in chosen:
            ways[key[1], key[3], key[4]].append((_unit_cost(sets, key), key))
    return replace(sets, serves=[key for each in ways.values() for _, key in sorted(each)[:CHEAPEST]])


def fix_sites(sets: Sets, priced: Priced, cost: float) -> Sets:
    """The case with every site pinned whose other state no network cheaper than `cost` has: bound + rise > cost. No
    better network is cut off."""
    room = cost * (1 + 1e-6) - priced.bound
    pins = dict(sets.pinned)
    for (t, state), rises in priced.rise.items():
        for s, rise in zip(sets.sites, rises.tolist(), strict=True):
            if rise > room:
                pins.setdefault((s, t), not state)
    serves = [key for key in sets.serves if pins.get((key[0], key[4]), True)]
    return replace(sets, pinned=pins, serves=serves)
