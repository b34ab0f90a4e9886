"""Rows of a table looked up by their key: how the formulations read the completed tables."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pandas as pd


def by_key(frame: pd.DataFrame, *key: str) -> dict[Any, Any]:
    """Key -> row as a named tuple; a key of one column is that column's value."""
    return dict(zip(_keys(frame, key), _named(frame), strict=True))


def grouped(frame: pd.DataFrame, *key: str) -> dict[Any, list[Any]]:
    """Key -> its rows as named tuples, in the order of the table."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for name, row in zip(_keys(frame, key), _named(frame), strict=True):
        found[name].append(row)
    return dict(found)


def _keys(frame: pd.DataFrame, key: tuple[str, ...]) -> Iterable[Any]:
    names = [frame[name].tolist() for name in key]
    return names[0] if len(names) == 1 else zip(*names, strict=True)


def _named(frame: pd.DataFrame) -> Iterable[Any]:
    return frame.itertuples(index=False, name="Row")
