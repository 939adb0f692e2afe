"""Hide the values that we sent in the error text of a service, and recognise sentences for people.

It knows no service and no secret: each value of a request is hidden, in every form that it may come in.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "[hidden]"

SHORTEST = 8
"""Characters from which a value is hidden.

Shorter ones are words such as `asc` or `approve`, without which no error could be read; a credential of fewer
characters would be guessed anyway.
"""

_OPAQUE = re.compile(r"[A-Za-z0-9+/=_.~%-]{40,}")
"""A long run without a space, which may be a credential that is not even ours."""

_INTERNAL = re.compile(
    r"""
    (?-i:[a-z](?:Error|Exception|Violation|Fault|Failure|NotFound|Invalid)\b)    # NoMethodError
    | ::|=>|->|\#<|\b0x[0-9a-f]|[`\\{}]              # code
    | [a-z0-9]_[a-z0-9]                               # names in a database or in code
    | (?<![\w])~?/[\w.-]*[a-z][\w.-]*/               # /srv/coupa/
    | \.[a-z]{1,5}:\d                                 # approval.rb:12
    | [a-z0-9][a-z0-9-]*[a-z0-9]\.[a-z]{2,}\b         # db-7.internal, a.person@example.com
    | \b\d{1,3}(?:\.\d{1,3}){3}\b | \blocalhost\b    # 10.0.0.7
    | \bat\sline\s\d | \bnil: | \bfor\snil\b | \bundefined\s(?:local|method)\b
    | \b(?:back|stack)\s?trace\b | \btraceback\b
    | \b(?:unique|foreign\skey|check|not-null)\sconstraint\b | \b(?:ORA|SQLSTATE)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Signs of an exception, a path, a host or address, code or a database in a text."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_LAYERS = 3


def texts_of(sent: object) -> list[str]:
    """Collect the texts of a request that are worth hiding.

    Args:
        sent: maps and lists of values; bytes are read as JSON where they are that. A credential loses its
            scheme.
    """
    if isinstance(sent, Mapping):
        return [text for value in sent.values() for text in texts_of(value)]
    if isinstance(sent, list | tuple):
        return [text for value in sent for text in texts_of(value)]
    if isinstance(sent, bytes):
        return texts_of(_read(sent))
    text = str(sent or "").removeprefix("Bearer ")
    return [text] if len(text) >= SHORTEST else []


def without(text: str, sent: Sequence[str]) -> str:
    """Hide what was sent: as it is, reversed, in another case, in base64, hexadecimal, JSON, HTML or a URL.

    Where a value shows only after escapes of several kinds are undone, nothing of the text is shown.
    """
    for value in sorted(sent, key=len, reverse=True):
        for form in sorted(_forms(value), key=len, reverse=True):
            text = re.sub(re.escape(form), HIDDEN, text, flags=re.IGNORECASE)
    text = _OPAQUE.sub(HIDDEN, text)
    forms = {form.casefold() for value in sent for form in _forms(value)}
    return HIDDEN if any(form in each.casefold() for each in _readings(text) for form in forms) else text


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _forms(value: str) -> set[str]:
    data = value.encode("utf-8", "surrogatepass")
    forms = {
        *(value, quote(data, safe=""), quote_plus(data), html.escape(value)),
        *(json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]),
        *(data.hex(), *_in_base64(data)),
    }
    return forms | {form[::-1] for form in forms}


def _in_base64(data: bytes) -> Iterator[str]:
    """Yield the base64 fragments of a value that occur at any offset within a longer text."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + data).decode()
        certain = encoded[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        yield certain
        yield certain.replace("+", "-").replace("/", "_")


def _readings(text: str) -> Iterator[str]:
    """Yield a text as it reads when escapes of JSON, HTML and URLs are undone, layer by layer."""
    for undo in (_from_json, html.unescape, unquote) * _LAYERS:
        text = undo(text)
        yield text


def _from_json(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


def for_people(words: str) -> bool:
    """Tell whether an error's text is a sentence for people, and not an exception or how a system is built.

    Anything that looks like the name of an exception, a path, a host, an address, a place in code or in a
    database is not for people; nor is a single word, except where words stand without spaces.

    >>> for_people("Budget line 7 is closed."), for_people("NoMethodError at /srv/coupa")
    (True, False)
    """
    is_sentence = " " in words.strip() or not words.isascii()
    return is_sentence and not _INTERNAL.search(words)
