"""Charts with two axes: what happens over periods, and points by two objectives."""

from __future__ import annotations

from typing import Any

from echelon.charts import Frontier, Shape, Timeline
from echelon.errors import shorten
from echelon.report.grammar import (
    ALERT,
    COLOURS,
    INK,
    MAIN,
    MUTED,
    NARROW,
    Drawing,
    Key,
    Spec,
    amounts_axis,
    layer,
    number,
    period_names,
    periods_axis,
    told,
    unique_names,
)
from echelon.report.numbers import amount

SHADES: dict[Shape, str] = {"area": MAIN, "bars": ALERT, "line": COLOURS[2], "limit": INK}  # drawn in this order
MARKS: dict[Shape, list[Spec]] = {
    "area": [{"type": "area", "opacity": 0.16}, {"type": "line", "strokeWidth": 2}],
    "bars": [{"type": "bar"}],
    "line": [{"type": "line", "strokeWidth": 2}],
    "limit": [{"type": "line", "strokeDash": [5, 3], "interpolate": "step", "strokeWidth": 1.5}],
}
DOT: Spec = {"type": "point", "filled": True, "opacity": 1}


def timeline(chart: Timeline, width: int) -> Drawing:
    """Layers over periods: areas first, bars and lines over them, limits as dashed steps on top."""
    names = period_names(chart.data[chart.period].astype(str))
    periods = chart.data[chart.period].astype(str).map(names)
    unit = next((chart.units[column] for column in chart.layers if column in chart.units), "")
    scale = {"domain": list(names.values()), "paddingInner": 0.3, "paddingOuter": 0.2}
    x: Spec = {"field": "x", "type": "ordinal", "scale": scale, "axis": periods_axis(list(names.values()))}
    y: Spec = {"field": "y", "type": "quantitative", "axis": amounts_axis(unit)}
    shades = SHADES if "area" in chart.layers.values() else SHADES | {"bars": MAIN}
    layers: list[Spec] = []
    for column, shape in sorted(chart.layers.items(), key=lambda pair: list(SHADES).index(pair[1])):
        values = [
            {"x": period, "y": number(value), "d": f"{period}, {column}: {amount(value, unit)}"}
            for period, value in zip(periods, chart.data[column], strict=True)
        ]
        layers += [layer(values, mark | {"color": shades[shape]}, x=x, y=y) for mark in MARKS[shape][:-1]]
        layers.append(layer(values, MARKS[shape][-1] | {"color": shades[shape]}, x=x, y=y, description=told("d")))
        if shape != "bars":  # what a line says at each period, for the pointer
            layers.append(
                layer(values, DOT | {"color": MAIN, "size": 90, "opacity": 0.001}, x=x, y=y, description=told("d"))
            )
    key = tuple((shape, shades[shape], column) for column, shape in chart.layers.items())
    return Drawing({"height": 240 if width > NARROW else 170, "layer": layers}, key)


def frontier(chart: Frontier, width: int) -> Drawing:
    """Points by two objectives, those that nothing beats joined, the knee named."""
    known = chart.data[chart.data[[chart.x, chart.y]].notna().all(axis=1)]
    x_unit, y_unit = chart.units.get(chart.x, ""), chart.units.get(chart.y, "")
    rows = zip(known[chart.label], known[chart.x], known[chart.y], known[chart.efficient], strict=True)
    values = [
        {
            "x": number(x),
            "y": number(y),
            "t": name,
            "kind": "knee" if label == chart.knee else "best" if efficient else "other",
            "line": bool(efficient),
            "d": f"{name}: {chart.x} {amount(x, x_unit)}, {chart.y} {amount(y, y_unit)}",
        }
        for name, (label, x, y, efficient) in zip(unique_names(known[chart.label], 40), rows, strict=True)
    ]
    line = sorted((value for value in values if value["line"]), key=lambda value: value["x"])
    knee = [value for value in values if value["kind"] == "knee"]
    x, y = _axis("x", chart.x, x_unit), _axis("y", chart.y, y_unit)
    looks: dict[str, tuple[str, int]] = {"other": (MUTED, 50), "best": (MAIN, 70), "knee": (ALERT, 150)}
    layers = [layer(line, {"type": "line", "color": MAIN, "strokeWidth": 2}, x=x, y=y, order={"field": "x"})]
    for kind, (colour, size) in looks.items():
        points = [value for value in values if value["kind"] == kind]
        layers.append(layer(points, DOT | {"color": colour, "size": size}, x=x, y=y, description=told("d")))
    name = {"type": "text", "dy": -10, "fontWeight": "bold"} | _side_of_the_name(values, line, knee)
    layers.append(layer(knee, name, x=x, y=y, text={"field": "t"}))
    key: Key = (("dot", MAIN, "nothing is better in both"), ("dot", ALERT, "knee"))
    return Drawing({"height": 340 if width > NARROW else 260, "layer": layers}, key[: 2 if knee else 1])


def _axis(axis: str, name: str, unit: str) -> Spec:
    scale = {"zero": False, "padding": 14}
    return {"field": axis, "type": "quantitative", "scale": scale, "axis": amounts_axis(unit, shorten(name))}


def _side_of_the_name(values: list[Spec], line: list[Spec], knee: list[Spec]) -> dict[str, Any]:
    """On which side of the knee its name stands: left of a line that rises, unless the left edge is near."""
    rises = len(line) > 1 and line[-1]["y"] > line[0]["y"]
    places = [value["x"] for value in values] or [0.0]
    near = bool(knee) and knee[0]["x"] - min(places) < 0.3 * (max(places) - min(places))
    return {"align": "right", "dx": -10} if rises and not near else {"align": "left", "dx": 10}
