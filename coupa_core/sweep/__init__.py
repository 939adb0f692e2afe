"""The timer's use case. `run` does one sweep; docs/design.md walks through the rooms."""

from coupa_core.sweep.kit import Backlog, Channel, Kit, Summary
from coupa_core.sweep.plan import Look, Plan, Urgency
from coupa_core.sweep.run import SWEEP_S, Sweep
from coupa_core.sweep.shapes import Tells

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
]
