"""Tiny cases of the returns family, written compactly, and how the tests solve them.

Places lie on a line, a kilometre a minute: a name such as "a10" stands at km 10, the hub "H0" at km 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

import echelon
from echelon.tables import Frames
from echelon.validate import validate
from echelon_models.returns import FAMILY
from echelon_models.returns.schema import ReturnsOptions

Columns = Mapping[str, Any]


def frame(columns: Columns | pd.DataFrame) -> pd.DataFrame:
    """A table from columns; a single value stands in every row."""
    if isinstance(columns, pd.DataFrame):
        return columns
    length = max((len(c) for c in columns.values() if isinstance(c, list)), default=1)
    return pd.DataFrame({name: c if isinstance(c, list) else [c] * length for name, c in columns.items()})


def at(name: str) -> int:
    """Where a place stands, in km: the number at the end of its name."""
    return int("".join(c for c in name if c.isdigit() or c == "-"))


def on_a_line(names: Sequence[str]) -> pd.DataFrame:
    """Distances between places by their names, a minute a km."""
    rows = [(a, b, float(abs(at(a) - at(b)))) for a, b in itertools.permutations(names, 2)]
    return pd.DataFrame(rows, columns=["origin", "target", "km"]).assign(minutes=lambda f: f["km"])


def case(**tables: Columns | pd.DataFrame | None) -> Frames:
    """The frames of a case: three stops, a hub, one vehicle, one day, unless given. Distances are those of a line."""
    given: dict[str, Any] = {
        "stops": {"stop": ["a10", "b20", "c-5"], "weight": [1.0, 2.0, 3.0], "service_minutes": 0.0},
        "hubs": {"hub": "H0"},
        "vehicles": {"vehicle": "V", "cost_per_km": 1.0},
    }
    frames = {name: frame(columns) for name, columns in (given | tables).items() if columns is not None}
    if "distances" not in tables:
        names = [*frames["hubs"]["hub"], *frames["stops"]["stop"]]
        names += list(frames["places"]["place"]) if "places" in frames else []
        names += list(frames["destinations"]["destination"]) if "destinations" in frames else []
        frames["distances"] = on_a_line(names)
    return frames


def days(count: int) -> Columns:
    """Days named 1, 2, ..."""
    return {"day": [str(n + 1) for n in range(count)]}


def solve(tables: Frames, explain: str = "off", **options: Any) -> echelon.Run:
    """A plan of a tiny case: few stops are searched by steps, not by the clock, which no machine is to run out of."""
    chosen = {"pyvrp": "off", "rounds": 1} | options
    return echelon.solve(tables, "returns", options=chosen, time_limit=300.0, explain=explain)


def cost(tables: Frames, **options: Any) -> float:
    return float(solve(tables, **options).outcome.objective or 0.0)


def completed(tables: Frames, **options: Any) -> tuple[Frames, ReturnsOptions]:
    """The tables in full, as the model and the recheck see them."""
    chosen = ReturnsOptions(**options)
    frames, _ = validate(echelon.read(tables), FAMILY.inputs, FAMILY.rules, chosen)
    return FAMILY.complete(frames, chosen), chosen
