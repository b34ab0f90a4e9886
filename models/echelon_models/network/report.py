"""What the report draws of a network: the map with its flows, other networks, sites, service, cost to serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from echelon.charts import Bars, Chart, Heat, Network
from echelon.tables import Frames

KINDS = ["plant", "hub", "warehouse", "customer"]
SITES = 40  # rows of the grid
COMPONENTS = ["supply", "sites", "inventory", "transport", "carbon"]  # of cost to serve


def charts(plan: Frames, inputs: Frames, kpis: dict[str, Any], currency: str) -> Sequence[Chart]:
    """The charts of a network, in the order of a reader's questions."""
    money = currency or "money"
    drawn = [_network(plan, inputs), _comparison(plan["comparison"], money), _sites(plan["sites"])]
    drawn += [_service(plan["service"]), _cost_to_serve(plan["cost_to_serve"], money)]
    return [chart for chart in drawn if chart is not None]


def _network(plan: Frames, inputs: Frames) -> Chart | None:
    """Sites and customers with all flows of the last period; on a map where every place has coordinates."""
    flows, sites = plan["flows"], plan["sites"]
    if flows.empty:
        return None
    last = flows["period"].iloc[-1] if sites.empty else sites["period"].iloc[-1]
    flows = flows[(flows["period"] == last) & (flows["kind"] != "return")]
    arcs = flows.groupby(["origin", "destination"], as_index=False, sort=False)["quantity"].sum()
    open_now = sites[(sites["period"] == last) & sites["open"]]
    kinds = dict(zip(open_now["site"], open_now["kind"], strict=True))
    names = list(dict.fromkeys([*arcs["origin"], *arcs["destination"]]))
    handled = arcs.groupby("origin")["quantity"].sum().reindex(names).fillna(0.0)
    received = arcs.groupby("destination")["quantity"].sum().reindex(names).fillna(0.0)
    kind = pd.Categorical([kinds.get(name, "customer") for name in names], KINDS).remove_unused_categories()
    units = handled.where(handled > 0, received).to_numpy()
    data = pd.DataFrame({"place": names, "kind": kind, "units": units})
    data = data.sort_values(["kind", "place"], kind="stable", ignore_index=True)
    where = _coordinates(inputs)
    known = data["place"].isin(where.index).all()
    data = data.join(where, on="place") if known else data
    opened, closed = int(sites["opened"].sum()), int(sites["closed"].sum())
    return Network(
        title=f"{len(open_now):,} sites serve {(kind == 'customer').sum():,} customers in {last}; {opened:,} opened "
        f"and {closed:,} closed on the way there",
        note=f"All goods in {last}: a circle is as large as what a place sends out or, for a customer, receives; a "
        "line as wide as what it carries.",
        data=data,
        units={"units": "units"},
        label="place",
        size="units",
        arcs=arcs,
        kind="kind",
        **({"latitude": "latitude", "longitude": "longitude"} if known else {"layer": "kind"}),
    )


def _coordinates(inputs: Frames) -> pd.DataFrame:
    """Latitude and longitude by name of a site or customer, for those that have both."""
    places = [inputs[t].rename(columns={k: "place"}) for t, k in (("sites", "site"), ("customers", "customer"))]
    both = pd.concat([frame[["place", "latitude", "longitude"]] for frame in places])
    return both.dropna().drop_duplicates("place").set_index("place")


def _comparison(comparison: pd.DataFrame, money: str) -> Chart | None:
    """Total cost of the plan beside other networks, its largest lines told apart."""
    rows = comparison[(comparison["unit"] == "money") & comparison["value"].notna()]
    totals = rows[rows["figure"] == "total"].set_index("network")["value"]
    if "plan" not in totals or len(totals) < 2:
        return None
    other = totals.drop("plan")
    saved, name = other.iloc[0] - totals["plan"], other.index[0]
    beside = "today's network" if name == "today" else f"the {name} network"
    return Bars(
        title=f"The plan costs {abs(saved):,.0f} {money} {'less' if saved >= 0 else 'more'} than {beside} "
        f"({abs(saved) / other.iloc[0]:.1%})",
        note="Total discounted cost; each network is planned as well as it can be under its own rule.",
        data=pd.DataFrame({"network": totals.index, "total cost": totals.to_numpy()}),
        units={"total cost": money},
        label="network",
        value="total cost",
        base="plan",
    )


