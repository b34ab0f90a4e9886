"""What it costs to visit a stop on behalf of a hub on a day: first by the geometry of tours, then by the tours found.

First estimate: a tour that serves n stops drives twice the way to them and, for each, a local way (Daganzo 1984,
Transportation Science 18: the length of tours is about 2·r/n + k·sqrt(A/N) a stop). Later ones are marginal: what
leaving the stop out of its tour saves, what putting it in elsewhere costs at the best place.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from echelon.solvers.routing.problem import FOREVER, NO_WAY, Problem, Route, Vehicle
from echelon_models.returns.formulation import Estimate
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.sets import Visit
from echelon_models.returns.tours import LOAD, MONEY, Fleet, Shift, collects

NEIGHBOURS = 3  # stops nearest to one, whose distance tells the local way
LOCAL = 0.7  # of the mean distance to them
LONGEST_DAY = 600.0  # minutes that a vehicle without any limit is thought to work


class Visited(NamedTuple):
    """Where a stop stands: the vehicle that serves it, the hub its goods go to, the day."""

    vehicle: int
    hub: str
    t: int


def chances(fleet: Fleet) -> list[Visit]:
    """The visits (i, h, t) that some vehicle could make, by days, law, skills, ways and capacity."""
    found: dict[Visit, None] = {}
    for i, stop in enumerate(fleet.stops):
        for v in sorted(fleet.open_to[i]):
            if not fits(fleet.problem, i, v):
                continue
            shift = fleet.shifts[v]
            for hub in shift.hubs if collects(stop) else ("",):
                found[i, hub, shift.t] = None
    return list(found)


def rooms(fleet: Fleet) -> dict[tuple[str, int, str], float]:
    """(h, t, dimension or "minutes") -> what the vehicles that unload at the hub can do in a day; limits only."""
    room: dict[tuple[str, int, str], float] = defaultdict(float)
    for shift, vehicle in zip(fleet.shifts, fleet.problem.vehicles, strict=True):
        for hub in shift.hubs:
            for d, capacity in zip(DIMENSIONS, vehicle.capacity, strict=True):
                room[hub, shift.t, d] += math.inf if capacity >= FOREVER else shift.type.trips * capacity / LOAD
            room[hub, shift.t, "minutes"] += _day_length(vehicle)
    return {key: value for key, value in room.items() if math.isfinite(value)}


def by_geometry(fleet: Fleet, visits: Iterable[Visit]) -> Estimate:
    """The first estimate, of the cheapest vehicle that fits each visit."""
    by_hub_day = defaultdict(list)
    for v, shift in enumerate(fleet.shifts):
        for hub in (*shift.hubs, ""):
            by_hub_day[hub, shift.t].append(v)
    local = _local_ways(fleet)
    loads = np.array([stop.pickup for stop in fleet.problem.stops], dtype=float)
    mean = np.maximum(loads.mean(axis=0), 1e-9) if len(loads) else np.ones(len(DIMENSIONS))
    types: dict[tuple[int, str, str], tuple[float, float]] = {}
    cost, minutes = {}, {}
    for i, hub, t in visits:
        options = []
        for v in by_hub_day[hub, t]:
            key = (i, hub, fleet.shifts[v].type.vehicle)
            if key not in types and v in fleet.open_to[i] and fits(fleet.problem, i, v):
                types[key] = _on_a_tour(fleet, i, v, local, mean)
            if v in fleet.open_to[i] and key in types:
                options.append(types[key])
        cost[i, hub, t], minutes[i, hub, t] = min(options)
    return Estimate(cost, minutes, rooms(fleet))


def by_tours(fleet: Fleet, first: Estimate, routes: Sequence[Route], at: dict[int, Visited]) -> Estimate:
    """The estimate in the light of tours: marginal costs, on tours of the same hub and day; where none has room, those
    of the first estimate."""
    problem, cost = fleet.problem, dict(first.cost)
    used = {route.vehicle for route in routes}
    empty = [Route(v, ((),)) for v in range(len(problem.vehicles)) if v not in used]
    tours = defaultdict(list)
    for route in (*routes, *_one_of_each(fleet, empty)):
        tour = _Tour(fleet, route)
        shift = fleet.shifts[route.vehicle]
        for hub in (*shift.hubs, ""):
            tours[hub, shift.t].append(tour)
    for i, hub, t in cost:
        where = at.get(i)
        if where is not None and (where.hub, where.t) == (hub, t):
            cost[i, hub, t] = next(tour for tour in tours[hub, t] if tour.vehicle == where.vehicle).saving(i)
        else:
            added = [tour.insertion(i) for tour in tours[hub, t]]
            cheapest = min(added, default=math.inf)
            if math.isfinite(cheapest):
                cost[i, hub, t] = cheapest
    return Estimate(cost, first.minutes, first.room)


class _Tour:
    """A tour's points, for what leaving out or putting in a stop changes (money)."""

    def __init__(self, fleet: Fleet, route: Route):
        self.fleet, self.vehicle = fleet, route.vehicle
        self.of = fleet.problem.vehicles[route.vehicle]
        self.metres = fleet.problem.distances[self.of.profile]
        self.seconds = fleet.problem.slowest(self.of.profile)
        hubs = [fleet.problem.hubs[k].place for k in route.hubs]
        points = [self.of.start]
        for trip, hub in zip(route.trips, [*hubs, self.of.end], strict=True):
            points += [*(fleet.problem.stops[i].place for i in trip), hub]
        self.points = np.array(points)
        self.stops = list(route.stops)
        self.load = np.sum([fleet.problem.stops[i].pickup for i in self.stops], axis=0) if self.stops else 0
        self.takes = int(self.seconds[self.points[:-1], self.points[1:]].sum())
        self.takes += sum(fleet.problem.stops[i].service for i in self.stops)

    def _money(self, metres: np.ndarray, seconds: np.ndarray) -> np.ndarray:
        return (metres * self.of.cost_per_distance + seconds * self.of.cost_per_duration) / MONEY

    def saving(self, i: int) -> float:
        """What the tour costs less without stop i."""
        stop = self.fleet.problem.stops[i]
        n = int(np.flatnonzero(self.points == stop.place)[0])
        a, b = self.points[n - 1], self.points[n + 1]
        direct = len(self.stops) > 1
        metres, seconds = (w[a, stop.place] + w[stop.place, b] - direct * w[a, b] for w in (self.metres, self.seconds))
        fixed = 0.0 if direct else self.of.fixed_cost / MONEY
        return float(self._money(metres, seconds + stop.service)) + fixed

    def insertion(self, i: int) -> float:
        """What the tour costs more with stop i at the best place; infinite where it has no room."""
        stop, problem = self.fleet.problem.stops[i], self.fleet.problem
        if self.vehicle not in self.fleet.open_to[i] or not problem.may_come(i, self.vehicle):
            return math.inf
        trips = self.of.max_reloads + 1
        if any(
            load > trips * room for load, room in zip(self.load + np.array(stop.pickup), self.of.capacity, strict=True)
        ):
            return math.inf
        a, b = self.points[:-1], self.points[1:]
        direct = bool(self.stops)
        metres, seconds = (w[a, stop.place] + w[stop.place, b] - direct * w[a, b] for w in (self.metres, self.seconds))
        seconds = seconds + stop.service
        fits = (metres < NO_WAY) & (self.takes * direct + seconds <= _day_length(self.of) * 60)
        if not fits.any():
            return math.inf
        fixed = 0.0 if direct else self.of.fixed_cost / MONEY
        return float(self._money(metres, seconds)[fits].min()) + fixed


