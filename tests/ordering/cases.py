"""Tiny cases of the ordering family, written compactly, and how the tests solve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

import echelon
from echelon.solvers.outcome import Control, SolveOptions
from echelon.tables import Frames
from echelon.validate import validate
from echelon_models.ordering import FAMILY
from echelon_models.ordering.schema import OrderingOptions

Columns = Mapping[str, Any]
FORMULATIONS = ("big_m", "ls", "facility", "auto")
EXACT = 1e-6  # how close two optima must be
EXACTLY = SolveOptions(gap=0.0, time_limit=30.0, explain="off")


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


def case(demand: Mapping[str, Sequence[float]], **tables: Columns | pd.DataFrame | Sequence[int]) -> Frames:
    """The frames of a case. `demand` maps "ITEM" or "ITEM@SITE" to the quantities of periods "1", "2", ...

    Where nothing else is given, a period has 365 days and an item is worth 1 at a holding rate of 1, so that a unit
    in stock costs 1 a period. `periods` may be a list of lengths in days.
    """
    wanted = [
        (*(name.split("@") if "@" in name else (name, "MAIN")), str(t), float(q))
        for name, quantities in demand.items()
        for t, q in enumerate(quantities, start=1)
    ]
    names = sorted({row[0] for row in wanted})
    given: dict[str, Any] = {
        "periods": [365] * max(len(quantities) for quantities in demand.values()),
        "items": {"item": names, "value": 1.0, "holding_rate": 1.0},
        "demand": pd.DataFrame(wanted, columns=["item", "site", "period", "quantity"]),
    }
    given |= tables
    if isinstance(given["periods"], list):
        given["periods"] = calendar(given["periods"])
    return {name: frame(columns) for name, columns in given.items()}


def change(tables: Frames, **changes: Columns | pd.DataFrame | list[int] | None) -> Frames:
    """The case with some tables replaced; None takes a table out, a dict of columns replaces columns of the table."""
    changed = dict(tables)
    for name, new in changes.items():
        if new is None:
            del changed[name]
        elif isinstance(new, list):
            changed[name] = calendar(new)
        elif isinstance(new, pd.DataFrame) or name not in tables:
            changed[name] = frame(new)
        else:
            changed[name] = tables[name].assign(**new)
    return changed


def solve(tables: Frames, start: echelon.Run | None = None, **options: Any) -> echelon.Run:
    """The proven best plan of a tiny case."""
    run = echelon.solve(tables, "ordering", options=options, start=start, **EXACTLY.model_dump())
    assert run.outcome.termination is echelon.Termination.OPTIMAL
    return run


def completed(tables: Frames, **options: Any) -> tuple[Frames, OrderingOptions]:
    """The case validated and in full, and its options: what the family's `solve` and `recheck` take."""
    chosen = OrderingOptions(**options)
    inputs, _ = validate(echelon.read(tables), FAMILY.inputs, FAMILY.rules, chosen)
    return FAMILY.complete(inputs, chosen), chosen


def optima(tables: Frames, formulations: Sequence[str] = FORMULATIONS, **options: Any) -> dict[str, float]:
    """The cost of the best plan by each formulation, without recheck (which `solve` has); infinite where no plan
    respects all hard limits."""
    full, chosen = completed(tables, price_pins=False, **options)
    found = {}
    for name in formulations:
        outcome = FAMILY.solve(full, chosen.model_copy(update={"formulation": name}), Control(EXACTLY)).outcome
        assert outcome.termination in (echelon.Termination.OPTIMAL, echelon.Termination.INFEASIBLE), outcome
        found[name] = float("inf") if outcome.objective is None else outcome.objective
    return found


def optimum(tables: Frames, **options: Any) -> float:
    """The cost of the best plan by the formulation that a user gets."""
    return optima(tables, ["auto"], **options)["auto"]


def rich() -> Frames:
    """A case that uses every table; to be solved with `frozen_periods=1`."""
    return case(
        {"A": [3, 5, 4, 6], "A@SHOP": [2, 2, 3, 2], "B": [4, 0, 5, 3]},
        items={
            "item": ["A", "B"],
            "department": ["X", "Y"],
            "value": [4.0, None],
            "holding_rate": [0.5, None],
            "volume": [0.5, 1.0],
        },
        sites={"site": ["MAIN", "SHOP"]},
        suppliers={"supplier": ["S", "T"], "order_cost": [4.0, 0.0]},
        offers={
            "supplier": ["S", "T", "S"],
            "item": ["A", "A", "B"],
            "price": [5.0, 6.0, 3.0],
            "line_cost": [3.0, 0.0, 2.0],
            "lead_time": [1, 0, 0],
            "minimum": [4.0, 0.0, 0.0],
            "multiple": [2.0, None, None],
            "maximum": [20.0, None, None],
            "hours_per_order": [0.5, 0.0, 0.5],
            "hours_per_unit": [0.1, 0.0, 0.25],
        },
        price_breaks={
            "supplier": "S",
            "item": ["A", "B"],
            "from_quantity": [10.0, 6.0],
            "price": [4.5, 2.5],
            "kind": ["all_units", "incremental"],
        },
        stock={"item": ["A", "A", "B"], "site": ["MAIN", "SHOP", "MAIN"], "quantity": [4.0, 4.0, 5.0]},
        receipts={"item": "A", "period": "2", "receipt": "PO-1", "quantity": 2.0},
        safety_stock={"item": "A", "quantity": 2.0, "shortfall_cost": 0.75},
        lanes={"from_site": "MAIN", "to_site": "SHOP", "cost": 0.5, "lead_time": 1},
        budgets={
            "department": ["X", ""],
            "amount": [60.0, 30.0],
            "carry_over": [False, True],
            "excess_cost": 0.25,
            "hard": [True, False],
        },
        storage={
            "site": ["MAIN", "SHOP"],
            "capacity": [6.0, 10.0],
            "counts": ["peak", "closing"],
            "excess_cost": 0.5,
            "hard": [False, True],
        },
        supplier_capacity={
            "supplier": "S",
            "measure": ["units", "hours"],
            "capacity": [14.0, 2.5],
            "excess_cost": 1.0,
            "hard": [True, False],
        },
        shares={"supplier": "T", "item": "A", "min_share": 0.25, "max_share": 0.75},
        shortages={
            "item": ["A", "A", "B"],
            "site": ["MAIN", "SHOP", ""],
            "policy": ["backorder", "none", "lost"],
            "backorder_cost": [1.0, None, None],
            "lost_cost": [20.0, None, 2.0],
            "fill_rate": [0.8, 0.0, 0.9],
            "fill_rate_cost": [None, None, 1.0],
            "hard": [True, False, False],
        },
        pinned_orders={"supplier": "T", "item": "A", "period": "1", "quantity": 3.0},
    )
