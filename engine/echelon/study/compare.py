"""Compare runs: what changed in the inputs, what that did to the plan, by how much, and which limits are behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.errors import Finding, InputError
from echelon.run import Run, choose
from echelon.schema import Table
from echelon.solvers.outcome import SolveOptions
from echelon.study.results import run_row
from echelon.tables import Frames

NEAR = 1e-9  # relative difference of two numbers that count as the same
CHANGES = ["run", "table", "key", "column", "before", "after"]
LIMIT_KEYS = ("limit", "name", "unit")
LIMIT_FIGURES = ("capacity", "use", "excess", "price")


@dataclass(frozen=True)
class Comparison:
    """Runs beside each other; the first is what the others are compared with.

    `measures` are objective, bound, cost lines and key figures (run, measure, value, difference); `options` those that
    differ (run, option, value). `inputs` and `plan` have a row for each cell that differs (run, table, key, column,
    before, after; a row that came or went has a blank column). `limits` has use, excess and price of each limit by run.
    `why` says it in sentences, by run.
    """

    names: tuple[str, ...]
    measures: pd.DataFrame
    options: pd.DataFrame
    inputs: pd.DataFrame
    plan: pd.DataFrame
    limits: pd.DataFrame
    why: dict[str, list[str]]
    currency: str = ""

    def save(self, directory: str | Path) -> None:
        """Write the tables as CSV and Parquet."""
        for name in ("measures", "options", "inputs", "plan", "limits"):
            store.write_table(getattr(self, name).astype(_TEXT.get(name, {})), Path(directory), name)


_TEXT = {name: {"before": "str", "after": "str"} for name in ("inputs", "plan")}


def compare(runs: Mapping[str, Run]) -> Comparison:
    """Compare runs of one family, by the names they are to have. Raises InputError if there are fewer than two, or of
    several families."""
    if len(runs) < 2:
        raise InputError([Finding("compare", "there is nothing to compare with", "Name two runs or more")])
    if len(families := {run.family for run in runs.values()}) > 1:
        rule = f"the runs are of several families: {', '.join(sorted(families))}"
        raise InputError([Finding("compare", rule, "Compare runs of one family")])
    (first_name, first), *others = runs.items()
    family = choose(first.family)
    inputs, plan = [], []
    for name, run in others:
        inputs.append(differences(first.inputs, run.inputs, family.inputs).assign(run=name))
        plan.append(differences(first.plan, run.plan, family.results).assign(run=name))
    changed, planned = pd.concat(inputs)[CHANGES], pd.concat(plan)[CHANGES]
    options = _options(runs)
    limits = _limits(runs)
    why = {
        name: _why(name, first, run, changed[changed["run"] == name], options, limits, first_name)
        for name, run in others
    }
    return Comparison(tuple(runs), _measures(runs), options, changed, planned, limits, why, first.currency)


def differences(before: Frames, after: Frames, tables: Sequence[Table]) -> pd.DataFrame:
    """Every cell in which the tables differ: table, key, column, before, after. Rows are matched by their keys; a row
    that came or went has a blank column and its key alone."""
    parts = [
        _table_differences(before.get(table.name, table.empty()), after.get(table.name, table.empty()), table)
        for table in tables
    ]
    return pd.concat(parts, ignore_index=True)


def _table_differences(before: pd.DataFrame, after: pd.DataFrame, table: Table) -> pd.DataFrame:
    old, new = _by_key(before, table), _by_key(after, table)
    both = old.index.intersection(new.index, sort=False)
    gone, come = old.index.difference(new.index, sort=False), new.index.difference(old.index, sort=False)
    rows = [(key, "", "row", "") for key in gone] + [(key, "", "", "row") for key in come]
    for name in old.columns:
        left, right = old.loc[both, name], new.loc[both, name]
        differ = ~_same(left, right)
        rows += [(key, name, was, now) for key, was, now in zip(both[differ], left[differ], right[differ], strict=True)]
    named = [(table.name, ", ".join(key), column, was, now) for key, column, was, now in rows]
    return pd.DataFrame(named, columns=CHANGES[1:], dtype=object)


def _by_key(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The table indexed by its key as text; without a key, by row number. Of rows with the same key, the first."""
    columns = [name for name in table.columns if name not in ("notes", "status") and name in frame.columns]
    key = [name for name in table.key if name in columns]
    named = frame[key] if key else pd.DataFrame({"row": range(len(frame))})
    indexed = frame[columns].drop(columns=key).set_index(pd.MultiIndex.from_frame(named.astype("str")))
    return indexed[~indexed.index.duplicated()]


def _same(left: pd.Series, right: pd.Series) -> pd.Series:
    blank = left.isna() & right.isna()
    if pd.api.types.is_numeric_dtype(left) and not pd.api.types.is_bool_dtype(left):
        size = pd.concat([left.abs(), right.abs()], axis=1).max(axis=1)
        return blank | ((left - right).abs() <= NEAR * size)
    return blank | (left == right)


def _measures(runs: Mapping[str, Run]) -> pd.DataFrame:
    """run, measure, value, difference from the first run."""
    rows = [
        (name, measure, value)
        for name, run in runs.items()
        for measure, value in run_row(name, run, "").items()
        if isinstance(value, float) and measure != "seconds"
    ]
    table = pd.DataFrame(rows, columns=["run", "measure", "value"])
    first = table[table["run"] == next(iter(runs))].set_index("measure")["value"]
    return table.assign(difference=table["value"] - table["measure"].map(first))


def _options(runs: Mapping[str, Run]) -> pd.DataFrame:
    """run, option, value of the options in which the runs differ."""
    names = dict.fromkeys(name for run in runs.values() for name in run.options)
    rows = [(name, option, str(run.options.get(option, ""))) for option in names for name, run in runs.items()]
    table = pd.DataFrame(rows, columns=["run", "option", "value"])
    return table[table.groupby("option")["value"].transform("nunique") > 1].reset_index(drop=True)


