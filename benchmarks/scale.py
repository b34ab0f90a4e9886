"""How large a case can be ordered for: seconds, proven gap and memory by the number of items.

    python benchmarks/scale.py --items 500 10000 100000 --mix A --method prices --time-limit 360 --json scale.json
    python benchmarks/scale.py --items 500 --mix A --method prices mip --formulation big_m facility --time-limit 60

Cases come from `scale_cases.py` (26 periods, seeded). Each is solved in a fresh process by the public `echelon.solve`;
`seconds` is that whole call: validation, prices or search, recheck. Exit code 1 if any solve failed.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from protocol import MB, in_fresh_process, write_json
from run import measure
from scale_cases import MIXES, OPTIONS

COLUMNS = (  # title, width, format
    ("items", 8, ",d"),
    ("mix", 4, ""),
    ("method", 16, ""),
    ("objective", 17, ",.2f"),
    ("bound", 17, ",.2f"),
    ("gap", 10, ".5%"),
    ("seconds", 8, ".1f"),
    ("peak_mb", 8, ".0f"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    given = _parse(arguments)
    print(" ".join(f"{title:>{width}}" for title, width, _ in COLUMNS), " termination")
    rows = []
    for items, mix, (method, formulation) in itertools.product(given.items, given.mix, _ways(given)):
        options = OPTIONS | {"method": method, "formulation": formulation}
        solve_options = {"explain": "off", "time_limit": given.time_limit, "gap": given.gap, "executor": given.executor}
        row = in_fresh_process(solve, items, mix, given.seed, options, solve_options)
        rows.append(row | {"method": method if method == "prices" else f"{method} {formulation}"})
        print(_line(rows[-1]), flush=True)
        write_json(given.json, rows)
    return int(any(row["termination"].startswith("error") for row in rows))


def solve(items: int, mix: str, seed: int, options: dict[str, Any], solve_options: dict[str, Any]) -> dict[str, Any]:
    """The result row of one case; `peak_mb` is that of this process and of its largest worker for each further one."""
    tables = MIXES[mix](items, seed)
    row = measure(tables, "ordering", options, solve_options)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MB
    return {"items": items, "mix": mix, **row, "largest_worker_mb": round(workers, 1)}


def _ways(given: argparse.Namespace) -> list[tuple[str, str]]:
    """(method, formulation) of each way to solve; prices know no choice of formulation."""
    return [(m, f) for m in given.method for f in (given.formulation if m == "mip" else ["auto"])]


def _line(row: dict[str, Any]) -> str:
    cells = ("" if row[title] is None else format(row[title], form) for title, _, form in COLUMNS)
    padded = (f"{cell:>{width}}" for cell, (_, width, _) in zip(cells, COLUMNS, strict=True))
    return f"{' '.join(padded)}  {row['termination']}"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Solve seeded ordering cases of any size and measure gap, time, memory."
    )
    parser.add_argument("--items", type=int, nargs="+", required=True, metavar="N", help="numbers of items")
    parser.add_argument("--mix", nargs="+", choices=sorted(MIXES), default=["A"], help="mixes of items; default: A")
    parser.add_argument("--method", nargs="+", choices=["prices", "mip"], default=["prices"])
    parser.add_argument("--formulation", nargs="+", choices=["auto", "big_m", "ls", "facility"], default=["auto"],
                        help="of the one model; default: auto")  # fmt: skip
    parser.add_argument("--time-limit", type=float, required=True, metavar="S", help="seconds for each case")
    parser.add_argument("--gap", type=float, default=1e-4, help="relative gap at which to stop; default: 0.0001")
    parser.add_argument("--executor", default="in-order", help="in-order, processes:N or tcp://host:port")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
