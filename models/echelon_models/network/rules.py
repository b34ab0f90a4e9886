"""What must hold across the columns and tables of a network case: one function a rule, each naming the offenders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon.validate import Rule
from echelon_models.network.complete import complete
from echelon_models.network.schema import NetworkOptions
from echelon_models.network.sets import prepare
from echelon_models.periods import periods_follow_each_other
from echelon_models.rows import EVERY

TIMED = ("demand", "pinned_sites", "site_limits", "budgets", "service_limits", "carbon", "returns")


def _row(row: Any) -> int:
    return int(str(row))


def there_is_something_to_plan(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """At least one site and one demand."""
    for name in ("sites", "demand"):
        if tables[name].empty:
            yield Finding(name, "the table has no rows", "Add at least one row")


def periods_are_declared_where_they_are_named(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Without a periods table there is one period of a year, which has no name to give."""
    if not tables["periods"].empty:
        return
    for name in TIMED:
        named = tables[name]["period"]
        for row, value in named[named != EVERY].items():
            yield Finding(
                name,
                "names a period, and there is no periods table",
                "Add a periods table, or leave it blank",
                _row(row),
                "period",
                str(value),
            )


def _can_complete(tables: Frames, options: NetworkOptions) -> bool:
    """Whether the periods that rows name can be told, without which the case cannot be looked at in full."""
    return next(periods_are_declared_where_they_are_named(tables, options), None) is None


