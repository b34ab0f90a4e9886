"""A completed case as the consolidation model reads it: index sets and look-ups, made once.

Index letters: stop i (its position), hub h, destination g, commodity c = (product, option), day t (0 is the first),
load dimension d. A *visit* (i, h, t) is a chance to bring the goods of stop i to hub h on day t; h is "" where nothing
is collected.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from echelon.tables import Frames
from echelon_models.returns.schema import DIMENSIONS, ReturnsOptions

Commodity = tuple[str, str]
Visit = tuple[int, str, int]
KG = 1000.0  # in a tonne


class Outlet(NamedTuple):
    """What sending one unit of a commodity from a hub to a destination brings and costs (money, kg CO2)."""

    hub: str
    destination: str
    commodity: Commodity
    yield_rate: float
    value: float
    cost: float
    emissions: float
    net: float


@dataclass(frozen=True)
class Sets:
    """Index sets and look-ups of one case; rows of tables are named tuples with the tables' column names."""

    stops: tuple[Any, ...]
    hubs: dict[str, Any]
    destinations: dict[str, Any]
    days: list[str]
    goods: list[dict[Commodity, float]]  # of stop i: commodity -> units
    amounts: dict[Commodity, dict[str, float]]  # of one unit: dimension -> load
    ways: dict[tuple[str, str], Any]
    outlets: list[Outlet]
    visits: list[Visit]
    carbon: float  # money/kg CO2
    final_share: float

    @property
    def times(self) -> range:
        return range(len(self.days))

    def load(self, i: int, d: str) -> float:
        """What is collected at stop i in dimension d."""
        return float(getattr(self.stops[i], f"load_{d}"))

    def at_hub(self, i: int, hub: str) -> float:
        """What the load of stop i is worth once it is at a hub, net of handling; goods that go on are not counted."""
        handling = self.hubs[hub].handling_cost * self.load(i, "weight") if hub else 0.0
        return float(self.stops[i].worth) - handling

    def commodities_of(self, hub: str) -> list[Commodity]:
        """What may come to the hub."""
        return list(dict.fromkeys(c for i, h, _ in self.visits if h == hub for c in self.goods[i]))

    def best_net(self, hub: str, commodity: Commodity) -> float:
        """The most that a unit may be recovered for from a hub; 0 where nothing pays."""
        return max((o.net for o in self.outlets if o.hub == hub and o.commodity == commodity), default=0.0)


def prepare(full: Frames, options: ReturnsOptions, visits: Iterable[Visit]) -> Sets:
    """The sets of a completed case, with these chances to bring goods to hubs."""
    stops = tuple(full["stops"].itertuples(index=False))
    position = {stop.stop: i for i, stop in enumerate(stops)}
    goods: list[dict[Commodity, float]] = [{} for _ in stops]
    for row in full["goods"].itertuples(index=False):
        goods[position[row.stop]][row.product, row.option] = row.quantity
    products = {row.product: row for row in full["products"].itertuples(index=False)}
    commodities = sorted({c for of_stop in goods for c in of_stop})
    return Sets(
        stops=stops,
        hubs={row.hub: row for row in full["hubs"].itertuples(index=False)},
        destinations={row.destination: row for row in full["destinations"].itertuples(index=False)},
        days=full["days"]["day"].tolist(),
        goods=goods,
        amounts={c: {d: getattr(products[c[0]], d) for d in DIMENSIONS} for c in commodities},
        ways={(row.hub, row.destination): row for row in full["ways"].itertuples(index=False)},
        outlets=_outlets(full, commodities),
        visits=list(visits),
        carbon=options.carbon_price / KG,
        final_share=options.final_stock_share,
    )


def _outlets(full: Frames, commodities: list[Commodity]) -> list[Outlet]:
    """Where each commodity may go from each hub: a destination that takes it, of the kind it is meant for, if any."""
    terms = {(row.destination, row.product): row for row in full["recovery"].itertuples(index=False)}
    by_product: dict[str, list[Commodity]] = defaultdict(list)
    for commodity in commodities:
        by_product[commodity[0]].append(commodity)
    outlets = []
    for row in full["outlets"].itertuples(index=False):
        treated = terms[row.destination, row.product]
        value = treated.yield_rate * treated.gain
        cost = treated.cost + (1 - treated.yield_rate) * treated.residue_cost
        for commodity in by_product[row.product]:
            if commodity[1] in ("", row.kind):
                ends = (row.hub, row.destination, commodity)
                outlets.append(Outlet(*ends, treated.yield_rate, value, cost, treated.emissions, treated.net))
    return outlets


def limited(amount: float) -> bool:
    """Whether a limit was given."""
    return not (pd.isna(amount) or math.isinf(amount))
