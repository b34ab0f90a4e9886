"""Read a case from a folder, a workbook, a database or data frames; write tables so that they come back the same."""

from __future__ import annotations

import csv
import io
import re
import tomllib
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from echelon.errors import Finding, InputError

Frames = dict[str, pd.DataFrame]

CASE_FILE = "case.toml"
WORKBOOKS = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
UNPACKED_LIMIT = 1_000_000_000  # bytes a workbook may unpack to; more is taken for a zip bomb
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet runs a text cell that begins with one of these


@dataclass
class Case:
    """The input tables of one business situation, as they were found: nothing is checked yet.

    `settings` is the content of `case.toml`: `name`, `description`, `family`, `currency`, `[options]`.
    `findings` are the tables that could not be read; validation reports them with all the others.
    """

    name: str
    tables: Frames
    settings: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read(source: str | Path | Mapping[str, pd.DataFrame], only: Collection[str] | None = None) -> Case:
    """Read a case.

    `source` is a folder of CSV or Parquet files, an Excel workbook (a sheet a table), an SQLAlchemy URL
    ("sqlite:///plan.db"), or a dict of data frames. From a database only the tables named in `only` are read.
    Raises InputError if there is no such source; a single table that cannot be read becomes a finding of the case.
    """
    if isinstance(source, Mapping):
        return Case("frames", {str(name): frame.copy(deep=False) for name, frame in source.items()})
    if "://" in str(source):
        return _read_database(str(source), only)
    path, rule = Path(source), "there is no such folder, workbook or database"
    try:
        if path.is_dir():
            return _read_folder(path)
        if path.is_file() and path.suffix.lower() in WORKBOOKS:
            return _read_workbook(path)
        if path.exists():
            rule = "this is not a case"
    except OSError as error:
        rule = f"the case cannot be read: {error.strerror or error}"
    remedy = "Name a folder of CSV or Parquet files, an Excel workbook, or an SQLAlchemy URL such as sqlite:///plan.db"
    raise InputError([_unreadable("case", rule, str(source), remedy)])


def write_csv(frame: pd.DataFrame, target: Path | TextIO) -> None:
    """Write a table as CSV (UTF-8) that a spreadsheet opens without running any text in it; `read` undoes the guard."""
    safe, quoting = frame.copy(deep=False), csv.QUOTE_MINIMAL
    for name in safe.select_dtypes(include=["object", "str"]).columns:
        text = safe[name].astype("str")
        if text.str.contains("\r", regex=False).any():
            quoting = csv.QUOTE_NONNUMERIC  # else a carriage return, which csv does not quote, would end the line
        risky = text.str.startswith(FORMULA_STARTS) | text.str.startswith("'")
        if risky.any():
            safe[name] = text.where(~risky, "'" + text)
    safe.to_csv(target, index=False, lineterminator="\n", date_format="%Y-%m-%d", quoting=quoting)


def _read_folder(folder: Path) -> Case:
    settings, findings = _read_settings(folder / CASE_FILE)
    case = Case(str(settings.get("name", folder.resolve().name)), {}, settings, findings)
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".csv", ".parquet") or path.name.startswith((".", "~$")):
            continue
        if path.stem in case.tables:
            case.findings.append(_unreadable(path.stem, "the table stands in two files", path.name, "Keep one of them"))
            continue
        try:
            case.tables[path.stem] = _read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
        except Exception as error:  # whatever a broken file makes a reader raise, the user gets a finding
            case.findings.append(_why_unreadable(error, path))
    return case


def _read_settings(path: Path) -> tuple[dict[str, Any], list[Finding]]:
    if not path.is_file():
        return {}, []
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        return {}, [_unreadable(CASE_FILE, "the file is not valid TOML", str(error), "Mend the line it names")]
    if isinstance(given := settings.get("options", {}), dict):
        return settings, []
    remedy = "Write a line [options], and below it one line NAME = VALUE for each"
    return settings | {"options": {}}, [_unreadable(CASE_FILE, "options is not a table of options", str(given), remedy)]


