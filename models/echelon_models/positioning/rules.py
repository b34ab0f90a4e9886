"""What must hold across the columns and tables of a positioning case: one function a rule, naming the offenders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon.validate import Rule
from echelon_models.ordering.rules import lanes_lead_elsewhere, periods_are_dates_where_none_are_declared
from echelon_models.positioning.complete import complete, network, topological
from echelon_models.positioning.derive import derive, stage_name
from echelon_models.positioning.schema import PositioningOptions
from echelon_models.rows import EVERY

ORDINARY = ("items", "offers", "lanes", "boms", "production", "demand", "periods")
NETWORK = (*ORDINARY, "stages", "arcs")
ALL = (*NETWORK, "lead_times", "demand_history", "stock_limits")


def there_is_a_network(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """Stages are given, or can be derived from demand."""
    if tables["stages"].empty and tables["demand"].empty:
        remedy = "Add stages.csv and arcs.csv; or demand.csv and items.csv with offers, lanes or boms"
        yield Finding("stages", "the case has neither stages nor demand", remedy)
    if not tables["demand"].empty and tables["items"].empty:
        yield Finding("items", "stages are derived from demand, and the items are missing", "Add items.csv")


def demand_is_positive_somewhere(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """Some stage has customers: by its columns, by its history, or by the demand table."""
    stages, history = tables["stages"], tables["demand_history"]
    own = (stages["demand_mean"].fillna(0) > 0) | (stages["demand_std"].fillna(0) > 0)
    if not own.any() and not (history["quantity"] > 0).any() and not (tables["demand"]["quantity"] > 0).any():
        yield Finding(
            "stages",
            "no stage has demand of outside customers",
            "Fill demand_mean and demand_std where customers order",
        )


def arcs_lead_elsewhere(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """An arc joins two different stages."""
    arcs = tables["arcs"]
    for row, stage in arcs.loc[arcs["from_stage"] == arcs["to_stage"], "to_stage"].items():
        yield Finding(
            "arcs", "the arc leads back to its own stage", "Name another stage", int(str(row)), "to_stage", str(stage)
        )


def stages_are_given_or_derived(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """Without a stages table, the stages that other tables name are among those derived from demand."""
    if len(tables["stages"]) or not _can_derive(tables):
        return
    known = derive(tables).stages["stage"]
    named = [("arcs", "from_stage"), ("arcs", "to_stage"), ("lead_times", "stage"), ("demand_history", "stage")]
    for table, column in named:
        values = tables[table][column]
        for row, value in values[~values.isin(known)].items():
            rule, remedy = "no such stage is derived from demand", "Add a stages table that has it, or correct the name"
            yield Finding(table, rule, remedy, int(str(row)), column, str(value))


def the_network_has_no_cycle(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """No stage needs itself, directly or by way of others."""
    if not _can_derive(tables) or next(stages_are_given_or_derived(tables, options), None):
        return
    stages, arcs = network(tables)
    arcs = arcs[arcs["from_stage"] != arcs["to_stage"]]
    names = stages["stage"].tolist()
    outside = set(names) - set(topological(names, arcs))
    if not outside:
        return
    cycle = _cycle(outside, arcs)
    table = "arcs" if not tables["arcs"].empty else "boms" if not tables["boms"].empty else "lanes"
    remedy = "Remove one of its arcs: what a stage delivers must not be needed for it"
    yield Finding(table, "the network has a cycle", remedy, value=" -> ".join(cycle))


def _cycle(stages: set[str], arcs: pd.DataFrame) -> list[str]:
    """One cycle among stages that all need one another, from a stage back to itself."""
    source = {b: a for a, b in zip(arcs["from_stage"], arcs["to_stage"], strict=True) if a in stages and b in stages}
    path = [min(stages & set(source))]
    while (before := source[path[-1]]) not in path:
        path.append(before)
    return [before, *reversed(path[path.index(before) :])]


def demand_can_be_served(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """Each item comes to each site where it is wanted, or needed for what is wanted."""
    demand = tables["demand"]
    if demand.empty or not _can_derive(tables):
        return
    for (item, site), needed_by in derive(tables).unserved.items():
        rows = demand.index[(demand["item"] == item) & (demand["site"] == site)]
        rule = "nothing brings this item to this site: no offer, lane or bill of material"
        rule += f" (it is needed for {stage_name(*needed_by)})" if needed_by else ""
        yield Finding("demand" if needed_by is None else "boms", rule, "Add an offer, a lane or a bill for it",
                      int(rows[0]) if len(rows) else None, "item, site", f"{item}, {site}")  # fmt: skip


def one_way_is_taken(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """Where an item could come in several ways, the plan knows one (a warning)."""
    if len(tables["demand"]) and _can_derive(tables):
        for (item, site), words in derive(tables).choices.items():
            yield Finding("lanes", f"the item could come in several ways; the plan takes it {words}",
                          "Remove the others if this is not meant, or give stages and arcs", column="item, to_site",
                          value=f"{item}, {site}", severity="warning")  # fmt: skip


def history_is_long_enough(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """A history spans at least two days on the grid of history_days."""
    history = tables["demand_history"]
    for stage, days in history.groupby("stage", sort=False)["day"]:
        if len(days) < 2:
            yield Finding("demand_history", "one row says nothing about variation", "Add the days before it",
                          int(days.index[0]), "stage", str(stage))  # fmt: skip
            continue
        off = (days - days.min()).dt.days % options.history_days != 0
        for row, day in days[off].items():
            rule = f"is no multiple of the option history_days ({options.history_days}) after the first"
            yield Finding(
                "demand_history", rule, "Correct the day or the option", int(str(row)), "day", f"{day:%Y-%m-%d}"
            )


def bootstrap_has_histories(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """To draw demand again from the past, every stage with customers needs one."""
    if options.demand_model != "bootstrap" or not _can_derive(tables):
        return
    history, stages = tables["demand_history"], network(tables)[0]
    known = set(history["stage"])
    if known and (history.groupby("day")["stage"].nunique() == len(known)).sum() < 2:
        rule = "demand_model is bootstrap, and fewer than two days stand in the history of every stage"
        yield Finding("demand_history", rule, "Give all histories for the same days", column="day")
    wants = (stages["demand_mean"].fillna(0) > 0) | (stages["demand_std"].fillna(0) > 0)
    for stage in stages.loc[wants & ~stages["stage"].isin(known), "stage"]:
        yield Finding("demand_history", "demand_model is bootstrap, and this stage with customers has no history",
                      "Add its days, or choose normal or gamma", column="stage", value=str(stage))  # fmt: skip


def lead_times_are_distributions(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """The probabilities of a stage's lead times add up to 1, and its variation is given in one place only."""
    times = tables["lead_times"]
    spread = tables["stages"].set_index("stage")["lead_time_std"]
    for stage, group in times.groupby("stage", sort=False):
        total, row = group["probability"].sum(), int(group.index[-1])
        if abs(total - 1) > 1e-6:
            yield Finding(
                "lead_times",
                "the probabilities of a stage must add up to 1",
                "Correct them",
                row,
                "probability",
                f"{total:g}",
            )
        if spread.get(stage, 0.0) > 0:
            yield Finding(
                "lead_times", "the stage has a lead_time_std too", "Keep one of them", row, "stage", str(stage)
            )


