"""The ways to split an item among its suppliers, listed, and what each costs at given prices.

Few suppliers share an item, and each gets a least or a most, the end of a price range, or what the others leave: there
are a few thousand such splits, and a matrix prices them all at once. What is done in a scenario for a split is a
continuous knapsack: whoever is cheapest at the prices delivers first. Other quantities may be better still, so the
list gives plans, not bounds.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import scipy.sparse as sparse

from echelon.solvers.handover import LinearModel
from echelon_models.allocation.sets import Sets

RECOURSE = ("extra", "emergency", "short")  # variables of scenarios
LISTED = 3  # suppliers of a split in the list, at most
MOST = 20_000  # splits in the list of an item, about,
MOST_IN_ALL = 2_000_000  # and in the lists of all items
FITS = 1e-7  # relative, by which a split may miss a row


class Splits:
    """The splits of an item that is needed at one site. Columns are those of its part of the model."""

    def __init__(self, sets: Sets, item: str, part: LinearModel, items: int):
        self.item, self._sets, self._part = item, sets, part
        self._most_listed = min(MOST, MOST_IN_ALL // items)
        self.suppliers = sets.suppliers_of[item]
        self._read_columns()
        self._read_scenarios()
        self.awards = sparse.csr_array(self._list())

    def __len__(self) -> int:
        return self.awards.shape[0]

    def _read_columns(self) -> None:
        """Where the item's variables stand: those of the award among themselves, those of recourse in the part."""
        at = {(v.parent_component().local_name, v.index()): j for j, v in enumerate(self._part.variables)}
        i, suppliers = self.item, self.suppliers
        own = {key: n for n, key in enumerate(key for key in at if key[0] not in RECOURSE)}
        self._columns = np.array([at[key] for key in own])
        sites = [self._sets.sites_of[s, i][0] for s in suppliers]
        self._quantity = np.array([own["quantity", (s, i, l)] for s, l in zip(suppliers, sites, strict=True)])
        self._award = np.array([own["award", (s, i)] for s in suppliers])
        self._whole = np.flatnonzero(self._part.integer[self._columns])
        self._steps = [self._sets.price_steps(s, i) for s in suppliers]
        self._prices = [
            [(own["price", (s, i, k)], own["price_quantity", (s, i, k)]) for k in range(len(steps))]
            if ("price", (s, i, 0)) in own
            else []
            for s, steps in zip(suppliers, self._steps, strict=True)
        ]
        self._moved = {n: own["moved", (s, i)] for n, s in enumerate(suppliers) if ("moved", (s, i)) in own}
        self._hit = list(dict.fromkeys(index[0] for name, index in at if name == "emergency"))
        l = sites[0]
        self._extra = np.array([[at.get(("extra", (w, s, i, l)), -1) for s in suppliers] for w in self._hit])
        self._extra = self._extra.reshape(len(self._hit), len(suppliers))
        self._emergency = np.array([at["emergency", (w, i, l)] for w in self._hit], dtype=int)
        self._short = np.array([at["short", (w, i, l)] for w in self._hit], dtype=int)

    def _read_scenarios(self) -> None:
        """What is left of each supplier in the scenarios that hit the item, and what each may deliver beyond."""
        sets, i, suppliers = self._sets, self.item, self.suppliers
        left = [[sets.left.get((w, s), 1.0) for s in suppliers] for w in self._hit]
        self._left = np.array(left).reshape(len(self._hit), len(suppliers))
        self._yield = np.array([sets.offers[s, i].yield_rate for s in suppliers])
        price = np.array([sets.lowest_price(s, i) for s in suppliers])
        self._cheapest = np.argsort(price / self._yield).tolist()
        self._most = np.array([sets.most(s, i) for s in suppliers])
        flexibility = np.array([sets.suppliers[s].flexibility for s in suppliers], dtype=float)
        self._flexibility = np.where(np.isnan(flexibility), np.inf, flexibility)
        limit = sets.items[i].emergency_limit
        self._emergency_limit = limit if limit == limit else np.inf

    def alike(self, values: np.ndarray) -> np.ndarray:
        """The rows of the splits that award the same suppliers at the same prices as these values of the columns."""
        same = self.awards[:, self._whole].toarray().round() == values[self._columns[self._whole]].round()
        return np.flatnonzero(same.all(axis=1))

    def costs(self, reduced: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """What each split (or those of these rows) costs at most, at these reduced costs of the item's columns."""
        awards = self.awards if rows is None else self.awards[rows]
        found = awards @ reduced[self._columns]
        if self._hit:
            found = found + self._make_up(awards, reduced)[0]
        return found

    def plans(self, reduced: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Values of all the item's columns for the splits of these rows, recourse at these reduced costs."""
        x = np.zeros((len(rows), len(reduced)))
        x[:, self._columns] = self.awards[rows].toarray()
        if self._hit:
            _, sources = self._make_up(self.awards[rows], reduced)
            n = len(self.suppliers)
            known = self._extra >= 0
            x[:, self._extra[known]] = (sources[:, :, :n] / self._yield)[:, known]
            x[:, self._emergency], x[:, self._short] = sources[:, :, n], sources[:, :, n + 1]
        return x

    def _make_up(self, awards: Any, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The cost of recourse for each split, and the good units from each source (split, scenario, source): each
        supplier, emergency, shortage; the cheapest first."""
        quantity, awarded = awards[:, self._quantity].toarray(), awards[:, self._award].toarray()
        spare = np.minimum(self._most * awarded - quantity, self._flexibility * np.maximum(quantity, 1e-30))
        ends = np.broadcast_to([self._emergency_limit, np.inf], (len(quantity), 2))
        room = np.hstack([np.maximum(spare, 0.0) * self._yield, ends])
        part = np.hstack([self._left, np.ones((len(self._hit), 2))])
        price = np.where(self._extra >= 0, reduced[self._extra] / self._yield, np.inf)
        price = np.column_stack([price, reduced[self._emergency], reduced[self._short]])
        order, scenario = np.argsort(price, axis=1, kind="stable"), np.arange(len(self._hit))
        missing = quantity @ ((1 - self._left) * self._yield).T
        cost, sources = np.zeros(len(quantity)), np.zeros((len(quantity), *price.shape))
        for rank in range(price.shape[1]):
            source = order[:, rank]
            open_ = np.isfinite(price[scenario, source])
            taken = np.where(open_, np.minimum(missing, room[:, source] * part[scenario, source]), 0.0)
            missing = missing - taken
            sources[:, scenario, source] = taken
            cost += taken @ np.where(open_, price[scenario, source], 0.0)
        return cost, sources

    def _list(self) -> np.ndarray:
        """The values of the award's columns for each split in the list that keeps the item's rules."""
        quantities = [q for size in range(1, LISTED + 1) for q in self._quantities(size)]
        if not quantities:
            return np.zeros((0, len(self._columns)))
        return self._kept(self._award_columns(np.concatenate(quantities)))

    def _quantities(self, size: int) -> Iterator[np.ndarray]:
        """Quantities (n, suppliers) of splits among so many suppliers, the cheapest where there are too many: one has
        what the others leave."""
        need, ends = self._sets.need[self.item], self._ends()
        count, tries = len(self.suppliers), size * float(np.mean([len(x) for x in ends])) ** (size - 1)
        while count > size and math.comb(count, size) * tries > self._most_listed:
            count -= 1
        for chosen in combinations(self._cheapest[:count], size):
            for last in chosen:
                others = [n for n in chosen if n != last]
                grid = np.array(list(product(*(ends[n] for n in others))))
                rest = (need - grid @ self._yield[others]) / self._yield[last]
                fits = (rest >= ends[last][0] * (1 - FITS)) & (rest <= ends[last][-1] * (1 + FITS)) & (rest > 0)
                if fits.any():
                    quantity = np.zeros((int(fits.sum()), len(self.suppliers)))
                    quantity[:, others], quantity[:, last] = grid[fits], rest[fits]
                    yield quantity

    def _ends(self) -> list[np.ndarray]:
        """The quantities worth trying of each supplier: its least, its most, the ends of its price ranges, what its
        shares and requirements come to."""
        sets, i, found = self._sets, self.item, []
        for n, s in enumerate(self.suppliers):
            whole = sets.need[i] / self._yield[n]
            share, row = sets.shares.get((s, i)), sets.current.get((s, i))
            marks = [sets.least(s, i), self._most[n], sets.required.get((s, i), 0.0)]
            marks += [x for step in self._steps[n] for x in (step.low, step.high)]
            marks += [share.min_share * whole, share.max_share * whole] if share is not None else []
            marks += [row.share * whole, (row.share - row.max_loss) * whole] if row is not None else []
            low, high = max(sets.least(s, i), 0.0), self._most[n]
            high = min(high, share.max_share * whole) if share is not None else high
            found.append(np.unique([x for x in [*marks, high] if x == x and max(low, 1e-9) <= x <= high]))
        return [ends if len(ends) else np.array([np.inf]) for ends in found]

    def _award_columns(self, quantity: np.ndarray) -> np.ndarray:
        """Values of the award's columns for these quantities (n, suppliers), prices by their ranges; splits that lie
        in no range are left out."""
        x, placed = np.zeros((len(quantity), len(self._columns))), np.ones(len(quantity), dtype=bool)
        x[:, self._quantity], x[:, self._award] = quantity, quantity > 0
        for n, steps in enumerate(self._steps):
            if not self._prices[n]:
                continue
            cost = np.full((len(quantity), len(steps)), np.inf)
            for k, step in enumerate(steps):
                inside = (quantity[:, n] >= step.low) & (quantity[:, n] <= step.high)
                cost[inside, k] = step.rate * quantity[inside, n] + step.fixed
            chosen, has = cost.argmin(axis=1), quantity[:, n] > 0
            placed &= np.isfinite(cost.min(axis=1)) | ~has
            for k in range(len(steps)):
                here = has & (chosen == k)
                price, price_quantity = self._prices[n][k]
                x[here, price], x[here, price_quantity] = 1.0, quantity[here, n]
        whole = quantity.sum(axis=1)
        for n, column in self._moved.items():
            share = self._sets.current[self.suppliers[n], self.item].share
            x[:, column] = np.maximum(share * whole - quantity[:, n], 0.0)
        return x[placed]

    def _kept(self, x: np.ndarray) -> np.ndarray:
        """Those of the awards `x` that keep the item's rows (those of scenarios apart)."""
        part = self._part
        matrix = sparse.csr_array((part.value, part.index, part.start), (len(part.constraints), len(part.variables)))
        inside = matrix[:, self._columns]
        rows = np.flatnonzero(np.diff(inside.indptr) == np.diff(matrix.indptr))
        inside, low, high = inside[rows], part.row_lower[rows], part.row_upper[rows]
        use, size = (inside @ x.T).T, (abs(inside) @ x.T).T
        slack = FITS * np.maximum(1.0, size)
        fits = ((use >= low - slack) & (use <= high + slack)).all(axis=1)
        return x[fits & (x <= part.upper[self._columns] * (1 + FITS)).all(axis=1)]


def can_list(sets: Sets) -> bool:
    """Whether splits can be listed: each item is needed at one site, and none has backups to plan."""
    return len(sets.demand) == len(sets.need) and all(item.survives == "none" for item in sets.items.values())
