"""Studies of returns: the frontiers that it declares, sweeps, comparisons, on a case whose plans are known by looking."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import echelon
from echelon.edits import parse_edits
from echelon.study import Scenario, compare, frontier_of, parse_dial, run_frontier, run_study, run_sweep
from echelon.tables import Frames

from .cases import case
from .rule_cases import stops

HOW: dict[str, Any] = {"options": {"rounds": 1, "pyvrp": "off"}, "time_limit": 300.0}


def small() -> Frames:
    """Stops at 10, 20 and -5 km at 0.9 a km: 50 km for all or b20 and c-5, 30 for a10 and c-5, 10 for c-5. The hub takes
    5 kg, which leaves a10 (1 kg) or b20 (2 kg)."""
    return case(
        stops=stops(leaving_cost=[25.0, 45.0, 99.0]),
        hubs={"hub": "H0", "intake_weight": 5.0},
        vehicles={"vehicle": "V", "cost_per_km": 0.9, "emissions": 1.0},
    )


def test_serving_more_stops_costs_more(tmp_path: Path) -> None:
    """At a loss of 10 a stop, c-5 alone is worth its 10 km; at 20 a10 is worth another 20; nothing more fits the hub."""
    curve = run_frontier(small(), frontier_of(small(), "returns", "service"), tmp_path / "f", "returns", **HOW)
    kept = curve.points[~curve.points["dominated"]]
    assert kept["stops served"].tolist() == [0, 1, 2]
    assert kept["cost without losses"].tolist() == pytest.approx([0.0, 9.0, 27.0])


def test_a_price_of_emissions_saves_km(tmp_path: Path) -> None:
    """1 kg a km: b20 is left for a10 from 0.1 a km on, a10 too from 0.35 on (its loss of 25 for 20 km)."""
    curve = run_frontier(small(), frontier_of(small(), "returns", "carbon"), tmp_path / "f", "returns", **HOW)
    emitted = curve.points.set_index("level")["emissions kg CO2"]
    assert (emitted[0.0], emitted[200.0], emitted[400.0], emitted[3200.0]) == (50.0, 30.0, 10.0, 10.0)
    assert curve.points["cost without carbon"].iloc[0] == pytest.approx(50 * 0.9 + 25.0)


def test_a_sweep_tells_differences_and_no_bounds(tmp_path: Path) -> None:
    """A hub that takes 6 kg collects a10 too, on the way to b20. No bound is known, so none of the difference is."""
    table = run_sweep(small(), [parse_dial("hubs.intake_weight")], tmp_path / "s", "returns", by=[1.2], **HOW).table
    assert table["difference"].tolist() == pytest.approx([0.0, -25.0])
    assert table["least_difference"].isna().iloc[1] and table["most_difference"].isna().iloc[1]


def test_a_comparison_says_what_changed_and_that_no_bound_is_known(tmp_path: Path) -> None:
    """Scenarios start from each other's plans; the limit whose use changed is told with its price, or that it has none."""
    edits = parse_edits([{"table": "hubs", "column": "intake_weight", "scale": 1.2}], "bigger")
    scenarios = [Scenario("as it is"), Scenario("bigger", edits, parent="as it is")]
    study = run_study(small(), scenarios, tmp_path / "s", "returns", warm_start=True, **HOW)
    assert study.results["objective"].tolist() == pytest.approx([70.0, 45.0])
    told = compare({name: study.run(name) for name in ("as it is", "bigger")})
    assert (
        told.why["bigger"][0]
        == "costs -25.00 (-35.71%), the difference of two plans: no bound is known of one, or both"
    )
    assert "input hubs.intake_weight: x 1.2 in 1 row(s)" in told.why["bigger"]
    assert "limit intake H0 (kg) no longer binds" in told.why["bigger"]


def test_the_families_words_are_those_of_its_measures() -> None:
    """Each frontier's aims are measures that a run of returns has."""
    run = echelon.solve(small(), "returns", explain="off", **HOW)
    known = {"objective", *(f"cost.{name}" for name in run.costs), *(f"kpi.{name}" for name in run.kpis)}
    for frontier in echelon.families()["returns"].frontiers:
        for aim in frontier.aims:
            assert set(aim.measure.split(" - ")) <= known
