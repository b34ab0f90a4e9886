"""Tiny models on which some version of HiGHS has been wrong, with their true optima. `echelon doctor` runs them.

Collected from the solver's public bug reports; each truth follows by hand or by enumerating the integers.
"""

from __future__ import annotations

from collections.abc import Callable

import pyomo.environ as pyo

from echelon.solvers.highs import solve
from echelon.solvers.outcome import SolveOptions


def _model(names: str, objective: Callable, constraints: Callable, bounds: dict, whole: str = "") -> pyo.ConcreteModel:
    model = pyo.ConcreteModel()
    variables = []
    for name in names.split():
        low, high = bounds.get(name, (None, None))
        domain = pyo.Integers if name in whole.split() else pyo.Reals
        model.add_component(name, pyo.Var(bounds=(low, high), domain=domain))
        variables.append(model.component(name))
    model.rows = pyo.ConstraintList()
    for row in constraints(*variables):
        model.rows.add(row)
    model.cost = pyo.Objective(expr=objective(*variables))
    return model


def canaries() -> dict[str, tuple[pyo.ConcreteModel, float]]:
    """Name -> (model, true optimum)."""
    any_number, binary, up_to_1000 = (None, None), (0, 1), (0, 1000)
    return {
        "K1": (
            _model(
                "x0 x1 z0 z1 d0 d1",
                lambda x0, x1, z0, z1, d0, d1: 10 * d0 + 8 * d1,
                lambda x0, x1, z0, z1, d0, d1: [
                    z0 <= 1000 * x0,
                    z1 <= 1000 * x1,
                    z0 + d0 == 1000,
                    z1 + d1 == 1000,
                    x0 + x1 <= 1,
                ],
                {"x0": binary, "x1": binary} | dict.fromkeys(["z0", "z1", "d0", "d1"], up_to_1000),
                whole="x0 x1",
            ),
            8000.0,
        ),
        "K2": (
            _model(
                "x z",
                lambda x, z: 2 * x + 3 * z,
                lambda x, z: [x + z >= 4.5],
                {"x": (0, 10), "z": (0, 10)},
                whole="z",
            ),
            9.0,
        ),
        "K3": (
            _model(
                "x y",
                lambda x, y: x + 2 * y,
                lambda x, y: [x + y >= 20.1],
                {"x": (0, 20), "y": (8, 20)},
                whole="x",
            ),
            28.2,
        ),
        "K4": (
            _model(
                "g x t",
                lambda g, x, t: 100 * g + 0.01 * t,
                lambda g, x, t: [g + x == 3, x - t <= 0, -x - t <= 0],
                {"g": (0, None), "x": (0.45, 3), "t": any_number},
                whole="x",
            ),
            0.03,
        ),
        "K5": (
            _model(
                "x y z",
                lambda x, y, z: x + 4 * y + 9 * z,
                lambda x, y, z: [x + y <= 5, x + z >= 10, -y + z == 7.5],
                {"x": (0, 4), "y": (-1, 1), "z": (0, None)},
                whole="z",
            ),
            64.0,
        ),
        "K6": (
            _model(
                "x0 x1 x2 x3",
                lambda x0, x1, x2, x3: x1,
                lambda x0, x1, x2, x3: [x1 - x2 >= 0, x0 + x2 - x3 == 0, -68 * x2 - x3 >= -12],
                {"x0": any_number, "x1": any_number, "x2": (0, None), "x3": (0, None)},
                whole="x0 x1 x3",
            ),
            0.0,
        ),
        "K7": (
            _model(
                "v0 v1 v2",
                lambda v0, v1, v2: -93 * v0 + 25 * v1 + 17 * v2,
                lambda v0, v1, v2: [
                    -89 * v0 - 40.7 * v1 - 12 * v2 >= 3994.5,
                    -0.1 * v0 + 77.2 * v1 - 23.7 * v2 >= -4878.3,
                    -8.6 * v0 - 6.5 * v1 + 72.78 * v2 >= -4930,
                ],
                {"v0": (-100, 120), "v1": (-100, 10), "v2": (-100, 0)},
                whole="v0 v2",
            ),
            -3777.5712,
        ),
        "K8": (
            _model(
                "a b n p q r x",
                lambda a, b, n, p, q, r, x: 10 * a + 10 * b + 4 * p + 10.82191781 * (q + r),
                lambda a, b, n, p, q, r, x: [q == 2, x - p - q + r == 0, x == 5 * n, a + b + q + r >= 3],
                {"a": binary, "b": binary, "n": (0, 2.4), "x": (0, 12)} | dict.fromkeys(["p", "q", "r"], (0, None)),
                whole="a n",
            ),
            4 * 10.82191781,
        ),
    }


def sing() -> dict[str, tuple[float, float | None]]:
    """Solve every canary: name -> (truth, what the solver says)."""
    heard = {}
    for name, (model, truth) in canaries().items():
        heard[name] = (truth, solve(model, SolveOptions(gap=0.0)).outcome.objective)
    return heard
