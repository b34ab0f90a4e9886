"""What must hold across the columns and tables of an allocation case: one function a rule, naming the offenders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon.validate import Rule
from echelon_models.allocation.complete import complete
from echelon_models.allocation.rules_scenarios import (
    deliveries_follow_time,
    disruptions_name_what_exists,
    probabilities_sum_to_one,
    scenarios_are_given_or_drawn,
    shortage_is_the_last_resort,
)
from echelon_models.allocation.schema import INPUTS, AllocationOptions
from echelon_models.rows import EVERY

PAIR = ["supplier", "item"]
ALMOST = 1e-9


def there_is_something_to_award(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """At least one item, one offer and some demand."""
    for name in ("items", "offers", "demand"):
        if tables[name].empty:
            yield Finding(name, "the table has no rows", "Add at least one row")
    if not tables["demand"].empty and not (tables["demand"]["quantity"] > 0).any():
        yield Finding("demand", "no item is needed", "Give at least one quantity over 0", column="quantity")


def the_case_in_full_holds_together(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """What must hold once lanes, defaults and rows for every name are unfolded."""
    full = complete(tables, options)
    for check in (demand_can_be_met, caps_leave_room, local_shares_can_be, losses_can_be_survived):
        yield from check(tables, full)


def demand_can_be_met(tables: Frames, full: Frames) -> Iterator[Finding]:
    """Some supplier may deliver each item to each site that needs it, and the capacities suffice."""
    arcs = full["arcs"]
    usable = arcs[~(arcs["excluded"] | arcs["forbidden"])]
    place, served = ["item", "site"], set(zip(usable["item"], usable["site"], strict=True))
    barred = set(zip(arcs["item"], arcs["site"], strict=True))
    for row, line in full["demand"].iterrows():
        key = (line["item"], line["site"])
        if key not in served:
            why = "pairs and jurisdictions bar all who could" if key in barred else "no offer reaches it"
            yield Finding(
                "demand",
                f"nobody may deliver this item there: {why}",
                "Add an offer or lane, or ease a rule",
                int(str(row)),
                "item, site",
                ", ".join(key),
            )
    terms = usable.merge(full["demand"][[*place, "quantity"]], on=place)
    terms = terms.groupby(PAIR, as_index=False)["quantity"].sum().merge(tables["offers"], on=PAIR)
    whole = terms["supplier"].map(full["suppliers"].set_index("supplier")["capacity"]).astype(float)
    most = np.minimum(terms["capacity"].fillna(np.inf), whole.fillna(np.inf)) * terms["yield_rate"]
    can = np.minimum(most, terms["quantity"]).groupby(terms["item"]).sum()
    need = full["demand"].groupby("item")["quantity"].sum()
    for item in can.index[can < need[can.index] * (1 - ALMOST)]:
        yield Finding(
            "offers",
            f"capacity below demand: of {item} all suppliers together can deliver {can[item]:,.6g} "
            f"good units of {need[item]:,.6g}",
            "Add offers or capacity, or lower the demand",
            column="capacity",
            value=str(item),
        )


def minimums_fit(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """A minimum is within the capacity of offer and supplier, and not over the item's demand (a warning)."""
    offers = tables["offers"]
    whole = offers["supplier"].map(tables["suppliers"].set_index("supplier")["capacity"]).astype(float)
    need = offers["item"].map(tables["demand"].groupby("item")["quantity"].sum()).astype(float).fillna(0.0)
    for row, low, own, supplier, wanted in zip(
        offers.index, offers["minimum"], offers["capacity"], whole, need / offers["yield_rate"], strict=True
    ):
        if low > own:
            yield Finding(
                "offers", f"the minimum is over the offer's capacity of {own:g}", "Lower it", row, "minimum", f"{low:g}"
            )
        elif low > min(supplier if supplier == supplier else np.inf, wanted):
            yield Finding(
                "offers",
                "the minimum is over what is needed or the supplier's capacity: it never gets this",
                "Lower it, or expect no award",
                row,
                "minimum",
                f"{low:g}",
                severity="warning",
            )


