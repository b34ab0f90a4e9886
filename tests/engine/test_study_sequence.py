"""Families in sequence hand over what fits and say so; silos are judged by the cost of the whole, rule by rule."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import echelon
from echelon.errors import InputError
from echelon.family import families
from echelon.run import prepare
from echelon.schema import Table
from echelon.study import Plan, Silos, price_of_silos, run_plan
from echelon.study.sequence import fits, hand_over

from .cases import FULL, SMALL, ended_well, write
from .cases import echelon as cli

ALDER = Path(__file__).parents[2] / "data" / "alder_outdoor"


def table(family: str, name: str, results: bool = False) -> Table:
    declared = families()[family]
    return next(t for t in (declared.results if results else declared.inputs) if t.name == name)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return run_plan(ALDER, gap=0.01)


def test_the_award_is_what_is_ordered(plan: Plan) -> None:
    """Orders go to awarded suppliers only, each within its share, at the award's price and at the case's line cost."""
    award, ordering = plan.runs["allocation"].plan, plan.runs["ordering"]
    awarded = award["offers"].set_index(["supplier", "item"])
    orders = ordering.plan["orders"]
    assert set(zip(orders["supplier"], orders["item"], strict=True)) <= set(awarded.index)
    for row in orders.itertuples():
        assert row.unit_price == pytest.approx(awarded.loc[(row.supplier, row.item), "price"])
    part = orders.groupby(["supplier", "item"])["quantity"].sum() / orders.groupby("item")["quantity"].sum()
    for row in award["shares"].itertuples():
        assert row.min_share - 1e-6 <= part.get((row.supplier, row.item), 0.0) <= row.max_share + 1e-6
    own = pd.read_csv(ALDER / "offers.csv").set_index(["supplier", "item"])["line_cost"]
    taken = ordering.inputs["offers"]
    assert taken["line_cost"].tolist() == [own[key] for key in zip(taken["supplier"], taken["item"], strict=True)]


def test_positioning_sees_the_award_and_ordering_the_safety_stock(plan: Plan) -> None:
    """Lead times of awarded offers size the safety stock, which the orders keep to."""
    stages = plan.runs["positioning"].plan["stages"].set_index("stage")
    offers = plan.runs["allocation"].plan["offers"].sort_values(["price", "lead_time"]).drop_duplicates("item")
    for row in offers.itertuples():
        assert stages.loc[f"{row.item}@DEPOT", "lead_time"] == row.lead_time * 7
    target = plan.runs["ordering"].inputs["safety_stock"].set_index(["item", "site"])["quantity"]
    assert len(target) == 12
    for key, quantity in target.items():
        assert quantity == pytest.approx(stages.loc["@".join(key), "safety_stock"])  # type: ignore[arg-type]


def test_what_was_handed_over_is_said(plan: Plan) -> None:
    """A row a table, with how many rows of the case's own it replaced."""
    rows = list(plan.handed_over.itertuples(index=False, name=None))
    awarded = len(plan.runs["allocation"].plan["offers"])
    assert rows == [
        ("offers", "allocation", "positioning", awarded, 24),
        ("offers", "allocation", "ordering", awarded, 24),
        ("safety_stock", "positioning", "ordering", 12, 0),
        ("shares", "allocation", "ordering", awarded, 0),
    ]
    assert plan.summary["family"].tolist() == ["allocation", "positioning", "ordering"]


def test_a_plan_is_one_folder(plan: Plan, tmp_path: Path) -> None:
    """Summary, what was handed over, and each run as an ordinary run folder."""
    folder = plan.save(tmp_path)
    record = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert [step["family"] for step in record["steps"]] == ["allocation", "positioning", "ordering"]
    for step in record["steps"]:
        run = echelon.Run.load(folder / step["run"])
        assert run.outcome == plan.runs[step["family"]].outcome
    assert pd.read_csv(folder / "summary.csv")["objective"].tolist() == pytest.approx(
        [run.outcome.objective for run in plan.runs.values()]
    )
    assert len(pd.read_csv(folder / "handed_over.csv")) == 4
    again = Plan.load(folder)
    assert again.summary.equals(pd.read_parquet(folder / "summary.parquet")) and list(again.runs) == list(plan.runs)
    shown = cli("show", folder)
    assert shown.exit_code == 0 and "offers: 6 row(s) of allocation go to ordering" in shown.stdout


