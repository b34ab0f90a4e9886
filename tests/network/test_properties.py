"""What must hold of any network, on random small cases: easing never costs, and saying the same otherwise changes
nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import approx

from echelon.tables import Frames

from .cases import EXACT, calendar, change, frame, optimum, solve

FEW = settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
MONEY = ("opening_cost", "closing_cost", "running_cost", "cost", "unserved_cost", "disposal_cost", "value", "amount")
MONEY_A_UNIT = ("cost", "unserved_cost", "disposal_cost", "value")
QUANTITY = ("quantity", "capacity", "disposal_limit")
Change = Callable[[Frames], Frames]


@st.composite
def cases(draw: Any) -> Frames:
    """Three sites, three customers, one or two periods, with some of the rules."""
    sites, customers = ["A", "B", "C"], ["c", "d", "e"]

    def numbers(count: int, low: int, high: int) -> list[float]:
        return [float(n) for n in draw(st.lists(st.integers(low, high), min_size=count, max_size=count))]

    periods = draw(st.integers(1, 2))
    wants = [(c, str(t + 1)) for c in customers for t in range(periods)]
    tables = {
        "periods": calendar([365, 180][:periods]),
        "sites": frame({"site": sites, "opening_cost": numbers(3, 0, 30), "closing_cost": numbers(3, 0, 5),
                        "running_cost": numbers(3, 1, 40), "capacity": numbers(3, 25, 60),
                        "existing": draw(st.lists(st.booleans(), min_size=3, max_size=3)), "region": ["X", "X", "Y"]}),
        "customers": frame({"customer": customers, "unserved_cost": 30.0}),
        "demand": pd.DataFrame(wants, columns=["customer", "period"]).assign(quantity=numbers(len(wants), 1, 9)),
        "deliveries": pd.DataFrame([(s, c) for s in sites for c in customers], columns=["site", "customer"]).assign(
            cost=numbers(9, 0, 9)),
    }  # fmt: skip
    if draw(st.booleans()):
        tables["products"] = frame({"product": "ALL", "value": 5.0, "holding_rate": 0.4, "pooling": 2.0})
    if draw(st.booleans()):
        tables["site_limits"] = frame({"maximum": draw(st.integers(1, 2))})
    if draw(st.booleans()):
        tables["budgets"] = frame({"amount": float(draw(st.integers(0, 30))), "excess_cost": 0.5})
    if draw(st.booleans()):
        tables["customers"] = tables["customers"].assign(sourcing="product")
    return tables


def times(factor: float, *columns: str) -> Change:
    """Multiply these columns wherever they stand."""
    return lambda tables: {n: f.assign(**{c: f[c] * factor for c in columns if c in f}) for n, f in tables.items()}


@pytest.mark.slow
@FEW
@given(tables=cases())
def test_easing_a_case_never_costs(tables: Frames) -> None:
    """Lower opening costs, more capacity, a rule less: every network from before is still there, at no higher cost."""
    before = optimum(tables)
    sites = tables["sites"]
    eased = {
        "lower opening costs": change(tables, sites={"opening_cost": sites["opening_cost"] / 2}),
        "more capacity": change(tables, sites={"capacity": sites["capacity"] + 5}),
        "any number of sites": change(tables, site_limits=None) if "site_limits" in tables else tables,
        "no budget": change(tables, budgets=None) if "budgets" in tables else tables,
        "any number of sources": change(tables, customers={"sourcing": "multiple"}),
    }
    for name, case in eased.items():
        assert optimum(case) <= before * (1 + EXACT) + EXACT, name


@pytest.mark.slow
@FEW
@given(tables=cases(), site=st.sampled_from("ABC"))
def test_a_forbidden_site_is_never_used(tables: Frames, site: str) -> None:
    """A site pinned closed neither is open nor sends anything out, and forbidding it never pays."""
    pinned = change(tables, pinned_sites={"site": site, "state": "closed"})
    run = solve(pinned)
    states = run.plan["sites"]
    assert not states.loc[states["site"] == site, "open"].any()
    assert site not in set(run.plan["flows"]["origin"])
    assert (run.outcome.objective or 0.0) >= optimum(tables) * (1 - EXACT) - EXACT


@pytest.mark.slow
@FEW
@given(tables=cases(), seed=st.integers(0, 9))
def test_order_and_names_do_not_matter(tables: Frames, seed: int) -> None:
    """The optimum is a property of the business, not of how its tables are written."""
    turn = str.maketrans("ABCcdeXY", "zyxwvutS")
    names = ("site", "customer", "region")
    other = {
        name: f.sample(frac=1.0, random_state=seed).assign(**{c: f[c].str.translate(turn) for c in names if c in f})
        for name, f in tables.items()
    }
    assert optimum(other) == approx(optimum(tables), rel=EXACT, abs=EXACT)


@pytest.mark.slow
@FEW
@given(tables=cases(), k=st.sampled_from([0.01, 1000.0]))
def test_another_currency_scales_the_cost(tables: Frames, k: float) -> None:
    """A network in cents is the network in euros at a hundred times the cost."""
    assert optimum(times(k, *MONEY)(tables)) == approx(k * optimum(tables), rel=EXACT, abs=EXACT * k)


@FEW
@given(tables=cases(), k=st.sampled_from([0.1, 1000.0]))
def test_other_units_give_a_network_of_the_same_cost(tables: Frames, k: float) -> None:
    """Through the whole path, recheck included: k times as many units, each worth 1 / k; safety stock grows with the
    square root, so its factor by sqrt(k)."""
    scaled = times(1 / k, *MONEY_A_UNIT)(times(k, *QUANTITY)(tables))
    scaled["sites"] = scaled["sites"].assign(**{c: tables["sites"][c] for c in MONEY if c in tables["sites"]})
    scaled = times(k**0.5, "pooling")(scaled)
    assert optimum(scaled) == approx(optimum(tables), rel=EXACT, abs=EXACT)


@FEW
@given(tables=cases())
def test_a_later_period_weighs_less(tables: Frames) -> None:
    """Discounting never makes a network dearer where no cost is negative."""
    assert optimum(tables, discount_rate=0.3) <= optimum(tables) * (1 + EXACT) + EXACT
