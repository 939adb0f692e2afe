"""The settings of 0.2.0: names that are gone, and maps in another grammar than JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from coupa_core.environment import pairs_of

_CLIENTS = (
    "ENTRA_CLIENTS names the applications of all kinds of callers, such as "
    '{"decisions": ["3f2504e0-4f89-41d3-9a0c-0305e82c3301"]}'
)
_KINDS = ("DECISION", "RELAY", "OPERATOR")

FORMER: Mapping[str, str] = {
    "COUPA_SCOPES": "is gone since 0.3.0: the scopes follow from DOCUMENT_TYPES, COMMENTS and FACTS",
    **{f"ENTRA_{kind}_CLIENTS": f"is gone since 0.3.0: {_CLIENTS}" for kind in _KINDS},
    "ENTRA_CLIENT_IDS": f"is gone since 0.2.0: {_CLIENTS}",
    "LEDGER_ACCOUNT_URL": "is called LEDGER_CONNECTION since 0.3.0",
    "MOVEWORKS_CHANNEL": "is gone since 0.3.0: MOVEWORKS_EVENT_ID or MOVEWORKS_LISTENER_ID says which it is",
    "RELAY": "is gone since 0.3.0: RELAY_DOMAINS opens the relay, and without it the relay is closed",
}
"""The message for each name that is no longer a setting.

`LANGUAGE`, now `NOTICE_LANGUAGE`, is not among them: gettext uses the same name, and many machines set it.
"""


def in_json(name: str, text: str) -> tuple[str, str]:
    """Return a value of 0.2.0 as JSON, and the same JSON without secrets; both empty for other values.

    >>> in_json("STEP_UP_OVER", "usd:10000, *:0.50")[1]
    '{"USD": 10000, "*": 0.50}'
    >>> in_json("LINK_TEMPLATE", "{base}/x/{id};Contract={base}/c/{id}")[1]
    '{"*": "{base}/x/{id}", "Contract": "{base}/c/{id}"}'
    >>> in_json("ACTION_TOKEN_KEYS", "k2:c2VjcmV0,k1:c2VjcmV0")[1]
    '{"k2": "the key k2", "k1": "the key k1"}'
    """
    if name not in _READERS or pairs_of(text) is not None:
        return "", ""
    pairs = _READERS[name](text)
    if not pairs:
        return "", ""
    is_secret = name.endswith("_KEYS")
    shown = [(each, json.dumps(f"the key {each}")) for each, _ in pairs] if is_secret else pairs
    return _object(pairs), _object(shown)


_Pairs = list[tuple[str, str]]
"""Names with their values as JSON."""


def _object(pairs: _Pairs) -> str:
    return "{" + ", ".join(f"{json.dumps(name)}: {value}" for name, value in pairs) + "}"


def _keys(text: str) -> _Pairs:
    found = [
        re.fullmatch(r"\s*([A-Za-z0-9_-]{1,16}):([A-Za-z0-9+/]+=*)\s*", part) for part in text.split(",")
    ]
    return [(each[1], json.dumps(each[2])) for each in found if each] if all(found) else []


def _limits(text: str) -> _Pairs:
    found = [re.fullmatch(r"\s*([A-Za-z]{3}|\*):([0-9]+(?:\.[0-9]+)?)\s*", part) for part in text.split(",")]
    return [(each[1].upper(), each[2]) for each in found if each] if all(found) else []


def _fields(text: str) -> _Pairs:
    return [
        (kind, json.dumps([field.strip() for field in fields.split(",")])) for kind, fields in _by_type(text)
    ]


def _links(text: str) -> _Pairs:
    return [(kind, json.dumps(template)) for kind, template in _by_type(text)]


def _by_type(text: str) -> _Pairs:
    """Return the entries between semicolons by type: `Type=...`, or `*` for an entry without a type."""
    entries = [entry.strip() for entry in text.split(";") if entry.strip()]
    found = [re.fullmatch(r"(?:([A-Za-z][A-Za-z0-9:]*)\s*=)?\s*(.*)", entry) for entry in entries]
    return [(each[1] or "*", each[2]) for each in found if each]


_READERS: Mapping[str, Callable[[str], _Pairs]] = {
    "ACTION_TOKEN_KEYS": _keys,
    "AUDIT_KEYS": _keys,
    "LINK_TEMPLATE": _links,
    "NOTICE_FIELDS": _fields,
    "STEP_UP_OVER": _limits,
}
