"""The search for the best award: in one model, or with many scenarios by prices of what items share, or by cuts in
rounds."""

from __future__ import annotations

import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pyomo.environ as pyo

from echelon.solvers import highs
from echelon.solvers.again import Again
from echelon.solvers.outcome import Control, Outcome, SolveOptions, Termination, relative_gap
from echelon.solvers.watch import Watch
from echelon_models.allocation.awards import Awards, Values, warm_start
from echelon_models.allocation.benders import Scenarios, measured
from echelon_models.allocation.by_item import block_of
from echelon_models.allocation.formulation import build
from echelon_models.allocation.mixture import mixed
from echelon_models.allocation.prices.coordinate import award_by_prices
from echelon_models.allocation.prices.splits import can_list
from echelon_models.allocation.rebate_cuts import rebate_cuts
from echelon_models.allocation.recourse import lost_arcs
from echelon_models.allocation.sets import Sets
from echelon_models.allocation.start import first_award

LARGE = 15_000  # chances to deliver more in a scenario from which on the scenarios are decomposed
ROUNDS = 20  # of award and cuts, at most
START_SHARE = 0.4  # of the time limit of a search goes to the first plan of a large case at most
FIRST_SHARE = 0.7  # of the time limit goes to the first round of a decomposed case at most,
RELAX_SHARE = 0.38  # of which goes to its relaxation
CUTS_UNTIL = 0.98  # share of the time limit at which cuts around an award found by prices end
EMPTY = 1e-6  # units: an award of less is none


@dataclass
class Found:
    """A search's end: the model with the plan in its variables (if there is one), how it ended, each scenario's
    recourse cost, whether the scenarios were decomposed, and how many splits of items were made if by prices."""

    model: Any
    scenarios: Scenarios
    outcome: Outcome
    costs: dict[str, float]
    solution: highs.Solution
    decomposed: bool
    splits: int = 0


def find(sets: Sets, control: Control, start: Values | None = None, prices: bool = False) -> Found:
    """The best award within the time limit; `start` is an earlier one (see `values_of`)."""
    began = time.monotonic()
    scenarios = Scenarios(sets)
    large = chances(sets) > LARGE
    decomposed = sets.options.decompose == "always" or (sets.options.decompose == "auto" and large)
    decomposed = decomposed and bool(scenarios.all)
    model = build(sets, decomposed=decomposed)
    if start is not None:
        warm_start(model, start)
    left = control.options.time_limit - (time.monotonic() - began)  # many scenarios take a while to set up
    control = replace(control, options=part_of_time(control.options, left))
    if decomposed and large and start is None and can_list(sets):
        return find_by_prices(model, sets, scenarios, control, prices)
    search = find_by_cuts if decomposed else find_at_once
    return search(model, sets, scenarios, control, prices)


def guide_of(model: Any, sets: Sets, scenarios: Scenarios, time_limit: float) -> highs.Guide:
    """How a large search of one model tightens its relaxation, finds its first plan and improves it."""
    return highs.Guide(
        tighten=lambda: rebate_cuts(model, sets),
        first_plan=lambda: first_award(model, sets, scenarios, START_SHARE * time_limit),
        block_of=block_of(sets),
    )


def chances(sets: Sets) -> int:
    """How many variables the recourse of all scenarios in one model would have, about."""
    hit = {w: {i for _, i, _ in lost_arcs(sets, w)} for w in sets.scenarios}
    arcs_of = dict.fromkeys(sets.suppliers_of, 0)
    for _, i, _ in sets.arcs:
        arcs_of[i] += 1
    return sum(arcs_of[i] for items in hit.values() for i in items)


def find_at_once(model: Any, sets: Sets, scenarios: Scenarios, control: Control, prices: bool) -> Found:
    """The award and the recourse of all scenarios in one model."""
    solution = highs.solve(
        model, control.options, progress=control.progress, log_file=control.log_file, prices=prices,
        guide=guide_of(model, sets, scenarios, control.options.time_limit),
    )  # fmt: skip
    if not solution.outcome.has_plan:
        return Found(model, scenarios, solution.outcome, {}, solution, decomposed=False)
    costs = settle(model, sets, scenarios)
    objective = float(pyo.value(model.plan_cost)) + measured(costs, sets)
    outcome = with_objective(solution.outcome, objective, solution.outcome.bound)
    return Found(model, scenarios, outcome, costs, solution, decomposed=False)


def find_by_prices(model: Any, sets: Sets, scenarios: Scenarios, control: Control, prices: bool) -> Found:
    """The award by prices of what items share; by cuts where that finds none in its share of the time. Who stops gets
    what was found until then, at once."""
    with Watch(control.options, control.progress, control.log_file) as watch:
        priced = award_by_prices(sets, watch)
    awards = Awards(model, sets, scenarios)
    if priced.award is not None:
        warm_start(model, priced.award)
        for variable in (model.risk, model.expected):
            variable.set_value(variable.lb)  # the cuts here say more
        settle(model, sets, scenarios)
        awards.cuts_here()
    if awards.best is None and not watch.interrupted:
        left = part_of_time(control.options, control.options.time_limit - watch.seconds)
        return find_by_cuts(model, sets, scenarios, replace(control, options=left), prices)
    termination = Termination.NO_SOLUTION if awards.best is None else Termination.FEASIBLE
    ended = Outcome(termination, limit="interrupt" if watch.interrupted else "time", solver=highs.SOLVER)
    if not watch.interrupted:
        _cut_around(model, awards, watch.until(CUTS_UNTIL))
    found = _end_of_rounds(model, scenarios, highs.Solution(ended), awards, priced.bound, watch.seconds)
    found.splits = priced.splits
    if prices and found.outcome.has_plan:
        found.solution.held = highs.hold(model, control.options)
    return found


