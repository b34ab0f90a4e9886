"""Find the prices at which units, each planning alone, together keep to the limits: rounds of prices and plans."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from echelon.executor import Workers
from echelon.solvers.watch import Watch
from echelon_models.ordering.plan import Decisions
from echelon_models.ordering.prices.divide import Division
from echelon_models.ordering.prices.master import Master, first_prices
from echelon_models.ordering.prices.shard import OrderLines, Priced, Shard, join

A_ROUND = 0.1  # of the time limit, at most, goes to the small programmes of one round; twice that to the first
RELAXED_UNTIL = 0.25  # share of the time limit at which the rounds of relaxations end
ROUNDS_UNTIL = 0.6  # share of the time limit at which the rounds end
MOST_ROUNDS = 400
CLOSE = 0.002  # of the gap asked for: prices are good enough when no others can raise the bound by more,
CLOSEST, CLOSE_ENOUGH = 1e-8, 1e-5  # within these relative bounds


@dataclass(frozen=True)
class Round:
    """The plans found at some prices: per unit (U,) `value` at the prices, `cost` without them, `signature` (equal for
    equal plans); order lines of the places, with the case's numbers of offers; decisions on the items and what they
    use (items, R)."""

    prices: np.ndarray
    value: np.ndarray
    cost: np.ndarray
    signature: np.ndarray
    lines: OrderLines
    decisions: list[Decisions]
    item_use: np.ndarray

    @property
    def planned(self) -> bool:
        """Whether every unit found a plan."""
        return bool((np.isfinite(self.value) & np.isfinite(self.cost)).all())


@dataclass(frozen=True)
class Agreement:
    """How the rounds ended: all rounds; the best prices and what no plan can cost less than; which plans (round,
    bunch, weight) together make the relaxed optimum; whether there is nothing left to gain from other prices."""

    rounds: list[Round]
    best: int  # number of the round with the best prices
    prices: np.ndarray
    bound: float
    weights: list[tuple[int, int, float]]
    converged: bool


def agree(case: Division, workers: Workers, watch: Watch, start: np.ndarray | None) -> Agreement:
    """Rounds until prices are good enough, time is up, or Ctrl-C; `start` are known prices (R,) to begin with. Where
    items are small programmes, the prices are first found for their relaxations, which takes far less time a round.
    Ends after a round in which some unit found no plan: its value or cost is infinite then."""
    if not case.items:
        return _rounds(case, workers, watch, start, watch.until(ROUNDS_UNTIL), relaxed=False)
    relaxed = _rounds(case, workers, watch, start, watch.until(RELAXED_UNTIL), relaxed=True)
    agreed = _rounds(case, workers, watch, relaxed.prices, watch.until(ROUNDS_UNTIL), relaxed=False)
    return replace(agreed, bound=max(agreed.bound, relaxed.bound))


def _rounds(
    case: Division, workers: Workers, watch: Watch, start: np.ndarray | None, until: float, relaxed: bool
) -> Agreement:
    tolerance = float(np.clip(CLOSE * watch.options.gap, CLOSEST, CLOSE_ENOUGH))
    prices, seconds = first_prices(case.arrays.limits, start), _seconds_an_item(case, watch)
    found, use = _ask(case, workers, prices, None if relaxed else 2 * seconds)
    scale = float(np.abs(_sums(case, found.value)).mean()) or 1.0
    master = Master(case.arrays.limits, case.bunches, watch, start, scale if np.isfinite(scale) else 1.0)
    rounds, converged = [found], False
    while found.planned:
        value, cost, signature = (_sums(case, part) for part in (found.value, found.cost, found.signature))
        master.hear(prices, value, cost, signature, use)
        worth = tolerance * max(abs(master.bound), 1.0)
        prices = master.next_prices(worth)
        converged = master.optimum - master.bound <= worth
        watch.tell(None, master.bound)
        what = "relaxed round" if relaxed else "round"
        watch.log(f"{what} {len(rounds)}: bound {master.bound:.10g}, with other prices at best {master.optimum:.10g}")
        if converged or watch.interrupted or time.monotonic() > until or len(rounds) == MOST_ROUNDS:
            break
        found, use = _ask(case, workers, prices, None if relaxed else seconds)
        rounds.append(found)
    return Agreement(rounds, master.best_round, master.best, master.bound, master.weights(), converged)


def plan_shard(shard: Shard, prices: np.ndarray, seconds: float | None) -> Priced:
    """What a worker does with its shard."""
    return shard.plan(prices, seconds)


def _ask(case: Division, workers: Workers, prices: np.ndarray, seconds: float | None) -> tuple[Round, np.ndarray]:
    """The plans of all units at these prices, and what each bunch uses (G, R); `seconds` for each small programme,
    None for its relaxation only."""
    answers = workers.map(plan_shard, case.shards, prices, seconds)
    value, cost, signature = (np.empty(case.units) for _ in range(3))
    item_use, places = np.zeros((len(case.items), len(prices))), case.units - len(case.items)
    for units, answer in zip(case.units_of, answers, strict=True):
        value[units], cost[units], signature[units] = answer.value, answer.cost, answer.signature
        if answer.item_use is not None:
            item_use[units[units >= places] - places] = answer.item_use
    lines = join(answer.lines for answer in answers)
    decisions = [answer.decisions for answer in answers if answer.decisions is not None]
    use = np.sum([answer.use for answer in answers], axis=0)
    return Round(prices, value, cost, signature, lines, decisions, item_use), use


def _sums(case: Division, of_units: np.ndarray) -> np.ndarray:
    """(G,) added up over the units of each bunch, in one order whatever the shards."""
    return np.bincount(case.bunch, of_units, case.bunches)


def _seconds_an_item(case: Division, watch: Watch) -> float:
    """Time for one small programme, so that a round takes at most `A_ROUND` of the time limit."""
    items = max((int((units >= len(case.arrays.places)).sum()) for units in case.units_of), default=0)
    return A_ROUND * watch.options.time_limit / max(items, 1)
