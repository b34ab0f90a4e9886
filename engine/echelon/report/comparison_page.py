"""The report of runs beside each other: what each costs more or less than the first, on which lines, and why."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from echelon.charts import Bars, Chart
from echelon.report.numbers import amount
from echelon.report.page import Document, chart_view, frame_view, write
from echelon.report.shared import CENT, scenario_chart
from echelon.study.compare import Comparison
from echelon.study.results import COST

DRAWN = 5  # runs whose cost lines are drawn against the first
BOTH = ("the first run", "the second run")  # what two runs are called, whose names are long and much alike


def comparison_report(compared: Comparison) -> str:
    """The report of a comparison."""
    money = compared.currency or "money"
    called = dict(zip(compared.names, BOTH if len(compared.names) == 2 else compared.names, strict=True))
    values = compared.measures.pivot_table(index="measure", columns="run", values="value", sort=False)
    values = values.reindex(columns=list(called)).rename(columns=called)
    first, *others = called.values()
    charts = [_costs(values, money), *(_lines(values, first, other, money) for other in others[:DRAWN])]
    left = f" Cost lines of {len(others) - DRAWN:,} more are not drawn." if len(others) > DRAWN else ""
    return write(
        Document(
            title="Runs compared",
            kind="comparison",
            headline=_headline(values.loc["objective"], money),
            lead=f"Compared with {next(iter(called))}: {', '.join(compared.names[1:])}.{left}",
            statements=[(f"{called[name]} against {first}", _sentences(why)) for name, why in compared.why.items()],
            charts=[chart_view(chart) for chart in charts if chart is not None],
            tables=[
                frame_view(frame, caption=caption, elsewhere="all of them are in the table beside this page")
                for caption, frame in _tables(compared, values, called).items()
                if len(frame)
            ],
        )
    )


def _headline(costs: pd.Series, money: str) -> str:
    """What the difference is between two runs; of more, which is cheapest."""
    if len(costs) > 2:
        return f"{costs.idxmin()} is the cheapest of {len(costs):,} runs: {amount(costs.min(), money)}"
    before, after = costs
    if abs(after - before) < CENT:
        return "Both runs cost the same"
    return f"The second run costs {amount(abs(after - before), money)} {'more' if after > before else 'less'}"


def _costs(values: pd.DataFrame, money: str) -> Chart | None:
    """More than two runs by what they cost."""
    if len(values.columns) == 2:
        return None
    results = values.loc["objective"].rename_axis("run").reset_index()
    return scenario_chart(results, "objective", money, label="run")


def _lines(values: pd.DataFrame, first: str, other: str, money: str) -> Chart | None:
    """The cost lines that differ, what rose most first."""
    costs = values[values.index.str.startswith(COST)].fillna(0.0)
    more = (costs[other] - costs[first]).rename(lambda name: name.removeprefix(COST))
    more = more[more.abs() >= CENT].sort_values(ascending=False, kind="stable")
    if more.empty:
        return None
    most = more.abs().idxmax()
    way = "more" if more[most] > 0 else "less"
    return Bars(
        title=f"{most.capitalize()} costs {amount(abs(more[most]), money)} {way} in {other}",
        note=f"Cost lines of {other} less those of {first}; below zero is what is saved.",
        data=pd.DataFrame({"cost line": more.index, "difference": more.to_numpy()}),
        units={"difference": money},
        label="cost line",
        value="difference",
    )


def _tables(compared: Comparison, values: pd.DataFrame, called: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """The tables by what they are; of two runs, whose differences are is plain."""
    cells = {name: getattr(compared, name).copy() for name in ("inputs", "plan")}
    for frame in cells.values():
        frame[["before", "after"]] = frame[["before", "after"]].map(_cell)
    if len(called) == 2:
        cells = {name: frame.drop(columns="run") for name, frame in cells.items()}
    return {
        "All measures": values.reset_index(),
        "Options that differ": compared.options.replace({"run": dict(called)}),
        "Inputs that differ": cells["inputs"],
        "The plan where it differs": cells["plan"],
        "Limits": compared.limits.replace({"run": dict(called)}),
    }


def _cell(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _sentences(lines: list[str]) -> str:
    return " ".join(f"{line[:1].upper()}{line[1:]}." for line in lines)
