"""One cut in place of many, for the searches of a large decomposed award.

In the relaxation each cut of the scenarios has a weight, its dual; the weights sum to 1. The cuts' average with these
weights bounds the recourse cost from below as they do, and the relaxation is worth the same with it alone (it is a
Lagrangian relaxation of the cuts at their best multipliers: Geoffrion, Mathematical Programming Study 2, 1974). With
one cut the award is a plain one whose prices tell what each supplier's failures cost, which is solved far sooner.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyomo.environ as pyo

from echelon.solvers.again import Again

NONE = 1e-9  # a weight up to this is none


@contextmanager
def mixed(m: Any, seconds: float) -> Iterator[dict[str, float] | None]:
    """The model with its scenarios' cuts mixed for a while; gives the weights that the mixture has of the scenarios.
    As it is, and None, where it has no cuts or too little time to mix them. The average takes the place of `risk` in
    the objective: as a dense row it would slow every relaxation down."""
    solved = (again := Again(m, relaxed=True)).solve(seconds) if hasattr(m, "risk") else None
    if solved is None:
        yield None
        return
    risk, mean = (_shares(solved.duals[again.rows(cuts.values())]) for cuts in (m.risk_cuts, m.mean_cuts))
    m.mixed_total = pyo.Objective(expr=m.plan_cost + _average(m.risk, m.risk_cuts, risk))
    m.mixed_mean = pyo.ConstraintList()
    if len(m.mean_cuts):
        m.mixed_mean.add(m.expected >= _average(m.expected, m.mean_cuts, mean))
    for whole in (m.total, m.risk_cuts, m.mean_cuts):
        whole.deactivate()
    try:
        yield {w: sum(share * of[w] for share, of in zip(risk, m.cut_weights, strict=True)) for w in m.cut_weights[0]}
    finally:
        for part in (m.mixed_total, m.mixed_mean):
            m.del_component(part)
        for whole in (m.total, m.risk_cuts, m.mean_cuts):
            whole.activate()


def _shares(duals: np.ndarray) -> list[float]:
    """The cuts' shares in the mixture; equal ones where none of them holds tightly."""
    weight = np.abs(duals)
    return (weight / weight.sum() if weight.sum() > NONE else np.full(len(weight), 1 / max(len(weight), 1))).tolist()


def _average(variable: Any, cuts: Any, shares: list[float]) -> Any:
    """What the average of cuts `variable - slopes·award >= constant` says of the variable at least."""
    parts = [(share, cut) for share, cut in zip(shares, cuts.values(), strict=True) if share > NONE]
    return sum(share * (pyo.value(cut.lower) + variable - cut.body) for share, cut in parts)
