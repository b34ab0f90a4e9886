"""Make the sample case continental_kitchens: a maker of appliances designs its European network for three years.

`python data/continental_kitchens/make_case.py` rewrites the CSV files next to this script; the same seed gives the same
files. The cities and their coordinates are real (rounded to a hundredth of a degree); the company, its sites, costs and
demand are invented.

The business: two plants send two product groups to warehouses, which serve 60 customer regions: chain stores (each from
one warehouse), web shops and installers. Five warehouses exist, seven more are candidates. Gas appliances are hazardous
goods, which two countries do not let through their warehouses; the United Kingdom and Switzerland levy duties. Demand
moves east. Appliances that come back are refurbished at two of the warehouses.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from echelon.tables import write_csv

HERE = Path(__file__).parent
SEED = 2026
YEARS = (2027, 2028, 2029)
REACH = 1500.0  # km as the crow flies that a warehouse delivers at most
ELECTRIC, GAS = "ELECTRIC", "GAS"

# site: kind, country, latitude, longitude, exists, opening, closing, running (money), capacity (units/year)
SITES = {
    "PLANT-BRESCIA": ("plant", "IT", 45.54, 10.21, True, 0, 0, 900_000, 260_000),
    "PLANT-LODZ": ("plant", "PL", 51.76, 19.46, True, 0, 0, 700_000, 230_000),
    "ROTTERDAM": ("warehouse", "NL", 51.92, 4.48, True, 900_000, 450_000, 1_150_000, 110_000),
    "LYON": ("warehouse", "FR", 45.76, 4.84, True, 800_000, 400_000, 980_000, 90_000),
    "MILAN": ("warehouse", "IT", 45.46, 9.19, True, 850_000, 380_000, 1_020_000, 100_000),
    "BIRMINGHAM": ("warehouse", "GB", 52.48, -1.90, True, 820_000, 500_000, 940_000, 60_000),
    "HAMBURG": ("warehouse", "DE", 53.55, 9.99, True, 880_000, 460_000, 1_080_000, 90_000),
    "LEIPZIG": ("warehouse", "DE", 51.34, 12.37, False, 640_000, 320_000, 760_000, 100_000),
    "VIENNA": ("warehouse", "AT", 48.21, 16.37, False, 720_000, 340_000, 880_000, 90_000),
    "POZNAN": ("warehouse", "PL", 52.41, 16.93, False, 460_000, 220_000, 540_000, 90_000),
    "BUDAPEST": ("warehouse", "HU", 47.50, 19.04, False, 430_000, 200_000, 520_000, 80_000),
    "ZARAGOZA": ("warehouse", "ES", 41.65, -0.89, False, 480_000, 230_000, 560_000, 80_000),
    "NANCY": ("warehouse", "FR", 48.69, 6.18, False, 560_000, 280_000, 680_000, 100_000),
    "MALMO": ("warehouse", "SE", 55.60, 13.00, False, 610_000, 300_000, 790_000, 70_000),
}
# customer region: country, latitude, longitude, inhabitants in thousands (which scale its demand)
CITIES = {
    "London": ("GB", 51.51, -0.13, 14_800), "Manchester": ("GB", 53.48, -2.24, 7_300),
    "Glasgow": ("GB", 55.86, -4.25, 5_400), "Bristol": ("GB", 51.45, -2.59, 5_100),
    "Leeds": ("GB", 53.80, -1.55, 5_500), "Dublin": ("IE", 53.35, -6.26, 5_000),
    "Paris": ("FR", 48.86, 2.35, 12_400), "Lille": ("FR", 50.63, 3.06, 5_900),
    "Nantes": ("FR", 47.22, -1.55, 7_000), "Bordeaux": ("FR", 44.84, -0.58, 5_900),
    "Toulouse": ("FR", 43.60, 1.44, 5_800), "Marseille": ("FR", 43.30, 5.37, 5_000),
    "Strasbourg": ("FR", 48.57, 7.75, 5_500), "Brussels": ("BE", 50.85, 4.35, 7_000),
    "Antwerp": ("BE", 51.22, 4.40, 4_600), "Amsterdam": ("NL", 52.37, 4.90, 8_200),
    "Eindhoven": ("NL", 51.44, 5.47, 5_600), "Cologne": ("DE", 50.94, 6.96, 9_400),
    "Dortmund": ("DE", 51.51, 7.47, 8_500), "Bremen": ("DE", 53.08, 8.80, 6_800),
    "Hanover": ("DE", 52.38, 9.73, 6_000), "Berlin": ("DE", 52.52, 13.40, 6_100),
    "Dresden": ("DE", 51.05, 13.74, 6_200), "Frankfurt": ("DE", 50.11, 8.68, 8_100),
    "Stuttgart": ("DE", 48.78, 9.18, 7_200), "Munich": ("DE", 48.14, 11.58, 8_000),
    "Nuremberg": ("DE", 49.45, 11.08, 5_100), "Zurich": ("CH", 47.37, 8.54, 5_300),
    "Geneva": ("CH", 46.20, 6.14, 2_900), "Innsbruck": ("AT", 47.27, 11.40, 2_300),
    "Linz": ("AT", 48.31, 14.29, 2_600), "Graz": ("AT", 47.07, 15.44, 3_700),
    "Turin": ("IT", 45.07, 7.69, 5_800), "Bologna": ("IT", 44.49, 11.34, 6_400),
    "Venice": ("IT", 45.44, 12.32, 6_100), "Florence": ("IT", 43.77, 11.26, 5_200),
    "Rome": ("IT", 41.90, 12.50, 7_900), "Naples": ("IT", 40.85, 14.27, 8_700),
    "Barcelona": ("ES", 41.39, 2.17, 8_300), "Valencia": ("ES", 39.47, -0.38, 6_700),
    "Madrid": ("ES", 40.42, -3.70, 8_900), "Bilbao": ("ES", 43.26, -2.94, 5_300),
    "Seville": ("ES", 37.39, -5.98, 8_300), "Lisbon": ("PT", 38.72, -9.14, 5_500),
    "Porto": ("PT", 41.16, -8.63, 4_800), "Copenhagen": ("DK", 55.68, 12.57, 3_400),
    "Aarhus": ("DK", 56.16, 10.20, 2_500), "Gothenburg": ("SE", 57.71, 11.97, 3_600),
    "Stockholm": ("SE", 59.33, 18.07, 5_400), "Oslo": ("NO", 59.91, 10.75, 3_600),
    "Warsaw": ("PL", 52.23, 21.01, 9_600), "Krakow": ("PL", 50.06, 19.94, 9_100),
    "Wroclaw": ("PL", 51.11, 17.03, 7_100), "Gdansk": ("PL", 54.35, 18.65, 5_800),
    "Prague": ("CZ", 50.08, 14.44, 6_300), "Brno": ("CZ", 49.20, 16.61, 4_300),
    "Bratislava": ("SK", 48.15, 17.11, 3_400), "Gyor": ("HU", 47.69, 17.63, 5_100),
    "Ljubljana": ("SI", 46.06, 14.51, 2_100), "Zagreb": ("HR", 45.81, 15.98, 3_900),
}  # fmt: skip
GROUPS = {"CHAINS": ("Chain stores", "customer"), "WEB": ("Web shops", None), "TRADE": ("Installers", None)}
EAST = {"PL", "CZ", "SK", "HU", "SI", "HR", "AT"}


def main() -> None:
    """Draw the demand and write every table."""
    random = np.random.default_rng(SEED)
    money = ["opening_cost", "closing_cost", "running_cost"]
    terms = ["kind", "region", "latitude", "longitude", "existing", *money, "capacity"]
    sites = pd.DataFrame.from_dict(SITES, orient="index", columns=terms)
    sites = sites.rename_axis("site").reset_index()
    plants = sites["kind"] == "plant"
    sites["delivers"] = ~plants
    sites["emissions"] = np.where(plants, 0, (sites["capacity"] * 2.2).round())
    group = random.permutation(np.resize(list(GROUPS), len(CITIES)))
    customers = pd.DataFrame.from_dict(CITIES, orient="index", columns=["region", "latitude", "longitude", "people"])
    customers = customers.rename_axis("customer").reset_index().assign(group=group)
    demand = demand_table(customers, random)
    tables = {
        "periods": pd.DataFrame({"period": YEARS, "start": [date(y, 1, 1) for y in YEARS], "days": [365, 366, 365]}),
        "sites": sites,
        "capacity_steps": steps_table(sites),
        "products": pd.DataFrame({"product": [ELECTRIC, GAS], "description": ["Electric appliances", "Gas appliances"],
                                  "product_class": ["general", "hazardous"], "value": [210, 260], "freight": [0.4, 0.5],
                                  "cycle_days": 12, "pooling": [14, 9]}),
        "groups": pd.DataFrame([(g, *of) for g, of in GROUPS.items()], columns=["group", "description", "sourcing"]),
        "customers": customers.drop(columns="people"),
        "demand": demand,
        "modes": pd.DataFrame({"mode": ["ROAD", "RAIL"], "cost_per_km": [0.055, 0.03], "cost": [1.5, 4.5],
                               "speed": [55, 30], "emissions": [0.09, 0.025]}),
        "lanes": lanes_table(sites),
        "deliveries": deliveries_table(sites, customers),
        "supply": pd.DataFrame({"site": ["PLANT-BRESCIA", "PLANT-BRESCIA", "PLANT-LODZ", "PLANT-LODZ"],
                                "product": [ELECTRIC, GAS, ELECTRIC, GAS], "cost": [118, 152, 109, 196],
                                "capacity": [180_000, 120_000, 230_000, 80_000], "emissions": [30, 36, 41, 48]}),
        "handling": pd.DataFrame({"site": ["", "POZNAN", "BUDAPEST"], "cost": [3.4, 2.1, 2.2], "capacity_use": 1,
                                  "emissions": 0.3}),
        "duties": pd.DataFrame({"from_region": "", "to_region": ["GB", "CH"], "rate": [0.035, 0.02]}),
        "jurisdictions": pd.DataFrame({"product_class": "hazardous", "region": ["NL", "SE"], "rule": "no_handling"}),
        "pinned_sites": pd.DataFrame({"site": ["MILAN", "PLANT-BRESCIA", "PLANT-LODZ"], "period": ["2027", "", ""],
                                      "state": "open", "notes": ["lease until the end of 2027", "", ""]}),
        "site_limits": pd.DataFrame({"kind": "warehouse", "counts": ["open", "changed"], "maximum": [8, 3]}),
        "budgets": pd.DataFrame({"period": YEARS, "amount": [1_500_000, 1_200_000, 800_000], "excess_cost": 0.5}),
        "service_limits": pd.DataFrame({"group": ["CHAINS", "WEB"], "within": [800, 1000], "share": [0.75, 0.7],
                                        "excess_cost": 25}),
        "carbon": pd.DataFrame({"period": YEARS, "price": [70, 80, 90], "cap": [22_500, 22_000, 21_500],
                                "excess_cost": 150}),
        "returns": returns_table(demand),
        "recovery": pd.DataFrame({"site": ["LEIPZIG", "LYON", "MILAN", "HAMBURG"], "product": ELECTRIC, "cost": 31,
                                  "disposal_cost": 14, "recoverable": 0.65, "capacity": 6_000}),
    }  # fmt: skip
    for name, table in tables.items():
        write_csv(table, HERE / f"{name}.csv")


def demand_table(customers: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Units a year by inhabitants; the east grows by a tenth a year, the west hardly. Gas sells less everywhere."""
    rows = []
    for row in customers.itertuples(index=False):
        base = row.people * 0.85 * random.lognormal(0.0, 0.15)
        for product, part in ((ELECTRIC, 0.8), (GAS, 0.2)):
            for n, year in enumerate(YEARS):
                growth = (1.10 if row.region in EAST else 1.01) ** n * (1.0 if product == ELECTRIC else 0.96**n)
                rows.append((row.customer, product, str(year), round(base * part * growth)))
    return pd.DataFrame(rows, columns=["customer", "product", "period", "quantity"])


