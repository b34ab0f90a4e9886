"""Rows that the relaxation needs and a plan keeps anyway: serve <= open, added only where the relaxation breaks them.

A site's capacity alone lets a fraction of a site serve a customer in full. Balinski's links close that gap, but there
are as many as serves; few of them matter (Fischetti, Ljubić & Sinnl 2016, European Journal of Operational Research
253, add them the same way).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon_models.network.sets import Sets

NEAREST = 5  # links of each demand, to the cheapest sites, that are there from the start
VIOLATION = 1e-3  # share by which a link must be broken to be worth a row


class Links:
    """Adds, for each s, c, p, t where the present values break it: sum of serve over modes <= open (shares)."""

    def __init__(self, m: Any, sets: Sets):
        self.rows = m.links = pyo.ConstraintList()
        ways: dict[Any, list[Any]] = defaultdict(list)
        for key in sets.serves:
            ways[key[0], key[1], key[3], key[4]].append(m.serve[key])
        self.served = list(ways.values())
        self.open = [m.open[s, t] for s, _, _, t in ways]
        self.added = np.zeros(len(self.served), dtype=bool)
        for n in _nearest(sets, list(ways)):
            self._add(n)

    def __call__(self) -> list[Any]:
        """Add the links that the present values break; return the rows added."""
        served = np.array([sum(v.value for v in ways) for ways in self.served])
        opened = np.array([v.value for v in self.open])
        broken = np.flatnonzero((served > opened + VIOLATION) & ~self.added)
        return [self._add(n) for n in broken.tolist()]

    def _add(self, n: int) -> Any:
        self.added[n] = True
        return self.rows.add(sum(self.served[n]) <= self.open[n])


def _nearest(sets: Sets, links: list[tuple[str, str, str, int]]) -> list[int]:
    """The positions of each demand's links to its NEAREST cheapest sites: most of them would be broken at once."""
    cost: dict[tuple[str, str, str], float] = {}
    for (s, c, _, p), terms in sets.way_terms.items():
        cost[s, c, p] = min(cost.get((s, c, p), np.inf), terms.transport + terms.duty)
    rows = pd.DataFrame(links, columns=["s", "c", "p", "t"])
    rows["cost"] = [cost[s, c, p] for s, c, p, _ in links]
    return sorted(rows.sort_values("cost", kind="stable").groupby(["c", "p", "t"]).head(NEAREST).index)
