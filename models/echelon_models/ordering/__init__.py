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
from echelon_models.ordering.plan import plan_tables, read_plan, total_cost
from echelon_models.ordering.prices.coordinate import solve_by_prices
from echelon_models.ordering.recheck import recheck
from echelon_models.ordering.replan import replan
from echelon_models.ordering.report import charts
from echelon_models.ordering.results import drop_empty_lines, kpis, limit_prices, page, read_decisions
from echelon_models.ordering.rules import RULES
from echelon_models.ordering.schema import INPUTS, RESULTS, OrderingOptions
from echelon_models.ordering.sets import Sets, prepare
from echelon_models.ordering.start import block_of, round_relaxation, warm_start

PINS_SHARE = 0.1  # of the time limit goes to pricing the pinned orders
ONE_MODEL = 8000  # item-sites times periods up to which a case is solved as one model


def solve(full: Frames, options: OrderingOptions, control: Control) -> Answer:
    """Solve the case as one model or by prices; price the pinned orders."""
    prices_pins = options.price_pins and bool((full["pinned_orders"]["quantity"] > 0).any())
    search = _part(control.options, 1 - PINS_SHARE) if prices_pins else control.options
    by = solve_by_prices if _method(full, options) == "prices" else solve_as_one
    answer = by(full, options, replace(control, options=search))
    if not prices_pins or not answer.outcome.has_plan or answer.outcome.limit == "interrupt":
        return answer
    cost = _price_of_pins(full, options, _part(control.options, PINS_SHARE), answer)
    return replace(answer, facts=answer.facts | cost)


def solve_as_one(full: Frames, options: OrderingOptions, control: Control) -> Answer:
    """Build one model of the whole case, solve it, read the plan back; explain an infeasible case."""
    began = time.monotonic()
    sets = prepare(full, options)
    model = build(sets, options.formulation)
    if control.start is not None:
        warm_start(model, sets, full, control.start)
    solution = _search(model, sets, control.options, progress=control.progress, log_file=control.log_file, prices=True)
    outcome = replace(solution.outcome, seconds=time.monotonic() - began)
    if outcome.termination is Termination.INFEASIBLE:
        return Answer(outcome, findings=tuple(explain(sets, full, control.options)))
    if not outcome.has_plan:
        return Answer(outcome)
    plan = plan_tables(full, read_decisions(model, sets), limit_prices(model, sets, solution))
    return Answer(outcome, plan, notes=(_took(model.took),))


def _method(full: Frames, options: OrderingOptions) -> str:
    """How to solve the case: as asked for or, by size, as one model or by prices."""
    if options.method != "auto":
        return options.method
    return "prices" if len(full["item_sites"]) * len(full["periods"]) > ONE_MODEL else "mip"


def _price_of_pins(full: Frames, options: OrderingOptions, search: SolveOptions, answer: Answer) -> dict[str, Any]:
    """What keeping the pinned orders costs: this plan against the same one with their items planned freely."""
    pinned = full["pinned_orders"]
    items = set(pinned.loc[pinned["quantity"] > 0, "item"])
    free = replan(full, options, read_plan(full, answer.plan), items, search, pins=False, together=False)
    if free is None:
        return {}
    return {
        "pinned_orders_cost": max((answer.outcome.objective or 0.0) - total_cost(full, plan_tables(full, free)), 0.0)
    }


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
    charts=charts,
)
