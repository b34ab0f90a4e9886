"""Solve a Pyomo model with HiGHS: the search, the polish of integers, the prices, and an honest `Outcome`.

What HiGHS is not trusted with: its time limit (a watchdog on the wall clock interrupts it), an incumbent at a crash
(the best one seen is kept aside), the word "infeasible" (a second opinion without presolve is asked), near-integers
(rounded, fixed, solved again), presolve of tiny models (it has returned wrong optima; they gain nothing from it).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import highspy
import numpy as np
import pyomo.environ as pyo

from echelon.solvers.handover import INFINITY, LinearModel, hand_over
from echelon.solvers.outcome import (
    Outcome,
    Progress,
    ProgressCallback,
    SolveOptions,
    Termination,
    relative_gap,
)

SOLVER = f"HiGHS {highspy.Highs().version()}"
PROVEN = 1e-6  # a relative gap up to this counts as proven optimal
TINY = 500  # columns up to which presolve is left off
POLL = 0.1  # seconds between two looks at a running solve

Event = highspy.cb.HighsCallbackType
Status = highspy.HighsModelStatus
Interrupts = (Event.kCallbackMipInterrupt, Event.kCallbackSimplexInterrupt, Event.kCallbackIpmInterrupt)


@dataclass
class Solution:
    """What `solve` returns. The plan itself stands in the model's variables; `duals` holds, for each constraint asked
    for, the change of the objective when its right-hand side grows by one unit (integers held)."""

    outcome: Outcome
    duals: dict[int, float] = field(default_factory=dict)  # id of the constraint -> dual

    def dual(self, constraint: Any) -> float:
        """Dual of one constraint (a Pyomo ConstraintData); 0 where the row was superfluous."""
        return self.duals.get(id(constraint), 0.0)


def solve(
    model: pyo.ConcreteModel,
    options: SolveOptions | None = None,
    *,
    progress: ProgressCallback | None = None,
    log_file: Path | None = None,
    prices: bool = False,
) -> Solution:
    """Solve `model` and load the plan into its variables.

    Values that variables already have are the MIP start (a partial one is completed by HiGHS). `progress` is called
    in the caller's thread about every tenth of a second. Ctrl-C stops the search and keeps the incumbent. With
    `prices`, the setups (binaries) of the plan are held, batch counts relaxed, and the LP's duals returned.
    """
    options = options or SolveOptions()
    began = time.monotonic()
    arrays = hand_over(model)
    if not arrays.variables:
        raise ValueError("the model has no variables")
    search = _search(arrays, options, began, progress, log_file)
    x, objective = search.x, search.objective
    if x is not None and arrays.integer.any():
        x, objective = _polish(arrays, x, options)
        if x is None:  # big numbers let the search cheat within its tolerance: search again with a strict one
            search = _search(arrays, options, began, progress, log_file, tolerance=1e-9)
            x, objective = _polish(arrays, search.x, options) if search.x is not None else (None, None)
    outcome = _outcome(search, x is not None, objective, time.monotonic() - began)
    if x is None:
        return Solution(outcome)
    for variable, value in zip(arrays.variables, x.tolist(), strict=True):
        variable.set_value(value, skip_validation=True)
    duals = _duals(arrays, x, options) if prices else np.zeros(0)
    return Solution(outcome, {id(c): d for c, d in zip(arrays.constraints, duals.tolist(), strict=False)})


@dataclass
class _Search:
    """How HiGHS left a search: its status, plan, objective, bound, and why it stopped."""

    status: Any
    x: np.ndarray | None = None
    objective: float | None = None
    bound: float | None = None
    nodes: int = 0
    interrupted: bool = False
    timed_out: bool = False
    note: str = ""


def _search(
    arrays: LinearModel,
    options: SolveOptions,
    began: float,
    progress: ProgressCallback | None,
    log_file: Path | None,
    tolerance: float | None = None,
) -> _Search:
    """Run HiGHS; where it says infeasible or unbounded, ask again without presolve before believing it."""
    search = _Runner(arrays, options, began, log_file, tolerance=tolerance).run(progress)
    doubtful = (Status.kInfeasible, Status.kUnboundedOrInfeasible, Status.kUnbounded)
    if search.status in doubtful and len(arrays.variables) > TINY:
        again = _Runner(arrays, options, began, log_file, presolve=False, tolerance=tolerance).run(progress)
        if again.x is not None or again.status in doubtful:
            return again
        return _Search(search.status, note="infeasible with presolve; the second opinion ran out of time")
    return search


class _Runner:
    """One run of HiGHS in a thread of its own, watched from the caller's thread."""

    def __init__(
        self,
        arrays: LinearModel,
        options: SolveOptions,
        began: float,
        log_file: Path | None,
        *,
        presolve: bool = True,
        tolerance: float | None = None,
    ):
        self.began = began
        self.deadline = began + options.time_limit
        self.stop = False
        self.glimpse: Progress | None = None
        self.best: tuple[float, np.ndarray] | None = None
        self.highs = _new(options, log_file)
        self.highs.setOptionValue("time_limit", max(self.deadline - time.monotonic(), 0.1))
        self.highs.setOptionValue("mip_rel_gap", options.gap)
        if tolerance is not None:
            self.highs.setOptionValue("mip_feasibility_tolerance", tolerance)
        if not presolve or len(arrays.variables) <= TINY:
            self.highs.setOptionValue("presolve", "off")
        self.arrays = arrays

    def run(self, progress: ProgressCallback | None) -> _Search:
        self.highs.passModel(self.arrays.highs())
        if self.arrays.hint:
            hint = self.arrays.hint
            self.highs.setSolution(len(hint), np.array(list(hint), np.int32), np.array(list(hint.values())))
        self.highs.setCallback(self._on_event, None)
        for event in (*Interrupts, Event.kCallbackMipLogging, Event.kCallbackMipImprovingSolution):
            self.highs.startCallback(event)
        thread = threading.Thread(target=self.highs.run, name="highs", daemon=True)
        thread.start()
        interrupted = self._watch(thread, progress)
        return self._read(interrupted)

    def _watch(self, thread: threading.Thread, progress: ProgressCallback | None) -> bool:
        """Wait for the run and pass on its progress; True if the user pressed Ctrl-C. A caller's error stops it."""
        interrupted, shown = False, None
        try:
            while thread.is_alive():
                try:
                    thread.join(POLL)
                    if progress and self.glimpse is not shown and self.glimpse is not None:
                        shown = self.glimpse
                        progress(shown)
                except KeyboardInterrupt:
                    interrupted = self.stop = True
        finally:
            self.stop = True
            thread.join()
        return interrupted

    def _on_event(self, event: Any, message: str, out: Any, into: Any, user: Any) -> None:
        """Called by HiGHS in its own thread."""
        if event == Event.kCallbackMipImprovingSolution:
            self.best = (out.objective_function_value, np.array(out.mip_solution))
        elif event == Event.kCallbackMipLogging:
            self.glimpse = Progress(
                seconds=time.monotonic() - self.began,
                incumbent=_finite(out.mip_primal_bound),
                bound=_finite(out.mip_dual_bound),
                gap=relative_gap(out.mip_primal_bound, out.mip_dual_bound),
                nodes=out.mip_node_count,
            )
        if event in Interrupts and (self.stop or time.monotonic() > self.deadline):
            into.user_interrupt = True

    def _read(self, interrupted: bool) -> _Search:
        highs, mip = self.highs, bool(self.arrays.integer.any())
        info, status = highs.getInfo(), highs.getModelStatus()
        search = _Search(status, interrupted=interrupted, timed_out=time.monotonic() >= self.deadline)
        solved = status == Status.kOptimal or (mip and info.primal_solution_status == 2)
        if solved:
            search.x, search.objective = np.array(highs.getSolution().col_value), info.objective_function_value
        elif self.best is not None:
            search.objective, search.x = self.best
            search.note = "the solver ended without its incumbent; the best one seen was kept"
        search.bound = _finite(info.mip_dual_bound) if mip else search.objective
        search.nodes = max(int(info.mip_node_count), 0)
        return search


