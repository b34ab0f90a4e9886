"""What stands on a report's page, in the words and order of a reader: the answer, the proof, the charts, the tables."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from echelon.charts import Chart
from echelon.errors import shorten
from echelon.report.draw import Figure, draw
from echelon.report.numbers import cells, reads_as_number
from echelon.schema import Table, extra

ROWS = 200  # of a table that are shown
SHORT = 16  # characters of a cell that is not broken into lines
LEADING_FIGURE = re.compile(r"^[-+]?\d([\d,.]*\d)?%?(?=[\s;,]|$)")
PAGES = jinja2.Environment(
    loader=jinja2.PackageLoader("echelon", "report"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Column:
    """The head of a column: its name, unit and meaning, and whether it holds numbers."""

    name: str
    unit: str
    meaning: str
    number: bool
    short: bool = False  # no cell of it is broken into lines


@dataclass(frozen=True)
class TableView:
    """A table as it is shown: the first rows of it, and a sentence on where the others are."""

    caption: str
    columns: list[Column]
    rows: list[list[tuple[str, str]]]
    left_out: str = ""
    name: str = ""
    count: int = 0


@dataclass(frozen=True)
class ChartView:
    """A chart as it is shown; `figure` is None where it could not be drawn."""

    title: str
    note: str
    figure: Figure | None
    table: TableView


@dataclass(frozen=True)
class Tile:
    """One figure of the first screen: its name, the figure itself, and the words after it."""

    name: str
    figure: str
    words: str


@dataclass(frozen=True)
class Document:
    """All that the template needs to write a page."""

    title: str
    kind: str
    headline: str
    lead: str
    tiles: list[Tile] = field(default_factory=list)
    more: list[tuple[str, str]] = field(default_factory=list)
    statements: list[tuple[str, str]] = field(default_factory=list)
    actions: TableView | None = None
    links: list[tuple[str, str]] = field(default_factory=list)  # what is read next: words, and where it is
    proof: list[str] = field(default_factory=list)
    charts: list[ChartView] = field(default_factory=list)
    tables: list[TableView] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def write(document: Document) -> str:
    """The page as HTML: style, script and drawings inside, nothing to be fetched, nothing from a table ever run."""
    style, script = (_source(name) for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return PAGES.get_template("page.html").render(
        page=document, style=Markup(style), script=Markup(script), script_digest=digest
    )


def _source(name: str) -> str:
    assert PAGES.loader
    return PAGES.loader.get_source(PAGES, name)[0]


def tiles(said: Mapping[str, str]) -> tuple[list[Tile], list[tuple[str, str]]]:
    """What is said by name, as tiles whose leading figure is set in large type, and as lines where none leads."""
    found, lines = [], []
    for name, words in said.items():
        if figure := LEADING_FIGURE.match(words):
            found.append(Tile(name, figure[0].replace("-", "−"), words[figure.end() :].strip()))
        else:
            lines.append((name, words))
    return found, lines


def chart_view(chart: Chart) -> ChartView:
    """A chart drawn, with its table. Where it cannot be drawn, its table still stands."""
    try:
        figure = draw(chart)
    except ValueError:
        figure = None
    note = " ".join(part for part in (chart.note, figure.left_out if figure else "") if part)
    table = frame_view(chart.data, caption=chart.title, units=chart.units)
    return ChartView(chart.title, note, figure, table)


def frame_view(
    frame: pd.DataFrame, *, caption: str, units: Mapping[str, str] | None = None, rows: int = ROWS, elsewhere: str = ""
) -> TableView:
    """Any frame as a table; `elsewhere` is the sentence on where rows beyond the first `rows` are. Text that reads as
    numbers is set as numbers, but for the first column, which names the rows."""
    units = units or {}
    columns = [
        Column(str(name), units.get(str(name), ""), "", reads_as_number(frame[name], text=place > 0))
        for place, name in enumerate(frame.columns)
    ]
    return _view(frame, columns, caption=caption, rows=rows, elsewhere=elsewhere)


def result_view(table: Table, frame: pd.DataFrame, money: str, rows: int = ROWS) -> TableView:
    """A declared result table, its columns with their declared units and meanings."""
    columns = []
    for name, declared in table.columns.items():
        unit = str(extra(declared)["unit"])
        unit = "" if unit == "1" else re.sub(r"\bmoney\b", money, unit)
        columns.append(Column(name, unit, declared.description or "", reads_as_number(frame[name], text=False)))
    file = f"results/{table.name}.csv"
    view = _view(
        frame, columns, caption=table.meaning, rows=rows, elsewhere=f"all of them are in {file} of the run folder"
    )
    return replace(view, name=table.name)


def _view(frame: pd.DataFrame, columns: Sequence[Column], *, caption: str, rows: int, elsewhere: str) -> TableView:
    shown = frame.head(rows)
    written = [cells(shown[name], column.unit) for name, column in zip(frame.columns, columns, strict=True)]
    columns = [
        replace(column, short=all(len(shown) <= SHORT for shown, _ in texts))
        for column, texts in zip(columns, written, strict=True)
    ]
    left_out = ""
    if len(frame) > rows:
        left_out = f"The first {rows:,} of {len(frame):,} rows are shown{f'; {elsewhere}' if elsewhere else ''}."
    return TableView(caption, columns, [list(row) for row in zip(*written, strict=True)], left_out, count=len(frame))


def short_facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Options, versions and the like as name and value."""
    return [(name, shorten(str(value), 200)) for name, value in facts.items()]
