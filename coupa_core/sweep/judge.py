"""What one claimed approval needs, judged from a read that was made after the claim. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from coupa_core.authority import Circle, Decider, EmailMap, is_requester
from coupa_core.content import digests
from coupa_core.ledger import MAX_UNCERTAIN, MINIMAL_AFTER, Entry, State, deciding, next_round, owing, renamed
from coupa_core.model import UNREAD, Approval, Document, Unreadable, has_turn, stamp, version

MAX_CIRCLE = 200
"""People of one approval that are told: many more do not fit into a row, and are no group that approves."""

SETTLING = timedelta(seconds=10)
"""Coupa's stamps are whole seconds: what changed so lately is looked at once more."""


class Tells(StrEnum):
    """Who is told that a card which was shown has died: nobody, groups only, everybody."""

    NEVER = "never"
    GROUPS = "groups"
    ALWAYS = "always"


class Role(StrEnum):
    """As what somebody is told that it is over, as the row keeps it."""

    SHOWN = "shown"
    REASSIGNED = "reassigned"
    ENDED = "ended"
    REQUESTER = "requester"


@dataclass(frozen=True)
class Close:
    """It no longer waits; `cause` is Coupa's status, or `gone`."""

    cause: str


@dataclass(frozen=True)
class Wait:
    """There is nobody to tell yet."""

    cause: str


@dataclass(frozen=True)
class Fail:
    """It cannot be read, though others can: it is tried again later each time, with an alarm in the end."""

    cause: str


@dataclass(frozen=True)
class Park:
    """There is nobody to tell, or it was sent too often without a clean answer.

    Attributes:
        entry: the claimed row, with those who may decide now.
        cause: what operators have to mend.
    """

    entry: Entry
    cause: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An approval in the version that people are shown.

    Attributes:
        entry: the claimed row, with those who may decide now; in its next round when the approval came back
            after it had ended.
        approval: as read after the claim.
        document: the same.
        people: of whom the verdict speaks, in order.
        everybody: all who are to be told in the end, or were.
        approver_key: whom Coupa asks.
        content: digest of the document.
        version: what the row remembers.
        unread: why only type and number of the document are known; empty when it was read.
    """

    entry: Entry
    approval: Approval
    document: Document
    people: tuple[Decider, ...]
    everybody: tuple[Decider, ...]
    approver_key: str
    content: str
    version: str
    unread: str = ""


class Same(Shown):
    """Everybody who is to be told has been told this version."""


@dataclass(frozen=True, kw_only=True)
class Tell(Shown):
    """Somebody, and that is never nobody, has not been told this version and must be.

    Attributes:
        later: when the others are told, who may not be disturbed now; None when there are none.
    """

    later: datetime | None = None

    def is_changed_for(self, person: Decider) -> bool:
        """Tell whether the person was told another version of the same approver's approval before."""
        was = self.entry.to(person.key)
        return bool(was.version) and was.to == self.approver_key


Verdict = Close | Wait | Fail | Same | Park | Tell


def judge(
    entry: Entry,
    approval: Approval | None,
    document: Document | None,
    *,
    siblings: Iterable[Approval],
    before: State | None,
    circle: Circle,
    recipients: Collection[Decider],
) -> Verdict:
    """Say what one approval needs.

    Args:
        entry: the claimed row.
        approval: as read after the claim; None when Coupa does not know it.
        document: the same.
        siblings: the pending approvals of the document, for documents that name no current one.
        before: the state of the row before the claim; None when there was no row.
        circle: who may decide.
        recipients: of these, who is to be told; see `recipients_of`.
    """
    if approval is None or not approval.is_pending:
        return Close((approval.status or "unknown") if approval else "gone")
    unread = ""
    if isinstance(document, Unreadable) and document.is_at_fault:
        if entry.failures < MINIMAL_AFTER:
            return Fail(document.cause)
        # Whoever has to decide is told at least that it waits, and where.
        unread, document = document.cause, Document(type=document.type, id=document.id)
    elif entry.cause.startswith(UNREAD):
        entry = replace(entry, failures=0)  # it can be read again: nothing counts against it
    if document is None or isinstance(document, Unreadable):
        return Wait(document.cause if document else "document_unreadable")
    if not has_turn(approval, document, siblings):
        return Wait("not_your_turn")
    if not circle.people and not circle.is_certain:
        return Wait("people_unread")
    entry = deciding(entry, circle.keys, is_certain=circle.is_certain)
    nobody = _why_nobody(approval, circle, recipients)
    if nobody == "group_too_large":
        entry = deciding(entry, (), is_certain=True)
    verdict = Park(entry, nobody) if nobody else _judge_people(entry, approval, document, recipients, before)
    return replace(verdict, unread=unread) if isinstance(verdict, Shown) else verdict


