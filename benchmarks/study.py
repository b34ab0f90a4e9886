"""A study of the sample case: in order against processes, memory, and what warm starts between neighbours gain.

    python benchmarks/study.py --scenarios 12 --time-limit 10 --processes 2 --json results.json
    python benchmarks/study.py --scenarios 60 --time-limit 10 --kill
    python benchmarks/study.py --case data/alder_outdoor --scenarios 6 --time-limit 60 --warm

The scenarios scale demand, from 5% less to 5% more. With `--kill` the study on processes is ended by SIGKILL once half
of it is done, and started again. Memory is an upper bound: the peak of the parent and, for each worker, the largest
peak of any.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from echelon.edits import Edit
from echelon.study import Scenario, run_study
from protocol import MB, in_fresh_process, peak_mb, write_json

CASE = Path(__file__).parents[1] / "data" / "harbor_tools"  # unless --case names another


def scenarios(count: int) -> list[Scenario]:
    """The case as it is, and `count` - 1 scenarios that come from it with demand scaled."""
    factors = np.linspace(0.95, 1.05, max(count - 1, 1))[: count - 1]
    edits = [Edit(table="demand", column="quantity", scale=float(factor)) for factor in factors]
    return [Scenario("as it is"), *(Scenario(f"demand x {e.scale:.4f}", (e,), "as it is") for e in edits)]


def measure(
    case: str, folder: str, count: int, executor: str, time_limit: float, gap: float, warm: bool = False
) -> dict[str, Any]:
    """One study in this process: seconds on the clock and of the processors, peak memory, and how its runs ended."""
    began, cpu, parent_cpu = time.monotonic(), _cpu_seconds(), _cpu(resource.RUSAGE_SELF)
    how: dict[str, Any] = {"time_limit": time_limit, "gap": gap, "executor": executor, "warm_start": warm}
    study = run_study(case, scenarios(count), folder, **how)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / MB  # KiB on Linux
    workers = int(executor.rpartition(":")[2]) if ":" in executor else 0
    results = study.results
    return {
        "executor": executor,
        "warm_start": warm,
        "scenarios": len(results),
        "kept": study.kept,
        "runs": len([path for path in (study.folder / "runs").iterdir() if not path.name.startswith(".")]),
        "ended": results["ended"].value_counts().to_dict(),
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(_cpu_seconds() - cpu, 1),
        "parent_cpu_seconds": round(_cpu(resource.RUSAGE_SELF) - parent_cpu, 1),  # what no worker can take over
        "peak_mb": round(peak_mb() + workers * children),
        "mean_gap": float(results["gap"].mean()),
        "mean_seconds": float(results["seconds"].mean()),
    }


def _cpu_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return _cpu(resource.RUSAGE_SELF) + _cpu(resource.RUSAGE_CHILDREN)


def _cpu(who: int) -> float:
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


def killed_half_way(case: str, folder: str, count: int, *how: Any) -> int:
    """Start the study in a process, end it by SIGKILL once half of the runs are whole, and return how many are."""
    process = multiprocessing.get_context("spawn").Process(target=measure, args=(case, folder, count, *how))
    process.start()
    while process.is_alive() and len(list(Path(folder).glob("runs/[!.]*/run.json"))) < count // 2:
        time.sleep(0.1)
    process.kill()
    process.join()
    return len(list(Path(folder).glob("runs/[!.]*/run.json")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", type=Path, default=CASE)
    parser.add_argument("--scenarios", type=int, default=12)
    parser.add_argument("--time-limit", type=float, default=10.0, help="seconds for each run")
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kill", action="store_true", help="kill the study on processes half way and start it again")
    parser.add_argument("--warm", action="store_true", help="measure warm starts instead")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    limits = (options.time_limit, options.gap)
    spread, case = f"processes:{options.processes}", str(options.case)
    ways: list[tuple[Any, ...]]
    with tempfile.TemporaryDirectory() as folder:
        if options.warm:
            ways = [(case, f"{folder}/{warm}", options.scenarios, spread, *limits, warm) for warm in (False, True)]
        elif options.kill:
            ways = [(case, f"{folder}/killed", options.scenarios, spread, *limits)]
            whole = killed_half_way(*ways[0])
        else:
            ways = [(case, f"{folder}/{way[:4]}", options.scenarios, way, *limits) for way in ("in-order", spread)]
        rows = [in_fresh_process(measure, *way) for way in ways]
    if options.kill:
        rows[0]["whole_when_killed"] = whole
    elif not options.warm:
        rows[1]["times_faster"] = round(rows[0]["seconds"] / rows[1]["seconds"], 2)
    for row in rows:
        print(row, flush=True)
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
