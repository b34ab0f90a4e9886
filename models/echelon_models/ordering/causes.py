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
from echelon_models.ordering.replan import plan_within, taken_elsewhere
from echelon_models.ordering.schema import NOT_ASKED, NOT_YET, SHORTAGE_CAUSES, OrderingOptions

GONE = 0.01  # of a shortage: with less left it is gone
ONE_ITEM = 2.0  # seconds, at most, for planning an item anew
NO_SUPPLIER, CHEAPER = "no supplier", "serving costs more than being short"
LIMITS = {"budget", "storage", "supplier capacity"}


def shortage_causes(
    full: Frames, options: OrderingOptions, plan: Frames, search: SolveOptions, until: float
) -> tuple[pd.DataFrame, list[str]]:
    """The result table of this name, dearest item first, with the causes that can be found `until` a moment (of
    time.monotonic()); and a note on items that were not asked about."""
    short = _short_places(full, plan)
    items = short["item"].drop_duplicates().tolist()
    asked = _Asked(full, options, plan, search, until)
    found: list[pd.DataFrame] = []
    left = 0
    for item in items:
        rows = short[short["item"] == item]
        causes = asked.causes(item, rows["site"].tolist())
        left += causes is None
        found.append(rows.assign(cause=NOT_ASKED if causes is None else causes))
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

    def causes(self, item: str, sites: Sequence[str]) -> list[str] | None:
        """The cause of an item's shortage at each of these sites; None if there was no time."""
        if time.monotonic() >= self.until:
            return None
        ask = _Item(self, item)
        found = {site: NO_SUPPLIER for site in sites if not ask.supplied(site)}
        try:
            for tried in ([], *([change] for change in ask.changes)):
                if len(found) < len(sites):
                    gone = ask.gone(tried)
                    name = tried[0].name if tried else NOT_YET
                    found |= {site: name for site in sites if site in gone and site not in found}
            found |= {site: ask.together(site) for site in sites if site not in found}
        except TimeoutError:
            return None
        return [found[site] for site in sites]


class _Item:
    """One short item: what may stand in its way, and what is gone of its shortage without some of that."""

    def __init__(self, asked: _Asked, item: str):
        self.asked, self.item = asked, item
        self.some, self.own = only(asked.full, {item}), asked.decisions.only({item})
        self.elsewhere = taken_elsewhere(asked.full, asked.decisions, {item})
        self.before = _missing(self.own)
        self.changes = [change for change in CAUSES if self._may_matter(change)]

    def gone(self, out: Sequence[Change]) -> set[str]:
        """The sites at which the shortage goes when the item is planned anew with these things out of the way. Raises
        TimeoutError."""
        some, options = self.some, self.asked.options
        for change in out:
            some, options = change.made(some, options)
        seconds = min(ONE_ITEM, self.asked.until - time.monotonic())
        if seconds <= 0:
            raise TimeoutError
        search = self.asked.search.model_copy(update={"time_limit": seconds})
        better = plan_within(some, options, self.own, self.elsewhere, search, together=False)
        left = self.before if better is None else _missing(better)
        return {site for site, units in self.before.items() if left.get(site, 0.0) <= GONE * units}

    def together(self, site: str) -> str:
        """The fewest things that, out of the way together, make a shortage go: none of them can be put back."""
        needed = self.changes
        if not needed or site not in self.gone(needed):
            return CHEAPER
        for change in self.changes[::-1]:
            fewer = [other for other in needed if other is not change]
            if fewer and site in self.gone(fewer):
                needed = fewer
        return " and ".join(change.name for change in needed)

    def supplied(self, site: str) -> bool:
        """Whether anything can come to a site at all."""
        offers, lanes = self.some["offers"], self.some["lanes"]
        by_lane = len(offers) > 0 and bool((lanes["to_site"] == site).any())
        return by_lane or bool((offers["site"] == site).any())

    def _may_matter(self, change: Change) -> bool:
        """Whether the item has a thing at all; of the shared limits, whether any is used up."""
        if change.name in LIMITS:
            return change.name in self.asked.used_up
        return change.applies(self.some, self.asked.options)


def _missing(own: Decisions) -> pd.Series:
    """Units lost, and units waiting in each period, by site."""
    return pd.concat([own.lost, own.waiting]).groupby("site")["quantity"].sum()
