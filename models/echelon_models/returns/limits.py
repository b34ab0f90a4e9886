"""The limits of a case: what a plan uses of each, what one more unit of some is worth by its price, and the case with
one of them eased."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from echelon.explain.limits import bottlenecks
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon.tables import Frames
from echelon_models.returns.clock import DAY, seconds
from echelon_models.returns.estimate import by_tours
from echelon_models.returns.formulation import Estimate, build
from echelon_models.returns.results import typed
from echelon_models.returns.schema import DIMENSIONS, NO_LIMIT
from echelon_models.returns.sets import Sets, limited
from echelon_models.returns.settle import Plan
from echelon_models.returns.tours import Fleet

PRICED = ("intake", "storage", "destination capacity", "weight limit")  # limits that the consolidation model knows
UNITS = {"weight": "kg", "volume": "m³", "pallets": "pallets"}
DIMENSION = {unit: d for d, unit in UNITS.items()}
HOUR = 3600.0
ALL_DAYS = "all days"
Line = tuple[str, str, str, str, float, float]  # limit, name, period, unit, capacity, use
KEY = ["limit", "name", "period", "unit"]


def limit_lines(full: Frames, plan: Frames) -> pd.DataFrame:
    """limit, name, period, unit, capacity, use: every limit of a completed case, and what a plan's tables use of it."""
    days = full["days"]["day"].tolist()
    lines = [*_of_hubs(full, plan, days), *_of_vehicles(full, plan, days), *_of_ways(full, plan, days)]
    lines += _of_destinations(full, plan, days)
    return pd.DataFrame(lines, columns=[*KEY, "capacity", "use"])


def limit_rows(fleet: Fleet, sets: Sets, first: Estimate, plan: Plan, options: SolveOptions) -> pd.DataFrame:
    """The result table `limits`. Prices are the duals of the consolidation model with the plan's trucks, the marginal
    costs of its tours, and visits that may be made in part: a linear program. It knows no limits of vehicles."""
    estimate = by_tours(fleet, first, plan.solution.routes, plan.at)
    model = build(sets, _with_room(sets, estimate, plan), divisible=True, trucks=plan.trucks)
    solution = highs.solve(model, options, prices=True)
    lines = limit_lines(fleet.full, plan.tables)
    prices = []
    for key in lines[KEY].itertuples(index=False, name=None):
        row = constraint_of(model, sets, *key)
        known = solution.outcome.has_plan and row is not None
        no_price = None if row is None and key[0] not in PRICED else 0.0
        prices.append(max(-solution.dual(row), 0.0) + 0.0 if known else no_price)
    return typed("limits", lines.assign(excess=0.0, price=pd.Series(prices, dtype="float64")))


def constraint_of(model: Any, sets: Sets, limit: str, name: str, period: str, unit: str) -> Any:
    """The constraint of the consolidation model that stands for a limit; None if there is none."""
    t = sets.days.index(period) if period in sets.days else 0
    of: dict[str, tuple[Any, Any]] = {
        "intake": (model.hub_intake, (name, t, DIMENSION.get(unit))),
        "storage": (model.hub_storage, (name, t, DIMENSION.get(unit))),
        "destination capacity": (model.destination_capacity, (name, t)),
        "weight limit": (model.weight_limit, name),
    }
    rows, key = of.get(limit, ({}, None))
    return rows[key] if key in rows else None


def _with_room(sets: Sets, estimate: Estimate, plan: Plan) -> Estimate:
    """The estimate with room enough for the plan: where it is fuller than estimated, the plan tells the limit."""
    room = dict(estimate.room)
    for h, t, d in room:
        here = [i for i, at in plan.at.items() if (at.hub, at.t) == (h, t)]
        use = sum(estimate.minutes[i, h, t] if d == "minutes" else sets.load(i, d) for i in here)
        room[h, t, d] = max(room[h, t, d], use)
    return Estimate(estimate.cost, estimate.minutes, room)


def _of_hubs(full: Frames, plan: Frames, days: list[str]) -> Iterator[Line]:
    """Intake and storage by day and dimension; docks by day: the most vehicles that stand at them at once."""
    intake = plan["intake"].set_index(["hub", "day"])
    calls = plan["routes"][plan["routes"]["call"] == "hub"]
    midnight = calls["day"].map({day: t * DAY for t, day in enumerate(days)})
    calls = calls.assign(start=midnight + calls["begin"].map(seconds), end=midnight + calls["departure"].map(seconds))
    for hub in full["hubs"].itertuples(index=False):
        here = calls[calls["place"] == hub.hub]
        for day in days:
            for kind, told in (("intake", ""), ("storage", "stock_")):
                for d in DIMENSIONS:
                    if limited(capacity := getattr(hub, f"{kind}_{d}")):
                        use = float(intake.loc[(hub.hub, day), f"{told}{d}"])
                        yield kind, hub.hub, day, UNITS[d], float(capacity), use
            if hub.docks < NO_LIMIT:
                busy = [((here["start"] <= s) & (s < here["end"])).sum() for s in here.loc[here["day"] == day, "start"]]
                yield "dock capacity", hub.hub, day, "docks", float(hub.docks), float(max(busy, default=0))


