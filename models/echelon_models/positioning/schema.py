"""The tables and options of the positioning family, each column declared once. Times are in days."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from echelon.explain.schema import EASED
from echelon.schema import InputRow, Row, Table, Text, column
from echelon_models.ordering.schema import Demand, Lane, Offer
from echelon_models.rows import EVERY, MAIN_SITE, Item, Period, Site, Supplier

Measure = Literal["value", "volume", "stocking_points"]
ServiceKind = Literal["cycle", "fill_rate"]


def _stage(meaning: str = "Stage") -> Text:
    return column(meaning, example="DRILL-18V@MAIN", key=True, reference="stages")


class Stage(InputRow):
    """A place in the network that takes time and may hold stock: a part bought, a product made, an item at a site.

    With ordinary tables (`demand`, `items`, `lanes`, ...) the stages are derived and named ITEM@SITE; a row here then
    adds to the derived stage of that name, and what it leaves blank stays as derived.
    """

    stage: Text = column("Name of the stage", example="DRILL-18V@MAIN", key=True)
    description: Text = column("What it is, for people", example="Drills in the central warehouse", default="")
    item: Text = column("Item that leaves it; blank: the stage's own name", example="DRILL-18V", default="")
    site: Text = column("Site where it is; blank: MAIN", example=MAIN_SITE, default="")
    department: Text = column("Department whose limits count its stock", example="Power tools", default="")
    echelon: Text = column("Name of the echelon it is reported in; blank: its number of steps from the customers", example="Warehouses", default="")  # fmt: skip
    cost_added: float | None = column("Cost added to one unit here, material bought from outside included; blank: 0", example=12.5, unit="money/unit", ge=0, default=None)  # fmt: skip
    value: float | None = column("What one unit is worth when it leaves; blank: all costs added up to here", example=None, unit="money/unit", ge=0, default=None)  # fmt: skip
    holding_rate: float | None = column("Yearly cost of holding stock as a share of its value; blank: the option holding_rate", example=None, unit="1/year", ge=0, default=None)  # fmt: skip
    volume: float | None = column("Space that one unit takes in storage; blank: 0", example=0.012, unit="m³/unit", ge=0, default=None)  # fmt: skip
    lead_time: float | None = column("Time from all inputs being there to one's output being there; blank: 0, or the mean of its lead_times", example=7.0, unit="days", ge=0, le=36525, default=None)  # fmt: skip
    lead_time_std: float = column("Standard deviation of the lead time", example=0.0, unit="days", ge=0, le=36525, default=0.0)  # fmt: skip
    supply_time: float = column("Time in which outside suppliers deliver what it needs from them", example=0.0, unit="days", ge=0, le=36525, default=0.0)  # fmt: skip
    review_period: int = column("Days between two starts; 1: every day. A start waits for up to one day less", example=1, unit="days", ge=1, le=366, default=1)  # fmt: skip
    demand_mean: float | None = column("Mean demand of outside customers; blank: from demand_history, or none", example=40.0, unit="units/day", ge=0, default=None)  # fmt: skip
    demand_std: float | None = column("Standard deviation of a day's demand of outside customers; blank: from demand_history, or none", example=15.0, unit="units/day", ge=0, default=None)  # fmt: skip
    service_level: float | None = column("Service that safety stock is sized for; blank: the highest of the stages it serves, or the option service_level", example=0.95, unit="1", ge=0.5, lt=1, default=None)  # fmt: skip
    service_kind: Literal["", "cycle", "fill_rate"] = column("cycle: chance that a day ends without backlog (type 1); fill_rate: share of demand served in time (type 2); blank: the option service_kind", example="cycle", default="")  # fmt: skip
    promised_time: float | None = column("Longest time in which outside customers are served; blank: 0 where they order, else no promise", example=None, unit="days", ge=0, le=36525, default=None)  # fmt: skip
    min_service_time: float = column("Shortest time it may quote to those it serves", example=0.0, unit="days", ge=0, le=36525, default=0.0)  # fmt: skip
    max_service_time: float | None = column("Longest time it may quote; the same as the shortest fixes it; blank: no limit", example=None, unit="days", ge=0, le=36525, default=None)  # fmt: skip
    may_hold_stock: bool = column("false: no safety stock is held here", example=True, default=True)
    current_stock: float | None = column("Safety stock target so far, to show the change", example=80.0, unit="units", ge=0, default=None)  # fmt: skip


class Arc(InputRow):
    """What flows from one stage to another."""

    from_stage: Text = column("Stage that delivers", example="DRILL-18V@MAIN", key=True, reference="stages")
    to_stage: Text = column("Stage that needs it", example="DRILL-18V@SHOP", key=True, reference="stages")
    quantity: float = column("Units needed for one unit of the stage that needs it", example=1.0, unit="units/unit", gt=0, le=1e9, default=1.0)  # fmt: skip


class LeadTime(InputRow):
    """A lead time that a stage may have, and how likely; together the rows of a stage are its distribution."""

    stage: Text = _stage()
    days: float = column("Lead time", example=7.0, unit="days", ge=0, le=36525, key=True)
    probability: float = column("How likely it is; those of a stage add up to 1", example=1.0, unit="1", gt=0, le=1)


class DemandHistory(InputRow):
    """What outside customers asked of a stage on a day (or the days that the option history_days says) in the past.
    Days without a row between a stage's first and last had no demand."""

    stage: Text = _stage()
    day: date = column("Day, or first of the days", example=date(2025, 11, 3), key=True)
    quantity: float = column("Quantity asked for", example=38.0, unit="units", ge=0)


