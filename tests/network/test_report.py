"""The charts of a network are its tables: places on their coordinates, flows of the last period, costs to the cent."""

from __future__ import annotations

import pandas as pd
import pytest

import echelon
from echelon.charts import Bars, Chart, Heat, Network

from .cases import case, solve

PLACES = {
    "sites": {"site": ["A", "B"], "running_cost": [10.0, 2.0], "capacity": 20.0, "existing": [True, False],
              "latitude": [50.0, 52.0], "longitude": [5.0, 9.0]},
    "customers": {"customer": ["c", "d"], "latitude": [51.0, 53.0], "longitude": [6.0, 8.0]},
}  # fmt: skip


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(case(**PLACES), compare_today=True)


def chart(run: echelon.Run, kind: type[Chart], words: str = "") -> Chart:
    (found,) = [chart for chart in run.charts if isinstance(chart, kind) and words in chart.title]
    return found


def test_places_stand_on_their_coordinates(run: echelon.Run) -> None:
    """Every open site and customer once, where the tables say; flows as in the plan."""
    drawn = chart(run, Network)
    assert isinstance(drawn, Network) and drawn.latitude
    places = drawn.data.set_index("place")
    assert {"c", "d"} < set(places.index)
    assert places.loc["c", ["latitude", "longitude"]].tolist() == [51.0, 6.0]
    assert drawn.arcs["quantity"].sum() == pytest.approx(run.plan["flows"]["quantity"].sum())
    received = run.plan["flows"].groupby("destination")["quantity"].sum()
    assert places.loc["d", "units"] == pytest.approx(received["d"])


def test_without_coordinates_places_stand_by_kind() -> None:
    """One place without coordinates is enough: a map with a hole would mislead."""
    drawn = chart(solve(case()), Network)
    assert isinstance(drawn, Network) and not drawn.latitude and drawn.layer == "kind"
    assert set(drawn.data["kind"]) == {"warehouse", "customer"}


def test_the_comparison_is_with_the_plan(run: echelon.Run) -> None:
    """Totals as in the result table, differences to the plan."""
    drawn = chart(run, Bars, "less than today's network")
    assert isinstance(drawn, Bars) and drawn.base == "plan"
    assert dict(zip(drawn.data["network"], drawn.data["total cost"], strict=True)) == pytest.approx(
        run.kpis["networks"]
    )
    assert set(run.kpis["networks"]) == {"plan", "today"}


def test_how_full_sites_are(run: echelon.Run) -> None:
    """A cell a site and period, use over capacity."""
    drawn = chart(run, Heat)
    sites = run.plan["sites"]
    known = sites[sites["open"] & sites["utilisation"].notna()]
    assert sorted(drawn.data["utilisation"]) == pytest.approx(sorted(known["utilisation"]))


def test_cost_to_serve_is_told_by_component(run: echelon.Run) -> None:
    """The components of one unit's cost add up to it."""
    drawn = chart(run, Bars, "to serve")
    rows = run.plan["cost_to_serve"]
    assert drawn.data["cost of one unit"].sum() == pytest.approx(rows["cost_per_unit"].sum())


def test_bands_of_distance_keep_their_order() -> None:
    """Near before far in the key, whichever group comes first."""
    run = solve(case(**PLACES, **{"groups": pd.DataFrame({"group": ["x", "y"]})}) | {
        "customers": pd.DataFrame(PLACES["customers"]).assign(group=["y", "x"])
    })  # fmt: skip
    drawn = chart(run, Bars, "nearest band")
    bounds = [float(name.split()[0].replace("over", "1e9")) for name in drawn.data["distance"].cat.categories]
    assert bounds == sorted(bounds)
    assert drawn.data.groupby("group")["share"].sum().tolist() == pytest.approx([1.0] * drawn.data["group"].nunique())
