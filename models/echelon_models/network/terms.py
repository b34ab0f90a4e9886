"""Sums of variables that constraints, costs and results share: rooms, flows, returns, money, emissions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from echelon_models.network.sets import KG, Sets, Terms


def or_zero(variable: Any, key: Any) -> Any:
    """The variable at `key`, or 0 where the case has no such variable."""
    return variable[key] if key in variable else 0.0


def added(m: Any, terms: list[Any]) -> Any:
    """The sum of the terms; where there are none, an expression all the same, so that a row that cannot hold stands in
    the model and is told as infeasible."""
    return sum(terms) if terms else m.nothing


def room(m: Any, sets: Sets, s: str, t: int) -> Any:
    """What a site can take in t with its steps, capacity units."""
    steps = sum(row.capacity * m.step[s, k, t] for k, row in sets.steps_of(s))
    return sets.capacity(s, t) * m.open[s, t] + sets.years[t] * steps


def returned(m: Any, sets: Sets) -> dict[Any, Any]:
    """(s, p, t) -> units that the site takes back."""
    taken: dict[Any, Any] = defaultdict(list)
    for key in sets.backs:
        s, c, _, p, t = key
        taken[s, p, t].append(sets.returned[c, p, t] * m.back[key])
    return {key: sum(terms) for key, terms in taken.items()}


def investment(m: Any, sets: Sets, t: int) -> Any:
    """What opening, closing and capacity steps cost in t, money, not discounted."""
    return (
        sum(row.opening_cost * m.opened[s, t] + row.closing_cost * m.closed[s, t] for s, row in sets.sites.items())
        + sum(row.cost * m.bought[s, k, t] for (s, k), row in sets.steps.items())
    )  # fmt: skip


def flows(m: Any, sets: Sets) -> Iterable[tuple[int, Terms, Any]]:
    """(t, what a unit costs, units) of every way: moves, serves, returns; returns pay no duty."""
    for key in sets.moves:
        yield key[4], sets.way_terms[key[:4]], m.move[key]
    for key in sets.serves:
        yield key[4], sets.way_terms[key[:4]], sets.demand[key[1], key[3], key[4]] * m.serve[key]
    for key in sets.backs:
        free = sets.way_terms[key[:4]]._replace(duty=0.0)
        yield key[4], free, sets.returned[key[1], key[3], key[4]] * m.back[key]


def emissions(m: Any, sets: Sets) -> dict[int, Any]:
    """t -> all emissions of the network, t CO2: sites, supply, handling, every way."""
    terms: dict[int, list[Any]] = {t: [] for t in sets.times}
    for s, t in m.site_times:
        terms[t].append(sets.sites[s].emissions * sets.years[t] / KG * m.open[s, t])
    for s, p, t in m.supply:
        terms[t].append(sets.supply[s, p].emissions / KG * m.supply[s, p, t])
    for s, p, t in m.passing:
        terms[t].append(sets.handling[s, p].emissions / KG * m.through[s, p, t])
    for t, way, quantity in flows(m, sets):
        terms[t].append(way.emissions * quantity)
    return {t: sum(each) for t, each in terms.items()}
