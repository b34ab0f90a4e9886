"""A study: the scenarios of a case solved one by one, on processes or on a cluster, and kept in one folder.

A finished run is known by its content: the folder's name ends in a digest of tables, options, versions and where the
search started. So a study that was interrupted goes on where it was, and a scenario that was changed is run anew.
"""

from __future__ import annotations

import hashlib
import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.edits import Sheets, apply
from echelon.errors import EchelonError, InputError, RecheckError, SolveError
from echelon.executor import Workers
from echelon.run import Prepared, Run, Source, choose, fingerprint, prepare, read, solve_prepared, versions
from echelon.solvers.outcome import SolveOptions
from echelon.study.results import Failure, failure_row, results_table, run_row
from echelon.study.scenarios import Scenario, all_edits, edited, sheets_of, waves
from echelon.tables import Case
from echelon.validate import parse_options

RUNS, FAILURES, RECORD, RESULTS = "runs", "failures", "study.json", "results"
SCHEMA_VERSION = 1
FRESH_AFTER = 20  # runs after which a worker process is replaced: HiGHS does not give all memory back


@dataclass(frozen=True)
class Step:
    """One scenario of a study is done: how it ended, after how many seconds, and how many of all are done."""

    scenario: str
    ended: str
    seconds: float
    kept: bool  # it was found finished and not run again
    done: int
    total: int


StepCallback = Callable[[Step], None]


@dataclass(frozen=True)
class Study:
    """Many runs of one case. `results` has a row a scenario, in their order: how it ended, cost lines, key figures, the
    constraint, the run's folder, and why there is no plan where there is none."""

    folder: Path
    results: pd.DataFrame
    kept: int  # runs that were found finished

    @property
    def failed(self) -> pd.DataFrame:
        """The scenarios without a plan."""
        return self.results[self.results["run"] == ""]

    def run(self, scenario: str) -> Run:
        """The run of a scenario that has a plan."""
        return Run.load(self.folder / RUNS / self.results.set_index("scenario").loc[scenario, "run"])


@dataclass(frozen=True)
class _Base:
    """What all scenarios share: it is sent to each worker once."""

    name: str
    settings: dict[str, Any]
    family: str
    sheets: Sheets
    solve_options: dict[str, Any]


@dataclass(frozen=True)
class _Task:
    """One scenario for a worker: its edits in full, which of its folders are there already, and where to start from."""

    scenario: Scenario
    finished: frozenset[str]
    start: Run | None
    start_name: str  # folder of the run to start from; blank: none


@dataclass(frozen=True)
class _Done:
    """What a worker answers: the folder's name, and the run or why there is none (neither: it was finished)."""

    name: str
    result: Run | Failure | None


def run_study(
    source: Source,
    scenarios: Sequence[Scenario],
    folder: str | Path,
    family: str | None = None,
    *,
    kind: str = "scenarios",
    options: Mapping[str, Any] | None = None,
    executor: str = "in-order",
    warm_start: bool = False,
    progress: StepCallback | None = None,
    **solve_options: Any,
) -> Study:
    """Solve every scenario of a case and return the study, whose folder also holds each run.

    `executor` says where: in-order, processes, processes:N, tcp://host:port (Dask). With `warm_start` a scenario waits
    for the one it comes from and starts its search from that plan. Scenarios that were finished in an earlier call
    (same tables, options, versions) are not run again. `options` and `solve_options` are those of `echelon.solve`, but
    that what holds each plan back is told by `explain="quick"` unless asked for otherwise: planning anew for each
    limit would cost every scenario the time of several.

    Raises InputError if the case's cells, the options or the scenarios are wrong. A scenario without a plan is a row of
    the results, not an error.
    """
    folder = Path(folder)
    base = _base(source, family, options, {"explain": "quick"} | solve_options)
    edited(scenarios, base.sheets)  # raises all findings before anything is solved
    store.must_be_writable(folder)
    store.write_json(_record(base, scenarios, kind), folder / RECORD)
    rows: dict[str, dict[str, Any]] = {}
    kept = 0
    with Workers(executor) as workers:
        try:
            for wave in waves(scenarios) if warm_start else [list(scenarios)]:
                tasks = [_task(s, scenarios, folder, rows if warm_start else {}) for s in wave]
                for number, answer in workers.each(_solve_scenario, base, tasks, FRESH_AFTER):
                    name, done = wave[number].name, _lost(answer) if isinstance(answer, BaseException) else answer
                    rows[name] = row = _keep(folder, base.family, name, done)
                    kept += (is_kept := done.result is None)
                    if progress is not None:
                        progress(Step(name, row["ended"], row["seconds"], is_kept, len(rows), len(scenarios)))
        finally:
            results = results_table([rows[s.name] for s in scenarios if s.name in rows])
            store.write_table(results, folder, RESULTS)
    return Study(folder, results, kept)


