"""Tables come in from many kinds of files and go out to spreadsheets: what is written must come back the same."""

from __future__ import annotations

import io
import tempfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy
from hypothesis import example, given, settings
from hypothesis import strategies as st

import echelon
from echelon.tables import FORMULA_STARTS, read, write_csv

from .cases import FULL, SMALL, small_frames, write

TYPES = {
    "items": {"value": float, "volume": float},
    "suppliers": {"order_cost": float},
    "periods": {"start": "datetime64[us]", "days": int},
    "offers": {
        "price": float,
        "line_cost": float,
        "lead_time": int,
        "minimum": float,
        "multiple": float,
        "maximum": float,
    },
    "demand": {"quantity": float},
}

# Identifiers as people write them, most of them a trap for some reader.
IDS = [
    "00123", "NA", "N/A", "None", "null", "NaN", "nan", "inf", "-", "True", "1e5", "1.0", "0x1F", "2026-01-05",
    " leading", "trailing ", "in the middle", "=1+1", "+49", "-5", "@home", "'quoted", "'=x", "''=x", "'", "''",
    'say "when"', '"', '""', "a,b", "a;b", "a\tb", "\ttab", "two\nlines", "\n", "a\rb", "\rx", "a\r\nb", "ü", "日本語",
    "😀", "\u2028", "\x0b", "\ufeffbom", "\\n", "#REF!", "x" * 10_000,
]  # fmt: skip


def round_trip(frame: pd.DataFrame) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        write_csv(frame, Path(folder) / "table.csv")
        case = read(folder)
    assert not case.findings
    return case.tables["table"]


def typed_full() -> dict[str, pd.DataFrame]:
    """The full case as a program would hold it: numbers as numbers, dates as dates, blanks as missing."""
    frames = {}
    for name, text in FULL.items():
        frame = pd.read_csv(io.StringIO(text), dtype="str", keep_default_na=True)
        frames[name] = frame.astype({c: t for c, t in TYPES.get(name, {}).items() if c in frame})
    return frames


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), min_size=1))
@example(IDS)
def test_text_comes_back_from_csv_as_it_was(texts: list[str]) -> None:
    """Identifiers are text: whatever a planning system calls an item, the plan must call it the same."""
    back = round_trip(pd.DataFrame({"item": texts, "n": range(len(texts))}))
    assert back["item"].tolist() == texts
    assert back["n"].tolist() == [str(n) for n in range(len(texts))]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
@example([1e308, 5e-324, -0.0, 0.1 + 0.2, 1e16, 123456789.123456789])
def test_numbers_come_back_from_csv_exactly(numbers: list[float]) -> None:
    """A plan's figures must not change by being written: all digits that tell two floats apart are kept."""
    assert [float(text) for text in round_trip(pd.DataFrame({"n": numbers}))["n"]] == numbers


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_text_that_a_spreadsheet_would_run_is_guarded(start: str) -> None:
    """An item named =HYPERLINK(...) in a plan must not become a formula on the buyer's desk."""
    text = io.StringIO()
    write_csv(pd.DataFrame({"item": [f"{start}cmd|' /C calc'!A0", "plain"], "n": [-1, -2]}), text)
    rows = text.getvalue().splitlines()
    assert rows[1].lstrip('"').startswith("'")
    assert "\nplain,-2\n" in text.getvalue() or '\n"plain",-2\n' in text.getvalue(), "numbers are not guarded"


def test_dates_are_written_as_dates() -> None:
    """A date is a day, not a midnight."""
    text = io.StringIO()
    write_csv(pd.DataFrame({"day": pd.to_datetime(["2026-01-05", None])}), text)
    assert text.getvalue() == 'day\n2026-01-05\n""\n'


def test_writing_leaves_the_frame_alone() -> None:
    """A caller's frame is the caller's: the guard must not stay in it."""
    frame = pd.DataFrame({"item": ["=x"]})
    write_csv(frame, io.StringIO())
    assert frame["item"].tolist() == ["=x"]


def case_of(names: list[str]) -> dict[str, pd.DataFrame]:
    """A case in which every name is an item, a supplier and a department."""
    return {
        "items": pd.DataFrame({"item": names, "department": names}),
        "offers": pd.DataFrame({"supplier": names, "item": names, "price": 2.0}),
        "demand": pd.DataFrame({"item": names, "period": "2026-01-05", "quantity": 10.0}),
        "budgets": pd.DataFrame({"department": names, "amount": 1000.0}),
    }


def test_identifiers_survive_the_whole_way(tmp_path: Path) -> None:
    """From frames through validation, model, plan and run folder, and back from there, identifiers stay unchanged."""
    run = echelon.solve(case_of(IDS), "ordering")
    folder = run.save(tmp_path)
    for plan in (run.plan, echelon.Run.load(folder).plan, read(folder / "results").tables):
        assert set(plan["orders"]["item"]) == set(plan["orders"]["supplier"]) == set(IDS)
        assert set(plan["inventory"]["item"]) == set(plan["limits"]["name"]) == set(IDS)


