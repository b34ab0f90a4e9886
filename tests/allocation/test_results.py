"""What the result tables say is what a buyer could check: values by hand, by another solve, or by another family."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import echelon
from echelon_models.allocation.schema import AllocationOptions

from .cases import EXACT, case, change, completed, optimum, rich, solve

FIRE = {
    "scenarios": {"scenario": ["plan", "fire"], "probability": [0.5, 0.5]},
    "disruptions": {"scenario": "fire", "kind": "supplier", "name": "S"},
}


def risky() -> dict[str, pd.DataFrame]:
    return case({"A": 10.0}, {"S A": 3.0, "T A": 4.0}, items={"emergency_price": 20.0, "shortage_cost": 40.0},
                suppliers={"supplier": ["S", "T"], "flexibility": 0.0}, **FIRE)  # fmt: skip


def test_the_value_of_the_stochastic_solution_and_of_perfect_information() -> None:
    """By hand. All from T costs 40 in both years. Knowing the year: 30 from S as planned, 40 from T in the fire, so 35
    on average; 5 is what knowing is worth. The mean year has half of S: each unit of S saves 0.5 and costs 8.5 more
    (the half that fails is bought at 20), so its best award is T too, and planning for the scenarios is worth 0."""
    run = solve(risky(), value_information=True)
    assert run.outcome.objective == pytest.approx(40.0)
    assert run.kpis["value_of_perfect_information"] == pytest.approx(5.0)
    assert run.kpis["value_of_stochastic_solution"] == pytest.approx(0.0, abs=1e-6)


def test_the_mean_year_may_mislead() -> None:
    """By hand. With an emergency limit of 5, half of S (the mean year) can be made up for at 6, a whole one cannot: in
    the fire 5 units are missing at 40. The mean year's award is all from S: 30 - 15 + 30 = 45 against 80 from T at 8;
    over the two years it costs 30 + 0.5 (-30 + 30 + 200) = 130. From T: 80. Best: 5 from S, 5 from T:
    15 + 40 + 0.5 (-15 + 30) = 62.5. So planning for the scenarios is worth 67.5."""
    tables = change(risky(), items={"emergency_price": 6.0, "emergency_limit": 5.0}, offers={"price": [3.0, 8.0]})
    run = solve(tables, value_information=True)
    assert run.outcome.objective == pytest.approx(62.5)
    assert run.kpis["value_of_stochastic_solution"] == pytest.approx(67.5)


def test_scenarios_are_ranked_with_cost_and_service() -> None:
    run = solve(change(risky(), items={"emergency_limit": 0.0, "shortage_cost": 4.5}, offers={"price": [3.0, 9.0]}))
    table = run.plan["scenario_costs"].set_index("scenario")
    assert table["rank"].to_dict() == {"fire": 1, "plan": 2}
    assert table["cost"].to_dict() == pytest.approx({"fire": 45.0, "plan": 30.0})
    assert table["service"].to_dict() == pytest.approx({"fire": 0.0, "plan": 1.0})


def test_a_rule_is_priced_by_solving_without_it() -> None:
    """The saving is that of the best award without the rule, found by a solve of its own."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 4.0}, items={"min_suppliers": 2, "smallest_share": 0.2},
                  shares={"supplier": "T", "item": "A", "min_share": 0.3})  # fmt: skip
    prices = solve(tables, price_rules=True).plan["rule_prices"].set_index("rule")
    for rule, free in (
        ("smallest shares", change(tables, shares=None)),
        ("fewest suppliers of items", change(tables, items={"min_suppliers": 0})),
    ):
        assert prices.at[rule, "cost_without"] == pytest.approx(optimum(free), rel=EXACT)
    assert prices.at["smallest shares", "saving"] == pytest.approx(1.0)
    assert set(prices.index) == {"smallest shares", "fewest suppliers of items", "smallest awards of items"}


@pytest.mark.parametrize("price_breaks", [None, {"supplier": "T", "item": "A", "from_quantity": 6.0, "price": 3.8}])
def test_an_offer_wins_just_below_its_target_price_and_not_above(price_breaks: dict[str, object] | None) -> None:
    """The price to renegotiate to is where the answer flips: found by solving again with a price a little below, and a
    little above."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 4.0}, offer_terms={"award_cost": [1.0, 2.0]},
                  suppliers={"supplier": ["S", "T"], "activation_cost": [0.0, 3.0]},
                  **({} if price_breaks is None else {"price_breaks": price_breaks}))  # fmt: skip
    (row,) = solve(tables, renegotiate=5).plan["renegotiation"].itertuples()
    assert (row.supplier, row.item) == ("T", "A")
    cut = row.price - row.target_price
    for nudge, wins in ((1e-3, True), (-1e-3, False)):
        cheaper = change(tables, offers={"price": [3.0, 4.0 - cut - nudge]})
        if price_breaks is not None:
            cheaper = change(cheaper, price_breaks={"price": 3.8 - cut - nudge})
        assert ("T" in set(solve(cheaper).plan["awards"]["supplier"])) is wins


def test_the_price_of_a_limit_is_what_one_more_unit_saves() -> None:
    """10 units at 3 or 4, of which S can deliver 7 in all: one more unit of S saves 1."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 4.0}, suppliers={"supplier": ["S", "T"], "capacity": [7.0, None]})
    (row,) = solve(tables).prices.itertuples()
    assert (row.limit, row.name, row.use, row.price) == ("supplier capacity", "S", 7.0, pytest.approx(1.0))


