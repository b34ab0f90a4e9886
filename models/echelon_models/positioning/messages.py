"""A bound and a plan for kernels that are too large to model: message passing, and better plans by elimination.

Sequential tree-reweighted message passing (Kolmogorov 2006, IEEE Trans. Pattern Analysis and Machine Intelligence 28)
climbs towards the bound of the pair model's relaxation without ever building it. Plans are read off the messages and
improved: a few variables are held, so that elimination solves for all others at once. What cannot be in a better plan
than the one known is dropped for good.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from echelon_models.positioning.presolve import Reduction, drop_forbidden, eliminate
from echelon_models.positioning.problem import Problem

PLANS_EVERY = 5  # sweeps: then plans are read off and improved,
DROPS_EVERY = 20  # and candidates dropped
IMPROVEMENTS = 3  # of a plan at a time, as long as they help
HELD_AT_ONCE = 0.05  # share of the variables left that are held before elimination goes on
SURE = 1e-9  # as a share of the plan's cost: a candidate must be dearer by this to be dropped

Tell = Callable[[float, float], None]


class Squeeze:
    """Bound and plan of a problem, drawn together. `chosen` are numbers of candidates; `cost` is the plan's."""

    def __init__(self, problem: Problem, seed: int):
        self.problem = problem
        self.rng = np.random.default_rng(seed)
        self.bound = -np.inf
        self.cost = np.inf
        self.chosen: dict[int, int] = {}
        drop_forbidden(problem)
        self.order = list(problem.times)
        self.message = {(w, v): np.zeros(len(problem.times[v])) for v in self.order for w in problem.pair[v]}

    @property
    def times(self) -> dict[int, int]:
        """The times (steps) of the best plan; empty if none was found."""
        return {v: int(self.problem.times[v][k]) for v, k in self.chosen.items()}

    def run(self, deadline: float, gap: float, stalled: float, tell: Tell) -> None:
        """Sweep until bound and plan are within `gap`, the bound rises by less than the share `stalled` between two
        plans, or it is `deadline` (of time.monotonic())."""
        last, sweeps = -np.inf, 0
        while sweeps < PLANS_EVERY or time.monotonic() < deadline:  # some bound and plan there must be
            before = self.bound
            self._sweep(self.order)
            self.bound = max(self.bound, self._sweep(self.order[::-1]))
            sweeps += 1
            if sweeps % PLANS_EVERY:
                continue
            self._find_plans()
            tell(self.cost, self.bound)
            if self.cost - self.bound <= gap * abs(self.cost) or self.bound - last <= stalled * abs(self.bound):
                break
            last = self.bound
            if sweeps % DROPS_EVERY == 0:
                self._drop(before)

    def _sweep(self, order: list[int]) -> float:
        """Pass messages along `order`; returns the bound (which holds after a sweep there and one back)."""
        p, bound, rank = self.problem, self.problem.constant, {v: k for k, v in enumerate(order)}
        for v in order:
            ahead = [w for w in p.pair[v] if rank[w] > rank[v]]
            total = self._total(v)
            least = total.min()
            bound += least
            share = (total - least) / max(len(ahead), len(p.pair[v]) - len(ahead), 1)
            for w in ahead:
                sent = ((share - self.message[w, v])[:, None] + p.pair[v][w]).min(axis=0)
                least = sent.min()
                bound += least
                self.message[v, w] = sent - least
        return float(bound)

    def _total(self, v: int) -> np.ndarray:
        """Cost of each candidate of v, with what its neighbours say."""
        total = self.problem.single[v].copy()
        for w in self.problem.pair[v]:
            total += self.message[w, v]
        return total

    def _find_plans(self) -> None:
        """Read a plan off the messages in either direction; improve the best so far."""
        for order in (self.order, self.order[::-1]):
            chosen = self._read_off(order)
            if chosen is not None:
                self._keep(chosen)
        for _ in range(IMPROVEMENTS if self.chosen else 0):
            if not self._keep(_better(self.problem, self.chosen, self.rng)):
                break

    def _read_off(self, order: list[int]) -> dict[int, int] | None:
        """Choose along `order`: exact costs to what is chosen already, messages from the rest."""
        p = self.problem
        chosen: dict[int, int] = {}
        for v in order:
            cost = p.single[v].copy()
            for w, table in p.pair[v].items():
                cost += table[:, chosen[w]] if w in chosen else self.message[w, v]
            chosen[v] = int(cost.argmin())
            if not np.isfinite(cost[chosen[v]]):
                return None
        return chosen

    def _keep(self, chosen: dict[int, int]) -> bool:
        """Keep a plan if it is the cheapest so far."""
        cost = cost_of(self.problem, chosen)
        if cost >= self.cost * (1 - SURE):
            return False
        self.chosen, self.cost = chosen, cost
        return True

    def _drop(self, bound: float) -> None:
        """Drop candidates that the best plan does not have and no better one can: with one of them every plan costs at
        least `bound` (of an earlier sweep, which the messages still bear out) and what it costs more than its like."""
        p, before = self.problem, dict(self.problem.times)
        kept_times = self.times
        for v in self.order:
            total = self._total(v)
            keep = bound + total - total.min() <= self.cost * (1 + SURE)
            if v in self.chosen:
                keep[self.chosen[v]] = True
            if not keep.all():
                p.keep(v, keep)
        drop_forbidden(p)
        stays = {v: np.isin(before[v], p.times[v]) for v in self.order}
        self.message = {(w, v): message[stays[v]] for (w, v), message in self.message.items()}
        self.chosen = {v: int(np.searchsorted(p.times[v], step)) for v, step in kept_times.items()}


def cost_of(problem: Problem, chosen: dict[int, int]) -> float:
    """What choosing these candidates costs."""
    cost = problem.constant
    for v, k in chosen.items():
        cost += problem.single[v][k] + sum(t[k, chosen[w]] for w, t in problem.pair[v].items() if v < w)
    return float(cost)


def _better(problem: Problem, chosen: dict[int, int], rng: np.random.Generator) -> dict[int, int]:
    """The best plan in which a few variables are as `chosen`: those that stand in the way of elimination, picked at
    random, rather where many tables meet."""
    part = Problem(
        times={v: np.arange(len(times)) for v, times in problem.times.items()},
        single=dict(problem.single),
        pair={v: dict(tables) for v, tables in problem.pair.items()},
    )
    reduction = Reduction(part)
    eliminate(reduction)
    while part.times:
        left = list(part.times)
        weight = np.array([len(part.pair[v]) for v in left]) * (0.2 + rng.random(len(left)))
        for k in np.argsort(-weight)[: max(1, int(HELD_AT_ONCE * len(left)))].tolist():
            part.keep(left[k], np.arange(len(part.times[left[k]])) == chosen[left[k]])
        eliminate(reduction)
    return reduction.recover({})
