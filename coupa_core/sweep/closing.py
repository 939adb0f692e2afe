"""Close what a complete list no longer holds, and tell those who were shown a card that has died.

A row stays open until everybody knows who is to know: a crash makes somebody hear it twice at most.
"""

from __future__ import annotations

import logging
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from coupa_core import notice
from coupa_core.addresses import same_address
from coupa_core.authority import Decider
from coupa_core.errors import Denied, Refused, ServiceError
from coupa_core.ledger import MAX_UNCERTAIN, QUIET, Entry, owing, parted, waiting
from coupa_core.model import (
    APPROVED,
    DONE_STATUS,
    PENDING,
    Approval,
    Document,
    DocumentKey,
    Found,
    Verb,
    stamp,
)
from coupa_core.parallel import each
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

_LOOK_UP_AGAIN = timedelta(minutes=5)
"""After this, whoever could not be looked up is tried again ..."""

_LOOK_UP_FOR = timedelta(days=1)
"""... and for so long after the end: then it is no news any more."""


logger = logging.getLogger(__name__)


@dataclass
class Parting:
    """A row under our claim of which somebody is to be told that it is over.

    Attributes:
        entry: the row, as it was last written or is to be written.
        approval: as read; None when Coupa does not know it.
        document: the same.
        is_lost: somebody else wrote the row.
    """

    entry: Entry
    approval: Approval | None
    document: Document | None
    is_lost: bool = False

    def ended(self, person: Decider) -> notice.Ended:
        """Return what happened, as this person is told it."""
        entry, approval = self.entry, self.approval
        document = self.document or Document.model_validate(
            {"approvable-type": entry.document_type, "id": entry.document_id or entry.approval_id}
        )
        role = entry.farewell[person.key]
        if role in (Role.REASSIGNED, Role.ENDED):
            return notice.Ended(document, notice.Ending(role))
        by = approval.decided_by.partition(" <")[0] if approval else ""
        at = stamp(approval.approval_date) if approval else None
        return notice.Ended(document, _ending(approval, document), by, at)


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
        self._over = kit.cadence.digest_over or sys.maxsize

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
        over = self._over_of(rows, found)
        documents = self._documents(over)
        partings: list[Parting] = []
        for entry, approval in over:
            document = documents.get((entry.document_type, entry.document_id))
            cause = (approval.status or "unknown") if approval else "gone"
            owed = self._owed(entry, approval, document)
            if not owed or entry.uncertain >= MAX_UNCERTAIN:
                self._rows.close(entry, cause)
            elif not (self._sending.may_begin() and self._sending.room() > 0):
                self._progress.count("farewells_left")
            elif (claimed := self._rows.claim_row(entry, entry.approval_id)) is not None:
                partings.append(self._begun(Parting(claimed, approval, document), owed, cause))
        if partings:
            self.part(partings)
        for parting in partings:
            self._finish(parting)

    def _over_of(self, rows: list[Entry], found: Found) -> list[tuple[Entry, Approval | None]]:
        """Return which are over indeed; what cannot be read waits longer each time."""
        over: list[tuple[Entry, Approval | None]] = []
        for entry in rows:
            approval, failure = found.by_id.get(entry.approval_id), found.failed.get(entry.approval_id)
            if failure is not None:
                held = self._rows.claim_row(entry, entry.approval_id)
                if held is not None:
                    self._rows.fail(held, failure)
            elif approval is None and found.unreadable:
                self._progress.count("unreadable")
            elif approval is not None and approval.is_pending:
                self._progress.count("unlisted")
            else:
                over.append((entry, approval))
        return over

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

    def end(self, entry: Entry, approval: Approval | None, document: Document | None, *, cause: str) -> None:
        """Close one row that we hold a claim on; while somebody is to be told how it ended, it stays open.

        Raises:
            ServiceError: the store does not answer.
        """
        owed = self._owed(entry, approval, document)
        if not owed or entry.uncertain >= MAX_UNCERTAIN:
            self._rows.close(entry, cause)
            return
        parting = self._begun(Parting(entry, approval, document), owed, cause)
        self.part([parting])
        self._finish(parting)

    def hour(self, entry: Entry) -> datetime | None:
        """Return when somebody may be tried again who is still to be told; None for at once, or nobody."""
        return self._openings.get(entry.approval_id) if entry.farewell else None

    def part(self, partings: Sequence[Parting]) -> None:
        """Tell those who are owed a farewell and may be disturbed now; many for one person are one message.

        Raises:
            ServiceError: the store does not answer.
        """
        known = self._people(partings)
        if known is None:
            return
        people, unknown = known
        owed: dict[tuple[str, bool], list[Parting]] = defaultdict(list)
        for parting in partings:
            for key, role in parting.entry.farewell.items():
                person = people.get(key)
                if key in unknown and not self._is_late(parting.entry):
                    self._progress.count("people_unread")
                    self._put_off(parting, self._kit.clock.now() + _LOOK_UP_AGAIN)
                elif person is None or _knows(person, parting.entry, parting.approval):
                    parting.entry = parted(parting.entry, key)
                else:
                    owed[key, role == Role.REQUESTER].append(parting)
        for (key, is_requester), them in owed.items():
            person, now = people[key], self._kit.clock.now()
            opening = self._kit.cadence.open_at(person.address, now)
            if opening > now:
                for parting in them:
                    self._put_off(parting, opening)
                continue
            together = [them] if len(them) > self._over else [[parting] for parting in them]
            for some in together:
                self._say(person, some, is_requester=is_requester)

    def _put_off(self, parting: Parting, until: datetime) -> None:
        """Keep somebody of it for later."""
        number = parting.entry.approval_id
        self._openings[number] = min(until, self._openings.get(number, until))

    def _is_late(self, entry: Entry) -> bool:
        """Tell whether it ended too long ago to look anybody up for it once more."""
        return entry.closed_at is not None and self._kit.clock.now() >= entry.closed_at + _LOOK_UP_FOR

    def _people(self, partings: Sequence[Parting]) -> tuple[Mapping[str, Decider], set[str]] | None:
        """Look up whom the chat knows, and who cannot be looked up now; None when nobody can."""
        keys = dict.fromkeys(key for parting in partings for key in parting.entry.farewell)
        try:
            known = self._kit.directory.known(keys, self._sending.deadline)
        except (Denied, Refused) as failure:
            self._progress.hamper(failure)
            return {}, set()  # whom Coupa does not let us look up can never be told
        except ServiceError as failure:
            self._progress.stop(failure)
            return None
        # The same of one: it is no use to ask again.
        later = {key for key, why in known.unknown.items() if not isinstance(why, Denied | Refused)}
        return known.people, later

    def _say(self, person: Decider, partings: list[Parting], *, is_requester: bool) -> None:
        """Send one message about one or many, and note in each row that the person knows."""
        there = [parting for parting in partings if not parting.is_lost]
        message = self._message(person, there, is_requester=is_requester) if there else None
        if message is None:
            for parting in there:
                parting.entry = parted(parting.entry, person.key)
            return
        attempt = self._sending.send(message, [parting.entry for parting in there])
        if attempt.fate is Fate.UNSENT:
            return
        # One that may have arrived is not said again.
        verb = "outcome" if is_requester else "closing"
        for parting in there:
            self._rows.note_notice(
                parting.entry, person, verb=verb, outcome=attempt.fate, cause=attempt.cause
            )
        each(lambda parting: self._part(parting, person), there, workers=self._kit.workers)

    def _part(self, parting: Parting, person: Decider) -> None:
        stored = self._rows.commit(parted(parting.entry, person.key))
        if stored is None:
            parting.is_lost = True
        else:
            parting.entry = stored

    def _begun(self, parting: Parting, owed: Mapping[str, str], cause: str) -> Parting:
        """Note how it ended, and who is to know."""
        entry = parting.entry
        if not entry.ended_as:
            entry = replace(entry, ended_as=cause, closed_at=self._kit.clock.now())
        parting.entry = owing(replace(entry, farewell={}), owed)
        return parting

    def _finish(self, parting: Parting) -> None:
        """Close the row, or keep it open for those who are still to be told."""
        entry = parting.entry
        if parting.is_lost:
            return
        if not entry.farewell:
            self._rows.close(entry, entry.ended_as)
        elif self._progress.is_over or self.hour(entry) is None:
            self._rows.give_back(entry, self._progress.failure or "no_turn")
        else:
            self._progress.count("not_the_hour")
            self._rows.commit(waiting(entry, cause=QUIET, until=self.hour(entry)))

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
        is_for_all, is_for_groups = (kit.closing_notice is each for each in (Tells.ALWAYS, Tells.GROUPS))
        owed |= {
            key: Role.SHOWN
            for key, was in entry.told.items()
            if was.version and was.to and (is_for_all or (is_for_groups and was.to.startswith("group:")))
        }
        asker = document.requested_by if document else None
        if kit.tells_requester and document and asker and asker.key and _is_final(approval, document):
            key = (document.type, document.id)
            if key not in self._asked_for:
                self._asked_for.add(key)
                owed[asker.key] = Role.REQUESTER
        return owed

    def _message(
        self, person: Decider, partings: list[Parting], *, is_requester: bool
    ) -> notice.Notice | None:
        """Render the message; None when that is not possible: a row must not stay open for ever for it."""
        try:
            return self._rendered(person, partings, is_requester=is_requester)
        except Exception:
            logger.exception("message spoiled approval_id=%d", partings[0].entry.approval_id)
            self._progress.count("spoiled")
            return None

    def _rendered(self, person: Decider, partings: list[Parting], *, is_requester: bool) -> notice.Notice:
        style = replace(self._kit.style, zone=self._kit.cadence.zone_of(person.address))
        name = person.firstname or person.name
        ended = [parting.ended(person) for parting in partings]
        if len(ended) > 1:
            text = (notice.outcomes if is_requester else notice.closings)(ended, style=style, name=name)
        else:
            [one] = ended
            text = (notice.outcome if is_requester else notice.closing)(
                one.document, one.ending, style=style, by=one.by, at=one.at, name=name
            )
        document = ended[0].document if len(ended) == 1 else None
        return notice.Notice(
            person.address,
            text,
            {},
            kind="outcome" if is_requester else "closing",
            document_type=document.type if document else "",
            document_id=str(document.id) if document else "",
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
