"""Published single-sink fixed-charge instances as cases of the allocation family.

Legault, Côté & Gendron (Mathematical Programming, 2023): one item, one site, suppliers with a capacity, a unit cost and
a fixed cost of being used at all. Format: one JSON file an instance with demand, capacity, unit_cost, fixed_cost and
published_optimum.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from protocol import Instance

SINGLE_SINK = {"demand", "capacity", "unit_cost", "fixed_cost"}
ITEM = "ITEM"
NO_QUESTIONS = {"price_rules": False, "renegotiate": 0}  # only the award itself is measured


def instances(folder: Path, only: Collection[str] = ()) -> Iterator[Instance]:
    """The instances in `folder` and the folders in it, in order of path; with `only`, those of these names."""
    for path in sorted(folder.rglob("*.json")):
        if only and path.stem not in only:
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            yield Instance(path.stem, {}, {}, None, f"error: {path.name} is not JSON: {error}")
            continue
        if isinstance(content, dict) and content.keys() >= SINGLE_SINK:
            yield single_sink(path.stem, content)
        else:
            yield Instance(path.stem, {}, {}, None, "not applicable: not in a format of this family")


def single_sink(name: str, given: dict[str, Any]) -> Instance:
    """The instance as a case: activation is the award cost of the one item."""
    suppliers = [f"S{n:05}" for n in range(len(given["capacity"]))]
    offers = {"price": given["unit_cost"], "award_cost": given["fixed_cost"], "capacity": given["capacity"]}
    tables = {
        "items": pd.DataFrame({"item": [ITEM]}),
        "demand": pd.DataFrame({"item": [ITEM], "quantity": [given["demand"]]}),
        "offers": pd.DataFrame({"supplier": suppliers, "item": ITEM, **offers}),
    }
    return Instance(name, tables, NO_QUESTIONS, given.get("published_optimum"))
