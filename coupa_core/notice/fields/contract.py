"""The fields of a contract."""

from __future__ import annotations

from coupa_core.documents import Contract
from coupa_core.notice.fields.field_set import FieldSet, Value
from coupa_core.notice.fields.formats import in_words, stated_amounts
from coupa_core.notice.fields.parties import person
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean


def _values(document: Contract, style: Style) -> dict[str, Value]:
    amounts, key = stated_amounts(document, style), f"term.{document.term_type}"
    length = document.renewal_length_value
    times = document.no_of_renewals
    renewal = [
        f"{style.number(times)} ×" if times else "",
        style.length(length, document.renewal_length_unit) if length else "",
    ]
    return {
        "number": clean(document.number, SHORT),
        "commitment": style.between(amounts["min_commit"], amounts["max_commit"]),
        "term": style.say(key) if style.has(key) else in_words(document.term_type),
        "period": style.span(document.start_date, document.end_date),
        "renewal": " ".join(filter(None, renewal)),
        "owner": person(document.contract_owner),
    }


FIELDS = FieldSet(
    head=("id", "title", "requester", "amount"),
    shown=(
        *("number", "supplier", "commitment", "term", "period", "renewal", "owner", "department"),
        *("justification", "why"),
    ),
    values=_values,
)
