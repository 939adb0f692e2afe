"""A kind of document whose content can be read."""

from __future__ import annotations

from typing import ClassVar

from coupa_core.model import Document


class Readable(Document):
    """A document whose content can be read.

    Attributes:
        resource: its name in URLs.
        scope: the OAuth scope that reads it. Source: Coupa's list of scopes, as copied in
            https://github.com/rossumai/university, docs/learn/coupa/oauth-scopes.md
        comments_at: the resource whose records take comments on it; empty where Coupa's API has none.
            Source: "Comments API", .../resources/shared-resources/comments-api
        comments_as: the `commentable-type` by which its comments are listed, where they do not come with it.
    """

    resource: ClassVar[str]
    scope: ClassVar[str]
    comments_at: ClassVar[str] = ""
    comments_as: ClassVar[str] = ""

    @property
    def commented_on(self) -> int | None:
        """Return the id of the record that takes comments on it; None where Coupa's API takes none."""
        return self.id if self.comments_at else None
