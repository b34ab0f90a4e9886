"""What the report draws of an award: who gets what, spend, scenarios, the price of rules, room to renegotiate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Heat, Ranges, largest
from echelon.tables import Frames

ITEMS, SUPPLIERS = 40, 20  # rows and columns of the award matrix
SHOWN = 15  # bars


def charts(plan: Frames, inputs: Frames, kpis: dict[str, Any], currency: str) -> Sequence[Chart]:
    """The charts of an award, in the order of a reader's questions."""
    money = currency or "money"
    drawn = [_awards(plan["awards"]), _spend(plan["awards"], money), _scenarios(plan["scenario_costs"], money)]
    drawn += [_rules(plan["rule_prices"], money), _targets(plan["renegotiation"]), _records(plan["reliability"])]
    return [chart for chart in drawn if chart is not None]


def _awards(awards: pd.DataFrame) -> Chart | None:
    """Shares by item and supplier, for the items and suppliers with most spend."""
    given = awards[awards["quantity"] > 0]
    if given.empty:
        return None
    items = given.groupby("item")["spend"].sum().nlargest(ITEMS).index
    suppliers = given.groupby("supplier")["spend"].sum().nlargest(SUPPLIERS).index
    data = given[given["item"].isin(items) & given["supplier"].isin(suppliers)][["item", "supplier", "share", "spend"]]
    place = {name: n for names in (items, suppliers) for n, name in enumerate(names)}
    data = data.sort_values(["supplier", "item"], key=lambda names: names.map(place), kind="stable", ignore_index=True)
    alone = int((given.groupby("item")["supplier"].nunique() == 1).sum())
    left = given["item"].nunique() - len(items)
    return Heat(
        title=f"{len(items) + left:,} items go to {given['supplier'].nunique():,} suppliers; {alone:,} to one alone",
        note="Share of each item's volume, items and suppliers with most spend first."
        + (f" {left:,} items with less spend are not drawn." if left > 0 else ""),
        data=data.sort_values("item", key=lambda names: names.map(place), kind="stable", ignore_index=True),
        units={"share": "%"},
        row="item",
        column="supplier",
        value="share",
    )


def _spend(awards: pd.DataFrame, money: str) -> Chart | None:
    given = awards[awards["spend"] > 0]
    if given.empty:
        return None
    data = largest(given, "supplier", "spend", SHOWN)
    whole, count = float(given["spend"].sum()), given["supplier"].nunique()
    three = data["spend"].head(3).sum() / whole
    first = data.iloc[0]
    return Bars(
        title=f"{first['supplier']} gets {first['spend'] / whole:.0%} of the spend, the first three {three:.0%}",
        note="Beside each bar: the spend before rebates, and the share of all spend up to this supplier."
        + (f" {count - len(data):,} smaller suppliers are not drawn." if count > len(data) else ""),
        data=data,
        units={"spend": money},
        label="supplier",
        value="spend",
        whole=whole,
    )


def _scenarios(scenarios: pd.DataFrame, money: str) -> Chart | None:
    """What each scenario adds to the plan's own cost."""
    if scenarios.empty:
        return None
    columns = {
        "scenario": "scenario",
        "recourse_cost": "adds",
        "cost": "cost of the year",
        "probability": "probability",
    }
    columns |= {"service": "service"}
    shown = scenarios.nsmallest(SHOWN, "rank")[list(columns)].rename(columns=columns)
    dearest, own = shown.iloc[0], shown["cost of the year"].iloc[0] - shown["adds"].iloc[0]
    share = dearest["adds"] / own if own > 0 else 0.0
    return Bars(
        title=f"The dearest scenario, {dearest['scenario']}, adds {share:.1%} to the year's cost and serves "
        f"{dearest['service']:.1%} of demand",
        note=f"What a scenario adds to the plan's own cost of {own:,.0f} {money} by extra deliveries, emergency buys "
        "and shortage, dearest first."
        + (f" {len(scenarios) - len(shown):,} cheaper scenarios are not drawn." if len(scenarios) > len(shown) else ""),
        data=shown,
        units={"adds": money, "cost of the year": money, "probability": "%", "service": "%"},
        label="scenario",
        value="adds",
    )


def _rules(rules: pd.DataFrame, money: str) -> Chart | None:
    """What dropping each rule would save."""
    dear = rules[rules["saving"] > 0].nlargest(SHOWN, "saving")
    if dear.empty:
        return None
    columns = {"rule": "rule", "saving": "saves", "at_most": "saves at most"}
    return Bars(
        title=f"The rule that costs most is {dear.iloc[0]['rule']}: {dear.iloc[0]['saving']:,.0f} {money} a year",
        note="Found by solving the case again without the rule; savings of several rules do not add up.",
        data=dear[list(columns)].rename(columns=columns),
        units={"saves": money, "saves at most": money},
        label="rule",
        value="saves",
    )


def _targets(offers: pd.DataFrame) -> Chart | None:
    """Offers that lose, by how far their price would have to fall."""
    near = offers[offers["cut"] > 0].nsmallest(SHOWN, "cut")
    if near.empty:
        return None
    first = near.iloc[0]
    data = pd.DataFrame(
        {
            "offer": near["supplier"] + ", " + near["item"],
            "cut": near["cut"],
            "price": near["price"],
            "target price": near["target_price"],
            "quantity it would win": near["quantity"],
        }
    )
    return Bars(
        title=f"{first['supplier']} would win {first['item']} with a price {first['cut']:.1%} lower",
        note="The fall in price at which an offer that gets nothing would win, all else as it is.",
        data=data,
        units={"cut": "%", "quantity it would win": "units"},
        label="offer",
        value="cut",
    )


def _records(reliability: pd.DataFrame) -> Chart | None:
    """Suppliers' probability to deliver on time, with its interval."""
    known = reliability[reliability["on_time"].notna()].sort_values("on_time", kind="stable").head(SHOWN)
    if known.empty:
        return None
    columns = {
        "supplier": "supplier",
        "on_time": "on time",
        "on_time_low": "low",
        "on_time_high": "high",
        "deliveries": "deliveries",
    }
    last = known.iloc[0]
    return Ranges(
        title=f"{last['supplier']} is the least punctual: {last['on_time']:.0%} of its deliveries are on time",
        note="From past deliveries by Kaplan-Meier, with confidence intervals; least punctual first.",
        data=known[list(columns)].rename(columns=columns),
        units=dict.fromkeys(["on time", "low", "high"], "%"),
        label="supplier",
        low="low",
        high="high",
        point="on time",
    )
