"""What the report draws of a positioning plan: the network with its stock, what it saves, which promises it keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Network, Ranges, largest
from echelon.tables import Frames

STAGES = 20  # bars
PROMISES = 20  # lines of the simulation
HOLDS = ["holds safety stock", "passes on without stock"]


def charts(plan: Frames, inputs: Frames, kpis: dict[str, Any], currency: str) -> Sequence[Chart]:
    """The charts of a positioning plan, in the order of a reader's questions."""
    money = currency or "money"
    drawn = [_network(plan, money), _stages(plan["stages"], money), _comparison(plan["comparison"], money)]
    drawn += [_change(plan["stages"], money), _echelons(plan["echelons"], money), _promises(plan["service"])]
    return [chart for chart in drawn if chart is not None]


def _network(plan: Frames, money: str) -> Chart | None:
    """The network, suppliers left, customers right; circles by the value of safety stock."""
    stages, arcs = plan["stages"], plan["arcs"]
    if len(stages) < 2:
        return None
    holds = stages["safety_stock"].gt(0).map(dict(zip([True, False], HOLDS, strict=True)))
    place, by_echelon = _places(stages, arcs)
    data = pd.DataFrame(
        {
            "stage": stages["stage"],
            "place": place,
            "echelon": stages["echelon"],
            "safety stock": stages["stock_value"],
            "holds": pd.Categorical(holds, HOLDS),
            "serves in": stages["service_time"],
        }
    ).sort_values(["place", "stage"], kind="stable", ignore_index=True)
    held = int((stages["safety_stock"] > 0).sum())
    flows = arcs["to_stage"].map(stages.set_index("stage")["demand_mean"]) * arcs["quantity"]
    return Network(
        title=f"{held:,} of {len(stages):,} stages hold safety stock; the others pass on what they get",
        note="Suppliers on the left, customers on the right. A circle is as large as the value of the safety stock "
        "there, a line as wide as the units that flow.",
        data=data,
        units={"safety stock": money, "serves in": "days"},
        label="stage",
        size="safety stock",
        arcs=pd.DataFrame({"origin": arcs["from_stage"], "destination": arcs["to_stage"], "quantity": flows}),
        layer="echelon" if by_echelon else "place",
        kind="holds",
    )


def _places(stages: pd.DataFrame, arcs: pd.DataFrame) -> tuple[pd.Series, bool]:
    """From left to right, where each stage stands, and whether that is by echelon, as it is if every arc goes from one
    to a later one; else it is by steps from the start of the network."""
    steps = stages["stage"].map(steps_from_the_start(stages["stage"].tolist(), arcs))
    place = steps.groupby(stages["echelon"]).transform("mean").rank(method="dense").astype(int)
    of = dict(zip(stages["stage"], place, strict=True))
    forward = (arcs["from_stage"].map(of) < arcs["to_stage"].map(of)).all()
    return (place, True) if forward else (steps + 1, False)


def steps_from_the_start(stages: list[str], arcs: pd.DataFrame) -> dict[str, int]:
    """The longest way to each stage, in arcs, from a stage that nothing delivers to."""
    following, waiting = defaultdict(list), dict.fromkeys(stages, 0)
    for origin, destination in zip(arcs["from_stage"], arcs["to_stage"], strict=True):
        following[origin].append(destination)
        waiting[destination] += 1
    steps = {stage: 0 for stage in stages if not waiting[stage]}
    ready = list(steps)
    for stage in ready:  # grows as stages become ready
        for after in following[stage]:
            steps[after] = max(steps.get(after, 0), steps[stage] + 1)
            waiting[after] -= 1
            if not waiting[after]:
                ready.append(after)
    return steps


