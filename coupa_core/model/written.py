"""Texts in Coupa that our client may have written; the mark in the text names the person."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

from pydantic import PrivateAttr, ValidationInfo, model_validator

from coupa_core.marks import Signed, read_mark
from coupa_core.model.people import NAMES, Asker, Person
from coupa_core.model.values import CoupaRecord, MaybeId, Text

_MENTION = re.compile(r"@\[User:[0-9]+\] ?")


class Written(CoupaRecord):
    """A record with a text that our own client may have written for somebody.

    Only the author's login proves that it did: anybody can write the mark.
    """

    _by_us: bool | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _note_hand(self, info: ValidationInfo) -> Self:
        self._by_us = _is_client(self.author_in_coupa, info)
        return self

    @property
    @abstractmethod
    def author_in_coupa(self) -> Person | None:
        """Return the user whom Coupa recorded as the author."""

    @property
    @abstractmethod
    def text(self) -> str | None:
        """Return the text with the mark."""

    @property
    def acting_for(self) -> str:
        """Return the name for whom the writer may have acted; empty for nobody."""
        return ""

    @property
    def by_us(self) -> bool | None:
        """Tell whether our own client is its author; None where that is unknown."""
        return self._by_us

    @property
    def signed(self) -> Signed | None:
        """Return the person and the words of the mark; None where our client did not write it."""
        return read_mark(self.text, self.acting_for) if self.by_us else None


class Comment(Written):
    """A comment on a document."""

    asked: ClassVar[Sequence[Any]] = ("id", "comments", "created-at", {"created-by": ["id", *NAMES]})

    id: MaybeId = None
    commentable_id: MaybeId = None
    comments: Text = None
    created_at: Text = None
    created_by: Asker = None

    @property
    def author_in_coupa(self) -> Person | None:
        """Return the user whom Coupa recorded as its author."""
        return self.created_by

    @property
    def text(self) -> str | None:
        """Return the comment."""
        return self.comments

    @property
    def author(self) -> str:
        """Return the writer's name: of our mark, otherwise of the user whom Coupa recorded; maybe empty."""
        if self.signed:
            return self.signed.name
        return self.created_by.name if self.created_by else ""

    @property
    def words(self) -> str:
        """Return the text without our mark and without its mention."""
        return self.signed.words if self.signed else _MENTION.sub("", self.comments or "")


def _is_client(who: Person | None, info: ValidationInfo) -> bool | None:
    """Tell whether a user is our client's, by the login; None where either is unknown."""
    if not info.context or who is None or who.login is None:
        return None
    return bool(who.login == info.context)


def parse_comment(raw: Any, *, client: str = "") -> Comment | None:
    """Read one comment, or return None when it is no object; see `parse_approval`."""
    return Comment.model_validate(raw, context=client) if isinstance(raw, dict) else None
