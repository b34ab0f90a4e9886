"""Solve a Pyomo model with HiGHS: relaxation, first plan, search, polish of the integers, prices, honest `Outcome`.

What HiGHS is not trusted with: its time limit (see `watch`), an incumbent at a crash (the best one seen is kept
aside), the word "infeasible" (a second opinion without presolve is asked), near-integers (rounded, fixed, solved
again), and finding a first plan of a large model quickly (a `Guide` helps).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo

from echelon.solvers.handover import LinearModel, hand_over, hand_over_rows
from echelon.solvers.held import Held
from echelon.solvers.improve import SHARED, fix_and_optimize
from echelon.solvers.outcome import Outcome, ProgressCallback, SolveOptions, Termination, relative_gap
from echelon.solvers.watch import Status, Watch, finite

SOLVER = f"HiGHS {highspy.Highs().version()}"
PROVEN = 1e-6  # a relative gap up to this counts as proven optimal
GUIDED = 1000  # integers from which on a guide is asked for a first plan
ROUNDS = 30  # of tightening the relaxation, at most
ROUNDS_UNTIL = 0.25  # share of the time limit at which they end
FIRST_ROUND_UNTIL = 0.6  # the first one may take longer: without it there is no first plan
ROUNDS_GAIN = 1e-5  # relative rise of the bound below which another round is not worth its time
IMPROVE_UNTIL = 0.85  # share of the time limit at which improving the first plan ends
CHECK_EVERY = 10  # blocks: so often is a plan checked that is improved
CHECK_GAIN = 1e-5  # relative gain below which it was in vain; after all blocks in vain improving ends
HINT_SLACK = 1e-7  # by which a hint may miss a row, relative to its terms, and still be a plan
BLOCK_SECONDS = 1.0  # for one block of the first plan

DOUBTFUL = (Status.kInfeasible, Status.kUnboundedOrInfeasible, Status.kUnbounded)


@dataclass(frozen=True)
class Guide:
    """What a family knows of its model that helps the search; every part may be left out.

    `tighten()` reads the relaxation from the variables and returns new constraints (ConstraintData) that it violates,
    in rounds until `rounds_until` of the time limit. `first_plan()` reads it too and sets the integer variables to a
    plan, improved until `improve_until`; it is asked for from `first_plan_from` integers on. `check()` reads a plan
    and returns new constraints that it violates, so that a model which knows its costs only by cuts learns them where
    its plans are. `block_of(variable)` names the block (say, the item) that a variable belongs to, or None for what
    blocks share. With `fixes`, integers that no better plan than the first can change are fixed before the search.
    With `interior_point`, the search solves its first relaxation that way: faster for large transport-like models.
    """

    tighten: Callable[[], list[Any]] | None = None
    first_plan: Callable[[], None] | None = None
    block_of: Callable[[Any], Hashable | None] | None = None
    first_plan_from: int = GUIDED
    rounds_until: float = ROUNDS_UNTIL
    improve_until: float = IMPROVE_UNTIL
    fixes: bool = False
    interior_point: bool = False
    check: Callable[[], list[Any]] | None = None


@dataclass
class Solution:
    """What `solve` returns. The plan itself stands in the model's variables; `held` is what is left to decide when its
    setups are held, where prices were asked for."""

    outcome: Outcome
    held: Held | None = None

    def dual(self, constraint: Any) -> float:
        """By how much the cost changes when the right side of one constraint (a Pyomo ConstraintData) grows by a unit,
        setups held; 0 where the row was superfluous."""
        row = None if self.held is None else self.held.row(constraint)
        return 0.0 if row is None or self.held is None else float(self.held.duals[row])


def solve(
    model: pyo.ConcreteModel,
    options: SolveOptions | None = None,
    *,
    progress: ProgressCallback | None = None,
    log_file: Path | None = None,
    prices: bool = False,
    guide: Guide | None = None,
) -> Solution:
    """Solve `model` and load the plan into its variables.

    Values that variables already have are the MIP start (a partial one is completed by HiGHS). `progress` is called
    in the caller's thread about every tenth of a second. Ctrl-C stops the search and keeps the incumbent. With
    `prices`, the solution tells what constraints are worth with the plan's setups held (see `Held`).
    """
    with Watch(options or SolveOptions(), progress, log_file) as watch:
        return _solve(model, watch, prices, guide)


def hold(model: pyo.ConcreteModel, options: SolveOptions) -> Held:
    """What is left to decide of a model when the setups of the plan in its variables are held."""
    arrays = hand_over(model)
    x = np.array([arrays.hint.get(j, 0.0) for j in range(len(arrays.variables))])
    with Watch(options) as watch:
        return Held(arrays, x, watch)


def _solve(model: pyo.ConcreteModel, watch: Watch, prices: bool, guide: Guide | None) -> Solution:
    arrays = hand_over(model)
    if not arrays.variables:
        raise ValueError("the model has no variables")
    if trouble := arrays.too_large():
        return Solution(Outcome(Termination.FAILED, seconds=watch.seconds, solver=SOLVER, note=trouble))
    bound = None
    if guide is not None and arrays.integer.any():
        arrays, bound, reduced = _relax(arrays, guide, watch)
        arrays = _first_plan(arrays, guide, watch, bound) if bound is not None else arrays
        arrays = _fix(arrays, reduced, bound) if guide.fixes and bound is not None else arrays
    watch.interior_point = guide is not None and guide.interior_point
    search = _search(arrays, watch, bound)
    x, objective = search.x, search.objective
    if x is not None and arrays.integer.any():
        x, objective = _polish(arrays, x, watch)
        if x is None:  # big numbers let the search cheat within its tolerance: search again with a strict one
            search = _search(arrays, watch, bound, tolerance=1e-9)
            x, objective = _polish(arrays, search.x, watch) if search.x is not None else (None, None)
    outcome = _outcome(search, x is not None, objective, watch)
    if x is None:
        return Solution(outcome)
    _load(arrays, x)
    return Solution(outcome, Held(arrays, x, watch) if prices else None)


def _relax(arrays: LinearModel, guide: Guide, watch: Watch) -> tuple[LinearModel, float | None, np.ndarray]:
    """Solve the relaxation and load it into the variables; let the guide add rows that it violates, and again.

    Returns the model with those rows (HiGHS takes no cuts during its search), the bound, None if there was no time to
    solve the relaxation at all, and the columns' reduced costs at that bound.
    """
    highs, tightened, bound = watch.highs(arrays, relaxed=True), arrays, None
    reduced = np.zeros(len(arrays.variables))
    for _ in range(ROUNDS):
        watch.run(highs, watch.until(FIRST_ROUND_UNTIL if bound is None else guide.rounds_until))
        if highs.getModelStatus() != Status.kOptimal:
            break
        before, bound = bound, highs.getInfo().objective_function_value
        watch.tell(None, bound)
        _load(arrays, np.array(highs.getSolution().col_value))
        reduced = np.array(highs.getSolution().col_dual)
        if before is not None and abs(bound - before) <= ROUNDS_GAIN * max(1.0, abs(bound)):
            break
        rows = hand_over_rows(guide.tighten() if guide.tighten else [], arrays.variables)
        if not rows.constraints:
            break
        tightened = tightened.with_rows(rows)
        count, starts = len(rows.constraints), rows.start[:-1]
        highs.addRows(count, rows.lower, rows.upper, len(rows.value), starts, rows.index, rows.value)
    return tightened, bound, reduced


def _fix(arrays: LinearModel, reduced: np.ndarray, bound: float) -> LinearModel:
    """The model with every binary fixed whose change would lift the relaxation over the cost of the plan in the hint:
    bound + |reduced cost| > cost (Dantzig, Fulkerson & Johnson 1954). No better plan is cut off."""
    if len(arrays.hint) < len(arrays.variables):
        return arrays
    x = np.array([arrays.hint[j] for j in range(len(arrays.variables))])
    cost = float(arrays.cost @ x) + arrays.offset
    sign = -1.0 if arrays.maximize else 1.0
    gap = sign * (cost - bound) + PROVEN * max(1.0, abs(cost))
    stays_low = arrays.binary & (sign * reduced > gap) & (arrays.lower == 0)
    stays_high = arrays.binary & (sign * reduced < -gap) & (arrays.upper == 1)
    lower, upper = np.where(stays_high, 1.0, arrays.lower), np.where(stays_low, 0.0, arrays.upper)
    return replace(arrays, lower=lower, upper=upper)


def _first_plan(arrays: LinearModel, guide: Guide, watch: Watch, bound: float) -> LinearModel:
    """The model with a good plan as its hint: the guide's rounding of the relaxation, or the start that was given,
    whichever is better, improved block by block. Small models do without; so does a rounding that fits no limits."""
    if arrays.integer.sum() < guide.first_plan_from or guide.first_plan is None:
        return arrays
    guide.first_plan()
    rounded = np.array([variable.value for variable in arrays.variables], dtype=float)
    given = rounded.copy()
    given[list(arrays.hint)] = list(arrays.hint.values())
    starts = [_polish(arrays, start, watch) for start in ([rounded, given] if arrays.hint else [rounded])]
    plans = [(objective, x) for x, objective in starts if x is not None and objective is not None]
    if not plans:
        return arrays
    sign = -1.0 if arrays.maximize else 1.0
    _, x = min(plans, key=lambda plan: sign * plan[0])
    if guide.block_of is not None:
        arrays, x = _improve_checked(arrays, x, guide, watch, bound)
    return replace(arrays, hint=dict(enumerate(x.tolist())))


def _improve_checked(
    arrays: LinearModel, x: np.ndarray, guide: Guide, watch: Watch, bound: float
) -> tuple[LinearModel, np.ndarray]:
    """The plan improved block by block. Where the guide checks plans, it does so after every few blocks, and the model
    gets the rows that a plan violates; returns the model with them and the best plan by them."""
    blocks, sign = _blocks(arrays, guide), -1.0 if arrays.maximize else 1.0
    small_change = 0.25 * watch.options.gap * abs(arrays.cost @ x + arrays.offset) / (blocks.max() + 1)
    solver, until = _block_solver(watch, small_change), watch.until(guide.improve_until)
    if guide.check is None:
        return arrays, fix_and_optimize(arrays, x, blocks, solver, until, lambda cost: watch.tell(cost, bound))
    groups = np.array_split(np.arange(blocks.max() + 1), math.ceil((blocks.max() + 1) / CHECK_EVERY))
    best, plan, idle = math.inf, x, 0
    for group in cycle(groups):
        _load(arrays, x)
        arrays = arrays.with_rows(hand_over_rows(guide.check(), arrays.variables))
        checked, cost = _polish(arrays, x, watch)
        idle += 1
        if checked is not None and cost is not None and sign * cost < best:
            idle = 0 if best - sign * cost > CHECK_GAIN * abs(cost) else idle
            best, plan = sign * cost, checked
            watch.tell(cost, bound)
        if time.monotonic() > until or idle > len(groups):
            break
        x = fix_and_optimize(arrays, plan, blocks, solver, until, only=group.tolist())
    return arrays, plan


def improve(model: pyo.ConcreteModel, guide: Guide, options: SolveOptions) -> float | None:
    """Better the plan in the model's integer variables by planning its blocks anew, one by one, all else held. Loads
    the plan and returns its cost; None, with nothing loaded, if the plan given is infeasible."""
    watch = Watch(options)
    arrays = hand_over(model)
    start = np.array([arrays.hint.get(j, 0.0) for j in range(len(arrays.variables))])
    x, _ = _polish(arrays, start, watch)
    if x is None:
        return None
    x = fix_and_optimize(arrays, x, _blocks(arrays, guide), _block_solver(watch, 0.0), watch.deadline)
    _load(arrays, x)
    return float(arrays.cost @ x) + arrays.offset


def _blocks(arrays: LinearModel, guide: Guide) -> np.ndarray:
    """The number of each column's block; SHARED where it has none."""
    names = [guide.block_of(variable) if guide.block_of else None for variable in arrays.variables]
    number = {None: SHARED} | {name: k for k, name in enumerate(dict.fromkeys(n for n in names if n is not None))}
    return np.array([number[name] for name in names])


