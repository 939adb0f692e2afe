"""The only list of setting names: read from the environment once, checked at once, all mistakes named.

It makes no client and keeps no value in an error: a wrong setting is named, never shown.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
)

from coupa_core.addresses import domain_of, folded, is_address
from coupa_core.audience import read_audience
from coupa_core.cadence import Cadence, read_before, read_days, read_hour, read_hours, read_zone, read_zones
from coupa_core.documents import LEAST_SCOPES, READABLE, required_scopes, switched_scopes
from coupa_core.environment import setting, trimmed
from coupa_core.errors import SettingsError
from coupa_core.facts import Fact
from coupa_core.misspelt import meant
from coupa_core.model import Verb
from coupa_core.notice import read_actions, read_fields, read_language, read_links
from coupa_core.schedule import EVERY_MINUTE, read_schedule
from coupa_core.sensitive import read_sensitive

EASY_AUTH = "WEBSITE_AUTH_ENABLED"
"""Set by App Service while its authentication stands in front of the app, and not to be set by hand.

Without it anybody could write the header that names the caller.
Source: https://github.com/AzureAD/microsoft-identity-web, AppServicesAuthenticationInformation
"""

HOST_STORAGE = "AzureWebJobsStorage"
"""The storage connection that every function app has; the ledger lives there unless told otherwise."""

MIN_KEY_BYTES = 32
MAX_PER_MINUTE = 120
"""Requests that Moveworks takes in a minute for the whole organisation; its support may agree to more.

Source: https://help.moveworks.com/api-reference/events-api/rate-limits.md
"""

_NO_SCOPES = "must have spaces between the scopes, such as core.approval.read core.approval.write"
_NO_KEYS = "must be kid:base64key[,kid:base64key]: `python -m coupa_core.keys one` makes such a key"
_NO_CONNECTION = (
    "must be memory, or a connection string of a storage account, which begins with "
    "DefaultEndpointsProtocol=https"
)
_A_TABLES_ADDRESS = "https://acme.table.core.windows.net"
_OF_STORAGE = re.compile(
    r"(?i)(^|;)\s*(UseDevelopmentStorage|AccountName|AccountKey|TableEndpoint|SharedAccessSignature)\s*="
)
_NO_EMAIL_MAP = (
    'must be a JSON object of e-mail addresses such as {"ann@corp.example": "ann@example.com"}, '
    'or of domains such as {"@corp.example": "@example.com"}'
)

_OF_CHANNEL = {
    "events": ("MOVEWORKS_EVENT_ID", "MOVEWORKS_API_KEY"),
    "listener": ("MOVEWORKS_LISTENER_ID", "MOVEWORKS_LISTENER_SECRET"),
}

_AN_EVENT = (
    "the id that the Events Workspace shows after publishing, such as 5a0c8a52-9f0e-4d8c-9b06-5ab4d8b7a111"
)
_A_LISTENER = "what stands between /listeners/ and /notify in the listener's URL, such as coupa_approvals"

_CLIENTS = ("ENTRA_DECISION_CLIENTS", "ENTRA_RELAY_CLIENTS", "ENTRA_OPERATOR_CLIENTS")
_OF_DEPLOYMENT = ("RELAY_KEY", "DECISIONS_KEY", "OPERATORS_KEY", "SECRET_NAMES")
"""What the templates read from an engineer's shell: not for the app."""

GUARDED = ("PILOT", "DRY_RUN", "ACTIONS")
"""Short names without which more people are told, or more can be done, than was meant."""

_GONE = {"ENTRA_CLIENT_IDS": f"one setting for each kind of caller: {', '.join(_CLIENTS)}"}

_NETLOC = re.compile(r"[A-Za-z0-9._:\[\]-]+")


def _base_url(value: str) -> str:
    """Accept https anywhere and http on this machine only; no path, query, user or fragment."""
    wrong = "must be a URL such as https://name.example.com"
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:  # its text shows the value
        raise ValueError(wrong) from None
    if parts.scheme not in ("https", "http") or not has_host or not _NETLOC.fullmatch(parts.netloc):
        raise ValueError(wrong)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must not have a path, a query or a fragment: write https://name.example.com alone")
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        raise ValueError("must begin with https (http is for a loopback address only)")
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _scopes(value: str, others: ValidationInfo) -> str:
    """Refuse the scopes that would let a stolen secret delete or bypass; by default the least that serve."""
    if not value:
        return " ".join(required_scopes(others.data.get("document_types", ())))
    if "," in value or ";" in value:
        raise ValueError(_NO_SCOPES)
    for scope in value.casefold().split():
        if scope.endswith(".delete") or "bypass" in scope:
            raise ValueError("must not ask for *.delete or a bypass scope: take it away, none is needed")
    return " ".join(value.split())


