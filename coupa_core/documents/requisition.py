"""Purchase requisitions, as the Core API defines them: Requisitions, Requisition Line."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from coupa_core.documents.readable import Readable
from coupa_core.facts import RequestLine
from coupa_core.model import Comment, DocumentKind, Text, date_of, day_of, only_readable, stamp


class RequisitionLine(RequestLine):
    """A line of a requisition."""

    unasked: ClassVar[frozenset[str]] = frozenset({"department", "item", "period"})

    source_type: Text = None

    @property
    def is_off_catalogue(self) -> bool:
        """Tell whether the requester described the item, instead of choosing it from a catalogue.

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
        """Return the newest comment whose text is the last reject reason.

        The reason alone has no time and remains after the next submission, and the chain may not list the
        rejected step.
        Source: "Requisitions API", `reject-reason-comment`: "last reject reason comment".
        """
        reason = (self.reject_reason_comment or "").strip()
        same = [each for each in self.comments if reason and (each.comments or "").strip() == reason]
        dated = [(at, number, each) for number, each in enumerate(same) if (at := stamp(each.created_at))]
        return max(dated)[2] if dated else None

    @property
    def terms(self) -> dict[str, Any]:
        """Return the need-by date."""
        return {"need_by": day_of(self.need_by_date)}

    @property
    def needed_on(self) -> date | None:
        """Return the need-by date as Coupa wrote it: an entered date is midnight in Coupa's zone."""
        return date_of(self.need_by_date)
