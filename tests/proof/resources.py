"""Each resource of Coupa breaks in each way for two hours: an alarm is raised in time and names the cause.

Where the fault delays no message, there is no alarm.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bridge import World

from coupa_core.ledger import State
from proof.audit import Tally
from sandbox.coupa.world import Group

ALARM_MIN = 20
HOURS_MIN = 120
CLEAR_MIN = 100
"""So soon after its end everything was told and the alarm is over: what waited longest is due each hour."""

RESOURCES = {
    "approvals": "/api/approvals$",
    "requisitions": "/api/requisitions$",
    "invoices": "/api/invoices$",
    "users": "/api/users$",
    "delegations": "/api/delegations$",
    "everything": "/api/",
    "the token": "/oauth2/token",
}
JSON = {"Content-Type": "application/json"}
WAYS: dict[str, dict[str, Any]] = {
    "500": {"kind": "answer", "status": 500},
    "400": {"kind": "answer", "status": 400, "headers": JSON, "body": '{"errors": {"base": ["no"]}}'},
    "404": {"kind": "answer", "status": 404},
    "empty": {"kind": "answer", "status": 200, "headers": JSON, "body": "[]"},
    "429, an hour": {"kind": "answer", "status": 429, "headers": {"Retry-After": "3600"}},
    "dripping": {"kind": "drip", "seconds": 240.0},
}

MUTE = {
    ("approvals", "empty"): "Coupa says that nothing waits",
    ("everything", "empty"): "the same",
}
"""What nobody can know; that everything is told afterwards holds all the same."""

ALARM = re.compile(r"owed count=\d+ oldest_s=\d+ causes=[^\s:]+:\S+")


CASES = tuple((resource, way) for resource in RESOURCES for way in WAYS)
"""Every resource, and every way."""

SOME = (
    *((resource, [*WAYS][place % len(WAYS)]) for place, resource in enumerate(RESOURCES)),
    ("everything", "dripping"),
    ("requisitions", "500"),
    ("invoices", "500"),
)
"""Each resource in one way, and what once went wrong."""


@dataclass
class _Lines(logging.Handler):
    """The lines for which the alert asks."""

    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(logging.ERROR)

    def __hash__(self) -> int:
        return id(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line of what is owed."""
        if record.getMessage().startswith("owed "):
            self.said.append(record.getMessage())


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect these lines, whatever the log is set to."""
    logger, lines = logging.getLogger("coupa_core"), _Lines()
    level, spreads = logger.level, logger.propagate
    logger.setLevel(logging.ERROR)
    logger.propagate = False
    logger.addHandler(lines)
    try:
        yield lines.said
    finally:
        logger.removeHandler(lines)
        logger.setLevel(level)
        logger.propagate = spreads


def breaking(resource: str, way: str) -> Tally:
    """Break it while requests for people and groups come in."""
    world = World(settings={"DOCUMENT_TYPES": "RequisitionHeader,InvoiceHeader"})
    members = [world.person(f"member{number}@example.com") for number in range(2)]
    group = Group(world.coupa.world.add_group(name="Buyers", members=members))
    sam = world.person("sam@example.com")
    with _listening() as said:
        _enter(world, group, sam, 0)
        for _ in range(6):
            _minute(world)
        assert not said, f"an alarm before it begins: {said}"
        world.restart()  # what a process remembers helps nobody for two hours
        how = dict(WAYS[way])
        world.coupa.front.fail(how.pop("kind"), path=RESOURCES[resource], times=None, **how)
        for number in range(3):
            _enter(world, group, sam, number + 1)
        for _ in range(ALARM_MIN):
            _minute(world)
        if not _is_told(world) and (resource, way) not in MUTE:
            assert said, "no alarm in time, though not everybody was told"
            assert all(ALARM.fullmatch(line) for line in said), said
            assert world.call("health").status != 200, "health is green, though not everybody was told"
            for _ in range(HOURS_MIN - ALARM_MIN):
                _minute(world)
            if not _is_told(world) and not _is_set_aside(world):
                assert world.call("health").status != 200, "health is green again, though nothing is mended"
        world.coupa.front.heal()
        for _ in range(CLEAR_MIN):
            _minute(world)
        said.clear()
        _minute(world)
        assert not said, f"the alarm does not end: {said}"
        assert world.call("health").status == 200, "health stays red"
    told = [(each.slots["approval_id"], each.recipient) for each in world.moveworks.delivered]
    return Tally(
        runs=1,
        steps=len(world.coupa.front.calls),
        faults=sum(call.status != 200 for call in world.coupa.front.calls),
        sent=len(told),
        lost=0 if _is_told(world) else 1,
        worst=1,
    )


def _enter(world: World, group: Group, sam: int, number: int) -> None:
    """Let a requisition, an invoice, and something for a group come in."""
    world.requisition(f"person{number}@example.com")
    world.requisition(group)
    world.coupa.world.add_document(
        approvable_type="InvoiceHeader",
        approvers=[world.person(f"person{number}@example.com")],
        invoice_number=f"I-{number}",
        created_by=sam,
        requested_by=sam,
    )


def _minute(world: World) -> None:
    began_s = world.clock.monotonic()
    world.sweep()
    world.clock.advance(60 - (world.clock.monotonic() - began_s))


def _is_told(world: World) -> bool:
    """Tell whether everybody who is asked got a card about it."""
    told = {(int(each.slots["approval_id"]), each.recipient) for each in world.moveworks.delivered}
    return all(
        (row.id, person.email) in told
        for row in world.coupa.world.approvals.rows.values()
        for person in getattr(row.approver, "users", [row.approver])
    )


def _is_set_aside(world: World) -> bool:
    """Tell whether an approval was parked: that has its own alarm, and is not owed any more."""
    return any(row.state is State.PARKED for row in world.store.open_entries().entries)
