"""Judge one claimed approval: its row and the fresh read become messages and the next row.

Pure: it reads and writes nothing. Only this module, `closings`, `hours` and `questions` decide which messages
each person gets, and when.
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
from coupa_core.sweep.hours import add_reminders, announce
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
"""Coupa's stamps are whole seconds: an approval that changed within this time is checked once more."""

MISSING, HIDES_TURN = f"{model.UNREAD}missing", f"{model.UNREAD}hides_turn"
"""The causes for a document that cannot be shown: Coupa does not return it, or hides whose turn it is."""


def judge(
    entry: Entry, read: FreshRead, *, before: State | None, policy: SweepPolicy, now: datetime
) -> Judged:
    """Return the messages and the next row of one approval.

    Args:
        entry: the claimed row.
        read: the data that was read after the claim.
        before: the state of the row before the claim; None when there was no row.
        policy: the policy of the deployment.
        now: aware UTC.
    """
    case = ApprovalCase(replace(entry, reach=policy.reach.id), read, before, policy, now)
    if read.is_pending:
        return add_closings(case, _pending(case))
    return over(case, (read.approval.status or "unknown") if read.is_known else "gone")


def _pending(case: ApprovalCase) -> Judged:
    """Judge a pending approval: check the reasons for sending nothing, in order."""
    entry, read, approval = case.entry, case.read, case.read.approval
    document, unread = showable(entry, approval, read.document)
    if document is None:
        return replace(_without_messages(case, ledger.failed, unread, now=case.now), counts=("unread",))
    if entry.cause.startswith(model.UNREAD) and not (unread or isinstance(document, Unreadable)):
        # The document can be read again: its failures no longer count.
        return _pending(replace(case, entry=replace(entry, cause="", failures=0)))
    cause = _cause_to_wait(case, document)
    if cause:
        return _waiting(case, cause)
    rights = case.policy.rules.rights(read.deciders, approval, document, shared=read.shared)
    recipients = [right.decider for right in authority.recipients(rights)]
    nobody = _cause_without_recipient(approval, read.deciders, recipients)
    if nobody:
        return _parked_without_recipient(case, nobody)
    return _messages_for(case, _current_version(case, document, unread), recipients)


def _waiting(case: ApprovalCase, cause: str) -> Judged:
    """Judge an approval that cannot be announced yet: it is checked again soon."""
    again = LOOK_UP_AGAIN if cause == "people_unread" else LOOK_AGAIN
    entry = _row_of_stopped(case) if cause.startswith(STOPPED) else case.entry
    return replace(_without_messages(case, ledger.waiting, cause, until=case.now + again), entry=entry)


def _parked_without_recipient(case: ApprovalCase, cause: str) -> Judged:
    """Park an approval that has no recipient."""
    if cause == "shared_address" and case.is_unsure:
        return _without_messages(case, ledger.waiting, "people_unread", until=case.now + LOOK_UP_AGAIN)
    deciders = Deciders((), is_certain=True) if cause == "group_too_large" else case.read.deciders
    after = ledger.deciding(case.entry, deciders.keys, is_certain=deciders.is_certain)
    entry = note_left_out(case.entry, after, case.read.approval, closing_policy=case.policy.closing_policy)
    return replace(_without_messages(case, ledger.parked, cause, now=case.now), entry=entry)


def _current_version(case: ApprovalCase, document: Document, unread: str) -> Judged:
    """Return the version to show, and the row with its present deciders."""
    deciders, approval = case.read.deciders, case.read.approval
    entry = ledger.deciding(case.entry, deciders.keys, is_certain=deciders.is_certain)
    if entry.has_ended:
        # It had ended and is pending again: old tokens must not fit, and people are told again.
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


