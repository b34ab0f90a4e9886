"""Coordination by prices against the one model: the same rules, a true bound, the same optimum where it is exact."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings

import echelon
from echelon.tables import Frames
from echelon_models.ordering import _method

from .brute_force import cheapest
from .cases import EXACTLY, case, change, completed, frame, optimum
from .limit_cases import limits, limits_in_detail
from .random_cases import OPTIONAL, cases
from .rule_cases import NO_SHORTAGE, Rule, decisions, order_terms, stock_and_shortage

FEW = settings(
    max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
SEPARATE = set(OPTIONAL) - {"budgets", "storage", "supplier_capacity", "suppliers"}
LIMIT = {"budgets": "budget", "supplier_capacity": "supplier capacity"}
RULES = [*order_terms(), *stock_and_shortage(), *limits(), *limits_in_detail(), *decisions()]


def by_prices(tables: Frames, **how: Any) -> echelon.Run:
    """The rechecked plan by prices; `how` may be options of the family or of the solve."""
    solve_options = {name: how.pop(name) for name in ("executor", "gap", "start", "time_limit") if name in how}
    options = {"method": "prices", "price_pins": False, **how}
    return echelon.solve(tables, "ordering", options=options, **{**EXACTLY.model_dump(), **solve_options})


def has_no_plan(tables: Frames) -> None:
    """What no plan can keep to by the items' own rules is infeasible by prices too."""
    with pytest.raises(echelon.SolveError) as caught:
        by_prices(tables)
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE


