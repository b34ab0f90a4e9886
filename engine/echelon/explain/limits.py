"""What limits are worth: a linear programme solved again with one after the other eased; and where a plan is tightest.

A limit may stand in many rows (a budget, in every period); easing it means as much more in each of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from echelon.explain.schema import BOTTLENECKS, EASED, How
from echelon.solvers.held import Held

LIMIT = ["limit", "name", "unit"]
SHARE = 0.1  # by which limits are eased to compare them
CURVE = (0.01, 0.02, 0.05, 0.2, 0.5, 1.0)  # and further shares for the one that holds the plan back most
MOST = 12  # limits that are eased, those with the highest prices
NEXT_TO_NOTHING = 1e-7  # of the cost
FULL = 1 - 1e-6  # of its capacity, from which a limit is used up
FEW, MOST_ANEW = 3, 6  # limits eased quickly that are planned anew first; all that are
FEEDERS = 3  # items shown of each bottleneck
COUNTED = ("sites", "vehicles", "docks", "trucks")  # units that come in whole numbers
TOGETHER = "together"
DIGITS = 6  # of money

Key = tuple[str, str, str]


@dataclass(frozen=True)
class _Group:
    """A limit: its key, its rows in a linear programme, and how much is a `SHARE` of it in each of them."""

    key: Key
    rows: np.ndarray
    step: float

    def price(self, duals: np.ndarray) -> float:
        """What one more unit in every row would save."""
        return float(np.maximum(-duals[self.rows], 0.0).sum())


def ease_limits(held: Held, rows: pd.DataFrame, until: float, how: How = "held") -> pd.DataFrame:
    """The result table `eased`: each limit that has a price eased by `SHARE`, and the one that saves most by more and
    by less; as far as that can be done `until` a moment (of time.monotonic()).

    `rows` has limit, name, unit, capacity and row, the number of its row in the linear programme.
    """
    groups = [_Group(key, np.array(g["row"]), step_of(g["capacity"])) for key, g in rows.groupby(LIMIT, sort=True)]
    worth = {group.key: group.price(held.duals) * group.step for group in groups}
    binding = sorted((g for g in groups if worth[g.key] > 0), key=lambda g: -worth[g.key])[:MOST]
    found = [line for group in binding if (line := _line(held, [group], groups, SHARE, until, how)) is not None]
    if not found:
        return EASED.empty()
    first = max(found, key=lambda line: line["saving"])
    if first["saving"] > NEXT_TO_NOTHING * abs(held.cost or 0.0):
        named = next(group for group in binding if group.key == tuple(first[part] for part in LIMIT))
        more = [_line(held, [named], groups, share, until, how) for share in CURVE]
    else:
        more = [_line(held, binding, groups, SHARE, until, how)] if len(binding) > 1 else []
    return EASED.typed(pd.DataFrame([*found, *(line for line in more if line is not None)]))


def step_of(capacity: pd.Series, unit: str = "") -> float:
    """How much is a `SHARE` of a limit in each of its rows, of what is counted a whole number; of a limit that allows
    nothing, one unit."""
    step = SHARE * float(capacity.mean()) or 1.0
    return float(math.ceil(step)) if unit in COUNTED else step


def _line(
    held: Held, eased: list[_Group], groups: list[_Group], share: float, until: float, how: How
) -> dict[str, Any] | None:
    """A row of `eased`: these limits eased by a share; None if there was no time."""
    rows = np.concatenate([group.rows for group in eased])
    by = np.concatenate([np.full(len(group.rows), group.step * share / SHARE) for group in eased])
    solved = held.eased(rows, by, until)
    if solved is None or held.cost is None:
        return None
    cost, duals = solved
    others = {group.key: group.price(duals) * group.step for group in groups if group not in eased}
    together = TOGETHER, ", ".join(called(*group.key[:2]) for group in eased), ""
    return dict(zip(LIMIT, eased[0].key if len(eased) == 1 else together, strict=True)) | {
        "added": float(by[0]) if len(eased) == 1 else 0.0,
        "how": how,
        "share": share,
        "saving": round(max(held.cost - cost, 0.0), DIGITS),
        "price": round(eased[0].price(duals), DIGITS) if len(eased) == 1 else 0.0,
        "binds_next": dearest(others),
    }


def dearest(worth: dict[Key, float]) -> str:
    """The limit worth most, in words; blank if none is worth anything."""
    key = max(worth, key=lambda k: worth[k], default=None)
    return called(*key[:2]) if key is not None and worth[key] > 0 else ""


def worth_by_price(limits: pd.DataFrame) -> dict[Key, float]:
    """What a `SHARE` more of each limit is worth by its prices."""
    return {
        key: float(rows["price"].sum()) * step_of(rows["capacity"]) for key, rows in limits.groupby(LIMIT, sort=True)
    }


def candidates(quick: pd.DataFrame, limits: pd.DataFrame) -> list[dict[str, Any]]:
    """The limits that promise most: those that saved most when eased quickly, then those used most in any row. (A limit
    may hold a plan back without being used up, where what it allows is less than one more lot.)"""
    single = quick[(quick["share"] == SHARE) & (quick["limit"] != TOGETHER)].nlargest(FEW, "saving")
    chosen = single[[*LIMIT, "added", "share"]].to_dict("records")
    known = {tuple(line[part] for part in LIMIT) for line in chosen}
    part = limits["use"] / limits["capacity"].clip(lower=NEXT_TO_NOTHING)
    groups = limits.assign(part=part).groupby(LIMIT, sort=True)
    mean, fullest = groups["capacity"].mean(), groups["part"].max()
    for key in fullest.sort_values(ascending=False, kind="stable").index:
        if key not in known and math.isfinite(mean[key]):  # what is unlimited holds nothing back
            added = step_of(mean[[key]], key[2])
            share = added / mean[key] if mean[key] > 0 else 1.0
            chosen.append(dict(zip(LIMIT, key, strict=True)) | {"added": added, "share": share})
    return chosen[:MOST_ANEW]


def bottlenecks(limits: pd.DataFrame, feeders: pd.DataFrame) -> pd.DataFrame:
    """The result table of this name: of each period the limit that is worth most or, where none is worth anything, is
    used most, with the items that use most of it. `feeders` has limit, name, unit, period, item and use."""
    used = limits["use"] > 0
    part = (limits["use"] / limits["capacity"].where(limits["capacity"] > 0)).fillna(np.inf).where(used, 0.0)
    worth = limits["price"].fillna(0.0) * limits["capacity"].clip(lower=1.0)
    ranked = limits.assign(worth=worth, part=part, at=range(len(limits)))
    ranked["calendar"] = pd.factorize(limits["period"])[0]
    tightest = ranked.sort_values(["calendar", "worth", "part", "at"], ascending=[True, False, False, True])
    tightest = tightest.drop_duplicates("period")
    key = [*LIMIT, "period"]
    fed = tightest.merge(feeders.rename(columns={"use": "item_use"}), on=key, how="left").fillna(
        {"item": "", "item_use": 0.0}
    )
    fed = fed.sort_values(["calendar", "item_use", "item"], ascending=[True, False, True])
    fed = fed.groupby("period", sort=False).head(FEEDERS)
    share = (fed["item_use"] / fed["use"].where(fed["use"] > 0)).fillna(0.0).clip(0.0, 1.0)
    return BOTTLENECKS.typed(fed.assign(item_share=share))


def called(limit: str, name: str, whole: str = "") -> str:
    """A limit in words."""
    return f"{limit} of {name or whole}" if name or whole else limit


def limit_frame(rows: Iterable[tuple[str, str, str, Any, float, Any]], held: Held) -> pd.DataFrame:
    """limit, name, unit, capacity and row of the limits of a model, from tuples (limit, name, unit, t, capacity,
    constraint); what is superfluous in the model is left out."""
    known = ((kind, name, unit, capacity, held.row(row)) for kind, name, unit, _, capacity, row in rows)
    found = [line for line in known if line[-1] is not None]
    return pd.DataFrame(found, columns=[*LIMIT, "capacity", "row"])
