"""Recompute an order plan from the tables alone: every rule, every cost line. Plain arithmetic on frames.

It shares no code with the formulation: what the plan says it orders, sends, serves and leaves waiting is taken at its
word, everything else is derived again, and what the plan says about the rest must agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book
from echelon.family import Recheck
from echelon.tables import Frames

OFFER = ["supplier", "item", "site"]
PLACE = ["item", "site"]
LANE = ["from_site", "to_site", "item"]


def recheck(full: Frames, options: Any, plan: Frames) -> Recheck:
    """The plan's costs line by line, and the rules it breaks."""
    book = Book()
    position = full["periods"].set_index("period")["t"]
    orders = _orders(full, plan, position)
    transfers = plan["transfers"].assign(t=_positions(plan["transfers"], position))
    stock = plan["inventory"].assign(t=_positions(plan["inventory"], position))
    stock = stock.merge(full["item_sites"], on=PLACE, how="left", suffixes=("", "_place")).set_index([*PLACE, "t"])
    stock = book.once("one row a place and period", stock)

    _check_orders(book, full, options, orders)
    _check_dates(book, full, orders, transfers)
    _check_pins(book, full, orders)
    _check_transfers(book, full, transfers)
    _check_stock(book, full, orders, transfers, stock)
    _check_shares(book, full, orders)
    excess = _check_limits(book, full, plan, orders, stock, position)
    below_fill = _check_fill_rates(book, full, stock)
    return Recheck(_costs(full, orders, transfers, stock, excess, below_fill), len(book.rules), tuple(book.violations))


def _positions(frame: pd.DataFrame, position: pd.Series) -> np.ndarray:
    """The position of each row's period; NaN where there is no such period."""
    return position.reindex(frame["period"]).to_numpy()


def _orders(full: Frames, plan: Frames, position: pd.Series) -> pd.DataFrame:
    """The plan's order lines with their offers' terms, period position, arrival position, and what they really cost."""
    orders = plan["orders"].assign(t=_positions(plan["orders"], position))
    merged = orders.merge(full["offers"], on=OFFER, how="left", suffixes=("", "_offer"), indicator="known")
    merged["arrives"] = merged["t"] + merged["lead_time"]
    merged["true_amount"] = _amounts(merged, full["price_breaks"])
    keys = pd.MultiIndex.from_frame(merged[[*OFFER, "t"]])
    merged["is_pinned"] = keys.isin(pd.MultiIndex.from_frame(full["pinned_orders"][[*OFFER, "t"]]))
    return merged.set_index(keys)


def _amounts(orders: pd.DataFrame, breaks: pd.DataFrame) -> np.ndarray:
    """Price of each line: all_units takes the price of the highest break reached for the whole line; incremental adds
    for each break reached the price step on the units beyond it."""
    amounts = (orders["quantity"] * orders["price"]).to_numpy(dtype=float, copy=True)
    by_offer = {key: group.sort_values("from_quantity") for key, group in breaks.groupby(OFFER)}
    for n, line in enumerate(orders.itertuples(index=False)):
        terms = by_offer.get((line.supplier, line.item, line.site))
        if terms is None:
            continue
        below = line.price
        for _, term in terms.iterrows():
            if line.quantity < term["from_quantity"] - 1e-6:
                break
            if term["kind"] == "all_units":
                amounts[n] = line.quantity * term["price"]
            else:
                amounts[n] += (term["price"] - below) * (line.quantity - term["from_quantity"])
            below = term["price"]
    return amounts


def _check_orders(book: Book, full: Frames, options: Any, orders: pd.DataFrame) -> None:
    book.at_most("every order has an offer", (orders["known"] != "both").astype(float), 0.0)
    book.at_most("one line an offer and period", pd.Series(orders.index.duplicated(), orders.index).astype(float), 0.0)
    book.equal("the amount is price times quantity", orders["amount"], orders["true_amount"])
    book.equal("the unit price is amount by quantity", orders["unit_price"] * orders["quantity"], orders["amount"])
    free = orders[~orders["is_pinned"]]
    book.at_most("no order in the frozen window", options.frozen_periods - free["t"].astype(float), 0.0)
    book.at_most("orders arrive within the horizon", free["arrives"].astype(float), len(full["periods"]) - 1.0)
    book.at_most("minimum quantity", free["minimum"], free["quantity"])
    limited = free[free["maximum"].notna()]
    book.at_most("maximum quantity", limited["quantity"], limited["maximum"])
    batched = free[free["multiple"].notna()]
    book.equal(
        "multiple", (batched["quantity"] / batched["multiple"]).round() * batched["multiple"], batched["quantity"]
    )


