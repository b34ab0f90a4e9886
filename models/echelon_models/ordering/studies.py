"""What ordering is studied for: the aims worth trading, and the functions that would plan alone."""

from __future__ import annotations

from typing import Any

from echelon.family import LEVEL, Aim, Frontier, Silo
from echelon.tables import Frames
from echelon_models.ordering.plan import plan_tables, read_plan

AHEAD = 100.0  # an aim that counts this many times what it costs goes before the price of goods


def _set(name: str, value: Any, table: str = "options") -> dict[str, Any]:
    return {"table": table, "column": name, "set": value, "if_any": True}


def _scale(name: str, factor: float | str, table: str = "options") -> dict[str, Any]:
    return {"table": table, "column": name, "scale": factor, "if_any": True}


def _without(*tables: str) -> tuple[dict[str, Any], ...]:
    return tuple({"table": table, "drop": True, "if_any": True} for table in tables)


_NO_ORDERING_COST = (_set("line_cost", 0.0, "offers"), _set("order_cost", 0.0, "suppliers"))
_NO_HOLDING_COST = (_set("holding_rate", 0.0), _set("holding_rate", 0.0, "items"))
_NO_FREIGHT = (_set("cost", 0.0, "lanes"),)
_SHORTAGE_FIRST = (
    _scale("backorder_rate", AHEAD),
    _scale("lost_cost_factor", AHEAD),
    *(_scale(name, AHEAD, "shortages") for name in ("backorder_cost", "lost_cost", "fill_rate_cost")),
)
_SAFETY_STOCK_FIRST = (_scale("safety_shortfall_rate", AHEAD), _scale("shortfall_cost", AHEAD, "safety_stock"))
_HOLDING_FIRST = (_scale("holding_rate", AHEAD), _scale("holding_rate", AHEAD, "items"))
_NOTHING_LEFT = (_set("final_stock_value", 0.0),)  # stock at the end is worth nothing

SILOS = (
    Silo(
        "purchasing",
        "least price of the goods",
        _NO_ORDERING_COST + _NO_HOLDING_COST + _NO_FREIGHT + _NOTHING_LEFT
        + _without("safety_stock", "budgets", "storage"),
    ),
    Silo(
        "operations",
        "most cover: no shortage, full safety stock",
        _NO_ORDERING_COST + _NO_HOLDING_COST + _SHORTAGE_FIRST + _SAFETY_STOCK_FIRST + _without("budgets"),
    ),
    Silo(
        "finance",
        "least stock that serves demand",
        _NO_ORDERING_COST + _NO_FREIGHT + _HOLDING_FIRST + _SHORTAGE_FIRST + _NOTHING_LEFT
        + _without("safety_stock", "storage"),
    ),
)  # fmt: skip

# Cost against service: waiting and missing safety stock cost nothing, but missing this part of demand served in its own
# period costs as much as never serving it.
_SERVED = {"fill_rate": LEVEL, "backorder_cost": 0.0}
FRONTIERS = (
    Frontier(
        "service",
        "cost against the part of demand served in its period, the same for every item and site; waiting is free",
        (Aim("cost", "objective - cost.fill rate missed"), Aim("fill rate", "kpi.fill_rate", most=True)),
        (*_without("shortages", "safety_stock"), {"table": "shortages", "append": [_SERVED]}),
        levels=(0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 1.0),
    ),
    Frontier(
        "stock",
        "cost without holding against stock: holding it is made dearer step by step",
        (Aim("cost without holding", "objective - cost.holding"), Aim("stock", "kpi.average_inventory_value")),
        (_scale("holding_rate", LEVEL), _scale("holding_rate", LEVEL, "items")),
        levels=(0.25, 0.5, 1.0, 2.0, 4.0, 8.0),
    ),
)


def restate(full: Frames, plan: Frames) -> Frames:
    """What the decisions of a plan made for an edited case come to in the case `full`: its result tables."""
    return plan_tables(full, read_plan(full, plan))