def _messages_for(case: ApprovalCase, judged: Judged, recipients: Sequence[Decider]) -> Judged:
    """Choose the messages to the recipients."""
    entry = judged.entry
    owed = [each for each in recipients if _is_owed(case, judged, each)]
    if not owed and case.is_unsure:
        return _without_messages(case, ledger.waiting, "people_unread", until=case.now + LOOK_UP_AGAIN)
    if owed and entry.uncertain >= MAX_UNCERTAIN and case.before is not State.PARKED:
        return replace(_without_messages(case, ledger.parked, "unknown_outcomes", now=case.now), entry=entry)
    if _is_silent(case):
        return _recorded_only(case, judged, owed)
    if owed:
        return announce(case, judged, owed, recipients)
    judged = add_reminders(case, judged, case.reached(recipients))
    return judged if judged.unread else judged.with_count("unchanged")


def _is_owed(case: ApprovalCase, judged: Judged, person: Decider) -> bool:
    """Tell whether a person must be told: of something new, or again because an operator asked for it."""
    was = judged.entry.to(person.key)
    return case.policy.reach.tells_again(was, person.address) or not was.has(judged.version)


def _recorded_only(case: ApprovalCase, judged: Judged, owed: Sequence[Decider]) -> Judged:
    """Record the messages of a dry run or of the backlog, without sending them."""
    if not owed:
        return judged.with_count("unchanged")
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


def _cause_to_wait(case: ApprovalCase, document: Document) -> str:
    """Return the cause for which nobody can be told yet; empty for none."""
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


def _row_of_stopped(case: ApprovalCase) -> Entry:
    """Return the row while the document itself is not pending; its next wait begins a new generation."""
    if not case.entry.is_told:
        return case.entry
    owed = closings_owed(case.entry, case.read, policy=case.policy)
    return ledger.closing_added(replace(ledger.next_generation(case.entry), told={}), owed)


def _without_messages(case: ApprovalCase, rule: Callable[..., Entry], cause: str, **more: datetime) -> Judged:
    """Return a judgement without messages, whose claim ends by this rule."""
    return Judged(
        entry=case.entry,
        approval=case.read.approval,
        document=case.read.document,
        rest=partial(rule, cause=cause, **more),
        counts=(cause,),
    )


def showable(entry: Entry, approval: Approval, document: Document | None) -> tuple[Document | None, str]:
    """Return the document as far as it can be shown, and the cause if it cannot be shown whole.

    After half an hour without a readable document, the deciders get at least its type and number.

    Returns:
        None and the cause while the read is repeated; after that only type and number.
    """
    cause = ""
    if document is None:
        cause = MISSING
    elif isinstance(document, Unreadable):
        cause = document.cause if document.is_at_fault else ""
    elif document.kind is not model.DocumentKind.OTHER and document.hides_turn(approval.id):
        cause = HIDES_TURN
    if not cause:
        return document, ""
    if entry.failures < MINIMAL_AFTER:
        return None, cause
    kind, number = approval.document_key
    # The number of the approval itself must not become a link to another document.
    return Document(type=kind, id=number) if number else Document(id=approval.id), cause


def _cause_without_recipient(approval: Approval, deciders: Deciders, recipients: Collection[Decider]) -> str:
    """Return the cause for which there is no recipient; empty if there is one."""
    if approval.approver_key is None or not deciders.people:
        return "no_recipient"
    if len(deciders.people) > MAX_DECIDERS:
        return "group_too_large"
    return "" if recipients else "shared_address"


def with_stamps(entry: Entry, approval: Approval, document: Document | None, now: datetime) -> Entry:
    """Record the stamps of this read, so that the next sweep finds later changes and due dates."""
    days = entry.wanted_by
    if document is not None and not isinstance(document, Unreadable):
        days = document.wanted_by
    return replace(
        entry,
        document_type=approval.approvable_type or "",
        document_id=approval.approvable_id,
        seen_approval=_settled_stamp(approval.updated_at, now),
        seen_document=_settled_stamp(document.updated_at, now) if document else "",
        wanted_by=days,
    )


def _settled_stamp(text: str | None, now: datetime) -> str:
    """Return a stamp; empty if it is so young that another change in the same second would not show."""
    time = stamp(text)
    return "" if time is not None and time > now - SETTLING else text or ""