def returns_table(demand: pd.DataFrame) -> pd.DataFrame:
    """Three in a hundred electric appliances come back."""
    back = demand[demand["product"] == ELECTRIC]
    return back.assign(quantity=(back["quantity"] * 0.03).round())


def steps_table(sites: pd.DataFrame) -> pd.DataFrame:
    """Every warehouse can grow by a third, once."""
    warehouses = sites[sites["kind"] == "warehouse"]
    return pd.DataFrame(
        {
            "site": warehouses["site"],
            "step": 1,
            "capacity": (warehouses["capacity"] / 3).round(),
            "cost": (warehouses["opening_cost"] * 0.3).round(),
            "running_cost": (warehouses["running_cost"] * 0.22).round(),
        }
    )


def lanes_table(sites: pd.DataFrame) -> pd.DataFrame:
    """Plants reach every warehouse by road and, on the continent, by rail."""
    plants, warehouses = (sites[sites["kind"] == kind] for kind in ("plant", "warehouse"))
    pairs = plants[["site"]].merge(warehouses[["site", "region"]], how="cross", suffixes=("_from", "_to"))
    rail = pairs[pairs["region"] != "GB"]
    lanes = pd.concat([pairs.assign(mode="ROAD", cost=1.5), rail.assign(mode="RAIL", cost=4.5)])
    return lanes.rename(columns={"site_from": "from_site", "site_to": "to_site"}).drop(columns="region")


def deliveries_table(sites: pd.DataFrame, customers: pd.DataFrame) -> pd.DataFrame:
    """Every warehouse delivers by road to every region within reach; the way is longer than the crow flies."""
    ends = ["latitude", "longitude"]
    warehouses = sites.loc[sites["kind"] == "warehouse", ["site", *ends]]
    pairs = warehouses.merge(customers[["customer", *ends]], how="cross", suffixes=("", "_to"))
    phi, other = np.radians(pairs["latitude"]), np.radians(pairs["latitude_to"])
    apart = np.radians(pairs["longitude_to"] - pairs["longitude"])
    crow = 6371.0 * np.arccos(np.sin(phi) * np.sin(other) + np.cos(phi) * np.cos(other) * np.cos(apart))
    return pairs.loc[crow <= REACH, ["site", "customer"]].assign(cost=2.0, cost_per_km=0.085)


if __name__ == "__main__":
    main()
