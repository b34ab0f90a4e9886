"""The plan as tables, read back from the solved model, with its key figures and what belongs on its one page."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon.explain.words import in_words
from echelon.family import Page
from echelon.solvers.highs import Solution
from echelon.tables import Frames
from echelon_models.network.figures import cost_to_serve, service_profile, site_states
from echelon_models.network.schema import COMPARISON, RESULTS, NetworkOptions
from echelon_models.network.sets import Sets
from echelon_models.network.terms import emissions, investment, or_zero, room

DIGITS = 6  # quantities are given to a millionth of a unit
SHOWN = 12  # changes on the one page


def tidy(m: Any, sets: Sets) -> bool:
    """Put the throughput of a solved model on the cheapest piece of its stock: a search that ends at a gap may leave
    it on a dearer one. True if any was moved."""
    moved = False
    for s, p, t in m.pooled:
        through, pieces = pyo.value(m.through[s, p, t]), sets.pieces[p]
        stock = [sets.years[t] * piece.fixed + piece.slope * through for piece in pieces]
        best = int(np.argmin(stock)) if round(through, DIGITS) > 0 else None
        for n in range(len(pieces)):
            on, quantity = int(n == best), through if n == best else 0.0
            moved |= round(pyo.value(m.piece[s, p, t, n])) != on
            m.piece[s, p, t, n].set_value(on, skip_validation=True)
            m.on_piece[s, p, t, n].set_value(quantity, skip_validation=True)
    return moved


def read_plan(m: Any, sets: Sets, full: Frames, options: NetworkOptions, solution: Solution) -> Frames:
    """The result tables of a solved model; those that compare and explain are left empty."""
    period = full["periods"].set_index("t")["period"]
    plan = {"flows": _flows(m, sets, period), "supply": _supply(m, sets, period)}
    plan["recovered"] = _recovered(m, sets, period)
    plan["served"] = _served(sets, plan["flows"], period)
    plan["sites"] = site_states(_states(m, sets, period), plan, full)
    plan["service"] = service_profile(plan, full, options.bands)
    plan["cost_to_serve"] = cost_to_serve(plan, full)
    plan["backup"] = _backup(m, sets, period)
    plan["limits"] = _limits(m, sets, period, solution)
    return {t.name: t.typed(plan[t.name]) if t.name in plan else t.empty() for t in RESULTS}


def comparison(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as the result table `comparison`."""
    return COMPARISON.typed(rows)


def _timed(name: str, rows: list[tuple[Any, ...]], key: list[str]) -> pd.DataFrame:
    """The rows as the result table of this name with the position t of their period at the end, in order of it."""
    table = next(table for table in RESULTS if table.name == name)
    kinds = table.empty().dtypes.to_dict() | {"t": "int64"}
    frame = pd.DataFrame(rows, columns=[*table.columns, "t"]).astype(kinds)
    return frame.sort_values(["t", *key], ignore_index=True)


def _value(variable: Any, factor: float = 1.0) -> float:
    return round(max(variable.value * factor, 0.0), DIGITS)


def _states(m: Any, sets: Sets, period: pd.Series) -> pd.DataFrame:
    """site, period, t, open, steps, capacity (NaN: no limit): what is decided of each site."""
    rows = []
    for s, t in m.site_times:
        capacity = pyo.value(room(m, sets, s, t)) + 0.0 if sets.capacity(s, t) < math.inf else math.nan
        steps = sum(round(m.step[s, k, t].value) for k, _ in sets.steps_of(s))
        rows.append((s, period[t], t, m.open[s, t].value > 0.5, steps, capacity))
    return pd.DataFrame(rows, columns=["site", "period", "t", "open", "steps", "capacity"])


