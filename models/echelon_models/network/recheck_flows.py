"""First part of the recheck: sites, flows, supply, demand and returns, from the tables and what the plan decides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book, index_of
from echelon.tables import Frames

SLIVER = 1e-5  # units: less than this is no delivery
SITE = ["site", "t"]
GOODS = ["site", "product", "t"]
WANT = ["customer", "product", "t"]


def look_up(frame: pd.DataFrame, key: list[str], column: str, rows: pd.DataFrame, names: list[str]) -> pd.Series:
    """The column of the row of `frame` with the key that `rows` has in `names`; NaN where there is none."""
    found = frame.drop_duplicates(key).set_index(key)[column].reindex(index_of(rows, names))
    return pd.Series(found.to_numpy(), rows.index)


def of_period(full: Frames, t: pd.Series, column: str) -> pd.Series:
    return t.map(full["periods"].set_index("t")[column]).astype(float)


def true_states(book: Book, full: Frames, said: pd.DataFrame) -> pd.DataFrame:
    """site, t, open, before, opened, closed, steps, steps_before, capacity by the case: one row a site and period."""
    book.once("one row a site and period", said, ["site", "period"])
    every = full["sites"][["site"]].merge(full["periods"][["t"]], how="cross")
    missing = ~index_of(every, SITE).isin(index_of(said, SITE))
    book.none("every site has a row in every period", missing, index_of(every, SITE))
    book.none("sites and periods are those of the case", ~index_of(said, SITE).isin(index_of(every, SITE)),
              index_of(said, ["site", "period"]))  # fmt: skip
    states = every.merge(full["sites"], on="site").sort_values(SITE, ignore_index=True)
    states["open"] = look_up(said, SITE, "open", states, SITE).fillna(False).astype(bool)
    states["steps"] = look_up(said, SITE, "steps", states, SITE).fillna(0).astype(int)
    before = states.groupby("site")["open"].shift()
    states["before"] = before.where(before.notna(), states["existing"]).astype(bool)
    states["opened"], states["closed"] = states["open"] & ~states["before"], ~states["open"] & states["before"]
    steps = full["capacity_steps"]
    there = states["site"].map(steps[steps["existing"]].groupby("site")["step"].max()).fillna(0).astype(int)
    steps_before = states.groupby("site")["steps"].shift()
    steps_before = steps_before.where(steps_before.notna(), there.where(states["existing"], 0))
    states["steps_before"] = steps_before.where(~states["opened"], 0).astype(int)
    states["years"], states["factor"] = of_period(full, states["t"], "years"), of_period(full, states["t"], "factor")
    per_step = states[["site", "steps", "steps_before"]].reset_index().merge(
        steps[["site", "step", "capacity", "cost", "running_cost"]], on="site"
    )  # fmt: skip
    has = per_step["step"] <= per_step["steps"]
    new = has & (per_step["step"] > per_step["steps_before"])
    row = per_step["index"]
    states["step_capacity"] = (per_step["capacity"] * has).groupby(row).sum().reindex(states.index).fillna(0.0)
    states["step_running"] = (per_step["running_cost"] * has).groupby(row).sum().reindex(states.index).fillna(0.0)
    states["step_cost"] = (per_step["cost"] * new).groupby(row).sum().reindex(states.index).fillna(0.0)
    states["own_capacity"] = states["capacity"]
    room = states["capacity"].where(states["open"], 0.0) + states["step_capacity"]
    states["capacity"] = (room * states["years"]).where(states["capacity"].notna())
    return states


def check_states(book: Book, full: Frames, said: pd.DataFrame, states: pd.DataFrame, goods: pd.DataFrame) -> None:
    """Pins, steps and capacity are kept; what the plan says of each site is what follows."""
    names = index_of(states, SITE)
    pinned = look_up(full["pinned_sites"], SITE, "state", states, SITE)
    wrong = pinned.notna() & ((pinned == "open") != states["open"])
    book.none("pinned sites are as they are pinned", wrong, names)
    known = states["site"].map(full["capacity_steps"].groupby("site")["step"].max()).fillna(0)
    book.none("steps are those of the case, at open sites", states["steps"] > known.where(states["open"], 0), names)
    stays = states["open"] & states["before"]
    book.none("steps stay while the site is open", stays & (states["steps"] < states["steps_before"]), names)
    sums = goods.groupby(SITE)[["use", "quantity", "stock", "own_cost", "emissions"]].sum()
    sums = sums.reindex(names).fillna(0.0).reset_index(drop=True)
    closed = ~states["open"]
    book.at_most("closed sites send nothing out", sums["quantity"][closed].set_axis(names[closed]), 0.0)
    limited = states["own_capacity"].notna() & states["open"]
    book.at_most("site capacity", sums["use"][limited].set_axis(names[limited]), states["capacity"][limited])
    fixed = (
        states["opened"] * states["opening_cost"]
        + states["closed"] * states["closing_cost"]
        + states["step_cost"]
        + states["years"] * (states["open"] * states["running_cost"] + states["step_running"])
    )
    states["investment"] = fixed - states["years"] * (states["open"] * states["running_cost"] + states["step_running"])
    states["own_emissions"] = states["open"] * states["emissions"] * states["years"] / 1000.0
    truth = {
        "kind": states["kind"], "region": states["region"], "opened": states["opened"], "closed": states["closed"],
        "capacity": states["capacity"], "use": sums["use"], "throughput": sums["quantity"], "stock": sums["stock"],
        "utilisation": (sums["use"] / states["capacity"].where(states["capacity"] > 0)).where(states["open"]),
        "cost": sums["own_cost"] + fixed, "emissions": sums["emissions"] + states["own_emissions"],
    }  # fmt: skip
    for column, true in truth.items():
        told = look_up(said, SITE, column, states, SITE)
        if true.dtype == float:
            book.equal(f"a site's {column}", told.set_axis(names).astype(float), true)
        else:
            book.none(f"a site's {column}", told.to_numpy() != true.to_numpy(), names)


def check_site_limits(book: Book, full: Frames, states: pd.DataFrame) -> None:
    limits = full["site_limits"]
    counts = pd.Series(
        [sites_counted(states, row) for row in limits.itertuples(index=False)], limits.index, dtype=float
    )
    names = index_of(limits, ["region", "kind", "counts", "t"])
    book.at_most("largest number of sites", counts.set_axis(names), limits["maximum"])
    book.at_most("smallest number of sites", limits["minimum"].set_axis(names), counts)


def sites_counted(states: pd.DataFrame, limit: Any) -> int:
    """How many sites count for a limit."""
    of = states[states["t"] == limit.t]
    of = of[of["region"] == limit.region] if limit.region else of
    of = of[of["kind"] == limit.kind] if limit.kind != "any" else of
    return int((of["opened"] | of["closed"] if limit.counts == "changed" else of[limit.counts]).sum())


def true_flows(book: Book, full: Frames, said: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """The flows with what each truly costs: transport, tariff (duty), carbon in t, and the site and customer at its
    ends."""
    key = ["kind", "origin", "destination", "mode", "product", "period"]
    names = index_of(said, key)
    book.once("one row a flow", said, key)
    book.at_most("flows are positive", -said["quantity"].set_axis(names), 0.0)
    parts = []
    for kind, ways, ends in (
        ("lane", full["lanes"], ["from_site", "to_site"]),
        ("delivery", full["deliveries"], ["site", "customer"]),
        ("return", full["deliveries"], ["customer", "site"]),
    ):
        of = said[said["kind"] == kind].reset_index(names="row")
        regions = ["from_region", "to_region"] if kind != "return" else ["to_region", "from_region"]
        terms = ways.rename(columns={ends[0]: "origin", ends[1]: "destination", regions[0]: "region_out",
                                     regions[1]: "region_in"})  # fmt: skip
        terms = terms.rename(columns={name: f"way_{name}" for name in ("distance", "hours", "cost", "emissions")})
        terms = terms.drop(columns=[c for c in ("site", "customer") if c in terms])
        parts.append(of.merge(terms, on=["origin", "destination", "mode"], how="left", indicator="known"))
    rows = [part for part in parts if len(part)] or parts[:1]
    flows = pd.concat(rows).merge(full["products"], on="product", how="left")
    flows = flows.sort_values("row", ignore_index=True)
    names = index_of(flows, key)
    book.none("every flow has a way", (flows["known"] != "both") | flows["t"].isna(), names)
    book.none("kinds of flows are known", ~said["kind"].isin(["lane", "delivery", "return"]), index_of(said, key))
    km = flows["way_distance"].fillna(0.0)
    flows["transport"] = flows["quantity"] * flows["freight"] * (flows["way_cost"] + flows["cost_per_km"] * km)
    rates = full["duties"].rename(columns={"from_region": "region_out", "to_region": "region_in"})
    lookup = ["region_out", "region_in", "product"]
    rate = look_up(rates, lookup, "rate", flows, lookup).fillna(0.0).astype(float)
    flows["tariff"] = (flows["quantity"] * rate * flows["value"]).where(flows["kind"] != "return", 0.0)
    flows["carbon"] = flows["quantity"] * flows["freight"] * flows["way_emissions"] / 1000.0
    book.equal("the distance of a flow", flows["distance"].set_axis(names), flows["way_distance"])
    book.equal("the hours of a flow", flows["hours"].set_axis(names), flows["way_hours"])
    book.equal("the cost of a flow", flows["cost"].set_axis(names), flows["transport"])
    book.equal("the duty of a flow", flows["duty"].set_axis(names), flows["tariff"])
    book.equal("the emissions of a flow", flows["emissions"].set_axis(names), flows["carbon"])
    _check_laws(book, full, flows, names)
    is_open = states.set_index(SITE)["open"]
    ends = [flows[["origin", "t"]][flows["kind"] != "return"], flows[["destination", "t"]][flows["kind"] != "delivery"]]
    used = pd.concat([pd.DataFrame(end).set_axis(SITE, axis=1) for end in ends]).drop_duplicates()
    opened = is_open.reindex(index_of(used, SITE)).fillna(False).astype(bool)
    book.none("flows begin and end at open sites", ~opened.to_numpy(), index_of(used, SITE))
    return flows


def _check_laws(book: Book, full: Frames, flows: pd.DataFrame, names: pd.Index) -> None:
    """No flow breaks a jurisdiction: row by row, whom it forbids."""
    leaves, enters = flows["kind"] != "return", flows["kind"] != "delivery"  # a site at its start, at its end
    crosses = flows["region_out"] != flows["region_in"]
    amiss = pd.Series(False, flows.index)
    for law in full["jurisdictions"].itertuples(index=False):
        of_class = (flows["product_class"] == law.product_class) | (law.product_class == "")
        out, into = flows["region_out"] == law.region, flows["region_in"] == law.region
        broken = {
            "no_handling": (out & leaves) | (into & enters),
            "no_export": out & crosses,
            "no_import": into & crosses,
        }[law.rule]
        amiss |= of_class & broken
    book.none("jurisdictions", amiss, names)


def true_goods(book: Book, full: Frames, timed: Frames, flows: pd.DataFrame, states: pd.DataFrame) -> pd.DataFrame:
    """What comes into and goes out of each site of each product, with the costs that are the site's own."""
    supply, recovered = timed["supply"], timed["recovered"]
    book.once("one row of supply", supply, ["site", "product", "period"])
    out = flows[flows["kind"] != "return"].groupby(["origin", "product", "t"])["quantity"].sum().rename_axis(GOODS)
    moved = flows[flows["kind"] == "lane"].groupby(["destination", "product", "t"])["quantity"].sum().rename_axis(GOODS)
    made = supply.groupby(GOODS)["quantity"].sum()
    again = recovered.groupby(GOODS)["recovered"].sum()
    index = out.index.union(moved.index).union(made.index).union(again.index)
    columns = {"quantity": out, "moved": moved, "made": made, "again": again}
    goods = pd.DataFrame({name: part.reindex(index).fillna(0.0) for name, part in columns.items()}, index=index)
    book.equal("what comes in goes out", goods["made"] + goods["moved"] + goods["again"], goods["quantity"])
    goods = goods.reset_index()
    terms = full["supply"].rename(columns={"cost": "supply_cost", "emissions": "supply_emissions"})
    keys = ["site", "product"]
    goods = goods.merge(terms[[*keys, "supply_cost", "supply_emissions", "capacity"]], on=keys, how="left")
    goods = goods.merge(full["handling"], on=keys, how="left")
    goods = goods.merge(full["products"][["product", "value", "holding_rate", "cycle_days", "pooling"]], on="product")
    goods = goods.merge(states[[*SITE, "holds_stock", "years", "open"]], on=SITE, how="left")
    _check_supply(book, supply, goods, terms)
    goods["use"] = goods["quantity"] * goods["capacity_use"]
    goods["stock"] = _stock(full, goods)
    goods["supply"] = goods["made"] * goods["supply_cost"].fillna(0.0)
    goods["handling"] = goods["quantity"] * goods["cost"]
    goods["inventory"] = goods["stock"] * goods["value"] * goods["holding_rate"] * goods["years"]
    spent = recovered.groupby(GOODS)["cost"].sum().reindex(index_of(goods, GOODS)).fillna(0.0).to_numpy()
    goods["own_cost"] = goods["supply"] + goods["handling"] + goods["inventory"] + spent
    made_emissions = goods["made"] * goods["supply_emissions"].fillna(0.0)
    goods["emissions"] = (made_emissions + goods["quantity"] * goods["emissions"]) / 1000.0
    return goods


