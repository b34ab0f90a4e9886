"""What follows from the flows and the open sites: each site's state, the service profile, the cost to serve.

Costs here are not discounted: they are those of the period.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.network.complete import DAYS_OF_YEAR
from echelon_models.network.sets import KG

SITE = ["site", "t"]
GOODS = ["site", "product", "t"]
PARTS = ["supply", "sites", "inventory", "transport", "carbon"]


def site_states(decided: pd.DataFrame, plan: Frames, full: Frames) -> pd.DataFrame:
    """The result table `sites`: what is decided (site, t, open, steps, capacity) and what follows from it."""
    goods = goods_at_sites(plan, full)
    sums = goods.groupby(SITE)[["use", "quantity", "stock", "cost", "emissions"]].sum()
    states = decided.merge(full["sites"][["site", "kind", "region", "existing"]], on="site", sort=False)
    states = states.sort_values(SITE, key=lambda c: c.map(_order(full)) if c.name == "site" else c, ignore_index=True)
    before = states.groupby("site", sort=False)["open"].shift()
    before = before.where(before.notna(), states["existing"]).astype(bool)
    states = states.assign(opened=states["open"] & ~before, closed=~states["open"] & before)
    found = sums.reindex(pd.MultiIndex.from_frame(states[SITE])).fillna(0.0).set_axis(states.index)
    fixed = _fixed_costs(states, full)
    utilisation = found["use"] / states["capacity"].where(states["capacity"] > 0)
    return states.assign(
        use=found["use"],
        utilisation=utilisation.where(states["open"]),
        throughput=found["quantity"],
        stock=found["stock"],
        cost=found["cost"] + fixed,
        emissions=found["emissions"] + _own_emissions(states, full),
    )


def goods_at_sites(plan: Frames, full: Frames) -> pd.DataFrame:
    """site, product, t, quantity (units sent out), use, stock, emissions, and the costs supply (with recovery and
    disposal), handling, inventory; cost is their sum."""
    out = plan["flows"][plan["flows"]["kind"] != "return"].rename(columns={"origin": "site"})
    out = out.groupby(GOODS)["quantity"].sum()
    supplied = plan["supply"].groupby(GOODS)[["quantity", "cost"]].sum()
    recovered = plan["recovered"].groupby(GOODS)[["cost"]].sum()
    index = out.index.union(supplied.index).union(recovered.index)
    goods = index.to_frame(index=False).merge(full["handling"], on=["site", "product"], how="left")
    goods["quantity"] = out.reindex(index).fillna(0.0).to_numpy()
    goods["stock"] = average_stock(goods, full)
    goods = goods.merge(full["products"][["product", "value", "holding_rate"]], on="product", how="left")
    years = numbers(goods["t"], full["periods"], "t", "years")
    supply = supplied.reindex(index).fillna(0.0)
    rate = full["supply"].set_index(["site", "product"])["emissions"].reindex(index.droplevel("t")).fillna(0.0)
    goods["use"] = goods["quantity"] * goods["capacity_use"]
    goods["supply"] = supply["cost"].to_numpy() + recovered["cost"].reindex(index).fillna(0.0).to_numpy()
    goods["handling"] = goods["quantity"] * goods["cost"]
    goods["inventory"] = goods["stock"] * goods["value"] * goods["holding_rate"] * years
    goods["emissions"] = (goods["quantity"] * goods["emissions"] + supply["quantity"].to_numpy() * rate.to_numpy()) / KG
    return goods.assign(cost=goods["supply"] + goods["handling"] + goods["inventory"])


def average_stock(goods: pd.DataFrame, full: Frames) -> pd.Series:
    """Cycle stock, days of throughput, and safety stock, the lowest of the pieces' lines (units; each s, p, t)."""
    holds = goods["site"].map(full["sites"].set_index("site")["holds_stock"]).astype(bool)
    yearly = goods["quantity"] / numbers(goods["t"], full["periods"], "t", "years")
    days = numbers(goods["product"], full["products"], "product", "cycle_days")
    safety = pd.Series(0.0, goods.index)
    for product, pieces in full["pooling"].groupby("product"):
        rows = (goods["product"] == product) & (yearly > 0)
        lines = pieces["fixed"].to_numpy() + np.outer(yearly[rows], pieces["slope"])
        safety[rows] = lines.min(axis=1)
    return (yearly * days / DAYS_OF_YEAR + safety).where(holds, 0.0)