def _read_csv(path: Path) -> pd.DataFrame:
    """Every cell as text, exactly as it stands: "00123" stays "00123", "NA" stays "NA". A semicolon or tab separates
    as well as a comma; where a semicolon does, numbers may have a decimal comma."""
    if path.is_dir():
        raise IsADirectoryError(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        text = file.read()
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]
    separator = max(",;\t", key=header.count)
    rows = pd.read_csv(
        io.StringIO(text), sep=separator, header=None, dtype="str", na_filter=False, skip_blank_lines=False
    )
    frame = _with_header(rows)
    for name in frame.columns[~frame.columns.duplicated()]:
        cells = frame[name]
        if isinstance(cells, pd.Series) and (guarded := cells.str.match(r"'['=+\-@\t\r]")).any():
            frame[name] = cells.where(~guarded, cells.str[1:])
    frame.attrs["decimal"] = "," if separator == ";" else "."
    return frame


def _with_header(rows: pd.DataFrame) -> pd.DataFrame:
    """The table whose first row is its header; columns without a name and without any cell filled are left out."""
    if rows.empty:
        raise pd.errors.EmptyDataError
    names = ["" if pd.isna(name) else str(name).strip() for name in rows.iloc[0]]
    frame = rows.iloc[1:].set_axis(pd.Index(names), axis=1).reset_index(drop=True)
    return frame.loc[:, [name != "" or bool((frame.iloc[:, n] != "").any()) for n, name in enumerate(names)]]


def _read_workbook(path: Path) -> Case:
    remedy = "Save it again as a plain workbook, or as CSV files"
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > UNPACKED_LIMIT:
                rule = f"the workbook claims to unpack to {unpacked / 1e9:.1f} GB, over {UNPACKED_LIMIT / 1e9:.0f} GB"
                raise InputError(
                    [_unreadable("case", rule, path.name, "Split it, or give the tables as Parquet files")]
                )
        sheets = pd.read_excel(
            path, sheet_name=None, header=None, engine="calamine", keep_default_na=False, dtype=object
        )
    except InputError:
        raise
    except Exception as error:
        raise InputError([_unreadable("case", "the workbook cannot be read", str(error), remedy)]) from error
    return Case(path.stem, {str(name).strip(): _with_header(rows) for name, rows in sheets.items() if not rows.empty})


def _read_database(url: str, only: Collection[str] | None) -> Case:
    import sqlalchemy

    try:
        engine = sqlalchemy.create_engine(url)
        file = engine.url.database or ""
        if engine.url.get_backend_name() == "sqlite" and not (
            file in ("", ":memory:") or file.startswith("file:") or Path(file).exists()
        ):  # connecting would make an empty database there
            raise FileNotFoundError("there is no such file")
        try:
            with engine.connect() as connection:
                names = sqlalchemy.inspect(connection).get_table_names()
                names += sqlalchemy.inspect(connection).get_view_names()
                wanted = [name for name in names if only is None or name in only]
                tables = {name: pd.read_sql_table(name, connection) for name in wanted}
        finally:
            engine.dispose()
    except Exception as error:
        rule, remedy = "the database cannot be read", "Check the URL, its driver and your rights"
        raise InputError([_unreadable("case", rule, f"{type(error).__name__}: {error}", remedy)]) from error
    return Case(Path(file).stem or "database", tables)


def _why_unreadable(error: Exception, path: Path) -> Finding:
    """The finding, in words, for what a reader raised."""
    name, line = path.name, re.search(r"(?:in line|starting at row) (\d+)", str(error))
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return _unreadable(path.stem, "a folder stands where a file should be", name, "Put the table's file there")
    if isinstance(error, pd.errors.EmptyDataError | StopIteration):
        rule, remedy = "the file is empty, or its first line is", "Begin it with a header line, or remove the file"
        return _unreadable(path.stem, rule, name, remedy)
    if isinstance(error, UnicodeDecodeError):
        return _unreadable(path.stem, "the file is not UTF-8 text", name, "Save it as 'CSV UTF-8'")
    if isinstance(error, pd.errors.ParserError) and "EOF inside string" in str(error):
        row = int(line[1]) + 1 if line else None
        return Finding(path.stem, "a quotation mark is never closed", "Close it, or double it", row, value=name)
    if isinstance(error, pd.errors.ParserError):
        rule, row = "the line has more cells than the header", int(line[1]) if line else None
        return Finding(path.stem, rule, "Quote cells that hold a separator", row, value=name)
    return _unreadable(path.stem, "the file cannot be read", f"{name}: {error}", "Check that it is whole and readable")


def _unreadable(table: str, rule: str, value: str, remedy: str) -> Finding:
    return Finding(table=table, rule=rule, value=value, remedy=remedy)
