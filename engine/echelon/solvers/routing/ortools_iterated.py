"""Plans of a part by OR-Tools' local search: iterated, by ruin and recreate with removal of strings of stops (SISR,
Christiaens & Vanden Berghe 2020) under simulated annealing, or guided.
"""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
from google.protobuf import text_format
from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.constraint_solver.routing_parameters_pb2 import RoutingSearchParameters as Parameters

from echelon.solvers.routing.budget import Budget
from echelon.solvers.routing.insertion import insert
from echelon.solvers.routing.ortools_model import RoutingModel
from echelon.solvers.routing.problem import Problem, Route, Solution
from echelon.solvers.routing.schedule import Timetable, free_docks, schedule

Strategy = routing_enums_pb2.FirstSolutionStrategy
Metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic

HOT, COLD = 0.5, 0.01  # first and last temperature, in costs of a middling way between two stops

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


def iterated(stops: int, budget: Budget, plans: float, seconds: float) -> Parameters:
    """Iterated local search for so many stops: the annealing cools by the plans looked at, so many a stop; the clock
    only caps it."""
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    text_format.Merge(LOCAL_SEARCH, parameters)
    parameters.solution_limit = max(20, int(plans * stops))
    if budget.rounds is None:
        parameters.time_limit.FromMilliseconds(milliseconds(min(seconds, budget.left)))
    return parameters


def guided(stops: int, budget: Budget, plans: float, seconds: float) -> Parameters:
    """Guided local search, within the same limits."""
    parameters = iterated(stops, budget, plans, seconds)
    parameters.first_solution_strategy = Strategy.AUTOMATIC
    parameters.use_iterated_local_search = False
    parameters.local_search_metaheuristic = Metaheuristic.GUIDED_LOCAL_SEARCH
    return parameters


def plan_anew(
    problem: Problem, start: Solution, admits: np.ndarray, parameters: Parameters, random: Random
) -> Solution | None:
    """OR-Tools' best plan from this one, or from a construction where it is empty; mended where it breaks a rule that
    OR-Tools does not know."""
    order = list(range(len(problem.stops)))
    random.shuffle(order)
    must_drop = any(problem.stops[i].loss is None for i in start.left_out)
    model = RoutingModel(problem, order, admits, must_drop, start)
    found = _improve(model, start, parameters)
    if found is None:
        return None
    plan = sound(problem, model.solution(found))
    lost = sorted(set(plan.left_out) - set(start.left_out)) if start.routes else plan.left_out
    return insert(problem, plan, lost, admits) if lost else plan


def anneal(parameters: Parameters, problem: Problem, start: Solution) -> None:
    """Let the annealing begin and end at temperatures that fit the ways tours take; OR-Tools' own are shares of the
    mean of all ways there are."""
    ways = [way for route in start.routes for way in _costs_between_stops(problem, route)]
    middling = float(np.median(ways)) if ways else 0.0
    if middling > 0:
        acceptance = parameters.iterated_local_search_parameters.reference_solution_acceptance_strategy
        acceptance.simulated_annealing.automatic_temperatures = False
        acceptance.simulated_annealing.initial_temperature = HOT * middling
        acceptance.simulated_annealing.final_temperature = COLD * middling


def _costs_between_stops(problem: Problem, route: Route) -> list[int]:
    """The cost of each way from one stop of a tour to the next."""
    vehicle = problem.vehicles[route.vehicle]
    places = [problem.stops[i].place for i in route.stops]
    return (problem.distances[vehicle.profile][places[:-1], places[1:]] * vehicle.cost_per_distance).tolist()


def _improve(model: RoutingModel, start: Solution, parameters: Parameters) -> pywrapcp.Assignment | None:
    """OR-Tools' best plan from this one. Iterated local search takes no start, but a first solution strategy that
    asks for the cost of each arc: the arcs of the start cost nothing."""
    routing = model.routing
    tours = model.indices(start)
    if not parameters.use_iterated_local_search:
        routing.CloseModelWithParameters(parameters)
        given = routing.ReadAssignmentFromRoutes(tours, True)
        return None if given is None else routing.SolveFromAssignmentWithParameters(given, parameters)
    if not start.routes:
        parameters.first_solution_strategy = Strategy.PARALLEL_CHEAPEST_INSERTION
        return routing.SolveWithIteratedLocalSearch(parameters)
    following = list(range(routing.Size()))
    for vehicle, tour in enumerate(tours):
        path = [routing.Start(vehicle), *tour, routing.End(vehicle)]
        for index, after in pairwise(path):
            following[index] = after
    routing.SetFirstSolutionEvaluator(lambda index, after: 0 if following[index] == after else 1)
    anneal(parameters, model.problem, start)
    return routing.SolveWithIteratedLocalSearch(parameters)


def sound(problem: Problem, solution: Solution) -> Solution:
    """The plan without the tours that break a rule, or find no dock once those before them have chosen."""
    kept: list[Timetable] = []
    for route in solution.routes:
        timetable = schedule(problem, route, free_docks(problem, kept))
        if isinstance(timetable, Timetable):
            kept.append(timetable)
    return Solution.of(problem, [timetable.route for timetable in kept])


def milliseconds(seconds: float) -> int:
    return max(1, int(1000 * seconds))
