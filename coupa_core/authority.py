"""Decide who may decide: action tokens, and the rules that compare a person with Coupa's record.

Pure: it reads no clock, no setting and no service. It does not know how a decision is carried out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, KeysView, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from coupa_core.addresses import domain_of, folded, is_address, same_address
from coupa_core.errors import ServiceError
from coupa_core.model import Approval, Bar, Document, Figure, Person, Verb

TOKEN_LIFE = timedelta(days=30)
"""The longest life of a Moveworks button; usually the state of the approval, not time, ends a token.

Source: https://help.moveworks.com/docs/button-expiration
"""

_VERSION = "v1"
_MAX_TOKEN = 1_000


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The content of a token: this decision was offered to that person, for that content, until then.

    Attributes:
        approver_key: the user or group whom Coupa asks: `user:<id>` or `group:<id>`.
        person: the decider who was told: `user:<id>`.
        content: the hash of the content that was shown. Empty where no decision was offered: with such a
            token a person may ask the requester, and learns why it cannot be decided in chat.
        generation: of the approval's row.
        locale: of the language that this person reads, for answers without a call to Coupa.
        holder: a keyed hash of the person's address in the chat, for the same answers; empty in a token of an
            earlier version.
        kid: the id of the key that signed it, for the audit log.
    """

    approval_id: int
    approver_key: str
    person: str
    content: str
    generation: int
    expires_at: datetime
    locale: str = field(default="", compare=False)
    holder: str = field(default="", compare=False)
    kid: str = field(default="", compare=False)


class TokenKeys:
    """The keys that sign and verify action tokens; the first signs, all verify, so that keys can rotate.

    A token is `v1.<kid>.<payload>.<signature>`: base64url without padding, HMAC-SHA256 over everything
    before the signature. It holds ids and hashes, no personal data.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    def offer(self, right: Right, approval: Approval, *, content: str, generation: int, now: datetime) -> str:
        """Return a token with which the person may decide this content, or ask a question; see `Offer`."""
        key = next(iter(self._keys.values()))
        return self.sign(
            Offer(
                approval_id=approval.id,
                approver_key=approval.approver_key or "",
                person=right.decider.key,
                content="" if right.bar else content,
                generation=generation,
                expires_at=now + TOKEN_LIFE,
                locale=right.decider.locale,
                holder=_holder(key, right.decider.address),
            )
        )

    def is_held_by(self, offer: Offer, address: str) -> bool:
        """Tell whether the person of a token has this address; False for a token of an earlier version."""
        return hmac.compare_digest(_holder(self._keys[offer.kid], address), offer.holder)

    def sign(self, offer: Offer) -> str:
        """Return the token for an offer; about 240 characters."""
        kid, key = next(iter(self._keys.items()))
        fields = {
            "a": offer.approval_id,
            "p": offer.approver_key,
            "w": offer.person,
            "d": offer.content,
            "g": offer.generation,
            "e": int(offer.expires_at.timestamp()),
        }
        more = {name: text for name, text in (("l", offer.locale), ("h", offer.holder)) if text}
        payload = json.dumps(fields | more, separators=(",", ":"))
        head = f"{_VERSION}.{kid}.{_encode(payload.encode())}"
        return f"{head}.{_encode(_mac(key, head))}"

    def verify(self, token: str) -> Offer | None:
        """Return the content of a token; None when it is not valid, for whatever reason.

        The signature is compared in constant time before the payload is read; the caller checks the expiry.
        """
        head, _, signature = token[:_MAX_TOKEN].rpartition(".")
        mark, _, rest = head.partition(".")
        kid, _, payload = rest.partition(".")
        key = self._keys.get(kid)
        if mark != _VERSION or key is None or not token.isascii():
            return None
        if not hmac.compare_digest(_encode(_mac(key, head)), signature):
            return None
        fields = json.loads(_decode(payload))
        return Offer(
            approval_id=fields["a"],
            approver_key=fields["p"],
            person=fields.get("w", ""),  # a token of an earlier version fits nobody
            content=fields["d"],
            generation=fields["g"],
            expires_at=datetime.fromtimestamp(fields["e"], tz=UTC),
            locale=fields.get("l", ""),
            holder=fields.get("h", ""),
            kid=kid,
        )


def keys_of(encoded: Mapping[str, str]) -> dict[str, bytes]:
    """Decode the base64 keys of the settings, which were checked there."""
    return {kid: base64.b64decode(key) for kid, key in encoded.items()}


class EmailMap:
    """A map from Coupa's e-mail addresses to the chat's, where the two differ.

    Args:
        chat_by_coupa: distinct addresses to distinct addresses, and `@domain` to `@domain` for all others
            of a domain; the settings have checked them.
    """

    def __init__(self, chat_by_coupa: Mapping[str, str] | None = None) -> None:
        self._chat = {folded(coupa): chat for coupa, chat in (chat_by_coupa or {}).items()}

    def to_chat(self, address: str | None) -> str:
        """Return the person's address in the chat; empty when there is none that can be used."""
        own = (address or "").strip()
        domain = self._chat.get(f"@{domain_of(own)}")
        other = f"{own.rpartition('@')[0]}{domain}" if domain else own
        known = self._chat.get(folded(own), other)
        return known if is_address(known) else ""

    def from_chat(self, address: str) -> list[str]:
        """Return the addresses that Coupa may have for somebody in the chat."""
        given = address.strip()
        name, whole = given.rpartition("@")[0], f"@{domain_of(given)}"
        mapped = [coupa for coupa, chat in self._chat.items() if same_address(chat, given)]
        mapped += [f"{name}{coupa}" for coupa, chat in self._chat.items() if same_address(chat, whole)]
        return [each for each in [*mapped, given] if same_address(self.to_chat(each), given)]


