"""Published supply chains as cases of the positioning family.

One folder a chain with `stages.csv` and `arcs.csv`: the 38 real chains of Willems (2008), and textbook examples, which
carry their value in `expected.json`. A chain of which a value with exact fractional times is known too is listed twice,
the second time as NAME_exact. The convention of the published costs: variation adds up along every path, one safety
factor for the whole chain, lead times without variation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from statistics import NormalDist
from typing import Any

import pandas as pd

from protocol import Instance

HOLDING_RATE = 0.2  # of the published values of Willems' chains
WHOLE, EXACT = "best_known.csv", "best_known_fractional_times.csv"


def instances(folder: Path, only: Collection[str] = ()) -> Iterator[Instance]:
    """The instances in `folder` and the folders in it, in order of name; with `only`, those of these names."""
    for path in sorted(folder.rglob("stages.csv")):
        for found in _in_folder(path.parent):
            if not only or found.name in only:
                yield found


def _in_folder(folder: Path) -> Iterator[Instance]:
    """The instances of one folder; one that cannot be read is an instance with the reason."""
    try:
        stages = pd.read_csv(folder / "stages.csv", dtype={"stage_id": str})
        arcs = pd.read_csv(folder / "arcs.csv", dtype={"from_stage": str, "to_stage": str})
        if (folder / "expected.json").exists():
            expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
            yield from _textbook(folder.name, stages, arcs, expected)
        else:
            yield from _chain(folder, stages, arcs)
    except (OSError, KeyError, ValueError) as error:
        yield Instance(folder.name, {}, {}, None, f"error: malformed instance ({type(error).__name__}: {error})")


def _chain(folder: Path, stages: pd.DataFrame, arcs: pd.DataFrame) -> Iterator[Instance]:
    tables = {
        "stages": pd.DataFrame(
            {
                "stage": stages["stage_id"],
                "echelon": stages["class"],
                "cost_added": stages["cost_added"],
                "lead_time": stages["lead_time_mean"],
                "demand_mean": stages["demand_mean"],
                "demand_std": stages["demand_std"],
                "promised_time": stages["service_time_max"],
            }
        ),
        "arcs": arcs,
    }
    options = {"service_level": float(stages["service_level"].max()), "holding_rate": HOLDING_RATE}
    yield Instance(folder.name, tables, options, _best(folder, WHOLE, "best_known_rounded_times"))
    exact = _best(folder, EXACT, "cost")
    if exact is not None:
        yield Instance(f"{folder.name}_exact", tables, options | {"times": "exact"}, exact)


def _best(folder: Path, file: str, column: str) -> float | None:
    """The best known value of a chain, from the table beside its folder; None where there is none."""
    path = folder.parent / file
    if not path.exists() or not folder.name.isdigit():
        return None
    known = pd.read_csv(path).set_index("chain")[column]
    return float(known.loc[int(folder.name)]) if int(folder.name) in known.index else None


def _textbook(name: str, stages: pd.DataFrame, arcs: pd.DataFrame, expected: dict[str, Any]) -> Iterator[Instance]:
    """A textbook example, and one instance more for each variant of which a value is printed."""
    rows = pd.DataFrame(
        {
            "stage": stages["stage_id"].astype(str),
            "cost_added": stages["cost_added"],
            "value": stages["holding_cost_local"],
            "lead_time": stages["lead_time_mean"],
            "supply_time": stages["external_inbound_service_time"].fillna(0.0),
            "demand_mean": stages["demand_mean"],
            "demand_std": stages["demand_std"],
            "promised_time": stages["service_time_max"],
            "service_level": [NormalDist().cdf(z) if z == z else None for z in stages["z"]],
        }
    )
    options = {"holding_rate": expected.get("holding_rate", 1.0)}
    best = expected.get("published_optimal_cost", expected.get("optimal_cost"))
    yield Instance(name, {"stages": rows, "arcs": arcs}, options, best)
    for words, value in ((expected.get("variants") or {}) | (expected.get("scenarios") or {})).items():
        varied = _vary(rows, words)
        yield Instance(f"{name}: {words}", {"stages": varied, "arcs": arcs}, options, value)


def _vary(rows: pd.DataFrame, words: str) -> pd.DataFrame:
    """The stages with another promise ("+8": 8 days, "s1=0,s2=7") or with stages that must quote 0 ("2 Imager S=0")."""
    varied = rows.assign(max_service_time=float("nan"))
    if match := re.search(r"\+(\d+)$", words):
        varied["promised_time"] = varied["promised_time"].where(varied["promised_time"].isna(), float(match[1]))
    for stage, days in re.findall(r"s(\w+)=(\d+)", words):
        varied.loc[varied["stage"] == stage, "promised_time"] = float(days)
    if match := re.match(r"\d+ (.+) S=0$", words):
        varied.loc[varied["stage"].isin(match[1].split(",")), "max_service_time"] = 0.0
    return varied
