"""What is drawn: each kind of chart shows its numbers, whatever the numbers are."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.charts import Bars, Chart, Frontier, Heat, Network, Ranges, Routes, Timeline, Tornado, distinct, largest
from echelon.report.bars import bars, tornado
from echelon.report.draw import WIDE, draw
from echelon.report.grammar import text_width, unique_names
from echelon.report.lines import frontier
from echelon.report.maps import LINE, MOST_PLACES, mercator, network, routes
from echelon.report.numbers import amount, cells, reads_as_number

from .report_cases import every_kind

KINDS = every_kind()
NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)


def tooltips(chart: Chart) -> list[str]:
    """What the marks of the first drawing say of themselves."""
    root = ElementTree.fromstring(draw(chart).drawings[0][2])
    return [title.text or "" for title in root.iter("title")]


def texts(chart: Chart) -> list[str]:
    root = ElementTree.fromstring(draw(chart).drawings[0][2])
    return [text.text or "" for text in root.iter("text")]


def layers(spec: dict[str, Any], mark: str) -> list[list[dict[str, Any]]]:
    """The values of each layer of this mark."""
    return [part["data"]["values"] for part in spec["layer"] if part["mark"]["type"] == mark]


@pytest.mark.parametrize("chart", KINDS, ids=lambda chart: f"{type(chart).__name__} {chart.title}")
def test_every_kind_is_drawn_for_wide_and_narrow_screens(chart: Chart) -> None:
    """Two drawings (or one small one for each facet), each a named picture that scales, in the page's colours."""
    figure = draw(chart)
    widths = [width for width, *_ in figure.drawings]
    assert widths == (["small", "small"] if getattr(chart, "facet", "") else ["wide", "slim"])
    for _, _, svg in figure.drawings:
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img" and chart.title in (root.get("aria-label") or "")
        assert root.get("viewBox") and root.get("width") is None
        colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) - {"none", "transparent"}
        assert colours and all(colour.startswith("var(--") for colour in colours)
        assert ' id="' not in svg, "two drawings with the same id would disturb each other"


@pytest.mark.parametrize(
    ("chart", "said"),
    [
        (0, ["Alder: 30 EUR", "Birch: −4 EUR", "Cedar: 12 EUR"]),
        (2, ["2026-01-05, Alder: 5", "2026-01-12, Birch: 2"]),
        (3, ["2026-01-12, arrivals: 1 units", "2026-01-05, limit: 6 units", "2026-01-05, stock: 5 units"]),
        (5, ["Alder, W1: 40%", "Alder, W2: 120%", "Birch, W1: 90%"]),
        (6, ["Alder, low: 80%", "Birch, high: 100%"]),
        (7, ["Alder, low: 80%", "Cedar, high: 95%"]),
        (8, ["Alder: stock 1, cost 30 EUR", "Cedar: stock 3, cost 12 EUR"]),
        (9, ["Alder (in): cost 30 EUR", "Cedar (out): cost 12 EUR"]),
        (11, ["Alder", "Alder: Cedar"]),
    ],
)
def test_each_mark_says_what_it_stands_for(chart: int, said: list[str]) -> None:
    """A pointer on a mark shows its name, its number and its unit: the values of the table, nothing else."""
    assert set(said) <= set(tooltips(KINDS[chart]))


def test_a_pareto_chart_ends_at_the_whole() -> None:
    """Beside each bar the share of the whole up to it: 30 of 42, then all."""
    assert {"30 EUR · 71%", "12 EUR · 100%"} <= set(texts(KINDS[1]))


def test_bars_show_the_difference_to_their_base() -> None:
    """The base itself has none; a base of zero can have none either."""
    data = pd.DataFrame({"n": ["a", "b", "c"], "v": [200.0, 150.0, 210.0]})
    chart = Bars(title="t", data=data, label="n", value="v", base="a")
    assert {"200", "150 · −25%", "210 · +5%"} <= set(texts(chart))
    none = replace(chart, data=data.assign(v=[0.0, 1.0, 2.0]))
    assert {"0", "1", "2"} <= set(texts(none))


def test_stacked_bars_add_up_and_keep_the_order_of_their_parts() -> None:
    """The text is the sum of the parts; categories keep their order in the key even where the first bar lacks some."""
    part = pd.Categorical(["near", "far", "far"], ["near", "middle", "far"])
    data = pd.DataFrame({"n": ["a", "a", "b"], "p": part, "v": [1.0, 2.0, 4.0]})
    drawn = bars(Bars(title="t", data=data, label="n", value="v", part="p"), WIDE)
    assert [text for *_, text in drawn.key] == ["near", "middle", "far"]
    assert [value["t"] for value in layers(drawn.spec, "text")[0]] == ["3", "4"]


