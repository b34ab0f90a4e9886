"""Networks too large for one model: plan over the cheapest ways to serve each demand, prove over all of them.

The model holds a few serves of each demand. What the others could save at most follows from the duals of its
relaxation: a serve left out enters the rows of its demand and of its site's throughput only, so its reduced cost is
arithmetic, and as the serves of a demand add up to 1, the relaxation of all of them costs at least bound + sum over
demands of the least negative reduced cost (column generation's bound: Lasdon 1970, Optimization Theory for Large
Systems).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from echelon_models.network.sets import Flow, Sets

LARGEST = 250_000  # serves up to which one model holds them all
CHEAPEST = 14  # serves of each demand that a sparse model holds
OF_SITE = 5  # and of each site, the cheapest it has: so that every site has its rows


@dataclass(frozen=True)
class Sparse:
    """A case with the cheapest serves only, and the serves left out."""

    sets: Sets
    left_out: list[Flow]

    def bound(self, m: Any, bound: float, dual: Callable[[Any], float]) -> float:
        """What no network costs less than, over all serves: from the relaxation of the model `m` of `sets`."""
        rows = pd.DataFrame(self.left_out, columns=["s", "c", "m", "p", "t"])
        wants = {key: dual(m.demand[key]) for key in self.sets.demand}
        sites = {key: dual(m.throughput[key]) for key in m.passing}
        quantity = np.array([self.sets.demand[c, p, t] for _, c, _, p, t in self.left_out])
        cost = np.array([serve_cost(self.sets, key) for key in self.left_out])
        of_want = np.array([wants[c, p, t] for _, c, _, p, t in self.left_out])
        of_site = np.array([sites[s, p, t] for s, _, _, p, t in self.left_out])
        rows["reduced"] = quantity * cost - of_want - quantity * of_site
        least = rows.groupby(["c", "p", "t"])["reduced"].min()
        return bound + float(least.clip(upper=0.0).sum())


def serve_cost(sets: Sets, key: Flow) -> float:
    """What serving one unit costs on the way, with the price of its emissions, discounted money."""
    terms = sets.way_terms[key[:4]]
    return sets.factor[key[4]] * (terms.transport + terms.duty + sets.carbon_price(key[4]) * terms.emissions)


def thin_out(sets: Sets) -> Sparse | None:
    """The case with the cheapest serves, where it is large and nothing but demand and throughput ties serves together;
    else None."""
    capped = any(row.cap == row.cap for row in sets.carbon.values())
    if len(sets.serves) <= LARGEST or sets.units or sets.service or sets.backup_cover > 0 or capped:
        return None
    rows = pd.DataFrame(sets.serves, columns=["s", "c", "m", "p", "t"])
    rows["cost"] = [serve_cost(sets, key) for key in sets.serves]
    ordered = rows.sort_values("cost", kind="stable")
    kept = (
        ordered.groupby(["c", "p", "t"])
        .head(CHEAPEST)
        .index.union(ordered.groupby(["s", "p", "t"]).head(OF_SITE).index)
    )
    mask = np.zeros(len(rows), dtype=bool)
    mask[kept] = True
    serves = [key for key, keep in zip(sets.serves, mask, strict=True) if keep]
    left_out = [key for key, keep in zip(sets.serves, mask, strict=True) if not keep]
    return Sparse(replace(sets, serves=serves), left_out)
