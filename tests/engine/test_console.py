"""What the terminal says of runs of which little is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from echelon.console import print_runs, progress_line
from echelon.run import Run
from echelon.solvers.outcome import Outcome, Progress, Termination

SEARCHED = Outcome(Termination.FEASIBLE, limit="time", objective=1234.5, seconds=30.0, solver="PyVRP")


def lines(outcome: Outcome) -> list[str]:
    """The proof of a run that ended so."""
    nothing: dict[str, Any] = {"options": {}, "versions": {}, "plan": {}, "costs": {}, "kpis": {}}
    return Run("c", "returns", "", "", "", outcome=outcome, rules_checked=7, **nothing).proof


def test_a_search_without_a_bound_claims_none() -> None:
    """A heuristic proves nothing: no gap, no bound, no nodes, and never "proven optimal"."""
    shown = lines(SEARCHED)
    assert shown[0] == "no bound: this plan costs 1,234.50"
    assert shown[1] == "stopped by the time limit after 30.0 s (PyVRP)"
    assert not any("optimal" in line or "nodes" in line for line in shown)


@pytest.mark.parametrize(
    ("termination", "says"),
    [(Termination.OPTIMAL, "proven optimal after"), (Termination.FEASIBLE, "stopped by itself after")],
)
def test_only_an_optimal_plan_is_called_proven(termination: Termination, says: str) -> None:
    """A search that ends by itself, say after a number of rounds, has proven nothing."""
    assert lines(replace(SEARCHED, termination=termination, limit=None))[1].startswith(says)


def test_progress_without_a_bound_shows_the_plan_alone() -> None:
    assert progress_line(Progress(2.0, 10.0, None, None, 0)) == "   2.0 s  plan 10.00"


def test_a_list_of_runs_says_no_bound() -> None:
    out = Console(width=140)
    record: dict[str, Any] = {"family": "returns", "started": "2027-01-01", "outcome": SEARCHED.as_dict()}
    with out.capture() as shown:
        print_runs(out, {"run": record})
    assert "no bound" in shown.get()
