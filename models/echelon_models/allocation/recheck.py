"""Recompute an award from the tables alone: every rule, every cost line. Plain arithmetic on frames.

It shares no code with the formulation: the quantities that the plan awards, who it holds qualified, and what it would
do in each scenario are taken at their word; everything else is derived again, and what the plan says of it must agree.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book, index_of
from echelon.family import Recheck
from echelon.tables import Frames
from echelon_models.allocation.recheck_awards import (
    ARC,
    PAIR,
    check_awards,
    check_caps,
    check_flows,
    check_shares,
    check_suppliers,
    true_awards,
    true_flows,
    true_suppliers,
)
from echelon_models.allocation.recheck_limits import check_limits, check_survival
from echelon_models.allocation.recheck_scenarios import check_scenarios

ONCE = (  # tables whose rows must have different keys, and the rule's name
    ("flows", ARC, "one flow an arc"),
    ("awards", PAIR, "one award a pair"),
    ("supplier_awards", ["supplier"], "one row a supplier"),
)


def recheck(full: Frames, options: Any, plan: Frames) -> Recheck:
    """The plan's costs line by line, and the rules it breaks."""
    book = Book()
    plan = dict(plan)
    for table, key, rule in ONCE:
        plan[table] = book.once(rule, plan[table], key)
    flows = true_flows(full, options, plan)
    awards = true_awards(full, plan, flows)
    suppliers = true_suppliers(full, plan, awards)
    check_flows(book, full, plan, flows)
    check_awards(book, full, options, plan, awards, flows)
    check_shares(book, full, options, awards, flows)
    check_suppliers(book, full, options, plan, suppliers, awards)
    check_caps(book, full, awards)
    excess = check_limits(book, full, plan, flows, awards, suppliers)
    check_survival(book, full, plan, awards)
    costs = _costs(awards, suppliers, flows, excess)
    planned = sum(costs.values())
    costs |= check_scenarios(book, full, options, plan, flows, awards, planned)
    _check_told(book, full, options, plan, awards, flows, suppliers, sum(costs.values()))
    return Recheck(costs, len(book.rules), tuple(book.violations))


def _costs(
    awards: pd.DataFrame, suppliers: pd.DataFrame, flows: pd.DataFrame, excess: dict[str, float]
) -> dict[str, float]:
    """Every cost line of the plan itself, money."""

    def over_flows(unit: str) -> float:
        return float((flows["quantity"] * flows[unit]).sum())

    return {
        "goods": float(awards["true_spend"].sum()),
        "rebates": -float(suppliers["true_rebate"].sum()),
        "activation": float(suppliers["activation_cost_own"].sum()),
        "awards": float(awards["award_cost_offer"].sum()),
        "freight": over_flows("freight"),
        "duty": over_flows("unit_duty"),
        "quality": over_flows("unit_quality"),
        "lateness": over_flows("unit_lateness"),
        "safety stock": over_flows("unit_inventory"),
        "carbon": over_flows("unit_carbon_cost"),
        **excess,
    }


def _check_told(
    book: Book, full: Frames, options: Any, plan: Frames, awards: pd.DataFrame, flows: pd.DataFrame,
    suppliers: pd.DataFrame, objective: float,
) -> None:  # fmt: skip
    """What the plan says about concentration, rules' prices, and what it hands on to ordering."""
    _check_concentration(book, full, plan["concentration"], awards)
    rules = plan["rule_prices"].set_index("rule")
    book.equal("savings are told truly", rules["saving"], objective - rules["cost_without"], abs(objective))
    targets = plan["renegotiation"].set_index(index_of(plan["renegotiation"], PAIR))
    book.none("offers that lose have no quantity", True, targets.index.intersection(awards.index[awards["flow"] > 0]))
    shares = plan["shares"].set_index(index_of(plan["shares"], PAIR))
    given = awards[awards["flow"] > 0]
    book.none("shares for ordering cover the awards", True, shares.index.symmetric_difference(given.index))
    true = given["share"].reindex(shares.index)
    book.equal("smallest shares for ordering", shares["min_share"], (true - options.share_tolerance).clip(lower=0.0))
    book.equal("largest shares for ordering", shares["max_share"], (true + options.share_tolerance).clip(upper=1.0))
    offers = plan["offers"].set_index(index_of(plan["offers"], ARC))
    book.none("offers for ordering cover the flows", True, offers.index.symmetric_difference(flows.index))
    line = flows.reindex(offers.index)
    pairs = pd.MultiIndex.from_frame(plan["offers"][PAIR])
    price = (awards["true_spend"] / awards["flow"]).reindex(pairs).to_numpy()
    back = (
        (suppliers["true_rebate"] / suppliers["true_spend"]).fillna(0.0).reindex(plan["offers"]["supplier"]).to_numpy()
    )
    landed = (price * (1 - back) + line["freight"] + line["unit_duty"]) / line["yield_rate"]
    book.equal("prices for ordering", offers["price"], landed)
    periods = np.ceil(line["lead_time"] / options.period_days - 1e-9)
    book.equal("lead times for ordering", offers["lead_time"].astype(float), periods)


def _check_concentration(book: Book, full: Frames, told: pd.DataFrame, awards: pd.DataFrame) -> None:
    """Spend, HHI and the largest of all spend, of groups, of regions."""
    known = full["suppliers"].set_index("supplier", drop=False)
    lines = awards[awards["true_spend"] > 0].reset_index(drop=True)
    lines = lines.assign(
        all="", parent=lines["supplier"].map(known["parent"]), region=lines["supplier"].map(known["region"])
    )
    true = {}
    for scope in ("all", "group", "region"):
        for across in {"supplier", "parent", "region"} - {scope}:
            for name, part in lines.groupby(scope):
                if (scope == "all" or name) and (part[across] != "").any():
                    by = part.groupby(across)["true_spend"].sum()
                    share = by / by.sum()
                    true[scope, name, across] = (by.sum(), (share**2).sum(), share.max(), share)
    index = (
        pd.MultiIndex.from_tuples(list(true), names=["scope", "name", "across"])
        if true
        else index_of(told, ["scope", "name", "across"])[:0]
    )
    said = told.set_index(index_of(told, ["scope", "name", "across"]))
    book.none("concentration of what there is", True, said.index.symmetric_difference(index))
    said = said[said.index.isin(index)]
    for n, column in enumerate(("spend", "hhi", "largest_share")):
        expected = pd.Series([true[key][n] for key in said.index], said.index, dtype=float)
        book.equal(f"{column} of concentration", said[column], expected)
    named = pd.Series([true[key][3].get(who, 0.0) for key, who in said["largest"].items()], said.index, dtype=float)
    book.equal("the largest of concentration", named, said["largest_share"])
