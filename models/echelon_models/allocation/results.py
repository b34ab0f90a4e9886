"""The plan as tables, read back from the solved model, with its key figures and what belongs on its one page."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyomo.environ as pyo

from echelon.explain.words import in_words
from echelon.family import Page
from echelon.schema import Table
from echelon.tables import Frames
from echelon_models.allocation.formulation import goods
from echelon_models.allocation.limits import limit_rows
from echelon_models.allocation.recourse import lost_arcs, paid
from echelon_models.allocation.schema import RESULTS
from echelon_models.allocation.search import Found
from echelon_models.allocation.sets import Sets

DIGITS = 6  # quantities are given to a millionth of a unit
SHOWN = 10  # awards on the one page


def read_plan(found: Found, sets: Sets, full: Frames, rule_prices: pd.DataFrame, targets: pd.DataFrame) -> Frames:
    """The result tables of a search that found a plan."""
    m = found.model
    flows = _flows(m, sets)
    awards = _awards(m, sets, flows, full["current_awards"])
    supplier_awards = _supplier_awards(m, sets, awards)
    cost = float(pyo.value(m.plan_cost))
    plan = {
        "awards": awards,
        "flows": flows,
        "supplier_awards": supplier_awards,
        "recourse": _recourse(found, sets),
        "scenario_costs": _scenario_costs(found, sets, cost),
        "survival": _survival(m),
        "concentration": _concentration(awards, full),
        "reliability": full["reliability"],
        "rule_prices": rule_prices,
        "renegotiation": targets,
        "offers": _ordering_offers(awards, flows, supplier_awards, full, sets),
        "shares": _ordering_shares(awards, sets),
        "limits": _limits(found, sets),
    }
    return {t.name: t.typed(plan[t.name]) if t.name in plan else t.empty() for t in RESULTS}


def kpis(plan: Frames, full: Frames, costs: dict[str, float]) -> dict[str, Any]:
    """Key figures of a plan: money in the case's currency, shares and service as parts of 1."""
    awards, suppliers, scenarios = plan["awards"], plan["supplier_awards"], plan["scenario_costs"]
    concentration = plan["concentration"]
    whole = concentration[(concentration["scope"] == "all") & (concentration["across"] == "supplier")]
    single = awards[awards["quantity"] > 0].groupby("item")["supplier"].nunique()
    moved = float((awards["change"].clip(lower=0.0) * awards["item"].map(_needs(full))).sum())
    figures = {
        "suppliers": int((suppliers["quantity"] > 0).sum()),
        "awards": int((awards["quantity"] > 0).sum()),
        "single_sourced_items": int((single == 1).sum()),
        "spend": float(awards["spend"].sum()),
        "rebates": float(suppliers["rebate"].sum()),
        "emissions_kg": float(plan["flows"]["carbon"].sum()),
        "hhi": float(whole["hhi"].iloc[0]) if len(whole) else 0.0,
        "units_moved_to_others": moved if len(full["current_awards"]) else None,
    }
    if len(scenarios):
        figures |= {
            "expected_cost": float((scenarios["cost"] * scenarios["probability"]).sum()),
            "worst_cost": float(scenarios["cost"].max()),
            "expected_service": float((scenarios["service"] * scenarios["probability"]).sum()),
            "worst_service": float(scenarios["service"].min()),
        }
    return figures


def _needs(full: Frames) -> pd.Series:
    return full["demand"].groupby("item")["quantity"].sum()


def page(plan: Frames, figures: dict[str, Any], currency: str) -> Page:
    """What the one page shows of an award."""
    money = f" {currency}" if currency else ""
    service = {
        "award": f"{figures['awards']:,} awards with {figures['suppliers']:,} suppliers, spend {figures['spend']:,.0f}"
        f"{money}, rebates {figures['rebates']:,.0f}{money}",
        "concentration": f"HHI {figures['hhi']:.3f} over suppliers, {figures['single_sourced_items']:,} items from one",
        "emissions": f"{figures['emissions_kg']:,.0f} kg",
    }
    if "expected_cost" in figures:
        dearest = plan["scenario_costs"].iloc[0]
        service["over scenarios"] = (
            f"expected cost {figures['expected_cost']:,.0f}{money}, service {figures['expected_service']:.2%}; "
            f"dearest is {dearest['scenario']} with {dearest['cost']:,.0f}{money} and service {dearest['service']:.2%}"
        )
    for name, title in (
        ("value_of_stochastic_solution", "planning for the scenarios saves"),
        ("value_of_perfect_information", "knowing the scenario beforehand would save"),
    ):
        if name in figures:
            service[title] = f"{figures[name]:,.0f}{money}"
    for row in plan["renegotiation"].head(3).itertuples():
        where = f"renegotiate: {row.supplier} for {row.item}"
        service[where] = f"wins {row.quantity:,.0f} units below {row.target_price:,.4g} (asks {row.price:,.4g})"
    dearest = plan["awards"].nlargest(SHOWN, "spend", keep="first")
    actions = pd.DataFrame(
        {
            "supplier": dearest["supplier"],
            "item": dearest["item"],
            "quantity": dearest["quantity"].map("{:,.6g}".format),
            "share": dearest["share"].map("{:.1%}".format),
            "unit price": dearest["unit_price"].map("{:,.4g}".format),
            f"spend{money}": dearest["spend"].map("{:,.0f}".format),
            "change": dearest["change"].map("{:+.1%}".format),
        }
    )
    return Page(service, constraint(plan, money), "The awards that matter most in money", actions)


