"""A routing problem as a model of OR-Tools: nodes, costs, loads, times, hubs, and plans in and out of it.

Nodes are the stops, copies of the hubs at which a vehicle may reload, and the places where vehicles start and end. A
load that a hub resets is a dimension with free slack there; what is on board is then exact between two hubs. Docks are
not in the model: a plan that wants too many at a time is mended afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ortools.constraint_solver import pywrapcp

from echelon.solvers.routing.problem import FOREVER, NO_WAY, Problem, Route, Solution, Vehicle, Windows

TIME, DRIVEN, RELEASED = "time", "driven", "released"


@dataclass(frozen=True, slots=True)
class _Terminal:
    """Where tours start or end: a place, and the unloading time there."""

    place: int
    unloading: int


class RoutingModel:
    """The model of a problem. `order` lists the stops in it: what is not listed is left out. `admits[stop, vehicle]`
    says who may come. With `may_drop`, a stop that must be visited may be left out too, at a cost above every tour's.
    `start` is a plan that the model must be able to hold."""

    def __init__(
        self, problem: Problem, order: Sequence[int], admits: np.ndarray, may_drop: bool, start: Solution | None = None
    ):
        self.problem = problem
        self.order = tuple(order)
        self.copies = _hub_copies(problem, start or Solution())
        self.terminals = list(dict.fromkeys(t for v in problem.vehicles for t in self._ends(v)))
        first = len(self.order) + len(self.copies)
        tours = [self._ends(v) for v in problem.vehicles]
        self.manager = pywrapcp.RoutingIndexManager(
            first + len(self.terminals),
            len(problem.vehicles),
            [first + self.terminals.index(begin) for begin, _ in tours],
            [first + self.terminals.index(end) for _, end in tours],
        )
        self.routing = pywrapcp.RoutingModel(self.manager)
        self.places = np.array(
            [problem.stops[i].place for i in self.order]
            + [problem.hubs[h].place for h in self.copies]
            + [t.place for t in self.terminals]
        )
        self.blocked = self._blocked()
        self._callbacks: dict[tuple[object, ...], int] = {}
        self._arc_costs()
        self._visits(may_drop, admits)
        self._loads()
        self._distances()
        self._times()

    # ---- plans in and out

    def solution(self, assignment: pywrapcp.Assignment) -> Solution:
        """The plan that OR-Tools found."""
        following = [assignment.Value(self.routing.NextVar(index)) for index in range(self.routing.Size())]
        routes = []
        for vehicle in range(len(self.problem.vehicles)):
            trips: list[list[int]] = [[]]
            hubs: list[int] = []
            index = following[self.routing.Start(vehicle)]
            while not self.routing.IsEnd(index):
                node = self.manager.IndexToNode(index)
                if node < len(self.order):
                    trips[-1].append(self.order[node])
                else:
                    hubs.append(self.copies[node - len(self.order)])
                    trips.append([])
                index = following[index]
            routes.append(Route(vehicle, tuple(map(tuple, trips)), tuple(hubs)))
        return Solution.of(self.problem, routes)

    def indices(self, solution: Solution) -> list[list[int]]:
        """A plan as the model's indices, a list a vehicle."""
        node_of = {stop: node for node, stop in enumerate(self.order)}
        free: dict[int, list[int]] = {}
        for number, hub in enumerate(self.copies):
            free.setdefault(hub, []).append(len(self.order) + number)
        tours: list[list[int]] = [[] for _ in self.problem.vehicles]
        for route in solution.routes:
            for number, trip in enumerate(route.trips):
                reload = [free[route.hubs[number - 1]].pop()] if number else []
                nodes = [*reload, *(node_of[i] for i in trip)]
                tours[route.vehicle] += [self.manager.NodeToIndex(node) for node in nodes]
        return tours

    # ---- the model, part by part

    def _ends(self, vehicle: Vehicle) -> tuple[_Terminal, _Terminal]:
        unloading = 0 if vehicle.end_hub is None else self.problem.hubs[vehicle.end_hub].unloading
        return _Terminal(vehicle.start, 0), _Terminal(vehicle.end, unloading)

    def _matrix(self, make: Callable[..., np.ndarray], *terms: int) -> int:
        """The callback of the values that `make(*terms)` gives, node by node; made once for the same terms."""
        if (make, *terms) not in self._callbacks:
            self._callbacks[make, *terms] = self.routing.RegisterTransitMatrix(make(*terms).tolist())
        return self._callbacks[make, *terms]

    def _unary(self, values: Sequence[int]) -> int:
        """The callback of a figure a node; terminals have none."""
        padded = [*values, *([0] * (len(self.places) - len(values)))]
        return self.routing.RegisterUnaryTransitVector([int(value) for value in padded])

    def _between(self, matrix: np.ndarray) -> np.ndarray:
        return matrix[np.ix_(self.places, self.places)].astype(np.int64)

    def _stop_indices(self) -> range:
        return range(len(self.order))

    def _copy_indices(self) -> range:
        return range(len(self.order), len(self.order) + len(self.copies))

    def _arc_costs(self) -> None:
        """Distance times its cost, and the fixed cost of a vehicle that leaves."""
        for number, vehicle in enumerate(self.problem.vehicles):
            callback = self._matrix(self._costs_of_ways, vehicle.profile, vehicle.cost_per_distance)
            self.routing.SetArcCostEvaluatorOfVehicle(callback, number)
            if vehicle.fixed_cost:
                self.routing.SetFixedCostOfVehicle(vehicle.fixed_cost, number)
        self._forbid_ways()

    def _ways(self, profile: int) -> np.ndarray:
        return self._between(self.problem.distances[profile])

    def _costs_of_ways(self, profile: int, cost_per_distance: int) -> np.ndarray:
        """Distance times its cost. A way that only this profile lacks, or that takes forever, is too long for it. What
        no profile has is forbidden and costs what the way back does: constructions look at costs alone for likeness."""
        lacks = self._between(self.problem.slowest(profile)) >= NO_WAY
        ways = np.where(lacks, NO_WAY, self._ways(profile))
        longest = ways[ways < NO_WAY].max(initial=0)
        return np.where(self.blocked, np.minimum(ways.T, longest), ways) * cost_per_distance

    def _blocked(self) -> np.ndarray:
        """Whether no vehicle has a way from one node to another."""
        problem, profiles = self.problem, range(len(self.problem.distances))
        barred = [(self._ways(p) >= NO_WAY) | (self._between(problem.slowest(p)) >= NO_WAY) for p in profiles]
        return np.logical_and.reduce(barred)

    def _forbid_ways(self) -> None:
        """No tour takes a way that no vehicle has."""
        if not self.blocked.any():
            return
        count = len(self.order) + len(self.copies)
        ends = [
            (self.routing.End(v), self.manager.IndexToNode(self.routing.End(v))) for v in range(self.routing.vehicles())
        ]
        for index in range(self.routing.Size()):
            node = self.manager.IndexToNode(index)
            barred = [int(other) for other in np.flatnonzero(self.blocked[node, :count]) if other != node]
            barred += [end for end, at in ends if self.blocked[node, at]]
            if barred:
                self.routing.NextVar(index).RemoveValues(barred)

    def _visits(self, may_drop: bool, admits: np.ndarray) -> None:
        """Which stops may be left out and at what cost, who may come, and hubs that need not be visited."""
        penalty = self.problem.dearest_drop
        for index, stop in zip(self._stop_indices(), self.order, strict=True):
            loss = self.problem.stops[stop].loss
            if loss is not None or may_drop:
                self.routing.AddDisjunction([index], penalty if loss is None else loss)
            if not admits[stop].all():
                self._only(index, np.flatnonzero(admits[stop]).tolist())
        for index, hub in zip(self._copy_indices(), self.copies, strict=True):
            self.routing.AddDisjunction([index], 0)
            comes = [
                v for v, vehicle in enumerate(self.problem.vehicles) if vehicle.max_reloads and hub in vehicle.reloads
            ]
            self._only(index, comes)
        if len(self.copies) > min((v.max_reloads for v in self.problem.vehicles if v.max_reloads), default=0):
            visits = self._unary([0] * len(self.order) + [1] * len(self.copies))
            limits = [min(v.max_reloads, len(self.copies)) for v in self.problem.vehicles]
            self.routing.AddDimensionWithVehicleCapacity(visits, 0, limits, True, "reloads")

    def _only(self, index: int, vehicles: Sequence[int]) -> None:
        """Only these vehicles come, or none does."""
        self.routing.VehicleVar(index).SetValues([-1, *vehicles])

    def _loads(self) -> None:
        """Load on board in each dimension: pickups since the last unloading, deliveries until the next loading."""
        for d in range(self.problem.dimensions):
            pickup = [self.problem.stops[i].pickup[d] for i in self.order]
            delivery = [self.problem.stops[i].delivery[d] for i in self.order]
            capacity = [v.capacity[d] for v in self.problem.vehicles]
            loaded_later = any(not v.loads_at_start for v in self.problem.vehicles)
            if any(delivery) and (any(pickup) or loaded_later):
                self._both_ways(d, pickup, delivery, capacity)
            elif any(delivery) or any(pickup):
                collects = any(pickup)
                dimension = self._collected(f"load {d}", pickup if collects else delivery, capacity)
                for v, vehicle in enumerate(self.problem.vehicles):
                    if collects and not vehicle.unloads_at_end:
                        dimension.CumulVar(self.routing.End(v)).SetValue(0)

    def _collected(self, name: str, amounts: Sequence[int], capacity: Sequence[int]) -> pywrapcp.RoutingDimension:
        """What a trip has handled so far, from 0 after each hub: for pickups the load on board; for deliveries it has
        the same limit, as all of a trip's deliveries are on board when it begins."""
        most = max(capacity)
        transit = self._unary([*amounts, *([-most] * len(self.copies))])
        slack = most if self.copies else 0
        self.routing.AddDimensionWithVehicleCapacity(transit, slack, list(capacity), True, name)
        dimension = self.routing.GetDimensionOrDie(name)
        self._slack_only_at_hubs(dimension, starts_too=False)
        return dimension

    def _both_ways(self, d: int, pickup: Sequence[int], delivery: Sequence[int], capacity: Sequence[int]) -> None:
        """Two dimensions, which agree when a trip begins: what is yet to deliver on it, and all that is on board."""
        most = max(capacity)
        copies = len(self.copies)
        solver = self.routing.solver()
        to_deliver = self._unary([*(-amount for amount in delivery), *([0] * copies)])
        on_board = self._unary([*(p - q for p, q in zip(pickup, delivery, strict=True)), *([-most] * copies)])
        limits = list(capacity)
        self.routing.AddDimensionWithVehicleCapacity(to_deliver, most if copies else 0, limits, False, f"deliver {d}")
        self.routing.AddDimensionWithVehicleCapacity(on_board, 2 * most if copies else 0, limits, False, f"load {d}")
        rest, load = self.routing.GetDimensionOrDie(f"deliver {d}"), self.routing.GetDimensionOrDie(f"load {d}")
        for dimension in (rest, load):
            self._slack_only_at_hubs(dimension, starts_too=True)
        for v, vehicle in enumerate(self.problem.vehicles):
            start, end = self.routing.Start(v), self.routing.End(v)
            rest.CumulVar(end).SetValue(0)
            solver.Add(load.CumulVar(start) == rest.CumulVar(start))
            if not vehicle.loads_at_start:
                rest.CumulVar(start).SetValue(0)
            if not vehicle.unloads_at_end:
                load.CumulVar(end).SetValue(0)
        for index in self._copy_indices():
            rest.CumulVar(index).SetValue(0)
            solver.Add(load.CumulVar(index) + load.SlackVar(index) - most == rest.SlackVar(index))

    def _slack_only_at_hubs(self, dimension: pywrapcp.RoutingDimension, starts_too: bool) -> None:
        if self.copies:
            for index in self._stop_indices():
                dimension.SlackVar(index).SetValue(0)
            for vehicle in range(len(self.problem.vehicles)) if starts_too else ():
                dimension.SlackVar(self.routing.Start(vehicle)).SetValue(0)

    def _distances(self) -> None:
        """The range of each vehicle, where one has a limit."""
        if any(v.max_distance < FOREVER for v in self.problem.vehicles):
            callbacks = [self._matrix(self._ways, v.profile) for v in self.problem.vehicles]
            limits = [v.max_distance for v in self.problem.vehicles]
            self.routing.AddDimensionWithVehicleTransitAndCapacity(callbacks, 0, limits, True, DRIVEN)

    def _times(self) -> None:
        """When each visit begins: windows, shifts, longest durations, breaks and release dates."""
        problem, routing = self.problem, self.routing
        if not needs_time(problem):
            return
        horizon = problem.horizon
        callbacks = [self._matrix(self._durations, v.profile) for v in problem.vehicles]
        routing.AddDimensionWithVehicleTransits(callbacks, horizon, horizon, False, TIME)
        time = routing.GetDimensionOrDie(TIME)
        for index, stop in zip(self._stop_indices(), self.order, strict=True):
            _within(time.CumulVar(index), problem.stops[stop].windows, horizon)
        for index, hub in zip(self._copy_indices(), self.copies, strict=True):
            _within(time.CumulVar(index), problem.hubs[hub].windows, horizon)
        for v, vehicle in enumerate(problem.vehicles):
            self._shift(time, v, vehicle, horizon)
        self._breaks(time)
        self._releases(time, horizon)

    def _durations(self, profile: int) -> np.ndarray:
        """Time from the beginning of a visit to that of the next; at an end, to when all is unloaded."""
        stops, hubs = self.problem.stops, self.problem.hubs
        service = [stops[i].service for i in self.order] + [hubs[h].unloading for h in self.copies]
        leaving = np.array(service + [0] * len(self.terminals))
        unloading = np.array([0] * len(service) + [t.unloading for t in self.terminals])
        return self._between(self.problem.slowest(profile)) + leaving[:, None] + unloading[None, :]

    def _shift(self, time: pywrapcp.RoutingDimension, number: int, vehicle: Vehicle, horizon: int) -> None:
        start, end = time.CumulVar(self.routing.Start(number)), time.CumulVar(self.routing.End(number))
        earliest, latest = vehicle.shift
        start.SetRange(earliest, min(latest, horizon))
        end.SetRange(earliest, min(latest, horizon))
        if vehicle.end_hub is not None:
            hub = self.problem.hubs[vehicle.end_hub]
            finished = tuple((opens + hub.unloading, closes + hub.unloading) for opens, closes in hub.windows)
            _within(end, finished, horizon)
        if vehicle.max_duration < horizon:
            time.SetSpanUpperBoundForVehicle(vehicle.max_duration, number)
        if vehicle.cost_per_duration:
            time.SetSpanCostCoefficientForVehicle(vehicle.cost_per_duration, number)

    def _breaks(self, time: pywrapcp.RoutingDimension) -> None:
        """Rests as intervals on the road or between visits, never within one."""
        if not any(v.breaks for v in self.problem.vehicles):
            return
        service = [0] * self.routing.Size()
        for index, stop in zip(self._stop_indices(), self.order, strict=True):
            service[index] = self.problem.stops[stop].service
        for index, hub in zip(self._copy_indices(), self.copies, strict=True):
            service[index] = self.problem.hubs[hub].unloading
        for number, vehicle in enumerate(self.problem.vehicles):
            rests = [
                self.routing.solver().FixedDurationIntervalVar(
                    b.earliest, b.latest, b.duration, False, f"break {k} of {number}"
                )
                for k, b in enumerate(vehicle.breaks)
            ]
            if rests:
                time.SetBreakIntervalsOfVehicle(rests, number, service)

    def _releases(self, time: pywrapcp.RoutingDimension, horizon: int) -> None:
        """A trip leaves no earlier than its stops are released: a dimension holds the moment at which the trip left."""
        if not any(stop.release for stop in self.problem.stops):
            return
        transit = self._unary([0] * (len(self.order) + len(self.copies)))
        self.routing.AddDimension(transit, horizon, horizon, True, RELEASED)
        left = self.routing.GetDimensionOrDie(RELEASED)
        solver = self.routing.solver()
        for index, stop in zip(self._stop_indices(), self.order, strict=True):
            left.CumulVar(index).SetMin(self.problem.stops[stop].release)
            left.SlackVar(index).SetValue(0)
        for vehicle in range(len(self.problem.vehicles)):
            start = self.routing.Start(vehicle)
            solver.Add(time.CumulVar(start) >= left.SlackVar(start))
        for index, hub in zip(self._copy_indices(), self.copies, strict=True):
            leaves = time.CumulVar(index) + time.SlackVar(index) + self.problem.hubs[hub].unloading
            solver.Add(leaves >= left.CumulVar(index) + left.SlackVar(index))


