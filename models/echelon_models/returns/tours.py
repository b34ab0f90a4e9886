"""A case as a routing problem, and the tours of a solution as tables.

Whole units: metres, seconds from the first day's midnight, thousandths of kg, m³ and pallets, millionths of money.
Loads and ways are rounded up, capacities down, so that a tour which keeps the whole figures keeps the true ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from echelon.solvers.routing.insertion import admitted
from echelon.solvers.routing.problem import ALWAYS, FOREVER, Break, Hub, Problem, Stop, Vehicle, Windows
from echelon.tables import Frames
from echelon_models.returns.clock import DAY
from echelon_models.returns.complete import names
from echelon_models.returns.schema import DIMENSIONS, NO_LIMIT, ReturnsOptions
from echelon_models.returns.travel import Travel, travel

MONEY = 1_000_000
LOAD = 1_000
KG = 1000.0  # in a tonne


class Shift(NamedTuple):
    """A vehicle on a day: its type's row, its number from 1, the day's position, the hubs where it may unload."""

    type: Any
    number: int
    t: int
    hubs: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.type.vehicle} {self.number}"


@dataclass(frozen=True)
class Fleet:
    """A case as the searches see it, before losses and restrictions: `shifts[v]` is vehicle v of the problem,
    `stops[i]` stop i, `hubs[k]` hub k; `open_to[i]` the vehicles that may come to stop i by day and by law."""

    full: Frames
    travel: Travel
    shifts: tuple[Shift, ...]
    stops: tuple[Any, ...]
    hubs: tuple[Any, ...]
    open_to: tuple[frozenset[int], ...]
    problem: Problem  # every stop at its loss, open to all that may come

    @cached_property
    def admits(self) -> np.ndarray:
        """[i, v]: whether vehicle v could serve stop i if it did nothing else."""
        return admitted(self.problem)

    def restricted(self, losses: Sequence[float], open_to: Mapping[int, frozenset[int]]) -> Problem:
        """The problem with these losses of leaving a stop (money), and some stops open to these vehicles only."""
        stops = tuple(
            _replace(stop, money(max(loss, 0.0)), open_to.get(i, self.open_to[i]))
            for i, (stop, loss) in enumerate(zip(self.problem.stops, losses, strict=True))
        )
        given = self.problem
        return Problem(stops, given.vehicles, given.distances, given.durations, given.hubs)


def fleet(full: Frames, options: ReturnsOptions) -> Fleet:
    """The routing problem of a completed case."""
    ways = travel(full, options)
    hubs = tuple(full["hubs"].itertuples(index=False))
    stops = tuple(full["stops"].itertuples(index=False))
    shifts = tuple(
        Shift(row, number, t, tuple(names(row.unloads_at)))
        for t in full["days"]["t"]
        for row in full["vehicles"].itertuples(index=False)
        for number in range(1, row.count + 1)
    )
    inlets: dict[str, set[str]] = {}
    for row in full["inlets"].itertuples(index=False):
        inlets.setdefault(row.stop, set()).add(row.hub)
    open_to = tuple(_open_to(stop, shifts, inlets.get(stop.stop, set())) for stop in stops)
    speeds = sorted({speed(row, options) for row in full["vehicles"].itertuples(index=False)})
    problem = Problem(
        stops=tuple(_stop(stop, ways, full, open_to[i]) for i, stop in enumerate(stops)),
        vehicles=tuple(_vehicle(shift, ways, full, hubs, speeds, options) for shift in shifts),
        distances=(ways.metres(),) * len(speeds),
        durations=tuple(ways.seconds(each) for each in speeds),
        hubs=tuple(_hub(hub, ways, full) for hub in hubs),
    )
    return Fleet(full, ways, shifts, stops, hubs, open_to, problem)


def money(amount: float) -> int:
    """Money as the searches count it."""
    return round(amount * MONEY)


def collects(stop: Any) -> bool:
    """Whether anything is taken from the stop to a hub."""
    return any(getattr(stop, f"load_{d}") > 0 for d in DIMENSIONS)


def _replace(stop: Stop, loss: int, vehicles: frozenset[int]) -> Stop:
    return Stop(
        stop.name, stop.place, stop.pickup, stop.delivery, stop.service, stop.windows, loss, stop.skills, vehicles
    )


def _open_to(stop: Any, shifts: Sequence[Shift], inlets: set[str]) -> frozenset[int]:
    """The vehicles of the stop's days; if it collects, those whose hubs may all take its goods."""
    return frozenset(
        v
        for v, shift in enumerate(shifts)
        if stop.ready <= shift.t <= stop.deadline and (not collects(stop) or set(shift.hubs) <= inlets)
    )


