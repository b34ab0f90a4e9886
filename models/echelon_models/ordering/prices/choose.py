"""Choose one of the plans found for each unit so that together they fit the limits: the restricted master.

minimise    sum of cost·chosen + sum over limit rows of excess_cost·excess
such that   each unit gets one of its plans, and use - carried in + carried on - excess <= capacity in each limit row.

Its relaxation splits at most as many units between plans as there are limit rows (Lasdon 1970, ch. 3), so the loss by
choosing whole plans vanishes as units grow in number. Units that the relaxation does not split, and whose second plan
would cost much more at its prices, keep their plan; the others are chosen anew by a mixed-integer programme.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from echelon.solvers.handover import INFINITY, LinearModel
from echelon.solvers.held import Held
from echelon.solvers.watch import Watch
from echelon_models.ordering.prices.agree import Agreement, Round
from echelon_models.ordering.prices.divide import Division

FEW = 1500  # units up to which all plans found are taken to choose from; of more, those that the master weighs
LAST = 3  # rounds whose plans are taken in any case
OPEN = 3000  # plans between which the mixed-integer programme may choose
SHARE = 0.5  # of the time that is left, at most, for it


@dataclass(frozen=True)
class Candidates:
    """Plans to choose from, sorted by unit: (C,) `unit`, `round` it was found in, `cost`; `use` entries (`column`,
    `row`, `value`) of the limits."""

    unit: np.ndarray
    round: np.ndarray
    cost: np.ndarray
    column: np.ndarray
    row: np.ndarray
    value: np.ndarray


def choose(case: Division, agreed: Agreement, watch: Watch) -> np.ndarray:
    """(U,) the round whose plan each unit takes."""
    found = _candidates(case, agreed)
    model = _model(case, found)
    weight, dual = _relaxed(model, len(found.unit), watch)
    best = _heaviest(found, weight)
    reduced = found.cost + np.bincount(found.column, found.value * dual[found.row], len(found.unit))
    is_open = _open(found, weight, reduced, best)
    chosen = _search(model, found, best, is_open, agreed.bound, watch)
    return found.round[chosen]


def mixed(case: Division, agreed: Agreement, watch: Watch) -> tuple[Held, pd.DataFrame]:
    """The relaxation, in which a unit may mix its plans, and its limit rows: limit, name, unit, capacity, row."""
    limits = case.arrays.limits
    held = Held(_model(case, _candidates(case, agreed)), None, watch)
    return held, limits.keys.assign(capacity=limits.capacity, row=np.arange(len(limits)))


def dearer(case: Division, agreed: Agreement, chosen: np.ndarray) -> np.ndarray:
    """(U,) how much dearer, at the prices, each unit's chosen plan is than its own best."""
    unit = np.arange(case.units)
    cost = np.stack([r.cost for r in agreed.rounds])[chosen, unit]
    column, row, use = _uses(case, agreed.rounds, chosen, unit)
    return cost + np.bincount(column, use * agreed.prices[row], case.units) - agreed.rounds[agreed.best].value


def _candidates(case: Division, agreed: Agreement) -> Candidates:
    """The distinct plans of each unit among the rounds that count for it."""
    rounds = agreed.rounds
    counts = np.zeros((len(rounds), case.bunches), dtype=bool)
    counts[-LAST:] = True
    counts[agreed.best] = True
    for k, g, _ in agreed.weights:
        counts[k, g] = True
    if case.units <= FEW:
        counts[:] = True
    signature = np.stack([r.signature for r in rounds])
    number, unit = np.nonzero(counts[:, case.bunch])
    order = np.lexsort((number, signature[number, unit], unit))
    number, unit = number[order], unit[order]
    sign = signature[number, unit]
    first = np.ones(len(number), dtype=bool)
    first[1:] = (unit[1:] != unit[:-1]) | (np.abs(sign[1:] - sign[:-1]) > 1e-9 * np.abs(sign[1:]))
    number, unit = number[first], unit[first]
    cost = np.stack([r.cost for r in rounds])[number, unit]
    return Candidates(unit, number, cost, *_uses(case, rounds, number, unit))