def bounds_leave_a_time(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """The shortest service time is at most the longest, and at most what customers are promised."""
    stages = tables["stages"]
    for bound in ("max_service_time", "promised_time"):
        for row, low, high in stages.loc[
            stages["min_service_time"] > stages[bound], ["min_service_time", bound]
        ].itertuples():
            yield Finding("stages", f"the shortest service time is over the {bound} of {high:g}", "Lower it",
                          int(row), "min_service_time", f"{low:g}")  # fmt: skip


def exact_times_have_plain_stock(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """With exact times, stock must be concave in the net time: normal demand, cycle service, constant lead times, no
    shared limits. Else a plan is only exact on a grid, for which whole days serve."""
    if options.times != "exact":
        return
    remedy = "Write times = days, or remove it"
    if options.demand_model != "normal":
        yield Finding(
            "options", "exact times need normal demand", remedy, column="demand_model", value=options.demand_model
        )
    stages = tables["stages"]
    kind = stages["service_kind"].where(stages["service_kind"] != "", options.service_kind)
    for row in stages.index[kind == "fill_rate"]:
        yield Finding("stages", "exact times need cycle service", remedy, int(row), "service_kind", "fill_rate")
    if options.service_kind == "fill_rate" and stages.empty:
        yield Finding("options", "exact times need cycle service", remedy, column="service_kind", value="fill_rate")
    for row, std in stages.loc[stages["lead_time_std"] > 0, "lead_time_std"].items():
        yield Finding(
            "stages", "exact times need constant lead times", remedy, int(str(row)), "lead_time_std", f"{std:g}"
        )
    for table in ("lead_times", "stock_limits"):
        if len(tables[table]):
            yield Finding(table, "exact times go without this table", remedy, int(tables[table].index[0]))
    if options.simulate:
        yield Finding(
            "options", "the simulation goes by whole days", remedy, column="simulate", value=str(options.simulate)
        )


def the_completed_case_can_be_planned(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """What needs the whole network to be seen: service levels, promises that can be kept, stages without demand."""
    if not _is_sound(tables, options):
        return
    full = complete(tables, options)
    rows = {name: int(row) for row, name in tables["stages"]["stage"].items()}
    yield from _service_levels(full, rows)
    yield from _promises(full, rows)
    yield from _demand(full, rows, options)
    yield from _shape(full, rows)


def _service_levels(full: Frames, rows: dict[str, int]) -> Iterator[Finding]:
    """Each stage with customers has a service level, of its own or by the option."""
    stages = full["stages"]
    for stage in stages.loc[(stages["demand_std"] > 0) & stages["service_level"].isna(), "stage"]:
        rule, remedy = f"{stage} has customers and no service level", "Fill it, or set the option service_level"
        yield Finding("stages", rule, remedy, rows.get(stage), "service_level")


def _promises(full: Frames, rows: dict[str, int]) -> Iterator[Finding]:
    """Stages that may hold no stock can serve within the times they promise: least S_i = max(SI_i + L_i, shortest)."""
    longest = full["lead_times"].groupby("stage")["days"].max()
    sources = full["arcs"].groupby("to_stage")["from_stage"].agg(list).to_dict()
    least: dict[str, float] = {}
    for row in full["stages"].itertuples(index=False):
        inbound = max([row.supply_time, *(least[p] for p in sources.get(row.stage, ()))])
        whole = inbound + longest.get(row.stage, row.lead_time) + row.review_period - 1
        least[row.stage] = row.min_service_time if row.may_hold_stock else max(whole, row.min_service_time)
        for name in ("promised_time", "max_service_time"):
            if not row.may_hold_stock and least[row.stage] > getattr(row, name) + 1e-9:
                rule = f"cannot be kept: without stock at {row.stage} serving takes {least[row.stage]:g} days"
                yield Finding("stages", rule, "Let it hold stock, or allow more time", rows.get(row.stage), name,
                              f"{getattr(row, name):g}")  # fmt: skip


def _demand(full: Frames, rows: dict[str, int], options: PositioningOptions) -> Iterator[Finding]:
    """Demand whose mean is needed and missing; demand that never varies; stages that no demand reaches."""
    stages = full["stages"]
    mean_counts = (stages["service_kind"] == "fill_rate").any() or options.demand_model == "gamma"
    varies = stages["demand_std"] > 0
    for stage in stages.loc[varies & (stages["demand_mean"] == 0) & mean_counts, "stage"]:
        rule = f"a fill rate or gamma demand needs the mean demand of {stage}"
        yield Finding("stages", rule, "Fill it", rows.get(stage), "demand_mean")
    for stage in stages.loc[~varies & (stages["demand_mean"] > 0), "stage"]:
        rule = f"the demand of {stage} has no deviation: it needs no safety stock"
        yield Finding("stages", rule, "Fill it if demand varies", rows.get(stage), "demand_std", severity="warning")
    reached = set(stages.loc[varies | (stages["demand_mean"] > 0), "stage"])
    sources = full["arcs"].groupby("to_stage")["from_stage"].agg(list).to_dict()
    for stage in reversed(stages["stage"].tolist()):
        reached |= set(sources.get(stage, ())) if stage in reached else set()
    for stage in stages.loc[~stages["stage"].isin(reached), "stage"]:
        rule, remedy = "no demand ever reaches this stage", "Add its demand, or an arc to a stage that has some"
        yield Finding("stages", rule, remedy, rows.get(stage), "stage", stage, severity="warning")


def _shape(full: Frames, rows: dict[str, int]) -> Iterator[Finding]:
    """A stage without any arc in a network that has arcs; lead times that are all zero (warnings)."""
    stages, arcs = full["stages"], full["arcs"]
    joined = set(arcs["from_stage"]) | set(arcs["to_stage"])
    for stage in stages.loc[~stages["stage"].isin(joined), "stage"] if len(arcs) else ():
        rule, remedy = "no arc joins this stage to the others", "Add an arc if it belongs to the network"
        yield Finding("stages", rule, remedy, rows.get(stage), "stage", stage, severity="warning")
    time = stages["lead_time"] + stages["review_period"] - 1 + stages["supply_time"]
    if (time == 0).all() and not (full["lead_times"]["days"] > 0).any():
        rule = "all lead times are zero: nothing needs safety stock"
        yield Finding("stages", rule, "Fill lead_time, in days", column="lead_time", severity="warning")


def limits_name_what_exists(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """A limit's department and site are those of some stage."""
    if tables["stock_limits"].empty or not _is_sound(tables, options):
        return
    stages = complete(tables, options)["stages"]
    for column in ("department", "site"):
        named, known = tables["stock_limits"][column], sorted(set(stages[column]) - {""})
        for row, name in named[(named != EVERY) & ~named.isin(known)].items():
            rule, remedy = f"no stage belongs to this {column}", f"Write one of: {', '.join(known[:30])}"
            yield Finding("stock_limits", rule, remedy, int(str(row)), column, str(name))


def _can_derive(tables: Frames) -> bool:
    """Whether a network can be looked at: where it is derived, items are there and the periods can be told."""
    if tables["demand"].empty:
        return not tables["stages"].empty
    dates_missing = next(periods_are_dates_where_none_are_declared(_with_all_periods(tables), None), None)  # type: ignore[arg-type]
    return not tables["items"].empty and dates_missing is None


def _with_all_periods(tables: Frames) -> Frames:
    """The tables with those of the ordering family that name periods, empty: positioning has none of them."""
    nothing = pd.DataFrame({"period": pd.Series(dtype="str")})
    return tables | dict.fromkeys(
        ("receipts", "safety_stock", "budgets", "storage", "supplier_capacity", "pinned_orders"), nothing
    )


def periods_can_be_told(tables: Frames, options: PositioningOptions) -> Iterator[Finding]:
    """Without a periods table, the periods of demand must be dates."""
    if not tables["demand"].empty:
        yield from periods_are_dates_where_none_are_declared(_with_all_periods(tables), options)  # type: ignore[arg-type]


def _is_sound(tables: Frames, options: PositioningOptions) -> bool:
    """Whether the network may be completed: nothing that would make that fail."""
    checks: list[Any] = [
        there_is_a_network,
        stages_are_given_or_derived,
        arcs_lead_elsewhere,
        the_network_has_no_cycle,
        demand_can_be_served,
    ]
    return _can_derive(tables) and all(next(check(tables, options), None) is None for check in checks)


RULES = (
    Rule(there_is_a_network, ("stages", "demand", "items")),
    Rule(demand_is_positive_somewhere, ("stages", "demand", "demand_history")),
    Rule(periods_can_be_told, ("demand", "periods")),
    Rule(lanes_lead_elsewhere, ("lanes",)),
    Rule(arcs_lead_elsewhere, ("arcs",)),
    Rule(stages_are_given_or_derived, (*NETWORK, "lead_times", "demand_history")),
    Rule(the_network_has_no_cycle, NETWORK),
    Rule(demand_can_be_served, ORDINARY),
    Rule(one_way_is_taken, ORDINARY),
    Rule(history_is_long_enough, ("demand_history",)),
    Rule(bootstrap_has_histories, (*NETWORK, "demand_history")),
    Rule(lead_times_are_distributions, ("lead_times", "stages")),
    Rule(bounds_leave_a_time, ("stages",)),
    Rule(exact_times_have_plain_stock, ("stages", "lead_times", "stock_limits")),
    Rule(the_completed_case_can_be_planned, ALL),
    Rule(limits_name_what_exists, ALL),
)
