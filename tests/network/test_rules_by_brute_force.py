"""Each rule and cost of the family on a case so small that every network can be tried."""

from __future__ import annotations

import pytest

from .brute_force import cheapest
from .cases import EXACT, change, optimum
from .rule_cases import Rule, flows, limits, sites_and_money

CASES = [*sites_and_money(), *flows(), *limits()]


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.name)
def test_the_optimum_is_that_of_trying_every_network(rule: Rule) -> None:
    """The model finds what enumeration finds, the plan passes its recheck, and without the rule enumeration finds
    another optimum: so the rule is there, and it is what the case tests."""
    truth = cheapest(rule.tables, rule.unit, **rule.options)
    assert truth < float("inf"), "a case must have a plan"
    assert optimum(rule.tables, **rule.options) == pytest.approx(truth, rel=EXACT, abs=EXACT)

    free, options = change(rule.tables, **rule.without), rule.without_options or rule.options
    assert abs(cheapest(free, rule.unit, **options) - truth) > 1e-3, "the rule does not bind"
