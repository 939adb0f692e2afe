"""Rows about the host's own routes, `/admin`: the allowed callers, the forms, and the started functions."""

from __future__ import annotations

from host_table.rows import JSON, OPEN, Row, Sent

FIRE = "/admin/functions/poll_approvals"
KEY = "x-functions-key"
MASTER = (KEY, "{master}")
"""What opens `/admin`: the master key, or anything in development mode."""


def _fire(*headers: tuple[str, str], body: bytes | None = b"{}", method: str = "POST") -> Sent:
    return Sent(method, FIRE, headers, body)


def _unknown(name: str, sent: Sent) -> Row:
    return Row(name, sent, 401, headers={"WWW-Authenticate": "Bearer"}, about_keys=True)


FIRING = [
    _unknown("the timer does not run without a key", _fire(JSON)),
    _unknown("the timer does not run by a wrong key", _fire((KEY, "wrong"), JSON)),
    _unknown("the timer does not run by a function's key", _fire((KEY, "{ops_key}"), JSON)),
    Row("the timer does not run by a host key", _fire((KEY, "{host_key}"), JSON), 403, about_keys=True),
    Row("the timer does not run by a system key", _fire((KEY, "{system_key}"), JSON), 403, about_keys=True),
    Row("the timer wants a content type", _fire(MASTER), 415, body=None),
    Row("the timer wants JSON", _fire(MASTER, ("Content-Type", "text/plain")), 415, body=None),
    Row("the timer wants a body", _fire(MASTER, JSON, body=b""), 400, body=None),
    Row("the timer wants a body that is JSON", _fire(MASTER, JSON, body=b"{"), 400, body=None),
    Row("the timer wants an object, no list", _fire(MASTER, JSON, body=b"[]"), 400, body=None),
    Row("the timer wants an object, no text", _fire(MASTER, JSON, body=b'"x"'), 400, body=None),
    Row("PUT instead of POST is 500", _fire(MASTER, JSON, method="PUT"), 500, body=None),
    Row(
        "after all these the timer has not run",
        Sent(target="/api/status", headers=(OPEN,)),
        reaches="status",
        saw={"sweeps": 0},
    ),
    Row("the timer is accepted by the master key and an object", _fire(MASTER, JSON), 202),
    Row(
        "then the timer has run, once",
        Sent(target="/api/status", headers=(OPEN,)),
        reaches="status",
        saw={"sweeps": 1},
        within_s=20,
    ),
]

READING = [
    *(
        _unknown(f"{what} is not read without a key", Sent(target=path))
        for what, path in (
            ("the host's status", "/admin/host/status"),
            ("the list of keys", "/admin/host/keys"),
            ("the timer", FIRE),
            ("the timer's status", f"{FIRE}/status"),
        )
    ),
    Row(
        "the host's status is read by the master key",
        Sent(target="/admin/host/status", headers=(MASTER,)),
        says={"state": "Running"},
    ),
    Row(
        "the timer's status is read by the master key, and has no errors",
        Sent(target=f"{FIRE}/status", headers=(MASTER,)),
        says={"errors": None},
    ),
    Row("anybody may ask whether the host is there", Sent(target="/admin/host/ping"), body=None),
    Row("anybody may warm the host up", Sent(target="/admin/warmup"), body=None),
]
