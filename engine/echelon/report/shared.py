"""What any run or study has: its answer in a sentence; charts of its cost lines, its shared limits, its scenarios."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from echelon.charts import Bars, Chart, Heat
from echelon.report.numbers import PERCENT, amount
from echelon.solvers.outcome import Outcome

COLUMNS = {"limit", "name", "unit", "capacity", "use", "excess", "price"}  # of a result table of limits
LIMITS, CELLS = 30, 2000  # limits that are drawn, the fullest first; cells of their grid
PROVEN = 5e-6  # a gap below this is told as none
CENT = 0.005  # cost lines below this are not told
EXCEEDED = 1e-6  # part of its capacity from which on a limit counts as exceeded


def answer(outcome: Outcome, currency: str, what: str = "The plan") -> str:
    """The answer in one sentence: what `what` costs (or brings) and how far from the best it can be."""
    cost, gap = outcome.objective or 0.0, outcome.gap
    told = amount(abs(cost), currency, millions=math.inf)
    verb, above, best = ("brings in", "below", "most") if cost < 0 else ("costs", "above", "least")
    if gap is None:
        return f"{what} {verb} {told}; how far that is from the best is not known"
    if gap < PROVEN:
        return f"{what} {verb} {told}, the {best} that is possible"
    return f"{what} {verb} {told}, at most {gap:.2%} {above} the {best} that is possible"


def cost_chart(costs: Mapping[str, float], money: str) -> Chart | None:
    """The cost lines, largest first."""
    lines = pd.Series(costs, dtype="float64")
    lines = lines[lines.abs() >= CENT].sort_values(ascending=False, kind="stable")
    if lines.empty:
        return None
    total, others = float(lines.sum()), float(lines.iloc[1:].sum())
    first = f"{lines.index[0].capitalize()}: {amount(lines.iloc[0], money)}"
    data = pd.DataFrame({"cost line": lines.index, "cost": lines.to_numpy()})
    data["share of the total"] = data["cost"] / total if total else 0.0
    return Bars(
        title=f"{first}; all else together: {amount(others, money)}" if len(lines) > 1 else first,
        note="Every line of the plan's cost, recomputed by the recheck; below zero is what comes back.",
        data=data,
        units={"cost": money, "share of the total": PERCENT},
        label="cost line",
        value="cost",
    )


def limit_chart(limits: pd.DataFrame | None, money: str) -> Chart | None:
    """How much of each shared limit is used: period by period where limits are told by period, else in all."""
    if limits is None or not set(limits.columns) >= COLUMNS:
        return None  # a family may call something else by this name
    known = limits[limits["capacity"] > 0].replace({"unit": {"money": money}})
    if known.empty:
        return None
    data = known.assign(
        what=_names(known),
        used=known["use"] / known["capacity"],
        exceeded=known["excess"] > EXCEEDED * known["capacity"],
    )
    fullest = data.groupby("what")["used"].mean().sort_values(ascending=False, kind="stable")
    by_period = "period" in data
    periods = data["period"].nunique() if by_period else 1
    drawn = fullest.index[: max(min(LIMITS, CELLS // periods), 1)]
    order = {name: place for place, name in enumerate(drawn)}
    rows = data[data["what"].isin(drawn)].sort_values("what", key=lambda names: names.map(order), kind="stable")
    tight = data.loc[data["price"] > 0, "what"].nunique()
    unpriced = len(set(data["what"]) - set(data.loc[data["price"].notna(), "what"]))
    columns = ["what", *(["period"] if by_period else []), "used", "use", "capacity", "unit", "price", "exceeded"]
    left = len(fullest) - len(drawn)
    common: dict[str, object] = {
        "title": f"{tight} of {len(fullest)} limits {'holds' if tight == 1 else 'hold'} the plan back; fullest is "
        f"{drawn[0]}: {fullest.iloc[0]:.0%}{' on average' if by_period else ''}",
        "note": "Use over capacity. A limit holds the plan back where one more unit of it would save money."
        + (f" Of {unpriced:,} of them no price tells what more is worth." if unpriced else "")
        + (f" {left:,} limits that are used less are not drawn." if left else ""),
        "data": rows[columns].rename(columns={"what": "limit", "price": "one more unit saves"}),
        "units": {"used": PERCENT, "one more unit saves": money},
    }
    if by_period:
        return Heat(**common, row="limit", column="period", value="used", flag="exceeded")  # type: ignore[arg-type]
    return Bars(**common, label="limit", value="used")  # type: ignore[arg-type]


def _names(limits: pd.DataFrame) -> pd.Series:
    """Kind and name of each limit, with its unit where the same limit is counted in several."""
    names = limits["limit"] + limits["name"].map(lambda name: f" of {name}" if name else "")
    units = limits["unit"].groupby(names).transform("nunique")
    return names.where(units == 1, names + " (" + limits["unit"] + ")")


def scenario_chart(results: pd.DataFrame, compared: str, unit: str, label: str = "scenario") -> Chart | None:
    """Scenarios (or what else the column `label` names) by the figure compared, each against the first that has one."""
    known = results[results[compared].notna()]
    if known.empty:
        return None
    base, best = str(known[label].iloc[0]), known.loc[known[compared].idxmin()]
    lowest = f"{best[label]} has the lowest {compared}: {amount(best[compared], unit)}"
    failed = len(results) - len(known)
    return Bars(
        title=f"No {label} has a lower {compared} than {base}" if str(best[label]) == base else lowest,
        note=f"{compared.capitalize()} by {label}, with the difference to {base}."
        + (f" {label.capitalize()}s without it: {failed:,}." if failed else ""),
        data=known[[label, compared]].astype({label: "str"}),
        units={compared: unit},
        label=label,
        value=compared,
        base=base,
    )
