"""Make the sample case nordkaup_appliances: a maker of household appliances positions its safety stock.

`python data/nordkaup_appliances/make_case.py` rewrites the CSV files next to this script; the same seed gives the same
files. Everything is invented: the company, its parts, prices and demand.

The business: parts are bought, some of them by sea with lead times that vary; six modules are built of them and go into
eight appliances made at two plants; two warehouses supply ten stores, which sell from the shelf or deliver within a few
days. What makes positioning hard: parts are shared by modules and modules by appliances, the module cell has no room
for stock, the northern warehouse is small, and finance caps the money in washing machines.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from echelon.tables import write_csv

HERE = Path(__file__).parent
SEED = 2026
YEAR = 365


class Part(NamedTuple):
    part: str
    description: str
    cost: float
    days: int
    sea: bool = False


class Module(NamedTuple):
    module: str
    description: str
    cost: float  # added to that of its parts
    days: int
    parts: str  # NAME or NAME*units
    room: bool = True


class Appliance(NamedTuple):
    appliance: str
    description: str
    department: str
    plant: str
    cost: float
    days: int
    volume: float  # m³
    inputs: str
    yearly: float  # units sold in all stores together


PARTS = [
    Part("STEEL", "Sheet steel, cut", 9.0, 6),
    Part("PLASTIC", "Plastic housing set", 6.5, 5),
    Part("MOTOR-CORE", "Motor core and winding", 21.0, 14),
    Part("BEARING", "Bearing set", 3.2, 12),
    Part("MAGNET", "Magnet set", 5.4, 21, sea=True),
    Part("PUMP-HEAD", "Pump head", 4.8, 10),
    Part("SEAL", "Seal kit", 1.1, 5),
    Part("HEATER", "Heating element", 6.0, 9),
    Part("CHIP", "Controller chip", 7.5, 24, sea=True),
    Part("DISPLAY", "Display panel", 9.0, 18, sea=True),
    Part("CABLE", "Cable harness", 3.0, 6),
    Part("GLASS", "Door glass", 7.0, 8),
    Part("HINGE", "Hinge set", 2.2, 5),
    Part("DRUM-SHELL", "Drum shell", 18.0, 11),
    Part("COMPRESSOR", "Compressor", 42.0, 20, sea=True),
    Part("EVAPORATOR", "Evaporator", 15.0, 10),
    Part("COOLANT", "Coolant charge", 2.5, 4),
    Part("RACK", "Dish rack set", 8.0, 7),
    Part("SPRAY-ARM", "Spray arm set", 3.6, 6),
    Part("FILTER", "Lint and water filter", 1.9, 5),
    Part("FEET", "Adjustable feet", 0.9, 4),
    Part("PACKING", "Box and foam", 4.0, 3),
]  # fmt: skip

MODULES = [
    Module("MOTOR", "Motor unit", 8.0, 3, "MOTOR-CORE BEARING MAGNET"),
    Module("PUMP", "Pump unit", 4.0, 2, "PUMP-HEAD SEAL MAGNET"),
    Module("CONTROL", "Control board", 11.0, 4, "CHIP DISPLAY CABLE", room=False),
    Module("DRUM", "Drum with bearings", 9.0, 2, "DRUM-SHELL BEARING*2 SEAL*2"),
    Module("DOOR", "Door", 5.0, 1, "GLASS HINGE SEAL", room=False),
    Module("COOLING", "Cooling unit", 16.0, 3, "COMPRESSOR EVAPORATOR COOLANT"),
]

WASHING, KITCHEN = "Washing", "Kitchen"
APPLIANCES = [
    Appliance(
        "WASH-6",
        "Washing machine 6 kg",
        WASHING,
        "GDYNIA",
        38.0,
        2,
        0.32,
        "MOTOR PUMP CONTROL DRUM DOOR STEEL*2 HEATER FEET PACKING",
        21000,
    ),
    Appliance(
        "WASH-8",
        "Washing machine 8 kg",
        WASHING,
        "GDYNIA",
        44.0,
        2,
        0.38,
        "MOTOR PUMP CONTROL DRUM DOOR STEEL*2 HEATER FEET PACKING",
        30000,
    ),
    Appliance(
        "WASH-10",
        "Washing machine 10 kg",
        WASHING,
        "GDYNIA",
        58.0,
        3,
        0.42,
        "MOTOR PUMP CONTROL DRUM DOOR STEEL*3 HEATER FEET PACKING",
        9000,
    ),
    Appliance(
        "DRY-8",
        "Dryer 8 kg",
        WASHING,
        "GDYNIA",
        49.0,
        3,
        0.38,
        "MOTOR CONTROL DRUM DOOR COOLING FILTER STEEL*2 PACKING",
        14000,
    ),
    Appliance(
        "DISH-45",
        "Dishwasher 45 cm",
        KITCHEN,
        "SIBIU",
        35.0,
        2,
        0.26,
        "PUMP*2 CONTROL DOOR RACK SPRAY-ARM HEATER STEEL PACKING",
        11000,
    ),
    Appliance(
        "DISH-60",
        "Dishwasher 60 cm",
        KITCHEN,
        "SIBIU",
        39.0,
        2,
        0.34,
        "PUMP*2 CONTROL DOOR RACK SPRAY-ARM HEATER STEEL PACKING",
        26000,
    ),
    Appliance(
        "FRIDGE-S",
        "Fridge 140 cm",
        KITCHEN,
        "SIBIU",
        33.0,
        2,
        0.55,
        "COOLING CONTROL DOOR PLASTIC*2 FEET PACKING",
        17000,
    ),
    Appliance(
        "FRIDGE-L",
        "Fridge 185 cm",
        KITCHEN,
        "SIBIU",
        41.0,
        3,
        0.85,
        "COOLING CONTROL DOOR*2 PLASTIC*3 FEET PACKING",
        12000,
    ),
]

NORTH, SOUTH = "AARHUS", "VERONA"
WAREHOUSE_DAYS = {(NORTH, "GDYNIA"): 3, (NORTH, "SIBIU"): 6, (SOUTH, "GDYNIA"): 5, (SOUTH, "SIBIU"): 3}
FREIGHT = {NORTH: 16.0, SOUTH: 18.0}  # money/m³
STORES = {  # store: warehouse, days from there, share of the sales, promised days, service level
    "OSLO": (NORTH, 3, 0.16, 0, 0.95), "MALMO": (NORTH, 2, 0.20, 0, 0.95), "HAMBURG": (NORTH, 2, 0.26, 2, 0.97),
    "MILANO": (SOUTH, 1, 0.23, 2, 0.97), "ROMA": (SOUTH, 2, 0.15, 0, 0.95),
}  # fmt: skip
SOLD = 0.84  # of a store's range: the smaller ones do not sell all


def main() -> None:
    rng = np.random.default_rng(SEED)
    arcs: list[tuple[str, str, float]] = []
    stages = [
        {
            "stage": p.part,
            "description": p.description,
            "echelon": "1 parts",
            "site": "SUPPLIERS",
            "cost_added": p.cost,
            "lead_time": p.days,
        }
        for p in PARTS
    ]
    for m in MODULES:
        stages.append(
            {
                "stage": m.module,
                "description": m.description,
                "echelon": "2 modules",
                "site": "MODULE-CELL",
                "cost_added": m.cost,
                "lead_time": m.days,
                "may_hold_stock": m.room,
            }
        )
        arcs += _inputs(m.parts, m.module)
    for a in APPLIANCES:
        stages.append(
            {
                "stage": a.appliance,
                "description": a.description,
                "echelon": "3 plants",
                "site": a.plant,
                "department": a.department,
                "cost_added": a.cost,
                "lead_time": a.days,
                "volume": a.volume,
            }
        )
        arcs += _inputs(a.inputs, a.appliance)
        for warehouse, freight in FREIGHT.items():
            name = f"{a.appliance}@{warehouse}"
            stages.append(
                {
                    "stage": name,
                    "description": f"{a.description} in the warehouse",
                    "echelon": "4 warehouses",
                    "item": a.appliance,
                    "site": warehouse,
                    "department": a.department,
                    "volume": a.volume,
                    "cost_added": round(freight * a.volume, 2),
                    "lead_time": WAREHOUSE_DAYS[warehouse, a.plant],
                }
            )
            arcs.append((a.appliance, name, 1.0))
        for store, (warehouse, days, share, promised, level) in STORES.items():
            if rng.random() > SOLD:
                continue
            mean = round(a.yearly * share / YEAR * rng.uniform(0.8, 1.2), 1)
            name = f"{a.appliance}@{store}"
            stages.append(
                {
                    "stage": name,
                    "description": f"{a.description} in the store",
                    "echelon": "5 stores",
                    "item": a.appliance,
                    "site": store,
                    "department": a.department,
                    "volume": a.volume,
                    "cost_added": round(4 + 9 * a.volume, 2),
                    "lead_time": days,
                    "demand_mean": mean,
                    "demand_std": round(float(np.sqrt(mean) * rng.uniform(1.1, 1.9)), 1),
                    "promised_time": promised,
                    "service_level": level,
                    "current_stock": float(round(mean * rng.uniform(1.5, 4.0))),
                }
            )
            arcs.append((f"{a.appliance}@{warehouse}", name, 1.0))
    needed = {a for a, _, _ in arcs}
    stages = [row for row in stages if row["echelon"] != "4 warehouses" or row["stage"] in needed]
    kept = {row["stage"] for row in stages}
    lead_times = [
        (p.part, float(p.days + extra), share)
        for p in PARTS
        if p.sea
        for extra, share in ((-2, 0.2), (0, 0.5), (2, 0.2), (6, 0.1))
    ]
    tables = {
        "stages": pd.DataFrame(stages),
        "arcs": pd.DataFrame([arc for arc in arcs if arc[1] in kept], columns=["from_stage", "to_stage", "quantity"]),
        "lead_times": pd.DataFrame(lead_times, columns=["stage", "days", "probability"]),
        "stock_limits": pd.DataFrame(
            {
                "measure": ["value", "volume"],
                "department": [WASHING, ""],
                "site": ["", NORTH],
                "capacity": [96000.0, 135.0],
                "excess_cost": [0.5, 400.0],
            }
        ),
    }
    for name, frame in tables.items():
        write_csv(frame, HERE / f"{name}.csv")


def _inputs(text: str, name: str) -> list[tuple[str, str, float]]:
    """The arcs of a stage from "NAME NAME*units ..."."""
    pairs = (word.partition("*") for word in text.split())
    return [(part, name, float(units or 1)) for part, _, units in pairs]


if __name__ == "__main__":
    main()
