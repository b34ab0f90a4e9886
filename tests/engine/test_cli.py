"""The command line: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import echelon
from echelon import cli, run
from echelon.errors import Violation
from echelon.family import Answer, Recheck
from echelon.solvers.canaries import canaries
from echelon.solvers.outcome import Outcome, Termination

from .cases import FULL, INFEASIBLE, SMALL, write


def ask(arguments: Sequence[str | Path]) -> Result:
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


@pytest.fixture
def case(tmp_path: Path) -> Path:
    return write(tmp_path / "full", FULL)


def test_help_names_every_command_and_the_exit_codes() -> None:
    """--help is the manual most people read."""
    text = ask(["--help"]).output
    for command in ("families", "schema", "new", "validate", "solve", "runs", "show", "doctor"):
        assert command in text
        assert ask([command, "--help"]).exit_code == 0
    for words in ("2 bad input", "3 no plan", "4 recheck failed", "5 solver failed"):
        assert words in " ".join(text.split())


def test_families_are_listed() -> None:
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
    answer = ask(["validate", case])
    assert answer.exit_code == 0
    assert "no errors" in answer.output
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
    assert ask(["solve", case, "--gap", "0", "--out", tmp_path / "runs"]).exit_code == 0
    (folder,) = (tmp_path / "runs").iterdir()
    again = ask(["solve", case, "--gap", "0", "--start", folder, "--out", tmp_path / "again"])
    assert again.exit_code == 0, again.output
    first, second = (echelon.Run.load(next(p.iterdir())) for p in (tmp_path / "runs", tmp_path / "again"))
    assert first.outcome.objective == pytest.approx(second.outcome.objective)


def test_bad_input_ends_with_2_and_writes_nothing(tmp_path: Path) -> None:
    case = write(tmp_path / "bad", SMALL | {"items": "itme\nA\n"})
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 2
    assert "Did you mean 'item'?" in answer.output
    assert not (tmp_path / "runs").exists()


def test_an_infeasible_case_ends_with_3_and_says_what_would_do(tmp_path: Path) -> None:
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
    _with(monkeypatch, solve=lambda *_: Answer(Outcome(Termination.FAILED, note="it fell over")))
    answer = ask(["solve", case, "--out", tmp_path / "runs"])
    assert answer.exit_code == 5
    assert "it fell over" in answer.output


def test_doctor_lists_versions_and_canaries() -> None:
    answer = ask(["doctor"])
    assert answer.exit_code == 0
    assert "highspy" in answer.output
    for name in canaries():
        assert f"canary {name}  right" in answer.output


def test_markup_in_names_is_printed_as_it_is(tmp_path: Path) -> None:
    """An item called [red] is an item, not a colour."""
    frames = {name: text.replace("A", "[red]") for name, text in SMALL.items()}
    answer = ask(["solve", write(tmp_path / "case", frames), "--out", tmp_path / "runs"])
    assert answer.exit_code == 0, answer.output
    assert "[red]" in answer.output
    plan = pd.read_csv(next((tmp_path / "runs").glob("*/results/orders.csv")))
    assert set(plan["item"]) == {"[red]"}
