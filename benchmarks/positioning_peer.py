"""Positioning side by side with stockpyl's dynamic programme for trees (Graves & Willems 2000, 2003), on random trees.

    pip install stockpyl
    python benchmarks/positioning_peer.py --stages 10 50 100 200

Both get the same tree; the costs must agree. Seconds are those of `echelon.solve` as a whole (validation, recheck and
result tables included) and of stockpyl's `optimize_committed_service_times`; medians over the seeds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

import echelon

Z = 1.6448536269514722
AGREE = 1e-6


def tree(stages: int, seed: int) -> tuple[pd.DataFrame, list[tuple[int, int]]]:
    """A random tree: each stage is joined to an earlier one, either way round; customers order at the ends."""
    rng = np.random.default_rng(seed)
    arcs = []
    for new in range(1, stages):
        old = int(rng.integers(max(0, new - 12), new))
        arcs.append((new, old) if rng.random() < 0.6 else (old, new))
    sends = {a for a, _ in arcs}
    rows = [
        {
            "stage": i,
            "value": round(float(rng.uniform(0.5, 9.0)), 2),
            "lead_time": int(rng.integers(1, 6)),
            "demand_std": float(rng.integers(1, 20)) if i not in sends else None,
            "promised_time": float(rng.integers(0, 4)) if i not in sends else None,
        }
        for i in range(stages)
    ]
    return pd.DataFrame(rows), arcs


def ours(stages: pd.DataFrame, arcs: list[tuple[int, int]]) -> float:
    tables = {
        "stages": stages.assign(stage=stages["stage"].astype(str)),
        "arcs": pd.DataFrame([(str(a), str(b)) for a, b in arcs], columns=["from_stage", "to_stage"]),
    }
    options = {"service_level": NormalDist().cdf(Z), "holding_rate": 1.0}
    return echelon.solve(tables, "positioning", options=options, gap=0.0, explain="off").outcome.objective or 0.0


def theirs(stages: pd.DataFrame, arcs: list[tuple[int, int]]) -> float:
    from stockpyl.gsm_tree import optimize_committed_service_times
    from stockpyl.supply_chain_network import SupplyChainNetwork
    from stockpyl.supply_chain_node import SupplyChainNode

    network = SupplyChainNetwork()
    nodes = {}
    for row in stages.itertuples(index=False):
        node: Any = SupplyChainNode(int(row.stage), name=str(row.stage), network=network)
        node.local_holding_cost, node.processing_time = row.value, int(row.lead_time)
        node.demand_bound_constant, node.external_inbound_cst = Z, 0
        if row.demand_std == row.demand_std:
            node.demand_source = _demand(row.demand_std)
            node.external_outbound_cst = int(row.promised_time)
        nodes[int(row.stage)] = node
        network.add_node(node)
    for a, b in arcs:
        network.add_edge(a, b)
    return float(optimize_committed_service_times(network)[1])


def _demand(std: float) -> Any:
    from stockpyl.demand_source import DemandSource

    return DemandSource(type="N", mean=0.0, standard_deviation=std)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare positioning with stockpyl on random trees.")
    parser.add_argument("--stages", type=int, nargs="+", default=[10, 50, 100, 200])
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args(arguments)
    ours(*tree(10, 0))  # the first call imports
    apart = 0.0
    print(f"{'stages':>7} {'ours s':>8} {'stockpyl s':>11} {'ratio':>7}  worst relative difference of cost")
    for stages in given.stages:
        seconds: dict[str, list[float]] = {"ours": [], "theirs": []}
        worst = 0.0
        for seed in range(given.seeds):
            case, costs = tree(stages, seed), []
            for name, solve in (("ours", ours), ("theirs", theirs)):
                began = time.perf_counter()
                costs.append(solve(*case))
                seconds[name].append(time.perf_counter() - began)
            worst = max(worst, abs(costs[0] - costs[1]) / max(costs[1], 1e-9))
        a, b = (statistics.median(seconds[name]) for name in ("ours", "theirs"))
        print(f"{stages:>7} {a:>8.2f} {b:>11.2f} {b / a:>7.1f}  {worst:.1e}", flush=True)
        apart = max(apart, worst)
    return int(apart > AGREE)


if __name__ == "__main__":
    sys.exit(main())
