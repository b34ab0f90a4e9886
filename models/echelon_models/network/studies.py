"""What network is studied for: the aims worth trading."""

from __future__ import annotations

from echelon.family import LEVEL, Aim, Frontier

FRONTIERS = (
    Frontier(
        "carbon",
        "cost against emissions: the caps of the case times a factor, never exceeded",
        (Aim("cost", "objective"), Aim("emissions t CO2", "kpi.emissions")),
        (
            {"table": "carbon", "column": "cap", "scale": LEVEL},
            {"table": "carbon", "column": "hard", "set": True},
        ),
        levels=(1.2, 1.1, 1.0, 0.95, 0.9, 0.85, 0.8),
    ),
    Frontier(
        "service",
        "cost against the share of demand near a site: the shares of the service limits, never missed",
        (Aim("cost", "objective"), Aim("share within the limits", "level", most=True)),
        (
            {"table": "service_limits", "column": "share", "set": LEVEL},
            {"table": "service_limits", "column": "hard", "set": True},
        ),
        levels=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95),
    ),
    Frontier(
        "resilience",
        "cost against the share of any one site that the others can take over",
        (Aim("cost", "objective"), Aim("backup cover", "level", most=True)),
        ({"table": "options", "column": "backup_cover", "set": LEVEL},),
        levels=(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0),
    ),
)
