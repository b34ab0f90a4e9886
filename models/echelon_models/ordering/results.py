"""The plan as tables, read back from the solved model, with its key figures and what belongs on its one page."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon.family import Page
from echelon.schema import Table
from echelon.solvers.highs import Solution
from echelon.tables import Frames
from echelon_models.ordering.complete import DAYS_OF_YEAR
from echelon_models.ordering.formulation import amount, or_zero
from echelon_models.ordering.schema import RESULTS
from echelon_models.ordering.sets import Sets

DIGITS = 6  # quantities are given to a millionth of a unit
SHOWN = 10  # order lines on the one page


def read_plan(m: Any, sets: Sets, full: Frames, solution: Solution) -> Frames:
    """The result tables of a solved model."""
    calendar = full["periods"].set_index("t")
    inventory = _inventory(m, sets, calendar)
    orders = _orders(m, sets, calendar)
    orders["reason"] = _reasons(orders, inventory, sets, calendar)
    plan = {
        "orders": orders,
        "transfers": _transfers(m, sets, calendar),
        "inventory": inventory,
        "limits": _limits(m, sets, calendar, solution),
    }
    return {table.name: _typed(table, plan[table.name]) for table in RESULTS}


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
    return Page(service, constraint(plan["limits"], money), "The order lines that matter most in money", actions)


def constraint(limits: pd.DataFrame, money: str) -> str:
    """The limit that holds the plan back most, in words: the one whose easing by 1% over the horizon saves most."""
    binding = limits[limits["price"] > 0]
    if binding.empty:
        exceeded = limits[limits["excess"] > 0]
        return "No shared limit holds this plan back." if exceeded.empty else "No limit has a price in this plan."
    worth = (binding["price"] * binding["capacity"].clip(lower=1.0) * 0.01).groupby(
        [binding["limit"], binding["name"], binding["unit"]]
    )
    kind, name, unit = worth.sum().idxmax()
    rows = binding[(binding["limit"] == kind) & (binding["name"] == name) & (binding["unit"] == unit)]
    dearest = rows.loc[rows["price"].idxmax()]
    who = name or "the whole company"
    excess = limits[(limits["limit"] == kind) & (limits["name"] == name) & (limits["unit"] == unit)]["excess"].sum()
    over = f" It is exceeded by {excess:,.1f} {unit} in all." if excess > 0 else ""
    one = money.strip() if unit == "money" and money else {"units": "unit", "hours": "hour"}.get(unit, unit)
    one_more = f"One more {one} of it in {dearest['period']}, its dearest period, saves {dearest['price']:,.2f}{money}"
    return (
        f"The {kind} of {who} holds the plan back most, in {len(rows)} of {limits['period'].nunique()} periods. "
        f"{one_more}; 1% more in all periods saves about {worth.sum().max():,.0f}{money}.{over}"
    )


def _orders(m: Any, sets: Sets, calendar: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for o in sets.orders:
        quantity = round(pyo.value(m.quantity[o]), DIGITS)
        if quantity <= 0:
            continue
        s, i, l, t = o
        paid = pyo.value(amount(m, sets, o))
        arrival = t + sets.offer(o).lead_time
        rows.append(
            {
                "supplier": s,
                "item": i,
                "site": l,
                "period": calendar.at[t, "period"],
                "order_date": calendar.at[t, "start"],
                "arrival_date": calendar.at[arrival, "start"] if arrival < sets.horizon else None,
                "department": sets.places[i, l].department,
                "quantity": quantity,
                "unit_price": paid / quantity,
                "amount": paid,
                "pinned": o in sets.pinned,
                "t": t,
                "arrival": arrival,
            }
        )
    columns = [*RESULTS[0].columns, "t", "arrival"]
    return pd.DataFrame(rows, columns=columns).sort_values(["t", "supplier", "item", "site"], ignore_index=True)


def _transfers(m: Any, sets: Sets, calendar: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for a, b, i, t in sets.transfers:
        quantity = round(pyo.value(m.transfer[a, b, i, t]), DIGITS)
        lane = sets.lanes[a, b, i]
        if quantity > 0:
            sent, arrives = calendar.at[t, "start"], calendar.at[t + lane.lead_time, "start"]
            rows.append((a, b, i, calendar.at[t, "period"], sent, arrives, quantity, quantity * lane.cost))
    frame = pd.DataFrame(rows, columns=list(RESULTS[1].columns))
    return frame.sort_values(["send_date", "from_site", "to_site", "item"], ignore_index=True)


def _inventory(m: Any, sets: Sets, calendar: pd.DataFrame) -> pd.DataFrame:
    """Stock through the periods; all quantities rounded, `served` being what the balance leaves."""
    rows = []
    for (i, l), place in sets.places.items():
        opening, waited = sets.opening.get((i, l), 0.0), 0.0
        for t in range(sets.horizon):
            ordered = sum(round(pyo.value(m.quantity[o]), DIGITS) for o in sets.arriving.get((i, l, t), ()))
            brought = sum(round(pyo.value(m.transfer[k]), DIGITS) for k in sets.inbound.get((i, l, t), ()))
            sent = sum(round(pyo.value(m.transfer[k]), DIGITS) for k in sets.outbound.get((i, l, t), ()))
            demand = sets.demand.get((i, l, t), 0.0)
            lost = _value(m.lost, (i, l, t))
            waiting = _value(m.waiting, (i, l, t))
            arrivals = ordered + brought + sets.receipts.get((i, l, t), 0.0)
            served = demand - lost + waited - waiting
            closing = max(round(opening + arrivals - sent - served, DIGITS), 0.0)
            short = lost + max(waiting - waited, 0.0)
            rows.append((i, l, calendar.at[t, "period"], opening, arrivals, sent, demand, served, short, lost, waiting,
                         closing, closing * place.value))  # fmt: skip
            opening, waited = closing, waiting
    return pd.DataFrame(rows, columns=list(RESULTS[2].columns))


def _limits(m: Any, sets: Sets, calendar: pd.DataFrame, solution: Solution) -> pd.DataFrame:
    """Each limit row: what it allows with what was carried over, its use, its excess, its price."""
    rows = []
    unspent: dict[tuple[str, int], float] = {}  # what the next period may spend; the model may hold less of it
    for (d, t), row in sets.budgets.items():
        moved = or_zero(m.carried, (d, t)) - or_zero(m.carried, (d, t - 1))
        use = pyo.value(m.budget[d, t].body) + pyo.value(m.budget_excess[d, t]) - pyo.value(moved)
        capacity = row.amount + unspent.get((d, t - 1), 0.0)
        unspent[d, t] = max(capacity - use, 0.0) if row.carry_over else 0.0
        rows.append(("budget", d, t, "money", capacity, use, m.budget[d, t]))
    for (l, t), row in sets.storage.items():
        use = pyo.value(m.storage[l, t].body) + pyo.value(m.storage_excess[l, t])
        rows.append(("storage", l, t, "m³", row.capacity, use, m.storage[l, t]))
    for (s, measure, t), row in sets.capacity.items():
        use = pyo.value(m.supplier_capacity[s, measure, t].body) + pyo.value(m.capacity_excess[s, measure, t])
        rows.append(("supplier capacity", s, t, measure, row.capacity, use, m.supplier_capacity[s, measure, t]))
    frame = pd.DataFrame(rows, columns=["limit", "name", "t", "unit", "capacity", "use", "row"])
    frame["use"] = frame["use"].astype(float).round(DIGITS).clip(lower=0.0)
    frame["excess"] = (frame["use"] - frame["capacity"]).clip(lower=0.0).astype(float).round(DIGITS)
    frame["price"] = [max(-solution.dual(row), 0.0) for row in frame["row"]]
    frame["period"] = frame["t"].map(calendar["period"])
    return frame


def _reasons(orders: pd.DataFrame, inventory: pd.DataFrame, sets: Sets, calendar: pd.DataFrame) -> list[str]:
    """Why each order line is placed now: what would happen at its place without it, all else as planned."""
    position = {period: t for t, period in calendar["period"].items()}
    stock = {
        place: group.sort_values("period", key=lambda p: p.map(position))
        for place, group in inventory.groupby(["item", "site"], sort=False)
    }
    reasons = []
    for line in orders.itertuples():
        place = stock[line.item, line.site]
        after = (place["closing"] - place["waiting"]).to_numpy()[line.arrival :] - line.quantity
        short = np.flatnonzero(after < -1e-6)
        unsafe = [
            t
            for t, left in enumerate(after, start=line.arrival)
            if (line.item, line.site, t) in sets.safety and left < sets.safety[line.item, line.site, t].quantity - 1e-6
        ]
        reasons.append(_reason(line, sets, calendar, short, unsafe))
    return reasons


def _reason(line: Any, sets: Sets, calendar: pd.DataFrame, short: np.ndarray, unsafe: list[int]) -> str:
    if line.pinned:
        return "pinned by an analyst"
    if line.arrival >= sets.horizon:
        return "arrives after the horizon"
    breaks = [b for b in sets.breaks.get((line.supplier, line.item, line.site), []) if line.quantity >= b.from_quantity]
    extra = f"; price break at {breaks[-1].from_quantity:g}" if breaks else ""
    if len(short):
        t = line.arrival + int(short[0])
        return f"without it short from {calendar.at[t, 'period']}{extra}"
    if unsafe:
        return f"without it below safety stock from {calendar.at[unsafe[0], 'period']}{extra}"
    return f"not needed for stock{extra or ': minimum, multiple or share'}"


def _typed(table: Table, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the declared columns in the declared types."""
    empty = table.empty()
    return frame[list(table.columns)].astype(empty.dtypes.to_dict()).reset_index(drop=True)


def _sums(orders: pd.DataFrame, by: str) -> dict[str, float]:
    return {str(name): float(total) for name, total in orders.groupby(by)["amount"].sum().items()}


def _value(variable: Any, key: Any) -> float:
    return round(max(pyo.value(variable[key]), 0.0), DIGITS) if key in variable else 0.0
