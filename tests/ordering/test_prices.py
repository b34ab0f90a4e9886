"""What one more unit of a limit is worth: against the difference that one more unit makes to the optimum."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import case, change, optimum, solve

STEP = 0.01
DEAR = {"policy": "backorder", "backorder_cost": 3.0, "lost_cost": 25.0}
ITEMS = {"item": ["A", "B"], "value": [2.0, 3.0], "holding_rate": 0.5, "volume": [1.0, 0.5], "department": ["X", "Y"]}


def linear(**limits: Any) -> Frames:
    """A case without fixed costs: its optimum is a piecewise linear function of every limit."""
    return case(
        {"A": [2, 11, 3], "B": [3, 1, 8]},
        items=ITEMS,
        offers={
            "supplier": ["S", "S", "T", "T"],
            "item": ["A", "B", "A", "B"],
            "price": [2.0, 3.0, 3.5, 4.25],
            "hours_per_unit": [0.5, 0.25, 0.0, 0.0],
        },
        shortages=DEAR,
        **limits,
    )


def price_of(run: echelon.Run, table: str, period: str, unit: str = "") -> float:
    limits = run.plan["limits"]
    rows = (limits["limit"] == table.replace("_", " ").rstrip("s")) & (limits["period"] == period)
    if unit:
        rows &= limits["unit"] == unit
    return float(limits.loc[rows, "price"].item())


LIMITS = [
    ("budgets", "amount", {"department": "X", "amount": 14.25}),
    ("budgets", "amount", {"amount": 26.75}),
    ("budgets", "amount", {"amount": 20.25, "carry_over": True}),
    ("storage", "capacity", {"capacity": 1.3}),
    ("storage", "capacity", {"capacity": 7.3, "counts": "peak", "excess_cost": 4.0}),
    ("supplier_capacity", "capacity", {"supplier": "S", "capacity": 5.6}),
    ("supplier_capacity", "capacity", {"supplier": "S", "measure": "hours", "capacity": 2.3}),
]


def by_period(table: str, columns: dict[str, Any], hard: bool) -> pd.DataFrame:
    """The limit with a row of its own for each period, so that each can be moved alone."""
    return pd.DataFrame([columns | {"period": p, "hard": hard} for p in "123"])


@pytest.mark.parametrize("hard", [True, False])
@pytest.mark.parametrize(("table", "column", "columns"), LIMITS)
def test_the_price_is_what_one_more_unit_saves(table: str, column: str, columns: dict[str, Any], hard: bool) -> None:
    """A price is a promise: with so much more of the limit, the plan costs so much less. Without fixed costs it holds
    exactly; a soft limit is never worth more than it costs to exceed; a limit that is not used up is worth nothing."""
    terms = columns | {"excess_cost": columns.get("excess_cost", 0.75)}
    tables = linear(**{table: by_period(table, terms, hard)})
    if table == "storage":  # a reason to hold stock
        scarce = {"supplier": ["S", "T"], "capacity": [6.1, 2.2], "hard": True}
        tables = change(tables, supplier_capacity=scarce, offers={"lead_time": 0})
    run = solve(tables)
    prices = []
    for row, period in enumerate("123"):
        price = price_of(run, table, period)
        eased = tables[table].copy()
        eased.loc[row, column] += STEP
        saved = (run.outcome.objective or 0.0) - optimum(change(tables, **{table: eased}))
        assert price == pytest.approx(saved / STEP, abs=1e-5), f"period {period}"
        assert hard or price <= terms["excess_cost"] + 1e-9
        prices.append(price)
    limits = run.plan["limits"]
    slack = (limits["use"] < limits["capacity"] - 1e-6) & (columns.get("carry_over") is None)  # carried on is not slack
    assert (limits.loc[slack, "price"] == 0).all()
    assert max(prices) > 0, "the case must have a limit that binds"
    assert min(prices) == 0 or not slack.any()


def test_prices_holds_only_limits_that_bind() -> None:
    """`Run.prices` answers which limit holds the plan back; a list with zeros would hide it."""
    run = solve(
        linear(budgets={"amount": 20.25, "excess_cost": 0.4}, supplier_capacity={"supplier": "S", "capacity": 99.0})
    )
    assert set(run.prices["limit"]) == {"budget"}
    assert (run.prices["price"] > 0).all()
    assert len(run.prices) < len(run.plan["limits"])
    exceeded = run.plan["limits"]["excess"] > 0
    assert exceeded.any()
    assert (run.plan["limits"].loc[exceeded, "price"] > 0).all(), "what is exceeded at a price has that price"


def test_a_price_with_fixed_costs_holds_the_setups() -> None:
    """With fixed costs a limit may be worth a jump; the price tells what it is worth to the orders as they are
    placed: here each unit that does not fit costs one more period in stock elsewhere, or its excess."""
    tables = case(
        {"A": [2, 8]},
        offers={"supplier": "S", "item": "A", "price": 1.0, "line_cost": 2.0},
        supplier_capacity={"supplier": "S", "capacity": 6.0, "hard": True},
        shortages={"policy": "none"},
    )
    run = solve(tables)
    assert run.plan["orders"]["quantity"].tolist() == pytest.approx([4.0, 6.0])
    assert price_of(run, "supplier_capacity", "2") == pytest.approx(1.0)  # one unit less to hold from period 1 to 2
    assert price_of(run, "supplier_capacity", "1") == 0.0


def test_multiples_do_not_hide_a_price() -> None:
    """Whole batches leave a limit slack by less than a batch; the price is that of the batches as if divisible."""
    tables = case(
        {"A": [2, 9]},
        offers={"supplier": "S", "item": "A", "price": 1.0, "multiple": 1.0},
        supplier_capacity={"supplier": "S", "capacity": 6.0, "hard": True},
        shortages={"policy": "none"},
    )
    assert price_of(solve(tables), "supplier_capacity", "2") == pytest.approx(1.0)


def test_departments_and_the_company_have_prices_of_their_own() -> None:
    """A department's money and the company's are different limits; a planner asks for either."""
    run = solve(linear(budgets={"department": ["X", ""], "amount": [14.25, 27.0], "excess_cost": [0.4, 0.2]}))
    assert run.prices.groupby("name")["price"].max().to_dict() == pytest.approx({"": 0.2, "X": 0.4})
