"""What all benchmarks share: fresh processes, peak memory, what an instance is, results on disk."""

from __future__ import annotations

import json
import multiprocessing
import resource
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

MB = 1e6


class Instance(NamedTuple):
    """A published instance as a case of ours; `unsolved` says why it is not solved ("not applicable: ..." or
    "error: ...") and is empty where it is."""

    name: str
    tables: dict[str, pd.DataFrame]
    options: dict[str, Any]
    best_known: float | None
    unsolved: str = ""


def in_fresh_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """`function(*arguments)`, run in a new Python process that ends with it.

    What the function raises is raised here; a process that dies raises BrokenProcessPool.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_mb() -> float:
    """Most memory (resident set, MB of 10^6 bytes) that this process has held since it started, imports included.

    Linux tells it in /proc; `getrusage` would count what the parent held before the process began.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / MB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MB  # bytes on macOS


def write_json(path: Path | None, content: Any) -> None:
    """Write `content` as indented JSON, making the folder if need be; no path, no file."""
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
