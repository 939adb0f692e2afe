"""Two other orders of doing it, for comparison, in a few lines each on the same seam.

They share the client, the channel and the seam with the product, and have no ledger but a set of rows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from coupa_core.authority import Capacity, Decider, Right
from coupa_core.clock import Deadline
from coupa_core.content import digest
from coupa_core.errors import Conflict, ServiceError
from coupa_core.ledger import Entry, State, Told
from coupa_core.model import version
from coupa_core.notice import Notice
from coupa_core.sweep import Kit
from proof.rig import Poller
from proof.seam import Killed


def sweep_in_order(poller: Poller, *, record_first: bool) -> bool:
    """Announce what has no row; record before or after sending. Tell whether the process survived."""
    kit = poller.bridge.sweep.kit
    try:
        _sweep(kit, record_first=record_first)
    except ServiceError:
        pass
    except Killed:
        poller.kills += 1
        poller.start()
        return False
    return True


def _sweep(kit: Kit, *, record_first: bool) -> None:
    deadline = Deadline(kit.clock, 50)
    listing = kit.coupa.pending(deadline)
    documents = kit.coupa.documents(listing.approvals, deadline)
    for approval in listing.approvals:
        document = documents.get(approval.document_key)
        if document is None or not document.awaits(approval.id) or kit.keys is None:
            continue
        key, content = str(approval.approver_key), digest(document)
        name = version(approver_key=key, content=content, generation=0)
        row = kit.ledger.store.read(approval.id)
        if row is not None and row.has_told(key, name):
            continue
        email = str(approval.approver and approval.approver.email)
        right = Right(Decider(key, email, "", "", Capacity.APPROVER))
        token = kit.keys.offer(right, approval, content=content, generation=0, now=kit.clock.now())
        notice = Notice(email, "x", {"approval_id": str(approval.id), "action_token": token})
        try:
            if record_first:
                _record(kit, row, approval.id, {key: name}, kit.clock.now())
            kit.channel.send(notice, Deadline(kit.clock, 20))
            if not record_first:
                _record(kit, row, approval.id, {key: name}, kit.clock.now())
        except ServiceError:
            continue  # as the example does: the next cycle will see


def _record(kit: Kit, row: Entry | None, approval_id: int, told: dict[str, str], now: datetime) -> None:
    people = {key: Told(version=name, to=key, at=now) for key, name in told.items()}
    entry = replace(row or Entry(approval_id=approval_id, state=State.SENT, nonce=""), told=people)
    try:
        kit.ledger.store.replace(entry) if row else kit.ledger.store.insert(entry)
    except Conflict:
        return
