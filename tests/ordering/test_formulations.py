"""All formulations are one model: what tightens the relaxation may cut off fractions, never a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echelon.solvers import highs
from echelon.solvers.handover import hand_over
from echelon.tables import Frames
from echelon_models.ordering.formulation import build
from echelon_models.ordering.sets import Sets, prepare

from .cases import EXACTLY, case, completed, optima, rich
from .random_cases import cases

FEW = settings(
    max_examples=10, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
OPTIONS = st.fixed_dictionaries(
    {"frozen_periods": st.integers(0, 1), "final_stock_value": st.sampled_from([0.0, 0.0, 1.0])}
)


def without_big_m(sets: Sets) -> Sets:
    """The same case with bounds on orders so wide that they can cut off nothing."""
    wide = {o: sets.pinned.get(o, np.fmin(sets.offer(o).maximum, 400.0)) for o in sets.orders}
    return replace(sets, most=wide)


@FEW
@given(tables=cases(), options=OPTIONS)
def test_all_formulations_find_the_same_optimum(tables: Frames, options: dict[str, float]) -> None:
    """Big-M with the tight bounds and with none at all, (l,S) rows, facility location and the automatic choice agree on
    every random case, and on those that have no plan."""
    found = optima(tables, **options)
    full, chosen = completed(tables, **options)
    loose = highs.solve(build(without_big_m(prepare(full, chosen)), "big_m"), EXACTLY).outcome
    truth = float("inf") if loose.objective is None else loose.objective
    assert found == pytest.approx(dict.fromkeys(found, truth), rel=1e-6, abs=1e-6)


@FEW
@given(tables=cases(hard=False), options=OPTIONS)
def test_no_ls_row_cuts_off_a_plan(tables: Frames, options: dict[str, float]) -> None:
    """The rows that the relaxation may be tightened with hold for the best plan of the model without them: asked for
    a violated row at that plan, there is none."""
    full, chosen = completed(tables, **options)
    sets = prepare(full, chosen)
    model = build(sets, "ls")
    outcome = highs.solve(model, EXACTLY).outcome  # without its (l,S) rows
    assert outcome.has_plan
    assert model.tighten is None or model.tighten() == []


@pytest.mark.parametrize("formulation", ["big_m", "ls", "facility"])
def test_integer_columns_have_whole_bounds(formulation: str) -> None:
    """HiGHS 1.13 without presolve returns wrong optima where an integer's bound is a fraction (here: 7 units of hard
    capacity are 1.4 batches of 5)."""
    tables = case(
        {"A": [3, 9]},
        offers={"supplier": "S", "item": "A", "price": 1.0, "multiple": 5.0, "line_cost": 1.0},
        supplier_capacity={"supplier": "S", "capacity": 7.0, "hard": True},
    )
    for each in (tables, rich()):
        arrays = hand_over(build(prepare(*completed(each)), formulation))
        for bounds in (arrays.lower, arrays.upper):
            assert (bounds[arrays.integer] == np.round(bounds[arrays.integer])).all()


def test_the_formulation_asked_for_is_the_one_taken() -> None:
    """The note of a run says how fixed costs were modelled; an option that did nothing would be worse than none."""
    tables = case(
        {"A": [3, 9], "B@SHOP": [2, 2], "C": [1, 1]},
        offers={"supplier": "S", "item": ["A", "B", "C"], "price": 1.0, "line_cost": [1.0, 1.0, 0.0]},
        lanes={"from_site": "MAIN", "to_site": "SHOP", "item": "B"},
    )
    sets = prepare(*completed(tables))
    took = {name: build(sets, name).took for name in ("big_m", "ls", "facility", "auto")}
    assert took["big_m"] == {"facility location": 0, "(l,S) rows": 0, "big-M": 4}
    assert took["ls"] == {"facility location": 0, "(l,S) rows": 3, "big-M": 1}
    assert took["facility"] == {"facility location": 1, "(l,S) rows": 2, "big-M": 1}, "lanes take (l,S) rows"
    assert took["auto"] == took["facility"], "a short horizon takes facility location"


@pytest.mark.parametrize("formulation", ["ls", "facility"])
def test_the_relaxation_is_closer_than_big_m(formulation: str) -> None:
    """Why the rows are there at all: the bound of the linear relaxation rises far above that of big-M."""
    tables = case(
        {"A": [7, 3, 9, 4, 8, 6]},
        offers={"supplier": "S", "item": "A", "price": 1.0, "line_cost": 12.0},
        shortages={"policy": "none"},
    )
    optimum = optima(tables, ["auto"])["auto"]
    sets = prepare(*completed(tables))

    def bound(name: str) -> float:
        model = build(sets, name)
        for variable in model.component_data_objects(pyo.Var):
            if not variable.is_continuous():
                low, high = variable.bounds
                variable.domain = pyo.Reals
                variable.setlb(low)
                variable.setub(high)
        value = 0.0
        for _ in range(20):
            value = highs.solve(model, EXACTLY).outcome.objective or 0.0
            if model.tighten is None or not model.tighten():
                break
        return value

    assert bound("big_m") < 0.8 * optimum
    assert bound(formulation) == pytest.approx(optimum, rel=0.02)
