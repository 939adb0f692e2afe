"""The chain of a document: its steps in their order, and whose turn it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError, ValidationInfo

from coupa_core.model.approvals import PENDING, Approval, parse_approval
from coupa_core.model.values import CoupaRecord, Id, Lenient, MaybeId, Name, only_readable


class Step(CoupaRecord):
    """An approval as a document names it: its id, at least."""

    id: MaybeId = None


def only_approvals(values: Any, info: ValidationInfo) -> Any:
    """Keep the approvals of a chain that have an id."""
    read = (parse_approval(value, client=info.context or "") for value in only_readable(values))
    return [approval for approval in read if approval]


class Chain(CoupaRecord):
    """The approvals of a document: its status, its steps, and whose turn it is."""

    id: Id
    status: Name = None
    approvals: Annotated[tuple[Approval, ...], BeforeValidator(only_approvals)] = ()
    current_approval: Annotated[Step | None, Lenient] = None
    current_parallel_approvals: Annotated[tuple[Step, ...], BeforeValidator(only_readable)] = ()

    def step(self, approval_id: int) -> Approval | None:
        """Return one of its approvals; None when it is not among them."""
        return next((each for each in self.approvals if each.id == approval_id), None)

    @property
    def next_names(self) -> list[str]:
        """Return the names of the approvers whose turn it is, as far as the document names them."""
        current = [self.current_approval, *self.current_parallel_approvals]
        ids = {step.id for step in current if step}
        names = [each.asked_name for each in self.approvals if each.id in ids and each.is_open]
        return [name for name in dict.fromkeys(names) if name] if self.status == PENDING else []


def parse_chain(raw: Any, *, client: str = "") -> Chain | None:
    """Read the approvals of one document, or return None when it has no usable id; see `parse_approval`."""
    try:
        return Chain.model_validate(raw, context=client)
    except ValidationError:
        return None


def current_of(approvals: Iterable[Approval]) -> set[int]:
    """Return the ids whose turn it is among the open approvals of one document that names no current one.

    The approval at the lowest position has the turn, and those parallel to it. An approval on hold keeps its
    turn: it can be decided once it is released, and later steps cannot before that.
    """
    left = [approval for approval in approvals if approval.is_open]
    if not left:
        return set()
    first = min(left, key=place)
    group = first.parallel_group_name
    return {
        approval.id
        for approval in left
        if place(approval) == place(first) or (group and approval.parallel_group_name == group)
    }


def place(approval: Approval) -> int:
    """Return the place of an approval in its chain; the first one where Coupa does not say."""
    return approval.position or 0


def is_before(step: Approval, approval: Approval) -> bool:
    """Tell whether a step of a chain comes, or may come, before another; parallel steps do not."""
    group = approval.parallel_group_name
    is_beside = group is not None and step.parallel_group_name == group
    return not is_beside and (approval.position is None or place(step) < place(approval))
