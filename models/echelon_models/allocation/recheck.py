"""Recompute an award from the tables alone: every rule, every cost line. Plain arithmetic on frames.

It shares no code with the formulation: the quantities that the plan awards, who it holds qualified, and what it would
do in each scenario are taken at their word; everything else is derived again, and what the plan says of it must agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from echelon.errors import Violation
from echelon.family import Recheck
from echelon.tables import Frames

TOLERANCE = 1e-5  # absolute, plus 1e-6 of the size compared
PAIR = ["supplier", "item"]
ARC = ["supplier", "item", "site"]
ONCE = (  # tables whose rows must have different keys, and the rule's name
    ("flows", ARC, "one flow an arc"),
    ("awards", PAIR, "one award a pair"),
    ("supplier_awards", ["supplier"], "one row a supplier"),
)


class _Book:
    """Collects violations and counts the rules looked at."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.rules = 0

    def at_most(self, rule: str, left: pd.Series, right: Any, scale: Any = 0.0) -> None:
        """Every element of `left` is at most `right`, to a tolerance that also grows with `scale`."""
        self.rules += 1
        if left.empty:
            return
        left = left.astype(float)
        right = right.astype(float) if isinstance(right, pd.Series) else pd.Series(float(right), index=left.index)
        over = left - right
        allowed = TOLERANCE + 1e-6 * np.maximum(np.maximum(left.abs(), right.abs()), scale)
        for where, amount in over[~(over <= allowed)].items():
            name = ", ".join(map(str, where)) if isinstance(where, tuple) else str(where)
            self.violations.append(Violation(rule, name, float(amount)))

    def equal(self, rule: str, left: pd.Series, right: Any, scale: Any = 0.0) -> None:
        right = right if isinstance(right, pd.Series) else pd.Series(right, index=left.index)
        size = np.maximum(np.maximum(left.abs(), right.abs()), scale)
        self.at_most(rule, (left - right).abs(), 0.0, size)

    def none(self, rule: str, where: Any) -> None:
        """Nothing may be in `where`, an index of offenders."""
        self.at_most(rule, pd.Series(1.0, index=where), 0.0)

    def same(self, rule: str, left: pd.Series, right: Any) -> None:
        """Every element of `left` is that of `right`."""
        right = pd.Series(np.asarray(right), left.index)
        self.at_most(rule, (left != right).astype(float), 0.0)


def recheck(full: Frames, options: Any, plan: Frames) -> Recheck:
    """The plan's costs line by line, and the rules it breaks."""
    book = _Book()
    plan = dict(plan)
    for table, key, rule in ONCE:
        twice = _keys(plan[table], key).duplicated()
        book.none(rule, _keys(plan[table], key)[twice])
        plan[table] = plan[table][~twice]
    flows = _flows(full, options, plan)
    awards = _awards(full, plan, flows)
    suppliers = _suppliers(full, plan, awards)
    _check_flows(book, full, plan, flows)
    _check_awards(book, full, options, plan, awards, flows)
    _check_shares(book, full, options, awards, flows)
    _check_suppliers(book, full, options, plan, suppliers, awards)
    _check_caps(book, full, awards)
    excess = _check_limits(book, full, plan, flows, awards, suppliers)
    _check_survival(book, full, plan, awards)
    costs = _costs(awards, suppliers, flows, excess)
    planned = sum(costs.values())
    costs |= _check_scenarios(book, full, options, plan, flows, awards, planned)
    _check_told(book, full, options, plan, awards, flows, suppliers, sum(costs.values()))
    return Recheck(costs, book.rules, tuple(book.violations))


def _keys(frame: pd.DataFrame, columns: list[str]) -> pd.Index:
    return pd.MultiIndex.from_frame(frame[columns], names=[None] * len(columns))  # no names: they are columns too


def _sum(frame: pd.DataFrame, key: list[str], value: str, index: pd.Index) -> pd.Series:
    """`value` added up by key, 0 where there is none."""
    if frame.empty:
        return pd.Series(0.0, index=index)
    return frame.groupby(key if len(key) > 1 else key[0])[value].sum().reindex(index).fillna(0.0)


