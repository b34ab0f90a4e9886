"""One solve of one case: validate, solve, recheck. No printing; nothing is written unless the run is saved."""

from __future__ import annotations

import hashlib
import platform
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from echelon import executor, store, tables
from echelon.charts import Chart
from echelon.edits import OPTIONS
from echelon.errors import Finding, InputError, RecheckError, SolveError, Suggestion, Violation
from echelon.explain import anew, suggest
from echelon.family import Family, Page, Recheck, families
from echelon.schema import Table
from echelon.solvers.outcome import Control, Outcome, ProgressCallback, SolveOptions, Termination
from echelon.tables import CASE_FILE, Case, Frames
from echelon.validate import parse_options, validate

SCHEMA_VERSION = 1
NEEDED, OPTIONAL = ("echelon", "pyomo", "highspy", "ortools", "pandas", "numpy"), ("pyvrp",)  # what plans come from
COST_TOLERANCE = 1e-6  # relative difference allowed between the solver's objective and the recheck's cost

Source = str | Path | Mapping[str, pd.DataFrame] | Case


@dataclass(frozen=True)
class Run:
    """One solve of one case by one family: its plan, and the proof of it.

    `plan` holds the result tables; `costs` the cost lines, which sum to `outcome.objective`; `prices` the limits that
    bind, with what one more unit of each is worth; `inputs` the case's tables as validated.
    """

    case: str
    family: str
    currency: str
    fingerprint: str
    started: str
    options: dict[str, Any]
    versions: dict[str, str]
    outcome: Outcome
    plan: Frames
    costs: dict[str, float]
    kpis: dict[str, Any]
    rules_checked: int
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    inputs: Frames = field(default_factory=dict, repr=False)
    log: str = field(default="", repr=False)

    @property
    def prices(self) -> pd.DataFrame:
        """The limits with a price: what one more unit of each is worth to the whole plan. Empty where the family has
        no result table `limits`."""
        limits = self.plan.get("limits", pd.DataFrame({"price": []}, dtype="float64"))
        return limits[limits["price"] > 0].reset_index(drop=True)

    @property
    def page(self) -> Page:
        """What belongs on this run's one page."""
        return choose(self.family).page(self.plan, self.kpis, self.currency)

    @property
    def proof(self) -> list[str]:
        """How good the plan is, and who says so."""
        o = self.outcome
        stopped = {
            "time": "stopped by the time limit",
            "gap": "stopped at the gap asked for",
            "interrupt": "stopped by Ctrl-C",
            "other": "stopped by the solver",
            None: "proven optimal" if o.termination is Termination.OPTIMAL else "stopped by itself",
        }[o.limit]
        nodes = f", {o.nodes:,} node{'' if o.nodes == 1 else 's'}" if o.nodes else ""
        gap = "no bound" if o.gap is None else f"gap {o.gap:.3%}"
        bound = "" if o.bound is None else f", no plan can cost less than {o.bound:,.2f}"
        return [
            f"{gap}: this plan costs {o.objective:,.2f}{bound}",
            f"{stopped} after {o.seconds:.1f} s ({o.solver}{nodes})",
            f"recheck passed: {self.rules_checked} rules and every cost line recomputed from the tables",
        ]

    @property
    def result_tables(self) -> tuple[Table, ...]:
        """The declarations of this run's result tables."""
        return choose(self.family).results

    @property
    def charts(self) -> Sequence[Chart]:
        """What the report draws of this run."""
        return choose(self.family).charts(self.plan, self.inputs, self.kpis, self.currency)

    def record(self) -> dict[str, Any]:
        """The content of run.json."""
        return {
            "schema_version": SCHEMA_VERSION,
            "case": self.case,
            "family": self.family,
            "currency": self.currency,
            "fingerprint": self.fingerprint,
            "started": self.started,
            "options": self.options,
            "versions": self.versions,
            "outcome": self.outcome.as_dict(),
            "costs": self.costs,
            "kpis": self.kpis,
            "prices": self.prices.to_dict("records"),
            "recheck": {"passed": True, "rules_checked": self.rules_checked},
            "notes": list(self.notes),
            "warnings": [asdict(f) for f in self.findings],
        }

    def save(self, directory: str | Path, name: str = "") -> Path:
        """Write the run as a new folder in `directory`, whole or not at all, and return the folder. Without a `name` it
        is called after the case, the family and the time."""
        when = datetime.fromisoformat(self.started).strftime("%Y%m%d-%H%M%S")
        name = name or f"{store.file_name(self.case, 'case')}-{self.family}-{when}"
        files = choose(self.family).files(self.plan, self.inputs)
        return store.write(Path(directory), name, self.record(), self.inputs, self.plan, self.log, files)

    @classmethod
    def load(cls, folder: str | Path) -> Run:
        """Read a saved run back. Raises InputError if `folder` is not a run folder."""
        record, inputs, plan, log = store.read(Path(folder))
        _must_be_readable(record, plan, str(folder))
        outcome = record["outcome"] | {"termination": Termination(record["outcome"]["termination"])}
        kept = ("case", "family", "currency", "fingerprint", "started", "options", "versions", "costs", "kpis")
        return cls(
            **{name: record[name] for name in kept},
            outcome=Outcome(**outcome),
            plan=plan,
            rules_checked=record["recheck"]["rules_checked"],
            notes=tuple(record["notes"]),
            findings=tuple(Finding(**f) for f in record["warnings"]),
            inputs=inputs,
            log=log,
        )


