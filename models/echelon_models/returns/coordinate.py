"""Two levels plan in each other's light: consolidation says which hub takes which stop when and what goods are worth
there; the search for tours says what that takes on the road. They go on until they agree or time ends; the best whole
plan is kept.

A round: the consolidation model assigns stops to hubs and days at the estimated costs of visits; tours are searched for
that assignment, then freely from the best plan so far, each stop at what its goods are worth. The tours found give
new, marginal costs of visits. This is the exchange of prices and proposals between a master and its parts (Dantzig &
Wolfe 1960), with a heuristic part: so no bound is known.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from echelon.solvers import highs
from echelon.solvers.outcome import Control, Progress, SolveOptions
from echelon.solvers.routing.problem import Problem, Route, Solution
from echelon_models.returns.estimate import by_geometry, by_tours, chances
from echelon_models.returns.formulation import Estimate, build
from echelon_models.returns.schema import ReturnsOptions
from echelon_models.returns.sets import Sets, Visit, prepare
from echelon_models.returns.settle import Plan, Trucks, Worth, settle
from echelon_models.returns.start import guide, take_over
from echelon_models.returns.tours import Fleet

MODEL_SHARE = 0.06  # of what time is left goes to a consolidation model
SETTLE_SHARE = 0.04
SEARCH_SHARE = 0.5  # of the time left in a round goes to its first search
LAST_SHARE = 0.18  # of the time limit is kept for settling and telling the plan
GAP = 2e-3  # at which a consolidation model ends
STEPS_GAP = 0.05  # and where steps are counted, so that it ends by its gap and not by the clock
EARLIER = "the earlier run"
AGREED = 1e-5  # relative gain of a round below which the levels agree


@dataclass(frozen=True)
class Tours:
    """What a search found: tours, who found them, what it had to do without."""

    solution: Solution
    finder: str
    notes: tuple[str, ...] = ()


Search = Callable[[Problem, Solution | None, float], Tours]


@dataclass
class Rounds:
    """The state of the exchange: the best plan, who found it, what was tried."""

    fleet: Fleet
    sets: Sets
    options: ReturnsOptions
    control: Control
    search: Search
    first: Estimate
    began: float = field(default_factory=time.monotonic)
    best: Plan | None = None
    trucks: Trucks | None = None  # of the best plan, or of one of a case much like this
    finder: str = ""
    notes: tuple[str, ...] = ()
    rounds: int = 0
    agreed: bool = False
    interrupted: bool = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        """Seconds that rounds may still take."""
        return self.control.options.time_limit * (1 - LAST_SHARE) - self.seconds

    def settle(self, solution: Solution) -> Plan | None:
        """The best whole plan around these tours (see `settle`)."""
        return settle(self.fleet, self.sets, self.first, solution, _part(self, SETTLE_SHARE), self.trucks)

    def log(self, line: str) -> None:
        if self.control.log_file is not None:
            with self.control.log_file.open("a", encoding="utf-8") as log:
                log.write(f"{self.seconds:8.1f} s  {line}\n")


def coordinate(fleet: Fleet, options: ReturnsOptions, control: Control, search: Search) -> Rounds:
    """The rounds of a completed case. Ctrl-C ends them with the best plan so far."""
    visits = chances(fleet)
    state = Rounds(fleet, prepare(fleet.full, options, visits), options, control, search, by_geometry(fleet, visits))
    try:
        if control.start is not None:
            _consider(state, _earlier(fleet, control.start), EARLIER)
        while state.rounds < options.rounds and not state.agreed and not state.interrupted and _has_time(state):
            _round(state)
    except KeyboardInterrupt:
        state.interrupted = True
    return state


def search_on(fleet: Fleet, options: ReturnsOptions, control: Control, search: Search, plan: Plan) -> Rounds:
    """One search of a completed case from a plan on, as far as it fits: each stop on its day and at its hub first, then
    freely. The case may be another than the plan's, with a limit eased."""
    visits = chances(fleet)
    state = Rounds(fleet, prepare(fleet.full, options, visits), options, control, search, by_geometry(fleet, visits))
    state.trucks = plan.trucks
    _consider(state, _earlier(fleet, plan.tables), EARLIER)
    for name, share in (("as before", SEARCH_SHARE), ("free", 1.0)):
        if state.best is not None and (state.left > 0 or options.steps):
            at = {i: (i, where.hub, where.t) for i, where in state.best.at.items()}
            held = {i: _vehicles_of(fleet, i, visit) for i, visit in at.items()} if name != "free" else {}
            _search(state, losses_at(state, state.best.worth, at), held, name, share * max(state.left, 0.0))
    return state


def _has_time(state: Rounds) -> bool:
    return state.best is None or state.left > 0.05 * state.control.options.time_limit


def _round(state: Rounds) -> None:
    """Assign, search for the assignment, search freely, price."""
    before = state.best
    estimate = state.first if before is None else by_tours(state.fleet, state.first, before.solution.routes, before.at)
    rounds_left = state.options.rounds - state.rounds
    state.rounds += 1
    assigned, worth = assign(state, estimate)
    seconds = max(state.left, 1.0) / rounds_left
    losses = losses_at(state, worth, assigned)
    open_to = {i: _vehicles_of(state.fleet, i, visit) for i, visit in assigned.items()}
    _search(state, losses, open_to, "assignment", SEARCH_SHARE * seconds)
    if state.best is not None and state.left > 0:
        losses = losses_at(state, state.best.worth, {i: (i, at.hub, at.t) for i, at in state.best.at.items()})
        _search(state, losses, {}, "free", (1 - SEARCH_SHARE) * seconds)
    if before is not None and state.best is not None:
        state.agreed = before.cost - state.best.cost <= AGREED * abs(before.cost)


