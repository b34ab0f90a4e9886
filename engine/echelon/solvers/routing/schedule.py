"""When a tour is where, what it carries and what it costs: exact, from the sequence alone.

The earliest moments follow by going forward; then the departure moves to where the tour takes the least time. With a
given sequence, the end of a tour is a piecewise linear, never falling function of its departure, whose pieces have
slope 0 (someone waits) or 1 and begin where a window opens or closes, a break begins, or a band of travel times does:
so one of these moments, driven back to the start, is the best departure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from echelon.errors import Violation
from echelon.solvers.routing.legs import Legs, Pause, Point
from echelon.solvers.routing.problem import ALWAYS, FOREVER, NO_WAY, Break, Problem, Route, Solution, Windows

WAY, LATE, LONG = "there is a way", "on time", "longest duration of a tour"  # rules that callers tell apart


@dataclass(frozen=True, slots=True)
class Call:
    """A tour's visit to a stop or to a hub (the other is None). `load` is on board when it leaves, a figure a
    dimension; `distance` is driven since the start."""

    stop: int | None
    hub: int | None
    arrival: int
    begin: int
    end: int
    load: tuple[int, ...]
    distance: int


@dataclass(frozen=True, slots=True)
class Timetable:
    """A tour in time. `load` is on board when it leaves the start; the last call is the end where that is a hub."""

    route: Route
    departure: int
    finish: int
    load: tuple[int, ...]
    calls: tuple[Call, ...]
    breaks: tuple[Pause, ...]
    distance: int
    cost: int

    @property
    def duration(self) -> int:
        return self.finish - self.departure


@dataclass(frozen=True, slots=True)
class _Moment:
    """Where a tour stands after a point, with some breaks taken; `before` is the moment after the point before."""

    arrival: int
    begin: int
    end: int
    breaks: int
    pauses: tuple[Pause, ...] = ()  # taken since the point before
    before: _Moment | None = None


def schedule(problem: Problem, route: Route, hub_windows: Sequence[Windows] | None = None) -> Timetable | Violation:
    """The timetable of a tour with the least duration, and among these the earliest; or the first rule it breaks.

    `hub_windows` stand in for the hubs' own, where other tours already occupy docks. Breaks are taken as early as they
    may; where travel times go by the time of day and a break falls on the road, the duration may not be the least.
    """
    broken = _rule_broken(problem, route)
    if broken:
        return broken
    loads = _loads(problem, route)
    if isinstance(loads, Violation):
        return loads
    points = _points(problem, route, hub_windows)
    distance = _distances(problem, route, points)
    if isinstance(distance, Violation):
        return distance
    moments = _times(problem, route, points)
    if isinstance(moments, Violation):
        return moments
    return _timetable(problem, route, points, loads, distance, moments)


def timetables(
    problem: Problem, solution: Solution, known: dict[Route, Timetable] | None = None
) -> tuple[Timetable, ...] | Violation:
    """The timetables of all tours, in their order, such that no hub has more visits at a time than docks; or the first
    rule that is broken. Tours choose docks one after the other; one that finds none moves to the front. Where no docks
    bind tours together, `known` remembers the timetables of this problem's tours from call to call."""
    if all(hub.docks is None for hub in problem.hubs):
        return _each_by_itself(problem, solution, {} if known is None else known)
    order = list(range(len(solution.routes)))
    for _ in range(len(order) + 1):
        found: dict[int, Timetable] = {}
        for index in order:
            timetable = schedule(problem, solution.routes[index], free_docks(problem, tuple(found.values())))
            if isinstance(timetable, Violation):
                late = timetable
                break
            found[index] = timetable
        else:
            return tuple(found[index] for index in range(len(order)))
        if not found:
            break
        order.remove(index)
        order.insert(0, index)
    return late


def _each_by_itself(
    problem: Problem, solution: Solution, known: dict[Route, Timetable]
) -> tuple[Timetable, ...] | Violation:
    found = []
    for route in solution.routes:
        timetable = known.get(route) or schedule(problem, route)
        if isinstance(timetable, Violation):
            return timetable
        found.append(known.setdefault(route, timetable))
    return tuple(found)


