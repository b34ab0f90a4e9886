"""Large cases: prices bound the cost of every network and fix only sites that no better network changes."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import HealthCheck, given, settings

import echelon
from echelon.tables import Frames
from echelon_models import network
from echelon_models.network.sets import prepare
from echelon_models.network.sparse import fix_sites, price_demand, thin_out

from .brute_force import cheapest
from .cases import EXACT, PLAIN, completed, optimum, solve
from .rule_cases import Rule, flows, limits, sites_and_money
from .test_properties import cases

FEW = settings(max_examples=4, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
PRICED = [rule for rule in [*sites_and_money(), *flows(), *limits()] if rule.options.get("sourcing") is None]


@pytest.mark.parametrize("rule", PRICED, ids=lambda rule: rule.name)
def test_no_network_costs_less_than_the_prices_say(rule: Rule) -> None:
    """With whatever rules a case has, the bound is one: what the prices leave out only adds to the cost."""
    full, options = completed(rule.tables, **rule.options)
    best = cheapest(rule.tables, rule.unit, **rule.options)
    priced = price_demand(prepare(full, options), time.monotonic() + 5)
    assert priced.bound <= best * (1 + EXACT) + EXACT


@pytest.mark.slow
@FEW
@given(tables=cases())
def test_sites_are_fixed_as_in_the_best_network(tables: Frames) -> None:
    """Every site that the prices fix at the optimum's cost is in that state in the optimum."""
    run = solve(tables)
    full, options = completed(tables)
    sets = prepare(full, options)
    cost = run.outcome.objective or 0.0
    fixed = fix_sites(sets, price_demand(sets, time.monotonic() + 5), cost)
    states = run.plan["sites"].assign(t=run.plan["sites"].groupby("site").cumcount())
    is_open = states.set_index(["site", "t"])["open"].to_dict()
    assert all(is_open[key] == state for key, state in fixed.pinned.items())


@pytest.mark.slow
@FEW
@given(tables=cases())
def test_a_case_that_is_priced_first_has_the_same_optimum(tables: Frames) -> None:
    """The small model and the fixed sites speed the search up and change nothing of what it finds."""
    before = optimum(tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "LARGE", 0)
        assert optimum(tables) == pytest.approx(before, rel=EXACT, abs=EXACT)


@pytest.mark.slow
@FEW
@given(tables=cases())
def test_a_case_too_large_for_one_model_has_a_plan_and_an_honest_gap(tables: Frames) -> None:
    """The plan of the small model passes the recheck; its bound is that of the whole case."""
    best = optimum(tables)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network, "LARGE", 0)
        patch.setattr(network, "LARGEST", 0)
        outcome = echelon.solve(tables, "network", options=PLAIN, gap=0.0, time_limit=30.0).outcome
    assert outcome.bound is not None and outcome.objective is not None
    assert outcome.bound <= best * (1 + EXACT) + EXACT
    assert outcome.objective >= best * (1 - EXACT) - EXACT
    assert outcome.gap is not None and math.isfinite(outcome.gap)


def test_a_small_model_keeps_each_demand_and_the_sites_that_exist() -> None:
    """Whatever the prices say, every demand has a way and every site that exists may stay or close."""
    full, options = completed(sites_and_money()[2].tables)
    sets = prepare(full, options)
    small = thin_out(sets, price_demand(sets, time.monotonic() + 5))
    assert {key[1] for key in small.serves} == {"c", "d"}
    assert "A" in {key[0] for key in small.serves}
