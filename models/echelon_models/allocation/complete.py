"""Fill what a case leaves open: default costs, lanes of every item, lead times from past deliveries, scenarios drawn.

The result is the case in full. The formulation and the recheck both start from it, and share nothing else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.allocation.reliability import reliability
from echelon_models.allocation.schema import AllocationOptions
from echelon_models.rows import EVERY


def complete(tables: Frames, options: AllocationOptions) -> Frames:
    """The tables in full; adds `arcs` (a row for every offer at every site it can be delivered to), `losses` (what each
    scenario leaves of a supplier's award, only where that is less than 1) and `reliability`."""
    full = dict(tables)
    full["reliability"] = reliability(tables["deliveries"], options.as_of, options.confidence)
    full["demand"] = tables["demand"][tables["demand"]["quantity"] > 0]
    full["suppliers"] = _suppliers(tables, full["reliability"])
    full["sites"] = _sites(tables)
    full["items"] = _items(tables, options)
    full["price_breaks"] = tables["price_breaks"].sort_values(["supplier", "item", "from_quantity"])
    full["rebates"] = tables["rebates"].sort_values(["supplier", "from_spend"])
    full["arcs"] = _arcs(full)
    full["caps"] = _caps(tables["caps"], full["suppliers"])
    full["ceilings"] = _ceilings(tables["ceilings"], options)
    full["scenarios"], full["losses"] = _scenarios(tables, full["suppliers"], options)
    return full


def _suppliers(tables: Frames, record: pd.DataFrame) -> pd.DataFrame:
    """The given suppliers or, where the case has none, those of `offers`; their on-time probability, the rest of their
    record, and a parent company each."""
    given = tables["suppliers"]
    if given.empty:
        names = pd.DataFrame({"supplier": sorted(set(tables["offers"]["supplier"]))})
        given = given.drop(columns="supplier").reindex(names.index).assign(supplier=names["supplier"])
        text = ["description", "region", "parent"]
        numbers = ["activation_cost", "minimum_spend", "disruption_probability", "capacity_left"]
        given = given.fillna(dict.fromkeys(text, "") | dict.fromkeys(numbers, 0.0))
    known = record.set_index("supplier").reindex(given["supplier"]).set_axis(given.index)
    return given.assign(
        on_time=given["on_time"].astype(float).fillna(known["on_time"]).fillna(1.0),
        parent=given["parent"].where(given["parent"] != "", given["supplier"]),
        lead_time=known["lead_time_mean"],
        lead_time_deviation=known["lead_time_deviation"],
    )


def _sites(tables: Frames) -> pd.DataFrame:
    if not tables["sites"].empty:
        return tables["sites"]
    return pd.DataFrame({"site": sorted(set(tables["demand"]["site"]))}).assign(description="", region="")


def _items(tables: Frames, options: AllocationOptions) -> pd.DataFrame:
    items, prices = tables["items"], tables["offers"].groupby("item")["price"]
    cheapest, dearest = (items["item"].map(found).astype(float).fillna(0.0) for found in (prices.min(), prices.max()))
    several = (items["min_suppliers"] > 1) | (options.min_suppliers > 1)
    return items.assign(
        value=items["value"].fillna(cheapest),
        holding_rate=items["holding_rate"].fillna(options.holding_rate),
        emergency_price=items["emergency_price"].fillna(dearest * (1 + options.emergency_premium)),
        shortage_cost=items["shortage_cost"].fillna(dearest * options.shortage_factor),
        smallest_share=items["smallest_share"].fillna(several * options.smallest_share),
    )


def _arcs(full: Frames) -> pd.DataFrame:
    """supplier, item, site, the lane's terms, whether the offer is local there, and why it may not be used (`excluded`
    by a pair, `forbidden` by a jurisdiction rule)."""
    terms = ["freight", "duty_rate", "lead_time", "lead_time_deviation", "carbon"]
    arcs = full["offers"][["supplier", "item"]].merge(full["demand"][["item", "site"]], on="item")
    lanes = full["lanes"].drop(columns=["status", "notes"])
    if lanes.empty:
        arcs = arcs.assign(**dict.fromkeys(terms, 0.0)).assign(lead_time=np.nan, lead_time_deviation=np.nan)
    else:
        own = arcs.merge(lanes[lanes["item"] != EVERY], on=["supplier", "item", "site"])
        every = arcs.merge(lanes[lanes["item"] == EVERY].drop(columns="item"), on=["supplier", "site"])
        arcs = pd.concat([own, every], ignore_index=True).drop_duplicates(["supplier", "item", "site"])
    suppliers = full["suppliers"].set_index("supplier")
    for column in ("lead_time", "lead_time_deviation"):
        arcs[column] = arcs[column].astype(float).fillna(arcs["supplier"].map(suppliers[column])).fillna(0.0)
    region = arcs["supplier"].map(suppliers["region"])
    place = arcs["site"].map(full["sites"].set_index("site")["region"])
    arcs = arcs.assign(
        local=(region == place) & (region != ""),
        excluded=_excluded(arcs, full["pairs"]),
        forbidden=_forbidden(arcs, region, full),
    )
    return arcs.sort_values(["item", "site", "supplier"], ignore_index=True)


def _excluded(arcs: pd.DataFrame, pairs: pd.DataFrame) -> np.ndarray:
    barred = pairs.loc[pairs["rule"] == "excluded", ["supplier", "item"]]
    return pd.MultiIndex.from_frame(arcs[["supplier", "item"]]).isin(pd.MultiIndex.from_frame(barred))


def _forbidden(arcs: pd.DataFrame, region: pd.Series, full: Frames) -> np.ndarray:
    """Whether the item's class may not come from the supplier's region."""
    rules = full["jurisdictions"]
    item_class = arcs["item"].map(full["items"].set_index("item")["item_class"])
    here = pd.MultiIndex.from_arrays([item_class, region])
    allowed, banned = (rules[rules["rule"] == rule] for rule in ("allowed", "forbidden"))
    named = [pd.MultiIndex.from_frame(chosen[["item_class", "region"]]) for chosen in (allowed, banned)]
    return here.isin(named[1]) | (item_class.isin(allowed["item_class"]).to_numpy() & ~here.isin(named[0]))


def _caps(given: pd.DataFrame, suppliers: pd.DataFrame) -> pd.DataFrame:
    """One row a kind, name and group: a row with a blank name stands for every name that has no row of its own."""
    parts = [given[given["name"] != EVERY]]
    for kind in ("supplier", "parent", "region"):
        names = pd.DataFrame({"name": sorted(set(suppliers[kind]) - {""})})
        every = given[(given["kind"] == kind) & (given["name"] == EVERY)]
        parts.append(every.drop(columns="name").merge(names, how="cross"))
    rows = pd.concat(parts).drop_duplicates(["kind", "name", "group"])
    return rows.sort_values(["kind", "name", "group"], ignore_index=True)[["kind", "name", "group", "max_share"]]


def _ceilings(given: pd.DataFrame, options: AllocationOptions) -> pd.DataFrame:
    price = given["kind"].map({"budget": options.budget_excess_cost, "carbon": options.carbon_excess_cost})
    return given.assign(excess_cost=given["excess_cost"].fillna(price.astype(float))).reset_index(drop=True)


def _scenarios(
    tables: Frames, suppliers: pd.DataFrame, options: AllocationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """scenario, probability (where over 0); and scenario, supplier, capacity_left (where under 1)."""
    if options.draw_scenarios and tables["scenarios"].empty:
        return _draw(tables["regions"], suppliers, options)
    scenarios = tables["scenarios"].loc[tables["scenarios"]["probability"] > 0, ["scenario", "probability"]]
    strikes = tables["disruptions"]
    one = strikes[strikes["kind"] == "supplier"].rename(columns={"name": "supplier"})
    many = strikes[strikes["kind"] == "region"].rename(columns={"name": "region"})
    many = many.merge(suppliers[["supplier", "region"]], on="region")
    both = pd.concat([one, many])[["scenario", "supplier", "capacity_left"]]
    losses = both.groupby(["scenario", "supplier"], as_index=False)["capacity_left"].min()
    known = losses["scenario"].isin(scenarios["scenario"]) & losses["supplier"].isin(suppliers["supplier"])
    return scenarios.reset_index(drop=True), losses[known & (losses["capacity_left"] < 1)].reset_index(drop=True)


def _draw(
    regions: pd.DataFrame, suppliers: pd.DataFrame, options: AllocationOptions
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scenarios drawn with the seed: each supplier fails by itself, and with all others of its region where the region
    fails; the worse counts. Equal scenarios become one. The first is named draw-1, and so on."""
    random = np.random.default_rng(options.scenario_seed)
    left = np.ones((options.draw_scenarios, len(suppliers)))
    for frame, column in ((suppliers, "supplier"), (regions, "region")):
        for name, probability, rest in frame[[column, "disruption_probability", "capacity_left"]].itertuples(
            index=False
        ):
            struck = random.random(options.draw_scenarios) < probability
            members = (suppliers[column] == name).to_numpy()
            left[np.ix_(struck, members)] = np.minimum(left[np.ix_(struck, members)], rest)
    different, first, count = np.unique(left, axis=0, return_index=True, return_counts=True)
    order = np.argsort(first)
    names = [f"draw-{n + 1}" for n in range(len(order))]
    scenarios = pd.DataFrame({"scenario": names, "probability": count[order] / options.draw_scenarios})
    wide = pd.DataFrame(different[order], index=names, columns=suppliers["supplier"].to_numpy())
    losses = (
        wide.rename_axis("scenario").reset_index().melt("scenario", var_name="supplier", value_name="capacity_left")
    )
    return scenarios, losses[losses["capacity_left"] < 1].reset_index(drop=True)
