"""Where a browser is on the page, as its address says: nothing of it is kept for two browsers together.

What became of a form is kept under a key that only the browser that sent it is told.
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
"""Outcomes that are kept, the newest ones."""

_SCREEN = re.compile(r"people|new|new/[a-z-]{1,20}|[0-9]{1,19}")


@dataclass(frozen=True)
class Outcome:
    """What became of one form.

    Attributes:
        done: where it is shown, and what is said.
        form: the form in which a mistake was made; empty where there was none.
        name: the field in which it was made.
        typed: what was typed into that form, by field.
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
        """Return an outcome; one that says nothing where there is none of this key."""
        return self._kept.get(key, Outcome())


@dataclass(frozen=True)
class Here:
    """What a browser sees.

    Attributes:
        person: whose chat, by e-mail.
        screen: what of Coupa: a document's number, `new`, `new/KIND`, `people`, or nothing for the list.
        trace: the approval that is traced, or nothing.
        said: the key of `last`.
        last: what became of the form that this browser sent last.
    """

    person: str
    screen: str = ""
    trace: str = ""
    said: str = ""
    last: Outcome = field(default_factory=Outcome)

    @classmethod
    def of(cls, fields: Mapping[str, Any], *, person: str, outcomes: Outcomes) -> Here:
        """Read it from an address or a form, of which whatever makes no sense is left out."""
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
        """Return the address of another place, which says nothing of an outcome unless it is told to."""
        query = {
            "as": self.person if person is None else person,
            "coupa": self.screen if screen is None else screen,
            "trace": self.trace if trace is None else trace,
            "said": said,
        }
        address = "/?" + urlencode({name: value for name, value in query.items() if value})
        return f"{address}#{place}" if place else address

    def typed(self, form: str, name: str, otherwise: Any = "") -> str:
        """Return what a field of a form shows: what was typed into it, if a mistake was made in that form."""
        return str(self.last.typed.get(name, "") if self.last.form == form else otherwise)

    def wrong(self, form: str, name: str) -> str:
        """Return the mistake that was made in a field; empty where there was none."""
        return self.last.done.said if (self.last.form, self.last.name) == (form, name) else ""

    def remark(self, place: str) -> Done | None:
        """Return what is said at a place of a form that was sent, unless one of its fields says it."""
        done = self.last.done
        return done if done.place == place and done.said and not self.last.name else None