def _number(names: pd.Series, of: pd.Series) -> pd.Series:
    """The number that belongs to each name; NaN where there is none."""
    return pd.Series(of.reindex(names).to_numpy(dtype=float), names.index)


def _flows(full: Frames, options: Any, plan: Frames) -> pd.DataFrame:
    """The plan's flows with the terms of their arcs and what a unit truly costs beyond the goods."""
    flows = plan["flows"][[*ARC, "quantity"]].merge(full["arcs"], on=ARC, how="left", indicator="known")
    items, suppliers = full["items"].set_index("item"), full["suppliers"].set_index("supplier")
    offers = full["offers"].set_index(PAIR).reindex(_keys(flows, PAIR)).reset_index(drop=True)
    demand = full["demand"].set_index(["item", "site"]).reindex(_keys(flows, ["item", "site"])).reset_index(drop=True)
    daily = demand["quantity"] / 365.0
    z = max(NormalDist().inv_cdf(options.service_level), 0.0)
    stock = z * np.sqrt(flows["lead_time"] * demand["deviation"] ** 2 + daily**2 * flows["lead_time_deviation"] ** 2)
    worth = _number(flows["item"], items["value"]) * _number(flows["item"], items["holding_rate"])
    carbon = offers["carbon"] + flows["carbon"]
    late = 1 - _number(flows["supplier"], suppliers["on_time"])
    return flows.assign(
        price=offers["price"],
        yield_rate=offers["yield_rate"],
        good=flows["quantity"] * offers["yield_rate"],
        unit_duty=flows["duty_rate"] * offers["price"],
        unit_quality=(1 - offers["yield_rate"]) * _number(flows["item"], items["bad_unit_cost"]),
        unit_lateness=late * _number(flows["item"], items["late_unit_cost"]),
        unit_inventory=worth * stock * offers["yield_rate"] / demand["quantity"],
        unit_carbon=carbon,
        unit_carbon_cost=carbon * options.carbon_price,
    ).set_index(_keys(flows, ARC))


def _awards(full: Frames, plan: Frames, flows: pd.DataFrame) -> pd.DataFrame:
    """The plan's awards with their offers' terms, what flows, and what the goods truly cost."""
    awards = plan["awards"].merge(full["offers"], on=PAIR, how="left", suffixes=("", "_offer"), indicator="known")
    index = _keys(awards, PAIR)
    awards = awards.set_index(index)
    awards["flow"] = _sum(flows.reset_index(drop=True), PAIR, "quantity", index)
    awards["true_spend"] = _amounts(awards, full["price_breaks"])
    need = full["demand"].groupby("item")["quantity"].sum()
    items = full["items"].set_index("item")
    awards["need"] = _number(awards["item"], need).fillna(0.0)
    awards["smallest"] = _number(awards["item"], items["smallest_share"]) * awards["need"]
    awards["group"] = awards["item"].map(items["group"])
    return awards


def _amounts(awards: pd.DataFrame, breaks: pd.DataFrame) -> np.ndarray:
    """Price of the goods of each award: all_units takes the price of the highest break reached for the whole award;
    incremental adds for each break reached the price step on the units beyond it."""
    amounts = (awards["flow"] * awards["price"]).to_numpy(dtype=float, copy=True)
    by_offer = {key: group.sort_values("from_quantity") for key, group in breaks.groupby(PAIR)}
    for n, line in enumerate(awards.itertuples(index=False)):
        below = line.price
        for term in by_offer.get((line.supplier, line.item), breaks.iloc[:0]).itertuples():
            if line.flow < term.from_quantity * (1 - 1e-9) - 1e-6:
                break
            if term.kind == "all_units":
                amounts[n] = line.flow * term.price
            else:
                amounts[n] += (term.price - below) * (line.flow - term.from_quantity)
            below = term.price
    return amounts


