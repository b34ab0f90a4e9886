"""One stop more: where a plan takes it at the least extra cost, exact for every rule, and whether a vehicle could serve
it if it did nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from echelon.errors import Violation
from echelon.solvers.routing.problem import NO_WAY, Problem, Route, Solution, Vehicle
from echelon.solvers.routing.schedule import WAY, Timetable, free_docks, schedule

TRIES = 300  # places in a plan that are looked at in earnest for one stop, the shortest detours first
TOURS = 50  # from which smaller stops may be taken to make room for one, at most


def alone(problem: Problem, stop: int, vehicle: int) -> Timetable | Violation:
    """The cheapest tour of a vehicle that serves this stop alone; or the first rule that forbids the direct one."""
    found: Timetable | None = None
    broken: Violation | None = None
    for route in _alone_routes(problem, stop, vehicle):
        timetable = schedule(problem, route)
        if isinstance(timetable, Violation):
            broken = broken or timetable
        elif found is None or timetable.cost < found.cost:
            found = timetable
    if found is not None:
        return found
    assert broken is not None
    return broken


def admitted(problem: Problem) -> np.ndarray:
    """Whether each vehicle can serve each stop if it does nothing else: array (stops, vehicles). A stop that has no way
    to or from the ends of the tour counts as served if it has one to and from somewhere: others may lie between."""
    admits = np.zeros((len(problem.stops), len(problem.vehicles)), dtype=bool)
    for stop in range(len(problem.stops)):
        known: dict[int, bool] = {}
        for number, kind in enumerate(problem.kinds):
            if problem.may_come(stop, number):
                if kind not in known:
                    tour = alone(problem, stop, number)
                    known[kind] = isinstance(tour, Timetable) or (tour.rule == WAY and _has_ways(problem, stop, number))
                admits[stop, number] = known[kind]
    return admits


def _has_ways(problem: Problem, stop: int, vehicle: int) -> bool:
    """Whether there is a way to the stop from somewhere else, and one on."""
    profile, place = problem.vehicles[vehicle].profile, problem.stops[stop].place
    distances, durations = problem.distances[profile], problem.slowest(profile)
    elsewhere = np.arange(len(distances)) != place
    there = (distances[:, place] < NO_WAY) & (durations[:, place] < NO_WAY)
    back = (distances[place] < NO_WAY) & (durations[place] < NO_WAY)
    return bool(there[elsewhere].any() and back[elsewhere].any())


def insert(
    problem: Problem,
    solution: Solution,
    stops: Sequence[int],
    admits: np.ndarray,
    is_over: Callable[[], bool] = lambda: False,
) -> Solution:
    """The plan with these stops put in one after the other, each where it costs least; who fits nowhere stays out, as
    does who costs more than its loss, and all that are left when `is_over` says so."""
    tours = {route.vehicle: schedule(problem, route) for route in solution.routes}
    routes = {v: tour for v, tour in tours.items() if isinstance(tour, Timetable)}
    for stop in stops:
        if is_over():
            break
        better = cheapest(problem, routes, stop, admits)
        loss = problem.stops[stop].loss
        if better is not None:
            before = routes.get(better.route.vehicle)
            if loss is None or better.cost - (before.cost if before else 0) < loss:
                routes[better.route.vehicle] = better
    return Solution.of(problem, [tour.route for tour in routes.values()])


def squeeze(
    problem: Problem, solution: Solution, admits: np.ndarray, is_over: Callable[[], bool] = lambda: False
) -> Solution:
    """The plan with stops that must be visited and are out put in where smaller ones make room and go elsewhere, or
    stay out instead: until no more, or no bulkier ones, come in so."""
    better: Solution | None = solution
    while better is not None and not is_over():
        solution, better = better, _squeezed(problem, better, admits, is_over)
    return solution


def _squeezed(problem: Problem, solution: Solution, admits: np.ndarray, is_over: Callable[[], bool]) -> Solution | None:
    """The plan with one stop more, or a bulkier one, the bulkiest first; None if there is none. Tours whose bulkiest
    stop is small are tried first."""

    def worst(bulks: list[float]) -> tuple[int, float]:
        return len(bulks), sum(bulks)

    bulk = _bulks(problem)
    waiting = [i for i in solution.left_out if problem.stops[i].loss is None and admits[i].any()]
    tours = sorted(solution.routes, key=lambda route: max(bulk[i] for i in route.stops))
    for stop in sorted(waiting, key=lambda i: -bulk[i]):
        for route in tours[:TOURS]:
            smaller = sorted((i for i in route.stops if bulk[i] < bulk[stop]), key=lambda i: -bulk[i])
            rest, vehicle = without(route, set(smaller)), problem.vehicles[route.vehicle]
            roomy = any(_has_room(problem, trip, stop, vehicle) for trip in rest.trips)
            if not roomy or not admits[stop, route.vehicle] or is_over():
                continue
            kept = Solution.of(problem, [rest if r is route else r for r in solution.routes])
            tried = insert(problem, kept, [stop, *smaller], admits)
            if worst([bulk[i] for i in tried.left_out]) < worst([bulk[i] for i in solution.left_out]):
                return tried
    return None


def _bulks(problem: Problem) -> list[float]:
    """The share of the largest vehicle that each stop's load takes, in the dimension where that is most."""
    loads = np.array([np.maximum(s.pickup, s.delivery) for s in problem.stops], dtype=float)
    largest = np.max([vehicle.capacity for vehicle in problem.vehicles], axis=0)
    shares: list[float] = (loads / np.maximum(largest, 1)).max(axis=1, initial=0.0).tolist()
    return shares


