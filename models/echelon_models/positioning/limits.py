"""Limits on safety stock: what the stock of each stage uses of them, and what a plan uses and exceeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.positioning.network import Network
from echelon_models.rows import EVERY

LIMITS = {"value": "value", "volume": "volume", "stocking_points": "stocking points"}
UNITS = {"value": "money", "volume": "m³", "stocking_points": "stages"}


@dataclass(frozen=True)
class Limits:
    """The limits l of a case (rows of `table`); `weights[l][i]` is what one unit of safety stock of stage i uses of l
    (for stocking points: 1 where the stage counts, else 0)."""

    table: pd.DataFrame
    weights: list[np.ndarray]

    def __len__(self) -> int:
        return len(self.table)

    def used(self, l: int, i: int, units: np.ndarray) -> np.ndarray:
        """What stage i uses of limit l with `units` of safety stock; any shape."""
        return self.weights[l][i] * (units > 0 if self._counts_stages(l) else units)

    def of(self, units: np.ndarray) -> pd.DataFrame:
        """`table` with what safety stock of `units` at each stage uses of each limit, and exceeds."""
        use = [float(w @ (units > 0 if self._counts_stages(l) else units)) for l, w in enumerate(self.weights)]
        known = self.table.assign(use=np.array(use, dtype=float))
        return known.assign(excess=(known["use"] - known["capacity"]).clip(lower=0.0))

    def _counts_stages(self, l: int) -> bool:
        return bool(self.table["measure"].iloc[l] == "stocking_points")


def limits_of(network: Network, full: Frames) -> Limits:
    """The limits of a completed case."""
    stages = full["stages"]
    per_unit = {
        "value": network.value,
        "volume": stages["volume"].to_numpy(float),
        "stocking_points": np.ones(len(network)),
    }
    weights = []
    for limit in full["stock_limits"].itertuples(index=False):
        counts = (limit.department == EVERY) | (stages["department"] == limit.department)
        counts &= (limit.site == EVERY) | (stages["site"] == limit.site)
        weights.append(np.where(counts, per_unit[limit.measure], 0.0))
    return Limits(full["stock_limits"], weights)


def named(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of limits with their kind and unit in words, as the result tables have them."""
    return table.assign(limit=table["measure"].map(LIMITS), unit=table["measure"].map(UNITS))


def excess_cost(used: pd.DataFrame) -> float:
    """What exceeding the limits costs a year, money; infinite where a hard one is exceeded. `used` is `Limits.of`."""
    broken = used["hard"] & (used["excess"] > 1e-7 * used["capacity"].clip(lower=1.0))
    return float("inf") if broken.any() else float((used["excess"] * used["excess_cost"])[~used["hard"]].sum())