def _block_solver(watch: Watch, small_change: float) -> Callable[[LinearModel, np.ndarray, float], np.ndarray | None]:
    """Solves the MIP of one block to within `small_change` of its best cost, or for a second."""

    def solve_block(block: LinearModel, start: np.ndarray, deadline: float) -> np.ndarray | None:
        if watch.interrupted:
            return None
        highs = watch.highs(block)
        highs.setOptionValue("mip_rel_gap", 0.0)
        highs.setOptionValue("mip_abs_gap", small_change)
        highs.setSolution(len(start), np.arange(len(start), dtype=np.int32), start)
        watch.run(highs, min(deadline, watch.began + watch.seconds + BLOCK_SECONDS))
        found = highs.getInfo().primal_solution_status == 2
        return np.array(highs.getSolution().col_value) if found else None

    return solve_block


@dataclass
class _Search:
    """How HiGHS left a search: its status, plan, objective, bound, and why it stopped."""

    status: Any
    x: np.ndarray | None = None
    objective: float | None = None
    bound: float | None = None
    nodes: int = 0
    note: str = ""


def _search(arrays: LinearModel, watch: Watch, bound: float | None, tolerance: float | None = None) -> _Search:
    """Run HiGHS; where it says infeasible or unbounded, ask again without presolve before believing it. `bound` is
    what is known already."""
    search = _run(arrays, watch, bound, tolerance, presolve=True)
    if search.status in DOUBTFUL:
        again = _run(arrays, watch, bound, tolerance, presolve=False)
        if again.x is not None or again.status in DOUBTFUL:
            return again
        return _Search(again.status, note="infeasible with presolve, but the second opinion ran out of time")
    return search


