"""The people of Coupa: approvers, requesters and delegates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from coupa_core.model.values import CoupaRecord, Flag, Lenient, Locale, MaybeId, Text, only_readable, stamp
from coupa_core.visible import first_seen

_NO_END = "9999-"


class ApprovalGroup(CoupaRecord):
    """A group that approves, as a user's record names it."""

    id: MaybeId = None


NAMES = ("login", "firstname", "lastname", "fullname")
"""The parts of a person's name."""


class Person(CoupaRecord):
    """A Coupa user; any field may be missing."""

    asked: ClassVar[Sequence[Any]] = ("id", "email", *NAMES)

    id: MaybeId = None
    login: Text = None
    email: Text = None
    firstname: Text = None
    lastname: Text = None
    fullname: Text = None
    active: Flag = None
    default_locale: Locale = None

    @property
    def key(self) -> str | None:
        """Return `user:<id>`, the person's key in rows and tokens."""
        return f"user:{self.id}" if self.id is not None else None

    @property
    def name(self) -> str:
        """Return the best visible name, otherwise the login; possibly empty."""
        parts = " ".join(filter(None, map(first_seen, (self.firstname, self.lastname))))
        return first_seen(self.fullname, parts, self.login)


def user_id(key: str) -> int | None:
    """Return the id of a person's key; None where it is not `user:<id>`.

    >>> user_id("user:7"), user_id("group:7"), user_id("user:07")
    (7, None, None)
    """
    found = re.fullmatch(r"user:([1-9][0-9]{0,18})", key)
    return int(found[1]) if found else None


class Approver(Person):
    """The approver by Coupa: a user, or an approval group, which has a name and users and no e-mail.

    Source: Coupa Core API schema, "approver: can be one of multiple objects: User, ApprovalGroup".
    """

    group_name: Annotated[Text, Field(alias="name")] = None
    users: Annotated[tuple[Person, ...], BeforeValidator(only_readable)] = ()


MaybePerson = Annotated[Person | None, Lenient]


def somebody(value: Any) -> Any:
    """Read a value that should be a person and is no object as an unknown person."""
    return value if value is None or isinstance(value, dict) else {}


Asker = Annotated[Person | None, BeforeValidator(somebody), Lenient]
"""A requester; an unreadable one is an unknown person, and not nobody."""


class Member(Person):
    """A user as the resource `users` has it: with the groups that it approves in, and its manager.

    Source: https://compass.coupa.com/_dita_/en-us/documentation/plat/integ/coupa_core_api/topics/users_api_users.dita
    """

    approval_groups: Annotated[tuple[ApprovalGroup, ...], BeforeValidator(only_readable)] = ()
    manager: MaybePerson = None

    @property
    def keys(self) -> list[str]:
        """Return the keys under which approvals ask the person: `user:<id>`, and each `group:<id>`."""
        groups = [f"group:{group.id}" for group in self.approval_groups if group.id is not None]
        return [f"user:{self.id}", *groups]


class Delegation(CoupaRecord):
    """A delegation: one person acts for another from one time until another.

    Source: Coupa Core API, Delegates, .../resources/transactional-resources/delegates-api
    """

    id: MaybeId = None
    delegator_id: MaybeId = None
    delegate_id: MaybeId = None
    delegator: MaybePerson = None
    delegate: MaybePerson = None
    start_date: Text = None
    end_date: Text = None
    approval_delegate: Flag = None

    @property
    def of(self) -> int | None:
        """Return the id of the user for whom the delegate acts."""
        return self.delegator_id or (self.delegator.id if self.delegator else None)

    def is_active(self, now: datetime) -> bool:
        """Tell whether it is for approvals and holds now; without both dates it never does.

        Each date carries its own offset; a date without one cannot be compared. People enter an end in the
        year 9999 where there is none.
        """
        start, end = stamp(self.start_date), stamp(self.end_date)
        has_begun = start is not None and start <= now
        goes_on = (self.end_date or "").startswith(_NO_END) or (end is not None and now < end)
        return self.approval_delegate is True and has_begun and goes_on


def parse_person(raw: Any) -> Member | None:
    """Read one user, or return None when it has no usable id."""
    person = Member.model_validate(raw) if isinstance(raw, dict) else None
    return person if person and person.id is not None else None


def parse_delegation(raw: Any) -> Delegation | None:
    """Read one delegation, or return None when it is no object."""
    return Delegation.model_validate(raw) if isinstance(raw, dict) else None
