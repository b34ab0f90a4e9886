"""Sweeps: one number of a case varied, alone (one-way, tornado) or two together (grid)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.edits import COMPARISONS, Edit
from echelon.errors import Finding, InputError
from echelon.run import Source
from echelon.study.scenarios import Scenario
from echelon.study.study import Study, run_study

AS_IS = "as it is"
DIAL = re.compile(r"\s*(\w+)\.(\w+)\s*(?:\[(.*)\]\s*)?")
TORNADO = ["column", "low_level", "low_difference", "high_level", "high_difference", "swing"]
CONDITION = re.compile(r"\s*(\w+)\s*(!=|<=|>=|=|<|>)\s*(.*?)\s*")


@dataclass(frozen=True)
class Dial:
    """A column of numbers of a table (or of the rows that `where` finds), or an option, that can be turned."""

    text: str
    table: str
    column: str
    where: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Turn:
    """A dial turned: its cells multiplied by a factor, or set to a value."""

    dial: Dial
    level: float
    is_factor: bool

    @property
    def name(self) -> str:
        return f"{self.dial.text} {'x' if self.is_factor else '='} {self.level:g}"

    @property
    def edit(self) -> Edit:
        where = {"table": self.dial.table, "column": self.dial.column, "where": self.dial.where}
        return Edit.model_validate(where | {"scale" if self.is_factor else "set": self.level})


@dataclass(frozen=True)
class Sweep:
    """`table` has a row a scenario: the dials' levels, the objective, and its difference from the case as it is, with
    the least and the most that the difference of the best plans can be (the gaps of both runs are in it). `tornado` has
    a row a dial, widest swing first; empty for a grid."""

    study: Study
    table: pd.DataFrame
    tornado: pd.DataFrame


def parse_dial(text: str) -> Dial:
    """The dial in a text such as `options.holding_rate` or `budgets.amount[department = Tools, period >= 2026-03]`.
    Raises InputError if the text is none."""
    found = DIAL.fullmatch(text)
    conditions = [CONDITION.fullmatch(part) for part in found[3].split(",")] if found and found[3] else []
    if found is None or None in conditions:
        remedy = f"Write table.column, or table.column[name = value, ...] with one of {', '.join(COMPARISONS)}"
        raise InputError([Finding("sweep", "names no column", remedy, column="column", value=text)])
    where: dict[str, Any] = {}
    for condition in conditions:
        if condition is not None:
            where.setdefault(condition[1], {})[condition[2]] = condition[3]
    return Dial(text.strip(), found[1], found[2], where)


def run_sweep(
    source: Source,
    dials: Sequence[Dial],
    folder: str | Path,
    family: str | None = None,
    *,
    by: Sequence[float] = (),
    to: Sequence[float] = (),
    grid: bool = False,
    **how: Any,
) -> Sweep:
    """Solve the case as it is and with each dial multiplied `by` factors or set `to` values: one dial at a time or,
    with `grid`, two dials in all combinations. `how` goes to `run_study`. Raises InputError where `run_study` does."""
    _must_be_clear(dials, by, to, grid)
    turns = [[Turn(dial, level, bool(by)) for level in by or to] for dial in dials]
    together = list(itertools.product(*turns)) if grid else [(turn,) for alone in turns for turn in alone]
    scenarios = [Scenario(AS_IS), *(_scenario(parts) for parts in together)]
    rows = [{"scenario": AS_IS}, *(_levels(parts) for parts in together)]
    study = run_study(source, scenarios, folder, family, kind="sweep", **how)
    table = _table(pd.DataFrame(rows), study.results)
    tornado = _tornado(table) if not grid else pd.DataFrame(columns=TORNADO)
    store.write_table(table, study.folder, "sweep")
    store.write_table(tornado, study.folder, "tornado")  # of a grid an empty one, over that of an earlier sweep
    return Sweep(study, table, tornado)


def _must_be_clear(dials: Sequence[Dial], by: Sequence[float], to: Sequence[float], grid: bool) -> None:
    """Raise InputError if the sweep is not one."""
    findings = []
    if bool(by) == bool(to):
        remedy = "Give either factors (by) or values (to)"
        findings.append(Finding("sweep", "has no levels" if not by else "has factors and values", remedy))
    if grid and len(dials) != 2:
        findings.append(Finding("sweep", f"a grid has two columns, not {len(dials)}", "Name two columns"))
    if not dials:
        findings.append(Finding("sweep", "varies nothing", "Name a column"))
    twice = [dial.text for n, dial in enumerate(dials) if dial in dials[:n]]
    findings += [Finding("sweep", "the column stands twice", "Name it once", value=text) for text in twice]
    levels = [*by, *to]
    if len(set(levels)) < len(levels):
        findings.append(Finding("sweep", "a level stands twice", "Give each once", value=str(levels)))
    if findings:
        raise InputError(findings)


def _scenario(parts: Sequence[Turn]) -> Scenario:
    """The scenario in which these dials are turned."""
    return Scenario(", ".join(turn.name for turn in parts), tuple(turn.edit for turn in parts), parent=AS_IS)


def _levels(parts: Sequence[Turn]) -> dict[str, Any]:
    """Its row of the sweep's table: column and level of the first dial, column_2 and level_2 of the second."""
    row: dict[str, Any] = {"scenario": _scenario(parts).name}
    for tail, turn in zip(("", "_2"), parts, strict=False):
        row |= {f"column{tail}": turn.dial.text, f"level{tail}": turn.level}
    return row


def _table(levels: pd.DataFrame, results: pd.DataFrame) -> pd.DataFrame:
    """The sweep's table: levels, objective and difference from the case as it is.

    Every best cost lies between bound and objective, so the difference of two lies between (bound - objective as it is)
    and (objective - bound as it is).
    """
    table = levels.merge(results[["scenario", "ended", "objective", "bound", "gap"]], on="scenario", how="left")
    base = table.iloc[0]
    return table.assign(
        difference=table["objective"] - base["objective"],
        least_difference=(table["bound"] - base["objective"]).where(table.index > 0, 0.0),
        most_difference=(table["objective"] - base["bound"]).where(table.index > 0, 0.0),
    )


def _tornado(table: pd.DataFrame) -> pd.DataFrame:
    """One row a dial: the difference at its lowest and highest level, and how far all its levels lie apart."""
    rows = []
    for column, group in table.iloc[1:].groupby("column", sort=False):
        low, high = group.loc[group["level"].idxmin()], group.loc[group["level"].idxmax()]
        spread = [*group["difference"].dropna(), 0.0]
        ends = [low["level"], low["difference"], high["level"], high["difference"]]
        rows.append([column, *ends, max(spread) - min(spread)])
    return pd.DataFrame(rows, columns=TORNADO).sort_values("swing", ascending=False, ignore_index=True)
