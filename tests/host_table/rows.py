"""The form of a row: a request, and the right answer.

A row names keys in braces, such as `{host_key}`, in its target and headers; each kind of host has its own
keys. `{opens}` opens each function there, and `{master}` the routes of the host itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from host_table.wire import Answer

PIECE = 65_536
OPEN = ("x-functions-key", "{opens}")
JSON = ("Content-Type", "application/json")
NOTHING = b""

_KEY = re.compile(r"\{([a-z_]+)\}")

Wanted = str | re.Pattern[str] | None
"""Of a header or of what the function saw: this text, a text that fits this whole, or None for none."""


def filled(text: str, keys: Mapping[str, str]) -> str:
    """Put keys where a text names them.

    Raises:
        KeyError: a key is not known.
    """
    return _KEY.sub(lambda found: keys[found[1]], text)


@dataclass(frozen=True, eq=False)
class Stage:
    """How the host is started for some rows.

    Attributes:
        environ: added to its environment.
        asks_for_keys: it is given keys, and asks for them; else it is in development mode.
    """

    name: str
    environ: Mapping[str, str] = field(default_factory=dict)
    asks_for_keys: bool = True


PLAIN = Stage("with keys")
DEVELOPMENT = Stage("in development mode", asks_for_keys=False)


@dataclass(frozen=True)
class Sent:
    """A request.

    Attributes:
        target: of the request line.
        headers: in their order, without `Host`, and without `Content-Length` where the body gives it.
        body: what is sent after the headers; None for none, and no length either.
        filler: so many bytes follow the body.
        has_host: the header `Host` is sent.
    """

    method: str = "GET"
    target: str = "/api/health"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    filler: int = 0
    has_host: bool = True

    def pieces(self, host: str, keys: Mapping[str, str]) -> Iterator[bytes]:
        """Yield its bytes.

        Args:
            host: the value of the header `Host`.
            keys: for what stands in braces.

        Raises:
            KeyError: a key is not known.
        """
        names = {name.lower() for name, _ in self.headers}
        lines = [f"{self.method} {filled(self.target, keys)} HTTP/1.1"]
        lines += [f"Host: {host}"] if self.has_host else []
        lines += [f"{name}: {filled(value, keys)}" for name, value in self.headers]
        if self.body is not None and not names & {"content-length", "transfer-encoding"}:
            lines.append(f"Content-Length: {len(self.body) + self.filler}")
        yield "\r\n".join([*lines, "", ""]).encode("latin-1") + (self.body or b"")
        for begin in range(0, self.filler, PIECE):
            yield b"x" * min(PIECE, self.filler - begin)

    @property
    def keys(self) -> set[str]:
        """Return which keys it names."""
        texts = [self.target, *(value for _, value in self.headers)]
        return {name for text in texts for name in _KEY.findall(text)}


@dataclass(frozen=True)
class Row:
    """A request, and what is right.

    Attributes:
        name: a sentence.
        sent: the request.
        status: of the answer.
        reaches: the function that answers; empty where the host itself does.
        body: of the host's own answer: exactly this, or a text that has this; None for any.
        headers: of the answer.
        saw: what the function says that reached it, by a name such as `headers.host` or `bytes`.
        says: the same of an answer of the host in JSON.
        closes: whether the connection is closed after it.
        about_keys: it is right only where keys are asked for.
        at_front: in Azure, App Service's front end answers it, or changes it on its way.
        within_s: for so long an answer may still become right, since something happens behind it.
    """

    name: str
    sent: Sent
    status: int = 200
    reaches: str = ""
    body: bytes | re.Pattern[bytes] | None = NOTHING
    headers: Mapping[str, Wanted] = field(default_factory=dict)
    saw: Mapping[str, Any] = field(default_factory=dict)
    says: Mapping[str, Any] = field(default_factory=dict)
    closes: bool = False
    about_keys: bool = False
    at_front: bool = False
    within_s: float = 0.0

    @property
    def changes_nothing(self) -> bool:
        """Tell whether it only reads or is refused, wherever it is sent."""
        is_refused = not self.reaches and 400 <= self.status < 500
        return is_refused or self.sent.method in {"GET", "HEAD", "OPTIONS"}

    def wrong(self, answer: Answer, keys: Mapping[str, str]) -> list[str]:
        """Return each way in which an answer of the app with these rows' own handlers is not right."""
        if answer.error:
            return [f"no answer ({answer.error})"]
        found = _differ("status", answer.status, self.status)
        found += _differ("function", answer.header("X-Function") or "", self.reaches)
        found += self._differ_in_headers(answer)
        if self.closes and not answer.is_closed:
            found.append("the connection stays open")
        if found:
            return found
        if self.saw or self.says:
            try:
                content = json.loads(answer.body)
            except ValueError:
                return ["the body is no JSON"]
            for path, wanted in {**self.saw, **self.says}.items():
                value = filled(wanted, keys) if isinstance(wanted, str) else wanted
                found += _differ(path, _at(content, path), value)
        elif not self.reaches:
            found += _differ_in_body(answer.body, self.body)
        return found

    def wrong_elsewhere(self, answer: Answer, keys: Mapping[str, str]) -> list[str]:
        """Return the same for an app with other handlers: theirs is any answer that has a body.

        What the function saw is not known there.
        """
        if not self.reaches or answer.error:
            return self.wrong(answer, keys)
        found = [] if answer.body else [f"{answer.status} with no body, which is the host's own"]
        return found + self._differ_in_headers(answer)

    def _differ_in_headers(self, answer: Answer) -> list[str]:
        return [
            each for name, value in self.headers.items() for each in _differ(name, answer.header(name), value)
        ]


def _differ(what: str, seen: Any, wanted: Any) -> list[str]:
    if isinstance(wanted, re.Pattern):
        is_right = isinstance(seen, str) and wanted.fullmatch(seen) is not None
        wanted = f"like {wanted.pattern}"
    else:
        is_right = seen == wanted
    return [] if is_right else [f"{what} {_short(seen)}, not {_short(wanted)}"]


def _differ_in_body(body: bytes, wanted: bytes | re.Pattern[bytes] | None) -> list[str]:
    if isinstance(wanted, re.Pattern):
        return [] if wanted.search(body) else [f"body without {wanted.pattern!r}"]
    if wanted is None or body == wanted:
        return []
    return [f"body {_short(body)}, not {_short(wanted)}"]


def _at(content: Any, path: str) -> Any:
    for name in path.split("."):
        content = content.get(name) if isinstance(content, dict) else None
    return content


def _short(value: Any) -> str:
    text = "none" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