def without(route: Route, stops: Collection[int]) -> Route:
    """The tour without these stops; trips with nothing left go, with a hub each, unless they are first or last."""
    trips = [tuple(i for i in trip if i not in stops) for trip in route.trips]
    kept = [t for t in range(len(trips)) if trips[t] or t in (0, len(trips) - 1)]
    return replace(route, trips=tuple(trips[t] for t in kept), hubs=tuple(route.hubs[t - 1] for t in kept[1:]))


def cheapest(problem: Problem, tours: dict[int, Timetable], stop: int, admits: np.ndarray) -> Timetable | None:
    """The tour that takes the stop at the least extra cost, as it is with the stop; None if none can.

    `tours` are the plan's by vehicle. Places are tried in the order of their detours; the best of those that hold.
    """
    candidates = sorted(_candidates(problem, tours, stop, admits), key=lambda c: c[0])
    best: tuple[int, Timetable] | None = None
    docks = any(hub.docks is not None for hub in problem.hubs)
    for detour, build in candidates[:TRIES]:
        if best is not None and detour >= best[0]:
            break
        route = build()
        others = [tour for v, tour in tours.items() if v != route.vehicle]
        timetable = schedule(problem, route, free_docks(problem, others) if docks else None)
        if isinstance(timetable, Timetable):
            before = tours.get(route.vehicle)
            extra = timetable.cost - (before.cost if before else 0)
            if best is None or extra < best[0]:
                best = extra, timetable
    return best[1] if best else None


def _candidates(
    problem: Problem, tours: dict[int, Timetable], stop: int, admits: np.ndarray
) -> Iterator[tuple[int, Callable[[], Route]]]:
    """(cost of the detour in distance, maker of the tour) of each place for a stop: in a trip, as a trip, in an
    idle vehicle; of idle vehicles that are alike, one."""
    idle: set[int] = set()
    for v in np.flatnonzero(admits[stop]).tolist():
        vehicle = problem.vehicles[v]
        if v in tours:
            yield from _in_tour(problem, tours[v].route, stop)
            continue
        if problem.kinds[v] not in idle:
            idle.add(problem.kinds[v])
            for route in _alone_routes(problem, stop, v):
                yield vehicle.fixed_cost + vehicle.cost_per_distance * _length(problem, route), partial(_same, route)


