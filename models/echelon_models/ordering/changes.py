"""The rules of an ordering case that can be left out: to tell what each costs, and what makes an item short."""

from __future__ import annotations

import math

from echelon.explain.rules import Change, without_column, without_option, without_rows
from echelon.tables import Frames
from echelon_models.ordering.schema import OrderingOptions


def _no_lead_times(full: Frames) -> Frames:
    return full | {name: full[name].assign(lead_time=0) for name in ("offers", "lanes")}


def _has_lead_times(full: Frames, options: OrderingOptions) -> bool:
    return any(bool((full[name]["lead_time"] > 0).any()) for name in ("offers", "lanes"))


MINIMUM = without_column("minimum quantities", "offers", "minimum", 0.0, lambda c: c > 0)
MULTIPLE = without_column("order multiples", "offers", "multiple", math.nan, lambda c: c.notna())
MAXIMUM = without_column("largest quantities", "offers", "maximum", math.nan, lambda c: c.notna())
SHARES = without_rows("supplier shares", "shares")
FROZEN = without_option("frozen window", "frozen_periods", 0)
PINNED = without_rows("pinned orders", "pinned_orders")
SAFETY = without_rows("safety stock", "safety_stock")
FILL_RATES = without_column("fill rates", "item_sites", "fill_rate", 0.0, lambda c: c > 0)
NO_SHORTAGE = without_column("no shortage allowed", "item_sites", "policy", "backorder", lambda c: c == "none")
LEAD_TIME = Change("lead time", _has_lead_times, _no_lead_times)
BUDGET = without_rows("budget", "budgets")
STORAGE = without_rows("storage", "storage")
CAPACITY = without_rows("supplier capacity", "supplier_capacity")

RULES = (MINIMUM, MULTIPLE, MAXIMUM, SHARES, FROZEN, PINNED, SAFETY, FILL_RATES, NO_SHORTAGE)
CAUSES = (BUDGET, STORAGE, CAPACITY, LEAD_TIME, FROZEN, MINIMUM, MAXIMUM, MULTIPLE, PINNED, SHARES, SAFETY)
