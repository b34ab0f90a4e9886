"""One tiny case a rule, in which the rule decides: name -> (tables, options)."""

from __future__ import annotations

from typing import Any

from echelon.tables import Frames

from .cases import case, days

Case = tuple[Frames, dict[str, Any]]
STOPS = {"stop": ["a10", "b20", "c-5"], "weight": [1.0, 2.0, 3.0], "service_minutes": 0.0}


def stops(**columns: Any) -> dict[str, Any]:
    return STOPS | columns


def recovered(**tables: Any) -> Frames:
    """Two stops with goods, two destinations: D30 refurbishes for much, E40 scraps for little."""
    given: dict[str, Any] = {
        "stops": {"stop": ["a10", "b20"], "service_minutes": 0.0, "leaving_cost": [8.0, 90.0]},
        "products": {"product": ["P", "Q"], "product_class": ["p", "q"], "weight": [1.0, 2.0], "value": [10.0, 30.0]},
        "returns": {"stop": ["a10", "b20", "b20"], "product": ["P", "P", "Q"], "quantity": [2.0, 4.0, 1.0]},
        "destinations": {"destination": ["D30", "E40"], "kind": ["refurbish", "scrap"]},
        "recovery": {"destination": ["D30", "E40"], "value_share": [0.9, 0.2], "yield_rate": [0.8, 1.0], "cost": 0.5,
                     "residue_cost": 1.5, "emissions": [3.0, 1.0]},
        "linehaul": {"hub": "H0", "destination": ["D30", "E40"], "truck_cost": [6.0, 1.0], "weight": 5.0,
                     "weight_cost": 0.1},
    }  # fmt: skip
    return case(**(given | tables))