def _suppliers(full: Frames, plan: Frames, awards: pd.DataFrame) -> pd.DataFrame:
    """The plan's suppliers with their terms, their spend, and the rebate it truly earns."""
    told = plan["supplier_awards"].merge(
        full["suppliers"], on="supplier", how="left", suffixes=("", "_own"), indicator="known"
    )
    told = told.set_index(pd.Index(told["supplier"], name="who"))
    lines = awards.reset_index(drop=True)
    told["true_spend"] = _sum(lines, ["supplier"], "true_spend", told.index)
    told["true_quantity"] = _sum(lines, ["supplier"], "flow", told.index)
    rebates = []
    for supplier, spend in told["true_spend"].items():
        back, before = 0.0, 0.0
        for row in full["rebates"][full["rebates"]["supplier"] == supplier].sort_values("from_spend").itertuples():
            if spend < row.from_spend * (1 - 1e-6):
                break
            back = spend * row.rate if row.kind == "whole" else back + (row.rate - before) * (spend - row.from_spend)
            before = row.rate
        rebates.append(back)
    return told.assign(true_rebate=np.array(rebates, dtype=float))


def _check_flows(book: _Book, full: Frames, plan: Frames, flows: pd.DataFrame) -> None:
    """Flows run over known and allowed lanes and meet the demand exactly; what they cost is told truly."""
    told = plan["flows"].set_index(_keys(plan["flows"], ARC))
    book.none("every flow has an offer and a lane", flows.index[flows["known"] != "both"])
    book.at_most("flows are not negative", -flows["quantity"], 0.0)
    book.none("excluded pairs", flows.index[flows["excluded"].eq(True)])
    book.none("jurisdiction rules", flows.index[flows["forbidden"].eq(True)])
    demand = full["demand"].set_index(["item", "site"])["quantity"]
    good = _sum(flows.reset_index(drop=True), ["item", "site"], "good", demand.index)
    book.equal("demand is met in good units", good, demand)
    for name, unit in (
        ("freight", "freight"), ("duty", "unit_duty"), ("quality", "unit_quality"), ("lateness", "unit_lateness"),
        ("inventory", "unit_inventory"), ("carbon", "unit_carbon"),
    ):  # fmt: skip
        book.equal(f"{name} of flows", told[name], pd.Series((flows["quantity"] * flows[unit]).to_numpy(), told.index))


def _check_awards(
    book: _Book, full: Frames, options: Any, plan: Frames, awards: pd.DataFrame, flows: pd.DataFrame
) -> None:
    """Every flow is awarded; awards keep the offers' terms and say truly what they are."""
    book.none("every award has an offer", awards.index[awards["known"] != "both"])
    book.none("every flow is awarded", flows.index[~_keys(flows, PAIR).isin(awards.index)])
    book.equal("the quantity is what flows", awards["quantity"], awards["flow"])
    book.equal("good units", awards["good_units"], awards["flow"] * awards["yield_rate"])
    book.equal("spend", awards["spend"], pd.Series(awards["true_spend"].to_numpy(), awards.index))
    price = awards["spend"].where(awards["quantity"] > 0, awards["unit_price"] * 0 + awards["price"])
    paid = (awards["unit_price"] * awards["quantity"]).where(awards["quantity"] > 0, awards["unit_price"])
    book.equal("the unit price is spend by quantity", paid, price)
    book.equal("award cost", awards["award_cost"], awards["award_cost_offer"])
    limited = awards[awards["capacity"].notna()]
    book.at_most("capacity of offers", limited["flow"], limited["capacity"])
    book.at_most("minimum awards", awards["minimum"], awards["flow"])
    book.at_most("smallest awards of items", awards["smallest"], awards["flow"])
    pairs = full["pairs"][full["pairs"]["rule"] == "required"]
    required = pairs.set_index(_keys(pairs, PAIR))["quantity"]
    book.at_most("required pairs", required, awards["flow"].reindex(required.index).fillna(0.0))
    barred = full["pairs"][full["pairs"]["rule"] == "excluded"]
    book.none("excluded pairs have no award", awards.index[awards.index.isin(_keys(barred, PAIR))])
    needed = full["items"][full["items"]["item"].isin(full["demand"]["item"])].set_index("item")
    count = awards.groupby("item").size().reindex(needed.index).fillna(0)
    book.at_most("fewest suppliers of items", needed["min_suppliers"], count)
    limit = needed["max_suppliers"].dropna()
    book.at_most("most suppliers of items", count.reindex(limit.index), limit)