def _uses(case: Division, rounds: list[Round], k: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, ...]:
    """(candidate, limit row, use) of the candidates: the plan of `unit` in round `k`."""
    none, places = len(case.arrays.limits), case.units - len(case.items)
    parts = []
    for number, found in enumerate(rounds):
        here = np.flatnonzero(k == number)
        if not len(here):
            continue
        position = np.full(case.units, -1)
        position[unit[here]] = here
        lines = found.lines.take(np.flatnonzero(position[case.arrays.offers.place[found.lines.offer]] >= 0))
        place, row, use = case.whole.uses(lines)
        kept = (position[place] >= 0) & (row < none) & (use != 0)
        parts.append((position[place[kept]], row[kept], use[kept]))
        item, row = np.nonzero(found.item_use)
        kept = position[places + item] >= 0
        parts.append((position[places + item[kept]], row[kept], found.item_use[item[kept], row[kept]]))
    column, row, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    flat, inverse = np.unique(column * (none + 1) + row, return_inverse=True)
    return flat // (none + 1), flat % (none + 1), np.bincount(inverse, value, len(flat))


def _model(case: Division, found: Candidates) -> LinearModel:
    """Columns: the candidates, the excess of each limit row, what each row carries on. Rows: the limits, the units."""
    limits, plans = case.arrays.limits, len(found.unit)
    rows, units = len(limits), case.units
    carrying = np.flatnonzero(limits.carried_to < rows)
    carried = plans + rows + np.arange(len(carrying))
    every = np.arange(rows)
    row = np.concatenate([found.row, every, carrying, limits.carried_to[carrying], rows + found.unit])
    column = np.concatenate([found.column, plans + every, carried, carried, np.arange(plans)])
    value = np.concatenate(
        [found.value, -np.ones(rows), np.ones(len(carrying)), -np.ones(len(carrying)), np.ones(plans)]
    )
    order = np.lexsort((column, row))
    columns = plans + rows + len(carrying)
    return LinearModel(
        variables=[None] * columns,
        constraints=[None] * (rows + units),
        cost=np.concatenate([found.cost, limits.excess_cost, np.zeros(len(carrying))]),
        offset=0.0,
        maximize=False,
        lower=np.zeros(columns),
        upper=np.concatenate([np.ones(plans), np.full(columns - plans, INFINITY)]),
        integer=np.arange(columns) < plans,
        row_lower=np.concatenate([np.full(rows, -INFINITY), np.ones(units)]),
        row_upper=np.concatenate([limits.capacity, np.ones(units)]),
        start=np.searchsorted(row[order], np.arange(rows + units + 1)).astype(np.int32),
        index=column[order].astype(np.int32),
        value=value[order],
    )


def _relaxed(model: LinearModel, plans: int, watch: Watch) -> tuple[np.ndarray, np.ndarray]:
    """(C,) weights of the plans in the relaxed optimum, and the prices of the rows."""
    highs = watch.highs(model, relaxed=True)
    watch.finish(highs)
    solution = highs.getSolution()
    return np.array(solution.col_value)[:plans], np.abs(np.array(solution.row_dual))


def _heaviest(found: Candidates, weight: np.ndarray) -> np.ndarray:
    """(U,) the candidate with the largest weight of each unit."""
    order = np.lexsort((-weight, found.unit))
    return order[np.searchsorted(found.unit[order], np.unique(found.unit))]


def _open(found: Candidates, weight: np.ndarray, reduced: np.ndarray, best: np.ndarray) -> np.ndarray:
    """(C,) the plans that may be chosen: those of split units, then those that cost least more at the prices."""
    kept = np.zeros(len(weight), dtype=bool)
    kept[best] = True
    more = np.where(weight > 1e-9, -1.0, reduced - reduced[best][found.unit])
    kept[np.argsort(more, kind="stable")[:OPEN]] = True
    return kept | (weight > 1e-9)


def _search(
    model: LinearModel, found: Candidates, best: np.ndarray, is_open: np.ndarray, bound: float, watch: Watch
) -> np.ndarray:
    """(U,) the candidate chosen for each unit; the search ends once the plan is as close to the bound as was asked."""
    upper, lower = model.upper.copy(), model.lower.copy()
    upper[: len(is_open)][~is_open] = 0.0
    alone = is_open & (np.bincount(found.unit[is_open], minlength=len(best))[found.unit] == 1)
    lower[: len(is_open)][alone] = 1.0
    highs = watch.highs(replace(model, lower=lower, upper=upper))
    highs.setOptionValue("mip_rel_gap", 0.1 * watch.options.gap)
    highs.setOptionValue("objective_target", bound + watch.options.gap * abs(bound))
    highs.setSolution(len(best), best.astype(np.int32), np.ones(len(best)))
    now = time.monotonic()
    watch.run(highs, now + SHARE * max(watch.deadline - now, 0.0))
    if highs.getInfo().primal_solution_status != 2:
        return best
    value = np.array(highs.getSolution().col_value)[: len(is_open)]
    return _heaviest(found, value)
