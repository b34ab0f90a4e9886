"""Published facility location instances as cases of the network family.

Three sets: capacitated facility location of the OR-Library (Beasley 1990; deliveries may be split), the single-source
instances of Holmberg, Rönnqvist & Yuan 1999, both as JSON, and the two-stage instances of Fernandes et al. 2014 as text
(plants, satellites, customers). One period of a year; a site's fixed cost is its running cost.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from protocol import Instance

FACILITY = {"n_facilities", "n_customers", "capacity", "fixed_cost", "demand", "cost_customer_by_facility"}


def instances(folder: Path, only: Collection[str] = ()) -> Iterator[Instance]:
    """The instances in `folder` and the folders in it, in order of path; with `only`, those of these names."""
    for path in sorted([*folder.rglob("*.json"), *folder.rglob("*.txt")]):
        if only and path.stem not in only:
            continue
        try:
            yield _facility(path) if path.suffix == ".json" else _two_stage(path)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            reason = f"error: malformed instance ({type(error).__name__}: {error})"
            yield Instance(path.stem, {}, {}, None, reason)


def _facility(path: Path) -> Instance:
    """Sites with fixed cost and capacity serve customers; published costs are of a customer's whole demand."""
    given: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if not given.keys() >= FACILITY:
        return Instance(path.stem, {}, {}, None, "not applicable: not in a format of this family")
    sites = _names("SITE", given["n_facilities"])
    demand = np.array(given["demand"], dtype=float)
    costs = np.array(given["cost_customer_by_facility"], dtype=float)
    split = given.get("capacitated_split_best")
    tables = {
        "sites": _sites(sites, given["capacity"], given["fixed_cost"]),
        "demand": _demand(demand),
        "deliveries": _ways(sites, _names("CUSTOMER", len(demand)), (costs / demand[:, None]).T, "site", "customer"),
    }
    options = {} if split is not None else {"sourcing": "product"}
    return Instance(path.stem, tables, options, split if split is not None else given["single_source_best"])


def _two_stage(path: Path) -> Instance:
    """Plants make, satellites pass on; both have a capacity and a fixed cost, all costs are a unit's."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    plants, satellites, customers = map(int, lines[0])
    rows = iter(lines[1:])
    demand = np.array([float(next(rows)[0]) for _ in range(customers)])
    plant_terms = np.array([next(rows) for _ in range(plants)], dtype=float)
    to_satellites = np.array([next(rows) for _ in range(plants)], dtype=float)
    satellite_terms = np.array([next(rows) for _ in range(satellites)], dtype=float)
    to_customers = np.array([next(rows) for _ in range(satellites)], dtype=float)
    makers, passers = _names("PLANT", plants), _names("SATELLITE", satellites)
    tables = {
        "sites": pd.concat(
            [
                _sites(makers, *plant_terms.T).assign(kind="plant", delivers=False),
                _sites(passers, *satellite_terms.T).assign(kind="warehouse", delivers=True),
            ]
        ),
        "supply": pd.DataFrame({"site": makers}),
        "demand": _demand(demand),
        "lanes": _ways(makers, passers, to_satellites, "from_site", "to_site"),
        "deliveries": _ways(passers, _names("CUSTOMER", customers), to_customers, "site", "customer"),
    }
    return Instance(path.stem, tables, {}, _best_known(path))


def _best_known(path: Path) -> float | None:
    index = path.with_name("INDEX.csv")
    if not index.exists():
        return None
    with index.open(encoding="utf-8", newline="") as lines:
        best = {row["name"]: row["best_known"] for row in csv.DictReader(lines)}
    return float(best[path.stem]) if best.get(path.stem) else None


def _names(what: str, number: int) -> list[str]:
    return [f"{what}-{n + 1:04}" for n in range(number)]


def _sites(names: list[str], capacity: Any, fixed_cost: Any) -> pd.DataFrame:
    return pd.DataFrame({"site": names, "capacity": capacity, "running_cost": fixed_cost})


def _demand(demand: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"customer": _names("CUSTOMER", len(demand)), "quantity": demand})


def _ways(start: list[str], end: list[str], cost: np.ndarray, start_name: str, end_name: str) -> pd.DataFrame:
    """A row a pair; cost[i, j] is that of one unit from start i to end j."""
    pairs = pd.MultiIndex.from_product([start, end], names=[start_name, end_name]).to_frame(index=False)
    return pairs.assign(cost=cost.ravel())
