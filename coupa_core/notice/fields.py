"""The fields of each kind of document, by the names of the setting NOTICE_FIELDS. Pure.

It chooses values and labels; `messages` puts them into cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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
from coupa_core.model import Approval, Comment, Currency, Document, DocumentKind, Line, Person, stamp
from coupa_core.notice.markup import Field
from coupa_core.notice.style import Style
from coupa_core.notice.text import LONG, MAX_LINES, NOTE, SHORT, clean
from coupa_core.visible import first_seen, is_blank

HEAD: dict[DocumentKind, tuple[str, ...]] = {
    DocumentKind.REQUISITION: ("id", "title", "requester", "amount", "need_by"),
    DocumentKind.EXPENSE: ("id", "title", "requester", "amount"),
    DocumentKind.INVOICE: ("id", "title", "supplier", "amount", "due"),
    DocumentKind.ORDER_CHANGE: ("id", "title", "started_by", "amount"),
    DocumentKind.CONTRACT: ("id", "title", "requester", "amount"),
    DocumentKind.FORM: ("id", "title", "requester"),
    DocumentKind.OTHER: ("id",),
}
"""The values in the first two lines of every card, which are no fields below them."""

DEFAULTS: dict[DocumentKind, tuple[str, ...]] = {
    DocumentKind.REQUISITION: (
        *("creator", "items", "supplier", "account", "off_catalogue", "no_contract", "justification"),
        *("department", "why", "approved", "next", "attachments", "comment"),
    ),
    DocumentKind.EXPENSE: (
        *("creator", "violations", "over_limit", "receipts", "audit_score", "period", "items"),
        *("account", "auditor_note", "why", "approved", "next", "attachments", "comment"),
    ),
    DocumentKind.INVOICE: (
        *("tolerance", "discount", "invoice_date", "orders", "items", "account", "requester"),
        *("justification", "why", "approved", "next", "attachments"),
    ),
    DocumentKind.ORDER_CHANGE: (
        *("cancels", "supplier", "items", "account", "justification", "requester", "why", "approved", "next"),
        "attachments",
    ),
    DocumentKind.CONTRACT: (
        *("number", "supplier", "commitment", "term", "period", "renewal", "owner", "department"),
        *("justification", "why"),
    ),
    DocumentKind.FORM: ("creator", "submitted", "why", "approved", "next"),
    DocumentKind.OTHER: (),
}
"""The fields that are shown, in order, unless a setting says otherwise."""

_ON_DEMAND = {
    DocumentKind.REQUISITION: {"submitted", "status"},
    DocumentKind.INVOICE: {"creator", "status", "no_contract"},
    DocumentKind.EXPENSE: {"submitted", "status"},
    DocumentKind.FORM: {"status"},
    DocumentKind.OTHER: set[str](),
}
NAMES: dict[DocumentKind, frozenset[str]] = {
    kind: frozenset({*HEAD[kind], *names, *_ON_DEMAND.get(kind, {"creator", "status"})})
    for kind, names in DEFAULTS.items()
}
"""The fields that a setting can name; those of the head are always shown."""

_NEVER = datetime.min.replace(tzinfo=UTC)
Value = str | list[str] | None


def fields(approval: Approval, document: Document, style: Style) -> tuple[Field, ...]:
    """Return the fields of a document that the settings name, without unknown values."""
    values = values_of(approval, document, style)
    shown: list[Field] = []
    for name in style.fields.get(document.type, DEFAULTS[document.kind]):
        value = values[name] if name not in HEAD[document.kind] else None
        label = label_of(name, document.kind, style)
        shown += [Field(label, text) for text in (value if isinstance(value, list) else [value]) if text]
    return tuple(shown)


def values_of(approval: Approval, document: Document, style: Style) -> dict[str, Value]:
    """Return all values of a document by field name; empty or None where a value is unknown."""
    return _common(approval, document, style) | _own(document, style)


def label_of(name: str, kind: DocumentKind, style: Style) -> str:
    """Return the label of a field, for its kind if there is one; empty where the value needs no label."""
    keys = (f"label.{name}.{kind}", f"label.{name}")
    return next((style.say(key) for key in keys if style.has(key)), "")


def headline(document: Document, style: Style) -> str:
    """Return who requests what, for how much and by when; empty for a document without a title."""
    title, who = clean(document.title, SHORT), _asker(document, style)
    if not title:
        return ""
    if who:
        text = style.say(f"head.{_noun(document)}", who=who, what=style.quote(title))
    else:
        text = f"{style.say(f'noun.{_noun(document)}')} {style.quote(title)}"
    return style.join(text, _how_much(document, style))


def details(document: Document, style: Style) -> str:
    """Return who requests it, for how much and by when, for a document without a title."""
    if document.is_sensitive:
        return ""
    return style.join(_asker(document, style), _how_much(document, style))


def _how_much(document: Document, style: Style) -> str:
    amount = amount_of(document, style)
    if amount is None and "amount" in HEAD[document.kind]:
        amount = style.say("no_amount")
    return style.join(amount, _when(document, style))


def numbered(document: Document, style: Style) -> str:
    """Name a document by its kind and number: `Purchase request 14170`."""
    return f"{style.say(f'noun.{_noun(document)}')} {document.id}"


def name_of(document: Document, style: Style, *, quoted: bool = False) -> str:
    """Name a document by its title; a bare number with its kind: `Laptops`, `Invoice INV-118`."""
    title = clean(document.title, SHORT)
    if not title:
        return numbered(document, style)
    title = style.quote(title) if quoted else title
    is_number = document.kind in (DocumentKind.INVOICE, DocumentKind.ORDER_CHANGE)
    return f"{style.say(f'noun.{_noun(document)}')} {title}" if is_number else title


def priced(document: Document, style: Style) -> str:
    """Name a document as part of a sentence, with its amount: `“Laptops”, USD 1,800.00`."""
    return style.join(name_of(document, style, quoted=True), amount_of(document, style))


def known_as(document: Document, style: Style) -> str:
    """Name a document unmistakably: `Purchase request 14170, “Laptops”, USD 1,800.00`.

    Two requests may have one title and one amount; the number is the one on their cards.
    """
    title = clean(document.title, SHORT)
    quoted = style.quote(title) if title else None
    return style.join(numbered(document, style), quoted, amount_of(document, style))


def _noun(document: Document) -> str:
    is_credit = isinstance(document, Invoice) and document.is_credit_note
    return "credit_note" if is_credit else document.kind


def _asker(document: Document, style: Style) -> str:
    """Return the party behind it: the requester, the billing supplier, or who wants the order changed."""
    match document:
        case Invoice():
            return style.few(_suppliers(document))
        case OrderChange(supplier_initiated=True):
            return style.few(_suppliers(document)) or style.say("by_supplier")
        case OrderChange():
            return person(document.created_by)
        case _:
            return person(document.requested_by)


def _when(document: Document, style: Style) -> str | None:
    match document:
        case Requisition():
            day, key = style.day(document.need_by_date), "by_day"
        case Invoice():
            day, key = _due(document, style), "due_day"
        case _:
            return None
    return style.say(key, day=day) if day else None


def person(who: Person | None) -> str:
    """Return a person's name as it may be shown, possibly empty."""
    return clean(who.name, SHORT) if who else ""


