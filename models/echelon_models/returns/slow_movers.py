"""What stock that sells too slowly, or lies too long, is worth: held, refurbished, resold, returned to the supplier,
recycled or scrapped; and what of it should move."""

from __future__ import annotations

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.returns.schema import KINDS, ReturnsOptions

DAYS_OF_YEAR = 365.0
HOLD = "hold"
RATES = {"refurbish": "refurbish_rate", "resell": "resell_rate", "supplier": "supplier_rate"}


def slow_movers(tables: Frames, recovery: pd.DataFrame, options: ReturnsOptions) -> pd.DataFrame:
    """Every line of stock with its flag: stop, product, flag, kept, moved (units), cover (days; NaN: no demand), and
    the worth in money of holding the units moved and of each kind of recovery (NaN: cannot be).

    `tables` holds the validated `slow_movers` and the products in full; `recovery` what destinations make of a unit of
    a product (columns product, kind, net), empty where the case has no destinations.
    """
    lines = tables["slow_movers"]
    of_product = tables["products"].set_index("product")["value"]
    value = lines["unit_value"].astype(float).fillna(lines["product"].map(of_product).astype(float)).fillna(0.0)
    rate = lines["demand_rate"].astype(float)
    kept = kept_units(lines, options)
    moved = lines["quantity"] - kept
    worth = {HOLD: worth_of_holding(kept, moved, rate, value, options)}
    for kind in KINDS:
        worth[kind] = moved * (_a_unit(kind, lines, value, recovery) - options.moving_cost)
    values = pd.DataFrame(worth)
    return pd.DataFrame(
        {
            "stop": lines["stop"],
            "product": lines["product"],
            "flag": values.fillna(-np.inf).idxmax(axis=1).where(moved > 0, HOLD).astype("str"),
            "kept": kept,
            "moved": moved,
            "cover": (lines["quantity"] / rate).where(rate > 0),
            **values,
        }
    ).reset_index(drop=True)


def kept_units(lines: pd.DataFrame, options: ReturnsOptions) -> pd.Series:
    """Units that stay without question: what demand takes within `slow_cover` days, in whole units; none of a line that
    is older than `slow_age` days."""
    needed = np.ceil(lines["demand_rate"] * options.slow_cover - 1e-9)
    return lines["quantity"].clip(upper=needed).where(lines["age"] <= options.slow_age, 0.0)


def worth_of_holding(
    kept: pd.Series, moved: pd.Series, rate: pd.Series, value: pd.Series, options: ReturnsOptions
) -> pd.Series:
    """What the units looked at bring if they stay: they sell at the demand rate after those kept, at their full value,
    until `slow_horizon`; each costs holding for the days it stays; what is left then is worth nothing.

    sold = min(moved, rate·horizon − kept);  days on average = (kept + sold / 2) / rate
    """
    safe = rate.where(rate > 0, 1.0)
    sold = (rate * options.slow_horizon - kept).clip(lower=0.0).clip(upper=moved)
    days = sold * (kept + sold / 2) / safe + (moved - sold) * options.slow_horizon
    return value * (sold - options.holding_rate / DAYS_OF_YEAR * days)


def _a_unit(kind: str, lines: pd.DataFrame, value: pd.Series, recovery: pd.DataFrame) -> pd.Series:
    """What one unit of each line brings by this kind of recovery: by the line's own rate, or at the best
    destination."""
    best = recovery[recovery["kind"] == kind].groupby("product")["net"].max()
    at_best = lines["product"].map(best).astype(float)
    if kind == "scrap":
        return lines["scrap_value"].astype(float).fillna(at_best)
    if kind in RATES:
        return (lines[RATES[kind]].astype(float) * value).fillna(at_best)
    return at_best
