"""What a solved model decides, read back from it; the key figures of a plan, and what belongs on its one page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
import pyomo.environ as pyo

from echelon.explain.words import in_words
from echelon.family import Page
from echelon.solvers.highs import Solution
from echelon.tables import Frames
from echelon_models.ordering.complete import DAYS_OF_YEAR
from echelon_models.ordering.limits import DIGITS
from echelon_models.ordering.plan import LANE, OFFER, PLACE, Decisions, quantities
from echelon_models.ordering.schema import NOT_ASKED, NOT_YET
from echelon_models.ordering.sets import Sets

SHOWN = 10  # order lines on the one page


def read_decisions(m: Any, sets: Sets) -> Decisions:
    """What a solved model decides."""

    def values(variable: Any, keys: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        return ((*key, pyo.value(variable[key])) for key in keys)

    return Decisions(
        orders=quantities(OFFER, values(m.quantity, sets.orders)),
        transfers=quantities(LANE, values(m.transfer, sets.transfers)),
        lost=quantities(PLACE, values(m.lost, m.lost)),
        waiting=quantities(PLACE, values(m.waiting, m.waiting)),
    )


def limit_rows(m: Any, sets: Sets) -> Iterator[tuple[str, str, str, int, float, Any]]:
    """(limit, name, unit, t, capacity, constraint) of each limit row of the model."""
    for (d, t), row in sets.budgets.items():
        yield "budget", d, "money", t, row.amount, m.budget[d, t]
    for (l, t), row in sets.storage.items():
        yield "storage", l, "m³", t, row.capacity, m.storage[l, t]
    for (s, unit, t), row in sets.capacity.items():
        yield "supplier capacity", s, unit, t, row.capacity, m.supplier_capacity[s, unit, t]


def limit_prices(m: Any, sets: Sets, solution: Solution) -> pd.DataFrame:
    """What one more unit of each limit in each period (limit, name, unit, t) would save: its price."""
    priced = [(*key, t, max(-solution.dual(row), 0.0)) for *key, t, _, row in limit_rows(m, sets)]
    names = dict.fromkeys(["limit", "name", "unit"], "str")
    return pd.DataFrame(priced, columns=[*names, "t", "price"]).astype(names | {"t": "int64", "price": "float64"})


def drop_empty_lines(m: Any, sets: Sets) -> bool:
    """Take back the order lines of a solved model that order nothing, and all they cost: a search that ends at a gap,
    or for which a line is free, may leave some. True if there were any."""
    empty = [o for o in m.lines if round(pyo.value(m.quantity[o]), DIGITS) <= 0 and pyo.value(m.line[o]) > 0.5]
    for o in empty:
        m.line[o].set_value(0)
        for k in range(len(m.segments.get(o, ()))):
            m.segment[(*o, k)].set_value(0)
    placed = {(s, l, t) for s, i, l, t in m.joint_lines if pyo.value(m.line[s, i, l, t]) > 0.5}
    unused = [key for key in m.joint if key not in placed and pyo.value(m.supplier_order[key]) > 0.5]
    for key in unused:
        m.supplier_order[key].set_value(0)
    for key, row in sets.capacity.items() if empty else ():
        excess = m.capacity_excess[key]
        use = pyo.value(m.supplier_capacity[key].body) + pyo.value(excess)
        excess.set_value(max(use - row.capacity, 0.0))
    return bool(empty or unused)


def kpis(plan: Frames, full: Frames, costs: dict[str, float]) -> dict[str, Any]:
    """Key figures of a plan: fill_rate and shares as parts of 1, turnover per year, money in the case's currency."""
    inventory, orders, limits = plan["inventory"], plan["orders"], plan["limits"]
    demand, short = float(inventory["demand"].sum()), float(inventory["short"].sum())
    by_period = inventory.groupby("period")["value"].sum()
    days = full["periods"].set_index("period")["days"].reindex(by_period.index)
    years = float(full["periods"]["days"].sum()) / DAYS_OF_YEAR
    average = float((by_period * days).sum() / days.sum()) if days.sum() else 0.0
    values = full["items"].set_index("item")["value"]
    served_value = float((inventory["served"] * inventory["item"].map(values)).sum())
    last = inventory["period"] == full["periods"]["period"].iloc[-1]
    use = limits.assign(part=(limits["use"] / limits["capacity"].where(limits["capacity"] > 0)).fillna(0.0))
    return {
        "fill_rate": float(1.0 - short / demand) if demand else 1.0,
        "lost_units": float(inventory["lost"].sum()),
        "waiting_units_at_end": float(inventory.loc[last, "waiting"].sum()),
        "waiting_unit_periods": float(inventory["waiting"].sum()),
        "order_lines": len(orders),
        "spend": float(orders["amount"].sum()),
        "spend_by_department": _sums(orders, "department"),
        "spend_by_supplier": _sums(orders, "supplier"),
        "average_inventory_value": average,
        "turnover_per_year": _ratio(served_value / years, average),
        "days_on_hand": _ratio(average, served_value / years / DAYS_OF_YEAR),
        "carrying_cost_share": _ratio(costs["holding"] / years, average),
        "limit_use": {
            f"{kind} {name} ({unit})".replace("  ", " whole company "): float(group["part"].mean())
            for (kind, name, unit), group in use.groupby(["limit", "name", "unit"], sort=True)
        },
    }


