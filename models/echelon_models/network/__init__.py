"""Network: which sites open, who serves whom."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pandas as pd
import pyomo.environ as pyo

from echelon.explain.limits import ease_limits, limit_frame
from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.highs import PROVEN
from echelon.solvers.outcome import Control, Outcome, SolveOptions, Termination, relative_gap
from echelon.tables import Frames
from echelon_models.network import changes, compare
from echelon_models.network.complete import complete
from echelon_models.network.ease import ease
from echelon_models.network.explain import explain
from echelon_models.network.formulation import build
from echelon_models.network.recheck import recheck
from echelon_models.network.report import charts
from echelon_models.network.results import comparison, kpis, limit_lines, page, read_plan, tidy
from echelon_models.network.rules import RULES
from echelon_models.network.schema import INPUTS, RESULTS, NetworkOptions
from echelon_models.network.sets import Sets, prepare
from echelon_models.network.sparse import LARGE, LARGEST, fix_sites, price_demand, thin_out
from echelon_models.network.start import FROM, round_relaxation, take_over, warm_start
from echelon_models.network.strengthen import Links
from echelon_models.network.studies import FRONTIERS

FIRST_PLAN_SHARE = 0.2  # of the time limit may go to a first plan
FIRST_PLAN_GAP = 1e-4  # at which it is good enough
PRICES_SHARE = 0.25  # of the time limit may go to the prices of a large case
LEAST_SHARE = 0.3  # and this much is left to the search
REASONS = 2  # told of a network that cannot be
EASE_SHARE = 0.05  # of the time limit, at most, goes to solving again with limits eased
OTHER_SHARE = 0.15  # of the time limit goes to each network that the plan is compared with


def solve(full: Frames, options: NetworkOptions, control: Control) -> Answer:
    """Build the model, solve it, read the plan back; explain an infeasible case; plan the networks to compare with."""
    began = time.monotonic()
    others = [*([compare.TODAY] if options.compare_today and compare.has_today(full) else []), *options.variants]
    sets = prepare(full, options)
    eases = EASE_SHARE * (control.options.explain != "off")
    search = _part(control.options, 1 - OTHER_SHARE * len(others) - eases)
    start = None if control.start is None else (full, control.start)
    how: Any = {"progress": control.progress, "log_file": control.log_file, "prices": True}
    model, sets, solution = _plan(sets, search, start, **how)
    outcome = replace(solution.outcome, seconds=time.monotonic() - began)
    if outcome.termination is Termination.INFEASIBLE:
        return Answer(outcome, findings=tuple(explain(sets, full, control.options)))
    if not outcome.has_plan:
        return Answer(outcome)
    plan = read_plan(model, sets, full, options, solution)
    if control.options.explain != "off" and solution.held is not None:
        until = time.monotonic() + EASE_SHARE * control.options.time_limit
        lines = limit_lines(model, sets)[["limit", "name", "unit", "t", "capacity", "row"]]
        rows = limit_frame(lines.itertuples(index=False, name=None), solution.held)
        plan["eased"] = ease_limits(solution.held, rows, until)
    if outcome.limit == "interrupt":
        others = []
    found = [_network(name, full, options, _part(control.options, OTHER_SHARE)) for name in others]
    if found:
        first = compare.rows("plan", plan, full, recheck(full, options, plan).costs)
        plan["comparison"] = comparison(pd.concat([first, *(rows for rows, _ in found)]))
    return Answer(outcome, plan, notes=tuple(note for _, notes in found for note in notes))


def _network(name: str, full: Frames, options: NetworkOptions, search: SolveOptions) -> tuple[pd.DataFrame, list[str]]:
    """What the comparison says of another network, planned anew and rechecked against the case that it is the plan of;
    and, where there is none, why."""
    case = compare.CASES[name](full)
    sets = prepare(case, options)
    model, sets, solution = _plan(sets, search, prices=False)
    if not solution.outcome.has_plan:
        infeasible = solution.outcome.termination is Termination.INFEASIBLE
        why = explain(sets, case, search)[:REASONS] if infeasible else []
        return compare.rows(name, None, case, {}), [f"{name} network: {finding.rule}" for finding in why]
    plan = read_plan(model, sets, case, options, solution)
    proof = recheck(case, options, plan)
    return compare.rows(name, None if proof.violations else plan, case, proof.costs), []


def _plan(
    sets: Sets, options: SolveOptions, start: tuple[Frames, Frames] | None = None, **how: Any
) -> tuple[Any, Sets, highs.Solution]:
    """(model, its case, solution). A large case is priced first: the prices point at a small model, whose plan fixes
    sites and starts the search; or, where the whole does not fit one model, is the plan."""
    began = time.monotonic()
    if len(sets.serves) <= LARGE or sets.units:
        model = build(sets)
        if start is not None:
            warm_start(model, sets, *start)
        return model, sets, _search(model, sets, options, **how)
    priced = price_demand(sets, began + PRICES_SHARE * options.time_limit)
    small = thin_out(sets, priced)
    draft = build(small)
    if start is not None:
        warm_start(draft, small, *start)
    if len(sets.serves) > LARGEST:
        solution = _search(draft, small, _rest(options, began), **how)
        return draft, small, replace(solution, outcome=_of_the_whole(solution.outcome, priced.bound))
    first = _search(draft, small, _part(options, FIRST_PLAN_SHARE).model_copy(update={"gap": FIRST_PLAN_GAP}))
    first_plan = None
    if first.outcome.has_plan:
        sets = fix_sites(sets, priced, first.outcome.objective or 0.0)
        first_plan = draft
    model = build(sets)
    return model, sets, _search(model, sets, _rest(options, began), first_plan, **how)


def _search(model: Any, sets: Sets, options: SolveOptions, draft: Any = None, **how: Any) -> highs.Solution:
    """Solve the model, from the plan in `draft` (a model of some of the serves) or from a rounding of the relaxation;
    stock lies on its cheapest piece."""
    first = options.model_copy(update={"time_limit": FIRST_PLAN_SHARE * options.time_limit, "gap": FIRST_PLAN_GAP})
    guide = highs.Guide(
        Links(model, sets),
        (lambda: round_relaxation(model, first)) if draft is None else (lambda: take_over(model, draft)),
        first_plan_from=FROM,
        fixes=True,
        interior_point=len(sets.serves) > LARGE,
    )
    solution = highs.solve(model, options, guide=guide, **how)
    outcome = solution.outcome
    if outcome.has_plan and tidy(model, sets):
        cost = float(pyo.value(model.total))
        outcome = replace(outcome, objective=cost, gap=relative_gap(cost, outcome.bound))
    return replace(solution, outcome=outcome)


def _rest(options: SolveOptions, began: float) -> SolveOptions:
    """The options with what is left of the time limit, at least a part of it."""
    left = options.time_limit - (time.monotonic() - began)
    return options.model_copy(update={"time_limit": max(left, LEAST_SHARE * options.time_limit)})


def _of_the_whole(outcome: Outcome, bound: float) -> Outcome:
    """How a search of a small model ended, in the light of the whole case: its bound is that of the prices, and where
    it found no network, there may be one."""
    if not outcome.has_plan:
        infeasible = outcome.termination is Termination.INFEASIBLE
        return replace(outcome, bound=None, termination=Termination.NO_SOLUTION if infeasible else outcome.termination)
    gap = relative_gap(outcome.objective, bound)
    proven = gap is not None and gap <= PROVEN
    termination = Termination.OPTIMAL if proven else Termination.FEASIBLE
    limit = None if proven else outcome.limit or "gap"
    return replace(outcome, termination=termination, limit=limit, bound=bound, gap=gap)


def _part(options: SolveOptions, share: float) -> SolveOptions:
    return options.model_copy(update={"time_limit": options.time_limit * share})


FAMILY = Family(
    name="network",
    summary="Which sites open, who serves whom",
    inputs=INPUTS,
    results=RESULTS,
    options=NetworkOptions,
    rules=RULES,
    complete=complete,
    solve=solve,
    recheck=recheck,
    kpis=kpis,
    page=page,
    charts=charts,
    ease=ease,
    changes=changes.RULES,
    quiet={"compare_today": False, "compare": "", "price_rules": False},
    frontiers=FRONTIERS,
)
