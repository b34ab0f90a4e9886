"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import echelon
from echelon import cli, run
from echelon.errors import Violation
from echelon.family import Answer, Recheck
from echelon.solvers.canaries import CANARIES
from echelon.solvers.outcome import Outcome, Termination

from .cases import FULL, INFEASIBLE, SMALL, ended_well, hard_frames, write, write_frames


def ask(arguments: Sequence[str | Path]) -> Result:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write(tmp_path / "full", FULL)


def test_help_names_every_command_and_the_exit_codes() -> None:
    """--help is the manual most people read."""
    text = ask(["--help"]).output
    known = ("families", "schema", "new", "validate", "solve", "runs", "show", "report", "doctor")
    for command in (*known, "study", "sweep", "frontier", "silos", "compare", "plan"):
        assert command in text
        assert ask([command, "--help"]).exit_code == 0
    for words in ("2 bad input", "3 no plan", "4 recheck failed", "5 solver failed", "6 some scenarios"):
        assert words in " ".join(text.split())


def test_families_are_listed() -> None:
    """The first question of a newcomer: what can this decide?"""
    assert re.search(r"ordering\s+What to order", ask(["families"]).output)


@pytest.mark.parametrize("results", [False, True])
def test_the_schema_lists_every_column(results: bool) -> None:
    """The schema is the documentation of the tables: nothing may be missing in either form."""
    family = echelon.families()["ordering"]
    extra = ["--results"] if results else []
    markdown = ask(["schema", "ordering", *extra]).output
    schema = json.loads(ask(["schema", "ordering", "--format", "json", *extra]).output)
    for table in family.results if results else family.inputs:
        assert f"## {table.name} (" in markdown
        assert set(schema["properties"][table.name]["items"]["properties"]) == set(table.columns)
    if not results:
        for option in family.options.model_fields:
            assert f"| {option} |" in markdown


def test_new_writes_a_case_that_solves_and_overwrites_nothing(tmp_path: Path) -> None:
    """A template that does not run teaches nothing; one that overwrites destroys."""
    folder = tmp_path / "mine"
    assert ask(["new", "ordering", folder]).exit_code == 0
    assert ask(["solve", folder, "--out", tmp_path / "runs"]).exit_code == 0
    (folder / "items.csv").write_text("mine", encoding="utf-8")
    refused = ask(["new", "ordering", folder])
    assert refused.exit_code == 2
    assert (folder / "items.csv").read_text(encoding="utf-8") == "mine"


def test_validate_reports_without_solving(case: Path, tmp_path: Path) -> None:
    """Checking a case is quick and leaves no trace."""
    answer = ask(["validate", case])
    assert answer.exit_code == 0
    assert f"full: {len(FULL)} tables, " in answer.stdout and "no errors" in answer.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["full"]


def test_solve_prints_the_page_and_stores_the_run(case: Path, tmp_path: Path) -> None:
    """One page: cost by line, service, the constraint, the actions, the proof, where the run lies."""
    answer = ask(["solve", case, "--family", "ordering", "--gap", "0", "--out", tmp_path / "runs"])
    assert answer.exit_code == 0, answer.output
    for words in ("purchase", "total", "fill rate", "What holds the plan back", "why now", "recheck passed", "gap"):
        assert words in answer.output
    (folder,) = (tmp_path / "runs").iterdir()
    assert str(folder) in answer.output.replace("\n", "")
    listed = ask(["runs", "--out", tmp_path / "runs"]).output
    assert folder.name in listed.replace("\n", "")
    shown = ask(["show", folder])
    assert shown.exit_code == 0
    assert "What holds the plan back" in shown.output


def test_show_prints_a_table_as_csv(case: Path, tmp_path: Path) -> None:
    """A result table on standard output feeds the next tool in a shell."""
    assert ask(["solve", case, "--out", tmp_path / "runs"]).exit_code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    printed = ask(["show", folder, "--table", "orders"]).stdout
    assert printed == (folder / "results" / "orders.csv").read_text(encoding="utf-8")
    assert ask(["show", folder, "--table", "nonsense"]).exit_code == 2


