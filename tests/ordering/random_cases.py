"""Random tiny cases for hypothesis: up to four periods, two items, two sites, two suppliers, any optional table."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from echelon.tables import Frames

from .cases import case

Draw = Any
OPTIONAL = (
    *("suppliers", "price_breaks", "stock", "receipts", "safety_stock", "lanes", "budgets", "storage"),
    *("supplier_capacity", "shares", "shortages", "pinned_orders"),
)


@st.composite
def cases(draw: Draw, only: Collection[str] = OPTIONAL, hard: bool = True) -> Frames:
    """A case that validates; `only` names the optional tables that it may have, `hard` allows hard limits (with them
    there may be no plan)."""
    periods = draw(st.integers(2, 4))
    sites = ["MAIN", "SHOP"] if "lanes" in only and draw(st.booleans()) else ["MAIN"]
    items = draw(st.sampled_from([["A"], ["A", "B"]]))
    quantities = st.lists(st.integers(0, 9), min_size=periods, max_size=periods)
    tables: Frames = case(
        {f"{i}@{l}": draw(quantities) for i in items for l in sites},
        periods=draw(st.lists(st.sampled_from([30, 365]), min_size=periods, max_size=periods)),
        items={
            "item": items,
            "department": [draw(st.sampled_from(["X", "Y", ""])) for _ in items],
            "value": [draw(st.sampled_from([None, 1.0, 4.0])) for _ in items],
            "holding_rate": draw(st.sampled_from([0.5, 1.0])),
            "volume": [draw(st.sampled_from([0.5, 1.0])) for _ in items],
        },
        offers=pd.DataFrame([draw(offers(s, i, l)) for i in items for s, l in draw(sources(sites))]),
    )
    made = {name: MAKERS[name](draw, tables, sites, hard) for name in sorted(only) if draw(needed(name, sites))}
    return tables | {name: pd.DataFrame(rows) for name, rows in made.items() if rows}


def needed(name: str, sites: list[str]) -> st.SearchStrategy[bool]:
    return st.just(len(sites) > 1) if name == "lanes" else st.booleans()


def sources(sites: list[str]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Suppliers and sites of an item's offers; S always offers it at MAIN."""
    more = [(s, l) for s in "ST" for l in sites][1:]
    return st.lists(st.sampled_from(more), max_size=2, unique=True).map(lambda found: [("S", "MAIN"), *found])


@st.composite
def offers(draw: Draw, supplier: str, item: str, site: str) -> dict[str, Any]:
    return {
        "supplier": supplier,
        "item": item,
        "site": site,
        "price": draw(st.sampled_from([2.0, 3.0, 5.0])),
        "line_cost": draw(st.sampled_from([0.0, 0.0, 3.0, 10.0])),
        "lead_time": draw(st.integers(0, 2)),
        "minimum": draw(st.sampled_from([0.0, 0.0, 3.0, 6.0])),
        "multiple": draw(st.sampled_from([None, None, 1.0, 2.0, 5.0])),
        "maximum": draw(st.sampled_from([None, None, 10.0])),
        "hours_per_order": draw(st.sampled_from([0.0, 0.0, 1.0])),
        "hours_per_unit": draw(st.sampled_from([0.0, 0.5])),
    }


def rows_of(draw: Draw, tables: Frames, name: str, *columns: str) -> list[dict[str, Any]]:
    """Some rows' names of a table, each once."""
    rows = tables[name][list(columns)].drop_duplicates().to_dict("records")
    return draw(st.lists(st.sampled_from(rows), min_size=1, unique_by=lambda r: tuple(r.values())))


def periods_of(draw: Draw, tables: Frames) -> list[str]:
    """Blank, a period, or both."""
    some = draw(st.sampled_from(tables["periods"]["period"].tolist()))
    return draw(st.sampled_from([[""], [some], ["", some]]))


def limit(draw: Draw, hard: bool) -> dict[str, Any]:
    return {
        "excess_cost": draw(st.sampled_from([0.5, 3.0])),
        "hard": hard and draw(st.sampled_from([False, False, True])),
    }


