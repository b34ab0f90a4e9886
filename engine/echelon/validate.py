"""Check a case against its declared tables: every finding is collected, then all are raised at once.

Cells are checked a column at a time by pydantic (a million rows take about a second); keys, references and the
family's own rules are vectorised.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from typing import Annotated, Any

import pandas as pd
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from echelon.errors import Finding, InputError
from echelon.schema import Table, base_type, choices, dtype, extra
from echelon.tables import Case, Frames

SHOWN = 20  # findings shown a table, column and rule; one more says how many are like them
FIRST_ROW = 2  # a spreadsheet's number of the first data row
LARGEST = 2**53  # whole numbers beyond it are not exact everywhere


@dataclass(frozen=True)
class Rule:
    """A rule across columns or tables. `check(tables, options)` yields findings; it runs once the tables it needs
    are free of errors of their own."""

    check: Callable[[Frames, Any], Iterable[Finding]]
    needs: tuple[str, ...]


def validate(
    case: Case, inputs: Sequence[Table], rules: Sequence[Rule] = (), options: Any = None, known: Collection[str] = ()
) -> tuple[Frames, list[Finding]]:
    """The case's tables, typed, complete and free of errors, and the warnings.

    Each table comes back with every declared column in its type and with the row's spreadsheet number as index;
    excluded rows are gone; optional tables that are absent are empty. `known` names tables of other families, which
    may lie in the same case. Raises InputError with all findings.
    """
    findings = list(case.findings)
    findings += _check_tables(case, inputs, known)
    tables: Frames = {}
    flawed: set[str] = set()
    nameless: set[str] = set()  # tables whose keys are not all known: what refers to them cannot be judged
    for table in inputs:
        raw = case.tables.get(table.name)
        if raw is None:
            tables[table.name] = table.empty()
            continue
        checked, wrong = check_cells(table, raw)
        wrong += _check_key(table, checked)
        tables[table.name] = checked
        findings += wrong
        flawed |= {table.name} if wrong else set()
        nameless |= {table.name for finding in wrong if finding.column in ("", *table.key)}
    present = {t.name for t in inputs if t.name in case.tables} - {f.table for f in case.findings}
    for table in inputs:
        wrong = _check_references(table, tables, {t.name: t for t in inputs}, present - nameless)
        findings += wrong
        flawed |= {table.name} if wrong else set()
    flawed |= {f.table for f in findings if f.severity == "error"}
    if not flawed:
        _drop_excluded(inputs, tables)
    for rule in rules:
        if not flawed.intersection(rule.needs):
            findings += _few(list(rule.check(tables, options)))
    if any(f.severity == "error" for f in findings):
        raise InputError(findings)
    return tables, findings


def typed(case: Case, inputs: Sequence[Table], known: Collection[str] = ()) -> Frames:
    """The tables that the case has of `inputs`, each declared column in its type; excluded rows are still there, and
    neither keys nor references nor rules were looked at. Raises InputError with what is wrong with tables and cells."""
    findings = [*case.findings, *_check_tables(case, inputs, known)]
    tables: Frames = {}
    for table in inputs:
        if table.name in case.tables:
            tables[table.name], wrong = check_cells(table, case.tables[table.name])
            findings += wrong
    if any(finding.severity == "error" for finding in findings):
        raise InputError(findings)
    return tables


def parse_options(model: type, given: Mapping[str, Any], table: str = "options") -> Any:
    """The options as `model`; raises InputError with one finding for each that is unknown or out of bounds."""
    try:
        return model(**given)
    except ValidationError as error:
        findings = [
            Finding(
                table=table,
                column=".".join(str(part) for part in e["loc"]),
                value=str(e["input"]),
                rule=_in_words(e),
                remedy=_option_remedy(str(e["loc"][0]), model.model_fields),  # type: ignore[attr-defined]
            )
            for e in error.errors()
        ]
        raise InputError(findings) from None


def _option_remedy(name: str, fields: Mapping[str, FieldInfo]) -> str:
    return str(fields[name].description) if name in fields else did_you_mean(name, fields)


def _check_tables(case: Case, inputs: Sequence[Table], known: Collection[str]) -> list[Finding]:
    names = [table.name for table in inputs]
    unreadable = {f.table for f in case.findings}
    findings = [
        Finding(table.name, "the table is required and missing", f"Add {table.name}.csv (see `echelon schema`)")
        for table in inputs
        if table.required and table.name not in case.tables and table.name not in unreadable
    ]
    findings += [
        Finding(name, "no such table is known", did_you_mean(name, names))
        for name in case.tables
        if name not in names and name not in known
    ]
    return findings


def check_cells(table: Table, raw: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """The table with typed columns (blank where a cell is wrong), and a finding for every wrong cell or column.

    Rows without any cell filled are left out; the others keep their spreadsheet numbers.
    """
    decimal, raw = raw.attrs.get("decimal", "."), raw.reset_index(drop=True)
    if (blank := (raw.isna() | (raw == "")).all(axis=1)).any():
        raw = raw[~blank]
    rows = raw.index + FIRST_ROW
    findings = [
        Finding(table.name, "no such column is known", did_you_mean(str(name), table.columns), column=str(name))
        if str(name)
        else Finding(table.name, "a column has cells but no name", "Name it in the header, or remove it")
        for name in raw.columns.unique()
        if name not in table.columns
    ]
    findings += [
        Finding(table.name, "the column stands twice", "Keep one of them", column=str(name))
        for name in raw.columns[raw.columns.duplicated()].unique()
    ]
    data = {}
    for name, field in table.columns.items():
        if name in raw.columns:
            cells = raw[name] if not raw.columns.duplicated().any() else raw.loc[:, raw.columns == name].iloc[:, 0]
            data[name], wrong = check_column(table.name, name, field, cells, rows, decimal)
            findings += wrong
        else:
            data[name] = pd.Series(
                [_default(field)] * len(raw), dtype=dtype(field) if not field.is_required() else None
            )
            if field.is_required():
                findings.append(
                    Finding(table.name, "the column is required and missing", "Add it to the header", column=name)
                )
    frame = pd.DataFrame(data)
    frame.index = rows
    return frame, findings


def check_column(
    table: str, name: str, field: FieldInfo, cells: pd.Series, rows: pd.Index, decimal: str = "."
) -> tuple[pd.Series, list[Finding]]:
    """The cells of a column in its type (blank where one is wrong), and a finding for every wrong one. `rows` are the
    spreadsheet numbers of the cells."""
    values = _plain(cells, field, decimal)
    blank = [i for i, value in enumerate(values) if value is None or value == ""]
    unfilled = set(blank) if field.is_required() else set()
    rule, remedy = "the cell is blank", f"Fill it: {field.description}"
    findings = [Finding(table, rule, remedy, row=int(rows[i]), column=name) for i in sorted(unfilled)]
    for i in blank:
        values[i] = _filler(field) if i in unfilled else _default(field)
    try:
        good = _adapter(field).validate_python(values)
    except ValidationError as error:
        wrong = {int(e["loc"][0]): e for e in error.errors(include_url=False) if e["loc"]}
        for i, e in wrong.items():
            findings.append(
                Finding(table, _in_words(e), _remedy(field), row=int(rows[i]), column=name, value=str(e["input"]))
            )
            unfilled.add(i)
        good = values
    good = [None if i in unfilled else value for i, value in enumerate(good)] if unfilled else good
    kind = dtype(field)
    if findings and kind in ("int64", "bool"):
        return pd.Series(good, dtype=object), _few(findings)
    if findings and kind == "float64":
        return pd.Series(pd.to_numeric(pd.Series(good, dtype=object), errors="coerce"), dtype=kind), _few(findings)
    return pd.Series(good, dtype=object if findings else kind), _few(findings)


def _plain(cells: pd.Series, field: FieldInfo, decimal: str) -> list[Any]:
    """The column as plain Python values; blank is None or ''."""
    missing = cells.isna()
    values = cells.astype(object).where(~missing, None).tolist() if missing.any() else cells.tolist()
    if base_type(field) is str:
        return values if cells.dtype == "str" else [_as_typed(value) for value in values]
    if decimal == "," and base_type(field) is float:
        return [v.replace(",", ".") if isinstance(v, str) else v for v in values]
    return values


def _as_typed(value: Any) -> Any:
    """A text cell that a workbook or database holds as a number or a date, as one would type it: 4711, 2026-01-05."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else str(value)
    return value.isoformat() if isinstance(value, date) else value


