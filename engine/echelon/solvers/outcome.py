"""How a solve is asked for, how it goes along, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field


class SolveOptions(BaseModel):
    """What every solve understands, whatever the family."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    time_limit: float = Field(
        default=60.0, gt=0, description="Seconds on the wall clock after which the best plan is taken"
    )
    gap: float = Field(
        default=1e-3, ge=0, description="Relative gap between plan and bound at which the search may stop"
    )
    threads: int = Field(default=1, ge=1, description="Threads the solver may use")
    seed: int = Field(default=0, ge=0, description="Seed of the solver's random choices")
    executor: str = Field(
        default="in-order",
        description="Where a method that works in parts does so: in-order, processes, processes:N, tcp://host:port",
    )
    explain: Literal["off", "quick", "full"] = Field(
        default="full",
        description="How what holds the plan back is told: by its limits' prices alone; by solving again with each "
        "eased, the plan's yes-or-no decisions held; and, where time is left, by planning anew",
    )


class Termination(StrEnum):
    """How a solve ended. Never a bare "ok"."""

    OPTIMAL = "optimal"  # a plan, proven best
    FEASIBLE = "feasible"  # a plan; `Outcome.limit` says what stopped it, `bound` what no plan can beat, where known
    INFEASIBLE = "infeasible"  # proven: no plan respects all hard limits
    UNBOUNDED = "unbounded"  # proven: cost can fall without end
    NO_SOLUTION = "no_solution"  # stopped before a plan was found
    FAILED = "failed"  # the solver itself failed


@dataclass(frozen=True)
class Outcome:
    """How one solve ended; `objective` and `bound` in money, `gap` = |objective - bound| / |objective|.

    A search that proves nothing has no bound: `bound` and `gap` are None, and reports say "no bound".
    """

    termination: Termination
    limit: Literal["time", "gap", "interrupt", "other"] | None = None
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    seconds: float = 0.0
    solver: str = ""
    nodes: int = 0
    note: str = ""

    @property
    def has_plan(self) -> bool:
        return self.termination in (Termination.OPTIMAL, Termination.FEASIBLE)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Progress:
    """A glimpse of a running solve; `incumbent` is None until a first plan is known."""

    seconds: float
    incumbent: float | None
    bound: float | None
    gap: float | None
    nodes: int


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class Control:
    """All that a family's solve needs to know besides the case: options, whom to tell, where to log, where to start."""

    options: SolveOptions
    progress: ProgressCallback | None = None
    log_file: Path | None = None
    start: dict[str, pd.DataFrame] | None = None  # result tables of an earlier plan


def relative_gap(objective: float | None, bound: float | None) -> float | None:
    """|objective - bound| / |objective|; None where one is unknown or not finite, 0 where they agree."""
    if objective is None or bound is None or abs(objective) == float("inf") or abs(bound) == float("inf"):
        return None
    return abs(objective - bound) / max(abs(objective), 1e-9) if abs(objective - bound) > 1e-9 else 0.0
