"""Recompute a plan from the tables alone: tours (see `recheck_routes`), hubs, line-haul,
recovery, every cost line; limits and each stop alone (see `recheck_limits`, `recheck_alone`)."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from echelon.book import Book
from echelon.family import Recheck
from echelon.tables import Frames
from echelon_models.returns.recheck_alone import check_alone
from echelon_models.returns.recheck_limits import check_limits
from echelon_models.returns.recheck_routes import DIMENSIONS, TOLERANCE, Visits, World, check_routes, check_served

KG = 1000.0  # in a tonne
KINDS = ("refurbish", "resell", "supplier", "recycle", "scrap")


def recheck(full: Frames, options: Any, plan: Frames) -> Recheck:
    """The plan's costs line by line, and the rules it breaks."""
    book, world = Book(absolute=TOLERANCE), World(full, options)
    visits = check_routes(book, world, plan)
    check_served(book, world, visits, plan["served"], plan["unserved"])
    _check_tours(book, world, visits, plan)
    _check_recovery(book, full, plan)
    _check_balance(book, full, world, visits, plan)
    _check_trucks(book, full, world, plan)
    _check_destinations(book, full, plan)
    _check_intake(book, full, world, visits, plan)
    check_limits(book, full, world, visits, plan)
    costs = _costs(full, options, visits, plan)
    check_alone(book, full, world, plan)
    _check_comparison(book, plan, costs)
    _check_slow_movers(book, full, options, plan)
    return Recheck(costs, len(book.rules), tuple(book.violations))


def _check_tours(book: Book, world: World, visits: Visits, plan: Frames) -> None:
    """The totals of each tour are those of its calls."""
    calls = {key: rows for key, rows in plan["routes"].groupby(["vehicle", "day"])}
    told = [(row.vehicle, row.day) for row in plan["tours"].itertuples(index=False)]
    book.holds("one row a tour", "tours", sorted(told) == sorted(calls))
    for row in plan["tours"].itertuples(index=False):
        rows, km = calls.get((row.vehicle, row.day)), visits.km.get((row.vehicle, row.day))
        if rows is None or km is None or row.type not in world.types:
            book.holds("a tour is of a type of the case", row.vehicle, rows is None and row.type in world.types)
            continue
        where, kind = f"{row.vehicle} {row.day}", world.types[row.type]
        book.holds("a tour is of its vehicle's type", where, row.vehicle.rpartition(" ")[0] == row.type)
        first, last = rows.iloc[0], rows.iloc[-1]
        hours = (_seconds(last["departure"]) - _seconds(first["departure"])) / 3600.0
        ends = (row.departure, row.finish) == (first["departure"], last["departure"])
        counts = (row.stops, row.unloads) == ((rows["call"] == "stop").sum(), (rows["call"] == "hub").sum())
        book.holds("a tour's times and calls", where, ends and counts)
        truth = {"hours": hours, "km": km, "emissions": km * kind.emissions, "fixed_cost": kind.fixed_cost,
                 "distance_cost": km * kind.cost_per_km, "time_cost": hours * kind.cost_per_hour}  # fmt: skip
        for name, true in truth.items():
            book.agrees(f"a tour's {name}", where, getattr(row, name), true)


def _seconds(text: str) -> float:
    return sum(float(part) * unit for part, unit in zip(text.split(":"), (3600, 60, 1), strict=True))


def _check_recovery(book: Book, full: Frames, plan: Frames) -> None:
    """Goods go where way, law, class and option allow; what they bring and cost follows from the destination's
    terms."""
    allowed = set(full["outlets"][["hub", "destination", "product", "kind"]].itertuples(index=False, name=None))
    terms = {(row.destination, row.product): row for row in full["recovery"].itertuples(index=False)}
    for row in plan["recovery"].itertuples(index=False):
        where = f"{row.hub}, {row.destination}, {row.product}, {row.day}"
        lawful = (row.hub, row.destination, row.product, row.kind) in allowed and row.option in ("", row.kind)
        book.holds("goods go where they may", where, lawful)
        treated = terms.get((row.destination, row.product))
        if treated is None:
            continue
        good = row.units * treated.yield_rate
        truth = {"good": good, "value": good * treated.gain, "emissions": row.units * treated.emissions,
                 "cost": row.units * treated.cost + (row.units - good) * treated.residue_cost}  # fmt: skip
        for name, true in truth.items():
            book.agrees(f"recovery: {name}", where, getattr(row, name), true)


