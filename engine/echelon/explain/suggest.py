"""The tables of a case with the values that an explanation suggests."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from echelon.errors import Suggestion
from echelon.schema import Table
from echelon.tables import Frames


def heed(tables: Frames, suggestions: Iterable[Suggestion], inputs: Sequence[Table]) -> Frames:
    """The tables of a case (declared by `inputs`) with every value that the suggestions name. Where a row stands for
    all, the suggestion gets a row of its own."""
    declared = {table.name: table for table in inputs}
    for suggestion in suggestions:
        table = declared[suggestion.table]
        tables = tables | {table.name: _heeded(tables.get(table.name), table, suggestion)}
    return tables


def _heeded(given: pd.DataFrame | None, table: Table, suggestion: Suggestion) -> pd.DataFrame:
    """A table with the value of one suggestion."""
    left_blank = {name: None if field.is_required() else field.default for name, field in table.columns.items()}
    rows: list[dict[str, Any]] = [] if given is None else given.astype(object).to_dict("records")
    rows = [left_blank | row for row in rows]
    key, value = dict(suggestion.key), {suggestion.column: suggestion.would_do}
    for count in range(len(suggestion.every) + 1):
        for blank in itertools.combinations(suggestion.every, count):
            looked_for = key | dict.fromkeys(blank, "")
            for n, row in enumerate(rows):
                if all((_text(row[name]) or _text(left_blank[name])) == looked_for[name] for name in key):
                    own = row | key | value
                    return pd.DataFrame([*rows[:n], own, *rows[n + 1 :]] if not blank else [*rows, own])
    return pd.DataFrame([*rows, left_blank | key | value])


def _text(cell: Any) -> str:
    if cell is None or cell != cell:
        return ""
    return f"{cell:g}" if isinstance(cell, float) else str(cell)
