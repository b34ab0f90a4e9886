"""The charts of an award are its tables: shares that add up, spend, scenarios, rules, offers that lose."""

from __future__ import annotations

import pytest

import echelon
from echelon.charts import Bars, Chart, Heat

from .cases import case, rich, solve


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(rich(), price_rules=True, renegotiate=5)


def chart(run: echelon.Run, words: str) -> Chart:
    (found,) = [chart for chart in run.charts if words in chart.title]
    return found


def test_shares_of_each_item_add_up(run: echelon.Run) -> None:
    """A row an item, a column a supplier; all that is bought of an item is somewhere in its row."""
    drawn = chart(run, "items go to")
    assert isinstance(drawn, Heat)
    assert drawn.data.groupby("item")["share"].sum().tolist() == pytest.approx([1.0] * drawn.data["item"].nunique())
    assert drawn.data["item"].nunique() == run.plan["awards"].query("quantity > 0")["item"].nunique()


def test_spend_adds_up(run: echelon.Run) -> None:
    """The bars are the spend by supplier, largest first, and end at all spend."""
    drawn = chart(run, "of the spend")
    assert isinstance(drawn, Bars) and drawn.whole == pytest.approx(run.kpis["spend"])
    spend = run.plan["supplier_awards"].set_index("supplier")["spend"]
    assert {row.supplier: row.spend for row in drawn.data.itertuples()} == pytest.approx(spend[spend > 0].to_dict())


def test_scenarios_tell_what_they_add(run: echelon.Run) -> None:
    """Dearest first; what a scenario adds and the plan's own cost make the cost of the year."""
    drawn = chart(run, "dearest scenario").data
    costs = run.plan["scenario_costs"].sort_values("rank")
    assert drawn["adds"].tolist() == pytest.approx(costs["recourse_cost"].tolist())
    own = drawn["cost of the year"] - drawn["adds"]
    assert own.tolist() == pytest.approx([own.iloc[0]] * len(own))


def test_rules_and_offers_are_those_of_the_plan(run: echelon.Run) -> None:
    """Savings of dropped rules, largest first; cuts of losing offers, smallest first; neither where there is none."""
    dear, near = run.plan["rule_prices"].query("saving > 0"), run.plan["renegotiation"].query("cut > 0")
    assert len(dear) and len(near), "this case must have a rule that costs and an offer that loses"
    assert chart(run, "rule that costs most").data["saves"].tolist() == sorted(dear["saving"], reverse=True)
    assert chart(run, "would win").data["cut"].tolist() == sorted(near["cut"])


def test_an_award_without_scenarios_is_drawn() -> None:
    """No scenarios, no rules priced, no offer that loses: the award itself is left."""
    run = solve(case({"A": 10.0}, {"S A": 3.0}))
    assert [type(chart) for chart in run.charts] == [Heat, Bars]
