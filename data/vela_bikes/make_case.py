"""Make the sample case vela_bikes: a maker of electric bikes awards next year's components to its suppliers.

`python data/vela_bikes/make_case.py` rewrites the CSV files next to this script; the same seed gives the same files.
Everything is invented: the company, its suppliers, prices and deliveries.

The business: two plants, Porto and Gdynia, need 24 components in four groups. Twelve suppliers in three regions offer
them; those from afar are cheaper, slower and less punctual. What makes the award hard: rebates that pull volume to few,
caps that push it apart, an incumbent who may lose only so much, batteries that must survive the loss of any supplier and
motors that may not come from everywhere, and a year in which a port may close or a supplier may fail.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from echelon.tables import write_csv

HERE = Path(__file__).parent
SEED = 2027
PLANTS = {"PORTO": 0.6, "GDYNIA": 0.4}  # and the share of each item's need
GROUPS = {
    "Drive": (78.0, 6, 9_000),
    "Battery": (120.0, 4, 9_000),
    "Frame": (38.0, 6, 12_000),
    "Small parts": (4.5, 8, 40_000),
}
SUPPLIERS = (  # name, region, parent, price level, lead time, its deviation, on-time tendency in days of margin
    ("ALBA", "EU", "Alba Group", 1.06, 14, 2, 3.0),
    ("BRANDT", "EU", "", 1.10, 10, 1, 4.0),
    ("CORTEZ", "EU", "Alba Group", 1.03, 16, 3, 2.0),
    ("DUNAJ", "EU", "", 1.04, 12, 2, 2.5),
    ("EIGER", "EU", "", 1.12, 9, 1, 5.0),
    ("FUJIAN", "ASIA", "Fujian Holding", 0.88, 48, 9, 2.0),
    ("GUANGMA", "ASIA", "", 0.86, 52, 12, -1.0),
    ("HSINCHU", "ASIA", "", 0.93, 42, 6, 4.0),
    ("INCHEON", "ASIA", "", 0.96, 44, 5, 5.0),
    ("JINHUA", "ASIA", "Fujian Holding", 0.85, 55, 11, 0.0),
    ("KOCAELI", "NEAR", "", 0.95, 24, 5, 1.0),
    ("LARACHE", "NEAR", "", 0.97, 20, 4, 2.0),
)
FREIGHT = {"EU": 0.010, "NEAR": 0.025, "ASIA": 0.055}  # of the price
DUTY = {"EU": 0.0, "NEAR": 0.02, "ASIA": 0.06}
CARBON = {"EU": 0.02, "NEAR": 0.035, "ASIA": 0.06}  # kg for each unit of money, of making
HISTORY = 40  # deliveries of each supplier


def main() -> None:
    """Write all tables."""
    random = np.random.default_rng(SEED)
    items, base, need = make_items(random)
    offers, breaks = make_offers(random, items, base, need)
    tables = {
        "items": items,
        "sites": pd.DataFrame(
            {"site": list(PLANTS), "description": ["Plant Portugal", "Plant Poland"], "region": "EU"}
        ),
        "suppliers": make_suppliers(random),
        "offers": offers,
        "price_breaks": breaks,
        "rebates": make_rebates(),
        "lanes": make_lanes(),
        "demand": make_demand(items, need),
        "deliveries": make_deliveries(random),
        **make_rules(items, offers),
        **make_scenarios(),
    }
    for name, frame in tables.items():
        write_csv(frame, HERE / f"{name}.csv")


def make_items(random: np.random.Generator) -> tuple[pd.DataFrame, dict[str, float], dict[str, float]]:
    """The items, what each costs about, and how many are needed."""
    rows, base, need = [], {}, {}
    for group, (price, count, volume) in GROUPS.items():
        for n in range(count):
            item = f"{group[:3].upper()}-{n + 1:02}"
            base[item] = round(price * random.uniform(0.5, 1.6), 2)
            need[item] = float(round(volume * random.uniform(0.3, 1.2), -2))
            rows.append({
                "item": item, "description": f"{group} {n + 1}", "group": group,
                "item_class": "controlled" if item in ("DRI-01", "DRI-02") else "",
                "bad_unit_cost": round(0.3 * base[item], 2), "late_unit_cost": round(0.08 * base[item], 2),
                "emergency_limit": round(0.25 * need[item]), "min_suppliers": 2 if group == "Battery" else 0,
                "max_suppliers": 3, "smallest_share": 0.15,
                "survives": "supplier" if group == "Battery" else "none", "survival_share": 0.6,
                "local_min_share": 0.2 if group == "Frame" else 0.0,
            })  # fmt: skip
    return pd.DataFrame(rows), base, need


def make_suppliers(random: np.random.Generator) -> pd.DataFrame:
    rows = [
        {"supplier": name, "region": region, "parent": parent, "activation_cost": float(random.integers(15, 60)) * 1000,
         "capacity": float(random.integers(60, 140)) * 1000, "minimum_spend": 100_000.0, "flexibility": 0.6}
        for name, region, parent, *_ in SUPPLIERS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_offers(
    random: np.random.Generator, items: pd.DataFrame, base: dict[str, float], need: dict[str, float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Five offers of each item, from at least one supplier in the EU and, for controlled items, two."""
    offers, breaks = [], []
    for item in items["item"]:
        eu, others = random.choice(5, 2, replace=False), 5 + random.choice(7, 3, replace=False)
        for s in sorted([*eu, *others]):
            name, region, _, level, *_ = SUPPLIERS[s]
            price = round(base[item] * level * random.normal(1.0, 0.05), 2)
            offers.append({
                "supplier": name, "item": item, "price": price, "award_cost": float(random.integers(5, 40)) * 100,
                "capacity": round(need[item] * random.uniform(0.7, 1.6)),
                "yield_rate": round({"EU": 0.998, "NEAR": 0.99, "ASIA": 0.985}[region] - random.uniform(0, 0.008), 4),
                "carbon": round(CARBON[region] * base[item], 3),
            })  # fmt: skip
            if random.random() < 0.6:
                kind = "all_units" if random.random() < 0.6 else "incremental"
                for part, cut in ((0.3, 0.97), (0.6, 0.94)):
                    start, lower = round(need[item] * part), round(price * cut, 2)
                    breaks.append(
                        {"supplier": name, "item": item, "from_quantity": start, "price": lower, "kind": kind}
                    )
    return pd.DataFrame(offers), pd.DataFrame(breaks)


