"""On-time probability and lead times from past deliveries: closed forms of the product-limit estimator."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from echelon_models.allocation.reliability import reliability

from .cases import case, completed, solve

FIRST = pd.Timestamp("2026-01-01")


def deliveries(days: list[float | None], promised: int = 10, supplier: str = "S") -> pd.DataFrame:
    """Deliveries all ordered on one day, received after so many days; None: still open."""
    received = [None if d is None else FIRST + pd.Timedelta(days=d) for d in days]
    return pd.DataFrame({
        "supplier": supplier, "delivery": [str(n) for n in range(len(days))], "ordered": FIRST,
        "promised": FIRST + pd.Timedelta(days=promised), "received": pd.to_datetime(pd.Series(received)),
    })  # fmt: skip


def record(days: list[float | None], as_of: int | None = None, **terms: Any) -> pd.Series:
    day = None if as_of is None else (FIRST + pd.Timedelta(days=as_of)).date()
    return reliability(deliveries(days, **terms), day, 0.95).iloc[0]


def test_with_nothing_open_it_is_the_empirical_share() -> None:
    """Without censoring the product-limit estimator is the empirical distribution (Kaplan & Meier 1958)."""
    found = record([8, 9, 10, 12, 16])
    assert found["on_time"] == pytest.approx(3 / 5)
    assert found["lead_time_mean"] == pytest.approx(11.0)
    assert found["lead_time_deviation"] == pytest.approx(np.std([8, 9, 10, 12, 16]))
    assert (found["lead_time_median"], found["lead_time_p90"]) == (10.0, 16.0)


def test_the_textbook_example_of_remission_times() -> None:
    """The 6-MP group of Freireich et al. (1963), in Kalbfleisch & Prentice and most textbooks: 21 durations, 12 of them
    censored; survival beyond 10 weeks is 0.7529, beyond 13 it is 0.6902 (so arrival by then has the complement)."""
    arrived = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    rows = [deliveries([d], supplier="S").assign(delivery=f"a{n}") for n, d in enumerate(arrived)]
    end = FIRST + pd.Timedelta(days=40)
    for n, d in enumerate(censored):  # ordered so that on the last day they had been open for d days
        start = end - pd.Timedelta(days=d)
        rows.append(deliveries([None]).assign(delivery=f"c{n}", ordered=start, promised=start + pd.Timedelta(days=10)))
    table = pd.concat(rows, ignore_index=True)
    assert reliability(table, end.date(), 0.95).iloc[0]["on_time"] == pytest.approx(1 - 0.7529, abs=5e-5)
    later = table.assign(promised=table["ordered"] + pd.Timedelta(days=13))
    assert reliability(later, end.date(), 0.95).iloc[0]["on_time"] == pytest.approx(1 - 0.6902, abs=5e-5)


def test_open_deliveries_make_a_supplier_look_no_better() -> None:
    """Leaving open deliveries out would flatter whoever is late: an overdue one lowers the estimate, one that is not
    yet due leaves it."""
    plain = record([8, 9, 12, 16], as_of=30)["on_time"]
    assert record([8, 9, 12, 16, None], as_of=30)["on_time"] < plain
    assert record([8, 9, 12, 16, None], as_of=5)["on_time"] == pytest.approx(plain)


def test_the_interval_holds_the_estimate_and_narrows() -> None:
    """More deliveries of the same kind say more; where all were on time the exact binomial interval is taken, whose
    lower end is (alpha/2)^(1/n) (Clopper & Pearson 1934)."""
    few, many = record([8, 12, 9, 13]), record([8, 12, 9, 13] * 10)
    for found in (few, many):
        assert found["on_time_low"] <= found["on_time"] <= found["on_time_high"]
    assert many["on_time_high"] - many["on_time_low"] < few["on_time_high"] - few["on_time_low"]
    assert record([8] * 5)["on_time_low"] == pytest.approx(0.025 ** (1 / 5))


def test_a_supplier_of_whom_nothing_arrived_has_no_record() -> None:
    assert math.isnan(record([None, None])["on_time"])


def test_the_model_takes_the_record_where_the_case_gives_none() -> None:
    """A given on-time probability or lead time goes before the record; a supplier without either is on time at once."""
    tables = case({"A": 10.0}, {"S A": 3.0, "T A": 3.5, "U A": 4.0}, items={"late_unit_cost": 10.0, "value": 365.0},
                  suppliers={"supplier": ["S", "T", "U"], "on_time": [None, 0.9, None]},
                  lanes={"supplier": ["S", "T", "U"], "lead_time": [None, 7.0, None]},
                  deliveries=pd.concat([deliveries([8, 12]), deliveries([8, 12], supplier="T")]))  # fmt: skip
    full, _ = completed(tables)
    assert full["suppliers"].set_index("supplier")["on_time"].to_dict() == {"S": 0.5, "T": 0.9, "U": 1.0}
    arcs = full["arcs"].set_index("supplier")
    assert arcs["lead_time"].to_dict() == {"S": 10.0, "T": 7.0, "U": 0.0}
    assert arcs["lead_time_deviation"].to_dict() == {"S": 2.0, "T": 2.0, "U": 0.0}
    run = solve(tables, service_level=0.95)
    assert run.plan["awards"]["supplier"].tolist() == ["U"], "late suppliers lose against a dearer one on time"


def test_safety_stock_is_the_textbook_formula() -> None:
    """z sqrt(L s_d² + (D/365)² s_L²) units (Silver, Pyke & Thomas 2017, section 6.10), at value and holding rate."""
    tables = case({"A": 3650.0}, {"S A": 3.0}, items={"value": 20.0, "holding_rate": 0.25},
                  lanes={"supplier": "S", "lead_time": 16.0, "lead_time_deviation": 2.0})  # fmt: skip
    tables["demand"]["deviation"] = 5.0
    units = NormalDist().inv_cdf(0.95) * math.sqrt(16 * 5**2 + 10**2 * 2**2)
    assert solve(tables).costs["safety stock"] == pytest.approx(20 * 0.25 * units)
