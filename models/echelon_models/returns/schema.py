"""The input tables and options of the returns family, each column declared once. See `result_tables` for the results.

Loads have three dimensions: weight (kg), volume (m³), pallets. Times of day are text such as 08:30; 26:00 is two in the
morning of the next day.
"""

from __future__ import annotations

import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from echelon.schema import InputRow, Table, Text, column
from echelon_models.rows import EVERY

DIMENSIONS = ("weight", "volume", "pallets")
KINDS = ("refurbish", "resell", "supplier", "recycle", "scrap")
ALL_GOODS = "ALL"
NO_LIMIT = 1_000_000  # docks, trucks: more than any case has
Kind = Literal["refurbish", "resell", "supplier", "recycle", "scrap"]


def _stop() -> Text:
    return column("Stop", example="BERN-1", key=True, reference="stops")


def _hub() -> Text:
    return column("Hub", example="OLTEN", key=True, reference="hubs")


def _destination() -> Text:
    return column("Destination", example="REFURB-ZUG", key=True, reference="destinations")


def _product() -> Text:
    return column("Product; blank: the only one", example=ALL_GOODS, key=True, reference="products", default=ALL_GOODS)


def _class() -> Text:
    return column("Product class; blank: every class without a row of its own", example="small electrical", key=True, default=EVERY)  # fmt: skip


def _region() -> Text:
    return column("Region, for jurisdictions", example="CH", default="")


def _latitude() -> float | None:
    return column("Latitude; blank: not known", example=46.95, unit="degrees", ge=-90, le=90, default=None)


def _longitude() -> float | None:
    return column("Longitude; blank: not known", example=7.45, unit="degrees", ge=-180, le=180, default=None)


def _limit(what: str, unit: str, example: float | None = None) -> float | None:
    return column(f"{what}; blank: no limit", example=example, unit=unit, ge=0, default=None)


def _time(what: str, example: str, default: str = "") -> Text:
    return column(what, example=example, default=default)


class Day(InputRow):
    """The days that are planned, in the order of the table. Without it there is one day, named 1."""

    day: Text = column("Name of the day", example="MON", key=True)
    date: datetime.date | None = column(
        "Its date, for people; blank: not told", example=datetime.date(2026, 3, 2), default=None
    )


class Place(InputRow):
    """Where vehicles may start and end besides hubs: yards, drivers' homes."""

    place: Text = column("Name of the place", example="YARD", key=True)
    latitude: float | None = _latitude()
    longitude: float | None = _longitude()


class Hub(InputRow):
    """Where vehicles unload what they collect, and load what they deliver."""

    hub: Text = column("Name of the hub", example="OLTEN", key=True)
    description: Text = column("What it is, for people", example="Return centre at the railway junction", default="")
    region: Text = _region()
    latitude: float | None = column("Latitude; blank: not known", example=47.35, unit="degrees", ge=-90, le=90, default=None)  # fmt: skip
    longitude: float | None = column("Longitude; blank: not known", example=7.90, unit="degrees", ge=-180, le=180, default=None)  # fmt: skip
    unload_minutes: float = column("Time at a dock that a vehicle takes there whenever it comes to unload", example=20.0, unit="minutes", ge=0, default=0.0)  # fmt: skip
    docks: int = column("Vehicles that can unload at the same time", example=3, unit="vehicles", ge=1, le=NO_LIMIT, default=NO_LIMIT)  # fmt: skip
    intake_weight: float | None = _limit("Largest weight unloaded in a day", "kg/day", 12000.0)
    intake_volume: float | None = _limit("Largest volume unloaded in a day", "m³/day")
    intake_pallets: float | None = _limit("Most pallets unloaded in a day", "pallets/day", 60.0)
    storage_weight: float | None = _limit("Largest weight that stays over night (goods of returns)", "kg")
    storage_volume: float | None = _limit("Largest volume that stays over night (goods of returns)", "m³", 150.0)
    storage_pallets: float | None = _limit("Most pallets that stay over night (goods of returns)", "pallets")
    handling_cost: float = column("Cost of unloading and sorting", example=0.04, unit="money/kg", ge=0, default=0.0)
    stock_cost: float = column("Cost of keeping goods over night", example=0.01, unit="money/kg/day", ge=0, default=0.0)


