"""Compute when a person may be disturbed, and when announcements, reminders and escalations are due.

Pure: times come in and go out, as aware UTC. A time is closed while the person's clock shows quiet hours, or
their calendar no working day; otherwise it is open. `hours` computes, `reading` reads the settings.
"""

from coupa_core.cadence.hours import Cadence
from coupa_core.cadence.reading import read_before, read_days, read_hour, read_hours, read_zone, read_zones

__all__ = [
    "Cadence",
    "read_before",
    "read_days",
    "read_hour",
    "read_hours",
    "read_zone",
    "read_zones",
]
