"""A first plan of the consolidation model: from its relaxation, or from an earlier plan."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from echelon.solvers.highs import Guide
from echelon_models.returns.estimate import Visited
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.sets import Sets, limited

SOME = 0.3  # of a truck in the relaxation from which it goes on that day


def guide(m: Any, sets: Sets) -> Guide:
    """Rounds the relaxation: HiGHS by itself is slow to find a first plan that sends goods anywhere."""
    return Guide(first_plan=lambda: round_relaxation(m, sets), first_plan_from=1)


def take_over(m: Any, at: Mapping[int, Visited], trucks: Mapping[tuple[str, str, int], int]) -> None:
    """Start the model from the visits and trucks of a plan."""
    for (i, h, t), variable in m.visit.items():
        where = at.get(i)
        variable.set_value(int(where is not None and (where.hub, where.t) == (h, t)))
    for key, variable in m.trucks.items():
        variable.set_value(trucks[key])


def round_relaxation(m: Any, sets: Sets) -> None:
    """Each stop gets the visit that the relaxation likes most and that its hub has room for; a truck goes where at
    least some of one does, and what is left goes on the last day."""
    room = {
        (h, t, d): limit
        for h, hub in sets.hubs.items()
        for t in sets.times
        for d in DIMENSIONS
        if limited(limit := getattr(hub, f"intake_{d}"))
    }
    wanted: dict[int, list[tuple[float, str, int]]] = defaultdict(list)
    for i, h, t in sets.visits:
        wanted[i].append((m.visit[i, h, t].value, h, t))
        m.visit[i, h, t].set_value(0)
    for i in sorted(wanted, key=lambda i: -max(wanted[i])[0]):
        if sum(value for value, _, _ in wanted[i]) < 0.5:
            continue
        for _, h, t in sorted(wanted[i], key=lambda want: -want[0]):
            loads = {d: sets.load(i, d) for d in DIMENSIONS}
            if all(room.get((h, t, d), math.inf) >= load for d, load in loads.items()):
                m.visit[i, h, t].set_value(1)
                for d, load in loads.items():
                    room[h, t, d] = room.get((h, t, d), math.inf) - load
                break
    _round_trucks(m, sets)


def _round_trucks(m: Any, sets: Sets) -> None:
    """Whole trucks; what a way carries on days with less than some of a truck is left to its last day."""
    left: dict[Any, float] = defaultdict(float)
    for (h, g, t), variable in sorted(m.trucks.items(), key=lambda item: item[0][2]):
        amount, most = variable.value, variable.ub if variable.ub is not None else math.inf
        left[h, g] += amount
        goes = amount >= SOME or (t == sets.times[-1] and left[h, g] > 1e-6)
        variable.set_value(int(min(math.ceil(left[h, g] - 1e-6), most)) if goes else 0)
        left[h, g] = 0.0 if goes else left[h, g]
