"""A first plan of a large case: solve it with only the offers that the relaxation uses, and a few more near them."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import numpy as np

from echelon.solvers.again import Again
from echelon_models.allocation.sets import Sets

NEXT_BEST = (0, 2)  # offers an item keeps beside those that the relaxation uses, search by search
USED = 1e-4  # part of an award from which on the relaxation uses it
FIRST_GAP = 3e-3  # relative gap at which the restricted search ends,
ROUGH_GAP = 1e-2  # and where it leaves out what scenarios cost
BLOCK = 6  # items whose awards are improved together


def restricted_award(m: Any, sets: Sets, seconds: float) -> None:
    """Read the relaxation from the variables and set them to the best award among the offers it uses, then among those
    and a few more; leave them as they are if none is found within the seconds. Cuts of rebates are left out: they help
    the bound, and slow this search down. So are at first those of scenarios: any award will do then."""
    searches = [(promising(m, sets, more), priced) for more, priced in zip(NEXT_BEST, (False, True), strict=True)]
    best = None
    for pairs, priced in searches:
        again = _without_cuts(m, priced)
        awards = again.columns(m.award.values())
        again.bound(awards, np.zeros(len(awards)), [float(pair in pairs) for pair in m.award])
        if best is not None:
            again.start_from(best)
        best = again.solve(seconds / len(searches)) or best
    if best is not None:
        again.load(best)


def _without_cuts(m: Any, priced: bool) -> Again:
    """The model to search again and again, without cuts of rebates and, unless priced, of scenarios."""
    rough = hasattr(m, "cuts") and not priced
    left_out = [m.rebate_cuts, m.cuts] if rough else [m.rebate_cuts]
    for cuts in left_out:
        cuts.deactivate()
    again = Again(m, gap=ROUGH_GAP if rough else FIRST_GAP)
    for cuts in left_out:
        cuts.activate()
    return again


def promising(m: Any, sets: Sets, more: int) -> set[tuple[str, str]]:
    """The pairs that the relaxation uses, those that must have an award, and the cheapest others of each item."""
    kept = {pair for pair, variable in m.award.items() if variable.value > USED}
    kept |= set(sets.required) | {pair for pair, row in sets.shares.items() if row.min_share > 0}
    for i, suppliers in sets.suppliers_of.items():
        rest = [s for s in suppliers if (s, i) not in kept]
        kept |= {(s, i) for s in sorted(rest, key=lambda s: _unit_cost(sets, s, i))[:more]}
    return kept


def _unit_cost(sets: Sets, s: str, i: str) -> float:
    """What a good unit costs at the largest award, money: goods and delivery, without fixed costs."""
    moving = min(sets.arcs[s, i, l].on_delivery for l in sets.sites_of[s, i])
    return (sets.price_steps(s, i)[-1].rate + moving) / sets.offers[s, i].yield_rate


def block_of(sets: Sets) -> Any:
    """The block of a variable for improving a plan: a few items at a time; None for what suppliers share."""
    number = {i: n // BLOCK for n, i in enumerate(sets.suppliers_of)}

    def block(variable: Any) -> Hashable | None:
        component, index = variable.parent_component().local_name, variable.index()
        position = {"quantity": 1, "award": 1, "price": 1, "price_quantity": 1, "moved": 1, "extra": 2}.get(component)
        return None if position is None else number[index[position]]

    return block
