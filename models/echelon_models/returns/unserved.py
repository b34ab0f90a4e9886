"""Why a stop is left: found by trying. Every vehicle on a tour of its own first, then every place on every tour of the
plan, at the money it costs there against what the visit brings."""

from __future__ import annotations

import time
from typing import NamedTuple

import numpy as np
import pandas as pd

from echelon.errors import Violation
from echelon.solvers.routing.insertion import alone, cheapest
from echelon.solvers.routing.problem import Problem, Solution
from echelon.solvers.routing.schedule import Timetable
from echelon_models.returns.coordinate import Rounds
from echelon_models.returns.estimate import fits
from echelon_models.returns.route_tables import places_of
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.sets import Sets, limited
from echelon_models.returns.settle import Plan
from echelon_models.returns.tours import MONEY, Fleet, collects

COLUMNS = ["stop", "reason", "detail", "loss"]


class Place(NamedTuple):
    """The best place for a stop: what it costs more there and what the visit brings (money), the tour with the stop."""

    cost: float
    gain: float
    tour: Timetable


def take_in(state: Rounds, best: Plan, until: float) -> Plan:
    """The plan with those stops taken in that pay at the best place for them, as long as there is time."""
    problem = state.fleet.problem
    for i in best.solution.left_out:
        if time.monotonic() > until:
            break
        place = _place(state, best, i, _open_hubs(state, best, i))
        if place is None or place.cost >= place.gain:
            continue
        others = [r for r in best.solution.routes if r.vehicle != place.tour.route.vehicle]
        plan = state.settle(Solution.of(problem, [*others, place.tour.route]))
        if plan is not None and plan.cost < best.cost:
            best = plan
    return best


def unserved_rows(state: Rounds, best: Plan, until: float) -> pd.DataFrame:
    """The result table `unserved`; stops for which no time is left are "not found"."""
    rows = []
    for i in best.solution.left_out:
        reason, detail = "not found", "no time was left to test why"
        if not state.fleet.admits[i].any():
            reason, detail = _never(state.fleet, i)
        elif time.monotonic() <= until:
            reason, detail = _not_now(state, best, i)
        rows.append((state.fleet.stops[i].stop, reason, detail, float(state.fleet.stops[i].loss)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _never(fleet: Fleet, i: int) -> tuple[str, str]:
    """Why no vehicle could serve the stop even on a tour of its own."""
    problem, stop = fleet.problem, fleet.stops[i]
    inlets = fleet.full["inlets"]
    if collects(stop) and not (inlets["stop"] == stop.stop).any():
        return "no hub takes it", "the law keeps its goods from every hub"
    able = [v for v in sorted(fleet.open_to[i]) if problem.may_come(i, v)]
    if not able:
        return "no vehicle fits", "none that comes on its days, to hubs that take its goods, has its skills"
    able = [v for v in able if _carries(problem, i, v)]
    if not able:
        return "no vehicle fits", "none that may come can carry its load"
    able = [v for v in able if fits(problem, i, v)]
    if not able:
        return "no way", "no way leads there from where the vehicles start, and on to where they end"
    tours = (alone(problem, i, v) for v in able)
    broken = sorted({tour.rule for tour in tours if isinstance(tour, Violation)})
    if "on time" in broken:
        return "no time window fits", "every vehicle comes too late to it, to a hub, or home"
    return "no vehicle fits", f"alone on a tour each breaks a rule: {', '.join(broken)}"


def _not_now(state: Rounds, best: Plan, i: int) -> tuple[str, str]:
    """Why the plan has no place for the stop, though a vehicle could serve it."""
    if _place(state, best, i, state.fleet.admits) is None:
        return "no capacity", "no tour and no idle vehicle has time and room for it"
    place = _place(state, best, i, _open_hubs(state, best, i))
    if place is None:
        return "hub intake is full", "every hub that it could come to takes no more on that day"
    loss = float(state.fleet.stops[i].loss)
    told = (
        f"a visit costs {place.cost:,.2f} more, its goods bring {place.gain - loss:,.2f}, leaving it loses {loss:,.2f}"
    )
    return ("not worth it", told) if place.cost >= place.gain else ("not found", told)


def _place(state: Rounds, best: Plan, i: int, admits: np.ndarray) -> Place | None:
    """Where the plan takes the stop at the least cost, by a vehicle that `admits` it; None if nowhere."""
    tours = {tour.route.vehicle: tour for tour in best.timetables}
    longer = cheapest(state.fleet.problem, tours, i, admits)
    if longer is None:
        return None
    before = tours.get(longer.route.vehicle)
    at = places_of(state.fleet, [longer])[i]
    goods = sum(units * best.worth.get((at.hub, c, at.t), 0.0) for c, units in state.sets.goods[i].items())
    gain = float(state.sets.stops[i].loss) + goods + state.sets.at_hub(i, at.hub)
    return Place((longer.cost - (before.cost if before else 0)) / MONEY, gain, longer)


def _open_hubs(state: Rounds, best: Plan, i: int) -> np.ndarray:
    """Which vehicles could serve which stops, for stop i without those whose hubs take no more on their day."""
    open_to = state.fleet.admits.copy()
    for v, shift in enumerate(state.fleet.shifts):
        if collects(state.fleet.stops[i]) and not all(_takes(state.sets, best, i, h, shift.t) for h in shift.hubs):
            open_to[i, v] = False
    return open_to


def _takes(sets: Sets, best: Plan, i: int, hub: str, t: int) -> bool:
    """Whether the intake of a hub leaves room for the stop's load."""
    taken = best.intake[hub, t]
    limits = {d: getattr(sets.hubs[hub], f"intake_{d}") for d in DIMENSIONS}
    return all(not limited(limit) or taken[d] + sets.load(i, d) <= limit for d, limit in limits.items())


def _carries(problem: Problem, i: int, v: int) -> bool:
    stop, capacity = problem.stops[i], problem.vehicles[v].capacity
    return all(max(p, q) <= room for p, q, room in zip(stop.pickup, stop.delivery, capacity, strict=True))