def test_the_widest_swing_of_a_tornado_is_on_top() -> None:
    """Sorted by how far the result moves, whatever the direction."""
    data = pd.DataFrame({"n": ["a", "b", "c"], "lo": [9.0, 5.0, 12.0], "hi": [11.0, 20.0, 8.0]})
    drawn = tornado(Tornado(title="t", data=data, label="n", low="lo", high="hi", base=10.0), WIDE)
    (values,) = layers(drawn.spec, "bar")
    assert {value["y"]: value["x"] for value in values if value["c"] == "var(--c1)"} == {"a": 9.0, "b": 5.0, "c": 12.0}
    assert drawn.spec["layer"][0]["encoding"]["y"]["sort"] == ["b", "c", "a"]


def test_only_what_nothing_beats_is_joined() -> None:
    """The line of a frontier runs through the efficient points alone, from left to right; the knee is named."""
    data = pd.DataFrame(
        {"n": list("abcd"), "x": [3.0, 1.0, 2.0, np.nan], "y": [1.0, 5.0, 9.0, 1.0], "e": [True, True, False, True]}
    )
    drawn = frontier(Frontier(title="t", data=data, label="n", x="x", y="y", efficient="e", knee="a"), WIDE)
    assert [(v["x"], v["y"]) for v in layers(drawn.spec, "line")[0]] == [(1.0, 5.0), (3.0, 1.0)]
    assert [v["t"] for v in layers(drawn.spec, "text")[0]] == ["a"]


@pytest.mark.parametrize(("latitude", "degrees"), [(0.0, 0.0), (45.0, 50.4987), (-45.0, -50.4987), (60.0, 75.4561)])
def test_the_map_is_mercators(latitude: float, degrees: float) -> None:
    """ln(tan(45° + latitude/2)), in degrees (Snyder, Map Projections: A Working Manual, 1987, equation 7-2)."""
    assert mercator(latitude, 7.0) == (7.0, pytest.approx(degrees, abs=1e-3))
    if latitude:
        closed = math.degrees(math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2)))
        assert mercator(latitude, 0.0)[1] == pytest.approx(closed)


def test_a_map_keeps_its_shape_and_its_places() -> None:
    """North is up, east is right, and a degree is as long to the north as Mercator makes it; all within the picture."""
    data = pd.DataFrame({"n": list("abc"), "v": 1.0, "lat": [50.0, 50.0, 51.0], "lon": [4.0, 6.0, 4.0]})
    none = pd.DataFrame({"origin": [], "destination": [], "quantity": []})
    chart = Network(title="t", data=data, label="n", size="v", arcs=none, latitude="lat", longitude="lon")
    for width in (344, WIDE):
        spec = network(chart, width).spec
        (a, b, c) = sorted(layers(spec, "point")[0], key=lambda value: value["d"])
        assert b["x"] > a["x"] and b["y"] == a["y"] and c["x"] == a["x"] and c["y"] < a["y"]
        north = mercator(51.0, 0.0)[1] - mercator(50.0, 0.0)[1]
        assert (a["y"] - c["y"]) / (b["x"] - a["x"]) == pytest.approx(north / 2.0, rel=0.01)
        assert all(0 < p["x"] < spec["width"] and 0 < p["y"] < spec["height"] for p in (a, b, c))


def test_the_largest_are_drawn_and_the_others_counted() -> None:
    """A thousand stages are too many to see; the sentence says how many are drawn."""
    count = MOST_PLACES + 50
    data = pd.DataFrame({"n": [f"n{i}" for i in range(count)], "v": [float(i) for i in range(count)], "l": "one"})
    arcs = pd.DataFrame({"origin": ["n0", "n100"], "destination": ["n1", "n200"], "quantity": [9.0, 1.0]})
    drawn = network(Network(title="t", data=data, label="n", size="v", arcs=arcs, layer="l"), WIDE)
    assert len(layers(drawn.spec, "point")[0]) == MOST_PLACES
    assert drawn.left_out == "Drawn are 300 of 350 places and 1 of 2 flows."


