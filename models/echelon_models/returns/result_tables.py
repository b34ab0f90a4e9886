"""The result tables of the returns family, each column declared once. Times are text, hours:minutes:seconds after the
midnight at which the tour's day begins."""

from __future__ import annotations

from typing import Literal

from echelon.explain.schema import BOTTLENECKS, EASED, RULE_PRICES
from echelon.schema import Row, Table, Text, column
from echelon_models.returns.schema import KINDS, Return


def _vehicle() -> Text:
    return column("Vehicle: its type and number", example="TRUCK-12T 1", key=True)


def _day() -> Text:
    return column("Day", example="MON", key=True)


def _money(meaning: str, example: float) -> float:
    return column(meaning, example=example, unit="money")


def _time(meaning: str, example: str) -> Text:
    return column(meaning, example=example, default="")


class RouteRow(Row):
    """A tour, call by call, in its order."""

    vehicle: Text = _vehicle()
    day: Text = _day()
    order: int = column("Position on the tour, from 0", example=3, unit="calls", key=True, ge=0)
    call: Literal["start", "stop", "hub", "break", "end"] = column("What happens: a stop is served, a hub takes what is on board, the driver rests", example="stop")  # fmt: skip
    place: Text = column("Where; blank: a break on the road", example="BERN-1", default="")
    arrival: Text = _time("When it arrives", "09:12:00")
    begin: Text = _time("When service, unloading or the break begins", "09:15:00")
    departure: Text = _time("When it goes on", "09:30:00")
    weight: float = column("Weight on board when it goes on", example=1380.0, unit="kg", ge=0)
    volume: float = column("Volume on board when it goes on", example=9.1, unit="m³", ge=0)
    pallets: float = column("Pallets on board when it goes on", example=6.0, unit="pallets", ge=0)
    km: float = column("Distance driven since the start", example=71.5, unit="km", ge=0)


class Tour(Row):
    """A vehicle's day: what it does and what it costs."""

    vehicle: Text = _vehicle()
    day: Text = _day()
    type: Text = column("Type of the vehicle", example="TRUCK-12T")
    stops: int = column("Stops served", example=8, unit="stops", ge=1)
    unloads: int = column("Calls at hubs to unload or load", example=1, unit="calls", ge=0)
    departure: Text = _time("When it leaves its start", "07:05:00")
    finish: Text = _time("When it is done at its end", "14:20:00")
    hours: float = column("Time between the two", example=7.25, unit="hours", ge=0)
    km: float = column("Distance", example=184.0, unit="km", ge=0)
    emissions: float = column("Emissions", example=114.1, unit="kg CO2", ge=0)
    fixed_cost: float = _money("Cost of using it", 180.0)
    distance_cost: float = _money("Cost of its km", 119.6)
    time_cost: float = _money("Cost of its hours", 275.5)


class Served(Row):
    """Where and when each stop is served, and to which hub its goods go."""

    stop: Text = column("Stop", example="BERN-1", key=True)
    day: Text = column("Day", example="MON")
    vehicle: Text = column("Vehicle: its type and number", example="TRUCK-12T 1")
    begin: Text = _time("When service begins", "09:15:00")
    hub: Text = column("Hub where its goods are unloaded; blank: nothing is collected", example="OLTEN", default="")


class Unserved(Row):
    """A stop that is left, and why: what was tried is told in the reason."""

    stop: Text = column("Stop", example="SAMEDAN-1", key=True)
    reason: Literal["no vehicle fits", "no way", "no time window fits", "no capacity", "not worth it", "no hub takes it", "hub intake is full", "not found"] = column("Why it is left", example="not worth it")  # fmt: skip
    detail: Text = column("What the test showed", example="collecting it costs 310.20 more, leaving it 40.00", default="")  # fmt: skip
    loss: float = _money("Loss of leaving it, its priority counted", 40.0)


class Intake(Row):
    """What a hub takes in and sends out in a day, and what stays over night."""

    hub: Text = column("Hub", example="OLTEN", key=True)
    day: Text = _day()
    stops: int = column("Stops whose goods are unloaded", example=9, unit="stops", ge=0)
    weight: float = column("Weight unloaded", example=5210.0, unit="kg", ge=0)
    volume: float = column("Volume unloaded", example=31.0, unit="m³", ge=0)
    pallets: float = column("Pallets unloaded", example=22.0, unit="pallets", ge=0)
    sent_weight: float = column("Weight sent to destinations", example=4800.0, unit="kg", ge=0)
    stock_weight: float = column("Weight of goods that stays over night", example=410.0, unit="kg", ge=0)
    stock_volume: float = column("Their volume", example=2.6, unit="m³", ge=0)
    stock_pallets: float = column("Their pallets", example=2.0, unit="pallets", ge=0)
    handling_cost: float = _money("Cost of unloading and sorting", 208.4)
    stock_cost: float = _money("Cost of what stays over night", 4.1)


class LineHaulTrip(Row):
    """Trucks from a hub to a destination in a day."""

    hub: Text = column("Hub", example="OLTEN", key=True)
    destination: Text = column("Destination", example="REFURB-ZUG", key=True)
    day: Text = _day()
    trucks: int = column("Trucks", example=1, unit="trucks", ge=1)
    units: float = column("Units that they carry", example=320.0, unit="units", ge=0)
    weight: float = column("Their weight", example=2900.0, unit="kg", ge=0)
    volume: float = column("Their volume", example=16.0, unit="m³", ge=0)
    pallets: float = column("Their pallets", example=13.0, unit="pallets", ge=0)
    fill: float = column("How full the trucks are, in the fullest dimension", example=0.39, unit="1", ge=0)
    cost: float = _money("Cost of the trucks", 240.0)
    emissions: float = column("Emissions of the trucks", example=52.2, unit="kg CO2", ge=0)


