"""The completed case as arrays: demand carried upstream, worth carried downstream, and the bounds of all times.

Index letters: stage i, j in topological order (0 needs nothing of the others). Times are whole numbers of steps: a day,
or a hundredth of one with exact times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.positioning.complete import step
from echelon_models.positioning.schema import PositioningOptions

COLUMNS_AT_ONCE = 256  # customers whose demand is carried upstream together


@dataclass(frozen=True)
class LeadTime:
    """The lead time of a stage, its wait for a review included: `steps[k]` with `probability[k]`, ascending."""

    steps: np.ndarray
    probability: np.ndarray

    @property
    def varies(self) -> bool:
        return len(self.steps) > 1

    @property
    def longest(self) -> int:
        return int(self.steps[-1])


@dataclass(frozen=True)
class Network:
    """Arrays over the stages i.

    `least[i] <= S_i <= most[i]` bound the service time, `earliest[i] <= SI_i <= latest[i]` the inbound one; `supply[i]`
    is what outside suppliers take. `mean`, `std` are units a day, `own_mean`, `own_std` those of customers alone;
    `value` is money/unit, `unit_cost` money/unit/year.
    """

    names: list[str]
    step: float
    successors: list[list[int]]
    predecessors: list[list[int]]
    arcs: list[tuple[int, int, float]]
    lead: list[LeadTime]
    review: np.ndarray
    supply: np.ndarray
    earliest: np.ndarray
    latest: np.ndarray
    least: np.ndarray
    most: np.ndarray
    may_hold: np.ndarray
    own_mean: np.ndarray
    own_std: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    level: np.ndarray
    kind: list[str]
    demand_model: str
    correlation: float
    own_history: dict[int, np.ndarray]
    history: dict[int, np.ndarray]
    history_days: int
    value: np.ndarray
    cost_added: np.ndarray
    unit_cost: np.ndarray

    def __len__(self) -> int:
        return len(self.names)

    def holds(self, i: int) -> bool:
        """Whether stage i has anything to decide: demand that varies (or a lead time that does) reaches it."""
        varies = self.std[i] > 0 or (self.lead[i].varies and self.mean[i] > 0)
        return bool(varies and not np.isnan(self.level[i]))

    def is_plain(self, i: int) -> bool:
        """Whether the safety stock is z·σ·√net time: concave, so that few candidate times will do."""
        return self.demand_model == "normal" and self.kind[i] == "cycle" and not self.lead[i].varies


def prepare(full: Frames, options: PositioningOptions) -> Network:
    """Read the completed tables into a `Network`."""
    stages, size = full["stages"], step(options)
    position = {name: i for i, name in enumerate(stages["stage"])}
    arcs = [
        (position[a], position[b], float(q))
        for a, b, q in full["arcs"][["from_stage", "to_stage", "quantity"]].itertuples(index=False)
    ]
    successors: list[list[int]] = [[] for _ in position]
    predecessors: list[list[int]] = [[] for _ in position]
    for i, j, _ in sorted(arcs):
        successors[i].append(j)
        predecessors[j].append(i)
    lead = _lead_times(stages, full["lead_times"], size)
    times = {
        name: _steps(stages[name], size)
        for name in ("supply_time", "promised_time", "min_service_time", "max_service_time")
    }
    earliest, latest, most = _time_bounds(predecessors, lead, times)
    mean, std = demand_upstream(stages, arcs, options)
    value = _values(stages, arcs)
    own_history = _own_history(full["demand_history"], stages) if options.demand_model == "bootstrap" else {}
    return Network(
        names=stages["stage"].tolist(),
        step=size,
        successors=successors,
        predecessors=predecessors,
        arcs=arcs,
        lead=lead,
        review=stages["review_period"].to_numpy(),
        supply=times["supply_time"].astype(int),
        earliest=earliest,
        latest=latest,
        least=times["min_service_time"].astype(int),
        most=most,
        may_hold=stages["may_hold_stock"].to_numpy(),
        own_mean=stages["demand_mean"].to_numpy(float),
        own_std=stages["demand_std"].to_numpy(float),
        mean=mean,
        std=std,
        level=stages["service_level"].to_numpy(dtype=float),
        kind=stages["service_kind"].tolist(),
        demand_model=options.demand_model,
        correlation=options.correlation if options.demand_pooling == "pooled" else 0.0,
        own_history=own_history,
        history=_history_upstream(own_history, arcs),
        history_days=options.history_days,
        value=value,
        cost_added=stages["cost_added"].to_numpy(),
        unit_cost=value * stages["holding_rate"].to_numpy(),
    )


def _steps(days: pd.Series, size: float) -> np.ndarray:
    """Days as whole numbers of steps (as floats; blank stays NaN)."""
    return np.round(days.to_numpy(dtype=float) / size)


def _lead_times(stages: pd.DataFrame, lead_times: pd.DataFrame, size: float) -> list[LeadTime]:
    """The lead time of each stage in steps; a start waits for its review for up to review_period - 1 days."""
    spread = {name: group.sort_values("days") for name, group in lead_times.groupby("stage")}
    found = []
    for row in stages.itertuples(index=False):
        wait = (row.review_period - 1) / size
        group = spread.get(row.stage)
        days = np.array([row.lead_time]) if group is None else group["days"].to_numpy()
        probability = np.ones(1) if group is None else group["probability"].to_numpy()
        found.append(LeadTime(np.round(days / size + wait).astype(int), probability / probability.sum()))
    return found


def _time_bounds(
    predecessors: list[list[int]], lead: list[LeadTime], times: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The earliest and latest inbound time and the longest service time worth quoting, in steps: what all that comes
    before can take together, within the bounds that the case sets."""
    n = len(predecessors)
    earliest, latest, most = np.zeros(n, int), np.zeros(n, int), np.zeros(n, int)
    asked = np.fmin(times["promised_time"], times["max_service_time"])
    for i in range(n):
        earliest[i] = max([int(times["supply_time"][i]), *(int(times["min_service_time"][p]) for p in predecessors[i])])
        latest[i] = max([int(times["supply_time"][i]), *(most[p] for p in predecessors[i])])
        longest = latest[i] + lead[i].longest
        most[i] = max(longest if np.isnan(asked[i]) else min(longest, int(asked[i])), int(times["min_service_time"][i]))
    return earliest, latest, most


