"""A routing problem in neutral terms: stops, vehicles, hubs and the ways between places. Every search and every family
speaks these terms; none of them knows which business stands behind.

All figures are whole numbers in units that the caller chooses and keeps to: say metres, seconds from a common zero,
grams, millionths of money. Costs are whole numbers too: choose a unit of money fine enough for a cost per metre.
Several days are one axis of time: a vehicle that works on five days is five `Vehicle`s with five shifts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

FOREVER = 2**40  # no limit, in any unit
NO_WAY = 2**30  # an entry of a matrix of at least this says that there is no way between the two places
DAY = 86_400  # length of the day after which bands of travel times repeat, unless they say otherwise

Windows = tuple[tuple[int, int], ...]  # (open, close) of each, disjoint and in order; both ends belong to it
ALWAYS: Windows = ((0, FOREVER),)


@dataclass(frozen=True, slots=True)
class Stop:
    """A place where goods are picked up, delivered, or both.

    `pickup` and `delivery` have one amount a load dimension. Deliveries are loaded where the trip begins, pickups are
    unloaded where it ends. Service must begin within one of the `windows`. `loss` is the cost of leaving the stop
    out; None says that it must be visited. A vehicle may come if it has all `skills` and, where `vehicles` is given,
    its index is in it. A trip that serves the stop may not leave before `release`.
    """

    name: str
    place: int
    pickup: tuple[int, ...]
    delivery: tuple[int, ...]
    service: int = 0
    windows: Windows = ALWAYS
    loss: int | None = None
    skills: frozenset[str] = frozenset()
    vehicles: frozenset[int] | None = None
    release: int = 0


@dataclass(frozen=True, slots=True)
class Break:
    """A rest that begins within [earliest, latest], on the road or at a place, but never during service.

    It needs no place in a tour that ends by `latest` or begins at `earliest + duration` or later: it is then taken
    after or before the tour.
    """

    earliest: int
    latest: int
    duration: int


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle on one shift: it leaves `start` and is back at `end` within `shift`.

    A tour is one or more trips; between two of them the vehicle unloads, and loads anew, at one of the hubs
    `reloads`, at most `max_reloads` times. With `loads_at_start` false the first trip carries no deliveries; with
    `unloads_at_end` false the last one brings no pickups home. `end_hub` is the hub whose hours, unloading time and
    docks hold at the end, None where the end is just a place. `fixed_cost` falls due if the vehicle leaves at all.
    """

    name: str
    start: int
    end: int
    capacity: tuple[int, ...]
    shift: tuple[int, int] = (0, FOREVER)
    fixed_cost: int = 0
    cost_per_distance: int = 1
    cost_per_duration: int = 0
    max_duration: int = FOREVER
    max_distance: int = FOREVER
    profile: int = 0
    breaks: tuple[Break, ...] = ()
    skills: frozenset[str] = frozenset()
    reloads: tuple[int, ...] = ()
    max_reloads: int = 0
    loads_at_start: bool = True
    unloads_at_end: bool = True
    end_hub: int | None = None


@dataclass(frozen=True, slots=True)
class Hub:
    """A place where vehicles unload what they picked up and load what they will deliver.

    A visit begins within one of the `windows` and takes `unloading`; at most `docks` visits go on at a time.
    """

    name: str
    place: int
    windows: Windows = ALWAYS
    unloading: int = 0
    docks: int | None = None


@dataclass(frozen=True)
class Bands:
    """Travel times by time of day: from `begins[b]` of each day on, a way takes `matrices[b]` if driven at the speed of
    band b alone. A drive that crosses into the next band goes on at that band's speed (Ichoua, Gendreau & Potvin 2003),
    so whoever leaves later never arrives earlier. `begins[0]` is 0, and time 0 is a midnight."""

    begins: tuple[int, ...]
    matrices: tuple[np.ndarray, ...]
    day: int = DAY

    @cached_property
    def slowest(self) -> np.ndarray:
        """The longest time of each way in any band: what the searches plan with."""
        return np.maximum.reduce(self.matrices)