def _base(
    source: Source, family: str | None, options: Mapping[str, Any] | None, solve_options: Mapping[str, Any]
) -> _Base:
    case = source if isinstance(source, Case) else read(source)
    named = family or case.settings.get("family")
    chosen = choose(None if named is None else str(named))
    parse_options(SolveOptions, solve_options)
    sheets = sheets_of(case, chosen, options or {})
    return _Base(case.name, case.settings, chosen.name, sheets, dict(solve_options))


def _record(base: _Base, scenarios: Sequence[Scenario], kind: str) -> dict[str, Any]:
    """The content of study.json."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": kind,
        "case": base.name,
        "family": base.family,
        "currency": str(base.settings.get("currency", "")),
        "options": parse_options(SolveOptions, base.solve_options).model_dump() | dict(base.sheets.options),
        "versions": versions(),
        "scenarios": [{"name": s.name, "from": s.parent, "edits": [edit.words for edit in s.edits]} for s in scenarios],
    }


def _task(scenario: Scenario, scenarios: Sequence[Scenario], folder: Path, done: Mapping[str, Any]) -> _Task:
    """The task of a scenario; `done` has the rows of those from which it may start."""
    whole = replace(scenario, edits=all_edits(scenario, {s.name: s for s in scenarios}), parent="")
    there = folder.glob(f"*/{_stem(scenario)}-*")
    finished = frozenset(path.stem if path.suffix == ".json" else path.name for path in there)
    start_name = done[scenario.parent]["run"] if scenario.parent in done else ""
    start = replace(Run.load(folder / RUNS / start_name), inputs={}, log="") if start_name else None
    return _Task(whole, finished, start, start_name)


def _stem(scenario: Scenario) -> str:
    return store.file_name(scenario.name, "scenario")


def _solve_scenario(base: _Base, task: _Task) -> _Done:
    """In a worker: solve one scenario, unless it is finished."""
    name = f"{_stem(task.scenario)}-unsolved"
    try:
        sheets = apply(task.scenario.edits, base.sheets, task.scenario.label)
        case = Case(base.name, sheets.tables, base.settings)
        ready = prepare(case, base.family, sheets.options)
        name = f"{_stem(task.scenario)}-{_digest(base, task, ready)}"
        if name in task.finished:
            return _Done(name, None)
        return _Done(name, solve_prepared(ready, start=task.start, **base.solve_options))
    except EchelonError as error:
        return _Done(name, _failure(error))
    except Exception as error:  # a fault of Echelon's own or of a library: the other scenarios go on
        where = traceback.format_exception(error)[-2].strip()
        return _Done(name, Failure("error", f"{type(error).__name__}: {error}", (where,)))


def _digest(base: _Base, task: _Task, ready: Prepared) -> str:
    """What a run depends on, as ten letters."""
    solver = parse_options(SolveOptions, base.solve_options).model_dump(mode="json")
    content = [base.family, fingerprint(ready.inputs), solver, ready.options.model_dump(mode="json"), versions()]
    return hashlib.sha256(json.dumps([*content, task.start_name], sort_keys=True).encode()).hexdigest()[:10]


def _failure(error: EchelonError) -> Failure:
    """Why a scenario has no plan. Raises KeyboardInterrupt if that is because the user wants to stop."""
    if isinstance(error, SolveError):
        if error.outcome.limit == "interrupt":
            raise KeyboardInterrupt
        found = tuple(map(str, error.findings))
        return Failure(str(error.outcome.termination), str(error).splitlines()[0], found, error.outcome.seconds)
    if isinstance(error, RecheckError):
        return Failure("recheck failed", "the plan breaks rules of the case", tuple(map(str, error.violations)))
    findings = error.findings if isinstance(error, InputError) else [str(error)]
    return Failure("bad input", f"{len(findings)} finding(s) in the case", tuple(map(str, findings)))


def _lost(loss: BaseException) -> _Done:
    """The answer for a scenario whose workers were lost again and again."""
    return _Done("", Failure("lost", f"its workers were lost ({type(loss).__name__}): too little memory?"))


def _keep(folder: Path, family: str, scenario: str, done: _Done) -> dict[str, Any]:
    """Store what a worker answered, or find what is stored; returns the scenario's row of the results.

    Raises KeyboardInterrupt if the run was stopped by the user: it is not a finished one.
    """
    result, run_folder, failure_file = done.result, folder / RUNS / done.name, folder / FAILURES / f"{done.name}.json"
    if isinstance(result, Run):
        if result.outcome.limit == "interrupt":
            raise KeyboardInterrupt
        return run_row(scenario, result, result.save(folder / RUNS, done.name).name)
    if result is None and run_folder.is_dir():
        return run_row(scenario, Run.load(run_folder), done.name)
    if result is None:
        kept = json.loads(failure_file.read_text(encoding="utf-8"))
        result = Failure(**kept | {"findings": tuple(kept["findings"])})
    elif result.lasts:
        store.write_json(asdict(result), failure_file)
    return failure_row(scenario, family, result)
