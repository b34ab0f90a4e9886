"""The tables and options of the network family, each column declared once.

Rates (capacity, running cost, throughput) are per year; demand and returns are of a period, as are all results.
"""

from __future__ import annotations

import itertools
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from echelon.explain.schema import EASED, RULE_PRICES
from echelon.schema import InputRow, Row, Table, Text, column
from echelon_models.rows import EVERY, Period

ALL_PRODUCTS = "ALL"
ROAD = "ROAD"
NO_LIMIT = 1_000_000  # sites: more than any case has
VARIANTS = ("centralised", "regional", "local")
SOURCING = Literal["multiple", "product", "customer", "group"]


def _site() -> Text:
    return column("Site", example="LYON", key=True, reference="sites")


def _customer() -> Text:
    return column("Customer", example="PARIS", key=True, reference="customers")


def _product() -> Text:
    return column("Product group; blank: the only one", example=ALL_PRODUCTS, key=True, reference="products", default=ALL_PRODUCTS)  # fmt: skip


def _every_product() -> Text:
    return column("Product group; blank: every one without a row of its own", example=ALL_PRODUCTS, key=True, reference="products", default=EVERY)  # fmt: skip


def _every_period() -> Text:
    return column("Period; blank: every period without a row of its own", example=EVERY, key=True, reference="periods", default=EVERY)  # fmt: skip


def _mode() -> Text:
    return column("Mode of transport", example=ROAD, key=True, reference="modes", default=ROAD)


def _region() -> Text:
    return column("Region, for duties, jurisdictions and limits on the number of sites", example="FR", default="")


def _latitude() -> float | None:
    return column("Latitude; blank: not known", example=45.76, unit="degrees", ge=-90, le=90, default=None)


def _longitude() -> float | None:
    return column("Longitude; blank: not known", example=4.84, unit="degrees", ge=-180, le=180, default=None)


def _distance() -> float | None:
    return column("Distance; blank: the great circle between the coordinates, times the option road_factor", example=465.0, unit="km", ge=0, default=None)  # fmt: skip


def _hours() -> float | None:
    return column("Time on the way; blank: distance over the mode's speed", example=9.0, unit="hours", ge=0, default=None)  # fmt: skip


def _cost() -> float:
    return column("Cost of moving one freight unit, whatever the distance", example=2.0, unit="money/freight unit", ge=0, default=0.0)  # fmt: skip


def _cost_per_km() -> float | None:
    return column("Cost of moving one freight unit one km; blank: the mode's", example=0.02, unit="money/freight unit/km", ge=0, default=None)  # fmt: skip


def _excess_cost(unit: str, option: str) -> float | None:
    return column(f"Price of exceeding the limit by one unit; blank: the option {option}", example=None, unit=unit, ge=0, default=None)  # fmt: skip


def _hard() -> bool:
    return column("true: the limit is never exceeded; false: it may be, at its price", example=False, default=False)


class Site(InputRow):
    """Where goods may be made, stored or passed on: what it costs to have it, and how much it can take."""

    site: Text = column("Name of the site", example="LYON", key=True)
    description: Text = column("What it is, for people", example="Logistics park east of the city", default="")
    kind: Literal["plant", "warehouse", "hub"] = column("What it is, for limits on the number of sites", example="warehouse", default="warehouse")  # fmt: skip
    region: Text = _region()
    latitude: float | None = _latitude()
    longitude: float | None = _longitude()
    existing: bool = column("true: it is open when the first period starts", example=True, default=False)
    delivers: bool = column("false: it sends to other sites only, never to customers", example=True, default=True)
    holds_stock: bool = column("false: goods pass through, no stock is kept", example=True, default=True)
    opening_cost: float = column("Cost of opening it, once", example=250000.0, unit="money", ge=0, default=0.0)
    closing_cost: float = column("Cost of closing it, once", example=120000.0, unit="money", ge=0, default=0.0)
    running_cost: float = column("Cost of having it open", example=480000.0, unit="money/year", ge=0, default=0.0)
    capacity: float | None = column("Capacity use (by default: units sent out) that it can take, without steps; blank: no limit", example=40000.0, unit="capacity units/year", ge=0, default=None)  # fmt: skip
    emissions: float = column("Emissions of having it open", example=120000.0, unit="kg CO2/year", ge=0, default=0.0)


