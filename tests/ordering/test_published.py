"""Published lot-sizing examples: their optimal costs and orders, as their authors give them.

One period of 365 days, a holding rate of 1 and an item's value equal to the holding cost make a unit in stock cost that
much a period.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest

from .cases import FORMULATIONS, case, optima, solve

SNYDER_SHEN = "Snyder & Shen, Fundamentals of Supply Chain Theory, 2nd ed."
ROSSI = "R. Rossi, Inventory Analytics (Open Book Publishers, 2021), its code gwr3n/inventoryanalytics"
NEVER = 1000.0  # cost of a unit never served: in these examples all are


@dataclass(frozen=True)
class Example:
    source: str
    demand: list[float]
    setup_cost: float
    holding_cost: float
    cost: float
    orders: list[float]
    terms: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)


NO_SHORTAGE = {"shortages": {"policy": "none"}}
EXAMPLES = [
    Example(f"{SNYDER_SHEN}, Example 3.9", [90, 120, 80, 70], 500, 2, 1380, [210, 0, 150, 0]),
    Example(f"{SNYDER_SHEN}, Problem 3.27", [150, 100, 80, 200], 120, 0.8, 424, [150, 180, 0, 200]),
    Example(f"{SNYDER_SHEN}, Problem 3.29", [730, 580, 445, 650, 880], 100, 0.1, 423, [1310, 0, 1095, 0, 880]),
    Example(f"{ROSSI}, Wagner-Whitin", [10, 20, 30, 40], 30, 1, 110, [30, 0, 30, 40]),
    Example(f"{ROSSI}, Wagner-Whitin with initial inventory", [10, 20, 30, 40], 30, 1, 80, [0, 0, 30, 40],
            tables={"stock": {"item": "A", "quantity": 30.0}}),
    Example(f"{ROSSI}, capacitated lot sizing", [10, 20, 30, 40], 40, 1, 280, [10, 30, 30, 30],
            terms={"price": 1.0, "maximum": 30.0}),
    Example(f"{ROSSI}, capacity as the supplier's", [10, 20, 30, 40], 40, 1, 280, [10, 30, 30, 30],
            terms={"price": 1.0}, tables={"supplier_capacity": {"supplier": "S", "capacity": 30.0, "hard": True}}),
    Example(f"{ROSSI}, Wagner-Whitin with backorders", [10, 20, 30, 40], 40, 1, 230, [0, 60, 0, 40],
            terms={"price": 1.0},
            tables={"shortages": {"policy": "backorder", "backorder_cost": 2.0, "lost_cost": NEVER}}),
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.source)
def test_a_textbook_example_has_its_published_optimum(example: Example) -> None:
    """Whoever knows the textbook can check the engine; and every formulation proves the same cost."""
    tables = case(
        {"A": example.demand},
        items={"item": "A", "value": float(example.holding_cost), "holding_rate": 1.0},
        offers={"supplier": "S", "item": "A", "price": 0.0, "line_cost": float(example.setup_cost)} | example.terms,
        **(NO_SHORTAGE | example.tables),
    )
    run = solve(tables)
    assert run.outcome.objective == pytest.approx(example.cost)
    assert optima(tables) == pytest.approx(dict.fromkeys(FORMULATIONS, example.cost))
    ordered = run.plan["orders"].set_index("period")["quantity"]
    found = ordered.reindex([str(t + 1) for t in range(len(example.demand))]).fillna(0.0)
    assert found.tolist() == pytest.approx(example.orders)


def test_prices_that_change_over_time_as_suppliers_with_one_open_period_each() -> None:
    """A homework in the tests of LarrySnyder/stockpyl, with a unit cost of 3, 1, 4, 6, 6 by period (cost 4940): a
    price a period is a supplier a period, closed in all others by a hard capacity of 0."""
    prices = [3.0, 1.0, 4.0, 6.0, 6.0]
    suppliers = [f"S{t + 1}" for t in range(5)]
    closed = [(s, str(t + 1)) for n, s in enumerate(suppliers) for t in range(5) if t != n]
    tables = case(
        {"A": [400, 500, 500, 1100, 900]},
        items={"item": "A", "value": 0.1, "holding_rate": 1.0},
        offers={"supplier": suppliers, "item": "A", "price": prices, "line_cost": 100.0},
        supplier_capacity=pd.DataFrame(closed, columns=["supplier", "period"]).assign(capacity=0.0, hard=True),
        **NO_SHORTAGE,
    )
    run = solve(tables)
    assert run.outcome.objective == pytest.approx(4940.0)
    assert run.plan["orders"].set_index("period")["quantity"].to_dict() == pytest.approx({"1": 400.0, "2": 3000.0})
