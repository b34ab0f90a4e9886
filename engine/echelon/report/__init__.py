"""A run or a study as one self-contained page of HTML: it needs no network, opens from disk, prints, and reads aloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd

from echelon.charts import Bars, Chart, Heat
from echelon.family import families
from echelon.report.page import Document, Tile, chart_view, frame_view, result_view, short_facts, tiles, write
from echelon.run import Run

ACTIONS = 5  # on the first screen
LIMITS = 30  # rows of the grid of limits
CENT = 0.005  # cost lines below this are not told


def run_report(run: Run) -> str:
    """The report of a run. Raises InputError if its family is not installed."""
    page, money, o = run.page, run.currency or "", run.outcome
    drawn = [_costs(run), *run.charts(), _limits(run.plan.get("limits"), run.currency)]
    family, service = families()[run.family], dict(page.service)
    simulated = service.pop("simulated", "")
    figures, lines = tiles(service)
    started = datetime.fromisoformat(run.started)
    facts = {"case": run.case, "started": f"{started:%Y-%m-%d %H:%M} UTC", "fingerprint of the case": run.fingerprint}
    return write(
        Document(
            title=run.case,
            kind=f"{run.family} plan",
            headline=_headline(run),
            lead=f"{family.summary}. Made on {started:%d %B %Y}.",
            tiles=[Tile("total cost", f"{o.objective or 0.0:,.0f}", money), *figures],
            more=lines,
            statements=[("What holds the plan back", page.constraint)],
            actions=frame_view(page.actions, caption=page.actions_title, rows=ACTIONS),
            proof=[*run.proof, *([f"simulated: {simulated}"] if simulated else [])],
            charts=[chart_view(chart) for chart in drawn if chart is not None],
            tables=[result_view(table, run.plan[table.name], run.currency) for table in family.results if len(run.plan[table.name])],
            facts=short_facts(facts | run.options | run.versions),
            warnings=[*run.notes, *(str(finding) for finding in run.findings)],
        )
    )  # fmt: skip


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
    """The report of a study: `results` has a row a scenario and a column `scenario`; the column `compared` is drawn
    against the first scenario's; `charts` (tornado, frontier, any other) follow; `statements` are what was found, by
    name. Raises ValueError if one of the two columns is missing."""
    missing = [column for column in ("scenario", compared) if column not in results.columns]
    if missing:
        raise ValueError(f"the results of a study need the column {missing[0]}")
    units = units or {}
    drawn = [_scenarios(results, compared, units), *charts]
    figures, lines = tiles(statements or {})
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


def _headline(run: Run) -> str:
    """The answer in one sentence: what the plan costs and how far from the best it can be."""
    cost = f"{run.outcome.objective or 0.0:,.0f} {run.currency}".strip()
    gap = run.outcome.gap
    if gap is None:
        return f"The plan costs {cost}; how far that is from the best is not known"
    if gap < 5e-6:
        return f"The plan costs {cost}, the least that is possible"
    return f"The plan costs {cost}, at most {gap:.2%} above the least that is possible"


def _costs(run: Run) -> Chart | None:
    """The cost lines, largest first."""
    lines = {name: value for name, value in run.costs.items() if abs(value) >= CENT}
    if not lines:
        return None
    total = sum(lines.values())
    data = pd.DataFrame({"cost line": list(lines), "cost": list(lines.values())})
    data = data.sort_values("cost", ascending=False, kind="stable", ignore_index=True)
    data["share of the total"] = data["cost"] / total if total else 0.0
    first = data.iloc[0]
    others = data["cost"].iloc[1:].sum()
    money = run.currency or "money"
    return Bars(
        title=f"{first['cost line'].capitalize()} costs {first['cost']:,.0f} {money}; all else together {others:,.0f}",
        note="Every line of the plan's cost, recomputed by the recheck; below zero is what comes back.",
        data=data,
        units={"cost": money, "share of the total": "%"},
        label="cost line",
        value="cost",
    )


def _limits(limits: pd.DataFrame | None, currency: str) -> Chart | None:
    """How much of each shared limit is used: over the periods or, where a limit knows none, in all."""
    if limits is None:
        return None
    known = limits[limits["capacity"] > 0]
    if known.empty:
        return None
    name = known["limit"] + known["name"].map(lambda n: f" of {n}" if n else "")
    several = name.groupby(name).transform("size").gt(known.groupby(["limit", "name", "unit"])["use"].transform("size"))
    data = known.assign(
        what=name.where(~several, name + " (" + known["unit"] + ")"),
        used=known["use"] / known["capacity"],
        exceeded=known["excess"] > 1e-6 * known["capacity"],
    )
    worst = data.groupby("what")["used"].mean().nlargest(LIMITS).index
    left = data["what"].nunique() - len(worst)
    data = data[data["what"].isin(worst)].sort_values("what", key=lambda w: w.map({n: i for i, n in enumerate(worst)}), kind="stable")
    tight = data.loc[data["price"] > 0, "what"].nunique()
    title = (
        f"{tight} of {len(worst) + left} limits hold{'s' if tight == 1 else ''} the plan back; {worst[0]} is used most: "
        f"{data.loc[data['what'] == worst[0], 'used'].mean():.0%}{' on average' if 'period' in data else ''}"
    )
    kept = ["what", *(["period"] if "period" in data else []), "used", "use", "capacity", "unit", "price", "exceeded"]
    shared = {
        "title": title,
        "note": "Use over capacity; a limit has a price where one more unit of it would save money."
        + (f" {left:,} limits that are used less are not drawn." if left else ""),
        "data": data[kept].rename(columns={"what": "limit", "price": "one more unit saves"}).replace({"unit": {"money": currency or "money"}}),
        "units": {"used": "%", "one more unit saves": currency or "money"},
    }
    if "period" in data:
        return Heat(**shared, row="limit", column="period", value="used", flag="exceeded")
    return Bars(**shared, label="limit", value="used")


def _scenarios(results: pd.DataFrame, compared: str, units: Mapping[str, str]) -> Chart | None:
    """Scenarios by the figure compared, each against the first."""
    known = results[results[compared].notna()]
    if known.empty:
        return None
    base = known.iloc[0]["scenario"]
    best = known.loc[known[compared].idxmin()]
    unit = units.get(compared, "")
    lead = "No scenario beats" if best["scenario"] == base else f"{best['scenario']} has the lowest {compared}, below"
    return Bars(
        title=f"{lead} {base}",
        note=f"{compared.capitalize()} by scenario, with the difference to {base}.",
        data=known[["scenario", compared]],
        units={compared: unit},
        label="scenario",
        value=compared,
        base=base,
    )
