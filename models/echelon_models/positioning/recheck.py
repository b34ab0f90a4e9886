"""Recompute a positioning plan from the tables alone: every rule, every cost line. Plain arithmetic on frames.

It shares no code with the formulation. The service times that the plan quotes are taken at their word; demand, worth,
inbound times, safety stock and everything else is derived again, and what the plan says of it must agree.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammainc

from echelon.book import Book
from echelon.family import Recheck
from echelon.tables import Frames

ABSOLUTE, RELATIVE = 1e-6, 1e-7  # how far numbers may differ, the second as a part of their size
DIGITS = 6  # of days: less is rounding
STEPS = {"days": 1.0, "exact": 0.01}
SAMPLES, SEED = 4000, 20000  # how demand is drawn again from the history: part of what the option bootstrap means
UNITS = {"value": "money", "volume": "m³", "stocking_points": "stages"}


def recheck(full: Frames, options: Any, plan: Frames) -> Recheck:
    """The plan's costs line by line, and the rules it breaks."""
    book = Book(ABSOLUTE, RELATIVE)
    case = full["stages"].set_index("stage")
    said = plan["stages"].set_index("stage")
    amiss = [*said.index[said.index.duplicated()], *said.index.symmetric_difference(case.index)]
    book.at_most("every stage has one row, and no other", pd.Series(1.0, amiss, dtype=float), 0.0)
    said = said[~said.index.duplicated()].reindex(case.index)
    known = _network(full, options, case)
    need = _Need(full, options, case, known)
    truth = _truth(full, need, case, known, said)
    _check_times(book, full, options, case, said, truth)
    _check_stock(book, case, said, truth)
    _check_levels(book, case, said, truth)
    excess = _check_limits(book, full, plan["limits"], case, truth)
    _check_summaries(book, full, plan, case, truth)
    _check_comparison(book, full, plan["comparison"].set_index("policy"), need, case, truth)
    _check_service(book, plan["service"], truth, case, options)
    return Recheck({"safety stock": float(truth["cost"].sum()), **excess}, len(book.rules), tuple(book.violations))


class _Need:
    """The safety stock that each stage needs for SI - S days; what was worked out is kept."""

    def __init__(self, full: Frames, options: Any, case: pd.DataFrame, known: pd.DataFrame):
        self.options = options
        self.case, self.known = case.to_dict("index"), known.to_dict("index")
        spread = {name: group for name, group in full["lead_times"].groupby("stage")}
        self.law = {name: _law(row, spread.get(name)) for name, row in self.case.items()}
        self.past = _history(full, case) if options.demand_model == "bootstrap" else {}
        self.found: dict[tuple[Any, float], float] = {}

    def varies(self, name: Any) -> bool:
        """Whether demand over the net time varies at all."""
        known = self.known[name]
        return bool(known["std"] > 0 or (len(self.law[name]) > 1 and known["mean"] > 0))

    def longest(self, name: Any) -> float:
        return max(days for days, _ in self.law[name])

    def units(self, name: Any, wait: float) -> float:
        """z·σ·√net time where demand is normal, lead time constant, service by cycle; else the most that this net time
        or any shorter one needs, day by day."""
        row, known, law = self.case[name], self.known[name], self.law[name]
        if not self.varies(name) or math.isnan(row["service_level"]):
            return 0.0
        wait = round(wait, DIGITS)
        if self.options.demand_model == "normal" and row["service_kind"] == "cycle" and len(law) == 1:
            return (
                NormalDist().inv_cdf(row["service_level"])
                * known["std"]
                * math.sqrt(max(round(wait + law[0][0], DIGITS), 0.0))
            )
        most = 0.0
        while wait + self.longest(name) > 1e-9:
            if (name, wait) not in self.found:
                self.found[name, wait] = _need(row, known, law, wait, self.options, self.past.get(name))
            most = max(most, self.found[name, wait])
            wait -= 1.0
        return most


