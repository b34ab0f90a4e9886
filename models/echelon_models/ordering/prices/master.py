"""The prices of the limits: a stabilised cutting-plane method on the Lagrangian dual, its master a linear programme.

With prices p >= 0 of the limit rows, no plan can cost less than

    L(p) = sum over bunches g of value_g(p) - sum over limit rows r of capacity_r·p_r

where value_g(p) is the least cost of bunch g at these prices. L is concave; each plan found for a bunch, with cost c
and use u of the limits, says value_g(p) <= c + u·p. The master maximises L over all that such cuts allow (Kelley 1960;
the dual of Dantzig & Wolfe 1960). The next prices lie between its optimum and the best prices so far (Wentges 1997),
which keeps them from leaping about, and within a box around these (Marsten, Hogan & Blankenship 1975), which is small
where the start is known. A soft limit's price is at most what exceeding it costs; what a budget leaves is carried over
to the next period unless that one's price is higher, so p_t >= p_(t+1) there.
"""

from __future__ import annotations

import numpy as np

from echelon.solvers.handover import INFINITY, LinearModel
from echelon.solvers.watch import Status, Watch
from echelon_models.ordering.prices.arrays import Limits

KEPT = 0.1  # weight of the best prices so far in the next ones
COLD_BOX, WARM_BOX = 1.0, 0.3  # half width of the first box, in typical prices: around 0, around known prices
TYPICAL = 0.03  # a price, as part of what all costs by a unit of use, until prices are known
LARGEST = 1e7  # value of a bunch, in units of `scale`
GROW, SHRINK = 3.0, 0.7  # of the box: after better prices at its edge; after worse ones


