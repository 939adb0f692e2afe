"""The answers to questions about many approvals, and what of them did not come."""

from __future__ import annotations

from dataclasses import dataclass, field

from coupa_core.errors import BridgeError, ServiceError
from coupa_core.model.approvals import Approval
from coupa_core.model.values import IdRange


@dataclass
class Listing:
    """What a list of pending approvals brought.

    Attributes:
        approvals: in the order of ids, each pending and of a wanted type.
        failure: what ended the list early; None when every page came.
        unreadable: rows without a usable id.
        unasked: rows that do not match what was asked for, and are left out.
    """

    approvals: list[Approval] = field(default_factory=list)
    failure: BridgeError | None = None
    unreadable: int = 0
    unasked: int = 0

    @property
    def is_complete(self) -> bool:
        """Tell whether an approval that is not here is not pending, as far as Coupa says."""
        return self.failure is None


@dataclass
class Page:
    """One page of approvals, newest first.

    Attributes:
        pending: those that wait.
        ended: those that do not, where any status was asked for.
        unreadable: rows without a usable id.
        unasked: rows that do not match what was asked for, and are left out.
        rest: the ids that are left behind it; None for no more.
        failure: why nobody knows what is left behind it.
    """

    rest: IdRange | None = None
    failure: BridgeError | None = None
    pending: list[Approval] = field(default_factory=list)
    ended: list[Approval] = field(default_factory=list)
    unreadable: int = 0
    unasked: int = 0


@dataclass
class FoundApprovals:
    """What was found of the approvals that were asked for by id.

    Attributes:
        by_id: those that Coupa knows.
        unreadable: rows without a usable id; while there are any, nothing is proved to be gone.
        failed: why each of the others could not be read.
    """

    by_id: dict[int, Approval] = field(default_factory=dict)
    unreadable: int = 0
    failed: dict[int, ServiceError] = field(default_factory=dict)
