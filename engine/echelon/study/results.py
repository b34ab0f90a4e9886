"""The results of a study as one table: a row a scenario, and the measures that its columns are read by."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from echelon.errors import Finding, InputError
from echelon.run import Run
from echelon.validate import did_you_mean

COST, KPI = "cost.", "kpi."  # what the columns of cost lines and of key figures begin with
LEADING = ["scenario", "family", "ended", "limit", "objective", "bound", "gap", "seconds"]
CLOSING = ["constraint", "why", "run"]


@dataclass(frozen=True)
class Failure:
    """Why a scenario has no plan: how it ended, in words, and what was found."""

    ended: str  # bad input, infeasible, unbounded, no_solution, failed, recheck failed, lost, error
    message: str
    findings: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def lasts(self) -> bool:
        """Whether running the scenario again would end the same; what only ran out of time is tried again."""
        return self.ended in ("infeasible", "unbounded", "recheck failed")


def run_row(scenario: str, run: Run, folder: str) -> dict[str, Any]:
    """The row of a scenario with a plan; of the key figures, those that are one number."""
    o = run.outcome
    figures = {name: value for name, value in run.kpis.items() if is_number(value)}
    return {
        "scenario": scenario,
        "family": run.family,
        "ended": str(o.termination),
        "limit": o.limit or "",
        "objective": o.objective,
        "bound": o.bound,
        "gap": o.gap,
        "seconds": o.seconds,
        **{f"{COST}{name}": value for name, value in run.costs.items()},
        **{f"{KPI}{name}": float(value) for name, value in figures.items()},
        "constraint": run.page.constraint,
        "why": "",
        "run": folder,
    }


def failure_row(scenario: str, family: str, failure: Failure) -> dict[str, Any]:
    """The row of a scenario without a plan: `why` says what stands in the way."""
    why = "; ".join([failure.message, *failure.findings])
    known = {"scenario": scenario, "family": family, "ended": failure.ended, "seconds": failure.seconds}
    return known | {"limit": "", "constraint": "", "why": why, "run": ""}


def results_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows as one table: how each ended, then every cost line and key figure that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    costs = [name for name in names if name.startswith(COST)]
    figures = [name for name in names if name.startswith(KPI)]
    table = pd.DataFrame(list(rows), columns=[*LEADING, *costs, *figures, *CLOSING])
    numbers = ["objective", "bound", "gap", "seconds", *costs, *figures]
    return table.astype(dict.fromkeys(numbers, "float64"))


def measure(results: pd.DataFrame, name: str) -> pd.Series:
    """A column of numbers of the results: objective, cost.NAME, kpi.NAME; or several, as in "objective - cost.holding".
    Raises InputError if there is none such."""
    numbers = [str(column) for column in results.select_dtypes("number").columns]
    first, *more = re.split(r"\s+([+-])\s+", name)
    terms = [("+", first), *zip(more[::2], more[1::2], strict=True)]
    unknown = [term for _, term in terms if term not in numbers]
    if unknown:
        findings = [Finding("results", "no such measure", did_you_mean(t, numbers), value=t) for t in unknown]
        raise InputError(findings)
    total = sum((results[term] if sign == "+" else -results[term]) for sign, term in terms)
    return pd.Series(total, index=results.index, dtype="float64")


def is_number(value: Any) -> bool:
    """Whether a key figure is one finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
