"""The function app as a process of its own, on Azurite, killed with SIGKILL at random moments of sweeps."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import requests
from canaries import API_KEY, CLIENT_ID, CLIENT_SECRET, TOKEN_KEYS

from coupa_core.ledger import State
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client
from proof.audit import Tally
from sandbox.azurite import azurite
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import Line
from sandbox.moveworks import MoveworksSimulator
from sandbox.serving import served

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 6
"""Short, so that a run need not wait for minutes; the rest scales with it."""

LATENCY_S = 0.05
"""One way, so that a sweep takes a while to be killed in."""

PER_KILL = 12
"""New requests before each kill."""

KEPT = 6 * PER_KILL
"""So many that were told still wait: those of a lease and more, that others may find claimed."""

ROUNDS = 5
"""At most so many leases until everything has come to rest."""

EVENTS = 24
"""A sweep that was just fired is killed after fewer answers of Coupa and messages than this.

That is before its first, after its last, or between; counted, so that a busy machine has it killed there too.
"""

WITHIN_S = 2 * LATENCY_S + 0.05
"""How long after that: until what was under way is answered and marked."""

PATIENCE_S = 3.0
"""A sweep with less to do is killed then."""


@dataclass
class World:
    """The neighbours, and how to start the app between them.

    Attributes:
        ledger: the app's table, read past the app.
        killed: when it was killed, and which approvals were claimed then: their outcome was unknown.
    """

    coupa: CoupaSimulator
    moveworks: MoveworksSimulator
    ledger: TableStore
    environment: dict[str, str]
    people: list[int]
    requester: int
    killed: list[tuple[float, set[int]]] = field(default_factory=list)

    def enter(self, number: int) -> None:
        """Enter a requisition for one of the people."""
        self.coupa.world.add_requisition(
            requested_by=self.requester,
            lines=[Line("Laptop", quantity="1", unit_price="100.00", supplier="ACME")],
            approvers=[self.people[number % len(self.people)]],
        )

    def events(self) -> int:
        """Return how often Coupa has answered and a message has taken effect."""
        return len(self.coupa.front.calls) + len(self.moveworks.delivered)

    def await_events(self, number: int) -> None:
        """Wait until so many have come, or for too long."""
        late_s = time.monotonic() + PATIENCE_S
        while self.events() < number and time.monotonic() < late_s:
            time.sleep(0.002)

    def note_kill(self) -> None:
        """Note what the app that was just killed has left, when what was on its way has arrived."""
        time.sleep(4 * LATENCY_S)
        rows = self.ledger.open_entries().entries
        claimed = {row.approval_id for row in rows if row.state is State.CLAIMED}
        self.killed.append((time.time(), claimed))

    def is_explained(self, approval_id: int, sent_at: float, again_at: float) -> bool:
        """Tell whether the app that sent a message died before it wrote the mark, and another sent again."""
        died_at, claimed = next((each for each in self.killed if each[0] >= sent_at), (math.inf, set[int]()))
        return died_at <= again_at and approval_id in claimed

    def decide_what_was_told(self) -> None:
        """Let Coupa's screen decide what was told a while ago, so that the list stays short."""
        world = self.coupa.world
        told = {int(each.slots["approval_id"]) for each in self.moveworks.delivered}
        for number in sorted(told)[:-KEPT]:
            if world.approvals.rows[number].is_open:
                world.decide_in_coupa(number, by=self.people[0], decision="approved")


def killing(kills: int, seed: int) -> Tally:
    """Kill the app so often, let it come to rest, and count."""
    chance = random.Random(seed)
    with neighbours() as world:
        for _ in range(kills):
            for _ in range(PER_KILL):
                world.enter(chance.randrange(1000))
            with app(world) as (process, url):
                enough = world.events() + chance.randrange(EVENTS)
                fire(url)
                world.await_events(enough)
                time.sleep(chance.uniform(0, WITHIN_S))
                process.send_signal(signal.SIGKILL)
                process.wait()
                world.note_kill()
            world.decide_what_was_told()
        with app(world) as (_, url):
            for _ in range(ROUNDS):
                time.sleep(LEASE_S * 1.25 + 0.5)
                # The second looks again at what was changed within the first one's second.
                for _ in range(2):
                    fire(url, wait=True)
                if is_at_rest(url):
                    break
            return _count(world, parked=parked(url))