def _of_vehicles(full: Frames, plan: Frames, days: list[str]) -> Iterator[Line]:
    """By type and day: vehicles used; of the vehicle that uses most, its load, the hours from the shift's begin to its
    end, its hours under way, its km."""
    tours = plan["tours"].assign(back=plan["tours"]["finish"].map(seconds).astype(float) / HOUR)
    loads = plan["routes"].groupby(["vehicle", "day"])[list(DIMENSIONS)].max()
    tours = tours.merge(loads.reset_index(), on=["vehicle", "day"])
    for row in full["vehicles"].itertuples(index=False):
        of_type = tours[tours["type"] == row.vehicle]
        for day in days:
            used = of_type[of_type["day"] == day]
            most = used[["hours", "km", "back", *DIMENSIONS]].max() if len(used) else dict.fromkeys(tours.columns, 0.0)
            yield "fleet", row.vehicle, day, "vehicles", float(row.count), float(len(used))
            for d in DIMENSIONS:
                if limited(getattr(row, d)):
                    yield "load capacity", row.vehicle, day, UNITS[d], float(getattr(row, d)), float(most[d])
            begin = row.shift_start / HOUR
            length = row.shift_end / HOUR - begin
            yield "shift", row.vehicle, day, "hours", length, max(float(most["back"]) - begin, 0.0)
            if limited(row.max_hours):
                yield "longest tour", row.vehicle, day, "hours", float(row.max_hours), float(most["hours"])
            if limited(row.range):
                yield "range", row.vehicle, day, "km", float(row.range), float(most["km"])


def _of_ways(full: Frames, plan: Frames, days: list[str]) -> Iterator[Line]:
    """Trucks of a day from a hub to a destination."""
    sent = plan["linehaul"].set_index(["hub", "destination", "day"])["trucks"].to_dict()
    for row in full["ways"].itertuples(index=False):
        for day in days if row.trucks < NO_LIMIT else ():
            use = float(sent.get((row.hub, row.destination, day), 0))
            yield "line-haul capacity", way_name(row), day, "trucks", float(row.trucks), use


def way_name(row: Any) -> str:
    """What the limit of a line-haul way is called."""
    return f"{row.hub} to {row.destination}"


def _of_destinations(full: Frames, plan: Frames, days: list[str]) -> Iterator[Line]:
    """Units of a day, and weight over all days."""
    weight = plan["recovery"]["product"].map(full["products"].set_index("product")["weight"]).astype(float)
    taken = plan["recovery"].assign(weight=plan["recovery"]["units"] * weight)
    units = taken.groupby(["destination", "day"])["units"].sum().to_dict()
    kg = taken.groupby("destination")["weight"].sum().to_dict()
    for row in full["destinations"].itertuples(index=False):
        for day in days if limited(row.capacity) else ():
            use = float(units.get((row.destination, day), 0.0))
            yield "destination capacity", row.destination, day, "units", float(row.capacity), use
        if limited(row.weight_limit):
            use = float(kg.get(row.destination, 0.0))
            yield "weight limit", row.destination, ALL_DAYS, "kg", float(row.weight_limit), use


def feeders(full: Frames, plan: Frames) -> pd.DataFrame:
    """limit, name, unit, period, item, use: what feeds the limits of hubs and destinations in a plan's tables; the
    items are stops (of intake) or products."""
    stops = plan["served"].merge(full["stops"], on="stop")
    kept, taken = plan["stock"].merge(full["products"], on="product"), plan["recovery"]
    used = [taken.assign(limit="destination capacity", name=taken["destination"], unit="units", use=taken["units"])]
    for d, unit in UNITS.items():
        used.append(kept.assign(limit="storage", name=kept["hub"], unit=unit, use=kept["units"] * kept[d]))
        used.append(
            stops.assign(limit="intake", name=stops["hub"], unit=unit, use=stops[f"load_{d}"], product=stops["stop"])
        )
    key = ["limit", "name", "unit", "day", "product"]
    rows = pd.concat([frame[[*key, "use"]] for frame in used]).groupby(key, as_index=False)["use"].sum()
    return rows[rows["use"] > 0].rename(columns={"day": "period", "product": "item"})


def tightest(full: Frames, plan: Frames) -> pd.DataFrame:
    """The result table `bottlenecks`: where the plan is tightest on each day, and what feeds it."""
    return bottlenecks(plan["limits"][plan["limits"]["period"] != ALL_DAYS], feeders(full, plan))


def ease(full: Frames, limit: str, name: str, unit: str, added: float) -> Frames:
    """The completed tables with so much more of a limit on every day."""
    table, key, column, factor = {
        "intake": ("hubs", "hub", f"intake_{DIMENSION.get(unit)}", 1.0),
        "storage": ("hubs", "hub", f"storage_{DIMENSION.get(unit)}", 1.0),
        "dock capacity": ("hubs", "hub", "docks", 1.0),
        "fleet": ("vehicles", "vehicle", "count", 1.0),
        "load capacity": ("vehicles", "vehicle", DIMENSION.get(unit, ""), 1.0),
        "shift": ("vehicles", "vehicle", "shift_end", HOUR),
        "longest tour": ("vehicles", "vehicle", "max_hours", 1.0),
        "range": ("vehicles", "vehicle", "range", 1.0),
        "line-haul capacity": ("ways", "", "trucks", 1.0),
        "destination capacity": ("destinations", "destination", "capacity", 1.0),
        "weight limit": ("destinations", "destination", "weight_limit", 1.0),
    }[limit]
    rows = full[table]
    named = (
        rows[key] if key else pd.Series([way_name(row) for row in rows.itertuples(index=False)], rows.index, dtype=str)
    )
    whole = pd.api.types.is_integer_dtype(rows[column])
    more = (named == name) * added * factor
    return full | {table: rows.assign(**{column: rows[column] + (more.round().astype("int64") if whole else more)})}
