"""What a run tells: reasons, the comparison, the map, the page; and that it tells the same again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon_models.returns import FAMILY
from echelon_models.returns.clock import seconds, text

from .cases import case, completed, on_a_line, solve
from .rule_cases import CASES, recovered, stops

ROOT = Path(__file__).parents[2]

# one stop more than can be served: (tables, the reason it is left)
LEFT: dict[str, tuple[Any, str]] = {
    "skills": (case(stops=stops(skills=["", "wings", ""])), "no vehicle fits"),
    "load": (case(stops=stops(weight=[1.0, 9.0, 1.0]), vehicles={"vehicle": "V", "weight": 5.0}), "no vehicle fits"),
    "range": (case(vehicles={"vehicle": "V", "range": 35.0}), "no vehicle fits"),
    "way": (case(distances=on_a_line(["H0", "a10", "c-5"]), stops=stops(latitude=[None, 50.0, None],
            longitude=[None, 8.0, None])), "no way"),
    "window": (case(windows={"place": "b20", "opens": "06:00", "closes": "08:00"},
                    vehicles={"vehicle": "V", "shift_start": "09:00"}), "no time window fits"),
    "law": (case(hubs={"hub": "H0", "region": "X"}, stops=stops(region="X", product_class=["", "k", ""]),
                 jurisdictions={"product_class": "k", "region": "X", "rule": "no_handling"}), "no hub takes it"),
    "room": (case(vehicles={"vehicle": "V", "weight": 4.0}, stops=stops(weight=[1.0, 1.0, 3.0], leaving_cost=[90.0, 20.0, 99.0])),
             "no capacity"),
    "worth": (case(stops=stops(leaving_cost=[9.0, 15.0, 99.0])), "not worth it"),
    "intake": (case(hubs={"hub": "H0", "intake_weight": 4.0}, stops=stops(leaving_cost=[99.0, 50.0, 98.0])),
               "hub intake is full"),
}  # fmt: skip


@pytest.mark.parametrize(("tables", "reason"), LEFT.values(), ids=LEFT)
def test_a_stop_that_is_left_has_its_reason(tables: Any, reason: str) -> None:
    """Whoever waits in vain wants to know why; the reason is found by trying."""
    left = solve(tables).plan["unserved"]
    assert left[left["stop"] == "b20"]["reason"].tolist() == [reason]
    assert left["detail"].str.len().min() > 0


def test_the_same_seed_gives_the_same_tables() -> None:
    """Counted in steps, neither a plan nor what limits are worth depends on the machine's speed: every table is the same
    to the last bit."""
    tables, options = CASES["trucks over days"]
    first, again = (solve(tables, explain="full", steps=2, **options).plan for _ in range(2))
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, again[name], check_exact=True)


@pytest.mark.slow
def test_the_sample_case_has_the_same_plan_again() -> None:
    """Counted in steps, with a limit of time that is not reached: tours of 80 stops over five days, the trucks, and what
    limits are worth are the same in every table, to the last bit."""
    how: Any = {"options": {"steps": 1, "rounds": 1, "pyvrp": "off"}, "time_limit": 3600.0, "explain": "quick"}
    first, again = (echelon.solve(ROOT / "data" / "merel_electronics", **how).plan for _ in range(2))
    for name, frame in first.items():
        pd.testing.assert_frame_equal(frame, again[name], check_exact=True)


def test_an_earlier_run_is_a_start() -> None:
    """A warm start never ends worse than the plan it starts from."""
    tables = CASES["trucks over days"][0]
    run = solve(tables)
    again = echelon.solve(tables, "returns", options={"rounds": 1}, start=run, time_limit=10.0)
    assert (again.outcome.objective or 0.0) <= (run.outcome.objective or 0.0) + 1e-6


def test_the_outcome_claims_no_bound() -> None:
    """No lower bound is known, so none is told, and no gap."""
    outcome = solve(case()).outcome
    assert outcome.termination is echelon.Termination.FEASIBLE
    assert outcome.bound is None and outcome.gap is None


def test_each_stop_alone_costs_what_its_tariff_says() -> None:
    """a10's 2 kg of P go 20 km to D30: 5 + 2·0.5 + 20·0.1; it brings 2·(0.8·9 - 0.5 - 0.2·1.5). b20's goods ride together:
    6 kg, 10 km to D30, at the price of 10 kg, which is less."""
    tables = recovered(
        tariff={"from_weight": [0.0, 10.0], "cost": [5.0, 4.0], "cost_per_kg": [0.5, 0.1], "cost_per_km": 0.1}
    )
    alone = solve(tables).plan["alone"].set_index("stop")
    assert alone.loc["a10", "shipping"] == pytest.approx(min(5 + 2 * 0.5, 4 + 10 * 0.1) + 20 * 0.1)
    assert alone.loc["a10", "recovered"] == pytest.approx(2 * 0.8 * 9.0)
    assert alone.loc["b20", "shipping"] == pytest.approx(4 + 10 * 0.1 + 10 * 0.1)
    assert alone.loc["b20", "treatment"] == pytest.approx(5 * (0.5 + 0.2 * 1.5))


def test_without_a_tariff_each_stop_is_visited_by_the_cheapest_vehicle() -> None:
    """There and back between the stop and the hub, with the day's cost of the vehicle."""
    tables = case(vehicles={"vehicle": ["V", "W"], "fixed_cost": [7.0, 1.0], "cost_per_km": [1.0, 2.0]})
    alone = solve(tables).plan["alone"].set_index("stop")
    assert alone["shipping"].to_dict() == pytest.approx({"a10": 27.0, "b20": 47.0, "c-5": 17.0})


