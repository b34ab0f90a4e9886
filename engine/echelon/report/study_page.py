"""The report of a stored study, from the tables in its folder: the same page whenever it is written."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.charts import Chart, Frontier, Tornado
from echelon.errors import Finding, InputError
from echelon.report import study_report
from echelon.report.numbers import PERCENT, amount
from echelon.report.shared import scenario_chart
from echelon.study.results import COST
from echelon.study.study import RECORD, RESULTS, SCHEMA_VERSION

TOLD = 12  # scenarios of which the first screen says what holds them back
FIRST_SENTENCE = re.compile(r"(?<=\.) (?=[A-Z])")
LOW, HIGH = "lowest level", "highest level"


@dataclass(frozen=True)
class _Answer:
    """What a kind of study found: its table with a row a scenario, which column is compared (blank: none), charts."""

    headline: str
    results: pd.DataFrame
    compared: str = "objective"
    charts: list[Chart] = field(default_factory=list)
    statements: dict[str, str] = field(default_factory=dict)


def stored_study_report(folder: Path) -> str:
    """The report of the study in this folder. Raises InputError if there is none, or it is not whole."""
    record = _record(folder)
    money = record["currency"] or "money"
    answer = _ANSWERS[record["kind"]](folder, _table(folder, RESULTS), money)
    costs = [name for name in answer.results if str(name).startswith(COST)]
    units = dict.fromkeys(["objective", "bound", "total", "more_than_together", *costs], money)
    return study_report(
        f"{record['case']}: {record['kind']}",
        answer.results,
        headline=answer.headline,
        compared=answer.compared,
        charts=answer.charts,
        statements=answer.statements,
        units=units | {"gap": PERCENT, "share_more": PERCENT, "seconds": "s"},
        facts=record["options"] | record["versions"],
    )


def _record(folder: Path) -> dict[str, Any]:
    """The content of study.json. Raises InputError if it cannot be used."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _damaged(folder, f"{RECORD} cannot be read") from None
    known = isinstance(record, dict) and record.get("schema_version") == SCHEMA_VERSION
    if not known or record.get("kind") not in _ANSWERS:
        raise _damaged(folder, f"{RECORD} is of another version or kind")
    return dict(record)


def _table(folder: Path, name: str) -> pd.DataFrame:
    try:
        return pd.read_parquet(folder / f"{name}.parquet")
    except (OSError, ValueError):
        raise _damaged(folder, f"{name}.parquet cannot be read") from None


def _damaged(folder: Path, rule: str) -> InputError:
    return InputError([Finding("study", rule, "Make the study again: finished runs are kept", value=str(folder))])


def _scenarios(folder: Path, results: pd.DataFrame, money: str) -> _Answer:
    """Scenarios compared by what they cost; what holds each back, or why it has no plan, in words."""
    known = results[results["objective"].notna()]
    if known.empty:
        return _Answer("No scenario has a plan", results, statements=_in_words(results))
    costs = known.set_index("scenario")["objective"]
    shown, statements = results.drop(columns="run"), _ends(costs, money)
    if len(results) <= TOLD:
        shown, statements = shown.drop(columns=["constraint", "why"]), statements | _in_words(results)
    if len(known) == 1:
        return _Answer(f"{costs.index[0]} costs {amount(costs.iloc[0], money)}", shown, statements=statements)
    headline = f"The scenarios cost {amount(costs.min(), money)} to {amount(costs.max(), money)}"
    return _Answer(headline, shown, statements=statements)


def _ends(costs: pd.Series, money: str) -> dict[str, str]:
    """The cost of the first scenario, and by how much the cheapest and the dearest differ from it."""
    base = costs.iloc[0]
    told = {"the first scenario": f"{amount(base, millions=math.inf)} {money}: {costs.index[0]}"}
    for name, other in (("the cheapest", costs.idxmin()), ("the dearest", costs.idxmax())):
        if other != costs.index[0] and base:
            told[name] = f"{(costs[other] - base) / abs(base):+.1%} {other}"
    return told


