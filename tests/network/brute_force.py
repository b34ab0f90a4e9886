"""The cheapest network by trying every one: which sites are open when, with which steps, and every flow in whole units.

It reads the validated tables, not the completed ones, and shares no code with the family.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import echelon
from echelon.tables import Frames
from echelon.validate import validate
from echelon_models.network import FAMILY
from echelon_models.network.schema import NetworkOptions

State = dict[str, int]  # open site -> number of its steps
Flows = dict[tuple[str, str, str, str], float]  # (site, customer or site, mode, product) -> units
TINY = 1e-9


def cheapest(tables: Frames, unit: float = 1.0, **options: Any) -> float:
    """The least cost of any network whose flows are multiples of `unit`; infinite where there is none."""
    chosen = NetworkOptions(**({"discount_rate": 0.0, "compare_today": False} | options))
    frames, _ = validate(echelon.read(tables), FAMILY.inputs, FAMILY.rules, chosen)
    return _World({name: f.to_dict("records") for name, f in frames.items()}, chosen, unit).cheapest()


def known(value: Any) -> bool:
    return value is not None and value == value


class _World:
    def __init__(self, tables: dict[str, list[dict[str, Any]]], options: NetworkOptions, unit: float):
        self.of, self.options, self.unit = tables, options, unit
        periods = sorted(tables["periods"], key=lambda row: row["start"]) or [{"period": "1", "days": 365}]
        self.periods = [row["period"] for row in periods]
        self.years = [row["days"] / 365 for row in periods]
        self.sites = {row["site"]: row for row in tables["sites"]}
        products = tables["products"] or [{"product": p} for p in sorted({r["product"] for r in tables["demand"]})]
        blank = {"product_class": "", "value": 0.0, "freight": 1.0, "holding_rate": None, "cycle_days": 0, "pooling": 0}
        self.products = {row["product"]: blank | row for row in products}
        customers = tables["customers"] or [{"customer": c} for c in sorted({r["customer"] for r in tables["demand"]})]
        blank = {
            "group": "",
            "region": "",
            "latitude": None,
            "longitude": None,
            "sourcing": None,
            "unserved_cost": None,
        }
        self.customers = {row["customer"]: blank | row for row in customers}
        modes = tables["modes"] or [{"mode": m} for m in {r["mode"] for r in tables["lanes"] + tables["deliveries"]}]
        blank = {"cost_per_km": 0.0, "cost": 0.0, "speed": 60.0, "emissions": 0.0}
        self.modes = {row["mode"]: blank | row for row in modes or [{"mode": "ROAD"}]}
        self.flow_costs: dict[Any, float] = {}

    def cheapest(self) -> float:
        start = {
            s: sum(r["existing"] for r in self.of["capacity_steps"] if r["site"] == s)
            for s, row in self.sites.items()
            if row["existing"]
        }
        return self._from(0, start)

    def _from(self, t: int, before: State) -> float:
        """The least cost from period t on, where `before` was open until then."""
        if t == len(self.periods):
            return 0.0
        best = math.inf
        for state in self._states(t, before):
            fixed = self._state_cost(t, before, state)
            if fixed < best:
                best = min(best, fixed + self._flow_cost(t, state) + self._from(t + 1, state))
        return best

    def at(self, table: str, t: int, *key: str) -> list[dict[str, Any]]:
        """The rows that hold in t: those of its period, and blank ones without a row of its own for the same key."""
        rows = self.of[table]
        own = [row for row in rows if row["period"] == self.periods[t]]
        taken = {tuple(row[k] for k in key) for row in own}
        return own + [r for r in rows if r["period"] == "" and tuple(r[k] for k in key) not in taken]

    def _states(self, t: int, before: State) -> Iterator[State]:
        pins = {row["site"]: row["state"] for row in self.at("pinned_sites", t, "site")}
        for chosen in itertools.product([False, True], repeat=len(self.sites)):
            is_open = {s for s, o in zip(self.sites, chosen, strict=True) if o}
            if any((s in is_open) != (state == "open") for s, state in pins.items()):
                continue
            if not all(
                self._fits(row, is_open, set(before)) for row in self.at("site_limits", t, "region", "kind", "counts")
            ):
                continue
            names = sorted(is_open)
            counts = [len([r for r in self.of["capacity_steps"] if r["site"] == s]) for s in names]
            lows = [before.get(s, 0) for s in names]
            for steps in itertools.product(*(range(a, b + 1) for a, b in zip(lows, counts, strict=True))):
                yield dict(zip(names, steps, strict=True))

    def _fits(self, row: dict[str, Any], now: set[str], before: set[str]) -> bool:
        sets = {"open": now, "opened": now - before, "closed": before - now, "changed": now ^ before}
        of = [
            s for s in sets[row["counts"]]
            if row["region"] in ("", self.sites[s]["region"]) and row["kind"] in ("any", self.sites[s]["kind"])
        ]  # fmt: skip
        return row["minimum"] <= len(of) <= row["maximum"]

    def factor(self, t: int) -> float:
        return (1 + self.options.discount_rate) ** -sum(self.years[:t])

    def _state_cost(self, t: int, before: State, state: State) -> float:
        """Opening, closing, running, steps and the excess of the budget; infinite over a hard one."""
        invested = sum(self.sites[s]["opening_cost"] for s in state if s not in before)
        invested += sum(self.sites[s]["closing_cost"] for s in before if s not in state)
        running = sum(self.sites[s]["running_cost"] * self.years[t] for s in state)
        for row in self.of["capacity_steps"]:
            if row["step"] <= state.get(row["site"], 0):
                running += row["running_cost"] * self.years[t]
                invested += row["cost"] if row["step"] > before.get(row["site"], 0) else 0.0
        total = invested + running
        for row in self.at("budgets", t):
            total += self._excess(row, invested, row["amount"], self.options.budget_excess_cost)
        return self.factor(t) * total

    def _excess(self, row: dict[str, Any], use: float, limit: float, default: float) -> float:
        over = use - limit
        if over <= TINY:
            return 0.0
        return math.inf if row["hard"] else over * (row["excess_cost"] if known(row["excess_cost"]) else default)

    def _flow_cost(self, t: int, state: State) -> float:
        key = (t, tuple(sorted(state.items())))
        if key not in self.flow_costs:
            self.flow_costs[key] = self.factor(t) * min(self._all_flow_costs(t, state), default=math.inf)
        return self.flow_costs[key]

    def _all_flow_costs(self, t: int, state: State) -> Iterator[float]:
        demand = {(r["customer"], r["product"]): r["quantity"] for r in self.at("demand", t, "customer", "product")}
        returned = {(r["customer"], r["product"]): r["quantity"] for r in self.at("returns", t, "customer", "product")}
        for served in self._each(demand, state, back=False):
            if not self._sourced(served):
                continue
            for back in self._each(returned, state, back=True):
                for recovered in self._recoveries(back, t):
                    for moves in self._moves(demand, state):
                        yield self._cost(t, state, demand, served, back, recovered, moves)

    def _each(self, wants: dict[Any, float], state: State, back: bool, whole: bool = False) -> Iterator[Flows]:
        """All ways to split each want over sites and modes; what is missing of a demand is refused."""
        options = []
        for (c, p), quantity in wants.items():
            ways = [
                (s, c, m, p)
                for s in state
                for m in self.modes
                if self.way("deliveries", s, c, m) and self.lawful(p, s, c, back)
                and (not back or self.recovery(s, p) is not None)
            ]  # fmt: skip
            may_refuse = not back and not whole and known(self.refusal(c))
            options.append(list(self._splits(ways, quantity, may_refuse)))
        for choice in itertools.product(*options):
            yield {key: q for part in choice for key, q in part.items()}

    def _splits(self, ways: list[Any], quantity: float, may_refuse: bool) -> Iterator[Flows]:
        count = round(quantity / self.unit)
        if not ways:
            if count == 0 or may_refuse:
                yield {}
            return
        for parts in itertools.product(range(count + 1), repeat=len(ways)):
            if sum(parts) == count or (may_refuse and sum(parts) < count):
                yield {way: part * self.unit for way, part in zip(ways, parts, strict=True) if part}

    def refusal(self, c: str) -> Any:
        own = self.customers[c]["unserved_cost"]
        return own if known(own) else self.options.unserved_cost

    def way(self, table: str, a: str, b: str, mode: str) -> dict[str, Any] | None:
        """The lane or delivery, given or (where the table is empty) drawn between coordinates."""
        start, end = self.sites[a], self.customers[b] if table == "deliveries" else self.sites[b]
        names = ("site", "customer") if table == "deliveries" else ("from_site", "to_site")
        blank = {"distance": None, "hours": None, "cost": self.modes[mode]["cost"], "cost_per_km": None}
        rows = [r for r in self.of[table] if (r[names[0]], r[names[1]], r["mode"]) == (a, b, mode)]
        if not rows and not self.of[table] and known(start["latitude"]) and known(end["latitude"]):
            drawn = table == "deliveries" or (self._supplies(a) and not self._supplies(b) and self.of["supply"])
            rows = [blank] if drawn else []
        if not rows or (table == "deliveries" and not start["delivers"]):
            return None
        row = dict(rows[0])
        if not known(row["distance"]) and known(start["latitude"]) and known(end["latitude"]):
            row["distance"] = self.options.road_factor * _sphere(start, end)
        if not known(row["hours"]) and known(row["distance"]):
            row["hours"] = row["distance"] / self.modes[mode]["speed"]
        if not known(row["cost_per_km"]):
            row["cost_per_km"] = self.modes[mode]["cost_per_km"]
        return row

    def _supplies(self, s: str) -> bool:
        return any(r["site"] == s for r in self.of["supply"])

    def lawful(self, p: str, s: str, c: str, back: bool = False) -> bool:
        """Whether p may go from site s to customer or site c (or back)."""
        here = self.sites[s]["region"]
        there = (self.customers.get(c) or self.sites[c])["region"]
        passed = {here} if c in self.customers else {here, there}
        origin, target = (there, here) if back else (here, there)
        for law in self.of["jurisdictions"]:
            if law["product_class"] not in ("", self.products[p]["product_class"]):
                continue
            if law["rule"] == "no_handling" and law["region"] in passed:
                return False
            if origin != target and (law["rule"], law["region"]) in (("no_export", origin), ("no_import", target)):
                return False
        return True

    def recovery(self, s: str, p: str) -> dict[str, Any] | None:
        rows = [r for r in self.of["recovery"] if r["site"] == s and r["product"] in (p, "")]
        return max(rows, key=lambda r: r["product"] != "") if rows else None

    def _sourced(self, served: Flows) -> bool:
        sites: dict[Any, set[str]] = {}
        for s, c, _, p in served:
            row = self.customers[c]
            groups = {r["group"]: r["sourcing"] for r in self.of["groups"]}
            told = [x for x in (row["sourcing"], groups.get(row["group"]), self.options.sourcing) if known(x)]
            sourcing = told[0]
            unit = {"product": ("p", c, p), "customer": ("c", c), "group": ("g", row["group"])}.get(sourcing)
            if unit:
                sites.setdefault(unit, set()).add(s)
        return all(len(each) == 1 for each in sites.values())

    def _recoveries(self, back: Flows, t: int) -> Iterator[dict[Any, float]]:
        taken: dict[Any, float] = {}
        for (s, _, _, p), q in back.items():
            taken[s, p] = taken.get((s, p), 0.0) + q
        ranges = []
        for (s, p), q in taken.items():
            row = self.recovery(s, p) or {}
            most = q * row["recoverable"]
            most = min(most, row["capacity"] * self.years[t]) if known(row["capacity"]) else most
            fits = [n * self.unit for n in range(math.floor(most / self.unit + TINY) + 1)]
            if known(row["disposal_limit"]):
                fits = [r for r in fits if q - r <= row["disposal_limit"] * self.years[t] + TINY]
            ranges.append([((s, p), (q, r)) for r in fits])
        for choice in itertools.product(*ranges):
            yield dict(choice)

    def _moves(self, demand: dict[Any, float], state: State) -> Iterator[Flows]:
        """All flows on lanes, in units up to the whole demand."""
        lanes = [
            (a, b, m, p)
            for a in state for b in state for m in self.modes for p in self.products
            if a != b and self.way("lanes", a, b, m) and self.lawful(p, a, b)
        ]  # fmt: skip
        most = {p: round(sum(q for (_, r), q in demand.items() if r == p) / self.unit) for p in self.products}
        for parts in itertools.product(*(range(most[lane[3]] + 1) for lane in lanes)):
            yield {lane: n * self.unit for lane, n in zip(lanes, parts, strict=True) if n}

    def _cost(
        self, t: int, state: State, demand: Any, served: Flows, back: Flows, recovered: Any, moves: Flows
    ) -> float:
        """What these flows cost in t, not discounted; infinite where they break a rule."""
        out: dict[tuple[str, str], float] = {}
        supply: dict[tuple[str, str], float] = {}
        for (s, _, _, p), q in [*served.items(), *moves.items()]:
            out[s, p] = out.get((s, p), 0.0) + q
            supply[s, p] = supply.get((s, p), 0.0) + q
        for (_, b, _, p), q in moves.items():
            supply[b, p] = supply.get((b, p), 0.0) - q
        for key, (_, r) in recovered.items():
            supply[key] = supply.get(key, 0.0) - r
        if any(q < -TINY for q in supply.values()):
            return math.inf
        total, emitted = 0.0, sum(self.sites[s]["emissions"] * self.years[t] for s in state)
        for (s, p), q in supply.items():
            row = next((r for r in self.of["supply"] if (r["site"], r["product"]) == (s, p)), None)
            if q > TINY and self.of["supply"]:
                if row is None or (known(row["capacity"]) and q > row["capacity"] * self.years[t] + TINY):
                    return math.inf
                total, emitted = total + q * row["cost"], emitted + q * row["emissions"]
        if any(self._use(s, out) > self._room(s, t, state[s]) + TINY for s in state):
            return math.inf
        for (s, p), q in out.items():
            row = self.handling(s, p)
            total, emitted = total + q * row["cost"], emitted + q * row["emissions"]
            total += self._stock(s, p, q, t)
        for key, (q, r) in recovered.items():
            row = self.recovery(*key) or {}
            total += row["cost"] * r + row["disposal_cost"] * (q - r)
        for kind, flows in (("deliveries", served), ("deliveries", back), ("lanes", moves)):
            for (a, b, m, p), q in flows.items():
                way = self.way(kind, a, b, m) or {}
                km, product = way["distance"] if known(way["distance"]) else 0.0, self.products[p]
                total += q * product["freight"] * (way["cost"] + way["cost_per_km"] * km)
                emitted += q * product["freight"] * self.modes[m]["emissions"] * km
                total += q * product["value"] * self.duty(p, a, b) if flows is not back else 0.0
        for c, p in demand:
            short = demand[c, p] - sum(q for key, q in served.items() if (key[1], key[3]) == (c, p))
            total += short * self.refusal(c) if short > TINY else 0.0
        total += self._service(t, demand, served)
        for row in self.at("carbon", t):
            total += row["price"] * emitted / 1000
            if known(row["cap"]):
                cap = row["cap"] * self.years[t]
                total += self._excess(row, emitted / 1000, cap, self.options.carbon_excess_cost)
        if self.options.backup_cover and not self._backed_up(t, state, demand, served, out, supply):
            return math.inf
        return total

    def handling(self, s: str, p: str) -> dict[str, Any]:
        rows = [r for r in self.of["handling"] if r["site"] in (s, "") and r["product"] in (p, "")]
        plain = {"cost": 0.0, "capacity_use": 1.0, "emissions": 0.0}
        return max(rows, key=lambda r: (r["site"] != "", r["product"] != "")) if rows else plain

    def _use(self, s: str, out: Any) -> float:
        return sum(q * self.handling(s, p)["capacity_use"] for (site, p), q in out.items() if site == s)

    def _room(self, s: str, t: int, steps: int) -> float:
        capacity = self.sites[s]["capacity"]
        if not known(capacity):
            return math.inf
        more = sum(r["capacity"] for r in self.of["capacity_steps"] if r["site"] == s and r["step"] <= steps)
        return (capacity + more) * self.years[t]

    def _stock(self, s: str, p: str, quantity: float, t: int) -> float:
        """Holding cycle stock and safety stock; the square root is read off its chords between the breaks."""
        if not self.sites[s]["holds_stock"]:
            return 0.0
        product, yearly = self.products[p], quantity / self.years[t]
        sums = [
            sum(r["quantity"] for r in self.at("demand", u, "customer", "product") if r["product"] == p) / self.years[u]
            for u in range(len(self.periods))
        ]
        pieces = self.options.pooling_pieces
        k = min(math.floor(pieces * math.sqrt(yearly / max(sums)) + TINY), pieces - 1)
        low, high = (max(sums) * (n / pieces) ** 2 for n in (k, k + 1))
        part = (yearly - low) / (high - low)
        root = math.sqrt(low) + part * (math.sqrt(high) - math.sqrt(low))
        stock = product["cycle_days"] / 365 * yearly + product["pooling"] * root
        rate = product["holding_rate"] if known(product["holding_rate"]) else self.options.holding_rate
        return stock * product["value"] * rate * self.years[t]

    def duty(self, p: str, a: str, b: str) -> float:
        origin = self.sites[a]["region"]
        target = (self.customers.get(b) or self.sites[b])["region"]
        if origin == target:
            return 0.0
        of_class = self.products[p]["product_class"]
        rows = [
            r for r in self.of["duties"]
            if r["from_region"] in ("", origin)
            and r["to_region"] in ("", target)
            and r["product_class"] in ("", of_class)
        ]  # fmt: skip
        named = [
            (sum(bool(r[k]) for k in ("from_region", "to_region", "product_class")), bool(r["from_region"]),
             bool(r["to_region"]), r["rate"]) for r in rows
        ]  # fmt: skip
        return max(named)[3] if named else 0.0

    def _service(self, t: int, demand: Any, served: Flows) -> float:
        total = 0.0
        for row in self.at("service_limits", t, "group", "measure", "within"):
            of = {c for c, r in self.customers.items() if row["group"] in ("", r["group"])}
            wanted = sum(q for (c, _), q in demand.items() if c in of)
            name = "distance" if row["measure"] == "distance" else "hours"
            near = sum(
                q for (s, c, m, _), q in served.items()
                if c in of and (self.way("deliveries", s, c, m) or {})[name] <= row["within"]
            )  # fmt: skip
            total += self._excess(row, row["share"] * wanted, near, self.options.service_shortfall_cost)
        return total

    def _backed_up(self, t: int, state: State, demand: Any, served: Flows, out: Any, supply: Any) -> bool:
        """Whether, should any one site fail, the others can take over the share of what it serves and supplies."""
        cover = self.options.backup_cover
        for f in state:
            lost: dict[Any, float] = {}
            for (s, c, _, p), q in served.items():
                if s == f:
                    lost[c, p] = lost.get((c, p), 0.0) + cover * q
            others = {s: n for s, n in state.items() if s != f}
            if not any(
                self._takes_over(t, others, out, rescue, demand)
                for rescue in self._each(lost, others, False, whole=True)
            ):
                return False
        for (f, p), q in supply.items():
            spare = 0.0
            for s in state:
                row = next((r for r in self.of["supply"] if (r["site"], r["product"]) == (s, p)), None)
                if s != f and (row or not self.of["supply"]):
                    most = sum(d for (_, r), d in demand.items() if r == p)
                    limit = row["capacity"] * self.years[t] if row and known(row["capacity"]) else math.inf
                    spare += min(limit, most) - supply.get((s, p), 0.0)
            if spare < cover * q - TINY:
                return False
        return True

    def _takes_over(self, t: int, others: State, out: Any, rescue: Flows, demand: Any) -> bool:
        loads = dict(out)
        for (s, _, _, p), q in rescue.items():
            loads[s, p] = loads.get((s, p), 0.0) + q
        return all(self._use(s, loads) <= self._room(s, t, n) + TINY for s, n in others.items())


def _sphere(start: dict[str, Any], end: dict[str, Any]) -> float:
    """Great circle by the spherical law of cosines, km."""
    (a, b), (c, d) = ((math.radians(x["latitude"]), math.radians(x["longitude"])) for x in (start, end))
    cosine = math.sin(a) * math.sin(c) + math.cos(a) * math.cos(c) * math.cos(b - d)
    return 6371.0088 * math.acos(max(-1.0, min(1.0, cosine)))
