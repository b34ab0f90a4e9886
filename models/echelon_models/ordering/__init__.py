"""Ordering: what to order, when, from which supplier, under shared budgets, storage and supplier capacity."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.outcome import Control, SolveOptions, Termination, relative_gap
from echelon.tables import Frames
from echelon_models.ordering.complete import complete
from echelon_models.ordering.explain import explain
from echelon_models.ordering.formulation import build
from echelon_models.ordering.recheck import recheck
from echelon_models.ordering.results import drop_empty_lines, kpis, page, read_plan
from echelon_models.ordering.rules import RULES
from echelon_models.ordering.schema import INPUTS, RESULTS, OrderingOptions
from echelon_models.ordering.sets import Sets, prepare
from echelon_models.ordering.start import block_of, round_relaxation, warm_start

PINS_SHARE = 0.1  # of the time limit goes to pricing the pinned orders


def solve(full: Frames, options: OrderingOptions, control: Control) -> Answer:
    """Build the model, solve it, read the plan back; explain an infeasible case; price the pinned orders."""
    began = time.monotonic()
    sets = prepare(full, options)
    prices_pins = bool(sets.pinned) and options.price_pins
    search = _part(control.options, 1 - PINS_SHARE) if prices_pins else control.options
    model = build(sets, options.formulation)
    if control.start is not None:
        warm_start(model, sets, full, control.start)
    solution = _search(model, sets, search, progress=control.progress, log_file=control.log_file, prices=True)
    outcome = replace(solution.outcome, seconds=time.monotonic() - began)
    if outcome.termination is Termination.INFEASIBLE:
        return Answer(outcome, findings=tuple(explain(sets, full, control.options)))
    if not outcome.has_plan:
        return Answer(outcome)
    plan = read_plan(model, sets, full, solution)
    facts = {}
    if prices_pins and outcome.limit != "interrupt":
        facts = _price_of_pins(full, options, _part(control.options, PINS_SHARE), plan, outcome.objective or 0.0)
    return Answer(outcome, plan, facts, notes=(_took(model.took),))


def _price_of_pins(
    full: Frames, options: OrderingOptions, search: SolveOptions, plan: Frames, objective: float
) -> dict[str, Any]:
    """What keeping the pinned orders costs: this plan against the same one with their items planned freely."""
    free = prepare(full, options, pins=False)
    model = build(free, options.formulation)
    warm_start(model, free, full, plan)
    pinned = set(full["pinned_orders"]["item"])
    cost = highs.improve(model, highs.Guide(block_of=block_of), pinned, search)
    return {} if cost is None else {"pinned_orders_cost": max(objective - cost, 0.0)}


def _search(model: Any, sets: Sets, options: SolveOptions, **how: Any) -> highs.Solution:
    """Solve the model; a plan comes without order lines that order nothing."""
    guide = highs.Guide(model.tighten, lambda: round_relaxation(model, sets), block_of)
    solution = highs.solve(model, options, guide=guide, **how)
    if not solution.outcome.has_plan or not drop_empty_lines(model, sets):
        return solution
    cost = float(pyo.value(model.total))
    outcome = replace(solution.outcome, objective=cost, gap=relative_gap(cost, solution.outcome.bound))
    return replace(solution, outcome=outcome)


def _part(options: SolveOptions, share: float) -> SolveOptions:
    return options.model_copy(update={"time_limit": options.time_limit * share})


def _took(took: dict[str, int]) -> str:
    """Which formulation the model took, for the notes of the run."""
    return "formulation: " + ", ".join(f"{name} for {count:,} item-sites" for name, count in took.items() if count)


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
