"""The case as cost tables over candidate times: what the presolve reduces and the formulation models.

Each variable is a time with a few candidates: the inbound time of a stage, or the service time that a stage quotes to
several others. A stage that serves one other quotes just its inbound time, one that serves only customers its promise:
neither needs a variable of its own. Costs stand in tables over one variable or two; a pair that is not allowed costs
infinity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from echelon_models.positioning.candidates import candidate_times
from echelon_models.positioning.limits import Limits
from echelon_models.positioning.network import Network
from echelon_models.positioning.stock import SafetyStock

Tables = dict[int, dict[int, np.ndarray]]  # [v][w] is a table over the candidates of v and w, and [w][v] its transpose


@dataclass
class Use:
    """What of a limit is used: `constant`, by the time of one variable, by the times of two (v < w)."""

    constant: float = 0.0
    single: dict[int, np.ndarray] = field(default_factory=dict)
    pair: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)


@dataclass
class Problem:
    """min constant + Σ_v single[v][x_v] + Σ_{v<w} pair[v][w][x_v, x_w], x_v being the number of a candidate of
    `times[v]` (steps). `inbound[i]`, `quoted[i]` are the variables of stage i, where it has them."""

    times: dict[int, np.ndarray] = field(default_factory=dict)
    single: dict[int, np.ndarray] = field(default_factory=dict)
    pair: Tables = field(default_factory=dict)
    constant: float = 0.0
    uses: list[Use] = field(default_factory=list)
    inbound: dict[int, int] = field(default_factory=dict)
    quoted: dict[int, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Pairs of candidates that cost something: the pair variables of a model."""
        tables = (t for v, others in self.pair.items() for w, t in others.items() if v < w)
        return sum(int(np.isfinite(t).sum()) for t in tables if ((t != 0) & np.isfinite(t)).any())

    def add_variable(self, times: np.ndarray) -> int:
        v = len(self.times)
        self.times[v], self.single[v], self.pair[v] = times, np.zeros(len(times)), {}
        return v

    def keep(self, v: int, kept: np.ndarray) -> None:
        """Drop the candidates of v that are not `kept` (true or false for each)."""
        self.times[v], self.single[v] = self.times[v][kept], self.single[v][kept]
        for w, table in self.pair[v].items():
            self.pair[v][w] = table[kept]
            self.pair[w][v] = self.pair[v][w].T
        for use in self.uses:
            if v in use.single:
                use.single[v] = use.single[v][kept]
            for a, b in use.pair:
                if v in (a, b):
                    use.pair[a, b] = use.pair[a, b].compress(kept, axis=int(v == b))

    def add_pair(self, v: int, w: int, table: np.ndarray) -> None:
        """Add a table over v and w to what stands between them."""
        both = self.pair[v][w] + table if w in self.pair[v] else table
        self.pair[v][w], self.pair[w][v] = both, both.T


def decides(network: Network, limited: bool) -> list[bool]:
    """Whether each stage has anything to decide: safety stock that costs, counts in a limit, or may not be."""
    n = network
    return [n.holds(i) and bool(n.unit_cost[i] > 0 or limited or not n.may_hold[i]) for i in range(len(n))]


def pose(
    network: Network,
    stock: Sequence[SafetyStock],
    limits: Limits,
    *,
    prices: Sequence[float] | None = None,
    every_step: bool = False,
) -> Problem:
    """The problem of a network. Without `prices` the limits stand in its `uses`; with them, what is used of a limit
    costs its price and nothing is limited. `every_step` makes every step a candidate."""
    active = decides(network, len(limits) > 0)
    inbound, quoted = candidate_times(network, active, every_step)
    problem = Problem(uses=[Use() for _ in range(len(limits) if prices is None else 0)])
    for i in range(len(network)):
        if active[i] and network.predecessors[i]:
            problem.inbound[i] = problem.add_variable(inbound[i])
    for i in range(len(network)):
        if not active[i]:
            continue
        _add_quoted(problem, network, i, quoted[i], [j for j in network.successors[i] if active[j]])
        variables, waits = _waits(problem, network, i)
        units = stock[i].at(waits)
        cost = network.unit_cost[i] * units + sum(p * limits.used(l, i, units) for l, p in enumerate(prices or ()))
        if not network.may_hold[i]:
            cost = np.where(waits + network.lead[i].longest > 0, np.inf, 0.0)
        _add_cost(problem, variables, cost)
        for l, use in enumerate(problem.uses):
            if limits.weights[l][i]:
                _add_use(use, variables, limits.used(l, i, units))
    return problem


def step_pairs(network: Network) -> int:
    """Pairs of steps (SI, S) that all stages together may have: the size of a model with every step a candidate."""
    n, active = network, decides(network, limited=True)
    steps = (n.latest - n.earliest + 1) * (n.most - n.least + 1)
    return int(sum(steps[i] for i in range(len(n)) if active[i] and n.predecessors[i]))


def service_time(network: Network, i: int, latest: np.ndarray) -> np.ndarray:
    """What stage i quotes where its own bounds and those it serves allow `latest`: the more the better for it."""
    return np.clip(latest, network.least[i], network.most[i])


def _add_quoted(problem: Problem, n: Network, i: int, quoted: np.ndarray, served: list[int]) -> None:
    """The variable for what stage i quotes: that of the one it serves, or its own, no later than any of several."""
    if len(served) == 1:
        problem.quoted[i] = problem.inbound[served[0]]
    elif served:
        latest = min(int(problem.times[problem.inbound[j]][-1]) for j in served)
        v = problem.quoted[i] = problem.add_variable(quoted[quoted <= max(latest, int(n.least[i]))])
        for j in served:
            w = problem.inbound[j]
            allowed = problem.times[v][:, None] <= problem.times[w]
            problem.add_pair(v, w, np.where(allowed, 0.0, np.inf))


def _waits(problem: Problem, n: Network, i: int) -> tuple[list[int], np.ndarray]:
    """SI - S of stage i (steps) over the candidates of the variables that it depends on: inbound, then quoted."""
    u, s = problem.inbound.get(i), problem.quoted.get(i)
    inbound = problem.times[u] if u is not None else np.array(n.earliest[i])
    quoted = service_time(n, i, problem.times[s]) if s is not None else np.array(n.most[i])
    if u is not None and s is not None:
        return [u, s], inbound[:, None] - quoted[None, :]
    return [v for v in (u, s) if v is not None], inbound - quoted


def _add_cost(problem: Problem, variables: list[int], cost: np.ndarray) -> None:
    if len(variables) == 2:
        problem.add_pair(variables[0], variables[1], cost)
    elif variables:
        problem.single[variables[0]] = problem.single[variables[0]] + cost
    else:
        problem.constant += float(cost)


def _add_use(use: Use, variables: list[int], used: np.ndarray) -> None:
    if len(variables) == 2:
        v, w = variables
        use.pair[min(v, w), max(v, w)] = used if v < w else used.T
    elif variables:
        use.single[variables[0]] = use.single.get(variables[0], 0.0) + used
    else:
        use.constant += float(used)
