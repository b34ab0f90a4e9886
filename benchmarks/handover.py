"""How long it takes, and how much memory, until HiGHS holds a large Pyomo model: our hand-over beside Pyomo's own ways.

    python benchmarks/handover.py --json handover.json

The model is multi-item lot sizing under one capacity and one budget a period; the default size has 156,000 variables
and 104,052 rows. Every way builds it from the same rules, in a fresh process, in turn with the others; the figures
are medians. Exit code 1 if ours is less than `BAR` times faster than the fastest of Pyomo's own HiGHS interfaces.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers import Highs as AppsiHighs
from pyomo.contrib.solver.solvers.highs import Highs as ContribHighs

from echelon.solvers.handover import garbage_collector_paused, hand_over
from protocol import in_fresh_process, peak_mb, write_json

BAR = 5.0
OURS = "echelon hand_over + passModel"
FIGURES = ("build", "hand_over", "total", "peak_mb")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parse(arguments)
    measured: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(given.repeats):
        for way, taken in measured.items():
            taken.append(in_fresh_process(measure, way, given.items, given.periods))
    rows = summary(measured)
    print(_table(rows))
    interfaces = min(row["total"] for row in rows if row["way"] in INTERFACES)
    ratio = interfaces / next(row["total"] for row in rows if row["way"] == OURS)
    print(f"\nours is {ratio:.1f} times faster than the fastest of Pyomo's HiGHS interfaces; the bar is {BAR:g}")
    write_json(given.json, {"ratio": ratio, "bar": BAR, "ways": rows})
    return int(ratio < BAR)


def measure(way: str, items: int, periods: int) -> dict[str, float]:
    """Seconds and peak memory of one way; runs in its own process. Raises ValueError if HiGHS holds another model."""
    data = LotSizing.random(items, periods)
    began = time.perf_counter()
    built, solver = WAYS[way](data)
    done = time.perf_counter()
    held = solver.getNumCol(), solver.getNumRow(), solver.getNumNz()
    if held != data.size:
        raise ValueError(f"{way} gave HiGHS (columns, rows, entries) = {held} instead of {data.size}")
    return {"build": built - began, "hand_over": done - built, "total": done - began, "peak_mb": peak_mb()}


class LotSizing:
    """Random data of the model, as lists by item and period."""

    def __init__(self, demand: np.ndarray, holding: np.ndarray, setup: np.ndarray, price: np.ndarray):
        self.items, self.periods = demand.shape
        self.demand = demand.tolist()
        self.most = demand[:, ::-1].cumsum(axis=1)[:, ::-1].tolist()  # all demand from a period on
        self.holding, self.setup, self.price = holding.tolist(), setup.tolist(), price.tolist()
        self.capacity = 1.3 * demand.sum(axis=0).mean()
        self.budget = 1.3 * (price[:, None] * demand).sum(axis=0).mean()

    @classmethod
    def random(cls, items: int, periods: int, seed: int = 0) -> LotSizing:
        """Demand 1..99 a period, so that every coefficient is present."""
        rng = np.random.default_rng(seed)
        return cls(
            demand=rng.integers(1, 100, (items, periods)).astype(float),
            holding=rng.uniform(1, 3, items),
            setup=rng.uniform(100, 1000, items),
            price=rng.uniform(1, 10, items),
        )

    @property
    def size(self) -> tuple[int, int, int]:
        """Columns, rows and entries of the model."""
        cells = self.items * self.periods
        return 3 * cells, 2 * cells + 2 * self.periods, (3 * cells - self.items) + 2 * cells + 2 * cells


def build(data: LotSizing) -> pyo.ConcreteModel:
    """The model in plain Pyomo rules: quantity q, setup y, stock x of each item i in each period t."""
    m = pyo.ConcreteModel()
    m.i = pyo.RangeSet(0, data.items - 1)
    m.t = pyo.RangeSet(0, data.periods - 1)
    m.q = pyo.Var(m.i, m.t, domain=pyo.NonNegativeReals)
    m.y = pyo.Var(m.i, m.t, domain=pyo.Binary)
    m.x = pyo.Var(m.i, m.t, domain=pyo.NonNegativeReals)
    m.balance = pyo.Constraint(
        m.i,
        m.t,
        rule=lambda m, i, t: (m.x[i, t - 1] if t else 0.0) + m.q[i, t] - m.x[i, t] == data.demand[i][t],
    )
    m.setup = pyo.Constraint(m.i, m.t, rule=lambda m, i, t: m.q[i, t] <= data.most[i][t] * m.y[i, t])
    m.capacity = pyo.Constraint(m.t, rule=lambda m, t: sum(m.q[i, t] for i in m.i) <= data.capacity)
    m.budget = pyo.Constraint(m.t, rule=lambda m, t: sum(data.price[i] * m.q[i, t] for i in m.i) <= data.budget)
    m.cost = pyo.Objective(expr=sum(data.holding[i] * m.x[i, t] + data.setup[i] * m.y[i, t] for i in m.i for t in m.t))
    return m


def ours(data: LotSizing) -> tuple[float, highspy.Highs]:
    """When the model was built, and a HiGHS that holds it: the collector paused, one walk into arrays, `passModel`."""
    with garbage_collector_paused():
        model = build(data)
    built = time.perf_counter()
    solver = _silent()
    solver.passModel(hand_over(model).highs())
    return built, solver


def interface(make: Callable[[], Any], paused: bool = False) -> Callable[[LotSizing], tuple[float, highspy.Highs]]:
    """A way through one of Pyomo's own HiGHS interfaces: `set_instance` is all it does before HiGHS starts."""

    def way(data: LotSizing) -> tuple[float, highspy.Highs]:
        model = build(data)
        built = time.perf_counter()
        solver = make()
        solver.set_instance(model)
        return built, solver._solver_model

    def without_collector(data: LotSizing) -> tuple[float, highspy.Highs]:
        with garbage_collector_paused():
            return way(data)

    return without_collector if paused else way