class CapacityStep(InputRow):
    """A step by which a site's capacity may grow. Steps are taken in their order and stay while the site is open."""

    site: Text = _site()
    step: int = column("Number of the step, from 1", example=1, unit="step", key=True, ge=1, le=100)
    capacity: float = column("Capacity that it adds", example=20000.0, unit="capacity units/year", gt=0)
    cost: float = column("Cost of taking it, once", example=90000.0, unit="money", ge=0, default=0.0)
    running_cost: float = column("Cost of having it", example=30000.0, unit="money/year", ge=0, default=0.0)
    existing: bool = column("true: it is there when the first period starts", example=False, default=False)


class Product(InputRow):
    """A group of products that flow together. Without this table, the ones that `demand` names are taken."""

    product: Text = column("Name of the product group", example=ALL_PRODUCTS, key=True)
    description: Text = column("What it is, for people", example="Ambient goods", default="")
    product_class: Text = column("Class, for jurisdictions and duties", example="general", default="")
    value: float = column("What one unit is worth", example=900.0, unit="money/unit", ge=0, default=0.0)
    freight: float = column("Freight units (t, m³, pallets: what the rates count) that one unit takes", example=1.0, unit="freight units/unit", ge=0, default=1.0)  # fmt: skip
    holding_rate: float | None = column("Yearly cost of holding stock as a share of its value; blank: the option holding_rate", example=0.2, unit="1/year", ge=0, default=None)  # fmt: skip
    cycle_days: float = column("Cycle stock of a site, in days of its throughput", example=14.0, unit="days", ge=0, default=0.0)  # fmt: skip
    pooling: float = column("Safety stock of a site with a yearly throughput of one unit; it grows with the square root of throughput", example=8.0, unit="units", ge=0, default=0.0)  # fmt: skip


class Group(InputRow):
    """A group of customers. Without this table, the ones that `customers` names are taken."""

    group: Text = column("Name of the group", example="RETAIL", key=True)
    description: Text = column("Who they are, for people", example="Chain stores", default="")
    sourcing: SOURCING | None = column("multiple: any number of sites may serve; product: one site for each product of a customer; customer: one site a customer; group: one site for the whole group. Blank: the option sourcing", example=None, default=None)  # fmt: skip


class Customer(InputRow):
    """Who is served: a customer, or all in a region. Without this table, the ones that `demand` names are taken."""

    customer: Text = column("Name of the customer", example="PARIS", key=True)
    description: Text = column("Who it is, for people", example="Île-de-France", default="")
    group: Text = column("Group it belongs to", example="RETAIL", reference="groups", default="")
    region: Text = _region()
    latitude: float | None = _latitude()
    longitude: float | None = _longitude()
    sourcing: SOURCING | None = column("As in groups, for this customer; blank: its group's", example=None, default=None)  # fmt: skip
    unserved_cost: float | None = column("Cost of one unit that is not served; blank: the option unserved_cost", example=None, unit="money/unit", ge=0, default=None)  # fmt: skip


class Demand(InputRow):
    """How much a customer wants in a period."""

    customer: Text = _customer()
    product: Text = _product()
    period: Text = _every_period()
    quantity: float = column("Quantity wanted", example=600.0, unit="units", ge=0)