@cache
def _column_adapter(annotation: Any, metadata: tuple[Any, ...]) -> TypeAdapter:
    if annotation is int:
        metadata = (Field(ge=-LARGEST, le=LARGEST), *metadata)
    if annotation is date:
        metadata = (BeforeValidator(_no_number), *metadata)
    constrained = Annotated[annotation, *metadata] if metadata else annotation
    config = ConfigDict(allow_inf_nan=False, coerce_numbers_to_str=True)
    return TypeAdapter(list[constrained], config=config)  # type: ignore[valid-type]


def _no_number(value: Any) -> Any:
    """Refuse the numbers that pydantic would read as seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not re.match(r"\d{4}-", value)):
        raise PydanticCustomError("date_type", "is not a date")
    return value


def _adapter(field: FieldInfo) -> TypeAdapter:
    return _column_adapter(field.annotation, tuple(field.metadata))  # type: ignore[arg-type]


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.default


def _filler(field: FieldInfo) -> Any:
    """A value that passes for sure, to stand in for a wrong cell while the others are looked at."""
    return field.examples[0] if field.examples else None


def _check_key(table: Table, frame: pd.DataFrame) -> list[Finding]:
    key = list(table.key)
    if not key or frame.empty:
        return []
    whole = frame[key].notna().all(axis=1)
    repeated = whole & frame[whole].duplicated(key).reindex(frame.index, fill_value=False)
    first = {k: row for row, k in _rows(frame[whole], key, reverse=True)} if repeated.any() else {}
    return _few(
        [
            Finding(
                table=table.name,
                rule=f"the key stands already in row {first[k]}",
                remedy="Keep one row for each key, or add the quantities up",
                row=row,
                column=", ".join(key),
                value=", ".join(str(part) for part in k),
            )
            for row, k in _rows(frame[repeated], key)
        ]
    )


def _rows(frame: pd.DataFrame, columns: list[str], reverse: bool = False) -> list[tuple[int, tuple[Any, ...]]]:
    pairs = list(zip(frame.index, frame[columns].itertuples(index=False, name=None), strict=True))
    return pairs[::-1] if reverse else pairs


def _check_references(table: Table, tables: Frames, inputs: Mapping[str, Table], checkable: set[str]) -> list[Finding]:
    """Cells that name a row which the other table does not have. Absent optional tables are not referred to."""
    frame, findings = tables[table.name], []
    for name, other in table.references.items():
        if other not in checkable or frame.empty:
            continue
        existing = tables[other][inputs[other].key[0]]
        dangling = frame[name].notna() & ~frame[name].isin(existing)
        if not table.columns[name].is_required():
            dangling &= frame[name] != table.columns[name].default
        names = existing.astype("str").tolist() if dangling.any() else []
        rule, otherwise = f"no such row in {other}", f"Add it to {other}"
        found: list[Finding] = []
        for row, value in frame.loc[dangling, name].items():  # a guess takes long where there are many names
            remedy = did_you_mean(str(value), names, otherwise) if len(found) < SHOWN else otherwise
            found.append(Finding(table.name, rule, remedy, row=row, column=name, value=str(value)))
        findings += _few(found)
    if table.belongs_to and table.belongs_to in checkable and not frame.empty:
        key = list(inputs[table.belongs_to].key)
        known = pd.MultiIndex.from_frame(tables[table.belongs_to][key])
        dangling = ~pd.MultiIndex.from_frame(frame[key]).isin(known) & frame[key].notna().all(axis=1)
        rule, remedy = f"no such row in {table.belongs_to}", f"Add it to {table.belongs_to}"
        findings += _few(
            [
                Finding(table.name, rule, remedy, row=row, column=", ".join(key), value=", ".join(map(str, k)))
                for row, k in _rows(frame[dangling], key)
            ]
        )
    return findings


def _drop_excluded(inputs: Sequence[Table], tables: Frames) -> None:
    """Take out the rows with status exclude, then all rows that refer to one of them (parents are declared first)."""
    gone: dict[str, pd.MultiIndex] = {}
    by_name = {table.name: table for table in inputs}
    for table in inputs:
        frame = tables[table.name]
        if frame.empty:
            continue
        out = (frame["status"] == "exclude") if "status" in frame else pd.Series(False, index=frame.index)
        parents = [([column], other) for column, other in table.references.items()]
        if table.belongs_to:
            parents.append((list(by_name[table.belongs_to].key), table.belongs_to))
        for columns, other in parents:
            if other in gone:
                out |= pd.MultiIndex.from_frame(frame[columns]).isin(gone[other])
        if out.any():
            gone[table.name] = pd.MultiIndex.from_frame(frame.loc[out, list(table.key)])
            tables[table.name] = frame[~out]


def _few(findings: list[Finding]) -> list[Finding]:
    """At most `SHOWN` findings of a kind (table, column, rule without its numbers), and one that counts the rest."""
    kinds: dict[tuple[str, str, str, str], list[Finding]] = {}
    for finding in findings:
        rule = "".join(c for c in finding.rule if not c.isdigit())
        kinds.setdefault((finding.table, finding.column, rule, finding.severity), []).append(finding)
    shown = []
    for (table, column, _, severity), alike in kinds.items():
        shown += alike[:SHOWN]
        if len(alike) > SHOWN:
            more = f"... and {len(alike) - SHOWN:,} more like these"
            shown.append(Finding(table, more, alike[0].remedy, column=column, severity=severity))  # type: ignore[arg-type]
    return shown


def _in_words(error: Any) -> str:
    """pydantic's error in the words of an analyst."""
    context = error.get("ctx", {})
    return {
        "greater_than_equal": f"must be at least {context.get('ge')}",
        "greater_than": f"must be more than {context.get('gt')}",
        "less_than_equal": f"must be at most {context.get('le')}",
        "less_than": f"must be less than {context.get('lt')}",
        "finite_number": "must be a finite number",
        "float_parsing": "is not a number",
        "float_type": "is not a number",
        "int_parsing": "is not a whole number",
        "int_type": "is not a whole number",
        "int_from_float": "is not a whole number",
        "bool_parsing": "is neither true nor false",
        "bool_type": "is neither true nor false",
        "date_from_datetime_parsing": "is not a date",
        "date_parsing": "is not a date",
        "date_type": "is not a date",
        "date_from_datetime_inexact": "is a time of day, not a date",
        "literal_error": f"must be {context.get('expected')}",
        "string_type": "is not text",
        "extra_forbidden": "no such option is known",
    }.get(error["type"], str(error["msg"]))


def _remedy(field: FieldInfo) -> str:
    unit = f" in {extra(field)['unit']}" if extra(field)["unit"] else ""
    if choices(field):
        return f"Write one of {', '.join(choices(field))}"
    return f"{field.description}{unit}; for example {field.examples[0] if field.examples else ''}".rstrip()


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy for a name that is not known: the one it is most like, or else what the names are."""
    names = sorted({str(k) for k in known})
    lowered = {n.lower(): n for n in names}
    close = difflib.get_close_matches(name.strip().lower()[:200], list(lowered)[:20_000], n=1)
    if close:
        spaces = " (without the spaces around it)" if name.strip() == lowered[close[0]] != name else ""
        return f"Did you mean {lowered[close[0]]!r}{spaces}?" + (f" Or: {otherwise}" if otherwise else "")
    return otherwise or f"Known are: {', '.join(names[:30])}"
