"""Tell people again of everything that waits, at an operator's request; recorded, and the same request once.

It sends nothing and changes no row: it leaves a note that every sweep reads, and the sweeps tell what they
come to, in the allowed rate.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from coupa_core.audience import EVERYBODY, Audience, is_of
from coupa_core.audit_log import AuditLog, Event, EventKind
from coupa_core.clock import Clock, Deadline
from coupa_core.directory import Directory, ReachablePeople
from coupa_core.errors import CallerError, Conflict, ServiceError, Unavailable, Unknown
from coupa_core.ledger import (
    REPEATS,
    Entry,
    LedgerStore,
    Repeat,
    add_repeat,
    key_of,
    read_repeats,
    undone,
    write_repeats,
)

PEOPLE_S = 20.0
"""The time limit for looking up the people who were told, in seconds."""

_TRIES = 3
_NOBODY = (
    "Nothing was done: nobody whom people names was told of anything that waits now, or not since then. "
    "Look for a misspelt address or domain."
)
_TO_COME = (
    "since must not be in the future: nothing was told after it. Give the time of the first message that is "
    "to be told again."
)
_NO_ROOM = (
    "There is no room for another repeat: twenty fit, fewer with many people; each is kept for a day, and "
    "longer while somebody waits for it (PILOT, DRY_RUN). Wait until they are told, or name fewer people at "
    "once."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RepeatRequest:
    """A request of an operator to tell people again.

    Attributes:
        name: the caller's name for this repeat; the same name is the same repeat.
        actor: e-mail of the operator.
        people: the people who are told again.
        since: earlier notices are not sent again; None for no limit.
        known_by: how the caller is known: `key` or `key+entra`.
        request_id: identifies the request for callers and operators.
    """

    name: str
    actor: str
    people: Audience = EVERYBODY
    since: datetime | None = None
    known_by: str = "key"
    request_id: str = ""


class Repeats:
    """The use case.

    Args:
        store: the ledger's rows and notes.
        directory: makes an uncached lookup of the people who were told.
        pilot: the only people who are told anything.
        audit_log: the audit log.
        clock: the time.
        audit_required: do nothing that cannot be written to the audit log before.
    """

    def __init__(
        self,
        *,
        store: LedgerStore,
        directory: Callable[[], Directory],
        pilot: Audience,
        audit_log: AuditLog,
        clock: Clock,
        audit_required: bool,
    ) -> None:
        self._store = store
        self._directory = directory
        self._pilot = pilot
        self._audit_log = audit_log
        self._clock = clock
        self._audit_required = audit_required

    def ask(self, request: RepeatRequest) -> tuple[Repeat, bool]:
        """Have people told again, once.

        Returns:
            The repeat, with what there is to be told again, and whether it is new: the same name again asks
            for nothing more.

        Raises:
            CallerError: another request has the same name, `since` is in the future, nobody who is named
                has a message to repeat, or there is no room for one more repeat.
            ServiceError: the ledger or the audit log does not answer, or Coupa, who people are.
        """
        repeat = Repeat(
            key=key_of(request.name), at=self._clock.now(), people=request.people, since=request.since
        )
        before = self._before(repeat, read_repeats(self._store.note(REPEATS).text))
        if before:
            return before, False
        if repeat.since and repeat.since > repeat.at:
            raise CallerError("bad_since", _TO_COME)
        rows = self._store.open_entries().entries
        repeat = self._counted(repeat, rows)
        event = self._event(request, repeat)
        self._audit_log.record([event], required=self._audit_required)
        try:
            found = self._leave(repeat, rows)
        except (CallerError, ServiceError) as error:
            self._audit_log.record([replace(event, outcome="failed", cause=error.code)], required=False)
            raise
        logger.info("operator act=resend_all approvals=%d", found.approvals)
        return found, found is repeat

    def _counted(self, repeat: Repeat, rows: Iterable[Entry]) -> Repeat:
        """Say of how many approvals somebody will be told again, and who of those who are named will not.

        A row knows people by their keys only: Coupa is asked for their addresses where these matter.
        """
        told = [found for row in rows if (found := repeat.keys(row))]
        if repeat.people.is_everybody and self._pilot.is_everybody:
            return replace(repeat, approvals=len(told))
        keys = sorted({key for each in told for key in each})
        known = self._directory().known(keys, Deadline(self._clock, PEOPLE_S))
        meant = {key: each.address for key, each in known.people.items() if repeat.people.has(each.address)}
        nothing_for = _without_anything(repeat.people, meant.values())
        if nothing_for and known.unknown:
            raise next(iter(known.unknown.values()))  # it may be theirs who cannot be looked up
        if not (meant or repeat.people.is_everybody):
            raise CallerError("nobody_to_tell", _NOBODY)
        return replace(self._numbered(repeat, told, meant), nothing_for=nothing_for)

    def _numbered(self, repeat: Repeat, told: Sequence[set[str]], meant: Mapping[str, str]) -> Repeat:
        """Count the approvals of the repeat, and those with a person outside the pilot."""
        outside = {key for key, address in meant.items() if not self._pilot.has(address)}
        approvals = told if repeat.people.is_everybody else [each for each in told if each & meant.keys()]
        waiting = [each for each in told if each & outside]
        return replace(repeat, approvals=len(approvals), waiting_for_pilot=len(waiting))

    def _leave(self, repeat: Repeat, rows: Sequence[Entry]) -> Repeat:
        """Write the note, unless it has this repeat already: an answer was lost, or another was quicker."""
        failure: ServiceError = Unavailable("ledger_untried", "the note was not written")
        for _ in range(_TRIES):
            note = self._store.note(REPEATS)
            known = read_repeats(note.text)
            before = self._before(repeat, known)
            if before:
                return repeat if before == repeat else before
            kept = add_repeat(known, repeat, partial(self._waited_for, known, rows))
            if kept is None:
                raise CallerError("too_many_rounds", _NO_ROOM, status=409)
            try:
                self._store.save_note(REPEATS, replace(note, text=write_repeats(kept)))
            except (Conflict, Unavailable, Unknown) as error:
                failure = error
            else:
                return repeat
        raise failure

    def _waited_for(self, known: Sequence[Repeat], rows: Sequence[Entry]) -> set[str]:
        """Return the keys of the repeats at which somebody may still have to be told again."""
        pairs = [pair for each in undone(known, rows, self._pilot) for pair in each]
        named = sorted({key for each, key in pairs if not each.people.is_everybody})
        people = (
            self._directory().known(named, Deadline(self._clock, PEOPLE_S)) if named else ReachablePeople()
        )
        return {each.key for each, key in pairs if people.may_be_in(each.people, key)}

    def _before(self, repeat: Repeat, known: Sequence[Repeat]) -> Repeat | None:
        """Return the earlier repeat with the same name; None for none.

        Raises:
            CallerError: that was another one.
        """
        found = next((each for each in known if each.key == repeat.key), None)
        if found and not found.is_same(repeat):
            text = "This Idempotency-Key was used for other people or another time; choose a new one."
            raise CallerError("key_reused", text, status=409)
        return found

    def _event(self, request: RepeatRequest, repeat: Repeat) -> Event:
        of = f" of {', '.join(repeat.people.entries)}" if repeat.people.entries else ""
        since = f" since {repeat.since.isoformat()}" if repeat.since else ""
        return Event(
            kind=EventKind.OPERATOR,
            at=repeat.at,
            actor=request.actor,
            known_by=request.known_by,
            verb="resend_all",
            outcome="asked",
            cause=f"{repeat.approvals} approvals{since}{of}",
            request_id=request.request_id,
        )


def _without_anything(people: Audience, addresses: Collection[str]) -> tuple[str, ...]:
    """Return the entries of an audience that none of these addresses belongs to."""
    return tuple(entry for entry in people.entries if not any(is_of(entry, address) for address in addresses))
