"""The charts of returns are its tables: tours call by call, intake, recovery, stops alone, reasons."""

from __future__ import annotations

import pytest

import echelon
from echelon.charts import Bars, Chart, Routes, Timeline

from .cases import case, solve
from .rule_cases import recovered, stops


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(recovered(hubs={"hub": "H0", "intake_weight": 50.0}))


def chart(run: echelon.Run, kind: type[Chart], words: str) -> Chart:
    (found,) = [chart for chart in run.charts if isinstance(chart, kind) and words in chart.title]
    return found


def test_intake_stands_against_its_limit(run: echelon.Run) -> None:
    drawn = chart(run, Timeline, "Most goods reach").data
    assert drawn["taken in"].tolist() == run.plan["intake"]["weight"].tolist()
    assert set(drawn["limit"]) == {50.0}


def test_recovery_and_comparison_add_up(run: echelon.Run) -> None:
    """All units recovered are in a bar; the two ways differ by what the plan says it saves."""
    assert chart(run, Bars, "of the goods").data["units"].sum() == pytest.approx(run.plan["recovery"]["units"].sum())
    together, alone = chart(run, Bars, "Collecting together").data["net cost"]
    saving = run.plan["comparison"].set_index("line").loc["total", "saving"]
    assert alone - together == pytest.approx(saving)


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