def _limits(runs: Mapping[str, Run]) -> pd.DataFrame:
    """Each limit of each run, all periods together: use, capacity and excess added up, the price of one more unit in
    every period, and in how many rows it has one."""
    parts = []
    columns = ["run", *LIMIT_KEYS, *LIMIT_FIGURES, "binds"]
    for name, run in runs.items():
        limits = run.plan.get("limits", pd.DataFrame())
        if {*LIMIT_KEYS, *LIMIT_FIGURES} <= set(limits):
            sums = limits.assign(binds=limits["price"] > 0).groupby(list(LIMIT_KEYS), sort=True)
            parts.append(sums[[*LIMIT_FIGURES, "binds"]].sum().reset_index().assign(run=name))
    return pd.concat(parts)[columns].reset_index(drop=True) if parts else pd.DataFrame(columns=columns)


def _why(
    name: str, first: Run, run: Run, inputs: pd.DataFrame, options: pd.DataFrame, limits: pd.DataFrame, first_name: str
) -> list[str]:
    """In sentences: what the difference in cost is, the inputs and options behind it, and the limits that changed."""
    before, after = first.outcome.objective or 0.0, run.outcome.objective or 0.0
    share = f" ({(after - before) / abs(before):+.2%})" if before else ""
    lines = [f"costs {after - before:+,.2f}{share}" + _within_gap(first, run)]
    lines += [f"input {text}" for text in summary(inputs)]
    old, new = (options[options["run"] == one].set_index("option")["value"] for one in (first_name, name))
    for option in old.index[old != new]:
        kind = "solver option" if option in SolveOptions.model_fields else "option"
        lines.append(f"{kind} {option}: {old[option]} -> {new[option]}")
    if first.versions != run.versions:
        lines.append("the versions of Echelon or its libraries differ")
    return [*lines, *_limit_changes(limits, first_name, name)]


def _within_gap(first: Run, run: Run) -> str:
    """A warning where the proven bounds cannot tell which of the two is dearer, or there are none."""
    a, b = first.outcome, run.outcome
    if (a.bound is None or b.bound is None) and a.objective != b.objective:
        return ", the difference of two plans: no bound is known of one, or both"
    if a.bound is None or b.bound is None or a.objective is None or b.objective is None:
        return ""
    surely = b.bound > a.objective or a.bound > b.objective or a.objective == b.objective
    return "" if surely else ", which lies within the gaps of the two runs"


def summary(changes: pd.DataFrame) -> list[str]:
    """Changes of inputs in a line a column: how many rows, and by what factor or amount where that is one."""
    lines = []
    for (table, column), cells in changes.groupby(["table", "column"], sort=False):
        if not column:
            come = int((cells["after"] == "row").sum())
            counts = [(come, "added"), (len(cells) - come, "dropped")]
            lines += [f"{table}: {count:,} row(s) {what}" for count, what in counts if count]
            continue
        lines.append(f"{table}.{column}: {_by_how_much(cells)} in {len(cells):,} row(s)")
    return lines


def _by_how_much(cells: pd.DataFrame) -> str:
    old, new = (pd.to_numeric(cells[side], errors="coerce").astype(float) for side in ("before", "after"))
    if old.notna().all() and new.notna().all() and not cells["before"].map(lambda v: isinstance(v, bool | str)).any():
        if (old != 0).all() and ((factor := new / old) - factor.iloc[0]).abs().max() <= 1e-6 * abs(factor.iloc[0]):
            return f"x {factor.iloc[0]:.6g}"
        if ((step := new - old) - step.iloc[0]).abs().max() <= 1e-6 * abs(step.iloc[0]):
            return f"{step.iloc[0]:+.6g}"
        return f"between {(new - old).min():+.6g} and {(new - old).max():+.6g}"
    ways = cells[["before", "after"]].astype("str").drop_duplicates()
    return f"{ways.iloc[0, 0] or 'blank'} -> {ways.iloc[0, 1] or 'blank'}" if len(ways) == 1 else "changed"


def _limit_changes(limits: pd.DataFrame, first: str, name: str) -> list[str]:
    """Limits that bind in one run and not in the other, or whose price or excess changed by more than a tenth."""
    keys = [*LIMIT_KEYS]
    old, new = (limits[limits["run"] == run].set_index(keys) for run in (first, name))
    lines = []
    for key in old.index.intersection(new.index, sort=False):
        a, b, who = old.loc[key], new.loc[key], " ".join(filter(None, (key[0], key[1]))) + f" ({key[2]})"
        if bool(a["price"]) != bool(b["price"]):
            lines.append(f"limit {who} {'no longer binds' if a['price'] else 'binds now'}")
        elif abs(b["price"] - a["price"]) > 0.1 * max(a["price"], b["price"]):
            lines.append(f"limit {who}: one more unit is worth {b['price']:,.4g} instead of {a['price']:,.4g}")
        worth_telling = max(0.1 * max(a["excess"], b["excess"]), NEAR * b["capacity"])
        if abs(b["excess"] - a["excess"]) > worth_telling:
            lines.append(f"limit {who}: exceeded by {b['excess']:,.6g} instead of {a['excess']:,.6g}")
    return lines


def read_runs(folders: Sequence[Path]) -> dict[str, Run]:
    """The runs in these folders by name: the folder's own, made longer where two are the same. Raises InputError if one
    is no run folder."""
    names: dict[str, Any] = {}
    for folder in folders:
        name = folder.resolve().name
        while name in names:
            name += "'"
        names[name] = Run.load(folder)
    return names
