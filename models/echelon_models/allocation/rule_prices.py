"""What each rule of a case costs a year: the case solved once more without it, from the plan on."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd

from echelon.explain import rules
from echelon.explain.rules import without_column, without_option, without_rows
from echelon.solvers.outcome import Control, Outcome, SolveOptions
from echelon.tables import Frames
from echelon_models.allocation.awards import Values
from echelon_models.allocation.schema import AllocationOptions
from echelon_models.allocation.search import find, part_of_time
from echelon_models.allocation.sets import prepare

RULES = (
    without_column("smallest shares", "shares", "min_share", 0.0, lambda c: c > 0),
    without_column("largest shares", "shares", "max_share", 1.0, lambda c: c < 1),
    without_column("minimum awards", "offers", "minimum", 0.0, lambda c: c > 0),
    without_column("smallest awards of items", "items", "smallest_share", 0.0, lambda c: c > 0),
    without_column("minimum spend", "suppliers", "minimum_spend", 0.0, lambda c: c > 0),
    without_column("fewest suppliers of items", "items", "min_suppliers", 0, lambda c: c > 0),
    without_column("most suppliers of items", "items", "max_suppliers", float("nan"), lambda c: c.notna()),
    without_option("fewest suppliers in all", "min_suppliers", 0),
    without_option("most suppliers in all", "max_suppliers", None),
    without_rows("supplier caps", "caps", kind="supplier"),
    without_rows("parent caps", "caps", kind="parent"),
    without_rows("region caps", "caps", kind="region"),
    without_rows("required pairs", "pairs", rule="required"),
    without_column("excluded pairs", "arcs", "excluded", False, lambda c: c.astype(bool)),
    without_column("jurisdiction rules", "arcs", "forbidden", False, lambda c: c.astype(bool)),
    without_column("incumbents: largest loss", "current_awards", "max_loss", float("nan"), lambda c: c.notna()),
    without_option("incumbents: largest change", "max_change", None),
    without_column("local shares", "items", "local_min_share", 0.0, lambda c: c > 0),
    without_rows("carbon ceilings", "ceilings", kind="carbon"),
    without_rows("budgets", "ceilings", kind="budget"),
    without_column("survival of a loss", "items", "survives", "none", lambda c: c != "none"),
    without_option("cost limit", "cost_limit", None),
)


def price_rules(
    full: Frames, options: AllocationOptions, search: SolveOptions, objective: float, start: Values, seconds: float
) -> tuple[pd.DataFrame, list[str]]:
    """The result table `rule_prices` of the rules that the case has, and the names of those for which the seconds did
    not suffice."""

    def solve(tables: Frames, changed: Any, share: float) -> Outcome:
        return find(prepare(tables, changed), Control(part_of_time(search, share)), start).outcome

    return rules.price_rules(RULES, full, options, solve, objective, time.monotonic() + seconds)
