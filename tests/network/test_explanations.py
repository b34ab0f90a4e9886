"""What a run says of the limits of a network, against the network planned once more with them changed."""

from __future__ import annotations

from typing import Any

import pytest

import echelon
from echelon.tables import Frames

from .cases import PLAIN, case, change, costs, optimum, wants

MANY: dict[str, Any] = {"demand": wants(c=40, d=60)}
FAR = costs({"A": [1, 3], "B": [3, 1]}).assign(distance=[10.0, 90.0, 90.0, 10.0])
PLANTED: list[tuple[str, str, Frames, dict[str, Any]]] = [
    ("sites", "open", case(**MANY, site_limits={"maximum": 1}), {"site_limits": {"maximum": 2}}),
    (
        "site capacity",
        "A",
        case(**MANY, sites={"site": ["A", "B"], "running_cost": [10.0, 12.0], "capacity": [20.0, 500.0]}),
        {"sites": {"capacity": [22.0, 500.0]}},
    ),
    (
        "supply",
        "A",
        case(**MANY, supply={"site": ["A", "B"], "cost": [1.0, 2.0], "capacity": [30.0, 500.0]}),
        {"supply": {"capacity": [33.0, 500.0]}},
    ),
    (
        "service",
        "",
        case(sites={"site": ["A", "B"], "running_cost": [10.0, 500.0]}, demand=wants(c=40, d=60), deliveries=FAR,
             service_limits={"within": 50.0, "share": 0.9, "excess_cost": 5.0}),
        {"service_limits": {"share": 0.89}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "tables", "eased"), PLANTED, ids=[kind for kind, *_ in PLANTED])
def test_the_limit_of_a_network_that_was_planted_is_named(
    kind: str, name: str, tables: Frames, eased: dict[str, Any]
) -> None:
    """Planned anew with more of it: what one more site is worth no dual can tell."""
    run = echelon.solve(tables, "network", options=PLAIN, gap=0.0, time_limit=30.0)
    anew = run.plan["eased"][run.plan["eased"]["how"] == "anew"]
    top = anew.loc[anew["saving"].idxmax()]
    assert top["limit"] == kind and name in top["name"], run.plan["eased"]
    assert top["saving"] == pytest.approx((run.outcome.objective or 0.0) - optimum(change(tables, **eased)), rel=1e-6)
    assert f"The {kind} of" in run.page.constraint and "everything planned anew" in run.page.constraint


def test_a_rule_of_a_network_costs_what_the_network_without_it_costs_less() -> None:
    """Single sourcing and a forbidden site, each left out in turn; rules that the case has not are not told."""
    tables = case(
        sites={"site": ["A", "B", "C"], "running_cost": [10.0, 12.0, 5.0], "capacity": [60.0, 90.0, 90.0]},
        deliveries=costs({"A": [1, 3], "B": [3, 1], "C": [2, 2]}),
        demand=wants(c=70, d=20),
        pinned_sites={"site": "C", "state": "closed"},
    )
    run = echelon.solve(
        tables, "network", options=PLAIN | {"sourcing": "customer", "price_rules": True}, gap=0.0, explain="off"
    )
    cost = run.outcome.objective or 0.0
    expected = {
        "single sourcing": cost - optimum(tables),
        "forbidden sites": cost - optimum(change(tables, pinned_sites=None), sourcing="customer"),
    }
    assert run.plan["rule_prices"].set_index("rule")["saving"].to_dict() == pytest.approx(expected)
    assert min(expected.values()) > 0
