"""Simulate the promise: run the base-stock network day by day and compare the service with what it was sized for.

Every day the demand of that day becomes an order to each stage, at once all the way upstream. An order of day s is
started as its inputs come in, at day s + SI at the earliest, and is in stock a lead time later; it is due at day
s + S. Two runs: in the first each supplier keeps what it quotes, as the guaranteed-service model assumes (what
exceeds the bound is met by other means); in the second nothing is, and every shortage delays the stages that wait for
it, first come, first served. Both are arithmetic on arrays over the days: what has been served up to day t is the
least of what is due and what has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, ndtr

from echelon_models.positioning.network import Network
from echelon_models.positioning.plan import Plan
from echelon_models.positioning.schema import PositioningOptions

FEWEST_DAYS = 100
BATCHES = 20  # of days, for the confidence interval (batch means)
T_95 = 2.093  # quantile 97.5% of Student's t with BATCHES - 1 degrees of freedom
STEADY = 1 / 3  # deviation by mean up to which a normal demand is as good as never negative
SMALL = 1e-9  # relative: less is rounding


@dataclass(frozen=True)
class _Service:
    """Service of a stage with its interval of 95%, and its average stock and backlog."""

    mean: float
    low: float
    high: float
    on_hand: float
    backlog: float


def simulate(
    network: Network, plan: Plan, stages: pd.DataFrame, options: PositioningOptions, seed: int
) -> pd.DataFrame:
    """The result table `service`: a row for each stage that holds stock; empty where no simulation is asked for."""
    columns = ["stage", "service_kind", "promised", "simulated", "low", "high", "verdict",
               "flowing", "flowing_low", "flowing_high", "gap", "on_hand", "backlog"]  # fmt: skip
    if not options.simulate:
        return pd.DataFrame(columns=columns)
    base = stages["base_stock"].to_numpy()
    kept = _run(network, plan, base, options.simulate, seed, passed_on=False)
    flowing = _run(network, plan, base, options.simulate, seed, passed_on=True)
    rows = []
    for i in kept:
        promised, k, f = float(network.level[i]), kept[i], flowing[i]
        verdict = "kept" if promised <= k.high + SMALL else "below"
        rows.append((network.names[i], network.kind[i], promised, k.mean, k.low, k.high, verdict,
                     f.mean, f.low, f.high, promised - f.mean, f.on_hand, f.backlog))  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _run(n: Network, plan: Plan, base: np.ndarray, days: int, seed: int, passed_on: bool) -> dict[int, _Service]:
    """Simulate all stages, suppliers first. `served[i][t]` counts the days whose orders stage i has served by the end
    of day t, parts of a day's order included."""
    longest = max(int(plan.inbound[i]) + n.lead[i].longest + int(plan.quoted[i]) for i in range(len(n)))
    warm_up = 2 * longest + int(n.review.max())
    rng = np.random.default_rng(seed)
    orders = _orders(n, warm_up + max(days, FEWEST_DAYS), rng, never_negative=passed_on)
    served: dict[int, np.ndarray] = {}
    found = {}
    for i in range(len(n)):
        order = orders[i]
        if passed_on:
            startable = np.arange(1.0, len(order) + 1) - plan.inbound[i]
            for p in n.predecessors[i]:
                startable = np.minimum(startable, served[p])
            reached = np.interp(startable, np.arange(len(order) + 1), np.append(0.0, order.cumsum()))
            started = np.diff(reached, prepend=0.0)
        else:
            started = _later(order, int(plan.inbound[i]))
        due, stock = _flow(n, plan, i, float(base[i]), order, started, rng)
        if passed_on:
            served[i] = _days_served(order, np.minimum(due, due + stock))
        if plan.units[i] > 0:
            found[i] = _service(n, i, due, stock, warm_up)
    return found


def _later(amounts: np.ndarray, days: int) -> np.ndarray:
    """What happens each day, `days` later."""
    return np.append(np.zeros(days), amounts)[: len(amounts)]


