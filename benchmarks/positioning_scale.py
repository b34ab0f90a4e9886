"""How the positioning family scales: chain-like networks made at random, of any size.

    python benchmarks/positioning_scale.py --stages 1000 10000 --time-limit 600 --gap 0.001 --json results.json

A network has seven echelons, from parts over modules, plants and warehouses to shops; stages are lined up within their
echelon, and an arc joins stages that stand about level, a few join distant ones. So there are shared parts and
alternating paths, as in real chains, and no two seeds give the same. Lead times are 1 to 30 days, promises 0 to 5.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from protocol import in_fresh_process, write_json
from run import measure

SHARES = (0.28, 0.16, 0.10, 0.06, 0.06, 0.12, 0.22)  # of the stages, by echelon, parts first
LEAD_TIMES = ((5, 30), (2, 12), (1, 8), (1, 6), (1, 5), (1, 4), (1, 3))  # days, shortest and longest
REACH = 2.0  # how many stages from level most arcs go: a larger company has more products, not more tangled ones
FAR = 0.02  # share of arcs that go anywhere
MORE = 0.35  # chance that a stage has one more supplier, and again
OPTIONS = {"service_level": 0.95, "demand_pooling": "path_additive"}


def network(stages: int, seed: int) -> dict[str, pd.DataFrame]:
    """The tables of a network with about `stages` stages; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    sizes = [max(1, round(stages * share)) for share in SHARES]
    rows: list[dict[str, Any]] = []
    arcs: set[tuple[int, int, int]] = set()
    for echelon, (size, (shortest, longest)) in enumerate(zip(sizes, LEAD_TIMES, strict=True)):
        last = echelon == len(sizes) - 1
        for n in range(size):
            rows.append(
                {
                    "stage": f"E{echelon}-{n}",
                    "cost_added": round(float(rng.lognormal(1.5, 1.0)), 2),
                    "lead_time": int(rng.integers(shortest, longest + 1)),
                    "demand_mean": round(float(rng.uniform(2, 60)), 1) if last else None,
                    "demand_std": round(float(rng.uniform(1, 25)), 1) if last else None,
                    "promised_time": int(rng.integers(0, 6)) if last else None,
                }
            )
            suppliers = rng.geometric(1 - MORE) if echelon else 0
            arcs |= {(echelon - 1, _level(rng, n / size, sizes[echelon - 1]), n) for _ in range(suppliers)}
    for echelon, size in enumerate(sizes[:-1]):  # every stage delivers somewhere
        delivering = {a for e, a, _ in arcs if e == echelon}
        arcs |= {(echelon, n, _level(rng, n / size, sizes[echelon + 1])) for n in range(size) if n not in delivering}
    table = pd.DataFrame(
        [(f"E{e}-{a}", f"E{e + 1}-{b}") for e, a, b in sorted(arcs)], columns=["from_stage", "to_stage"]
    )
    return {"stages": pd.DataFrame(rows), "arcs": table}


def _level(rng: np.random.Generator, place: float, size: int) -> int:
    """A stage of an echelon of `size` that stands about at the share `place` of it."""
    at = rng.random() * size if rng.random() < FAR else place * size + rng.normal(0.0, REACH)
    return int(np.clip(at, 0, size - 1))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Measure how positioning scales with the number of stages.")
    parser.add_argument("--stages", type=int, nargs="+", default=[1000, 10000])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=600.0)
    parser.add_argument("--gap", type=float, default=1e-3)
    parser.add_argument("--json", type=Path, metavar="FILE")
    given = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    for stages in given.stages:
        tables = network(stages, given.seed)
        solve_options = {"explain": "off", "time_limit": given.time_limit, "gap": given.gap, "threads": 1}
        figures = in_fresh_process(measure, tables, "positioning", OPTIONS, solve_options)
        rows.append({"stages": len(tables["stages"]), "arcs": len(tables["arcs"]), "seed": given.seed} | figures)
        print(rows[-1], flush=True)
        write_json(given.json, rows)
    return int(any(row["termination"].startswith("error") for row in rows))


if __name__ == "__main__":
    sys.exit(main())
