"""The price of silos: each function's own best plan, judged by what it costs the whole company."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from echelon import store
from echelon.edits import parse_edits
from echelon.errors import Finding, InputError
from echelon.family import Family
from echelon.run import Prepared, Run, Source, prepare
from echelon.study.results import COST, KPI, is_number
from echelon.study.scenarios import Scenario
from echelon.study.study import Study, run_study

TOGETHER = "together"


@dataclass(frozen=True)
class Silos:
    """`table` has a row a plan: of all functions together first, then of each alone; what it costs on the true case, by
    the recheck, line by line; what it costs more than together; and how many rules of the case it breaks."""

    study: Study
    table: pd.DataFrame


def price_of_silos(
    source: Source,
    folder: str | Path,
    family: str | None = None,
    *,
    options: Mapping[str, Any] | None = None,
    **how: Any,
) -> Silos:
    """Solve the case as it is and for each function's own aim alone, and score all plans on the case as it is. `how`
    goes to `run_study`. Raises InputError where `run_study` does, and if the family declares no silos."""
    true = prepare(source, family, options)
    if not true.family.silos or true.family.restate is None:
        rule = f"the family {true.family.name} does not say what its silos are"
        raise InputError([Finding("silos", rule, "Ask for it with a family that does, such as ordering")])
    scenarios = [Scenario(TOGETHER)]
    scenarios += [Scenario(s.name, parse_edits(s.edits, f"silo {s.name}")) for s in true.family.silos]
    study = run_study(true.case, scenarios, folder, true.family.name, kind="silos", options=options, **how)
    aims = {TOGETHER: "least cost of the whole", **{silo.name: silo.aim for silo in true.family.silos}}
    solved = study.results.loc[study.results["run"] != "", "scenario"]
    rows = [{"plan": name, "aim": aims[name], **_score(true, study.run(name))} for name in solved]
    table = _against_together(pd.DataFrame(rows))
    store.write_table(table, study.folder, "silos")
    return Silos(study, table)


def _score(true: Prepared, run: Run) -> dict[str, Any]:
    """What the run's decisions cost on the true case: total, cost lines, key figures, rules broken."""
    family: Family = true.family
    assert family.restate is not None
    full = family.complete(true.inputs, true.options)
    plan = family.restate(full, run.plan)
    proof = family.recheck(full, true.options, plan)
    figures = family.kpis(plan, full, proof.costs)
    return {
        "total": sum(proof.costs.values()),
        "rules_broken": len({violation.rule for violation in proof.violations}),
        **{f"{COST}{name}": value for name, value in proof.costs.items()},
        **{f"{KPI}{name}": float(value) for name, value in figures.items() if is_number(value)},
    }


def _against_together(table: pd.DataFrame) -> pd.DataFrame:
    """The table with what each plan costs more than the one made together (blank if there is none)."""
    if table.empty:
        return table
    together = table.loc[table["plan"] == TOGETHER, "total"]
    base = float(together.iloc[0]) if len(together) else float("nan")
    place = list(table.columns).index("total") + 1
    table.insert(place, "more_than_together", table["total"] - base)
    table.insert(place + 1, "share_more", table["more_than_together"] / abs(base) if base else float("nan"))
    return table
