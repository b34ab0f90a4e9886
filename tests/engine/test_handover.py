"""Our own hand-over of a Pyomo model must say the same as Pyomo's own compiler, only faster."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyomo.common.errors import InfeasibleConstraintException
from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

from echelon.solvers import highs
from echelon.solvers.handover import INFINITY, LinearModel, garbage_collector_paused, hand_over
from echelon.solvers.outcome import SolveOptions, Termination

NUMBER = st.integers(-9, 9)
COEFFICIENT = st.sampled_from([-7.5, -3.0, -1.0, 0.25, 1.0, 2.0, 6.0])
EXACT = SolveOptions(gap=0.0)


@st.composite
def models(draw: Any) -> pyo.ConcreteModel:
    """Random linear models: all domains and bounds, fixed variables, all kinds of constraints, constants anywhere."""
    model = pyo.ConcreteModel()
    count = draw(st.integers(2, 6))
    model.factor = pyo.Param(initialize=draw(COEFFICIENT), mutable=True)
    model.x = pyo.Var(range(count))
    for x in model.x.values():
        x.domain = draw(st.sampled_from([pyo.Reals, pyo.NonNegativeReals, pyo.Integers, pyo.Binary, pyo.UnitInterval]))
        if draw(st.booleans()):
            x.setlb(draw(NUMBER) - 20)
        if draw(st.booleans()):
            x.setub(draw(NUMBER) + 20)
        if draw(st.integers(0, 3)) == 0:
            x.fix(draw(NUMBER))
    model.rows = pyo.ConstraintList()
    for _ in range(draw(st.integers(1, 6))):
        chosen = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True))
        body = sum(draw(COEFFICIENT) * model.x[j] for j in chosen) + draw(NUMBER)
        body = body + model.factor * (model.x[chosen[0]] - draw(NUMBER)) - 2 * (3 - model.x[chosen[-1]]) / 4
        low = draw(NUMBER)
        model.rows.add(
            draw(
                st.sampled_from(
                    [
                        body <= low,
                        body >= low,
                        body == low,
                        pyo.inequality(low, body, low + 5),
                        low + model.x[0] <= body,
                    ]
                )
            )
        )
    sense = draw(st.sampled_from([pyo.minimize, pyo.maximize]))
    model.goal = pyo.Objective(expr=sum(draw(COEFFICIENT) * x for x in model.x.values()) + draw(NUMBER), sense=sense)
    return model


def rows_of(arrays: LinearModel, model: pyo.ConcreteModel) -> dict[str, tuple[dict[str, float], float, float]]:
    """Name of the constraint -> (coefficients by variable, lower, upper); fixed variables are columns of ours, and
    constants to Pyomo's compiler."""
    rows = {}
    for i, constraint in enumerate(arrays.constraints):
        part = slice(arrays.start[i], arrays.start[i + 1])
        terms = {arrays.variables[j].name: a for j, a in zip(arrays.index[part], arrays.value[part], strict=True)}
        held = sum(
            a * model.find_component(name).value for name, a in terms.items() if model.find_component(name).fixed
        )
        free = {name: a for name, a in terms.items() if a and not model.find_component(name).fixed}
        rows[constraint.name] = (free, arrays.row_lower[i] - held, arrays.row_upper[i] - held)
    return rows


def rows_by_pyomo(model: pyo.ConcreteModel) -> tuple[Any, dict[str, tuple[dict[str, float], float, float]]]:
    """The same from Pyomo's compiler, which gives a range as two rows."""
    form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    rows: dict[str, tuple[dict[str, float], float, float]] = {}
    matrix = form.A.toarray()
    for n, (constraint, kind) in enumerate(form.rows):
        terms = {v.name: float(a) for v, a in zip(form.columns, matrix[n], strict=True) if a}
        _, low, high = rows.get(constraint.name, (None, -INFINITY, INFINITY))
        low, high = (form.rhs[n] if kind <= 0 else low), (form.rhs[n] if kind >= 0 else high)
        rows[constraint.name] = (terms, low, high)
    return form, rows


