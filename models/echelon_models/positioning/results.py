"""The plan as tables, with its key figures and what belongs on its one page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from echelon.explain.words import in_words
from echelon.family import Page
from echelon.tables import Frames
from echelon_models.positioning.limits import named
from echelon_models.positioning.network import Network
from echelon_models.positioning.plan import Plan, each_for_itself, only_at_the_end
from echelon_models.positioning.schema import RESULTS, PositioningOptions
from echelon_models.positioning.simulate import simulate
from echelon_models.positioning.stock import SafetyStock
from echelon_models.rows import EVERY

SHOWN = 10  # stages on the one page


def read_plan(
    network: Network,
    stock: Sequence[SafetyStock],
    full: Frames,
    plan: Plan,
    used: pd.DataFrame,
    options: PositioningOptions,
    seed: int,
) -> Frames:
    """The result tables of a plan (`eased` left empty); `used` are the limits with use, excess and price."""
    stages = _stages(network, stock, full, plan)
    found = {
        "stages": stages,
        "arcs": full["arcs"].sort_values(["from_stage", "to_stage"]),
        "echelons": _echelons(network, stages),
        "comparison": _comparison(network, stock, plan),
        "limits": named(used),
        "safety_stock": _safety_stock(stages),
        "service": simulate(network, plan, stages, options, seed),
    }
    return {t.name: t.typed(found[t.name]) if t.name in found else t.empty() for t in RESULTS}


def _stages(n: Network, stock: Sequence[SafetyStock], full: Frames, plan: Plan) -> pd.DataFrame:
    """One row a stage, in the order of the completed table (each after all it needs)."""
    stages = full["stages"]
    net = np.array([float(stock[i].net_time(np.array(plan.inbound[i] - plan.quoted[i]))[0]) for i in range(len(n))])
    own = np.array([float(lead.steps @ lead.probability) for lead in n.lead]) * n.step - (n.review - 1)
    base = n.mean * net + plan.units
    return pd.DataFrame(
        {
            **{name: stages[name] for name in ("stage", "item", "site", "department", "echelon")},
            "inbound_time": plan.inbound * n.step,
            "lead_time": stages["lead_time"],
            "service_time": plan.quoted * n.step,
            "net_time": net,
            "demand_mean": n.mean,
            "demand_std": n.std,
            "service_level": np.where([n.holds(i) for i in range(len(n))], n.level, np.nan),
            "service_kind": stages["service_kind"],
            "value": n.value,
            "safety_stock": plan.units,
            "stock_value": plan.units * n.value,
            "cost": plan.cost,
            "base_stock": base,
            "reorder_level": base - n.mean * np.minimum(n.review - 1, net),
            "pipeline_stock": n.mean * own,
            "days_of_cover": np.divide(plan.units, n.mean, out=np.full(len(n), np.nan), where=n.mean > 0),
            "current_stock": stages["current_stock"],
            "change": plan.units - stages["current_stock"],
            "cost_added": n.cost_added,
        }
    )


def _echelons(n: Network, stages: pd.DataFrame) -> pd.DataFrame:
    pipeline = stages["pipeline_stock"] * (stages["value"] - stages["cost_added"] / 2).clip(lower=0.0)
    both = stages.assign(pipeline_value=pipeline, stocking_points=(stages["safety_stock"] > 0).astype(int), stages=1)
    columns = ["stages", "stocking_points", "safety_stock", "stock_value", "pipeline_value", "cost"]
    return both.groupby("echelon", sort=True)[columns].sum().reset_index()


def _comparison(n: Network, stock: Sequence[SafetyStock], plan: Plan) -> pd.DataFrame:
    """The plan against every stage for itself, and against stock only at the end."""
    policies = {
        "plan": plan,
        "each for itself": each_for_itself(n, stock),
        "only at the end": only_at_the_end(n, stock),
    }
    rows = [
        (
            name,
            int((p.units > 0).sum()),
            float(p.units @ n.value),
            float(p.cost.sum()),
            float(p.cost.sum() - plan.cost.sum()),
        )
        for name, p in policies.items()
    ]
    return pd.DataFrame(rows, columns=["policy", "stocking_points", "stock_value", "cost", "plan_saves"])


def _safety_stock(stages: pd.DataFrame) -> pd.DataFrame:
    """Units by item and site; places without any are left out."""
    held = stages[stages["safety_stock"] > 0]
    units = held.groupby(["item", "site"], sort=True)["safety_stock"].sum().reset_index()
    return units.rename(columns={"safety_stock": "quantity"}).assign(period=EVERY)


def kpis(plan: Frames, full: Frames, costs: dict[str, float]) -> dict[str, Any]:
    """Key figures of a plan: money in the case's currency, costs a year, turnover by mean customer demand."""
    stages, comparison = plan["stages"], plan["comparison"].set_index("policy")
    pipeline = float(plan["echelons"]["pipeline_value"].sum())
    figures: dict[str, Any] = {
        "stages": len(stages),
        "stocking_points": int((stages["safety_stock"] > 0).sum()),
        "safety_stock_value": float(stages["stock_value"].sum()),
        "pipeline_value": pipeline,
        "holding_cost": costs["safety stock"],
        "saves_against_each_for_itself": float(comparison.loc["each for itself", "plan_saves"]),
        "saves_against_only_at_the_end": float(comparison.loc["only at the end", "plan_saves"]),
        "longest_promise": float(stages.loc[_serves_customers(full), "service_time"].max()),
        "value_by_department": _sums(stages, "department"),
        "value_by_site": _sums(stages, "site"),
    }
    known = stages["current_stock"].notna()
    if known.any():
        figures["value_change"] = float((stages["change"] * stages["value"])[known].sum())
    if len(plan["service"]):
        figures["stages_below_promise"] = int((plan["service"]["verdict"] == "below").sum())
        figures["worst_gap_unbounded"] = float(plan["service"]["gap"].max())
    return figures


