"""Fill what a case leaves open: derived stages, defaults, whole days, lead-time distributions, service levels.

The result is the network in full: `stages` (one row a stage, in an order in which each comes after all it needs),
`arcs`, `lead_times` (a distribution for each stage whose lead time varies), `demand_history`, `stock_limits`. The
formulation and the recheck both start from it, and share nothing else. Sources of demand are filled in only where
customers order; what comes of it upstream, each of them works out for itself.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from echelon.tables import Frames
from echelon_models.positioning.derive import derive
from echelon_models.positioning.schema import PositioningOptions
from echelon_models.rows import EVERY, MAIN_SITE

HUNDREDTH = 0.01  # days: the step of exact times
TAIL = 3.0  # standard deviations above its mean at which a lead time given by mean and deviation is cut off


def complete(tables: Frames, options: PositioningOptions) -> Frames:
    """The tables in full."""
    full = dict(tables)
    stages, full["arcs"] = network(tables)
    history = tables["demand_history"].sort_values(["stage", "day"]).reset_index(drop=True)
    full["demand_history"] = _whole_history(history, options.history_days)
    stages = _with_defaults(stages, options)
    stages = _with_customers(stages, full["demand_history"], options.history_days)
    given = tables["lead_times"]
    spread = stages["lead_time_std"].gt(0) & ~stages["stage"].isin(given["stage"])
    drawn = [
        _cut_normal(*row) for row in stages.loc[spread, ["stage", "lead_time", "lead_time_std"]].itertuples(index=False)
    ]
    lead_times = _in_steps(pd.concat([given[["stage", "days", "probability"]], *drawn]), options)
    stages = _with_lead_times(stages, lead_times, options)
    full["lead_times"] = lead_times[lead_times.groupby("stage")["days"].transform("size") > 1].reset_index(drop=True)
    rank = topological(stages["stage"].tolist(), full["arcs"])
    stages = stages.sort_values("stage", key=lambda names: names.map(rank), ignore_index=True)
    stages["service_level"] = _service_levels(stages, full["arcs"], options)
    stages["echelon"] = stages["echelon"].where(stages["echelon"] != "", _steps_from_customers(stages, full["arcs"]))
    full["stages"] = stages
    full["stock_limits"] = _limits(tables["stock_limits"], options)
    return full


def network(tables: Frames) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Stages and arcs, given and derived. A given row fills into the derived stage of its name."""
    given, arcs = (
        tables["stages"].drop(columns=["status", "notes"]),
        tables["arcs"][["from_stage", "to_stage", "quantity"]],
    )
    if not len(tables["demand"]):
        return given.reset_index(drop=True), arcs.reset_index(drop=True)
    derived = derive(tables)
    arcs = pd.concat([arcs, derived.arcs]).drop_duplicates(["from_stage", "to_stage"]).reset_index(drop=True)
    named = derived.stages.set_index("stage")
    both = given.set_index("stage")
    both = both.reindex([*both.index, *named.index.difference(both.index)])
    for column, field in both.items():
        if column in named:
            blank = field.isna() | (field == "")
            both[column] = field.where(~blank, named[column].reindex(both.index))
    for column, kind in given.drop(columns="stage").dtypes.items():
        filled = both[column].astype(object).where(both[column].notna(), _DEFAULTS.get(str(column)))
        both[column] = filled.astype(kind)
    return both.reset_index()[list(given.columns)], arcs


_TEXTS = ("description", "item", "site", "department", "echelon", "service_kind")
_DEFAULTS = dict.fromkeys(_TEXTS, "") | {
    "lead_time_std": 0.0,
    "supply_time": 0.0,
    "review_period": 1,
    "min_service_time": 0.0,
    "may_hold_stock": True,
}


def topological(names: list[str], arcs: pd.DataFrame) -> dict[str, int]:
    """Stage -> rank, each after all that it needs; the stages of a cycle, and all that needs them, are left out."""
    successors: dict[str, list[str]] = {name: [] for name in names}
    missing = dict.fromkeys(names, 0)
    for a, b in zip(arcs["from_stage"], arcs["to_stage"], strict=True):
        successors[a].append(b)
        missing[b] += 1
    ready = sorted((name for name in names if not missing[name]), reverse=True)
    rank: dict[str, int] = {}
    while ready:
        name = ready.pop()
        rank[name] = len(rank)
        for other in successors[name]:
            missing[other] -= 1
            if not missing[other]:
                ready.append(other)
    return rank


def _with_defaults(stages: pd.DataFrame, options: PositioningOptions) -> pd.DataFrame:
    return stages.assign(
        item=stages["item"].where(stages["item"] != "", stages["stage"]),
        site=stages["site"].where(stages["site"] != "", MAIN_SITE),
        cost_added=stages["cost_added"].fillna(0.0),
        holding_rate=stages["holding_rate"].fillna(options.holding_rate),
        volume=stages["volume"].fillna(0.0),
        service_kind=stages["service_kind"].where(stages["service_kind"] != "", options.service_kind),
    )


def _whole_history(history: pd.DataFrame, days: int) -> pd.DataFrame:
    """stage, day, quantity with a row for every `days` days from a stage's first to its last."""
    parts = []
    for stage, group in history.groupby("stage", sort=True):
        quantities = group.set_index("day")["quantity"]
        whole = pd.date_range(quantities.index.min(), quantities.index.max(), freq=f"{days}D")
        parts.append(
            pd.DataFrame({"stage": stage, "day": whole, "quantity": quantities.reindex(whole).fillna(0.0).to_numpy()})
        )
    return pd.concat(parts, ignore_index=True) if parts else history[["stage", "day", "quantity"]]


