"""Start the search from a known plan: its orders become hints for the integers, which HiGHS completes."""

from __future__ import annotations

from typing import Any

import pandas as pd

from echelon.tables import Frames
from echelon_models.ordering.sets import Sets


def warm_start(m: Any, sets: Sets, full: Frames, plan: Frames) -> None:
    """Give the model's integers the values they have in `plan` (orders of periods or offers it does not know are
    left out, everything it does not order is zero)."""
    position = full["periods"].set_index("period")["t"]
    orders: pd.DataFrame = plan["orders"].assign(t=plan["orders"]["period"].map(position))
    keys = zip(orders["supplier"], orders["item"], orders["site"], orders["t"], strict=True)
    ordered = {key: q for key, q in zip(keys, orders["quantity"], strict=True) if key in m.orders}
    for o in m.lines:
        m.line[o].set_value(int(o in ordered), skip_validation=True)
    for o in m.batched:
        m.batch[o].set_value(round(ordered.get(o, 0.0) / sets.offer(o).multiple), skip_validation=True)
    for s, l, t in m.joint:
        m.supplier_order[s, l, t].set_value(0, skip_validation=True)
    for s, _i, l, t in ordered:
        if (s, l, t) in m.joint:
            m.supplier_order[s, l, t].set_value(1, skip_validation=True)
    for o in m.broken_down:
        quantity = ordered.get(o, 0.0)
        reached = [k for k, seg in enumerate(m.segments[o]) if quantity > 0 and quantity >= seg.low - 1e-6]
        for k in range(len(m.segments[o])):
            m.segment[(*o, k)].set_value(int(bool(reached) and k == reached[-1]), skip_validation=True)
