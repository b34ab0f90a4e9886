"""Bad cases by the dozen: each is told with its table, row, column and a remedy, and never by a traceback."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import EXACTLY, QUIET, case, change, rich, solve

TWO = {"S A": 3.0, "T A": 4.0}
DATES = {"supplier": "S", "delivery": "1", "ordered": "2026-01-10", "promised": "2026-01-20", "received": "2026-01-15"}


def small(**tables: Any) -> Frames:
    return case({"A": 10.0}, TWO, **tables)


BAD: list[tuple[str, Frames, dict[str, Any], str, str]] = [  # what, tables, options, table, part of the rule
    ("no demand", change(small(), demand={"quantity": 0.0}), {}, "demand", "no item is needed"),
    ("nobody offers", case({"A": 1.0, "B": 1.0}, TWO), {}, "demand", "nobody may deliver"),
    ("no lane", small(lanes={"supplier": "S", "site": "MAIN"}) | {"demand": pd.DataFrame({"item": ["A"], "site": ["X"], "quantity": [1.0]})}, {}, "demand", "no offer reaches it"),
    ("all barred", small(pairs={"supplier": ["S", "T"], "item": "A", "rule": "excluded"}), {}, "demand", "bar all who could"),
    ("capacity below demand", small(offer_terms={"capacity": [3.0, 6.0]}), {}, "offers", "capacity below demand"),
    ("yield below demand", small(offer_terms={"capacity": [5.0, 5.0], "yield_rate": 0.9}), {}, "offers", "capacity below demand"),
    ("minimum over capacity", small(offer_terms={"minimum": 9.0, "capacity": [5.0, 50.0]}), {}, "offers", "minimum is over"),
    ("yield of nothing", small(offer_terms={"yield_rate": 0.0}), {}, "offers", "must be more than 0"),
    ("price rises", small(price_breaks={"supplier": "S", "item": "A", "from_quantity": 5.0, "price": 3.0}), {}, "price_breaks", "does not fall"),
    ("mixed breaks", small(price_breaks={"supplier": "S", "item": "A", "from_quantity": [5.0, 8.0], "price": [2.0, 1.0], "kind": ["all_units", "incremental"]}), {}, "price_breaks", "different kinds"),
    ("breaks of no offer", small(price_breaks={"supplier": "U", "item": "A", "from_quantity": 5.0, "price": 3.0}), {}, "price_breaks", "no such row in offers"),
    ("rebate falls", small(rebates={"supplier": "S", "from_spend": [5.0, 8.0], "rate": [0.2, 0.1]}), {}, "rebates", "does not rise"),
    ("rebate of all", small(rebates={"supplier": "S", "from_spend": 5.0, "rate": 1.0}), {}, "rebates", "must be less than 1"),
    ("shares over 1", small(shares={"supplier": ["S", "T"], "item": "A", "min_share": 0.6}), {}, "shares", "more than 1"),
    ("shares under 1", small(shares={"supplier": ["S", "T"], "item": "A", "max_share": 0.4}), {}, "shares", "less than 1"),
    ("share bounds cross", small(shares={"supplier": "S", "item": "A", "min_share": 0.6, "max_share": 0.5}), {}, "shares", "over the largest"),
    ("too many suppliers", small(items={"min_suppliers": 3}), {}, "items", "only 2 suppliers"),
    ("counts cross", small(items={"min_suppliers": 2, "max_suppliers": 1.0}), {}, "items", "more than the most"),
    ("half a supplier", small(items={"max_suppliers": 1.5}), {}, "items", "not a whole number"),
    ("smallest shares over 1", small(items={"min_suppliers": 2, "smallest_share": 0.6}), {}, "items", "more than all of it"),
    ("required too much", small(pairs={"supplier": "S", "item": "A", "rule": "required", "quantity": 11.0}), {}, "pairs", "no more than 10"),
    ("today over 1", small(current_awards={"supplier": ["S", "T"], "item": "A", "share": 0.6}), {}, "current_awards", "more than 1"),
    ("incumbent gone", small(current_awards={"supplier": "U", "item": "A", "share": 0.6, "max_loss": 0.1}), {}, "current_awards", "no offer"),
    ("cap of nobody", small(caps={"kind": "supplier", "name": "U", "max_share": 0.5}), {}, "caps", "no supplier of this name"),
    ("cap of no group", small(caps={"kind": "supplier", "name": "S", "group": "G", "max_share": 0.5}), {}, "caps", "no item is in this group"),
    ("caps under 1", small(caps={"kind": "supplier", "max_share": 0.4}), {}, "caps", "less than 1"),
    ("ceiling of no group", small(ceilings={"kind": "budget", "group": "G", "amount": 1.0}), {}, "ceilings", "no item is in this group"),
    ("nobody local", small(items={"local_min_share": 0.5}), {}, "items", "no supplier of this item is in the region"),
    ("one survivor", case({"A": 1.0}, {"S A": 1.0}, items={"survives": "supplier"}), {}, "items", "of one supplier"),
    ("probabilities", small(scenarios={"scenario": ["a", "b"], "probability": 0.4}), {}, "scenarios", "do not sum to 1"),
    ("given and drawn", small(scenarios={"scenario": "a", "probability": 1.0}), {"draw_scenarios": 10}, "options", "scenarios of its own"),
    ("disruption of nobody", small(scenarios={"scenario": "a", "probability": 1.0}, disruptions={"scenario": "a", "kind": "supplier", "name": "U"}), {}, "disruptions", "no supplier of this name"),
    ("disruption of no scenario", small(scenarios={"scenario": "a", "probability": 1.0}, disruptions={"scenario": "b", "kind": "supplier", "name": "S"}), {}, "disruptions", "no such"),
    ("received too early", small(deliveries=DATES | {"received": "2026-01-09"}), {}, "deliveries", "received before it was ordered"),
    ("promised too early", small(deliveries=DATES | {"promised": "2026-01-09"}), {}, "deliveries", "promised for before"),
    ("after the day", small(deliveries=DATES), {"as_of": "2026-01-12"}, "deliveries", "received after 2026-01-12"),
    ("option", small(), {"cvar_level": 1.0}, "options", "must be less than 1"),
    ("options cross", small(), {"min_suppliers": 2, "max_suppliers": 1}, "options", "more than the most"),
]  # fmt: skip

DOUBTFUL: list[tuple[str, Frames, dict[str, Any], str, str]] = [
    ("minimum over need", small(offer_terms={"minimum": [11.0, 0.0]}), {}, "offers", "never gets this"),
    ("class of nothing", small(jurisdictions={"item_class": "K", "region": "EU", "rule": "forbidden"}), {}, "jurisdictions", "no item is of this class"),
    ("nothing to draw", small(), {"draw_scenarios": 5}, "options", "nothing ever fails"),
    ("risk of nothing", small(), {"objective": "worst"}, "options", "plain cost"),
    ("cheap shortage", small(items={"shortage_cost": 1.0}), {}, "items", "would save money"),
    ("only open", small(deliveries=DATES | {"received": None}), {}, "deliveries", "nothing can be estimated"),
    ("incumbent without an offer", small(current_awards={"supplier": "U", "item": "A", "share": 0.6}), {}, "current_awards", "loses all of it"),
    ("no region to lose", small(items={"survives": "region"}, suppliers={"supplier": ["S", "T"], "region": ["EU", ""]}), {}, "items", "never lost"),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "options", "table", "rule"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_bad_case_is_told(tables: Frames, options: dict[str, Any], table: str, rule: str) -> None:
    """An analyst learns what is wrong, where, and what to do."""
    with pytest.raises(echelon.InputError) as caught:
        echelon.solve(tables, "allocation", options=options)
    found = [f for f in caught.value.findings if f.table == table and rule in f.rule]
    assert found and all(f.remedy for f in found), [str(f) for f in caught.value.findings]


@pytest.mark.parametrize(
    ("tables", "options", "table", "rule"), [d[1:] for d in DOUBTFUL], ids=[d[0] for d in DOUBTFUL]
)
def test_a_doubtful_case_is_planned_with_a_warning(
    tables: Frames, options: dict[str, Any], table: str, rule: str
) -> None:
    run = solve(tables, **options)
    assert [f for f in run.findings if f.table == table and rule in f.rule and f.severity == "warning"]


def test_all_findings_come_at_once() -> None:
    """Mending one finding a run would take a day."""
    tables = small(items={"min_suppliers": 5}, shares={"supplier": ["S", "T"], "item": "A", "min_share": 0.6},
                   scenarios={"scenario": "a", "probability": 0.5})  # fmt: skip
    with pytest.raises(echelon.InputError) as caught:
        echelon.solve(tables, "allocation")
    assert {f.table for f in caught.value.findings} >= {"items", "shares", "scenarios"}


INFEASIBLE: list[tuple[str, Frames, dict[str, Any], str, str, str]] = [  # what, tables, options, table, column, would do
    ("cap", small(offer_terms={"capacity": [None, 4.0]}, caps={"kind": "supplier", "name": "S", "max_share": 0.3}), {}, "caps", "max_share", "0."),
    ("max share", small(offer_terms={"capacity": [None, 4.0]}, shares={"supplier": "S", "item": "A", "max_share": 0.5}), {}, "shares", "max_share", "0.6"),
    ("min share", small(offer_terms={"capacity": [None, 4.0]}, shares={"supplier": "T", "item": "A", "min_share": 0.5}), {}, "shares", "min_share", "0.4"),
    ("hard budget", small(ceilings={"kind": "budget", "amount": 20.0, "hard": True}), {}, "ceilings", "amount", "30"),
    ("hard carbon", small(offer_terms={"carbon": 1.0}, ceilings={"kind": "carbon", "amount": 4.0, "hard": True}), {}, "ceilings", "amount", "10"),
    ("supplier capacity", case({"A": 6.0, "B": 6.0}, {"S A": 3.0, "S B": 4.0}, suppliers={"supplier": ["S"], "capacity": 10.0}), {}, "suppliers", "capacity", "12"),
    ("minimum", small(offer_terms={"capacity": [6.0, None], "minimum": [0.0, 7.0]}, shares={"supplier": "S", "item": "A", "min_share": 0.5}), {}, "offers", "minimum", "5"),
    ("minimum spend", small(suppliers={"supplier": ["S", "T"], "minimum_spend": 50.0}), {}, "suppliers", "minimum_spend", ""),
    ("max suppliers", small(offer_terms={"capacity": 6.0}, items={"max_suppliers": 1.0}), {}, "items", "max_suppliers", "2"),
    ("max in all", small(offer_terms={"capacity": 6.0}), {"max_suppliers": 1}, "options", "max_suppliers", "2"),
    ("min in all", small(), {"min_suppliers": 3}, "options", "min_suppliers", "2"),
    ("incumbent", small(offer_terms={"capacity": [3.0, None]}, current_awards={"supplier": "S", "item": "A", "share": 0.8, "max_loss": 0.1}), {}, "current_awards", "max_loss", "0.5"),
    ("max change", small(offer_terms={"capacity": [3.0, None]}, current_awards={"supplier": "S", "item": "A", "share": 0.8}), {"max_change": 0.1}, "options", "max_change", "0.5"),
    ("required", small(pairs={"supplier": ["S", "T"], "item": "A", "rule": "required", "quantity": 6.0}), {}, "pairs", "quantity", ""),
    ("local", small(offer_terms={"capacity": [4.0, None]}, suppliers={"supplier": ["S", "T"], "region": ["EU", "ASIA"]},
                    sites={"site": "MAIN", "region": "EU"}, items={"local_min_share": 0.6}), {}, "items", "local_min_share", "0.4"),
    ("survival", small(offer_terms={"capacity": [None, 4.0]}, items={"survives": "supplier"}), {}, "items", "survival_share", "0.4"),
    ("cost limit", small(), {"cost_limit": 29.0}, "options", "cost_limit", "30 would do"),
    ("smallest share", small(offer_terms={"capacity": [9.0, None]}, items={"smallest_share": 0.3}, shares={"supplier": "T", "item": "A", "max_share": 0.2}),
     {}, "items", "smallest_share", "0.2"),
    ("cap of each", small(offer_terms={"capacity": [4.0, None]}, caps={"kind": "supplier", "name": "", "max_share": 0.5}), {}, "caps", "max_share", "0."),
    ("no second source", small(offer_terms={"capacity": [None, 0.0]}, items={"survives": "supplier"}), {}, "items", "survives", 'survives = "none"'),
    ("required of one too many", small(offer_terms={"capacity": [None, 5.0]}, items={"max_suppliers": 1.0}, pairs={"supplier": "T", "item": "A", "rule": "required", "quantity": 1.0}),
     {}, "pairs", "status", 'status = "exclude"'),
    ("a site that its supplier cannot fill, its name left blank", change(case({"A@MAIN": 6.0, "A@M": 4.0}, TWO | {"U A": 5.0}, offer_terms={"capacity": [3.0, None, None]},
     lanes={"supplier": ["S", "T", "U"], "site": ["MAIN", "M", "M"]}), demand={"site": ["", "M"]}), {}, "demand", "quantity", "3 would do"),
    ("several at once", small(offer_terms={"capacity": 6.0}, items={"max_suppliers": 1.0}, ceilings={"kind": "budget", "amount": 20.0, "hard": True}),
     {"min_suppliers": 3}, "items", "max_suppliers", "2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tables", "options", "table", "column", "would_do"), [i[1:] for i in INFEASIBLE], ids=[i[0] for i in INFEASIBLE]
)
def test_an_infeasible_case_says_what_stands_in_the_way(
    tables: Frames, options: dict[str, Any], table: str, column: str, would_do: str
) -> None:
    """No award keeps all rules: which must give, and to what value."""
    with pytest.raises(echelon.SolveError) as caught:
        solve(tables, **options)
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE
    found = [f for f in caught.value.findings if (f.table, f.column) == (table, column)]
    assert found and any(would_do in f.remedy for f in found), [str(f) for f in caught.value.findings]
    case = replace(echelon.read(tables), settings={"options": QUIET | options})
    mended = echelon.heed(case, caught.value.findings, "allocation")
    assert echelon.solve(mended, "allocation", **EXACTLY.model_dump()).outcome.has_plan


def test_the_rich_case_has_no_errors() -> None:
    assert {f.severity for f in solve(rich()).findings} == {"warning"}
