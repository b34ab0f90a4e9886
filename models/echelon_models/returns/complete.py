"""Fill what a case leaves open: days, loads, defaults, what the law allows, what destinations make of each product.

The result is the case in full, with days as positions `t` (0 is the first) and times of day as seconds after midnight.
The model and the recheck both start from it, and share nothing else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.geography import great_circle
from echelon_models.returns.clock import seconds
from echelon_models.returns.schema import ALL_GOODS, DIMENSIONS, NO_LIMIT, ReturnsOptions
from echelon_models.returns.slow_movers import HOLD, slow_movers
from echelon_models.rows import EVERY

GOODS = ["stop", "product", "option"]
ONE_DAY = {"day": ["1"], "date": [pd.NaT]}


def complete(tables: Frames, options: ReturnsOptions) -> Frames:
    """The tables in full. Adds `goods` (all that is to be collected and recovered), `all_places`, `inlets` (which hub
    may take a stop's goods), `ways` (line-haul), `terms` (what destinations would make of each product, the law left
    aside) and `outlets` (which hub may send which product where)."""
    full = dict(tables)
    full["days"] = _days(tables["days"])
    position = full["days"].set_index("day")["t"]
    full["all_places"] = _all_places(tables)
    full["vehicles"] = _vehicles(tables)
    full["breaks"] = _breaks(tables)
    full["windows"] = _windows(tables["windows"], position)
    full["distances"] = tables["distances"].assign(
        from_time=_seconds(tables["distances"]["from_time"].replace("", "00:00"))
    )
    full["products"] = _products(tables)
    full["terms"] = _terms(tables, full["products"])
    full["recovery"] = _lawful(full["terms"], tables["jurisdictions"])
    full["stock_lines"] = tables["slow_movers"]
    full["slow_movers"] = slow_movers(full, full["recovery"], options)
    full["goods"] = _goods(tables["returns"], full["slow_movers"])
    full["stops"] = _stops(tables, full, position, options)
    full["inlets"] = _inlets(full)
    full["ways"] = _ways(tables, full, options)
    full["outlets"] = _outlets(full)
    if tables["destinations"].empty:  # goods end their way at the hub
        full["goods"] = full["goods"].iloc[:0]
    return full


def without_laws(full: Frames) -> Frames:
    """A completed case as it would be if no law of a region kept goods from anywhere. Flags of slow movers stay."""
    free = full | {"jurisdictions": full["jurisdictions"].iloc[:0], "recovery": full["terms"]}
    return free | {"inlets": _inlets(free), "outlets": _outlets(free)}


def _days(given: pd.DataFrame) -> pd.DataFrame:
    days = given if not given.empty else pd.DataFrame(ONE_DAY)
    return days[["day", "date"]].assign(t=np.arange(len(days)), day=days["day"].astype("str")).reset_index(drop=True)


def _seconds(times: pd.Series) -> pd.Series:
    """Times of day as seconds after midnight; -1 where the text is none (a rule has refused it by then)."""
    return times.map(lambda text: -1 if seconds(text) is None else seconds(text)).astype("int64")


def _all_places(tables: Frames) -> pd.DataFrame:
    """place, kind, latitude, longitude of hubs, stops, places and destinations."""
    parts = [
        tables[f"{kind}s"][[kind, "latitude", "longitude"]].rename(columns={kind: "place"}).assign(kind=kind)
        for kind in ("hub", "stop", "place", "destination")
    ]
    places = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return places.astype({"latitude": float, "longitude": float})


def _vehicles(tables: Frames) -> pd.DataFrame:
    """The types with start, end, the hubs they unload at, and shifts in seconds."""
    given, hubs = tables["vehicles"], tables["hubs"]["hub"].tolist()
    start = given["start"].where(given["start"] != "", hubs[0] if hubs else "")
    end = given["end"].where(given["end"] != "", start)
    at_end = end.where(end.isin(hubs), ",".join(hubs))
    return given.assign(
        start=start,
        end=end,
        unloads_at=given["unloads_at"].where(given["unloads_at"] != "", at_end),
        shift_start=_seconds(given["shift_start"]),
        shift_end=_seconds(given["shift_end"]),
    ).reset_index(drop=True)


def names(listed: str) -> list[str]:
    """The names in a cell that lists several, separated by commas."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def _breaks(tables: Frames) -> pd.DataFrame:
    """vehicle, earliest, latest (seconds), minutes: a blank vehicle stands for every type without a row of its own."""
    given = tables["breaks"]
    named = given[given["vehicle"] != EVERY]
    others = tables["vehicles"].loc[~tables["vehicles"]["vehicle"].isin(named["vehicle"]), ["vehicle"]]
    unfolded = given[given["vehicle"] == EVERY].drop(columns="vehicle").merge(others, how="cross")
    rows = pd.concat([named, unfolded], ignore_index=True)[["vehicle", "earliest", "latest", "minutes"]]
    rows = rows.assign(earliest=_seconds(rows["earliest"]), latest=_seconds(rows["latest"]))
    return rows.sort_values(["vehicle", "earliest"], ignore_index=True)


