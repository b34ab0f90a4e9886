"""The one model of a case, taken apart: what is one item's own, and what items share.

A row in which only variables of one item stand is that item's own. All other rows link the items: capacities, spend in
the ranges of rebates, caps, who is used, spare capacity in a scenario, the risk. With a price y for each of them, no
award costs less than

    L(y) = offset + Σ_r y·limit + Σ_shared least d·x + Σ_i least d·x over item i's own rows,  d = cost - y·linking rows,

the Lagrangian bound (Geoffrion, Mathematical Programming Study 2, 1974), whatever the prices are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sparse

from echelon.solvers.handover import LinearModel, Rows, hand_over
from echelon.solvers.improve import SHARED
from echelon.solvers.watch import Status, Watch
from echelon_models.allocation import by_item

OWN = by_item.ITEM_AT | {"emergency": 1, "short": 1, "backup": 3}  # where the item stands in the index of a variable
NOTHING = 1e-7  # relative to the largest cost: a reduced cost that is zero but for rounding
LOSS = 3e-4  # of the bound, relative, at which the searches of all items together end


def item_of(variable: Any) -> str | None:
    """The item that a variable of the award model is about; None for what suppliers or scenarios have."""
    position = OWN.get(variable.parent_component().local_name)
    return None if position is None else variable.index()[position]


class Parts:
    """The arrays of the one model, its linking rows as a matrix, and each item's own part: `columns[k]` of the whole,
    and the model `items[k]` over them, which uses `uses[k]` of the linking rows."""

    def __init__(self, model: Any, items: Sequence[str]):
        self.arrays = arrays = hand_over(model)
        number: dict[str | None, int] = {item: k for k, item in enumerate(items)}
        item = np.array([number.get(item_of(v), SHARED) for v in arrays.variables])
        own = _within_one(item, arrays.rows)
        split = arrays.parts(item, own, len(items))
        self.shared = np.flatnonzero(item == SHARED)
        self.columns = [columns for columns, _ in split]
        self.items = [part for _, part in split]
        self._take(arrays.rows.take(np.flatnonzero(~own)))

    def _take(self, rows: Rows) -> None:
        """These are the linking rows."""
        self._rows = rows
        self.low, self.high = rows.lower, rows.upper
        self.linking = self.matrix(rows)
        self.uses = [sparse.csr_array(self.linking[:, columns]) for columns in self.columns]

    def matrix(self, rows: Rows) -> sparse.csc_array:
        shape = (len(rows.constraints), len(self.arrays.variables))
        return sparse.csc_array(sparse.csr_array((rows.value, rows.index, rows.start), shape))

    def tighten(self, rows: Rows) -> None:
        """More linking rows, which every award keeps."""
        self._take(self._rows.join(rows))

    def signed(self, y: np.ndarray) -> np.ndarray:
        """The prices without those of the wrong sign: a row without a lower limit pays for nothing below it."""
        y = np.where(np.isfinite(self.low), y, np.minimum(y, 0.0))
        return np.where(np.isfinite(self.high), y, np.maximum(y, 0.0))

    def reduced(self, y: np.ndarray) -> np.ndarray:
        """Cost less what the linking rows pay for it, of each column."""
        return self.arrays.cost - self.linking.T @ y

    def of_shared(self, y: np.ndarray, reduced: np.ndarray) -> float:
        """The part of L(y) that is no item's."""
        limit, priced = np.where(y > 0, self.low, self.high), y != 0
        d = reduced[self.shared]
        d = np.where(np.abs(d) <= NOTHING * np.abs(self.arrays.cost).max(), 0.0, d)
        least, taken = np.where(d > 0, self.arrays.lower[self.shared], self.arrays.upper[self.shared]), d != 0
        return self.arrays.offset + float(y[priced] @ limit[priced]) + float(d[taken] @ least[taken])

    def bound(self, y: np.ndarray, known: Sequence[np.ndarray], watch: Watch, until: float) -> float | None:
        """L(y), by a search for each item, begun from the values `known` of its columns; the relaxations of those for
        which there is no time; None if not even for these."""
        reduced = self.reduced(y)
        priced = [replace(part, cost=reduced[own]) for part, own in zip(self.items, self.columns, strict=True)]
        least = np.full(len(priced), -np.inf)
        for k, part in enumerate(priced):
            least[k] = _least(part, watch, until)
            if not np.isfinite(least[k]):
                return None
        open_ = np.array([part.cost @ x for part, x in zip(priced, known, strict=True)]) - least
        total = self.of_shared(y, reduced)
        small = LOSS * abs(total + least.sum()) / len(priced)
        for k in np.argsort(-open_, kind="stable"):
            if open_[k] > small and time.monotonic() < until and not watch.interrupted:
                least[k] = max(least[k], _least(priced[k], watch, until, small, known[k]))
        return total + float(least.sum())


def _within_one(item: np.ndarray, rows: Rows) -> np.ndarray:
    """Whether only variables of one item stand in a row."""
    found, filled = np.zeros(len(rows.constraints), dtype=bool), np.diff(rows.start) > 0
    starts, items = rows.start[:-1][filled], item[rows.index]
    first, last = np.minimum.reduceat(items, starts), np.maximum.reduceat(items, starts)
    found[filled] = (first == last) & (first != SHARED)
    return found


def _least(
    part: LinearModel, watch: Watch, until: float, small: float | None = None, known: np.ndarray | None = None
) -> float:
    """A lower bound on the cost of a part: its relaxation's or, with `known`, that of a search to within `small`."""
    highs = watch.highs(part, relaxed=known is None)
    if known is not None:
        whole = np.flatnonzero(part.integer)
        highs.setSolution(len(whole), whole.astype(np.int32), known[whole])
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setOptionValue("mip_abs_gap", small)
    watch.run(highs, until)
    info = highs.getInfo()
    if known is not None:
        return float(info.mip_dual_bound)
    return float(info.objective_function_value) if highs.getModelStatus() == Status.kOptimal else -np.inf
