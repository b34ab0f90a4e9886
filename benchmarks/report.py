"""Seconds, size and peak memory of the report of a large run.

    python benchmarks/report.py --json report.json

The run is a real one: a case of `scale_cases.py` (mix B, seeded) with enough items for 10,000 order lines, solved by
prices to a coarse gap, stored, and read back. Each repeat draws its report in a fresh process; figures are medians.
Exit code 1 if the report takes `BAR_SECONDS` or `BAR_MB` or more.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import echelon
from echelon.report import run_report
from protocol import MB, in_fresh_process, peak_mb, write_json
from scale_cases import OPTIONS, mix_b

BAR_SECONDS = 10.0
BAR_MB = 8.0
GAP = 0.02


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parse(arguments)
    with tempfile.TemporaryDirectory() as folder:
        run = in_fresh_process(store_run, Path(folder), given.items, given.seed)
        taken = [in_fresh_process(measure, run) for _ in range(given.repeats)]
    figures = {name: median(one[name] for one in taken) for name in taken[0]}
    print(f"a run of {figures['orders']:,.0f} order lines and {figures['rows']:,.0f} rows, median of {given.repeats}")
    print(f"report: {figures['seconds']:.1f} s ({figures['cpu_seconds']:.1f} processor seconds), ", end="")
    print(f"{figures['report_mb']:.2f} MB, peak memory {figures['peak_mb']:,.0f} MB")
    print(f"the bars are {BAR_SECONDS:g} s and {BAR_MB:g} MB")
    write_json(given.json, {"bar_seconds": BAR_SECONDS, "bar_mb": BAR_MB, **figures})
    return int(figures["seconds"] >= BAR_SECONDS or figures["report_mb"] >= BAR_MB)


def store_run(folder: Path, items: int, seed: int) -> Path:
    """Solve a case of so many items and store the run; returns its folder."""
    run = echelon.solve(mix_b(items, seed), "ordering", options=OPTIONS | {"method": "prices"}, gap=GAP, time_limit=120)
    return run.save(folder)


def measure(folder: Path) -> dict[str, float]:
    """Seconds to draw the report of a stored run, its size, the process's peak memory."""
    run = echelon.Run.load(folder)
    began, began_cpu = time.perf_counter(), time.process_time()
    page = run_report(run)
    return {
        "orders": len(run.plan["orders"]),
        "rows": sum(len(table) for table in run.plan.values()),
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - began_cpu,
        "report_mb": len(page.encode()) / MB,
        "peak_mb": peak_mb(),
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the report of a large run.")
    parser.add_argument("--items", type=int, default=2000, help="items to order; default: 2000")
    parser.add_argument("--repeats", type=int, default=3, help="reports to draw; default: 3")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