def demand_upstream(
    stages: pd.DataFrame, arcs: list[tuple[int, int, float]], options: PositioningOptions
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a day's demand at each stage.

    mean_i = own + Σ_j q_ij mean_j. path_additive: var_i = own + Σ_j q_ij² var_j. pooled: with a_ik units of i in one
    unit for the customers of k, var_i = (1 - ρ) Σ_k (a_ik σ_k)² + ρ (Σ_k a_ik σ_k)².
    """
    outgoing: list[list[tuple[int, float]]] = [[] for _ in range(len(stages))]
    for i, j, q in arcs:
        outgoing[i].append((j, q))
    mean, variance = stages["demand_mean"].to_numpy(float, copy=True), stages["demand_std"].to_numpy(float) ** 2
    for i in reversed(range(len(stages))):
        for j, q in outgoing[i]:
            mean[i] += q * mean[j]
            variance[i] += q * q * variance[j]
    if options.demand_pooling == "path_additive":
        return mean, np.sqrt(variance)
    own = stages["demand_std"].to_numpy(float)
    squares, sums = np.zeros(len(stages)), np.zeros(len(stages))
    ends = np.flatnonzero(own > 0)
    for some in np.array_split(ends, max(1, -(-len(ends) // COLUMNS_AT_ONCE))):
        units = np.zeros((len(stages), len(some)))
        units[some, np.arange(len(some))] = own[some]
        for i in reversed(range(len(stages))):
            for j, q in outgoing[i]:
                units[i] += q * units[j]
        squares += (units**2).sum(axis=1)
        sums += units.sum(axis=1)
    return mean, np.sqrt((1 - options.correlation) * squares + options.correlation * sums**2)


def _own_history(history: pd.DataFrame, stages: pd.DataFrame) -> dict[int, np.ndarray]:
    """What customers asked of each stage in each period of the past, those periods that all have."""
    wide = history.pivot_table(index="day", columns="stage", values="quantity", aggfunc="sum").dropna()
    return {i: wide[name].to_numpy() for i, name in enumerate(stages["stage"]) if name in wide}


def _history_upstream(own: dict[int, np.ndarray], arcs: list[tuple[int, int, float]]) -> dict[int, np.ndarray]:
    """The demand of each stage in each period of the past: its customers' and, through it, that of all it serves."""
    past = dict(own)
    for i, j, q in sorted(arcs, reverse=True):
        if j in past:
            past[i] = past.get(i, 0.0) + q * past[j]
    return past


def _values(stages: pd.DataFrame, arcs: list[tuple[int, int, float]]) -> np.ndarray:
    """What one unit is worth at each stage: as given, or value_i = cost_added_i + Σ_p q_pi value_p."""
    value, given = stages["cost_added"].to_numpy(float, copy=True), stages["value"].to_numpy(float)
    incoming: list[list[tuple[int, float]]] = [[] for _ in range(len(stages))]
    for i, j, q in arcs:
        incoming[j].append((i, q))
    for j in range(len(stages)):
        value[j] += sum(q * value[i] for i, q in incoming[j])
        value[j] = value[j] if np.isnan(given[j]) else given[j]
    return value
