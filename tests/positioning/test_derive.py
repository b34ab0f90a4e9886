"""Stages and arcs from ordinary tables, and the way back: safety stock as the ordering family takes it in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import arcs, frame, solve, stages

ROOT = Path(__file__).parents[2]
WEEKS = ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26"]
QUANTITIES = [14.0, 28.0, 7.0, 21.0]


def business(**tables: Any) -> Frames:
    """A set of two lamps and a box is made in the plant, sent to the shop and sold there."""
    given: dict[str, Any] = {
        "items": frame(item=["SET", "LAMP", "BOX"], department=["HOME", "", ""], volume=[0.2, 0.0, 0.0]),
        "sites": frame(site=["PLANT", "SHOP"]),
        "demand": frame(item="SET", site="SHOP", period=WEEKS, quantity=QUANTITIES),
        "offers": frame(supplier=["S", "T", "S"], item=["LAMP", "LAMP", "BOX"], site="PLANT", price=[9.0, 8.0, 1.0],
                        lead_time=[1, 3, 1]),
        "boms": frame(item="SET", component=["LAMP", "BOX"], quantity=[2.0, 1.0]),
        "production": frame(item="SET", lead_time=2.0, cost=4.0),
        "lanes": frame(from_site="PLANT", to_site="SHOP", cost=0.5, lead_time=1),
    }  # fmt: skip
    return given | tables


def test_the_network_is_that_of_the_business() -> None:
    """Demand pulls the set from the plant, the set its components; the cheapest offer is taken; periods become days."""
    run = solve(business())
    table = run.plan["stages"].set_index("stage")
    assert run.plan["arcs"].values.tolist() == [
        ["BOX@PLANT", "SET@PLANT", 1.0], ["LAMP@PLANT", "SET@PLANT", 2.0], ["SET@PLANT", "SET@SHOP", 1.0],
    ]  # fmt: skip
    assert table["lead_time"].to_dict() == {"BOX@PLANT": 7.0, "LAMP@PLANT": 21.0, "SET@PLANT": 2.0, "SET@SHOP": 7.0}
    assert table["value"].to_dict() == {"BOX@PLANT": 1.0, "LAMP@PLANT": 8.0, "SET@PLANT": 21.0, "SET@SHOP": 21.5}
    assert table.loc["SET@SHOP", "department"] == "HOME"
    assert table.loc["LAMP@PLANT", "demand_mean"] == pytest.approx(2 * sum(QUANTITIES) / 28)
    assert table.loc["SET@SHOP", "demand_std"] == pytest.approx(pd.Series(QUANTITIES).std() / 7**0.5)
    assert [f.value for f in run.findings] == ["LAMP, PLANT"]


def test_a_row_in_stages_adds_to_the_derived_stage() -> None:
    """What the row fills counts, what it leaves blank stays as derived, and a stage of its own joins by an arc."""
    more = stages(
        **{
            "SET@SHOP": {"promised_time": 3, "service_level": 0.9},
            "SET@PLANT": {},
            "FOIL": {"cost_added": 0.1, "lead_time": 4},
        }
    )
    table = solve(business(stages=more, arcs=arcs("FOIL>SET@PLANT*3"))).plan["stages"].set_index("stage")
    assert table.loc["SET@SHOP", "lead_time"] == 7.0
    assert table.loc["SET@SHOP", "service_time"] <= 3.0
    assert table.loc["SET@SHOP", "service_level"] == 0.9
    assert table.loc["SET@PLANT", "value"] == pytest.approx(21.3)
    assert table.loc["FOIL", "demand_mean"] == pytest.approx(3 * 2.5)


@pytest.mark.parametrize(
    ("changes", "inputs"),
    [
        ({"boms": frame(item="SET", component="LAMP", site="SHOP"),
          "offers": frame(supplier="S", item="LAMP", site="SHOP", price=1.0)}, {"LAMP@SHOP"}),
        ({"offers": frame(supplier="S", item="SET", site="SHOP", price=9.0), "lanes": None}, set()),
        ({"boms": None, "offers": frame(supplier="S", item="SET", site="PLANT", price=9.0)}, {"SET@PLANT"}),
        ({"lanes": frame(from_site=["PLANT", "PLANT", "FAR"], to_site=["SHOP", "FAR", "SHOP"], item=["", "", "SET"],
                         cost=[2.0, 0.0, 1.0]), "sites": None}, {"SET@FAR"}),
    ],
    ids=["a bill for the site", "an offer", "a lane from a bought item", "the cheaper lane"],
)  # fmt: skip
def test_where_the_item_comes_from(changes: dict[str, Any], inputs: set[str]) -> None:
    """Made here by name, else moved here, else bought here, else made by a bill without a site."""
    tables = {name: table for name, table in (business() | changes).items() if table is not None}
    plan = solve(tables).plan["arcs"]
    assert set(plan.loc[plan["to_stage"] == "SET@SHOP", "from_stage"]) == inputs


def test_the_result_feeds_ordering() -> None:
    """The targets go into an ordering case as they come out, and hold in every period."""
    tables = business(boms=None, offers=frame(supplier="S", item="SET", site="PLANT", price=9.0, lead_time=1))
    tables = {name: table for name, table in tables.items() if name not in ("boms", "production")}
    targets = solve(tables).plan["safety_stock"]
    assert list(targets.columns) == ["item", "site", "period", "quantity"]
    run = echelon.solve(
        tables | {"safety_stock": targets},
        "ordering",
        options={"final_stock_value": 1.0, "safety_shortfall_rate": 50.0},
        time_limit=10,
    )
    stock = run.plan["inventory"].merge(targets, on=["item", "site"], how="left", suffixes=("", "_target"))
    last = stock[stock["period"] == WEEKS[-1]]
    assert len(targets) > 0 and last["quantity"].notna().any()
    assert (last["closing"] >= last["quantity"].fillna(0.0) - 1e-6).all()


def test_the_ordering_sample_case_serves_positioning_too() -> None:
    """Tables made for ordering give a network as they are: 143 places, all with customers or serving some."""
    tables = echelon.read(ROOT / "data" / "harbor_tools").tables
    run = solve(tables)
    assert run.outcome.termination is echelon.Termination.OPTIMAL
    assert len(run.plan["stages"]) >= 140


def test_months_count_their_days() -> None:
    """Demand by month is spread over the days of the months: January has 31, February 28."""
    months = frame(item="SET", site="SHOP", period=["2026-01-01", "2026-02-01"], quantity=[31.0, 28.0])
    table = solve(business(demand=months)).plan["stages"].set_index("stage")
    assert table.loc["SET@SHOP", "demand_mean"] == pytest.approx(1.0)
    assert table.loc["SET@SHOP", "demand_std"] == pytest.approx(0.0, abs=1e-12)
