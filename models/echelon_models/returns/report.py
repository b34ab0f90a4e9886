"""What the report draws of returns: tours, intake of hubs, recovery, stops alone, what is left, slow stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Heat, Routes, Shape, Timeline
from echelon.tables import Frames
from echelon_models.returns.limits import UNITS
from echelon_models.returns.schema import DIMENSIONS, KINDS
from echelon_models.returns.slow_movers import HOLD

SHOWN = 15  # lines of slow stock
CENT = 0.005  # lines below this are not told


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
    """What each hub takes in by day, against its limit where it has one: in the dimension in which one is fullest."""
    if intake.empty:
        return None
    terms = hubs.set_index("hub")
    limits = {d: intake["hub"].map(terms[f"intake_{d}"]).astype(float) for d in DIMENSIONS}
    shares = pd.DataFrame({d: intake[d] / limits[d].where(limits[d] > 0) for d in DIMENSIONS})
    limited = bool(shares.notna().any(axis=None))
    d = str(shares.max().idxmax()) if limited else DIMENSIONS[0]
    at = shares[d].idxmax() if limited else intake[d].idxmax()
    name, day, amount = intake.loc[at, ["hub", "day", d]]
    told = (
        f"{name} is fullest on {day}: {amount:,.0f} {UNITS[d]}, {shares.loc[at, d]:.0%} of what it may take in"
        if limited
        else f"Most goods reach {name} on {day}: {amount:,.0f} {UNITS[d]}"
    )
    layers: dict[str, Shape] = {"taken in": "bars"}
    if limited:
        layers["limit"] = "limit"
    data = intake[["hub", "day"]].assign(**{"taken in": intake[d], "limit": limits[d]})
    return Timeline(
        title=told,
        note=f"{d.capitalize()} unloaded at each hub"
        + ("; other limits of intake stand among the limits." if limited else "."),
        data=data[["hub", "day", *layers]],
        units=dict.fromkeys(layers, UNITS[d]),
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
    """Where the plan saves, line by line, against each stop shipping alone."""
    if comparison.empty:
        return None
    total = comparison.set_index("line").loc["total"]
    less = "less" if total["saving"] >= 0 else "more"
    lines = comparison[comparison[["plan", "alone"]].abs().max(axis=1) >= CENT]
    return Bars(
        title=f"Collecting together costs {abs(total['saving']):,.0f} {money} {less} than each stop shipping alone",
        note=f"What collecting together saves, by line; below zero, what it costs more. Net cost together: "
        f"{total['plan']:,.0f} {money}, each alone: {total['alone']:,.0f} {money} (below zero: goods bring more).",
        data=lines[["line", "saving", "plan", "alone"]].rename(columns={"plan": "together", "alone": "each alone"}),
        units=dict.fromkeys(("saving", "together", "each alone"), money),
        label="line",
        value="saving",
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
    """What each line of slow stock is worth by every option, of those that gain most over holding them."""
    moving = lines[(lines["flag"] != HOLD) & (lines["moved"] > 0)]
    if moving.empty:
        return None
    gains = moving[list(KINDS)].max(axis=1) - moving[HOLD]
    shown = moving.loc[gains.sort_values(ascending=False, kind="stable").index[:SHOWN]]
    named = shown.assign(line=shown["stop"] + ", " + shown["product"])
    data = named.melt(["line", "flag"], [HOLD, *KINDS], "option", "worth").dropna(subset="worth")
    data = data.assign(**{"what to do": data["option"] == data["flag"]}).drop(columns="flag")
    return Heat(
        title=f"Moving {len(moving):,} of {len(lines):,} slow lines gains {gains.sum():,.0f} {money} over holding them",
        note="Worth of holding each line and of every option that it has; the lines that gain most first."
        + (f" {len(moving) - len(shown):,} lines that gain less are not drawn." if len(moving) > len(shown) else ""),
        data=data,
        units={"worth": money},
        row="line",
        column="option",
        value="worth",
        flag="what to do",
        full=max(float(data["worth"].max()), CENT),
    )
