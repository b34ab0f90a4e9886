"""The book of a recheck: what may differ by rounding does, and nothing that cannot be compared slips through."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from echelon.book import Book, index_of

BLANK = math.nan


def broken(method: str, left: list[float], right: object, **more: object) -> list[str]:
    """The places at which the rule is broken; they are named a, b, c."""
    book = Book()
    names = pd.Index(list("abcdef")[: len(left)])
    getattr(book, method)(
        "rule", pd.Series(left, names), pd.Series(right) if isinstance(right, list) else right, **more
    )
    assert book.rules == {"rule"}
    return [violation.where for violation in book.violations]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1.0, 2.0, 3.0], 2.0, ["c"]),
        ([1.0, 2.0], [2.0, 1.0], ["b"]),
        ([1.000009, 1.00002], 1.0, ["b"]),  # 1e-5, and 1e-6 of the size
        ([1e6 + 0.9, 1e6 + 1.2], 1e6, ["b"]),
        ([BLANK, 1.0, BLANK], [1.0, BLANK, BLANK], ["a", "b", "c"]),
        ([math.inf, 1.0, -math.inf], [1.0, math.inf, 0.0], ["a"]),
        ([], 1.0, []),
    ],
)
def test_at_most(left: list[float], right: object, expected: list[str]) -> None:
    assert broken("at_most", left, right) == expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1.0, 2.0], [1.0, 1.0], ["b"]),
        ([1.0, 1e6], [1.000009, 1e6 + 0.9], []),
        ([BLANK, BLANK, 1.0], [BLANK, 1.0, BLANK], ["b", "c"]),
        ([math.inf, 1.0, math.inf], [1.0, -math.inf, math.inf], ["a", "b"]),
    ],
)
def test_equal(left: list[float], right: object, expected: list[str]) -> None:
    assert broken("equal", left, right) == expected


def test_what_is_added_up_may_differ_by_the_size_of_its_parts() -> None:
    """A difference of two large sums is as exact as the sums."""
    assert broken("equal", [0.0], [0.5]) == ["a"]
    assert broken("equal", [0.0], [0.5], scale=1e6) == []


def test_values_of_any_type_are_the_same_or_both_blank() -> None:
    days = pd.Series(pd.to_datetime(["2026-01-05", None, "2026-01-12"]), list("abc"))
    book = Book()
    book.same("day", days, pd.to_datetime(pd.Series(["2026-01-05", None, None])))
    book.same("name", pd.Series(["x", "y"], list("de")), ["x", "z"])
    assert [(v.rule, v.where) for v in book.violations] == [("day", "c"), ("name", "e")]


def test_no_key_stands_twice() -> None:
    frame = pd.DataFrame({"item": ["A", "A", "B"], "site": ["M", "M", "M"], "n": [1, 2, 3]})
    book = Book()
    assert book.once("row", frame, ["item", "site"])["n"].tolist() == [1, 3]
    assert book.once("row", frame.set_index("item"))["n"].tolist() == [1, 3]
    assert [violation.where for violation in book.violations] == ["A, M", "A"]
    assert index_of(frame, ["item"]).tolist() == ["A", "A", "B"]


def test_one_place_at_a_time() -> None:
    """As for columns: rounding is forgiven, a blank is not, and what has no limit keeps it."""
    book = Book()
    for where, amount, allowed in (("a", 1.000009, 1.0), ("b", 1.1, 1.0), ("c", BLANK, 1.0), ("d", 1e9, math.inf)):
        book.over("over", where, amount, allowed)
    for where, told, true in (("a", 1.0, 1.0), ("b", 1.1, 1.0), ("c", BLANK, BLANK), ("d", 1.0, BLANK)):
        book.agrees("agrees", where, told, true)
    book.holds("holds", "a", True)
    book.holds("holds", "b", False)
    found = [(violation.rule, violation.where) for violation in book.violations]
    assert found == [("over", "b"), ("over", "c"), ("agrees", "b"), ("agrees", "d"), ("holds", "b")]
    assert book.rules == {"over", "agrees", "holds"}
