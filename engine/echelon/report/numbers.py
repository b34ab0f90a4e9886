"""How numbers and words are written in a report."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from echelon.errors import shorten

LONGEST = 120  # characters of a name that are shown
PERCENT = "%"


def amount(value: float, unit: str = "", millions: float = 1e7) -> str:
    """A number as people read it, with its unit: 2,536,435 EUR; from `millions` on 12.5 M EUR; 0.85 of unit "%" as
    85%."""
    if value is None or math.isnan(value):
        return "–"
    if unit == PERCENT:
        share = value * 100
        text = f"{share:.0f}%" if abs(share) >= 9.95 or round(share, 1) == round(share) else f"{share:.1f}%"
        return text.replace("-", "−")
    size = abs(value)
    if size >= 1e9 and size >= millions:
        text = f"{value / 1e9:,.2f} bn"
    elif size >= millions:
        text = f"{value / 1e6:,.{digits(size / 1e6)}f} M"
    else:
        text = f"{value:,.{digits(size)}f}" if size >= 0.001 or size == 0 else f"{value:.2g}"
    return f"{text} {unit}".strip().replace("-", "−", 1)


def digits(size: float) -> int:
    """Decimals that give a number of this size three significant digits (small whole numbers need none)."""
    return 0 if size >= 100 or size == round(size) else 1 if size >= 10 else 2 if size >= 1 else 3


def cells(column: pd.Series, unit: str = "") -> list[tuple[str, str]]:
    """(what a cell shows, what it sorts and downloads as) of each value of a column."""
    if pd.api.types.is_bool_dtype(column):
        return [("yes" if v else "no", "true" if v else "false") for v in column]
    if pd.api.types.is_datetime64_any_dtype(column):
        return [("", "") if pd.isna(v) else (f"{v:%Y-%m-%d}", f"{v:%Y-%m-%d}") for v in column]
    if pd.api.types.is_numeric_dtype(column):
        shown = _percent if unit == PERCENT else _plain(column)
        return [("", "") if pd.isna(v) else (shown(v), _exact(v)) for v in column]
    return [(shorten(text, LONGEST), text) for text in ("" if v is None or v != v else str(v) for v in column)]


def reads_as_number(column: pd.Series, text: bool = True) -> bool:
    """Whether a column is set right and sorted by size: numbers or, with `text`, text that is nothing but numbers."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
        return not pd.api.types.is_bool_dtype(column)
    if not text or pd.api.types.is_datetime64_any_dtype(column):
        return False
    written = column.astype("str")
    return bool(written.str.fullmatch(r"[-+]?\d[\d,]*(\.\d+)?%?|").all() and (written != "").any())


def _percent(value: float) -> str:
    return f"{value:.1%}".replace("-", "−")


def _plain(column: pd.Series) -> Any:
    """One number of decimals for a whole column: enough for three significant digits of its largest value."""
    known = column.dropna().abs()
    whole = known.empty or bool((known == known.round()).all())
    decimals = 0 if whole else {0: 2 if known.max() < 10_000 else 0}.get(digits(float(known.max())), 3)
    return lambda value: f"{value + 0.0:,.{decimals}f}".replace("-", "−")


def _exact(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