def _ratio(part: float, whole: float) -> float | None:
    """part / whole; None where there is no whole, or next to none."""
    return part / whole if whole > 0 and math.isfinite(part / whole) else None


def page(plan: Frames, figures: dict[str, Any], currency: str) -> Page:
    """What the one page shows of an order plan."""
    money = f" {currency}" if currency else ""
    turnover, cover = figures["turnover_per_year"], figures["days_on_hand"]
    service = {
        "fill rate": f"{figures['fill_rate']:.2%} of demand served in its period",
        "never served": f"{figures['lost_units'] + figures['waiting_units_at_end']:,.0f} units",
        "stock": f"{figures['average_inventory_value']:,.0f}{money} on average"
        + (f", turned {turnover:.1f} times a year, {cover:.0f} days on hand" if turnover and cover else ""),
        "orders": f"{figures['order_lines']:,} lines for {figures['spend']:,.0f}{money}",
    }
    if "pinned_orders_cost" in figures:
        service["pinned orders"] = f"keeping them costs {figures['pinned_orders_cost']:,.0f}{money}, all else as it is"
    if len(causes := plan["shortage_causes"]):
        service["short"] = _shortages_in_words(causes, money)
    dearest = plan["orders"].nlargest(SHOWN, "amount", keep="first")
    actions = pd.DataFrame(
        {
            "from": dearest["supplier"],
            "item": dearest["item"],
            "to": dearest["site"],
            "quantity": dearest["quantity"].map("{:,.6g}".format),
            f"amount{money}": dearest["amount"].map("{:,.0f}".format),
            "order by": dearest["order_date"].dt.strftime("%Y-%m-%d"),
            "arrives": dearest["arrival_date"].dt.strftime("%Y-%m-%d").fillna("after the horizon"),
            "why now": dearest["reason"],
        }
    )
    constraint = in_words(plan["eased"], plan["limits"], money, "the whole company")
    return Page(service, constraint, "The order lines that matter most in money", actions)


def _shortages_in_words(causes: pd.DataFrame, money: str) -> str:
    """How many places are short, what that costs, and how much of it each cause accounts for."""
    total = causes["cost"].sum()
    known = (
        causes[~causes["cause"].isin([NOT_ASKED, NOT_YET])]
        .groupby("cause")["cost"]
        .sum()
        .sort_values(ascending=False, kind="stable")
    )
    parts = [f"{cause} {cost / max(total, 1e-9):.0%}" for cause, cost in known.head(3).items()]
    because = f", because of: {', '.join(parts)}" if parts else ""
    return f"at {len(causes):,} item-sites, which costs {total:,.0f}{money}{because}"


def _sums(orders: pd.DataFrame, by: str) -> dict[str, float]:
    return {str(name): float(total) for name, total in orders.groupby(by)["amount"].sum().items()}