class Stop(InputRow):
    """Where goods are collected, or delivered, or both. What `returns` tells of a stop's goods comes on top of the load
    given here, which ends its way at the hub."""

    stop: Text = column("Name of the stop", example="BERN-1", key=True)
    description: Text = column("What it is, for people", example="Shop at the station", default="")
    region: Text = _region()
    latitude: float | None = _latitude()
    longitude: float | None = _longitude()
    weight: float = column("Weight to collect", example=180.0, unit="kg", ge=0, default=0.0)
    volume: float = column("Volume to collect", example=1.2, unit="m³", ge=0, default=0.0)
    pallets: float = column("Pallets to collect", example=1.0, unit="pallets", ge=0, default=0.0)
    product_class: Text = column("Class of this load, for jurisdictions", example="", default="")
    value: float = column("What this load is worth once it is at a hub", example=120.0, unit="money", ge=0, default=0.0)
    delivery_weight: float = column("Weight to deliver, from the hub where the tour loads", example=0.0, unit="kg", ge=0, default=0.0)  # fmt: skip
    delivery_volume: float = column("Volume to deliver", example=0.0, unit="m³", ge=0, default=0.0)
    delivery_pallets: float = column("Pallets to deliver", example=0.0, unit="pallets", ge=0, default=0.0)
    service_minutes: float = column("Time the vehicle stands there", example=15.0, unit="minutes", ge=0, default=10.0)
    ready_day: Text = column("First day it may be visited; blank: the first", example="", reference="days", default="")  # fmt: skip
    deadline_day: Text = column("Last day it may be visited; blank: the last", example="", reference="days", default="")  # fmt: skip
    leaving_cost: float | None = column("Loss of leaving it unserved: it is visited where that pays; blank: it should be visited, whatever it costs (see option unserved_cost)", example=None, unit="money", ge=0, default=None)  # fmt: skip
    priority: int = column("How many times its loss of leaving counts", example=1, unit="1", ge=1, le=100, default=1)
    skills: Text = column("What a vehicle must have to come, separated by commas", example="tail-lift", default="")


class Window(InputRow):
    """When a stop or a hub may be visited: service begins, unloading takes place within. A place without rows may be
    visited at any time; one with rows, only within them."""

    place: Text = column("Stop or hub", example="BERN-1", key=True)
    day: Text = column("Day; blank: every day without a row of its own", example=EVERY, key=True, reference="days", default=EVERY)  # fmt: skip
    opens: Text = column("Time of day from which", example="08:00", key=True)
    closes: Text = _time("Time of day until which", "12:00")


class Vehicle(InputRow):
    """A type of vehicle. Each vehicle works every day: it leaves its start and is at its end within its shift."""

    vehicle: Text = column("Name of the type", example="TRUCK-12T", key=True)
    description: Text = column("What it is, for people", example="12 t with tail-lift", default="")
    count: int = column("How many there are", example=2, unit="vehicles", ge=1, le=1000, default=1)
    start: Text = column("Hub or place where it starts; blank: the first hub", example="OLTEN", default="")
    end: Text = column("Hub or place where it ends; blank: where it starts", example="OLTEN", default="")
    weight: float | None = _limit("Weight it can carry", "kg", 5500.0)
    volume: float | None = _limit("Volume it can carry", "m³", 34.0)
    pallets: float | None = _limit("Pallets it can carry", "pallets", 16.0)
    fixed_cost: float = column("Cost of a day on which it is used", example=180.0, unit="money/day", ge=0, default=0.0)
    cost_per_km: float = column("Cost of a km", example=0.65, unit="money/km", ge=0, default=1.0)
    cost_per_hour: float = column("Cost of an hour from leaving its start to reaching its end", example=38.0, unit="money/hour", ge=0, default=0.0)  # fmt: skip
    emissions: float = column("Emissions of a km", example=0.62, unit="kg CO2/km", ge=0, default=0.0)
    range: float | None = _limit("Longest distance in a day", "km", 400.0)
    speed: float | None = column("Speed where distances tell no minutes; blank: the option speed", example=None, unit="km/hour", gt=0, default=None)  # fmt: skip
    skills: Text = column("What it has, separated by commas", example="tail-lift", default="")
    shift_start: Text = _time("Time of day at which it may leave", "06:30", "00:00")
    shift_end: Text = _time("Time of day by which it must be back", "16:30", "24:00")
    max_hours: float | None = column("Longest tour of a day, from leaving to being back; blank: the shift", example=9.5, unit="hours", gt=0, default=None)  # fmt: skip
    unloads_at: Text = column("Hubs where it may unload and load, separated by commas; blank: its end where that is a hub, else every hub", example="", default="")  # fmt: skip
    trips: int = column("How often it may call at a hub in a day, its end included", example=2, unit="calls", ge=1, le=10, default=1)  # fmt: skip


