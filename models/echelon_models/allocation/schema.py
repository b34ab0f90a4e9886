"""The tables and options of the allocation family, each column declared once."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from echelon.explain.schema import EASED, RULE_PRICES
from echelon.schema import InputRow, Row, Table, Text, column
from echelon_models import rows
from echelon_models.rows import EVERY, MAIN_SITE


def _supplier() -> Text:
    return column("Supplier", example="NORDBOHR", key=True, reference="suppliers")


def _item() -> Text:
    return column("Item", example="MOTOR-18V", key=True, reference="items")


def _group() -> Text:
    return column("Group of items; blank: all items together", example="Drives", key=True, default=EVERY)


def _probability(what: str) -> float:
    return column(f"Probability that {what} in a year", example=0.04, unit="1/year", ge=0, le=1, default=0.0)


def _capacity_left(what: str) -> float:
    return column(f"Part of its award that {what} still delivers when it is disrupted", example=0.0, ge=0, le=1, default=0.0)  # fmt: skip


class Item(InputRow):
    """What is bought: what a bad, a late, a missing unit costs, and from how many suppliers it comes."""

    item: Text = column("Name or number of the item", example="MOTOR-18V", key=True)
    description: Text = column("What it is, for people", example="Motor for cordless drills", default="")
    group: Text = column("Group of items that budgets, caps and concentration are told by", example="Drives", default="")  # fmt: skip
    item_class: Text = column("Class that jurisdiction rules speak of", example="dual use", default="")
    value: float | None = column("What one unit in stock is worth; blank: its lowest offer price", example=14.0, unit="money/unit", ge=0, default=None)  # fmt: skip
    holding_rate: float | None = column("Yearly cost of holding stock as a share of its value; blank: the option holding_rate", example=0.22, unit="1/year", ge=0, default=None)  # fmt: skip
    bad_unit_cost: float = column("Cost of one bad unit, beyond buying another (see yield_rate of offers)", example=3.0, unit="money/unit", ge=0, default=0.0)  # fmt: skip
    late_unit_cost: float = column("Cost of one unit that arrives late", example=1.2, unit="money/unit", ge=0, default=0.0)  # fmt: skip
    emergency_price: float | None = column("Price of one unit bought elsewhere in an emergency; blank: from the option emergency_premium", example=21.0, unit="money/unit", ge=0, default=None)  # fmt: skip
    emergency_limit: float | None = column("Most units to be had so in a year; blank: any number, 0: none", example=4000.0, unit="units", ge=0, default=None)  # fmt: skip
    shortage_cost: float | None = column("Penalty for one unit missing; blank: from the option shortage_factor", example=45.0, unit="money/unit", ge=0, default=None)  # fmt: skip
    min_suppliers: int = column("Fewest suppliers with an award", example=1, unit="suppliers", ge=0, default=0)
    max_suppliers: float | None = column(
        "Most suppliers with an award, a whole number; blank: any number",
        example=3,
        unit="suppliers",
        ge=1,
        default=None,
    )
    smallest_share: float | None = column("Smallest award, if any, as a share of the item's demand; blank: 0, or the option smallest_share where min_suppliers is over 1", example=0.1, ge=0, le=1, default=None)  # fmt: skip
    local_min_share: float = column("Smallest share that goes to suppliers in the region of the site they deliver to", example=0.0, ge=0, le=1, default=0.0)  # fmt: skip
    survives: Literal["none", "supplier", "parent", "region"] = column("Loss of any one of these must leave awarded suppliers that can cover the demand", example="none", default="none")  # fmt: skip
    survival_share: float = column(
        "Part of the demand that they must cover then", example=0.8, unit="units/unit", gt=0, le=1, default=1.0
    )


class Site(rows.Site):
    """Where items are delivered to. Without this table, the sites that `demand` names are taken."""

    region: Text = column("Region; suppliers in it count as local", example="EU", default="")


class Region(InputRow):
    """What strikes all suppliers of a region at once, for scenarios that are drawn (option draw_scenarios)."""

    region: Text = column("Name of the region", example="EU", key=True)
    disruption_probability: float = _probability("the region is disrupted")
    capacity_left: float = _capacity_left("each of its suppliers")


class Supplier(InputRow):
    """Who delivers. Without this table, the suppliers that `offers` names are taken, free to activate and unlimited."""

    supplier: Text = column("Name of the supplier", example="NORDBOHR", key=True)
    description: Text = column("Who it is, for people", example="Nordbohr GmbH, Hamburg", default="")
    region: Text = column("Region it delivers from", example="EU", default="")
    parent: Text = column("Parent company; blank: it belongs to itself", example="Nordbohr Holding", default="")
    activation_cost: float = column("Cost of having any award with it: qualification, tooling, contract", example=5000.0, unit="money/year", ge=0, default=0.0)  # fmt: skip
    capacity: float | None = column("Most units of all items together; blank: no limit", example=60000.0, unit="units", ge=0, default=None)  # fmt: skip
    minimum_spend: float = column("Least spend with it, if any", example=20000.0, unit="money", ge=0, default=0.0)
    on_time: float | None = column("Probability that a delivery is on time; blank: from deliveries, else 1", example=None, ge=0, le=1, default=None)  # fmt: skip
    flexibility: float | None = column("How much more than its award it delivers when others fail, as a share of the award; blank: up to its capacity", example=0.5, unit="units/unit", ge=0, default=None)  # fmt: skip
    disruption_probability: float = _probability("it is disrupted")
    capacity_left: float = _capacity_left("it")


class Offer(InputRow):
    """On what terms a supplier would deliver an item."""

    supplier: Text = _supplier()
    item: Text = _item()
    price: float = column("Price of one unit, below any price break", example=14.2, unit="money/unit", ge=0)
    award_cost: float = column("Cost of awarding this item to this supplier: tooling, samples", example=800.0, unit="money/year", ge=0, default=0.0)  # fmt: skip
    minimum: float = column("Smallest award, if any", example=500.0, unit="units", ge=0, default=0.0)
    capacity: float | None = column("Largest award; blank: no limit", example=9000.0, unit="units", ge=0, default=None)
    yield_rate: float = column("Part of the units that is good; more are bought to get enough good ones", example=0.99, unit="units/unit", gt=0, le=1, default=1.0)  # fmt: skip
    carbon: float = column("Emissions of making one unit", example=2.5, unit="kg/unit", ge=0, default=0.0)


class PriceBreak(InputRow):
    """A lower price of an offer from some yearly quantity on, all sites together."""

    supplier: Text = _supplier()
    item: Text = _item()
    from_quantity: float = column("Quantity awarded from which the price holds", example=5000.0, unit="units", gt=0, key=True)  # fmt: skip
    price: float = column("Price of one unit from this quantity on", example=13.1, unit="money/unit", ge=0)
    kind: Literal["all_units", "incremental"] = column("all_units: the price holds for the whole award; incremental: for the units from the break on", example="all_units", default="all_units")  # fmt: skip


class Rebate(InputRow):
    """Money back on a supplier's spend (goods at their prices after breaks) from some total on."""

    supplier: Text = _supplier()
    from_spend: float = column("Spend from which the rebate holds", example=50000.0, unit="money", gt=0, key=True)
    rate: float = column("Rebate as a share of the spend", example=0.02, unit="money/money", ge=0, lt=1)
    kind: Literal["whole", "beyond"] = column("whole: on all spend; beyond: on the spend from this amount on", example="whole", default="whole")  # fmt: skip


