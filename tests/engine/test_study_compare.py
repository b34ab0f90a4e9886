"""A comparison finds exactly what was changed, says by how much, and names the limits behind it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import echelon
from echelon.edits import parse_edits
from echelon.errors import InputError
from echelon.report.comparison_page import comparison_report
from echelon.report.numbers import amount
from echelon.study import Comparison, Scenario, compare, read_runs, run_study
from echelon.study.compare import differences

from .cases import FULL, ended_well, write
from .cases import echelon as cli

EDITS = {
    "scaled": [{"table": "demand", "column": "quantity", "where": {"item": "A"}, "scale": 1.1}],
    "many": [
        {"table": "storage", "column": "capacity", "add": -38.5},
        {"table": "price_breaks", "drop": True},
        {"table": "budgets", "append": [{"department": "Garden", "period": "W1", "amount": 10}]},
        {"table": "shortages", "column": "policy", "set": "lost"},
    ],
    "option": [{"table": "options", "column": "holding_rate", "set": 0.4}],
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, echelon.Run]:
    case = write(tmp_path_factory.mktemp("compare") / "case", FULL)
    scenarios = [Scenario("as it is"), *(Scenario(name, parse_edits(edits, name)) for name, edits in EDITS.items())]
    study = run_study(case, scenarios, tmp_path_factory.mktemp("out"), options={"price_pins": False})
    found = {scenario.name: study.run(scenario.name) for scenario in scenarios}
    return found | {"nothing": found["as it is"]}


@pytest.fixture(scope="module")
def compared(runs: dict[str, echelon.Run]) -> Comparison:
    return compare(runs)


@pytest.mark.parametrize(
    ("name", "lines", "cells"),
    [
        ("scaled", ["input demand.quantity: x 1.1 in 4 row(s)"], 4),
        (
            "many",
            [
                "input price_breaks: 2 row(s) dropped",
                "input budgets: 1 row(s) added",
                "input storage.capacity: x 0.0375 in 1 row(s)",
                "input shortages.policy: backorder -> lost in 1 row(s)",
            ],
            5,
        ),
        ("option", ["option holding_rate: 0.2 -> 0.4"], 0),
        ("nothing", [], 0),
    ],
)
def test_the_inputs_that_differ_are_those_that_were_edited(
    compared: Comparison, name: str, lines: list[str], cells: int
) -> None:
    """Planted changes are found, all of them and nothing else."""
    assert [text for text in compared.why[name] if text.startswith(("input", "option"))] == lines
    assert (compared.inputs["run"] == name).sum() == cells


def test_the_same_case_gives_no_difference(compared: Comparison) -> None:
    """Two runs of one case are one plan."""
    assert (compared.plan["run"] != "nothing").all()
    mine = compared.measures[compared.measures["run"] == "nothing"]
    assert len(mine) > 20 and (mine["difference"] == 0).all()
    assert len(compared.why["nothing"]) == 1


def test_measures_are_those_of_the_runs(compared: Comparison, runs: dict[str, echelon.Run]) -> None:
    """Cost lines add up to the objective, and so do their differences."""
    table = compared.measures.set_index(["run", "measure"])
    for name, run in runs.items():
        assert table.loc[(name, "objective"), "value"] == run.outcome.objective
        assert table.loc[(name, "cost.purchase"), "value"] == run.costs["purchase"]
    scaled = table.loc["scaled", "difference"]
    assert scaled[scaled.index.str.startswith("cost.")].sum() == pytest.approx(scaled["objective"])


def test_the_limit_behind_it_is_named(compared: Comparison) -> None:
    """Storage cut from 40 to 1.5 m³ binds where it did not."""
    assert any(text.startswith("limit storage MAIN (m³) binds now") for text in compared.why["many"])


def test_the_plan_is_compared_row_by_row(compared: Comparison, runs: dict[str, echelon.Run]) -> None:
    """Orders that came, went or changed, matched by supplier, item, site and period."""
    orders = compared.plan[(compared.plan["run"] == "scaled") & (compared.plan["table"] == "orders")]
    quantity = orders[orders["column"] == "quantity"]
    key = ["supplier", "item", "site", "period"]
    old, new = (runs[run].plan["orders"].set_index(key)["quantity"] for run in ("as it is", "scaled"))
    both = old.index.intersection(new.index)
    changed = [k for k in both if old[k] != new[k]]
    assert changed and sorted(quantity["key"]) == sorted(", ".join(k) for k in changed)
    came_and_went = orders[orders["column"] == ""]["key"]
    assert sorted(came_and_went) == sorted(", ".join(k) for k in old.index.symmetric_difference(new.index))


def test_differences_by_hand() -> None:
    """One cell changed, one row gone, one row come; blank equals blank; a billionth is no difference."""
    table = next(t for t in echelon.families()["ordering"].inputs if t.name == "safety_stock")
    place = {"site": "MAIN", "period": "", "shortfall_cost": None}
    before = pd.DataFrame({"item": ["A", "B", "C"], "quantity": [1.0, 2.0, 3.0], **place})
    after = pd.DataFrame({"item": ["C", "A", "D"], "quantity": [3.0 + 1e-10, 5.0, 1.0], **place})
    found = differences({"safety_stock": before}, {"safety_stock": after}, [table])
    rows = list(found[["key", "column", "before", "after"]].itertuples(index=False, name=None))
    assert rows == [("B, MAIN, ", "", "row", ""), ("D, MAIN, ", "", "", "row"), ("A, MAIN, ", "quantity", 1.0, 5.0)]


def test_a_difference_within_the_gaps_is_said_to_be_one(runs: dict[str, echelon.Run]) -> None:
    """Where bounds overlap, nobody knows which case is dearer."""
    loose = {
        name: replace(run, outcome=replace(run.outcome, bound=(run.outcome.objective or 0) - 1000))
        for name, run in runs.items()
    }
    assert "within the gaps" in compare({k: loose[k] for k in ("as it is", "scaled")}).why["scaled"][0]
    assert "within the gaps" not in compare({k: runs[k] for k in ("as it is", "scaled")}).why["scaled"][0]


def test_runs_of_several_families_or_one_alone_are_refused(runs: dict[str, echelon.Run]) -> None:
    """There is nothing to compare."""
    with pytest.raises(InputError, match="nothing to compare"):
        compare({"a": runs["scaled"]})
    with pytest.raises(InputError, match="several families"):
        compare({"a": runs["scaled"], "b": replace(runs["scaled"], family="network")})


def test_the_page_says_what_became_dearer(runs: dict[str, echelon.Run], compared: Comparison) -> None:
    """Of two runs the difference, of more the cheapest; the same run twice costs the same."""
    option = runs["option"]
    page = comparison_report(compare({"a": runs["as it is"], "b": option}))
    more = option.costs["holding"] - runs["as it is"].costs["holding"]
    assert f"Holding costs {amount(more, option.currency or 'money')} more in the second run" in page
    cheapest = min(runs, key=lambda name: runs[name].outcome.objective or 0.0)
    assert f"{cheapest} is the cheapest of 5 runs" in comparison_report(compared)
    assert "Both runs cost the same" in comparison_report(compare({"a": option, "b": option}))


def test_the_command_prints_and_writes_the_differences(runs: dict[str, echelon.Run], tmp_path: Path) -> None:
    """The tables hold every cell; the page is short."""
    folders = [runs[name].save(tmp_path, name) for name in ("as it is", "scaled")]
    done = cli("compare", *folders, "--out", tmp_path / "tables")
    assert done.exit_code == 0, done.stderr
    assert "scaled against as it is" in done.stdout and "demand.quantity: x 1.1 in 4 row(s)" in done.stdout
    for name in ("measures", "options", "inputs", "plan", "limits"):
        assert (tmp_path / "tables" / f"{name}.csv").is_file()
    assert len(pd.read_csv(tmp_path / "tables" / "inputs.csv")) == 4
    assert done.stdout.splitlines()[-1] == f"report: {tmp_path / 'tables' / 'report.html'}"
    page = (tmp_path / "tables" / "report.html").read_text(encoding="utf-8")
    assert "The second run costs" in page and "Input demand.quantity: x 1.1 in 4 row(s)." in page
    refused = cli("compare", folders[0], tmp_path / "none")
    assert refused.exit_code == 2 and ended_well(refused) and "not a run folder" in refused.stderr
    assert list(read_runs([folders[0], folders[0]])) == ["as it is", "as it is'"]
