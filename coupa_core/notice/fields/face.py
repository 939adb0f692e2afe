"""The face of one kind of document: its fields, and what of them is not signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coupa_core.model import Document
from coupa_core.notice.style import Style

Value = str | list[str] | None


def nothing(document: Document, style: Style) -> dict[str, Value]:  # noqa: ARG001 - as other kinds have it
    """Return no value."""
    return {}


@dataclass(frozen=True)
class Face:
    """The fields of one kind of document.

    Attributes:
        head: the values in the first two lines of every card, which are no fields below them.
        shown: the fields that are shown, in order, unless the setting NOTICE_FIELDS says otherwise.
        on_demand: the fields that are shown where that setting names them.
        values: returns, for a document of this kind, the values that only this kind has, by field; empty or
            None where one is unknown.
        unsigned: the fields of these that are not signed (`content`), and why.
    """

    head: tuple[str, ...]
    shown: tuple[str, ...] = ()
    on_demand: tuple[str, ...] = ("creator", "status")
    values: Callable[[Any, Style], dict[str, Value]] = nothing
    unsigned: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Return the fields that the setting can name; those of the head are always shown."""
        return frozenset({*self.head, *self.shown, *self.on_demand})
