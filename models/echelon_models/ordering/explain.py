"""Why a case is infeasible, in business words: which hard limits stand in the way, by how much, what would do."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from echelon.errors import Finding, Suggestion
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon.tables import Frames
from echelon_models.ordering.formulation import build
from echelon_models.ordering.sets import Sets, beyond_capacity

TOLERANCE = 1e-6


def explain(sets: Sets, full: Frames, options: SolveOptions) -> list[Finding]:
    """Solve once more with every hard limit elastic and report those that had to give; with the suggested values
    the case is feasible. Empty if even that found no answer."""
    sets = beyond_capacity(sets)
    m = build(sets, elastic=True)
    limited = options.model_copy(update={"gap": 0.01})
    if not highs.solve(m, limited).outcome.has_plan:
        return []
    period = full["periods"].set_index("t")["period"]
    findings: list[Finding] = [*_broken_limits(m, sets, period)]
    findings += [_share(m, sets, *key) for key in m.share_missed if pyo.value(m.share_missed[key]) > TOLERANCE]
    findings += [_fill_rate(m, sets, i, l) for i, l in m.below_fill if _is_broken_fill(m, sets, i, l)]
    findings += _shortages(m, sets, period)
    return findings


def _broken_limits(m: Any, sets: Sets, period: Any) -> Iterator[Suggestion]:
    """Each hard limit that had to give."""
    for (d, t), row in sets.budgets.items():
        if row.hard and (over := pyo.value(m.budget_excess[d, t])) > TOLERANCE:
            key = {"department": d, "period": period[t]}
            yield _limit("budgets", "amount", key, d or "the whole company", row.amount, over, "money")
    for (l, t), row in sets.storage.items():
        if row.hard and (over := pyo.value(m.storage_excess[l, t])) > TOLERANCE:
            yield _limit("storage", "capacity", {"site": l, "period": period[t]}, l, row.capacity, over, "m³")
    for (s, measure, t), row in sets.capacity.items():
        if row.hard and (over := pyo.value(m.capacity_excess[s, measure, t])) > TOLERANCE:
            key = {"supplier": s, "measure": measure, "period": period[t]}
            yield _limit("supplier_capacity", "capacity", key, s, row.capacity, over, measure)


def _limit(
    table: str, column: str, key: dict[str, str], who: str, capacity: float, over: float, unit: str
) -> Suggestion:
    would_do = _up(capacity + over)
    return Suggestion(
        table=table,
        column=column,
        value=f"{capacity:g}",
        rule=f"the hard limit of {who} in {key['period']} is too small by {over:,.6g} {unit}",
        remedy=f"{would_do} would do, or make it soft (hard = false)",
        key=key,
        every=("period",),
        would_do=float(would_do),
    )


def _share(m: Any, sets: Sets, s: str, i: str, side: str) -> Suggestion:
    missed = pyo.value(m.share_missed[s, i, side])
    whole = sum(pyo.value(m.quantity[o]) for o in sets.orders if o[1] == i)
    share = sets.shares[s, i].min_share if side == "min" else sets.shares[s, i].max_share
    part = missed / whole if whole > 0 else 0.0
    would_do = math.floor((share - part) * 1e4) / 1e4 if side == "min" else math.ceil((share + part) * 1e4) / 1e4
    would_do = min(max(would_do, 0.0), 1.0)
    return Suggestion(
        table="shares",
        column=f"{side}_share",
        value=f"{share:g}",
        rule=f"the {'smallest' if side == 'min' else 'largest'} share of {s} in {i} is missed by {missed:,.6g} units",
        remedy=f"{would_do:g} would do",
        key={"supplier": s, "item": i},
        would_do=would_do,
    )


def _is_broken_fill(m: Any, sets: Sets, i: str, l: str) -> bool:
    return sets.places[i, l].fill_rate_hard and pyo.value(m.below_fill[i, l]) > TOLERANCE


def _fill_rate(m: Any, sets: Sets, i: str, l: str) -> Suggestion:
    missed = pyo.value(m.below_fill[i, l])
    demand = sum(q for (item, site, _), q in sets.demand.items() if (item, site) == (i, l))
    rate = sets.places[i, l].fill_rate
    would_do = max(math.floor((rate - missed / demand) * 1e4) / 1e4, 0.0)
    return Suggestion(
        table="shortages",
        column="fill_rate",
        value=f"{rate:g}",
        rule=f"the hard fill rate of {i} at {l} is missed by {missed:,.6g} units",
        remedy=f"{would_do:g} would do, or make it soft (hard = false)",
        key={"item": i, "site": l},
        every=("site", "item"),
        would_do=would_do,
    )


def _shortages(m: Any, sets: Sets, period: Any) -> list[Suggestion]:
    """Places where no shortage is allowed and some could not be helped: one finding each."""
    missing: dict[tuple[str, str], dict[int, float]] = {}
    for i, l, t in m.lost:
        if sets.places[i, l].policy == "none" and (units := pyo.value(m.lost[i, l, t])) > TOLERANCE:
            missing.setdefault((i, l), {})[t] = units
    findings = []
    for (i, l), short in missing.items():
        units, first, last = sum(short.values()), period[min(short)], period[max(short)]
        rule = f"demand of {i} at {l} cannot all be served: {units:,.6g} units are missing from {first} to {last}"
        remedy = f"Allow backorder or lost there, or bring in {_up(units)} units by {first}"
        where: dict[str, Any] = {"key": {"item": i, "site": l}, "every": ("site", "item"), "would_do": "backorder"}
        findings.append(Suggestion("shortages", rule, remedy, column="policy", value="none", **where))
    return findings


def _up(value: float) -> str:
    """`value` rounded up to two decimals: what is suggested must do."""
    return f"{math.ceil(value * 100 - 1e-5) / 100:.2f}".rstrip("0").rstrip(".")
