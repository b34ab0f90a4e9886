"""Why a case is infeasible: which hard limits stand in the way, by how much, and what would do."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pyomo.environ as pyo

from echelon.errors import Finding, Suggestion
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon_models.positioning.formulation import build
from echelon_models.positioning.limits import UNITS
from echelon_models.positioning.problem import Problem

TOLERANCE = 1e-6
GAP = 0.01


def explain(problem: Problem, limits: pd.DataFrame, options: SolveOptions) -> list[Finding]:
    """Solve once more with every hard limit elastic and report those that had to give; with the suggested values the
    case is feasible. Empty if even that found no answer."""
    m = build(problem, limits, elastic=True)
    if not highs.solve(m, options.model_copy(update={"gap": GAP})).outcome.has_plan:
        return []
    findings: list[Finding] = []
    for l, limit in enumerate(limits.itertuples(index=False)):
        over = pyo.value(m.excess[l])
        if limit.hard and over > TOLERANCE * max(1.0, limit.capacity):
            would_do = math.ceil((limit.capacity + over) * 100 - 1e-5) / 100
            what = f"{limit.measure} of {limit.name or 'all stock'}"
            rule = f"the hard limit on {what} is too small by {over:,.6g} {UNITS[limit.measure]}"
            remedy = f"{would_do:.2f} would do, or make it soft (hard = false)"
            key = {"department": limit.department, "site": limit.site, "measure": limit.measure}
            where: dict[str, Any] = {"value": f"{limit.capacity:g}", "key": key, "would_do": would_do}
            findings.append(Suggestion("stock_limits", rule, remedy, column="capacity", **where))
    return findings
