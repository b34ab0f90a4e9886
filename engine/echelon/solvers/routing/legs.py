"""The drives between a tour's points, at travel times that may go by the time of day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from echelon.solvers.routing.problem import FOREVER, Bands, Problem, Windows

Pause = tuple[int, int]  # a break as it is taken: begin and end


@dataclass(frozen=True, slots=True)
class Point:
    """A place on a tour. Service begins within a window; whoever has been served leaves at `ready` at the earliest."""

    place: int
    windows: Windows
    service: int
    ready: int = 0
    stop: int | None = None
    hub: int | None = None


class Legs:
    """The drives between a tour's points."""

    def __init__(self, problem: Problem, profile: int, points: Sequence[Point]):
        pairs = [(a.place, b.place) for a, b in pairwise(points)]
        given = problem.durations[profile]
        self.bands = given if isinstance(given, Bands) else None
        self.times = [
            tuple(int(matrix[pair]) for matrix in (given.matrices if isinstance(given, Bands) else (given,)))
            for pair in pairs
        ]
        self.least_duration = sum(min(times) for times in self.times) + sum(p.service for p in points)

    def drive(self, leg: int, leave: int, pauses: Sequence[Pause]) -> int:
        """Arrival of a leg that begins at `leave` and rests in the pauses, in order."""
        if self.bands is None and not pauses:
            return leave + self.times[leg][0]
        clock, left = leave, 1.0  # share of the way that is left
        for begin, end in (*pauses, (FOREVER, FOREVER)):
            clock, left = self._go(leg, clock, left, max(begin, clock))
            if left <= 0.0:
                break
            clock = max(clock, end)
        return clock

    def _go(self, leg: int, clock: int, left: float, until: int) -> tuple[int, float]:
        """Drive on from `clock` until arrival or the moment `until`; the clock then, and the share of the way left."""
        while True:
            takes, band_ends = self._band(leg, clock)
            need = left * takes
            arrival = clock + int(np.ceil(need - 1e-6))
            if arrival <= min(until, band_ends):
                return arrival, 0.0
            stop = min(until, band_ends)
            left -= (stop - clock) / takes
            clock = stop
            if clock == until:
                return clock, left

    def _band(self, leg: int, clock: int) -> tuple[int, int]:
        """Time of the whole leg in the band of this moment, and when that band ends."""
        if self.bands is None:
            return self.times[leg][0], FOREVER
        day, second = divmod(clock, self.bands.day)
        band = int(np.searchsorted(self.bands.begins, second, side="right")) - 1
        ends = (*self.bands.begins, self.bands.day)[band + 1]
        return self.times[leg][band], day * self.bands.day + ends

    def leave(self, leg: int, arrival: int) -> int:
        """The latest departure that arrives by `arrival`, without a break."""
        if self.bands is None:
            return arrival - self.times[leg][0]
        low, high = arrival - max(self.times[leg]) - 1, arrival
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.drive(leg, middle, ()) <= arrival else (low, middle - 1)
        return low

    def band_changes(self, before: int) -> Iterator[int]:
        """The moments up to `before` at which another band of travel times begins."""
        if self.bands is not None:
            for day in range(before // self.bands.day + 1):
                yield from (day * self.bands.day + begin for begin in self.bands.begins)
