"""Why a case is infeasible, in business words: which demand or hard limit stands in the way, by how much."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pyomo.environ as pyo

from echelon.errors import Finding, Suggestion
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon.tables import Frames
from echelon_models.network.formulation import build
from echelon_models.network.schema import NO_LIMIT
from echelon_models.network.sets import Sets

TOLERANCE = 1e-6


def explain(sets: Sets, full: Frames, options: SolveOptions) -> list[Finding]:
    """Solve once more with demand that may be refused and every hard limit elastic, and report what had to give; with
    the suggested values the case is feasible. Empty if even that found no answer."""
    m = build(sets, elastic=True)
    if not highs.solve(m, options.model_copy(update={"gap": 0.01})).outcome.has_plan:
        return []
    period = full["periods"].set_index("t")["period"]
    return [
        *_refused(m, sets, period),
        *_site_limits(m, sets, period),
        *_amounts(m, sets, period),
        *_returns(m, sets, period),
        *_backup(m, sets, period),
    ]


def _refused(m: Any, sets: Sets, period: Any) -> list[Finding]:
    """Demand that cannot be served: one finding a product and period."""
    missing: dict[tuple[str, int], float] = defaultdict(float)
    for c, p, t in m.refused:
        if not sets.may_refuse(c):
            missing[p, t] += sets.demand[c, p, t] * m.refused[c, p, t].value
    return [
        Finding(
            "demand",
            f"{units:,.6g} units of {p} in {period[t]} cannot be served",
            "Add capacity, supply, sites or deliveries for as much, or an unserved_cost",
            column="quantity",
            value=f"{sets.most[p, t]:g}",
        )
        for (p, t), units in missing.items()
        if units > TOLERANCE * max(1.0, sets.most[p, t])
    ]


def _site_limits(m: Any, sets: Sets, period: Any) -> list[Suggestion]:
    findings = []
    for key in m.sites_amiss:
        if (over := round(m.sites_amiss[key].value, 6)) <= TOLERANCE:
            continue
        region, kind, counts, t = key
        row = sets.site_limits[key]
        rule = m.sites_at_most[key] if row.maximum < NO_LIMIT else m.sites_at_least[key]
        many = row.maximum < NO_LIMIT and pyo.value(rule.body) + over > row.maximum
        column = "maximum" if many else "minimum"
        limit = row.maximum if many else row.minimum
        would_do = math.ceil(limit + over) if many else math.floor(limit - over)
        who = " ".join(part for part in (counts, "" if kind == "any" else kind, region) if part)
        findings.append(
            Suggestion(
                "site_limits",
                f"the {'largest' if many else 'smallest'} number of sites ({who}) in {period[t]} is missed by {over:g}",
                f"{would_do} would do",
                column=column,
                value=str(limit),
                key={"region": region, "kind": kind, "counts": counts} | _at(period, t),
                every=("period",),
                would_do=would_do,
            )
        )
    return findings


def _amounts(m: Any, sets: Sets, period: Any) -> list[Finding]:
    """Hard budgets, service limits and carbon caps that are broken."""
    findings: list[Finding] = []
    for t, row in sets.budgets.items():
        if row.hard and (over := m.budget_excess[t].value) > TOLERANCE:
            findings.append(_limit("budgets", "amount", "the hard budget", period, t, row.amount, over, "money", 1.0))
    for t in m.carbon_excess:
        row = sets.carbon[t]
        if row.hard and (over := m.carbon_excess[t].value) > TOLERANCE:
            findings.append(_limit("carbon", "cap", "the hard cap", period, t, row.cap, over, "t CO2", sets.years[t]))
    for key, row in sets.service.items():
        if row.hard and (over := m.service_excess[key].value) > TOLERANCE:
            group, measure, within, t = key
            demand = sum(q for (c, _, u), q in sets.demand.items() if u == t and group in ("", sets.customers[c].group))
            would_do = max(math.floor((row.share - over / demand) * 1e4) / 1e4, 0.0)
            findings.append(
                Suggestion(
                    "service_limits",
                    f"the hard service limit of {group or 'all customers'} within {within:g} in "
                    f"{period[t]} is missed by {over:,.6g} units",
                    f"{would_do:g} would do, or make it soft (hard = false)",
                    column="share",
                    value=f"{row.share:g}",
                    key={"group": group, "measure": measure, "within": f"{within:g}"} | _at(period, t),
                    every=("period",),
                    would_do=would_do,
                )
            )
    return findings


def _at(period: Any, t: int) -> dict[str, str]:
    """The period in the key of a row; where there is only one, rows need not name it."""
    return {"period": period[t]} if len(period) > 1 else {}


def _limit(
    table: str, column: str, what: str, period: Any, t: int, limit: float, over: float, unit: str, years: float
) -> Suggestion:
    would_do = math.ceil((limit + over) / years * 100 - 1e-5) / 100
    return Suggestion(
        table,
        f"{what} of {period[t]} is too small by {over:,.6g} {unit}",
        f"{would_do:.2f} would do, or make it soft (hard = false)",
        column=column,
        value=f"{limit / years:g}",
        key=_at(period, t),
        every=("period",),
        would_do=would_do,
    )


def _returns(m: Any, sets: Sets, period: Any) -> list[Finding]:
    left: dict[tuple[str, int], float] = defaultdict(float)
    for c, p, t in m.left_behind:
        left[p, t] += sets.returned[c, p, t] * m.left_behind[c, p, t].value
    return [
        Finding(
            "returns",
            f"{units:,.6g} units of {p} that come back in {period[t]} find no site with room for them",
            "Raise capacity or disposal_limit in recovery",
            column="quantity",
        )
        for (p, t), units in left.items()
        if units > TOLERANCE
    ]


def _backup(m: Any, sets: Sets, period: Any) -> list[Finding]:
    """Sites whose failure the others cannot cover: one finding a site and period."""
    bare: dict[tuple[str, int], float] = defaultdict(float)
    for f, c, p, t in m.uncovered:
        bare[f, t] += sets.demand[c, p, t] * m.uncovered[f, c, p, t].value
    return [
        Finding(
            "options",
            f"should {f} fail in {period[t]}, no other site can take over {units:,.6g} units",
            "Lower backup_cover, or add capacity or deliveries elsewhere",
            column="backup_cover",
            value=f"{sets.backup_cover:g}",
        )
        for (f, t), units in bare.items()
        if units > TOLERANCE
    ]
