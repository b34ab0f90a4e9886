"""What large kernels go through: message passing, plans by elimination, dropping of candidates, prices of limits.

Here on kernels that are small enough to be modelled as they are, so that the truth is known."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from echelon.tables import Frames
from echelon_models.positioning import search
from echelon_models.positioning.limits import limits_of
from echelon_models.positioning.messages import Squeeze, cost_of
from echelon_models.positioning.network import prepare
from echelon_models.positioning.presolve import reduce
from echelon_models.positioning.problem import pose
from echelon_models.positioning.stock import SafetyStock

from .cases import completed, optimum, solve

SEEDS = range(4)


def dense(seed: int, width: int = 5, layers: int = 3) -> Frames:
    """Layers of stages, most of which deliver to most of the next layer: elimination alone does not get far."""
    rng = np.random.default_rng(seed)
    rows, arcs = [], []
    for layer in range(layers):
        for n in range(width):
            row = {
                "stage": f"L{layer}-{n}",
                "cost_added": float(rng.integers(1, 20)),
                "lead_time": float(rng.integers(1, 7)),
            }
            if layer == layers - 1:
                row |= {
                    "demand_mean": 9.0,
                    "demand_std": float(rng.integers(1, 9)),
                    "promised_time": float(rng.integers(0, 3)),
                }
            rows.append(row)
            arcs += [(f"L{layer - 1}-{m}", f"L{layer}-{n}") for m in range(width) if layer and rng.random() < 0.6]
    return {"stages": pd.DataFrame(rows), "arcs": pd.DataFrame(arcs, columns=["from_stage", "to_stage"])}


@pytest.mark.parametrize("seed", SEEDS)
def test_message_passing_bounds_the_optimum_from_both_sides(seed: int) -> None:
    """At every moment no plan costs less than the bound, and the plan is one: its cost is what its times cost."""
    tables = dense(seed)
    truth = optimum(tables)
    full, options = completed(tables)
    network = prepare(full, options)
    stock = [SafetyStock(network, i) for i in range(len(network))]
    reduction = reduce(pose(network, stock, limits_of(network, full)))
    assert reduction.kernel.times, "a case must have a kernel"
    squeeze, seen = Squeeze(reduction.kernel, seed=0), []
    squeeze.run(time.monotonic() + 20, 1e-6, 1e-9, lambda cost, bound: seen.append((cost, bound)))
    assert all(bound <= truth * (1 + 1e-9) and cost >= truth * (1 - 1e-9) for cost, bound in seen)
    assert squeeze.cost == pytest.approx(cost_of(reduction.kernel, squeeze.chosen))
    assert squeeze.cost - squeeze.bound <= 0.05 * truth


@pytest.mark.parametrize("seed", SEEDS)
def test_a_large_kernel_ends_at_the_same_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages first, then a model of what they leave open: the optimum of the bare model, rechecked."""
    truth = optimum(dense(seed), presolve=False)
    monkeypatch.setattr(search, "LARGEST_MODEL", 0)
    assert solve(dense(seed)).outcome.objective == pytest.approx(truth, rel=1e-7)


def test_without_a_model_the_gap_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rest is too large to be modelled, plan and bound stand as they are, and the outcome says so."""
    truth = optimum(dense(0))
    monkeypatch.setattr(search, "LARGEST_MODEL", 0)
    monkeypatch.setattr(search, "LARGEST_REST", 0)
    outcome = solve(dense(0)).outcome
    assert outcome.bound is not None and outcome.objective is not None
    assert outcome.bound <= truth * (1 + 1e-9) and outcome.objective >= truth * (1 - 1e-9)


@pytest.mark.parametrize("hard", [True, False])
def test_limits_on_a_large_network_keep_their_bound(hard: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fewer candidates than every day, the plan may be dearer than the best, never cheaper than the bound."""
    tables = dense(1, width=4)
    value = solve(tables).plan["stages"]["stock_value"].sum()
    rates = tables["stages"].assign(holding_rate=np.linspace(0.1, 0.4, len(tables["stages"])))
    limit = pd.DataFrame({"measure": ["value"], "capacity": [1.02 * value], "hard": [hard], "excess_cost": [0.2]})
    limited = tables | {"stages": rates, "stock_limits": limit}
    truth = solve(limited).outcome.objective or 0.0
    monkeypatch.setattr(search, "LARGEST_GRID", 0)
    outcome = solve(limited).outcome
    assert outcome.bound is not None and outcome.objective is not None
    assert outcome.bound <= truth * (1 + 1e-7)
    assert truth * (1 - 1e-7) <= outcome.objective <= truth * 1.1
