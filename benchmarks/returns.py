"""Published routing instances for the engine's routing search, which plans the tours of the returns family.

They go to the search as they are, in their own whole units: the rounding of the published costs leaves no room for a
conversion to kilometres and hours and back.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from echelon.solvers.routing.budget import Budget
from echelon.solvers.routing.search import ORTOOLS, PYVRP, solve
from protocol import Instance, peak_mb
from routing_instances import listed, read


def instances(folder: Path, only: Collection[str] = ()) -> Iterator[Instance]:
    """The instances that `folder/best_known.csv` lists, in its order; with `only`, those of these names or families."""
    for row in listed(folder, only):
        options = {"path": str(folder / row["file"]), "family": row["family"]}
        yield Instance(row["instance"], {}, options, float(row["best_known"]))


def measure(
    tables: dict[str, Any], family: str, options: dict[str, Any], solve_options: dict[str, Any]
) -> dict[str, Any]:
    """Solve one instance and say how it went; runs in its own process. `--option use=OR-Tools` leaves PyVRP out."""
    began, began_cpu = time.perf_counter(), time.process_time()
    scale, problem = read(Path(options["path"]), options["family"])
    budget = Budget(time.monotonic() + solve_options["time_limit"])
    use = tuple(options.get("use", f"{ORTOOLS},{PYVRP}").split(","))
    found = solve(problem, budget, threads=solve_options["threads"], use=use)
    missed, cost = found.worth
    return {
        "objective": cost / scale if not missed else None,
        "seconds": round(time.perf_counter() - began, 3),
        "cpu_seconds": round(time.process_time() - began_cpu, 3),
        "peak_mb": round(peak_mb(), 1),
        "termination": f"feasible (time, {found.found_by})" if not missed else f"no_solution ({missed} stops left out)",
    }