class Break(InputRow):
    """A break that a vehicle's driver takes on every day on which it is used, between two activities."""

    vehicle: Text = column("Vehicle type; blank: every type without a row of its own", example="TRUCK-12T", key=True, reference="vehicles", default=EVERY)  # fmt: skip
    earliest: Text = column("Time of day from which it may begin", example="11:00", key=True)
    latest: Text = _time("Time of day by which it must have begun", "13:30")
    minutes: float = column("How long it takes", example=45.0, unit="minutes", gt=0, le=720)


class Distance(InputRow):
    """How far it is, and how long it takes, from a place (stop, hub, place or destination) to another. Pairs without a
    row are told by their coordinates."""

    origin: Text = column("Place that is left", example="OLTEN", key=True)
    target: Text = column("Place that is reached", example="BERN-1", key=True)
    from_time: Text = column("Time of day from which the row holds, until that of the next row; blank: the whole day", example="", key=True, default="")  # fmt: skip
    km: float = column("Distance", example=66.0, unit="km", ge=0)
    minutes: float | None = column("Time on the way; blank: by the vehicle's speed", example=52.0, unit="minutes", ge=0, default=None)  # fmt: skip


class Product(InputRow):
    """A kind of goods that come back. Without this table, those that `returns` and `slow_movers` name are taken."""

    product: Text = column("Name or number of the product", example=ALL_GOODS, key=True)
    description: Text = column("What it is, for people", example="Espresso machines", default="")
    product_class: Text = column("Class, for recovery and jurisdictions", example="small electrical", default="")
    weight: float = column("Weight of one unit", example=9.0, unit="kg/unit", ge=0, default=0.0)
    volume: float = column("Volume of one unit", example=0.05, unit="m³/unit", ge=0, default=0.0)
    pallets: float = column("Pallets that one unit takes", example=0.04, unit="pallets/unit", ge=0, default=0.0)
    value: float = column("What one unit is worth as new", example=140.0, unit="money/unit", ge=0, default=0.0)


class Return(InputRow):
    """Goods that wait at a stop to be collected. They are collected whole, and go from the hub to a destination."""

    stop: Text = _stop()
    product: Text = _product()
    option: Text = column("What must be done with them: refurbish, resell, supplier, recycle or scrap; blank: what pays most", example="", key=True, default="")  # fmt: skip
    quantity: float = column("How many", example=12.0, unit="units", gt=0)


class SlowMover(InputRow):
    """Stock at a stop that may be worth more elsewhere. The step slow_movers tells what to do with it; what is not held
    joins the stop's returns."""

    stop: Text = _stop()
    product: Text = _product()
    quantity: float = column("Units in stock", example=40.0, unit="units", gt=0)
    age: float = column("Time it has been there", example=210.0, unit="days", ge=0)
    demand_rate: float = column("Units sold there in a day", example=0.05, unit="units/day", ge=0, default=0.0)
    unit_value: float | None = column("What one unit sells for there; blank: the product's value", example=None, unit="money/unit", ge=0, default=None)  # fmt: skip
    resell_rate: float | None = column("Part of that value that reselling brings; blank: what the best destination pays", example=None, ge=0, le=1, default=None)  # fmt: skip
    refurbish_rate: float | None = column("Part of that value that refurbishing brings, net; blank: as above", example=None, ge=0, le=1, default=None)  # fmt: skip
    supplier_rate: float | None = column("Part of that value that the supplier credits; blank: as above", example=0.55, ge=0, le=1, default=None)  # fmt: skip
    scrap_value: float | None = column("What scrapping one unit brings (negative: costs); blank: as above", example=None, unit="money/unit", default=None)  # fmt: skip


