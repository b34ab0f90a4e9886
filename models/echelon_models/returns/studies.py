"""What returns is studied for: the aims worth trading."""

from __future__ import annotations

from echelon.family import LEVEL, Aim, Frontier

FRONTIERS = (
    Frontier(
        "carbon",
        "cost against emissions: their price is raised step by step",
        (Aim("cost without carbon", "objective - cost.carbon"), Aim("emissions kg CO2", "kpi.emissions")),
        ({"table": "options", "column": "carbon_price", "set": LEVEL},),
        levels=(0.0, 100.0, 200.0, 400.0, 800.0, 1600.0, 3200.0),
    ),
    Frontier(
        "service",
        "cost against stops served: leaving any stop is made dearer step by step",
        (Aim("cost without losses", "objective - cost.left behind"), Aim("stops served", "kpi.served", most=True)),
        (
            {"table": "stops", "column": "leaving_cost", "set": LEVEL},
            {"table": "stops", "column": "priority", "set": 1},
        ),
        levels=(0.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0),
    ),
)
