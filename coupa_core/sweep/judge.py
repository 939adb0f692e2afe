"""What one claimed approval needs: its row and what was read become messages and the next row.

Pure: it asks nobody and writes nothing. Who is told of what, and at which hour, is decided here and in
`closings_owed`, `hours` and `questions` alone.
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
"""Coupa's stamps are whole seconds: what changed so lately is looked at once more."""

MISSING, HIDDEN = f"{model.UNREAD}missing", f"{model.UNREAD}hides_turn"
"""The causes of what cannot be shown: Coupa returns no document, or nobody can tell whose turn it is."""


def judge(
    entry: Entry, read: FreshRead, *, before: State | None, policy: SweepPolicy, now: datetime
) -> Judged:
    """Say what one approval needs.

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
    """Judge what waits: every reason not to tell anybody, in order."""
    entry, read, approval = case.entry, case.read, case.read.approval
    document, unread = shown_of(entry, approval, read.document)
    if document is None:
        return replace(_put_off(case, ledger.failed, unread, now=case.now), counts=("unread",))
    if entry.cause.startswith(model.UNREAD) and not (unread or isinstance(document, Unreadable)):
        # It can be read again: nothing counts against it.
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
    """Say that nobody can be told yet."""
    again = LOOK_UP_AGAIN if cause == "people_unread" else LOOK_AGAIN
    entry = _stopped(case) if cause.startswith(STOPPED) else case.entry
    return replace(_put_off(case, ledger.waiting, cause, until=case.now + again), entry=entry)


def _for_nobody(case: ApprovalCase, cause: str) -> Judged:
    """Say that there is nobody to tell."""
    if cause == "shared_address" and case.is_unsure:
        return _put_off(case, ledger.waiting, "people_unread", until=case.now + LOOK_UP_AGAIN)
    deciders = Deciders((), is_certain=True) if cause == "group_too_large" else case.read.deciders
    after = ledger.deciding(case.entry, deciders.keys, is_certain=deciders.is_certain)
    entry = note_left_out(case.entry, after, case.read.approval, closing_policy=case.policy.closing_policy)
    return replace(_put_off(case, ledger.parked, cause, now=case.now), entry=entry)


def _shown(case: ApprovalCase, document: Document, unread: str) -> Judged:
    """Return the version that is shown, and the row with who may decide on it."""
    deciders, approval = case.read.deciders, case.read.approval
    entry = ledger.deciding(case.entry, deciders.keys, is_certain=deciders.is_certain)
    if entry.has_ended:
        # It was over and is pending again: old tokens must not fit, and the approver is told anew.
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
    """Say who of the recipients is told now."""
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
    """Tell whether somebody is to be told: of something new, or once more at an operator's word."""
    was = judged.entry.to(person.key)
    return case.policy.reach.tells_again(was, person.address) or not was.has(judged.version)


def _unsaid(case: ApprovalCase, judged: Judged, owed: Sequence[Decider]) -> Judged:
    """Say what becomes of what would be told in a trial, or was there before the bridge began."""
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
    """Tell whether nobody is told of it: in a trial, or because it was there before the bridge began."""
    touched, began = stamp(case.read.approval.updated_at), case.policy.began_at
    is_news = touched is not None and began is not None and touched > began
    return bool(case.policy.silence) and not (is_news and case.policy.silence == BASELINE)


def _why_wait(case: ApprovalCase, document: Document) -> str:
    """Say why nobody can be told yet; empty when somebody can."""
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
    """Return the row of what waits in a document that does not: a return begins a new round."""
    if not case.entry.is_told:
        return case.entry
    owed = closings_owed(case.entry, case.read, policy=case.policy)
    return ledger.closing_owed(replace(ledger.next_generation(case.entry), told={}), owed)


def _put_off(case: ApprovalCase, rule: Callable[..., Entry], cause: str, **more: datetime) -> Judged:
    """Say that nothing is said, and by which rule the claim ends."""
    return Judged(
        entry=case.entry,
        approval=case.read.approval,
        document=case.read.document,
        rest=partial(rule, cause=cause, **more),
        counts=(cause,),
    )


def shown_of(entry: Entry, approval: Approval, document: Document | None) -> tuple[Document | None, str]:
    """Return the document as far as it can be shown, and why no more of it can.

    Whoever has to decide is told at least that something waits, and where, when it could not be read for
    more than half an hour.

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
    """Say why nobody can be told; empty when somebody can."""
    if approval.approver_key is None or not deciders.people:
        return "no_recipient"
    if len(deciders.people) > MAX_DECIDERS:
        return "group_too_large"
    return "" if recipients else "shared_address"


def seen(entry: Entry, approval: Approval, document: Document | None, now: datetime) -> Entry:
    """Note in the row what was looked at: the next sweep can tell what was touched since, and what is due."""
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
    """Return a stamp; nothing for one so young that another change in its second would not show."""
    time = stamp(text)
    return "" if time is not None and time > now - SETTLING else text or ""
