"""Someone else's family: an installed package with an entry point, and no change in the engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

MODULE = '''
"""Buy each thing at its price: the smallest family there is."""

import pandas as pd
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


class Limit(Row):
    """No limits here."""

    price: float = column("Price", example=0.0)


class Options(BaseModel):
    """None."""


def solve(tables, options, control):
    things = tables["things"]
    total = float(things["price"].sum())
    plan = {"bought": things[["thing"]].reset_index(drop=True), "limits": pd.DataFrame({"price": [0.0]})}
    return Answer(Outcome(Termination.OPTIMAL, None, total, total, 0.0, 0.0, "none"), plan)


FAMILY = Family(
    name="buying",
    summary="Buy each thing",
    inputs=(Table("things", Thing, required=True),),
    results=(Table("bought", Bought), Table("limits", Limit)),
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


def test_an_installed_package_brings_its_family(tmp_path: Path) -> None:
    """The engine has no list of families: whatever is installed is found, described, validated, solved and stored."""
    (tmp_path / "their_models.py").write_text(MODULE, encoding="utf-8")
    info = tmp_path / "their_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[echelon.families]\nbuying = their_models:FAMILY\n", encoding="utf-8")
    case = tmp_path / "case"
    case.mkdir()
    (case / "things.csv").write_text("thing,price\nA,2\nB,3\n", encoding="utf-8")

    assert "buying" in run(["families"], tmp_path).stdout
    assert "ordering" in run(["families"], tmp_path).stdout
    assert "| **thing** |" in run(["schema", "buying"], tmp_path).stdout
    done = run(["solve", "case", "--family", "buying", "--out", "runs"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "5.00" in done.stdout
    (case / "things.csv").write_text("thing,price\nA,-2\n", encoding="utf-8")
    refused = run(["solve", "case", "--family", "buying", "--out", "runs2"], tmp_path)
    assert refused.returncode == 2
    assert "must be at least 0" in refused.stderr
    assert not (tmp_path / "runs2").exists()
