"""From the master's optimum to an award: settle what suppliers are to be, then who is awarded what at what price.

What a supplier is to be, its role (without any award, or with its spend in one range of its rebates), ties the items
together; with all roles settled most items are whole by themselves. A dive settles the clearest first, with new splits
in between (price and branch: Barnhart et al., Operations Research 46, 1998; Joncour et al., Electronic Notes in
Discrete Mathematics 36, 2010). Splits of one pattern (the same suppliers at the same prices) may be mixed: their mean
is one too.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict

import numpy as np

from echelon_models.allocation.prices.generate import Generation
from echelon_models.allocation.prices.master import Split

STEP = 0.2  # part of the suppliers whose roles are settled before the master is solved again,
HELD = 0.06  # and part of the items whose patterns are
CLEAR = 0.97  # weight from which on a pattern is held with them
ROUNDS = 3  # of splits after each step, at most
GAIN = 1e-5  # relative gain for which a role is changed

Roles = dict[str, int]


class Dive:
    """The roles settled and patterns held so far in a master."""

    def __init__(self, generation: Generation):
        self.generation, self.master = generation, generation.master
        self.roles: Roles = {}
        self.patterns: dict[int, bytes] = {}
        self.taken: dict[int, Split] = {}  # of items without a pattern that is known to fit the others'
        self._near_open: dict[int, np.ndarray] = {}  # of items held: the splits near before they were
        m, position = generation.model, {}
        for p, j in enumerate(generation.parts.shared.tolist()):
            position[id(generation.parts.arrays.variables[j])] = p
        self.steps = {s: m.rebate_steps.get(s, []) for s in m.suppliers}
        self._used = {s: position[id(m.used[s])] for s in m.suppliers}
        self._tier = {s: [position[id(m.tier[s, k])] for k in range(len(ranges))] for s, ranges in self.steps.items()}
        self._spend = {
            s: [position[id(m.tier_spend[s, k])] for k in range(len(ranges))] for s, ranges in self.steps.items()
        }

    def settle_roles(self, until: float) -> bool:
        """Settle the role of each supplier, the clearest first; whether all could be."""
        batch = math.ceil(STEP * len(self.steps))
        while open_ := [s for s in self.steps if s not in self.roles]:
            likely = {s: self._likely_role(s) for s in open_}
            new = sorted(open_, key=lambda s: -likely[s][1])[:batch]
            for s in new:
                self._settle(s, likely[s][0])
            if self._solved(until):
                self.roles |= {s: likely[s][0] for s in new}
                continue
            for s in new:
                self._settle(s, None)
            if batch == 1 or not self._solved(until):
                return False
            batch = 1
        return True

    def better_roles(self, until: float) -> bool:
        """Give suppliers the next role up or down where that makes the master cheaper, one at a time, those first
        whose role is least clear; whether any has got another. Patterns are open for that, and after it."""
        self._open(list(self.patterns))
        self.taken.clear()
        if not self._solved(until):
            return False
        order = sorted(self.roles, key=lambda s: self._likely_role(s)[1])
        first = best = self.master.value
        for s in order:
            if self._over(until):
                break
            for role in (self.roles[s] - 1, self.roles[s] + 1):
                if not 0 <= role <= max(1, len(self.steps[s])):
                    continue
                self._settle(s, role)
                if self._solved(until) and self.master.value < best * (1 - GAIN):
                    best, self.roles[s] = self.master.value, role
                    break
                self._settle(s, self.roles[s])
        return self.master.relax(self.generation.watch.deadline) and best < first

    def hold_patterns(self, until: float) -> None:
        """Hold each item to one pattern, the heaviest first; `taken` are those for which that fails, or for which there
        is no time: a split of the heaviest pattern of each."""
        items = range(len(self.generation.splits))
        most = batch = math.ceil(HELD * len(items))
        while any(k not in self.patterns and k not in self.taken for k in items):
            heaviest, x = self._heaviest(), self.master.x
            if self._over(until) or not heaviest:
                self.taken |= {k: split for k, (_, split) in heaviest.items()}
                return
            order = sorted(heaviest, key=lambda k: -heaviest[k][0])
            clear = CLEAR if batch == most else math.inf
            new = [k for n, k in enumerate(order) if n < batch or heaviest[k][0] >= clear]
            for k in new:
                self._hold(k, heaviest[k][1])
            if self._solved(until):
                batch = min(2 * batch, most)
                continue
            self._open(new)
            if batch == 1:
                self.taken |= {k: heaviest[k][1] for k in new}
            batch, self.master.x = max(1, batch // 4), x

    @property
    def open_items(self) -> set[str]:
        """The items without a pattern."""
        return {splits.item for k, splits in enumerate(self.generation.splits) if k not in self.patterns}

    def values(self) -> np.ndarray:
        """The award as values of the columns of the one model: whole, but it may break a rule if splits were taken."""
        x = self.master.values()
        for k, split in self.taken.items():
            x[self.generation.parts.columns[k]] = split.values
        return x

    def _over(self, until: float) -> bool:
        return time.monotonic() > until or self.generation.watch.interrupted

    def _solved(self, until: float) -> bool:
        """Solve the master as it stands, with new splits; whether splits cover all items."""
        if not self.master.relax(until):
            return False
        return self.generation.rounds(until, ROUNDS) and self.master.covers

    def _settle(self, s: str, role: int | None) -> None:
        """Hold a supplier in a role: none, or one of the ranges of its rebates; None: in any."""
        columns = np.array([self._used[s], *self._tier[s]])
        if role is None:
            self.master.limit(columns, np.zeros(len(columns)), np.ones(len(columns)))
        else:
            held = np.array([role > 0, *(role == k + 1 for k in range(len(self._tier[s])))], dtype=float)
            self.master.limit(columns, held, held)

    def _likely_role(self, s: str) -> tuple[int, float]:
        """The role that fits a supplier's spend in the master, and how clear that is."""
        used = self.master.x[self._used[s]]
        if used < 0.5:
            return 0, 1 - 2 * used
        if not self.steps[s]:
            return 1, 2 * used - 1
        spend = self.master.x[self._spend[s]].sum() / used
        lows = np.array([step.low for step in self.steps[s]])
        far = np.abs(spend - lows[1:]) / np.maximum(np.maximum(spend, lows[1:]), 1e-9)
        role = int(np.flatnonzero(lows <= spend * (1 + 1e-9)).max(initial=0)) + 1
        return role, float(far.min(initial=1.0)) * (2 * used - 1)

    def _heaviest(self) -> dict[int, tuple[float, Split]]:
        """The weight of the heaviest pattern of each item that is not held yet, and a split of it."""
        weight: dict[tuple[int, bytes], float] = defaultdict(float)
        example: dict[tuple[int, bytes], Split] = {}
        for split, part in self.master.weights():
            if split.item not in self.patterns and split.item not in self.taken:
                weight[split.item, split.pattern] += part
                example[split.item, split.pattern] = split
        found: dict[int, tuple[float, Split]] = {}
        for key in sorted(weight, key=lambda key: weight[key]):
            found[key[0]] = weight[key], example[key]
        return found

    def _hold(self, k: int, split: Split) -> None:
        """Hold item k to the pattern of this split."""
        self.patterns[k], self._near_open[k] = split.pattern, self.generation.near[k]
        self.generation.near[k] = self.generation.splits[k].alike(split.values)
        self.master.allow(self.patterns, [k])

    def _open(self, items: list[int]) -> None:
        """These items may have any pattern again."""
        for k in items:
            del self.patterns[k]
            self.generation.near[k] = self._near_open.pop(k)
        self.master.allow(self.patterns, items)
