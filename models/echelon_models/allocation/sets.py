"""The case as the formulation reads it: index sets, look-ups and unit costs, made once from the completed tables.

Index letters: supplier s, item i, site l, scenario w. A *pair* (s, i) is an offer that may be awarded; an *arc*
(s, i, l) a pair at a site it can be delivered to.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any, NamedTuple

from echelon.tables import Frames
from echelon_models.allocation.schema import AllocationOptions
from echelon_models.lookup import by_key, grouped

DAYS_OF_YEAR = 365.0
ABOVE = (
    1.001  # an award may seem to exceed its supplier's capacity by this: else its bound would hide the price of that
)
SLIVER = 1e-5  # a range of quantities ends this part below the next break: there the next price holds

Pair = tuple[str, str]
Arc = tuple[str, str, str]


class Step(NamedTuple):
    """A range of a quantity, low <= x <= high, in which it costs rate * x + fixed."""

    low: float
    high: float
    rate: float
    fixed: float


class Terms(NamedTuple):
    """What one unit on an arc costs beyond the goods, money, and its emissions, kg."""

    freight: float
    duty: float
    quality: float
    lateness: float
    inventory: float
    carbon: float
    carbon_cost: float
    local: bool

    @property
    def on_delivery(self) -> float:
        """What is paid for a unit only if it is delivered: all but the safety stock."""
        return self.freight + self.duty + self.quality + self.lateness + self.carbon_cost


@dataclass(frozen=True)
class Sets:
    """Index sets and look-ups of one case; rows of tables are named tuples with the tables' column names."""

    options: AllocationOptions
    items: dict[str, Any]
    suppliers: dict[str, Any]
    offers: dict[Pair, Any]
    arcs: dict[Arc, Terms]
    demand: dict[tuple[str, str], float]
    breaks: dict[Pair, list[Any]]
    rebates: dict[str, list[Any]]
    shares: dict[Pair, Any]
    required: dict[Pair, float]
    current: dict[Pair, Any]
    caps: list[Any]
    ceilings: list[Any]
    scenarios: dict[str, float]
    left: dict[tuple[str, str], float]  # (scenario, supplier) -> part of its award that is delivered, where under 1
    sites_of: dict[Pair, list[str]]
    suppliers_of: dict[str, list[str]]
    items_of: dict[str, list[str]]
    only: dict[str, str] = field(default_factory=dict)  # scenario -> the one item that it hits, where it is for one

    @property
    def pairs(self) -> list[Pair]:
        return list(self.sites_of)

    @cached_property
    def need(self) -> dict[str, float]:
        """Good units needed of each item, all sites together."""
        total: dict[str, float] = defaultdict(float)
        for (i, _), quantity in self.demand.items():
            total[i] += quantity
        return total

    def most_at(self, s: str, i: str, l: str) -> float:
        """Largest quantity on an arc, units: what its site needs, at the offer's yield."""
        return self.demand[i, l] / self.offers[s, i].yield_rate

    def most(self, s: str, i: str) -> float:
        """The tight big M of a pair, units: what its sites need, within the capacities of offer and supplier."""
        need = sum(self.most_at(s, i, l) for l in self.sites_of[s, i])
        return min(need, _or_infinite(self.offers[s, i].capacity), ABOVE * self.capacity(s))

    def least(self, s: str, i: str) -> float:
        """Smallest award, if any, units: the offer's minimum or the item's smallest share of its demand."""
        return max(self.offers[s, i].minimum, self.items[i].smallest_share * self.need[i])

    def capacity(self, s: str) -> float:
        """Most units of all items together; infinite where the supplier has no limit."""
        return _or_infinite(self.suppliers[s].capacity)

    def price_steps(self, s: str, i: str) -> list[Step]:
        """The prices of a pair by ranges of quantity; one range where the offer has no breaks."""
        rows = self.breaks.get((s, i), [])
        starts = [(row.from_quantity, row.price) for row in rows]
        whole = not rows or rows[0].kind == "all_units"
        return steps(self.offers[s, i].price, starts, whole, self.most(s, i))

    def rebate_steps(self, s: str) -> list[Step]:
        """The rebates of a supplier by ranges of spend, as costs (so not positive)."""
        rows = self.rebates.get(s, [])
        dearest = sum(self.offers[s, i].price * self.most(s, i) for i in self.items_of[s])
        starts = [(row.from_spend, -row.rate) for row in rows]
        return steps(0.0, starts, not rows or rows[0].kind == "whole", dearest)

    def lowest_price(self, s: str, i: str) -> float:
        """The least that one unit can cost, all breaks and rebates taken: what is saved where it is not delivered."""
        price = min([self.offers[s, i].price, *(row.price for row in self.breaks.get((s, i), []))])
        return price * (1 - max((row.rate for row in self.rebates.get(s, [])), default=0.0))

    @cached_property
    def _arcs_of_item(self) -> dict[str, list[Arc]]:
        arcs = defaultdict(list)
        for arc in self.arcs:
            arcs[arc[1]].append(arc)
        return arcs

    def arcs_near(self, w: str) -> Iterable[Arc]:
        """The arcs that matter in a scenario: those of its one item, or all."""
        return self._arcs_of_item[self.only[w]] if w in self.only else self.arcs

    def restricted(self, pairs: Container[Pair]) -> Sets:
        """The case with these pairs only."""
        arcs = {arc: terms for arc, terms in self.arcs.items() if arc[:2] in pairs}
        sites, suppliers, items = _offered(arcs)
        return replace(self, arcs=arcs, sites_of=sites, suppliers_of=suppliers, items_of=items)

    def member(self, s: str, kind: str) -> str:
        """The supplier's own name, its parent or its region."""
        return str(getattr(self.suppliers[s], kind))

    def in_group(self, i: str, group: str) -> bool:
        """Whether the item counts for a row of this group; a blank group is all items."""
        return group in ("", self.items[i].group)