def _run(arrays: LinearModel, watch: Watch, bound: float | None, tolerance: float | None, presolve: bool) -> _Search:
    highs = watch.highs(arrays, log=True)
    highs.setOptionValue("mip_rel_gap", watch.options.gap)
    if watch.interior_point:
        highs.setOptionValue("mip_lp_solver", "ipm")
    if tolerance is not None:
        highs.setOptionValue("mip_feasibility_tolerance", tolerance)
    if not presolve:
        highs.setOptionValue("presolve", "off")
    if arrays.hint:  # only its integers: HiGHS rejects a whole plan that misses a row by a rounding error
        known = {j: value for j, value in arrays.hint.items() if arrays.integer[j]} or arrays.hint
        highs.setSolution(len(known), np.array(list(known), np.int32), np.array(list(known.values())))
    incumbent = watch.run(highs, report=True)
    info, mip = highs.getInfo(), bool(arrays.integer.any())
    search = _Search(highs.getModelStatus(), nodes=max(int(info.mip_node_count), 0))
    if search.status == Status.kUnbounded:
        return search
    if search.status == Status.kOptimal or (mip and info.primal_solution_status == 2):
        search.x, search.objective = np.array(highs.getSolution().col_value), info.objective_function_value
    elif incumbent.best is not None:
        search.objective, search.x = incumbent.best
        search.note = "the solver ended without its incumbent; the best one seen was kept"
    elif mip and len(arrays.hint) == len(arrays.variables):  # the polish finds out whether it is a plan
        search.x = np.array([arrays.hint[j] for j in range(len(arrays.variables))])
        search.objective = float(arrays.cost @ search.x) + arrays.offset
    if mip and search.objective is not None and (start := _feasible_hint(arrays)) is not None:
        cost = float(arrays.cost @ start) + arrays.offset  # HiGHS may have passed over it for a hair's breadth
        if (cost > search.objective) if arrays.maximize else (cost < search.objective):
            search.x, search.objective = start, cost
    search.bound = finite(info.mip_dual_bound) if mip else search.objective
    if mip and bound is not None:
        better = min if arrays.maximize else max
        search.bound = bound if search.bound is None else better(bound, search.bound)
    return search


