"""Why a stop is not served, found by a real test."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from echelon.errors import Violation
from echelon.solvers.routing.insertion import alone, cheapest
from echelon.solvers.routing.problem import Problem, Solution
from echelon.solvers.routing.schedule import LATE, LONG, Timetable, timetables


class Reason(StrEnum):
    """Why a plan leaves a stop out."""

    NO_VEHICLE = "no vehicle fits"  # none has the skills, may come and carries the load
    NO_WINDOW = "no time window fits"  # those that may come do not reach it in time, even if they do nothing else
    NOT_WORTH_IT = "not worth it"  # it fits into the plan, at a cost above its loss
    NO_CAPACITY = "no capacity"  # it would fit alone, but nowhere beside the rest of the plan


def reasons(problem: Problem, solution: Solution, admits: np.ndarray) -> dict[int, Reason]:
    """The reason of each stop that is left out; `admits` is `insertion.admitted(problem)`.

    Raises ValueError if the plan breaks a rule.
    """
    tours = timetables(problem, solution)
    if isinstance(tours, Violation):
        raise ValueError(f"not a plan: {tours}")
    by_vehicle = {tour.route.vehicle: tour for tour in tours}
    return {stop: _reason(problem, by_vehicle, stop, admits) for stop in solution.left_out}


def _reason(problem: Problem, tours: dict[int, Timetable], stop: int, admits: np.ndarray) -> Reason:
    if not admits[stop].any():
        broken = [alone(problem, stop, v) for v in range(len(problem.vehicles)) if problem.may_come(stop, v)]
        late = [b for b in broken if isinstance(b, Violation) and b.rule in (LATE, LONG)]
        return Reason.NO_WINDOW if late else Reason.NO_VEHICLE
    if cheapest(problem, tours, stop, admits) is None:
        return Reason.NO_CAPACITY
    return Reason.NOT_WORTH_IT