def _flows(m: Any, sets: Sets, period: pd.Series) -> pd.DataFrame:
    rows = []
    for kind, keys, variable, scale in (
        ("lane", sets.moves, m.move, None),
        ("delivery", sets.serves, m.serve, sets.demand),
        ("return", sets.backs, m.back, sets.returned),
    ):
        ways = sets.lanes if kind == "lane" else sets.deliveries
        for key in keys:
            a, b, mode, p, t = key
            quantity = _value(variable[key], 1.0 if scale is None else scale[b, p, t])
            if quantity > 0:
                way, terms = ways[a, b, mode], sets.way_terms[key[:4]]
                duty = 0.0 if kind == "return" else terms.duty * quantity
                ends = (b, a) if kind == "return" else (a, b)
                rows.append((kind, *ends, mode, p, period[t], quantity, way.distance, way.hours,
                             terms.transport * quantity, duty, terms.emissions * quantity, t))  # fmt: skip
    return _timed("flows", rows, ["kind", "origin", "destination", "mode", "product"])


def _supply(m: Any, sets: Sets, period: pd.Series) -> pd.DataFrame:
    rows = [
        (s, p, period[t], quantity, quantity * sets.supply[s, p].cost, t)
        for s, p, t in m.supply
        if (quantity := _value(m.supply[s, p, t])) > 0
    ]
    return _timed("supply", rows, ["site", "product"])


def _recovered(m: Any, sets: Sets, period: pd.Series) -> pd.DataFrame:
    taken: dict[Any, float] = defaultdict(float)
    for key in sets.backs:
        s, c, _, p, t = key
        taken[s, p, t] += _value(m.back[key], sets.returned[c, p, t])
    rows = []
    for (s, p, t), quantity in taken.items():
        if quantity > 0:
            recovered = min(_value(m.recovered[s, p, t]), quantity)
            disposed, row = round(quantity - recovered, DIGITS), sets.recovery[s, p]
            cost = row.cost * recovered + row.disposal_cost * disposed
            rows.append((s, p, period[t], quantity, recovered, disposed, cost, t))
    return _timed("recovered", rows, ["site", "product"])


def _served(sets: Sets, flows: pd.DataFrame, period: pd.Series) -> pd.DataFrame:
    """Each demand, what is served of it, and by whom."""
    key = ["customer", "product", "t"]
    given = flows[flows["kind"] == "delivery"].rename(columns={"destination": "customer", "origin": "site"})
    by_site = given.groupby([*key, "site"], as_index=False)["quantity"].sum()
    main = by_site.sort_values([*key, "quantity", "site"], ascending=[True] * 3 + [False, True])
    main = main.drop_duplicates(key).set_index(key)["site"]
    totals = by_site.groupby(key)["quantity"].agg(["sum", "count"])
    rows = [(c, p, t, quantity) for (c, p, t), quantity in sets.demand.items()]
    frame = pd.DataFrame(rows, columns=[*key, "demand"]).sort_values(["t", "customer", "product"])
    index = pd.MultiIndex.from_frame(frame[key])
    return frame.assign(
        period=frame["t"].map(period),
        served=totals["sum"].reindex(index).fillna(0.0).to_numpy(),
        sites=totals["count"].reindex(index).fillna(0).to_numpy(),
        main_site=main.reindex(index).fillna("").to_numpy(),
    )


def _backup(m: Any, sets: Sets, period: pd.Series) -> pd.DataFrame:
    rows = [
        (f, s, c, p, period[t], quantity)
        for f, s, c, p, t in (m.rescue if sets.backup_cover > 0 and sets.serves else ())
        if (quantity := _value(m.rescue[f, s, c, p, t], sets.demand[c, p, t])) > 0
    ]
    return pd.DataFrame(rows, columns=["failing", "site", "customer", "product", "period", "quantity"])


