"""Read anchors of the audit log from the application log: day, place and hash of each append.

It reads exported lines in any form, and judges nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date

from coupa_core.audit_log import Place

_LINE = re.compile(r"\baudit day=(\d{4}-\d\d-\d\d) seq=(\d{1,10}) hash=([0-9a-f]{64})\b")


def read_anchors(lines: Iterable[str]) -> Mapping[Place, set[str]]:
    """Return the hashes of rows by day and place; more than one for a place that was written twice.

    Args:
        lines: of an export as text, CSV or JSON; other lines are ignored.
    """
    found: dict[Place, set[str]] = defaultdict(set)
    for line in lines:
        for day, seq, own in _LINE.findall(line):
            with suppress(ValueError):  # not a day of the calendar
                found[date.fromisoformat(day), int(seq)].add(own)
    return found