class Prepared(NamedTuple):
    """A case that is ready to be solved: its family, that family's options, and its tables as validated."""

    case: Case
    family: Family
    options: Any
    inputs: Frames
    findings: list[Finding]  # warnings


def read(source: str | Path | Mapping[str, pd.DataFrame]) -> Case:
    """Read a case: a folder of CSV or Parquet files, an Excel workbook, an SQLAlchemy URL, or a dict of data frames.

    Nothing is checked yet. Raises InputError if there is no such source.
    """
    return tables.read(source, only=known_tables())


def check(source: Source, family: str | None = None, options: Mapping[str, Any] | None = None) -> list[Finding]:
    """Validate a case without solving it and return the warnings. Raises InputError with all findings."""
    return prepare(source, family, options).findings


def solve(
    source: Source,
    family: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    start: Run | None = None,
    progress: ProgressCallback | None = None,
    **solve_options: Any,
) -> Run:
    """Solve a case and return the proven, rechecked plan as a `Run`.

    `source` is a `Case` or whatever `read` takes. `family` may be left out where `case.toml` names it or only one
    family is installed. `options` are the family's own (they go before those in `case.toml`); `solve_options` are
    `time_limit` (seconds), `gap` (relative), `threads`, `seed`, `executor`, `explain`. `start` is an earlier run to
    start the search from: its plan, or its prices of the limits.
    `progress` is called with `Progress` objects while the solver runs.

    Raises InputError (with all findings), SolveError (no plan), RecheckError (the plan breaks rules of the case).
    """
    return solve_prepared(prepare(source, family, options), start=start, progress=progress, **solve_options)


def solve_prepared(
    ready: Prepared, *, start: Run | None = None, progress: ProgressCallback | None = None, **solve_options: Any
) -> Run:
    """What `solve` does with a case that was validated before. Raises what it raises."""
    case, chosen, family_options, inputs, findings = ready
    frames = chosen.complete(inputs, family_options)
    solver_options = parse_options(SolveOptions, solve_options)
    executor.check(solver_options.executor)
    started = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as scratch:
        log_file = Path(scratch) / "solver.log"
        control = Control(solver_options, progress, log_file, start.plan if start else None)
        answer = anew.solve(chosen, frames, family_options, control)
        log = log_file.read_text(encoding="utf-8", errors="replace") if log_file.exists() else ""
    if not answer.outcome.has_plan:
        raise SolveError(_why_no_plan(answer.outcome), answer.outcome, answer.findings)
    proof = chosen.recheck(frames, family_options, answer.plan)
    _must_pass(proof, answer.outcome)
    return Run(
        case=case.name,
        family=chosen.name,
        currency=str(case.settings.get("currency", "")),
        fingerprint=fingerprint(inputs),
        started=started.isoformat(timespec="seconds"),
        options=solver_options.model_dump() | family_options.model_dump(mode="json"),
        versions=versions(),
        outcome=answer.outcome,
        plan=answer.plan,
        costs=proof.costs,
        kpis=chosen.kpis(answer.plan, frames, proof.costs) | answer.facts,
        rules_checked=proof.rules_checked,
        notes=answer.notes,
        findings=tuple(findings),
        inputs=inputs,
        log=log,
    )


