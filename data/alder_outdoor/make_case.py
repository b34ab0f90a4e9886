"""Make the sample case alder_outdoor: a small seller of camping gear plans three decisions in sequence.

`python data/alder_outdoor/make_case.py` rewrites the CSV files here and in allocation/; the same seed gives the same
files. Everything is invented.

The business: six items from five suppliers, a depot and a shop, 13 weeks. First the year's award is settled
(allocation/): who delivers what, with no supplier over 55% of the spend. From the awarded offers follow the lead times
that safety stock must cover (positioning), and both go into the weekly orders (ordering), under a weekly budget and a
depot that is small for the season. The case is small on purpose: each step is solved to proven optimality in seconds.
"""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from echelon.tables import write_csv

HERE = Path(__file__).parent
SEED = 2028
WEEKS = 13
STARTS = [date(2026, 3, 2) + timedelta(weeks=t) for t in range(WEEKS)]
PERIODS = [start.isoformat() for start in STARTS]
DEPOT, SHOP = "DEPOT", "SHOP"

# item, description, department, price, volume m³, units sold a week, how much more at the height of the season
ITEMS = [
    ("TENT-2", "Tent for two", "Shelter", 118.0, 0.022, 26, 1.2),
    ("TENT-4", "Tent for four", "Shelter", 189.0, 0.041, 12, 1.4),
    ("MAT-AIR", "Air mattress", "Shelter", 41.0, 0.012, 34, 0.8),
    ("STOVE-1", "Gas stove", "Kitchen", 29.0, 0.003, 40, 0.6),
    ("LAMP-LED", "Lantern", "Kitchen", 17.0, 0.002, 52, 0.2),
    ("FLASK-1L", "Insulated flask", "Kitchen", 13.0, 0.002, 60, 0.1),
]
# supplier, region, cost of an order, of a line, lead time in days, its spread, price level, share of items offered
SUPPLIERS = [
    ("NORLYS", "EU", 35.0, 6.0, 12, 2.0, 1.07, 0.9),
    ("BRENN", "EU", 25.0, 5.0, 9, 1.5, 1.10, 0.7),
    ("KUNLUN", "ASIA", 60.0, 12.0, 34, 6.0, 0.93, 0.9),
    ("MEKONG", "ASIA", 50.0, 10.0, 38, 8.0, 0.91, 0.7),
    ("TATRA", "EU", 30.0, 6.0, 16, 3.0, 1.02, 0.8),
]


def main() -> None:
    draw = np.random.default_rng(SEED)
    quotes = _quotes(draw)
    demand = _demand(draw)
    for name, table in _ordering(draw, quotes, demand).items():
        write_csv(table, HERE / f"{name}.csv")
    (HERE / "allocation").mkdir(exist_ok=True)
    for name, table in _allocation(draw, quotes, demand).items():
        write_csv(table, HERE / "allocation" / f"{name}.csv")


def _quotes(draw: np.random.Generator) -> pd.DataFrame:
    """supplier, item, price: every item has at least two quotes."""
    rows = []
    for item, _, _, price, *_ in ITEMS:
        chosen = [s for s in SUPPLIERS if draw.random() < s[7]]
        chosen = chosen if len(chosen) >= 2 else SUPPLIERS[:2]
        rows += [(s[0], item, round(price * s[6] * draw.uniform(0.96, 1.04), 2)) for s in chosen]
    return pd.DataFrame(rows, columns=["supplier", "item", "price"])


def _demand(draw: np.random.Generator) -> pd.DataFrame:
    """item, site, period, quantity: the season peaks in the ninth week; a third is sold in the shop."""
    rows = []
    for item, *_, weekly, season in ITEMS:
        for t, period in enumerate(PERIODS):
            mean = weekly * (1 + season * np.exp(-(((t - 8) / 3.0) ** 2)))
            for site, share in ((DEPOT, 0.67), (SHOP, 0.33)):
                rows.append((item, site, period, max(round(mean * share * draw.normal(1.0, 0.18)), 0)))
    return pd.DataFrame(rows, columns=["item", "site", "period", "quantity"])