def price_breaks_fall(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """Each price is below the one before it; all breaks of an offer are of one kind."""
    first = tables["offers"].set_index(PAIR)["price"].to_dict()
    for key, group in tables["price_breaks"].sort_values("from_quantity").groupby(PAIR, sort=False):
        yield from _one_kind("price_breaks", group)
        before = first[key]
        for row, price in group["price"].items():
            if price >= before:
                yield Finding(
                    "price_breaks",
                    f"the price does not fall below the one before it of {before:g}",
                    "Lower it, or remove the row",
                    int(str(row)),
                    "price",
                    f"{price:g}",
                )
            before = price


def rebates_rise(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """Each rebate is above the one before it; all rebates of a supplier are of one kind."""
    for _, group in tables["rebates"].sort_values("from_spend").groupby("supplier", sort=False):
        yield from _one_kind("rebates", group)
        before = 0.0
        for row, rate in group["rate"].items():
            if rate <= before:
                yield Finding(
                    "rebates",
                    f"the rebate does not rise above the one before it of {before:g}",
                    "Raise it, or remove the row",
                    int(str(row)),
                    "rate",
                    f"{rate:g}",
                )
            before = rate


def _one_kind(table: str, group: pd.DataFrame) -> Iterator[Finding]:
    kinds = group["kind"].unique()
    if len(kinds) > 1:
        yield Finding(
            table,
            f"its rows are of different kinds: {', '.join(kinds)}",
            "Choose one kind for all of them",
            int(group.index[-1]),
            "kind",
            str(group["kind"].iloc[-1]),
        )


def shares_can_add_up(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """Smallest shares within largest; per item, smallest sum to at most 1 and largest (where all have one) to 1."""
    for row, line in tables["shares"].iterrows():
        if line["min_share"] > line["max_share"]:
            yield Finding(
                "shares",
                f"the smallest share is over the largest of {line['max_share']:g}",
                "Lower it",
                int(str(row)),
                "min_share",
                f"{line['min_share']:g}",
            )
    for item, group in tables["shares"].groupby("item", sort=False):
        suppliers = set(tables["offers"].loc[tables["offers"]["item"] == item, "supplier"])
        if group["min_share"].sum() > 1 + ALMOST:
            yield Finding(
                "shares",
                f"the smallest shares of {item} add up to more than 1",
                "Lower them",
                int(group.index[-1]),
                "min_share",
                f"{group['min_share'].sum():g}",
            )
        if suppliers <= set(group["supplier"]) and group["max_share"].sum() < 1 - ALMOST:
            yield Finding(
                "shares",
                f"the largest shares of {item} add up to less than 1",
                "Raise them",
                int(group.index[-1]),
                "max_share",
                f"{group['max_share'].sum():g}",
            )


def numbers_of_suppliers_fit(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """An item's fewest suppliers are no more than its most, than its offers, and than its smallest share allows."""
    offered = tables["offers"].groupby("item")["supplier"].nunique()
    needed = set(tables["demand"].loc[tables["demand"]["quantity"] > 0, "item"])
    for row, line in tables["items"].iterrows():
        fewest, most, value = line["min_suppliers"], line["max_suppliers"], f"{line['min_suppliers']}"
        if line["item"] not in needed:
            continue
        if most == most and not float(most).is_integer():
            yield Finding("items", "is not a whole number", "Write one", int(str(row)), "max_suppliers", f"{most:g}")
        if fewest > most:
            yield Finding(
                "items",
                f"the fewest suppliers are more than the most, {most:g}",
                "Lower it",
                int(str(row)),
                "min_suppliers",
                value,
            )
        if fewest > offered.get(line["item"], 0):
            yield Finding(
                "items",
                f"only {offered.get(line['item'], 0)} suppliers offer this item",
                "Lower it, or add offers",
                int(str(row)),
                "min_suppliers",
                value,
            )
        share = line["smallest_share"]
        if max(fewest, 1) * (share if share == share else 0.0) > 1 + ALMOST:
            yield Finding(
                "items",
                f"{fewest} suppliers with this smallest share each are more than all of it",
                "Lower it",
                int(str(row)),
                "smallest_share",
                f"{share:g}",
            )
    if options.max_suppliers is not None and options.min_suppliers > options.max_suppliers:
        yield Finding(
            "options",
            f"the fewest suppliers are more than the most, {options.max_suppliers}",
            "Lower it",
            column="min_suppliers",
            value=str(options.min_suppliers),
        )


def required_pairs_can_be(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """A required quantity is within the capacity of the offer, the supplier, and the item's demand."""
    offers, suppliers = tables["offers"].set_index(PAIR), tables["suppliers"].set_index("supplier")["capacity"]
    need = tables["demand"].groupby("item")["quantity"].sum()
    for row, line in tables["pairs"][tables["pairs"]["rule"] == "required"].iterrows():
        offer = offers.loc[(line["supplier"], line["item"])]
        most = np.nanmin(
            [
                offer["capacity"],
                suppliers.get(line["supplier"], np.nan),
                need.get(line["item"], 0.0) / offer["yield_rate"],
            ]
        )
        if line["quantity"] > most * (1 + ALMOST):
            yield Finding(
                "pairs",
                f"no more than {most:,.6g} units can be awarded there",
                "Lower it",
                int(str(row)),
                "quantity",
                f"{line['quantity']:g}",
            )


def current_awards_add_up(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """Today's shares of an item sum to at most 1; an incumbent without an offer must be allowed to lose all."""
    current = tables["current_awards"]
    offered = pd.MultiIndex.from_frame(tables["offers"][PAIR])
    for item, group in current.groupby("item", sort=False):
        if group["share"].sum() > 1 + ALMOST:
            yield Finding(
                "current_awards",
                f"today's shares of {item} add up to more than 1",
                "Lower them",
                int(group.index[-1]),
                "share",
                f"{group['share'].sum():g}",
            )
    gone = current[~pd.MultiIndex.from_frame(current[PAIR]).isin(offered)]
    for row, line in gone.iterrows():
        lost = line["max_loss"]
        severity: Literal["error", "warning"] = "error" if lost == lost and lost < line["share"] else "warning"
        yield Finding(
            "current_awards",
            "this supplier has no offer for this item: it loses all of it",
            "Add an offer, or leave max_loss blank",
            int(str(row)),
            "supplier, item",
            f"{line['supplier']}, {line['item']}",
            severity=severity,
        )


def caps_leave_room(tables: Frames, full: Frames) -> Iterator[Finding]:
    """Caps name what exists; where all suppliers (parents) are capped, their caps sum to at least 1."""
    yield from _groups_are_known("caps", tables)
    names = {kind: set(full["suppliers"][kind]) - {""} for kind in ("supplier", "parent", "region")}
    for row, line in tables["caps"][tables["caps"]["name"] != EVERY].iterrows():
        if line["name"] not in names[line["kind"]]:
            yield Finding(
                "caps",
                f"there is no {line['kind']} of this name",
                "Correct it, or remove the row",
                int(str(row)),
                "name",
                line["name"],
            )
    everyone = {kind: names[kind] for kind in names if (full["suppliers"][kind] != "").all()}
    for (kind, group), rows in full["caps"].groupby(["kind", "group"], sort=False):
        if everyone.get(kind) and everyone[kind] <= set(rows["name"]) and rows["max_share"].sum() < 1 - ALMOST:
            total = rows["max_share"].sum()
            where = f" in {group}" if group else ""
            yield Finding(
                "caps",
                f"the caps of all {kind}s{where} add up to less than 1: nobody may have the rest",
                "Raise them",
                column="max_share",
                value=f"{total:g}",
            )


def ceilings_name_a_group(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """A ceiling is for a group that some item is in."""
    yield from _groups_are_known("ceilings", tables)


def _groups_are_known(table: str, tables: Frames) -> Iterator[Finding]:
    known = {"", *tables["items"]["group"]}
    for row, group in tables[table]["group"][~tables[table]["group"].isin(known)].items():
        yield Finding(
            table, "no item is in this group", "Correct it, or name the group in items", int(str(row)), "group", group
        )


def jurisdictions_name_what_exists(tables: Frames, options: AllocationOptions) -> Iterator[Finding]:
    """A class that no item has, or a region that no supplier has, is worth a look (a warning)."""
    rows = tables["jurisdictions"]
    known = {"item_class": set(tables["items"]["item_class"]), "region": set(tables["suppliers"]["region"])}
    for column, who in (("item_class", "no item is of this class"), ("region", "no supplier is in this region")):
        for row, name in rows[column][~rows[column].isin(known[column])].items():
            yield Finding(
                "jurisdictions", who, "Correct it, or ignore this", int(str(row)), column, name, severity="warning"
            )


def local_shares_can_be(tables: Frames, full: Frames) -> Iterator[Finding]:
    """An item with a local share has a supplier in the region of a site that needs it."""
    arcs = full["arcs"]
    local = set(arcs.loc[arcs["local"] & ~arcs["excluded"] & ~arcs["forbidden"], "item"])
    wanted = tables["items"][(tables["items"]["local_min_share"] > 0) & tables["items"]["item"].isin(arcs["item"])]
    for row, line in wanted[~wanted["item"].isin(local)].iterrows():
        yield Finding(
            "items",
            "no supplier of this item is in the region of a site that needs it",
            "Fill region in sites and suppliers, or lower the share",
            int(str(row)),
            "local_min_share",
            f"{line['local_min_share']:g}",
        )


def losses_can_be_survived(tables: Frames, full: Frames) -> Iterator[Finding]:
    """An item that must survive the loss of any one has offers from two at least."""
    usable = full["arcs"][~(full["arcs"]["excluded"] | full["arcs"]["forbidden"])]
    suppliers = full["suppliers"].set_index("supplier", drop=False)
    for row, line in full["items"][full["items"]["survives"] != "none"].iterrows():
        sources = usable.loc[usable["item"] == line["item"], "supplier"]
        names = set(sources.map(suppliers[line["survives"]]))
        if len(sources) and len(names) < 2:
            yield Finding(
                "items",
                f"all who may deliver it are of one {line['survives']}",
                "Add an offer from another",
                int(str(row)),
                "survives",
                line["survives"],
            )
        if "" in names:
            yield Finding(
                "items",
                "some who may deliver it have no region: they are never lost",
                "Fill region in suppliers",
                int(str(row)),
                "survives",
                line["survives"],
                severity="warning",
            )


EVERYTHING = tuple(table.name for table in INPUTS)

RULES = (
    Rule(there_is_something_to_award, ("items", "offers", "demand")),
    Rule(the_case_in_full_holds_together, EVERYTHING),
    Rule(minimums_fit, ("offers", "suppliers", "demand")),
    Rule(price_breaks_fall, ("offers", "price_breaks")),
    Rule(rebates_rise, ("rebates",)),
    Rule(shares_can_add_up, ("shares", "offers")),
    Rule(numbers_of_suppliers_fit, ("items", "offers", "demand")),
    Rule(required_pairs_can_be, ("pairs", "offers", "suppliers", "demand")),
    Rule(current_awards_add_up, ("current_awards", "offers")),
    Rule(ceilings_name_a_group, ("ceilings", "items")),
    Rule(jurisdictions_name_what_exists, ("jurisdictions", "items", "suppliers")),
    Rule(probabilities_sum_to_one, ("scenarios",)),
    Rule(scenarios_are_given_or_drawn, ("scenarios", "suppliers", "regions")),
    Rule(disruptions_name_what_exists, ("disruptions", "suppliers", "offers")),
    Rule(shortage_is_the_last_resort, ("items", "offers")),
    Rule(deliveries_follow_time, ("deliveries",)),
)
