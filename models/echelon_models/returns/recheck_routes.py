"""Recompute tours from the tables alone: where each vehicle is when, what it carries, which rules that keeps.

Plain arithmetic, row by row. It shares no code with the search: the order of calls and their times are taken at their
word, everything else is derived again, and what the plan says about it must agree.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from echelon.book import Book
from echelon.tables import Frames

DIMENSIONS = ("weight", "volume", "pallets")
DAY = 86_400.0
SECOND = 1.0 + 1e-6  # times are told in whole seconds
EARTH_RADIUS = 6371.0088  # km
TOLERANCE = 1e-6  # of minutes and loads: less is rounding


@dataclass
class Visits:
    """What the tours add up to: hub -> its calls, (begin, end) each; (hub, t, dimension) -> load unloaded; stop -> (t,
    hub at which its trip unloads, vehicle, begin); km of each tour."""

    calls: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    intake: dict[tuple[str, int, str], float] = field(default_factory=lambda: defaultdict(float))
    stops: dict[str, tuple[int, str, str, str]] = field(default_factory=dict)
    km: dict[tuple[str, str], float] = field(default_factory=dict)


class World:
    """The case's rows by name, and its ways."""

    def __init__(self, full: Frames, options: Any):
        self.options = options
        self.day = full["days"].set_index("day")["t"].to_dict()
        self.stops, self.hubs = _by_name(full, "stops", "stop"), _by_name(full, "hubs", "hub")
        self.types = _by_name(full, "vehicles", "vehicle")
        self.places = {row.place: row for row in full["all_places"].itertuples(index=False)}
        self.inlets = set(full["inlets"][["stop", "hub"]].itertuples(index=False, name=None))
        self.windows: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in full["windows"].itertuples(index=False):
            self.windows[row.place].append((row.t * DAY + row.opens, row.t * DAY + row.closes))
        self.breaks: dict[str, list[Any]] = defaultdict(list)
        for row in full["breaks"].itertuples(index=False):
            self.breaks[row.vehicle].append(row)
        self.given: dict[tuple[str, str], list[Any]] = defaultdict(list)
        for row in full["distances"].sort_values("from_time").itertuples(index=False):
            self.given[row.origin, row.target].append(row)
        self.bands = sorted({0, *full["distances"]["from_time"]})

    def km(self, a: str, b: str) -> float:
        """As the case tells it, else the great circle (haversine) times the road factor; NaN: no way."""
        if a == b:
            return 0.0
        if (a, b) in self.given:
            return float(self.given[a, b][0].km)
        p, q = self.places[a], self.places[b]
        phi, psi = math.radians(p.latitude), math.radians(q.latitude)
        chord = (
            math.sin((psi - phi) / 2) ** 2
            + math.cos(phi) * math.cos(psi) * math.sin(math.radians(q.longitude - p.longitude) / 2) ** 2
        )
        if chord != chord:
            return math.nan
        return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(chord, 1.0))) * float(self.options.road_factor)

    def seconds(self, a: str, b: str, row: Any, clock: float) -> float:
        """Time of the whole way at the speed of the band of the day in which `clock` lies."""
        if a == b:
            return 0.0
        told = [g for g in self.given.get((a, b), ()) if g.from_time <= clock % DAY and g.minutes == g.minutes]
        if told:
            return float(told[-1].minutes) * 60.0
        speed = row.speed if row.speed == row.speed else self.options.speed
        return self.km(a, b) / float(speed) * 3600.0

    def arrival(self, a: str, b: str, row: Any, leave: float, rests: Sequence[tuple[float, float]]) -> float:
        """Earliest arrival of a drive from a to b that begins at `leave` and rests in these pauses; in each band of the
        day it goes at that band's speed."""
        clock, left = leave, 1.0
        turns = sorted(
            {band + day * DAY for band in self.bands for day in range(int(leave // DAY), int(leave // DAY) + 4)}
        )
        rests = sorted(rests)
        while left > 1e-12:
            resting = [end for begin, end in rests if begin <= clock < end]
            if resting:
                clock = max(resting)
                continue
            takes = self.seconds(a, b, row, clock)
            if takes != takes:
                return math.inf
            until = min(
                [t for t in turns if t > clock] + [begin for begin, _ in rests if begin > clock], default=math.inf
            )
            if clock + left * takes <= until:
                return clock + left * takes
            left -= (until - clock) / takes
            clock = until
        return clock


def check_routes(book: Book, world: World, plan: Frames) -> Visits:
    """Every rule of every tour."""
    visits = Visits()
    for (vehicle, day), rows in plan["routes"].groupby(["vehicle", "day"], sort=False):
        where = f"{vehicle} {day}"
        kind, _, number = str(vehicle).rpartition(" ")
        known = kind in world.types and number.isdigit() and 1 <= int(number) <= world.types[kind].count
        book.holds("tours are of vehicles and days of the case", where, known and day in world.day)
        if not known or day not in world.day:
            continue
        calls = list(rows.sort_values("order").itertuples(index=False))
        book.holds("calls are numbered from 0", where, [c.order for c in calls] == list(range(len(calls))))
        _check_tour(book, world, visits, world.types[kind], world.day[day], calls, where)
    for hub, calls_there in visits.calls.items():
        _check_docks(book, world, hub, calls_there)
    for (hub, t, d), load in visits.intake.items():
        limit = getattr(world.hubs[hub], f"intake_{d}")
        book.over("intake of a hub in a day", f"{hub}, day {t + 1}, {d}", load, math.inf if limit != limit else limit)
    return visits


def _check_tour(book: Book, world: World, visits: Visits, row: Any, t: int, calls: Sequence[Any], where: str) -> None:
    ends = (
        calls[0].call == "start"
        and calls[-1].call == "end"
        and calls[0].place == row.start
        and calls[-1].place == row.end
    )
    book.holds("a tour begins and ends where its vehicle does", where, ends)
    between = {"stop", "hub", "break"}
    book.holds("between them a tour calls at stops and hubs", where, all(c.call in between for c in calls[1:-1]))
    known = all(
        c.place
        in {"stop": world.stops, "hub": world.hubs, "start": world.places, "end": world.places}.get(c.call, {c.place})
        for c in calls
    )
    book.holds("places are those of the case", where, known)
    if not (ends and known):
        return
    times = [[t * DAY + _seconds(text) for text in (c.arrival, c.begin, c.departure)] for c in calls]
    _check_ways(book, world, visits, row, calls, times, where)
    _check_times(book, world, row, t, calls, times, where)
    _check_breaks(book, world, row, t, calls, times, where)
    _check_loads(book, world, visits, row, t, calls, where)
    for call, (_, begin, end) in zip(calls, times, strict=True):
        if call.call == "stop":
            _check_stop(book, world, row, t, call, begin, where)
        elif call.call == "hub":
            visits.calls[call.place].append((begin, end))


def _check_ways(
    book: Book,
    world: World,
    visits: Visits,
    row: Any,
    calls: Sequence[Any],
    times: Sequence[Sequence[float]],
    where: str,
) -> None:
    """Distances add up and stay within the range; nobody arrives earlier than the way and the breaks on it allow."""
    here, left, driven = calls[0].place, times[0][2], 0.0
    rests: list[tuple[float, float]] = []
    for call, (arrival, begin, end) in zip(calls[1:], times[1:], strict=True):
        if call.call == "break":
            rests.append((begin, end))
            book.agrees("distance driven", f"{where}, {call.order}", call.km, driven)
            continue
        driven += world.km(here, call.place)
        at = f"{where}, {call.place}"
        book.holds("there is a way", at, driven == driven)
        book.agrees("distance driven", at, call.km, driven)
        earliest = world.arrival(here, call.place, row, left, rests)
        book.over("nobody arrives before the way allows", at, earliest - arrival, SECOND - 1.0)
        here, left, rests = call.place, end, []
    book.over("range of a vehicle", where, driven, math.inf if row.range != row.range else row.range)
    visits.km[calls[0].vehicle, calls[0].day] = driven


def _check_times(
    book: Book, world: World, row: Any, t: int, calls: Sequence[Any], times: Sequence[Sequence[float]], where: str
) -> None:
    """Times follow each other; service takes its time and begins within a window; shift and longest tour are kept."""
    before = -math.inf
    for call, (arrival, begin, end) in zip(calls, times, strict=True):
        at = f"{where}, {call.place or 'break'}"
        ordered = before <= begin and arrival <= begin <= end
        book.holds("calls follow each other in time", at, ordered)
        before = end
        if call.call in ("stop", "hub"):
            takes = (
                world.stops[call.place].service_minutes
                if call.call == "stop"
                else world.hubs[call.place].unload_minutes
            )
            rule = "service takes its time" if call.call == "stop" else "unloading takes its time"
            book.over(rule, at, takes * 60.0 - (end - begin))
            open_at = world.windows.get(call.place)
            within = open_at is None or any(opens <= begin <= closes for opens, closes in open_at)
            book.holds("windows of a stop" if call.call == "stop" else "hours of a hub", at, within)
    book.over("a tour begins within the shift", where, t * DAY + row.shift_start, times[0][2])
    book.over("a tour ends within the shift", where, times[-1][2], t * DAY + row.shift_end)
    longest = math.inf if row.max_hours != row.max_hours else row.max_hours * 3600.0
    book.over("longest tour", where, times[-1][2] - times[0][2], longest)


def _check_breaks(
    book: Book, world: World, row: Any, t: int, calls: Sequence[Any], times: Sequence[Sequence[float]], where: str
) -> None:
    """Each break is taken, begins in time and is long enough; unless the tour is over, or not begun, by then."""
    taken = [(begin, end) for call, (_, begin, end) in zip(calls, times, strict=True) if call.call == "break"]
    leaves, done = times[0][2], times[-1][2]
    for rest in world.breaks.get(row.vehicle, ()):
        earliest, latest, length = t * DAY + rest.earliest, t * DAY + rest.latest, rest.minutes * 60.0
        match = next((p for p in taken if earliest <= p[0] <= latest and p[1] - p[0] >= length - TOLERANCE), None)
        if match is not None:
            taken.remove(match)
        needless = done <= latest or leaves >= earliest + length - TOLERANCE
        book.holds("breaks are taken", where, match is not None or needless)


def _check_loads(book: Book, world: World, visits: Visits, row: Any, t: int, calls: Sequence[Any], where: str) -> None:
    """What is on board in each dimension after each call fits, and is as told; all that is collected comes to a hub
    that may take it."""
    hubs = [name.strip() for name in row.unloads_at.split(",") if name.strip()]
    at_hubs = [n for n, call in enumerate(calls) if call.call == "hub"]
    book.over("calls at hubs", where, len(at_hubs), row.trips)
    starts, ends = [0, *at_hubs], [*at_hubs, len(calls) - 1]
    for trip, (first, last) in enumerate(zip(starts, ends, strict=True)):
        stops = [call.place for call in calls[first + 1 : last + 1] if call.call == "stop"]
        board = {d: sum(getattr(world.stops[s], f"delivery_{d}") for s in stops) for d in DIMENSIONS}
        if trip == 0:
            loads = row.start in world.hubs or not any(board.values())
            book.holds("deliveries are loaded at a hub", where, loads)
        for call in calls[first:last]:
            for d in DIMENSIONS:
                if call.call == "stop":
                    board[d] += getattr(world.stops[call.place], f"load_{d}") - getattr(
                        world.stops[call.place], f"delivery_{d}"
                    )
                at, capacity = f"{where}, {call.place}, {d}", getattr(row, d)
                book.over("capacity of a vehicle", at, board[d], math.inf if capacity != capacity else capacity)
                book.agrees("load on board", at, getattr(call, d), board[d])
        hub = calls[last].place if calls[last].call == "hub" else ""
        book.holds(
            "what is collected is unloaded at a hub", where, hub != "" or all(abs(v) < 1e-6 for v in board.values())
        )
        book.holds("a vehicle unloads at its hubs", f"{where}, {hub}", hub in ("", *hubs))
        for d in DIMENSIONS if hub else ():
            visits.intake[hub, t, d] += board[d]
        _note_stops(book, world, visits, stops, hub, t, calls, where)


def _note_stops(
    book: Book, world: World, visits: Visits, stops: Iterable[str], hub: str, t: int, calls: Sequence[Any], where: str
) -> None:
    """Each stop at most once, in all tours together; its goods at a hub that may take them."""
    begins = {call.place: call.begin for call in calls if call.call == "stop"}
    for stop in stops:
        book.holds("each stop at most once", f"{where}, {stop}", stop not in visits.stops)
        collects = any(getattr(world.stops[stop], f"load_{d}") > 0 for d in DIMENSIONS)
        if collects:
            book.holds("a hub may take the goods by law", f"{stop}, {hub}", (stop, hub) in world.inlets)
        visits.stops[stop] = (t, hub if collects else "", calls[0].vehicle, begins[stop])


def _check_stop(book: Book, world: World, row: Any, t: int, call: Any, begin: float, where: str) -> None:
    stop, at = world.stops[call.place], f"{where}, {call.place}"
    book.holds("days of a stop", at, stop.ready <= t <= stop.deadline)
    asked = {skill.strip() for skill in stop.skills.split(",") if skill.strip()}
    has = {skill.strip() for skill in row.skills.split(",") if skill.strip()}
    book.over("skills of a vehicle", at, len(asked - has))


def _check_docks(book: Book, world: World, hub: str, calls: Sequence[tuple[float, float]]) -> None:
    """At no moment more visits than docks."""
    busiest = max((sum(b <= begin < e for b, e in calls) for begin, _ in calls), default=0)
    book.over("docks of a hub", hub, busiest, world.hubs[hub].docks)


def _seconds(text: str) -> float:
    parts = str(text).split(":")
    return sum(float(part) * unit for part, unit in zip(parts, (3600, 60, 1), strict=False)) if parts[0] else math.nan


def _by_name(full: Frames, table: str, key: str) -> dict[str, Any]:
    return {getattr(row, key): row for row in full[table].itertuples(index=False)}


def check_served(book: Book, world: World, visits: Visits, plan: pd.DataFrame, unserved: pd.DataFrame) -> None:
    """Who is served where, and who is left, is as the tours say; each loss is the case's."""
    names = [*plan["stop"], *unserved["stop"]]
    book.holds("every stop is served or left, once", "served, unserved", sorted(names) == sorted(world.stops))
    position = {t: day for day, t in world.day.items()}
    for row in plan.itertuples(index=False):
        t, hub, vehicle, begin = visits.stops.get(row.stop, (-1, "", "", ""))
        told = (row.day, row.hub, row.vehicle, row.begin)
        book.holds("where a stop is served", row.stop, told == (position.get(t), hub, vehicle, begin))
    for row in unserved.itertuples(index=False):
        book.holds("a stop that is left is on no tour", row.stop, row.stop not in visits.stops)
        if row.stop in world.stops:
            book.agrees("loss of leaving a stop", row.stop, row.loss, world.stops[row.stop].loss)
