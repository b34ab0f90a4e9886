"""Frontiers: what one aim costs in terms of another, by the epsilon-constraint method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from echelon import store
from echelon.edits import Edit, parse_edits
from echelon.errors import Finding, InputError
from echelon.family import LEVEL, Aim, Frontier
from echelon.run import Source, choose, read
from echelon.study.results import measure
from echelon.study.scenarios import Scenario
from echelon.study.study import Study, run_study
from echelon.study.sweep import Dial
from echelon.tables import Case
from echelon.validate import did_you_mean

NEAR = 1e-9  # relative difference below which two plans are equally good


@dataclass(frozen=True)
class Curve:
    """`points` has a row a scenario: the level of the limit, the two aims, whether another plan is better in both
    (`dominated`), and whether it is the `knee`."""

    study: Study
    frontier: Frontier
    points: pd.DataFrame

    @property
    def knee(self) -> pd.Series | None:
        """The point of the knee; None where the frontier has none."""
        found = self.points[self.points["knee"]]
        return None if found.empty else found.iloc[0]


def frontier_of(source: Source, family: str | None, name: str | None) -> Frontier:
    """The frontier of that name among those that the case's family declares (without a name: the first). Raises
    InputError if there is none."""
    case = source if isinstance(source, Case) else read(source)
    named = family or case.settings.get("family")
    chosen = choose(None if named is None else str(named))
    known = {frontier.name: frontier for frontier in chosen.frontiers}
    if not known:
        remedy = "Name a column and two measures"
        raise InputError([Finding("frontier", f"the family {chosen.name} declares none", remedy)])
    if name is not None and name not in known:
        raise InputError([Finding("frontier", "no such frontier", did_you_mean(name, known), value=name)])
    return known[name] if name else chosen.frontiers[0]


def own_frontier(dial: Dial, by: Sequence[float], to: Sequence[float], aims: Sequence[Aim]) -> Frontier:
    """A frontier of one's own: a dial multiplied by factors or set to values, and two measures. Raises InputError if
    that does not make one."""
    if len(aims) != 2 or bool(by) == bool(to):
        remedy = "Give either factors (by) or values (to), and two measures, of each of which less or more is better"
        raise InputError([Finding("frontier", "a frontier has levels and two measures", remedy)])
    edit = {"table": dial.table, "column": dial.column, "where": dial.where, "scale" if by else "set": LEVEL}
    return Frontier(dial.text, f"{aims[0].name} against {aims[1].name}", (aims[0], aims[1]), (edit,), tuple(by or to))


def run_frontier(
    source: Source,
    frontier: Frontier,
    folder: str | Path,
    family: str | None = None,
    *,
    points: int = 7,
    **how: Any,
) -> Curve:
    """Solve the case at every level of the frontier's limit and return the points. Where the frontier has ends instead
    of levels, these are solved first, and `points` plans are made, both ends included. `how` goes to `run_study`."""
    case = source if isinstance(source, Case) else read(source)
    ends = [Scenario(f"end {n}", parse_edits(edits, frontier.name)) for n, edits in enumerate(frontier.ends, start=1)]
    levels = list(frontier.levels)
    if ends:
        results = run_study(case, ends, folder, family, kind="frontier", **how).results
        levels = _between(results, frontier, max(points, 3))
    inner = [Scenario(f"level {level:.10g}", edits_at(frontier, level)) for level in levels[len(ends) :]]
    study = run_study(case, [*ends, *inner], folder, family, kind="frontier", **how)
    table = _points(study.results.assign(level=levels), frontier.aims).sort_values("level", ignore_index=True)
    store.write_table(table, study.folder, "frontier")
    return Curve(study, frontier, table)


def _between(ends: pd.DataFrame, frontier: Frontier, points: int) -> list[float]:
    """The values of the first aim at both ends, then those spread evenly between them."""
    if (ends["run"] == "").any():
        remedy = "Give it more time, or see the results of the study"
        raise InputError([Finding("frontier", "there is no plan at one of its ends", remedy, value=frontier.name)])
    first, last = measure(ends, frontier.aims[0].measure)
    between = np.linspace(first, last, points)[1:-1].tolist()
    return [float(first), float(last), *(dict.fromkeys(between) if last != first else ())]


def edits_at(frontier: Frontier, level: float) -> tuple[Edit, ...]:
    """The frontier's edits with the level in its place."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: put(part) for name, part in value.items()}
        if isinstance(value, list):
            return [put(part) for part in value]
        return level if value == LEVEL else value

    return parse_edits([put(edit) for edit in frontier.edits], f"frontier {frontier.name}")


def _points(results: pd.DataFrame, aims: tuple[Aim, Aim]) -> pd.DataFrame:
    solved = results[results["run"] != ""]
    values = pd.DataFrame({aim.name: measure(solved, aim.measure) for aim in aims if len(solved)}, dtype="float64")
    values = values.reindex(index=results.index, columns=[aim.name for aim in aims])
    told = ["scenario", "ended", *({"level"} - set(values))]  # the level may be one of the aims
    table = pd.concat([results[told], values, results[["gap", "run"]]], axis=1)
    losses = np.column_stack([-values[aim.name] if aim.most else values[aim.name] for aim in aims])
    found = ~np.isnan(losses).any(axis=1)
    best = np.zeros(len(table), dtype=bool)
    best[found] = non_dominated(losses[found])
    knee = np.zeros(len(table), dtype=bool)
    if (at := knee_of(losses[best])) is not None:
        knee[np.flatnonzero(best)[at]] = True
    return table.assign(dominated=found & ~best, knee=knee)


def non_dominated(losses: np.ndarray) -> np.ndarray:
    """Which rows of `losses` (points x 2, less is better) no other is at least as good as in both and better in one; of
    equal ones, the first."""
    scale = NEAR * np.maximum(np.abs(losses).max(axis=0, initial=0.0), 1e-12)
    kept = np.ones(len(losses), dtype=bool)
    for n, point in enumerate(losses):
        no_worse = (losses <= point + scale).all(axis=1)
        better = (losses < point - scale).any(axis=1)
        same_before = no_worse & ~better & (np.arange(len(losses)) < n)
        kept[n] = not (no_worse & better).any() and not same_before.any()
    return kept


def knee_of(losses: np.ndarray) -> int | None:
    """The position of the knee among non-dominated points (points x 2): the one furthest below the chord between the
    two ends, both aims scaled to run from 0 to 1 (Das 1999, Structural Optimization 18, On characterizing the knee of
    the Pareto curve). None where no point lies below the chord."""
    if len(losses) < 3:
        return None
    low, high = losses.min(axis=0), losses.max(axis=0)
    scaled = (losses - low) / np.where(high > low, high - low, 1.0)
    below = (1.0 - scaled.sum(axis=1)) / np.sqrt(2.0)  # the chord runs from (0, 1) to (1, 0)
    at = int(below.argmax())
    return at if below[at] > NEAR else None
