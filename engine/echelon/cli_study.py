"""The commands of studies: study, sweep, frontier, compare, plan, silos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from echelon import console, store
from echelon import study as studies
from echelon.errors import Finding, InputError
from echelon.family import Aim
from echelon.report.comparison_page import comparison_report
from echelon.report.plan_page import add_plan_report
from echelon.report.study_page import add_study_report
from echelon.run import read
from echelon.shell import (
    DEFAULTS,
    SOME_FAILED,
    CaseArgument,
    FamilyOption,
    GapOption,
    OutOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    TimeLimitOption,
    err,
    exit_codes,
    options_of,
    out,
    write_report,
)
from echelon.tables import Case

STUDIES = Path("studies")
StudiesOption = Annotated[Path, typer.Option("--out", help="Folder that holds the study folders")]
NameOption = Annotated[str | None, typer.Option(help="Name of the study folder; the same name goes on with it")]
ExecutorOption = Annotated[
    str, typer.Option(help="Where the runs are made: in-order, processes, processes:N, tcp://host:port (Dask)")
]
WarmOption = Annotated[bool, typer.Option("--warm-start", help="Start each run from the plan of the one it comes from")]
ColumnOption = Annotated[
    list[str] | None,
    typer.Option(metavar="TABLE.COLUMN[WHERE]", help='Such as "budgets.amount[hard = true]" or options.holding_rate'),
]
ByOption = Annotated[str | None, typer.Option(metavar="FACTORS", help="Factors with commas between them: 0.8,0.9,1.1")]
ToOption = Annotated[str | None, typer.Option(metavar="VALUES", help="Values with commas between them: 10,20,30")]


def study(
    case: CaseArgument,
    scenarios: Annotated[Path, typer.Option(help="TOML file of scenarios: named edits of the case's tables")],
    family: FamilyOption = None,
    time_limit: TimeLimitOption = DEFAULTS.time_limit,
    gap: GapOption = DEFAULTS.gap,
    threads: ThreadsOption = DEFAULTS.threads,
    seed: SeedOption = DEFAULTS.seed,
    set_: SetOption = None,
    executor: ExecutorOption = DEFAULTS.executor,
    warm_start: WarmOption = False,
    out_: StudiesOption = STUDIES,
    name: NameOption = None,
) -> None:
    """Solve the scenarios of a case, each stored as a run, and print one table. Run it again to go on where it was."""
    with exit_codes():
        found = studies.read_scenarios(scenarios)
        loaded = read(case)
        folder = out_ / (name or _name(loaded, family, scenarios.stem))
        how = _how(time_limit, gap, threads, seed, set_, executor)
        how |= {"warm_start": warm_start}
        done = _with_progress(
            lambda progress: studies.run_study(loaded, found, folder, family, progress=progress, **how)
        )
        console.print_study(out, done)
        _end(done)


def sweep(
    case: CaseArgument,
    column: ColumnOption = None,
    by: ByOption = None,
    to: ToOption = None,
    grid: Annotated[bool, typer.Option("--grid", help="Two columns together, in all combinations")] = False,
    family: FamilyOption = None,
    time_limit: TimeLimitOption = DEFAULTS.time_limit,
    gap: GapOption = DEFAULTS.gap,
    threads: ThreadsOption = DEFAULTS.threads,
    seed: SeedOption = DEFAULTS.seed,
    set_: SetOption = None,
    executor: ExecutorOption = DEFAULTS.executor,
    warm_start: WarmOption = False,
    out_: StudiesOption = STUDIES,
    name: NameOption = None,
) -> None:
    """Vary one number of a case, several in turn (tornado) or two together (--grid)."""
    with exit_codes():
        loaded = read(case)
        folder = out_ / (name or _name(loaded, family, "sweep"))
        dials = [studies.parse_dial(text) for text in column or ()]
        how = _how(time_limit, gap, threads, seed, set_, executor)
        how |= {"warm_start": warm_start, "by": _numbers("by", by), "to": _numbers("to", to), "grid": grid}
        done = _with_progress(
            lambda progress: studies.run_sweep(loaded, dials, folder, family, progress=progress, **how)
        )
        console.print_sweep(out, done)
        _end(done.study)


def frontier(
    case: CaseArgument,
    of: Annotated[str | None, typer.Option(help="One of those that the family declares; else its first")] = None,
    column: Annotated[
        str | None, typer.Option(metavar="TABLE.COLUMN[WHERE]", help="A frontier of your own: what is limited")
    ] = None,
    by: ByOption = None,
    to: ToOption = None,
    less: Annotated[list[str] | None, typer.Option(help="With --column: a measure of which less is better")] = None,
    more: Annotated[list[str] | None, typer.Option(help="With --column: a measure of which more is better")] = None,
    points: Annotated[int, typer.Option(min=3, help="Plans to make, where the frontier does not say")] = 7,
    family: FamilyOption = None,
    time_limit: TimeLimitOption = DEFAULTS.time_limit,
    gap: GapOption = DEFAULTS.gap,
    threads: ThreadsOption = DEFAULTS.threads,
    seed: SeedOption = DEFAULTS.seed,
    set_: SetOption = None,
    executor: ExecutorOption = DEFAULTS.executor,
    out_: StudiesOption = STUDIES,
    name: NameOption = None,
) -> None:
    """Trade one aim for another: plans that no other beats in both, and the knee between them."""
    with exit_codes():
        loaded = read(case)
        if column is None:
            chosen = studies.frontier_of(loaded, family, of)
        else:
            aims = [*(Aim(m, m) for m in less or ()), *(Aim(m, m, most=True) for m in more or ())]
            chosen = studies.own_frontier(studies.parse_dial(column), _numbers("by", by), _numbers("to", to), aims)
        folder = out_ / (name or _name(loaded, family, f"frontier-{chosen.name}"))
        how = _how(time_limit, gap, threads, seed, set_, executor)
        how |= {"points": points}
        done = _with_progress(
            lambda progress: studies.run_frontier(loaded, chosen, folder, family, progress=progress, **how)
        )
        console.print_frontier(out, done)
        _end(done.study)


def silos(
    case: CaseArgument,
    family: FamilyOption = None,
    time_limit: TimeLimitOption = DEFAULTS.time_limit,
    gap: GapOption = DEFAULTS.gap,
    threads: ThreadsOption = DEFAULTS.threads,
    seed: SeedOption = DEFAULTS.seed,
    set_: SetOption = None,
    executor: ExecutorOption = DEFAULTS.executor,
    out_: StudiesOption = STUDIES,
    name: NameOption = None,
) -> None:
    """The price of silos: each function's own best plan, judged by what it costs the whole company."""
    with exit_codes():
        loaded = read(case)
        folder = out_ / (name or _name(loaded, family, "silos"))
        how = _how(time_limit, gap, threads, seed, set_, executor)
        done = _with_progress(lambda progress: studies.price_of_silos(loaded, folder, family, progress=progress, **how))
        console.print_silos(out, done)
        _end(done.study)


