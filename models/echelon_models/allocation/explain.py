"""Why a case has no award, in business words: which rules stand in the way, by how much, what would do."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from echelon.errors import Finding, Suggestion
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
        return [_cost_limit(sets, options)]
    return _furthest(
        suggestion for key, amount in broken.items() for suggestion in SUGGESTIONS[key[0]](m, sets, amount, *key[1:])
    )


def _furthest(suggestions: Iterable[Suggestion]) -> list[Finding]:
    """One suggestion a cell: of several rules that one cell sets, that which gives most."""
    cells: dict[tuple[Any, ...], list[Suggestion]] = {}
    for one in suggestions:
        cells.setdefault((one.table, *one.key.items(), one.column), []).append(one)

    def given(suggestion: Suggestion) -> float:
        would_do = suggestion.would_do
        return math.inf if isinstance(would_do, str) else abs(would_do - float(suggestion.value))

    return [several[0] if len(several) == 1 else max(several, key=given) for several in cells.values()]


def _cost_limit(sets: Sets, options: SolveOptions) -> Finding:
    """The least expected cost, if it is found."""
    limit = sets.options.cost_limit or 0.0
    free = replace(sets, options=sets.options.model_copy(update={"cost_limit": None, "objective": "expected"}))
    least = highs.solve(build(free), options.model_copy(update={"gap": 1e-4})).outcome.objective
    rule = "no award keeps the largest expected cost"
    if least is None:
        remedy = "Raise it, or leave it out to see the least cost"
        return Finding("options", rule, remedy, column="cost_limit", value=f"{limit:g}")
    return _suggestion("options", {}, "cost_limit", limit, _up(least), rule)


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


def _suggestion(
    table: str,
    key: dict[str, str],
    column: str,
    value: float,
    would_do: float | str,
    rule: str,
    more: str = "",
    every: str = "",
) -> Suggestion:
    """What would do in a column of the row that `key` names (in the options there is but one)."""
    told = f"{would_do:.12g}" if isinstance(would_do, float | int) else f'{column} = "{would_do}"'
    return Suggestion(
        table,
        rule,
        f"{told} would do{more}",
        column=column,
        value=f"{value:.12g}",
        key=key,
        every=(every,) if every else (),
        would_do=would_do,
    )


def _whole(m: Any, sets: Sets, i: str) -> float:
    return max(sum(m.quantity[s, i, l].value for s in sets.suppliers_of[i] for l in sets.sites_of[s, i]), TOLERANCE)


def _demand(m: Any, sets: Sets, amount: float, i: str, l: str) -> Iterator[Suggestion]:
    wanted = sets.demand[i, l]
    rule = f"demand of {i} at {l} cannot all be met: {amount:,.6g} good units are missing"
    more = ", or bring in more offers or capacity"
    yield _suggestion("demand", {"item": i, "site": l}, "quantity", wanted, _down(wanted - amount), rule, more)


def _minimum(m: Any, sets: Sets, amount: float, s: str, i: str) -> Iterator[Suggestion]:
    """An offer's minimum, the item's smallest share of its demand, or both."""
    least, rule = sets.least(s, i) - amount, f"the smallest award of {i} to {s} is too large by {amount:,.6g} units"
    minimum, share = sets.offers[s, i].minimum, sets.items[i].smallest_share
    if minimum > least:
        yield _suggestion("offers", {"supplier": s, "item": i}, "minimum", minimum, _down(least), rule)
    if share * sets.need[i] > least:
        yield _suggestion("items", {"item": i}, "smallest_share", share, _down(least / sets.need[i], 4), rule)


def _capacity(m: Any, sets: Sets, amount: float, s: str) -> Iterator[Suggestion]:
    capacity, rule = sets.capacity(s), f"the capacity of {s} is too small by {amount:,.6g} units"
    yield _suggestion("suppliers", {"supplier": s}, "capacity", capacity, _up(capacity + amount), rule)


def _minimum_spend(m: Any, sets: Sets, amount: float, s: str) -> Iterator[Suggestion]:
    least, rule = sets.suppliers[s].minimum_spend, f"the minimum spend of {s} is too large by {amount:,.6g}"
    yield _suggestion("suppliers", {"supplier": s}, "minimum_spend", least, _down(least - amount), rule)


def _count(side: str) -> Callable[..., Iterator[Suggestion]]:
    def suggestion(m: Any, sets: Sets, amount: float, i: str) -> Iterator[Suggestion]:
        table, key, source = ("items", {"item": i}, sets.items[i]) if i else ("options", {}, sets.options)
        number = int(getattr(source, f"{side}_suppliers"))
        change = math.ceil(amount - TOLERANCE) * (-1 if side == "min" else 1)
        rule = f"the {'fewest' if side == 'min' else 'most'} suppliers of {i or 'all items'} cannot be kept"
        yield _suggestion(table, key, f"{side}_suppliers", number, number + change, rule)

    return suggestion


def _share(
    table: str, key: tuple[str, ...], column: str, up: bool, source: Callable[[Sets, Any], float]
) -> Callable[..., Iterator[Suggestion]]:
    """On a share of an item; `who` ends with the item and gives the columns of `key` their values."""

    def suggestion(m: Any, sets: Sets, amount: float, *who: str) -> Iterator[Suggestion]:
        share, part = source(sets, who), amount / _whole(m, sets, who[-1])
        would_do = min(_up(share + part, 4), 1.0) if up else _down(share - part, 4)
        rule = f"{column} of {' for '.join(who)} is missed by {amount:,.6g} units"
        yield _suggestion(table, dict(zip(key, who, strict=False)), column, share, would_do, rule)

    return suggestion


def _required(m: Any, sets: Sets, amount: float, s: str, i: str) -> Iterator[Suggestion]:
    least = sets.required[s, i]
    rule = f"the required award of {i} to {s} is too large by {amount:,.6g} units"
    column, would_do = ("quantity", would) if (would := _down(least - amount)) else ("status", "exclude")
    yield _suggestion("pairs", {"supplier": s, "item": i}, column, least, would_do, rule)


def _cap(m: Any, sets: Sets, amount: float, n: int) -> Iterator[Suggestion]:
    cap = sets.caps[n]
    whole = sum(m.spend[s, cap.group].value for s in m.suppliers)
    would_do = min(_up(cap.max_share + amount / max(whole, TOLERANCE), 4), 1.0)
    where = f" in {cap.group}" if cap.group else ""
    rule = f"the cap of the {cap.kind} {cap.name}{where} is too low by {amount:,.6g} of spend"
    key = {"kind": cap.kind, "name": cap.name, "group": cap.group}
    yield _suggestion("caps", key, "max_share", cap.max_share, would_do, rule, every="name")


def _ceiling(m: Any, sets: Sets, amount: float, n: int) -> Iterator[Suggestion]:
    row = sets.ceilings[n]
    rule = f"the hard {row.kind} ceiling of {row.group or 'all items'} is too low by {amount:,.6g}"
    key, more = {"kind": row.kind, "group": row.group}, ", or make it soft (hard = false)"
    yield _suggestion("ceilings", key, "amount", row.amount, _up(row.amount + amount), rule, more)


def _survival(m: Any, sets: Sets, amount: float, kind: str, name: str, i: str) -> Iterator[Suggestion]:
    share = sets.items[i].survival_share
    rule = f"{i} does not survive the loss of the {kind} {name}: {amount:,.6g} good units are missing"
    would = _down(share - amount / sets.need[i], 4)
    column, would_do = ("survival_share", would) if would else ("survives", "none")
    yield _suggestion("items", {"item": i}, column, share, would_do, rule, ", or bring in more offers or capacity")


PAIR = ("supplier", "item")
SUGGESTIONS: dict[str, Callable[..., Iterator[Suggestion]]] = {
    "demand": _demand,
    "minimum": _minimum,
    "capacity": _capacity,
    "minimum spend": _minimum_spend,
    "min suppliers": _count("min"),
    "max suppliers": _count("max"),
    "min share": _share("shares", PAIR, "min_share", False, lambda sets, who: sets.shares[who].min_share),
    "max share": _share("shares", PAIR, "max_share", True, lambda sets, who: sets.shares[who].max_share),
    "required": _required,
    "local share": _share(
        "items", ("item",), "local_min_share", False, lambda sets, who: sets.items[who[0]].local_min_share
    ),
    "max loss": _share("current_awards", PAIR, "max_loss", True, lambda sets, who: sets.current[who].max_loss),
    "max change": _share("options", (), "max_change", True, lambda sets, who: sets.options.max_change or 0.0),
    "cap": _cap,
    "ceiling": _ceiling,
    "survival": _survival,
}


def _up(value: float, decimals: int = 2) -> float:
    """`value` rounded up: what is suggested must do."""
    return math.ceil(value * 10**decimals - 1e-5) / 10**decimals


def _down(value: float, decimals: int = 2) -> float:
    """`value` rounded down, at least 0."""
    return max(math.floor(value * 10**decimals + 1e-5) / 10**decimals, 0.0)