def _cut_around(model: Any, awards: Awards, until: float) -> None:
    """Move the best award's quantities, who is awarded held, to where the cuts so far say, and cut there: prices of
    limits rest on these cuts."""
    awards.to_best()
    held = [variable for variable in model.component_data_objects(pyo.Var) if variable.is_binary()]
    whole = [round(variable.value) for variable in held]
    for _ in range(ROUNDS):
        if time.monotonic() >= until:
            break
        again = Again(model, relaxed=True)
        again.fix(again.columns(held), whole)
        solved = again.solve(until - time.monotonic())
        if solved is None:
            break
        again.load(solved)
        if not awards.cuts_here():
            break


def find_by_cuts(model: Any, sets: Sets, scenarios: Scenarios, control: Control, prices: bool) -> Found:
    """The award by rounds: solve it with the cuts so far (a relaxation, so its bound holds), price it in every
    scenario, add cuts there; until the best award seen is within the gap of the bound."""
    options, began = control.options, time.monotonic()
    awards = Awards(model, sets, scenarios)
    guide = replace(
        guide_of(model, sets, scenarios, FIRST_SHARE * options.time_limit),
        tighten=lambda: [*rebate_cuts(model, sets), *awards.cuts_near()],
        check=awards.cuts_here,
        rounds_until=RELAX_SHARE,
        improve_until=1.0,
    )
    large = sum(v.is_integer() for v in model.component_data_objects(pyo.Var)) >= guide.first_plan_from
    bound, solution = None, None
    for n in range(ROUNDS):
        left = options.time_limit - (time.monotonic() - began)
        if n and left < 0.02 * options.time_limit:
            break
        once = n == 1 and large  # rounds without the mixture are what a bound beyond its own needs
        with mixed(model, left) if once else nullcontext():
            left = options.time_limit - (time.monotonic() - began)
            part = {"time_limit": max(left * FIRST_SHARE if n == 0 else left, 0.01), "gap": options.gap / 2}
            solution = highs.solve(
                model, options.model_copy(update=part), progress=control.progress, log_file=control.log_file,
                guide=guide if n == 0 else None,
            )  # fmt: skip
        bound = max((b for b in (bound, solution.outcome.bound) if b is not None), default=None)
        if not solution.outcome.has_plan:
            if solution.outcome.termination is Termination.NO_SOLUTION and solution.outcome.limit == "time":
                continue  # the next round has all the time that is left
            break
        settle(model, sets, scenarios)
        added = awards.cuts_here()
        gap = relative_gap(awards.objective, bound) if awards.best is not None else None
        if (gap is not None and gap <= max(options.gap, 1e-9)) or solution.outcome.limit == "interrupt":
            break
        if not added and solution.outcome.gap is not None and solution.outcome.gap <= 1e-9:
            break
        awards.to_best()
    assert solution is not None
    found = _end_of_rounds(model, scenarios, solution, awards, bound, time.monotonic() - began)
    if prices and found.outcome.has_plan:
        found.solution.held = highs.hold(model, options)
    return found


def _end_of_rounds(
    model: Any, scenarios: Scenarios, solution: highs.Solution, awards: Awards, bound: float | None, seconds: float
) -> Found:
    """The best award of all rounds, in the model again."""
    if awards.best is None:
        ended = solution.outcome
        if ended.has_plan:  # awards were found, but none within the cost limit
            ended = replace(ended, termination=Termination.NO_SOLUTION, limit="time", objective=None, gap=None)
        return Found(model, scenarios, replace(ended, seconds=seconds), {}, solution, decomposed=True)
    awards.to_best()
    costs = scenarios.costs(model)
    outcome = with_objective(replace(solution.outcome, seconds=seconds), awards.objective, bound)
    return Found(model, scenarios, outcome, costs, solution, decomposed=True)


def with_objective(outcome: Outcome, objective: float, bound: float | None) -> Outcome:
    """The outcome of an award that costs `objective`: proven optimal only where the bound says so."""
    gap = relative_gap(objective, bound)
    proven = gap is not None and gap <= highs.PROVEN
    termination = Termination.OPTIMAL if proven else Termination.FEASIBLE
    limit = None if proven else outcome.limit or "gap"
    return replace(outcome, objective=objective, bound=bound, gap=gap, termination=termination, limit=limit)


def settle(m: Any, sets: Sets, scenarios: Scenarios) -> dict[str, float]:
    """Take back awards of nothing that no scenario and no survival needs (a search that ends at a gap, or for which an
    award is free, may leave some); returns each scenario's recourse cost."""
    costs = scenarios.costs(m)
    helps = {arc[1:3] for w in scenarios.all for arc, v in w.model.extra.items() if v.value > EMPTY}
    helps |= {key[2:4] for key, v in m.backup.items() if v.value > EMPTY}
    counted = sets.options.min_suppliers > 1
    for s, i in m.pairs:
        empty = sum(m.quantity[s, i, l].value for l in sets.sites_of[s, i]) <= EMPTY
        if empty and (s, i) not in helps and not counted and sets.items[i].min_suppliers <= 1:
            m.award[s, i].set_value(0)
            for k in range(len(m.price_steps.get((s, i), ()))):
                m.price[s, i, k].set_value(0)
                m.price_quantity[s, i, k].set_value(0.0)
    for s in m.suppliers:
        if all(m.award[s, i].value < 0.5 for i in sets.items_of[s]):
            m.used[s].set_value(0)
            for k in range(len(m.rebate_steps.get(s, ()))):
                m.tier[s, k].set_value(0)
                m.tier_spend[s, k].set_value(0.0)
    return costs


def part_of_time(options: SolveOptions, seconds: float) -> SolveOptions:
    return options.model_copy(update={"time_limit": max(seconds, 0.01)})