def cost(
    problem: Problem, solution: Solution, known: dict[Route, Timetable] | None = None
) -> tuple[int, int] | Violation:
    """What a plan is worth, less is better: (stops left out that must be visited, cost of tours and of stops left out);
    or the first rule it breaks. `known` is as for `timetables`."""
    served = [stop for route in solution.routes for stop in route.stops]
    vehicles = [route.vehicle for route in solution.routes]
    for rule, indices in (("a stop is visited once", served), ("a vehicle drives one tour", vehicles)):
        if len(set(indices)) < len(indices):
            twice = next(i for i in indices if indices.count(i) > 1)
            named = problem.stops if indices is served else problem.vehicles
            return Violation(rule, named[twice].name, indices.count(twice) - 1)
    tours = timetables(problem, solution, known)
    if isinstance(tours, Violation):
        return tours
    visited = set(served)
    losses = [stop.loss for i, stop in enumerate(problem.stops) if i not in visited]
    return losses.count(None), sum(t.cost for t in tours) + sum(loss for loss in losses if loss is not None)


def _rule_broken(problem: Problem, route: Route) -> Violation | None:
    """The first broken rule that needs neither loads nor times: who may come, which hubs, how many."""
    vehicle = problem.vehicles[route.vehicle]
    for stop in route.stops:
        if not problem.may_come(stop, route.vehicle):
            return Violation("a stop admits the vehicle", f"{problem.stops[stop].name}, {vehicle.name}", 1)
    for hub in route.hubs:
        if hub not in vehicle.reloads:
            return Violation("a vehicle reloads at its hubs", f"{vehicle.name}, {problem.hubs[hub].name}", 1)
    if len(route.hubs) > vehicle.max_reloads:
        return Violation("number of reloads", vehicle.name, len(route.hubs) - vehicle.max_reloads)
    return None


def _loads(problem: Problem, route: Route) -> list[np.ndarray] | Violation:
    """Load after the start, after each stop and after each hub; or the first place at which it exceeds the capacity."""
    vehicle = problem.vehicles[route.vehicle]
    capacity, zero = np.array(vehicle.capacity), np.zeros(problem.dimensions, dtype=np.int64)
    loads = []
    for number, trip in enumerate(route.trips):
        load = sum((np.array(problem.stops[i].delivery) for i in trip), zero)
        if number == 0 and not vehicle.loads_at_start and load.any():
            return Violation("deliveries are loaded at a hub", vehicle.name, int(load.max()))
        where = "start" if number == 0 else problem.hubs[route.hubs[number - 1]].name
        for after in (None, *trip):
            if after is not None:
                stop = problem.stops[after]
                load, where = load + stop.pickup - stop.delivery, stop.name
            if (load > capacity).any():
                return Violation("capacity of a vehicle", f"{vehicle.name}, {where}", int((load - capacity).max()))
            loads.append(load)
    if not vehicle.unloads_at_end and load.any():
        return Violation("pickups are unloaded at a hub", vehicle.name, int(load.max()))
    return loads


def _points(problem: Problem, route: Route, hub_windows: Sequence[Windows] | None) -> list[Point]:
    """The places of a tour in order, start and end included."""
    vehicle = problem.vehicles[route.vehicle]
    windows = [hub.windows for hub in problem.hubs] if hub_windows is None else hub_windows

    def at_hub(hub: int, ready: int = 0) -> Point:
        return Point(problem.hubs[hub].place, windows[hub], problem.hubs[hub].unloading, ready, hub=hub)

    points = []
    for number, trip in enumerate(route.trips):
        ready = max((problem.stops[i].release for i in trip), default=0)
        points.append(at_hub(route.hubs[number - 1], ready) if number else Point(vehicle.start, ALWAYS, 0, ready))
        for i in trip:
            stop = problem.stops[i]
            points.append(Point(stop.place, stop.windows, stop.service, stop=i))
    end = Point(vehicle.end, ALWAYS, 0) if vehicle.end_hub is None else at_hub(vehicle.end_hub)
    return [*points, end]


