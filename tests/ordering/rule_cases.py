"""Tiny cases, each with one rule that binds: terms of orders, stock and shortage, what is decided beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from echelon.tables import Frames

from .cases import case

NO_SHORTAGE = {"policy": "none"}
WAIT = {"policy": "backorder", "backorder_cost": 2.0, "lost_cost": 20.0}
LOSE = {"policy": "lost", "lost_cost": 6.0}
TWO_ITEMS = {"item": ["A", "B"], "value": 1.0, "holding_rate": 1.0}
TWO_DEPARTMENTS = TWO_ITEMS | {"department": ["X", "Y"]}
BULKY = {"item": "A", "value": 1.0, "holding_rate": 1.0, "volume": 0.5}
PIN = {"supplier": "S", "item": "A"}


def offer(**terms: Any) -> dict[str, Any]:
    """An offer of supplier S for item A at 1 a unit, in whole units."""
    return {"supplier": "S", "item": "A", "price": 1.0, "multiple": 1.0} | terms


def two_items(**terms: Any) -> dict[str, Any]:
    return offer(item=["A", "B"], **terms)


def two_suppliers(**terms: Any) -> dict[str, Any]:
    return offer(supplier=["S", "T"], **terms)


@dataclass(frozen=True)
class Rule:
    """A case, and what to change so that its rule no longer holds."""

    name: str
    tables: Frames
    without: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    without_options: dict[str, Any] | None = None
    grid: Sequence[int] = range(13)
    sends: Sequence[int] = range(1)


def order_terms() -> list[Rule]:
    """What an order costs and which quantities it may have."""
    plain = {"A": [4, 3, 5]}
    discount = {"supplier": "S", "item": "A", "from_quantity": [5, 8], "price": [3.0, 2.0]}
    return [
        Rule(
            "line cost", case(plain, offers=offer(line_cost=5.0), shortages=NO_SHORTAGE), {"offers": {"line_cost": 0}}
        ),
        Rule(
            "supplier's order cost, shared by lines",
            case({"A": [2, 0, 3], "B": [0, 2, 1]}, offers=two_items(), suppliers={"supplier": "S", "order_cost": 6.0}),
            {"suppliers": {"order_cost": 0.0}},
            grid=range(7),
        ),
        Rule(
            "supplier's order cost, once a site",
            case(
                {"A": [2, 1, 3], "A@SHOP": [1, 2, 1]},
                offers=offer(site=["MAIN", "SHOP"], line_cost=1.0),
                suppliers={"supplier": "S", "order_cost": 4.0},
            ),
            {"suppliers": {"order_cost": 0.0}},
            grid=range(7),
        ),
        Rule("lead time", case(plain, offers=offer(lead_time=1), shortages=WAIT), {"offers": {"lead_time": 0}}),
        Rule("minimum", case(plain, offers=offer(minimum=6.0), shortages=WAIT), {"offers": {"minimum": 0.0}}),
        Rule(
            "multiple",
            case(plain, offers=offer(multiple=5.0), shortages=WAIT),
            {"offers": {"multiple": 1.0}},
            grid=range(16),
        ),
        Rule(
            "minimum between multiples",
            case({"A": [3, 3, 3]}, offers=offer(multiple=3.0, minimum=4.0), shortages=WAIT),
            {"offers": {"minimum": 0.0}},
        ),
        Rule("maximum", case(plain, offers=offer(maximum=4.0), shortages=NO_SHORTAGE), {"offers": {"maximum": 9.0}}),
        Rule(
            "all-units breaks",
            case(plain, offers=offer(price=4.0), price_breaks=discount, shortages=NO_SHORTAGE),
            {"price_breaks": None},
        ),
        Rule(
            "incremental breaks",
            case(
                plain, offers=offer(price=4.0), price_breaks=discount | {"kind": "incremental"}, shortages=NO_SHORTAGE
            ),
            {"price_breaks": {"kind": "all_units"}},
        ),
        Rule(
            "all-units break between multiples",
            case({"A": [3, 3]}, offers=offer(price=4.0, multiple=3.0), price_breaks=discount | {"price": [3.5, 3.0]}),
            {"offers": {"multiple": 1.0}},
            options={"holding_rate": 4.0},
        ),
        Rule(
            "price breaks under a maximum",
            case(plain, offers=offer(price=4.0, maximum=7.0), price_breaks=discount, shortages=NO_SHORTAGE),
            {"offers": {"maximum": 12.0}},
        ),
    ]


def stock_and_shortage() -> list[Rule]:
    """Where stock comes from, and what happens where it does not reach."""
    demand = {"A": [2, 6, 1]}
    dear = offer(price=5.0, line_cost=9.0)
    return [
        Rule(
            "firm receipts",
            case(
                demand,
                offers=offer(line_cost=4.0),
                receipts={"item": "A", "period": ["2", "2"], "receipt": ["x", "y"], "quantity": [3.0, 2.0]},
            ),
            {"receipts": None},
        ),
        Rule("opening stock", case(demand, offers=dear, stock={"item": "A", "quantity": 3.0}), {"stock": None}),
        Rule("backorder", case(demand, offers=dear, shortages=WAIT), {"shortages": NO_SHORTAGE}),
        Rule(
            "lost sale",
            case(demand, offers=dear, shortages=LOSE),
            {"shortages": {"policy": "backorder", "backorder_cost": 2.0}},
        ),
        Rule("no shortage", case({"A": [1, 6, 1]}, offers=dear, shortages=NO_SHORTAGE), {"shortages": None}),
        Rule("policy by option", case(demand, offers=dear), options={"shortage_policy": "lost"}, without_options={}),
        Rule(
            "cost of backlog open at the end",
            case({"A": [2, 1, 6]}, offers=offer(price=9.0), shortages=WAIT),
            {"shortages": {"lost_cost": 0.0}},
        ),
        Rule(
            "cost of waiting",
            case(demand, offers=offer(line_cost=5.0), shortages=WAIT | {"backorder_cost": 0.5}),
            {"shortages": {"backorder_cost": 0.0}},
        ),
        Rule(
            "shortage costs from options",
            case(demand, offers=dear),
            options={"backorder_rate": 1.5, "lost_cost_factor": 12.0},
            without_options={"backorder_rate": 3.0, "lost_cost_factor": 12.0},
        ),
        Rule(
            "the most specific shortages row",
            case(
                {"A": [4, 1], "A@SHOP": [4, 1], "B": [4, 1]},
                offers=offer(item=["A", "A", "B"], site=["MAIN", "SHOP", "MAIN"], price=3.0, line_cost=4.0),
                shortages={
                    "item": ["A", "A", "", ""],
                    "site": ["SHOP", "", "MAIN", ""],
                    "policy": "lost",
                    "lost_cost": [2.0, 4.0, 5.0, 0.0],
                },
            ),
            {"shortages": {"lost_cost": [4.0, 4.0, 5.0, 0.0]}},
            grid=range(6),
        ),
        Rule(
            "safety stock",
            case(
                demand,
                offers=offer(),
                safety_stock={"item": "A", "quantity": 3.0, "shortfall_cost": 1.75},
                shortages=WAIT,
            ),
            {"safety_stock": {"quantity": 0.0}},
        ),
        Rule(
            "safety stock's price",
            case(demand, offers=offer(minimum=4.0), safety_stock={"item": "A", "quantity": 4.0}, shortages=WAIT),
            options={"safety_shortfall_rate": 1.25},
            without_options={"safety_shortfall_rate": 0.25},
        ),
        Rule(
            "nobody lends stock: what waits is demand",
            case(
                {"A": [0, 0, 4]},
                offers=offer(lead_time=2),
                safety_stock={"item": "A", "quantity": 3.0, "shortfall_cost": 3.0},
                shortages=WAIT | {"backorder_cost": 0.5},
            ),
            {"safety_stock": None},
        ),
        Rule(
            "safety stock of one period",
            case(
                demand,
                offers=offer(line_cost=2.0),
                safety_stock={"item": "A", "period": ["", "2"], "quantity": [1.0, 4.0], "shortfall_cost": 1.9},
                shortages=WAIT,
            ),
            {"safety_stock": {"quantity": 1.0}},
        ),
        Rule(
            "hard fill rate, sales lost",
            case(demand, offers=dear, shortages=LOSE | {"fill_rate": 0.75, "hard": True}),
            {"shortages": {"fill_rate": 0.0}},
        ),
        Rule(
            "soft fill rate, sales lost",
            case(demand, offers=dear, shortages=LOSE | {"fill_rate": 0.8, "fill_rate_cost": 1.25}),
            {"shortages": {"fill_rate": 0.0}},
        ),
        Rule(
            "hard fill rate, demand waits",
            case({"A": [3, 6, 1]}, offers=dear, shortages=WAIT | {"fill_rate": 0.75, "hard": True}),
            {"shortages": {"fill_rate": 0.0}},
        ),
        Rule(
            "soft fill rate, demand waits",
            case({"A": [2, 3, 1, 2]}, offers=dear, shortages=WAIT | {"backorder_cost": 0.5, "fill_rate": 0.9}),
            {"shortages": {"fill_rate": 0.0}},
            grid=range(9),
        ),
        Rule(
            "periods of different length",
            case({"A": [3, 2, 4]}, offers=offer(line_cost=2.5), periods=[90, 365, 700], shortages=NO_SHORTAGE),
            {"periods": [365, 365, 365]},
        ),
        Rule(
            "value: the lowest offer price",
            case({"A": [1, 2, 4]}, items={"item": "A"}, offers=two_suppliers(price=[3.0, 4.0], line_cost=5.0)),
            {"items": {"value": 4.0}},
            options={"holding_rate": 0.5},
            grid=range(8),
        ),
        Rule(
            "worth of stock at the end, at most its lowest price",
            case(
                {"A": [4, 3, 5]},
                items={"item": "A", "value": 3.0, "holding_rate": 0.25},
                offers=offer(price=4.0, multiple=5.0),
                price_breaks={"supplier": "S", "item": "A", "from_quantity": 10, "price": 2.0},
                shortages=WAIT,
            ),
            options={"final_stock_value": 0.5},
            without_options={},
            grid=range(21),
        ),
        Rule(
            "holding rate by option",
            case({"A": [1, 2, 4]}, items={"item": "A"}, offers=offer(line_cost=3.0, price=2.0)),
            options={"holding_rate": 0.5},
            without_options={},
        ),
    ]


def decisions() -> list[Rule]:
    """Shares, the frozen window, pinned orders, transfers, excluded rows."""
    plain = {"A": [4, 3, 5]}
    priced = two_suppliers(price=[1.0, 2.0])
    shop = {"A": [1, 2, 1], "A@SHOP": [2, 1, 3]}
    stocked = case(
        shop,
        offers=offer(site=["MAIN", "SHOP"], price=[1.0, 9.0], multiple=[1.0, 3.0], maximum=[7.0, 3.0]),
        lanes={"from_site": "MAIN", "to_site": "SHOP", "cost": 1.0, "lead_time": 1},
        shortages=WAIT,
    )
    return [
        Rule(
            "smallest share",
            case(plain, offers=priced, shares={"supplier": "T", "item": "A", "min_share": 0.25}),
            {"shares": None},
            grid=range(10),
        ),
        Rule(
            "largest share",
            case(plain, offers=priced, shares={"supplier": "S", "item": "A", "max_share": 0.5}),
            {"shares": None},
            grid=range(10),
        ),
        Rule(
            "a largest share makes the other supplier's goods worth buying though they come too late",
            case(
                {"A": [4, 0]},
                offers=two_suppliers(lead_time=[0, 1]),
                shares={"supplier": "S", "item": "A", "max_share": 0.5},
                shortages={"policy": "lost", "lost_cost": 9.0},
            ),
            {"shares": None},
            grid=range(9),
        ),
        Rule(
            "a smallest share of a pinned order's rival",
            case(
                {"A": [1, 1]},
                offers=two_suppliers(),
                shares={"supplier": "T", "item": "A", "min_share": 0.75},
                pinned_orders=PIN | {"period": "1", "quantity": 4.0},
            ),
            {"shares": None},
            grid=range(15),
        ),
        Rule(
            "frozen window",
            case(plain, offers=offer(), shortages=WAIT),
            options={"frozen_periods": 1},
            without_options={},
        ),
        Rule(
            "pinned order",
            case(plain, offers=offer(line_cost=5.0), pinned_orders=PIN | {"period": "2", "quantity": 5.0}),
            {"pinned_orders": None},
        ),
        Rule(
            "pinned to nothing",
            case(plain, offers=offer(), pinned_orders=PIN | {"period": "2", "quantity": 0.0}, shortages=WAIT),
            {"pinned_orders": None},
        ),
        Rule(
            "pinned off the multiple",
            case(
                plain, offers=offer(multiple=4.0), pinned_orders=PIN | {"period": "1", "quantity": 3.0}, shortages=WAIT
            ),
            {"pinned_orders": None},
        ),
        Rule(
            "pinned under the minimum and over the maximum",
            case(
                plain,
                offers=offer(minimum=4.0, maximum=6.0),
                pinned_orders=PIN | {"period": ["1", "2"], "quantity": [2.0, 8.0]},
                shortages=WAIT,
            ),
            {"pinned_orders": None},
        ),
        Rule(
            "pinned in the frozen window",
            case(plain, offers=offer(), pinned_orders=PIN | {"period": "1", "quantity": 3.0}, shortages=WAIT),
            {"pinned_orders": None},
            options={"frozen_periods": 2},
        ),
        Rule(
            "pinned beyond the horizon",
            case(
                plain, offers=offer(lead_time=1), pinned_orders=PIN | {"period": "3", "quantity": 2.0}, shortages=WAIT
            ),
            {"pinned_orders": None},
        ),
        Rule(
            "pinned with price breaks",
            case(
                plain,
                offers=offer(price=4.0),
                price_breaks=PIN | {"from_quantity": [4, 6], "price": [3.0, 2.0], "kind": "incremental"},
                pinned_orders=PIN | {"period": "2", "quantity": 7.0},
            ),
            {"pinned_orders": None},
        ),
        Rule("lane", stocked, {"lanes": {"cost": 20.0}}, grid=range(8), sends=range(4)),
        Rule("cost of a lane", stocked, {"lanes": {"cost": 0.0}}, grid=range(8), sends=range(4)),
        Rule("lead time of a lane", stocked, {"lanes": {"lead_time": 0}}, grid=range(8), sends=range(4)),
        Rule(
            "a named lane leads away from a full site, though nobody wants the goods there",
            case(
                {"A": [0, 1]},
                items=BULKY,
                offers=offer(),
                stock={"item": "A", "quantity": 6.0},
                lanes={"from_site": "MAIN", "to_site": "ATTIC", "item": "A", "cost": 0.5, "lead_time": 0},
                storage={"capacity": 1.0, "excess_cost": 8.0},
            ),
            {"lanes": {"cost": 9.0}},
            grid=range(4),
            sends=range(8),
        ),
        Rule(
            "an excluded supplier and all that refers to it",
            case(
                plain,
                suppliers={"supplier": ["S", "T"], "order_cost": 1.0, "status": ["include", "exclude"]},
                offers=two_suppliers(price=[2.0, 1.0]),
                price_breaks={"supplier": "T", "item": "A", "from_quantity": 4, "price": 0.5},
                pinned_orders={"supplier": "T", "item": "A", "period": "3", "quantity": 2.0},
                supplier_capacity={"supplier": "T", "capacity": 3.0},
            ),
            {"suppliers": {"status": "include"}},
            grid=range(10),
        ),
        Rule(
            "an excluded offer and its price breaks",
            case(
                plain,
                offers=two_suppliers(price=[2.0, 1.0], line_cost=1.0, status=["include", "exclude"]),
                price_breaks={"supplier": "T", "item": "A", "from_quantity": 4, "price": 0.5},
            ),
            {"offers": {"status": "include"}},
            grid=range(10),
        ),
    ]
