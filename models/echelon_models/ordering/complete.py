"""Fill what a case leaves open: periods, default costs, rows that stand for every period, item or site.

The result is the case in full: every table dense over the periods it speaks of, each row with the position `t` of its
period (0 is the first). The formulation and the recheck both start from it, and share nothing else.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.ordering.schema import OrderingOptions
from echelon_models.periods import every_period
from echelon_models.rows import EVERY

DAYS_OF_YEAR = 365.0


def complete(tables: Frames, options: OrderingOptions) -> Frames:
    """The tables in full; adds `item_sites`, a row for every item at every site where it can be."""
    full = dict(tables)
    full["periods"] = periods(tables)
    position = full["periods"].set_index("period")["t"]
    ends = [tables["lanes"]["from_site"], tables["lanes"]["to_site"]]
    mentions = [*ends, *(tables[name]["site"] for name in ("demand", "offers", "stock"))]
    full["sites"] = _named(tables["sites"], "site", mentions)
    full["suppliers"] = _named(tables["suppliers"], "supplier", [tables["offers"]["supplier"]], order_cost=0.0)
    full["items"] = _items(tables["items"], tables["offers"], options)
    full["price_breaks"] = tables["price_breaks"].sort_values(["supplier", "item", "site", "from_quantity"])
    for name in ("demand", "receipts", "pinned_orders"):
        full[name] = tables[name].assign(t=tables[name]["period"].map(position).astype("int64"))
    full["lanes"] = _lanes(tables)
    full["item_sites"] = _item_sites(full, tables["shortages"], options)
    full["safety_stock"] = _safety_stock(tables["safety_stock"], full, options)
    full["budgets"] = _limit(tables["budgets"], ["department"], position, options.budget_excess_cost)
    full["storage"] = _limit(tables["storage"], ["site"], position, options.storage_excess_cost)
    full["supplier_capacity"] = _limit(
        tables["supplier_capacity"], ["supplier", "measure"], position, options.capacity_excess_cost
    )
    return full


def periods(tables: Frames) -> pd.DataFrame:
    """The periods in order of time with their position t; inferred from the dates in `demand` where none are given."""
    given = tables["periods"]
    if given.empty:
        given = _periods_of_dates(sorted(pd.to_datetime(tables["demand"]["period"].unique(), format="%Y-%m-%d")))
    ordered = given.sort_values("start")
    return ordered.assign(t=np.arange(len(ordered)))


def _periods_of_dates(starts: list[pd.Timestamp]) -> pd.DataFrame:
    if not starts:
        return pd.DataFrame({"period": [], "start": pd.to_datetime([]), "days": []})
    first, last = starts[0], starts[-1]
    if len({day.day for day in starts}) == 1 and len(starts) > 1 and first.day <= 28 and not _in_weeks(starts):
        steps = (last.year - first.year) * 12 + last.month - first.month
        edges = [first + pd.DateOffset(months=k) for k in range(steps + 2)]
    else:
        step = math.gcd(*((b - a).days for a, b in itertools.pairwise(starts))) or 7
        edges = [first + pd.Timedelta(days=step * k) for k in range((last - first).days // step + 2)]
    days = [(b - a).days for a, b in itertools.pairwise(edges)]
    return pd.DataFrame(
        {"period": [e.date().isoformat() for e in edges[:-1]], "start": pd.to_datetime(edges[:-1]), "days": days}
    )


def _in_weeks(starts: list[pd.Timestamp]) -> bool:
    return all((day - starts[0]).days % 7 == 0 for day in starts)


def _named(given: pd.DataFrame, key: str, mentions: list[pd.Series], **defaults: Any) -> pd.DataFrame:
    """The given table or, where the case has none, one row for every name that other tables mention."""
    if not given.empty:
        return given
    names = sorted(set().union(*(set(column) for column in mentions)))
    return pd.DataFrame({key: names}).assign(description="", **defaults)


def _items(items: pd.DataFrame, offers: pd.DataFrame, options: OrderingOptions) -> pd.DataFrame:
    cheapest = items["item"].map(offers.groupby("item")["price"].min())
    return items.assign(
        value=items["value"].fillna(cheapest).fillna(0.0),
        holding_rate=items["holding_rate"].fillna(options.holding_rate),
    )


def _lanes(tables: Frames) -> pd.DataFrame:
    """One row a lane and item, rows for every item unfolded. Kept are those by which the item can come, and either
    lead (over further lanes too) to where it is wanted or relieve a site whose storage is limited."""
    lanes = tables["lanes"]
    if lanes.empty:
        return lanes
    named, every = lanes[lanes["item"] != EVERY], lanes[lanes["item"] == EVERY]
    unfolded = every.drop(columns="item").merge(tables["items"][["item"]], how="cross")
    both = pd.concat([named, unfolded], ignore_index=True).drop_duplicates(["from_site", "to_site", "item"])
    supplied = _pairs(tables, ("offers", "stock", "receipts"))
    wanted = _pairs(tables, ("demand", "safety_stock"))
    limited = both["from_site"].isin(tables["storage"]["site"])
    kept = [
        group[group["from_site"].isin(_reach(group, supplied.get(item, set()), "from_site", "to_site"))
              & (group["to_site"].isin(_reach(group, wanted.get(item, set()), "to_site", "from_site"))
                 | limited[group.index])]
        for item, group in both.groupby("item", sort=True)
    ]  # fmt: skip
    return pd.concat(kept).sort_values(["item", "from_site", "to_site"]).reset_index(drop=True)[list(lanes.columns)]


def _pairs(tables: Frames, names: tuple[str, ...]) -> dict[str, set[str]]:
    """Item -> sites at which one of the named tables has it."""
    rows = pd.concat([tables[name][["item", "site"]] for name in names])
    return rows.groupby("item")["site"].agg(set).to_dict()


def _reach(lanes: pd.DataFrame, sites: set[str], origin: str, target: str) -> set[str]:
    """The sites reached from `sites` over the lanes, read from column `origin` to column `target`."""
    reached = set(sites)
    for _ in range(len(lanes)):
        more = reached | set(lanes.loc[lanes[origin].isin(reached), target])
        if more == reached:
            break
        reached = more
    return reached


def _item_sites(full: Frames, shortages: pd.DataFrame, options: OrderingOptions) -> pd.DataFrame:
    """item, site, and what holds there: the item's own columns, and the shortage terms (costs per average period)."""
    lanes = full["lanes"]
    places = [full[name][["item", "site"]] for name in ("demand", "offers", "stock", "receipts", "safety_stock")]
    places += [lanes[["item", end]].set_axis(["item", "site"], axis=1) for end in ("from_site", "to_site")]
    pairs = pd.concat(places).drop_duplicates().sort_values(["item", "site"]).reset_index(drop=True)
    pairs = pairs.merge(full["items"][["item", "department", "value", "holding_rate", "volume"]], on="item")
    terms = _shortage_terms(pairs, shortages, options)
    year = full["periods"]["days"].mean() / DAYS_OF_YEAR
    prices = pd.concat([full[name][["item", "price"]] for name in ("offers", "price_breaks")])
    lowest = pairs["item"].map(prices.groupby("item")["price"].min()).astype(float)
    lost_cost = terms["lost_cost"].fillna(pairs["value"] * options.lost_cost_factor)
    return pairs.assign(
        final_value=options.final_stock_value * np.minimum(pairs["value"], lowest.fillna(pairs["value"])),
        policy=terms["policy"],
        backorder_cost=terms["backorder_cost"].fillna(pairs["value"] * options.backorder_rate * year),
        lost_cost=lost_cost,
        fill_rate=terms["fill_rate"],
        fill_rate_cost=terms["fill_rate_cost"].fillna(lost_cost),
        fill_rate_hard=terms["hard"],
    )


