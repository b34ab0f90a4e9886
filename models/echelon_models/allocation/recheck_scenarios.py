"""Third part of the recheck: what is lost in each scenario, what is done about it, and what that costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from echelon.book import Book, index_of
from echelon.tables import Frames
from echelon_models.allocation.recheck_awards import ARC, PAIR, number_of, sum_by


def check_scenarios(
    book: Book, full: Frames, options: Any, plan: Frames, flows: pd.DataFrame, awards: pd.DataFrame, planned: float
) -> dict[str, float]:
    """What the plan does in each scenario is possible and makes up for what is lost, and costs what it says. Returns
    the cost lines of risk: expected recourse, and what the objective adds to it."""
    names = pd.Index(full["scenarios"]["scenario"])
    actions = _actions(full, options, plan["recourse"])
    lost = _lost(full, flows)
    _check_actions(book, full, actions, awards, lost)
    told = plan["scenario_costs"].set_index("scenario")
    book.none(
        "one row a scenario, and no others",
        True,
        told.index[told.index.duplicated()].append(told.index.symmetric_difference(names)),
    )
    told = told[~told.index.duplicated()].reindex(names)
    cost = sum_by(actions, ["scenario"], "true_cost", names) - sum_by(lost, ["scenario"], "saved", names)
    probability = full["scenarios"].set_index("scenario")["probability"]
    book.equal("probability of scenarios", told["probability"], probability)
    book.equal("recourse cost of scenarios", told["recourse_cost"], cost, planned)
    book.equal("cost of scenarios", told["cost"], planned + cost)
    book.equal("lost units of scenarios", told["lost"], sum_by(lost, ["scenario"], "good", names))
    need = full["demand"]["quantity"].sum()
    for kind in ("extra", "emergency", "short"):
        good = sum_by(actions[actions["kind"] == kind], ["scenario"], "good", names)
        book.equal(f"{kind} units of scenarios", told[kind], good, need)
    short = sum_by(actions[actions["kind"] == "short"], ["scenario"], "good", names)
    book.equal("service of scenarios", told["service"], 1 - short / need if need else short + 1)
    order = told.sort_values("rank")
    book.at_most("scenarios are ranked by cost", order["cost"].diff().fillna(0.0), 0.0, planned)
    expected = float((probability * cost).sum())
    limit = np.inf if options.cost_limit is None else options.cost_limit
    book.at_most("cost limit", pd.Series([planned + expected], ["expected cost"]), limit)
    if not len(names):
        return {}
    risk = _risk(cost.to_numpy(), probability.to_numpy(), options)
    return {"expected recourse": expected, "risk": risk - expected}


def _risk(cost: np.ndarray, probability: np.ndarray, options: Any) -> float:
    """What the objective counts of the recourse costs; CVaR as the mean of the dearest 1 - level of the years."""
    expected = float(probability @ cost)
    if options.objective == "expected":
        return expected
    if options.objective == "worst":
        return float(cost.max())
    order, tail, left = np.argsort(-cost, kind="stable"), 0.0, 1 - options.cvar_level
    for n in order:
        taken = min(left, probability[n])
        tail, left = tail + taken * cost[n], left - taken
    cvar = (tail + left * cost.min()) / (1 - options.cvar_level)
    return float((1 - options.cvar_weight) * expected + options.cvar_weight * cvar)


def _lost(full: Frames, flows: pd.DataFrame) -> pd.DataFrame:
    """What each scenario takes away from the award: units, good units, and the money saved. Saved is the offer's lowest
    price (all breaks and rebates taken) and what is paid on delivery."""
    lowest = full["price_breaks"].groupby(PAIR)["price"].min()
    best = full["rebates"].groupby("supplier")["rate"].max()
    lines = flows.reset_index(drop=True)
    price = np.minimum(lines["price"], lowest.reindex(index_of(lines, PAIR)).fillna(np.inf).to_numpy())
    price = price * (1 - number_of(lines["supplier"], best).fillna(0.0))
    lines = lines.assign(unit_saved=price + _on_delivery(lines))
    gone = lines.merge(full["losses"], on="supplier")
    gone["units"] = gone["quantity"] * (1 - gone["capacity_left"])
    return gone.assign(saved=gone["units"] * gone["unit_saved"], good=gone["units"] * gone["yield_rate"])


def _on_delivery(lines: pd.DataFrame) -> pd.Series:
    """What a unit costs beyond its price if it is delivered: all but the safety stock."""
    parts = ["freight", "unit_duty", "unit_quality", "unit_lateness", "unit_carbon_cost"]
    return lines[parts].sum(axis=1)


def _actions(full: Frames, options: Any, recourse: pd.DataFrame) -> pd.DataFrame:
    """The plan's actions in scenarios with the good units they bring and what they truly cost."""
    items = full["items"].set_index("item")
    arcs = full["arcs"].set_index(ARC)
    ways = index_of(recourse, ARC)
    offers = full["offers"].set_index(PAIR).reindex(index_of(recourse, PAIR)).reset_index(drop=True)
    suppliers = full["suppliers"].set_index("supplier")
    lane = arcs[["freight", "duty_rate", "carbon"]].reindex(ways).reset_index(drop=True)
    carbon = (lane["carbon"] + offers["carbon"]) * options.carbon_price
    moving = lane["freight"] + lane["duty_rate"] * offers["price"] + carbon
    bad = (1 - offers["yield_rate"]) * number_of(recourse["item"], items["bad_unit_cost"])
    late = (1 - number_of(recourse["supplier"], suppliers["on_time"])) * number_of(
        recourse["item"], items["late_unit_cost"]
    )
    unit = (offers["price"] + moving + bad + late).where(recourse["kind"] == "extra")
    for kind, column in (("emergency", "emergency_price"), ("short", "shortage_cost")):
        unit = unit.where(recourse["kind"] != kind, number_of(recourse["item"], items[column]))
    rate = offers["yield_rate"].where(recourse["kind"] == "extra", 1.0)
    known = ways.isin(arcs.index[~(arcs["excluded"] | arcs["forbidden"])])
    return recourse.assign(true_cost=recourse["quantity"] * unit, good=recourse["quantity"] * rate, known=known)


