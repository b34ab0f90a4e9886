"""Many scenarios: the recourse of each is a small linear program of its own, and cuts tell the award model its cost.

Benders decomposition (Birge & Louveaux, Introduction to Stochastic Programming, 2nd ed., 2011, section 5.1). Where an
award meets cost Q_w with slope g_w in scenario w, that scenario costs at least Q_w + g_w·(award - this award) for any
award, because recourse cost is convex in it. What the objective counts is the largest of all averages of the Q_w whose
weights a risk measure allows (Artzner et al., Mathematical Finance 9, 1999): the average of these lower bounds, with
the weights that are largest here, is a cut for it.
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
            self.keys: list[Any] = [*self.arcs, *self.pairs]
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

    def cuts(self, m: Any) -> tuple[list[Any], dict[str, float]]:
        """Adds to a decomposed model the cuts that its present award (whole or not) violates; returns them, and the
        recourse cost of every scenario (nothing of either if one could not be solved)."""
        solved = {scenario.name: scenario.solve(m) for scenario in self.all}
        if any(answer is None for answer in solved.values()):
            return [], {}
        costs = dict.fromkeys(self.sets.scenarios, 0.0) | {w: answer[0] for w, answer in solved.items() if answer}
        wanted = [(m.risk, m.risk_cuts, weights(costs, self.sets))]
        if self.sets.options.cost_limit is not None:
            wanted.append((m.expected, m.mean_cuts, self.sets.scenarios))
        added = []
        for variable, cuts, weight in wanted:
            value = sum(weight[w] * cost for w, cost in costs.items())
            if value - variable.value > WORTHWHILE * max(1.0, abs(value)):
                added.append(cuts.add(self._cut(m, variable, weight, solved)))
                if variable is m.risk:
                    m.cut_weights.append(weight)
        return added, costs

    def _cut(self, m: Any, variable: Any, weight: Mapping[str, float], solved: Mapping[str, Any]) -> Any:
        """variable >= Σ_w weight·(cost + slopes·(award - the award it was solved at))."""
        constant = 0.0
        slope: dict[Any, float] = {}
        for scenario in self.all:
            share, (cost, slopes, award) = weight[scenario.name], solved[scenario.name]
            if share <= 0:
                continue
            constant += share * (cost - float(slopes @ award))
            for key, value in zip(scenario.keys, slopes.tolist(), strict=True):
                slope[key] = slope.get(key, 0.0) + share * value
        steep = FLAT * max((abs(g) for g in slope.values()), default=0.0)
        terms = [g * (m.quantity[key] if len(key) == 3 else m.award[key]) for key, g in slope.items() if abs(g) > steep]
        return variable - sum(terms) >= constant


def weights(costs: Mapping[str, float], sets: Sets) -> dict[str, float]:
    """How much of each scenario's recourse cost the objective counts: its probability, all for the dearest, or a mix
    of the probability and a part of the dearest 1 - level of the years."""
    options, probability = sets.options, sets.scenarios
    if options.objective == "expected":
        return dict(probability)
    dearest = sorted(costs, key=lambda w: -costs[w])
    if options.objective == "worst":
        return {w: float(w == dearest[0]) for w in costs}
    tail, left = {}, 1 - options.cvar_level
    for w in dearest:
        tail[w] = min(left, probability[w])
        left -= tail[w]
    share = options.cvar_weight / (1 - options.cvar_level)
    return {w: (1 - options.cvar_weight) * probability[w] + share * tail[w] for w in costs}


def measured(costs: Mapping[str, float], sets: Sets) -> float:
    """What the objective counts of these recourse costs, money: see `recourse.measure`."""
    return sum(weight * costs[w] for w, weight in weights(costs, sets).items()) if costs else 0.0
