"""The report: what stands on the page is what the run says, and nothing in a table can change what the page is."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon import cli, store
from echelon.charts import Bars
from echelon.report import run_report, study_report
from echelon.report.numbers import amount
from echelon.report.page import ROWS, chart_view, frame_view, result_view, tiles
from echelon.report.shared import cost_chart, limit_chart

from .cases import FULL, SMALL, write
from .cases import echelon as command
from .report_cases import HOSTILE, Page, every_kind, hostile_run, study_page, template_run
from .report_cases import page as page_of

PLAIN_NAMES = [f"Name {n}" for n in range(len(HOSTILE))]


@pytest.fixture(scope="module")
def runs() -> dict[str, echelon.Run]:
    """The template case of every installed family, solved."""
    return {name: template_run(name) for name in echelon.families()}


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: page_of(name) for name in PAGES}


PAGES = [*echelon.families(), "study"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(pages: dict[str, str], name: str) -> None:
    """Every element is closed in its order, no name is given twice, every chart could be drawn."""
    page = Page(pages[name])
    assert page.faults == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "could not be drawn" not in page.words
    assert len(page.all("figure")) == len(page.all("figcaption")) >= 1


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_no_network(pages: dict[str, str], name: str) -> None:
    """It is sent by mail and opened on a train: nothing in it is fetched, and no link leads out of it."""
    page = Page(pages[name])
    for _, attributes in page.elements:
        assert "src" not in attributes and "srcset" not in attributes
        assert attributes.get("href", "#").startswith("#")
    assert not page.all("link") and not page.all("iframe") and not page.all("object")
    assert not re.search(r"url\(|@import|https?:|//cdn", pages[name])
    (policy,) = [a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe-inline'; script" in policy and "unsafe-eval" not in policy


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_aloud(pages: dict[str, str], name: str) -> None:
    """Landmarks, a language, headings without gaps, a caption and scopes in every table, a name on every picture."""
    page = Page(pages[name])
    tags = [tag for tag, _ in page.elements]
    assert page.all("html")[0]["lang"] == "en" and page.said("title")
    assert all(tags.count(tag) == 1 for tag in ("header", "nav", "main", "footer", "h1"))
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in pairwise(levels))
    assert tags.count("table") == tags.count("caption") >= 1
    assert all(attributes.get("scope") == "col" for attributes in page.all("th"))
    assert all(a.get("aria-label") if a.get("role") == "img" else a.get("aria-hidden") for a in page.all("svg"))
    names = {attributes.get("id") for _, attributes in page.elements}
    assert all(a["aria-labelledby"] in names for a in page.all("section"))


def test_every_family_draws_something(runs: dict[str, echelon.Run]) -> None:
    """A report of costs and tables alone is one nobody would rather look at."""
    assert {name for name, run in runs.items() if not run.charts} == set()


@pytest.mark.parametrize("name", echelon.families())
def test_the_first_screen_is_the_answer(runs: dict[str, echelon.Run], pages: dict[str, str], name: str) -> None:
    """Cost, service, the constraint, at most five actions and the proof, before the first chart."""
    run, words = runs[name], Page(pages[name].split('id="charts"')[0] + "</main></body></html>").words
    assert amount(abs(run.outcome.objective or 0.0), millions=math.inf) in words
    assert run.page.constraint in words
    assert all(line in words for line in run.proof)
    for said in run.page.service.values():
        assert said.split()[-1] in words
    body = pages[name].split("<tbody>")[1].split("</tbody>")[0]
    assert body.count("<tr>") == min(len(run.page.actions), 5)


@pytest.mark.parametrize(
    ("gap", "said"),
    [(0.0, "the least that is possible"), (0.0123, "at most 1.23% above the least"), (None, "is not known")],
)
def test_the_headline_says_how_good_the_plan_is(runs: dict[str, echelon.Run], gap: float | None, said: str) -> None:
    """Proven best, within a gap, or of unknown distance: never more than was proven."""
    run = runs["ordering"]
    changed = replace(run, outcome=replace(run.outcome, gap=gap))
    (headline,) = Page(run_report(changed)).said("h1")
    assert amount(run.outcome.objective or 0.0, millions=math.inf) in headline and said in headline


def test_what_was_simulated_stands_with_the_proof(runs: dict[str, echelon.Run]) -> None:
    """A simulation of what was promised is proof, not service."""
    family = echelon.families()["positioning"]
    frames = {table.name: table.template() for table in family.inputs}
    run = echelon.solve(frames, "positioning", options={"simulate": 200}, time_limit=20)
    page = run_report(run)
    proof = page.split("<h3>Proof</h3>")[1].split("</ul>")[0]
    assert f"simulated: {run.page.service['simulated'][:20]}" in proof
    assert run.page.service["simulated"] not in page.split("<h3>Proof</h3>")[0]


def test_the_same_run_gives_the_same_page(runs: dict[str, echelon.Run], pages: dict[str, str]) -> None:
    """A report can be compared with another one."""
    assert run_report(runs["network"]) == pages["network"]


def test_names_from_tables_stay_text() -> None:
    """Whatever items, suppliers and sites are called: the page is made of the same elements as with plain names, holds
    one script (our own), no attribute that runs anything, and shows the names as they are."""
    plain, bad = Page(run_report(hostile_run(PLAIN_NAMES))), Page(page_of("hostile"))
    assert bad.faults == []
    assert Counter(tag for tag, _ in bad.elements) == Counter(tag for tag, _ in plain.elements)
    assert len(bad.all("script")) == 1
    attributes = {name for _, found in bad.elements for name in found}
    assert not [name for name in attributes if name.startswith("on")] and not attributes & {"style", "src", "action"}
    for name in HOSTILE[:5]:
        assert name in bad.said("td")


def test_hostile_names_stay_text_in_every_kind_of_chart() -> None:
    """Titles, axes, keys, tooltips and labels of every drawing."""
    page = Page(study_page(["".join(HOSTILE[n::3]) for n in range(3)]))
    assert page.faults == []
    assert "could not be drawn" not in page.words
    assert len(page.all("script")) == 1 and not page.all("img")
    assert max(len(text) for text in page.said("text")) < 100, "a long name is shortened where it is drawn"


def test_what_cannot_be_drawn_still_has_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """One chart that fails must not take the page with it."""

    def fails(chart: Any) -> None:
        raise ValueError("no")

    monkeypatch.setattr("echelon.report.page.draw", fails)
    view = chart_view(every_kind()[0])
    assert view.figure is None and view.table.rows
    assert "This chart could not be drawn" in Page(study_page()).words


def test_a_long_table_is_cut_and_says_so(runs: dict[str, echelon.Run]) -> None:
    """A thousand rows on a page help nobody; the sentence says how many there are and where."""
    run = runs["ordering"]
    declared = next(table for table in run.result_tables if table.name == "orders")
    orders = pd.concat([run.plan["orders"]] * 1_000, ignore_index=True)
    view = result_view(declared, orders, "EUR")
    assert len(view.rows) == ROWS and view.count == len(orders) == 1_000
    assert view.left_out == (
        f"The first {ROWS} of 1,000 rows are shown; all of them are in results/orders.csv of the run folder."
    )
    assert frame_view(orders, caption="", rows=1_000).left_out == ""


def test_every_result_table_is_there_with_units_and_meanings(
    runs: dict[str, echelon.Run], pages: dict[str, str]
) -> None:
    """The page says what each column is, in the words in which it was declared, with the case's currency."""
    run = runs["ordering"]
    page = Page(run_report(replace(run, currency="EUR")))
    said = {a.get("title") for a in page.all("th")}
    for table in run.result_tables:
        if len(run.plan[table.name]):
            assert {field.description for field in table.columns.values()} <= said
    assert "EUR/unit" in page.said("span") and "money" not in page.said("span")


