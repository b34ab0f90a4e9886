"""Someone else's family: an installed package with an entry point, and no change in the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from echelon.family import families

from .cases import echelon as cli

MODULE = '''
"""Buy each thing at its price: the smallest family there is."""

from echelon.family import Answer, Family, Page, Recheck
from echelon.schema import InputRow, Row, Table, Text, column
from echelon.solvers.outcome import Outcome, Termination
from pydantic import BaseModel


class Thing(InputRow):
    """A thing to buy."""

    thing: Text = column("Name", example="A", key=True)
    price: float = column("Price", example=2.0, unit="money", ge=0)


class Bought(Row):
    """A thing that is bought."""

    thing: Text = column("Name", example="A", key=True)


class Options(BaseModel):
    """None."""


def solve(tables, options, control):
    things = tables["things"]
    total = float(things["price"].sum())
    plan = {"bought": things[["thing"]].reset_index(drop=True)}
    return Answer(Outcome(Termination.OPTIMAL, None, total, total, 0.0, 0.0, "none"), plan)


FAMILY = Family(
    name="buying",
    summary="Buy each thing",
    inputs=(Table("things", Thing, required=True),),
    results=(Table("bought", Bought),),
    options=Options,
    rules=(),
    complete=lambda tables, options: tables,
    solve=solve,
    recheck=lambda tables, options, plan: Recheck({"purchase": float(tables["things"]["price"].sum())}, 1),
    kpis=lambda plan, tables, costs: {},
    page=lambda plan, kpis, currency: Page({}, "nothing", "bought", plan["bought"]),
)
'''


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "echelon", *arguments]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def install(folder: Path) -> Path:
    """What pip leaves of a package with an entry point: the module and its dist-info."""
    (folder / "their_models.py").write_text(MODULE, encoding="utf-8")
    info = folder / "their_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[echelon.families]\nbuying = their_models:FAMILY\n", encoding="utf-8")
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in which the package is installed for this process too."""
    monkeypatch.chdir(install(tmp_path))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("their_models", None)


def case(folder: Path, things: str = "thing,price\nA,2\nB,3\n") -> None:
    (folder / "case").mkdir()
    (folder / "case" / "things.csv").write_text(things, encoding="utf-8")


def test_an_installed_package_brings_its_family(tmp_path: Path) -> None:
    """The engine has no list of families: whatever is installed is listed, described, solved, stored and shown, here
    without a single limit, bound by no solver."""
    case(install(tmp_path))
    listed = run(["families"], tmp_path).stdout
    assert "buying" in listed and "ordering" in listed
    assert "| **thing** |" in run(["schema", "buying"], tmp_path).stdout
    done = run(["solve", "case", "--family", "buying", "--out", "runs"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "5.00" in done.stdout
    (folder,) = (tmp_path / "runs").iterdir()
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (record["family"], record["costs"], record["prices"]) == ("buying", {"purchase": 5.0}, [])
    assert (folder / "results" / "bought.csv").read_text() == "thing\nA\nB\n"
    assert run(["show", str(folder)], tmp_path).stdout == done.stdout.replace("runs/", f"{tmp_path}/runs/")
    assert "buying" in run(["runs"], tmp_path).stdout


def test_its_tables_are_validated_like_any_other(here: Path) -> None:
    """The declaration is enough: bounds, keys and exit codes come with it."""
    case(here, "thing,price\nA,-2\nA,3\n")
    refused = cli("solve", "case", "--family", "buying", "--out", "runs")
    assert refused.exit_code == 2
    assert "things row 2, price = -2: must be at least 0" in refused.stderr
    assert "things row 3, thing = A: the key stands already in row 2" in refused.stderr
    assert not (here / "runs").exists()


def test_its_template_solves(here: Path) -> None:
    """`echelon new` writes a template for any family, and case.toml says which one it is for."""
    assert cli("new", "buying", "mine").exit_code == 0
    done = cli("solve", "mine")
    assert done.exit_code == 0, done.stderr


def test_a_case_must_say_which_family_it_is_for(here: Path) -> None:
    """With several families installed, guessing would be wrong most of the time; all of them are named."""
    case(here)
    refused = cli("solve", "case")
    assert refused.exit_code == 2
    assert "does not say which family" in refused.stderr
    assert f"Name one of: {', '.join(families())}" in refused.stderr
    assert {"buying", "ordering"} <= set(families())


def test_one_folder_may_hold_the_tables_of_several_families(here: Path) -> None:
    """Tables are what families hand each other: one family's are no mistake in another's case."""
    case(here)
    assert cli("new", "ordering", "both").exit_code == 0
    (here / "case" / "things.csv").rename(here / "both" / "things.csv")
    for family in ("ordering", "buying"):
        done = cli("validate", "both", "--family", family)
        assert done.exit_code == 0, done.stderr


def test_without_its_package_a_run_still_says_what_is_missing(here: Path) -> None:
    """A run folder outlives the package that made it: its record is readable, its page needs the family."""
    case(here)
    assert cli("solve", "case", "--family", "buying", "--out", "runs").exit_code == 0
    (folder,) = (here / "runs").iterdir()
    (here / "their_models-1.0.dist-info" / "entry_points.txt").unlink()
    assert "buying" in cli("runs").stdout
    shown = cli("show", str(folder))
    assert shown.exit_code == 2
    assert "no such family is installed" in shown.stderr and "Traceback" not in shown.stderr


@pytest.mark.parametrize("module", ["import not_installed_anywhere", "FAMILY =", "x = 1"])
def test_a_broken_package_is_named(here: Path, module: str) -> None:
    """A package that does not load must be named, or nobody knows what to mend."""
    (here / "their_models.py").write_text(module, encoding="utf-8")
    done = cli("families")
    assert done.exit_code == 2
    assert "buying (their_models:FAMILY)" in done.stderr and "Traceback" not in done.stderr
