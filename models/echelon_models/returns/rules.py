"""What must hold across the columns and tables of a returns case: one function a rule, each naming the offenders.

What makes a case meaningless is an error. A stop that cannot be served is a warning: it is left, and the plan says why.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon.validate import Rule
from echelon_models.returns.clock import seconds
from echelon_models.returns.complete import complete, names
from echelon_models.returns.schema import DIMENSIONS, INPUTS, KINDS, ReturnsOptions
from echelon_models.returns.travel import travel
from echelon_models.rows import EVERY

TIMES = {
    "windows": ("opens", "closes"),
    "vehicles": ("shift_start", "shift_end"),
    "breaks": ("earliest", "latest"),
    "distances": ("from_time",),
}
ASYMMETRIC = 2.0  # one way over the other from which on a pair is doubted


def _row(row: Any) -> int:
    return int(str(row))


def there_is_something_to_plan(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """At least one stop, one hub and one vehicle."""
    for name in ("stops", "hubs", "vehicles"):
        if tables[name].empty:
            yield Finding(name, "the table has no rows", "Add at least one row")


def a_place_has_one_name(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """Hubs, stops, places and destinations have names of their own: distances and windows tell them apart by it."""
    seen: dict[str, str] = {}
    for table in ("hubs", "stops", "places", "destinations"):
        for row, name in tables[table][table[:-1]].items():
            if name in seen:
                rule = f"the name is taken by a row of {seen[name]}"
                yield Finding(table, rule, "Give each place a name of its own", _row(row), table[:-1], name)
            seen.setdefault(name, table)


def places_are_known(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """What windows, vehicles and distances name is there."""
    hubs, stops = set(tables["hubs"]["hub"]), set(tables["stops"]["stop"])
    yards, ends = set(tables["places"]["place"]), set(tables["destinations"]["destination"])
    for table, column, known, what in (
        ("windows", "place", hubs | stops, "stop or hub"),
        ("vehicles", "start", hubs | yards | {""}, "hub or place"),
        ("vehicles", "end", hubs | yards | {""}, "hub or place"),
        ("distances", "origin", hubs | stops | yards | ends, "stop, hub, place or destination"),
        ("distances", "target", hubs | stops | yards | ends, "stop, hub, place or destination"),
    ):
        for row, name in tables[table][column].items():
            if name not in known:
                yield Finding(table, f"there is no such {what}", "Correct the name, or add it", _row(row), column, name)
    for row, listed in tables["vehicles"]["unloads_at"].items():
        for name in names(listed):
            if name not in hubs:
                yield Finding(
                    "vehicles", "there is no such hub", "Correct the name, or add it", _row(row), "unloads_at", name
                )


def times_are_times(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """Times of day are such as 08:30."""
    for table, columns in TIMES.items():
        for column in columns:
            for row, text in tables[table][column].items():
                if text != "" and seconds(text) is None:
                    remedy = "Write hours and minutes, such as 08:30"
                    yield Finding(table, "is no time of day", remedy, _row(row), column, text)
                elif text == "" and column != "from_time":
                    yield Finding(table, "the time is blank", "Write a time such as 08:30", _row(row), column)


def _between(tables: Frames, table: str, first: str, last: str, strict: bool) -> Iterator[tuple[int, str, str]]:
    """The rows in which a time does not come after another: (row, the one, the other)."""
    for row, a, b in zip(tables[table].index, tables[table][first], tables[table][last], strict=True):
        begin, end = seconds(a), seconds(b)
        if begin is not None and end is not None and (end < begin or (strict and end == begin)):
            yield _row(row), a, b


def times_follow_each_other(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """A window closes after it opens, a shift ends after it starts, a break may begin until after it may begin."""
    for row, a, b in _between(tables, "windows", "opens", "closes", strict=True):
        rule = f"the window closes before it opens ({a})"
        remedy = "Swap the times; a window over midnight closes after 24:00, such as 26:00"
        yield Finding("windows", rule, remedy, row, "closes", b)
    for row, a, b in _between(tables, "vehicles", "shift_start", "shift_end", strict=True):
        rule, remedy = f"the shift ends before it starts ({a})", "Swap the times; a night shift ends after 24:00"
        yield Finding("vehicles", rule, remedy, row, "shift_end", b)
    for row, a, b in _between(tables, "breaks", "earliest", "latest", strict=False):
        yield Finding("breaks", f"the latest begin is before the earliest ({a})", "Swap the times", row, "latest", b)


def coordinates_come_in_pairs(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """Latitude and longitude are both known, or neither; without them, distances must tell where a place is."""
    told = {*tables["distances"]["origin"], *tables["distances"]["target"]}
    for table in ("hubs", "stops", "places"):
        frame = tables[table]
        for row in frame.index:
            blank = [name for name in ("latitude", "longitude") if pd.isna(frame.loc[row, name])]
            name = str(frame.loc[row, table[:-1]])
            if len(blank) == 1:
                yield Finding(table, "only one coordinate is given", "Fill both, or neither", _row(row), blank[0])
            elif blank and name not in told:
                rule, remedy = "nothing tells where it is", "Fill latitude and longitude, or add it to distances"
                yield Finding(table, rule, remedy, _row(row), "latitude", name)


def days_are_declared_where_they_are_named(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """Without a days table there is one day, which has no name to give."""
    if not tables["days"].empty:
        return
    for table, column in (("windows", "day"), ("stops", "ready_day"), ("stops", "deadline_day")):
        for row, name in tables[table][column].items():
            if name != "":
                rule, remedy = "names a day, and there is no days table", "Add a days table, or leave it blank"
                yield Finding(table, rule, remedy, _row(row), column, name)


def stops_are_ready_before_their_deadline(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """A deadline before the first day leaves no day for the visit."""
    position = {day: n for n, day in enumerate(tables["days"]["day"])}
    stops = tables["stops"]
    for row, ready, deadline in zip(stops.index, stops["ready_day"], stops["deadline_day"], strict=True):
        if ready in position and deadline in position and position[deadline] < position[ready]:
            rule = f"the deadline is before the stop is ready ({ready})"
            yield Finding("stops", rule, "Swap the days", _row(row), "deadline_day", deadline)


def distances_agree(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """The distance of a pair does not depend on the time of day, and hardly on the direction."""
    given = tables["distances"]
    first = given.drop_duplicates(["origin", "target"]).set_index(["origin", "target"])["km"].to_dict()
    for row, a, b, km in zip(given.index, given["origin"], given["target"], given["km"], strict=True):
        if km != first[a, b]:
            rule, remedy = (
                f"another row of this pair says {first[a, b]:g} km",
                "Times may differ by time of day, km not",
            )
            yield Finding("distances", rule, remedy, _row(row), "km", f"{km:g}")
        back = first.get((b, a))
        if back is not None and a < b and km == first[a, b] and max(km, back) > ASYMMETRIC * min(km, back):
            rule = f"the way back is {back:g} km: one is more than {ASYMMETRIC:g} times the other"
            remedy = "Correct one of them, unless the roads are so"
            yield Finding("distances", rule, remedy, _row(row), "km", f"{km:g}", severity="warning")


def hubs_take_something(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """A hub with an intake of nothing is none."""
    for d in DIMENSIONS:
        column = f"intake_{d}"
        for row in tables["hubs"].index[tables["hubs"][column] == 0]:
            remedy = "Raise it, leave it blank (no limit), or exclude the hub"
            yield Finding("hubs", "the hub has no capacity: it takes nothing", remedy, _row(row), column, "0")


def options_of_returns_are_known(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """What must be done with goods is one of the kinds of destinations."""
    for row, option in tables["returns"]["option"].items():
        if option not in (EVERY, *KINDS):
            yield Finding(
                "returns", f"must be one of {', '.join(KINDS)}", "Or leave it blank", _row(row), "option", option
            )


def classes_are_known(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """A class that no product has would be ignored."""
    classes = {EVERY, *tables["products"]["product_class"], *tables["stops"]["product_class"]}
    for table in ("recovery", "jurisdictions"):
        for row, name in tables[table]["product_class"].items():
            if name not in classes:
                remedy = "Correct it, or give products that class"
                yield Finding(table, "no product is of this class", remedy, _row(row), "product_class", name)


def destinations_are_there(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """Recovery and line-haul speak of destinations."""
    if tables["destinations"].empty:
        for table in ("recovery", "linehaul"):
            for row in tables[table].index:
                yield Finding(
                    table, "there is no destinations table", "Add it, or remove the row", _row(row), "destination"
                )


def ways_have_a_cost(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """A line-haul without a cost needs a distance, its own or by coordinates."""
    if tables["destinations"].empty:
        return
    placed = {
        name: set(tables[f"{name}s"].loc[tables[f"{name}s"]["latitude"].notna(), name])
        for name in ("hub", "destination")
    }
    given = tables["linehaul"]
    for row, hub, target, km, cost in zip(
        given.index, given["hub"], given["destination"], given["km"], given["truck_cost"], strict=True
    ):
        if pd.isna(km) and pd.isna(cost) and not (hub in placed["hub"] and target in placed["destination"]):
            remedy = "Fill km or truck_cost, or the coordinates of both ends"
            yield Finding("linehaul", "nothing tells what a truck costs", remedy, _row(row), "km")
    if given.empty:
        for table, column in (("hubs", "hub"), ("destinations", "destination")):
            for row, name in tables[table][column].items():
                if name not in placed[column]:
                    remedy = "Fill latitude and longitude, or add a linehaul table"
                    yield Finding(
                        table, "nothing tells what a truck from or to it costs", remedy, _row(row), "latitude", name
                    )


def tariff_begins_at_nothing(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """The lightest shipment has a price too."""
    given = tables["tariff"]
    if len(given) and given["from_weight"].min() > 0:
        row = given["from_weight"].idxmin()
        lightest = f"{given['from_weight'].min():g}"
        yield Finding(
            "tariff",
            "lighter shipments have no price",
            "Let the first row begin at 0",
            _row(row),
            "from_weight",
            lightest,
        )


def stops_can_be_served(tables: Frames, options: ReturnsOptions) -> Iterator[Finding]:
    """Some vehicle has a way to each stop, can carry its load, has its skills; there is something to do there; some hub
    may take its goods, and some destination. Only warnings: the plan leaves such stops, and says so."""
    if any(finding.severity == "error" for rule in BASIC for finding in rule(tables, options)):
        return  # the case cannot be looked at in full
    full = complete(tables, options)
    vehicles = full["vehicles"]
    ways = travel(full, options)
    starts = [ways.index[name] for name in vehicles["start"].unique()]
    skills = [set(names(listed)) for listed in vehicles["skills"]]
    takes = set(full["inlets"]["stop"])
    for row, stop in zip(tables["stops"].index, full["stops"].itertuples(index=False), strict=True):
        place, asked = ways.index[stop.stop], set(names(stop.skills))
        if np.isnan(ways.km[starts, place]).all() or np.isnan(ways.km[place]).sum() == len(ways.km) - 1:
            yield _doubt(row, "no way leads there and on", "Add distances or coordinates", "stop", stop.stop)
        able = vehicles[[asked <= has for has in skills]]
        if able.empty:
            yield _doubt(row, "no vehicle has these skills", "Correct them, or add a vehicle", "skills", stop.skills)
        for d in DIMENSIONS if len(able) else ():
            for column, load in ((d, getattr(stop, f"load_{d}")), (f"delivery_{d}", getattr(stop, f"delivery_{d}"))):
                if load > able[d].fillna(np.inf).max():
                    remedy = "Split the stop into two, or add a larger vehicle"
                    yield _doubt(row, "no vehicle that may come can carry this load", remedy, column, f"{load:g}")
        loads = [getattr(stop, f"{kind}_{d}") for kind in ("load", "delivery") for d in DIMENSIONS]
        if not any(loads) and stop.worth == 0 and stop.stop not in set(full["goods"]["stop"]):
            yield _doubt(
                row, "nothing is collected or delivered there", "Fill a load, or remove the stop", "stop", stop.stop
            )
        if stop.stop not in takes:
            yield _doubt(
                row, "no hub may take its goods by law", "Correct jurisdictions, or add a hub", "region", stop.region
            )
    yield from _goods_find_a_destination(tables, full)


def _doubt(row: Any, rule: str, remedy: str, column: str, value: str) -> Finding:
    return Finding("stops", rule, remedy, _row(row), column, value, severity="warning")


def _goods_find_a_destination(tables: Frames, full: Frames) -> Iterator[Finding]:
    if tables["destinations"].empty:
        return
    outlets = full["outlets"]
    by_kind, anywhere = set(zip(outlets["product"], outlets["kind"], strict=True)), set(outlets["product"])
    returns = tables["returns"]
    for row, product, option in zip(returns.index, returns["product"], returns["option"], strict=True):
        if (product, option) not in by_kind if option else product not in anywhere:
            rule, remedy = (
                "no destination takes it: it stays at the hub",
                "Add a row to recovery, or correct the option",
            )
            yield Finding("returns", rule, remedy, _row(row), "product", product, severity="warning")


BASIC = (
    there_is_something_to_plan,
    a_place_has_one_name,
    places_are_known,
    times_are_times,
    coordinates_come_in_pairs,
    days_are_declared_where_they_are_named,
)
EVERYTHING = tuple(table.name for table in INPUTS)

RULES = (
    Rule(there_is_something_to_plan, ("stops", "hubs", "vehicles")),
    Rule(a_place_has_one_name, ("stops", "hubs", "places", "destinations")),
    Rule(places_are_known, ("stops", "hubs", "places", "destinations", "windows", "vehicles", "distances")),
    Rule(times_are_times, tuple(TIMES)),
    Rule(times_follow_each_other, ("windows", "vehicles", "breaks")),
    Rule(coordinates_come_in_pairs, ("stops", "hubs", "places", "distances")),
    Rule(days_are_declared_where_they_are_named, ("days", "windows", "stops")),
    Rule(stops_are_ready_before_their_deadline, ("days", "stops")),
    Rule(distances_agree, ("distances",)),
    Rule(hubs_take_something, ("hubs",)),
    Rule(options_of_returns_are_known, ("returns",)),
    Rule(classes_are_known, ("products", "stops", "recovery", "jurisdictions")),
    Rule(destinations_are_there, ("destinations", "recovery", "linehaul")),
    Rule(ways_have_a_cost, ("hubs", "destinations", "linehaul")),
    Rule(tariff_begins_at_nothing, ("tariff",)),
    Rule(stops_can_be_served, EVERYTHING),
)
