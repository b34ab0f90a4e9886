"""A plan as result tables, its cost line by line, its key figures, and what belongs on its one page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from echelon.explain.words import in_words
from echelon.family import Page
from echelon.tables import Frames
from echelon_models.returns.result_tables import RESULTS
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.sets import Sets

DIGITS = 6  # units are given to a millionth
SHOWN = 10
TRANSPORT = ("vehicles", "distance", "driving time", "line-haul")
HUBS = ("handling", "stock")


def typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame as the result table of this name: declared columns in declared types."""
    table = next(table for table in RESULTS if table.name == name)
    return frame[list(table.columns)].astype(table.empty().dtypes.to_dict()).reset_index(drop=True)


def flow_tables(m: Any, sets: Sets) -> Frames:
    """`recovery`, `linehaul` and `stock` of a solved consolidation model."""
    recovered, stocked = [], []
    loads: dict[Any, np.ndarray] = defaultdict(lambda: np.zeros(1 + len(DIMENSIONS)))
    for (h, g, p, o, t), variable in m.ship.items():
        units = round(max(variable.value, 0.0), DIGITS)
        if units <= 0:
            continue
        outlet, day = m.outlets[h, g, p, o], sets.days[t]
        good = units * outlet.yield_rate
        row = (h, g, p, o, day, sets.destinations[g].kind, units, good, units * outlet.value, units * outlet.cost)
        recovered.append((*row, units * outlet.emissions))
        loads[h, g, t] += units * np.array([1.0, *(sets.amounts[p, o][d] for d in DIMENSIONS)])
    for (h, p, o, t), variable in m.stock.items():
        if (units := round(max(variable.value, 0.0), DIGITS)) > 0:
            stocked.append((h, p, o, sets.days[t], units))
    trips = [
        _trip(sets, h, g, t, round(variable.value), loads[h, g, t])
        for (h, g, t), variable in m.trucks.items()
        if round(variable.value) > 0
    ]
    names = {table.name: list(table.columns) for table in RESULTS}
    return {
        "recovery": typed("recovery", pd.DataFrame(recovered, columns=names["recovery"])),
        "linehaul": typed("linehaul", pd.DataFrame(trips, columns=names["linehaul"])),
        "stock": typed("stock", pd.DataFrame(stocked, columns=names["stock"])),
    }


def _trip(sets: Sets, h: str, g: str, t: int, trucks: int, load: np.ndarray) -> tuple[Any, ...]:
    way = sets.ways[h, g]
    fill = max(load[1 + n] / (trucks * getattr(way, d)) for n, d in enumerate(DIMENSIONS))
    cost = trucks * way.truck_cost + way.weight_cost * load[1]
    return (h, g, sets.days[t], trucks, *load, fill, cost, trucks * way.emissions)


def intake_rows(sets: Sets, served: pd.DataFrame, flows: Frames) -> pd.DataFrame:
    """The result table `intake`: a row a hub and day."""
    number = {stop.stop: i for i, stop in enumerate(sets.stops)}
    taken: dict[Any, np.ndarray] = defaultdict(lambda: np.zeros(1 + len(DIMENSIONS)))
    for row in served[served["hub"] != ""].itertuples(index=False):
        i = number[row.stop]
        taken[row.hub, row.day] += np.array([1.0, *(sets.load(i, d) for d in DIMENSIONS)])
    stocked: dict[Any, np.ndarray] = defaultdict(lambda: np.zeros(len(DIMENSIONS)))
    for row in flows["stock"].itertuples(index=False):
        amounts = sets.amounts[row.product, row.option]
        stocked[row.hub, row.day] += row.units * np.array([amounts[d] for d in DIMENSIONS])
    sent = flows["linehaul"].groupby(["hub", "day"])["weight"].sum().to_dict()
    rows = []
    for h, hub in sets.hubs.items():
        for day in sets.days:
            count, *loads = taken[h, day]
            kept = stocked[h, day]
            costs = loads[0] * hub.handling_cost, kept[0] * hub.stock_cost
            rows.append((h, day, int(count), *loads, sent.get((h, day), 0.0), *kept, *costs))
    columns = list(next(table for table in RESULTS if table.name == "intake").columns)
    return typed("intake", pd.DataFrame(rows, columns=columns))


def cost_lines(plan: Mapping[str, pd.DataFrame], sets: Sets) -> dict[str, float]:
    """The cost of a plan in money, line by line, from its tables."""
    tours, recovery, trips = plan["tours"], plan["recovery"], plan["linehaul"]
    emissions = sum(float(plan[name]["emissions"].sum()) for name in ("tours", "linehaul", "recovery"))
    served = set(plan["served"]["stop"])
    worth = sum(float(stop.worth) for stop in sets.stops if stop.stop in served)
    last = plan["stock"][plan["stock"]["day"] == sets.days[-1]]
    final = sum(
        sets.final_share * max(sets.best_net(row.hub, (row.product, row.option)), 0.0) * row.units
        for row in last.itertuples(index=False)
    )
    return {
        "vehicles": float(tours["fixed_cost"].sum()),
        "distance": float(tours["distance_cost"].sum()),
        "driving time": float(tours["time_cost"].sum()),
        "handling": float(plan["intake"]["handling_cost"].sum()),
        "stock": float(plan["intake"]["stock_cost"].sum()),
        "line-haul": float(trips["cost"].sum()),
        "treatment": float(recovery["cost"].sum()),
        "carbon": sets.carbon * emissions,
        "left behind": float(plan["unserved"]["loss"].sum()),
        "value of loads": -worth,
        "recovered value": -float(recovery["value"].sum()),
        "final stock": -final,
    }


