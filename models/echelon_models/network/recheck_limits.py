"""Second part of the recheck: what one site's loss leaves to the others, the limits, and demand by distance."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book, index_of
from echelon.tables import Frames
from echelon_models.network.recheck_flows import GOODS, SITE, WANT, look_up, of_period, sites_counted


def check_backup(
    book: Book, full: Frames, options: Any, timed: Frames, flows: pd.DataFrame, states: pd.DataFrame,
    goods: pd.DataFrame,
) -> None:  # fmt: skip
    """Should any one site fail, the others have the room, the way and the supply to take over."""
    said = timed["backup"]
    fails = ["failing", *WANT]
    names = index_of(said, [*fails, "site"])
    given = flows[flows["kind"] == "delivery"].rename(columns={"origin": "failing", "destination": "customer"})
    lost = given.groupby(fails)["quantity"].sum()
    covered = said.groupby(fails)["quantity"].sum().reindex(lost.index).fillna(0.0)
    book.at_most("backup covers what a site serves", options.backup_cover * lost, covered)
    book.at_most("backup is positive", -said["quantity"].set_axis(names), 0.0)
    book.none("no site is its own backup", said["failing"] == said["site"], names)
    ways = _lawful_pairs(full)
    book.none("backup has a way", ~index_of(said, ["site", "customer", "product"]).isin(ways), names)
    wanted = look_up(full["demand"], WANT, "quantity", said, WANT).fillna(0.0).astype(float)
    book.at_most("backup is no more than the demand", said["quantity"].set_axis(names), wanted)
    is_open = look_up(states, SITE, "open", said, SITE).fillna(False).astype(bool)
    book.none("backup sites are open", ~is_open, names)
    use = look_up(full["handling"], ["site", "product"], "capacity_use", said, ["site", "product"]).astype(float)
    extra = (said["quantity"] * use).groupby([said["failing"], said["site"], said["t"]]).sum()
    anyway = goods.groupby(SITE)["use"].sum().reindex(extra.index.droplevel(0)).fillna(0.0).to_numpy()
    room = states.set_index(SITE)["capacity"].reindex(extra.index.droplevel(0)).fillna(np.inf).to_numpy()
    book.at_most("backup fits the capacity left", extra + anyway, room)
    _check_backup_supply(book, full, options, goods, states)


def _lawful_pairs(full: Frames) -> pd.Index:
    """(site, customer, product) that a delivery may join, laws considered."""
    ways = full["deliveries"][["site", "customer", "from_region", "to_region"]].drop_duplicates()
    ways = ways.merge(full["products"][["product", "product_class"]], how="cross")
    for law in full["jurisdictions"].itertuples(index=False):
        of_class = (ways["product_class"] == law.product_class) | (law.product_class == "")
        out, into = ways["from_region"] == law.region, ways["to_region"] == law.region
        broken = {"no_handling": out, "no_export": out & ~into, "no_import": into & ~out}[law.rule]
        ways = ways[~(of_class & broken)]
    return index_of(ways, ["site", "customer", "product"])


def _check_backup_supply(book: Book, full: Frames, options: Any, goods: pd.DataFrame, states: pd.DataFrame) -> None:
    """For each site that supplies: spare supply of the other open suppliers covers it. A supplier's capacity counts up
    to all demand of its product."""
    every = full["supply"][["site", "product", "capacity"]].merge(states[[*SITE, "open", "years"]], on="site")
    total = full["demand"].groupby(["product", "t"])["quantity"].sum()
    most = total.reindex(index_of(every, ["product", "t"])).fillna(0.0).to_numpy()
    capacity = np.minimum((every["capacity"] * every["years"]).fillna(np.inf), most)
    made = goods.set_index(GOODS)["made"].reindex(index_of(every, GOODS)).fillna(0.0).to_numpy()
    every = every.assign(made=made, spare=capacity.where(every["open"], 0.0) - made)
    whole = every.groupby(["product", "t"])["spare"].transform("sum")
    used = every["made"] > 0
    others = (whole - every["spare"])[used]
    needed = (options.backup_cover * every["made"])[used]
    book.at_most("backup of supply", needed.set_axis(index_of(every[used], GOODS)), others)


def uses_of_limits(
    full: Frames, states: pd.DataFrame, flows: pd.DataFrame, goods: pd.DataFrame, served: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """For each soft limit of the case: key, allowed, used, over, and its terms."""
    budgets = full["budgets"].assign(allowed=full["budgets"]["amount"], name="", unit="money")
    spent = states.groupby("t")["investment"].sum()
    budgets["used"] = budgets["t"].map(spent).fillna(0.0).astype(float)
    carbon = full["carbon"][full["carbon"]["cap"].notna()]
    carbon = carbon.assign(allowed=carbon["cap"], name="", unit="t CO2")
    emitted = pd.concat([frame.groupby("t")[column].sum() for frame, column in
                         ((flows, "carbon"), (goods, "emissions"), (states, "own_emissions"))])  # fmt: skip
    carbon["used"] = carbon["t"].map(emitted.groupby(level=0).sum()).fillna(0.0).astype(float)
    group = flows["destination"].map(full["customers"].set_index("customer")["group"])
    deliveries = flows.assign(group=group)[flows["kind"] == "delivery"]
    rows = []
    for row in full["service_limits"].itertuples(index=False):
        of = deliveries[deliveries["t"] == row.t]
        wanted = served[served["t"] == row.t]
        if row.group:
            of, wanted = of[of["group"] == row.group], wanted[wanted["group"] == row.group]
        length = of["way_distance"] if row.measure == "distance" else of["way_hours"]
        total = wanted["demand"].sum()
        rows.append((total - of.loc[length <= row.within, "quantity"].sum(), (1 - row.share) * total, total))
    service = full["service_limits"].reset_index(drop=True)
    service[["used", "allowed", "total"]] = pd.DataFrame(rows, index=service.index, dtype=float, columns=range(3))
    units = {"distance": "km", "time": "hours"}
    beyond = [f"units beyond {w:g} {units[m]}" for w, m in zip(service["within"], service["measure"], strict=True)]
    service = service.assign(name=service["group"], unit=beyond)[service["total"] > 0]
    uses = {"budget": budgets, "service": service, "carbon": carbon}
    return {kind: rows.assign(over=(rows["used"] - rows["allowed"]).clip(lower=0.0)) for kind, rows in uses.items()}


def site_resources(
    full: Frames, states: pd.DataFrame, goods: pd.DataFrame, recovered: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """For each hard limit of sites and on their number: name, unit, t, allowed, used."""
    opened = states[states["open"]]
    limited = opened[opened["own_capacity"].notna()]
    use = goods.groupby(SITE)["use"].sum().reindex(index_of(limited, SITE)).fillna(0.0).to_numpy()
    resources = {
        "site capacity": pd.DataFrame(
            {"name": limited["site"], "unit": "capacity units", "t": limited["t"], "allowed": limited["capacity"],
             "used": use}
        )
    }  # fmt: skip
    brought = recovered.set_index(GOODS)
    for kind, table, column, used in (
        ("supply", full["supply"], "capacity", goods.set_index(GOODS)["made"]),
        ("recovery", full["recovery"], "capacity", brought["recovered"]),
        ("disposal", full["recovery"], "disposal_limit", brought["disposed"]),
    ):
        terms = table[table[column].notna()][["site", "product", column]].rename(columns={column: "most"})
        rows = terms.merge(opened[[*SITE, "years"]], on="site")
        total = used.groupby(level=[0, 1, 2]).sum().reindex(index_of(rows, GOODS)).fillna(0.0).to_numpy()
        names = [f"{s} {p}" for s, p in zip(rows["site"], rows["product"], strict=True)]
        allowed = rows["most"] * rows["years"]
        resources[kind] = rows.assign(name=names, unit="units", allowed=allowed, used=total)
    limits = full["site_limits"][full["site_limits"]["maximum"] < 1_000_000]
    names = [" ".join(part for part in row if part) for row in
             limits[["counts", "kind", "region"]].itertuples(index=False, name=None)]  # fmt: skip
    counts = np.array([sites_counted(states, row) for row in limits.itertuples(index=False)], dtype=float)
    resources["sites"] = limits.assign(name=names, unit="sites", allowed=limits["maximum"], used=counts)
    return resources


def check_limits(
    book: Book, full: Frames, said: pd.DataFrame, uses: dict[str, pd.DataFrame], resources: dict[str, pd.DataFrame]
) -> dict[str, pd.Series]:
    """Hard limits are kept, and the plan's `limits` tell capacity, use and excess truly. Returns the cost of excess by
    kind and period, discounted."""
    key = ["limit", "name", "unit", "t"]
    book.once("one row a limit and period", said, key)
    over = (said["use"] - said["capacity"]).clip(lower=0.0)
    book.equal("excess is use over capacity", said["excess"].set_axis(index_of(said, key)), over)
    known = pd.concat([rows.assign(limit=kind)[key] for kind, rows in (uses | resources).items()])
    book.none("limits are those of the case", ~index_of(said, key).isin(index_of(known, key)), index_of(said, key))
    book.none("every limit has a row", ~index_of(known, key).isin(index_of(said, key)), index_of(known, key))
    for kind, rows in (uses | resources).items():
        rows = rows.assign(limit=kind)
        for column, true in (("use", "used"), ("capacity", "allowed")):
            told = look_up(said, key, column, rows, key).astype(float)
            book.equal(f"{column} of {kind}", told.set_axis(index_of(rows, key)), rows[true].clip(lower=0.0))
    costs = {}
    for kind, rows in uses.items():
        names = index_of(rows, ["name", "unit", "t"])
        hard = rows["hard"].astype(bool)
        book.at_most(f"hard {kind}", rows["over"][hard].set_axis(names[hard]), 0.0)
        factor = of_period(full, rows["t"], "factor")
        costs[f"{kind} excess"] = (rows["over"] * rows["excess_cost"] * factor).set_axis(rows["t"])[(~hard).to_numpy()]
    return costs


def check_profile(
    book: Book, full: Frames, options: Any, said: pd.DataFrame, flows: pd.DataFrame, served: pd.DataFrame
) -> None:
    """The service profile is that of the deliveries."""
    key = ["group", "t", "band"]
    book.once("one row a band", said, key)
    bounds = [0.0, *(float(bound) for bound in options.service_bands.split(","))]
    of = flows[flows["kind"] == "delivery"]
    band = pd.Series("not known", of.index)
    for low, high in itertools.pairwise(bounds):
        inside = (of["way_distance"] <= high) & ((of["way_distance"] > low) | (low == 0.0))
        band[inside] = f"{low:g} to {high:g}"
    band[of["way_distance"] > bounds[-1]] = f"over {bounds[-1]:g}"
    group = of["destination"].map(full["customers"].set_index("customer")["group"])
    near = of["quantity"].groupby([group.rename("group"), of["t"], band.rename("band")]).sum()
    short = served.assign(band="not served", quantity=served["demand"] - served["served"])
    truth = pd.concat([near, short[short["quantity"] > 1e-6].groupby(key)["quantity"].sum()])
    index = truth.index.union(index_of(said, key))
    told = said.drop_duplicates(key).set_index(key)
    true = truth.reindex(index).fillna(0.0)
    book.equal("quantity of a band", told["quantity"].reindex(index).fillna(0.0), true)
    total = served.groupby(["group", "t"])["demand"].sum().reindex(index.droplevel(-1)).to_numpy()
    book.equal("share of a band", told["share"].reindex(index).fillna(0.0), (true / total).fillna(0.0))
