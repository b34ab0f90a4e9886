"""Solve a case and, as far as its time allows, plan it anew: with the limits that hold the plan back most eased, and
without each of its rules."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from echelon.explain.limits import LIMIT, candidates, dearest, worth_by_price
from echelon.explain.rules import price_rules
from echelon.explain.schema import EASED, RULE_PRICES
from echelon.family import Answer, Family
from echelon.solvers.outcome import Control, Outcome, SolveOptions
from echelon.tables import Frames

RULES_SHARE = 0.3  # of the time limit is kept for what rules cost, where that is asked for
ANEW_AT_LEAST = 5.0  # seconds for planning anew, or as long as the plan itself took,
ANEW_UP_TO = 20.0  # if that is no more than this


def solve(family: Family, full: Frames, options: Any, control: Control) -> Answer:
    """The family's answer and, as far as its time allows, what is told by planning anew: with the limits that hold the
    plan back most eased, and without each rule (option price_rules)."""
    began, search = time.monotonic(), control.options
    prices = getattr(options, "price_rules", False) and any(c.applies(full, options) for c in family.changes)
    deadline = began + search.time_limit
    until = deadline - (RULES_SHARE * search.time_limit if prices else 0.0)
    own = search.model_copy(update={"time_limit": until - began})
    answer = family.solve(full, options, replace(control, options=own))
    if not answer.outcome.has_plan or answer.outcome.limit == "interrupt":
        return answer
    if search.explain == "full" and answer.outcome.seconds <= ANEW_UP_TO:
        soon = time.monotonic() + max(answer.outcome.seconds, ANEW_AT_LEAST)
        answer = plan_anew(family, full, _quiet(family, options), search, answer, min(until, soon))
    return _with_rule_prices(family, full, options, search, answer, deadline) if prices else answer


def _quiet(family: Family, options: Any) -> Any:
    return options.model_copy(update=dict(family.quiet))


def _with_rule_prices(
    family: Family, full: Frames, options: Any, search: SolveOptions, answer: Answer, until: float
) -> Answer:
    def again(tables: Frames, changed: Any, seconds: float) -> Outcome:
        part = search.model_copy(update={"time_limit": seconds, "explain": "off"})
        return family.solve(tables, _quiet(family, changed), Control(part, start=answer.plan)).outcome

    cost, rules = answer.outcome.objective or 0.0, [c for c in family.changes if c.applies(full, options)]
    if answer.outcome.bound is not None:
        prices, skipped = price_rules(rules, full, options, again, cost, until)
        notes = []
    else:  # a search that proves nothing may save as much with every rule kept
        seconds = max((until - time.monotonic()) / (len(rules) + 1), 0.1)
        luck = max(cost - (again(full, options, seconds).objective or cost), 0.0)
        prices, skipped = price_rules(rules, full, options, again, cost - luck, until)
        small = prices["saving"] <= luck
        notes = [_no_price(prices.loc[small, "rule"].tolist(), luck)]
        prices = prices[~small].reset_index(drop=True)
    notes = [*(f"no time to price the rule: {name}" for name in skipped), *notes]
    return replace(answer, plan=answer.plan | {RULE_PRICES.name: prices}, notes=(*answer.notes, *notes))


def _no_price(rules: Sequence[str], luck: float) -> str:
    """What is said of rules that cost nothing that can be told from luck."""
    told = "prices of rules are differences of two plans, as no bound is known; as long a search with all rules kept"
    return f"{told} saves {luck:,.2f}" + (f", and no less than without: {', '.join(rules)}" if rules else "")


def plan_anew(family: Family, full: Frames, options: Any, search: SolveOptions, answer: Answer, until: float) -> Answer:
    """The answer with the limits that promise most eased once more, and everything planned anew from its plan on; as
    many as time allows. Nothing is added where the family cannot ease a limit, or what is saved may as well come from a
    plan that is not proven best."""
    plan, cost = answer.plan, answer.outcome.objective or 0.0
    unproven = cost - answer.outcome.bound if answer.outcome.bound is not None else float("inf")
    quick = plan.get("eased", EASED.empty())
    if family.ease is None or "limits" not in plan or (len(quick) and quick["saving"].max() <= unproven):
        return answer
    lines: list[dict[str, Any]] = []
    for line in candidates(quick, plan["limits"]):
        if (seconds := until - time.monotonic()) <= 0:
            break
        eased = family.ease(full, line["limit"], line["name"], line["unit"], line["added"])
        control = Control(search.model_copy(update={"time_limit": seconds, "explain": "off"}), start=plan)
        found = family.solve(eased, options, control)
        if found.outcome.objective is None or found.outcome.limit == "time":
            break
        lines.append(line | _worth_anew(line, max(cost - found.outcome.objective, 0.0), found.plan["limits"]))
    if not lines or max(line["saving"] for line in lines) <= unproven:
        return answer
    return replace(answer, plan=plan | {"eased": EASED.typed(pd.concat([quick, pd.DataFrame(lines)]))})


def _worth_anew(line: dict[str, Any], saving: float, limits: pd.DataFrame) -> dict[str, Any]:
    """What the limits of a plan made anew add to a line of the table: what one more unit would then still be worth, and
    which limit is worth most besides."""
    own = tuple(line[part] for part in LIMIT)
    others = {key: worth for key, worth in worth_by_price(limits).items() if key != own}
    price = limits.loc[(limits[LIMIT] == list(own)).all(axis=1), "price"].sum()
    return {"how": "anew", "saving": saving, "price": float(price), "binds_next": dearest(others)}
