"""The recheck must catch every way in which a plan can break a rule or say something untrue about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames
from echelon_models.allocation import FAMILY

from .cases import QUIET, RICH, completed, rich, solve

Change = Callable[[Frames], None]
OPTIONS = QUIET | RICH


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(rich(), **RICH, price_rules=True, renegotiate=5)


@pytest.fixture(scope="module")
def full() -> Frames:
    return completed(rich(), **OPTIONS)[0]


def violated(full: Frames, plan: Frames, **options: Any) -> set[str]:
    return {v.rule for v in FAMILY.recheck(full, FAMILY.options(**OPTIONS | options), plan).violations}


def put(table: str, column: str, value: Any, row: int | None = 0) -> Change:
    """Write a value (or what a function makes of the old one) into a row of a table, or into all of them."""

    def mutate(frames: Frames) -> None:
        frame = frames[table].reset_index(drop=True)
        rows = frame.index if row is None else [row]
        frame[column] = frame[column].astype(object) if isinstance(value, str) else frame[column]
        frame.loc[rows, column] = value(frame.loc[rows, column]) if callable(value) else value
        frames[table] = frame

    return mutate


def add(table: str, column: str, amount: float, row: int | None = 0) -> Change:
    return put(table, column, lambda old: old + amount, row)


def drop(table: str, row: int = 0) -> Change:
    def mutate(frames: Frames) -> None:
        frames[table] = frames[table].reset_index(drop=True).drop(index=row).reset_index(drop=True)

    return mutate


def repeat(table: str, row: int = 0, **columns: Any) -> Change:
    """The row once more, with other values in some columns."""

    def mutate(frames: Frames) -> None:
        again = frames[table].iloc[[row]].assign(**columns)
        frames[table] = pd.concat([frames[table], again], ignore_index=True)

    return mutate


def both(*changes: Change) -> Change:
    def mutate(frames: Frames) -> None:
        for each in changes:
            each(frames)

    return mutate


PLAN_MUTATIONS: list[tuple[str, Change]] = [
    ("every flow has an offer and a lane", put("flows", "site", "MOON")),
    ("one flow an arc", repeat("flows")),
    ("flows are not negative", put("flows", "quantity", -1.0)),
    ("excluded pairs", put("flows", "supplier", "U", 4)),
    ("demand is met in good units", add("flows", "quantity", 0.01)),
    *((f"{name} of flows", add("flows", name, 0.01)) for name in ("freight", "duty", "quality", "lateness", "inventory", "carbon")),
    ("every award has an offer", put("awards", "supplier", "MOON")),
    ("one award a pair", repeat("awards")),
    ("every flow is awarded", drop("awards", 3)),
    ("the quantity is what flows", add("awards", "quantity", 0.01)),
    ("good units", add("awards", "good_units", 0.01)),
    ("spend", add("awards", "spend", 0.01)),
    ("the unit price is spend by quantity", add("awards", "unit_price", 0.01)),
    ("award cost", add("awards", "award_cost", 0.01)),
    ("excluded pairs have no award", repeat("awards", 3, supplier="U")),
    ("shares are told truly", add("awards", "share", 0.01)),
    ("changes are told truly", add("awards", "change", 0.01)),
    ("suppliers with an award are told", drop("supplier_awards")),
    ("one row a supplier", repeat("supplier_awards")),
    ("number of items", put("supplier_awards", "items", 1)),
    ("quantity of suppliers", add("supplier_awards", "quantity", 0.01)),
    ("spend of suppliers", add("supplier_awards", "spend", 0.01)),
    ("share of spend", add("supplier_awards", "share", 0.01)),
    ("rebates", add("supplier_awards", "rebate", 0.01)),
    ("activation cost", add("supplier_awards", "activation_cost", 0.01)),
    ("one row a limit, and no others", repeat("limits")),
    ("capacity of limits", add("limits", "capacity", 0.01)),
    ("use of limits", add("limits", "use", 0.01)),
    ("excess of limits", add("limits", "excess", 0.01)),
    ("who is lost does not deliver", put("survival", "supplier", "S")),
    ("backups are awarded", put("survival", "item", "B")),
    ("backups have a lane", put("survival", "site", "MOON")),
    ("survival of a loss", drop("survival")),
    ("cost of recourse", add("recourse", "cost", 0.01)),
    ("recourse is not negative", put("recourse", "quantity", -1.0)),
    ("extra deliveries have an award and a lane", put("recourse", "site", "MOON")),
    ("losses are made up for", drop("recourse")),
    ("one row a scenario, and no others", drop("scenario_costs")),
    *((f"{name.replace('_', ' ')} of scenarios", add("scenario_costs", name, 0.01))
      for name in ("probability", "recourse_cost", "cost")),
    *((f"{name} units of scenarios", add("scenario_costs", name, 0.01)) for name in ("lost", "extra", "emergency", "short")),
    ("service of scenarios", add("scenario_costs", "service", -0.01)),
    ("scenarios are ranked by cost", put("scenario_costs", "rank", [3, 2, 1], None)),
    ("concentration of what there is", drop("concentration")),
    *((f"{name} of concentration", add("concentration", name, -0.01)) for name in ("spend", "hhi", "largest_share")),
    ("the largest of concentration", put("concentration", "largest", "T")),
    ("savings are told truly", add("rule_prices", "saving", 0.01)),
    ("offers that lose have no quantity", put("renegotiation", "supplier", "S")),
    ("shares for ordering cover the awards", drop("shares")),
    ("smallest shares for ordering", add("shares", "min_share", 0.01)),
    ("largest shares for ordering", add("shares", "max_share", 0.01)),
    ("offers for ordering cover the flows", drop("offers")),
    ("prices for ordering", add("offers", "price", 0.01)),
    ("lead times for ordering", add("offers", "lead_time", 1)),
]  # fmt: skip

CASE_CHANGES: list[tuple[str, Change]] = [
    ("jurisdiction rules", put("arcs", "forbidden", True, None)),
    ("excluded pairs", put("arcs", "excluded", True, None)),
    ("capacity of offers", put("offers", "capacity", 60.0)),
    ("minimum awards", put("offers", "minimum", 75.0)),
    ("smallest awards of items", put("items", "smallest_share", 0.2)),
    ("required pairs", put("pairs", "quantity", 60.0)),
    ("fewest suppliers of items", put("items", "min_suppliers", 4)),
    ("most suppliers of items", put("items", "max_suppliers", 1.0)),
    ("smallest shares", put("shares", "min_share", 0.75)),
    ("largest shares", put("shares", "max_share", 0.3)),
    ("incumbents: largest loss", put("current_awards", "max_loss", 0.1, 1)),
    ("local shares", put("items", "local_min_share", 0.95)),
    ("capacity of suppliers", put("suppliers", "capacity", 100.0)),
    ("hard supplier capacity", put("suppliers", "capacity", 100.0)),
    ("minimum spend", put("suppliers", "minimum_spend", 150.0, 2)),
    ("supplier caps", put("caps", "max_share", 0.1, None)),
    ("parent caps", put("caps", "max_share", 0.1, None)),
    ("region caps", put("caps", "max_share", 0.1, None)),
    ("hard budget", put("ceilings", "hard", True)),
    ("hard carbon", put("ceilings", "amount", 20.0, 2)),
    ("survival of a loss", put("items", "survival_share", 0.9)),
    ("backups within the capacity of offers", put("offers", "capacity", 5.0, None)),
    ("backups within the capacity of suppliers", put("suppliers", "capacity", 30.0, None)),
    ("extra deliveries within the capacity of offers", put("offers", "capacity", 25.0, None)),
    ("extra deliveries within flexibility", put("suppliers", "flexibility", 0.1, None)),
    ("extra deliveries within the capacity of suppliers", put("suppliers", "capacity", 25.0, None)),
    ("emergency limits", put("items", "emergency_limit", 5.0, None)),
    ("rebates", put("rebates", "rate", 0.2, None)),
    ("spend", put("price_breaks", "from_quantity", 90.0)),
    ("demand is met in good units", put("demand", "quantity", 61.0)),
    ("lost units of scenarios", put("losses", "capacity_left", 0.5, None)),
]  # fmt: skip

OPTION_CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("incumbents: largest change", {"max_change": 0.1}),
    ("fewest suppliers in all", {"min_suppliers": 4}),
    ("most suppliers in all", {"max_suppliers": 2}),
    ("cost limit", {"cost_limit": 1000.0}),
    ("inventory of flows", {"service_level": 0.99}),
    ("cost of recourse", {"carbon_price": 0.5}),
]


def test_a_true_plan_passes(run: echelon.Run, full: Frames) -> None:
    """Without this the other tests would prove nothing."""
    assert violated(full, run.plan) == set()


@pytest.mark.parametrize(("rule", "mutate"), PLAN_MUTATIONS, ids=[r for r, _ in PLAN_MUTATIONS])
def test_a_plan_that_breaks_a_rule_is_caught_by_that_rule(
    run: echelon.Run, full: Frames, rule: str, mutate: Change
) -> None:
    """A buyer who acts on a plan relies on every column of it; one wrong cell must not slip through."""
    plan = {name: frame.copy() for name, frame in run.plan.items()}
    mutate(plan)
    assert rule in violated(full, plan)


@pytest.mark.parametrize(("rule", "change"), CASE_CHANGES, ids=[r for r, _ in CASE_CHANGES])
def test_a_plan_for_another_case_is_caught(run: echelon.Run, full: Frames, rule: str, change: Change) -> None:
    """The recheck reads the case's tables, not the plan's word for them: the plan fails where the case is stricter."""
    other = dict(full)
    change(other)
    assert rule in violated(other, run.plan)


@pytest.mark.parametrize(("rule", "options"), OPTION_CHANGES, ids=[r for r, _ in OPTION_CHANGES])
def test_a_plan_for_other_options_is_caught(run: echelon.Run, full: Frames, rule: str, options: dict[str, Any]) -> None:
    assert rule in violated(full, run.plan, **options)


def test_every_rule_of_the_recheck_has_a_test_here(run: echelon.Run) -> None:
    """A rule that nothing can break is not tested, or is no rule."""
    tested = {rule for rule, _ in [*PLAN_MUTATIONS, *CASE_CHANGES]} | {rule for rule, _ in OPTION_CHANGES}
    assert len(tested) == run.rules_checked


def test_the_costs_add_up_to_the_objective(run: echelon.Run) -> None:
    """The cost lines are recomputed from the tables; that they meet the solver's objective is the proof of both."""
    assert sum(run.costs.values()) == pytest.approx(run.outcome.objective)
    assert {name for name, cost in run.costs.items() if abs(cost) < 1e-9} == {"carbon excess"}, (
        "a line that is not tested"
    )


def test_the_recheck_changes_nothing(run: echelon.Run, full: Frames) -> None:
    """Proof must not touch what it proves."""
    before = {name: frame.copy() for name, frame in {**run.plan, **full}.items()}
    violated(full, run.plan)
    for name, frame in {**run.plan, **full}.items():
        pd.testing.assert_frame_equal(frame, before[name])
