"""Hand a Pyomo model over as arrays.

Pyomo's own HiGHS interfaces add columns and rows one by one; walking the expressions once into arrays that
`highspy.Highs.passModel` takes whole is several times faster (`benchmarks/handover.py` measures it).
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.core.base import SortComponents
from pyomo.repn.linear import LinearRepnVisitor
from pyomo.repn.util import VarRecorder

INFINITY = highspy.kHighsInf
WHOLE = 1e-9  # bounds of integers are made whole to within this: HiGHS has returned wrong optima on fractional ones
LARGEST_COEFFICIENT = 1e15  # HiGHS refuses models with larger ones,
LARGEST_NUMBER = 1e20  # takes larger costs and bounds for infinite, and crashes where one is not a number

TAKEN = {pyo.Block, pyo.Var, pyo.Constraint, pyo.Objective, pyo.Expression}
TAKEN |= {pyo.Param, pyo.Set, pyo.RangeSet, pyo.Suffix}  # these say nothing that the others do not use


@dataclass
class Rows:
    """lower <= A x <= upper, A stored row by row: row i has entries `value[start[i]:start[i+1]]` in columns `index`."""

    constraints: list[Any]
    lower: np.ndarray
    upper: np.ndarray
    start: np.ndarray
    index: np.ndarray
    value: np.ndarray

    def take(self, chosen: np.ndarray) -> Rows:
        """The chosen rows (numbers), in this order."""
        lengths = np.diff(self.start)[chosen]
        start = np.concatenate([[0], lengths.cumsum()]).astype(np.int32)
        entries = np.arange(start[-1]) + np.repeat(self.start[chosen] - start[:-1], lengths)
        constraints = [self.constraints[i] for i in chosen.tolist()]
        return Rows(
            constraints, self.lower[chosen], self.upper[chosen], start, self.index[entries], self.value[entries]
        )

    def join(self, rows: Rows) -> Rows:
        """These rows, and then those."""
        return Rows(
            constraints=[*self.constraints, *rows.constraints],
            lower=np.concatenate([self.lower, rows.lower]),
            upper=np.concatenate([self.upper, rows.upper]),
            start=np.concatenate([self.start, self.start[-1] + rows.start[1:]]),
            index=np.concatenate([self.index, rows.index]),
            value=np.concatenate([self.value, rows.value]),
        )


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

    def with_rows(self, rows: Rows) -> LinearModel:
        """The model with more rows at its end."""
        joined = self.rows.join(rows)
        return replace(
            self,
            constraints=joined.constraints,
            row_lower=joined.lower,
            row_upper=joined.upper,
            start=joined.start,
            index=joined.index,
            value=joined.value,
        )

    @property
    def rows(self) -> Rows:
        """The rows of the model on their own."""
        return Rows(self.constraints, self.row_lower, self.row_upper, self.start, self.index, self.value)

    def parts(self, part: np.ndarray, kept: np.ndarray, count: int) -> list[tuple[np.ndarray, LinearModel]]:
        """The model in `count` parts that no kept row joins: for each k, the columns j with part[j] = k, and the model
        over them with those rows i of kept[i] that they stand in. The offset is in none."""
        filled = kept & (np.diff(self.start) > 0)
        of_row = np.full(len(self.constraints), -1)
        of_row[filled] = part[self.index[self.start[:-1][filled]]]
        columns, column_ends = _grouped(part, count)
        rows, row_ends = _grouped(of_row, count)
        position = np.empty(len(part), dtype=np.int32)
        found = []
        for k in range(count):
            own = columns[column_ends[k] : column_ends[k + 1]]
            position[own] = np.arange(len(own))
            found.append((own, self._part(own, self.rows.take(rows[row_ends[k] : row_ends[k + 1]]), position)))
        return found

    def _part(self, columns: np.ndarray, rows: Rows, position: np.ndarray) -> LinearModel:
        return LinearModel(
            variables=[self.variables[j] for j in columns.tolist()],
            constraints=rows.constraints,
            cost=self.cost[columns],
            offset=0.0,
            maximize=self.maximize,
            lower=self.lower[columns],
            upper=self.upper[columns],
            integer=self.integer[columns],
            row_lower=rows.lower,
            row_upper=rows.upper,
            start=rows.start,
            index=position[rows.index],
            value=rows.value,
        )

    @property
    def binary(self) -> np.ndarray:
        """True for integer columns whose bounds leave only 0 and 1 (or one of them)."""
        return self.integer & (self.lower >= 0) & (self.upper <= 1)

    def too_large(self) -> str:
        """What HiGHS would refuse, misread or crash on, in words; empty where it can take the model."""
        for what, values, limit in (
            ("coefficient", np.abs(self.value), LARGEST_COEFFICIENT),
            ("cost", np.abs(np.append(self.cost, self.offset)), LARGEST_NUMBER),
            ("quantity", np.concatenate([self.lower, self.row_lower]), LARGEST_NUMBER),
            ("quantity", -np.concatenate([self.upper, self.row_upper]), LARGEST_NUMBER),
        ):
            if not (values < limit).all():
                return f"a {what} of {values.max():.3g} is too large for it, the largest is {limit:g}"
        return ""

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

    Variables that have a value give the hint (MIP start); a fixed one becomes a column that can have no other. Raises
    ValueError for what the arrays cannot say: a nonlinear expression, other than one active objective, a variable that
    is not in the model, components such as SOS constraints.
    """
    if others := model.collect_ctypes(active=True) - TAKEN:
        raise ValueError(f"the model has active {', '.join(sorted(kind.__name__ for kind in others))} components")
    with garbage_collector_paused():
        variables = list(model.component_data_objects(pyo.Var))
        rows = hand_over_rows(model.component_data_objects(pyo.Constraint, active=True), variables)
        cost, offset, maximize = _objective(model, variables)
        lower = np.array([_either(v, v.lb, -INFINITY) for v in variables], dtype=float)
        upper = np.array([_either(v, v.ub, INFINITY) for v in variables], dtype=float)
        integer = np.fromiter((v.is_integer() and not v.fixed for v in variables), bool, len(variables))
        return LinearModel(
            variables=variables,
            constraints=rows.constraints,
            cost=cost,
            offset=offset,
            maximize=maximize,
            lower=np.where(integer, np.ceil(lower - WHOLE), lower),
            upper=np.where(integer, np.floor(upper + WHOLE), upper),
            integer=integer,
            row_lower=rows.lower,
            row_upper=rows.upper,
            start=rows.start,
            index=rows.index,
            value=rows.value,
            hint={j: float(v.value) for j, v in enumerate(variables) if v.value is not None},
        )


