"""One function a kind of chart: what it looks like, in the grammar of Vega-Lite. Names from tables are data here, never
part of an expression. Keys (legends) are not drawn but returned, so that the page writes them as text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Frontier, Heat, Ranges, Timeline, Tornado, distinct
from echelon.errors import shorten
from echelon.report.numbers import amount

INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
COLOURS = [f"var(--c{n})" for n in range(1, 8)]
MAIN, ALERT = COLOURS[0], COLOURS[1]
ROW = 24  # height of a bar or a cell with the space around it
NARROW = 500  # drawings below this width make do with less
SHAPES = {"area": MAIN, "bars": ALERT, "line": COLOURS[2], "limit": INK}


@dataclass(frozen=True)
class Drawing:
    """A Vega-Lite description, its key ((shape, colour, text) of what the reader must be told), and a sentence on what
    could not be drawn."""

    spec: dict[str, Any]
    key: tuple[tuple[str, str, str], ...] = ()
    left_out: str = ""


def bars(chart: Bars, width: int) -> Drawing:
    """Horizontal bars with their values beside them: nothing has to be read off an axis."""
    frame, unit = chart.data, chart.units.get(chart.value, "")
    totals = frame.groupby(chart.label, sort=False)[chart.value].sum()
    names = dict(zip(totals.index, unique_names(totals.index, _label_length(width)), strict=True))
    order = list(names.values())
    parts = distinct(frame[chart.part]) if chart.part else []
    shades = dict(zip(parts, [COLOURS[n % len(COLOURS)] for n in range(len(parts))], strict=True))
    values = [
        {
            "y": names[label],
            "x": number(value),
            "c": shades.get(part, MAIN),
            "n": parts.index(part) if parts else 0,
            "d": f"{shorten(label)}{f', {shorten(part)}' if parts else ''}: {amount(value, unit)}",
        }
        for label, value, part in zip(
            frame[chart.label], frame[chart.value], frame[chart.part] if parts else [""] * len(frame), strict=True
        )
    ]
    reach = frame.groupby(chart.label, sort=False)[chart.value].agg(lambda v: v.clip(lower=0).sum())
    said = _beside(totals, unit, chart.whole, chart.base)
    texts = [{"y": names[k], "x": number(reach[k]), "t": said[k]} for k in totals.index]
    low, high = min(0.0, float(frame[chart.value].min())), max(0.0, float(reach.max()))
    room = (high - low or 1.0) * (max(map(len, said.values())) * 7.2 / max(width - 190, 100))
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [low, high + room], "nice": False}}
    zero = {name: part for name, part in x.items() if name != "field"} | {"datum": 0}
    y = _names_axis(order)
    return Drawing(
        {
            "height": {"step": ROW},
            "layer": [
                {
                    "data": {"values": values},
                    "mark": {"type": "bar", "height": {"band": 0.68}},
                    "encoding": {"x": x, "y": y, "color": _given("c"), "order": {"field": "n", "type": "quantitative"}, **_told("d")},
                },
                {"data": {"values": [{}]}, "mark": {"type": "rule", "color": MUTED}, "encoding": {"x": zero}},
                {
                    "data": {"values": texts},
                    "mark": {"type": "text", "align": "left", "dx": 6},
                    "encoding": {"x": x, "y": y, "text": {"field": "t"}},
                },
            ],
        },
        tuple(("square", shades[p], shorten(str(p))) for p in parts),
    )


def _beside(totals: pd.Series, unit: str, whole: float | None, base: str) -> dict[Any, str]:
    """The text beside each bar: its value and, where asked for, the share up to it or the difference to the base."""
    said = {label: amount(value, unit) for label, value in totals.items()}
    if whole:
        shares = totals.cumsum() / whole
        said = {label: f"{text} · {amount(shares[label], '%')}" for label, text in said.items()}
    if base in said and totals[base]:
        for label in said:
            change = totals[label] / totals[base] - 1
            said[label] += "" if label == base else f" · {'+' if change >= 0 else '−'}{amount(abs(change), '%')}"
    return said


def timeline(chart: Timeline, width: int) -> Drawing:
    """Layers over periods: areas and bars first, lines over them, limits as dashed steps on top."""
    frame = chart.data
    periods = list(dict.fromkeys(frame[chart.period].astype(str)))
    unit = next((chart.units[c] for c in chart.layers if c in chart.units), "")
    x: dict[str, Any] = {
        "field": "x",
        "type": "ordinal",
        "scale": {"domain": periods, "paddingInner": 0.3, "paddingOuter": 0.2},
        "axis": _period_axis(periods),
    }
    layers = []
    for column in sorted(chart.layers, key=lambda c: list(SHAPES).index(chart.layers[c])):
        values = [
            {"x": p, "y": number(v), "d": f"{shorten(p)}: {shorten(column)} {amount(v, unit)}"}
            for p, v in zip(frame[chart.period].astype(str), frame[column], strict=True)
        ]
        y = {"field": "y", "type": "quantitative", "axis": _amounts_axis(unit)}
        layers += _layer(chart.layers[column], values, x, y)
    key = [(shape, SHAPES[shape], column) for column, shape in chart.layers.items()]
    return Drawing({"height": 240 if width > NARROW else 170, "layer": layers}, tuple(key))


def _layer(shape: str, values: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any]) -> list[dict[str, Any]]:
    colour = SHAPES[shape]
    marks: dict[str, list[dict[str, Any]]] = {
        "area": [
            {"type": "area", "color": colour, "opacity": 0.16},
            {"type": "line", "color": colour, "strokeWidth": 2},
        ],
        "bars": [{"type": "bar", "color": colour}],
        "line": [{"type": "line", "color": colour, "strokeWidth": 2}],
        "limit": [{"type": "line", "color": colour, "strokeDash": [5, 3], "interpolate": "step", "strokeWidth": 1.5}],
    }
    drawn = [
        {
            "data": {"values": values},
            "mark": mark,
            "encoding": {"x": x, "y": y, **(_told("d") if shape == "bars" else {})},
        }
        for mark in marks[shape]
    ]
    if shape != "bars":  # what a line says at each period, for the pointer
        dot = {"type": "point", "filled": True, "size": 90, "opacity": 0.001, "color": colour}
        drawn.append({"data": {"values": values}, "mark": dot, "encoding": {"x": x, "y": y, **_told("d")}})
    return drawn


def heat(chart: Heat, width: int) -> Drawing:
    """Cells shaded by how full they are; those that stand out in the colour of alarm."""
    frame, unit = chart.data, chart.units.get(chart.value, "")
    rows, columns = list(dict.fromkeys(frame[chart.row])), list(dict.fromkeys(frame[chart.column].astype(str)))
    names = dict(zip(rows, unique_names(rows, _label_length(width)), strict=True))
    flags = frame[chart.flag] if chart.flag else [False] * len(frame)
    across = max(width - 190, 180) / len(columns)
    values = [
        {
            "y": names[r],
            "x": c,
            "v": min(max(number(v) / chart.full, 0.0), 1.0),
            "c": ALERT if flag else MAIN,
            "k": PAPER if v / chart.full > 0.55 else INK,
            "t": amount(v, unit) if across >= 34 and v else "",
            "d": f"{shorten(str(r))}, {shorten(c)}: {amount(v, unit)}",
        }
        for r, c, v, flag in zip(frame[chart.row], frame[chart.column].astype(str), frame[chart.value], flags, strict=True)
        if v == v
    ]
    x: dict[str, Any] = {"field": "x", "type": "ordinal", "scale": {"domain": columns, "paddingInner": 0.06}}
    upright = across >= max(map(len, columns)) * 6.5 or _are_days(columns)
    x["axis"] = _period_axis(columns) | ({} if upright else {"labelAngle": -90, "labelOverlap": False})
    y = _names_axis(list(names.values()))
    shade = {"field": "v", "type": "quantitative", "legend": None, "scale": {"domain": [0, 1], "range": [0.08, 1]}}
    cell = {"type": "rect", "height": {"band": 0.9}}
    both = {"x": x, "y": y}
    return Drawing(
        {
            "data": {"values": values},
            "height": {"step": ROW},
            "layer": [
                {"mark": cell, "encoding": {**both, "color": _given("c"), "opacity": shade, **_told("d")}},
                {
                    "mark": {"type": "text", "fontSize": 11},
                    "encoding": {**both, "text": {"field": "t"}, "color": _given("k")},
                },
            ],
        },
        (("square", ALERT, chart.flag),) if chart.flag and any(flags) else (),
    )


def ranges(chart: Ranges, width: int) -> Drawing:
    """A line a label, with what is found and what is aimed at on it."""
    frame, unit = chart.data, chart.units.get(chart.low, "")
    names = unique_names(frame[chart.label], _label_length(width))
    x = {"type": "quantitative", "axis": _amounts_axis(unit) | {"grid": True}, "scale": {"zero": False}}
    y = _names_axis(names)

    def rows(*columns: str) -> list[dict[str, Any]]:
        return [
            {f"x{n}": number(v) for n, v in enumerate(row)}
            | {"y": name, "d": f"{name}: " + ", ".join(f"{c} {amount(v, unit)}" for c, v in zip(columns, row, strict=True))}
            for name, row in zip(names, frame[list(columns)].itertuples(index=False, name=None), strict=True)
            if all(v == v for v in row)
        ]  # fmt: skip

    layers: list[dict[str, Any]] = [
        {
            "data": {"values": rows(chart.low, chart.high)},
            "mark": {"type": "rule", "color": MAIN, "strokeWidth": 5, "opacity": 0.35},
            "encoding": {"x": x | {"field": "x0"}, "x2": {"field": "x1"}, "y": y, **_told("d")},
        }
    ]
    marks = {
        chart.target: ("tick", ALERT, {"type": "tick", "color": ALERT, "thickness": 3, "height": 14}),
        chart.point: ("dot", MAIN, {"type": "point", "filled": True, "size": 55, "color": MAIN, "opacity": 1}),
    }
    key = [("line", MAIN, f"{chart.low} to {chart.high}")]
    for column, (shape, colour, mark) in marks.items():
        if column:
            encoding = {"x": x | {"field": "x0"}, "y": y, **_told("d")}
            layers.append({"data": {"values": rows(column)}, "mark": mark, "encoding": encoding})
            key.append((shape, colour, column))
    return Drawing({"height": {"step": ROW}, "layer": layers}, tuple(key))


def tornado(chart: Tornado, width: int) -> Drawing:
    """Two bars a label, from the result as it is to what it becomes."""
    frame, unit = chart.data, chart.units.get(chart.low, "")
    swing = (frame[chart.high] - frame[chart.low]).abs().sort_values(ascending=False, kind="stable")
    frame = frame.loc[swing.index]
    names = unique_names(frame[chart.label], _label_length(width))
    ends = [(chart.low, MAIN), (chart.high, ALERT)]
    values = [
        {
            "y": name,
            "x": number(value),
            "c": colour,
            "d": f"{name}, {column}: {amount(value, unit)}",
            "t": amount(value, unit),
            "left": bool(value < chart.base),
        }
        for column, colour in ends
        for name, value in zip(names, frame[column], strict=True)
    ]
    reach = [chart.base, *(v["x"] for v in values)]
    room = (max(reach) - min(reach) or 1.0) * (max(len(v["t"]) for v in values) * 7.5 / max(width - 260, 90))
    scale = {"domain": [min(reach) - room, max(reach) + room], "nice": False, "zero": False}
    x = {"field": "x", "type": "quantitative", "axis": None, "scale": scale}
    y = _names_axis(names)
    texts = [
        {
            "transform": [{"filter": "datum.left" if left else "!datum.left"}],
            "mark": {"type": "text", "align": "right" if left else "left", "dx": -5 if left else 5},
            "encoding": {"x": x, "y": y, "text": {"field": "t"}},
        }
        for left in (True, False)
    ]
    bar = {"type": "bar", "height": {"band": 0.68}}
    drawn = {"mark": bar, "encoding": {"x": x, "x2": {"datum": chart.base}, "y": y, "color": _given("c"), **_told("d")}}
    zero = {name: part for name, part in x.items() if name != "field"} | {"datum": chart.base}
    middle = {"data": {"values": [{}]}, "mark": {"type": "rule", "color": INK}, "encoding": {"x": zero}}
    key = [*(("square", colour, column) for column, colour in ends), ("line", INK, f"as it is: {amount(chart.base, unit)}")]
    spec = {"data": {"values": values}, "height": {"step": ROW}, "layer": [drawn, middle, *texts]}
    return Drawing(spec, tuple(key))


def frontier(chart: Frontier, width: int) -> Drawing:
    """Points by two objectives, those that nothing beats joined, the knee named."""
    frame, units = chart.data, chart.units
    names = unique_names(frame[chart.label], 40)
    values = [
        {"x": number(x), "y": number(y), "e": bool(e), "t": name, "k": bool(raw == chart.knee),
         "d": f"{name}: {chart.x} {amount(x, units.get(chart.x, ''))}, {chart.y} {amount(y, units.get(chart.y, ''))}"}
        for name, raw, x, y, e in zip(
            names, frame[chart.label], frame[chart.x], frame[chart.y], frame[chart.efficient], strict=True
        )
        if x == x and y == y
    ]  # fmt: skip
    axes = {
        axis: {
            "field": axis,
            "type": "quantitative",
            "scale": {"zero": False, "padding": 14},
            "axis": _amounts_axis(units.get(column, ""), shorten(column)) | {"grid": True},
        }
        for axis, column in (("x", chart.x), ("y", chart.y))
    }
    dot = {"type": "point", "filled": True, "opacity": 1}
    layers = [
        {
            "transform": [{"filter": "datum.e"}],
            "mark": {"type": "line", "color": MAIN, "strokeWidth": 2},
            "encoding": {**axes, "order": {"field": "x"}},
        },
        {"transform": [{"filter": "!datum.e"}], "mark": dot | {"color": MUTED, "size": 50}, "encoding": {**axes, **_told("d")}},
        {"transform": [{"filter": "datum.e"}], "mark": dot | {"color": MAIN, "size": 70}, "encoding": {**axes, **_told("d")}},
        {"transform": [{"filter": "datum.k"}], "mark": dot | {"color": ALERT, "size": 150}, "encoding": {**axes, **_told("d")}},
        {
            "transform": [{"filter": "datum.k"}],
            "mark": {"type": "text", "align": "left", "dx": 10, "dy": -10, "fontWeight": "bold"},
            "encoding": {**axes, "text": {"field": "t"}},
        },
    ]  # fmt: skip
    key = [("dot", MAIN, "nothing is better in both"), ("dot", ALERT, "knee")][: 2 if chart.knee else 1]
    height = 340 if width > NARROW else 260
    return Drawing({"data": {"values": values}, "height": height, "layer": layers}, tuple(key))


def unique_names(labels: Sequence[Any] | pd.Index | pd.Series, longest: int) -> list[str]:
    """Labels as they are drawn: short, on one line, no two alike."""
    names: dict[str, int] = {}
    for label in labels:
        name = shorten(str(label) or "(none)", longest)
        while name in names:
            name += "′"
        names[name] = 1
    return list(names)


def number(value: Any) -> float:
    """A number for a drawing, where neither NaN nor infinity can be."""
    return float(value) if value is not None and math.isfinite(value) else 0.0


def _label_length(width: int) -> int:
    return 34 if width > NARROW else 16


def _names_axis(names: list[str]) -> dict[str, Any]:
    axis = {"title": None, "domain": False, "ticks": False, "labelLimit": 240, "labelPadding": 8, "labelColor": INK}
    return {"field": "y", "type": "nominal", "sort": names, "scale": {"domain": names}, "axis": axis}


def _amounts_axis(unit: str, title: str = "") -> dict[str, Any]:
    if unit == "%":
        return {"format": "~%", "title": title or None, "tickCount": 4}
    words = ", ".join(part for part in (title, unit) if part)
    return {"format": "~s", "title": words or None, "tickCount": 4}


def _period_axis(periods: list[str]) -> dict[str, Any]:
    """An axis of periods; days are written short, with their year below."""
    axis: dict[str, Any] = {"title": None, "labelAngle": 0, "labelOverlap": "parity", "labelLimit": 120, "ticks": False}
    if _are_days(periods):
        first, last = periods[0][:4], periods[-1][:4]
        axis |= {"labelExpr": "utcFormat(toDate(datum.value), '%-d %b')", "title": first if first == last else f"{first} to {last}"}  # fmt: skip
    return axis


def _are_days(periods: Sequence[str]) -> bool:
    days = pd.Series(periods, dtype="str")
    return bool(days.str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])").all())


def _given(field: str) -> dict[str, Any]:
    """A colour that stands in the data."""
    return {"field": field, "type": "nominal", "scale": None}


def _told(field: str) -> dict[str, Any]:
    """What a mark says of itself."""
    return {"description": {"field": field}}


Kind = Callable[[Any, int], Drawing]
KINDS: dict[type[Chart], Kind] = {
    Bars: bars, Timeline: timeline, Heat: heat, Ranges: ranges, Tornado: tornado, Frontier: frontier,
}  # fmt: skip