class Bill(InputRow):
    """A component of an item that is made."""

    item: Text = column("Item that is made", example="SET-18V", key=True, reference="items")
    component: Text = column("Item that goes into it", example="DRILL-18V", key=True, reference="items")
    site: Text = column("Site where it is made; blank: wherever no lane or offer brings the item", example=MAIN_SITE, key=True, reference="sites", default=EVERY)  # fmt: skip
    quantity: float = column("Units of the component for one unit", example=1.0, unit="units/unit", gt=0, le=1e9, default=1.0)  # fmt: skip


class Production(InputRow):
    """How long it takes to make an item from its components, and what that costs."""

    item: Text = column("Item that is made", example="SET-18V", key=True, reference="items")
    site: Text = column("Site where it is made; blank: every site without a row of its own", example=MAIN_SITE, key=True, reference="sites", default=EVERY)  # fmt: skip
    lead_time: float = column("Time from components to product", example=2.0, unit="days", ge=0, le=36525, default=0.0)
    cost: float = column("Cost added to one unit", example=4.0, unit="money/unit", ge=0, default=0.0)


class StockLimit(InputRow):
    """A limit on all safety stock, on that of a department or on that of a site."""

    measure: Measure = column("value: money; volume: m³; stocking_points: stages that hold safety stock", example="value", key=True)  # fmt: skip
    department: Text = column("Department; blank: all", example="Power tools", key=True, default=EVERY)
    site: Text = column("Site; blank: all", example=EVERY, key=True, default=EVERY)
    capacity: float = column("What is allowed", example=50000.0, unit="money, m³ or stages", ge=0)
    excess_cost: float | None = column("Yearly price of exceeding the limit by one unit; blank: the option of the measure", example=None, unit="money/year/unit of the limit", ge=0, default=None)  # fmt: skip
    hard: bool = column("true: the limit is never exceeded; false: it may be, at its price", example=False, default=False)  # fmt: skip


# Two stages that the template has beside the one of the columns' examples.
_SHOP = {"stage": "DRILL-18V@SHOP", "item": "DRILL-18V", "site": "SHOP", "cost_added": 0.8, "lead_time": 1.0}
_SHOP |= {"demand_mean": 12.0, "demand_std": 6.0, "service_level": 0.95}
_SET = {"stage": "SET-18V@MAIN", "item": "SET-18V", "site": MAIN_SITE, "cost_added": 4.0, "lead_time": 2.0}
_SET |= {"demand_mean": 5.0, "demand_std": 3.0, "service_level": 0.98, "service_kind": "fill_rate"}

INPUTS = (
    Table("items", Item, more_examples=({"item": "SET-18V", "description": "Drill with two batteries"},)),
    Table("sites", Site, more_examples=({"site": "SHOP", "description": "Shop in town"},)),
    Table("suppliers", Supplier),
    Table("periods", Period),
    Table("offers", Offer),
    Table("lanes", Lane),
    Table("boms", Bill),
    Table("production", Production),
    Table("demand", Demand),
    Table("stages", Stage, more_examples=(_SHOP, _SET)),
    Table("arcs", Arc, more_examples=({"from_stage": "DRILL-18V@MAIN", "to_stage": "SET-18V@MAIN"},)),
    Table("lead_times", LeadTime),
    Table(
        "demand_history",
        DemandHistory,
        more_examples=({"stage": "DRILL-18V@MAIN", "day": date(2025, 11, 4), "quantity": 44.0},),
    ),
    Table("stock_limits", StockLimit),
)