class Mode(InputRow):
    """A mode of transport. Without this table, the ones that lanes and deliveries name are taken, at no cost a km."""

    mode: Text = column("Name of the mode", example=ROAD, key=True)
    cost_per_km: float = column("Cost of moving one freight unit one km", example=0.02, unit="money/freight unit/km", ge=0, default=0.0)  # fmt: skip
    cost: float = column("Cost of moving one freight unit, whatever the distance, where lanes and deliveries have no rows", example=2.0, unit="money/freight unit", ge=0, default=0.0)  # fmt: skip
    speed: float = column("Speed, door to door", example=60.0, unit="km/hour", gt=0, default=60.0)
    emissions: float = column("Emissions of moving one freight unit one km", example=0.09, unit="kg CO2/freight unit/km", ge=0, default=0.0)  # fmt: skip


class Lane(InputRow):
    """A way to move goods from one site to another. Without this table, every site with supply may send to every site
    without, where both have coordinates."""

    from_site: Text = column("Site that sends", example="LYON", key=True, reference="sites")
    to_site: Text = column("Site that receives", example="HAMBURG", key=True, reference="sites")
    mode: Text = _mode()
    distance: float | None = _distance()
    hours: float | None = _hours()
    cost: float = _cost()
    cost_per_km: float | None = _cost_per_km()


class Delivery(InputRow):
    """A way to serve a customer from a site (and to take its returns back, at the same cost). Without this table, every
    site that delivers may serve every customer, by every mode, where both have coordinates."""

    site: Text = _site()
    customer: Text = _customer()
    mode: Text = _mode()
    distance: float | None = _distance()
    hours: float | None = _hours()
    cost: float = _cost()
    cost_per_km: float | None = _cost_per_km()


class Supply(InputRow):
    """What a site can make or buy from outside. Without this table, every site can have every product at no cost."""

    site: Text = _site()
    product: Text = _product()
    cost: float = column("Cost of one unit", example=310.0, unit="money/unit", ge=0, default=0.0)
    capacity: float | None = column("Largest supply; blank: no limit", example=90000.0, unit="units/year", ge=0, default=None)  # fmt: skip
    emissions: float = column("Emissions of one unit", example=40.0, unit="kg CO2/unit", ge=0, default=0.0)


class Handling(InputRow):
    """What passing one unit through a site takes. The most specific row counts: site and product, then site, then
    product, then the row with both blank; without any, a unit takes one capacity unit and costs nothing."""

    site: Text = column("Site; blank: every site", example="LYON", key=True, reference="sites", default=EVERY)
    product: Text = _every_product()
    cost: float = column("Cost of handling one unit", example=3.5, unit="money/unit", ge=0, default=0.0)
    capacity_use: float = column("Capacity that one unit takes", example=1.0, unit="capacity units/unit", ge=0, default=1.0)  # fmt: skip
    emissions: float = column("Emissions of handling one unit", example=0.4, unit="kg CO2/unit", ge=0, default=0.0)


class Duty(InputRow):
    """Duty on what is sent from one region to another (not within one; returns pay none). The most specific row counts: the one with
    the fewest blanks, then the one that names the sending region, then the receiving one."""

    from_region: Text = column("Region of the site that sends; blank: every region", example="DE", key=True, default=EVERY)  # fmt: skip
    to_region: Text = column("Region that receives; blank: every region", example="FR", key=True, default=EVERY)
    product_class: Text = column("Product class; blank: every class", example="general", key=True, default=EVERY)
    rate: float = column("Duty as a share of the product's value", example=0.04, unit="money/money", ge=0)


class Jurisdiction(InputRow):
    """A law of a region for a class of products."""

    product_class: Text = column("Product class; blank: every class", example="general", key=True, default=EVERY)
    region: Text = column("Region", example="DE", key=True)
    rule: Literal["no_handling", "no_import", "no_export"] = column("no_handling: the class passes no site of the region; no_import: none comes into the region (to its sites or customers) from another; no_export: none leaves it", example="no_export", key=True)  # fmt: skip


class PinnedSite(InputRow):
    """A decision that stands: this site is open, or closed, in this period."""

    site: Text = _site()
    period: Text = _every_period()
    state: Literal["open", "closed"] = column("open: required; closed: forbidden", example="open")


