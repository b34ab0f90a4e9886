"""What allocation is studied for: the aims worth trading."""

from __future__ import annotations

from typing import Any

from echelon.family import LEVEL, Aim, Frontier


def _set(name: str, value: Any) -> dict[str, Any]:
    return {"table": "options", "column": name, "set": value}


FRONTIERS = (
    Frontier(
        "risk",
        "expected cost against the cost of the worst scenario: least worst cost for a given expected cost",
        (Aim("expected cost", "kpi.expected_cost"), Aim("worst cost", "kpi.worst_cost")),
        (_set("objective", "worst"), _set("cost_limit", LEVEL)),
        ends=((_set("objective", "expected"),), (_set("objective", "worst"),)),
    ),
    Frontier(
        "carbon",
        "cost against emissions: their price is raised step by step",
        (Aim("cost without carbon", "objective - cost.carbon"), Aim("emissions kg", "kpi.emissions_kg")),
        (_set("carbon_price", LEVEL),),
        levels=(0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
    ),
)