def needs_time(problem: Problem) -> bool:
    """Whether any rule or cost of the problem is about time."""
    windows = [*(s.windows for s in problem.stops), *(h.windows for h in problem.hubs)]
    return (
        any(w != ((0, FOREVER),) for w in windows)
        or any(s.release for s in problem.stops)
        or any(
            v.shift[1] < FOREVER or v.max_duration < FOREVER or v.cost_per_duration or v.breaks
            for v in problem.vehicles
        )
    )


def _hub_copies(problem: Problem, start: Solution) -> list[int]:
    """The hubs at which vehicles reload, each as often as it may be visited: once for each reload that the vehicles may
    make, but at most twice as often as the loads need and twice for each vehicle; and as often as `start` does."""
    copies: list[int] = []
    for hub in sorted({h for v in problem.vehicles if v.max_reloads for h in v.reloads}):
        vehicles = [v for v in problem.vehicles if hub in v.reloads and v.max_reloads]
        trips = 0
        for d in range(problem.dimensions):
            load = max(sum(s.pickup[d] for s in problem.stops), sum(s.delivery[d] for s in problem.stops))
            trips = max(trips, -(-load // max(1, min(v.capacity[d] for v in vehicles))))
        most = min(sum(v.max_reloads for v in vehicles), len(problem.stops) + len(vehicles))
        visited = sum(route.hubs.count(hub) for route in start.routes)
        copies += [hub] * max(min(most, 2 * (trips + len(vehicles))), visited)
    return copies


def _within(variable: pywrapcp.IntVar, windows: Windows, horizon: int) -> None:
    """The variable lies in one of the windows, which are disjoint and in order."""
    variable.SetRange(min(windows[0][0], horizon), min(windows[-1][1], horizon))
    for (_, closes), (opens, _) in pairwise(windows):
        if closes + 1 <= opens - 1:
            variable.RemoveInterval(closes + 1, opens - 1)
