"""The changes in Coupa that are told again, and their readers; and the later answer to an old button."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proof.audit import Tally, audit
from proof.rig import Rig, click
from sandbox.coupa.world import Requisition, World

Change = Callable[[Rig, int, int], object]
"""What happens in Coupa: the rig, the requisition's id, the approval's id."""


@dataclass(frozen=True)
class Event:
    """One change, and what must come of it.

    Attributes:
        name: what happens.
        change: in Coupa; after each element a sweep runs.
        told: by number, who gets a notice, in order; person 0 was told before.
        old_button: outcome of person 0's button from before.
    """

    name: str
    change: tuple[Change, ...]
    told: tuple[int, ...]
    old_button: str


def _edit(**changes: str) -> Change:
    """Edit the only line."""
    return lambda rig, request, _: rig.coupa.world.edit_line(request, 0, **changes)


def _name(kind: str, name: str) -> Change:
    """Let another supplier or unit stand in the line."""

    def change(rig: Rig, request: int, _: int) -> None:
        world = rig.coupa.world
        world.requisition(request).requisition_lines[0].extra[kind] = world._name(kind, name)
        world.edit_line(request, 0)

    return change


def _of_document(change: Callable[[Requisition, World], object]) -> Change:
    """Let something happen to the document, which is stamped as edited."""

    def changed(rig: Rig, request: int, _: int) -> None:
        change(rig.coupa.world.requisition(request), rig.coupa.world)
        rig.coupa.world.edit_line(request, 0)

    return changed


def _of_approval(method: str, **details: int | str) -> Change:
    """Do something to the approval; people are given by number."""

    def change(rig: Rig, _: int, approval: int) -> None:
        known = {name: rig.people[of] if isinstance(of, int) else of for name, of in details.items()}
        getattr(rig.coupa.world, method)(approval, **known)

    return change


def _all(*changes: Change) -> Change:
    """Let everything happen between two sweeps; nothing where nothing is given."""
    return lambda *where: [each(*where) for each in changes]


def _comment(rig: Rig, request: int, _: int) -> None:
    rig.coupa.world.add_comment("requisition", request, rig.people[1], "Is this urgent?")


def _resubmit(rig: Rig, request: int, _: int) -> None:
    rig.coupa.world.restart_chain(request)


def _clear_lines(rig: Rig, request: int, _: int) -> None:
    rig.coupa.world.requisition(request).requisition_lines.clear()


_touch, _reopen = _of_approval("touch"), _of_approval("reopen")
_reject = _of_approval("decide_in_coupa", by=0, decision="rejected")
_to_0, _to_1 = _of_approval("reassign", to=0), _of_approval("reassign", to=1)
_recode = _all(_of_document(lambda document, _: document.extra.update(department=None)), _touch)
_price, _nothing = _edit(unit_price="250.00"), _all()
_currency = _of_document(lambda document, world: setattr(document, "currency", world._currency("EUR")))
_title = _of_document(lambda document, _: setattr(document, "req_title", "Something else"))

APPROVED, CHANGED = "approved", "changed"
NOT_YOURS, ENDED = "not_your_approval", "already_decided"
EVENTS = (
    Event("a job touches it", (_touch,), (), APPROVED),
    Event("a touch in every minute of an hour", (_touch,) * 60, (), APPROVED),
    Event("a comment", (_comment,), (), APPROVED),
    Event("a coding edit", (_recode,), (), APPROVED),
    Event("the same price, written otherwise", (_edit(unit_price="100.0"),), (), APPROVED),
    Event("another price", (_price,), (0,), CHANGED),
    Event("another text", (_edit(description="Something else"),), (0,), CHANGED),
    Event("another supplier", (_name("supplier", "Somebody else"),), (0,), CHANGED),
    Event("another currency", (_currency,), (0,), CHANGED),
    Event("another title", (_title,), (0,), CHANGED),
    Event("another unit", (_name("uom", "PALLET"),), (0,), CHANGED),
    Event("a line less", (_all(_edit(), _clear_lines),), (0,), CHANGED),
    Event("another approver", (_to_1,), (1,), NOT_YOURS),
    Event("to another and back", (_to_1, _to_0), (1, 0), APPROVED),
    Event("to another and back between two sweeps", (_all(_to_1, _to_0),), (), APPROVED),
    Event("escalated", (_of_approval("escalate", to=2),), (2,), ENDED),
    Event("rejected and reopened", (_reject, _nothing, _reopen), (0,), CHANGED),
    Event("rejected and reopened between two sweeps", (_all(_reject, _reopen),), (), APPROVED),
    Event("rejected and asked anew", (_reject, _resubmit), (0,), ENDED),
    Event("rejected, fixed, reopened", (_reject, _nothing, _all(_price, _reopen)), (0,), CHANGED),
)


def happening(event: Event) -> Tally:
    """Let one event happen to an approval that person 0 was told of; messages as the table says."""
    rig = Rig(settings={"COUPA_MAX_PER_SECOND": "25"})
    poller = rig.poller()
    request = rig.request(0)
    [approval] = [each.id for each in rig.coupa.world.approvals_of(request)]
    for _ in range(3):
        poller.sweep()
        rig.clock.advance(60)
    [old] = rig.moveworks.delivered
    for change in event.change:
        change(rig, request, approval)
        rig.clock.advance(30)
        poller.sweep()
        rig.clock.advance(30)
    poller.sweep()
    wanted = [f"person{number}@example.com" for number in event.told]
    got = [each.recipient for each in rig.moveworks.delivered[1:]]
    tally = audit(rig, steps=len(poller.seam.steps), faults=0)
    assert got == wanted, f"{event.name}: told {got}, not {wanted}"
    outcome = click(poller, old, "approve")
    assert outcome == event.old_button, f"{event.name}: the old button says {outcome}"
    return tally
