"""Make the sample case merel_electronics: a chain of 80 shops collects a week of returns and clears out slow stock.

`python data/merel_electronics/make_case.py` rewrites the CSV files next to this script; the same seed gives the same
files. The towns and their coordinates are real (rounded to a hundredth of a degree); the company, its hubs, goods,
costs and demand are invented.

The business: ten vehicles of two hubs, Tilburg and Mechelen, deliver spare parts to shops in the Netherlands and
Belgium and bring back what customers returned. Shops open at different hours, some twice a day; some need a tail-lift;
goods with batteries need a vehicle with papers for hazardous goods and may not leave the Netherlands as waste. From the
hubs, trucks go to three refurbishers, an outlet, a supplier, a recycler and an incinerator. Small and far lots may not
be worth a visit.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from echelon.tables import write_csv

HERE = Path(__file__).parent
SEED = 2026
DAYS = ("MON", "TUE", "WED", "THU", "FRI")

# town: country, latitude, longitude, inhabitants in thousands (which scale its returns)
TOWNS = {
    "Amsterdam": ("NL", 52.37, 4.90, 930), "Rotterdam": ("NL", 51.92, 4.48, 660), "The Hague": ("NL", 52.08, 4.31, 560),
    "Utrecht": ("NL", 52.09, 5.12, 370), "Eindhoven": ("NL", 51.44, 5.48, 245), "Tilburg": ("NL", 51.56, 5.09, 227),
    "Groningen": ("NL", 53.22, 6.57, 240), "Almere": ("NL", 52.37, 5.22, 225), "Breda": ("NL", 51.59, 4.78, 186),
    "Nijmegen": ("NL", 51.84, 5.86, 183), "Enschede": ("NL", 52.22, 6.89, 161), "Haarlem": ("NL", 52.38, 4.64, 166),
    "Arnhem": ("NL", 51.98, 5.91, 167), "Amersfoort": ("NL", 52.16, 5.39, 161), "Zaandam": ("NL", 52.44, 4.83, 160),
    "Apeldoorn": ("NL", 52.21, 5.97, 167), "Den Bosch": ("NL", 51.70, 5.30, 159), "Hoofddorp": ("NL", 52.30, 4.69, 80),
    "Maastricht": ("NL", 50.85, 5.69, 122), "Leiden": ("NL", 52.16, 4.49, 127), "Dordrecht": ("NL", 51.81, 4.67, 121),
    "Zoetermeer": ("NL", 52.06, 4.49, 127), "Zwolle": ("NL", 52.51, 6.09, 133), "Deventer": ("NL", 52.25, 6.16, 103),
    "Delft": ("NL", 52.01, 4.36, 106), "Alkmaar": ("NL", 52.63, 4.75, 111), "Heerlen": ("NL", 50.88, 5.98, 87),
    "Venlo": ("NL", 51.37, 6.17, 103), "Leeuwarden": ("NL", 53.20, 5.79, 128), "Hilversum": ("NL", 52.22, 5.17, 94),
    "Amstelveen": ("NL", 52.30, 4.86, 95), "Roosendaal": ("NL", 51.53, 4.47, 77), "Purmerend": ("NL", 52.50, 4.96, 95),
    "Oss": ("NL", 51.76, 5.52, 94), "Schiedam": ("NL", 51.92, 4.40, 81), "Spijkenisse": ("NL", 51.84, 4.33, 72),
    "Helmond": ("NL", 51.48, 5.66, 95), "Almelo": ("NL", 52.36, 6.66, 74), "Gouda": ("NL", 52.01, 4.71, 76),
    "Alphen": ("NL", 52.13, 4.66, 114), "Lelystad": ("NL", 52.51, 5.47, 83), "Hoorn": ("NL", 52.64, 5.06, 76),
    "Ede": ("NL", 52.04, 5.67, 122), "Bergen op Zoom": ("NL", 51.49, 4.29, 69), "Veenendaal": ("NL", 52.03, 5.56, 69),
    "Nieuwegein": ("NL", 52.03, 5.08, 66), "Sittard": ("NL", 51.00, 5.87, 92), "Roermond": ("NL", 51.19, 5.99, 60),
    "Weert": ("NL", 51.25, 5.71, 51), "Middelburg": ("NL", 51.50, 3.61, 50), "Terneuzen": ("NL", 51.34, 3.83, 55),
    "Goes": ("NL", 51.50, 3.89, 39), "Tiel": ("NL", 51.89, 5.43, 43), "Doetinchem": ("NL", 51.97, 6.29, 59),
    "Antwerp": ("BE", 51.22, 4.40, 545), "Ghent": ("BE", 51.05, 3.72, 270), "Brussels": ("BE", 50.85, 4.35, 1230),
    "Bruges": ("BE", 51.21, 3.22, 119), "Leuven": ("BE", 50.88, 4.70, 103), "Mechelen": ("BE", 51.03, 4.48, 88),
    "Aalst": ("BE", 50.94, 4.04, 90), "Kortrijk": ("BE", 50.83, 3.26, 79), "Hasselt": ("BE", 50.93, 5.34, 81),
    "Genk": ("BE", 50.97, 5.50, 67), "Ostend": ("BE", 51.23, 2.92, 72), "Roeselare": ("BE", 50.95, 3.12, 66),
    "Sint-Niklaas": ("BE", 51.16, 4.14, 81), "Turnhout": ("BE", 51.32, 4.95, 47), "Liege": ("BE", 50.63, 5.57, 196),
    "Namur": ("BE", 50.47, 4.87, 113), "Charleroi": ("BE", 50.41, 4.44, 204), "Mons": ("BE", 50.45, 3.95, 96),
    "Vilvoorde": ("BE", 50.93, 4.43, 47), "Lier": ("BE", 51.13, 4.57, 38), "Dendermonde": ("BE", 51.03, 4.10, 46),
    "Ypres": ("BE", 50.85, 2.88, 35), "Tournai": ("BE", 50.61, 3.39, 69), "Wavre": ("BE", 50.72, 4.61, 36),
    "Geel": ("BE", 51.16, 4.99, 42), "Tongeren": ("BE", 50.78, 5.46, 31),
}  # fmt: skip
# product: class, kg, m³, pallets a unit, value
PRODUCTS = {
    "ESPRESSO": ("appliances", 9.5, 0.060, 0.045, 240.0),
    "VACUUM": ("appliances", 7.2, 0.075, 0.055, 160.0),
    "KETTLE": ("appliances", 1.6, 0.012, 0.008, 38.0),
    "AIRFRYER": ("appliances", 6.4, 0.055, 0.040, 110.0),
    "HEADPHONES": ("electronics", 0.5, 0.004, 0.003, 85.0),
    "SPEAKER": ("electronics", 2.8, 0.015, 0.011, 120.0),
    "TABLET": ("batteries", 0.8, 0.004, 0.003, 290.0),
    "DRILL": ("batteries", 3.1, 0.018, 0.012, 130.0),
}
HUBS = {
    "TILBURG": ("NL", 51.58, 5.06, 25.0, 3, 6500.0, 45.0, 90.0, 0.030, 0.008),
    "MECHELEN": ("BE", 51.02, 4.51, 20.0, 2, 4200.0, 32.0, 60.0, 0.034, 0.009),
}
# vehicle type: hub, count, kg, m³, pallets, money a day, a km, an hour, kg CO2 a km, range, skills
VEHICLES = {
    "VAN-TIL": ("TILBURG", 2, 1100, 11, 5, 70, 0.38, 31, 0.26, 450, ""),
    "TRUCK-TIL": ("TILBURG", 3, 2900, 30, 14, 115, 0.58, 34, 0.49, None, "tail-lift, hazardous"),
    "BIG-TIL": ("TILBURG", 1, 5600, 40, 18, 150, 0.74, 36, 0.66, None, "tail-lift, hazardous"),
    "VAN-MEC": ("MECHELEN", 2, 1100, 11, 5, 70, 0.38, 30, 0.26, 450, "hazardous"),
    "TRUCK-MEC": ("MECHELEN", 2, 2900, 30, 14, 115, 0.58, 33, 0.49, None, "tail-lift, hazardous"),
}
# destination: kind, country, latitude, longitude, units a day, kg over the week
DESTINATIONS = {
    "REFURB-EINDHOVEN": ("refurbish", "NL", 51.46, 5.39, 450, None),
    "REFURB-GHENT": ("refurbish", "BE", 51.09, 3.76, 280, None),
    "REFURB-AACHEN": ("refurbish", "DE", 50.78, 6.12, 210, None),
    "OUTLET-ROERMOND": ("resell", "NL", 51.20, 5.98, 400, None),
    "SUPPLIER-DUISBURG": ("supplier", "DE", 51.43, 6.74, None, None),
    "RECYCLING-GENK": ("recycle", "BE", 50.93, 5.48, None, 20000),
    "INCINERATOR-MOERDIJK": ("scrap", "NL", 51.68, 4.60, None, 8000),
}
# destination, class: yield, share of value, money a good unit, cost a unit, cost of a bad unit, kg CO2 a unit
RECOVERY = {
    ("REFURB-EINDHOVEN", "appliances"): (0.84, 0.27, 0, 14.0, 1.5, 2.1),
    ("REFURB-EINDHOVEN", "batteries"): (0.78, 0.25, 0, 19.0, 3.5, 1.4),
    ("REFURB-GHENT", "appliances"): (0.81, 0.25, 0, 12.0, 1.8, 2.0),
    ("REFURB-GHENT", "electronics"): (0.88, 0.27, 0, 11.0, 1.2, 0.9),
    ("REFURB-AACHEN", "electronics"): (0.92, 0.30, 0, 12.5, 1.0, 0.8),
    ("REFURB-AACHEN", "batteries"): (0.86, 0.29, 0, 18.0, 3.0, 1.2),
    ("OUTLET-ROERMOND", ""): (0.95, 0.12, 0, 3.4, 1.0, 0.1),
    ("SUPPLIER-DUISBURG", "appliances"): (1.0, 0.13, 0, 2.0, 0, 0.1),
    ("RECYCLING-GENK", ""): (1.0, 0, 0.9, 0.4, 0, -3.0),
    ("INCINERATOR-MOERDIJK", ""): (0.0, 0, 0, 0, 0.6, 1.8),
}


def main() -> None:
    """Draw the returns and write every table."""
    random = np.random.default_rng(SEED)
    monday = date(2026, 3, 2)
    towns = pd.DataFrame.from_dict(TOWNS, orient="index", columns=["region", "latitude", "longitude", "people"])
    towns = towns.rename_axis("stop").reset_index()
    returns = returns_table(towns, random)
    tables = {
        "days": pd.DataFrame({"day": DAYS, "date": [monday + timedelta(days=n) for n in range(len(DAYS))]}),
        "places": pd.DataFrame({"place": ["YARD-BREDA"], "latitude": [51.60], "longitude": [4.77]}),
        "hubs": hubs_table(),
        "stops": stops_table(towns, returns, random),
        "windows": windows_table(towns, random),
        "vehicles": vehicles_table(),
        "breaks": pd.DataFrame({"vehicle": [""], "earliest": ["11:00"], "latest": ["14:00"], "minutes": [45]}),
        "products": products_table(),
        "returns": returns,
        "slow_movers": slow_movers_table(towns, random),
        "destinations": destinations_table(),
        "recovery": recovery_table(),
        "jurisdictions": pd.DataFrame(
            {"product_class": ["batteries", "batteries"], "region": ["NL", "DE"], "rule": ["no_export", "no_import"]}
        ),
        "tariff": pd.DataFrame(
            {"from_weight": [0, 30, 100, 300, 1000], "cost": [14, 28, 52, 80, 150],
             "cost_per_kg": [0.60, 0.42, 0.30, 0.24, 0.18], "cost_per_km": [0.04, 0.08, 0.15, 0.22, 0.35]}
        ),
    }  # fmt: skip
    for name, table in tables.items():
        write_csv(table, HERE / f"{name}.csv")


def returns_table(towns: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """What customers brought back in the week before: more in large towns, three to seven products a shop."""
    rows = []
    for town in towns.itertuples(index=False):
        scale = 6.0 + 1.1 * np.sqrt(town.people)
        for product in sorted(random.choice(list(PRODUCTS), size=random.integers(3, 8), replace=False)):
            light = 1.6 if PRODUCTS[product][1] < 2 else 0.8
            rows.append((town.stop, product, int(1 + random.poisson(scale * light * random.uniform(0.4, 1.2) / 1.6))))
    return pd.DataFrame(rows, columns=["stop", "product", "quantity"])


def stops_table(towns: pd.DataFrame, returns: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The shops: half of them get spare parts on the same tour and must be visited; the others are visited if it pays.
    Shops with batteries need a vehicle that may carry them."""
    count = len(towns)
    parts = random.random(count) < 0.5
    hazardous = towns["stop"].isin(returns.loc[returns["product"].isin(["TABLET", "DRILL"]), "stop"])
    lift = random.random(count) < 0.2
    skills = [
        ", ".join(s for s, has in (("tail-lift", a), ("hazardous", b)) if has)
        for a, b in zip(lift, hazardous, strict=True)
    ]
    ready = np.where(random.random(count) < 0.25, random.integers(1, 3, count), 0)
    deadline = np.where(random.random(count) < 0.4, random.integers(2, 5, count), 4)
    weight = np.where(parts, random.integers(20, 160, count), 0)
    return pd.DataFrame(
        {
            "stop": towns["stop"],
            "description": "Shop in " + towns["stop"],
            "region": towns["region"],
            "latitude": towns["latitude"],
            "longitude": towns["longitude"],
            "delivery_weight": weight,
            "delivery_volume": (weight * 0.005).round(2),
            "delivery_pallets": np.where(parts, np.ceil(weight / 80) / 2, 0),
            "service_minutes": random.integers(10, 26, count),
            "ready_day": [DAYS[t] if t else "" for t in ready],
            "deadline_day": [DAYS[max(a, b)] if a < 4 else "" for a, b in zip(deadline, ready, strict=True)],
            "leaving_cost": [
                None if has else int(cost) for has, cost in zip(parts, random.integers(10, 60, count), strict=True)
            ],
            "priority": np.where(random.random(count) < 0.1, 3, 1),
            "skills": skills,
        }
    )


