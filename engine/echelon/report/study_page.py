"""The report of a stored study, from the tables in its folder: the same page whenever it is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.charts import Chart, Frontier, Tornado
from echelon.errors import Finding, InputError
from echelon.report import study_report
from echelon.report.numbers import PERCENT, amount
from echelon.study.results import COST
from echelon.study.study import RECORD, RESULTS, SCHEMA_VERSION

LOW, HIGH = "lowest level", "highest level"


@dataclass(frozen=True)
class _Answer:
    """What a kind of study found: its table with a row a scenario, which column is compared (blank: none), charts."""

    headline: str
    results: pd.DataFrame
    compared: str = "objective"
    charts: list[Chart] = field(default_factory=list)


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
    """Scenarios compared by what they cost."""
    known = results[results["objective"].notna()]
    if known.empty:
        return _Answer("No scenario has a plan", results)
    costs = known["objective"]
    if len(known) == 1:
        return _Answer(f"{known['scenario'].iloc[0]} costs {amount(costs.iloc[0], money)}", results)
    return _Answer(f"The scenarios cost {amount(costs.min(), money)} to {amount(costs.max(), money)}", results)


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
    return _Answer(title, results, charts=[chart])


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
    return _Answer(headline, table, compared="total")


_ANSWERS: dict[str, Callable[[Path, pd.DataFrame, str], _Answer]] = {
    "scenarios": _scenarios,
    "sweep": _sweep,
    "frontier": _frontier,
    "silos": _silos,
}


def add_study_report(folder: Path) -> Path:
    """Write the report of a stored study into its folder. Raises InputError if the folder is no study."""
    return store.add_report(folder, stored_study_report(folder))
