"""Send what people are to be told, under the claims that were made, and record what came of it.

A new notice is marked after Moveworks took it: after a crash it may be told twice, and is never lost. A
reminder is recorded before it is sent: after a crash it may be lost, and is never told twice.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from coupa_core import notice
from coupa_core.authority import Capacity, Decider
from coupa_core.errors import ServiceError
from coupa_core.ledger import (
    MINIMAL_AFTER,
    QUIET,
    Entry,
    escalated,
    held_back,
    not_reminded,
    parked,
    refused,
    reminded,
    sent,
    told,
    waiting,
)
from coupa_core.model import stamp
from coupa_core.parallel import each
from coupa_core.sweep.judge import Same, Tell
from coupa_core.sweep.ports import MANAGER, Kit
from coupa_core.sweep.progress import Progress
from coupa_core.sweep.rows import Rows
from coupa_core.sweep.sending import Attempt, Fate, Sending
from coupa_core.sweep.timing import Postpone, put_off

logger = logging.getLogger(__name__)


@dataclass
class Errand:
    """An approval that somebody is told of, under our claim, while it goes on.

    Attributes:
        shown: what they are told of.
        entry: the row as it was last written.
        owed: who is still to be told.
        is_reminder: they were told before.
        escalates: somebody else is to be told of the wait.
        then: what becomes of the row when everybody was reminded, while others are still owed the message.
        is_begun: what must be recorded before is recorded.
        refused: for whom Moveworks took no notice.
        refusal: why.
        is_over: there is nothing left to do, or no claim to do it under.
    """

    shown: Tell | Same
    entry: Entry
    owed: list[Decider]
    is_reminder: bool = False
    escalates: bool = False
    then: Postpone | None = None
    is_begun: bool = False
    refused: list[str] = field(default_factory=list)
    refusal: str = ""
    is_over: bool = False

    @property
    def since(self) -> datetime | None:
        """Return since when it waits, as far as anybody knows."""
        if self.is_reminder:
            return self.entry.first_told_at
        return stamp(self.shown.document.submitted_at) or stamp(self.shown.approval.updated_at)

    def awaits(self, person: Decider) -> bool:
        """Tell whether this person is still to be told."""
        return not self.is_over and any(one.key == person.key for one in self.owed)

    @property
    def order(self) -> tuple[date, int]:
        """Return its place in a list: what is needed first, then what is oldest."""
        return (self.shown.document.needed_on or date.max, self.entry.approval_id)


class Delivery:
    """The delivering part of one sweep.

    Args:
        kit: what a sweep works with.
        progress: of this sweep.
        rows: the ledger's.
        sending: the way out.
        over: one message takes the place of more than so many for one person.
    """

    def __init__(self, kit: Kit, progress: Progress, *, rows: Rows, sending: Sending, over: int) -> None:
        self._kit = kit
        self._progress = progress
        self._rows = rows
        self._sending = sending
        self._over = over
        self._messages: Counter[str] = Counter()

    def deliver(self, errands: Sequence[Errand], *, behind: int = 0) -> None:
        """Tell everybody, so that no approval of a great group keeps the others waiting.

        One message about each approval goes out; more of them only while there is room for those behind. Who
        is left is told by a later sweep.

        Args:
            errands: whom to tell of what.
            behind: how many messages wait behind these.
        """
        self._escalate([one for one in errands if one.escalates])
        crowded = self._crowded(errands)
        together = {id(one) for _, them in crowded for one in them}
        ordered = sorted(errands, key=lambda one: one.order)
        alone = [one for one in ordered if not one.is_reminder and id(one) not in together]
        self._each(alone, self._next)
        for person, them in crowded:
            self._digest(person, [one for one in them if one.awaits(person)])
        while fresh := [one for one in ordered if not one.is_reminder and not one.is_over]:
            # Those behind may need all that can still be sent in this sweep.
            must_yield = behind > 0 and 0 < self._sending.room() < behind + len(fresh)
            self._each(fresh, self._leave if must_yield else self._next)
        self._each([one for one in ordered if not one.is_over], self._alone)

    def _each(self, errands: Sequence[Errand], work: Callable[[Errand], None]) -> None:
        """Do something for each; one that goes wrong is over, and stops no other."""

        def guarded(errand: Errand) -> None:
            def done() -> bool:
                work(errand)
                return True

            if self._rows.guarded(errand.entry, done) is None:
                errand.is_over = True

        # While Moveworks is under suspicion one send goes alone, and a failure spares the others.
        each(guarded, errands, workers=1 if self._sending.suspect else self._kit.workers)

    def _leave(self, errand: Errand) -> None:
        """Leave the rest of it to a later sweep."""
        self._give_back(errand, "others_first")

    def _crowded(self, errands: Iterable[Errand]) -> list[tuple[Decider, list[Errand]]]:
        """Return whom too many notices wait for, and which; what was refused before goes alone."""
        people: dict[str, Decider] = {}
        found: dict[str, list[Errand]] = defaultdict(list)
        for errand in errands:
            entry = errand.entry
            for person in errand.owed if not entry.failures else ():
                if entry.to(person.key).refusals:
                    continue
                people.setdefault(person.key, person)
                found[person.key].append(errand)
        return [(people[key], them) for key, them in found.items() if len(them) > self._over]

    # ------------------------------------------------------------------ one by one

    def _alone(self, errand: Errand) -> None:
        """Send a notice to each person under the claim, and record what came of it after each."""
        if not self._begin(errand):
            return
        while not errand.is_over:
            self._next(errand)

    def _next(self, errand: Errand) -> None:
        """Send one notice: to whoever of its people was told least in this sweep."""
        if not errand.owed:
            self._end(errand)
            return
        person = min(errand.owed, key=lambda one: self._messages[one.key])
        self._messages[person.key] += 1
        attempt = self._sending.send(self._notice(errand, person), [errand.entry])
        self._note(errand, person, attempt, verb="reminder" if errand.is_reminder else "")
        self._mark(errand, person, attempt)

    def _begin(self, errand: Errand) -> bool:
        """Record what must be recorded before it is sent."""
        if errand.is_begun or not errand.is_reminder:
            return not errand.is_over
        now, entry = self._kit.clock.now(), errand.entry
        entry = reminded(entry, [person.key for person in errand.owed], now=now)
        entry = escalated(entry, now=now) if errand.escalates else entry
        stored = self._rows.commit(entry)
        errand.is_begun, errand.is_over = True, stored is None
        errand.entry = stored or errand.entry
        return stored is not None

    def _escalate(self, errands: list[Errand]) -> None:
        """Tell somebody else of long waits; many for one person are one message."""
        try:
            bosses = self._bosses(errands) if errands else {}
            told: dict[Decider, list[Errand]] = defaultdict(list)
            for errand in errands:
                boss = bosses.get(errand.shown.approver_key)
                if errand.escalates and self._begin(errand) and boss is not None:
                    told[boss].append(errand)
            for boss, them in told.items():
                for some in [them] if len(them) > self._over else [[errand] for errand in them]:
                    self._inform(boss, some)
        except ServiceError as failure:
            self._progress.stop(failure)

    def _inform(self, boss: Decider, errands: list[Errand]) -> None:
        message = self._escalation(boss, errands)
        if message is None:
            return
        attempt = self._sending.send(message, [errand.entry for errand in errands])
        for errand in errands:
            self._note(errand, boss, attempt, verb="escalation")
            if attempt.fate is Fate.UNSENT:
                errand.entry = replace(errand.entry, escalated_at=None)

    def _mark(self, errand: Errand, person: Decider, attempt: Attempt) -> None:
        """Write what came of a notice to one person."""
        if attempt.fate is Fate.UNSENT:
            self._give_back(errand, attempt.cause)
            return
        if attempt.fate is Fate.UNKNOWN and not errand.is_reminder:
            # It may have arrived: the claim stays until its lease ends; a repeat is rare and late.
            errand.is_over = True
            return
        errand.owed = [one for one in errand.owed if one.key != person.key]
        if attempt.fate is Fate.REFUSED:
            # One address that Moveworks does not take keeps nobody else of the group from being told.
            errand.refusal = attempt.cause
            if not errand.is_reminder:
                errand.refused.append(person.key)
                errand.entry = refused(errand.entry, person.key, now=self._kit.clock.now())
        elif not errand.is_reminder:
            errand.entry = self._told(errand, person)
        if not errand.owed:
            self._end(errand)
        elif attempt.fate is Fate.SENT and not errand.is_reminder:
            self._write(errand, errand.entry)

    def _told(self, errand: Errand, person: Decider) -> Entry:
        return told(
            errand.entry,
            person=person.key,
            version=errand.shown.version,
            to=errand.shown.approver_key,
            now=self._kit.clock.now(),
            facts=notice.shown_facts(errand.shown.document),
        )

    def _end(self, errand: Errand) -> None:
        """End the claim, when everybody has been tried."""
        now, shown = self._kit.clock.now(), errand.shown
        if errand.then is not None:
            entry = put_off(errand.then, errand.entry, now=now)
        elif errand.refused:
            entry = held_back(errand.entry, errand.refused, cause=errand.refusal, now=now)
        elif isinstance(shown, Tell) and shown.later is not None:
            entry = waiting(errand.entry, cause=QUIET, until=shown.later)
        elif shown.unread:
            entry = parked(errand.entry, cause=shown.unread, now=now)
        else:
            entry = sent(errand.entry)
        self._write(errand, entry)
        errand.is_over = True

    def _write(self, errand: Errand, entry: Entry) -> None:
        stored = self._rows.commit(entry)
        if stored is None:
            self._progress.count("sent_unmarked")
            errand.is_over = True
        else:
            errand.entry = stored

    def _give_back(self, errand: Errand, cause: str) -> None:
        """End the claim of what was surely not sent: it is due as it was before."""
        errand.is_over = True
        if not errand.is_reminder:
            self._rows.give_back(errand.entry, cause)
            return
        self._progress.count("released")
        people = [person.key for person in errand.owed]
        errand.entry = not_reminded(errand.entry, errand.shown.entry, people)
        now = self._kit.clock.now()
        self._rows.commit(put_off(errand.then, errand.entry, now=now) if errand.then else sent(errand.entry))

    # ------------------------------------------------------------------ many at once

    def _digest(self, person: Decider, errands: list[Errand]) -> None:
        """Send one message for many approvals, under all their claims."""
        begun: list[Errand] = []
        try:
            each(
                lambda errand: begun.append(errand) if self._begin(errand) else None,
                errands,
                workers=self._kit.workers,
            )
            begun.sort(key=lambda errand: errand.order)
            message = self._digest_of(person, begun) if begun else None
            if message is None:
                return
            attempt = self._sending.send(message, [errand.entry for errand in begun])
            for errand in begun:
                as_whom = next(one for one in errand.owed if one.key == person.key)
                self._note(errand, as_whom, attempt, verb="digest")
            each(lambda errand: self._mark(errand, person, attempt), begun, workers=self._kit.workers)
        except ServiceError as failure:
            self._progress.stop(failure)

    def _digest_of(self, person: Decider, errands: list[Errand]) -> notice.Notice | None:
        """Render the list; None when that is not possible, and each goes alone."""
        kit = self._kit
        items = [notice.Waiting(errand.shown.document, errand.since) for errand in errands]
        try:
            text = notice.digest(
                items,
                style=self._style(person),
                now=kit.clock.now(),
                name=person.firstname or person.name,
            )
        except Exception:
            logger.exception("digest spoiled approvals=%d", len(errands))
            return None
        self._progress.count("digests")
        return notice.Notice(person.address, text, {}, kind="digest")

    # ------------------------------------------------------------------ messages

    def _bosses(self, errands: list[Errand]) -> Mapping[str, Decider]:
        """Return who is told of the wait for whom; nobody where Coupa knows no manager."""
        kit, asked = self._kit, {errand.shown.approver_key for errand in errands}
        if kit.escalate_to != MANAGER:
            return dict.fromkeys(asked, Decider("", kit.escalate_to, "", "", Capacity.APPROVER))
        try:
            found = kit.directory.managers(sorted(asked), self._sending.deadline)
        except ServiceError as failure:
            self._progress.hamper(failure)
            for errand in errands:
                errand.escalates = False  # another time
            return {}
        for errand in errands:
            if errand.shown.approver_key in found.unknown:
                errand.escalates = False
                self._progress.count("people_unread")
        return found.people

    def _style(self, person: Decider) -> notice.Style:
        style, zone = self._kit.style, self._kit.cadence.zone_of(person.address)
        return style if style.zone == zone else replace(style, zone=zone)

    def _note(self, errand: Errand, person: Decider, attempt: Attempt, *, verb: str) -> None:
        if attempt.fate is not Fate.UNSENT:
            self._rows.note_notice(
                errand.entry,
                person,
                verb=verb,
                outcome=attempt.fate,
                cause=attempt.cause,
                version=errand.shown.version,
                digest=errand.shown.content,
            )

    def _notice(self, errand: Errand, person: Decider) -> notice.Notice:
        """Render the notice; after several refusals its shortest form."""
        kit, tell, entry, style = self._kit, errand.shown, errand.entry, self._style(person)
        approval, document = tell.approval, tell.document
        is_changed = isinstance(tell, Tell) and tell.is_changed_for(person)
        bar = kit.rules.bar(person, document)
        shown = notice.Shown(
            name=person.firstname or person.name,
            for_whom=approval.asked_name if person.capacity is not Capacity.APPROVER else "",
            is_changed=is_changed,
            bar=bar,
        )
        told = entry.to(person.key)
        if max(entry.failures, told.refusals) >= MINIMAL_AFTER:
            text = notice.minimal(document, style=style, shown=shown)
        elif errand.is_reminder:
            waited = kit.clock.now() - (told.at or kit.clock.now())
            text = notice.reminder(approval, document, style=style, shown=shown, waited=waited)
        else:
            changes = notice.difference(told.facts, document, style) if is_changed else ()
            text = notice.announcement(approval, document, style=style, shown=shown, changes=changes)
        token = None
        if kit.keys:
            token = kit.keys.offer(
                approval.id,
                approver_key=tell.approver_key,
                person=person.key,
                content="" if bar else tell.content,
                generation=entry.generation,
                now=kit.clock.now(),
            )
        return notice.Notice(
            person.address,
            text,
            notice.slots(approval.id, token),
            kind="reminder" if errand.is_reminder else "announcement",
            document_type=document.type,
            document_id=str(document.id),
            actions=() if bar else style.actions,
        )

    def _escalation(self, boss: Decider, errands: list[Errand]) -> notice.Notice | None:
        """Render the message; None when that is not possible: it is for information only."""
        try:
            return self._informed(boss, errands)
        except Exception:
            logger.exception("message spoiled approval_id=%d", errands[0].entry.approval_id)
            self._progress.count("spoiled")
            return None

    def _informed(self, boss: Decider, errands: list[Errand]) -> notice.Notice:
        now, style, name = self._kit.clock.now(), self._style(boss), boss.firstname or boss.name
        overdue = [
            notice.Overdue(
                errand.shown.approval,
                errand.shown.document,
                now - (errand.entry.first_told_at or now),
                errand.shown.approval.asked_name,
            )
            for errand in errands
        ]
        if len(overdue) > 1:
            return notice.Notice(
                boss.address, notice.escalations(overdue, style=style, name=name), {}, kind="escalation"
            )
        [one] = overdue
        text = notice.escalation(
            one.approval, one.document, style=style, waited=one.waited, waits_for=one.waits_for, name=name
        )
        return notice.Notice(
            boss.address,
            text,
            {},
            kind="escalation",
            document_type=one.document.type,
            document_id=str(one.document.id),
        )
