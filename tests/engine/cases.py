"""Small cases as text and frames, and how the tests reach the command line."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyomo.environ as pyo
from typer.testing import CliRunner

from echelon import cli
from echelon.solvers import highs
from echelon.solvers.outcome import SolveOptions

# A case with a row in every table of the ordering family. Row numbers in findings count from its headers.
FULL = {
    "items": "item,department,value,volume\nA,Tools,10,0.5\nB,Garden,4,0.1\n",
    "sites": "site\nMAIN\nSHOP\n",
    "suppliers": "supplier,order_cost\nACME,20\nBOLT,\n",
    "periods": "period,start,days\nW1,2026-01-05,7\nW2,2026-01-12,7\nW3,2026-01-19,7\nW4,2026-01-26,7\n",
    "offers": "supplier,item,site,price,line_cost,lead_time,minimum,multiple,maximum,hours_per_unit\n"
    "ACME,A,MAIN,10,5,0,10,5,200,0.1\n"
    "BOLT,A,MAIN,9,15,1,,,,\n"
    "ACME,B,MAIN,4,5,0,,,,\n",
    "price_breaks": "supplier,item,site,from_quantity,price,kind\n"
    "ACME,A,MAIN,50,9.5,all_units\n"
    "ACME,A,MAIN,100,9,all_units\n",
    "demand": "item,site,period,quantity\nA,MAIN,W1,20\nA,MAIN,W2,30\nA,MAIN,W4,25\nA,SHOP,W3,10\nB,MAIN,W2,40\n",
    "stock": "item,site,quantity\nA,MAIN,15\n",
    "receipts": "item,site,period,receipt,quantity\nB,MAIN,W2,PO-1,10\n",
    "safety_stock": "item,site,period,quantity\nA,MAIN,,5\n",
    "lanes": "from_site,to_site,item,cost,lead_time\nMAIN,SHOP,,0.5,1\n",
    "budgets": "department,period,amount,carry_over\nTools,,600,true\n,W2,900,\n",
    "storage": "site,period,capacity\nMAIN,,40\n",
    "supplier_capacity": "supplier,period,measure,capacity\nACME,,units,120\n",
    "shares": "supplier,item,min_share,max_share\nBOLT,A,0.1,0.9\n",
    "shortages": "item,site,policy\n,,backorder\n",
    "pinned_orders": "supplier,item,site,period,quantity\nACME,B,MAIN,W1,10\n",
}

# The smallest case: three tables, periods inferred from the dates.
SMALL = {
    "items": "item\nA\n",
    "offers": "supplier,item,price,line_cost\nACME,A,2,5\n",
    "demand": "item,period,quantity\nA,2026-01-05,10\nA,2026-01-12,20\nA,2026-01-19,30\n",
}

# Demand that a hard capacity cannot serve, where no shortage is allowed.
INFEASIBLE = SMALL | {
    "supplier_capacity": "supplier,capacity,hard\nACME,15,true\n",
    "shortages": "item,site,policy\n,,none\n",
}


def write(folder: Path, tables: Mapping[str, str | bytes], toml: str = 'family = "ordering"\n') -> Path:
    """Write a case folder: a table as text becomes NAME.csv; a name with a suffix is taken as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    if toml:
        (folder / "case.toml").write_text(toml, encoding="utf-8")
    for name, content in tables.items():
        path = folder / (name if "." in name else f"{name}.csv")
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
    return folder


def small_frames() -> dict[str, pd.DataFrame]:
    """The smallest case as frames in their proper types."""
    return {
        "items": pd.DataFrame({"item": ["A"]}),
        "offers": pd.DataFrame({"supplier": ["ACME"], "item": ["A"], "price": [2.0], "line_cost": [5.0]}),
        "demand": pd.DataFrame(
            {"item": ["A"] * 3, "period": ["2026-01-05", "2026-01-12", "2026-01-19"], "quantity": [10.0, 20.0, 30.0]}
        ),
    }


