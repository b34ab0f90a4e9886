"""The recheck must catch every way in which a network can break a rule or say something untrue about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames
from echelon_models.network import FAMILY

from .cases import calendar, case, completed, costs, solve, wants

Mutation = Callable[[Frames], Any]
OPTIONS: dict[str, Any] = {"discount_rate": 0.1, "backup_cover": 0.5, "compare_today": True}


def rich() -> Frames:
    """A case in which every rule and every cost line has something to say."""
    far = costs({"A": [1, 3, 2], "B": [3, 1, 4], "C": [2, 2, 1]}, "cde").assign(
        distance=[10.0, 200.0, 90.0, 60.0, 5.0, 300.0, 40.0, 40.0, 15.0]
    )
    return case(
        periods=calendar([365, 365]),
        sites={"site": ["P", "A", "B", "C"], "kind": ["plant", "warehouse", "warehouse", "warehouse"],
               "region": ["X", "X", "Y", "Y"], "delivers": [False, True, True, True],
               "existing": [True, True, False, True], "opening_cost": [0.0, 9.0, 5.0, 7.0], "closing_cost": 3.0,
               "running_cost": [5.0, 10.0, 6.0, 60.0], "capacity": [None, 8.0, 30.0, 30.0],
               "emissions": [90.0, 500.0, 100.0, 80.0]},
        capacity_steps={"site": "A", "step": [1, 2], "capacity": [6.0, 5.0], "cost": [2.0, 3.0], "running_cost": 1.0,
                        "existing": [True, False]},
        products={"product": "ALL", "product_class": "k", "value": 6.0, "holding_rate": 0.3, "pooling": 1.0,
                  "cycle_days": 20.0},
        customers={"customer": ["c", "d", "e"], "group": ["G", "H", "H"], "region": ["X", "Y", "Y"],
                   "sourcing": ["product", "multiple", "multiple"], "unserved_cost": [None, None, 4.0]},
        demand=wants(c=[4, 5], d=[6, 7], e=[3, 3]),
        modes={"mode": "ROAD", "emissions": 2.0},
        lanes={"from_site": "P", "to_site": ["A", "B", "C"], "cost": [1.0, 2.0, 2.0], "distance": 50.0},
        deliveries=far,
        supply={"site": ["P", "B"], "cost": [2.0, 3.0], "capacity": [25.0, 25.0], "emissions": 20.0},
        handling={"site": "", "product": "", "cost": 0.5, "emissions": 5.0},
        duties={"from_region": "X", "to_region": "Y", "rate": 0.05},
        jurisdictions={"product_class": "other", "region": "Y", "rule": "no_import"},
        pinned_sites={"site": "A", "state": "open"},
        site_limits={"kind": "warehouse", "minimum": 1, "maximum": 2},
        budgets={"amount": [6.0, 40.0], "period": ["1", ""], "excess_cost": 1.5},
        service_limits={"within": 50.0, "share": [0.95, 0.3], "group": ["", "G"], "hard": [False, True],
                        "excess_cost": 0.5},
        carbon={"price": 5.0, "cap": 1.5, "excess_cost": 2.0},
        returns={"customer": ["c", "d"], "quantity": [2.0, 1.0]},
        recovery={"site": ["A", "B"], "cost": 1.0, "disposal_cost": 2.0, "recoverable": 0.5, "capacity": 4.0,
                  "disposal_limit": 4.0},
    )  # fmt: skip


def tables() -> Frames:
    given = rich()
    given["products"] = pd.concat([given["products"], pd.DataFrame({"product": ["Z"], "product_class": ["other"]})])
    return given


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(tables(), **OPTIONS)


@pytest.fixture(scope="module")
def full() -> Frames:
    return completed(tables(), **OPTIONS)[0]


def violated(full: Frames, plan: Frames) -> set[str]:
    chosen = completed(tables(), **OPTIONS)[1]
    return {v.rule for v in FAMILY.recheck(full, chosen, plan).violations}


def put(table: str, column: str, value: Any, **where: Any) -> Mutation:
    """Write a value (or what a function makes of the old one) into the first row where columns have these values."""

    def mutate(plan: Frames) -> None:
        frame = plan[table]
        rows = pd.Series(True, frame.index)
        for name, wanted in where.items():
            rows &= frame[name] == wanted
        assert rows.any(), f"no such row in {table}"
        row = rows.idxmax()
        frame.loc[row, column] = value(frame.loc[row, column]) if callable(value) else value

    return mutate


def more(amount: float) -> Callable[[Any], Any]:
    return lambda old: old + amount


def drop(table: str, **where: Any) -> Mutation:
    def mutate(plan: Frames) -> None:
        frame = plan[table]
        rows = pd.Series(True, frame.index)
        for name, wanted in where.items():
            rows &= frame[name] == wanted
        plan[table] = frame.drop(index=rows.idxmax()).reset_index(drop=True)

    return mutate


def copy(table: str, changes: dict[str, Any], **where: Any) -> Mutation:
    """Add a copy of the first row where the columns have these values, with some of its cells changed."""

    def mutate(plan: Frames) -> None:
        frame = plan[table]
        rows = pd.Series(True, frame.index)
        for name, wanted in where.items():
            rows &= frame[name] == wanted
        plan[table] = pd.concat([frame, frame.loc[[rows.idxmax()]].assign(**changes)], ignore_index=True)

    return mutate


def repeat(table: str) -> Mutation:
    def mutate(plan: Frames) -> None:
        plan[table] = pd.concat([plan[table], plan[table].iloc[[0]]], ignore_index=True)

    return mutate


DELIVERY, LANE, RETURN = {"kind": "delivery"}, {"kind": "lane"}, {"kind": "return"}
A1, B1 = {"site": "A", "period": "1"}, {"site": "B", "period": "1"}
SITE_COLUMNS = ("capacity", "use", "throughput", "stock", "utilisation", "cost", "emissions")
PARTS = ("supply", "sites", "inventory", "transport", "carbon")

PLAN_MUTATIONS: list[tuple[str, Mutation]] = [
    ("one row a site and period", repeat("sites")),
    ("every site has a row in every period", drop("sites", **A1)),
    ("sites and periods are those of the case", put("sites", "site", "Q", **A1)),
    ("pinned sites are as they are pinned", put("sites", "open", False, **A1)),
    ("steps are those of the case, at open sites", put("sites", "steps", 3, **A1)),
    ("steps stay while the site is open", put("sites", "steps", 0, **A1)),
    ("closed sites send nothing out", put("sites", "open", False, **A1)),
    ("site capacity", put("flows", "quantity", more(40.0), origin="A", **DELIVERY)),
    ("a site's kind", put("sites", "kind", "hub", **A1)),
    ("a site's region", put("sites", "region", "Y", **A1)),
    ("a site's opened", put("sites", "opened", True, **A1)),
    ("a site's closed", put("sites", "closed", True, **A1)),
    *[(f"a site's {column}", put("sites", column, more(1.0), **A1)) for column in SITE_COLUMNS],
    ("largest number of sites", put("sites", "open", True, site="C", period="1")),
    ("one row a flow", repeat("flows")),
    ("flows are positive", put("flows", "quantity", -1.0, **DELIVERY)),
    ("every flow has a way", put("flows", "mode", "RAIL", **DELIVERY)),
    ("every flow has a way", put("flows", "period", "never", **LANE)),
    ("kinds of flows are known", put("flows", "kind", "flight", **LANE)),
    ("the distance of a flow", put("flows", "distance", more(1.0), **DELIVERY)),
    ("the hours of a flow", put("flows", "hours", more(1.0), **DELIVERY)),
    ("the cost of a flow", put("flows", "cost", more(1.0), **DELIVERY)),
    ("the duty of a flow", put("flows", "duty", more(1.0), **LANE)),
    ("the emissions of a flow", put("flows", "emissions", more(1.0), **RETURN)),
    ("jurisdictions", copy("flows", {"origin": "A", "product": "Z"}, destination="d", **DELIVERY)),
    ("flows begin and end at open sites", put("sites", "open", False, **B1)),
    ("one row of supply", repeat("supply")),
    ("what comes in goes out", put("supply", "quantity", more(1.0))),
    ("supply is from those who can", put("supply", "site", "C")),
    ("supply is positive", put("supply", "quantity", -1.0)),
    ("the cost of supply", put("supply", "cost", more(1.0))),
    ("supply capacity", put("supply", "quantity", 26.0)),
    ("deliveries meet a demand", put("flows", "product", "Z", **DELIVERY)),
    ("demand is served", drop("flows", destination="c", **DELIVERY)),
    ("no more is served than wanted", put("flows", "quantity", more(1.0), destination="d", **DELIVERY)),
    ("one row a demand", repeat("served")),
    ("served are the demands of the case", put("served", "product", "Z")),
    ("demand of a demand", put("served", "demand", more(1.0))),
    ("served of a demand", put("served", "served", more(1.0))),
    ("sites of a demand", put("served", "sites", 7)),
    ("the main site serves most", put("served", "main_site", "C")),
    ("all returns are taken back", put("flows", "quantity", more(1.0), **RETURN)),
    ("what comes back was returned", put("flows", "origin", "e", **RETURN)),
    ("one row of recovery", repeat("recovered")),
    ("returned is what comes back", put("recovered", "returned", more(1.0))),
    ("returns go where they can be recovered", put("recovered", "site", "C")),
    ("what comes back is recovered or disposed of", put("recovered", "disposed", more(1.0))),
    ("recovered is positive", put("recovered", "recovered", -1.0)),
    ("disposed is positive", put("recovered", "disposed", -1.0)),
    ("recoverable share", put("recovered", "recovered", more(1.0))),
    ("recovery capacity", put("recovered", "recovered", 9.0)),
    ("disposal limit", put("recovered", "disposed", 9.0)),
    ("the cost of recovery", put("recovered", "cost", more(1.0))),
    ("backup covers what a site serves", drop("backup")),
    ("backup is positive", put("backup", "quantity", -1.0)),
    ("no site is its own backup", put("backup", "site", "A", failing="A")),
    ("backup has a way", put("backup", "customer", "nobody")),
    ("backup is no more than the demand", put("backup", "quantity", more(20.0))),
    ("backup sites are open", put("sites", "open", False, **B1)),
    ("backup fits the capacity left", put("backup", "quantity", more(50.0), failing="B")),
    ("backup of supply", put("supply", "quantity", more(60.0), site="B")),
    ("one row a limit and period", repeat("limits")),
    ("limits are those of the case", put("limits", "name", "Q")),
    ("every limit has a row", drop("limits")),
    ("excess is use over capacity", put("limits", "excess", more(1.0))),
    *[
        (f"{column} of {kind}", put("limits", column, more(1.0), limit=kind))
        for kind in ("site capacity", "supply", "recovery", "disposal", "sites", "budget", "service", "carbon")
        for column in ("use", "capacity")
    ],
    ("hard service", drop("flows", destination="c", **DELIVERY)),
    ("one row a band", repeat("service")),
    ("quantity of a band", put("service", "quantity", more(1.0))),
    ("share of a band", put("service", "share", more(0.1))),
    ("one row of cost to serve", repeat("cost_to_serve")),
    ("served at a cost", put("cost_to_serve", "served", more(1.0))),
    ("the parts of the cost to serve", put("cost_to_serve", "cost", more(1.0))),
    ("cost by unit", put("cost_to_serve", "cost_per_unit", more(1.0))),
    *[(f"cost to serve lays all {part} on those served", put("cost_to_serve", part, more(1.0))) for part in PARTS],
    ("one site a product", copy("flows", {"origin": "B"}, destination="c", **DELIVERY)),
    ("one row a network and figure", repeat("comparison")),
    ("the comparison tells the plan's costs", put("comparison", "value", more(1.0), network="plan")),
]
CASE_CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("hard budget", "budgets", {"amount": 0.0, "hard": True}),
    ("hard service", "service_limits", {"share": 1.0, "hard": True}),
    ("hard carbon", "carbon", {"cap": 0.1, "hard": True}),
    ("smallest number of sites", "site_limits", {"minimum": 3}),
    ("largest number of sites", "site_limits", {"maximum": 1}),
    ("demand is served", "customers", {"unserved_cost": None}),
    ("pinned sites are as they are pinned", "pinned_sites", {"state": "closed"}),
    ("jurisdictions", "jurisdictions", {"product_class": "k", "rule": "no_handling"}),
    ("supply capacity", "supply", {"capacity": 1.0}),
    ("the cost of a flow", "deliveries", {"cost": 9.0}),
    ("a site's cost", "handling", {"cost": 9.0}),
    ("a site's stock", "pooling", {"low": 1.0}),
]


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


@pytest.mark.parametrize(("rule", "table", "columns"), CASE_CHANGES, ids=[f"{t}-{r}" for r, t, _ in CASE_CHANGES])
def test_a_plan_for_another_case_is_caught(
    run: echelon.Run, full: Frames, rule: str, table: str, columns: dict[str, Any]
) -> None:
    """The recheck reads the case's tables, not the plan's word for them: the same plan fails where the case is
    stricter."""
    assert rule in violated(full | {table: full[table].assign(**columns)}, run.plan)


@pytest.mark.parametrize("sourcing", ["customer", "group"])
def test_a_second_site_for_who_may_have_one_only_is_caught(run: echelon.Run, full: Frames, sourcing: str) -> None:
    """Who is promised one site is served by one."""
    plan = {name: frame.copy() for name, frame in run.plan.items()}
    copy("flows", {"origin": "B"}, destination="c", **DELIVERY)(plan)
    strict = full | {"customers": full["customers"].assign(sourcing=sourcing)}
    assert f"one site a {sourcing}" in violated(strict, plan)


def test_every_rule_of_the_recheck_has_a_mutation_here(run: echelon.Run) -> None:
    """A rule that nothing can break is not tested, or is no rule."""
    tested = {rule for rule, _ in PLAN_MUTATIONS} | {rule for rule, _, _ in CASE_CHANGES}
    tested |= {"one site a customer", "one site a group"}
    assert len(tested) == run.rules_checked


def test_the_costs_add_up_to_the_objective(run: echelon.Run) -> None:
    """The cost lines are recomputed from the tables; that they meet the solver's objective is the proof of both."""
    assert sum(run.costs.values()) == pytest.approx(run.outcome.objective)
    unused = {name for name, cost in run.costs.items() if abs(cost) < 1e-9}
    assert unused == {"capacity steps", "duties"}, "a cost line that is not tested"
