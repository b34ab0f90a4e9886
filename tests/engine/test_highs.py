"""The path to the solver: hand-over, clock, interrupts, starts, terminations, polish, duals."""

from __future__ import annotations

import itertools
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyomo.environ as pyo
import pytest

from echelon.solvers.handover import hand_over, hand_over_rows
from echelon.solvers.highs import Guide, _feasible_hint, hold, improve, solve
from echelon.solvers.outcome import Progress, SolveOptions, Termination
from echelon.solvers.watch import Event, Incumbent, Watch

ROOT = Path(__file__).parents[2]


def lot_sizing(items: int, periods: int, seed: int = 0) -> pyo.ConcreteModel:
    """Capacitated lot sizing with big-M rows only: easy to plan, slow to prove."""
    r = np.random.default_rng(seed)
    demand = r.integers(20, 100, (items, periods)).tolist()
    holding, setup = r.integers(1, 5, items).tolist(), r.integers(200, 900, items).tolist()
    capacity = 1.15 * sum(map(sum, demand)) / periods
    m = pyo.ConcreteModel()
    m.I, m.T = range(items), range(periods)
    m.x = pyo.Var(m.I, m.T, domain=pyo.NonNegativeReals)
    m.y = pyo.Var(m.I, m.T, domain=pyo.Binary)
    m.stock = pyo.Var(m.I, m.T, domain=pyo.NonNegativeReals)
    m.late = pyo.Var(m.I, m.T, domain=pyo.NonNegativeReals)
    m.balance = pyo.Constraint(
        m.I,
        m.T,
        rule=lambda m, i, t: (m.stock[i, t - 1] if t else 0) + m.x[i, t] + m.late[i, t] == demand[i][t] + m.stock[i, t],
    )
    m.setup = pyo.Constraint(m.I, m.T, rule=lambda m, i, t: m.x[i, t] <= sum(demand[i]) * m.y[i, t])
    m.capacity = pyo.Constraint(m.T, rule=lambda m, t: sum(m.x[i, t] + 10 * m.y[i, t] for i in m.I) <= capacity)
    m.cost = pyo.Objective(
        expr=sum(holding[i] * m.stock[i, t] + setup[i] * m.y[i, t] + 100 * m.late[i, t] for i in m.I for t in m.T)
    )
    return m


def solved_elsewhere(seed: int) -> float:
    """The optimum of a small model, found in another process."""
    objective = solve(lot_sizing(2, 5, seed), SolveOptions(gap=0.0)).outcome.objective
    assert objective is not None
    return objective


def test_progress_is_told_in_the_callers_thread() -> None:
    """A callback from a foreign thread would surprise whoever draws on a screen with it."""
    heard: list[tuple[Progress, int]] = []
    solve(
        lot_sizing(20, 20),
        SolveOptions(time_limit=4),
        progress=lambda p: heard.append((p, threading.get_ident())),
    )
    assert heard
    assert {thread for _, thread in heard} == {threading.get_ident()}
    assert all(a.seconds <= b.seconds for (a, _), (b, _) in itertools.pairwise(heard))
    gaps = [p.gap for p, _ in heard if p.gap is not None]
    assert gaps == sorted(gaps, reverse=True)


def test_an_error_in_the_callback_stops_the_solve() -> None:
    """The caller's error is the caller's to see, at once, with no solver left running."""

    def broken(_: Progress) -> None:
        raise RuntimeError("the caller's own")

    began = time.monotonic()
    with pytest.raises(RuntimeError, match="the caller's own"):
        solve(lot_sizing(20, 20), SolveOptions(time_limit=60), progress=broken)
    assert time.monotonic() - began < 30
    assert not [t for t in threading.enumerate() if t.name == "highs"]


def test_the_time_limit_is_kept_with_plan_bound_and_gap() -> None:
    """A run stopped by the clock gives what it has and says why it stopped."""
    outcome = solve(lot_sizing(30, 25), SolveOptions(time_limit=3, gap=0.0)).outcome
    assert outcome.termination is Termination.FEASIBLE
    assert outcome.limit == "time"
    assert outcome.seconds < 8
    assert outcome.objective is not None and outcome.bound is not None and outcome.gap is not None
    assert outcome.bound < outcome.objective
    assert outcome.gap == pytest.approx((outcome.objective - outcome.bound) / outcome.objective)


