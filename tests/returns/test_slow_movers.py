"""What to do with stock that sells slowly: closed forms, and the step's way into the plan."""

from __future__ import annotations

from typing import Any

import pytest

from .cases import completed
from .rule_cases import recovered

LINE = {"stop": "a10", "product": "Q", "quantity": 40.0, "age": 100.0, "demand_rate": 0.1}
PLAIN = {"slow_cover": 90.0, "slow_age": 180.0, "slow_horizon": 365.0, "holding_rate": 0.2}


def flagged(line: dict[str, Any], **options: Any) -> Any:
    """The row of one line of stock."""
    tables = recovered(returns=None, slow_movers={name: [value] for name, value in (LINE | line).items()})
    full, _ = completed(tables, **(PLAIN | options))
    return full["slow_movers"].iloc[0]


def test_stock_within_its_cover_is_held() -> None:
    """9 units at 0.1 a day last 90 days: nothing is too much."""
    row = flagged({"quantity": 9.0})
    assert (row["flag"], row["kept"], row["moved"], row["cover"]) == ("hold", 9.0, 0.0, 90.0)


def test_only_what_is_too_much_is_looked_at_while_stock_is_young() -> None:
    row = flagged({})
    assert (row["kept"], row["moved"]) == (9.0, 31.0)


def test_an_old_line_is_looked_at_as_a_whole() -> None:
    row = flagged({"age": 181.0})
    assert (row["kept"], row["moved"]) == (0.0, 40.0)


def test_the_worth_of_holding_is_sales_less_holding() -> None:
    """Demand of 0.1 a day sells 36.5 units in a year; 9 are kept, so 27.5 of the 31 are sold, on average after
    (9 + 27.5 / 2) / 0.1 days; the other 3.5 cost holding for the whole year. Value 30 a unit, 20% a year."""
    row = flagged({})
    days = 27.5 * (9 + 27.5 / 2) / 0.1 + 3.5 * 365
    assert row["hold"] == pytest.approx(30 * (27.5 - 0.2 / 365 * days))


def test_without_demand_holding_only_costs() -> None:
    row = flagged({"demand_rate": 0.0})
    assert row["hold"] == pytest.approx(-30 * 0.2 * 40)
    assert row["flag"] == "refurbish"


def test_options_are_worth_what_the_best_destination_pays() -> None:
    """D30 refurbishes: 0.8 good at 27, cost 0.5, 0.2 bad at 1.5; E40 scraps at 6 less 0.5. No one resells here."""
    row = flagged({"demand_rate": 0.0}, moving_cost=1.0)
    assert row["refurbish"] == pytest.approx(40 * (0.8 * 27 - 0.5 - 0.2 * 1.5 - 1.0))
    assert row["scrap"] == pytest.approx(40 * (6 - 0.5 - 1.0))
    assert row[["resell", "supplier", "recycle"]].isna().all()


@pytest.mark.parametrize(
    ("rates", "flag", "worth"),
    [
        ({"supplier_rate": 0.9}, "supplier", 40 * 0.9 * 30),
        ({"resell_rate": 0.95, "supplier_rate": 0.9}, "resell", 40 * 0.95 * 30),
        ({"scrap_value": 29.0}, "scrap", 40 * 29.0),
        ({"supplier_rate": 0.9, "unit_value": 100.0}, "supplier", 40 * 0.9 * 100),
    ],
)
def test_rates_of_a_line_go_before_those_of_destinations(rates: dict[str, float], flag: str, worth: float) -> None:
    row = flagged({"demand_rate": 0.0} | rates)
    assert row["flag"] == flag
    assert row[flag] == pytest.approx(worth)


def test_what_is_not_held_joins_the_goods_of_its_stop() -> None:
    """31 units of the young line go with the stop's other goods, under the option that it was flagged for."""
    tables = recovered(slow_movers={"stop": ["a10"], "product": ["Q"], "quantity": [40.0], "age": [100.0],
                                    "demand_rate": [0.1], "unit_value": [0.0]})  # fmt: skip
    full, _ = completed(tables, **PLAIN)
    goods = full["goods"].set_index(["stop", "product", "option"])["quantity"].to_dict()
    assert goods == {
        ("a10", "P", ""): 2.0,
        ("a10", "Q", "refurbish"): 31.0,
        ("b20", "P", ""): 4.0,
        ("b20", "Q", ""): 1.0,
    }
    assert full["stops"].set_index("stop").loc["a10", "load_weight"] == pytest.approx(2 * 1.0 + 31 * 2.0)
