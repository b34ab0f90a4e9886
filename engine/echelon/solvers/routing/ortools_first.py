"""First plans with OR-Tools: constructions of the whole, and of large problems piece by piece.

A stop that must be visited and finds no place is left out and named: one impossible stop never empties the plan.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random

import numpy as np
from ortools.constraint_solver import pywrapcp

from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.insertion import insert, squeeze
from echelon.solvers.routing.ortools_iterated import Strategy, iterated, milliseconds, plan_anew, sound
from echelon.solvers.routing.ortools_model import RoutingModel, needs_time
from echelon.solvers.routing.parts import Part, part_of, with_free_docks
from echelon.solvers.routing.problem import Problem, Solution

TIMED = (Strategy.PARALLEL_CHEAPEST_INSERTION, Strategy.PARALLEL_SAVINGS, Strategy.PATH_CHEAPEST_ARC)
UNTIMED = (Strategy.PARALLEL_SAVINGS, Strategy.PARALLEL_CHEAPEST_INSERTION, Strategy.PATH_CHEAPEST_ARC)
SHARE = 0.2  # of the time that is left, for each step towards a first plan
SECONDS = 6.0  # for all pieces, at most
SAVINGS_BYTES = 1e9  # that savings may take
WHOLE = 150  # stops up to which a problem is constructed as a whole
PIECE = 60  # stops of a piece of a larger one
HOMES = 3  # places at which vehicles of a piece start, at most
PIECE_PLANS = 1.5  # plans looked at for each stop of a piece


def first_plan(problem: Problem, budget: Budget, best: Best, admits: np.ndarray, seed: int = 0) -> None:
    """Give `best` a plan if it has none: a large problem with times piece by piece; then by several constructions of
    the whole, until one, with what it left out put in as far as it fits, serves all that must be visited."""
    possible = np.flatnonzero(admits.any(axis=1)).tolist()
    if not possible or best.solution.routes:
        return
    hopeless = sum(stop.loss is None for stop in problem.stops) - sum(problem.stops[i].loss is None for i in possible)
    timed = needs_time(problem)
    if timed and len(possible) > WHOLE:
        plan = sound(problem, _by_pieces(problem, possible, admits, budget, Random(seed)))
        best.offer(_completed(problem, plan, possible, admits, budget))
    for strategy in TIMED if timed else UNTIMED:
        if best.worth[0] > hopeless and not (best.solution.routes and budget.over(0)):
            plan = sound(problem, _constructed(problem, possible, admits, strategy, SHARE * budget.left))
            best.offer(_completed(problem, plan, possible, admits, budget))


def _constructed(
    problem: Problem, possible: Sequence[int], admits: np.ndarray, strategy: int, seconds: float
) -> Solution:
    """A plan by one of OR-Tools' constructions; an empty one if it finds none in time."""
    model = RoutingModel(problem, possible, admits, may_drop=True)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = strategy
    parameters.solution_limit = 1
    parameters.savings_parameters.max_memory_usage_bytes = SAVINGS_BYTES
    parameters.time_limit.FromMilliseconds(milliseconds(seconds))
    found = model.routing.SolveWithParameters(parameters)
    return Solution() if found is None else model.solution(found)


def _by_pieces(
    problem: Problem, possible: Sequence[int], admits: np.ndarray, budget: Budget, random: Random
) -> Solution:
    """Cluster first, route second: piece after piece from the outside in, each planned with its share of the vehicles.
    What a piece leaves out, stops and vehicles, the later ones may take."""
    plan = Solution.of(problem, ())
    out, idle = list(possible), list(range(len(problem.vehicles)))
    until = time.monotonic() + min(SECONDS, SHARE * budget.left)
    for left in range(-(-len(out) // PIECE), 0, -1):
        if not out or not idle:
            break
        piece = with_free_docks(problem, plan, _piece(problem, out, idle, left, admits, random))
        inside = admits[np.ix_(piece.stops, piece.vehicles)]
        seconds = max(0.0, until - time.monotonic()) / left
        limits = iterated(len(piece.stops), budget, PIECE_PLANS, seconds)
        planned = plan_anew(piece.problem, piece.inside(plan), inside, limits, random)
        if planned is not None:
            plan = piece.into(problem, plan, planned)
            used, waiting = {route.vehicle for route in plan.routes}, set(plan.left_out)
            out, idle = [i for i in out if i in waiting], [v for v in idle if v not in used]
    return plan


def _piece(
    problem: Problem, out: Sequence[int], idle: Sequence[int], left: int, admits: np.ndarray, random: Random
) -> Part:
    """One of `left` pieces that these stops and vehicles are yet to make: the stops near the one farthest out, and the
    vehicles that start nearest to them, with as large a share of the capacity as the stops have of the loads."""
    ways = problem.distances[0]
    homes = sorted({problem.vehicles[v].start for v in idle})
    farthest = max((problem.stops[i].place for i in out), key=lambda place: int(ways[homes, place].min()))
    stops = sorted(out, key=lambda i: int(ways[farthest, problem.stops[i].place]))[: -(-len(out) // left)]
    places = [problem.stops[i].place for i in stops]
    away = {home: float(ways[home, places].mean()) for home in homes}
    able = [v for v in random.sample(idle, len(idle)) if admits[stops, v].any()] or list(idle)
    share = _load_share(problem, stops, out)
    chosen: list[int] = []
    for home in sorted(homes, key=away.__getitem__)[:HOMES]:
        chosen += _share(problem, share, [v for v in able if problem.vehicles[v].start == home], able)
    return part_of(problem, sorted(stops), sorted(chosen or able))


def _share(problem: Problem, share: float, vehicles: Sequence[int], of: Sequence[int]) -> Sequence[int]:
    """As many of these vehicles as have this share of the capacity of those others."""
    capacity = np.array([problem.vehicles[v].capacity for v in of], dtype=float).sum(axis=0)
    have = 0.0
    for number, v in enumerate(vehicles):
        if have >= share - 1e-9:
            return vehicles[:number]
        have += float((problem.vehicles[v].capacity / np.maximum(capacity, 1.0)).mean())
    return vehicles


def _load_share(problem: Problem, stops: Sequence[int], of: Sequence[int]) -> float:
    """The share that some stops have of the loads of these: the largest of any dimension, picked up or delivered."""

    def loads(chosen: Sequence[int]) -> np.ndarray:
        return np.array([(problem.stops[i].pickup, problem.stops[i].delivery) for i in chosen], dtype=float).sum(axis=0)

    return max(len(stops) / len(of), float((loads(stops) / np.maximum(loads(of), 1.0)).max(initial=0.0)))


def _completed(
    problem: Problem, plan: Solution, possible: Sequence[int], admits: np.ndarray, budget: Budget
) -> Solution:
    """The plan with what it left out inserted where it fits, within a share of the time, stops that must be visited
    first; those that fit nowhere where smaller ones make room."""
    until = time.monotonic() + SHARE * budget.left
    counted = budget.rounds is not None

    def is_over() -> bool:
        return not counted and time.monotonic() > until

    able = set(possible)
    out = sorted(
        able & set(Solution.of(problem, plan.routes).left_out), key=lambda i: problem.stops[i].loss is not None
    )
    return squeeze(problem, insert(problem, plan, out, admits, is_over), admits, is_over)
