"""What is done in a scenario for the deliveries that fail: others deliver more, emergency buys, shortage.

In scenario w a disrupted supplier delivers the part left[w, s] of its award; what is saved is the lowest price of what
does not come (so that no plan can earn by a failure) and all that is paid on delivery. Others deliver more within
their spare capacity at the price below any break; the rest is bought in an emergency or missing. Expected cost, worst
case and CVaR by the rows of Rockafellar & Uryasev (Journal of Risk 2, 2000).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pyomo.environ as pyo

from echelon_models.allocation.sets import Sets


def lost_arcs(sets: Sets, w: str) -> dict[tuple[str, str, str], float]:
    """The arcs whose supplier is disrupted in w, with the part of their quantity that does not come."""
    return {arc: 1 - sets.left[w, arc[0]] for arc in sets.arcs_near(w) if (w, arc[0]) in sets.left}


def all_scenarios(m: Any, sets: Sets) -> Any:
    """Recourse for every scenario in this model; returns the measure of their costs, money."""
    recourse(m, sets, sets.scenarios)
    return measure(m, sets, m.recourse_cost)


def decomposed_scenarios(m: Any, sets: Sets) -> Any:
    """What the objective counts of the recourse costs as one variable, risk, and where there is a cost limit their
    mean as another, expected: cuts (those of each apart) bound both from below; the first one says that a good unit
    that does not come costs at least what the cheapest other source does, less what is saved. Returns risk."""
    least = -max(largest_saving(sets, w) for w in sets.scenarios)
    m.risk = pyo.Var(bounds=(least, None))
    m.expected = pyo.Var(bounds=(least, None))
    first = sum(cost * m.quantity[arc] for arc, cost in cheapest_failures(sets).items())
    m.risk_cuts, m.mean_cuts = pyo.ConstraintList(), pyo.ConstraintList()
    m.risk_cuts.add(m.risk - first >= 0)
    m.cut_weights = [dict(sets.scenarios)]  # of the scenarios, in each of risk_cuts
    if sets.options.cost_limit is not None:
        m.mean_cuts.add(m.expected - first >= 0)
    limit_cost(m, sets, m.expected)
    return m.risk


def cheapest_failures(sets: Sets) -> dict[tuple[str, str, str], float]:
    """For each arc, the mean over the scenarios of what the failing part of a unit costs at least, money: the cheapest
    other source of a good unit, as if it had no limit, less what is saved."""
    total: dict[tuple[str, str, str], float] = defaultdict(float)
    for w, probability in sets.scenarios.items():
        lost = lost_arcs(sets, w)
        cheapest = {i: min(sets.items[i].emergency_price, sets.items[i].shortage_cost) for _, i, _ in lost}
        for arc in sets.arcs:
            if arc[1] in cheapest and sets.left.get((w, arc[0]), 1.0) > 0:
                source = paid(sets, arc) / sets.offers[arc[:2]].yield_rate
                cheapest[arc[1]] = min(cheapest[arc[1]], source)
        for arc, part in lost.items():
            again = sets.offers[arc[:2]].yield_rate * cheapest[arc[1]]
            total[arc] += probability * part * (again - saved(sets, arc))
    return total


def largest_saving(sets: Sets, w: str) -> float:
    """What the failures of w could save at most, money."""
    return sum(
        part * saved(sets, arc) * min(sets.most_at(*arc), sets.most(*arc[:2]))
        for arc, part in lost_arcs(sets, w).items()
    )


def saved(sets: Sets, arc: tuple[str, str, str]) -> float:
    """What is not paid for a unit that does not come, money."""
    return sets.lowest_price(*arc[:2]) + sets.arcs[arc].on_delivery


def paid(sets: Sets, arc: tuple[str, str, str]) -> float:
    """What a unit delivered beyond the award costs, money."""
    return sets.offers[arc[:2]].price + sets.arcs[arc].on_delivery


def recourse(m: Any, sets: Sets, scenarios: Iterable[str]) -> None:
    """extra[w, s, i, l] units beyond the award, emergency[w, i, l] and short[w, i, l] good units, for the items that w
    hits; recourse_cost[w], money. The model has the variables quantity and award."""
    scenarios = list(scenarios)
    lost = {w: lost_arcs(sets, w) for w in scenarios}
    places = [(w, i, l) for w in scenarios for i, l in dict.fromkeys((i, l) for _, i, l in lost[w])]
    at = set(places)
    more = [(w, *arc) for w in scenarios for arc in sets.arcs_near(w)
            if (w, *arc[1:]) in at and sets.left.get((w, arc[0]), 1.0) > 0]  # fmt: skip
    m.extra = pyo.Var(pyo.Set(initialize=more, dimen=4), domain=pyo.NonNegativeReals)
    m.emergency = pyo.Var(pyo.Set(initialize=places, dimen=3), domain=pyo.NonNegativeReals)
    m.short = pyo.Var(m.emergency.index_set(), domain=pyo.NonNegativeReals)
    losses_are_made_up(m, sets, lost)
    spare_of_pairs(m, sets)
    spare_of_suppliers(m, sets)
    emergency_limits(m, sets)
    terms: dict[str, list[Any]] = {w: [] for w in scenarios}
    for w in scenarios:
        terms[w] += [-part * saved(sets, arc) * m.quantity[arc] for arc, part in lost[w].items()]
    for w, s, i, l in more:
        terms[w].append(paid(sets, (s, i, l)) * m.extra[w, s, i, l])
    for w, i, l in places:
        terms[w].append(sets.items[i].emergency_price * m.emergency[w, i, l])
        terms[w].append(sets.items[i].shortage_cost * m.short[w, i, l])
    m.recourse_cost = pyo.Expression(scenarios, rule=lambda m, w: sum(terms[w]))


def losses_are_made_up(m: Any, sets: Sets, lost: dict[str, dict[tuple[str, str, str], float]]) -> None:
    """Σ_s yield·extra + emergency + short >= Σ_s yield·lost part·quantity (good units; for each w, i, l hit)."""
    missing, more = defaultdict(list), defaultdict(list)
    for w, arcs in lost.items():
        for (s, i, l), part in arcs.items():
            missing[w, i, l].append(part * sets.offers[s, i].yield_rate * m.quantity[s, i, l])
    for w, s, i, l in m.extra:
        more[w, i, l].append(sets.offers[s, i].yield_rate * m.extra[w, s, i, l])
    m.losses_are_made_up = pyo.Constraint(
        m.emergency.index_set(),
        rule=lambda m, *wil: sum(more[wil]) + m.emergency[wil] + m.short[wil] >= sum(missing[wil]),
    )


def spare_of_pairs(m: Any, sets: Sets) -> None:
    """Σ_l extra <= left·(most·award - Σ_l quantity), and <= left·flexibility·Σ_l quantity (units; for each w, s, i)."""
    extra = defaultdict(list)
    for w, s, i, l in m.extra:
        extra[w, s, i].append(m.extra[w, s, i, l])
    keys = pyo.Set(initialize=list(extra), dimen=3)

    def awarded(s: str, i: str) -> Any:
        return sum(m.quantity[s, i, l] for l in sets.sites_of[s, i])

    def spare(m: Any, w: str, s: str, i: str) -> Any:
        left = sets.left.get((w, s), 1.0)
        return sum(extra[w, s, i]) <= left * (sets.most(s, i) * m.award[s, i] - awarded(s, i))

    def flexible(m: Any, w: str, s: str, i: str) -> Any:
        flexibility = sets.suppliers[s].flexibility
        if flexibility != flexibility:
            return pyo.Constraint.Skip
        return sum(extra[w, s, i]) <= sets.left.get((w, s), 1.0) * flexibility * awarded(s, i)

    m.spare_of_pairs = pyo.Constraint(keys, rule=spare)
    m.flexibility = pyo.Constraint(keys, rule=flexible)


def spare_of_suppliers(m: Any, sets: Sets) -> None:
    """Σ_il extra <= left·spare, spare = capacity - Σ_il quantity (units; for each w, s with a capacity)."""
    extra, arcs = defaultdict(list), defaultdict(list)
    for w, s, i, l in m.extra:
        if sets.capacity(s) < math.inf:
            extra[w, s].append(m.extra[w, s, i, l])
    for arc in m.quantity:
        arcs[arc[0]].append(m.quantity[arc])
    m.spare = pyo.Var(pyo.Set(initialize=list(dict.fromkeys(s for _, s in extra))))
    m.spare_is = pyo.Constraint(m.spare.index_set(), rule=lambda m, s: m.spare[s] == sets.capacity(s) - sum(arcs[s]))
    m.spare_of_suppliers = pyo.Constraint(
        pyo.Set(initialize=list(extra), dimen=2),
        rule=lambda m, w, s: sum(extra[w, s]) <= sets.left.get((w, s), 1.0) * m.spare[s],
    )


def emergency_limits(m: Any, sets: Sets) -> None:
    """Σ_l emergency <= the item's emergency limit (good units; for each w, i hit with a limit)."""
    bought = defaultdict(list)
    for w, i, l in m.emergency:
        if sets.items[i].emergency_limit == sets.items[i].emergency_limit:
            bought[w, i].append(m.emergency[w, i, l])
    m.emergency_limit = pyo.Constraint(
        pyo.Set(initialize=list(bought), dimen=2),
        rule=lambda m, w, i: sum(bought[w, i]) <= sets.items[i].emergency_limit,
    )