def numbers(names: pd.Series, table: pd.DataFrame, key: str, column: str) -> pd.Series:
    """The column of the row that each name names, as numbers (an empty column has no type of its own)."""
    return names.map(table.set_index(key)[column]).astype(float)


def _order(full: Frames) -> dict[Any, int]:
    """Site -> its place in the case."""
    return {site: n for n, site in enumerate(full["sites"]["site"])}


def _fixed_costs(states: pd.DataFrame, full: Frames) -> pd.Series:
    """Opening, closing, running and capacity steps of each site in each period."""
    rows = full["sites"].set_index("site").reindex(states["site"]).reset_index(drop=True)
    years = numbers(states["t"], full["periods"], "t", "years").to_numpy()
    own = states["opened"] * rows["opening_cost"] + states["closed"] * rows["closing_cost"]
    return own + states["open"] * rows["running_cost"] * years + _step_costs(states, full, years)


def _step_costs(states: pd.DataFrame, full: Frames, years: np.ndarray) -> pd.Series:
    """Taking steps and having them. A site that opens takes all its steps anew."""
    steps, cost = full["capacity_steps"], pd.Series(0.0, states.index)
    there = steps[steps["existing"]].groupby("site")["step"].max()
    start = states["site"].map(there).fillna(0).astype(int)
    before = states.groupby("site", sort=False)["steps"].shift()
    before = before.where(before.notna(), start).where(~states["opened"], 0)
    for step in steps.itertuples(index=False):
        has = (states["site"] == step.site) & (states["steps"] >= step.step)
        cost += has * step.running_cost * years + (has & (before < step.step)) * step.cost
    return cost


def _own_emissions(states: pd.DataFrame, full: Frames) -> pd.Series:
    """Emissions of having a site open, t CO2."""
    yearly = numbers(states["site"], full["sites"], "site", "emissions")
    return states["open"] * yearly * numbers(states["t"], full["periods"], "t", "years") / KG


def service_profile(plan: Frames, full: Frames, bands: tuple[float, ...]) -> pd.DataFrame:
    """The result table `service`: the demand of each group and period by the distance it is served from."""
    labels = _band_labels(bands)
    group = full["customers"].set_index("customer")["group"]
    period = full["periods"].set_index("t")["period"]
    given = plan["flows"][plan["flows"]["kind"] == "delivery"]
    number = np.searchsorted(np.array(bands), given["distance"].to_numpy(dtype=float), side="left")
    number = np.where(given["distance"].isna(), len(bands) + 1, number)
    rows = pd.DataFrame({"group": given["destination"].map(group).to_numpy(), "t": given["t"].to_numpy(),
                         "number": number, "quantity": given["quantity"].to_numpy()})  # fmt: skip
    served = plan["served"].assign(group=plan["served"]["customer"].map(group))
    missing = pd.DataFrame({"group": served["group"], "t": served["t"], "number": len(labels) - 1,
                            "quantity": served["demand"] - served["served"]})  # fmt: skip
    rows = pd.concat([rows, missing[missing["quantity"] > 1e-6]])
    sums = rows.groupby(["group", "t", "number"], as_index=False)["quantity"].sum()
    wanted = served.groupby(["group", "t"])["demand"].sum()
    total = wanted.reindex(pd.MultiIndex.from_frame(sums[["group", "t"]])).to_numpy()
    return sums.assign(
        period=sums["t"].map(period), band=[labels[int(n)] for n in sums["number"]], share=sums["quantity"] / total
    )


def _band_labels(bands: tuple[float, ...]) -> list[str]:
    bounds = [0.0, *bands]
    between = [f"{a:g} to {b:g}" for a, b in itertools.pairwise(bounds)]
    return [*between, f"over {bands[-1]:g}", "not known", "not served"]