def _check_dates(book: Book, full: Frames, orders: pd.DataFrame, transfers: pd.DataFrame) -> None:
    """Dates are the first days of the periods; what arrives after the horizon has none."""
    start = full["periods"].set_index("t")["start"]
    book.same("the order date is the period's", orders["order_date"], start.reindex(orders["t"]))
    book.same("the arrival date follows from the lead time", orders["arrival_date"], start.reindex(orders["arrives"]))
    book.same("the send date is the period's", transfers["send_date"], start.reindex(transfers["t"]))
    lead_time = full["lanes"].set_index(LANE)["lead_time"].reindex(pd.MultiIndex.from_frame(transfers[LANE])).to_numpy()
    arrives = start.reindex(transfers["t"] + lead_time)
    book.same("a transfer's arrival date follows from the lead time", transfers["arrival_date"], arrives)


def _check_pins(book: Book, full: Frames, orders: pd.DataFrame) -> None:
    pinned = full["pinned_orders"].set_index([*OFFER, "t"])["quantity"]
    ordered = orders.groupby(level=[0, 1, 2, 3])["quantity"].sum()
    book.equal("pinned orders are kept", ordered.reindex(pinned.index).fillna(0.0), pinned)
    book.same("pinned orders are marked", orders["pinned"], orders["is_pinned"])


def _check_transfers(book: Book, full: Frames, transfers: pd.DataFrame) -> None:
    lanes = full["lanes"].set_index(LANE)
    keys = pd.MultiIndex.from_frame(transfers[LANE])
    book.at_most("every transfer has a lane", pd.Series(~keys.isin(lanes.index), keys).astype(float), 0.0)
    book.at_most("transfers are not negative", pd.Series(-transfers["quantity"].to_numpy(), keys, dtype=float), 0.0)
    lead = lanes["lead_time"].reindex(keys).fillna(0).to_numpy()
    arrives = pd.Series(transfers["t"].to_numpy() + lead, keys, dtype=float)
    book.at_most("transfers arrive within the horizon", arrives, len(full["periods"]) - 1.0)
    transfers["arrives"] = arrives.to_numpy().astype(int)
    transfers["true_cost"] = transfers["quantity"].to_numpy() * lanes["cost"].reindex(keys).fillna(0.0).to_numpy()
    book.equal("the cost of transfers", transfers["cost"], transfers["true_cost"])


def _check_stock(book: Book, full: Frames, orders: pd.DataFrame, transfers: pd.DataFrame, stock: pd.DataFrame) -> None:
    """Stock, waiting and lost demand follow from the decisions; nothing is negative; each place keeps its policy."""
    index = stock.index
    expected = pd.MultiIndex.from_frame(full["item_sites"][PLACE].merge(full["periods"][["t"]], how="cross"))
    amiss = expected[~expected.isin(index)].append(index[~index.isin(expected)])
    book.at_most("inventory covers all places and periods, and no others", pd.Series(1.0, amiss), 0.0)
    arrived = _sum(orders.reset_index(drop=True), [*PLACE, "arrives"], index)
    arrived += _sum(transfers, ["item", "to_site", "arrives"], index)
    arrived += _sum(full["receipts"], [*PLACE, "t"], index)
    sent = _sum(transfers, ["item", "from_site", "t"], index)
    book.equal("arrivals", stock["arrivals"], arrived)
    book.equal("sent", stock["sent"], sent)
    book.equal("demand", stock["demand"], _sum(full["demand"], [*PLACE, "t"], index))
    book.equal("stock balance", stock["opening"] + arrived - sent - stock["served"], stock["closing"])
    before = stock.groupby(level=[0, 1], sort=False)[["closing", "waiting"]].shift()
    first = index.get_level_values("t") == 0
    on_hand = full["stock"].groupby(PLACE)["quantity"].sum().reindex(index.droplevel("t")).fillna(0.0).to_numpy()
    book.equal("opening stock", stock["opening"], before["closing"].where(~first, on_hand))
    waited = before["waiting"].where(~first, 0.0)
    book.equal(
        "demand is served, lost or waits", waited + stock["demand"], stock["served"] + stock["lost"] + stock["waiting"]
    )
    book.equal("the value of stock", stock["value"], stock["closing"] * stock["value_place"])
    book.equal("short", stock["short"], stock["lost"] + (stock["waiting"] - waited).clip(lower=0.0))
    for column in ("opening", "closing", "served", "lost", "waiting"):
        book.at_most(f"{column} is not negative", -stock[column], 0.0)
    book.at_most("lost demand is demand", stock["lost"], stock["demand"])
    policy = stock["policy"]
    book.at_most("demand waits only where it may", stock["waiting"][policy != "backorder"], 0.0)
    book.at_most("demand is lost only where it may be", stock["lost"][policy != "lost"], 0.0)


