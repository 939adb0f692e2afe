"""Rows about many requests at once, and about a worker that dies: each is a scene of several requests."""

from __future__ import annotations

from dataclasses import dataclass, field

from host_table.admin import FIRE, MASTER
from host_table.rows import JSON, OPEN, Row, Sent, Stage

MANY_THREADS = Stage("a crowd", {"PYTHON_THREADPOOL_THREAD_COUNT": "40"})
"""More threads than requests that may run at once, so that the sweep finds one."""

FIVE = "5"
BY_SETTINGS = Stage(
    "limits by settings",
    {
        "PYTHON_THREADPOOL_THREAD_COUNT": "40",
        "AzureFunctionsJobHost__extensions__http__maxConcurrentRequests": FIVE,
        "AZUREFUNCTIONSJOBHOST__extensions__HTTP__maxOutstandingRequests": FIVE,
    },
)
"""Settings win over host.json, in any case."""

EIGHT_THREADS = Stage("eight threads", {"PYTHON_THREADPOOL_THREAD_COUNT": "8"})


@dataclass(frozen=True)
class Crowd:
    """The same request many times at once.

    Attributes:
        name: what is said of it, to begin a row's name.
        size: how many.
        sent: each of them.
        running: how many handlers run at once, at most.
        refused: how many are told 429 before any other is answered.
        meanwhile: rows that are played then.
        after: rows that are played when all have been answered.
    """

    name: str
    size: int
    sent: Sent
    running: int
    refused: int = 0
    meanwhile: list[Row] = field(default_factory=list)
    after: list[Row] = field(default_factory=list)


CROWDED = {"X-FUNCTION-SCALEOUT": "1", "Retry-After": None}


def _full(what: str, sent: Sent, outstanding: int = 100) -> Row:
    return Row(f"while {outstanding} are outstanding, {what} is 429", sent, 429, headers=CROWDED)


def _timer_runs(outstanding: int) -> Row:
    return Row(
        f"while {outstanding} are outstanding, the timer may be run",
        Sent("POST", FIRE, (MASTER, JSON), b"{}"),
        202,
    )


def _is_served(after: str) -> Row:
    return Row(f"after {after}, health is served", Sent(), reaches="health", within_s=20)


TOO_MANY = Row(
    "told 429",
    Sent("POST", "/api/approvals/17/approve?wait=sweep&together=32", (OPEN, JSON), b"{}"),
    429,
    headers=CROWDED,
)

CROWD = Crowd(
    "of 150 clicks at once",
    150,
    TOO_MANY.sent,
    running=32,
    refused=50,
    meanwhile=[
        _full("health", Sent()),
        _full("a right key", Sent(target="/api/status", headers=(OPEN,))),
        _full("a wrong key", Sent(target="/api/status", headers=(("x-functions-key", "wrong"),))),
        _full("an unknown path", Sent(target="/api/nothing")),
        Row(
            "while 100 are outstanding, the host says that it is there",
            Sent(target="/admin/host/ping"),
            body=None,
        ),
        Row(
            "while 100 are outstanding, the host says how it is",
            Sent(target="/admin/host/status", headers=(MASTER,)),
            says={"state": "Running"},
        ),
        _timer_runs(100),
    ],
    after=[_is_served("a crowd")],
)

SIX = Crowd(
    "of 6 clicks at once where settings let 5 in",
    6,
    Sent("POST", "/api/approvals/17/approve?wait=sweep&together=5", (OPEN, JSON), b"{}"),
    running=5,
    refused=1,
    meanwhile=[
        _full("health", Sent(), 5),
        _timer_runs(5),
    ],
    after=[_is_served("six clicks")],
)

EIGHT = Crowd(
    "of 24 clicks at once under eight threads",
    24,
    Sent("POST", "/api/approvals/17/approve?together=8", (OPEN, JSON), b"{}"),
    running=8,
)

WAITING = Sent("POST", "/api/approvals/17/approve?wait=sweep", (OPEN, JSON), b"{}")
RUNNING = Row(
    "two run: this one and the one that waits",
    Sent(target="/api/status", headers=(OPEN,)),
    reaches="status",
    saw={"running": 2},
    within_s=20,
)
KILLING = Row(
    "a click whose worker is killed is 500 with no body",
    Sent(target="/api/status?end=worker", headers=(OPEN,)),
    500,
)
KILLED_BESIDE = Row("a click beside it that the same worker runs is 500 with no body", WAITING, 500)
NEXT = Row(
    "the next click is served by a new worker",
    Sent("POST", "/api/approvals/17/approve", (OPEN, JSON), b"{}"),
    reaches="approve",
    saw={"most": 1},
)
