"""Edits change exactly the cells they name, and what they cannot do is told, all at once."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.edits import Edit, Sheets, apply, parse_edits
from echelon.errors import InputError
from echelon.family import families
from echelon.study.scenarios import read_scenarios, sheets_of, waves

from .cases import FULL, write


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Sheets:
    folder = write(tmp_path_factory.mktemp("edits") / "case", FULL)
    return sheets_of(echelon.read(folder), families()["ordering"], {})


def edited(sheets: Sheets, **edit: Any) -> Sheets:
    return apply(parse_edits([edit], "test"), sheets, "test")


def demand(sheets: Sheets) -> list[float]:
    return sheets.tables["demand"]["quantity"].tolist()


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        ({"scale": 2}, [40, 60, 50, 20, 80]),
        ({"add": -1}, [19, 29, 24, 9, 39]),
        ({"set": 7}, [7, 7, 7, 7, 7]),
        ({"scale": 2, "where": {"item": "A"}}, [40, 60, 50, 20, 40]),
        ({"scale": 2, "where": {"item": "A", "site": "SHOP"}}, [20, 30, 25, 20, 40]),
        ({"scale": 2, "where": {"period": ["W1", "W4"]}}, [40, 30, 50, 10, 40]),
        ({"add": 5, "where": {"quantity": {">": 20, "<=": 30}}}, [20, 35, 30, 10, 40]),
        ({"set": 0, "where": {"period": {">=": "W2", "!=": "W4"}}}, [20, 0, 25, 0, 0]),
        ({"set": 0, "where": {"item": {"!=": "A"}}}, [20, 30, 25, 10, 0]),
        ({"set": 0, "where": {"quantity": {"<": 20}}}, [20, 30, 25, 0, 40]),
    ],
)
def test_cells_are_changed_where_the_filter_says(sheets: Sheets, edit: dict[str, Any], expected: list[float]) -> None:
    """Each operation and each comparison, on the five rows of demand (20, 30, 25, 10 of A; 40 of B)."""
    assert demand(edited(sheets, table="demand", column="quantity", **edit)) == expected
    assert demand(sheets) == [20, 30, 25, 10, 40], "the case itself stays as it is"


def test_rows_are_dropped_and_appended(sheets: Sheets) -> None:
    """What an appended row leaves out takes the column's default, as in a file."""
    fewer = edited(sheets, table="demand", where={"item": "A"}, drop=True)
    assert fewer.tables["demand"]["item"].tolist() == ["B"]
    none = edited(sheets, table="budgets", drop=True)
    assert none.tables["budgets"].empty
    more = edited(sheets, table="demand", append=[{"item": "B", "period": "W4", "quantity": 3}])
    last = more.tables["demand"].iloc[-1]
    assert (last["item"], last["site"], last["quantity"], last["status"]) == ("B", "MAIN", 3.0, "include")
    assert len(more.tables["demand"]) == 6


def test_a_table_that_the_case_lacks_can_be_started(sheets: Sheets) -> None:
    """A scenario may bring a rule that the case does not have."""
    lean = Sheets({k: v for k, v in sheets.tables.items() if k != "storage"}, {}, sheets.inputs, sheets.declared)
    after = edited(lean, table="storage", append=[{"site": "MAIN", "capacity": 10}])
    assert after.tables["storage"]["capacity"].tolist() == [10.0]


def test_blank_cells_are_found_and_stay_blank_when_scaled(sheets: Sheets) -> None:
    """A blank cell means a default: scaling it would make something else of it, so only `set` fills it."""
    scaled = edited(sheets, table="offers", column="maximum", scale=0.5).tables["offers"]["maximum"]
    assert scaled.tolist()[0] == 100.0 and scaled.isna().tolist() == [False, True, True]
    filled = edited(sheets, table="offers", column="maximum", set=30, where={"maximum": ""}).tables["offers"]["maximum"]
    assert filled.tolist() == [200.0, 30.0, 30.0]
    blanked = edited(sheets, table="offers", column="maximum", set="").tables["offers"]["maximum"]
    assert blanked.isna().all()


def test_options_are_edited_like_a_table_of_one_row(sheets: Sheets) -> None:
    """The default counts where case.toml says nothing."""
    assert edited(sheets, table="options", column="holding_rate", scale=2).options["holding_rate"] == pytest.approx(0.4)
    assert edited(sheets, table="options", column="shortage_policy", set="lost").options["shortage_policy"] == "lost"


def test_edits_follow_one_another(sheets: Sheets) -> None:
    """The second sees what the first left."""
    edits = parse_edits(
        [
            {"table": "demand", "column": "quantity", "set": 10},
            {"table": "demand", "column": "quantity", "where": {"quantity": 10, "item": "B"}, "scale": 3},
        ],
        "test",
    )
    assert demand(apply(edits, sheets, "test")) == [10, 10, 10, 10, 30]


