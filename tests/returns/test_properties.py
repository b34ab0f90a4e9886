"""What must hold of every case: order and names do not matter, units scale, a rule taken away never costs more."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from echelon.tables import Frames

from .brute_force import optimum
from .cases import case, completed, cost, days

FEW = settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@st.composite
def cases(draw: st.DrawFn) -> Frames:
    """Three optional stops, two vehicles, a capacity, a deadline, an intake: small enough to try all plans."""
    at = draw(st.lists(st.integers(-30, 30).filter(bool), min_size=3, max_size=3, unique=True))
    amounts = st.integers(1, 4).map(float)
    return case(
        days=days(2),
        hubs={"hub": "H0", "intake_weight": float(draw(st.integers(4, 9)))},
        stops={
            "stop": [f"{letter}{km}" for letter, km in zip("abc", at, strict=True)],
            "weight": [draw(amounts) for _ in at],
            "service_minutes": 0.0,
            "leaving_cost": [float(draw(st.integers(5, 60))) for _ in at],
            "deadline_day": [draw(st.sampled_from(["", "1"])) for _ in at],
        },
        vehicles={
            "vehicle": "V",
            "weight": float(draw(st.integers(4, 8))),
            "fixed_cost": float(draw(st.integers(0, 9))),
        },
    )


@given(cases())
@FEW
def test_a_plan_is_the_best_of_all(tables: Frames) -> None:
    """Whatever the case, as long as all plans can be tried."""
    assert cost(tables, rounds=2) == pytest.approx(optimum(*completed(tables)), abs=1e-6)


@given(cases())
@FEW
def test_the_order_of_rows_does_not_matter(tables: Frames) -> None:
    turned = {
        name: frame if name == "days" else frame.iloc[::-1].reset_index(drop=True) for name, frame in tables.items()
    }
    assert optimum(*completed(turned)) == pytest.approx(optimum(*completed(tables)))
    assert cost(turned, rounds=2) == pytest.approx(cost(tables, rounds=2))


@given(cases(), st.sampled_from([0.25, 3.0]))
@FEW
def test_money_scales(tables: Frames, factor: float) -> None:
    """Twice the prices, twice the cost: no figure of money is of a size of its own."""
    scaled = dict(tables)
    scaled["stops"] = tables["stops"].assign(leaving_cost=tables["stops"]["leaving_cost"] * factor)
    scaled["vehicles"] = tables["vehicles"].assign(
        fixed_cost=tables["vehicles"]["fixed_cost"] * factor, cost_per_km=factor
    )
    assert cost(scaled, rounds=2) == pytest.approx(factor * cost(tables, rounds=2))


@given(cases(), st.sampled_from(["capacity", "intake", "deadline"]))
@FEW
def test_a_rule_taken_away_never_costs_more(tables: Frames, rule: str) -> None:
    freer = dict(tables)
    if rule == "capacity":
        freer["vehicles"] = tables["vehicles"].assign(weight=None)
    elif rule == "intake":
        freer["hubs"] = tables["hubs"].assign(intake_weight=None)
    else:
        freer["stops"] = tables["stops"].assign(deadline_day="")
    assert cost(freer, rounds=2) <= cost(tables, rounds=2) + 1e-6
