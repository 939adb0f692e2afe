"""Every field of an approval and of its document missing, null, of a wrong type, empty, huge or nested."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from goldens import APPROVAL, RECORDS

from coupa_core.ledger import State
from coupa_core.model import REQUISITION
from proof.audit import Tally
from proof.rig import Rig

DELETED = "deleted"
ODDITIES: dict[str, Any] = {
    DELETED: None,
    "null": None,
    "a number": 7,
    "a text": "odd",
    "a list": ["odd", None, 7, {}],
    "an object": {"odd": True},
    "false": False,
    "empty": "",
    "huge": "x" * 10_000,
    "nested": {"a": [{"b": [[[[{"c": None}]]]]}]},
}
OTHERS = 2


def cases() -> Iterator[tuple[str, str, str]]:
    """Return every kind of record, field and oddity."""
    for kind, fields in (("approval", APPROVAL), *RECORDS.items()):
        for field in fields:
            for oddity in ODDITIES:
                yield kind, field, oddity


def spoiling(kind: str, field: str, oddity: str) -> Tally:
    """Spoil one field of one record among three: the others are told, and it is told or accounted for."""
    rig = Rig(settings={"COUPA_MAX_PER_SECOND": "25", "DOCUMENT_TYPES": "*"})
    poller = rig.poller()
    world = rig.coupa.world
    documents = [_entered(rig, kind, number) for number in range(OTHERS + 1)]
    approvals = [world.approvals_of(number)[0].id for number in documents]
    spoiled = approvals[1]
    target = ("approval", spoiled) if kind == "approval" else ("document", documents[1])
    if oddity == DELETED:
        world.delete_field(*target, field)
    else:
        world.override(target, {field: ODDITIES[oddity]})
    for _ in range(4):
        poller.sweep()
        rig.clock.advance(60)
    told = [each.slots["approval_id"] for each in rig.moveworks.delivered]
    others = [str(approval) for approval in approvals if approval != spoiled]
    assert sorted(set(told) - {str(spoiled)}) == others, "a spoiled record kept the others from being told"
    assert len(told) == len(set(told)), "somebody was told twice"
    row = rig.store.read(spoiled)
    counts = rig.store.status().counts
    accounted = (
        str(spoiled) in told
        or (row is not None and row.state in (State.WAITING, State.PARKED))
        or (row is not None and row.cause.startswith("document_"))  # in half an hour its number is told
        or counts.get("unreadable", 0) + counts.get("unasked", 0) + counts.get("closed", 0) > 0
    )
    assert accounted, f"nobody knows of it: {row and row.state} {counts}"
    assert not counts.get("spoiled"), "an error that nobody thought of"
    return Tally(runs=1, steps=len(poller.seam.steps), faults=1, sent=len(told), worst=1)


def _entered(rig: Rig, kind: str, number: int) -> int:
    """Enter a document for one person, of this type or a requisition, and return its id."""
    if kind in ("approval", REQUISITION):
        return rig.request(number)
    kept = ("id", "status", "updated-at", "comments", "approvals", "current-approval")
    fields = {name: value for name, value in RECORDS[kind].items() if name not in kept}
    fields.pop("current-parallel-approvals", None)
    return rig.coupa.world.add_document(
        approvable_type=kind,
        approvers=[rig.people[number]],
        **{name.replace("-", "_"): value for name, value in fields.items()},
    )
