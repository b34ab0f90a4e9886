"""Families in sequence: what one decides is what the next one starts from. case.toml says `plan = ["allocation", ...]`.

A family may have a folder of its own in the case (CASE/allocation); the others read the case's folder. A result table
becomes an input table of a later family where the name and the columns match: its rows replace those of the case; a
column that the result does not speak of keeps the value of the case's row of the same key, if there is one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.errors import Finding, InputError
from echelon.family import Family
from echelon.run import Run, Source, choose, known_tables, read, solve, versions
from echelon.schema import Table
from echelon.tables import CASE_FILE, Case
from echelon.validate import typed

STEPS, RECORD = "steps", "plan.json"
SCHEMA_VERSION = 1
HANDED = ["table", "from_family", "to_family", "rows", "replaced_rows"]


@dataclass(frozen=True)
class Plan:
    """Runs in sequence by family. `summary` has a row a family; `handed_over` a row a table that went from one to a
    later one: how many rows, and how many of the case's own they replaced."""

    case: str
    runs: dict[str, Run]
    handed_over: pd.DataFrame
    summary: pd.DataFrame
    started: str

    @property
    def step_names(self) -> dict[str, str]:
        """The folder of each family's run inside steps/."""
        return {family: f"{number}-{family}" for number, family in enumerate(self.runs, start=1)}

    def save(self, directory: str | Path) -> Path:
        """Write the plan as one new folder in `directory`, whole or not at all, and return the folder: plan.json,
        summary and handed_over as tables, and each run in steps/."""
        when = datetime.fromisoformat(self.started).strftime("%Y%m%d-%H%M%S")
        return store.write_whole(Path(directory), f"{store.file_name(self.case, 'case')}-plan-{when}", self._fill)

    @classmethod
    def load(cls, folder: str | Path) -> Plan:
        """Read a saved plan back. Raises InputError if `folder` is not a plan folder."""
        folder = Path(folder)
        try:
            record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            known = record["schema_version"] == SCHEMA_VERSION
            steps = {step["family"]: folder / step["run"] for step in record["steps"]}
            tables = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("handed_over", "summary")}
        except (OSError, ValueError, KeyError, TypeError):
            known = False
        if not known:
            remedy = "Name a folder that `echelon plan` has written"
            raise InputError(
                [Finding("plan", f"{RECORD} or a table beside it cannot be read", remedy, value=str(folder))]
            )
        runs = {family: Run.load(step) for family, step in steps.items()}
        return cls(record["case"], runs, **tables, started=record["started"])

    def _fill(self, folder: Path) -> None:
        for family, run in self.runs.items():
            run.save(folder / STEPS, self.step_names[family])
        store.write_table(self.summary, folder, "summary")
        store.write_table(self.handed_over, folder, "handed_over")
        record = {
            "schema_version": SCHEMA_VERSION,
            "case": self.case,
            "started": self.started,
            "versions": versions(),
            "steps": [{"family": family, "run": f"{STEPS}/{name}"} for family, name in self.step_names.items()],
            "handed_over": self.handed_over.to_dict("records"),
        }
        store.write_json(record, folder / RECORD)


@dataclass(frozen=True)
class _Result:
    """A result table that later families may take."""

    declared: Table
    rows: pd.DataFrame
    family: str


def run_plan(
    source: Source,
    *,
    before: Callable[[str], None] | None = None,
    **solve_options: Any,
) -> Plan:
    """Solve the families that the case's `plan` names, one after the other. `before` is called with the name of each
    family; `solve_options` are those of `echelon.solve`, for each. A family's own options stand in case.toml under its
    name (`[ordering]`), or in the case.toml of its folder.

    Raises what `echelon.solve` raises, for the first family that has no plan; then there is no plan at all.
    """
    started = datetime.now(UTC).isoformat(timespec="seconds")
    case = source if isinstance(source, Case) else read(source)
    results: dict[str, _Result] = {}
    runs: dict[str, Run] = {}
    handed: list[dict[str, Any]] = []
    for family in _families_of(case):
        if before is not None:
            before(family.name)
        own, taken = _take_over(_case_of(source, case, family), family, results)
        handed += taken
        run = runs[family.name] = solve(own, family.name, **solve_options)
        results |= {table.name: _Result(table, run.plan[table.name], family.name) for table in family.results}
    handed_over = pd.DataFrame(handed, columns=HANDED)
    return Plan(case.name, runs, handed_over, summary(runs, handed_over), started)