def _resources(m: Any, sets: Sets) -> list[tuple[Any, ...]]:
    """(limit, name, t, unit, capacity, use, excess, row) of what open sites can take, supply, recover, dispose of; row
    is None where nothing can come to use it."""
    rows: list[tuple[Any, ...]] = []
    is_open = {key for key in m.site_times if m.open[key].value > 0.5}
    for s, t in m.site_times:
        if (s, t) in is_open and sets.capacity(s, t) < math.inf:
            capacity, row = pyo.value(room(m, sets, s, t)), or_zero(m.site_capacity, (s, t))
            use = capacity + pyo.value(row.body) if row else 0.0
            rows.append(("site capacity", s, t, "capacity units", capacity, use, 0.0, row))
    for (s, p), terms in sets.supply.items():
        for t in sets.times:
            if (s, t) in is_open and terms.capacity == terms.capacity:
                row = or_zero(m.supply_capacity, (s, p, t))
                use = m.supply[s, p, t].value if row else 0.0
                rows.append(("supply", f"{s} {p}", t, "units", terms.capacity * sets.years[t], use, 0.0, row))
    for name, rule, column in (
        ("recovery", m.recovery_capacity, "capacity"),
        ("disposal", m.disposal_limit, "disposal_limit"),
    ):
        for (s, p), terms in sets.recovery.items():
            for t in sets.times:
                if (s, t) in is_open and getattr(terms, column) < math.inf:
                    row = or_zero(rule, (s, p, t))
                    use = pyo.value(row.body) if row else 0.0
                    rows.append((name, f"{s} {p}", t, "units", getattr(terms, column) * sets.years[t], use, 0.0, row))
    return rows


def limit_lines(m: Any, sets: Sets) -> pd.DataFrame:
    """limit, name, t, unit, capacity, use, excess and row (the constraint; None where nothing can come to use it) of
    each limit that the plan in the model is under."""
    rows = _resources(m, sets)
    for k in m.sites_at_most:
        region, kind, counts, t = k
        name = " ".join(part for part in (counts, kind, region) if part)
        use = round(pyo.value(m.sites_at_most[k].body))
        rows.append(("sites", name, t, "sites", sets.site_limits[k].maximum, use, 0.0, m.sites_at_most[k]))
    for t in m.budget:
        use, amount = pyo.value(investment(m, sets, t)), sets.budgets[t].amount
        rows.append(("budget", "", t, "money", amount, use, max(use - amount, 0.0), m.budget[t]))
    for k in m.service:
        group, measure, within, t = k
        unit = f"units beyond {within:g} {'km' if measure == 'distance' else 'hours'}"
        use = pyo.value(m.service[k].body) + m.service_excess[k].value
        allowed = pyo.value(m.service[k].upper)
        rows.append(("service", group, t, unit, allowed, use, max(use - allowed, 0.0), m.service[k]))
    emitted = emissions(m, sets) if len(m.carbon_cap) else {}
    for t in m.carbon_cap:
        use, cap = pyo.value(emitted[t]), sets.carbon[t].cap
        rows.append(("carbon", "", t, "t CO2", cap, use, max(use - cap, 0.0), m.carbon_cap[t]))
    return pd.DataFrame(rows, columns=["limit", "name", "t", "unit", "capacity", "use", "excess", "row"])


def _limits(m: Any, sets: Sets, period: pd.Series, solution: Solution) -> pd.DataFrame:
    """Each limit that the plan is under: what it allows, its use, its excess, its price."""
    frame = limit_lines(m, sets)
    frame["price"] = [max(-solution.dual(row), 0.0) + 0.0 for row in frame["row"]]
    for column in ("use", "excess"):
        frame[column] = frame[column].astype(float).round(DIGITS).clip(lower=0.0)
    return frame.assign(period=frame["t"].map(period))


