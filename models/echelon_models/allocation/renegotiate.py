"""Where to renegotiate: for offers that get nothing, the price at which they would win.

A cut d of a price makes a plan with x units of the offer d·x cheaper. So the offer wins something from the cut on that
is the least, over all plans with x > 0, of (cost of that plan - cost of the best plan) / x: a ratio, minimised by
Dinkelbach's method (Mgmt Sci 13, 1967). Plans are those in which the awards of other items stay as they are.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon.solvers.again import Again
from echelon_models.allocation.schema import RESULTS
from echelon_models.allocation.search import EMPTY
from echelon_models.allocation.sets import Pair, Sets

COLUMNS = list(next(table for table in RESULTS if table.name == "renegotiation").columns)
STEPS = 12  # of Dinkelbach's method, at most; it needs three or four
DEAR = 1.1  # the first guess of a cut, in multiples of the price


def renegotiate(m: Any, sets: Sets, seconds: float) -> pd.DataFrame:
    """The price at which losing offers would win, those nearest to winning first; at most `sets.options.renegotiate`
    of them, as far as the seconds suffice. `m` holds the plan."""
    wanted, deadline = nearest_losers(m, sets), time.monotonic() + seconds
    rows: list[tuple[Any, ...]] = []
    if wanted and seconds > 0:
        near = _Neighbourhood(m, sets)
        for s, i in wanted:
            if time.monotonic() > deadline:
                break
            if (cut := near.least_cut(s, i, deadline)) is not None:
                price = sets.offers[s, i].price
                rows.append((s, i, price, price - cut[0], cut[0] / price if price else 0.0, cut[1]))
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(["cut", "supplier", "item"], ignore_index=True)


def nearest_losers(m: Any, sets: Sets) -> list[Pair]:
    """Offers without any quantity, by how far what a good unit of theirs costs (fixed costs spread over the largest
    award) lies above what the item costs now."""
    far: dict[Pair, float] = {}
    for i, suppliers in sets.suppliers_of.items():
        winners = [s for s in suppliers if units(m, sets, s, i) > EMPTY]
        now = min((unit_cost(m, sets, s, i) for s in winners), default=0.0)
        for s in set(suppliers) - set(winners):
            if sets.most(s, i) > EMPTY and now > 0:
                far[s, i] = unit_cost(m, sets, s, i) / now
    return sorted(far, key=lambda pair: (far[pair], pair))[: sets.options.renegotiate]


def units(m: Any, sets: Sets, s: str, i: str) -> float:
    return sum(m.quantity[s, i, l].value for l in sets.sites_of[s, i])


def unit_cost(m: Any, sets: Sets, s: str, i: str) -> float:
    """What a good unit of an offer costs at its largest award, money: an estimate for ranking only."""
    offer, most = sets.offers[s, i], sets.most(s, i)
    fixed = offer.award_cost + (0.0 if m.used[s].value > 0.5 else sets.suppliers[s].activation_cost)
    moving = min(sets.arcs[s, i, l].on_delivery + sets.arcs[s, i, l].inventory for l in sets.sites_of[s, i])
    return (sets.price_steps(s, i)[-1].rate + moving + fixed / max(most, EMPTY)) / offer.yield_rate


class _Neighbourhood:
    """The plans in which only one item's awards (and which of its suppliers are used at all) differ from the plan."""

    def __init__(self, m: Any, sets: Sets):
        self.m, self.sets = m, sets
        self.again = Again(m)
        whole = [v for v in m.component_data_objects(pyo.Var) if v.is_integer()]
        self.again.fix(self.again.columns(whole), [round(v.value) for v in whole])
        held = self.again.solve()
        self.cost = held.objective if held is not None else None

    def least_cut(self, s: str, i: str, deadline: float) -> tuple[float, float] | None:
        """(the least cut of the price by which the offer wins, the units it wins); None if it never can."""
        if self.cost is None:
            return None
        free = self.again.columns(self._free(i))
        arcs = self.again.columns(self.m.quantity[s, i, l] for l in self.sets.sites_of[s, i])
        costs = self.again.costs[arcs]
        held = [round(v.value) for v in self._free(i)]
        self.again.bound(free, np.zeros(len(free)), np.ones(len(free)))
        try:
            return self._dinkelbach(arcs, costs, DEAR * self.sets.offers[s, i].price + 1.0, deadline)
        finally:
            self.again.fix(free, held)
            self.again.cost(arcs, costs)

    def _dinkelbach(
        self, arcs: np.ndarray, costs: np.ndarray, cut: float, deadline: float
    ) -> tuple[float, float] | None:
        assert self.cost is not None
        found: tuple[float, float] | None = None
        for _ in range(STEPS):
            self.again.cost(arcs, costs - cut)
            solved = self.again.solve(max(deadline - time.monotonic(), 0.1))
            if solved is None:
                return found
            won = float(solved.values[arcs].sum())
            if won <= EMPTY or (found is not None and solved.objective >= self.cost - 1e-9 * max(1.0, abs(self.cost))):
                return found
            better = max((solved.objective + cut * won - self.cost) / won, 0.0)
            if found is not None and better >= found[0] - 1e-9:
                return found
            found = (better, won)
            cut = better
        return found

    def _free(self, i: str) -> list[Any]:
        """The yes-or-no decisions of the item, and those of its suppliers as a whole."""
        m, suppliers = self.m, self.sets.suppliers_of[i]
        free = [m.award[t, i] for t in suppliers]
        free += [m.price[t, i, k] for t in suppliers for k in range(len(m.price_steps.get((t, i), ())))]
        free += [m.used[t] for t in suppliers]
        free += [m.tier[t, k] for t in suppliers for k in range(len(m.rebate_steps.get(t, ())))]
        return free
