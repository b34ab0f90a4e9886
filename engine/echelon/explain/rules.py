"""The case without one thing: a rule left out, a table emptied, an option off; and what each such rule costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from pydantic import BaseModel

from echelon.explain.schema import RULE_PRICES
from echelon.solvers.outcome import Outcome
from echelon.tables import Frames

Solve = Callable[[Frames, Any, float], Outcome]  # completed tables, options, seconds


@dataclass(frozen=True)
class Change:
    """One thing that a case may have: its name, whether a case has it, the completed tables (or options) without it."""

    name: str
    applies: Callable[[Frames, Any], bool]
    tables: Callable[[Frames], Frames] = lambda full: full
    options: Mapping[str, Any] = field(default_factory=dict)

    def made(self, full: Frames, options: BaseModel) -> tuple[Frames, Any]:
        """The completed tables and the options without it."""
        return self.tables(full), options.model_copy(update=dict(self.options))


def without_column(name: str, table: str, column: str, off: Any, binds: Callable[[pd.Series], pd.Series]) -> Change:
    """What stands in one column: `off` is the value without it, `binds` marks the rows that have it."""
    return Change(
        name,
        lambda full, options: bool(binds(full[table][column]).any()),
        lambda full: full | {table: full[table].assign(**{column: off})},
    )


def without_rows(name: str, table: str, **where: str) -> Change:
    """What stands in rows of a table, those where the columns have these values."""

    def mine(full: Frames) -> pd.Series:
        chosen = pd.Series(True, full[table].index)
        for name_, value in where.items():
            chosen &= full[table][name_] == value
        return chosen

    return Change(
        name, lambda full, options: bool(mine(full).any()), lambda full: full | {table: full[table][~mine(full)]}
    )


def without_option(name: str, option: str, off: Any) -> Change:
    """What an option says: `off` is its value without it."""
    return Change(name, lambda full, options: getattr(options, option) != off, options={option: off})


def price_rules(
    changes: Sequence[Change], full: Frames, options: BaseModel, solve: Solve, objective: float, until: float
) -> tuple[pd.DataFrame, list[str]]:
    """The result table `rule_prices`, dearest first, of the changes that apply; and the names of those for which there
    was no time `until` a moment (of time.monotonic()). Each gets an equal part of it."""
    chosen = [change for change in changes if change.applies(full, options)]
    rows, skipped = [], []
    for n, change in enumerate(chosen):
        seconds = (until - time.monotonic()) / (len(chosen) - n)
        outcome = solve(*change.made(full, options), seconds) if seconds > 0 else None
        if outcome is None or outcome.objective is None:
            skipped.append(change.name)
            continue
        cost = min(outcome.objective, objective)
        at_most = None if outcome.bound is None else max(objective - outcome.bound, 0.0)
        rows.append((change.name, cost, objective - cost, at_most))
    frame = RULE_PRICES.typed(pd.DataFrame(rows, columns=list(RULE_PRICES.columns)))
    return frame.sort_values(["saving", "rule"], ascending=[False, True], ignore_index=True), skipped
