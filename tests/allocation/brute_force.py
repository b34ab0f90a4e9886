"""The best award of a tiny case by trying every award on a grid: the plainest reading of the tables' own words.

Independent of the project's formulation, completion and recheck: plain loops over dicts. Quantities are whole numbers
of units (every case is made so that its best award is one); in a scenario every whole-numbered recourse is tried too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

from echelon.tables import Frames

DEFAULTS: dict[str, Any] = {
    "objective": "expected",
    "cvar_level": 0.9,
    "cvar_weight": 0.5,
    "cost_limit": None,
    "emergency_premium": 0.5,
    "shortage_factor": 3.0,
    "max_suppliers": None,
    "min_suppliers": 0,
    "max_change": None,
    "smallest_share": 0.01,
    "holding_rate": 0.2,
    "service_level": 0.95,
    "carbon_price": 0.0,
    "budget_excess_cost": 2.0,
    "carbon_excess_cost": 1.0,
}
BLANKS: dict[str, Any] = {
    "site": "MAIN", "group": "", "item_class": "", "region": "", "name": "", "description": "",
    "capacity": math.inf, "minimum": 0.0, "yield_rate": 1.0, "award_cost": 0.0, "activation_cost": 0.0,
    "minimum_spend": 0.0, "carbon": 0.0, "freight": 0.0, "duty_rate": 0.0, "deviation": 0.0, "flexibility": math.inf,
    "bad_unit_cost": 0.0, "late_unit_cost": 0.0, "emergency_limit": math.inf, "min_suppliers": 0,
    "max_suppliers": math.inf, "local_min_share": 0.0, "survives": "none", "survival_share": 1.0,
    "min_share": 0.0, "max_share": 1.0, "max_loss": math.inf, "hard": False, "capacity_left": 0.0,
    "on_time": 1.0, "lead_time": 0.0, "lead_time_deviation": 0.0,
}  # fmt: skip
KINDS = {"price_breaks": "all_units", "rebates": "whole"}
Row = dict[str, Any]
Plan = dict[tuple[str, str, str], int]
NEAR = 1e-9


class Case:
    """The rows of a case with their blanks filled, and what one plan costs."""

    def __init__(self, tables: Frames, options: Row):
        self.options = DEFAULTS | options
        self.tables = {name: frame.to_dict("records") for name, frame in tables.items()}
        self.offers = {(o["supplier"], o["item"]): o for o in self.rows("offers")}
        self.items = {i["item"]: self.item(i) for i in self.rows("items")}
        self.demand = {(d["item"], d["site"]): d for d in self.rows("demand") if d["quantity"] > 0}
        self.suppliers = {s: BLANKS | {"supplier": s, "parent": s} for s, _ in self.offers}
        self.suppliers |= {
            s["supplier"]: s | {"parent": s.get("parent") or s["supplier"]} for s in self.rows("suppliers")
        }
        self.regions = {s["site"]: s["region"] for s in self.rows("sites")}
        self.arcs = {(s, i, l): self.lane(s, i, l) for s, i in self.offers for j, l in self.demand if i == j and self.lane(s, i, l) is not None and self.allowed(s, i)}  # fmt: skip

    def rows(self, table: str) -> list[Row]:
        blanks = BLANKS | ({"kind": KINDS[table]} if table in KINDS else {})
        return [
            blanks | {k: v for k, v in row.items() if v == v and v is not None} for row in self.tables.get(table, [])
        ]

    def item(self, row: Row) -> Row:
        prices = [o["price"] for o in self.offers.values() if o["item"] == row["item"]]
        several = row["min_suppliers"] > 1 or self.options["min_suppliers"] > 1
        blank = {
            "value": min(prices),
            "holding_rate": self.options["holding_rate"],
            "emergency_price": max(prices) * (1 + self.options["emergency_premium"]),
            "shortage_cost": max(prices) * self.options["shortage_factor"],
            "smallest_share": self.options["smallest_share"] if several else 0.0,
        }
        return blank | row

    def need(self, i: str) -> float:
        return float(sum(d["quantity"] for (j, _), d in self.demand.items() if j == i))

    def lane(self, s: str, i: str, l: str) -> Row | None:
        """The lane's own row for the item, else its row for every item; free where the case has no lanes at all."""
        lanes = [r | {"item": r.get("item", "")} for r in self.rows("lanes") if (r["supplier"], r["site"]) == (s, l)]
        found = [r for r in lanes if r["item"] == i] or [r for r in lanes if r["item"] == ""]
        return found[0] if found else None if "lanes" in self.tables else dict(BLANKS)

    def allowed(self, s: str, i: str) -> bool:
        """No pair excludes it; no jurisdiction forbids it, and where some are allowed it is from one of them."""
        if any((p["supplier"], p["item"], p["rule"]) == (s, i, "excluded") for p in self.rows("pairs")):
            return False
        mine = [j for j in self.rows("jurisdictions") if j["item_class"] == self.items[i]["item_class"]]
        region = self.suppliers[s]["region"]
        if any(j["rule"] == "forbidden" and j["region"] == region for j in mine):
            return False
        white = [j["region"] for j in mine if j["rule"] == "allowed"]
        return not white or region in white

    def plans(self) -> Iterator[Plan]:
        """Every way to meet the demand of each item at each site in whole units."""
        ways = []
        for (i, l), d in self.demand.items():
            arcs = [arc for arc in self.arcs if arc[1:] == (i, l)]
            ranges = [range(int(d["quantity"] / self.offers[arc[:2]]["yield_rate"]) + 1) for arc in arcs]
            found = []
            for quantities in itertools.product(*ranges):
                good = sum(q * self.offers[arc[:2]]["yield_rate"] for arc, q in zip(arcs, quantities, strict=True))
                if abs(good - d["quantity"]) < NEAR:
                    found.append(dict(zip(arcs, quantities, strict=True)))
            ways.append(found)
        for choice in itertools.product(*ways):
            yield {arc: q for part in choice for arc, q in part.items()}

    def awarded(self, plan: Plan) -> Iterator[set[tuple[str, str]]]:
        """The pairs held qualified: those with a quantity and, where a failure may need them, any others as backups."""
        given = {arc[:2] for arc, q in plan.items() if q > 0}
        spare = sorted({arc[:2] for arc in self.arcs} - given)
        useful = self.rows("scenarios") or any(i["survives"] != "none" for i in self.items.values())
        for count in range(len(spare) + 1 if useful else 1):
            for more in itertools.combinations(spare, count):
                yield given | set(more)

    def quantity(self, plan: Plan, s: str | None = None, i: str | None = None) -> float:
        return sum(q for arc, q in plan.items() if s in (None, arc[0]) and i in (None, arc[1]))

    def goods(self, plan: Plan, s: str, i: str) -> float:
        """all_units: the price of the highest break reached for all units; incremental: each price beyond its break."""
        q, below = self.quantity(plan, s, i), self.offers[s, i]["price"]
        amount = q * below
        breaks = [b for b in self.rows("price_breaks") if (b["supplier"], b["item"]) == (s, i)]
        for b in sorted(breaks, key=lambda b: b["from_quantity"]):
            if q >= b["from_quantity"]:
                amount = q * b["price"] if b["kind"] == "all_units" else amount + (b["price"] - below) * (q - b["from_quantity"])  # fmt: skip
                below = b["price"]
        return float(amount)

    def spend(self, plan: Plan, group: str = "") -> dict[str, float]:
        """Goods of each supplier, of one group of items if named."""
        found = dict.fromkeys(self.suppliers, 0.0)
        for s, i in self.offers:
            if group in ("", self.items[i]["group"]):
                found[s] += self.goods(plan, s, i)
        return found

    def rebate(self, s: str, spend: float) -> float:
        back, before = 0.0, 0.0
        for row in sorted((r for r in self.rows("rebates") if r["supplier"] == s), key=lambda r: r["from_spend"]):
            if spend >= row["from_spend"] - NEAR:
                back = spend * row["rate"] if row["kind"] == "whole" else back + (row["rate"] - before) * (spend - row["from_spend"])  # fmt: skip
                before = row["rate"]
        return back

    def delivered(self, s: str, i: str, l: str) -> float:
        """What a unit costs on delivery beyond its price."""
        offer, lane, item = self.offers[s, i], self.arcs[s, i, l], self.items[i]
        return float(
            lane["freight"] + lane["duty_rate"] * offer["price"] + (1 - offer["yield_rate"]) * item["bad_unit_cost"]
            + (1 - self.suppliers[s]["on_time"]) * item["late_unit_cost"]
            + (offer["carbon"] + lane["carbon"]) * self.options["carbon_price"]
        )  # fmt: skip

    def stock(self, s: str, i: str, l: str) -> float:
        """Yearly cost of the safety stock, for each unit bought."""
        lane, item, d = self.arcs[s, i, l], self.items[i], self.demand[i, l]
        z = NormalDist().inv_cdf(self.options["service_level"])
        variance = lane["lead_time"] * d["deviation"] ** 2 + (d["quantity"] / 365 * lane["lead_time_deviation"]) ** 2
        safety = z * math.sqrt(variance)
        return float(item["value"] * item["holding_rate"] * safety / d["quantity"] * self.offers[s, i]["yield_rate"])

    def cost(self, plan: Plan, awarded: set[tuple[str, str]]) -> float:
        """What the year costs as planned; infinite where a rule is broken."""
        if not self.keeps(plan, awarded):
            return math.inf
        spend = self.spend(plan)
        total = sum(spend.values()) - sum(self.rebate(s, amount) for s, amount in spend.items())
        total += sum(self.suppliers[s]["activation_cost"] for s in {s for s, _ in awarded})
        total += sum(self.offers[pair]["award_cost"] for pair in awarded)
        total += sum(q * (self.delivered(*arc) + self.stock(*arc)) for arc, q in plan.items())
        for row in self.rows("ceilings"):
            over = max(self.ceiling_use(plan, row) - row["amount"], 0.0)
            if row["hard"] and over > NEAR:
                return math.inf
            total += over * row.get("excess_cost", self.options[f"{row['kind']}_excess_cost"])
        return total

    def ceiling_use(self, plan: Plan, row: Row) -> float:
        mine = {arc: q for arc, q in plan.items() if row["group"] in ("", self.items[arc[1]]["group"])}
        if row["kind"] == "carbon":
            return sum(q * (self.offers[arc[:2]]["carbon"] + self.arcs[arc]["carbon"]) for arc, q in mine.items())
        moving = sum(q * (self.arcs[a]["freight"] + self.arcs[a]["duty_rate"] * self.offers[a[:2]]["price"]) for a, q in mine.items())  # fmt: skip
        return sum(self.spend(plan, row["group"]).values()) + moving

    def keeps(self, plan: Plan, awarded: set[tuple[str, str]]) -> bool:
        """Whether all rules but the ceilings hold."""
        return self.keeps_terms(plan, awarded) and self.keeps_shares(plan) and self.keeps_caps(plan) and self.survives(plan, awarded)  # fmt: skip

    def keeps_terms(self, plan: Plan, awarded: set[tuple[str, str]]) -> bool:
        used, spend = {s for s, _ in awarded}, self.spend(plan)
        for s, i in awarded:
            least = max(self.offers[s, i]["minimum"], self.items[i]["smallest_share"] * self.need(i))
            if not least - NEAR <= self.quantity(plan, s, i) <= self.offers[s, i]["capacity"] + NEAR:
                return False
        for s in used:
            supplier = self.suppliers[s]
            if self.quantity(plan, s) > supplier["capacity"] + NEAR or spend[s] < supplier["minimum_spend"] - NEAR:
                return False
        for i in {i for i, _ in self.demand}:
            if not self.items[i]["min_suppliers"] <= sum(j == i for _, j in awarded) <= self.items[i]["max_suppliers"]:
                return False
        if not self.options["min_suppliers"] <= len(used) <= (self.options["max_suppliers"] or math.inf):
            return False
        required = [p for p in self.rows("pairs") if p["rule"] == "required"]
        return all(self.quantity(plan, p["supplier"], p["item"]) >= p.get("quantity", 1.0) - NEAR for p in required)

    def keeps_shares(self, plan: Plan) -> bool:
        for row in self.rows("shares"):
            part, whole = self.quantity(plan, row["supplier"], row["item"]), self.quantity(plan, i=row["item"])
            if not row["min_share"] * whole - NEAR <= part <= row["max_share"] * whole + NEAR:
                return False
        moved: dict[str, float] = {}
        for row in self.rows("current_awards"):
            part, whole = self.quantity(plan, row["supplier"], row["item"]), self.quantity(plan, i=row["item"])
            if part < (row["share"] - row["max_loss"]) * whole - NEAR:
                return False
            moved[row["item"]] = moved.get(row["item"], 0.0) + max(row["share"] * whole - part, 0.0)
        limit = self.options["max_change"]
        if limit is not None and any(m > limit * self.quantity(plan, i=i) + NEAR for i, m in moved.items()):
            return False
        for i, item in self.items.items():
            local = sum(q for (s, j, l), q in plan.items()
                        if j == i and self.suppliers[s]["region"] == self.regions.get(l, "") != "")  # fmt: skip
            if local < item["local_min_share"] * self.quantity(plan, i=i) - NEAR:
                return False
        return True

    def keeps_caps(self, plan: Plan) -> bool:
        caps = self.rows("caps")
        for row in caps:
            spend = self.spend(plan, row["group"])
            members = {self.suppliers[s][row["kind"]] for s in self.suppliers} - {""}
            own = {c["name"] for c in caps if c["kind"] == row["kind"] and c["group"] == row["group"]}
            for name in [row["name"]] if row["name"] else members - own:
                part = sum(amount for s, amount in spend.items() if self.suppliers[s][row["kind"]] == name)
                if part > row["max_share"] * sum(spend.values()) + NEAR:
                    return False
        return True

    def survives(self, plan: Plan, awarded: set[tuple[str, str]]) -> bool:
        """Whichever one is lost, some whole-numbered deliveries of the others cover all items that must survive it."""
        for kind in ("supplier", "parent", "region"):
            items = [i for i, item in self.items.items() if item["survives"] == kind]
            for name in {self.suppliers[s][kind] for s, i, _ in self.arcs if i in items} - {""}:
                hit = {i for s, i, _ in self.arcs if i in items and self.suppliers[s][kind] == name}
                if not self.covers(plan, awarded, kind, name, hit):
                    return False
        return True

    def covers(self, plan: Plan, awarded: set[tuple[str, str]], kind: str, name: str, hit: set[str]) -> bool:
        arcs = [a for a in self.arcs if a[1] in hit and a[:2] in awarded and self.suppliers[a[0]][kind] != name]
        ranges = [range(math.floor(min(self.offers[a[:2]]["capacity"], self.demand[a[1:]]["quantity"] / self.offers[a[:2]]["yield_rate"])) + 1) for a in arcs]  # fmt: skip
        for quantities in itertools.product(*ranges):
            tried = dict(zip(arcs, quantities, strict=True))
            enough = all(
                sum(q * self.offers[a[:2]]["yield_rate"] for a, q in tried.items() if a[1:] == (i, l))
                >= self.items[i]["survival_share"] * d["quantity"] - NEAR
                for (i, l), d in self.demand.items() if i in hit
            )  # fmt: skip
            fits = all(self.quantity(tried, s, i) <= self.offers[s, i]["capacity"] for s, i in {a[:2] for a in arcs})
            for s in {a[0] for a in arcs}:
                busy = sum(q for a, q in plan.items() if a[0] == s and a[1] not in hit)
                fits = fits and self.quantity(tried, s) + busy <= self.suppliers[s]["capacity"]
            if enough and fits:
                return True
        return False

    def left(self, scenario: str) -> dict[str, float]:
        """What each supplier delivers of its award in a scenario; the worst of its disruptions counts."""
        found = dict.fromkeys(self.suppliers, 1.0)
        for row in self.rows("disruptions"):
            for s in self.suppliers:
                if row["scenario"] == scenario and self.suppliers[s][row["kind"]] == row["name"]:
                    found[s] = min(found[s], row["capacity_left"])
        return found

    def recourse(self, plan: Plan, awarded: set[tuple[str, str]], scenario: str) -> float:
        """The least cost of making up for what fails, by trying all whole-numbered extra deliveries and emergency buys."""
        left = self.left(scenario)
        saved = sum(q * (1 - left[a[0]]) * (self.lowest(*a[:2]) + self.delivered(*a)) for a, q in plan.items())
        lost: dict[tuple[str, str], float] = {}
        for a, q in plan.items():
            if q * (1 - left[a[0]]) > 0:
                lost[a[1:]] = lost.get(a[1:], 0.0) + q * (1 - left[a[0]]) * self.offers[a[:2]]["yield_rate"]
        arcs = [a for a in self.arcs if a[1:] in lost and a[:2] in awarded and left[a[0]] > 0]
        best = math.inf
        for quantities in itertools.product(*(range(math.ceil(lost[a[1:]] / self.offers[a[:2]]["yield_rate"]) + 1) for a in arcs)):  # fmt: skip
            extra = dict(zip(arcs, quantities, strict=True))
            if not self.has_spare(plan, extra, left):
                continue
            cost = sum(q * (self.offers[a[:2]]["price"] + self.delivered(*a)) for a, q in extra.items())
            missing = {p: max(q - sum(e * self.offers[a[:2]]["yield_rate"] for a, e in extra.items() if a[1:] == p), 0.0)
                       for p, q in lost.items()}  # fmt: skip
            for i in {i for i, _ in lost}:
                short = sum(q for p, q in missing.items() if p[0] == i)
                item = self.items[i]
                bought = min(short, item["emergency_limit"]) if item["emergency_price"] < item["shortage_cost"] else 0.0
                cost += bought * item["emergency_price"] + (short - bought) * item["shortage_cost"]
            best = min(best, cost)
        return best - saved

    def has_spare(self, plan: Plan, extra: Plan, left: dict[str, float]) -> bool:
        for s, i in {a[:2] for a in extra}:
            award, more = self.quantity(plan, s, i), self.quantity(extra, s, i)
            needed = sum(self.demand[a[1:]]["quantity"] / self.offers[s, i]["yield_rate"] for a in self.arcs if a[:2] == (s, i))  # fmt: skip
            most = min(self.offers[s, i]["capacity"], self.suppliers[s]["capacity"], needed)
            if (
                more > left[s] * (most - award) + NEAR
                or more > left[s] * self.suppliers[s]["flexibility"] * award + NEAR
            ):
                return False
        return all(
            self.quantity(extra, s) <= left[s] * (self.suppliers[s]["capacity"] - self.quantity(plan, s)) + NEAR
            for s in {a[0] for a in extra}
        )

    def lowest(self, s: str, i: str) -> float:
        prices = [b["price"] for b in self.rows("price_breaks") if (b["supplier"], b["item"]) == (s, i)]
        best = max((r["rate"] for r in self.rows("rebates") if r["supplier"] == s), default=0.0)
        return float(min([self.offers[s, i]["price"], *prices]) * (1 - best))

    def objective(self, plan: Plan, awarded: set[tuple[str, str]]) -> float:
        """Plan cost and what the objective counts of the scenarios."""
        cost = self.cost(plan, awarded)
        scenarios = [r for r in self.rows("scenarios") if r["probability"] > 0]
        if not scenarios or cost == math.inf:
            return cost
        years = sorted(
            ((self.recourse(plan, awarded, w["scenario"]), w["probability"]) for w in scenarios), reverse=True
        )
        expected = sum(c * p for c, p in years)
        if self.options["cost_limit"] is not None and cost + expected > self.options["cost_limit"] + NEAR:
            return math.inf
        if self.options["objective"] == "worst":
            return cost + years[0][0]
        if self.options["objective"] == "mean_cvar":
            part, tail = 1 - self.options["cvar_level"], 0.0
            for c, p in years:
                taken = min(part, p)
                tail, part = tail + taken * c, part - taken
            weight = self.options["cvar_weight"]
            return cost + (1 - weight) * expected + weight * tail / (1 - self.options["cvar_level"])
        return cost + expected


def cheapest(tables: Frames, **options: Any) -> float:
    """The cost of the best award in whole units; infinite where none keeps all rules."""
    case = Case(tables, options)
    return min((case.objective(plan, held) for plan in case.plans() for held in case.awarded(plan)), default=math.inf)
