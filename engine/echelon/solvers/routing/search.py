"""Solve a routing problem: searches in turn or side by side, on the cores there are. No lower bound comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from echelon.solvers.routing import ortools_first, ortools_search, pyvrp_search
from echelon.solvers.routing.budget import Best, Budget, Worth
from echelon.solvers.routing.check import check
from echelon.solvers.routing.insertion import admitted
from echelon.solvers.routing.parts import Planner, improve
from echelon.solvers.routing.problem import Problem, Solution
from echelon.solvers.routing.side_by_side import Worker, side_by_side

ORTOOLS, PYVRP = "OR-Tools", "PyVRP"
START = "start"  # who found a plan that no search bettered


@dataclass(frozen=True)
class Found:
    """The best plan of a solve, what it is worth, who found it, and what the solve had to do without."""

    solution: Solution
    worth: Worth
    found_by: str
    admits: np.ndarray  # [stop, vehicle]: whether it could serve the stop if it did nothing else
    notes: tuple[str, ...] = ()


def solve(
    problem: Problem,
    budget: Budget,
    *,
    threads: int = 1,
    seed: int = 0,
    start: Solution | None = None,
    use: Sequence[str] = (ORTOOLS, PYVRP),
    tell: Callable[[Solution, Worth], None] = lambda solution, worth: None,
) -> Found:
    """The best plan found within the budget; `tell` is told of each better one on the way.

    With one thread the search runs in this process, with more each has a process of its own. PyVRP takes part where
    it is in `use`, installed, and can express the problem. Raises InputError if the problem contradicts itself.
    """
    check(problem)
    admits = admitted(problem)
    best = Best(problem, start, tell)
    given = best.worth
    reason = pyvrp_search.expressible(problem) if PYVRP in use else "not asked for"
    workers = _workers(threads, seed, ORTOOLS in use, reason is None, start is None)
    notes = [f"without PyVRP: {reason}"] if PYVRP in use and reason else []
    if len(workers) == 1:
        found_by = workers[0].name
        workers[0].search(problem, budget, best, admits, workers[0].seed)
    else:
        found_by, troubles = side_by_side(workers, budget, best, admits)
        notes += troubles
    return Found(best.solution, best.worth, found_by if best.worth < given else START, admits, tuple(notes))


def _workers(threads: int, seed: int, with_ortools: bool, with_pyvrp: bool, afresh: bool) -> list[Worker]:
    """Who searches: the strongest has the first core to itself, then one that plans parts anew, then again with other
    seeds.

    Without a plan to start from, PyVRP begins afresh: from a plain construction it would take long to come away."""
    whole = partial(pyvrp_search.search, afresh=afresh)
    if not with_pyvrp:
        return [Worker(ORTOOLS, ortools_search.search, seed + n) for n in range(threads)]
    if not with_ortools:
        return [Worker(PYVRP, whole, seed + n) for n in range(threads)]
    on_parts = Worker(f"{ORTOOLS} and {PYVRP} on parts", both_on_parts, seed)
    return [replace(on_parts, seed=seed + n) if n % 2 else Worker(PYVRP, whole, seed + n) for n in range(threads)]


def both_on_parts(problem: Problem, budget: Budget, best: Best, admits: np.ndarray, seed: int = 0) -> None:
    """A first plan, then its parts are planned anew by PyVRP and OR-Tools in turn."""
    ortools_first.first_plan(problem, budget, best, admits, seed)
    by_pyvrp = Planner(pyvrp_search.plan_part, pyvrp_search.PART)
    planners = [planner for by_ortools in ortools_search.planners(problem) for planner in (by_pyvrp, by_ortools)]
    improve(problem, budget, best, admits, planners, seed)