def _check_supply(book: Book, supply: pd.DataFrame, goods: pd.DataFrame, terms: pd.DataFrame) -> None:
    names, keys = index_of(supply, ["site", "product", "period"]), ["site", "product"]
    unknown = ~index_of(supply, keys).isin(index_of(terms, keys))
    book.none("supply is from those who can", unknown | supply["t"].isna().to_numpy(), names)
    book.at_most("supply is positive", -supply["quantity"].set_axis(names), 0.0)
    cost = look_up(terms, keys, "supply_cost", supply, keys).fillna(0.0).astype(float)
    book.equal("the cost of supply", supply["cost"].set_axis(names), supply["quantity"] * cost)
    limited = goods[goods["capacity"].notna()]
    allowed = (limited["capacity"] * limited["years"]).where(limited["open"].fillna(False).astype(bool), 0.0)
    book.at_most("supply capacity", limited["made"].set_axis(index_of(limited, GOODS)), allowed)


def _stock(full: Frames, goods: pd.DataFrame) -> pd.Series:
    """Average stock: days of throughput, and the chords of pooling·sqrt(yearly throughput) between the breaks."""
    yearly = goods["quantity"] / goods["years"]
    safety = pd.Series(0.0, goods.index)
    for product, pieces in full["pooling"].groupby("product"):
        rows = goods["product"] == product
        breaks = np.append(pieces["low"].to_numpy(), pieces["high"].iloc[-1])
        factor = goods.loc[rows, "pooling"].to_numpy()
        safety[rows] = factor * np.interp(yearly[rows], breaks, np.sqrt(breaks))
    holds = goods["holds_stock"].fillna(False).astype(bool)
    return (yearly * goods["cycle_days"] / 365.0 + safety).where(holds, 0.0)


