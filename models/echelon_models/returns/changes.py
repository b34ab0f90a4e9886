"""The rules of a returns case that can be left out, to tell what each costs."""

from __future__ import annotations

import math
from collections.abc import Callable

import pandas as pd

from echelon.explain.rules import Change, without_column, without_rows
from echelon.tables import Frames
from echelon_models.returns.complete import GOODS, without_laws
from echelon_models.returns.schema import DIMENSIONS, NO_LIMIT


def _limited(name: str, table: str, *columns: str) -> Change:
    """Limits that stand in several columns of a table."""
    return Change(
        name,
        lambda full, options: bool(full[table][list(columns)].notna().any(axis=None)),
        lambda full: full | {table: full[table].assign(**dict.fromkeys(columns, math.nan))},
    )


def _windows(name: str, of: Callable[[Frames], pd.Series]) -> Change:
    """The windows of some places: they may be visited at any time."""

    def mine(full: Frames) -> pd.Series:
        return full["windows"]["place"].isin(of(full))

    return Change(
        name,
        lambda full, options: bool(mine(full).any()),
        lambda full: full | {"windows": full["windows"][~mine(full)]},
    )


def _any_day(full: Frames) -> Frames:
    last = len(full["days"]) - 1
    return full | {"stops": full["stops"].assign(ready=0, deadline=last)}


def _on_some_days(full: Frames) -> bool:
    stops, last = full["stops"], len(full["days"]) - 1
    return bool(((stops["ready"] > 0) | (stops["deadline"] < last)).any())


def _any_option(full: Frames) -> Frames:
    goods = full["goods"].assign(option="")
    return full | {"goods": goods.groupby(GOODS, as_index=False, sort=True)["quantity"].sum()}


RULES = (
    _windows("time windows of stops", lambda full: full["stops"]["stop"]),
    _windows("opening hours of hubs", lambda full: full["hubs"]["hub"]),
    Change("first and last days of stops", lambda full, options: _on_some_days(full), _any_day),
    without_column("skills", "stops", "skills", "", lambda c: c != ""),
    without_rows("breaks", "breaks"),
    without_column("longest tours", "vehicles", "max_hours", math.nan, lambda c: c.notna()),
    without_column("ranges of vehicles", "vehicles", "range", math.nan, lambda c: c.notna()),
    _limited("loads of vehicles", "vehicles", *DIMENSIONS),
    without_column("docks", "hubs", "docks", NO_LIMIT, lambda c: c < NO_LIMIT),
    _limited("intake of hubs", "hubs", *(f"intake_{d}" for d in DIMENSIONS)),
    _limited("storage of hubs", "hubs", *(f"storage_{d}" for d in DIMENSIONS)),
    without_column("most trucks of a day", "ways", "trucks", NO_LIMIT, lambda c: c < NO_LIMIT),
    without_column("capacity of destinations", "destinations", "capacity", math.nan, lambda c: c.notna()),
    without_column("disposal and other weight limits", "destinations", "weight_limit", math.nan, lambda c: c.notna()),
    Change(
        "what must be done with goods", lambda full, options: bool((full["goods"]["option"] != "").any()), _any_option
    ),
    Change("jurisdictions", lambda full, options: len(full["jurisdictions"]) > 0, without_laws),
)
