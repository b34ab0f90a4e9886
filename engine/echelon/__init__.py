"""Echelon decides a company's inventory as one plan: proven, rechecked, with the price of every limit."""

from echelon.errors import EchelonError, Finding, InputError, RecheckError, SolveError, Suggestion, Violation
from echelon.family import Family, families
from echelon.run import Run, check, heed, read, solve
from echelon.solvers.outcome import Outcome, Progress, SolveOptions, Termination
from echelon.tables import Case

__all__ = [
    "Case",
    "EchelonError",
    "Family",
    "Finding",
    "InputError",
    "Outcome",
    "Progress",
    "RecheckError",
    "Run",
    "SolveError",
    "SolveOptions",
    "Suggestion",
    "Termination",
    "Violation",
    "check",
    "families",
    "heed",
    "read",
    "solve",
]