def _check_shares(book: Book, full: Frames, orders: pd.DataFrame) -> None:
    shares = full["shares"].set_index(["supplier", "item"])
    lines = orders.reset_index(drop=True)
    part = lines.groupby(["supplier", "item"])["quantity"].sum().reindex(shares.index).fillna(0.0)
    whole = lines.groupby("item")["quantity"].sum().reindex(shares.index.get_level_values("item")).fillna(0.0)
    whole.index = shares.index
    book.at_most("smallest share", shares["min_share"] * whole, part)
    book.at_most("largest share", part, shares["max_share"] * whole)


def _check_limits(
    book: Book, full: Frames, plan: Frames, orders: pd.DataFrame, stock: pd.DataFrame, position: pd.Series
) -> dict[str, float]:
    """Use of each limit against its capacity: hard ones are kept, and the plan's `limits` table tells use and excess
    truly. Returns the cost of excess by kind."""
    lines = orders.reset_index(drop=True)
    lines["department"] = lines["item"].map(full["items"].set_index("item")["department"])
    said = plan["limits"].assign(t=_positions(plan["limits"], position)).set_index(["limit", "name", "unit", "t"])
    said = book.once("one row a limit and period", said)
    unknown = said.index
    excess_costs = {}
    for kind, table, use in (
        ("budget", full["budgets"].rename(columns={"department": "name", "amount": "capacity"}), _spend(full, lines)),
        ("storage", full["storage"].rename(columns={"site": "name"}), _volumes(full["storage"], stock)),
        ("supplier capacity", full["supplier_capacity"].rename(columns={"supplier": "name"}), _loads(lines)),
    ):
        unit = {"budget": "money", "storage": "m³"}
        rows = table.assign(limit=kind, unit=table["measure"] if "measure" in table else unit.get(kind, ""))
        rows = rows.set_index(["limit", "name", "unit", "t"])
        used = use.reindex(rows.index.droplevel("limit")).fillna(0.0)
        used.index = rows.index
        allowed, over = _allowed(rows, used)
        book.at_most(f"hard {kind}", used[rows["hard"]], allowed[rows["hard"]])
        stated, unknown = said.reindex(rows.index), unknown.difference(rows.index)
        book.equal(f"use of {kind}", stated["use"].fillna(0.0), used)
        book.equal(f"excess of {kind}", stated["excess"].fillna(0.0), over)
        book.equal(f"capacity of {kind}", stated["capacity"], allowed)
        soft = ~rows["hard"]
        excess_costs[f"{kind} excess"] = float((over[soft] * rows["excess_cost"][soft]).sum())
    book.at_most("limits are those of the case", pd.Series(1.0, unknown), 0.0)
    return excess_costs


def _allowed(rows: pd.DataFrame, used: pd.Series) -> tuple[pd.Series, pd.Series]:
    """What each limit allows and what is used over it, period by period; what a budget leaves may be carried over to
    the next."""
    allowed, over = rows["capacity"].astype(float), (used - rows["capacity"]).clip(lower=0.0)
    if "carry_over" not in rows or not rows["carry_over"].any():
        return allowed, over
    left, name_before, t_before = 0.0, None, -1
    for key, capacity, carries in zip(rows.index, rows["capacity"], rows["carry_over"], strict=True):
        _, name, _, t = key
        left = left if name == name_before and t == t_before + 1 else 0.0
        allowed[key], room = capacity + left, capacity + left - used[key]
        over[key] = max(-room, 0.0)
        left, name_before, t_before = (max(room, 0.0) if carries else 0.0), name, t
    return allowed, over


