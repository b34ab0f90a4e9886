"""A part of a plan as a problem of its own: some tours, with their stops, some stops left out, and some idle vehicles.

A search is at its best on about a hundred stops; a larger plan is improved part by part (POPMUSIC, Taillard & Voss
2002): the tours near a stop are taken out, planned anew, and put back if they got better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import numpy as np

from echelon.errors import Violation
from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.problem import FOREVER, Bands, Problem, Route, Solution, Stop
from echelon.solvers.routing.schedule import free_docks, timetables

NEVER = ((FOREVER, FOREVER),)  # the window of a hub whose docks are always full
TOURS = 6  # of a part, at least: one or two long ones leave nothing to exchange
IDLE = 1  # vehicles not in use that a part may draw on, of each kind


PlanPart = Callable[["Part", Solution, np.ndarray, Budget, Random], Solution | None]


@dataclass(frozen=True)
class Planner:
    """How parts are planned anew: `plan(part, start, admits, budget, random)` gives a plan of the part or None; a part
    has about `size` stops."""

    plan: PlanPart
    size: int


@dataclass(frozen=True)
class Part:
    """`problem` is the part's own; `stops` and `vehicles` are the whole's indices of its stops and vehicles."""

    problem: Problem
    stops: tuple[int, ...]
    vehicles: tuple[int, ...]

    def inside(self, solution: Solution) -> Solution:
        """The whole plan's tours of this part, in the part's own indices."""
        stop_of = {i: k for k, i in enumerate(self.stops)}
        vehicle_of = {v: k for k, v in enumerate(self.vehicles)}
        routes = [
            Route(vehicle_of[r.vehicle], tuple(tuple(stop_of[i] for i in trip) for trip in r.trips), r.hubs)
            for r in solution.routes
            if r.vehicle in vehicle_of
        ]
        return Solution.of(self.problem, routes)

    def into(self, whole: Problem, solution: Solution, planned: Solution) -> Solution:
        """The whole plan with this part planned anew."""
        taken = set(self.vehicles)
        routes = [r for r in solution.routes if r.vehicle not in taken]
        routes += [
            Route(self.vehicles[r.vehicle], tuple(tuple(self.stops[i] for i in trip) for trip in r.trips), r.hubs)
            for r in planned.routes
        ]
        return Solution.of(whole, routes)


def improve(
    problem: Problem, budget: Budget, best: Best, admits: np.ndarray, planners: Sequence[Planner], seed: int
) -> None:
    """Plan part after part anew, by one planner after the other, until the budget is over. `admits[stop, vehicle]` says
    who may come; a stop that none admits is in no part."""
    random = Random(seed)
    possible = np.flatnonzero(admits.any(axis=1)).tolist()
    turns = Turns(possible, random)
    rounds = 0
    while possible and not budget.over(rounds):
        best.listen()
        planner = planners[rounds % len(planners)]
        if len(possible) <= planner.size:
            part = part_of(problem, possible, range(len(problem.vehicles)))
        else:
            part = near(problem, best.solution, turns.next(problem, best.solution), possible, planner.size)
            turns.taken(part.stops)
        part = with_free_docks(problem, best.solution, part)
        start = part.inside(best.solution)
        if part.stops:
            planned = planner.plan(part, start, admits[np.ix_(part.stops, part.vehicles)], budget, random)
            if planned is not None and planned != start:
                best.offer(part.into(problem, best.solution, planned))
        rounds += 1


def with_free_docks(whole: Problem, solution: Solution, part: Part) -> Part:
    """The part in whose hubs windows are open only while tours outside it leave a dock free."""
    if all(hub.docks is None for hub in whole.hubs):
        return part
    tours = timetables(whole, solution)
    assert not isinstance(tours, Violation), tours
    outside = [tour for tour in tours if tour.route.vehicle not in part.vehicles]
    windows = free_docks(whole, outside)
    open_hubs = tuple(replace(hub, windows=w or NEVER) for hub, w in zip(part.problem.hubs, windows, strict=True))
    return replace(part, problem=replace(part.problem, hubs=open_hubs))


def part_of(problem: Problem, stops: Sequence[int], vehicles: Sequence[int]) -> Part:
    """The problem of these stops and vehicles alone, with the places that they and the hubs are at."""
    number = {v: k for k, v in enumerate(vehicles)}
    chosen = [problem.stops[i] for i in stops]
    fleet = [problem.vehicles[v] for v in vehicles]
    ends = {place for v in fleet for place in (v.start, v.end)}
    places = sorted(ends | {stop.place for stop in chosen} | {hub.place for hub in problem.hubs})
    at = {place: k for k, place in enumerate(places)}

    def renumbered(stop: Stop) -> Stop:
        named = stop.vehicles
        named = named if named is None else frozenset(number[v] for v in named if v in number)
        return replace(stop, place=at[stop.place], vehicles=named)

    def between(matrix: np.ndarray | Bands) -> Any:
        if isinstance(matrix, Bands):
            return replace(matrix, matrices=tuple(between(m) for m in matrix.matrices))
        return matrix[np.ix_(places, places)]

    part = Problem(
        stops=tuple(renumbered(stop) for stop in chosen),
        vehicles=tuple(replace(v, start=at[v.start], end=at[v.end]) for v in fleet),
        distances=tuple(between(matrix) for matrix in problem.distances),
        durations=tuple(between(given) for given in problem.durations),
        hubs=tuple(replace(hub, place=at[hub.place]) for hub in problem.hubs),
    )
    return Part(part, tuple(stops), tuple(vehicles))


def near(problem: Problem, solution: Solution, first: int, possible: Sequence[int], size: int) -> Part:
    """The tours nearest to a stop, with about `size` stops, of these stops left out those that lie nearest, and a few
    vehicles that are not in use."""
    seed = problem.stops[first].place
    ways = problem.distances[0][seed] + problem.distances[0][:, seed]

    def far(stop: int) -> int:
        return int(ways[problem.stops[stop].place])

    def away(route: Route) -> tuple[bool, int]:
        return first not in route.stops, sorted(far(i) for i in route.stops)[: 1 + len(route.stops) // 4][-1]

    chosen: list[int] = []
    vehicles: list[int] = []
    for route in sorted(solution.routes, key=away):
        if len(vehicles) >= TOURS and len(chosen) + len(route.stops) > size:
            break
        chosen += route.stops
        vehicles.append(route.vehicle)
    out = sorted(set(possible) & set(solution.left_out), key=far)
    chosen += out[: max(size // 4, size - len(chosen))]
    idle = sorted(_idle(problem, solution), key=lambda v: int(ways[problem.vehicles[v].start]))
    spare = len(idle) if out else min(len(vehicles), len(idle))
    return part_of(problem, sorted(chosen), sorted(vehicles + idle[:spare]))


class Turns:
    """Whose turn it is: a stop that has been in fewest parts so far; while stops that must be visited are out, half of
    the time one of these."""

    def __init__(self, stops: Sequence[int], random: Random):
        self.times = dict.fromkeys(stops, 0)
        self.random = random

    def next(self, problem: Problem, solution: Solution) -> int:
        waiting = [i for i in solution.left_out if problem.stops[i].loss is None and i in self.times]
        if waiting and self.random.random() < 0.5:
            return self.random.choice(waiting)
        fewest = min(self.times.values())
        return self.random.choice([i for i, times in self.times.items() if times == fewest])

    def taken(self, stops: Sequence[int]) -> None:
        for i in stops:
            self.times[i] += 1


def _idle(problem: Problem, solution: Solution) -> list[int]:
    """Vehicles that are not in use, at most IDLE of each kind."""
    used = {route.vehicle for route in solution.routes}
    found: dict[int, list[int]] = {}
    for index, kind in enumerate(problem.kinds):
        if index not in used:
            found.setdefault(kind, []).append(index)
    return [index for alike in found.values() for index in alike[:IDLE]]
