"""Relay messages of other systems to a few people of allowed domains, without buttons.

It keeps to its own share of Moveworks' rate, across processes, and refuses messages while Moveworks wants a
pause. It knows nothing of approvals or HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from coupa_core import notice
from coupa_core.addresses import domain_of, folded
from coupa_core.audit_log import AuditLog, Event, EventKind
from coupa_core.clock import Clock, Deadline
from coupa_core.errors import CallerError, Refused, Unavailable, Unknown
from coupa_core.ledger import Ledger
from coupa_core.moveworks import RATE_WINDOW_S, Channel
from coupa_core.routes import CLICK_S

MAX_RECIPIENTS = 20
RECORDING_S = 1.0
"""The last part of the time limit, in seconds: it is for the audit log."""

_LATER = "nothing was sent. Please try again in a minute."

logger = logging.getLogger(__name__)


class RelayResult(StrEnum):
    """The result for one recipient."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    NOT_SENT = "not_sent"


@dataclass(frozen=True)
class RelayMessage:
    """A message to hand on.

    Attributes:
        text: plain, or markup where that is allowed.
        recipients: e-mails, at most 20.
        is_html: the text is markup.
        known_by: how the caller is known: `key` or `key+entra`.
        request_id: identifies the request for callers and operators.
    """

    text: str
    recipients: tuple[str, ...]
    is_html: bool = False
    known_by: str = "key"
    request_id: str = ""


class Relay:
    """The use case.

    Args:
        channel: how people are told.
        ledger: where the share of the rate is kept.
        clock: the time.
        domains: whose addresses may be written to; empty when the relay is off.
        html: whether markup is allowed.
        audit_log: the audit log.
        max_per_minute: the rate of all processes together.
        is_dry: nothing is sent.
    """

    def __init__(
        self,
        *,
        channel: Channel,
        ledger: Ledger,
        clock: Clock,
        domains: Iterable[str],
        html: bool,
        audit_log: AuditLog,
        max_per_minute: int,
        is_dry: bool = False,
    ) -> None:
        self._channel = channel
        self._ledger = ledger
        self._clock = clock
        self._domains = frozenset(domains)
        self._html = html
        self._audit_log = audit_log
        self._max_per_minute = max_per_minute
        self._is_dry = is_dry

    def check_is_on(self) -> None:
        """Raise `CallerError` where the operator has not switched it on."""
        if not self._domains:
            raise CallerError("relay_off", "Relaying messages is not enabled on this bridge.", status=403)

    def relay(self, message: RelayMessage) -> dict[str, RelayResult]:
        """Send one message to each person.

        Returns:
            The result of each recipient, by e-mail.

        Raises:
            CallerError: the relay is off, the message or an address is not allowed, the share of the rate is
                used up, or Moveworks wants a pause; nothing was sent.
            ServiceError: the ledger does not answer; nothing was sent.
        """
        self.check_is_on()
        people = self._allowed(message)
        text = self._rendered(message)
        if self._is_dry:
            raise Unavailable("dry_run", "DRY_RUN is on, so nothing is sent")
        deadline = Deadline(self._clock, CLICK_S - RECORDING_S)
        self._take(len(people))
        results = dict.fromkeys(people, RelayResult.NOT_SENT)
        for person in people:
            try:
                self._channel.send(notice.Notice(person, text, {}, kind="relay"), deadline)
                results[person] = RelayResult.ACCEPTED
            except Refused as failure:
                logger.warning("relay refused code=%s cause=%s", failure.code, failure)
                results[person] = RelayResult.REFUSED
            except Unknown as failure:
                logger.warning("relay unknown code=%s cause=%s", failure.code, failure)
                results[person] = RelayResult.UNKNOWN
                break
            except Unavailable as failure:
                logger.warning("relay stopped code=%s cause=%s", failure.code, failure)
                break
        self._record(message, results)
        return results

    def _record(self, message: RelayMessage, results: Mapping[str, RelayResult]) -> None:
        now = self._clock.now()
        events = [
            Event(
                kind=EventKind.RELAY,
                at=now,
                actor=person,
                known_by=message.known_by,
                outcome=delivery,
                request_id=message.request_id,
            )
            for person, delivery in results.items()
        ]
        self._audit_log.record(events, required=False)
        accepted = list(results.values()).count(RelayResult.ACCEPTED)
        logger.info(
            "relay recipients=%d accepted=%d request_id=%s", len(results), accepted, message.request_id
        )

    def _allowed(self, message: RelayMessage) -> list[str]:
        """Return each address once, when all may be written to."""
        people = list({folded(address): address for address in message.recipients}.values())
        if not people or len(people) > MAX_RECIPIENTS:
            raise CallerError("bad_recipients", f"A message goes to 1 to {MAX_RECIPIENTS} recipients.")
        if any(domain_of(address) not in self._domains for address in people):
            raise CallerError(
                "recipient_not_allowed",
                "A recipient is not of an allowed domain; nothing was sent.",
                status=403,
            )
        return people

    def _rendered(self, message: RelayMessage) -> str:
        if message.is_html and not self._html:
            raise CallerError("html_not_allowed", "This bridge relays plain text only; leave html out.")
        text = (
            notice.safe_html(message.text)
            if message.is_html
            else notice.text_to_html(message.text, notice.MAX_MESSAGE)
        )
        if not 0 < len(text) <= notice.MAX_MESSAGE:
            raise CallerError(
                "bad_message", f"message must be of 1 to {notice.MAX_MESSAGE} characters when written."
            )
        return text

    def _take(self, number: int) -> None:
        """Take so many places within the share, or none."""
        now = self._clock.now()
        status = self._ledger.store.status()
        if status.paused_until and status.paused_until > now:
            raise CallerError("relay_paused", f"Moveworks wants a pause; {_LATER}", status=429)
        if not self._ledger.take(
            "relay", number, limit=self._max_per_minute, window_s=RATE_WINDOW_S, now=now
        ):
            raise CallerError("relay_rate", f"Too many messages at once; {_LATER}", status=429)
