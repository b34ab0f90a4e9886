"""Tiny cases of the allocation family, written compactly, and how the tests solve them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

import echelon
from echelon.solvers.outcome import Control, SolveOptions
from echelon.tables import Frames
from echelon.validate import validate
from echelon_models.allocation import FAMILY
from echelon_models.allocation.schema import AllocationOptions
from echelon_models.allocation.search import find
from echelon_models.allocation.sets import prepare

Columns = Mapping[str, Any]
EXACT = 1e-6  # how close two optima must be
EXACTLY = SolveOptions(gap=0.0, time_limit=30.0, explain="off")
QUIET = {"price_rules": False, "renegotiate": 0, "value_information": False}


def frame(columns: Columns | pd.DataFrame) -> pd.DataFrame:
    """A table from columns; a single value stands in every row."""
    if isinstance(columns, pd.DataFrame):
        return columns
    length = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    return pd.DataFrame({name: c if isinstance(c, list) else [c] * length for name, c in columns.items()})


def case(demand: Mapping[str, float], offers: Mapping[str, float], **tables: Columns | pd.DataFrame) -> Frames:
    """The frames of a case. `demand` maps "ITEM" or "ITEM@SITE" to a quantity, `offers` "SUPPLIER ITEM" to a price;
    `offer_terms` are more columns of offers, `items` columns beside the names."""
    wanted = [(*(name.split("@") if "@" in name else (name, "MAIN")), float(q)) for name, q in demand.items()]
    names = sorted({row[0] for row in wanted})
    terms = tables.pop("offer_terms", {})
    pairs = [tuple(name.split()) for name in offers]
    given: dict[str, Any] = {
        "items": {"item": names},
        "demand": pd.DataFrame(wanted, columns=["item", "site", "quantity"]),
        "offers": {"supplier": [s for s, _ in pairs], "item": [i for _, i in pairs], "price": list(offers.values()), **terms},
    }  # fmt: skip
    for name, columns in tables.items():
        given[name] = given["items"] | dict(columns) if name == "items" else columns
    return {name: frame(columns) for name, columns in given.items()}


def change(tables: Frames, **changes: Columns | None) -> Frames:
    """The case with some tables changed; None takes a table out, a dict of columns replaces columns of the table."""
    changed = dict(tables)
    for name, new in changes.items():
        if new is None:
            del changed[name]
        else:
            changed[name] = tables[name].assign(**new) if name in tables else frame(new)
    return changed


def solve(tables: Frames, start: echelon.Run | None = None, **options: Any) -> echelon.Run:
    """The proven best plan of a tiny case, without the questions that are asked of a plan unless `options` ask them."""
    run = echelon.solve(tables, "allocation", options=QUIET | options, start=start, **EXACTLY.model_dump())
    assert run.outcome.termination is echelon.Termination.OPTIMAL
    return run


def completed(tables: Frames, **options: Any) -> tuple[Frames, AllocationOptions]:
    """The case validated and in full, and its options: what the family's `solve` and `recheck` take."""
    chosen = AllocationOptions(**options)
    inputs, _ = validate(echelon.read(tables), FAMILY.inputs, FAMILY.rules, chosen)
    return FAMILY.complete(inputs, chosen), chosen


def optimum(tables: Frames, **options: Any) -> float:
    """The cost of the best plan, without recheck (which `solve` has); infinite where no plan keeps all rules."""
    full, chosen = completed(tables, **QUIET | options)
    outcome = find(prepare(full, chosen), Control(EXACTLY)).outcome
    assert outcome.termination in (echelon.Termination.OPTIMAL, echelon.Termination.INFEASIBLE), outcome
    return float("inf") if outcome.objective is None else outcome.objective


