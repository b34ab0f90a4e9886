"""The simulation of the promise: it agrees with what is known, and it is the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import arcs, change, frame, serial, solve, stages

DAYS = 20_000


def service(tables: Frames, **options: Any) -> pd.DataFrame:
    return solve(tables, simulate=DAYS, **options).plan["service"].set_index("stage")


def history(days: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    dates = pd.date_range("2025-01-01", periods=days)
    return pd.DataFrame({"stage": "SHOP", "day": dates, "quantity": rng.poisson(3.0, days) * rng.integers(1, 9, days)})


BLANK = change(serial(), "SHOP", demand_mean=None, demand_std=None) | {"demand_history": history()}
SPREAD = {"lead_times": frame(stage="ASSEMBLY", days=[1.0, 2.0, 4.0], probability=[0.25, 0.5, 0.25])}
KEPT: dict[str, tuple[Frames, dict[str, Any]]] = {
    "cycle service": (serial(), {}),
    "a long promise": (serial(promised_time=2), {}),
    "fill rate": (serial(), {"service_kind": "fill_rate"}),
    "gamma demand": (change(serial(), "SHOP", demand_std=18.0), {"demand_model": "gamma"}),
    "gamma demand and fill rate": (change(serial(), "SHOP", demand_std=18.0),
        {"demand_model": "gamma", "service_kind": "fill_rate"}),
    "demand drawn again": (BLANK, {"demand_model": "bootstrap"}),
    "varying lead times": (serial() | SPREAD, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", KEPT)
def test_where_the_assumptions_hold_the_promise_is_kept(name: str) -> None:
    """Service is what stock was sized for: neither missed nor far exceeded (bootstrap: to within its own sampling)."""
    tables, options = KEPT[name]
    table = service(tables, **options)
    near = 0.012 if "demand_model" in options or "lead" in name else 0.008
    assert (table["simulated"] - table["promised"]).abs().max() < near
    assert (table["low"] <= table["simulated"]).all() and (table["simulated"] <= table["high"]).all()


def test_shortages_passed_on_cost_service() -> None:
    """Where nothing is met by other means, the shop waits for late parts too: less service than promised, and told."""
    table = service(serial())
    assert table.loc["SHOP", "flowing"] < table.loc["SHOP", "simulated"]
    assert table.loc["SHOP", "gap"] == pytest.approx(0.95 - table.loc["SHOP", "flowing"])


def test_variation_added_along_paths_understates_two_ways_to_one_product() -> None:
    """A part that comes to a product by two ways sees twice the demand, not √2 of it: the simulation says so, and with
    pooled demand the promise is kept."""
    tables = {
        "stages": stages(
            X={"cost_added": 4.0, "lead_time": 4, "max_service_time": 0},
            P={"cost_added": 6.0, "lead_time": 2},
            Q={"cost_added": 3.0, "lead_time": 1},
            Z={"cost_added": 3.0, "lead_time": 1, "demand_mean": 10.0, "demand_std": 3.0},
        ),
        "arcs": arcs("X>P", "X>Q", "P>Z", "Q>Z"),
    }
    assert service(tables).loc["X", "verdict"] == "below"
    assert service(tables, demand_pooling="pooled").loc["X", "verdict"] == "kept"


def test_reviews_leave_more_stock_on_most_days() -> None:
    """Stock is sized for the longest wait for a review, so service is better than promised."""
    assert service(change(serial(), "SHOP", review_period=4)).loc["SHOP", "simulated"] > 0.97


def test_steady_demand_is_served_from_base_stock() -> None:
    """Demand without variation upstream of a stage that varies: no backlog from rounding."""
    table = service(serial(demand_std=0.001))
    assert table["backlog"].max() < 0.01


def test_correlated_demand_needs_and_gets_more_stock() -> None:
    """Two shops whose demands move together: the correlated plan keeps its promise."""
    two = {
        "stages": stages(
            DEPOT={"cost_added": 9.0, "lead_time": 5, "max_service_time": 0},
            EAST={"cost_added": 1.0, "lead_time": 1, "demand_mean": 20.0, "demand_std": 5.0},
            WEST={"cost_added": 1.0, "lead_time": 1, "demand_mean": 20.0, "demand_std": 5.0},
        ),
        "arcs": arcs("DEPOT>EAST", "DEPOT>WEST"),
    }
    table = service(two, demand_pooling="pooled", correlation=0.6)
    assert (table["verdict"] == "kept").all()
    alone = solve(two, demand_pooling="pooled").plan["stages"].set_index("stage")["safety_stock"]
    together = solve(two, demand_pooling="pooled", correlation=0.6).plan["stages"].set_index("stage")["safety_stock"]
    assert together["DEPOT"] > alone["DEPOT"]


def test_the_same_seed_gives_the_same_figures() -> None:
    """Two people who simulate one plan must see one result; another seed shows the spread."""
    runs = [
        echelon.solve(serial(), "positioning", options={"service_level": 0.95, "simulate": 500}, seed=seed)
        for seed in (1, 1, 2)
    ]
    one, same, other = (run.plan["service"] for run in runs)
    pd.testing.assert_frame_equal(one, same)
    assert not one.equals(other)
    assert solve(serial()).plan["service"].empty
