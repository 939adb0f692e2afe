"""A Coupa, a Moveworks and any number of pollers on one ledger, all behind the seam."""

from __future__ import annotations

import base64
import itertools
import json
import logging
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast

import requests
from bridge import COUPA, MOVEWORKS, SETTINGS, services, session
from canaries import CLIENT_ID, CLIENT_SECRET

from coupa_core import ledger
from coupa_core.app import Bridge, Overrides, build
from coupa_core.audit_log import AuditStore, MemoryAuditStore
from coupa_core.authority import EmailMap
from coupa_core.clock import Deadline
from coupa_core.content import content_hash
from coupa_core.coupa import Access, Coupa
from coupa_core.directory import Directory
from coupa_core.endpoints import Request
from coupa_core.http_client import HttpClient
from coupa_core.ledger import Entry, LedgerStore, MemoryStore, State
from coupa_core.model import version
from coupa_core.settings import Settings, read_settings
from proof.seam import Door, Killed, Seam, SeamStore
from sandbox.clock import ManualClock
from sandbox.coupa.world import Group, Line
from sandbox.moveworks import Delivered
from sandbox.serving import InProcess

_SETTINGS = {
    name: value
    for name, value in SETTINGS.items()
    if name not in {"MOVEWORKS_MAX_PER_MINUTE", "LIST_TOKENS"}  # these two are as by default
}
LISTENER = {"MOVEWORKS_EVENT_ID": "", "MOVEWORKS_LISTENER_ID": "coupa-approvals"}
"""Over these settings, people are told through the listener."""

_cache: dict[tuple[tuple[str, str], ...], Settings] = {}


@dataclass(frozen=True)
class Told:
    """What one notice said: which approval, to whom, on which content, in which round."""

    approval_id: int
    approver_key: str
    person: str
    content: str
    generation: int

    @property
    def version(self) -> str:
        """Return the name of the version, as the ledger has it."""
        return version(approver_key=self.approver_key, content=self.content, generation=self.generation)


_REMINDS = "has been waiting for your approval"
_LISTS = re.compile(r"<b>\d+ approvals? (?:is|are) (?:still )?waiting for you in Coupa\b")
_LISTED = re.compile(r'/requisition_headers/(\d+)">[^<]*</a>: [^<]*?USD ([\d,.]+\d)')


def is_card(delivered: Delivered) -> bool:
    """Tell whether a message has buttons."""
    return "action_token" in delivered.slots


def is_reminder(delivered: Delivered) -> bool:
    """Tell whether a card says again what was said before."""
    return _REMINDS in delivered.message


def listed(delivered: Delivered) -> dict[int, Decimal]:
    """Return the documents that a digest names, and their amounts; none for any other message."""
    if not _LISTS.search(delivered.message):
        return {}
    found = _LISTED.findall(delivered.message)
    return {int(number): Decimal(amount.replace(",", "")) for number, amount in found}


_CHANGED = re.compile(r"Amount: USD ([\d,.]+\d) → USD ")
_AMOUNT = re.compile(r", USD ([\d,.]+\d)(?:, by [^<]*)?</b>")
_DOCUMENT = re.compile(r"/requisition_headers/(\d+)")


def wrong_before(delivered: Iterable[Delivered]) -> list[str]:
    """Return the cards that call another amount "before" than the one that their reader was shown last."""
    shown: dict[tuple[str, str], str] = {}
    documents: dict[tuple[str, str], str] = {}
    wrong = []
    for each in delivered:
        if not is_card(each):
            amounts = {str(number): f"{amount:,.2f}" for number, amount in listed(each).items()}
            for key, document in documents.items():
                if key[1] == each.recipient and document in amounts:
                    shown[key] = amounts[document]
            continue
        key = (each.slots["approval_id"], each.recipient)
        said, changed = _AMOUNT.search(each.message), _CHANGED.search(each.message)
        number = _DOCUMENT.search(each.message)
        before, now = changed[1] if changed else "", said[1] if said else ""
        must_say = "has changed and still needs" in each.message and shown.get(key, now) != now
        if (before or must_say) and shown.get(key, before) != before:
            wrong.append(f"{key} was shown {shown[key]}: {each.message}")
        shown[key] = now or shown.get(key, "")
        documents[key] = number[1] if number else documents.get(key, "")
    return wrong


