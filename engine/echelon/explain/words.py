"""What holds a plan back, in words for its one page."""

from __future__ import annotations

import pandas as pd

from echelon.explain.limits import LIMIT, SHARE, TOGETHER, called, worth_by_price

HOW = {
    "held": "the plan's yes-or-no decisions held",
    "weighed": "the plans found so far mixed anew",
    "anew": "everything planned anew",
    "searched": "by searching again (the difference of two plans: no bound is known)",
}
WHOLE = ("anew", "searched")  # ways in which everything is decided again


def in_words(eased: pd.DataFrame, limits: pd.DataFrame, money: str, whole: str, what: str = "") -> str:
    """The limit that holds the plan back most, what one more unit is worth, over which range, and what binds next.
    `whole` is whose a limit without a name is, `what` stands before the kinds of limits."""
    anew = eased[eased["how"].isin(WHOLE)]
    first_steps = anew.sort_values("added", kind="stable").drop_duplicates(LIMIT)
    compared = first_steps if len(anew) else eased[eased["share"] == SHARE]
    if compared.empty or compared["saving"].max() <= 0:
        return _none_in_words(limits, money, whole)
    top = compared.loc[compared["saving"].idxmax()]
    if top["limit"] == TOGETHER:
        return (
            f"No single limit holds the plan back, but several together: {top['name']}. "
            f"{SHARE:.0%} more of each saves {figure(top['saving'])}{money}, {HOW[top['how']]}."
        )
    each = " in every period" if "period" in limits and len(_rows_of(limits, top)) > 1 else ""
    who = f"{what} {called(top['limit'], top['name'], whole)}".strip()
    unit = money.strip() if top["unit"] == "money" and money else top["unit"]
    amount = f"+{figure(top['added'])} {unit.removesuffix('s') if top['added'] == 1 else unit}"
    text = (
        f"The {who} holds the plan back most: {top['share']:.0%} more of it ({amount}{each}) "
        f"saves {figure(top['saving'])}{money}, {HOW[top['how']]}."
    )
    return f"{text} {_curve_in_words(eased, top, unit, each, money)}{_where(limits, top, unit)}"


def _curve_in_words(eased: pd.DataFrame, top: pd.Series, unit: str, each: str, money: str) -> str:
    """What the first more units of a limit are worth, how far that goes, what binds next."""
    rows = _rows_of(eased, top).sort_values("added")
    quick, whole = rows[~rows["how"].isin(WHOLE)], rows[rows["how"].isin(WHOLE)]
    curve = quick if len(quick) > 1 else whole if len(whole) else rows.tail(1)
    first, one = curve.iloc[0], unit.removesuffix("s")
    worth = first["saving"] / first["added"]
    kept = curve[curve["price"] >= 0.5 * worth]
    last = kept.iloc[-1] if len(kept) else first
    reach = (
        f", at least half of that up to +{figure(last['added'])}" if len(kept)
        else f", less beyond +{figure(last['added'])}" if pd.notna(last["price"])
        else ""
    )  # fmt: skip
    after = curve[curve["added"] > last["added"]]
    following = (after.iloc[0] if len(after) else last)["binds_next"]
    then = f"; then the {following} binds" if following else ""
    return f"One more {one}{each} is worth {figure(worth)}{money} at first{reach}{then}."


def _rows_of(frame: pd.DataFrame, top: pd.Series) -> pd.DataFrame:
    """The rows of the limit of a row of `eased`."""
    return frame[(frame[LIMIT] == top[LIMIT]).all(axis=1)]


def _where(limits: pd.DataFrame, top: pd.Series, unit: str) -> str:
    """In which periods a limit has a price, and by how much it is exceeded."""
    rows = _rows_of(limits, top)
    priced = rows[rows["price"] > 0]
    where = ""
    if "period" in rows and len(priced):
        dearest = priced.loc[priced["price"].idxmax(), "period"]
        where = f" It binds in {len(priced)} of {rows['period'].nunique()} periods, most in {dearest}."
    over = rows["excess"].sum() if "excess" in rows else 0.0
    return where + (f" It is exceeded by {over:,.1f} {unit} in all." if over >= 0.05 else "")


def _none_in_words(limits: pd.DataFrame, money: str, whole: str) -> str:
    """Where no easing saves anything, or none was tried."""
    worth = worth_by_price(limits)
    best = max(worth, key=lambda key: worth[key], default=None)
    if best is not None and worth[best] > 0:
        return (
            f"By its price the {called(*best[:2], whole)} holds the plan back most; no time was left to solve again "
            f"with it eased. {SHARE:.0%} more of it would save about {figure(worth[best])}{money}."
        )
    exceeded = "excess" in limits and bool((limits["excess"] > 0).any())
    return "No limit has a price in this plan." if exceeded else "No shared limit holds this plan back."


def figure(value: float) -> str:
    """A figure to three digits, or to its whole part where that has more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
