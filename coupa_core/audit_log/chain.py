"""Link rows: each has the hash of the row before, and a seal that needs a key. Pure.

One chain runs through all days; the head of a day says where its rows end and which days are next to it. The
chain begins at the root, a day before all others and without rows, so that two first writers cannot begin two
chains.

    root                 Monday               Tuesday
    head: 0 rows         head: 3 rows         head: 1 row
                     <-    1 <- 2 <- 3    <-    1
    next: Monday         before: root         before: Monday
                         next: Tuesday
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from coupa_core.audit_log.events import Event, canonical

ROOT = date.min
"""The day at which every chain begins."""

GENESIS = "0" * 64
"""The value in the place of a hash in the very first row."""

_DAYS = ("day", "before", "next")
_DAY = (str, type(None))
_TYPES = {
    "day": (str,),
    "seq": (int,),
    "hash": (str,),
    "before": _DAY,
    "next": _DAY,
    "is_followed": (bool,),
    "purged": (int, type(None)),
    "kid": (str,),
}

_DERIVED = b"coupa-approvals: seals of the audit record, 1"


@dataclass(frozen=True)
class Row:
    """One event as it is stored.

    Attributes:
        seq: its place in the day, from 1 on, by its key in the store; 0 when that key is not valid.
        text: canonical JSON of `day`, `seq`, `kid`, `nonce` and `event`, as it was written; and of `follows`,
            the key that had sealed the row before, where that is another key than `kid`: the writer knew it,
            and checked its seal.
        prev: hash of the row before, which may be the last one of an earlier day.
        hash: SHA-256 over `prev` and `text`, hexadecimal.
        seal: HMAC-SHA256 over `hash` with the key that `text` names, hexadecimal.
    """

    seq: int
    text: str
    prev: str
    hash: str
    seal: str

    def values(self) -> dict[str, Any]:
        """Return the values in `text`; empty when it is not JSON of a row."""
        try:
            values = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return values if isinstance(values, dict) and isinstance(values.get("event"), dict) else {}


@dataclass(frozen=True, kw_only=True)
class Head:
    """The end of the rows of a day.

    Attributes:
        day: of the chain, UTC.
        seq: place of the last row; 0 when there is none yet.
        hash: of the last row of this day or, without any, of the days before.
        before: the day before in the chain; None for the root.
        next: the day after; once it is set, nothing is appended to this day.
        is_followed: the head of the day after has been stored: from now on its absence is a loss.
        purged: how many rows of this day and of those before it were deleted because of their age; None
            while they are here.
        kid: the id of the key of the seal: that of the last append to this day or an earlier one, or of the
            purge.
        seal: HMAC-SHA256 over all of the above, hexadecimal.
        etag: of the stored head; empty for one that is not stored yet.
    """

    day: date
    seq: int = 0
    hash: str = GENESIS
    before: date | None = None
    next: date | None = None
    is_followed: bool = False
    purged: int | None = None
    kid: str = ""
    seal: str = ""
    etag: str = field(default="", compare=False)

    def text(self) -> str:
        """Return the text that the seal covers."""
        values = {
            "day": self.day.isoformat(),
            "seq": self.seq,
            "hash": self.hash,
            "before": self.before and self.before.isoformat(),
            "next": self.next and self.next.isoformat(),
            "is_followed": self.is_followed,
            "purged": self.purged,
            "kid": self.kid,
        }
        return canonical(values)


def read_head(text: str, *, seal: str, etag: str) -> Head | None:
    """Read a head that `Head.text` wrote; None for any other text, even with a valid seal."""
    try:
        values = json.loads(text)
        if any(type(values[name]) not in types for name, types in _TYPES.items()):
            return None
        days = {name: date.fromisoformat(values[name]) for name in _DAYS if values[name] is not None}
        head = Head(**{**values, **days}, seal=seal, etag=etag)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    # Days in another order could form a loop.
    is_in_order = (head.before or date.min) <= head.day <= (head.next or date.max)
    is_elsewhere = head.day not in (head.before, head.next)
    return head if is_in_order and is_elsewhere and head.text() == text else None


class Seals:
    """The keys that seal and check; the first seals, all check, so that keys can rotate.

    Args:
        keys: by kid; at least one.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.kid = next(iter(self._keys))

    def of(self, text: str) -> str:
        """Return the seal of a text by the first key."""
        return _mac(self._keys[self.kid], text)

    def sealed(self, head: Head) -> Head:
        """Return the head with its seal by the first key."""
        return self.resealed(replace(head, kid=self.kid))

    def resealed(self, head: Head) -> Head:
        """Return the head with its seal by the key that it names, which must be known; the first for none.

        Only rows may pass the chain on to another key, because they record it: see `link`.
        """
        head = replace(head, kid=head.kid or self.kid)
        return replace(head, seal=_mac(self._keys[head.kid], head.text()))

    def hold(self, kid: str, *, text: str, seal: str) -> bool | None:
        """Tell whether a seal was made with that key; None when the key is unknown."""
        key = self._keys.get(kid)
        return None if key is None else hmac.compare_digest(_bytes(_mac(key, text)), _bytes(seal))

    def holds(self, head: Head) -> bool | None:
        """Tell whether a head's seal was made with the key that it names; None when the key is unknown."""
        return self.hold(head.kid, text=head.text(), seal=head.seal)


def derived(keys: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return keys for seals made from keys for something else.

    The kids begin with a dot, which no kid of the settings can: when keys of their own come later, the two
    cannot be confused.
    """
    return {f".{kid}": hmac.digest(key, _DERIVED, "sha256") for kid, key in keys.items()}


def link(head: Head, events: Sequence[Event], *, nonce: str, seals: Seals) -> tuple[list[Row], Head]:
    """Return the rows that append events to a day, and the head after them.

    Where another key sealed the end, the first row names that key. A holder of the new key alone can then
    still distinguish a genuine end from one that a stranger wrote.

    Args:
        head: of the day, as it was read; its seal was found to hold.
        events: in their order.
        nonce: 128 random bits as text, which distinguish rows from the same events of another writer.
        seals: the keys.
    """
    rows: list[Row] = []
    prev = head.hash
    for seq, event in enumerate(events, head.seq + 1):
        values = {"day": head.day.isoformat(), "seq": seq, "kid": seals.kid, "nonce": nonce}
        if not rows and head.kid not in ("", seals.kid):
            values["follows"] = head.kid
        text = canonical({**values, "event": event.values()})
        own = row_hash(prev, text)
        rows.append(Row(seq, text, prev, own, seals.of(own)))
        prev = own
    return rows, seals.sealed(replace(head, seq=head.seq + len(rows), hash=prev))


def row_hash(prev: str, text: str) -> str:
    """Return the hash of a row."""
    return hashlib.sha256(_bytes(f"{prev}\n{text}")).hexdigest()


def _mac(key: bytes, text: str) -> str:
    return hmac.digest(key, _bytes(text), "sha256").hex()


def _bytes(text: str) -> bytes:
    """Encode any stored text, even with half a surrogate pair, which must not end a check."""
    return text.encode("utf-8", "surrogatepass")
