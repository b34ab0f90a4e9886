"""What a run says of its limits, shortages and rules, against cases solved once more by hand with them changed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import case, change, optimum, solve
from .test_prices import linear

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "explanations.py"
OFFER = {"supplier": "S", "item": "A", "price": 2.0}


def explained(tables: Frames, how: str = "quick", **options: Any) -> echelon.Run:
    return echelon.solve(tables, "ordering", options=options, gap=0.0, time_limit=30.0, explain=how)


@pytest.fixture(scope="module")
def planting() -> ModuleType:
    """The generator of planted cases that the benchmark measures at length."""
    spec = importlib.util.spec_from_file_location("explanations", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["explanations"] = module
    spec.loader.exec_module(module)
    return module


def test_what_easing_a_limit_saves_is_what_the_eased_case_costs_less() -> None:
    """Without fixed costs nothing is held that matters: every line of `eased` is the difference of two optima."""
    tables = linear(budgets={"department": "X", "amount": 14.25}, supplier_capacity={"supplier": "S", "capacity": 6.6})
    run = explained(tables, "full")
    lines = run.plan["eased"]
    assert set(lines["how"]) == {"held", "anew"} and len(lines) > 8
    for line in lines.drop_duplicates(["limit", "added"]).iloc[::3].itertuples():
        table, column = ("budgets", "amount") if line.limit == "budget" else ("supplier_capacity", "capacity")
        more = change(tables, **{table: {column: tables[table][column] + line.added}})
        assert line.saving == pytest.approx((run.outcome.objective or 0.0) - optimum(more), abs=1e-4)
    assert run.page.constraint.startswith("The supplier capacity of S holds the plan back most: 10% more of it (+0.66")
    assert "then the budget of X binds" in run.page.constraint


@pytest.mark.parametrize(
    "number", [pytest.param(0, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.slow), 2, 3]
)
def test_the_limit_that_was_planted_is_named(planting: ModuleType, number: int) -> None:
    """A budget, a space less than one more lot would need (which no dual tells), a supplier who is too small."""
    planted = planting.bottleneck(number, seed=1)
    run = echelon.solve(planted.tables, "ordering", gap=0.0, time_limit=30.0)
    assert planting.named(run) == (planted.kind, planted.name), run.page.constraint


@pytest.mark.parametrize("number", [2, 4, 5, 6])
def test_the_conflict_that_was_planted_is_named_and_what_is_suggested_gives_a_plan(
    planting: ModuleType, number: int
) -> None:
    """Storage, lead time, fill rate, share: told, and mended by taking all suggestions at once."""
    planted = planting.conflict(number, seed=2)
    with pytest.raises(echelon.SolveError) as caught:
        echelon.solve(planted.tables, "ordering", explain="off", gap=0.0)
    assert any(planting.names_it(planted, finding) for finding in caught.value.findings), caught.value
    mended = echelon.heed(planted.tables, caught.value.findings, "ordering")
    assert echelon.solve(mended, "ordering", explain="off", gap=0.01).outcome.has_plan


LOST = {"policy": "lost", "lost_cost": 20.0}
CAUSES: list[tuple[str, Frames, dict[str, Any]]] = [
    ("lead time", case({"A": [4, 1]}, offers=OFFER | {"lead_time": 1}, shortages=LOST), {}),
    ("frozen window", case({"A": [4, 1]}, offers=OFFER, shortages=LOST), {"frozen_periods": 1}),
    (
        "lead time and frozen window",
        case({"A": [4, 1]}, offers=OFFER | {"lead_time": 1}, shortages=LOST),
        {"frozen_periods": 1},
    ),
    ("budget", case({"A": [4, 6]}, offers=OFFER, shortages=LOST, budgets={"amount": 7.0, "hard": True}), {}),
    (
        "supplier capacity",
        case({"A": [4, 6]}, offers=OFFER, shortages=LOST,
             supplier_capacity={"supplier": "S", "capacity": 4.0, "hard": True}),
        {},
    ),
    (
        "storage",
        case({"A": [0, 9]}, offers=OFFER | {"maximum": 5.0}, shortages=LOST,
             items={"item": "A", "value": 1.0, "volume": 1.0}, storage={"capacity": 0.0, "hard": True}),
        {},
    ),
    ("minimum quantities", case({"A": [3]}, offers=OFFER | {"minimum": 100.0}, shortages=LOST), {}),
    ("largest quantities", case({"A": [9]}, offers=OFFER | {"maximum": 5.0}, shortages=LOST), {}),
    ("serving costs more than being short", case({"A": [9]}, offers=OFFER, shortages=LOST | {"lost_cost": 1.0}), {}),
    (
        "no supplier",
        case({"A": [9], "B": [1]}, offers=OFFER | {"item": "B"}, shortages=LOST, stock={"item": "A", "quantity": 2.0}),
        {},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "tables", "options"), CAUSES, ids=[cause for cause, _, _ in CAUSES])
def test_a_shortage_is_told_with_its_cause(cause: str, tables: Frames, options: dict[str, Any]) -> None:
    """In each case one thing makes the item short, or two together; the run finds it by trying."""
    causes = explained(tables, **options).plan["shortage_causes"]
    assert causes["item"].tolist() == ["A"], causes
    assert causes["cause"].tolist() == [cause]


def test_all_that_is_short_is_listed_with_what_it_costs() -> None:
    """The table answers for every shortage of the plan: units and money add up to those of the plan."""
    tables = case(
        {"A": [4, 6], "B": [5, 5]},
        offers={"supplier": "S", "item": ["A", "B"], "price": 2.0},
        shortages={"policy": "lost", "lost_cost": [20.0]},
        supplier_capacity={"supplier": "S", "capacity": 7.0, "hard": True},
    )
    run = explained(tables)
    causes = run.plan["shortage_causes"]
    assert causes["units"].sum() == pytest.approx(run.plan["inventory"]["short"].sum())
    assert causes["cost"].sum() == pytest.approx(run.costs["demand never served"])
    assert "supplier capacity 100%" in run.page.service["short"]


def test_a_rule_costs_what_the_case_without_it_costs_less() -> None:
    """Asked for with price_rules: each rule that the case has is left out in turn, and no other is told."""
    tables = case(
        {"A": [3, 4, 2], "B": [2, 0, 5]},
        offers={
            "supplier": ["S", "T"],
            "item": ["A", "B"],
            "price": [2.0, 3.0],
            "minimum": [8.0, 0.0],
            "line_cost": 1.0,
        },
        safety_stock={"item": "B", "quantity": 2.0},
        shortages={"policy": "backorder", "backorder_cost": 3.0},
    )
    run = explained(tables, "off", frozen_periods=1, price_rules=True)
    cost = run.outcome.objective or 0.0
    savings = run.plan["rule_prices"].set_index("rule")["saving"]
    expected = {
        "minimum quantities": cost - optimum(change(tables, offers={"minimum": 0.0}), frozen_periods=1),
        "safety stock": cost - optimum(change(tables, safety_stock=None), frozen_periods=1),
        "frozen window": cost - optimum(tables),
    }
    assert savings.to_dict() == pytest.approx(expected)
    assert min(expected.values()) > 0, "each rule costs something in this case"


def test_the_forecast_names_the_bottleneck_of_each_period() -> None:
    """Where the plan will be tightest, and which items feed it: use of the limit, item by item, from the plan."""
    tables = linear(supplier_capacity={"supplier": "S", "capacity": 6.6}, storage={"capacity": 50.0})
    run = explained(tables)
    found, orders = run.plan["bottlenecks"], run.plan["orders"]
    assert found["period"].unique().tolist() == ["1", "2", "3"]
    for line in found[found["limit"] == "supplier capacity"].itertuples():
        ordered = orders[
            (orders["supplier"] == "S") & (orders["item"] == line.item) & (orders["period"] == line.period)
        ]
        assert line.item_use == pytest.approx(ordered["quantity"].sum())
        assert line.item_share == pytest.approx(line.item_use / line.use)


def test_by_prices_the_plans_found_are_mixed_anew() -> None:
    """The other method tells the same limit, by weighing the plans that it found."""
    tables = linear(budgets={"department": "X", "amount": 14.25}, supplier_capacity={"supplier": "S", "capacity": 6.6})
    run = explained(tables, method="prices")
    assert set(run.plan["eased"]["how"]) == {"weighed"}
    assert "supplier capacity of S holds the plan back most" in run.page.constraint
    first = run.plan["eased"][run.plan["eased"]["share"] == 0.1].set_index("limit")["saving"]
    more = change(tables, supplier_capacity={"capacity": 7.26})
    assert first["supplier capacity"] == pytest.approx((run.outcome.objective or 0.0) - optimum(more), rel=0.3)


def test_off_asks_nothing_and_the_plan_is_the_same() -> None:
    """Explaining is beside the plan: with and without it the orders are the same."""
    tables = linear(supplier_capacity={"supplier": "S", "capacity": 6.6})
    plain, told = solve(tables), explained(tables, "full")
    assert plain.plan["eased"].empty and plain.plan["shortage_causes"].empty and not told.plan["eased"].empty
    pd.testing.assert_frame_equal(plain.plan["orders"], told.plan["orders"])