class SiteLimit(InputRow):
    """How many sites may, or must, be open, or change, in a period. Always hard."""

    region: Text = column("Region; blank: all regions together", example="FR", key=True, default=EVERY)
    kind: Literal["any", "plant", "warehouse", "hub"] = column("Kind of the sites that count", example="warehouse", key=True, default="any")  # fmt: skip
    period: Text = _every_period()
    counts: Literal["open", "opened", "closed", "changed"] = column("What is counted: sites that are open, that open, that close, or both of these", example="open", key=True, default="open")  # fmt: skip
    minimum: int = column("Smallest number", example=0, ge=0, le=NO_LIMIT, default=0)
    maximum: int = column("Largest number", example=12, ge=0, le=NO_LIMIT, default=NO_LIMIT)


class Budget(InputRow):
    """Money for opening, closing and capacity steps in a period (not discounted)."""

    period: Text = _every_period()
    amount: float = column("Budget of the period", example=900000.0, unit="money", ge=0)
    excess_cost: float | None = _excess_cost("money/money", "budget_excess_cost")
    hard: bool = _hard()


class ServiceLimit(InputRow):
    """Which share of a group's demand must be served from within a distance or a time."""

    group: Text = column("Customer group; blank: all customers together", example="RETAIL", key=True, reference="groups", default=EVERY)  # fmt: skip
    period: Text = _every_period()
    measure: Literal["distance", "time"] = column("distance in km, time in hours", example="distance", key=True, default="distance")  # fmt: skip
    within: float = column("Largest distance or time that counts as within", example=800.0, unit="km or hours", gt=0, key=True)  # fmt: skip
    share: float = column("Smallest share of demand served from within", example=0.5, ge=0, le=1, default=1.0)
    excess_cost: float | None = column("Price of one unit too few; blank: the option service_shortfall_cost", example=None, unit="money/unit", ge=0, default=None)  # fmt: skip
    hard: bool = _hard()


class Carbon(InputRow):
    """Price and cap of emissions."""

    period: Text = _every_period()
    price: float = column("Price of emissions", example=80.0, unit="money/t CO2", ge=0, default=0.0)
    cap: float | None = column("Largest emissions; blank: no cap", example=20000.0, unit="t CO2/year", ge=0, default=None)  # fmt: skip
    excess_cost: float | None = _excess_cost("money/t CO2", "carbon_excess_cost")
    hard: bool = _hard()


class Return(InputRow):
    """How much a customer sends back in a period; all of it is taken back."""

    customer: Text = _customer()
    product: Text = _product()
    period: Text = _every_period()
    quantity: float = column("Quantity returned", example=60.0, unit="units", ge=0)


class Recovery(InputRow):
    """What a site does with returns: what it recovers serves demand again, the rest is disposed of."""

    site: Text = _site()
    product: Text = _every_product()
    cost: float = column("Cost of recovering one unit", example=25.0, unit="money/unit", ge=0, default=0.0)
    disposal_cost: float = column("Cost of disposing of one unit", example=12.0, unit="money/unit", ge=0, default=0.0)
    recoverable: float = column("Largest share of the returns that can be recovered", example=0.7, ge=0, le=1, default=1.0)  # fmt: skip
    capacity: float | None = column("Largest quantity recovered; blank: no limit", example=3000.0, unit="units/year", ge=0, default=None)  # fmt: skip
    disposal_limit: float | None = column("Largest quantity disposed of; blank: no limit", example=2000.0, unit="units/year", ge=0, default=None)  # fmt: skip