def _days_served(order: np.ndarray, delivered: np.ndarray) -> np.ndarray:
    """How many days' orders have been served, given the units delivered by the end of each day."""
    total = np.append(0.0, order.cumsum())
    slack = SMALL * max(1.0, float(total[-1]))
    whole = np.searchsorted(total, delivered + slack, side="right") - 1
    next_order = np.append(order, 0.0)[whole]
    part = np.divide(delivered - total[whole], next_order, out=np.zeros(len(order)), where=next_order > slack)
    return whole + np.clip(part, 0.0, 1.0)


def _flow(
    n: Network, plan: Plan, i: int, base: float, order: np.ndarray, started: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Units due up to the end of each day, and net stock then (negative: backlog), of stage i, given the units whose
    inputs were there each day."""
    days, review, lead = len(order), int(n.review[i]), n.lead[i]
    start = -(-np.arange(days) // review) * review
    own = lead.steps - (review - 1)
    arrival = start + (rng.choice(own, days, p=lead.probability) if lead.varies else own[0])
    inside = arrival < days
    arrived = np.bincount(arrival[inside], started[inside], days).cumsum()
    due = _later(order, int(plan.quoted[i])).cumsum()
    return due, base + arrived - due


def _service(n: Network, i: int, due: np.ndarray, stock: np.ndarray, warm_up: int) -> _Service:
    """Share of days without backlog, or of units served in time, over the days after the warm-up."""
    tolerance = SMALL * max(1.0, float(np.abs(due).max()))
    newly_due = np.diff(due, prepend=0.0)[warm_up:]
    stock = np.where(np.abs(stock) <= tolerance, 0.0, stock)[warm_up:]
    if n.kind[i] == "cycle":
        good, of = (stock >= 0).astype(float), np.ones(len(stock))
    else:
        good, of = newly_due - np.minimum(np.maximum(-stock, 0.0), np.maximum(newly_due, 0.0)), newly_due
    parts = [
        part.sum() / whole.sum()
        for part, whole in zip(np.array_split(good, BATCHES), np.array_split(of, BATCHES), strict=True)
        if whole.sum() > 0
    ]
    mean = float(good.sum() / of.sum()) if of.sum() > 0 else 1.0
    half = T_95 * float(np.std(parts, ddof=1)) / np.sqrt(len(parts)) if len(parts) > 1 else 1.0
    return _Service(
        mean,
        max(mean - half, 0.0),
        min(mean + half, 1.0),
        float(np.maximum(stock, 0).mean()),
        float(np.maximum(-stock, 0).mean()),
    )


def _orders(n: Network, days: int, rng: np.random.Generator, never_negative: bool) -> np.ndarray:
    """Orders of each day to each stage, units: those of customers drawn, those of stages what they were asked."""
    orders = np.zeros((len(n), days))
    if n.demand_model == "bootstrap":
        length = len(next(iter(n.own_history.values())))
        which = rng.integers(0, length, -(-days // n.history_days))
        for i, past in n.own_history.items():
            orders[i] = np.repeat(past[which] / n.history_days, n.history_days)[:days]
    else:
        common = rng.standard_normal(days) if n.correlation else 0.0
        for i in np.flatnonzero((n.own_mean > 0) | (n.own_std > 0)).tolist():
            z = np.sqrt(n.correlation) * common + np.sqrt(1 - n.correlation) * rng.standard_normal(days)
            orders[i] = _demand(float(n.own_mean[i]), float(n.own_std[i]), z, n.demand_model, never_negative)
    for i, j, q in sorted(n.arcs, reverse=True):
        orders[i] += q * orders[j]
    return orders


def _demand(mean: float, std: float, z: np.ndarray, model: str, never_negative: bool) -> np.ndarray:
    """Demand of each day from standard normal z: normal, or gamma with the same mean and deviation: as declared, or
    where demand must never be negative and a normal one would often be."""
    if std == 0:
        return np.full(len(z), mean)
    if mean > 0 and (model == "gamma" or (never_negative and std > STEADY * mean)):
        shape = (mean / std) ** 2
        return gammaincinv(shape, ndtr(z)) * std**2 / mean
    demand = mean + std * z
    return np.maximum(demand, 0.0) if never_negative else demand
