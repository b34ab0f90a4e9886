"""Edits of a case, as data: set, scale, add to, drop or append rows of a table. A scenario is a list of them.

The options of the family are edited like a table of one row named "options".
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from echelon.errors import Finding, InputError, shorten
from echelon.schema import Table, base_type, choices
from echelon.tables import Frames
from echelon.validate import check_cells, check_column, did_you_mean, parse_options

OPTIONS = "options"
FEW = 3  # cells shown that an edit makes wrong
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
WHERE = 'Write where = {column = value}, {column = [values]} or {column = {">=" = value}}'


class Edit(BaseModel):
    """One change of one table: `column` is set, scaled or added to in the rows that `where` finds; or these rows are
    dropped; or rows are appended. Blank cells are not scaled and not added to; `set = ""` blanks a cell."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    table: str = Field(description="Name an input table of the family, or options")
    where: dict[str, Any] = Field(default={}, description=WHERE)
    column: str = Field(default="", description="Name the column to set, scale or add to")
    set: Any = Field(default=None, description="Write the value that the cells get")
    scale: float | None = Field(default=None, description="Write the number that the cells are multiplied by")
    add: float | None = Field(default=None, description="Write the number that is added to the cells")
    drop: bool = Field(default=False, description="Write drop = true to take the rows out")
    append: tuple[dict[str, Any], ...] = Field(default=(), description="Write append = [{column = value, ...}]")
    if_any: bool = Field(default=False, description="Write if_any = true where it is no mistake to find no cell")

    @property
    def words(self) -> str:
        """The edit as people read it: budgets.amount x 0.9 where department = Power tools."""
        where = " and ".join(_condition_in_words(name, condition) for name, condition in self.where.items())
        what = f"{self.table}.{self.column}" if self.column else self.table
        done = (
            f"{what} = {self.set}" if self.set is not None
            else f"{what} x {self.scale:g}" if self.scale is not None
            else f"{what} {self.add:+g}" if self.add is not None
            else f"{what}: rows dropped" if self.drop
            else f"{what}: {len(self.append)} row(s) appended"
        )  # fmt: skip
        return f"{done} where {where}" if where else done


@dataclass(frozen=True)
class Sheets:
    """What edits work on: a case's tables with typed columns, its options by name, and how both are declared."""

    tables: Frames
    options: Mapping[str, Any]
    inputs: tuple[Table, ...]
    declared: type[BaseModel]  # the options' model

    @property
    def names(self) -> list[str]:
        return [*(table.name for table in self.inputs), OPTIONS]


def parse_edits(given: Any, label: str) -> tuple[Edit, ...]:
    """The edits in a list of tables as TOML has them. Raises InputError with all findings; `label` says whose edits."""
    if not isinstance(given, Sequence) or isinstance(given, str):
        remedy = 'Write edits = [{table = "demand", column = "quantity", scale = 1.1}]'
        raise InputError([Finding(label, "edits is not a list", remedy, column="edits", value=str(given))])
    edits, findings = [], []
    for number, edit in enumerate(given, start=1):
        name = f"{label}, edit {number}"
        if not isinstance(edit, Mapping):
            findings.append(Finding(name, "is not a table", "Write it in braces: {table = ...}", value=str(edit)))
            continue
        try:
            edits.append(parse_options(Edit, edit, name))
        except InputError as wrong:
            findings += wrong.findings
        else:
            findings += _form(edits[-1], name)
    if findings:
        raise InputError(findings)
    return tuple(edits)


def apply(edits: Iterable[Edit], sheets: Sheets, label: str) -> Sheets:
    """The sheets after the edits, one after the other; those given stay as they are.

    Raises InputError with all findings: what names no table, column or row, and numbers asked of text.
    """
    findings: list[Finding] = []
    for number, edit in enumerate(edits, start=1):
        try:
            sheets = _edit_options(edit, sheets) if edit.table == OPTIONS else _edit_table(edit, sheets)
        except InputError as wrong:
            findings += [_labelled(finding, f"{label}, edit {number}") for finding in wrong.findings]
    if findings:
        raise InputError(findings)
    return sheets


