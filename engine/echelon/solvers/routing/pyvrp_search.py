"""The search with PyVRP, where it is installed and can express the problem: iterated local search over plans that may
break rules at a price (Wouda, Lan & Kool 2024).

Skills are distances: a vehicle has no way to a stop that does not admit it. A stop with several windows is a group of
clients, one of which is visited. Every plan that comes back is scheduled by our own rules before it counts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from echelon.errors import Violation
from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.parts import Part
from echelon.solvers.routing.problem import FOREVER, NO_WAY, Hub, Problem, Route, Solution, Vehicle, Windows
from echelon.solvers.routing.schedule import schedule

if TYPE_CHECKING:
    import pyvrp

DOUBT = 0.2  # share of the budget for which it is left alone; if it serves not all it must by then, stops may stay out
PATIENCE = 0.3  # share of the time without a better plan after which another's is taken up
LEAD = 0.01  # another's plan that is better by this share is taken up sooner
TELL_SECONDS = 0.5  # a better plan is scheduled and told of at most this often
ITERATIONS = 200  # of PyVRP in a round, where rounds are counted
PART = 200  # stops of a part
PART_SECONDS = 2.0  # for a part of that size
INFEASIBLE = 2**62  # PyVRP says at least this of the cost of a plan that breaks a rule
TOO_FAR = 2**40  # the length of a way that does not exist


def expressible(problem: Problem) -> str | None:
    """None if PyVRP is installed and knows all rules of the problem; else the first reason why not."""
    if find_spec("pyvrp") is None:
        return 'PyVRP is not installed: pip install "echelon[pyvrp]"'
    if any(vehicle.breaks for vehicle in problem.vehicles):
        return "PyVRP knows no breaks"
    if any(hub.docks is not None for hub in problem.hubs):
        return "PyVRP knows no docks"
    if not all(vehicle.loads_at_start and vehicle.unloads_at_end for vehicle in problem.vehicles):
        return "PyVRP knows no vehicles that must go to a hub to load or unload"
    if any(stop.release for stop in problem.stops) and any(hub.unloading for hub in problem.hubs):
        return "PyVRP unloads only after the release of what the next trip carries"
    ends = {v.end_hub for v in problem.vehicles if v.end_hub is not None}
    if any(len(problem.hubs[hub].windows) > 1 for hub in ends):
        return "PyVRP knows one window of a place where tours end"
    return None


def search(
    problem: Problem, budget: Budget, best: Best, admits: np.ndarray, seed: int = 0, afresh: bool = False
) -> None:
    """Improve `best` until the budget is over: from its plan, or `afresh` from PyVRP's own first plan.

    PyVRP is left alone for a fifth of the time, and then but for two cases: it goes on from another's plan that is far
    better, or better while it has found nothing for long; and stops may stay out at a price once it could not serve
    them all. `admits[stop, vehicle]` says who may come.
    """
    import pyvrp

    rounds, patience = 0, Patience.of(budget)
    may_drop = best.worth[0] > 0 and not afresh
    while not budget.over(rounds) and admits.any():
        model = Model(problem, admits, may_drop)
        own = Best(problem, None if afresh else best.solution)
        watch = _Watch(model, budget, best, own, rounds, patience)
        result = pyvrp.solve(
            model.data,
            stop=watch,
            seed=seed + rounds,
            collect_stats=False,
            params=pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(callbacks=watch.callbacks)),
            initial_solution=model.planned(best.solution) if best.solution.routes and not afresh else None,
        )
        best.offer(model.solution(result.best))
        rounds, afresh, may_drop = watch.rounds, False, best.worth[0] > 0


def plan_part(part: Part, start: Solution, admits: np.ndarray, budget: Budget, random: Random) -> Solution:
    """A part of a plan planned anew: a `parts.Planner`."""
    seconds = PART_SECONDS * max(0.2, len(part.stops) / PART)
    rounds = None if budget.rounds is None else 1
    own = replace(budget, deadline=min(budget.deadline, time.monotonic() + seconds), rounds=rounds)
    best = Best(part.problem, start)
    search(part.problem, own, best, admits, random.randrange(2**31))
    return best.solution


@dataclass(frozen=True)
class Patience:
    """How long PyVRP is left alone: until the time `doubt`, or the round of that number, whatever happens; then until
    another's plan is far better, or better and `stuck` seconds without a better one of its own."""

    doubt: float
    doubt_round: int
    stuck: float

    @staticmethod
    def of(budget: Budget) -> Patience:
        doubt = time.monotonic() + DOUBT * budget.left
        return Patience(doubt, max(1, int(DOUBT * (budget.rounds or 0))), max(PATIENCE * budget.left, 1.0))


@dataclass(frozen=True)
class _Kind:
    """Vehicles that are alike: PyVRP's vehicle type."""

    vehicle: Vehicle
    admitted: bytes


