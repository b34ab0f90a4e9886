"""Each rule against the trying of all plans, on tiny cases in which the rule decides."""

from __future__ import annotations

import pytest

from .brute_force import optimum
from .cases import completed, cost, frame
from .rule_cases import CASES, DROPPED

EXACT = 1e-6


@pytest.mark.parametrize("name", CASES)
def test_a_plan_costs_what_trying_all_plans_finds(name: str) -> None:
    """The two levels together find the best of all plans where there are few of them; OR-Tools alone serves every rule."""
    tables, options = CASES[name]
    full, chosen = completed(tables, **options)
    assert cost(tables, rounds=2, **options) == pytest.approx(optimum(full, chosen), abs=EXACT, rel=EXACT)


@pytest.mark.parametrize("name", DROPPED)
def test_a_rule_decides_in_its_case(name: str) -> None:
    """Without its rule a case costs less: so the test above is one of the rule. (By trying all, without a search.)"""
    tables, options = CASES[name]
    dropped = dict(tables)
    for table, columns in DROPPED[name].items():
        if columns is None:
            del dropped[table]
        else:
            dropped[table] = frame(tables[table]).assign(**columns)
    with_rule, without = (optimum(*completed(frames, **options)) for frames in (tables, dropped))
    assert without < with_rule - EXACT
