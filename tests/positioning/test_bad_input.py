"""Bad input never ends in a traceback: each finding names table, row, column, value, rule and remedy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import echelon
from echelon.tables import Frames

from .cases import arcs, change, findings, frame, serial, solve, stages


def history(**days: list[float]) -> pd.DataFrame:
    """A demand_history table from the quantities of 2026-01-01, 2026-01-02, ... of each stage."""
    rows = [
        (stage, pd.Timestamp("2026-01-01") + pd.Timedelta(days=n), q)
        for stage, qs in days.items()
        for n, q in enumerate(qs)
    ]
    return pd.DataFrame(rows, columns=["stage", "day", "quantity"])


def ordinary(**tables: Any) -> Frames:
    given: dict[str, Any] = {
        "items": frame(item=["A", "B"]),
        "demand": frame(item="A", period=["2026-01-05", "2026-01-12"], quantity=[5.0, 7.0]),
        "offers": frame(supplier="S", item=["A", "B"], price=[2.5, 1.0]),
    }
    return given | tables


EXACT = {"times": "exact"}
NO_LEVEL = {"service_level": None}
CASES: dict[str, tuple[Frames, dict[str, Any], str, str, str]] = {
    # name: (tables, options, table, column, part of the rule)
    "nothing at all": ({"arcs": arcs("A>B").iloc[:0]}, {}, "stages", "", "neither stages nor demand"),
    "demand without items": ({"demand": ordinary()["demand"]}, {}, "items", "", "the items are missing"),
    "no demand": (change(serial(), "SHOP", demand_mean=None, demand_std=None), {}, "stages", "",
        "no stage has demand"),
    "unknown stage in arcs": (serial() | {"arcs": arcs("PART>SHIP")}, {}, "arcs", "to_stage",
        "no such row in stages"),
    "arc to a stage that is not derived": (ordinary(arcs=arcs("A@MAIN>SHOP")), {}, "arcs", "to_stage",
        "no such stage is derived"),
    "lead time of a stage that is not derived": (ordinary(lead_times=frame(stage=["SHOP"], days=2.0, probability=1.0)),
        {}, "lead_times", "stage", "no such stage is derived"),
    "history of a stage that is not derived": (ordinary(demand_history=history(SHOP=[1.0, 2.0])), {}, "demand_history",
        "stage", "no such stage is derived"),
    "loop": (serial() | {"arcs": arcs("PART>PART")}, {}, "arcs", "to_stage", "leads back to its own"),
    "cycle": (serial() | {"arcs": arcs("PART>ASSEMBLY", "ASSEMBLY>SHOP", "SHOP>PART")}, {}, "arcs", "",
        "has a cycle"),
    "arc twice": (serial() | {"arcs": arcs("PART>SHOP", "PART>SHOP")}, {}, "arcs", "from_stage, to_stage",
        "stands already"),
    "stage twice": (serial() | {"stages": pd.concat([serial()["stages"]] * 2)}, {}, "stages", "stage",
        "stands already"),
    "no units": (serial() | {"arcs": arcs("PART>SHOP*0")}, {}, "arcs", "quantity", "must be more than 0"),
    "negative promise": (serial(promised_time=-1), {}, "stages", "promised_time", "must be at least 0"),
    "negative lead time": (change(serial(), "PART", lead_time=-2), {}, "stages", "lead_time", "must be at least 0"),
    "no number": (change(serial(), "PART", lead_time="soon"), {}, "stages", "lead_time", "is not a number"),
    "endless lead time": (change(serial(), "PART", lead_time=1e9), {}, "stages", "lead_time",
        "must be at most 36525"),
    "infinite": (change(serial(), "PART", cost_added=float("inf")), {}, "stages", "cost_added", "finite"),
    "negative demand": (serial(demand_std=-1.0), {}, "stages", "demand_std", "must be at least 0"),
    "review of no days": (serial(review_period=0), {}, "stages", "review_period", "must be at least 1"),
    "review of half days": (serial(review_period=1.5), {}, "stages", "review_period", "whole number"),
    "certain service": (serial(service_level=1.0), {}, "stages", "service_level", "must be less than 1"),
    "poor service": (serial(service_level=0.3), {}, "stages", "service_level", "must be at least 0.5"),
    "other kind of service": (serial(service_kind="type 3"), {}, "stages", "service_kind", "must be"),
    "no service level": (serial(), NO_LEVEL, "stages", "service_level", "SHOP has customers and no service level"),
    "bounds crossed": (change(serial(), "PART", min_service_time=3, max_service_time=2), {}, "stages",
        "min_service_time", "max_service_time of 2"),
    "bound over promise": (serial(min_service_time=3, promised_time=2), {}, "stages", "min_service_time",
        "promised_time of 2"),
    "promise that cannot be kept": (serial(may_hold_stock=False), {}, "stages", "promised_time",
        "serving takes 1 days"),
    "bound that cannot be kept": (change(serial(), "PART", may_hold_stock=False, max_service_time=1), {}, "stages",
        "max_service_time", "serving takes 3 days"),
    "probabilities": (serial() | {"lead_times": frame(stage="PART", days=[1.0, 2.0], probability=[0.5, 0.4])}, {},
        "lead_times", "probability", "add up to 1"),
    "two spreads": (change(serial(), "PART", lead_time_std=1.0) | {"lead_times": frame(stage="PART", days=1.0,
        probability=1.0)}, {}, "lead_times", "stage", "lead_time_std too"),
    "lead times of nobody": (serial() | {"lead_times": frame(stage="PORT", days=1.0, probability=1.0)}, {},
        "lead_times", "stage", "no such row in stages"),
    "history of one day": (serial() | {"demand_history": history(SHOP=[3.0])}, {}, "demand_history", "stage",
        "nothing about variation"),
    "history off the grid": (serial() | {"demand_history": history(SHOP=[3.0, 4.0])}, {"history_days": 7},
        "demand_history", "day", "no multiple of"),
    "bootstrap of nothing": (serial(), {"demand_model": "bootstrap"}, "demand_history", "stage", "has no history"),
    "gamma without mean": (serial(demand_mean=None), {"demand_model": "gamma"}, "stages", "demand_mean",
        "needs the mean demand of SHOP"),
    "fill rate without mean": (serial(demand_mean=None, service_kind="fill_rate"), {}, "stages", "demand_mean",
        "needs the mean"),
    "limit of nobody": (serial() | {"stock_limits": frame(measure="value", department="TOYS", capacity=1.0)}, {},
        "stock_limits", "department", "no stage belongs"),
    "limit of nowhere": (serial() | {"stock_limits": frame(measure="value", site="MARS", capacity=1.0)}, {},
        "stock_limits", "site", "no stage belongs"),
    "limit of something": (serial() | {"stock_limits": frame(measure="weight", capacity=1.0)}, {}, "stock_limits",
        "measure", "must be"),
    "negative limit": (serial() | {"stock_limits": frame(measure="value", capacity=-1.0)}, {}, "stock_limits",
        "capacity", "at least 0"),
    "exact and gamma": (serial(), EXACT | {"demand_model": "gamma"}, "options", "demand_model", "exact times need"),
    "exact and fill rate": (serial(service_kind="fill_rate"), EXACT, "stages", "service_kind", "exact times need"),
    "exact and spread": (change(serial(), "PART", lead_time_std=1.0), EXACT, "stages", "lead_time_std",
        "exact times need"),
    "exact and limits": (serial() | {"stock_limits": frame(measure="value", capacity=1.0)}, EXACT, "stock_limits",
        "", "without this table"),
    "exact and simulated": (serial(), EXACT | {"simulate": 100}, "options", "simulate", "whole days"),
    "unknown option": (serial(), {"safety": 1}, "options", "safety", "no such option"),
    "correlation over 1": (serial(), {"correlation": 2}, "options", "correlation", "at most 1"),
    "unknown column": (change(serial(), "PART", colour="red"), {}, "stages", "colour", "no such column"),
    "demand nobody serves": (ordinary(offers=frame(supplier="S", item="B", price=1.0)), {}, "demand", "item, site",
        "nothing brings"),
    "component nobody brings": (ordinary(offers=frame(supplier="S", item="A", site="SHOP", price=1.0),
        boms=frame(item="A", component="B")), {}, "boms", "item, site", "needed for A@MAIN"),
    "bill with itself": (ordinary(offers=ordinary()["offers"].iloc[1:], boms=frame(item=["A", "B"], component=["B",
        "A"], site="MAIN")), {}, "boms", "", "has a cycle"),
    "periods that are no dates": (ordinary(demand=frame(item="A", period=["w1", "w2"], quantity=1.0)), {}, "demand",
        "period", "is not a date"),
    "lane to itself": (ordinary(lanes=frame(from_site="MAIN", to_site="MAIN")), {}, "lanes", "to_site", "leads back"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_error_is_found_where_it_is(name: str) -> None:
    """An analyst goes from the finding straight to the cell."""
    tables, options, table, column, rule = CASES[name]
    errors = [f for f in findings(tables, **options) if f.severity == "error"]
    assert [f for f in errors if f.table == table and f.column == column and rule in f.rule], errors
    assert all(f.remedy for f in errors)


WARNINGS: dict[str, tuple[Frames, str, str, str]] = {
    "no demand reaches": (serial() | {"arcs": arcs("PART>ASSEMBLY")}, "stages", "stage", "no demand ever reaches"),
    "disconnected": (serial() | {"arcs": arcs("ASSEMBLY>SHOP")}, "stages", "stage", "no arc joins"),
    "zero lead times": (change(serial(), lead_time=0), "stages", "lead_time", "all lead times are zero"),
    "steady demand": (serial(demand_std=0.0), "stages", "demand_std", "has no deviation"),
    "two ways": (ordinary(offers=frame(supplier=["S", "T"], item="A", price=1.0)), "lanes", "item, to_site",
        "in several ways"),
}  # fmt: skip


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_doubtful_is_a_warning_and_still_planned(name: str) -> None:
    """A doubtful case gets its plan; the warning says what to look at."""
    tables, table, column, rule = WARNINGS[name]
    run = solve(tables)
    assert [f for f in run.findings if (f.table, f.column) == (table, column) and rule in f.rule]
    assert all(f.severity == "warning" for f in run.findings)


def test_all_errors_are_told_at_once() -> None:
    """One round of corrections, not twenty."""
    tables = change(serial(promised_time=-1), "PART", lead_time=-2) | {"arcs": arcs("PART>SHIP", "SHOP>SHOP")}
    found = {(f.table, f.column) for f in findings(tables, correlation=2)}
    wanted = {("stages", "promised_time"), ("stages", "lead_time"), ("arcs", "to_stage"), ("options", "correlation")}
    assert found >= wanted


def test_a_finding_names_the_row_of_the_spreadsheet() -> None:
    """The header is row 1."""
    (finding,) = [f for f in findings(serial(promised_time=-1)) if f.severity == "error"]
    assert (finding.row, float(finding.value)) == (4, -1.0)


@pytest.mark.parametrize("seed", range(30))
def test_spoilt_cells_never_raise_anything_but_findings(seed: int) -> None:
    """Whatever stands in a cell, the answer is a plan or findings."""
    rng = np.random.default_rng(seed)
    spoilt = ["", None, -1, 1e30, "x", float("nan"), 0, True, "2026-01-01", "SHOP", 0.5]
    tables = change(serial(), "SHOP", service_level=0.9, promised_time=1, review_period=1) | {
        "lead_times": frame(stage="PART", days=[1.0, 2.0], probability=[0.5, 0.5]),
        "stock_limits": frame(measure="value", capacity=300.0, hard=False),
        "demand_history": history(SHOP=[3.0, 5.0, 4.0]),
    }
    tables = {name: table.astype(object) for name, table in tables.items()}
    for _ in range(2):
        table = tables[str(rng.choice(list(tables)))]
        table.iat[int(rng.integers(len(table))), int(rng.integers(table.shape[1]))] = spoilt[
            int(rng.integers(len(spoilt)))
        ]
    try:
        solve(tables)
    except echelon.InputError as error:
        assert error.findings


def test_an_excluded_stage_leaves_with_its_arcs() -> None:
    """Switching a stage off must not leave arcs that lead nowhere."""
    tables = change(serial(), "PART", status="exclude")
    tables["stages"]["status"] = tables["stages"]["status"].fillna("include")
    run = solve(tables)
    assert set(run.plan["stages"]["stage"]) == {"ASSEMBLY", "SHOP"}
    assert len(run.plan["arcs"]) == 1
    assert stages(A={"lead_time": 1})["stage"].tolist() == ["A"]
