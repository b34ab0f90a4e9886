"""What a person reads on the terminal: findings, progress, a run's one page, lists of runs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.progress import Progress as RunningBar
from rich.progress import TextColumn
from rich.table import Table
from rich.text import Text

from echelon.errors import Finding, Violation, shorten
from echelon.run import Run
from echelon.solvers.outcome import Outcome, Progress, Termination
from echelon.store import REPORT
from echelon.study import Comparison, Curve, Plan, Silos, Step, Study, Sweep

PIPED_WIDTH = 140  # columns to lay out for where there is no terminal to ask
QUIET_SECONDS = 5.0  # where there is no terminal, at most one progress line in this many seconds


def consoles() -> tuple[Console, Console]:
    """(out, err): results go to standard output; progress and findings to standard error."""
    out, err = Console(highlight=False), Console(stderr=True, highlight=False)
    for console in (out, err):
        if not console.is_terminal:
            console.width = PIPED_WIDTH
    return out, err


def print_findings(err: Console, findings: Sequence[Finding]) -> None:
    """One line a finding, errors first, and a count."""
    errors = [f for f in findings if f.severity == "error"]
    warnings = [f for f in findings if f.severity == "warning"]
    for finding, style in [*((f, "bold red") for f in errors), *((f, "yellow") for f in warnings)]:
        err.print(Text.assemble((f"{finding.severity:<8}", style), str(finding)), soft_wrap=True)
    if findings:
        err.print(f"{_count(len(errors), 'error')}, {_count(len(warnings), 'warning')}")


def print_violations(err: Console, violations: Sequence[Violation]) -> None:
    err.print(Text("The plan failed its recheck and is not shown as a plan:", "bold red"))
    for violation in violations[:20]:
        err.print(Text(f"  {violation}"), soft_wrap=True)
    if len(violations) > 20:
        err.print(f"  ... and {len(violations) - 20} more")


@contextmanager
def live_progress(err: Console) -> Iterator[Callable[[Progress], None]]:
    """A progress callback: a live line on a terminal, a plain line now and then elsewhere."""
    if err.is_terminal:
        with err.status("building the model") as status:
            yield lambda p: status.update(progress_line(p))
        return
    last = -QUIET_SECONDS

    def plain(progress: Progress) -> None:
        nonlocal last
        if progress.seconds - last >= QUIET_SECONDS:
            last = progress.seconds
            err.print(progress_line(progress), soft_wrap=True)

    yield plain


def progress_line(p: Progress) -> str:
    plan = "no plan yet" if p.incumbent is None else f"plan {p.incumbent:,.2f}"
    bound = "" if p.bound is None else f"  bound {p.bound:,.2f}"
    gap = "" if p.gap is None else f"  gap {p.gap:.3%}"
    nodes = f"  nodes {p.nodes:,}" if p.nodes else ""
    return f"{p.seconds:6.1f} s  {plan}{bound}{gap}{nodes}"


def print_run(out: Console, run: Run, folder: Path | None) -> None:
    """The one page: cost, service, the constraint, the actions that matter, the proof."""
    page = run.page
    out.print(Text(f"{run.case} · {run.family}", "bold"))
    out.print(_cost_table(run.costs, run.currency))
    _section(out, "Service", [f"{name}: {value}" for name, value in page.service.items()])
    _section(out, "What holds the plan back", [page.constraint])
    out.print(Text(f"\n{page.actions_title}", "bold"))
    out.print(frame_table(page.actions))
    report = folder / REPORT if folder and (folder / REPORT).is_file() else None
    where = [f"{what}: {path}" for what, path in (("run folder", folder), ("report", report)) if path]
    _section(out, "Proof", [*run.proof, *run.notes, *where])


def print_no_plan(err: Console, message: str, outcome: Outcome, findings: Sequence[Finding]) -> None:
    err.print(Text(f"No plan: {message} (after {outcome.seconds:.1f} s)", "bold red"), soft_wrap=True)
    if outcome.termination is Termination.INFEASIBLE and findings:
        err.print("What stands in the way, and what would do:")
    for finding in findings:
        err.print(Text(f"  {finding}"), soft_wrap=True)


def print_runs(out: Console, records: dict[str, dict[str, Any]]) -> None:
    """A line a run."""
    table = _table("run", "family", "started", ("objective", "right"), ("gap", "right"), ("seconds", "right"), "ended")
    for name, record in records.items():
        o = record["outcome"]
        gap = "no bound" if o["gap"] is None else f"{o['gap']:.3%}"
        ended = o["termination"] + (f" ({o['limit']})" if o["limit"] else "")
        figures = (f"{o['objective']:,.2f}", gap, f"{o['seconds']:.1f}")
        table.add_row(name, record["family"], record["started"], *figures, ended)
    out.print(table)


@contextmanager
def study_progress(err: Console) -> Iterator[Callable[[Step], None]]:
    """A callback for the runs of a study: a bar on a terminal, a line a run elsewhere."""
    if not err.is_terminal:
        yield lambda step: err.print(Text(step_line(step)), soft_wrap=True)
        return
    with RunningBar(*RunningBar.get_default_columns(), TextColumn("{task.fields[last]}"), console=err) as bar:
        task = bar.add_task("runs", total=None, last="")
        yield lambda step: bar.update(task, total=step.total, completed=step.done, last=step_line(step))


def step_line(step: Step) -> str:
    how = "kept from before" if step.kept else f"{step.ended} in {step.seconds:.1f} s"
    return f"{step.done} of {step.total}: {shorten(step.scenario)}: {how}"


def print_study(out: Console, study: Study) -> None:
    """A line a scenario: how it ended, its cost, and by how much that differs from the first one's."""
    results = study.results
    first, bound = results[["objective", "bound"]].iloc[0] if len(results) else (float("nan"), float("nan"))
    against = results["objective"] - first
    unsure = (against != 0) & (results["bound"] <= first) & (results["objective"] >= bound)
    shown = pd.DataFrame(
        {
            "scenario": results["scenario"],
            "ended": results["ended"],
            "cost": _money(results["objective"]),
            "against the first": _signed(against) + unsure.map({True: " (within the gaps)", False: ""}),
            "gap": results["gap"].map("{:.3%}".format).where(results["gap"].notna(), ""),
            "seconds": results["seconds"].map("{:.1f}".format),
        }
    )
    out.print(frame_table(shown))
    for row in study.failed.itertuples():
        out.print(Text(f"{shorten(str(row.scenario))}: {row.why}", "yellow"), soft_wrap=True)
    if study.kept:
        out.print(f"{_count(study.kept, 'run')} kept from before")


