"""What the commands share: consoles, arguments, exit codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from echelon import console
from echelon.errors import Finding, InputError, RecheckError, SolveError
from echelon.family import Family, families
from echelon.solvers.outcome import SolveOptions, Termination

BAD_INPUT, NO_PLAN, RECHECK_FAILED, SOLVER_FAILED, SOME_FAILED = 2, 3, 4, 5, 6
DEFAULTS = SolveOptions()

out, err = console.consoles()

CaseArgument = Annotated[str, typer.Argument(help="Folder of CSV or Parquet files, Excel workbook, or SQLAlchemy URL")]
FamilyArgument = Annotated[str, typer.Argument(help="One of those that `echelon families` lists")]
FamilyOption = Annotated[str | None, typer.Option(help="Which decision; not needed where case.toml says it")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder that holds the run folders")]
SetOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of the family; may be repeated")
]
TimeLimitOption = Annotated[float, typer.Option(help="Seconds on the clock")]
GapOption = Annotated[float, typer.Option(help="Relative gap at which the search may stop")]
ThreadsOption = Annotated[int, typer.Option(help="Threads the solver may use")]
SeedOption = Annotated[int, typer.Option(help="Seed of the solver")]


@contextmanager
def exit_codes() -> Iterator[None]:
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


def write_report(what: str, write: Callable[[], Path]) -> Path | None:
    """The report that `write` writes of what has just been stored. One that fails must not hide the results: it is a
    warning, and there is None."""
    try:
        return write()
    except Exception as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        words = f"warning the {what} is stored, but its report could not be made ({why})"
        err.print(Text(words, "yellow"), soft_wrap=True)
        return None


def family_named(name: str) -> Family:
    """The installed family of that name. Raises InputError if there is none."""
    if name not in (installed := families()):
        remedy = f"Name one of: {', '.join(installed)}"
        raise InputError([Finding("case", "no such family is installed", remedy, column="family", value=name)])
    return installed[name]


def options_of(pairs: list[str] | None, method: str | None = None) -> dict[str, Any]:
    """`--set name=value` and `--method` as a dict; values stay text, which the options' own types read."""
    wrong = [pair for pair in pairs or () if "=" not in pair]
    if wrong:
        raise InputError(
            [Finding("options", "is not NAME=VALUE", "Write --set frozen_periods=2", value=p) for p in wrong]
        )
    return dict(pair.split("=", 1) for pair in pairs or ()) | ({} if method is None else {"method": method})
