"""How a search ends: every termination, the clock, Ctrl-C, starts, and what the answer is worth.

`market_split` is a model of a few dozen binaries that has a plan at once and a proof in years: what stops it is
what the test is about.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echelon.solvers import highs
from echelon.solvers.outcome import Outcome, Progress, SolveOptions, Termination, relative_gap
from echelon.solvers.watch import TINY

from .cases import knapsack, knapsack_value, market_split

EXACT = SolveOptions(gap=0.0, time_limit=30.0)
LARGE = TINY + 100  # columns from which on presolve is used


def one_row(columns: int, whole: bool, low: float, sense: Any = pyo.minimize, least: float | None = 0.0) -> Any:
    """min (or max) the sum of x, where the sum is at least `low`, and each x at least `least` and at most 1 if that is
    given."""
    model = pyo.ConcreteModel()
    domain = pyo.Integers if whole else pyo.Reals
    model.x = pyo.Var(range(columns), domain=domain, bounds=(least, None if least is None else 1))
    model.row = pyo.Constraint(expr=sum(model.x.values()) >= low)
    model.goal = pyo.Objective(expr=sum(model.x.values()), sense=sense)
    return model


@pytest.mark.parametrize("whole", [False, True], ids=["LP", "MIP"])
@pytest.mark.parametrize("columns", [3, LARGE])
class TestTerminations:
    """With presolve and without, for linear programs and MIPs: the answer is proven, or says that it is not."""

    def test_optimal(self, columns: int, whole: bool) -> None:
        """A proven optimum has a bound equal to it, and nothing that stopped it."""
        outcome = highs.solve(one_row(columns, whole, 2.0), EXACT).outcome
        assert (outcome.termination, outcome.limit) == (Termination.OPTIMAL, None)
        assert outcome.objective == pytest.approx(2.0) and outcome.bound == pytest.approx(2.0)
        assert outcome.gap == pytest.approx(0.0, abs=1e-9)

    def test_infeasible(self, columns: int, whole: bool) -> None:
        """No plan, no objective, no gap."""
        outcome = highs.solve(one_row(columns, whole, columns + 1.0), EXACT).outcome
        assert (outcome.termination, outcome.limit) == (Termination.INFEASIBLE, None)
        assert outcome.objective is None and outcome.gap is None and not outcome.has_plan

    def test_unbounded(self, columns: int, whole: bool) -> None:
        """A cost that falls without end is told apart from limits that cannot be kept: the remedies differ."""
        outcome = highs.solve(one_row(columns, whole, 2.0, pyo.maximize, least=None), EXACT).outcome
        assert outcome.termination is Termination.UNBOUNDED
        assert outcome.objective is None and not outcome.has_plan

    def test_a_known_plan_does_not_hide_infeasibility(self, columns: int, whole: bool) -> None:
        """Values left in the variables by an earlier solve are a start, not a plan of the changed model."""
        model = one_row(columns, whole, 2.0)
        highs.solve(model, EXACT)
        model.row.set_value(sum(model.x.values()) >= columns + 1)
        assert highs.solve(model, EXACT).outcome.termination is Termination.INFEASIBLE


def test_a_plan_that_is_close_enough_is_not_called_optimal() -> None:
    """The gap asked for stops the search; the outcome says so, with the gap that is left."""
    outcome = highs.solve(market_split(), SolveOptions(gap=2.0, time_limit=30.0)).outcome
    assert (outcome.termination, outcome.limit) == (Termination.FEASIBLE, "gap")
    assert outcome.gap == relative_gap(outcome.objective, outcome.bound) and outcome.gap > 0


def test_the_clock_stops_a_search_that_has_a_plan() -> None:
    """The plan found so far is worth having: it is loaded, with its bound and gap. (Were the limit not kept, this test
    would never end.)"""
    model = market_split()
    outcome = highs.solve(model, SolveOptions(time_limit=1.0, gap=0.0)).outcome
    assert (outcome.termination, outcome.limit) == (Termination.FEASIBLE, "time")
    assert outcome.objective == pytest.approx(pyo.value(model.miss))
    assert outcome.bound is not None and outcome.gap is not None and outcome.gap > 0
    assert outcome.seconds >= 1.0


def test_the_clock_stops_a_search_without_a_plan() -> None:
    """No plan in time is not the same as no plan."""
    model = market_split(slack=False)
    outcome = highs.solve(model, SolveOptions(time_limit=1.0)).outcome
    assert (outcome.termination, outcome.limit) == (Termination.NO_SOLUTION, "time")
    assert outcome.objective is None and outcome.gap is None
    assert all(x.value is None for x in model.x.values()), "there is nothing to load"


def pressing_ctrl_c(after_a_plan: bool) -> Callable[[Progress], None]:
    pressed = []

    def progress(p: Progress) -> None:
        if not pressed and (p.incumbent is not None or not after_a_plan):
            pressed.append(p)
            signal.raise_signal(signal.SIGINT)

    return progress


def test_ctrl_c_keeps_the_plan() -> None:
    """Whoever watches the gap and has seen enough gets the plan that is on the screen."""
    model = market_split()
    before = signal.getsignal(signal.SIGINT)
    outcome = highs.solve(model, SolveOptions(gap=0.0, time_limit=600.0), progress=pressing_ctrl_c(True)).outcome
    assert (outcome.termination, outcome.limit) == (Termination.FEASIBLE, "interrupt")
    assert outcome.objective == pytest.approx(pyo.value(model.miss))
    assert signal.getsignal(signal.SIGINT) is before, "Ctrl-C is the caller's again"


def test_ctrl_c_before_a_plan() -> None:
    """Without a plan there is none to keep; that it was interrupted is told, not taken for infeasible."""
    outcome = highs.solve(
        market_split(slack=False), SolveOptions(time_limit=600.0), progress=pressing_ctrl_c(False)
    ).outcome
    assert (outcome.termination, outcome.limit) == (Termination.NO_SOLUTION, "interrupt")


def test_a_callers_own_handling_of_ctrl_c_is_left_alone() -> None:
    """A server that handles signals itself keeps doing so during a solve."""
    seen = []
    before = signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    try:
        outcome = highs.solve(market_split(), SolveOptions(gap=0.0, time_limit=1.0), progress=pressing_ctrl_c(True))
        assert seen == [signal.SIGINT]
        assert outcome.outcome.limit == "time"
    finally:
        signal.signal(signal.SIGINT, before)


def test_progress_comes_nearer_and_nearer() -> None:
    """The plan only gets better, the bound only tighter, the clock only later; the last word is the outcome."""
    heard: list[Progress] = []
    outcome = highs.solve(market_split(), SolveOptions(time_limit=1.5, gap=0.0), progress=heard.append).outcome
    assert heard
    for one, other in itertools.pairwise(heard):
        assert one.seconds <= other.seconds and one.nodes <= other.nodes
        assert one.incumbent is None or (other.incumbent is not None and other.incumbent <= one.incumbent + 1e-9)
        assert one.bound is None or (other.bound is not None and other.bound >= one.bound - 1e-9)
        assert one.gap is None or (other.gap is not None and other.gap <= one.gap + 1e-12)
    assert all(p.gap == relative_gap(p.incumbent, p.bound) for p in heard)
    assert outcome.objective is not None and heard[-1].incumbent is not None
    assert outcome.objective <= heard[-1].incumbent + 1e-6


def test_a_failing_callback_fails_the_solve_at_once() -> None:
    """The error is the caller's own, whatever it is, and no solver is left running behind it."""

    class Closed(BaseException):
        pass

    def progress(p: Progress) -> None:
        raise Closed

    with pytest.raises(Closed):
        highs.solve(market_split(), SolveOptions(time_limit=600.0), progress=progress)
    assert not [thread for thread in threading.enumerate() if thread.name == "highs"]


