"""What is left of a model when the plan's yes-or-no decisions are held: a linear programme that tells what its limits
are worth, by their duals and by solving it again with limits eased."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from echelon.solvers.handover import LinearModel
from echelon.solvers.watch import Status, Watch

Rows = np.ndarray  # numbers of constraints


class Held:
    """The linear programme of a model (to be minimised) with its binaries held at the plan `x`; general integers (batch
    counts) may vary, as nothing could move if they were held too. Without `x`, the relaxation of the whole model.

    `cost` is None where it has no optimum; `duals` (one a row) are how the cost changes a unit of a row's right side.
    """

    def __init__(self, arrays: LinearModel, x: np.ndarray | None, watch: Watch):
        lower, upper = arrays.lower.copy(), arrays.upper.copy()
        if x is not None:
            lower[arrays.binary] = upper[arrays.binary] = np.round(x[arrays.binary])
        self._watch, self._lower, self._upper = watch, arrays.row_lower, arrays.row_upper
        self._row = {id(constraint): i for i, constraint in enumerate(arrays.constraints) if constraint is not None}
        self._highs = watch.highs(replace(arrays, lower=lower, upper=upper), relaxed=True)
        watch.finish(self._highs)
        solved = self._highs.getModelStatus() == Status.kOptimal
        self.cost = self._highs.getInfo().objective_function_value if solved else None
        self.duals = np.array(self._highs.getSolution().row_dual) if solved else np.zeros(len(arrays.constraints))

    def row(self, constraint: object) -> int | None:
        """The number of a constraint (Pyomo ConstraintData); None where it was superfluous."""
        return self._row.get(id(constraint))

    def eased(self, rows: Rows, by: np.ndarray, until: float) -> tuple[float, np.ndarray] | None:
        """Cost and duals with the upper sides of these rows raised by so much; None if that has no optimum, or none
        was found `until` a moment (of time.monotonic())."""
        if time.monotonic() >= until:
            return None
        self._raise(rows, by)
        self._watch.run(self._highs, until)
        solved = self._highs.getModelStatus() == Status.kOptimal
        cost, duals = self._highs.getInfo().objective_function_value, np.array(self._highs.getSolution().row_dual)
        self._raise(rows, np.zeros(len(rows)))
        return (cost, duals) if solved else None

    def _raise(self, rows: Rows, by: np.ndarray) -> None:
        for row, more in zip(rows.tolist(), by.tolist(), strict=True):
            self._highs.changeRowBounds(row, self._lower[row], self._upper[row] + more)
