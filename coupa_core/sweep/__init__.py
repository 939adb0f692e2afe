"""The timer's use case. `run` does one sweep; docs/design.md walks through the rooms."""

from coupa_core.sweep.dependencies import Channel, FirstRunPolicy, Summary, SweepDependencies
from coupa_core.sweep.plan import Candidate, Plan, Priority
from coupa_core.sweep.run import SWEEP_S, Sweep
from coupa_core.sweep.shapes import ClosingNoticePolicy

__all__ = [
    "SWEEP_S",
    "Candidate",
    "Channel",
    "ClosingNoticePolicy",
    "FirstRunPolicy",
    "Plan",
    "Priority",
    "Summary",
    "Sweep",
    "SweepDependencies",
]