def make_rebates() -> pd.DataFrame:
    names = ["ALBA", "FUJIAN", "HSINCHU", "KOCAELI"]
    rows = [(s, start, rate, "whole") for s in names for start, rate in ((400_000.0, 0.01), (1_000_000.0, 0.03))]
    rows.append(("INCHEON", 500_000.0, 0.04, "beyond"))
    return pd.DataFrame(rows, columns=["supplier", "from_spend", "rate", "kind"])


def make_lanes() -> pd.DataFrame:
    """Freight and emissions by group of items would be too much: a lane's own row only for the small parts' supplier."""
    rows = [
        {"supplier": name, "site": site, "freight": round(60 * FREIGHT[region], 2), "duty_rate": DUTY[region],
         "lead_time": None, "lead_time_deviation": None, "carbon": round(40 * FREIGHT[region], 2)}
        for name, region, *_ in SUPPLIERS
        for site in PLANTS
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_demand(items: pd.DataFrame, need: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"item": item, "site": site, "quantity": round(need[item] * part), "deviation": round(need[item] * part / 365 * 0.6, 2)}
        for item in items["item"]
        for site, part in PLANTS.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_deliveries(random: np.random.Generator) -> pd.DataFrame:
    """Last year's deliveries; those of the last weeks are still open."""
    rows, today = [], pd.Timestamp("2026-10-30")
    for name, _, _, _, lead, deviation, margin in SUPPLIERS:
        for n in range(HISTORY):
            ordered = pd.Timestamp("2026-01-05") + pd.Timedelta(days=int(n * 290 / HISTORY))
            days = max(round(random.normal(lead, deviation)), 1)
            received = ordered + pd.Timedelta(days=days)
            promised = ordered + pd.Timedelta(days=int(lead + margin))
            rows.append({"supplier": name, "delivery": f"{name}-{n + 1:03}", "ordered": ordered, "promised": promised,
                         "received": received if received <= today else None})  # fmt: skip
    return pd.DataFrame(rows)


def make_rules(items: pd.DataFrame, offers: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """What purchasing, compliance and sustainability ask for."""
    frames = items.loc[items["group"] == "Frame", "item"]
    incumbents = offers[offers["item"].isin(frames)].groupby("item", sort=False).head(1)
    first = offers.groupby("item", sort=False).head(1).set_index("item")
    return {
        "current_awards": incumbents[["supplier", "item"]].assign(share=0.8, max_loss=0.4),
        "jurisdictions": pd.DataFrame({"item_class": "controlled", "region": ["EU", "NEAR"], "rule": "allowed"}),
        "caps": pd.DataFrame({
            "kind": ["supplier", "parent", "region"], "name": ["", "", "ASIA"], "group": "", "max_share": [0.30, 0.35, 0.60],
        }),
        "ceilings": pd.DataFrame({
            "kind": ["carbon", "budget"], "group": ["", "Small parts"], "amount": [400_000.0, 1_200_000.0],
            "excess_cost": [0.5, None],
        }),
        "pairs": pd.DataFrame({
            "supplier": [first.at["SMA-01", "supplier"], first.at["SMA-02", "supplier"]], "item": ["SMA-01", "SMA-02"],
            "rule": ["required", "excluded"], "quantity": [2_000.0, 1.0],
        }),
        "shares": first.loc[["DRI-03"]].reset_index()[["supplier", "item"]].assign(min_share=0.2, max_share=0.7),
    }  # fmt: skip


def make_scenarios() -> dict[str, pd.DataFrame]:
    scenarios = [
        ("as planned", 0.80, "Nothing fails"),
        ("port closed", 0.05, "Half of what Asia sends does not come"),
        ("flood at FUJIAN", 0.04, "Fujian Holding's plants stand still"),
        ("GUANGMA insolvent", 0.04, "GUANGMA delivers nothing"),
        ("strike at ALBA", 0.04, "ALBA delivers half"),
        ("sanctions", 0.03, "JINHUA and GUANGMA may not deliver"),
    ]
    strikes = [
        ("port closed", "region", "ASIA", 0.5),
        ("flood at FUJIAN", "supplier", "FUJIAN", 0.0),
        ("flood at FUJIAN", "supplier", "JINHUA", 0.25),
        ("GUANGMA insolvent", "supplier", "GUANGMA", 0.0),
        ("strike at ALBA", "supplier", "ALBA", 0.5),
        ("sanctions", "supplier", "JINHUA", 0.0),
        ("sanctions", "supplier", "GUANGMA", 0.0),
    ]
    return {
        "scenarios": pd.DataFrame(scenarios, columns=["scenario", "probability", "description"]),
        "disruptions": pd.DataFrame(strikes, columns=["scenario", "kind", "name", "capacity_left"]),
    }


if __name__ == "__main__":
    main()
