"""What the result tables, the page and the comparison say of a network."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import echelon
from echelon_models.geography import great_circle

from .cases import calendar, case, change, costs, solve, wants

DATA = Path(__file__).parents[2] / "data" / "continental_kitchens"
STOCKED = {"product": "ALL", "value": 50.0, "holding_rate": 0.5, "pooling": 4.0}


def totals(run: echelon.Run) -> pd.Series:
    rows = run.plan["comparison"]
    return rows[rows["figure"] == "total"].set_index("network")["value"]


def test_great_circle_of_known_distances() -> None:
    """A quarter of a meridian is 10,007.557 km on a sphere of 6,371.0088 km; London to Paris is 344 km."""
    assert great_circle(0.0, 0.0, 90.0, 0.0) == pytest.approx(10007.557, abs=0.001)
    assert great_circle(51.5074, -0.1278, 48.8566, 2.3522) == pytest.approx(343.6, abs=0.5)


def test_two_sites_pool_their_stock_by_the_square_root_law() -> None:
    """Eppen 1979: one site for n equal customers needs 1 / sqrt(n) of the stock of n sites, where pieces are exact."""
    tables = case(products=STOCKED, demand=wants(c=4, d=4), deliveries=costs({"A": [0, 0], "B": [0, 0]}))
    together = solve(change(tables, pinned_sites={"site": "B", "state": "closed"}), pooling_pieces=1)
    apart = solve(change(tables, deliveries=costs({"A": [0, None], "B": [None, 0]})), pooling_pieces=10)
    assert together.costs["inventory"] == pytest.approx(50 * 0.5 * 4 * 8**0.5)
    by_pieces = apart.costs["inventory"] / (2 * 50 * 0.5 * 4 * 4**0.5)
    assert 0.99 < by_pieces <= 1.0


def test_todays_network_is_planned_beside_the_plan() -> None:
    """What the plan saves is what today's sites would cost at their best, less what the plan costs."""
    tables = case(sites={"site": ["A", "B"], "running_cost": [10.0, 2.0], "opening_cost": [0.0, 3.0],
                         "closing_cost": [1.0, 0.0], "existing": [True, False]})  # fmt: skip
    run = solve(tables, compare_today=True)
    assert totals(run).to_dict() == {"plan": pytest.approx(run.outcome.objective), "today": pytest.approx(32.0)}
    assert "today network" in run.page.service


def test_centralised_regional_and_local_stand_side_by_side() -> None:
    """Each network is the best of its kind: one site (A or B: 30 with B), one a region (both: 32), each customer from
    its nearest (both)."""
    tables = case(sites={"site": ["A", "B"], "running_cost": [10.0, 12.0], "region": ["X", "Y"]})
    run = solve(tables, compare="centralised, regional, local")
    assert totals(run).to_dict() == {
        "plan": pytest.approx(30.0),
        "centralised": pytest.approx(30.0),
        "regional": pytest.approx(32.0),
        "local": pytest.approx(32.0),
    }


def test_a_network_that_cannot_be_says_why() -> None:
    """One site of 7 cannot serve 10: the comparison is blank, a note tells that it would take two."""
    tables = case(sites={"site": ["A", "B"], "running_cost": 1.0, "capacity": 7.0})
    run = solve(tables, compare="centralised")
    assert pd.isna(totals(run)["centralised"])
    assert any("centralised" in note and "is missed by 1" in note for note in run.notes)


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (case(sites={"site": ["A", "B"], "capacity": 4.0}), ("demand", "2 units of ALL in 1 cannot be served")),
        (case(sites={"site": ["A", "B"], "opening_cost": 9.0}, budgets={"amount": 5.0, "hard": True}),
         ("budgets", "too small by 4 money")),
        (case(pinned_sites={"site": ["A", "B"], "state": "open"}, site_limits={"maximum": 1}),
         ("site_limits", "is missed by 1")),
        (case(pinned_sites={"site": ["A", "B"], "state": ["open", "closed"]}, site_limits={"minimum": 2}),
         ("site_limits", "smallest number of sites")),
        (case(sites={"site": ["A", "B"], "emissions": 5000.0}, carbon={"cap": 1.0, "hard": True}),
         ("carbon", "too small by 4 t CO2")),
        (case(deliveries=costs({"A": [1, 3], "B": [3, 1]}).assign(distance=[9.0, 99.0, 99.0, 99.0]),
              service_limits={"within": 50.0, "share": 0.9, "hard": True}), ("service_limits", "missed by 5 units")),
        (case(returns={"customer": "c", "quantity": 3.0},
              recovery={"site": "A", "capacity": 1.0, "disposal_limit": 1.0}), ("returns", "find no site with room")),
    ],
    ids=["capacity", "budget", "most sites", "fewest sites", "carbon", "service", "returns"],
)  # fmt: skip
def test_an_infeasible_case_is_explained(tables: dict[str, pd.DataFrame], told: tuple[str, str]) -> None:
    """An analyst is told which limit stands in the way and by how much, not only that there is no network; where
    values are suggested for all of it, there is one with them."""
    with pytest.raises(echelon.SolveError) as caught:
        solve(tables)
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE
    findings = caught.value.findings
    found = [(f.table, f.rule) for f in findings]
    assert any(table == told[0] and told[1] in rule for table, rule in found), found
    if all(isinstance(finding, echelon.Suggestion) for finding in findings):
        solve(echelon.heed(tables, findings, "network").tables)


def test_missing_backup_is_explained() -> None:
    """With one way to a customer no other site can take over."""
    tables = case(deliveries=costs({"A": [1, 3], "B": [None, 1]}))
    with pytest.raises(echelon.SolveError) as caught:
        solve(tables, backup_cover=1.0)
    assert any("should A fail in 1" in f.rule for f in caught.value.findings)


def test_the_price_of_a_capacity_is_what_one_more_unit_saves() -> None:
    """A unit more at A, which costs 1, spares one from B, which costs 5."""
    tables = case(sites={"site": ["A", "B"], "capacity": [6.0, 9.0]}, deliveries=costs({"A": [1, 1], "B": [5, 5]}))
    prices = solve(tables).prices.set_index(["limit", "name"])["price"]
    assert prices.to_dict() == {("site capacity", "A"): pytest.approx(4.0)}


def test_an_earlier_plan_starts_the_search() -> None:
    """A warm start changes nothing but where the search begins."""
    tables = case(periods=calendar([365, 365]), demand=wants(c=[4, 5], d=[6, 2]))
    run = solve(tables)
    warm = echelon.solve(tables, "network", options={"discount_rate": 0.0, "compare_today": False}, start=run, gap=0.0)
    assert warm.outcome.objective == pytest.approx(run.outcome.objective)


@pytest.mark.slow
def test_the_sample_case_has_a_plan_of_a_small_gap() -> None:
    """The sample case is what a newcomer sees first: proven within 1%, cheaper than today's network."""
    run = echelon.solve(DATA, time_limit=40, gap=0.01)
    assert run.outcome.gap is not None and run.outcome.gap <= 0.01
    assert run.kpis["networks"]["today"] > run.kpis["networks"]["plan"]
    assert run.kpis["served_share"] == pytest.approx(1.0)
    assert len(run.page.actions) > 0
