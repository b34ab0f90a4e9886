"""Tiny cases of the positioning family, written compactly, and how the tests solve them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

import echelon
from echelon.solvers.outcome import Control, SolveOptions
from echelon.tables import Frames
from echelon.validate import validate
from echelon_models.positioning import FAMILY
from echelon_models.positioning.schema import PositioningOptions

EXACT = 1e-6  # how close two optima must be
LEVEL = 0.95
Columns = Mapping[str, Any]


def stages(**rows: Columns) -> pd.DataFrame:
    """A stages table from one dict of columns a stage."""
    return pd.DataFrame([{"stage": name, **columns} for name, columns in rows.items()])


def arcs(*names: str) -> pd.DataFrame:
    """An arcs table from "A>B" or "A>B*2"."""
    rows = []
    for name in names:
        ends, _, quantity = name.partition("*")
        a, b = ends.split(">")
        rows.append((a, b, float(quantity or 1)))
    return pd.DataFrame(rows, columns=["from_stage", "to_stage", "quantity"])


def frame(**columns: Any) -> pd.DataFrame:
    """A table from columns; a single value stands in every row."""
    length = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    return pd.DataFrame({name: c if isinstance(c, list) else [c] * length for name, c in columns.items()})


def serial(**last: Any) -> Frames:
    """Part -> assembly -> shop, with customers at the shop; `last` are more columns of the shop."""
    return {
        "stages": stages(
            PART={"cost_added": 10.0, "lead_time": 3},
            ASSEMBLY={"cost_added": 20.0, "lead_time": 2},
            SHOP={"cost_added": 5.0, "lead_time": 1, "demand_mean": 20.0, "demand_std": 6.0, **last},
        ),
        "arcs": arcs("PART>ASSEMBLY", "ASSEMBLY>SHOP"),
    }


def diamond() -> Frames:
    """Two parts go into two products, one of them into both; customers at both products and at a spare-part shelf."""
    return {
        "stages": stages(
            A={"cost_added": 8.0, "lead_time": 3},
            B={"cost_added": 3.0, "lead_time": 1, "demand_mean": 4.0, "demand_std": 2.0, "promised_time": 3},
            P={"cost_added": 6.0, "lead_time": 2, "demand_mean": 9.0, "demand_std": 3.0},
            Q={"cost_added": 9.0, "lead_time": 1, "demand_mean": 7.0, "demand_std": 4.0, "promised_time": 2},
        ),
        "arcs": arcs("A>P", "A>Q*2", "B>P*3", "B>Q"),
    }


def change(tables: Frames, stage: str = "", **columns: Any) -> Frames:
    """The case with columns of one stage (or of all) replaced."""
    changed = tables["stages"].copy()
    for name, value in columns.items():
        if name not in changed:
            changed[name] = pd.Series([None] * len(changed), dtype=object)
        rows = changed["stage"] == stage if stage else changed["stage"].notna()
        changed[name] = changed[name].astype(object).where(~rows, value)
    return tables | {"stages": changed}


def solve(tables: Frames, **options: Any) -> echelon.Run:
    """The proven best plan of a tiny case."""
    return echelon.solve(tables, "positioning", options={"service_level": LEVEL} | options, gap=0.0, time_limit=60)


def optimum(tables: Frames, **options: Any) -> float:
    """The yearly cost of the best plan, without recheck (which `solve` has)."""
    full, chosen = completed(tables, **options)
    outcome = FAMILY.solve(full, chosen, Control(SolveOptions(gap=0.0, time_limit=60))).outcome
    assert outcome.termination is echelon.Termination.OPTIMAL, outcome
    return outcome.objective or 0.0


def completed(tables: Frames, **options: Any) -> tuple[Frames, PositioningOptions]:
    """The case validated and in full, and its options: what the family's `solve` and `recheck` take."""
    chosen = PositioningOptions(**({"service_level": LEVEL} | options))
    inputs, _ = validate(echelon.read(tables), FAMILY.inputs, FAMILY.rules, chosen)
    return FAMILY.complete(inputs, chosen), chosen


def findings(tables: Frames, **options: Any) -> list[echelon.Finding]:
    """All findings of a case, errors and warnings."""
    try:
        return echelon.check(tables, "positioning", {"service_level": LEVEL} | options)
    except echelon.InputError as error:
        return error.findings