def _in_words(results: pd.DataFrame) -> dict[str, str]:
    """What holds each scenario back, in the first sentence of what is said of it, or why it has no plan."""
    first = results["constraint"].map(lambda text: FIRST_SENTENCE.split(str(text), maxsplit=1)[0])
    words = first.where(results["objective"].notna(), "No plan: " + results["why"])
    return dict(zip(results["scenario"].astype(str), words.astype(str), strict=True))


def _sweep(folder: Path, results: pd.DataFrame, money: str) -> _Answer:
    """One dial at a time: the tornado. Two together: their scenarios."""
    base = results["objective"].iloc[0] if len(results) else float("nan")
    known = _table(folder, "tornado").dropna(subset=["low_difference", "high_difference"])
    if known.empty or pd.isna(base):
        return _scenarios(folder, results, money)
    widest = known.iloc[0]
    title = f"{widest['column']} moves the cost most: by {amount(widest['swing'], money)}"
    data = pd.DataFrame(
        {"input": known["column"], LOW: base + known["low_difference"], HIGH: base + known["high_difference"]}
    ).assign(**{"low": known["low_level"], "high": known["high_level"]})
    note = "Cost with each input alone at its lowest and at its highest level, widest swing first."
    units = {LOW: money, HIGH: money}
    chart = Tornado(title=title, note=note, data=data, units=units, label="input", low=LOW, high=HIGH, base=base)
    levels = scenario_chart(results, "objective", money)
    charts = [chart, *([levels] if levels else [])]
    return replace(_scenarios(folder, results, money), headline=title, compared="", charts=charts)


def _frontier(folder: Path, results: pd.DataFrame, money: str) -> _Answer:
    """Points by two aims, with their knee; their objectives are not compared: each has another limit."""
    points = _table(folder, "frontier")
    after = list(points).index("gap")
    x, y = points.columns[after - 2 : after]  # the two aims
    found = points[points[[x, y]].notna().all(axis=1)]
    if found.empty:
        return _Answer("No point of the frontier has a plan", results, compared="")
    knees = found[found["knee"]]
    headline = f"No knee: what is given up of {y} for {x} stays in proportion"
    if len(knees):
        knee = knees.iloc[0]
        headline = f"The knee is {knee['scenario']}: {x} {amount(knee[x])}, {y} {amount(knee[y])}"
    data = found[list(dict.fromkeys(["scenario", "level", x, y]))].assign(best=~found["dominated"])
    note = "Each point is a plan; those on the line are beaten by no other in both."
    if found["dominated"].any():
        note += " At the others the limit did not bind, or a smaller gap would tell them apart."
    knee_name = str(knees["scenario"].iloc[0]) if len(knees) else ""
    chart = Frontier(title=headline, note=note, data=data, label="scenario", x=x, y=y, efficient="best", knee=knee_name)
    return _Answer(headline, results, compared="", charts=[chart])


def _silos(folder: Path, results: pd.DataFrame, money: str) -> _Answer:
    """Plans of single functions by what they cost the whole; the objectives of their own cases say nothing."""
    table = _table(folder, "silos")
    if table.empty:
        return _Answer("No function has a plan", results, compared="")
    table = table.rename(columns={"plan": "scenario"})
    dearest = table.loc[table["total"].idxmax()]
    more = dearest["more_than_together"]
    headline = f"Planned by {dearest['scenario']} alone, the whole costs {amount(more, money)} more than together"
    if pd.isna(more) or more <= 0:
        headline = "No function's own plan is known to cost the whole more"
    chart = scenario_chart(table.rename(columns={"scenario": "plan"}), "total", money, label="plan")
    return _Answer(headline, table, compared="", charts=[chart] if chart else [])


_ANSWERS: dict[str, Callable[[Path, pd.DataFrame, str], _Answer]] = {
    "scenarios": _scenarios,
    "sweep": _sweep,
    "frontier": _frontier,
    "silos": _silos,
}


def add_study_report(folder: Path) -> Path:
    """Write the report of a stored study into its folder. Raises InputError if the folder is no study."""
    return store.add_report(folder, stored_study_report(folder))