def _parts(value: object) -> object:
    """Split a comma-separated list."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def _parsed(parse: Callable[[str], object]) -> Callable[[object], object]:
    """Parse a text; what is parsed already passes."""
    return lambda value: parse(value) if isinstance(value, str) else value


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Keep a text that can be read, so that the documentation shows it is written."""

    def check(value: str) -> str:
        read(value)
        return value

    return check


_TYPE_END = re.compile("(Header|Report|Response)$")


def _type_name(value: str) -> str:
    if value != "*" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9:]{0,60}", value):
        raise ValueError("must be class names of Coupa such as RequisitionHeader, or *")
    near = "*" if value.casefold() == "all" else _type_meant(value)
    if near:
        raise ValueError(f"has a type that Coupa does not know: did you mean {near}?")
    return value


def _type_meant(value: str) -> str:
    """Return the type that is read and that another one nearly is, or begins; empty where it is none."""
    given = value.casefold().removesuffix("s")
    shortened = (each for each in READABLE if _TYPE_END.sub("", each).casefold() == given)
    return "" if value in READABLE else meant(value, tuple(READABLE)) or next(shortened, "")


def _keys(value: object) -> object:
    """Read `kid:base64key[,kid:base64key]`; the first signs, all verify."""
    if not isinstance(value, str):
        return value
    keys: dict[str, SecretStr] = {}
    for part in value.split(","):
        kid, colon, encoded = part.strip().partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", kid):
            raise ValueError(_NO_KEYS)
        if kid in keys:
            raise ValueError(
                "names two keys alike: `python -m coupa_core.keys one` makes one with its own name"
            )
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise ValueError(_NO_KEYS) from error
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(
                f"must hold keys of at least {MIN_KEY_BYTES} random bytes: `python -m coupa_core.keys one` "
                "makes such a key"
            )
        keys[kid] = SecretStr(encoded)
    return keys


def _emails(value: object) -> object:
    """Read a JSON object of addresses, and refuse two people with one address on either side."""
    if not isinstance(value, str):
        return value
    try:
        pairs = json.loads(value, object_pairs_hook=tuple)
    except (ValueError, RecursionError):  # its text shows the value
        raise ValueError(_NO_EMAIL_MAP) from None
    if not isinstance(pairs, tuple) or not all(_is_email_pair(pair) for pair in pairs):
        raise ValueError(_NO_EMAIL_MAP)
    for side in (0, 1):
        if len({folded(pair[side]) for pair in pairs}) < len(pairs):
            raise ValueError("must not name an address twice, on either side")
    return dict(pairs)


def _is_email_pair(pair: object) -> bool:
    """Tell whether it is a pair of addresses, or of domains that begin with `@`."""
    if not isinstance(pair, tuple) or not all(isinstance(each, str) for each in pair):
        return False
    are_domains = [each.startswith("@") for each in pair]
    return len(set(are_domains)) == 1 and all(
        is_address(f"any{each}" if are_domains[0] else each) for each in pair
    )


def _limits(value: object) -> object:
    """Read `USD:10000,EUR:9000,*:5000`."""
    if not isinstance(value, str):
        return value
    limits: dict[str, Decimal] = {}
    for part in value.split(","):
        code, _, amount = part.strip().partition(":")
        if not re.fullmatch(r"[A-Za-z]{3}|\*", code) or not re.fullmatch(
            r"[0-9]{1,15}(\.[0-9]{1,4})?", amount
        ):
            raise ValueError("must be amounts by currency such as USD:10000,EUR:9000, with * for all others")
        if code.upper() in limits:
            raise ValueError("must not name a currency twice")
        limits[code.upper()] = Decimal(amount)
    return limits


def _domain(value: str) -> str:
    if not re.fullmatch(r"(?i)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", value):
        raise ValueError("must be domains such as example.com")
    return domain_of(f"@{value}")


def _client_id(value: str) -> str:
    if not re.fullmatch(r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value):
        raise ValueError("must be client ids of Entra applications (GUIDs)")
    return value.lower()