def _sites(sites: pd.DataFrame) -> Chart | None:
    """How full each open site is, period by period."""
    shown = sites[sites["open"] & sites["utilisation"].notna()]
    if shown.empty:
        return None
    names = shown.groupby("site", sort=False)["throughput"].sum().nlargest(SITES).index
    shown = shown[shown["site"].isin(names)]
    fullest = shown.loc[shown["utilisation"].idxmax()]
    data = pd.DataFrame(
        {
            "site": shown["site"],
            "period": shown["period"],
            "utilisation": shown["utilisation"],
            "capacity": shown["capacity"],
        }
    )
    left = sites.loc[sites["open"], "site"].nunique() - len(names)
    return Heat(
        title=f"{fullest['site']} is the fullest site: {fullest['utilisation']:.0%} of capacity in {fullest['period']}",
        note="Use over capacity of open sites; a blank cell is a closed site."
        + (f" {left:,} smaller sites, or such without a limit, are not drawn." if left > 0 else ""),
        data=data,
        units={"utilisation": "%", "capacity": "capacity units"},
        row="site",
        column="period",
        value="utilisation",
    )


def _service(service: pd.DataFrame) -> Chart | None:
    """How much of the last period's demand is served from which distance, by customer group."""
    known = service[service["quantity"] > 0]
    if known.empty:
        return None
    last = known["period"].iloc[-1]
    rows = known[known["period"] == last]
    near = rows["band"].str.extract(r"^(\d+) to")[0].astype(float).fillna(1e9)
    rows = rows.assign(order=near).sort_values(["order", "band"], kind="stable")
    groups = rows["group"].where(rows["group"] != "", "all customers")
    distance = rows["band"] + " km"
    data = pd.DataFrame(
        {"group": groups, "distance": pd.Categorical(distance, distance.unique()), "share": rows["share"]}
    )
    data["quantity"] = rows["quantity"]
    nearest = rows.loc[rows["order"] == rows["order"].min(), "quantity"].sum() / rows["quantity"].sum()
    return Bars(
        title=f"{nearest:.0%} of demand in {last} is served from the nearest band, {rows['band'].iloc[0]} km",
        note="Share of each group's demand by the distance from the site that serves it.",
        data=data.sort_values("group", kind="stable", ignore_index=True),
        units={"share": "%", "quantity": "units"},
        label="group",
        value="share",
        part="distance",
    )


def _cost_to_serve(costs: pd.DataFrame, money: str) -> Chart | None:
    """What one unit costs by customer group in the last period, by component."""
    known = costs[costs["served"] > 0]
    if known.empty:
        return None
    rows = known[known["period"] == known["period"].iloc[-1]]
    groups = rows["group"].where(rows["group"] != "", "all customers")
    each = rows[COMPONENTS].div(rows["served"], axis=0).assign(group=groups)
    data = each.melt("group", COMPONENTS, "for", "cost of one unit")
    dearest = rows.loc[rows["cost_per_unit"].idxmax()]
    name = dearest["group"] or "all customers"
    return Bars(
        title=f"One unit costs {dearest['cost_per_unit']:,.2f} {money} for {name}, the dearest group to serve",
        note=f"Every cost of {rows['period'].iloc[0]} laid on the customer groups it is for.",
        data=data,
        units={"cost of one unit": f"{money}/unit"},
        label="group",
        value="cost of one unit",
        part="for",
    )
