"""Bad input is the normal case: whatever is wrong, the answer is findings that name it, never a traceback."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import echelon
from echelon.validate import SHOWN

from .bad_cases import BAD, DOUBTFUL, Bad, bad, fits, table
from .cases import FULL, SMALL, ended_well, small_frames, write, write_frames
from .cases import echelon as cli


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_bad_input_is_named(tmp_path: Path, case: Bad) -> None:
    """Each finding says table, spreadsheet row, column, value, rule and remedy, and there are no others; the command
    line prints them all, ends with 2, shows no traceback and writes nothing."""
    folder = case.write(tmp_path / "case")
    with pytest.raises(echelon.InputError) as caught:
        echelon.solve(folder, options=case.options, explain="off")
    shown = [str(f) for f in caught.value.findings if f.severity == "error"]
    for pattern in case.expected:
        assert sum(fits(line, pattern) for line in shown) == 1, f"{pattern!r} is not among\n" + "\n".join(shown)
    assert len(shown) == len(case.expected), "\n".join(shown)
    assert all(f.remedy for f in caught.value.findings)

    result = cli("solve", folder, "--out", tmp_path / "runs", *(f"--set={pair}" for pair in case.sets))
    assert ended_well(result), result.exception
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr and result.stdout == ""
    assert all(line in result.stderr for line in shown)
    assert f"{len(shown)} error" in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("case", DOUBTFUL, ids=lambda case: case.name)
def test_doubtful_input_is_told_and_planned(tmp_path: Path, case: Bad) -> None:
    """A warning is for the analyst to judge: it is shown and stored, and the plan is made."""
    result = cli("solve", case.write(tmp_path / "case"), "--out", tmp_path, *(f"--set={pair}" for pair in case.sets))
    assert result.exit_code == 0, result.stderr
    (folder,) = tmp_path.glob("case-ordering-*")
    (finding,) = echelon.Run.load(folder).findings
    assert finding.severity == "warning"
    assert fits(str(finding), case.expected[0]), str(finding)
    assert str(finding) in result.stderr and "0 errors, 1 warning" in result.stderr


def findings_of(source: Any, family: str | None = "ordering") -> list[echelon.Finding]:
    with pytest.raises(echelon.InputError) as caught:
        echelon.check(source, family)
    return caught.value.findings


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    """Unpacking an archive can leave a folder demand.csv/ with the file in it."""
    case = write(tmp_path / "case", SMALL | {"demand": ""})
    (case / "demand.csv").unlink()
    (case / "demand.csv").mkdir()
    (finding,) = findings_of(case)
    assert (finding.table, finding.value) == ("demand", "demand.csv")
    assert "a folder stands" in finding.rule


@pytest.mark.parametrize(
    "source",
    ["nowhere", "", "a\0b", "x" * 5000, "foo://x", "://", "http://example.com/case", "sqlite:///none.db", "sqlite://",
     "postgresql://user:hush@localhost:port/plan", "mssql+nothere://user:hush@host/plan"],
    ids=lambda source: ascii(source[:30]),
)  # fmt: skip
def test_a_source_that_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Whatever is named as a case, the answer is a finding that repeats no password, and nothing appears on disk."""
    monkeypatch.chdir(tmp_path)
    findings = findings_of(source)
    assert all(f.remedy for f in findings)
    assert not any("hush" in str(f) for f in findings)
    result = cli("solve", source, "--family", "ordering")
    assert ended_well(result) and result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["case.xlsx", "case.xls", "case.ods", "case.db", "case.txt", "case.csv"])
@pytest.mark.parametrize("content", [b"", b"garbage" * 100, b"PK\x03\x04" + b"\0" * 100], ids=["empty", "text", "zip"])
def test_a_file_that_is_no_case(tmp_path: Path, name: str, content: bytes) -> None:
    """A broken workbook or database is a finding, whatever its reader makes of it."""
    path = tmp_path / name
    path.write_bytes(content)
    for source in [path, f"sqlite:///{path}"] if name == "case.db" else [path]:
        findings = findings_of(source)
        assert findings[0].table in ("case", "items")
        assert all(f.remedy for f in findings)


