"""Charts with a row a label: bars, tornado, ranges, heat."""

from __future__ import annotations

from typing import Any

import pandas as pd

from echelon.charts import Bars, Heat, Ranges, Tornado, distinct
from echelon.errors import shorten
from echelon.report.grammar import (
    ALERT,
    COLOURS,
    INK,
    MAIN,
    MUTED,
    PAPER,
    ROW,
    Drawing,
    Key,
    Spec,
    amounts_axis,
    are_days,
    at,
    beside,
    given,
    hidden_axis,
    label_length,
    layer,
    names_axis,
    number,
    period_names,
    periods_axis,
    room,
    told,
    unique_names,
)
from echelon.report.numbers import PERCENT, amount

BAR = {"type": "bar", "height": {"band": 0.68}}
LEAST_CELL = 34  # pixels across in which a share can be written
DARK = 0.75  # part of full from which on a cell is written on in the colour of the paper


def bars(chart: Bars, width: int) -> Drawing:
    """Horizontal bars with their values beside them: nothing has to be read off an axis."""
    frame, unit = chart.data, chart.units.get(chart.value, "")
    totals = frame.groupby(chart.label, sort=False)[chart.value].sum()
    names = dict(zip(totals.index, unique_names(totals.index, label_length(width)), strict=True))
    parts = distinct(frame[chart.part]) if chart.part else []
    shades = {part: COLOURS[n % len(COLOURS)] for n, part in enumerate(parts)}
    values = [
        {
            "y": names[label],
            "x": number(value),
            "c": shades.get(part, MAIN),
            "n": parts.index(part) if parts else 0,
            "d": f"{shorten(str(label))}{', ' if parts else ''}{shorten(part)}: {amount(value, unit)}",
        }
        for label, value, part in zip(
            frame[chart.label],
            frame[chart.value],
            frame[chart.part].astype(str) if parts else [""] * len(frame),
            strict=True,
        )
    ]
    reach = frame[chart.value].clip(lower=0).groupby(frame[chart.label], sort=False).sum()
    said = _said(totals, unit, chart, width)
    texts = [{"y": names[label], "x": number(reach[label]), "t": said[label]} for label in totals.index]
    low, high = min(0.0, number(frame[chart.value].min())), max(0.0, number(reach.max()))
    span = high - low or 1.0
    ends = [(number(end) - low) / span for end in reach]
    x = hidden_axis(low, high + span * room(names.values(), said.values(), width, ends))
    y = names_axis(list(names.values()))
    order = {"field": "n", "type": "quantitative"}
    layers = [
        layer(values, BAR, x=x, y=y, color=given("c"), order=order, description=told("d")),
        layer([{}], {"type": "rule", "color": MUTED}, x=at(x, 0.0)),
        layer(texts, {"type": "text", "align": "left", "dx": 6}, x=x, y=y, text={"field": "t"}),
    ]
    key = tuple(("square", shade, shorten(part)) for part, shade in shades.items())
    return Drawing({"height": {"step": ROW}, "layer": layers}, key)


def _said(totals: pd.Series, unit: str, chart: Bars, width: int) -> dict[Any, str]:
    """The text beside each bar: its value and, where asked for, the share up to it or the difference to the base."""
    said = {label: beside(value, unit, width) for label, value in totals.items()}
    if chart.whole:
        shares = totals.cumsum() / chart.whole
        said = {label: f"{text} · {amount(shares[label], PERCENT)}" for label, text in said.items()}
    if chart.base in said and totals[chart.base]:
        change = totals / totals[chart.base] - 1
        for label in said.keys() - {chart.base}:
            sign = "+" if change[label] >= 0 else "−"
            said[label] += f" · {sign}{amount(abs(change[label]), PERCENT)}"
    return said


def tornado(chart: Tornado, width: int) -> Drawing:
    """Two bars a label, from the result as it is to what it becomes, widest swing first."""
    unit = chart.units.get(chart.low, "")
    swing = (chart.data[chart.high] - chart.data[chart.low]).abs().sort_values(ascending=False, kind="stable")
    frame = chart.data.loc[swing.index]
    names = unique_names(frame[chart.label], label_length(width))
    values: dict[bool, list[Spec]] = {True: [], False: []}  # by whether they lie below the base
    for column, colour in ((chart.low, MAIN), (chart.high, ALERT)):
        for name, value in zip(names, frame[column].map(number), strict=True):
            words = {"t": beside(value, unit, width), "d": f"{name}, {column}: {amount(value, unit)}"}
            values[value < chart.base].append({"y": name, "x": value, "c": colour} | words)
    everything = values[True] + values[False]
    reach = [chart.base, *(value["x"] for value in everything)]
    low, high = min(reach), max(reach)
    extra = (high - low or 1.0) * room(names, [value["t"] for value in everything], width, sides=2)
    x, y = hidden_axis(low - extra, high + extra), names_axis(names)
    layers = [
        layer(everything, BAR, x=x, x2={"datum": chart.base}, y=y, color=given("c"), description=told("d")),
        layer([{}], {"type": "rule", "color": INK}, x=at(x, chart.base)),
        layer(values[True], {"type": "text", "align": "right", "dx": -5}, x=x, y=y, text={"field": "t"}),
        layer(values[False], {"type": "text", "align": "left", "dx": 5}, x=x, y=y, text={"field": "t"}),
    ]
    as_it_is = ("line", INK, f"as it is: {amount(chart.base, unit)}")
    key = (("square", MAIN, chart.low), ("square", ALERT, chart.high), as_it_is)
    return Drawing({"height": {"step": ROW}, "layer": layers}, key)