class Lane(InputRow):
    """A way from a supplier to a site. Without this table every supplier delivers everywhere, free; with it, only over
    its lanes."""

    supplier: Text = _supplier()
    site: Text = column("Site", example=MAIN_SITE, key=True, reference="sites", default=MAIN_SITE)
    item: Text = column("Item; blank: every item without a row of its own on this lane", example=EVERY, key=True, reference="items", default=EVERY)  # fmt: skip
    freight: float = column("Freight of one unit", example=0.35, unit="money/unit", ge=0, default=0.0)
    duty_rate: float = column(
        "Duty as a share of the offer's price below any break", example=0.03, unit="money/money", ge=0, default=0.0
    )
    lead_time: float | None = column("Days from order to arrival; blank: from deliveries, else 0", example=21.0, unit="days", ge=0, default=None)  # fmt: skip
    lead_time_deviation: float | None = column("Standard deviation of these days; blank: from deliveries, else 0", example=4.0, unit="days", ge=0, default=None)  # fmt: skip
    carbon: float = column("Emissions of moving one unit", example=0.4, unit="kg/unit", ge=0, default=0.0)


class Demand(InputRow):
    """How much of an item a site needs in the year, in good units."""

    item: Text = _item()
    site: Text = column("Site; blank where there is only one", example=MAIN_SITE, key=True, reference="sites", default=MAIN_SITE)  # fmt: skip
    quantity: float = column("Good units needed in the year", example=6000.0, unit="units/year", ge=0)
    deviation: float = column("Standard deviation of one day's demand, for safety stock", example=9.0, unit="units", ge=0, default=0.0)  # fmt: skip