def suppliers(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    return [{"supplier": s, "order_cost": draw(st.sampled_from([0.0, 4.0]))} for s in "ST"]


def price_breaks(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    rows = []
    for offer in rows_of(draw, tables, "offers", "supplier", "item", "site"):
        kind = draw(st.sampled_from(["all_units", "incremental"]))
        starts = draw(st.lists(st.integers(2, 12), min_size=1, max_size=2, unique=True))
        rows += [
            offer | {"from_quantity": float(q), "price": 1.5 - n, "kind": kind} for n, q in enumerate(sorted(starts))
        ]
    return [r | {"price": max(r["price"], 0.5)} for r in rows]


def stock(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    return [r | {"quantity": float(draw(st.integers(0, 9)))} for r in rows_of(draw, tables, "demand", "item", "site")]


def receipts(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    names = rows_of(draw, tables, "demand", "item", "site", "period")
    return [r | {"quantity": float(draw(st.integers(0, 9)))} for r in names]


def safety_stock(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    return [
        r
        | {"period": p, "quantity": float(draw(st.integers(0, 5))), "shortfall_cost": draw(st.sampled_from([0.5, 2.0]))}
        for r in rows_of(draw, tables, "demand", "item", "site")
        for p in periods_of(draw, tables)
    ]


def lanes(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    terms = {"cost": st.sampled_from([0.0, 0.5]), "lead_time": st.integers(0, 1)}
    there = {"from_site": "MAIN", "to_site": "SHOP"} | {k: draw(s) for k, s in terms.items()}
    back = {"from_site": "SHOP", "to_site": "MAIN"} | {k: draw(s) for k, s in terms.items()}
    return [there, back] if draw(st.booleans()) else [there]


def budgets(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(sorted({"", *tables["items"]["department"]})), min_size=1, unique=True))
    return [
        {"department": d, "period": p, "amount": float(draw(st.integers(0, 40))), "carry_over": draw(st.booleans())}
        | limit(draw, hard)
        for d in names
        for p in periods_of(draw, tables)
    ]


def storage(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    counts = st.sampled_from(["closing", "peak"])
    return [
        {"site": l, "period": p, "capacity": float(draw(st.integers(0, 12))), "counts": draw(counts)}
        | limit(draw, hard)
        for l in draw(st.lists(st.sampled_from(sites), min_size=1, unique=True))
        for p in periods_of(draw, tables)
    ]


def supplier_capacity(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    return [
        {"supplier": "S", "measure": measure, "period": p, "capacity": float(draw(st.integers(0, 12)))}
        | limit(draw, hard)
        for measure in draw(st.lists(st.sampled_from(["units", "hours"]), min_size=1, unique=True))
        for p in periods_of(draw, tables)
    ]


def shares(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    low, high = draw(st.sampled_from([(0.0, 0.5), (0.25, 1.0), (0.25, 0.75), (0.0, 1.0)]))
    lone = tables["offers"].groupby("item")["supplier"].transform("nunique") == 1
    names = tables["offers"][~lone].drop_duplicates("item")[["supplier", "item"]].to_dict("records")
    return [r | {"min_share": low, "max_share": high} for r in names]


def shortages(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    policies = ["backorder", "lost", "none"] if hard else ["backorder", "lost"]
    places = draw(
        st.lists(st.sampled_from([("", ""), ("A", ""), ("", "MAIN"), ("A", "MAIN")]), min_size=1, unique=True)
    )
    return [
        {
            "item": i,
            "site": l,
            "policy": draw(st.sampled_from(policies)),
            "backorder_cost": draw(st.sampled_from([0.5, 2.0, 8.0])),
            "lost_cost": draw(st.sampled_from([1.0, 6.0, 30.0])),
            "fill_rate": draw(st.sampled_from([0.0, 0.0, 0.5, 0.9])),
            "hard": hard and draw(st.booleans()),
        }
        for i, l in places
    ]


def pinned_orders(draw: Draw, tables: Frames, sites: list[str], hard: bool) -> list[dict[str, Any]]:
    return [
        r
        | {
            "period": draw(st.sampled_from(tables["periods"]["period"].tolist())),
            "quantity": float(draw(st.integers(0, 9))),
        }
        for r in rows_of(draw, tables, "offers", "supplier", "item", "site")
    ]


MAKERS = {
    maker.__name__: maker
    for maker in (
        suppliers, price_breaks, stock, receipts, safety_stock, lanes, budgets, storage, supplier_capacity, shares,
        shortages, pinned_orders,
    )
}  # fmt: skip
