"""A server in front of Azurite that commits a write and then loses its answer, called by the real SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from werkzeug.wrappers import Request, Response

from coupa_core.table_ledger import TableStore
from coupa_core.tables import SWEEP_OPTIONS, table_client
from proof.audit import Tally, audit
from proof.rig import Rig
from proof.steps import Wsgi
from sandbox.azurite import Azurite
from sandbox.front import Front
from sandbox.serving import served

ANSWERS = ("500", "503", "504", "cut")
"""What is heard of a write that was done."""

APPROVALS = 3


class Relay(Front):
    """A server before Azurite, with the faults of `Front`.

    Attributes:
        between: done once, after the next GET was answered by Azurite.
    """

    def __init__(self, target: str) -> None:
        super().__init__(self._forward)
        self.between: Callable[[], object] | None = None
        self.session = requests.Session()
        self._target = target

    def _forward(self, request: Request) -> Response:
        # A connection for each: Azurite ends one that rests for some seconds, perhaps as it is used again.
        sent = {name: value for name, value in request.headers if name != "Host"} | {"Connection": "close"}
        answer = self.session.request(
            request.method,
            self._target + request.environ["RAW_URI"],
            headers=sent,
            data=request.get_data(),
            timeout=10,
        )
        if self.between and request.method == "GET":
            work, self.between = self.between, None
            work()
        kept = ("content-type", "etag", "x-ms-continuation")
        headers = {name: value for name, value in answer.headers.items() if name.lower().startswith(kept)}
        return Response(answer.content, status=answer.status_code, headers=headers)


def _open(relay: Wsgi) -> Wsgi:
    return relay


@contextmanager
def before(server: Azurite, *, door: Callable[[Wsgi], Wsgi] = _open) -> Iterator[tuple[str, Relay]]:
    """Yield the connection string of a relay before a table service, and the relay.

    Args:
        server: the table service.
        door: returns what stands before the relay.
    """
    parts = dict(part.split("=", 1) for part in server.connection_string.strip(";").split(";"))
    there = urlsplit(parts["TableEndpoint"])
    relay = Relay(f"{there.scheme}://{there.netloc}")
    with served(door(relay)) as url, relay.session:
        yield server.connection_string.replace(f"{there.scheme}://{there.netloc}", url), relay


@contextmanager
def relayed(
    server: Azurite, options: Mapping[str, Any] = SWEEP_OPTIONS
) -> Iterator[tuple[TableStore, Relay, TableStore]]:
    """Yield a store that goes through a relay, the relay, and a store on the same table that does not."""
    name = f"t{time.monotonic_ns()}"
    with (
        before(server) as (connection, relay),
        table_client(connection=connection, account_url="", table=name, options=options) as through,
        table_client(connection=server.connection_string, account_url="", table=name) as past,
    ):
        direct = TableStore(past)
        direct.status()  # makes the table
        yield TableStore(through), relay, direct


def lose(relay: Relay, method: str, answer: str, *, times: int = 1, skip: int = 0) -> None:
    """Let requests of rows be done, and answered by an error or not at all, after some that are answered."""
    path = r"\(" if method != "POST" else r"/t[^/]*$"
    if answer == "cut":
        relay.fail("lose", method=method, path=path, times=times, skip=skip)
    else:
        relay.fail("replace", method=method, path=path, times=times, skip=skip, status=int(answer))


def losing(server: Azurite, method: str, answer: str, number: int) -> Tally:
    """Announce a few with the answer of one write lost: our own write is recognised, so nothing repeats.

    Args:
        server: a real table service.
        method: `POST` for claims of new rows, `PUT` for marks.
        answer: one of `ANSWERS`.
        number: which of these writes.
    """
    with relayed(server) as (store, relay, _):
        store.status()
        rig = Rig(store=store, settings={"COUPA_MAX_PER_SECOND": "25"})
        for person in range(APPROVALS):
            rig.request(person)
        poller = rig.poller()
        lose(relay, method, answer, skip=number)
        for _ in range(3):
            poller.sweep()
            rig.clock.advance(60)
        rows = store.open_entries().entries
        assert not [row for row in rows if row.uncertain], "an own write was taken for somebody else's"
        return audit(rig, steps=len(poller.seam.steps), faults=1)