def check_demand(book: Book, full: Frames, said: pd.DataFrame, flows: pd.DataFrame) -> pd.DataFrame:
    """customer, product, t, demand, served, unserved_cost: all demand is served, or may be refused."""
    given = flows[flows["kind"] == "delivery"]
    key = ["destination", "product", "t"]
    total = given.groupby(key)["quantity"].sum()
    unknown = ~total.index.isin(index_of(full["demand"], WANT))
    book.none("deliveries meet a demand", unknown, total.index)
    served = full["demand"].rename(columns={"quantity": "demand"})
    names = index_of(served, WANT)
    served["served"] = total.reindex(names).fillna(0.0).to_numpy()
    customers = full["customers"].set_index("customer")
    served = served.join(customers[["unserved_cost", "group"]], on="customer")
    must = served["unserved_cost"].isna()
    book.at_most("demand is served", served["demand"][must].set_axis(names[must]), served["served"][must])
    book.at_most("no more is served than wanted", served["served"].set_axis(names), served["demand"])
    book.once("one row a demand", said, ["customer", "product", "period"])
    book.none("served are the demands of the case", ~index_of(said, WANT).isin(names), index_of(said, WANT))
    sites = given.groupby([*key, "origin"])["quantity"].sum()
    count = sites.groupby(level=[0, 1, 2]).count().reindex(names).fillna(0)
    for column, true in (("demand", served["demand"]), ("served", served["served"]), ("sites", count)):
        told = look_up(said, WANT, column, served, WANT)
        book.equal(f"{column} of a demand", told.set_axis(names).astype(float), true)
    main = look_up(said, WANT, "main_site", served, WANT).fillna("")
    largest = sites.groupby(level=[0, 1, 2]).max().reindex(names).fillna(0.0).to_numpy()
    by_main = sites.reindex(index_of(served.assign(main=main), [*WANT, "main"])).fillna(0.0)
    book.at_most("the main site serves most", pd.Series(largest, names), by_main.to_numpy())
    return served


