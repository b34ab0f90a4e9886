"""Positioning as a mixed-integer program: unary binaries for the times, pair variables for the cost of two times.

Decide when the inputs of each stage are there (SI) and what it quotes (S), so that all safety stock together costs
least and S_i <= SI_j on every arc: the guaranteed-service model of Graves & Willems (2000, M&SOM 2; general acyclic
networks: Humair & Willems 2011, Operations Research 59). The pair variables take the cost from a table, so it is exact
whatever its shape, and the relaxation is nearly always integral (a local marginal polytope, Wainwright & Jordan 2008).

Index letters: variable v, w (an SI or S, see `problem`), candidate k, a, b (0 is the earliest), limit l.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon.solvers.handover import garbage_collector_paused
from echelon_models.positioning.problem import Problem


def build(problem: Problem, limits: pd.DataFrame | None = None, *, elastic: bool = False) -> pyo.ConcreteModel:
    """The model of a problem under limits; `elastic` with hard limits that may be broken, and the only aim to break
    them least, which explains an infeasible case."""
    limits = pd.DataFrame(columns=["capacity", "excess_cost", "hard"]) if limits is None else limits
    with garbage_collector_paused():
        m = pyo.ConcreteModel()
        time_variables(m, problem)
        pair_variables(m, problem)
        limit_variables(m, limits, elastic)

        later_follows_earlier(m)
        quoted_in_time(m, problem)
        pairs_agree_with_first(m, problem)
        pairs_agree_with_second(m, problem)
        limits_are_kept(m, problem, limits)

        m.total = pyo.Objective(expr=hard_excess(m, limits) if elastic else total_cost(m, problem, limits))
    return m


def time_variables(m: Any, problem: Problem) -> None:
    """later[v, k] = 1 if the time of v is its candidate k or a later one, for k >= 1."""
    m.steps = pyo.Set(initialize=[(v, k) for v, times in problem.times.items() for k in range(1, len(times))], dimen=2)
    m.later = pyo.Var(m.steps, domain=pyo.Binary)


def pair_variables(m: Any, problem: Problem) -> None:
    """chosen[v, w, a, b] = 1 if v has candidate a and w candidate b, where v, w together cost something or use a limit;
    pairs that cost infinity are left out."""
    m.costed = [(v, w) for v, w in _edges(problem) if _order(problem.pair[v][w]) is None or _uses(problem, v, w)]
    m.allowed = {(v, w): np.isfinite(problem.pair[v][w]) for v, w in m.costed}
    pairs = [(v, w, a, b) for (v, w), free in m.allowed.items() for a, b in np.argwhere(free).tolist()]
    m.pairs = pyo.Set(initialize=pairs, dimen=4)
    m.chosen = pyo.Var(m.pairs, domain=pyo.NonNegativeReals)


def limit_variables(m: Any, limits: pd.DataFrame, elastic: bool) -> None:
    """excess[l] over each limit, in its unit: 0 where it is hard."""
    hard = limits["hard"].tolist()
    m.limits = pyo.RangeSet(0, len(limits) - 1)
    m.excess = pyo.Var(m.limits, bounds=lambda m, l: (0, 0 if hard[l] and not elastic else None))


def later_follows_earlier(m: Any) -> None:
    """later[v, k + 1] <= later[v, k] (for each v and k >= 1 but the last)."""
    m.later_follows_earlier = pyo.Constraint(
        [(v, k) for v, k in m.steps if (v, k + 1) in m.later],
        rule=lambda m, v, k: m.later[v, k + 1] <= m.later[v, k],
    )


def quoted_in_time(m: Any, problem: Problem) -> None:
    """S_i <= SI_j: whenever S is its candidate k or later, so is SI the first candidate that is not earlier
    (for each v whose time must not be later than that of w, and each k at which that first candidate moves on)."""
    rows = []
    for v, w in _edges(problem):
        order = _order(problem.pair[v][w])
        if order is not None:
            first, second, least = (v, w, order[1]) if order[0] else (w, v, order[1])
            rows += [(first, second, k, int(b)) for k, b in enumerate(least) if b > (least[k - 1] if k else 0)]

    def rule(m: Any, v: int, w: int, k: int, b: int) -> Any:
        return at_or_later(m, problem, v, k) <= at_or_later(m, problem, w, b)

    m.quoted_in_time = pyo.Constraint(pyo.Set(initialize=rows, dimen=4), rule=rule)


def at_or_later(m: Any, problem: Problem, v: int, k: int) -> Any:
    """1 if the time of v is its candidate k or a later one: sure at the earliest, impossible beyond the last."""
    return m.later[v, k] if 0 < k < len(problem.times[v]) else float(k == 0)


def pairs_agree_with_first(m: Any, problem: Problem) -> None:
    """Σ_b chosen[v, w, a, b] = later[v, a] - later[v, a + 1] (for each pair v, w and candidate a of v)."""

    def rule(m: Any, v: int, w: int, a: int) -> Any:
        pairs = sum(m.chosen[v, w, a, b] for b in np.flatnonzero(m.allowed[v, w][a]).tolist())
        return pairs - at_or_later(m, problem, v, a) + at_or_later(m, problem, v, a + 1) == 0

    index = [(v, w, a) for v, w in m.costed for a in range(len(problem.times[v]))]
    m.pairs_agree_with_first = pyo.Constraint(pyo.Set(initialize=index, dimen=3), rule=rule)


def pairs_agree_with_second(m: Any, problem: Problem) -> None:
    """Σ_a chosen[v, w, a, b] = later[w, b] - later[w, b + 1] (for each pair v, w and candidate b of w)."""

    def rule(m: Any, v: int, w: int, b: int) -> Any:
        pairs = sum(m.chosen[v, w, a, b] for a in np.flatnonzero(m.allowed[v, w][:, b]).tolist())
        return pairs - at_or_later(m, problem, w, b) + at_or_later(m, problem, w, b + 1) == 0

    index = [(v, w, b) for v, w in m.costed for b in range(len(problem.times[w]))]
    m.pairs_agree_with_second = pyo.Constraint(pyo.Set(initialize=index, dimen=3), rule=rule)


def limits_are_kept(m: Any, problem: Problem, limits: pd.DataFrame) -> None:
    """What the safety stock uses of a limit <= capacity + excess (money, m³ or stages; for each l)."""
    capacity = limits["capacity"].tolist()

    def rule(m: Any, l: int) -> Any:
        use = problem.uses[l]
        single = sum(by_time(m, problem, v, used) for v, used in use.single.items())
        pair = sum(by_pair(m, v, w, used) for (v, w), used in use.pair.items() if (v, w) in m.allowed)
        return use.constant + single + pair - m.excess[l] <= capacity[l]

    m.limit = pyo.Constraint(m.limits, rule=rule)


def by_time(m: Any, problem: Problem, v: int, table: np.ndarray) -> Any:
    """The entry of a table at the time of v: first + Σ_k (table[k] - table[k - 1])·later[v, k]."""
    rises = np.diff(table).tolist()
    return float(table[0]) + sum(rise * m.later[v, k] for k, rise in enumerate(rises, start=1) if rise)


def by_pair(m: Any, v: int, w: int, table: np.ndarray) -> Any:
    """The entry of a table at the times of v and w."""
    return sum(
        float(table[a, b]) * m.chosen[v, w, a, b] for a, b in np.argwhere(m.allowed[v, w] & (table != 0)).tolist()
    )


def total_cost(m: Any, problem: Problem, limits: pd.DataFrame) -> Any:
    """Yearly cost of holding all safety stock, and of exceeding soft limits (money/year)."""
    excess = [
        (l, cost) for l, (cost, hard) in enumerate(zip(limits["excess_cost"], limits["hard"], strict=True)) if not hard
    ]
    return (
        problem.constant
        + sum(by_time(m, problem, v, cost) for v, cost in problem.single.items())
        + sum(by_pair(m, v, w, np.where(m.allowed[v, w], problem.pair[v][w], 0.0)) for v, w in m.costed)
        + sum(cost * m.excess[l] for l, cost in excess)
    )


def hard_excess(m: Any, limits: pd.DataFrame) -> Any:
    """How far hard limits are broken, each as a share of what it allows."""
    shares = 1.0 / limits["capacity"].clip(lower=1.0)
    return sum(float(shares[l]) * m.excess[l] for l in m.limits if limits["hard"][l])


def _edges(problem: Problem) -> list[tuple[int, int]]:
    """The pairs v < w with a table between them."""
    return [(v, w) for v, others in problem.pair.items() for w in others if v < w]


def _uses(problem: Problem, v: int, w: int) -> bool:
    """Whether some pair of times of v and w that is allowed uses a limit."""
    allowed = np.isfinite(problem.pair[v][w])
    return any((use.pair[v, w][allowed] > 0).any() for use in problem.uses if (v, w) in use.pair)


def _order(table: np.ndarray) -> tuple[bool, np.ndarray] | None:
    """Whether the table says no more than "not later than": (True, the first candidate of the second that each of the
    first allows), or (False, ...) with the two exchanged; None where it has costs, or forbids in another way."""
    if not ((table == 0) | np.isinf(table)).all():
        return None
    for straight, some in ((True, np.isfinite(table)), (False, np.isfinite(table.T))):
        least = np.where(some.any(axis=1), some.argmax(axis=1), some.shape[1])
        staircase = (np.diff(least) >= 0).all() and (some == (np.arange(some.shape[1]) >= least[:, None])).all()
        if staircase:
            return straight, least
    return None