def test_the_comparison_is_of_the_plan_and_of_each_stop_alone() -> None:
    run = solve(recovered())
    total = run.plan["comparison"].set_index("line").loc["total"]
    assert total["plan"] == pytest.approx(run.outcome.objective)
    assert total["alone"] == pytest.approx(run.plan["alone"]["cost"].sum())
    assert run.kpis["saving"] == pytest.approx(total["alone"] - total["plan"])


def test_a_binding_limit_has_its_price() -> None:
    """D30 pays 6.4 a unit of P net of carriage (18.7 of Q); E40 1.4: one more unit that D30 takes is worth the difference."""
    tables = CASES["capacity of a destination"][0]
    limits = solve(tables).plan["limits"]
    row = limits[(limits["limit"] == "destination capacity") & (limits["name"] == "D30")].iloc[0]
    assert row["use"] == pytest.approx(row["capacity"]) == 1.0
    assert row["price"] > 0


def test_the_map_shows_every_tour(tmp_path: Path) -> None:
    """A line a tour and a point a call, longitude first (RFC 7946)."""
    tables = case(
        hubs={"hub": "H0", "latitude": 50.0, "longitude": 8.0},
        stops=stops(latitude=[50.1, 50.2, 49.95], longitude=[8.1, 8.2, 8.3]),
        distances=None,
    )
    folder = solve(tables).save(tmp_path)
    told = json.loads((folder / "results" / "routes.geojson").read_text(encoding="utf-8"))
    lines = [f for f in told["features"] if f["geometry"]["type"] == "LineString"]
    points = {f["properties"]["place"]: f["geometry"]["coordinates"] for f in told["features"] if f not in lines}
    assert len(lines) == 1 and len(lines[0]["geometry"]["coordinates"]) == 6
    assert points == {"a10": [8.1, 50.1], "b20": [8.2, 50.2], "c-5": [8.3, 49.95], "H0": [8.0, 50.0]}
    loaded = echelon.Run.load(folder)
    assert loaded.page.service == solve(tables).page.service