def _truth(full: Frames, need: _Need, case: pd.DataFrame, known: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """What follows from the tables and the service times that the plan quotes: inbound times, net times, stock."""
    truth = known.assign(inbound=_inbound(full, case, said["service_time"]))
    rows = []
    for name, wait in (truth["inbound"] - said["service_time"]).items():
        net, _ = _net_time(need.law[name], wait)
        rows.append((net, need.longest(name), need.units(name, wait) if wait == wait else math.nan))
    truth[["net", "longest", "units"]] = np.array(rows, dtype=float).reshape(-1, 3)
    truth["varies"] = [need.varies(name) for name in case.index]
    truth["cost"] = truth["units"] * truth["value"] * case["holding_rate"]
    return truth


def _network(full: Frames, options: Any, case: pd.DataFrame) -> pd.DataFrame:
    """Mean and deviation of each stage's demand, and what one unit is worth, along the arcs of the case."""
    arcs = full["arcs"]
    serves = {name: list(zip(g["to_stage"], g["quantity"], strict=True)) for name, g in arcs.groupby("from_stage")}
    needs = {name: list(zip(g["from_stage"], g["quantity"], strict=True)) for name, g in arcs.groupby("to_stage")}
    mean: dict[Any, float] = {}
    variance: dict[Any, float] = {}
    units: dict[Any, pd.Series] = {}
    pooled = options.demand_pooling == "pooled"
    for name in reversed(case.index):
        own = case.at[name, "demand_std"]
        mean[name] = case.at[name, "demand_mean"] + sum(q * mean[other] for other, q in serves.get(name, ()))
        variance[name] = own**2 + sum(q**2 * variance[other] for other, q in serves.get(name, ()))
        if pooled:
            units[name] = pd.Series({name: own} if own > 0 else {}, dtype=float)
            for other, q in serves.get(name, ()):
                units[name] = units[name].add(q * units[other], fill_value=0.0)
            alone, together = (units[name] ** 2).sum(), units[name].sum() ** 2
            variance[name] = (1 - options.correlation) * alone + options.correlation * together
    value: dict[Any, float] = {}
    for name in case.index:
        given = case.at[name, "value"]
        added = case.at[name, "cost_added"] + sum(q * value[other] for other, q in needs.get(name, ()))
        value[name] = added if math.isnan(given) else given
    known = pd.DataFrame({"mean": mean, "variance": variance, "value": value}, dtype=float).reindex(case.index)
    return known.assign(std=known["variance"].pow(0.5))


def _inbound(full: Frames, case: pd.DataFrame, quoted: pd.Series) -> pd.Series:
    """The time at which all inputs of each stage are there: the slowest of its suppliers, inside and outside."""
    arcs = full["arcs"]
    slowest = quoted.reindex(arcs["from_stage"]).groupby(arcs["to_stage"].to_numpy()).max()
    return np.maximum(case["supply_time"], slowest.reindex(case.index).fillna(0.0))


def _law(row: Any, spread: pd.DataFrame | None) -> list[tuple[float, float]]:
    """(days, probability) of the lead time and the longest wait for a review."""
    wait = row["review_period"] - 1
    if spread is None:
        return [(row["lead_time"] + wait, 1.0)]
    total = spread["probability"].sum()
    return [(days + wait, p / total) for days, p in zip(spread["days"], spread["probability"], strict=True)]


def _net_time(law: list[tuple[float, float]], wait: float) -> tuple[float, float]:
    """Mean and variance of max(SI - S + L, 0), days."""
    mean = sum(p * max(wait + days, 0.0) for days, p in law)
    return mean, sum(p * (max(wait + days, 0.0) - mean) ** 2 for days, p in law)


def _need(row: Any, known: Any, law: list[tuple[float, float]], wait: float, options: Any, past: Any) -> float:
    """Safety stock for one net time, found by halving: the least that keeps the chance of running out, or what is short
    on average, within the service level."""
    net, variance = _net_time(law, wait)
    model = "normal" if options.demand_model == "bootstrap" and not known["std"] > 0 else options.demand_model
    drawn = np.zeros(0)
    if model == "bootstrap":
        drawn = _drawn(past, law, wait, options.history_days)
        mean = float(drawn.mean())
        std = float(drawn.std()) or 1.0
        if row["service_kind"] == "cycle":
            return max(float(np.quantile(drawn, row["service_level"])) - mean, 0.0)
    else:
        mean = known["mean"] * net
        std = math.sqrt(known["variance"] * net + known["mean"] ** 2 * variance)
    allowed = (1 - row["service_level"]) * (
        known["mean"] * row["review_period"] if row["service_kind"] == "fill_rate" else 1.0
    )
    missing = {
        ("normal", "cycle"): _normal_chance, ("normal", "fill_rate"): _normal_short,
        ("gamma", "cycle"): _gamma_chance, ("gamma", "fill_rate"): _gamma_short,
        ("bootstrap", "fill_rate"): lambda mean, std, stock: float(np.maximum(drawn - mean - stock, 0.0).mean()),
    }[model, row["service_kind"]]  # fmt: skip
    low, high = 0.0, 40.0 * std
    for _ in range(100):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if missing(mean, std, middle) > allowed else (low, middle)
    return high


def _normal_chance(mean: float, std: float, stock: float) -> float:
    return 0.5 * math.erfc(stock / std / math.sqrt(2))


def _normal_short(mean: float, std: float, stock: float) -> float:
    k = stock / std
    return std * (math.exp(-k * k / 2) / math.sqrt(2 * math.pi) - k * 0.5 * math.erfc(k / math.sqrt(2)))


def _gamma_chance(mean: float, std: float, stock: float) -> float:
    return 1.0 - float(gammainc((mean / std) ** 2, (mean + stock) * mean / std**2))


def _gamma_short(mean: float, std: float, stock: float) -> float:
    shape, at = (mean / std) ** 2, (mean + stock) * mean / std**2
    return mean * (1.0 - float(gammainc(shape + 1, at))) - (mean + stock) * (1.0 - float(gammainc(shape, at)))


def _history(full: Frames, case: pd.DataFrame) -> dict[Any, np.ndarray]:
    """The past demand of each stage: its customers' and that of all it serves, period by period."""
    wide = full["demand_history"].pivot_table(index="day", columns="stage", values="quantity", aggfunc="sum").dropna()
    serves = {
        name: list(zip(g["to_stage"], g["quantity"], strict=True)) for name, g in full["arcs"].groupby("from_stage")
    }
    past: dict[Any, np.ndarray] = {}
    for name in reversed(case.index):
        parts = [q * past[other] for other, q in serves.get(name, ()) if other in past]
        parts += [wide[name].to_numpy()] if name in wide else []
        if parts:
            past[name] = np.sum(parts, axis=0)
    return past


def _drawn(past: np.ndarray, law: list[tuple[float, float]], wait: float, history_days: int) -> np.ndarray:
    """Demand over a net time drawn again from the past: sums of periods picked at random, the same for all of them."""
    lengths = np.array([max(wait + days, 0.0) / history_days for days, _ in law])
    picked = np.random.default_rng(SEED).integers(0, len(past), (math.ceil(lengths.max()) + 1, SAMPLES))
    which = np.random.default_rng(SEED + 1).choice(len(law), SAMPLES, p=[p for _, p in law])
    drawn = np.zeros(SAMPLES)
    for period, row in enumerate(past[picked]):
        drawn += row * np.clip(lengths[which] - period, 0.0, 1.0)
    return drawn


def _check_times(
    book: Book, full: Frames, options: Any, case: pd.DataFrame, said: pd.DataFrame, truth: pd.DataFrame
) -> None:
    """Service times are consistent on every arc, promises are kept, bounds respected, times on the grid."""
    quoted, inbound = said["service_time"], said["inbound_time"]
    arcs = full["arcs"]
    pairs = pd.MultiIndex.from_frame(arcs[["from_stage", "to_stage"]])
    offered = pd.Series(quoted.reindex(arcs["from_stage"]).to_numpy(), pairs)
    book.at_most(
        "each stage waits for its suppliers", offered, pd.Series(inbound.reindex(arcs["to_stage"]).to_numpy(), pairs)
    )
    book.at_most("each stage waits for outside suppliers", case["supply_time"], inbound)
    book.equal("no stage waits longer than for its suppliers", inbound, truth["inbound"])
    book.at_most("customers are served in the time promised", quoted, case["promised_time"].fillna(np.inf))
    book.at_most("longest service time", quoted, case["max_service_time"].fillna(np.inf))
    book.at_most("shortest service time", case["min_service_time"], quoted)
    step = STEPS[options.times]
    book.at_most("times are whole steps", ((quoted / step).round() * step - quoted).abs(), 0.0)
    book.equal("the lead time is the case's", said["lead_time"], case["lead_time"])
    book.equal("the net time follows from the times", said["net_time"], truth["net"])
    whole = truth["inbound"] + truth["longest"] - quoted
    bare = ~case["may_hold_stock"] & truth["varies"]
    book.at_most("stages that may hold no stock cover no time", whole[bare], 0.0)


def _check_stock(book: Book, case: pd.DataFrame, said: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Demand, worth, safety stock and its cost are those of the tables."""
    book.equal("mean demand adds up along the arcs", said["demand_mean"], truth["mean"])
    book.equal("the deviation of demand adds up along the arcs", said["demand_std"], truth["std"])
    book.equal("worth adds up along the arcs", said["value"], truth["value"])
    book.equal("safety stock is what the net time needs", said["safety_stock"], truth["units"])
    book.equal("the value of stock", said["stock_value"], truth["units"] * truth["value"])
    book.equal("the cost of stock", said["cost"], truth["cost"])
    book.equal("the service level is the case's", said["service_level"], case["service_level"].where(truth["varies"]))
    for name in ("item", "site", "department", "echelon", "service_kind"):
        book.same(f"the {name} is the case's", said[name], case[name])


def _check_levels(book: Book, case: pd.DataFrame, said: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Base stock, reorder level, pipeline, cover and change follow from demand, times and safety stock."""
    base = truth["mean"] * truth["net"] + truth["units"]
    book.equal("base stock", said["base_stock"], base)
    between = np.minimum(case["review_period"] - 1, truth["net"])
    book.equal("reorder level", said["reorder_level"], base - truth["mean"] * between)
    book.equal("pipeline stock", said["pipeline_stock"], truth["mean"] * case["lead_time"])
    book.equal("days of cover", said["days_of_cover"], truth["units"] / truth["mean"].where(truth["mean"] > 0))
    book.equal("the target so far", said["current_stock"], case["current_stock"])
    book.equal("the change", said["change"], truth["units"] - case["current_stock"])


def _check_limits(
    book: Book, full: Frames, plan: pd.DataFrame, case: pd.DataFrame, truth: pd.DataFrame
) -> dict[str, float]:
    """Use of each limit against its capacity; hard ones are kept. Returns the cost of excess by kind."""
    rows = full["stock_limits"].assign(limit=full["stock_limits"]["measure"].str.replace("_", " "))
    rows = rows.set_index(["limit", "name"])
    used = [_used(limit, case, truth) for limit in rows.itertuples()]
    use = pd.Series(used, rows.index, dtype=float)
    over = (use - rows["capacity"]).clip(lower=0.0)
    stated = plan.set_index(["limit", "name"])
    book.at_most(
        "limits are those of the case", pd.Series(1.0, stated.index.symmetric_difference(rows.index), dtype=float), 0.0
    )
    stated = stated[~stated.index.duplicated()].reindex(rows.index)
    book.at_most("hard limits are kept", over[rows["hard"]], 0.0)
    book.equal("use of limits", stated["use"], use)
    book.equal("excess of limits", stated["excess"], over)
    book.equal("capacity of limits", stated["capacity"], rows["capacity"])
    book.same("unit of limits", stated["unit"], rows["measure"].map(UNITS))
    book.at_most("prices are not negative", -stated["price"].fillna(-1.0), 0.0)
    costs = (over * rows["excess_cost"])[~rows["hard"]].groupby(rows.loc[~rows["hard"], "measure"]).sum()
    return {f"{kind.replace('_', ' ')} limit excess": float(costs.get(kind, 0.0)) for kind in UNITS}


def _used(limit: Any, case: pd.DataFrame, truth: pd.DataFrame) -> float:
    """What all safety stock that a limit counts uses of it: money, m³ or stages."""
    counts = pd.Series(True, case.index)
    if limit.department:
        counts &= case["department"] == limit.department
    if limit.site:
        counts &= case["site"] == limit.site
    amounts = {
        "value": truth["units"] * truth["value"],
        "volume": truth["units"] * case["volume"],
        "stocking_points": (truth["units"] > 0).astype(float),
    }
    return float(amounts[limit.measure][counts].sum())


def _check_summaries(book: Book, full: Frames, plan: Frames, case: pd.DataFrame, truth: pd.DataFrame) -> None:
    """Arcs, echelons and the targets for ordering say the same as the stages."""
    said = plan["arcs"].set_index(["from_stage", "to_stage"])["quantity"]
    arcs = full["arcs"].set_index(["from_stage", "to_stage"])["quantity"]
    book.equal("arcs are those of the case", said, arcs.reindex(said.index))
    book.at_most("no arc is missing", pd.Series(1.0, arcs.index.difference(said.index), dtype=float), 0.0)
    each = pd.DataFrame(
        {
            "stages": 1.0,
            "stocking_points": (truth["units"] > 0).astype(float),
            "safety_stock": truth["units"],
            "stock_value": truth["units"] * truth["value"],
            "pipeline_value": truth["mean"]
            * case["lead_time"]
            * (truth["value"] - case["cost_added"] / 2).clip(lower=0.0),
            "cost": truth["cost"],
        }
    )
    sums = each.groupby(case["echelon"]).sum()
    stated = plan["echelons"].set_index("echelon")
    for name in sums.columns:
        book.equal(f"{name} of echelons", stated[name].astype(float), sums[name].reindex(stated.index))
    book.at_most("no echelon is missing", pd.Series(1.0, sums.index.difference(stated.index), dtype=float), 0.0)
    held = truth["units"][truth["units"] > 0].groupby([case["item"], case["site"]]).sum()
    targets = plan["safety_stock"].set_index(["item", "site"])
    book.equal("targets for ordering are the safety stock", targets["quantity"], held.reindex(targets.index))
    book.at_most("no target is missing", pd.Series(1.0, held.index.difference(targets.index), dtype=float), 0.0)
    book.same("targets hold in every period", targets["period"], [""] * len(targets))


def _check_comparison(
    book: Book, full: Frames, said: pd.DataFrame, need: _Need, case: pd.DataFrame, truth: pd.DataFrame
) -> None:
    """The plan against each stage for itself, and against stock only at the end, worked out again."""
    sources = full["arcs"].groupby("to_stage")["from_stage"].agg(list).to_dict()
    units = {"plan": truth["units"]}
    for policy in ("each for itself", "only at the end"):
        quoted: dict[Any, float] = {}
        stock: dict[Any, float] = {}
        for name, row in need.case.items():
            inbound = max([row["supply_time"], *(quoted[p] for p in sources.get(name, ()))])
            whole = inbound + need.longest(name)
            bounds = [b for b in (row["promised_time"], row["max_service_time"]) if not math.isnan(b)]
            passed_on = policy == "only at the end"
            wanted = min([whole, *bounds]) if passed_on else row["min_service_time"]
            bare = not row["may_hold_stock"] and need.varies(name)
            quoted[name] = max(whole if bare else wanted, row["min_service_time"])
            stock[name] = need.units(name, inbound - quoted[name])
        units[policy] = pd.Series(stock).reindex(case.index)
    value, rate = truth["value"], case["holding_rate"]
    costs = pd.Series({policy: (u * value * rate).sum() for policy, u in units.items()})
    book.equal("cost of the policies compared", said["cost"], costs.reindex(said.index))
    worth = pd.Series({policy: (u * value).sum() for policy, u in units.items()})
    book.equal("value of the policies compared", said["stock_value"], worth.reindex(said.index))
    points = pd.Series({policy: float((u > 0).sum()) for policy, u in units.items()})
    book.equal(
        "stocking points of the policies compared", said["stocking_points"].astype(float), points.reindex(said.index)
    )
    book.equal("what the plan saves", said["plan_saves"], (costs - costs["plan"]).reindex(said.index))
    book.at_most(
        "all policies are compared", pd.Series(1.0, costs.index.symmetric_difference(said.index), dtype=float), 0.0
    )


def _check_service(book: Book, said: pd.DataFrame, truth: pd.DataFrame, case: pd.DataFrame, options: Any) -> None:
    """The simulation covers each stage that holds stock, and what it says hangs together. (It is not run again.)"""
    said = said.set_index("stage")
    expected = truth.index[truth["units"] > 0] if options.simulate else truth.index[:0]
    book.at_most(
        "each stage with stock is simulated",
        pd.Series(1.0, said.index.symmetric_difference(expected), dtype=float),
        0.0,
    )
    book.equal("the service promised is the case's", said["promised"], case["service_level"].reindex(said.index))
    book.same("the kind of service is the case's", said["service_kind"], case["service_kind"].reindex(said.index))
    for name, low, high in (("simulated", "low", "high"), ("flowing", "flowing_low", "flowing_high")):
        book.at_most(f"{low} ends below", said[low], said[name])
        book.at_most(f"{high} ends above", said[name], said[high])
    book.equal("the promise is missed by", said["gap"], said["promised"] - said["flowing"])
    kept = pd.Series(np.where(said["promised"] <= said["high"] + 1e-9, "kept", "below"), said.index)
    book.same("the verdict follows from the interval", said["verdict"], kept)
