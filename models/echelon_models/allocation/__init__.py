"""Allocation: which supplier gets which share of which item for a year, at least cost or least risk."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pandas as pd

from echelon.explain.limits import ease_limits, limit_frame
from echelon.explain.schema import RULE_PRICES
from echelon.family import Answer, Family
from echelon.solvers.outcome import Control, Termination
from echelon.tables import Frames
from echelon_models.allocation import renegotiate as offers_that_lose
from echelon_models.allocation import rule_prices
from echelon_models.allocation.awards import values_of
from echelon_models.allocation.complete import complete
from echelon_models.allocation.explain import explain
from echelon_models.allocation.limits import ease, limit_rows
from echelon_models.allocation.recheck import recheck
from echelon_models.allocation.report import charts
from echelon_models.allocation.results import kpis, page, read_plan
from echelon_models.allocation.rules import RULES
from echelon_models.allocation.schema import INPUTS, RESULTS, AllocationOptions
from echelon_models.allocation.search import Found, find, part_of_time
from echelon_models.allocation.sets import Sets, prepare
from echelon_models.allocation.studies import FRONTIERS
from echelon_models.allocation.value import value_of_information

EASE_SHARE = 0.05  # of the time limit, at most, goes to solving again with limits eased
SEARCH_SHARE = 0.7  # of the time limit goes to the award itself, where questions about it are asked afterwards


def solve(full: Frames, options: AllocationOptions, control: Control) -> Answer:
    """Build the model, solve it, ask what its rules and offers are worth, read the plan back; explain an infeasible
    case."""
    began = time.monotonic()
    sets = prepare(full, options)
    asks = options.price_rules or options.renegotiate or (options.value_information and sets.scenarios)
    share = SEARCH_SHARE if asks else 1.0 - EASE_SHARE * (control.options.explain != "off")
    seconds = share * control.options.time_limit - (time.monotonic() - began)
    start = earlier_award(control.start) if control.start is not None else None
    found = find(sets, replace(control, options=part_of_time(control.options, seconds)), start, prices=True)
    outcome = replace(found.outcome, seconds=time.monotonic() - began)
    if outcome.termination is Termination.INFEASIBLE:
        return Answer(outcome, findings=tuple(explain(sets, control.options)))
    if not outcome.has_plan:
        return Answer(outcome)
    left = control.options.time_limit - (time.monotonic() - began) if outcome.limit != "interrupt" else 0.0
    worth, facts, notes = _questions(found, sets, full, control, left)
    if found.decomposed:
        cuts = len(found.model.risk_cuts) + len(found.model.mean_cuts)
        by = f"prices: {found.splits:,} splits of items" if found.splits else f"cuts: {cuts:,} cuts"
        notes.append(f"scenarios by {by}, {len(sets.scenarios):,} scenarios")
    plan = read_plan(found, sets, full, *worth)
    if control.options.explain != "off" and found.solution.held is not None:
        until = time.monotonic() + EASE_SHARE * control.options.time_limit
        rows = limit_frame(limit_rows(found.model, sets), found.solution.held)
        plan["eased"] = ease_limits(found.solution.held, rows, until)
    return Answer(outcome, plan, facts, tuple(notes))


def _questions(
    found: Found, sets: Sets, full: Frames, control: Control, seconds: float
) -> tuple[tuple[pd.DataFrame, pd.DataFrame], dict[str, Any], list[str]]:
    """What the offers that lose, the rules, and knowing the scenarios are worth: each gets an equal part of the time
    that is left. Returns the tables renegotiation's and rule prices', the facts, the notes."""
    began, options, start = time.monotonic(), sets.options, values_of(found.model)
    tells = bool(options.value_information and sets.scenarios)

    def part(questions: int) -> float:
        return max(seconds - (time.monotonic() - began), 0.0) / questions

    targets = offers_that_lose.renegotiate(found.model, sets, part(1 + options.price_rules + tells))
    facts: dict[str, Any] = {}
    notes: list[str] = []
    if tells:
        facts, notes = value_of_information(found, sets, control.options, start, part(1 + options.price_rules))
    rules = RULE_PRICES.empty()
    if options.price_rules:
        rules, skipped = rule_prices.price_rules(
            full, options, control.options, found.outcome.objective or 0.0, start, part(1)
        )
        notes += [f"no time to price the rule: {name}" for name in skipped]
    return (rules, targets), facts, notes


def earlier_award(plan: Frames) -> dict[str, dict[Any, float]]:
    """The award of an earlier run's result tables, to start the search from."""
    flows, awards, active = plan["flows"], plan["awards"], plan["supplier_awards"]
    return {
        "quantity": {(r.supplier, r.item, r.site): r.quantity for r in flows.itertuples()},
        "award": {(r.supplier, r.item): 1.0 for r in awards.itertuples()},
        "used": dict.fromkeys(active["supplier"], 1.0),
    }


FAMILY = Family(
    name="allocation",
    summary="Which supplier gets which share, under capacity, concentration and carbon, over disruption scenarios",
    inputs=INPUTS,
    results=RESULTS,
    options=AllocationOptions,
    rules=RULES,
    complete=complete,
    solve=solve,
    recheck=recheck,
    kpis=kpis,
    page=page,
    charts=charts,
    ease=ease,
    quiet={"price_rules": False, "renegotiate": 0, "value_information": False},
    frontiers=FRONTIERS,
)
