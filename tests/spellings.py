"""One right value for each setting, and the ways in which people and files misspell it."""

from __future__ import annotations

from bridge import SETTINGS
from canaries import TOKEN_KEYS

from coupa_core.settings import EASY_AUTH, HOST_STORAGE, NAMES, Settings

BASE = {**SETTINGS, EASY_AUTH: "True", "RELAY_DOMAINS": "example.com"}
"""Settings with which the app works, and each one below can be set."""

BLANKS = [
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u3000",
    "\u2800",
    " \u2060\u00a0\n",
]
AROUND = ["{}\r", "{}\r\n", "\ufeff{}", "\u00a0{}\u200b", " \u3000{}\u2060\t"]
QUOTED = ['"{}"', "'{}'", "\u201c{}\u201d", ' "{}"\r\n', '"{} "']
INSIDE = ["{0}\n{0}", "{0}\u200b{0}", "{0}\u00a0{0}"]

_CLIENT = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
_RIGHT = {
    **SETTINGS,
    "DOCUMENT_TYPES": "RequisitionHeader,Contract",
    "COUPA_CLIENT_LOGIN": "moveworks-approvals",
    "NOTICE_FIELDS": '{"Contract": ["title"]}',
    "FACTS": "budget,supplier_status",
    "REMIND_BEFORE_DAYS": "3,1",
    "ACTIONS": "approve,reject",
    "LINK_TEMPLATE": '{"*": "{base}/x/{id}"}',
    "TIME_ZONE": "Europe/Berlin",
    "TIME_ZONES": '{"example.de": "Europe/Berlin"}',
    "QUIET_HOURS": "20:00-07:00",
    "DIGEST_AT": "09:00",
    "PILOT": "ann@example.com,example.de",
    "LEDGER_CONNECTION": "https://acme.table.core.windows.net",
    "MOVEWORKS_LISTENER_ID": "coupa-approvals",
    "AUDIT_KEYS": TOKEN_KEYS,
    "ALLOW_SELF_APPROVAL": "on",
    "STEP_UP_OVER": '{"USD": 10000}',
    "EMAIL_MAP": '{"ann@corp.example": "ann@example.com"}',
    "RELAY_DOMAINS": "example.org",
    "ENTRA_CLIENTS": f'{{"decisions": ["{_CLIENT}"]}}',
    "POLL_SCHEDULE": "30 */5 * * * *",
    HOST_STORAGE: "memory",
}


def _right(name: str) -> str:
    """Return a right value: one that differs from the default where the table or the field has it."""
    if name in _RIGHT:
        return _RIGHT[name]
    field = Settings.model_fields[name.lower()]
    if field.examples:
        return str(field.examples[0])
    return ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)


RIGHT = {name: _right(name) for name in (*NAMES, HOST_STORAGE)}
