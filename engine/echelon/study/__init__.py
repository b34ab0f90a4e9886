"""Studies: many runs of a case compared; what changes between runs; families in sequence; the price of silos."""

from echelon.study.scenarios import Scenario, read_scenarios
from echelon.study.study import Step, Study, run_study

__all__ = ["Scenario", "Step", "Study", "read_scenarios", "run_study"]
