"""The charts of an order plan are its tables added up: every figure can be found again in the plan."""

from __future__ import annotations

import pandas as pd
import pytest

import echelon
from echelon.charts import Bars, Timeline

from .cases import case, rich, solve


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(rich())


def chart(run: echelon.Run, words: str) -> Bars | Timeline:
    (found,) = [chart for chart in run.charts if words in chart.title]
    assert isinstance(found, Bars | Timeline)
    return found


def test_stock_and_arrivals_are_those_of_the_plan(run: echelon.Run) -> None:
    """Value of all stock by period; orders in the period in which they arrive, those after the horizon left out."""
    data = chart(run, "Stock is largest in").data.set_index("period")
    value = run.plan["inventory"].groupby("period")["value"].sum()
    assert data["stock at the end of the period"].to_dict() == pytest.approx(value.to_dict())
    orders = run.plan["orders"]
    assert data["orders arriving"].sum() == pytest.approx(orders.loc[orders["arrival_date"].notna(), "amount"].sum())


def test_arrivals_fall_into_periods_by_their_name_or_their_day() -> None:
    """Ten units ordered a period ahead arrive in the second one, whether periods have names or are days."""
    offers = {"supplier": "S", "item": "A", "price": 2.0, "lead_time": 1}
    named = solve(case({"A": [0, 10]}, periods=[7, 7], offers=offers))
    days = {"demand": pd.DataFrame({"item": "A", "period": ["2026-01-05", "2026-01-12"], "quantity": [0.0, 10.0]})}
    inferred = echelon.solve(
        {"items": pd.DataFrame({"item": ["A"]}), "offers": pd.DataFrame([offers]), **days}, "ordering", gap=0.0
    )
    for run in (named, inferred):
        assert chart(run, "Stock is largest in").data["orders arriving"].tolist() == pytest.approx([0.0, 20.0])


def test_spend_by_supplier_adds_up(run: echelon.Run) -> None:
    """A Pareto chart of the order lines: its bars sum to the whole, the largest first."""
    bars = chart(run, "of the spend, the most of")
    assert isinstance(bars, Bars) and bars.whole == pytest.approx(run.plan["orders"]["amount"].sum())
    spend = run.kpis["spend_by_supplier"]
    assert dict(zip(bars.data["supplier"], bars.data["spend"], strict=True)) == pytest.approx(spend)
    assert bars.data["spend"].is_monotonic_decreasing


def test_the_limit_drawn_is_the_one_the_page_names(run: echelon.Run) -> None:
    """The chart and the sentence must not name two different limits."""
    assert len(run.prices), "this case must have a limit with a price"
    limit = chart(run, "holds the plan back in")
    assert limit.title.split(" holds the plan back")[0].lower() in run.page.constraint.lower()
    assert (limit.data["use"] <= limit.data["capacity"] + run.plan["limits"]["excess"].max() + 1e-6).all()


def test_items_are_drawn_over_all_sites(run: echelon.Run) -> None:
    """Stock of an item is the sum over its sites, period by period."""
    data = chart(run, "in which most money is ordered").data
    closing = run.plan["inventory"].groupby(["item", "period"])["closing"].sum()
    for row in data.itertuples():
        assert row.stock == pytest.approx(closing[row.item, row.period])


def test_a_plan_without_orders_is_drawn() -> None:
    """Stock covers everything: nothing is ordered, and nothing fails."""
    offers = {"supplier": "S", "item": "A", "price": 2.0}
    run = solve(case({"A": [1, 1]}, offers=offers, stock={"item": "A", "quantity": 5.0}))
    assert run.plan["orders"].empty
    assert [chart.title.split()[0] for chart in run.charts] == ["Stock"]