def heed(source: Source, findings: Iterable[Finding], family: str | None = None) -> Case:
    """The case with every value that the findings of a `SolveError` suggest; with them it has a plan. Options become
    those of the case, which options given to `solve` go before."""
    case = source if isinstance(source, Case) else read(source)
    named = family or case.settings.get("family")
    chosen = choose(None if named is None else str(named))
    suggestions = [finding for finding in findings if isinstance(finding, Suggestion)]
    options = {s.column: s.would_do for s in suggestions if s.table == OPTIONS}
    tables = suggest.heed(case.tables, [s for s in suggestions if s.table != OPTIONS], chosen.inputs)
    return replace(case, tables=tables, settings=case.settings | {chosen.name: given_options(case, chosen) | options})


def versions() -> dict[str, str]:
    """The versions that a plan depends on; `OPTIONAL` packages where they are installed."""
    names = [*NEEDED, *(name for name in OPTIONAL if find_spec(name) is not None)]
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def fingerprint(frames: Frames) -> str:
    """SHA-256 over the content of the tables: the same case, the same fingerprint."""
    digest = hashlib.sha256()
    for name, frame in sorted(frames.items()):
        digest.update(f"{name}:{','.join(map(str, frame.columns))}:{len(frame)};".encode())
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def prepare(source: Source, family: str | None = None, options: Mapping[str, Any] | None = None) -> Prepared:
    """Read a case, choose its family, validate it. Raises InputError with all findings."""
    case = source if isinstance(source, Case) else read(source)
    named = family or case.settings.get("family")
    if named is None and any(finding.table == CASE_FILE for finding in case.findings):
        raise InputError(case.findings)  # the file that says the family cannot be read
    chosen = choose(None if named is None else str(named))
    try:
        family_options = parse_options(chosen.options, {**given_options(case, chosen), **(options or {})})
    except InputError as wrong:  # the tables' findings are told together with those of the options
        case = replace(case, findings=[*wrong.findings, *case.findings])
        family_options = chosen.options()
    frames, findings = validate(case, chosen.inputs, chosen.rules, family_options, known_tables())
    return Prepared(case, chosen, family_options, frames, findings)


def given_options(case: Case, family: Family) -> dict[str, Any]:
    """The family's options in case.toml: under [options], and under its own name where a case is for several."""
    own = case.settings.get(family.name, {})
    return {**case.settings.get("options", {}), **(own if isinstance(own, dict) else {family.name: own})}


def choose(name: str | None) -> Family:
    """The installed family of that name, or the only one. Raises InputError if there is no such family."""
    installed = families()
    if name is None and len(installed) == 1:
        return next(iter(installed.values()))
    if name not in installed:
        rule = "no such family is installed" if name else "the case does not say which family it is for"
        remedy = f"Name one of: {', '.join(installed)}"
        raise InputError([Finding("case", rule, remedy, column="family", value=name or "")])
    return installed[name]


def known_tables() -> set[str]:
    """The names of all input tables of all families."""
    return {table.name for family in families().values() for table in family.inputs}


def _must_be_readable(record: Any, plan: Frames, folder: str) -> None:
    """Raise InputError if a run folder is another version's, or not whole."""
    version = record.get("schema_version") if isinstance(record, dict) else None
    if version != SCHEMA_VERSION:
        rule = f"its run.json has the schema version {version}, not {SCHEMA_VERSION}"
        raise InputError([Finding("run", rule, "Read it with the Echelon that wrote it", value=folder)])
    family = families().get(record["family"])
    missing = [table.name for table in family.results if table.name not in plan] if family else []
    if missing:
        rule = f"the run folder is damaged: results/{missing[0]}.parquet is missing"
        raise InputError([Finding("run", rule, "Make the run again", value=folder)])


def _must_pass(proof: Recheck, outcome: Outcome) -> None:
    violations = list(proof.violations)
    cost, objective = sum(proof.costs.values()), outcome.objective or 0.0
    if not abs(cost - objective) <= COST_TOLERANCE * max(1.0, abs(objective)):  # NaN fails too
        where = f"recomputed {cost:.10g} against the solver's {objective:.10g}"
        violations.append(Violation("the plan costs what the solver says", where, abs(cost - objective)))
    if violations:
        raise RecheckError(violations)


def _why_no_plan(outcome: Outcome) -> str:
    return {
        Termination.INFEASIBLE: "no plan respects all hard limits of this case",
        Termination.UNBOUNDED: "the cost of this case can fall without end: a price or cost must be wrong",
        Termination.NO_SOLUTION: "no plan was found before the search was stopped; give it more time",
    }.get(outcome.termination, f"the solver failed ({outcome.note or 'no reason given'})")
