"""A large award, made by a seeded generator: how close to the bound within the time limit.

    python benchmarks/allocation_scale.py --time-limit 114                     # 300 items x 40 suppliers
    python benchmarks/allocation_scale.py --scenarios 100 --time-limit 285     # the same over 100 scenarios, mean-CVaR

Every item has offers from about a quarter of the suppliers, near its base price, most with price breaks; suppliers have
activation costs, capacities and rebates on total spend; items have shares and numbers of suppliers; suppliers, parents
and regions have caps. In a scenario one to four suppliers fail, or a part of a region. Each seed runs in a fresh
process; exit code 1 if a solve failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import echelon
from protocol import in_fresh_process, peak_mb, write_json

REGIONS = ("ASIA", "EU", "AMERICA", "NEAR")
NO_QUESTIONS = {"price_rules": False, "renegotiate": 0, "value_information": False}


def case(items: int, suppliers: int, scenarios: int, seed: int) -> dict[str, pd.DataFrame]:
    """The tables of one case; the same seed gives the same case, and scenarios change nothing else."""
    random = np.random.default_rng(seed)
    names, places = [f"I{n:04}" for n in range(items)], [f"S{n:03}" for n in range(suppliers)]
    demand = random.integers(500, 20_000, items).astype(float)
    base = np.exp(random.normal(2.0, 0.8, items))
    offers, breaks = _offers(random, names, places, demand, base)
    volume = offers.assign(part=offers["item"].map(dict(zip(names, demand, strict=True))) / 4)
    most = volume.groupby("supplier")["part"].sum().reindex(places).to_numpy()
    tiers = [(s, start, rate) for s in places for start, rate in ((150e3, 0.01), (400e3, 0.025), (900e3, 0.04))]
    tables = {
        "items": pd.DataFrame({
            "item": names, "group": [f"G{n % 12:02}" for n in range(items)],
            "max_suppliers": random.choice([2.0, 3.0, 4.0], items), "smallest_share": 0.1,
            "min_suppliers": random.choice([0, 2], items, p=[0.8, 0.2]),
        }),
        "demand": pd.DataFrame({"item": names, "quantity": demand}),
        "suppliers": pd.DataFrame({
            "supplier": places, "region": [REGIONS[n % 4] for n in range(suppliers)],
            "parent": [f"P{n // 2:02}" if n % 3 == 0 else "" for n in range(suppliers)],
            "activation_cost": random.integers(5_000, 40_000, suppliers).astype(float),
            "capacity": (most * random.uniform(0.4, 1.0, suppliers)).round(),
        }),
        "offers": offers,
        "price_breaks": breaks,
        "rebates": pd.DataFrame(tiers, columns=["supplier", "from_spend", "rate"]),
        "shares": offers[random.random(len(offers)) < 0.15][["supplier", "item"]].assign(max_share=0.6),
        "caps": pd.DataFrame({"kind": ["supplier", "parent", "region"], "max_share": [0.12, 0.15, 0.45]}),
    }  # fmt: skip
    return tables | (_scenarios(random, tables["suppliers"], scenarios) if scenarios else {})


def _offers(
    random: np.random.Generator, items: list[str], suppliers: list[str], demand: np.ndarray, base: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Offers of each item from six or more suppliers, and their price breaks."""
    level = random.normal(1.0, 0.05, len(suppliers))
    offers, breaks = [], []
    for n, item in enumerate(items):
        for s in random.choice(len(suppliers), min(random.integers(6, 15), len(suppliers)), replace=False):
            price = round(base[n] * level[s] * random.normal(1.0, 0.08), 3)
            capacity = np.round(demand[n] * random.uniform(0.4, 1.2))
            offers.append((suppliers[s], item, price, float(random.integers(100, 1500)), capacity))
            if random.random() < 0.7:
                kind = "all_units" if random.random() < 0.5 else "incremental"
                for part, cut in ((0.25, 0.97), (0.6, 0.93)):
                    start, lower = np.round(demand[n] * part), round(price * cut, 3)
                    breaks.append((suppliers[s], item, start, lower, kind))
    columns = ["supplier", "item"]
    return (
        pd.DataFrame(offers, columns=[*columns, "price", "award_cost", "capacity"]),
        pd.DataFrame(breaks, columns=[*columns, "from_quantity", "price", "kind"]),
    )


def _scenarios(random: np.random.Generator, suppliers: pd.DataFrame, number: int) -> dict[str, pd.DataFrame]:
    """One scenario in which nothing fails (70%) and others in which suppliers or parts of a region do."""
    names = [f"W{n:03}" for n in range(number)]
    weights = random.dirichlet(np.full(number - 1, 2.0)) * 0.3
    rows = []
    for name in names[1:]:
        region = suppliers.loc[suppliers["region"] == random.choice(REGIONS), "supplier"].to_numpy()
        pool, count = (
            (region, 5) if random.random() < 0.3 else (suppliers["supplier"].to_numpy(), random.integers(1, 5))
        )
        struck = random.choice(pool, count, replace=False)
        rows += [(name, "supplier", s, float(random.choice([0.0, 0.5]))) for s in struck]
    return {
        "scenarios": pd.DataFrame({"scenario": names, "probability": [1 - weights.sum(), *weights]}),
        "disruptions": pd.DataFrame(rows, columns=["scenario", "kind", "name", "capacity_left"]),
    }


def measure(tables: dict[str, pd.DataFrame], options: dict[str, Any], solve_options: dict[str, Any]) -> dict[str, Any]:
    """Solve one case and say how it went; runs in its own process."""
    began, began_cpu = time.perf_counter(), time.process_time()
    run = echelon.solve(tables, "allocation", options=options, **solve_options)
    return {
        "objective": run.outcome.objective,
        "bound": run.outcome.bound,
        "gap": run.outcome.gap,
        "seconds": round(time.perf_counter() - began, 1),
        "cpu_seconds": round(time.process_time() - began_cpu, 1),
        "peak_mb": round(peak_mb()),
        "notes": list(run.notes),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Solve large generated awards and tell gap, time and memory.")
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--suppliers", type=int, default=40)
    parser.add_argument("--scenarios", type=int, default=0, help="disruption scenarios; with any, mean-CVaR is least")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one case each")
    parser.add_argument("--time-limit", type=float, default=120.0, help="seconds for each case")
    parser.add_argument("--gap", type=float, default=0.0, help="relative gap at which to stop")
    parser.add_argument("--json", type=Path, help="where to write the results")
    given = parser.parse_args(arguments)
    options = NO_QUESTIONS | ({"objective": "mean_cvar"} if given.scenarios else {})
    rows, failed = [], False
    for seed in given.seeds:
        tables = case(given.items, given.suppliers, given.scenarios, seed)
        try:
            row = in_fresh_process(
                measure, tables, options, {"explain": "off", "time_limit": given.time_limit, "gap": given.gap}
            )
        except Exception as error:  # this case has failed, the others go on
            row, failed = {"error": f"{type(error).__name__}: {error}"}, True
        rows.append({"seed": seed, **row})
        print(" ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
        write_json(given.json, rows)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
