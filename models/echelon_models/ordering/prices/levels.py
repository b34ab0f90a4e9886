"""Candidate levels: how much may have been ordered in all, so that some best plan of a place keeps to them.

A place on its own, at given prices, is a single-item lot-sizing problem. Write X[t] for all that has arrived from
orders up to t. For fixed decisions when to order (and in which price range), what is left is a linear programme whose
rows compare two of the X[t]; so in some best plan each X[t] is, but for a sum of smallest and largest order
quantities, a level at which the cost of stock bends: where stock runs out at some u, D[u] - S[u], or just meets its
safety stock (the zero-inventory property of Wagner & Whitin 1958 and its kin; Pochet & Wolsey 2006, ch. 7). With
multiples, X[t] is a sum of multiples anyway. Hence three ways to list the levels, of which the shortest is taken:

- breakpoints: no minimum, maximum, multiple: the bends themselves, T + 1 or 2T + 1 levels;
- sums: the bends plus whole numbers of minimums and break quantities;
- grid: all multiples of the largest number that divides whatever counts.

A place for which none is short enough is left to a small MIP.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from echelon_models.ordering.prices.arrays import BACKORDER, LOST, CaseArrays, Offers, Pieces, Places

MOST_LEVELS = 6000  # of one place; beyond, a small MIP is quicker
DIGITS = 6  # quantities are told apart to a millionth of a unit
FINEST = 1000  # a grid is looked for down to a thousandth of a unit


@dataclass(frozen=True)
class Ladder:
    """The levels of one place, ascending from 0: a grid of `count` steps, a list, or (neither) just the bends."""

    step: float  # NaN where there is no grid
    count: int
    levels: np.ndarray | None = None

    @property
    def plain(self) -> bool:
        """Whether the bends will do."""
        return self.levels is None and np.isnan(self.step)

    def values(self, size: int) -> np.ndarray:
        """The levels of a list, or the first `size` of a grid."""
        return np.arange(size) * self.step if self.levels is None else self.levels


def bends(places: Places) -> np.ndarray:
    """(P, 2T + 1) or, without safety stock, (P, T + 1): the levels at which the cost of stock bends, ascending; 0 is
    one of them."""
    empty = np.round((places.demand - places.supply).cumsum(axis=1), DIGITS)
    found = [np.zeros((len(empty), 1)), empty]
    if places.safety.any():
        found.append(np.round(empty + places.safety, DIGITS))
    levels = np.maximum(np.concatenate(found, axis=1), 0.0)
    levels.sort(axis=1)
    return levels


def ladder(bent: np.ndarray, offers: Offers, pieces: Pieces, policy: int, horizon: int) -> Ladder | None:
    """The shortest list of levels for one place with these bends, offers and price ranges; None if there is none."""
    bent = np.unique(bent)
    lows = np.unique(np.concatenate([offers.minimum, pieces.low]))
    lows, highs = lows[lows > 0], np.unique(offers.maximum[offers.maximum < bent[-1] + lows.max(initial=0.0)])
    multiples = offers.multiple[~np.isnan(offers.multiple)]
    if not len(multiples) and not len(lows) and not len(highs):
        return Ladder(np.nan, len(bent))
    top = bent[-1] + max(lows.max(initial=0.0), multiples.max(initial=0.0))
    whole = len(multiples) == len(offers) and policy != LOST
    step = _common_divisor(multiples if whole else np.concatenate([multiples, lows, highs, bent]))
    count = int(top / step + 1e-6) + 2 if step else MOST_LEVELS + 1
    if not len(multiples) and len(bent) * (1 + top / min(lows.min(initial=np.inf), highs.min(initial=np.inf))) < count:
        levels = _sums(bent, np.concatenate([lows, highs]), top, horizon)
        if levels is not None and len(levels) < count:
            return Ladder(np.nan, len(levels), levels)
    return Ladder(step, count) if count <= MOST_LEVELS else None


def _common_divisor(quantities: np.ndarray) -> float:
    """The largest number that divides them all, at least a thousandth; 0 if there is none."""
    whole = np.round(quantities * FINEST)
    if np.abs(whole - quantities * FINEST).max(initial=0.0) > 1e-6 * FINEST or not whole.any():
        return 0.0
    return float(np.gcd.reduce(whole.astype(np.int64))) / FINEST


def _sums(bent: np.ndarray, quantities: np.ndarray, top: float, horizon: int) -> np.ndarray | None:
    """The bends plus and minus up to `horizon` of each quantity, within 0..top; None if they are too many."""
    levels = bent
    for quantity in quantities:
        most = min(horizon, int(top / quantity))
        if len(levels) * (2 * most + 1) > 20 * MOST_LEVELS:
            return None
        shifted = levels[:, None] + np.arange(-most, most + 1) * quantity
        levels = np.unique(np.round(shifted[(shifted >= 0) & (shifted <= top)], DIGITS))
    return levels if len(levels) <= MOST_LEVELS else None


def suits(case: CaseArrays) -> np.ndarray:
    """(P,) True where a place may be planned by its levels at all: stock is only kept from waiting or lost customers
    where that can never pay."""
    p = case.places
    waiting = p.backorder_cost[:, None] + p.holding
    waits = (p.shortfall_cost > waiting).any(axis=1) | (p.final_value > p.lost_cost + waiting[:, -1])
    loses = (p.shortfall_cost.sum(axis=1) > p.lost_cost) | (p.final_value > p.lost_cost)
    return ~((p.policy == BACKORDER) & waits | (p.policy == LOST) & loses)