class Share(InputRow):
    """Which part of all that is bought of an item a supplier gets, at least and at most."""

    supplier: Text = _supplier()
    item: Text = _item()
    min_share: float = column("Smallest share", example=0.0, ge=0, le=1, default=0.0)
    max_share: float = column("Largest share", example=1.0, ge=0, le=1, default=1.0)


class Pair(InputRow):
    """A supplier that must, or must not, get some of an item."""

    supplier: Text = _supplier()
    item: Text = _item()
    rule: Literal["required", "excluded"] = column("Whether it must or must not get an award", example="required")
    quantity: float = column("Least quantity of a required award", example=500.0, unit="units", gt=0, default=1.0)


class CurrentAward(InputRow):
    """Today's award, which the new one may leave only so far (see also the option max_change)."""

    supplier: Text = _supplier()
    item: Text = _item()
    share: float = column("Today's part of all that is bought of the item", example=0.6, ge=0, le=1)
    max_loss: float | None = column("Most of that part that it may lose; blank: all of it", example=0.6, ge=0, le=1, default=None)  # fmt: skip


class Jurisdiction(InputRow):
    """Whether items of a class may come from suppliers of a region. Where a class has any allowed region, it may come
    from these only."""

    item_class: Text = column("Class of items", example="dual use", key=True)
    region: Text = column("Region of suppliers", example="OVERSEAS", key=True)
    rule: Literal["allowed", "forbidden"] = column("Whether they may deliver it", example="forbidden")


class Cap(InputRow):
    """A cap on concentration: the largest share of spend (goods, after price breaks) of a supplier, parent or region."""

    kind: Literal["supplier", "parent", "region"] = column("Whose share is capped", example="supplier", key=True)
    name: Text = column("Its name; blank: each one without a row of its own", example="NORDBOHR", key=True, default=EVERY)  # fmt: skip
    group: Text = _group()
    max_share: float = column("Largest share of the spend", example=1.0, ge=0, le=1)


class Ceiling(InputRow):
    """A ceiling on money spent (goods, freight and duty, before rebates) or on emissions."""

    kind: Literal["budget", "carbon"] = column("What is limited", example="carbon", key=True)
    group: Text = _group()
    amount: float = column("The ceiling", example=40000.0, unit="money or kg", ge=0)
    excess_cost: float | None = column("Price of exceeding it by one unit; blank: the option budget_excess_cost or carbon_excess_cost", example=None, unit="money/money or money/kg", ge=0, default=None)  # fmt: skip
    hard: bool = column("true: it is never exceeded; false: it may be, at its price", example=False, default=False)


class Scenario(InputRow):
    """One way the year may turn out; `disruptions` says what fails in it."""

    scenario: Text = column("Name of the scenario", example="as planned", key=True)
    probability: float = column("Its probability; those of all scenarios sum to 1", example=0.95, ge=0, le=1)
    description: Text = column("What happens, for people", example="Nothing fails", default="")


class Disruption(InputRow):
    """What fails in a scenario. Where several rows strike one supplier, the worst counts."""

    scenario: Text = column("Scenario", example="flood", key=True, reference="scenarios")
    kind: Literal["supplier", "region"] = column("Whether one supplier fails or all of a region", example="supplier", key=True)  # fmt: skip
    name: Text = column("The supplier or the region", example="NORDBOHR", key=True)
    capacity_left: float = _capacity_left("each of these suppliers")


class Delivery(InputRow):
    """A delivery of the past, or one still open: what on-time probability and lead times are estimated from."""

    supplier: Text = _supplier()
    delivery: Text = column("Number of the delivery", example="PO-1", key=True)
    ordered: date = column("Day it was ordered", example=date(2026, 1, 5))
    promised: date = column("Day it was promised for", example=date(2026, 1, 26))
    received: date | None = column("Day it arrived; blank: it is still open", example=date(2026, 1, 24), default=None)