@settings(max_examples=200, deadline=None)
@given(models())
def test_rows_bounds_and_objective_are_those_of_pyomos_compiler(model: pyo.ConcreteModel) -> None:
    """Coefficients, constants moved to the right, ranges, sense, offset, bounds: two independent walks must agree."""
    arrays = hand_over(model)
    ours = rows_of(arrays, model)
    try:
        form, theirs = rows_by_pyomo(model)
    except InfeasibleConstraintException:  # of a row in which all is fixed; ours leaves that to the solver
        assert highs.solve(model).outcome.termination is Termination.INFEASIBLE
        return
    for name, (terms, low, high) in theirs.items():
        if terms:  # a row in which all is fixed is left out, or kept if it is broken
            assert ours[name][0] == pytest.approx(terms)
            assert ours[name][1:] == pytest.approx((low, high))
    assert {name for name, row in ours.items() if row[0]} == {name for name, row in theirs.items() if row[0]}
    costs = {v.name: a for v, a in zip(form.columns, form.c.toarray()[0], strict=True) if a}
    ours_by_name = zip(arrays.variables, arrays.cost, strict=True)
    assert {v.name: a for v, a in ours_by_name if a and not v.fixed} == pytest.approx(costs)
    held = sum(a * v.value for v, a in zip(arrays.variables, arrays.cost, strict=True) if v.fixed)
    assert arrays.offset + held == pytest.approx(float(form.c_offset[0]))
    assert arrays.maximize == (model.goal.sense == pyo.maximize)


@settings(max_examples=100, deadline=None)
@given(models())
def test_columns_are_the_variables_with_their_bounds(model: pyo.ConcreteModel) -> None:
    """Every variable has a column, used or not, in the model's order; a fixed one can only have its value."""
    arrays = hand_over(model)
    assert [v.name for v in arrays.variables] == [v.name for v in model.x.values()]
    for j, x in enumerate(model.x.values()):
        low, high = (x.value, x.value) if x.fixed else (x.lb, x.ub)
        assert arrays.lower[j] == (-INFINITY if low is None else low)
        assert arrays.upper[j] == (INFINITY if high is None else high)
        assert arrays.integer[j] == (x.is_integer() and not x.fixed)


@settings(max_examples=60, deadline=None)
@given(models())
def test_the_solved_model_is_consistent(model: pyo.ConcreteModel) -> None:
    """What is loaded into the variables keeps every constraint and bound, and costs what the outcome says."""
    fixed = {name: x.value for name, x in model.x.items() if x.fixed}
    outcome = highs.solve(model, EXACT).outcome
    assert outcome.termination in (Termination.OPTIMAL, Termination.INFEASIBLE, Termination.UNBOUNDED)
    if outcome.has_plan:
        assert pyo.value(model.goal) == pytest.approx(outcome.objective, abs=1e-6)
        for row in model.rows.values():
            slack = min(row.lslack(), row.uslack())
            assert slack >= -1e-6, row.name
        for x in model.x.values():
            assert x.fixed or x.is_continuous() or x.value == round(x.value)
            assert x.fixed or ((x.lb is None or x.value >= x.lb - 1e-7) and (x.ub is None or x.value <= x.ub + 1e-7))
    assert {name: model.x[name].value for name in fixed} == fixed


def small_model() -> pyo.ConcreteModel:
    """min x + y; x + 2y >= 8."""
    model = pyo.ConcreteModel()
    model.x = pyo.Var(bounds=(0, 10))
    model.y = pyo.Var(bounds=(0, 10))
    model.need = pyo.Constraint(expr=model.x + 2 * model.y >= 8)
    model.cost = pyo.Objective(expr=model.x + model.y)
    return model


def test_a_fixed_variable_keeps_its_value() -> None:
    """var.fix() is how families hold a decision: the solve must take its value as given, and leave it."""
    model = small_model()
    model.x.fix(6.0)
    assert highs.solve(model, EXACT).outcome.objective == pytest.approx(7.0)
    assert (model.x.value, model.y.value) == (6.0, pytest.approx(1.0))
    assert model.x.fixed


def test_a_fixed_variable_may_stand_outside_its_bounds_and_domain() -> None:
    """Pyomo takes a fixed variable for a number, whatever its bounds."""
    model = small_model()
    model.x.domain = pyo.Integers
    model.x.fix(12.5)
    assert highs.solve(model, EXACT).outcome.objective == pytest.approx(12.5)
    assert (model.x.value, model.y.value) == (12.5, pytest.approx(0.0))


