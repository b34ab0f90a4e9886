"""What the limits of a plan are used for, and what one more unit of each would be worth."""

from __future__ import annotations

from typing import Any

import pandas as pd

from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon_models.returns.estimate import by_tours
from echelon_models.returns.formulation import Estimate, build
from echelon_models.returns.result_tables import RESULTS
from echelon_models.returns.schema import DIMENSIONS
from echelon_models.returns.sets import Sets, limited
from echelon_models.returns.settle import Plan
from echelon_models.returns.tours import Fleet

UNITS = {"weight": "kg", "volume": "m³", "pallets": "pallets"}


def limit_rows(fleet: Fleet, sets: Sets, first: Estimate, plan: Plan, options: SolveOptions) -> pd.DataFrame:
    """The result table `limits`. Prices are the duals of the consolidation model with the plan's trucks, the marginal
    costs of its tours, and visits that may be made in part: a linear program."""
    estimate = by_tours(fleet, first, plan.solution.routes, plan.at)
    model = build(sets, _with_room(sets, estimate, plan), divisible=True, trucks=plan.trucks)
    solution = highs.solve(model, options, prices=True)

    def price(constraint: Any, key: Any) -> float:
        known = solution.outcome.has_plan and key in constraint
        return max(-solution.dual(constraint[key]), 0.0) + 0.0 if known else 0.0

    rows = [*_of_hubs(sets, plan, model, price), *_of_destinations(sets, plan, model, price)]
    columns = list(next(table for table in RESULTS if table.name == "limits").columns)
    return pd.DataFrame(rows, columns=columns)


def _with_room(sets: Sets, estimate: Estimate, plan: Plan) -> Estimate:
    """The estimate with room enough for the plan: where it is fuller than estimated, the plan tells the limit."""
    room = dict(estimate.room)
    for h, t, d in room:
        here = [i for i, at in plan.at.items() if (at.hub, at.t) == (h, t)]
        use = sum(estimate.minutes[i, h, t] if d == "minutes" else sets.load(i, d) for i in here)
        room[h, t, d] = max(room[h, t, d], use)
    return Estimate(estimate.cost, estimate.minutes, room)


def _of_hubs(sets: Sets, plan: Plan, model: Any, price: Any) -> list[tuple[Any, ...]]:
    intake = plan.tables["intake"].set_index(["hub", "day"])
    rows: list[tuple[Any, ...]] = []
    for h, hub in sets.hubs.items():
        for t, day in enumerate(sets.days):
            for d in DIMENSIONS:
                for kind, of, used, limit in (
                    ("intake", model.hub_intake, d, getattr(hub, f"intake_{d}")),
                    ("storage", model.hub_storage, f"stock_{d}", getattr(hub, f"storage_{d}")),
                ):
                    if limited(limit):
                        use = float(intake.loc[(h, day), used])
                        rows.append((kind, h, day, UNITS[d], float(limit), use, price(of, (h, t, d))))
    return rows


def _of_destinations(sets: Sets, plan: Plan, model: Any, price: Any) -> list[tuple[Any, ...]]:
    recovery = plan.tables["recovery"]
    weight = [sets.amounts[p, o]["weight"] for p, o in zip(recovery["product"], recovery["option"], strict=True)]
    taken = recovery.assign(weight=recovery["units"] * weight)
    units = taken.groupby(["destination", "day"])["units"].sum()
    kg = taken.groupby("destination")["weight"].sum()
    rows: list[tuple[Any, ...]] = []
    for g, destination in sets.destinations.items():
        for t, day in enumerate(sets.days):
            if limited(destination.capacity):
                use = float(units.get((g, day), 0.0))
                row = (g, day, "units", float(destination.capacity), use, price(model.destination_capacity, (g, t)))
                rows.append(("destination capacity", *row))
        if limited(destination.weight_limit):
            use = float(kg.get(g, 0.0))
            rows.append(
                ("weight limit", g, "", "kg", float(destination.weight_limit), use, price(model.weight_limit, g))
            )
    return rows
