"""Which changes in Coupa are told again, and to whom; and what an old button answers afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proof.audit import Tally, audit
from proof.rig import Rig, click
from sandbox.coupa.world import World

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


def _world(rig: Rig) -> World:
    return rig.coupa.world


def _touch(rig: Rig, _: int, approval: int) -> None:
    _world(rig).touch(approval)


def _comment(rig: Rig, request: int, _: int) -> None:
    _world(rig).add_comment("requisition", request, rig.people[1], "Is this urgent?")


def _code(rig: Rig, request: int, approval: int) -> None:
    document = _world(rig).requisition(request)
    document.extra["department"] = None
    _world(rig).edit_line(request, 0)
    _world(rig).touch(approval)


def _price(rig: Rig, request: int, _: int) -> None:
    _world(rig).edit_line(request, 0, unit_price="250.00")


def _same_price(rig: Rig, request: int, _: int) -> None:
    _world(rig).edit_line(request, 0, unit_price="100.0")


def _describe(rig: Rig, request: int, _: int) -> None:
    _world(rig).edit_line(request, 0, description="Something else")


def _supplier(rig: Rig, request: int, _: int) -> None:
    line = _world(rig).requisition(request).requisition_lines[0]
    line.extra["supplier"] = _world(rig)._name("supplier", "Somebody else")
    _world(rig).edit_line(request, 0)


def _currency(rig: Rig, request: int, _: int) -> None:
    document = _world(rig).requisition(request)
    document.currency = _world(rig)._currency("EUR")
    _world(rig).edit_line(request, 0)


def _title(rig: Rig, request: int, _: int) -> None:
    _world(rig).requisition(request).req_title = "Something else"
    _world(rig).edit_line(request, 0)


def _unit(rig: Rig, request: int, _: int) -> None:
    line = _world(rig).requisition(request).requisition_lines[0]
    line.extra["uom"] = _world(rig)._name("uom", "PALLET")
    _world(rig).edit_line(request, 0)


def _fewer_lines(rig: Rig, request: int, _: int) -> None:
    _world(rig).edit_line(request, 0)
    _world(rig).requisition(request).requisition_lines.clear()


def _give_to(person: int) -> Change:
    return lambda rig, _, approval: _world(rig).reassign(approval, to=rig.people[person])


def _escalate(rig: Rig, _: int, approval: int) -> None:
    _world(rig).escalate(approval, to=rig.people[2])


def _reject(rig: Rig, _: int, approval: int) -> None:
    _world(rig).decide_in_coupa(approval, by=rig.people[0], decision="rejected")


def _reopen(rig: Rig, _: int, approval: int) -> None:
    _world(rig).reopen(approval)


def _resubmit(rig: Rig, request: int, _: int) -> None:
    _world(rig).restart_chain(request)


def _nothing(rig: Rig, request: int, approval: int) -> None:
    """Only a sweep passes."""


def _both(first: Change, second: Change) -> Change:
    def change(rig: Rig, request: int, approval: int) -> None:
        first(rig, request, approval)
        second(rig, request, approval)

    return change


APPROVED, CHANGED = "approved", "changed"
NOT_YOURS, ENDED, EARLIER = "not_your_approval", "already_decided", "not_your_turn"
EVENTS = (
    Event("a job touches it", (_touch,), (), APPROVED),
    Event("a touch in every minute of an hour", (_touch,) * 60, (), APPROVED),
    Event("a comment", (_comment,), (), APPROVED),
    Event("a coding edit", (_code,), (), APPROVED),
    Event("the same price, written otherwise", (_same_price,), (), APPROVED),
    Event("another price", (_price,), (0,), CHANGED),
    Event("another text", (_describe,), (0,), CHANGED),
    Event("another supplier", (_supplier,), (0,), CHANGED),
    Event("another currency", (_currency,), (0,), CHANGED),
    Event("another title", (_title,), (0,), CHANGED),
    Event("another unit", (_unit,), (0,), CHANGED),
    Event("a line less", (_fewer_lines,), (0,), CHANGED),
    Event("another approver", (_give_to(1),), (1,), NOT_YOURS),
    Event("to another and back", (_give_to(1), _give_to(0)), (1, 0), APPROVED),
    Event("to another and back between two sweeps", (_both(_give_to(1), _give_to(0)),), (), APPROVED),
    Event("escalated", (_escalate,), (2,), ENDED),
    Event("rejected and reopened", (_reject, _nothing, _reopen), (0,), CHANGED),
    Event("rejected and reopened between two sweeps", (_both(_reject, _reopen),), (), APPROVED),
    Event("rejected and asked anew", (_reject, _resubmit), (0,), ENDED),
    Event("rejected, fixed, reopened", (_reject, _nothing, _both(_price, _reopen)), (0,), CHANGED),
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