class Capacity(StrEnum):
    """The reason why a person may decide."""

    APPROVER = "approver"
    MEMBER = "member"
    DELEGATE = "delegate"


@dataclass(frozen=True)
class Decider:
    """A person who may decide an approval now.

    Attributes:
        key: `user:<id>`.
        address: the person's e-mail address in the chat.
        name: for Coupa's record; possibly empty.
        locale: of the language that the person reads, as Coupa has it; possibly empty.
        capacity: why the person may decide.
    """

    key: str
    address: str
    name: str
    locale: str
    capacity: Capacity

    def acts_for(self, approval: Approval) -> str:
        """Return the name of the group or person that they act for; empty for the approver."""
        return "" if self.capacity is Capacity.APPROVER else approval.asked_name


@dataclass(frozen=True)
class Deciders:
    """The people who may decide one approval now.

    Attributes:
        people: possibly empty.
        is_certain: everything was read; if not, a person who is missing here may still be a decider.
        failure: the error of the read that failed.
    """

    people: tuple[Decider, ...]
    is_certain: bool
    failure: ServiceError | None = None

    @property
    def keys(self) -> KeysView[str]:
        """Return the people's keys, in their order."""
        return {person.key: person for person in self.people}.keys()


def find_deciders(
    approval: Approval,
    *,
    members: Iterable[Person],
    delegates: Iterable[Person],
    emails: EmailMap,
) -> tuple[Decider, ...]:
    """Return everybody who may decide an approval: the approver or the group's members, then the delegates.

    A person who is inactive, or has no id or no e-mail, is left out. An inactive approver has no delegates
    either, because they have only the approver's right.

    Args:
        approval: as Coupa has it now.
        members: of the group that is asked; ignored for a user.
        delegates: the people who act now for the user that is asked; ignored for a group.
        emails: maps Coupa's addresses to the chat's.
    """
    who = approval.approver
    found: dict[str, Decider] = {}
    candidates: list[tuple[Person, Capacity]] = []
    if approval.is_for_group:
        candidates = [(person, Capacity.MEMBER) for person in members]
    elif who is not None and who.active is not False:
        asked = who if who.id is not None else who.model_copy(update={"id": approval.approver_id})
        candidates = [(asked, Capacity.APPROVER), *((person, Capacity.DELEGATE) for person in delegates)]
    for person, capacity in candidates:
        if known := decider_of(person, capacity, emails):
            found.setdefault(known.key, known)
    return tuple(found.values())


def decider_of(person: Person, capacity: Capacity, emails: EmailMap) -> Decider | None:
    """Return a person as a decider; None for one who is inactive, or has no id or no e-mail."""
    address = emails.to_chat(person.email)
    if person.active is False or person.key is None or not address:
        return None
    return Decider(person.key, address, person.name, person.default_locale or "", capacity)


def decider_at(address: str, people: Iterable[Decider]) -> Decider | None:
    """Return the one person with this address in the chat; None for none, and for more than one."""
    found = [person for person in people if same_address(person.address, address)]
    return found[0] if len(found) == 1 else None


