"""What must hold across the columns and tables of an ordering case: one function a rule, each naming the offenders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon.validate import Rule
from echelon_models.ordering.complete import periods
from echelon_models.ordering.schema import OrderingOptions
from echelon_models.periods import periods_follow_each_other
from echelon_models.rows import EVERY

OFFER = ["supplier", "item", "site"]


def there_is_something_to_plan(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """At least one item, one demand and one period."""
    for name in ("items", "demand"):
        if tables[name].empty:
            yield Finding(name, "the table has no rows", "Add at least one row")
    if not tables["demand"].empty and tables["periods"].empty and not _dates(tables["demand"]["period"]).notna().any():
        yield Finding("periods", "the horizon has no periods", "Add at least one period")


def periods_are_dates_where_none_are_declared(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """Without a periods table, periods must be dates, and no other table may name one outside demand's."""
    if not tables["periods"].empty:
        return
    demand = tables["demand"]
    remedy = "Write periods as YYYY-MM-DD (the day each one starts), or add a periods table"
    wrong = demand[_dates(demand["period"]).isna()]
    for row, value in wrong["period"].items():
        yield Finding("demand", "is not a date, and there is no periods table", remedy, row, "period", str(value))
    if len(wrong) or demand.empty:
        return
    known = set(periods(tables)["period"])
    for name in ("receipts", "safety_stock", "budgets", "storage", "supplier_capacity", "pinned_orders"):
        named = tables[name]["period"]
        for row, value in named[(named != EVERY) & ~named.isin(known)].items():
            yield Finding(
                name, "no such period in demand", "Add a periods table that has it", row, "period", str(value)
            )