def _polish(arrays: LinearModel, x: np.ndarray, options: SolveOptions) -> tuple[np.ndarray | None, float | None]:
    """Round the integers, fix them, solve the LP that is left: exact integers and the best plan around them."""
    whole = np.round(x)
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    lower[arrays.integer] = upper[arrays.integer] = whole[arrays.integer]
    highs = _fixed_lp(arrays, lower, upper, options)
    if highs.getModelStatus() != Status.kOptimal:
        return None, None
    polished = np.clip(np.array(highs.getSolution().col_value), lower, upper)
    return polished, highs.getInfo().objective_function_value


def _duals(arrays: LinearModel, x: np.ndarray, options: SolveOptions) -> np.ndarray:
    """Duals of the LP in which the plan's binaries are held and general integers (batch counts) may vary.

    Were the batch counts held too, nothing could move and every price would be 0 or the price of excess.
    """
    lower, upper = arrays.lower.copy(), arrays.upper.copy()
    lower[arrays.binary] = upper[arrays.binary] = np.round(x[arrays.binary])
    highs = _fixed_lp(arrays, lower, upper, options)
    if highs.getModelStatus() != Status.kOptimal:
        return np.zeros(len(arrays.constraints))
    return np.array(highs.getSolution().row_dual)


def _fixed_lp(arrays: LinearModel, lower: np.ndarray, upper: np.ndarray, options: SolveOptions) -> highspy.Highs:
    highs = _new(options, None)
    lp = arrays.highs()
    lp.integrality_ = []
    lp.col_lower_, lp.col_upper_ = lower, upper
    if len(arrays.variables) <= TINY:
        highs.setOptionValue("presolve", "off")
    highs.passModel(lp)
    thread = threading.Thread(
        target=highs.run, daemon=True
    )  # a thread of its own: HiGHS keeps its scheduler per thread
    thread.start()
    thread.join()
    return highs


