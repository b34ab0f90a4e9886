"""Each rule on a tiny problem: both searches find what enumeration says is best."""

from __future__ import annotations

import time

import pytest

from echelon.solvers.routing import pyvrp_search
from echelon.solvers.routing.budget import Budget
from echelon.solvers.routing.search import ORTOOLS, PYVRP, solve

from .cases import RULES, best

CAN = [name for name, given in RULES.items() if pyvrp_search.expressible(given) is None]


def found(name: str, use: str) -> tuple[int, int]:
    return solve(RULES[name], Budget(time.monotonic() + 60, rounds=4), use=(use,)).worth


@pytest.mark.parametrize("name", RULES)
def test_ortools_alone_serves_every_rule(name: str) -> None:
    """OR-Tools is always there, so it must know every rule that a problem can have."""
    assert found(name, ORTOOLS) == best(RULES[name])


@pytest.mark.parametrize("name", CAN)
def test_pyvrp_agrees_where_it_can_express_the_rules(name: str) -> None:
    assert found(name, PYVRP) == best(RULES[name])


def test_pyvrp_says_what_it_cannot_express() -> None:
    without = set(RULES) - set(CAN)
    assert without == {"breaks", "docks", "release", "unloads before going home", "loads at a hub"}