def hard_frames(items: int = 40, weeks: int = 20, seed: int = 7) -> dict[str, pd.DataFrame]:
    """Capacitated lot sizing with setup hours: a plan is found at once, its proof takes hours."""
    draw = random.Random(seed)
    names = [f"I{n:02d}" for n in range(items)]
    start = date(2026, 1, 5)
    periods = [str(start + timedelta(weeks=t)) for t in range(weeks)]
    demand = [(n, p, draw.randint(0, 120)) for n in names for p in periods]
    offers = [("ACME", n, 10.0, draw.randint(50, 400), draw.randint(5, 30), 1.0) for n in names]
    capacity = 1.1 * (sum(q for *_, q in demand) / weeks + 6.0 * items)
    return {
        "items": pd.DataFrame({"item": names, "value": [draw.randint(20, 60) for _ in names]}),
        "offers": pd.DataFrame(
            offers, columns=["supplier", "item", "price", "line_cost", "hours_per_order", "hours_per_unit"]
        ),
        "demand": pd.DataFrame(demand, columns=["item", "period", "quantity"]),
        "supplier_capacity": pd.DataFrame({"supplier": ["ACME"], "measure": ["hours"], "capacity": [capacity]}),
    }


def market_split(rows: int = 5, slack: bool = True, seed: int = 3) -> pyo.ConcreteModel:
    """A market split problem (Cornuéjols & Dawande 1998): tiny, with a plan at hand if there is `slack`, and nothing
    but enumeration proves it best."""
    draw = random.Random(seed)
    columns = range(10 * (rows - 1))
    shares = [[draw.randrange(100) for _ in columns] for _ in range(rows)]
    model = pyo.ConcreteModel()
    model.x = pyo.Var(columns, domain=pyo.Binary)
    model.over = pyo.Var(range(rows), domain=pyo.NonNegativeReals, bounds=(0, None if slack else 0))
    model.under = pyo.Var(range(rows), domain=pyo.NonNegativeReals, bounds=(0, None if slack else 0))
    model.split = pyo.Constraint(
        range(rows),
        rule=lambda m, r: (
            sum(a * m.x[j] for j, a in enumerate(shares[r])) + m.under[r] - m.over[r] == sum(shares[r]) // 2
        ),
    )
    model.miss = pyo.Objective(expr=sum(model.over.values()) + sum(model.under.values()))
    return model


def knapsack(seed: int = 0, items: int = 30) -> pyo.ConcreteModel:
    """The most value that fits; solved within a moment."""
    draw = random.Random(seed)
    model = pyo.ConcreteModel()
    model.x = pyo.Var(range(items), domain=pyo.Binary)
    weight = [draw.randint(5, 60) for _ in range(items)]
    model.room = pyo.Constraint(expr=sum(w * model.x[j] for j, w in enumerate(weight)) <= sum(weight) / 3)
    model.value = pyo.Objective(expr=sum(draw.randint(5, 60) * x for x in model.x.values()), sense=pyo.maximize)
    return model


def knapsack_value(seed: int, threads: int = 1) -> float | None:
    """What fits at most; a function that a spawned process can call."""
    return highs.solve(knapsack(seed), SolveOptions(gap=0.0, threads=threads)).outcome.objective


def write_frames(folder: Path, frames: Mapping[str, pd.DataFrame]) -> Path:
    """Write frames as the CSV files of a case."""
    return write(folder, {name: frame.to_csv(index=False) for name, frame in frames.items()})


def echelon(*arguments: Any) -> Any:
    """Run the command line in this process; the result has exit_code, stdout, stderr and exception."""
    return CliRunner().invoke(cli.app, [str(a) for a in arguments])


def ended_well(result: Any) -> bool:
    """Whether the command ended by itself: with an exit code, not by an error that would be a traceback."""
    return result.exception is None or isinstance(result.exception, SystemExit)
