"""Three small files must give a first answer."""

from __future__ import annotations

from pathlib import Path

import pytest

import echelon
from echelon_models.ordering.schema import INPUTS

FILES = {
    "items.csv": "item\nDRILL\nSAW\n",
    "demand.csv": "item,period,quantity\nDRILL,2026-01-05,10\nDRILL,2026-01-12,20\nSAW,2026-01-12,5\n",
    "offers.csv": "supplier,item,price\nNORD,DRILL,62.5\nNORD,SAW,30\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_files_have_only_the_required_tables_and_columns() -> None:
    """If a column becomes required, or a table, the newcomer's first hour becomes longer: that must not happen
    unnoticed."""
    for table in INPUTS:
        required = [name for name, field in table.columns.items() if field.is_required()]
        if table.required:
            assert FILES[f"{table.name}.csv"].split("\n")[0].split(",") == required
        else:
            assert f"{table.name}.csv" not in FILES


def test_three_files_give_a_plan(folder: Path) -> None:
    """Items, demand and offers: what to order and when, proven and rechecked, with nothing else said."""
    run = echelon.solve(folder, "ordering")
    assert run.outcome.termination is echelon.Termination.OPTIMAL
    orders = run.plan["orders"].set_index(["item", "period"])["quantity"].to_dict()
    assert orders == {("DRILL", "2026-01-05"): 10.0, ("DRILL", "2026-01-12"): 20.0, ("SAW", "2026-01-12"): 5.0}
    assert run.outcome.objective == pytest.approx(30 * 62.5 + 5 * 30)
    assert run.kpis["fill_rate"] == 1.0
    assert run.prices.empty
    assert run.findings == ()


def test_the_one_page_of_three_files(folder: Path) -> None:
    """The page of a first answer has no blanks and no limits to speak of."""
    page = echelon.solve(folder, "ordering").page
    assert page.constraint == "No shared limit holds this plan back."
    assert page.service["fill rate"].startswith("100.00%")
    assert page.actions["order by"].tolist() == ["2026-01-12", "2026-01-05", "2026-01-12"]
    assert not page.actions.isna().any().any()


def test_three_frames_give_the_same_plan_as_three_files(folder: Path) -> None:
    """A planning system hands over frames where a person hands over files."""
    by_file = echelon.solve(folder, "ordering")
    by_frames = echelon.solve(dict(echelon.read(folder).tables), "ordering")
    assert by_frames.fingerprint == by_file.fingerprint
    for name, frame in by_file.plan.items():
        assert frame.equals(by_frames.plan[name])