def told(delivered: Delivered) -> Told:
    """Read what a notice offers from its action token."""
    payload = delivered.slots["action_token"].split(".")[2]
    said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return Told(said["a"], said["p"], said["w"], said["d"], said["g"])


def click(poller: Poller, card: Delivered, verb: str, *, actor: str | None = None) -> str:
    """Press a button of a notice, as its recipient or as somebody else; return the outcome or error."""
    request = Request(
        headers={
            "X-Actor-Email": actor or card.recipient,
            "X-Action-Token": card.slots["action_token"],
        },
        route={"approval_id": card.slots["approval_id"]},
        body=b'{"reason": "because"}',
    )
    body = poller.bridge.endpoints.handle(verb, request).body
    return str(body.get("outcome") or body.get("error"))


Key = tuple[int, str]
"""An approval and the key of a person."""


@dataclass
class Books:
    """What was sent and marked, in order, and whether each repeat has a reason.

    A send repeats when the last notice to the person about the approval said the same. It is explained when
    that one was never marked: its answer or its mark was lost, or its sender was killed. Which version a
    digest told of shows in its mark only; one that was never marked is known by what is sent after it.

    Attributes:
        last_sent: the version that each person was last told of each approval.
    """

    repeated: int = 0
    unexplained: int = 0
    worst: int = 0
    last_sent: dict[Key, str] = field(default_factory=dict)
    _last_marked: dict[Key, str] = field(default_factory=dict)
    _listed: set[Key] = field(default_factory=set)
    _unmarked: set[Key] = field(default_factory=set)
    _reminders: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    _streak: dict[Key, int] = field(default_factory=dict)
    _known: dict[int, frozenset[str]] = field(default_factory=dict)

    def sent(self, key: Key, version: str) -> None:
        if self.last_sent.get(key) == version:
            self.repeated += 1
            self.unexplained += self._last_marked.get(key) == version
        else:
            self._streak[key] = 0
        self._streak[key] += 1
        self.worst = max(self.worst, self._streak[key])
        self.last_sent[key] = version

    def knows(self, key: Key, version: str, row: Entry) -> bool:
        """Tell whether a person was told this version: by a notice, or by a digest whose mark is in the row.

        That mark may be all that there is, where its writer died before it could say that it wrote it.
        """
        is_marked = key in self._listed and row.to(key[1]).version == version
        return is_marked or self.last_sent.get(key) == version

    def listed(self, key: Key, *, is_reminder: bool) -> None:
        """A digest with this approval took effect."""
        self._listed.add(key)
        if not is_reminder:
            self.repeated += key in self._unmarked
            self._unmarked.add(key)

    def reminded(self, said: Told, *, limit: int) -> None:
        """A reminder took effect; more than there may be have no reason."""
        key = (said.approval_id, said.person, said.version)
        self._reminders[key] += 1
        self.unexplained += self._reminders[key] > limit

    def marked(self, key: Key, version: str) -> None:
        self._unmarked.discard(key)
        self._last_marked[key] = version

    def forgotten(self, entry: Entry) -> None:
        """Somebody who could not decide any more was forgotten, and is to be told anew when that changes.

        Whoever was never marked is not forgotten: the next notice to them is a repeat.
        """
        for person in self._known.get(entry.approval_id, frozenset()) - entry.told.keys():
            self.last_sent.pop((entry.approval_id, person), None)
            self._last_marked.pop((entry.approval_id, person), None)
            self._unmarked.discard((entry.approval_id, person))
        self._known[entry.approval_id] = frozenset(entry.told)


