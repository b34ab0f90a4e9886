"""The README is true: each command in it runs, and what it says of the project holds."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import echelon

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def shell_lines() -> list[str]:
    """The commands in the README's plain code blocks, without their comments."""
    lines = [line.split("  #")[0].strip() for kind, block in BLOCKS if kind == "" for line in block.splitlines()]
    return [line for line in lines if re.match(r"(make|python3?|\.venv/bin/\w+|echelon) ", f"{line} ")]


def quick(command: str) -> str:
    """The command with a time limit fit for a test."""
    return re.sub(r"--time-limit \d+", "--time-limit 8", command)


ECHELON = [line.removeprefix(".venv/bin/") for line in shell_lines() if "echelon " in line]
NEW_CASE = next(line for line in ECHELON if line.startswith("echelon new "))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample data, in which the README's commands run."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "data", folder / "data")
    return folder


def run(command: str, workplace: Path) -> subprocess.CompletedProcess[str]:
    """Run an `echelon` command of the README, with a shorter time limit."""
    arguments = shlex.split(quick(command))[1:]
    return subprocess.run(
        [sys.executable, "-m", "echelon", *arguments], cwd=workplace, capture_output=True, text=True, check=False
    )


def test_there_are_commands_to_run() -> None:
    """A change of the README's form must not silently empty these tests."""
    assert len(ECHELON) >= 5
    assert {"make demo", "make test"} <= set(shell_lines())


@pytest.mark.parametrize("command", ECHELON, ids=lambda c: c[:60])
def test_each_echelon_command_runs(command: str, workplace: Path) -> None:
    """What a newcomer types first must work as printed. The command that makes `my_case` may have run in another
    process of the tests: it then runs here first."""
    if "my_case" in command and command != NEW_CASE and not (workplace / "my_case").exists():
        run(NEW_CASE, workplace)
    done = run(command, workplace)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", sorted({line.split()[1] for line in shell_lines() if line.startswith("make ")}))
def test_each_make_target_exists(target: str) -> None:
    """`make demo` and `make test` stay true at every commit; CI runs `make test` itself."""
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_ci_calls_the_readmes_test_command() -> None:
    """What CI checks is what the README tells people to run."""
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_library_example_runs(workplace: Path) -> None:
    """The ten lines are the first thing a programmer copies."""
    (example,) = [block for kind, block in BLOCKS if kind == "python"]
    code = example.replace("time_limit=60", "time_limit=8")
    done = subprocess.run([sys.executable, "-c", code], cwd=workplace, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "feasible" in done.stdout or "optimal" in done.stdout


def test_three_files_give_a_plan(tmp_path: Path) -> None:
    """The README promises a plan from the columns it lists, and no others."""
    pd.DataFrame({"item": ["A"]}).to_csv(tmp_path / "items.csv", index=False)
    demand = {"item": ["A", "A"], "period": ["2026-01-05", "2026-01-12"], "quantity": [5, 7]}
    pd.DataFrame(demand).to_csv(tmp_path / "demand.csv", index=False)
    pd.DataFrame({"supplier": ["S"], "item": ["A"], "price": [2.5]}).to_csv(tmp_path / "offers.csv", index=False)
    run = echelon.solve(tmp_path, family="ordering")
    assert run.plan["orders"]["quantity"].sum() == pytest.approx(12)
    assert run.outcome.termination == echelon.Termination.OPTIMAL


def test_every_family_and_exit_code_is_in_the_readme() -> None:
    """Nothing is promised that is not there, and nothing is there that is not told."""
    named = set(re.findall(r"^\| `(\w+)` \|.*\| here \|$", README, flags=re.MULTILINE))
    assert named == set(echelon.families())
    for code in (0, 2, 3, 4, 5, 6):
        assert re.search(rf"^\| {code} \|", README, flags=re.MULTILINE)


def test_every_table_is_named_in_the_readme() -> None:
    """A table nobody hears of is a table nobody uses."""
    for table in echelon.families()["ordering"].inputs:
        assert f"`{table.name}" in README, table.name


@pytest.mark.slow
def test_the_demo_case_reaches_its_bar() -> None:
    """The sample case is proven within 1% in 60 seconds, and its plan serves nearly all demand."""
    run = echelon.solve(ROOT / "data" / "harbor_tools", time_limit=60, gap=0.005)
    assert run.outcome.gap is not None and run.outcome.gap <= 0.01
    assert run.kpis["fill_rate"] >= 0.95
