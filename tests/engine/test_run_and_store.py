"""A run folder is what remains of a plan: complete, exact, reproducible, whole or not there at all."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import echelon
from echelon import store, tables
from echelon.run import SCHEMA_VERSION
from echelon.solvers.outcome import Outcome, SolveOptions

from .cases import FULL, INFEASIBLE, SMALL, small_frames, write, write_frames

RECORD = {
    "schema_version", "case", "family", "currency", "fingerprint", "started", "options", "versions", "outcome", "costs",
    "kpis", "prices", "recheck", "notes", "warnings",
}  # fmt: skip
OUTCOME = {"termination", "limit", "objective", "bound", "gap", "seconds", "solver", "nodes", "note"}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The full case with a warning, a row switched off before it, and a limit that binds."""
    offers = FULL["offers"].replace("hours_per_unit\n", "hours_per_unit,status\nOLD,A,MAIN,1,0,0,,,,,exclude\n")
    lines = offers.replace(",0.1\n", ",0.1,\n").replace(",,,,\n", ",,,,,\n")
    changed = {
        "suppliers": FULL["suppliers"] + "OLD,\n",
        "offers": lines + "ACME,A,SHOP,12,0,9,,,,,\n",
        "storage": "site,period,capacity\nMAIN,,2\n",
    }
    toml = 'name = "Spring"\nfamily = "ordering"\ncurrency = "EUR"\n[options]\nholding_rate = 0.3\n'
    return write(tmp_path_factory.mktemp("cases") / "case", FULL | changed, toml)


@pytest.fixture(scope="module")
def run(case: Path) -> echelon.Run:
    return echelon.solve(case, gap=0.0, seed=3)


