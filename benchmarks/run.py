"""Solve published instances of a family and write how good, how fast and how large each solve was.

    python benchmarks/run.py ordering --instances DIR --only G30b G57 --time-limit 60 --json results.json

Each instance is solved in a fresh process by the public `echelon.solve`, those of the returns family by its routing
search. Exit code 1 if any instance failed, 2 if there is nothing to run.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import allocation
import echelon
import network
import ordering
import positioning
import returns
from echelon.errors import shorten
from protocol import Instance, in_fresh_process, peak_mb, write_json

ADAPTERS = {module.__name__: module.instances for module in (allocation, network, ordering, positioning, returns)}
FIGURES = ("instance", "objective", "bound", "gap", "seconds", "cpu_seconds", "best_known", "peak_mb", "termination")
COLUMNS = (  # title, width, format of the printed figures
    ("objective", 14, ",.2f"),
    ("bound", 14, ",.2f"),
    ("gap", 9, ".4%"),
    ("to best", 9, "+.3%"),
    ("seconds", 8, ".1f"),
    ("cpu_seconds", 11, ".1f"),
    ("peak_mb", 8, ".0f"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parse(arguments)
    try:
        chosen = _choose(given.family, given.instances, given.only)
    except LookupError as error:
        print(f"benchmarks: {error.args[0]}", file=sys.stderr)
        return 2
    solve_options = {"explain": "off", "time_limit": given.time_limit, "gap": given.gap, "threads": given.threads}
    print(_header())
    rows = []
    for instance in chosen:
        rows.append(solve(given.family, instance, dict(given.option), solve_options))
        print(_line(rows[-1]), flush=True)
        write_json(given.json, rows)
    return int(any(row["termination"].startswith("error") for row in rows))


def solve(
    family: str, instance: Instance, family_options: dict[str, Any], solve_options: dict[str, Any]
) -> dict[str, Any]:
    """The result row of one instance."""
    row = dict.fromkeys(FIGURES) | {"instance": instance.name, "best_known": instance.best_known}
    if instance.unsolved:
        return row | {"termination": instance.unsolved}
    options = instance.options | family_options
    try:
        return row | in_fresh_process(MEASURES.get(family, measure), instance.tables, family, options, solve_options)
    except Exception as error:  # a process that died, or a bug: this instance has failed, the others go on
        return row | {"termination": f"error: {type(error).__name__}: {_one_line(error)}"}


def measure(
    tables: dict[str, Any], family: str, options: dict[str, Any], solve_options: dict[str, Any]
) -> dict[str, Any]:
    """Solve one case and say how it went; runs in its own process.

    `seconds` is the whole call of `echelon.solve` on the wall clock: validate, build, solve, recheck; `cpu_seconds` is
    what the process computed in that time, so that figures from a busy machine can be told from those of a quiet one.
    """
    began, began_cpu = time.perf_counter(), time.process_time()
    try:
        outcome = echelon.solve(tables, family, options=options, **solve_options).outcome
        termination = str(outcome.termination) + (f" ({outcome.limit})" if outcome.limit else "")
    except echelon.EchelonError as error:
        outcome = getattr(error, "outcome", echelon.Outcome(echelon.Termination.FAILED))
        termination = f"error: {_one_line(error)}"
    return {
        "objective": outcome.objective,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "seconds": round(time.perf_counter() - began, 3),
        "cpu_seconds": round(time.process_time() - began_cpu, 3),
        "peak_mb": round(peak_mb(), 1),
        "termination": termination,
    }


MEASURES = {"returns": returns.measure}  # for instances that are no case of the family


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Solve published instances and measure bound, gap, time and memory.")
    parser.add_argument("family", help=f"family to run; adapters exist for: {', '.join(ADAPTERS)}")
    parser.add_argument("--instances", type=Path, required=True, metavar="DIR", help="folder with published instances")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="instances to run; default: all found")
    parser.add_argument("--time-limit", type=float, required=True, metavar="S", help="seconds for each instance")
    parser.add_argument("--gap", type=float, default=0.0, help="relative gap at which to stop; default: proven optimal")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of the solver; default: 1")
    parser.add_argument("--option", action="append", default=[], type=_option, metavar="NAME=VALUE",
                        help="option of the family, e.g. formulation=big_m; may be repeated")  # fmt: skip
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="where to write the results")
    return parser.parse_args(arguments)


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value


def _choose(family: str, folder: Path, only: Sequence[str]) -> list[Instance]:
    """The instances to run; LookupError in one line if there are none or a name is unknown."""
    if family not in ADAPTERS:
        raise LookupError(f"no adapter for the family {family!r}; there are adapters for: {', '.join(ADAPTERS)}")
    if not folder.is_dir():
        raise LookupError(f"there is no folder {folder}")
    found = list(ADAPTERS[family](folder, only))
    unknown = set(only) - {instance.name for instance in found}
    if unknown:
        known = [instance.name for instance in ADAPTERS[family](folder, ())]
        close = difflib.get_close_matches(min(unknown), known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise LookupError(f"{folder} holds no instance {', '.join(sorted(unknown))}{hint}")
    if not found:
        raise LookupError(f"{folder} holds no instances of the family {family}")
    return found


def _header() -> str:
    return " ".join([f"{'instance':24}", *(f"{title:>{width}}" for title, width, _ in COLUMNS), " termination"])


def _line(row: dict[str, Any]) -> str:
    """A row as one line of the printed table; `to best` is (objective - best known) / best known."""
    objective, best = row["objective"], row["best_known"]
    shown = row | {"to best": (objective - best) / abs(best) if objective is not None and best else None}
    cells = ("" if shown[title] is None else format(shown[title], form) for title, _, form in COLUMNS)
    padded = (f"{cell:>{width}}" for cell, (_, width, _) in zip(cells, COLUMNS, strict=True))
    return " ".join([f"{row['instance']:24}", *padded, f" {shorten(row['termination'], 100)}"])


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
