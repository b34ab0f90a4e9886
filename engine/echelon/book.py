"""What a recheck writes down: rule by rule, where a plan does not agree with what is derived again from the tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from echelon.errors import Violation


class Book:
    """Collects violations and the rules looked at: of whole columns, or of one place at a time.

    Two columns that are compared stand in the same order, or the right one is a single number for all; the index of
    the left one names the place. Numbers may differ by `absolute`, plus `relative` of their size. What cannot be
    compared (a blank, against a number) breaks the rule.
    """

    def __init__(self, absolute: float = 1e-5, relative: float = 1e-6) -> None:
        self.absolute, self.relative = absolute, relative
        self.violations: list[Violation] = []
        self.rules: set[str] = set()

    def at_most(self, rule: str, left: pd.Series, right: Any, scale: Any = 0.0) -> None:
        """Every element of `left` is at most that of `right`; the tolerance grows with `scale` too."""
        self.rules.add(rule)
        small, large = left.to_numpy(dtype=float), _numbers(right, left)
        over = small - large
        size = np.maximum(np.maximum(np.abs(small), np.abs(large)), _numbers(scale, left))
        wrong = ~(over <= self.absolute + self.relative * size) | np.isposinf(over)
        for where, amount in zip(left.index[wrong], over[wrong], strict=True):
            name = ", ".join(map(str, where)) if isinstance(where, tuple) else str(where)
            self.violations.append(Violation(rule, name, float(amount)))

    def over(self, rule: str, where: str, amount: float, allowed: float = 0.0) -> None:
        """At one place, `amount` is at most `allowed`."""
        size = max(abs(amount), abs(allowed)) if math.isfinite(allowed) else 0.0
        self.rules.add(rule)
        if not amount - allowed <= self.absolute + self.relative * size:  # NaN is a violation too
            self.violations.append(Violation(rule, where, float(amount - allowed)))

    def holds(self, rule: str, where: str, true: bool) -> None:
        """At one place, something is so."""
        self.over(rule, where, 0.0 if true else 1.0)

    def agrees(self, rule: str, where: str, told: float, true: float) -> None:
        """At one place, the number told is the true one, or both are blank."""
        both = told != told and true != true
        self.over(rule, where, 0.0 if both else abs(told - true), self.relative * (abs(true) if true == true else 0.0))

    def equal(self, rule: str, left: pd.Series, right: Any, scale: Any = 0.0) -> None:
        """Every element of `left` is the number of `right`, or both are blank."""
        one, other = left.to_numpy(dtype=float), _numbers(right, left)
        with np.errstate(invalid="ignore"):  # inf - inf
            difference = np.abs(one - other)
        apart = np.where((one == other) | np.isnan(one) & np.isnan(other), 0.0, difference)
        size = np.fmax(np.fmax(np.abs(one), np.abs(other)), _numbers(scale, left))
        self.at_most(rule, pd.Series(apart, left.index), 0.0, np.nan_to_num(size))

    def same(self, rule: str, left: pd.Series, right: Any) -> None:
        """Every element of `left`, whatever its type, is that of `right`, or both are blank."""
        right = pd.Series(np.asarray(right), left.index)
        self.none(rule, (left != right) & ~(left.isna() & right.isna()), left.index)

    def none(self, rule: str, amiss: Any, names: Any) -> None:
        """Nothing is amiss at any of the places that `names` names."""
        index = names if isinstance(names, pd.Index) else pd.Index(names)
        amiss = np.broadcast_to(np.asarray(amiss, dtype=float), len(index))
        self.at_most(rule, pd.Series(amiss, index), 0.0)

    def once(self, rule: str, frame: pd.DataFrame, key: list[str] | None = None) -> pd.DataFrame:
        """No key (or, without one, no index) stands twice; returns the first row of each."""
        index = frame.index if key is None else index_of(frame, key)
        twice = index.duplicated()
        self.none(rule, twice, index)
        return frame[~twice]


def index_of(frame: pd.DataFrame, columns: list[str]) -> pd.Index:
    """The index that the columns make: what names a row, or what finds it in a table indexed by the same columns. It
    has no names, which may be those of columns too."""
    if len(columns) == 1:
        return pd.Index(frame[columns[0]]).rename(None)
    return pd.MultiIndex.from_frame(frame[columns], names=[None] * len(columns))


def _numbers(values: Any, like: pd.Series) -> np.ndarray:
    """`values` as numbers, one for each element of `like`."""
    return np.broadcast_to(np.asarray(values, dtype=float), len(like))
