"""Positioning: how long each stage of a network may take to serve, and hence where safety stock sits and how much."""

from __future__ import annotations

import time
from dataclasses import replace

from echelon.family import Answer, Family
from echelon.solvers.outcome import Control
from echelon.tables import Frames
from echelon_models.positioning.complete import complete
from echelon_models.positioning.limits import limits_of
from echelon_models.positioning.network import prepare
from echelon_models.positioning.recheck import recheck
from echelon_models.positioning.report import charts
from echelon_models.positioning.results import kpis, page, read_plan
from echelon_models.positioning.rules import RULES
from echelon_models.positioning.schema import INPUTS, RESULTS, PositioningOptions
from echelon_models.positioning.search import Setting, find_plan
from echelon_models.positioning.stock import SafetyStock
from echelon_models.positioning.studies import FRONTIERS


def solve(full: Frames, options: PositioningOptions, control: Control) -> Answer:
    """Read the case as a network, search for its best plan, write the plan as tables; simulate it if asked."""
    began = time.monotonic()
    network = prepare(full, options)
    stock = [SafetyStock(network, i) for i in range(len(network))]
    setting = Setting(network, stock, limits_of(network, full))
    found = find_plan(setting, options.presolve, control)
    outcome = replace(found.outcome, seconds=time.monotonic() - began)
    if found.plan is None:
        return Answer(outcome, findings=found.findings)
    used = setting.limits.of(found.plan.units).assign(price=found.prices)
    plan = read_plan(network, stock, full, found.plan, used, options, control.options.seed)
    plan["eased"] = found.eased
    return Answer(outcome, plan, notes=(found.note,))


FAMILY = Family(
    name="positioning",
    summary="Where safety stock sits in a network, and how much: the service time of every stage, proven optimal",
    inputs=INPUTS,
    results=RESULTS,
    options=PositioningOptions,
    rules=RULES,
    complete=complete,
    solve=solve,
    recheck=recheck,
    kpis=kpis,
    page=page,
    charts=charts,
    frontiers=FRONTIERS,
)
