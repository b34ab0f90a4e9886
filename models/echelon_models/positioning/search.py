"""Find the best plan of a network: exact reduction, then the model; with limits, prices for them first.

Without limits the kernel that the presolve leaves is modelled and solved. Limits tie all stages together; at given
prices of their use they fall apart again (Lagrangian relaxation, Geoffrion 1974): the network with dearer stock is one
without limits, and its optimum, less the worth of what the limits allow, is a bound on every plan. The prices with the
best bound are found by cutting planes (Kelley 1960), and they are what one more unit of each limit is worth. The plans
seen on the way are candidates; if none is close enough to the bound, one model decides under the limits themselves.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon.errors import Finding
from echelon.explain.limits import ease_limits
from echelon.explain.schema import EASED
from echelon.solvers import highs
from echelon.solvers.handover import hand_over
from echelon.solvers.held import Held
from echelon.solvers.outcome import Control, Outcome, Progress, SolveOptions, Termination, relative_gap
from echelon.solvers.watch import Watch
from echelon_models.positioning.explain import explain
from echelon_models.positioning.formulation import build
from echelon_models.positioning.limits import Limits, excess_cost, named
from echelon_models.positioning.messages import Squeeze
from echelon_models.positioning.network import Network
from echelon_models.positioning.plan import Plan, each_for_itself, plan_of
from echelon_models.positioning.presolve import Reduction, drop_forbidden, reduce, reduce_further
from echelon_models.positioning.problem import Problem, pose, step_pairs
from echelon_models.positioning.stock import SafetyStock

PRICE_ROUNDS = 60
PRICES_UNTIL = 0.4  # share of the time limit at which pricing ends
EASE_UNTIL = 0.5  # share at which solving again with limits eased ends
PRICES_GAP = 1e-6  # between the best bound and the best that other prices can still give
PRICED_GAP = 1e-5  # to which the network is solved at given prices
DEAREST = 10.0  # price of a hard limit at most, in multiples of what its use costs in stock
LARGEST_MODEL = 10_000  # pairs of times up to which a kernel is modelled as it is,
LARGEST_REST = 300_000  # and up to which what messages leave open is modelled
STALLED = 5e-5  # rise of the bound, as a share, below which messages are left for a model
STALLED_FOR_GOOD = 1e-7  # where no model will follow
MESSAGES_UNTIL = 0.8  # share of the time limit at which message passing ends
LARGEST_GRID = 150_000  # pairs of whole days up to which a model under limits takes every day as a candidate


@dataclass(frozen=True)
class Setting:
    """What the search is about: the network, the safety stock of its stages, its limits."""

    network: Network
    stock: Sequence[SafetyStock]
    limits: Limits

    def total(self, plan: Plan) -> float:
        """Yearly cost of a plan, money: holding its stock, exceeding soft limits."""
        return float(plan.cost.sum()) + excess_cost(self.limits.of(plan.units))


@dataclass(frozen=True)
class Found:
    """How a search ended; `prices` of the limits; without a plan, what stands in its way."""

    outcome: Outcome
    plan: Plan | None
    note: str
    prices: list[float]
    findings: tuple[Finding, ...] = ()
    eased: pd.DataFrame = field(default_factory=EASED.empty)


def find_plan(setting: Setting, presolve: bool, control: Control) -> Found:
    """The best plan found within the time limit, with its bound."""
    clock = _Clock(control)
    if not len(setting.limits):
        return _without_limits(setting, presolve, control, clock, prices=[])
    return _within_limits(setting, presolve, control, clock)


class _Clock:
    """The time of a search."""

    def __init__(self, control: Control):
        self.began = time.monotonic()
        self.limit = control.options.time_limit

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def rest(self, options: SolveOptions) -> SolveOptions:
        """The options for what is left of the time."""
        return options.model_copy(update={"time_limit": max(self.limit - self.seconds, 1.0)})


def _without_limits(
    setting: Setting, presolve: bool, control: Control, clock: _Clock, prices: Sequence[float]
) -> Found:
    """The best plan without limits (at prices for their use); the bound is that of cost and priced use together."""
    problem = pose(setting.network, setting.stock, setting.limits, prices=prices)
    posed = len(problem.times)
    drop_forbidden(problem)
    has_choice = any(len(times) > 1 for times in problem.times.values())
    reduction = reduce(problem) if presolve or not has_choice else Reduction(problem)
    note = _took(posed, problem)
    if presolve and problem.size > LARGEST_MODEL:
        until = clock.began + clock.limit * (PRICES_UNTIL if len(prices) else MESSAGES_UNTIL)
        outcome, times = _squeeze(reduction, control, clock, until)
        note += f" (after message passing {sum(map(len, problem.times.values())):,})"
    else:
        outcome, chosen = _solve(problem, setting.limits, clock.rest(control.options), control)
        times = None if chosen is None else reduction.recover(chosen)
    if times is not None:
        plan = plan_of(setting.network, setting.stock, problem, times, limited=len(prices) > 0)
    elif outcome.termination is Termination.NO_SOLUTION:  # out of time: a plan that the rules have checked to be one
        plan = each_for_itself(setting.network, setting.stock)
    else:
        return Found(outcome, None, note, [])
    return Found(_with_plan(outcome, setting.total(plan), outcome.bound, clock), plan, note, [])


def _squeeze(
    reduction: Reduction, control: Control, clock: _Clock, until: float
) -> tuple[Outcome, dict[int, int] | None]:
    """Bound and plan of a large kernel by message passing `until` a moment (of time.monotonic()); what that leaves open
    is modelled, if it is small enough."""
    problem, gap = reduction.kernel, control.options.gap
    squeeze = Squeeze(problem, control.options.seed)
    stalled = STALLED if problem.size <= LARGEST_REST else STALLED_FOR_GOOD
    squeeze.run(until, gap, stalled, lambda cost, bound: _tell(control, clock, cost, bound))
    times = reduction.recover(squeeze.times) if squeeze.chosen else None
    reached = relative_gap(squeeze.cost, squeeze.bound)
    limit = "gap" if reached is not None and reached <= gap else "time" if time.monotonic() > until else "other"
    ended = Termination.FEASIBLE if squeeze.chosen else Termination.NO_SOLUTION
    outcome = Outcome(ended, limit=limit, bound=squeeze.bound, solver="message passing")  # type: ignore[arg-type]
    if limit == "gap":
        return outcome, times
    reduce_further(reduction)
    if problem.size > LARGEST_REST:
        return outcome, times
    modelled, chosen = _solve(problem, None, clock.rest(control.options), control)
    if chosen is None:
        return outcome, times
    bound = max(squeeze.bound, modelled.bound) if modelled.bound is not None else squeeze.bound
    better = modelled.objective is not None and modelled.objective <= squeeze.cost
    return replace(modelled, bound=bound), reduction.recover(chosen) if better else times


def _within_limits(setting: Setting, presolve: bool, control: Control, clock: _Clock) -> Found:
    prices, bound, plans = _price(setting, presolve, control, clock)
    eased = _ease(setting, plans, control, clock) if control.options.explain != "off" else EASED.empty()
    plan = min(plans, key=setting.total)
    note = f"limits priced in {len(plans)} rounds"
    cost = setting.total(plan)
    if (gap := relative_gap(cost, bound)) is not None and gap <= control.options.gap:
        outcome = Outcome(Termination.FEASIBLE, limit="gap", bound=bound, solver=highs.SOLVER)
        return Found(_with_plan(outcome, cost, bound, clock), plan, note, prices, eased=eased)
    every_step = step_pairs(setting.network) <= LARGEST_GRID
    problem = pose(setting.network, setting.stock, setting.limits, every_step=every_step)
    drop_forbidden(problem)
    outcome, chosen = _solve(problem, setting.limits, clock.rest(control.options), control)
    if chosen is not None:
        other = plan_of(setting.network, setting.stock, problem, chosen, limited=True)
        plan = min(plan, other, key=setting.total)
    cost = setting.total(plan)
    if not np.isfinite(cost):
        findings = explain(problem, setting.limits.table, control.options)
        ended = (
            Termination.INFEASIBLE
            if every_step and outcome.termination is Termination.INFEASIBLE
            else Termination.NO_SOLUTION
        )
        return Found(replace(outcome, termination=ended, seconds=clock.seconds), None, note, prices, tuple(findings))
    if every_step and outcome.bound is not None:
        bound = max(bound, outcome.bound)
    note += f"; {'every day' if every_step else 'closure of the bounds'} as candidates of the model"
    return Found(_with_plan(outcome, cost, bound, clock), plan, note, prices, eased=eased)


def _ease(setting: Setting, plans: Sequence[Plan], control: Control, clock: _Clock) -> pd.DataFrame:
    """What limits are worth where the plans seen so far may be mixed: min Σ_k cost_k·weight_k + Σ_l cost of excess with
    Σ_k use_kl·weight_k - excess_l <= capacity_l, Σ_k weight_k = 1 (the dual of `_next_prices`)."""
    table = setting.limits.table
    used = [setting.limits.of(plan.units)["use"].tolist() for plan in plans]
    m = pyo.ConcreteModel()
    m.weight, m.excess = pyo.Var(range(len(plans)), bounds=(0, None)), pyo.Var(range(len(table)), bounds=(0, None))
    m.one_plan = pyo.Constraint(expr=sum(m.weight.values()) == 1)
    m.limit = pyo.Constraint(
        range(len(table)),
        rule=lambda m, l: sum(used[k][l] * m.weight[k] for k in m.weight) - m.excess[l] <= table["capacity"].iloc[l],
    )
    m.total = pyo.Objective(
        expr=sum(float(plans[k].cost.sum()) * m.weight[k] for k in m.weight)
        + sum(_dearest(setting, l) * m.excess[l] for l in m.excess)
    )
    held = Held(hand_over(m), None, Watch(control.options))
    known = named(table).assign(row=[held.row(m.limit[l]) for l in m.limit])
    return ease_limits(held, known.dropna(subset="row"), clock.began + EASE_UNTIL * clock.limit, how="weighed")


def _price(setting: Setting, presolve: bool, control: Control, clock: _Clock) -> tuple[list[float], float, list[Plan]]:
    """Prices of the limits by cutting planes, the bound at the best of them, and the plans seen on the way."""
    limits, capacity = setting.limits, setting.limits.table["capacity"].to_numpy()
    plans = [each_for_itself(setting.network, setting.stock)]
    silent = replace(control, progress=None, options=control.options.model_copy(update={"gap": PRICED_GAP}))
    prices, best, best_prices = np.zeros(len(limits)), -np.inf, np.zeros(len(limits))
    for _ in range(PRICE_ROUNDS):
        found = _without_limits(setting, presolve, silent, clock, prices.tolist())
        if found.plan is None or found.outcome.bound is None:
            break
        bound = found.outcome.bound - float(prices @ capacity)
        if bound > best:
            best, best_prices = bound, prices
        plans.append(found.plan)
        _tell(control, clock, min(map(setting.total, plans)), best)
        most, prices = _next_prices(setting, plans)
        if most - best <= PRICES_GAP * max(1.0, abs(most)) or clock.seconds > PRICES_UNTIL * clock.limit:
            break
    return best_prices.tolist(), best, plans


def _next_prices(setting: Setting, plans: Sequence[Plan]) -> tuple[float, np.ndarray]:
    """The prices at which the plans seen so far leave room for the highest bound, and that bound:
    max θ with θ <= cost of plan + Σ_l price_l·(its use of l - capacity of l), 0 <= price_l <= cost of excess."""
    table = setting.limits.table
    m = pyo.ConcreteModel()
    m.price = pyo.Var(range(len(table)), bounds=lambda m, l: (0.0, _dearest(setting, l)))
    m.bound = pyo.Var()
    over = [(setting.limits.of(plan.units)["use"] - table["capacity"]).tolist() for plan in plans]
    m.seen = pyo.Constraint(
        range(len(plans)),
        rule=lambda m, k: m.bound <= float(plans[k].cost.sum()) + sum(m.price[l] * over[k][l] for l in m.price),
    )
    m.total = pyo.Objective(expr=m.bound, sense=pyo.maximize)
    highs.solve(m, SolveOptions(gap=0.0))
    return float(pyo.value(m.bound)), np.array([float(pyo.value(m.price[l])) for l in m.price])


def _dearest(setting: Setting, l: int) -> float:
    """The highest price worth asking for one unit of a limit: what exceeding it costs, or, where it is hard, several
    times what stock that uses one unit of it costs anyway."""
    limit, weight = setting.limits.table.iloc[l], setting.limits.weights[l]
    if not limit["hard"]:
        return float(limit["excess_cost"])
    counted = weight > 0
    stock = each_for_itself(setting.network, setting.stock).units if limit["measure"] == "stocking_points" else 1.0
    return DEAREST * float(
        (setting.network.unit_cost * stock)[counted].max(initial=0.0) / weight[counted].min(initial=1.0)
    )


def _solve(
    problem: Problem, limits: Limits | None, options: SolveOptions, control: Control
) -> tuple[Outcome, dict[int, int] | None]:
    """Model and solve a problem; the times (steps) of its variables, None without a plan."""
    if not problem.times and not problem.uses:
        return Outcome(Termination.OPTIMAL, objective=problem.constant, bound=problem.constant, solver=highs.SOLVER), {}
    model = build(problem, limits.table if limits is not None and problem.uses else None)
    solution = highs.solve(model, options, progress=control.progress, log_file=control.log_file)
    return solution.outcome, _times(model, problem) if solution.outcome.has_plan else None


def _times(model: pyo.ConcreteModel, problem: Problem) -> dict[int, int]:
    """The times that a solved model chose: as many candidates after the earliest as binaries are 1."""
    return {
        v: int(times[sum(round(pyo.value(model.later[v, k])) for k in range(1, len(times)))])
        for v, times in problem.times.items()
    }


def _with_plan(outcome: Outcome, objective: float, bound: float | None, clock: _Clock) -> Outcome:
    """The outcome of a plan with its cost recomputed: waiting less than the model allows may have made it cheaper."""
    bound = bound if bound is not None and np.isfinite(bound) else None
    gap = relative_gap(objective, bound)
    proven = gap is not None and gap <= highs.PROVEN
    return replace(
        outcome,
        termination=Termination.OPTIMAL if proven else Termination.FEASIBLE,
        limit=None if proven else outcome.limit or "other",
        objective=objective,
        bound=bound,
        gap=gap,
        seconds=clock.seconds,
    )


def _tell(control: Control, clock: _Clock, incumbent: float, bound: float) -> None:
    if control.progress is not None:
        known = incumbent if np.isfinite(incumbent) else None
        control.progress(Progress(clock.seconds, known, bound, relative_gap(known, bound), nodes=0))


def _took(posed: int, kernel: Problem) -> str:
    """How the case was solved, for the notes of the run."""
    left = sum(len(times) for times in kernel.times.values())
    solved = "solved without a model" if not left else f"{len(kernel.times):,} with {left:,} candidates left"
    return f"{posed:,} times to decide: {posed - len(kernel.times):,} eliminated exactly, {solved}"