def _with_customers(stages: pd.DataFrame, history: pd.DataFrame, days: int) -> pd.DataFrame:
    """Mean and deviation of a day's outside demand, from the history where they are blank; the promise made to it."""
    seen = history.groupby("stage")["quantity"].agg(["mean", "std"])
    mean = stages["demand_mean"].fillna(stages["stage"].map(seen["mean"] / days)).fillna(0.0)
    std = stages["demand_std"].fillna(stages["stage"].map(seen["std"].fillna(0.0) / math.sqrt(days))).fillna(0.0)
    orders = (mean > 0) | (std > 0)
    promised = stages["promised_time"].where(stages["promised_time"].notna() | ~orders, 0.0)
    return stages.assign(demand_mean=mean, demand_std=std, promised_time=promised)


def _cut_normal(stage: str, mean: float, std: float) -> pd.DataFrame:
    """A normal lead time as whole days: the probability of day d is that of [d - 1/2, d + 1/2), cut at 0 and at
    `TAIL` deviations above the mean, in proportion."""
    mean = 0.0 if math.isnan(mean) else mean
    days = np.arange(max(math.floor(mean - TAIL * std + 0.5), 0), math.floor(mean + TAIL * std + 0.5) + 1)
    edges = np.append(days - 0.5, days[-1] + 0.5)
    below = np.array([0.5 * (1 + math.erf((edge - mean) / (std * math.sqrt(2)))) for edge in edges])
    share = np.diff(below)
    kept = share > 0
    return pd.DataFrame({"stage": stage, "days": days[kept].astype(float), "probability": share[kept] / share.sum()})


def _in_steps(lead_times: pd.DataFrame, options: PositioningOptions) -> pd.DataFrame:
    """Lead times rounded to the step of the times, equal ones added up."""
    rounded = lead_times.assign(days=rounded_to_step(lead_times["days"].astype(float), options))
    return rounded.groupby(["stage", "days"], as_index=False)["probability"].sum()


def _with_lead_times(stages: pd.DataFrame, lead_times: pd.DataFrame, options: PositioningOptions) -> pd.DataFrame:
    """Times in steps; a lead time that varies has the mean of its distribution."""
    weighted = (lead_times["days"] * lead_times["probability"]).groupby(lead_times["stage"]).sum()
    known = stages["lead_time"].fillna(0.0)
    times = ("supply_time", "promised_time", "min_service_time", "max_service_time")
    return stages.assign(
        lead_time=stages["stage"].map(weighted).fillna(rounded_to_step(known, options)),
        **{name: rounded_to_step(stages[name], options) for name in times},
    )


def rounded_to_step(days: pd.Series, options: PositioningOptions) -> pd.Series:
    """Days rounded to the nearest step of the times; blank stays blank."""
    return (days / step(options)).round() * step(options)


def step(options: PositioningOptions) -> float:
    """The step of all times, days."""
    return 1.0 if options.times == "days" else HUNDREDTH


def _service_levels(stages: pd.DataFrame, arcs: pd.DataFrame, options: PositioningOptions) -> list[float]:
    """Each stage's own level, or the highest of the stages it serves, or the option; NaN where nothing says."""
    given = dict(zip(stages["stage"], stages["service_level"], strict=True))
    customers = dict(zip(stages["stage"], stages["demand_std"] > 0, strict=True))
    successors = arcs.groupby("from_stage")["to_stage"].agg(list).to_dict()
    default = math.nan if options.service_level is None else options.service_level
    level: dict[str, float] = {}
    for name in reversed(list(stages["stage"])):
        served = [level[other] for other in successors.get(name, ()) if not math.isnan(level[other])]
        served += [default] if customers[name] and not math.isnan(default) else []
        level[name] = max(served, default=default) if math.isnan(given[name]) else given[name]
    return [level[name] for name in stages["stage"]]


def _steps_from_customers(stages: pd.DataFrame, arcs: pd.DataFrame) -> pd.Series:
    """The largest number of arcs between each stage and the end of the network, as text."""
    successors = arcs.groupby("from_stage")["to_stage"].agg(list).to_dict()
    steps: dict[str, int] = {}
    for name in reversed(list(stages["stage"])):
        steps[name] = max((steps[other] + 1 for other in successors.get(name, ())), default=0)
    return stages["stage"].map(steps).astype(str)


def _limits(given: pd.DataFrame, options: PositioningOptions) -> pd.DataFrame:
    defaults = {
        "value": options.value_excess_cost,
        "volume": options.volume_excess_cost,
        "stocking_points": options.stocking_point_excess_cost,
    }
    cost = given["excess_cost"].fillna(given["measure"].map(defaults).astype(float))
    names = [limit_name(d, s) for d, s in zip(given["department"], given["site"], strict=True)]
    return given.assign(excess_cost=cost, name=names).sort_values(["measure", "name"], ignore_index=True)


def limit_name(department: str, site: str) -> str:
    """Department and site of a limit in one; blank for all stock."""
    at = f"at {site}" if site != EVERY else ""
    return f"{department} {at}".strip()
