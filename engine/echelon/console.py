"""What a person reads on the terminal: findings, progress, a run's one page, lists of runs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text

from echelon.errors import Finding, Violation, shorten
from echelon.run import Run
from echelon.solvers.outcome import Outcome, Progress, Termination
from echelon.store import REPORT

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
    return f"{p.seconds:6.1f} s  {plan}{bound}{gap}  nodes {p.nodes:,}"


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
        gap = "" if o["gap"] is None else f"{o['gap']:.3%}"
        ended = o["termination"] + (f" ({o['limit']})" if o["limit"] else "")
        figures = (f"{o['objective']:,.2f}", gap, f"{o['seconds']:.1f}")
        table.add_row(name, record["family"], record["started"], *figures, ended)
    out.print(table)


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