def test_options_come_from_the_command_line_before_the_case(tmp_path: Path) -> None:
    """--set goes before case.toml, which goes before the defaults."""
    case = write(tmp_path / "small", SMALL, 'family = "ordering"\n[options]\nholding_rate = 0.5\nfrozen_periods = 1\n')
    answer = ask(["solve", case, "--set", "holding_rate=0.75", "--out", tmp_path / "runs"])
    assert answer.exit_code == 0, answer.output
    options = json.loads(next((tmp_path / "runs").glob("*/run.json")).read_text(encoding="utf-8"))["options"]
    assert options["holding_rate"] == 0.75
    assert options["frozen_periods"] == 1
    assert ask(["solve", case, "--set", "holding_rate"]).exit_code == 2
    assert ask(["solve", case, "--set", "no_such=1"]).exit_code == 2


def test_a_run_can_start_from_another(case: Path, tmp_path: Path) -> None:
    """Yesterday's run folder is a place to start from, and leads to the same optimum."""
    assert ask(["solve", case, "--gap", "0", "--out", tmp_path / "runs"]).exit_code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    again = ask(["solve", case, "--gap", "0", "--warm-start", folder, "--out", tmp_path / "again"])
    assert again.exit_code == 0, again.output
    first, second = (echelon.Run.load(next(p.iterdir())) for p in (tmp_path / "runs", tmp_path / "again"))
    assert first.outcome.objective == pytest.approx(second.outcome.objective)


def test_bad_input_ends_with_2_and_writes_nothing(tmp_path: Path) -> None:
    """A shell script sees the exit code, a person the finding, and no folder looks like a plan."""
    case = write(tmp_path / "bad", SMALL | {"items": "itme\nA\n"})
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 2
    assert "Did you mean 'item'?" in answer.output
    assert not (tmp_path / "runs").exists()


def test_an_infeasible_case_ends_with_3_and_says_what_would_do(tmp_path: Path) -> None:
    """No plan is an answer: which limits stand in the way, and what value of each would do."""
    answer = ask(["solve", write(tmp_path / "case", INFEASIBLE), "--out", tmp_path / "runs"])
    assert answer.exit_code == 3
    assert "would do" in answer.output
    assert not (tmp_path / "runs").exists()


