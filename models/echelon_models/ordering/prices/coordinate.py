"""Coordination by prices: each item plans alone against the prices of the shared limits; the prices are adjusted until
the limits hold (`agree`); of the plans found, those that fit together are chosen (`choose`) and repaired (`replan`).

This is the Lagrangian (Dantzig-Wolfe) decomposition of the multi-item lot-sizing problem by its shared limits
(Lasdon & Terjung 1971, Operations Research 19; Pochet & Wolsey 2006, ch. 12). The prices give a bound that no plan can
beat, at least as good as that of the linear relaxation of the tightest model of each item.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from echelon.errors import Finding
from echelon.executor import Workers
from echelon.explain.limits import ease_limits
from echelon.family import Answer
from echelon.solvers.highs import PROVEN, SOLVER
from echelon.solvers.outcome import Control, Outcome, Termination, relative_gap
from echelon.solvers.watch import Watch
from echelon.tables import Frames
from echelon_models.ordering.explain import explain
from echelon_models.ordering.limits import DIGITS
from echelon_models.ordering.plan import LANE, Decisions, only, plan_tables, quantities, total_cost
from echelon_models.ordering.prices.agree import Agreement, agree
from echelon_models.ordering.prices.choose import choose, dearer, mixed
from echelon_models.ordering.prices.divide import Division, divide, soften
from echelon_models.ordering.prices.shard import join, stocks_of
from echelon_models.ordering.replan import replan
from echelon_models.ordering.schema import OrderingOptions
from echelon_models.ordering.sets import prepare

AT_ONCE = 25  # items that are planned anew together
A_REPAIR = 0.1  # of the time limit, at most, goes to one repair, unless it is of all items
EASE_SHARE = 0.1  # of the time limit, at most, goes to solving again with limits eased
UNTIL = 0.9  # share of the time limit at which repairs end
FRUITLESS = 2  # repairs in a row that gain next to nothing, after which no more are tried
GAIN = 1e-6  # of the cost, what is next to nothing


def solve_by_prices(full: Frames, options: OrderingOptions, control: Control) -> Answer:
    """The plan, its bound and the prices; where there is none, what stands in the way as far as is known."""
    soft = soften(full)
    with Watch(control.options, control.progress, control.log_file) as watch:
        with Workers(control.options.executor) as workers:
            case = divide(full, options, workers.count)
            agreed = agree(case, workers, watch, start=_known_prices(case, full, control.start))
        if blocked := _blocked(case, agreed):
            return _no_plan(full, options, watch, agreed, blocked)
        chosen = choose(case, agreed, watch)
        order = _item_names(case)[np.argsort(-dearer(case, agreed, chosen), kind="stable")]
        decisions = _compose(case, agreed, chosen)
        decisions = _repair(soft, options, decisions, list(dict.fromkeys(order)), agreed.bound, watch)
        answer = _answer(full, decisions, case, agreed, watch)
    if answer.outcome.has_plan and control.options.explain != "off" and len(case.arrays.limits):
        until = time.monotonic() + EASE_SHARE * control.options.time_limit
        answer.plan["eased"] = ease_limits(*mixed(case, agreed, watch), until, how="weighed")
    return answer


def _known_prices(case: Division, full: Frames, start: Frames | None) -> np.ndarray | None:
    """(R,) the prices of an earlier run's limits table, by period; None without one. A row it does not know takes the
    mean price of its limit."""
    if start is None or "limits" not in start or not (start["limits"]["price"] > 0).any():
        return None
    keys = case.arrays.limits.keys.merge(full["periods"][["t", "period"]], on="t", how="left")
    known = start["limits"][["limit", "name", "unit", "period", "price"]]
    price = keys.merge(known, on=["limit", "name", "unit", "period"], how="left")["price"]
    mean = keys.merge(known.groupby(["limit", "name", "unit"])["price"].mean().reset_index(), how="left")["price"]
    return price.fillna(mean).fillna(0.0).to_numpy(dtype=float)


def _item_names(case: Division) -> np.ndarray:
    """(U,) the item of each unit."""
    return np.concatenate([case.arrays.place_names["item"].to_numpy(dtype=object), np.array(case.items, dtype=object)])


def _blocked(case: Division, agreed: Agreement) -> list[str]:
    """The items for which no plan was found at all."""
    last = agreed.rounds[-1]
    return sorted(set(_item_names(case)[~np.isfinite(last.value) | ~np.isfinite(last.cost)]))


def _no_plan(full: Frames, options: OrderingOptions, watch: Watch, agreed: Agreement, blocked: list[str]) -> Answer:
    """No plan for some items: infeasible if that is proven, with what stands in the way."""
    infeasible = bool(np.isposinf(agreed.rounds[-1].value).any())
    termination = Termination.INFEASIBLE if infeasible else Termination.NO_SOLUTION
    outcome = Outcome(termination, seconds=watch.seconds, solver=SOLVER)
    if not infeasible:
        return Answer(outcome)
    some = only(full, blocked)
    return Answer(outcome, findings=tuple(explain(prepare(some, options), some, watch.options)))


def _compose(case: Division, agreed: Agreement, chosen: np.ndarray) -> Decisions:
    """The decisions of each unit's chosen round, with the pinned orders."""
    offers, names, used = case.arrays.offers, case.arrays.offer_names, np.unique(chosen).tolist()
    found = [agreed.rounds[k].lines for k in used]
    own = [
        part.take(np.flatnonzero(chosen[offers.place[part.offer]] == k)) for k, part in zip(used, found, strict=True)
    ]
    stocks = stocks_of(case.arrays.places, offers, join(own))
    lines = join([*own, case.whole.pinned])
    orders = names.iloc[lines.offer].assign(t=lines.placed, quantity=lines.quantity.round(DIGITS))
    of_places = Decisions(
        orders=orders[orders["quantity"] > 0],
        transfers=quantities(LANE, []),
        lost=_cells(case, stocks.lost),
        waiting=_cells(case, stocks.waiting),
    )
    return Decisions.joined(of_places, *(part for k in used for part in _of_items(case, agreed, chosen, k)))