def _check_actions(book: Book, full: Frames, actions: pd.DataFrame, awards: pd.DataFrame, lost: pd.DataFrame) -> None:
    """Extra deliveries come from awarded suppliers with capacity to spare; emergency buys keep their limit; together
    with what is missing they make up for what is lost."""
    where = index_of(actions, ["scenario", "kind", *ARC])
    book.equal("cost of recourse", actions["cost"], actions["true_cost"].fillna(np.inf))
    book.at_most("recourse is not negative", pd.Series(-actions["quantity"].to_numpy(), where), 0.0)
    extra = actions[actions["kind"] == "extra"]
    index = index_of(extra, ["scenario", *PAIR])
    book.none(
        "extra deliveries have an award and a lane",
        True,
        index[~(index_of(extra, PAIR).isin(awards.index) & extra["known"].to_numpy(dtype=bool))],
    )
    left = full["losses"].set_index(["scenario", "supplier"])["capacity_left"]
    places = ["scenario", "item", "site"]
    wanted = lost.groupby(places)["good"].sum()
    book.at_most("losses are made up for", wanted, sum_by(actions, places, "good", wanted.index))
    by_pair = extra.groupby(["scenario", *PAIR])["quantity"].sum()
    rest = pd.Series([left.get((w, s), 1.0) for w, s, _ in by_pair.index], by_pair.index, dtype=float)
    pairs = pd.MultiIndex.from_tuples([key[1:] for key in by_pair.index], names=PAIR)
    flow = pd.Series(awards["flow"].reindex(pairs).fillna(0.0).to_numpy(), by_pair.index)
    known = full["suppliers"].set_index("supplier", drop=False)
    capacity = pd.Series(full["offers"].set_index(PAIR)["capacity"].reindex(pairs).to_numpy(), by_pair.index)
    book.at_most(
        "extra deliveries within the capacity of offers",
        by_pair,
        rest * (capacity.fillna(np.inf) - flow),
        capacity.fillna(0.0),
    )
    flexibility = pd.Series(
        [known["flexibility"].get(s, np.nan) for _, s, _ in by_pair.index], by_pair.index, dtype=float
    )
    book.at_most("extra deliveries within flexibility", by_pair, (rest * flexibility * flow).fillna(np.inf), flow)
    by_supplier = extra.groupby(["scenario", "supplier"])["quantity"].sum()
    whole = awards.reset_index(drop=True).groupby("supplier")["flow"].sum()
    rest = pd.Series([left.get(key, 1.0) for key in by_supplier.index], by_supplier.index, dtype=float)
    spare = pd.Series(
        [known["capacity"].get(s, np.nan) - whole.get(s, 0.0) for _, s in by_supplier.index],
        by_supplier.index,
        dtype=float,
    )
    book.at_most(
        "extra deliveries within the capacity of suppliers",
        by_supplier,
        (rest * spare).fillna(np.inf),
        spare.abs().fillna(0.0),
    )
    bought = actions[actions["kind"] == "emergency"].groupby(["scenario", "item"])["quantity"].sum()
    limit = full["items"].set_index("item")["emergency_limit"].reindex(bought.index.get_level_values("item"))
    book.at_most("emergency limits", bought, pd.Series(limit.fillna(np.inf).to_numpy(), bought.index))