def _windows(given: pd.DataFrame, position: pd.Series) -> pd.DataFrame:
    """place, t, opens, closes (seconds after the midnight of day t): for the places that are not always open."""
    named = given[given["day"] != EVERY]
    every = given[given["day"] == EVERY].drop(columns="day")
    unfolded = every.merge(pd.DataFrame({"day": position.index.astype("str")}), how="cross")
    own = pd.MultiIndex.from_frame(named[["place", "day"]])
    unfolded = unfolded[~pd.MultiIndex.from_frame(unfolded[["place", "day"]]).isin(own)]
    rows = pd.concat([named, unfolded], ignore_index=True)
    rows = rows.assign(t=rows["day"].map(position), opens=_seconds(rows["opens"]), closes=_seconds(rows["closes"]))
    return rows[["place", "t", "opens", "closes"]].sort_values(["place", "t", "opens"], ignore_index=True)


def _products(tables: Frames) -> pd.DataFrame:
    """The products; those that the case does not declare have no weight and are worth what slow movers say."""
    given = tables["products"]
    if not given.empty:
        return given
    moving = tables["slow_movers"]
    names = sorted({*tables["returns"]["product"], *moving["product"]}) or [ALL_GOODS]
    value = moving.groupby("product")["unit_value"].mean().reindex(names).astype(float).fillna(0.0).to_numpy()
    blank = {"description": "", "product_class": "", "weight": 0.0, "volume": 0.0, "pallets": 0.0}
    return pd.DataFrame({"product": names}).assign(**blank, value=value)


def _terms(tables: Frames, products: pd.DataFrame) -> pd.DataFrame:
    """destination, product, kind, product_class, region, yield_rate, gain (money a good unit), cost, residue_cost,
    emissions, net (money a unit): what a destination makes of each product that it takes."""
    destinations = tables["destinations"][["destination", "kind", "region"]]
    pairs = destinations.merge(
        products[["product", "product_class", "value"]].rename(columns={"value": "worth"}), how="cross"
    )
    given = tables["recovery"].drop(columns=["status", "notes"])
    if given.empty:
        whole = {
            "yield_rate": 1.0,
            "value_share": 1.0,
            "value": 0.0,
            "cost": 0.0,
            "residue_cost": 0.0,
            "emissions": 0.0,
        }
        rows = pairs.assign(**whole)
    else:
        of_class = pairs.merge(given, on=["destination", "product_class"])
        every = pairs.merge(given[given["product_class"] == EVERY].drop(columns="product_class"), on="destination")
        rows = pd.concat([of_class, every], ignore_index=True).drop_duplicates(["destination", "product"])
    gain = rows["value_share"] * rows["worth"] + rows["value"]
    net = rows["yield_rate"] * gain - rows["cost"] - (1 - rows["yield_rate"]) * rows["residue_cost"]
    kept = ["yield_rate", "gain", "cost", "residue_cost", "emissions", "net"]
    rows = rows.assign(gain=gain, net=net)[["destination", "product", "kind", "product_class", "region", *kept]]
    return rows.sort_values(["destination", "product"], ignore_index=True)


def _lawful(terms: pd.DataFrame, laws: pd.DataFrame) -> pd.DataFrame:
    """The terms of what destinations may handle by the law of their region."""
    allowed = [not forbids(laws, c, r) for c, r in zip(terms["product_class"], terms["region"], strict=True)]
    return terms.loc[allowed].reset_index(drop=True)


def forbids(laws: pd.DataFrame, product_class: str, region: str, origin: str | None = None) -> bool:
    """Whether a law keeps goods of a class from being handled in a region, or, with `origin`, brought there from it."""
    for law in laws.itertuples(index=False):
        if law.product_class not in (EVERY, product_class):
            continue
        if origin is None:
            if law.rule == "no_handling" and law.region == region:
                return True
        elif origin != region and law.region == {"no_import": region, "no_export": origin}.get(law.rule):
            return True
    return False


def _goods(returns: pd.DataFrame, moving: pd.DataFrame) -> pd.DataFrame:
    """stop, product, option, quantity: the case's returns, and of slow movers what is not held."""
    moved = moving[(moving["flag"] != HOLD) & (moving["moved"] > 0)]
    moved = moved.assign(option=moved["flag"], quantity=moved["moved"])[[*GOODS, "quantity"]]
    rows = pd.concat([returns[[*GOODS, "quantity"]], moved], ignore_index=True)
    return rows.groupby(GOODS, as_index=False, sort=True)["quantity"].sum().astype({"quantity": float})


