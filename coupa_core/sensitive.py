"""Find the documents that chat may not show: by commodity, supplier, department, account or group. Pure.

Documents are redacted where they are read from Coupa, so that no message can contain what its composer never
had. A field that Coupa does not give, or not readably, counts as sensitive: the reader can still open the
document in Coupa.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from coupa_core.environment import pairs_of
from coupa_core.model import Account, Approval, Approver, CoupaRecord, Document, DocumentKind
from coupa_core.visible import visible

OF_DOCUMENT: dict[DocumentKind, tuple[str, ...]] = {
    DocumentKind.REQUISITION: ("department",),
    DocumentKind.INVOICE: ("supplier",),
    DocumentKind.ORDER_CHANGE: ("supplier",),
    DocumentKind.CONTRACT: ("supplier", "department"),
}
"""The fields of each kind of document, as far as they are read."""

OF_LINE: dict[DocumentKind, tuple[str, ...]] = {
    DocumentKind.REQUISITION: ("supplier", "commodity", "account", "account_allocations"),
    DocumentKind.EXPENSE: ("account", "account_allocations"),
    DocumentKind.INVOICE: ("commodity", "account", "account_allocations"),
    DocumentKind.ORDER_CHANGE: ("supplier", "commodity", "department", "account", "account_allocations"),
}
"""The fields of the lines of each kind, likewise."""

_FIELDS = {
    "commodities": ("commodity",),
    "suppliers": ("supplier",),
    "departments": ("department",),
    "accounts": ("account", "account_allocations"),
    "groups": (),
}
NAMES = tuple(_FIELDS)
"""The kinds of names by which the setting can name documents."""

_WRONG = (
    f"must be a JSON object that has lists of names, by some of {', '.join(NAMES)}, "
    'such as {"departments": ["HR"], "accounts": ["9100-*"]}; a * stands at the end of a name'
)


def read_sensitive(text: str) -> dict[str, tuple[str, ...]]:
    """Read which names keep a document from chat.

    >>> read_sensitive('{"groups": ["Board"], "accounts": ["9100-*"]}')
    {'groups': ('Board',), 'accounts': ('9100-*',)}
    """
    pairs = pairs_of(text)
    if pairs is None or len(dict(pairs)) < len(pairs):
        raise ValueError(_WRONG)
    if not all(name in NAMES and _are_names(names) for name, names in pairs):
        raise ValueError(_WRONG)
    return {name: tuple(names) for name, names in pairs}


def _are_names(names: object) -> bool:
    """Tell whether these are names, one at least; a `*` may only end one."""
    return (
        isinstance(names, list)
        and bool(names)
        and all(isinstance(each, str) and _folded(each) and "*" not in each.strip()[:-1] for each in names)
    )


class Sensitive:
    """The names of a deployment.

    Args:
        names: as `read_sensitive` returns them; capitals and spaces do not count, and one that ends in `*`
            stands for all that begin so.
    """

    def __init__(self, names: Mapping[str, Sequence[str]] | None = None) -> None:
        folded = {name: tuple(map(_folded, some)) for name, some in (names or {}).items()}
        self._names = {name: some for name, some in folded.items() if some}

    def redact(self, document: Document) -> Document:
        """Return a document as chat may know it: without its content where it is a named one."""
        is_read = document.kind is not DocumentKind.OTHER
        return document.redacted() if is_read and self._covers(document) else document

    def asks(self, approval: Approval) -> bool:
        """Tell whether an approval is for a named group."""
        return "groups" in self._names and approval.is_for_group and self._is_group(approval.approver)

    def redact_for(self, approval: Approval | None, document: Document) -> Document:
        """Return a document as chat may know it of an approval, also where only that names the group.

        Where nobody has the approval any more, a named group may have been asked.
        """
        is_named = self.asks(approval) if approval else "groups" in self._names
        return document.redacted() if is_named else document

    def _covers(self, document: Document) -> bool:
        of_document, of_lines = OF_DOCUMENT.get(document.kind, ()), OF_LINE.get(document.kind, ())
        return (
            ("groups" in self._names and self._is_asked(document))
            or (document.lacks_lines and any(field in of_lines for _, field in self._fields()))
            or self._has(document, of_document)
            or any(self._has(line, of_lines) for line in document.lines)
        )

    def _has(self, record: CoupaRecord, fields: Sequence[str]) -> bool:
        """Tell whether one of these fields has a name of the setting, or does not say what it has."""
        return any(
            field not in record.model_fields_set
            or any(self._is_named(name, texts) for texts in _names_and_codes(getattr(record, field)))
            for name, field in self._fields()
            if field in fields
        )

    def _fields(self) -> Iterator[tuple[str, str]]:
        return ((name, field) for name in self._names for field in _FIELDS[name])

    def _is_asked(self, document: Document) -> bool:
        """Tell whether a named group is asked in some step; also where a document does not say who is.

        A contract names only whose turn it is, so that every later step may be of a named group.
        """
        people = [step.approver for step in document.approvals]
        return not people or any(map(self._is_group, people))

    def _is_group(self, who: Approver | None) -> bool:
        """Tell whether it is a named group, or nobody knows who it is."""
        if who is None or not (who.group_name or who.name):
            return True
        return who.group_name is not None and self._is_named("groups", [who.group_name])

    def _is_named(self, name: str, texts: Sequence[str]) -> bool:
        """Tell whether one of these names and codes is in the setting; without any, it counts as named."""
        return not texts or any(_fits(_folded(text), each) for text in texts for each in self._names[name])


def _names_and_codes(value: Any) -> list[list[str]]:
    """Return the name and the code of a record, or of the account of each part of a split line."""
    parts = [each.account or Account() for each in value] if isinstance(value, tuple) else [value]
    return [
        [text for text in (part.name, getattr(part, "code", None)) if text]
        for part in parts
        if part is not None
    ]


def _fits(text: str, name: str) -> bool:
    return text.startswith(name[:-1]) if name.endswith("*") else text == name


def _folded(text: str) -> str:
    return " ".join(visible(unicodedata.normalize("NFKC", text)).split()).casefold()
