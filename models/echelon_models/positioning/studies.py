"""What positioning is studied for: the aims worth trading."""

from __future__ import annotations

from echelon.family import LEVEL, Aim, Frontier

FRONTIERS = (
    Frontier(
        "service",
        "money in safety stock against the service level that it is sized for, the same for every stage",
        (Aim("safety stock", "kpi.safety_stock_value"), Aim("service level", "level", most=True)),
        (
            {"table": "stages", "column": "service_level", "set": LEVEL, "if_any": True},
            {"table": "options", "column": "service_level", "set": LEVEL},
        ),
        levels=(0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995),
    ),
)
