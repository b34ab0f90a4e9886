"""Ordering: what to order, when, from which supplier, under shared budgets, storage and supplier capacity."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pyomo.environ as pyo

from echelon.explain.limits import bottlenecks, ease_limits, limit_frame
from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.outcome import Control, SolveOptions, Termination, relative_gap
from echelon.tables import Frames
from echelon_models.ordering import changes
from echelon_models.ordering.causes import shortage_causes
from echelon_models.ordering.complete import complete
from echelon_models.ordering.explain import explain
from echelon_models.ordering.formulation import build
from echelon_models.ordering.limits import ease, feeders
from echelon_models.ordering.plan import plan_tables, read_plan, total_cost
from echelon_models.ordering.prices.coordinate import solve_by_prices
from echelon_models.ordering.recheck import recheck
from echelon_models.ordering.replan import replan
from echelon_models.ordering.report import charts
from echelon_models.ordering.results import drop_empty_lines, kpis, limit_prices, limit_rows, page, read_decisions
from echelon_models.ordering.rules import RULES
from echelon_models.ordering.schema import INPUTS, RESULTS, OrderingOptions
from echelon_models.ordering.sets import Sets, prepare
from echelon_models.ordering.start import block_of, round_relaxation, warm_start
from echelon_models.ordering.studies import FRONTIERS, SILOS, restate

PINS_SHARE = 0.1  # of the time limit goes to pricing the pinned orders
CAUSES_SHARE = 0.05  # and to asking why items are short,
CAUSES_AT_LEAST, CAUSES_AT_MOST = 2.0, 20.0  # seconds; between them, as long as the plan itself took;
EASE_SHARE = 0.05  # and, at most, to solving again with limits eased
ONE_MODEL = 8000  # item-sites times periods up to which a case is solved as one model


def solve(full: Frames, options: OrderingOptions, control: Control) -> Answer:
    """Solve the case as one model or by prices; say where the plan is tightest, what the pinned orders cost, and why
    items are short."""
    began, search = time.monotonic(), control.options
    prices_pins = options.price_pins and bool((full["pinned_orders"]["quantity"] > 0).any())
    kept = PINS_SHARE * prices_pins + CAUSES_SHARE * (search.explain != "off")
    by = solve_by_prices if _method(full, options) == "prices" else solve_as_one
    answer = by(full, options, replace(control, options=_part(search, 1 - kept)))
    if not answer.outcome.has_plan:
        return answer
    plan, facts, notes = answer.plan, answer.facts, answer.notes
    plan["bottlenecks"] = bottlenecks(plan["limits"], feeders(full, plan))
    if answer.outcome.limit != "interrupt":
        if prices_pins:
            facts = facts | _price_of_pins(full, options, _part(search, PINS_SHARE), answer)
        if search.explain != "off":
            seconds = min(max(answer.outcome.seconds, CAUSES_AT_LEAST), CAUSES_AT_MOST)
            until = min(time.monotonic() + seconds, began + search.time_limit)
            plan["shortage_causes"], left_out = shortage_causes(full, options, plan, search, until)
            notes = (*notes, *left_out)
    return replace(answer, plan=plan, facts=facts, notes=notes)


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
    if control.options.explain != "off" and solution.held is not None:
        until = time.monotonic() + EASE_SHARE * control.options.time_limit
        plan["eased"] = ease_limits(solution.held, limit_frame(limit_rows(model, sets), solution.held), until)
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
    ease=ease,
    changes=changes.RULES,
    quiet={"price_pins": False, "price_rules": False},
    frontiers=FRONTIERS,
    silos=SILOS,
    restate=restate,
)
