"""The tables and options of the ordering family, each column declared once."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from echelon.explain.schema import BOTTLENECKS, EASED, RULE_PRICES
from echelon.schema import InputRow, Row, Table, Text, column
from echelon_models.rows import EVERY, MAIN_SITE, Item, Period, Site, Supplier


def _supplier() -> Text:
    return column("Supplier", example="NORDBOHR", key=True, reference="suppliers")


def _item() -> Text:
    return column("Item", example="DRILL-18V", key=True, reference="items")


def _site() -> Text:
    return column("Site; blank where there is only one", example=MAIN_SITE, key=True, reference="sites", default=MAIN_SITE)  # fmt: skip


def _period() -> Text:
    return column("Period", example="2026-01-05", key=True, reference="periods")


def _every_period() -> Text:
    return column("Period; blank: every period without a row of its own", example="2026-01-05", key=True, reference="periods", default=EVERY)  # fmt: skip


def _excess_cost(unit: str, option: str) -> float | None:
    return column(f"Price of exceeding the limit by one unit; blank: the option {option}", example=None, unit=unit, ge=0, default=None)  # fmt: skip


def _hard() -> bool:
    return column("true: the limit is never exceeded; false: it may be, at its price", example=False, default=False)


class Demand(InputRow):
    """How much of an item is wanted at a site in a period."""

    item: Text = _item()
    site: Text = _site()
    period: Text = _period()
    quantity: float = column("Quantity wanted", example=120.0, unit="units", ge=0)


class Offer(InputRow):
    """On what terms a supplier delivers an item to a site."""

    supplier: Text = _supplier()
    item: Text = _item()
    site: Text = _site()
    price: float = column("Price of one unit, below any price break", example=62.0, unit="money/unit", ge=0)
    line_cost: float = column("Cost of one order line", example=6.0, unit="money/line", ge=0, default=0.0)
    lead_time: int = column("Periods from order to arrival; 0 arrives in time for the same period's demand", example=0, unit="periods", ge=0, default=0)  # fmt: skip
    minimum: float = column("Smallest quantity of one order line", example=20.0, unit="units", ge=0, default=0.0)
    multiple: float | None = column("Order quantities are multiples of this; blank: any quantity", example=10.0, unit="units", ge=1e-6, default=None)  # fmt: skip
    maximum: float | None = column("Largest quantity of one order line; blank: none", example=500.0, unit="units", ge=0, default=None)  # fmt: skip
    hours_per_order: float = column("Supplier hours that one order line takes, whatever its size", example=0.5, unit="hours/line", ge=0, default=0.0)  # fmt: skip
    hours_per_unit: float = column("Supplier hours that one unit takes", example=0.02, unit="hours/unit", ge=0, default=0.0)  # fmt: skip


class PriceBreak(InputRow):
    """A lower price of an offer from some quantity on."""

    supplier: Text = _supplier()
    item: Text = _item()
    site: Text = _site()
    from_quantity: float = column("Quantity of one order line from which the price holds", example=100.0, unit="units", gt=0, key=True)  # fmt: skip
    price: float = column("Price of one unit from this quantity on", example=58.5, unit="money/unit", ge=0)
    kind: Literal["all_units", "incremental"] = column("all_units: the price holds for the whole line; incremental: for the units from the break on", example="all_units", default="all_units")  # fmt: skip


class Stock(InputRow):
    """What lies in stock when the first period starts."""

    item: Text = _item()
    site: Text = _site()
    quantity: float = column("Quantity on hand", example=40.0, unit="units", ge=0)


class Receipt(InputRow):
    """A firm receipt: ordered earlier, on its way, paid for; never changed by the plan."""

    item: Text = _item()
    site: Text = _site()
    period: Text = _period()
    receipt: Text = column("Number of the order or delivery, to tell several in a period apart", example="PO-4711", key=True, default="")  # fmt: skip
    quantity: float = column("Quantity that arrives", example=60.0, unit="units", ge=0)


class SafetyStock(InputRow):
    """Stock that should be left at the end of each period; falling short of it has a price."""

    item: Text = _item()
    site: Text = _site()
    period: Text = _every_period()
    quantity: float = column("Safety stock", example=15.0, unit="units", ge=0)
    shortfall_cost: float | None = column("Price of one unit missing for one period; blank: from the option safety_shortfall_rate", example=1.5, unit="money/unit/period", ge=0, default=None)  # fmt: skip


class Lane(InputRow):
    """A way to transfer an item from one site to another."""

    from_site: Text = column("Site that sends", example=MAIN_SITE, key=True, reference="sites")
    to_site: Text = column("Site that receives", example="SHOP", key=True, reference="sites")
    item: Text = column("Item; blank: every item without a row of its own on this lane", example="DRILL-18V", key=True, reference="items", default=EVERY)  # fmt: skip
    cost: float = column("Cost of transferring one unit", example=0.8, unit="money/unit", ge=0, default=0.0)
    lead_time: int = column("Periods from sending to arrival; 0 arrives in time for the same period's demand", example=1, unit="periods", ge=0, default=0)  # fmt: skip


class Budget(InputRow):
    """Money that a department, or the whole company, may spend on orders placed in a period."""

    department: Text = column("Department; blank: the whole company", example="Power tools", key=True, default=EVERY)
    period: Text = _every_period()
    amount: float = column("Budget of the period", example=20000.0, unit="money", ge=0)
    carry_over: bool = column("true: what is not spent may be spent in the next period", example=False, default=False)
    excess_cost: float | None = _excess_cost("money/money", "budget_excess_cost")
    hard: bool = _hard()


class Storage(InputRow):
    """Space for stock at a site."""

    site: Text = _site()
    period: Text = _every_period()
    capacity: float = column("Space", example=90.0, unit="m³", ge=0)
    counts: Literal["closing", "peak"] = column("closing: stock at the end of the period counts; peak: opening stock and all arrivals of the period together", example="closing", default="closing")  # fmt: skip
    excess_cost: float | None = _excess_cost("money/m³/period", "storage_excess_cost")
    hard: bool = _hard()


class SupplierCapacity(InputRow):
    """How much a supplier can take on in orders placed in a period."""

    supplier: Text = _supplier()
    period: Text = _every_period()
    measure: Literal["units", "hours"] = column("What the capacity counts: units ordered, or the hours that the offers' lines and units take", example="units", key=True, default="units")  # fmt: skip
    capacity: float = column("Capacity", example=2000.0, unit="units or hours", ge=0)
    excess_cost: float | None = _excess_cost("money/unit or money/hour", "capacity_excess_cost")
    hard: bool = _hard()


class Share(InputRow):
    """Which part of all that is ordered of an item over the horizon a supplier gets, at least and at most."""

    supplier: Text = _supplier()
    item: Text = _item()
    min_share: float = column("Smallest share", example=0.2, ge=0, le=1, default=0.0)
    max_share: float = column("Largest share", example=1.0, ge=0, le=1, default=1.0)


class Shortage(InputRow):
    """What happens when demand cannot be served in its period. The most specific row counts: item and site, then item,
    then site, then the row with both blank. Without any, the option shortage_policy holds."""

    item: Text = column("Item; blank: every item", example="DRILL-18V", key=True, reference="items", default=EVERY)
    site: Text = column("Site; blank: every site", example=MAIN_SITE, key=True, reference="sites", default=EVERY)
    policy: Literal["backorder", "lost", "none"] = column("backorder: served later; lost: never served; none: no shortage is allowed", example="backorder", default="backorder")  # fmt: skip
    backorder_cost: float | None = column("Cost of one unit waiting at the end of a period; blank: from the option backorder_rate", example=3.0, unit="money/unit/period", ge=0, default=None)  # fmt: skip
    lost_cost: float | None = column("Cost of one unit never served (lost, or still waiting at the end of the horizon); blank: from the option lost_cost_factor", example=124.0, unit="money/unit", ge=0, default=None)  # fmt: skip
    fill_rate: float = column("Smallest part of all demand over the horizon that is served in its own period", example=0.95, ge=0, le=1, default=0.0)  # fmt: skip
    fill_rate_cost: float | None = column("Price of one unit below the fill rate; blank: lost_cost", example=None, unit="money/unit", ge=0, default=None)  # fmt: skip
    hard: bool = column("true: the fill rate is never missed; false: it may be, at its price", example=False, default=False)  # fmt: skip


class PinnedOrder(InputRow):
    """An analyst's decision: this order line is placed as it stands, and the plan says what that costs.

    A pinned order is free of the offer's minimum, multiple and maximum and of the frozen window; quantity 0 forbids
    the line.
    """

    supplier: Text = _supplier()
    item: Text = _item()
    site: Text = _site()
    period: Text = column("Period in which the order is placed", example="2026-01-05", key=True, reference="periods")
    quantity: float = column("Quantity ordered", example=50.0, unit="units", ge=0)


INPUTS = (
    Table("items", Item, required=True),
    Table("sites", Site, more_examples=({"site": "SHOP", "description": "Shop in town"},)),
    Table("suppliers", Supplier),
    Table("periods", Period),
    Table("offers", Offer, required=True),
    Table("price_breaks", PriceBreak, belongs_to="offers"),
    Table("demand", Demand, required=True),
    Table("stock", Stock),
    Table("receipts", Receipt),
    Table("safety_stock", SafetyStock),
    Table("lanes", Lane),
    Table("budgets", Budget),
    Table("storage", Storage),
    Table("supplier_capacity", SupplierCapacity),
    Table("shares", Share),
    Table("shortages", Shortage),
    Table("pinned_orders", PinnedOrder, belongs_to="offers"),
)


class OrderingOptions(BaseModel):
    """Options of the ordering family; a newcomer needs none of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frozen_periods: int = Field(
        default=0, ge=0, description="Number of first periods in which no order may be placed, except pinned ones"
    )
    holding_rate: float = Field(
        default=0.2, ge=0, description="Yearly holding cost as a share of value, where the item gives none"
    )
    final_stock_value: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="What a unit left at the end of the horizon is credited with, as a share of its value or lowest price, whichever is less; 0: it is worth nothing, so the plan runs stock down",
    )
    shortage_policy: Literal["backorder", "lost", "none"] = Field(
        default="backorder", description="What happens to unserved demand where the shortages table says nothing"
    )
    backorder_rate: float = Field(
        default=5.0,
        ge=0,
        description="Yearly cost of a waiting unit in multiples of its value, where no backorder_cost is given",
    )
    lost_cost_factor: float = Field(
        default=2.0,
        ge=0,
        description="Cost of a unit never served in multiples of its value, where no lost_cost is given",
    )
    safety_shortfall_rate: float = Field(
        default=1.0,
        ge=0,
        description="Yearly cost of a missing unit of safety stock in multiples of its value, where no shortfall_cost is given",
    )
    budget_excess_cost: float = Field(
        default=2.0, ge=0, description="Price of spending one unit of money over a soft budget, where none is given"
    )
    storage_excess_cost: float = Field(
        default=100.0, ge=0, description="Price of one m³ over a soft storage limit for one period, where none is given"
    )
    capacity_excess_cost: float = Field(
        default=100.0, ge=0, description="Price of one unit or hour over a soft supplier capacity, where none is given"
    )
    method: Literal["auto", "mip", "prices"] = Field(
        default="auto",
        description="How the case is solved: mip as one mixed-integer programme; prices item by item against prices of the shared limits; auto chooses by size",
    )
    formulation: Literal["auto", "big_m", "ls", "facility"] = Field(
        default="auto",
        description="How fixed costs are tied to quantities: tight big-M, (l,S) rows or facility location; auto chooses by size and shape",
    )
    price_rules: bool = Field(default=False, description="Solve once more without each rule (minimum quantities, frozen window, safety stock and so on), to tell what it costs")  # fmt: skip
    price_pins: bool = Field(default=True, description="Plan the items of pinned orders once more without them, to tell what keeping them costs")  # fmt: skip