def _ordering(draw: np.random.Generator, quotes: pd.DataFrame, demand: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of weekly orders; positioning reads the same ones."""
    terms = {s[0]: s for s in SUPPLIERS}
    offers = quotes.assign(
        site=DEPOT,
        line_cost=[terms[s][3] for s in quotes["supplier"]],
        lead_time=[-(-terms[s][4] // 7) for s in quotes["supplier"]],
    )
    value = {item: price * weekly for item, _, _, price, _, weekly, _ in ITEMS}
    stock = [(i[0], DEPOT, round(i[5] * draw.uniform(5.5, 7.5))) for i in ITEMS]
    stock += [(i[0], SHOP, round(i[5] * 0.33 * draw.uniform(1.5, 2.5))) for i in ITEMS]
    return {
        "items": pd.DataFrame(
            [(i, d, p, round(price * 0.98, 2), v) for i, d, p, price, v, *_ in ITEMS],
            columns=["item", "description", "department", "value", "volume"],
        ),
        "sites": pd.DataFrame([(DEPOT, "Depot"), (SHOP, "Shop in town")], columns=["site", "description"]),
        "suppliers": pd.DataFrame([(s[0], s[2]) for s in SUPPLIERS], columns=["supplier", "order_cost"]),
        "periods": pd.DataFrame({"period": PERIODS, "start": STARTS, "days": 7}),
        "offers": offers,
        "demand": demand,
        "stock": pd.DataFrame(stock, columns=["item", "site", "quantity"]),
        "lanes": pd.DataFrame([(DEPOT, SHOP, 0.4, 1)], columns=["from_site", "to_site", "cost", "lead_time"]),
        "budgets": pd.DataFrame(
            [("", round(1.12 * sum(value.values()), -2), True, 0.5)],
            columns=["department", "amount", "carry_over", "excess_cost"],
        ),
        "storage": pd.DataFrame([(DEPOT, 3.0, 25.0)], columns=["site", "capacity", "excess_cost"]),
    }


def _allocation(draw: np.random.Generator, quotes: pd.DataFrame, demand: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The tables of the year's award: everything is delivered to the depot."""
    weekly = demand.groupby("item")["quantity"].sum() / WEEKS
    capacity = {item: round(1.2 * weekly[item] * 52, -1) for item in weekly.index}
    return {
        "items": pd.DataFrame(
            [(i, d, p, 0.15 * price, 0.05 * price) for i, d, p, price, *_ in ITEMS],
            columns=["item", "description", "group", "bad_unit_cost", "late_unit_cost"],
        ).round(2),
        "sites": pd.DataFrame([(DEPOT, "Depot", "EU")], columns=["site", "description", "region"]),
        "suppliers": pd.DataFrame(
            [(s[0], s[1], 2500.0 if s[1] == "EU" else 6000.0) for s in SUPPLIERS],
            columns=["supplier", "region", "activation_cost"],
        ),
        "offers": quotes.assign(
            award_cost=400.0,
            capacity=[capacity[item] for item in quotes["item"]],
            yield_rate=np.round(1 - draw.uniform(0.0, 0.02, len(quotes)), 4),
        ),
        "demand": pd.DataFrame(
            [(item, DEPOT, round(weekly[item] * 52), round(weekly[item] ** 0.5, 2)) for item in weekly.index],
            columns=["item", "site", "quantity", "deviation"],
        ),
        "lanes": pd.DataFrame(
            [(s[0], DEPOT, *((0.9, 0.0) if s[1] == "EU" else (1.6, 0.035)), s[4], s[5]) for s in SUPPLIERS],
            columns=["supplier", "site", "freight", "duty_rate", "lead_time", "lead_time_deviation"],
        ),
        "caps": pd.DataFrame([("supplier", 0.55)], columns=["kind", "max_share"]),
        "scenarios": pd.DataFrame(
            [("as planned", 0.9), ("port strike", 0.06), ("NORLYS fails", 0.04)], columns=["scenario", "probability"]
        ),
        "disruptions": pd.DataFrame(
            [("port strike", "region", "ASIA", 0.4), ("NORLYS fails", "supplier", "NORLYS", 0.3)],
            columns=["scenario", "kind", "name", "capacity_left"],
        ),
    }


if __name__ == "__main__":
    main()
