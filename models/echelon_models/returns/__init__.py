"""Returns: what to collect, which hub takes it, which vehicle when, and what each hub sends where."""

from __future__ import annotations

import time
from typing import Literal

from echelon.family import Answer, Family
from echelon.solvers import highs
from echelon.solvers.outcome import Control, Outcome, SolveOptions, Termination
from echelon.tables import Frames
from echelon_models.returns.alone import alone_rows
from echelon_models.returns.complete import complete
from echelon_models.returns.coordinate import Rounds, coordinate
from echelon_models.returns.geojson import files
from echelon_models.returns.limit_prices import limit_rows
from echelon_models.returns.recheck import recheck
from echelon_models.returns.report import charts
from echelon_models.returns.result_tables import RESULTS
from echelon_models.returns.results import comparison_rows, kpis, page, typed
from echelon_models.returns.rules import RULES
from echelon_models.returns.schema import INPUTS, ReturnsOptions
from echelon_models.returns.settle import Plan
from echelon_models.returns.tour_search import tour_search
from echelon_models.returns.tours import fleet
from echelon_models.returns.unserved import take_in, unserved_rows

PRICES_SHARE = 0.05  # of the time limit may go to the prices of the limits
TAKE_IN_UNTIL = 0.93  # share of the time limit at which stops that were left are no longer taken in
TELL_UNTIL = 0.97  # and at which reasons are no longer tested for


def solve(full: Frames, options: ReturnsOptions, control: Control) -> Answer:
    """Plan tours and hubs in turn; tell the best plan, beside each stop alone, with the reason of every stop left."""
    began = time.monotonic()
    vehicles = fleet(full, options)
    state = coordinate(vehicles, options, control, tour_search(vehicles, options, control))
    if state.best is None:
        reason = Termination.NO_SOLUTION
        return Answer(
            Outcome(reason, limit="interrupt" if state.interrupted else "time", seconds=time.monotonic() - began)
        )
    best = take_in(state, state.best, began + TAKE_IN_UNTIL * control.options.time_limit)
    plan = _tell(state, best, began + TELL_UNTIL * control.options.time_limit)
    seconds = time.monotonic() - began
    outcome = Outcome(
        Termination.FEASIBLE,
        limit=_limit(state),
        objective=best.cost,
        seconds=seconds,
        solver=f"{highs.SOLVER}, {state.finder}",
    )
    return Answer(outcome, plan, notes=_notes(state))


def _tell(state: Rounds, best: Plan, until: float) -> Frames:
    """All result tables of the best plan; reasons are tested for until then."""
    options = state.control.options
    seconds = max(PRICES_SHARE * options.time_limit, 0.5)
    search = SolveOptions(time_limit=seconds, threads=options.threads, seed=options.seed)
    full, plan = state.fleet.full, dict(best.tables)
    plan["unserved"] = typed("unserved", unserved_rows(state, best, until))
    plan["slow_movers"] = typed("slow_movers", full["slow_movers"])
    flagged = full["slow_movers"].query("flag != 'hold' and moved > 0")
    moved = flagged.assign(option=flagged["flag"], quantity=flagged["moved"], status="include", notes="")
    plan["returns"] = typed("returns", moved)
    plan["alone"] = typed("alone", alone_rows(state.fleet, state.options))
    plan["comparison"] = comparison_rows(best.costs, plan["alone"])
    plan["limits"] = typed("limits", limit_rows(state.fleet, state.sets, state.first, best, search))
    return {table.name: plan[table.name] for table in RESULTS}


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
)
