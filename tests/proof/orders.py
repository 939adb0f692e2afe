"""Two other orders of sending and recording, for comparison, in a few lines each on the same seam.

They share the client, the channel and the seam with the product, and have no ledger but a set of rows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coupa_core.authority import Capacity, Decider, Right
from coupa_core.clock import Deadline
from coupa_core.content import content_hash
from coupa_core.errors import Conflict, ServiceError
from coupa_core.ledger import Entry, PersonState, State
from coupa_core.model import version
from coupa_core.notice import Notice
from coupa_core.sweep import SweepDependencies
from proof.rig import Poller
from proof.seam import Killed


def sweep_in_order(poller: Poller, *, record_first: bool) -> bool:
    """Announce what has no row; record before or after sending. Tell whether the process survived."""
    deps = poller.bridge.sweep.deps
    try:
        _sweep(deps, record_first=record_first)
    except ServiceError:
        pass
    except Killed:
        poller.kills += 1
        poller.start()
        return False
    return True


def _sweep(deps: SweepDependencies, *, record_first: bool) -> None:
    deadline = Deadline(deps.clock, 50)
    listing = deps.coupa.pending(deadline)
    documents = deps.coupa.documents(listing.approvals, deadline)
    for approval in listing.approvals:
        document = documents.get(approval.document_key)
        if document is None or not document.awaits(approval.id) or deps.keys is None:
            continue
        key, content = str(approval.approver_key), content_hash(document)
        name = version(approver_key=key, content=content, generation=0)
        row = deps.ledger.store.read(approval.id)
        if row is not None and row.has_told(key, name):
            continue
        email = str(approval.approver and approval.approver.email)
        right = Right(Decider(key, email, "", "", Capacity.APPROVER))
        token = deps.keys.offer(right, approval, content=content, generation=0, now=deps.clock.now())
        notice = Notice(email, "x", {"approval_id": str(approval.id), "action_token": token})
        try:
            if record_first:
                _record(deps, row, approval.id, {key: name}, deps.clock.now())
            deps.channel.send(notice, Deadline(deps.clock, 20))
            if not record_first:
                _record(deps, row, approval.id, {key: name}, deps.clock.now())
        except ServiceError:
            continue  # as the example does: the next cycle will see


def _record(
    deps: SweepDependencies, row: Entry | None, approval_id: int, told: dict[str, str], now: datetime
) -> None:
    people = {key: PersonState(version=name, to=key, at=now) for key, name in told.items()}
    entry = replace(row or Entry(approval_id=approval_id, state=State.SENT, nonce=""), told=people)
    try:
        deps.ledger.store.replace(entry) if row else deps.ledger.store.insert(entry)
    except Conflict:
        return
