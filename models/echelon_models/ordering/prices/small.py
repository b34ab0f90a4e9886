"""Items that the dynamic programme cannot plan: each a small mixed-integer programme over all its places.

Lanes, supplier shares, fill rates, or quantities for which no short list of levels exists. The programmes are built by
the constraint functions of the one big model; only the rows of the shared limits are taken out and priced instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from echelon.solvers.handover import INFINITY, LinearModel, Rows, hand_over, hand_over_rows
from echelon.solvers.outcome import SolveOptions
from echelon.solvers.watch import Status, Watch
from echelon.tables import Frames
from echelon_models.ordering.formulation import build
from echelon_models.ordering.plan import Decisions
from echelon_models.ordering.results import limit_rows, read_decisions
from echelon_models.ordering.schema import OrderingOptions
from echelon_models.ordering.sets import Sets, prepare
from echelon_models.ordering.start import block_of, round_relaxation

GAP = 1e-3  # relative, at which the search of a small programme ends; its bound counts, not its plan
ROUNDS = 8  # of tightening the relaxations before the first prices


class PricedItems(NamedTuple):
    """Per item: `value`, a bound on its least cost at the prices; `cost` of the plan found without them; `use` (n, R)
    of the limits. And the plans."""

    value: np.ndarray
    cost: np.ndarray
    use: np.ndarray
    decisions: Decisions | None


@dataclass
class SmallPrograms:
    """The items whose tables are `full` (completed, with the limits of the whole case); limit row r is named by
    `limits[r]` = (limit, name, unit, t). `names` lists the items in the order of the answers."""

    full: Frames
    options: OrderingOptions
    limits: list[tuple[str, str, str, int]]
    names: list[str]

    def relax(self, prices: np.ndarray) -> PricedItems:
        """The relaxation of each item at these prices of the limit rows (R,): quick bounds, without plans."""
        value, cost, use = (np.array(c) for c in zip(*(part.relax(prices) for part in self._parts[1]), strict=True))
        return PricedItems(value, cost, use, None)

    def plan(self, prices: np.ndarray, seconds: float) -> PricedItems:
        """The best plan of each item at these prices of the limit rows (R,); `seconds` is for each item."""
        model, parts = self._parts
        if all(part.plan is None for part in parts):
            self._round(prices)
        answers = [part.solve(prices, seconds) for part in parts]
        for part in parts:
            _load(part.arrays.variables, np.zeros(len(part.columns)) if part.plan is None else part.plan)
        value, cost, use = (np.array(column) for column in zip(*answers, strict=True))
        return PricedItems(value, cost, use, read_decisions(model, self._sets))

    def _round(self, prices: np.ndarray) -> None:
        """Start each item's search from its relaxation at these prices, rounded."""
        model, parts = self._parts
        if all(np.isfinite(part.relax(prices)[0]) for part in parts):
            round_relaxation(model, self._sets)
            for part in parts:
                part.start = np.array([variable.value for variable in part.arrays.variables], dtype=float)

    @cached_property
    def _sets(self) -> Sets:
        return prepare(self.full, self.options)

    @cached_property
    def _parts(self) -> tuple[Any, list[_Program]]:
        """The model over all items, and its parts: one an item, without the rows of limits, tightened."""
        model = build(self._sets, self.options.formulation)
        arrays = hand_over(model)
        number = {item: k for k, item in enumerate(self.names)}
        item = np.array([number.get(str(block_of(variable)), -1) for variable in arrays.variables])
        position = {key: r for r, key in enumerate(self.limits)}
        known = {
            id(row): position[kind, name, unit, t] for kind, name, unit, t, _, row in limit_rows(model, self._sets)
        }
        limit = np.array([known.get(id(constraint), -1) for constraint in arrays.constraints])
        parts = [_Program(part, columns) for columns, part in arrays.parts(item, limit < 0, len(self.names))]
        self._uses(arrays.rows.take(np.flatnonzero(limit >= 0)), limit[limit >= 0], item, parts)
        if model.tighten is not None:
            _tighten(model, arrays.variables, item, parts, len(self.limits))
        return model, parts

    def _uses(self, rows: Rows, limit: np.ndarray, item: np.ndarray, parts: list[_Program]) -> None:
        """Tell each item what its columns use of the limits, and what it uses anyway."""
        column_of = _positions(item, parts)
        row, owner = limit[np.repeat(np.arange(len(limit)), np.diff(rows.start))], item[rows.index]
        for k, part in enumerate(parts):
            own = owner == k
            part.use = Use(row[own], column_of[rows.index[own]], rows.value[own])
            part.anyway = np.zeros(len(self.limits))
        for k, r, volume in self._stored_anyway():
            parts[k].anyway[r] += volume

    def _stored_anyway(self) -> Iterator[tuple[int, int, float]]:
        """(item, limit row, m³) of opening stock and firm receipts where storage counts at its peak."""
        sets, number = self._sets, {item: k for k, item in enumerate(self.names)}
        for r, (kind, l, _, t) in enumerate(self.limits):
            if kind == "storage" and sets.storage[l, t].counts == "peak":
                for (i, place), terms in sets.places.items():
                    if place == l:
                        units = sets.receipts.get((i, l, t), 0.0) + (sets.opening.get((i, l), 0.0) if t == 0 else 0.0)
                        yield number[i], r, terms.volume * units


