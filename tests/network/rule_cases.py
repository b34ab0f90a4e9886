"""Tiny cases, each with one rule or cost that decides the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from echelon.tables import Frames

from .cases import calendar, case, costs, wants

TWO_YEARS = {"periods": calendar([365, 365])}
REGIONS = {"site": ["A", "B"], "running_cost": [10.0, 12.0], "region": ["X", "Y"]}
PEOPLE = {"customer": ["c", "d"], "region": ["X", "Y"], "group": ["G", "H"]}
TOGETHER = {"customer": ["c", "d"], "group": "G"}
PLANTS = {
    "sites": {
        "site": ["P", "Q", "A", "B"],
        "kind": ["plant", "plant", "warehouse", "warehouse"],
        "running_cost": [5.0, 3.0, 4.0, 2.0],
        "delivers": [False, False, True, True],
    },
    "supply": {"site": ["P", "Q"], "cost": [1.0, 2.0]},
    "lanes": {"from_site": ["P", "P", "Q", "Q"], "to_site": ["A", "B", "A", "B"], "cost": [1.0, 2.0, 2.0, 1.5]},
    "demand": wants(c=2, d=1),
}
PLACES = {
    "sites": {"site": ["A", "B"], "running_cost": [40.0, 90.0], "latitude": [50.0, 45.0], "longitude": [8.0, 5.0]},
    "customers": {"customer": ["c", "d"], "latitude": [51.0, 44.0], "longitude": [7.0, 6.0], "group": ["G", "H"]},
    "deliveries": None,
    "modes": {"mode": "ROAD", "cost_per_km": 0.02, "cost": 0.5, "speed": 50.0, "emissions": 3.0},
}
STOCKED = {"product": "ALL", "value": 20.0, "holding_rate": 0.5, "pooling": 2.0, "cycle_days": 30.0}
BACK = {"customer": ["c", "d"], "quantity": [2.0, 1.0]}


@dataclass(frozen=True)
class Rule:
    """A case, and what to change so that its rule no longer holds."""

    name: str
    tables: Frames
    without: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    without_options: dict[str, Any] = field(default_factory=dict)
    unit: float = 1.0


def sites_and_money() -> list[Rule]:
    """What sites cost, when they open and close, how money counts over time."""
    return [
        Rule("running cost", case(), {"sites": {"running_cost": [1.0, 12.0]}}),
        Rule(
            "opening cost",
            case(sites={"site": ["A", "B"], "opening_cost": [3.0, 9.0]}),
            {"sites": {"opening_cost": 0.0}},
        ),
        Rule(
            "closing cost",
            case(
                sites={"site": ["A", "B"], "running_cost": [30.0, 2.0], "existing": [True, False], "closing_cost": 25.0}
            ),
            {"sites": {"closing_cost": 0.0}},
        ),
        Rule(
            "opening costs what is not there yet",
            case(sites={"site": ["A", "B"], "opening_cost": 20.0, "existing": [True, False]}),
            {"sites": {"existing": False}},
        ),
        Rule(
            "site capacity",
            case(sites={"site": ["A", "B"], "running_cost": [10.0, 12.0], "capacity": [5.0, 7.0]}),
            {"sites": {"capacity": None}},
        ),
        Rule(
            "years of a short period",
            case(periods=calendar([73]), sites={"site": ["A", "B"], "running_cost": 50.0, "capacity": [30.0, 50.0]}),
            {"periods": calendar([365])},
        ),
        Rule(
            "capacity steps",
            case(
                sites={"site": ["A", "B"], "running_cost": [10.0, 40.0], "capacity": 4.0},
                capacity_steps={
                    "site": ["A", "A"],
                    "step": [1, 2],
                    "capacity": [3.0, 4.0],
                    "cost": [9.0, 1.0],
                    "running_cost": [2.0, 1.0],
                },
            ),
            {"capacity_steps": {"cost": [1.0, 1.0]}},
        ),
        Rule(
            "steps are taken once",
            case(
                **TWO_YEARS,
                sites={"site": ["A", "B"], "running_cost": [10.0, 60.0], "capacity": 4.0},
                demand=wants(c=[3, 4], d=[3, 4]),
                capacity_steps={"site": ["A", "A"], "step": [1, 2], "capacity": [3.0, 3.0], "cost": [20.0, 25.0]},
            ),
            {"capacity_steps": {"running_cost": 8.0}},
        ),
        Rule(
            "steps that are there",
            case(
                sites={"site": ["A", "B"], "running_cost": [10.0, 40.0], "capacity": 4.0, "existing": [True, False]},
                capacity_steps={"site": "A", "step": 1, "capacity": 6.0, "cost": 15.0, "existing": True},
            ),
            {"capacity_steps": {"existing": False}},
        ),
        Rule(
            "a site that opens again takes its steps anew",
            case(
                **TWO_YEARS,
                demand=wants(c=[4, 4], d=[2, 2]),
                sites={"site": ["A", "B"], "running_cost": 10.0, "capacity": [3.0, 8.0], "existing": [True, True]},
                capacity_steps={"site": "A", "step": 1, "capacity": 3.0, "cost": 4.0, "existing": True},
                pinned_sites={"site": "A", "period": ["1", "2"], "state": ["closed", "open"]},
                site_limits={"maximum": [2, 1], "period": ["1", "2"]},
            ),
            {"capacity_steps": {"cost": 0.0}},
        ),
        Rule(
            "steps stay and are paid for",
            case(
                **TWO_YEARS,
                demand=wants(c=[6, 1], d=[2, 1]),
                sites={"site": ["A", "B"], "running_cost": [10.0, 30.0], "capacity": 4.0},
                capacity_steps={"site": "A", "step": 1, "capacity": 4.0, "running_cost": 9.0},
            ),
            {"capacity_steps": {"running_cost": 0.0}},
        ),
        Rule(
            "opening later",
            case(
                **TWO_YEARS,
                demand=wants(c=[4, 4], d=[0, 9]),
                sites={"site": ["A", "B"], "opening_cost": [2.0, 8.0], "running_cost": [1.0, 3.0]},
            ),
            {"demand": wants(c=[4, 4], d=[9, 9])},
        ),
        Rule(
            "discounting",
            case(**TWO_YEARS, sites={"site": ["A", "B"], "opening_cost": [30.0, 0.0], "running_cost": [0.0, 16.0]}),
            options={"discount_rate": 0.5},
            without_options={"discount_rate": 0.0},
        ),
        Rule("pinned open", case(pinned_sites={"site": "A", "state": "open"}), {"pinned_sites": None}),
        Rule(
            "pinned closed in a period",
            case(**TWO_YEARS, pinned_sites={"site": "B", "period": "2", "state": "closed"}),
            {"pinned_sites": None},
        ),
        Rule(
            "largest number of sites",
            case(sites={"site": ["A", "B"], "running_cost": 1.0}, site_limits={"maximum": 1}),
            {"site_limits": None},
        ),
        Rule("smallest number of sites", case(site_limits={"minimum": 2}), {"site_limits": None}),
        Rule(
            "number of sites of a region",
            case(sites=REGIONS, site_limits={"region": "Y", "maximum": 0}),
            {"site_limits": {"region": "X"}},
        ),
        Rule(
            "number of sites of a kind",
            case(
                sites={"site": ["A", "B"], "running_cost": [10.0, 12.0], "kind": ["hub", "plant"]},
                site_limits={"kind": "plant", "maximum": 0},
            ),
            {"site_limits": {"kind": "hub"}},
        ),
        *[
            Rule(
                f"limit on sites {counts}",
                case(
                    **TWO_YEARS,
                    sites={"site": ["A", "B", "C"], "running_cost": [20.0, 2.0, 3.0], "existing": [True, False, False]},
                    deliveries=costs({"A": [3, 3], "B": [1, 3], "C": [3, 1]}),
                    site_limits={"counts": counts, "period": "1", "maximum": most},
                ),
                {"site_limits": None},
            )
            for counts, most in (("opened", 1), ("closed", 0), ("changed", 1))
        ],
        Rule(
            "sites that must close",
            case(
                sites={"site": ["A", "B"], "running_cost": [2.0, 2.0], "existing": True},
                site_limits={"counts": "closed", "minimum": 1},
            ),
            {"site_limits": None},
        ),
        Rule(
            "soft budget",
            case(sites={"site": ["A", "B"], "opening_cost": [20.0, 28.0]}, budgets={"amount": 15.0}),
            {"budgets": {"excess_cost": 0.0}},
        ),
        Rule(
            "hard budget over time",
            case(
                **TWO_YEARS,
                sites={"site": ["A", "B"], "opening_cost": [12.0, 12.0]},
                demand=wants(c=[4, 4], d=[8, 8]),
                budgets={"amount": 12.0, "hard": True},
            ),
            {"budgets": {"hard": False, "excess_cost": 0.0}},
        ),
        Rule(
            "budget of steps and closing",
            case(
                sites={
                    "site": ["A", "B"],
                    "running_cost": [2.0, 30.0],
                    "capacity": [4.0, 9.0],
                    "closing_cost": 3.0,
                    "existing": True,
                },
                capacity_steps={"site": "A", "step": 1, "capacity": 6.0, "cost": 1.0},
                budgets={"amount": 2.0, "excess_cost": 8.0},
            ),
            {"budgets": None},
        ),
    ]


def flows() -> list[Rule]:
    """Who serves whom, over which ways, in which modes, at which cost."""
    two_modes = {
        "site": ["A", "A", "A", "B"],
        "customer": ["c", "c", "d", "d"],
        "mode": ["ROAD", "RAIL", "ROAD", "ROAD"],
    }
    return [
        Rule(
            "transport by mode",
            case(deliveries=two_modes | {"cost": [4.0, 2.0, 3.0, 1.0]}),
            {"deliveries": {"cost": [4.0, 9.0, 3.0, 1.0]}},
        ),
        Rule("freight", case(products={"product": "ALL", "freight": 2.5}), {"products": {"freight": 1.0}}),
        Rule(
            "cost by the km",
            case(
                deliveries=costs({"A": [1, 3], "B": [3, 1]}).assign(distance=[10.0, 200.0, 60.0, 5.0], cost_per_km=0.1)
            ),
            {"deliveries": {"cost_per_km": 0.0}},
        ),
        Rule(
            "distances from coordinates",
            case(**PLACES),
            options={"road_factor": 1.3},
            without_options={"road_factor": 1.0},
        ),
        Rule(
            "cost of handling",
            case(handling={"site": ["A", "", ""], "product": ["", "ALL", ""], "cost": [1.0, 4.0, 9.0]}),
            {"handling": {"cost": [9.0, 4.0, 9.0]}},
        ),
        Rule(
            "capacity use",
            case(
                sites={"site": ["A", "B"], "running_cost": [10.0, 40.0], "capacity": 10.0},
                handling={"site": "A", "product": "ALL", "capacity_use": 2.0},
            ),
            {"handling": {"capacity_use": 1.0}},
        ),
        Rule("cost of supply", case(supply={"site": ["A", "B"], "cost": [1.0, 3.0]}), {"supply": {"cost": 0.0}}),
        Rule(
            "supply capacity",
            case(supply={"site": ["A", "B"], "cost": [1.0, 3.0], "capacity": [4.0, 8.0]}),
            {"supply": {"capacity": None}},
        ),
        Rule("two echelons", case(**PLANTS), {"lanes": {"cost": [9.0, 9.0, 1.0, 1.0]}}),
        Rule(
            "plants with a capacity",
            case(**PLANTS | {"supply": PLANTS["supply"] | {"capacity": [2.0, 5.0]}}),
            {"supply": {"capacity": None}},
        ),
        Rule(
            "single sourcing of products",
            case(
                sites={"site": ["A", "B"], "running_cost": 1.0, "capacity": 6.0},
                demand=wants(c=5, d=4),
                deliveries=costs({"A": [1, 1], "B": [5, 5]}),
            ),
            options={"sourcing": "product"},
            without_options={"sourcing": "multiple"},
        ),
        Rule(
            "single sourcing of a customer",
            case(
                demand={"customer": ["c", "c"], "product": ["p", "q"], "quantity": [3.0, 4.0]},
                sites={"site": ["A", "B"], "running_cost": 1.0},
                supply={"site": ["A", "A", "B", "B"], "product": ["p", "q", "p", "q"], "cost": [1.0, 5.0, 5.0, 1.0]},
                deliveries=costs({"A": [1], "B": [1]}),
                customers={"customer": "c", "sourcing": "customer"},
            ),
            {"customers": {"sourcing": "product"}},
        ),
        Rule(
            "one site a group",
            case(
                sites={"site": ["A", "B"], "running_cost": 1.0},
                customers=TOGETHER,
                groups={"group": "G", "sourcing": "group"},
            ),
            {"groups": {"sourcing": "product"}},
        ),
        Rule(
            "sourcing of a customer before its group's",
            case(
                sites={"site": ["A", "B"], "running_cost": 1.0, "capacity": 6.0},
                demand=wants(c=5, d=4),
                deliveries=costs({"A": [1, 1], "B": [5, 5]}),
                customers=TOGETHER | {"sourcing": ["multiple", "product"]},
                groups={"group": "G", "sourcing": "product"},
            ),
            {"customers": {"sourcing": [None, None]}},
        ),
        Rule(
            "a group goes where all of it can be served",
            case(
                sites={"site": ["A", "B"], "running_cost": 1.0},
                customers=TOGETHER | {"sourcing": "group"},
                deliveries=costs({"A": [1, None], "B": [3, 3]}),
            ),
            {"customers": {"sourcing": "multiple"}},
        ),
        Rule(
            "a group of which some may be refused",
            case(
                sites={"site": ["A", "B"], "running_cost": 1.0},
                customers=TOGETHER | {"sourcing": "group", "unserved_cost": [None, 2.0]},
                deliveries=costs({"A": [1, None], "B": [3, 3]}),
            ),
            {"customers": {"unserved_cost": [None, 9.0]}},
        ),
        Rule(
            "demand that may be refused",
            case(customers={"customer": ["c", "d"], "unserved_cost": [2.5, None]}),
            {"customers": {"unserved_cost": None}},
        ),
        Rule("refusal by option", case(), options={"unserved_cost": 2.0}, without_options={"unserved_cost": None}),
        Rule(
            "a refused customer of one site",
            case(sites={"site": ["A", "B"], "running_cost": 1.0, "capacity": [3.0, 20.0]}),
            options={"sourcing": "product", "unserved_cost": 4.0},
            without_options={"sourcing": "multiple", "unserved_cost": 4.0},
        ),
        Rule(
            "duties",
            case(
                sites=REGIONS,
                customers=PEOPLE,
                deliveries=costs({"A": [1, 1], "B": [3, 3]}),
                products={"product": "ALL", "value": 10.0},
                duties={"from_region": ["X", ""], "to_region": ["", "X"], "rate": [0.5, 0.1]},
            ),
            {"duties": {"rate": [0.0, 0.1]}},
        ),
        Rule(
            "duties of a class",
            case(
                sites=REGIONS,
                customers=PEOPLE,
                products={"product": "ALL", "value": 10.0, "product_class": "k"},
                duties={
                    "from_region": ["Y", "Y"],
                    "to_region": ["X", ""],
                    "product_class": ["", "k"],
                    "rate": [0.3, 0.05],
                },
            ),
            {"duties": {"rate": [0.0, 0.05]}},
        ),
        Rule(
            "duties on lanes",
            case(
                **PLANTS
                | {
                    "sites": PLANTS["sites"] | {"region": ["X", "Y", "Y", "Y"]},
                    "products": {"product": "ALL", "value": 10.0},
                    "duties": {"rate": 0.4},
                    "customers": {"customer": ["c", "d"], "region": "Y"},
                }
            ),
            {"duties": {"rate": 0.0}},
        ),
    ]


def limits() -> list[Rule]:
    """Stock, service, law, carbon, returns, backup."""
    lawful = {"sites": REGIONS, "customers": PEOPLE, "products": {"product": "ALL", "product_class": "k"}}
    far = costs({"A": [1, 3], "B": [3, 1]}).assign(distance=[10.0, 200.0, 60.0, 5.0])
    green = {
        "sites": {"site": ["A", "B"], "running_cost": [10.0, 12.0], "emissions": [500.0, 100.0]},
        "handling": {"site": ["A", "B"], "product": "ALL", "emissions": [30.0, 10.0]},
        "supply": {"site": ["A", "B"], "emissions": [20.0, 40.0]},
        "modes": {"mode": "ROAD", "emissions": 2.0},
        "deliveries": far,
    }
    recovery = {"site": ["A", "B"], "cost": [1.0, 2.0], "disposal_cost": [6.0, 4.0]}
    used = {"supply": {"site": ["A", "B"], "cost": 5.0}, "returns": BACK, "demand": wants(c=3, d=2)}
    return [
        Rule(
            "pooling of stock",
            case(sites={"site": ["A", "B"], "running_cost": 5.0}, products=STOCKED),
            {"products": {"pooling": 0.0}},
        ),
        Rule(
            "pooling over two periods",
            case(
                **TWO_YEARS,
                demand=wants(c=[2, 4], d=[6, 1]),
                sites={"site": ["A", "B"], "running_cost": 3.0},
                products=STOCKED,
            ),
            {"products": {"value": 1.0}},
        ),
        Rule(
            "pieces of the square root",
            case(
                sites={"site": ["A", "B"], "running_cost": 5.0},
                products=STOCKED,
                deliveries=costs({"A": [1, 99], "B": [99, 1]}),
            ),
            options={"pooling_pieces": 2},
            without_options={"pooling_pieces": 5},
        ),
        Rule(
            "cycle stock, holding by option",
            case(products=STOCKED | {"holding_rate": None, "pooling": 0.0}),
            options={"holding_rate": 1.0},
            without_options={"holding_rate": 0.1},
        ),
        Rule(
            "a site without stock",
            case(
                sites={"site": ["A", "B"], "running_cost": [10.0, 20.0], "holds_stock": [True, False]}, products=STOCKED
            ),
            {"sites": {"holds_stock": True}},
        ),
        Rule("stock in a short period", case(periods=calendar([146]), products=STOCKED), {"periods": calendar([365])}),
        Rule(
            "hard service distance",
            case(deliveries=far, service_limits={"within": 50.0, "hard": True}),
            {"service_limits": None},
        ),
        Rule(
            "hard share within a distance",
            case(deliveries=far, service_limits={"within": 50.0, "share": 0.7, "hard": True}),
            {"service_limits": None},
        ),
        Rule(
            "soft share within a distance",
            case(deliveries=far, service_limits={"within": 50.0, "share": 0.9, "excess_cost": 2.0}),
            {"service_limits": {"share": 0.5}},
        ),
        Rule(
            "service of a group by time",
            case(
                sites={"site": ["A", "B"], "running_cost": [10.0, 40.0]},
                customers=PEOPLE,
                deliveries=far.assign(hours=[1.0, 9.0, 2.0, 1.0]),
                service_limits={"group": "H", "measure": "time", "within": 4.0, "share": 0.8},
            ),
            {"service_limits": {"group": "G"}},
        ),
        Rule(
            "service counts what is refused",
            case(
                deliveries=far,
                customers={"customer": ["c", "d"], "unserved_cost": 1.0},
                service_limits={"within": 70.0, "share": 0.6, "excess_cost": 30.0},
            ),
            {"service_limits": None},
        ),
        *[
            Rule(
                f"law: {rule} of {region}",
                case(**lawful, jurisdictions={"product_class": "k", "region": region, "rule": rule}),
                {"jurisdictions": None},
            )
            for rule, region in (("no_handling", "Y"), ("no_import", "X"), ("no_export", "Y"))
        ],
        Rule(
            "law of another class",
            case(
                **lawful | {"products": {"product": ["ALL", "z"], "product_class": ["k", "other"]}},
                jurisdictions={"product_class": ["other", "k"], "region": "Y", "rule": ["no_handling", "no_export"]},
            ),
            {"jurisdictions": {"product_class": "other"}},
        ),
        Rule(
            "law on lanes",
            case(
                **PLANTS
                | {
                    "sites": PLANTS["sites"] | {"region": ["X", "Y", "Y", "Y"]},
                    "jurisdictions": {"region": "Y", "rule": "no_import"},
                    "customers": {"customer": ["c", "d"], "region": "Y"},
                }
            ),
            {"jurisdictions": None},
        ),
        Rule("carbon price", case(**green, carbon={"price": 20.0}), {"carbon": {"price": 0.0}}),
        Rule("soft carbon cap", case(**green, carbon={"cap": 1.0, "excess_cost": 9.0}), {"carbon": {"cap": 2.2}}),
        Rule(
            "hard carbon cap",
            case(
                **green | {"sites": green["sites"] | {"running_cost": [10.0, 25.0]}}, carbon={"cap": 1.9, "hard": True}
            ),
            {"carbon": None},
        ),
        Rule(
            "carbon of a mode and freight",
            case(**green | {"products": {"product": "ALL", "freight": 2.0}}, carbon={"price": 12.0}),
            {"modes": {"emissions": 0.0}},
        ),
        Rule("returns are taken back", case(**used, recovery=recovery), {"returns": None, "recovery": None}),
        Rule(
            "recoverable share",
            case(**used, recovery=recovery | {"recoverable": [0.5, 1.0]}),
            {"recovery": {"recoverable": 1.0}},
            unit=0.5,
        ),
        Rule(
            "recovery capacity",
            case(**used, recovery=recovery | {"capacity": [1.0, 1.0]}),
            {"recovery": {"capacity": None}},
        ),
        Rule(
            "disposal limit",
            case(**used, recovery=recovery | {"cost": [20.0, 30.0], "disposal_limit": [1.0, 1.0]}),
            {"recovery": {"disposal_limit": None}},
        ),
        Rule(
            "recovery of one product",
            case(
                **used,
                recovery={
                    "site": ["A", "A", "B"],
                    "product": ["ALL", "", ""],
                    "cost": [9.0, 1.0, 2.0],
                    "disposal_cost": [9.0, 1.0, 7.0],
                },
            ),
            {"recovery": {"cost": [1.0, 1.0, 2.0]}},
        ),
        Rule(
            "laws hold for returns",
            case(
                **used,
                recovery=recovery,
                sites=REGIONS,
                customers=PEOPLE,
                jurisdictions={"region": "X", "rule": "no_export"},
            ),
            {"jurisdictions": None},
        ),
        Rule(
            "returns pay no duty",
            case(
                **used,
                recovery=recovery,
                sites=REGIONS | {"running_cost": [1.0, 60.0]},
                customers=PEOPLE,
                products={"product": "ALL", "value": 10.0},
                duties={"rate": 0.2},
            ),
            {"duties": {"rate": 0.0}},
        ),
        Rule(
            "backup of deliveries",
            case(sites={"site": ["A", "B"], "running_cost": [10.0, 12.0]}),
            options={"backup_cover": 1.0},
            without_options={"backup_cover": 0.0},
        ),
        Rule(
            "backup needs capacity left",
            case(
                sites={"site": ["A", "B", "C"], "running_cost": [4.0, 5.0, 30.0], "capacity": [12.0, 7.0, 12.0]},
                deliveries=costs({"A": [1, 3], "B": [3, 1], "C": [1, 1]}),
            ),
            options={"backup_cover": 1.0},
            without_options={"backup_cover": 0.5},
            unit=0.5,
        ),
        Rule(
            "backup needs a way",
            case(
                sites={"site": ["A", "B", "C"], "running_cost": [4.0, 5.0, 30.0]},
                deliveries=costs({"A": [1, 3], "B": [None, 1], "C": [1, 1]}),
            ),
            options={"backup_cover": 0.5},
            without_options={"backup_cover": 0.0},
        ),
        Rule(
            "backup of supply",
            case(**PLANTS | {"supply": PLANTS["supply"] | {"capacity": [3.0, 2.0]}}),
            options={"backup_cover": 0.5},
            without_options={"backup_cover": 0.0},
            unit=0.5,
        ),
    ]
