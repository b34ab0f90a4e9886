"""The limits of an allocation: their rows in the model, and the case with one of them eased."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from echelon.tables import Frames
from echelon_models.allocation.sets import Sets

UNITS = {"budget": "money", "carbon": "kg"}  # of ceilings, by kind


def limit_rows(m: Any, sets: Sets) -> Iterator[tuple[str, str, str, None, float, Any]]:
    """(limit, name, unit, no period, capacity, constraint) of each limit row of the model."""
    for n, row in enumerate(sets.ceilings):
        yield row.kind, row.group, UNITS[row.kind], None, row.amount, m.ceiling[n]
    for s in m.supplier_capacity:
        yield "supplier capacity", s, "units", None, sets.capacity(s), m.supplier_capacity[s]


def ease(full: Frames, limit: str, name: str, unit: str, added: float) -> Frames:
    """The completed tables with so much more of a limit."""
    if limit == "supplier capacity":
        rows = full["suppliers"]
        return full | {"suppliers": rows.assign(capacity=rows["capacity"] + added * (rows["supplier"] == name))}
    rows = full["ceilings"]
    mine = (rows["kind"] == limit) & (rows["group"] == name)
    return full | {"ceilings": rows.assign(amount=rows["amount"] + added * mine)}