def test_a_start_is_the_first_incumbent(tmp_path: Path) -> None:
    """A plan that is at hand is where the search begins: HiGHS takes it, and returns nothing worse."""
    known = market_split()
    start = highs.solve(known, SolveOptions(time_limit=1.0, gap=0.0)).outcome
    again = market_split()
    for mine, theirs in zip(again.x.values(), known.x.values(), strict=True):
        mine.set_value(theirs.value)  # the setups alone: HiGHS completes the rest
    log = tmp_path / "solver.log"
    outcome = highs.solve(again, SolveOptions(time_limit=0.3, gap=0.0), log_file=log).outcome
    assert "MIP start" in log.read_text()
    assert outcome.objective is not None and start.objective is not None
    assert outcome.objective <= start.objective + 1e-6


@pytest.mark.parametrize("value", [1.0, 0.5, -7.0, 1e30])
def test_a_bad_start_does_no_harm(value: float) -> None:
    """A start that breaks rows, integrality or bounds is a start that does not help, no more."""
    model = knapsack(seed=1)
    for x in model.x.values():
        x.set_value(value, skip_validation=True)
    assert highs.solve(model, EXACT).outcome.objective == knapsack_value(1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_polished_plan_is_exact(seed: int) -> None:
    """Integers are integers, big M or not, and the objective is that of the values in the variables."""
    model = knapsack(seed, items=12)
    model.size = pyo.Var(range(12), bounds=(0, 1e6))
    model.batch = pyo.Var(range(12), domain=pyo.NonNegativeIntegers)
    model.tie = pyo.Constraint(range(12), rule=lambda m, j: m.size[j] <= 1e6 * m.x[j])
    model.lots = pyo.Constraint(range(12), rule=lambda m, j: m.size[j] == 7.3 * m.batch[j])
    model.want = pyo.Constraint(expr=sum(model.size.values()) >= 500 + seed % 100)
    model.value.set_value(model.value.expr - 0.01 * sum(model.size.values()))
    outcome = highs.solve(model, EXACT).outcome
    assert outcome.termination is Termination.OPTIMAL
    assert all(v.value == round(v.value) for v in (*model.x.values(), *model.batch.values()))
    assert all(model.size[j].value == 0 or model.x[j].value == 1 for j in range(12))
    assert pyo.value(model.value) == pytest.approx(outcome.objective, rel=1e-9)


@pytest.mark.parametrize(
    ("sense", "row", "dual"),
    [
        (pyo.minimize, lambda x, y: x + y >= 4, 1.0),  # one more unit is bought at the price of x
        (pyo.minimize, lambda x, y: -x - y <= -4, -1.0),
        (pyo.minimize, lambda x, y: x + y == 4, 1.0),
        (pyo.minimize, lambda x, y: 2 * x + 2 * y + 3 >= 11, 0.5),
        (pyo.minimize, lambda x, y: pyo.inequality(4, x + y, 9), 1.0),
        (pyo.minimize, lambda x, y: x + y >= -4, 0.0),
        (pyo.maximize, lambda x, y: x + y <= 4, 2.0),  # one more unit earns the price of y
        (pyo.maximize, lambda x, y: pyo.inequality(1, x + y, 4), 2.0),
        (pyo.maximize, lambda x, y: x + y == 4, 2.0),
        (pyo.maximize, lambda x, y: x + y <= 400, 0.0),
    ],
)  # fmt: skip
def test_a_dual_is_what_one_more_unit_changes(sense: Any, row: Callable[[Any, Any], Any], dual: float) -> None:
    """The change of the objective, in its own sense, when the right-hand side grows by one unit: prices depend on the
    sign."""
    model = pyo.ConcreteModel()
    model.x, model.y = pyo.Var(bounds=(0, 100)), pyo.Var(bounds=(0, 100))
    model.row = pyo.Constraint(expr=row(model.x, model.y))
    model.goal = pyo.Objective(expr=model.x + 2 * model.y, sense=sense)
    assert highs.solve(model, EXACT, prices=True).dual(model.row) == pytest.approx(dual)


def test_duals_hold_setups_and_relax_batches() -> None:
    """The price of capacity in a plan: the machine stays set up, batch counts may vary a little."""
    model = pyo.ConcreteModel()
    model.on, model.batch = pyo.Var(domain=pyo.Binary), pyo.Var(domain=pyo.NonNegativeIntegers, bounds=(0, 9))
    model.short = pyo.Var(bounds=(0, None))
    model.setup = pyo.Constraint(expr=model.batch <= 9 * model.on)
    model.capacity = pyo.Constraint(expr=10 * model.batch + 5 * model.on <= 45)
    model.demand = pyo.Constraint(expr=10 * model.batch + model.short == 60)
    model.cost = pyo.Objective(expr=3 * model.short + 20 * model.on)
    solution = highs.solve(model, EXACT, prices=True)
    assert (model.on.value, model.batch.value, model.short.value) == (1, 4, pytest.approx(20))
    assert solution.dual(model.capacity) == pytest.approx(-3)
    assert highs.solve(model, EXACT).held is None, "duals cost time, and are only found when asked for"


def test_a_row_that_says_nothing_has_no_price() -> None:
    """A row without variables is left out of the model; its dual is nothing, not an error."""
    model = knapsack()
    model.empty = pyo.Constraint(expr=pyo.inequality(0, 0 * model.x[0], 1))
    assert highs.solve(model, EXACT, prices=True).dual(model.empty) == 0.0


def test_the_library_prints_nothing(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Whatever happens, the terminal belongs to the program that called; the log to its file."""
    highs.solve(knapsack(), EXACT, prices=True)
    highs.solve(one_row(LARGE, True, LARGE + 1.0), EXACT)
    highs.solve(one_row(3, False, 2.0, pyo.maximize, least=None), EXACT)
    highs.solve(market_split(), SolveOptions(time_limit=0.2), log_file=tmp_path / "solver.log")
    assert capfd.readouterr() == ("", "")
    assert "HiGHS" in (tmp_path / "solver.log").read_text()


def test_thread_options_may_change_within_a_process() -> None:
    """HiGHS keeps one scheduler a thread and refuses another number of threads in it: each run has its own."""
    assert len({knapsack_value(5, threads) for threads in (1, 2, 1, 3, 2)}) == 1


def test_solves_at_the_same_time_do_not_disturb_each_other() -> None:
    """Several users in one process: different models, different numbers of threads, one of them stopped by its
    clock."""
    found: dict[int, Any] = {}

    def work(n: int) -> None:
        if n == 0:
            found[n] = highs.solve(market_split(), SolveOptions(time_limit=1.0, gap=0.0)).outcome.limit
        else:
            found[n] = knapsack_value(n, threads=1 + n % 2)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {0: "time"} | {n: knapsack_value(n) for n in range(1, 5)}


@pytest.mark.parametrize(
    ("coefficient", "cost", "bound"), [(1e15, 1.0, 1.0), (1.0, 1e20, 1.0), (1.0, 1.0, 1e20), (1.0, float("inf"), 1.0)]
)
def test_numbers_beyond_the_solver_are_named(coefficient: float, cost: float, bound: float) -> None:
    """HiGHS takes a bound of 1e20 for infinite and calls the model infeasible: the true reason must be told."""
    model = pyo.ConcreteModel()
    model.x, model.y = pyo.Var(bounds=(0, None)), pyo.Var(domain=pyo.Binary)
    model.row = pyo.Constraint(expr=model.x + coefficient * model.y >= bound)
    model.goal = pyo.Objective(expr=cost * model.x + model.y)
    outcome = highs.solve(model, EXACT).outcome
    assert outcome.termination is Termination.FAILED
    assert "too large" in outcome.note


def test_what_is_not_a_number_does_not_crash_the_process() -> None:
    """HiGHS ends the whole process where a cost is not a number (in a process of its own here, for that reason)."""
    code = (
        "import pyomo.environ as pyo\n"
        "from echelon.solvers.highs import solve\n"
        "m = pyo.ConcreteModel()\n"
        "m.x, m.y = pyo.Var(bounds=(0, 1)), pyo.Var(domain=pyo.Binary)\n"
        "m.row = pyo.Constraint(expr=m.x + m.y >= 1)\n"
        "m.goal = pyo.Objective(expr=m.x + (float('inf') - float('inf')) * m.y)\n"
        "try:\n"
        "    print(solve(m).outcome.termination)\n"
        "except ValueError:\n"
        "    print('failed')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "failed\n", (done.returncode, done.stderr)


def test_costs_next_to_nothing_do_not_hang() -> None:
    """HiGHS never ends where 1 / cost overflows. (Nor would this test.)"""
    model = pyo.ConcreteModel()
    model.x, model.y = pyo.Var(bounds=(0, 9)), pyo.Var(range(3), domain=pyo.Binary)
    model.row = pyo.Constraint(expr=model.x + sum(model.y.values()) >= 4)
    model.goal = pyo.Objective(expr=5e-324 * model.x + 1e-323 * sum(model.y.values()))
    assert highs.solve(model, EXACT).outcome.termination is Termination.OPTIMAL


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [(100.0, 90.0, 0.1), (-100.0, -110.0, 0.1), (0.0, 0.0, 0.0), (5.0, 5.0, 0.0), (100.0, None, None),
     (None, 3.0, None), (100.0, float("-inf"), None), (float("inf"), 0.0, None)],
)  # fmt: skip
def test_a_gap_is_relative_to_the_plan(objective: float | None, bound: float | None, gap: float | None) -> None:
    """|objective - bound| / |objective|, and unknown where either is unknown."""
    assert relative_gap(objective, bound) == (None if gap is None else pytest.approx(gap))


@pytest.mark.parametrize("termination", list(Termination))
def test_only_two_terminations_have_a_plan(termination: Termination) -> None:
    """Never a bare "ok": who asks for a plan gets one only where there is one."""
    assert Outcome(termination).has_plan == (termination in ("optimal", "feasible"))
