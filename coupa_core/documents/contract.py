"""Contracts, as the Core API defines them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import Field

from coupa_core.documents.readable import Readable
from coupa_core.model import Asker, Currency, DocumentKind, Integer, MaybePerson, Number, Text, day_of


class Contract(Readable):
    """An agreement with a supplier. Coupa's resource has no approval chain, comments or attachments."""

    unasked: ClassVar[frozenset[str]] = frozenset(
        {"submitted_at", "lines", "comments", "approvals", "attachments", "line_count"}
    )

    kind: ClassVar[DocumentKind] = DocumentKind.CONTRACT
    names_turn: ClassVar[bool] = True
    resource: ClassVar[str] = "contracts"
    scope: ClassVar[str] = "core.contract.read"

    title: Annotated[Text, Field(alias="name")] = None
    total: Annotated[Number, Field(alias="maximum-value")] = None
    requested_by: Annotated[Asker, Field(alias="submitter")] = None
    justification: Annotated[Text, Field(alias="description")] = None
    number: Text = None
    contract_owner: MaybePerson = None
    minimum_value: Number = None
    min_commit: Number = None
    max_commit: Number = None
    start_date: Text = None
    end_date: Text = None
    term_type: Text = None
    no_of_renewals: Integer = None
    renewal_length_value: Integer = None
    renewal_length_unit: Text = None

    @property
    def amounts(self) -> dict[str, Decimal | None]:
        """Return the ranges of value and commitment; None for 0.00, Coupa's value without one."""
        amounts = (self.minimum_value, self.total, self.min_commit, self.max_commit)
        names = ("minimum_value", "maximum_value", "min_commit", "max_commit")
        return dict(zip(names, (amount or None for amount in amounts), strict=True))

    @property
    def worth(self) -> tuple[Decimal, Currency] | None:
        """Return the value; None where it is a range, or has one bound only."""
        return super().worth if self.total and self.total == self.minimum_value else None

    @property
    def terms(self) -> dict[str, Any]:
        """Return the terms of the agreement that are signed."""
        owner = self.contract_owner
        return {
            "number": self.number,
            "period": [day_of(self.start_date), day_of(self.end_date)],
            "term": self.term_type,
            "renewal": [self.no_of_renewals, self.renewal_length_value, self.renewal_length_unit],
            "owner": owner.id or owner.name if owner else None,
        }