class Destination(InputRow):
    """Where hubs send goods to. Without this table, goods end their way at the hub, at their product's value."""

    destination: Text = column("Name of the destination", example="REFURB-ZUG", key=True)
    description: Text = column("What it is, for people", example="Workshop for small appliances", default="")
    kind: Kind = column("What it does with them", example="refurbish", default="refurbish")
    region: Text = _region()
    latitude: float | None = column("Latitude; blank: not known", example=47.17, unit="degrees", ge=-90, le=90, default=None)  # fmt: skip
    longitude: float | None = column("Longitude; blank: not known", example=8.52, unit="degrees", ge=-180, le=180, default=None)  # fmt: skip
    capacity: float | None = _limit("Most units that it takes in a day", "units/day", 400.0)
    weight_limit: float | None = _limit("Largest weight that it takes over all days, such as a disposal limit", "kg", 20000.0)  # fmt: skip


class Recovery(InputRow):
    """What a destination makes of one unit of a class. Without this table, every destination takes every class, and
    units are worth their product's value there; with it, only what it names is taken."""

    destination: Text = _destination()
    product_class: Text = _class()
    yield_rate: float = column("Part of the units that come out good", example=0.85, ge=0, le=1, default=1.0)
    value_share: float = column("What a good unit brings, as a share of the product's value", example=0.6, ge=0, le=1, default=0.0)  # fmt: skip
    value: float = column("What a good unit brings besides", example=0.0, unit="money/unit", ge=0, default=0.0)
    cost: float = column("Cost of treating a unit", example=11.0, unit="money/unit", ge=0, default=0.0)
    residue_cost: float = column("Cost of disposing of a unit that does not come out good", example=2.0, unit="money/unit", ge=0, default=0.0)  # fmt: skip
    emissions: float = column("Emissions of treating a unit (negative: saved)", example=1.5, unit="kg CO2/unit", default=0.0)  # fmt: skip


class Jurisdiction(InputRow):
    """A law of a region for a class of products."""

    product_class: Text = column(
        "Product class; blank: every class", example="small electrical", key=True, default=EVERY
    )
    region: Text = column("Region", example="CH", key=True)
    rule: Literal["no_handling", "no_import", "no_export"] = column("no_handling: no hub or destination of the region takes the class; no_import: none comes into the region from another; no_export: none leaves it", example="no_export", key=True)  # fmt: skip


class LineHaul(InputRow):
    """A way by truck from a hub to a destination. Without this table, every hub may send to every destination, on the
    terms of the options."""

    hub: Text = _hub()
    destination: Text = _destination()
    km: float | None = column("Distance; blank: by the coordinates", example=58.0, unit="km", ge=0, default=None)
    truck_cost: float | None = column("Cost of a truck, full or not; blank: by the options truck_cost and truck_cost_per_km", example=240.0, unit="money/truck", ge=0, default=None)  # fmt: skip
    weight_cost: float = column("Cost of a kg besides", example=0.0, unit="money/kg", ge=0, default=0.0)
    weight: float | None = column("Weight that a truck carries; blank: the option truck_weight", example=None, unit="kg", gt=0, default=None)  # fmt: skip
    volume: float | None = column("Volume that a truck carries; blank: the option truck_volume", example=None, unit="m³", gt=0, default=None)  # fmt: skip
    pallets: float | None = column("Pallets that a truck carries; blank: the option truck_pallets", example=None, unit="pallets", gt=0, default=None)  # fmt: skip
    trucks: int = column("Most trucks in a day", example=4, unit="trucks/day", ge=0, le=NO_LIMIT, default=NO_LIMIT)  # fmt: skip
    emissions: float | None = column("Emissions of a truck; blank: by the option truck_emissions", example=None, unit="kg CO2/truck", ge=0, default=None)  # fmt: skip


