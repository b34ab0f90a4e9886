"""Derive stages and arcs from ordinary tables: items, sites, offers, lanes, bills of material, demand.

A stage is an item at a site, named ITEM@SITE. From where there is demand the network is followed upstream: an item is
made at a site if a bill names that site, else it comes over a lane, else it is bought on an offer, else it is made by a
bill that names no site. Where several lanes or offers would do, the cheapest is taken, then the quickest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.ordering.complete import periods
from echelon_models.rows import EVERY

Place = tuple[str, str]  # item, site


class Way(NamedTuple):
    """How an item comes to a site: the places it comes from with the units needed of each, its lead time (days), the
    cost it adds to a unit, and in words."""

    inputs: dict[Place, float]
    lead_time: float
    cost: float
    words: str


class Derived(NamedTuple):
    """The network read from ordinary tables; `unserved` are places that nothing brings their item to, with the place
    that needs it; `choices` are places with more than one way, and the words of the one taken."""

    stages: pd.DataFrame
    arcs: pd.DataFrame
    unserved: dict[Place, Place | None]
    choices: dict[Place, str]


def stage_name(item: str, site: str) -> str:
    return f"{item}@{site}"


def derive(tables: Frames) -> Derived:
    """Follow the demand upstream; each place is reached once, so cycles end (a rule of the family reports them)."""
    daily = _daily_demand(tables)
    ways = _Ways(tables)
    chosen: dict[Place, Way] = {}
    needed_by: dict[Place, Place | None] = dict.fromkeys(daily.index)
    unserved, choices = {}, {}
    waiting = list(needed_by)
    while waiting:
        place = waiting.pop()
        found = ways.to(*place)
        if not found:
            unserved[place] = needed_by[place]
            continue
        if len(found) > 1:
            choices[place] = found[0].words
        chosen[place] = found[0]
        for source in found[0].inputs:
            if source not in needed_by:
                needed_by[source] = place
                waiting.append(source)
    return Derived(_stages(tables, chosen, daily), _arcs(chosen), unserved, choices)


class _Ways:
    """All ways by which an item can come to a site, in the order in which they are preferred."""

    def __init__(self, tables: Frames):
        self.days = _period_days(tables)
        self.bills: dict[Place, dict[str, float]] = {}
        for row in tables["boms"].itertuples(index=False):
            self.bills.setdefault((row.item, row.site), {})[row.component] = row.quantity
        self.production = {(r.item, r.site): r for r in tables["production"].itertuples(index=False)}
        self.lanes = _grouped(tables["lanes"], ["item", "to_site"])
        self.offers = _grouped(tables["offers"], ["item", "site"])

    def to(self, item: str, site: str) -> list[Way]:
        named = [*self._made(item, site, bill_site=site), *self._moved(item, site), *self._bought(item, site)]
        return named or self._made(item, site, bill_site=EVERY)

    def _made(self, item: str, site: str, bill_site: str) -> list[Way]:
        if (item, bill_site) not in self.bills:
            return []
        terms = self.production.get((item, site)) or self.production.get((item, EVERY))
        inputs = {(component, site): quantity for component, quantity in self.bills[item, bill_site].items()}
        words = f"made at {site}" + ("" if bill_site else " by the bill without a site")
        return [Way(inputs, terms.lead_time if terms else 0.0, terms.cost if terms else 0.0, words)]

    def _moved(self, item: str, site: str) -> list[Way]:
        named = self.lanes.get((item, site), [])
        senders = {row.from_site for row in named}
        rows = [*named, *(r for r in self.lanes.get((EVERY, site), []) if r.from_site not in senders)]
        rows = [row for row in rows if self._has_source(item, row.from_site, {site})]
        rows.sort(key=lambda r: (r.cost, r.lead_time, r.from_site))
        return [Way({(item, r.from_site): 1.0}, r.lead_time * self.days, r.cost, f"from {r.from_site}") for r in rows]

    def _bought(self, item: str, site: str) -> list[Way]:
        rows = sorted(self.offers.get((item, site), []), key=lambda r: (r.price, r.lead_time, r.supplier))
        return [Way({}, r.lead_time * self.days, r.price, f"bought from {r.supplier}") for r in rows]

    def _has_source(self, item: str, site: str, beyond: set[str]) -> bool:
        """Whether the item can come to be at a site without passing through the sites `beyond`."""
        if site in beyond:
            return False
        if (item, site) in self.bills or (item, EVERY) in self.bills or (item, site) in self.offers:
            return True
        rows = [*self.lanes.get((item, site), []), *self.lanes.get((EVERY, site), [])]
        return any(self._has_source(item, row.from_site, beyond | {site}) for row in rows)


def _grouped(frame: pd.DataFrame, key: list[str]) -> dict[Place, list[Any]]:
    groups: dict[Place, list[Any]] = {}
    for row in frame.itertuples(index=False):
        groups.setdefault((getattr(row, key[0]), getattr(row, key[1])), []).append(row)
    return groups


def _period_days(tables: Frames) -> float:
    """Days of an average period: lead times of ordinary tables are in periods."""
    return float(periods(tables)["days"].mean()) if len(tables["demand"]) else 1.0


def _daily_demand(tables: Frames) -> pd.DataFrame:
    """Mean and standard deviation of a day's demand by item and site, from the demand of all periods (those without a
    row have none): mean = sum of quantities / sum of days; std = that of quantity / √days over the periods."""
    calendar = periods(tables).set_index("period")["days"].astype(float)
    wanted = tables["demand"].pivot_table(index=["item", "site"], columns="period", values="quantity", aggfunc="sum")
    wanted = wanted.reindex(columns=calendar.index).fillna(0.0)
    wanted = wanted[wanted.sum(axis=1) > 0]
    days = calendar.to_numpy()
    mean = wanted.sum(axis=1) / days.sum()
    surprise = (wanted.to_numpy() - np.outer(mean, days)) / np.sqrt(days)
    std = np.sqrt((surprise**2).sum(axis=1) / max(len(days) - 1, 1))
    return pd.DataFrame({"demand_mean": mean, "demand_std": std})


def _stages(tables: Frames, chosen: dict[Place, Way], daily: pd.DataFrame) -> pd.DataFrame:
    items = tables["items"].set_index("item")
    rows = []
    for (item, site), way in sorted(chosen.items()):
        known = items.loc[item]
        customers = daily.loc[(item, site)] if (item, site) in daily.index else {}
        rows.append(
            {
                "stage": stage_name(item, site),
                "description": known["description"],
                "item": item,
                "site": site,
                "department": known["department"],
                "cost_added": way.cost,
                "value": known["value"],
                "holding_rate": known["holding_rate"],
                "volume": known["volume"],
                "lead_time": way.lead_time,
                "demand_mean": customers.get("demand_mean"),
                "demand_std": customers.get("demand_std"),
            }
        )
    return pd.DataFrame(rows) if rows else pd.DataFrame({"stage": pd.Series(dtype="str")})


def _arcs(chosen: dict[Place, Way]) -> pd.DataFrame:
    rows = [
        (stage_name(*source), stage_name(*place), quantity)
        for place, way in sorted(chosen.items())
        for source, quantity in way.inputs.items()
        if source in chosen
    ]
    return pd.DataFrame(rows, columns=["from_stage", "to_stage", "quantity"])
