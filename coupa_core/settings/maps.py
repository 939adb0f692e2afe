"""Parse the settings that are maps: JSON objects without duplicate names.

A ValueError gives the expected form, and never the value. A map that only one component uses is parsed there.
"""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from typing import Annotated

from pydantic import SecretStr

from coupa_core.addresses import folded, is_address
from coupa_core.environment import pairs_of
from coupa_core.routes import Caller
from coupa_core.settings.values import parsed

MIN_KEY_BYTES = 32

_ONE_KEY = "`python -m coupa_core.keys one` makes such a key"
_NO_KEYS = f'must be a JSON object from names to keys such as {{"k1": "base64key"}}: {_ONE_KEY}'
_NO_EMAILS = (
    'must be a JSON object of e-mail addresses such as {"ann@corp.example": "ann@example.com"}, '
    'or of domains such as {"@corp.example": "@example.com"}'
)
_NO_LIMITS = (
    'must be a JSON object from currencies to amounts such as {"USD": 10000, "EUR": 9000}, with * for all '
    "others"
)
_NO_CLIENTS = (
    f"must be a JSON object from kinds of callers ({', '.join(Caller)}) to lists of client ids of Entra "
    'applications (GUIDs) such as {"decisions": ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]}'
)
_CLIENT_ID = re.compile(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _keys(text: str) -> dict[str, SecretStr]:
    """Parse `{"kid": "base64key"}`; the first key signs, and all verify."""
    pairs = pairs_of(text)
    if not pairs:
        raise ValueError(_NO_KEYS)
    keys: dict[str, SecretStr] = {}
    for kid, encoded in pairs:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", kid) or not isinstance(encoded, str):
            raise ValueError(_NO_KEYS)
        if kid in keys:
            raise ValueError(
                "names two keys alike: `python -m coupa_core.keys one` makes one with its own name"
            )
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ValueError(_NO_KEYS) from None
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"must hold keys of at least {MIN_KEY_BYTES} random bytes: {_ONE_KEY}")
        keys[kid] = SecretStr(encoded)
    return keys


def _emails(text: str) -> dict[str, str]:
    """Parse pairs of addresses; refuse an address that two people share on either side."""
    pairs = pairs_of(text)
    if pairs is None or not all(_is_email_pair(pair) for pair in pairs):
        raise ValueError(_NO_EMAILS)
    for side in (0, 1):
        if len({folded(pair[side]) for pair in pairs}) < len(pairs):
            raise ValueError("must not name an address twice, on either side")
    return dict(pairs)


def _is_email_pair(pair: tuple[str, object]) -> bool:
    """Tell whether it is a pair of addresses, or of domains that begin with `@`."""
    coupa, chat = pair
    if not isinstance(chat, str) or coupa.startswith("@") != chat.startswith("@"):
        return False
    user = "any" if coupa.startswith("@") else ""
    return is_address(user + coupa) and is_address(user + chat)


def _limits(text: str) -> dict[str, Decimal]:
    """Parse `{"USD": 10000, "*": 5000}`."""
    pairs = pairs_of(text)
    if not pairs or not all(re.fullmatch(r"[A-Za-z]{3}|\*", code) for code, _ in pairs):
        raise ValueError(_NO_LIMITS)
    limits: dict[str, Decimal] = {}
    for code, amount in pairs:
        if not isinstance(amount, Decimal) or not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,4})?", str(amount)):
            raise ValueError(_NO_LIMITS)
        if code.upper() in limits:
            raise ValueError("must not name a currency twice")
        limits[code.upper()] = amount
    return limits


def _clients(text: str) -> dict[Caller, tuple[str, ...]]:
    """Parse the client ids of Entra applications by kind of caller."""
    pairs = pairs_of(text)
    if not pairs or len(dict(pairs)) < len(pairs) or not {each for each, _ in pairs} <= set(Caller):
        raise ValueError(_NO_CLIENTS)
    for _, ids in pairs:
        if not isinstance(ids, list) or not ids or not all(_is_client(each) for each in ids):
            raise ValueError(_NO_CLIENTS)
    return {Caller(kind): tuple(each.lower() for each in ids) for kind, ids in pairs}


def _is_client(value: object) -> bool:
    return isinstance(value, str) and bool(_CLIENT_ID.fullmatch(value))


Clients = Annotated[dict[Caller, tuple[str, ...]], parsed(_clients)]
EmailPairs = Annotated[dict[str, str], parsed(_emails)]
Keys = Annotated[dict[str, SecretStr], parsed(_keys)]
LimitMap = Annotated[dict[str, Decimal], parsed(_limits)]