def is_at_rest(url: str) -> bool:
    """Tell whether nothing is claimed or due: on a busy machine a send may take longer than its deadline."""
    status = requests.get(f"{url}/api/status", timeout=60).json()
    places = {each["place"] for each in status["groups"]}
    return not (places & {"claimed", "retry"} or status["is_moveworks_suspect"])


def parked(url: str) -> set[str]:
    """Return what is set aside with an alarm."""
    status = requests.get(f"{url}/api/status", timeout=60).json()
    return {each["approval_id"] for each in status["lists"].get("parked", [])}


def _count(world: World, *, parked: set[str]) -> Tally:
    sends: dict[str, list[float]] = {}
    for each in world.moveworks.delivered:
        sends.setdefault(each.slots["approval_id"], []).append(each.at.timestamp())
    waiting = {str(each.id) for each in world.coupa.world.approvals.rows.values() if each.is_open}
    tally = Tally(runs=len(world.killed), faults=len(world.killed))
    tally.steps = len(world.coupa.front.calls) + len(world.moveworks.front.calls)
    tally.sent = len(world.moveworks.delivered)
    tally.lost = len(waiting - set(sends) - parked)
    for number, times in sends.items():
        tally.worst = max(tally.worst, len(times))
        tally.repeated += len(times) - 1
        tally.unexplained += sum(not world.is_explained(int(number), *pair) for pair in pairwise(times))
    return tally


def fire(url: str, *, wait: bool = False) -> None:
    requests.post(f"{url}/admin/functions/poll_approvals{'?wait=1' if wait else ''}", json={}, timeout=120)


@contextlib.contextmanager
def neighbours() -> Iterator[World]:
    coupa = CoupaSimulator(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    moveworks = MoveworksSimulator(
        api_key=API_KEY,
        event_id="5d4a2f6e-0000-4000-8000-000000000001",
        listener_id="coupa-approvals",
        listener_secret="listener-secret",
    )
    moveworks.max_per_minute = None
    coupa.front.latency_s = moveworks.front.latency_s = LATENCY_S
    with azurite(tables_only=True) as tables, served(coupa.front) as there, served(moveworks.front) as chat:
        environment = {
            "AzureWebJobsStorage": tables.connection_string,
            "COUPA_BASE_URL": there,
            "COUPA_CLIENT_ID": CLIENT_ID,
            "COUPA_CLIENT_SECRET": CLIENT_SECRET,
            "COUPA_CLIENT_LOGIN": "api-client",
            "COUPA_MAX_PER_SECOND": "25",
            "MOVEWORKS_BASE_URL": chat,
            "MOVEWORKS_EVENT_ID": moveworks.event_id,
            "MOVEWORKS_API_KEY": API_KEY,
            "MOVEWORKS_LISTENER_ID": "coupa-approvals",
            "MOVEWORKS_LISTENER_SECRET": "listener-secret",
            "MOVEWORKS_MAX_PER_MINUTE": "10000",
            "ACTION_TOKEN_KEYS": TOKEN_KEYS,
            "CLAIM_LEASE_S": str(LEASE_S),
        }
        people = [
            coupa.world.add_user(email=f"person{number}@example.com", firstname=f"P{number}", lastname="X")
            for number in range(6)
        ]
        requester = coupa.world.add_user(email="sam@example.com", firstname="Sam", lastname="Stinson")
        client = table_client(connection=tables.connection_string, account_url="", table="approvals")
        with client:
            yield World(coupa, moveworks, TableStore(client), environment, people, requester)


@contextlib.contextmanager
def app(world: World) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the function app while the block runs, and yield its process and address.

    Raises:
        RuntimeError: it did not start.
    """
    command = [sys.executable, "-m", "sandbox.host", "--port", "0", "--no-timers"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **world.environment, "DIGEST_OVER": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        started = next((line for line in process.stdout if line.startswith("Host started")), None)
        if started is None:
            raise RuntimeError("the local host did not start")
        yield process, started.split()[-1]
    finally:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
