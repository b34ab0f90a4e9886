"""Textbook values: guaranteed-service examples of Snyder & Shen, Fundamentals of Supply Chain Theory (2nd ed., 2019),
and closed forms. The data of the examples are the book's; a factor z of 1 is a service level of Φ(1)."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import pytest

from echelon.tables import Frames

from .cases import arcs, optimum, solve, stages


def textbook(
    z: float, links: str, customers: dict[str, tuple[float, float]], supply: str = "", **rows: tuple[float, float]
) -> Frames:
    """`rows` are stage -> (lead time, holding cost), `customers` stage -> (deviation, promised time); outside suppliers
    deliver to the stage `supply` in a day."""
    table: dict[str, dict[str, Any]] = {}
    for name, (days, holding) in rows.items():
        table[name] = {"lead_time": days, "value": holding, "service_level": NormalDist().cdf(z)}
        table[name]["supply_time"] = float(name == supply)
        if name in customers:
            table[name] |= {"demand_std": customers[name][0], "promised_time": customers[name][1]}
    return {"stages": stages(**table), "arcs": arcs(*links.split())}


EXAMPLE_6_3 = textbook(1.0, "s3>s2 s2>s1", {"s1": (1, 1)}, "s3", s3=(1, 2), s2=(0, 4), s1=(1, 7))
EXAMPLE_6_5 = textbook(
    1.0, "s1>s3 s3>s2 s3>s4", {"s2": (1, 0), "s4": (1, 1)}, "s1", s1=(2, 1), s3=(1, 2), s2=(1, 3), s4=(1, 3)
)
FIGURE_6_14 = textbook(
    1.6448536269514722, "s1>s2 s2>s3 s3>s5 s4>s5 s5>s6 s6>s10 s7>s10 s8>s10 s9>s10", {"s10": (10, 2)},
    s1=(2, 0.01), s2=(3, 0.03), s3=(2, 0.04), s4=(4, 0.06), s5=(2, 0.12), s6=(3, 0.13), s7=(6, 0.20), s8=(4, 0.08),
    s9=(3, 0.04), s10=(2, 0.50),
)  # fmt: skip
PROBLEM_6_7 = textbook(4.0, "s3>s2 s2>s1", {"s1": (10, 0)}, "s3", s3=(1, 2), s2=(1, 3), s1=(2, 4))
PROBLEM_6_9 = textbook(
    4.0, "s3>s1 s3>s2 s4>s3 s5>s3 s6>s5", {"s1": (4.1, 3), "s2": (6.2, 3)},
    s1=(7, 44 / 365), s2=(7, 28 / 365), s3=(21, 18 / 365), s4=(3, 1 / 365), s5=(8, 4 / 365), s6=(2, 1.5 / 365),
)  # fmt: skip


PRINTED = {
    "example 6.3": (EXAMPLE_6_3, 2 * math.sqrt(2)),
    "example 6.5": (EXAMPLE_6_5, 8.277916867529369),
    "figure 6.14": (FIGURE_6_14, 18.8240044725922),
    "problem 6.7": (PROBLEM_6_7, 357.77087639996637),
    "problem 6.9": (PROBLEM_6_9, 15.649530249501),
}


@pytest.mark.parametrize("name", PRINTED)
def test_textbook_values(name: str) -> None:
    """With and without presolve, in whole days and with exact times: the printed cost."""
    tables, printed = PRINTED[name]
    for options in ({}, {"presolve": False}, {"times": "exact"}):
        assert optimum(tables, holding_rate=1.0, **options) == pytest.approx(printed, rel=1e-9)


def test_textbook_service_times() -> None:
    """Problem 6.7 prints the service times too: 2, 3 and 0 days from the supplier on."""
    run = solve(PROBLEM_6_7, holding_rate=1.0)
    assert run.plan["stages"].set_index("stage")["service_time"].to_dict() == {"s3": 2.0, "s2": 3.0, "s1": 0.0}


def test_a_single_stage_is_the_square_root_formula() -> None:
    """z·σ·√(SI + L - S), and a fill rate is the normal loss function (Silver, Pyke & Thomas, sec. 7.7)."""
    one = {
        "stages": stages(
            A={"cost_added": 3.0, "lead_time": 9, "supply_time": 2, "promised_time": 1,
               "demand_mean": 50.0, "demand_std": 8.0}
        ),
        "arcs": arcs("A>A").iloc[:0],
    }  # fmt: skip
    expected = 3.0 * 0.2 * NormalDist().inv_cdf(0.9) * 8.0 * math.sqrt(10)
    assert optimum(one, service_level=0.9) == pytest.approx(expected, rel=1e-9)
    units = solve(one, service_level=0.98, service_kind="fill_rate").plan["stages"]["safety_stock"].item()
    std = 8.0 * math.sqrt(10)
    k = units / std
    short = std * (math.exp(-k * k / 2) / math.sqrt(2 * math.pi) - k * (1 - NormalDist().cdf(k)))
    assert short == pytest.approx(0.02 * 50.0, rel=1e-9)


def test_exact_times_are_those_of_finer_steps() -> None:
    """Lead times of 1.25 and 2.5 days: exact times find what whole steps of a quarter day would."""
    quarter = {
        "stages": stages(
            A={"cost_added": 2.0, "lead_time": 5},
            B={"cost_added": 1.0, "lead_time": 10, "demand_std": 1.0, "promised_time": 3},
            C={"cost_added": 4.0, "lead_time": 2, "demand_std": 2.0, "promised_time": 2},
        ),
        "arcs": arcs("A>B", "A>C"),
    }
    columns = ["lead_time", "promised_time"]
    finer = quarter["stages"].assign(**{c: quarter["stages"][c] / 4 for c in columns})
    exact = optimum({"stages": finer, "arcs": quarter["arcs"]}, times="exact")
    assert 2 * exact == pytest.approx(optimum(quarter), rel=1e-9)
    rounded = optimum({"stages": finer, "arcs": quarter["arcs"]})
    assert rounded != pytest.approx(exact, rel=1e-3)