def test_all_variables_fixed() -> None:
    """A model in which everything is decided is solved, or proven infeasible, like any other."""
    model = small_model()
    model.x.fix(2.0)
    model.y.fix(3.0)
    assert highs.solve(model, EXACT).outcome.objective == pytest.approx(5.0)
    model.y.fix(2.9)
    assert highs.solve(model, EXACT).outcome.termination is Termination.INFEASIBLE


def test_a_row_without_variables() -> None:
    """A true one says nothing and is left out; a false one makes the model infeasible."""
    model = small_model()
    model.true = pyo.Constraint(expr=pyo.inequality(0, 0 * model.x + 1, 2))
    assert hand_over(model).constraints == [model.need]
    assert highs.solve(model, EXACT).outcome.objective == pytest.approx(4.0)
    model.false = pyo.Constraint(expr=model.x - model.x >= 1)
    assert highs.solve(model, EXACT).outcome.termination is Termination.INFEASIBLE


def test_deactivated_parts_do_not_count() -> None:
    """A deactivated constraint, objective or block is not part of the model."""
    model = small_model()
    model.other = pyo.Constraint(expr=model.x >= 9)
    model.other.deactivate()
    model.goal = pyo.Objective(expr=-model.x)
    model.goal.deactivate()
    model.block = pyo.Block()
    model.block.never = pyo.Constraint(expr=model.x <= -1)
    model.block.deactivate()
    assert highs.solve(model, EXACT).outcome.objective == pytest.approx(4.0)


def test_parts_in_blocks_count() -> None:
    """Variables and constraints of sub-blocks belong to the model."""
    model = small_model()
    model.block = pyo.Block()
    model.block.z = pyo.Var(bounds=(0, 1))
    model.block.row = pyo.Constraint(expr=model.y + model.block.z <= 3)
    assert [v.name for v in hand_over(model).variables] == ["x", "y", "block.z"]
    assert highs.solve(model, EXACT).outcome.objective == pytest.approx(5.0)


def test_known_values_are_the_hint() -> None:
    """Values that variables already have start the search; those without stay open."""
    model = small_model()
    model.y.set_value(4.0)
    assert hand_over(model).hint == {1: 4.0}


def nonlinear(model: pyo.ConcreteModel) -> None:
    model.row = pyo.Constraint(expr=model.x * model.y <= 1)


def nonlinear_goal(model: pyo.ConcreteModel) -> None:
    model.cost.set_value(model.x**2)


def no_goal(model: pyo.ConcreteModel) -> None:
    model.cost.deactivate()


def two_goals(model: pyo.ConcreteModel) -> None:
    model.second = pyo.Objective(expr=model.y)


def foreign_variable(model: pyo.ConcreteModel) -> None:
    model.row = pyo.Constraint(expr=model.x + small_model().x <= 1)


def foreign_variable_in_the_goal(model: pyo.ConcreteModel) -> None:
    model.cost.set_value(model.x + small_model().x)


def ordered_set(model: pyo.ConcreteModel) -> None:
    model.z = pyo.Var([1, 2])
    model.sos = pyo.SOSConstraint(var=model.z, sos=1)


@pytest.mark.parametrize(
    "spoil",
    [nonlinear, nonlinear_goal, no_goal, two_goals, foreign_variable, foreign_variable_in_the_goal, ordered_set],
    ids=lambda spoil: spoil.__name__,
)
def test_what_cannot_be_handed_over_is_refused(spoil: Any) -> None:
    """A model that means more than the arrays can say must not be solved as if it meant less."""
    model = small_model()
    spoil(model)
    with pytest.raises(ValueError):
        highs.solve(model, EXACT)


def test_an_empty_model_is_refused() -> None:
    """Without variables there is nothing to decide: most likely a family has built nothing."""
    model = pyo.ConcreteModel()
    model.cost = pyo.Objective(expr=0)
    with pytest.raises(ValueError):
        highs.solve(model)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled: bool) -> None:
    """Pausing the collector is ours; whether it runs is the caller's, even after an error."""
    import gc

    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(RuntimeError), garbage_collector_paused():
            assert not gc.isenabled()
            raise RuntimeError
        assert gc.isenabled() is enabled
    finally:
        gc.enable()