def fits(problem: Problem, i: int, v: int) -> bool:
    """Whether a vehicle could serve a stop on a tour of its own, times left aside."""
    stop, vehicle = problem.stops[i], problem.vehicles[v]
    if not problem.may_come(i, v):
        return False
    if any(max(p, q) > room for p, q, room in zip(stop.pickup, stop.delivery, vehicle.capacity, strict=True)):
        return False
    metres = problem.distances[vehicle.profile]
    return bool(metres[vehicle.start, stop.place] < NO_WAY and metres[stop.place, vehicle.end] < NO_WAY)


def _day_length(vehicle: Vehicle) -> float:
    """Minutes that a vehicle can work in a day."""
    given = min(vehicle.max_duration, vehicle.shift[1] - vehicle.shift[0])
    return min(given / 60.0, 24 * 60.0)


def _local_ways(fleet: Fleet) -> np.ndarray:
    """Metres to the next stop on a tour, for each stop."""
    places = [stop.place for stop in fleet.problem.stops]
    metres = fleet.problem.distances[0][np.ix_(places, places)].astype(float)
    metres[metres >= NO_WAY] = np.nan
    np.fill_diagonal(metres, np.nan)
    nearest = np.sort(metres, axis=1)[:, :NEIGHBOURS]
    known = ~np.isnan(nearest)
    return LOCAL * np.where(known, nearest, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def _on_a_tour(fleet: Fleet, i: int, v: int, local: np.ndarray, mean_load: np.ndarray) -> tuple[float, float]:
    """(money, minutes) of a stop's share in a tour of a vehicle like v."""
    problem, vehicle = fleet.problem, fleet.problem.vehicles[v]
    stop = problem.stops[i]
    metres, seconds = problem.distances[vehicle.profile], problem.slowest(vehicle.profile)
    speed = max(metres[vehicle.start, stop.place], 1) / max(seconds[vehicle.start, stop.place], 1)  # metres a second
    stem = metres[vehicle.start, stop.place] + metres[stop.place, vehicle.end]
    each = local[i] / speed + stop.service
    most = min(_day_length(vehicle), LONGEST_DAY) * 60
    by_load = min(
        ((vehicle.max_reloads + 1) * room / load for room, load in zip(vehicle.capacity, mean_load, strict=True)),
        default=1.0,
    )
    stops = max(1.0, min(by_load, (most - stem / speed) / max(each, 1.0), len(fleet.stops)))
    driven = stem / stops + local[i]
    takes = driven / speed + stop.service
    cost = (driven * vehicle.cost_per_distance + takes * vehicle.cost_per_duration + vehicle.fixed_cost / stops) / MONEY
    return float(cost), float(takes / 60.0)


def _one_of_each(fleet: Fleet, empty: Sequence[Route]) -> list[Route]:
    """One idle vehicle of each type and day stands for all of them."""
    kept: dict[tuple[str, int], Route] = {}
    for route in empty:
        shift: Shift = fleet.shifts[route.vehicle]
        kept.setdefault((shift.type.vehicle, shift.t), route)
    return list(kept.values())
