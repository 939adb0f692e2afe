"""The timer's use case: list, compare, announce, close. `plan` says what to look at, `run` does it."""

from coupa_core.sweep.judge import Tells
from coupa_core.sweep.kit import Backlog, Channel, Kit, Summary
from coupa_core.sweep.plan import Look, Plan, Urgency, make_plan
from coupa_core.sweep.run import SWEEP_S, Sweep

__all__ = [
    "SWEEP_S",
    "Backlog",
    "Channel",
    "Kit",
    "Look",
    "Plan",
    "Summary",
    "Sweep",
    "Tells",
    "Urgency",
    "make_plan",
]