def test_identifiers_in_csv_files_survive_the_whole_way(tmp_path: Path) -> None:
    """As above, from a case folder: the writer's guard against formulas is undone by the reader."""
    for table, frame in case_of(IDS).items():
        write_csv(frame, tmp_path / f"{table}.csv")
    orders = echelon.solve(tmp_path, "ordering").plan["orders"]
    assert set(orders["item"]) == set(orders["supplier"]) == set(orders["department"]) == set(IDS)


def as_csv(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    return write(folder, FULL)


def as_written_csv(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    folder.mkdir()
    for name, frame in frames.items():
        write_csv(frame, folder / f"{name}.csv")
    return folder


def as_bom_and_crlf(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    return write(folder, {name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() for name, text in FULL.items()})


def as_old_mac(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    return write(folder, {name: text.replace("\n", "\r") for name, text in FULL.items()})


def as_tabs(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    return write(folder, {name: text.replace(",", "\t") for name, text in FULL.items()})


def as_decimal_commas(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    return write(folder, {name: text.replace(",", ";").replace(".", ",") for name, text in FULL.items()})


def as_quoted(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    quoted = {
        n: "\n".join('"' + line.replace(",", '","') + '"' for line in t.split("\n")[:-1]) for n, t in FULL.items()
    }
    return write(folder, quoted)


def as_blank_lines_and_cells(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    blank = {name: "\n" + "," * (1 + text.split("\n")[0].count(",")) + "\n\n" for name, text in FULL.items()}
    return write(folder, {name: text.replace("\n", ",\n") + blank[name] for name, text in FULL.items()})


def as_parquet(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    folder.mkdir()
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def as_half_and_half(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    as_parquet(folder, {name: frame for name, frame in frames.items() if name < "lanes"})
    return write(folder, {name: text for name, text in FULL.items() if name >= "lanes"})


def as_workbook(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    folder.mkdir()
    with pd.ExcelWriter(folder / "case.xlsx") as workbook:
        for name, frame in frames.items():
            frame.to_excel(workbook, sheet_name=name, index=False)
        pd.DataFrame().to_excel(workbook, sheet_name="Sheet9")
    return folder / "case.xlsx"


def as_text_workbook(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    texts = {name: pd.read_csv(io.StringIO(t), dtype="str", keep_default_na=False) for name, t in FULL.items()}
    return as_workbook(folder, texts)


def as_database(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    folder.mkdir()
    url = f"sqlite:///{folder}/case.db"
    engine = sqlalchemy.create_engine(url)
    for name, frame in frames.items():
        frame.to_sql(name, engine, index=False)
    pd.DataFrame({"x": [1]}).to_sql("somebody_elses_table", engine, index=False)
    engine.dispose()
    return url


def as_frames(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    return frames


def as_odd_frames(folder: Path, frames: dict[str, pd.DataFrame]) -> Any:
    """Indices of all kinds, categories, pyarrow and nullable types."""
    changed = {name: frame.set_index(np.arange(len(frame))[::-1] * 7) for name, frame in frames.items()}
    changed["items"] = changed["items"].astype({"item": "category", "value": "Float64"})
    changed["offers"] = changed["offers"].astype({"lead_time": "Int64", "price": object})
    changed["demand"] = changed["demand"].convert_dtypes(dtype_backend="pyarrow")
    changed["periods"]["start"] = changed["periods"]["start"].dt.date
    return changed


SOURCES = [
    as_csv, as_written_csv, as_bom_and_crlf, as_old_mac, as_tabs, as_decimal_commas, as_quoted,
    as_blank_lines_and_cells, as_parquet, as_half_and_half, as_workbook, as_text_workbook, as_database, as_frames,
    as_odd_frames,
]  # fmt: skip


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> echelon.Run:
    return echelon.solve(write(tmp_path_factory.mktemp("reference") / "case", FULL), "ordering", gap=0.0)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
def test_every_kind_of_source_gives_the_same_plan(tmp_path: Path, reference: echelon.Run, source: Any) -> None:
    """A case is its content, not its file format: the same rows have the same fingerprint and the same plan."""
    run = echelon.solve(source(tmp_path / "case", typed_full()), "ordering", gap=0.0)
    assert run.fingerprint == reference.fingerprint
    assert run.outcome.objective == reference.outcome.objective
    for name, frame in reference.plan.items():
        pd.testing.assert_frame_equal(run.plan[name], frame)


def test_a_changed_cell_changes_the_fingerprint() -> None:
    """The fingerprint says whether two runs planned the same case; a cell, a name or the order of rows tells."""
    cases = [small_frames() for _ in range(4)]
    cases[1]["demand"].loc[0, "quantity"] = 10.5
    cases[2]["items"]["description"] = "new"
    cases[3]["demand"] = cases[3]["demand"].iloc[::-1]
    assert len({echelon.solve(case, "ordering").fingerprint for case in cases}) == 4


def test_two_files_for_one_table_are_a_finding(tmp_path: Path) -> None:
    """Neither may win in silence."""
    case = write(tmp_path / "case", SMALL)
    small_frames()["demand"].to_parquet(case / "demand.parquet")
    with pytest.raises(echelon.InputError) as caught:
        echelon.check(case)
    (finding,) = caught.value.findings
    assert (finding.table, finding.value) == ("demand", "demand.parquet")
    assert "two files" in finding.rule


@pytest.mark.parametrize(
    "name", [".demand.csv", "._demand.csv", "~$demand.csv", "README.md", "demand.csv.bak", "make.py"]
)
def test_files_that_are_no_tables_are_left_alone(tmp_path: Path, name: str) -> None:
    """Office programs and file systems leave files of their own beside tables."""
    assert echelon.check(write(tmp_path / "case", SMALL | {name: b"\x00\xff"})) == []


def test_suffixes_may_be_in_capitals(tmp_path: Path) -> None:
    """Some systems export DEMAND tables as .CSV."""
    tables = {f"{name}.CSV": text for name, text in SMALL.items()}
    assert echelon.check(write(tmp_path / "case", tables)) == []


@pytest.mark.parametrize(
    "value", [date(2026, 1, 5), datetime(2026, 1, 5), pd.Timestamp("2026-01-05"), np.datetime64("2026-01-05")]
)
def test_a_date_in_a_text_column_is_its_name(value: Any) -> None:
    """Spreadsheets turn a typed 2026-01-05 into a date cell: as the name of a period it must still read 2026-01-05."""
    frames = small_frames()
    frames["demand"] = pd.DataFrame({"item": ["A"], "period": [value], "quantity": [1.0]})
    assert echelon.solve(frames, "ordering").plan["inventory"]["period"].tolist() == ["2026-01-05"]


@pytest.mark.parametrize(("value", "name"), [(4711, "4711"), (4711.0, "4711"), (1e300, str(int(1e300))), (0.5, "0.5")])
def test_a_number_in_a_text_column_is_its_name(value: float, name: str) -> None:
    """Item numbers are stored as numbers in workbooks: 4711.0 there is the item 4711."""
    frames = {table: frame.replace("A", value).infer_objects() for table, frame in small_frames().items()}
    assert set(echelon.solve(frames, "ordering").plan["inventory"]["item"]) == {name}


def test_a_whole_number_too_large_for_a_table_is_a_finding() -> None:
    """An int beyond 64 bits must not overflow in the machinery."""
    frames = small_frames()
    frames["offers"]["lead_time"] = ["99999999999999999999"]
    with pytest.raises(echelon.InputError) as caught:
        echelon.check(frames, "ordering")
    assert [(f.table, f.row, f.column) for f in caught.value.findings] == [("offers", 2, "lead_time")]


def test_the_callers_frames_stay_as_they_were() -> None:
    """A library that changes its caller's data cannot be trusted with it."""
    frames = typed_full()
    before = {name: frame.copy() for name, frame in frames.items()}
    echelon.solve(frames, "ordering")
    for name, frame in before.items():
        pd.testing.assert_frame_equal(frames[name], frame)


def test_settings_are_read(tmp_path: Path) -> None:
    """case.toml names the case, its family, its currency and its options; a BOM does not disturb."""
    toml = '\ufeffname = "Spring"\nfamily = "ordering"\ncurrency = "EUR"\n\n[options]\nholding_rate = 0.3\n'
    run = echelon.solve(write(tmp_path / "folder", SMALL, toml))
    assert (run.case, run.family, run.currency, run.options["holding_rate"]) == ("Spring", "ordering", "EUR", 0.3)


def test_options_given_go_before_those_of_the_case(tmp_path: Path) -> None:
    """What is said now counts more than what stands in the file."""
    case = write(tmp_path / "folder", SMALL, 'family = "ordering"\n[options]\nholding_rate = 0.3\n')
    assert echelon.solve(case, options={"holding_rate": 0.4}).options["holding_rate"] == 0.4


def test_reading_a_database_that_is_not_there_does_not_make_one(tmp_path: Path) -> None:
    """SQLite makes an empty file for a mistyped name; a reader must leave nothing behind."""
    with pytest.raises(echelon.InputError):
        echelon.read(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []


def test_a_database_view_is_a_table(tmp_path: Path) -> None:
    """Companies give planners views, not tables."""
    url = f"sqlite:///{tmp_path}/case.db"
    engine = sqlalchemy.create_engine(url)
    for name, frame in small_frames().items():
        frame.to_sql(f"erp_{name}", engine, index=False)
    with engine.begin() as connection:
        for name in small_frames():
            connection.exec_driver_sql(f"create view {name} as select * from erp_{name}")
    engine.dispose()
    assert echelon.check(url, "ordering") == []
