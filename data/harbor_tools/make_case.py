"""Make the sample case harbor_tools: a distributor of tools and spare parts plans 26 weeks of orders.

`python data/harbor_tools/make_case.py` rewrites the CSV files next to this script; the same seed gives the same files.
Everything is invented: the company, its suppliers, prices and demand.

The business: customers buy from the central warehouse in Rotterdam and from the branches in Hamburg and Gdansk, which
Rotterdam replenishes. Garden tools sell in spring, spare parts now and then, battery tools more and more. What makes
planning hard: three weekly budgets, a warehouse that is too small for the garden season, suppliers with a capacity,
one of which is closed for four weeks, and an order cost that lines to one supplier share.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from echelon.tables import write_csv

HERE = Path(__file__).parent
SEED = 2026
WEEKS = 26
STARTS = [date(2026, 1, 5) + timedelta(weeks=t) for t in range(WEEKS)]
PERIODS = [start.isoformat() for start in STARTS]
FROZEN = 1  # weeks in which nothing may be ordered, as in case.toml

CENTRAL, HAMBURG, GDANSK = "ROTTERDAM", "HAMBURG", "GDANSK"
SITES = {CENTRAL: "Central warehouse", HAMBURG: "Branch Germany", GDANSK: "Branch Poland"}
SITE_OF_LETTER = {"R": CENTRAL, "H": HAMBURG, "G": GDANSK}
SITE_WEIGHT = {CENTRAL: 0.5, HAMBURG: 0.3, GDANSK: 0.2}  # how an item's demand is split over the sites that sell it
LANE_WEEKS = {HAMBURG: 1, GDANSK: 2}  # from the central warehouse
PARCEL = {HAMBURG: 0.02, GDANSK: 0.03}  # money/unit at least
FREIGHT = {HAMBURG: 28.0, GDANSK: 39.0}  # money/m³

POWER, HAND, SPARE = "Power tools", "Hand tools", "Spare parts"


class Supplier(NamedTuple):
    supplier: str
    description: str
    order_cost: float
    line_cost: float
    lead_time: int


class Product(NamedTuple):
    item: str
    description: str
    department: str
    price: float  # of its main supplier, below any price break
    volume: float  # m³/unit
    weekly: float  # units sold in an average week, all sites together
    pattern: str  # steady, garden, now_and_then, rising, falling
    sites: str  # initials of the sites that sell it
    supplier: str  # the main one, delivering to the central warehouse
    pack: int  # its order multiple
    packs: int  # its minimum, in packs


class Extra(NamedTuple):
    """An offer besides the main one: a second supplier, or a delivery straight to a branch."""

    supplier: str
    item: str
    site: str
    price: float  # as a multiple of the main supplier's
    pack: int
    packs: int


SUPPLIERS = [
    Supplier("BRANTEC", "Brantec s.r.o., Brno: forged hand tools", 35.0, 6.0, 2),
    Supplier("HALVARD", "Halvard Gear & Seal AS, Drammen: gears, seals, windings", 45.0, 5.0, 4),
    Supplier("KESTREL", "Kestrel Power Tools Ltd, Sheffield: saws and sanders", 50.0, 6.0, 3),
    Supplier("LINDQVIST", "Lindqvist Trädgård AB, Jönköping: garden tools", 55.0, 6.0, 3),
    Supplier("NORDBOHR", "Nordbohr GmbH, Hamburg: drills, hammers, batteries", 40.0, 5.0, 2),
    Supplier("OSTROW", "Ostrów Części Sp. z o.o., Gdańsk: spare parts", 25.0, 4.0, 1),
    Supplier("TIANHE", "Tianhe Abrasives Co., Suzhou: discs, bits, machines", 95.0, 8.0, 5),
    Supplier("VELTMAN", "Veltman Groothandel BV, Utrecht: wholesaler", 20.0, 3.0, 1),
]

PRODUCTS = [
    Product("DRILL-18V", "Cordless drill 18 V", POWER, 74.0, 0.012, 145, "rising", "RHG", "NORDBOHR", 10, 3),
    Product("DRILL-12V", "Cordless drill 12 V", POWER, 49.0, 0.009, 70, "falling", "RHG", "NORDBOHR", 10, 2),
    Product("IMPACT-18V", "Impact driver 18 V", POWER, 82.0, 0.010, 65, "rising", "RH", "NORDBOHR", 10, 2),
    Product("HAMMER-SDS", "Rotary hammer SDS-plus", POWER, 118.0, 0.021, 45, "steady", "RHG", "NORDBOHR", 6, 2),
    Product("DEMO-15KG", "Demolition hammer 15 kg", POWER, 396.0, 0.090, 6, "steady", "RG", "NORDBOHR", 2, 1),
    Product("GRIND-125", "Angle grinder 125 mm", POWER, 46.0, 0.008, 120, "steady", "RHG", "TIANHE", 12, 5),
    Product("GRIND-230", "Angle grinder 230 mm", POWER, 89.0, 0.016, 35, "steady", "RH", "TIANHE", 6, 4),
    Product("HEATGUN-2000", "Heat gun 2000 W", POWER, 33.0, 0.007, 40, "falling", "RH", "TIANHE", 12, 3),
    Product("COMPR-24L", "Compressor 24 l", POWER, 142.0, 0.130, 16, "steady", "RG", "TIANHE", 4, 3),
    Product("VAC-30L", "Wet and dry vacuum 30 l", POWER, 112.0, 0.110, 22, "steady", "RH", "KESTREL", 4, 2),
    Product("SAW-CIRC-190", "Circular saw 190 mm", POWER, 96.0, 0.024, 38, "steady", "RHG", "KESTREL", 6, 2),
    Product("MITRE-254", "Mitre saw 254 mm", POWER, 218.0, 0.140, 13, "rising", "RH", "KESTREL", 2, 2),
    Product("JIGSAW-650", "Jigsaw 650 W", POWER, 58.0, 0.011, 50, "steady", "RHG", "KESTREL", 8, 2),
    Product("SANDER-ORB", "Random orbit sander 125 mm", POWER, 52.0, 0.009, 55, "steady", "RH", "KESTREL", 8, 2),
    Product("ROUTER-1400", "Router 1400 W", POWER, 139.0, 0.019, 14, "steady", "R", "KESTREL", 4, 1),
    Product("PLANER-82", "Planer 82 mm", POWER, 87.0, 0.013, 16, "steady", "R", "KESTREL", 4, 2),
    Product("HEDGE-550", "Hedge trimmer 550 mm", POWER, 79.0, 0.030, 40, "garden", "RHG", "LINDQVIST", 6, 2),
    Product("TRIM-36V", "Grass trimmer 36 V", POWER, 98.0, 0.035, 50, "garden", "RHG", "LINDQVIST", 6, 2),
    Product("MOWER-36V", "Lawn mower 36 V", POWER, 264.0, 0.190, 26, "garden", "RHG", "LINDQVIST", 4, 2),
    Product("WASH-140", "Pressure washer 140 bar", POWER, 128.0, 0.095, 32, "garden", "RH", "LINDQVIST", 4, 3),
    Product("SOCKET-94", "Socket set, 94 pieces", HAND, 38.5, 0.009, 65, "steady", "RHG", "BRANTEC", 10, 2),
    Product("WRENCH-ADJ-10", "Adjustable wrench 10 in", HAND, 8.9, 0.001, 110, "steady", "RH", "BRANTEC", 20, 2),
    Product("HAM-CLAW-16", "Claw hammer 16 oz", HAND, 9.6, 0.0022, 135, "steady", "RHG", "BRANTEC", 24, 2),
    Product("PLIER-COMBI", "Combination pliers 180 mm", HAND, 7.4, 0.0006, 180, "steady", "RHG", "BRANTEC", 30, 2),
    Product("PLIER-SET-3", "Pliers set, 3 pieces", HAND, 19.8, 0.0019, 60, "steady", "RG", "BRANTEC", 12, 2),
    Product("CHISEL-SET-4", "Chisel set, 4 pieces", HAND, 16.5, 0.0017, 35, "steady", "R", "BRANTEC", 12, 1),
    Product("HEX-SET-9", "Hex key set, 9 pieces", HAND, 4.3, 0.0004, 190, "steady", "RHG", "BRANTEC", 40, 2),
    Product("FILE-SET-5", "File set, 5 pieces", HAND, 11.2, 0.0012, 38, "falling", "R", "BRANTEC", 12, 2),
    Product("CLAMP-300", "Screw clamp 300 mm", HAND, 6.1, 0.0018, 150, "steady", "RH", "BRANTEC", 24, 3),
    Product("SCREW-SET-10", "Screwdriver set, 10 pieces", HAND, 10.4, 0.0021, 95, "steady", "RHG", "VELTMAN", 12, 1),
    Product("LEVEL-600", "Spirit level 600 mm", HAND, 9.1, 0.0028, 70, "steady", "RH", "VELTMAN", 10, 2),
    Product("TAPE-5M", "Tape measure 5 m", HAND, 3.2, 0.0004, 300, "steady", "RHG", "VELTMAN", 48, 1),
    Product("KNIFE-18", "Utility knife 18 mm", HAND, 2.4, 0.0003, 260, "steady", "RH", "VELTMAN", 50, 1),
    Product("SAW-HAND-550", "Hand saw 550 mm", HAND, 8.3, 0.0035, 65, "steady", "RG", "VELTMAN", 12, 2),
    Product("TOOLBOX-22", "Tool box 22 in", HAND, 17.5, 0.035, 45, "steady", "RHG", "VELTMAN", 6, 2),
    Product("STAPLER-14", "Staple gun 14 mm", HAND, 12.9, 0.0016, 32, "falling", "R", "VELTMAN", 10, 1),
    Product("SHEARS-BYP", "Bypass secateurs", HAND, 11.8, 0.0009, 150, "garden", "RHG", "LINDQVIST", 24, 2),
    Product("LOPPER-700", "Lopper 700 mm", HAND, 18.6, 0.0048, 65, "garden", "RH", "LINDQVIST", 12, 2),
    Product("SPADE-GARD", "Garden spade", HAND, 14.9, 0.0110, 90, "garden", "RHG", "LINDQVIST", 10, 3),
    Product("BARROW-85L", "Wheelbarrow 85 l", HAND, 43.0, 0.160, 22, "garden", "RG", "LINDQVIST", 5, 2),
    Product("DISC-CUT-125", "Cutting disc 125 mm", SPARE, 0.62, 0.00008, 4200, "steady", "RHG", "TIANHE", 500, 8),
    Product("DISC-GRIND-125", "Grinding disc 125 mm", SPARE, 1.15, 0.0002, 1100, "steady", "RHG", "TIANHE", 200, 5),
    Product("SAND-K80-50", "Sanding discs K80, 50 pieces", SPARE, 4.9, 0.0009, 260, "steady", "RH", "TIANHE", 40, 5),
    Product("BIT-SET-32", "Screw bit set, 32 pieces", SPARE, 6.7, 0.0005, 290, "steady", "RHG", "TIANHE", 50, 4),
    Product("HSS-SET-19", "HSS drill set, 19 pieces", SPARE, 13.4, 0.0011, 110, "steady", "RHG", "TIANHE", 20, 4),
    Product("SDS-BIT-8", "SDS-plus drill 8 mm", SPARE, 1.9, 0.0001, 670, "steady", "RHG", "NORDBOHR", 100, 2),
    Product("BATT-18V-4AH", "Battery 18 V 4 Ah", SPARE, 43.0, 0.0013, 120, "rising", "RHG", "NORDBOHR", 20, 2),
    Product("CHARGER-18V", "Charger 18 V", SPARE, 27.0, 0.0021, 50, "rising", "RH", "NORDBOHR", 10, 2),
    Product("BLADE-CIRC-190", "Circular saw blade 190 mm", SPARE, 9.8, 0.0004, 105, "steady", "RH", "KESTREL", 20, 2),
    Product("BLADE-JIG-5", "Jigsaw blades, 5 pieces", SPARE, 3.6, 0.0001, 210, "steady", "RHG", "KESTREL", 50, 2),
    Product("CHAIN-LOOP-35", "Saw chain loop 350 mm", SPARE, 9.4, 0.0003, 70, "garden", "RH", "OSTROW", 20, 2),
    Product("LINE-TRIM-15", "Trimmer line 15 m", SPARE, 2.8, 0.0002, 210, "garden", "RHG", "OSTROW", 40, 2),
    Product("SEAL-KIT-40", "Seal kit 40 mm", SPARE, 8.7, 0.0003, 9, "now_and_then", "RHG", "HALVARD", 10, 2),
    Product("GEAR-SDS", "Gear wheel, rotary hammer", SPARE, 23.5, 0.0004, 5, "now_and_then", "RG", "HALVARD", 5, 2),
    Product("ARMATURE-230", "Armature, grinder 230 mm", SPARE, 46.0, 0.0012, 4, "now_and_then", "RH", "HALVARD", 4, 2),
    Product("PUMP-HEAD-140", "Pump head, washer 140 bar", SPARE, 52.0, 0.0026, 3, "now_and_then", "R", "HALVARD", 4, 1),
    Product("CHUCK-13", "Keyless chuck 13 mm", SPARE, 11.5, 0.0003, 12, "now_and_then", "RHG", "OSTROW", 10, 1),
    Product("BRUSH-SET-A", "Carbon brushes, pair", SPARE, 2.1, 0.00005, 34, "now_and_then", "RHG", "OSTROW", 50, 1),
    Product("SWITCH-DR18", "Switch, drill 18 V", SPARE, 9.9, 0.0002, 8, "now_and_then", "RG", "OSTROW", 10, 1),
    Product("O-RING-20", "O-ring 20 mm", SPARE, 0.5, 0.00001, 60, "now_and_then", "RG", "OSTROW", 100, 1),
]

SECOND_SUPPLIERS = [
    Extra("TIANHE", "DRILL-12V", CENTRAL, 0.90, 20, 4),
    Extra("NORDBOHR", "GRIND-125", CENTRAL, 1.12, 6, 2),
    Extra("VELTMAN", "HEATGUN-2000", CENTRAL, 1.16, 4, 1),
    Extra("VELTMAN", "JIGSAW-650", CENTRAL, 1.13, 4, 1),
    Extra("TIANHE", "SANDER-ORB", CENTRAL, 0.91, 16, 4),
    Extra("VELTMAN", "SOCKET-94", CENTRAL, 1.10, 5, 1),
    Extra("VELTMAN", "HAM-CLAW-16", CENTRAL, 1.14, 12, 1),
    Extra("VELTMAN", "SHEARS-BYP", CENTRAL, 1.15, 12, 1),
    Extra("VELTMAN", "DISC-CUT-125", CENTRAL, 1.21, 250, 2),
    Extra("KESTREL", "BATT-18V-4AH", CENTRAL, 1.04, 15, 2),
    Extra("VELTMAN", "BIT-SET-32", CENTRAL, 1.18, 25, 1),
    Extra("OSTROW", "SEAL-KIT-40", CENTRAL, 1.22, 5, 1),
]

DIRECT_TO_BRANCHES = [
    Extra("NORDBOHR", "DRILL-18V", HAMBURG, 0.98, 10, 2),
    Extra("NORDBOHR", "IMPACT-18V", HAMBURG, 1.0, 10, 1),
    Extra("NORDBOHR", "HAMMER-SDS", HAMBURG, 1.0, 6, 1),
    Extra("NORDBOHR", "BATT-18V-4AH", HAMBURG, 0.98, 20, 1),
    Extra("NORDBOHR", "SDS-BIT-8", HAMBURG, 1.0, 100, 1),
    Extra("OSTROW", "CHUCK-13", GDANSK, 1.0, 5, 1),
    Extra("OSTROW", "BRUSH-SET-A", GDANSK, 1.0, 25, 1),
    Extra("OSTROW", "SWITCH-DR18", GDANSK, 1.0, 5, 1),
    Extra("OSTROW", "O-RING-20", GDANSK, 1.0, 50, 1),
    Extra("BRANTEC", "SOCKET-94", GDANSK, 1.0, 10, 1),
    Extra("BRANTEC", "PLIER-SET-3", GDANSK, 1.0, 12, 1),
]

ALL, STEP = "all_units", "incremental"
PRICE_BREAKS = [  # supplier, item, site, kind, then quantity -> price as a multiple of the offer's
    ("NORDBOHR", "DRILL-18V", CENTRAL, ALL, {60: 0.98, 120: 0.965}),
    ("NORDBOHR", "DRILL-12V", CENTRAL, ALL, {60: 0.975}),
    ("NORDBOHR", "HAMMER-SDS", CENTRAL, ALL, {24: 0.98, 48: 0.97}),
    ("NORDBOHR", "BATT-18V-4AH", CENTRAL, ALL, {80: 0.98, 160: 0.97}),
    ("NORDBOHR", "SDS-BIT-8", CENTRAL, STEP, {500: 0.95}),
    ("TIANHE", "GRIND-125", CENTRAL, ALL, {120: 0.98, 240: 0.965}),
    ("TIANHE", "COMPR-24L", CENTRAL, ALL, {20: 0.975}),
    ("TIANHE", "DISC-CUT-125", CENTRAL, ALL, {5000: 0.97, 10000: 0.95}),
    ("TIANHE", "DISC-GRIND-125", CENTRAL, ALL, {2000: 0.96}),
    ("TIANHE", "BIT-SET-32", CENTRAL, ALL, {300: 0.97, 600: 0.95}),
    ("KESTREL", "SAW-CIRC-190", CENTRAL, ALL, {42: 0.975}),
    ("KESTREL", "VAC-30L", CENTRAL, STEP, {12: 0.975}),
    ("KESTREL", "JIGSAW-650", CENTRAL, ALL, {56: 0.975}),
    ("KESTREL", "SANDER-ORB", CENTRAL, STEP, {32: 0.98}),
    ("LINDQVIST", "MOWER-36V", CENTRAL, ALL, {24: 0.98}),
    ("LINDQVIST", "SHEARS-BYP", CENTRAL, ALL, {144: 0.97}),
    ("LINDQVIST", "SPADE-GARD", CENTRAL, STEP, {100: 0.96}),
    ("BRANTEC", "SOCKET-94", CENTRAL, ALL, {60: 0.975}),
    ("BRANTEC", "PLIER-COMBI", CENTRAL, STEP, {150: 0.96}),
    ("VELTMAN", "TAPE-5M", CENTRAL, ALL, {288: 0.96, 576: 0.94}),
    ("VELTMAN", "TOOLBOX-22", CENTRAL, STEP, {36: 0.96}),
]

MAXIMUM = {  # units of one order line
    ("LINDQVIST", "MOWER-36V", CENTRAL): 48,
    ("LINDQVIST", "BARROW-85L", CENTRAL): 40,
    ("NORDBOHR", "DEMO-15KG", CENTRAL): 20,
    ("VELTMAN", "DISC-CUT-125", CENTRAL): 5000,
    ("VELTMAN", "SHEARS-BYP", CENTRAL): 120,
}

HOURS_SUPPLIER = "BRANTEC"  # a forge that sells hours: each line sets up a die, each unit takes its strokes
SET_UP_HOURS, HOURS_PER_MONEY = 1.5, 0.0035

CLOSED_SUPPLIER, CLOSED_WEEKS = "TIANHE", PERIODS[5:9]  # Lunar New Year is on 2026-02-17

CAPACITIES = [  # supplier, period (blank: every other), measure, capacity, price of excess, hard
    ("BRANTEC", "", "hours", 60.0, 45.0, False),
    ("LINDQVIST", "", "units", 900.0, 10.0, False),
    ("KESTREL", "", "units", 1400.0, 8.0, False),
    *((CLOSED_SUPPLIER, period, "units", 0.0, None, True) for period in CLOSED_WEEKS),
]

GARDEN_SEASON = PERIODS[8:17]  # the weeks in which the season is bought

BUDGETS = [  # department, period (blank: every other), amount a week, carried over, price of excess
    (POWER, "", 64000.0, True, 0.3),
    (HAND, "", 21500.0, False, 0.2),
    (SPARE, "", 18500.0, True, 0.3),
    *((POWER, period, 92000.0, True, 0.3) for period in GARDEN_SEASON),
    *((HAND, period, 25500.0, False, 0.2) for period in GARDEN_SEASON),
]

STORAGE = [  # site, m³, what counts, price of excess
    (CENTRAL, 108.0, "peak", 30.0),
    (HAMBURG, 80.0, "closing", 30.0),
    (GDANSK, 60.0, "closing", 30.0),
]

SHARES = [  # supplier, item, smallest and largest share
    ("NORDBOHR", "GRIND-125", 0.20, 1.0),
    ("KESTREL", "BATT-18V-4AH", 0.25, 0.6),
    ("VELTMAN", "DISC-CUT-125", 0.10, 1.0),
    ("BRANTEC", "SOCKET-94", 0.60, 1.0),
]

A_ITEMS = ["DRILL-18V", "BATT-18V-4AH", "GRIND-125", "MOWER-36V"]  # promised to key accounts
LOST = [  # bought elsewhere if not at hand
    "DISC-CUT-125", "DISC-GRIND-125", "SAND-K80-50", "BIT-SET-32", "TAPE-5M", "KNIFE-18", "LINE-TRIM-15", "SHEARS-BYP",
]  # fmt: skip

PINNED = [  # supplier, item, site, period, quantity, why
    ("NORDBOHR", "DRILL-18V", CENTRAL, PERIODS[0], 150, "promised by phone in December"),
    ("LINDQVIST", "MOWER-36V", CENTRAL, PERIODS[6], 48, "booked at the garden fair"),
]


def main() -> None:
    """Draw the demand, derive stock and receipts from what was expected, and write every table."""
    rng = np.random.default_rng(SEED)
    expected = {(p.item, site): expected_demand(p, site) for p in PRODUCTS for site in sites_of(p)}
    demand = demand_table(expected, rng)
    safety = safety_stock_table(expected)
    stock, receipts = stock_and_receipts(expected, safety, rng)
    tables = {
        "items": items_table(),
        "sites": pd.DataFrame(SITES.items(), columns=["site", "description"]),
        "suppliers": pd.DataFrame(SUPPLIERS)[["supplier", "description", "order_cost"]],
        "periods": pd.DataFrame({"period": PERIODS, "start": STARTS, "days": 7}),
        "offers": offers_table(),
        "price_breaks": price_breaks_table(),
        "demand": demand,
        "stock": stock,
        "receipts": receipts,
        "safety_stock": safety,
        "lanes": lanes_table(),
        "budgets": frame(BUDGETS, "department", "period", "amount", "carry_over", "excess_cost"),
        "storage": frame(STORAGE, "site", "capacity", "counts", "excess_cost"),
        "supplier_capacity": frame(CAPACITIES, "supplier", "period", "measure", "capacity", "excess_cost", "hard"),
        "shares": frame(SHARES, "supplier", "item", "min_share", "max_share"),
        "shortages": shortages_table(),
        "pinned_orders": frame(PINNED, "supplier", "item", "site", "period", "quantity", "notes"),
    }
    for name, table in tables.items():
        write_csv(table, HERE / f"{name}.csv")


def frame(rows: list[tuple], *columns: str) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns))


def sites_of(product: Product) -> list[str]:
    return [SITE_OF_LETTER[letter] for letter in product.sites]


def expected_demand(product: Product, site: str) -> np.ndarray:
    """Units expected in each week at a site."""
    week = np.arange(WEEKS)
    shape = {
        "steady": np.ones(WEEKS),
        "now_and_then": np.ones(WEEKS),
        "garden": 0.35 + 2.2 * np.exp(-(((week - 15) / 5.0) ** 2)),  # the peak is mid-April
        "rising": 0.85 + 0.3 * week / WEEKS,
        "falling": 1.15 - 0.3 * week / WEEKS,
    }[product.pattern]
    part = SITE_WEIGHT[site] / sum(SITE_WEIGHT[s] for s in sites_of(product))
    return product.weekly * part * shape


def demand_table(expected: dict[tuple[str, str], np.ndarray], rng: np.random.Generator) -> pd.DataFrame:
    """What is drawn around the expectation; weeks without demand have no row."""
    pattern = {p.item: p.pattern for p in PRODUCTS}
    rows = []
    for (item, site), mean in expected.items():
        if pattern[item] == "now_and_then":  # a customer in two weeks out of five, each for a few units
            drawn = (rng.random(WEEKS) < 0.4) * (1 + rng.poisson(np.maximum(mean / 0.4 - 1, 0.0)))
        else:
            drawn = np.rint(mean * rng.lognormal(-0.02, 0.2, WEEKS)).astype(int)
        rows += [(item, site, period, int(q)) for period, q in zip(PERIODS, drawn, strict=True) if q > 0]
    return frame(rows, "item", "site", "period", "quantity")


def safety_stock_table(expected: dict[tuple[str, str], np.ndarray]) -> pd.DataFrame:
    """About two weeks of demand; for the garden machines at the central warehouse more before and in the season."""
    rows = []
    garden_machines = {p.item for p in PRODUCTS if p.pattern == "garden" and p.department == POWER}
    for (item, site), mean in expected.items():
        rows.append((item, site, "", int(np.ceil(2.0 * mean.mean()))))
        if item in garden_machines and site == CENTRAL:
            rows += [(item, site, PERIODS[t], int(np.ceil(4.0 * mean.mean()))) for t in range(11, 19)]
    return frame(rows, "item", "site", "period", "quantity")


def stock_and_receipts(
    expected: dict[tuple[str, str], np.ndarray], safety: pd.DataFrame, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What lies in stock and what is on its way: together about enough until the first new order can be there.

    A branch holds what it needs until a transfer can reach it, the central warehouse the rest. Where the supplier is
    far away, half of that rest is still to come, in two deliveries.
    """
    every_week = safety[safety["period"] == ""].set_index(["item", "site"])["quantity"]
    lead_time = {s.supplier: s.lead_time for s in SUPPLIERS}
    on_hand, receipts = [], []
    for product in PRODUCTS:
        wait = FROZEN + lead_time[product.supplier]  # weeks until an order can arrive at the central warehouse
        margin = 1.5 if product.pattern == "now_and_then" else 1.0
        rest = 0.0
        for site in reversed(sites_of(product)):
            key = product.item, site
            lane = LANE_WEEKS.get(site, 0)
            needed = expected[key][: wait + lane].sum() * rng.uniform(1.0, 1.25) * margin + every_week[key]
            if site == CENTRAL:
                rest += needed
                continue
            at_hand = expected[key][: lane + 1].sum() * rng.uniform(1.0, 1.25) * margin + every_week[key]
            on_hand.append((*key, int(np.ceil(at_hand))))
            rest += max(needed - at_hand, 0.0)
        to_come = 0.25 * rest if lead_time[product.supplier] >= 3 else 0.0
        to_come = product.pack * round(to_come / product.pack)
        on_hand.append((product.item, CENTRAL, int(np.ceil(max(rest - 2 * to_come, 0.0)))))
        if to_come:
            for week in (1, lead_time[product.supplier] - 1):
                receipts.append((product.item, CENTRAL, PERIODS[week], f"PO-{4701 + len(receipts)}", to_come))
    stock = frame(on_hand, "item", "site", "quantity").sort_values(["item", "site"])
    return stock, frame(receipts, "item", "site", "period", "receipt", "quantity")


