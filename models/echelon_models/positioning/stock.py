"""How much safety stock a stage needs when its inputs arrive after SI and it quotes S.

The net time is X = max(SI - S + L, 0), L being the lead time. Demand over it has mean m = μ E[X] and variance
s² = σ² E[X] + μ² Var[X] (Humair, Ruark, Tomlin & Willems 2013, Interfaces 43); with a constant lead time that is the
guaranteed-service model of Graves & Willems (2000): safety stock = z σ √(SI + L - S). Other distributions and the fill
rate are tabulated for every step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from statistics import NormalDist

import numpy as np
from scipy.special import gammainc, gammaincinv, ndtr

from echelon_models.positioning.network import Network

SAMPLES = 4000  # demands drawn from the history for each stage
SEED = 20000  # of these draws: the same history gives the same stock
HALVINGS = 80  # of the interval in which a fill rate's stock lies
LARGEST_FACTOR = 40.0  # standard deviations: no fill rate below 1 needs more


class SafetyStock:
    """Safety stock of one stage, units, as a function of SI - S (steps)."""

    def __init__(self, network: Network, i: int):
        self.network = network
        self.i = i
        self.lead = network.lead[i]

    def at(self, waits: np.ndarray) -> np.ndarray:
        """Safety stock for each SI - S; any shape."""
        if not self.network.holds(self.i):
            return np.zeros(waits.shape)
        if self.network.is_plain(self.i):
            net = np.maximum(waits + self.lead.longest, 0) * self.network.step
            return self._factor * self.network.std[self.i] * np.sqrt(net)
        first, tabulated = self._table
        return tabulated[np.maximum(waits - first, 0)]

    def net_time(self, waits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (days) and variance (days²) of X for each SI - S."""
        x = np.maximum(waits[..., None] + self.lead.steps, 0) * self.network.step
        mean = x @ self.lead.probability
        return mean, np.maximum(x**2 @ self.lead.probability - mean**2, 0.0)

    @property
    def _factor(self) -> float:
        return NormalDist().inv_cdf(float(self.network.level[self.i]))

    @cached_property
    def _table(self) -> tuple[int, np.ndarray]:
        """The first SI - S and the stock from there on, step by step: never negative, and never falling as SI - S
        grows, so that being served sooner never costs."""
        n, i = self.network, self.i
        waits = np.arange(min(-self.lead.longest, -int(n.most[i])), int(n.latest[i]) + 1)
        if n.demand_model == "bootstrap" and n.std[i] > 0:
            excess = self._bootstrap(waits)
        else:
            net, variance = self.net_time(waits)
            mean, std = n.mean[i] * net, np.sqrt(n.std[i] ** 2 * net + n.mean[i] ** 2 * variance)
            excess = np.zeros(len(waits))
            some = std > 0
            size = _gamma if n.demand_model == "gamma" else _normal
            excess[some] = size(mean[some], std[some], float(n.level[i]), n.kind[i], self._short_allowed)
        return int(waits[0]), np.maximum.accumulate(np.maximum(excess, 0.0))

    @property
    def _short_allowed(self) -> float:
        """Units that may be short in a cycle of review_period days: (1 - fill rate)·mean demand of the cycle."""
        n, i = self.network, self.i
        return float((1 - n.level[i]) * n.mean[i] * n.review[i])

    def _bootstrap(self, waits: np.ndarray) -> np.ndarray:
        """Stock beyond mean demand such that demand drawn again from the history is served as promised."""
        n, i = self.network, self.i
        past, level = n.history[i], float(n.level[i])
        periods = (np.maximum(waits[:, None] + self.lead.steps, 0) * n.step) / n.history_days
        longest = int(np.ceil(periods.max())) + 1
        rng = np.random.default_rng(SEED)
        sums = np.vstack([np.zeros(SAMPLES), past[rng.integers(0, len(past), (longest, SAMPLES))].cumsum(axis=0)])
        which = np.random.default_rng(SEED + 1).choice(len(self.lead.steps), SAMPLES, p=self.lead.probability)
        excess = np.zeros(len(waits))
        for k, row in enumerate(periods):
            whole = row.astype(int)[which]
            part = row[which] - whole
            drawn = (1 - part) * sums[whole, range(SAMPLES)] + part * sums[whole + 1, range(SAMPLES)]
            need = np.quantile(drawn, level) if n.kind[i] == "cycle" else _covering(drawn, self._short_allowed)
            excess[k] = need - drawn.mean()
        return excess


def _normal(mean: np.ndarray, std: np.ndarray, level: float, kind: str, short: float) -> np.ndarray:
    """z·s (cycle service), or k·s with s·G(k) = units that may be short, G the normal loss function (fill rate)."""
    if kind == "cycle":
        return NormalDist().inv_cdf(level) * std

    def expected_short(k: np.ndarray) -> np.ndarray:
        return std * (np.exp(-0.5 * k**2) / np.sqrt(2 * np.pi) - k * ndtr(-k))

    return _halve(expected_short, np.zeros(len(std)), np.full(len(std), LARGEST_FACTOR), short) * std


def _gamma(mean: np.ndarray, std: np.ndarray, level: float, kind: str, short: float) -> np.ndarray:
    """Quantile of a gamma distribution with this mean and deviation less the mean, or the level B at which
    E[(D - B)⁺] = units that may be short, less the mean."""
    shape, scale = (mean / std) ** 2, std**2 / mean
    if kind == "cycle":
        return gammaincinv(shape, level) * scale - mean

    def expected_short(level: np.ndarray) -> np.ndarray:
        return mean * (1 - gammainc(shape + 1, level / scale)) - level * (1 - gammainc(shape, level / scale))

    return _halve(expected_short, mean, mean + LARGEST_FACTOR * std, short) - mean


def _halve(falling: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, target: float) -> np.ndarray:
    """Where the falling function meets the target, element by element, between low and high."""
    low, high = low.copy(), high.copy()
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        above = falling(middle) > target
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return high


def _covering(drawn: np.ndarray, short: float) -> float:
    """The level B at which the mean of (drawn - B)⁺ is `short`: between two draws it falls linearly."""
    falling = np.sort(drawn)[::-1]
    number = np.arange(1, len(falling) + 1)
    missing = (falling.cumsum() - number * np.append(falling[1:], 0.0)) / len(falling)  # were B the next draw
    k = int(np.searchsorted(missing, short))
    return float((falling[: k + 1].sum() - short * len(falling)) / (k + 1)) if k < len(falling) else 0.0
