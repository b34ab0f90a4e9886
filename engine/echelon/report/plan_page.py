"""The report of families planned in sequence: what each costs, what went from one to the next, what holds each back."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from echelon import store
from echelon.charts import Chart
from echelon.report import run_report
from echelon.report.numbers import PERCENT, amount
from echelon.report.page import Document, Tile, chart_view, frame_view, short_facts, write
from echelon.report.shared import answer, cost_chart
from echelon.run import Run
from echelon.study.sequence import STEPS, Plan


def plan_report(plan: Plan) -> str:
    """The report of a plan. It points to each run's own report, where `add_plan_report` puts them."""
    last = next(reversed(plan.runs.values()))
    money = last.currency or "money"
    charts = [_costs(family, run) for family, run in plan.runs.items()]
    pages = {family: f"{STEPS}/{name}/{store.REPORT}" for family, name in plan.step_names.items()}
    units = {"objective": money, "gap": PERCENT, "seconds": "s"}
    return write(
        Document(
            title=plan.case,
            kind="plan",
            headline=answer(last.outcome, last.currency, f"{last.family.capitalize()}, decided last,"),
            lead=f"Made on {datetime.fromisoformat(plan.started):%d %B %Y}: {', '.join(plan.runs)}, each from what "
            "those before it decided. Costs are each family's own: what two of them count is not to be added up.",
            tiles=[_tile(family, run) for family, run in plan.runs.items()],
            more=[(f"what holds {family} back", run.page.constraint) for family, run in plan.runs.items()],
            proof=[f"{family}: {line}" for family, run in plan.runs.items() for line in run.proof],
            links=[(f"The report of {family}", page) for family, page in pages.items()],
            charts=[chart_view(chart) for chart in charts if chart is not None],
            tables=[
                frame_view(plan.summary, caption="Each family", units=units),
                frame_view(plan.handed_over, caption="What went from one family to the next"),
            ],
            facts=short_facts(last.versions),
        )
    )


def add_plan_report(folder: Path) -> Path:
    """Write the report of a stored plan into its folder, and that of each run into the run's. Raises InputError if the
    folder is no plan."""
    plan = Plan.load(folder)
    for family, name in plan.step_names.items():
        store.add_report(folder / STEPS / name, run_report(plan.runs[family]))
    return store.add_report(folder, plan_report(plan))


def _tile(family: str, run: Run) -> Tile:
    gap = "no bound" if run.outcome.gap is None else f"gap {run.outcome.gap:.2%}"
    words = ", ".join(filter(None, [run.currency, gap]))
    return Tile(family, amount(run.outcome.objective or 0.0, millions=math.inf), words)


def _costs(family: str, run: Run) -> Chart | None:
    chart = cost_chart(run.costs, run.currency or "money")
    return None if chart is None else replace(chart, title=f"{family.capitalize()}. {chart.title}")
