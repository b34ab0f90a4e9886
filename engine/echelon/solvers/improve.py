"""Improve a known plan block by block: free one block of variables, hold all others, solve the small MIP that is left.

Fix-and-optimize (Helber & Sahling 2010, Int. J. Production Economics 123). HiGHS finds first plans of large models
slowly; from any feasible one this finds a good one within seconds, which then starts the search proper.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from echelon.solvers.handover import LinearModel

SHARED = -1  # block of a variable that is free together with whichever block's rows it stands in

Tell = Callable[[float], None]
SmallSolve = Callable[[LinearModel, np.ndarray, float], np.ndarray | None]


def fix_and_optimize(
    arrays: LinearModel,
    x: np.ndarray,
    blocks: np.ndarray,
    solve: SmallSolve,
    deadline: float,
    tell: Tell | None = None,
    only: Sequence[int] | None = None,
) -> np.ndarray:
    """The plan `x` (a value a column) improved block by block, in passes, until one gains nothing; with
    `only`, these blocks, once.

    `blocks[j]` is the block of column j, counted from 0, or SHARED. `solve(submodel, start, deadline)` returns
    the best plan it finds for a submodel, or None. Stops at `deadline` (of time.monotonic()). `tell` hears each
    better cost.
    """
    cost = float(arrays.cost @ x)
    sign = -1.0 if arrays.maximize else 1.0
    count = int(blocks.max(initial=-1)) + 1
    row_of = np.repeat(np.arange(len(arrays.constraints)), np.diff(arrays.start))
    while count:
        before = cost
        for block in range(count) if only is None else only:
            if time.monotonic() > deadline:
                return x
            free, submodel = _free_block(arrays, x, blocks, block, row_of)
            better = solve(submodel, x[free], deadline)
            if better is not None and sign * submodel.cost @ (better - x[free]) < 0:
                x = x.copy()
                x[free] = better
                cost = float(arrays.cost @ x)
                if tell is not None:
                    tell(cost + arrays.offset)
        if only is not None or sign * (before - cost) <= 1e-4 * max(1.0, abs(cost)):
            break
    return x


def _free_block(
    arrays: LinearModel, x: np.ndarray, blocks: np.ndarray, block: int, row_of: np.ndarray
) -> tuple[np.ndarray, LinearModel]:
    """The columns that are free with a block (its own and the shared ones in its rows), and the model over them in
    which all other columns are held at `x`."""
    own = blocks == block
    touched = np.zeros(len(arrays.constraints), dtype=bool)
    touched[row_of[own[arrays.index]]] = True
    free = own.copy()
    near = arrays.index[touched[row_of]]
    free[near[blocks[near] == SHARED]] = True
    touched[row_of[free[arrays.index]]] = True
    columns, rows = np.flatnonzero(free), np.flatnonzero(touched)
    entries = touched[row_of]
    inside = entries & free[arrays.index]
    outside = entries & ~free[arrays.index]
    held = np.bincount(row_of[outside], arrays.value[outside] * x[arrays.index[outside]], len(arrays.constraints))
    position = np.cumsum(free) - 1
    lengths = np.bincount(row_of[inside], minlength=len(arrays.constraints))[rows]
    return columns, replace(
        arrays,
        variables=[arrays.variables[j] for j in columns],
        constraints=[arrays.constraints[i] for i in rows],
        cost=arrays.cost[columns],
        offset=0.0,
        lower=arrays.lower[columns],
        upper=arrays.upper[columns],
        integer=arrays.integer[columns],
        row_lower=arrays.row_lower[rows] - held[rows],
        row_upper=arrays.row_upper[rows] - held[rows],
        start=np.concatenate([[0], lengths.cumsum()]).astype(np.int32),
        index=position[arrays.index[inside]].astype(np.int32),
        value=arrays.value[inside],
        hint={},
    )
