"""Switching a row off must be the same as never having written it, for it and for all that refers to it."""

from __future__ import annotations

from pathlib import Path

import pytest

import echelon
from echelon.tables import Frames
from echelon.validate import validate

from .cases import FULL, small_frames, write

FAMILY = echelon.families()["ordering"]
CASE = {name: text for name, text in FULL.items() if name != "shares"}


def validated(folder: Path, tables: dict[str, str]) -> Frames:
    case = echelon.read(write(folder, tables))
    return validate(case, FAMILY.inputs, FAMILY.rules, FAMILY.options())[0]


def without_rows(tables: dict[str, str], gone: dict[str, list[int]]) -> dict[str, str]:
    """The tables without some of their rows, counted as in a spreadsheet."""
    kept = dict(tables)
    for name, rows in gone.items():
        lines = tables[name].splitlines()
        kept[name] = "\n".join(line for n, line in enumerate(lines, start=1) if n not in rows) + "\n"
    return kept


def switched_off(tables: dict[str, str], name: str, row: int) -> dict[str, str]:
    lines = tables[name].splitlines()
    marked = [f"{lines[0]},status"] + [
        f"{line},{'exclude' if n == row else ''}" for n, line in enumerate(lines[1:], start=2)
    ]
    return tables | {name: "\n".join(marked) + "\n"}


@pytest.mark.parametrize(
    ("table", "row", "gone"),
    [
        ("demand", 2, {"demand": [2]}),
        ("stock", 2, {"stock": [2]}),
        ("price_breaks", 3, {"price_breaks": [3]}),
        # an item takes all its rows along
        ("items", 3, {"items": [3], "offers": [4], "demand": [6], "receipts": [2], "pinned_orders": [2]}),
        # an offer takes what details it along
        ("offers", 2, {"offers": [2], "price_breaks": [2, 3]}),
        # a site takes lanes and demand along; a period every row that names it, but not those for every period
        ("sites", 3, {"sites": [3], "lanes": [2], "demand": [5]}),
        ("periods", 5, {"periods": [5], "demand": [4]}),
        ("suppliers", 3, {"suppliers": [3], "offers": [3]}),
    ],
)
def test_a_row_switched_off_is_a_row_not_written(
    tmp_path: Path, table: str, row: int, gone: dict[str, list[int]]
) -> None:
    """The validated tables are those of the case in which the row, and all that refers to it, was deleted."""
    off = validated(tmp_path / "off", switched_off(CASE, table, row))
    deleted = validated(tmp_path / "deleted", without_rows(CASE, gone))
    for name, frame in deleted.items():
        assert off[name].astype(str).to_numpy().tolist() == frame.astype(str).to_numpy().tolist(), name


def test_rows_keep_their_numbers(tmp_path: Path) -> None:
    """What is told of a row names it as the spreadsheet does, whatever stands excluded above it."""
    tables = switched_off(CASE, "offers", 2) | {"price_breaks": FULL["price_breaks"].splitlines()[0] + "\n"}
    tables["offers"] = tables["offers"].replace("BOLT,A,MAIN,9,15,1", "BOLT,A,MAIN,9,15,9")
    (finding,) = echelon.check(write(tmp_path / "case", tables))
    assert (finding.table, finding.row, finding.column) == ("offers", 3, "lead_time")


def test_notes_change_nothing() -> None:
    """Notes are kept in the run's inputs, and not read."""
    frames = small_frames()
    frames["demand"]["notes"] = ["=ask Anna", "", "promised"]
    run = echelon.solve(frames, "ordering", explain="off")
    assert run.inputs["demand"]["notes"].tolist() == ["=ask Anna", "", "promised"]
    assert run.outcome.objective == echelon.solve(small_frames(), "ordering", explain="off").outcome.objective


@pytest.mark.parametrize("how", ["header only", "all excluded"])
@pytest.mark.parametrize("name", FULL)
def test_any_table_may_be_empty(tmp_path: Path, name: str, how: str) -> None:
    """A table without rows, or with all of them switched off, says nothing: the case is completed as if the table were
    not there, or findings say what is missing."""
    header, *rows = FULL[name].splitlines()
    lines = [header] if how == "header only" else [f"{header},status", *(f"{row},exclude" for row in rows)]
    try:
        frames = validated(tmp_path / "case", FULL | {name: "\n".join(lines) + "\n"})
    except echelon.InputError as error:  # rows of other tables need some of this one
        assert name in ("items", "offers", "demand", "sites", "suppliers", "periods", "lanes"), error
        return
    assert frames[name].empty
    assert frames[name].dtypes.to_dict() == next(t for t in FAMILY.inputs if t.name == name).empty().dtypes.to_dict()
    FAMILY.complete(frames, FAMILY.options())


@pytest.mark.parametrize("name", ["price_breaks", "budgets"])
def test_an_empty_table_is_an_absent_one(tmp_path: Path, name: str) -> None:
    """A header without rows must not plan otherwise than no file at all."""
    header = FULL[name].splitlines()[0] + "\n"
    empty = echelon.solve(write(tmp_path / "empty", FULL | {name: header}), gap=0.0, explain="off")
    absent = echelon.solve(
        write(tmp_path / "absent", {n: t for n, t in FULL.items() if n != name}), gap=0.0, explain="off"
    )
    assert empty.outcome.objective == absent.outcome.objective
