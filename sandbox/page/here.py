"""The state of a browser on the page, as its address holds it: two browsers share nothing.

The outcome of a form is kept under a key that only the browser of that form gets.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.page.form import Done

KEPT = 200
"""The number of kept outcomes, the newest ones."""

_SCREEN = re.compile(r"people|new|new/[a-z-]{1,20}|[0-9]{1,19}")


@dataclass(frozen=True)
class Outcome:
    """The outcome of one form.

    Attributes:
        done: the place and the text of the outcome.
        form: the form with the mistake; empty without one.
        name: the field with the mistake.
        typed: the typed values of that form, by field.
    """

    done: Done = field(default_factory=lambda: Done(""))
    form: str = ""
    name: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


class Outcomes:
    """The newest outcomes, by keys that cannot be guessed."""

    def __init__(self) -> None:
        self._kept: dict[str, Outcome] = {}
        self._lock = threading.Lock()

    def keep(self, outcome: Outcome) -> str:
        """Keep an outcome and return its key."""
        key = secrets.token_urlsafe(9)
        with self._lock:
            self._kept[key] = outcome
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return key

    def get(self, key: str) -> Outcome:
        """Return an outcome; an empty one when the key is unknown."""
        return self._kept.get(key, Outcome())


@dataclass(frozen=True)
class Here:
    """A browser's view.

    Attributes:
        person: the person of the chat, by e-mail.
        screen: the screen of Coupa: a document's number, `new`, `new/KIND`, `people`, or empty for the list.
        trace: the traced approval, or empty.
        said: the key of `last`.
        last: the outcome of the last form of this browser.
    """

    person: str
    screen: str = ""
    trace: str = ""
    said: str = ""
    last: Outcome = field(default_factory=Outcome)

    @classmethod
    def of(cls, fields: Mapping[str, Any], *, person: str, outcomes: Outcomes) -> Here:
        """Read it from an address or a form; invalid values are left out."""
        screen, said = str(fields.get("coupa", "")), str(fields.get("said", ""))
        trace = str(fields.get("trace", "")).strip()
        return cls(
            person,
            screen if _SCREEN.fullmatch(screen) else "",
            trace if trace.isascii() and trace.isdigit() and len(trace) <= 19 else "",
            said,
            outcomes.get(said),
        )

    def to(
        self,
        place: str = "",
        *,
        person: str | None = None,
        screen: str | None = None,
        trace: str | None = None,
        said: str = "",
    ) -> str:
        """Return the address of another place, without an outcome unless one is given."""
        query = {
            "as": self.person if person is None else person,
            "coupa": self.screen if screen is None else screen,
            "trace": self.trace if trace is None else trace,
            "said": said,
        }
        address = "/?" + urlencode({name: value for name, value in query.items() if value})
        return f"{address}#{place}" if place else address

    def typed(self, form: str, name: str, otherwise: Any = "") -> str:
        """Return the value of a form's field: the typed text, if that form had a mistake."""
        return str(self.last.typed.get(name, "") if self.last.form == form else otherwise)

    def wrong(self, form: str, name: str) -> str:
        """Return the mistake in a field; empty without one."""
        return self.last.done.said if (self.last.form, self.last.name) == (form, name) else ""

    def remark(self, place: str) -> Done | None:
        """Return the message at a place of a sent form, unless one of its fields shows it."""
        done = self.last.done
        return done if done.place == place and done.said and not self.last.name else None
