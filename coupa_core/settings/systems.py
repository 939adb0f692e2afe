"""The settings of Coupa, Moveworks, callers, the relay, the audit log and storage.

Each class is a group in docs/settings.md; its docstring is the heading of the group.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.schedule import EVERY_MINUTE, read_schedule
from coupa_core.settings.group import Group
from coupa_core.settings.maps import Clients, Keys
from coupa_core.settings.values import (
    CHOICE,
    HOST_STORAGE,
    BaseUrl,
    Connection,
    Domains,
    Required,
    Secret,
    Switch,
    TableName,
    TypeNames,
    shaped,
)

MAX_PER_MINUTE = 120
"""Moveworks' limit of requests a minute for the whole organisation; its support may raise it.

Source: https://help.moveworks.com/api-reference/events-api/rate-limits.md
"""

_AN_EVENT = (
    "the id that the Events Workspace shows after publishing, such as 5a0c8a52-9f0e-4d8c-9b06-5ab4d8b7a111"
)
_A_LISTENER = "what stands between /listeners/ and /notify in the listener's URL, such as coupa_approvals"


class CoupaGroup(Group):
    """Coupa."""

    coupa_base_url: BaseUrl = Field(
        description="`https://{instance}.coupahost.com`; http only for a loopback address"
    )
    coupa_client_id: str = Field(description="OAuth client: identifier")
    coupa_client_secret: Secret = Field(description="OAuth client: secret")
    coupa_client_login: str = Field(
        "",
        description="OAuth client: login, as whom Coupa records decisions of the chat; without it a card "
        "names the client's user where it could name the person, because anybody can write our mark",
    )
    document_types: TypeNames = Field(
        ("RequisitionHeader",),
        description="comma-separated approvable types; `*` for all. "
        f"{', '.join(f'`{name}`' for name in DOCUMENT_MODELS)} are read, "
        "the others announced by number and link",
    )
    coupa_max_per_second: int = Field(
        5,
        ge=1,
        le=25,
        description="our share of Coupa's 25 requests a second, of all instances together; "
        "a click makes four of them or more",
    )


class Moveworks(Group):
    """Moveworks."""

    moveworks_event_id: Annotated[str, shaped("[A-Za-z0-9-]{1,64}", _AN_EVENT)] = Field(
        "",
        description="the id that the Events Workspace shows after publishing; required unless there is a "
        "listener",
    )
    moveworks_api_key: Secret = Field(
        SecretStr(""), description="sent as `Bearer`; required with `MOVEWORKS_EVENT_ID`"
    )
    moveworks_listener_id: Annotated[str, shaped("[A-Za-z0-9_-]{1,128}", _A_LISTENER)] = Field(
        "",
        description="the part of the listener's URL between `/listeners/` and `/notify`, in place of "
        "`MOVEWORKS_EVENT_ID` where events can no longer be created",
    )
    moveworks_listener_secret: Secret = Field(
        SecretStr(""),
        description="the secret of the listener's signature verification, chosen by you; required with "
        "`MOVEWORKS_LISTENER_ID`",
    )
    moveworks_base_url: BaseUrl = Field("https://api.moveworks.ai", description="regional hosts differ")
    moveworks_max_per_minute: int = Field(
        100,
        ge=1,
        le=100_000,
        description="under Moveworks' 120 for the whole organisation; for a listener also 3 a second",
    )


class Calling(Group):
    """Who may call."""

    action_token_keys: Keys = Field(
        {},
        description='keys by their names, `{"k1": "base64key"}`: the first signs, all verify; each key at '
        "least 32 random bytes (`python -m coupa_core.keys` makes them); required unless `ACTION_TOKEN=off`",
    )
    action_token: Annotated[Literal["required", "optional", "off"], CHOICE] = Field(
        "required",
        description="whether a decision needs the token of a card or list: `required`, `optional`, `off`",
    )
    list_tokens: Annotated[Literal["on", "off", ""], CHOICE] = Field(
        "",
        description="whether approvals can be decided from the list: `on` hands out action tokens to "
        "every caller, for any person; by default only where `ENTRA_CLIENTS` names somebody of `decisions`. "
        "Set `on` where an address list stands in front",
    )
    entra_clients: Clients = Field(
        {},
        description="client ids of the Entra applications that may call, by the kind of caller: "
        '`{"decisions": ["..."], "relay": ["..."], "operators": ["..."]}`; once one is named, every caller '
        "needs a token as well as its key, a kind without a client is closed, and App Service "
        "authentication must be on",
    )


class Relaying(Group):
    """Messages of other systems."""

    relay_domains: Domains = Field(
        (),
        description="comma-separated domains of the addresses that may get messages by "
        "`POST notifications`; without it nobody gets any",
    )
    relay_html: Switch = Field(
        "off", description="`on` lets these messages hold `b`, `i`, `br`, `ul`, `li` and `a href`"
    )
    relay_max_per_minute: int = Field(
        15,
        ge=1,
        le=100,
        description="these messages in a minute, beside `MOVEWORKS_MAX_PER_MINUTE`",
    )


class Auditing(Group):
    """The audit record."""

    audit: Required = Field(
        "required",
        description="`required`: a decision that cannot be written to the audit record before is not made; "
        "`optional`: the log has it instead",
    )
    audit_keys: Keys = Field(
        {},
        description='keys by their names, `{"a1": "base64key"}`: the first seals, all verify; by default '
        "made from `ACTION_TOKEN_KEYS`; set on the first day, or together with a new `AUDIT_TABLE`, else "
        "nothing is decided any more",
    )
    audit_keep_days: int = Field(2555, ge=0, le=36_500, description="older days are deleted; `0` for ever")
    audit_table: TableName = Field(
        "audit", description="name of the audit record's table, beside the ledger's"
    )


class Storage(Group):
    """Storage and sweeps."""

    ledger_connection: Connection = Field(
        SecretStr(HOST_STORAGE),
        description="the address of the account's tables, `https://{account}.table.core.windows.net`, with "
        "managed identity; or a connection string of Table Storage; or `memory`",
    )
    ledger_table: TableName = Field("approvals", description="table name")
    poll_schedule: Annotated[str, AfterValidator(read_schedule)] = Field(
        EVERY_MINUTE,
        description="NCRONTAB of six fields, seconds first, UTC; day and weekday must both match; refused "
        "are a range that ends before it begins (`22-2`: write `22-23,0-2`), five fields, and a span of time",
    )
    full_list_minutes: int = Field(
        10,
        ge=1,
        le=60,
        description="minutes between two readings of everything that waits in Coupa; changes, and a list of "
        "up to 100, are read in every sweep",
    )
    claim_lease_s: float = Field(
        120,
        ge=1,
        le=3600,
        description="seconds that a claim holds; the margin that must be left before a send (a third), the "
        "send's deadline (a sixth) and the skew allowance before a takeover (a quarter) scale with it",
    )
