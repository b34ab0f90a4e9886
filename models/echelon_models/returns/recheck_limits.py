"""Recompute what a plan says of its limits: which there are, what each allows by the tables, what is used of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from echelon.book import Book
from echelon.tables import Frames
from echelon_models.returns.recheck_routes import DAY, DIMENSIONS, Visits, World

UNIT = {"weight": "kg", "volume": "m³", "pallets": "pallets"}
HOUR = 3600.0
NO_LIMIT = 1_000_000
Truth = Iterator[tuple[tuple[str, str, str, str], float, float]]  # (limit, name, period, unit), capacity, use


def check_limits(book: Book, full: Frames, world: World, visits: Visits, plan: Frames) -> None:
    """One row for each limit of the case, with what it allows and what is used; none is exceeded."""
    parts = (_hubs(world, visits, plan), _vehicles(world, plan), _onward(full, world, plan))
    truth = {key: (capacity, use) for part in parts for key, capacity, use in part if capacity < NO_LIMIT}
    rows = list(plan["limits"].itertuples(index=False))
    told = [(row.limit, row.name, row.period, row.unit) for row in rows]
    book.holds("one row a limit", "limits", sorted(told) == sorted(truth))
    for key, row in zip(told, rows, strict=True):
        where, (capacity, use) = ", ".join(key), truth.get(key, (math.nan, math.nan))
        book.agrees("what a limit allows", where, row.capacity, capacity)
        book.agrees("use of a limit", where, row.use, use)
        book.over("no limit is exceeded", where, use, capacity)
        book.agrees("no limit is exceeded", where, row.excess, 0.0)


def _hubs(world: World, visits: Visits, plan: Frames) -> Truth:
    """Intake, storage, docks by hub and day."""
    kept = {(row.hub, row.day): row for row in plan["intake"].itertuples(index=False)}
    spans: dict[str, list[tuple[str, float, float]]] = {hub: [] for hub in world.hubs}
    for call in plan["routes"].itertuples(index=False):
        if call.call == "hub" and call.place in spans and call.day in world.day:
            midnight = world.day[call.day] * DAY
            spans[call.place].append((call.day, midnight + _seconds(call.begin), midnight + _seconds(call.departure)))
    for hub, row in world.hubs.items():
        for day, t in world.day.items():
            for d in DIMENSIONS:
                yield ("intake", hub, day, UNIT[d]), _amount(row, f"intake_{d}"), visits.intake.get((hub, t, d), 0.0)
                stock = getattr(kept[hub, day], f"stock_{d}") if (hub, day) in kept else math.nan
                yield ("storage", hub, day, UNIT[d]), _amount(row, f"storage_{d}"), stock
            begun = [begin for of, begin, _ in spans[hub] if of == day]
            busiest = max((sum(b <= begin < e for _, b, e in spans[hub]) for begin in begun), default=0)
            yield ("dock capacity", hub, day, "docks"), float(row.docks), float(busiest)


def _vehicles(world: World, plan: Frames) -> Truth:
    """By type and day: how many are used, and the most that any of them carries, works and drives."""
    tours = list(plan["tours"].itertuples(index=False))
    board: dict[tuple[str, str], list[Any]] = {}
    for call in plan["routes"].itertuples(index=False):
        board.setdefault((call.vehicle, call.day), []).append(call)
    for name, row in world.types.items():
        for day in world.day:
            used = [tour for tour in tours if (tour.type, tour.day) == (name, day)]
            yield ("fleet", name, day, "vehicles"), float(row.count), float(len(used))
            for d in DIMENSIONS:
                loads = (getattr(call, d) for tour in used for call in board.get((tour.vehicle, day), ()))
                yield ("load capacity", name, day, UNIT[d]), _amount(row, d), max(loads, default=0.0)
            begin = row.shift_start / HOUR
            back = max((_seconds(tour.finish) / HOUR for tour in used), default=0.0)
            yield ("shift", name, day, "hours"), row.shift_end / HOUR - begin, max(back - begin, 0.0)
            hours, km = (max((getattr(tour, what) for tour in used), default=0.0) for what in ("hours", "km"))
            yield ("longest tour", name, day, "hours"), _amount(row, "max_hours"), hours
            yield ("range", name, day, "km"), _amount(row, "range"), km


def _onward(full: Frames, world: World, plan: Frames) -> Truth:
    """Trucks by way and day; what destinations take, by day in units and over all days in weight."""
    trips, recovered = plan["linehaul"], plan["recovery"]
    for row in full["ways"].itertuples(index=False):
        here = trips[(trips["hub"] == row.hub) & (trips["destination"] == row.destination)]
        for day in world.day:
            use = float(here.loc[here["day"] == day, "trucks"].sum())
            yield ("line-haul capacity", f"{row.hub} to {row.destination}", day, "trucks"), float(row.trucks), use
    kg = full["products"].set_index("product")["weight"].to_dict()
    for row in full["destinations"].itertuples(index=False):
        here = recovered[recovered["destination"] == row.destination]
        for day in world.day:
            units = float(here.loc[here["day"] == day, "units"].sum())
            yield ("destination capacity", row.destination, day, "units"), _amount(row, "capacity"), units
        weight = sum(
            units * kg.get(product, math.nan) for product, units in zip(here["product"], here["units"], strict=True)
        )
        yield ("weight limit", row.destination, "all days", "kg"), _amount(row, "weight_limit"), float(weight)


def _amount(row: Any, column: str) -> float:
    """What a limit allows; infinite where it is blank."""
    given = float(getattr(row, column))
    return math.inf if given != given else given


def _seconds(text: str) -> float:
    return sum(float(part) * unit for part, unit in zip(str(text).split(":"), (3600, 60, 1), strict=True))
