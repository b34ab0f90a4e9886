"""The search for an award by prices of what items share: relax, settle, prove."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from echelon.solvers.again import FEASIBLE
from echelon.solvers.handover import LinearModel, garbage_collector_paused, hand_over
from echelon.solvers.watch import Watch
from echelon_models.allocation.awards import Values, values_of, warm_start
from echelon_models.allocation.formulation import build
from echelon_models.allocation.prices.dive import Dive
from echelon_models.allocation.prices.generate import Generation
from echelon_models.allocation.prices.parts import item_of
from echelon_models.allocation.sets import Sets

GENERATE_UNTIL = 0.3  # share of the time limit at which making splits ends,
PROVE_UNTIL = 0.38  # proving their prices good,
ROLES_UNTIL = 0.56  # bettering the roles,
AWARD_UNTIL = 0.66  # the search for an award,
BOUND_UNTIL = 0.94  # and the bound; the rest is to price the award in all scenarios
QUANTITIES = 0.1  # share of it for the best quantities of an award, at most
NEAR = 1e-3  # relative gap at which items planned anew are good enough


@dataclass(frozen=True)
class Priced:
    """The best award found, None where none was; what no award can cost less than, None where not known; and how many
    splits were made."""

    award: Values | None
    bound: float | None
    splits: int


def award_by_prices(sets: Sets, watch: Watch) -> Priced:
    """An award, and a bound, of a case whose splits can be listed (`splits.can_list`)."""
    with garbage_collector_paused():
        model = build(sets)
        generation = Generation(model, sets, watch)
    until = watch.until(GENERATE_UNTIL)
    if not generation.start(until):
        return Priced(None, None, 0)
    generation.converge(until, watch.until(PROVE_UNTIL))
    watch.log(
        f"{len(generation.master.splits):,} splits of items; their relaxation costs {generation.master.value:,.0f}"
    )
    y, known = generation.proven_y, generation.cheapest(generation.proven_y)
    award = _better_of_two(Dive(generation), sets, watch)
    bound = None if award is None else generation.parts.bound(y, known, watch, watch.until(BOUND_UNTIL))
    return Priced(award, bound, len(generation.master.splits))


def _better_of_two(dive: Dive, sets: Sets, watch: Watch) -> Values | None:
    """The cheaper of two awards: with the roles as they were settled, and with better ones; None if there is none."""
    if not dive.settle_roles(watch.until(AWARD_UNTIL)):
        return None
    awards = [_award(dive, sets, watch)]
    if dive.better_roles(watch.until(ROLES_UNTIL)):
        awards.append(_award(dive, sets, watch))
    found = [award for award in awards if award is not None]
    return min(found, key=lambda award: award[0])[1] if found else None


def _award(dive: Dive, sets: Sets, watch: Watch) -> tuple[float, Values] | None:
    """Hold the patterns, then find the best quantities with them: (cost, award), None if there is none, or none in
    time."""
    dive.hold_patterns(watch.until(AWARD_UNTIL))
    model, arrays = dive.generation.model, dive.generation.parts.arrays
    _set(arrays, dive.values())
    if dive.taken:
        completed = _completed(values_of(model), sets, dive.open_items, watch)
        if completed is None:
            return None
        warm_start(model, completed)
    x = np.array([variable.value for variable in arrays.variables])
    better = _best_with(arrays, x, arrays.integer, watch)
    if better is None:
        return None
    _set(arrays, better)
    cost = arrays.offset + float(arrays.cost @ better)
    watch.tell(cost, None)
    return cost, values_of(model)


def _completed(values: Values, sets: Sets, open_items: Collection[str], watch: Watch) -> Values | None:
    """The award with these items planned anew, or all if they alone fit nowhere, among what suppliers are in it; what
    scenarios cost is estimated."""
    model = build(sets, decomposed=True)
    warm_start(model, values)
    arrays = hand_over(model)
    x = np.array([arrays.hint.get(j, 0.0) for j in range(len(arrays.variables))])
    items = [item_of(variable) for variable in arrays.variables]
    for free in (open_items, sets.suppliers_of):
        found = _best_with(arrays, x, arrays.integer & [item is None or item not in free for item in items], watch)
        if found is not None:
            _set(arrays, np.where(arrays.integer, found.round(), found))
            return values_of(model)
    return None


def _set(arrays: LinearModel, x: np.ndarray) -> None:
    for variable, value in zip(arrays.variables, x.tolist(), strict=True):
        variable.set_value(value, skip_validation=True)


def _best_with(arrays: LinearModel, x: np.ndarray, held: np.ndarray, watch: Watch) -> np.ndarray | None:
    """The best values with the `held` columns, integers, as in x; None if there are none, or not in time."""
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    lower[held] = upper[held] = np.clip(np.round(x), lower, upper)[held]
    highs = watch.highs(replace(arrays, lower=lower, upper=upper), relaxed=bool((held == arrays.integer).all()))
    highs.setOptionValue("mip_rel_gap", NEAR)
    watch.run(highs, min(watch.deadline, time.monotonic() + QUANTITIES * watch.options.time_limit))
    if highs.getInfo().primal_solution_status != FEASIBLE:
        return None
    return np.clip(np.array(highs.getSolution().col_value), lower, upper)