def assign(state: Rounds, estimate: Estimate) -> tuple[dict[int, Visit], Worth]:
    """Which visit each stop gets at these costs (none: it is left), and what a unit more is worth at each hub."""
    model = build(state.sets, estimate)
    if state.best is not None:
        take_over(model, state.best.at, state.best.trucks)
    solution = highs.solve(model, _part(state, MODEL_SHARE, STEPS_GAP), prices=True, guide=guide(model, state.sets))
    state.interrupted |= solution.outcome.limit == "interrupt"
    if not solution.outcome.has_plan:
        return {}, {}
    state.log(f"round {state.rounds}: consolidation at {solution.outcome.objective:,.2f}, routes estimated")
    assigned = {key[0]: key for key in state.sets.visits if model.visit[key].value > 0.5}
    return assigned, {(h, (p, o), t): -solution.dual(row) for (h, p, o, t), row in model.hub_balance.items()}


def losses_at(state: Rounds, worth: Worth, at: Mapping[int, Visit]) -> list[float]:
    """For each stop what leaving it costs in all: its own loss, and what its goods are worth where it is assigned, or
    where they are worth most."""
    best: dict[int, float] = {}
    for i, h, t in state.sets.visits:
        if i in at and at[i] != (i, h, t):
            continue
        goods = sum(units * worth.get((h, c, t), 0.0) for c, units in state.sets.goods[i].items())
        best[i] = max(best.get(i, -1e30), goods + state.sets.at_hub(i, h))
    return [float(stop.loss) + best.get(i, 0.0) for i, stop in enumerate(state.sets.stops)]


def _vehicles_of(fleet: Fleet, i: int, visit: Visit) -> frozenset[int]:
    """The vehicles that may make a visit."""
    _, hub, t = visit
    return frozenset(v for v in fleet.open_to[i] if fleet.shifts[v].t == t and (not hub or hub in fleet.shifts[v].hubs))


def _search(
    state: Rounds, losses: list[float], open_to: Mapping[int, frozenset[int]], name: str, seconds: float
) -> None:
    """Search tours at these losses, from the best plan as far as it fits, and settle what comes of it."""
    problem = state.fleet.restricted(losses, open_to)
    start = None if state.best is None else _fitting(problem, state.best.solution)
    tours = state.search(problem, start, max(min(seconds, state.left), 0.2))
    found = f"{len(tours.solution.routes)} tours, {len(tours.solution.left_out)} stops left, by {tours.finder}"
    state.log(f"round {state.rounds}, {name}: {found}")
    state.notes = tuple(dict.fromkeys((*state.notes, *tours.notes)))
    _consider(state, tours.solution, tours.finder)


def _consider(state: Rounds, solution: Solution, finder: str) -> None:
    """Settle the tours; keep the plan if it is better."""
    plan = state.settle(solution)
    if plan is None:
        state.log("           no whole plan comes of it")
        return
    state.log(f"           whole plan {plan.cost:,.2f}")
    if state.best is None or plan.cost < state.best.cost - 1e-9:
        state.best, state.trucks, state.finder = plan, plan.trucks, finder
        if state.control.progress is not None:
            state.control.progress(Progress(state.seconds, plan.cost, None, None, nodes=0))


def _fitting(problem: Problem, solution: Solution) -> Solution:
    """The tours without the stops that may not be on them under the problem's restrictions."""
    routes = [
        Route(r.vehicle, tuple(tuple(i for i in trip if problem.may_come(i, r.vehicle)) for trip in r.trips), r.hubs)
        for r in solution.routes
    ]
    return Solution.of(problem, routes)


def _earlier(fleet: Fleet, plan: Mapping[str, object]) -> Solution:
    """The tours of an earlier run's tables, as far as its vehicles and stops are those of this case."""
    routes = plan.get("routes")
    if routes is None:
        return Solution()
    vehicle = {(s.name, fleet.full["days"]["day"].iloc[s.t]): v for v, s in enumerate(fleet.shifts)}
    stop = {row.stop: i for i, row in enumerate(fleet.stops)}
    hub = {row.hub: k for k, row in enumerate(fleet.hubs)}
    found: list[Route] = []
    for key, rows in routes.groupby(["vehicle", "day"], sort=False):  # type: ignore[attr-defined]
        if key not in vehicle:
            continue
        trips: list[list[int]] = [[]]
        hubs: list[int] = []
        for call in rows.sort_values("order").itertuples(index=False):
            if call.call == "stop" and call.place in stop:
                trips[-1].append(stop[call.place])
            elif call.call == "hub" and call.place in hub:
                trips.append([])
                hubs.append(hub[call.place])
        if hubs and fleet.problem.vehicles[vehicle[key]].end_hub is not None:  # the call at the end
            trips, hubs = trips[:-1], hubs[:-1]
        found.append(Route(vehicle[key], tuple(map(tuple, trips)), tuple(hubs)))
    return Solution.of(fleet.problem, found)


def _part(state: Rounds, share: float, steps_gap: float = GAP) -> SolveOptions:
    """Options of a model that may take this share of the time limit; where steps are counted, it ends at its gap."""
    given, counted = state.control.options, state.options.steps > 0
    limit = given.time_limit if counted else max(share * given.time_limit, 0.5)
    gap = steps_gap if counted else GAP
    return SolveOptions(time_limit=limit, gap=gap, threads=given.threads, seed=given.seed)
