"""Form responses, as the Core API defines them: Easy Form Responses."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from coupa_core.documents.readable import Readable
from coupa_core.model import DocumentKind, Text


class Form(Readable):
    """A response to a form. Only its name is read: answers may hold secrets such as bank accounts."""

    unasked: ClassVar[frozenset[str]] = frozenset(
        {
            "justification",
            "total",
            "currency",
            "supplier",
            "department",
            "lines",
            "comments",
            "attachments",
            "line_count",
        }
    )

    kind: ClassVar[DocumentKind] = DocumentKind.FORM
    names_turn: ClassVar[bool] = True
    resource: ClassVar[str] = "easy_form_responses"
    scope: ClassVar[str] = "core.easy_form_response.read"

    title: Annotated[Text, Field(alias="name")] = None
