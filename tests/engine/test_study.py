"""A study solves each scenario once, keeps what is finished whatever happens, and tells what failed and goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import echelon
from echelon.edits import parse_edits
from echelon.errors import InputError
from echelon.family import families
from echelon.study import Scenario, Step, Study, run_study
from echelon.study import study as study_module

from .cases import SMALL, ended_well, write
from .cases import echelon as cli

SCENARIOS = """
[[scenario]]
name = "as it is"

[[scenario]]
name = "more"
edits = [{ table = "demand", column = "quantity", scale = 2 }]

[[scenario]]
name = "more, dearer"
from = "more"
edits = [{ table = "offers", column = "price", add = 1 }]

[[scenario]]
name = "impossible"
edits = [
  { table = "supplier_capacity", append = [{ supplier = "ACME", capacity = 15, hard = true }] },
  { table = "options", column = "shortage_policy", set = "none" },
]

[[scenario]]
name = "twice the same row"
edits = [{ table = "demand", append = [{ item = "A", period = "2026-01-05", quantity = 1 }] }]
"""
FAILING = ["impossible", "twice the same row"]


def scenario(name: str, parent: str = "", **edit: object) -> Scenario:
    return Scenario(name, parse_edits([edit], name) if edit else (), parent)


PRICES = [scenario(f"price {p}", table="offers", column="price", set=p) for p in (1, 2, 3)]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write(tmp_path_factory.mktemp("study") / "case", SMALL)
    (folder / "scenarios.toml").write_text(SCENARIOS, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def study(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    scenarios = echelon.study.read_scenarios(case / "scenarios.toml")
    return run_study(case, scenarios, tmp_path_factory.mktemp("out") / "study", gap=0.0)


def test_the_table_has_a_row_a_scenario_in_their_order(study: Study) -> None:
    """Costs by hand: 60 units at 2 and one line of 5 or more; doubled; at 3 instead of 2."""
    results = study.results.set_index("scenario")
    assert list(results.index) == ["as it is", "more", "more, dearer", *FAILING]
    assert results["cost.purchase"].tolist()[:3] == [120.0, 240.0, 360.0]
    solved = results.iloc[:3]
    assert set(solved["ended"]) == {"optimal"} and (solved["gap"] == 0).all()
    lines = results.filter(like="cost.").iloc[:3].sum(axis=1)
    assert lines.tolist() == pytest.approx(solved["objective"].tolist())
    assert solved["kpi.fill_rate"].tolist() == [1.0, 1.0, 1.0]
    assert solved["constraint"].str.contains("No shared limit").all()


def test_a_failed_scenario_is_told_and_the_others_go_on(study: Study) -> None:
    """Infeasible and invalid scenarios are rows with their findings, not the end of the study."""
    failed = study.failed.set_index("scenario")
    assert list(failed.index) == FAILING
    assert failed["ended"].tolist() == ["infeasible", "bad input"]
    assert "ACME" in failed.loc["impossible", "why"] and "key stands already" in failed.loc[FAILING[1], "why"]
    assert failed["objective"].isna().all()


def test_each_run_is_an_ordinary_run_folder(study: Study, case: Path, tmp_path: Path) -> None:
    """The scenario without edits is the case itself: same fingerprint, same bytes as a solve that explains as much."""
    run, plain = study.run("as it is"), echelon.solve(case, gap=0.0, explain="quick")
    assert run.fingerprint == plain.fingerprint
    folder = study.folder / "runs" / study.results["run"].iloc[0]
    other = plain.save(tmp_path)
    for table in plain.plan:
        for kind in ("csv", "parquet"):
            name = f"results/{table}.{kind}"
            assert (folder / name).read_bytes() == (other / name).read_bytes(), name
    assert cli("show", folder).exit_code == 0


def test_the_tables_lie_in_the_study_folder(study: Study) -> None:
    """The results come back from disk as they were."""
    pd.testing.assert_frame_equal(pd.read_parquet(study.folder / "results.parquet"), study.results)
    assert len(pd.read_csv(study.folder / "results.csv")) == 5
    assert {path.name for path in study.folder.iterdir()} == {
        "study.json", "results.csv", "results.parquet", "runs", "failures",
    }  # fmt: skip


def test_finished_scenarios_are_not_run_again(study: Study, case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is what was proven infeasible; what was bad input is only looked at again."""
    monkeypatch.setattr(study_module, "solve_prepared", lambda *args, **kwargs: pytest.fail("solved again"))
    steps: list[Step] = []
    scenarios = echelon.study.read_scenarios(case / "scenarios.toml")
    again = run_study(case, scenarios, study.folder, gap=0.0, progress=steps.append)
    assert again.kept == 4 and [step.kept for step in steps] == [True, True, True, True, False]
    assert [(step.done, step.total) for step in steps] == [(n, 5) for n in range(1, 6)]
    pd.testing.assert_frame_equal(again.results, study.results)


