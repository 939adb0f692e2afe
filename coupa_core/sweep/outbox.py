"""The one way out: whatever is said to people goes here, and each row is settled by what became of it.

Many messages for one person are one. A new notice is marked after Moveworks took it: after a crash it may be
told twice, and is never lost. A reminder and an escalation are recorded before they are sent: after a crash
they may be lost, and are never told twice.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial

from coupa_core.clock import Deadline
from coupa_core.errors import Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.ledger import (
    Entry,
    State,
    answered,
    escalated,
    not_reminded,
    parted,
    put,
    refused,
    reminded,
    told,
)
from coupa_core.notice import Notice
from coupa_core.parallel import each
from coupa_core.sweep.compose import Item, compose, is_short, shown_facts
from coupa_core.sweep.kit import Kit, Progress, Rows
from coupa_core.sweep.questions import closed_by
from coupa_core.sweep.shapes import CARDS, DECIDING, Judged, Kind, Message

DEFAULT_PAUSE_S = 60.0

NEWS = (Kind.CLOSING, Kind.OUTCOME, Kind.ESCALATION, Kind.QUESTION, Kind.ANSWER)
"""What is for information only, and what says something new: an answer comes with its card."""

ALONE = (Kind.ANSWER,)
"""What is a message of its own, however many there are for one person: it has buttons."""

MARKED_FIRST = (Kind.REMINDER, Kind.ESCALATION)
"""What is recorded before it is sent."""

NEVER = sys.maxsize
"""So many messages are too many for one person where each is to come alone."""

logger = logging.getLogger(__name__)


class Fate(StrEnum):
    """What became of a notice."""

    SENT = "sent"
    REFUSED = "refused"
    """This notice was at fault; nothing was sent."""
    UNKNOWN = "unknown"
    """It may have arrived."""
    UNSENT = "unsent"
    """Nothing was sent, and it is not the notice's fault."""


@dataclass(frozen=True)
class Attempt:
    """What became of a notice, and why it was not sent."""

    fate: Fate
    cause: str = ""


@dataclass
class Case:
    """An approval that people are told of under our claim, while it goes on.

    Attributes:
        judged: what it needs.
        entry: the row as it was last written.
        owed: what is still to be said.
        refused: for whom Moveworks took no notice.
        cause: why not, of the last one.
        is_begun: what must be recorded before is recorded.
        is_over: there is nothing left to do, or no claim to do it under.
    """

    judged: Judged
    entry: Entry
    owed: list[Message]
    refused: list[str] = field(default_factory=list)
    cause: str = ""
    is_begun: bool = False
    is_over: bool = False

    def has(self, *kinds: Kind) -> bool:
        """Tell whether one of these kinds is still to be said."""
        return not self.is_over and any(message.kind in kinds for message in self.owed)

    def keys(self, kind: Kind) -> list[str]:
        """Return to whom one kind is still to be said."""
        return [message.person.key for message in self.owed if message.kind is kind]

    def order(self, today: date) -> tuple[date, int]:
        """Return its place in a list: what is wanted first, then what is oldest."""
        document = self.judged.document
        return ((document.wanted_on(today) if document else None) or date.max, self.entry.approval_id)


Letter = list[tuple[Case, Message]]
"""What is said to one person at once."""


# ---------------------------------------------------------------------- what becomes of the row


_Change = Callable[[Case, Message, datetime], Entry]


