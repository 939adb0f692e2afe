"""A simulated Coupa instance: its Core API as far as approvals need it, and the people at its screens."""

from sandbox.coupa.server import CoupaSimulator
from sandbox.coupa.world import Approver, Group, Line, World

__all__ = ["Approver", "CoupaSimulator", "Group", "Line", "World"]