def test_places_without_coordinates_are_left_out_and_counted() -> None:
    """A place nobody knows the position of must not be drawn in the Gulf of Guinea."""
    data = pd.DataFrame({"n": list("abc"), "v": 1.0, "lat": [50.0, None, 51.0], "lon": [4.0, 5.0, 5.0]})
    arcs = pd.DataFrame({"origin": ["a", "a"], "destination": ["b", "c"], "quantity": 1.0})
    where = {"latitude": "lat", "longitude": "lon"}
    drawn = network(Network(title="t", data=data, label="n", size="v", arcs=arcs, **where), WIDE)
    assert drawn.left_out == "Drawn are 2 of 3 places and 1 of 2 flows."
    assert (
        routes(Routes(title="t", data=data, route="v", stop="n", **where), WIDE).left_out == "Drawn are 2 of 3 stops."
    )


def test_names_on_a_map_do_not_cover_each_other() -> None:
    """Sixty places in a small country: those are named that find room, the largest first."""
    draws = np.random.default_rng(5)
    data = pd.DataFrame(draws.random((60, 3)), columns=["v", "lat", "lon"]).assign(n=[f"Place {i}" for i in range(60)])
    none = pd.DataFrame({"origin": [], "destination": [], "quantity": []})
    chart = Network(title="t", data=data, label="n", size="v", arcs=none, latitude="lat", longitude="lon")
    written = [text for text in layers(network(chart, WIDE).spec, "text")[-1] if text["s"] == 12]
    boxes = [(t["x"], t["y"] - LINE + 4, t["x"] + text_width(t["t"]), t["y"] + 3) for t in written]
    assert len(boxes) > 15
    assert data.loc[data["v"].idxmax(), "n"] in [text["t"] for text in written]
    for i, a in enumerate(boxes):
        assert not [b for b in boxes[:i] if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


def test_a_tour_runs_through_its_stops_in_order() -> None:
    """Lines from stop to stop, a depot drawn once however many tours begin there."""
    stops = [("t1", "D"), ("t1", "a"), ("t1", "b"), ("t1", "D"), ("t2", "D"), ("t2", "c"), ("t2", "D")]
    where = {"D": (50.0, 5.0), "a": (51.0, 5.0), "b": (51.0, 6.0), "c": (49.0, 4.0)}
    data = pd.DataFrame(stops, columns=["tour", "stop"])
    data["lat"], data["lon"] = zip(*(where[stop] for stop in data["stop"]), strict=True)
    data["depot"] = data["stop"] == "D"
    chart = Routes(title="t", data=data, route="tour", stop="stop", latitude="lat", longitude="lon", depot="depot")
    spec = routes(chart, WIDE).spec
    tours = [line for line in layers(spec, "rule")[0] if line["o"] == 0.85]
    assert len(tours) == 5
    assert all((b["x"], b["y"]) == (a["x2"], a["y2"]) for a, b in pairwise(tours[:3]))
    assert sorted(value["d"] for value in layers(spec, "point")[0]) == ["D", "t1: a", "t1: b", "t2: c"]
    names = [text["t"] for text in layers(spec, "text")[-1] if text["s"] == 12]
    assert sorted(names) == ["D", "t1", "t2"]


def test_crossings_are_few() -> None:
    """Places are ordered so that lines cross little: three pairs that cross if drawn in their order do not."""
    data = pd.DataFrame({"n": list("abcxyz"), "v": 1.0, "l": ["in"] * 3 + ["out"] * 3})
    arcs = pd.DataFrame({"origin": list("abc"), "destination": list("zyx"), "quantity": 1.0})
    lines = layers(
        network(Network(title="t", data=data, label="n", size="v", arcs=arcs, layer="l"), WIDE).spec, "rule"
    )[0]
    ends = sorted((line["y"], line["y2"]) for line in lines)
    assert ends == sorted(ends, key=lambda pair: pair[1])


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=4))
def test_any_numbers_can_be_drawn(rows: list[tuple[float, float, float]]) -> None:
    """NaN, infinities, negative numbers, all alike, one row: a drawing, never an error."""
    frame = pd.DataFrame(rows, columns=["a", "b", "c"]).astype(float)
    frame = frame.assign(name=[f"n{i}" for i in range(len(rows))], yes=[i % 2 == 0 for i in range(len(rows))])
    arcs = pd.DataFrame({"origin": ["n0"], "destination": ["n0"], "quantity": [rows[0][0]]})
    for chart in (
        Bars(title="t", data=frame, label="name", value="a", whole=1.0, base="n0"),
        Timeline(title="t", data=frame, period="name", layers={"a": "area", "b": "bars", "c": "limit"}),
        Heat(title="t", data=frame, row="name", column="name", value="a", flag="yes"),
        Ranges(title="t", data=frame, label="name", low="a", high="b", point="c", target="c"),
        Tornado(title="t", data=frame, label="name", low="a", high="b", base=0.0),
        Frontier(title="t", data=frame, label="name", x="a", y="b", efficient="yes", knee="n0"),
        Network(title="t", data=frame, label="name", size="a", arcs=arcs, latitude="b", longitude="c"),
        Routes(title="t", data=frame, route="name", stop="name", latitude="a", longitude="b"),
    ):
        assert len(draw(chart).drawings) == 2