def frozen_window_leaves_a_period(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """The frozen window is shorter than the horizon."""
    horizon = len(tables["periods"]) or tables["demand"]["period"].nunique()
    if options.frozen_periods and options.frozen_periods >= horizon:
        yield Finding("options", f"the frozen window covers the whole horizon of {horizon} periods", "Freeze fewer",
                      column="frozen_periods", value=str(options.frozen_periods), severity="warning")  # fmt: skip


def minimum_is_within_maximum(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """Some quantity between the offer's minimum and maximum is a multiple of its multiple."""
    offers = tables["offers"]
    step = offers["multiple"].fillna(0.0)
    batches = np.ceil((offers["minimum"] / step.where(step > 0)).fillna(0.0) - 1e-9).clip(lower=1)
    least = np.where(step > 0, batches * step, offers["minimum"])
    for row, low, high, least_row in zip(offers.index, offers["minimum"], offers["maximum"], least, strict=True):
        if low > high:
            yield Finding("offers", f"the minimum is over the maximum of {high:g}", "Lower it, or raise the maximum",
                          row, "minimum", f"{low:g}")  # fmt: skip
        elif least_row > high * (1 + 1e-9):
            yield Finding("offers", f"no multiple lies between the minimum and the maximum of {high:g}",
                          "Raise the maximum, or lower the multiple", row, "multiple", f"{step[row]:g}")  # fmt: skip


def price_breaks_fall(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """Within an offer, a higher break has a lower price than the one below it, and all breaks are of one kind."""
    breaks = (
        tables["price_breaks"]
        .reset_index(names="row")
        .merge(tables["offers"][[*OFFER, "price"]], on=OFFER, suffixes=("", "_offer"))
    )
    for _, group in breaks.sort_values("from_quantity").groupby(OFFER, sort=False):
        below = group["price_offer"].iloc[0]
        for line in group.itertuples():
            if line.price >= below:
                yield Finding("price_breaks", f"price breaks must fall: the price below this break is {below:g}",
                              "Lower it, or remove the break", line.row, "price", f"{line.price:g}")  # fmt: skip
            if line.kind != group["kind"].iloc[0]:
                yield Finding("price_breaks", "the breaks of one offer must be of one kind",
                              "Write all_units or incremental in all of them", line.row, "kind", line.kind)  # fmt: skip
            below = line.price


def demand_can_be_served(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """Each item and site with demand has an offer, stock, a receipt, or a lane from a site that can be supplied."""
    demand = tables["demand"][tables["demand"]["quantity"] > 0]
    supplied = pd.concat([tables[name][["item", "site"]] for name in ("offers", "stock", "receipts")])
    pairs = set(zip(supplied["item"], supplied["site"], strict=True))
    lanes = tables["lanes"]
    hops = list(zip(lanes["from_site"], lanes["to_site"], lanes["item"], strict=True))
    for _ in range(len(set(lanes["to_site"]))):
        more = {(item, b) for a, b, only in hops for item, site in pairs if site == a and only in (EVERY, item)} - pairs
        if not more:
            break
        pairs |= more
    unserved = ~pd.MultiIndex.from_frame(demand[["item", "site"]]).isin(pd.MultiIndex.from_tuples(pairs or [("", "")]))
    for row, line in demand[unserved].drop_duplicates(["item", "site"]).iterrows():
        yield Finding("demand", "nothing can ever serve this demand: no offer, stock, receipt or lane",
                      "Add an offer for this item and site", int(str(row)), "item, site",
                      f"{line['item']}, {line['site']}")  # fmt: skip


def lead_times_end_within_the_horizon(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """An offer whose lead time is as long as the horizon can never deliver (a warning)."""
    if tables["periods"].empty and _dates(tables["demand"]["period"]).isna().any():
        return
    horizon, offers = len(periods(tables)), tables["offers"]
    for row, lead_time in offers.loc[offers["lead_time"] >= horizon, "lead_time"].items():
        rule = f"the lead time is beyond the horizon of {horizon} periods: nothing ordered now arrives"
        yield Finding("offers", rule, "Add periods, or correct the lead time", row, "lead_time", str(lead_time),
                      severity="warning")  # fmt: skip


def lanes_lead_elsewhere(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """A lane joins two different sites."""
    lanes = tables["lanes"]
    for row, site in lanes.loc[lanes["from_site"] == lanes["to_site"], "to_site"].items():
        yield Finding("lanes", "the lane leads back to its own site", "Name another site", row, "to_site", str(site))


def sites_are_known_elsewhere(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """Without a sites table, a site must be named by demand, an offer, stock or a lane: elsewhere it is a typo."""
    if not tables["sites"].empty:
        return
    known = set(pd.concat([tables[name]["site"] for name in ("demand", "offers", "stock")]))
    known |= set(tables["lanes"]["from_site"]) | set(tables["lanes"]["to_site"])
    for name, column in (("storage", "site"), ("safety_stock", "site"), ("receipts", "site"), ("shortages", "site")):
        named = tables[name][column]
        for row, site in named[(named != EVERY) & ~named.isin(known)].items():
            yield Finding(name, "no other table knows this site", "Correct it, or add a sites table", row, column, site)


def budgets_name_a_department(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """A budget's department is the department of some item."""
    budgets, known = tables["budgets"], set(tables["items"]["department"])
    for row, name in budgets.loc[~budgets["department"].isin({*known, EVERY}), "department"].items():
        yield Finding("budgets", "no item belongs to this department", f"Write one of: {', '.join(sorted(known))}",
                      row, "department", str(name))  # fmt: skip


def shares_can_add_up(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """Smallest shares of an item's suppliers add up to at most 1, largest shares of all to at least 1."""
    shares, offers = tables["shares"], tables["offers"]
    for row, line in shares.iterrows():
        if line["min_share"] > line["max_share"]:
            yield Finding("shares", f"the smallest share is over the largest of {line['max_share']:g}", "Lower it",
                          int(str(row)), "min_share", f"{line['min_share']:g}")  # fmt: skip
        if not ((offers["supplier"] == line["supplier"]) & (offers["item"] == line["item"])).any():
            yield Finding("shares", "this supplier has no offer for this item", "Add an offer, or remove the share",
                          int(str(row)), "supplier, item", f"{line['supplier']}, {line['item']}")  # fmt: skip
    for item, group in shares.groupby("item", sort=False):
        suppliers = set(offers.loc[offers["item"] == item, "supplier"])
        if group["min_share"].sum() > 1 + 1e-9:
            yield Finding("shares", f"the smallest shares of {item} add up to more than 1", "Lower them",
                          int(group.index[-1]), "min_share", f"{group['min_share'].sum():g}")  # fmt: skip
        if suppliers <= set(group["supplier"]) and group["max_share"].sum() < 1 - 1e-9:
            yield Finding("shares", f"the largest shares of {item} add up to less than 1", "Raise them",
                          int(group.index[-1]), "max_share", f"{group['max_share'].sum():g}")  # fmt: skip


def pinned_orders_keep_the_offers_terms(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """A pinned order outside its offer's minimum, multiple or maximum is kept, with a warning."""
    pinned = tables["pinned_orders"].reset_index(names="row").merge(tables["offers"], on=OFFER, suffixes=("", "_offer"))
    for line in pinned[pinned["quantity"] > 0].itertuples():
        batches = line.quantity / line.multiple if line.multiple == line.multiple else 0.0
        broken = [
            f"minimum of {line.minimum:g}" if line.quantity < line.minimum else "",
            f"maximum of {line.maximum:g}" if line.quantity > line.maximum else "",
            f"multiple of {line.multiple:g}" if abs(batches - round(batches)) > 1e-6 else "",
        ]
        if any(broken):
            yield Finding("pinned_orders", f"the pinned order breaks the offer's {', '.join(b for b in broken if b)}",
                          "It is kept as it stands; correct it if this is not meant", line.row, "quantity",
                          f"{line.quantity:g}", severity="warning")  # fmt: skip


def minimums_fit_the_need(tables: Frames, options: OrderingOptions) -> Iterator[Finding]:
    """A minimum quantity far over all demand of the horizon is worth a look (a warning)."""
    offers = tables["offers"]
    need = tables["demand"].groupby("item")["quantity"].sum()
    total = offers["item"].map(need).astype("float64").fillna(0.0)
    for row in offers.index[(offers["minimum"] > 2 * total) & (total > 0)]:
        yield Finding("offers", f"the minimum is over twice the item's whole demand of {total[row]:g}",
                      "Ask for a smaller minimum, or expect stock left at the end", row, "minimum",
                      f"{offers.loc[row, 'minimum']:g}", severity="warning")  # fmt: skip


def _dates(labels: pd.Series) -> pd.Series:
    """The labels as dates; blank where one is not a date, or is not written in full (2026-1-5)."""
    names = pd.Series(labels.unique())
    parsed: Any = pd.to_datetime(names, format="%Y-%m-%d", errors="coerce")
    parsed = parsed.where(parsed.dt.strftime("%Y-%m-%d") == names)
    return labels.map(dict(zip(names, parsed, strict=True)))


RULES = (
    Rule(there_is_something_to_plan, ("items", "demand", "periods")),
    Rule(
        periods_are_dates_where_none_are_declared,
        ("demand", "periods", "receipts", "safety_stock", "budgets", "storage", "supplier_capacity", "pinned_orders"),
    ),
    Rule(periods_follow_each_other, ("periods",)),
    Rule(frozen_window_leaves_a_period, ("periods", "demand")),
    Rule(minimum_is_within_maximum, ("offers",)),
    Rule(price_breaks_fall, ("offers", "price_breaks")),
    Rule(demand_can_be_served, ("items", "demand", "offers", "stock", "receipts", "lanes")),
    Rule(lead_times_end_within_the_horizon, ("offers", "demand", "periods")),
    Rule(lanes_lead_elsewhere, ("lanes",)),
    Rule(
        sites_are_known_elsewhere,
        ("sites", "demand", "offers", "stock", "storage", "safety_stock", "receipts", "shortages", "lanes"),
    ),
    Rule(budgets_name_a_department, ("budgets", "items")),
    Rule(shares_can_add_up, ("shares", "offers")),
    Rule(pinned_orders_keep_the_offers_terms, ("pinned_orders", "offers")),
    Rule(minimums_fit_the_need, ("offers", "demand")),
)  # fmt: skip
