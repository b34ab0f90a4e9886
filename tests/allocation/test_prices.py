"""The search by prices of what items share: a true bound and a real award, whatever the rules."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from scipy.sparse import csr_array

import echelon
from echelon.solvers.outcome import Control, SolveOptions, Termination
from echelon.solvers.watch import Watch
from echelon.tables import Frames
from echelon_models.allocation import search
from echelon_models.allocation.awards import keeps_cost_limit, warm_start
from echelon_models.allocation.benders import Scenarios, measured
from echelon_models.allocation.formulation import build
from echelon_models.allocation.prices.coordinate import Priced, award_by_prices
from echelon_models.allocation.prices.dive import Dive
from echelon_models.allocation.prices.parts import Parts
from echelon_models.allocation.prices.splits import Splits, can_list
from echelon_models.allocation.sets import Sets, prepare

from .brute_force import cheapest
from .cases import EXACT, QUIET, case, completed
from .rule_cases import Rule, costs, limits, risk

LISTED = [rule for rule in [*costs(), *limits(), *risk()] if can_list(prepare(*completed(rule.tables, **rule.options)))]
NO_SPLIT_FITS = {
    "cap of every supplier without a row of its own",
    "cap of a parent",
    "worst case",
    "mean-CVaR",
    "level of CVaR",
}
RISKS = [rule for rule in LISTED if "scenarios" in rule.tables and rule.name not in NO_SPLIT_FITS]


def cost_of(award: Any, sets: Sets) -> float:
    """What an award costs by its own prices and the exact recourse in every scenario."""
    model = build(sets)
    warm_start(model, award)
    recourse = Scenarios(sets).costs(model)
    assert keeps_cost_limit(model, sets, recourse)
    return float(pyo.value(model.plan_cost)) + (measured(recourse, sets) if sets.scenarios else 0.0)


@pytest.mark.parametrize("rule", LISTED, ids=lambda rule: rule.name)
def test_the_optimum_lies_between_bound_and_award(rule: Rule) -> None:
    """Enumeration says what is best: no bound may be above it, no award below it. Both are found wherever a listed split
    keeps the item's rows (with one item, what suppliers may have in all is among these)."""
    sets = prepare(*completed(rule.tables, **rule.options))
    truth = cheapest(rule.tables, **rule.options)
    priced = award_by_prices(sets, Watch(SolveOptions(time_limit=5.0)))
    slack = EXACT * max(1.0, abs(truth))
    if rule.name in NO_SPLIT_FITS:
        assert priced.award is None and priced.bound is None
        return
    assert priced.award is not None and priced.bound is not None
    assert priced.bound <= truth + slack
    assert cost_of(priced.award, sets) >= truth - slack


def two_items() -> Frames:
    """Two items share two suppliers, one of which may burn down."""
    return case({"A": 6, "B": 6}, {"S A": 3, "T A": 4, "S B": 2, "T B": 2.5},
                offer_terms={"capacity": [6.0, 5.0, 6.0, 5.0]},
                scenarios={"scenario": ["plan", "fire"], "probability": [0.7, 0.3]},
                disruptions={"scenario": "fire", "kind": "supplier", "name": "S", "capacity_left": 0.0})  # fmt: skip


@pytest.mark.parametrize("objective", ["expected", "worst", "mean_cvar"])
def test_each_measure_of_risk_is_priced(objective: str) -> None:
    """What the measure counts stands in linking rows."""
    sets, truth = prepare(*completed(two_items(), objective=objective)), cheapest(two_items(), objective=objective)
    priced = award_by_prices(sets, Watch(SolveOptions(time_limit=5.0)))
    assert priced.award is not None and cost_of(priced.award, sets) >= truth - EXACT
    assert priced.bound is not None and priced.bound <= truth + EXACT


