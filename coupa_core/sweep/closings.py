"""Choose who receives a closing notice: after the end, or after losing the right to decide.

Pure; see `judge`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from coupa_core import ledger
from coupa_core.addresses import same_address
from coupa_core.authority import Decider
from coupa_core.endings import NEWS, end_of, end_of_document, has_stopped
from coupa_core.ledger import DRY_RUN, MAX_UNCERTAIN, QUIET, Entry
from coupa_core.model import ON_HOLD, Approval
from coupa_core.sweep.shapes import (
    LOOK_AGAIN,
    ApprovalCase,
    ClosingNoticePolicy,
    Due,
    FreshRead,
    Judged,
    Message,
    MessageKind,
    Role,
    SweepPolicy,
)

LOOK_UP_FOR = timedelta(days=1)
"""How long after the end a failed lookup of a person is repeated; after that the notice is no news."""


def over(case: ApprovalCase, cause: str) -> Judged:
    """Judge an approval that no longer waits; the row stays open until all closing notices are sent."""
    entry, read = case.entry, case.read
    owed = closings_owed(entry, read, policy=case.policy)
    if cause != ON_HOLD:  # there is nothing left to decide
        entry = replace(entry, questions={})
    rest = partial(ledger.closed, cause=cause, now=case.now)
    if not owed or entry.uncertain >= MAX_UNCERTAIN:
        return Judged(entry=entry, approval=read.approval, document=read.document, rest=rest)
    if not entry.ended_as:
        entry = replace(entry, ended_as=cause, closed_at=case.now)
    entry = ledger.closing_added(replace(entry, farewell={}), owed)
    judged = Judged(
        entry=entry,
        approval=read.approval,
        document=read.document,
        rest=partial(_row_after_closings, now=case.now),
    )
    judged = add_closings(case, judged)
    return judged.with_count("not_the_hour") if judged.again else judged


def add_closings(case: ApprovalCase, judged: Judged) -> Judged:
    """Add closing notices; a person who cannot be told, or already knows, gets none."""
    if case.policy.silence == DRY_RUN:
        return judged
    owed = _unless_still_asked(judged.entry.farewell, case.read)
    dues = {key: _closing_due(case, judged, key, role) for key, role in owed.items()}
    entry = replace(judged.entry, farewell={key: role for key, role in owed.items() if dues[key]})
    return judged.with_due([due for due in dues.values() if due], case.now, entry=entry)


def closings_owed(entry: Entry, read: FreshRead, *, policy: SweepPolicy) -> dict[str, str]:
    """Return the roles of the people who are owed a closing notice; of a pending approval those known so far.

    After the end these are the people who were shown it, and the requester, but nobody whom the document
    asks again.
    """
    if policy.silence == DRY_RUN:
        return {}
    return _unless_still_asked(_all_closings_owed(entry, read, policy), read)


def note_left_out(
    before: Entry, after: Entry, approval: Approval, *, closing_policy: ClosingNoticePolicy
) -> Entry:
    """Record closing notices for people who were shown the approval and may no longer decide it."""
    if closing_policy is not ClosingNoticePolicy.ALWAYS:
        return after
    gone = {
        key: Role.ENDED if approval.approver_key == was.to else Role.REASSIGNED
        for key, was in before.told.items()
        if was.version and was.to and key not in after.told
    }
    if not after.told:
        # No decider is left: the approval has not ended for that reason.
        gone = {key: role for key, role in gone.items() if role is not Role.ENDED}
    return ledger.closing_added(after, gone) if gone else after


def _closing_due(case: ApprovalCase, judged: Judged, key: str, role: str) -> Due | None:
    """Return a closing notice and its hour; None if it is impossible or not needed."""
    entry, known = judged.entry, case.read.known
    person = known.people.get(key)
    is_late = entry.closed_at is not None and case.now >= entry.closed_at + LOOK_UP_FOR
    if known.is_known_later(key) and not is_late:
        return case.now + LOOK_AGAIN, None
    is_reached = person is not None and case.policy.reach.has(person.address)
    if person is None or not is_reached or _has_ended_it(person, entry, judged):
        return None
    if case.read.asked is None and role != Role.REQUESTER:
        return None if is_late else (case.now + LOOK_AGAIN, None)
    kind = MessageKind.OUTCOME if role == Role.REQUESTER else MessageKind.CLOSING
    return case.policy.cadence.open_at(person.address, case.now), Message(kind, person, role)


def _row_after_closings(entry: Entry, *, now: datetime) -> Entry:
    if entry.farewell:
        return ledger.waiting(entry, cause=QUIET, until=None)
    return ledger.closed(entry, cause=entry.ended_as, now=now)


def _unless_still_asked(owed: Mapping[str, str], read: FreshRead) -> dict[str, str]:
    """Return the closing notices without the people whom the document still asks, now or in a later step."""
    asked = () if has_stopped(read.document) else read.asked or ()
    return {key: role for key, role in owed.items() if role == Role.REQUESTER or key not in asked}


def _all_closings_owed(entry: Entry, read: FreshRead, policy: SweepPolicy) -> dict[str, str]:
    approval, document, owed = read.approval, read.document, dict(entry.farewell)
    if read.is_pending and not has_stopped(document):
        after = ledger.deciding(entry, read.deciders.keys, is_certain=read.deciders.is_certain)
        return dict(note_left_out(entry, after, approval, closing_policy=policy.closing_policy).farewell)
    if entry.ended_as:
        return owed
    for key, was in entry.told.items():
        is_told = policy.closing_policy is ClosingNoticePolicy.ALWAYS or (
            policy.closing_policy is ClosingNoticePolicy.GROUPS and was.to.startswith("group:")
        )
        if is_told and was.version and was.to:
            owed[key] = Role.SHOWN
    asker = document.requested_by if document else None
    is_news = policy.tells_requester and not (read.is_outcome_told or read.is_pending)
    if is_news and asker and asker.key and end_of_document(document, [approval]).ending in NEWS:
        owed[asker.key] = Role.REQUESTER
    return owed


def _has_ended_it(person: Decider, entry: Entry, judged: Judged) -> bool:
    """Tell whether the person ended it: decided it or its document, or put it on hold.

    Coupa names no person for a hold. The last person who touched the approval counts, if that is a decider
    and not a job of Coupa; otherwise the person whom Coupa asks.
    """
    if same_address(entry.decided_by, person.address):
        return True
    approval = judged.approval
    by = end_of(approval, judged.document).key
    if by is None and approval.status == ON_HOLD and not entry.decided_by:
        last = approval.updated_by.key if approval.updated_by else None
        by = last if last in entry.told else approval.approver_key
    return by == person.key