class Tariff(InputRow):
    """What a carrier takes for one shipment from a stop straight to a destination, by its weight: for the comparison
    with each stop shipping alone. Without it, each stop is visited by the cheapest vehicle that fits, alone."""

    from_weight: float = column("Weight from which the row holds", example=0.0, unit="kg", key=True, ge=0)
    cost: float = column("Cost of a shipment", example=45.0, unit="money/shipment", ge=0)
    cost_per_kg: float = column("Cost of a kg of it", example=0.22, unit="money/kg", ge=0, default=0.0)
    cost_per_km: float = column("Cost of a km of it", example=0.35, unit="money/km", ge=0, default=0.0)


INPUTS = (
    Table("days", Day),
    Table("places", Place),
    Table("hubs", Hub, required=True),
    Table("stops", Stop, required=True),
    Table("windows", Window),
    Table("vehicles", Vehicle, required=True),
    Table("breaks", Break),
    Table("distances", Distance, more_examples=({"origin": "BERN-1", "target": "OLTEN", "km": 66.0, "minutes": 52.0},)),
    Table("products", Product),
    Table("returns", Return),
    Table("slow_movers", SlowMover),
    Table("destinations", Destination),
    Table("recovery", Recovery),
    Table("jurisdictions", Jurisdiction),
    Table("linehaul", LineHaul),
    Table("tariff", Tariff),
)  # fmt: skip


class ReturnsOptions(BaseModel):
    """Options of the returns family; a newcomer needs none of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    road_factor: float = Field(default=1.3, ge=1, le=3, description="Distances by coordinates: road over great circle")
    speed: float = Field(default=45.0, gt=0, description="km/hour where neither distances nor the vehicle tell one")
    unserved_cost: float = Field(default=10_000.0, ge=0, description="Loss of leaving a stop that has no leaving_cost")
    carbon_price: float = Field(default=0.0, ge=0, description="Price of emissions, money/t CO2")
    truck_cost: float = Field(default=80.0, ge=0, description="Line-haul: cost of a truck besides its km")
    truck_cost_per_km: float = Field(default=1.1, ge=0, description="Line-haul: cost of a km of a truck (one way)")
    truck_weight: float = Field(default=24_000.0, gt=0, description="Line-haul: kg that a truck carries")
    truck_volume: float = Field(default=80.0, gt=0, description="Line-haul: m³ that a truck carries")
    truck_pallets: float = Field(default=33.0, gt=0, description="Line-haul: pallets that a truck carries")
    truck_emissions: float = Field(default=0.9, ge=0, description="Line-haul: kg CO2 of a km of a truck")
    final_stock_share: float = Field(default=0.0, ge=0, le=1, description="What goods left at hubs after the last day are worth, as a share of the best they could be recovered for")  # fmt: skip
    slow_cover: float = Field(default=90.0, ge=0, description="Slow movers: days of demand beyond which stock is too much")  # fmt: skip
    slow_age: float = Field(default=180.0, ge=0, description="Slow movers: days after which a whole line is looked at, not only what is too much")  # fmt: skip
    slow_horizon: float = Field(default=365.0, gt=0, description="Slow movers: days after which held stock that is not sold is worth nothing")  # fmt: skip
    holding_rate: float = Field(default=0.2, ge=0, description="Slow movers: yearly cost of holding stock as a share of its value")  # fmt: skip
    moving_cost: float = Field(default=0.0, ge=0, description="Slow movers: what moving a unit is expected to cost")
    rounds: int = Field(default=4, ge=1, le=50, description="How often routes and consolidation are planned anew in each other's light, at most")  # fmt: skip
    steps: int = Field(default=0, ge=0, description="Steps of each search for routes, counted instead of seconds: the same plan on every machine; 0: by the clock")  # fmt: skip
    price_rules: bool = Field(default=False, description="Tell what each rule costs, by searching again without it; takes part of the time limit")  # fmt: skip
    pyvrp: Literal["auto", "off"] = Field(default="auto", description="Whether PyVRP searches beside OR-Tools: auto where it is installed and can express the case")  # fmt: skip