def test_times_by_the_time_of_day_are_kept() -> None:
    """The way to b20 takes four times as long from 08:10 on: who leaves at 08:00 is there within ten minutes and what is
    left at a quarter of the speed (Ichoua, Gendreau & Potvin 2003)."""
    ways = on_a_line(["H0", "b20"])
    slow = ways.assign(from_time="08:10", minutes=ways["minutes"] * 4)
    tables = case(
        stops={"stop": ["b20"], "weight": 1.0, "service_minutes": 0.0},
        vehicles={"vehicle": "V", "shift_start": "08:00"},
        windows={"place": "b20", "opens": "08:00", "closes": "08:50"},
        distances=pd.concat([ways, slow]),
    )
    calls = solve(tables).plan["routes"]
    assert calls[calls["call"] == "stop"]["arrival"].tolist() == ["08:50:00"]


def test_a_break_is_taken_on_the_way() -> None:
    """60 minutes out and 60 back with a break of 30 between 00:30 and 00:40: two and a half hours."""
    tables = case(
        stops={"stop": ["d60"], "weight": 1.0, "service_minutes": 0.0},
        vehicles={"vehicle": "V", "shift_end": "02:30", "max_hours": 2.5},
        breaks={"earliest": "00:30", "latest": "00:40", "minutes": 30},
    )
    run = solve(tables)
    assert run.plan["tours"]["hours"].tolist() == [2.5]
    assert (run.plan["routes"]["call"] == "break").sum() == 1


def test_two_vehicles_wait_for_one_dock() -> None:
    """Both would be back at 00:20; unloading takes half an hour, so the other one unloads half an hour later."""
    tables = case(
        hubs={"hub": "H0", "docks": 1, "unload_minutes": 30.0},
        stops={"stop": ["a10", "b-10"], "weight": 1.0, "service_minutes": 0.0},
        vehicles={"vehicle": "V", "count": 2, "weight": 1.0, "shift_end": "01:20"},
    )
    calls = solve(tables).plan["routes"]
    assert sorted(calls[calls["call"] == "hub"]["begin"]) == ["00:20:00", "00:50:00"]


@pytest.mark.parametrize(
    ("written", "moment"), [("08:30", 30_600), ("8:05:10", 29_110), ("26:00", 93_600), ("48:00", 172_800)]
)
def test_times_of_day_come_back(written: str, moment: int) -> None:
    assert seconds(written) == moment
    assert seconds(text(moment)) == moment


@pytest.mark.parametrize("written", ["", "8", "8.30", "08:61", "-1:00", "48:01", "noon"])
def test_what_is_no_time_of_day_is_refused(written: str) -> None:
    assert seconds(written) is None


def test_the_sample_case_is_a_case() -> None:
    """It validates without a finding, and every family of its rows is there."""
    assert echelon.check(ROOT / "data" / "merel_electronics") == []
    tables = echelon.read(ROOT / "data" / "merel_electronics").tables
    assert len(tables["stops"]) == 80 and len(tables["hubs"]) == 2 and len(tables["days"]) == 5
    assert tables["vehicles"]["count"].astype(int).sum() == 10
    assert (tables["destinations"]["kind"] == "refurbish").sum() == 3


@pytest.mark.slow
def test_consolidation_saves_on_the_sample_case() -> None:
    """The bar: the plan costs less than each stop shipping alone, told as cheaply as that can be."""
    run = echelon.solve(ROOT / "data" / "merel_electronics", time_limit=60.0)
    assert run.kpis["saving"] > 0
    assert run.outcome.seconds <= 60.0 * 1.1 + 2.0


def test_completion_and_page_need_no_destinations() -> None:
    """Without destinations goods end at the hub at their value, and the page leaves recovery out."""
    tables = recovered(destinations=None, recovery=None, linehaul=None)
    run = solve(tables)
    assert run.costs["value of loads"] == pytest.approx(-(6 * 10.0 + 30.0))
    assert "recovery" not in run.page.service
    assert not len(completed(tables)[0]["goods"])
    assert FAMILY.name == "returns"