INPUTS = (
    Table("periods", Period),
    Table("sites", Site, required=True, more_examples=({"site": "HAMBURG", "region": "DE", "latitude": 53.55, "longitude": 9.99, "capacity": 40000.0, "running_cost": 510000.0},)),
    Table("capacity_steps", CapacityStep),
    Table("products", Product),
    Table("groups", Group),
    Table("customers", Customer),
    Table("demand", Demand, required=True),
    Table("modes", Mode),
    Table("lanes", Lane),
    Table("deliveries", Delivery),
    Table("supply", Supply),
    Table("handling", Handling),
    Table("duties", Duty),
    Table("jurisdictions", Jurisdiction),
    Table("pinned_sites", PinnedSite),
    Table("site_limits", SiteLimit),
    Table("budgets", Budget),
    Table("service_limits", ServiceLimit),
    Table("carbon", Carbon),
    Table("returns", Return),
    Table("recovery", Recovery),
)  # fmt: skip


class NetworkOptions(BaseModel):
    """Options of the network family; a newcomer needs none of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    discount_rate: float = Field(default=0.08, ge=0, le=10, description="Yearly rate by which money is discounted to the start of the first period; each period's money counts at its start")  # fmt: skip
    sourcing: SOURCING = Field(default="multiple", description="How many sites may serve a customer, where neither it nor its group says (see groups)")  # fmt: skip
    unserved_cost: float | None = Field(default=None, ge=0, description="Cost of one unit that is not served, where the customer gives none; none: all demand must be served")  # fmt: skip
    road_factor: float = Field(default=1.25, ge=1, le=10, description="Length of the way over that of the great circle, where a distance comes from coordinates")  # fmt: skip
    holding_rate: float = Field(default=0.2, ge=0, description="Yearly holding cost as a share of value, where the product gives none")  # fmt: skip
    pooling_pieces: int = Field(default=4, ge=1, le=20, description="Pieces by which the square root of throughput is told to the model; more are more exact and slower")  # fmt: skip
    backup_cover: float = Field(default=0.0, ge=0, le=1, description="Share of any one site's deliveries and supply that the others must be able to take over should it fail; 0: none")  # fmt: skip
    budget_excess_cost: float = Field(default=2.0, ge=0, description="Price of spending one unit of money over a soft budget, where none is given")  # fmt: skip
    service_shortfall_cost: float = Field(default=100.0, ge=0, description="Price of one unit too few within a soft service limit, where none is given")  # fmt: skip
    carbon_excess_cost: float = Field(default=1000.0, ge=0, description="Price of one t CO2 over a soft cap, where none is given")  # fmt: skip
    service_bands: str = Field(default="100, 250, 500, 1000, 2000", description="Distances in km that bound the bands of the service profile, rising")  # fmt: skip
    price_rules: bool = Field(default=False, description="Solve once more without each rule (single sourcing, numbers of sites, service limits and so on), to tell what it costs")  # fmt: skip
    compare_today: bool = Field(default=True, description="Plan today's network too (existing sites in all periods), where there is one, to tell what the plan changes, costs and saves")  # fmt: skip
    compare: str = Field(default="", description=f"Networks to plan side by side with the plan, of {', '.join(VARIANTS)}: one warehouse; one in each region; each customer from its nearest")  # fmt: skip

    @field_validator("service_bands")
    @classmethod
    def _bands_rise(cls, text: str) -> str:
        try:
            bands = [float(part) for part in text.split(",")]
        except ValueError:
            raise ValueError("must be numbers with commas between them") from None
        if bands[0] <= 0 or any(a >= b for a, b in itertools.pairwise(bands)) or bands[-1] > 1e9:
            raise ValueError("must be more than 0 and rise")
        return text

    @field_validator("compare")
    @classmethod
    def _variants_are_known(cls, text: str) -> str:
        if unknown := [name for name in names(text) if name not in VARIANTS]:
            raise ValueError(f"{unknown[0]!r} is none of {', '.join(VARIANTS)}")
        return text

    @property
    def bands(self) -> tuple[float, ...]:
        """The bounds of the service profile's bands, km."""
        return tuple(float(part) for part in self.service_bands.split(","))

    @property
    def variants(self) -> tuple[str, ...]:
        """The networks to plan side by side with the plan, each once."""
        return tuple(dict.fromkeys(names(self.compare)))


