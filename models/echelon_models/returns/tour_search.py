"""The search for tours as a case asks for it: by the clock or by steps, each part that stands for itself on its own."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from random import Random

import numpy as np

from echelon.solvers.outcome import Control
from echelon.solvers.routing.budget import Budget
from echelon.solvers.routing.insertion import insert
from echelon.solvers.routing.parts import part_of
from echelon.solvers.routing.problem import Problem, Solution
from echelon.solvers.routing.search import ORTOOLS, PYVRP, solve
from echelon_models.returns.clock import DAY
from echelon_models.returns.coordinate import Search, Tours
from echelon_models.returns.schema import ReturnsOptions
from echelon_models.returns.tours import Fleet

FIRST = "first plan"  # who found a plan that no search bettered
FEW = 12  # stops that a few steps plan as well as any time would
FEW_STEPS = 1
SECONDS = 0.1  # for each stop of what is searched at a time
SPAWN_FROM = 20.0  # seconds of a search from which processes of its own are worth their start


def tour_search(fleet: Fleet, options: ReturnsOptions, control: Control) -> Search:
    """A search (problem, plan to start from, seconds) -> tours. Parts that stand for themselves (an assignment leaves
    one a day) are searched one by one; what days share is searched two days at a time."""
    admits, seed = fleet.admits, control.options.seed
    use = (ORTOOLS,) if options.pyvrp == "off" else (ORTOOLS, PYVRP)

    def find(problem: Problem, start: Solution | None, seconds: float) -> Tours:
        deadline = time.monotonic() + seconds
        plan = Tours(_filled(problem, start or Solution(), admits), FIRST)
        parts = [part for part in components(problem) if part[1]]  # no vehicle may come to the others
        left = sum(len(stops) for stops, _ in parts)
        for stops, vehicles in parts:
            until = time.monotonic() + (deadline - time.monotonic()) * len(stops) / left
            for some, of in _pairs_of_days(problem, stops, vehicles, until):
                if options.steps or len(stops) <= FEW or time.monotonic() < until:
                    plan = _part(problem, plan, some(plan.solution), of, until)
            left -= len(stops)
        return plan

    def _part(problem: Problem, plan: Tours, stops: list[int], vehicles: list[int], until: float) -> Tours:
        part = part_of(problem, stops, vehicles)
        steps = options.steps or (FEW_STEPS if len(stops) <= FEW else None)
        seconds = max(min(max(len(stops) * SECONDS, 1.0), until - time.monotonic()), 0.1)
        threads = 1 if steps or seconds < SPAWN_FROM else control.options.threads
        budget = Budget(time.monotonic() + (control.options.time_limit if steps else seconds), steps)
        start = part.inside(plan.solution)
        found = solve(part.problem, budget, threads=threads, seed=seed, start=start, use=use)
        better = found.solution != start
        finder = found.found_by if better else plan.finder
        return Tours(part.into(problem, plan.solution, found.solution), finder, (*plan.notes, *found.notes))

    def _pairs_of_days(
        problem: Problem, stops: list[int], vehicles: list[int], until: float
    ) -> Iterator[tuple[Callable[[Solution], list[int]], list[int]]]:
        """(what of the plan to search again, by which vehicles): all stops where they are few or all on a day; else
        those of two days and those left out, pair after pair in random order while there is time."""
        days = sorted({fleet.shifts[v].t for v in vehicles})
        if len(days) <= 2 or len(stops) <= FEW:
            yield lambda plan: stops, vehicles
            return
        random, pairs = Random(seed), list(itertools.combinations(days, 2))
        while True:
            random.shuffle(pairs)
            for pair in pairs:
                if time.monotonic() > until and not options.steps:
                    return
                of = [v for v in vehicles if fleet.shifts[v].t in pair]
                yield _stops_of(problem, stops, of), of
            if options.steps:
                return

    return find


def _stops_of(problem: Problem, stops: list[int], vehicles: list[int]) -> Callable[[Solution], list[int]]:
    """Of these stops those that a plan serves with these vehicles, and those that it leaves though one of them may
    come."""

    def chosen(plan: Solution) -> list[int]:
        served = {i for route in plan.routes if route.vehicle in set(vehicles) for i in route.stops}
        out = set(plan.left_out)
        return [i for i in stops if i in served or (i in out and any(problem.may_come(i, v) for v in vehicles))]

    return chosen


def _filled(problem: Problem, start: Solution, admits: np.ndarray) -> Solution:
    """The tours with what they leave out put in where it pays, the dearest to leave first."""
    may_come = [[problem.may_come(i, v) for v in range(len(problem.vehicles))] for i in range(len(problem.stops))]
    left = sorted(Solution.of(problem, start.routes).left_out, key=lambda i: -(problem.stops[i].loss or 0))
    return insert(problem, start, left, admits & np.array(may_come))


def components(problem: Problem) -> Iterator[tuple[list[int], list[int]]]:
    """(stops, vehicles) of the parts that have nothing to do with each other: no vehicle may come to stops of two
    parts, and, where hubs have docks, vehicles of two parts do not work on the same day."""
    of_vehicle: dict[int, list[int]] = {}
    for i, stop in enumerate(problem.stops):
        for v in stop.vehicles if stop.vehicles is not None else range(len(problem.vehicles)):
            of_vehicle.setdefault(v, []).append(i)
    leader = list(range(len(problem.stops)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    docks = any(hub.docks is not None for hub in problem.hubs)
    busy: dict[int, int] = {}
    for v, stops in sorted(of_vehicle.items()):
        meeting = [*stops, busy.setdefault(problem.vehicles[v].shift[0] // DAY, stops[0])] if docks else stops
        for i in meeting[1:]:
            leader[find(i)] = find(meeting[0])
    parts: dict[int, list[int]] = {}
    for i in range(len(problem.stops)):
        parts.setdefault(find(i), []).append(i)
    for stops in parts.values():
        inside = set(stops)
        yield stops, [v for v, of in sorted(of_vehicle.items()) if of[0] in inside]