def _form(edit: Edit, name: str) -> list[Finding]:
    """What is wrong with the form of an edit, whatever the case."""
    cells = [word for word in ("set", "scale", "add") if getattr(edit, word) is not None]
    asked = [*cells, *(word for word in ("drop", "append") if getattr(edit, word))]
    if len(asked) != 1:
        rule = f"asks for {' and '.join(asked)} at once" if asked else "does not say what is to be done"
        return [Finding(name, rule, "Write one of set, scale, add, drop = true, append = [...]", value=edit.table)]
    if bool(cells) != bool(edit.column):
        rule = "names no column" if cells else f"{asked[0]} is about whole rows, not a column"
        return [Finding(name, rule, "set, scale and add take a column, drop and append take none", column="column",
                        value=edit.column)]  # fmt: skip
    if edit.append and edit.where:
        return [Finding(name, "append finds no rows: it adds some", "Leave where out", column="where")]
    return []


def _edit_options(edit: Edit, sheets: Sheets) -> Sheets:
    """Set, scale or add to one option."""
    if edit.where or edit.drop or edit.append:
        raise _wrong(OPTIONS, "the options are one row", "Use column with set, scale or add", "")
    fields = sheets.declared.model_fields
    if edit.column not in fields:
        raise _wrong(OPTIONS, "no such option is known", did_you_mean(edit.column, fields), edit.column)
    value = sheets.options[edit.column]
    if edit.set is None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _wrong(OPTIONS, "the option is not a number", "Use set", edit.column, value)
    if edit.set is None:
        value = value * (1.0 if edit.scale is None else edit.scale) + (edit.add or 0.0)
    changed = dict(sheets.options) | {edit.column: value if edit.set is None else edit.set}
    return replace(sheets, options=parse_options(sheets.declared, changed).model_dump())


def _edit_table(edit: Edit, sheets: Sheets) -> Sheets:
    """Change one table."""
    table = next((table for table in sheets.inputs if table.name == edit.table), None)
    if table is None:
        raise _wrong(edit.table, "no such table is known", did_you_mean(edit.table, sheets.names), "")
    named = [edit.column] if edit.column else []
    _must_be_columns(table, [*edit.where, *named, *(name for row in edit.append for name in row)])
    frame = sheets.tables.get(table.name, table.empty())
    if edit.append:
        rows, wrong = check_cells(table, pd.DataFrame(list(edit.append), dtype=object))
        _raise(wrong)
        after = pd.concat([frame, rows], ignore_index=True) if len(frame) else rows
    else:
        hit = _rows(frame, edit.where, table)
        if not hit.any():
            if edit.if_any:
                return sheets
            where = ", ".join(_condition_in_words(name, condition) for name, condition in edit.where.items())
            raise _wrong(table.name, "the filter finds no row", "Mend it, or write if_any = true", "where", where)
        if edit.if_any and edit.column and edit.set is None and not (hit & frame[edit.column].notna()).any():
            return sheets
        after = frame[~hit] if edit.drop else _with_cells(frame, hit, edit, table.columns[edit.column])
    return replace(sheets, tables={**sheets.tables, table.name: after})


def _must_be_columns(table: Table, names: Iterable[str]) -> None:
    unknown = [name for name in dict.fromkeys(names) if name not in table.columns]
    if unknown:
        rule = "no such column is known"
        findings = [Finding(table.name, rule, did_you_mean(n, table.columns), column=n) for n in unknown]
        raise InputError(findings)