def is_requester(decider: Decider, document: Document, emails: EmailMap) -> bool:
    """Tell whether the person requested or entered the document, by id or by address."""
    return any(is_same(decider, asker, emails) for asker in document.askers)


def is_same(decider: Decider, person: Person | None, emails: EmailMap) -> bool:
    """Tell whether a record of Coupa is this person's."""
    if person is None:
        return False
    return person.key == decider.key or same_address(decider.address, emails.to_chat(person.email))


class Limits:
    """Amounts above which a decision is made in Coupa itself.

    Args:
        by_currency: the most that may be decided in chat, by ISO code; `*` for every other currency that
            Coupa states.
    """

    def __init__(self, by_currency: Mapping[str, Decimal] | None = None) -> None:
        self._by_currency = dict(by_currency or {})

    def bar(self, document: Document) -> Bar | None:
        """Return why one of the document's figures bars a decision in chat; None when none does.

        Where there are limits, a figure that is not stated, or in a currency without a limit, bars it, too. A
        negative figure, of a refund or a cancelled order, counts by its size.
        """
        found = {self._bar(each) for each in document.figures} if self._by_currency else set()
        return next((bar for bar in (Bar.TOO_GREAT, Bar.UNSTATED) if bar in found), None)

    def _bar(self, figure: Figure) -> Bar | None:
        code = ((figure.currency and figure.currency.code) or "").strip().upper()
        limit = self._by_currency.get(code, self._by_currency.get("*"))
        is_code = len(code) == 3 and code.isascii() and code.isalpha()  # noqa: PLR2004 - ISO 4217
        if not is_code or limit is None or figure.amount is None:
            return Bar.UNSTATED
        return Bar.TOO_GREAT if abs(figure.amount) > limit else None


@dataclass(frozen=True)
class Right:
    """The actions of a decider in chat, or the reason why there are none.

    Attributes:
        decider: the person.
        actions: the actions that are offered and accepted; empty where there is a bar.
        bar: why the person can decide in Coupa only; None where chat is possible.
    """

    decider: Decider
    actions: tuple[Verb, ...] = ()
    bar: Bar | None = None


class Rules:
    """The operator's rules for decisions in chat: notices, lists, clicks and traces all ask them.

    Args:
        actions: the actions that approvers have in chat.
        limits: amounts above which a decision is made in Coupa itself.
        emails: to the chat's addresses.
        allow_self: people may decide on their own requests.
    """

    def __init__(
        self, *, actions: tuple[Verb, ...], limits: Limits, emails: EmailMap, allow_self: bool
    ) -> None:
        self.emails = emails
        self._actions = actions
        self._limits = limits
        self._allow_self = allow_self

    def right(self, decider: Decider, approval: Approval, document: Document) -> Right:
        """Return the right of a person to an approval whose turn it is."""
        if bar := self._bar(decider, document):
            return Right(decider, bar=bar)
        can_hold = approval.holdable is True
        return Right(decider, tuple(verb for verb in self._actions if verb is not Verb.HOLD or can_hold))

    def rights(
        self, deciders: Deciders, approval: Approval, document: Document, *, shared: Collection[str] = ()
    ) -> list[Right]:
        """Return the right of every decider; an address of two users has none in chat."""
        return [
            Right(person, bar=Bar.SHARED)
            if person.address in shared
            else self.right(person, approval, document)
            for person in deciders.people
        ]

    def _bar(self, decider: Decider, document: Document) -> Bar | None:
        """Return why this person cannot decide this document in chat; None when it is possible."""
        if not self._allow_self and is_requester(decider, document, self.emails):
            return Bar.OWN if is_same(decider, document.requested_by, self.emails) else Bar.ENTERED
        if document.is_sensitive:
            return Bar.SENSITIVE
        if not self._allow_self and not document.says_who_asked:
            return Bar.UNNAMED
        return self._limits.bar(document)


def recipients(rights: Iterable[Right]) -> list[Right]:
    """Return the rights of the people to tell: no shared address, and the requester as the last resort."""
    everybody = list(rights)
    others = [each for each in everybody if not (each.bar and each.bar.is_of_asker)]
    return [each for each in others or everybody if each.bar is not Bar.SHARED]


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _holder(key: bytes, address: str) -> str:
    """Return a keyed hash of an address; without the key nobody can tell the address."""
    return _encode(_mac(key, f"holder {folded(address)}")[:6])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
