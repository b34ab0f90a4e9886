"""Why items are short: each planned anew, all others as they are, with one thing after the other out of the way.

What makes the shortage go when it alone is out of the way is the cause. Where nothing alone does but everything
together, what is not needed is put back one by one; what is left are the causes that work together.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import pandas as pd

from echelon.explain.limits import FULL
from echelon.explain.rules import Change
from echelon.solvers.outcome import SolveOptions
from echelon.tables import Frames
from echelon_models.ordering.changes import CAUSES
from echelon_models.ordering.plan import PLACE, Decisions, only, read_plan
from echelon_models.ordering.replan import replan
from echelon_models.ordering.schema import SHORTAGE_CAUSES, OrderingOptions

GONE = 0.01  # of a shortage: with less left it is gone
ONE_ITEM = 2.0  # seconds, at most, for planning an item anew
NO_SUPPLIER, CHEAPER = "no supplier", "serving costs more than being short"
NOT_YET = "none: a better plan of this item was found afterwards"
LIMITS = {"budget", "storage", "supplier capacity"}


def shortage_causes(
    full: Frames, options: OrderingOptions, plan: Frames, search: SolveOptions, until: float
) -> tuple[pd.DataFrame, list[str]]:
    """The result table of this name, dearest shortage first, of as many items as can be asked about `until` a moment
    (of time.monotonic()); and a note on those left out."""
    short = _short_places(full, plan)
    items = short["item"].drop_duplicates().tolist()
    asked = _Asked(full, options, plan, search, until)
    found: list[pd.DataFrame] = []
    for item in items:
        rows = short[short["item"] == item]
        causes = asked.causes(item, rows)
        if causes is None:
            break
        found.append(rows.assign(cause=causes))
    left = len(items) - len(found)
    notes = [f"no time to ask why {left:,} of {len(items):,} short items are short"] if left else []
    return SHORTAGE_CAUSES.typed(pd.concat(found)) if found else SHORTAGE_CAUSES.empty(), notes


def _short_places(full: Frames, plan: Frames) -> pd.DataFrame:
    """item, site, first and last period, units, cost of each place that is short, dearest first."""
    terms = full["item_sites"][[*PLACE, "backorder_cost", "lost_cost"]]
    rows = plan["inventory"].merge(terms, on=PLACE)
    rows = rows[(rows["short"] > 0) | (rows["waiting"] > 0)]
    last = rows["period"] == full["periods"]["period"].iloc[-1]
    never = rows["lost"] + rows["waiting"].where(last, 0.0)
    rows = rows.assign(cost=rows["waiting"] * rows["backorder_cost"] + never * rows["lost_cost"])
    short = rows.groupby(PLACE, as_index=False).agg(
        first_period=("period", "first"), last_period=("period", "last"), units=("short", "sum"), cost=("cost", "sum")
    )
    return short.sort_values(["cost", *PLACE], ascending=[False, True, True], ignore_index=True)


class _Asked:
    """Plans items anew with things out of the way, and looks at what is still short."""

    def __init__(self, full: Frames, options: OrderingOptions, plan: Frames, search: SolveOptions, until: float):
        self.full, self.options, self.search, self.until = full, options, search, until
        self.decisions = read_plan(full, plan)
        limits = plan["limits"]
        self.used_up = set(limits.loc[limits["use"] >= FULL * limits["capacity"], "limit"])

    def causes(self, item: str, short: pd.DataFrame) -> list[str] | None:
        """The cause at each short place (rows of `short`) of an item; None if there was no time."""
        before = self._missing(item, self.decisions)
        wanted = [(item, site) for site in short["site"]]
        found = {place: NO_SUPPLIER for place in wanted if not self._supplied(*place)}
        changes = [c for c in CAUSES if self._may_matter(c, item)]
        try:
            for tried in ([], *([change] for change in changes)):
                if open_ := [place for place in wanted if place not in found]:
                    left = self._planned(item, tried)
                    name = tried[0].name if tried else NOT_YET
                    found |= {p: name for p in open_ if _gone(left, before, p)}
            for place in wanted:
                found.setdefault(place, self._together(item, place, changes, before))
        except TimeoutError:
            return None
        return [found[place] for place in wanted]

    def _together(self, item: str, place: tuple[str, str], changes: list[Change], before: pd.Series) -> str:
        """The fewest things that, out of the way together, make a shortage go (none of them can be put back)."""
        if not changes or not _gone(self._planned(item, changes), before, place):
            return CHEAPER
        needed = changes
        for change in changes[::-1]:
            fewer = [other for other in needed if other is not change]
            if fewer and _gone(self._planned(item, fewer), before, place):
                needed = fewer
        return " and ".join(change.name for change in needed)

    def _planned(self, item: str, out: Sequence[Change]) -> pd.Series:
        """What an item misses when it is planned anew with these things out of the way. Raises TimeoutError."""
        some, options = only(self.full, {item}), self.options
        for change in out:
            some, options = change.made(some, options)
        tables = {
            name: pd.concat([table[table["item"] != item], some[name]], ignore_index=True)
            if "item" in table
            else some[name]
            for name, table in self.full.items()
        }
        seconds = min(ONE_ITEM, self.until - time.monotonic())
        if seconds <= 0:
            raise TimeoutError
        part = self.search.model_copy(update={"time_limit": seconds})
        better = replan(tables, options, self.decisions, {item}, part, together=False)
        return self._missing(item, self.decisions if better is None else better)

    def _missing(self, item: str, decisions: Decisions) -> pd.Series:
        """Units lost, and units waiting in each period, by place."""
        own = decisions.only({item})
        return pd.concat([own.lost, own.waiting]).groupby(PLACE)["quantity"].sum()

    def _supplied(self, item: str, site: str) -> bool:
        """Whether anything can come to a place at all."""
        offers, lanes = (self.full[name][self.full[name]["item"] == item] for name in ("offers", "lanes"))
        by_lane = len(offers) > 0 and bool((lanes["to_site"] == site).any())
        return by_lane or bool((offers["site"] == site).any())

    def _may_matter(self, change: Change, item: str) -> bool:
        """Whether an item has a thing at all; of the shared limits, whether any is used up."""
        if change.name in LIMITS:
            return change.name in self.used_up
        return change.applies(only(self.full, {item}), self.options)


def _gone(left: pd.Series, before: pd.Series, place: tuple[str, str]) -> bool:
    return bool(left.get(place, 0.0) <= GONE * before.get(place, 0.0))
