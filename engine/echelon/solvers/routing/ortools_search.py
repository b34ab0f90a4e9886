"""The search with OR-Tools alone: a first plan, then part after part planned anew."""

from __future__ import annotations

import time
from functools import partial
from random import Random

import numpy as np

from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.insertion import insert, without
from echelon.solvers.routing.ortools_first import first_plan
from echelon.solvers.routing.ortools_iterated import guided, iterated, plan_anew
from echelon.solvers.routing.ortools_model import needs_time
from echelon.solvers.routing.parts import Part, Planner, improve
from echelon.solvers.routing.problem import Problem, Solution

PART = 60  # stops of a part
LARGE = 200  # stops of a large part
TURNS = 6  # times that parts cover the problem before a large one: quick, but soon only wider changes help
TURNS_IN_TIME = 10  # and where tours are timed and the problem does not fit into a large one, which then gains little
PART_SECONDS = 2.0  # for a part, at most
LARGE_SECONDS = 8.0  # for a large one
INSERTIONS = 40  # times that stops are taken out and put back in one round, at most
PART_PLANS = 1.5  # plans looked at for each stop of a part
PLANS_IN_TIME = 5.0  # and of a part of such a problem
RECREATED_PLANS = 3.0  # and where each is only recreated
LARGE_PLANS = 50.0  # and of a large one


def search(problem: Problem, budget: Budget, best: Best, admits: np.ndarray, seed: int = 0) -> None:
    """Improve `best` until the budget is over. `admits[stop, vehicle]` says who may come."""
    first_plan(problem, budget, best, admits, seed)
    improve(problem, budget, best, admits, planners(problem), seed)


def planners(problem: Problem) -> list[Planner]:
    """Iterated local search. Where stops are optional, guided local search takes turns with it; where vehicles reload
    or docks are few, exact insertion does, which opens and closes trips as one step."""
    optional = any(stop.loss is not None for stop in problem.stops)
    by_trips = any(v.max_reloads for v in problem.vehicles) or any(h.docks is not None for h in problem.hubs)
    timed = needs_time(problem)
    long = timed and len(problem.stops) > LARGE
    small = Planner(partial(_iterated, plans=PLANS_IN_TIME if long else PART_PLANS) if timed else _recreated, PART)
    large = Planner(partial(_iterated, plans=LARGE_PLANS, seconds=LARGE_SECONDS), LARGE)
    turns = [small, *[Planner(_guided, PART)] * optional, *[Planner(_reinserted, PART)] * by_trips]
    quick = [*turns, small]
    covers = TURNS_IN_TIME if long else TURNS
    turns_of_each = -(-covers * len(problem.stops) // (PART * len(quick)))
    return [*quick * turns_of_each, large]


def _iterated(
    part: Part,
    start: Solution,
    admits: np.ndarray,
    budget: Budget,
    random: Random,
    plans: float,
    seconds: float = PART_SECONDS,
) -> Solution | None:
    return plan_anew(part.problem, start, admits, iterated(len(part.stops), budget, plans, seconds), random)


def _recreated(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution | None:
    limits = iterated(len(part.stops), budget, RECREATED_PLANS, PART_SECONDS)
    limits.iterated_local_search_parameters.improve_perturbed_solution = False
    return plan_anew(part.problem, start, admits, limits, random)


def _guided(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution | None:
    limits = guided(len(part.stops), budget, PART_PLANS, PART_SECONDS)
    return plan_anew(part.problem, start, admits, limits, random)


def _reinserted(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution:
    """The part after some rounds of taking stops out and putting them back, each where it costs least."""
    until = time.monotonic() + min(PART_SECONDS, budget.left)
    best = Best(part.problem, start)
    for tries in range(INSERTIONS):
        if budget.rounds is None and time.monotonic() > until:
            break
        served = [i for route in best.solution.routes for i in route.stops]
        out = set(random.sample(served, min(len(served), random.randint(1, 6))))
        if tries % 2 and best.solution.routes:
            out = set(random.choice(best.solution.routes).stops)
        kept = [without(route, out) for route in best.solution.routes]
        back = [*out, *best.solution.left_out]
        random.shuffle(back)
        best.offer(insert(part.problem, Solution.of(part.problem, kept), back, admits))
    return best.solution