def _said(case: Case, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return case.entry


def _told(case: Case, message: Message, now: datetime) -> Entry:
    judged, key = case.judged, message.person.key
    facts = shown_facts(Item(message, judged, case.entry))
    return told(case.entry, person=key, version=judged.version, to=judged.approver_key, now=now, facts=facts)


def _refused(case: Case, message: Message, now: datetime) -> Entry:
    # One address that Moveworks does not take keeps nobody else of the group from being told.
    case.refused.append(message.person.key)
    return refused(case.entry, message.person.key, now=now)


def _heard(case: Case, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return parted(case.entry, message.person.key)


def _put(case: Case, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    return put(case.entry, message.passes_on[0].id or 0)


def _answered(case: Case, message: Message, now: datetime) -> Entry:  # noqa: ARG001
    key = message.person.key
    return answered(case.entry, closed_by(case.entry, key, message.passes_on), person=key)


_ONCE: dict[Fate, _Change] = {Fate.SENT: _said, Fate.REFUSED: _said, Fate.UNKNOWN: _said}
_LAST: dict[Fate, _Change] = {Fate.SENT: _heard, Fate.REFUSED: _heard, Fate.UNKNOWN: _heard}

SETTLED: dict[Kind, dict[Fate, _Change]] = {
    Kind.ANNOUNCEMENT: {Fate.SENT: _told, Fate.REFUSED: _refused},
    Kind.REMINDER: _ONCE,
    Kind.ESCALATION: _ONCE,
    Kind.CLOSING: _LAST,
    Kind.OUTCOME: _LAST,
    Kind.QUESTION: {Fate.SENT: _put, Fate.REFUSED: _put, Fate.UNKNOWN: _put},
    Kind.ANSWER: {Fate.SENT: _answered, Fate.REFUSED: _refused},
}
"""How the row changes, by what was said and what became of it.

What is not here is still to be said. Where it may have arrived, the claim stays until its lease ends: a
repeat is rare and late. Where it was surely not sent, the claim is given back, and what was recorded before
is taken back.
"""


def _is_new(message: Message) -> bool:
    return message.kind is Kind.ANNOUNCEMENT


def _with(cases: Sequence[Case], *kinds: Kind) -> list[Case]:
    return [case for case in cases if case.has(*kinds)]


# ---------------------------------------------------------------------- the way out


@dataclass
class Outbox:
    """The way out of one sweep.

    Attributes:
        over: one message takes the place of more than so many for one person; `NEVER` for none. Reminders of
            one person are one of them.
        deadline: of all sending.
        suspect: the last send did not come back clean.
        paused_until: nothing is sent before; None when nothing is paused.
    """

    kit: Kit
    progress: Progress
    rows: Rows
    over: int
    deadline: Deadline
    suspect: bool
    paused_until: datetime | None
    _may: bool | None = None
    _messages: Counter[str] = field(default_factory=Counter)

    def alone(self, judged: Sequence[Judged]) -> set[int]:
        """Return of which approvals somebody is told by a whole card of their own, by their ids."""
        cases = [Case(one, one.entry, list(one.messages)) for one in judged]
        together = {
            (id(case), id(message)) for letter in self._crowds(cases, CARDS) for case, message in letter
        }
        return {
            case.judged.approval.id
            for case in cases
            for message in case.owed
            if message.kind in DECIDING and (id(case), id(message)) not in together
            if not is_short(case.entry, message.person)
        }

    def deliver(self, judged: Sequence[Judged], *, behind: int = 0) -> None:
        """Say everything, so that no approval of a great group keeps the others waiting, and end each claim.

        One message about each approval goes out; more of them only while there is room for those behind. Who
        is left is told by a later sweep.

        Args:
            judged: what each approval needs.
            behind: how many messages wait behind these.
        """
        cases = [Case(one, one.entry, list(one.messages)) for one in judged]
        self._each([case for case in cases if not case.owed], self._end, workers=self.kit.workers)
        today = self.kit.clock.now().date()
        cases = sorted((case for case in cases if case.owed), key=lambda case: case.order(today))
        for letter in self._crowds(cases, NEWS):
            self._say(letter)
        self._each(_with(cases, *NEWS), lambda case: self._all(case, NEWS))
        self._deliver_cards(_with(cases, *CARDS), behind)

    def _deliver_cards(self, cases: Sequence[Case], behind: int) -> None:
        crowds = self._crowds(cases, CARDS)
        together = {id(case) for letter in crowds for case, message in letter if _is_new(message)}
        new = _with(cases, Kind.ANNOUNCEMENT)
        self._each([case for case in new if id(case) not in together], self._next)
        for letter in crowds:
            self._say(letter)
        while new := _with(new, Kind.ANNOUNCEMENT):
            # Those behind may need all that can still be sent in this sweep.
            must_yield = behind > 0 and 0 < self.room() < behind + len(new)
            leave = partial(self._give_back, cause="others_first")
            self._each(new, leave if must_yield else self._next)
        self._each(_with(cases, *CARDS), lambda case: self._all(case, CARDS))

    def _each(
        self, cases: Sequence[Case], work: Callable[[Case], None], *, workers: int | None = None
    ) -> None:
        """Do something for each; one that goes wrong is over, and stops no other."""

        def guarded(case: Case) -> None:
            def done() -> bool:
                work(case)
                return True

            if self.rows.guarded(case.entry, done) is None:
                case.is_over = True

        # While Moveworks is under suspicion one send goes alone, and a failure spares the others.
        each(guarded, cases, workers=workers or (1 if self.suspect else self.kit.workers))

    def _crowds(self, cases: Sequence[Case], kinds: Collection[Kind]) -> list[Letter]:
        """Return what is said to one person in one message; what was refused before goes alone."""
        found: dict[tuple[object, ...], Letter] = defaultdict(list)
        for case in _with(cases, *kinds):
            for message in case.owed:
                person, is_card = message.person, message.kind in CARDS
                is_refused = bool(case.entry.failures or case.entry.to(person.key).refusals)
                is_alone = message.kind in ALONE or (is_card and is_refused)
                if message.kind in kinds and not is_alone:
                    found[is_card or message.kind, person.key, person.address].append((case, message))
        return [letter for some in found.values() if (letter := self._together(some))]

    def _together(self, some: Letter) -> Letter:
        """Return what of somebody's messages is said at once: all where they are too many, else reminders."""
        again = [(case, message) for case, message in some if message.kind is Kind.REMINDER]
        messages = len(some) - max(len(again) - 1, 0)
        if messages > self.over:
            return some
        return again if len(again) > 1 and self.over < NEVER else []

    def _all(self, case: Case, kinds: Collection[Kind]) -> None:
        while case.has(*kinds):
            self._say([(case, next(message for message in case.owed if message.kind in kinds))])

    def _next(self, case: Case) -> None:
        """Send one notice: to whoever of its people was told least in this sweep."""
        news = [message for message in case.owed if message.kind is Kind.ANNOUNCEMENT]
        message = min(news, key=lambda one: self._messages[one.person.key])
        self._messages[message.person.key] += 1
        self._say([(case, message)])

    # ------------------------------------------------------------------ one letter

    def _say(self, letter: Letter) -> None:
        """Send one message under all the claims that it is about, and settle each row."""
        marked = [case for case, message in letter if message.kind in MARKED_FIRST and not case.is_begun]
        self._each(marked, self._begin, workers=self.kit.workers)
        letter = [(case, message) for case, message in letter if not case.is_over]
        attempt = self._sent(letter) if letter else None
        if attempt is None:
            return
        if attempt.fate is Fate.REFUSED and 1 < len(letter) <= self.over:
            # One of them may be at fault: each reminder of a few goes alone, for it would not come again.
            letter = [(case, message) for case, message in letter if message.kind is not Kind.REMINDER]
        said = {id(case): message for case, message in letter}
        cases = [case for case, _ in letter]
        self._each(cases, lambda case: self._settle(case, said[id(case)], attempt), workers=self.kit.workers)

    def _begin(self, case: Case) -> None:
        """Record what must be recorded before it is sent."""
        now = self.kit.clock.now()
        entry = reminded(case.entry, case.keys(Kind.REMINDER), now=now)
        case.is_begun = True
        self._write(case, escalated(entry, now=now) if case.has(Kind.ESCALATION) else entry)

    def _sent(self, letter: Letter) -> Attempt | None:
        """Render and send it; None when many cannot be one message, and each goes alone."""
        is_card, is_one = letter[0][1].kind in CARDS, len(letter) == 1
        try:
            notice = compose([Item(message, case.judged, case.entry) for case, message in letter], self.kit)
        except Exception:
            if is_card and is_one:
                raise  # it counts against the approval
            logger.exception("%s spoiled approvals=%d", "message" if is_one else "digest", len(letter))
            self.progress.count("spoiled", is_one)
            return Attempt(Fate.REFUSED, "spoiled") if is_one else None
        self.progress.count("digests", is_card and not is_one)
        attempt = self._send(notice, [case.entry for case, _ in letter])
        for case, message in letter if attempt.fate is not Fate.UNSENT else ():
            first = "" if is_one else "digest"
            self.rows.note_notice(
                case.entry,
                message.person,
                verb=first if _is_new(message) else message.kind,
                outcome=attempt.fate,
                cause=attempt.cause,
                version=case.judged.version,
                digest=case.judged.content,
            )
        return attempt

    def _settle(self, case: Case, message: Message, attempt: Attempt) -> None:
        """Write what came of a message, as the table says; with the last one the claim ends."""
        change = SETTLED[message.kind].get(attempt.fate)
        if attempt.fate is Fate.UNSENT:
            self._give_back(case, attempt.cause)
        elif change is None:
            case.is_over = True
        else:
            before, case.entry = case.entry, change(case, message, self.kit.clock.now())
            case.cause = attempt.cause or case.cause
            case.owed.remove(message)
            if case.entry is not before and (case.owed or message.kind is not Kind.ANNOUNCEMENT):
                self._write(case, case.entry)
            if not case.owed and not case.is_over:
                self._end(case)

    def _end(self, case: Case) -> None:
        """End the claim, when everything has been said."""
        now = self.kit.clock.now()
        entry = case.judged.ended(case.entry, case.refused, cause=case.cause, now=now)
        if entry.state is State.CLOSED:
            self.rows.close(entry)
        else:
            self._write(case, entry)
        case.is_over = True

    def _write(self, case: Case, entry: Entry) -> None:
        stored = self.rows.commit(entry)
        if stored is None:
            self.progress.count("sent_unmarked", bool(case.judged.messages))
            case.is_over = True
        else:
            case.entry = stored

    def _give_back(self, case: Case, cause: str) -> None:
        """End the claim of what was surely not sent: it is due as it was before."""
        case.is_over = True
        before = case.judged.entry
        entry = not_reminded(case.entry, before, case.keys(Kind.REMINDER))
        if case.keys(Kind.ESCALATION):
            entry = replace(entry, escalated_at=before.escalated_at)
        self.rows.give_back(entry, cause)

    # ------------------------------------------------------------------ Moveworks

    def room(self) -> int:
        """Return how many notices can still be sent in this sweep."""
        if self.progress.is_over or self.progress.is_mute or self.deadline.left_s() <= 0:
            return 0
        return self.kit.channel.free(self.deadline.left_s())

    def may_begin(self) -> bool:
        """Tell whether anything may be sent now: not while paused, and not before a sign of life."""
        if self._may is None:
            self._may = self._asked()
        return self._may

    def _asked(self) -> bool:
        if self.paused_until is not None and self.kit.clock.now() < self.paused_until:
            self.progress.count("paused")
            return False
        self.paused_until = None
        if not self.suspect:
            return True
        try:
            self.kit.channel.probe(self.progress.deadline.within(self.kit.lease.send_s))
        except ServiceError as failure:
            self._falter(failure)
            return False
        return True

    def _send(self, notice: Notice, under: Sequence[Entry]) -> Attempt:
        """Send a notice once, under own claims with enough of their lease left."""
        kit, is_mute = self.kit, self.progress.is_over or self.progress.is_mute
        if is_mute or not self.may_begin() or not kit.channel.wait_turn(self.deadline):
            return Attempt(Fate.UNSENT, "no_turn")
        if not all(entry.may_send(kit.clock.now(), kit.lease) for entry in under):
            self.progress.count("late")
            return Attempt(Fate.UNSENT, "lease_too_short")
        try:
            kit.channel.send(notice, self.progress.deadline.within(kit.lease.send_s))
        except Refused as failure:
            self.progress.count("refused")
            self.progress.hamper(failure)
            return Attempt(Fate.REFUSED, failure.code)
        except Unavailable as failure:
            self._falter(failure)
            return Attempt(Fate.UNSENT, failure.code)
        except Unknown as failure:
            self.progress.count("unknown")
            self._falter(failure)
            return Attempt(Fate.UNKNOWN, failure.code)
        self.suspect = False
        self.progress.count("sent")
        return Attempt(Fate.SENT)

    def _falter(self, failure: ServiceError) -> None:
        """Send nothing more in this sweep; after a 429 nothing before the pause is over."""
        self.progress.mute(failure)
        if isinstance(failure, Throttled):
            pause_s = failure.retry_after_s or DEFAULT_PAUSE_S
            self.paused_until = self.kit.clock.now() + timedelta(seconds=pause_s)
        else:
            self.suspect = True