def _check_shares(book: _Book, full: Frames, options: Any, awards: pd.DataFrame, flows: pd.DataFrame) -> None:
    """Shares of items: told truly, within the bounds of shares, incumbents and local suppliers."""
    whole = awards.groupby("item")["flow"].sum()
    share = awards["flow"] / _number(awards["item"], whole)
    book.equal("shares are told truly", awards["share"], share.fillna(0.0))
    current = full["current_awards"].set_index(_keys(full["current_awards"], PAIR))
    today = current["share"].reindex(awards.index).fillna(0.0)
    book.equal("changes are told truly", awards["change"], share.fillna(0.0) - today)

    def part_and_whole(index: pd.Index) -> tuple[pd.Series, pd.Series]:
        part = awards["flow"].reindex(index).fillna(0.0)
        return part, pd.Series(whole.reindex(index.get_level_values(1)).fillna(0.0).to_numpy(), index)

    rows = full["shares"].set_index(_keys(full["shares"], PAIR))
    part, all_of_it = part_and_whole(rows.index)
    book.at_most("smallest shares", rows["min_share"] * all_of_it, part, all_of_it)
    book.at_most("largest shares", part, rows["max_share"] * all_of_it, all_of_it)
    part, all_of_it = part_and_whole(current.index)
    kept = (current["share"] - current["max_loss"]).fillna(0.0)
    book.at_most("incumbents: largest loss", kept * all_of_it, part, all_of_it)
    moved = (current["share"] * all_of_it - part).clip(lower=0.0).groupby(level=1).sum()
    limit = 1.0 if options.max_change is None else options.max_change
    book.at_most("incumbents: largest change", moved, limit * whole.reindex(moved.index).fillna(0.0))
    local = flows[flows["local"].eq(True)].reset_index(drop=True).groupby("item")["quantity"].sum()
    asked = full["items"].set_index("item")["local_min_share"].reindex(whole.index).fillna(0.0)
    book.at_most("local shares", asked * whole, local.reindex(whole.index).fillna(0.0), whole)


def _check_suppliers(
    book: _Book, full: Frames, options: Any, plan: Frames, suppliers: pd.DataFrame, awards: pd.DataFrame
) -> None:
    """Suppliers with an award, and no others, are told, with their spend, rebate and cost; their terms are kept."""
    awarded = pd.Index(awards["supplier"].unique())
    book.none("suppliers with an award are told", awarded.symmetric_difference(suppliers.index))
    lines = awards[awards["flow"] > 0].reset_index(drop=True)
    items = lines.groupby("supplier")["item"].nunique().reindex(suppliers.index).fillna(0)
    book.equal("number of items", suppliers["items"].astype(float), items)
    book.equal("quantity of suppliers", suppliers["quantity"], suppliers["true_quantity"])
    book.equal("spend of suppliers", suppliers["spend"], suppliers["true_spend"])
    total = awards["true_spend"].sum()
    book.equal("share of spend", suppliers["share"], suppliers["true_spend"] / total if total else 0.0)
    book.equal("rebates", suppliers["rebate"], suppliers["true_rebate"])
    book.equal("activation cost", suppliers["activation_cost"], suppliers["activation_cost_own"])
    limited = suppliers[suppliers["capacity"].notna()]
    book.at_most("capacity of suppliers", limited["true_quantity"], limited["capacity"])
    book.at_most("minimum spend", suppliers["minimum_spend"], suppliers["true_spend"])
    number = pd.Series([float(len(awarded))], ["all items"])
    book.at_most("fewest suppliers in all", pd.Series([float(options.min_suppliers)], ["all items"]), number)
    book.at_most("most suppliers in all", number, np.inf if options.max_suppliers is None else options.max_suppliers)


def _check_caps(book: _Book, full: Frames, awards: pd.DataFrame) -> None:
    """Shares of spend by supplier, parent and region, within groups of items."""
    known = full["suppliers"].set_index("supplier", drop=False)
    lines = awards.reset_index(drop=True)
    for kind in ("supplier", "parent", "region"):
        rows = full["caps"][full["caps"]["kind"] == kind]
        part, limit, whole = {}, {}, {}
        for cap in rows.itertuples():
            inside = lines if cap.group == "" else lines[lines["group"] == cap.group]
            member = inside["supplier"].map(known[kind]) == cap.name
            key = (cap.name, cap.group)
            part[key], whole[key] = inside.loc[member, "true_spend"].sum(), inside["true_spend"].sum()
            limit[key] = cap.max_share * whole[key]
        part_s, limit_s, whole_s = (pd.Series(d, dtype=float) for d in (part, limit, whole))
        book.at_most(f"{kind} caps", part_s, limit_s, whole_s)