def _check_balance(book: Book, full: Frames, world: World, visits: Visits, plan: Frames) -> None:
    """Stock = stock of the day before + what comes in - what is sent, for each hub, product, option and day."""
    change: dict[Any, float] = defaultdict(float)
    for row in full["goods"].itertuples(index=False):
        if row.stop in visits.stops:
            t, hub, _, _ = visits.stops[row.stop]
            change[hub, row.product, row.option, t] += row.quantity
    for row in plan["recovery"].itertuples(index=False):
        change[row.hub, row.product, row.option, world.day.get(row.day, -1)] -= row.units
    stock: dict[Any, float] = defaultdict(float)
    for row in plan["stock"].itertuples(index=False):
        stock[row.hub, row.product, row.option, world.day.get(row.day, -1)] += row.units
    for key in sorted({key[:3] for key in (*change, *stock)}):
        have = 0.0
        for day, t in world.day.items():
            have += change[*key, t]
            where = f"{', '.join(key)}, {day}"
            book.agrees("balance of a hub", where, stock[*key, t], have)
            book.over("nothing is sent that is not there", where, -have, 1e-4)
            have = stock[*key, t]


def _check_trucks(book: Book, full: Frames, world: World, plan: Frames) -> None:
    """What is sent fits the trucks in every dimension; trucks are few enough; their figures follow."""
    products = {row.product: row for row in full["products"].itertuples(index=False)}
    ways = {(row.hub, row.destination): row for row in full["ways"].itertuples(index=False)}
    sent: dict[Any, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in plan["recovery"].itertuples(index=False):
        load = sent[row.hub, row.destination, row.day]
        load["units"] += row.units
        for d in DIMENSIONS:
            load[d] += row.units * getattr(products[row.product], d) if row.product in products else math.nan
    trips = {(row.hub, row.destination, row.day): row for row in plan["linehaul"].itertuples(index=False)}
    book.holds("one row of trucks a way and day", "linehaul", len(trips) == len(plan["linehaul"]))
    for key in sorted({*trips, *sent}):
        way, trip, load, where = ways.get(key[:2]), trips.get(key), sent[key], ", ".join(key)
        book.holds("goods go by truck, on the case's ways", where, way is not None and trip is not None)
        if way is None or trip is None:
            continue
        book.over("trucks of a day", where, trip.trucks, way.trucks)
        for d in DIMENSIONS:
            book.over("capacity of a truck", f"{where}, {d}", load[d], trip.trucks * getattr(way, d))
            book.agrees(f"line-haul: {d}", where, getattr(trip, d), load[d])
        fill = max(load[d] / (trip.trucks * getattr(way, d)) for d in DIMENSIONS) if trip.trucks else math.nan
        truth = {"units": load["units"], "fill": fill, "emissions": trip.trucks * way.emissions,
                 "cost": trip.trucks * way.truck_cost + way.weight_cost * load["weight"]}  # fmt: skip
        for name, true in truth.items():
            book.agrees(f"line-haul: {name}", where, getattr(trip, name), true)


def _check_destinations(book: Book, full: Frames, plan: Frames) -> None:
    """What destinations take in a day, and in weight over all days."""
    weight = full["products"].set_index("product")["weight"]
    rows = plan["recovery"].assign(
        weight=plan["recovery"]["units"] * plan["recovery"]["product"].map(weight).astype(float)
    )
    for row in full["destinations"].itertuples(index=False):
        here = rows[rows["destination"] == row.destination]
        busiest = here.groupby("day")["units"].sum().max() if len(here) else 0.0
        book.over("capacity of a destination", row.destination, busiest, _or_inf(row.capacity))
        book.over("weight limit of a destination", row.destination, here["weight"].sum(), _or_inf(row.weight_limit))


def _or_inf(limit: float) -> float:
    return math.inf if limit != limit else float(limit)


def _check_intake(book: Book, full: Frames, world: World, visits: Visits, plan: Frames) -> None:
    """What a hub takes in, sends out and keeps over night, and what that costs."""
    products = {row.product: row for row in full["products"].itertuples(index=False)}
    kept: dict[Any, float] = defaultdict(float)
    for row in plan["stock"].itertuples(index=False):
        for d in DIMENSIONS:
            kept[row.hub, row.day, d] += row.units * (
                getattr(products[row.product], d) if row.product in products else math.nan
            )
    sent = plan["linehaul"].groupby(["hub", "day"])["weight"].sum().to_dict()
    told = {(row.hub, row.day): row for row in plan["intake"].itertuples(index=False)}
    book.holds(
        "one row a hub and day", "intake", sorted(told) == sorted((h, day) for h in world.hubs for day in world.day)
    )
    for (hub, day), row in told.items():
        if hub not in world.hubs or day not in world.day:
            continue
        terms, where, t = world.hubs[hub], f"{hub}, {day}", world.day[day]
        taken = {d: visits.intake.get((hub, t, d), 0.0) for d in DIMENSIONS}
        count = sum(1 for at in visits.stops.values() if at[:2] == (t, hub))
        truth = {"stops": count, "sent_weight": sent.get((hub, day), 0.0), **taken,
                 **{f"stock_{d}": kept[hub, day, d] for d in DIMENSIONS},
                 "handling_cost": terms.handling_cost * taken["weight"],
                 "stock_cost": terms.stock_cost * kept[hub, day, "weight"]}  # fmt: skip
        for name, true in truth.items():
            book.agrees(f"hub: {name}", where, getattr(row, name), true)
        for d in DIMENSIONS:
            book.over("storage of a hub", f"{where}, {d}", kept[hub, day, d], _or_inf(getattr(terms, f"storage_{d}")))


def _costs(full: Frames, options: Any, visits: Visits, plan: Frames) -> dict[str, float]:
    """Every cost line, from what the rows say that the checks above have held against the tables."""
    tours, recovery, trips, stops = plan["tours"], plan["recovery"], plan["linehaul"], full["stops"]
    served = stops["stop"].isin(visits.stops)
    emissions = tours["emissions"].sum() + trips["emissions"].sum() + recovery["emissions"].sum()
    return {
        "vehicles": float(tours["fixed_cost"].sum()),
        "distance": float(tours["distance_cost"].sum()),
        "driving time": float(tours["time_cost"].sum()),
        "handling": float(plan["intake"]["handling_cost"].sum()),
        "stock": float(plan["intake"]["stock_cost"].sum()),
        "line-haul": float(trips["cost"].sum()),
        "treatment": float(recovery["cost"].sum()),
        "carbon": float(options.carbon_price / KG * emissions),
        "left behind": float(stops.loc[~served, "loss"].sum()),
        "value of loads": -float(stops.loc[served, "worth"].sum()),
        "recovered value": -float(recovery["value"].sum()),
        "final stock": -_final_stock(full, options, plan),
    }


def _final_stock(full: Frames, options: Any, plan: Frames) -> float:
    """What is left at hubs after the last day, at a share of the best it could be recovered for."""
    outlets = full["outlets"].merge(full["recovery"][["destination", "product", "net"]], on=["destination", "product"])
    worth = 0.0
    for row in plan["stock"][plan["stock"]["day"] == full["days"]["day"].iloc[-1]].itertuples(index=False):
        open_to = outlets[(outlets["hub"] == row.hub) & (outlets["product"] == row.product)]
        open_to = open_to if row.option == "" else open_to[open_to["kind"] == row.option]
        worth += row.units * max(float(open_to["net"].max()) if len(open_to) else 0.0, 0.0)
    return worth * float(options.final_stock_share)


def _check_comparison(book: Book, plan: Frames, costs: dict[str, float]) -> None:
    """The comparison is of this plan and of the stops alone."""
    told = plan["comparison"].set_index("line")
    total = told.loc["total"] if "total" in told.index else {"plan": math.nan, "alone": math.nan}
    book.agrees("comparison: the plan", "total", total["plan"], sum(costs.values()))
    book.agrees("comparison: each stop alone", "total", total["alone"], plan["alone"]["cost"].sum())
    lines = told.drop(index="total", errors="ignore")
    for name in ("plan", "alone"):
        book.agrees("comparison: lines add up", name, total[name], lines[name].sum())
    for line, row in told.iterrows():
        book.agrees("comparison: saving", str(line), row["saving"], row["alone"] - row["plan"])


def _check_slow_movers(book: Book, full: Frames, options: Any, plan: Frames) -> None:
    """Each line of stock: units add up, holding is worth what the formula says, the flag is of the best option; what is
    not held has become the plan's returns."""
    value = full["products"].set_index("product")["value"].to_dict()
    told = {(row.stop, row.product): row for row in plan["slow_movers"].itertuples(index=False)}
    book.holds(
        "one row a line of stock", "slow_movers", len(told) == len(full["slow_movers"]) == len(plan["slow_movers"])
    )
    moved = {}
    for line in full["stock_lines"].itertuples(index=False):
        row, where = told.get((line.stop, line.product)), f"{line.stop}, {line.product}"
        book.holds("every line of stock has a row", where, row is not None)
        if row is None:
            continue
        price = line.unit_value if line.unit_value == line.unit_value else value[line.product]
        kept = (
            min(line.quantity, math.ceil(line.demand_rate * options.slow_cover - 1e-9))
            if line.age <= options.slow_age
            else 0
        )
        book.agrees("slow movers: units kept", where, row.kept, kept)
        book.agrees("slow movers: units moved", where, row.moved, line.quantity - kept)
        sold = min(max(line.demand_rate * options.slow_horizon - kept, 0.0), row.moved)
        days = sold * (kept + sold / 2) / line.demand_rate if line.demand_rate else 0.0
        days += (row.moved - sold) * options.slow_horizon
        book.agrees(
            "slow movers: worth of holding", where, row.hold, price * (sold - options.holding_rate * days / 365.0)
        )
        if row.flag != "hold":
            moved[line.stop, line.product, row.flag] = row.moved
        best = max(v for v in (row.hold, *(getattr(row, k) for k in KINDS)) if v == v)
        flagged = getattr(row, row.flag, math.nan) if row.moved > 0 else best
        book.agrees("slow movers: the flag is of the best option", where, flagged, best)
    returns = {(r.stop, r.product, r.option): r.quantity for r in plan["returns"].itertuples(index=False)}
    book.holds("slow movers that are not held are the plan's returns", "returns", returns == moved)
