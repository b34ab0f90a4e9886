"""Fill what a case leaves open: periods, distances, default terms, rows that stand for every site, product or period.

The result is the case in full, each row of a period with its position `t` (0 is the first). The formulation and the
recheck both start from it, and share nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.geography import great_circle
from echelon_models.network.schema import ALL_PRODUCTS, ROAD, NetworkOptions
from echelon_models.periods import every_period
from echelon_models.rows import EVERY

DAYS_OF_YEAR = 365.0
ONE_PERIOD = {"period": ["1"], "start": pd.to_datetime(["2026-01-01"]), "days": [365]}


def complete(tables: Frames, options: NetworkOptions) -> Frames:
    """The tables in full. Adds `pooling`, the pieces by which safety stock grows with throughput."""
    full = dict(tables)
    full["periods"] = periods(tables, options.discount_rate)
    position = full["periods"].set_index("period")["t"]
    years = full["periods"].set_index("t")["years"]
    full["products"] = _products(tables, options)
    full["demand"] = _quantities(tables["demand"], position)
    full["returns"] = _quantities(tables["returns"], position)
    full["customers"] = _customers(tables, options)
    full["modes"] = _modes(tables)
    full["supply"] = _supply(tables, full["products"])
    full["lanes"] = _ways(_lanes(tables, full), full, options, "from_site", "to_site")
    full["deliveries"] = _ways(_deliveries(tables, full), full, options, "site", "customer")
    full["handling"] = _handling(tables, full["products"])
    full["recovery"] = _recovery(tables["recovery"], full["products"])
    full["duties"] = _duties(tables["duties"], full)
    full["pinned_sites"] = every_period(tables["pinned_sites"], ["site"], position)
    full["site_limits"] = every_period(tables["site_limits"], ["region", "kind", "counts"], position)
    full["budgets"] = _limit(tables["budgets"], [], position, options.budget_excess_cost)
    service = ["group", "measure", "within"]
    full["service_limits"] = _limit(tables["service_limits"], service, position, options.service_shortfall_cost)
    carbon = _limit(tables["carbon"], [], position, options.carbon_excess_cost)
    full["carbon"] = carbon.assign(cap=carbon["cap"] * carbon["t"].map(years))
    full["pooling"] = pooling(full, options.pooling_pieces)
    return full


def periods(tables: Frames, discount_rate: float) -> pd.DataFrame:
    """The periods in order of time: position t, length in years, and what money at their start is worth at the start
    of the first, (1 + rate)^-years before. Without any, one period of 365 days."""
    given = tables["periods"] if not tables["periods"].empty else pd.DataFrame(ONE_PERIOD)
    ordered = given.sort_values("start")
    years = ordered["days"] / DAYS_OF_YEAR
    before = years.cumsum() - years
    return ordered.assign(t=np.arange(len(ordered)), years=years, factor=(1 + discount_rate) ** -before)


def _products(tables: Frames, options: NetworkOptions) -> pd.DataFrame:
    given = tables["products"]
    if given.empty:
        names = pd.concat([tables[name]["product"] for name in ("demand", "returns", "supply")])
        blank = {"description": "", "product_class": "", "value": 0.0, "freight": 1.0, "holding_rate": np.nan}
        given = pd.DataFrame({"product": sorted(names.unique()) or [ALL_PRODUCTS]}).assign(
            **blank, cycle_days=0.0, pooling=0.0
        )
    return given.assign(holding_rate=given["holding_rate"].fillna(options.holding_rate))


def _quantities(given: pd.DataFrame, position: pd.Series) -> pd.DataFrame:
    """customer, product, t, quantity: rows with a quantity only."""
    rows = every_period(given, ["customer", "product"], position)
    return rows.loc[rows["quantity"] > 0, ["customer", "product", "t", "quantity"]].reset_index(drop=True)


def _customers(tables: Frames, options: NetworkOptions) -> pd.DataFrame:
    """The customers with their sourcing (their own, their group's, or the option's) and cost of not being served
    (NaN: all must be served)."""
    given = tables["customers"]
    if given.empty:
        names = pd.concat([tables[name]["customer"] for name in ("demand", "returns")])
        text = {"description": "", "group": "", "region": ""}
        given = pd.DataFrame({"customer": sorted(names.unique())}).assign(
            **text, latitude=np.nan, longitude=np.nan, sourcing=None, unserved_cost=np.nan
        )
    of_group = given["group"].map(tables["groups"].set_index("group")["sourcing"])
    sourcing = given["sourcing"].where(given["sourcing"].notna(), of_group)
    fallback = np.nan if options.unserved_cost is None else options.unserved_cost
    return given.assign(
        sourcing=sourcing.where(sourcing.notna(), options.sourcing).astype(str),
        unserved_cost=given["unserved_cost"].fillna(fallback).astype(float),
    )


def _modes(tables: Frames) -> pd.DataFrame:
    if not tables["modes"].empty:
        return tables["modes"]
    names = pd.concat([tables["lanes"]["mode"], tables["deliveries"]["mode"]]).unique()
    terms = {"cost_per_km": 0.0, "cost": 0.0, "speed": 60.0, "emissions": 0.0}
    return pd.DataFrame({"mode": sorted(names) or [ROAD]}).assign(**terms)


def _supply(tables: Frames, products: pd.DataFrame) -> pd.DataFrame:
    """Who can supply what; everyone everything, at no cost, where the case says nothing."""
    if not tables["supply"].empty:
        return tables["supply"]
    return tables["sites"][["site"]].merge(products[["product"]], how="cross").assign(
        cost=0.0, capacity=np.nan, emissions=0.0
    )  # fmt: skip


def _lanes(tables: Frames, full: Frames) -> pd.DataFrame:
    if not tables["lanes"].empty or tables["supply"].empty:
        return tables["lanes"]
    sites = _placed(tables["sites"])[["site"]]
    supplies = sites["site"].isin(tables["supply"]["site"])
    sends, receives = sites[supplies].set_axis(["from_site"], axis=1), sites[~supplies].set_axis(["to_site"], axis=1)
    return _by_every_mode(sends.merge(receives, how="cross"), full["modes"])


def _deliveries(tables: Frames, full: Frames) -> pd.DataFrame:
    active = set(full["demand"]["customer"]) | set(full["returns"]["customer"])
    if not tables["deliveries"].empty:
        given = tables["deliveries"]
        delivers = tables["sites"].set_index("site")["delivers"]
        return given[given["customer"].isin(active) & given["site"].map(delivers).astype(bool)]
    sites = _placed(tables["sites"])
    customers = _placed(full["customers"])
    pairs = sites.loc[sites["delivers"], ["site"]].merge(
        customers.loc[customers["customer"].isin(active), ["customer"]], how="cross"
    )
    return _by_every_mode(pairs, full["modes"])


def _placed(places: pd.DataFrame) -> pd.DataFrame:
    """Those whose coordinates are known."""
    return places[places["latitude"].notna() & places["longitude"].notna()]


def _by_every_mode(pairs: pd.DataFrame, modes: pd.DataFrame) -> pd.DataFrame:
    blank = dict.fromkeys(("distance", "hours", "cost_per_km"), np.nan)
    return pairs.merge(modes[["mode", "cost"]], how="cross").assign(**blank)


def _ways(ways: pd.DataFrame, full: Frames, options: NetworkOptions, origin: str, target: str) -> pd.DataFrame:
    """Lanes or deliveries in full: distance (NaN where it is not known), hours, cost, cost_per_km, and emissions in
    kg CO2 a freight unit, with their two ends in the columns `origin` and `target` and both regions."""
    at = full["sites"].set_index("site")[["latitude", "longitude", "region"]]
    places = at if target == "to_site" else full["customers"].set_index("customer")[["latitude", "longitude", "region"]]
    start, end = at.reindex(ways[origin]), places.reindex(ways[target])
    crow = great_circle(start["latitude"], start["longitude"], end["latitude"], end["longitude"])
    modes = full["modes"].set_index("mode").reindex(ways["mode"])
    distance = ways["distance"].astype(float).fillna(pd.Series(crow * options.road_factor, ways.index))
    per_km = ways["cost_per_km"].astype(float).fillna(pd.Series(modes["cost_per_km"].to_numpy(), ways.index))
    in_full = ways[[origin, target, "mode"]].assign(
        distance=distance,
        hours=ways["hours"].astype(float).fillna(distance / modes["speed"].to_numpy()),
        cost=ways["cost"].astype(float),
        cost_per_km=per_km,
        emissions=(distance.fillna(0.0) * modes["emissions"].fillna(0.0).to_numpy()),
        from_region=start["region"].to_numpy(),
        to_region=end["region"].to_numpy(),
    )
    return in_full.sort_values([origin, target, "mode"], ignore_index=True)


def _handling(tables: Frames, products: pd.DataFrame) -> pd.DataFrame:
    """One row a site and product: the most specific of the case, or one capacity unit a unit at no cost."""
    pairs = tables["sites"][["site"]].merge(products[["product"]], how="cross")
    terms = ["cost", "capacity_use", "emissions"]
    found = _most_specific(pairs, tables["handling"], ["site", "product"], [(1, 1), (1, 0), (0, 1), (0, 0)], terms)
    return found.fillna({"cost": 0.0, "capacity_use": 1.0, "emissions": 0.0})


def _recovery(given: pd.DataFrame, products: pd.DataFrame) -> pd.DataFrame:
    """One row a site and product that recovers or disposes of returns."""
    named, every = given[given["product"] != EVERY], given[given["product"] == EVERY]
    unfolded = every.drop(columns="product").merge(products[["product"]], how="cross")
    return pd.concat([named, unfolded], ignore_index=True).drop_duplicates(["site", "product"])


def _duties(given: pd.DataFrame, full: Frames) -> pd.DataFrame:
    """from_region, to_region, product, rate: for all pairs of different regions that goods can be sent between."""
    between = pd.concat([full[name][["from_region", "to_region"]] for name in ("lanes", "deliveries")])
    between = between[between["from_region"] != between["to_region"]].drop_duplicates()
    products = full["products"][["product", "product_class"]]
    rows = between.merge(products, how="cross")
    if given.empty:
        return rows.assign(rate=0.0).iloc[:0].drop(columns="product_class")
    patterns = [(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)]
    found = _most_specific(rows, given, ["from_region", "to_region", "product_class"], patterns, ["rate"])
    return found[found["rate"] > 0].drop(columns="product_class").reset_index(drop=True)


def _most_specific(
    rows: pd.DataFrame, given: pd.DataFrame, key: list[str], patterns: Sequence[tuple[int, ...]], terms: list[str]
) -> pd.DataFrame:
    """`rows` with the terms of the first row of `given` that fits: patterns say which parts of its key are filled,
    the most specific first; NaN where none fits."""
    found = rows.assign(**dict.fromkeys(terms, np.nan))
    for pattern in patterns:
        filled = [name for name, part in zip(key, pattern, strict=True) if part]
        fits = np.all([(given[name] != EVERY) == bool(part) for name, part in zip(key, pattern, strict=True)], axis=0)
        if not fits.any():
            continue
        terms_of = given.loc[fits, [*filled, *terms]]
        if filled:
            matched = rows[filled].merge(terms_of, on=filled, how="left")[terms].set_axis(rows.index)
        else:
            matched = pd.DataFrame([terms_of.iloc[0]] * len(rows), index=rows.index)[terms]
        found[terms] = found[terms].fillna(matched.astype(float))
    return found


def _limit(given: pd.DataFrame, names: list[str], position: pd.Series, excess_cost: float) -> pd.DataFrame:
    rows = every_period(given, names, position)
    return rows.assign(excess_cost=rows["excess_cost"].astype(float).fillna(excess_cost))


def pooling(full: Frames, pieces: int) -> pd.DataFrame:
    """product, piece, low, high, fixed, slope: between the yearly throughputs low and high a site's safety stock is
    told as fixed + slope·throughput, the chord of pooling·sqrt(throughput) between breaks at most·(k / pieces)²,
    where most is the product's largest yearly demand. Chords err by at most a quarter of the first break's stock.

    Square-root law: Eppen 1979, Management Science 25; pieces of a concave cost: Croxton, Gendron & Magnanti 2003.
    """
    years = full["periods"].set_index("t")["years"]
    demand = full["demand"]
    yearly = demand["quantity"] / demand["t"].map(years)
    most = yearly.groupby([demand["product"], demand["t"]]).sum().groupby(level=0).max()
    rows = []
    for product in full["products"].itertuples(index=False):
        if product.pooling <= 0 or product.product not in most.index:
            continue
        breaks = most[product.product] * (np.arange(pieces + 1) / pieces) ** 2
        stocks = product.pooling * np.sqrt(breaks)
        for k, ((low, high), (below, above)) in enumerate(
            zip(itertools.pairwise(breaks), itertools.pairwise(stocks), strict=True)
        ):
            slope = (above - below) / (high - low)
            rows.append((product.product, k, low, high, below - slope * low, slope))
    return pd.DataFrame(rows, columns=["product", "piece", "low", "high", "fixed", "slope"])
