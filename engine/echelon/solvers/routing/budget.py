"""How long a search may go on, and how it tells and hears of plans."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from echelon.errors import Violation
from echelon.solvers.routing.problem import Problem, Route, Solution
from echelon.solvers.routing.schedule import Timetable, cost

Worth = tuple[int, int]  # (stops left out that must be visited, cost): less is better


@dataclass(frozen=True)
class Budget:
    """A search ends at `deadline` (of time.monotonic()), after `rounds` rounds where that is given, or when asked to.

    Counted in rounds, the same seed gives the same plan on every machine; by the clock it cannot.
    """

    deadline: float
    rounds: int | None = None
    asked_to_stop: Callable[[], bool] = field(default=lambda: False)

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def over(self, rounds: int) -> bool:
        """Whether the search ends after so many rounds."""
        done = self.rounds is not None and rounds >= self.rounds
        return done or self.asked_to_stop() or (self.rounds is None and self.left <= 0.0)


def _nobody(solution: Solution, worth: Worth) -> None:
    """Is told and does nothing."""


class Best:
    """The best plan known to a search, at first the better of `start` and none at all. `tell` is told of each better
    one; `hear` brings in one found elsewhere."""

    def __init__(
        self,
        problem: Problem,
        start: Solution | None = None,
        tell: Callable[[Solution, Worth], None] = _nobody,
        hear: Callable[[], Solution | None] = lambda: None,
    ):
        self.problem = problem
        self._known: dict[Route, Timetable] = {}
        self.solution = Solution.of(problem, ())
        self.worth: Worth = self._worth(self.solution)
        self._tell: Callable[[Solution, Worth], None] = _nobody
        self._hear = hear
        if start is not None:
            self.offer(start)
        self._tell = tell

    def _worth(self, solution: Solution) -> Worth:
        worth = cost(self.problem, solution, self._known)
        assert not isinstance(worth, Violation), worth
        return worth

    def offer(self, solution: Solution) -> bool:
        """Take the plan if it keeps every rule and is better; whether it was taken."""
        worth = cost(self.problem, solution, self._known)
        if isinstance(worth, Violation) or worth >= self.worth:
            return False
        self.solution, self.worth = solution, worth
        self._known = {route: self._known[route] for route in solution.routes if route in self._known}
        self._tell(solution, worth)
        return True

    def listen(self) -> bool:
        """Take a plan found elsewhere if it is better; whether it was taken."""
        heard = self._hear()
        return heard is not None and self.offer(heard)