def compare(
    runs: Annotated[list[Path], typer.Argument(help="Run folders; the others are compared with the first")],
    out_: Annotated[Path | None, typer.Option("--out", help="Folder to write the tables of differences to")] = None,
) -> None:
    """What changed between runs, what that did to cost and plan, and which limits are behind it."""
    with exit_codes():
        compared = studies.compare(studies.read_runs(runs))
        console.print_comparison(out, compared)
        if out_ is not None:
            compared.save(out_)
            out.print(Text(f"tables of all differences: {out_}"), soft_wrap=True)
            _report("comparison", lambda: store.add_report(out_, comparison_report(compared)))


def plan(
    case: CaseArgument,
    time_limit: Annotated[float, typer.Option(help="Seconds on the clock for each family")] = DEFAULTS.time_limit,
    gap: GapOption = DEFAULTS.gap,
    threads: ThreadsOption = DEFAULTS.threads,
    seed: SeedOption = DEFAULTS.seed,
    out_: OutOption = Path("runs"),
) -> None:
    """Plan the families that case.toml names, one after the other: what one decides, the next starts from."""
    with exit_codes():
        store.must_be_writable(out_)
        done = studies.run_plan(
            case, before=lambda family: err.print(f"planning {family}"),
            time_limit=time_limit, gap=gap, threads=threads, seed=seed,
        )  # fmt: skip
        folder = done.save(out_)
        console.print_plan(out, done, folder)
        _report("plan", lambda: add_plan_report(folder))


COMMANDS: dict[str, Callable[..., None]] = {
    "study": study,
    "sweep": sweep,
    "frontier": frontier,
    "silos": silos,
    "compare": compare,
    "plan": plan,
}


def _name(case: Case, family: str | None, what: str) -> str:
    """The folder of a study that is given no name: the case, the family if it was asked for, and what is studied."""
    return "-".join(store.file_name(part, "case") for part in (case.name, family, what) if part)


def _how(
    time_limit: float, gap: float, threads: int, seed: int, set_: list[str] | None, executor: str
) -> dict[str, Any]:
    """How each run is made, as `run_study` takes it."""
    solver = {"time_limit": time_limit, "gap": gap, "threads": threads, "seed": seed}
    return {**solver, "options": options_of(set_), "executor": executor}


def _with_progress(solve: Callable[[studies.StepCallback], Any]) -> Any:
    """What `solve` returns, while each run is told as it is done. Ctrl-C leaves what is finished for the next time."""
    try:
        with console.study_progress(err) as progress:
            return solve(progress)
    except KeyboardInterrupt:
        err.print("Stopped. What is finished is kept: the same command goes on from here.")
        raise typer.Exit(130) from None


def _end(done: studies.Study) -> None:
    """Write the report, say where it and the study are, and end with a code of its own if scenarios have no plan."""
    out.print(Text(f"study folder: {done.folder}"), soft_wrap=True)
    _report("study", lambda: add_study_report(done.folder))
    if len(done.failed):
        raise typer.Exit(SOME_FAILED)


def _report(what: str, write: Callable[[], Path]) -> None:
    """Write the report of what has just been stored, and say where it is."""
    if report := write_report(what, write):
        out.print(Text(f"report: {report}"), soft_wrap=True)


def _numbers(name: str, text: str | None) -> list[float]:
    try:
        return [float(part) for part in (text or "").split(",") if part.strip()]
    except ValueError:
        remedy = "Write numbers with commas between them, such as 0.9,1.1"
        raise InputError(
            [Finding("options", "is not a list of numbers", remedy, column=name, value=text or "")]
        ) from None