class PositioningOptions(BaseModel):
    """Options of the positioning family; a newcomer needs at most the service level."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    times: Literal["days", "exact"] = Field(
        default="days",
        description="days: all times are whole days (lead times rounded to the nearest); exact: to a hundredth of a day, as given",
    )
    service_level: float | None = Field(
        default=None, ge=0.5, lt=1, description="Service that safety stock is sized for, where no stage says"
    )
    service_kind: ServiceKind = Field(
        default="cycle",
        description="What a service level means where a stage does not say: cycle service (type 1) or fill rate (type 2)",
    )
    holding_rate: float = Field(
        default=0.2, ge=0, description="Yearly holding cost as a share of value, where none is given"
    )
    demand_pooling: Literal["path_additive", "pooled"] = Field(
        default="path_additive",
        description="How variation adds up upstream: path_additive adds variances along every path; pooled adds each customer's demand once, with the option correlation",
    )
    correlation: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Correlation between the demands of any two stages with customers; it counts when demand is pooled",
    )
    demand_model: Literal["normal", "gamma", "bootstrap"] = Field(
        default="normal",
        description="Distribution of demand over a net replenishment time: normal; gamma; or drawn again from demand_history",
    )
    history_days: int = Field(default=1, ge=1, le=366, description="Days that one row of demand_history stands for")
    value_excess_cost: float = Field(
        default=1.0,
        ge=0,
        description="Yearly price of one unit of money over a soft limit on value, where none is given",
    )
    volume_excess_cost: float = Field(
        default=1000.0, ge=0, description="Yearly price of one m³ over a soft limit on volume, where none is given"
    )
    stocking_point_excess_cost: float = Field(
        default=1000.0,
        ge=0,
        description="Yearly price of one stage over a soft limit on stocking points, where none is given",
    )
    presolve: bool = Field(default=True, description="Eliminate and reduce stages exactly before the model is built")
    simulate: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="Days to simulate the plan for; 0: no simulation, else at least 100 are taken",
    )


class StagePlan(Row):
    """The decision for a stage: what service time it quotes, and the stock that this takes."""

    stage: Text = column("Stage", example="DRILL-18V@MAIN", key=True)
    item: Text = column("Item that leaves it", example="DRILL-18V")
    site: Text = column("Site", example=MAIN_SITE)
    department: Text = column("Department", example="Power tools", default="")
    echelon: Text = column("Echelon", example="1")
    inbound_time: float = column("Time in which all its inputs are there", example=3.0, unit="days", ge=0)
    lead_time: float = column("Planned lead time, as the plan takes it", example=7.0, unit="days", ge=0)
    service_time: float = column("Time it quotes to those it serves", example=2.0, unit="days", ge=0)
    net_time: float = column("Time that its safety stock must cover: inbound, lead time and wait for its review, less what it quotes (the mean, where lead times vary)", example=8.0, unit="days", ge=0)  # fmt: skip
    demand_mean: float = column(
        "Mean demand, that of the stages it serves included", example=40.0, unit="units/day", ge=0
    )
    demand_std: float = column("Standard deviation of a day's demand", example=15.0, unit="units/day", ge=0)
    service_level: float | None = column("Service level it is sized for; blank: no demand reaches it", example=0.95, unit="1", default=None)  # fmt: skip
    service_kind: Text = column("cycle or fill_rate", example="cycle")
    value: float = column("What one unit is worth", example=62.0, unit="money/unit", ge=0)
    safety_stock: float = column("Safety stock", example=69.8, unit="units", ge=0)
    stock_value: float = column("Value of the safety stock", example=4327.0, unit="money", ge=0)
    cost: float = column("Yearly cost of holding it", example=865.0, unit="money/year", ge=0)
    base_stock: float = column("Base-stock level: mean demand over the net time, and the safety stock", example=389.8, unit="units", ge=0)  # fmt: skip
    reorder_level: float = column("Base-stock level less the demand between two reviews: at or below it a start is due", example=389.8, unit="units", ge=0)  # fmt: skip
    pipeline_stock: float = column("Units in its own lead time, on average", example=280.0, unit="units", ge=0)
    days_of_cover: float | None = column("Safety stock in days of mean demand; blank: no demand", example=1.7, unit="days", default=None)  # fmt: skip
    current_stock: float | None = column("Safety stock target so far; blank: not given", example=80.0, unit="units", default=None)  # fmt: skip
    change: float | None = column("Safety stock less the target so far", example=-10.2, unit="units", default=None)


class ArcPlan(Row):
    """An arc of the network, given or derived."""

    from_stage: Text = column("Stage that delivers", example="DRILL-18V@MAIN", key=True)
    to_stage: Text = column("Stage that needs it", example="DRILL-18V@SHOP", key=True)
    quantity: float = column("Units for one unit of the stage that needs it", example=1.0, unit="units/unit", gt=0)


class Echelon(Row):
    """What the stages of an echelon hold together."""

    echelon: Text = column("Echelon", example="1", key=True)
    stages: int = column("Stages", example=12, unit="stages", ge=0)
    stocking_points: int = column("Stages that hold safety stock", example=5, unit="stages", ge=0)
    safety_stock: float = column("Safety stock", example=812.0, unit="units", ge=0)
    stock_value: float = column("Value of the safety stock", example=51000.0, unit="money", ge=0)
    pipeline_value: float = column("Value of what is in the lead times; cost added here counts by half", example=150000.0, unit="money", ge=0)  # fmt: skip
    cost: float = column("Yearly cost of holding the safety stock", example=10200.0, unit="money/year", ge=0)


class Comparison(Row):
    """The plan against two ways of not looking at the whole (without regard to limits)."""

    policy: Text = column("plan; each for itself: every stage quotes the shortest time it may; only at the end: nothing but what serves customers holds stock", example="plan", key=True)  # fmt: skip
    stocking_points: int = column("Stages that hold safety stock", example=31, unit="stages", ge=0)
    stock_value: float = column("Value of the safety stock", example=210000.0, unit="money", ge=0)
    cost: float = column("Yearly cost of holding it", example=42000.0, unit="money/year", ge=0)
    plan_saves: float = column("What the plan saves against it a year", example=0.0, unit="money/year")


class LimitUse(Row):
    """A limit on safety stock: how much is used, what is exceeded, and what one more unit would be worth."""

    limit: Text = column("Kind: value, volume, stocking points", example="value", key=True)
    name: Text = column("Department and site; blank: all stock", example="Power tools", key=True)
    unit: Text = column("Unit of use, capacity and excess", example="money")
    capacity: float = column("What the limit allows", example=50000.0, ge=0)
    use: float = column("What the plan uses", example=49800.0, ge=0)
    excess: float = column("Use over capacity", example=0.0, ge=0)
    price: float = column("What one more unit would save a year", example=0.04, unit="money/year/unit", ge=0)


class SafetyStockTarget(Row):
    """Safety stock of each item at each site, as the ordering family takes it in; a blank period is every period."""

    item: Text = column("Item", example="DRILL-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    period: Text = column("Period; blank: every period", example=EVERY, key=True)
    quantity: float = column("Safety stock", example=69.8, unit="units", ge=0)


class Service(Row):
    """What the simulation found for a stage against what it was sized for. Intervals are of 95%."""

    stage: Text = column("Stage", example="DRILL-18V@MAIN", key=True)
    service_kind: Text = column("cycle: share of days without backlog; fill_rate: share of demand served in time", example="cycle")  # fmt: skip
    promised: float = column("Service level it was sized for", example=0.95, ge=0, le=1)
    simulated: float = column("Service where each supplier keeps what it quotes, as the model assumes (what exceeds the bound is met by other means)", example=0.951, ge=0, le=1)  # fmt: skip
    low: float = column("Lower end of its interval", example=0.944, ge=0, le=1)
    high: float = column("Upper end of its interval", example=0.958, ge=0, le=1)
    verdict: Text = column("kept: the promise lies in or below the interval; below: above it, so service is worse", example="kept")  # fmt: skip
    flowing: float = column("Service where every shortage is passed on: nothing is met by other means", example=0.932, ge=0, le=1)  # fmt: skip
    flowing_low: float = column("Lower end of its interval", example=0.92, ge=0, le=1)
    flowing_high: float = column("Upper end of its interval", example=0.944, ge=0, le=1)
    gap: float = column("Promised less flowing: by how much the promise is missed if nothing is met by other means", example=0.018, unit="1")  # fmt: skip
    on_hand: float = column("Stock on hand, on average, where every shortage is passed on", example=71.2, unit="units", ge=0)  # fmt: skip
    backlog: float = column("Units that are late, on average, where every shortage is passed on", example=0.8, unit="units", ge=0)  # fmt: skip


RESULTS = (
    Table("stages", StagePlan),
    Table("arcs", ArcPlan),
    Table("echelons", Echelon),
    Table("comparison", Comparison),
    Table("limits", LimitUse),
    Table("safety_stock", SafetyStockTarget),
    Table("service", Service),
    EASED,
)
