"""What each stop would do alone: ship its goods straight to destinations, or leave them. The plan is compared with it.

It is told as cheaply as it can be: every destination that law and recovery allow takes all that comes, at any time;
every stop finds a carrier (or, without a tariff, the cheapest vehicle that fits, for itself). So the saving is no
exaggeration.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd

from echelon.tables import Frames
from echelon_models.returns.complete import forbids
from echelon_models.returns.schema import DIMENSIONS, ReturnsOptions
from echelon_models.returns.tours import Fleet, speed

MOST_SHIPMENTS = 3  # of one stop: more destinations are not tried together
KG = 1000.0

Load = dict[str, float]
Carrier = Callable[[int, str, Load], float]


class _Way(NamedTuple):
    """What becomes of a stop's goods at a destination or hub: load shipped, cost of treating it, price of the emissions
    of treating it, value."""

    target: str
    load: Load
    treatment: float
    carbon: float
    value: float

    @property
    def net_cost(self) -> float:
        return self.treatment + self.carbon - self.value


def alone_rows(fleet: Fleet, options: ReturnsOptions) -> pd.DataFrame:
    """The result table `alone`: one row a stop."""
    carrier = _tariff(fleet) if len(fleet.full["tariff"]) else _own_vehicle(fleet, options)
    goods = _goods(fleet.full, options)
    rows = [_row(fleet, i, goods.get(stop.stop, []), carrier) for i, stop in enumerate(fleet.stops)]
    columns = [
        "stop",
        "ships",
        "destinations",
        "shipments",
        "shipping",
        "treatment",
        "carbon",
        "recovered",
        "loss",
        "cost",
    ]
    return pd.DataFrame(rows, columns=columns)


def _row(fleet: Fleet, i: int, goods: Sequence[dict[str, _Way]], carrier: Carrier) -> tuple[Any, ...]:
    """The best a stop can do alone: ship what is best to the destinations that are best, or leave it at its loss."""
    stop = fleet.stops[i]
    leave = (stop.stop, False, "", 0, 0.0, 0.0, 0.0, 0.0, float(stop.loss), float(stop.loss))
    ways = _ways(fleet, i, goods, carrier)
    delivery = {d: float(getattr(stop, f"delivery_{d}")) for d in DIMENSIONS}
    hubs = [hub.hub for hub in fleet.hubs]
    brought = min((carrier(i, hub, delivery) for hub in hubs), default=math.inf) if any(delivery.values()) else 0.0
    if ways is None or not math.isfinite(brought):
        return leave
    by_target: dict[str, list[_Way]] = {}
    for way in ways:
        by_target.setdefault(way.target, []).append(way)
    shipping = sum(carrier(i, target, _sum(w.load for w in of)) for target, of in by_target.items()) + brought
    treatment, carbon, value = (sum(getattr(w, part) for w in ways) for part in ("treatment", "carbon", "value"))
    cost = shipping + treatment + carbon - value
    if cost >= stop.loss:
        return leave
    shipments = len(by_target) + (brought > 0)
    return (stop.stop, True, ", ".join(sorted(by_target)), shipments, shipping, treatment, carbon, value, 0.0, cost)


def _ways(fleet: Fleet, i: int, goods: Sequence[dict[str, _Way]], carrier: Carrier) -> list[_Way] | None:
    """Where each of the stop's goods goes, the best over all sets of few destinations; None if something has nowhere to
    go. The load given in `stops` goes to a hub."""
    own = _own_load(fleet, i)
    everything = [*goods, own] if own is not None else list(goods)
    targets = sorted({target for choices in everything for target in choices})
    best, best_cost = None, math.inf
    for size in range(min(MOST_SHIPMENTS, len(targets)) + 1):
        for chosen in itertools.combinations(targets, size):
            picked = [_best_among(choices, chosen) for choices in everything]
            if None in picked:
                continue
            ways = [way for way in picked if way is not None]
            loads = {t: _sum(w.load for w in ways if w.target == t) for t in {w.target for w in ways}}
            cost = sum(carrier(i, t, load) for t, load in loads.items()) + sum(w.net_cost for w in ways)
            if cost < best_cost:
                best, best_cost = ways, cost
    return best


def _best_among(choices: dict[str, _Way], chosen: Sequence[str]) -> _Way | None:
    among = [choices[target] for target in chosen if target in choices]
    return min(among, key=lambda way: way.net_cost, default=None)


def _own_load(fleet: Fleet, i: int) -> dict[str, _Way] | None:
    """The load given in `stops` (and, without destinations, all goods) at each hub that may take it; None: nothing."""
    stop = fleet.stops[i]
    in_goods = fleet.full["goods"].loc[fleet.full["goods"]["stop"] == stop.stop]
    load = {d: float(getattr(stop, d if len(in_goods) else f"load_{d}")) for d in DIMENSIONS}
    if not any(load.values()) and stop.worth == 0:
        return None
    inlets = fleet.full["inlets"]
    allowed = set(inlets.loc[inlets["stop"] == stop.stop, "hub"])
    return {
        hub.hub: _Way(hub.hub, load, hub.handling_cost * load["weight"], 0.0, float(stop.worth))
        for hub in fleet.hubs
        if hub.hub in allowed
    }


def _goods(full: Frames, options: ReturnsOptions) -> dict[str, list[dict[str, _Way]]]:
    """stop -> for each of its goods, the destinations that may take it from there, and what becomes of it."""
    products = full["products"].set_index("product")
    region = full["stops"].set_index("stop")["region"].to_dict()
    home = full["destinations"].set_index("destination")["region"].to_dict()
    takes: dict[str, list[Any]] = {}
    for row in full["recovery"].itertuples(index=False):
        takes.setdefault(row.product, []).append(row)
    goods: dict[str, list[dict[str, _Way]]] = {}
    for row in full["goods"].itertuples(index=False):
        product = products.loc[row.product]
        load = {d: row.quantity * float(product[d]) for d in DIMENSIONS}
        choices = {}
        for terms in takes.get(row.product, []):
            lawful = not forbids(
                full["jurisdictions"], product["product_class"], home[terms.destination], region[row.stop]
            )
            if lawful and row.option in ("", terms.kind):
                each = terms.cost + (1 - terms.yield_rate) * terms.residue_cost
                carbon = options.carbon_price / KG * terms.emissions * row.quantity
                value = row.quantity * terms.yield_rate * terms.gain
                choices[terms.destination] = _Way(terms.destination, load, row.quantity * each, carbon, value)
        goods.setdefault(row.stop, []).append(choices)
    return goods


def _sum(loads: Any) -> Load:
    total = dict.fromkeys(DIMENSIONS, 0.0)
    for load in loads:
        for d in DIMENSIONS:
            total[d] += load[d]
    return total


def _tariff(fleet: Fleet) -> Carrier:
    """A carrier's price: the row of the shipment's weight, or that of a heavier one where it is cheaper."""
    rows = fleet.full["tariff"].sort_values("from_weight")
    bands = list(rows[["from_weight", "cost", "cost_per_kg", "cost_per_km"]].itertuples(index=False, name=None))
    ends = [*rows["from_weight"].iloc[1:], math.inf]

    def price(i: int, target: str, load: Load) -> float:
        km = _km(fleet, fleet.stops[i].stop, target)
        weight = load["weight"]
        return min(
            cost + per_kg * max(weight, begins) + per_km * km
            for (begins, cost, per_kg, per_km), ends_at in zip(bands, ends, strict=True)
            if weight < ends_at
        )

    return price


def _own_vehicle(fleet: Fleet, options: ReturnsOptions) -> Carrier:
    """There and back with the cheapest type of vehicle that fits, as often as it takes; a day's cost each time."""
    types = {shift.type.vehicle: v for v, shift in reversed(list(enumerate(fleet.shifts)))}

    def price(i: int, target: str, load: Load) -> float:
        stop, km = fleet.problem.stops[i], _km(fleet, fleet.stops[i].stop, target)
        costs = [math.inf]
        for v in types.values():
            row, vehicle = fleet.shifts[v].type, fleet.problem.vehicles[v]
            if not stop.skills <= vehicle.skills or not math.isfinite(km):
                continue
            fills = [load[d] / getattr(row, d) for d in DIMENSIONS if getattr(row, d) > 0]
            trips = max(1, math.ceil(max(fills, default=0.0) - 1e-9))
            hours = 2 * km / speed(row, options) + fleet.stops[i].service_minutes / 60
            per_km = row.cost_per_km + options.carbon_price * row.emissions / KG
            costs.append(trips * (row.fixed_cost + 2 * km * per_km + hours * row.cost_per_hour))
        return min(costs)

    return price


def _km(fleet: Fleet, stop: str, target: str) -> float:
    """Distance from a stop to a hub or destination; infinite where it is not known."""
    km = fleet.travel.km[fleet.travel.index[stop], fleet.travel.index[target]]
    return math.inf if math.isnan(km) else float(km)