def test_ctrl_c_keeps_the_award_found_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    """An award is there, and told, before better roles are looked for; who stops then has it."""
    search_on = Dive.better_roles

    def pressed(dive: Dive, until: float) -> bool:
        dive.generation.watch.interrupted = True
        return search_on(dive, until)

    monkeypatch.setattr(Dive, "better_roles", pressed)
    told: list[float | None] = []
    watch = Watch(SolveOptions(time_limit=5.0), progress=lambda shown: told.append(shown.incumbent))
    sets = prepare(*completed(two_items(), objective="mean_cvar"))
    priced = award_by_prices(sets, watch)
    assert priced.award is not None and told == [pytest.approx(cost_of(priced.award, sets))]


@pytest.mark.parametrize("found", [True, False])
def test_ctrl_c_is_told_with_an_award_and_without(found: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found is kept and no other search begins; without an award there is none, not an infeasible case."""

    def pressed(sets: Sets, watch: Watch) -> Priced:
        priced = award_by_prices(sets, watch)
        watch.interrupted = True
        return priced if found else Priced(None, None, 0)

    monkeypatch.setattr(search, "LARGE", 0)
    monkeypatch.setattr(search, "award_by_prices", pressed)
    for other in ("find_by_cuts", "_cut_around"):
        monkeypatch.delattr(search, other)
    sets = prepare(*completed(two_items(), objective="mean_cvar", decompose="always"))
    outcome = search.find(sets, Control(SolveOptions(time_limit=5.0))).outcome
    assert outcome.limit == "interrupt" and outcome.has_plan == found
    assert outcome.termination is (Termination.FEASIBLE if found else Termination.NO_SOLUTION)


@pytest.mark.parametrize("rule", RISKS, ids=lambda rule: rule.name)
def test_a_case_is_solved_by_prices(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole solve, recheck included, where cases count as large; the optimum is within the gap it tells."""
    monkeypatch.setattr(search, "LARGE", 0)
    truth = cheapest(rule.tables, **rule.options)
    options = QUIET | rule.options | {"decompose": "always"}
    outcome = echelon.solve(rule.tables, "allocation", options=options, time_limit=5.0, explain="off").outcome
    slack = EXACT * max(1.0, abs(truth))
    assert outcome.objective is not None and outcome.objective >= truth - slack
    assert outcome.bound is None or outcome.bound <= truth + slack


@pytest.mark.parametrize("rule", RISKS, ids=lambda rule: rule.name)
def test_a_listed_split_keeps_its_items_rows_and_costs_what_its_columns_do(rule: Rule) -> None:
    """All splits are priced by one product of matrices; each written out is a plan of the item at just that cost. (A cost
    limit, recourse included, is an item's own only where there is no other: it is left to the search.)"""
    sets = prepare(*completed(rule.tables, **rule.options))
    items = list(sets.suppliers_of)
    for item, part in zip(items, Parts(build(sets), items).items, strict=True):
        splits = Splits(sets, item, part, len(items))
        plans = splits.plans(part.cost, np.arange(len(splits)))
        assert plans @ part.cost == pytest.approx(splits.costs(part.cost))
        matrix = csr_array((part.value, part.index, part.start), (len(part.constraints), len(part.variables)))
        rows = [row.parent_component().local_name != "cost_limit" for row in part.constraints]
        use, low, high = (matrix @ plans.T).T[:, rows], part.row_lower[rows], part.row_upper[rows]
        assert (use >= low - EXACT).all() and (use <= high + EXACT).all()


@pytest.mark.parametrize("seed", range(5))
def test_any_prices_give_a_bound(seed: int) -> None:
    """The Lagrangian bound holds at prices drawn at random, whatever they are."""
    tables = case({"A": 6, "B": 6}, {"S A": 3, "T A": 4, "S B": 2, "T B": 3},
                  suppliers={"supplier": ["S", "T"], "capacity": [8.0, 9.0], "activation_cost": [2.0, 1.0]})  # fmt: skip
    sets = prepare(*completed(tables))
    parts = Parts(build(sets), list(sets.suppliers_of))
    y = parts.signed(np.random.default_rng(seed).normal(0.0, 1.0, len(parts.low)))
    none = [np.zeros(len(columns)) for columns in parts.columns]
    watch = Watch(SolveOptions(time_limit=5.0))
    bound = parts.bound(y, none, watch, watch.deadline)
    assert bound is not None and bound <= cheapest(tables) + EXACT
