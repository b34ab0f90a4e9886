"""What a plan says besides its times: figures that a planner could redo on paper."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import arcs, change, frame, serial, solve, stages

ROOT = Path(__file__).parents[2]
Z = 1.6448536269514722


def test_levels_follow_from_demand_and_times() -> None:
    """Base stock = mean demand over the net time + safety stock; the reorder level leaves out the wait for a review."""
    run = solve(change(serial(), "SHOP", review_period=3, current_stock=10.0))
    shop = run.plan["stages"].set_index("stage").loc["SHOP"]
    net = shop["inbound_time"] + 1 + 2 - shop["service_time"]
    assert shop["net_time"] == net
    assert shop["safety_stock"] == pytest.approx(Z * 6.0 * math.sqrt(net))
    assert shop["base_stock"] == pytest.approx(20.0 * net + shop["safety_stock"])
    assert shop["reorder_level"] == pytest.approx(shop["base_stock"] - 20.0 * 2)
    assert shop["days_of_cover"] == pytest.approx(shop["safety_stock"] / 20.0)
    assert shop["change"] == pytest.approx(shop["safety_stock"] - 10.0)
    assert shop["pipeline_stock"] == pytest.approx(20.0)


def test_the_whole_is_compared_with_its_parts() -> None:
    """Each for itself: Σ h z σ √L. Only at the end: the shop covers all lead times."""
    comparison = solve(serial()).plan["comparison"].set_index("policy")
    each = 0.2 * Z * 6.0 * (10 * math.sqrt(3) + 30 * math.sqrt(2) + 35 * math.sqrt(1))
    end = 0.2 * Z * 6.0 * 35 * math.sqrt(6)
    assert comparison.loc["each for itself", "cost"] == pytest.approx(each)
    assert comparison.loc["only at the end", "cost"] == pytest.approx(end)
    assert comparison.loc["plan", "cost"] <= min(each, end)
    saved = comparison["cost"] - comparison.loc["plan", "cost"]
    assert comparison["plan_saves"].to_dict() == pytest.approx(saved.to_dict())


def test_the_price_of_a_limit_bounds_what_easing_it_is_worth() -> None:
    """The price is a slope under the least cost as a function of the capacity: at any other capacity the plan costs at
    least the bound here less the price of the difference (Lagrangian duality); and a price is asked where one binds."""
    many = {
        "stages": stages(
            **{f"P{n}": {"cost_added": 10.0, "lead_time": 3 + n % 4} for n in range(8)},
            **{f"S{n}": {"cost_added": 10.0, "lead_time": 2, "demand_mean": 9.0, "demand_std": 2.0 + n % 5,
                         "holding_rate": 0.05 + 0.02 * n} for n in range(8)},
        ),
        "arcs": arcs(*(f"P{n}>S{n}" for n in range(8))),
    }  # fmt: skip
    free = solve(many).plan["stages"]["stock_value"].sum()

    def under(capacity: float) -> echelon.Run:
        return solve(many | {"stock_limits": frame(measure="value", capacity=capacity, excess_cost=5.0)})

    run = under(0.95 * free)
    price, cost = run.plan["limits"]["price"].item(), run.outcome.objective or 0.0
    assert 0 < price <= 5.0
    assert list(run.prices["price"]) == [price]
    assert "value of all stock holds the plan back most" in run.page.constraint
    for share in (0.9, 0.93, 0.97, 1.0):
        other = under(share * free).outcome.objective or 0.0
        assert other >= cost * 0.99 - price * (share - 0.95) * free


def test_a_hard_limit_that_is_too_small_is_explained() -> None:
    """Infeasible: the finding names the limit, by how much, and a value that would do; with it there is a plan."""
    limit = frame(measure=["value", "volume"], capacity=[700.0, 100.0], hard=True)
    with pytest.raises(echelon.SolveError) as caught:
        solve(serial() | {"stock_limits": limit})
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE
    (finding,) = caught.value.findings
    assert (finding.table, finding.column, finding.value) == ("stock_limits", "capacity", "700")
    enough = float(finding.remedy.split(" ")[0])
    run = solve(echelon.heed(serial() | {"stock_limits": limit}, [finding], "positioning").tables)
    assert run.plan["limits"]["capacity"].tolist() == [enough, 100.0]


def test_a_stage_that_nothing_depends_on_gets_no_stock() -> None:
    """A stage without demand has no service level, no cover and no stock, and does not disturb the others."""
    spare = change(serial(), "PART", cost_added=10.0)
    spare["stages"] = stages(
        **{row["stage"]: row.drop("stage").dropna().to_dict() for _, row in spare["stages"].iterrows()},
        IDLE={"cost_added": 7.0, "lead_time": 4, "may_hold_stock": False},
    )
    spare["arcs"] = arcs("PART>ASSEMBLY", "ASSEMBLY>SHOP", "PART>IDLE")
    run = solve(spare)
    idle = run.plan["stages"].set_index("stage").loc["IDLE"]
    assert idle["safety_stock"] == 0 and math.isnan(idle["service_level"]) and math.isnan(idle["days_of_cover"])
    assert run.outcome.objective == pytest.approx(solve(serial()).outcome.objective)


def test_a_run_is_stored_and_shown_again(tmp_path: Path) -> None:
    """The page and every table come back from the run folder; two solves give the same bytes."""
    first, second = (solve(serial(), simulate=200).save(tmp_path / name) for name in "ab")
    loaded = echelon.Run.load(first)
    assert loaded.page.service == solve(serial(), simulate=200).page.service
    for file in sorted((first / "results").iterdir()):
        assert file.read_bytes() == (second / "results" / file.name).read_bytes(), file.name


def test_the_template_can_be_solved(tmp_path: Path) -> None:
    """`echelon new positioning` writes tables with which the case can already be solved."""
    tables: Frames = {table.name: table.template() for table in echelon.families()["positioning"].inputs}
    run = echelon.solve(tables, "positioning")
    assert run.outcome.termination is echelon.Termination.OPTIMAL


@pytest.mark.slow
def test_the_sample_case_is_proven_and_keeps_its_promises() -> None:
    """The sample case is solved within 1% in 60 seconds; simulated, its stages keep their promise."""
    run = echelon.solve(ROOT / "data" / "nordkaup_appliances", options={"simulate": 10_000}, time_limit=60)
    assert run.outcome.gap is not None and run.outcome.gap <= 0.01
    assert (run.plan["service"]["verdict"] == "kept").mean() > 0.95
    assert run.kpis["saves_against_each_for_itself"] > 0


@pytest.mark.parametrize("days", [1, 2])
def test_demand_is_that_of_its_history(days: int) -> None:
    """Mean and deviation of a day: days without a row had no demand; a row may stand for several days."""
    dates = pd.to_datetime(["2026-01-01", "2026-01-03", "2026-01-07"])
    quantities = [4.0, 0.0, 6.0, 0.0, 0.0, 0.0, 5.0] if days == 1 else [4.0, 6.0, 0.0, 5.0]
    history = pd.DataFrame({"stage": "SHOP", "day": dates, "quantity": [4.0, 6.0, 5.0]})
    tables = change(serial(), "SHOP", demand_mean=None, demand_std=None) | {"demand_history": history}
    shop = solve(tables, history_days=days).plan["stages"].set_index("stage").loc["SHOP"]
    assert shop["demand_mean"] == pytest.approx(pd.Series(quantities).mean() / days)
    assert shop["demand_std"] == pytest.approx(pd.Series(quantities).std() / math.sqrt(days))


def test_bootstrap_covers_the_share_of_drawn_demand_that_is_promised() -> None:
    """A day's net time drawn from a history of two values: the 95% quantile of one day is the higher of them."""
    history = pd.DataFrame(
        {"stage": "A", "day": pd.date_range("2026-01-01", periods=10), "quantity": [0.0] * 8 + [10.0] * 2}
    )
    one = {
        "stages": stages(A={"cost_added": 1.0, "lead_time": 1}),
        "arcs": arcs("A>A").iloc[:0],
        "demand_history": history,
    }
    row = solve(one, demand_model="bootstrap").plan["stages"].iloc[0]
    assert row["safety_stock"] == pytest.approx(10.0 - 2.0, abs=0.3)
