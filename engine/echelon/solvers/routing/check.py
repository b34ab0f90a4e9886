"""Whether a routing problem contradicts itself: all findings at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from echelon.errors import Finding, InputError
from echelon.solvers.routing.problem import FOREVER, Bands, Hub, Problem, Stop, Vehicle, Windows

LARGEST = 2**44  # of any figure: what both solvers add up safely


def check(problem: Problem) -> None:
    """Raises InputError with all that is wrong: sizes, negative figures, windows, breaks, indices that lead nowhere."""
    findings = [*_matrices(problem)]
    places = len(problem.distances[0]) if problem.distances and problem.distances[0].ndim == 2 else 0
    if not problem.vehicles:
        findings.append(_finding("vehicles", None, "", "", "there is none", "Name a vehicle"))
    for row, hub in enumerate(problem.hubs):
        findings += _hub(row, hub, places)
    for row, vehicle in enumerate(problem.vehicles):
        findings += _vehicle(row, vehicle, problem, places)
    for row, stop in enumerate(problem.stops):
        findings += _stop(row, stop, problem, places)
    if findings:
        raise InputError(findings)


def _matrices(problem: Problem) -> Iterator[Finding]:
    if len(problem.distances) != len(problem.durations) or not problem.distances:
        yield _finding("distances", None, "", "", "each profile has distances and durations", "Give as many of both")
        return
    shape = problem.distances[0].shape
    for profile, (distances, durations) in enumerate(zip(problem.distances, problem.durations, strict=True)):
        bands = isinstance(durations, Bands)
        times = durations.matrices if isinstance(durations, Bands) else (durations,)
        if isinstance(durations, Bands) and not _bands_hold(durations):
            rule = "bands begin at 0, one after the other, within the day, each with a matrix"
            yield _finding("durations", None, "begins", durations.begins, rule, "Put them in order")
        for name, matrix in [("distances", distances), *(("durations", m) for m in times)]:
            if matrix.shape != shape or len(shape) != 2 or shape[0] != shape[1]:
                rule = "a matrix has a row and a column for each place"
                yield _finding(name, None, f"profile {profile}", matrix.shape, rule, f"Give {shape[0]} by {shape[0]}")
            elif not np.issubdtype(matrix.dtype, np.integer):
                yield _finding(name, None, f"profile {profile}", matrix.dtype, "figures are whole", "Round them")
            elif (matrix < 0).any():
                a, b = np.argwhere(matrix < 0)[0]
                rule = f"the way from place {a} to place {b} is not negative"
                yield _finding(name, None, f"profile {profile}", matrix[a, b], rule, "Correct it, or forbid the way")
        if bands and not times:
            yield _finding("durations", None, f"profile {profile}", "", "there is a band", "Give a matrix")


def _bands_hold(bands: Bands) -> bool:
    begins = bands.begins
    in_order = all(a < b for a, b in zip(begins, (*begins[1:], bands.day), strict=True))
    return bool(begins) and begins[0] == 0 and in_order and len(begins) == len(bands.matrices)


def _hub(row: int, hub: Hub, places: int) -> Iterator[Finding]:
    yield from _windows("hubs", row, hub.windows)
    yield from _indices("hubs", row, "place", (hub.place,), places)
    yield from _amounts("hubs", row, "unloading", (hub.unloading,))
    if hub.docks is not None and hub.docks < 1:
        yield _finding("hubs", row, "docks", hub.docks, "a hub has a dock", "Give at least 1, or none for no limit")


def _vehicle(row: int, vehicle: Vehicle, problem: Problem, places: int) -> Iterator[Finding]:
    yield from _indices("vehicles", row, "start and end", (vehicle.start, vehicle.end), places)
    yield from _indices("vehicles", row, "profile", (vehicle.profile,), len(problem.distances))
    hubs = (*vehicle.reloads, *(() if vehicle.end_hub is None else (vehicle.end_hub,)))
    yield from _indices("vehicles", row, "reloads and end_hub", hubs, len(problem.hubs))
    costs = (vehicle.fixed_cost, vehicle.cost_per_distance, vehicle.cost_per_duration, vehicle.max_reloads)
    limits = (vehicle.max_duration, vehicle.max_distance)
    yield from _amounts("vehicles", row, "costs and limits", (*vehicle.capacity, *costs, *limits))
    yield from _windows("vehicles", row, (vehicle.shift,))
    if len(vehicle.capacity) != problem.dimensions:
        rule = "all vehicles have the same load dimensions"
        yield _finding("vehicles", row, "capacity", vehicle.capacity, rule, f"Give {problem.dimensions} figures")
    known = vehicle.end_hub is not None and 0 <= vehicle.end_hub < len(problem.hubs)
    if known and problem.hubs[vehicle.end_hub or 0].place != vehicle.end:
        rule = "the hub at the end lies at the place where the tour ends"
        yield _finding("vehicles", row, "end_hub", vehicle.end_hub, rule, "Name the same place")
    yield from _breaks(row, vehicle)


def _breaks(row: int, vehicle: Vehicle) -> Iterator[Finding]:
    for rest in vehicle.breaks:
        if rest.latest < rest.earliest or rest.duration < 0:
            rule = "a break begins no later than its latest and has a duration"
            yield _finding("vehicles", row, "breaks", rest, rule, "Correct the times")
    for before, after in pairwise(vehicle.breaks):
        if after.earliest < before.latest + before.duration:
            rule = "breaks are in order and cannot overlap"
            yield _finding("vehicles", row, "breaks", after, rule, "Let it begin after the one before")


def _stop(row: int, stop: Stop, problem: Problem, places: int) -> Iterator[Finding]:
    yield from _indices("stops", row, "place", (stop.place,), places)
    yield from _windows("stops", row, stop.windows)
    loss = () if stop.loss is None else (stop.loss,)
    yield from _amounts("stops", row, "amounts", (*stop.pickup, *stop.delivery, stop.service, stop.release, *loss))
    if not len(stop.pickup) == len(stop.delivery) == problem.dimensions:
        rule = "pickup and delivery have a figure for each load dimension"
        yield _finding("stops", row, "pickup and delivery", "", rule, f"Give {problem.dimensions} figures")
    if stop.vehicles is not None:
        yield from _indices("stops", row, "vehicles", sorted(stop.vehicles), len(problem.vehicles))


def _windows(table: str, row: int, windows: Windows) -> Iterator[Finding]:
    ends = [moment for window in windows for moment in window]
    after = all(closes < opens for (_, closes), (opens, _) in pairwise(windows))
    if not windows or any(closes < opens for opens, closes in windows) or not after:
        rule = "windows close after they open, are in order and do not touch"
        yield _finding(table, row, "windows", windows, rule, "Correct the times")
    elif min(ends) < 0 or max(ends) > FOREVER:
        yield _finding(table, row, "windows", windows, f"times are from 0 to {FOREVER}", "Count from the first day")


def _indices(table: str, row: int, column: str, indices: Sequence[int], count: int) -> Iterator[Finding]:
    if any(not 0 <= index < count for index in indices):
        rule = f"it names one of {count}, counted from 0"
        yield _finding(table, row, column, tuple(indices), rule, "Name one that there is")


def _amounts(table: str, row: int, column: str, amounts: Sequence[int]) -> Iterator[Finding]:
    if any(not 0 <= amount <= LARGEST for amount in amounts):
        rule = f"figures are from 0 to {LARGEST}"
        yield _finding(table, row, column, tuple(amounts), rule, "Correct it, or choose a larger unit")


def _finding(table: str, row: int | None, column: str, value: object, rule: str, remedy: str) -> Finding:
    shown = "" if value == "" else str(value)
    return Finding(table, rule, remedy, None if row is None else row + 2, column, shown)
