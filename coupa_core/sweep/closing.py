"""Close what a complete list no longer holds, and tell those who were shown a card that has died.

A row stays open until everybody knows who is to know: a crash makes somebody hear it twice at most.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from coupa_core import notice
from coupa_core.authority import Decider, same_address
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.ledger import MAX_UNCERTAIN, QUIET, Entry, owing, parted, waiting
from coupa_core.model import APPROVED, DONE_STATUS, PENDING, Approval, Document, DocumentKey, Verb, stamp
from coupa_core.sweep.judge import Role, Tells
from coupa_core.sweep.ports import Kit
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.rows import Rows
from coupa_core.sweep.sending import Fate, Sending

BATCH = 50
"""Approvals that are asked about at once."""

_ENDINGS = {
    APPROVED: notice.Ending.APPROVED,
    DONE_STATUS[Verb.REJECT]: notice.Ending.REJECTED,
    DONE_STATUS[Verb.HOLD]: notice.Ending.ON_HOLD,
}
_TAKEN_BACK = ("withdrawn", "draft")
"""The statuses of a document that its requester took back."""


logger = logging.getLogger(__name__)


class Closing:
    """The closing part of one sweep.

    Args:
        kit: what a sweep works with.
        progress: of this sweep.
        rows: the ledger's.
        sending: the way out.
    """

    def __init__(self, kit: Kit, progress: Progress, *, rows: Rows, sending: Sending) -> None:
        self._kit = kit
        self._progress = progress
        self._rows = rows
        self._sending = sending
        self._asked_for: set[DocumentKey] = set()
        self._openings: dict[int, datetime] = {}

    def run(self, closings: list[Entry]) -> None:
        """Close these rows, after reading how each ended."""
        for start in range(0, len(closings), BATCH):
            if self._progress.deadline.left_s() <= 0:
                self._progress.count("closings_left", len(closings) - start)
                return
            try:
                self._batch(closings[start : start + BATCH])
            except ServiceError as failure:
                self._progress.hamper(failure)
                return
            finally:
                self._rows.record()

    def _batch(self, rows: list[Entry]) -> None:
        found = self._kit.coupa.approvals([entry.approval_id for entry in rows], self._progress.deadline)
        over: list[tuple[Entry, Approval | None]] = []
        for entry in rows:
            approval = found.by_id.get(entry.approval_id)
            if approval is None and found.unreadable:
                self._progress.count("unreadable")
            elif approval is not None and approval.is_pending:
                self._progress.count("unlisted")
            else:
                over.append((entry, approval))
        documents = self._documents(over)
        for entry, approval in over:
            key = (entry.document_type, entry.document_id)
            cause = (approval.status or "unknown") if approval else "gone"
            self.end(entry, approval, documents.get(key), cause=cause, is_claimed=False)

    def _documents(self, over: list[tuple[Entry, Approval | None]]) -> Mapping[DocumentKey, Document]:
        """Read what the approvals were about, where somebody may be told of it."""
        wanted = [
            Approval.model_validate(
                {"id": entry.approval_id, "approvable-type": entry.document_type, "approvable-id": number}
            )
            for entry, _ in over
            if (number := entry.document_id) is not None and self._may_tell
        ]
        return self._kit.coupa.documents(wanted, self._progress.deadline) if wanted else {}

    def end(
        self,
        entry: Entry,
        approval: Approval | None,
        document: Document | None,
        *,
        cause: str,
        is_claimed: bool = True,
    ) -> None:
        """Close one row; while somebody is still to be told how it ended, it stays open.

        Raises:
            ServiceError: the store does not answer.
        """
        owed = self._owed(entry, approval, document)
        if not owed or (entry.uncertain >= MAX_UNCERTAIN):
            self._rows.close(entry, cause)
            return
        if not is_claimed and not (self._sending.may_begin() and self._sending.room() > 0):
            self._progress.count("farewells_left")
            return
        claimed = entry if is_claimed else self._rows.claim_row(entry, entry.approval_id)
        if claimed is None:
            return
        over = (
            claimed if claimed.ended_as else replace(claimed, ended_as=cause, closed_at=self._kit.clock.now())
        )
        left = self.part(owing(replace(over, farewell={}), owed), approval, document)
        if left is None:
            return
        if not left.farewell:
            self._rows.close(left, cause)
        elif self._progress.is_over:
            self._rows.give_back(left, self._progress.failure)
        else:
            self._progress.count("not_the_hour")
            self._rows.commit(waiting(left, cause=QUIET, until=self.hour(left)))

    def hour(self, entry: Entry) -> datetime | None:
        """Return when somebody may be tried again who is still to be told; None for at once, or nobody."""
        return self._openings.get(entry.approval_id) if entry.farewell else None

    def part(self, entry: Entry, approval: Approval | None, document: Document | None) -> Entry | None:
        """Tell those who are owed a farewell and may be disturbed now.

        Returns:
            The claimed row, with those who are still to be told; None when somebody else wrote it.

        Raises:
            ServiceError: the store does not answer.
        """
        try:
            people = self._kit.directory.known(entry.farewell, self._sending.deadline)
        except (Denied, Refused) as failure:
            self._progress.hamper(failure)
            people = {}  # whom Coupa does not let us look up can never be told
        except ServiceError as failure:
            self._progress.stop(failure)
            return entry
        for key, role in entry.farewell.items():
            person, now = people.get(key), self._kit.clock.now()
            if person is None or _knows(person, entry, approval):
                entry = parted(entry, key)
                continue
            opening = self._kit.cadence.open_at(person.address, now)
            if opening > now:
                self._openings[entry.approval_id] = min(
                    opening, self._openings.get(entry.approval_id, opening)
                )
                continue
            message = self._message(entry, person, role, approval, document)
            if message is None:
                entry = parted(entry, key)
                continue
            attempt = self._sending.send(message, [entry])
            if attempt.fate is Fate.UNSENT:
                return entry
            # One that may have arrived is not said again.
            verb = "outcome" if role == Role.REQUESTER else "closing"
            self._rows.note_notice(entry, person, verb=verb, outcome=attempt.fate, cause=attempt.cause)
            stored = self._rows.commit(parted(entry, key))
            if stored is None:
                return None
            entry = stored
        return entry

    @property
    def _may_tell(self) -> bool:
        kit = self._kit
        return not kit.is_dry and (kit.closing_notice is not Tells.NEVER or kit.tells_requester)

    def _owed(self, entry: Entry, approval: Approval | None, document: Document | None) -> dict[str, str]:
        """Return who is to be told how it ended: those who were shown it, and whoever asked for it."""
        kit = self._kit
        if entry.ended_as or not self._may_tell:
            return {} if kit.is_dry else dict(entry.farewell)
        owed = dict(entry.farewell)
        is_for_all = kit.closing_notice is Tells.ALWAYS
        if is_for_all or (kit.closing_notice is Tells.GROUPS and entry.sent_to.startswith("group:")):
            owed |= {key: Role.SHOWN for key, name in entry.told.items() if name and entry.sent_to}
        asker = document.requested_by if document else None
        if kit.tells_requester and document and asker and asker.key and _is_final(approval, document):
            key = (document.type, document.id)
            if key not in self._asked_for:
                self._asked_for.add(key)
                owed[asker.key] = Role.REQUESTER
        return owed

    def _message(
        self,
        entry: Entry,
        person: Decider,
        role: str,
        approval: Approval | None,
        document: Document | None,
    ) -> notice.Notice | None:
        """Render the message; None when that is not possible: a row must not stay open for ever for it."""
        try:
            return self._rendered(entry, person, role, approval, document)
        except Exception:
            logger.exception("message spoiled approval_id=%d", entry.approval_id)
            self._progress.count("spoiled")
            return None

    def _rendered(
        self,
        entry: Entry,
        person: Decider,
        role: str,
        approval: Approval | None,
        document: Document | None,
    ) -> notice.Notice:
        if document is None:
            document = Document.model_validate(
                {"approvable-type": entry.document_type, "id": entry.document_id or entry.approval_id}
            )
        style = replace(self._kit.style, zone=self._kit.cadence.zone_of(person.address))
        by = approval.decided_by.partition(" <")[0] if approval else ""
        at = stamp(approval.approval_date) if approval else None
        name = person.firstname or person.name
        if role == Role.REQUESTER:
            text = notice.outcome(document, _ending(approval, document), style=style, by=by, at=at, name=name)
        elif role == Role.REASSIGNED:
            text = notice.closing(document, notice.Ending.REASSIGNED, style=style)
        elif role == Role.ENDED:
            text = notice.closing(document, notice.Ending.ENDED, style=style)
        else:
            text = notice.closing(document, _ending(approval, document), style=style, by=by, at=at)
        return notice.Notice(
            person.address,
            text,
            {},
            kind="outcome" if role == Role.REQUESTER else "closing",
            document_type=document.type,
            document_id=str(document.id),
        )


def _ending(approval: Approval | None, document: Document) -> notice.Ending:
    """Say how it ended, as far as Coupa tells."""
    known = _ENDINGS.get((approval.status if approval else None) or "")
    if known is not None:
        return known
    return notice.Ending.WITHDRAWN if document.status in _TAKEN_BACK else notice.Ending.ENDED


def _is_final(approval: Approval | None, document: Document) -> bool:
    """Tell whether the whole document was approved or rejected, not only this step."""
    ending = _ending(approval, document)
    if ending is notice.Ending.APPROVED:
        return document.status not in (None, PENDING)
    return ending is notice.Ending.REJECTED


def _knows(person: Decider, entry: Entry, approval: Approval | None) -> bool:
    """Tell whether the person decided it."""
    by = approval.approved_by if approval else None
    return same_address(entry.decided_by, person.address) or (by is not None and by.key == person.key)
