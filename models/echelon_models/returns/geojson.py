"""The tours of a plan as GeoJSON (RFC 7946): a line a tour, a point a call, for any map."""

from __future__ import annotations

import json
from typing import Any

from echelon.tables import Frames

FILE = "routes.geojson"


def files(plan: Frames, inputs: Frames) -> dict[str, str]:
    """File name -> content of what goes into the run folder besides the tables. Lines are straight from call to call;
    places without coordinates are left out."""
    at: dict[str, list[float]] = {}
    for table, column in (("hubs", "hub"), ("stops", "stop"), ("places", "place")):
        rows = inputs[table].dropna(subset=["latitude", "longitude"])
        at |= {row[column]: [row["longitude"], row["latitude"]] for _, row in rows.iterrows()}
    tours = {(row.vehicle, row.day): row for row in plan["tours"].itertuples(index=False)}
    features: list[dict[str, Any]] = []
    for key, rows in plan["routes"].groupby(["vehicle", "day"], sort=False):
        calls = [row for row in rows.sort_values("order").itertuples(index=False) if row.place in at]
        tour = tours[key]
        told = {"vehicle": tour.vehicle, "day": tour.day, "stops": int(tour.stops), "km": round(float(tour.km), 3),
                "departure": tour.departure, "finish": tour.finish}  # fmt: skip
        features.append(_feature("LineString", [at[call.place] for call in calls], told))
        features += [
            _feature(
                "Point",
                at[call.place],
                {
                    "vehicle": tour.vehicle,
                    "day": tour.day,
                    "order": int(call.order),
                    "call": call.call,
                    "place": call.place,
                    "begin": call.begin,
                },
            )
            for call in calls
            if call.call in ("stop", "hub")
        ]
    text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, indent=1)
    return {FILE: text + "\n"}


def _feature(kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}
