"""Scenarios: a file of named edits of a case, each of which may go on from another."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from echelon.edits import Edit, Sheets, apply, parse_edits
from echelon.errors import Finding, InputError, shorten
from echelon.family import Family
from echelon.run import given_options, known_tables
from echelon.tables import Case
from echelon.validate import did_you_mean, parse_options, typed

FILE = "scenarios"
KEYS = ("name", "from", "edits")
EXAMPLE = '[[scenario]]\\nname = "more demand"\\nedits = [{table = "demand", column = "quantity", scale = 1.1}]'


@dataclass(frozen=True)
class Scenario:
    """A name, and the edits that make its case of that of the scenario `parent` (blank: of the case as it is)."""

    name: str
    edits: tuple[Edit, ...] = ()
    parent: str = ""

    @property
    def label(self) -> str:
        return f'scenario "{shorten(self.name)}"'


def read_scenarios(path: str | Path) -> list[Scenario]:
    """The scenarios of a TOML file, in its order. Raises InputError with all that is wrong with the file."""
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([Finding(FILE, "the file cannot be read", str(error), value=str(path))]) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError([Finding(FILE, "the file is not valid TOML", f"Mend it: {error}", value=str(path))]) from error
    entries = content.get("scenario")
    if set(content) != {"scenario"} or not isinstance(entries, list) or not entries:
        odd = ", ".join(name for name in content if name != "scenario")
        raise InputError([Finding(FILE, "is not a list of scenarios", f"Write for each: {EXAMPLE}", value=odd)])
    scenarios: list[Scenario] = []
    findings: list[Finding] = []
    for number, entry in enumerate(entries, start=1):
        try:
            scenarios.append(_scenario(number, entry))
        except InputError as wrong:
            findings += wrong.findings
    names = [str(entry.get("name", "")) for entry in entries if isinstance(entry, Mapping)]
    findings += _wrong_names(scenarios, names)
    if findings:
        raise InputError(findings)
    return scenarios


def sheets_of(case: Case, family: Family, options: Mapping[str, Any]) -> Sheets:
    """The case's tables and options as edits see them. Raises InputError with what is wrong with cells and options."""
    declared = parse_options(family.options, {**given_options(case, family), **options})
    tables = typed(case, family.inputs, known_tables())
    return Sheets(tables, declared.model_dump(), family.inputs, family.options)


def edited(scenarios: Sequence[Scenario], sheets: Sheets) -> dict[str, Sheets]:
    """The sheets of every scenario by name. Raises InputError with all findings of all scenarios."""
    done: dict[str, Sheets] = {"": sheets}
    findings: list[Finding] = []
    for scenario in parents_first(scenarios):
        done[scenario.name] = base = done[scenario.parent]
        try:
            done[scenario.name] = apply(scenario.edits, base, scenario.label)
        except InputError as wrong:
            findings += wrong.findings
    if findings:
        raise InputError(findings)
    return {scenario.name: done[scenario.name] for scenario in scenarios}


def parents_first(scenarios: Sequence[Scenario]) -> list[Scenario]:
    """The scenarios in an order in which each comes after its parent, else as they stand."""
    return [scenario for wave in waves(scenarios) for scenario in wave]


def waves(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Scenarios by generation: those without a parent, their children, and so on."""
    by_name, found = {s.name: s for s in scenarios}, list[list[Scenario]]()
    depth: dict[str, int] = {"": -1}
    for scenario in scenarios:
        line = [scenario]
        while line[-1].parent not in depth:
            line.append(by_name[line[-1].parent])
        for one in reversed(line):
            depth.setdefault(one.name, depth[one.parent] + 1)
    for scenario in scenarios:
        while len(found) <= depth[scenario.name]:
            found.append([])
        found[depth[scenario.name]].append(scenario)
    return found


def all_edits(scenario: Scenario, scenarios: Mapping[str, Scenario]) -> tuple[Edit, ...]:
    """The edits of a scenario, those it inherits first."""
    inherited = all_edits(scenarios[scenario.parent], scenarios) if scenario.parent else ()
    return inherited + scenario.edits


def _scenario(number: int, entry: Any) -> Scenario:
    label = f"{FILE}, scenario {number}"
    if not isinstance(entry, Mapping):
        raise InputError([Finding(label, "is not a table", f"Write {EXAMPLE}", value=str(entry))])
    name = entry.get("name", "")
    findings = [
        Finding(label, "no such entry is known", did_you_mean(key, KEYS), column=key)
        for key in entry
        if key not in KEYS
    ]
    if not isinstance(name, str) or not name.strip():
        findings.append(Finding(label, "the scenario has no name", 'Write name = "more demand"', column="name"))
    if not isinstance(parent := entry.get("from", ""), str):
        findings.append(
            Finding(label, "is not a name", "Write the name of one scenario", column="from", value=str(parent))
        )
    try:
        edits = parse_edits(entry.get("edits", []), f'scenario "{shorten(str(name))}"' if name else label)
    except InputError as wrong:
        findings += wrong.findings
    if findings:
        raise InputError(findings)
    return Scenario(name, edits, parent)


def _wrong_names(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[Finding]:
    """Names that stand twice, parents that are not there, and scenarios that inherit from themselves."""
    findings = [
        Finding(FILE, "the name stands twice", "Name each scenario once", column="name", value=name)
        for name in dict.fromkeys(names)
        if name and names.count(name) > 1
    ]
    by_name = {scenario.name: scenario for scenario in scenarios}
    for scenario in scenarios:
        if scenario.parent and scenario.parent not in names:
            remedy = did_you_mean(scenario.parent, names)
            findings.append(Finding(scenario.label, "no such scenario", remedy, column="from", value=scenario.parent))
        line = [scenario.name]
        while line[-1] in by_name and (parent := by_name[line[-1]].parent) and parent not in line:
            line.append(parent)
        if line[-1] in by_name and by_name[line[-1]].parent == scenario.name:
            rule = "it goes on from itself: " + " <- ".join([*line, scenario.name])
            findings.append(Finding(scenario.label, rule, "Let one of them start from the case", column="from"))
    return findings
