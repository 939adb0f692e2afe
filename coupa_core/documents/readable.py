"""The base class of all documents whose content the bridge reads."""

from __future__ import annotations

from typing import ClassVar

from coupa_core.model import Document


class Readable(Document):
    """A document whose content the bridge reads.

    Attributes:
        resource: the name of its resource in URLs.
        scope: the OAuth scope for reading it. Source: Coupa's list of scopes, as copied in
            https://github.com/rossumai/university, docs/learn/coupa/oauth-scopes.md
        comments_at: the resource that takes comments on it; empty where Coupa's API has none.
            Source: "Comments API", .../resources/shared-resources/comments-api
        comments_as: the `commentable-type` that lists its comments; empty where they come with the document.
    """

    resource: ClassVar[str]
    scope: ClassVar[str]
    comments_at: ClassVar[str] = ""
    comments_as: ClassVar[str] = ""

    @property
    def commented_on(self) -> int | None:
        """Return the id of the record that takes the comments; None where Coupa's API takes none."""
        return self.id if self.comments_at else None
