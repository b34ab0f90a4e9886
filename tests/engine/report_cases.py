"""What the tests of the report draw and read: a chart of every kind, a hostile case, a page taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from typing import Any
from unittest import mock

import pandas as pd

import echelon
from echelon.charts import Bars, Chart, Frontier, Heat, Network, Ranges, Routes, Timeline, Tornado
from echelon.report import run_report, study_report
from echelon.report.comparison_page import comparison_report
from echelon.report.plan_page import plan_report
from echelon.study import Plan, compare
from echelon.study.sequence import HANDED, summary

VOID = {"meta", "br", "link", "img", "input", "hr"}
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(2)'>",
    "{{ 7 * 7 }}{% raw %}",
    "</svg></title></style></script><h1>",
    "datum.x; '); alert(3) //",
    '=HYPERLINK("http://example.org")',
    "javascript:alert(4)",
    "x" * 10_000,
    "日本 & Ü",
]


@dataclass
class Page(HTMLParser):
    """A page taken apart: its elements as (tag, attributes), the text in each open element, what is wrong with it."""

    elements: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)  # (tag it stands in, text)

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.faults, self.texts = [], [], [], []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def said(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    @property
    def words(self) -> str:
        """All that a person reads."""
        return re.sub(r"\s+", " ", " ".join(text for tag, text in self.texts if tag not in ("script", "style")))


def hostile_frames(names: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """An order case whose items, suppliers and sites are called what would break a page that trusts them."""
    names = names or HOSTILE
    count = len(names)
    return {
        "items": pd.DataFrame({"item": names, "department": names}),
        "sites": pd.DataFrame({"site": [names[0]]}),
        "offers": pd.DataFrame({"supplier": names, "item": names, "site": names[0], "price": range(1, count + 1)}),
        "demand": pd.DataFrame(
            {"item": names * 2, "site": names[0], "period": ["2026-01-05"] * count + ["2026-01-12"] * count,
             "quantity": 10.0}
        ),
        "budgets": pd.DataFrame({"department": names, "amount": 25.0}),
        "shortages": pd.DataFrame({"item": [""], "site": [""], "policy": ["backorder"]}),
    }  # fmt: skip


@cache
def template_run(family: str) -> echelon.Run:
    """The template case of a family, solved: it has an example row in every table."""
    frames = {table.name: table.template() for table in echelon.families()[family].inputs}
    return echelon.solve(frames, family, time_limit=20)


@cache
def page(name: str) -> str:
    """The report of a family's template case, of a study with every kind of chart ("study"), of families in sequence
    ("plan"), of runs compared, their names hostile ("comparison"), of a hostile case."""
    if name in OTHERS:
        return OTHERS[name]()
    return run_report(hostile_run() if name == "hostile" else template_run(name))


def hostile_run(names: list[str] | None = None) -> echelon.Run:
    """Solved with time to ask about every short item: a busy machine must not add a note to one page of two."""
    case = echelon.read(hostile_frames(names))
    with mock.patch("echelon_models.ordering.CAUSES_AT_LEAST", 20.0):
        return echelon.solve(case, "ordering", gap=0.0, time_limit=60)


def every_kind(names: list[str] | None = None) -> list[Chart]:
    """A chart of every kind, its places, items and columns called by `names`."""
    a, b, c = (names or ["Alder", "Birch", "Cedar"])[:3]
    frame = pd.DataFrame(
        {"name": [a, b, c], "low": [0.8, 0.9, 0.7], "high": [0.9, 1.0, 0.95], "cost": [30.0, -4.0, 12.0]}
    )
    periods = pd.DataFrame(
        {"period": ["2026-01-05", "2026-01-12"] * 2, "item": [a, a, b, b], "stock": [5.0, 4.0, 3.0, 2.0],
         "arrivals": [0.0, 1.0, 0.0, 2.0], "limit": [6.0] * 4, "demand": [1.0, 2.0, 1.0, 3.0]}
    )  # fmt: skip
    shown = {"low": "low", "high": "high"}
    where = {"latitude": "latitude", "longitude": "longitude"}
    both: dict[str, Any] = {"x": "stock", "y": "cost"}
    grid = pd.DataFrame(
        {"row": [a, a, b], "period": ["W1", "W2", "W1"], "used": [0.4, 1.2, 0.9], "over": [False, True, False]}
    )
    points = frame.assign(efficient=[True, False, True], stock=[1.0, 2.0, 3.0])
    places = frame.assign(latitude=[52.0, 48.0, 41.0], longitude=[5.0, 2.0, 12.0], layer=["in", "in", "out"])
    arcs = pd.DataFrame({"origin": [a, b], "destination": [c, c], "quantity": [3.0, 1.0]})
    tour = places.assign(tour=a, depot=[True, False, False])
    shapes: dict[str, Any] = {"stock": "area", "arrivals": "bars", "demand": "line", "limit": "limit"}
    one = periods.iloc[:2]
    money, share = {"cost": "EUR"}, {"low": "%", "high": "%", "used": "%"}
    return [
        Bars(title=f"Bars of {a}", data=frame, units=money, label="name", value="cost"),
        Bars(title="Pareto", data=frame.iloc[[0, 2]], units=money, label="name", value="cost", whole=42.0),
        Bars(title="Parts", data=periods, units={}, label="period", value="stock", part="item"),
        Timeline(title="Timeline", data=one, units={"stock": "units"}, period="period", layers=shapes),
        Timeline(title="Small ones", data=periods, period="period", layers=shapes, facet="item"),
        Heat(title="Heat", data=grid, units=share, row="row", column="period", value="used", flag="over"),
        Ranges(title="Ranges", data=frame, units=share, label="name", point="low", target="high", **shown),
        Tornado(title="Tornado", data=frame, units=share, label="name", base=0.85, **shown),
        Frontier(title="Frontier", data=points, units=money, label="name", efficient="efficient", knee=c, **both),
        Network(title="Map", data=places, units=money, label="name", size="cost", arcs=arcs, kind="layer", **where),
        Network(title="Layers", data=places, label="name", size="high", arcs=arcs, layer="layer"),
        Routes(title="Routes", data=tour, route="tour", stop="name", depot="depot", **where),
    ]  # fmt: skip


def plan_page() -> str:
    """The report of two families in sequence, of which one hands something to the other."""
    runs = {family: template_run(family) for family in ("allocation", "ordering")}
    handed_over = pd.DataFrame([("offers", *runs, 6, 24)], columns=HANDED)
    return plan_report(Plan("camping gear", runs, handed_over, summary(runs, handed_over), "2026-01-05T08:00:00+00:00"))


def comparison_page() -> str:
    """The report of three runs beside each other, each of another case, with hostile names."""
    given = template_run("ordering")
    cases = [given, hostile_run(), replace(given, costs={**given.costs, "holding": 999.0})]
    return comparison_report(compare(dict(zip(HOSTILE, cases, strict=False))))


def study_page(names: list[str] | None = None) -> str:
    """The report of a study with a chart of every kind."""
    results = pd.DataFrame(
        {"scenario": names or ["as it is", "more demand", "less"], "objective": [100.0, 120.0, 90.0]}
    )
    return study_report(
        "What if", results, headline="As it is, is best", charts=every_kind(names), units={"objective": "EUR"}
    )


OTHERS = {"study": study_page, "plan": plan_page, "comparison": comparison_page}
