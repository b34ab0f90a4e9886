"""First part of the recheck: flows, awards and suppliers, derived again from the tables and what the plan decides."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book, index_of
from echelon.tables import Frames

PAIR = ["supplier", "item"]
ARC = ["supplier", "item", "site"]


def sum_by(frame: pd.DataFrame, key: list[str], value: str, index: pd.Index) -> pd.Series:
    """`value` added up by key, 0 where there is none."""
    if frame.empty:
        return pd.Series(0.0, index=index)
    return frame.groupby(key if len(key) > 1 else key[0])[value].sum().reindex(index).fillna(0.0)


def number_of(names: pd.Series, of: pd.Series) -> pd.Series:
    """The number that belongs to each name; NaN where there is none."""
    return pd.Series(of.reindex(names).to_numpy(dtype=float), names.index)


def true_flows(full: Frames, options: Any, plan: Frames) -> pd.DataFrame:
    """The plan's flows with the terms of their arcs and what a unit truly costs beyond the goods."""
    flows = plan["flows"][[*ARC, "quantity"]].merge(full["arcs"], on=ARC, how="left", indicator="known")
    items, suppliers = full["items"].set_index("item"), full["suppliers"].set_index("supplier")
    offers = full["offers"].set_index(PAIR).reindex(index_of(flows, PAIR)).reset_index(drop=True)
    demand = (
        full["demand"].set_index(["item", "site"]).reindex(index_of(flows, ["item", "site"])).reset_index(drop=True)
    )
    daily = demand["quantity"] / 365.0
    z = max(NormalDist().inv_cdf(options.service_level), 0.0)
    stock = z * np.sqrt(flows["lead_time"] * demand["deviation"] ** 2 + daily**2 * flows["lead_time_deviation"] ** 2)
    worth = number_of(flows["item"], items["value"]) * number_of(flows["item"], items["holding_rate"])
    carbon = offers["carbon"] + flows["carbon"]
    late = 1 - number_of(flows["supplier"], suppliers["on_time"])
    return flows.assign(
        price=offers["price"],
        yield_rate=offers["yield_rate"],
        good=flows["quantity"] * offers["yield_rate"],
        unit_duty=flows["duty_rate"] * offers["price"],
        unit_quality=(1 - offers["yield_rate"]) * number_of(flows["item"], items["bad_unit_cost"]),
        unit_lateness=late * number_of(flows["item"], items["late_unit_cost"]),
        unit_inventory=worth * stock * offers["yield_rate"] / demand["quantity"],
        unit_carbon=carbon,
        unit_carbon_cost=carbon * options.carbon_price,
    ).set_index(index_of(flows, ARC))


def true_awards(full: Frames, plan: Frames, flows: pd.DataFrame) -> pd.DataFrame:
    """The plan's awards with their offers' terms, what flows, and what the goods truly cost."""
    awards = plan["awards"].merge(full["offers"], on=PAIR, how="left", suffixes=("", "_offer"), indicator="known")
    index = index_of(awards, PAIR)
    awards = awards.set_index(index)
    awards["flow"] = sum_by(flows.reset_index(drop=True), PAIR, "quantity", index)
    awards["true_spend"] = _amounts(awards, full["price_breaks"])
    need = full["demand"].groupby("item")["quantity"].sum()
    items = full["items"].set_index("item")
    awards["need"] = number_of(awards["item"], need).fillna(0.0)
    awards["smallest"] = number_of(awards["item"], items["smallest_share"]) * awards["need"]
    awards["group"] = awards["item"].map(items["group"])
    return awards


def _amounts(awards: pd.DataFrame, breaks: pd.DataFrame) -> np.ndarray:
    """Price of the goods of each award: all_units takes the price of the highest break reached for the whole award;
    incremental adds for each break reached the price step on the units beyond it."""
    amounts = (awards["flow"] * awards["price"]).to_numpy(dtype=float, copy=True)
    by_offer = {key: group.sort_values("from_quantity") for key, group in breaks.groupby(PAIR)}
    for n, line in enumerate(awards.itertuples(index=False)):
        below = line.price
        for term in by_offer.get((line.supplier, line.item), breaks.iloc[:0]).itertuples():
            if line.flow < term.from_quantity * (1 - 1e-9) - 1e-6:
                break
            if term.kind == "all_units":
                amounts[n] = line.flow * term.price
            else:
                amounts[n] += (term.price - below) * (line.flow - term.from_quantity)
            below = term.price
    return amounts