def names(text: str) -> list[str]:
    """The names in a text with commas between them."""
    return [part.strip() for part in text.split(",") if part.strip()]


class SiteState(Row):
    """A site in a period: whether it is open, what it passes on, what it costs."""

    site: Text = column("Site", example="LYON", key=True)
    period: Text = column("Period", example="2027", key=True)
    kind: Text = column("plant, warehouse or hub", example="warehouse")
    region: Text = column("Region", example="FR", default="")
    open: bool = column("true: it is open", example=True)
    opened: bool = column("true: it opens in this period", example=False)
    closed: bool = column("true: it closes in this period", example=False)
    steps: int = column("Capacity steps that it has", example=1, unit="steps", ge=0)
    capacity: float | None = column("Capacity of the period; blank: no limit", example=60000.0, unit="capacity units", ge=0, default=None)  # fmt: skip
    use: float = column("Capacity used", example=52000.0, unit="capacity units", ge=0)
    utilisation: float | None = column(
        "Use over capacity; blank: no limit, or none", example=0.87, unit="1", ge=0, default=None
    )
    throughput: float = column("Units sent out", example=52000.0, unit="units", ge=0)
    stock: float = column("Average stock: cycle stock and safety stock by pieces", example=2100.0, unit="units", ge=0)
    cost: float = column("Its own cost, not discounted: opening, closing, steps, running, supply, handling, stock, recovery, disposal", example=812000.0, unit="money", ge=0)  # fmt: skip
    emissions: float = column("Its own emissions", example=140.0, unit="t CO2", ge=0)


class SupplyFlow(Row):
    """What a site makes or buys in a period."""

    site: Text = column("Site", example="LYON", key=True)
    product: Text = column("Product group", example=ALL_PRODUCTS, key=True)
    period: Text = column("Period", example="2027", key=True)
    quantity: float = column("Quantity", example=52000.0, unit="units", gt=0)
    cost: float = column("Its cost, not discounted", example=16120000.0, unit="money", ge=0)


class Flow(Row):
    """Goods on a lane, to a customer, or back from one, in a period."""

    kind: Text = column("lane, delivery or return", example="delivery", key=True)
    origin: Text = column("Site (for a return: customer) that sends", example="LYON", key=True)
    destination: Text = column("Site or customer that receives", example="PARIS", key=True)
    mode: Text = column("Mode of transport", example=ROAD, key=True)
    product: Text = column("Product group", example=ALL_PRODUCTS, key=True)
    period: Text = column("Period", example="2027", key=True)
    quantity: float = column("Quantity", example=1200.0, unit="units", gt=0)
    distance: float | None = column("Distance; blank: not known", example=465.0, unit="km", ge=0, default=None)
    hours: float | None = column("Time on the way; blank: not known", example=9.0, unit="hours", ge=0, default=None)
    cost: float = column("Transport cost, not discounted", example=13560.0, unit="money", ge=0)
    duty: float = column("Duty, not discounted", example=0.0, unit="money", ge=0)
    emissions: float = column("Emissions", example=50.2, unit="t CO2", ge=0)


class Recovered(Row):
    """What a site does with the returns that it takes in a period."""

    site: Text = column("Site", example="LYON", key=True)
    product: Text = column("Product group", example=ALL_PRODUCTS, key=True)
    period: Text = column("Period", example="2027", key=True)
    returned: float = column("Quantity taken back", example=60.0, unit="units", ge=0)
    recovered: float = column("Of these, recovered: they serve demand again", example=42.0, unit="units", ge=0)
    disposed: float = column("Of these, disposed of", example=18.0, unit="units", ge=0)
    cost: float = column("Cost of both, not discounted", example=1266.0, unit="money", ge=0)


class Served(Row):
    """A customer's demand in a period and what is served of it."""

    customer: Text = column("Customer", example="PARIS", key=True)
    product: Text = column("Product group", example=ALL_PRODUCTS, key=True)
    period: Text = column("Period", example="2027", key=True)
    demand: float = column("Quantity wanted", example=1200.0, unit="units", ge=0)
    served: float = column("Quantity served", example=1200.0, unit="units", ge=0)
    sites: int = column("Sites that serve it", example=1, unit="sites", ge=0)
    main_site: Text = column("Site that serves most of it", example="LYON", default="")