def cost_to_serve(plan: Frames, full: Frames) -> pd.DataFrame:
    """The result table `cost_to_serve`: every cost laid on the goods it is for.

    What a site costs falls on the units it sends out (its fixed cost by their capacity use), with what they cost before
    they came: unit costs v solve (diag(through) - moves in)·v = the site's own cost, for each product and period. Costs
    of sites that send nothing out fall on all units served in the period.
    """
    group = full["customers"].set_index("customer")["group"]
    pools = _pools(plan, full)
    flows = plan["flows"].assign(carbon=plan["flows"]["emissions"] * _priced(plan["flows"], full))
    deliveries = flows[flows["kind"] == "delivery"]
    lanes = flows[flows["kind"] == "lane"]
    served = deliveries[["origin", "destination", "product", "t", "quantity"]].reset_index(drop=True)
    costs = pd.DataFrame(0.0, served.index, PARTS)
    costs["transport"] = (deliveries["cost"] + deliveries["duty"]).to_numpy()
    costs["carbon"] = deliveries["carbon"].to_numpy()
    idle = pd.DataFrame(0.0, full["periods"]["t"], PARTS)
    for (product, t), pool in pools.groupby(["product", "t"]):
        sites = pool["site"].tolist()
        rows = served.index[(served["product"] == product) & (served["t"] == t)]
        moved = lanes[(lanes["product"] == product) & (lanes["t"] == t)]
        unit, useless = _unit_costs(pool, moved, sites)
        idle.loc[t] += useless
        place = pd.Index(sites).get_indexer(served.loc[rows, "origin"])
        costs.loc[rows] += unit[place] * served.loc[rows, ["quantity"]].to_numpy()
    whole = served.groupby("t")["quantity"].sum()
    share = (served["quantity"] / served["t"].map(whole)).to_numpy()
    costs += idle.reindex(served["t"]).to_numpy() * share[:, None]
    costs = costs.assign(group=served["destination"].map(group), t=served["t"], served=served["quantity"])
    sums = costs.groupby(["group", "t"], as_index=False)[["served", *PARTS]].sum()
    total = sums[PARTS].sum(axis=1)
    return sums.assign(
        period=sums["t"].map(full["periods"].set_index("t")["period"]),
        cost=total,
        cost_per_unit=total / sums["served"].where(sums["served"] > 0),
    )


def _pools(plan: Frames, full: Frames) -> pd.DataFrame:
    """site, product, t, quantity and the site's own cost by part: what is to be laid on the units it sends out."""
    goods = goods_at_sites(plan, full)
    states = plan["sites"].assign(fixed=_fixed_costs(plan["sites"], full), own=_own_emissions(plan["sites"], full))
    pool = goods.merge(states[[*SITE, "fixed", "own", "use", "throughput"]], on=SITE, how="left", suffixes=("", "_all"))
    by_use = pool["use"] / pool["use_all"].where(pool["use_all"] > 0)
    part = by_use.fillna(pool["quantity"] / pool["throughput"].where(pool["throughput"] > 0)).fillna(0.0)
    price = _priced(pool, full)
    pool["sites"] = pool["handling"] + part * pool["fixed"]
    pool["carbon"] = price * (pool["emissions"] + part * pool["own"])
    pool["transport"] = 0.0
    flows = plan["flows"]
    inbound = flows[flows["kind"] != "delivery"].rename(columns={"destination": "site"})
    inbound = inbound.assign(
        transport=inbound["cost"] + inbound["duty"],
        carbon=inbound["emissions"] * _priced(inbound, full),
        **dict.fromkeys(("quantity", "supply", "sites", "inventory"), 0.0),
    )
    idle = states[states["throughput"] <= 0].assign(
        product="", sites=lambda f: f["fixed"], carbon=lambda f: f["own"] * _priced(f, full),
        **dict.fromkeys(("quantity", "supply", "inventory", "transport"), 0.0),
    )  # fmt: skip
    columns = [*GOODS, "quantity", *PARTS]
    rows = pd.concat([pool[columns], inbound[columns], idle[columns]])
    return rows.groupby(GOODS, as_index=False)[["quantity", *PARTS]].sum()


def _priced(rows: pd.DataFrame, full: Frames) -> pd.Series:
    """The price of a t CO2 in each row's period; 0 where emissions have none."""
    return numbers(rows["t"], full["carbon"], "t", "price").fillna(0.0)


def _unit_costs(pool: pd.DataFrame, moved: pd.DataFrame, sites: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(cost of one unit by site and part, cost of sites that send nothing out by part) of one product and period."""
    quantity, own = pool["quantity"].to_numpy(), pool[PARTS].to_numpy()
    used = quantity > 0
    balance = np.diag(np.where(used, quantity, 1.0))
    place = pd.Index(sites)
    into, out_of = place.get_indexer(moved["destination"]), place.get_indexer(moved["origin"])
    np.add.at(balance, (into, out_of), -moved["quantity"].to_numpy())
    unit = np.linalg.lstsq(balance, np.where(used[:, None], own, 0.0), rcond=None)[0]
    return unit, own[~used].sum(axis=0)
