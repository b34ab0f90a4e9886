"""Plan some items anew by the one big model, all others held: to repair a plan, or to tell what a decision costs.

First the setups of these items are held and their quantities moved so as to fit the limits best (a linear programme);
then one item after the other is planned freely within what the others leave (fix-and-optimize, Helber & Sahling 2010);
with the time that is left, all of them together.
"""

from __future__ import annotations

from collections.abc import Collection

from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon.tables import Frames
from echelon_models.ordering.formulation import build
from echelon_models.ordering.limits import LIMIT
from echelon_models.ordering.plan import Decisions, limit_uses, only
from echelon_models.ordering.results import read_decisions
from echelon_models.ordering.schema import OrderingOptions
from echelon_models.ordering.sets import Elsewhere, prepare
from echelon_models.ordering.start import block_of, set_orders


def replan(
    full: Frames,
    options: OrderingOptions,
    decisions: Decisions,
    items: Collection[str],
    search: SolveOptions,
    *,
    pins: bool = True,
    together: bool = True,
) -> Decisions | None:
    """The decisions with these items planned anew (without `pins`, as if none of their orders were pinned), one by one
    and then `together`; None if no plan around their present setups keeps to the hard limits."""
    free = plan_within(
        only(full, items), options, decisions.only(items), taken_elsewhere(full, decisions, items), search,
        pins=pins, together=together,
    )  # fmt: skip
    return None if free is None else Decisions.joined(decisions.without(items), free)


def plan_within(
    some: Frames,
    options: OrderingOptions,
    own: Decisions,
    elsewhere: Elsewhere,
    search: SolveOptions,
    *,
    pins: bool = True,
    together: bool = True,
) -> Decisions | None:
    """The decisions on the items of `some` (the completed tables with only these) planned anew from their `own` on,
    within what the others leave; see `replan`."""
    sets = prepare(some, options, pins=pins, elsewhere=elsewhere)
    model = build(sets, "facility")
    lines = own.orders
    keys = zip(lines["supplier"], lines["item"], lines["site"], lines["t"], strict=True)
    set_orders(model, sets, dict(zip(keys, lines["quantity"], strict=True)))
    half = search.model_copy(update={"time_limit": 0.5 * search.time_limit})
    if highs.improve(model, highs.Guide(block_of=block_of), half) is None:
        return None
    if together:
        highs.solve(model, half)
    return read_decisions(model, sets)


def taken_elsewhere(full: Frames, decisions: Decisions, items: Collection[str]) -> Elsewhere:
    """What all other items take of what is shared: all that is used less what these items use."""
    mine = limit_uses(only(full, items), decisions.only(items))
    use = (limit_uses(full, decisions)["use"] - mine["use"]).clip(lower=0.0)
    keys = mine[LIMIT].itertuples(index=False, name=None)
    others = decisions.without(items).orders
    placed = others[["supplier", "site", "t"]].drop_duplicates().itertuples(index=False, name=None)
    return Elsewhere(dict(zip(keys, use.tolist(), strict=True)), set(placed))
