"""Who may decide what: action tokens and the rules that compare a person with Coupa's record.

Pure: it reads no clock, no setting and no service. It does not know how a decision is carried out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from coupa_core.model import Approval, Document, Person

TOKEN_LIFE = timedelta(days=30)
"""As long as Moveworks' buttons live at most; state, not time, is what usually ends a token.

Source: https://help.moveworks.com/docs/button-expiration
"""

_VERSION = "v1"
_MAX_TOKEN = 1_000


@dataclass(frozen=True)
class Offer:
    """What a token says: this decision was offered to that approver, for that content, until then."""

    approval_id: int
    approver_key: str
    content: str
    generation: int
    expires_at: datetime


class TokenKeys:
    """The keys that sign and verify action tokens; the first signs, all verify, so that keys can rotate.

    A token is `v1.<kid>.<payload>.<signature>`: base64url without padding, HMAC-SHA256 over all that stands
    before the signature. It holds ids and hashes, no personal data.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)

    def offer(
        self, approval_id: int, *, approver_key: str, content: str, generation: int, now: datetime
    ) -> str:
        """Return the token by which this approver may decide this content from now on."""
        return self.sign(Offer(approval_id, approver_key, content, generation, now + TOKEN_LIFE))

    def sign(self, offer: Offer) -> str:
        """Return the token for an offer; about 200 characters."""
        kid, key = next(iter(self._keys.items()))
        payload = json.dumps(
            {
                "a": offer.approval_id,
                "p": offer.approver_key,
                "d": offer.content,
                "g": offer.generation,
                "e": int(offer.expires_at.timestamp()),
            },
            separators=(",", ":"),
        )
        head = f"{_VERSION}.{kid}.{_encode(payload.encode())}"
        return f"{head}.{_encode(_mac(key, head))}"

    def verify(self, token: str) -> Offer | None:
        """Return what the token says, or None when it is not ours, whatever is wrong with it.

        The signature is compared in constant time before anything in the payload is read; the expiry is for
        the caller to judge.
        """
        head, _, signature = token[:_MAX_TOKEN].rpartition(".")
        mark, _, rest = head.partition(".")
        kid, _, payload = rest.partition(".")
        key = self._keys.get(kid)
        if mark != _VERSION or key is None or not token.isascii():
            return None
        if not hmac.compare_digest(_encode(_mac(key, head)), signature):
            return None
        said = json.loads(_decode(payload))
        expires_at = datetime.fromtimestamp(said["e"], tz=UTC)
        return Offer(said["a"], said["p"], said["d"], said["g"], expires_at)


def keys_of(encoded: Mapping[str, str]) -> dict[str, bytes]:
    """Decode the base64 keys of the settings, which have been checked there."""
    return {kid: base64.b64decode(key) for kid, key in encoded.items()}


def same_address(left: str | None, right: str | None) -> bool:
    """Compare two e-mail addresses without regard to capitals, and exactly in everything else.

    Not `casefold`, to which "ß" is "ss"; and no letter outside ASCII is one inside, as the Kelvin sign's
    small letter would be.
    """
    one, other = (left or "").strip(), (right or "").strip()
    return one != "" and one.isascii() == other.isascii() and one.lower() == other.lower()


def is_approver(actor: str, approval: Approval) -> bool:
    """Tell whether the person with this e-mail is the active user whom Coupa asks.

    Groups and delegates are not resolved here: for them the answer is no.
    """
    who = approval.approver
    if who is None or approval.is_for_group or who.active is False:
        return False
    return same_address(actor, who.email)


def is_requester(actor: str, approval: Approval, document: Document) -> bool:
    """Tell whether the person asked for the purchase, or entered it for somebody."""
    askers = [person for person in (document.requested_by, document.created_by) if person]
    return any(same_address(actor, asker.email) or _same_user(asker, approval) for asker in askers)


def _same_user(asker: Person, approval: Approval) -> bool:
    """Compare ids too: one person may have two addresses."""
    return asker.id is not None and approval.approver_key == f"user:{asker.id}"


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
