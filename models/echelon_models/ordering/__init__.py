"""Ordering: what to order, when, from which supplier, under shared budgets, storage and supplier capacity."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.outcome import Control, Termination
from echelon.tables import Frames
from echelon_models.ordering.complete import complete
from echelon_models.ordering.explain import explain
from echelon_models.ordering.formulation import build
from echelon_models.ordering.recheck import recheck
from echelon_models.ordering.results import kpis, page, read_plan
from echelon_models.ordering.rules import RULES
from echelon_models.ordering.schema import INPUTS, RESULTS, OrderingOptions
from echelon_models.ordering.sets import prepare
from echelon_models.ordering.start import warm_start


def solve(full: Frames, options: OrderingOptions, control: Control) -> Answer:
    """Build the model, solve it, read the plan back; explain an infeasible case; price the pinned orders."""
    began = time.monotonic()
    sets = prepare(full, options)
    model = build(sets, options.formulation)
    if control.start is not None:
        warm_start(model, sets, full, control.start)
    solution = highs.solve(model, control.options, progress=control.progress, log_file=control.log_file, prices=True)
    outcome = replace(solution.outcome, seconds=time.monotonic() - began)
    if outcome.termination is Termination.INFEASIBLE:
        return Answer(outcome, findings=tuple(explain(sets, full, control.options)))
    if not outcome.has_plan:
        return Answer(outcome)
    plan = read_plan(model, sets, full, solution)
    priced = sets.pinned and options.price_pins
    facts = _price_of_pins(full, options, control, plan, outcome.objective or 0.0) if priced else {}
    return Answer(outcome, plan, facts, notes=(_took(model.took),))


def _price_of_pins(
    full: Frames, options: OrderingOptions, control: Control, plan: Frames, objective: float
) -> dict[str, Any]:
    """What the pinned orders cost: this plan against the best one found without them, and the most it can be."""
    free = prepare(full, options, pins=False)
    model = build(free, options.formulation)
    warm_start(model, free, full, plan)
    outcome = highs.solve(model, control.options).outcome
    if not outcome.has_plan or outcome.objective is None or outcome.bound is None:
        return {}
    return {
        "pinned_orders_cost": max(objective - outcome.objective, 0.0),
        "pinned_orders_cost_at_most": max(objective - outcome.bound, 0.0),
    }


def _took(took: dict[str, int]) -> str:
    if not took:
        return "formulation: no fixed costs, so a linear program needs no strengthening"
    return "formulation: " + ", ".join(f"{name} for {count:,} item-sites" for name, count in took.items())


FAMILY = Family(
    name="ordering",
    summary="What to order, when, from which supplier, under shared budgets, storage and supplier capacity",
    inputs=INPUTS,
    results=RESULTS,
    options=OrderingOptions,
    rules=RULES,
    complete=complete,
    solve=solve,
    recheck=recheck,
    kpis=kpis,
    page=page,
)
