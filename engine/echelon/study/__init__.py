"""Studies: many runs of a case compared; what changes between runs; families in sequence; the price of silos."""

from echelon.study.compare import Comparison, compare, read_runs
from echelon.study.frontier import Curve, frontier_of, own_frontier, run_frontier
from echelon.study.scenarios import Scenario, read_scenarios
from echelon.study.sequence import Plan, run_plan
from echelon.study.silos import Silos, price_of_silos
from echelon.study.study import Step, StepCallback, Study, run_study
from echelon.study.sweep import Dial, Sweep, parse_dial, run_sweep

__all__ = [
    "Comparison",
    "Curve",
    "Dial",
    "Plan",
    "Scenario",
    "Silos",
    "Step",
    "StepCallback",
    "Study",
    "Sweep",
    "compare",
    "frontier_of",
    "own_frontier",
    "parse_dial",
    "price_of_silos",
    "read_runs",
    "read_scenarios",
    "run_frontier",
    "run_plan",
    "run_study",
    "run_sweep",
]
