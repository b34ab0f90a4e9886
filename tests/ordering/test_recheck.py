"""The recheck must catch every way in which a plan can break a rule or say something untrue about itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.family import Answer
from echelon.tables import Frames
from echelon_models.ordering import FAMILY

from .cases import completed, rich, solve

FROZEN = 1
Mutation = Callable[[Frames], Any]


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(rich(), frozen_periods=FROZEN, price_pins=False)


@pytest.fixture(scope="module")
def full() -> Frames:
    return completed(rich(), frozen_periods=FROZEN)[0]


def violated(full: Frames, plan: Frames) -> set[str]:
    return {v.rule for v in FAMILY.recheck(full, FAMILY.options(frozen_periods=FROZEN), plan).violations}


def put(table: str, column: str, value: Any, row: int | None = None, **where: str) -> Mutation:
    """Write a value (or what a function makes of the old one) into the rows where the columns have these values."""

    def mutate(plan: Frames) -> None:
        frame = plan[table]
        rows = pd.Series(True, frame.index) if row is None else frame.index == row
        for name, wanted in where.items():
            rows &= frame[name] == wanted
        assert rows.any(), f"no such row in {table}"
        frame.loc[rows, column] = value(frame.loc[rows, column]) if callable(value) else value

    return mutate


def more(amount: float) -> Callable[[Any], Any]:
    return lambda old: old + amount


def drop(table: str, row: int) -> Mutation:
    def mutate(plan: Frames) -> None:
        plan[table] = plan[table].drop(index=row).reset_index(drop=True)

    return mutate


def repeat(table: str, row: int) -> Mutation:
    def mutate(plan: Frames) -> None:
        plan[table] = pd.concat([plan[table], plan[table].iloc[[row]]], ignore_index=True)

    return mutate


def both(*mutations: Mutation) -> Mutation:
    def mutate(plan: Frames) -> None:
        for each in mutations:
            each(plan)

    return mutate


PINNED, LARGE = {"supplier": "T", "period": "1"}, {"supplier": "S", "period": "2"}
A_AT_MAIN = {"item": "A", "site": "MAIN"}
B_AT_MAIN = {"item": "B", "site": "MAIN"}
A_AT_SHOP = {"item": "A", "site": "SHOP"}

PLAN_MUTATIONS: list[tuple[str, Mutation]] = [
    ("every order has an offer", put("orders", "item", "B", **PINNED)),
    ("one line an offer and period", repeat("orders", 1)),
    ("the amount is price times quantity", put("orders", "amount", more(-1.0), **LARGE)),
    ("the amount is price times quantity", put("orders", "quantity", more(-2.0), **LARGE)),
    ("the unit price is amount by quantity", put("orders", "unit_price", 4.0, **LARGE)),
    ("the order date is the period's", put("orders", "order_date", pd.Timestamp("2027-01-02"), **LARGE)),
    ("the arrival date follows from the lead time", put("orders", "arrival_date", pd.Timestamp("2027-01-01"), **LARGE)),
    ("the arrival date follows from the lead time", put("orders", "arrival_date", pd.NaT, **LARGE)),
    ("pinned orders are marked", put("orders", "pinned", False, **PINNED)),
    ("no order in the frozen window", put("orders", "period", "1", **LARGE)),
    ("no order in the frozen window", put("orders", "period", "never", **LARGE)),
    ("orders arrive within the horizon", put("orders", "period", "4", **LARGE)),
    ("minimum quantity", put("orders", "quantity", 2.0, **LARGE)),
    ("minimum quantity", put("orders", "quantity", -4.0, **LARGE)),
    ("minimum quantity", put("orders", "quantity", float("nan"), **LARGE)),
    ("maximum quantity", put("orders", "quantity", 22.0, **LARGE)),
    ("multiple", put("orders", "quantity", 9.0, **LARGE)),
    ("pinned orders are kept", drop("orders", 0)),
    ("pinned orders are kept", put("orders", "quantity", 4.0, **PINNED)),
    ("pinned orders are kept", put("orders", "period", "2", **PINNED)),
    ("every transfer has a lane", put("transfers", "item", "C", row=0)),
    ("every transfer has a lane", put("transfers", "to_site", "MAIN", row=0)),
    ("transfers are not negative", put("transfers", "quantity", -3.0, row=0)),
    ("transfers arrive within the horizon", put("transfers", "period", "4", row=0)),
    ("the cost of transfers", put("transfers", "cost", 0.0, row=0)),
    ("the send date is the period's", put("transfers", "send_date", pd.Timestamp("2027-01-02"), row=0)),
    ("a transfer's arrival date follows from the lead time",
     put("transfers", "arrival_date", pd.Timestamp("2027-01-02"), row=0)),
    ("inventory covers all places and periods, and no others", drop("inventory", 3)),
    ("inventory covers all places and periods, and no others", put("inventory", "item", "C", row=15)),
    ("one row a place and period", repeat("inventory", 15)),
    ("arrivals", drop("orders", 1)),
    ("arrivals", drop("transfers", 0)),
    ("arrivals", put("orders", "period", "3", **LARGE)),
    ("arrivals", put("inventory", "arrivals", more(1.0), period="2", **A_AT_MAIN)),
    ("sent", put("transfers", "quantity", more(1.0), row=0)),
    ("sent", put("inventory", "sent", 0.0, period="2", **A_AT_MAIN)),
    ("demand", put("inventory", "demand", more(-1.0), period="4", **A_AT_MAIN)),
    ("stock balance", put("inventory", "closing", more(1.0), period="3", **A_AT_MAIN)),
    ("opening stock", put("inventory", "opening", more(1.0), period="1", **A_AT_MAIN)),
    ("opening stock", put("inventory", "opening", more(1.0), period="3", **A_AT_MAIN)),
    ("the value of stock", put("inventory", "value", 0.0, period="1", **A_AT_MAIN)),
    ("demand is served, lost or waits", put("inventory", "lost", more(-1.0), period="4", **B_AT_MAIN)),
    ("demand is served, lost or waits", put("inventory", "waiting", 0.0, period="2", **A_AT_MAIN)),
    ("demand is served, lost or waits", put("inventory", "served", more(1.0), period="2", **A_AT_MAIN)),
    ("short", put("inventory", "short", 0.0, period="2", **A_AT_MAIN)),
    ("opening is not negative", put("inventory", "opening", -1.0, period="3", **A_AT_MAIN)),
    ("closing is not negative",
     both(put("inventory", "served", more(2.0), period="4", **A_AT_MAIN),
          put("inventory", "closing", -2.0, period="4", **A_AT_MAIN))),
    ("served is not negative", put("inventory", "served", -1.0, period="2", **A_AT_MAIN)),
    ("lost is not negative", put("inventory", "lost", -1.0, period="3", **B_AT_MAIN)),
    ("waiting is not negative", put("inventory", "waiting", -1.0, period="3", **A_AT_MAIN)),
    ("lost demand is demand", put("inventory", "lost", 9.0, period="3", **B_AT_MAIN)),
    ("demand waits only where it may", put("inventory", "waiting", 1.0, period="4", **B_AT_MAIN)),
    ("demand waits only where it may",
     both(put("inventory", "served", more(-1.0), period="4", **A_AT_SHOP),
          put("inventory", "waiting", 1.0, period="4", **A_AT_SHOP))),
    ("demand is lost only where it may be", put("inventory", "lost", 2.0, period="2", **A_AT_MAIN)),
    ("smallest share", put("orders", "quantity", more(22.0), **LARGE)),
    ("largest share", put("orders", "quantity", more(40.0), supplier="T", period="4")),
    ("hard budget", put("orders", "quantity", more(12.0), **LARGE)),
    ("hard supplier capacity", put("orders", "quantity", 16.0, **LARGE)),
    ("hard storage", put("inventory", "closing", 25.0, period="3", **A_AT_SHOP)),
    ("hard fill rate", put("inventory", "short", 9.0, period="2", **A_AT_MAIN)),
    ("use of budget", put("limits", "use", 40.0, limit="budget", name="", period="2")),
    ("use of storage", put("limits", "use", 6.0, limit="storage", name="MAIN", period="1")),
    ("use of supplier capacity", put("limits", "use", 1.0, unit="hours", period="2")),
    ("excess of budget", put("limits", "excess", 0.0, limit="budget", name="", period="2")),
    ("excess of storage", put("limits", "excess", 0.0, limit="storage", name="MAIN", period="1")),
    ("excess of supplier capacity", put("limits", "excess", 1.0, unit="hours", period="2")),
    ("capacity of budget", put("limits", "capacity", 45.0, limit="budget", name="", period="2")),
    ("capacity of storage", put("limits", "capacity", 9.0, limit="storage", name="MAIN", period="1")),
    ("capacity of supplier capacity", put("limits", "capacity", 9.0, unit="hours", period="2")),
    ("use of storage", drop("limits", 8)),
    ("one row a limit and period", repeat("limits", 7)),
    ("limits are those of the case", put("limits", "name", "T", row=16)),
]  # fmt: skip


def test_a_true_plan_passes(run: echelon.Run, full: Frames) -> None:
    """Without this the other tests would prove nothing."""
    assert violated(full, run.plan) == set()


@pytest.mark.parametrize(
    ("rule", "mutate"), PLAN_MUTATIONS, ids=[f"{n}-{r}" for n, (r, _) in enumerate(PLAN_MUTATIONS)]
)
def test_a_plan_that_breaks_a_rule_is_caught_by_that_rule(
    run: echelon.Run, full: Frames, rule: str, mutate: Mutation
) -> None:
    """A planner who acts on a plan relies on every column of it; one wrong cell must not slip through."""
    plan = {name: frame.copy() for name, frame in run.plan.items()}
    mutate(plan)
    assert rule in violated(full, plan)


def test_every_rule_of_the_recheck_has_a_mutation_here(run: echelon.Run) -> None:
    """A rule that nothing can break is not tested, or is no rule."""
    assert len({rule for rule, _ in PLAN_MUTATIONS}) == run.rules_checked


CASE_CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("hard budget", "budgets", {"amount": 44.0}),
    ("hard budget", "budgets", {"hard": True}),
    ("hard storage", "storage", {"hard": True}),
    ("hard supplier capacity", "supplier_capacity", {"capacity": 1.0, "hard": True}),
    ("hard fill rate", "item_sites", {"fill_rate": 0.9, "fill_rate_hard": True}),
    ("demand waits only where it may", "item_sites", {"policy": "none"}),
    ("demand is lost only where it may be", "item_sites", {"policy": "backorder"}),
    ("minimum quantity", "offers", {"minimum": 12.0}),
    ("maximum quantity", "offers", {"maximum": 9.0}),
    ("multiple", "offers", {"multiple": 3.0}),
    ("orders arrive within the horizon", "offers", {"lead_time": 3}),
    ("smallest share", "shares", {"min_share": 0.5}),
    ("largest share", "shares", {"max_share": 0.4}),
    ("arrivals", "lanes", {"lead_time": 0}),
    ("arrivals", "receipts", {"quantity": 1.0}),
    ("opening stock", "stock", {"quantity": 1.0}),
    ("the amount is price times quantity", "price_breaks", {"from_quantity": 11.0}),
    ("pinned orders are kept", "pinned_orders", {"quantity": 2.0}),
]


@pytest.mark.parametrize(("rule", "table", "columns"), CASE_CHANGES, ids=[f"{t}-{r}" for r, t, _ in CASE_CHANGES])
def test_a_plan_for_another_case_is_caught(
    run: echelon.Run, full: Frames, rule: str, table: str, columns: dict[str, Any]
) -> None:
    """The recheck reads the case's tables, not the plan's word for them: the same plan fails where the case is
    stricter."""
    assert rule in violated(full | {table: full[table].assign(**columns)}, run.plan)


def test_the_costs_add_up_to_the_objective(run: echelon.Run) -> None:
    """The cost lines are recomputed from the tables; that they meet the solver's objective is the proof of both."""
    assert sum(run.costs.values()) == pytest.approx(run.outcome.objective)
    unused = {"supplier capacity excess", "final stock"}
    assert {name for name, cost in run.costs.items() if abs(cost) < 1e-9} == unused, "a cost line that is not tested"