def constraint(plan: Frames, money: str) -> str:
    """The rule that costs most and the limit that holds the award back most, in words."""
    said = []
    rules = plan["rule_prices"][plan["rule_prices"]["saving"] > 0]
    if len(rules):
        dearest = rules.loc[rules["saving"].idxmax()]
        said.append(f"The rule that costs most is {dearest['rule']}: {dearest['saving']:,.0f}{money} a year.")
    said.append(in_words(plan["eased"], plan["limits"], money, "all items"))
    return " ".join(said)


def _flows(m: Any, sets: Sets) -> pd.DataFrame:
    rows = []
    for arc, t in sets.arcs.items():
        quantity = round(m.quantity[arc].value, DIGITS)
        if quantity > 0:
            costs = (t.freight, t.duty, t.quality, t.lateness, t.inventory, t.carbon)
            rows.append((*arc, quantity, *(cost * quantity for cost in costs)))
    frame = pd.DataFrame(rows, columns=list(_table("flows").columns))
    return frame.sort_values(["item", "site", "supplier"], ignore_index=True)


def _awards(m: Any, sets: Sets, flows: pd.DataFrame, current: pd.DataFrame) -> pd.DataFrame:
    part = flows.groupby(["supplier", "item"])["quantity"].sum().to_dict()
    whole = flows.groupby("item")["quantity"].sum().to_dict()
    today = {(r.supplier, r.item): r.share for r in current.itertuples()}
    rows = []
    for s, i in m.pairs:
        if m.award[s, i].value < 0.5:
            continue
        quantity = part.get((s, i), 0.0)
        paid_for = float(pyo.value(goods(m, sets, s, i))) if quantity else 0.0
        share = quantity / whole[i] if quantity else 0.0
        price = paid_for / quantity if quantity else sets.offers[s, i].price
        good, change = quantity * sets.offers[s, i].yield_rate, share - today.get((s, i), 0.0)
        rows.append((s, i, quantity, good, share, price, paid_for, sets.offers[s, i].award_cost, change))
    frame = pd.DataFrame(rows, columns=list(_table("awards").columns))
    return frame.sort_values(["item", "supplier"], ignore_index=True)

    return goods(m, sets, s, i)


def _supplier_awards(m: Any, sets: Sets, awards: pd.DataFrame) -> pd.DataFrame:
    total = float(awards["spend"].sum())
    rows = []
    for s in m.suppliers:
        if m.used[s].value < 0.5:
            continue
        own = awards[awards["supplier"] == s]
        spend = float(own["spend"].sum())
        rebate = -sum(
            r.rate * m.tier_spend[s, k].value + r.fixed * m.tier[s, k].value
            for k, r in enumerate(m.rebate_steps.get(s, ()))
        )
        share = spend / total if total else 0.0
        row = (s, int((own["quantity"] > 0).sum()), own["quantity"].sum(), spend, share, rebate)
        rows.append((*row, sets.suppliers[s].activation_cost))
    return pd.DataFrame(rows, columns=list(_table("supplier_awards").columns)).sort_values("supplier")


def _recourse(found: Found, sets: Sets) -> pd.DataFrame:
    rows = []
    for scenario in found.scenarios.all:
        m = scenario.model
        for (w, s, i, l), variable in m.extra.items():
            rows.append((w, "extra", s, i, l, variable.value, paid(sets, (s, i, l))))
        for (w, i, l), variable in m.emergency.items():
            rows.append((w, "emergency", "", i, l, variable.value, sets.items[i].emergency_price))
        for (w, i, l), variable in m.short.items():
            rows.append((w, "short", "", i, l, variable.value, sets.items[i].shortage_cost))
    rows = [(*row[:5], q, q * row[6]) for row in rows if (q := round(row[5], DIGITS)) > 0]
    return pd.DataFrame(rows, columns=list(_table("recourse").columns))


