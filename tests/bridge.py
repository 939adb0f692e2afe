"""A whole bridge in this process for tests: the real use cases on the simulators, with a clock to move."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from canaries import API_KEY, CLIENT_ID, CLIENT_SECRET, TOKEN_KEYS

from coupa_core.app import Bridge, Overrides, build
from coupa_core.audit_log import AuditStore, MemoryAuditStore
from coupa_core.endpoints import Reply, Request
from coupa_core.ledger import LedgerStore, MemoryStore
from coupa_core.settings import Settings, read_settings
from coupa_core.sweep import Summary
from sandbox.clock import Clock, ManualClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.server import EVERY
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered, MoveworksSimulator
from sandbox.serving import InProcess

COUPA, MOVEWORKS = "https://acme.coupahost.com", "https://api.moveworks.ai"
KEY = TOKEN_KEYS
SETTINGS = {
    "COUPA_BASE_URL": COUPA,
    "COUPA_CLIENT_ID": CLIENT_ID,
    "COUPA_CLIENT_SECRET": CLIENT_SECRET,
    "COUPA_CLIENT_LOGIN": "api-client",
    "MOVEWORKS_BASE_URL": MOVEWORKS,
    "MOVEWORKS_EVENT_ID": "5d4a2f6e-0000-4000-8000-000000000001",
    "MOVEWORKS_API_KEY": API_KEY,
    "MOVEWORKS_LISTENER_ID": "coupa-approvals",
    "MOVEWORKS_LISTENER_SECRET": "listener-secret",
    "MOVEWORKS_MAX_PER_MINUTE": "120",
    "ACTION_TOKEN_KEYS": KEY,
    "LEDGER_CONNECTION": "memory",
    # The list decides, as where Entra vouches for the caller; that it does not by default has its own tests.
    "LIST_TOKENS": "on",
    # So that messages can be counted; what these say has tests of its own.
    "DIGEST_OVER": "0",
    "CLOSING_NOTICE": "never",
}


class Ahead:
    """Another machine's clock: the same seconds pass, from another time on."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._ahead = timedelta(seconds=seconds)
        self.monotonic = clock.monotonic
        self.sleep = clock.sleep

    def now(self) -> datetime:
        """Return the time that it shows."""
        return self._clock.now() + self._ahead


@dataclass
class World:
    """One Coupa, one Moveworks, one bridge.

    `restart` builds the bridge anew on the same store, as a new process would.

    Attributes:
        coupa_ahead_s: how far Coupa's clock is ahead of the bridge's.
    """

    store: LedgerStore = field(default_factory=MemoryStore)
    audit_store: AuditStore = field(default_factory=MemoryAuditStore)
    settings: dict[str, str] = field(default_factory=dict)
    workers: int = 1
    coupa_ahead_s: float = 0.0

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.coupa = CoupaSimulator(
            clock=Ahead(self.clock, self.coupa_ahead_s) if self.coupa_ahead_s else self.clock,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            granted_scopes=EVERY,
        )
        self.moveworks = MoveworksSimulator(
            clock=self.clock,
            api_key=API_KEY,
            event_id=SETTINGS["MOVEWORKS_EVENT_ID"],
            listener_id=SETTINGS["MOVEWORKS_LISTENER_ID"],
            listener_secret=SETTINGS["MOVEWORKS_LISTENER_SECRET"],
        )
        self.people: dict[str, int] = {}
        self.restart()

    def restart(self) -> None:
        """Forget everything that a process holds in memory."""
        self.bridge: Bridge = build(self.read_settings(), self.overrides())

    def read_settings(self) -> Settings:
        """Return the settings as they are read."""
        return read_settings({**SETTINGS, **self.settings})

    def overrides(self) -> Overrides:
        """Return what joins a bridge to this world."""
        return Overrides(
            self.clock,
            random.Random(1),
            store=self.store,
            audit_store=self.audit_store,
            coupa_session=_session(COUPA, InProcess(self.coupa.front)),
            moveworks_session=_session(MOVEWORKS, InProcess(self.moveworks.front)),
            workers=self.workers,
        )

    def person(self, email: str, **details: Any) -> int:
        """Return the Coupa id of a person, made on first mention."""
        if email not in self.people:
            first = email.partition("@")[0].capitalize()
            self.people[email] = self.coupa.world.add_user(
                email=email, firstname=details.pop("firstname", first), lastname="Doe", **details
            )
        return self.people[email]

    def requisition(self, *approvers: Any, requester: str = "sam@example.com", **details: Any) -> int:
        """Enter a requisition; approvers by e-mail, in order, an inner list in parallel, or a Group."""
        details.setdefault("title", "Laptops")
        details.setdefault("lines", [Line("Laptop", quantity="2", unit_price="900.00", supplier="ACME")])
        return self.coupa.world.add_requisition(
            requested_by=self.person(requester),
            approvers=[self._approver(each) for each in approvers],
            **details,
        )

    def delegation(
        self,
        of: str | int,
        to: str | int,
        *,
        start: timedelta = timedelta(),
        end: timedelta = timedelta(days=9),
        **more: Any,
    ) -> int:
        """Let somebody act for somebody else, by e-mail or id, and return the delegation's id.

        Args:
            of: the approver.
            to: who acts.
            start: from Coupa's now.
            end: from Coupa's now.
            more: for `add_delegation`.
        """
        now = self.coupa.world.now()
        return self.coupa.world.add_delegation(
            delegator=self._approver(of),
            delegate=self._approver(to),
            start=now + start,
            end=now + end,
            **more,
        )

    def _approver(self, each: Any) -> Any:
        if isinstance(each, list):
            return [self._approver(one) for one in each]
        return self.person(each) if isinstance(each, str) else each

    def sweep(self) -> Summary:
        """Run one sweep."""
        return self.bridge.sweep.run()

    def announced(self) -> list[Delivered]:
        """Run one sweep and return the notices that it sent, by recipient."""
        before = len(self.moveworks.delivered)
        self.sweep()
        return sorted(self.moveworks.delivered[before:], key=lambda each: each.recipient)

    def call(self, name: str, **parts: Any) -> Reply:
        """Call one route; `json` is encoded, the other parts are those of a request."""
        if "json" in parts:
            parts["body"] = json.dumps(parts.pop("json")).encode()
        return self.bridge.endpoints.handle(name, Request(**parts))

    def click(
        self,
        card: Delivered | dict[str, str],
        actor: str,
        verb: str = "approve",
        *,
        reason: str | None = None,
    ) -> Reply:
        """Click a button of a notice."""
        slots = card if isinstance(card, dict) else card.slots
        headers = {"X-Actor-Email": actor}
        if "action_token" in slots:
            headers["X-Action-Token"] = slots["action_token"]
        body = {"json": {"reason": reason}} if reason is not None else {}
        return self.call(verb, headers=headers, route={"approval_id": slots["approval_id"]}, **body)

    def puts(self) -> int:
        """Return how many decisions reached Coupa's door, taken or not."""
        return self.coupa.front.count("PUT")


def _session(base: str, adapter: InProcess) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # or it looks for proxies at every request
    session.mount(base, adapter)
    return session
