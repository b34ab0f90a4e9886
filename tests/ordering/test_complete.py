"""How a case is filled in: periods, rows that stand for every period or item, default costs, absent tables."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import calendar, case, completed, frame

OFFER = {"supplier": "S", "item": "A", "price": 4.0}


def dated(*dates: str, **tables: Any) -> Frames:
    """A case whose periods stand only as dates in demand."""
    given = {
        "items": {"item": "A"},
        "demand": {"item": "A", "period": list(dates), "quantity": [1.0] * len(dates)},
        "offers": OFFER,
    }
    return {name: frame(columns) for name, columns in (given | tables).items()}


def filled(tables: Frames, name: str, *columns: str, **options: Any) -> list[tuple[Any, ...]]:
    """Rows of a completed table."""
    return list(completed(tables, **options)[0][name][list(columns)].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("dates", "starts", "days"),
    [
        (["2026-01-05", "2026-01-12", "2026-01-19"], ["2026-01-05", "2026-01-12", "2026-01-19"], [7, 7, 7]),
        (["2026-01-05", "2026-01-26"], ["2026-01-05", "2026-01-26"], [21, 21]),
        (["2026-01-26", "2026-01-05", "2026-01-12"], ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"], [7] * 4),
        (["2026-01-01", "2026-02-01", "2026-04-01"], ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"],
         [31, 28, 31, 30]),
        (["2025-12-15", "2026-01-15"], ["2025-12-15", "2026-01-15"], [31, 31]),
        (["2024-02-01", "2024-03-01"], ["2024-02-01", "2024-03-01"], [29, 31]),
        (["2026-01-05"], ["2026-01-05"], [7]),
        (["2026-01-05", "2026-01-06", "2026-01-09"], [f"2026-01-0{d}" for d in range(5, 10)], [1] * 5),
    ],
    ids=["weeks", "three weeks", "a week missing", "a month missing", "new year", "leap year", "one", "days"],
)  # fmt: skip
def test_periods_follow_from_the_dates_in_demand(dates: list[str], starts: list[str], days: list[int]) -> None:
    """Three small files must do: the calendar is read from demand, gaps between dates filled with periods in which
    nothing is wanted."""
    periods = filled(dated(*dates), "periods", "period", "start", "days", "t")
    assert [p[0] for p in periods] == starts
    assert [p[1] for p in periods] == [pd.Timestamp(s) for s in starts]
    assert [p[2] for p in periods] == days
    assert [p[3] for p in periods] == list(range(len(starts)))


def test_demand_finds_its_period_among_those_inferred() -> None:
    """A filled gap must not move anyone's demand."""
    rows = filled(dated("2026-01-26", "2026-01-05", "2026-01-12"), "demand", "period", "t")
    assert sorted(rows) == [("2026-01-05", 0), ("2026-01-12", 1), ("2026-01-26", 3)]


def test_a_date_not_written_in_full_is_a_finding() -> None:
    """A spreadsheet may write 2026-1-5: a date, but not the name that the period then has; it is refused in words."""
    with pytest.raises(echelon.InputError) as caught:
        completed(dated("2026-01-05", "2026-1-12"))
    assert [(f.table, f.row, f.column, f.value) for f in caught.value.findings] == [
        ("demand", 3, "period", "2026-1-12")
    ]


def test_declared_periods_are_put_in_the_order_of_time() -> None:
    """Rows of a table have no order; time has."""
    tables = case({"A": [1, 2, 3]}, offers=OFFER, periods=calendar([10, 20, 30]).iloc[::-1])
    assert filled(tables, "periods", "period", "days", "t") == [("1", 10, 0), ("2", 20, 1), ("3", 30, 2)]


def test_a_row_of_every_period_gives_way_to_a_period_of_its_own() -> None:
    """A blank period says "usually"; a named one says "but then"."""
    tables = case(
        {"A": [1, 1, 1]},
        items={"item": "A", "department": "X", "value": 2.0},
        offers=OFFER,
        budgets={"department": ["X", "X", ""], "period": ["2", "", "3"], "amount": [5.0, 9.0, 7.0]},
        storage={"period": ["", "1"], "capacity": [3.0, 4.0], "counts": ["peak", "closing"]},
        supplier_capacity={"supplier": "S", "measure": ["units", "hours"], "period": ["3", ""], "capacity": [6.0, 8.0]},
        safety_stock={"item": "A", "period": ["", "1"], "quantity": [2.0, 0.0]},
    )
    assert filled(tables, "budgets", "department", "t", "amount") == [
        ("", 2, 7.0),
        ("X", 0, 9.0),
        ("X", 1, 5.0),
        ("X", 2, 9.0),
    ]
    assert filled(tables, "storage", "site", "t", "capacity", "counts") == [
        ("MAIN", 0, 4.0, "closing"),
        ("MAIN", 1, 3.0, "peak"),
        ("MAIN", 2, 3.0, "peak"),
    ]
    assert filled(tables, "supplier_capacity", "measure", "t", "capacity") == [
        ("hours", 0, 8.0),
        ("hours", 1, 8.0),
        ("hours", 2, 8.0),
        ("units", 2, 6.0),
    ]
    stocks = filled(tables, "safety_stock", "t", "quantity")
    assert stocks == [(1, 2.0), (2, 2.0)], "a quantity of 0 is none"


