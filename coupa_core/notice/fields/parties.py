"""The people, groups and suppliers of a document, by names that may be shown."""

from __future__ import annotations

from coupa_core.documents import Invoice, OrderChange
from coupa_core.model import Approval, Document, Person
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean
from coupa_core.visible import first_seen


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


def asker(document: Document, style: Style) -> str:
    """Return the party behind it: the requester, the billing supplier, or who wants the order changed."""
    match document:
        case Invoice():
            return style.few(suppliers(document))
        case OrderChange(supplier_initiated=True):
            return style.few(suppliers(document)) or style.say("by_supplier")
        case OrderChange():
            return person(document.created_by)
        case _:
            return person(document.requested_by)


def suppliers(document: Document) -> list[str]:
    """Return the name of the supplier of a document, or of its lines, each once."""
    every = [document.supplier] if document.supplier else [line.supplier for line in document.lines]
    return list(dict.fromkeys(clean(each.name, SHORT) for each in every if each))
