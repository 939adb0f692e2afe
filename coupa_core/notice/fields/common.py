"""The fields that all kinds of documents share."""

from __future__ import annotations

from coupa_core.model import Approval, Document
from coupa_core.notice.fields.chain import following, newest_comment, steps, why
from coupa_core.notice.fields.field_set import Value
from coupa_core.notice.fields.formats import amount_of, listed, status
from coupa_core.notice.fields.lines import account, item
from coupa_core.notice.fields.parties import person, suppliers
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, MAX_LINES, SHORT, clean

UNSIGNED = {
    "approved": "the chain moves on with every step, and each says who decided it",
    "next": "the same; whose turn it is now is read at the click",
    "status": "it must still wait at the click",
    "submitted": "a stamp of Coupa's, not a part of what is bought",
    "comment": "people talk while they decide, and an answer to a question must not kill the button",
    "department": "a coding: who pays within the company, which accountants mend while it waits",
    "account": "the same: recoding it must neither announce again nor spoil a button",
    "why": "how the step came about is settled with the step, and a new step has a new id",
    "attachments": "only their names are known, and an offer that was asked for comes while it waits",
}
"""Those of these fields that the content hash leaves out (`content`), each with the reason."""


def _entered_by_requester(document: Document) -> bool:
    """Tell whether the submitter is the requester, by key and not by name."""
    asked, entered = document.requested_by, document.created_by
    return bool(asked and entered and asked.key and asked.key == entered.key)


def common_values(approval: Approval, document: Document, style: Style) -> dict[str, Value]:
    """Return the values of these fields, by field; empty or None for an unknown value."""
    requester, creator = person(document.requested_by), person(document.created_by)
    lines = document.lines
    items = [item(line, document.currency_of(line), style) for line in lines[:MAX_LINES]]
    more = len(lines) + document.lines_left_out - len(items) if items else 0
    return {
        "id": str(document.id),
        "title": clean(document.title, SHORT),
        "requester": requester,
        "creator": creator if creator != requester and not _entered_by_requester(document) else None,
        "amount": amount_of(document, style) or style.say("nothing"),
        "items": [*items, *([style.more(more)] if more > 0 else [])],
        "supplier": style.few(suppliers(document)),
        "justification": clean(document.justification, LONG),
        "department": clean(document.department.name if document.department else None, SHORT),
        "submitted": style.day_of(document.submitted_at),
        "approved": steps(document.approved, style),
        "next": following(approval, document, style),
        "attachments": listed(document.files, style),
        "comment": newest_comment(document, style),
        "status": status(document.status, style),
        "account": account(document, style),
        "why": why(approval, style),
    }