def _stop(stop: Any, ways: Travel, full: Frames, open_to: frozenset[int]) -> Stop:
    return Stop(
        name=stop.stop,
        place=ways.index[stop.stop],
        pickup=tuple(_up(getattr(stop, f"load_{d}")) for d in DIMENSIONS),
        delivery=tuple(_up(getattr(stop, f"delivery_{d}")) for d in DIMENSIONS),
        service=math.ceil(stop.service_minutes * 60 - 1e-6),
        windows=windows(full, stop.stop),
        loss=money(stop.loss),
        skills=frozenset(names(stop.skills)),
        vehicles=open_to,
    )


def _hub(hub: Any, ways: Travel, full: Frames) -> Hub:
    docks = None if hub.docks == NO_LIMIT else int(hub.docks)
    unloading = math.ceil(hub.unload_minutes * 60 - 1e-6)
    return Hub(hub.hub, ways.index[hub.hub], windows(full, hub.hub), unloading, docks)


def _vehicle(
    shift: Shift, ways: Travel, full: Frames, hubs: Sequence[Any], speeds: Sequence[float], options: ReturnsOptions
) -> Vehicle:
    row, midnight = shift.type, shift.t * DAY
    number = {hub.hub: k for k, hub in enumerate(hubs)}
    unloads_at_end = row.end in shift.hubs
    rests = full["breaks"][full["breaks"]["vehicle"] == row.vehicle]
    return Vehicle(
        name=f"{shift.name} {full['days']['day'].iloc[shift.t]}",
        start=ways.index[row.start],
        end=ways.index[row.end],
        capacity=tuple(_down(getattr(row, d)) for d in DIMENSIONS),
        shift=(midnight + row.shift_start, midnight + row.shift_end),
        fixed_cost=money(row.fixed_cost),
        cost_per_distance=round((row.cost_per_km + options.carbon_price * row.emissions / KG) * MONEY / 1000),
        cost_per_duration=round(row.cost_per_hour * MONEY / 3600),
        max_duration=FOREVER if math.isnan(row.max_hours) else math.floor(row.max_hours * 3600 + 1e-6),
        max_distance=FOREVER if math.isnan(row.range) else math.floor(row.range * 1000 + 1e-6),
        profile=speeds.index(speed(row, options)),
        breaks=tuple(
            Break(midnight + b.earliest, midnight + b.latest, math.ceil(b.minutes * 60 - 1e-6))
            for b in rests.itertuples(index=False)
        ),
        skills=frozenset(names(row.skills)),
        reloads=tuple(number[hub] for hub in shift.hubs),
        max_reloads=row.trips - 1 if unloads_at_end else row.trips,
        loads_at_start=row.start in number,
        unloads_at_end=unloads_at_end,
        end_hub=number[row.end] if unloads_at_end else None,
    )


def windows(full: Frames, place: str) -> Windows:
    """When a place may be visited, in seconds from the first midnight: its windows of all days, joined where they
    meet."""
    rows = full["windows"][full["windows"]["place"] == place]
    if rows.empty:
        return ALWAYS
    joined: list[tuple[int, int]] = []
    for opens, closes in sorted(zip(rows["t"] * DAY + rows["opens"], rows["t"] * DAY + rows["closes"], strict=True)):
        if joined and opens <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], closes))
        else:
            joined.append((int(opens), int(closes)))
    return tuple(joined)


def speed(row: Any, options: ReturnsOptions) -> float:
    """km/hour of a type of vehicle."""
    return options.speed if math.isnan(row.speed) else float(row.speed)


def _up(amount: float) -> int:
    return int(np.ceil(amount * LOAD - 1e-6))


def _down(capacity: float) -> int:
    return FOREVER if math.isnan(capacity) else int(np.floor(capacity * LOAD + 1e-6))
