"""Seeded order-planning cases of any size, for `scale.py`: the same seed and size give the same tables.

Mix A: plain items that share two limits a period, a budget and a supplier's capacity. Mix B: 30% of the items with
minimum quantity and multiple, 20% with two suppliers, 10% with price breaks (each drawn by itself, so that they
overlap), lead times, opening stock; three departments' budgets, two sites' storage, five suppliers' capacities.

Lots pay for three to five weeks of demand, and each limit is set so that it binds in some weeks: without it, the plan
would use up to three times as much. Limits are soft, at the house's default prices.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd

Tables = dict[str, pd.DataFrame]

WEEKS = 26
WEEKS_A_YEAR = 365 / 7
ROOM_A, ROOM_B = 1.15, 1.05  # of a budget or capacity over the mean use of a week
OPTIONS = {"shortage_policy": "none"}


def mix_a(items: int, seed: int = 0) -> Tables:
    """Plain items, one supplier, two limits."""
    rng = np.random.default_rng(seed)
    demand = _demand(rng, items)
    names, weeks = _names(items), _weeks()
    price, line_cost = rng.uniform(1, 10, items), rng.uniform(100, 1000, items)
    return {
        "items": _items(names, price, rng.uniform(1, 3, items)),
        "demand": _demand_table(names, "MAIN", demand, weeks),
        "offers": pd.DataFrame({"supplier": "S1", "item": names, "price": price, "line_cost": line_cost}),
        "budgets": pd.DataFrame({"department": [""], "amount": [ROOM_A * price @ demand.mean(axis=1)]}),
        "supplier_capacity": pd.DataFrame({"supplier": ["S1"], "capacity": [ROOM_A * demand.mean(axis=1).sum()]}),
    }


def mix_b(items: int, seed: int = 0) -> Tables:
    """Items with minimums and multiples, two suppliers, price breaks; departments, sites, suppliers with limits."""
    rng = np.random.default_rng(seed)
    demand = _demand(rng, items)
    names, weeks = _names(items), _weeks()
    price, line_cost, holding = rng.uniform(1, 10, items), rng.uniform(100, 1000, items), rng.uniform(1, 3, items)
    department, site = rng.integers(0, 3, items), rng.integers(0, 2, items)
    volume = rng.uniform(0.5, 2.0, items)
    supplier, lead_time = rng.integers(0, 5, items), rng.integers(0, 3, items)
    batched, second, broken = (rng.random(items) < share for share in (0.3, 0.2, 0.1))
    multiple = rng.choice([6, 10, 12, 20, 24, 50], items)
    sites = np.array(["NORTH", "SOUTH"])[site]
    first = pd.DataFrame(
        {
            "supplier": [f"S{s + 1}" for s in supplier],
            "item": names,
            "site": sites,
            "price": price,
            "line_cost": line_cost,
            "lead_time": lead_time,
            "multiple": np.where(batched, multiple, np.nan),
            "minimum": np.where(batched, multiple * rng.integers(2, 5, items), 0.0),
        }
    )
    other = first.assign(
        supplier=[f"S{(s + 1 + k) % 5 + 1}" for s, k in zip(supplier, rng.integers(0, 4, items), strict=True)],
        price=price * rng.uniform(0.95, 1.15, items),
        line_cost=line_cost * rng.uniform(0.6, 1.2, items),
        lead_time=rng.integers(0, 3, items),
    )
    offers = pd.concat([first, other[second]], ignore_index=True)
    opening = np.array([row[:lead].sum() for row, lead in zip(demand, np.maximum(lead_time, 1), strict=True)])
    opening += rng.integers(0, 60, items)
    weekly = demand.mean(axis=1)
    lot = np.sqrt(2 * line_cost * weekly / holding)
    return {
        "items": _items(names, price, holding, volume, np.array(["TOOLS", "PARTS", "GARDEN"])[department]),
        "demand": _demand_table(names, sites, demand, weeks),
        "offers": offers,
        "price_breaks": _breaks(offers, broken, np.round(lot * rng.uniform(0.8, 1.8, items)), rng),
        "stock": pd.DataFrame({"item": names, "site": sites, "quantity": opening}),
        "budgets": _sums("department", ["TOOLS", "PARTS", "GARDEN"], "amount", department, ROOM_B * price * weekly),
        "storage": _sums("site", ["NORTH", "SOUTH"], "capacity", site, 0.34 * volume * lot),
        "supplier_capacity": _sums("supplier", [f"S{s + 1}" for s in range(5)], "capacity", supplier, ROOM_B * weekly),
    }


MIXES = {"A": mix_a, "B": mix_b}


def _names(items: int) -> list[str]:
    return [f"I{n:06}" for n in range(items)]


def _weeks() -> list[str]:
    return [(date(2026, 1, 5) + timedelta(weeks=t)).isoformat() for t in range(WEEKS)]


def _demand(rng: np.random.Generator, items: int) -> np.ndarray:
    """Whole units, items x weeks: up to 99 a week, one week in five without any."""
    return np.where(rng.random((items, WEEKS)) < 0.2, 0, rng.integers(0, 100, (items, WEEKS))).astype(float)


def _items(names: list[str], price: np.ndarray, holding: np.ndarray, *more: np.ndarray) -> pd.DataFrame:
    """Items whose stock costs `holding` a unit and week; `more` is volume and department."""
    frame = pd.DataFrame({"item": names, "value": price, "holding_rate": holding * WEEKS_A_YEAR / price})
    return frame.assign(**dict(zip(("volume", "department"), more, strict=False)))


def _demand_table(names: list[str], sites: str | np.ndarray, demand: np.ndarray, weeks: list[str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": np.repeat(names, WEEKS),
            "site": sites if isinstance(sites, str) else np.repeat(sites, WEEKS),
            "period": np.tile(weeks, len(names)),
            "quantity": demand.ravel(),
        }
    )


def _breaks(offers: pd.DataFrame, broken: np.ndarray, lots: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """A break near the lot that pays anyway, and one at twice as much; all units or incremental, by turns."""
    number = offers["item"].str[1:].astype(int).to_numpy()
    chosen = offers[broken[number]]
    lot, kind = lots[number[broken[number]]], np.where(number[broken[number]] % 2, "all_units", "incremental")
    keys = chosen[["supplier", "item", "site"]].assign(kind=kind)
    fall = rng.uniform(0.02, 0.08, len(chosen))
    low = keys.assign(from_quantity=lot, price=chosen["price"] * (1 - fall))
    high = keys.assign(from_quantity=2 * lot, price=chosen["price"] * (1 - 2 * fall))
    return pd.concat([low, high], ignore_index=True)


def _sums(key: str, names: list[str], column: str, of: np.ndarray, amounts: np.ndarray) -> pd.DataFrame:
    """One row a name for every period: the amounts of its items together."""
    return pd.DataFrame({key: names, column: np.bincount(of, amounts, len(names))})