def _shortage_terms(pairs: pd.DataFrame, shortages: pd.DataFrame, options: OrderingOptions) -> pd.DataFrame:
    """For each item and site the most specific row of `shortages`, or the options' policy where there is none."""
    rows = {(r.item, r.site): r for r in shortages.itertuples(index=False)}
    columns = ["policy", "backorder_cost", "lost_cost", "fill_rate", "fill_rate_cost", "hard"]
    none = (options.shortage_policy, None, None, 0.0, None, False)
    found = []
    for item, site in zip(pairs["item"], pairs["site"], strict=True):
        row = rows.get((item, site)) or rows.get((item, EVERY)) or rows.get((EVERY, site)) or rows.get((EVERY, EVERY))
        found.append(none if row is None else tuple(getattr(row, c) for c in columns))
    terms = pd.DataFrame(found, columns=columns, index=pairs.index)
    numbers = ["backorder_cost", "lost_cost", "fill_rate", "fill_rate_cost"]
    return terms.astype(dict.fromkeys(numbers, float)).astype({"hard": bool})


def _safety_stock(given: pd.DataFrame, full: Frames, options: OrderingOptions) -> pd.DataFrame:
    """item, site, t, quantity, shortfall_cost for every period; only rows with a quantity."""
    position = full["periods"].set_index("period")["t"]
    rows = every_period(given, ["item", "site"], position)
    value = rows["item"].map(full["items"].set_index("item")["value"]).astype(float)
    year = full["periods"]["days"].mean() / DAYS_OF_YEAR
    cost = rows["shortfall_cost"].fillna(value * options.safety_shortfall_rate * year)
    return rows.assign(shortfall_cost=cost)[rows["quantity"] > 0].reset_index(drop=True)


def _limit(given: pd.DataFrame, names: list[str], position: pd.Series, excess_cost: float) -> pd.DataFrame:
    rows = every_period(given, names, position)
    return rows.assign(excess_cost=rows["excess_cost"].fillna(excess_cost)).reset_index(drop=True)