class Order(Row):
    """An order line of the plan."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    item: Text = column("Item", example="DRILL-18V", key=True)
    site: Text = column("Site it is delivered to", example=MAIN_SITE, key=True)
    period: Text = column("Period in which it is placed", example="2026-01-05", key=True)
    order_date: date = column("First day of that period", example=date(2026, 1, 5))
    arrival_date: date | None = column("First day of the period in which it arrives; blank: after the horizon", example=date(2026, 1, 12), default=None)  # fmt: skip
    department: Text = column("Department that pays", example="Power tools", default="")
    quantity: float = column("Quantity ordered", example=120.0, unit="units", gt=0)
    unit_price: float = column("Average price of one unit", example=58.5, unit="money/unit", ge=0)
    amount: float = column("Price of the line", example=7020.0, unit="money", ge=0)
    pinned: bool = column("true: an analyst's decision that the plan keeps", example=False, default=False)
    reason: Text = column("Why it is ordered now", example="without it short from 2026-01-12", default="")


class Transfer(Row):
    """A transfer between two sites."""

    from_site: Text = column("Site that sends", example=MAIN_SITE, key=True)
    to_site: Text = column("Site that receives", example="SHOP", key=True)
    item: Text = column("Item", example="DRILL-18V", key=True)
    period: Text = column("Period in which it is sent", example="2026-01-05", key=True)
    send_date: date = column("First day of that period", example=date(2026, 1, 5))
    arrival_date: date = column("First day of the period in which it arrives", example=date(2026, 1, 12))
    quantity: float = column("Quantity sent", example=30.0, unit="units", gt=0)
    cost: float = column("Cost of the transfer", example=24.0, unit="money", ge=0)


class Inventory(Row):
    """Stock of an item at a site through a period: opening + arrivals - sent - served = closing."""

    item: Text = column("Item", example="DRILL-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    period: Text = column("Period", example="2026-01-05", key=True)
    opening: float = column("Stock at the start of the period", example=40.0, unit="units", ge=0)
    arrivals: float = column("Orders, firm receipts and transfers that arrive", example=60.0, unit="units", ge=0)
    sent: float = column("Sent to other sites", example=0.0, unit="units", ge=0)
    demand: float = column("Demand of the period", example=80.0, unit="units", ge=0)
    served: float = column("Delivered to customers, waiting ones included", example=80.0, unit="units", ge=0)
    short: float = column("Demand of this period not served in it (the rise of what waits, and what is lost)", example=0.0, unit="units", ge=0)  # fmt: skip
    lost: float = column("Demand of this period that is never served", example=0.0, unit="units", ge=0)
    waiting: float = column("Demand that waits at the end of the period", example=0.0, unit="units", ge=0)
    closing: float = column("Stock at the end of the period", example=20.0, unit="units", ge=0)
    value: float = column("Value of the closing stock", example=1240.0, unit="money", ge=0)


class Limit(Row):
    """A shared limit in a period: how much is used, what is exceeded, and what one more unit would be worth."""

    limit: Text = column("Kind: budget, storage, supplier capacity", example="storage", key=True)
    name: Text = column("Department, site or supplier; blank: the whole company", example=MAIN_SITE, key=True)
    period: Text = column("Period", example="2026-01-05", key=True)
    unit: Text = column("Unit of use, capacity and excess", example="m³", key=True)
    capacity: float = column("What the limit allows, with what was carried over", example=90.0, ge=0)
    use: float = column("What the plan uses", example=88.2, ge=0)
    excess: float = column("Use over capacity", example=0.0, ge=0)
    price: float = column("What one more unit of capacity would save", example=4.2, unit="money/unit", ge=0)


class ShortageCause(Row):
    """Why an item is short at a site: what made the shortage go when the item was planned anew without it, all other
    items as they are."""

    item: Text = column("Item", example="DRILL-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    first_period: Text = column("First period with a shortage", example="2026-01-05")
    last_period: Text = column("Last period with a shortage", example="2026-01-12")
    units: float = column("Demand not served in its period", example=12.0, unit="units", ge=0)
    cost: float = column("What that costs", example=240.0, unit="money", ge=0)
    cause: Text = column("A limit or rule, several that only together make it go, no supplier, or that serving costs more", example="supplier capacity")  # fmt: skip


NOT_ASKED = "not asked: time was up"  # stands for the cause of a shortage that time did not suffice for,
NOT_YET = "none: a better plan of the item was found"  # or that nothing but the search is to blame for
SHORTAGE_CAUSES = Table("shortage_causes", ShortageCause)
RESULTS = (
    Table("orders", Order),
    Table("transfers", Transfer),
    Table("inventory", Inventory),
    Table("limits", Limit),
    EASED,
    BOTTLENECKS,
    SHORTAGE_CAUSES,
    RULE_PRICES,
)