class Poller:
    """One process: a bridge with its own memory, and the books of what it sent and marked."""

    def __init__(self, rig: Rig, seam: Seam) -> None:
        self._rig = rig
        self.seam = seam
        self.kills = 0
        self.start()

    def start(self) -> None:
        rig = self._rig
        self.unmarked: list[tuple[Key, str]] = []
        self.listed: dict[Key, str] = {}
        seamed = SeamStore(
            rig.store,
            self.seam,
            step="store ",
            code="ledger",
            writes=("insert", "replace", "archive", "save_note"),
            committed=self._committed,
        )
        self.store = cast("LedgerStore", seamed)
        self.bridge: Bridge = build(
            rig.settings,
            Overrides(
                rig.clock,
                random.Random(1),
                store=self.store,
                audit_store=rig.audit_log,
                coupa_session=self._session(COUPA, "coupa", InProcess(rig.coupa.front)),
                moveworks_session=self._session(MOVEWORKS, "moveworks", _Counting(self, rig)),
                new_nonce=rig.new_nonce,
                workers=1,
            ),
        )

    def sweep(self) -> bool:
        """Run one sweep; when the process is killed in it, start a new one. Tell whether it survived."""
        try:
            self.bridge.sweep.run()
        except Killed:
            self.kills += 1
            self.start()
            return False
        self.listed.clear()  # a digest is marked in its own sweep, or never
        return True

    def sent(self, delivered: Delivered) -> None:
        books, limit = self._rig.books, self._rig.settings.remind_max
        if is_card(delivered):
            said = told(delivered)
            if is_reminder(delivered):
                books.reminded(said, limit=limit)
                return
            key = (said.approval_id, said.person)
            self.unmarked.append((key, said.version))
            books.sent(key, said.version)
            self.listed.pop(key, None)
        for key, before, is_again in self._rig.claimed(listed(delivered), delivered.recipient):
            self.listed[key] = before
            books.listed(key, is_reminder=is_again)

    def _committed(self, entry: Entry) -> None:
        books = self._rig.books
        books.forgotten(entry)
        for key, before in list(self.listed.items()):
            version = entry.to(key[1]).version
            if key[0] == entry.approval_id and version != before:
                del self.listed[key]
                books.sent(key, version)
                books.marked(key, version)
        for each in self.unmarked:
            (approval_id, person), version = each
            if approval_id == entry.approval_id and version == entry.to(person).version:
                self.unmarked.remove(each)
                books.marked(*each)
                return

    def _session(self, base: str, name: str, inside: InProcess) -> requests.Session:
        return session(base, Door(name, inside, self.seam, self._rig.clock))


class _Counting(InProcess):
    """The way into Moveworks that tells the poller which of its notices took effect."""

    def __init__(self, poller: Poller, rig: Rig) -> None:
        super().__init__(rig.moveworks.front)
        self._poller = poller
        self._rig = rig

    def send(self, request: requests.PreparedRequest, *args: object, **options: object) -> requests.Response:
        before = len(self._rig.moveworks.delivered)
        reply = super().send(request, *args, **options)  # type: ignore[arg-type]
        for delivered in self._rig.moveworks.delivered[before:]:
            self._poller.sent(delivered)
        return reply


