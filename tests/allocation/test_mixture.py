"""Searches of large awards: the scenarios' cuts mixed into one, and awards bettered a few items at a time."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest

from echelon.solvers.again import Again
from echelon_models.allocation.awards import Awards, values_of
from echelon_models.allocation.benders import Scenarios, measured
from echelon_models.allocation.by_item import improve_by_item, item_by_item
from echelon_models.allocation.formulation import build
from echelon_models.allocation.mixture import mixed
from echelon_models.allocation.sets import Sets, prepare

from .cases import RICH, completed, rich


def solved(model: Any, relaxed: bool = False) -> float:
    """Solve the model and load it."""
    again = Again(model, relaxed=relaxed)
    found = again.solve()
    assert found is not None
    again.load(found)
    return found.objective


@pytest.fixture(params=["expected", "worst", "mean_cvar"])
def sets(request: pytest.FixtureRequest) -> Sets:
    return prepare(*completed(rich(), **RICH | {"objective": request.param}))


@pytest.fixture
def cut(sets: Sets) -> Any:
    """The decomposed model with the cuts that its relaxation needs, its variables at the relaxation."""
    model = build(sets, decomposed=True)
    awards = Awards(model, sets, Scenarios(sets))
    solved(model, relaxed=True)
    while awards.cuts_near():
        solved(model, relaxed=True)
    return model


def test_one_cut_is_worth_what_all_are_to_the_relaxation(cut: Any) -> None:
    """The mixture has the best multipliers; its weights are those of scenarios; the model is left as it was."""
    bound = solved(cut, relaxed=True)
    with mixed(cut, 10.0) as weight:
        assert weight is not None
        assert sum(weight.values()) == pytest.approx(1.0) and min(weight.values()) >= 0
        assert solved(cut, relaxed=True) == pytest.approx(bound, rel=1e-6)
    assert solved(cut, relaxed=True) == pytest.approx(bound, rel=1e-9)


def test_items_apart_never_cost_more_than_together(sets: Sets, cut: Any) -> None:
    """Each item may use all spare capacity, and the weights are some that the measure allows."""
    with mixed(cut, 10.0) as weight:
        assert weight is not None
    together = solved(build(sets))
    assert solved(build(item_by_item(sets, weight))) <= together * (1 + 1e-6)
    assert solved(build(item_by_item(sets, sets.scenarios))) <= together * (1 + 1e-6)


def test_an_award_is_never_made_worse(sets: Sets, cut: Any) -> None:
    """From the best award of the first cut on, with all pairs to choose from: what is left in the model costs what the
    one model says, at most what it cost before, and no less than the best award."""
    scenarios = Scenarios(sets)
    with mixed(cut, 10.0) as weight:
        assert weight is not None
        solved(cut)
    before = pyo.value(cut.plan_cost) + measured(scenarios.costs(cut), sets)
    improve_by_item(cut, sets, scenarios, weight, set(sets.pairs), 5.0)
    after = pyo.value(cut.plan_cost) + measured(scenarios.costs(cut), sets)
    assert solved(build(sets)) * (1 - 1e-6) <= after <= before * (1 + 1e-9)
    assert values_of(cut)["award"].keys() == set(sets.pairs)
