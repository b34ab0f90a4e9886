"""A model that is solved again and again with other bounds or costs: handed over once, started from where it ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo

from echelon.solvers.handover import hand_over
from echelon.solvers.outcome import SolveOptions
from echelon.solvers.watch import Status, Watch

Values = Sequence[float] | np.ndarray

TOLERANCE = 1e-6  # of rows and bounds: values that come from another solve may be off by as much
FEASIBLE = 2  # HiGHS's word for a solution that keeps all rows


@dataclass(frozen=True)
class Solved:
    """The best values found (one a column), their cost, and for an LP the reduced costs and duals: by how much the cost
    changes a unit of each column, and of each row's right side."""

    objective: float
    values: np.ndarray
    reduced_costs: np.ndarray
    duals: np.ndarray


class Again:
    """Holds a Pyomo model as HiGHS sees it. `relaxed` leaves out that variables are whole; `gap` is the relative gap
    at which a search ends. One thread, no log."""

    def __init__(self, model: pyo.ConcreteModel, *, relaxed: bool = False, gap: float = 0.0):
        arrays = hand_over(model)
        self.costs = arrays.cost  # of each column, as the model has them
        self._variables = arrays.variables
        self._column = {id(variable): j for j, variable in enumerate(arrays.variables)}
        self._row = {id(constraint): i for i, constraint in enumerate(arrays.constraints)}
        self._whole = bool(arrays.integer.any()) and not relaxed
        self._watch = Watch(SolveOptions())
        self._highs = highspy.Highs()
        for name, value in (
            ("log_to_console", False),
            ("threads", 1),
            ("mip_rel_gap", gap),
            ("primal_feasibility_tolerance", TOLERANCE),
        ):
            self._highs.setOptionValue(name, value)
        if not self._whole:  # presolve would be done anew each time, and throw the last basis away
            self._highs.setOptionValue("presolve", "off")
        lp = arrays.highs()
        if relaxed:
            lp.integrality_ = []
        self._highs.passModel(lp)

    def columns(self, variables: Iterable[Any]) -> np.ndarray:
        """The columns of variables (Pyomo VarData)."""
        return np.array([self._column[id(variable)] for variable in variables], dtype=np.int32)

    def rows(self, constraints: Iterable[Any]) -> np.ndarray:
        """The rows of constraints (Pyomo ConstraintData)."""
        return np.array([self._row[id(constraint)] for constraint in constraints], dtype=np.int32)

    def bound(self, columns: np.ndarray, lower: Values, upper: Values) -> None:
        """Give the columns other bounds."""
        self._highs.changeColsBounds(len(columns), columns, np.asarray(lower, float), np.asarray(upper, float))

    def fix(self, columns: np.ndarray, values: Values) -> None:
        """Hold the columns at these values."""
        self.bound(columns, values, values)

    def cost(self, columns: np.ndarray, costs: Values) -> None:
        """Give the columns other costs."""
        self._highs.changeColsCost(len(columns), columns, np.asarray(costs, float))

    def start_from(self, solved: Solved) -> None:
        """Begin the next search from these values."""
        count = len(solved.values)
        self._highs.setSolution(count, np.arange(count, dtype=np.int32), solved.values)

    def solve(self, seconds: float = 10.0) -> Solved | None:
        """Solve the model as it stands. Of a linear program the optimum, of one with whole numbers the best found
        within the seconds; None if there is none."""
        if self._whole:
            self._watch.run(self._highs, time.monotonic() + seconds)
        else:  # too quick to be worth a thread
            self._highs.setOptionValue("time_limit", self._highs.getRunTime() + seconds)
            self._highs.run()
        info, solution = self._highs.getInfo(), self._highs.getSolution()
        found = self._highs.getModelStatus() == Status.kOptimal
        if not found and not (self._whole and info.primal_solution_status == FEASIBLE):
            return None
        values, reduced, duals = (np.array(part) for part in (solution.col_value, solution.col_dual, solution.row_dual))
        return Solved(info.objective_function_value, values, reduced, duals)

    def load(self, solved: Solved) -> None:
        """Give the model's variables these values."""
        for variable, value in zip(self._variables, solved.values.tolist(), strict=True):
            variable.set_value(value, skip_validation=True)
