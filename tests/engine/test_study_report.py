"""Reports of studies: the answer of each kind stands in its headline, and none that fails hides the results."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from echelon import cli_study
from echelon.errors import InputError
from echelon.report import study_page
from echelon.report.study_page import stored_study_report

from .cases import SMALL, ended_well, write
from .cases import echelon as cli


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("study") / "case", SMALL)


FRONTIER = ["--column", "offers.price", "--to", "1,2,3", "--less", "objective", "--more", "level"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sweep", "--column", "offers.price", "--by", "0.9,1.1"], "offers.price moves the cost most"),
        (["frontier", *FRONTIER], "No knee: what is given up of level for objective stays in proportion"),
        (["silos"], "together"),
    ],
)
def test_each_study_ends_with_its_report(case: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    """The last line names the page; its headline is the answer; `echelon report` writes the same page again."""
    command, *rest = arguments
    done = cli(command, case, *rest, "--out", tmp_path, "--name", "s")
    assert done.exit_code == 0 and ended_well(done), done.stderr
    page = tmp_path / "s" / "report.html"
    assert done.stdout.splitlines()[-1] == f"report: {page}"
    written = page.read_bytes()
    assert words in written.decode() and b"<svg" in written
    page.unlink()
    assert cli("report", tmp_path / "s").exit_code == 0
    assert page.read_bytes() == written


def test_the_first_screen_says_what_holds_each_scenario_back(tmp_path: Path) -> None:
    """The first scenario's cost, how far the others are from it, and one sentence each; why one has no plan."""
    results = pd.DataFrame(
        {
            "scenario": ["as it is", "more", "none"],
            "objective": [100.0, 150.0, None],
            "constraint": ["The budget holds it back. It binds in 3 periods.", "The hall does.", None],
            "why": ["", "", "no plan fits; widen it"],
            "run": ["a", "b", ""],
        }
    )
    answer = study_page._scenarios(tmp_path, results, "EUR")
    assert answer.statements == {
        "the first scenario": "100 EUR: as it is",
        "the dearest": "+50.0% more",
        "as it is": "The budget holds it back.",
        "more": "The hall does.",
        "none": "No plan: no plan fits; widen it",
    }


def test_studies_of_two_families_do_not_share_a_folder(case: Path, tmp_path: Path) -> None:
    """A family that is asked for stands in the folder's name."""
    arguments = ["--column", "offers.price", "--by", "1.1", "--out", tmp_path]
    for family in ([], ["--family", "ordering"]):
        assert cli("sweep", case, *arguments, *family).exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case-ordering-sweep", "case-sweep"]


def test_a_report_that_fails_does_not_hide_the_study(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of runs are stored; a fault in a chart is a warning."""

    def fails(folder: Path) -> Path:
        raise KeyError("a column")

    monkeypatch.setattr(cli_study, "add_study_report", fails)
    arguments = ["--column", "offers.price", "--by", "1.1", "--out", tmp_path, "--name", "s"]
    done = cli("sweep", case, *arguments)
    assert done.exit_code == 0 and "its report could not be made (KeyError: 'a column')" in done.stderr
    assert "study folder" in done.stdout and (tmp_path / "s" / "results.csv").is_file()


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 1, "kind": "other"}'])
def test_a_damaged_study_is_told(tmp_path: Path, text: str) -> None:
    """A finding, no traceback."""
    (tmp_path / "study.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"study\.json"):
        stored_study_report(tmp_path)


def test_a_grid_does_not_show_the_tornado_of_an_earlier_sweep(case: Path, tmp_path: Path) -> None:
    """The same study may be made anew as a grid: its page tells of what it is now."""
    turns = ["--column", "offers.price", "--column", "demand.quantity", "--by", "1.1", "--out", tmp_path, "--name", "s"]
    page = tmp_path / "s" / "report.html"
    assert cli("sweep", case, *turns).exit_code == 0
    assert "moves the cost most" in page.read_text(encoding="utf-8")
    assert cli("sweep", case, *turns, "--grid").exit_code == 0
    assert "moves the cost most" not in page.read_text(encoding="utf-8")
    assert "The scenarios cost" in page.read_text(encoding="utf-8")