def _facts(value: object) -> object:
    """Read `budget,last_price`: what else of Coupa a card shows."""
    if not isinstance(value, str):
        return value
    names = [name.strip().lower() for name in value.split(",")]
    if not set(names) <= set(Fact) or len(set(names)) < len(names):
        raise ValueError(f"must be some of {', '.join(Fact)}, each once")
    return tuple(fact for fact in Fact if fact in names)


def _secret(value: SecretStr) -> SecretStr:
    """Refuse what a copy brought along unseen: a line break, a tab, a zero-width mark, a curly quote."""
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be one line of ASCII characters (a copy may have brought an invisible one)")
    return value


def _loose(value: object) -> object:
    """Forgive capitals and spaces around a fixed choice."""
    return value.strip().lower() if isinstance(value, str) else value


def _flag(value: object) -> object:
    """Take what people write for on and off elsewhere, too."""
    loose = _loose(value)
    return {"1": "on", "true": "on", "0": "off", "false": "off"}.get(str(loose), loose)


def _connection(value: SecretStr) -> SecretStr:
    """Refuse what the SDK would complain of only at the first sweep, at length."""
    text = value.get_secret_value()
    if text.lower().startswith(("http://", "https://")):
        raise ValueError(
            "is an address and must be a connection string: an address belongs into LEDGER_ACCOUNT_URL, such "
            f"as {_A_TABLES_ADDRESS}"
        )
    if text not in ("", "memory", HOST_STORAGE) and not _OF_STORAGE.search(text):
        raise ValueError(_NO_CONNECTION)
    return value


def _table_address(value: str) -> str:
    if value and not re.fullmatch(
        r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*?\.table\.[A-Za-z0-9.-]+/?", value
    ):
        raise ValueError(f"must be the address of the account's tables such as {_A_TABLES_ADDRESS}")
    return value


def _shaped(pattern: str, wanted: str) -> Callable[[str], str]:
    """Check how a text is written.

    Args:
        pattern: all of it.
        wanted: what it must be, with an example.
    """

    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise ValueError(f"must be {wanted}")
        return value

    return check


