"""The best plan of a tiny case by trying every plan on a grid: the plainest reading of the tables' own words.

Independent of the project's formulation, completion and recheck. Every array has one element a plan. Demand is served
as soon as stock allows, which is best wherever keeping stock back gains nothing: the cases are made so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from echelon.tables import Frames

DEFAULTS = {
    "frozen_periods": 0,
    "holding_rate": 0.2,
    "final_stock_value": 0.0,
    "shortage_policy": "backorder",
    "backorder_rate": 5.0,
    "lost_cost_factor": 2.0,
    "safety_shortfall_rate": 1.0,
    "budget_excess_cost": 2.0,
    "storage_excess_cost": 100.0,
    "capacity_excess_cost": 100.0,
}
BLANKS: dict[str, Any] = {
    "site": "MAIN",
    "department": "",
    "volume": 0.0,
    "line_cost": 0.0,
    "lead_time": 0,
    "minimum": 0.0,
    "maximum": np.inf,
    "hours_per_order": 0.0,
    "hours_per_unit": 0.0,
    "cost": 0.0,
    "order_cost": 0.0,
    "carry_over": False,
    "hard": False,
    "counts": "closing",
    "measure": "units",
    "min_share": 0.0,
    "max_share": 1.0,
    "fill_rate": 0.0,
    "kind": "all_units",
    "period": "",
}
BLANKS_OF = {"shortages": {"item": "", "site": "", "policy": "backorder"}, "lanes": {"item": ""}}
OFFER = ("supplier", "item", "site")
LANE = ("from_site", "to_site", "item")
Row = dict[str, Any]
Quantities = dict[Any, np.ndarray]


def key(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


class Plans:
    """All plans of a case on the grid, with the cost of each and whether it keeps the hard rules."""

    def __init__(self, tables: Frames, grid: Sequence[int], sends: Sequence[int], options: Row):
        self.tables = included({name: frame.to_dict("records") for name, frame in tables.items()})
        self.options = DEFAULTS | options
        self.periods = sorted(self.rows("periods"), key=lambda p: p["start"])
        self.horizon = len(self.periods)
        self.mean_year = sum(p["days"] for p in self.periods) / self.horizon / 365
        self.position = {p["period"]: t for t, p in enumerate(self.periods)}
        self.ordered, self.sent = self.every_plan(grid, sends)
        self.cost = np.zeros(self.size)
        self.kept = np.ones(self.size, bool)

    def best(self) -> float:
        """The cost of the best plan; infinite where none keeps the hard rules."""
        self.order()
        self.send()
        closing, peak = self.stock()
        self.limits(closing, peak)
        self.shares()
        return float(np.where(self.kept, self.cost, np.inf).min())

    def rows(self, table: str) -> list[Row]:
        """The rows of a table, blanks filled with what the schema says of them."""
        blanks = BLANKS | BLANKS_OF.get(table, {})
        rows = self.tables.get(table, [])
        return [blanks | {k: v for k, v in row.items() if v == v and v is not None} for row in rows]

    def find(self, table: str, t: int, **names: str) -> Row | None:
        """The row of these names for period t: its own or, without one, that of every period."""
        rows = [r for r in self.rows(table) if all(r.get(k, "") == v for k, v in names.items())]
        own = [r for r in rows if r["period"] == self.periods[t]["period"]]
        return next(iter(own or [r for r in rows if r["period"] == ""]), None)

    def every_plan(self, grid: Sequence[int], sends: Sequence[int]) -> tuple[Quantities, Quantities]:
        """Quantity of each offer and each lane in each period, in every combination that the offers' terms allow."""
        choices: dict[Any, Sequence[float]] = {}
        pins = {(*key(p, *OFFER), self.position[p["period"]]): p["quantity"] for p in self.rows("pinned_orders")}
        for o in self.rows("offers"):
            allowed = [q for q in grid if o["minimum"] <= q <= o["maximum"] and q % o["multiple"] == 0]
            for t in range(self.horizon):
                may = self.options["frozen_periods"] <= t < self.horizon - o["lead_time"]
                place = (*key(o, *OFFER), t)
                choices[place] = [pins[place]] if place in pins else sorted({0, *allowed}) if may else [0]
        orders = len(choices)
        for lane in self.lanes():
            for t in range(self.horizon - lane["lead_time"]):
                choices[(*key(lane, *LANE), t)] = sends
        self.size = math.prod(len(c) for c in choices.values())
        assert self.size < 2_000_000, f"{self.size} plans are too many"
        grids = np.meshgrid(*choices.values(), indexing="ij")
        plans = [(k, g.ravel().astype(float)) for k, g in zip(choices, grids, strict=True)]
        return dict(plans[:orders]), dict(plans[orders:])

    def lanes(self) -> list[Row]:
        """Lanes item by item; one without an item stands for every item that has no lane of its own there."""
        rows = self.rows("lanes")
        own = {key(r, *LANE) for r in rows}
        unfolded = [r | {"item": i["item"]} for r in rows if not r["item"] for i in self.rows("items")]
        return [r for r in rows if r["item"]] + [r for r in unfolded if key(r, *LANE) not in own]

    def order(self) -> None:
        """Price of each line, cost of each line, cost of each supplier's order for a site in a period."""
        self.amount, self.hours, joint = {}, {}, {}
        for o in self.rows("offers"):
            for t in range(self.horizon):
                line, shared = (*key(o, *OFFER), t), (o["supplier"], o["site"], t)
                q = self.ordered[line]
                self.amount[line] = self.price(o, q)
                self.hours[line] = o["hours_per_order"] * (q > 0) + o["hours_per_unit"] * q
                self.cost += self.amount[line] + o["line_cost"] * (q > 0)
                joint[shared] = joint.get(shared, False) | (q > 0)
        order_cost = {s["supplier"]: s["order_cost"] for s in self.rows("suppliers")}
        for (supplier, _, _), placed in joint.items():
            self.cost += order_cost.get(supplier, 0.0) * placed

    def send(self) -> None:
        """Cost of each unit sent over a lane."""
        costs = {key(lane, *LANE): lane["cost"] for lane in self.lanes()}
        self.cost += sum(costs[k[:3]] * q for k, q in self.sent.items())

    def price(self, o: Row, q: np.ndarray) -> np.ndarray:
        """What a line costs: all_units, the price of the highest break reached holds for the whole line; incremental,
        each price holds for the units beyond its break."""
        breaks = [b for b in self.rows("price_breaks") if key(b, *OFFER) == key(o, *OFFER)]
        amount, below = o["price"] * q, o["price"]
        for b in sorted(breaks, key=lambda b: b["from_quantity"]):
            if b["kind"] == "all_units":
                amount = np.where(q >= b["from_quantity"], b["price"] * q, amount)
            else:
                amount = amount + (b["price"] - below) * np.maximum(q - b["from_quantity"], 0)
            below = b["price"]
        return amount

    def stock(self) -> tuple[Quantities, Quantities]:
        """Run every item and site through the periods; closing stock, and opening stock with all arrivals."""
        tables = ("demand", "offers", "stock", "receipts", "safety_stock")
        places = {key(r, "item", "site") for name in tables for r in self.rows(name)}
        places |= {(lane["item"], lane[end]) for lane in self.lanes() for end in ("from_site", "to_site")}
        closing: Quantities = {}
        peak: Quantities = {}
        for i, l in sorted(places):
            item = self.item(i)
            terms = self.terms(i, l, item)
            stock, waiting, short, wanted = self.total("stock", i, l), np.zeros(self.size), np.zeros(self.size), 0.0
            for t, period in enumerate(self.periods):
                demand = self.total("demand", i, l, t)
                peak[i, l, t] = stock + self.arriving(i, l, t)
                available = peak[i, l, t] - sum(q for k, q in self.sent.items() if k[0] == l and k[2:] == (i, t))
                self.kept &= available >= 0
                served = np.minimum(available, waiting + demand)
                stock, left, waited = available - served, waiting + demand - served, waiting
                lost = left if terms["policy"] == "lost" else np.zeros(self.size)
                waiting = left - lost
                short, wanted = short + lost + np.maximum(waiting - waited, 0), wanted + demand
                closing[i, l, t] = stock
                self.cost += item["value"] * item["holding_rate"] * period["days"] / 365 * stock
                self.cost += terms["backorder_cost"] * waiting + terms["lost_cost"] * lost
                if terms["policy"] == "none":
                    self.kept &= waiting == 0
                if safety := self.find("safety_stock", t, item=i, site=l):
                    blank = item["value"] * self.options["safety_shortfall_rate"] * self.mean_year
                    self.cost += safety.get("shortfall_cost", blank) * np.maximum(safety["quantity"] - stock, 0)
            self.cost += terms["lost_cost"] * waiting - self.options["final_stock_value"] * item["lowest"] * stock
            self.soft(short, (1 - terms["fill_rate"]) * wanted, terms, terms["fill_rate_cost"])
        return closing, peak

    def item(self, name: str) -> Row:
        row = next(r for r in self.rows("items") if r["item"] == name)
        offered = [o["price"] for o in self.rows("offers") if o["item"] == name]
        broken = [b["price"] for b in self.rows("price_breaks") if b["item"] == name]
        row = {"value": min(offered, default=0.0), "holding_rate": self.options["holding_rate"]} | row
        return row | {"lowest": min(row["value"], *offered, *broken)}

    def terms(self, i: str, l: str, item: Row) -> Row:
        """The most specific row of shortages: item and site, then item, then site, then neither."""
        rows = {key(r, "item", "site"): r for r in self.rows("shortages")}
        found = rows.get((i, l)) or rows.get((i, "")) or rows.get(("", l)) or rows.get(("", "")) or {}
        lost_cost = found.get("lost_cost", item["value"] * self.options["lost_cost_factor"])
        blank = {
            "policy": self.options["shortage_policy"],
            "backorder_cost": item["value"] * self.options["backorder_rate"] * self.mean_year,
            "fill_rate_cost": lost_cost,
        }
        return BLANKS | blank | found | {"lost_cost": lost_cost}

    def total(self, table: str, i: str, l: str, t: int | None = None) -> float:
        """Quantity of an item at a site in the table (in period t), added up."""
        rows = [r for r in self.rows(table) if (r["item"], r["site"]) == (i, l)]
        return float(sum(r["quantity"] for r in rows if t is None or r["period"] == self.periods[t]["period"]))

    def arriving(self, i: str, l: str, t: int) -> np.ndarray:
        lead = {key(o, *OFFER): o["lead_time"] for o in self.rows("offers")}
        way = {key(r, *LANE): r["lead_time"] for r in self.lanes()}
        orders = sum(q for k, q in self.ordered.items() if k[1:3] == (i, l) and k[3] + lead[k[:3]] == t)
        brought = sum(q for k, q in self.sent.items() if k[1:3] == (l, i) and k[3] + way[k[:3]] == t)
        return np.zeros(self.size) + orders + brought + self.total("receipts", i, l, t)

    def soft(self, use: Any, capacity: Any, row: Row, price: float) -> None:
        """Exceeding a hard limit rules a plan out; exceeding a soft one costs."""
        over = np.maximum(use - capacity, 0)
        if row["hard"]:
            self.kept &= over <= 1e-9
        else:
            self.cost += price * over

    def limits(self, closing: Quantities, peak: Quantities) -> None:
        department = {i["item"]: i["department"] for i in self.rows("items")}
        volume = {i["item"]: i["volume"] for i in self.rows("items")}
        for name in {r["department"] for r in self.rows("budgets")}:
            left: Any = 0.0
            for t in range(self.horizon):
                row = self.find("budgets", t, department=name)
                if row is None:
                    left = 0.0
                    continue
                spend = sum(a for k, a in self.amount.items() if k[3] == t and name in ("", department[k[1]]))
                self.soft(spend, row["amount"] + left, row, row.get("excess_cost", self.options["budget_excess_cost"]))
                left = np.maximum(row["amount"] + left - spend, 0) if row["carry_over"] else 0.0
        for l in {r["site"] for r in self.rows("storage")}:
            for t in range(self.horizon):
                if row := self.find("storage", t, site=l):
                    counted = closing if row["counts"] == "closing" else peak
                    use = sum(volume[k[0]] * q for k, q in counted.items() if k[1:] == (l, t))
                    self.soft(use, row["capacity"], row, row.get("excess_cost", self.options["storage_excess_cost"]))
        for s, measure in {(r["supplier"], r["measure"]) for r in self.rows("supplier_capacity")}:
            for t in range(self.horizon):
                if row := self.find("supplier_capacity", t, supplier=s, measure=measure):
                    load = self.ordered if measure == "units" else self.hours
                    use = sum(q for k, q in load.items() if (k[0], k[3]) == (s, t))
                    self.soft(use, row["capacity"], row, row.get("excess_cost", self.options["capacity_excess_cost"]))

    def shares(self) -> None:
        for row in self.rows("shares"):
            part = sum(q for k, q in self.ordered.items() if k[:2] == (row["supplier"], row["item"]))
            whole = sum(q for k, q in self.ordered.items() if k[1] == row["item"])
            self.kept &= (row["min_share"] * whole <= part + 1e-9) & (part <= row["max_share"] * whole + 1e-9)


def included(tables: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Without the rows of status exclude, and without all rows that name what they excluded."""
    gone: set[tuple[str, str]] = set()
    for table, name in (("items", "item"), ("suppliers", "supplier"), ("periods", "period")):
        gone |= {(name, r[name]) for r in tables.get(table, []) if r.get("status") == "exclude"}
    kept = {
        name: [r for r in rows if r.get("status") != "exclude" and not gone & {(k, str(v)) for k, v in r.items()}]
        for name, rows in tables.items()
    }
    offered = {(o["supplier"], o["item"], o.get("site", "MAIN")) for o in kept["offers"]}
    for name in ("price_breaks", "pinned_orders"):
        rows = kept.get(name, [])
        kept[name] = [r for r in rows if (r["supplier"], r["item"], r.get("site", "MAIN")) in offered]
    return kept


def cheapest(tables: Frames, grid: Sequence[int], sends: Sequence[int] = range(1), **options: Any) -> float:
    """The cost of the best plan whose orders lie on `grid` and whose transfers on `sends`; every offer must have a
    multiple, or the best plan may lie between."""
    return Plans(tables, grid, sends, options).best()
