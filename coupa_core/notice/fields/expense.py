"""The fields of an expense report."""

from __future__ import annotations

from collections import Counter

from coupa_core.documents import ExpenseReport, Violation
from coupa_core.model import Currency
from coupa_core.notice.fields.field_set import FieldSet, Value
from coupa_core.notice.fields.formats import listed
from coupa_core.notice.fields.lines import brief, line_name
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, clean


def _values(document: ExpenseReport, style: Style) -> dict[str, Value]:
    money = document.currency
    found = Counter(
        text
        for violation in (*document.expense_policy_violations, *document.expense_violations)
        for text in _breaches(violation, money, style)
    )
    lacking = [line for line in document.lines if line.lacks_receipt]
    return {
        "violations": style.few(
            f"{style.number(count)}× {text}" if count > 1 else text for text, count in found.items()
        ),
        "over_limit": style.few(
            brief(line, document.currency_of(line), style) for line in document.lines if line.over_limit
        ),
        "receipts": listed([line_name(line) or style.say("untitled") for line in lacking], style),
        "audit_score": None if document.audit_score is None else style.number(document.audit_score),
        "period": style.span(document.start_date, document.end_date),
        "auditor_note": clean(document.auditor_note, LONG),
    }


def _breaches(violation: Violation, money: Currency | None, style: Style) -> list[str]:
    """Describe a violation. Coupa does not document whether `limit-exceeded` is the limit or the excess."""
    sentences = []
    if violation.limit_exceeded:
        sentences.append(style.say("limit", amount=style.amount(violation.limit_exceeded, money)))
    if violation.receipt_missing:
        sentences.append(style.say("receipt"))
    return sentences or [style.say("violation")]


FIELDS = FieldSet(
    head=("id", "title", "requester", "amount"),
    shown=(
        *("creator", "violations", "over_limit", "receipts", "audit_score", "period", "items"),
        *("account", "auditor_note", "why", "approved", "next", "attachments", "comment"),
    ),
    on_demand=("submitted", "status"),
    values=_values,
    unsigned={
        "receipts": "they come one by one while it waits, and each takes a warning away",
        "auditor_note": "a comment, too",
        "audit_score": "Coupa works it out anew by itself, whatever anybody changed",
    },
)
