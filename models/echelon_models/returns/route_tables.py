"""Tours as tables: every call with its times and what is on board, each tour's totals, where each stop is served."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from echelon.solvers.routing.schedule import Timetable
from echelon_models.returns import clock
from echelon_models.returns.estimate import Visited
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.tours import Fleet, collects

HOUR = 3600.0


class _Event(NamedTuple):
    """A row of a tour: what happens where, from when to when (seconds), and how much further than the row before
    (km)."""

    call: str
    place: str
    arrival: int
    begin: int
    end: int
    km: float


def route_rows(fleet: Fleet, timetables: Sequence[Timetable]) -> pd.DataFrame:
    """The result table `routes`."""
    rows = []
    for timetable in timetables:
        shift = fleet.shifts[timetable.route.vehicle]
        day, midnight = fleet.full["days"]["day"].iloc[shift.t], shift.t * clock.DAY
        events = list(_events(fleet, timetable))
        driven = 0.0
        for order, (event, load) in enumerate(zip(events, _loads(fleet, timetable, events), strict=True)):
            driven += event.km
            times = [clock.text(moment - midnight) for moment in (event.arrival, event.begin, event.end)]
            rows.append((shift.name, day, order, event.call, event.place, *times, *load, driven))
    columns = ["vehicle", "day", "order", "call", "place", "arrival", "begin", "departure", *DIMENSIONS, "km"]
    return pd.DataFrame(rows, columns=columns)


def tour_rows(fleet: Fleet, timetables: Sequence[Timetable], routes: pd.DataFrame) -> pd.DataFrame:
    """The result table `tours`."""
    driven = routes.groupby(["vehicle", "day"])["km"].max().to_dict()
    rows = []
    for timetable in timetables:
        shift = fleet.shifts[timetable.route.vehicle]
        day, midnight = fleet.full["days"]["day"].iloc[shift.t], shift.t * clock.DAY
        km, hours = driven[shift.name, day], timetable.duration / HOUR
        calls = sum(call.hub is not None for call in timetable.calls)
        times = clock.text(timetable.departure - midnight), clock.text(timetable.finish - midnight)
        money = shift.type.fixed_cost, km * shift.type.cost_per_km, hours * shift.type.cost_per_hour
        head = (shift.name, day, shift.type.vehicle, len(timetable.route.stops), calls)
        rows.append((*head, *times, hours, km, km * shift.type.emissions, *money))
    names = ["vehicle", "day", "type", "stops", "unloads", "departure", "finish", "hours", "km", "emissions"]
    return pd.DataFrame(rows, columns=[*names, "fixed_cost", "distance_cost", "time_cost"])


def places_of(fleet: Fleet, timetables: Sequence[Timetable]) -> dict[int, Visited]:
    """Where each stop that is served stands: its vehicle, the hub at which its trip unloads ("" where nothing is
    collected), the day."""
    at = {}
    for timetable in timetables:
        route = timetable.route
        shift, vehicle = fleet.shifts[route.vehicle], fleet.problem.vehicles[route.vehicle]
        for trip, hub in zip(route.trips, [*route.hubs, vehicle.end_hub], strict=True):
            for i in trip:
                name = fleet.hubs[hub].hub if hub is not None and collects(fleet.stops[i]) else ""
                at[i] = Visited(route.vehicle, name, shift.t)
    return at


def served_rows(fleet: Fleet, timetables: Sequence[Timetable], at: dict[int, Visited]) -> pd.DataFrame:
    """The result table `served`."""
    rows = []
    for timetable in timetables:
        shift = fleet.shifts[timetable.route.vehicle]
        day = fleet.full["days"]["day"].iloc[shift.t]
        for call in timetable.calls:
            if call.stop is not None:
                begin = clock.text(call.begin - shift.t * clock.DAY)
                rows.append((fleet.stops[call.stop].stop, day, shift.name, begin, at[call.stop].hub))
    return pd.DataFrame(rows, columns=["stop", "day", "vehicle", "begin", "hub"]).sort_values("stop", ignore_index=True)


def _events(fleet: Fleet, timetable: Timetable) -> Iterator[_Event]:
    """The tour from start to end; breaks stand before the call that follows them."""
    vehicle = fleet.problem.vehicles[timetable.route.vehicle]
    row: Any = fleet.shifts[timetable.route.vehicle].type
    index, km = fleet.travel.index, fleet.travel.km
    pauses = list(timetable.breaks)
    here = row.start
    yield _Event("start", here, timetable.departure, timetable.departure, timetable.departure, 0.0)
    for call in timetable.calls:
        while pauses and pauses[0][1] <= call.begin:
            begin, end = pauses.pop(0)
            yield _Event("break", "", begin, begin, end, 0.0)
        place = fleet.stops[call.stop].stop if call.stop is not None else fleet.hubs[call.hub].hub  # type: ignore[index]
        kind = "stop" if call.stop is not None else "hub"
        yield _Event(kind, place, call.arrival, call.begin, call.end, float(km[index[here], index[place]]))
        here = place
    for begin, end in pauses:
        yield _Event("break", "", begin, begin, end, 0.0)
    further = 0.0 if vehicle.end_hub is not None else float(km[index[here], index[row.end]])
    yield _Event("end", row.end, timetable.finish, timetable.finish, timetable.finish, further)


def _loads(fleet: Fleet, timetable: Timetable, events: Sequence[_Event]) -> Iterator[tuple[float, ...]]:
    """What is on board after each event, in each dimension."""
    stops = {stop.stop: stop for stop in fleet.stops}
    trips = iter(timetable.route.trips)

    def loaded() -> list[float]:
        trip = next(trips, ())
        return [sum(getattr(fleet.stops[i], f"delivery_{d}") for i in trip) for d in DIMENSIONS]

    load = loaded()
    for event in events:
        if event.call == "stop":
            stop = stops[event.place]
            load = [
                have - getattr(stop, f"delivery_{d}") + getattr(stop, f"load_{d}")
                for have, d in zip(load, DIMENSIONS, strict=True)
            ]
        elif event.call == "hub":
            load = loaded()
        yield tuple(max(round(amount, 9), 0.0) for amount in load)
