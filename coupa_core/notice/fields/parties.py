"""The displayable names of the people, groups and suppliers of a document."""

from __future__ import annotations

from coupa_core.documents import Invoice, OrderChange
from coupa_core.model import Approval, Document, Person
from coupa_core.notice.style import Style
from coupa_core.notice.text import SHORT, clean
from coupa_core.visible import first_seen


def person(who: Person | None) -> str:
    """Return the displayable name of a person, possibly empty."""
    return clean(who.name, SHORT) if who else ""


def decider(approval: Approval, style: Style) -> str:
    """Return the name of a step's decider, without the e-mail of our mark; the approver where Coupa has none.

    A decider whose name is invisible becomes "somebody", and not the approver.
    """
    who = clean(approval.decided_by, SHORT)
    return who or (style.say("somebody") if approval.approved_by else asked(approval))


def asked(approval: Approval) -> str:
    """Return the name of a step's approver, a person or a group, possibly empty."""
    who = approval.approver
    return clean(first_seen(who.name, who.group_name), SHORT) if who else ""


def asker(document: Document, style: Style) -> str:
    """Return the party behind a document: requester, billing supplier, or initiator of the order change."""
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
    """Return the supplier's name of a document, or the distinct ones of its lines."""
    every = [document.supplier] if document.supplier else [line.supplier for line in document.lines]
    return list(dict.fromkeys(clean(each.name, SHORT) for each in every if each))
