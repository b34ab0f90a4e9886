"""The command line. Exit codes: 0 plan, 2 bad input, 3 no plan found, 4 recheck failed, 5 solver failed, 6 some
scenarios of a study have no plan."""

from __future__ import annotations

import sys
import webbrowser
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from echelon import cli_study, console, schema, store
from echelon.errors import Finding, InputError
from echelon.family import families
from echelon.report import run_report
from echelon.report.plan_page import add_plan_report
from echelon.report.study_page import add_study_report
from echelon.run import Run, check, read, solve, versions
from echelon.shell import (
    DEFAULTS,
    SOLVER_FAILED,
    CaseArgument,
    FamilyArgument,
    FamilyOption,
    GapOption,
    OutOption,
    SeedOption,
    SetOption,
    ThreadsOption,
    TimeLimitOption,
    err,
    exit_codes,
    family_named,
    options_of,
    out,
    write_report,
)
from echelon.solvers.canaries import sing
from echelon.study import Plan, sequence, study
from echelon.tables import CASE_FILE, write_csv

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(__doc__ or "").replace("The command line.", "Decide a company's inventory as one plan."),
)


class Explain(StrEnum):
    """How much `echelon solve` asks about the plan it found."""

    OFF = "off"
    QUICK = "quick"
    FULL = "full"


class SchemaFormat(StrEnum):
    """How `echelon schema` prints."""

    MARKDOWN = "markdown"
    JSON = "json"


@app.command("families")
def list_families() -> None:
    """List the kinds of decisions that are installed."""
    with exit_codes():
        for family in families().values():
            out.print(Text.assemble((f"{family.name:<14}", "bold"), family.summary))


@app.command("schema")
def show_schema(
    family: FamilyArgument,
    format: Annotated[SchemaFormat, typer.Option(help="markdown, or json for JSON Schema")] = SchemaFormat.MARKDOWN,
    results: Annotated[bool, typer.Option("--results", help="The result tables instead of the input tables")] = False,
) -> None:
    """Print the tables of a family: columns, types, units, bounds, keys and meanings."""
    with exit_codes():
        chosen = family_named(family)
        title = f"{chosen.name}: {'result' if results else 'input'} tables"
        tables = chosen.results if results else chosen.inputs
        if format is SchemaFormat.JSON:
            print(schema.to_json_schema(title, tables), end="")
        else:
            print(schema.to_markdown(title, tables), end="")
            if not results:
                print(schema.options_to_markdown(chosen.options), end="")


@app.command("new")
def new_case(
    family: FamilyArgument,
    directory: Annotated[Path, typer.Argument(help="Folder to write the template tables to")],
) -> None:
    """Write template tables with an example row each; with them as they are, the case can already be solved."""
    with exit_codes():
        chosen = family_named(family)
        files = {directory / f"{table.name}.csv": table for table in chosen.inputs}
        present = [path for path in (*files, directory / CASE_FILE) if path.exists()]
        if present or (directory.exists() and not directory.is_dir()):
            rule, remedy = "the file exists already", "Name a new folder, or remove it first: nothing is overwritten"
            raise InputError([Finding("case", rule, remedy, value=str(path)) for path in present or [directory]])
        directory.mkdir(parents=True, exist_ok=True)
        for path, table in files.items():
            write_csv(table.template(), path)
        toml = f'family = "{chosen.name}"\ncurrency = ""\n\n[options]\n'
        (directory / CASE_FILE).write_text(toml, encoding="utf-8")
        required = ", ".join(table.name for table in chosen.inputs if table.required)
        out.print(f"{len(files)} tables written to {directory}. Required: {required}; remove those you do not need.")


@app.command("validate")
def validate_case(case: CaseArgument, family: FamilyOption = None, set_: SetOption = None) -> None:
    """Check a case without solving it; all findings at once."""
    with exit_codes():
        loaded = read(case)
        warnings = check(loaded, family, options_of(set_))
        console.print_findings(err, warnings)
        rows = sum(len(frame) for frame in loaded.tables.values())
        out.print(f"{loaded.name}: {len(loaded.tables)} tables, {rows:,} rows, no errors")


