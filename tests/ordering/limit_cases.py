"""Tiny cases, each with one shared limit that binds."""

from __future__ import annotations

from .cases import case, change
from .rule_cases import BULKY, NO_SHORTAGE, TWO_DEPARTMENTS, TWO_ITEMS, WAIT, Rule, offer, two_items


def limits() -> list[Rule]:
    """Shared limits, hard and at a price."""
    peak = {"A": [2, 7, 3]}
    both = {"A": [1, 4, 2], "B": [2, 3, 1]}
    hard, soft = {"hard": True}, {"excess_cost": 0.5}
    batches = case(peak, items=BULKY, offers=offer(line_cost=6.0), shortages=NO_SHORTAGE)
    rules = []
    for word, terms in (("hard", hard), ("soft", soft)):
        rules += [
            Rule(
                f"supplier capacity in units, {word}",
                case(
                    peak,
                    offers=offer(),
                    supplier_capacity={"supplier": "S", "capacity": 5.0} | terms,
                    shortages=NO_SHORTAGE,
                ),
                {"supplier_capacity": None},
            ),
            Rule(
                f"supplier capacity in hours per unit, {word}",
                case(
                    peak,
                    offers=offer(hours_per_unit=0.5),
                    supplier_capacity={"supplier": "S", "measure": "hours", "capacity": 2.5} | terms,
                    shortages=NO_SHORTAGE,
                ),
                {"offers": {"hours_per_unit": 0.0}},
            ),
            Rule(
                f"supplier capacity in hours per order, {word}",
                case(
                    both,
                    offers=two_items(hours_per_order=3.0),
                    supplier_capacity={"supplier": "S", "measure": "hours", "capacity": 4.0} | terms,
                    shortages=WAIT,
                ),
                {"offers": {"hours_per_order": 0.0}},
                grid=range(8),
            ),
            Rule(
                f"budget of a department, {word}",
                case(
                    both,
                    items=TWO_DEPARTMENTS,
                    offers=two_items(price=2.0),
                    budgets={"department": "X", "amount": 5.0} | terms,
                    shortages=WAIT,
                ),
                {"budgets": {"amount": 99.0}},
                grid=range(8),
            ),
            Rule(
                f"budget of the company, {word}",
                case(both, items=TWO_DEPARTMENTS, offers=two_items(), budgets={"amount": 5.0} | terms, shortages=WAIT),
                {"budgets": {"department": "X"}},
                grid=range(8),
            ),
            Rule(
                f"budget carried over, {word}",
                case(
                    {"A": [1, 2, 7]},
                    offers=offer(),
                    budgets={"amount": 4.0, "carry_over": True} | terms,
                    shortages=WAIT,
                ),
                {"budgets": {"carry_over": False}},
            ),
            Rule(
                f"storage at closing, {word}",
                change(batches, storage={"capacity": 1.0} | terms),
                {"storage": None},
            ),
            Rule(
                f"storage at peak, {word}",
                change(batches, storage={"capacity": 4.0, "counts": "peak"} | terms),
                {"storage": {"counts": "closing"}},
            ),
        ]
    return rules


def limits_in_detail() -> list[Rule]:
    """Limits by period, limits shared by several items and sites, their prices by option."""
    peak = {"A": [2, 7, 3]}
    return [
        Rule(
            "storage at peak counts opening stock and receipts",
            case(
                {"A": [3, 1, 4]},
                items=BULKY,
                offers=offer(line_cost=3.0),
                stock={"item": "A", "quantity": 2.0},
                receipts={"item": "A", "period": "2", "quantity": 2.0},
                storage={"capacity": 1.0, "counts": "peak", "excess_cost": 3.0},
            ),
            {"storage": {"counts": "closing"}},
        ),
        Rule(
            "storage shared by items",
            case(
                {"A": [2, 3], "B": [2, 3]},
                items=TWO_ITEMS | {"volume": [1.0, 0.5]},
                offers=two_items(line_cost=5.0),
                storage={"capacity": 3.0, "hard": True},
            ),
            {"storage": {"capacity": 9.0}},
            grid=range(7),
        ),
        Rule(
            "capacity shared by sites",
            case(
                {"A": [1, 3, 2], "A@SHOP": [0, 3, 1]},
                offers=offer(site=["MAIN", "SHOP"]),
                supplier_capacity={"supplier": "S", "capacity": 4.0, "hard": True},
                shortages=NO_SHORTAGE,
            ),
            {"supplier_capacity": None},
            grid=range(7),
        ),
        Rule(
            "a capacity of one period",
            case(
                peak,
                offers=offer(),
                supplier_capacity={"supplier": "S", "period": ["2", ""], "capacity": [3.0, 6.0], "hard": True},
                shortages=WAIT,
            ),
            {"supplier_capacity": {"capacity": 6.0}},
        ),
        Rule(
            "a budget of one period",
            case(
                peak, offers=offer(), budgets={"period": ["", "1"], "amount": [6.0, 2.0], "hard": True}, shortages=WAIT
            ),
            {"budgets": {"amount": 6.0}},
        ),
        Rule(
            "storage of one period",
            case(
                peak,
                items=BULKY,
                offers=offer(line_cost=6.0),
                storage={"period": ["2", ""], "capacity": [1.0, 9.0], "hard": True},
                shortages=NO_SHORTAGE,
            ),
            {"storage": {"capacity": 9.0}},
        ),
        Rule(
            "a budget of some periods only",
            case(
                peak,
                offers=offer(),
                budgets={"period": ["1", "3"], "amount": 2.0, "carry_over": True, "hard": True},
                shortages=WAIT,
            ),
            {"budgets": {"amount": 9.0}},
        ),
        Rule(
            "an unspent budget is carried over, an overspent one is not",
            case(
                {"A": [1, 1, 7]},
                offers=offer(),
                budgets={
                    "period": ["1", "2", "3"],
                    "amount": [2.0, 2.0, 0.0],
                    "carry_over": True,
                    "excess_cost": [0.25, 0.5, 6.0],
                },
                shortages=WAIT | {"lost_cost": 9.0},
            ),
            {"budgets": {"excess_cost": 0.25}},
        ),
        Rule(
            "prices of excess from options",
            case(
                peak,
                items=BULKY,
                offers=offer(line_cost=3.0, hours_per_unit=1.0),
                budgets={"amount": 4.0},
                storage={"capacity": 1.0},
                supplier_capacity={"supplier": "S", "measure": ["units", "hours"], "capacity": [5.0, 4.0]},
            ),
            options={"budget_excess_cost": 0.5, "storage_excess_cost": 0.75, "capacity_excess_cost": 0.125},
            without_options={"budget_excess_cost": 0.25, "storage_excess_cost": 0.5, "capacity_excess_cost": 0.25},
        ),
    ]
