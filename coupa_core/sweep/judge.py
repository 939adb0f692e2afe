"""Judge one claimed approval: its row and the fresh read become messages and the next row.

Pure: it reads and writes nothing. This module, `closings`, `hours` and `questions` alone decide which person
is told of which approval, and when.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from coupa_core import authority, ledger, model
from coupa_core.authority import Decider, Deciders
from coupa_core.content import content_hashes
from coupa_core.endings import has_stopped
from coupa_core.ledger import (
    BASELINE,
    DRY_RUN,
    MAX_UNCERTAIN,
    MINIMAL_AFTER,
    STOPPED,
    Entry,
    State,
)
from coupa_core.model import Approval, Document, Unreadable, stamp
from coupa_core.sweep.closings import add_closings, closings_owed, note_left_out, over
from coupa_core.sweep.hours import once_more, telling
from coupa_core.sweep.shapes import (
    LOOK_AGAIN,
    LOOK_UP_AGAIN,
    MAX_DECIDERS,
    ApprovalCase,
    FreshRead,
    Judged,
    SweepPolicy,
)

SETTLING = timedelta(seconds=10)
"""Coupa's stamps are whole seconds: an approval that changed so lately is checked once more."""

MISSING, HIDDEN = f"{model.UNREAD}missing", f"{model.UNREAD}hides_turn"
"""The causes for a document that cannot be shown: Coupa does not return it, or hides whose turn it is."""


def judge(
    entry: Entry, read: FreshRead, *, before: State | None, policy: SweepPolicy, now: datetime
) -> Judged:
    """Return the messages and the next row of one approval.

    Args:
        entry: the claimed row.
        read: what was read after the claim.
        before: the state of the row before the claim; None when there was no row.
        policy: of the deployment.
        now: aware UTC.
    """
    case = ApprovalCase(replace(entry, reach=policy.reach.mark), read, before, policy, now)
    if read.is_pending:
        return add_closings(case, _pending(case))
    return over(case, (read.approval.status or "unknown") if read.is_known else "gone")


def _pending(case: ApprovalCase) -> Judged:
    """Judge a pending approval: check the reasons for sending nothing, in order."""
    entry, read, approval = case.entry, case.read, case.read.approval
    document, unread = shown_of(entry, approval, read.document)
    if document is None:
        return replace(_put_off(case, ledger.failed, unread, now=case.now), counts=("unread",))
    if entry.cause.startswith(model.UNREAD) and not (unread or isinstance(document, Unreadable)):
        # The document can be read again: its failures no longer count.
        return _pending(replace(case, entry=replace(entry, cause="", failures=0)))
    cause = _why_wait(case, document)
    if cause:
        return _waiting(case, cause)
    rights = case.policy.rules.rights(read.deciders, approval, document, shared=read.shared)
    recipients = [right.decider for right in authority.recipients(rights)]
    nobody = _why_nobody(approval, read.deciders, recipients)
    if nobody:
        return _for_nobody(case, nobody)
    return _people(case, _shown(case, document, unread), recipients)


def _waiting(case: ApprovalCase, cause: str) -> Judged:
    """Send nothing yet, and check again soon."""
    again = LOOK_UP_AGAIN if cause == "people_unread" else LOOK_AGAIN
    entry = _stopped(case) if cause.startswith(STOPPED) else case.entry
    return replace(_put_off(case, ledger.waiting, cause, until=case.now + again), entry=entry)


def _for_nobody(case: ApprovalCase, cause: str) -> Judged:
    """Park an approval that has no recipient."""
    if cause == "shared_address" and case.is_unsure:
        return _put_off(case, ledger.waiting, "people_unread", until=case.now + LOOK_UP_AGAIN)
    deciders = Deciders((), is_certain=True) if cause == "group_too_large" else case.read.deciders
    after = ledger.deciding(case.entry, deciders.keys, is_certain=deciders.is_certain)
    entry = note_left_out(case.entry, after, case.read.approval, closing_policy=case.policy.closing_policy)
    return replace(_put_off(case, ledger.parked, cause, now=case.now), entry=entry)


def _shown(case: ApprovalCase, document: Document, unread: str) -> Judged:
    """Return the version that is shown, and the row with its present deciders."""
    deciders, approval = case.read.deciders, case.read.approval
    entry = ledger.deciding(case.entry, deciders.keys, is_certain=deciders.is_certain)
    if entry.has_ended:
        # It had ended and is pending again: old tokens must not fit, and people are told anew.
        entry = ledger.next_generation(entry)
    approver_key, (content, content_before) = approval.approver_key or "", content_hashes(document)
    name, name_before = (
        model.version(approver_key=approver_key, content=each, generation=entry.generation)
        for each in (content, content_before)
    )
    entry = ledger.renamed(entry, old=name_before, new=name)
    return Judged(
        entry=note_left_out(case.entry, entry, approval, closing_policy=case.policy.closing_policy),
        approval=approval,
        document=document,
        rest=partial(ledger.parked, cause=unread, now=case.now) if unread else ledger.sent,
        approver_key=approver_key,
        content=content,
        version=name,
        unread=unread,
    )