def _of_items(case: Division, agreed: Agreement, chosen: np.ndarray, k: int) -> list[Decisions]:
    """The decisions on those items that take the plans of round k."""
    items = {item for item, own in zip(case.items, chosen[len(case.arrays.places) :], strict=True) if own == k}
    return [part.only(items) for part in agreed.rounds[k].decisions] if items else []


def _cells(case: Division, units: np.ndarray) -> pd.DataFrame:
    """The positive ones of (P, T) quantities as rows: item, site, t, quantity."""
    rounded = units.round(DIGITS)
    place, t = np.nonzero(rounded > 0)
    return case.arrays.place_names.iloc[place].assign(t=t, quantity=rounded[place, t]).reset_index(drop=True)


def _repair(
    soft: Frames, options: OrderingOptions, decisions: Decisions, items: list[str], bound: float, watch: Watch
) -> Decisions:
    """The decisions with items planned anew, some at a time and the dearest first, until the plan is as close to the
    bound as was asked for, repairs bear no fruit, or time is up."""
    cost, fruitless = _cost(soft, decisions), 0
    for first in range(0, len(items), AT_ONCE):
        watch.tell(cost, bound)
        left = watch.until(UNTIL) - time.monotonic()
        gap = relative_gap(cost, bound)
        if (
            left <= 0
            or watch.interrupted
            or fruitless == FRUITLESS
            or (gap is not None and gap <= max(watch.options.gap, PROVEN))
        ):
            break
        most = left if len(items) <= AT_ONCE else min(left, A_REPAIR * watch.options.time_limit)
        search = watch.options.model_copy(update={"time_limit": most})
        better = replan(soft, options, decisions, set(items[first : first + AT_ONCE]), search)
        now = np.inf if better is None else _cost(soft, better)
        fruitless = 0 if now < cost * (1 - GAIN) else fruitless + 1
        if better is not None and now < cost:
            decisions, cost = better, now
    return decisions


def _cost(full: Frames, decisions: Decisions) -> float:
    return total_cost(full, plan_tables(full, decisions))


def _answer(full: Frames, decisions: Decisions, case: Division, agreed: Agreement, watch: Watch) -> Answer:
    prices = case.arrays.limits.keys.assign(price=agreed.prices)
    plan = plan_tables(full, decisions, prices)
    cost = total_cost(full, plan)
    gap = relative_gap(cost, agreed.bound)
    if gap is None:
        return _hard_limits_broken(full, plan, agreed, watch)
    limit = (
        "interrupt"
        if watch.interrupted
        else "gap"
        if gap <= watch.options.gap
        else "time"
        if watch.timed_out
        else "other"
    )
    proven = gap <= PROVEN
    outcome = Outcome(
        termination=Termination.OPTIMAL if proven else Termination.FEASIBLE,
        limit=None if proven else limit,  # type: ignore[arg-type]
        objective=cost,
        bound=agreed.bound,
        gap=gap,
        seconds=watch.seconds,
        solver=SOLVER,
    )
    facts = {"price_rounds": len(agreed.rounds)}
    return Answer(outcome, plan, facts, notes=tuple(_notes(full, case, agreed)))


def _hard_limits_broken(full: Frames, plan: Frames, agreed: Agreement, watch: Watch) -> Answer:
    """No plan within the hard limits was found (which does not prove that there is none): by how much the best one
    found exceeds them."""
    tables = ("budgets", "amount"), ("storage", "capacity"), ("supplier_capacity", "capacity")
    origin = pd.concat(
        [full[name].assign(table=name, column=column)[["table", "column", "hard"]] for name, column in tables]
    )
    limits = plan["limits"].assign(**{name: origin[name].to_numpy() for name in origin})
    broken = limits[limits["hard"].astype(bool) & (limits["excess"] > 0)]
    findings = [
        Finding(
            table=row.table,
            column=row.column,
            value=f"{row.capacity:g}",
            rule=f"the best plan found exceeds the hard limit of {row.name or 'the whole company'} in {row.period} by "
            f"{row.excess:,.6g} {row.unit}",
            remedy="Raise it, make it soft (hard = false), or solve as one model (--method mip)",
        )
        for row in broken[["table", "column", "capacity", "name", "period", "excess", "unit"]].itertuples(index=False)
    ]
    outcome = Outcome(Termination.NO_SOLUTION, bound=agreed.bound, seconds=watch.seconds, solver=SOLVER)
    return Answer(outcome, findings=tuple(findings))


def _notes(full: Frames, case: Division, agreed: Agreement) -> list[str]:
    """How the plan was found, and where its bound is weaker than it might be."""
    rounds = len(agreed.rounds)
    ended = "until no others could raise the bound" if agreed.converged else "until time was up"
    found = [f"{len(case.arrays.places):,} item-sites by dynamic programme"] if len(case.arrays.places) else []
    found += [f"{len(case.items):,} items as small programmes"] if case.items else []
    notes = [f"prices: {rounds} rounds {ended}; planned {', '.join(found)}"]
    if (full["suppliers"]["order_cost"] > 0).any():
        notes.append(
            "the bound spreads each supplier's order cost evenly over the items that may share it: it may be weak"
        )
    if not agreed.converged:
        notes.append("the bound is weaker than it might be: the prices had not settled")
    return notes