def _check_limits(
    book: _Book, full: Frames, plan: Frames, flows: pd.DataFrame, awards: pd.DataFrame, suppliers: pd.DataFrame
) -> dict[str, float]:
    """Use of each ceiling and capacity: hard ones are kept, and `limits` tells use and excess truly. Returns the cost
    of excess by kind."""
    groups = full["items"].set_index("item")["group"]
    lines, moving = awards.reset_index(drop=True), flows.reset_index(drop=True)
    moving = moving.assign(group=moving["item"].map(groups))
    rows = []
    for row in full["ceilings"].itertuples():
        mine = moving if row.group == "" else moving[moving["group"] == row.group]
        goods = lines if row.group == "" else lines[lines["group"] == row.group]
        money = goods["true_spend"].sum() + (mine["quantity"] * (mine["freight"] + mine["unit_duty"])).sum()
        use = money if row.kind == "budget" else (mine["quantity"] * mine["unit_carbon"]).sum()
        unit = "money" if row.kind == "budget" else "kg"
        rows.append((row.kind, row.group, unit, row.amount, use, row.hard, row.excess_cost))
    offered = full["suppliers"]["supplier"].isin(
        full["arcs"].loc[~(full["arcs"]["excluded"] | full["arcs"]["forbidden"]), "supplier"]
    )
    for row in full["suppliers"][full["suppliers"]["capacity"].notna() & offered].itertuples():
        used = suppliers["true_quantity"].get(row.supplier, 0.0)
        rows.append(("supplier capacity", row.supplier, "units", row.capacity, used, True, 0.0))
    columns = ["limit", "name", "unit", "capacity", "use", "hard", "excess_cost"]
    true = pd.DataFrame(rows, columns=columns)
    true = true.set_index(_keys(true, ["limit", "name", "unit"]))
    over = (true["use"] - true["capacity"]).clip(lower=0.0).astype(float)
    for kind in ("budget", "carbon", "supplier capacity"):
        mine = true["limit"] == kind
        book.at_most(
            f"hard {kind}",
            true.loc[mine & true["hard"].astype(bool), "use"],
            true["capacity"][mine & true["hard"].astype(bool)],
        )
    told = plan["limits"].set_index(_keys(plan["limits"], ["limit", "name", "unit"]))
    book.none(
        "one row a limit, and no others",
        told.index[told.index.duplicated()].append(told.index.symmetric_difference(true.index)),
    )
    told = told[~told.index.duplicated()].reindex(true.index)
    book.equal("capacity of limits", told["capacity"].fillna(0.0), true["capacity"])
    book.equal("use of limits", told["use"].fillna(0.0), true["use"])
    book.equal("excess of limits", told["excess"].fillna(0.0), over, true["use"])
    soft = ~true["hard"].astype(bool)
    cost = over.where(soft, 0.0) * true["excess_cost"]
    return {f"{kind} excess": float(cost[true["limit"] == kind].sum()) for kind in ("budget", "carbon")}


