"""What the report draws of an order plan: stock and arrivals, the limit that binds, spend, the items that matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Timeline, largest
from echelon.tables import Frames

SUPPLIERS = 15  # bars of spend
ITEMS = 6  # small drawings of stock


def charts(plan: Frames, inputs: Frames, kpis: dict[str, Any], currency: str) -> Sequence[Chart]:
    """The charts of an order plan, in the order of a reader's questions."""
    money = currency or "money"
    drawn = [
        _stock(plan, inputs["periods"], money),
        _binding_limit(plan["limits"], money),
        _spend(plan["orders"], money),
    ]
    return [chart for chart in (*drawn, _items(plan), _short(plan["inventory"])) if chart is not None]


def _stock(plan: Frames, periods: pd.DataFrame, money: str) -> Chart | None:
    """Value of all stock at the end of each period, and the money that arrives as goods in it."""
    stock = plan["inventory"].groupby("period", sort=False)["value"].sum()
    if stock.empty:
        return None
    day = plan["orders"]["arrival_date"].dt.strftime("%Y-%m-%d")
    names = dict(zip(periods["start"].dt.strftime("%Y-%m-%d"), periods["period"], strict=True))
    arrival = day.map(lambda start: names.get(start, start))  # without a table of periods, their names are days
    arriving = plan["orders"].groupby(arrival)["amount"].sum().reindex(stock.index).fillna(0.0)
    data = pd.DataFrame(
        {
            "period": stock.index,
            "stock at the end of the period": stock.to_numpy(),
            "orders arriving": arriving.to_numpy(),
        }
    )
    return Timeline(
        title=f"Stock is largest in {stock.idxmax()} with {stock.max():,.0f} {money}, smallest in {stock.idxmin()} "
        f"with {stock.min():,.0f}",
        note="All items at all sites. Orders count at their price, in the period in which they arrive.",
        data=data,
        units={"stock at the end of the period": money, "orders arriving": money},
        period="period",
        layers={"stock at the end of the period": "area", "orders arriving": "bars"},
    )


def _binding_limit(limits: pd.DataFrame, money: str) -> Chart | None:
    """Use and capacity of the limit whose easing by 1% saves most."""
    binding = limits[limits["price"] > 0]
    if binding.empty:
        return None
    key = ["limit", "name", "unit"]
    worth = (binding["price"] * binding["capacity"].clip(lower=1.0)).groupby([binding[c] for c in key]).sum()
    kind, name, unit = worth.idxmax()
    rows = limits[(limits["limit"] == kind) & (limits["name"] == name) & (limits["unit"] == unit)]
    unit = money if unit == "money" else unit
    data = rows[["period", "use", "capacity", "price"]].rename(columns={"price": "one more unit saves"})
    return Timeline(
        title=f"The {kind} of {name or 'the whole company'} holds the plan back in {(rows['price'] > 0).sum():,} of "
        f"{len(rows):,} periods",
        note="Capacity includes what was carried over: what one period leaves is used in a later one.",
        data=data,
        units={"use": unit, "capacity": unit, "one more unit saves": money},
        period="period",
        layers={"use": "bars", "capacity": "limit"},
    )


def _spend(orders: pd.DataFrame, money: str) -> Chart | None:
    if orders.empty:
        return None
    data = largest(orders.rename(columns={"amount": "spend"}), "supplier", "spend", SUPPLIERS)
    total, first, count = float(orders["amount"].sum()), data.iloc[0], orders["supplier"].nunique()
    share = first["spend"] / total if total else 0.0
    return Bars(
        title=f"{first['supplier']} gets {share:.0%} of the spend"
        + (f", the most of {count:,} suppliers" if count > 1 else ""),
        note="Beside each bar: the spend, and the share of all spend up to this supplier."
        + (f" {count - len(data):,} smaller suppliers are not drawn." if count > len(data) else ""),
        data=data,
        units={"spend": money},
        label="supplier",
        value="spend",
        whole=total,
    )


def _items(plan: Frames) -> Chart | None:
    """Stock, arrivals and demand of the items in whose orders most money lies, over all sites."""
    spend = plan["orders"].groupby("item")["amount"].sum()
    if spend.empty:
        return None
    items = spend.nlargest(ITEMS).index
    rows = plan["inventory"][plan["inventory"]["item"].isin(items)]
    rows = rows.assign(item=pd.Categorical(rows["item"], categories=items))
    columns = {"closing": "stock", "arrivals": "arrivals", "demand": "demand"}
    sums = rows.groupby(["item", "period"], sort=False, observed=True)[list(columns)].sum().reset_index()
    data = sums.rename(columns=columns).sort_values("item", kind="stable").astype({"item": "str"})
    share = spend[items].sum() / spend.sum() if spend.sum() else 0.0
    return Timeline(
        title=f"The {len(items)} items in which most money is ordered: {share:.0%} of the spend",
        note="Units at all sites together; transfers between sites count as arrivals too.",
        data=data,
        units=dict.fromkeys(columns.values(), "units"),
        period="period",
        layers={"stock": "area", "arrivals": "bars", "demand": "line"},
        facet="item",
    )


def _short(inventory: pd.DataFrame) -> Chart | None:
    short = inventory[inventory["short"] > 0]
    if short.empty:
        return None
    places = short.assign(place=short["item"] + " at " + short["site"])
    return Bars(
        title=f"{short['short'].sum():,.6g} units at {places['place'].nunique():,} places are not served in time",
        note="Demand that waits counts in each period in which it begins to wait.",
        data=largest(places.rename(columns={"short": "not served in time"}), "place", "not served in time", SUPPLIERS),
        units={"not served in time": "units"},
        label="place",
        value="not served in time",
    )