def test_each_cost_line_by_hand(run: echelon.Run) -> None:
    """Each line is arithmetic on the plan that a planner could redo on paper."""
    stock = run.plan["inventory"]
    value = {"A": 4.0 * 0.5, "B": 3.0 * 0.2}
    waiting_at_end = stock.loc[stock["period"] == "4", "waiting"].sum()
    short_of_2 = (2.0 - stock.loc[(stock["item"] == "A") & (stock["site"] == "MAIN"), "closing"]).clip(lower=0).sum()
    lost = stock["lost"].sum()
    by_hand = {
        "purchase": 3 * 6.0 + 10 * 4.5 + 4 * 6.0,
        "order lines": 3.0,
        "supplier orders": 4.0,
        "transfers": 0.5 * run.plan["transfers"]["quantity"].sum(),
        "holding": sum(value[i] * q for i, q in zip(stock["item"], stock["closing"], strict=True)),
        "waiting demand": 1.0 * stock["waiting"].sum(),
        "demand never served": 2.0 * lost + 20.0 * waiting_at_end,
        "safety stock shortfall": 0.75 * short_of_2,
        "fill rate missed": 1.0 * (lost - 0.1 * 12),
        "budget excess": 0.25 * 3.0,
        "storage excess": 0.5 * 2.5,
    }
    assert {name: run.costs[name] for name in by_hand} == pytest.approx(by_hand)