def test_what_changed_is_run_again(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept run must be the very run that would be made: same tables, options, solver options, versions."""
    assert run_study(case, PRICES[:1], tmp_path).kept == 0
    assert run_study(case, [scenario("price 1", table="offers", column="price", set=1.5)], tmp_path).kept == 0
    assert run_study(case, PRICES[:1], tmp_path, options={"holding_rate": 0.5}).kept == 0
    assert run_study(case, PRICES[:1], tmp_path, seed=7).kept == 0
    monkeypatch.setattr(study_module, "versions", lambda: {"echelon": "another"})
    assert run_study(case, PRICES[:1], tmp_path).kept == 0
    assert len(list((tmp_path / "runs").iterdir())) == 5
    monkeypatch.undo()
    assert run_study(case, PRICES[:1], tmp_path).kept == 1, "going back finds the first run again"


@pytest.mark.slow
def test_processes_give_the_same_study(case: Path, tmp_path: Path) -> None:
    """Where runs are made must not change what comes out, to the last byte of the plans."""
    here = run_study(case, PRICES, tmp_path / "here", gap=0.0)
    there = run_study(case, PRICES, tmp_path / "there", gap=0.0, executor="processes:2")
    plans = [sorted(f.folder.rglob("results/*")) for f in (here, there)]
    assert [p.relative_to(here.folder) for p in plans[0]] == [p.relative_to(there.folder) for p in plans[1]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(*plans, strict=True))
    columns = [name for name in here.results if name != "seconds"]
    pd.testing.assert_frame_equal(here.results[columns], there.results[columns])


def test_a_killed_study_goes_on_and_runs_nothing_twice(tmp_path: Path) -> None:
    """SIGKILL leaves no half run: what was finished is kept, the rest is made, each scenario has exactly one run."""
    folder = write(tmp_path / "case", SMALL)
    text = "".join(
        f'[[scenario]]\nname = "s{n}"\nedits = [{{ table = "demand", column = "quantity", scale = {1 + n / 100} }}]\n'
        for n in range(5)
    )
    (folder / "s.toml").write_text(text, encoding="utf-8")
    arguments = ["study", "case", "--scenarios", "case/s.toml", "--out", "out", "--name", "s"]
    command = [sys.executable, "-m", "echelon", *arguments, "--executor", "processes:1"]
    runs = tmp_path / "out" / "s" / "runs"
    killed = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(finished(runs)) < 2:
            time.sleep(0.02)
    finally:
        killed.kill()
        killed.wait()
    before = finished(runs)
    assert 2 <= len(before) < 5
    again = subprocess.run(command[:-2], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert f"{len(before)} runs kept from before" in again.stdout
    after = finished(runs)
    assert len(after) == 5 and all(after[name] == when for name, when in before.items())


def finished(runs: Path) -> dict[str, int]:
    """The whole run folders and when their record was written."""
    found = {p.parent.name: p.stat().st_mtime_ns for p in runs.glob("*/run.json")} if runs.is_dir() else {}
    return {name: when for name, when in found.items() if not name.startswith(".")}


def test_ctrl_c_keeps_no_unfinished_run(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that the user stopped is a plan, but not the one that was asked for: it must not be kept as finished."""
    solve = study_module.solve_prepared
    run_study(case, PRICES[:1], tmp_path)
    monkeypatch.setattr(study_module, "solve_prepared", lambda ready, **how: _interrupted(solve(ready, **how)))
    with pytest.raises(KeyboardInterrupt):
        run_study(case, PRICES, tmp_path)
    assert len(finished(tmp_path / "runs")) == 1
    assert len(pd.read_parquet(tmp_path / "results.parquet")) == 1
    monkeypatch.undo()
    assert run_study(case, PRICES, tmp_path).kept == 1


def _interrupted(run: echelon.Run) -> echelon.Run:
    return replace(run, outcome=replace(run.outcome, limit="interrupt"))


def test_a_fault_in_one_scenario_does_not_lose_the_others(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug is told as what it is, and tried again the next time."""
    solve = study_module.solve_prepared

    def faulty(ready: study_module.Prepared, **how: object) -> echelon.Run:
        if ready.inputs["offers"]["price"].iloc[0] == 2:
            raise ZeroDivisionError("a bug")
        return solve(ready, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(study_module, "solve_prepared", faulty)
    results = run_study(case, PRICES, tmp_path).results
    assert results["ended"].tolist() == ["optimal", "error", "optimal"]
    assert "ZeroDivisionError: a bug" in results["why"].iloc[1]
    monkeypatch.undo()
    again = run_study(case, PRICES, tmp_path)
    assert again.kept == 2 and len(again.failed) == 0


def test_a_plan_that_fails_its_recheck_is_no_plan(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a study as anywhere: it is told, and not stored as a run."""
    family = families()["ordering"]
    wrong = replace(family, recheck=lambda *args: replace(family.recheck(*args), costs={"purchase": 1.0}))
    monkeypatch.setattr("echelon.run.families", lambda: {"ordering": wrong})
    results = run_study(case, PRICES[:1], tmp_path).results
    assert results["ended"].tolist() == ["recheck failed"] and not finished(tmp_path / "runs")
    assert "the plan costs what the solver says" in results["why"].iloc[0]


def test_a_warm_start_is_the_plan_of_the_scenario_it_comes_from(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Children wait for their parents and start from their plans; where the parent has none, from nothing."""
    starts: dict[float, float | None] = {}
    solve = study_module.solve_prepared

    def noting(ready: study_module.Prepared, start: echelon.Run | None = None, **how: object) -> echelon.Run:
        price = float(ready.inputs["offers"]["price"].iloc[0])
        starts[price] = None if start is None else float(start.plan["orders"]["unit_price"].iloc[0])
        return solve(ready, start=start, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(study_module, "solve_prepared", noting)
    chain = [
        scenario("child", "parent", table="offers", column="price", set=3),
        scenario("parent", table="offers", column="price", set=2),
        scenario("orphan", "broken", table="offers", column="price", set=5),
        scenario("broken", table="demand", append=[{"item": "A", "period": "2026-01-05", "quantity": 1}]),
    ]
    study = run_study(case, chain, tmp_path, warm_start=True)
    assert starts == {2.0: None, 3.0: 2.0}
    assert study.results["scenario"].tolist() == ["child", "parent", "orphan", "broken"]
    assert run_study(case, chain[:2], tmp_path).kept == 1, "with and without a warm start are two runs"


def test_wrong_scenarios_are_all_told_before_anything_is_solved(case: Path, tmp_path: Path) -> None:
    """A child's findings are its own, not those of its parents again."""
    scenarios = [
        scenario("a", table="demnd", drop=True),
        scenario("b", "a", table="offers", column="prce", set=1),
        scenario("c", table="offers", where={"supplier": "ZZ"}, drop=True),
    ]
    with pytest.raises(InputError) as caught:
        run_study(case, scenarios, tmp_path / "out")
    tables = [finding.table for finding in caught.value.findings]
    assert tables == ['scenario "a", edit 1', 'scenario "c", edit 1', 'scenario "b", edit 1']
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--executor", "threads"], "names no executor"),
        (["--set", "holding"], "NAME=VALUE"),
        (["--set", "colour=red"], "no such option"),
        (["--time-limit", "-1"], "must be more than 0"),
        (["--family", "none"], "no such family"),
        (["--scenarios", "nowhere.toml"], "cannot be read"),
    ],
)
def test_the_command_tells_what_is_wrong(case: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    """Exit code 2, a finding, no traceback, nothing written."""
    done = cli("study", case, "--scenarios", case / "scenarios.toml", "--out", tmp_path / "out", *arguments)
    assert done.exit_code == 2 and ended_well(done) and words in done.stderr, done.stderr
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").rglob("run.json"))


def test_the_command_ends_with_six_if_scenarios_have_no_plan(case: Path, study: Study) -> None:
    """A script must notice; the table is printed all the same."""
    done = cli("study", case, "--scenarios", case / "scenarios.toml", "--gap", 0, "--out", study.folder.parent,
               "--name", study.folder.name)  # fmt: skip
    assert done.exit_code == 6 and ended_well(done)
    assert "more, dearer" in done.stdout and "infeasible" in done.stdout and "key stands already" in done.stdout
    assert "4 runs kept from before" in done.stdout
    assert "5 of 5: twice the same row: bad input" in done.stderr


@pytest.mark.slow
def test_a_cluster_runs_a_study(case: Path, tmp_path: Path) -> None:
    """Dask is one more place to run: workers send their runs back, so they need not see the folder."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as running:
        study = run_study(case, PRICES, tmp_path, executor=running.scheduler_address)
    assert study.results["ended"].tolist() == ["optimal"] * 3 and len(finished(tmp_path / "runs")) == 3
