"""The case as the formulation reads it: index sets and look-ups, made once from the completed tables.

Index letters: site s, customer c, mode m, product p, period t (0 is the first). A *lane* is (s, s', m), a *delivery*
(s, c, m); a *serve* (s, c, m, p, t) is a chance to serve a customer, a *move* (s, s', m, p, t) one to send on.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pandas as pd

from echelon.tables import Frames
from echelon_models.lookup import by_key
from echelon_models.network.schema import NetworkOptions
from echelon_models.rows import EVERY

Flow = tuple[str, str, str, str, int]  # (from, to, mode, product, period), or site and customer for both directions
Want = tuple[str, str, int]  # (customer, product, period)
KG = 1000.0  # in a tonne


class Terms(NamedTuple):
    """What one unit of a product costs on a way: transport and duty in money, emissions in t CO2."""

    transport: float
    duty: float
    emissions: float


class Unit(NamedTuple):
    """What one site must serve alone in a period: all wants (c, p) of a group, of a customer, or one of them."""

    wants: tuple[tuple[str, str], ...]
    t: int


@dataclass(frozen=True)
class Sets:
    """Index sets and look-ups of one case; rows of tables are named tuples with the tables' column names."""

    years: list[float]
    factor: list[float]
    sites: dict[str, Any]
    steps: dict[tuple[str, int], Any]
    products: dict[str, Any]
    customers: dict[str, Any]
    demand: dict[Want, float]
    returned: dict[Want, float]
    lanes: dict[tuple[str, str, str], Any]
    deliveries: dict[tuple[str, str, str], Any]
    supply: dict[tuple[str, str], Any]
    handling: dict[tuple[str, str], Any]
    recovery: dict[tuple[str, str], Any]
    pinned: dict[tuple[str, int], bool]
    site_limits: dict[tuple[str, str, str, int], Any]
    budgets: dict[int, Any]
    service: dict[tuple[str, str, float, int], Any]
    carbon: dict[int, Any]
    pieces: dict[str, list[Any]]
    laws: Laws
    duties: dict[tuple[str, str, str], float]
    backup_cover: float
    serves: list[Flow] = field(default_factory=list)
    backs: list[Flow] = field(default_factory=list)
    moves: list[Flow] = field(default_factory=list)
    units: list[Unit] = field(default_factory=list)
    way_terms: dict[tuple[str, str, str, str], Terms] = field(default_factory=dict)
    most: dict[tuple[str, int], float] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        return len(self.years)

    @property
    def times(self) -> range:
        return range(len(self.years))

    def may_refuse(self, customer: str) -> bool:
        """Whether demand of the customer may stay unserved, at a cost."""
        cost = self.customers[customer].unserved_cost
        return cost == cost

    def capacity(self, s: str, t: int) -> float:
        """What a site can take in t without steps, capacity units; infinite where it has no limit."""
        capacity = self.sites[s].capacity
        return capacity * self.years[t] if capacity == capacity else math.inf

    def carbon_price(self, t: int) -> float:
        """Money a t CO2 in t."""
        return self.carbon[t].price if t in self.carbon else 0.0

    def within(self, key: Flow, measure: str, limit: float) -> bool:
        """Whether a serve is from within the distance (km) or time (hours)."""
        row = self.deliveries[key[:3]]
        return (row.distance if measure == "distance" else row.hours) <= limit

    def steps_of(self, s: str) -> list[tuple[int, Any]]:
        """(k, row) of each capacity step of a site."""
        return [(k, row) for (site, k), row in self.steps.items() if site == s]


@dataclass(frozen=True)
class Laws:
    """The jurisdictions: (rule, region, product) that hold."""

    held: frozenset[tuple[str, str, str]]

    def allows(self, product: str, origin: str, target: str, *sites: str) -> bool:
        """Whether the product may go from region `origin` to region `target`, through sites in regions `sites`."""
        if any(("no_handling", region, product) in self.held for region in sites):
            return False
        crosses = origin != target
        return not (
            crosses and (("no_export", origin, product) in self.held or ("no_import", target, product) in self.held)
        )