class Use(NamedTuple):
    """What the columns of a model use of the limit rows: `value` of `row` by one unit of `column`."""

    row: np.ndarray
    column: np.ndarray
    value: np.ndarray


@dataclass
class _Program:
    """One item: its model without limits, its columns in the whole one, what these and the item anyway use of the
    limits, and the last plan found."""

    arrays: LinearModel
    columns: np.ndarray
    use: Use = field(init=False)
    anyway: np.ndarray = field(init=False)
    plan: np.ndarray | None = None
    start: np.ndarray | None = None  # values of which those of the integers are worth a try

    def solve(self, prices: np.ndarray, seconds: float) -> tuple[float, float, np.ndarray]:
        """(bound on the least cost at the prices, cost of the plan without them, use of the limits); the plan is kept,
        and starts the next search. The bound of an item that cannot be planned is infinite."""
        watch = Watch(SolveOptions(time_limit=seconds))
        model = self._priced(prices)
        highs = watch.highs(model)
        highs.setOptionValue("mip_rel_gap", GAP)
        start = self.start if self.plan is None else self.plan
        if start is not None:
            whole = np.flatnonzero(model.integer)
            highs.setSolution(len(whole), whole.astype(np.int32), start[whole])
        watch.run(highs)
        if self.plan is None and highs.getInfo().primal_solution_status != 2:
            highs.setOptionValue("mip_max_improving_sols", 1)  # any plan will do, whatever the clock says
            highs.setOptionValue("time_limit", INFINITY)
            watch.finish(highs)
        info, infeasible = highs.getInfo(), highs.getModelStatus() == Status.kInfeasible
        if info.primal_solution_status == 2:
            found = np.array(highs.getSolution().col_value)
            self.plan = np.where(model.integer, np.round(found), found)
        if infeasible or self.plan is None:
            return np.inf if infeasible else -np.inf, np.inf, self.anyway
        bound = info.mip_dual_bound if model.integer.any() else info.objective_function_value
        return self._answer(float(bound), self.plan, prices)

    def relax(self, prices: np.ndarray) -> tuple[float, float, np.ndarray]:
        """The same of its relaxation, which may order parts of lots: a bound, and a use, but no plan. The variables
        take its values."""
        watch = Watch(SolveOptions())
        highs = watch.highs(self._priced(prices), relaxed=True)
        watch.finish(highs)
        if highs.getModelStatus() != Status.kOptimal:
            return np.inf, np.inf, self.anyway
        found = np.array(highs.getSolution().col_value)
        _load(self.arrays.variables, found)
        return self._answer(highs.getInfo().objective_function_value, found, prices)

    def _priced(self, prices: np.ndarray) -> LinearModel:
        """The model with what it uses of the limits in its costs."""
        row, column, value = self.use
        paid = np.bincount(column, prices[row] * value, len(self.columns))
        return replace(self.arrays, cost=self.arrays.cost + paid)

    def _answer(self, bound: float, plan: np.ndarray, prices: np.ndarray) -> tuple[float, float, np.ndarray]:
        row, column, value = self.use
        use = self.anyway + np.bincount(row, value * plan[column], len(prices))
        return bound + float(prices @ self.anyway), float(self.arrays.cost @ plan), use


def _positions(item: np.ndarray, parts: list[_Program]) -> np.ndarray:
    """The position of each column of the whole model in its item's own."""
    position = np.zeros(len(item), dtype=np.int32)
    for part in parts:
        position[part.columns] = np.arange(len(part.columns))
    return position


def _tighten(model: Any, variables: list[Any], item: np.ndarray, parts: list[_Program], rows: int) -> None:
    """Add the rows that the relaxations, at no prices of the limit `rows`, violate: they hold at any prices."""
    position = _positions(item, parts)
    for _ in range(ROUNDS):
        if not all(np.isfinite(part.relax(np.zeros(rows))[0]) for part in parts):
            break  # an item that cannot be planned at all: its search will say so
        violated = hand_over_rows(model.tighten(), variables)
        if not violated.constraints:
            break
        owner = item[violated.index[violated.start[:-1]]]
        for k in np.unique(owner).tolist():
            own = violated.take(np.flatnonzero(owner == k))
            parts[k].arrays = parts[k].arrays.with_rows(replace(own, index=position[own.index]))


def _load(variables: list[Any], values: Iterable[float]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.set_value(value, skip_validation=True)
