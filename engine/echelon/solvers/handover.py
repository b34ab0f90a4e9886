"""Hand a Pyomo model over as arrays.

Pyomo's own HiGHS interfaces add columns and rows one by one; walking the expressions once into arrays that
`highspy.Highs.passModel` takes whole is several times faster (`benchmarks/handover.py` measures it).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.core.base import SortComponents
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.util import VarRecorder

INFINITY = highspy.kHighsInf


@dataclass
class LinearModel:
    """min (or max) cost·x + offset with row_lower <= A x <= row_upper, lower <= x <= upper, some x integer.

    `variables[j]` and `constraints[i]` are the Pyomo objects of column j and row i. A is stored row by row:
    row i has entries `value[start[i]:start[i+1]]` in columns `index[start[i]:start[i+1]]`.
    """

    variables: list[Any]
    constraints: list[Any]
    cost: np.ndarray
    offset: float
    maximize: bool
    lower: np.ndarray
    upper: np.ndarray
    integer: np.ndarray
    row_lower: np.ndarray
    row_upper: np.ndarray
    start: np.ndarray
    index: np.ndarray
    value: np.ndarray
    hint: dict[int, float] = field(default_factory=dict)  # column -> value of a known plan, where one was given

    @property
    def binary(self) -> np.ndarray:
        """True for integer columns whose bounds leave only 0 and 1 (or one of them)."""
        return self.integer & (self.lower >= 0) & (self.upper <= 1)

    def highs(self) -> highspy.HighsLp:
        """The model as HiGHS takes it."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.variables), len(self.constraints)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.cost, self.lower, self.upper
        lp.row_lower_, lp.row_upper_ = self.row_lower, self.row_upper
        lp.offset_ = self.offset
        lp.sense_ = highspy.ObjSense.kMaximize if self.maximize else highspy.ObjSense.kMinimize
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = self.start, self.index, self.value
        if self.integer.any():
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[i] for i in self.integer.tolist()]
        return lp


@contextmanager
def garbage_collector_paused() -> Iterator[None]:
    """Pause Python's cyclic garbage collector: a model is millions of small objects and no garbage among them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def hand_over(model: pyo.ConcreteModel) -> LinearModel:
    """Walk a linear Pyomo model once into a `LinearModel`.

    Variables that have a value give the hint (MIP start). Raises ValueError for a nonlinear expression or for
    other than one active objective.
    """
    with garbage_collector_paused():
        variables = list(model.component_data_objects(pyo.Var))
        position = {id(v): j for j, v in enumerate(variables)}
        walker = LinearRepnVisitor(
            {}, var_recorder=VarRecorder({id(v): v for v in variables}, SortComponents.deterministic)
        )
        constraints, columns, values, start, row_lower, row_upper = [], [], [], [0], [], []
        for constraint in model.component_data_objects(pyo.Constraint, active=True):
            low, body, high = constraint.to_bounded_expression(evaluate_bounds=True)
            row = _linear(walker, body, constraint.name)
            if not row.linear and _holds(low, row.constant, high):
                continue
            constraints.append(constraint)
            columns.extend(row.linear)
            values.extend(row.linear.values())
            start.append(len(columns))
            row_lower.append(-INFINITY if low is None else low - row.constant)
            row_upper.append(INFINITY if high is None else high - row.constant)
        cost, offset, maximize = _objective(model, walker, position)
        return LinearModel(
            variables=variables,
            constraints=constraints,
            cost=cost,
            offset=offset,
            maximize=maximize,
            lower=np.array([v.lb if v.lb is not None else -INFINITY for v in variables], dtype=float),
            upper=np.array([v.ub if v.ub is not None else INFINITY for v in variables], dtype=float),
            integer=np.fromiter((v.is_integer() or v.is_binary() for v in variables), bool, len(variables)),
            row_lower=np.array(row_lower, dtype=float),
            row_upper=np.array(row_upper, dtype=float),
            start=np.array(start, dtype=np.int32),
            index=np.fromiter(map(position.__getitem__, columns), np.int32, len(columns)),
            value=np.array(values, dtype=float),
            hint={j: float(v.value) for j, v in enumerate(variables) if v.value is not None},
        )


def _objective(model: pyo.ConcreteModel, walker: LinearRepnVisitor, position: dict[int, int]) -> Any:
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if len(objectives) != 1:
        raise ValueError(f"a model needs one active objective, this one has {len(objectives)}")
    expression = _linear(walker, objectives[0].expr, objectives[0].name)
    cost = np.zeros(len(position))
    for variable, coefficient in expression.linear.items():
        cost[position[variable]] = coefficient
    return cost, float(expression.constant), objectives[0].sense == pyo.maximize


def _linear(walker: LinearRepnVisitor, expression: Any, name: str) -> Any:
    row = walker.walk_expression(expression)
    if row.nonlinear is not None:
        raise ValueError(f"{name} is not linear")
    return row


def _holds(low: float | None, value: float, high: float | None) -> bool:
    """A row without variables: true and superfluous, or false and kept so that the solver says infeasible."""
    slack = 1e-9 * max(1.0, abs(value))
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)
