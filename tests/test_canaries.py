"""The solver is not trusted: models on which it has been wrong must come out right through our own path."""

from __future__ import annotations

import subprocess
import sys

import pytest

from echelon.solvers.canaries import sing


@pytest.fixture(scope="module")
def heard() -> dict[str, tuple[float, float | None]]:
    return sing()


@pytest.mark.parametrize("name", ["K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8"])
def test_the_canary_sings_true(heard: dict[str, tuple[float, float | None]], name: str) -> None:
    """A wrong optimum on a tiny model is the cheapest warning that a solver version must not be used."""
    truth, value = heard[name]
    assert value == pytest.approx(truth, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(
    "order", [("highspy", "ortools.constraint_solver.pywrapcp"), ("ortools.constraint_solver.pywrapcp", "highspy")]
)
def test_highspy_and_ortools_share_a_process(order: tuple[str, str]) -> None:
    """Both ship a HiGHS library; in some versions whichever is imported second dies."""
    code = "import importlib\n" + "".join(f"importlib.import_module({name!r})\n" for name in order)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
