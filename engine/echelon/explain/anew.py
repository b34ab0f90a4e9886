"""Solve a case and, as far as its time allows, plan it anew: with the limits that hold the plan back most eased, and
without each of its rules."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pandas as pd

from echelon.explain.limits import FULL, LIMIT, SHARE, TOGETHER, dearest, step_of, worth_by_price
from echelon.explain.rules import price_rules
from echelon.explain.schema import EASED, RULE_PRICES
from echelon.family import Answer, Family
from echelon.solvers.outcome import Control, Outcome, SolveOptions
from echelon.tables import Frames

RULES_SHARE = 0.3  # of the time limit is kept for what rules cost, where that is asked for
ANEW_AT_LEAST = 1.0  # seconds for planning anew, or as long as the plan itself took
ANEW = 2  # limits for which everything is planned anew


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
    if search.explain == "full":
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

    cost = answer.outcome.objective or 0.0
    prices, skipped = price_rules(family.changes, full, options, again, cost, until)
    notes = tuple(f"no time to price the rule: {name}" for name in skipped)
    return replace(answer, plan=answer.plan | {RULE_PRICES.name: prices}, notes=answer.notes + notes)


def plan_anew(family: Family, full: Frames, options: Any, search: SolveOptions, answer: Answer, until: float) -> Answer:
    """The answer with the limits that save most eased once more, and everything planned anew from its plan on, each in
    an equal part of the time that is left; none where the family cannot ease a limit, or time is up."""
    plan, cost = answer.plan, answer.outcome.objective or 0.0
    if family.ease is None or "limits" not in plan or not len(candidates := _candidates(plan)):
        return answer
    lines = []
    for n, line in enumerate(candidates):
        seconds = (until - time.monotonic()) / (len(candidates) - n)
        if seconds <= 0:
            return answer  # what is compared must have been planned anew alike
        eased = family.ease(full, line["limit"], line["name"], line["unit"], line["added"])
        control = Control(search.model_copy(update={"time_limit": seconds, "explain": "off"}), start=plan)
        found = family.solve(eased, options, control)
        if found.outcome.objective is None:
            return answer
        saving = max(cost - found.outcome.objective, 0.0)
        worth = worth_by_price(found.plan["limits"])
        others = {key: value for key, value in worth.items() if key != tuple(line[part] for part in LIMIT)}
        price = _price(found.plan["limits"], line)
        lines.append(line | {"how": "anew", "saving": saving, "price": price, "binds_next": dearest(others)})
    anew = pd.concat([plan.get("eased", EASED.empty()), pd.DataFrame(lines)])
    return replace(answer, plan=plan | {"eased": EASED.typed(anew)})


def _candidates(plan: Frames) -> list[dict[str, Any]]:
    """The limits that promise most: those that saved most when eased or, where none was eased, those whose price or
    use says so."""
    eased, limits = plan.get("eased", EASED.empty()), plan["limits"]
    eased = eased[(eased["share"] == SHARE) & (eased["limit"] != TOGETHER)]
    if len(eased):
        return eased.nlargest(ANEW, "saving")[[*LIMIT, "added", "share"]].to_dict("records")
    used_up = limits[limits["use"] >= FULL * limits["capacity"]]
    mean = used_up.groupby(LIMIT)["capacity"].apply(step_of)
    worth = worth_by_price(limits)
    chosen = sorted(mean.index, key=lambda key: -worth.get(key, 0.0))[:ANEW]
    return [dict(zip(LIMIT, key, strict=True)) | {"added": float(mean[key]), "share": SHARE} for key in chosen]


def _price(limits: pd.DataFrame, line: dict[str, Any]) -> float:
    return float(limits.loc[(limits[LIMIT] == [line[part] for part in LIMIT]).all(axis=1), "price"].sum())