class Master:
    """Cuts, the best prices so far (`best`, `bound` = L there), and where to look next."""

    def __init__(self, limits: Limits, bunches: int, watch: Watch, start: np.ndarray | None, scale: float):
        """`start` are known prices (R,); `scale` is about what a bunch costs, in units of which the master counts."""
        self.limits, self.bunches, self.watch, self._scale = limits, bunches, watch, scale
        self.dearest = limits.excess_cost
        self.best, self.best_round = first_prices(limits, start), 0
        self.bound, self.optimum = -np.inf, np.inf
        self.box = COLD_BOX if start is None else WARM_BOX
        self.at_edge = False
        self._guess = np.zeros(len(limits))
        self.cuts: list[tuple[int, int]] = []  # (round, bunch)
        self._known: list[set[float]] = [set() for _ in range(bunches)]
        self._rounds = 0
        self._highs = watch.highs(self._without_cuts())

    def hear(
        self, prices: np.ndarray, value: np.ndarray, cost: np.ndarray, signature: np.ndarray, use: np.ndarray
    ) -> None:
        """What the bunches answered at these prices: (G,) least costs; (G,) costs and numbers that tell equal plans,
        and (G, R) uses, of the plans found."""
        reached = float(value.sum() - self.limits.capacity @ prices)
        better = reached > self.bound
        if better:
            self.bound, self.best, self.best_round = reached, prices, self._rounds
        if self._rounds == 0:
            self._guess = TYPICAL * float(cost.sum()) / self._mean_of_kind(use.sum(axis=0), at_least=1e-9)
        else:
            self.box *= (GROW if self.at_edge else 1.0) if better else SHRINK
        new = [g for g in range(self.bunches) if signature[g] not in self._known[g]]
        self._add(np.array(new, dtype=int), cost, use)
        for g in new:
            self._known[g].add(signature[g])
            self.cuts.append((self._rounds, g))
        self._rounds += 1

    def next_prices(self, worth: float) -> np.ndarray:
        """Prices to try next; `optimum` is then what the cuts promise, within the box if `at_edge`. The box grows at
        once where it leaves less than `worth` (money) to gain."""
        while True:
            half = self.box * np.maximum(self.best, self._typical())
            lowest, highest = np.maximum(self.best - half, 0.0), np.minimum(self.best + half, self.dearest)
            found = self._maximise(lowest, highest)
            inside = (found > lowest + 1e-9) & (found < highest - 1e-9)
            self.at_edge = bool((~inside & (found > 0) & (found < self.dearest)).any())
            if not self.at_edge or self.optimum - self.bound > worth:
                return KEPT * self.best + (1.0 - KEPT) * found
            self.box *= GROW

    def _maximise(self, lowest: np.ndarray, highest: np.ndarray) -> np.ndarray:
        """The prices within these that the cuts think best; `optimum` is what they promise there."""
        rows = np.arange(len(self.limits), dtype=np.int32)
        self._highs.changeColsBounds(len(rows), rows, lowest, highest)
        self.watch.finish(self._highs)
        if self._highs.getModelStatus() != Status.kOptimal:
            return self.best
        found = np.clip(np.array(self._highs.getSolution().col_value)[: len(rows)], 0.0, self.dearest)
        self.optimum = self._highs.getInfo().objective_function_value * self._scale
        return found

    def weights(self) -> list[tuple[int, int, float]]:
        """(round, bunch, weight) of the plans that together make the relaxed optimum: the duals of the cuts, without a
        box around the prices."""
        self._maximise(np.zeros(len(self.limits)), self.dearest)
        duals = np.abs(np.array(self._highs.getSolution().row_dual)[-len(self.cuts) :])
        return [(*self.cuts[k], float(duals[k])) for k in np.flatnonzero(duals > 1e-9)]

    def _typical(self) -> np.ndarray:
        """(R,) the mean best price of the limit rows of the same kind or, where they have none yet, a guess."""
        mean = self._mean_of_kind(self.best, at_least=0.0)
        return np.where(mean > 0, mean, self._guess)

    def _mean_of_kind(self, values: np.ndarray, at_least: float) -> np.ndarray:
        """(R,) the mean over the limit rows of the same kind."""
        kind = self.limits.kind
        return np.maximum(np.bincount(kind, values)[kind] / np.bincount(kind)[kind], at_least)

    def _without_cuts(self) -> LinearModel:
        """max sum of bunch values - capacity·p, with p_t >= p_(t+1) where a budget carries over."""
        rows = len(self.limits)
        carrying = np.flatnonzero(self.limits.carried_to < rows)
        pairs = np.stack([carrying, self.limits.carried_to[carrying]], axis=1)
        columns, carries = rows + self.bunches, len(carrying)
        return LinearModel(
            variables=[None] * columns,
            constraints=[None] * carries,
            cost=np.concatenate([-self.limits.capacity / self._scale, np.ones(self.bunches)]),
            offset=0.0,
            maximize=True,
            lower=np.concatenate([np.zeros(rows), np.full(self.bunches, -LARGEST)]),
            upper=np.concatenate([self.dearest, np.full(self.bunches, LARGEST)]),
            integer=np.zeros(columns, dtype=bool),
            row_lower=np.zeros(carries),
            row_upper=np.full(carries, INFINITY),
            start=np.arange(0, 2 * carries + 1, 2, dtype=np.int32),
            index=pairs.ravel().astype(np.int32),
            value=np.tile([1.0, -1.0], carries),
        )

    def _add(self, bunches: np.ndarray, cost: np.ndarray, use: np.ndarray) -> None:
        """Cuts: value_g - use_g·p <= cost_g."""
        matrix = np.zeros((len(bunches), len(self.limits) + self.bunches))
        matrix[:, : len(self.limits)] = -use[bunches] / self._scale
        matrix[np.arange(len(bunches)), len(self.limits) + bunches] = 1.0
        row, column = np.nonzero(matrix)
        starts = np.searchsorted(row, np.arange(len(bunches))).astype(np.int32)
        lower, upper = np.full(len(bunches), -INFINITY), cost[bunches] / self._scale
        values = matrix[row, column]
        self._highs.addRows(len(bunches), lower, upper, len(values), starts, column.astype(np.int32), values)


def first_prices(limits: Limits, start: np.ndarray | None) -> np.ndarray:
    """(R,) the first prices: 0, or those known, raised where they would rise along a budget that carries over."""
    if start is None:
        return np.zeros(len(limits))
    raised = np.minimum(start, limits.excess_cost)
    for r in np.flatnonzero(limits.carried_to < len(limits))[::-1].tolist():
        raised[r] = max(raised[r], raised[limits.carried_to[r]])
    return raised