def hand_over_rows(constraints: Iterable[Any], variables: list[Any]) -> Rows:
    """Walk linear constraints (Pyomo ConstraintData) once into arrays over the columns of `variables`."""
    walker, position = _walker(variables)
    kept, columns, values, start, lower, upper = [], [], [], [0], [], []
    for constraint in constraints:
        low, body, high = constraint.to_bounded_expression(evaluate_bounds=True)
        row = _linear(walker, body, constraint)
        if not row.linear and _holds(low, row.constant, high):
            continue
        kept.append(constraint)
        columns.extend(row.linear)
        values.extend(row.linear.values())
        start.append(len(columns))
        lower.append(-INFINITY if low is None else low - row.constant)
        upper.append(INFINITY if high is None else high - row.constant)
    return Rows(
        constraints=kept,
        lower=np.array(lower, dtype=float),
        upper=np.array(upper, dtype=float),
        start=np.array(start, dtype=np.int32),
        index=np.array(_columns(columns, position), dtype=np.int32),
        value=np.array(values, dtype=float),
    )


def _grouped(group: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions ordered by their group, and where those of groups 0, 1, ..., count - 1 begin and the last ends."""
    order = np.argsort(group, kind="stable")
    return order, np.searchsorted(group[order], np.arange(count + 1))


def _walker(variables: list[Any]) -> tuple[LinearRepnVisitor, dict[int, int]]:
    """Pyomo's walker of linear expressions, and the column of each variable by the id that the walker gives it."""
    known = {id(v): v for v in variables}
    return LinearRepnVisitor({}, var_recorder=VarRecorder(known, SortComponents.deterministic)), {
        name: column for column, name in enumerate(known)
    }


def _either(variable: Any, bound: float | None, infinity: float) -> float:
    """The variable's value if it is fixed, else its bound."""
    if variable.fixed:
        return float(variable.value)
    return infinity if bound is None else bound


def _objective(model: pyo.ConcreteModel, variables: list[Any]) -> tuple[np.ndarray, float, bool]:
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if len(objectives) != 1:
        raise ValueError(f"a model needs one active objective, this one has {len(objectives)}")
    walker, position = _walker(variables)
    expression = _linear(walker, objectives[0].expr, objectives[0])
    cost = np.zeros(len(variables))
    cost[_columns(expression.linear, position)] = list(expression.linear.values())
    cost[np.abs(cost) < np.finfo(float).tiny] = 0.0  # HiGHS never ends where a cost is so small that 1 / cost overflows
    return cost, float(expression.constant), objectives[0].sense == pyo.maximize


def _columns(names: Iterable[int], position: dict[int, int]) -> list[int]:
    """The columns of variables by the ids that the walker gave them."""
    try:
        return [position[name] for name in names]
    except KeyError:
        raise ValueError("an expression uses a variable that is not in the model") from None


def _linear(walker: LinearRepnVisitor, expression: Any, component: Any) -> Any:
    row = walker.walk_expression(expression)
    if row.nonlinear is not None:
        raise ValueError(f"{component.name} is not linear")
    return row


def _holds(low: float | None, value: float, high: float | None) -> bool:
    """A row without variables: true and superfluous, or false and kept so that the solver says infeasible."""
    slack = 1e-9 * max(1.0, abs(value))
    return (low is None or value >= low - slack) and (high is None or value <= high + slack)
