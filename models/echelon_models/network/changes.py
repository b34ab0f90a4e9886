"""The rules of a network that can be left out, to tell what each costs."""

from __future__ import annotations

import math

from echelon.explain.rules import without_column, without_option, without_rows

RULES = (
    without_column("single sourcing", "customers", "sourcing", "multiple", lambda c: c != "multiple"),
    without_rows("required sites", "pinned_sites", state="open"),
    without_rows("forbidden sites", "pinned_sites", state="closed"),
    without_rows("numbers of sites", "site_limits"),
    without_rows("budgets", "budgets"),
    without_rows("service limits", "service_limits"),
    without_column("carbon caps", "carbon", "cap", math.nan, lambda c: c.notna()),
    without_rows("jurisdictions", "jurisdictions"),
    without_option("backup", "backup_cover", 0.0),
)