@pytest.fixture(scope="module")
def folder(run: echelon.Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run.save(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def record(folder: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"), parse_constant=refuse)
    return found


def test_the_record_has_what_is_documented_and_nothing_else(record: dict[str, Any]) -> None:
    """run.json is an interface: what reads it must find all of it, and notice when it changes (schema_version)."""
    assert set(record) == RECORD
    assert record["schema_version"] == SCHEMA_VERSION == 1
    assert set(record["outcome"]) == OUTCOME == {f.name for f in fields(Outcome)}
    assert set(record["recheck"]) == {"passed", "rules_checked"}
    limits = next(table for table in echelon.families()["ordering"].results if table.name == "limits")
    assert all(set(price) == set(limits.columns) for price in record["prices"])


def test_the_record_says_what_was_solved_and_how(record: dict[str, Any], run: echelon.Run) -> None:
    """Case, family, all options (those left alone too) and versions: what it takes to make the plan again."""
    assert (record["case"], record["family"], record["currency"]) == ("Spring", "ordering", "EUR")
    assert set(record["options"]) == {*SolveOptions.model_fields, *echelon.families()["ordering"].options.model_fields}
    assert (record["options"]["holding_rate"], record["options"]["seed"], record["options"]["gap"]) == (0.3, 3, 0.0)
    assert {"python", "echelon", "pyomo", "highspy", "ortools", "pandas", "numpy"} <= set(record["versions"])
    assert len(record["fingerprint"]) == 64
    assert record["started"].endswith("+00:00"), "a time without a zone is another time elsewhere"


def test_the_record_says_how_it_ended_and_what_it_costs(record: dict[str, Any]) -> None:
    """The cost lines, recomputed from the tables, add up to what the solver says."""
    outcome = record["outcome"]
    assert outcome["termination"] in ("optimal", "feasible")
    assert sum(record["costs"].values()) == pytest.approx(outcome["objective"], rel=1e-6)
    assert outcome["bound"] <= outcome["objective"] + 1e-6
    assert outcome["gap"] == pytest.approx(abs(outcome["objective"] - outcome["bound"]) / outcome["objective"])
    assert outcome["seconds"] > 0 and outcome["solver"].startswith("HiGHS")
    assert record["recheck"]["passed"] is True and record["recheck"]["rules_checked"] > 0


def test_the_record_names_binding_limits_and_warnings(record: dict[str, Any]) -> None:
    """The limits with a price, and what was doubtful in the case, by its row in the file."""
    assert {price["limit"] for price in record["prices"]} >= {"storage"}
    assert all(price["price"] > 0 for price in record["prices"])
    (warning,) = [w for w in record["warnings"] if w["column"] == "lead_time"]
    assert (warning["table"], warning["row"], warning["value"], warning["severity"]) == ("offers", 6, "9", "warning")


def test_prices_are_the_limits_that_bind(run: echelon.Run) -> None:
    """`run.prices` is the short list of `limits` worth talking about."""
    limits = run.plan["limits"]
    assert len(run.prices) == int((limits["price"] > 0).sum()) > 0


def test_a_run_folder_holds_all_its_parts(folder: Path, run: echelon.Run) -> None:
    """Record, log, inputs as validated, results as exact Parquet and as CSV for people."""
    results = {
        f"results/{t.name}.{kind}" for t in echelon.families()["ordering"].results for kind in ("csv", "parquet")
    }
    inputs = {f"inputs/{t.name}.parquet" for t in echelon.families()["ordering"].inputs}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"run.json", "solver.log"} | results | inputs
    assert "HiGHS" in (folder / "solver.log").read_text()


def test_a_saved_run_comes_back(folder: Path, run: echelon.Run) -> None:
    """What is read back is what was saved: the plan to the last bit, and everything that the page shows."""
    loaded = echelon.Run.load(folder)
    for part in fields(echelon.Run):
        if part.name not in ("plan", "inputs"):
            assert getattr(loaded, part.name) == getattr(run, part.name), part.name
    assert list(loaded.plan) == sorted(run.plan) and set(loaded.inputs) == set(run.inputs)
    for name, frame in run.plan.items():
        pd.testing.assert_frame_equal(loaded.plan[name], frame)
    for name, frame in run.inputs.items():
        pd.testing.assert_frame_equal(loaded.inputs[name], frame.reset_index(drop=True))
    assert loaded.record() == run.record()
    assert loaded.page.service == run.page.service and loaded.page.constraint == run.page.constraint
    pd.testing.assert_frame_equal(loaded.page.actions, run.page.actions)


def test_a_loaded_run_saves_as_itself(folder: Path, tmp_path: Path) -> None:
    """Copying a run by load and save changes nothing."""
    again = echelon.Run.load(folder).save(tmp_path)
    for name in ("run.json", "solver.log", "results/orders.csv", "results/orders.parquet", "inputs/demand.parquet"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_the_inputs_in_a_run_folder_are_a_case(folder: Path, run: echelon.Run) -> None:
    """Last month's plan can be made again from its own folder."""
    again = echelon.solve(folder / "inputs", "ordering", options={"holding_rate": 0.3}, gap=0.0, seed=3)
    assert again.fingerprint == run.fingerprint
    assert again.outcome.objective == run.outcome.objective


def test_the_same_case_gives_the_same_bytes(case: Path, folder: Path, tmp_path: Path) -> None:
    """Two plans that differ must differ for a reason: same case, options and versions, same results."""
    again = echelon.solve(case, gap=0.0, seed=3).save(tmp_path)
    for path in sorted((folder / "results").iterdir()):
        assert (again / "results" / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_results_of_an_empty_plan_keep_their_columns(tmp_path: Path) -> None:
    """Where nothing is ordered, the tables are empty, not missing, and their columns keep their types."""
    frames = small_frames() | {"stock": pd.DataFrame({"item": ["A"], "quantity": [100.0]})}
    run = echelon.solve(frames, "ordering")
    loaded = echelon.Run.load(run.save(tmp_path))
    for table in echelon.families()["ordering"].results:
        assert list(loaded.plan[table.name].columns) == list(table.columns)
        assert loaded.plan[table.name].dtypes.to_dict() == table.empty().dtypes.to_dict(), table.name
    assert loaded.plan["orders"].empty and loaded.prices.empty


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt(), MemoryError()])
@pytest.mark.parametrize("where", ["write_csv", "to_parquet", "dumps", "rename"])
def test_a_run_that_cannot_be_written_leaves_nothing(
    run: echelon.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, where: str
) -> None:
    """Half a run folder would be taken for a plan."""

    def fail(*arguments: Any, **options: Any) -> None:
        raise error

    targets: dict[str, Any] = {
        "write_csv": (store, "write_csv"),
        "to_parquet": (pd.DataFrame, "to_parquet"),
        "dumps": (json, "dumps"),
        "rename": (Path, "rename"),
    }
    monkeypatch.setattr(*targets[where], fail)
    with pytest.raises(type(error)):
        run.save(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_what_is_not_a_number_is_not_written(run: echelon.Run, tmp_path: Path, number: float) -> None:
    """NaN is not JSON: other readers of run.json would fail on it, long after."""
    with pytest.raises(ValueError):
        replace(run, kpis=run.kpis | {"fill_rate": number}).save(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_runs_saved_at_once_get_folders_of_their_own(run: echelon.Run, tmp_path: Path) -> None:
    """Two analysts, one folder, one second: neither overwrites the other."""
    with ThreadPoolExecutor(6) as pool:
        folders = list(pool.map(lambda _: run.save(tmp_path), range(12)))
    assert len(set(folders)) == 12
    assert sorted(tmp_path.iterdir()) == sorted(folders), "nothing half-written is left"
    assert all(echelon.Run.load(folder).fingerprint == run.fingerprint for folder in folders)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a/b\\c", ".", "..", "", "   ", "-rf", ".hidden", "x" * 300, "日本語", "CON", "a\0b",
     "new\nline", "$(reboot)", "ü", "~", "C:\\plan"],
    ids=ascii,
)  # fmt: skip
def test_odd_case_names_give_safe_folder_names(tmp_path: Path, run: echelon.Run, name: str) -> None:
    """A case may be called anything; its run folder stays inside the folder it was meant for, and is not hidden."""
    folder = replace(run, case=name).save(tmp_path / "runs")
    assert folder.parent == tmp_path / "runs"
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert folder.name.isascii() and folder.name[0].isalnum() and len(folder.name) < 120
    assert echelon.Run.load(folder).case == name
    assert list(store.records(tmp_path / "runs")) == [folder.name]


def test_records_are_listed_oldest_first(tmp_path: Path, run: echelon.Run) -> None:
    """By the time they were started, whatever they are called; those of one moment by name."""
    times = {"c": "2026-03-01T10:00:00+00:00", "a": "2026-02-01T10:00:00+00:00", "b": "2026-02-01T10:00:00+00:00"}
    for name, started in times.items():
        replace(run, case=name, started=started).save(tmp_path)
    assert [record["case"] for record in store.records(tmp_path).values()] == ["a", "b", "c"]
    assert store.records(tmp_path / "none") == {}


def test_records_leave_other_folders_alone(tmp_path: Path, run: echelon.Run) -> None:
    """A folder of runs may hold other things; they are neither runs nor an error."""
    folder = run.save(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "run.json").write_text("{not JSON")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text('{"some": "thing else"}')
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "run.json").write_text("[]")
    (tmp_path / ".partial-x").mkdir()
    (tmp_path / "file.txt").write_text("")
    assert list(store.records(tmp_path)) == [folder.name]


def no_record(folder: Path) -> None:
    (folder / "run.json").unlink()


def broken_record(folder: Path) -> None:
    (folder / "run.json").write_text('{"schema_version": 1')


def other_record(folder: Path) -> None:
    (folder / "run.json").write_text("{}")


def later_record(folder: Path) -> None:
    text = (folder / "run.json").read_text().replace('"schema_version": 1', '"schema_version": 99')
    (folder / "run.json").write_text(text)


def broken_table(folder: Path) -> None:
    (folder / "results" / "orders.parquet").write_bytes(b"PAR1")


def missing_log(folder: Path) -> None:
    (folder / "solver.log").unlink()


def missing_table(folder: Path) -> None:
    (folder / "results" / "orders.parquet").unlink()


SPOILERS = [no_record, broken_record, other_record, later_record, broken_table, missing_log, missing_table]


@pytest.mark.parametrize("spoil", SPOILERS, ids=lambda spoil: spoil.__name__)
def test_what_is_no_run_folder_is_a_finding(folder: Path, tmp_path: Path, spoil: Any) -> None:
    """A folder that is damaged, or is none, is told as such, not as an error of Python's."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    spoil(copy)
    with pytest.raises(echelon.InputError) as caught:
        echelon.Run.load(copy)
    (finding,) = caught.value.findings
    assert finding.table == "run" and str(copy) in finding.value and finding.remedy


def test_nothing_is_written_unless_a_run_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library touches no disk but its own temporary log, which it takes away again."""
    monkeypatch.chdir(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    echelon.solve(small_frames(), "ordering")
    with pytest.raises(echelon.SolveError):
        echelon.solve(tables.read(write(tmp_path / "case", INFEASIBLE)))
    assert list(scratch.iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"scratch", "case"}


def test_the_library_prints_nothing(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Reading, validating, solving and saving in silence: only the command line prints."""
    case = write(tmp_path / "case", SMALL)
    echelon.solve(case, progress=lambda p: None).save(tmp_path / "runs")
    with pytest.raises(echelon.InputError):
        echelon.check(write(tmp_path / "bad", SMALL | {"demand": "item,period,quantity\nA,2026-01-05,1,000\n"}))
    assert capfd.readouterr() == ("", "")


def test_an_infeasible_case_says_what_would_do(tmp_path: Path) -> None:
    """No plan is an error that carries the outcome and, in business words, what stands in the way."""
    with pytest.raises(echelon.SolveError) as caught:
        echelon.solve(write(tmp_path / "case", INFEASIBLE))
    assert caught.value.outcome.termination is echelon.Termination.INFEASIBLE
    assert caught.value.findings
    assert all(finding.rule in str(caught.value) for finding in caught.value.findings)


def test_a_plan_that_fails_its_recheck_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the solver says: if the plan costs something else when recomputed, it must not be used."""
    family = echelon.families()["ordering"]

    def dearer(full: Any, options: Any, plan: Any) -> Any:
        proof = family.recheck(full, options, plan)
        return replace(proof, costs=proof.costs | {"purchase": proof.costs["purchase"] + 1.0})

    monkeypatch.setattr("echelon.run.families", lambda: {"ordering": replace(family, recheck=dearer)})
    with pytest.raises(echelon.RecheckError) as caught:
        echelon.solve(small_frames(), "ordering")
    (violation,) = caught.value.violations
    assert violation.amount == pytest.approx(1.0)


def test_an_earlier_run_is_a_start(tmp_path: Path) -> None:
    """A start changes where the search begins, never what is found in the end, even from another case."""
    case = write_frames(tmp_path / "case", small_frames())
    first = echelon.solve(case, "ordering", gap=0.0)
    folder = first.save(tmp_path / "runs")
    frames = small_frames()
    frames["demand"]["quantity"] = [12.0, 0.0, 40.0]
    frames["demand"]["period"] = ["2026-01-12", "2026-01-19", "2026-01-26"]
    cold = echelon.solve(frames, "ordering", gap=0.0)
    warm = echelon.solve(frames, "ordering", gap=0.0, start=echelon.Run.load(folder))
    assert warm.outcome.objective == pytest.approx(cold.outcome.objective)


@pytest.mark.parametrize(
    ("options", "column"),
    [({"time_limit": 0.0}, "time_limit"), ({"time_limit": float("inf")}, "time_limit"), ({"gap": -1.0}, "gap"),
     ({"gap": float("nan")}, "gap"), ({"threads": 0}, "threads"), ({"seed": -1}, "seed"), ({"speed": 9}, "speed")],
)  # fmt: skip
def test_solve_options_are_checked(options: dict[str, Any], column: str) -> None:
    """A caller's mistake in an option is a finding like any other."""
    with pytest.raises(echelon.InputError) as caught:
        echelon.solve(small_frames(), "ordering", **options)
    assert [finding.column for finding in caught.value.findings] == [column]