def test_concentration_by_hand() -> None:
    """60% and 40% of spend: HHI 0.36 + 0.16."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 3.0}, shares={"supplier": "S", "item": "A", "min_share": 0.6, "max_share": 0.6},
                  suppliers={"supplier": ["S", "T"], "parent": "P"})  # fmt: skip
    table = solve(tables).plan["concentration"].set_index(["scope", "across"])
    assert table.at[("all", "supplier"), "hhi"] == pytest.approx(0.52)
    assert table.at[("all", "parent"), "hhi"] == pytest.approx(1.0)
    assert table.at[("all", "supplier"), "largest"] == "S"


def test_drawn_scenarios_have_the_given_frequencies() -> None:
    """Many draws come near the probabilities; a region's failure strikes all of its suppliers; the seed decides."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 4.0},
                  suppliers={"supplier": ["S", "T"], "region": "EU", "disruption_probability": [0.2, 0.0], "capacity_left": 0.5},
                  regions={"region": ["EU"], "disruption_probability": 0.1, "capacity_left": 0.0})  # fmt: skip
    full, _ = completed(tables, draw_scenarios=20_000)
    assert full["scenarios"]["probability"].sum() == pytest.approx(1.0)
    lost = full["losses"].merge(full["scenarios"], on="scenario")
    fails = lost.groupby(["supplier", "capacity_left"])["probability"].sum()
    assert fails["S", 0.0] == pytest.approx(0.1, abs=0.01) == fails["T", 0.0]
    assert fails["S", 0.5] == pytest.approx(0.2 * 0.9, abs=0.01)
    again, _ = completed(tables, draw_scenarios=20_000)
    pd.testing.assert_frame_equal(full["losses"], again["losses"])
    other, _ = completed(tables, draw_scenarios=20_000, scenario_seed=1)
    assert not full["scenarios"].equals(other["scenarios"])


def test_a_drawn_case_is_planned() -> None:
    tables = case(
        {"A": 10.0}, {"S A": 3.0, "T A": 4.0}, suppliers={"supplier": ["S", "T"], "disruption_probability": 0.3}
    )
    run = solve(tables, draw_scenarios=50, objective="mean_cvar")
    assert run.plan["scenario_costs"]["probability"].sum() == pytest.approx(1.0)
    assert len(run.plan["scenario_costs"]) == 4, "equal draws are one scenario"


def test_the_award_feeds_ordering() -> None:
    """`offers` and `shares` are tables that the ordering family takes as they are, and plans by."""
    run = solve(rich(), **{"max_change": 0.7})
    weeks = pd.date_range("2026-01-05", periods=12, freq="7D").strftime("%Y-%m-%d")
    pairs = run.plan["offers"][["item", "site"]].drop_duplicates()
    demand = pairs.merge(pd.DataFrame({"period": weeks}), how="cross").assign(quantity=6.0)
    orders = {
        "items": rich()["items"][["item"]], "demand": demand,
        "offers": run.plan["offers"], "shares": run.plan["shares"],
    }  # fmt: skip
    ordered = echelon.solve(orders, "ordering", gap=0.01, time_limit=20).plan["orders"]
    part = ordered.groupby(["supplier", "item"])["quantity"].sum()
    whole = ordered.groupby("item")["quantity"].sum()
    for row in run.plan["shares"].itertuples():
        assert row.min_share - 1e-6 <= part.get((row.supplier, row.item), 0.0) / whole[row.item] <= row.max_share + 1e-6


def test_an_earlier_run_is_a_start(tmp_path: Path) -> None:
    """A saved run read back starts the next search, which ends at the same optimum."""
    run = solve(rich(), max_change=0.7)
    loaded = echelon.Run.load(run.save(tmp_path))
    assert solve(rich(), start=loaded, max_change=0.7).outcome.objective == pytest.approx(run.outcome.objective)


def test_three_tables_are_enough() -> None:
    """Items, demand and offers give a first answer, with the options' defaults."""
    run = echelon.solve(case({"A": 10.0}, {"S A": 3.0, "T A": 2.0}), "allocation")
    assert run.plan["awards"][["supplier", "quantity"]].values.tolist() == [["T", 10.0]]
    assert set(AllocationOptions.model_fields) <= set(run.options)
