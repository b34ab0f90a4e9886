"""What is told of limits and suggestions, on linear programmes and tables small enough to check by hand."""

from __future__ import annotations

import time

import pandas as pd
import pyomo.environ as pyo
import pytest

from echelon.errors import Suggestion
from echelon.explain.limits import LIMIT, bottlenecks, ease_limits, limit_frame
from echelon.explain.suggest import heed
from echelon.explain.words import in_words
from echelon.schema import InputRow, Table, Text, column
from echelon.solvers import highs
from echelon.solvers.held import Held

LATER = 1e9  # a moment that does not come


def shop(wood: float, labour: float) -> tuple[Held, pd.DataFrame]:
    """Tables take 2 wood and 1 labour and are worth 10, chairs 1 and 1 and worth 6, at most 8 of each; the shop is
    open (a yes-or-no decision) and burns what is left over. Wood and labour are limits."""
    m = pyo.ConcreteModel()
    m.tables, m.chairs = pyo.Var(bounds=(0, 8)), pyo.Var(bounds=(0, 8))
    m.open = pyo.Var(domain=pyo.Binary)
    m.wood = pyo.Constraint(expr=2 * m.tables + m.chairs <= wood)
    m.labour = pyo.Constraint(expr=m.tables + m.chairs <= labour)
    m.if_open = pyo.Constraint(expr=m.tables + m.chairs <= 16 * m.open)
    m.total = pyo.Objective(expr=3 * m.open - 10 * m.tables - 6 * m.chairs)
    solution = highs.solve(m, prices=True)
    assert solution.held is not None
    rows = [("stuff", "wood", "planks", None, wood, m.wood), ("stuff", "labour", "hours", None, labour, m.labour)]
    return solution.held, limit_frame(rows, solution.held)


def saved(eased: pd.DataFrame, name: str, share: float) -> float:
    return float(eased.loc[(eased["name"] == name) & (eased["share"] == share), "saving"].item())


def test_a_limit_is_worth_what_the_plan_saves_when_it_is_solved_again() -> None:
    """10 wood and 8 labour: 2 tables, 6 chairs. A plank turns a chair into a table and is worth 4 until, with 16, all
    are tables; an hour turns a table into two chairs and is worth 2. Ten per cent of each: 1 plank, 0.8 hours."""
    held, rows = shop(10.0, 8.0)
    eased = ease_limits(held, rows, time.monotonic() + LATER)
    assert (saved(eased, "wood", 0.1), saved(eased, "labour", 0.1)) == (pytest.approx(4.0), pytest.approx(1.6))
    curve = eased[eased["name"] == "wood"].sort_values("added")
    assert curve["added"].tolist() == pytest.approx([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0])
    assert curve["saving"].tolist() == pytest.approx([0.4, 0.8, 2.0, 4.0, 8.0, 20.0, 24.0]), "6 planks and no more"
    assert curve["price"].tolist()[:6] == pytest.approx([4.0] * 6)
    assert curve["price"].tolist()[6] == pytest.approx(0.0)
    assert curve["binds_next"].tolist()[-1] == "stuff of labour"


def test_without_time_nothing_is_made_up() -> None:
    """Where no time is left to solve again the table is empty, and the words say that they rest on prices."""
    held, rows = shop(10.0, 8.0)
    eased = ease_limits(held, rows, time.monotonic() - 1.0)
    limits = rows.assign(use=rows["capacity"], excess=0.0, price=[4.0, 2.0])
    assert eased.empty
    assert "no time was left to solve again" in in_words(eased, limits, " EUR", "all")


def test_limits_that_help_only_together_are_told_as_such() -> None:
    """A pair needs one of each: more of one alone saves nothing, though one of them has a price."""
    m = pyo.ConcreteModel()
    m.pairs = pyo.Var(bounds=(0, 9))
    m.left, m.right = pyo.Constraint(expr=m.pairs <= 5), pyo.Constraint(expr=m.pairs <= 5 + 0.0 * m.pairs)
    m.total = pyo.Objective(expr=-2 * m.pairs)
    solution = highs.solve(m, prices=True)
    assert solution.held is not None
    rows = [("shoes", "left", "units", None, 5.0, m.left), ("shoes", "right", "units", None, 5.0, m.right)]
    frame = limit_frame(rows, solution.held)
    eased = ease_limits(solution.held, frame, time.monotonic() + LATER)
    limits = frame.assign(use=5.0, excess=0.0, price=[2.0, 0.0])
    assert (eased["saving"] == 0).all()
    assert "No shared limit" not in in_words(eased, limits, "", "all"), "it has a price: it is not said to be idle"


