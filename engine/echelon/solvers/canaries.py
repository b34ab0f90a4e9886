"""Tiny models on which some version of HiGHS has been wrong, with their true optima. `echelon doctor` runs them.

Collected from the solver's public bug reports; each truth follows by hand or by enumerating the integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyomo.environ as pyo

from echelon.solvers.highs import solve
from echelon.solvers.outcome import SolveOptions


@dataclass(frozen=True)
class Canary:
    """A minimisation over `names`: its rows, bounds (none: any number), which variables are whole, and its optimum."""

    names: str
    cost: Callable[..., Any]
    rows: Callable[..., list[Any]]
    bounds: Mapping[str, tuple[float | None, float | None]]
    whole: str
    truth: float

    def model(self) -> pyo.ConcreteModel:
        """The canary as a model of its own."""
        model = pyo.ConcreteModel()
        for name in self.names.split():
            domain = pyo.Integers if name in self.whole.split() else pyo.Reals
            model.add_component(name, pyo.Var(bounds=self.bounds.get(name, (None, None)), domain=domain))
        variables = [model.component(name) for name in self.names.split()]
        model.rows = pyo.ConstraintList()
        for row in self.rows(*variables):
            model.rows.add(row)
        model.cost = pyo.Objective(expr=self.cost(*variables))
        return model


ANY, BINARY = (None, None), (0, 1)
CANARIES = {
    "K1": Canary(
        "x0 x1 z0 z1 d0 d1",
        lambda x0, x1, z0, z1, d0, d1: 10 * d0 + 8 * d1,
        lambda x0, x1, z0, z1, d0, d1: [
            z0 <= 1000 * x0,
            z1 <= 1000 * x1,
            z0 + d0 == 1000,
            z1 + d1 == 1000,
            x0 + x1 <= 1,
        ],
        {"x0": BINARY, "x1": BINARY} | dict.fromkeys(["z0", "z1", "d0", "d1"], (0, 1000)),
        whole="x0 x1",
        truth=8000.0,
    ),
    "K2": Canary(
        "x z",
        lambda x, z: 2 * x + 3 * z,
        lambda x, z: [x + z >= 4.5],
        {"x": (0, 10), "z": (0, 10)},
        whole="z",
        truth=9.0,
    ),
    "K3": Canary(
        "x y",
        lambda x, y: x + 2 * y,
        lambda x, y: [x + y >= 20.1],
        {"x": (0, 20), "y": (8, 20)},
        whole="x",
        truth=28.2,
    ),
    "K4": Canary(
        "g x t",
        lambda g, x, t: 100 * g + 0.01 * t,
        lambda g, x, t: [g + x == 3, x - t <= 0, -x - t <= 0],
        {"g": (0, None), "x": (0.45, 3), "t": ANY},
        whole="x",
        truth=0.03,
    ),
    "K5": Canary(
        "x y z",
        lambda x, y, z: x + 4 * y + 9 * z,
        lambda x, y, z: [x + y <= 5, x + z >= 10, -y + z == 7.5],
        {"x": (0, 4), "y": (-1, 1), "z": (0, None)},
        whole="z",
        truth=64.0,
    ),
    "K6": Canary(
        "x0 x1 x2 x3",
        lambda x0, x1, x2, x3: x1,
        lambda x0, x1, x2, x3: [x1 - x2 >= 0, x0 + x2 - x3 == 0, -68 * x2 - x3 >= -12],
        {"x0": ANY, "x1": ANY, "x2": (0, None), "x3": (0, None)},
        whole="x0 x1 x3",
        truth=0.0,
    ),
    "K7": Canary(
        "v0 v1 v2",
        lambda v0, v1, v2: -93 * v0 + 25 * v1 + 17 * v2,
        lambda v0, v1, v2: [
            -89 * v0 - 40.7 * v1 - 12 * v2 >= 3994.5,
            -0.1 * v0 + 77.2 * v1 - 23.7 * v2 >= -4878.3,
            -8.6 * v0 - 6.5 * v1 + 72.78 * v2 >= -4930,
        ],
        {"v0": (-100, 120), "v1": (-100, 10), "v2": (-100, 0)},
        whole="v0 v2",
        truth=-3777.5712,
    ),
    "K8": Canary(
        "a b n p q r x",
        lambda a, b, n, p, q, r, x: 10 * a + 10 * b + 4 * p + 10.82191781 * (q + r),
        lambda a, b, n, p, q, r, x: [q == 2, x - p - q + r == 0, x == 5 * n, a + b + q + r >= 3],
        {"a": BINARY, "b": BINARY, "n": (0, 2.4), "x": (0, 12)} | dict.fromkeys(["p", "q", "r"], (0, None)),
        whole="a n",
        truth=4 * 10.82191781,
    ),
}


def sing() -> dict[str, tuple[float, float | None]]:
    """Solve every canary: name -> (truth, what the solver says)."""
    exact = SolveOptions(gap=0.0)
    return {name: (canary.truth, solve(canary.model(), exact).outcome.objective) for name, canary in CANARIES.items()}