def bomb(path: Path, claimed: int) -> None:
    """A small zip whose directory claims that its one member unpacks to `claimed` bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"\0" * 100_000)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # the central directory's entry; the size stands 24 bytes in
    struct.pack_into("<I", data, entry + 24, claimed)
    path.write_bytes(data)


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A workbook of a few kilobytes that unpacks to gigabytes must be refused before it eats the memory."""
    bomb(tmp_path / "case.xlsx", 2_500_000_000)
    (finding,) = findings_of(tmp_path / "case.xlsx")
    assert "2.5 GB" in finding.rule and finding.value == "case.xlsx"


def test_many_small_bombs_count_together(tmp_path: Path) -> None:
    """Splitting the zeros over many members must not help."""
    with zipfile.ZipFile(tmp_path / "case.xlsx", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for n in range(11):
            with archive.open(f"xl/worksheets/sheet{n}.xml", "w") as member:
                for _ in range(10):
                    member.write(bytes(10_000_000))
    (finding,) = findings_of(tmp_path / "case.xlsx")
    assert "1.1 GB" in finding.rule


def test_a_workbooks_findings_name_its_own_rows(tmp_path: Path) -> None:
    """Blank rows are skipped and still counted, so that the row in a finding is the row on the screen."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in {
        "items": [["item"], ["A"]],
        "offers": [["supplier", "item", "price"], ["ACME", "A", 2.0]],
        "demand": [["item", "period", "quantity"], [], ["A", "2026-01-05", 10], [], ["A", "2026-01-12", "x"]],
    }.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book["items"]["C9"] = "stray"
    book.save(tmp_path / "case.xlsx")
    findings = findings_of(tmp_path / "case.xlsx")
    assert [(f.table, f.row, f.column, f.value) for f in findings if f.table == "demand"] == [
        ("demand", 5, "quantity", "x")
    ]
    assert "items: a column has cells but no name" in str(findings[0])


def test_a_workbook_with_a_column_twice(tmp_path: Path) -> None:
    """The reader must not rename the second one and call that unknown."""
    frames = small_frames()
    frames["items"] = pd.concat([frames["items"], frames["items"]], axis=1)
    with pd.ExcelWriter(tmp_path / "case.xlsx") as workbook:
        for name, frame in frames.items():
            frame.to_excel(workbook, sheet_name=name, index=False)
    (finding,) = findings_of(tmp_path / "case.xlsx")
    assert (finding.table, finding.column, finding.rule) == ("items", "item", "the column stands twice")


def test_ten_mistakes_in_ten_tables_are_told_at_once(tmp_path: Path) -> None:
    """Correcting one finding only to be shown the next is how an afternoon goes."""
    wrong = (
        {"items": FULL["items"] + "C,Tools,-1,0\n"}
        | table("suppliers", "ACME,20", "BOLT,free")
        | {"demand": FULL["demand"] + "B,MAIN,W2,50\n"}
        | table("stock", "A,MIAN,15")
        | {"receipts": FULL["receipts"].replace("W2", "")}
        | {"safety_stock": "item,site,period,quantity,shortfal_cost\nA,MAIN,,5,1\n"}
        | table("budgets", "Tools,,600,perhaps")
        | {"storage": "site,period\nMAIN,\n"}
        | {"supplier_capacity": ""}
        | {"shortage": FULL["shortages"], "shortages": None}
    )
    findings = findings_of(bad(FULL, "ten", wrong).write(tmp_path / "case"))
    assert {f.table for f in findings} == {
        "items", "suppliers", "demand", "stock", "receipts", "safety_stock", "budgets", "storage",
        "supplier_capacity", "shortage",
    }  # fmt: skip
    assert len(findings) == 10, "\n".join(map(str, findings))


def test_mass_errors_are_counted_not_listed(tmp_path: Path) -> None:
    """A column that is wrong throughout gives a screenful and a count, not a hundred thousand lines."""
    rows = 100_000
    frames = small_frames()
    frames["demand"] = pd.DataFrame({"item": "B", "period": [f"W{n}" for n in range(rows)], "quantity": "-1"})
    frames["offers"] = pd.DataFrame({"supplier": "ACME", "item": "A", "price": "x" * 20}, index=range(rows))
    findings = findings_of(frames)
    kinds = {(f.table, f.column) for f in findings}
    assert kinds == {
        ("demand", "quantity"),
        ("demand", "item"),
        ("offers", "price"),
        ("offers", "supplier, item, site"),
    }
    assert len(findings) == len(kinds) * (SHOWN + 1)
    for table_, column in kinds:
        *shown, rest = [f for f in findings if (f.table, f.column) == (table_, column)]
        assert [f.row for f in shown] == sorted(f.row for f in shown)  # type: ignore[type-var]
        count = rows - SHOWN - (column == "supplier, item, site")
        assert rest.row is None and f"{count:,} more" in rest.rule


def test_mass_errors_among_many_names() -> None:
    """Guessing what was meant takes long among many names: it is done only for the findings that are shown."""
    names = [f"ITEM-{n:06d}" for n in range(2_000)]
    frames = small_frames()
    frames["items"] = pd.DataFrame({"item": names})
    frames["offers"] = pd.DataFrame({"supplier": "ACME", "item": names, "price": 1.0})
    frames["demand"] = pd.DataFrame(
        {"item": [f"ITEM-X{n}" for n in range(50_000)], "period": "2026-01-05", "quantity": 1.0}
    )
    findings = findings_of(frames)
    assert len(findings) == SHOWN + 1
    assert all("Did you mean 'ITEM-" in f.remedy for f in findings[:SHOWN])


def test_mass_errors_on_the_command_line(tmp_path: Path) -> None:
    """The same through the command line: bounded output, and the count of errors says how many lines there are."""
    case = write_frames(tmp_path / "case", small_frames())
    (case / "demand.csv").write_text("item,period,quantity\n" + "".join(f"B,W{n},10\n" for n in range(1000)))
    result = cli("validate", case)
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) < 100
    assert "980 more" in result.stderr


# Whatever a column of numbers can hold, a plan or a documented error must come of it.
SLOWLY = ["5e-324", "1e-320", "1e15", "1e20", "123456789.123456789", "0"]
EXTREMES = ["1e308", *(pytest.param(value, marks=pytest.mark.slow) for value in SLOWLY)]
EXTREME_PLACES = [
    *(("offers", name) for name in ("price", "line_cost", "minimum", "multiple", "maximum", "hours_per_order")),
    *(("items", name) for name in ("value", "holding_rate", "volume")),
    ("demand", "quantity"), ("stock", "quantity"), ("receipts", "quantity"), ("safety_stock", "quantity"),
    ("pinned_orders", "quantity"), ("price_breaks", "from_quantity"), ("suppliers", "order_cost"), ("lanes", "cost"),
    ("budgets", "amount"), ("budgets", "excess_cost"), ("storage", "capacity"), ("supplier_capacity", "capacity"),
    ("shortages", "lost_cost"), ("offers", "lead_time"), ("lanes", "lead_time"), ("periods", "days"),
]  # fmt: skip


def extreme_case(table_: str, column: str, value: str) -> dict[str, pd.DataFrame]:
    """The small case with one more table, and `value` in one of its columns."""
    frames = small_frames()
    place = {"item": ["A"], "site": ["MAIN"]}
    first = {"period": ["2026-01-05"]}
    more: dict[str, dict[str, list[Any]]] = {
        "stock": place,
        "receipts": place | first,
        "safety_stock": place,
        "pinned_orders": {"supplier": ["ACME"], **place, **first},
        "price_breaks": {"supplier": ["ACME"], **place, "price": [1.0]},
        "suppliers": {"supplier": ["ACME"]},
        "lanes": {"from_site": ["MAIN"], "to_site": ["SHOP"]},
        "budgets": {"department": [""], "amount": [50.0]},
        "storage": {"site": ["MAIN"]},
        "supplier_capacity": {"supplier": ["ACME"]},
        "shortages": {"item": ["A"], "policy": ["lost"]},
        "periods": {"period": ["2026-01-05"], "start": ["2026-01-05"]},
    }
    if table_ in more:
        frames[table_] = pd.DataFrame(more[table_])
    if table_ == "periods":
        frames["demand"] = frames["demand"].iloc[:1]
    if (table_, column) == ("items", "volume"):
        frames["storage"] = pd.DataFrame({"site": ["MAIN"], "capacity": [1.0]})
    if table_ == "lanes":
        frames["demand"]["site"] = "SHOP"
    frames[table_][column] = value
    return frames


@pytest.mark.parametrize("value", ["1e308", "5e-324"])
def test_extreme_numbers_all_at_once(tmp_path: Path, value: str) -> None:
    """Where everything is extreme, infinities meet zeros: what is not a number must not reach the solver."""
    frames: dict[str, pd.DataFrame] = {}
    for table_, column in EXTREME_PLACES:
        if column not in ("lead_time", "days", "minimum", "multiple"):
            for name, frame in extreme_case(table_, column, value).items():
                frames[name] = frames[name].assign(**{column: value}) if name == table_ and name in frames else frame
    frames["demand"] = small_frames()["demand"].assign(quantity=value)
    result = cli("solve", write_frames(tmp_path / "case", frames), "--family", "ordering", "--out", tmp_path / "runs")
    assert ended_well(result), f"{type(result.exception).__name__}: {result.exception}"


@pytest.mark.parametrize(
    ("table_", "column"), [("offers", "lead_time"), ("lanes", "lead_time"), ("periods", "days")], ids=str
)
@pytest.mark.parametrize("value", ["40000", "1000000000000", "9007199254740992"])
def test_extreme_durations_give_a_plan_or_a_documented_error(table_: str, column: str, value: str) -> None:
    """A date or period far beyond any calendar must not overflow."""
    try:
        assert echelon.solve(extreme_case(table_, column, value), "ordering", explain="off").outcome.has_plan
    except echelon.EchelonError:
        assert table_ != "offers", "an offer that arrives too late is doubtful, not wrong"


@pytest.mark.parametrize(
    "days", [["0001-01-01", "0001-01-08"], ["9999-12-24", "9999-12-31"], ["2026-02-28", "2026-03-01"]]
)
def test_periods_at_the_ends_of_the_calendar(days: list[str]) -> None:
    """Dates that a calendar has are dates."""
    frames = small_frames()
    frames["demand"] = pd.DataFrame({"item": "A", "period": days, "quantity": 10.0})
    assert echelon.solve(frames, "ordering", explain="off").plan["inventory"]["period"].tolist() == days


@pytest.mark.parametrize("value", EXTREMES)
@pytest.mark.parametrize(("table_", "column"), EXTREME_PLACES)
def test_extreme_numbers_give_a_plan_or_a_documented_error(
    tmp_path: Path, table_: str, column: str, value: str
) -> None:
    """A figure that slipped by twelve digits must not end in a traceback, nor in a plan that the run folder cannot
    hold; that the plan is right is the recheck's business."""
    case = write_frames(tmp_path / "case", extreme_case(table_, column, value))
    result = cli("solve", case, "--family", "ordering", "--out", tmp_path / "runs", "--time-limit", "5")
    assert ended_well(result), f"{type(result.exception).__name__}: {result.exception}"
    assert result.exit_code in (0, 2, 3, 4, 5)
    assert (result.exit_code == 0) == bool(list((tmp_path / "runs").glob("*/run.json")))
