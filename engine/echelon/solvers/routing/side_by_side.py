"""Searches side by side, each in a process of its own; they hand each other their best plans."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import numpy as np

from echelon.solvers.routing.budget import Best, Budget, Worth
from echelon.solvers.routing.problem import Problem, Solution

Search = Callable[[Problem, Budget, Best, np.ndarray, int], None]

POLL = 0.1  # seconds between two looks at the clock
GRACE = 1.0  # seconds after the deadline until a search that has not ended is ended


@dataclass(frozen=True)
class Worker:
    """A search to run: its name, a function of a module's own, and its seed."""

    name: str
    search: Search
    seed: int


def side_by_side(workers: Sequence[Worker], budget: Budget, best: Best, admits: np.ndarray) -> tuple[str, list[str]]:
    """Improve `best` by all of these until the budget is over: (name of the one that found it, what went wrong).

    Counted in rounds they hand each other nothing, so that the same seed gives the same plan. A program that calls
    this needs `if __name__ == "__main__":` around what it does, as for all processes that are spawned.
    """
    crew = [_Crewman(worker, budget, best, admits) for worker in workers]
    found_by, troubles = "", []
    told_to_stop = False
    try:
        while any(man.at_work for man in crew):
            for man in _ready(crew):
                message = man.receive()
                if isinstance(message, str):
                    troubles.append(f"{man.worker.name}: {message}")
                elif message is not None and best.offer(message):
                    found_by = man.worker.name
                    for other in crew if budget.rounds is None else ():
                        if other is not man:
                            other.send(message)
            if not told_to_stop and budget.asked_to_stop():
                told_to_stop = True
                for man in crew:
                    man.send(None)
            if budget.rounds is None and time.monotonic() > budget.deadline + GRACE:
                break
    finally:
        for man in crew:
            man.end()
    return found_by, troubles


def _ready(crew: Sequence[_Crewman]) -> list[_Crewman]:
    """Those who have something to say, in the order of the crew."""
    speaking = wait([man.line for man in crew if man.at_work], timeout=POLL)
    return [man for man in crew if man.line in speaking]


class _Crewman:
    """A worker's process and the line to it."""

    def __init__(self, worker: Worker, budget: Budget, best: Best, admits: np.ndarray):
        context = multiprocessing.get_context("spawn")
        self.worker = worker
        self.line, other_end = context.Pipe()
        ends_at = time.time() + budget.left
        start = best.solution if best.solution.routes else None
        arguments = (other_end, worker, best.problem, ends_at, budget.rounds, start, admits)
        self.process: BaseProcess = context.Process(target=_work, args=arguments, daemon=True)
        self.process.start()
        other_end.close()
        self.at_work = True

    def receive(self) -> Solution | str | None:
        """A better plan, what went wrong, or None at the end."""
        try:
            message: Solution | str | None = self.line.recv()
        except (EOFError, OSError):
            message = "the process died"
        if not isinstance(message, Solution):
            self.at_work = False
        return message

    def send(self, solution: Solution | None) -> None:
        """Hand over a plan, or ask to stop."""
        with suppress(OSError):
            self.line.send(solution)

    def end(self) -> None:
        self.process.join(0.0 if self.at_work else GRACE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.line.close()


def _work(
    line: Connection,
    worker: Worker,
    problem: Problem,
    ends_at: float,
    rounds: int | None,
    start: Solution | None,
    admits: np.ndarray,
) -> None:
    """Search until the budget is over, told to stop, or the parent is gone. Ctrl-C is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ear = _Ear(line)
    budget = Budget(time.monotonic() + ends_at - time.time(), rounds, ear.told_to_stop)

    def tell(solution: Solution, worth: Worth) -> None:
        line.send(solution)

    try:
        best = Best(problem, start, tell, ear.plan)
        worker.search(problem, budget, best, admits, worker.seed)
        line.send(None)
    except BrokenPipeError:
        pass
    except Exception as error:
        line.send(f"{type(error).__name__}: {error}")


class _Ear:
    """What the parent has said: a better plan, or to stop."""

    def __init__(self, line: Connection):
        self.line = line
        self._plan: Solution | None = None
        self._stop = False

    def told_to_stop(self) -> bool:
        self._listen()
        return self._stop

    def plan(self) -> Solution | None:
        self._listen()
        plan, self._plan = self._plan, None
        return plan

    def _listen(self) -> None:
        try:
            while self.line.poll():
                message = self.line.recv()
                self._plan = message if message is not None else self._plan
                self._stop = self._stop or message is None
        except (EOFError, OSError):
            self._stop = True
