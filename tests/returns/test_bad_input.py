"""Bad input is the normal case: findings that name table, row, column, value and remedy, all at once; never a traceback."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import case, days, on_a_line
from .rule_cases import recovered, stops

TWO = {"hub": "H0", "destination": ["D30", "E40"]}

# tables of a case, options, and for each finding: table, row, column, and a part of what it says
BAD: list[tuple[str, Frames, dict[str, Any], list[tuple[str, int | None, str, str]]]] = [
    ("no stops", case(stops=pd.DataFrame({"stop": []}), distances=None), {}, [("stops", None, "", "no rows")]),
    ("no vehicles", case(vehicles=pd.DataFrame({"vehicle": []})), {}, [("vehicles", None, "", "no rows")]),
    ("unknown column", case(stops=stops(wieght=1.0)), {}, [("stops", None, "wieght", "no such column")]),
    ("unknown table", case(vans={"a": 1}), {}, [("vans", None, "", "no such table")]),
    ("unknown option", case(), {"stepps": 3}, [("options", None, "stepps", "no such option")]),
    ("negative weight", case(stops=stops(weight=[1.0, -2.0, 3.0])), {}, [("stops", 3, "weight", "at least 0")]),
    ("infinite volume", case(stops=stops(volume=[1.0, float("inf"), 3.0])), {}, [("stops", 3, "volume", "finite")]),
    ("no number", case(stops=stops(pallets=["1", "two", "3"])), {}, [("stops", 3, "pallets", "not a number")]),
    ("stop twice", case(stops={"stop": ["a10", "a10"]}), {}, [("stops", 3, "stop", "already in row 2")]),
    ("no vehicle at all of a type", case(vehicles={"vehicle": "V", "count": 0}), {}, [("vehicles", 2, "count", "at least 1")]),
    ("a name for two places", case(places={"place": "H0"}), {}, [("places", 2, "place", "taken by a row of hubs")]),
    ("window closes before it opens", case(windows={"place": "a10", "opens": "12:00", "closes": "08:00"}), {},
     [("windows", 2, "closes", "closes before it opens")]),
    ("no time of day", case(windows={"place": "a10", "opens": "8 o'clock", "closes": "25:61"}), {},
     [("windows", 2, "opens", "no time of day"), ("windows", 2, "closes", "no time of day")]),
    ("blank time", case(windows={"place": "a10", "opens": "08:00"}), {}, [("windows", 2, "closes", "time is blank")]),
    ("window of nobody", case(windows={"place": "Z9", "opens": "08:00", "closes": "09:00"}), {},
     [("windows", 2, "place", "no such stop or hub")]),
    ("shift backwards", case(vehicles={"vehicle": "V", "shift_start": "17:00", "shift_end": "06:00"}), {},
     [("vehicles", 2, "shift_end", "ends before it starts")]),
    ("break backwards", case(breaks={"earliest": "13:00", "latest": "11:00", "minutes": 30}), {},
     [("breaks", 2, "latest", "before the earliest")]),
    ("break of no vehicle", case(breaks={"vehicle": "W", "earliest": "11:00", "latest": "13:00", "minutes": 30}), {},
     [("breaks", 2, "vehicle", "no such row in vehicles")]),
    ("vehicle from nowhere", case(vehicles={"vehicle": "V", "start": "MARS", "unloads_at": "H0, H9"}), {},
     [("vehicles", 2, "start", "no such hub or place"), ("vehicles", 2, "unloads_at", "no such hub")]),
    ("negative matrix", case(distances=on_a_line(["H0", "a10", "b20", "c-5"]).assign(km=-1.0)), {},
     [("distances", 2, "km", "at least 0")]),
    ("negative minutes", case(distances=on_a_line(["H0", "a10", "b20", "c-5"]).assign(minutes=-1.0)), {},
     [("distances", 2, "minutes", "at least 0")]),
    ("matrix of strangers", case(distances=pd.concat([on_a_line(["H0", "a10", "b20", "c-5"]), on_a_line(["H0", "x3"])])), {},
     [("distances", 14, "target", "no such stop, hub"), ("distances", 15, "origin", "no such stop, hub")]),
    ("two distances of a pair", case(distances=pd.concat([
        on_a_line(["H0", "a10", "b20", "c-5"]),
        pd.DataFrame({"origin": ["H0"], "target": ["a10"], "from_time": ["12:00"], "km": [11.0]})])), {},
     [("distances", 14, "km", "another row of this pair")]),
    ("missing coordinate", case(stops=stops(latitude=[50.0, None, 50.2], longitude=[8.0, 8.1, 8.2]), distances=None), {},
     [("stops", 3, "latitude", "only one coordinate"), ("hubs", 2, "latitude", "nothing tells where")]),
    ("no coordinates at all", case(distances=None), {},
     [("stops", n, "latitude", "nothing tells where") for n in (2, 3, 4)] + [("hubs", 2, "latitude", "nothing tells where")]),
    ("latitude of no globe", case(stops=stops(latitude=95.0, longitude=8.0)), {}, [("stops", 2, "latitude", "at most 90")]),
    ("hub with no capacity", case(hubs={"hub": "H0", "intake_pallets": 0.0}), {},
     [("hubs", 2, "intake_pallets", "no capacity")]),
    ("hub without docks", case(hubs={"hub": "H0", "docks": 0}), {}, [("hubs", 2, "docks", "at least 1")]),
    ("a day without days", case(stops=stops(deadline_day=["", "MON", ""])), {},
     [("stops", 3, "deadline_day", "no days table")]),
    ("unknown day", case(days=days(2), stops=stops(ready_day=["", "3", ""])), {}, [("stops", 3, "ready_day", "no such row")]),
    ("deadline before ready", case(days=days(3), stops=stops(ready_day="3", deadline_day=["", "2", ""])), {},
     [("stops", 3, "deadline_day", "before the stop is ready")]),
    ("unknown stop of a return", recovered(returns={"stop": ["a10", "z1"], "product": "P", "quantity": 1.0}), {},
     [("returns", 3, "stop", "no such row in stops")]),
    ("unknown option of a return", recovered(returns={"stop": "a10", "product": "P", "option": "burn", "quantity": 1.0}), {},
     [("returns", 2, "option", "must be one of")]),
    ("nothing comes back", recovered(returns={"stop": "a10", "product": "P", "quantity": 0.0}), {},
     [("returns", 2, "quantity", "more than 0")]),
    ("unknown class", recovered(recovery={"destination": ["D30", "E40"], "product_class": ["pp", ""]}), {},
     [("recovery", 2, "product_class", "no product is of this class")]),
    ("yield over 1", recovered(recovery={"destination": ["D30", "E40"], "yield_rate": 1.2}), {},
     [("recovery", 2, "yield_rate", "at most 1")]),
    ("recovery without destinations", recovered(destinations=None), {},
     [("recovery", 2, "destination", "no destinations table"), ("linehaul", 2, "destination", "no destinations table")]),
    ("line-haul to nowhere", recovered(linehaul={"hub": "H0", "destination": ["D30", "F1"], "truck_cost": 1.0}), {},
     [("linehaul", 3, "destination", "no such row in destinations")]),
    ("line-haul without a cost", recovered(linehaul=TWO), {}, [("linehaul", 2, "km", "what a truck costs")]),
    ("no line-haul, no coordinates", recovered(linehaul=None), {},
     [("hubs", 2, "latitude", "what a truck"), ("destinations", 2, "latitude", "what a truck")]),
    ("tariff from 10 kg on", case(tariff={"from_weight": 10.0, "cost": 5.0}), {},
     [("tariff", 2, "from_weight", "lighter shipments")]),
    ("options out of bounds", case(), {"road_factor": 0.5, "rounds": 0, "final_stock_share": 2},
     [("options", None, "road_factor", "at least 1"), ("options", None, "rounds", "at least 1"),
      ("options", None, "final_stock_share", "at most 1")]),
]  # fmt: skip

# what is doubtful: the plan leaves such stops, and says why
DOUBTFUL: list[tuple[str, Frames, tuple[str, int, str, str]]] = [
    ("unreachable stop", case(distances=on_a_line(["H0", "a10", "b20"]), stops=stops(latitude=[None, None, 50.0],
     longitude=[None, None, 8.0])), ("stops", 4, "stop", "no way leads there")),
    ("load above every vehicle", case(stops=stops(weight=[1.0, 9.0, 1.0]), vehicles={"vehicle": ["V", "W"], "weight": [4.0, 5.0]}),
     ("stops", 3, "weight", "can carry this load")),
    ("skills of nobody", case(stops=stops(skills=["", "wings", ""])), ("stops", 3, "skills", "no vehicle has these skills")),
    ("nothing to do", case(stops=stops(weight=[1.0, 0.0, 1.0])), ("stops", 3, "stop", "nothing is collected")),
    ("asymmetric matrix", case(distances=on_a_line(["H0", "a10", "b20", "c-5"]).assign(
        km=lambda f: f["km"].where((f["origin"] != "a10") | (f["target"] != "H0"), 55.0))),
     ("distances", 2, "km", "one is more than 2 times the other")),
    ("goods that nobody takes", recovered(recovery={"destination": ["D30", "E40"], "product_class": "p"}),
     ("returns", 4, "product", "no destination takes it")),
    ("law that leaves no hub", case(hubs={"hub": "H0", "region": "X"}, stops=stops(region="X", product_class=["", "k", ""]),
     jurisdictions={"product_class": "k", "region": "X", "rule": "no_handling"}),
     ("stops", 3, "region", "no hub may take")),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "options", "expected"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_bad_input_is_found(
    tables: Frames, options: dict[str, Any], expected: list[tuple[str, int | None, str, str]]
) -> None:
    """Each finding stands at its cell, and says what to do."""
    with pytest.raises(echelon.InputError) as refused:
        echelon.check(tables, "returns", options)
    errors = [f for f in refused.value.findings if f.severity == "error"]
    for table, row, column, part in expected:
        told = [f for f in errors if (f.table, f.row, f.column) == (table, row, column) and part in f.rule]
        assert told, f"nothing about {table} row {row}, {column}: {[str(f) for f in errors]}"
    assert all(f.remedy for f in errors)


@pytest.mark.parametrize(("tables", "expected"), [d[1:] for d in DOUBTFUL], ids=[d[0] for d in DOUBTFUL])
def test_what_is_doubtful_is_a_warning(tables: Frames, expected: tuple[str, int, str, str]) -> None:
    """One impossible stop must not keep all others from being planned."""
    table, row, column, part = expected
    warnings = echelon.check(tables, "returns")
    assert [f for f in warnings if (f.table, f.row, f.column) == (table, row, column) and part in f.rule]
    assert all(f.severity == "warning" for f in warnings)


def test_all_findings_come_at_once() -> None:
    """A user mends a case in one go, not finding by finding."""
    tables = case(
        stops=stops(weight=[1.0, -2.0, 3.0]),
        hubs={"hub": "H0", "intake_weight": 0.0},
        windows={"place": ["a10", "Q1"], "opens": ["12:00", "x"], "closes": ["08:00", "09:00"]},
    )
    with pytest.raises(echelon.InputError) as refused:
        echelon.check(tables, "returns", {"rounds": 0})
    assert {f.table for f in refused.value.findings} >= {"stops", "hubs", "windows", "options"}