def _check_survival(book: _Book, full: Frames, plan: Frames, awards: pd.DataFrame) -> None:
    """For each loss that an item must survive, the plan names awarded suppliers, not lost, who cover its demand within
    their capacities beside what they deliver of other items."""
    known = full["suppliers"].set_index("supplier", drop=False)
    told = plan["survival"]
    index = _keys(told, ["kind", "lost", *ARC])
    lost = [
        s in known.index and known.at[s, kind] == name
        for kind, name, s in told[["kind", "lost", "supplier"]].itertuples(index=False)
    ]
    book.none("who is lost does not deliver", index[np.array(lost, dtype=bool)])
    book.none("backups are awarded", index[~_keys(told, PAIR).isin(awards.index)])
    book.none("backups have a lane", index[~_keys(told, ARC).isin(_keys(full["arcs"], ARC))])
    offers = full["offers"].set_index(PAIR)
    told = told.assign(good=told["quantity"] * offers["yield_rate"].reindex(_keys(told, PAIR)).to_numpy())
    wanted: dict[Any, float] = {}
    hit: dict[Any, list[str]] = {}
    for kind, name, item, line in _losses(full):
        hit.setdefault((kind, name), []).append(item)
        places = full["demand"][full["demand"]["item"] == item]
        for site, quantity in zip(places["site"], places["quantity"], strict=True):
            wanted[kind, name, item, site] = line.survival_share * quantity
    need = pd.Series(wanted, dtype=float)
    if len(need):
        book.at_most("survival of a loss", need, _sum(told, ["kind", "lost", "item", "site"], "good", need.index))
    by_pair = told.groupby(["kind", "lost", *PAIR])["quantity"].sum()
    limit = pd.Series(
        [offers["capacity"].get((s, i), np.nan) for _, _, s, i in by_pair.index], by_pair.index, dtype=float
    )
    book.at_most("backups within the capacity of offers", by_pair, limit.fillna(np.inf))
    by_supplier = told.groupby(["kind", "lost", "supplier"])["quantity"].sum()
    busy = [
        awards.loc[(awards["supplier"] == s) & ~awards["item"].isin(hit.get((kind, name), [])), "flow"].sum()
        for kind, name, s in by_supplier.index
    ]
    limit = pd.Series(
        [known["capacity"].get(s, np.nan) for _, _, s in by_supplier.index], by_supplier.index, dtype=float
    )
    book.at_most("backups within the capacity of suppliers", by_supplier + np.array(busy), limit.fillna(np.inf))


def _losses(full: Frames) -> Iterator[tuple[str, str, str, Any]]:
    """(kind, name, item, the item's row): each loss that an item must survive, among those who may deliver it."""
    known = full["suppliers"].set_index("supplier", drop=False)
    arcs = full["arcs"][~(full["arcs"]["excluded"] | full["arcs"]["forbidden"])]
    for line in full["items"][full["items"]["survives"] != "none"].itertuples():
        sources = arcs.loc[arcs["item"] == line.item, "supplier"]
        for name in sorted(set(sources.map(known[line.survives])) - {""}):
            yield line.survives, name, line.item, line


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


def _check_scenarios(
    book: _Book, full: Frames, options: Any, plan: Frames, flows: pd.DataFrame, awards: pd.DataFrame, planned: float
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
        told.index[told.index.duplicated()].append(told.index.symmetric_difference(names)),
    )
    told = told[~told.index.duplicated()].reindex(names)
    cost = _sum(actions, ["scenario"], "true_cost", names) - _sum(lost, ["scenario"], "saved", names)
    probability = full["scenarios"].set_index("scenario")["probability"]
    book.equal("probability of scenarios", told["probability"], probability)
    book.equal("recourse cost of scenarios", told["recourse_cost"], cost, planned)
    book.equal("cost of scenarios", told["cost"], planned + cost)
    book.equal("lost units of scenarios", told["lost"], _sum(lost, ["scenario"], "good", names))
    need = full["demand"]["quantity"].sum()
    for kind in ("extra", "emergency", "short"):
        good = _sum(actions[actions["kind"] == kind], ["scenario"], "good", names)
        book.equal(f"{kind} units of scenarios", told[kind], good, need)
    short = _sum(actions[actions["kind"] == "short"], ["scenario"], "good", names)
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
    price = np.minimum(lines["price"], lowest.reindex(_keys(lines, PAIR)).fillna(np.inf).to_numpy())
    price = price * (1 - _number(lines["supplier"], best).fillna(0.0))
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
    keys = _keys(recourse, ARC)
    offers = full["offers"].set_index(PAIR).reindex(_keys(recourse, PAIR)).reset_index(drop=True)
    suppliers = full["suppliers"].set_index("supplier")
    lane = arcs[["freight", "duty_rate", "carbon"]].reindex(keys).reset_index(drop=True)
    carbon = (lane["carbon"] + offers["carbon"]) * options.carbon_price
    moving = lane["freight"] + lane["duty_rate"] * offers["price"] + carbon
    bad = (1 - offers["yield_rate"]) * _number(recourse["item"], items["bad_unit_cost"])
    late = (1 - _number(recourse["supplier"], suppliers["on_time"])) * _number(
        recourse["item"], items["late_unit_cost"]
    )
    unit = (offers["price"] + moving + bad + late).where(recourse["kind"] == "extra")
    for kind, column in (("emergency", "emergency_price"), ("short", "shortage_cost")):
        unit = unit.where(recourse["kind"] != kind, _number(recourse["item"], items[column]))
    rate = offers["yield_rate"].where(recourse["kind"] == "extra", 1.0)
    known = keys.isin(arcs.index[~(arcs["excluded"] | arcs["forbidden"])])
    return recourse.assign(true_cost=recourse["quantity"] * unit, good=recourse["quantity"] * rate, known=known)