def test_types_stay_those_of_the_declaration(sheets: Sheets) -> None:
    """A scenario without a real change must have the fingerprint of the case: types would give it another."""
    for edit in (
        {"table": "offers", "column": "lead_time", "scale": 1},
        {"table": "offers", "column": "price", "set": 9},
        {"table": "budgets", "column": "carry_over", "set": True},
    ):
        before, after = sheets.tables[str(edit["table"])], edited(sheets, **edit).tables[str(edit["table"])]
        assert (before.dtypes == after.dtypes).all(), edit


@pytest.mark.parametrize(
    ("table", "where", "rows"),
    [
        ("budgets", {"carry_over": True}, [0]),
        ("budgets", {"carry_over": "false"}, [1]),
        ("budgets", {"department": ""}, [1]),
        ("budgets", {"period": {"!=": ""}}, [1]),
        ("offers", {"lead_time": {">": 0.5}}, [1]),
        ("offers", {"lead_time": {"<": 0.5}}, [0, 2]),
        ("offers", {"maximum": {"!=": 5}}, [0, 1, 2]),
        ("offers", {"multiple": {">=": 5}}, [0]),
        ("periods", {"start": {">=": "2026-01-19"}}, [2, 3]),
        ("periods", {"start": date(2026, 1, 5)}, [0]),
        ("periods", {"days": "7", "period": ["W1", "W2", "nowhere"]}, [0, 1]),
    ],
)
def test_conditions_are_read_as_the_columns_type(
    sheets: Sheets, table: str, where: dict[str, Any], rows: list[int]
) -> None:
    """Numbers, dates, truth and text compare as such, also where a command line gives them as text."""
    kept = edited(sheets, table=table, where=where, drop=True).tables[table]
    everything = sheets.tables[table]
    assert [n for n, row in enumerate(everything.index) if row not in kept.index] == rows


WRONG = [
    ({"table": "demnd", "drop": True}, "no such table", "demand"),
    ({"table": "demand", "column": "quantty", "scale": 2}, "no such column", "quantity"),
    ({"table": "demand", "where": {"itm": "A"}, "drop": True}, "no such column", "item"),
    ({"table": "demand", "where": {"item": "Z"}, "drop": True}, "finds no row", "if_any"),
    ({"table": "demand", "column": "item", "scale": 2}, "only numbers can be scaled", "set"),
    ({"table": "periods", "column": "start", "add": 1}, "only numbers can be added to", "set"),
    ({"table": "offers", "column": "multiple", "scale": 2, "where": {"supplier": "BOLT"}}, "cells are blank", "set"),
    ({"table": "demand", "column": "quantity", "set": "many"}, "is not a number", "Quantity"),
    ({"table": "demand", "column": "quantity", "scale": -1}, "must be at least 0", "Quantity"),
    ({"table": "offers", "column": "lead_time", "add": 0.5}, "is not a whole number", "Periods"),
    ({"table": "shortages", "column": "policy", "set": "never"}, "must be 'backorder'", "backorder"),
    ({"table": "demand", "column": "quantity", "set": ""}, "the cell is blank", "Fill"),
    ({"table": "demand", "append": [{"item": "A"}]}, "required and missing", "Add"),
    ({"table": "demand", "append": [{"item": "A", "colour": "red"}]}, "no such column", "Known"),
    ({"table": "demand", "where": {"quantity": {"~": 3}}, "drop": True}, "no comparison", "Write one of"),
    ({"table": "demand", "where": {"quantity": "much"}, "drop": True}, "is not a number", "where"),
    ({"table": "budgets", "where": {"carry_over": "perhaps"}, "drop": True}, "is not true or false", "where"),
    ({"table": "periods", "where": {"start": 5}, "drop": True}, "is not a date", "where"),
    ({"table": "shortages", "where": {"policy": "never"}, "drop": True}, "can never be found", "backorder"),
    ({"table": "options", "column": "holding", "set": 1}, "no such option", "holding_rate"),
    ({"table": "options", "column": "holding_rate", "set": -1}, "must be at least 0", "holding"),
    ({"table": "options", "column": "shortage_policy", "scale": 2}, "not a number", "set"),
    ({"table": "options", "drop": True}, "one row", "column"),
    ({"table": "demand"}, "does not say what", "Write one of"),
    ({"table": "demand", "column": "quantity", "set": 1, "add": 1}, "at once", "Write one of"),
    ({"table": "demand", "scale": 2}, "names no column", "column"),
    ({"table": "demand", "column": "quantity", "drop": True}, "whole rows", "none"),
    ({"table": "demand", "append": [{"item": "A"}], "where": {"item": "A"}}, "append finds no rows", "where"),
    ({"table": "demand", "colum": "quantity", "set": 1}, "no such option", "column"),
    ({"column": "quantity", "set": 1}, "Field required", "table"),
    ({"table": "demand", "column": "quantity", "scale": "double"}, "is not a number", "number"),
]