def test_blank_costs_come_from_the_options() -> None:
    """A newcomer gives no costs at all; each default is a share of the item's value and of the year."""
    tables = case(
        {"A": [1, 1]},
        items={"item": "A", "value": 10.0},
        offers=OFFER,
        periods=[73, 219],
        budgets={"amount": 1.0},
        storage={"capacity": 1.0, "excess_cost": 7.0},
        supplier_capacity={"supplier": "S", "capacity": 1.0},
        safety_stock={"item": "A", "quantity": 1.0},
    )
    mean_year = (73 + 219) / 2 / 365
    options = {"backorder_rate": 3.0, "lost_cost_factor": 4.0, "safety_shortfall_rate": 0.5, "holding_rate": 0.3,
               "budget_excess_cost": 5.0, "capacity_excess_cost": 6.0}  # fmt: skip
    [place] = filled(tables, "item_sites", "holding_rate", "backorder_cost", "lost_cost", "fill_rate_cost", **options)
    assert place == pytest.approx((0.3, 10 * 3.0 * mean_year, 40.0, 40.0))
    assert {c for (c,) in filled(tables, "safety_stock", "shortfall_cost", **options)} == {10 * 0.5 * mean_year}
    for name, cost in (("budgets", 5.0), ("storage", 7.0), ("supplier_capacity", 6.0)):
        assert {c for (c,) in filled(tables, name, "excess_cost", **options)} == {cost}


def test_the_value_of_an_item_is_its_lowest_offer_price() -> None:
    """What one unit in stock is worth can be known from what it costs to buy; what nobody offers is worth nothing."""
    tables = case(
        {"A": [1], "B": [1], "C": [1], "D": [1]},
        items={"item": ["A", "B", "C", "D"], "value": [None, 9.0, None, 0.0]},
        offers={"supplier": ["S", "T", "S", "S"], "item": ["A", "A", "B", "D"], "price": [4.0, 3.0, 2.0, 5.0]},
        stock={"item": "C", "quantity": 1.0},
    )
    assert filled(tables, "items", "item", "value") == [("A", 3.0), ("B", 9.0), ("C", 0.0), ("D", 0.0)]


def test_the_most_specific_row_of_shortages_counts() -> None:
    """Item and site, then item, then site, then the row with both blank; and with no row at all the option."""
    demand = {f"{i}@{l}": [1] for i in "AB" for l in ("P", "Q")}
    offers = {"supplier": "S", "item": ["A", "A", "B", "B"], "site": ["P", "Q", "P", "Q"], "price": 1.0}
    rows = {"item": ["A", "A", "", ""], "site": ["P", "", "P", ""], "lost_cost": [1.0, 2.0, 3.0, 4.0], "policy": "lost"}

    def costs(kept: int) -> dict[str, float]:
        some = {name: column[kept:] if isinstance(column, list) else column for name, column in rows.items()}
        found = filled(case(demand, offers=offers, shortages=some), "item_sites", "item", "site", "lost_cost")
        return {f"{i}{l}": cost for i, l, cost in found}

    assert costs(0) == {"AP": 1.0, "AQ": 2.0, "BP": 3.0, "BQ": 4.0}
    assert costs(1) == {"AP": 2.0, "AQ": 2.0, "BP": 3.0, "BQ": 4.0}
    assert costs(2) == {"AP": 3.0, "AQ": 4.0, "BP": 3.0, "BQ": 4.0}
    one = case(demand, offers=offers, shortages={"item": "A", "site": "Q", "policy": "none", "fill_rate": 0.5})
    policies = filled(one, "item_sites", "item", "site", "policy", "fill_rate", shortage_policy="lost")
    assert policies == [
        ("A", "P", "lost", 0.0),
        ("A", "Q", "none", 0.5),
        ("B", "P", "lost", 0.0),
        ("B", "Q", "lost", 0.0),
    ]