def _feasible_hint(arrays: LinearModel) -> np.ndarray | None:
    """The hint, where it is a whole plan that holds all rows and bounds to within rounding."""
    if len(arrays.hint) < len(arrays.variables):
        return None
    x = np.array([arrays.hint[j] for j in range(len(arrays.variables))])
    row_of = np.repeat(np.arange(len(arrays.constraints)), np.diff(arrays.start))
    use = np.bincount(row_of, arrays.value * x[arrays.index], len(arrays.constraints))
    size = np.bincount(row_of, np.abs(arrays.value * x[arrays.index]), len(arrays.constraints))
    slack = HINT_SLACK * np.maximum(1.0, size)
    holds = (use >= arrays.row_lower - slack).all() and (use <= arrays.row_upper + slack).all()
    within = (x >= arrays.lower - HINT_SLACK).all() and (x <= arrays.upper + HINT_SLACK).all()
    whole = (np.abs(x - np.round(x))[arrays.integer] <= HINT_SLACK).all()
    return x if holds and within and whole else None


def _polish(arrays: LinearModel, x: np.ndarray, watch: Watch) -> tuple[np.ndarray | None, float | None]:
    """Round the integers, fix them, solve the LP that is left: exact integers and the best plan around them."""
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    whole = np.clip(np.round(x), lower, upper)
    lower[arrays.integer] = upper[arrays.integer] = whole[arrays.integer]
    highs = watch.highs(replace(arrays, lower=lower, upper=upper), relaxed=True)
    watch.finish(highs)
    if highs.getModelStatus() != Status.kOptimal:
        return None, None
    polished = np.clip(np.array(highs.getSolution().col_value), lower, upper)
    return polished, highs.getInfo().objective_function_value