def _distances(problem: Problem, route: Route, points: Sequence[Point]) -> list[int] | Violation:
    """Distance driven up to each point; or the first rule broken: no way, or more than the vehicle's range."""
    vehicle = problem.vehicles[route.vehicle]
    matrix, times = problem.distances[vehicle.profile], problem.slowest(vehicle.profile)
    driven = [0]
    for a, b in pairwise(points):
        if matrix[a.place, b.place] >= NO_WAY or times[a.place, b.place] >= NO_WAY:
            return Violation(WAY, f"{vehicle.name}, from {_name(problem, a)} to {_name(problem, b)}", 1)
        driven.append(driven[-1] + int(matrix[a.place, b.place]))
    if driven[-1] > vehicle.max_distance:
        return Violation("range of a vehicle", vehicle.name, driven[-1] - vehicle.max_distance)
    return driven


def _times(problem: Problem, route: Route, points: Sequence[Point]) -> list[_Moment] | Violation:
    """The moments of the tour of least duration; or the first place at which it is late."""
    vehicle = problem.vehicles[route.vehicle]
    legs = Legs(problem, vehicle.profile, points)
    earliest = max(vehicle.shift[0], points[0].ready)
    best = _forward(legs, points, vehicle.breaks, earliest, vehicle.shift[1])
    if isinstance(best, int) and not vehicle.breaks:
        return Violation(LATE, f"{vehicle.name}, {_name(problem, points[best])}", 1)
    if isinstance(best, int) or best[-1].end - earliest > legs.least_duration:
        for departure in sorted(set(_departures(legs, points, vehicle.breaks))):
            if _takes(best) <= legs.least_duration:
                break
            if earliest < departure <= vehicle.shift[1]:
                later = _forward(legs, points, vehicle.breaks, departure, vehicle.shift[1])
                best = later if _takes(later) < _takes(best) else best
    if isinstance(best, int):
        return Violation(LATE, f"{vehicle.name}, {_name(problem, points[best])}", 1)
    over = best[-1].end - best[0].end - vehicle.max_duration
    return Violation(LONG, vehicle.name, over) if over > 0 else best


def _takes(moments: list[_Moment] | int) -> float:
    """The duration of a tour, or infinity where it is late."""
    return float("inf") if isinstance(moments, int) else moments[-1].end - moments[0].end


def _forward(
    legs: Legs, points: Sequence[Point], breaks: Sequence[Break], departure: int, latest: int
) -> list[_Moment] | int:
    """The earliest moment at each point for this departure, or the index of the first point that is too late.

    For each number of breaks taken so far the earliest moment is kept: earlier is never worse.
    """
    taken = len(_pauses(breaks, min((b.earliest for b in breaks), default=0), departure))
    states = {taken: _Moment(departure, departure, departure, taken)}
    for k, point in enumerate(points[1:]):
        following: dict[int, _Moment] = {}
        for moment in states.values():
            for after in _arrivals(legs, k, max(moment.end, points[k].ready), point, breaks, moment):
                known = following.get(after.breaks)
                if after.end <= latest and (known is None or after.end < known.end):
                    following[after.breaks] = after
        if not following:
            return k + 1
        states = following
    last: _Moment | None = min(states.values(), key=lambda m: m.end)
    moments = []
    while last is not None:
        moments.append(last)
        last = last.before
    return moments[::-1]


def _arrivals(
    legs: Legs, leg: int, leave: int, point: Point, breaks: Sequence[Break], moment: _Moment
) -> Iterator[_Moment]:
    """The moments at a point after a leg, one for each number of breaks taken on it."""
    for more in range(len(breaks) - moment.breaks + 1):
        pauses = _take(breaks[moment.breaks : moment.breaks + more], moment.end)
        if pauses is None:
            return
        arrival = legs.drive(leg, leave, pauses)
        begin = _first_within(point.windows, max(arrival, pauses[-1][1] if pauses else 0))
        if begin is None:
            continue
        end, taken = begin + point.service, moment.breaks + more
        if taken == len(breaks) or end <= breaks[taken].latest:
            yield _Moment(arrival, begin, end, taken, tuple(pauses), moment)


