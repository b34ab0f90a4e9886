"""Why a case has no award, in business words: which rules stand in the way, by how much, what would do."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from echelon.errors import Finding
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions
from echelon_models.allocation.formulation import build
from echelon_models.allocation.sets import Sets

TOLERANCE = 1e-6
LAST_RESORT = 100.0  # demand is refused only where no other rule could give


def explain(sets: Sets, options: SolveOptions) -> list[Finding]:
    """Solve once more with every rule elastic and report those that had to give; with the suggested values the case
    has an award. Empty if even that found no answer."""
    m = build(sets, elastic=True)
    m.total.set_value(sum(weight(sets, key) * m.slack[key] for key in m.slack))
    if not highs.solve(m, options.model_copy(update={"gap": 0.01})).outcome.has_plan:
        return []
    broken = {key: m.slack[key].value for key in m.slack if m.slack[key].value > TOLERANCE}
    if not broken and sets.options.cost_limit is not None:
        rule, remedy = "no award keeps the largest expected cost", "Raise it, or leave it out to see the least cost"
        return [Finding("options", rule, remedy, column="cost_limit", value=f"{sets.options.cost_limit:g}")]
    return [FINDINGS[key[0]](m, sets, amount, *key[1:]) for key, amount in broken.items()]


def weight(sets: Sets, key: tuple[Any, ...]) -> float:
    """What breaking a rule by one unit counts: one over the size of the thing it is about."""
    rule, who = key[0], key[1:]
    if rule in ("demand", "survival"):
        item = who[0] if rule == "demand" else who[2]
        return (LAST_RESORT if rule == "demand" else 1.0) / max(sets.need[item], TOLERANCE)
    if rule in ("min suppliers", "max suppliers"):
        return 0.2
    if rule in ("minimum spend", "cap", "ceiling"):
        amounts = {
            "minimum spend": lambda s: sets.suppliers[s].minimum_spend,
            "ceiling": lambda n: sets.ceilings[n].amount,
        }
        return 1 / max(amounts[rule](*who) if rule in amounts else spend_of(sets), 1.0)
    if rule == "capacity":
        return 1 / max(sets.capacity(who[0]), 1.0)
    return 1 / max(sets.need[who[-1]], TOLERANCE)


def spend_of(sets: Sets) -> float:
    """About what all goods cost, money."""
    cheapest = {i: min(sets.offers[s, i].price for s in suppliers) for i, suppliers in sets.suppliers_of.items()}
    return sum(price * sets.need[i] for i, price in cheapest.items())


def _whole(m: Any, sets: Sets, i: str) -> float:
    return max(sum(m.quantity[s, i, l].value for s in sets.suppliers_of[i] for l in sets.sites_of[s, i]), TOLERANCE)


def _demand(m: Any, sets: Sets, amount: float, i: str, l: str) -> Finding:
    rule = f"demand of {i} at {l} cannot all be met: {amount:,.6g} good units are missing"
    return Finding("demand", rule, f"{_down(sets.demand[i, l] - amount)} would do, or bring in more offers or capacity",
                   column="quantity", value=f"{sets.demand[i, l]:g}")  # fmt: skip


def _minimum(m: Any, sets: Sets, amount: float, s: str, i: str) -> Finding:
    rule = f"the smallest award of {i} to {s} is too large by {amount:,.6g} units"
    return Finding("offers", rule, f"{_down(sets.least(s, i) - amount)} would do (see also smallest_share of items)",
                   column="minimum", value=f"{sets.least(s, i):g}")  # fmt: skip


def _capacity(m: Any, sets: Sets, amount: float, s: str) -> Finding:
    rule = f"the capacity of {s} is too small by {amount:,.6g} units"
    return Finding(
        "suppliers",
        rule,
        f"{_up(sets.capacity(s) + amount)} would do",
        column="capacity",
        value=f"{sets.capacity(s):g}",
    )


def _minimum_spend(m: Any, sets: Sets, amount: float, s: str) -> Finding:
    least = sets.suppliers[s].minimum_spend
    rule = f"the minimum spend of {s} is too large by {amount:,.6g}"
    return Finding("suppliers", rule, f"{_down(least - amount)} would do", column="minimum_spend", value=f"{least:g}")


def _count(side: str) -> Callable[..., Finding]:
    def finding(m: Any, sets: Sets, amount: float, i: str) -> Finding:
        table, source = ("items", sets.items[i]) if i else ("options", sets.options)
        number = int(getattr(source, f"{side}_suppliers"))
        change = math.ceil(amount - TOLERANCE) * (-1 if side == "min" else 1)
        rule = f"the {'fewest' if side == 'min' else 'most'} suppliers of {i or 'all items'} cannot be kept"
        return Finding(table, rule, f"{number + change} would do", column=f"{side}_suppliers", value=f"{number}")

    return finding


def _share(table: str, column: str, up: bool, source: Callable[[Sets, Any], float]) -> Callable[..., Finding]:
    """A finding on a share of an item; `who` ends with the item."""

    def finding(m: Any, sets: Sets, amount: float, *who: str) -> Finding:
        share, part = source(sets, who), amount / _whole(m, sets, who[-1])
        higher, lower = math.ceil((share + part) * 1e4) / 1e4, math.floor((share - part) * 1e4) / 1e4
        would_do = min(higher, 1.0) if up else max(lower, 0.0)
        rule = f"{column} of {' for '.join(who)} is missed by {amount:,.6g} units"
        return Finding(table, rule, f"{would_do:g} would do", column=column, value=f"{share:g}")

    return finding


def _required(m: Any, sets: Sets, amount: float, s: str, i: str) -> Finding:
    least = sets.required[s, i]
    rule = f"the required award of {i} to {s} is too large by {amount:,.6g} units"
    return Finding("pairs", rule, f"{_down(least - amount)} would do", column="quantity", value=f"{least:g}")


def _cap(m: Any, sets: Sets, amount: float, n: int) -> Finding:
    cap = sets.caps[n]
    whole = sum(m.spend[s, cap.group].value for s in m.suppliers)
    would_do = min(math.ceil((cap.max_share + amount / max(whole, TOLERANCE)) * 1e4) / 1e4, 1.0)
    where = f" in {cap.group}" if cap.group else ""
    rule = f"the cap of the {cap.kind} {cap.name}{where} is too low by {amount:,.6g} of spend"
    return Finding("caps", rule, f"{would_do:g} would do", column="max_share", value=f"{cap.max_share:g}")


def _ceiling(m: Any, sets: Sets, amount: float, n: int) -> Finding:
    row = sets.ceilings[n]
    rule = f"the hard {row.kind} ceiling of {row.group or 'all items'} is too low by {amount:,.6g}"
    remedy = f"{_up(row.amount + amount)} would do, or make it soft (hard = false)"
    return Finding("ceilings", rule, remedy, column="amount", value=f"{row.amount:g}")


def _survival(m: Any, sets: Sets, amount: float, kind: str, name: str, i: str) -> Finding:
    share = sets.items[i].survival_share
    would_do = max(math.floor((share - amount / sets.need[i]) * 1e4) / 1e4, 0.0)
    rule = f"{i} does not survive the loss of the {kind} {name}: {amount:,.6g} good units are missing"
    return Finding(
        "items",
        rule,
        f"{would_do:g} would do, or bring in more offers or capacity",
        column="survival_share",
        value=f"{share:g}",
    )


FINDINGS: dict[str, Callable[..., Finding]] = {
    "demand": _demand,
    "minimum": _minimum,
    "capacity": _capacity,
    "minimum spend": _minimum_spend,
    "min suppliers": _count("min"),
    "max suppliers": _count("max"),
    "min share": _share("shares", "min_share", False, lambda sets, who: sets.shares[who].min_share),
    "max share": _share("shares", "max_share", True, lambda sets, who: sets.shares[who].max_share),
    "required": _required,
    "local share": _share("items", "local_min_share", False, lambda sets, who: sets.items[who[0]].local_min_share),
    "max loss": _share("current_awards", "max_loss", True, lambda sets, who: sets.current[who].max_loss),
    "max change": _share("options", "max_change", True, lambda sets, who: sets.options.max_change or 0.0),
    "cap": _cap,
    "ceiling": _ceiling,
    "survival": _survival,
}


def _up(value: float) -> str:
    """`value` rounded up to two decimals: what is suggested must do."""
    return f"{math.ceil(value * 100 - 1e-5) / 100:.2f}".rstrip("0").rstrip(".")


def _down(value: float) -> str:
    """`value` rounded down to two decimals, at least 0."""
    return f"{max(math.floor(value * 100 + 1e-5) / 100, 0.0):.2f}".rstrip("0").rstrip(".")
