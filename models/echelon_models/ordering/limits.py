"""The limits of ordering: what a plan uses of each, which items feed it, and the case with one of them eased."""

from __future__ import annotations

import numpy as np
import pandas as pd

from echelon.explain.limits import FEEDERS
from echelon.tables import Frames
from echelon_models.rows import EVERY

DIGITS = 6  # quantities are given to a millionth of a unit
LIMIT = ["limit", "name", "unit", "t"]
CALENDAR = ["limit", "name", "unit", "period"]
TABLES = {  # kind of limit -> its table, the column that names it, the one that says how much
    "budget": ("budgets", "department", "amount"),
    "storage": ("storage", "site", "capacity"),
    "supplier capacity": ("supplier_capacity", "supplier", "capacity"),
}


def ease(full: Frames, limit: str, name: str, unit: str, added: float) -> Frames:
    """The completed tables with so much more of a limit in every period."""
    table, who, column = TABLES[limit]
    rows = full[table]
    mine = rows[who] == name
    if limit == "supplier capacity":
        mine &= rows["measure"] == unit
    return full | {table: rows.assign(**{column: rows[column] + added * mine})}


def uses(full: Frames, lines: pd.DataFrame, stock: dict[str, np.ndarray]) -> pd.DataFrame:
    budgets = full["budgets"].assign(limit="budget", name=full["budgets"]["department"], unit="money")
    budgets["use"] = _of(_spend(lines), budgets[["name", "t"]])
    budgets["capacity"] = _with_carry_over(budgets)
    storage = full["storage"].assign(limit="storage", name=full["storage"]["site"], unit="m³")
    storage["use"] = _of(_volumes(full, stock), storage[["name", "counts", "t"]])
    capacity = full["supplier_capacity"]
    capacity = capacity.assign(limit="supplier capacity", name=capacity["supplier"], unit=capacity["measure"])
    capacity["use"] = _of(_loads(lines), capacity[["name", "unit", "t"]])
    limits = pd.concat([rows[[*LIMIT, "capacity", "use"]] for rows in (budgets, storage, capacity)], ignore_index=True)
    return limits.assign(use=limits["use"].round(DIGITS).clip(lower=0.0))


def limits_of(
    full: Frames, lines: pd.DataFrame, stock: dict[str, np.ndarray], prices: pd.DataFrame | None
) -> pd.DataFrame:
    """Each limit row: what it allows with what was carried over, its use, its excess, its price."""
    limits = uses(full, lines, stock)
    limits = limits.assign(price=0.0) if prices is None else limits.merge(prices, on=LIMIT, how="left")
    limits = limits.fillna({"price": 0.0})
    excess = (limits["use"] - limits["capacity"]).clip(lower=0.0).round(DIGITS)
    return limits.assign(period=calendar(full, "period", limits["t"]), excess=excess)


def _spend(lines: pd.DataFrame) -> pd.Series:
    """Money spent by department and t; the whole company stands under the blank name."""
    spent = lines[["department", "t", "amount"]]
    both = pd.concat([spent[spent["department"] != EVERY], spent.assign(department=EVERY)])
    return both.groupby(["department", "t"])["amount"].sum()


def _volumes(full: Frames, stock: dict[str, np.ndarray]) -> pd.Series:
    """m³ by site, what counts (closing or peak) and t."""
    places = full["item_sites"]
    volumes = {
        counts: pd.DataFrame(units * places["volume"].to_numpy()[:, None]).groupby(places["site"].array).sum().stack()
        for counts, units in _counted(stock).items()
    }
    return pd.concat(volumes).swaplevel(0, 1)


def _loads(lines: pd.DataFrame) -> pd.Series:
    """Units and hours by supplier, measure and t."""
    sums = lines.groupby(["supplier", "t"])[["quantity", "hours"]].sum()
    return sums.rename(columns={"quantity": "units"}).stack().swaplevel()


def _of(sums: pd.Series, rows: pd.DataFrame) -> np.ndarray:
    """The sum that belongs to each row, 0 where there is none."""
    return sums.reindex(pd.MultiIndex.from_frame(rows)).fillna(0.0).to_numpy(dtype=float)


def _with_carry_over(budgets: pd.DataFrame) -> list[float]:
    """What each budget row allows with what the period before left, where that carries over."""
    allowed: list[float] = []
    unspent: dict[tuple[str, int], float] = {}  # what the next period may spend
    for row in budgets.itertuples():
        allowed.append(row.amount + unspent.get((row.name, row.t - 1), 0.0))
        unspent[row.name, row.t] = max(allowed[-1] - row.use, 0.0) if row.carry_over else 0.0
    return allowed


def feeders(full: Frames, plan: Frames) -> pd.DataFrame:
    """limit, name, unit, period, item, use: the items that use most of each limit row in a plan's result tables."""
    offers = full["offers"].set_index(["supplier", "item", "site"])
    lines = plan["orders"].join(offers[["hours_per_order", "hours_per_unit"]], on=["supplier", "item", "site"])
    spent = pd.concat([lines[lines["department"] != EVERY], lines.assign(department=EVERY)])
    asked = lines.assign(limit="supplier capacity", name=lines["supplier"])
    hours = asked["hours_per_order"] + asked["hours_per_unit"] * asked["quantity"]
    used = [
        spent.assign(limit="budget", name=spent["department"], unit="money", use=spent["amount"]),
        asked.assign(unit="units", use=asked["quantity"]),
        asked.assign(unit="hours", use=hours),
    ]
    key = [*CALENDAR, "item"]
    rows = pd.concat([frame[[*key, "use"]] for frame in used]).groupby(key, as_index=False)["use"].sum()
    rows = rows.sort_values([*CALENDAR, "use", "item"], ascending=[True] * 4 + [False, True])
    return pd.concat([rows.groupby(CALENDAR).head(FEEDERS), _fullest(full, plan["inventory"])], ignore_index=True)


def _fullest(full: Frames, inventory: pd.DataFrame) -> pd.DataFrame:
    """The items that take most space at each site and period with a limit on storage."""
    places, periods = full["item_sites"], full["periods"]["period"].tolist()
    stock = {name: inventory[name].to_numpy().reshape(len(places), -1) for name in ("opening", "arrivals", "closing")}
    counted, at = _counted(stock), places.groupby("site").indices
    volume, item = places["volume"].to_numpy(), places["item"].to_numpy()
    rows = []
    for limit in full["storage"].itertuples(index=False):
        own = at.get(limit.site, np.zeros(0, dtype=int))
        taken = volume[own] * counted[limit.counts][own, limit.t]
        most = np.argsort(-taken, kind="stable")[:FEEDERS]
        rows += [("storage", limit.site, "m³", periods[limit.t], item[own[k]], taken[k]) for k in most]
    return pd.DataFrame(rows, columns=[*CALENDAR, "item", "use"])


def _counted(stock: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Units of stock that count against storage, closing or at peak."""
    return {"closing": stock["closing"], "peak": stock["opening"] + stock["arrivals"]}


def calendar(full: Frames, column: str, t: pd.Series) -> pd.api.extensions.ExtensionArray:
    """The period or its start at each position; blank beyond the horizon."""
    return full["periods"].set_index("t")[column].reindex(t).array