CASES: dict[str, Case] = {
    "the shortest tour": (case(), {}),
    "capacity by weight, two days": (case(days=days(2), vehicles={"vehicle": "V", "cost_per_km": 1.0, "weight": 4.0, "fixed_cost": 4.0}), {}),
    "capacity by volume": (case(stops=stops(volume=[1.0, 1.0, 1.0], leaving_cost=[9.0, 50.0, 4.0]),
     vehicles={"vehicle": "V", "cost_per_km": 1.0, "volume": 2.0}), {}),
    "several trips": (case(vehicles={"vehicle": "V", "cost_per_km": 1.0, "pallets": 2.0, "trips": 2},
     stops=stops(pallets=[1.0, 1.0, 2.0])), {}),
    "fixed cost against km": (case(vehicles={"vehicle": ["V", "W"], "cost_per_km": [1.0, 0.7], "fixed_cost": [3.0, 14.0],
     "weight": [3.0, 9.0], "count": [2, 1]}), {}),
    "hours and waiting": (case(vehicles={"vehicle": "V", "cost_per_km": 0.5, "cost_per_hour": 30.0, "shift_start": "08:00",
     "shift_end": "12:00"}, windows={"place": ["b20", "c-5"], "opens": ["09:30", "08:00"], "closes": ["10:00", "09:00"]}), {}),
    "several windows": (case(vehicles={"vehicle": "V", "shift_start": "08:00", "shift_end": "10:00"},
     windows={"place": ["a10", "a10", "b20", "c-5"], "opens": ["07:00", "09:00", "08:05", "08:00"],
              "closes": ["08:05", "09:20", "08:30", "08:05"]}), {}),
    "hub hours": (case(days=days(2), hubs={"hub": "H0", "unload_minutes": 10.0},
     vehicles={"vehicle": "V", "shift_start": "08:00"}, windows={"place": "H0", "opens": "08:00", "closes": "08:35"}), {}),
    "skills": (case(stops=stops(skills=["", "lift", ""]), vehicles={"vehicle": ["V", "W"], "cost_per_km": [1.0, 3.0],
     "skills": ["", "lift, cold"]}), {}),
    "range": (case(vehicles={"vehicle": "V", "range": 45.0, "count": 2, "fixed_cost": 4.0}), {}),
    "longest tour": (case(days=days(2), vehicles={"vehicle": "V", "max_hours": 0.7, "fixed_cost": 4.0}), {}),
    "optional stops": (case(stops=stops(leaving_cost=[1.0, 12.0, 9.0], priority=[1, 1, 2])), {}),
    "worth of a load": (case(stops=stops(leaving_cost=0.0, value=[5.0, 30.0, 6.0])), {}),
    "ready and deadline": (case(days=days(3), stops=stops(ready_day=["2", "", ""], deadline_day=["", "1", ""]),
     vehicles={"vehicle": "V", "fixed_cost": 2.0, "weight": 5.0}), {}),
    "deliveries and pickups on one tour": (case(stops=stops(delivery_weight=[3.0, 0.0, 2.0]),
     vehicles={"vehicle": "V", "weight": 5.0, "count": 2}), {}),
    "start at a yard, unload at a hub before going home": (case(places={"place": ["Y-20"]},
     vehicles={"vehicle": "V", "start": "Y-20", "end": "Y-20", "trips": 2}, stops=stops(delivery_weight=[1.0, 0.0, 0.0])), {}),
    "two hubs": (case(hubs={"hub": ["H0", "K25"]}, vehicles={"vehicle": ["V", "W"], "start": ["H0", "K25"],
     "fixed_cost": [1.0, 2.0]}), {}),
    "intake of a hub": (case(days=days(2), hubs={"hub": "H0", "intake_weight": 4.0}, vehicles={"vehicle": "V", "fixed_cost": 4.0}), {}),
    "jurisdiction of hubs": (case(hubs={"hub": ["H0", "K25"], "region": ["X", "Y"]},
     stops=stops(region=["X", "X", "Y"], product_class=["n", "k", "n"]),
     vehicles={"vehicle": ["V", "W"], "start": ["H0", "K25"], "cost_per_km": [2.0, 1.0]},
     jurisdictions={"product_class": "k", "region": "X", "rule": "no_export"}), {}),
    "line-haul and recovery": (recovered(), {}),
    "carbon": (recovered(vehicles={"vehicle": "V", "emissions": 2.0}), {"carbon_price": 500.0}),
    "option of the goods": (recovered(returns={"stop": ["a10", "b20"], "product": ["P", "Q"], "option": ["scrap", ""],
     "quantity": [3.0, 1.0]}), {}),
    "capacity of a destination": (recovered(destinations={"destination": ["D30", "E40"],
     "kind": ["refurbish", "scrap"], "capacity": [1.0, None]}), {}),
    "weight limit": (recovered(destinations={"destination": ["D30", "E40"], "kind": ["refurbish", "scrap"],
     "weight_limit": [4.0, None]}), {}),
    "trucks over days": (recovered(days=days(2), hubs={"hub": "H0", "stock_cost": 0.2, "handling_cost": 0.3},
     vehicles={"vehicle": "V", "weight": 4.0}, linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": 20.0,
     "weight": 9.0}), {}),
    "storage": (recovered(days=days(2), hubs={"hub": "H0", "storage_weight": 1.0}, vehicles={"vehicle": "V", "weight": 4.0},
     linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": 12.0, "weight": 9.0}), {}),
    "most trucks": (recovered(linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": [2.0, 1.0],
     "weight": 4.0, "trucks": 1}), {}),
    "final stock": (recovered(linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": 60.0}),
     {"final_stock_share": 0.7}),
    "law of destinations": (recovered(
            linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": [6.0, 1.0], "weight": 9.0},hubs={"hub": "H0", "region": "X"}, destinations={"destination": ["D30", "E40"],
     "kind": ["refurbish", "scrap"], "region": ["Y", "X"]}, jurisdictions={"product_class": "q", "region": "Y",
     "rule": "no_import"}), {}),
    "recovery by class": (recovered(linehaul={"hub": "H0", "destination": ["D30", "E40"], "truck_cost": [6.0, 1.0], "weight": 9.0}, recovery={"destination": ["D30", "D30", "E40"], "product_class": ["p", "", ""],
     "value_share": [0.9, 0.1, 0.4]}), {}),
    "law of treating": (recovered(destinations={"destination": ["D30", "E40"], "kind": ["refurbish", "scrap"],
     "region": ["Y", "X"]}, jurisdictions={"region": "Y", "rule": "no_handling"}), {}),
}  # fmt: skip

# rule -> a change of its case that drops the rule: without it a plan never costs more
DROPPED: dict[str, dict[str, Any]] = {
    "capacity by weight, two days": {"vehicles": {"weight": None}},
    "skills": {"stops": {"skills": ""}},
    "range": {"vehicles": {"range": None}},
    "longest tour": {"vehicles": {"max_hours": None}},
    "intake of a hub": {"hubs": {"intake_weight": None}},
    "capacity of a destination": {"destinations": {"capacity": None}},
    "law of destinations": {"jurisdictions": None},
}