@app.command("solve")
def solve_case(
    case: CaseArgument,
    family: FamilyOption = None,
    time_limit: TimeLimitOption = DEFAULTS.time_limit,
    gap: GapOption = DEFAULTS.gap,
    threads: ThreadsOption = DEFAULTS.threads,
    seed: SeedOption = DEFAULTS.seed,
    out_: OutOption = Path("runs"),
    set_: SetOption = None,
    method: Annotated[
        str | None,
        typer.Option(help="How to solve, where the family knows several ways; the same as --set method=NAME"),
    ] = None,
    executor: Annotated[
        str,
        typer.Option(
            help="Where a method that works in parts does so: in-order, processes, processes:N, tcp://host:port (Dask)"
        ),
    ] = DEFAULTS.executor,
    explain: Annotated[
        Explain, typer.Option(help="How what holds the plan back is told: off, by prices alone; quick; full")
    ] = Explain.FULL,
    warm_start: Annotated[
        Path | None, typer.Option(help="Run folder of an earlier run to start from: its plan, or its prices of limits")
    ] = None,
) -> None:
    """Solve a case, recheck the plan, store it as a run folder, and print its one page."""
    with exit_codes():
        loaded = read(case)
        earlier = Run.load(warm_start) if warm_start else None
        store.must_be_writable(out_)
        with console.live_progress(err) as progress:
            run = solve(
                loaded, family, options=options_of(set_, method), start=earlier, progress=progress,
                time_limit=time_limit, gap=gap, threads=threads, seed=seed, executor=executor,
                explain=explain.value,
            )  # fmt: skip
        folder = run.save(out_)
        write_report("plan", lambda: store.add_report(folder, run_report(run)))
        console.print_findings(err, run.findings)
        console.print_run(out, run, folder)


@app.command("runs")
def list_runs(out_: OutOption = Path("runs")) -> None:
    """List the stored runs, oldest first."""
    with exit_codes():
        console.print_runs(out, store.records(out_))


@app.command("show")
def show_run(
    run: Annotated[Path, typer.Argument(help="Run folder, or the folder of a plan")],
    table: Annotated[str | None, typer.Option(help="Print this result table as CSV instead of the page")] = None,
) -> None:
    """Print the one page of a stored run or plan again, or one of a run's result tables."""
    with exit_codes():
        if (run / sequence.RECORD).is_file() and table is None:
            console.print_plan(out, Plan.load(run), run)
            return
        loaded = Run.load(run)
        if table is None:
            console.print_run(out, loaded, run)
        elif table in loaded.plan:
            write_csv(loaded.plan[table], sys.stdout)
        else:
            remedy = f"Name one of: {', '.join(loaded.plan)}"
            raise InputError([Finding("run", "the run has no such result table", remedy, value=table)])


@app.command("report")
def report_run(
    folder: Annotated[Path, typer.Argument(help="Run, study or plan folder")],
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser")] = False,
) -> None:
    """Write the report of a stored run, study or plan: report.html in its folder, one page that needs no network."""
    with exit_codes():
        if (folder / study.RECORD).is_file():
            page = add_study_report(folder)
        elif (folder / sequence.RECORD).is_file():
            page = add_plan_report(folder)
        else:
            page = store.add_report(folder, run_report(Run.load(folder)))
        out.print(Text(f"report: {page}"), soft_wrap=True)
        if open_ and not webbrowser.open(page.absolute().as_uri()):
            err.print("no browser was found to open it in")


for name, command in cli_study.COMMANDS.items():
    app.command(name)(command)


@app.command("doctor")
def doctor() -> None:
    """Check this installation: versions, and models on which solvers have been wrong before."""
    for name, number in versions().items():
        out.print(f"{name:<10} {number}")
    wrong = 0
    for name, (truth, heard) in sing().items():
        right = heard is not None and abs(heard - truth) <= 1e-6 * max(1.0, abs(truth))
        wrong += not right
        out.print(f"canary {name}  {'right' if right else f'WRONG: {heard} instead of {truth}'}")
    out.print("all canaries sing true" if not wrong else f"{wrong} canaries are wrong: do not trust this solver")
    raise typer.Exit(SOLVER_FAILED if wrong else 0)


def main() -> None:
    """Entry point of the `echelon` command. Names that the terminal cannot show do not end it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
