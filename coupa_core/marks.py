"""The mark before words that our client writes in Coupa: `Ann <ann@acme.test> via Moveworks: words`.

It is written and read here, so that what is written comes back: the same name and the same words. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from coupa_core.visible import visible

VIA_CHAT = " via Moveworks"
"""The text in Coupa's note or comment after the name and e-mail of its author."""

_NAME = 80
_NO_NAME = str.maketrans(dict.fromkeys("<>:：", " "))
_MARK = re.compile(
    rf"(?P<mention>@\[User:[0-9]+\] )?(?P<name>[^<>:：]{{0,{_NAME + 1}}})<(?P<address>[^<>]+)>{VIA_CHAT}"
)
_ACTING = " as (?:member|delegate) of "
_QUOTED = re.compile(rf'(?:{_ACTING}"[^"]*")?(?::(?P<words>.*)|\Z)', re.DOTALL)
_BARE = re.compile(rf"{_ACTING}(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True)
class Signed:
    """Words that our client wrote into Coupa, and for whom: by name and e-mail address."""

    name: str
    address: str
    words: str

    @property
    def mark(self) -> str:
        """Return the mark alone, without for whom they act."""
        return f"{self.name} <{self.address}>{VIA_CHAT}"


def mark_of(name: str, address: str, capacity: str, whom: str, *, longest: tuple[int, int]) -> str:
    """Return the mark of a person; no name can end it, or hold another one.

    Args:
        name: the person's name, possibly empty.
        address: their e-mail.
        capacity: `member` or `delegate`, where they act for somebody else.
        whom: the name of the group or person for whom they act; empty for nobody.
        longest: characters of the name, up to 80, and of that for whom they act.
    """
    text = f"{_bare_name(name)[: longest[0]].strip()} <{address}>{VIA_CHAT}".strip()
    known = _line(whom.replace('"', "'"))[: longest[1]].strip()
    return f'{text} as {capacity} of "{known}"' if known else text


def read_mark(text: str | None, whom: str = "") -> Signed | None:
    """Return for whom our client wrote a note or comment; None where it does not begin with our mark.

    Anybody can write the mark: whoever asks must know that our client wrote the text. Releases up to
    0.2.0 wrote the name of whom somebody acts for without quotation marks: where nobody can tell its end,
    there are no words.

    Args:
        text: the note or comment.
        whom: the name of whom the person may have acted for, as it is known now.
    """
    mark = _MARK.match(text or "")
    if mark is None or text is None:
        return None
    rest = text[mark.end() :]
    if quoted := _QUOTED.fullmatch(rest):
        words = quoted["words"] or ""
    elif bare := _BARE.fullmatch(rest):
        words = _words_after(bare["rest"], whom, is_question=bool(mark["mention"]))
    else:
        return None
    return Signed(mark["name"].strip(), mark["address"], words.strip())


def _words_after(rest: str, whom: str, *, is_question: bool) -> str:
    """Return the words after a bare name: it is the one that is known, or a question has but one colon."""
    if whom and rest.startswith(f"{whom}: "):
        return rest.removeprefix(f"{whom}: ")
    return rest.partition(": ")[2] if is_question and rest.count(": ") == 1 else ""


def _bare_name(name: str) -> str:
    """Return a name without the characters that the mark uses."""
    text = _line(_line(name).translate(_NO_NAME)).replace("@[", "@ [")
    while VIA_CHAT in text:
        text = _line(text.replace(VIA_CHAT, " "))
    return text


def _line(text: str) -> str:
    return " ".join(visible(text).split())