def _stages(stages: pd.DataFrame, money: str) -> Chart | None:
    held = stages[stages["stock_value"] > 0]
    if held.empty:
        return None
    data = largest(held.rename(columns={"stock_value": "safety stock"}), "stage", "safety stock", STAGES)
    half = int((held["stock_value"].sort_values(ascending=False).cumsum() < held["stock_value"].sum() / 2).sum()) + 1
    return Bars(
        title=f"Half of the safety stock's value sits at {half} stage{'' if half == 1 else 's'}",
        note="Beside each bar: the value of the safety stock, and the share of all of it up to this stage."
        + (f" {len(held) - len(data):,} stages with less are not drawn." if len(held) > len(data) else ""),
        data=data,
        units={"safety stock": money},
        label="stage",
        value="safety stock",
        whole=float(held["stock_value"].sum()),
    )


def _comparison(comparison: pd.DataFrame, money: str) -> Chart | None:
    others = comparison[comparison["policy"] != "plan"]
    best = others.loc[others["plan_saves"].idxmin()] if len(others) else None
    if best is None or best["cost"] <= 0:
        return None
    more = best["plan_saves"] / best["cost"]
    return Bars(
        title=f"Looking at the whole network saves {more:.0%} of holding cost against the better simple policy",
        note="Without regard to limits. Each for itself: every stage quotes the shortest time it may. Only at the end: "
        "nothing but what serves customers holds stock.",
        data=comparison[["policy", "cost", "stock_value", "stocking_points"]].rename(
            columns={"stock_value": "safety stock", "stocking_points": "stocking points"}
        ),
        units={"cost": f"{money}/year", "safety stock": money},
        label="policy",
        value="cost",
        base="plan",
    )


def _change(stages: pd.DataFrame, money: str) -> Chart | None:
    """Where today's targets are most wrong, in money."""
    known = stages[stages["change"].notna()]
    moved = (known["change"] * known["value"]).rename("change in value")
    if not (moved.abs() > 0).any():
        return None
    chosen = moved.abs().nlargest(STAGES).index
    data = pd.DataFrame(
        {
            "stage": known.loc[chosen, "stage"],
            "change in value": moved[chosen],
            "target so far": known.loc[chosen, "current_stock"],
            "safety stock": known.loc[chosen, "safety_stock"],
        }
    )
    more = "frees" if moved.sum() < 0 else "takes"
    return Bars(
        title=f"Against today's targets the plan {more} {abs(moved.sum()):,.0f} {money} of safety stock",
        note=f"The {len(data)} largest of {int((moved != 0).sum())} changes.",
        data=data.sort_values("change in value", ignore_index=True),
        units={"change in value": money, "target so far": "units", "safety stock": "units"},
        label="stage",
        value="change in value",
    )


def _echelons(echelons: pd.DataFrame, money: str) -> Chart | None:
    if len(echelons) < 2:
        return None
    columns = {"stock_value": "safety stock", "pipeline_value": "in the pipeline"}
    data = echelons.rename(columns=columns).melt("echelon", list(columns.values()), "what", "value")
    share = echelons["stock_value"].sum() / max(echelons[list(columns)].to_numpy().sum(), 1e-9)
    return Bars(
        title=f"Safety stock is {share:.0%} of what the network holds; the rest is on its way or in work",
        data=data,
        units={"value": money},
        label="echelon",
        value="value",
        part="what",
    )


def _promises(service: pd.DataFrame) -> Chart | None:
    """What the simulation found where every shortage is passed on, worst first."""
    if service.empty:
        return None
    worst = service.nlargest(PROMISES, "gap")
    columns = {
        "stage": "stage",
        "flowing_low": "low",
        "flowing_high": "high",
        "flowing": "simulated",
        "promised": "promised",
    }
    kept = int((service["flowing_high"] >= service["promised"]).sum())
    return Ranges(
        title=f"{kept} of {len(service)} promises hold even if every shortage is passed on",
        note=f"Service simulated, with its 95% interval; the {len(worst)} stages farthest below their promise.",
        data=worst[list(columns)].rename(columns=columns),
        units=dict.fromkeys(["low", "high", "simulated", "promised"], "%"),
        label="stage",
        low="low",
        high="high",
        point="simulated",
        target="promised",
    )
