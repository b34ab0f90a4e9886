"""The report as people see it: in a real browser, on a phone, a laptop and a wall, light and dark, on paper."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import echelon

from .report_cases import HOSTILE
from .report_cases import page as page_of

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine to look at pages with")

WIDTHS = [400, 1024, 1920]
PAGES = [*echelon.families(), "study", "plan", "comparison", "hostile"]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The reports of every family's template case, of a study with every kind of chart, of a plan, of runs compared, of
    a hostile case."""
    folder = tmp_path_factory.mktemp("pages")
    for name in PAGES:
        (folder / f"{name}.html").write_text(page_of(name), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def look(browser: Any, pages: dict[str, Path]) -> Iterator[Any]:
    """Open a page in a window of its own; what went wrong while it loaded is in its `faults`."""
    contexts = []

    def opened(name: str, width: int = 1024, **how: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 900}, **how)
        contexts.append(context)
        page = context.new_page()
        page.faults = []
        page.on("console", lambda message: page.faults.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: page.faults.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (page.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda r: r.url == pages[name].as_uri() or page.faults.append(f"request: {r.url}"))
        page.goto(pages[name].as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


# Pairs of texts in a drawing that cover each other by more than a few pixels (a text and its own halo are one).
OVERLAPS = """() => [...document.querySelectorAll(".drawing svg")].flatMap((svg) => {
    const seen = new Map();
    for (const text of svg.querySelectorAll("text")) {
        const box = text.getBoundingClientRect();
        if (box.width) seen.set(`${text.textContent} ${box.left} ${box.top}`, [text.textContent, box]);
    }
    const texts = [...seen.values()];
    return texts.flatMap(([a, p], i) => texts.slice(i + 1).filter(([, q]) =>
        p.left + 3 < q.right && q.left + 3 < p.right && p.top + 4 < q.bottom && q.top + 4 < p.bottom
    ).map(([b]) => [a, b]));
})"""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_it_loads_and_everything_is_drawn_within_the_window(look: Any, name: str, width: int) -> None:
    """No error, no request, no dialog; each chart has a drawing that is seen; nothing is wider than the window; no text
    of a drawing is cut off or written over another."""
    page = look(name, width)
    assert page.faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    seen = page.evaluate(
        """() => [...document.querySelectorAll("figure")].map((figure) => {
            const drawings = [...figure.querySelectorAll(".drawing")].map((d) => d.getBoundingClientRect());
            return drawings.filter((box) => box.width > 100 && box.height > 20 && box.right <= innerWidth + 1).length;
        })"""
    )
    assert seen and all(seen)
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".drawing svg text")].filter((text) => {
            const [box, frame] = [text.getBoundingClientRect(), text.closest("svg").getBoundingClientRect()];
            const within = box.left > frame.left - 3 && box.right < frame.right + 3 && box.bottom < frame.bottom + 3;
            return box.width && !within;
        }).map((text) => text.textContent)"""
    )
    assert cut == []
    assert page.evaluate(OVERLAPS) == []


def test_tables_sort_by_size_and_by_name(look: Any) -> None:
    """A click sorts a column upwards, a second one downwards; numbers by size, names as people count, blanks last."""
    page = look("study")
    table = page.locator("#tables table")
    for column, rising in ((1, ["90", "100", "120"]), (0, ["as it is", "less", "more demand"])):
        head = table.locator("th").nth(column)
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "ascending"
        assert table.locator(f"tbody td:nth-child({column + 1})").all_inner_texts() == rising
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == "descending"
        assert table.locator(f"tbody td:nth-child({column + 1})").all_inner_texts() == rising[::-1]
    assert page.locator("#tables th[aria-sort]").count() == 1


def test_a_table_downloads_as_csv_that_no_spreadsheet_runs(look: Any) -> None:
    """What is downloaded is the table with its exact values; text that a spreadsheet would run is quoted, as in the
    run folder's own files."""
    page = look("hostile")
    page.locator("summary", has_text="orders").first.click()
    with page.expect_download() as download:
        page.locator("button[data-file='orders.csv']").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text)))
    declared = next(table for table in echelon.families()["ordering"].results if table.name == "orders")
    assert rows[0] == list(declared.columns)
    items = {row[1] for row in rows[1:]}
    assert items == {f"'{name}" if name.startswith("=") else name for name in HOSTILE}
    assert all(float(row[7]) > 0 for row in rows[1:])
    assert page.faults == []


def test_names_from_tables_never_run(look: Any) -> None:
    """Whatever is clicked: no dialog, no image, one script."""
    page = look("hostile")
    for summary in page.locator("summary").all():
        summary.click()
    for head in page.locator("#tables th button").all():
        head.click()
    assert page.faults == []
    assert page.evaluate("[document.scripts.length, document.images.length]") == [1, 0]


LUMINANCE = """(colour) => {
    const channels = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => v / 255);
    const [r, g, b] = channels.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_in_light_and_dark(look: Any, scheme: str) -> None:
    """Contrast of at least 4.5 to 1 between text and page, in drawings too (WCAG 2.2, criterion 1.4.3)."""
    page = look("study", color_scheme=scheme)
    colours = page.evaluate(
        """() => {
            const texts = [...document.querySelectorAll("h1, h2, h3, p, dt, dd, li, td, th, summary, a, figcaption")];
            const inks = ["ink", "muted"].map((name) => `.drawing text[fill='var(--${name})']`);
            const drawn = [...document.querySelectorAll(inks.join())];
            return [...new Set([
                ...texts.map((e) => getComputedStyle(e).color), ...drawn.map((e) => getComputedStyle(e).fill),
            ])];
        }"""
    )
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    back = page.evaluate(LUMINANCE, paper)
    assert (back < 0.1) == (scheme == "dark")
    for colour in colours:
        front = page.evaluate(LUMINANCE, colour)
        assert (max(front, back) + 0.05) / (min(front, back) + 0.05) >= 4.5, colour


def test_on_paper_it_is_light_and_holds_the_answer_and_the_charts(look: Any) -> None:
    """Printed from a dark screen: black on white, without what cannot be clicked, the charts in their wide form."""
    page = look("ordering", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav").is_visible() and not page.locator("#tables").is_visible()
    assert page.locator("h1").is_visible() and page.locator(".proof").is_visible()
    assert page.locator("figure .wide svg").first.is_visible()
    assert len(page.pdf(format="A4")) > 10_000


def test_it_is_whole_without_script(look: Any) -> None:
    """Where scripts are switched off (mail previews, locked-down machines), charts and tables are there all the same,
    and no button that does nothing."""
    page = look("ordering", java_script_enabled=False)
    assert page.faults == []
    assert page.locator("figure .wide svg").first.is_visible()
    page.locator("summary").first.click()
    assert page.locator("figure table").first.is_visible()
    assert not page.locator("button").first.is_visible()
