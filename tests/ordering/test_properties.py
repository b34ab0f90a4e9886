"""What must hold for any case: easing never costs, and saying the same thing otherwise changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echelon.tables import Frames

from .cases import EXACT, change, optimum, solve
from .random_cases import cases

FEW = settings(
    max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
Change = Callable[[Frames], Frames]
NAMES = ("supplier", "item", "site", "from_site", "to_site", "department")
MONEY_A_UNIT = ("price", "value", "shortfall_cost", "backorder_cost", "lost_cost", "fill_rate_cost", "cost")
QUANTITIES = ("quantity", "minimum", "multiple", "maximum", "from_quantity")


def times(factor: float, *columns: str, only: tuple[str, ...] = ()) -> Change:
    """Multiply these columns wherever (or only in the tables in which) they stand."""

    def scaled(tables: Frames) -> Frames:
        return {
            name: frame.assign(**{c: frame[c] * factor for c in columns if c in frame and (not only or name in only)})
            for name, frame in tables.items()
        }

    return scaled


def put(table: str, **columns: Any) -> Change:
    return lambda tables: change(tables, **{table: columns}) if table in tables else tables


def more(table: str, column: str) -> Change:
    return lambda tables: (
        change(tables, **{table: {column: tables[table][column] + 2.5}}) if table in tables else tables
    )


def without(table: str) -> Change:
    return lambda tables: {name: frame for name, frame in tables.items() if name != table}


def one_more_supplier(tables: Frames) -> Frames:
    """One that is dearer than all others, so that no item's value changes."""
    new = pd.DataFrame({"supplier": "U", "item": ["A"], "site": "MAIN", "price": 9.0})
    tables = tables | {"offers": pd.concat([tables["offers"], new], ignore_index=True)}
    suppliers = tables.get("suppliers")
    return tables if suppliers is None else change(tables, suppliers=pd.concat([suppliers, new[["supplier"]]]))


EASED: dict[str, Change] = {
    "more budget": more("budgets", "amount"),
    "more storage": more("storage", "capacity"),
    "more capacity": more("supplier_capacity", "capacity"),
    "soft limits": lambda tables: {n: f.assign(hard=False) if "hard" in f else f for n, f in tables.items()},
    "one more supplier": one_more_supplier,
    "no minimum": put("offers", minimum=0.0),
    "no multiple": put("offers", multiple=None),
    "no maximum": put("offers", maximum=None),
    "no safety stock": without("safety_stock"),
    "no shares": without("shares"),
    "no fill rate": put("shortages", fill_rate=0.0),
    "no order cost": without("suppliers"),
}


@FEW
@given(tables=cases())
def test_easing_a_case_never_costs(tables: Frames) -> None:
    """More of any limit, one more supplier, one rule less: every plan from before is still there, at no higher cost."""
    before = optimum(tables)
    for name, ease in EASED.items():
        eased = ease(tables)
        if eased is not tables:
            assert optimum(eased) <= before * (1 + EXACT) + EXACT, name


@FEW
@given(tables=cases())
def test_a_frozen_window_never_pays(tables: Frames) -> None:
    """Freezing a period takes plans away; freezing one more takes away more."""
    free, one, two = (optimum(tables, frozen_periods=n) for n in range(3))
    assert free <= one * (1 + EXACT) + EXACT
    assert one <= two * (1 + EXACT) + EXACT


@FEW
@given(tables=cases())
def test_pinned_orders_within_the_offers_terms_never_pay(tables: Frames) -> None:
    """A pinned order takes plans away, unless it is one that only an analyst may place: outside the offer's terms,
    in the frozen window, or arriving after the horizon and counting for a share."""
    plain = {"minimum": 0.0, "multiple": None, "maximum": None}
    tables = without("shares")(change(tables, offers=plain))
    assert optimum(without("pinned_orders")(tables)) <= optimum(tables) * (1 + EXACT) + EXACT


def shuffled(tables: Frames) -> Frames:
    return {name: frame.sample(frac=1.0, random_state=len(frame)) for name, frame in tables.items()}


