"""The master: which splits of each item, and what suppliers are to be, among the splits made so far.

Dantzig & Wolfe (Operations Research 8, 1960): each item's award is a mean of its splits, λ >= 0 with Σ λ = 1, in a
linear program over the linking rows; their duals are the prices at which the next splits are made.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse

from echelon.solvers.handover import INFINITY, LinearModel, Rows
from echelon.solvers.watch import Status, Watch
from echelon_models.allocation.prices.parts import Parts

STUCK = 10.0  # seconds after which the linear program is begun anew
SOME = 1e-6  # weight from which on a split is in the mean


@dataclass(frozen=True)
class Split:
    """A split of item `item`: values of its columns, and those of its integers, which say who is awarded at what
    price."""

    item: int
    values: np.ndarray
    pattern: bytes


class Master:
    """Rows: one an item, then those that link. Columns: the shared ones, one an item for what no split covers (which
    costs `dear`), then the splits in the order made."""

    def __init__(self, parts: Parts, dear: np.ndarray, watch: Watch):
        self.parts, self._watch = parts, watch
        self.splits: list[Split] = []
        self.y: np.ndarray
        self._known: list[set[bytes]] = [set() for _ in parts.items]
        self._integers = [np.flatnonzero(part.integer) for part in parts.items]
        self._first = len(parts.shared) + len(parts.items)
        self._highs = watch.highs(self._without_splits(dear), relaxed=True)
        self._highs.setOptionValue("presolve", "off")

    def _without_splits(self, dear: np.ndarray) -> LinearModel:
        parts, count = self.parts, len(self.parts.items)
        columns, rows = self._first, count + len(parts.low)
        matrix = sparse.csr_array(
            sparse.block_array([[None, sparse.eye_array(count)], [parts.linking[:, parts.shared], None]])
        )
        ones, arrays = np.ones(count), parts.arrays
        return LinearModel(
            variables=[None] * columns,
            constraints=[None] * rows,
            cost=np.concatenate([arrays.cost[parts.shared], dear]),
            offset=arrays.offset,
            maximize=False,
            lower=np.concatenate([arrays.lower[parts.shared], 0.0 * ones]),
            upper=np.concatenate([arrays.upper[parts.shared], ones]),
            integer=np.zeros(columns, dtype=bool),
            row_lower=np.concatenate([ones, parts.low]),
            row_upper=np.concatenate([ones, parts.high]),
            start=matrix.indptr.astype(np.int32),
            index=matrix.indices.astype(np.int32),
            value=matrix.data,
        )

    def _pattern(self, k: int, values: np.ndarray) -> bytes:
        """Who is awarded at what price in these values of item k's columns."""
        return values[self._integers[k]].round().astype(np.int8).tobytes()

    def add(self, k: int, values: np.ndarray) -> int:
        """Splits of item k, by the values of its columns (n, columns), without those known; returns how many."""
        new = [x for x in values if x.tobytes() not in self._known[k]]
        if new:
            self._known[k].update(x.tobytes() for x in new)
            self.splits += [Split(k, x, self._pattern(k, x)) for x in new]
            taken, ones = np.stack(new), np.ones((1, len(new)))
            own = sparse.csr_array((ones[0], (np.full(len(new), k), np.arange(len(new)))), (len(self._known), len(new)))
            matrix = sparse.csc_array(sparse.vstack([own, sparse.csr_array(self.parts.uses[k] @ taken.T)]))
            self._highs.addCols(
                len(new), taken @ self.parts.items[k].cost, 0.0 * ones[0], INFINITY * ones[0], matrix.nnz,
                matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
            )  # fmt: skip
        return len(new)

    def tighten(self, rows: Rows) -> None:
        """More linking rows; their prices are 0 until the linear program is solved again."""
        self.y = np.append(self.y, np.zeros(len(rows.constraints)))
        matrix = self.parts.matrix(rows)
        self.parts.tighten(rows)
        of_items = [sparse.csr_array(matrix[:, columns]) for columns in self.parts.columns]
        of_splits = np.stack([of_items[split.item] @ split.values for split in self.splits], axis=1)
        none = sparse.csr_array((len(rows.constraints), len(self.parts.items)))
        m = sparse.csr_array(sparse.hstack([matrix[:, self.parts.shared], none, sparse.csr_array(of_splits)]))
        self._highs.addRows(
            len(rows.constraints), rows.lower, rows.upper, m.nnz,
            m.indptr[:-1].astype(np.int32), m.indices.astype(np.int32), m.data,
        )  # fmt: skip

    def relax(self, until: float) -> bool:
        """Solve the linear program; False if there was no time. Then `value` is its cost, `x` the values of its
        columns, `y` the prices of the linking rows, `of_item` what each item costs at them."""
        for seconds in (STUCK, np.inf):
            self._watch.run(self._highs, min(until, time.monotonic() + seconds))
            if self._highs.getModelStatus() == Status.kOptimal:
                break
            self._highs.clearSolver()
        else:
            return False
        solution, count = self._highs.getSolution(), len(self.parts.items)
        duals, self.x = np.array(solution.row_dual), np.array(solution.col_value)
        self.of_item, self.y = duals[:count], self.parts.signed(duals[count:])
        self.value = self._highs.getInfo().objective_function_value
        return True

    @property
    def covers(self) -> bool:
        """Whether splits cover all items."""
        return bool((self.x[len(self.parts.shared) : self._first] <= SOME).all())

    def weights(self) -> list[tuple[Split, float]]:
        """The splits in the mean, and their weights."""
        weight = self.x[self._first :]
        return [(self.splits[n], float(weight[n])) for n in np.flatnonzero(weight > SOME)]

    def values(self) -> np.ndarray:
        """The mean as values of the columns of the one model."""
        found = np.zeros(len(self.parts.arrays.variables))
        found[self.parts.shared] = self.x[: len(self.parts.shared)]
        for split, weight in self.weights():
            found[self.parts.columns[split.item]] += weight * split.values
        return found

    def limit(self, columns: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> None:
        """Give shared columns (by their position among them) other bounds."""
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def allow(self, patterns: dict[int, bytes], among: Collection[int]) -> None:
        """Of these items, allow only the splits of their pattern, or all where they have none."""
        chosen = [n for n, split in enumerate(self.splits) if split.item in among]
        splits = [self.splits[n] for n in chosen]
        upper = [INFINITY if patterns.get(s.item, s.pattern) == s.pattern else 0.0 for s in splits]
        self.limit(self._first + np.array(chosen, dtype=int), np.zeros(len(chosen)), np.array(upper))
