"""Cuts must hold for every award, and lead the relaxation to where it belongs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from echelon.solvers.again import Again
from echelon.tables import Frames
from echelon_models.allocation.awards import Awards
from echelon_models.allocation.benders import Scenarios
from echelon_models.allocation.formulation import build
from echelon_models.allocation.rebate_cuts import rebate_cuts
from echelon_models.allocation.sets import Sets, prepare

from .cases import EXACT, RICH, case, completed, rich


def rebated(capacities: tuple[float | None, float | None] = (None, None)) -> Frames:
    """Three items, two suppliers whose rebates need more than one item's spend; they may have capacities."""
    return case(
        {"A": 20.0, "B": 30.0, "C": 25.0},
        {f"{s} {i}": price for s in "ST" for i, price in zip("ABC", (4.0, 5.0, 6.0), strict=True)},
        offer_terms={"award_cost": [5.0, 9.0, 2.0, 7.0, 3.0, 6.0]},
        suppliers={"supplier": ["S", "T"], "activation_cost": [40.0, 30.0], "capacity": list(capacities)},
        price_breaks={"supplier": ["S", "T"], "item": ["A", "B"], "from_quantity": [10.0, 15.0], "price": [3.5, 4.5],
                      "kind": ["all_units", "incremental"]},
        rebates={"supplier": ["S", "S", "T"], "from_spend": [100.0, 260.0, 200.0], "rate": [0.05, 0.1, 0.08],
                 "kind": ["whole", "whole", "beyond"]},
        shares={"supplier": ["S", "T"], "item": ["A", "B"], "max_share": [0.7, 0.6]},
    )  # fmt: skip


def sets_of(tables: Frames, **options: Any) -> Sets:
    return prepare(*completed(tables, **options))


def relaxed(model: Any) -> float:
    """Solve the relaxation and load it."""
    again = Again(model, relaxed=True)
    solved = again.solve()
    assert solved is not None
    again.load(solved)
    return solved.objective


@pytest.mark.parametrize("tables", [rebated(), rebated((44.0, 38.0)), rich()], ids=["rebated", "capacity", "rich"])
def test_cuts_of_rebates_hold_for_every_award(tables: Frames) -> None:
    """Awards that are best for costs drawn at random break none of the cuts made at relaxations of random costs."""
    random = np.random.default_rng(3)
    sets = sets_of(tables)
    model, plain = build(sets), build(sets)
    relaxation, search = Again(model, relaxed=True), Again(plain)
    every = np.arange(len(search.costs), dtype=np.int32)
    for _ in range(12):
        relaxation.cost(every, relaxation.costs * random.uniform(0.3, 1.7, len(every)))
        if solved := relaxation.solve():
            relaxation.load(solved)
            rebate_cuts(model, sets)
    assert len(model.rebate_cuts) > 0
    for _ in range(12):
        search.cost(every, search.costs * random.uniform(0.3, 1.7, len(every)))
        found = search.solve()
        assert found is not None
        relaxation.load(found)  # the same variables in the same order
        for cut in model.rebate_cuts.values():
            assert pyo.value(cut.body) <= cut.ub + 1e-4


@pytest.mark.parametrize("capacities", [(None, None), (44.0, 38.0)], ids=["free", "capacity"])
def test_cuts_of_rebates_raise_the_bound(capacities: tuple[float | None, float | None]) -> None:
    """The relaxation counts all spend in the best range; cut by cut it comes closer to what an award costs."""
    sets = sets_of(rebated(capacities))
    model = build(sets)
    bounds = [relaxed(model)]
    while rebate_cuts(model, sets) and len(bounds) < 20:
        bounds.append(relaxed(model))
    best = Again(build(sets)).solve()
    assert best is not None
    assert bounds[0] * (1 + 1e-4) < bounds[-1] <= best.objective * (1 + EXACT)
    assert (np.diff(bounds) >= -1e-6).all()


@pytest.mark.parametrize("objective", ["expected", "worst", "mean_cvar"])
def test_cuts_of_scenarios_lead_to_the_relaxation_of_the_one_model(objective: str) -> None:
    """Cutting between the relaxation and the best relaxed award ends where all scenarios in one model do."""
    sets = sets_of(rich(), **RICH | {"objective": objective})
    model = build(sets, decomposed=True)
    awards = Awards(model, sets, Scenarios(sets))
    for _ in range(100):
        bound = relaxed(model)
        if not awards.cuts_near():
            break
    assert bound == pytest.approx(relaxed(build(sets)), rel=1e-5)
