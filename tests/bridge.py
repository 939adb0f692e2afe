"""A whole bridge in this process for tests: the real use cases on the simulators, with a clock to move."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import requests
from canaries import API_KEY, CLIENT_ID, CLIENT_SECRET, TOKEN_KEYS
from requests.adapters import BaseAdapter

from coupa_core.app import Bridge, Overrides, build
from coupa_core.audit_log import AuditStore, MemoryAuditStore
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.endpoints import Reply, Request
from coupa_core.ledger import Entry, LedgerStore, MemoryStore
from coupa_core.settings import Settings, read_settings
from coupa_core.sweep import Summary
from sandbox.clock import Clock, ManualClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.server import EVERY
from sandbox.coupa.world import Approval, Group, Line
from sandbox.moveworks import Delivered, MoveworksSimulator
from sandbox.serving import InProcess

JAMIE, ROBIN, ALEX, SAM = (f"{name}@example.com" for name in ("jamie", "robin", "alex", "sam"))
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
LISTENER = {"MOVEWORKS_EVENT_ID": "", "MOVEWORKS_LISTENER_ID": "coupa-approvals"}
"""Over these settings, people are told through the listener."""


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


def services(
    clock: Clock, coupas: Clock | None = None, *, granted: frozenset[str] = EVERY
) -> tuple[CoupaSimulator, MoveworksSimulator]:
    """Return a Coupa and a Moveworks that know the bridge of `SETTINGS`.

    Args:
        clock: of both.
        coupas: of Coupa, where it has one of its own.
        granted: the scopes that Coupa grants.
    """
    return CoupaSimulator(
        clock=coupas or clock, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, granted_scopes=granted
    ), MoveworksSimulator(
        clock=clock,
        api_key=API_KEY,
        event_id=SETTINGS["MOVEWORKS_EVENT_ID"],
        listener_id=LISTENER["MOVEWORKS_LISTENER_ID"],
        listener_secret=SETTINGS["MOVEWORKS_LISTENER_SECRET"],
    )


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
        coupas = Ahead(self.clock, self.coupa_ahead_s) if self.coupa_ahead_s else self.clock
        scopes = EVERY | {COMMENT_SCOPE} if self.settings.get("COMMENTS") == "on" else EVERY
        self.coupa, self.moveworks = services(self.clock, coupas, granted=scopes)
        self.people: dict[str, int] = {}
        self.restart()

    def restart(self) -> None:
        """Forget everything that a process holds in memory."""
        self.bridge: Bridge = build(self.read_settings(), self.overrides())

    def read_settings(self) -> Settings:
        return read_settings({**SETTINGS, **self.settings})

    def overrides(self) -> Overrides:
        """Return what joins a bridge to this world."""
        return Overrides(
            self.clock,
            random.Random(1),
            store=self.store,
            audit_store=self.audit_store,
            coupa_session=session(COUPA, InProcess(self.coupa.front)),
            moveworks_session=session(MOVEWORKS, InProcess(self.moveworks.front)),
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

    def group(self, *members: str, name: str = "Buyers") -> Group:
        return Group(self.coupa.world.add_group(name=name, members=[self.person(each) for each in members]))

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
        return self.bridge.sweep.run()

    def announced(self) -> list[Delivered]:
        """Run one sweep and return the notices that it sent, by recipient."""
        before = len(self.moveworks.delivered)
        self.sweep()
        return sorted(self.moveworks.delivered[before:], key=lambda each: each.recipient)

    def offer(self, *approvers: Any, **details: Any) -> Delivered:
        """Enter a requisition, for Jamie unless others are named, and return the one notice of a sweep."""
        self.requisition(*(approvers or (JAMIE,)), **details)
        [card] = self.announced()
        return card

    def approval(self, card: Delivered) -> Approval:
        """Return Coupa's own record of what a notice is about."""
        return self.coupa.world.approval(int(card.slots["approval_id"]))

    def in_coupa(
        self,
        what: Delivered | int,
        by: str = ROBIN,
        decision: Literal["approved", "rejected"] = "approved",
        **more: Any,
    ) -> None:
        """Let somebody decide in Coupa on what a notice is about, or on an approval by its id."""
        number = what if isinstance(what, int) else self.approval(what).id
        self.coupa.world.decide_in_coupa(number, by=self.person(by), decision=decision, **more)

    def row(self, card: Delivered | None = None) -> Entry:
        """Return the ledger's row of what a notice is about, or the only open one."""
        if card is None:
            [row] = self.store.open_entries().entries
            return row
        found = self.store.read(int(card.slots["approval_id"]))
        assert found is not None
        return found

    def listed(self, email: str) -> Reply:
        """Ask for what waits for a person."""
        return self.call("list_approvals", query={"approver_email": email})

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
        body = {"json": {"reason": reason}} if reason is not None else {}
        return self._press(card, actor, verb, **body)

    def ask(
        self, card: Delivered | dict[str, str], actor: str = JAMIE, comment: str = "Why?", *, key: str = ""
    ) -> Reply:
        """Ask the requester about a notice."""
        more = {"Idempotency-Key": key} if key else {}
        return self._press(card, actor, "comment", headers=more, json={"comment": comment})

    def _press(
        self,
        card: Delivered | dict[str, str],
        actor: str,
        name: str,
        *,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Reply:
        slots = card if isinstance(card, dict) else card.slots
        sent = {"X-Actor-Email": actor, **(headers or {})}
        if "action_token" in slots:
            sent["X-Action-Token"] = slots["action_token"]
        return self.call(name, headers=sent, route={"approval_id": slots["approval_id"]}, **body)

    def story(self, approval_id: int | str, *, is_live: bool = False) -> list[str]:
        """Return the lines of an approval's story, Coupa asked as well or not."""
        query = {"live": "1"} if is_live else {}
        reply = self.call("trace", route={"approval_id": str(approval_id)}, query=query)
        return [line["text"] for line in reply.body["story"]]

    def puts(self) -> int:
        """Return how many decisions reached Coupa's door, taken or not."""
        return self.coupa.front.count("PUT")

    def approval_id(self, document: int, step: int = 0) -> int:
        """Return the id of a step of a document."""
        return int(self.coupa.world.approvals_of(document)[step].id)

    def entry(self, approval_id: int) -> Entry:
        """Return the ledger's row of an approval, open or closed."""
        found = self.store.read(approval_id) or self.store.read_closed(approval_id)
        assert found is not None
        return found

    def told(self, *, after_s: float = 0.0) -> list[str]:
        """Let time pass, run one sweep, and return who was told something."""
        self.clock.advance(after_s)
        return [each.recipient for each in self.announced()]

    def minutes(self, number: int) -> list[list[str]]:
        """Run a sweep in each of some minutes, and return who was told in each."""
        return [self.told(after_s=60) for _ in range(number)]

    def change(self, **settings: str) -> None:
        """Change settings, as a new deployment does."""
        self.settings |= settings
        self.restart()

    def decide(self, cards: list[Delivered], actor: str, **headers: str) -> Reply:
        """Approve what some notices show in one request."""
        items = [{"id": each.slots["approval_id"], "token": each.slots["action_token"]} for each in cards]
        body = {"decision": "approve", "items": items}
        return self.call("decide", headers={"X-Actor-Email": actor, **headers}, json=body)


def offered(
    *approvers: Any, settings: dict[str, str] | None = None, **details: Any
) -> tuple[World, Delivered]:
    """Return a world in which one request was told, to Jamie unless others are named, and the notice."""
    world = World(settings=settings or {})
    return world, world.offer(*approvers, **details)


def session(base: str, adapter: BaseAdapter) -> requests.Session:
    """Return a session whose requests to an address go where the adapter leads."""
    made = requests.Session()
    made.trust_env = False  # or it looks for proxies at every request
    made.mount(base, adapter)
    return made
