"""The services around an app that runs as processes of its own, and their state at the end.

The time of the services moves with the app's, so that no test waits for minutes.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import random
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from bridge import SETTINGS, services

from coupa_core.app import Overrides, build_audit_logs
from coupa_core.audit_log import AuditLog
from coupa_core.clock import SystemClock
from coupa_core.ledger import State
from coupa_core.settings import read_settings
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client
from proof.processes import ROOT, Host, wait_for
from proof.relay import before
from proof.steps import Steps
from sandbox.azurite import Azurite
from sandbox.clock import ShiftedClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.server import BASELINE
from sandbox.coupa.world import REQUISITION, Approval, Line
from sandbox.moveworks import Delivered, MoveworksSimulator
from sandbox.serving import served

OK = 200
PEOPLE = 6
CARDS = 20
"""So many are told at once, to be clicked on."""

ROUNDS = 8
"""Sweeps, a minute apart, until everything has come to rest: lease, skew, and the first back-offs."""

BUSY_ROUNDS = 40
"""The most sweeps that the host may end, one after the other, for want of time on a busy machine."""


@dataclass(frozen=True)
class Death:
    """An end of a process.

    Attributes:
        at: when nothing of it was on its way any more, by the services' clock.
        claimed: the approvals whose outcome was unknown then.
    """

    at: datetime
    claimed: frozenset[int]


@dataclass
class Stage:
    """The services, the hosts between them, and the books.

    Attributes:
        ledger: the app's table, read past the app.
        audit_log: the app's audit record, the same.
        requester: who asks for everything.
        people: who approve.
        settings: of the app.
        app: folder of function_app.py.
        options: of each host.
        hosts: those that serve; the last one is asked.
        gone: those that have ended, or are about to.
        deaths: when a process died, in order.
        news: what came up in Coupa as somebody died, and when.
    """

    coupa: CoupaSimulator
    moveworks: MoveworksSimulator
    clock: ShiftedClock
    steps: Steps
    requester: int
    people: list[int]
    ledger: TableStore
    audit_log: AuditLog
    settings: dict[str, str]
    app: Path = ROOT
    options: Sequence[str] = ()
    hosts: list[Host] = field(default_factory=list)
    gone: list[Host] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    news: list[tuple[int, datetime]] = field(default_factory=list)
    ahead_s: float = 0.0
    _cards: list[int] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    # ------------------------------------------------------------------ hosts

    @property
    def host(self) -> Host:
        return self.hosts[-1]

    def start(self, settings: Mapping[str, str] | None = None) -> Host:
        """Start another host, which is asked from now on."""
        host = Host({**self.settings, **(settings or {})}, app=self.app, options=self.options)
        self.hosts.append(host)
        host.advance(self.ahead_s)
        return host

    def leave(self, host: Host) -> None:
        """Count a host among those that have ended."""
        self.hosts.remove(host)
        self.gone.append(host)

    def end(self) -> None:
        for each in (*self.hosts, *self.gone):
            each.end()

    def pass_time(self, seconds: float) -> None:
        """Move everybody's time forward."""
        self.ahead_s += seconds
        self.clock.advance(seconds)
        for each in self.hosts:
            each.advance(seconds)

    # ------------------------------------------------------------------ Coupa

    def enter(self, person: int | None = None) -> int:
        """Enter a requisition for one of the people, or for the next, and return its approval's id."""
        world = self.coupa.world
        document = world.add_requisition(
            requested_by=self.requester,
            lines=[Line("Laptop", quantity="1", unit_price="100.00", supplier="ACME")],
            approvers=[self.people[(next(self._numbers) if person is None else person) % PEOPLE]],
        )
        [approval] = world.documents[REQUISITION].rows[document].approvals
        return approval.id

    def come_up(self) -> int:
        """Enter one whose announcement is waited for from now on, and return its approval's id."""
        at = self.clock.now()
        self.news.append((self.enter(), at))
        return self.news[-1][0]

    def approval(self, number: int) -> Approval:
        return self.coupa.world.approvals.rows[number]

    def decided(self, number: int) -> list[str]:
        """Return what the app's client decided on an approval, in order."""
        return [each.action for each in self.coupa.decisions if each.approval_id == number]

    def clear(self, numbers: Iterable[int] | None = None) -> None:
        """Let Coupa's screen decide what still waits of these approvals, or of all."""
        world = self.coupa.world
        for number in list(world.approvals.rows) if numbers is None else numbers:
            if world.approvals.rows[number].is_open:
                world.decide_in_coupa(number, by=self.people[0], decision="approved")

    # ------------------------------------------------------------------ Moveworks

    def told(self, number: int) -> list[Delivered]:
        """Return the messages about an approval, oldest first."""
        return [each for each in list(self.moveworks.delivered) if each.slots["approval_id"] == str(number)]

    def waited_s(self, number: int, since: datetime) -> float:
        """Return how long after a moment somebody was told of an approval; infinite where nobody was."""
        return min(((each.at - since).total_seconds() for each in self.told(number)), default=math.inf)

    def card(self) -> int:
        """Return an approval that somebody was told of, another one each time."""
        if not self._cards:
            self._cards = [self.enter() for _ in range(CARDS)]
            self.host.fire()
        return self._cards.pop()

    # ------------------------------------------------------------------ the app's own words

    def claimed(self) -> frozenset[int]:
        rows = self.ledger.open_entries().entries
        return frozenset(row.approval_id for row in rows if row.state is State.CLAIMED)

    def note_death(self) -> None:
        """Note what a process that has died has left, when what was on its way has arrived."""
        wait_for(lambda: not self.steps.under_way, "the end of what services were asked")
        self.deaths.append(Death(self.clock.now(), self.claimed()))

    def status(self) -> dict[str, Any]:
        said: dict[str, Any] = requests.get(f"{self.host.url}/api/status", timeout=60).json()
        return said

    def parked(self) -> set[int]:
        """Return what is set aside with an alarm."""
        return {int(each["approval_id"]) for each in self.status()["lists"].get("parked", [])}

    def is_at_rest(self) -> bool:
        """Tell whether nothing is claimed or due: on a busy machine a send may take longer than it may."""
        status = self.status()
        places = {each["place"] for each in status["groups"]}
        return not (places & {"claimed", "retry"} or status["is_moveworks_suspect"])

    def rest(self) -> bool:
        """Sweep each minute until everything has come to rest; tell whether it has, in `ROUNDS` that ended.

        Raises:
            TimeoutError: the machine is too busy for a sweep.
        """
        ended = cut_short = 0
        while ended < ROUNDS:
            self.pass_time(60)
            if self.host.fire() != OK:
                self.note_death()
                cut_short += 1
                if cut_short > BUSY_ROUNDS:
                    raise TimeoutError(f"the host ended {cut_short} sweeps one after the other")
            elif self.is_at_rest():
                return True
            else:
                ended += 1
        return False