def steps(rate: float, starts: Sequence[tuple[float, float]], whole: bool, most: float) -> list[Step]:
    """Ranges of 0..most with their rates, `starts` being (from, rate) in rising order.

    `whole`: a range's rate holds for all of the quantity; else for the part beyond its start, so that a range costs
    rate * x + the sum of (rate before - rate after) * start over the starts passed.
    """
    lows, rates = [0.0, *(low for low, _ in starts)], [rate, *(r for _, r in starts)]
    ranges, fixed = [], 0.0
    for k, low in enumerate(lows):
        last = k + 1 == len(lows)
        if not whole and k:
            fixed += (rates[k - 1] - rates[k]) * low
        high = most if last else lows[k + 1] * (1 - SLIVER if whole else 1.0)
        if low <= most:
            ranges.append(Step(low, min(high, most), rates[k], fixed))
    return ranges


def prepare(full: Frames, options: AllocationOptions) -> Sets:
    """Read the completed tables into `Sets`."""
    items, suppliers = by_key(full["items"], "item"), by_key(full["suppliers"], "supplier")
    offers = by_key(full["offers"], "supplier", "item")
    demand = by_key(full["demand"], "item", "site")
    usable = full["arcs"][~(full["arcs"]["excluded"] | full["arcs"]["forbidden"])]
    arcs = {
        key: terms(row, items, suppliers, offers, demand, options)
        for key, row in by_key(usable, "supplier", "item", "site").items()
    }
    sites_of, suppliers_of, items_of = _offered(arcs)
    pairs, losses = full["pairs"], full["losses"]
    wanted = by_key(pairs[pairs["rule"] == "required"], "supplier", "item")
    return Sets(
        options=options,
        items=items,
        suppliers=suppliers,
        offers=offers,
        arcs=arcs,
        demand={key: float(row.quantity) for key, row in demand.items()},
        breaks=grouped(full["price_breaks"], "supplier", "item"),
        rebates=grouped(full["rebates"], "supplier"),
        shares=by_key(full["shares"], "supplier", "item"),
        required={key: row.quantity for key, row in wanted.items()},
        current=by_key(full["current_awards"], "supplier", "item"),
        caps=list(full["caps"].itertuples(index=False, name="Cap")),
        ceilings=list(full["ceilings"].itertuples(index=False, name="Ceiling")),
        scenarios=dict(zip(full["scenarios"]["scenario"], full["scenarios"]["probability"], strict=True)),
        left={key: row.capacity_left for key, row in by_key(losses, "scenario", "supplier").items()},
        sites_of=sites_of,
        suppliers_of=suppliers_of,
        items_of=items_of,
    )


def _offered(arcs: Iterable[Arc]) -> tuple[dict[Pair, list[str]], dict[str, list[str]], dict[str, list[str]]]:
    """The sites of each pair, the suppliers of each item, the items of each supplier."""
    sites_of, suppliers_of, items_of = defaultdict(list), defaultdict(list), defaultdict(list)
    for s, i, l in arcs:
        if (s, i) not in sites_of:
            suppliers_of[i].append(s)
            items_of[s].append(i)
        sites_of[s, i].append(l)
    return dict(sites_of), suppliers_of, items_of


def terms(
    arc: Any, items: dict[str, Any], suppliers: dict[str, Any], offers: dict[Pair, Any], demand: Any, options: Any
) -> Terms:
    """The unit costs of an arc.

    Safety stock as if this supplier delivered all that the site needs: z sqrt(L s_d² + (D/365)² s_L²) units with lead
    time L, its deviation s_L, yearly demand D and daily deviation s_d (Silver, Pyke & Thomas, Inventory and Production
    Management in Supply Chains, 4th ed., 2017, section 6.10), spread over the site's demand: exact for a single source,
    an interpolation between several.
    """
    item, offer, wanted = items[arc.item], offers[arc.supplier, arc.item], demand[arc.item, arc.site]
    daily = wanted.quantity / DAYS_OF_YEAR
    spread = math.sqrt(arc.lead_time * wanted.deviation**2 + daily**2 * arc.lead_time_deviation**2)
    safety_stock = max(NormalDist().inv_cdf(options.service_level), 0.0) * spread
    carbon = offer.carbon + arc.carbon
    return Terms(
        freight=arc.freight,
        duty=arc.duty_rate * offer.price,
        quality=(1 - offer.yield_rate) * item.bad_unit_cost,
        lateness=(1 - suppliers[arc.supplier].on_time) * item.late_unit_cost,
        inventory=item.value * item.holding_rate * safety_stock * offer.yield_rate / wanted.quantity,
        carbon=carbon,
        carbon_cost=carbon * options.carbon_price,
        local=bool(arc.local),
    )


def _or_infinite(limit: float) -> float:
    return limit if limit == limit else math.inf
