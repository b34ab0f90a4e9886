"""A run or a study as one self-contained page of HTML: it needs no network, opens from disk, prints, reads aloud."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from echelon.charts import Chart
from echelon.report.numbers import amount
from echelon.report.page import Document, Tile, chart_view, frame_view, result_view, short_facts, tiles, write
from echelon.report.shared import answer, cost_chart, limit_chart, scenario_chart
from echelon.run import Run

ACTIONS = 5  # on the first screen
SIMULATED = "simulated"  # what a family's page says under this name stands with the proof


def run_report(run: Run) -> str:
    """The report of a run. Raises InputError if its family is not installed."""
    page, money = run.page, run.currency or "money"
    service = dict(page.service)
    simulated = service.pop(SIMULATED, "")
    figures, lines = tiles(service)
    drawn = [cost_chart(run.costs, money), *run.charts, limit_chart(run.plan.get("limits"), money)]
    actions = frame_view(
        page.actions, caption=page.actions_title, rows=ACTIONS, elsewhere="echelon show lists them all"
    )
    return write(
        Document(
            title=run.case,
            kind=f"{run.family} plan",
            headline=answer(run.outcome, run.currency),
            lead=f"Made on {datetime.fromisoformat(run.started):%d %B %Y}.",
            tiles=[_total(run), *figures],
            more=lines,
            statements=[("What holds the plan back", page.constraint)],
            actions=actions,
            proof=[*run.proof, *([f"{SIMULATED}: {simulated}"] if simulated else [])],
            charts=[chart_view(chart) for chart in drawn if chart is not None],
            tables=[
                result_view(table, run.plan[table.name], money)
                for table in run.result_tables
                if len(run.plan[table.name])
            ],
            facts=short_facts({"fingerprint of the case": run.fingerprint} | run.options | run.versions),
            warnings=[*run.notes, *(str(finding) for finding in run.findings)],
        )
    )


def study_report(
    name: str,
    results: pd.DataFrame,
    *,
    headline: str,
    compared: str = "objective",
    charts: Sequence[Chart] = (),
    statements: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    facts: Mapping[str, object] | None = None,
) -> str:
    """The report of a study.

    `results` has a row a scenario and a column `scenario`; its column `compared` is drawn against that of the first
    scenario that has one (nothing is, if `compared` is blank). Then follow `charts`: a tornado, a frontier, any other.
    `statements` are what was found, by name; `units` are those of the results' columns. Raises ValueError if one of
    the two columns is missing.
    """
    missing = [column for column in ("scenario", compared) if column and column not in results.columns]
    if missing:
        raise ValueError(f"the results of a study need the column {missing[0]}")
    figures, lines = tiles(statements or {})
    scenarios = scenario_chart(results, compared, (units or {}).get(compared, "")) if compared else None
    drawn = [scenarios, *charts]
    return write(
        Document(
            title=name,
            kind="study",
            headline=headline,
            lead=f"{len(results):,} scenarios compared.",
            tiles=figures,
            more=lines,
            charts=[chart_view(chart) for chart in drawn if chart is not None],
            tables=[frame_view(results, caption="Every scenario", units=units)],
            facts=short_facts(facts or {}),
        )
    )


def _total(run: Run) -> Tile:
    """The cost of the plan or, where it brings more than it costs, the gain."""
    cost = run.outcome.objective or 0.0
    return Tile("net gain" if cost < 0 else "total cost", amount(abs(cost), millions=math.inf), run.currency)