INPUTS = (
    Table("items", Item, required=True),
    Table("sites", Site),
    Table("regions", Region),
    Table("suppliers", Supplier, more_examples=({"supplier": "TIANHE", "region": "OVERSEAS"},)),
    Table("offers", Offer, required=True),
    Table("price_breaks", PriceBreak, belongs_to="offers"),
    Table("rebates", Rebate),
    Table("lanes", Lane),
    Table("demand", Demand, required=True),
    Table("shares", Share, belongs_to="offers"),
    Table("pairs", Pair, belongs_to="offers"),
    Table("current_awards", CurrentAward),
    Table("jurisdictions", Jurisdiction),
    Table("caps", Cap),
    Table("ceilings", Ceiling),
    Table("scenarios", Scenario, more_examples=({"scenario": "flood", "probability": 0.05},)),
    Table("disruptions", Disruption),
    Table("deliveries", Delivery),
)


class AllocationOptions(BaseModel):
    """Options of the allocation family; a newcomer needs none of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    objective: Literal["expected", "worst", "mean_cvar"] = Field(default="expected", description="What is least over the scenarios: expected cost, worst cost, or (1 - cvar_weight) expected cost + cvar_weight CVaR")  # fmt: skip
    cvar_level: float = Field(default=0.9, gt=0, lt=1, description="CVaR is the mean cost of the worst 1 - cvar_level of the years")  # fmt: skip
    cvar_weight: float = Field(default=0.5, ge=0, le=1, description="Weight of CVaR in mean_cvar; 1: least risk")
    cost_limit: float | None = Field(default=None, ge=0, description="Largest expected cost: with mean_cvar and a weight of 1, least risk for a given cost")  # fmt: skip
    draw_scenarios: int = Field(default=0, ge=0, le=100_000, description="Number of scenarios to draw from the disruption probabilities of suppliers and regions")  # fmt: skip
    scenario_seed: int = Field(default=0, ge=0, description="Seed of that draw")
    emergency_premium: float = Field(default=0.5, ge=0, description="How much an emergency buy costs over the item's dearest offer, where no emergency_price is given")  # fmt: skip
    shortage_factor: float = Field(default=3.0, ge=0, description="Penalty for a missing unit in multiples of the item's dearest offer, where no shortage_cost is given")  # fmt: skip
    max_suppliers: int | None = Field(default=None, ge=1, description="Most suppliers with any award")
    min_suppliers: int = Field(default=0, ge=0, description="Fewest suppliers with any award")
    max_change: float | None = Field(default=None, ge=0, le=1, description="Largest part of each item in current_awards that may move to other suppliers")  # fmt: skip
    smallest_share: float = Field(default=0.01, ge=0, le=1, description="Smallest award as a share of the item's demand where min_suppliers is over 1 and the item says nothing")  # fmt: skip
    holding_rate: float = Field(default=0.2, ge=0, description="Yearly holding cost as a share of value, where the item gives none")  # fmt: skip
    service_level: float = Field(default=0.95, gt=0, lt=1, description="Probability that safety stock lasts until the next delivery")  # fmt: skip
    carbon_price: float = Field(default=0.0, ge=0, description="Cost of one kg of emissions")
    budget_excess_cost: float = Field(default=2.0, ge=0, description="Price of one unit of money over a soft budget, where none is given")  # fmt: skip
    carbon_excess_cost: float = Field(default=1.0, ge=0, description="Price of one kg over a soft carbon ceiling, where none is given")  # fmt: skip
    as_of: date | None = Field(default=None, description="Day on which open deliveries were still open; none: the latest day in deliveries")  # fmt: skip
    confidence: float = Field(default=0.95, gt=0, lt=1, description="Level of the confidence intervals of on-time probabilities")  # fmt: skip
    price_rules: bool = Field(default=True, description="Solve once more without each rule, to tell what it costs")
    value_information: bool = Field(default=True, description="With scenarios: tell the value of the stochastic solution and of perfect information")  # fmt: skip
    renegotiate: int = Field(default=10, ge=0, description="Number of losing offers for which to tell the price at which they would win")  # fmt: skip
    decompose: Literal["auto", "always", "never"] = Field(default="auto", description="Whether scenarios are planned by cuts (Benders) instead of in one model; auto: where there are many")  # fmt: skip
    period_days: int = Field(default=7, ge=1, description="Length of the periods of the ordering family, for the lead times of the result table offers")  # fmt: skip
    share_tolerance: float = Field(default=0.05, ge=0, le=1, description="Leeway around each supplier's share in the result table shares")  # fmt: skip


class Award(Row):
    """What a supplier gets of an item in the year."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    item: Text = column("Item", example="MOTOR-18V", key=True)
    quantity: float = column("Quantity awarded; 0: qualified as a backup only", example=6060.0, unit="units", ge=0)
    good_units: float = column("Good units among them", example=6000.0, unit="units", ge=0)
    share: float = column("Part of all that is bought of the item", example=1.0, ge=0, le=1)
    unit_price: float = column("Average price of one unit, before rebates", example=13.1, unit="money/unit", ge=0)
    spend: float = column("Price of the goods, before rebates", example=79386.0, unit="money", ge=0)
    award_cost: float = column("Cost of this award", example=800.0, unit="money", ge=0)
    change: float = column("Change of the share against today's award", example=0.4, unit="units/unit", ge=-1, le=1)