class _Unstepped:
    """The same time, without the steps of the pollers' wall clocks."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._start = clock.now()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._clock.monotonic())

    def monotonic(self) -> float:
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds)


def _total(card: ledger.PersonState) -> Decimal | None:
    """Return the amount that a person was shown last."""
    return Decimal(json.loads(card.figures)["total"]) if card.figures else None


class Rig:
    """The world of one run.

    Args:
        store: the ledger's rows; in memory unless a run brings others.
        audit_log: the audit record's; the same.
        settings: what differs from the defaults.
    """

    def __init__(
        self,
        *,
        store: LedgerStore | None = None,
        audit_log: AuditStore | None = None,
        settings: dict[str, str] | None = None,
        clock: ManualClock | None = None,
    ) -> None:
        logging.getLogger("coupa_core").setLevel(logging.CRITICAL)
        self.clock = clock or ManualClock()
        self.store = store or MemoryStore()
        self.audit_log = audit_log or MemoryAuditStore()
        key = tuple(sorted((settings or {}).items()))
        if key not in _cache:
            _cache[key] = read_settings({**_SETTINGS, **(settings or {})})
        self.settings = _cache[key]
        # Setting the wall clock of a poller does not set Coupa's or Moveworks'.
        self.coupa, self.moveworks = services(_Unstepped(self.clock))
        self.books = Books()
        numbers = itertools.count(1)
        self.new_nonce: Callable[[], str] = lambda: f"{next(numbers):032x}"
        self.people = [
            self.coupa.world.add_user(
                email=f"person{number}@example.com", firstname=f"P{number}", lastname="X"
            )
            for number in range(6)
        ]
        self.requester = self.coupa.world.add_user(
            email="requester@example.com", firstname="Sam", lastname="Stinson"
        )

    def poller(self, seam: Seam | None = None) -> Poller:
        return Poller(self, seam or Seam())

    def request(self, *approvers: int | Group, price: str = "100.00") -> int:
        """Enter a requisition; approvers by number, or groups, in order."""
        return self.coupa.world.add_requisition(
            requested_by=self.requester,
            title="Laptops",
            lines=[Line("Laptop", quantity="1", unit_price=price, supplier="ACME")],
            approvers=[each if isinstance(each, Group) else self.people[each] for each in approvers],
        )

    def claimed(self, documents: Mapping[int, Decimal], address: str) -> list[tuple[Key, str, bool]]:
        """Return what a digest to this address is about, the versions told before, and what is a reminder.

        Which it is, is a guess from the amount and the time; only the count of explained repeats needs it.
        """
        if not documents:
            return []
        users, now = self.coupa.world.users.rows, self.clock.now()
        approvals = self.coupa.world.approvals.rows
        [person] = [f"user:{number}" for number in self.people if users[number].email == address]
        return [
            (
                (row.approval_id, person),
                row.to(person).version,
                bool(row.to(person).version)
                and (at := row.to(person).reminded_at) is not None
                and abs(now - at) <= timedelta(minutes=1)
                and _total(row.to(person)) == amount,
            )
            for row in self.store.open_entries().entries
            if row.state is State.CLAIMED
            and row.approval_id in approvals
            and (amount := documents.get(approvals[row.approval_id].document.id)) is not None
        ]

    def owed(self) -> dict[tuple[int, str], tuple[str, str, str]]:
        """Return what Coupa says must have been told by now.

        By approval and person: whom Coupa asks, the content, and the person's address.

        Read through a client of its own that passes no seam.
        """
        access = Access(
            HttpClient(
                name="coupa",
                base_url=COUPA,
                clock=self.clock,
                session=session(COUPA, InProcess(self.coupa.front)),
            ),
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            scopes=self.settings.asked_scopes,
            clock=self.clock,
            chance=random.Random(1),
        )
        coupa = Coupa(access, types=self.settings.document_types)
        deadline = Deadline(self.clock, 600)
        listing = coupa.pending(deadline)
        assert listing.is_complete, listing.failure
        documents = coupa.documents(listing.approvals, deadline)
        directory = Directory(coupa, clock=self.clock, emails=EmailMap(), keep_s=0)
        deciders_of = directory.deciders_of(listing.approvals, deadline)
        return {
            (approval.id, person.key): (str(approval.approver_key), content_hash(document), person.address)
            for approval in listing.approvals
            if (document := documents.get(approval.document_key)) and document.awaits(approval.id)
            for person in deciders_of[approval.id].people
        }
