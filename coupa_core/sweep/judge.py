"""What one claimed approval needs, judged from a read that was made after the claim. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coupa_core.ledger import MAX_UNCERTAIN, Entry, State, next_round
from coupa_core.model import Approval, Document, Unreadable, digest, has_turn, stamp, version

SETTLING = timedelta(seconds=10)
"""Coupa's stamps are whole seconds: what changed so lately is looked at once more."""


@dataclass(frozen=True)
class Close:
    """It no longer waits; `cause` is Coupa's status, or `gone`."""

    cause: str


@dataclass(frozen=True)
class Wait:
    """There is nobody to tell yet."""

    cause: str


@dataclass(frozen=True)
class Same:
    """The approver has been told this version."""


@dataclass(frozen=True)
class Park:
    """It was sent too often without a clean answer."""

    cause: str


@dataclass(frozen=True)
class Tell:
    """The approver must be told.

    Attributes:
        entry: the claimed row, in its next round when the approval came back after a decision.
        approval: as read after the claim.
        document: the same.
        recipient: e-mail of the approver.
        approver_key: who must decide.
        content: digest of the document.
        version: what the row will remember.
        is_changed: the same approver was told another version before.
    """

    entry: Entry
    approval: Approval
    document: Document
    recipient: str
    approver_key: str
    content: str
    version: str
    is_changed: bool


Verdict = Close | Wait | Same | Park | Tell


def judge(  # noqa: PLR0911 - one return for each verdict reads best
    entry: Entry,
    approval: Approval | None,
    document: Document | None,
    *,
    siblings: Iterable[Approval],
    before: State | None,
) -> Verdict:
    """Say what one approval needs.

    Args:
        entry: the claimed row.
        approval: as read after the claim; None when Coupa does not know it.
        document: the same.
        siblings: the pending approvals of the document, for documents that name no current one.
        before: the state of the row before the claim; None when there was no row.
    """
    if approval is None:
        return Close("gone")
    if not approval.is_pending:
        return Close(approval.status or "unknown")
    if document is None:
        return Wait("document_unreadable")
    if isinstance(document, Unreadable):
        return Wait(document.cause)
    if not has_turn(approval, document, siblings):
        return Wait("not_your_turn")
    recipient = recipient_of(approval)
    approver_key = approval.approver_key
    if recipient is None or approver_key is None:
        return Wait("no_recipient")
    if entry.decision:
        # Decided through us and pending again: old tokens must not fit, and the approver must be told anew.
        entry = next_round(entry)
    content = digest(document)
    name = version(approver_key=approver_key, content=content, generation=entry.generation)
    if name == entry.sent_version:
        return Same()
    if entry.uncertain >= MAX_UNCERTAIN and before is not State.PARKED:
        return Park("unknown_outcomes")
    is_changed = entry.sent_to == approver_key
    return Tell(entry, approval, document, recipient, approver_key, content, name, is_changed)


def recipient_of(approval: Approval) -> str | None:
    """Return the e-mail of the active user who is asked; None for groups, which are not resolved yet."""
    who = approval.approver
    if who is None or approval.is_for_group or who.active is False:
        return None
    email = (who.email or "").strip()
    return email if "@" in email and email.isprintable() and " " not in email else None


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
