"""What all charts share when they are written in the grammar of Vega-Lite: colours, axes, names, room for texts.

Names from tables are data here, never part of an expression."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import pandas as pd

from echelon.errors import shorten
from echelon.report.numbers import LONGEST, PERCENT, amount

INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
COLOURS = [f"var(--c{n})" for n in range(1, 8)]
MAIN, ALERT, QUIET = COLOURS[0], COLOURS[1], COLOURS[-1]
ROW = 24  # height of a bar or a cell with the space around it
LONGEST_PERIOD = 18  # letters of a period's name
NARROW = 500  # drawings below this width make do with less
AMOUNT = "abs(datum.value) < 1 ? format(datum.value, '~g') : replace(format(datum.value, '~s'), 'G', 'bn')"

Key = tuple[tuple[str, str, str], ...]  # (shape, colour, text) of what the reader must be told
Spec = dict[str, Any]


@dataclass(frozen=True)
class Drawing:
    """A Vega-Lite description, its key, and a sentence on what could not be drawn."""

    spec: Spec
    key: Key = ()
    left_out: str = ""


def layer(values: list[Spec], mark: Spec, **encoding: Spec) -> Spec:
    """One layer of a drawing."""
    return {"data": {"values": values}, "mark": mark, "encoding": encoding}


def given(field: str) -> Spec:
    """A colour that stands in the data."""
    return {"field": field, "type": "nominal", "scale": None}


def told(field: str) -> Spec:
    """What a mark says of itself, for the pointer."""
    return {"field": field, "type": "nominal"}


def names_axis(names: list[str]) -> Spec:
    """An axis of names, from top to bottom."""
    axis = {"title": None, "domain": False, "ticks": False, "labelLimit": 0, "labelPadding": 8, "labelColor": INK}
    return {"field": "y", "type": "nominal", "sort": names, "scale": {"domain": names}, "axis": axis}


def hidden_axis(low: float, high: float) -> Spec:
    """A scale from `low` to `high` without an axis: the values stand beside what is drawn."""
    scale = {"domain": [low, high], "nice": False, "zero": False}
    return {"field": "x", "type": "quantitative", "axis": None, "scale": scale}


def at(axis: Spec, value: float) -> Spec:
    """A fixed place on an axis."""
    return {name: part for name, part in axis.items() if name != "field"} | {"datum": value}


def amounts_axis(unit: str, title: str = "") -> Spec:
    """An axis of amounts, its unit as its title."""
    words = title if unit == PERCENT else ", ".join(part for part in (title, unit) if part)
    short = {"format": "~%"} if unit == PERCENT else {"labelExpr": AMOUNT}
    return short | {"title": words or None, "tickCount": 4, "grid": True}


def periods_axis(periods: Sequence[str]) -> Spec:
    """An axis of periods; days are written short, with their year below."""
    axis: Spec = {"title": None, "labelAngle": 0, "labelOverlap": "parity", "labelLimit": 0, "ticks": False}
    if periods and are_days(periods):
        first, last = periods[0][:4], periods[-1][:4]
        axis["labelExpr"] = "utcFormat(toDate(datum.value), '%-d %b')"
        axis["title"] = first if first == last else f"{first} to {last}"
    return axis


def period_names(periods: pd.Series) -> dict[str, str]:
    """Each period's name as it is drawn, in the order of the rows."""
    names = list(dict.fromkeys(periods))
    return dict(zip(names, unique_names(names, LONGEST_PERIOD), strict=True))


def are_days(periods: Sequence[str]) -> bool:
    """Whether all periods are named after a day."""
    days = pd.Series(periods, dtype="str")
    return bool(days.str.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])").all())


def unique_names(labels: Iterable[Any], longest: int) -> list[str]:
    """Labels as they are drawn: short (by their middle: what tells them apart is often the end), on one line, no two
    alike."""
    names: dict[str, None] = {}
    for label in labels:
        line = shorten(str(label), LONGEST) or "(none)"
        head = longest * 2 // 5
        short = name = line if len(line) <= longest else f"{line[:head]}…{line[head + 1 - longest :]}"
        number = 1
        while name in names:
            name = f"{short} ({(number := number + 1)})"
        names[name] = None
    return list(names)


def label_length(width: int) -> int:
    """Letters of a name beside a bar."""
    return 34 if width > NARROW else 20


def beside(value: float, unit: str, width: int) -> str:
    """An amount as it stands beside a bar: shorter where the drawing is narrow."""
    return amount(value, unit, 1e7 if width > NARROW else 1e6)


def number(value: Any) -> float:
    """A number for a drawing, where neither NaN nor infinity can be."""
    return float(value) if value is not None and math.isfinite(value) else 0.0


def text_width(text: str) -> float:
    """Pixels that a text of 12 pixels takes, or a little more."""
    return sum(8.3 if c.isupper() or c in "@%" else 3.6 if c in " .,·-" else 6.7 for c in text)


def room(
    names: Iterable[str], texts: Iterable[str], width: int, ends: Iterable[float] = (1.0,), sides: int = 1
) -> float:
    """How much wider, as a part of what is drawn, an axis must be on each side for the texts beside bars that end at
    these parts of it (all of them at the end, unless given)."""
    plot = width - max(map(text_width, names), default=0.0) - 24
    wide = [text_width(text) + 8 for text in texts]
    fits = [(plot - sides * text) / max(end, 1e-9) for text, end in zip(wide, cycle(ends), strict=False)]
    return max((plot / max(min(fits, default=plot), 30.0) - 1) / sides, 0.0)
