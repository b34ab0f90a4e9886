"""Sweeps and frontiers: the differences are those of the costs, the bounds hold them, the knee is where it must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import echelon
from echelon.edits import apply, parse_edits
from echelon.errors import InputError
from echelon.family import Aim
from echelon.study import frontier_of, own_frontier, parse_dial, run_frontier, run_sweep
from echelon.study.frontier import edits_at, knee_of, non_dominated
from echelon.study.results import measure
from echelon.study.scenarios import sheets_of
from echelon.study.sweep import Sweep
from echelon.tables import Case

from .cases import SMALL, ended_well, write
from .cases import echelon as cli

DATA = Path(__file__).parents[2] / "data"

# Demand of 10, 20, 30 that may not wait, an order costs 200: one order carries 80 unit-weeks, two carry 20, three none.
TRADING = SMALL | {
    "offers": "supplier,item,price,line_cost\nACME,A,2,200\n",
    "shortages": "item,site,policy\n,,none\n",
}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("sweep") / "case", SMALL)


@pytest.fixture(scope="module")
def tornado(case: Path, tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    dials = [
        parse_dial("offers.line_cost"),
        parse_dial("offers.price"),
        parse_dial("demand.quantity[period=2026-01-19]"),
    ]
    return run_sweep(case, dials, tmp_path_factory.mktemp("out"), by=[0.9, 1.1], gap=0.0)


def test_each_level_changes_cost_by_what_it_must(tornado: Sweep) -> None:
    """60 units at 2: a tenth of the price is 12, a tenth of the last demand (30) is 3 units at 2."""
    table = tornado.table.set_index("scenario")
    price = table.loc[["offers.price x 0.9", "offers.price x 1.1"], "difference"]
    assert price.tolist() == pytest.approx([-12, 12], abs=0.2)
    demand = table.loc["demand.quantity[period=2026-01-19] x 1.1", "difference"]
    assert demand == pytest.approx(6, abs=0.2)
    assert table.loc["as it is", "difference"] == 0


def test_the_difference_lies_between_its_bounds(tornado: Sweep) -> None:
    """With proven plans all three are the same."""
    table = tornado.table
    assert (table["least_difference"] <= table["difference"] + 1e-9).all()
    assert (table["difference"] <= table["most_difference"] + 1e-9).all()
    assert table["most_difference"].tolist() == pytest.approx(table["least_difference"].tolist())


def test_the_tornado_has_the_widest_swing_first(tornado: Sweep) -> None:
    """Price moves 24, the last demand 12, the cost of a line least."""
    bars = tornado.tornado
    assert bars["column"].tolist() == ["offers.price", "demand.quantity[period=2026-01-19]", "offers.line_cost"]
    assert bars["swing"].tolist()[:2] == pytest.approx([24, 12], abs=0.3)
    assert (bars["low_level"] == 0.9).all() and (bars["high_level"] == 1.1).all()


def test_the_tables_of_a_sweep_lie_in_its_folder(tornado: Sweep) -> None:
    """A report draws from these."""
    for name, frame in (("sweep", tornado.table), ("tornado", tornado.tornado)):
        pd.testing.assert_frame_equal(pd.read_parquet(tornado.study.folder / f"{name}.parquet"), frame)


def test_a_grid_has_all_combinations(case: Path, tmp_path: Path) -> None:
    """Two dials set to two values each: four plans and the case as it is."""
    dials = [parse_dial("offers.price"), parse_dial("offers.line_cost")]
    table = run_sweep(case, dials, tmp_path, to=[1, 3], grid=True, gap=0.0).table.iloc[1:]
    assert table[["level", "level_2"]].to_numpy().tolist() == [[1, 1], [1, 3], [3, 1], [3, 3]]
    assert table["objective"].is_monotonic_increasing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("budgets.amount", ("budgets", "amount", {})),
        (" options.holding_rate ", ("options", "holding_rate", {})),
        ("demand.quantity[item=A]", ("demand", "quantity", {"item": {"=": "A"}})),
        (
            "demand.quantity[item = A-1 x, period >= W2, period<W4]",
            ("demand", "quantity", {"item": {"=": "A-1 x"}, "period": {">=": "W2", "<": "W4"}}),
        ),
        ("budgets.amount[department=]", ("budgets", "amount", {"department": {"=": ""}})),
    ],
)
def test_a_dial_is_read(text: str, expected: tuple[str, str, dict[str, dict[str, str]]]) -> None:
    """Table, column, and the rows it is about."""
    dial = parse_dial(text)
    assert (dial.table, dial.column, dial.where) == expected


@pytest.mark.parametrize("text", ["", "budgets", "budgets.", "a.b.c", "a.b[c]", "a.b[c=1", "a.b]c=1["])
def test_what_is_no_dial_is_told(text: str) -> None:
    with pytest.raises(InputError, match="names no column"):
        parse_dial(text)


BAD_SWEEPS: list[list[str]] = [
    [],
    ["--column", "offers.price"],
    ["--column", "offers.price", "--by", "a"],
    ["--column", "offers.price", "--by", "0.9", "--to", "3"],
    ["--column", "offers.price", "--by", "0.9,0.9"],
    ["--column", "offers.price", "--column", "offers.price", "--by", "0.9"],
    ["--column", "offers.price", "--by", "0.9", "--grid"],
    ["--column", "offers.supplier", "--by", "0.9"],
    ["--column", "offer.price", "--by", "0.9"],
    ["--column", "offers.price[item=Z]", "--by", "0.9"],
    ["--column", "offers.price", "--by", "-1"],
]


@pytest.mark.parametrize("arguments", BAD_SWEEPS, ids=" ".join)
def test_a_sweep_that_is_none_is_told(case: Path, tmp_path: Path, arguments: list[str]) -> None:
    """Before anything is solved."""
    done = cli("sweep", case, *arguments, "--out", tmp_path / "out")
    assert done.exit_code == 2 and ended_well(done) and "error" in done.stderr
    assert not list(tmp_path.rglob("run.json"))


def test_the_sweep_command_prints_levels_and_the_tornado(case: Path, tornado: Sweep) -> None:
    """What was run before is printed at once."""
    done = cli("sweep", case, "--column", "offers.line_cost", "--column", "offers.price", "--by", "0.9,1.1", "--gap", 0,
               "--out", tornado.study.folder.parent, "--name", tornado.study.folder.name)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "What moves cost most" in done.stdout and "offers.price" in done.stdout
    assert "kept from before" in done.stderr


points = st.lists(st.tuples(*[st.integers(0, 8)] * 2), min_size=0, max_size=12)


@given(points)
def test_non_dominated_points_are_those_that_no_other_beats(given_points: list[tuple[int, int]]) -> None:
    """Against the definition, point by point; of equal points one is kept."""
    losses = np.array(given_points, dtype=float).reshape(-1, 2)
    kept = [p for p, k in zip(given_points, non_dominated(losses), strict=True) if k]
    best = {
        p for p in given_points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in given_points)
    }  # fmt: skip
    assert sorted(kept) == sorted(best)


def test_the_knee_is_furthest_below_the_chord() -> None:
    """On the quarter circle around (1, 1) it is the middle, whatever the scales; on or above a line there is none."""
    angles = np.linspace(0, np.pi / 2, 11)
    circle = np.column_stack([1 - np.cos(angles), 1 - np.sin(angles)])
    assert knee_of(circle * [1000, 0.1]) == 5
    line = np.column_stack([np.arange(5.0), 4 - np.arange(5.0)])
    assert knee_of(line) is None
    assert knee_of(np.column_stack([np.cos(angles), np.sin(angles)])) is None
    assert knee_of(line[:2]) is None and knee_of(np.zeros((0, 2))) is None


def test_a_frontier_of_ones_own_trades_stock_for_orders(tmp_path: Path) -> None:
    """A unit-week costs 0.038 times the rate: a second order pays from a rate of 87 on, a third from 261."""
    case = write(tmp_path / "case", TRADING)
    aims = [Aim("orders", "cost.order lines"), Aim("stock", "kpi.average_inventory_value")]
    frontier = own_frontier(parse_dial("options.holding_rate"), [], [10, 150, 400], aims)
    curve = run_frontier(case, frontier, tmp_path / "out", gap=0.0)
    points = curve.points
    assert points["level"].tolist() == [10, 150, 400]
    assert points["orders"].is_monotonic_increasing and points["stock"].is_monotonic_decreasing
    assert not points["dominated"].any()
    assert points["orders"].tolist() == [200, 400, 600]


def test_the_declared_frontier_meets_its_levels(tmp_path: Path) -> None:
    """Cost against service, by a limit on the fill rate: at each level the fill rate is kept, and costs no less."""
    stock = {"stock": "item,site,quantity\nA,MAIN,1\n"}
    case = write(tmp_path / "case", TRADING | stock)
    points = run_frontier(case, frontier_of(case, None, "service"), tmp_path / "out", gap=0.0).points
    assert (points["fill rate"] >= points["level"] - 1e-6).all()
    assert points["cost"].is_monotonic_increasing


@pytest.mark.slow
def test_ends_span_the_levels(tmp_path: Path) -> None:
    """Without levels of its own a frontier runs from the best plan in one aim to the best in the other."""
    root = DATA / "alder_outdoor" / "allocation"
    quick = {"price_rules": False, "value_information": False, "renegotiate": 0}
    curve = run_frontier(root, frontier_of(root, "allocation", "risk"), tmp_path, "allocation", points=4, options=quick)
    best = curve.points[~curve.points["dominated"]].sort_values("expected cost")
    assert len(curve.points) == 4 and len(best) >= 2
    assert best["worst cost"].is_monotonic_decreasing
    assert (curve.points["expected cost"] <= curve.points["level"] * (1 + 1e-6)).all()


def test_a_measure_may_be_a_sum() -> None:
    """`objective - cost.holding` is what the rest costs; a typo is told with what there is."""
    table = pd.DataFrame({"objective": [10.0, 20.0], "cost.holding": [1.0, 2.0], "cost.a b": [0.5, 0.5]})
    assert measure(table, "objective - cost.holding + cost.a b").tolist() == [9.5, 18.5]
    with pytest.raises(InputError, match=r"cost\.holding"):
        measure(table, "objective - cost.holdin")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--of", "glory"],
        ["--column", "offers.price", "--by", "1,2", "--less", "objective"],
        ["--column", "offers.price", "--less", "objective", "--more", "level"],
        ["--column", "offers.price", "--by", "1", "--to", "2", "--less", "objective", "--more", "level"],
        ["--column", "offers.price", "--by", "1,2", "--less", "objective", "--more", "kpi.joy"],
    ],
    ids=" ".join,
)
def test_a_frontier_that_is_none_is_told(case: Path, tmp_path: Path, arguments: list[str]) -> None:
    done = cli("frontier", case, *arguments, "--out", tmp_path)
    assert done.exit_code == 2 and ended_well(done) and "error" in done.stderr


@pytest.mark.parametrize("family", echelon.families().values(), ids=lambda f: f.name)
def test_declared_frontiers_and_silos_are_well_formed(family: echelon.Family) -> None:
    """Each names tables, columns and options that the family has; levels or ends, not both; names once."""
    declared = {table.name: table for table in family.inputs}
    for edits in [f.edits for f in family.frontiers] + [s.edits for s in family.silos]:
        for edit in edits:
            fields = family.options.model_fields if edit["table"] == "options" else declared[edit["table"]].columns
            assert edit.get("column") is None or edit["column"] in fields
            assert all(set(row) <= set(fields) for row in edit.get("append", []))
    for frontier in family.frontiers:
        assert bool(frontier.levels) != bool(frontier.ends)
    names = [f.name for f in family.frontiers] + [s.name for s in family.silos]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("case", "family"),
    [
        ("harbor_tools", "ordering"),
        ("alder_outdoor", "ordering"),
        ("alder_outdoor", "positioning"),
        ("nordkaup_appliances", "positioning"),
        ("vela_bikes", "allocation"),
        ("continental_kitchens", "network"),
    ],
)
def test_what_families_declare_applies_to_the_sample_cases(case: str, family: str) -> None:
    """The first and last level of every frontier, and every silo, makes a valid case of the sample."""
    loaded, declared = echelon.read(DATA / case), echelon.families()[family]
    sheets = sheets_of(loaded, declared, {})
    edits = [edits_at(f, level) for f in declared.frontiers for level in f.levels[:1] + f.levels[-1:] or (1e6,)]
    edits += [parse_edits(end, f.name) for f in declared.frontiers for end in f.ends]
    edits += [parse_edits(silo.edits, silo.name) for silo in declared.silos]
    assert edits
    for one in edits:
        after = apply(one, sheets, "declared")
        echelon.check(Case(case, after.tables, loaded.settings), family, after.options)
