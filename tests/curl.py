"""A cURL command as people paste it into an importer: parsed, filled in, and sent."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import requests

_PLACEHOLDER = re.compile(r"\{\{(?P<raw>\{)?(?P<name>[a-z_.]+)\}\}(?(raw)\})")


@dataclass
class Curl:
    """One request.

    Attributes:
        url: with placeholders such as `{{approval_id}}` or `{{{approval_id}}}`.
        body: as it is sent; None for none.
    """

    url: str = ""
    method: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None

    def names(self) -> set[str]:
        texts = [self.url, *self.headers.values(), self.body or ""]
        return {found["name"] for text in texts for found in _PLACEHOLDER.finditer(text)}

    def filled(self, values: Mapping[str, str]) -> Curl:
        """Return the command with its placeholders replaced.

        Raises:
            KeyError: there is no value for one.
        """
        return Curl(
            fill(self.url, values),
            self.method,
            {name: fill(value, values) for name, value in self.headers.items()},
            None if self.body is None else fill(self.body, values),
        )

    def send(self, params: Mapping[str, str] | None = None) -> requests.Response:
        body = None if self.body is None else self.body.encode()
        return requests.request(
            self.method, self.url, params=params, headers=self.headers, data=body, timeout=20
        )


def fill(text: str, values: Mapping[str, str]) -> str:
    """Replace the placeholders of a text, leaving the values as they are."""
    return _PLACEHOLDER.sub(lambda found: values[found["name"]], text)


def parse(command: str) -> Curl:
    """Read a command.

    Raises:
        ValueError: it has an option that no importer need know.
    """
    program, *words = shlex.split(command.replace("\\\n", " "))
    if program != "curl":
        raise ValueError(f"{program!r} is no curl")
    curl, rest = Curl(), iter(words)
    form: list[tuple[str, str]] = []
    for word in rest:
        match word:
            case "--location" | "--globoff":
                pass
            case "--request":
                curl.method = next(rest)
            case "--header":
                name, _, value = next(rest).partition(": ")
                curl.headers[name] = value
            case "--data-raw":
                curl.body = next(rest)
            case "--data-urlencode":
                name, _, value = next(rest).partition("=")
                form.append((name, value))
            case _ if word.startswith("-") or curl.url:
                raise ValueError(f"{word!r} is not understood")
            case _:
                curl.url = word
    if form:
        # What is filled in later is plain in the tests, and so is its encoded form.
        curl.body = urlencode(form, safe="{}")
    curl.method = curl.method or ("GET" if curl.body is None else "POST")
    return curl