def _check_actions(book: _Book, full: Frames, actions: pd.DataFrame, awards: pd.DataFrame, lost: pd.DataFrame) -> None:
    """Extra deliveries come from awarded suppliers with capacity to spare; emergency buys keep their limit; together
    with what is missing they make up for what is lost."""
    where = _keys(actions, ["scenario", "kind", *ARC])
    book.equal("cost of recourse", actions["cost"], actions["true_cost"].fillna(np.inf))
    book.at_most("recourse is not negative", pd.Series(-actions["quantity"].to_numpy(), where), 0.0)
    extra = actions[actions["kind"] == "extra"]
    index = _keys(extra, ["scenario", *PAIR])
    book.none(
        "extra deliveries have an award and a lane",
        index[~(_keys(extra, PAIR).isin(awards.index) & extra["known"].to_numpy(dtype=bool))],
    )
    left = full["losses"].set_index(["scenario", "supplier"])["capacity_left"]
    places = ["scenario", "item", "site"]
    wanted = lost.groupby(places)["good"].sum()
    book.at_most("losses are made up for", wanted, _sum(actions, places, "good", wanted.index))
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


def _check_told(
    book: _Book, full: Frames, options: Any, plan: Frames, awards: pd.DataFrame, flows: pd.DataFrame,
    suppliers: pd.DataFrame, objective: float,
) -> None:  # fmt: skip
    """What the plan says about concentration, rules' prices, and what it hands on to ordering."""
    _check_concentration(book, full, plan["concentration"], awards)
    rules = plan["rule_prices"].set_index("rule")
    book.equal("savings are told truly", rules["saving"], objective - rules["cost_without"], abs(objective))
    targets = plan["renegotiation"].set_index(_keys(plan["renegotiation"], PAIR))
    book.none("offers that lose have no quantity", targets.index.intersection(awards.index[awards["flow"] > 0]))
    shares = plan["shares"].set_index(_keys(plan["shares"], PAIR))
    given = awards[awards["flow"] > 0]
    book.none("shares for ordering cover the awards", shares.index.symmetric_difference(given.index))
    true = given["share"].reindex(shares.index)
    book.equal("smallest shares for ordering", shares["min_share"], (true - options.share_tolerance).clip(lower=0.0))
    book.equal("largest shares for ordering", shares["max_share"], (true + options.share_tolerance).clip(upper=1.0))
    offers = plan["offers"].set_index(_keys(plan["offers"], ARC))
    book.none("offers for ordering cover the flows", offers.index.symmetric_difference(flows.index))
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


def _check_concentration(book: _Book, full: Frames, told: pd.DataFrame, awards: pd.DataFrame) -> None:
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
        else _keys(told, ["scope", "name", "across"])[:0]
    )
    said = told.set_index(_keys(told, ["scope", "name", "across"]))
    book.none("concentration of what there is", said.index.symmetric_difference(index))
    said = said[said.index.isin(index)]
    for n, column in enumerate(("spend", "hhi", "largest_share")):
        expected = pd.Series([true[key][n] for key in said.index], said.index, dtype=float)
        book.equal(f"{column} of concentration", said[column], expected)
    named = pd.Series([true[key][3].get(who, 0.0) for key, who in said["largest"].items()], said.index, dtype=float)
    book.equal("the largest of concentration", named, said["largest_share"])