def _outcome(search: _Search, has_plan: bool, objective: float | None, watch: Watch) -> Outcome:
    gap = relative_gap(objective, search.bound)
    limit = "interrupt" if watch.interrupted else "time" if watch.timed_out else None
    if has_plan:
        proven = gap is not None and gap <= PROVEN
        termination = Termination.OPTIMAL if proven else Termination.FEASIBLE
        limit = None if proven else limit or ("gap" if search.status == Status.kOptimal else "other")
    else:
        objective = gap = None
        termination = {
            Status.kInfeasible: Termination.INFEASIBLE,
            Status.kUnbounded: Termination.UNBOUNDED,
            Status.kUnboundedOrInfeasible: Termination.INFEASIBLE,
            Status.kTimeLimit: Termination.NO_SOLUTION,
            Status.kInterrupt: Termination.NO_SOLUTION,
        }.get(search.status, Termination.FAILED)
    return Outcome(
        termination=termination,
        limit=limit if termination is not Termination.INFEASIBLE else None,  # type: ignore[arg-type]
        objective=objective,
        bound=search.bound,
        gap=gap,
        seconds=watch.seconds,
        solver=SOLVER,
        nodes=search.nodes,
        note=search.note,
    )


def _load(arrays: LinearModel, x: np.ndarray) -> None:
    """Give the model's variables the values of the columns."""
    for variable, value in zip(arrays.variables, x.tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
