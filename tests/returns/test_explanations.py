"""What holds a plan back, found by solving again with limits eased; what rules cost. The bottlenecks are planted."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from echelon.tables import Frames
from echelon_models.returns.limits import ease

from .cases import case, completed, days, solve
from .rule_cases import CASES, recovered, stops

ONE_WAY = {"stop": ["a10", "b-10"], "weight": 1.0, "service_minutes": 0.0, "leaving_cost": 500.0}
LEFT = stops(leaving_cost=[50.0, 80.0, 20.0])  # c-5 is left where 48 minutes or km must do for a tour of all, of 50
TIGHT = {"vehicle": "V", "cost_per_km": 0.1, "fixed_cost": 99.0}

# what was planted: (tables, kind of limit, whose, what the least that helps saves)
PLANTED: dict[str, tuple[Frames, str, str, float]] = {
    # a tour of 20 minutes there and back to each stop, and no time for both: a stop for 20 km
    "fleet": (case(stops=ONE_WAY, vehicles={"vehicle": "V", "shift_end": "00:25"}), "fleet", "V", 500.0 - 20.0),
    # b20 stays for half a kilogram, and would be 20 km further
    "load capacity": (case(stops=stops(weight=[1.0, 0.5, 8.0], leaving_cost=[70.0, 60.0, 250.0]),
                           vehicles=TIGHT | {"weight": 9.0}), "load capacity", "V", 60.0 - 2.0),
    "shift": (case(stops=LEFT, vehicles=TIGHT | {"shift_start": "08:00", "shift_end": "08:48"}), "shift", "V", 20.0 - 1.0),
    "longest tour": (case(stops=LEFT, vehicles=TIGHT | {"max_hours": 0.8}), "longest tour", "V", 20.0 - 1.0),
    "range": (case(stops=LEFT, vehicles=TIGHT | {"range": 48.0}), "range", "V", 20.0 - 1.0),
    # b20's 2 kg do not fit into the hub beside the others' 4 kg; it is 20 km further
    "intake": (case(stops=stops(leaving_cost=[99.0, 50.0, 98.0]), hubs={"hub": "H0", "intake_weight": 4.0}),
               "intake", "H0", 50.0 - 20.0),
    # both are back at 00:20, and home by 00:55 only if none waits for half an hour
    "dock capacity": (case(stops=ONE_WAY, hubs={"hub": "H0", "docks": 1, "unload_minutes": 30.0},
                           vehicles={"vehicle": "V", "count": 2, "weight": 1.0, "shift_end": "00:55"}),
                      "dock capacity", "H0", 500.0 - 20.0),
    # a tenth of a unit of P brings 6.4 at D30 and 1.5 at E40
    "destination capacity": (CASES["capacity of a destination"][0], "destination capacity", "D30", 0.1 * (6.4 - 1.5)),
    # a second truck of 4 kg takes 4 P to D30 instead of E40, and costs 2 instead of 1
    "line-haul capacity": (recovered(linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": [2.0, 1.0],
                                               "weight": 4.0, "trucks": [1, 9]}),
                           "line-haul capacity", "H0 to D30", 4 * (6.4 - 1.5) - 1.0),
}  # fmt: skip


@pytest.mark.parametrize(("tables", "limit", "name", "saving"), PLANTED.values(), ids=PLANTED)
def test_the_planted_limit_is_named(tables: Frames, limit: str, name: str, saving: float) -> None:
    """The limit that was made too tight is the one that the page names, at what a look at the case says it is worth."""
    run = solve(tables, explain="full")
    searched = run.plan["eased"][run.plan["eased"]["how"] == "searched"].sort_values("added")
    top = searched.iloc[0]
    assert (top["limit"], top["name"], top["saving"]) == (limit, name, pytest.approx(saving))
    assert run.page.constraint.startswith(f"The {limit} of {name} holds the plan back most")
    assert "no bound is known" in run.page.constraint


def test_where_nothing_is_scarce_no_limit_is_named() -> None:
    """Every stop is served on its way, and more of anything saves nothing: no difference is made up."""
    run = solve(case(vehicles={"vehicle": "V", "count": 2, "weight": 6.0, "fixed_cost": 5.0}), explain="full")
    assert run.plan["eased"].empty
    assert run.page.constraint == "No shared limit holds this plan back."


def test_the_limit_that_binds_next_is_told() -> None:
    """The hub takes one stop's load, and each tour has time for one stop. Room for a second load collects b-10 with the
    second vehicle, for 20 km; for a third stop there is no vehicle."""
    tables = case(
        stops={"stop": ["a10", "b-10", "c12"], "weight": 1.0, "service_minutes": 4.0, "leaving_cost": [500.0, 400.0, 300.0]},
        hubs={"hub": "H0", "intake_weight": 1.0},
        vehicles={"vehicle": "V", "count": 2, "shift_end": "00:28"},
    )  # fmt: skip
    run = solve(tables, explain="full")
    assert "saves 380, by searching again" in run.page.constraint
    assert (
        run.page.constraint.split(". ")[1]
        == "One more kg is worth 380 at first, less beyond +1; then the fleet of V binds"
    )


def test_the_bottleneck_of_a_day_is_told_with_what_feeds_it() -> None:
    """The hub is full on the only day, with 3 kg of c-5 and 1 kg of a10; the one unit that D30 takes is the dearer Q."""
    told = solve(PLANTED["intake"][0]).plan["bottlenecks"]
    assert told[["limit", "name", "use"]].drop_duplicates().to_numpy().tolist() == [["intake", "H0", 4.0]]
    assert dict(zip(told["item"], told["item_use"], strict=True)) == {"c-5": 3.0, "a10": 1.0}
    row = solve(PLANTED["destination capacity"][0]).plan["bottlenecks"].iloc[0]
    assert (row["limit"], row["item"], row["item_share"]) == ("destination capacity", "Q", 1.0)


def test_without_time_or_when_not_asked_nothing_is_searched() -> None:
    """`off` tells prices alone, `quick` what follows with tours and trucks held, `full` what a new search finds."""
    tables = CASES["capacity of a destination"][0]
    hows = {explain: set(solve(tables, explain=explain).plan["eased"]["how"]) for explain in ("off", "quick", "full")}
    assert hows == {"off": set(), "quick": {"held"}, "full": {"held", "searched"}}


def test_a_limit_that_is_eased_is_eased_by_what_is_said() -> None:
    """In the completed tables, of the one named only, in whole numbers where it is counted."""
    full, _ = completed(recovered(days=days(2), hubs={"hub": ["H0", "K9"], "intake_weight": 5.0}))
    eased: Any = ease(full, "intake", "K9", "kg", 2.0)
    assert eased["hubs"]["intake_weight"].tolist() == [5.0, 7.0]
    assert ease(full, "fleet", "V", "vehicles", 1.0)["vehicles"]["count"].tolist() == [2]
    assert full["vehicles"]["count"].tolist() == [1], "the case itself stays as it is"
    more = ease(full, "shift", "V", "hours", 0.5)["vehicles"]["shift_end"] - full["vehicles"]["shift_end"]
    assert more.tolist() == [1800]
    pd.testing.assert_frame_equal(
        ease(full, "line-haul capacity", "H0 to D30", "trucks", 3.0)["ways"].drop(columns="trucks"),
        full["ways"].drop(columns="trucks"),
    )


# what was planted: (tables, the rule, what the plan costs more for it)
RULED: dict[str, tuple[Frames, str, float]] = {
    # b20 would be 20 km further than a10, and its loss is 50
    "time windows of stops": (case(stops=stops(leaving_cost=[99.0, 50.0, 98.0]), vehicles={"vehicle": "V", "shift_start": "08:00"},
                                   windows={"place": "b20", "opens": "07:00", "closes": "08:05"}), "time windows of stops", 30.0),
    "skills": (case(stops=stops(skills=["", "lift", ""], leaving_cost=50.0)), "skills", 50.0 - 20.0),
    "intake of hubs": (PLANTED["intake"][0], "intake of hubs", 50.0 - 20.0),
    # Q goes to D30 with the others (20.8 a unit), not to E40 (5.5), whose truck is not needed
    "jurisdictions": (CASES["law of destinations"][0], "jurisdictions", 20.8 - 5.5 + 1.0),
    # 3 P are worth 6.4 each refurbished, 1.5 scrapped, and go on Q's truck of D30; E40 needs none
    "what must be done with goods": (CASES["option of the goods"][0], "what must be done with goods", 3 * (6.4 - 1.5) + 1.0),
    # a10 lies on the way to b20, and needs neither a day of its own nor a way of 20 km
    "days": (case(days=days(2), stops=stops(ready_day=["2", "", ""], deadline_day=["", "1", ""]),
                  vehicles={"vehicle": "V", "fixed_cost": 9.0}), "first and last days of stops", 9.0 + 20.0),
}  # fmt: skip


@pytest.mark.parametrize(("tables", "rule", "price"), RULED.values(), ids=RULED)
def test_a_rule_costs_what_the_plan_saves_without_it(tables: Frames, rule: str, price: float) -> None:
    run = solve(tables, price_rules=True)
    told = run.plan["rule_prices"].set_index("rule")["saving"].to_dict()
    assert told[rule] == pytest.approx(price)
    assert run.plan["rule_prices"]["at_most"].isna().all(), "no bound is known"
    assert any(note.startswith("prices of rules are differences of two plans") for note in run.notes)


def test_a_rule_that_costs_nothing_is_not_priced() -> None:
    """Its name stands in a note: what it saves cannot be told from what any search finds."""
    run = solve(case(vehicles={"vehicle": "V", "range": 500.0}), price_rules=True)
    assert run.plan["rule_prices"].empty
    assert any("no less than without: ranges of vehicles" in note for note in run.notes)
