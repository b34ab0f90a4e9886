"""Our routing searches beside plain OR-Tools and PyVRP on published instances, in one table.

    python benchmarks/routing_peer.py --instances DIR --time-limit 30 --only CVRP PR11A --json peer.json

Each solve runs in a fresh process: `ortools` is ours with OR-Tools alone on one core, `plain` OR-Tools as its guide has
it (cheapest arc, guided local search), `pyvrp` PyVRP alone on one core, `both` ours with both searches on two cores.
Every plan is scheduled by our own rules before its cost counts; the gap is (cost - best known) / best known. Processor
seconds (`cpu`) include those of the processes that a solve starts, but not on Windows.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pyvrp
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from echelon.solvers.routing import pyvrp_search
from echelon.solvers.routing.budget import Best, Budget
from echelon.solvers.routing.insertion import admitted
from echelon.solvers.routing.ortools_model import RoutingModel
from echelon.solvers.routing.problem import Problem
from echelon.solvers.routing.search import ORTOOLS, PYVRP, solve
from protocol import in_fresh_process, peak_mb, write_json
from routing_instances import published


@dataclass(frozen=True)
class Figures:
    """One solve: whether all stops are served by a plan that keeps every rule, its cost, seconds and memory."""

    whole: bool
    cost: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def ours_ortools(problem: Problem, seconds: float) -> Best:
    return _solved(problem, seconds, 1, (ORTOOLS,))


def ours_both(problem: Problem, seconds: float) -> Best:
    return _solved(problem, seconds, 2, (ORTOOLS, PYVRP))


def plain_ortools(problem: Problem, seconds: float) -> Best:
    """Cheapest arc, then guided local search; nothing of ours but the model."""
    admits = np.ones((len(problem.stops), len(problem.vehicles)), dtype=bool)
    model = RoutingModel(problem, range(len(problem.stops)), admits, may_drop=False)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(int(1000 * seconds))
    found = model.routing.SolveWithParameters(parameters)
    return Best(problem, None if found is None else model.solution(found))


def pyvrp_alone(problem: Problem, seconds: float) -> Best:
    """PyVRP from scratch with its own settings."""
    began = time.monotonic()
    model = pyvrp_search.Model(problem, admitted(problem), may_drop=False)
    stop = pyvrp.stop.MaxRuntime(seconds - (time.monotonic() - began))
    result = pyvrp.solve(model.data, stop, collect_stats=False)
    return Best(problem, model.solution(result.best))


def _solved(problem: Problem, seconds: float, threads: int, use: Sequence[str]) -> Best:
    found = solve(problem, Budget(time.monotonic() + seconds), threads=threads, use=use)
    return Best(problem, found.solution)


SOLVERS: dict[str, Callable[[Problem, float], Best]] = {
    "ortools": ours_ortools,
    "plain": plain_ortools,
    "pyvrp": pyvrp_alone,
    "both": ours_both,
}


def measure(solver: str, problem: Problem, seconds: float) -> Figures:
    """One solve, in a process of its own."""
    began, began_cpu = time.perf_counter(), sum(os.times()[:4])
    best = SOLVERS[solver](problem, seconds)
    took = time.perf_counter() - began, sum(os.times()[:4]) - began_cpu
    return Figures(best.worth[0] == 0, best.worth[1], round(took[0], 2), round(took[1], 2), round(peak_mb(), 1))


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parse(arguments)
    rows = []
    print(f"{'instance':28}" + "".join(f"{name:>33}" for name in given.solvers))
    for instance in published(given.instances, given.only):
        row: dict[str, object] = {"family": instance.family, "instance": instance.name}
        line = f"{instance.family + ' ' + instance.name:28}"
        for solver in given.solvers:
            figures = in_fresh_process(measure, solver, instance.problem, given.time_limit)
            gap = figures.cost / instance.scale / instance.best_known - 1
            row[solver] = asdict(figures) | {"gap": gap if figures.whole else None}
            line += f"{f'{gap:.2%}' if figures.whole else 'no plan':>12}"
            line += f" {figures.seconds:6.1f} s {figures.cpu_seconds:6.1f} cpu "
        rows.append(row)
        print(line, flush=True)
        write_json(given.json, rows)
    _print_means(rows, given.solvers)
    return 0


def _print_means(rows: list[dict], solvers: Sequence[str]) -> None:
    """Mean gaps by family and over all, and how many instances have no plan."""
    for family in [*dict.fromkeys(row["family"] for row in rows), "all"]:
        chosen = [row for row in rows if family in (row["family"], "all")]
        line = f"{f'mean {family} ({len(chosen)})':28}"
        for solver in solvers:
            gaps = [row[solver]["gap"] for row in chosen if row[solver]["gap"] is not None]
            without = f" ({len(chosen) - len(gaps)} without)" if len(gaps) < len(chosen) else ""
            line += f"{f'{np.mean(gaps):.2%}' if gaps else '':>12}{without:21}"
        print(line)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Our routing searches beside plain OR-Tools and PyVRP.")
    parser.add_argument("--instances", type=Path, required=True, metavar="DIR", help="folder with best_known.csv")
    parser.add_argument("--time-limit", type=float, default=30.0, metavar="S", help="seconds a solve; default: 30")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="instances or families; default: all")
    parser.add_argument("--solvers", nargs="+", choices=SOLVERS, default=list(SOLVERS), help="default: all four")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the figures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