def _outcome(search: _Search, has_plan: bool, objective: float | None, seconds: float) -> Outcome:
    gap = relative_gap(objective, search.bound)
    limit = "interrupt" if search.interrupted else "time" if search.timed_out else None
    if has_plan:
        proven = gap is not None and gap <= PROVEN
        termination = Termination.OPTIMAL if proven else Termination.FEASIBLE
        limit = None if proven else limit or ("gap" if search.status == Status.kOptimal else "other")
    else:
        termination = {
            Status.kInfeasible: Termination.INFEASIBLE,
            Status.kUnbounded: Termination.UNBOUNDED,
            Status.kUnboundedOrInfeasible: Termination.INFEASIBLE,
            Status.kTimeLimit: Termination.NO_SOLUTION,
            Status.kInterrupt: Termination.NO_SOLUTION,
        }.get(search.status, Termination.FAILED)
        objective = gap = None
    return Outcome(
        termination=termination,
        limit=limit if termination is not Termination.INFEASIBLE else None,  # type: ignore[arg-type]
        objective=objective,
        bound=search.bound,
        gap=gap,
        seconds=seconds,
        solver=SOLVER,
        nodes=search.nodes,
        note=search.note,
    )


def _new(options: SolveOptions, log_file: Path | None) -> highspy.Highs:
    """A silent HiGHS with the options that hold for every run; its log goes to `log_file` if there is one."""
    highs = highspy.Highs()
    highs.setOptionValue("log_to_console", False)
    if log_file is not None:
        highs.setOptionValue("log_file", str(log_file))
    highs.setOptionValue("threads", options.threads)
    highs.setOptionValue("random_seed", options.seed)
    return highs


def _finite(value: float) -> float | None:
    return value if abs(value) < INFINITY else None
