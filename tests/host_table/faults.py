"""Rows about an app that starts badly: it cannot be imported, or its timer's schedule is wrong."""

from __future__ import annotations

import re

from host_table.admin import FIRE, MASTER
from host_table.rows import JSON, OPEN, Row, Sent, Stage

BROKEN = Stage("an app that cannot be imported", {"HOST_APP_BROKEN": "1"})
REFUSED = Stage("a schedule that is refused", {"HOST_APP_SCHEDULE": "0 0 0 * * 7"})
NEVER = Stage("a schedule that never comes", {"HOST_APP_SCHEDULE": "0 0 0 31 2 *"})

TIMER = Sent(target=f"{FIRE}/status", headers=(MASTER,))
HOST = Sent(target="/admin/host/status", headers=(MASTER,))
STATUS = Sent(target="/api/status", headers=(OPEN,))
APPROVE = Sent("POST", "/api/approvals/17/approve", (OPEN, JSON), b"{}")

ROWS = {
    BROKEN: [
        Row("health is 404 where the app cannot be imported", Sent(), 404),
        Row("a route of GET is 404 where the app cannot be imported", STATUS, 404),
        Row("a route of POST is 404 where the app cannot be imported", APPROVE, 404),
        Row(
            "a route is 404 without a key where the app cannot be imported",
            Sent(target="/api/approvals"),
            404,
        ),
        Row("the host is there where the app cannot be imported", Sent(target="/admin/host/ping"), body=None),
    ],
    REFUSED: [
        Row("health is served under a schedule that is refused", Sent(), reaches="health"),
        Row("a click is served under a schedule that is refused", APPROVE, reaches="approve"),
        Row("the host says that it runs under a schedule that is refused", HOST, says={"state": "Running"}),
        Row("the timer's status names its error", TIMER, body=re.compile(rb'"errors":\s*\[\s*"')),
    ],
    NEVER: [
        Row("health is served under a schedule that never comes", Sent(), reaches="health"),
        Row("the host says that it runs under a schedule that never comes", HOST, says={"state": "Running"}),
        Row("a schedule that never comes is no error", TIMER, says={"errors": None}),
        Row(
            "under a schedule that never comes the timer has not run",
            STATUS,
            reaches="status",
            saw={"sweeps": 0},
        ),
    ],
}
"""By how the host is started."""