class Flow(Row):
    """What a supplier delivers of an item to a site in the year, and what that costs beyond the goods."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    item: Text = column("Item", example="MOTOR-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    quantity: float = column("Quantity", example=6060.0, unit="units", gt=0)
    freight: float = column("Freight", example=2121.0, unit="money", ge=0)
    duty: float = column("Duty", example=2582.0, unit="money", ge=0)
    quality: float = column("Cost of the bad units", example=182.0, unit="money", ge=0)
    lateness: float = column("Expected cost of late units", example=364.0, unit="money", ge=0)
    inventory: float = column("Cost of the safety stock that its lead time and its spread ask for", example=250.0, unit="money", ge=0)  # fmt: skip
    carbon: float = column("Emissions", example=17574.0, unit="kg", ge=0)


class SupplierAward(Row):
    """All that a supplier gets."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    items: int = column("Number of items awarded", example=1, unit="items", ge=0)
    quantity: float = column("Units of all items", example=6060.0, unit="units", ge=0)
    spend: float = column("Price of the goods, before rebates", example=79386.0, unit="money", ge=0)
    share: float = column("Part of all spend", example=1.0, ge=0, le=1)
    rebate: float = column("Rebate on its spend", example=1588.0, unit="money", ge=0)
    activation_cost: float = column("Cost of having it", example=5000.0, unit="money", ge=0)


class ScenarioCost(Row):
    """What the year costs in a scenario, dearest first."""

    rank: int = column("1 is the dearest", example=1, unit="place", ge=1)
    scenario: Text = column("Scenario", example="flood", key=True)
    probability: float = column("Its probability", example=0.05, ge=0, le=1)
    cost: float = column("Cost of the year", example=120000.0, unit="money")
    recourse_cost: float = column("What of it comes on top of the plan's own cost", example=30000.0, unit="money")
    lost: float = column("Good units that the disrupted suppliers do not deliver", example=6000.0, unit="units", ge=0)
    extra: float = column("Good units that others deliver instead", example=0.0, unit="units", ge=0)
    emergency: float = column("Good units bought in an emergency", example=4000.0, unit="units", ge=0)
    short: float = column("Good units missing", example=2000.0, unit="units", ge=0)
    service: float = column("Part of the demand that is met", example=0.667, ge=0, le=1)


