"""The case with one limit eased, as the result table `limits` names it."""

from __future__ import annotations

import math

import pandas as pd

from echelon.tables import Frames
from echelon_models.rows import EVERY

PER_YEAR = {  # kind of limit -> its table and column: rates of a site, or of a product at a site, in a year
    "site capacity": ("sites", "capacity"),
    "supply": ("supply", "capacity"),
    "recovery": ("recovery", "capacity"),
    "disposal": ("recovery", "disposal_limit"),
}
OF_A_PERIOD = {"budget": ("budgets", "amount"), "carbon": ("carbon", "cap")}


def ease(full: Frames, limit: str, name: str, unit: str, added: float) -> Frames:
    """The completed tables with so much more of a limit in every period (of an average length)."""
    if limit in OF_A_PERIOD:
        table, column = OF_A_PERIOD[limit]
        return full | {table: full[table].assign(**{column: full[table][column] + added})}
    if limit == "sites":
        return full | {"site_limits": _more_sites(full["site_limits"], name, math.ceil(added))}
    if limit == "service":
        return full | {"service_limits": _less_service(full, name, unit, added)}
    table, column = PER_YEAR[limit]
    rows = full[table]
    named = rows["site"] if table == "sites" else rows["site"] + " " + rows["product"]
    a_year = added / full["periods"]["years"].mean()
    return full | {table: rows.assign(**{column: rows[column] + a_year * (named == name)})}


def _more_sites(rows: pd.DataFrame, name: str, added: int) -> pd.DataFrame:
    named = [
        " ".join(part for part in key if part) for key in zip(rows["counts"], rows["kind"], rows["region"], strict=True)
    ]
    return rows.assign(maximum=rows["maximum"] + added * (pd.Series(named, rows.index) == name))


def _less_service(full: Frames, group: str, unit: str, added: float) -> pd.DataFrame:
    """The service limits of a group with so many more units of each period that may come from beyond."""
    rows = full["service_limits"]
    measure = rows["measure"].map({"distance": "km"}).fillna("hours")
    mine = (rows["group"] == group) & (rows["within"].map("units beyond {:g} ".format) + measure == unit)
    customers = full["customers"].set_index("customer")["group"]
    demand = full["demand"][(group == EVERY) | (full["demand"]["customer"].map(customers) == group)]
    total = rows["t"].map(demand.groupby("t")["quantity"].sum()).astype(float)
    return rows.assign(share=(rows["share"] - (added / total).where(mine, 0.0).fillna(0.0)).clip(lower=0.0))
