"""The search with OR-Tools alone: a first plan, then part after part planned anew by iterated local search.

A part is improved by ruin and recreate with removal of strings of stops (SISR, Christiaens & Vanden Berghe 2020) under
simulated annealing, from the plan so far. A stop that must be visited and finds no place is left out and named: one
impossible stop never empties the plan.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from random import Random

import numpy as np
from google.protobuf import text_format
from ortools.constraint_solver import pywrapcp, routing_enums_pb2, routing_parameters_pb2

from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.insertion import insert, without
from echelon.solvers.routing.ortools_model import RoutingModel
from echelon.solvers.routing.parts import Part, Planner, improve, part_of
from echelon.solvers.routing.problem import FOREVER, Problem, Solution
from echelon.solvers.routing.schedule import Timetable, free_docks, schedule

Strategy = routing_enums_pb2.FirstSolutionStrategy
Metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic
CHAIN = (  # ways to a first plan, each with the number of stops up to which the problem is constructed as a whole
    (Strategy.PARALLEL_CHEAPEST_INSERTION, 150),
    (Strategy.PARALLEL_SAVINGS, FOREVER),
    (Strategy.PATH_CHEAPEST_ARC, FOREVER),
)
FIRST_SHARE = 0.2  # of the time that is left, for each step towards a first plan
SAVINGS_BYTES = 1e9  # that savings may take
PIECE = 75  # stops of a piece of a larger problem
PART = 50  # stops of a part
QUICK_TURNS = 4  # times that such parts cover the problem before a large one: quick, but soon only wider changes help
LARGE = 200  # stops of a large part
PART_SECONDS = 2.0  # for a part, at most
LARGE_SECONDS = 8.0  # for a large one
INSERTIONS = 40  # times that stops are taken out and put back in one round, at most
PART_PLANS = 1.5  # plans looked at for each stop of a part
LARGE_PLANS = 5.0  # and of a large one

LOCAL_SEARCH = """
first_solution_strategy: EVALUATOR_STRATEGY
use_iterated_local_search: true
iterated_local_search_parameters {
  perturbation_strategy: RUIN_AND_RECREATE
  ruin_recreate_parameters {
    ruin_strategies { sisr { max_removed_sequence_size: 10 avg_num_removed_visits: 15 bypass_factor: 0.01 } }
    ruin_composition_strategy: RUN_ALL_SEQUENTIALLY
    recreate_strategy {
      heuristic: LOCAL_CHEAPEST_INSERTION
      parameters { local_cheapest_insertion { insertion_sorting_properties: SORTING_PROPERTY_RANDOM } }
    }
    route_selection_neighbors_ratio: 1.0
    route_selection_min_neighbors: 10
    route_selection_max_neighbors: 100
  }
  improve_perturbed_solution: true
  reference_solution_acceptance_strategy {
    simulated_annealing { automatic_temperatures: true cooling_schedule_strategy: EXPONENTIAL }
  }
}
local_search_operators {
  use_lin_kernighan: BOOL_FALSE
  use_global_cheapest_insertion_path_lns: BOOL_FALSE
  use_local_cheapest_insertion_path_lns: BOOL_FALSE
  use_relocate_path_global_cheapest_insertion_insert_unperformed: BOOL_FALSE
  use_global_cheapest_insertion_visit_types_lns: BOOL_FALSE
  use_local_cheapest_insertion_visit_types_lns: BOOL_FALSE
  use_relocate_expensive_chain: BOOL_FALSE
  use_relocate_subtrip: BOOL_FALSE
  use_exchange_subtrip: BOOL_FALSE
  use_make_chain_inactive: BOOL_FALSE
  use_swap_active: BOOL_FALSE
  use_swap_active_chain: BOOL_FALSE
  use_shortest_path_swap_active: BOOL_FALSE
  use_shortest_path_two_opt: BOOL_FALSE
}
"""


def search(problem: Problem, budget: Budget, best: Best, admits: np.ndarray, seed: int = 0) -> None:
    """Improve `best` until the budget is over. `admits[stop, vehicle]` says who may come."""
    first_plan(problem, budget, best, admits)
    improve(problem, budget, best, admits, planners(problem), seed)


def planners(problem: Problem) -> list[Planner]:
    """Iterated local search. Where stops are optional, guided local search takes turns with it; where vehicles reload
    or docks are few, exact insertion does, which opens and closes trips as one step."""
    optional = any(stop.loss is not None for stop in problem.stops)
    by_trips = any(v.max_reloads for v in problem.vehicles) or any(h.docks is not None for h in problem.hubs)
    turns = [Planner(_iterated, PART), *[Planner(_guided, PART)] * optional, *[Planner(_reinserted, PART)] * by_trips]
    quick = [*turns, Planner(_iterated, PART)]
    turns_of_each = -(-QUICK_TURNS * len(problem.stops) // (PART * len(quick)))
    return [*quick * turns_of_each, Planner(_iterated_large, LARGE)]


def first_plan(problem: Problem, budget: Budget, best: Best, admits: np.ndarray) -> None:
    """Give `best` a plan if it has none: by several constructions until one serves all that must be visited, else the
    best of them with what it left out inserted as far as it fits. Insertion places a large problem piece by piece."""
    possible = np.flatnonzero(admits.any(axis=1)).tolist()
    must = [stop.loss is None for stop in problem.stops]
    hopeless = sum(must) - sum(must[i] for i in possible)
    for strategy, whole in CHAIN if possible and not best.solution.routes else ():
        plan = Solution()
        for piece in _pieces(problem, possible, whole):
            inside = admits[np.ix_(piece.stops, piece.vehicles)]
            share = FIRST_SHARE * budget.left * len(piece.stops) / len(possible)
            plan = piece.into(problem, plan, _constructed(piece.problem, inside, strategy, share))
        best.offer(_sound(problem, plan))
        if best.worth[0] == hopeless or budget.over(0):
            break
    if best.worth[0] > hopeless:
        best.offer(_completed(problem, best.solution, possible, admits, budget))


def _constructed(problem: Problem, admits: np.ndarray, strategy: int, seconds: float) -> Solution:
    """A plan by one of OR-Tools' constructions; an empty one if it finds none in time."""
    order = np.flatnonzero(admits.any(axis=1)).tolist()
    model = RoutingModel(problem, order, admits, may_drop=True)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = strategy
    parameters.solution_limit = 1
    parameters.savings_parameters.max_memory_usage_bytes = SAVINGS_BYTES
    parameters.time_limit.FromMilliseconds(_milliseconds(seconds))
    found = model.routing.SolveWithParameters(parameters)
    return Solution() if found is None else model.solution(found)


