"""Tell the story of one approval, from its row and the audit log: why somebody did or did not get a message.

Each day of the audit log is read once, the newest first, and only days that can have events of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.audit_log import AuditStore, Row
from coupa_core.authority import Rules
from coupa_core.clock import Clock, Deadline
from coupa_core.coupa import Coupa
from coupa_core.directory import Directory
from coupa_core.endings import has_stopped
from coupa_core.errors import ServiceError
from coupa_core.ledger import REPEATS, Entry, Lease, LedgerStore, read_repeats
from coupa_core.model import Approval, has_turn, stamp
from coupa_core.report.health import STALE_AFTER
from coupa_core.report.states import json_time
from coupa_core.report.story import StoryLine, by_time, describe_row
from coupa_core.report.words import can_do, describe_event

MAX_DAYS = 31
"""The most days of the audit log that are read for one story."""

READ_S = 20.0
"""The time limit for reading them, in seconds."""

LIVE_S = 10.0
"""The time limit for reading from Coupa, in seconds."""

_PRIVATE = ("nonce", "etag", "decided_by", "decision_key", "told")


class Trace:
    """The use case.

    Args:
        store: the ledger's rows.
        record: the rows of the audit log.
        coupa: the client that reads the approval.
        directory: makes an uncached lookup of its deciders.
        rules: decide their actions in chat.
        clock: the time.
        lease: the length of claims.
        pilot: the only people who receive messages.
    """

    def __init__(
        self,
        *,
        store: LedgerStore,
        record: AuditStore,
        coupa: Coupa,
        directory: Callable[[], Directory],
        rules: Rules,
        clock: Clock,
        lease: Lease,
        pilot: Audience = EVERYBODY,
    ) -> None:
        self._store = store
        self._record = record
        self._coupa = coupa
        self._directory = directory
        self._rules = rules
        self._clock = clock
        self._lease = lease
        self._pilot = pilot

    def trace(self, approval_id: int, *, live: bool = False) -> dict[str, Any] | None:
        """Tell the story of one approval.

        Args:
            approval_id: Coupa's id.
            live: read Coupa, too.

        Returns:
            JSON values: `approval_id`, `story` (`at` and `text`, in the order of time, what holds now last),
            and `row` if there is one; None for an approval that the bridge has never seen.

        Raises:
            ServiceError: the ledger does not answer.
        """
        now = self._clock.now()
        row, before = self._store.read(approval_id), self._store.read_closed(approval_id)
        status = self._store.status()
        lines = self._events(approval_id, [each for each in (row, before) if each], now)
        if row and before:
            text = f"An earlier round ended: {before.cause or 'closed'}. The approval came back."
            lines.append(StoryLine(before.closed_at, text))
        newest = row or before
        if newest:
            repeats = read_repeats(self._store.note(REPEATS).text)
            lines += describe_row(
                newest, status=status, now=now, lease=self._lease, pilot=self._pilot, repeats=repeats
            )
        if live:
            lines += self._live(approval_id, newest)
        if not lines:
            return None
        last = status.last_complete_at
        if last is None or now - last >= STALE_AFTER:
            lines.append(
                StoryLine(None, "No sweep has seen everything lately, so the bridge may know too little.")
            )
        story = [{"at": json_time(line.at), "text": line.text} for line in by_time(lines)]
        shown = {"approval_id": str(approval_id), "story": story}
        return shown | ({"row": _row(newest)} if newest else {})

    def _events(self, approval_id: int, rows: list[Entry], now: datetime) -> list[StoryLine]:
        """Return its events in the audit log, as far as there is time to read them."""
        deadline = Deadline(self._clock, READ_S)
        begin, end = _days(rows, now)
        days = [end - timedelta(days=ago) for ago in range(min((end - begin).days + 1, MAX_DAYS))]
        read_from, lines = end + timedelta(days=1), []
        try:
            for day in days:
                if deadline.left_s() <= 0:
                    break
                for row in self._record.rows(day):
                    event = _event_of(row, approval_id)
                    if at := stamp(str(event.get("at"))):
                        lines.append(StoryLine(at, describe_event(event)))
                read_from = day
        except ServiceError as failure:
            lines.append(StoryLine(None, f"The audit record could not be read ({failure.code})."))
        if read_from > begin:
            lines.append(StoryLine(None, f"The audit record before {read_from} was not read."))
        return lines

    def _live(self, approval_id: int, row: Entry | None) -> list[StoryLine]:
        """Return the lines about Coupa's present state; none if neither side knows the approval."""
        deadline = Deadline(self._clock, LIVE_S)
        try:
            approval = self._coupa.approval(approval_id, deadline)
            if approval is None:
                return [StoryLine(None, "Coupa, asked now, does not know it.")] if row else []
            lines = [] if row else [StoryLine(None, "The bridge has not seen it yet.")]
            return lines + self._coupa_lines(approval, row, deadline)
        except ServiceError as failure:
            return [StoryLine(None, f"Coupa could not be asked now ({failure.code}).")]

    def _coupa_lines(self, approval: Approval, row: Entry | None, deadline: Deadline) -> list[StoryLine]:
        what = f"{approval.approvable_type or 'a document'} {approval.approvable_id or ''}".strip()
        asked = approval.approver_key or "nobody"
        if not approval.is_pending:
            return [StoryLine(None, f"Coupa, asked now, has it as {approval.status} ({what}).")]
        document = self._coupa.document(approval, deadline)
        if document is None:
            return [StoryLine(None, f"Coupa, asked now, waits for {asked} but does not return {what}.")]
        siblings = self._coupa.open_of(document, deadline) if document.needs_siblings else []
        turn = "it is its turn" if has_turn(approval, document, siblings) else "it is not its turn yet"
        if has_stopped(document):
            turn = f"its document does not wait: it is {document.status}"
        directory = self._directory()
        deciders = directory.deciders_of([approval], deadline)[approval.id]
        told = {key for key, each in row.told.items() if each.was_sent} if row else set()
        shared = directory.shared([each.address for each in deciders.people], deadline)
        rights = self._rules.rights(deciders, approval, document, shared=shared)
        people = ", ".join(
            f"{each.decider.address} ({each.decider.key}, {each.decider.capacity}, "
            f"{'told' if each.decider.key in told else 'not told'}"
            f"{'' if self._pilot.has(each.decider.address) else ', not in PILOT'}, {can_do(each)})"
            for each in rights
        )
        doubt = "" if deciders.is_certain else " This may be incomplete: not everything could be read."
        return [
            StoryLine(None, f"Coupa, asked now, waits for {asked} to decide {what}, and {turn}."),
            StoryLine(None, f"Who may decide now: {people or 'nobody who can be told'}.{doubt}"),
        ]