def items_table() -> pd.DataFrame:
    """A unit in stock is worth the main supplier's price; batteries age, so holding them costs more."""
    items = pd.DataFrame(PRODUCTS)[["item", "description", "department", "price", "volume"]]
    ages = items["item"].str.startswith(("BATT", "CHARGER"))
    rate = pd.Series(0.28, items.index).where(ages)
    return items.rename(columns={"price": "value"}).assign(holding_rate=rate)


def offers_table() -> pd.DataFrame:
    terms = {s.supplier: s for s in SUPPLIERS}
    main_price = {p.item: p.price for p in PRODUCTS}
    offers = [(p.supplier, p.item, CENTRAL, p.price, p.pack, p.packs) for p in PRODUCTS]
    for extra in [*SECOND_SUPPLIERS, *DIRECT_TO_BRANCHES]:
        price = round(extra.price * main_price[extra.item], 2)
        offers.append((extra.supplier, extra.item, extra.site, price, extra.pack, extra.packs))
    rows = []
    for supplier, item, site, price, pack, packs in offers:
        forged = supplier == HOURS_SUPPLIER
        rows.append(
            {
                "supplier": supplier,
                "item": item,
                "site": site,
                "price": price,
                "line_cost": terms[supplier].line_cost,
                "lead_time": terms[supplier].lead_time,
                "minimum": pack * packs,
                "multiple": pack,
                "maximum": MAXIMUM.get((supplier, item, site)),
                "hours_per_order": SET_UP_HOURS if forged else 0.0,
                "hours_per_unit": round(HOURS_PER_MONEY * price, 4) if forged else 0.0,
            }
        )
    return pd.DataFrame(rows).astype({"maximum": "Int64"})


