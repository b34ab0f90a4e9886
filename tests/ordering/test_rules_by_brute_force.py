"""Each rule of the family on a case so small that every plan can be tried.

In each case dropping the rule changes the optimum, so a missing or wrong constraint group fails its own test. All
formulations must find the same optimum: a strengthening may cut off fractions, never a plan.
"""

from __future__ import annotations

import pytest

from .brute_force import cheapest
from .cases import EXACT, FORMULATIONS, change, optima, optimum, solve
from .limit_cases import limits, limits_in_detail
from .rule_cases import Rule, decisions, order_terms, stock_and_shortage

CASES = [*order_terms(), *stock_and_shortage(), *limits(), *limits_in_detail(), *decisions()]


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.name)
def test_the_optimum_is_that_of_trying_every_plan(rule: Rule) -> None:
    """All formulations find what enumeration finds, the plan passes its recheck, and without the rule the optimum is
    another one (also found by enumeration): so the rule is there, and it is the only thing that the case tests."""
    truth = cheapest(rule.tables, rule.grid, rule.sends, **rule.options)
    assert truth < float("inf"), "a case must have a plan"
    found = optima(rule.tables, ["big_m", "ls", "facility"], **rule.options)
    found["auto"] = solve(rule.tables, **rule.options, price_pins=False).outcome.objective or 0.0
    assert found == pytest.approx(dict.fromkeys(FORMULATIONS, truth), rel=EXACT, abs=EXACT)

    free = change(rule.tables, **rule.without)
    options = rule.options if rule.without_options is None else rule.without_options
    other = cheapest(free, rule.grid, rule.sends, **options)
    assert optimum(free, **options) == pytest.approx(other, rel=EXACT, abs=EXACT)
    assert abs(other - truth) > 1e-3, "the rule does not bind"