def _days(rows: list[Entry], now: datetime) -> tuple[date, date]:
    """Return the first and the last day that can hold events of these rows."""
    seen = [
        time
        for row in rows
        for time in (
            stamp(row.seen_approval),
            row.first_told_at,
            row.told_at,
            row.attempted_at,
            row.decided_at,
            row.closed_at,
        )
        if time
    ]
    is_over = bool(rows) and all(row.closed_at for row in rows)
    # One more: a click may be refused after the end, and the day of the chain may be ahead of the clock's.
    end = (min(max(seen), now) if is_over else now).astimezone(UTC).date() + timedelta(days=1)
    return min([*seen, now]).astimezone(UTC).date(), end


def _event_of(row: Row, approval_id: int) -> dict[str, Any]:
    """Return the event of a row, if it is about this approval; most rows are not, and need no parsing."""
    if f'"approval_id":{approval_id}' not in row.text:
        return {}
    event: dict[str, Any] = row.values().get("event", {})
    return event if event.get("approval_id") == approval_id else {}


def _row(row: Entry) -> dict[str, Any]:
    """Return the JSON values of a row without internal fields and without the decider; ids are texts."""
    values = {name: value for name, value in asdict(row).items() if name not in _PRIVATE}
    values |= {name: values[name] and str(values[name]) for name in ("approval_id", "document_id")}
    values["wanted_by"] = [day.isoformat() for day in row.wanted_by] or None
    people = {key: _json_values({**asdict(told), "figures": ""}) for key, told in row.told.items()}
    return _json_values({**values, "told": people})


def _json_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out empty values, and write times as in JSON."""
    plainly = {
        name: json_time(value) if isinstance(value, datetime) else value for name, value in values.items()
    }
    return {name: value for name, value in plainly.items() if value not in (None, "", 0, {})}