def _why_nobody(approval: Approval, circle: Circle, recipients: Collection[Decider]) -> str:
    """Say why nobody can be told; empty when somebody can."""
    if approval.approver_key is None or not circle.people:
        return "no_recipient"
    if len(circle.people) > MAX_CIRCLE:
        return "group_too_large"
    return "" if recipients else "shared_address"


def _judge_people(
    entry: Entry,
    approval: Approval,
    document: Document,
    recipients: Collection[Decider],
    before: State | None,
) -> Same | Tell | Park:
    if entry.has_ended:
        # It was over and is pending again: old tokens must not fit, and the approver must be told anew.
        entry = next_round(entry)
    approver_key, (content, content_before) = approval.approver_key or "", digests(document)
    name, name_before = (
        version(approver_key=approver_key, content=each, generation=entry.generation)
        for each in (content, content_before)
    )
    entry = renamed(entry, old=name_before, new=name)
    owed = tuple(person for person in recipients if not entry.has_told(person.key, name))
    shown = Same(
        entry=entry,
        approval=approval,
        document=document,
        people=tuple(recipients),
        everybody=tuple(recipients),
        approver_key=approver_key,
        content=content,
        version=name,
    )
    if not owed:
        return shown
    if entry.uncertain >= MAX_UNCERTAIN and before is not State.PARKED:
        return Park(entry, "unknown_outcomes")
    return Tell(**{**vars(shown), "people": owed})


def recipients_of(
    circle: Circle, document: Document, *, shared: Collection[str], emails: EmailMap
) -> tuple[Decider, ...]:
    """Return who is told: not those who asked for it, unless there is nobody else, and no address of two.

    Args:
        circle: who may decide.
        document: what is to be approved.
        shared: the chat's addresses that belong to more than one user of Coupa.
        emails: to the chat's addresses.
    """
    others = [person for person in circle.people if not is_requester(person, document, emails)]
    return tuple(person for person in others or circle.people if person.address not in shared)


def left_out(before: Entry, after: Entry, approval: Approval | None, *, tells: Tells) -> Entry:
    """Note who was shown the approval and may not decide it any more, where they are to be told.

    Args:
        before: the claimed row.
        after: with those who may decide now.
        approval: as read after the claim.
        tells: who is told that a card has died.
    """
    if approval is None or tells is not Tells.ALWAYS:
        return after
    gone = {
        key: Role.ENDED if approval.approver_key == was.to else Role.REASSIGNED
        for key, was in before.told.items()
        if was.version and was.to and key not in after.told
    }
    if not after.told:
        # Nobody is left who could be told: that is not how it ends.
        gone = {key: role for key, role in gone.items() if role is not Role.ENDED}
    return owing(after, gone) if gone else after


def seen(entry: Entry, approval: Approval | None, document: Document | None, now: datetime) -> Entry:
    """Note in the row what was looked at, so that the next sweep can tell whether it was touched since."""
    if approval is None:
        return entry
    return replace(
        entry,
        document_type=approval.approvable_type or "",
        document_id=approval.approvable_id,
        seen_approval=_settled(approval.updated_at, now),
        seen_document=_settled(document.updated_at, now) if document else "",
    )


def _settled(text: str | None, now: datetime) -> str:
    """Return a stamp; nothing for one so young that another change in its second would not show."""
    time = stamp(text)
    return "" if time is not None and time > now - SETTLING else text or ""
