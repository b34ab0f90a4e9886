"""Tiny cases, each with one rule or one cost that decides, and what to change so that it no longer does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from echelon.tables import Frames

from .cases import case

TEN = {"A": 10.0}
TWO = {"S A": 3.0, "T A": 4.0}
TWO_ITEMS = {"S A": 3.0, "T A": 4.0, "S B": 2.0, "T B": 2.5}
BOTH = {"A": 6.0, "B": 6.0}
GROUPS = {"group": ["G", "H"]}
SITES = {"A@N": 6.0, "A@M": 4.0}
BREAK = {"supplier": "T", "item": "A", "from_quantity": [4.0, 8.0], "price": [3.5, 2.5]}
FAILS = {"scenario": ["plan", "fire"], "probability": [0.5, 0.5]}
FIRE = {"scenario": "fire", "kind": "supplier", "name": "S", "capacity_left": 0.0}


@dataclass(frozen=True)
class Rule:
    """A case, and what to change so that its rule no longer holds."""

    name: str
    tables: Frames
    without: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    without_options: dict[str, Any] | None = None


def costs() -> list[Rule]:
    """Every cost line."""
    lanes = {"supplier": ["S", "T"], "site": "MAIN"}
    far = lanes | {"lead_time": [100.0, 0.0], "lead_time_deviation": [30.0, 0.0]}
    return [
        Rule("award cost", case(TEN, TWO, offer_terms={"award_cost": [15.0, 0.0]}), {"offers": {"award_cost": 0.0}}),
        Rule(
            "activation, once a supplier",
            case(BOTH, TWO_ITEMS, suppliers={"supplier": ["S", "T"], "activation_cost": [8.0, 0.0]}),
            {"suppliers": {"activation_cost": 0.0}},
        ),
        Rule("all-units break", case(TEN, TWO, price_breaks=BREAK), {"price_breaks": None}),
        Rule(
            "incremental break",
            case(TEN, TWO, price_breaks=BREAK | {"price": [2.0, 1.0], "kind": "incremental"}),
            {"price_breaks": {"kind": "all_units"}},
        ),
        Rule(
            "rebate on all spend, over items",
            case(BOTH, TWO_ITEMS, rebates={"supplier": "T", "from_spend": [20.0, 39.0], "rate": [0.1, 0.3]}),
            {"rebates": None},
        ),
        Rule(
            "rebate beyond a spend",
            case(BOTH, TWO_ITEMS, rebates={"supplier": "T", "from_spend": [6.0, 20.0], "rate": [0.3, 0.5], "kind": "beyond"}),
            {"rebates": {"kind": "whole"}},
        ),
        Rule("freight", case(TEN, TWO, lanes=lanes | {"freight": [2.0, 0.5]}), {"lanes": {"freight": 0.0}}),
        Rule("duty", case(TEN, TWO, lanes=lanes | {"duty_rate": [0.5, 0.0]}), {"lanes": {"duty_rate": 0.0}}),
        Rule(
            "a lane's own item",
            case(BOTH, TWO_ITEMS, lanes={"supplier": ["S", "S", "T"], "item": ["", "A", ""], "freight": [2.0, 0.0, 0.0]}),
            {"lanes": {"freight": [2.0, 3.0, 0.0]}},
        ),
        Rule(
            "only over lanes",
            case(SITES, TWO, lanes={"supplier": ["S", "T", "T"], "site": ["N", "N", "M"]}),
            {"lanes": None},
        ),
        Rule(
            "yield and bad units",
            case(TEN, TWO, offer_terms={"yield_rate": [0.5, 1.0]}, items={"bad_unit_cost": 1.0}),
            {"offers": {"yield_rate": 1.0}},
        ),
        Rule(
            "cost of bad units",
            case(TEN, {"S A": 1.0, "T A": 4.0}, offer_terms={"yield_rate": [0.5, 1.0]}, items={"bad_unit_cost": 9.0}),
            {"items": {"bad_unit_cost": 0.0}},
        ),
        Rule(
            "lateness",
            case(TEN, TWO, suppliers={"supplier": ["S", "T"], "on_time": [0.5, 1.0]}, items={"late_unit_cost": 4.0}),
            {"suppliers": {"on_time": 1.0}},
        ),
        Rule(
            "safety stock for the spread of the lead time",
            case({"A": 40.0}, TWO, lanes=far | {"lead_time": 0.0}, items={"value": 80.0}),
            {"lanes": {"lead_time_deviation": 0.0}},
        ),
        Rule(
            "safety stock for demand over the lead time",
            case(TEN, TWO, lanes=lanes | {"lead_time": [100.0, 1.0]}, items={"value": 50.0})
            | {"demand": case(TEN, TWO)["demand"].assign(deviation=0.2)},
            {"lanes": {"lead_time": 0.0}},
        ),
        Rule(
            "carbon price, of making and moving",
            case(TEN, TWO, offer_terms={"carbon": [1.0, 0.0]}, lanes=lanes | {"carbon": [1.0, 0.0]}),
            options={"carbon_price": 0.7},
            without_options={"carbon_price": 0.1},
        ),
    ]  # fmt: skip


def limits() -> list[Rule]:
    """Every rule on the award."""
    near = {"supplier": ["S", "T"], "region": ["EU", "ASIA"], "parent": ["P", "Q"]}
    three = {"S A": 3.0, "T A": 4.0, "U A": 5.0}
    return [
        Rule("capacity of an offer", case(TEN, TWO, offer_terms={"capacity": [6.0, None]}), {"offers": {"capacity": None}}),
        Rule(
            "capacity of a supplier",
            case(BOTH, TWO_ITEMS, suppliers={"supplier": ["S", "T"], "capacity": [7.0, None]}),
            {"suppliers": {"capacity": None}},
        ),
        Rule(
            "minimum award, if any",
            case(TEN, TWO, offer_terms={"capacity": [7.0, None], "minimum": [0.0, 5.0]}),
            {"offers": {"minimum": 0.0}},
        ),
        Rule(
            "minimum spend, if any",
            case(TEN, TWO, offer_terms={"capacity": [8.0, None]}, suppliers={"supplier": ["S", "T"], "minimum_spend": [0.0, 16.0]}),
            {"suppliers": {"minimum_spend": 0.0}},
        ),
        Rule("smallest share", case(TEN, TWO, shares={"supplier": "T", "item": "A", "min_share": 0.3}), {"shares": None}),
        Rule("largest share", case(TEN, TWO, shares={"supplier": "S", "item": "A", "max_share": 0.6}), {"shares": None}),
        Rule(
            "fewest suppliers of an item, with the smallest share of each",
            case(TEN, TWO, items={"min_suppliers": 2, "smallest_share": 0.2}),
            {"items": {"min_suppliers": 0}},
        ),
        Rule(
            "most suppliers of an item",
            case(TEN, three, offer_terms={"capacity": [4.0, 4.0, None]}, items={"max_suppliers": 2.0}),
            {"items": {"max_suppliers": None}},
        ),
        Rule(
            "smallest award of an item",
            case(TEN, TWO, offer_terms={"capacity": [9.0, None]}, items={"smallest_share": 0.3}),
            {"items": {"smallest_share": 0.0}},
        ),
        Rule(
            "most suppliers in all",
            case(BOTH, {"S A": 3.0, "T A": 4.0, "S B": 3.0, "T B": 2.0}),
            options={"max_suppliers": 1},
            without_options={},
        ),
        Rule(
            "fewest suppliers in all",
            case(TEN, TWO),
            options={"min_suppliers": 2, "smallest_share": 0.1},
            without_options={"min_suppliers": 1, "smallest_share": 0.1},
        ),
        Rule("cap of a supplier", case(TEN, {"S A": 3.0, "T A": 3.0}, offer_terms={"award_cost": [0.0, 2.0]},
             caps={"kind": "supplier", "name": "S", "max_share": 0.4}), {"caps": None}),
        Rule(
            "cap of every supplier without a row of its own",
            case(TEN, {"S A": 3.0, "T A": 3.0, "U A": 3.0}, offer_terms={"award_cost": [0.0, 1.0, 5.0]},
                 caps={"kind": "supplier", "name": ["", "U"], "max_share": [0.4, 0.9]}),
            {"caps": {"max_share": [0.5, 0.9]}},
        ),
        Rule(
            "cap of a parent",
            case(TEN, {"S A": 3.0, "T A": 3.0, "U A": 3.0}, offer_terms={"award_cost": [0.0, 1.0, 5.0], "capacity": 6.0},
                 suppliers={"supplier": ["S", "T", "U"], "parent": ["P", "P", ""]},
                 caps={"kind": "parent", "name": "P", "max_share": 0.7}),
            {"caps": None},
        ),
        Rule(
            "cap of a region, in a group of items",
            case(BOTH, {"S A": 3.0, "T A": 3.0, "S B": 2.0, "T B": 3.0}, items=GROUPS, suppliers=near,
                 offer_terms={"award_cost": [0.0, 2.0, 0.0, 0.0]},
                 caps={"kind": "region", "name": "EU", "group": "G", "max_share": 0.5}),
            {"caps": {"max_share": 1.0}},
        ),
        Rule(
            "required pair",
            case(TEN, TWO, pairs={"supplier": "T", "item": "A", "rule": "required", "quantity": 3.0}),
            {"pairs": {"quantity": 1.0}},
        ),
        Rule("excluded pair", case(TEN, TWO, pairs={"supplier": "S", "item": "A", "rule": "excluded"}), {"pairs": None}),
        Rule(
            "largest loss of an incumbent",
            case(TEN, TWO, current_awards={"supplier": "T", "item": "A", "share": 0.8, "max_loss": 0.3}),
            {"current_awards": {"max_loss": None}},
        ),
        Rule(
            "largest change",
            case(TEN, {"S A": 5.0, "T A": 4.0, "U A": 3.0},
                 current_awards={"supplier": ["S", "T"], "item": "A", "share": [0.5, 0.5]}),
            options={"max_change": 0.3},
            without_options={},
        ),
        Rule(
            "local share",
            case(SITES, TWO, suppliers=near, sites={"site": ["N", "M"], "region": ["EU", "ASIA"]},
                 items={"local_min_share": 0.8}),
            {"items": {"local_min_share": 0.0}},
        ),
        Rule(
            "jurisdiction: allowed",
            case(TEN, TWO, suppliers=near, items={"item_class": "K"},
                 jurisdictions={"item_class": "K", "region": "ASIA", "rule": "allowed"}),
            {"jurisdictions": None},
        ),
        Rule(
            "jurisdiction: forbidden",
            case(TEN, TWO, suppliers=near, items={"item_class": "K"},
                 jurisdictions={"item_class": "K", "region": "EU", "rule": "forbidden"}),
            {"jurisdictions": {"region": "MOON"}},
        ),
        Rule("hard budget", case(BOTH, {"S A": 3.0, "T A": 2.0, "S B": 2.0, "T B": 2.0}, items=GROUPS,
                 offer_terms={"award_cost": [0.0, 20.0, 0.0, 0.0]},
                 ceilings={"kind": "budget", "group": "G", "amount": 14.0, "hard": True}),
             {"ceilings": None}),
        Rule("soft budget, with freight and duty", case(TEN, TWO,
                 lanes={"supplier": ["S", "T"], "freight": [1.0, 0.0], "duty_rate": [0.1, 0.0]},
                 ceilings={"kind": "budget", "amount": 41.0, "excess_cost": 3.0}),
             {"lanes": {"freight": 0.0}}),
        Rule("hard carbon ceiling", case(TEN, TWO, offer_terms={"carbon": [2.0, 1.0]},
                 ceilings={"kind": "carbon", "amount": 14.0, "hard": True}),
             {"ceilings": {"hard": False, "excess_cost": 0.1}}),
        Rule("soft carbon ceiling", case(TEN, TWO, offer_terms={"carbon": [2.0, 1.0]},
                 ceilings={"kind": "carbon", "amount": 14.0, "excess_cost": 1.5}),
             {"ceilings": {"excess_cost": 0.5}}),
    ]  # fmt: skip


def survival() -> list[Rule]:
    """Awards that survive a loss."""
    three = {"S A": 3.0, "T A": 4.0, "U A": 5.0}
    terms = {"award_cost": [1.0, 5.0, 7.0], "capacity": [10.0, 6.0, 4.0]}
    near = {"supplier": ["S", "T", "U"], "region": ["EU", "EU", "ASIA"], "parent": ["P", "", "P"]}
    must = {"items": {"survives": "none"}}
    tables = case({"A": 6.0}, three, offer_terms=terms, suppliers=near, items={"survives": "supplier"})
    return [
        Rule("survive the loss of a supplier", tables, must),
        Rule("survive in part", case({"A": 6.0}, three, offer_terms=terms | {"capacity": [10.0, 3.0, 4.0]}, items={"survives": "supplier", "survival_share": 0.5}),
             {"items": {"survival_share": 1.0}}),
        Rule("survive the loss of a region", tables | {"items": tables["items"].assign(survives="region", survival_share=0.6)}, must),
        Rule("survive the loss of a parent", tables | {"items": tables["items"].assign(survives="parent")}, must),
        Rule(
            "a backup's capacity is shared with other items",
            case({"A": 4.0, "B": 3.0}, {"S A": 3.0, "T A": 4.0, "U A": 9.0, "T B": 1.0, "U B": 2.0},
                 offer_terms={"award_cost": [1.0, 1.0, 9.0, 1.0, 1.0]},
                 suppliers={"supplier": ["S", "T", "U"], "capacity": [None, 4.0, None]},
                 items={"survives": ["supplier", "none"]}),
            {"suppliers": {"capacity": None}},
        ),
    ]  # fmt: skip


def risk() -> list[Rule]:
    """Scenarios and what is done in them."""
    dear = {"emergency_price": 20.0, "shortage_cost": 40.0}
    eight = {"A": 8.0}

    def fire(offers: dict[str, float] = TWO, **tables: Any) -> Frames:
        return case(eight, offers, **{"scenarios": FAILS, "disruptions": FIRE, "items": dear} | tables)

    some = {"supplier": ["S", "T"], "capacity": [None, 6.0]}
    without = {"disruptions": None}
    years = {"scenario": ["plan", "fire", "storm"], "probability": [0.6, 0.25, 0.15]}
    struck = {"scenario": ["fire", "storm"], "kind": "supplier", "name": ["S", "T"], "capacity_left": [0.0, 0.0]}
    risky = {"scenarios": years, "disruptions": struck, "offer_terms": {"capacity": [6.0, 6.0]}}
    return [
        Rule("shortage, where nothing else helps", fire(offer_terms={"capacity": [None, 2.0]}, items={"emergency_limit": 0.0, "shortage_cost": 4.0}), {"items": {"shortage_cost": 9.0}}),
        Rule("emergency buys", fire(items={"emergency_price": 7.0, "shortage_cost": 40.0}), without),
        Rule("emergency limit", fire(offer_terms={"award_cost": [0.0, 30.0]}, items=dear | {"emergency_limit": 2.0, "emergency_price": 5.0}), {"items": {"emergency_limit": None}}),
        Rule("the premium and penalty by default", fire(offer_terms={"award_cost": [0.0, 30.0]}, items={}), options={"emergency_premium": 0.1}, without_options={"emergency_premium": 1.0}),
        Rule("a backup held qualified", fire(offer_terms={"award_cost": [0.0, 3.0]}), {"offers": {"award_cost": 0.0}}),
        Rule("spare capacity of an offer", fire(offer_terms={"capacity": [None, 5.0]}), {"offers": {"capacity": None}}),
        Rule("spare capacity of a supplier", fire(suppliers=some), {"suppliers": {"capacity": None}}),
        Rule("flexibility", fire(suppliers={"supplier": ["S", "T"], "flexibility": [None, 1.0]}), {"suppliers": {"flexibility": None}}),
        Rule("part of an award left", fire(offers={"S A": 3.0, "T A": 9.0}), {"disruptions": {"capacity_left": 0.5}}),
        Rule("a region fails", fire(suppliers={"supplier": ["S", "T"], "region": ["EU", "EU"]},
             disruptions=FIRE | {"kind": "region", "name": "EU", "capacity_left": 0.5}, items={"emergency_price": 9.0, "shortage_cost": 40.0}),
             {"disruptions": {"capacity_left": 1.0}}),
        Rule("the worst disruption counts", fire(suppliers={"supplier": ["S", "T"], "region": ["EU", ""]},
             disruptions={"scenario": "fire", "kind": ["region", "supplier"], "name": ["EU", "S"], "capacity_left": [0.5, 0.0]}),
             {"disruptions": {"capacity_left": 0.5}}),
        Rule("what does not come is saved at its lowest price", fire(price_breaks={"supplier": "S", "item": "A", "from_quantity": 9.0, "price": 1.0},
             rebates={"supplier": "S", "from_spend": 100.0, "rate": 0.5}, offers={"S A": 3.0, "T A": 5.0}),
             {"price_breaks": None}),
        Rule("two sites share the spare capacity and the emergency limit", case({"A@N": 4.0, "A@M": 4.0}, TWO, scenarios=FAILS, disruptions=FIRE,
             items=dear | {"emergency_limit": 2.0}, offer_terms={"capacity": [None, 5.0]}), {"items": {"emergency_limit": None}}),
        Rule("yield in recourse", fire(offer_terms={"yield_rate": [1.0, 0.5]}, offers={"S A": 3.0, "T A": 2.0}), {"offers": {"yield_rate": 1.0}}),
        Rule("worst case", fire(**risky), options={"objective": "worst"}, without_options={}),
        Rule("mean-CVaR", fire(**risky), options={"objective": "mean_cvar", "cvar_level": 0.8, "cvar_weight": 0.75}, without_options={}),
        Rule("level of CVaR", fire(**risky), options={"objective": "mean_cvar", "cvar_level": 0.8, "cvar_weight": 1.0},
             without_options={"objective": "mean_cvar", "cvar_level": 0.3, "cvar_weight": 1.0}),
        Rule("least risk for a given cost", fire(**risky | {"offer_terms": {"capacity": [8.0, 8.0]}}, suppliers={"supplier": ["S", "T"], "flexibility": 0.0}),
             options={"objective": "mean_cvar", "cvar_level": 0.7, "cvar_weight": 1.0, "cost_limit": 52.9},
             without_options={"objective": "mean_cvar", "cvar_level": 0.7, "cvar_weight": 1.0, "cost_limit": 53.75}),
    ]  # fmt: skip