def _rows(frame: pd.DataFrame, where: Mapping[str, Any], table: Table) -> pd.Series:
    """Which rows meet all conditions."""
    hit = pd.Series(True, index=frame.index)
    for name, condition in where.items():
        field = table.columns[name]
        terms = condition if isinstance(condition, Mapping) else {"=": condition}
        for sign, value in terms.items():
            if sign not in COMPARISONS:
                raise _wrong(table.name, f"{sign!r} is no comparison", f"Write one of {', '.join(COMPARISONS)}", name)
            if isinstance(value, list | tuple) and sign == "=":
                met = [_meets(frame[name], field, "=", one, table.name, name) for one in value]
                hit &= pd.concat(met, axis=1).any(axis=1) if met else False
            else:
                hit &= _meets(frame[name], field, sign, value, table.name, name)
    return hit


def _meets(cells: pd.Series, field: FieldInfo, sign: str, value: Any, table: str, name: str) -> pd.Series:
    """Which cells compare with the value as asked; "" is a blank cell."""
    if value == "":
        blank = cells.isna() | (cells == "")
        return blank if sign == "=" else ~blank
    wanted = _as_cell(value, base_type(field))
    if wanted is None:
        what = {date: "a date", str: "text", bool: "true or false"}.get(base_type(field), "a number")
        raise _wrong(table, f"is not {what}", WHERE, name, value)
    allowed = choices(field)
    if allowed and sign == "=" and wanted not in allowed:
        raise _wrong(table, "can never be found", f"The column has one of {', '.join(allowed)}", name, value)
    filled = cells.notna() & (cells != "")
    found = pd.Series(sign == "!=", index=cells.index)
    found[filled] = COMPARISONS[sign](cells[filled], wanted)
    return found


def _as_cell(value: Any, kind: type) -> Any:
    """The value of a condition as the cells of a column of this kind hold it; None if it is none such."""
    if kind is bool:
        return {"true": True, "false": False}.get(str(value).lower())
    if kind is str:
        return None if isinstance(value, list | Mapping) else str(value)
    try:
        if kind is date:
            return pd.Timestamp(value) if isinstance(value, str | date) else None
        return None if isinstance(value, bool) else float(value)  # of whole numbers too: lead_time > 1.5
    except (TypeError, ValueError):
        return None


def _with_cells(frame: pd.DataFrame, hit: pd.Series, edit: Edit, field: FieldInfo) -> pd.DataFrame:
    """The table with the cells of one column changed; what the column does not allow is found."""
    before, name = frame[edit.column], edit.column
    if edit.set is not None:
        after = before.astype(object).where(~hit, edit.set)
    elif base_type(field) not in (int, float):
        verb = "scaled" if edit.scale is not None else "added to"
        raise _wrong(edit.table, f"only numbers can be {verb}", "Use set", name)
    elif not (hit & before.notna()).any():
        raise _wrong(edit.table, "all the cells are blank: there is nothing to change", "Use set", name)
    else:
        numbers = before.astype("float64")
        changed = numbers * edit.scale if edit.scale is not None else numbers + (edit.add or 0.0)
        after = numbers.where(~hit, changed)
    cells, wrong = check_column(edit.table, name, field, after, frame.index)
    _raise(wrong)
    return frame.assign(**{name: cells.set_axis(frame.index)})


def _raise(findings: Sequence[Finding]) -> None:
    """Raise the first few of what is wrong with the cells that an edit makes: mending it mends them all."""
    if findings:
        raise InputError(findings[:FEW])


def _condition_in_words(name: str, condition: Any) -> str:
    if isinstance(condition, Mapping):
        return " and ".join(f"{name} {sign} {value}" for sign, value in condition.items())
    return f"{name} in {', '.join(map(str, condition))}" if isinstance(condition, list) else f"{name} = {condition}"


def _labelled(finding: Finding, label: str) -> Finding:
    """The finding said of the edit, with the table in front of the column."""
    where = f"{finding.table}.{finding.column}" if finding.column else finding.table
    return Finding(label, finding.rule, finding.remedy, finding.row, where, finding.value)


def _wrong(table: str, rule: str, remedy: str, column: str, value: Any = "") -> InputError:
    return InputError([Finding(table, rule, remedy, column=column, value=shorten(str(value)))])