def check_sourcing(book: Book, full: Frames, flows: pd.DataFrame) -> None:
    """As many sites a product, customer or group as its sourcing allows: one."""
    given = flows[(flows["kind"] == "delivery") & (flows["quantity"] > SLIVER)]
    customers = full["customers"].set_index("customer")[["group", "sourcing"]]
    given = given.join(customers, on="destination")
    for sourcing, key in (
        ("product", ["destination", "product", "t"]),
        ("customer", ["destination", "t"]),
        ("group", ["group", "t"]),
    ):
        sites = given[given["sourcing"] == sourcing].groupby(key)["origin"].nunique()
        book.at_most(f"one site a {sourcing}", sites.astype(float), 1.0)


def check_returns(book: Book, full: Frames, said: pd.DataFrame, flows: pd.DataFrame, states: pd.DataFrame) -> None:
    """All returns come back, to sites that recover or dispose of them within their limits."""
    back = flows[flows["kind"] == "return"]
    brought = back.groupby(["origin", "product", "t"])["quantity"].sum()
    names = index_of(full["returns"], WANT)
    book.equal("all returns are taken back", full["returns"]["quantity"].set_axis(names),
               brought.reindex(names).fillna(0.0))  # fmt: skip
    book.none("what comes back was returned", ~brought.index.isin(names), brought.index)
    book.once("one row of recovery", said, ["site", "product", "period"])
    taken = back.groupby(["destination", "product", "t"])["quantity"].sum().rename_axis(GOODS)
    keys = index_of(said, GOODS)
    index = taken.index.union(keys)
    told = pd.Series(said["returned"].to_numpy(), keys).groupby(level=[0, 1, 2]).sum().reindex(index).fillna(0.0)
    book.equal("returned is what comes back", told, taken.reindex(index).fillna(0.0))
    terms = said[["site", "product"]].merge(full["recovery"], on=["site", "product"], how="left")
    years = of_period(full, said["t"], "years")
    book.none("returns go where they can be recovered", terms["recoverable"].isna(), keys)
    book.equal("what comes back is recovered or disposed of", (said["recovered"] + said["disposed"]).set_axis(keys),
               said["returned"])  # fmt: skip
    book.at_most("recovered is positive", -said["recovered"].set_axis(keys), 0.0)
    book.at_most("disposed is positive", -said["disposed"].set_axis(keys), 0.0)
    share = said["returned"] * terms["recoverable"].fillna(0.0)
    book.at_most("recoverable share", said["recovered"].set_axis(keys), share)
    capacity = (terms["capacity"] * years).fillna(np.inf)
    book.at_most("recovery capacity", said["recovered"].set_axis(keys), capacity)
    book.at_most("disposal limit", said["disposed"].set_axis(keys), (terms["disposal_limit"] * years).fillna(np.inf))
    cost = said["recovered"] * terms["cost"] + said["disposed"] * terms["disposal_cost"]
    book.equal("the cost of recovery", said["cost"].set_axis(keys), cost)
