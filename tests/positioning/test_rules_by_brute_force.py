"""Each rule of the family on a network so small that every plan can be tried.

In each case dropping the rule changes the optimum, so a missing or wrong rule fails its own test. The presolve and the
bare model must find the same optimum: an exact reduction may drop candidates, never a best plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from echelon.tables import Frames

from .brute_force import cheapest
from .cases import EXACT, arcs, change, diamond, frame, optimum, serial, solve, stages


class Rule(NamedTuple):
    """A case on which a rule binds, and the same case without it."""

    name: str
    tables: Frames
    without: Frames
    options: Mapping[str, Any] = MappingProxyType({})
    without_options: Mapping[str, Any] | None = None


def wide() -> Frames:
    """A part that three products share, two of which share another: no tree."""
    shop = {"demand_mean": 10.0, "demand_std": 4.0}
    return {
        "stages": stages(
            X={"cost_added": 4.0, "lead_time": 4},
            Y={"cost_added": 6.0, "lead_time": 2},
            P={"cost_added": 3.0, "lead_time": 2, **shop, "promised_time": 1},
            Q={"cost_added": 9.0, "lead_time": 1, **shop, "demand_std": 2.0},
            R={"cost_added": 1.0, "lead_time": 3, **shop, "promised_time": 4},
        ),
        "arcs": arcs("X>P", "X>Q", "X>R*2", "Y>Q*2", "Y>R"),
    }


def rejoined() -> Frames:
    """A part that comes to the same product by two ways, so that variances along paths are not those of the demand."""
    return {
        "stages": stages(
            X={"cost_added": 4.0, "lead_time": 4},
            P={"cost_added": 6.0, "lead_time": 2},
            Q={"cost_added": 3.0, "lead_time": 1},
            Z={"cost_added": 3.0, "lead_time": 1, "demand_mean": 10.0, "demand_std": 4.0},
        ),
        "arcs": arcs("X>P", "X>Q*2", "P>Z", "Q>Z"),
    }


def limited(tables: Frames, **columns: Any) -> Frames:
    return tables | {"stock_limits": frame(**columns)}


SPREAD = {"lead_times": frame(stage="ASSEMBLY", days=[1.0, 2.0, 4.0], probability=[0.25, 0.5, 0.25])}
EARLY = {"lead_times": frame(stage="SHOP", days=[0.0, 1.0], probability=[0.25, 0.75])}
ALONE = {"lead_times": frame(stage="SHOP", days=[0.0, 3.0], probability=[0.5, 0.5])}
CHEAP = change(serial(), "SHOP", holding_rate=0.02)
BARE = change(serial(), "ASSEMBLY", may_hold_stock=False)
FREE = change(serial(), "ASSEMBLY", holding_rate=0.0)
INSIDE = change(serial(), "PART", demand_mean=5.0, demand_std=9.0)
SITES = change(change(serial(), "PART", site="PLANT"), "SHOP", site="TOWN")
GROUPS = change(change(diamond(), "A", department="METAL", volume=0.5), "P", department="METAL", volume=2.0)
FILL = {"service_kind": "fill_rate"}

CASES = [
    Rule("lead time", serial(), change(serial(), "PART", lead_time=1)),
    Rule("supply time", change(serial(), "PART", supply_time=2), serial()),
    Rule("supply time beside suppliers", change(serial(), "SHOP", supply_time=6), serial()),
    Rule("review period", change(serial(), "ASSEMBLY", review_period=3), serial()),
    Rule("promised time", serial(promised_time=2), serial()),
    Rule("promised time of a long wait", serial(promised_time=20), serial()),
    Rule("shortest service time", change(serial(promised_time=4), "PART", min_service_time=4), serial(promised_time=4)),
    Rule("longest service time", change(serial(), "ASSEMBLY", max_service_time=1), serial()),
    Rule("fixed service time", change(serial(), "PART", min_service_time=2, max_service_time=2), serial()),
    Rule("no stock allowed", change(serial(), "PART", may_hold_stock=False), serial()),
    Rule("no stock allowed where there are customers", serial(promised_time=1, value=5.0, may_hold_stock=False),
         serial(promised_time=1, value=5.0)),
    Rule("no stock allowed inside", change(wide(), "X", may_hold_stock=False), wide()),
    Rule("no stock allowed anywhere but inside", change(change(serial(promised_time=3), "SHOP", may_hold_stock=False),
         "PART", may_hold_stock=False), serial(promised_time=3)),
    Rule("service level of a stage", change(serial(), "PART", service_level=0.8), serial()),
    Rule("service level of customers", serial(service_level=0.99), serial()),
    Rule("service level by option", serial(), serial(), {"service_level": 0.9}, {}),
    Rule("the highest level served", change(diamond(), "Q", service_level=0.999), diamond()),
    Rule("quantities on arcs", diamond(), diamond() | {"arcs": arcs("A>P", "A>Q", "B>P", "B>Q")}),
    Rule("demand inside the network", INSIDE, change(INSIDE, "PART", demand_mean=None, demand_std=None)),
    Rule("a shared part", wide(), wide() | {"arcs": arcs("X>P", "X>Q", "Y>Q*2", "Y>R")}),
    Rule("pooled demand", rejoined(), rejoined(), {"demand_pooling": "pooled"}, {}),
    Rule("correlated demand", diamond(), diamond(), {"demand_pooling": "pooled", "correlation": 0.5},
         {"demand_pooling": "pooled"}),
    Rule("value of a stage", change(serial(), "ASSEMBLY", value=11.0), serial()),
    Rule("holding rate of a stage", change(serial(), "ASSEMBLY", holding_rate=0.05), serial()),
    Rule("a stage that costs nothing", change(serial(), "PART", cost_added=0.0), serial()),
    Rule("lead times by distribution", serial() | SPREAD, serial()),
    Rule("lead times at the end", serial() | ALONE, serial()),
    Rule("lead times by deviation", change(serial(), "PART", lead_time_std=1.0), serial()),
    Rule("lead times and no stock", serial(promised_time=1, value=5.0, may_hold_stock=False) | EARLY,
         serial(promised_time=1, value=5.0) | EARLY),
    Rule("fill rate", serial(), serial(), FILL, {}),
    Rule("fill rate of one stage", change(diamond(), "P", service_kind="fill_rate"), diamond()),
    Rule("fill rate with reviews", change(serial(), "SHOP", review_period=3), serial(), FILL, FILL),
    Rule("gamma demand", change(serial(), "SHOP", demand_std=24.0), change(serial(), "SHOP", demand_std=24.0),
         {"demand_model": "gamma"}, {}),
    Rule("gamma demand and fill rate", wide(), wide(), {"demand_model": "gamma", **FILL}, {"demand_model": "gamma"}),
    Rule("soft limit on value", limited(serial(), measure="value", capacity=400.0, excess_cost=0.3), serial()),
    Rule("soft limit at the option's price", limited(serial(), measure="value", capacity=400.0), serial(),
         {"value_excess_cost": 0.05}),
    Rule("hard limit on value", limited(CHEAP, measure="value", capacity=800.0, hard=True), CHEAP),
    Rule("limit of a site", limited(SITES, measure="value", site="TOWN", capacity=400.0, hard=True), SITES),
    Rule("limit of a department", limited(GROUPS, measure="value", department="METAL", capacity=300.0, hard=True),
         GROUPS),
    Rule("limit on volume", limited(GROUPS, measure="volume", capacity=24.0, hard=True), GROUPS),
    Rule("limit on stocking points", limited(wide(), measure="stocking_points", capacity=3.0, hard=True), wide()),
    Rule("soft limit on stocking points", limited(wide(), measure="stocking_points", capacity=2.0, excess_cost=20.0),
         wide()),
    Rule("two limits",
         limited(wide(), measure=["value", "stocking_points"], capacity=[880.0, 3.0], excess_cost=[2.0, 10.0]),
         limited(wide(), measure="value", capacity=880.0, excess_cost=2.0)),
    Rule("limits and lead times", limited(SITES | SPREAD, measure="value", site="TOWN", capacity=500.0, hard=True),
         SITES | SPREAD),
    Rule("limits and no stock", limited(BARE, measure="value", capacity=400.0, excess_cost=0.3), BARE),
    Rule("limits and a stage that costs nothing", limited(FREE, measure="value", capacity=500.0, excess_cost=0.3),
         FREE),
    Rule("limits and fill rates", limited(diamond(), measure="value", capacity=150.0, excess_cost=2.0), diamond(),
         FILL, FILL),
]  # fmt: skip


@pytest.mark.parametrize("rule", CASES, ids=lambda rule: rule.name)
def test_the_optimum_is_that_of_trying_every_plan(rule: Rule) -> None:
    """With and without presolve the optimum is that of enumeration, the plan passes its recheck, and without the rule
    the optimum is another one: so the rule is there, and it is what the case tests."""
    truth = cheapest(rule.tables, **rule.options)
    assert truth < float("inf"), "a case must have a plan"
    found = [solve(rule.tables, **rule.options).outcome.objective, optimum(rule.tables, **rule.options, presolve=False)]
    assert found == pytest.approx([truth, truth], rel=EXACT, abs=EXACT)

    options = rule.options if rule.without_options is None else rule.without_options
    other = cheapest(rule.without, **options)
    assert optimum(rule.without, **options) == pytest.approx(other, rel=EXACT, abs=EXACT)
    assert abs(other - truth) > 1e-3, "the rule does not bind"