def price_breaks_table() -> pd.DataFrame:
    price = offers_table().set_index(["supplier", "item", "site"])["price"]
    rows = [
        (*offer, quantity, round(factor * price[tuple(offer)], 2 if price[tuple(offer)] > 5 else 3), kind)
        for *offer, kind, breaks in PRICE_BREAKS
        for quantity, factor in breaks.items()
    ]
    return frame(rows, "supplier", "item", "site", "from_quantity", "price", "kind")


def lanes_table() -> pd.DataFrame:
    """A branch gets what it sells: in parcels at a flat rate, or as freight that pays by its volume."""
    rows = [
        (CENTRAL, branch, p.item, max(PARCEL[branch], round(FREIGHT[branch] * p.volume, 2)), weeks)
        for branch, weeks in LANE_WEEKS.items()
        for p in PRODUCTS
        if branch in sites_of(p)
    ]
    return frame(rows, "from_site", "to_site", "item", "cost", "lead_time")


def shortages_table() -> pd.DataFrame:
    """Demand waits unless an item is bought elsewhere; A-items have a fill rate to reach."""
    rows = [("", "backorder", 0.0, None)]
    rows += [(item, "lost", 0.0, None) for item in LOST]
    price = {p.item: p.price for p in PRODUCTS}
    rows += [(item, "backorder", 0.98, round(0.5 * price[item], 2)) for item in A_ITEMS]
    return frame(rows, "item", "policy", "fill_rate", "fill_rate_cost")


if __name__ == "__main__":
    main()
