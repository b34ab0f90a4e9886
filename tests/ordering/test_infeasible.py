"""A case without a plan: the findings name what stands in the way, by how much, and values with which there is one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.errors import Finding
from echelon.tables import Frames

from .cases import case, change, solve

NO_SHORTAGE = {"policy": "none"}
OFFER = {"supplier": "S", "item": "A", "price": 2.0}
TWO_OFFERS = {"supplier": "S", "item": ["A", "B"], "price": 2.0}
ITEMS = {"item": ["A", "B"], "department": ["X", "Y"], "value": 1.0, "volume": 1.0}
BULKY = {"item": "A", "value": 1.0, "volume": 1.0}
HARD = {"hard": True}


def refused(tables: Frames, **options: Any) -> list[Finding]:
    """The findings with which the case is refused."""
    with pytest.raises(echelon.SolveError) as caught:
        solve(tables, **options)
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE
    assert caught.value.findings, "an infeasible case must be explained"
    for finding in caught.value.findings:
        assert str(finding) in str(caught.value), "the message tells the findings"
    return caught.value.findings


def periods(tables: Frames) -> list[str]:
    return tables["periods"]["period"].tolist()


def heeded(tables: Frames, findings: list[Finding]) -> Frames:
    """The case with every value that the findings suggest."""
    for finding in findings:
        tables = heed(tables, finding)
    return tables


def heed(tables: Frames, finding: Finding) -> Frames:
    if finding.table in ("budgets", "storage", "supplier_capacity"):
        who, period = re.findall(r"hard limit of (.*) in (\S+) is too small by", finding.rule)[0]
        return with_limit(tables, finding.table, who, period, finding.column, suggested(finding))
    if finding.column == "policy":
        item, site = re.findall(r"demand of (.*) at (.*) cannot all", finding.rule)[0]
        period = re.findall(r"units by (\S+)", finding.remedy)[0]
        come = {"item": item, "site": site, "period": period, "receipt": "extra", "quantity": suggested(finding)}
        known = tables.get("receipts", pd.DataFrame())
        return change(tables, receipts=pd.concat([known, pd.DataFrame([come])]))
    return change(tables, **{finding.table: {finding.column: suggested(finding)}})


def suggested(finding: Finding) -> float:
    return float(re.findall(r"(?:bring in )?([\d.]+) (?:would do|units by)", finding.remedy)[0])


def with_limit(tables: Frames, table: str, who: str, period: str, column: str, value: float) -> Frames:
    """A limit with a row of its own for every period, one of them changed."""
    key = {"budgets": "department", "storage": "site", "supplier_capacity": "supplier"}[table]
    who = "" if who == "the whole company" else who
    rows = tables[table]
    for name, blank in ((key, "MAIN" if key == "site" else ""), ("period", "")):
        rows = rows if name in rows else rows.assign(**{name: blank})
    every = rows[rows["period"] == ""].drop(columns="period")
    unfolded = every.merge(pd.DataFrame({"period": periods(tables)}), how="cross")
    rows = pd.concat([rows[rows["period"] != ""], unfolded]).drop_duplicates([key, "period"])
    rows.loc[(rows[key] == who) & (rows["period"] == period), column] = value
    return change(tables, **{table: rows.reset_index(drop=True)})


@dataclass(frozen=True)
class Infeasible:
    """A case, and what its findings must say: table, whose limit it is, by how much it is missed, what would do."""

    name: str
    tables: Frames
    expected: list[tuple[str, str, str, float]]


CASES = [
    Infeasible(
        "budget of a department",
        case({"A": [3, 9], "B": [9, 9]}, items=ITEMS, offers=TWO_OFFERS, shortages=NO_SHORTAGE,
             budgets={"department": "X", "amount": 10.0} | HARD),
        [("budgets", "X", "4 money", 14)],
    ),
    Infeasible(
        "budget of the company",
        case({"A": [3, 9], "B": [0, 2]}, items=ITEMS, offers=TWO_OFFERS, shortages=NO_SHORTAGE,
             budgets={"period": ["1", "2"], "amount": [0.0, 30.0]} | HARD),
        [("budgets", "the whole company", "6 money", 6)],
    ),
    Infeasible(
        "budget carried over",
        case({"A": [3, 9]}, offers=OFFER, shortages=NO_SHORTAGE, budgets={"amount": 10.0, "carry_over": True} | HARD),
        [("budgets", "the whole company", "4 money", 14)],
    ),
    Infeasible(
        "storage",
        case({"A": [1, 1]}, items=BULKY, offers=OFFER, stock={"item": "A", "quantity": 9.5},
             storage={"period": "1", "capacity": 6.0} | HARD),
        [("storage", "MAIN", "2.5 m³", 8.5)],
    ),
    Infeasible(
        "storage at peak",
        case({"A": [1, 7]}, items=BULKY, offers=OFFER, shortages=NO_SHORTAGE,
             storage={"capacity": 6.0, "counts": "peak"} | HARD),
        [("storage", "MAIN", "1 m³", 7)],
    ),
    Infeasible(
        "supplier capacity of one item",
        case({"A": [5, 3]}, offers=OFFER, shortages=NO_SHORTAGE,
             supplier_capacity={"supplier": "S", "capacity": 4.0} | HARD),
        [("supplier_capacity", "S", "1 units", 5)],
    ),
    Infeasible(
        "supplier capacity shared by items",
        case({"A": [3, 1], "B": [2, 1]}, offers=TWO_OFFERS, shortages=NO_SHORTAGE,
             supplier_capacity={"supplier": "S", "capacity": 4.0} | HARD),
        [("supplier_capacity", "S", "1 units", 5)],
    ),
    Infeasible(
        "supplier capacity in hours",
        case({"A": [4, 1]}, offers=OFFER | {"hours_per_unit": 0.5, "hours_per_order": 1.0}, shortages=NO_SHORTAGE,
             supplier_capacity={"supplier": "S", "measure": "hours", "capacity": 2.0} | HARD),
        [("supplier_capacity", "S", "1 hours", 3)],
    ),
    Infeasible(
        "capacity under the minimum",
        case({"A": [4, 1]}, offers=OFFER | {"minimum": 6.0}, shortages=NO_SHORTAGE,
             supplier_capacity={"supplier": "S", "capacity": 5.0} | HARD),
        [("supplier_capacity", "S", "1 units", 6)],
    ),
    Infeasible(
        "no shortage, but a lead time",
        case({"A": [4, 1]}, offers=OFFER | {"lead_time": 1}, stock={"item": "A", "quantity": 1.5},
             shortages=NO_SHORTAGE),
        [("shortages", "A at MAIN", "2.5 units are missing from 1 to 1", 2.5)],
    ),
    Infeasible(
        "no shortage, at one site of two",
        case({"A": [4, 1], "A@SHOP": [2, 2]}, offers=OFFER,
             lanes={"from_site": "MAIN", "to_site": "SHOP", "lead_time": 1}, shortages=NO_SHORTAGE),
        [("shortages", "A at SHOP", "2 units are missing from 1 to 1", 2)],
    ),
    Infeasible(
        "fill rate",
        case({"A": [5, 5]}, offers=OFFER | {"lead_time": 1},
             shortages={"policy": "lost", "lost_cost": 1.0, "fill_rate": 0.75} | HARD),
        [("shortages", "A at MAIN", "2.5 units", 0.5)],
    ),
    Infeasible(
        "fill rate, demand waits",
        case({"A": [6, 3]}, offers=OFFER | {"lead_time": 1},
             shortages={"policy": "backorder", "fill_rate": 0.5} | HARD),
        [("shortages", "A at MAIN", "1.5 units", 0.3333)],
    ),
    Infeasible(
        "largest share against a supplier who cannot deliver",
        case({"A": [4, 4]}, offers=OFFER | {"supplier": ["S", "T"], "lead_time": [0, 2]}, shortages=NO_SHORTAGE,
             shares={"supplier": "S", "item": "A", "max_share": 0.5}),
        [("shares", "largest share of S in A", "4 units", 1)],
    ),
    Infeasible(
        "smallest share against a pinned order",
        case({"A": [4, 4]}, offers=OFFER | {"supplier": ["S", "T"], "maximum": [None, 2.0]},
             shares={"supplier": "T", "item": "A", "min_share": 0.5},
             pinned_orders={"supplier": "S", "item": "A", "period": "1", "quantity": 6.0}),
        [("shares", "smallest share of T in A", "1 units", 0.4)],
    ),
]  # fmt: skip


@pytest.mark.parametrize("infeasible", CASES, ids=lambda c: c.name)
def test_a_limit_that_cannot_be_kept_is_named_and_what_it_suggests_is_enough(infeasible: Infeasible) -> None:
    """An analyst who is told only "infeasible" starts to guess; told the limit, the lack and the value, he decides."""
    findings = refused(infeasible.tables)
    assert len(findings) == len(infeasible.expected), findings
    for finding, (table, who, lack, value) in zip(findings, infeasible.expected, strict=True):
        assert finding.table == table
        assert who in finding.rule
        assert lack in finding.rule
        assert value - 1e-4 <= suggested(finding) <= value + 0.0101, "enough, and no more than rounding asks for"
    solve(heeded(infeasible.tables, findings))


BOTH = [
    (
        "budget and storage",
        case({"A": [2, 6]}, items=BULKY, offers=OFFER, shortages=NO_SHORTAGE, budgets={"amount": 6.0} | HARD,
             storage={"capacity": 0.5} | HARD),
    ),
    (
        "capacity and budget of different periods",
        case({"A": [6, 6]}, offers=OFFER, shortages=NO_SHORTAGE, budgets={"period": "2", "amount": 8.0} | HARD,
             supplier_capacity={"supplier": "S", "period": "1", "capacity": 4.0} | HARD),
    ),
    (
        "share and capacity",
        case({"A": [6, 6]}, offers=OFFER | {"supplier": ["S", "T"]}, shortages=NO_SHORTAGE,
             supplier_capacity={"supplier": "S", "capacity": 2.0} | HARD,
             shares={"supplier": "S", "item": "A", "min_share": 0.5}),
    ),
    (
        "fill rate and storage for what is on its way",
        case({"A": [3, 6]}, items=BULKY, offers=OFFER | {"lead_time": 1},
             receipts={"item": "A", "period": "1", "quantity": 9.0},
             shortages={"policy": "lost", "fill_rate": 1.0} | HARD, storage={"capacity": 4.0} | HARD),
    ),
    (
        "a pinned order against budget and capacity",
        case({"A": [3, 6]}, offers=OFFER, pinned_orders={"supplier": "S", "item": "A", "period": "1", "quantity": 9.0},
             budgets={"amount": 12.0} | HARD, supplier_capacity={"supplier": "S", "capacity": 7.0} | HARD),
    ),
    (
        "a soft budget whose excess may not be carried into a hard one",
        case({"A": [0, 6]}, offers=OFFER, shortages=NO_SHORTAGE, stock={"item": "A", "quantity": 1.0}, items=BULKY,
             budgets={"period": ["1", "2"], "amount": [1.0, 2.0], "hard": [False, True], "carry_over": True},
             storage={"capacity": 1.0} | HARD),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "tables"), BOTH, ids=[name for name, _ in BOTH])
def test_limits_that_contradict_each_other(name: str, tables: Frames) -> None:
    """Where two limits fight, naming values for either or both must leave a case with a plan."""
    solve(heeded(tables, refused(tables)))


def test_soft_limits_never_make_a_case_infeasible() -> None:
    """Soft limits are there so that a plan exists: the report says what did not fit and what it costs."""
    for _, tables in BOTH[:2]:
        soft = {name: f.assign(hard=False) if "hard" in f else f for name, f in tables.items()}
        assert (solve(soft).plan["limits"]["excess"] > 0).any()


def test_the_findings_do_not_depend_on_the_price_of_pins() -> None:
    """A case that is infeasible because of a pinned order is explained, not priced."""
    name, tables = BOTH[4]
    tables_named = {f.table for f in refused(tables, price_pins=True)}
    assert tables_named == {"budgets", "supplier_capacity"}, name
