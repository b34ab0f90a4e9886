"""The result tables and key figures against a plan worked out by hand, and what a run does with earlier runs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import echelon
from echelon.cli import app
from echelon.tables import Frames

from .cases import case, change, optimum, rich, solve

WEEKS = [7, 7, 7, 7]


@pytest.fixture(scope="module")
def tables() -> Frames:
    """Two items over four weeks, so small that its best plan is plain: A is ordered a week ahead, B twice two weeks'
    demand at once because a line costs more than holding it for a week; the stock of A is too small for the first."""
    return case(
        {"A": [2, 4, 0, 6], "B": [3, 3, 5, 5]},
        items={
            "item": ["A", "B"],
            "department": ["Tools", "Parts"],
            "value": [10.0, 5.2],
            "holding_rate": [3.65, 1.0],
        },
        periods=WEEKS,
        suppliers={"supplier": ["NORD", "SUED"]},
        offers={
            "supplier": ["NORD", "SUED"],
            "item": ["A", "B"],
            "price": [8.0, 4.0],
            "line_cost": [0.0, 1.0],
            "lead_time": [1, 0],
        },
        price_breaks={"supplier": "NORD", "item": "A", "from_quantity": 6.0, "price": 7.0},
        stock={"item": "A", "quantity": 1.0},
        shortages={"item": ["A", "B"], "policy": ["lost", "none"], "lost_cost": [50.0, None]},
    )


@pytest.fixture(scope="module")
def run(tables: Frames) -> echelon.Run:
    return solve(tables)


def rows(frame: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(frame[list(columns)].itertuples(index=False, name=None))


def test_orders_carry_dates_prices_and_who_pays(run: echelon.Run) -> None:
    """What a buyer acts on: order by this date, it arrives on that one, at this price, from this budget."""
    first = pd.Timestamp("2026-01-01")
    week = pd.Timedelta(days=7)
    assert rows(run.plan["orders"], "supplier", "item", "period", "order_date", "arrival_date", "department") == [
        ("NORD", "A", "1", first, first + week, "Tools"),
        ("SUED", "B", "1", first, first, "Parts"),
        ("NORD", "A", "3", first + 2 * week, first + 3 * week, "Tools"),
        ("SUED", "B", "3", first + 2 * week, first + 2 * week, "Parts"),
    ]
    numbers = run.plan["orders"][["quantity", "unit_price", "amount"]].to_numpy().tolist()
    assert numbers == [[4, 8, 32], [6, 4, 24], [6, 7, 42], [10, 4, 40]]


def test_inventory_runs_through_the_periods(run: echelon.Run) -> None:
    """Opening, arrivals, demand, what is served, lost, waits and is left: a ledger that anyone can add up."""
    columns = (
        "item",
        "period",
        "opening",
        "arrivals",
        "demand",
        "served",
        "short",
        "lost",
        "waiting",
        "closing",
        "value",
    )
    assert rows(run.plan["inventory"], *columns) == [
        ("A", "1", 1, 0, 2, 1, 1, 1, 0, 0, 0),
        ("A", "2", 0, 4, 4, 4, 0, 0, 0, 0, 0),
        ("A", "3", 0, 0, 0, 0, 0, 0, 0, 0, 0),
        ("A", "4", 0, 6, 6, 6, 0, 0, 0, 0, 0),
        ("B", "1", 0, 6, 3, 3, 0, 0, 0, 3, 3 * 5.2),
        ("B", "2", 3, 0, 3, 3, 0, 0, 0, 0, 0),
        ("B", "3", 0, 10, 5, 5, 0, 0, 0, 5, 5 * 5.2),
        ("B", "4", 5, 0, 5, 5, 0, 0, 0, 0, 0),
    ]


def test_the_key_figures_by_hand(run: echelon.Run) -> None:
    """Each figure is what its name says in any textbook: turnover at cost, days on hand, carrying cost of the average
    stock, spend by who spends and who gets it."""
    years = 28 / 365
    average = (15.6 + 26.0) / 4
    served_a_year = ((1 + 4 + 6) * 10.0 + 16 * 5.2) / years
    holding = 8 * 5.2 * 1.0 * 7 / 365
    by_hand = {
        "fill_rate": 1 - 1 / 28,
        "lost_units": 1.0,
        "waiting_units_at_end": 0.0,
        "waiting_unit_periods": 0.0,
        "order_lines": 4,
        "spend": 138.0,
        "average_inventory_value": average,
        "turnover_per_year": served_a_year / average,
        "days_on_hand": average / (served_a_year / 365),
        "carrying_cost_share": holding / years / average,
    }
    assert {name: run.kpis[name] for name in by_hand} == pytest.approx(by_hand)
    assert run.kpis["spend_by_department"] == pytest.approx({"Parts": 64.0, "Tools": 74.0})
    assert run.kpis["spend_by_supplier"] == pytest.approx({"NORD": 74.0, "SUED": 64.0})
    assert run.kpis["limit_use"] == {}
    assert run.outcome.objective == pytest.approx(138.0 + 2 * 1.0 + holding + 50.0)


def test_key_figures_of_a_case_with_nothing_in_stock() -> None:
    """No stock, no turnover: blank, not a division by zero."""
    empty = solve(case({"A": [0, 0]}, offers={"supplier": "S", "item": "A", "price": 1.0}))
    assert empty.plan["orders"].empty
    for name in ("turnover_per_year", "days_on_hand", "carrying_cost_share"):
        assert empty.kpis[name] is None
    assert empty.kpis["fill_rate"] == 1.0
    assert empty.page.actions.empty


def test_limits_tell_their_mean_use() -> None:
    """How full a limit is over the horizon, by name; one of capacity 0 counts as unused."""
    tables = case(
        {"A": [2, 4], "B": [1, 1]},
        items={"item": ["A", "B"], "department": ["Tools", ""], "value": 1.0, "volume": 1.0},
        offers={"supplier": "S", "item": ["A", "B"], "price": 1.0},
        budgets={"department": ["Tools", ""], "amount": [8.0, 10.0]},
        storage={"capacity": 5.0, "counts": "peak"},
        supplier_capacity={"supplier": "S", "period": ["1", "2"], "capacity": [0.0, 10.0], "excess_cost": 0.1},
    )
    assert solve(tables).kpis["limit_use"] == pytest.approx(
        {
            "budget whole company (money)": 0.4,
            "budget Tools (money)": 0.375,
            "storage MAIN (m³)": 0.8,
            "supplier capacity S (units)": 0.25,
        }
    )


def test_reasons_say_what_would_happen_without_the_order() -> None:
    """An order that nobody can explain is not placed. Each reason follows from the plan without that one line."""
    tables = case(
        {"A": [2, 4, 6], "B": [0, 3, 0], "C": [0, 0, 1], "D": [4, 0, 0]},
        offers={
            "supplier": ["S", "S", "S", "S", "T"],
            "item": ["A", "B", "C", "D", "D"],
            "price": [4.0, 1.0, 1.0, 1.0, 2.0],
            "lead_time": [0, 0, 1, 0, 2],
            "maximum": [7.0, None, None, None, None],
        },
        price_breaks={"supplier": "S", "item": "A", "from_quantity": 5.0, "price": 1.5},
        safety_stock={"item": "B", "quantity": 2.0, "shortfall_cost": 9.0},
        shares={"supplier": "S", "item": "D", "max_share": 0.5},
        pinned_orders={
            "supplier": "S", "item": ["B", "C", "C"], "period": ["3", "2", "3"], "quantity": [1.0, 1.0, 2.0],
        },
    )  # fmt: skip
    reasons = {(r.supplier, r.item, r.period): r.reason for r in solve(tables).plan["orders"].itertuples()}
    assert reasons == {
        ("S", "A", "1"): "without it short from 1; price break at 5",
        ("S", "A", "3"): "without it short from 3; price break at 5",
        ("S", "B", "1"): "without it below safety stock from 1",
        ("S", "B", "2"): "without it short from 2",
        ("S", "B", "3"): "pinned by an analyst",
        ("S", "C", "2"): "pinned by an analyst",
        ("S", "C", "3"): "pinned by an analyst",
        ("S", "D", "1"): "without it short from 1",
        ("T", "D", "1"): "not needed for stock: minimum, multiple or share",
    }


def test_an_order_that_arrives_after_the_horizon_has_no_arrival_date() -> None:
    """Only a pinned order can; the plan does not know the calendar beyond its end."""
    tables = case(
        {"A": [1, 1]},
        offers={"supplier": "S", "item": "A", "price": 1.0, "lead_time": 1},
        pinned_orders={"supplier": "S", "item": "A", "period": "2", "quantity": 5.0},
    )
    late = solve(tables).plan["orders"].set_index("period").loc["2"]
    assert pd.isna(late["arrival_date"])
    assert late["pinned"]


def test_transfers_carry_dates_and_cost() -> None:
    """The warehouse acts on them as the buyer does on orders."""
    tables = case(
        {"A@SHOP": [0, 3]},
        offers={"supplier": "S", "item": "A", "price": 1.0},
        lanes={"from_site": "MAIN", "to_site": "SHOP", "cost": 0.5, "lead_time": 1},
    )
    sent = solve(tables).plan["transfers"]
    columns = ("from_site", "to_site", "item", "period", "send_date", "arrival_date", "quantity", "cost")
    dates = (pd.Timestamp("2026-01-01"), pd.Timestamp("2027-01-01"))
    assert rows(sent, *columns) == [("MAIN", "SHOP", "A", "1", *dates, 3.0, 1.5)]


def test_the_template_case_solves(tmp_path: Path) -> None:
    """`echelon new` writes a filled example of every table; it must be a case, or the first thing a newcomer sees is
    an error."""
    folder = tmp_path / "first"
    assert CliRunner().invoke(app, ["new", "ordering", str(folder)]).exit_code == 0
    run = echelon.solve(folder)
    assert run.outcome.has_plan
    assert len(run.inputs) == len(list(folder.glob("*.csv")))
    assert not any(frame.empty for frame in run.inputs.values())
    assert run.kpis["order_lines"] > 0


def test_a_warm_start_gives_the_same_plan() -> None:
    """Starting from an earlier run saves time; it must not change the answer, nor must a start from another case's
    plan, whose orders may not fit."""
    run = solve(rich(), frozen_periods=1)
    again = solve(rich(), frozen_periods=1, start=run)
    assert again.outcome.objective == pytest.approx(run.outcome.objective)
    for name, frame in run.plan.items():
        pd.testing.assert_frame_equal(again.plan[name], frame)
    harder = change(rich(), offers={"minimum": [8.0, 4.0, 5.0]}, budgets={"amount": 35.0, "hard": False})
    cold = solve(harder, frozen_periods=1, price_pins=False)
    warm = solve(harder, frozen_periods=1, price_pins=False, start=run)
    assert warm.outcome.objective == pytest.approx(cold.outcome.objective)


def test_the_same_case_twice_gives_the_same_run() -> None:
    """Same case, options and versions: the same plan to the last digit, or no one can audit it."""
    one, two = solve(rich(), frozen_periods=1), solve(rich(), frozen_periods=1)
    assert one.fingerprint == two.fingerprint
    assert one.costs == two.costs
    assert one.kpis == two.kpis
    for name, frame in one.plan.items():
        pd.testing.assert_frame_equal(two.plan[name], frame, check_exact=True)


def test_keeping_pinned_orders_costs_the_difference() -> None:
    """The plan tells an analyst what his decision costs: this plan against the best one without it."""
    tables = case(
        {"A": [2, 2, 2]},
        offers={"supplier": "S", "item": "A", "price": 1.0, "line_cost": 4.0},
        pinned_orders={"supplier": "S", "item": "A", "period": "2", "quantity": 3.0},
    )
    run = solve(tables)
    free = optimum({name: frame for name, frame in tables.items() if name != "pinned_orders"})
    assert run.kpis["pinned_orders_cost"] == pytest.approx((run.outcome.objective or 0.0) - free)
    assert run.kpis["pinned_orders_cost"] > 0.5
    assert "pinned orders" in run.page.service
    assert "pinned_orders_cost" not in solve(tables, price_pins=False).kpis
    assert "pinned_orders_cost" not in solve(case({"A": [2]}, offers={"supplier": "S", "item": "A", "price": 1.0})).kpis


@pytest.mark.parametrize("seed", [25, 32, 40, 52])
def test_a_search_that_ends_at_a_gap_leaves_no_empty_order_lines(seed: int) -> None:
    """Stopped early, a search may have paid for order lines that order nothing. The plan has no such lines, so it must
    not pay for them either: what it costs, and the limits it uses, are those of its orders."""
    dice = random.Random(seed)
    items = [f"I{n}" for n in range(4)]
    demand = {i: [dice.randint(0, 9) for _ in range(6)] for i in items}
    offers = [
        {
            "supplier": s,
            "item": i,
            "price": dice.choice([1.0, 1.5, 2.0]),
            "line_cost": dice.choice([1.0, 3.0, 8.0]),
            "minimum": dice.choice([0.0, 4.0]),
            "hours_per_order": 1.0,
            "lead_time": dice.choice([0, 1]),
        }
        for i in items
        for s in "ST"
    ]
    tables = case(
        demand,
        items={"item": items, "value": 1.0, "holding_rate": 1.0, "volume": 1.0},
        offers=pd.DataFrame(offers),
        suppliers={"supplier": ["S", "T"], "order_cost": [3.0, 2.0]},
        supplier_capacity={"supplier": "S", "measure": "hours", "capacity": 2.0, "excess_cost": 1.0},
        budgets={"amount": 30.0, "hard": True},
        storage={"capacity": 20.0, "excess_cost": 1.0},
    )
    run = echelon.solve(tables, "ordering", gap=0.5)
    assert sum(run.costs.values()) == pytest.approx(run.outcome.objective)
    assert (run.outcome.bound or 0.0) <= (run.outcome.objective or 0.0) * (1 + 1e-9)
    used = run.plan["limits"].query("unit == 'hours'").set_index("period")["use"]
    lines = run.plan["orders"].query("supplier == 'S'").groupby("period").size()
    assert used.to_dict() == lines.reindex(used.index).fillna(0.0).to_dict()
