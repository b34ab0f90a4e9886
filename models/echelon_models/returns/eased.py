"""What limits are worth: the plan solved again with one after the other eased.

First with tours and trucks held: a linear program, exact. Then by searching tours anew: no bound is known, so what is
told is the difference of two plans, and only where it cannot be luck: the plan found uses more than the limit allows,
and it saves more than as long a search finds with nothing eased.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from echelon.explain.limits import LIMIT, called, candidates, ease_limits
from echelon.explain.schema import EASED
from echelon.solvers import highs
from echelon.solvers.outcome import Control, SolveOptions
from echelon.tables import Frames
from echelon_models.returns.coordinate import Rounds, search_on
from echelon_models.returns.formulation import Estimate, build
from echelon_models.returns.limits import DIMENSION, KEY, PRICED, constraint_of, ease, limit_lines
from echelon_models.returns.settle import Plan
from echelon_models.returns.tour_search import tour_search
from echelon_models.returns.tours import fleet
from echelon_models.returns.unserved import take_in

LEAST, A_STOP = 0.3, 0.02  # seconds that a search must have to be worth making: in any case, and for each stop
NEXT = 2  # limits eased besides the one that holds the plan back most, to see which binds next
NEARLY_FULL = 0.75  # of its capacity, from which a limit may hold a plan back
TAKE_IN_UNTIL = 0.93  # share of a search's time from which stops that were left are no longer taken in
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Told:
    """What easing limits told: the result table `eased`, notes; and the best plan known by then."""

    best: Plan
    eased: pd.DataFrame
    notes: tuple[str, ...] = ()


def ease_held(state: Rounds, best: Plan, limits: pd.DataFrame, until: float) -> pd.DataFrame:
    """The result table `eased` with tours and trucks held; `limits` is the table of this name."""
    where = {i: (i, at.hub, at.t) for i, at in best.at.items()}
    model = build(state.sets, Estimate(dict.fromkeys(state.sets.visits, 0.0)), trucks=best.trucks)
    for key, variable in model.visit.items():
        variable.fix(int(where.get(key[0]) == key))
    solution = highs.solve(model, SolveOptions(time_limit=max(until - time.monotonic(), 0.1)), prices=True)
    if solution.held is None:
        return EASED.empty()
    known = limits[limits["limit"].isin(PRICED)]
    rows = [constraint_of(model, state.sets, *key) for key in known[KEY].itertuples(index=False, name=None)]
    numbers = [None if row is None else solution.held.row(row) for row in rows]
    found = known.assign(row=numbers).dropna(subset="row").astype({"row": int})
    return ease_limits(solution.held, found[[*LIMIT, "capacity", "row"]], until)


def search_eased(state: Rounds, best: Plan, limits: pd.DataFrame, held: pd.DataFrame, until: float) -> Told:
    """The limits that promise most eased one by one and tours searched again, as far as time allows: `held` and what
    is found beyond luck. A search is not worth making in next to no time."""
    promising = _promising(held, limits, state, best)
    searches = _Searches(state, until, 1 + len(promising) + 1 + NEXT)
    if not promising or searches.left < 2:
        return Told(best, held)
    again = searches.best(state.fleet.full, best) or best
    luck, best = max(best.cost - again.cost, 0.0), min(again, best, key=lambda plan: plan.cost)
    blank = {"how": "searched", "price": None, "binds_next": ""}
    tried = [line | blank | {"saving": searches.saving([line], best)[0]} for line in promising if searches.left]
    found = sorted((line for line in tried if line["saving"] > luck), key=lambda line: -line["saving"])
    if found and not (held[LIMIT] == list(_key(found[0]))).all(axis=1).any():  # else `held` tells how far it reaches
        found[:1] = searches.beyond(found[0], best, luck)
    note = f"{len(tried)} limits eased and tours searched again; as long a search with nothing eased saves {luck:,.2f}"
    return Told(best, EASED.typed(pd.concat([held, pd.DataFrame(found)]) if found else held), (note,))


class _Searches:
    """As many searches as there is time for, `left` of them, each with an equal part of what is left of it."""

    def __init__(self, state: Rounds, until: float, wanted: int):
        self.state, self.until = state, until
        seconds, each = until - time.monotonic(), LEAST + A_STOP * len(state.fleet.stops)
        affordable = wanted if state.options.steps and seconds > 0 else int(seconds / each)
        self.left = min(wanted, max(affordable, 0))

    def best(self, full: Frames, start: Plan) -> Plan | None:
        """The best plan found of a completed case from a plan on; None if none was found."""
        seconds = (self.until - time.monotonic()) / max(self.left, 1)
        self.left -= 1
        if seconds <= 0:
            self.left = 0
            return None
        options = self.state.control.options.model_copy(update={"time_limit": seconds})
        control, vehicles = Control(options), fleet(full, self.state.options)
        search = tour_search(vehicles, self.state.options, control)
        found = search_on(vehicles, self.state.options, control, search, start)
        return take_in(found, found.best, found.began + TAKE_IN_UNTIL * seconds) if found.best is not None else None

    def saving(self, lines: Iterable[dict[str, Any]], best: Plan) -> tuple[float, Plan]:
        """What the plan found with these limits eased costs less than the best one, and that plan; 0 and the best one
        where it uses no more of them than the case allows."""
        full = self.state.fleet.full
        plan = self.best(_with(lines, full), best)
        if plan is None or not all(_uses_more(full, plan, line) for line in lines):
            return 0.0, best
        return best.cost - plan.cost, plan

    def beyond(self, top: dict[str, Any], best: Plan, luck: float) -> list[dict[str, Any]]:
        """Lines on the limit that saves most: as it was eased, with what one more unit would then still save and the
        limit that binds next; and, if that saves more, eased by twice as much."""
        if not self.left:
            return [top]
        twice = top | {"added": 2 * top["added"], "share": 2 * top["share"]}
        further, plan = self.saving([twice], best)
        more = max(further, top["saving"])
        then = limit_lines(_with([twice], self.state.fleet.full), plan.tables)
        others = [line for line in _promising(EASED.empty(), then, self.state, plan) if _key(line) != _key(top)]
        besides = [(self.saving([twice, line], best)[0], line) for line in others[:NEXT] if self.left]
        saving, following = max(besides, key=lambda pair: pair[0], default=(0.0, top))
        binds = called(following["limit"], following["name"]) if saving > more + luck else ""
        first = top | {"price": (more - top["saving"]) / top["added"], "binds_next": binds}
        return [first, twice | {"saving": more, "binds_next": binds}] if more > top["saving"] + luck else [first]


def _promising(held: pd.DataFrame, limits: pd.DataFrame, state: Rounds, best: Plan) -> list[dict[str, Any]]:
    """The limits worth easing, those that promise most first: rows of `eased` without what is to be found."""
    full_enough = limits.loc[limits["use"] >= NEARLY_FULL * limits["capacity"], LIMIT].drop_duplicates()
    lines = candidates(held, limits.merge(full_enough, on=LIMIT))
    return [_enough_for_a_stop(line, state, best) for line in lines]


def _enough_for_a_stop(line: dict[str, Any], state: Rounds, best: Plan) -> dict[str, Any]:
    """The line with no less added than the smallest load that the plan leaves: a stop is not collected in part."""
    if line["limit"] not in ("intake", "load capacity"):
        return line
    left = [load for i in best.solution.left_out if (load := state.sets.load(i, DIMENSION[line["unit"]])) > 0]
    added = max(line["added"], min(left, default=0.0))
    return line | {"added": added, "share": line["share"] * added / line["added"]}


def _with(lines: Iterable[dict[str, Any]], full: Frames) -> Frames:
    """The completed tables with these limits eased."""
    for line in lines:
        full = ease(full, line["limit"], line["name"], line["unit"], line["added"])
    return full


def _key(line: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(line[part] for part in LIMIT)


def _uses_more(full: Frames, plan: Plan, line: dict[str, Any]) -> bool:
    """Whether a plan uses more of a limit than the case allows."""
    used = limit_lines(full, plan.tables)
    rows = used[(used[LIMIT] == list(_key(line))).all(axis=1)]
    return bool((rows["use"] > rows["capacity"] * (1 + TOLERANCE) + TOLERANCE).any())
