"""A model solved again and again must answer as if it were handed over anew each time."""

from __future__ import annotations

import numpy as np
import pyomo.environ as pyo
import pytest

from echelon.solvers.again import Again


def two_sources(whole: bool = False) -> pyo.ConcreteModel:
    """10 units from a cheap source of 6 and a dear one; with `whole`, each costs 5 to open."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(["cheap", "dear"], bounds=(0, 10))
    m.open = pyo.Var(["cheap", "dear"], domain=pyo.Binary if whole else pyo.UnitInterval)
    m.need = pyo.Constraint(expr=m.x["cheap"] + m.x["dear"] == 10)
    m.link = pyo.Constraint(["cheap", "dear"], rule=lambda m, s: m.x[s] <= (6 if s == "cheap" else 10) * m.open[s])
    m.cost = pyo.Objective(expr=m.x["cheap"] + 3 * m.x["dear"] + 5 * (m.open["cheap"] + m.open["dear"]) + 7)
    return m


def test_other_bounds_and_costs_are_taken_and_the_offset_stays() -> None:
    """Closed form: the relaxation opens a source by the part used, so a unit costs 1 + 5/6 or 3 + 5/10."""
    model = two_sources()
    again = Again(model)
    columns = again.columns(model.x.values())
    first = again.solve()
    assert first is not None and first.objective == pytest.approx(7 + 6 * (1 + 5 / 6) + 4 * 3.5)
    again.bound(columns[:1], [0.0], [3.0])
    second = again.solve()
    assert second is not None and second.objective == pytest.approx(7 + 3 * (1 + 5 / 6) + 7 * 3.5)
    again.bound(columns[:1], [0.0], [10.0])
    again.cost(columns, again.costs[columns] * 2)
    third = again.solve()
    assert third is not None and third.objective == pytest.approx(7 + 6 * (2 + 5 / 6) + 4 * 6.5)


def test_the_reduced_cost_of_a_fixed_column_is_the_slope_of_the_cost() -> None:
    """Cuts are made of these slopes: moving the fixed value by a little moves the cost by slope times that."""
    model = two_sources()
    again = Again(model, relaxed=True)
    column = again.columns([model.x["cheap"]])
    answers = []
    for value in (2.0, 2.5):
        again.fix(column, [value])
        answers.append(again.solve())
    low, high = answers
    assert low is not None and high is not None
    assert low.reduced_costs[column[0]] * 0.5 == pytest.approx(high.objective - low.objective)


def test_a_search_starts_from_what_was_found_and_loads_it() -> None:
    """Both sources open cost 7 + 6 + 12 + 10, the dear one alone 7 + 30 + 5; the cheap one alone is too small."""
    model = two_sources(whole=True)
    again = Again(model)
    found = again.solve()
    assert found is not None and found.objective == pytest.approx(7 + 6 + 12 + 10)
    again.start_from(found)
    repeated = again.solve()
    assert repeated is not None and repeated.objective == pytest.approx(found.objective)
    again.load(repeated)
    assert [round(v.value) for v in model.x.values()] == [6, 4]
    again.fix(again.columns([model.open["dear"]]), np.zeros(1))
    assert again.solve() is None


def test_relaxed_leaves_out_that_variables_are_whole() -> None:
    """The relaxation of the model with whole openings is the model without them."""
    relaxed, plain = Again(two_sources(whole=True), relaxed=True).solve(), Again(two_sources()).solve()
    assert relaxed is not None and plain is not None
    assert relaxed.objective == pytest.approx(plain.objective)
