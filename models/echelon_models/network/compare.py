"""Other networks beside the plan: today's, and the centralised, regional and local ones, each planned as well as it
can be and rechecked like the plan."""

from __future__ import annotations

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.network.results import kpis

TODAY = "today"
LIMIT = ["region", "kind", "counts", "t", "minimum", "maximum"]


def today(full: Frames) -> Frames:
    """The case in which the sites (and steps) that exist stay as they are, and no other opens; limits on the number of
    sites and budgets do not count, as nothing is decided."""
    states = full["sites"][["site"]].merge(full["periods"][["t", "period"]], how="cross")
    existing = states["site"].map(full["sites"].set_index("site")["existing"]).astype(bool)
    return full | {
        "pinned_sites": states.assign(state=np.where(existing, "open", "closed")),
        "capacity_steps": full["capacity_steps"][full["capacity_steps"]["existing"]],
        "site_limits": full["site_limits"].iloc[:0],
        "budgets": full["budgets"].iloc[:0],
    }


def centralised(full: Frames) -> Frames:
    """The case with one warehouse."""
    return _with_limits(full, [("", 1, 1)])


def regional(full: Frames) -> Frames:
    """The case with one warehouse in each region that could have one."""
    warehouses = full["sites"][full["sites"]["kind"] == "warehouse"]
    return _with_limits(full, [(region, 1, 1) for region in sorted(warehouses["region"].unique())])


def local(full: Frames) -> Frames:
    """The case in which each customer is served from the nearest site that delivers (by distance or, where it is not
    known, by cost)."""
    ways = full["deliveries"]
    length = ways["distance"].fillna(ways["cost"])
    nearest = ways["site"].loc[length.groupby(ways["customer"]).idxmin()].set_axis(ways["customer"].unique())
    return _without_decisions(full) | {"deliveries": ways[ways["site"] == ways["customer"].map(nearest)]}


CASES = {TODAY: today, "centralised": centralised, "regional": regional, "local": local}


def _without_decisions(full: Frames) -> Frames:
    """The case without what decides otherwise: pins and limits on the number of sites."""
    return full | {"pinned_sites": full["pinned_sites"].iloc[:0], "site_limits": full["site_limits"].iloc[:0]}


def _with_limits(full: Frames, limits: list[tuple[str, int, int]]) -> Frames:
    rows = [(region, "warehouse", "open", t, low, high) for region, low, high in limits for t in full["periods"]["t"]]
    return _without_decisions(full) | {"site_limits": pd.DataFrame(rows, columns=LIMIT)}


def rows(name: str, plan: Frames | None, full: Frames, costs: dict[str, float]) -> pd.DataFrame:
    """What the result table `comparison` says of one network; all values are blank without a plan of it."""
    if plan is None:
        return pd.DataFrame({"network": [name], "figure": ["total"], "unit": ["money"], "value": [np.nan]})
    figures = kpis(plan, full, costs)
    sites = plan["sites"]
    lines = [("total", "money", sum(costs.values())), *((line, "money", cost) for line, cost in costs.items())]
    lines += [
        ("site-years open", "years", float((sites["open"] * sites["period"].map(_years(full))).sum())),
        ("served", "share", figures["served_share"]),
        ("average distance", "km", figures["average_distance"]),
        ("utilisation", "share", figures["utilisation"]),
        ("stock", "units on average", float((sites["stock"] * sites["period"].map(_years(full))).sum())
         / float(full["periods"]["years"].sum())),
        ("emissions", "t CO2", figures["emissions"]),
    ]  # fmt: skip
    return pd.DataFrame(lines, columns=["figure", "unit", "value"]).assign(network=name)


def _years(full: Frames) -> pd.Series:
    return full["periods"].set_index("period")["years"]


def has_today(full: Frames) -> bool:
    """Whether there is a network today."""
    return bool(full["sites"]["existing"].any())
