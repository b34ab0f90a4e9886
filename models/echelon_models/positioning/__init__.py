"""Positioning: how long each stage of a network may take to serve, and hence where safety stock sits and how much."""

from __future__ import annotations

import time
from dataclasses import replace

import pandas as pd
import pyomo.environ as pyo

from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.outcome import Control, Outcome, SolveOptions, Termination, relative_gap
from echelon.tables import Frames
from echelon_models.positioning.complete import complete
from echelon_models.positioning.explain import explain
from echelon_models.positioning.formulation import build
from echelon_models.positioning.limits import excess_cost, members, use_of
from echelon_models.positioning.network import prepare
from echelon_models.positioning.plan import each_for_itself, plan_of
from echelon_models.positioning.presolve import Reduction, drop_forbidden, reduce
from echelon_models.positioning.problem import Problem, pose
from echelon_models.positioning.recheck import recheck
from echelon_models.positioning.results import kpis, page, read_plan
from echelon_models.positioning.rules import RULES
from echelon_models.positioning.schema import INPUTS, RESULTS, PositioningOptions
from echelon_models.positioning.stock import SafetyStock

PRICES_SHARE = 0.3  # of the time limit at most goes to pricing the limits


def solve(full: Frames, options: PositioningOptions, control: Control) -> Answer:
    """Reduce the network exactly, model and solve what is left, recover the times of all stages."""
    began = time.monotonic()
    network, limits = prepare(full, options), full["stock_limits"]
    stock = [SafetyStock(network, i) for i in range(len(network))]
    weights = members(network, full)
    problem = pose(network, stock, limits, weights)
    posed = len(problem.times)
    reduction = _reduce(problem, exactly=options.presolve and limits.empty)
    prices = _prices(problem, limits, control.options)
    outcome, chosen = _search(problem, limits, control, began)
    if outcome.termination is Termination.INFEASIBLE:
        return Answer(outcome, findings=tuple(explain(problem, limits, control.options)))
    if chosen is not None:
        plan = plan_of(network, stock, problem, reduction.recover(chosen), limited=len(limits) > 0)
    elif outcome.termination is Termination.NO_SOLUTION and not limits["hard"].any():
        plan = each_for_itself(network, stock)  # always a plan: what else was asked of it, the rules have checked
    else:
        return Answer(outcome)
    used = use_of(plan.units, limits, weights).assign(price=prices)
    outcome = _with_plan(outcome, float(plan.cost.sum()) + excess_cost(used), began)
    tables = read_plan(network, stock, full, plan, used, options, control.options.seed)
    return Answer(outcome, tables, notes=(_took(posed, problem),))


def _reduce(problem: Problem, exactly: bool) -> Reduction:
    """The problem reduced; shared limits need it whole, but for what is forbidden."""
    if exactly:
        return reduce(problem)
    drop_forbidden(problem)
    return Reduction(problem)


def _search(
    problem: Problem, limits: pd.DataFrame, control: Control, began: float
) -> tuple[Outcome, dict[int, int] | None]:
    """Solve what is left of the problem; the times (steps) of its variables, None without a plan."""
    if not problem.times and limits.empty:
        return Outcome(Termination.OPTIMAL, objective=problem.constant, bound=problem.constant, solver=highs.SOLVER), {}
    model = build(problem, limits)
    left = max(control.options.time_limit - (time.monotonic() - began), 1.0)
    options = control.options.model_copy(update={"time_limit": left})
    solution = highs.solve(model, options, progress=control.progress, log_file=control.log_file)
    outcome = replace(solution.outcome, seconds=time.monotonic() - began)
    return outcome, _times(model, problem) if outcome.has_plan else None


def _times(model: pyo.ConcreteModel, problem: Problem) -> dict[int, int]:
    """The times that a solved model chose: as many candidates after the earliest as binaries are 1."""
    return {
        v: int(times[sum(round(pyo.value(model.later[v, k])) for k in range(1, len(times)))])
        for v, times in problem.times.items()
    }


def _prices(problem: Problem, limits: pd.DataFrame, options: SolveOptions) -> list[float]:
    """What one more unit of each limit would save a year: its dual in the relaxation, which is nearly always tight.
    (With the times of a plan held nothing could move, and every price would be 0 or that of an excess.)"""
    if limits.empty:
        return []
    model = build(problem, limits, relaxed=True)
    some = options.model_copy(update={"time_limit": options.time_limit * PRICES_SHARE})
    solution = highs.solve(model, some, prices=True)
    return [max(-solution.dual(model.limit[l]), 0.0) for l in model.limits]


def _with_plan(outcome: Outcome, objective: float, began: float) -> Outcome:
    """The outcome with the plan's cost recomputed: waiting less than the model allows may even have made it cheaper."""
    gap = relative_gap(objective, outcome.bound)
    proven = gap is not None and gap <= highs.PROVEN
    return replace(
        outcome,
        termination=Termination.OPTIMAL if proven else Termination.FEASIBLE,
        limit=None if proven else outcome.limit or "other",
        objective=objective,
        gap=gap,
        seconds=time.monotonic() - began,
    )


def _took(posed: int, kernel: Problem) -> str:
    """How the case was solved, for the notes of the run."""
    left = sum(len(times) for times in kernel.times.values())
    solved = (
        "solved without a model" if not left else f"{len(kernel.times):,} with {left:,} candidates left to the model"
    )
    return f"{posed:,} times to decide: {posed - len(kernel.times):,} eliminated exactly, {solved}"


FAMILY = Family(
    name="positioning",
    summary="Where safety stock sits in a network, and how much: the service time of every stage, proven optimal",
    inputs=INPUTS,
    results=RESULTS,
    options=PositioningOptions,
    rules=RULES,
    complete=complete,
    solve=solve,
    recheck=recheck,
    kpis=kpis,
    page=page,
)
