"""What must hold for any case: dropping a rule never costs, more aversion to risk never raises risk."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echelon.solvers.outcome import Control
from echelon.tables import Frames
from echelon_models.allocation.rule_prices import RULES
from echelon_models.allocation.search import find
from echelon_models.allocation.sets import prepare

from .cases import EXACT, EXACTLY, QUIET, RICH, case, change, completed, optimum, rich, solve

FEW = settings(
    max_examples=3, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
Draw = Any


@st.composite
def cases(draw: Draw) -> Frames:
    """Two items, three suppliers with capacities and fixed costs, breaks, a rebate, scenarios, and some soft rules that
    leave a plan (emergency buys make any scenario possible)."""
    number = st.integers(1, 9).map(float)
    offers = {f"{s} {i}": 2.0 + draw(number) for s in "STU" for i in "AB"}
    terms = {
        "award_cost": [draw(number) for _ in offers],
        "yield_rate": [draw(st.sampled_from([1.0, 0.9])) for _ in offers],
    }
    return case(
        {"A": 10 * draw(number), "B": 5 * draw(number)},
        offers,
        offer_terms=terms,
        items={"max_suppliers": [draw(st.sampled_from([None, 2.0])), None], "group": ["G", "H"]},
        suppliers={"supplier": list("STU"), "activation_cost": [draw(number) for _ in "STU"], "region": ["EU", "EU", "ASIA"]},
        price_breaks={"supplier": "S", "item": "A", "from_quantity": 8.0, "price": 1.5, "kind": draw(st.sampled_from(["all_units", "incremental"]))},
        rebates={"supplier": "T", "from_spend": 40.0, "rate": draw(st.sampled_from([0.05, 0.2]))},
        shares={"supplier": "U", "item": "A", "min_share": draw(st.sampled_from([0.0, 0.2])), "max_share": 0.6},
        caps={"kind": "region", "name": "EU", "max_share": draw(st.sampled_from([0.7, 1.0]))},
        ceilings={"kind": "budget", "amount": 50.0, "excess_cost": 0.1},
        scenarios={"scenario": ["plan", "fire", "storm"], "probability": [0.6, 0.25, 0.15]},
        disruptions={"scenario": ["fire", "storm"], "kind": ["supplier", "region"], "name": ["U", "EU"],
                     "capacity_left": [draw(st.sampled_from([0.0, 0.5])), 0.25]},
    )  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_dropping_a_rule_never_costs(rule: Any) -> None:
    """Every award from before is still there, at no higher cost; and the case has the rule, so that something is
    tested."""
    full, options = completed(rich(), **QUIET | RICH | {"cost_limit": 1500.0})
    before = find(prepare(full, options), Control(EXACTLY)).outcome.objective
    assert before is not None and rule.applies(full, options)
    free = options.model_copy(update=dict(rule.options))
    after = find(prepare(rule.tables(full), free), Control(EXACTLY)).outcome.objective
    assert after is not None and after <= before * (1 + EXACT)


@FEW
@given(tables=cases())
def test_one_more_supplier_never_costs(tables: Frames) -> None:
    """An offer that need not be taken takes nothing away (dearer than all others, so that no default price changes)."""
    offer = pd.DataFrame({"supplier": ["V"], "item": ["A"], "price": [2.5], "award_cost": 0.5, "yield_rate": 1.0})
    known = pd.DataFrame({"supplier": ["V"], "activation_cost": 1.0, "region": "ASIA"})
    more = tables | {
        "offers": pd.concat([tables["offers"], offer]),
        "suppliers": pd.concat([tables["suppliers"], known]),
    }
    fixed = {"value": 1.0, "emergency_price": 12.0, "shortage_cost": 30.0}
    before = optimum(change(tables, items=fixed))
    assert optimum(change(more, items=fixed)) <= before * (1 + EXACT)


@pytest.mark.slow
@FEW
@given(tables=cases())
def test_more_weight_on_cvar_never_raises_it_and_costs_more(tables: Frames) -> None:
    """Along the weights expected cost rises and CVaR falls: the least of a sum leans to what weighs more."""
    points = [frontier_point(tables, weight) for weight in (0.0, 0.3, 0.6, 0.9)]
    for (cost, risk), (more_cost, less_risk) in itertools.pairwise(points):
        assert less_risk <= risk + 1e-5 * abs(risk)
        assert more_cost >= cost - 1e-5 * abs(cost)


def frontier_point(tables: Frames, weight: float) -> tuple[float, float]:
    """(expected cost, CVaR) of the best award at a weight of CVaR."""
    run = solve(tables, objective="mean_cvar", cvar_level=0.7, cvar_weight=weight)
    years = run.plan["scenario_costs"].sort_values("cost", ascending=False)
    taken = np.diff(np.minimum(years["probability"].cumsum().to_numpy(), 0.3), prepend=0.0)
    return float((years["cost"] * years["probability"]).sum()), float(taken @ years["cost"].to_numpy() / 0.3)


def test_the_frontier_is_convex_where_nothing_is_whole() -> None:
    """Without fixed costs and numbers of suppliers the award is a linear program, so its least risk is a convex function
    of the cost allowed."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 4.0}, items={"emergency_price": 20.0, "shortage_cost": 40.0},
                  suppliers={"supplier": ["S", "T"], "flexibility": 0.1},
                  scenarios={"scenario": ["plan", "fire", "storm"], "probability": [0.6, 0.25, 0.15]},
                  disruptions={"scenario": ["fire", "storm"], "kind": "supplier", "name": ["S", "T"], "capacity_left": 0.2})  # fmt: skip
    least = optimum(tables, objective="expected")
    limits = least * np.linspace(1.0, 1.05, 5)
    risks = [optimum(tables, objective="mean_cvar", cvar_level=0.7, cvar_weight=1.0, cost_limit=c) for c in limits]
    assert risks[0] > risks[-1] + 1e-3
    assert (np.diff(risks, 2) >= -1e-6 * risks[0]).all()


