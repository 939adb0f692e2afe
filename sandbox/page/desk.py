"""The actions of people at Coupa's screens: enter, edit, withdraw, decide, re-assign, groups and delegations.

It plays the people at the simulated Coupa; the bridge has no part in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sandbox.coupa import CoupaSimulator
from sandbox.coupa.world import (
    APPROVED,
    REJECTED,
    Approval,
    Approver,
    Document,
    Group,
    NotAllowed,
    Requisition,
)
from sandbox.page.form import Done, Form, Mistake
from sandbox.page.formats import CURRENCIES
from sandbox.page.kinds import KINDS, Entered, Steps

MAX_COPIES = 25


class Desk:
    """The actions in Coupa; each method takes a form, and raises `Mistake` when the action is impossible.

    Args:
        coupa: the simulator.
        people: Coupa's user ids by e-mail.
    """

    def __init__(self, coupa: CoupaSimulator, people: dict[str, int]) -> None:
        self._world = coupa.world
        self._people = people

    def create(self, form: Form) -> Done:
        """Enter a document of a kind; several copies get numbers in their first field."""
        kind = KINDS.get(form.text("kind"))
        if kind is None:
            raise Mistake("There is no such kind of document.")
        values = {each.name: each.read(form) for each in kind.fields}
        currency = form.needed("currency", limit=3) if kind.is_money else "USD"
        if currency not in CURRENCIES:
            raise Mistake("That currency is not offered here.", "currency")
        copies = form.number("copies", most=MAX_COPIES)
        asker, steps = self._user(form, "requester"), self._steps(form)
        name = kind.fields[0].name
        for copy in range(1, copies + 1):
            called = values[name] if copies == 1 else f"{values[name]} {copy}"
            number = kind.enter(
                self._world, Entered({**values, name: called}, currency=currency, asker=asker, steps=steps)
            )
        if copies > 1:
            return Done("documents", f"{copies} were entered. The next sweep announces them.", screen="")
        return Done("document", "Entered. The next sweep announces it.", screen=str(number))

    def _steps(self, form: Form) -> Steps:
        first, beside, then = (self._asked(form, name) for name in ("first", "beside", "then"))
        if first is None:
            raise Mistake("Somebody must decide first.", "first")
        step: Approver | list[Approver] = first if beside in (None, first) else [first, beside]
        return [step] if then is None else [step, then]

    def edit(self, form: Form) -> Done:
        """Change quantity and price of a line."""
        number, place = form.hidden("document"), form.hidden("line")
        document = self._found(number)
        if not isinstance(document, Requisition) or place >= len(document.requisition_lines):
            raise Mistake("There is no such line.")
        self._world.edit_line(
            number, place, quantity=form.decimal("quantity"), unit_price=form.decimal("price")
        )
        return Done("document", "The line was changed.")

    def withdraw(self, form: Form) -> Done:
        """Withdraw a document."""
        number = form.hidden("document")
        self._found(number)
        self._world.withdraw(number)
        return Done("document", "Withdrawn.")

    def resubmit(self, form: Form) -> Done:
        """Ask the same approvers again, after the document was sent back."""
        number = form.hidden("document")
        self._found(number)
        self._world.restart_chain(number)
        return Done("document", "Submitted again.")

    def decide(self, form: Form) -> Done:
        """Approve or reject at Coupa's own screen."""
        approval, decision = self._approval(form), form.needed("decision")
        if decision not in (APPROVED, REJECTED):
            raise Mistake("There is no such button.")
        try:
            self._world.decide_in_coupa(
                approval.id,
                by=self._user(form, "by"),
                decision="approved" if decision == APPROVED else "rejected",
                note=form.text("note"),
            )
        except NotAllowed as refusal:
            return Done("document", f"{refusal}.", is_bad=True)
        return Done("document", f"Approval {approval.id} was {decision} in Coupa.")

    def reassign(self, form: Form) -> Done:
        """Assign an approval to somebody else."""
        approval, to = self._approval(form), self._asked(form, "to")
        if to is None:
            raise Mistake("Somebody must get it.", "to")
        self._world.reassign(approval.id, to=to)
        return Done("document", f"Approval {approval.id} was re-assigned.")

    def add_group(self, form: Form) -> Done:
        """Create an approval group of one person; others can join it."""
        name, member = form.needed("name", limit=80), self._user(form, "member")
        number = self._world.add_group(name=name, members=[member])
        return Done("groups", f"Group {number}, {name}, was made.")

    def join(self, form: Form) -> Done:
        """Add somebody to a group."""
        self._world.join(self._group(form), self._user(form, "member"))
        return Done("groups", "Joined.")

    def leave(self, form: Form) -> Done:
        """Remove somebody from a group."""
        self._world.leave(self._group(form), self._user(form, "member"))
        return Done("groups", "Left.")

    def delegate(self, form: Form) -> Done:
        """Add a delegation, from now on for some days."""
        delegator, to, days = self._user(form, "by"), self._user(form, "to"), form.number("days", most=365)
        if delegator == to:
            raise Mistake("Nobody is their own delegate.", "to")
        now = self._world.now()
        self._world.add_delegation(
            delegator=delegator, delegate=to, start=now, end=now + timedelta(days=days)
        )
        return Done("delegations", "The delegation has begun.")

    def end_delegation(self, form: Form) -> Done:
        """End a delegation now."""
        number = form.hidden("delegation")
        if number not in self._world.delegations.rows:
            raise Mistake("There is no such delegation.")
        self._world.end_delegation(number)
        return Done("delegations", "The delegation has ended.")

    def _found(self, number: int) -> Document:
        try:
            return self._world.document(number)
        except KeyError:
            raise Mistake("There is no such document.") from None

    def _approval(self, form: Form) -> Approval:
        try:
            return self._world.approval(form.hidden("approval"))
        except KeyError:
            raise Mistake("That approval is not there any more.") from None

    def _group(self, form: Form) -> int:
        number = form.hidden("group")
        if number not in self._world.groups.rows:
            raise Mistake("There is no such group.")
        return number

    def _user(self, form: Form, name: str) -> int:
        number = self._asked(form, name)
        if not isinstance(number, int):
            raise Mistake(f"{name.capitalize()} must be a person.", name)
        return number

    def _asked(self, form: Form, name: str) -> Approver | None:
        """Return a person or a group, or None for no choice."""
        value = form.text(name, limit=30)
        if not value:
            return None
        for kind, number in self._offered():
            if value == f"{kind}-{number}":
                return Group(number) if kind == "group" else number
        raise Mistake(f"{name.capitalize()} is unknown.", name)

    def _offered(self) -> Iterator[tuple[str, int]]:
        yield from (("user", number) for number in self._people.values())
        yield from (("group", number) for number in list(self._world.groups.rows))
