"""The answers to questions about many approvals, with their gaps."""

from __future__ import annotations

from dataclasses import dataclass, field

from coupa_core.errors import BridgeError, ServiceError
from coupa_core.model.approvals import Approval
from coupa_core.model.values import IdRange


@dataclass
class Listing:
    """A list of pending approvals.

    Attributes:
        approvals: in the order of ids, each pending and of a wanted type.
        failure: the error that ended the list early; None when every page came.
        unreadable: rows without a usable id.
        unasked: rows that do not match the question, and are left out.
    """

    approvals: list[Approval] = field(default_factory=list)
    failure: BridgeError | None = None
    unreadable: int = 0
    unasked: int = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether a missing approval is not pending, as far as Coupa says."""
        return self.failure is None


@dataclass
class Page:
    """One page of approvals, newest first.

    Attributes:
        pending: approvals that wait.
        ended: approvals that do not wait, where any status was asked for.
        unreadable: rows without a usable id.
        unasked: rows that do not match the question, and are left out.
        rest: the ids that are not read yet; None for no more.
        failure: the error for which the rest is unknown.
    """

    rest: IdRange | None = None
    failure: BridgeError | None = None
    pending: list[Approval] = field(default_factory=list)
    ended: list[Approval] = field(default_factory=list)
    unreadable: int = 0
    unasked: int = 0


@dataclass
class FoundApprovals:
    """The answer to a question about approvals by id.

    Attributes:
        by_id: the approvals that Coupa has.
        unreadable: rows without a usable id; while there are any, no approval is proved to be gone.
        failed: the error of each approval that could not be read.
    """

    by_id: dict[int, Approval] = field(default_factory=dict)
    unreadable: int = 0
    failed: dict[int, ServiceError] = field(default_factory=dict)
