"""A model that is solved again and again with other bounds or costs: handed over once, started from where it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo

from echelon.solvers.handover import hand_over
from echelon.solvers.watch import Status

Values = Sequence[float] | np.ndarray

TOLERANCE = 1e-6  # of rows and bounds: values that come from another solve may be off by as much


@dataclass(frozen=True)
class Solved:
    """The best values found (one a column), their cost, and for an LP the reduced costs: by how much the cost changes
    a unit of each column."""

    objective: float
    values: np.ndarray
    reduced_costs: np.ndarray


class Again:
    """Holds a Pyomo model as HiGHS sees it. `relaxed` leaves out that variables are whole; one thread, no log."""

    def __init__(self, model: pyo.ConcreteModel, *, relaxed: bool = False):
        arrays = hand_over(model)
        self.costs = arrays.cost  # of each column, as the model has them
        self._column = {id(variable): j for j, variable in enumerate(arrays.variables)}
        self._highs = highspy.Highs()
        for name, value in (
            ("log_to_console", False),
            ("threads", 1),
            ("mip_rel_gap", 0.0),
            ("primal_feasibility_tolerance", TOLERANCE),
        ):
            self._highs.setOptionValue(name, value)
        if relaxed:  # presolve would be done anew each time, and throw the last basis away
            self._highs.setOptionValue("presolve", "off")
        lp = arrays.highs()
        if relaxed:
            lp.integrality_ = []
        self._highs.passModel(lp)

    def columns(self, variables: Iterable[Any]) -> np.ndarray:
        """The columns of variables (Pyomo VarData)."""
        return np.array([self._column[id(variable)] for variable in variables], dtype=np.int32)

    def bound(
        self, columns: np.ndarray, lower: Sequence[float] | np.ndarray, upper: Sequence[float] | np.ndarray
    ) -> None:
        """Give the columns other bounds."""
        self._highs.changeColsBounds(len(columns), columns, np.asarray(lower, float), np.asarray(upper, float))

    def fix(self, columns: np.ndarray, values: Values) -> None:
        """Hold the columns at these values."""
        self.bound(columns, values, values)

    def cost(self, columns: np.ndarray, costs: Values) -> None:
        """Give the columns other costs."""
        self._highs.changeColsCost(len(columns), columns, np.asarray(costs, float))

    def solve(self, seconds: float = 10.0) -> Solved | None:
        """Solve the model as it stands; None if no optimum was found within about these seconds."""
        self._highs.setOptionValue("time_limit", self._highs.getRunTime() + seconds)
        self._highs.run()
        if self._highs.getModelStatus() != Status.kOptimal:
            return None
        solution = self._highs.getSolution()
        objective = self._highs.getInfo().objective_function_value
        return Solved(objective, np.array(solution.col_value), np.array(solution.col_dual))