def test_a_plan_has_a_page_from_which_each_run_is_a_click_away(plan: Plan, tmp_path: Path) -> None:
    """What decides last is the headline; the other pages lie where the links point."""
    folder = plan.save(tmp_path)
    done = cli("report", folder)
    assert done.exit_code == 0 and ended_well(done), done.stderr
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "Ordering, decided last, costs " in page
    links = re.findall(r'<li><a href="(steps/[^"]+)">The report of (\w+)</a>', page)
    assert [family for _, family in links] == ["allocation", "positioning", "ordering"]
    for link, family in links:
        assert f"{family} plan</title>" in (folder / link).read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["{", "[]", '{"schema_version": 9}', '{"schema_version": 1, "steps": [{}]}'])
def test_a_damaged_plan_is_told(tmp_path: Path, text: str) -> None:
    """A finding, no traceback, whichever command reads it."""
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    for command in ("report", "show"):
        done = cli(command, tmp_path)
        assert done.exit_code == 2 and ended_well(done) and "plan.json" in done.stderr


def test_nothing_is_written_if_one_family_has_no_plan(tmp_path: Path) -> None:
    """Half a sequence is no plan; the exit code says why."""
    case = shutil.copytree(ALDER, tmp_path / "case")
    (case / "supplier_capacity.csv").write_text(
        "supplier,capacity,hard\n" + "".join(f"{s},1,true\n" for s in ("NORLYS", "BRENN", "KUNLUN", "MEKONG", "TATRA"))
    )
    (case / "shortages.csv").write_text("item,site,policy\n,,none\n")
    done = cli("plan", case, "--out", tmp_path / "runs", "--time-limit", 20)
    assert done.exit_code == 3 and ended_well(done), done.stderr
    assert "planning ordering" in done.stderr and not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('family = "ordering"\n', "which families to plan"),
        ("plan = []\n", "which families to plan"),
        ('plan = "ordering"\n', "which families to plan"),
        ('plan = ["ordering", "ordering"]\n', "stands twice"),
        ('plan = ["ordring"]\n', "no such family"),
        ('plan = ["ordering"]\n[ordering]\ncolour = 1\n', "no such option"),
        ('plan = ["ordering"]\nordering = 3\n', "no such option"),
    ],
)
def test_a_sequence_that_is_none_is_told(tmp_path: Path, toml: str, words: str) -> None:
    done = cli("plan", write(tmp_path / "case", SMALL, toml), "--out", tmp_path / "runs")
    assert done.exit_code == 2 and ended_well(done) and words in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("result", "target", "expected"),
    [
        (("allocation", "offers"), ("ordering", "offers"), True),
        (("allocation", "shares"), ("ordering", "shares"), True),
        (("positioning", "safety_stock"), ("ordering", "safety_stock"), True),
        (("allocation", "offers"), ("allocation", "offers"), False),
        (("network", "sites"), ("ordering", "sites"), False),
        (("positioning", "stages"), ("positioning", "stages"), False),
    ],
)
def test_tables_fit_by_name_and_columns(result: tuple[str, str], target: tuple[str, str], expected: bool) -> None:
    """A column that the other family does not know, or one that it needs and is not there, keeps a table out."""
    assert fits(table(*result, results=True), table(*target)) is expected


def test_own_rows_lend_columns_and_are_left_out() -> None:
    """The result decides which rows there are; the case's rows of the same key say what the result does not."""
    offers = table("ordering", "offers")
    own = offers.empty().reindex(range(2)).assign(
        supplier=["S", "T"], item="A", site="MAIN", price=[9.0, 8.0], line_cost=[5.0, 6.0], status="include"
    )  # fmt: skip
    rows = pd.DataFrame({"supplier": ["S", "U"], "item": "A", "site": "MAIN", "price": [7.0, 6.5], "lead_time": 2})
    made, replaced = hand_over(rows, own, offers)
    found = made.set_index("supplier")
    assert replaced == 2 and list(found.index) == ["S", "U", "T"]
    assert found["price"].tolist() == [7.0, 6.5, 8.0]
    assert found.loc["S", "line_cost"] == 5.0 and pd.isna(found.loc["U", "line_cost"])
    assert found.loc["T", "status"] == "exclude" and found.loc["S", "status"] == "include"