def _take(breaks: Sequence[Break], clock: int) -> list[Pause] | None:
    """These breaks one after the other, each as early as it may be from `clock` on; None if one is too late."""
    pauses = []
    for rest in breaks:
        begin = max(clock, rest.earliest)
        if begin > rest.latest:
            return None
        clock = begin + rest.duration
        pauses.append((begin, clock))
    return pauses


def _pauses(breaks: Sequence[Break], clock: int, until: int) -> list[Pause]:
    """The breaks that can be over by `until`."""
    for number in range(len(breaks), 0, -1):
        pauses = _take(breaks[:number], clock)
        if pauses is not None and pauses[-1][1] <= until:
            return pauses
    return []


def _first_within(windows: Windows, moment: int) -> int | None:
    """The first moment from this one on that lies in a window."""
    for opens, closes in windows:
        if moment <= closes:
            return max(moment, opens)
    return None


def _departures(legs: Legs, points: Sequence[Point], breaks: Sequence[Break]) -> Iterator[int]:
    """Departures one of which is the best: from each moment at which something changes, back to the start without
    waiting, with and without the breaks on the way."""
    rests = {0, *np.cumsum([b.duration for b in breaks]).tolist()}
    for k, point in enumerate(points):
        moments = {moment for window in point.windows for moment in window if moment < FOREVER}
        moments |= {m for b in breaks for m in (b.earliest, b.latest, b.earliest + b.duration)}
        moments |= {b.latest - point.service for b in breaks}
        moments |= set(legs.band_changes(max(moments, default=0))) | {point.ready - point.service}
        for moment in moments:
            for leg in range(k - 1, -1, -1):
                moment = legs.leave(leg, moment) - points[leg].service
            yield from (moment - rest for rest in rests)


def _timetable(
    problem: Problem,
    route: Route,
    points: Sequence[Point],
    loads: Sequence[np.ndarray],
    driven: Sequence[int],
    moments: Sequence[_Moment],
) -> Timetable:
    vehicle = problem.vehicles[route.vehicle]
    empty = np.zeros(problem.dimensions, dtype=np.int64)
    calls = tuple(
        Call(p.stop, p.hub, m.arrival, m.begin, m.end, tuple(load.tolist()), way)
        for p, m, load, way in list(zip(points, moments, [*loads, empty], driven, strict=True))[1:]
        if p.stop is not None or p.hub is not None
    )
    departure, finish = moments[0].end, moments[-1].end
    money = vehicle.cost_per_distance * driven[-1] + vehicle.cost_per_duration * (finish - departure)
    return Timetable(
        route=route,
        departure=departure,
        finish=finish,
        load=tuple(loads[0].tolist()),
        calls=calls,
        breaks=tuple(pause for moment in moments for pause in moment.pauses),
        distance=driven[-1],
        cost=money + vehicle.fixed_cost,
    )


def free_docks(problem: Problem, tours: Sequence[Timetable]) -> list[Windows]:
    """The windows of each hub in which one more visit finds a dock."""
    windows = []
    for index, hub in enumerate(problem.hubs):
        visits = [(call.begin, call.end) for tour in tours for call in tour.calls if call.hub == index]
        windows.append(hub.windows if hub.docks is None else _free(hub.windows, hub.unloading, hub.docks, visits))
    return windows


def _free(windows: Windows, unloading: int, docks: int, visits: Sequence[Pause]) -> Windows:
    """The windows without the moments at which a visit that begins would overlap `docks` others at some moment."""
    free = list(windows)
    for begin, _ in visits:
        if sum(b <= begin < e for b, e in visits) >= docks:
            full_until = sorted(e for b, e in visits if b <= begin < e)[-docks]
            free = [
                part
                for opens, closes in free
                for part in ((opens, min(closes, begin - unloading)), (max(opens, full_until), closes))
                if part[0] <= part[1]
            ]
    return tuple(free)


def _name(problem: Problem, point: Point) -> str:
    if point.stop is not None:
        return problem.stops[point.stop].name
    return problem.hubs[point.hub].name if point.hub is not None else "its start or end"