class RecoveryRow(Row):
    """What is made of the goods: who treats how many of what, from which hub, and what that brings."""

    hub: Text = column("Hub they come from", example="OLTEN", key=True)
    destination: Text = column("Destination that treats them", example="REFURB-ZUG", key=True)
    product: Text = column("Product", example="ALL", key=True)
    option: Text = column("What had to be done with them; blank: it was left open", example="", key=True, default="")
    day: Text = _day()
    kind: Text = column(f"What is done: {', '.join(KINDS)}", example="refurbish")
    units: float = column("Units", example=120.0, unit="units", gt=0)
    good: float = column("Of these, come out good", example=102.0, unit="units", ge=0)
    value: float = _money("What the good ones bring", 8568.0)
    cost: float = _money("Cost of treating all and disposing of the rest", 1356.0)
    emissions: float = column("Emissions of treating them (negative: saved)", example=180.0, unit="kg CO2")


class Stock(Row):
    """Goods that stay at a hub over night."""

    hub: Text = column("Hub", example="OLTEN", key=True)
    product: Text = column("Product", example="ALL", key=True)
    option: Text = column("What must be done with them; blank: it is left open", example="", key=True, default="")
    day: Text = column("Day before that night", example="MON", key=True)
    units: float = column("Units", example=34.0, unit="units", gt=0)


class SlowMoverRow(Row):
    """What to do with a line of stock: every option valued for the units looked at, per unit and in all."""

    stop: Text = column("Stop", example="BERN-1", key=True)
    product: Text = column("Product", example="ALL", key=True)
    flag: Text = column(f"What to do with the units to move: hold, {', '.join(KINDS)}", example="supplier")
    kept: float = column("Units that stay: demand sells them in time", example=4.0, unit="units", ge=0)
    moved: float = column("Units looked at: to move, or to hold all the same", example=36.0, unit="units", ge=0)
    cover: float | None = column("Days that the stock lasts; blank: no demand", example=800.0, unit="days", ge=0, default=None)  # fmt: skip
    hold: float = _money("Worth of holding the units looked at", 310.0)
    refurbish: float | None = column("Worth of refurbishing them; blank: cannot be", example=None, unit="money", default=None)  # fmt: skip
    resell: float | None = column("Worth of reselling them; blank: cannot be", example=1200.0, unit="money", default=None)  # fmt: skip
    supplier: float | None = column("Worth of returning them to the supplier; blank: cannot be", example=2770.0, unit="money", default=None)  # fmt: skip
    recycle: float | None = column("Worth of recycling them; blank: cannot be", example=None, unit="money", default=None)  # fmt: skip
    scrap: float | None = column("Worth of scrapping them; blank: cannot be", example=-60.0, unit="money", default=None)


class Alone(Row):
    """What each stop would do alone: ship straight to destinations (or a hub), or leave its goods."""

    stop: Text = column("Stop", example="BERN-1", key=True)
    ships: bool = column("Whether it pays to ship", example=True)
    destinations: Text = column("Where to, separated by commas", example="REFURB-ZUG", default="")
    shipments: int = column("Shipments, of deliveries too", example=1, unit="shipments", ge=0)
    shipping: float = _money("Cost of the shipments", 96.0)
    treatment: float = _money("Cost of treating the goods, or of handling them at a hub", 132.0)
    carbon: float = _money("Price of the emissions of treating them", 1.2)
    recovered: float = _money("What the goods bring", 857.0)
    loss: float = _money("Loss of leaving what does not pay", 0.0)
    cost: float = _money("Net cost: shipping + treatment + carbon + loss - recovered", -629.0)


class Comparison(Row):
    """The plan beside each stop shipping alone: a row a cost line."""

    line: Text = column("Cost line, or total", example="total", key=True)
    plan: float = _money("In the plan", -41200.0)
    alone: float = _money("With each stop shipping alone", -28900.0)
    saving: float = _money("What consolidation saves", 12300.0)


class Limit(Row):
    """A limit: how much is used, and what one more unit would be worth. Prices hold with the trucks of the plan, with
    the routes' cost of moving a stop estimated, and with stops that may be collected in part; what limits of vehicles
    and docks are worth is told by searching again (see `eased`)."""

    limit: Text = column("Kind: intake, storage, dock capacity; fleet, load capacity, shift, longest tour, range; line-haul capacity; destination capacity, weight limit", example="intake", key=True)  # fmt: skip
    name: Text = column("Which hub, type of vehicle, way or destination", example="OLTEN", key=True)
    period: Text = column("Day; all days: a limit of all days together", example="MON", key=True)
    unit: Text = column("Unit of capacity, use and excess", example="kg", key=True)
    capacity: float = column("What the limit allows", example=12000.0, ge=0)
    use: float = column("What the plan uses, of limits of each vehicle the one that uses most", example=5210.0, ge=0)
    excess: float = column("Use over capacity: none, every limit is kept", example=0.0, ge=0)
    price: float | None = column("What one more unit of capacity would save; blank: no price tells it", example=0.0, unit="money/unit", ge=0, default=None)  # fmt: skip


RESULTS = (
    Table("routes", RouteRow),
    Table("tours", Tour),
    Table("served", Served),
    Table("unserved", Unserved),
    Table("intake", Intake),
    Table("linehaul", LineHaulTrip),
    Table("recovery", RecoveryRow),
    Table("stock", Stock),
    Table("slow_movers", SlowMoverRow),
    Table("returns", Return),
    Table("alone", Alone),
    Table("comparison", Comparison),
    Table("limits", Limit),
    EASED,
    BOTTLENECKS,
    RULE_PRICES,
)