class Band(Row):
    """The service profile: how much of a group's demand is served from which distance in a period."""

    group: Text = column("Customer group; blank: those without one", example="RETAIL", key=True)
    period: Text = column("Period", example="2027", key=True)
    band: Text = column("Distance from the site that serves, km", example="100 to 250", key=True)
    quantity: float = column("Quantity", example=5200.0, unit="units", ge=0)
    share: float = column("Share of the group's demand", example=0.34, unit="1", ge=0)


class CostToServe(Row):
    """What serving a customer group costs in a period, all costs laid on the goods they are for; not discounted."""

    group: Text = column("Customer group; blank: those without one", example="RETAIL", key=True)
    period: Text = column("Period", example="2027", key=True)
    served: float = column("Quantity served", example=15300.0, unit="units", ge=0)
    supply: float = column("Supply, and recovery in its place", example=4743000.0, unit="money")
    sites: float = column("Opening, closing, steps, running, handling", example=310000.0, unit="money")
    inventory: float = column("Holding stock", example=41000.0, unit="money")
    transport: float = column("Lanes, deliveries, returns, duties", example=212000.0, unit="money")
    carbon: float = column("Price of emissions", example=9000.0, unit="money")
    cost: float = column("All of these", example=5315000.0, unit="money")
    cost_per_unit: float | None = column("Cost of one unit served; blank: none is served", example=347.4, unit="money/unit", default=None)  # fmt: skip


class Backup(Row):
    """Which sites would take over should a site fail in a period."""

    failing: Text = column("Site that fails", example="LYON", key=True)
    site: Text = column("Site that takes over", example="HAMBURG", key=True)
    customer: Text = column("Customer", example="PARIS", key=True)
    product: Text = column("Product group", example=ALL_PRODUCTS, key=True)
    period: Text = column("Period", example="2027", key=True)
    quantity: float = column("Quantity taken over", example=1200.0, unit="units", gt=0)


class Limit(Row):
    """A limit in a period: how much is used, what is exceeded, and what one more unit would be worth."""

    limit: Text = column("Kind: site capacity, supply, recovery, disposal, sites, budget, service, carbon", example="site capacity", key=True)  # fmt: skip
    name: Text = column("Which one", example="LYON", key=True)
    period: Text = column("Period", example="2027", key=True)
    unit: Text = column("Unit of capacity, use and excess", example="capacity units", key=True)
    capacity: float = column("What the limit allows (for service: how much may be served from beyond)", example=60000.0, ge=0)  # fmt: skip
    use: float = column("What the plan uses", example=52000.0, ge=0)
    excess: float = column("Use over capacity", example=0.0, ge=0)
    price: float = column("What one more unit of capacity would save, sites held", example=4.2, unit="money/unit", ge=0)


class Comparison(Row):
    """The plan beside other networks: a row a network and figure."""

    network: Text = column("plan, today, centralised, regional or local", example="today", key=True)
    figure: Text = column("A cost line (discounted), or what the unit says", example="running", key=True)
    unit: Text = column("Unit of the figures: money, sites, km, t CO2 and so on", example="money", key=True)
    value: float | None = column("Its value; blank: there is no such network that keeps all limits, or none was found", example=480000.0, default=None)  # fmt: skip


COMPARISON = Table("comparison", Comparison)
RESULTS = (
    Table("sites", SiteState),
    Table("supply", SupplyFlow),
    Table("flows", Flow),
    Table("recovered", Recovered),
    Table("served", Served),
    Table("service", Band),
    Table("cost_to_serve", CostToServe),
    Table("backup", Backup),
    Table("limits", Limit),
    COMPARISON,
    EASED,
    RULE_PRICES,
)