@contextlib.contextmanager
def staged(
    server: Azurite,
    *,
    settings: Mapping[str, str] | None = None,
    app: Path = ROOT,
    options: Sequence[str] = (),
    is_counted: bool = True,
) -> Iterator[Stage]:
    """Yield a stage with tables of its own, and no host yet; end its processes afterwards.

    Args:
        server: the table service.
        settings: of the app, beside those of the services.
        app: folder of function_app.py.
        options: of each host.
        is_counted: the steps at the store are counted, too, which makes it slower.
    """
    clock, steps = ShiftedClock(), Steps()
    coupa, moveworks = services(clock, granted=BASELINE)
    moveworks.max_per_minute = None
    requester = coupa.world.add_user(email="sam@example.com", firstname="Sam", lastname="Stinson")
    people = [
        coupa.world.add_user(email=f"person{number}@example.com", firstname=f"P{number}", lastname="X")
        for number in range(PEOPLE)
    ]
    name = uuid.uuid4().hex
    with contextlib.ExitStack() as open_:
        connection = server.connection_string
        if is_counted:
            connection, _ = open_.enter_context(before(server, door=lambda at: steps.door("store", at)))
        left_out = {"LEDGER_CONNECTION", "LIST_TOKENS", "CLOSING_NOTICE"}
        given = {
            **{name: value for name, value in SETTINGS.items() if name not in left_out},
            "AzureWebJobsStorage": connection,
            "LEDGER_TABLE": f"ledger{name}",
            "AUDIT_TABLE": f"audit{name}",
            "COUPA_BASE_URL": open_.enter_context(served(steps.door("coupa", coupa.front))),
            "COUPA_MAX_PER_SECOND": "25",
            "MOVEWORKS_BASE_URL": open_.enter_context(served(steps.door("moveworks", moveworks.front))),
            "MOVEWORKS_MAX_PER_MINUTE": "10000",
            **(settings or {}),
        }
        past = {**given, "AzureWebJobsStorage": server.connection_string}
        client = table_client(
            connection=server.connection_string, account_url="", table=given["LEDGER_TABLE"]
        )
        open_.enter_context(client)
        audit_log, _ = build_audit_logs(read_settings(past), Overrides(SystemClock(), random.Random(1)))
        stage = Stage(
            coupa=coupa,
            moveworks=moveworks,
            clock=clock,
            steps=steps,
            requester=requester,
            people=people,
            ledger=TableStore(client),
            audit_log=audit_log,
            settings=given,
            app=app,
            options=options,
        )
        try:
            yield stage
        finally:
            stage.end()
