"""Published lot-sizing instances as cases of the ordering family.

Two formats, told apart by their content: capacitated lot sizing with setup times (Trigeiro, Thomas & McClain 1989),
one JSON file an instance, and lists of textbook examples. One period of 365 days, a holding rate of 1 and an item's
value equal to its holding cost make the family's holding cost the instance's: per unit left at the end of a period.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from protocol import Instance

TRIGEIRO = {"n_items", "n_periods", "capacity", "unit_time", "setup_time", "setup_cost", "holding_cost", "demand"}
SINGLE_ITEM = {"wagner_whitin", "capacitated_single_item", "wagner_whitin_backorders"}
NO_SHORTAGE = {"shortage_policy": "none"}
NEVER = 1e6  # cost of a unit that is never served: the textbook's backorders all arrive in the end
SITE = "PLANT"


def instances(folder: Path, only: Collection[str] = ()) -> Iterator[Instance]:
    """The instances in `folder` and the folders in it, in order of path; with `only`, those of these names."""
    for path in sorted(folder.rglob("*.json")):
        for found in _in_file(path):
            if not only or found.name in only:
                yield found


def _in_file(path: Path) -> Iterator[Instance]:
    """The instances of one file; a file that cannot be read is one instance with the reason."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        yield _unsolved(path.stem, f"error: {path.name} is not JSON: {error}")
        return
    if isinstance(content, list):
        for number, example in enumerate(content, start=1):
            named = isinstance(example, dict) and "name" in example
            name = example["name"] if named else f"{path.stem}-{number}"
            yield _mapped(name, _worked_example, example)
    elif isinstance(content, dict) and content.keys() >= TRIGEIRO:
        yield _mapped(content.get("name", path.stem), _trigeiro, content)
    else:
        yield _unsolved(path.stem, "not applicable: not in a format of this family")


def _mapped(name: str, mapping: Callable[[str, Any], Instance], content: Any) -> Instance:
    try:
        return mapping(name, content)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        return _unsolved(name, f"error: malformed instance ({type(error).__name__}: {error})")


def _unsolved(name: str, reason: str, best_known: float | None = None) -> Instance:
    return Instance(name, {}, {}, best_known, reason)


def _trigeiro(name: str, given: dict[str, Any]) -> Instance:
    """Many items on one machine with setup times, no initial stock, no shortage; hours of the machine are a hard
    supplier capacity. Cost: holding and setups."""
    periods = _periods(given["n_periods"])
    names = [f"ITEM-{i + 1:02}" for i in range(given["n_items"])]
    tables = {
        "items": _items(names, given["holding_cost"]),
        "periods": periods,
        "demand": _demand(names, given["demand"], periods),
        "offers": _offers(
            supplier="MACHINE",
            item=names,
            price=0.0,
            line_cost=given["setup_cost"],
            hours_per_order=given["setup_time"],
            hours_per_unit=given["unit_time"],
        ),
        "supplier_capacity": _capacity("MACHINE", "hours", given["capacity"], periods),
    }
    return Instance(name, tables, NO_SHORTAGE, given.get("best_known"))


def _worked_example(name: str, given: dict[str, Any]) -> Instance:
    """A single-item textbook example with a known optimum; models without a finite horizon are not applicable."""
    if given["kind"] not in SINGLE_ITEM:
        reason = f"not applicable: {given['kind']} is not a finite-horizon model"
        return _unsolved(name, reason, given["expected_cost"])
    return _single_item(name, given)


def _single_item(name: str, given: dict[str, Any]) -> Instance:
    """One item; initial stock, capacities and backorders where the example has them. Where the unit cost changes with
    the period, each period has a supplier of its own who can deliver in no other."""
    periods = _periods(len(given["demand"]))
    costs = given.get("unit_cost") or [0.0]
    suppliers = ["SUPPLIER"] if len(set(costs)) == 1 else [f"SUPPLIER-{t + 1}" for t in range(len(periods))]
    offers = {"supplier": suppliers, "price": costs[: len(suppliers)], "line_cost": given["setup_cost"]}
    tables = {
        "items": _items(["ITEM"], [given["holding_cost"]]),
        "periods": periods,
        "demand": _demand(["ITEM"], [given["demand"]], periods),
        "offers": _offers(item="ITEM", **offers),
        "stock": pd.DataFrame({"item": ["ITEM"], "site": SITE, "quantity": given.get("initial_inventory", 0.0)}),
    }
    if "capacity" in given or len(suppliers) > 1:
        capacity = given.get("capacity") or [sum(given["demand"])] * len(periods)
        tables["supplier_capacity"] = pd.concat(
            _capacity(
                supplier,
                "units",
                [c if len(suppliers) == 1 or t == own else 0.0 for t, c in enumerate(capacity)],
                periods,
            )
            for own, supplier in enumerate(suppliers)
        )
    options = NO_SHORTAGE
    if "backorder_cost" in given:
        options = {"shortage_policy": "backorder"}
        tables["shortages"] = pd.DataFrame({"backorder_cost": [given["backorder_cost"]], "lost_cost": NEVER})
    return Instance(name, tables, options, given["expected_cost"])


def _periods(number: int) -> pd.DataFrame:
    starts = [date(2001, 1, 1) + timedelta(days=365 * t) for t in range(number)]
    return pd.DataFrame({"period": [f"T{t + 1:02}" for t in range(number)], "start": starts, "days": 365})


def _items(names: list[str], holding_costs: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"item": names, "value": holding_costs, "holding_rate": 1.0})


def _offers(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"site": SITE, **columns})


def _demand(names: list[str], quantities: list[list[float]], periods: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (item, SITE, period, quantity)
        for item, wanted in zip(names, quantities, strict=True)
        for period, quantity in zip(periods["period"], wanted, strict=True)
    ]
    return pd.DataFrame(rows, columns=["item", "site", "period", "quantity"])


def _capacity(supplier: str, measure: str, capacity: list[float], periods: pd.DataFrame) -> pd.DataFrame:
    """A hard capacity for each period."""
    terms = {"supplier": supplier, "measure": measure, "hard": True}
    return pd.DataFrame({"period": periods["period"], "capacity": capacity}).assign(**terms)
