"""A family is one kind of decision: plain data and functions. Any installed package may bring families of its own
by an entry point in the group "echelon.families"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pandas as pd
from pydantic import BaseModel

from echelon.charts import Chart
from echelon.errors import Finding, InputError, Violation
from echelon.explain.rules import Change
from echelon.schema import Table
from echelon.solvers.outcome import Control, Outcome
from echelon.tables import Frames
from echelon.validate import Rule

GROUP = "echelon.families"


@dataclass(frozen=True)
class Answer:
    """What a family's solve returns. Without a plan, `findings` says what stands in the way, as far as is known."""

    outcome: Outcome
    plan: Frames = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)  # key figures that only the solve can know
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Recheck:
    """A plan recomputed from the tables: its cost line by line, how many rules were looked at, and those it breaks."""

    costs: dict[str, float]
    rules_checked: int
    violations: tuple[Violation, ...] = ()


@dataclass(frozen=True)
class Page:
    """What belongs on a run's one page: service in a few figures, the constraint in words, the actions that matter."""

    service: dict[str, str]
    constraint: str
    actions_title: str
    actions: pd.DataFrame


def no_charts(plan: Frames, inputs: Frames, kpis: dict[str, Any], currency: str) -> Sequence[Chart]:
    """What a family draws that declares nothing: its report shows costs, limits and result tables."""
    return ()


LEVEL = "<level>"  # stands in the edits of a frontier for the level of its limit


@dataclass(frozen=True)
class Aim:
    """What a plan is judged by: a measure of its results (objective, cost.NAME, kpi.NAME, or level: that of the limit),
    of which less is better or, with `most`, more."""

    name: str
    measure: str
    most: bool = False


@dataclass(frozen=True)
class Frontier:
    """Two aims that pull apart, and the limit by which the plans between them are found: it is set to one level after
    the other, and the rest of the cost is least (epsilon-constraint: Haimes, Lasdon & Wismer 1971).

    `edits` (as in a file of scenarios) set the limit, with LEVEL where its number goes. The levels are given, or spread
    evenly between the values of the first aim in two plans, each best in one aim alone: those after the `ends`.
    """

    name: str
    summary: str
    aims: tuple[Aim, Aim]
    edits: tuple[dict[str, Any], ...]
    levels: tuple[float, ...] = ()
    ends: tuple[tuple[dict[str, Any], ...], ...] = ()


@dataclass(frozen=True)
class Silo:
    """A function of the company that plans for its own aim alone: `edits` (as in a file of scenarios) leave only that
    aim in the case."""

    name: str
    aim: str
    edits: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Family:
    """One kind of decision.

    `rules` check across columns and tables. `complete(tables, options)` fills what the case left open (defaults, rows
    that stand for every period) before `solve` and `recheck` see the tables. `kpis(plan, tables, costs)` are the key
    figures of a plan; `page(plan, kpis, currency)` picks what the one page shows. `charts(plan, inputs, kpis,
    currency)` is what the report draws; `inputs` are the tables as validated. `files(plan, inputs)` gives the name and
    content of what goes beside the result tables into a run folder, such as a map.

    What is explained of a plan by solving again: `ease(tables, limit, name, unit, added)` are the completed tables with
    so much more of a limit (as the result table `limits` names it) in every period; `changes` are the rules that can be
    left out; `quiet` are the options with which nothing but the plan is asked for.

    For studies: `frontiers` are pairs of aims worth trading, `silos` the functions that would plan alone, and
    `restate(tables, plan)` says what the decisions of a plan made for an edited case come to in the true one.
    """

    name: str
    summary: str
    inputs: tuple[Table, ...]
    results: tuple[Table, ...]
    options: type[BaseModel]
    rules: tuple[Rule, ...]
    complete: Callable[[Frames, Any], Frames]
    solve: Callable[[Frames, Any, Control], Answer]
    recheck: Callable[[Frames, Any, Frames], Recheck]
    kpis: Callable[[Frames, Frames, dict[str, float]], dict[str, Any]]
    page: Callable[[Frames, dict[str, Any], str], Page]
    charts: Callable[[Frames, Frames, dict[str, Any], str], Sequence[Chart]] = no_charts
    ease: Callable[[Frames, str, str, str, float], Frames] | None = None
    changes: tuple[Change, ...] = ()
    quiet: Mapping[str, Any] = field(default_factory=dict)
    frontiers: tuple[Frontier, ...] = ()
    silos: tuple[Silo, ...] = ()
    restate: Callable[[Frames, Frames], Frames] | None = None
    files: Callable[[Frames, Frames], dict[str, str]] = lambda plan, inputs: {}


def families() -> dict[str, Family]:
    """The installed families by name."""
    found = (_load(entry) for entry in entry_points(group=GROUP))
    return {family.name: family for family in sorted(found, key=lambda f: f.name)}


def _load(entry: EntryPoint) -> Family:
    """The family that an installed package brings. Raises InputError if the package does not work."""
    try:
        family: Family = entry.load()
    except Exception as error:
        rule, remedy = "a family that is installed cannot be loaded", "Mend or remove the package that brings it"
        value = f"{entry.name} ({entry.value}): {error}"
        raise InputError([Finding("families", rule, remedy, column="family", value=value)]) from error
    return family
