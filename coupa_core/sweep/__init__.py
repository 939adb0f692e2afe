"""The timer's use case. `run` does one sweep; docs/design.md walks through the modules."""

from coupa_core.sweep.dependencies import FirstRunPolicy, SweepDependencies
from coupa_core.sweep.plan import Candidate, Plan, Priority
from coupa_core.sweep.progress import Summary
from coupa_core.sweep.run import SWEEP_S, Sweep
from coupa_core.sweep.shapes import ClosingNoticePolicy

__all__ = [
    "SWEEP_S",
    "Candidate",
    "ClosingNoticePolicy",
    "FirstRunPolicy",
    "Plan",
    "Priority",
    "Summary",
    "Sweep",
    "SweepDependencies",
]
