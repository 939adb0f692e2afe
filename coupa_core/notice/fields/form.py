"""The fields of a form."""

from __future__ import annotations

from coupa_core.notice.fields.face import Face

FACE = Face(
    head=("id", "title", "requester"),
    shown=("creator", "submitted", "why", "approved", "next"),
    on_demand=("status",),
)
