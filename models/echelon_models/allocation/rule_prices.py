"""What each rule of a case costs a year: the case solved once more without it, from the plan on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pandas as pd

from echelon.solvers.outcome import Control, SolveOptions
from echelon.tables import Frames
from echelon_models.allocation.schema import RESULTS, AllocationOptions
from echelon_models.allocation.search import Values, find, part_of_time
from echelon_models.allocation.sets import prepare

COLUMNS = list(next(table for table in RESULTS if table.name == "rule_prices").columns)


class Rule(NamedTuple):
    """A rule by name: whether a case has it, and the completed tables (or the options) without it."""

    name: str
    applies: Callable[[Frames, AllocationOptions], bool]
    tables: Callable[[Frames], Frames] = lambda full: full
    options: Mapping[str, Any] = MappingProxyType({})


def _column(name: str, table: str, column: str, off: Any, binds: Callable[[pd.Series], pd.Series]) -> Rule:
    """A rule that stands in one column: `off` is the value without it, `binds` marks the rows that have it."""
    return Rule(
        name,
        lambda full, options: bool(binds(full[table][column]).any()),
        lambda full: full | {table: full[table].assign(**{column: off})},
    )


def _rows(name: str, table: str, **where: str) -> Rule:
    """A rule that stands in rows of a table, those where the columns have these values."""

    def mine(full: Frames) -> pd.Series:
        chosen = pd.Series(True, full[table].index)
        for column, value in where.items():
            chosen &= full[table][column] == value
        return chosen

    return Rule(
        name, lambda full, options: bool(mine(full).any()), lambda full: full | {table: full[table][~mine(full)]}
    )


def _option(name: str, option: str, off: Any) -> Rule:
    return Rule(name, lambda full, options: getattr(options, option) != off, options={option: off})


RULES = (
    _column("smallest shares", "shares", "min_share", 0.0, lambda c: c > 0),
    _column("largest shares", "shares", "max_share", 1.0, lambda c: c < 1),
    _column("minimum awards", "offers", "minimum", 0.0, lambda c: c > 0),
    _column("smallest awards of items", "items", "smallest_share", 0.0, lambda c: c > 0),
    _column("minimum spend", "suppliers", "minimum_spend", 0.0, lambda c: c > 0),
    _column("fewest suppliers of items", "items", "min_suppliers", 0, lambda c: c > 0),
    _column("most suppliers of items", "items", "max_suppliers", float("nan"), lambda c: c.notna()),
    _option("fewest suppliers in all", "min_suppliers", 0),
    _option("most suppliers in all", "max_suppliers", None),
    _rows("supplier caps", "caps", kind="supplier"),
    _rows("parent caps", "caps", kind="parent"),
    _rows("region caps", "caps", kind="region"),
    _rows("required pairs", "pairs", rule="required"),
    _column("excluded pairs", "arcs", "excluded", False, lambda c: c.astype(bool)),
    _column("jurisdiction rules", "arcs", "forbidden", False, lambda c: c.astype(bool)),
    _column("incumbents: largest loss", "current_awards", "max_loss", float("nan"), lambda c: c.notna()),
    _option("incumbents: largest change", "max_change", None),
    _column("local shares", "items", "local_min_share", 0.0, lambda c: c > 0),
    _rows("carbon ceilings", "ceilings", kind="carbon"),
    _rows("budgets", "ceilings", kind="budget"),
    _column("survival of a loss", "items", "survives", "none", lambda c: c != "none"),
    _option("cost limit", "cost_limit", None),
)


def price_rules(
    full: Frames, options: AllocationOptions, search: SolveOptions, objective: float, start: Values, seconds: float
) -> tuple[pd.DataFrame, list[str]]:
    """rule, cost_without, saving and at_most of each rule that the case has, dearest first, and the names of those
    for which the seconds did not suffice."""
    chosen = [rule for rule in RULES if rule.applies(full, options)]
    deadline, rows, skipped = time.monotonic() + seconds, [], []
    for n, rule in enumerate(chosen):
        share = (deadline - time.monotonic()) / (len(chosen) - n)
        free_options = options.model_copy(update=dict(rule.options))
        free = prepare(rule.tables(full), free_options)
        outcome = find(free, Control(part_of_time(search, share)), start).outcome if share > 0 else None
        if outcome is None or outcome.objective is None:
            skipped.append(rule.name)
            continue
        cost = min(outcome.objective, objective)
        at_most = None if outcome.bound is None else max(objective - outcome.bound, 0.0)
        rows.append((rule.name, cost, objective - cost, at_most))
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.sort_values(["saving", "rule"], ascending=[False, True], ignore_index=True), skipped
