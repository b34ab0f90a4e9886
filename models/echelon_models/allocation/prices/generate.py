"""Column generation: prices for what items share, the splits that are best at these prices, and again.

The relaxation of the master over all splits there are is worth what the Lagrangian bound is at its best prices (see
`parts`). Prices are taken between the best ones so far and the master's own, which keeps them from leaping about
(Wentges, International Transactions in Operational Research 4, 1997).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from echelon.solvers.handover import hand_over_rows
from echelon.solvers.watch import Watch
from echelon_models.allocation.prices.master import Master
from echelon_models.allocation.prices.parts import Parts
from echelon_models.allocation.prices.splits import Splits
from echelon_models.allocation.rebate_cuts import rebate_cuts
from echelon_models.allocation.sets import Sets

DEAR = 10.0  # what an item costs that no split covers, in costs of its dearest split
KEPT = 0.6  # weight of the best prices so far in the next ones
NEAR = 100  # splits of each item, cheapest when all were priced last, that are priced in each round,
NEW = 2  # and how many of them each round adds at most
ROUNDS = 40  # of splits between two looks at all of them, at most
CLOSE = 1e-4  # relative distance of the relaxation from what the splits allow at which rounds end
GAIN = 1e-4  # relative change of the relaxation below which the same step is not taken again
LEAST_GAIN = 1e-5  # part of an item's cost below which a split gains nothing


class Generation:
    """The master of a case and where its next splits come from."""

    def __init__(self, m: Any, sets: Sets, watch: Watch):
        items = [i for i, suppliers in sets.suppliers_of.items() if suppliers]
        self.model, self.sets, self.watch = m, sets, watch
        self.parts = Parts(m, items)
        self.splits = [Splits(sets, i, part, len(items)) for i, part in zip(items, self.parts.items, strict=True)]
        self.near: list[np.ndarray] = []  # the splits of each item that are priced in each round

    def start(self, until: float) -> bool:
        """Make the first splits, each item's own best; False where an item has none in the list, or no time is left."""
        if not all(len(splits) for splits in self.splits):
            return False
        costs = [splits.costs(part.cost) for splits, part in zip(self.splits, self.parts.items, strict=True)]
        self.master = Master(self.parts, np.array([DEAR * max(c.max(), 1.0) for c in costs]), self.watch)
        for k, cost in enumerate(costs):
            best = np.argsort(cost, kind="stable")[:NEW]
            self.master.add(k, self.splits[k].plans(self.parts.items[k].cost, best))
        if not self.master.relax(until):
            return False
        self.y = self.proven_y = self.master.y  # the best prices so far: over the splits near, and over all
        self.proven = -np.inf  # what the splits allow at the latter
        return self.look(until)

    def converge(self, until: float, prove_until: float) -> None:
        """Add splits, and cuts of rebates, until neither gains much or `until`; then splits until the list has none
        that gains much, or `prove_until`: how good the prices are."""
        going = self._until_proven(until)
        while going:
            before = self.master.value
            going = self.tighten(until) and self.rounds(until) and self.master.value - before > GAIN * abs(before)
        self._until_proven(prove_until)

    def _until_proven(self, until: float) -> bool:
        """Add splits until the list has none that gains much; False if time was over before that."""
        while True:
            if not self.look(until):
                return False
            if self.master.value - self.proven <= GAIN * abs(self.master.value):
                return True
            if not self.rounds(until):
                return False

    def look(self, until: float) -> bool:
        """Price all splits at the best prices so far: those near its optimum, and the best of them into it."""
        self._extend_prices()
        reduced = self.parts.reduced(self.y)
        self.near, lowest = [], self.parts.of_shared(self.y, reduced)
        for splits, columns in zip(self.splits, self.parts.columns, strict=True):
            costs = splits.costs(reduced[columns])
            self.near.append(np.argsort(costs, kind="stable")[:NEAR])
            lowest += float(costs.min())
        if lowest > self.proven:
            self.proven, self.proven_y = lowest, self.y
        self._add(self.y)
        return self.master.relax(until)

    def _extend_prices(self) -> None:
        """Rows that are new to the master have no price so far."""
        new = np.zeros(len(self.master.y) - len(self.y))
        self.y, self.proven_y = np.append(self.y, new), np.append(self.proven_y, new)

    def tighten(self, until: float) -> bool:
        """Cuts of rebates that the master's optimum breaks."""
        for variable, value in zip(self.parts.arrays.variables, self.master.values().tolist(), strict=True):
            variable.set_value(value, skip_validation=True)
        rows = hand_over_rows(rebate_cuts(self.model, self.sets), self.parts.arrays.variables)
        if rows.constraints:
            self.master.tighten(rows)
        return self.master.relax(until)

    def rounds(self, until: float, most: int = ROUNDS) -> bool:
        """Add splits from those near, until they gain no more; False if time was over before that."""
        self._extend_prices()
        best, reached = self.y, self._add(self.y)[0]
        for _ in range(most):
            for y in (KEPT * best + (1 - KEPT) * self.master.y, self.master.y):
                lowest, added = self._add(y)
                if lowest > reached:
                    best, reached = y, lowest
                    self.y = y
                if added:
                    break
            if not added:
                return True
            if not self.master.relax(until):
                return False
            if self.master.value - reached <= CLOSE * abs(self.master.value):
                return True
        return True

    def cheapest(self, y: np.ndarray) -> list[np.ndarray]:
        """The best split of each item among those near, at these prices: values of its columns."""
        reduced = self.parts.reduced(y)
        return [self._best(k, reduced[columns], 1)[0][0] for k, columns in enumerate(self.parts.columns)]

    def _add(self, y: np.ndarray) -> tuple[float, int]:
        """Add the best splits at these prices that gain at the master's own; returns L over those near, and how many
        were added."""
        reduced, own = self.parts.reduced(y), self.parts.reduced(self.master.y)
        lowest, added = self.parts.of_shared(y, reduced), 0
        for k, columns in enumerate(self.parts.columns):
            plans, least = self._best(k, reduced[columns], NEW)
            lowest += least
            item = self.master.of_item[k]
            gains = plans @ own[columns] < item - LEAST_GAIN * abs(item)
            if gains.any():
                added += self.master.add(k, plans[gains])
        return lowest, added

    def _best(self, k: int, reduced: np.ndarray, count: int) -> tuple[np.ndarray, float]:
        """The best of item k's splits near, so many, and what the first costs at these reduced costs."""
        costs = self.splits[k].costs(reduced, self.near[k])
        best = np.argsort(costs, kind="stable")[:count]
        return self.splits[k].plans(reduced, self.near[k][best]), float(costs[best[0]])