@pytest.mark.parametrize(
    ("words", "figure", "rest"),
    [("99.98% of demand", "99.98%", "of demand"), ("0 units", "0", "units"), ("-5 EUR", "−5", "EUR"),
     ("6 open in 2027, 6", "6", "open in 2027, 6"), ("100.00%", "100.00%", "")],
)  # fmt: skip
def test_a_leading_figure_is_set_large(words: str, figure: str, rest: str) -> None:
    """Only a figure that stands alone leads; no digit is lost."""
    ((tile,), lines) = tiles({"it": words})
    assert (tile.figure, tile.words, lines) == (figure, rest, [])


@pytest.mark.parametrize("words", ["saves 5 EUR", "3-day week", "", "2026-01-05 is first", "5x"])
def test_words_without_a_leading_figure_are_a_line(words: str) -> None:
    """What does not begin with a number of its own is told as it is."""
    assert tiles({"it": words}) == ([], [("it", words)])


def test_a_study_compares_scenarios_with_the_first() -> None:
    """Each scenario's difference to the first; those that failed are counted, not hidden."""
    results = pd.DataFrame({"scenario": ["base", "more", "failed"], "cost": [200.0, 150.0, None]})
    page = Page(study_report("S", results, headline="H", compared="cost", units={"cost": "EUR"}))
    assert "more has the lowest cost: 150 EUR" in page.said("h3")
    assert "150 EUR · −25%" in page.said("text")
    assert "Scenarios without it: 1." in page.words
    assert "failed" in page.said("td")


@pytest.mark.parametrize("missing", ["scenario", "objective"])
def test_a_study_without_its_columns_is_refused(missing: str) -> None:
    """Better an error than a page that compares nothing."""
    results = pd.DataFrame({"scenario": ["a"], "objective": [1.0]}).drop(columns=missing)
    with pytest.raises(ValueError, match=missing):
        study_report("S", results, headline="H")