def _spend(full: Frames, lines: pd.DataFrame) -> pd.Series:
    """Money spent on orders by (name, unit, t): each department, and the whole company under the blank name."""
    by_department = lines.assign(name=lines["department"])
    company = lines[lines["department"] != ""].assign(name="")
    both = pd.concat([by_department, company]).assign(unit="money")
    return both.groupby(["name", "unit", "t"])["true_amount"].sum()


def _volumes(limits: pd.DataFrame, stock: pd.DataFrame) -> pd.Series:
    """m³ by (name, unit, t), counted at closing or at peak as each limit says."""
    flat = stock.reset_index().merge(limits[["site", "t", "counts"]], on=["site", "t"])
    units = flat["closing"].where(flat["counts"] == "closing", flat["opening"] + flat["arrivals"])
    flat = flat.assign(used=units * flat["volume"], name=flat["site"], unit="m³")
    return flat.groupby(["name", "unit", "t"])["used"].sum()


def _loads(lines: pd.DataFrame) -> pd.Series:
    """Units and hours asked of each supplier by (name, unit, t)."""
    units = lines.assign(unit="units", load=lines["quantity"])
    hours = lines.assign(unit="hours", load=lines["hours_per_order"] + lines["hours_per_unit"] * lines["quantity"])
    return pd.concat([units, hours]).assign(name=lambda f: f["supplier"]).groupby(["name", "unit", "t"])["load"].sum()


def _check_fill_rates(book: Book, full: Frames, stock: pd.DataFrame) -> pd.Series:
    """Units by which each item and site misses its fill rate; hard ones must not."""
    places = full["item_sites"].set_index(PLACE)
    places = places[(places["fill_rate"] > 0) & (places["policy"] != "none")]
    totals = stock.groupby(level=[0, 1])[["short", "demand"]].sum().reindex(places.index).fillna(0.0)
    below = (totals["short"] - (1 - places["fill_rate"]) * totals["demand"]).clip(lower=0.0)
    book.at_most("hard fill rate", below[places["fill_rate_hard"]], 0.0)
    return below


def _costs(
    full: Frames,
    orders: pd.DataFrame,
    transfers: pd.DataFrame,
    stock: pd.DataFrame,
    excess: dict[str, float],
    below_fill: pd.Series,
) -> dict[str, float]:
    """Every cost line of the plan, money; they add up to its objective."""
    order_cost = full["suppliers"].set_index("supplier")["order_cost"]
    joint = order_cost.reindex(orders.reset_index(drop=True).drop_duplicates(["supplier", "site", "t"])["supplier"])
    year = stock.index.get_level_values("t").map(full["periods"].set_index("t")["days"]) / 365.0
    at_end = stock.index.get_level_values("t") == len(full["periods"]) - 1
    never_served = stock["lost"] + stock["waiting"].where(at_end, 0.0)
    safety = full["safety_stock"].set_index([*PLACE, "t"])
    missing = (safety["quantity"] - stock["closing"].reindex(safety.index)).clip(lower=0.0)
    fill_cost = full["item_sites"].set_index(PLACE)["fill_rate_cost"].reindex(below_fill.index)
    return {
        "purchase": float(orders["true_amount"].sum()),
        "order lines": float(orders["line_cost"].sum()),
        "supplier orders": float(joint.sum()),
        "transfers": float(transfers["true_cost"].sum()),
        "holding": float((stock["closing"] * stock["value_place"] * stock["holding_rate"] * year).sum()),
        "final stock": -float((stock["closing"] * stock["final_value"])[at_end].sum()),
        "waiting demand": float((stock["waiting"] * stock["backorder_cost"]).sum()),
        "demand never served": float((never_served * stock["lost_cost"]).sum()),
        "safety stock shortfall": float((missing * safety["shortfall_cost"]).sum()),
        "fill rate missed": float((below_fill * fill_cost).sum()),
        **excess,
    }


def _sum(frame: pd.DataFrame, key: list[str], index: pd.MultiIndex) -> pd.Series:
    """Quantity added up by key, 0 where there is none."""
    return frame.groupby(key)["quantity"].sum().reindex(index).fillna(0.0).set_axis(index)