def _scenario_costs(found: Found, sets: Sets, plan_cost: float) -> pd.DataFrame:
    need = sum(sets.demand.values())
    models = {scenario.name: scenario.model for scenario in found.scenarios.all}
    rows = []
    for w, probability in sets.scenarios.items():
        lost = sum(
            part * sets.offers[arc[:2]].yield_rate * max(found.model.quantity[arc].value, 0.0)
            for arc, part in lost_arcs(sets, w).items()
        )
        m = models.get(w)
        extra = sum(v.value * sets.offers[k[1:3]].yield_rate for k, v in m.extra.items()) if m else 0.0
        emergency = sum(v.value for v in m.emergency.values()) if m else 0.0
        short = sum(v.value for v in m.short.values()) if m else 0.0
        cost = found.costs[w]
        quantities = (round(max(q, 0.0), DIGITS) for q in (lost, extra, emergency, short))
        service = min(max(1 - short / need, 0.0), 1.0) if need else 1.0
        rows.append((w, probability, plan_cost + cost, cost, *quantities, service))
    frame = pd.DataFrame(rows, columns=list(_table("scenario_costs").columns)[1:])
    frame = frame.sort_values(["cost", "scenario"], ascending=[False, True], ignore_index=True)
    return frame.assign(rank=range(1, len(frame) + 1))


def _survival(m: Any) -> pd.DataFrame:
    rows = [(*key, q) for key, v in m.backup.items() if (q := round(v.value or 0.0, DIGITS)) > 0]
    return pd.DataFrame(rows, columns=list(_table("survival").columns))


def _concentration(awards: pd.DataFrame, full: Frames) -> pd.DataFrame:
    suppliers = full["suppliers"].set_index("supplier")
    spend = awards.assign(
        group=awards["item"].map(full["items"].set_index("item")["group"]),
        parent=awards["supplier"].map(suppliers["parent"]),
        region=awards["supplier"].map(suppliers["region"]),
    )
    spend = spend[spend["spend"] > 0]
    rows = [
        (scope, name, across, *_hhi(part, across))
        for scope, name, part in _scopes(spend)
        for across in ("supplier", "parent", "region")
        if across != scope and (part[across] != "").any()
    ]
    return pd.DataFrame(rows, columns=list(_table("concentration").columns))


def _scopes(spend: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """(scope, name, rows): all spend, that of each group of items, that in each region."""
    if len(spend):
        yield "all", "", spend
    for scope in ("group", "region"):
        for name, part in spend.groupby(scope, sort=True):
            if name:
                yield scope, str(name), part


def _hhi(part: pd.DataFrame, across: str) -> tuple[float, float, str, float]:
    """Spend, sum of squared shares, who has the largest share, that share."""
    by = part.groupby(across)["spend"].sum()
    shares = by / by.sum()
    return float(by.sum()), min(float((shares**2).sum()), 1.0), str(shares.idxmax()), float(shares.max())


def _ordering_offers(
    awards: pd.DataFrame, flows: pd.DataFrame, suppliers: pd.DataFrame, full: Frames, sets: Sets
) -> pd.DataFrame:
    """Awarded offers with what a good unit costs on delivery, its supplier's rebate spread over its spend."""
    priced = flows.merge(awards[["supplier", "item", "unit_price"]], on=["supplier", "item"])
    by_supplier = suppliers.set_index("supplier")
    back = (by_supplier["rebate"] / by_supplier["spend"]).where(by_supplier["spend"] > 0, 0.0)
    arcs = full["arcs"].set_index(["supplier", "item", "site"])["lead_time"]
    keys = list(zip(priced["supplier"], priced["item"], priced["site"], strict=True))
    rate = [sets.offers[s, i].yield_rate for s, i, _ in keys]
    moving = (priced["freight"] + priced["duty"]) / priced["quantity"]
    price = (priced["unit_price"] * (1 - priced["supplier"].map(back)) + moving) / rate
    periods = [math.ceil(arcs[key] / sets.options.period_days - 1e-9) for key in keys]
    return priced.assign(
        price=price.clip(lower=0.0), lead_time=periods, status="include", notes=""
    )  # fmt: skip


def _ordering_shares(awards: pd.DataFrame, sets: Sets) -> pd.DataFrame:
    given = awards[awards["quantity"] > 0]
    leeway = sets.options.share_tolerance
    return given.assign(
        min_share=(given["share"] - leeway).clip(lower=0.0),
        max_share=(given["share"] + leeway).clip(upper=1.0),
        status="include",
        notes="",
    )


def _limits(found: Found, sets: Sets) -> pd.DataFrame:
    """Each shared limit: its use, its excess, its price (the dual with the plan's yes-or-no decisions held)."""
    m = found.model
    units: dict[str, float] = defaultdict(float)
    for arc in sets.arcs:
        units[arc[0]] += m.quantity[arc].value
    amounts = [float(pyo.value(m.ceiling[n].body)) + m.excess[n].value for n in range(len(sets.ceilings))]
    use = [*amounts, *(units[s] for s in m.supplier_capacity)]
    frame = pd.DataFrame(limit_rows(m, sets), columns=["limit", "name", "unit", "t", "capacity", "row"])
    frame["use"] = np.array(use, dtype=float).round(DIGITS).clip(min=0.0)
    frame["excess"] = (frame["use"] - frame["capacity"]).clip(lower=0.0).astype(float).round(DIGITS)
    frame["price"] = [max(-found.solution.dual(row), 0.0) for row in frame["row"]]
    return frame


def _table(name: str) -> Table:
    return next(table for table in RESULTS if table.name == name)
