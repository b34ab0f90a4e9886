"""What the report draws of returns: tours, intake of hubs, recovery, stops alone, what is left, slow stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Routes, Shape, Timeline, largest
from echelon.tables import Frames
from echelon_models.returns.schema import KINDS

SHOWN = 15  # bars


def charts(plan: Frames, inputs: Frames, kpis: dict[str, Any], currency: str) -> Sequence[Chart]:
    """The charts of a plan of returns, in the order of a reader's questions."""
    money = currency or "money"
    drawn = [_tours(plan, inputs), _intake(plan["intake"], inputs["hubs"]), _recovery(plan["recovery"], money)]
    drawn += [_alone(plan["comparison"], money), _left(plan["unserved"], money)]
    drawn += [_slow_movers(plan["slow_movers"], money)]
    return [chart for chart in drawn if chart is not None]


def _tours(plan: Frames, inputs: Frames) -> Chart | None:
    """Every tour, call by call, at the places that have coordinates."""
    named = [
        inputs[t].rename(columns={k: "place"}) for t, k in (("hubs", "hub"), ("stops", "stop"), ("places", "place"))
    ]
    where = pd.concat([frame[["place", "latitude", "longitude"]] for frame in named]).dropna()
    calls = plan["routes"].sort_values(["day", "vehicle", "order"], kind="stable")
    calls = calls[calls["call"] != "break"]  # the driver rests on the way
    calls = calls.merge(where.drop_duplicates("place"), on="place", how="inner")
    if calls.empty:
        return None
    tours, missing = plan["tours"], set(plan["routes"]["place"]) - set(where["place"]) - {""}
    data = calls.assign(tour=calls["day"] + ", " + calls["vehicle"], depot=calls["call"] != "stop")
    return Routes(
        title=f"{len(tours):,} tours serve {tours['stops'].sum():,} stops on {tours['km'].sum():,.0f} km",
        note="Straight lines from call to call, by day and vehicle."
        + (f" {len(missing):,} places without coordinates are not drawn." if missing else ""),
        data=data[["tour", "place", "latitude", "longitude", "depot", "begin"]],
        route="tour",
        stop="place",
        latitude="latitude",
        longitude="longitude",
        depot="depot",
    )


def _intake(intake: pd.DataFrame, hubs: pd.DataFrame) -> Chart | None:
    """Weight that each hub takes in by day, against its limit where it has one."""
    if intake.empty:
        return None
    limit = intake["hub"].map(hubs.set_index("hub")["intake_weight"]).astype(float)
    data = intake[["hub", "day"]].assign(**{"taken in": intake["weight"], "limit": limit})
    layers: dict[str, Shape] = {"taken in": "bars"}
    if limit.notna().any():
        layers["limit"] = "limit"
    most = data.loc[data["taken in"].idxmax()]
    share = f", {most['taken in'] / most['limit']:.0%} of its limit" if most["limit"] > 0 else ""
    return Timeline(
        title=f"Most goods reach {most['hub']} on {most['day']}: {most['taken in']:,.0f} kg{share}",
        note="Weight unloaded at each hub; limits of volume and pallets stand among the limits.",
        data=data if limit.notna().any() else data.drop(columns="limit"),
        units={"taken in": "kg", "limit": "kg"},
        period="day",
        layers=layers,
        facet="hub",
    )


def _recovery(recovery: pd.DataFrame, money: str) -> Chart | None:
    """Units by what is done with them, and what that brings."""
    if recovery.empty:
        return None
    sums = recovery.groupby("kind", sort=False)[["units", "value", "cost"]].sum().sort_values("units", ascending=False)
    net = float(sums["value"].sum() - sums["cost"].sum())
    return Bars(
        title=f"{sums['units'].iloc[0] / sums['units'].sum():.0%} of the goods go to {sums.index[0]}; "
        f"recovery as a whole {'brings' if net >= 0 else 'costs'} {abs(net):,.0f} {money}",
        note="Value of what comes out good and cost of treatment, before transport.",
        data=sums.reset_index().rename(columns={"kind": "option"}),
        units={"units": "units", "value": money, "cost": money},
        label="option",
        value="units",
    )


def _alone(comparison: pd.DataFrame, money: str) -> Chart | None:
    """Net cost of the plan and of each stop shipping alone."""
    if comparison.empty:
        return None
    total = comparison.set_index("line").loc["total"]
    less = "less" if total["saving"] >= 0 else "more"
    return Bars(
        title=f"Collecting together costs {abs(total['saving']):,.0f} {money} {less} than each stop shipping alone",
        note="Net cost, what the goods bring taken off; below zero, they bring more than they cost.",
        data=pd.DataFrame({"way": ["together", "each alone"], "net cost": [total["plan"], total["alone"]]}),
        units={"net cost": money},
        label="way",
        value="net cost",
        base="together",
    )


def _left(unserved: pd.DataFrame, money: str) -> Chart | None:
    """Stops that are left, by reason."""
    if unserved.empty:
        return None
    data = unserved.groupby("reason", sort=True).agg(stops=("stop", "size"), loss=("loss", "sum"))
    data = data.sort_values("stops", ascending=False, kind="stable").reset_index()
    return Bars(
        title=f"{len(unserved):,} stop{'s are' if len(unserved) > 1 else ' is'} left, most often because: "
        f"{data['reason'].iloc[0]}",
        note=f"Leaving them loses {unserved['loss'].sum():,.0f} {money}, priorities counted.",
        data=data,
        units={"stops": "stops", "loss": money},
        label="reason",
        value="stops",
    )


def _slow_movers(lines: pd.DataFrame, money: str) -> Chart | None:
    """What moving each line of slow stock as flagged gains over holding it."""
    moving = lines[(lines["flag"] != "hold") & (lines["moved"] > 0)]
    if moving.empty:
        return None
    best = moving[list(KINDS)].max(axis=1)
    gains = pd.DataFrame({"line": moving["stop"] + ", " + moving["product"] + ": " + moving["flag"]})
    data = largest(gains.assign(gain=best - moving["hold"]), "line", "gain", SHOWN)
    gain = float((best - moving["hold"]).sum())
    return Bars(
        title=f"Moving {len(moving):,} of {len(lines):,} slow lines gains {gain:,.0f} {money} over holding them",
        note="Worth of the best option less that of holding, largest first."
        + (f" {len(moving) - len(data):,} lines with less are not drawn." if len(moving) > len(data) else ""),
        data=data,
        units={"gain": money},
        label="line",
        value="gain",
    )
