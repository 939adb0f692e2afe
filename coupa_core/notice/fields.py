"""What each kind of document has to show, by the names that the setting NOTICE_FIELDS knows. Pure.

It chooses values and labels; `messages` puts them into cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from coupa_core.documents import (
    Contract,
    ExpenseLine,
    ExpenseReport,
    Invoice,
    OrderChange,
    OrderLineChange,
    Requisition,
    Violation,
)
from coupa_core.model import Approval, Comment, Currency, Document, Kind, Line, Person, stamp
from coupa_core.notice.markup import Field
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, MAX_LINES, NOTE, SHORT, clean

DEFAULTS: dict[Kind, tuple[str, ...]] = {
    Kind.REQUISITION: (
        *("id", "title", "requester", "creator", "amount", "items", "supplier", "justification"),
        *("department", "need_by", "approved", "next", "attachments", "comment", "status"),
    ),
    Kind.EXPENSE: (
        *("id", "title", "requester", "creator", "amount", "violations", "over_limit", "receipts"),
        *("audit_score", "period", "items", "auditor_note", "approved", "next", "attachments", "comment"),
    ),
    Kind.INVOICE: (
        *("id", "supplier", "title", "invoice_date", "amount", "tolerance", "due", "discount", "orders"),
        *("items", "requester", "justification", "approved", "next", "attachments"),
    ),
    Kind.ORDER_CHANGE: (
        *("id", "title", "supplier", "started_by", "cancels", "amount", "items", "justification"),
        *("requester", "approved", "next", "attachments"),
    ),
    Kind.CONTRACT: (
        *("id", "title", "number", "supplier", "amount", "commitment", "term", "period", "renewal", "owner"),
        *("requester", "department", "justification"),
    ),
    Kind.FORM: ("id", "title", "requester", "creator", "submitted", "approved", "next"),
    Kind.OTHER: ("id",),
}
"""The fields that are shown, in order, unless a setting says otherwise."""

_ON_DEMAND = {
    Kind.REQUISITION: {"submitted"},
    Kind.EXPENSE: {"submitted", "status"},
    Kind.OTHER: set[str](),
}
NAMES: dict[Kind, frozenset[str]] = {
    kind: frozenset({*names, *_ON_DEMAND.get(kind, {"creator", "status"})})
    for kind, names in DEFAULTS.items()
}
"""The fields that can be shown."""

_NEVER = datetime.min.replace(tzinfo=UTC)
Value = str | list[str] | None


def fields(approval: Approval, document: Document, style: Style) -> tuple[Field, ...]:
    """Return what is to be shown of a document, as the settings say; what is not known is left out."""
    values = _common(approval, document, style) | _own(document, style)
    shown: list[Field] = []
    for name in style.fields.get(document.type, DEFAULTS[document.kind]):
        value = values[name]
        texts = value if isinstance(value, list) else [value]
        label = label_of(name, document.kind, style)
        shown += [Field(label, text) for text in texts if text]
        more = len(document.lines) - MAX_LINES
        if name == "items" and more > 0:
            shown.append(Field(style.say("label.more"), style.more(more)))
    return tuple(shown)


def label_of(name: str, kind: Kind, style: Style) -> str:
    """Return the label of a field, of its kind if it has one of its own."""
    own = f"label.{name}.{kind}"
    return style.say(own if style.has(own) else f"label.{name}")


def person(who: Person | None) -> str:
    """Return a person's name as it may be shown, possibly empty."""
    return clean(who.name, SHORT) if who else ""


def decider(approval: Approval) -> str:
    """Return who decided a step, or had to, without the e-mail that our note carries."""
    return clean(approval.decided_by, SHORT) or asked(approval)


def asked(approval: Approval) -> str:
    """Return the name of the person or group of a step, possibly empty."""
    who = approval.approver
    return clean(who.name or who.group_name, SHORT) if who else ""


def amount_of(document: Document, style: Style) -> str | None:
    """Return what a document comes to; for a contract its range, for a change of an order both totals."""
    said = _amounts(document, style)
    if isinstance(document, Contract):
        return style.between(said["minimum_value"], said["maximum_value"])
    total, before = said["total"], said.get("old_total")
    return f"{before} → {total}" if before and total and before != total else total


