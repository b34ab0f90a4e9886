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
from echelon_models.positioning import FAMILY

from .cases import arcs, completed, frame, solve, stages

Mutation = Callable[[Frames], Any]
SIMULATED = {"simulate": 200}


def rich() -> Frames:
    """A case that uses every table of a given network: hard and soft limits, a stage without room."""
    return {
        "stages": stages(
            ORE={"cost_added": 4.0, "lead_time": 5, "supply_time": 2, "department": "METAL", "volume": 0.1},
            CAST={"cost_added": 6.0, "lead_time": 2, "department": "METAL", "may_hold_stock": False},
            KIT={"cost_added": 9.0, "lead_time": 1, "site": "PLANT", "max_service_time": 4, "min_service_time": 1},
            SHOP={
                "cost_added": 2.0, "lead_time": 3, "review_period": 2, "site": "TOWN", "item": "KIT", "volume": 0.4,
                "demand_mean": 12.0, "demand_std": 4.0, "promised_time": 1, "service_level": 0.97,
                "current_stock": 30.0,
            },
            WEB={"cost_added": 1.0, "lead_time": 1, "site": "TOWN", "item": "KIT", "demand_mean": 5.0,
                 "demand_std": 3.0, "service_kind": "fill_rate", "value": 25.0, "holding_rate": 0.3},
        ),
        "arcs": arcs("ORE>CAST*2", "CAST>KIT", "KIT>SHOP", "KIT>WEB"),
        "lead_times": frame(stage="KIT", days=[1.0, 2.0], probability=[0.75, 0.25]),
        "stock_limits": frame(
            measure=["value", "value", "volume", "stocking_points"],
            department=["METAL", "", "", ""],
            site=["", "TOWN", "", ""],
            capacity=[150.0, 510.0, 8.0, 4.0],
            hard=[False, True, False, True],
            excess_cost=[0.1, None, 2.0, None],
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(rich(), **SIMULATED)


@pytest.fixture(scope="module")
def full() -> Frames:
    return completed(rich(), **SIMULATED)[0]


def violated(full: Frames, plan: Frames) -> set[str]:
    options = FAMILY.options(service_level=0.95, **SIMULATED)
    return {v.rule for v in FAMILY.recheck(full, options, plan).violations}


def put(table: str, column: str, value: Any, **where: str) -> Mutation:
    """Write a value (or what a function makes of the old one) into the rows where the columns have these values."""

    def mutate(plan: Frames) -> None:
        frame = plan[table]
        rows = pd.Series(True, frame.index)
        for name, wanted in where.items():
            rows &= frame[name] == wanted
        assert rows.any(), f"no such row in {table}"
        frame[column] = frame[column].astype(object)
        frame.loc[rows, column] = value(frame.loc[rows, column]) if callable(value) else value
        if column not in ("stage", "item", "site", "verdict", "unit", "period", "service_kind", "department", "echelon",
                          "name", "policy", "from_stage"):  # fmt: skip
            frame[column] = frame[column].astype(float)

    return mutate


def more(amount: float) -> Callable[[Any], Any]:
    return lambda old: old + amount


def drop(table: str, row: int = 0) -> Mutation:
    def mutate(plan: Frames) -> None:
        plan[table] = plan[table].drop(index=row).reset_index(drop=True)

    return mutate


def repeat(table: str, row: int = 0) -> Mutation:
    def mutate(plan: Frames) -> None:
        plan[table] = pd.concat([plan[table], plan[table].iloc[[row]]], ignore_index=True)

    return mutate


MUTATIONS: list[tuple[str, Mutation]] = [
    ("every stage has one row, and no other", drop("stages")),
    ("every stage has one row, and no other", repeat("stages")),
    ("every stage has one row, and no other", put("stages", "stage", "NEVER", stage="WEB")),
    ("each stage waits for its suppliers", put("stages", "inbound_time", 0.0, stage="SHOP")),
    ("each stage waits for its suppliers", put("stages", "service_time", more(1.0), stage="CAST")),
    ("each stage waits for outside suppliers", put("stages", "inbound_time", 1.0, stage="ORE")),
    ("no stage waits longer than for its suppliers", put("stages", "inbound_time", more(1.0), stage="SHOP")),
    ("customers are served in the time promised", put("stages", "service_time", 2.0, stage="SHOP")),
    ("longest service time", put("stages", "service_time", 5.0, stage="KIT")),
    ("shortest service time", put("stages", "service_time", 0.0, stage="KIT")),
    ("times are whole steps", put("stages", "service_time", 1.5, stage="KIT")),
    ("times are whole steps", put("stages", "service_time", float("nan"), stage="KIT")),
    ("the lead time is the case's", put("stages", "lead_time", 4.0, stage="ORE")),
    ("the net time follows from the times", put("stages", "net_time", more(1.0), stage="ORE")),
    ("stages that may hold no stock cover no time", put("stages", "service_time", 0.0, stage="CAST")),
    ("mean demand adds up along the arcs", put("stages", "demand_mean", 17.0, stage="ORE")),
    ("the deviation of demand adds up along the arcs", put("stages", "demand_std", 5.0, stage="ORE")),
    ("worth adds up along the arcs", put("stages", "value", 10.0, stage="CAST")),
    ("safety stock is what the net time needs", put("stages", "safety_stock", more(-1.0), stage="SHOP")),
    ("safety stock is what the net time needs", put("stages", "safety_stock", more(0.01), stage="WEB")),
    ("the value of stock", put("stages", "stock_value", more(-1.0), stage="SHOP")),
    ("the cost of stock", put("stages", "cost", more(-1.0), stage="WEB")),
    ("the service level is the case's", put("stages", "service_level", 0.9, stage="SHOP")),
    ("the item is the case's", put("stages", "item", "SHOP", stage="SHOP")),
    ("the site is the case's", put("stages", "site", "MAIN", stage="SHOP")),
    ("the department is the case's", put("stages", "department", "", stage="ORE")),
    ("the echelon is the case's", put("stages", "echelon", "0", stage="ORE")),
    ("the service_kind is the case's", put("stages", "service_kind", "cycle", stage="WEB")),
    ("base stock", put("stages", "base_stock", more(-1.0), stage="ORE")),
    ("reorder level", put("stages", "reorder_level", more(12.0), stage="SHOP")),
    ("pipeline stock", put("stages", "pipeline_stock", 0.0, stage="KIT")),
    ("days of cover", put("stages", "days_of_cover", 1.0, stage="SHOP")),
    ("the target so far", put("stages", "current_stock", 31.0, stage="SHOP")),
    ("the change", put("stages", "change", 0.0, stage="SHOP")),
    ("limits are those of the case", drop("limits")),
    ("limits are those of the case", put("limits", "name", "WOOD", name="METAL")),
    ("hard limits are kept", put("stages", "service_time", 0.0, stage="SHOP")),
    ("use of limits", put("limits", "use", more(-1.0), name="METAL")),
    ("excess of limits", put("limits", "excess", more(1.0), name="METAL")),
    ("capacity of limits", put("limits", "capacity", 400.0, name="METAL")),
    ("unit of limits", put("limits", "unit", "m³", name="METAL")),
    ("prices are not negative", put("limits", "price", -0.1, name="METAL")),
    ("arcs are those of the case", put("arcs", "quantity", 1.0, from_stage="ORE")),
    ("arcs are those of the case", put("arcs", "from_stage", "KIT", from_stage="ORE")),
    ("no arc is missing", drop("arcs")),
    ("stages of echelons", put("echelons", "stages", 1.0, echelon="0")),
    ("stocking_points of echelons", put("echelons", "stocking_points", more(1.0), echelon="0")),
    ("safety_stock of echelons", put("echelons", "safety_stock", more(1.0), echelon="0")),
    ("stock_value of echelons", put("echelons", "stock_value", 0.0, echelon="0")),
    ("pipeline_value of echelons", put("echelons", "pipeline_value", 0.0, echelon="1")),
    ("cost of echelons", put("echelons", "cost", 0.0, echelon="0")),
    ("no echelon is missing", drop("echelons")),
    ("targets for ordering are the safety stock", put("safety_stock", "quantity", more(1.0), item="KIT", site="TOWN")),
    ("targets for ordering are the safety stock", put("safety_stock", "site", "MAIN", item="KIT", site="TOWN")),
    ("no target is missing", drop("safety_stock")),
    ("targets hold in every period", put("safety_stock", "period", "2026-01-05", item="KIT", site="TOWN")),
    ("cost of the policies compared", put("comparison", "cost", more(1.0), policy="each for itself")),
    ("value of the policies compared", put("comparison", "stock_value", 0.0, policy="only at the end")),
    ("stocking points of the policies compared", put("comparison", "stocking_points", 0.0, policy="each for itself")),
    ("what the plan saves", put("comparison", "plan_saves", 0.0, policy="only at the end")),
    ("all policies are compared", drop("comparison", 2)),
    ("each stage with stock is simulated", drop("service")),
    ("the service promised is the case's", put("service", "promised", 0.9, stage="SHOP")),
    ("the kind of service is the case's", put("service", "service_kind", "cycle", stage="WEB")),
    ("low ends below", put("service", "low", 1.0, stage="SHOP")),
    ("high ends above", put("service", "high", 0.0, stage="SHOP")),
    ("flowing_low ends below", put("service", "flowing_low", 1.0, stage="SHOP")),
    ("flowing_high ends above", put("service", "flowing_high", 0.0, stage="SHOP")),
    ("the promise is missed by", put("service", "gap", more(0.1), stage="SHOP")),
    ("the verdict follows from the interval", put("service", "verdict", "perfect", stage="SHOP")),
]  # fmt: skip


def test_a_true_plan_passes(run: echelon.Run, full: Frames) -> None:
    """Without this the other tests would prove nothing."""
    assert violated(full, run.plan) == set()


@pytest.mark.parametrize(("rule", "mutate"), MUTATIONS, ids=[f"{n}-{r}" for n, (r, _) in enumerate(MUTATIONS)])
def test_a_plan_that_breaks_a_rule_is_caught_by_that_rule(
    run: echelon.Run, full: Frames, rule: str, mutate: Mutation
) -> None:
    """A planner who acts on a plan relies on every column of it; one wrong cell must not slip through."""
    plan = {name: frame.copy() for name, frame in run.plan.items()}
    mutate(plan)
    assert rule in violated(full, plan)


def test_every_rule_of_the_recheck_has_a_mutation_here(run: echelon.Run) -> None:
    """A rule that nothing can break is not tested, or is no rule."""
    assert len({rule for rule, _ in MUTATIONS}) == run.rules_checked


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("the lead time is the case's", "stages", {"lead_time": 9.0}),
    ("each stage waits for outside suppliers", "stages", {"supply_time": 9.0}),
    ("customers are served in the time promised", "stages", {"promised_time": 0.0}),
    ("longest service time", "stages", {"max_service_time": 0.0}),
    ("shortest service time", "stages", {"min_service_time": 3.0}),
    ("stages that may hold no stock cover no time", "stages", {"may_hold_stock": False}),
    ("mean demand adds up along the arcs", "stages", {"demand_mean": 1.0}),
    ("the deviation of demand adds up along the arcs", "stages", {"demand_std": 1.0}),
    ("worth adds up along the arcs", "stages", {"cost_added": 1.0}),
    ("the cost of stock", "stages", {"holding_rate": 0.1}),
    ("safety stock is what the net time needs", "stages", {"service_level": 0.99}),
    ("the net time follows from the times", "stages", {"review_period": 3}),
    ("safety stock is what the net time needs", "lead_times", {"days": [1.0, 5.0]}),
    ("use of limits", "stages", {"volume": 1.0}),
    ("hard limits are kept", "stock_limits", {"capacity": 10.0}),
    ("mean demand adds up along the arcs", "arcs", {"quantity": 1.0}),
]


@pytest.mark.parametrize(("rule", "table", "columns"), CHANGES, ids=[f"{n}-{c[0]}" for n, c in enumerate(CHANGES)])
def test_a_plan_for_another_case_is_caught(
    run: echelon.Run, full: Frames, rule: str, table: str, columns: dict[str, Any]
) -> None:
    """The recheck reads the case's tables, not the plan's word for them: the same plan fails for another case."""
    assert rule in violated(full | {table: full[table].assign(**columns)}, run.plan)


def test_the_costs_add_up_to_the_objective(run: echelon.Run) -> None:
    """The cost lines are recomputed from the tables; that they meet the objective is the proof of both."""
    assert sum(run.costs.values()) == pytest.approx(run.outcome.objective)
    assert run.costs["value limit excess"] > 0
    assert run.costs["volume limit excess"] > 0


def test_an_objective_that_the_tables_do_not_bear_out_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An objective that is understated is a wrong plan, even where every rule is kept."""

    def cheap(*arguments: Any) -> Answer:
        answer = FAMILY.solve(*arguments)
        return replace(answer, outcome=replace(answer.outcome, objective=(answer.outcome.objective or 0.0) - 1.0))

    monkeypatch.setattr("echelon.run.families", lambda: {"positioning": replace(FAMILY, solve=cheap)})
    with pytest.raises(echelon.RecheckError) as caught:
        solve(rich())
    assert [v.rule for v in caught.value.violations] == ["the plan costs what the solver says"]


def test_the_recheck_changes_nothing(run: echelon.Run, full: Frames) -> None:
    """Proof must not touch what it proves."""
    before = {name: table.copy() for name, table in {**run.plan, **full}.items()}
    violated(full, run.plan)
    for name, table in {**run.plan, **full}.items():
        pd.testing.assert_frame_equal(table, before[name])