def many(items: int, seed: int = 0, room: float = 1.1) -> Frames:
    """Items with minimums, multiples and breaks that share a budget and a supplier's capacity over eight periods."""
    rng = np.random.default_rng(seed)
    names, weekly = [f"I{n:03}" for n in range(items)], rng.integers(5, 40, items)
    demand = {i: rng.poisson(mean, 8).tolist() for i, mean in zip(names, weekly, strict=True)}
    price, every = rng.uniform(1, 5, items).round(2), np.arange(items)
    return case(
        demand,
        items={"item": names, "value": price.tolist(), "holding_rate": 0.3},
        offers={
            "supplier": "S",
            "item": names,
            "price": price.tolist(),
            "line_cost": rng.uniform(5, 40, items).round(2).tolist(),
            "minimum": np.where(every % 3 == 0, 12.0, 0.0).tolist(),
            "multiple": [6.0 if n % 3 == 0 else None for n in every],
        },
        price_breaks={
            "supplier": "S",
            "item": names[1::5],
            "from_quantity": 60.0,
            "price": (0.9 * price[1::5]).tolist(),
        },
        budgets={"amount": float(room * price @ weekly), "excess_cost": 2.0},
        supplier_capacity={"supplier": "S", "capacity": float(room * weekly.sum()), "excess_cost": 10.0},
        shortages=NO_SHORTAGE,
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_holds_and_costs_what_trying_every_plan_says(rule: Rule) -> None:
    """No rule may be dropped: on these cases the optimum without it is another. The bound is never above it, and the
    repair, which may plan all of so few items together, finds it."""
    truth = cheapest(rule.tables, rule.grid, rule.sends, **rule.options)
    outcome = by_prices(rule.tables, **rule.options).outcome
    assert outcome.objective == pytest.approx(truth, rel=1e-6, abs=1e-6)
    assert outcome.bound is not None and outcome.bound <= truth + 1e-6 * max(1.0, abs(truth))


@FEW
@given(cases(only=SEPARATE - {"lanes", "shares", "shortages"}))
def test_without_shared_limits_each_place_is_planned_best(tables: Frames) -> None:
    """Nothing joins the places, so the dynamic programme alone must find the optimum, and prove it."""
    best = optimum(tables)
    if best == float("inf"):
        has_no_plan(tables)
        return
    outcome = by_prices(tables).outcome
    assert outcome.objective == pytest.approx(best, rel=1e-6, abs=1e-6)
    assert outcome.bound == pytest.approx(best, rel=1e-6, abs=1e-6)


@FEW
@given(cases(only=SEPARATE, hard=False))
def test_without_shared_limits_each_item_is_planned_best(tables: Frames) -> None:
    """The same with lanes, shares and fill rates, for which an item is a small programme (solved to its own gap)."""
    best = optimum(tables)
    if best == float("inf"):
        has_no_plan(tables)
        return
    outcome = by_prices(tables).outcome
    assert outcome.objective == pytest.approx(best, rel=1e-3, abs=1e-6)
    assert outcome.bound is not None and outcome.bound <= best + 1e-6 * max(1.0, abs(best))


@FEW
@given(cases(hard=False))
def test_the_bound_is_true_and_the_plan_keeps_all_rules(tables: Frames) -> None:
    """Whatever the case, no plan costs less than the bound, and the recheck passes."""
    best = optimum(tables)
    if best == float("inf"):
        has_no_plan(tables)
        return
    outcome = by_prices(tables).outcome
    assert outcome.bound is not None and outcome.bound <= best + 1e-6 * max(1.0, abs(best))
    assert outcome.objective is not None and outcome.objective >= best - 1e-6 * max(1.0, abs(best))


@FEW
@given(cases())
def test_hard_limits_are_kept_or_there_is_no_plan(tables: Frames) -> None:
    """A plan that breaks a hard limit is never given out; a case without a plan is never given one."""
    best = optimum(tables)
    try:
        outcome = by_prices(tables).outcome
    except echelon.SolveError as error:
        assert error.outcome.termination is not echelon.Termination.INFEASIBLE or best == float("inf")
        return
    assert outcome.objective is not None and outcome.objective >= best - 1e-6 * max(1.0, abs(best))


def test_items_that_cannot_be_served_are_explained() -> None:
    """An item whose first delivery comes too late is infeasible whatever the prices, and the user must hear which."""
    tables = case(
        {"A": [4, 4], "B": [3, 3]},
        offers={"supplier": "S", "item": ["A", "B"], "price": 1.0, "lead_time": [0, 1]},
        shortages=NO_SHORTAGE,
    )
    with pytest.raises(echelon.SolveError) as caught:
        by_prices(tables)
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE
    [finding] = caught.value.findings
    assert "demand of B at MAIN cannot all be served: 3 units are missing" in finding.rule


def test_a_hard_limit_that_cannot_hold_is_named_with_its_excess() -> None:
    """Prices cannot prove that no plan exists, but they can say which limits the best plan found breaks."""
    tables = case(
        {"A": [4, 4, 4]},
        offers={"supplier": "S", "item": "A", "price": 1.0},
        supplier_capacity={"supplier": "S", "capacity": 3.0, "hard": True},
        shortages=NO_SHORTAGE,
    )
    with pytest.raises(echelon.SolveError) as caught:
        by_prices(tables)
    assert caught.value.outcome.termination is echelon.Termination.NO_SOLUTION
    assert {f.table for f in caught.value.findings} == {"supplier_capacity"}
    assert all("exceeds the hard limit of S" in f.rule for f in caught.value.findings)


def test_a_plan_of_many_items_is_close_to_its_bound() -> None:
    """At most as many items are split as there are limit rows, so the gap is small where items are many."""
    run = by_prices(many(200), gap=1e-2)
    assert run.outcome.gap is not None and run.outcome.gap <= 1e-2
    assert (run.plan["limits"]["price"] > 0).any()


@pytest.mark.parametrize("executor", ["processes:3"])
def test_the_executor_changes_nothing(executor: str) -> None:
    """Shards are only a way to share out the work: bound, prices and plan are the same for any number of them."""
    one, other = by_prices(many(120), gap=1e-2), by_prices(many(120), gap=1e-2, executor=executor)
    assert other.outcome.bound == pytest.approx(one.outcome.bound, rel=1e-9)
    assert other.outcome.objective == pytest.approx(one.outcome.objective, rel=1e-9)
    pd.testing.assert_frame_equal(other.plan["limits"], one.plan["limits"])
    pd.testing.assert_frame_equal(other.plan["orders"], one.plan["orders"])


def test_known_prices_halve_the_rounds() -> None:
    """Where demand moved by up to 5%, last run's prices are nearly right."""
    before, tables = by_prices(many(300), gap=1e-2), many(300)
    quantity = tables["demand"]["quantity"]
    moved = np.random.default_rng(1).uniform(0.95, 1.05, len(quantity))
    tables = change(tables, demand={"quantity": (quantity * moved).round(2)})
    cold, warm = by_prices(tables, gap=1e-2), by_prices(tables, gap=1e-2, start=before)
    assert warm.kpis["price_rounds"] <= cold.kpis["price_rounds"] / 2
    assert warm.outcome.bound == pytest.approx(cold.outcome.bound, rel=1e-4)


def test_prices_of_another_case_do_no_harm() -> None:
    """A start is advice: limits it does not know, and prices that are wildly wrong, only cost rounds."""
    tables = many(60)
    start = by_prices(change(tables, budgets={"amount": 1.0}, supplier_capacity=None), gap=1e-2)
    assert (start.prices["price"] >= 1).any()
    cold, warm = by_prices(tables, gap=1e-2), by_prices(tables, gap=1e-2, start=start)
    assert warm.outcome.bound == pytest.approx(cold.outcome.bound, rel=1e-3)


@pytest.mark.parametrize(
    ("table", "column", "step"), [("budgets", "amount", 20.0), ("supplier_capacity", "capacity", 5.0)]
)
def test_a_price_is_what_easing_the_limit_saves(table: str, column: str, step: float) -> None:
    """With many items the cost is nearly convex in a limit, so a real re-solve with more of it saves what the price
    promises: the same sign and order of magnitude."""
    tables = many(80, room=1.0)
    periods = [str(t + 1) for t in range(8)]
    spread = frame({**tables[table].iloc[0].to_dict(), "period": periods})
    tables = change(tables, **{table: spread})
    run = by_prices(tables, gap=1e-2)
    rows = run.plan["limits"]
    prices = rows[rows["limit"] == LIMIT[table]].set_index("period")["price"]
    dearest = prices.idxmax()
    assert prices[dearest] > 0.01
    eased = spread.assign(**{column: spread[column] + np.where(spread["period"] == dearest, step, 0.0)})
    saved = (run.outcome.bound or 0.0) - (by_prices(change(tables, **{table: eased}), gap=1e-2).outcome.bound or 0.0)
    assert 0.3 * prices[dearest] * step <= saved <= 1.001 * prices[dearest] * step


def test_without_fixed_costs_a_price_is_exact() -> None:
    """The problem is linear then, and strong duality holds: the price is the saving by one more unit."""
    tables = case(
        {"A": [2, 9, 2], "B": [1, 6, 3]},
        offers={"supplier": "S", "item": ["A", "B"], "price": 1.0},
        supplier_capacity={
            "supplier": "S",
            "period": ["1", "2", "3"],
            "capacity": [8.0, 9.0, 9.0],
            "excess_cost": 50.0,
        },
        shortages=NO_SHORTAGE,
    )
    run = by_prices(tables)
    price = run.plan["limits"].set_index("period")["price"]
    for period in ("1", "2", "3"):
        more = tables["supplier_capacity"]["capacity"] + (tables["supplier_capacity"]["period"] == period) * 0.5
        eased = change(tables, supplier_capacity={"capacity": more})
        assert optimum(tables) - optimum(eased) == pytest.approx(0.5 * price[period], rel=1e-5, abs=1e-5)


def test_prices_never_rise_along_a_budget_that_carries_over() -> None:
    """What may be spent later is worth at least as much now."""
    tables = change(many(60, room=1.0), supplier_capacity=None, budgets={"carry_over": True})
    prices = by_prices(tables, gap=1e-2).plan["limits"]["price"].to_numpy()
    assert prices.max() > 0
    assert (np.diff(prices) <= 1e-9).all()


def test_a_soft_limit_is_never_dearer_than_its_excess() -> None:
    """Whoever can exceed a limit at 0.5 pays no more for keeping it."""
    tables = change(many(60, room=0.9), budgets={"excess_cost": 0.5}, supplier_capacity={"excess_cost": 0.25})
    limits = by_prices(tables, gap=1e-2).plan["limits"]
    assert limits.query("limit == 'budget'")["price"].max() <= 0.5
    assert limits.query("limit == 'supplier capacity'")["price"].max() <= 0.25


def test_size_decides_how_a_case_is_solved() -> None:
    """A newcomer never needs to choose; who does choose is obeyed."""
    small, options = completed(many(20))
    large = small | {"item_sites": pd.concat([small["item_sites"]] * 60, ignore_index=True)}
    assert (_method(small, options), _method(large, options)) == ("mip", "prices")
    asked = options.model_copy(update={"method": "mip"})
    assert _method(large, asked) == "mip"


def test_notes_tell_how_the_bound_came_about() -> None:
    """Where a bound is weaker than it might be, the run says so."""
    plain = by_prices(many(40), gap=1e-2)
    assert any(note.startswith("prices: ") for note in plain.notes)
    assert not any("weak" in note for note in plain.notes)
    joint = by_prices(many(40) | {"suppliers": frame({"supplier": ["S"], "order_cost": 30.0})}, gap=1e-2)
    assert any("order cost" in note for note in joint.notes)
