"""What hubs make of the goods that tours bring: the consolidation model with its visits held, so that the whole plan is
exact in every table and cost line, and what a unit more at a hub would be worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from echelon.errors import Violation
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon.solvers.routing.problem import Route, Solution
from echelon.solvers.routing.schedule import Timetable, timetables
from echelon.tables import Frames
from echelon_models.returns.estimate import Visited, by_tours
from echelon_models.returns.formulation import Estimate, build
from echelon_models.returns.results import cost_lines, flow_tables, intake_rows, typed
from echelon_models.returns.route_tables import places_of, route_rows, served_rows, tour_rows
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.sets import Commodity, Sets
from echelon_models.returns.start import take_over
from echelon_models.returns.tours import Fleet

Trucks = Mapping[tuple[str, str, int], int]  # (hub, destination, t) -> trucks
Worth = Mapping[tuple[str, Commodity, int], float]  # (hub, commodity, t) -> money a unit more is worth there


@dataclass(frozen=True)
class Plan:
    """A whole plan: tours in time, where each stop stands, the trucks, all result tables of what is done, its cost."""

    solution: Solution
    timetables: tuple[Timetable, ...]
    at: dict[int, Visited]
    trucks: Trucks
    tables: Frames
    costs: dict[str, float]
    worth: Worth

    @property
    def cost(self) -> float:
        return sum(self.costs.values())

    @cached_property
    def intake(self) -> dict[tuple[str, int], dict[str, float]]:
        """(hub, t) -> dimension -> load unloaded."""
        days = list(dict.fromkeys(self.tables["intake"]["day"]))
        rows = self.tables["intake"].itertuples(index=False)
        return {(row.hub, days.index(row.day)): {d: getattr(row, d) for d in DIMENSIONS} for row in rows}


def settle(
    fleet: Fleet, sets: Sets, first: Estimate, solution: Solution, options: SolveOptions, trucks: Trucks | None = None
) -> Plan | None:
    """The best plan around these tours, from the `trucks` of an earlier plan on. Stops whose goods do not pay, or do
    not fit a hub, leave their tours. None if the tours break a rule, or there was no time."""
    tours = timetables(fleet.problem, solution)
    if isinstance(tours, Violation):
        return None
    at = places_of(fleet, tours)
    estimate = by_tours(fleet, first, solution.routes, at)
    model, solved = _solve(sets, estimate, at, options, trucks)
    if not solved.outcome.has_plan:
        return None
    dropped = {i for i, where in at.items() if model.visit[i, where.hub, where.t].value < 0.5}
    if dropped:  # which changes what the others on their tours save
        return settle(fleet, sets, first, without(fleet, solution, dropped), options, trucks)
    worth = {(h, (p, o), t): -solved.dual(row) for (h, p, o, t), row in model.hub_balance.items()}
    return _plan(fleet, sets, solution, tours, at, model, worth)


def without(fleet: Fleet, solution: Solution, stops: set[int]) -> Solution:
    """The tours without these stops."""
    routes = [
        Route(r.vehicle, tuple(tuple(i for i in trip if i not in stops) for trip in r.trips), r.hubs)
        for r in solution.routes
    ]
    return Solution.of(fleet.problem, routes)


def _solve(
    sets: Sets,
    estimate: Estimate,
    at: Mapping[int, Visited],
    options: SolveOptions,
    trucks: Trucks | None,
) -> tuple[Any, highs.Solution]:
    """The model with no visits but those of the tours."""
    model = build(sets, Estimate(estimate.cost))
    if trucks is not None:
        take_over(model, at, trucks)
    for i, h, t in sets.visits:
        where = at.get(i)
        if where is None or (where.hub, where.t) != (h, t):
            model.visit[i, h, t].fix(0)
    return model, highs.solve(model, options, prices=True)


def _plan(
    fleet: Fleet,
    sets: Sets,
    solution: Solution,
    tours: tuple[Timetable, ...],
    at: dict[int, Visited],
    model: Any,
    worth: Worth,
) -> Plan:
    """The plan's tables and its true cost."""
    tables: Frames = {"routes": typed("routes", route_rows(fleet, tours))}
    tables["tours"] = typed("tours", tour_rows(fleet, tours, tables["routes"]))
    tables["served"] = typed("served", served_rows(fleet, tours, at))
    left = fleet.full["stops"].loc[~fleet.full["stops"]["stop"].isin(tables["served"]["stop"]), ["stop", "loss"]]
    tables["unserved"] = typed("unserved", left.assign(reason="not found", detail=""))
    tables |= flow_tables(model, sets)
    tables["intake"] = intake_rows(sets, tables["served"], tables)
    trucks = {key: round(variable.value) for key, variable in model.trucks.items()}
    return Plan(solution, tours, at, trucks, tables, cost_lines(tables, sets), worth)