@pytest.mark.parametrize("chart", KINDS, ids=lambda chart: f"{type(chart).__name__} {chart.title}")
def test_nothing_can_be_drawn(chart: Chart) -> None:
    """A table without rows gives an empty drawing, not an error."""
    assert draw(replace(chart, data=chart.data.iloc[:0])) is not None


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [(2536434.56, "EUR", "2,536,435 EUR"), (170407924.8, "EUR", "170 M EUR"), (12_400_000, "", "12.4 M"),
     (3.2e9, "EUR", "3.20 bn EUR"), (-216667.95, "EUR", "−216,668 EUR"), (0.0, "", "0"), (0.85, "%", "85%"),
     (0.0058, "%", "0.6%"), (-0.25, "%", "−25%"), (1.0, "%", "100%"), (7.0, "units", "7 units"), (7.25, "", "7.25"),
     (71.41, "", "71.4"), (0.0299, "EUR", "0.030 EUR"), (0.00002, "", "2e−05"), (float("nan"), "EUR", "–")],
)  # fmt: skip
def test_amounts_read_as_people_write_them(value: float, unit: str, said: str) -> None:
    """Three significant digits where it matters, separators, a true minus, the unit behind."""
    assert amount(value, unit) == said


@pytest.mark.parametrize(
    ("column", "number"),
    [([1, 2], True), ([0.5, None], True), ([True, False], False), (["1,043", "2.5"], True), (["70.3%", ""], True),
     (["+12.1", "-3"], True), (["00123", "NA"], False), (["", ""], False), (["2026-01-05"], False), (["1-2"], False),
     ([pd.Timestamp("2026-01-05")], False)],
)  # fmt: skip
def test_columns_of_numbers_are_told_from_names(column: list[Any], number: bool) -> None:
    """Set right and sorted by size are numbers, also those already written as text; nothing else."""
    assert reads_as_number(pd.Series(column)) is number


def test_a_cell_keeps_its_exact_value() -> None:
    """What is shown is rounded; what sorts and downloads is exact, and text stays as it was."""
    assert cells(pd.Series([1234.5678, None, -2.0])) == [("1,234.57", "1234.5678"), ("", ""), ("−2.00", "-2")]
    assert cells(pd.Series([0.12345]), "%") == [("12.3%", "0.12345")]
    assert cells(pd.Series([True, False])) == [("yes", "true"), ("no", "false")]
    assert cells(pd.Series([pd.Timestamp("2026-01-05"), pd.NaT])) == [("2026-01-05", "2026-01-05"), ("", "")]
    long = "x" * 500
    ((shown, raw),) = cells(pd.Series([long]))
    assert len(shown) <= 120 and raw == long
    assert cells(pd.Series(["00123", "NA"])) == [("00123", "00123"), ("NA", "NA")]


@given(st.lists(st.text(max_size=60), max_size=12), st.integers(8, 40))
def test_names_that_are_drawn_are_short_and_differ(labels: list[str], longest: int) -> None:
    """Two items must never share a bar because their names begin alike."""
    names = unique_names(labels, longest)
    assert len(names) == len(labels) == len(set(names))
    assert all(name for name in names)
    assert all(len(name) <= longest + 5 for name in names)


def test_the_end_of_a_long_name_is_kept() -> None:
    """'supplier capacity of ALBA' and '... of BRANDT' differ at their end."""
    assert unique_names(["supplier capacity of ALBA", "supplier capacity of BRANDT"], 16) == [
        "suppli…y of ALBA",
        "suppli…of BRANDT",
    ]


def test_the_largest_are_summed_by_name() -> None:
    """Sums by name, largest first, ties by name."""
    frame = pd.DataFrame({"n": ["b", "a", "c", "b"], "v": [1.0, 3.0, 3.0, 1.0]})
    assert largest(frame, "n", "v", 2).to_dict("list") == {"n": ["a", "c"], "v": [3.0, 3.0]}
    assert distinct(pd.Series(["b", "a", "b"])) == ["b", "a"]
    assert distinct(pd.Series(pd.Categorical(["b"], ["a", "b"]))) == ["a", "b"]