def print_sweep(out: Console, sweep: Sweep) -> None:
    """The difference that each level makes, and between what it must lie; for several columns, widest swing first."""
    table = sweep.table.iloc[1:]
    levels = [name for name in table.columns if name.startswith(("column", "level"))]
    out.print(f"as it is: {_money(sweep.table['objective']).iloc[0]}")
    shown = table[levels].assign(
        ended=table["ended"],
        cost=_money(table["objective"]),
        difference=_signed(table["difference"]),
        least=_signed(table["least_difference"]),
        most=_signed(table["most_difference"]),
    )
    out.print(frame_table(shown.rename(columns={"least": "at least", "most": "at most"})))
    if len(sweep.tornado) > 1:
        tornado = sweep.tornado
        out.print(Text("\nWhat moves cost most", "bold"))
        money = {name: _signed(tornado[name]) for name in ("low_difference", "high_difference", "swing")}
        out.print(frame_table(tornado.assign(**money).rename(columns=lambda name: name.replace("_", " "))))


def print_frontier(out: Console, curve: Curve) -> None:
    """The plans by what they are worth in both aims; what another beats, and the knee."""
    out.print(Text(curve.frontier.summary, "bold"))
    names = [aim.name for aim in curve.frontier.aims]
    points = curve.points
    verdict = pd.Series("", index=points.index)
    verdict = verdict.mask(points["dominated"], "another plan is better in both").mask(points["knee"], "the knee")
    shown = points[["level"]].map("{:,.6g}".format)
    shown = shown.assign(ended=points["ended"], **{name: _figure(points[name]) for name in names}, verdict=verdict)
    out.print(frame_table(shown))
    if points["dominated"].any():
        out.print(
            "where another plan is better in both, the limit did not bind, or a smaller --gap would tell them apart"
        )
    if (knee := curve.knee) is None:
        out.print("no knee: no plan lies below the straight line between the two ends")
    else:
        out.print(f"the knee: level {knee['level']:,.6g}, the plan furthest below the straight line between the ends")