def measure(m: Any, sets: Sets, cost: Any) -> Any:
    """What the objective counts of the scenarios' recourse costs, money (the plan's own cost is the same in all):

    expected Σ_w p·cost; worst max_w cost; mean_cvar (1 - weight)·expected + weight·CVaR, with CVaR the least of
    t + Σ_w p·max(cost - t, 0) / (1 - level) over t. With a cost limit, plan cost + expected <= it.
    """
    scenarios, options = sets.scenarios, sets.options
    if not scenarios:
        limit_cost(m, sets, 0.0)
        return 0.0
    expected = sum(p * cost[w] for w, p in scenarios.items())
    limit_cost(m, sets, expected)
    if options.objective == "expected":
        return expected
    names = pyo.Set(initialize=list(scenarios))
    m.threshold = pyo.Var()
    if options.objective == "worst":
        m.worst = pyo.Constraint(names, rule=lambda m, w: m.threshold >= cost[w])
        return m.threshold
    m.beyond = pyo.Var(names, domain=pyo.NonNegativeReals)
    m.tail = pyo.Constraint(names, rule=lambda m, w: m.beyond[w] >= cost[w] - m.threshold)
    cvar = m.threshold + sum(p * m.beyond[w] for w, p in scenarios.items()) / (1 - options.cvar_level)
    return (1 - options.cvar_weight) * expected + options.cvar_weight * cvar


def limit_cost(m: Any, sets: Sets, expected: Any) -> None:
    """plan cost + expected recourse cost <= cost limit (money)."""
    if sets.options.cost_limit is not None:
        m.cost_limit = pyo.Constraint(expr=m.plan_cost + expected <= sets.options.cost_limit)