def _superior(value: str) -> str:
    """Take the word for the manager, or one address."""
    if value.lower() == "manager":
        return "manager"
    if not (value.isascii() and re.fullmatch(r"[^\s@,;<>\"]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+", value)):
        raise ValueError("must be manager or one e-mail address")
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url)]
ClientIds = Annotated[tuple[Annotated[str, AfterValidator(_client_id)], ...], BeforeValidator(_parts)]
TypeName = Annotated[str, AfterValidator(_type_name)]
Switch = Annotated[Literal["on", "off"], BeforeValidator(_flag)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
TableName = Annotated[
    str, AfterValidator(_shaped("[A-Za-z][A-Za-z0-9]{2,62}", "3 to 63 letters and digits such as approvals2"))
]


class Settings(BaseModel):
    """Every setting of the product. The alias is the name of the environment variable."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, extra="ignore", validate_default=True)

    coupa_base_url: BaseUrl = Field(
        alias="COUPA_BASE_URL",
        description="`https://{instance}.coupahost.com`; http only for a loopback address",
    )
    coupa_client_id: str = Field(alias="COUPA_CLIENT_ID", description="OAuth client: identifier")
    coupa_client_secret: Secret = Field(alias="COUPA_CLIENT_SECRET", description="OAuth client: secret")
    coupa_client_login: str = Field(
        "",
        alias="COUPA_CLIENT_LOGIN",
        description="OAuth client: login, as whom Coupa records what is decided in chat; without it a card "
        "names the client's user where it could name the person, because anybody can write our mark",
    )
    document_types: Annotated[tuple[TypeName, ...], BeforeValidator(_parts)] = Field(
        ("RequisitionHeader",),
        alias="DOCUMENT_TYPES",
        description="comma-separated approvable types; `*` for all. "
        f"{', '.join(f'`{name}`' for name in READABLE)} are read, the others announced by number and link",
    )
    coupa_scopes: Annotated[str, AfterValidator(_scopes)] = Field(
        "",
        alias="COUPA_SCOPES",
        description=f"space-separated; by default `{LEAST_SCOPES}` and what reads the other types of "
        "`DOCUMENT_TYPES`; what `COMMENTS` and `FACTS` need is asked for besides; a dangerous scope "
        "(`*.delete`, `bypass`) is refused",
    )
    coupa_max_per_second: int = Field(
        5,
        ge=1,
        le=25,
        alias="COUPA_MAX_PER_SECOND",
        description="our share of Coupa's 25 requests a second, of all instances together; "
        "a click makes four of them or more",
    )
    notice_fields: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_parsed(read_fields))] = Field(
        {},
        alias="NOTICE_FIELDS",
        description="which fields a notice shows, in order: `Type=field,field;Type=field` "
        "([the names](docs/notices.md))",
    )
    facts: Annotated[tuple[Fact, ...], BeforeValidator(_facts)] = Field(
        (),
        alias="FACTS",
        description="what Coupa knows beside a document, shown on its card ([facts](docs/notices.md#facts)): "
        f"some of {', '.join(f'`{fact}`' for fact in Fact)}; each needs its scope and costs a sweep one more "
        "call for fifty documents",
    )
    actions: Annotated[tuple[Verb, ...], BeforeValidator(_parsed(read_actions))] = Field(
        tuple(Verb),
        alias="ACTIONS",
        description="what approvers can do from chat; `hold` only where Coupa lets an approval be held",
    )
    link_template: Annotated[dict[str, str], BeforeValidator(_parsed(read_links))] = Field(
        {},
        alias="LINK_TEMPLATE",
        description="where documents are in Coupa, with `{base}`, `{type}` and `{id}`: "
        "`{base}/requisition_headers/{id}`, or `Type=template;Type=template`",
    )
    notice_language: Annotated[str, AfterValidator(read_language)] = Field(
        "en_US",
        alias="NOTICE_LANGUAGE",
        description="a locale such as `de_CH`: language, numbers and dates of everybody for whom Coupa has "
        "none of the [ten languages](docs/notices.md#language-and-time)",
    )
    time_zone: Annotated[str, AfterValidator(read_zone)] = Field(
        "UTC",
        alias="TIME_ZONE",
        description="in which notices show times, and people's hours are counted, such as `Europe/Berlin`",
    )
    time_zones: Annotated[dict[str, str], BeforeValidator(_parsed(read_zones))] = Field(
        {},
        alias="TIME_ZONES",
        description="JSON object from e-mail addresses or domains to the zones in which people's hours are "
        'counted, where they differ: `{"example.de": "Europe/Berlin"}` '
        "([when people are told](docs/cadence.md))",
    )
    quiet_hours: Annotated[str, AfterValidator(_checked(read_hours))] = Field(
        "",
        alias="QUIET_HOURS",
        description="each person's hours in which nothing is sent, such as `20:00-07:00`",
    )
    working_days: Annotated[str, AfterValidator(_checked(read_days))] = Field(
        "mon-sun",
        alias="WORKING_DAYS",
        description="on which something is sent: `mon-fri`, `sun-thu` or `mon,wed,sat`",
    )
    urgent_within_days: int = Field(
        1,
        ge=0,
        le=30,
        alias="URGENT_WITHIN_DAYS",
        description="what is needed within so many days, or was, is announced at any hour; `0` for nothing",
    )
    digest_over: int = Field(
        10,
        ge=0,
        le=1000,
        alias="DIGEST_OVER",
        description="more messages than this for one person in one sweep become one; `0` for never",
    )
    digest_at: Annotated[str, AfterValidator(_checked(read_hour))] = Field(
        "",
        alias="DIGEST_AT",
        description="each person's hour that new approvals wait for, such as `09:00`; without it they are "
        "announced at once",
    )
    remind_after_hours: int = Field(
        0,
        ge=0,
        le=720,
        alias="REMIND_AFTER_HOURS",
        examples=[24],
        description="who is silent for so long is reminded, then after gaps that double; `0` for never",
    )
    remind_max: int = Field(
        3, ge=1, le=10, alias="REMIND_MAX", description="reminders of one approval for each person"
    )
    remind_before_days: Annotated[str, AfterValidator(_checked(read_before))] = Field(
        "",
        alias="REMIND_BEFORE_DAYS",
        description="who is silent is reminded so many working days before the day by which a decision is "
        "wanted, such as `3,1`: need-by, early discount, due; without it nobody is",
    )
    escalate_after_hours: int = Field(
        0,
        ge=0,
        le=2160,
        alias="ESCALATE_AFTER_HOURS",
        examples=[72],
        description="after so long somebody else is informed, once; `0` for never",
    )
    escalate_to: Annotated[str, AfterValidator(_superior)] = Field(
        "manager",
        alias="ESCALATE_TO",
        description="`manager`: the approver's in Coupa; or one e-mail address",
    )
    closing_notice: Annotated[Literal["never", "groups", "always"], BeforeValidator(_loose)] = Field(
        "groups",
        alias="CLOSING_NOTICE",
        description="who is told that an approval ended without them: `never` anybody; `groups`: those who "
        "shared it with others; `always`: everybody who was shown it",
    )
    tell_requester: Switch = Field(
        "off",
        alias="TELL_REQUESTER",
        description="`on` tells requesters how their document ended",
    )
    first_run: Annotated[Literal["announce", "digest", "baseline"], BeforeValidator(_loose)] = Field(
        "announce",
        alias="FIRST_RUN",
        description="of what waits already when the very first sweep comes: `announce` each, one `digest` "
        "for each person, or `baseline`: nobody is told",
    )
    dry_run: Switch = Field(
        "off", alias="DRY_RUN", description="`on` sends nothing; all is told once it is switched off"
    )
    pilot: Annotated[tuple[str, ...], BeforeValidator(_parsed(lambda text: read_audience(text).entries))] = (
        Field(
            (),
            alias="PILOT",
            description="comma-separated chat addresses and domains of the only people who are told "
            "anything: `ann@example.com,example.de`; what is new for others waits, and all of it is told "
            "once they are named or this is empty ([a pilot](docs/cadence.md#a-pilot))",
        )
    )
    moveworks_base_url: BaseUrl = Field(
        "https://api.moveworks.ai", alias="MOVEWORKS_BASE_URL", description="regional hosts differ"
    )
    moveworks_channel: Annotated[Literal["events", "listener"], BeforeValidator(_loose)] = Field(
        "events",
        alias="MOVEWORKS_CHANNEL",
        description="`events`, or `listener` where events can no longer be created",
    )
    moveworks_event_id: Annotated[str, AfterValidator(_shaped("[A-Za-z0-9-]{1,64}", _AN_EVENT))] = Field(
        "",
        alias="MOVEWORKS_EVENT_ID",
        description="required for `events`: the id that the Events Workspace shows after publishing",
    )
    moveworks_api_key: Secret = Field(
        SecretStr(""), alias="MOVEWORKS_API_KEY", description="required for `events`; sent as `Bearer`"
    )
    moveworks_listener_id: Annotated[str, AfterValidator(_shaped("[A-Za-z0-9_-]{1,128}", _A_LISTENER))] = (
        Field(
            "",
            alias="MOVEWORKS_LISTENER_ID",
            description="required for `listener`: what stands between `/listeners/` and `/notify` in its URL",
        )
    )
    moveworks_listener_secret: Secret = Field(
        SecretStr(""),
        alias="MOVEWORKS_LISTENER_SECRET",
        description="required for `listener`: the secret of its signature verification, chosen by you",
    )
    moveworks_max_per_minute: int = Field(
        100,
        ge=1,
        le=100_000,
        alias="MOVEWORKS_MAX_PER_MINUTE",
        description="under Moveworks' 120 for the whole organisation; for `listener` also 3 a second",
    )
    ledger_connection: Annotated[SecretStr, AfterValidator(_connection)] = Field(
        SecretStr(HOST_STORAGE),
        alias="LEDGER_CONNECTION",
        description="a Table Storage connection string, or `memory`",
    )
    ledger_account_url: Annotated[str, AfterValidator(_table_address)] = Field(
        "",
        alias="LEDGER_ACCOUNT_URL",
        description="`https://{account}.table.core.windows.net`, with managed identity;"
        " wins over `LEDGER_CONNECTION`",
    )
    ledger_table: TableName = Field(
        "approvals",
        alias="LEDGER_TABLE",
        description="table name",
    )
    action_token_keys: Annotated[dict[str, SecretStr], BeforeValidator(_keys)] = Field(
        {},
        alias="ACTION_TOKEN_KEYS",
        description="`kid:base64key[,kid:base64key]`, first signs, all verify; each key at least 32 "
        "random bytes (`python -m coupa_core.keys` makes them); required unless `ACTION_TOKEN=off`",
    )
    action_token: Annotated[Literal["required", "optional", "off"], BeforeValidator(_loose)] = Field(
        "required", alias="ACTION_TOKEN", description="`required`, `optional`, `off`"
    )
    list_tokens: Annotated[Literal["on", "off", ""], BeforeValidator(_loose)] = Field(
        "",
        alias="LIST_TOKENS",
        description="whether the list of what waits can decide: `on` hands out action tokens to whoever may "
        "call, for any person; by default only where `ENTRA_DECISION_CLIENTS` names somebody. Set `on` where "
        "an address list stands in front",
    )
    audit: Annotated[Literal["required", "optional"], BeforeValidator(_loose)] = Field(
        "required",
        alias="AUDIT",
        description="`required`: nothing is decided that cannot be written to the audit record before; "
        "`optional`: the log has it instead",
    )
    audit_table: TableName = Field(
        "audit",
        alias="AUDIT_TABLE",
        description="name of the audit record's table, beside the ledger's",
    )
    audit_keep_days: int = Field(
        2555, ge=0, le=36_500, alias="AUDIT_KEEP_DAYS", description="older days are deleted; `0` for ever"
    )
    audit_keys: Annotated[dict[str, SecretStr], BeforeValidator(_keys)] = Field(
        {},
        alias="AUDIT_KEYS",
        description="`kid:base64key[,kid:base64key]`, first seals, all verify; by default made from "
        "`ACTION_TOKEN_KEYS`; set on the first day, or together with a new `AUDIT_TABLE`, else nothing is "
        "decided any more",
    )
    email_map: Annotated[dict[str, str], BeforeValidator(_emails)] = Field(
        {},
        alias="EMAIL_MAP",
        description="JSON object from Coupa's e-mail addresses to the chat's, where they differ: "
        '`{"ann@corp.example": "ann@example.com"}`, or, for all others of a domain, '
        '`{"@corp.example": "@example.com"}`',
    )
    allow_self_approval: Switch = Field(
        "off",
        alias="ALLOW_SELF_APPROVAL",
        description="`on` lets people decide on what they asked for, and on what may be their own "
        "because Coupa does not say who asked, as with types that are not read",
    )
    step_up_over: Annotated[dict[str, Decimal], BeforeValidator(_limits)] = Field(
        {},
        alias="STEP_UP_OVER",
        description="amounts above which a decision is made in Coupa itself, such as `USD:10000,*:5000`; "
        "the greatest amount of the document and its lines counts; once a limit is set, a currency without "
        "one and a document whose amounts Coupa does not state readably are always decided in Coupa",
    )
    sensitive: Annotated[dict[str, tuple[str, ...]], BeforeValidator(_parsed(read_sensitive))] = Field(
        {},
        alias="SENSITIVE",
        description="JSON object of names, by `commodities`, `suppliers`, `departments`, `accounts` and "
        "`groups` (that approve), of which chat says only that something waits, with the link: "
        '`{"departments": ["HR"], "accounts": ["9100-*"]}` ([what is hidden](docs/notices.md#sensitive))',
    )
    reject_reason: Annotated[Literal["required", "optional"], BeforeValidator(_loose)] = Field(
        "required", alias="REJECT_REASON", description="`required`, `optional`"
    )
    comments: Switch = Field(
        "off",
        alias="COMMENTS",
        description="`on` lets approvers ask the requester by a comment in Coupa, tells the requester in "
        "chat, and brings the answer back; our client then needs the scope `core.comment.write`, and with "
        "invoices or order changes among `DOCUMENT_TYPES` also `core.comment.read`",
    )
    relay: Switch = Field("off", alias="RELAY", description="`on` lets `POST notifications` send messages")
    relay_domains: Annotated[tuple[Annotated[str, AfterValidator(_domain)], ...], BeforeValidator(_parts)] = (
        Field(
            (),
            alias="RELAY_DOMAINS",
            description="comma-separated domains of the addresses that may get them; required for `RELAY=on`",
        )
    )
    relay_html: Switch = Field(
        "off", alias="RELAY_HTML", description="`on` lets them hold `b`, `i`, `br`, `ul`, `li` and `a href`"
    )
    relay_max_per_minute: int = Field(
        15,
        ge=1,
        le=100,
        alias="RELAY_MAX_PER_MINUTE",
        description="their share of Moveworks' rate, beside `MOVEWORKS_MAX_PER_MINUTE`",
    )
    entra_decision_clients: ClientIds = Field(
        (),
        alias="ENTRA_DECISION_CLIENTS",
        description="comma-separated client ids of the Entra applications that may list and decide; once "
        "one is named for any kind of caller, all need a token as well as their key, a kind without one is "
        "closed, and App Service authentication must be on",
    )
    entra_relay_clients: ClientIds = Field(
        (), alias="ENTRA_RELAY_CLIENTS", description="the same of those that may relay messages"
    )
    entra_operator_clients: ClientIds = Field(
        (), alias="ENTRA_OPERATOR_CLIENTS", description="the same of operators"
    )
    poll_schedule: Annotated[str, AfterValidator(read_schedule)] = Field(
        EVERY_MINUTE,
        alias="POLL_SCHEDULE",
        description="NCRONTAB of six fields, seconds first, UTC; day and weekday must both match; refused "
        "are a range that ends before it begins (`22-2`: write `22-23,0-2`), five fields, and a span of time",
    )
    full_list_minutes: int = Field(
        10,
        ge=1,
        le=60,
        alias="FULL_LIST_MINUTES",
        description="how often everything that waits in Coupa is read, besides what changed; a list of up to "
        "100 is read in every sweep",
    )
    claim_lease_s: float = Field(
        120,
        ge=1,
        le=3600,
        alias="CLAIM_LEASE_S",
        description="how long a claim holds; the margin that must be left before a send (a third), the "
        "send's deadline (a sixth) and the skew allowance before a takeover (a quarter) scale with it",
    )

    @property
    def list_tokens_are_given(self) -> bool:
        """Tell whether a list comes with action tokens: by default only where more than a key is needed."""
        return self.list_tokens == "on" or (self.list_tokens == "" and bool(self.entra_decision_clients))

    @property
    def list_decides(self) -> bool:
        """Tell whether what waits can be decided from a list: by its tokens, or because none is needed."""
        return self.list_tokens_are_given or self.action_token != "required"  # noqa: S105 - a mode, no secret

    @property
    def asked_scopes(self) -> str:
        """Return the scopes that every token is asked for: those of the setting, and what a switch needs."""
        spare, asked = self.fact_scopes.split(), [*self.coupa_scopes.split(), *self._switched_scopes]
        return " ".join(each for each in dict.fromkeys(asked) if each not in spare)

    @property
    def fact_scopes(self) -> str:
        """Return the scopes that facts alone need: without them a token is as good for all else."""
        others = {*LEAST_SCOPES.split(), *self._switched_scopes}
        needed = switched_scopes((), comments=False, facts=self.facts)
        return " ".join(dict.fromkeys(each for each in needed if each not in others))

    @property
    def _switched_scopes(self) -> tuple[str, ...]:
        """Return the scopes of the types that are read, and of questions."""
        return tuple(switched_scopes(self.document_types, comments=self.comments == "on", facts=()))

    @property
    def cadence(self) -> Cadence:
        """Return when people are told."""
        return Cadence(
            zone=self.time_zone,
            zones=self.time_zones,
            quiet=read_hours(self.quiet_hours),
            working_days=read_days(self.working_days),
            urgent_within=timedelta(days=self.urgent_within_days),
            digest_over=self.digest_over,
            digest_at=read_hour(self.digest_at),
            remind_after=timedelta(hours=self.remind_after_hours) or None,
            remind_max=self.remind_max,
            remind_before=read_before(self.remind_before_days),
            escalate_after=timedelta(hours=self.escalate_after_hours) or None,
        )

    @property
    def storage(self) -> str:
        """Return the connection string of the ledger, or `memory`."""
        return self.ledger_connection.get_secret_value()


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read and check every setting.

    Args:
        environment: names and values, such as `os.environ`; a blank value counts as missing.

    Raises:
        SettingsError: names every setting that is missing or wrong, and shows no value.
    """
    given: dict[str, str] = {}
    complaints: dict[str, str] = {}
    for name in (*NAMES, HOST_STORAGE):
        try:
            given[name] = setting(environment, name)
        except ValueError as mistake:
            complaints[name] = str(mistake)
    given = {name: text for name, text in given.items() if text}
    host_storage = given.pop(HOST_STORAGE, "")
    if given.get("LEDGER_CONNECTION", HOST_STORAGE) == HOST_STORAGE:
        given["LEDGER_CONNECTION"] = host_storage
    for name, complaint in (_gone(environment) | _misspelt(environment) | _disagreements(given)).items():
        complaints.setdefault(name, complaint)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        for name, complaint in _complaints(error):
            complaints.setdefault(name, complaint)
    for name in () if _is_fronted(environment) else filter(given.get, _CLIENTS):
        complaints.setdefault(name, "needs App Service authentication in front of the app, and that is off")
    if complaints:
        raise SettingsError("; ".join(f"{name}: {complaint}" for name, complaint in complaints.items()))
    return settings


def _gone(environment: Mapping[str, str]) -> dict[str, str]:
    """Name the settings of older versions that would restrict nothing now, and the new ones."""
    return {name: f"is now {new}" for name, new in _GONE.items() if trimmed(environment.get(name, ""))}


def _misspelt(environment: Mapping[str, str]) -> dict[str, str]:
    """Name what is nearly one of our settings, where that one is not given; other variables are not ours."""
    strangers = [name for name in environment if name not in _NOT_OURS and _NAME.fullmatch(name)]
    return {
        name: f"is no setting: did you mean {near}? Where it belongs to something else, set {near}, too"
        for name in strangers
        if trimmed(environment[name])
        and (near := meant(name, NAMES, guarded=GUARDED))
        and not trimmed(environment.get(near, ""))
    }


def _is_fronted(environment: Mapping[str, str]) -> bool:
    """Tell whether App Service says that its authentication stands in front of the app."""
    try:
        return setting(environment, EASY_AUTH).lower() == "true"
    except ValueError:
        return False


def _disagreements(given: Mapping[str, str]) -> dict[str, str]:
    """Name what is not there and the others demand, and what does not go with them."""
    demanded = dict.fromkeys(_OF_CHANNEL.get(str(_loose(given.get("MOVEWORKS_CHANNEL", "events"))), ()), "")
    if _loose(given.get("ACTION_TOKEN")) != "off":
        demanded["ACTION_TOKEN_KEYS"] = ""
    elif not given.get("ACTION_TOKEN_KEYS"):
        demanded["AUDIT_KEYS"] = ", and there are no ACTION_TOKEN_KEYS to make it from"
    if _loose(given.get("RELAY")) == "on":
        demanded["RELAY_DOMAINS"] = ""
    if not given.get("LEDGER_ACCOUNT_URL"):
        demanded["LEDGER_CONNECTION"] = ""
    found = {name: f"is missing{why}" for name, why in demanded.items() if not given.get(name)}
    tables = [given.get(name, str(_default(name))) for name in ("AUDIT_TABLE", "LEDGER_TABLE")]
    if tables[0].lower() == tables[1].lower():  # the service does not tell capitals apart
        found["AUDIT_TABLE"] = "must not be the ledger's table"
    return found


def _default(name: str) -> object:
    return next(field.default for field in Settings.model_fields.values() if field.alias == name)


def _complaints(error: ValidationError) -> list[tuple[str, str]]:
    """Say each fault as name and what is wrong, without the value."""
    faults = error.errors(include_input=False, include_context=False, include_url=False)
    return [
        (name, _said(fault["type"], fault["msg"], name))
        for fault in faults
        for name in [str(fault["loc"][0])]
    ]


def _said(kind: str, message: str, name: str) -> str:
    """Say one fault: in our words where the checks are pydantic's."""
    field = next(each for each in Settings.model_fields.values() if each.alias == name)
    if kind == "missing":
        return "is missing"
    if kind == "literal_error":
        choices = [each for each in get_args(field.annotation) if each]
        return f"must be {', '.join(choices[:-1])} or {choices[-1]}"
    if kind == "value_error":
        return message.removeprefix("Value error, ")
    what = "a whole number" if field.annotation is int else "a number"
    least, most = (
        next(getattr(each, way) for each in field.metadata if hasattr(each, way)) for way in ("ge", "le")
    )
    return f"must be {what} from {least} to {most}, such as {(field.examples or [field.default])[0]}"


_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{2,40}")
"""How the name of a variable is written that may be meant for one of ours."""

NAMES = tuple(str(field.alias) for field in Settings.model_fields.values())
"""The environment variables that are read, in the order of the documentation."""

_NOT_OURS = {*NAMES, *_GONE, HOST_STORAGE, EASY_AUTH, *_OF_DEPLOYMENT}