def _amounts(document: Document, style: Style) -> dict[str, str | None]:
    """Write what a document comes to, by the names of its amounts."""
    return {name: style.amount(amount, document.currency) for name, amount in document.amounts.items()}


def _common(approval: Approval, document: Document, style: Style) -> dict[str, Value]:
    """Compute what every kind may have."""
    requester, creator = person(document.requested_by), person(document.created_by)
    return {
        "id": str(document.id),
        "title": clean(document.title, SHORT),
        "requester": requester,
        "creator": creator if creator != requester else None,
        "amount": amount_of(document, style) or style.say("nothing"),
        "items": [item(line, document.currency_of(line), style) for line in document.lines[:MAX_LINES]],
        "supplier": style.few(_suppliers(document)),
        "justification": clean(document.justification, LONG),
        "department": clean(document.department.name if document.department else None, SHORT),
        "submitted": style.day_of(document.submitted_at),
        "approved": _steps(document.approved, style),
        "next": _next(approval, document, style),
        "attachments": _listed(document.files, style),
        "comment": _comment(document, style),
        "status": status(document.status, style),
    }


def _own(document: Document, style: Style) -> dict[str, Value]:
    """Compute what only one kind has."""
    match document:
        case Requisition():
            return {"need_by": style.day(document.need_by_date)}
        case ExpenseReport():
            return _expense(document, style)
        case Invoice():
            return _invoice(document, style)
        case OrderChange():
            starter = style.say("by_supplier") if document.supplier_initiated else person(document.created_by)
            return {
                "started_by": starter,
                "cancels": style.say("cancels") if document.pending_cancel else None,
            }
        case Contract():
            return _contract(document, style)
        case _:
            return {}


def _expense(report: ExpenseReport, style: Style) -> dict[str, Value]:
    money = report.currency
    found = Counter(
        text
        for violation in (*report.expense_policy_violations, *report.expense_violations)
        for text in _breaches(violation, money, style)
    )
    lacking = [line for line in report.lines if line.lacks_receipt]
    return {
        "violations": style.few(
            style.say("times", count=style.number(count), text=text) if count > 1 else text
            for text, count in found.items()
        ),
        "over_limit": style.few(
            _brief(line, report.currency_of(line), style) for line in report.lines if line.over_limit
        ),
        "receipts": _listed([_name(line) or style.say("untitled") for line in lacking], style),
        "audit_score": None if report.audit_score is None else style.number(report.audit_score),
        "period": style.span(report.start_date, report.end_date),
        "auditor_note": clean(report.auditor_note, LONG),
    }


def _breaches(violation: Violation, money: Currency | None, style: Style) -> list[str]:
    """Say what a violation is; Coupa does not say whether `limit-exceeded` is the limit or the excess."""
    said = []
    if violation.limit_exceeded:
        said.append(style.say("limit", amount=style.amount(violation.limit_exceeded, money)))
    if violation.receipt_missing:
        said.append(style.say("receipt"))
    return said or [style.say("violation")]


def _invoice(invoice: Invoice, style: Style) -> dict[str, Value]:
    due, discount = style.day(invoice.net_due_date), style.day(invoice.discount_due_date)
    term = clean(invoice.payment_term.code if invoice.payment_term else None, SHORT)
    percent = style.percent(invoice.discount_percent)
    return {
        "invoice_date": style.day(invoice.invoice_date),
        "tolerance": clean(invoice.tolerance_failures, LONG),
        "due": style.say("due", day=due, term=term) if due and term else due,
        "discount": style.say("discount", day=discount, percent=percent)
        if discount and percent
        else discount,
        "orders": style.few(clean(number, SHORT) for number in invoice.orders),
    }


def _contract(contract: Contract, style: Style) -> dict[str, Value]:
    said, key = _amounts(contract, style), f"term.{contract.term_type}"
    length = contract.renewal_length_value
    times = contract.no_of_renewals
    renewal = [
        f"{style.number(times)} ×" if times else "",
        style.length(length, contract.renewal_length_unit) if length else "",
    ]
    return {
        "number": clean(contract.number, SHORT),
        "commitment": style.between(said["min_commit"], said["max_commit"]),
        "term": style.say(key) if style.has(key) else _words(contract.term_type),
        "period": style.span(contract.start_date, contract.end_date),
        "renewal": " ".join(filter(None, renewal)),
        "owner": person(contract.contract_owner),
    }