def ranges(chart: Ranges, width: int) -> Drawing:
    """A line a label, with what is found and what is aimed at on it."""
    unit = chart.units.get(chart.low, "")
    names = unique_names(chart.data[chart.label], label_length(width))
    y = names_axis(names)
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "axis": amounts_axis(unit),
        "scale": {"zero": False, "padding": 10},
    }

    def rows(column: str, to: str = "") -> list[Spec]:
        """The values of a column by name, for those that are known; with `to`, where their line ends."""
        ends = chart.data[to or column]
        return [
            {"y": name, "x": number(value), "x2": number(end), "d": f"{name}, {column}: {amount(value, unit)}"}
            for name, value, end in zip(names, chart.data[column], ends, strict=True)
            if pd.notna(value) and pd.notna(end)
        ]

    line = {"type": "rule", "color": MAIN, "strokeWidth": 5, "opacity": 0.35}
    layers = [layer(rows(chart.low, chart.high), line, x=x, x2={"field": "x2"}, y=y)]
    key: Key = (("line", MAIN, f"{chart.low} to {chart.high}"),)
    if chart.target:
        tick = {"type": "tick", "color": ALERT, "thickness": 3, "height": 14, "opacity": 1}
        layers.append(layer(rows(chart.target), tick, x=x, y=y, description=told("d")))
        key += (("tick", ALERT, chart.target),)
    if chart.point:
        dot = {"type": "point", "filled": True, "size": 55, "color": MAIN, "opacity": 1}
        layers.append(layer(rows(chart.point), dot, x=x, y=y, description=told("d")))
        key += (("dot", MAIN, chart.point),)
    return Drawing({"height": {"step": ROW}, "layer": layers}, key)


def heat(chart: Heat, width: int) -> Drawing:
    """Cells shaded by how full they are; those that stand out in the colour of alarm."""
    unit = chart.units.get(chart.value, "")
    frame = chart.data[chart.data[chart.value].notna()].astype({chart.column: "str"})
    across_names = period_names(frame[chart.column])
    rows, columns = list(dict.fromkeys(frame[chart.row])), list(across_names.values())
    names = dict(zip(rows, unique_names(rows, label_length(width)), strict=True))
    flags = frame[chart.flag].astype(bool) if chart.flag else pd.Series(False, frame.index)
    across = max(width - 190, 180) / max(len(columns), 1)
    values = [
        {
            "y": names[row],
            "x": across_names[column],
            "v": min(max(number(value) / chart.full, 0.0), 1.0),
            "c": ALERT if flag else MAIN,
            "k": PAPER if value / chart.full > DARK else INK,
            "t": amount(value, unit) if across >= LEAST_CELL and value else "",
            "d": f"{shorten(str(row))}, {across_names[column]}: {amount(value, unit)}",
        }
        for row, column, value, flag in zip(
            frame[chart.row], frame[chart.column], frame[chart.value], flags, strict=True
        )
    ]
    written = [cell for cell in values if cell["t"]]
    upright = are_days(columns) or across >= max(map(len, columns), default=0) * 6.5
    axis = periods_axis(columns) | ({} if upright else {"labelAngle": -90, "labelOverlap": False})
    x = {"field": "x", "type": "ordinal", "scale": {"domain": columns, "paddingInner": 0.06}, "axis": axis}
    y = names_axis(list(names.values()))
    shade = {"field": "v", "type": "quantitative", "legend": None, "scale": {"domain": [0, 1], "range": [0.08, 1]}}
    cell = {"type": "rect", "height": {"band": 0.9}}
    layers = [
        layer(values, cell, x=x, y=y, color=given("c"), opacity=shade, description=told("d")),
        layer(written, {"type": "text", "fontSize": 11}, x=x, y=y, text={"field": "t"}, color=given("k")),
    ]
    key = (("square", ALERT, chart.flag),) if flags.any() else ()
    return Drawing({"height": {"step": ROW}, "layer": layers}, key)