@dataclass(frozen=True)
class Problem:
    """All that a search knows. `distances[p]` and `durations[p]` are square matrices over the places (from, to) for
    vehicles of profile p; an entry of NO_WAY or more forbids the way."""

    stops: tuple[Stop, ...]
    vehicles: tuple[Vehicle, ...]
    distances: tuple[np.ndarray, ...]
    durations: tuple[np.ndarray | Bands, ...]
    hubs: tuple[Hub, ...] = ()

    @property
    def dimensions(self) -> int:
        """Number of load dimensions."""
        return len(self.vehicles[0].capacity) if self.vehicles else 0

    def slowest(self, profile: int) -> np.ndarray:
        """A profile's travel times, where they go by the time of day the longest of each way."""
        given = self.durations[profile]
        return given.slowest if isinstance(given, Bands) else given

    @cached_property
    def kinds(self) -> tuple[int, ...]:
        """The kind of each vehicle: those that differ in nothing but the name are alike."""
        number: dict[Vehicle, int] = {}
        return tuple(number.setdefault(replace(vehicle, name=""), len(number)) for vehicle in self.vehicles)

    @cached_property
    def horizon(self) -> int:
        """A moment by which all is over."""
        latest = max(v.shift[1] for v in self.vehicles)
        if latest < FOREVER:
            return latest
        opens = max(opens for s in self.stops for opens, _ in s.windows)
        opens = max(opens, *(opens for h in self.hubs for opens, _ in h.windows), *(v.shift[0] for v in self.vehicles))
        at_places = sum(s.service for s in self.stops) + (len(self.stops) + 1) * sum(h.unloading for h in self.hubs)
        rests = sum(b.latest + b.duration for v in self.vehicles for b in v.breaks)
        return min(opens + 2 * self._longest_leg * (len(self.stops) + 2) + at_places + rests, FOREVER)

    @cached_property
    def dearest_drop(self) -> int:
        """A cost above that of serving any one stop and of leaving out all those that may be: the price at which a
        search leaves out a stop that must be visited."""
        way = max(int(d[d < NO_WAY].max(initial=0)) for d in self.distances)
        moment = min(self.horizon, 10 * (self._longest_leg + max((s.service for s in self.stops), default=0)))
        tour = max(v.fixed_cost + 4 * v.cost_per_distance * way + v.cost_per_duration * moment for v in self.vehicles)
        return 2 * (tour + sum(s.loss for s in self.stops if s.loss is not None)) + 1

    @property
    def _longest_leg(self) -> int:
        matrices = [self.slowest(profile) for profile in range(len(self.durations))]
        return max(int(m[m < NO_WAY].max(initial=0)) for m in matrices)

    def may_come(self, stop: int, vehicle: int) -> bool:
        """Whether the stop admits the vehicle: its skills and the vehicles it names."""
        asked, comes = self.stops[stop], self.vehicles[vehicle]
        return asked.skills <= comes.skills and (asked.vehicles is None or vehicle in asked.vehicles)


@dataclass(frozen=True, slots=True)
class Route:
    """A vehicle's tour: the stops of each trip in order, and the hub between each two trips.

    `len(hubs) == len(trips) - 1`. The first trip is empty where the vehicle goes to a hub to load, the last where it
    goes home empty from a hub.
    """

    vehicle: int
    trips: tuple[tuple[int, ...], ...]
    hubs: tuple[int, ...] = ()

    @property
    def stops(self) -> tuple[int, ...]:
        return tuple(stop for trip in self.trips for stop in trip)


@dataclass(frozen=True, slots=True)
class Solution:
    """The tours of a plan, at most one a vehicle, and the stops that none of them serves."""

    routes: tuple[Route, ...] = ()
    left_out: tuple[int, ...] = ()

    @staticmethod
    def of(problem: Problem, routes: Sequence[Route]) -> Solution:
        """These tours without the empty ones, by vehicle, and the stops they leave out."""
        used = tuple(sorted((r for r in routes if r.stops), key=lambda r: r.vehicle))
        served = {stop for route in used for stop in route.stops}
        return Solution(used, tuple(i for i in range(len(problem.stops)) if i not in served))