# ---------------------------------------------------------------------- parts


def item(line: Line, currency: Currency | None, style: Style) -> str:
    """Write name, quantity times price, and total, as far as the line says."""
    name = _name(line) or style.say("untitled")
    if isinstance(line, ExpenseLine):
        category = line.expense_category.name if line.expense_category else None
        about = [clean(text, SHORT) for text in (line.merchant, category)]
        about = [text for text in (*about, style.day(line.expense_date)) if text and text != name]
        name += f" ({', '.join(about)})" if about else ""
    if isinstance(line, OrderLineChange) and line.pending_delete:
        name = style.say("deleted", item=name)
    parts = []
    if line.quantity is not None:
        unit = clean(line.uom.code, 12) if line.uom and line.uom.code else ""
        parts.append(f"{style.number(line.quantity)}{f' {unit}' if unit else ''}")
    if line.unit_price is not None:
        parts.append(str(style.amount(line.unit_price, currency)))
    said = " × ".join(parts)
    total = style.amount(line.total, currency)
    if total and len(parts) != 1:
        said = f"{said} = {total}" if said else total
    return f"{name}: {said}" if said else name


def _brief(line: Line, currency: Currency | None, style: Style) -> str:
    """Write the name of a line and what it comes to."""
    total = style.amount(line.total, currency)
    return ": ".join(filter(None, [_name(line) or style.say("untitled"), total]))


def _name(line: Line) -> str:
    """Return what a line is called; an expense without a description by its merchant or category."""
    texts = [line.description]
    if isinstance(line, ExpenseLine):
        texts += [line.merchant, line.expense_category.name if line.expense_category else None]
    return next((name for text in texts if (name := clean(text, SHORT))), "")


def _suppliers(document: Document) -> list[str]:
    """Return the name of the supplier of a document, or of its lines, each once."""
    every = [document.supplier] if document.supplier else [line.supplier for line in document.lines]
    return list(dict.fromkeys(clean(each.name, SHORT) for each in every if each))


def _steps(approved: list[Approval], style: Style) -> list[str]:
    """Write who approved before, when, and with which words: the last ones, and how many came before them."""
    said = []
    for step in approved[-MAX_LINES:]:
        who, day, words = decider(step), style.day_of(step.approval_date), clean(step.said, NOTE)
        if words:
            said.append(
                style.say("said", who=who, day=day, words=words)
                if day
                else style.say("said.words", who=who, words=words)
            )
        else:
            said.append(style.say("said.day", who=who, day=day) if day else who)
    more = len(approved) - MAX_LINES
    return [style.more(more), *said] if more > 0 else said


def _next(approval: Approval, document: Document, style: Style) -> list[str]:
    """Write who decides at the same time, and who comes next; that nobody does is worth knowing, too."""
    around = document.around(approval)
    if around is None:
        return []
    beside, following = (style.few(asked(each) for each in step) for step in around)
    said = [style.say("beside", who=beside)] if beside else []
    if following:
        return [*said, following]
    return said or [style.say("last")]


def _listed(names: Iterable[str], style: Style) -> str | None:
    """Write how many there are, and what they are called."""
    every = [clean(name, SHORT) for name in names]
    if not every:
        return None
    few = style.few(every)
    count = style.number(len(every))
    return f"{count} ({few})" if few else count


def _comment(document: Document, style: Style) -> str | None:
    """Write the newest comment that is no note of a step above."""
    above = {step.said for step in document.approved}
    said = [
        each
        for each in (_spoken(comment) for comment in document.comments)
        if each[1] and each[1] not in above
    ]
    if not said:
        return None
    _, words, who = max(said, key=lambda each: each[0])
    words, who = clean(words, LONG), clean(who, SHORT)
    return style.say("commented", words=words, who=who) if who and words else words


def _spoken(comment: Comment) -> tuple[datetime, str, str]:
    """Return when somebody said what, and who."""
    return stamp(comment.created_at) or _NEVER, comment.words, comment.author


def status(text: str | None, style: Style) -> str:
    """Write a status of Coupa in words: ours for those that we know, else its own."""
    key = f"status.{text}"
    return style.say(key) if style.has(key) else _words(text)


def _words(text: str | None) -> str:
    return clean((text or "").replace("_", " ").capitalize(), SHORT)