def decider(approval: Approval, style: Style) -> str:
    """Return who decided a step, without the e-mail in our note; where Coupa names nobody, the approver.

    A person with an invisible name is shown as somebody, and not as the approver.
    """
    who = clean(approval.decided_by, SHORT)
    return who or (style.say("somebody") if approval.approved_by else asked(approval))


def asked(approval: Approval) -> str:
    """Return the name of the person or group of a step, possibly empty."""
    who = approval.approver
    return clean(first_seen(who.name, who.group_name), SHORT) if who else ""


def amount_of(document: Document, style: Style) -> str | None:
    """Return the amount of a document; for a contract its range, for a change of an order both totals."""
    amounts = _amounts(document, style)
    if isinstance(document, Contract):
        return style.between(amounts["minimum_value"], amounts["maximum_value"])
    total, before = amounts["total"], amounts.get("old_total")
    return f"{before} → {total}" if before and total and before != total else total


def _same(document: Document) -> bool:
    """Tell whether the submitter and the requester are one person, whatever their names."""
    asked, entered = document.requested_by, document.created_by
    return bool(asked and entered and asked.key and asked.key == entered.key)


def _amounts(document: Document, style: Style) -> dict[str, str | None]:
    """Return the amounts of a document as texts, by their names."""
    return {name: style.amount(amount, document.currency) for name, amount in document.amounts.items()}


def _common(approval: Approval, document: Document, style: Style) -> dict[str, Value]:
    """Return the values that every kind may have."""
    requester, creator = person(document.requested_by), person(document.created_by)
    lines = document.lines
    items = [item(line, document.currency_of(line), style) for line in lines[:MAX_LINES]]
    more = len(lines) + document.lines_left_out - len(items) if items else 0
    return {
        "id": str(document.id),
        "title": clean(document.title, SHORT),
        "requester": requester,
        "creator": creator if creator != requester and not _same(document) else None,
        "amount": amount_of(document, style) or style.say("nothing"),
        "items": [*items, *([style.more(more)] if more > 0 else [])],
        "supplier": style.few(_suppliers(document)),
        "justification": clean(document.justification, LONG),
        "department": clean(document.department.name if document.department else None, SHORT),
        "submitted": style.day_of(document.submitted_at),
        "approved": _steps(document.approved, style),
        "next": _next(approval, document, style),
        "attachments": _listed(document.files, style),
        "comment": _comment(document, style),
        "status": status(document.status, style),
        "account": _account(document, style),
        "why": _why(approval, style),
    }


