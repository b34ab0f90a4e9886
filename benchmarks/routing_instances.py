"""Published routing instances as problems of the engine: capacitated (Uchoa et al. 2017), time windows (Solomon 1987,
Gehring & Homberger 1999), several depots with windows (Vidal et al. 2013), several trips with release dates (Yang
2023), backhauls (Queiroga et al. 2020), simultaneous pickup and delivery (Dethloff 2001).

Read with the `vrplib` package. `best_known.csv` beside the folders names each file, its rounding and its best known
cost; costs compare under this rounding only.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from echelon.solvers.routing.problem import FOREVER, NO_WAY, Hub, Problem, Stop, Vehicle

SPARE_VEHICLES = 1.15  # where the fleet is free: this many times the least number, and five more
Rounding = Callable[[Any], np.ndarray]


@dataclass(frozen=True)
class Published:
    """A published instance. Its costs are those of the problem divided by `scale`."""

    family: str
    name: str
    problem: Problem
    scale: int
    best_known: float


def published(folder: Path, only: Collection[str] = ()) -> Iterator[Published]:
    """The instances that `folder/best_known.csv` lists; with `only`, those of these names or families."""
    for row in listed(folder, only):
        scale, problem = read(folder / row["file"], row["family"])
        yield Published(row["family"], row["instance"], problem, scale, float(row["best_known"]))


def listed(folder: Path, only: Collection[str] = ()) -> list[dict[str, str]]:
    """The rows of `folder/best_known.csv`; with `only`, those of these names or families."""
    index = folder / "best_known.csv"
    if not index.exists():
        return []
    with index.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return [row for row in rows if not only or row["instance"] in only or row["family"] in only]


def read(path: Path, family: str) -> tuple[int, Problem]:
    """(scale of the costs, problem) of a file. Raises KeyError for a family that is not known."""
    return READERS[family](path)


def _capacitated(path: Path) -> tuple[int, Problem]:
    given = _parsed(path)
    return 1, _problem(given, _nearest)


def _windows(path: Path) -> tuple[int, Problem]:
    given = _parsed(path, "solomon")
    return 10, _problem(given, lambda values: np.floor(10 * np.asarray(values)).astype(np.int64))


def _depots(path: Path) -> tuple[int, Problem]:
    given = _parsed(path)
    return 1, _problem(given, lambda values: _nearest(1000 * np.asarray(values)))


def _trips(path: Path) -> tuple[int, Problem]:
    given = _parsed(path)
    return 1, _problem(given, lambda values: np.floor(10 * np.asarray(values)).astype(np.int64))


def _backhauls(path: Path) -> tuple[int, Problem]:
    """Nothing is picked up before the last delivery: no tour begins with a pickup, no pickup precedes a delivery."""
    given = _parsed(path)
    picks = np.asarray(given["backhaul"]) > 0
    matrix = _nearest(given["edge_weight"])
    matrix[np.ix_(picks, ~picks)] = NO_WAY
    matrix[picks, 0] = _nearest(given["edge_weight"])[picks, 0]
    matrix[0, picks] = NO_WAY
    return 1, _problem(given | {"edge_weight": matrix}, _nearest)


def _both_ways(path: Path) -> tuple[int, Problem]:
    given = _parsed(path)
    pickup, delivery = np.asarray(given["pickup_and_delivery"])[:, 4:6].T
    return 10_000, _problem(given | {"backhaul": pickup, "demand": delivery}, _nearest)


READERS: dict[str, Callable[[Path], tuple[int, Problem]]] = {
    "CVRP": _capacitated,
    "VRPTW-Solomon100": _windows,
    "VRPTW-GH200": _windows,
    "MDVRPTW": _depots,
    "MTVRPTWR": _trips,
    "VRPB": _backhauls,
    "VRPSPD-Dethloff": _both_ways,
}


def _parsed(path: Path, form: str = "vrplib") -> dict[str, Any]:
    import vrplib  # only these instances need it, not all that run.py runs

    return vrplib.read_instance(path, instance_format=form)


def _nearest(values: Any) -> np.ndarray:
    return np.floor(np.asarray(values) + 0.5).astype(np.int64)


def _problem(given: dict[str, Any], rounded: Rounding) -> Problem:
    """The problem in which distances and times are `rounded`; places are the file's nodes, depots first."""
    matrix = rounded(given["edge_weight"])
    nodes, depots = len(matrix), np.atleast_1d(given.get("depot", 0))
    demand = np.asarray(given["demand"])
    picked = np.asarray(given.get("backhaul", np.zeros(nodes, dtype=np.int64)))
    service = rounded(np.broadcast_to(given.get("service_time", 0), nodes))
    windows = rounded(given["time_window"]) if "time_window" in given else np.tile([0, FOREVER], (nodes, 1))
    release = rounded(np.broadcast_to(given.get("release_time", 0), nodes))
    stops = tuple(
        Stop(
            name=str(node + 1),
            place=node,
            pickup=(int(picked[node]),),
            delivery=(int(demand[node]),),
            service=int(service[node]),
            windows=((int(windows[node, 0]), int(windows[node, 1])),),
            release=int(release[node]),
        )
        for node in range(len(depots), nodes)
    )
    return Problem(stops, _fleet(given, rounded, depots, windows, stops), (matrix,), (matrix,), _hubs(depots))


def _hubs(depots: np.ndarray) -> tuple[Hub, ...]:
    return tuple(Hub(f"depot {depot + 1}", int(depot)) for depot in depots)


def _fleet(
    given: dict[str, Any], rounded: Rounding, depots: np.ndarray, windows: np.ndarray, stops: tuple[Stop, ...]
) -> tuple[Vehicle, ...]:
    """The vehicles of the file; where it names no number, more than the least that the loads need."""
    load = max(sum(s.delivery[0] for s in stops), sum(s.pickup[0] for s in stops))
    number = int(given.get("vehicles", math.ceil(load / given["capacity"] * SPARE_VEHICLES) + 5))
    homes = np.asarray(given.get("vehicles_depot", np.full(number, depots[0] + 1))) - 1
    reloads = "vehicles_reload_depot" in given
    longest = int(rounded(given["vehicles_max_duration"])) if "vehicles_max_duration" in given else FOREVER
    return tuple(
        Vehicle(
            name=f"vehicle {v + 1}",
            start=int(home),
            end=int(home),
            capacity=(int(given["capacity"]),),
            shift=(int(windows[home, 0]), int(windows[home, 1])),
            max_duration=longest,
            reloads=(int(home),) if reloads else (),
            max_reloads=len(stops) if reloads else 0,
        )
        for v, home in enumerate(homes)
    )
