"""Raw JSON as records, and parts of records that many have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from sandbox.coupa.records import PENDING, Document, Record, User

CHART: Final = Record(extra={"id": 1, "name": "Acme"})
"""The one chart of accounts."""


def segments_of(code: str) -> dict[str, Any]:
    """Return the segments of an account: its code is "all segments concatenated with a hyphen".

    Source: resources/reference-data-resources/accounts-api-(accounts), "code"
    """
    return {f"segment-{number}": text for number, text in enumerate(code.split("-"), 1)}


def file(name: str) -> Record:
    """Return an attachment as Coupa's sample shows it: the name is the end of an address."""
    address = f"https://files.example.com/attachment_files/files/79/original/{quote(name)}"
    return Record(
        extra={"id": 325, "type": "AttachmentFile", "intent": "Internal", "file": address, "url": ""}
    )


def record(raw: Mapping[str, Any]) -> Record:
    """Return an object of raw JSON, and the objects in it, as records."""

    def kept(value: Any) -> Any:
        if isinstance(value, dict):
            return record(value)
        return [kept(each) for each in value] if isinstance(value, list) else value

    return Record(extra={name: kept(value) for name, value in hyphenated(raw).items()})


def hyphenated(names: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same with hyphens for underscores."""
    return {key.replace("_", "-"): value for key, value in names.items()}


def summary(document: Document) -> dict[str, Any]:
    """Return where a document stands, for the sandbox's page."""
    return {
        "id": document.id,
        "status": document.status,
        "title": getattr(document, "req_title", document.extra.get("title")),
        "total": str(getattr(document, "total", document.extra.get("total"))),
        "chain": [
            {
                "id": each.id,
                "position": each.position,
                "status": each.status,
                "approver": each.approver.email if isinstance(each.approver, User) else each.approver.name,
                "approved_by": each.approved_by.fullname if each.approved_by else None,
                "note": each.note,
                "is_turn": document.status == PENDING and each in document.turn,
            }
            for each in document.approvals
        ],
    }