class Model:
    """A problem as PyVRP's data, and plans in and out of it. With `may_drop` a stop that must be visited may stay out
    at a high price."""

    def __init__(self, problem: Problem, admits: np.ndarray, may_drop: bool):
        import pyvrp

        self.problem = problem
        self.may_drop = may_drop
        self.kinds: dict[_Kind, list[int]] = {}
        for v, vehicle in enumerate(problem.vehicles):
            if admits[:, v].any():
                kind = _Kind(replace(vehicle, name=""), admits[:, v].tobytes())
                self.kinds.setdefault(kind, []).append(v)
        self.visits = [  # (stop, window) of each client
            (i, w) for i in np.flatnonzero(admits.any(axis=1)).tolist() for w in range(len(problem.stops[i].windows))
        ]
        self.depots: list[tuple[int | None, pyvrp.Depot]] = []  # each with its hub, None where it is just a place
        self.locations: list[tuple[int, int]] = [(problem.stops[i].place, 0) for i, _ in self.visits]
        types = [self._type(kind, vehicles, n) for n, (kind, vehicles) in enumerate(self.kinds.items())]
        matrices = [self._matrices(kind) for kind in self.kinds]
        clients, groups = self._clients()
        self.data = pyvrp.ProblemData(
            locations=[pyvrp.Location(0, 0) for _ in self.locations],
            clients=clients,
            depots=[depot for _, depot in self.depots],
            vehicle_types=types,
            distance_matrices=[distances for distances, _ in matrices],
            duration_matrices=[durations for _, durations in matrices],
            groups=groups,
        )

    def solution(self, found: pyvrp.Solution) -> Solution:
        """PyVRP's plan without the tours that break a rule."""
        free = {n: list(vehicles) for n, vehicles in enumerate(self.kinds.values())}
        routes = []
        for tour in found.routes():
            trips: list[list[int]] = [[]]
            hubs: list[int] = []
            for activity in list(tour)[1:-1]:
                if activity.is_client():
                    trips[-1].append(self.visits[activity.idx][0])
                else:
                    hub = self.depots[activity.idx][0]
                    assert hub is not None
                    hubs.append(hub)
                    trips.append([])
            route = Route(free[tour.vehicle_type()].pop(0), tuple(map(tuple, trips)), tuple(hubs))
            if not isinstance(schedule(self.problem, route), Violation):
                routes.append(route)
        return Solution.of(self.problem, routes)

    def planned(self, solution: Solution) -> pyvrp.Solution:
        """A plan of ours as PyVRP's."""
        import pyvrp

        routes = []
        kind_of = {v: n for n, vehicles in enumerate(self.kinds.values()) for v in vehicles}
        for route in solution.routes:
            timetable = schedule(self.problem, route)
            assert not isinstance(timetable, Violation), timetable
            activities = []
            for call in timetable.calls:
                if call.stop is not None:
                    client = self._client_of[call.stop, _window(self.problem.stops[call.stop].windows, call.begin)]
                    activities.append(pyvrp.Activity(pyvrp.ActivityType.CLIENT, client))
                elif call is not timetable.calls[-1] or self.problem.vehicles[route.vehicle].end_hub is None:
                    depot = self._depot_of(call.hub, call.begin)
                    activities.append(pyvrp.Activity(pyvrp.ActivityType.DEPOT, depot))
            routes.append(pyvrp.Route(self.data, activities, kind_of[route.vehicle]))
        return pyvrp.Solution(self.data, routes)

    @cached_property
    def _client_of(self) -> dict[tuple[int, int], int]:
        return {visit: client for client, visit in enumerate(self.visits)}

    def _depot_of(self, hub: int | None, begin: int) -> int:
        return next(
            n for n, (h, depot) in enumerate(self.depots) if h == hub and depot.tw_early <= begin <= depot.tw_late
        )

    def _depot(self, hub: int | None, place: int, unloading_before: int, window: tuple[int, int], service: int) -> int:
        """The number of a depot at a place; made if need be."""
        import pyvrp

        if (place, unloading_before) not in self.locations[len(self.visits) :]:
            self.locations.append((place, unloading_before))
        location = self.locations.index((place, unloading_before), len(self.visits))
        depot = pyvrp.Depot(location, tw_early=window[0], tw_late=window[1], service_duration=service)
        if (hub, depot) not in self.depots:
            self.depots.append((hub, depot))
        return self.depots.index((hub, depot))

    def _type(self, kind: _Kind, vehicles: list[int], profile: int) -> pyvrp.VehicleType:
        import pyvrp

        vehicle = kind.vehicle
        hub = Hub("", vehicle.end) if vehicle.end_hub is None else self.problem.hubs[vehicle.end_hub]
        (opens, closes), unloading = hub.windows[0], hub.unloading
        reloads = [
            self._depot(h, self.problem.hubs[h].place, 0, window, self.problem.hubs[h].unloading)
            for h in (vehicle.reloads if vehicle.max_reloads else ())
            for window in self.problem.hubs[h].windows
        ]
        return pyvrp.VehicleType(
            num_available=len(vehicles),
            capacity=list(vehicle.capacity),
            start_depot=self._depot(None, vehicle.start, 0, (0, FOREVER), 0),
            end_depot=self._depot(None, vehicle.end, unloading, (opens + unloading, closes + unloading), 0),
            fixed_cost=vehicle.fixed_cost,
            tw_early=vehicle.shift[0],
            tw_late=vehicle.shift[1],
            shift_duration=vehicle.max_duration,
            max_distance=vehicle.max_distance,
            unit_distance_cost=vehicle.cost_per_distance,
            unit_duration_cost=vehicle.cost_per_duration,
            profile=profile,
            reload_depots=reloads,
            max_reloads=vehicle.max_reloads,
        )

    def _matrices(self, kind: _Kind) -> tuple[Any, Any]:
        """Distances and times between the locations for a kind of vehicle; whom it may not serve is too far."""
        places = np.array([place for place, _ in self.locations])
        unloading = np.array([time for _, time in self.locations])
        profile = kind.vehicle.profile
        distances = self.problem.distances[profile][np.ix_(places, places)].astype(np.int64)
        durations = self.problem.slowest(profile)[np.ix_(places, places)].astype(np.int64)
        barred = (distances >= NO_WAY) | (durations >= NO_WAY)
        admitted = np.frombuffer(kind.admitted, dtype=bool)
        strangers = np.flatnonzero([not admitted[stop] for stop, _ in self.visits])
        barred[:, strangers] = True
        durations = np.where(barred, 0, durations + unloading[None, :])
        distances = np.where(barred, TOO_FAR, distances)
        for matrix in (distances, durations):
            np.fill_diagonal(matrix, 0)
        return distances, durations

    def _clients(self) -> tuple[list[pyvrp.Client], list[pyvrp.ClientGroup]]:
        """A client a window of a stop; those of one stop are a group, of which one is visited."""
        import pyvrp

        clients: list[pyvrp.Client] = []
        groups: list[pyvrp.ClientGroup] = []
        dear = self.problem.dearest_drop
        for location, (i, w) in enumerate(self.visits):
            stop = self.problem.stops[i]
            several = len(stop.windows) > 1
            required = stop.loss is None and not self.may_drop
            if several and w == 0:
                groups.append(pyvrp.ClientGroup(list(range(location, location + len(stop.windows))), required))
            loss = dear if stop.loss is None else stop.loss
            terms: dict[str, Any] = {"group": len(groups) - 1} if several else {}
            clients.append(
                pyvrp.Client(
                    location,
                    list(stop.delivery),
                    list(stop.pickup),
                    service_duration=stop.service,
                    tw_early=stop.windows[w][0],
                    tw_late=stop.windows[w][1],
                    release_time=stop.release,
                    prize=0 if required else loss,
                    required=required and not several,
                    **terms,
                )
            )
        return clients, groups