def comparison_rows(costs: Mapping[str, float], alone: pd.DataFrame) -> pd.DataFrame:
    """The result table `comparison`."""
    values = "value of loads", "recovered value", "final stock"
    lines = {
        "transport": (sum(costs[name] for name in TRANSPORT), alone["shipping"].sum()),
        "hubs": (sum(costs[name] for name in HUBS), 0.0),
        "treatment": (costs["treatment"], alone["treatment"].sum()),
        "carbon": (costs["carbon"], alone["carbon"].sum()),
        "left behind": (costs["left behind"], alone["loss"].sum()),
        "recovered value": (sum(costs[name] for name in values), -alone["recovered"].sum()),
    }
    lines["total"] = (sum(costs.values()), alone["cost"].sum())
    rows = [(line, float(plan), float(other), float(other - plan)) for line, (plan, other) in lines.items()]
    return typed("comparison", pd.DataFrame(rows, columns=["line", "plan", "alone", "saving"]))


def kpis(plan: Frames, full: Frames, costs: dict[str, float]) -> dict[str, Any]:
    """Key figures of a plan: km, hours, kg, kg CO2, shares as parts of 1, money."""
    tours, trips, recovery = plan["tours"], plan["linehaul"], plan["recovery"]
    stops, total = full["stops"], plan["comparison"].set_index("line").loc["total"]
    collected = stops["stop"].isin(plan["served"]["stop"])
    trucks = float(trips["trucks"].sum())
    return {
        "stops": len(stops),
        "served": int(collected.sum()),
        "unserved": {str(r): int(n) for r, n in plan["unserved"].groupby("reason")["stop"].count().items()},
        "tours": len(tours),
        "km": float(tours["km"].sum()),
        "hours": float(tours["hours"].sum()),
        "collected": float(stops.loc[collected, "load_weight"].sum()),
        "trucks": int(trucks),
        "truck_fill": float((trips["fill"] * trips["trucks"]).sum() / trucks) if trucks else None,
        "units": {str(kind): float(units) for kind, units in recovery.groupby("kind")["units"].sum().items()},
        "stock_left": float(
            plan["intake"].loc[plan["intake"]["day"] == full["days"]["day"].iloc[-1], "stock_weight"].sum()
        ),
        "emissions": float(sum(plan[name]["emissions"].sum() for name in ("tours", "linehaul", "recovery"))),
        "alone": float(total["alone"]),
        "saving": float(total["saving"]),
        "flags": {str(flag): int(n) for flag, n in plan["slow_movers"].groupby("flag")["stop"].count().items()},
    }


def page(plan: Frames, figures: dict[str, Any], currency: str) -> Page:
    """What the one page shows of a plan."""
    money = f" {currency}" if currency else ""
    service = {
        "stops": f"{figures['served']} of {figures['stops']} served{_reasons(figures['unserved'])}",
        "tours": f"{figures['tours']} tours, {figures['km']:,.0f} km, {figures['hours']:,.1f} hours",
        "collected": f"{figures['collected']:,.0f} kg",
    }
    if figures["units"]:
        made = ", ".join(f"{units:,.0f} {kind}" for kind, units in figures["units"].items())
        fill = figures["truck_fill"]
        service["recovery"] = f"units by what is done: {made}; {figures['stock_left']:,.0f} kg left at hubs"
        service["line-haul"] = f"{figures['trucks']} trucks, {0 if fill is None else fill:.0%} full"
    if figures["flags"]:
        flags = ", ".join(f"{n} {flag}" for flag, n in figures["flags"].items())
        service["slow movers"] = f"lines of stock: {flags}"
    if figures["emissions"]:
        service["emissions"] = f"{figures['emissions']:,.0f} kg CO2"
    words = "less" if figures["saving"] >= 0 else "more"
    service["each stop alone"] = (
        f"would cost {figures['alone']:,.0f}{money}; the plan costs {abs(figures['saving']):,.0f}{money} {words}"
    )
    constraint = in_words(plan["eased"], plan["limits"], money, "all hubs")
    return Page(service, constraint, "The tours that cost most", _tours(plan, money))


def _reasons(unserved: Mapping[str, int]) -> str:
    told = ", ".join(f"{n} {reason}" for reason, n in unserved.items())
    return f" (left: {told})" if told else ""


def _tours(plan: Frames, money: str) -> pd.DataFrame:
    """The tours that cost most, dearest first."""
    cost = plan["tours"][["fixed_cost", "distance_cost", "time_cost"]].sum(axis=1)
    cost = cost.sort_values(ascending=False, kind="stable").head(SHOWN)
    shown = plan["tours"].loc[cost.index]
    return pd.DataFrame(
        {
            "day": shown["day"],
            "vehicle": shown["vehicle"],
            "stops": shown["stops"].astype(str),
            "unloads": shown["unloads"].astype(str),
            "leaves": shown["departure"].str[:5],
            "back": shown["finish"].str[:5],
            "km": shown["km"].map("{:,.0f}".format),
            f"cost{money}": cost.map("{:,.0f}".format),
        }
    )