class RecourseAction(Row):
    """What is done in a scenario for what does not arrive."""

    scenario: Text = column("Scenario", example="flood", key=True)
    kind: Literal["extra", "emergency", "short"] = column("extra: another supplier delivers more; emergency: bought elsewhere; short: missing", example="emergency", key=True)  # fmt: skip
    supplier: Text = column("Supplier that delivers more; else blank", example="", key=True, default="")
    item: Text = column("Item", example="MOTOR-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    quantity: float = column("Units; of emergency and short, good units", example=4000.0, unit="units", gt=0)
    cost: float = column("What it costs", example=84000.0, unit="money", ge=0)


class Survival(Row):
    """Who would cover the demand of an item with survives set, were one supplier, parent or region lost."""

    kind: Literal["supplier", "parent", "region"] = column("What is lost", example="supplier", key=True)
    lost: Text = column("Its name", example="NORDBOHR", key=True)
    supplier: Text = column("Awarded supplier that delivers then", example="TIANHE", key=True)
    item: Text = column("Item", example="MOTOR-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    quantity: float = column("Units it delivers then", example=4800.0, unit="units", gt=0)


class Concentration(Row):
    """How concentrated spend is: the Herfindahl-Hirschman index, sum of squared shares; 1 is a single one."""

    scope: Literal["all", "group", "region"] = column("Whether all spend, that of a group of items, or that in a region of suppliers", example="group", key=True)  # fmt: skip
    name: Text = column("The group or region", example="Drives", key=True, default="")
    across: Literal["supplier", "parent", "region"] = column("Over whose shares", example="supplier", key=True)
    spend: float = column("Spend", example=79386.0, unit="money", ge=0)
    hhi: float = column("Sum of squared shares", example=1.0, ge=0, le=1)
    largest: Text = column("The one with the largest share", example="NORDBOHR")
    largest_share: float = column("Its share", example=1.0, ge=0, le=1)


class Reliability(Row):
    """A supplier's record by survival analysis (Kaplan-Meier): open deliveries count as not yet arrived."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    deliveries: int = column("Deliveries known", example=40, unit="deliveries", ge=0)
    still_open: int = column("Of these, still open", example=3, unit="deliveries", ge=0)
    on_time: float | None = column("Probability that a delivery is on time; blank: nothing has arrived yet", example=0.92, ge=0, le=1, default=None)  # fmt: skip
    on_time_low: float | None = column("Lower end of its confidence interval", example=0.83, ge=0, le=1, default=None)
    on_time_high: float | None = column("Upper end of its confidence interval", example=0.98, ge=0, le=1, default=None)
    lead_time_mean: float | None = column("Mean days from order to arrival", example=21.3, unit="days", default=None)
    lead_time_deviation: float | None = column("Standard deviation of these days", example=4.1, unit="days", default=None)  # fmt: skip
    lead_time_median: float | None = column("Days within which half arrive", example=21.0, unit="days", default=None)
    lead_time_p90: float | None = column("Days within which nine in ten arrive; blank: fewer ever did", example=27.0, unit="days", default=None)  # fmt: skip


class Renegotiation(Row):
    """An offer that gets nothing, and the price at which it would win, all other prices as they are and the awards of
    other items unchanged."""

    supplier: Text = column("Supplier", example="TIANHE", key=True)
    item: Text = column("Item", example="MOTOR-18V", key=True)
    price: float = column("Its price now, below any break", example=15.0, unit="money/unit", ge=0)
    target_price: float = column("Price below which it wins", example=13.6, unit="money/unit")
    cut: float = column("The fall it takes, as a share of the price", example=0.093, unit="money/money")
    quantity: float = column("Quantity it would win", example=2400.0, unit="units", gt=0)


class Limit(Row):
    """A shared limit: how much is used, what is exceeded, and what one more unit would be worth."""

    limit: Text = column("Kind: budget, carbon, supplier capacity", example="carbon", key=True)
    name: Text = column("Group of items, or supplier; blank: all items", example="Drives", key=True)
    unit: Text = column("Unit of use, capacity and excess", example="kg", key=True)
    capacity: float = column("What the limit allows", example=40000.0, ge=0)
    use: float = column("What the plan uses", example=17574.0, ge=0)
    excess: float = column("Use over capacity", example=0.0, ge=0)
    price: float = column("What one more unit of capacity would save", example=0.0, unit="money/unit", ge=0)


class OrderingOffer(InputRow):
    """The awarded offers as the ordering family takes them in: its table `offers`."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    item: Text = column("Item", example="MOTOR-18V", key=True)
    site: Text = column("Site", example=MAIN_SITE, key=True)
    price: float = column("What one good unit costs: average price after breaks and rebates, freight, duty, by yield", example=13.9, unit="money/unit", ge=0)  # fmt: skip
    lead_time: int = column("Periods from order to arrival, rounded up", example=3, unit="periods", ge=0, default=0)


class OrderingShare(InputRow):
    """The award as the ordering family takes it in: its table `shares`."""

    supplier: Text = column("Supplier", example="NORDBOHR", key=True)
    item: Text = column("Item", example="MOTOR-18V", key=True)
    min_share: float = column("Smallest share", example=0.95, ge=0, le=1, default=0.0)
    max_share: float = column("Largest share", example=1.0, ge=0, le=1, default=1.0)


RESULTS = (
    Table("awards", Award),
    Table("flows", Flow),
    Table("supplier_awards", SupplierAward),
    Table("scenario_costs", ScenarioCost),
    Table("recourse", RecourseAction),
    Table("survival", Survival),
    Table("concentration", Concentration),
    Table("reliability", Reliability),
    RULE_PRICES,
    Table("renegotiation", Renegotiation),
    Table("offers", OrderingOffer),
    Table("shares", OrderingShare),
    Table("limits", Limit),
    EASED,
)