def lp_file(data: LotSizing) -> tuple[float, highspy.Highs]:
    """A way through Pyomo's LP writer and HiGHS's reader."""
    model = build(data)
    built = time.perf_counter()
    solver = _silent()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.lp")
        model.write(path)
        solver.readModel(path)
    return built, solver


def _silent() -> highspy.Highs:
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    return solver


INTERFACES = {
    "pyomo contrib.solver Highs": interface(ContribHighs),
    "pyomo contrib.appsi Highs": interface(AppsiHighs),
}
WAYS: dict[str, Callable[[LotSizing], tuple[float, highspy.Highs]]] = {
    OURS: ours,
    **INTERFACES,
    "pyomo contrib.solver Highs, collector paused": interface(ContribHighs, paused=True),
    "pyomo LP file + readModel": lp_file,
}


def summary(measured: dict[str, list[dict[str, float]]]) -> list[dict[str, Any]]:
    """One row a way: the median of each figure, and its total as a multiple of ours."""
    medians = {way: {name: median(one[name] for one in taken) for name in FIGURES} for way, taken in measured.items()}
    return [{"way": way, **row, "ratio": row["total"] / medians[OURS]["total"]} for way, row in medians.items()]


def _table(rows: list[dict[str, Any]]) -> str:
    head = f"{'way':46} {'build s':>9} {'hand-over s':>12} {'total s':>9} {'peak MB':>9} {'ratio':>7}"
    lines = [
        f"{row['way']:46} {row['build']:9.2f} {row['hand_over']:12.2f} {row['total']:9.2f} {row['peak_mb']:9.0f} "
        f"{row['ratio']:7.1f}"
        for row in rows
    ]
    return "\n".join([head, *lines])


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the hand-over of a large Pyomo model to HiGHS.")
    parser.add_argument("--items", type=int, default=2000, metavar="N", help="items; default: 2000")
    parser.add_argument("--periods", type=int, default=26, metavar="N", help="periods; default: 26")
    parser.add_argument("--repeats", type=int, default=5, metavar="N", help="runs of each way; default: 5")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results here")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
