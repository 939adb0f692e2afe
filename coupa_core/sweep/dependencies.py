"""The services and settings that all modules of a sweep share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from coupa_core.audience import EVERYBODY, Audience
from coupa_core.audit_log import AuditLog
from coupa_core.authority import Rules, TokenKeys
from coupa_core.cadence import Cadence
from coupa_core.clock import Clock
from coupa_core.coupa import Coupa, FactReader
from coupa_core.directory import Directory
from coupa_core.ledger import Lease, Ledger
from coupa_core.moveworks import Channel
from coupa_core.notice import Style
from coupa_core.sweep.shapes import ClosingNoticePolicy


class FirstRunPolicy(StrEnum):
    """How the first sweep treats the approvals that waited before the bridge began."""

    ANNOUNCE = "announce"
    DIGEST = "digest"
    BASELINE = "baseline"


@dataclass(frozen=True, kw_only=True)
class SweepDependencies:
    """The services and settings that a sweep uses.

    Attributes:
        coupa: where approvals are.
        facts: reads what Coupa knows beside a document.
        directory: looks up who may decide.
        rules: decide what each person can do in chat.
        channel: sends messages to people.
        ledger: the rows, one for each approval.
        audit_log: keeps an event for each message.
        keep_audit_days: how many days events are kept; 0 keeps them for ever.
        clock: the time.
        lease: of claims.
        keys: sign action tokens; None when tokens are off.
        style: of the notices.
        cadence: the hours at which people may be disturbed.
        closing_notice: which people learn that a card of theirs is out of date.
        tells_requester: the requester learns how the document ended.
        escalate_to: who receives escalations: `manager`, or an address.
        first_run: how the first sweep treats the backlog.
        full_list_minutes: how often a sweep reads the whole list of pending approvals, where it is not small.
        is_dry: the sweep sends nothing and records the messages that it would send.
        pilot: only these people receive messages.
        workers: how many claims and sends run at the same time; 1 runs them in order, without threads.
    """

    coupa: Coupa
    facts: FactReader
    directory: Directory
    rules: Rules
    channel: Channel
    ledger: Ledger
    audit_log: AuditLog
    keep_audit_days: int
    clock: Clock
    lease: Lease
    keys: TokenKeys | None
    style: Style
    cadence: Cadence
    closing_notice: ClosingNoticePolicy
    tells_requester: bool
    escalate_to: str
    first_run: FirstRunPolicy
    full_list_minutes: int
    is_dry: bool
    pilot: Audience = EVERYBODY
    workers: int = 25
