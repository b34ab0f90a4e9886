"""Limits on safety stock: what a unit of each stage uses of them, and what a plan uses and exceeds."""

from __future__ import annotations

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.ordering.schema import EVERY
from echelon_models.positioning.network import Network


def members(network: Network, full: Frames) -> list[np.ndarray]:
    """For each limit, what one unit of safety stock of each stage uses of it (for stocking points: 1 if it counts)."""
    stages = full["stages"]
    per_unit = {
        "value": network.value,
        "volume": stages["volume"].to_numpy(float),
        "stocking_points": np.ones(len(network)),
    }
    found = []
    for limit in full["stock_limits"].itertuples(index=False):
        counts = (limit.department == EVERY) | (stages["department"] == limit.department)
        counts &= (limit.site == EVERY) | (stages["site"] == limit.site)
        found.append(np.where(counts, per_unit[limit.measure], 0.0))
    return found


def use_of(units: np.ndarray, limits: pd.DataFrame, weights: list[np.ndarray]) -> pd.DataFrame:
    """`limits` with what safety stock of `units` at each stage uses of each, and exceeds."""
    counted = [units > 0 if measure == "stocking_points" else units for measure in limits["measure"]]
    use = [float(weight @ units) for weight, units in zip(weights, counted, strict=True)]
    known = limits.assign(use=np.array(use, dtype=float))
    return known.assign(excess=(known["use"] - known["capacity"]).clip(lower=0.0))


def excess_cost(used: pd.DataFrame) -> float:
    """What exceeding the soft limits costs a year, money."""
    return float((used["excess"] * used["excess_cost"])[~used["hard"]].sum())
