"""First plans: from the relaxation, or from an earlier plan."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo

from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon.tables import Frames
from echelon_models.network.sets import Sets

UNDECIDED = 1e-3  # a site is undecided if the relaxation has more than this of it open, and of it closed
FROM = 10  # integers from which on a first plan is worth making


def round_relaxation(m: Any, options: SolveOptions) -> None:
    """Turn the relaxation, whose values the variables hold, into a plan: sites that it opens or leaves closed stay so,
    a search over the undecided ones settles the rest (relaxation enforced neighbourhood: Berthold 2014, Operations
    Research Letters 42). Where there is no such plan, all sites of which it opens a part are opened."""
    shares = {key: m.open[key].value for key in m.open}
    for variable in m.component_data_objects(pyo.Var):
        variable.set_value(None, skip_validation=True)
    decided = [key for key, share in shares.items() if not UNDECIDED < share < 1 - UNDECIDED]
    for key in decided:
        m.open[key].fix(round(shares[key]))
    found = highs.solve(m, options).outcome.has_plan
    for key in decided:
        m.open[key].unfix()
    if not found:
        for variable in m.component_data_objects(pyo.Var):
            variable.set_value(0, skip_validation=True)
        for key, share in shares.items():
            m.open[key].set_value(int(share > UNDECIDED), skip_validation=True)


def take_over(m: Any, draft: Any) -> None:
    """Give the integers of the model the values they have in a solved model of some of its serves; others are 0."""
    for variable in m.component_objects(pyo.Var):
        known = draft.component(variable.name)
        for key in variable:
            value = known[key].value if known is not None and key in known else None
            variable[key].set_value(0 if value is None else value, skip_validation=True)


def warm_start(m: Any, sets: Sets, full: Frames, plan: Frames) -> None:
    """Give the sites and steps the states they have in an earlier plan's result tables (sites and periods that this
    case does not know are left out)."""
    position = full["periods"].set_index("period")["t"]
    states = plan["sites"].assign(t=plan["sites"]["period"].map(position))
    for row in states[states["t"].notna()].itertuples(index=False):
        if (key := (row.site, int(row.t))) in m.open:
            m.open[key].set_value(int(row.open), skip_validation=True)
            for k, _ in sets.steps_of(row.site):
                m.step[row.site, k, key[1]].set_value(int(k <= row.steps), skip_validation=True)