def print_silos(out: Console, silos: Silos) -> None:
    """What each function's own plan costs the whole, and where."""
    table = silos.table
    if table.empty:
        print_study(out, silos.study)
        return
    costs = [name for name in table.columns if name.startswith("cost.") and (table[name].abs() >= 0.005).any()]
    columns = {row["plan"]: row for row in table.to_dict("records")}
    lines = {"the aim": [str(row["aim"]) for row in columns.values()]}
    lines |= {name.removeprefix("cost."): list(_money(table[name])) for name in costs}
    lines |= {"cost of the whole": list(_money(table["total"]))}
    lines |= {"more than together": list(_signed(table["more_than_together"]))}
    lines |= {"rules broken": [str(n) for n in table["rules_broken"]]}
    shown = pd.DataFrame.from_dict(lines, orient="index", columns=list(columns)).rename_axis("").reset_index()
    out.print(frame_table(shown))
    for row in silos.study.failed.itertuples():
        out.print(Text(f"{shorten(str(row.scenario))}: {row.why}", "yellow"), soft_wrap=True)


def print_comparison(out: Console, compared: Comparison) -> None:
    """Measures side by side, then for each run why it differs from the first, and how much of the plan changed."""
    first, *others = compared.names
    values = compared.measures.pivot_table(index="measure", columns="run", values="value", sort=False)
    values = values.reindex(columns=list(compared.names))
    size = values.abs().max(axis=1).clip(lower=1.0)
    differ = values[(values.max(axis=1) - values.min(axis=1)) > 1e-6 * size]
    shown = differ.apply(_figure).rename_axis("").reset_index()
    if len(others) == 1:
        shown["difference"] = (differ[others[0]] - differ[first]).map("{:+,.6g}".format).to_numpy()
    out.print(frame_table(shown) if len(shown) else "all measures are the same")
    for name in others:
        plan = compared.plan[compared.plan["run"] == name]
        rows = plan.groupby("table", sort=False)["key"].nunique()
        lines = [f"plan, {table}: {count:,} row(s) differ" for table, count in rows.items()]
        _section(out, f"{name} against {first}", [*compared.why[name], *(lines or ["the plan is the same"])])


def print_plan(out: Console, plan: Plan, folder: Path) -> None:
    """A line a family, what went from one to the next, and what holds each back."""
    summary = plan.summary
    shown = summary[["family", "ended"]].assign(
        cost=_money(summary["objective"]),
        gap=summary["gap"].map("{:.3%}".format).where(summary["gap"].notna(), ""),
        seconds=summary["seconds"].map("{:.1f}".format),
        takes=summary["takes"],
    )
    out.print(Text(f"{plan.case} · plan", "bold"))
    out.print(frame_table(shown))
    lines = [
        f"{h.table}: {h.rows:,} row(s) of {h.from_family} go to {h.to_family}, in place of its own {h.replaced_rows:,}"
        for h in plan.handed_over.itertuples()
    ]
    _section(out, "Handed over", lines or ["nothing: no result table fits an input table of a later family"])
    _section(out, "What holds each back", [f"{row.family}: {row.constraint}" for row in summary.itertuples()])
    _section(out, "Each run", [f"echelon show {folder / 'steps' / name}" for name in plan.step_names.values()])


def _money(values: pd.Series) -> pd.Series:
    return values.map("{:,.2f}".format).where(values.notna(), "")


def _signed(values: pd.Series) -> pd.Series:
    return values.map("{:+,.2f}".format).where(values.notna(), "")


def _figure(values: pd.Series) -> pd.Series:
    return values.map(lambda value: f"{value:,.0f}" if abs(value) >= 1e7 else f"{value:,.8g}").where(values.notna(), "")


def frame_table(frame: pd.DataFrame) -> Table:
    """A frame of text as a table; columns that read as numbers are set right."""
    numeric = [bool(frame[name].astype(str).str.fullmatch(r"[-\d,. ]+").all()) for name in frame.columns]
    table = _table(*((str(n), "right") if right else str(n) for n, right in zip(frame.columns, numeric, strict=True)))
    for row in frame.itertuples(index=False, name=None):
        table.add_row(*(Text(shorten(str(cell))) for cell in row))
    return table


def _cost_table(costs: dict[str, float], currency: str) -> Table:
    table = _table("cost", (currency or "money", "right"), ("share", "right"))
    total = sum(costs.values())
    for name, value in costs.items():
        if abs(value) >= 0.005:
            table.add_row(name, f"{value:,.2f}", f"{value / total:.1%}" if total else "")
    table.add_section()
    table.add_row("total", f"{total:,.2f}", "")
    return table


def _section(out: Console, title: str, lines: Iterable[str]) -> None:
    out.print(Text(f"\n{title}", "bold"))
    for line in lines:
        out.print(Text(f"  {line}"), soft_wrap=not out.is_terminal)


def _table(*columns: str | tuple[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        name, justify = (column, "left") if isinstance(column, str) else column
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