def windows_table(towns: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Hubs are open from early to late; shops all day, in the morning only, or in the morning and late in the
    afternoon."""
    rows = [
        ("TILBURG", "", "06:00", "19:00"),
        ("MECHELEN", "", "06:30", "18:30"),
        ("MECHELEN", "FRI", "06:30", "16:30"),
    ]
    for town in towns["stop"]:
        kind = random.choice(["day", "morning", "twice"], p=[0.5, 0.2, 0.3])
        if kind == "day":
            rows.append((town, "", "08:00", "17:00"))
        else:
            rows.append((town, "", "07:00", "11:00" if kind == "twice" else "12:30"))
        if kind == "twice":
            rows.append((town, "", "15:00", "18:00"))
    return pd.DataFrame(rows, columns=["place", "day", "opens", "closes"])


def slow_movers_table(towns: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Forty lines of stock that lie long or sell slowly."""
    chosen = random.choice(len(towns) * len(PRODUCTS), size=40, replace=False)
    rows = []
    for pair in sorted(chosen):
        town, product = towns["stop"].iloc[pair // len(PRODUCTS)], list(PRODUCTS)[pair % len(PRODUCTS)]
        rate = float(random.choice([0.0, 0.02, 0.05, 0.12, 0.3]))
        rows.append((town, product, int(random.integers(5, 45)), int(random.integers(40, 500)), rate))
    return pd.DataFrame(rows, columns=["stop", "product", "quantity", "age", "demand_rate"])


def hubs_table() -> pd.DataFrame:
    columns = ["region", "latitude", "longitude", "unload_minutes", "docks", "intake_weight", "intake_pallets",
               "storage_volume", "handling_cost", "stock_cost"]  # fmt: skip
    return pd.DataFrame.from_dict(HUBS, orient="index", columns=columns).rename_axis("hub").reset_index()


def vehicles_table() -> pd.DataFrame:
    """The types: they start and end at their hub, but for one truck that is parked in Breda over night."""
    columns = ["start", "count", "weight", "volume", "pallets", "fixed_cost", "cost_per_km", "cost_per_hour",
               "emissions", "range", "skills"]  # fmt: skip
    table = pd.DataFrame.from_dict(VEHICLES, orient="index", columns=columns).rename_axis("vehicle").reset_index()
    end = table["start"].where(table["vehicle"] != "BIG-TIL", "YARD-BREDA")
    hub = table["start"].where(table["vehicle"] == "BIG-TIL", "")
    van = table["vehicle"].str.startswith("VAN")
    speed = np.where(van, 72.0, 64.0)
    return table.assign(
        end=end, unloads_at=hub, speed=speed, shift_start="06:30", shift_end="18:00", max_hours=10.0, trips=2
    )


def products_table() -> pd.DataFrame:
    columns = ["product_class", "weight", "volume", "pallets", "value"]
    return pd.DataFrame.from_dict(PRODUCTS, orient="index", columns=columns).rename_axis("product").reset_index()


def destinations_table() -> pd.DataFrame:
    columns = ["kind", "region", "latitude", "longitude", "capacity", "weight_limit"]
    return (
        pd.DataFrame.from_dict(DESTINATIONS, orient="index", columns=columns).rename_axis("destination").reset_index()
    )


def recovery_table() -> pd.DataFrame:
    columns = ["yield_rate", "value_share", "value", "cost", "residue_cost", "emissions"]
    rows = [(*key, *terms) for key, terms in RECOVERY.items()]
    return pd.DataFrame(rows, columns=["destination", "product_class", *columns])


if __name__ == "__main__":
    main()