def renamed(tables: Frames) -> Frames:
    """Names that sort the other way round; blanks stay blank."""
    turn = str.maketrans("ABMSTXY", "zyxwvut")
    return {
        name: frame.assign(**{c: frame[c].str.translate(turn) for c in NAMES if c in frame})
        for name, frame in tables.items()
    }


def in_two_receipts(tables: Frames) -> Frames:
    if "receipts" not in tables:
        return tables
    halves = [tables["receipts"].assign(receipt=r, quantity=tables["receipts"]["quantity"] / 2) for r in "xy"]
    return tables | {"receipts": pd.concat(halves)}


def unfolded(tables: Frames) -> Frames:
    """Rows of every period written out, and the rows of the defaults written down."""
    periods = tables["periods"][["period"]]
    written = dict(tables)
    for name in ("budgets", "storage", "supplier_capacity", "safety_stock"):
        if name in tables:
            frame = tables[name]
            every = frame[frame["period"] == ""].drop(columns="period").merge(periods, how="cross")
            key = [c for c in ("department", "site", "supplier", "measure", "item", "period") if c in frame]
            written[name] = pd.concat([frame[frame["period"] != ""], every]).drop_duplicates(key)
    return written


def chained(*changes: Change) -> Change:
    def apply(tables: Frames) -> Frames:
        for each in changes:
            tables = each(tables)
        return tables

    return apply


def other_units(k: float) -> Change:
    """Everything counted in units k times smaller: k times as many of them, each worth, as large and as long to make
    as 1/k of the old."""
    return chained(
        times(k, *QUANTITIES),
        times(1 / k, *MONEY_A_UNIT, "volume", "hours_per_unit"),
        lambda tables: _in_units(tables, k),
    )


def _in_units(tables: Frames, k: float) -> Frames:
    """Supplier capacity that counts units, and its price."""
    if "supplier_capacity" not in tables:
        return tables
    limits = tables["supplier_capacity"]
    factor = limits["measure"].map({"units": k, "hours": 1.0})
    columns = {"capacity": limits["capacity"] * factor, "excess_cost": limits["excess_cost"] / factor}
    return change(tables, supplier_capacity=columns)


SAME: dict[str, Change] = {
    "rows in another order": shuffled,
    "other names": renamed,
    "receipts in two parts": in_two_receipts,
    "every period written out": unfolded,
    "units ten times as large": other_units(0.1),
    "units three times as small": other_units(3.0),
}


@FEW
@given(tables=cases())
def test_saying_the_same_otherwise_changes_nothing(tables: Frames) -> None:
    """The optimum is a property of the business, not of how its tables are written."""
    before = optimum(tables)
    for name, rewrite in SAME.items():
        rewritten = rewrite(tables)
        if rewritten is not tables:
            assert optimum(rewritten) == pytest.approx(before, rel=EXACT, abs=EXACT), name


@FEW
@given(tables=cases(), k=st.sampled_from([0.01, 3.0, 1000.0]))
def test_another_currency_scales_the_cost(tables: Frames, k: float) -> None:
    """A plan in cents is the plan in euros at a hundred times the cost. (The price of exceeding a budget is money per
    money and stays.)"""
    in_money = chained(
        times(k, *MONEY_A_UNIT, "line_cost", "order_cost", "amount"),
        times(k, "excess_cost", only=("storage", "supplier_capacity")),
    )
    assert optimum(in_money(tables)) == pytest.approx(k * optimum(tables), rel=EXACT, abs=EXACT * k)


@settings(FEW, max_examples=3)
@given(tables=cases(hard=False), k=st.sampled_from([0.25, 100.0]))
def test_other_units_give_a_plan_of_the_same_cost(tables: Frames, k: float) -> None:
    """Through the whole path, recheck included: no tolerance may depend on the unit a company counts in. (Where several
    plans cost the same either may come out, so their costs are compared.)"""
    run, other = solve(tables, price_pins=False), solve(other_units(k)(tables), price_pins=False)
    assert sum(other.costs.values()) == pytest.approx(sum(run.costs.values()), rel=EXACT, abs=EXACT)