def rich() -> Frames:
    """A case that uses every table and every cost line."""
    return case(
        {"A@N": 60.0, "A@S": 40.0, "B@N": 50.0},
        {"S A": 10.0, "T A": 11.0, "U A": 9.0, "S B": 4.0, "T B": 5.0, "U B": 4.5},
        offer_terms={
            "award_cost": [20.0, 10.0, 5.0, 5.0, 5.0, 5.0],
            "minimum": [5.0, 5.0, 0.0, 0.0, 5.0, 0.0],
            "capacity": [80.0, 80.0, None, None, 40.0, 60.0],
            "yield_rate": [1.0, 1.0, 0.8, 1.0, 1.0, 1.0],
            "carbon": [1.0, 1.5, 4.0, 0.5, 0.5, 1.0],
        },
        items={
            "item": ["A", "B"],
            "group": ["G", "H"],
            "item_class": ["K", "L"],
            "bad_unit_cost": [2.0, 0.0],
            "late_unit_cost": [1.0, 2.0],
            "emergency_price": [18.0, None],
            "emergency_limit": [20.0, None],
            "shortage_cost": [40.0, None],
            "min_suppliers": [2, 0],
            "max_suppliers": [3.0, 2.0],
            "smallest_share": [0.1, 0.2],
            "local_min_share": [0.1, 0.0],
            "survives": ["supplier", "none"],
            "survival_share": [0.6, 1.0],
        },
        sites={"site": ["N", "S"], "region": ["EU", "ASIA"]},
        regions={"region": ["EU", "ASIA"]},
        suppliers={
            "supplier": ["S", "T", "U"],
            "region": ["EU", "EU", "ASIA"],
            "parent": ["P", "P", ""],
            "activation_cost": [30.0, 20.0, 10.0],
            "capacity": [120.0, 100.0, None],
            "minimum_spend": [50.0, 0.0, 0.0],
            "on_time": [0.9, None, 0.8],
            "flexibility": [None, 0.5, None],
        },
        price_breaks={
            "supplier": ["S", "T"],
            "item": ["A", "A"],
            "from_quantity": [40.0, 30.0],
            "price": [9.5, 10.0],
            "kind": ["all_units", "incremental"],
        },
        rebates={
            "supplier": ["S", "S", "T"],
            "from_spend": [100.0, 400.0, 100.0],
            "rate": [0.02, 0.05, 0.03],
            "kind": ["whole", "whole", "beyond"],
        },
        lanes={
            "supplier": ["S", "S", "T", "T", "U", "U", "U"],
            "site": ["N", "S", "N", "S", "N", "S", "N"],
            "item": ["", "", "", "", "", "", "B"],
            "freight": [0.2, 0.6, 0.3, 0.5, 0.8, 0.2, 0.7],
            "duty_rate": [0.0, 0.05, 0.0, 0.05, 0.1, 0.0, 0.1],
            "lead_time": [10.0, 20.0, None, None, 40.0, 30.0, 40.0],
            "lead_time_deviation": [2.0, 5.0, None, None, 10.0, 8.0, 9.0],
            "carbon": [0.1, 0.4, 0.1, 0.3, 0.6, 0.2, 0.6],
        },
        shares={"supplier": ["S", "U"], "item": ["A", "A"], "min_share": [0.2, 0.0], "max_share": [0.8, 0.5]},
        pairs={"supplier": ["T", "U"], "item": ["A", "B"], "rule": ["required", "excluded"], "quantity": [6.0, 1.0]},
        current_awards={
            "supplier": ["S", "U"],
            "item": ["A", "A"],
            "share": [0.6, 0.4],
            "max_loss": [0.4, None],
        },
        jurisdictions={"item_class": ["L", "K"], "region": ["EU", "MOON"], "rule": ["allowed", "forbidden"]},
        caps={
            "kind": ["supplier", "parent", "region", "supplier"],
            "name": ["", "P", "EU", "S"],
            "group": ["", "", "G", "G"],
            "max_share": [0.9, 0.95, 0.9, 0.75],
        },
        ceilings={
            "kind": ["budget", "carbon", "carbon"],
            "group": ["G", "", "H"],
            "amount": [1000.0, 250.0, 100.0],
            "excess_cost": [0.1, None, None],
            "hard": [False, False, True],
        },
        scenarios={"scenario": ["plan", "flood", "strike"], "probability": [0.7, 0.2, 0.1]},
        disruptions={
            "scenario": ["flood", "strike"],
            "kind": ["region", "supplier"],
            "name": ["ASIA", "S"],
            "capacity_left": [0.0, 0.25],
        },
        deliveries={
            "supplier": "T",
            "delivery": ["1", "2", "3", "4"],
            "ordered": pd.to_datetime(["2026-01-01"] * 4).tolist(),
            "promised": pd.to_datetime(["2026-01-15"] * 4).tolist(),
            "received": [*pd.to_datetime(["2026-01-12", "2026-01-15", "2026-01-20"]).tolist(), None],
        },
    )


RICH = {"carbon_price": 0.05, "objective": "mean_cvar", "cvar_level": 0.8, "cvar_weight": 0.4, "max_change": 0.7,
        "max_suppliers": 3, "min_suppliers": 1}  # fmt: skip
