"""The awards that a search by cuts has seen: the best whole one, and the best relaxed one, near which to cut next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo

from echelon_models.allocation.benders import Scenarios, measured
from echelon_models.allocation.sets import Sets

NEAR = 0.5  # part of the way from the best relaxed award to the relaxation's at which cuts are made

Values = Mapping[str, Mapping[Any, float]]


class Awards:
    """The awards of a decomposed model `m`, each priced in all scenarios."""

    def __init__(self, m: Any, sets: Sets, scenarios: Scenarios):
        self._m, self._sets, self._scenarios = m, sets, scenarios
        self._variables = list(m.component_data_objects(pyo.Var))
        self._inner: np.ndarray | None = None  # the best relaxed award: a value a variable
        self._inner_objective = float("inf")
        self._costs: dict[str, float] = {}  # of the best award
        self.best: Values | None = None
        self.objective = float("inf")

    def cuts_here(self) -> list[Any]:
        """New cuts at the plan in the model, which is kept if it is the best so far."""
        added, costs = self._scenarios.cuts(self._m)
        if costs:
            objective = self._objective(costs)
            if objective < self.objective and keeps_cost_limit(self._m, self._sets, costs):
                self.objective, self.best, self._costs = objective, values_of(self._m), costs
        return added

    def cuts_near(self) -> list[Any]:
        """New cuts between the relaxation in the model and the best relaxed award so far (in-out separation: Ben-Ameur
        & Neto, Networks 49, 2007): cuts at the relaxation itself gain little where many awards cost the same."""
        here = np.array([v.value for v in self._variables])
        added = [] if self._inner is None else self._cuts_at(self._inner + NEAR * (here - self._inner))
        added = added or self._cuts_at(here)
        self._set(here)
        return added

    def to_best(self) -> None:
        """Set the variables to the best award and what it costs."""
        assert self.best is not None
        warm_start(self._m, self.best)
        self._set_costs(self._costs)

    def _cuts_at(self, point: np.ndarray) -> list[Any]:
        self._set(point)
        added, costs = self._scenarios.cuts(self._m)
        if costs and (objective := self._objective(costs)) < self._inner_objective:
            self._set_costs(costs)
            self._inner, self._inner_objective = np.array([v.value for v in self._variables]), objective
        return added

    def _objective(self, costs: Mapping[str, float]) -> float:
        return float(pyo.value(self._m.plan_cost)) + measured(costs, self._sets)

    def _set(self, point: np.ndarray) -> None:
        for variable, value in zip(self._variables, point.tolist(), strict=True):
            variable.set_value(value, skip_validation=True)

    def _set_costs(self, costs: Mapping[str, float]) -> None:
        expected = sum(p * costs[w] for w, p in self._sets.scenarios.items())
        self._m.risk.set_value(measured(costs, self._sets), skip_validation=True)
        self._m.expected.set_value(expected, skip_validation=True)


def keeps_cost_limit(m: Any, sets: Sets, costs: Mapping[str, float]) -> bool:
    """Whether plan cost + expected recourse cost are within the option cost_limit."""
    limit = sets.options.cost_limit
    expected = sum(p * costs[w] for w, p in sets.scenarios.items())
    return limit is None or float(pyo.value(m.plan_cost)) + expected <= limit * (1 + 1e-7) + 1e-6


def values_of(m: Any) -> Values:
    """The values of the award (not of the recourse) by variable and index, to start another search from."""
    names = ("quantity", "award", "used", "price", "price_quantity", "tier", "tier_spend", "excess", "backup")
    return {name: {k: v.value for k, v in getattr(m, name).items()} for name in names}


def warm_start(m: Any, values: Values) -> None:
    """Give the variables that the model shares with these values the same ones; HiGHS completes the rest."""
    for name, known in values.items():
        variable = getattr(m, name)
        for key, value in known.items():
            if key in variable:
                variable[key].set_value(value, skip_validation=True)
