"""The command line. Exit codes: 0 plan, 2 bad input, 3 no plan found, 4 recheck failed, 5 solver failed."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from echelon import console, schema, store
from echelon.errors import Finding, InputError, RecheckError, SolveError
from echelon.family import Family, families
from echelon.report import run_report
from echelon.run import Run, check, read, solve, versions
from echelon.solvers.canaries import sing
from echelon.solvers.outcome import SolveOptions, Termination
from echelon.tables import CASE_FILE, write_csv

BAD_INPUT, NO_PLAN, RECHECK_FAILED, SOLVER_FAILED = 2, 3, 4, 5

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=(__doc__ or "").replace("The command line.", "Decide a company's inventory as one plan."),
)
out, err = console.consoles()

CaseArgument = Annotated[str, typer.Argument(help="Folder of CSV or Parquet files, Excel workbook, or SQLAlchemy URL")]
FamilyArgument = Annotated[str, typer.Argument(help="One of those that `echelon families` lists")]
FamilyOption = Annotated[str | None, typer.Option(help="Which decision; not needed where case.toml says it")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder that holds the run folders")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of the family; may be repeated")
]
DEFAULTS = SolveOptions()


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
    with _exit_codes():
        for family in families().values():
            out.print(Text.assemble((f"{family.name:<14}", "bold"), family.summary))


@app.command("schema")
def show_schema(
    family: FamilyArgument,
    format: Annotated[SchemaFormat, typer.Option(help="markdown, or json for JSON Schema")] = SchemaFormat.MARKDOWN,
    results: Annotated[bool, typer.Option("--results", help="The result tables instead of the input tables")] = False,
) -> None:
    """Print the tables of a family: columns, types, units, bounds, keys and meanings."""
    with _exit_codes():
        chosen = _family(family)
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
    with _exit_codes():
        chosen = _family(family)
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
    with _exit_codes():
        loaded = read(case)
        warnings = check(loaded, family, _options(set_))
        console.print_findings(err, warnings)
        rows = sum(len(frame) for frame in loaded.tables.values())
        out.print(f"{loaded.name}: {len(loaded.tables)} tables, {rows:,} rows, no errors")


@app.command("solve")
def solve_case(
    case: CaseArgument,
    family: FamilyOption = None,
    time_limit: Annotated[float, typer.Option(help="Seconds on the clock")] = DEFAULTS.time_limit,
    gap: Annotated[float, typer.Option(help="Relative gap at which the search may stop")] = DEFAULTS.gap,
    threads: Annotated[int, typer.Option(help="Threads the solver may use")] = DEFAULTS.threads,
    seed: Annotated[int, typer.Option(help="Seed of the solver")] = DEFAULTS.seed,
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
    with _exit_codes():
        loaded = read(case)
        earlier = Run.load(warm_start) if warm_start else None
        store.must_be_writable(out_)
        with console.live_progress(err) as progress:
            run = solve(
                loaded, family, options=_options(set_, method), start=earlier, progress=progress,
                time_limit=time_limit, gap=gap, threads=threads, seed=seed, executor=executor,
                explain=explain.value,
            )  # fmt: skip
        folder = run.save(out_)
        _add_report(run, folder)
        console.print_findings(err, run.findings)
        console.print_run(out, run, folder)


@app.command("runs")
def list_runs(out_: OutOption = Path("runs")) -> None:
    """List the stored runs, oldest first."""
    with _exit_codes():
        console.print_runs(out, store.records(out_))


@app.command("show")
def show_run(
    run: Annotated[Path, typer.Argument(help="Run folder")],
    table: Annotated[str | None, typer.Option(help="Print this result table as CSV instead of the page")] = None,
) -> None:
    """Print the one page of a stored run again, or one of its result tables."""
    with _exit_codes():
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
    run: Annotated[Path, typer.Argument(help="Run folder")],
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser")] = False,
) -> None:
    """Write the report of a stored run: report.html in its folder, one page that needs no network."""
    with _exit_codes():
        page = store.add_report(run, run_report(Run.load(run)))
        out.print(Text(f"report: {page}"), soft_wrap=True)
        if open_ and not webbrowser.open(page.absolute().as_uri()):
            err.print("no browser was found to open it in")


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


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn what the library raises into what a person reads and a documented exit code."""
    try:
        yield
    except InputError as error:
        console.print_findings(err, error.findings)
        raise typer.Exit(BAD_INPUT) from None
    except RecheckError as error:
        console.print_violations(err, error.violations)
        raise typer.Exit(RECHECK_FAILED) from None
    except SolveError as error:
        console.print_no_plan(err, str(error.args[0]).splitlines()[0], error.outcome, error.findings)
        failed = error.outcome.termination is Termination.FAILED
        raise typer.Exit(SOLVER_FAILED if failed else NO_PLAN) from None
    except OSError as error:
        err.print(Text(f"error   {error}", "bold red"), soft_wrap=True)
        raise typer.Exit(BAD_INPUT) from None


def _add_report(run: Run, folder: Path) -> None:
    """Put the report into the folder of a run that has just been stored. A report that fails must not hide the plan."""
    try:
        store.add_report(folder, run_report(run))
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        err.print(
            Text(f"warning the plan is stored, but its report could not be made ({why})", "yellow"), soft_wrap=True
        )


def _family(name: str) -> Family:
    if name not in (installed := families()):
        remedy = f"Name one of: {', '.join(installed)}"
        raise InputError([Finding("case", "no such family is installed", remedy, column="family", value=name)])
    return installed[name]


def _options(pairs: list[str] | None, method: str | None = None) -> dict[str, Any]:
    """`--set name=value` and `--method` as a dict; values stay text, which the options' own types read."""
    wrong = [pair for pair in pairs or () if "=" not in pair]
    if wrong:
        raise InputError(
            [Finding("options", "is not NAME=VALUE", "Write --set frozen_periods=2", value=p) for p in wrong]
        )
    return dict(pair.split("=", 1) for pair in pairs or ()) | ({} if method is None else {"method": method})


def main() -> None:
    """Entry point of the `echelon` command. Names that the terminal cannot show do not end it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    app()
