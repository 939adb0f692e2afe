"""Purchase requisitions, as the Core API has them: Requisitions, Requisition Line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from coupa_core.documents.readable import Readable
from coupa_core.facts import RequestLine
from coupa_core.model import Comment, DocumentKind, Text, date_of, day_of, only_readable, stamp


class RequisitionLine(RequestLine):
    """A line of a requisition, with the source of the item."""

    unasked: ClassVar[frozenset[str]] = frozenset({"department", "item", "period"})

    source_type: Text = None

    @property
    def is_off_catalogue(self) -> bool:
        """Tell whether somebody described it in their own words, instead of finding it in a catalogue.

        Source: Coupa Core API, Requisition Line, "source-type: Non-Catalog Request, Form".
        """
        return (self.source_type or "").strip().casefold() == "non-catalog request"


class Requisition(Readable):
    """A purchase requisition."""

    unasked: ClassVar[frozenset[str]] = frozenset({"supplier"})

    kind: ClassVar[DocumentKind] = DocumentKind.REQUISITION
    names_turn: ClassVar[bool] = True
    has_requester: ClassVar[bool] = True
    resource: ClassVar[str] = "requisitions"
    comments_at: ClassVar[str] = "requisitions"
    scope: ClassVar[str] = "core.requisition.read"

    title: Annotated[Text, Field(alias="req-title")] = None
    lines: Annotated[
        tuple[RequisitionLine, ...], BeforeValidator(only_readable), Field(alias="requisition-lines")
    ] = ()
    need_by_date: Text = None
    reject_reason_comment: Text = None

    @property
    def rejection(self) -> Comment | None:
        """Return the newest comment that says what Coupa has as the last reason of a rejection.

        That reason alone has no time, and outlives the next submission. The chain may not list the step that
        was rejected.
        Source: "Requisitions API", `reject-reason-comment`: "last reject reason comment".
        """
        reason = (self.reject_reason_comment or "").strip()
        same = [each for each in self.comments if reason and (each.comments or "").strip() == reason]
        dated = [(at, number, each) for number, each in enumerate(same) if (at := stamp(each.created_at))]
        return max(dated)[2] if dated else None

    @property
    def terms(self) -> dict[str, Any]:
        """Return when it is needed."""
        return {"need_by": day_of(self.need_by_date)}

    @property
    def needed_on(self) -> date | None:
        """Return the calendar day as Coupa wrote it: a date entered there is midnight in its zone."""
        return date_of(self.need_by_date)