def _own(document: Document, style: Style) -> dict[str, Value]:
    """Return the values that only one kind has."""
    match document:
        case Requisition():
            off = [line for line in document.lines if line.is_off_catalogue]
            return {
                "need_by": style.day(document.need_by_date),
                "off_catalogue": _how_many(off, document, style),
                "no_contract": _without_contract(document, style),
            }
        case ExpenseReport():
            return _expense(document, style)
        case Invoice():
            return _invoice(document, style)
        case OrderChange():
            starter, requester = _asker(document, style), person(document.requested_by)
            supplier = style.few(_suppliers(document))
            return {
                "started_by": starter,
                "requester": requester if requester != starter else None,
                "supplier": supplier if supplier != starter else None,
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
            f"{style.number(count)}× {text}" if count > 1 else text for text, count in found.items()
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
    """Describe a violation; Coupa does not document whether `limit-exceeded` is the limit or the excess."""
    sentences = []
    if violation.limit_exceeded:
        sentences.append(style.say("limit", amount=style.amount(violation.limit_exceeded, money)))
    if violation.receipt_missing:
        sentences.append(style.say("receipt"))
    return sentences or [style.say("violation")]


def _invoice(invoice: Invoice, style: Style) -> dict[str, Value]:
    discount, percent = style.day(invoice.discount_due_date), style.percent(invoice.discount_percent)
    return {
        "invoice_date": style.day(invoice.invoice_date),
        "tolerance": clean(invoice.tolerance_failures, LONG),
        "due": _due(invoice, style),
        "discount": f"{discount} ({percent})" if discount and percent else discount,
        "orders": style.few(clean(number, SHORT) for number in invoice.orders),
        "no_contract": None if invoice.contract else _without_contract(invoice, style),
    }


def _due(invoice: Invoice, style: Style) -> str | None:
    day = style.day(invoice.net_due_date)
    term = clean(invoice.payment_term.code if invoice.payment_term else None, SHORT)
    return f"{day} ({term})" if day and term else day


def _contract(contract: Contract, style: Style) -> dict[str, Value]:
    amounts, key = _amounts(contract, style), f"term.{contract.term_type}"
    length = contract.renewal_length_value
    times = contract.no_of_renewals
    renewal = [
        f"{style.number(times)} ×" if times else "",
        style.length(length, contract.renewal_length_unit) if length else "",
    ]
    return {
        "number": clean(contract.number, SHORT),
        "commitment": style.between(amounts["min_commit"], amounts["max_commit"]),
        "term": style.say(key) if style.has(key) else _words(contract.term_type),
        "period": style.span(contract.start_date, contract.end_date),
        "renewal": " ".join(filter(None, renewal)),
        "owner": person(contract.contract_owner),
    }


# ---------------------------------------------------------------------- parts


def item(line: Line, currency: Currency | None, style: Style) -> str:
    """Return name, quantity times price, and total, as far as the line has them."""
    name = _quoted(line, style)
    if isinstance(line, ExpenseLine) and (about := _about(line, style)):
        name += f" ({about})"
    if isinstance(line, OrderLineChange) and line.pending_delete:
        name = style.say("deleted", item=name)
    parts = []
    if line.quantity is not None:
        unit = clean(line.uom.code, 12) if line.uom and line.uom.code else ""
        parts.append(f"{style.number(line.quantity)}{f' {unit}' if unit else ''}")
    if line.unit_price is not None:
        parts.append(str(style.amount(line.unit_price, currency)))
    text = " × ".join(parts)
    total = style.amount(line.total, currency)
    if total and len(parts) != 1:
        text = f"{text} = {total}" if text else total
    return style.colon(name, text)


def _brief(line: Line, currency: Currency | None, style: Style) -> str:
    """Return the name of a line and its amount."""
    total = style.amount(line.total, currency)
    return style.colon(_quoted(line, style), total)


def _quoted(line: Line, style: Style) -> str:
    """Return the description of a line in quotation marks, so that it does not look like a label."""
    name = _name(line)
    return style.quote(name) if name else style.say("untitled")


def _about(line: ExpenseLine, style: Style) -> str:
    """Return merchant, category and date, without the one that is the name of the line."""
    merchant = clean(line.merchant, SHORT)
    category = clean(line.expense_category.name if line.expense_category else None, SHORT)
    sentences = [(merchant, style.quote(merchant)), (category, category)]
    about = [shown for text, shown in sentences if text and text != _name(line)]
    return style.join(*about, style.day(line.expense_date))


def _name(line: Line) -> str:
    """Return the name of a line; for an expense without a description its merchant or category."""
    texts = [line.description]
    if isinstance(line, ExpenseLine):
        texts += [line.merchant, line.expense_category.name if line.expense_category else None]
    return next((name for text in texts if (name := clean(text, SHORT))), "")


def _suppliers(document: Document) -> list[str]:
    """Return the name of the supplier of a document, or of its lines, each once."""
    every = [document.supplier] if document.supplier else [line.supplier for line in document.lines]
    return list(dict.fromkeys(clean(each.name, SHORT) for each in every if each))


def _why(approval: Approval, style: Style) -> str | None:
    """Return how the step came about; None for a type that the catalogue does not have.

    Source: Coupa Core API, Approvals, "type: How the approval occured", and its sample; the other two types
    are those of public programs that read approvals.
    """
    key = f"why.{approval.type}"
    return style.say(key) if style.has(key) else None


def _account(document: Document, style: Style) -> str | None:
    """Return the account of the lines, or the number of accounts; None where one is unknown.

    Accounts that are known by different fields cannot be compared, and count as unknown, too.
    """
    charged = [line.accounts for line in document.lines]
    found = {each.key: each for accounts in charged for each in accounts}
    known_by = {key and key[0] for key in found}
    if document.lacks_lines or not all(charged) or None in known_by or len(known_by) != 1:
        return None
    first, *others = found.values()
    if others:
        return style.say("accounts", count=len(found))
    code, name = clean(first.code, SHORT), clean(first.name, SHORT)
    return f"{code} ({name})" if code and name and code != name else code or name


def _without_contract(document: Document, style: Style) -> str | None:
    return _how_many([line for line in document.lines if line.lacks_contract], document, style)


def _how_many(some: Sequence[Line], document: Document, style: Style) -> str | None:
    """Return how many of the lines these are; None where lines are missing, or the list is empty."""
    if not some or document.lacks_lines:
        return None
    number, total = len(some), len(document.lines)
    if number == total:
        return style.say("items.all", count=total)
    return style.say("items.of", count=number, total=style.number(total))


def _steps(approved: list[Approval], style: Style) -> list[str]:
    """Return who approved before, when, and with which words, of the last steps; count earlier ones."""
    sentences = []
    for step in approved[-MAX_LINES:]:
        who, day, words = (
            decider(step, style),
            style.day_of(step.approval_date),
            clean(step.decision_words, NOTE),
        )
        sentences.append(style.colon(f"{who} ({day})" if day else who, words))
    more = len(approved) - MAX_LINES
    return [style.more(more), *sentences] if more > 0 else sentences


def _next(approval: Approval, document: Document, style: Style) -> list[str]:
    """Return who decides at the same time, and who comes next; that it is the last step counts, too."""
    around = document.around(approval)
    if around is None:
        return []
    beside, following = (style.few(asked(each) or style.say("somebody") for each in step) for step in around)
    sentences = [style.say("beside", who=beside)] if beside else []
    if following:
        return [*sentences, following]
    return sentences or [style.say("last")]


def _listed(names: Iterable[str], style: Style) -> str | None:
    """Return the number of names, and the names."""
    every = [clean(name, SHORT) for name in names]
    if not every:
        return None
    few = style.few(every)
    count = style.number(len(every))
    return f"{count} ({few})" if few else count


def _comment(document: Document, style: Style) -> str | None:
    """Return the newest comment that does not repeat a step above, with the same words by the same name."""
    above = {(decider(step, style), step.decision_words) for step in document.approved}
    sentences = [
        (comment, who)
        for comment in document.comments
        if not is_blank(comment.words) and ((who := _author(comment, style)), comment.words) not in above
    ]
    if not sentences:
        return None
    newest, who = max(sentences, key=lambda each: (_said_at(each[0]), each[0].id or 0))
    return f"{clean(newest.words, LONG)} ({who})"


def _author(comment: Comment, style: Style) -> str:
    return clean(comment.author, SHORT) or style.say("somebody")


def _said_at(comment: Comment) -> datetime:
    return stamp(comment.created_at) or _NEVER


def status(text: str | None, style: Style) -> str:
    """Return a status of Coupa in words: ours for a known status, otherwise Coupa's own."""
    key = f"status.{text}"
    return style.say(key) if style.has(key) else _words(text)


def _words(text: str | None) -> str:
    return clean((text or "").replace("_", " ").capitalize(), SHORT)
