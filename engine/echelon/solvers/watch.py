"""Run HiGHS under watch: in a thread of its own, on a wall clock, interruptible, reporting as it goes.

HiGHS does not keep its time limit by itself, and its scheduler belongs to the thread it runs in; so every run of one
solve goes through one `Watch`, which holds the solve's clock and its stop flag.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highspy
import numpy as np

from echelon.solvers.handover import INFINITY, LinearModel
from echelon.solvers.outcome import Progress, ProgressCallback, SolveOptions, relative_gap

TINY = 500  # columns up to which presolve is left off: it has returned wrong optima, and gains nothing there
POLL = 0.1  # seconds between two looks at a running solve

Event = highspy.cb.HighsCallbackType
Status = highspy.HighsModelStatus
INTERRUPTS = (Event.kCallbackMipInterrupt, Event.kCallbackSimplexInterrupt, Event.kCallbackIpmInterrupt)


class Watch:
    """The clock of one solve, who is told of its progress, and whether it was interrupted.

    As a context it turns Ctrl-C into a wish to stop with the plan found so far; a second Ctrl-C is Python's own. It
    does so only in the main thread and only where the program has no handler of its own.
    """

    def __init__(self, options: SolveOptions, progress: ProgressCallback | None = None, log_file: Path | None = None):
        self.options = options
        self.progress = progress
        self.log_file = log_file
        self.began = time.monotonic()
        self.deadline = self.began + options.time_limit
        self.interior_point = False  # how the search solves its first relaxation
        self.interrupted = False  # the user pressed Ctrl-C
        self.bound: float | None = None  # known before the search proper

    def __enter__(self) -> Watch:
        in_main = threading.current_thread() is threading.main_thread()
        self._handles = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._handles:
            signal.signal(signal.SIGINT, self._on_ctrl_c)
        return self

    def __exit__(self, *error: object) -> None:
        if self._handles:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _on_ctrl_c(self, number: int, frame: Any) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def until(self, share: float) -> float:
        """The moment (of time.monotonic()) at which this share of the time limit is over."""
        return self.began + share * self.options.time_limit

    @property
    def timed_out(self) -> bool:
        return time.monotonic() >= self.deadline

    def tell(self, incumbent: float | None, bound: float | None) -> None:
        """Pass on what is known before the search proper."""
        self.bound = self.bound if bound is None else bound
        if self.progress is not None:
            self.progress(Progress(self.seconds, incumbent, bound, relative_gap(incumbent, bound), nodes=0))

    def log(self, line: str) -> None:
        """Add a line to the log, where there is one."""
        if self.log_file is not None:
            with self.log_file.open("a", encoding="utf-8") as log:
                log.write(f"{self.seconds:8.1f} s  {line}\n")

    def highs(self, arrays: LinearModel, *, relaxed: bool = False, log: bool = False) -> highspy.Highs:
        """A silent HiGHS that holds the model (or its relaxation), with this solve's threads and seed."""
        highs = highspy.Highs()
        highs.setOptionValue("log_to_console", False)
        if log and self.log_file is not None:
            highs.setOptionValue("log_file", str(self.log_file))
        highs.setOptionValue("threads", self.options.threads)
        highs.setOptionValue("random_seed", self.options.seed)
        if len(arrays.variables) <= TINY:
            highs.setOptionValue("presolve", "off")
        lp = arrays.highs()
        if relaxed:
            lp.integrality_ = []
        highs.passModel(lp)
        return highs

    def run(self, highs: highspy.Highs, deadline: float | None = None, report: bool = False) -> Incumbent:
        """Run HiGHS until it ends, `deadline` (by default the solve's own) is over, or the user presses Ctrl-C; with
        `report`, pass its progress on in the caller's thread. An error of the caller's callback stops the run."""
        deadline = self.deadline if deadline is None else deadline
        highs.setOptionValue("time_limit", highs.getRunTime() + max(deadline - time.monotonic(), 0.0) + 1.0)
        return self._run(highs, Incumbent(self, lambda: self.interrupted or time.monotonic() > deadline), report)

    def finish(self, highs: highspy.Highs) -> Incumbent:
        """Run HiGHS to its end, whatever the clock says: for what a plan cannot do without."""
        return self._run(highs, Incumbent(self, lambda: False), report=False)

    def _run(self, highs: highspy.Highs, incumbent: Incumbent, report: bool) -> Incumbent:
        highs.setCallback(incumbent.on_event, None)
        for event in (*INTERRUPTS, Event.kCallbackMipLogging, Event.kCallbackMipImprovingSolution):
            highs.startCallback(event)
        thread = threading.Thread(target=highs.run, name="highs", daemon=True)
        thread.start()
        shown = None
        try:
            while thread.is_alive():
                thread.join(POLL)
                if report and self.progress and incumbent.glimpse is not shown and incumbent.glimpse is not None:
                    shown = incumbent.glimpse
                    self.progress(shown)
        finally:
            incumbent.abandoned = True
            thread.join()
        return incumbent


class Incumbent:
    """What a run has shown so far: the best plan it found and a glimpse of its bounds. HiGHS calls `on_event`."""

    def __init__(self, watch: Watch, should_stop: Callable[[], bool]):
        self.watch = watch
        self.should_stop = should_stop
        self.abandoned = False  # the caller's callback failed
        self.glimpse: Progress | None = None
        self.best: tuple[float, np.ndarray] | None = None

    def on_event(self, event: Any, message: str, out: Any, into: Any, user: Any) -> None:
        if event == Event.kCallbackMipImprovingSolution:
            self.best = (out.objective_function_value, np.array(out.mip_solution))
        elif event == Event.kCallbackMipLogging:
            incumbent, bound = finite(out.mip_primal_bound), finite(out.mip_dual_bound)
            bound = self.watch.bound if bound is None else bound  # HiGHS has none until its first relaxation is solved
            gap = relative_gap(incumbent, bound)
            self.glimpse = Progress(self.watch.seconds, incumbent, bound, gap, nodes=out.mip_node_count)
        if event in INTERRUPTS and (self.abandoned or self.should_stop()):
            into.user_interrupt = True


def finite(value: float) -> float | None:
    """`value`, or None where HiGHS means infinity."""
    return value if abs(value) < INFINITY else None
