"""Tiny cases of the network family, written compactly, and how the tests solve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

import echelon
from echelon.tables import Frames
from echelon.validate import validate
from echelon_models.network import FAMILY
from echelon_models.network.schema import NetworkOptions

Columns = Mapping[str, Any]
EXACT = 1e-6  # how close two optima must be
PLAIN = {"discount_rate": 0.0, "compare_today": False}


def frame(columns: Columns | pd.DataFrame) -> pd.DataFrame:
    """A table from columns; a single value stands in every row."""
    if isinstance(columns, pd.DataFrame):
        return columns
    length = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    return pd.DataFrame({name: c if isinstance(c, list) else [c] * length for name, c in columns.items()})


def calendar(days: Sequence[int]) -> pd.DataFrame:
    """Periods "1", "2", ... of these lengths, from 2026-01-01 on."""
    starts = [date(2026, 1, 1) + timedelta(days=sum(days[:n])) for n in range(len(days))]
    return pd.DataFrame({"period": [str(n + 1) for n in range(len(days))], "start": starts, "days": list(days)})


def wants(**demand: Any) -> pd.DataFrame:
    """Rows of demand: c=[3, 4] wants 3 in period "1" and 4 in "2"; c=3 wants 3 in every period."""
    rows = [
        (c, str(t) if isinstance(quantities, list) else "", float(q))
        for c, quantities in demand.items()
        for t, q in enumerate(quantities if isinstance(quantities, list) else [quantities], start=1)
    ]
    return pd.DataFrame(rows, columns=["customer", "period", "quantity"])


def costs(matrix: Mapping[str, Sequence[float | None]], customers: str = "cd") -> pd.DataFrame:
    """Deliveries: site -> cost of one unit to each customer (named by one letter each); None: no way."""
    rows = [
        (s, c, float(cost))
        for s, row in matrix.items()
        for c, cost in zip(customers, row, strict=False)
        if cost is not None
    ]
    return pd.DataFrame(rows, columns=["site", "customer", "cost"])


def case(**tables: Columns | pd.DataFrame) -> Frames:
    """The frames of a case: two sites A and B, two customers c and d, unless given."""
    given: dict[str, Any] = {
        "sites": {"site": ["A", "B"], "running_cost": [10.0, 12.0]},
        "demand": wants(c=4, d=6),
        "deliveries": costs({"A": [1, 3], "B": [3, 1]}),
    }
    return {name: frame(columns) for name, columns in (given | tables).items() if columns is not None}


def change(tables: Frames, **changes: Columns | pd.DataFrame | None) -> Frames:
    """The case with some tables replaced; None takes a table out, a dict of columns replaces columns of the table."""
    changed = dict(tables)
    for name, new in changes.items():
        if new is None:
            changed.pop(name)
        elif isinstance(new, pd.DataFrame) or name not in tables:
            changed[name] = frame(new)
        else:
            changed[name] = tables[name].assign(**new)
    return changed


def solve(tables: Frames, **options: Any) -> echelon.Run:
    """The proven best network of a tiny case."""
    run = echelon.solve(tables, "network", options=PLAIN | options, gap=0.0, time_limit=30.0, explain="off")
    assert run.outcome.termination is echelon.Termination.OPTIMAL
    return run


def optimum(tables: Frames, **options: Any) -> float:
    """Its cost; infinite where there is no network."""
    try:
        return float(solve(tables, **options).outcome.objective or 0.0)
    except echelon.SolveError as error:
        assert error.outcome.termination is echelon.Termination.INFEASIBLE
        return float("inf")


def completed(tables: Frames, **options: Any) -> tuple[Frames, NetworkOptions]:
    """The tables in full, as the formulation and the recheck see them."""
    chosen = NetworkOptions(**(PLAIN | options))
    frames, _ = validate(echelon.read(tables), FAMILY.inputs, FAMILY.rules, chosen)
    return FAMILY.complete(frames, chosen), chosen