def test_solve_writes_the_report_and_names_it(tmp_path: Path) -> None:
    """The last line of the page is where the report lies; `echelon report` writes the same again."""
    case = write(tmp_path / "full", FULL)
    done = command("solve", case, "--out", tmp_path / "runs")
    assert done.exit_code == 0, done.output
    (folder,) = (tmp_path / "runs").iterdir()
    written = (folder / "report.html").read_bytes()
    assert done.stdout.rstrip().endswith("report.html")
    assert done.stdout.splitlines()[-1].strip() == f"report: {folder / 'report.html'}"
    (folder / "report.html").unlink()
    again = command("report", folder)
    assert again.exit_code == 0 and str(folder / "report.html") in again.stdout
    assert (folder / "report.html").read_bytes() == written
    assert sorted(path.name for path in folder.iterdir()) == [
        "inputs",
        "report.html",
        "results",
        "run.json",
        "solver.log",
    ]


def test_report_opens_the_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--open hands the file's address to the system's browser; where there is none, that is said."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)))
    folder = echelon.solve(write(tmp_path / "small", SMALL)).save(tmp_path / "runs")
    done = command("report", folder, "--open")
    assert done.exit_code == 0
    assert opened == [(folder / "report.html").as_uri()]
    assert "no browser was found" in done.stderr


def test_a_report_that_fails_does_not_hide_the_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan took an hour and is stored; a fault in a chart is a warning."""

    def fails(run: echelon.Run) -> str:
        raise KeyError("a column")

    monkeypatch.setattr(cli, "run_report", fails)
    done = command("solve", write(tmp_path / "small", SMALL), "--out", tmp_path / "runs")
    assert done.exit_code == 0
    assert "its report could not be made (KeyError: 'a column')" in done.stderr
    assert "recheck passed" in done.stdout and "report:" not in done.stdout
    (folder,) = (tmp_path / "runs").iterdir()
    assert echelon.Run.load(folder).rules_checked > 0 and not (folder / "report.html").exists()


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves the earlier report as it was, and no half of the new one."""
    (tmp_path / "report.html").write_text("earlier")

    def full(*_: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        store.add_report(tmp_path, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_text() == "earlier"


def test_a_family_that_declares_no_charts_has_a_report(
    runs: dict[str, echelon.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone else's family need not know of charts: costs, limits and tables are drawn for any."""
    family = replace(echelon.families()["ordering"], charts=echelon.family.no_charts)
    monkeypatch.setattr("echelon.run.families", lambda: {"ordering": family})
    page = Page(run_report(runs["ordering"]))
    assert 1 <= len(page.all("figure")) <= 2


def test_bars_of_a_run_add_up(runs: dict[str, echelon.Run]) -> None:
    """The cost chart shows every cost line that is not nothing; its table sums to the plan's cost."""
    run = runs["ordering"]
    chart = cost_chart(run.costs, "EUR")
    assert isinstance(chart, Bars)
    assert chart.data["cost"].sum() == pytest.approx(run.outcome.objective)
    assert chart.data["share of the total"].sum() == pytest.approx(1.0)


def test_names_that_look_like_numbers_stay_names(runs: dict[str, echelon.Run]) -> None:
    """Item 00123 is a name: it is set left, sorted and downloaded as text; so are the years of a first column."""
    run = runs["ordering"]
    declared = next(table for table in run.result_tables if table.name == "orders")
    view = result_view(declared, run.plan["orders"].assign(item="00123"), "EUR")
    assert {column.name: column.number for column in view.columns} == {
        name: name in ("quantity", "unit_price", "amount") for name in declared.columns
    }
    actions = frame_view(pd.DataFrame({"period": ["2027"], "amount": ["1,200"]}), caption="")
    assert [column.number for column in actions.columns] == [False, True]


def limits(count: int, periods: int) -> pd.DataFrame:
    """So many limits over so many periods, the fullest last."""
    rows = [
        ("budget", f"D{n:02d}", f"P{t}", "money", 100.0, float(n), 0.0, 0.0)
        for n in range(count)
        for t in range(periods)
    ]
    return pd.DataFrame(rows, columns=["limit", "name", "period", "unit", "capacity", "use", "excess", "price"])


@pytest.mark.parametrize(("count", "periods", "drawn"), [(5, 10, 5), (40, 10, 30), (40, 365, 5), (3, 5000, 1)])
def test_the_grid_of_limits_stays_small(count: int, periods: int, drawn: int) -> None:
    """A year of days under forty limits would be megabytes of cells: the fullest are drawn, the rest counted."""
    chart = limit_chart(limits(count, periods), "EUR")
    assert chart is not None
    assert chart.data["limit"].nunique() == drawn
    assert chart.data["limit"].iloc[0] == f"budget of D{count - 1:02d}"
    assert (f"{count - drawn:,} limits that are used less are not drawn" in chart.note) == (count > drawn)


def test_limits_of_another_form_are_not_drawn() -> None:
    """Someone else's family may have a table of this name with other columns."""
    assert limit_chart(pd.DataFrame({"price": [1.0]}), "EUR") is None
    assert limit_chart(None, "EUR") is None


def test_a_limit_counted_in_two_units_is_two_limits() -> None:
    """A supplier limited in units and in hours: two rows, told apart."""
    both = limits(1, 1)
    chart = limit_chart(pd.concat([both, both.assign(unit="hours")], ignore_index=True), "EUR")
    assert chart is not None
    assert sorted(chart.data["limit"]) == ["budget of D00 (EUR)", "budget of D00 (hours)"]