def prepare(full: Frames, options: NetworkOptions) -> Sets:
    """Read the completed tables into `Sets`."""
    products = by_key(full["products"], "product")
    sets = Sets(
        years=full["periods"]["years"].tolist(),
        factor=full["periods"]["factor"].tolist(),
        sites=by_key(full["sites"], "site"),
        steps=by_key(full["capacity_steps"].sort_values(["site", "step"]), "site", "step"),
        products=products,
        customers=by_key(full["customers"], "customer"),
        demand=_quantities(full["demand"]),
        returned=_quantities(full["returns"]),
        lanes=by_key(full["lanes"], "from_site", "to_site", "mode"),
        deliveries=by_key(full["deliveries"], "site", "customer", "mode"),
        supply=by_key(full["supply"], "site", "product"),
        handling=by_key(full["handling"], "site", "product"),
        recovery=by_key(full["recovery"], "site", "product"),
        pinned={k: row.state == "open" for k, row in by_key(full["pinned_sites"], "site", "t").items()},
        site_limits=by_key(full["site_limits"], "region", "kind", "counts", "t"),
        budgets=by_key(full["budgets"], "t"),
        service=by_key(full["service_limits"], "group", "measure", "within", "t"),
        carbon=by_key(full["carbon"], "t"),
        pieces={p: list(rows.itertuples(index=False)) for p, rows in full["pooling"].groupby("product")},
        laws=_laws(full["jurisdictions"], products),
        duties=dict(zip(zip(*(full["duties"][c] for c in ("from_region", "to_region", "product")), strict=True),
                        full["duties"]["rate"], strict=True)),
        backup_cover=options.backup_cover,
    )  # fmt: skip
    for (_, p, t), quantity in sets.demand.items():
        sets.most[p, t] = sets.most.get((p, t), 0.0) + quantity
    sets.serves.extend(_serves(sets))
    sets.backs.extend(_backs(sets))
    sets.moves.extend(_moves(sets))
    sets.units.extend(_units(sets))
    _drop_serves_that_split_units(sets)
    for flow, rows in ((sets.serves, sets.deliveries), (sets.backs, sets.deliveries), (sets.moves, sets.lanes)):
        for a, b, m, p, _ in flow:
            if (a, b, m, p) not in sets.way_terms:
                sets.way_terms[a, b, m, p] = _terms(sets, rows[a, b, m], p)
    return sets


def _quantities(frame: pd.DataFrame) -> dict[Want, float]:
    keys = zip(frame["customer"], frame["product"], frame["t"].tolist(), strict=True)
    return dict(zip(keys, frame["quantity"].tolist(), strict=True))


def _laws(jurisdictions: pd.DataFrame, products: dict[str, Any]) -> Laws:
    return Laws(
        frozenset(
            (row.rule, row.region, p)
            for row in jurisdictions.itertuples(index=False)
            for p, product in products.items()
            if row.product_class in (EVERY, product.product_class)
        )
    )


def _terms(sets: Sets, way: Any, product: str) -> Terms:
    row = sets.products[product]
    km = way.distance if way.distance == way.distance else 0.0
    rate = sets.duties.get((way.from_region, way.to_region, product), 0.0)
    return Terms(row.freight * (way.cost + way.cost_per_km * km), rate * row.value, row.freight * way.emissions / KG)


def _serves(sets: Sets) -> Iterable[Flow]:
    """The ways to serve each want that law and hard service limits leave."""
    wants: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for c, p, t in sets.demand:
        wants[c].append((p, t))
    strict = [key for key, row in sets.service.items() if row.hard and row.share >= 1]
    for (s, c, m), way in sets.deliveries.items():
        group = sets.customers[c].group
        for p, t in wants.get(c, ()):
            if not sets.laws.allows(p, way.from_region, way.to_region, way.from_region):
                continue
            key = (s, c, m, p, t)
            if all(g not in (EVERY, group) or u != t or sets.within(key, kind, limit) for g, kind, limit, u in strict):
                yield key


def _backs(sets: Sets) -> Iterable[Flow]:
    """The ways to take returns back, to sites that recover or dispose of them."""
    returns: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for c, p, t in sets.returned:
        returns[c].append((p, t))
    for (s, c, m), way in sets.deliveries.items():
        for p, t in returns.get(c, ()):
            lawful = sets.laws.allows(p, way.to_region, way.from_region, way.from_region)
            if (s, p) in sets.recovery and lawful:
                yield s, c, m, p, t


def _moves(sets: Sets) -> Iterable[Flow]:
    for (a, b, m), way in sets.lanes.items():
        for p, t in sets.most:
            if sets.laws.allows(p, way.from_region, way.to_region, way.from_region, way.to_region):
                yield a, b, m, p, t


def _units(sets: Sets) -> Iterable[Unit]:
    """What one site must serve alone, by the customers' sourcing."""
    wants: dict[tuple[str, str, str, int], list[tuple[str, str]]] = defaultdict(list)
    for c, p, t in sets.demand:
        row = sets.customers[c]
        names = {"product": ("", c, p), "customer": ("", c, ""), "group": (row.group, "", "")}
        if row.sourcing in names:
            wants[(*names[row.sourcing], t)].append((c, p))
    return [Unit(tuple(members), key[-1]) for key, members in wants.items()]


def _drop_serves_that_split_units(sets: Sets) -> None:
    """Leave out the serves of sites that cannot serve all of a unit that must be served."""
    reach: dict[tuple[str, int], set[tuple[str, str]]] = defaultdict(set)
    for s, c, _, p, t in sets.serves:
        reach[s, t].add((c, p))
    barred = set()
    for unit in sets.units:
        needed = {(c, p) for c, p in unit.wants if not sets.may_refuse(c)}
        barred |= {(s, *want, t) for (s, t), known in reach.items() if t == unit.t and not needed <= known
                   for want in unit.wants}  # fmt: skip
    if barred:
        sets.serves[:] = [key for key in sets.serves if (key[0], key[1], key[3], key[4]) not in barred]
