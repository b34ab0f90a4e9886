"""What it is worth to plan for the scenarios, and what it would be worth to know which one comes.

Value of the stochastic solution: what the award that is best for the mean scenario costs, over all scenarios, more than
this one. Expected value of perfect information: this award's expected cost less the mean of the best costs that could
be had if each scenario were known beforehand (Birge & Louveaux, Introduction to Stochastic Programming, 2011, ch. 4).
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from echelon.solvers.outcome import Control, SolveOptions
from echelon_models.allocation.awards import Values
from echelon_models.allocation.benders import measured
from echelon_models.allocation.search import Found, find, part_of_time
from echelon_models.allocation.sets import Sets

MEAN = "mean"


def value_of_information(
    found: Found, sets: Sets, search: SolveOptions, start: Values, seconds: float
) -> tuple[dict[str, float], list[str]]:
    """The two values (facts of the run) as far as the seconds suffice, and notes on what is missing or not exact."""
    began = time.monotonic()
    facts, notes = {}, []
    stochastic = of_stochastic_solution(found, sets, part_of_time(search, seconds / 2))
    if stochastic is not None:
        facts["value_of_stochastic_solution"] = stochastic
    left = seconds - (time.monotonic() - began)
    known, note = of_perfect_information(found, sets, search, start, left)
    if known is not None:
        facts["value_of_perfect_information"] = known
    if note:
        notes.append(note)
    return facts, notes


def of_stochastic_solution(found: Found, sets: Sets, search: SolveOptions) -> float | None:
    """Cost (as the objective counts it) of the mean scenario's best award, over all scenarios, less this one's."""
    hit = sorted({s for _, s in sets.left})
    left = {(MEAN, s): sum(p * sets.left.get((w, s), 1.0) for w, p in sets.scenarios.items()) for s in hit}
    mean = replace(sets, scenarios={MEAN: 1.0}, left=left, options=plain(sets))
    planned = find(mean, Control(search))
    if not planned.outcome.has_plan:
        return None
    costs = found.scenarios.costs(planned.model)
    value = float(pyo.value(planned.model.plan_cost)) + measured(costs, sets) - (found.outcome.objective or 0.0)
    found.scenarios.costs(found.model)  # their models hold the recourse of the plan again
    return max(value, 0.0)


def of_perfect_information(
    found: Found, sets: Sets, search: SolveOptions, start: Values, seconds: float
) -> tuple[float | None, str]:
    """This award's expected cost less the mean of each scenario's own best cost; and a note if time was short."""
    deadline, total, count = time.monotonic() + seconds, 0.0, len(sets.scenarios)
    for n, (w, probability) in enumerate(sets.scenarios.items()):
        share = (deadline - time.monotonic()) / (count - n)
        left = {key: part for key, part in sets.left.items() if key[0] == w}
        alone = replace(sets, scenarios={w: 1.0}, left=left, options=plain(sets))
        best = find(alone, Control(part_of_time(search, share)), start).outcome.objective if share > 0 else None
        if best is None:
            return None, f"value of perfect information: no time for {count - n:,} of {count:,} scenarios"
        total += probability * best
    expected = sum(p * found.costs[w] for w, p in sets.scenarios.items()) + float(pyo.value(found.model.plan_cost))
    return max(expected - total, 0.0), ""


def plain(sets: Sets) -> Any:
    """The options for a single scenario: its cost is all that counts."""
    return sets.options.model_copy(update={"objective": "expected", "cost_limit": None})
