"""Supplier award as a mixed-integer program: which supplier gets which share of which item, for a year.

Decide the quantity of each item that each supplier delivers to each site so that goods, rebates, fixed costs, freight,
duty, quality, lateness, safety stock, carbon and, over scenarios of disruption, recourse together cost least. Source:
supplier selection with quantity discounts (Chaudhry, Forst & Zydiak, EJOR 70, 1993) as a fixed-charge transportation
problem; price breaks and rebates as multiple-choice ranges (Croxton, Gendron & Magnanti, Mgmt Sci 49, 2003).

Index letters: supplier s, item i, site l; see `sets.Sets` for the data and `recourse` for what happens in scenarios.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pyomo.environ as pyo

from echelon.solvers.handover import garbage_collector_paused
from echelon_models.allocation.recourse import all_scenarios, decomposed_scenarios
from echelon_models.allocation.sets import Sets, Step
from echelon_models.allocation.survival import survival


def build(sets: Sets, *, decomposed: bool = False, elastic: bool = False) -> pyo.ConcreteModel:
    """The model of a case. `decomposed`: a scenario is one variable, its cost, which cuts bound from below (see
    `benders`). `elastic`: every rule may be broken and the only aim is to break them least, which explains an
    infeasible case; scenarios are left out then."""
    with garbage_collector_paused():
        m = pyo.ConcreteModel()
        m.elastic = elastic
        award_variables(m, sets)
        slack_variables(m, sets)

        demand_is_met(m, sets)
        awards(m, sets)
        used_suppliers(m, sets)
        price_breaks(m, sets)
        rebates(m, sets)
        supplier_capacity(m, sets)
        minimum_spend(m, sets)
        number_of_suppliers(m, sets)
        supplier_shares(m, sets)
        required_pairs(m, sets)
        local_shares(m, sets)
        incumbents(m, sets)
        concentration_caps(m, sets)
        ceilings(m, sets)
        survival(m, sets)

        m.plan_cost = pyo.Expression(expr=plan_cost(m, sets))
        if elastic:
            m.total = pyo.Objective(expr=sum(m.slack[k] for k in m.slack))
        else:
            scenarios = decomposed_scenarios if decomposed else all_scenarios
            m.total = pyo.Objective(expr=m.plan_cost + scenarios(m, sets))
    return m


def award_variables(m: Any, sets: Sets) -> None:
    """quantity[s, i, l] units; award[s, i] = 1 if s may deliver i at all; used[s] = 1 if it has any award;
    price[s, i, k] = 1 if the quantity lies in price range k, price_quantity[s, i, k] then; the same for ranges of
    spend with tier[s, k] and tier_spend[s, k]."""
    m.arcs = pyo.Set(initialize=list(sets.arcs), dimen=3)
    m.pairs = pyo.Set(initialize=sets.pairs, dimen=2)
    m.suppliers = pyo.Set(initialize=[s for s in sets.suppliers if sets.items_of[s]])
    m.price_steps = {p: sets.price_steps(*p) for p in sets.pairs if p in sets.breaks}
    m.rebate_steps = {s: sets.rebate_steps(s) for s in m.suppliers if s in sets.rebates}
    m.prices = pyo.Set(initialize=[(*p, k) for p, ranges in m.price_steps.items() for k in range(len(ranges))], dimen=3)
    m.tiers = pyo.Set(initialize=[(s, k) for s, ranges in m.rebate_steps.items() for k in range(len(ranges))], dimen=2)

    m.quantity = pyo.Var(m.arcs, bounds=lambda m, s, i, l: (0, min(sets.most_at(s, i, l), sets.most(s, i))))
    m.award = pyo.Var(m.pairs, domain=pyo.Binary)
    m.used = pyo.Var(m.suppliers, domain=pyo.Binary)
    m.price = pyo.Var(m.prices, domain=pyo.Binary)
    m.price_quantity = pyo.Var(m.prices, domain=pyo.NonNegativeReals)
    m.tier = pyo.Var(m.tiers, domain=pyo.Binary)
    m.tier_spend = pyo.Var(m.tiers, domain=pyo.NonNegativeReals)


def slack_variables(m: Any, sets: Sets) -> None:
    """excess[n] over ceiling n, 0 where it is hard; slack[rule, who]: in the elastic model, by how much a rule is
    broken, each in a unit that makes it comparable with others."""
    m.ceilings = pyo.Set(initialize=range(len(sets.ceilings)))
    m.excess = pyo.Var(m.ceilings, bounds=lambda m, n: (0, 0 if sets.ceilings[n].hard else None))
    m.slack = pyo.Var(pyo.Any, domain=pyo.NonNegativeReals, dense=False)


def slack(m: Any, rule: str, *who: Any) -> Any:
    """How far this rule may be broken there: not at all, except in the elastic model."""
    return m.slack[(rule, *who)] if m.elastic else 0.0


def part_of(m: Any, sets: Sets, s: str, i: str) -> Any:
    """Units that a supplier gets of an item, all sites together."""
    return sum(m.quantity[s, i, l] for l in sets.sites_of.get((s, i), ()))


def whole_of(m: Any, sets: Sets, i: str) -> Any:
    """Units bought of an item from all suppliers."""
    return sum(part_of(m, sets, s, i) for s in sets.suppliers_of[i])


def goods(m: Any, sets: Sets, s: str, i: str) -> Any:
    """What the goods of a pair cost, money: price·quantity or, with price breaks, by range."""
    if (s, i) not in m.price_steps:
        return sets.offers[s, i].price * part_of(m, sets, s, i)
    ranges = m.price_steps[s, i]
    return sum(r.rate * m.price_quantity[s, i, k] + r.fixed * m.price[s, i, k] for k, r in enumerate(ranges))


def spend(m: Any, sets: Sets, s: str, group: str = "") -> Any:
    """What the goods of a supplier cost before rebates, money; of one group of items, if named."""
    return sum(goods(m, sets, s, i) for i in sets.items_of[s] if sets.in_group(i, group))


def demand_is_met(m: Any, sets: Sets) -> None:
    """Σ_s yield·quantity = demand (good units; for each i, l)."""
    suppliers: dict[tuple[str, str], list[str]] = defaultdict(list)
    for s, i, l in sets.arcs:
        suppliers[i, l].append(s)

    def rule(m: Any, i: str, l: str) -> Any:
        good = sum(sets.offers[s, i].yield_rate * m.quantity[s, i, l] for s in suppliers[i, l])
        return good + slack(m, "demand", i, l) == sets.demand[i, l]

    m.demand_is_met = pyo.Constraint(pyo.Set(initialize=list(sets.demand), dimen=2), rule=rule)


def awards(m: Any, sets: Sets) -> None:
    """least·award <= Σ_l quantity <= most·award (units; for each s, i), and quantity <= most_at·award on each arc."""

    def most(m: Any, s: str, i: str) -> Any:
        sites = sets.sites_of[s, i]
        bound = sum(sets.most_at(s, i, l) for l in sites)
        if len(sites) > 1 and sets.most(s, i) >= bound:
            return pyo.Constraint.Skip  # the rows of its arcs say as much
        return part_of(m, sets, s, i) <= sets.most(s, i) * m.award[s, i]

    def most_at(m: Any, s: str, i: str, l: str) -> Any:
        if len(sets.sites_of[s, i]) == 1:
            return pyo.Constraint.Skip
        return m.quantity[s, i, l] <= min(sets.most_at(s, i, l), sets.most(s, i)) * m.award[s, i]

    def least(m: Any, s: str, i: str) -> Any:
        if sets.least(s, i) <= 0:
            return pyo.Constraint.Skip
        return part_of(m, sets, s, i) + slack(m, "minimum", s, i) >= sets.least(s, i) * m.award[s, i]

    m.most = pyo.Constraint(m.pairs, rule=most)
    m.most_at = pyo.Constraint(m.arcs, rule=most_at)
    m.least = pyo.Constraint(m.pairs, rule=least)


def used_suppliers(m: Any, sets: Sets) -> None:
    """award <= used (for each s, i), used <= Σ_i award (for each s): a supplier is used if it has any award."""
    m.used_if_awarded = pyo.Constraint(m.pairs, rule=lambda m, s, i: m.award[s, i] <= m.used[s])
    m.awarded_if_used = pyo.Constraint(
        m.suppliers, rule=lambda m, s: m.used[s] <= sum(m.award[s, i] for i in sets.items_of[s])
    )


def price_breaks(m: Any, sets: Sets) -> None:
    """The quantity of a pair lies in one of its price ranges: low·price <= price_quantity <= high·price, summing to
    the award and the quantity (units; for each s, i with breaks)."""

    def step(key: Any) -> Step:
        return m.price_steps[key[:2]][key[2]]

    m.price_low = pyo.Constraint(
        [k for k in m.prices if step(k).low > 0], rule=lambda m, *k: m.price_quantity[k] >= step(k).low * m.price[k]
    )
    m.price_high = pyo.Constraint(m.prices, rule=lambda m, *k: m.price_quantity[k] <= step(k).high * m.price[k])
    broken = pyo.Set(initialize=list(m.price_steps), dimen=2)
    m.one_price = pyo.Constraint(
        broken, rule=lambda m, *p: sum(m.price[(*p, k)] for k in range(len(m.price_steps[p]))) == m.award[p]
    )
    m.prices_sum = pyo.Constraint(
        broken,
        rule=lambda m, *p: sum(m.price_quantity[(*p, k)] for k in range(len(m.price_steps[p]))) == part_of(m, sets, *p),
    )


def rebates(m: Any, sets: Sets) -> None:
    """A supplier's spend lies in one range of its rebates: low·tier <= tier_spend <= high·tier, summing to used and
    the spend (money; for each s with rebates)."""

    def step(key: Any) -> Step:
        return m.rebate_steps[key[0]][key[1]]

    m.tier_low = pyo.Constraint(
        [k for k in m.tiers if step(k).low > 0], rule=lambda m, *k: m.tier_spend[k] >= step(k).low * m.tier[k]
    )
    m.tier_high = pyo.Constraint(m.tiers, rule=lambda m, *k: m.tier_spend[k] <= step(k).high * m.tier[k])
    tiered = pyo.Set(initialize=list(m.rebate_steps))
    m.one_tier = pyo.Constraint(
        tiered, rule=lambda m, s: sum(m.tier[s, k] for k in range(len(m.rebate_steps[s]))) == m.used[s]
    )
    m.tiers_sum = pyo.Constraint(
        tiered,
        rule=lambda m, s: sum(m.tier_spend[s, k] for k in range(len(m.rebate_steps[s]))) == spend(m, sets, s),
    )
    m.rebate_cuts = pyo.ConstraintList()  # none yet: see `rebate_cuts`


def supplier_capacity(m: Any, sets: Sets) -> None:
    """Σ_i quantity <= capacity·used (units; for each s with a capacity)."""
    limited = [s for s in m.suppliers if sets.capacity(s) < math.inf]
    m.supplier_capacity = pyo.Constraint(
        pyo.Set(initialize=limited),
        rule=lambda m, s: (
            sum(part_of(m, sets, s, i) for i in sets.items_of[s]) - slack(m, "capacity", s)
            <= sets.capacity(s) * m.used[s]
        ),
    )


def minimum_spend(m: Any, sets: Sets) -> None:
    """spend >= minimum spend·used (money; for each s that asks for one)."""
    asking = [s for s in m.suppliers if sets.suppliers[s].minimum_spend > 0]
    m.minimum_spend = pyo.Constraint(
        pyo.Set(initialize=asking),
        rule=lambda m, s: (
            spend(m, sets, s) + slack(m, "minimum spend", s) >= sets.suppliers[s].minimum_spend * m.used[s]
        ),
    )


def number_of_suppliers(m: Any, sets: Sets) -> None:
    """min suppliers <= Σ_s award <= max suppliers (for each i), and the same in total with used."""
    few = [i for i in sets.suppliers_of if sets.items[i].min_suppliers > 0]
    many = [i for i in sets.suppliers_of if sets.items[i].max_suppliers == sets.items[i].max_suppliers]

    def count(m: Any, i: str) -> Any:
        return sum(m.award[s, i] for s in sets.suppliers_of[i])

    m.min_suppliers = pyo.Constraint(
        pyo.Set(initialize=few),
        rule=lambda m, i: count(m, i) + slack(m, "min suppliers", i) >= sets.items[i].min_suppliers,
    )
    m.max_suppliers = pyo.Constraint(
        pyo.Set(initialize=many),
        rule=lambda m, i: count(m, i) - slack(m, "max suppliers", i) <= sets.items[i].max_suppliers,
    )
    active, options = sum(m.used[s] for s in m.suppliers), sets.options
    if options.min_suppliers > 0:
        m.fewest_in_all = pyo.Constraint(expr=active + slack(m, "min suppliers", "") >= options.min_suppliers)
    if options.max_suppliers is not None:
        m.most_in_all = pyo.Constraint(expr=active - slack(m, "max suppliers", "") <= options.max_suppliers)


def supplier_shares(m: Any, sets: Sets) -> None:
    """min share·whole <= a supplier's part <= max share·whole of an item (units; for each s, i)."""
    keys = pyo.Set(initialize=[p for p in sets.shares if sets.suppliers_of[p[1]]], dimen=2)

    def at_least(m: Any, s: str, i: str) -> Any:
        share = sets.shares[s, i].min_share
        part = part_of(m, sets, s, i) + slack(m, "min share", s, i)
        return part >= share * whole_of(m, sets, i) if share > 0 else pyo.Constraint.Skip

    def at_most(m: Any, s: str, i: str) -> Any:
        share = sets.shares[s, i].max_share
        part = part_of(m, sets, s, i) - slack(m, "max share", s, i)
        return part <= share * whole_of(m, sets, i) if share < 1 and (s, i) in sets.sites_of else pyo.Constraint.Skip

    m.min_share = pyo.Constraint(keys, rule=at_least)
    m.max_share = pyo.Constraint(keys, rule=at_most)


