"""Returns: what to collect, which hub takes it, which vehicle when, and what each hub sends where."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

import pandas as pd

from echelon.explain.schema import EASED, RULE_PRICES
from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.outcome import Control, Outcome, SolveOptions, Termination
from echelon.tables import Frames
from echelon_models.returns import changes
from echelon_models.returns.alone import alone_rows
from echelon_models.returns.complete import complete
from echelon_models.returns.coordinate import Rounds, coordinate
from echelon_models.returns.eased import Told, ease_held, search_eased
from echelon_models.returns.geojson import files
from echelon_models.returns.limits import limit_rows, tightest
from echelon_models.returns.recheck import recheck
from echelon_models.returns.report import charts
from echelon_models.returns.result_tables import RESULTS
from echelon_models.returns.results import comparison_rows, kpis, page, typed
from echelon_models.returns.rules import RULES
from echelon_models.returns.schema import INPUTS, ReturnsOptions
from echelon_models.returns.settle import Plan
from echelon_models.returns.studies import FRONTIERS
from echelon_models.returns.tour_search import tour_search
from echelon_models.returns.tours import fleet
from echelon_models.returns.unserved import take_in, unserved_rows

PRICES_SHARE = 0.05  # of the time limit may go to the prices of the limits
TAKE_IN_UNTIL = 0.93  # share of a search's time at which stops that were left are no longer taken in
EASE_UNTIL = 0.93  # share of the time limit at which limits are no longer eased
TELL_UNTIL = 0.97  # and at which reasons are no longer tested for
HELD_SHARE = 0.01  # of the time limit may go to solving again with limits eased and the tours held,
SEARCH_SHARE = 0.2  # and is kept for searching tours again with limits eased


def solve(full: Frames, options: ReturnsOptions, control: Control) -> Answer:
    """Plan tours and hubs in turn, and again with limits eased; tell the best plan, beside each stop alone, with the
    reason of every stop left."""
    began, limit = time.monotonic(), control.options.time_limit
    kept = SEARCH_SHARE * limit if control.options.explain == "full" else 0.0
    vehicles = fleet(full, options)
    own = replace(control, options=control.options.model_copy(update={"time_limit": limit - kept}))
    state = coordinate(vehicles, options, own, tour_search(vehicles, options, own))
    if state.best is None:
        reason = Termination.NO_SOLUTION
        return Answer(
            Outcome(reason, limit="interrupt" if state.interrupted else "time", seconds=time.monotonic() - began)
        )
    best = take_in(state, state.best, began + TAKE_IN_UNTIL * (limit - kept))
    soon = time.monotonic() + max(kept, time.monotonic() - began, _held_seconds(limit))
    limits = _limits(state, best)
    told = _ease(state, best, limits, min(soon, began + EASE_UNTIL * limit))
    plan = _tell(state, told.best, began + TELL_UNTIL * limit) | {"eased": told.eased}
    plan["limits"] = limits if told.best is best else _limits(state, told.best)
    plan["bottlenecks"] = tightest(full, plan)
    outcome = Outcome(
        Termination.FEASIBLE,
        limit=_limit(state),
        objective=told.best.cost,
        seconds=time.monotonic() - began,
        solver=f"{highs.SOLVER}, {state.finder}",
    )
    return Answer(outcome, {table.name: plan[table.name] for table in RESULTS}, notes=(*_notes(state), *told.notes))


def _ease(state: Rounds, best: Plan, limits: pd.DataFrame, until: float) -> Told:
    """What limits are worth, as far as it is asked for; nothing after Ctrl-C."""
    explain = state.control.options.explain
    if explain == "off" or state.interrupted:
        return Told(best, EASED.empty())
    soon = time.monotonic() + _held_seconds(state.control.options.time_limit)
    held = ease_held(state, best, limits, min(soon, until))
    return search_eased(state, best, limits, held, until) if explain == "full" else Told(best, held)


def _held_seconds(time_limit: float) -> float:
    """For solving again with limits eased and the tours held; however soon the plan was found."""
    return max(HELD_SHARE * time_limit, 0.5)


def _limits(state: Rounds, best: Plan) -> pd.DataFrame:
    """The result table `limits` of a plan."""
    options = state.control.options
    seconds = max(PRICES_SHARE * options.time_limit, 0.5)
    pricing = SolveOptions(time_limit=seconds, threads=options.threads, seed=options.seed)
    return limit_rows(state.fleet, state.sets, state.first, best, pricing)


def _tell(state: Rounds, best: Plan, until: float) -> Frames:
    """The result tables of the best plan but those of its limits and what they and rules are worth; reasons are tested
    for until then."""
    full, plan = state.fleet.full, dict(best.tables)
    plan["unserved"] = typed("unserved", unserved_rows(state, best, until))
    plan["slow_movers"] = typed("slow_movers", full["slow_movers"])
    flagged = full["slow_movers"].query("flag != 'hold' and moved > 0")
    moved = flagged.assign(option=flagged["flag"], quantity=flagged["moved"], status="include", notes="")
    plan["returns"] = typed("returns", moved)
    plan["alone"] = typed("alone", alone_rows(state.fleet, state.options))
    plan["comparison"] = comparison_rows(best.costs, plan["alone"])
    return plan | {"rule_prices": RULE_PRICES.empty()}


def _limit(state: Rounds) -> Literal["time", "interrupt"] | None:
    """What stopped the rounds; None: they agreed, or there were as many as asked for."""
    if state.interrupted:
        return "interrupt"
    return None if state.agreed or state.rounds == state.options.rounds else "time"


def _notes(state: Rounds) -> tuple[str, ...]:
    agreed = ", after which routes and consolidation agreed" if state.agreed else ""
    many = f"{state.rounds} round{'s' * (state.rounds != 1)}"
    return (f"tours by {state.finder}; {many} of routes and consolidation{agreed}", *state.notes)


FAMILY = Family(
    name="returns",
    summary="What to collect, which hub takes it, which vehicle when, and what each hub sends where",
    inputs=INPUTS,
    results=RESULTS,
    options=ReturnsOptions,
    rules=RULES,
    complete=complete,
    solve=solve,
    recheck=recheck,
    kpis=kpis,
    page=page,
    charts=charts,
    files=files,
    changes=changes.RULES,
    quiet={"price_rules": False},
    frontiers=FRONTIERS,
)