def _pieces(problem: Problem, possible: Sequence[int], whole: int) -> Iterator[Part]:
    """The problem as one where it has up to `whole` stops, else in pieces: the stops near the one farthest out, with
    their share of the vehicles, those that start nearest."""
    ways = problem.distances[0]
    homes = [v.start for v in problem.vehicles]
    out, idle = list(possible), list(range(len(problem.vehicles)))
    number = -(-len(out) // PIECE) if len(out) > whole else 1
    for left in range(number, 0, -1):
        seed = max((problem.stops[i].place for i in out), key=lambda place: int(ways[homes, place].min()))
        out.sort(key=lambda i: int(ways[seed, problem.stops[i].place]))
        idle.sort(key=lambda v: int(ways[homes[v], seed]))
        stops, vehicles = -(-len(out) // left), -(-len(idle) // left)
        yield part_of(problem, sorted(out[:stops]), sorted(idle[:vehicles]))
        out, idle = out[stops:], idle[vehicles:]


def _completed(
    problem: Problem, plan: Solution, possible: Sequence[int], admits: np.ndarray, budget: Budget
) -> Solution:
    """The plan with what it left out inserted where it fits, within a share of the time: stops that must be visited
    first."""
    until = time.monotonic() + FIRST_SHARE * budget.left
    served = {i for route in plan.routes for i in route.stops}
    out = sorted((i for i in possible if i not in served), key=lambda i: problem.stops[i].loss is not None)
    counted = budget.rounds is not None
    return insert(problem, plan, out, admits, lambda: not counted and time.monotonic() > until)


def _iterated(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution | None:
    return _plan_anew(part, start, admits, _limits(len(part.stops), budget, PART_PLANS, PART_SECONDS), random)


def _iterated_large(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution | None:
    return _plan_anew(part, start, admits, _limits(len(part.stops), budget, LARGE_PLANS, LARGE_SECONDS), random)


def _guided(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution | None:
    limits = _limits(len(part.stops), budget, PART_PLANS, PART_SECONDS)
    limits.first_solution_strategy = Strategy.AUTOMATIC
    limits.use_iterated_local_search = False
    limits.local_search_metaheuristic = Metaheuristic.GUIDED_LOCAL_SEARCH
    return _plan_anew(part, start, admits, limits, random)


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


def _plan_anew(
    part: Part,
    start: Solution,
    admits: np.ndarray,
    limits: routing_parameters_pb2.RoutingSearchParameters,
    random: Random,
) -> Solution | None:
    """OR-Tools' best plan of the part, mended where it breaks a rule that OR-Tools does not know."""
    problem = part.problem
    order = list(range(len(problem.stops)))
    random.shuffle(order)
    must_drop = any(problem.stops[i].loss is None for i in start.left_out)
    model = RoutingModel(problem, order, admits, must_drop, start)
    found = _improve(model, start, limits)
    if found is None:
        return None
    plan = _sound(problem, model.solution(found))
    lost = sorted(set(plan.left_out) - set(start.left_out))
    return insert(problem, plan, lost, admits) if lost else plan


def _limits(stops: int, budget: Budget, plans: float, seconds: float) -> routing_parameters_pb2.RoutingSearchParameters:
    """The settings for a part of so many stops: the annealing cools by the plans looked at, the clock only caps it."""
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    text_format.Merge(LOCAL_SEARCH, parameters)
    parameters.solution_limit = max(20, int(plans * stops))
    if budget.rounds is None:
        parameters.time_limit.FromMilliseconds(_milliseconds(min(seconds, budget.left)))
    return parameters


def _improve(
    model: RoutingModel, start: Solution, parameters: routing_parameters_pb2.RoutingSearchParameters
) -> pywrapcp.Assignment | None:
    """OR-Tools' best plan from this one. Iterated local search takes no start, but a first solution strategy that
    asks for the cost of each arc: the arcs of the start cost nothing."""
    routing = model.routing
    tours = model.indices(start)
    if not parameters.use_iterated_local_search:
        routing.CloseModelWithParameters(parameters)
        given = routing.ReadAssignmentFromRoutes(tours, True)
        return None if given is None else routing.SolveFromAssignmentWithParameters(given, parameters)
    following = list(range(routing.Size()))
    for vehicle, tour in enumerate(tours):
        path = [routing.Start(vehicle), *tour, routing.End(vehicle)]
        for index, after in pairwise(path):
            following[index] = after
    routing.SetFirstSolutionEvaluator(lambda index, after: 0 if following[index] == after else 1)
    return routing.SolveWithIteratedLocalSearch(parameters)


def _sound(problem: Problem, solution: Solution) -> Solution:
    """The plan without the tours that break a rule, or find no dock once those before them have chosen."""
    kept: list[Timetable] = []
    for route in solution.routes:
        timetable = schedule(problem, route, free_docks(problem, kept))
        if isinstance(timetable, Timetable):
            kept.append(timetable)
    return Solution.of(problem, [timetable.route for timetable in kept])


def _milliseconds(seconds: float) -> int:
    return max(1, int(1000 * seconds))
