"""Each rule and cost of the family on a case so small that every award can be tried.

In each case dropping the rule changes the optimum, so a missing or wrong constraint group fails its own test. The one
model and the decomposition must find the same optimum.
"""

from __future__ import annotations

import pytest

from .brute_force import cheapest
from .cases import EXACT, change, optimum, solve
from .rule_cases import Rule, costs, limits, risk, survival

CASES = [*costs(), *limits(), *survival(), *risk()]


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.name)
def test_the_optimum_is_that_of_trying_every_award(rule: Rule) -> None:
    """The solver finds what enumeration finds, the plan passes its recheck, and without the rule the optimum is another
    one (also found by enumeration): so the rule is there, and it is the only thing that the case tests."""
    truth = cheapest(rule.tables, **rule.options)
    assert truth < float("inf"), "a case must have a plan"
    assert solve(rule.tables, **rule.options).outcome.objective == pytest.approx(truth, rel=EXACT, abs=EXACT)
    if "scenarios" in rule.tables:
        assert optimum(rule.tables, **rule.options, decompose="always") == pytest.approx(truth, rel=EXACT, abs=EXACT)

    free = change(rule.tables, **rule.without)
    options = rule.options if rule.without_options is None else rule.without_options
    other = cheapest(free, **options)
    assert optimum(free, **options) == pytest.approx(other, rel=EXACT, abs=EXACT)
    assert abs(other - truth) > 1e-3, "the rule does not bind"