@pytest.mark.parametrize(("edit", "rule", "remedy"), WRONG, ids=lambda v: str(v)[:50])
def test_a_wrong_edit_is_told(sheets: Sheets, edit: dict[str, Any], rule: str, remedy: str) -> None:
    """Each mistake is named with what to do instead; nothing is ignored in silence."""
    with pytest.raises(InputError) as caught:
        edited(sheets, **edit)
    finding = caught.value.findings[0]
    assert rule in finding.rule and remedy in finding.remedy, str(finding)
    assert finding.table == "test, edit 1"


def test_all_wrong_edits_are_told_at_once(sheets: Sheets) -> None:
    """Who mends a file wants to mend it once."""
    wrong = [
        {"table": "demnd", "drop": True},
        {"table": "demand", "column": "quantity", "scale": 2},
        {"table": "offers", "column": "prce", "set": 1},
    ]
    with pytest.raises(InputError) as caught:
        apply(parse_edits(wrong, "test"), sheets, "test")
    assert [f.table for f in caught.value.findings] == ["test, edit 1", "test, edit 3"]


def test_if_any_allows_that_nothing_is_found(sheets: Sheets) -> None:
    """For edits that fit many cases: what is not there need not be changed."""
    for edit in (
        {"table": "demand", "where": {"item": "Z"}, "drop": True},
        {"table": "offers", "column": "multiple", "scale": 2, "where": {"supplier": "BOLT"}},
    ):
        after = edited(sheets, **edit, if_any=True)
        for name, frame in sheets.tables.items():
            pd.testing.assert_frame_equal(after.tables[name], frame)


def test_an_edit_says_in_words_what_it_does() -> None:
    """The words go to the study's record, where people read them."""
    edit = Edit(table="budgets", column="amount", scale=0.9, where={"department": "Tools", "period": {">=": "W2"}})
    assert edit.words == "budgets.amount x 0.9 where department = Tools and period >= W2"


def scenarios(folder: Path, text: str) -> Path:
    path = folder / "s.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_scenarios_inherit_whatever_their_order(tmp_path: Path) -> None:
    """A scenario may go on from one that stands below it."""
    text = '[[scenario]]\nname = "c"\nfrom = "b"\n[[scenario]]\nname = "b"\nfrom = "a"\n[[scenario]]\nname = "a"\n'
    found = read_scenarios(scenarios(tmp_path, text))
    assert [s.name for s in found] == ["c", "b", "a"]
    assert [[s.name for s in wave] for wave in waves(found)] == [["a"], ["b"], ["c"]]


BAD_FILES = [
    ("[[scenario", "not valid TOML"),
    ("", "not a list of scenarios"),
    ("[scenario]\nname = 'a'\n", "not a list of scenarios"),
    ("[[scenario]]\nname = 'a'\n[other]\nx = 1\n", "not a list of scenarios"),
    ("[[scenario]]\nedits = []\n", "has no name"),
    ("[[scenario]]\nname = 3\n", "has no name"),
    ("[[scenario]]\nname = 'a'\n[[scenario]]\nname = 'a'\n", "stands twice"),
    ("[[scenario]]\nname = 'a'\nfrom = 'b'\n", "no such scenario"),
    ("[[scenario]]\nname = 'a'\nfrom = 'a'\n", "goes on from itself"),
    ("[[scenario]]\nname = 'a'\nfrom = 'b'\n[[scenario]]\nname = 'b'\nfrom = 'a'\n", "goes on from itself"),
    ("[[scenario]]\nname = 'a'\nfrom = 1\n", "is not a name"),
    ("[[scenario]]\nname = 'a'\nedit = []\n", "no such entry"),
    ("[[scenario]]\nname = 'a'\nedits = 3\n", "edits is not a list"),
    ("[[scenario]]\nname = 'a'\nedits = [3]\n", "is not a table"),
    ("scenario = [3]\n", "is not a table"),
]


@pytest.mark.parametrize(("text", "rule"), BAD_FILES)
def test_a_wrong_file_is_told(tmp_path: Path, text: str, rule: str) -> None:
    """The form of the file is judged before any case is looked at."""
    with pytest.raises(InputError) as caught:
        read_scenarios(scenarios(tmp_path, text))
    assert any(rule in finding.rule for finding in caught.value.findings), caught.value
    assert all(finding.remedy for finding in caught.value.findings)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_scenarios(tmp_path / "none.toml")
