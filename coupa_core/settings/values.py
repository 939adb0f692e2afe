"""Parse the values of settings: URLs, names, choices, secrets, comma-separated lists.

A ValueError gives the expected form, and never the value. `maps` parses maps.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

from coupa_core.addresses import domain_of
from coupa_core.documents import DOCUMENT_MODELS
from coupa_core.facts import Fact
from coupa_core.misspelt import meant

HOST_STORAGE = "AzureWebJobsStorage"
"""The storage connection of every function app, and the default of the ledger."""

_TABLES_EXAMPLE = "https://acme.table.core.windows.net"
_TABLES_URL = re.compile(r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*?\.table\.[A-Za-z0-9.-]+/?")
_CONNECTION_PART = re.compile(
    r"(?i)(^|;)\s*(UseDevelopmentStorage|AccountName|AccountKey|TableEndpoint|SharedAccessSignature)\s*="
)
_NETLOC = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_TYPE_SUFFIX = re.compile("(Header|Report|Response)$")


def is_url(connection: str) -> bool:
    """Tell whether a ledger connection is a URL, which the app opens with its managed identity."""
    return connection.lower().startswith("https://")


def is_loopback(host: str) -> bool:
    """Tell whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def _parts(value: object) -> object:
    """Split a comma-separated list."""
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


def parsed(parse: Callable[[str], object]) -> BeforeValidator:
    """Return a validator that parses a text, and passes other values on."""
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


def checked(read: Callable[[str], object]) -> AfterValidator:
    """Return a validator that keeps the text if it can be parsed, so that the documentation shows it."""

    def check(value: str) -> str:
        read(value)
        return value

    return AfterValidator(check)


def shaped(pattern: str, wanted: str) -> AfterValidator:
    """Return a validator that requires a pattern; an empty text passes.

    Args:
        pattern: the regular expression for the whole text.
        wanted: the expected form for the message, with an example.
    """

    def check(value: str) -> str:
        if value and not re.fullmatch(pattern, value):
            raise ValueError(f"must be {wanted}")
        return value

    return AfterValidator(check)


def _type_name(value: str) -> str:
    if value != "*" and not re.fullmatch(r"[A-Za-z][A-Za-z0-9:]{0,60}", value):
        raise ValueError("must be class names of Coupa such as RequisitionHeader, or *")
    near = "*" if value.casefold() == "all" else _type_meant(value)
    if near:
        raise ValueError(f"has a type that Coupa does not know: did you mean {near}?")
    return value


def _type_meant(value: str) -> str:
    """Return the readable type that a misspelt or shortened name means; empty for none."""
    given = value.casefold().removesuffix("s")
    shortened = (each for each in DOCUMENT_MODELS if _TYPE_SUFFIX.sub("", each).casefold() == given)
    return "" if value in DOCUMENT_MODELS else meant(value, tuple(DOCUMENT_MODELS)) or next(shortened, "")


def _domain(value: str) -> str:
    if not re.fullmatch(r"(?i)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", value):
        raise ValueError("must be domains such as example.com")
    return domain_of(f"@{value}")


def read_facts(text: str) -> tuple[Fact, ...]:
    """Parse the names of facts, such as `budget,last_price`."""
    names = [name.strip().lower() for name in text.split(",")]
    if not set(names) <= set(Fact) or len(set(names)) < len(names):
        raise ValueError(f"must be some of {', '.join(Fact)}, each once")
    return tuple(fact for fact in Fact if fact in names)


def _secret(value: SecretStr) -> SecretStr:
    """Refuse characters that copying adds unseen: a line break, a tab, a zero-width mark, a curly quote."""
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be one line of ASCII characters (a copy may have brought an invisible one)")
    return value


def lowered(value: object) -> object:
    """Return a choice in lower case without surrounding spaces."""
    return value.strip().lower() if isinstance(value, str) else value


def _flag(value: object) -> object:
    """Accept the usual spellings of on and off, too."""
    choice = lowered(value)
    return {"1": "on", "true": "on", "0": "off", "false": "off"}.get(str(choice), choice)


def _connection(value: SecretStr) -> SecretStr:
    """Refuse a connection that the SDK would refuse only at the first sweep."""
    text = value.get_secret_value()
    if text.lower().startswith(("http://", "https://")):
        if not _TABLES_URL.fullmatch(text):
            raise ValueError(f"must be the address of the account's tables such as {_TABLES_EXAMPLE}")
    elif text not in ("", "memory", HOST_STORAGE) and not _CONNECTION_PART.search(text):
        raise ValueError(
            f"must be the address of the account's tables such as {_TABLES_EXAMPLE}, a connection string, "
            "which begins with DefaultEndpointsProtocol=https, or memory"
        )
    return value


def _superior(value: str) -> str:
    """Accept `manager` or one e-mail address."""
    if value.lower() == "manager":
        return "manager"
    if not (value.isascii() and re.fullmatch(r"[^\s@,;<>\"]+@([A-Za-z0-9-]+\.)+[A-Za-z0-9-]+", value)):
        raise ValueError("must be manager or one e-mail address")
    return value


CHOICE = BeforeValidator(lowered)
BaseUrl = Annotated[str, AfterValidator(_base_url)]
Connection = Annotated[SecretStr, AfterValidator(_connection)]
Domains = Annotated[tuple[Annotated[str, AfterValidator(_domain)], ...], BeforeValidator(_parts)]
Required = Annotated[Literal["required", "optional"], CHOICE]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
Superior = Annotated[str, AfterValidator(_superior)]
Switch = Annotated[Literal["on", "off"], BeforeValidator(_flag)]
TableName = Annotated[
    str, shaped("[A-Za-z][A-Za-z0-9]{2,62}", "3 to 63 letters and digits such as approvals2")
]
TypeNames = Annotated[tuple[Annotated[str, AfterValidator(_type_name)], ...], BeforeValidator(_parts)]