@FEW
@given(tables=cases(), objective=st.sampled_from(["expected", "worst", "mean_cvar"]))
def test_cuts_find_what_the_one_model_finds(tables: Frames, objective: str) -> None:
    """The decomposition is another way to the same optimum."""
    one, cuts = (optimum(tables, objective=objective, decompose=how) for how in ("never", "always"))
    assert cuts == pytest.approx(one, rel=EXACT)


@FEW
@given(tables=cases(), k=st.sampled_from([0.01, 1000.0]))
def test_another_currency_scales_the_cost(tables: Frames, k: float) -> None:
    """An award in cents is the award in euros at a hundred times the cost."""
    money = ("price", "award_cost", "activation_cost", "from_spend", "amount")
    scaled = {name: frame.assign(**{c: frame[c] * k for c in money if c in frame}) for name, frame in tables.items()}
    assert optimum(scaled) == pytest.approx(k * optimum(tables), rel=EXACT)


def test_rows_in_another_order_change_nothing() -> None:
    """The optimum is a property of the business, not of how its tables are written."""
    shuffled = {name: frame.sample(frac=1.0, random_state=7) for name, frame in rich().items()}
    assert optimum(shuffled, **RICH) == pytest.approx(optimum(rich(), **RICH), rel=EXACT)


def test_sets_are_not_changed_by_a_search() -> None:
    """Questions re-use the sets: a search that changed them would answer another case's question."""
    full, options = completed(rich(), **QUIET | RICH)
    sets = prepare(full, options)
    before = {f.name: repr(getattr(sets, f.name)) for f in dataclasses.fields(sets)}
    find(sets, Control(EXACTLY))
    assert before == {f.name: repr(getattr(sets, f.name)) for f in dataclasses.fields(sets)}