def test_terminations_are_told_apart() -> None:
    """Optimal, infeasible, unbounded and "no plan in time" ask for different next steps."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 10), domain=pyo.Integers)
    m.cost = pyo.Objective(expr=m.x)
    m.row = pyo.Constraint(expr=m.x >= 2.5)
    assert solve(m).outcome.termination is Termination.OPTIMAL
    assert pyo.value(m.x) == 3
    m.row.set_value(m.x >= 11)
    assert solve(m).outcome.termination is Termination.INFEASIBLE
    m.del_component("row")
    m.x.setlb(None)
    assert solve(m).outcome.termination is Termination.UNBOUNDED
    hurried = solve(lot_sizing(30, 25), SolveOptions(time_limit=0.001)).outcome
    assert hurried.termination in (Termination.NO_SOLUTION, Termination.FEASIBLE)
    assert hurried.limit == "time"


def test_a_gap_is_not_called_optimal() -> None:
    """A plan within the gap asked for is good, not proven best."""
    outcome = solve(lot_sizing(6, 10), SolveOptions(gap=0.2)).outcome
    assert outcome.termination is Termination.FEASIBLE
    assert outcome.limit == "gap"


def test_a_start_is_where_the_search_begins(tmp_path: Path) -> None:
    """Yesterday's plan is worth keeping: the search never returns anything worse than its start."""
    model = lot_sizing(12, 15)
    best = solve(model, SolveOptions(time_limit=5)).outcome.objective
    log = tmp_path / "solver.log"
    again = solve(model, SolveOptions(time_limit=0.5), log_file=log).outcome.objective
    assert best is not None and again is not None
    assert again <= best * (1 + 1e-9)
    assert "MIP start" in log.read_text() or "User solution" in log.read_text() or "feasible" in log.read_text()


def test_integers_are_exact() -> None:
    """A plan with 0.9999999 of a truck is no plan."""
    model = lot_sizing(5, 8)
    solve(model)
    assert {pyo.value(v) for v in model.y.values()} <= {0.0, 1.0}


def test_duals_say_what_one_more_unit_saves() -> None:
    """max 3x + 2y in disguise: with x + y <= 4 and x <= 3, one more unit of the first row is worth 2."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 3)), pyo.Var(bounds=(0, None))
    m.limit = pyo.Constraint(expr=m.x + m.y <= 4)
    m.slack = pyo.Constraint(expr=m.x + m.y <= 100)
    m.cost = pyo.Objective(expr=-3 * m.x - 2 * m.y)
    solution = solve(m, prices=True)
    assert solution.dual(m.limit) == pytest.approx(-2)
    assert solution.dual(m.slack) == pytest.approx(0)


def test_a_plan_in_the_variables_is_priced_as_the_solve_would() -> None:
    """A setup of 10 opens room for 3 x; it stays where the plan has it: one more unit of the room then saves 2."""
    m = pyo.ConcreteModel()
    m.open, m.x = pyo.Var(domain=pyo.Binary), pyo.Var(bounds=(0, 9))
    m.room = pyo.Constraint(expr=m.x <= 3)
    m.needs = pyo.Constraint(expr=m.x <= 9 * m.open)
    m.cost = pyo.Objective(expr=10 * m.open - 2 * m.x)
    for is_open, price in ((0.0, 0.0), (1.0, -2.0)):
        m.open.set_value(is_open)
        held = hold(m, SolveOptions())
        row = held.row(m.room)
        assert held.cost == pytest.approx(10 * is_open - 6 * is_open)
        assert (0.0 if row is None else held.duals[row]) == pytest.approx(price)


def test_a_bound_known_before_the_search_is_told_until_there_is_another() -> None:
    """HiGHS begins without a bound; who watches saw one already."""
    watch = Watch(SolveOptions())
    watch.tell(None, 90.0)
    shown = Incumbent(watch, lambda: False)
    for dual, bound, gap in ((-math.inf, 90.0, 0.1), (95.0, 95.0, 0.05)):
        out = SimpleNamespace(mip_primal_bound=100.0, mip_dual_bound=dual, mip_node_count=0)
        shown.on_event(Event.kCallbackMipLogging, "", out, SimpleNamespace(), None)
        assert shown.glimpse is not None
        assert (shown.glimpse.bound, shown.glimpse.gap) == (bound, pytest.approx(gap))


def test_two_solves_in_two_threads_do_not_disturb_each_other() -> None:
    """A planning system serves several users in one process, with different thread options."""
    expected = [solved_elsewhere(seed) for seed in range(4)]
    found: dict[int, float | None] = {}

    def work(seed: int) -> None:
        found[seed] = solve(lot_sizing(2, 5, seed), SolveOptions(gap=0.0, threads=1 + seed % 2)).outcome.objective

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[seed] for seed in range(4)] == pytest.approx(expected)


def test_solves_in_spawned_processes_agree() -> None:
    """Studies run on processes; spawn is the way that works everywhere."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(solved_elsewhere, range(2))) == pytest.approx([solved_elsewhere(s) for s in range(2)])