def true_suppliers(full: Frames, plan: Frames, awards: pd.DataFrame) -> pd.DataFrame:
    """The plan's suppliers with their terms, their spend, and the rebate it truly earns."""
    told = plan["supplier_awards"].merge(
        full["suppliers"], on="supplier", how="left", suffixes=("", "_own"), indicator="known"
    )
    told = told.set_index(pd.Index(told["supplier"], name="who"))
    lines = awards.reset_index(drop=True)
    told["true_spend"] = sum_by(lines, ["supplier"], "true_spend", told.index)
    told["true_quantity"] = sum_by(lines, ["supplier"], "flow", told.index)
    rebates = []
    for supplier, spend in told["true_spend"].items():
        back, before = 0.0, 0.0
        for row in full["rebates"][full["rebates"]["supplier"] == supplier].sort_values("from_spend").itertuples():
            if spend < row.from_spend * (1 - 1e-6):
                break
            back = spend * row.rate if row.kind == "whole" else back + (row.rate - before) * (spend - row.from_spend)
            before = row.rate
        rebates.append(back)
    return told.assign(true_rebate=np.array(rebates, dtype=float))


def check_flows(book: Book, full: Frames, plan: Frames, flows: pd.DataFrame) -> None:
    """Flows run over known and allowed lanes and meet the demand exactly; what they cost is told truly."""
    told = plan["flows"].set_index(index_of(plan["flows"], ARC))
    book.none("every flow has an offer and a lane", True, flows.index[flows["known"] != "both"])
    book.at_most("flows are not negative", -flows["quantity"], 0.0)
    book.none("excluded pairs", True, flows.index[flows["excluded"].eq(True)])
    book.none("jurisdiction rules", True, flows.index[flows["forbidden"].eq(True)])
    demand = full["demand"].set_index(["item", "site"])["quantity"]
    good = sum_by(flows.reset_index(drop=True), ["item", "site"], "good", demand.index)
    book.equal("demand is met in good units", good, demand)
    for name, unit in (
        ("freight", "freight"), ("duty", "unit_duty"), ("quality", "unit_quality"), ("lateness", "unit_lateness"),
        ("inventory", "unit_inventory"), ("carbon", "unit_carbon"),
    ):  # fmt: skip
        book.equal(f"{name} of flows", told[name], pd.Series((flows["quantity"] * flows[unit]).to_numpy(), told.index))


def check_awards(
    book: Book, full: Frames, options: Any, plan: Frames, awards: pd.DataFrame, flows: pd.DataFrame
) -> None:
    """Every flow is awarded; awards keep the offers' terms and say truly what they are."""
    book.none("every award has an offer", True, awards.index[awards["known"] != "both"])
    book.none("every flow is awarded", True, flows.index[~index_of(flows, PAIR).isin(awards.index)])
    book.equal("the quantity is what flows", awards["quantity"], awards["flow"])
    book.equal("good units", awards["good_units"], awards["flow"] * awards["yield_rate"])
    book.equal("spend", awards["spend"], pd.Series(awards["true_spend"].to_numpy(), awards.index))
    price = awards["spend"].where(awards["quantity"] > 0, awards["unit_price"] * 0 + awards["price"])
    paid = (awards["unit_price"] * awards["quantity"]).where(awards["quantity"] > 0, awards["unit_price"])
    book.equal("the unit price is spend by quantity", paid, price)
    book.equal("award cost", awards["award_cost"], awards["award_cost_offer"])
    limited = awards[awards["capacity"].notna()]
    book.at_most("capacity of offers", limited["flow"], limited["capacity"])
    book.at_most("minimum awards", awards["minimum"], awards["flow"])
    book.at_most("smallest awards of items", awards["smallest"], awards["flow"])
    pairs = full["pairs"][full["pairs"]["rule"] == "required"]
    required = pairs.set_index(index_of(pairs, PAIR))["quantity"]
    book.at_most("required pairs", required, awards["flow"].reindex(required.index).fillna(0.0))
    barred = full["pairs"][full["pairs"]["rule"] == "excluded"]
    book.none("excluded pairs have no award", True, awards.index[awards.index.isin(index_of(barred, PAIR))])
    needed = full["items"][full["items"]["item"].isin(full["demand"]["item"])].set_index("item")
    count = awards.groupby("item").size().reindex(needed.index).fillna(0)
    book.at_most("fewest suppliers of items", needed["min_suppliers"], count)
    limit = needed["max_suppliers"].dropna()
    book.at_most("most suppliers of items", count.reindex(limit.index), limit)


