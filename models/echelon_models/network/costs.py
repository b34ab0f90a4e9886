"""What a network costs: the objective of the model, and of the one that explains why there is none."""

from __future__ import annotations

from typing import Any

from echelon_models.network.sets import KG, Sets
from echelon_models.network.terms import flows, investment, returned


def total_cost(m: Any, sets: Sets) -> Any:
    """All costs of the network, money discounted to the start. The recheck recomputes each line of it from the
    tables."""
    factor, price = sets.factor, [sets.carbon_price(t) for t in sets.times]
    flow_cost = sum(
        factor[t] * (way.transport + way.duty + price[t] * way.emissions) * quantity
        for t, way, quantity in flows(m, sets)
    )
    return (
        flow_cost
        + sum(factor[t] * investment(m, sets, t) for t in sets.times)
        + sum(factor[t] * running_cost(m, sets, t) for t in sets.times)
        + sum(
            factor[t] * (sets.supply[s, p].cost + price[t] * sets.supply[s, p].emissions / KG) * m.supply[s, p, t]
            for s, p, t in m.supply
        )
        + sum(
            factor[t] * (sets.handling[s, p].cost + price[t] * sets.handling[s, p].emissions / KG) * m.through[s, p, t]
            for s, p, t in m.passing
        )
        + stock_cost(m, sets)
        + recovery_cost(m, sets)
        + sum(
            factor[t] * sets.customers[c].unserved_cost * sets.demand[c, p, t] * m.refused[c, p, t]
            for c, p, t in m.refused
        )
        + sum(factor[t] * row.excess_cost * m.budget_excess[t] for t, row in sets.budgets.items() if not row.hard)
        + sum(factor[k[3]] * row.excess_cost * m.service_excess[k] for k, row in sets.service.items() if not row.hard)
        + sum(factor[t] * sets.carbon[t].excess_cost * m.carbon_excess[t] for t in m.carbon_excess
              if not sets.carbon[t].hard)
    )  # fmt: skip


def running_cost(m: Any, sets: Sets, t: int) -> Any:
    """Sites and steps by their yearly cost, with the price of the sites' own emissions, money, not discounted."""
    years, price = sets.years[t], sets.carbon_price(t)
    return sum(
        years * (row.running_cost + price * row.emissions / KG) * m.open[s, t] for s, row in sets.sites.items()
    ) + sum(years * row.running_cost * m.step[s, k, t] for (s, k), row in sets.steps.items())


def stock_cost(m: Any, sets: Sets) -> Any:
    """Holding cycle stock (days of throughput) and safety stock (fixed + slope·yearly throughput on its piece)."""
    cycle = sum(
        sets.factor[t] * holding(sets, p) * sets.products[p].cycle_days / 365.0 * m.through[s, p, t]
        for s, p, t in m.passing
        if sets.sites[s].holds_stock
    )
    safety = sum(
        sets.factor[t]
        * holding(sets, p)
        * (sets.years[t] * piece.fixed * m.piece[s, p, t, n] + piece.slope * m.on_piece[s, p, t, n])
        for s, p, t, n in m.piece
        for piece in (sets.pieces[p][n],)
    )
    return cycle + safety


def holding(sets: Sets, p: str) -> float:
    """Cost of one unit in stock for a year, money."""
    return sets.products[p].value * sets.products[p].holding_rate


def recovery_cost(m: Any, sets: Sets) -> Any:
    """Recovering and disposing of returns."""
    taken = returned(m, sets)
    return sum(
        sets.factor[t]
        * (
            sets.recovery[s, p].disposal_cost * taken[s, p, t]
            + (sets.recovery[s, p].cost - sets.recovery[s, p].disposal_cost) * m.recovered[s, p, t]
        )
        for s, p, t in m.taking
    )


def limits_broken(m: Any, sets: Sets) -> Any:
    """How far hard limits are broken, in units of demand; demand itself weighs ten times, so that limits are eased
    before it is refused. A site too many or too few weighs as much as the demand of an average customer, money as much
    as all demand at the cost of all sites."""
    total = sum(sets.demand.values()) or 1.0
    site = total / max(len({k[0] for k in sets.demand}), 1)
    money = max(sum(row.running_cost + row.opening_cost for row in sets.sites.values()), 1.0)
    must = [k for k in m.refused if not sets.may_refuse(k[0])]
    return (
        10 * sum(sets.demand[k] * m.refused[k] for k in must)
        + 1e-6 * sum(sets.demand[k] * m.refused[k] for k in m.refused)
        + sum(m.service_excess[k] for k, row in sets.service.items() if row.hard)
        + site * sum(m.sites_amiss[k] for k in m.sites_amiss)
        + sum(sets.returned[k] * m.left_behind[k] for k in m.left_behind)
        + sum(sets.demand[k[1:]] * m.uncovered[k] for k in m.uncovered)
        + total / money * sum(m.budget_excess[t] for t, row in sets.budgets.items() if row.hard)
        + sum(m.carbon_excess[t] * total / max(sets.carbon[t].cap, 1.0) for t in m.carbon_excess if sets.carbon[t].hard)
    )
