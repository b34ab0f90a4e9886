"""Planning periods, as the families that plan over time read them: rows that stand for every one, and their order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from echelon.errors import Finding
from echelon.tables import Frames
from echelon_models.rows import EVERY


def every_period(given: pd.DataFrame, names: list[str], position: pd.Series) -> pd.DataFrame:
    """One row a name and period, with its position t: a row with a blank period stands for every period that has no row
    of its own. `names` are the other key columns; `position` tells t by the period's name."""
    named = given[given["period"] != EVERY]
    every = given[given["period"] == EVERY].drop(columns="period")
    unfolded = every.merge(position.index.to_frame(index=False, name="period"), how="cross")
    rows = pd.concat([named, unfolded]).drop_duplicates([*names, "period"])
    rows = rows.assign(t=rows["period"].map(position).astype("int64"))
    return rows.sort_values([*names, "t"]).reset_index(drop=True)


def periods_follow_each_other(tables: Frames, options: Any) -> Iterator[Finding]:
    """Each period starts the day after the one before it ends."""
    ordered = tables["periods"].sort_values("start")
    expected = (ordered["start"] + pd.to_timedelta(ordered["days"], unit="D")).shift()
    for row, start, due in zip(ordered.index[1:], ordered["start"][1:], expected[1:], strict=True):
        if start != due:
            what = "a gap before it" if start > due else "it overlaps the one before"
            yield Finding("periods", f"periods must follow each other: {what}", f"Start it on {due:%Y-%m-%d}",
                          int(str(row)), "start", f"{start:%Y-%m-%d}")  # fmt: skip
