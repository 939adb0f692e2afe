"""Lists and words of Coupa as texts."""

from __future__ import annotations

from collections.abc import Iterable

from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


def listed(names: Iterable[str], style: Style) -> str | None:
    """Return the number of names, and the names."""
    every = [clean(name, SHORT) for name in names]
    if not every:
        return None
    few = style.few(every)
    count = style.number(len(every))
    return f"{count} ({few})" if few else count


def status(text: str | None, style: Style) -> str:
    """Return a status of Coupa in words: ours for a known status, otherwise Coupa's own."""
    key = f"status.{text}"
    return style.say(key) if style.has(key) else in_words(text)


def in_words(text: str | None) -> str:
    """Return a code of Coupa as words: `auto_renew` as `Auto renew`."""
    return clean((text or "").replace("_", " ").capitalize(), SHORT)
