"""What a family asks to be drawn. A chart here is a finding, a table and the part each column plays in the drawing;
`echelon.report` draws it. Columns carry the names that people read; `units` says what they count in ("%" stands for a
part of 1 that is shown per cent). Where the order of names matters, a column is categorical."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

Shape = Literal["area", "bars", "line", "limit"]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Base of all charts: `title` says what is found, `data` is what is drawn and stands in the chart's table, `note`
    says how to read it or what was left out."""

    title: str
    data: pd.DataFrame
    note: str = ""
    units: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Bars(Chart):
    """A bar a label, in the order of the rows. With `part`, each bar is stacked from the rows of its label; with
    `whole`, the share of that total up to each bar stands beside it (a Pareto chart); with `base`, the difference to
    the bar of that label."""

    label: str
    value: str
    part: str = ""
    whole: float | None = None
    base: str = ""


@dataclass(frozen=True, kw_only=True)
class Timeline(Chart):
    """What happens from period to period: `layers` says how each column is drawn, all in one unit. With `facet`, one
    small drawing for each of its values."""

    period: str
    layers: Mapping[str, Shape]
    facet: str = ""


@dataclass(frozen=True, kw_only=True)
class Heat(Chart):
    """A grid of cells, the darker the larger; `flag` names a true-or-false column of cells that stand out. Values are
    parts of `full`, at which a cell is darkest."""

    row: str
    column: str
    value: str
    flag: str = ""
    full: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Ranges(Chart):
    """A line from `low` to `high` for each label, with a dot at `point` and a tick at `target` where given."""

    label: str
    low: str
    high: str
    point: str = ""
    target: str = ""


@dataclass(frozen=True, kw_only=True)
class Tornado(Chart):
    """What the result becomes as each input alone goes to its low and its high value, widest swing first; `base` is
    the result with all inputs as they are."""

    label: str
    low: str
    high: str
    base: float


@dataclass(frozen=True, kw_only=True)
class Frontier(Chart):
    """Points by two objectives. Those whose `efficient` is true are joined by a line: nothing beats them in both.
    `knee` is the label of the one to look at first."""

    label: str
    x: str
    y: str
    efficient: str
    knee: str = ""


@dataclass(frozen=True, kw_only=True)
class Network(Chart):
    """Places and what flows between them. A row of `data` is a place, its circle as large as `size`; `arcs` has the
    columns `origin`, `destination` and `quantity`. Places stand on a map where `latitude` and `longitude` name columns,
    else side by side by `layer`, from suppliers on the left to customers on the right. `kind` colours them; the last
    kind is grey."""

    label: str
    size: str
    arcs: pd.DataFrame
    layer: str = ""
    latitude: str = ""
    longitude: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Routes(Chart):
    """Tours on a map: each row of `data` is a stop, in the order of the tour; a tour that starts or ends at a depot
    has a row for it. `depot` names a true-or-false column."""

    route: str
    stop: str
    latitude: str
    longitude: str
    depot: str = ""


def largest(frame: pd.DataFrame, label: str, value: str, keep: int) -> pd.DataFrame:
    """The `keep` largest sums of `value` by `label`, largest first."""
    sums = frame.groupby(label, sort=True)[value].sum().sort_values(ascending=False, kind="stable").head(keep)
    return pd.DataFrame({label: sums.index.astype(str), value: sums.to_numpy(dtype=float)})


def distinct(column: pd.Series) -> list[str]:
    """The names in a column in their order: that of its categories if it has them, else that of the rows."""
    names = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column.unique()
    return [str(name) for name in names]
