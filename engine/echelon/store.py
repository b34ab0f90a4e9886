"""Run folders: written beside and then renamed, so that a folder is whole or not there at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from echelon.errors import Finding, InputError
from echelon.tables import Frames, write_csv

RECORD = "run.json"
LOG = "solver.log"
REPORT = "report.html"


def write(
    directory: Path,
    name: str,
    record: dict[str, Any],
    inputs: Frames,
    results: Frames,
    log: str,
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write one run folder `directory/name` (with a number behind it if that exists) and return its path.

    inputs/*.parquet is the case as it was validated; results/*.parquet and *.csv is the plan, with `files` (name ->
    content) beside them.
    """

    def fill(folder: Path) -> None:
        for part, frames in (("inputs", inputs), ("results", results)):
            (folder / part).mkdir()
            for table, frame in frames.items():
                frame.to_parquet(folder / part / f"{table}.parquet", index=False)
        for table, frame in results.items():
            write_csv(frame, folder / "results" / f"{table}.csv")
        for file, content in (files or {}).items():
            (folder / "results" / file).write_text(content, encoding="utf-8", newline="\n")
        (folder / LOG).write_text(log, encoding="utf-8")
        text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
        (folder / RECORD).write_text(text + "\n", encoding="utf-8")

    return write_whole(directory, name, fill)


def write_whole(directory: Path, name: str, fill: Callable[[Path], None]) -> Path:
    """Make the folder `directory/name` (with a number behind it if that exists) by `fill`, whole or not at all, and
    return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=directory))
    try:
        fill(partial)
        partial.chmod(0o755)
        return _rename(partial, directory, name)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def add_report(folder: Path, page: str) -> Path:
    """Write the report of a stored run into its folder, in place of an earlier one, whole or not at all."""
    return write_text(page, folder / REPORT)


def write_table(frame: pd.DataFrame, directory: Path, name: str) -> None:
    """Write a table beside runs, as exact Parquet and as CSV for people: each file whole, over the one before."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=directory) as partial:
        new = Path(partial) / name
        frame.to_parquet(new.with_name(f"{name}.parquet"), index=False)
        write_csv(frame, new.with_name(f"{name}.csv"))
        for kind in ("parquet", "csv"):
            new.with_name(f"{name}.{kind}").replace(directory / f"{name}.{kind}")


def write_json(content: Any, path: Path) -> None:
    """Write a file of JSON, whole or not at all."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n", path)


def write_text(text: str, path: Path) -> Path:
    """Write a file of text, over the one before, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=path.parent) as partial:
        new = Path(partial) / path.name
        new.write_text(text, encoding="utf-8", newline="\n")
        return new.replace(path)


def file_name(text: str, otherwise: str) -> str:
    """`text` as a short name that is safe for a folder."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-.")[:60] or otherwise


def must_be_writable(directory: Path) -> None:
    """Raise InputError if no run could be written to `directory`: better before a long solve than after it."""
    there = next(path for path in (directory.absolute(), *directory.absolute().parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        remedy = "Name a folder that you may write to with --out"
        raise InputError([Finding("run", "no run can be written there", remedy, value=str(directory))])


def read(folder: Path) -> tuple[dict[str, Any], Frames, Frames, str]:
    """(record, inputs, results, log) of a run folder. Raises InputError if it is none, or damaged."""
    if not (folder / RECORD).is_file():
        remedy = "Name a folder that `echelon solve` wrote (see `echelon runs`)"
        raise InputError([Finding("run", "this is not a run folder", remedy, value=str(folder))])
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        inputs, results = (
            {path.stem: pd.read_parquet(path) for path in sorted((folder / part).glob("*.parquet"))}
            for part in ("inputs", "results")
        )
        return record, inputs, results, (folder / LOG).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        remedy = "Make the run again, or get the folder from where it is whole"
        raise InputError([Finding("run", "the run folder is damaged", remedy, value=f"{folder}: {error}")]) from error


def records(directory: Path) -> dict[str, dict[str, Any]]:
    """Folder name -> record of every run in `directory`, oldest first; what else lies there is left alone."""
    paths = directory.glob(f"*/{RECORD}") if directory.is_dir() else ()
    found = {path.parent.name: record for path in paths if (record := _record(path))}
    return dict(sorted(found.items(), key=lambda pair: (str(pair[1].get("started")), pair[0])))


def _record(path: Path) -> dict[str, Any]:
    """The content of a run.json; empty if the file is something else."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and "schema_version" in record else {}


def _rename(partial: Path, directory: Path, name: str) -> Path:
    for number in range(1, 10_000):
        target = directory / (name if number == 1 else f"{name}-{number}")
        if target.exists():
            continue
        try:
            return partial.rename(target)
        except OSError:
            if not target.exists():
                raise
    raise FileExistsError(f"{directory} holds too many runs named {name}")
