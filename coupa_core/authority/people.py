"""Who may decide an approval: its approver, a member of its group, or a delegate; and their addresses."""

from __future__ import annotations

from collections.abc import Iterable, KeysView, Mapping
from dataclasses import dataclass
from enum import StrEnum

from coupa_core.addresses import domain_of, folded, is_address, same_address
from coupa_core.errors import ServiceError
from coupa_core.model import Approval, Document, Person


class EmailMap:
    """A map from Coupa's e-mail addresses to the chat's, where the two differ.

    Args:
        chat_by_coupa: distinct addresses to distinct addresses, and `@domain` to `@domain` for all others
            of a domain; the settings have checked them.
    """

    def __init__(self, chat_by_coupa: Mapping[str, str] | None = None) -> None:
        self._chat = {folded(coupa): chat for coupa, chat in (chat_by_coupa or {}).items()}

    def to_chat(self, address: str | None) -> str:
        """Return the person's address in the chat; empty when there is none that can be used."""
        own = (address or "").strip()
        domain = self._chat.get(f"@{domain_of(own)}")
        other = f"{own.rpartition('@')[0]}{domain}" if domain else own
        known = self._chat.get(folded(own), other)
        return known if is_address(known) else ""

    def from_chat(self, address: str) -> list[str]:
        """Return the addresses that Coupa may have for somebody in the chat."""
        given = address.strip()
        name, whole = given.rpartition("@")[0], f"@{domain_of(given)}"
        mapped = [coupa for coupa, chat in self._chat.items() if same_address(chat, given)]
        mapped += [f"{name}{coupa}" for coupa, chat in self._chat.items() if same_address(chat, whole)]
        return [each for each in [*mapped, given] if same_address(self.to_chat(each), given)]


class Capacity(StrEnum):
    """The reason why a person may decide."""

    APPROVER = "approver"
    MEMBER = "member"
    DELEGATE = "delegate"


@dataclass(frozen=True)
class Decider:
    """A person who may decide an approval now.

    Attributes:
        key: `user:<id>`.
        address: the person's e-mail address in the chat.
        name: for Coupa's record; possibly empty.
        locale: of the language that the person reads, as Coupa has it; possibly empty.
        capacity: why the person may decide.
    """

    key: str
    address: str
    name: str
    locale: str
    capacity: Capacity

    def acts_for(self, approval: Approval) -> str:
        """Return the name of the group or person that they act for; empty for the approver."""
        return "" if self.capacity is Capacity.APPROVER else approval.asked_name


@dataclass(frozen=True)
class Deciders:
    """The people who may decide one approval now.

    Attributes:
        people: possibly empty.
        is_certain: everything was read; if not, a person who is missing here may still be a decider.
        failure: the error of the read that failed.
    """

    people: tuple[Decider, ...]
    is_certain: bool
    failure: ServiceError | None = None

    @property
    def keys(self) -> KeysView[str]:
        """Return the people's keys, in their order."""
        return {person.key: person for person in self.people}.keys()


def find_deciders(
    approval: Approval,
    *,
    members: Iterable[Person],
    delegates: Iterable[Person],
    emails: EmailMap,
) -> tuple[Decider, ...]:
    """Return everybody who may decide an approval: the approver or the group's members, then the delegates.

    A person who is inactive, or has no id or no e-mail, is left out. An inactive approver has no delegates
    either, because they have only the approver's right.

    Args:
        approval: as Coupa has it now.
        members: of the group that is asked; ignored for a user.
        delegates: the people who act now for the user that is asked; ignored for a group.
        emails: maps Coupa's addresses to the chat's.
    """
    who = approval.approver
    found: dict[str, Decider] = {}
    candidates: list[tuple[Person, Capacity]] = []
    if approval.is_for_group:
        candidates = [(person, Capacity.MEMBER) for person in members]
    elif who is not None and who.active is not False:
        asked = who if who.id is not None else who.model_copy(update={"id": approval.approver_id})
        candidates = [(asked, Capacity.APPROVER), *((person, Capacity.DELEGATE) for person in delegates)]
    for person, capacity in candidates:
        if known := decider_of(person, capacity, emails):
            found.setdefault(known.key, known)
    return tuple(found.values())


def decider_of(person: Person, capacity: Capacity, emails: EmailMap) -> Decider | None:
    """Return a person as a decider; None for one who is inactive, or has no id or no e-mail."""
    address = emails.to_chat(person.email)
    if person.active is False or person.key is None or not address:
        return None
    return Decider(person.key, address, person.name, person.default_locale or "", capacity)


def decider_at(address: str, people: Iterable[Decider]) -> Decider | None:
    """Return the one person with this address in the chat; None for none, and for more than one."""
    found = [person for person in people if same_address(person.address, address)]
    return found[0] if len(found) == 1 else None


def is_asker(decider: Decider, document: Document, emails: EmailMap) -> bool:
    """Tell whether the person requested or entered the document, by id or by address."""
    return any(is_same(decider, asker, emails) for asker in document.askers)


def is_same(decider: Decider, person: Person | None, emails: EmailMap) -> bool:
    """Tell whether a record of Coupa is this person's."""
    if person is None:
        return False
    return person.key == decider.key or same_address(decider.address, emails.to_chat(person.email))
