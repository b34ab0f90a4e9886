"""Recompute a network from the tables alone: every rule, every cost line. Plain arithmetic on frames.

It shares no code with the formulation: which sites the plan says are open, with how many steps, and what it says flows
where is taken at its word, everything else is derived again, and what the plan says about the rest must agree.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

from echelon.book import Book, index_of
from echelon.family import Recheck
from echelon.tables import Frames
from echelon_models.network.recheck_flows import (
    check_demand,
    check_returns,
    check_site_limits,
    check_sourcing,
    check_states,
    true_flows,
    true_goods,
    true_states,
)
from echelon_models.network.recheck_limits import (
    check_backup,
    check_limits,
    check_profile,
    site_resources,
    uses_of_limits,
)

PARTS = ["supply", "sites", "inventory", "transport", "carbon"]


def recheck(full: Frames, options: Any, plan: Frames) -> Recheck:
    """The network's costs line by line, and the rules it breaks."""
    book = Book()
    position = full["periods"].set_index("period")["t"]
    timed = {
        name: frame.assign(t=position.reindex(frame["period"]).to_numpy())
        for name, frame in plan.items()
        if "period" in frame
    }
    states = true_states(book, full, timed["sites"])
    flows = true_flows(book, full, timed["flows"], states)
    goods = true_goods(book, full, timed, flows, states)
    check_states(book, full, timed["sites"], states, goods)
    check_site_limits(book, full, states)
    served = check_demand(book, full, timed["served"], flows)
    check_sourcing(book, full, flows)
    check_returns(book, full, timed["recovered"], flows, states)
    if options.backup_cover > 0:
        check_backup(book, full, options, timed, flows, states, goods)
    uses = uses_of_limits(full, states, flows, goods, served)
    resources = site_resources(full, states, goods, timed["recovered"])
    excess = check_limits(book, full, timed["limits"], uses, resources)
    check_profile(book, full, options, timed["service"], flows, served)
    costs = _costs(full, states, flows, goods, timed, served, excess)
    _check_cost_to_serve(book, full, timed["cost_to_serve"], flows, costs)
    discounted = {name: float(line.sum()) for name, line in costs.items()}
    _check_comparison(book, plan["comparison"], discounted)
    return Recheck(discounted, len(book.rules), tuple(book.violations))


def _costs(
    full: Frames, states: pd.DataFrame, flows: pd.DataFrame, goods: pd.DataFrame, timed: Frames,
    served: pd.DataFrame, excess: dict[str, pd.Series],
) -> dict[str, pd.Series]:  # fmt: skip
    """Every cost line row by row, discounted money; they add up to the objective."""
    factor = full["periods"].set_index("t")["factor"]
    price = full["carbon"].set_index("t")["price"]

    def discounted(frame: pd.DataFrame, amount: pd.Series) -> pd.Series:
        return (amount * frame["t"].map(factor).astype(float)).set_axis(frame["t"])

    def priced(frame: pd.DataFrame, column: str) -> pd.Series:
        return discounted(frame, frame[column] * frame["t"].map(price).astype(float).fillna(0.0))

    recovered = timed["recovered"].merge(full["recovery"], on=["site", "product"], how="left", suffixes=("", "_unit"))
    refused = (served["demand"] - served["served"]).clip(lower=0.0) * served["unserved_cost"].fillna(0.0)
    running = states["years"] * (states["open"] * states["running_cost"] + states["step_running"])
    return {
        "opening": discounted(states, states["opened"] * states["opening_cost"]),
        "closing": discounted(states, states["closed"] * states["closing_cost"]),
        "capacity steps": discounted(states, states["step_cost"]),
        "running": discounted(states, running),
        "supply": discounted(goods, goods["supply"]),
        "handling": discounted(goods, goods["handling"]),
        "transport": discounted(flows, flows["transport"]),
        "duties": discounted(flows, flows["tariff"]),
        "inventory": discounted(goods, goods["inventory"]),
        "recovery": discounted(recovered, recovered["recovered"] * recovered["cost_unit"]),
        "disposal": discounted(recovered, recovered["disposed"] * recovered["disposal_cost"]),
        "carbon": pd.concat([priced(flows, "carbon"), priced(goods, "emissions"), priced(states, "own_emissions")]),
        "demand not served": discounted(served, refused),
        **excess,
    }


def _check_cost_to_serve(
    book: Book, full: Frames, said: pd.DataFrame, flows: pd.DataFrame, costs: dict[str, pd.Series]
) -> None:
    """The cost to serve lays all costs of a period, other than those of what is not done, on those who are served."""
    key = ["group", "t"]
    names = index_of(said, key)
    book.once("one row of cost to serve", said, key)
    of = flows[flows["kind"] == "delivery"]
    group = of["destination"].map(full["customers"].set_index("customer")["group"])
    truth = of["quantity"].groupby([group.rename("group"), of["t"]]).sum()
    index = truth.index.union(names)
    told = said.drop_duplicates(key).set_index(key)
    book.equal("served at a cost", told["served"].reindex(index).fillna(0.0), truth.reindex(index).fillna(0.0))
    book.equal("the parts of the cost to serve", said[PARTS].sum(axis=1).set_axis(names), said["cost"])
    book.equal("cost by unit", (said["cost_per_unit"] * said["served"]).set_axis(names), said["cost"])
    parts = {
        "supply": ("supply", "recovery", "disposal"),
        "sites": ("opening", "closing", "capacity steps", "running", "handling"),
        "inventory": ("inventory",),
        "transport": ("transport", "duties"),
        "carbon": ("carbon",),
    }
    factor = full["periods"].set_index("t")["factor"]
    times = sorted(set(said["t"]))
    for part, lines in parts.items():
        laid = said.groupby("t")[part].sum().reindex(times).fillna(0.0)
        amounts = pd.concat([costs[line] for line in lines])
        true = amounts.groupby(level=0).sum().reindex(times).fillna(0.0) / factor.reindex(times)
        book.equal(f"cost to serve lays all {part} on those served", laid, true)


def _check_comparison(book: Book, said: pd.DataFrame, costs: dict[str, float]) -> None:
    """What the comparison says of the plan is the plan."""
    book.once("one row a network and figure", said, ["network", "figure"])
    of_plan = said[(said["network"] == "plan") & (said["unit"] == "money")].set_index("figure")["value"]
    truth = pd.Series({**costs, "total": sum(costs.values())}, dtype=float)
    book.equal("the comparison tells the plan's costs", of_plan, truth.reindex(of_plan.index))