def kpis(plan: Frames, full: Frames, costs: dict[str, float]) -> dict[str, Any]:
    """Key figures of a plan: shares as parts of 1, distances in km, emissions in t CO2, money discounted."""
    sites, served, flows = plan["sites"], plan["served"], plan["flows"]
    deliveries = flows[(flows["kind"] == "delivery") & flows["distance"].notna()]
    demand, quantity = float(served["demand"].sum()), float(served["served"].sum())
    limited = sites[sites["open"] & sites["capacity"].notna()]
    measured = float(deliveries["quantity"].sum())
    total = sum(costs.values())
    comparison = plan["comparison"]
    totals = comparison[comparison["figure"] == "total"].set_index("network")["value"]
    return {
        "open_sites": {str(p): int(n) for p, n in sites.groupby("period", sort=False)["open"].sum().items()},
        "opened": sorted(sites.loc[sites["opened"], "site"].unique().tolist()),
        "closed": sorted(sites.loc[sites["closed"], "site"].unique().tolist()),
        "served_share": quantity / demand if demand else 1.0,
        "average_distance": float((deliveries["distance"] * deliveries["quantity"]).sum()) / measured
        if measured else None,
        "utilisation": float(limited["use"].sum() / limited["capacity"].sum()) if limited["capacity"].sum() else None,
        "throughput": float(sites["throughput"].sum()),
        "emissions": float(sites["emissions"].sum() + flows["emissions"].sum()),
        "cost_per_unit": total / quantity if quantity else None,
        "networks": {str(name): None if value != value else float(value) for name, value in totals.items()},
    }  # fmt: skip


def page(plan: Frames, figures: dict[str, Any], currency: str) -> Page:
    """What the one page shows of a network."""
    money = f" {currency}" if currency else ""
    counts = figures["open_sites"]
    service = {
        "sites": " ".join(f"{n} open in {period}," for period, n in counts.items()).rstrip(","),
        "demand served": f"{figures['served_share']:.2%}",
    }
    if figures["utilisation"] is not None:
        service["utilisation"] = f"{figures['utilisation']:.1%} of the open sites' capacity"
    if figures["average_distance"] is not None:
        service["distance"] = f"{figures['average_distance']:,.0f} km on average; {_profile(plan['service'])}"
    if figures["emissions"] > 0:
        service["emissions"] = f"{figures['emissions']:,.1f} t CO2"
    for name, total in figures["networks"].items():
        if name != "plan":
            service[f"{name} network"] = _against(total, figures["networks"].get("plan"), money)
    constraint = in_words(plan["eased"], plan["limits"], money, "the whole network")
    return Page(service, constraint, "What changes", _changes(plan["sites"], money))


def _profile(service: pd.DataFrame) -> str:
    """How much is served from within each bound, over all groups and periods."""
    total = service["quantity"].sum()
    near = service[service["band"].str.contains(" to ")]
    bound = near["band"].str.split(" to ").str[-1].astype(float)
    within = near.groupby(bound)["quantity"].sum().cumsum()
    shown = [f"{quantity / total:.0%} within {bound:g} km" for bound, quantity in within.items()]
    return ", ".join(shown[:4]) if total else ""


def _against(total: float | None, plan: float | None, money: str) -> str:
    if total is None or plan is None:
        return "no such network was found that keeps all limits"
    return f"costs {total:,.0f}{money}, {abs(total - plan):,.0f} {'more' if total >= plan else 'less'} than the plan"


def _changes(sites: pd.DataFrame, money: str) -> pd.DataFrame:
    """The sites that open, close or grow, in order of time; where nothing changes, the open sites."""
    before = sites.groupby("site", sort=False)["steps"].shift()
    grown = before.notna() & (sites["steps"] > before.fillna(0)) & ~sites["opened"]
    changed = sites[sites["opened"] | sites["closed"] | grown]
    what = np.select([changed["opened"], changed["closed"]], ["opens", "closes"], "grows")
    if changed.empty:
        changed = sites[sites["open"]].drop_duplicates("site")
        what = np.full(len(changed), "stays open")
    changed, what = changed.iloc[:SHOWN], what[:SHOWN]
    return pd.DataFrame(
        {
            "period": changed["period"],
            "site": changed["site"],
            "what": what,
            "steps": changed["steps"].astype(str),
            "sends out": changed["throughput"].map("{:,.6g}".format),
            "utilisation": changed["utilisation"].map(lambda u: "" if pd.isna(u) else f"{u:.0%}"),
            f"its own cost{money}": changed["cost"].map("{:,.0f}".format),
        }
    )
