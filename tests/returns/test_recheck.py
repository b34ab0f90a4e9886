"""The recheck must catch every way in which a plan can break a rule or say something untrue about itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon.tables import Frames
from echelon_models.returns import FAMILY

from .cases import case, completed, days, solve

Mutation = Callable[[Frames], Any]
OPTIONS: dict[str, Any] = {"carbon_price": 100.0, "final_stock_share": 0.5}


def rich() -> Frames:
    """A case in which every rule and every cost line has something to say: two days, two hubs, a truck that is parked at
    a yard, a break, deliveries, goods for two destinations, slow stock, a stop that is left."""
    return case(
        days=days(2),
        places={"place": "Y-8"},
        hubs={"hub": ["H0", "K40"], "region": "X", "unload_minutes": 10.0, "docks": 1, "intake_weight": [12.0, 30.0],
              "storage_volume": 9.0, "handling_cost": 0.1, "stock_cost": 0.05},
        stops={"stop": ["a10", "b20", "c-5", "d30", "e45", "f90"], "region": "X", "weight": [1.0, 2.0, 3.0, 1.0, 2.0, 1.0],
               "volume": 0.1, "value": [30.0, 30.0, 30.0, 30.0, 30.0, 1.0], "delivery_weight": [2.0, 0.0, 0.0, 1.0, 0.0, 0.0],
               "service_minutes": 5.0, "skills": ["lift", "", "", "", "", ""], "deadline_day": ["", "1", "", "", "", ""],
               "ready_day": ["", "", "2", "", "", ""], "leaving_cost": [None, None, None, None, None, 2.0]},
        windows={"place": ["b20", "H0"], "opens": ["08:00", "07:00"], "closes": ["08:15", "18:00"]},
        vehicles={"vehicle": ["V", "W"], "start": ["H0", "Y-8"], "end": ["H0", "Y-8"], "unloads_at": ["", "K40"],
                  "weight": [8.0, 9.0], "volume": 20.0, "fixed_cost": 5.0, "cost_per_km": 1.0, "cost_per_hour": 6.0,
                  "emissions": 0.5, "range": 150.0, "skills": ["lift", ""], "shift_start": "07:00", "shift_end": "17:00",
                  "max_hours": 9.0, "trips": 2},
        breaks={"earliest": "08:05", "latest": "08:10", "minutes": 20},
        products={"product": ["P", "Q"], "product_class": ["p", "q"], "weight": [0.5, 1.0], "volume": 0.2, "value": [20.0, 50.0]},
        returns={"stop": ["a10", "b20", "c-5", "e45"], "product": ["P", "Q", "P", "Q"], "quantity": [2.0, 1.0, 4.0, 2.0],
                 "option": ["", "", "scrap", ""]},
        slow_movers={"stop": ["a10", "d30"], "product": ["Q", "P"], "quantity": [3.0, 4.0], "age": [400.0, 20.0],
                     "demand_rate": [0.0, 0.1]},
        destinations={"destination": ["D31", "E50"], "kind": ["refurbish", "scrap"], "region": "X", "capacity": [5.0, None],
                      "weight_limit": [None, 9.0]},
        recovery={"destination": ["D31", "E50"], "value_share": [0.8, 0.35], "yield_rate": [0.75, 1.0], "cost": 0.5,
                  "residue_cost": 1.0, "emissions": [1.0, 2.0]},
        linehaul={"hub": ["H0", "H0", "K40", "K40"], "destination": ["D31", "E50"] * 2, "km": 10.0, "truck_cost": 3.0,
                  "weight": 4.0, "weight_cost": 0.1, "trucks": 2, "emissions": 4.0},
        jurisdictions={"product_class": "q", "region": "Z", "rule": "no_import"},
        tariff={"from_weight": [0.0, 2.0], "cost": [6.0, 9.0], "cost_per_kg": 0.5, "cost_per_km": 0.2},
    )  # fmt: skip


@pytest.fixture(scope="module")
def run() -> echelon.Run:
    return solve(rich(), rounds=1, **OPTIONS)


@pytest.fixture(scope="module")
def full() -> tuple[Frames, Any]:
    return completed(rich(), **OPTIONS)


def violated(full: tuple[Frames, Any], plan: Frames) -> set[str]:
    return {v.rule for v in FAMILY.recheck(full[0], full[1], plan).violations}


def put(table: str, column: str, value: Any, row: int = 0, **where: Any) -> Mutation:
    """Write a value (or what a function makes of the old one) into the row-th row that has these cells."""

    def change(plan: Frames) -> None:
        frame = plan[table]
        rows = frame.index[(frame[list(where)] == pd.Series(where)).all(axis=1)] if where else frame.index
        assert len(rows), f"no row of {table} with {where}"
        frame[column] = frame[column].astype(object)
        old = frame.loc[rows[row], column]
        frame.loc[rows[row], column] = value(old) if callable(value) else value

    return change


def drop(table: str, row: int = 0, **where: Any) -> Mutation:
    def change(plan: Frames) -> None:
        frame = plan[table]
        rows = frame.index[(frame[list(where)] == pd.Series(where)).all(axis=1)] if where else frame.index
        plan[table] = frame.drop(index=rows[row])

    return change


def twice(table: str, **where: Any) -> Mutation:
    def change(plan: Frames) -> None:
        frame = plan[table]
        rows = frame.index[(frame[list(where)] == pd.Series(where)).all(axis=1)] if where else frame.index
        plan[table] = pd.concat([frame, frame.loc[rows[:1]]], ignore_index=True)

    return change


MUTATIONS: dict[str, tuple[str, Mutation]] = {
    "vehicle of nobody": ("tours are of vehicles and days of the case", put("routes", "vehicle", "V 9")),
    "calls in disorder": ("calls are numbered from 0", put("routes", "order", 7, call="stop")),
    "start elsewhere": ("a tour begins and ends where its vehicle does", put("routes", "place", "K40", call="start")),
    "a stop twice": ("one row a tour", drop("tours")),
    "distance": ("distance driven", put("routes", "km", lambda km: km + 1, call="stop")),
    "too early": ("nobody arrives before the way allows", put("routes", "arrival", "07:00:01", call="stop", row=1)),
    "load told": ("load on board", put("routes", "weight", lambda w: w + 1, call="stop")),
    "service too short": ("service takes its time", put("routes", "departure", "07:00:00", call="stop")),
    "window": ("windows of a stop", put("routes", "begin", "10:00:00", place="b20")),
    "hub hours": ("hours of a hub", put("routes", "begin", "18:30:00", place="H0", call="hub")),
    "unloading too short": ("unloading takes its time", put("routes", "departure", lambda t: "00:00:01", call="hub")),
    "shift begins": ("a tour begins within the shift", put("routes", "departure", "06:59:00", call="start")),
    "shift ends": ("a tour ends within the shift", put("routes", "departure", "17:30:00", call="end")),
    "longest tour": ("longest tour", put("routes", "departure", "23:00:00", call="end")),
    "no break": ("breaks are taken", put("routes", "departure", lambda t: "08:05:01", call="break")),
    "where served": ("where a stop is served", put("served", "hub", "K40", hub="H0")),
    "nobody knows": ("every stop is served or left, once", drop("served")),
    "loss": ("loss of leaving a stop", put("unserved", "loss", 1.0)),
    "tour's km": ("a tour's km", put("tours", "km", lambda km: km + 1)),
    "tour's cost of hours": ("a tour's time_cost", put("tours", "time_cost", lambda c: c + 1)),
    "tour's times": ("a tour's times and calls", put("tours", "finish", "23:59:00")),
    "goods to nowhere": ("goods go where they may", put("recovery", "kind", "resell")),
    "yield": ("recovery: good", put("recovery", "good", lambda g: g + 1)),
    "value": ("recovery: value", put("recovery", "value", lambda v: v + 1)),
    "treatment": ("recovery: cost", put("recovery", "cost", 0.0)),
    "goods out of nothing": ("balance of a hub", put("recovery", "units", lambda u: u + 1)),
    "goods lost": ("balance of a hub", drop("recovery")),
    "no truck": ("goods go by truck, on the case's ways", drop("linehaul")),
    "too few trucks": ("capacity of a truck", put("linehaul", "trucks", 0)),
    "too many trucks": ("trucks of a day", put("linehaul", "trucks", 3)),
    "truck's cost": ("line-haul: cost", put("linehaul", "cost", 0.0)),
    "fill": ("line-haul: fill", put("linehaul", "fill", 2.0)),
    "destination too full": ("capacity of a destination", put("recovery", "units", 50.0, destination="D31")),
    "weight limit": ("weight limit of a destination", put("recovery", "units", 50.0, destination="E50")),
    "intake told": ("hub: weight", put("intake", "weight", lambda w: w + 1, hub="H0")),
    "handling": ("hub: handling_cost", put("intake", "handling_cost", 9.0)),
    "intake twice": ("one row a hub and day", drop("intake")),
    "limit's use": ("use of a limit", put("limits", "use", lambda use: use + 1, limit="intake")),
    "load used": ("use of a limit", put("limits", "use", lambda use: use + 1, limit="load capacity")),
    "fleet used": ("use of a limit", put("limits", "use", lambda use: use + 1, limit="fleet")),
    "hours used": ("use of a limit", put("limits", "use", lambda use: use + 1, limit="shift")),
    "docks used": ("use of a limit", put("limits", "use", lambda use: use + 1, limit="dock capacity")),
    "trucks used": ("use of a limit", put("limits", "use", lambda use: use + 1, limit="line-haul capacity")),
    "limit's capacity": ("what a limit allows", put("limits", "capacity", 1e6, limit="weight limit")),
    "limit left out": ("one row a limit", drop("limits")),
    "alone: shipping": ("a stop alone: shipping", put("alone", "shipping", 99.0)),
    "alone: treatment": ("a stop alone: treatment", put("alone", "treatment", 99.0)),
    "alone: carbon": ("a stop alone: carbon", put("alone", "carbon", 99.0)),
    "alone: value": ("a stop alone: recovered", put("alone", "recovered", 0.5)),
    "alone: shipments": ("a stop alone: shipments", put("alone", "shipments", 9)),
    "alone adds up": ("a stop alone: cost", put("alone", "cost", 2e4)),
    "alone pays too much": ("a stop alone does what costs least", put("alone", "cost", 2e4)),
    "alone to nowhere": ("a stop alone ships to places that may take its goods", put("alone", "destinations", "Y-8", ships=True)),
    "alone leaves": ("a stop alone: loss", put("alone", "ships", False, ships=True)),
    "alone forgotten": ("one row a stop alone", drop("alone")),
    "comparison": ("comparison: the plan", put("comparison", "plan", 0.0, line="total")),
    "comparison's lines": ("comparison: lines add up", put("comparison", "alone", 77.0, line="transport")),
    "saving": ("comparison: saving", put("comparison", "saving", 77.0, line="hubs")),
    "slow mover's flag": ("slow movers: the flag is of the best option", put("slow_movers", "flag", "scrap", stop="a10")),
    "slow mover's worth": ("slow movers: worth of holding", put("slow_movers", "hold", 1.0, stop="a10")),
    "slow mover's units": ("slow movers: units kept", put("slow_movers", "kept", 0.0, stop="d30")),
    "slow mover lost": ("slow movers that are not held are the plan's returns", drop("returns")),
    "one truck row a way": ("one row of trucks a way and day", twice("linehaul")),
}  # fmt: skip


@pytest.mark.parametrize(("rule", "mutation"), MUTATIONS.values(), ids=MUTATIONS)
def test_a_broken_rule_is_caught(run: echelon.Run, full: tuple[Frames, Any], rule: str, mutation: Mutation) -> None:
    plan = {name: frame.copy() for name, frame in run.plan.items()}
    mutation(plan)
    assert rule in violated(full, plan)


# changes of the case under which the same plan breaks a rule
CASE_CHANGES: dict[str, tuple[str, str, str, Any]] = {
    "capacity": ("capacity of a vehicle", "vehicles", "weight", 2.0),
    "skills": ("skills of a vehicle", "vehicles", "skills", ""),
    "range": ("range of a vehicle", "vehicles", "range", 10.0),
    "calls at hubs": ("calls at hubs", "vehicles", "trips", 0),
    "hubs of a vehicle": ("a vehicle unloads at its hubs", "vehicles", "unloads_at", ""),
    "longest tour": ("longest tour", "vehicles", "max_hours", 0.1),
    "fleet": ("no limit is exceeded", "vehicles", "count", 0),
    "ready": ("days of a stop", "stops", "ready", 2),
    "intake": ("intake of a hub in a day", "hubs", "intake_weight", 0.5),
    "docks": ("docks of a hub", "hubs", "docks", 0),
    "deliveries from a yard": ("deliveries are loaded at a hub", "stops", "delivery_weight", 0.5),
    "tariff": ("a stop alone: shipping", "tariff", "cost", 1.0),
    "terms": ("a stop alone: treatment", "recovery", "cost", 0.7),
    "law of hubs": ("a hub may take the goods by law", "inlets", "hub", "nowhere"),
}


@pytest.mark.parametrize(("rule", "table", "column", "value"), CASE_CHANGES.values(), ids=CASE_CHANGES)
def test_a_rule_is_read_from_the_case(
    run: echelon.Run, full: tuple[Frames, Any], rule: str, table: str, column: str, value: Any
) -> None:
    """The plan as it is, under a stricter case."""
    stricter = dict(full[0])
    stricter[table] = stricter[table].assign(**{column: value})
    assert rule in violated((stricter, full[1]), run.plan)


def test_the_plan_as_it_is_breaks_nothing(run: echelon.Run, full: tuple[Frames, Any]) -> None:
    """And it has something of everything, so that the mutations above are of something."""
    assert not violated(full, run.plan)
    filled = {name for name, frame in run.plan.items() if len(frame)}
    assert filled >= {"routes", "tours", "served", "unserved", "intake", "linehaul", "recovery", "slow_movers", "returns",
                      "alone", "comparison", "limits"}  # fmt: skip
    assert set(run.plan["routes"]["call"]) == {"start", "stop", "hub", "break", "end"}