class _Watch:
    """Stops PyVRP when the budget is over or its patience at an end; passes its plans on now and then."""

    def __init__(self, model: Model, budget: Budget, best: Best, own: Best, rounds: int, patience: Patience):
        import pyvrp

        self.model, self.budget, self.best, self.rounds, self.patience = model, budget, best, rounds, patience
        self.own = own  # the best plan of this search alone
        self.iterations = 0
        self.latest: pyvrp.Solution | None = None
        self.told = self.bettered = time.monotonic()
        self.callbacks = pyvrp.IteratedLocalSearchCallbacks()
        self.callbacks.on_best = self._keep  # type: ignore[method-assign, assignment]

    def _keep(self, found: pyvrp.Solution) -> None:
        self.latest = found
        self.bettered = time.monotonic()

    def __call__(self, best_cost: int) -> bool:
        """PyVRP asks before each iteration whether to stop."""
        self.iterations += 1
        if self.budget.rounds is not None:
            self.rounds += self.iterations % ITERATIONS == 0
            doubtful = self.rounds >= self.patience.doubt_round and self._incomplete(best_cost)
            return self.budget.over(self.rounds) or doubtful
        if self.iterations % 10 == 0 and time.monotonic() - self.told > TELL_SECONDS:
            self.told = time.monotonic()
            self._tell()
            return self._impatient(best_cost) or self.budget.over(self.rounds)
        return self.budget.over(self.rounds)

    def _tell(self) -> None:
        """Pass on the latest plan."""
        if self.latest is not None:
            if self.own.offer(self.model.solution(self.latest)):
                self.best.offer(self.own.solution)
            self.latest = None

    def _incomplete(self, best_cost: int) -> bool:
        """Whether all stops are asked for and no plan serves them all within the rules."""
        return not self.model.may_drop and best_cost >= INFEASIBLE

    def _impatient(self, best_cost: int) -> bool:
        if self.told <= self.patience.doubt:
            return False
        if self._incomplete(best_cost):
            return True
        self.best.listen()
        (out, cost), (own_out, own_cost) = self.best.worth, self.own.worth
        if (out, cost) >= (own_out, own_cost) or best_cost >= INFEASIBLE:
            return False
        far = out < own_out or own_cost - cost > LEAD * own_cost
        return far or self.told - self.bettered > self.patience.stuck


def _window(windows: Windows, moment: int) -> int:
    return next(w for w, (opens, closes) in enumerate(windows) if opens <= moment <= closes)
