"""A first award of a large case: settle what each supplier is to be, then search among the offers the relaxation uses.

The role of a supplier (without any award, or with its spend in one range of its rebates) is what ties the items
together. With all roles settled the rest is quickly solved; so a dive in the relaxation settles them one after the
other, and the award found is bettered by searches in which a third of the suppliers may change their role (large
neighbourhood search: Shaw 1998; Pisinger & Ropke, Handbook of Metaheuristics, 2010), and at last by any offer.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

import numpy as np
import pyomo.environ as pyo

from echelon.solvers.again import Again, Solved
from echelon_models.allocation.benders import Scenarios
from echelon_models.allocation.by_item import improve_by_item
from echelon_models.allocation.mixture import mixed
from echelon_models.allocation.sets import Pair, Sets

USED = 1e-4  # part of an award from which on the relaxation uses it
CLEAR = 0.99  # part of a role that settles it,
STEP = 0.08  # and part of the suppliers whose clearest roles are settled before the relaxation is solved again
FREE = 0.35  # part of the suppliers that may change their role in one search
FIRST_GAP = 5e-4  # relative gap at which a search ends,
SEARCH_SHARE = 0.15  # part of all the seconds that it may take,
FIRST_SHARE = 0.3  # (the first one more),
IDLE = 4  # and how many of them in a row are in vain before there are no more
LAST_SHARE = 0.25  # of the seconds is kept for the search among all offers
MIXED_SHARE = 0.5  # of the seconds, where scenarios are mixed into one cut; the rest is for improving with them

Roles = dict[str, int]


def first_award(m: Any, sets: Sets, scenarios: Scenarios, seconds: float) -> None:
    """Read the relaxation from the variables and set them to a good award; leave them as they are if none is found
    within the seconds. Cuts of rebates are left out of the searches, and those of scenarios mixed into one: they help
    the bound, and slow these down."""
    until = time.monotonic() + seconds
    with mixed(m, seconds) as weight:
        share = 1.0 if weight is None else MIXED_SHARE
        pairs = search_award(m, sets, until - time.monotonic() - (1 - share) * seconds)
    if weight is not None and pairs:
        improve_by_item(m, sets, scenarios, weight, pairs, until - time.monotonic())


def search_award(m: Any, sets: Sets, seconds: float) -> set[Pair]:
    """Set the variables, which hold the relaxation, to the best award found; returns the pairs searched among, none
    where there is no award."""
    began = time.monotonic()
    relaxation, shares = float(pyo.value(m.total)), {s: role_shares(m, s) for s in m.suppliers}
    roles, pairs = dive(m, seconds)
    pairs |= set(sets.required) | {pair for pair, row in sets.shares.items() if row.min_share > 0}
    search = Restricted(m)
    best = search.solve(roles, pairs, FIRST_SHARE * seconds) or search.solve({}, pairs, FIRST_SHARE * seconds)
    random, idle = np.random.default_rng(0), 0
    until = began + (1 - LAST_SHARE) * seconds
    while best is not None and idle < IDLE and time.monotonic() < until:
        if best.objective - relaxation <= FIRST_GAP * abs(best.objective):
            break
        kept = _kept(search.roles(best), shares, random)
        left = min(SEARCH_SHARE * seconds, until - time.monotonic())
        better = search.solve(kept, pairs | search.pairs(best), left, best)
        gains = better is not None and better.objective < best.objective - 1e-5 * abs(best.objective)
        best, idle = (better, 0) if gains else (best, idle + 1)
    if best is not None:
        left = began + seconds - time.monotonic()
        best = search.solve(search.roles(best), m.award, left, best) or best
        search.load(best)
    return pairs if best is not None else set()


def role_shares(m: Any, s: str) -> list[float]:
    """How much of each role a supplier has in the relaxation: none first, then by ranges of its rebates."""
    ranges = range(len(m.rebate_steps.get(s, ())))
    return [1 - m.used[s].value, *([m.tier[s, k].value for k in ranges] or [m.used[s].value])]


def dive(m: Any, seconds: float) -> tuple[Roles, set[Pair]]:
    """Settle the roles in which the relaxation is clearest, solve it again, and so on; returns the roles, and the
    pairs used on the way. Where no award is left, the last ones settled are open again."""
    again, until = Again(m, relaxed=True), time.monotonic() + seconds
    roles: Roles = {}
    pairs: set[Pair] = set()
    step = max(1, round(STEP * len(m.suppliers)))
    while True:
        pairs |= {pair for pair, variable in m.award.items() if variable.value > USED}
        shares = {s: role_shares(m, s) for s in m.suppliers if s not in roles}
        order = sorted(shares, key=lambda s: -max(shares[s]))
        new = {s: int(np.argmax(shares[s])) for n, s in enumerate(order) if n < step or max(shares[s]) > CLEAR}
        if not new:
            return roles, pairs
        for s, role in new.items():
            settle_role(again, m, s, role)
        solved = again.solve(until - time.monotonic())
        if solved is None:
            return roles, pairs
        again.load(solved)
        roles |= new


def settle_role(again: Again, m: Any, s: str, role: int | None) -> None:
    """Hold a supplier in a role; None: in any."""
    ranges = range(len(m.rebate_steps.get(s, ())))
    columns = again.columns([m.used[s], *(m.tier[s, k] for k in ranges)])
    if role is None:
        again.bound(columns, np.zeros(len(columns)), np.ones(len(columns)))
    else:
        again.fix(columns, [float(role > 0), *(float(role == k + 1) for k in ranges)])


class Restricted:
    """Searches for an award with some roles held and only some offers allowed, in one model without cuts of rebates."""

    def __init__(self, m: Any):
        m.rebate_cuts.deactivate()
        self._m, self._again = m, Again(m, gap=FIRST_GAP)
        m.rebate_cuts.activate()
        self._awards = self._again.columns(m.award.values())

    def solve(
        self, roles: Roles, pairs: Collection[Pair], seconds: float, start: Solved | None = None
    ) -> Solved | None:
        """The best award found within the seconds."""
        for s in self._m.suppliers:
            settle_role(self._again, self._m, s, roles.get(s))
        self._again.bound(self._awards, np.zeros(len(self._awards)), [float(pair in pairs) for pair in self._m.award])
        if start is not None:
            self._again.start_from(start)
        return self._again.solve(seconds)

    def load(self, solved: Solved) -> None:
        self._again.load(solved)

    def roles(self, solved: Solved) -> Roles:
        """The roles of the suppliers in an award."""
        self.load(solved)
        return {s: int(np.argmax(role_shares(self._m, s))) for s in self._m.suppliers}

    def pairs(self, solved: Solved) -> set[Pair]:
        """The pairs of an award."""
        self.load(solved)
        return {pair for pair, variable in self._m.award.items() if variable.value > 0.5}


def _kept(roles: Roles, shares: dict[str, list[float]], random: np.random.Generator) -> Roles:
    """The roles without those of suppliers drawn at random, rather those of which the relaxation has little."""
    doubt = np.array([1 - shares[s][role] for s, role in roles.items()]) + 0.05
    count = max(1, round(FREE * len(roles)))
    free = random.choice(list(roles), count, replace=False, p=doubt / doubt.sum())
    return {s: role for s, role in roles.items() if s not in set(free.tolist())}