def test_the_words_say_worth_range_and_what_binds_next() -> None:
    """What a manager reads: which limit, what 10% more saves, what one more is worth and how far that goes."""
    held, rows = shop(10.0, 8.0)
    limits = rows.assign(use=rows["capacity"], excess=0.0, price=[4.0, 2.0])
    told = in_words(ease_limits(held, rows, time.monotonic() + LATER), limits, " EUR", "all")
    assert told.startswith("The stuff of wood holds the plan back most: 10% more of it (+1 plank) saves 4 EUR")
    assert "One more plank is worth 4 EUR at first, at least half of that up to +5; then the stuff of labour" in told


def test_bottlenecks_of_each_period_and_what_feeds_them() -> None:
    """The limit worth most in each period or, where none is worth anything, used most; items by what they use."""
    keys = [("budget", "", "money", "1"), ("storage", "M", "m³", "1"), ("budget", "", "money", "2"),
            ("storage", "M", "m³", "2")]  # fmt: skip
    limits = pd.DataFrame(keys, columns=[*LIMIT, "period"]).assign(
        capacity=[100.0, 10.0, 100.0, 10.0], use=[100.0, 10.0, 50.0, 9.0], price=[0.5, 2.0, 0.0, 0.0]
    )
    feeders = pd.DataFrame(
        [(*keys[0], "A", 60.0), (*keys[0], "B", 40.0), (*keys[3], "A", 3.0), (*keys[3], "B", 6.0)],
        columns=[*LIMIT, "period", "item", "use"],
    )
    found = bottlenecks(limits, feeders)
    assert found["period"].tolist() == ["1", "1", "2", "2"]
    assert found["limit"].tolist() == ["budget", "budget", "storage", "storage"]
    assert found["item"].tolist() == ["A", "B", "B", "A"]
    assert found["item_share"].tolist() == pytest.approx([0.6, 0.4, 2 / 3, 1 / 3])


class Room(InputRow):
    """Room at a site."""

    site: Text = column("Site", example="M", key=True)
    period: Text = column("Period; blank: all", example="1", key=True, default="")
    capacity: float = column("Room", example=5.0, ge=0)
    hard: bool = column("Whether it is hard", example=True, default=False)


def suggestion(would_do: float, period: str = "2", site: str = "M") -> Suggestion:
    key = {"site": site, "period": period}
    return Suggestion("room", "is too small", "More", column="capacity", key=key, every=("period",), would_do=would_do)


def test_heeding_changes_the_row_that_is_meant_and_no_other() -> None:
    """A row that stands for every period keeps doing so for the others; hard limits stay hard; a case that left out a
    column, or the table, gets it."""
    room = Table("room", Room)
    own = pd.DataFrame(
        {"site": ["M", "M", "N"], "period": ["", "2", "2"], "capacity": 5.0, "hard": [True, True, False]}
    )
    first = heed({"room": own}, [suggestion(9.0)], [room])["room"]
    assert first[["site", "period", "capacity"]].to_numpy().tolist() == [
        ["M", "", 5.0],
        ["M", "2", 9.0],
        ["N", "2", 5.0],
    ]
    every = pd.DataFrame({"site": ["M"], "capacity": [5.0], "hard": [True]})
    second = heed({"room": every}, [suggestion(9.0), suggestion(7.0, "3")], [room])["room"]
    assert second[["period", "capacity", "hard"]].to_numpy().tolist() == [
        ["", 5.0, True],
        ["2", 9.0, True],
        ["3", 7.0, True],
    ]
    third = heed({}, [suggestion(9.0)], [room])["room"]
    assert third[["site", "period", "capacity"]].to_numpy().tolist() == [["M", "2", 9.0]]
    assert every.columns.tolist() == ["site", "capacity", "hard"], "what the caller gave is left alone"
