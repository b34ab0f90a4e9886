"""What must hold for every network, on networks drawn at random."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.tables import Frames

from .brute_force import cheapest
from .cases import EXACT, optimum, solve

FEW = settings(max_examples=8, deadline=None)


@st.composite
def networks(draw: Any, most: int = 4, days: int = 2) -> Frames:
    """Acyclic networks of a few stages: an arc leads from an earlier stage to a later one; the last has customers."""
    size = draw(st.integers(2, most))
    names = [f"N{i}" for i in range(size)]
    whole = st.integers(0, days)
    rows = []
    for name in names:
        customers = name == names[-1] or draw(st.booleans())
        rows.append(
            {
                "stage": name,
                "cost_added": float(draw(st.integers(0, 9))),
                "lead_time": float(draw(whole)),
                "demand_mean": float(draw(st.integers(1, 20))) if customers else None,
                "demand_std": float(draw(st.integers(0, 9))) if customers else None,
                "promised_time": float(draw(whole)) if customers else None,
                "supply_time": float(draw(st.integers(0, 1))),
                "min_service_time": 0.0,
                "service_level": draw(st.sampled_from([None, 0.9, 0.99])),
            }
        )
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6))
    quantity = draw(st.sampled_from([1.0, 2.0]))
    arcs = pd.DataFrame([(a, b, quantity) for a, b in chosen], columns=["from_stage", "to_stage", "quantity"])
    return {"stages": pd.DataFrame(rows), "arcs": arcs}


@FEW
@given(networks())
def test_the_optimum_is_that_of_trying_every_plan(tables: Frames) -> None:
    """On any small network the presolve and the bare model find what enumeration finds."""
    truth = cheapest(tables)
    assert optimum(tables) == pytest.approx(truth, rel=EXACT, abs=EXACT)
    assert optimum(tables, presolve=False) == pytest.approx(truth, rel=EXACT, abs=EXACT)


@FEW
@given(networks(most=7, days=6))
def test_exact_times_cost_no_more_than_whole_days(tables: Frames) -> None:
    """Whole days are among exact times; with whole lead times a best plan has whole times anyway."""
    assert optimum(tables, times="exact") == pytest.approx(optimum(tables), rel=EXACT, abs=EXACT)


@FEW
@given(networks(most=7, days=6))
def test_the_plan_costs_no_more_than_any_simple_policy(tables: Frames) -> None:
    """Looking at the whole never costs more than each for itself, or stock only at the end."""
    comparison = solve(tables).plan["comparison"].set_index("policy")["plan_saves"]
    assert (comparison >= -EXACT).all()


@FEW
@given(networks(), st.floats(0.5, 3.0))
def test_cost_scales_with_demand_and_worth(tables: Frames, factor: float) -> None:
    """Twice the deviation, or twice the worth, is twice the cost."""
    base = optimum(tables)
    for column in ("demand_std", "cost_added"):
        scaled = tables["stages"].assign(**{column: tables["stages"][column] * factor})
        assert optimum(tables | {"stages": scaled}) == pytest.approx(base * factor, rel=1e-6, abs=1e-6)


@FEW
@given(networks(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(tables: Frames, random: Any) -> None:
    """Neither the order of stages nor that of arcs changes what is optimal."""
    shuffled = {
        name: table.sample(frac=1.0, random_state=random.randint(0, 999)).reset_index(drop=True)
        for name, table in tables.items()
    }
    assert optimum(shuffled) == pytest.approx(optimum(tables), rel=EXACT, abs=EXACT)


@FEW
@given(networks(most=4), st.floats(0.2, 0.95), st.booleans())
def test_a_limit_never_makes_a_plan_cheaper(tables: Frames, share: float, points: bool) -> None:
    """Under a soft limit the plan costs at least the free optimum, and what enumeration finds."""
    free = solve(tables)
    measure = "stocking_points" if points else "value"
    used = (free.plan["stages"]["safety_stock"] > 0).sum() if points else free.plan["stages"]["stock_value"].sum()
    limit = pd.DataFrame({"measure": [measure], "capacity": [float(used * share)], "excess_cost": [0.7]})
    limited = tables | {"stock_limits": limit}
    cost = optimum(limited)
    assert cost >= (free.outcome.objective or 0.0) - EXACT
    assert cost == pytest.approx(cheapest(limited), rel=EXACT, abs=EXACT)
