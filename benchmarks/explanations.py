"""Does the explanation name what was planted? Generated ordering cases with one limit too small, feasible or not.

    python benchmarks/explanations.py [--cases 30] [--seed 1] [--only bottlenecks] [--each]

Bottlenecks: the case is solved without limits; every limit gets room beyond what that plan uses, but one, which gets
so little that a tenth more of it saves money. The run must name it. With --each, every limit is eased in turn and the
case solved to proven optimality: it must be the one that saves most. Conflicts: no shortage is allowed and one hard
limit (or a lead time, a fill rate, a share) is made so small that there is no plan. A finding must name it, and the
case with all that is suggested must have a plan.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

import echelon
from echelon.explain.limits import LIMIT, SHARE
from echelon.tables import Frames

DEPARTMENTS, SITES, SUPPLIERS, PERIODS, ITEMS = ("Tools", "Parts"), ("MAIN", "SHOP"), ("S", "T"), 6, 4
TABLES = {
    "budget": ("budgets", "department", "amount"),
    "storage": ("storage", "site", "capacity"),
    "supplier capacity": ("supplier_capacity", "supplier", "capacity"),
}
PLANTED = [("budget", "Tools"), ("budget", ""), ("storage", "MAIN"), ("supplier capacity", "S")]
CONFLICTS = [*PLANTED, ("lead time", ""), ("fill rate", ""), ("share", "")]
WORTH_IT = 1e-4  # of the cost is saved at least by a tenth more of what was planted
EXACT = {"gap": 0.0, "time_limit": 20.0}


@dataclass(frozen=True)
class Planted:
    """A case, and what was planted in it: the kind of the limit and its name."""

    number: int
    kind: str
    name: str
    tables: Frames


def base(rng: np.random.Generator, policy: str) -> Frames:
    """A case without limits: four items of two departments at one of two sites each, two suppliers for each."""
    items = [f"I{k}" for k in range(ITEMS)]
    start = date(2026, 1, 5)
    periods = [(start + timedelta(weeks=k)).isoformat() for k in range(PERIODS)]
    site = {item: SITES[k // 3] for k, item in enumerate(items)}
    value = {item: float(rng.integers(5, 40)) for item in items}
    demand = [(i, site[i], p, float(rng.integers(5, 40))) for i in items for p in periods]
    offers = [
        (
            s,
            i,
            site[i],
            round(value[i] * (1.0 if s == "S" else 1.15), 2),
            float(rng.integers(0, 12)),
            0.0 if k % 2 else 5.0,
        )
        for k, i in enumerate(items)
        for s in SUPPLIERS
    ]
    return {
        "items": pd.DataFrame({
            "item": items, "department": [DEPARTMENTS[k % 2] for k in range(ITEMS)], "holding_rate": 0.3,
            "value": list(value.values()), "volume": [float(rng.integers(1, 5)) / 10 for _ in items],
        }),
        "sites": pd.DataFrame({"site": SITES}),
        "suppliers": pd.DataFrame({"supplier": SUPPLIERS}),
        "periods": pd.DataFrame({"period": periods, "start": periods, "days": 7}),
        "demand": pd.DataFrame(demand, columns=["item", "site", "period", "quantity"]),
        "offers": pd.DataFrame(offers, columns=["supplier", "item", "site", "price", "line_cost", "minimum"]),
        "shortages": pd.DataFrame({"policy": [policy]}),
        "safety_stock": pd.DataFrame({
            "item": items, "site": [site[i] for i in items], "quantity": 8.0, "shortfall_cost": 40.0,
        }),
    }  # fmt: skip


def with_limits(tables: Frames, use: pd.Series, room: dict[tuple[str, str], float], hard: bool) -> Frames:
    """The case with every limit at what the plan without limits used of it at most in a period, times its room."""
    limited = dict(tables)
    for kind, (table, who, column) in TABLES.items():
        names = [name for k, name, _ in use.index if k == kind]
        amounts = [round(use[kind, name, unit] * room[kind, name], 2) for k, name, unit in use.index if k == kind]
        limited[table] = pd.DataFrame({who: names, column: amounts, "hard": hard})
    return limited


def uses(tables: Frames, how: str) -> pd.Series:
    """What the best plan without limits uses of each: in its fullest period (max) or on average (mean)."""
    wide = {
        "budgets": pd.DataFrame({"department": [*DEPARTMENTS, ""], "amount": 1e6}),
        "storage": pd.DataFrame({"site": SITES, "capacity": 1e5}),
        "supplier_capacity": pd.DataFrame({"supplier": SUPPLIERS, "capacity": 1e5}),
    }
    limits = echelon.solve(tables | wide, "ordering", explain="off", **EXACT).plan["limits"]
    return limits.groupby(LIMIT, sort=True)["use"].agg(how)


def bottleneck(number: int, seed: int) -> Planted:
    """Room for all limits but one, which gets 60 to 90% of what is used of it on average, or less: so little that a
    tenth more of it saves money."""
    rng = np.random.default_rng([seed, number])
    tables = base(rng, "backorder")
    kind, name = PLANTED[number % len(PLANTED)]
    most, mean = uses(tables, "max"), uses(tables, "mean")
    room = {key[:2]: float(rng.uniform(1.5, 2.5)) for key in most.index}
    unit = next(key for key in most.index if key[:2] == (kind, name))
    room[kind, name] = float(rng.uniform(0.6, 0.9)) * mean[unit] / most[unit]
    hard = bool(number % 3 == 0)
    while True:
        costs = []
        for more in (1.0, 1 + SHARE):
            tried = with_limits(tables, most, room | {(kind, name): more * room[kind, name]}, hard)
            costs.append(echelon.solve(tried, "ordering", explain="off", **EXACT).outcome.objective or 0.0)
        if costs[0] - costs[1] > WORTH_IT * costs[0]:
            return Planted(number, kind, name, with_limits(tables, most, room, hard))
        room[kind, name] *= 0.8


def conflict(number: int, seed: int) -> Planted:
    """No shortage allowed, and one thing that makes it impossible."""
    rng = np.random.default_rng([seed, number, 1])
    kind, name = CONFLICTS[number % len(CONFLICTS)]
    tables = base(rng, "none")
    most = uses(tables, "max")
    tables = with_limits(tables, most, {key[:2]: float(rng.uniform(2.0, 3.0)) for key in most.index}, hard=True)
    first = tables["items"]["item"].iloc[int(rng.integers(ITEMS))]
    offers = tables["offers"]
    if kind in TABLES:
        table, who, column = TABLES[kind]
        frame = tables[table]
        mine = frame[who] == name
        if kind == "supplier capacity":
            tables["offers"] = offers[offers["supplier"] == name]
        if kind == "storage":  # opening stock that does not fit
            item, volume = tables["items"].loc[0, ["item", "volume"]]
            held = 3.0 * float(frame.loc[mine, column].iloc[0]) / float(volume)
            tables["stock"] = pd.DataFrame({"item": [item], "site": [name], "quantity": [held]})
        else:
            tables[table] = frame.assign(
                **{column: frame[column].where(~mine, float(rng.uniform(0.02, 0.1)) * frame[column])}
            )
    elif kind == "share":
        share = {"supplier": ["S"], "item": [first], "max_share": [float(rng.uniform(0.2, 0.6))]}
        tables["shares"] = pd.DataFrame(share)
        late = (offers["item"] == first) & (offers["supplier"] == "T")  # the other one cannot deliver in time
        tables["offers"] = offers.assign(lead_time=np.where(late, PERIODS, 0))
    else:
        tables["offers"] = offers.assign(lead_time=np.where(offers["item"] == first, int(rng.integers(1, 3)), 0))
        if kind == "fill rate":
            rate = {
                "item": ["", first],
                "policy": ["none", "backorder"],
                "fill_rate": [0.0, 1.0],
                "hard": [False, True],
            }
            tables["shortages"] = pd.DataFrame(rate)
        name = first
    return Planted(number, kind, first if kind == "share" else name, tables)


def named(run: echelon.Run) -> tuple[str, str]:
    """The limit that the run names: the one that its page tells of."""
    eased = run.plan["eased"]
    told = run.page.constraint
    for kind, name in dict.fromkeys(zip(eased["limit"], eased["name"], strict=True)):
        if told.startswith(f"The {kind} of {name or 'the whole company'} holds the plan back most"):
            return kind, name
    return "", told


def truly(planted: Planted) -> tuple[str, str]:
    """The limit that saves most when it alone is eased and everything solved anew: each in turn, none skipped."""
    costs = {}
    for kind, (table, who, column) in TABLES.items():
        for name in planted.tables[table][who]:
            frame = planted.tables[table]
            more = frame.assign(**{column: frame[column].where(frame[who] != name, (1 + SHARE) * frame[column])})
            eased = echelon.solve(planted.tables | {table: more}, "ordering", explain="off", **EXACT)
            costs[kind, name] = eased.outcome.objective or 0.0
    return min(costs, key=lambda key: costs[key])


def names_it(planted: Planted, finding: echelon.Finding) -> bool:
    """Whether a finding is about what was planted."""
    if planted.kind in TABLES:
        table, who, _ = TABLES[planted.kind]
        return finding.table == table and getattr(finding, "key", {}).get(who) == planted.name
    table, column = {"lead time": ("shortages", "policy"), "fill rate": ("shortages", "fill_rate")}.get(
        planted.kind, ("shares", "max_share")
    )
    return (finding.table, finding.column) == (table, column) and getattr(finding, "key", {}).get(
        "item"
    ) == planted.name


def bottlenecks(cases: int, seed: int, each: bool) -> Iterator[dict[str, Any]]:
    for number in range(cases):
        planted = bottleneck(number, seed)
        began, used = time.monotonic(), time.process_time()
        run = echelon.solve(planted.tables, "ordering", **EXACT)
        seconds, cpu = time.monotonic() - began, time.process_time() - used
        yield {
            "case": number, "planted": (planted.kind, planted.name), "named": named(run),
            "true": truly(planted) if each else "",
            "how": run.plan["eased"]["how"].iloc[-1] if len(run.plan["eased"]) else "", "seconds": seconds, "cpu": cpu,
        }  # fmt: skip


def conflicts(cases: int, seed: int) -> Iterator[dict[str, Any]]:
    for number in range(cases):
        planted = conflict(number, seed)
        findings: list[echelon.Finding] = []
        feasible = False
        try:
            echelon.solve(planted.tables, "ordering", explain="off", **EXACT)
        except echelon.SolveError as error:
            findings = list(error.findings)
        if findings:
            mended = echelon.heed(planted.tables, findings, "ordering")
            feasible = echelon.solve(mended, "ordering", explain="off", **EXACT).outcome.has_plan
        yield {
            "case": number, "planted": (planted.kind, planted.name), "findings": len(findings),
            "named": any(names_it(planted, finding) for finding in findings), "feasible": feasible,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("bottlenecks", "conflicts"))
    parser.add_argument("--each", action="store_true", help="ease every limit in turn too")
    given = parser.parse_args()
    used = time.process_time()
    if given.only != "conflicts":
        found = pd.DataFrame(bottlenecks(given.cases, given.seed, given.each))
        print(found.to_string(), flush=True)
        print(f"bottlenecks: {(found['named'] == found['planted']).sum()} of {given.cases} named as planted")
        if given.each:
            print(f"{(found['named'] == found['true']).sum()} as every limit eased in turn says")
    if given.only != "bottlenecks":
        found = pd.DataFrame(conflicts(given.cases, given.seed))
        print(found.to_string())
        print(f"conflicts: cause named in {found['named'].sum()} of {given.cases}, "
              f"feasible with what is suggested in {found['feasible'].sum()}")  # fmt: skip
    print(f"cpu seconds: {time.process_time() - used:.0f}")


if __name__ == "__main__":
    main()