def _stops(tables: Frames, full: Frames, position: pd.Series, options: ReturnsOptions) -> pd.DataFrame:
    """The stops with the days they may be visited (ready, deadline), all that is collected there in each dimension
    (load_weight, ...), what that is worth at a hub (worth), and the loss of leaving it, priority counted."""
    stops, goods = tables["stops"].reset_index(drop=True), full["goods"]
    products = full["products"].set_index("product")
    last = len(position) - 1
    filled = {
        "ready": stops["ready_day"].map(position).fillna(0).astype("int64"),
        "deadline": stops["deadline_day"].map(position).fillna(last).astype("int64"),
        "loss": stops["leaving_cost"].astype(float).fillna(options.unserved_cost) * stops["priority"],
        "must": stops["leaving_cost"].isna(),
    }
    for d in DIMENSIONS:
        of_goods = (goods["quantity"] * goods["product"].map(products[d]).astype(float)).groupby(goods["stop"]).sum()
        filled[f"load_{d}"] = stops[d] + stops["stop"].map(of_goods).fillna(0.0)
    value = (goods["quantity"] * goods["product"].map(products["value"]).astype(float)).groupby(goods["stop"]).sum()
    at_hub = stops["stop"].map(value).fillna(0.0) if tables["destinations"].empty else 0.0
    return stops.assign(**filled, worth=stops["value"] + at_hub)


def _inlets(full: Frames) -> pd.DataFrame:
    """stop, hub: the hubs that may take all that is collected at the stop."""
    classes = full["goods"].merge(full["products"][["product", "product_class"]], on="product")
    own = full["stops"][["stop", "product_class"]]
    classes = pd.concat([own, classes[["stop", "product_class"]]]).drop_duplicates()
    region = full["stops"].set_index("stop")["region"]
    laws = full["jurisdictions"]
    rows = full["stops"][["stop"]].merge(full["hubs"][["hub", "region"]], how="cross")
    if laws.empty:
        return rows[["stop", "hub"]]
    of_stop = classes.groupby("stop")["product_class"].agg(list)
    allowed = [
        not any(forbids(laws, c, r) or forbids(laws, c, r, region[s]) for c in of_stop[s])
        for s, r in zip(rows["stop"], rows["region"], strict=True)
    ]
    return rows.loc[allowed, ["stop", "hub"]].reset_index(drop=True)


def _ways(tables: Frames, full: Frames, options: ReturnsOptions) -> pd.DataFrame:
    """hub, destination, km (NaN: not known), truck_cost, weight_cost, weight, volume, pallets, trucks, emissions."""
    hubs, targets = tables["hubs"].set_index("hub"), tables["destinations"].set_index("destination")
    rows = tables["linehaul"].drop(columns=["status", "notes"])
    if rows.empty:
        pairs = tables["hubs"][["hub"]].merge(tables["destinations"][["destination"]], how="cross")
        blank = dict.fromkeys(("km", "truck_cost", *DIMENSIONS, "emissions"), np.nan)
        rows = pairs.assign(**blank, weight_cost=0.0, trucks=NO_LIMIT)
    a, b = hubs.reindex(rows["hub"]), targets.reindex(rows["destination"])
    crow = great_circle(a["latitude"], a["longitude"], b["latitude"], b["longitude"]) * options.road_factor
    km = rows["km"].astype(float).fillna(pd.Series(crow, rows.index))
    per_truck = options.truck_cost + options.truck_cost_per_km * km
    return rows.assign(
        km=km,
        truck_cost=rows["truck_cost"].astype(float).fillna(per_truck),
        weight=rows["weight"].astype(float).fillna(options.truck_weight),
        volume=rows["volume"].astype(float).fillna(options.truck_volume),
        pallets=rows["pallets"].astype(float).fillna(options.truck_pallets),
        emissions=rows["emissions"].astype(float).fillna(options.truck_emissions * km.fillna(0.0)),
    ).sort_values(["hub", "destination"], ignore_index=True)


def _outlets(full: Frames) -> pd.DataFrame:
    """hub, destination, product, kind: which hub may send which product where, by its ways and by law."""
    regions = full["ways"][["hub", "destination"]]
    regions = regions.assign(
        origin=regions["hub"].map(full["hubs"].set_index("hub")["region"]),
        region=regions["destination"].map(full["destinations"].set_index("destination")["region"]),
    )
    rows = regions.merge(full["recovery"][["destination", "product", "kind", "product_class"]], on="destination")
    laws = full["jurisdictions"]
    crossing = zip(rows["product_class"], rows["region"], rows["origin"], strict=True)
    lawful = [not forbids(laws, c, r, o) for c, r, o in crossing]
    return rows.loc[lawful, ["hub", "destination", "product", "kind"]].reset_index(drop=True)
