"""Runs and run folders: what they hold, that they come back the same, that they are whole or not there."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import echelon
from echelon import store

from .cases import FULL, write


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> echelon.Run:
    """A solved case with a row in every table."""
    return echelon.solve(write(tmp_path_factory.mktemp("case") / "full", FULL), time_limit=20, gap=0.0)


def test_the_record_holds_what_is_documented(run: echelon.Run, tmp_path: Path) -> None:
    """Other programs read run.json: its content is a contract."""
    record = json.loads((run.save(tmp_path) / "run.json").read_text(encoding="utf-8"))
    assert record["schema_version"] == 1
    assert {"case", "family", "options", "versions", "outcome", "costs", "kpis", "prices"} <= set(record)
    assert {"termination", "limit", "objective", "bound", "gap", "seconds", "solver"} <= set(record["outcome"])
    assert record["family"] == "ordering"
    assert record["options"]["time_limit"] == 20
    assert record["options"]["frozen_periods"] == 0
    assert sum(record["costs"].values()) == pytest.approx(record["outcome"]["objective"], rel=1e-6)
    assert record["outcome"]["termination"] == "optimal"
    assert all(price["price"] > 0 for price in record["prices"])


def test_the_record_has_no_nan(run: echelon.Run, tmp_path: Path) -> None:
    """NaN is no JSON: strict readers refuse the whole file."""
    text = (run.save(tmp_path) / "run.json").read_text(encoding="utf-8")
    json.loads(text, parse_constant=lambda name: pytest.fail(f"run.json holds {name}"))


def test_a_run_comes_back_as_it_was_saved(run: echelon.Run, tmp_path: Path) -> None:
    """`echelon show` and a start from an earlier run read what was stored, not what was meant."""
    loaded = echelon.Run.load(run.save(tmp_path))
    assert loaded.outcome == run.outcome
    assert loaded.costs == run.costs
    assert loaded.kpis == run.kpis
    for name, frame in run.plan.items():
        assert_frame_equal(loaded.plan[name], frame)
    assert loaded.page.actions.equals(run.page.actions)


def test_a_run_folder_holds_inputs_results_and_log(run: echelon.Run, tmp_path: Path) -> None:
    """A plan is only as good as the case it was made from: both lie in the folder."""
    folder = run.save(tmp_path)
    assert {path.stem for path in (folder / "inputs").glob("*.parquet")} == set(FULL)
    for kind in ("csv", "parquet"):
        names = {path.stem for path in (folder / "results").glob(f"*.{kind}")}
        assert names == {"orders", "transfers", "inventory", "limits"}
    assert "HiGHS" in (folder / "solver.log").read_text(encoding="utf-8")


def test_the_same_case_gives_the_same_bytes(run: echelon.Run, tmp_path: Path) -> None:
    """An auditor who solves the case again must find the same plan, to the byte."""
    case = write(tmp_path / "full", FULL)
    again = echelon.solve(case, time_limit=20, gap=0.0)
    first, second = run.save(tmp_path / "a"), again.save(tmp_path / "b")
    assert run.fingerprint == again.fingerprint
    for path in sorted((first / "results").iterdir()):
        assert path.read_bytes() == (second / "results" / path.name).read_bytes(), path.name


def test_a_changed_case_has_another_fingerprint(run: echelon.Run, tmp_path: Path) -> None:
    """The fingerprint tells whether two runs are about the same case."""
    other = FULL | {"stock": "item,site,quantity\nA,MAIN,16\n"}
    assert echelon.solve(write(tmp_path / "full", other), time_limit=20).fingerprint != run.fingerprint


def test_a_failure_while_writing_leaves_nothing(
    run: echelon.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a run folder looks like a run: it must not be there."""

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store, "write_csv", fail)
    with pytest.raises(OSError, match="disk full"):
        run.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_runs_of_the_same_second_get_folders_of_their_own(run: echelon.Run, tmp_path: Path) -> None:
    """Nothing is overwritten, whatever the clock says."""
    folders = [run.save(tmp_path) for _ in range(3)]
    assert len(set(folders)) == 3
    assert len(store.records(tmp_path)) == 3


@pytest.mark.parametrize("name", ["../../etc", "a/b", "sp ace", "", ".", "..", "ünï", "x" * 300])
def test_odd_case_names_give_safe_folders(tmp_path: Path, name: str) -> None:
    """A case's name is the analyst's; the folder stays inside the one that was asked for."""
    case = write(tmp_path / "case", FULL, f"family = 'ordering'\nname = '{name}'\n")
    folder = echelon.solve(case, time_limit=20, gap=0.05).save(tmp_path / "runs")
    assert folder.parent == tmp_path / "runs"
    assert folder.is_dir()


def test_no_runs_is_an_empty_list(tmp_path: Path) -> None:
    """A folder that does not exist yet holds no runs; that is no error."""
    assert store.records(tmp_path / "nowhere") == {}


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """A wrong path is said to be one."""
    with pytest.raises(echelon.InputError, match="not a run folder"):
        echelon.Run.load(tmp_path)


def test_prices_are_the_limits_that_bind(run: echelon.Run) -> None:
    """`run.prices` is the short list of `limits` worth talking about."""
    limits = run.plan["limits"]
    assert len(run.prices) == int((limits["price"] > 0).sum())


def test_a_case_may_be_frames(run: echelon.Run) -> None:
    """A planning system hands frames over, not files, and its frames stay as they were."""
    frames = {name: pd.read_csv(io.StringIO(text), dtype=str) for name, text in FULL.items()}
    before = {name: frame.copy(deep=True) for name, frame in frames.items()}
    again = echelon.solve(frames, family="ordering", time_limit=20, gap=0.0)
    assert again.outcome.objective == pytest.approx(run.outcome.objective)
    for name, frame in frames.items():
        assert_frame_equal(frame, before[name])