def coordinates_come_in_pairs(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Latitude and longitude are both known, or neither."""
    for name in ("sites", "customers"):
        frame = tables[name]
        for row in frame.index[frame["latitude"].isna() != frame["longitude"].isna()]:
            missing = "latitude" if pd.isna(frame.loc[row, "latitude"]) else "longitude"
            yield Finding(name, "only one coordinate is given", "Fill both, or neither", _row(row), missing)


def steps_are_numbered_from_one(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """The steps of a site are 1, 2, 3, ...; those that exist come first, at a site that exists and has a capacity."""
    sites = tables["sites"].set_index("site")
    for site, steps in tables["capacity_steps"].groupby("site", sort=False):
        ordered = steps.sort_values("step")
        if ordered["step"].tolist() != list(range(1, len(ordered) + 1)):
            yield Finding(
                "capacity_steps",
                f"the steps of {site} are not numbered 1 to {len(ordered)}",
                "Number them so",
                _row(ordered.index[0]),
                "step",
                ", ".join(map(str, ordered["step"])),
            )
        late = ordered[ordered["existing"] & (~ordered["existing"]).cummax()]
        for row in late.index:
            yield Finding(
                "capacity_steps",
                "exists already, but a step before it does not",
                "Renumber the steps",
                _row(row),
                "existing",
                "true",
            )
        if site not in sites.index:
            continue
        if ordered["existing"].any() and not sites.loc[site, "existing"]:
            yield Finding(
                "capacity_steps",
                f"exists already, but {site} does not",
                "Set existing in sites, or not here",
                _row(ordered.index[0]),
                "existing",
                "true",
            )
        if pd.isna(sites.loc[site, "capacity"]):
            yield Finding(
                "capacity_steps",
                f"{site} has no limit to its capacity, so a step adds nothing",
                "Fill its capacity in sites (0 will do), or remove the step",
                _row(ordered.index[0]),
                "site",
                str(site),
            )


def lanes_lead_elsewhere(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """A lane joins two sites."""
    lanes = tables["lanes"]
    for row, site in lanes.loc[lanes["from_site"] == lanes["to_site"], "to_site"].items():
        yield Finding(
            "lanes", "a lane must lead to another site", "Correct one of its ends", _row(row), "to_site", site
        )


def deliveries_are_from_sites_that_deliver(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """A delivery from a site with delivers = false would be ignored."""
    silent = set(tables["sites"].loc[~tables["sites"]["delivers"].astype(bool), "site"])
    given = tables["deliveries"]
    for row, site in given.loc[given["site"].isin(silent), "site"].items():
        yield Finding(
            "deliveries",
            "the site delivers to no customers",
            "Set delivers in sites, or remove the row",
            _row(row),
            "site",
            str(site),
        )


def names_are_known(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Regions, product classes and (where there is no groups table) groups that a rule names must stand somewhere: else
    the rule would silently hold for nothing."""
    regions = {*tables["sites"]["region"], *tables["customers"]["region"], EVERY}
    classes = {*tables["products"]["product_class"], EVERY}
    groups = {*tables["customers"]["group"], *tables["groups"]["group"], EVERY}
    named = [
        ("site_limits", "region", {*tables["sites"]["region"], EVERY}, "site"),
        ("duties", "from_region", regions, "site or customer"),
    ]
    named += [
        ("duties", "to_region", regions, "site or customer"),
        ("jurisdictions", "region", regions - {EVERY}, "site or customer"),
    ]
    named += [(name, "product_class", classes, "product") for name in ("duties", "jurisdictions")]
    named += [("service_limits", "group", groups, "customer")]
    for table, column, known, where in named:
        values = tables[table][column]
        for row, value in values[~values.isin(known)].items():
            yield Finding(
                table,
                f"no {where} has this {column}",
                f"Correct it, or fill {column} of a {where}",
                _row(row),
                column,
                str(value),
            )


def limits_leave_room(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """The smallest number of sites is at most the largest."""
    limits = tables["site_limits"]
    for row in limits.index[limits["minimum"] > limits["maximum"]]:
        yield Finding(
            "site_limits",
            f"the smallest number is over the largest of {limits.loc[row, 'maximum']}",
            "Lower it",
            _row(row),
            "minimum",
            str(limits.loc[row, "minimum"]),
        )


def groups_that_share_a_site_have_a_name(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Sourcing by group needs a group."""
    customers = tables["customers"]
    if customers.empty and options.sourcing == "group" and not tables["demand"].empty:
        yield Finding(
            "customers", "sourcing is by group, and customers have no groups", "Add a customers table that names them"
        )
        return
    of_group = customers["group"].map(tables["groups"].set_index("group")["sourcing"])
    sourcing = customers["sourcing"].where(customers["sourcing"].notna(), of_group)
    sourcing = sourcing.where(sourcing.notna(), options.sourcing)
    for row in customers.index[(customers["group"] == EVERY) & (sourcing == "group")]:
        yield Finding(
            "customers",
            "its group is served by one site, but it has no group",
            "Name its group, or set its sourcing",
            _row(row),
            "group",
        )


def distances_are_known_where_they_count(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """A way whose distance (or time) is not known must not cost by the km, emit, or count for a service limit."""
    if not _can_complete(tables, options):
        return
    full = complete(tables, options)
    modes = full["modes"].set_index("mode")["emissions"]
    measures = set(tables["service_limits"]["measure"])
    for name in ("lanes", "deliveries"):
        given, ways = tables[name], full[name]
        key = ["from_site", "to_site", "mode"] if name == "lanes" else ["site", "customer", "mode"]
        if given.empty:
            continue
        known = ways.set_index(key).reindex(pd.MultiIndex.from_frame(given[key])).reset_index(drop=True)
        counts = (known["cost_per_km"] > 0) | (given["mode"].map(modes).fillna(0.0) > 0).to_numpy()
        counts |= (name == "deliveries") and "distance" in measures
        for row in given.index[(counts & known["distance"].isna()).to_numpy()]:
            yield Finding(
                name,
                "its distance counts and is not known",
                "Fill it, or the coordinates of both ends",
                _row(row),
                "distance",
            )
        if name == "deliveries" and "time" in measures:
            for row in given.index[known["hours"].isna().to_numpy()]:
                yield Finding(
                    name,
                    "its time counts and is not known",
                    "Fill hours, or the coordinates of both ends",
                    _row(row),
                    "hours",
                )


def coordinates_are_known_where_ways_are_drawn(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Without lanes or deliveries, the places between which they are drawn need coordinates."""
    if not tables["deliveries"].empty or tables["sites"].empty or tables["demand"].empty:
        return
    remedy = "Fill them, or add a deliveries table"
    if tables["customers"].empty:
        yield Finding(
            "deliveries", "there are neither deliveries nor customers with coordinates", "Add one of the tables"
        )
        return
    for name in ("sites", "customers"):
        frame = tables[name]
        blank = frame["latitude"].isna() & frame["longitude"].isna()
        blank &= (
            frame["delivers"].astype(bool) if name == "sites" else frame["customer"].isin(tables["demand"]["customer"])
        )
        for row in frame.index[blank]:
            yield Finding(name, "has no coordinates, and there is no deliveries table", remedy, _row(row), "latitude")


def every_demand_can_be_served(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Each demand that may not be refused has a site that may serve it, and can have the product."""
    if not _can_complete(tables, options):
        return
    full = complete(tables, options)
    if full["deliveries"].empty:
        return
    sets = prepare(full, options)
    has = {(s, p, t) for s, p in {*sets.supply, *sets.recovery} for t in sets.times}
    reached, frontier = set(has), has
    while frontier:
        frontier = {(b, p, t) for a, b, _, p, t in sets.moves if (a, p, t) in frontier} - reached
        reached |= frontier
    served = {(c, p, t) for s, c, _, p, t in sets.serves if (s, p, t) in reached}
    rows: dict[tuple[str, str], int] = {}
    for row, line in tables["demand"].iterrows():
        rows.setdefault((line["customer"], line["product"]), _row(row))
    told = set()
    for c, p, t in sets.demand:
        if (c, p, t) not in served and not sets.may_refuse(c) and (c, p) not in told:
            told.add((c, p))
            yield Finding(
                "demand",
                "no site can serve it: no delivery, or none that laws, hard service limits, sourcing and supply leave",
                "Add a delivery or supply, or give the customer an unserved_cost",
                rows.get((c, p)),
                "customer, product",
                f"{c}, {p}",
            )


def every_return_can_go_back(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Each return has a site that takes it back."""
    if tables["returns"].empty or not _can_complete(tables, options):
        return
    sets = prepare(complete(tables, options), options)
    takes = {(c, p, t) for _, c, _, p, t in sets.backs}
    lost = {(c, p) for c, p, t in sets.returned if (c, p, t) not in takes}
    for row, line in tables["returns"].iterrows():
        if (line["customer"], line["product"]) in lost:
            lost.discard((line["customer"], line["product"]))
            yield Finding(
                "returns",
                "no site can take it back",
                "Add a row of recovery for a site with a delivery to this customer",
                _row(row),
                "customer, product",
                f"{line['customer']}, {line['product']}",
            )


def recovery_has_returns(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Recovery without any returns does nothing (a warning)."""
    if tables["returns"].empty and not tables["recovery"].empty:
        yield Finding(
            "recovery", "there are no returns to recover", "Add a returns table, or remove this one", severity="warning"
        )


def worthless_products_cost_nothing_to_stock(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """Stock and duties follow from a product's value; without one they cost nothing (a warning)."""
    products = tables["products"]
    stocked = (products["cycle_days"] > 0) | (products["pooling"] > 0)
    for row in products.index[stocked & (products["value"] <= 0)]:
        yield Finding(
            "products",
            "its stock costs nothing, as its value is 0",
            "Fill its value",
            _row(row),
            "value",
            "0",
            severity="warning",
        )
    if not tables["duties"].empty and not (products["value"] > 0).any():
        yield Finding(
            "duties", "no product has a value, so no duty is paid", "Fill value in products", severity="warning"
        )


def kinds_of_limits_are_there(tables: Frames, options: NetworkOptions) -> Iterator[Finding]:
    """A limit on a kind that no site is of counts nothing: likely a slip (a warning)."""
    kinds = set(tables["sites"]["kind"])
    limits = tables["site_limits"]
    for row, kind in limits.loc[~limits["kind"].isin({*kinds, "any"}), "kind"].items():
        yield Finding(
            "site_limits",
            "no site is of this kind",
            "Correct it, or the kind of the sites",
            _row(row),
            "kind",
            str(kind),
            severity="warning",
        )


ALL = tuple(
    [
        "periods",
        "sites",
        "capacity_steps",
        "products",
        "groups",
        "customers",
        "demand",
        "modes",
        "lanes",
        "deliveries",
        "supply",
        "handling",
        "duties",
        "jurisdictions",
        "pinned_sites",
        "site_limits",
        "budgets",
        "service_limits",
        "carbon",
        "returns",
        "recovery",
    ]
)

RULES = (
    Rule(there_is_something_to_plan, ("sites", "demand")),
    Rule(periods_are_declared_where_they_are_named, ("periods", *TIMED)),
    Rule(periods_follow_each_other, ("periods",)),
    Rule(coordinates_come_in_pairs, ("sites", "customers")),
    Rule(steps_are_numbered_from_one, ("sites", "capacity_steps")),
    Rule(lanes_lead_elsewhere, ("lanes",)),
    Rule(deliveries_are_from_sites_that_deliver, ("sites", "deliveries")),
    Rule(
        names_are_known,
        ("sites", "customers", "groups", "products", "site_limits", "duties", "jurisdictions", "service_limits"),
    ),
    Rule(limits_leave_room, ("site_limits",)),
    Rule(groups_that_share_a_site_have_a_name, ("customers", "groups", "demand")),
    Rule(distances_are_known_where_they_count, ALL),
    Rule(coordinates_are_known_where_ways_are_drawn, ("sites", "customers", "demand", "deliveries")),
    Rule(every_demand_can_be_served, ALL),
    Rule(every_return_can_go_back, ALL),
    Rule(recovery_has_returns, ("returns", "recovery")),
    Rule(worthless_products_cost_nothing_to_stock, ("products", "duties")),
    Rule(kinds_of_limits_are_there, ("sites", "site_limits")),
)
