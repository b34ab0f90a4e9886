"""Recompute from the tables what each stop would do alone: the saving of the plan is a claim, and this its other half.

Every way of shipping is priced again, by the tariff or by the cheapest vehicle there and back: a stop alone must do
what costs least, or the plan would be set against a straw man.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from echelon.book import Book
from echelon.tables import Frames
from echelon_models.returns.recheck_routes import DIMENSIONS, World

MOST_SHIPMENTS = 3  # of goods: a stop is not thought to ship to more places
KG = 1000.0  # in a tonne
Load = dict[str, float]
Price = Callable[[Any, str, Load], float]  # of a shipment from a stop to a place


class _Treated(NamedTuple):
    """What becomes of goods at a place: their load; treatment, price of emissions, value in money."""

    load: Load
    treatment: float
    carbon: float
    value: float


class _Shipped(NamedTuple):
    """What it comes to: number of shipments, and the columns of the table."""

    shipments: int
    shipping: float
    treatment: float
    carbon: float
    recovered: float

    @property
    def cost(self) -> float:
        return self.shipping + self.treatment + self.carbon - self.recovered


def check_alone(book: Book, full: Frames, world: World, plan: Frames) -> None:
    """One row a stop; its figures are those of the places that it names, and no other way costs less."""
    book.holds("one row a stop alone", "alone", sorted(plan["alone"]["stop"]) == sorted(world.stops))
    price = _by_tariff(full, world) if len(full["tariff"]) else _by_vehicle(full, world)
    goods = _goods(full, world)
    for row in plan["alone"].itertuples(index=False):
        if row.stop not in world.stops:
            continue
        stop, leaving = world.stops[row.stop], _Shipped(0, 0.0, 0.0, 0.0, 0.0)
        ways = dict(_ways(full, world, stop, goods.get(row.stop, []), price))
        told = ways.get(row.destinations) if row.ships else leaving
        loss = 0.0 if row.ships else float(stop.loss)
        least = min([float(stop.loss), *(way.cost for way in ways.values())])
        book.holds("a stop alone ships to places that may take its goods", row.stop, told is not None)
        for name in _Shipped._fields:
            book.agrees(f"a stop alone: {name}", row.stop, getattr(row, name), getattr(told or leaving, name))
        book.agrees("a stop alone: loss", row.stop, row.loss, loss)
        book.agrees("a stop alone: cost", row.stop, row.cost, (told or leaving).cost + loss)
        book.agrees("a stop alone does what costs least", row.stop, row.cost, least)


def _ways(
    full: Frames, world: World, stop: Any, goods: Sequence[dict[str, _Treated]], price: Price
) -> Iterator[tuple[str, _Shipped]]:
    """(names of the places, what it comes to) for every few places that can take all that the stop has; the least for
    the same names comes last."""
    delivery = {d: float(getattr(stop, f"delivery_{d}")) for d in DIMENSIONS}
    brought = min(price(stop, hub, delivery) for hub in world.hubs) if any(delivery.values()) else 0.0
    things = [*goods, *_own_load(full, world, stop, bool(goods))]
    places, found = sorted({place for thing in things for place in thing}), []
    for size in range(min(MOST_SHIPMENTS, len(places)) + 1):
        for chosen in itertools.combinations(places, size):
            if all(set(thing) & set(chosen) for thing in things):
                at = [_cheapest(thing, chosen) for thing in things]
                treated = [thing[place] for thing, place in zip(things, at, strict=True)]
                shipping = sum(price(stop, place, _load(at, treated, place)) for place in set(at)) + brought
                sums = (sum(getattr(each, name) for each in treated) for name in ("treatment", "carbon", "value"))
                found.append((", ".join(sorted(set(at))), _Shipped(len(set(at)) + (brought > 0), shipping, *sums)))
    yield from sorted((way for way in found if math.isfinite(way[1].cost)), key=lambda way: -way[1].cost)


def _cheapest(thing: dict[str, _Treated], chosen: Sequence[str]) -> str:
    """The place among those chosen where goods cost least, or bring most, before their way there."""
    return min((place for place in chosen if place in thing), key=lambda place: _net(thing[place]))


def _load(at: Sequence[str], treated: Sequence[_Treated], place: str) -> Load:
    """What goes to a place in all."""
    here = [each.load for each, where in zip(treated, at, strict=True) if where == place]
    return {d: sum(load[d] for load in here) for d in DIMENSIONS}


def _net(treated: _Treated) -> float:
    return treated.treatment + treated.carbon - treated.value


def _own_load(full: Frames, world: World, stop: Any, has_goods: bool) -> list[dict[str, _Treated]]:
    """The load given in `stops`, or all of it where goods end their way at a hub, at each hub that may take it."""
    kind = "" if has_goods else "load_"
    load = {d: float(getattr(stop, f"{kind}{d}")) for d in DIMENSIONS}
    if not any(load.values()) and stop.worth == 0:
        return []
    return [
        {
            name: _Treated(load, hub.handling_cost * load["weight"], 0.0, float(stop.worth))
            for name, hub in world.hubs.items()
            if (stop.stop, name) in world.inlets
        }
    ]


def _goods(full: Frames, world: World) -> dict[str, list[dict[str, _Treated]]]:
    """stop -> for each of its goods, place -> what becomes of them there, where law, option and terms allow."""
    products = {row.product: row for row in full["products"].itertuples(index=False)}
    region = {row.destination: row.region for row in full["destinations"].itertuples(index=False)}
    laws = list(full["jurisdictions"].itertuples(index=False))
    found: dict[str, list[dict[str, _Treated]]] = {}
    for row in full["goods"].itertuples(index=False):
        product, origin = products[row.product], world.stops[row.stop].region
        places = {}
        for terms in full["recovery"].itertuples(index=False):
            to = region[terms.destination]
            barred = to != origin and any(
                law.product_class in ("", product.product_class)
                and (law.rule, law.region) in (("no_import", to), ("no_export", origin))
                for law in laws
            )
            if terms.product != row.product or row.option not in ("", terms.kind) or barred:
                continue
            good = row.quantity * terms.yield_rate
            treatment = row.quantity * terms.cost + (row.quantity - good) * terms.residue_cost
            carbon = float(world.options.carbon_price) / KG * terms.emissions * row.quantity
            load = {d: row.quantity * float(getattr(product, d)) for d in DIMENSIONS}
            places[terms.destination] = _Treated(load, treatment, carbon, good * terms.gain)
        found.setdefault(row.stop, []).append(places)
    return found


def _by_tariff(full: Frames, world: World) -> Price:
    """The row of the shipment's weight, or that of a heavier one where it is cheaper."""
    rows = list(full["tariff"].sort_values("from_weight").itertuples(index=False))

    def price(stop: Any, place: str, load: Load) -> float:
        km, weight, best = _km(world, stop.stop, place), load["weight"], math.inf
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            if following is None or weight < following.from_weight:
                charged = max(weight, row.from_weight)
                best = min(best, row.cost + row.cost_per_kg * charged + row.cost_per_km * km)
        return best

    return price


def _by_vehicle(full: Frames, world: World) -> Price:
    """There and back with the cheapest type of vehicle that has the stop's skills, as often as the load takes."""

    def price(stop: Any, place: str, load: Load) -> float:
        km, best = _km(world, stop.stop, place), math.inf
        for row in world.types.values() if math.isfinite(km) else ():
            asked, has = ({s.strip() for s in text.split(",") if s.strip()} for text in (stop.skills, row.skills))
            speed = row.speed if row.speed == row.speed else world.options.speed
            fills = [load[d] / getattr(row, d) for d in DIMENSIONS if getattr(row, d) > 0]
            trips = max(1, math.ceil(max(fills, default=0.0) - 1e-9))
            a_km = row.cost_per_km + world.options.carbon_price * row.emissions / KG
            hours = 2 * km / speed + stop.service_minutes / 60
            if asked <= has:
                best = min(best, trips * (row.fixed_cost + 2 * km * a_km + hours * row.cost_per_hour))
        return best

    return price


def _km(world: World, stop: str, place: str) -> float:
    km = world.km(stop, place)
    return math.inf if km != km else km