def _families_of(case: Case) -> list[Family]:
    """The families that case.toml names under `plan`. Raises InputError if it names none, or one twice."""
    names = case.settings.get("plan")
    remedy = 'Write plan = ["allocation", "ordering"] in case.toml'
    if not isinstance(names, list) or not names:
        raise InputError(
            [*case.findings, Finding(CASE_FILE, "does not say which families to plan in sequence", remedy)]
        )
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            [Finding(CASE_FILE, "the family stands twice", "Name each once", column="plan", value=twice[0])]
        )
    return [choose(str(name)) for name in names]


def _case_of(source: Source, case: Case, family: Family) -> Case:
    """The case that a family reads: the folder of its own name inside the case's, or else the case."""
    own = Path(source) / family.name if isinstance(source, str | Path) and "://" not in str(source) else None
    if own is None or not own.is_dir():
        return case
    found = read(own)
    settings = {**case.settings, "options": {}, **found.settings}
    return replace(found, name=case.name, settings=settings)


def _take_over(case: Case, family: Family, results: Mapping[str, _Result]) -> tuple[Case, list[dict[str, Any]]]:
    """The case with the result tables of earlier families that fit, and a row for each of `handed_over`."""
    fitting = [table for table in family.inputs if table.name in results and fits(results[table.name].declared, table)]
    if not fitting:
        return case, []
    without = [finding for finding in case.findings if finding.table not in {table.name for table in fitting}]
    tables = dict(case.tables)
    for table in fitting:
        tables.setdefault(table.name, table.empty())
    frames = typed(replace(case, tables=tables, findings=without), family.inputs, known_tables())
    handed = []
    for table in fitting:
        result, own = results[table.name], frames[table.name]
        frames[table.name], replaced = hand_over(result.rows, own, table)
        row = (table.name, result.family, family.name, len(result.rows), replaced)
        handed.append(dict(zip(HANDED, row, strict=True)))
    others = {name: frame for name, frame in case.tables.items() if name not in frames}
    return replace(case, tables={**others, **frames}, findings=[]), handed


def fits(result: Table, table: Table) -> bool:
    """Whether the rows of a result table are rows of an input table: no column that is not known there, and none
    missing that names a row or must be filled."""
    needed = {name for name, field in table.columns.items() if field.is_required()} | set(table.key)
    return needed <= set(result.columns) <= set(table.columns)


def hand_over(rows: pd.DataFrame, own: pd.DataFrame, table: Table) -> tuple[pd.DataFrame, int]:
    """The input table that the result's rows make, and how many rows of the case they take the place of.

    A row of the case with the same key lends the columns that the result does not have. One without stays in the table
    as excluded, so that what refers to it is left out too.
    """
    key, lent = list(table.key), [name for name in table.columns if name not in rows.columns]
    taken = rows.merge(own[[*key, *lent]], on=key, how="left")
    kept = pd.MultiIndex.from_frame(own[key]).isin(pd.MultiIndex.from_frame(rows[key]))
    return pd.concat([taken, own[~kept].assign(status="exclude")], ignore_index=True), len(own)


def summary(runs: Mapping[str, Run], handed_over: pd.DataFrame) -> pd.DataFrame:
    """A row a family: how it ended, what it costs, what it took over, and what holds it back."""
    rows = []
    for name, run in runs.items():
        taken = handed_over[handed_over["to_family"] == name]
        takes = [f"{table} of {of}" for table, of in zip(taken["table"], taken["from_family"], strict=True)]
        rows.append(
            {
                "family": name,
                "ended": str(run.outcome.termination),
                "objective": run.outcome.objective,
                "gap": run.outcome.gap,
                "seconds": run.outcome.seconds,
                "takes": ", ".join(takes),
                "constraint": run.page.constraint,
            }
        )
    return pd.DataFrame(rows)
