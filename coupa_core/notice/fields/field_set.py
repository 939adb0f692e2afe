"""The fields of one kind of document: which a card shows, and which are not signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from coupa_core.model import Document
from coupa_core.notice.style import Style

Value = str | list[str] | None


def no_values(document: Document, style: Style) -> dict[str, Value]:  # noqa: ARG001 - the signature of all
    """Return no values, for a kind without fields of its own."""
    return {}


@dataclass(frozen=True)
class FieldSet:
    """The fields of one kind of document.

    Attributes:
        head: the fields whose values are in the first two lines of every card, and not repeated below.
        shown: the fields below them by default, in order; the setting NOTICE_FIELDS replaces them.
        on_demand: further fields that this setting may name.
        values: returns the values of the fields that only this kind has, by field; empty or None for an
            unknown value.
        unsigned: those of its fields that the content hash leaves out (`content`), each with the reason.
    """

    head: tuple[str, ...]
    shown: tuple[str, ...] = ()
    on_demand: tuple[str, ...] = ("creator", "status")
    values: Callable[[Any, Style], dict[str, Value]] = no_values
    unsigned: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """Return the fields that the setting may name; those of the head are always shown."""
        return frozenset({*self.head, *self.shown, *self.on_demand})