def required_pairs(m: Any, sets: Sets) -> None:
    """Σ_l quantity >= the required quantity (units; for each required s, i)."""
    m.required = pyo.Constraint(
        pyo.Set(initialize=list(sets.required), dimen=2),
        rule=lambda m, s, i: part_of(m, sets, s, i) + slack(m, "required", s, i) >= sets.required[s, i],
    )


def local_shares(m: Any, sets: Sets) -> None:
    """Quantity from suppliers of the site's own region >= local share·whole (units; for each i with one)."""
    local: dict[str, list[Any]] = defaultdict(list)
    for arc, terms in sets.arcs.items():
        if terms.local:
            local[arc[1]].append(arc)
    asking = [i for i in sets.need if sets.items[i].local_min_share > 0]
    m.local_share = pyo.Constraint(
        pyo.Set(initialize=asking),
        rule=lambda m, i: (
            sum(m.quantity[arc] for arc in local[i]) + slack(m, "local share", i)
            >= sets.items[i].local_min_share * whole_of(m, sets, i)
        ),
    )


def incumbents(m: Any, sets: Sets) -> None:
    """Part >= (today's share - max loss)·whole (units; for each s, i of current_awards with one), and
    Σ_s moved <= max change·whole with moved >= today's share·whole - part (units; for each i)."""
    current: dict[str, list[str]] = defaultdict(list)
    for s, i in sets.current:
        if sets.suppliers_of[i]:
            current[i].append(s)

    def kept(m: Any, s: str, i: str) -> Any:
        row = sets.current[s, i]
        least = row.share - row.max_loss
        if not least > 0:  # also where max_loss is blank
            return pyo.Constraint.Skip
        return part_of(m, sets, s, i) + slack(m, "max loss", s, i) >= least * whole_of(m, sets, i)

    keys = pyo.Set(initialize=[(s, i) for i, suppliers in current.items() for s in suppliers], dimen=2)
    m.incumbent = pyo.Constraint(keys, rule=kept)
    if sets.options.max_change is not None:
        limit = sets.options.max_change
        m.moved = pyo.Var(keys, domain=pyo.NonNegativeReals)
        m.moved_away = pyo.Constraint(
            keys,
            rule=lambda m, s, i: (
                m.moved[s, i] >= sets.current[s, i].share * whole_of(m, sets, i) - part_of(m, sets, s, i)
            ),
        )
        m.max_change = pyo.Constraint(
            pyo.Set(initialize=list(current)),
            rule=lambda m, i: (
                sum(m.moved[s, i] for s in current[i]) - slack(m, "max change", i) <= limit * whole_of(m, sets, i)
            ),
        )


