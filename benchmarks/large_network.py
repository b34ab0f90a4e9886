"""A network too large for one model: 200 candidate sites, 2,000 customer groups, 3 periods.

    python benchmarks/large_network.py --time-limit 600 --json results.json

Everything is invented, from a seed: customers in clusters, sites among them, a quarter of which exist; demand grows by
8% a period; capacities of which about a fifth suffices; transport by the great circle. The bar: a gap of at most 1%
in 10 minutes on 2 cores within 8 GB.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from protocol import in_fresh_process, write_json
from run import measure

CLUSTERS = 40


def make(sites: int, customers: int, periods: int, seed: int) -> dict[str, pd.DataFrame]:
    """The tables of a case of this size."""
    random = np.random.default_rng(seed)
    centres = np.column_stack([random.uniform(36, 60, CLUSTERS), random.uniform(-9, 28, CLUSTERS)])
    weight = random.dirichlet(np.full(CLUSTERS, 1.5))
    people = _places(random, centres, weight, customers, spread=1.2)
    places = _places(random, centres, np.full(CLUSTERS, 1 / CLUSTERS), sites, spread=0.8)
    first = random.lognormal(6.0, 0.8, customers).round()
    years = [date(2027 + t, 1, 1) for t in range(periods)]
    names = [str(day.year) for day in years]
    demand = [
        (f"C{n:04}", year, float(round(first[n] * 1.08**t * random.uniform(0.95, 1.05))))
        for t, year in enumerate(names)
        for n in range(customers)
    ]
    total = first.sum() * 1.08 ** (periods - 1)
    capacity = (total / (0.2 * sites) * random.uniform(0.6, 1.6, sites)).round()
    return {
        "periods": pd.DataFrame(
            {"period": names, "start": years, "days": [(date(d.year + 1, 1, 1) - d).days for d in years]}
        ),
        "sites": pd.DataFrame(
            {
                "site": [f"S{n:03}" for n in range(sites)],
                "latitude": places[:, 0],
                "longitude": places[:, 1],
                "existing": random.uniform(size=sites) < 0.25,
                "opening_cost": (capacity * random.uniform(6, 12, sites)).round(),
                "closing_cost": (capacity * 3).round(),
                "running_cost": (40_000 + capacity * random.uniform(8, 16, sites)).round(),
                "capacity": capacity,
            }
        ),
        "customers": pd.DataFrame(
            {"customer": [f"C{n:04}" for n in range(customers)], "latitude": people[:, 0], "longitude": people[:, 1]}
        ),
        "demand": pd.DataFrame(demand, columns=["customer", "period", "quantity"]),
        "modes": pd.DataFrame({"mode": ["ROAD"], "cost_per_km": [0.12], "cost": [4.0]}),
    }


def _places(random: Any, centres: np.ndarray, weight: np.ndarray, number: int, spread: float) -> np.ndarray:
    """Latitude and longitude of places around the centres."""
    chosen = random.choice(len(centres), number, p=weight)
    return (centres[chosen] + random.normal(0, spread, (number, 2))).round(3)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Solve a large seeded network and measure gap, time and memory.")
    parser.add_argument("--sites", type=int, default=200)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--periods", type=int, default=3)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--time-limit", type=float, default=540.0, metavar="S", help="seconds for the search")
    parser.add_argument("--gap", type=float, default=0.005, help="relative gap at which to stop")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="threads of the solver")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    given = parser.parse_args()
    tables = make(given.sites, given.customers, given.periods, given.seed)
    solve_options = {"explain": "off", "time_limit": given.time_limit, "gap": given.gap, "threads": given.threads}
    row = in_fresh_process(measure, tables, "network", {"compare_today": False}, solve_options)
    for name, value in row.items():
        print(f"{name:12} {value}")
    write_json(given.json, row | {"sites": given.sites, "customers": given.customers, "periods": given.periods})


if __name__ == "__main__":
    main()
