"""Routes as the Azure Functions host matches them, as far as this product needs them.

Constraints, optional and catch-all parameters (`{id:int}`, `{id?}`, `{*rest}`) are refused, not ignored.

Source, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger
"""

from __future__ import annotations

import re
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\w+)\}")
_LITERAL = re.compile(r"[^{}]+")


def segments(raw_path: str) -> list[str]:
    """Split a raw path and decode it, as ASP.NET does: `%2F` stays unchanged.

    >>> segments("/api/approvals/a%2Fb%20c/")
    ['api', 'approvals', 'a%2Fb c']
    """
    kept = re.sub("%2f", "%252F", raw_path, flags=re.IGNORECASE)
    return [unquote(each) for each in kept.removeprefix("/").removesuffix("/").split("/")]


class Route:
    """A route template such as `approvals/{approval_id}`, with the prefix of the app.

    Raises:
        ValueError: the template holds something that this host does not know.
    """

    def __init__(self, template: str, *, prefix: str) -> None:
        self.template = "/".join(part for part in (prefix.strip("/"), template.strip("/")) if part)
        self._parts = self.template.split("/")
        for part in self._parts:
            if not (_PARAMETER.fullmatch(part) or _LITERAL.fullmatch(part)):
                raise ValueError(f"route {template!r}: only whole segments like {{name}} are known here")

    @property
    def precedence(self) -> tuple[bool, ...]:
        """Return the sort key by which a literal segment precedes a parameter in the same place."""
        return tuple(_PARAMETER.fullmatch(part) is not None for part in self._parts)

    def match(self, path: list[str]) -> dict[str, str] | None:
        """Return the parameters if the path is this route's, else None; literals match in any letter case."""
        if len(path) != len(self._parts):
            return None
        values: dict[str, str] = {}
        for part, segment in zip(self._parts, path, strict=True):
            parameter = _PARAMETER.fullmatch(part)
            if parameter and segment:
                values[parameter[1]] = segment
            elif part.casefold() != segment.casefold():
                return None
        return values