def _in_tour(problem: Problem, route: Route, stop: int) -> Iterator[tuple[int, Callable[[], Route]]]:
    """(cost of the detour, maker of the tour) with the stop at each place of each trip that has room, and as a trip
    of its own."""
    vehicle = problem.vehicles[route.vehicle]
    ways, place = problem.distances[vehicle.profile], problem.stops[stop].place
    ends = [vehicle.start, *(problem.hubs[h].place for h in route.hubs), vehicle.end]
    visited = [[problem.stops[i].place for i in trip] for trip in route.trips]
    for t, trip in enumerate(route.trips):
        if not _has_room(problem, trip, stop, vehicle):
            continue
        path = [ends[t], *visited[t], ends[t + 1]]
        detours = ways[path[:-1], place] + ways[place, path[1:]] - ways[path[:-1], path[1:]]
        for k, detour in enumerate(detours.tolist()):
            yield vehicle.cost_per_distance * detour, partial(_in_trip, route, t, k, stop)
    for t in range(len(route.trips) + 1) if len(route.hubs) < vehicle.max_reloads else ():
        for hub in vehicle.reloads:
            at = problem.hubs[hub].place
            before = [ends[0]] if t == 0 else [ends[t - 1], *visited[t - 1]]
            after = [*visited[0], ends[1]] if t == 0 else [ends[t]]
            path = [before[-1], *((place, at) if t == 0 else (at, place)), after[0]]
            detour = int(ways[path[:-1], path[1:]].sum() - ways[before[-1], after[0]])
            trips = (*route.trips[:t], (stop,), *route.trips[t:])
            n = max(t - 1, 0)
            longer = replace(route, trips=trips, hubs=(*route.hubs[:n], hub, *route.hubs[n:]))
            yield vehicle.cost_per_distance * detour, partial(_same, longer)


def _in_trip(route: Route, trip: int, place: int, stop: int) -> Route:
    """The tour with the stop at a place of a trip."""
    stops = route.trips[trip]
    longer = (*stops[:place], stop, *stops[place:])
    return replace(route, trips=(*route.trips[:trip], longer, *route.trips[trip + 1 :]))


def _same(route: Route) -> Route:
    return route


def _has_room(problem: Problem, trip: Sequence[int], stop: int, vehicle: Vehicle) -> bool:
    """Whether all that a trip picks up, and all that it delivers, fits with the stop: what it at least takes."""
    for d, capacity in enumerate(vehicle.capacity):
        picked, delivered = problem.stops[stop].pickup[d], problem.stops[stop].delivery[d]
        for i in trip:
            picked, delivered = picked + problem.stops[i].pickup[d], delivered + problem.stops[i].delivery[d]
        if max(picked, delivered) > capacity:
            return False
    return True


def _alone_routes(problem: Problem, stop: int, v: int) -> Iterator[Route]:
    """Direct, loading at a hub first, unloading at a hub after, or both."""
    vehicle = problem.vehicles[v]
    yield Route(v, ((stop,),))
    hubs = vehicle.reloads if vehicle.max_reloads else ()
    for hub in hubs:
        yield Route(v, ((stop,), ()), (hub,))
        yield Route(v, ((), (stop,)), (hub,))
        if vehicle.max_reloads > 1:
            yield from (Route(v, ((), (stop,), ()), (hub, other)) for other in hubs)


def _length(problem: Problem, route: Route) -> int:
    """Distance of a tour."""
    vehicle = problem.vehicles[route.vehicle]
    places = [vehicle.start]
    for number, trip in enumerate(route.trips):
        places += [problem.hubs[route.hubs[number - 1]].place] if number else []
        places += [problem.stops[i].place for i in trip]
    places.append(vehicle.end)
    return min(int(problem.distances[vehicle.profile][places[:-1], places[1:]].sum()), NO_WAY)
