"""The cheapest plan found by trying every combination of whole service times: slow, obvious, shared with nothing.

Works on the tables as a user writes them (stages and arcs), with defaults spelt out here again. Distributions come
from scipy.stats, not from the formulas of the family.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, stats

from echelon.tables import Frames

RATE = 0.2
PRICES = {"value": 1.0, "volume": 1000.0, "stocking_points": 1000.0}
Rows = dict[str, dict[str, Any]]


def cheapest(tables: Frames, **options: Any) -> float:
    """The least yearly cost over all plans; infinite where no plan respects all hard limits."""
    case = _Case(tables, {"service_level": 0.95} | options)
    return min((case.cost(times) for times in case.plans()), default=math.inf)


class _Case:
    def __init__(self, tables: Frames, options: dict[str, Any]):
        self.options = options
        given = tables["stages"].astype(object).where(tables["stages"].notna(), None)
        self.rows: Rows = {row["stage"]: row for row in given.to_dict("records")}
        self.arcs = list(tables["arcs"].itertuples(index=False, name=None))
        self.names = self._order()
        self.law = {name: self._law(name, tables.get("lead_times")) for name in self.names}
        self.limits = tables.get("stock_limits", pd.DataFrame()).to_dict("records")
        self.mean, self.std = self._demand()
        self.value = self._values()
        self.stock = cache(self._stock)

    def get(self, name: str, column: str, default: Any) -> Any:
        value = self.rows[name].get(column)
        return default if value is None else value

    def _order(self) -> list[str]:
        names = list(self.rows)
        for _ in names:
            for a, b, _ in self.arcs:
                if names.index(a) > names.index(b):
                    names.remove(a)
                    names.insert(names.index(b), a)
        return names

    def _law(self, name: str, lead_times: pd.DataFrame | None) -> list[tuple[int, float]]:
        wait = self.get(name, "review_period", 1) - 1
        if lead_times is not None and (lead_times["stage"] == name).any():
            mine = lead_times[lead_times["stage"] == name]
            return [(int(d) + wait, p) for d, p in zip(mine["days"], mine["probability"], strict=True)]
        mean, std = self.get(name, "lead_time", 0), self.get(name, "lead_time_std", 0)
        if not std:
            return [(round(mean) + wait, 1.0)]
        days = range(max(math.floor(mean - 3 * std + 0.5), 0), math.floor(mean + 3 * std + 0.5) + 1)
        mass = [stats.norm.cdf(d + 0.5, mean, std) - stats.norm.cdf(d - 0.5, mean, std) for d in days]
        return [(d + wait, m / sum(mass)) for d, m in zip(days, mass, strict=True)]

    def _paths(self, name: str, end: str) -> float:
        """Units of `name` in one unit for the customers of `end`."""
        return float(name == end) + sum(q * self._paths(b, end) for a, b, q in self.arcs if a == name)

    def _demand(self) -> tuple[dict[str, float], dict[str, float]]:
        own_mean = {n: self.get(n, "demand_mean", 0.0) for n in self.names}
        own_std = {n: self.get(n, "demand_std", 0.0) for n in self.names}
        mean = {n: sum(self._paths(n, e) * own_mean[e] for e in self.names) for n in self.names}
        if self.options.get("demand_pooling") == "pooled":
            rho = self.options.get("correlation", 0.0)
            std = {}
            for n in self.names:
                parts = [self._paths(n, e) * own_std[e] for e in self.names]
                pairs = itertools.product(enumerate(parts), repeat=2)
                std[n] = math.sqrt(sum(x * y * (1.0 if i == j else rho) for (i, x), (j, y) in pairs))
            return mean, std

        def variance(n: str) -> float:
            return own_std[n] ** 2 + sum(q**2 * variance(b) for a, b, q in self.arcs if a == n)

        return mean, {n: math.sqrt(variance(n)) for n in self.names}

    def _values(self) -> dict[str, float]:
        def value(n: str) -> float:
            added = self.get(n, "cost_added", 0.0) + sum(q * value(a) for a, b, q in self.arcs if b == n)
            return self.get(n, "value", added)

        return {n: value(n) for n in self.names}

    def level(self, name: str) -> float:
        served = [self.level(b) for a, b, _ in self.arcs if a == name]
        served += [self.options["service_level"]] if self.get(name, "demand_std", 0.0) > 0 else []
        return self.get(name, "service_level", max(served, default=self.options["service_level"]))

    def _stock(self, name: str, wait: int) -> float:
        """Safety stock for SI - S = wait days; the most of it and of all shorter ones."""
        if wait + max(d for d, _ in self.law[name]) <= 0:
            return 0.0
        x = [(max(wait + d, 0), p) for d, p in self.law[name]]
        net = sum(p * days for days, p in x)
        variance = sum(p * (days - net) ** 2 for days, p in x)
        mean = self.mean[name] * net
        std = math.sqrt(self.std[name] ** 2 * net + self.mean[name] ** 2 * variance)
        kind = self.get(name, "service_kind", self.options.get("service_kind", "cycle"))
        here = 0.0 if std == 0 else max(self._need(mean, std, self.level(name), kind, name), 0.0)
        return max(here, self.stock(name, wait - 1))

    def _need(self, mean: float, std: float, level: float, kind: str, name: str) -> float:
        gamma = self.options.get("demand_model") == "gamma"
        law = stats.gamma((mean / std) ** 2, scale=std**2 / mean) if gamma else stats.norm(mean, std)
        if kind == "cycle":
            return float(law.ppf(level)) - mean
        allowed = (1 - level) * self.mean[name] * self.get(name, "review_period", 1)

        def short(stock: float) -> float:
            grid = np.linspace(mean + stock, mean + stock + 14 * std, 20001)
            return float(np.trapezoid(law.sf(grid), grid)) - allowed

        return 0.0 if short(0.0) <= 0 else float(optimize.brentq(short, 0.0, 12 * std, xtol=1e-12))

    def plans(self) -> Iterator[dict[str, int]]:
        """Every choice of whole service times within the bounds."""
        longest = sum(max(d for d, _ in law) for law in self.law.values())
        longest += max(int(self.get(n, "supply_time", 0)) for n in self.names)
        ranges = []
        for n in self.names:
            customers = self.get(n, "demand_std", 0.0) > 0 or self.get(n, "demand_mean", 0.0) > 0
            promise = self.get(n, "promised_time", 0 if customers else longest)
            least = int(self.get(n, "min_service_time", 0))
            most = min(promise, self.get(n, "max_service_time", longest), max(longest, least))
            ranges.append(range(least, int(most) + 1))
        for times in itertools.product(*ranges):
            yield dict(zip(self.names, times, strict=True))

    def cost(self, quoted: dict[str, int]) -> float:
        units: dict[str, float] = {}
        for n in self.names:
            inbound = max([int(self.get(n, "supply_time", 0)), *(quoted[a] for a, b, _ in self.arcs if b == n)])
            wait = inbound - quoted[n]
            units[n] = self.stock(n, wait)
            varies = self.std[n] > 0
            if not self.get(n, "may_hold_stock", True) and varies and wait + max(d for d, _ in self.law[n]) > 0:
                return math.inf
        total = sum(units[n] * self.value[n] * self.get(n, "holding_rate", RATE) for n in self.names)
        return total + sum(self._excess(limit, units) for limit in self.limits)

    def _excess(self, limit: dict[str, Any], units: dict[str, float]) -> float:
        use = 0.0
        for n in self.names:
            if limit.get("department") and self.get(n, "department", "") != limit["department"]:
                continue
            if limit.get("site") and self.get(n, "site", "MAIN") != limit["site"]:
                continue
            weight = {"value": self.value[n], "volume": self.get(n, "volume", 0.0), "stocking_points": 1.0}
            use += weight[limit["measure"]] * (units[n] if limit["measure"] != "stocking_points" else units[n] > 0)
        over = use - limit["capacity"]
        if over <= 1e-7:
            return 0.0
        price = limit.get("excess_cost", self.options.get(f"{limit['measure']}_excess_cost"))
        return math.inf if limit.get("hard") else over * (PRICES[limit["measure"]] if price is None else price)
