"""Action tokens: what was offered to whom, signed, so that nobody else can make or change it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from coupa_core.addresses import folded
from coupa_core.authority.rules import Right
from coupa_core.model import Approval

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


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _holder(key: bytes, address: str) -> str:
    """Return a keyed hash of an address; without the key nobody can tell the address."""
    return _encode(_mac(key, f"holder {folded(address)}")[:6])


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
