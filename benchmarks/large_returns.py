"""Routing problems too large for one search at a time, invented from a seed, and how a plan of them grows better.

    python benchmarks/large_returns.py --case large --time-limit 600 --threads 2 --json results.json
    python benchmarks/large_returns.py --case rich --time-limit 20

`large`: 1,000 stops, 60 vehicles at 3 hubs, windows. Bars: a first plan in 10 s, within 3% of the 10-minute plan after
60 s, less than 4 GB. `rich`: 200 stops with three load dimensions, skills and reloads at 2 hubs; bar: all served in
20 s.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from echelon.solvers.routing.budget import Budget
from echelon.solvers.routing.problem import Hub, Problem, Stop, Vehicle
from echelon.solvers.routing.search import ORTOOLS, PYVRP, solve
from protocol import in_fresh_process, peak_mb, write_json

HOUR = 3600
SPEED = 14  # metres a second
LOOKS = (10, 20, 30, 60, 120, 300, 600)  # seconds after which the plan's cost is reported


def large(seed: int) -> Problem:
    """1,000 stops in clusters, two windows for a third of them, 60 vehicles of two kinds at 3 hubs."""
    return _made(seed, stops=1000, hubs=3, vehicles=60, dimensions=1, reloads=0, skills=False)


def rich(seed: int) -> Problem:
    """200 stops, three load dimensions, a quarter of the stops ask for a skill, 10 vehicles that reload at 2 hubs."""
    return _made(seed, stops=200, hubs=2, vehicles=10, dimensions=3, reloads=4, skills=True)


def _made(seed: int, *, stops: int, hubs: int, vehicles: int, dimensions: int, reloads: int, skills: bool) -> Problem:
    random = np.random.default_rng(seed)
    centres = random.uniform(0, 60_000, (stops // 25, 2))
    points = centres[random.integers(0, len(centres), stops)] + random.normal(0, 3_000, (stops, 2))
    homes = random.uniform(15_000, 45_000, (hubs, 2))
    everywhere = np.vstack([homes, points])
    ways = np.rint(1.3 * np.linalg.norm(everywhere[:, None] - everywhere[None], axis=2)).astype(np.int64)
    times = ways // SPEED
    loads = random.integers(1, 20, (stops, dimensions))
    trips = vehicles * (1 + reloads / 2)
    capacity = np.ceil(1.25 * loads.sum(axis=0) / trips).astype(int)
    return Problem(
        stops=tuple(
            Stop(
                name=f"stop {k + 1}",
                place=hubs + k,
                pickup=tuple(loads[k].tolist()),
                delivery=(0,) * dimensions,
                service=int(random.integers(180, 600)),
                windows=_windows(random),
                skills=frozenset({"tail lift"} if skills and k % 4 == 0 else ()),
            )
            for k in range(stops)
        ),
        vehicles=tuple(
            Vehicle(
                name=f"vehicle {v + 1}",
                start=v % hubs,
                end=v % hubs,
                capacity=tuple((capacity * (2 if v % 2 else 1)).tolist()),
                shift=(6 * HOUR, 18 * HOUR),
                fixed_cost=40_000 if v % 2 else 25_000,
                cost_per_distance=1,
                cost_per_duration=2,
                max_duration=10 * HOUR,
                skills=frozenset({"tail lift"} if v % 2 else ()),
                reloads=tuple(range(hubs)) if reloads else (),
                max_reloads=reloads,
                end_hub=v % hubs,
            )
            for v in range(vehicles)
        ),
        distances=(ways,),
        durations=(times,),
        hubs=tuple(Hub(f"hub {h + 1}", h, ((6 * HOUR, 18 * HOUR),), unloading=900) for h in range(hubs)),
    )


def _windows(random: np.random.Generator) -> tuple[tuple[int, int], ...]:
    opens = int(random.integers(6, 12)) * HOUR
    if random.random() < 1 / 3:
        return ((opens, opens + 2 * HOUR), (opens + 4 * HOUR, opens + 6 * HOUR))
    return ((opens, opens + 6 * HOUR),)


def measure(case: str, seed: int, seconds: float, threads: int, use: tuple[str, ...]) -> dict[str, Any]:
    """Solve one case; costs after the looks, the first plan's moment, memory. Runs in its own process."""
    problem = CASES[case](seed)
    began, told = time.monotonic(), []
    found = solve(
        problem,
        Budget(began + seconds),
        threads=threads,
        use=use,
        tell=lambda solution, worth: told.append((time.monotonic() - began, *worth)),
    )
    costs = {look: min((w[1:] for w in told if w[0] <= look), default=None) for look in LOOKS if look <= seconds}
    return {
        "case": case,
        "seed": seed,
        "threads": threads,
        "use": list(use),
        "first plan after": round(next((at for at, missed, _ in told if missed == 0), float("inf")), 1),
        "left out, cost": found.worth,
        "by seconds": costs,
        "found by": found.found_by,
        "seconds": round(time.monotonic() - began, 1),
        "peak_mb": round(peak_mb(), 1),
    }


CASES = {"large": large, "rich": rich}


def main() -> None:
    parser = argparse.ArgumentParser(description="Large and rich routing problems: first plan, progress, memory.")
    parser.add_argument("--case", choices=CASES, default="large")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=600.0, metavar="S")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--use", nargs="+", choices=(ORTOOLS, PYVRP), default=[ORTOOLS, PYVRP])
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args()
    row = in_fresh_process(measure, given.case, given.seed, given.time_limit, given.threads, tuple(given.use))
    for name, value in row.items():
        print(f"{name:18} {value}")
    write_json(given.json, row)


if __name__ == "__main__":
    main()