def _serves_customers(full: Frames) -> np.ndarray:
    return ((full["stages"]["demand_mean"] > 0) | (full["stages"]["demand_std"] > 0)).to_numpy()


def _sums(stages: pd.DataFrame, by: str) -> dict[str, float]:
    return {str(name): float(total) for name, total in stages.groupby(by)["stock_value"].sum().items() if total}


def page(plan: Frames, figures: dict[str, Any], currency: str) -> Page:
    """What the one page shows of a positioning plan."""
    money = f" {currency}" if currency else ""
    places = f"{figures['stocking_points']:,} of {figures['stages']:,} stages"
    service = {
        "safety stock": f"{figures['safety_stock_value']:,.0f}{money} at {places}",
        "in the pipeline": f"{figures['pipeline_value']:,.0f}{money}",
        "against every stage for itself": _saving(figures, "each_for_itself", money),
        "against stock only at the end": _saving(figures, "only_at_the_end", money),
    }
    if "value_change" in figures:
        service["against today's targets"] = f"{figures['value_change']:+,.0f}{money} of safety stock"
    if "stages_below_promise" in figures:
        service["simulated"] = _simulated(plan["service"])
    dearest = plan["stages"].nlargest(SHOWN, "stock_value", keep="first")
    dearest = dearest[dearest["safety_stock"] > 0]
    actions = pd.DataFrame(
        {
            "stage": dearest["stage"],
            "safety stock": dearest["safety_stock"].map("{:,.1f}".format),
            f"value{money}": dearest["stock_value"].map("{:,.0f}".format),
            "inputs after": dearest["inbound_time"].map("{:g}".format),
            "lead time": dearest["lead_time"].map("{:g}".format),
            "serves in": dearest["service_time"].map("{:g}".format),
            "covers days": dearest["net_time"].map("{:g}".format),
            "change": dearest["change"].map("{:+,.1f}".format).where(dearest["change"].notna(), ""),
        }
    )
    constraint = in_words(plan["eased"], plan["limits"], money, "all stock", what="limit on")
    return Page(service, constraint, "Where most of the safety stock sits", actions)


def _saving(figures: dict[str, Any], name: str, money: str) -> str:
    saved = figures[f"saves_against_{name}"]
    other = saved + figures["holding_cost"]
    share = f" ({saved / other:.0%})" if other > 0 else ""
    return f"saves {saved:,.0f}{money} a year{share}"


def _simulated(service: pd.DataFrame) -> str:
    kept = int((service["verdict"] == "kept").sum())
    worst = service.loc[service["gap"].idxmax()]
    missed = (
        f"; if shortages are passed on, {worst['stage']} misses its promise by {worst['gap']:.1%}"
        if worst["gap"] > 0
        else ""
    )
    return f"{kept:,} of {len(service):,} stocking points keep their promise{missed}"
