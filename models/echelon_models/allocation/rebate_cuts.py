"""What the relaxation of the award forgets of rebates: a range of spend holds no more of an item than it is chosen.

The relaxation may choose the best range of a supplier's rebates a little and count all spend in it. Split over the
ranges, an item's goods in range k are at most most_goods·tier[k], and over all ranges at most the item's goods. For
any set K of ranges and set T of items that leaves

    Σ_K tier_spend <= Σ_T most_goods·Σ_K tier + Σ_(not T) goods,

a cut of the single-node flow set (Padberg, Van Roy & Wolsey, Operations Research 33, 1985), and all that such a split
says of tier and tier_spend (Gale's condition of a flow from items to ranges). Items of one supplier share its capacity
too: whatever a unit of capacity is rented for, what the goods of T cost beyond their rent is at most most_goods beyond
the rent, and the rent of all of them at most rent·capacity, so

    Σ_K tier_spend <= (rent·capacity + Σ_T most_goods(rent))·Σ_K tier + Σ_(not T) goods.

The rents worth trying are the items' prices (the dual of a continuous knapsack). No plan breaks a cut.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, combinations
from typing import Any

import numpy as np
import pyomo.environ as pyo

from echelon_models.allocation.formulation import goods
from echelon_models.allocation.sets import ABOVE, Sets, Step

WORTHWHILE = 1e-3  # part of the supplier's spend by which a cut must be broken to be added
MANY = 6  # ranges of one supplier from which on only sets of neighbours are tried


def rebate_cuts(m: Any, sets: Sets) -> list[Any]:
    """Adds to the model the cuts that the present award (whole or not) breaks, the most broken one for each set of
    ranges, and returns them."""
    return [m.rebate_cuts.add(cut) for s in m.rebate_steps for cut in _cuts_of(m, sets, s)]


def most_goods(steps: Sequence[Step], rents: np.ndarray) -> np.ndarray:
    """The most that the goods of a pair at these prices can cost before rebates, beyond each of these rents a unit;
    money."""
    ends = [(step.rate, step.fixed, x) for step in steps for x in (step.low, step.high)]
    rate, fixed, quantity = np.array(ends).T
    return np.maximum(((rate - rents[:, np.newaxis]) * quantity + fixed).max(axis=1), 0.0)


def _cuts_of(m: Any, sets: Sets, s: str) -> list[Any]:
    """The cuts that one supplier's spend breaks."""
    spends = {i: goods(m, sets, s, i) for i in sets.items_of[s]}
    spent = np.array([pyo.value(spend) for spend in spends.values()])
    prices = [sets.price_steps(s, i) for i in spends]
    rents = _rents(sets.capacity(s), prices)
    most = np.stack([most_goods(steps, rents) for steps in prices], axis=1)  # [rent, item]
    paid = rents * (ABOVE * sets.capacity(s) if rents.any() else 0.0)
    found = []
    for ranges in _sets_of(len(m.rebate_steps[s])):
        chosen = sum(m.tier[s, k].value for k in ranges)
        inside = sum(m.tier_spend[s, k].value for k in ranges)
        allowed = paid * chosen + np.minimum(most * chosen, spent).sum(axis=1)
        r = int(allowed.argmin())
        if inside - allowed[r] > WORTHWHILE * max(1.0, spent.sum()):
            bounded = most[r] * chosen < spent
            outside = sum(spend for spend, held in zip(spends.values(), bounded, strict=True) if not held)
            tiers = sum(m.tier[s, k] for k in ranges)
            spend_inside = sum(m.tier_spend[s, k] for k in ranges)
            found.append(spend_inside - float(paid[r] + most[r, bounded].sum()) * tiers - outside <= 0)
    return found


def _rents(capacity: float, prices: Sequence[Sequence[Step]]) -> np.ndarray:
    """The rents of a unit of the supplier's capacity to try: none, and where it has a capacity, the items' prices."""
    if capacity == math.inf:
        return np.zeros(1)
    return np.unique([0.0, *(step.rate for steps in prices for step in steps)])


def _sets_of(count: int) -> list[tuple[int, ...]]:
    """The sets of ranges to try: all but the whole, or where they are many, those of neighbours."""
    if count >= MANY:
        return [tuple(range(a, b)) for a in range(count) for b in range(a + 1, count + 1) if b - a < count]
    return list(chain.from_iterable(combinations(range(count), size) for size in range(1, count)))