def concentration_caps(m: Any, sets: Sets) -> None:
    """Spend with a supplier, parent or region <= max share·all spend (money; for each cap, within its group)."""
    members = defaultdict(list)
    for s in m.suppliers:
        for kind in ("supplier", "parent", "region"):
            members[kind, sets.member(s, kind)].append(s)
    binding = [n for n, cap in enumerate(sets.caps) if cap.max_share < 1 and members[cap.kind, cap.name]]
    groups = sorted({sets.caps[n].group for n in binding})
    m.spend = pyo.Var(m.suppliers, groups, domain=pyo.NonNegativeReals)
    m.spend_is = pyo.Constraint(
        m.suppliers, groups, rule=lambda m, s, group: m.spend[s, group] == spend(m, sets, s, group)
    )

    def rule(m: Any, n: int) -> Any:
        cap = sets.caps[n]
        part = sum(m.spend[s, cap.group] for s in members[cap.kind, cap.name])
        whole = sum(m.spend[s, cap.group] for s in m.suppliers)
        return part - slack(m, "cap", n) <= cap.max_share * whole

    m.cap = pyo.Constraint(pyo.Set(initialize=binding), rule=rule)


def ceilings(m: Any, sets: Sets) -> None:
    """Goods, freight and duty (money), or emissions (kg), of a group of items <= amount + excess (for each ceiling)."""

    def use(m: Any, kind: str, group: str) -> Any:
        arcs = [arc for arc in sets.arcs if sets.in_group(arc[1], group)]
        if kind == "carbon":
            return sum(sets.arcs[arc].carbon * m.quantity[arc] for arc in arcs)
        moving = sum((sets.arcs[arc].freight + sets.arcs[arc].duty) * m.quantity[arc] for arc in arcs)
        return sum(spend(m, sets, s, group) for s in m.suppliers) + moving

    def rule(m: Any, n: int) -> Any:
        ceiling = sets.ceilings[n]
        total = use(m, ceiling.kind, ceiling.group)
        hard = slack(m, "ceiling", n) if ceiling.hard else 0.0
        return total - m.excess[n] - hard <= ceiling.amount

    m.ceiling = pyo.Constraint(m.ceilings, rule=rule)


def plan_cost(m: Any, sets: Sets) -> Any:
    """All costs of the year as planned, money. The recheck recomputes each line of it from the tables."""
    return (
        sum(goods(m, sets, s, i) for s, i in m.pairs)
        + sum(
            r.rate * m.tier_spend[s, k] + r.fixed * m.tier[s, k]
            for s, ranges in m.rebate_steps.items()
            for k, r in enumerate(ranges)
        )
        + sum(sets.suppliers[s].activation_cost * m.used[s] for s in m.suppliers)
        + sum(sets.offers[s, i].award_cost * m.award[s, i] for s, i in m.pairs)
        + sum((t.on_delivery + t.inventory) * m.quantity[arc] for arc, t in sets.arcs.items())
        + sum(row.excess_cost * m.excess[n] for n, row in enumerate(sets.ceilings) if not row.hard)
    )