def test_a_lane_for_every_item_is_kept_where_the_item_can_use_it() -> None:
    """Unfolding every lane over every item would drown a large case: kept are lanes that the item can reach and that
    lead to where it is wanted, over further lanes too; a lane of its own goes before that of every item."""
    tables = case(
        {"A@SHOP": [1], "B@MAIN": [1], "C@HUB": [1]},
        items={"item": ["A", "B", "C"]},
        offers={"supplier": "S", "item": ["A", "B", "C"], "site": ["MAIN", "MAIN", "HUB"], "price": 1.0},
        lanes={
            "from_site": ["MAIN", "HUB", "MAIN", "SHOP"],
            "to_site": ["HUB", "SHOP", "HUB", "MAIN"],
            "item": ["", "", "A", ""],
            "cost": [1.0, 2.0, 3.0, 4.0],
        },
    )
    assert filled(tables, "lanes", "item", "from_site", "to_site", "cost") == [
        ("A", "HUB", "SHOP", 2.0), ("A", "MAIN", "HUB", 3.0), ("A", "SHOP", "MAIN", 4.0),
        ("B", "HUB", "SHOP", 2.0), ("B", "MAIN", "HUB", 1.0), ("B", "SHOP", "MAIN", 4.0),
        ("C", "HUB", "SHOP", 2.0), ("C", "MAIN", "HUB", 1.0), ("C", "SHOP", "MAIN", 4.0),
    ]  # fmt: skip
    there = tables | {"lanes": tables["lanes"].iloc[:3]}
    assert filled(there, "lanes", "item", "from_site", "to_site") == [("A", "HUB", "SHOP"), ("A", "MAIN", "HUB")]
    full = there | {"storage": frame({"site": "HUB", "capacity": 1.0})}
    assert ("C", "HUB", "SHOP") in filled(full, "lanes", "item", "from_site", "to_site"), "it relieves a limited site"


def test_item_sites_are_all_places_that_any_table_names() -> None:
    """Stock that no demand names still lies somewhere and costs; each place stands once."""
    tables = case(
        {"A": [1]},
        items={"item": ["A", "B"]},
        sites={"site": ["MAIN", "SHOP", "ATTIC", "YARD"]},
        offers={"supplier": "S", "item": ["A", "A"], "site": ["MAIN", "SHOP"], "price": 1.0},
        stock={"item": "B", "site": "ATTIC", "quantity": 2.0},
        receipts={"item": "A", "site": "YARD", "period": "1", "quantity": 1.0},
        safety_stock={"item": "B", "site": "SHOP", "quantity": 1.0},
    )
    places = filled(tables, "item_sites", "item", "site")
    assert places == [("A", "MAIN"), ("A", "SHOP"), ("A", "YARD"), ("B", "ATTIC"), ("B", "SHOP")]


def test_absent_tables_are_filled_or_empty() -> None:
    """Optional means optional: sites and suppliers follow from what other tables name, the rest is empty but typed."""
    full, _ = completed(case({"A@SHOP": [1]}, offers=OFFER | {"site": "SHOP"}))
    assert full["sites"]["site"].tolist() == ["SHOP"]
    assert full["suppliers"][["supplier", "order_cost"]].values.tolist() == [["S", 0.0]]
    for name in ("price_breaks", "stock", "lanes", "shares"):
        assert full[name].empty, name
    for name in ("receipts", "safety_stock", "budgets", "storage", "supplier_capacity", "pinned_orders"):
        assert full[name].empty, name
        assert "t" in full[name], name


def test_given_sites_and_suppliers_stand_as_they_are() -> None:
    """A given table is the whole truth: no row is added to it."""
    tables = case(
        {"A": [1]}, offers=OFFER, suppliers={"supplier": ["S", "Z"], "order_cost": [2.0, 3.0]}, sites={"site": "MAIN"}
    )
    assert filled(tables, "suppliers", "supplier", "order_cost") == [("S", 2.0), ("Z", 3.0)]
    assert filled(tables, "sites", "site") == [("MAIN",)]


def test_completing_changes_no_table_that_was_given() -> None:
    """A caller's frames are the caller's."""
    tables = case({"A": [1, 2]}, offers=OFFER, budgets={"amount": 3.0}, lanes={"from_site": "MAIN", "to_site": "SHOP"})
    before = {name: given.copy() for name, given in tables.items()}
    completed(tables)
    for name, given in tables.items():
        pd.testing.assert_frame_equal(given, before[name])
