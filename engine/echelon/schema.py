"""How a table is declared: once, as a row class. Validation, templates, schema and docs all come from it."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

Text = str
REQUIRED = PydanticUndefined


def column(
    meaning: str,
    *,
    example: Any,
    default: Any = REQUIRED,
    unit: str = "",
    key: bool = False,
    reference: str = "",
    **bounds: float,
) -> Any:
    """Declare a column of a `Row`.

    `meaning` and `unit` go to the docs, `example` to the template. `key` marks the columns that together name a row.
    `reference` names the table whose key this column must be found in (a blank cell that is allowed by `default`
    refers to nothing). `bounds` are pydantic's `ge`, `gt`, `le`, `lt`. A column without `default` must be filled.
    """
    extra = {"unit": unit, "key": key, "reference": reference}
    return Field(default, description=meaning, examples=[example], json_schema_extra=extra, **bounds)  # type: ignore[call-overload]


class Row(BaseModel):
    """Base of every declared row: frozen, no unknown columns, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


class InputRow(Row):
    """Base of every row that a case may hold: any row may be switched off, and may carry a note."""

    status: Literal["include", "exclude"] = column(
        "exclude leaves the row, and all rows that refer to it, out of the case", example="include", default="include"
    )
    notes: Text = column("Free text, kept but not read", example="", default="")


@dataclass(frozen=True)
class Table:
    """A declared table: its name, its row class, whether a case must bring it, the table whose rows it details, and
    rows of the template beyond the columns' own examples."""

    name: str
    row: type[Row]
    required: bool = False
    belongs_to: str = ""
    more_examples: tuple[dict[str, Any], ...] = ()

    @property
    def meaning(self) -> str:
        return (self.row.__doc__ or "").strip()

    @cached_property
    def columns(self) -> dict[str, FieldInfo]:
        """Column name -> declaration; the row's own columns first, `status` and `notes` last."""
        inherited = InputRow.model_fields
        own = {name: field for name, field in self.row.model_fields.items() if name not in inherited}
        return own | {name: field for name, field in self.row.model_fields.items() if name in inherited}

    @cached_property
    def key(self) -> tuple[str, ...]:
        return tuple(name for name, field in self.columns.items() if extra(field)["key"])

    @cached_property
    def references(self) -> dict[str, str]:
        """Column name -> name of the table it refers to."""
        return {name: extra(field)["reference"] for name, field in self.columns.items() if extra(field)["reference"]}

    def empty(self) -> pd.DataFrame:
        """The table with no rows, its columns in their proper types."""
        return pd.DataFrame({name: pd.Series(dtype=dtype(field)) for name, field in self.columns.items()})

    def typed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The declared columns of a frame, in the declared types."""
        return frame[list(self.columns)].astype(self.empty().dtypes.to_dict()).reset_index(drop=True)

    def template(self) -> pd.DataFrame:
        """The table with the row of examples that its columns declare (and `more_examples`)."""
        first = {name: (field.examples or [""])[0] for name, field in self.columns.items()}
        blank = {name: "" if field.is_required() else field.default for name, field in self.columns.items()}
        return pd.DataFrame([first, *(blank | row for row in self.more_examples)])


def extra(field: FieldInfo) -> dict[str, Any]:
    """What `column` declared beyond pydantic's own: unit, key, reference."""
    return typing.cast(dict[str, Any], field.json_schema_extra)


def base_type(field: FieldInfo) -> type:
    """The column's type without "or blank" and without choices: str, float, int, bool or date."""
    annotation: Any = field.annotation
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        annotation = next(a for a in typing.get_args(annotation) if a is not type(None))
    return str if typing.get_origin(annotation) is Literal else annotation


def choices(field: FieldInfo) -> tuple[str, ...]:
    """The values a column of choices allows; empty for any other column."""
    return typing.get_args(field.annotation) if typing.get_origin(field.annotation) is Literal else ()


def dtype(field: FieldInfo) -> str:
    """The pandas type of the column in a validated table."""
    return {str: "str", float: "float64", int: "int64", bool: "bool", date: "datetime64[us]"}[base_type(field)]


def bounds(field: FieldInfo) -> str:
    """The column's bounds in words, such as '>= 0, <= 1'; empty where there are none."""
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
    return ", ".join(
        f"{sign} {getattr(m, name):g}" for m in field.metadata for name, sign in signs.items() if hasattr(m, name)
    )


def to_markdown(title: str, tables: Sequence[Table]) -> str:
    """The tables as a Markdown page: one heading and one column list a table."""
    lines = [f"# {title}"]
    for table in tables:
        need = "required" if table.required else "optional"
        lines += ["", f"## {table.name} ({need})", "", table.meaning, ""]
        lines += ["| column | type | unit | bounds | blank means | meaning |", "|---|---|---|---|---|---|"]
        for name, field in table.columns.items():
            kind = " / ".join(choices(field)) or {str: "text", float: "number", int: "whole number"}.get(
                base_type(field), base_type(field).__name__
            )
            refers = f" (refers to {extra(field)['reference']})" if extra(field)["reference"] else ""
            shown = f"**{name}**" if extra(field)["key"] else name
            cells = [shown, kind + refers, extra(field)["unit"], bounds(field), _blank(field), field.description]
            lines.append("| " + " | ".join(str(c) for c in cells) + " |")
    lines += ["", "Bold columns together name a row. Dates are written YYYY-MM-DD, numbers with a decimal point."]
    return "\n".join(lines) + "\n"


def options_to_markdown(options: type[BaseModel]) -> str:
    """The options of a family as a Markdown list: the `[options]` of case.toml."""
    lines = ["", "## options (in case.toml, or --set NAME=VALUE)", "", "| option | default | bounds | meaning |"]
    lines.append("|---|---|---|---|")
    for name, field in options.model_fields.items():
        limits = " / ".join(choices(field)) or bounds(field)
        lines.append(f"| {name} | {str(field.default).lower()} | {limits} | {field.description} |")
    return "\n".join(lines) + "\n"


def to_json_schema(title: str, tables: Sequence[Table]) -> str:
    """The tables as one JSON Schema: an object of arrays of rows, with units, keys and references as extensions."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "properties": {t.name: {"type": "array", "items": t.row.model_json_schema()} for t in tables},
        "required": [t.name for t in tables if t.required],
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _blank(field: FieldInfo) -> str:
    if field.is_required():
        return "not allowed"
    if field.default is None or field.default == "":
        return "see meaning" if extra(field)["key"] or field.default is None else ""
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
