"""Say what a person may do in chat, by the operator's rules, the amount and the requester."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from coupa_core.authority.people import Decider, Deciders, EmailMap, is_asker, is_same
from coupa_core.model import Approval, Bar, Document, Figure, Verb


class Limits:
    """Amounts above which a decision is made in Coupa itself.

    Args:
        by_currency: the most that may be decided in chat, by ISO code; `*` for every other currency that
            Coupa states.
    """

    def __init__(self, by_currency: Mapping[str, Decimal] | None = None) -> None:
        self._by_currency = dict(by_currency or {})

    def bar(self, document: Document) -> Bar | None:
        """Return why one of the document's figures bars a decision in chat; None when none does.

        Where there are limits, a figure that is not stated, or in a currency without a limit, bars it, too. A
        negative figure, of a refund or a cancelled order, counts by its size.
        """
        found = {self._bar(each) for each in document.figures} if self._by_currency else set()
        return next((bar for bar in (Bar.TOO_GREAT, Bar.UNSTATED) if bar in found), None)

    def _bar(self, figure: Figure) -> Bar | None:
        code = ((figure.currency and figure.currency.code) or "").strip().upper()
        limit = self._by_currency.get(code, self._by_currency.get("*"))
        is_code = len(code) == 3 and code.isascii() and code.isalpha()  # noqa: PLR2004 - ISO 4217
        if not is_code or limit is None or figure.amount is None:
            return Bar.UNSTATED
        return Bar.TOO_GREAT if abs(figure.amount) > limit else None


@dataclass(frozen=True)
class Right:
    """The actions of a decider in chat, or the reason why there are none.

    Attributes:
        decider: the person.
        actions: the actions that are offered and accepted; empty where there is a bar.
        bar: why the person can decide in Coupa only; None where chat is possible.
    """

    decider: Decider
    actions: tuple[Verb, ...] = ()
    bar: Bar | None = None


class Rules:
    """The operator's rules for decisions in chat: notices, lists, clicks and traces all ask them.

    Args:
        actions: the actions that approvers have in chat.
        limits: amounts above which a decision is made in Coupa itself.
        emails: to the chat's addresses.
        allow_self: people may decide on their own requests.
    """

    def __init__(
        self, *, actions: tuple[Verb, ...], limits: Limits, emails: EmailMap, allow_self: bool
    ) -> None:
        self.emails = emails
        self._actions = actions
        self._limits = limits
        self._allow_self = allow_self

    def right(self, decider: Decider, approval: Approval, document: Document) -> Right:
        """Return the right of a person to an approval whose turn it is."""
        if bar := self._bar(decider, document):
            return Right(decider, bar=bar)
        can_hold = approval.holdable is True
        return Right(decider, tuple(verb for verb in self._actions if verb is not Verb.HOLD or can_hold))

    def rights(
        self, deciders: Deciders, approval: Approval, document: Document, *, shared: Collection[str] = ()
    ) -> list[Right]:
        """Return the right of every decider; an address of two users has none in chat."""
        return [
            Right(person, bar=Bar.SHARED)
            if person.address in shared
            else self.right(person, approval, document)
            for person in deciders.people
        ]

    def _bar(self, decider: Decider, document: Document) -> Bar | None:
        """Return why this person cannot decide this document in chat; None when it is possible."""
        if not self._allow_self and is_asker(decider, document, self.emails):
            return Bar.OWN if is_same(decider, document.requested_by, self.emails) else Bar.ENTERED
        if document.is_sensitive:
            return Bar.SENSITIVE
        if not self._allow_self and not document.says_who_asked:
            return Bar.UNNAMED
        return self._limits.bar(document)


def recipients(rights: Iterable[Right]) -> list[Right]:
    """Return the rights of the people to tell: no shared address, and the requester as the last resort."""
    everybody = list(rights)
    others = [each for each in everybody if not (each.bar and each.bar.is_of_asker)]
    return [each for each in others or everybody if each.bar is not Bar.SHARED]
