"""What can go wrong, as data: findings in a case, violations of a plan, and the errors that carry them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from echelon.solvers.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong (or doubtful) in a case, and how to mend it.

    `row` counts as a spreadsheet does: the header is row 1, the first data row is row 2.
    """

    table: str
    rule: str
    remedy: str
    row: int | None = None
    column: str = ""
    value: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = self.table + (f" row {self.row}" if self.row is not None else "")
        what = f", {self.column}" if self.column else ""
        value = f" = {shorten(self.value)}" if self.value else ""
        return f"{where}{what}{value}: {self.rule}. {self.remedy}"


@dataclass(frozen=True)
class Suggestion(Finding):
    """A finding that says what would do: `would_do` in the column, in the row that `key` names.

    A row in which one of the columns `every` is blank stands for all that have no row of their own.
    """

    key: Mapping[str, str] = field(default_factory=dict)
    every: tuple[str, ...] = ()
    would_do: float | str | bool = ""


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a plan breaks, found by the recheck: where, and by how much in the rule's own unit."""

    rule: str
    where: str
    amount: float

    def __str__(self) -> str:
        return f"{self.rule} at {self.where}: broken by {self.amount:.6g}"


class EchelonError(Exception):
    """Base of all errors that Echelon raises on purpose."""


class InputError(EchelonError):
    """The case cannot be planned as it stands; `findings` says all that is wrong with it."""

    def __init__(self, findings: Sequence[Finding]):
        self.findings = list(findings)
        errors = [f for f in self.findings if f.severity == "error"]
        shown = "\n".join(f"  {f}" for f in errors[:10])
        more = f"\n  ... and {len(errors) - 10} more" if len(errors) > 10 else ""
        super().__init__(f"{len(errors)} finding(s) in the case:\n{shown}{more}")


class SolveError(EchelonError):
    """No plan was found; `outcome` says how the solve ended, `findings` what stands in the way where that is known."""

    def __init__(self, message: str, outcome: Outcome, findings: Sequence[Finding] = ()):
        self.outcome = outcome
        self.findings = list(findings)
        super().__init__("\n".join([message, *(f"  {f}" for f in self.findings)]))


class RecheckError(EchelonError):
    """The solver's plan breaks rules of the case when recomputed from the raw tables: it must not be used."""

    def __init__(self, violations: Sequence[Violation]):
        self.violations = list(violations)
        shown = "\n".join(f"  {v}" for v in self.violations[:10])
        super().__init__(f"the plan failed its recheck in {len(self.violations)} place(s):\n{shown}")


def shorten(value: str, width: int = 60) -> str:
    """`value` on one line of at most `width` characters, for messages; nothing in it can steer a terminal."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(str(value).split()))
    return line if len(line) <= width else f"{line[: width - 3]}..."
