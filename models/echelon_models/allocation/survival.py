"""Awards that survive a loss: whichever one supplier, parent or region fails, the others can cover the demand."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pyomo.environ as pyo

from echelon_models.allocation.sets import Sets

Loss = tuple[str, str]  # kind (supplier, parent, region) and name


def losses(sets: Sets) -> dict[Loss, list[str]]:
    """Each loss to survive, with the items that must survive it: those it could hit at all."""
    found: dict[Loss, list[str]] = defaultdict(list)
    for i, item in sets.items.items():
        if item.survives != "none":
            for name in sorted({sets.member(s, item.survives) for s in sets.suppliers_of[i]} - {""}):
                found[item.survives, name].append(i)
    return dict(found)


def survival(m: Any, sets: Sets) -> None:
    """backup[kind, name, s, i, l] units that supplier s, not lost itself, delivers when kind, name is lost.

    Σ_s yield·backup >= survival share·demand (good units; for each loss, i, l), Σ_l backup <= most·award (units; for
    each loss, s, i), and within the supplier's capacity beside the awards of items that need not survive the loss
    (units; for each loss, s with a capacity)."""
    hit = losses(sets)
    keys = [(*loss, *arc) for loss, items in hit.items() for i in items for arc in arcs_left(sets, loss, i)]
    m.backup = pyo.Var(pyo.Set(initialize=keys, dimen=5), domain=pyo.NonNegativeReals)
    at_place, of_pair, of_supplier = defaultdict(list), defaultdict(list), defaultdict(list)
    for kind, name, s, i, l in keys:
        at_place[kind, name, i, l].append((kind, name, s, i, l))
        of_pair[kind, name, s, i].append((kind, name, s, i, l))
        of_supplier[kind, name, s].append((kind, name, s, i, l))
    places = [(*loss, i, l) for loss, items in hit.items() for i, l in sets.demand if i in set(items)]

    def covered(m: Any, kind: str, name: str, i: str, l: str) -> Any:
        good = sum(sets.offers[k[2], i].yield_rate * m.backup[k] for k in at_place[kind, name, i, l])
        broken = m.slack["survival", kind, name, i] if m.elastic else 0.0
        return good + broken >= sets.items[i].survival_share * sets.demand[i, l]

    def by_awarded(m: Any, kind: str, name: str, s: str, i: str) -> Any:
        return sum(m.backup[k] for k in of_pair[kind, name, s, i]) <= sets.most(s, i) * m.award[s, i]

    def within_capacity(m: Any, kind: str, name: str, s: str) -> Any:
        others = set(sets.items_of[s]) - set(hit[kind, name])
        busy = sum(m.quantity[s, i, l] for i in sorted(others) for l in sets.sites_of[s, i])
        return sum(m.backup[k] for k in of_supplier[kind, name, s]) + busy <= sets.capacity(s)

    limited = [key for key in of_supplier if sets.capacity(key[2]) < math.inf]
    m.survival = pyo.Constraint(pyo.Set(initialize=places, dimen=4), rule=covered)
    m.backup_by_awarded = pyo.Constraint(pyo.Set(initialize=list(of_pair), dimen=4), rule=by_awarded)
    m.backup_capacity = pyo.Constraint(pyo.Set(initialize=limited, dimen=3), rule=within_capacity)


def arcs_left(sets: Sets, loss: Loss, i: str) -> Iterator[tuple[str, str, str]]:
    """The arcs of an item whose supplier is not lost."""
    kind, name = loss
    for s in sets.suppliers_of[i]:
        if sets.member(s, kind) != name:
            yield from ((s, i, l) for l in sets.sites_of[s, i])
