"""The keys and the functions that they open, as in Azure's host."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["anonymous", "function", "admin"]


@dataclass(frozen=True)
class Keys:
    """The keys of an app; without any key, no caller needs one, as under `func start`.

    Attributes:
        host: opens every function, and admin when there is no master key.
        own: pairs of a function's name and a key that opens only this function.
        system: opens nothing here.
        master: opens everything.
    """

    host: str | None = None
    own: Sequence[tuple[str, str]] = ()
    system: str | None = None
    master: str | None = None

    @property
    def are_asked_for(self) -> bool:
        """Tell whether there are any keys."""
        return bool(self.own) or any(key is not None for key in (self.host, self.system, self.master))

    def open(self, sent: str, function: str) -> bool:
        """Tell whether a key opens a function."""
        own = [key for name, key in self.own if name == function]
        return not self.are_asked_for or _is_one_of(sent, self.host, self.master, *own)

    def refused_admin(self, sent: str) -> int | None:
        """Return the status that refuses admin to a key, 401 or 403; None admits it."""
        if not self.are_asked_for or _is_one_of(sent, self.host if self.master is None else self.master):
            return None
        return 403 if _is_one_of(sent, self.host, self.system) else 401


def _is_one_of(sent: str, *keys: str | None) -> bool:
    return any(key and hmac.compare_digest(sent.encode(), key.encode()) for key in keys)


def key_in(headers: Sequence[tuple[str, str]], query: Sequence[tuple[str, str]]) -> str:
    """Return the key of a request: the header's, also an empty one, else the query's; the first one counts.

    >>> key_in([("X-Functions-Key", "a")], [("code", "b")]), key_in([], [("CODE", "b"), ("code", "c")])
    ('a', 'b')
    """
    for pairs, wanted in ((headers, "x-functions-key"), (query, "code")):
        for name, value in pairs:
            if name.lower() == wanted:
                return value
    return ""