def check_shares(book: Book, full: Frames, options: Any, awards: pd.DataFrame, flows: pd.DataFrame) -> None:
    """Shares of items: told truly, within the bounds of shares, incumbents and local suppliers."""
    whole = awards.groupby("item")["flow"].sum()
    share = awards["flow"] / number_of(awards["item"], whole)
    book.equal("shares are told truly", awards["share"], share.fillna(0.0))
    current = full["current_awards"].set_index(index_of(full["current_awards"], PAIR))
    today = current["share"].reindex(awards.index).fillna(0.0)
    book.equal("changes are told truly", awards["change"], share.fillna(0.0) - today)

    def part_and_whole(index: pd.Index) -> tuple[pd.Series, pd.Series]:
        part = awards["flow"].reindex(index).fillna(0.0)
        return part, pd.Series(whole.reindex(index.get_level_values(1)).fillna(0.0).to_numpy(), index)

    rows = full["shares"].set_index(index_of(full["shares"], PAIR))
    part, all_of_it = part_and_whole(rows.index)
    book.at_most("smallest shares", rows["min_share"] * all_of_it, part, all_of_it)
    book.at_most("largest shares", part, rows["max_share"] * all_of_it, all_of_it)
    part, all_of_it = part_and_whole(current.index)
    kept = (current["share"] - current["max_loss"]).fillna(0.0)
    book.at_most("incumbents: largest loss", kept * all_of_it, part, all_of_it)
    moved = (current["share"] * all_of_it - part).clip(lower=0.0).groupby(level=1).sum()
    limit = 1.0 if options.max_change is None else options.max_change
    book.at_most("incumbents: largest change", moved, limit * whole.reindex(moved.index).fillna(0.0))
    local = flows[flows["local"].eq(True)].reset_index(drop=True).groupby("item")["quantity"].sum()
    asked = full["items"].set_index("item")["local_min_share"].reindex(whole.index).fillna(0.0)
    book.at_most("local shares", asked * whole, local.reindex(whole.index).fillna(0.0), whole)


def check_suppliers(
    book: Book, full: Frames, options: Any, plan: Frames, suppliers: pd.DataFrame, awards: pd.DataFrame
) -> None:
    """Suppliers with an award, and no others, are told, with their spend, rebate and cost; their terms are kept."""
    awarded = pd.Index(awards["supplier"].unique())
    book.none("suppliers with an award are told", True, awarded.symmetric_difference(suppliers.index))
    lines = awards[awards["flow"] > 0].reset_index(drop=True)
    items = lines.groupby("supplier")["item"].nunique().reindex(suppliers.index).fillna(0)
    book.equal("number of items", suppliers["items"].astype(float), items)
    book.equal("quantity of suppliers", suppliers["quantity"], suppliers["true_quantity"])
    book.equal("spend of suppliers", suppliers["spend"], suppliers["true_spend"])
    total = awards["true_spend"].sum()
    book.equal("share of spend", suppliers["share"], suppliers["true_spend"] / total if total else 0.0)
    book.equal("rebates", suppliers["rebate"], suppliers["true_rebate"])
    book.equal("activation cost", suppliers["activation_cost"], suppliers["activation_cost_own"])
    limited = suppliers[suppliers["capacity"].notna()]
    book.at_most("capacity of suppliers", limited["true_quantity"], limited["capacity"])
    book.at_most("minimum spend", suppliers["minimum_spend"], suppliers["true_spend"])
    number = pd.Series([float(len(awarded))], ["all items"])
    book.at_most("fewest suppliers in all", pd.Series([float(options.min_suppliers)], ["all items"]), number)
    book.at_most("most suppliers in all", number, np.inf if options.max_suppliers is None else options.max_suppliers)


def check_caps(book: Book, full: Frames, awards: pd.DataFrame) -> None:
    """Shares of spend by supplier, parent and region, within groups of items."""
    known = full["suppliers"].set_index("supplier", drop=False)
    lines = awards.reset_index(drop=True)
    for kind in ("supplier", "parent", "region"):
        rows = full["caps"][full["caps"]["kind"] == kind]
        part, limit, whole = {}, {}, {}
        for cap in rows.itertuples():
            inside = lines if cap.group == "" else lines[lines["group"] == cap.group]
            member = inside["supplier"].map(known[kind]) == cap.name
            key = (cap.name, cap.group)
            part[key], whole[key] = inside.loc[member, "true_spend"].sum(), inside["true_spend"].sum()
            limit[key] = cap.max_share * whole[key]
        part_s, limit_s, whole_s = (pd.Series(d, dtype=float) for d in (part, limit, whole))
        book.at_most(f"{kind} caps", part_s, limit_s, whole_s)
