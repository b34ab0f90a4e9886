"""The charts of returns are its tables: tours call by call, intake, recovery, stops alone, reasons."""

from __future__ import annotations

import pytest

import echelon
from echelon.charts import Bars, Chart, Heat, Routes, Timeline

from .cases import case, solve
from .rule_cases import recovered, stops


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(recovered(hubs={"hub": "H0", "intake_weight": 50.0}))


def chart(run: echelon.Run, kind: type[Chart], words: str) -> Chart:
    (found,) = [chart for chart in run.charts if isinstance(chart, kind) and words in chart.title]
    return found


def test_intake_stands_against_its_limit(run: echelon.Run) -> None:
    drawn = chart(run, Timeline, "H0 is fullest on 1: 8 kg, 16% of what it may take in").data
    assert drawn["taken in"].tolist() == run.plan["intake"]["weight"].tolist()
    assert set(drawn["limit"]) == {50.0}


def test_recovery_and_comparison_add_up(run: echelon.Run) -> None:
    """All units recovered are in a bar; what is saved line by line is what the plan saves in all."""
    assert chart(run, Bars, "of the goods").data["units"].sum() == pytest.approx(run.plan["recovery"]["units"].sum())
    lines = chart(run, Bars, "Collecting together").data.set_index("line")["saving"]
    assert lines["total"] == pytest.approx(lines.drop("total").sum()) == pytest.approx(run.kpis["saving"])


def test_the_fullest_hub_is_named_not_the_largest() -> None:
    """K25 takes in 2 of 3 pallets, H0 80 of 900 kg: most weight, and far from full."""
    hubs = {"hub": ["H0", "K25"], "intake_pallets": [9.0, 3.0], "intake_weight": 900.0}
    vehicles = {"vehicle": ["V", "W"], "start": ["H0", "K25"]}
    run = solve(case(stops={"stop": ["a1", "b24"], "pallets": [1.0, 2.0], "weight": [80.0, 1.0], "service_minutes": 0.0},
                     hubs=hubs, vehicles=vehicles))  # fmt: skip
    assert run.plan["served"].set_index("stop")["hub"].to_dict() == {"a1": "H0", "b24": "K25"}
    drawn = chart(run, Timeline, "is fullest on")
    assert drawn.title == "K25 is fullest on 1: 2 pallets, 67% of what it may take in"
    assert drawn.data["taken in"].tolist() == [1.0, 2.0]


def test_slow_stock_shows_every_option() -> None:
    """Each option that a line has is a cell, at its worth in the table; the one to choose stands out."""
    run = solve(recovered(returns=None, slow_movers={"stop": ["a10"], "product": ["Q"], "quantity": [4.0], "age": [400.0],
                                                     "supplier_rate": [0.9]}))  # fmt: skip
    drawn = chart(run, Heat, "slow lines gains").data.set_index("option")
    row = run.plan["slow_movers"].iloc[0]
    assert drawn["worth"].to_dict() == pytest.approx(
        {name: row[name] for name in ("hold", "refurbish", "supplier", "scrap")}
    )
    assert drawn.index[drawn["what to do"]].tolist() == ["supplier"]


def test_tours_and_reasons_are_those_of_the_plan() -> None:
    """Calls in the order of the tour, hubs as depots; a stop that is left is counted under its reason."""
    where = {"latitude": [50.0, 50.1, 50.2], "longitude": [8.0, 8.1, 8.2]}
    hub = {"hub": "H0", "latitude": 50.0, "longitude": 7.9}
    run = solve(case(hubs=hub, stops=stops(leaving_cost=[9.0, 15.0, 99.0], **where)))
    drawn, routes = chart(run, Routes, "tours serve").data, run.plan["routes"]
    assert drawn["place"].tolist() == routes["place"].tolist()
    assert drawn["depot"].tolist() == (routes["place"] == "H0").tolist()
    reasons = run.plan["unserved"]["reason"].value_counts().to_dict()
    counted = chart(run, Bars, "left, most often").data
    assert reasons and dict(zip(counted["reason"], counted["stops"], strict=True)) == reasons
