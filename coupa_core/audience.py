"""Some people, named by their addresses or by whole domains: those whom a setting or an operator means.

It knows no person: an address comes in, and the answer is whether it is meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from coupa_core.addresses import domain_of, folded, is_address

_DOMAIN = re.compile(r"([^\W_]([\w-]{0,61}\w)?\.)+[^\W\d_][\w-]{1,62}")


@dataclass(frozen=True)
class Audience:
    """People, as the chat knows them; nobody named means everybody.

    Attributes:
        entries: addresses and domains as they are compared, in the order in which they were named.
    """

    entries: tuple[str, ...] = ()

    @property
    def is_everybody(self) -> bool:
        """Tell whether nobody is left out."""
        return not self.entries

    def has(self, address: str) -> bool:
        """Tell whether this person is meant; a domain does not speak for its subdomains."""
        return self.is_everybody or any(is_of(entry, address) for entry in self.entries)

    @property
    def id(self) -> str:
        """Return a short name of just these people; empty for everybody."""
        return sha256(" ".join(sorted(self.entries)).encode()).hexdigest()[:16] if self.entries else ""


EVERYBODY = Audience()


def is_of(entry: str, address: str) -> bool:
    """Tell whether an entry, an address or a domain, means this person."""
    return entry in (folded(address), domain_of(address))


def read_audience(text: str) -> Audience:
    """Read addresses and domains with commas between them.

    >>> read_audience("Ann@example.com, @Example.de,example.de").entries
    ('ann@example.com', 'example.de')

    Raises:
        ValueError: an entry is neither; says which.
    """
    return audience_of(text.split(",")) if text.strip() else EVERYBODY


def audience_of(entries: Iterable[str]) -> Audience:
    """Return the people whom these addresses and domains name.

    Raises:
        ValueError: an entry is neither; says which.
    """
    found: dict[str, None] = {}
    for number, entry in enumerate(entries, 1):
        name = entry.strip().removeprefix("@")
        if not (is_address(name) or _DOMAIN.fullmatch(name)):
            raise ValueError(
                f"entry {number} is neither an e-mail address such as ann@example.com nor a domain such as "
                "example.com"
            )
        found[folded(name) if "@" in name else domain_of(f"@{name}")] = None
    return Audience(tuple(found))