def _with(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Let the ordering family behave otherwise."""
    from dataclasses import replace

    broken = replace(echelon.families()["ordering"], **changes)  # type: ignore[arg-type]
    monkeypatch.setattr(run, "families", lambda: {"ordering": broken})


def test_a_failed_recheck_ends_with_4_and_shows_no_plan(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan that fails its recheck is never shown as a plan."""
    _with(monkeypatch, recheck=lambda *_: Recheck({}, 1, (Violation("stock balance", "A, MAIN, 0", 3.0),)))
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 4
    assert "stock balance" in answer.output
    assert "why now" not in answer.output
    assert not (tmp_path / "runs").exists()


def test_a_failed_solver_ends_with_5(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The solver's failure is not the case's: it is told apart, with what is known of it."""
    _with(monkeypatch, solve=lambda *_: Answer(Outcome(Termination.FAILED, note="it fell over")))
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 5
    assert "it fell over" in answer.output


def test_doctor_lists_versions_and_canaries() -> None:
    """Whoever asks for help is asked for this first."""
    answer = ask(["doctor"])
    assert answer.exit_code == 0
    assert "highspy" in answer.output
    for name in CANARIES:
        assert f"canary {name}  right" in answer.output


def test_markup_in_names_is_printed_as_it_is(tmp_path: Path) -> None:
    """An item called [red] is an item, not a colour."""
    frames = {name: text.replace("A", "[red]") for name, text in SMALL.items()}
    answer = ask(["solve", write(tmp_path / "case", frames), "--out", tmp_path / "runs"])
    assert answer.exit_code == 0, answer.output
    assert "[red]" in answer.output
    plan = pd.read_csv(next((tmp_path / "runs").glob("*/results/orders.csv")))
    assert set(plan["item"]) == {"[red]"}


def test_no_plan_in_time_ends_with_3(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before a plan was found: more time may help, and the message says so."""
    _with(monkeypatch, solve=lambda *_: Answer(Outcome(Termination.NO_SOLUTION, "time", seconds=1.0)))
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 3
    assert "give it more time" in answer.stderr and answer.stdout == ""


def test_a_wrong_canary_ends_with_5(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver that is wrong on a tiny model must not be trusted with a large one."""
    monkeypatch.setattr(cli, "sing", lambda: {"K1": (1.0, 1.0), "K2": (2.0, 3.0), "K3": (3.0, None)})
    answer = ask(["doctor"])
    assert answer.exit_code == 5
    assert "canary K1  right" in answer.output and "canary K2  WRONG: 3.0 instead of 2.0" in answer.output
    assert "2 canaries are wrong" in answer.output


def test_show_prints_the_page_that_solve_printed(case: Path, tmp_path: Path) -> None:
    """A stored run says the same tomorrow."""
    solved = ask(["solve", case, "--out", tmp_path / "runs"])
    (folder,) = (tmp_path / "runs").iterdir()
    assert ask(["show", folder]).stdout == solved.stdout


def test_results_go_to_stdout_and_all_else_to_stderr(case: Path, tmp_path: Path) -> None:
    """What is piped on is the result; progress and findings stay on the screen."""
    answer = ask(["solve", case, "--set", "frozen_periods=4", "--out", tmp_path / "runs"])
    assert answer.exit_code == 0
    assert "warning" in answer.stderr and "warning" not in answer.stdout
    assert answer.stdout.startswith("full · ordering\n")


def test_the_page_shows_the_plan_and_its_proof(tmp_path: Path) -> None:
    """Each figure of the page stands in the run: total, gap, why it ended, how much was rechecked, where it lies."""
    case = write(tmp_path / "case", SMALL, 'family = "ordering"\ncurrency = "EUR"\n')
    answer = ask(["solve", case, "--gap", "0", "--out", tmp_path / "runs"])
    (folder,) = (tmp_path / "runs").iterdir()
    found = echelon.Run.load(folder)
    lines = [line.strip() for line in answer.stdout.splitlines()]
    assert next(line for line in lines if line.startswith("total")).split() == [
        "total",
        f"{found.outcome.objective:,.2f}",
    ]
    assert next(line for line in lines if line.startswith("cost")).split() == ["cost", "EUR", "share"]
    assert "proven optimal after" in answer.stdout
    assert f"recheck passed: {found.rules_checked} rules" in answer.stdout
    for order in found.plan["orders"].itertuples():
        assert any(line.startswith("ACME") and f"{order.order_date:%Y-%m-%d}" in line for line in lines)


@pytest.mark.parametrize(
    "arguments",
    [["schema", "odering"], ["new", "odering", "folder"], ["solve", "case", "--family", "odering"],
     ["solve", "case", "--warm-start", "case"], ["solve", "case", "--set", "frozen_periods"],
     ["solve", "case", "--gap", "-1"], ["solve", "case", "--gap", "nan"], ["solve", "case", "--time-limit", "0"],
     ["solve", "case", "--time-limit", "inf"], ["solve", "case", "--threads", "0"], ["solve", "case", "--seed", "-1"],
     ["solve", "case", "--threads", "many"], ["solve", "nowhere"], ["validate", "nowhere"], ["show", "nowhere"],
     ["show", "case"], ["solve"], ["plan", "case"], ["solve", "case", "--fast"], ["new", "ordering", "case/items.csv"],
     ["new", "ordering", "case"], ["solve", "case", "--out", "case/items.csv"], ["new", "ordering", "case/items.csv/x"],
     ["solve", "case", "--out", "case/items.csv/x"]],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_command_ends_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Whatever is wrong with a command: exit code 2, a message, no traceback, nothing printed as a result, nothing
    written."""
    write(tmp_path / "case", SMALL)
    monkeypatch.chdir(tmp_path)
    answer = ask(arguments)
    assert ended_well(answer), answer.exception
    assert answer.exit_code == 2
    assert answer.stderr and "Traceback" not in answer.stderr
    assert answer.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["case"]
    assert len(list((tmp_path / "case").iterdir())) == len(SMALL) + 1


def test_a_folder_that_cannot_be_written_is_told_before_solving(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an hour's search it would be too late to hear that the plan cannot be stored."""
    _with(monkeypatch, solve=lambda *_: pytest.fail("solved before looking where the plan is to go"))
    (tmp_path / "runs").write_text("a file")
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 2
    assert "no run can be written there" in answer.stderr


def test_runs_lists_none_where_there_are_none(tmp_path: Path) -> None:
    """No runs yet is no error."""
    answer = ask(["runs", "--out", tmp_path / "runs"])
    assert answer.exit_code == 0
    assert len(answer.stdout.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_runs_lists_every_run_oldest_first(tmp_path: Path) -> None:
    """One line a run: name, family, start, objective, gap, seconds, and how it ended."""
    case = write(tmp_path / "case", SMALL)
    for _ in range(2):
        assert ask(["solve", case, "--out", tmp_path / "runs"]).exit_code == 0
    lines = ask(["runs", "--out", tmp_path / "runs"]).stdout.splitlines()[1:]
    assert len(lines) == 2
    assert all("ordering" in line and "125.61" in line and "optimal" in line for line in lines)


def command(*arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
    """The command in a process of its own, its output piped."""
    return subprocess.Popen(
        [sys.executable, "-m", "echelon", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
    )


def test_progress_is_plain_lines_where_it_is_piped(tmp_path: Path) -> None:
    """In a log file a live line would be a mess: there, a plain line now and then, and no control characters."""
    case = write_frames(tmp_path / "case", hard_frames(10, 12))
    done = command("solve", case, "--family", "ordering", "--time-limit", "2", "--gap", "0", "--out", tmp_path / "runs")
    stdout, stderr = (stream.decode() for stream in done.communicate())
    assert done.returncode == 0, stderr
    lines = stderr.splitlines()
    assert lines and all(re.match(r" *[\d.]+ s  (no plan yet|plan [\d,.]+)", line) for line in lines), stderr
    assert "\x1b" not in stdout + stderr and "\r" not in stdout + stderr


def test_ctrl_c_keeps_the_incumbent(tmp_path: Path) -> None:
    """Ctrl-C in the middle of the search: exit code 0, the page of the best plan so far, and a run folder that says
    so."""
    case = write_frames(tmp_path / "case", hard_frames())
    code = "from echelon import cli, console; console.QUIET_SECONDS = 0.1; cli.main()"
    options = ["--family", "ordering", "--time-limit", "300", "--gap", "0", "--out", tmp_path / "runs"]
    started = [sys.executable, "-c", code, "solve", case, *options]
    with subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr and process.stdout
        for line in process.stderr:
            if "  plan " in line:
                process.send_signal(signal.SIGINT)
                break
        stderr, stdout = process.stderr.read(), process.stdout.read()
    assert process.returncode == 0, stderr
    assert "stopped by Ctrl-C" in stdout
    (folder,) = (tmp_path / "runs").iterdir()
    outcome = json.loads((folder / "run.json").read_text(encoding="utf-8"))["outcome"]
    assert (outcome["termination"], outcome["limit"]) == ("feasible", "interrupt")
    assert outcome["bound"] < outcome["objective"]


def test_a_terminal_that_cannot_show_a_name_does_not_end_the_command(tmp_path: Path) -> None:
    """A console of few characters shows 日本 in other words; the plan must not be lost over it."""
    frames = {name: text.replace("A", "日本").replace("日本CME", "ACME") for name, text in SMALL.items()}
    case = write(tmp_path / "case", frames)
    done = command("solve", case, "--out", tmp_path / "runs", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    stdout, stderr = done.communicate()
    assert done.returncode == 0, stderr
    assert b"recheck passed" in stdout and b"Traceback" not in stderr


def test_names_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """A cell with an escape sequence could rewrite what an analyst sees: it is shown as text."""
    frames = SMALL | {"demand": SMALL["demand"] + "\x1b[2J\x1b]0;title\x07,2026-01-05,1\n"}
    answer = ask(["validate", write(tmp_path / "case", frames)])
    assert answer.exit_code == 2
    assert "\x1b" not in answer.stderr and "\x07" not in answer.stderr
    assert "\\x1b[2J" in answer.stderr