def test_the_library_is_silent(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Only the command line prints; the solver's log goes to its file."""
    log = tmp_path / "solver.log"
    solve(lot_sizing(4, 6), log_file=log)
    captured = capfd.readouterr()
    assert captured.out == captured.err == ""
    assert "HiGHS" in log.read_text()


def test_ctrl_c_keeps_the_plan(tmp_path: Path) -> None:
    """An analyst who has seen enough presses Ctrl-C and gets the plan found so far, stored and rechecked."""
    command = [sys.executable, "-m", "echelon", "solve", str(ROOT / "data" / "harbor_tools"), "--time-limit", "300",
               "--gap", "0", "--out", str(tmp_path)]  # fmt: skip
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if " plan " in line and "no plan" not in line:
            break
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    (record,) = tmp_path.glob("*/run.json")
    outcome = json.loads(record.read_text())["outcome"]
    assert outcome["limit"] == "interrupt"
    assert outcome["termination"] == "feasible"
    assert outcome["objective"] > outcome["bound"]


def test_what_is_not_linear_is_refused() -> None:
    """A wrong model is a programming error, and says which row is at fault."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(bounds=(0, 1))
    m.cost = pyo.Objective(expr=m.x)
    m.bent = pyo.Constraint(expr=m.x * m.x <= 1)
    with pytest.raises(ValueError, match="bent"):
        hand_over(m)


def test_a_model_has_one_objective() -> None:
    """None or two would leave open what is optimized."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var()
    with pytest.raises(ValueError, match="one active objective"):
        hand_over(m)


def test_a_fixed_variable_keeps_its_value() -> None:
    """Fixing a variable in Pyomo is a promise that the solver must keep."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.row = pyo.Constraint(expr=m.x + m.y >= 5)
    m.cost = pyo.Objective(expr=m.x + 10 * m.y)
    m.x.fix(2)
    assert solve(m).outcome.objective == pytest.approx(32)
    assert pyo.value(m.x) == pytest.approx(2)


def test_rows_that_the_relaxation_violates_are_added_and_cut_off_no_plan() -> None:
    """A guide may tighten the relaxation; the optimum stays, and the root bound rises."""
    plain = lot_sizing(3, 6)
    truth = solve(plain, SolveOptions(gap=0.0)).outcome.objective
    model = lot_sizing(3, 6)
    model.extra = pyo.ConstraintList()
    asked = []

    def tighten() -> list[object]:
        asked.append(1)
        violated = [k for k in model.x if pyo.value(model.x[k]) > 100 * pyo.value(model.y[k]) + 1e-6]
        return [model.extra.add(model.x[k] <= 600 * model.y[k]) for k in violated[:1]] if len(asked) == 1 else []

    assert solve(model, SolveOptions(gap=0.0), guide=Guide(tighten=tighten)).outcome.objective == pytest.approx(truth)
    assert asked


def test_improving_blocks_never_makes_a_plan_worse() -> None:
    """Fix-and-optimize holds all else, so a block's new plan is at least as good as its old one; the plan is loaded."""
    model = lot_sizing(6, 8)
    for v in model.y.values():
        v.set_value(1)
    guide = Guide(block_of=lambda v: v.index()[0] if isinstance(v.index(), tuple) else None)
    better = improve(model, guide, SolveOptions(time_limit=10))
    best = solve(lot_sizing(6, 8), SolveOptions(gap=1e-4)).outcome
    assert better is not None and best.bound is not None
    assert best.bound <= better
    assert sum(pyo.value(v) for v in model.y.values()) < 48
    objective = next(model.component_data_objects(pyo.Objective))
    assert pyo.value(objective) == pytest.approx(better)


def test_a_plan_that_cannot_be_is_not_improved() -> None:
    """Integers that no quantities fit are told as such, and the variables are left alone."""
    m = pyo.ConcreteModel()
    m.y, m.x = pyo.Var(domain=pyo.Binary, initialize=0), pyo.Var(bounds=(2, 9))
    m.setup = pyo.Constraint(expr=m.x <= 9 * m.y)
    m.cost = pyo.Objective(expr=m.x + m.y)
    assert improve(m, Guide(), SolveOptions(time_limit=10)) is None
    assert (m.y.value, m.x.value) == (0, None)


def test_parts_that_no_row_joins_are_models_of_their_own() -> None:
    """Solving the parts of a model one by one gives the optimum of the whole."""
    m = pyo.ConcreteModel()
    m.x = pyo.Var(["a", "b"], [0, 1], bounds=(0, 9), domain=pyo.NonNegativeIntegers)
    m.cost = pyo.Objective(expr=sum(2 * m.x[n, 0] + 3 * m.x[n, 1] for n in "ab"))
    m.own = pyo.Constraint(["a", "b"], rule=lambda m, n: 2 * m.x[n, 0] + m.x[n, 1] >= (7 if n == "a" else 3))
    m.joint = pyo.Constraint(expr=sum(m.x.values()) <= 30)
    arrays = hand_over(m)
    part = np.array([["a", "b"].index(v.index()[0]) for v in arrays.variables])
    kept = np.array([c.parent_component().name != "joint" for c in arrays.constraints])
    parts = arrays.parts(part, kept, 2)
    assert [sorted(columns.tolist()) for columns, _ in parts] == [[0, 1], [2, 3]]
    costs = []
    for _, model in parts:
        with Watch(SolveOptions()) as watch:
            highs = watch.highs(model)
            watch.finish(highs)
        costs.append(highs.getInfo().objective_function_value)
    assert costs == pytest.approx([8.0, 4.0])
    assert sum(costs) == pytest.approx(solve(m, SolveOptions(gap=0.0)).outcome.objective)


def test_more_rows_are_walked_like_the_first() -> None:
    """Rows added later must mean the same as rows that were there from the start."""
    m = pyo.ConcreteModel()
    m.x, m.y = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.cost = pyo.Objective(expr=m.x + m.y)
    m.rows = pyo.ConstraintList()
    arrays = hand_over(m)
    row = m.rows.add(2 * m.x + m.y + 1 >= 4)
    longer = arrays.with_rows(hand_over_rows([row], arrays.variables))
    assert longer.row_lower.tolist() == [3.0]
    assert dict(zip(longer.index.tolist(), longer.value.tolist(), strict=True)) == {0: 2.0, 1: 1.0}


def test_costs_known_only_by_cuts_are_learnt_where_the_plans_are() -> None:
    """The cost (w·y - 10)² is in the model only as cuts at plans that were checked. Improving from all ones, block by
    block, must end at a plan whose cost in the model is its true cost, and no bound may pass the true optimum."""
    w = [7.0, 5.0, 4.0, 3.0, 2.0]
    m = pyo.ConcreteModel()
    m.y = pyo.Var(range(5), domain=pyo.Binary)
    m.miss = pyo.Var(bounds=(0, None))
    m.cuts = pyo.ConstraintList()
    m.cost = pyo.Objective(expr=m.miss)
    checked: list[float] = []

    def check() -> list[object]:
        y = [v.value for v in m.y.values()]
        over = float(np.dot(w, y)) - 10
        checked.append(over**2)
        if over**2 <= m.miss.value + 1e-9:
            return []
        return [m.cuts.add(m.miss >= over**2 + 2 * over * sum(w[j] * (m.y[j] - y[j]) for j in range(5)))]

    def all_ones() -> None:
        for v in m.y.values():
            v.set_value(1)

    guide = Guide(first_plan=all_ones, first_plan_from=1, check=check, block_of=lambda v: v.index(), improve_until=1.0)
    outcome = solve(m, SolveOptions(gap=0.0, time_limit=20), guide=guide).outcome
    assert checked[0] == 121 and min(checked) < 25
    assert outcome.bound is not None and outcome.bound <= 1e-6  # 7 + 3 is 10


def test_a_hint_counts_as_a_plan_only_if_it_holds_every_rule() -> None:
    """A plan known before is kept where the search ends with a worse one; one that breaks a row, a bound or a whole
    number never passes for a plan."""
    model = lot_sizing(2, 4)
    solve(model, SolveOptions(gap=0.0))
    arrays = hand_over(model)
    assert _feasible_hint(arrays) is not None
    whole, quantity = int(arrays.integer.argmax()), int((~arrays.integer).argmax())
    for column, change in ((quantity, 5.0), (quantity, -1e6), (whole, 0.4)):
        broken = replace(arrays, hint=arrays.hint | {column: arrays.hint[column] + change})
        assert _feasible_hint(broken) is None
    assert _feasible_hint(replace(arrays, hint={0: 1.0})) is None
