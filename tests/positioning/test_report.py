"""The charts of a positioning plan: the network from left to right, its stock in money, promises and what was found."""

from __future__ import annotations

import pandas as pd
import pytest

import echelon
from echelon.charts import Bars, Chart, Network, Ranges
from echelon_models.positioning.report import steps_from_the_start

from .cases import arcs, change, diamond, serial, solve


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(change(serial(), "SHOP", current_stock=30.0), simulate=200)


def chart(run: echelon.Run, kind: type[Chart], words: str = "") -> Chart:
    (found,) = [chart for chart in run.charts if isinstance(chart, kind) and words in chart.title]
    return found


def test_the_network_is_drawn_as_it_flows(run: echelon.Run) -> None:
    """Parts left, shop right; circles by the value of safety stock; units that flow by the demand of who needs them."""
    drawn = chart(run, Network)
    assert isinstance(drawn, Network)
    assert drawn.data["stage"].tolist() == ["PART", "ASSEMBLY", "SHOP"]
    assert drawn.data["safety stock"].sum() == pytest.approx(run.plan["stages"]["stock_value"].sum())
    assert drawn.arcs["quantity"].tolist() == pytest.approx([20.0, 20.0])


@pytest.mark.parametrize(
    ("ways", "steps"),
    [(["A>B", "B>C"], {"A": 0, "B": 1, "C": 2}), (["A>B", "B>C", "A>C"], {"A": 0, "B": 1, "C": 2}),
     (["C>B", "B>A"], {"C": 0, "B": 1, "A": 2}), (["A>C", "B>C"], {"A": 0, "B": 0, "C": 1})],
)  # fmt: skip
def test_steps_are_the_longest_way(ways: list[str], steps: dict[str, int]) -> None:
    """A stage stands to the right of all that go into it."""
    assert steps_from_the_start(sorted(steps), arcs(*ways)) == steps


def test_echelons_are_columns_only_if_everything_flows_forward() -> None:
    """Named echelons are the columns where they follow the flow; where one feeds its own, steps are."""
    tables = change(diamond(), echelon="all")
    tables["stages"]["echelon"] = tables["stages"]["stage"].map({"A": "in", "B": "in", "P": "out", "Q": "out"})
    drawn = chart(solve(tables), Network)
    assert isinstance(drawn, Network) and drawn.layer == "echelon"
    assert drawn.data.sort_values("place")["echelon"].tolist() == ["in", "in", "out", "out"]
    tables["stages"]["echelon"] = "one"
    mixed = chart(solve(tables), Network)
    assert isinstance(mixed, Network) and mixed.layer == "place"


def test_changes_are_told_in_money(run: echelon.Run) -> None:
    """Target 30 at the shop, whose unit is worth 35."""
    drawn = chart(run, Bars, "Against today's targets")
    shop = run.plan["stages"].set_index("stage").loc["SHOP"]
    assert drawn.data["change in value"].tolist() == pytest.approx([(shop["safety_stock"] - 30.0) * 35.0])


def test_the_comparison_and_the_promises_are_those_of_the_plan(run: echelon.Run) -> None:
    """Costs of the other policies, service found with its interval against what was promised."""
    assert chart(run, Bars, "whole network").data["cost"].tolist() == pytest.approx(
        run.plan["comparison"]["cost"].tolist()
    )
    drawn = chart(run, Ranges)
    service = run.plan["service"].set_index("stage")
    assert (drawn.data["low"] <= drawn.data["simulated"]).all() and (
        drawn.data["simulated"] <= drawn.data["high"]
    ).all()
    for row in drawn.data.itertuples():
        assert (row.simulated, row.promised) == (service.loc[row.stage, "flowing"], service.loc[row.stage, "promised"])


def test_one_stage_is_drawn() -> None:
    """A network of one has no network to draw; its stock is."""
    run = solve(
        {
            "stages": pd.DataFrame(
                [{"stage": "S", "cost_added": 5.0, "lead_time": 4, "demand_mean": 9.0, "demand_std": 3.0}]
            )
        }
    )
    assert not [chart for chart in run.charts if isinstance(chart, Network)]
    assert [chart for chart in run.charts if "Half of the safety stock" in chart.title]