def test_a_cost_that_the_solver_understates_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An objective that the tables do not bear out is a wrong plan, even where every rule is kept."""

    def cheap(*arguments: Any) -> Answer:
        answer = FAMILY.solve(*arguments)
        return replace(answer, outcome=replace(answer.outcome, objective=(answer.outcome.objective or 0.0) - 1.0))

    monkeypatch.setattr("echelon.run.families", lambda: {"ordering": replace(FAMILY, solve=cheap)})
    with pytest.raises(echelon.RecheckError) as caught:
        solve(rich(), frozen_periods=FROZEN, price_pins=False)
    assert [v.rule for v in caught.value.violations] == ["the plan costs what the solver says"]
    assert caught.value.violations[0].amount == pytest.approx(1.0)


def test_a_broken_plan_raises_and_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a family's solve returns, `echelon.solve` hands out no plan that breaks a rule of the case."""

    def broken(*arguments: Any) -> Answer:
        answer = FAMILY.solve(*arguments)
        return replace(answer, plan=answer.plan | {"orders": answer.plan["orders"].iloc[1:]})

    monkeypatch.setattr("echelon.run.families", lambda: {"ordering": replace(FAMILY, solve=broken)})
    got = None
    with pytest.raises(echelon.RecheckError) as caught:
        got = solve(rich(), frozen_periods=FROZEN, price_pins=False)
    assert got is None
    kept = next(v for v in caught.value.violations if v.rule == "pinned orders are kept")
    assert kept.amount == pytest.approx(3.0)
    assert "T, A, MAIN" in kept.where


def test_the_recheck_changes_nothing(run: echelon.Run, full: Frames) -> None:
    """Proof must not touch what it proves."""
    before = {name: frame.copy() for name, frame in {**run.plan, **full}.items()}
    violated(full, run.plan)
    for name, frame in {**run.plan, **full}.items():
        pd.testing.assert_frame_equal(frame, before[name])
