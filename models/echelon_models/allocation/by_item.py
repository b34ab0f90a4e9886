"""The recourse of a large case item by item: an award is bettered a few items at a time, with their scenarios in sight.

With the weight of each scenario held, recourse ties items together only by the spare capacity of suppliers. Where each
item may use all of that, scenarios that strike the same of an item's suppliers are the same to it and become one. The
cost so counted is never above the true one: the weights are some that the measure allows, and the limits are fewer.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon_models.allocation.awards import keeps_cost_limit, values_of, warm_start
from echelon_models.allocation.benders import Scenarios, measured, weights
from echelon_models.allocation.formulation import build
from echelon_models.allocation.sets import Pair, Sets

BLOCK = 6  # items whose awards are improved together
ROUNDS = 10  # of improving and weighing the scenarios anew, at most
ITEM_AT = {"quantity": 1, "award": 1, "price": 1, "price_quantity": 1, "moved": 1, "extra": 2}  # in their indices
GAIN = 1e-4  # relative gain of a round below which there is no other


def block_of(sets: Sets) -> Any:
    """The block of a variable for improving a plan: a few items at a time; None for what suppliers share."""
    number = {i: n // BLOCK for n, i in enumerate(sets.suppliers_of)}

    def block(variable: Any) -> Hashable | None:
        component, index = variable.parent_component().local_name, variable.index()
        position = ITEM_AT.get(component)
        return None if position is None else number[index[position]]

    return block


def item_by_item(sets: Sets, weight: Mapping[str, float]) -> Sets:
    """The case with scenarios of one item each, weighed as those of `sets` are (scenario -> weight) that they stand
    for, and their mean cost as objective."""
    struck: dict[str, dict[str, float]] = defaultdict(dict)
    for (w, s), part in sets.left.items():
        if weight[w] > 0:
            struck[w][s] = part
    scenarios: dict[str, float] = defaultdict(float)
    left: dict[tuple[str, str], float] = {}
    only: dict[str, str] = {}
    for i, suppliers in sets.suppliers_of.items():
        for w, parts in struck.items():
            here = [(s, parts[s]) for s in suppliers if s in parts]
            if here:
                name = f"{i}: {here}"
                scenarios[name] += weight[w]
                left |= {(name, s): part for s, part in here}
                only[name] = i
    options = sets.options.model_copy(update={"objective": "expected", "cost_limit": None})
    return replace(sets, scenarios=dict(scenarios), left=left, only=only, options=options)


def improve_by_item(
    m: Any, sets: Sets, scenarios: Scenarios, weight: dict[str, float], pairs: set[Pair], seconds: float
) -> None:
    """Better the award in the variables of a decomposed model among these pairs and its own, in rounds: improve it
    with the scenarios' weights held, price it in all scenarios, move the weights towards those that its costs ask for
    (fictitious play: Brown, Activity Analysis of Production and Allocation, 1951, ch. 24)."""
    until = time.monotonic() + seconds
    pairs = pairs | {pair for pair, award in m.award.items() if award.value > 0.5}
    best, costs = values_of(m), scenarios.costs(m)
    lowest = _cost(m, sets, costs)
    for n in range(ROUNDS):
        draft = build(item_by_item(sets.restricted(pairs), weight))
        _take_over(draft, values_of(m))
        options = SolveOptions(time_limit=max(until - time.monotonic(), 0.01))
        if highs.improve(draft, highs.Guide(block_of=block_of(sets)), options) is None:
            break
        _take_over(m, values_of(draft))
        costs = scenarios.costs(m)
        before, cost = lowest, _cost(m, sets, costs)
        if cost < lowest:
            best, lowest = values_of(m), cost
        if not cost < before * (1 - GAIN) or time.monotonic() > until:
            break
        asked = weights(costs, sets)
        weight = {w: old + (asked[w] - old) / (n + 2) for w, old in weight.items()}
    _take_over(m, best)


def _cost(m: Any, sets: Sets, costs: Mapping[str, float]) -> float:
    """What the objective counts of the award in the model; infinite where it is beyond the cost limit."""
    return float(pyo.value(m.plan_cost)) + measured(costs, sets) if keeps_cost_limit(m, sets, costs) else float("inf")


def _take_over(m: Any, values: Any) -> None:
    """Give the model an award of another model of the case; what that one does not have is 0."""
    for variable in m.component_data_objects(pyo.Var):
        variable.set_value(0.0, skip_validation=True)
    warm_start(m, values)