def _people(case: ApprovalCase, judged: Judged, recipients: Sequence[Decider]) -> Judged:
    """Choose the recipients who are told now."""
    entry = judged.entry
    owed = [each for each in recipients if _is_owed(case, judged, each)]
    if not owed and case.is_unsure:
        return _put_off(case, ledger.waiting, "people_unread", until=case.now + LOOK_UP_AGAIN)
    if owed and entry.uncertain >= MAX_UNCERTAIN and case.before is not State.PARKED:
        return replace(_put_off(case, ledger.parked, "unknown_outcomes", now=case.now), entry=entry)
    if _is_silent(case):
        return _unsaid(case, judged, owed)
    if owed:
        return telling(case, judged, owed, recipients)
    judged = once_more(case, judged, case.reached(recipients))
    return judged if judged.unread else judged.counted("unchanged")


def _is_owed(case: ApprovalCase, judged: Judged, person: Decider) -> bool:
    """Tell whether a person must be told: of something new, or again because an operator asked for it."""
    was = judged.entry.to(person.key)
    return case.policy.reach.tells_again(was, person.address) or not was.has(judged.version)


def _unsaid(case: ApprovalCase, judged: Judged, owed: Sequence[Decider]) -> Judged:
    """Record, and do not send, the messages of a dry run or of the backlog."""
    if not owed:
        return judged.counted("unchanged")
    rest = partial(ledger.waiting, cause=DRY_RUN, until=None)
    if case.policy.silence == BASELINE:
        keys = [each.key for each in owed]
        rest = partial(ledger.recorded, people=keys, version=judged.version)
    else:
        owed = case.reached(owed)
    return replace(judged, rest=rest, unsaid=tuple(owed))


def _is_silent(case: ApprovalCase) -> bool:
    """Tell whether nothing is sent: in a dry run, or because the approval belongs to the backlog."""
    touched, began = stamp(case.read.approval.updated_at), case.policy.began_at
    is_news = touched is not None and began is not None and touched > began
    return bool(case.policy.silence) and not (is_news and case.policy.silence == BASELINE)


def _why_wait(case: ApprovalCase, document: Document) -> str:
    """Return why nobody can be told yet; empty when somebody can."""
    if isinstance(document, Unreadable):
        return document.cause
    if has_stopped(document):
        status = document.status or ""
        return f"{STOPPED}{status if re.fullmatch(r'[a-z_]{1,40}', status) else 'otherwise'}"
    if case.read.siblings is None:
        return "turn_unread"
    if not model.has_turn(case.read.approval, document, case.read.siblings):
        return "not_your_turn"
    return "" if case.read.deciders.people or case.read.deciders.is_certain else "people_unread"


def _stopped(case: ApprovalCase) -> Entry:
    """Return the row of a pending approval whose document does not wait; a return begins a new generation."""
    if not case.entry.is_told:
        return case.entry
    owed = closings_owed(case.entry, case.read, policy=case.policy)
    return ledger.closing_owed(replace(ledger.next_generation(case.entry), told={}), owed)


def _put_off(case: ApprovalCase, rule: Callable[..., Entry], cause: str, **more: datetime) -> Judged:
    """Return a judgement without messages, whose claim ends by this rule."""
    return Judged(
        entry=case.entry,
        approval=case.read.approval,
        document=case.read.document,
        rest=partial(rule, cause=cause, **more),
        counts=(cause,),
    )


def shown_of(entry: Entry, approval: Approval, document: Document | None) -> tuple[Document | None, str]:
    """Return the document as far as it can be shown, and the cause where it is not whole.

    After half an hour without a readable document, the deciders learn at least that something waits, and
    where.

    Returns:
        No document while it is tried again, and the cause; only type and number after that.
    """
    cause = ""
    if document is None:
        cause = MISSING
    elif isinstance(document, Unreadable):
        cause = document.cause if document.is_at_fault else ""
    elif document.kind is not model.DocumentKind.OTHER and document.hides_turn(approval.id):
        cause = HIDDEN
    if not cause:
        return document, ""
    if entry.failures < MINIMAL_AFTER:
        return None, cause
    kind, number = approval.document_key
    # Under the number of the approval itself no link may lead to the document of somebody else.
    return Document(type=kind, id=number) if number else Document(id=approval.id), cause


def _why_nobody(approval: Approval, deciders: Deciders, recipients: Collection[Decider]) -> str:
    """Return why there is no recipient; empty when there is one."""
    if approval.approver_key is None or not deciders.people:
        return "no_recipient"
    if len(deciders.people) > MAX_DECIDERS:
        return "group_too_large"
    return "" if recipients else "shared_address"


def seen(entry: Entry, approval: Approval, document: Document | None, now: datetime) -> Entry:
    """Record the stamps that were read, so that the next sweep finds what changed since, and what is due."""
    days = entry.wanted_by
    if document is not None and not isinstance(document, Unreadable):
        days = document.wanted_by
    return replace(
        entry,
        document_type=approval.approvable_type or "",
        document_id=approval.approvable_id,
        seen_approval=_settled(approval.updated_at, now),
        seen_document=_settled(document.updated_at, now) if document else "",
        wanted_by=days,
    )


def _settled(text: str | None, now: datetime) -> str:
    """Return a stamp; empty for one so young that another change in the same second would not show."""
    time = stamp(text)
    return "" if time is not None and time > now - SETTLING else text or ""
