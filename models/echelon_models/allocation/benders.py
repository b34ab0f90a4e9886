"""Many scenarios: the recourse of each is a small linear program of its own, and cuts tell the award model its cost.

Benders decomposition with one cut a scenario (Birge & Louveaux, Introduction to Stochastic Programming, 2nd ed., 2011,
section 5.3): where an award meets cost Q with slope g in a scenario, that scenario costs at least
Q + g·(award - this award) for any award, because recourse cost is convex in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo

from echelon.solvers.again import Again
from echelon.solvers.handover import garbage_collector_paused
from echelon_models.allocation.recourse import lost_arcs, recourse
from echelon_models.allocation.sets import Sets

WORTHWHILE = 1e-6  # relative: a cut that raises a scenario's cost by less is not added
FLAT = 1e-9  # slopes below this are none


class Scenario:
    """The recourse of one scenario: the least cost of making up for what fails, given the award."""

    def __init__(self, sets: Sets, name: str):
        self.name = name
        with garbage_collector_paused():
            self.model = recourse_model(sets, name)
            self.arcs, self.pairs = list(self.model.quantity), list(self.model.award)
            self._lp = Again(self.model, relaxed=True)
        own = [*self.model.quantity.values(), *self.model.award.values()]
        self._given = self._lp.columns(own)

    def solve(self, m: Any) -> tuple[float, np.ndarray, np.ndarray] | None:
        """(cost, slopes, the award they hold at) for the award in the model `m`, arcs first, then pairs; the recourse
        stays in the variables of `model`. None if the linear program was not solved."""
        award = np.array([max(m.quantity[a].value, 0.0) for a in self.arcs] + [m.award[p].value for p in self.pairs])
        self._lp.fix(self._given, award)
        solved = self._lp.solve()
        if solved is None:
            return None
        self._lp.load(solved)
        return solved.objective, solved.reduced_costs[self._given], award


def recourse_model(sets: Sets, w: str) -> pyo.ConcreteModel:
    """The linear program of one scenario: the variables quantity and award are those of the award model, to be fixed;
    the rows are those of `recourse`."""
    m = pyo.ConcreteModel()
    hit = {i for _, i, _ in lost_arcs(sets, w)}
    near = {s for i in hit for s in sets.suppliers_of[i]}
    arcs = [arc for arc in sets.arcs if arc[1] in hit or (arc[0] in near and sets.capacity(arc[0]) < float("inf"))]
    m.quantity = pyo.Var(pyo.Set(initialize=arcs, dimen=3))
    m.award = pyo.Var(pyo.Set(initialize=list(dict.fromkeys(arc[:2] for arc in arcs if arc[1] in hit)), dimen=2))
    recourse(m, sets, [w])
    m.total = pyo.Objective(expr=m.recourse_cost[w])
    return m


class Scenarios:
    """The recourse of all scenarios that hit anything."""

    def __init__(self, sets: Sets):
        self.sets = sets
        self.all = [Scenario(sets, w) for w in sets.scenarios if lost_arcs(sets, w)]

    def costs(self, m: Any) -> dict[str, float]:
        """Recourse cost of every scenario for the award in the model; the recourse stays in each scenario's model."""
        found = dict.fromkeys(self.sets.scenarios, 0.0)
        for scenario in self.all:
            solved = scenario.solve(m)
            if solved is None:
                raise ArithmeticError(f"the recourse of scenario {scenario.name} could not be solved")
            found[scenario.name] = solved[0]
        return found

    def cuts(self, m: Any) -> list[Any]:
        """Adds to a decomposed model the cuts that its present award (whole or not) violates, and returns them."""
        added = []
        for scenario in self.all:
            solved = scenario.solve(m)
            if solved is None:
                continue
            cost, slopes, award = solved
            variable = m.scenario_cost[scenario.name]
            if cost - variable.value > WORTHWHILE * max(1.0, abs(cost)):
                added.append(self._cut(m, scenario, cost, slopes, award))
        return added

    def _cut(self, m: Any, scenario: Scenario, cost: float, slopes: np.ndarray, award: np.ndarray) -> Any:
        variables = [m.quantity[a] for a in scenario.arcs] + [m.award[p] for p in scenario.pairs]
        steep = np.flatnonzero(np.abs(slopes) > FLAT * max(1.0, np.abs(slopes).max(initial=0.0)))
        constant = cost - float(slopes[steep] @ award[steep])
        slope = sum(float(slopes[j]) * variables[j] for j in steep)
        return m.cuts.add(m.scenario_cost[scenario.name] - slope >= constant)


def measured(costs: Mapping[str, float], sets: Sets) -> float:
    """What the objective counts of these recourse costs, money: see `recourse.measure`."""
    if not costs:
        return 0.0
    options = sets.options
    value = np.array([costs[w] for w in sets.scenarios])
    probability = np.array(list(sets.scenarios.values()))
    expected = float(probability @ value)
    if options.objective == "expected":
        return expected
    if options.objective == "worst":
        return float(value.max())
    tail = min(t + float(probability @ np.maximum(value - t, 0.0)) / (1 - options.cvar_level) for t in value)
    return float((1 - options.cvar_weight) * expected + options.cvar_weight * tail)
