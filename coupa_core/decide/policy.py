"""The operator's settings for decisions."""

from __future__ import annotations

from dataclasses import dataclass

from coupa_core.authority import Rules
from coupa_core.notice import Style


@dataclass(frozen=True, kw_only=True)
class DecisionPolicy:
    """The operator's settings for decisions.

    Attributes:
        token_required: a click without a token is refused.
        reason_required: a rejection without a reason is refused.
        rules: decide the actions of each person in chat.
        audit_required: a decision must be in the audit log before it is sent.
        comments: approvers may ask the requester by a comment in Coupa.
        style: the style of the notices, with the actions of approvers.
    """

    token_required: bool
    reason_required: bool
    rules: Rules
    audit_required: bool
    comments: bool
    style: Style
