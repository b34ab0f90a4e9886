"""Reduce a problem exactly before it is modelled: eliminate variables that touch at most two others, and drop
candidates that another one dominates.

Elimination is dynamic programming on the network (nonserial dynamic programming, Bertelè & Brioschi 1972): what a
variable costs at best, as a function of its neighbours, becomes their own table. Where it ends with nothing left, the
problem is solved; else a kernel of the densest part remains. A candidate is dropped if another one is never dearer,
whatever the neighbours do (dead-end elimination, Goldstein 1994, Biophysical Journal 66).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

import numpy as np

from echelon_models.positioning.problem import Problem

AT_ONCE = 4_000_000  # entries of a table of differences held in memory
LARGEST_JOIN = 2_000_000_000  # additions that eliminating one variable may take


@dataclass
class Reduction:
    """The kernel that is left of a problem, and how to come back: each eliminated variable with its candidates, cost,
    and tables over the neighbours it had."""

    kernel: Problem
    eliminated: list[tuple[int, np.ndarray, np.ndarray, dict[int, tuple[np.ndarray, np.ndarray]]]] = field(
        default_factory=list
    )

    def recover(self, chosen: dict[int, int]) -> dict[int, int]:
        """The times (steps) of all variables, given those of the kernel's."""
        times = dict(chosen)
        for v, candidates, cost, tables in reversed(self.eliminated):
            total = cost
            for w, (of_w, table) in tables.items():
                total = total + table[:, np.searchsorted(of_w, times[w])]
            times[v] = int(candidates[int(total.argmin())])
        return times


def reduce(problem: Problem) -> Reduction:
    """Eliminate and drop in turns until neither gains anything; `problem` itself becomes the kernel."""
    reduction = Reduction(problem)
    reduce_further(reduction)
    return reduction


def reduce_further(reduction: Reduction) -> None:
    """Go on reducing a kernel, some of whose candidates may have been dropped meanwhile."""
    problem = reduction.kernel
    eliminate(reduction)
    while problem.times and (drop_forbidden(problem) | _drop_dominated(problem)):
        before = len(problem.times)
        eliminate(reduction)
        if len(problem.times) == before:
            break


def eliminate(reduction: Reduction) -> None:
    """Eliminate variables that touch at most two others, as long as there are any."""
    p = reduction.kernel
    queue = [(_degree(p, v), len(p.times[v]), v) for v in p.times]
    heapq.heapify(queue)
    while queue:
        degree, _, v = heapq.heappop(queue)
        if v not in p.times or degree != _degree(p, v) or degree > 2 or _work(p, v) > LARGEST_JOIN:
            continue
        neighbours = list(p.pair[v])
        tables = {w: (p.times[w], p.pair[v][w]) for w in neighbours}
        reduction.eliminated.append((v, p.times[v], p.single[v], tables))
        _fold(p, v, neighbours)
        for w in neighbours:
            heapq.heappush(queue, (_degree(p, w), len(p.times[w]), w))


def _degree(p: Problem, v: int) -> int:
    """How many others v touches; none if it has no choice."""
    return len(p.pair[v]) if len(p.times[v]) > 1 else 0


def _work(p: Problem, v: int) -> int:
    """Additions that eliminating v takes."""
    if not _degree(p, v):
        return 0
    return len(p.times[v]) * int(np.prod([len(p.times[w]) for w in p.pair[v]], dtype=object))


def _fold(p: Problem, v: int, neighbours: list[int]) -> None:
    """Add the least cost of v, as a function of its neighbours' times, to their tables, and take v out."""
    cost, tables = p.single.pop(v), p.pair.pop(v)
    del p.times[v]
    for w in neighbours:
        del p.pair[w][v]
    if len(cost) == 1 or not neighbours:
        p.constant += float(cost.min())
        for w in neighbours:
            p.single[w] = p.single[w] + tables[w][0]
    elif len(neighbours) == 1:
        (w,) = neighbours
        p.single[w] = p.single[w] + (tables[w] + cost[:, None]).min(axis=0)
    else:
        a, b = neighbours
        left, right = tables[a] + cost[:, None], tables[b]
        p.add_pair(a, b, np.array([(column[:, None] + right).min(axis=0) for column in left.T]))


def drop_forbidden(p: Problem) -> bool:
    """Drop candidates that cost infinity, alone or with whatever time of a neighbour; True if there were any."""
    dropped, waiting = False, dict.fromkeys(p.times)
    while waiting:
        v = next(iter(waiting))
        del waiting[v]
        free = np.isfinite(p.single[v])
        for table in p.pair[v].values():
            free &= np.isfinite(table).any(axis=1)
        if not free.all():
            dropped = True
            p.keep(v, free)
            waiting |= dict.fromkeys(p.pair[v])
    return dropped


def _drop_dominated(p: Problem) -> bool:
    """Drop candidates until none is dominated; True if any was."""
    dropped, waiting = False, dict.fromkeys(p.times)
    while waiting:
        v = next(iter(waiting))
        del waiting[v]
        keep = _undominated(p, v)
        if keep.all():
            continue
        dropped = True
        p.keep(v, keep)
        waiting |= dict.fromkeys(p.pair[v])
    return dropped


def _undominated(p: Problem, v: int) -> np.ndarray:
    """Which candidates of v stay. a is dominated by b if cost(a) - cost(b) + Σ_w min_x (pair(a, x) - pair(b, x)) >= 0,
    x running over the times of w that a allows."""
    count = len(p.times[v])
    with np.errstate(invalid="ignore"):  # inf - inf: a time that the neighbours never allow
        surplus = p.single[v][:, None] - p.single[v][None, :]
        for table in p.pair[v].values():
            rows = max(1, AT_ONCE // table.size)
            for start in range(0, count, rows):
                some = table[start : start + rows]
                difference = some[:, None, :] - table[None, :, :]
                np.copyto(difference, np.inf, where=np.isinf(some)[:, None, :])
                surplus[start : start + rows] += difference.min(axis=2)
    keep = np.ones(count, dtype=bool)
    for a in range(count):
        others = surplus[a] >= 0
        others[a] = False
        keep[a] = not (others & keep).any()
    return keep