@pytest.fixture(scope="module")
def silo_case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The full case without pinned orders, its budgets hard."""
    lean = {name: text for name, text in FULL.items() if name != "pinned_orders"}
    lean["budgets"] = "department,period,amount,carry_over,hard\nTools,,600,true,true\n,W2,900,,true\n"
    return write(tmp_path_factory.mktemp("silos") / "case", lean)


@pytest.fixture(scope="module")
def silos(silo_case: Path, tmp_path_factory: pytest.TempPathFactory) -> Silos:
    return price_of_silos(silo_case, tmp_path_factory.mktemp("out"), gap=0.0)


def test_no_silo_beats_the_plan_made_together(silos: Silos) -> None:
    """All are scored on the same true cost; of plans within the rules the one made together is the proven cheapest."""
    plans = silos.table.set_index("plan")
    assert list(plans.index) == ["together", "purchasing", "operations", "finance"]
    allowed = plans[plans["rules_broken"] == 0]
    assert (allowed["more_than_together"] >= -1e-6).all()
    assert (allowed["more_than_together"] > 1).any(), "a case in which silos cost nothing teaches nothing"


def test_a_silo_may_break_a_rule_and_is_told_so(silos: Silos) -> None:
    """Operations does not look at the budgets, which are hard for the whole: its plan is scored, the break counted."""
    broken = silos.table.set_index("plan")["rules_broken"]
    assert broken["operations"] > 0 and broken["together"] == broken["finance"] == 0


def test_each_silo_is_best_at_its_own_aim(silos: Silos) -> None:
    """Purchasing pays least for goods, operations is never short of what it could cover, finance holds least stock."""
    plans = silos.table.set_index("plan")
    short = plans["cost.waiting demand"] + plans["cost.demand never served"] + plans["cost.safety stock shortfall"]
    assert plans.loc["purchasing", "cost.purchase"] <= plans["cost.purchase"].min() + 1e-6
    assert short["operations"] <= short.min() + 1e-6
    assert plans["kpi.average_inventory_value"].idxmin() == "finance"


def test_the_score_of_the_plan_together_is_its_own_cost(silos: Silos, silo_case: Path) -> None:
    """Restating a plan for its own case changes nothing: the lines are those of the run."""
    run, row = silos.study.run("together"), silos.table.iloc[0]
    assert row["total"] == pytest.approx(run.outcome.objective)
    assert {name: row[f"cost.{name}"] for name in run.costs} == pytest.approx(run.costs)
    ready = prepare(silo_case)
    full = ready.family.complete(ready.inputs, ready.options)
    assert ready.family.restate is not None
    again = ready.family.restate(full, run.plan)
    for name in ("orders", "transfers", "inventory"):
        pd.testing.assert_frame_equal(again[name], run.plan[name])
    assert not ready.family.recheck(full, ready.options, again).violations


def test_a_family_without_silos_says_so(tmp_path: Path) -> None:
    done = cli("silos", ALDER / "allocation", "--family", "allocation", "--out", tmp_path)
    assert done.exit_code == 2 and ended_well(done) and "does not say what its silos are" in done.stderr


def test_the_silos_command_prints_the_table(silos: Silos, silo_case: Path) -> None:
    folder = silos.study.folder
    done = cli("silos", silo_case, "--gap", 0, "--out", folder.parent, "--name", folder.name)
    assert done.exit_code == 0, done.stderr
    assert "more than together" in done.stdout and "purchasing" in done.stdout
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "silos.parquet"), silos.table)


def test_a_silo_without_a_plan_is_left_out_and_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table compares the others all the same."""
    family = families()["ordering"]
    impossible = ({"table": "options", "column": "shortage_policy", "set": "none"}, {"table": "offers", "drop": True})
    broken = replace(family, silos=(replace(family.silos[0], edits=impossible),))
    monkeypatch.setattr("echelon.run.families", lambda: {"ordering": broken})
    found = price_of_silos(write(tmp_path / "case", SMALL), tmp_path / "out")
    assert found.table["plan"].tolist() == ["together"]
    assert found.study.failed["scenario"].tolist() == ["purchasing"]


def test_a_case_of_the_wrong_kind_has_no_silos(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        price_of_silos(tmp_path / "none", tmp_path / "out")
