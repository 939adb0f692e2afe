"""One poisoned record in every read of a sweep and of a click: it waits, and everybody else is served."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from bridge import World

from coupa_core.errors import Refused, Unavailable
from coupa_core.ledger import Entry, MemoryStore, State
from proof.audit import Tally
from sandbox.coupa.server import PAGINGS, POISONS, Paging
from sandbox.coupa.world import Group

HOUR_S = 3_600.0
PEOPLE = [f"person{number}@example.com" for number in range(9)]
BAD = 4
"""Whose requisition, or approval, or record, or row it is."""

THINGS = ("approval", "requisition-header", "user", "row")
ROW_POISONS = ("500", "400")
SETTINGS = {
    "COUPA_MAX_PER_SECOND": "25",
    "MOVEWORKS_MAX_PER_MINUTE": "100000",
    "DOCUMENT_TYPES": "RequisitionHeader,InvoiceHeader",
}

Card = tuple[int, str]
"""An approval and an address."""


class Poisoned(MemoryStore):
    """A store that takes one row badly."""

    def __init__(self) -> None:
        super().__init__()
        self.poison: dict[int, str] = {}

    def _put(self, entry: Entry) -> str:
        how = self.poison.get(entry.approval_id)
        if how == "500":
            raise Unavailable("ledger_500", "this row fails", status=500)
        if how == "400":
            raise Refused("ledger_400", "this row is refused", status=400)
        return super()._put(entry)


@dataclass
class Scene:
    """Requests of every kind of approver and document, of which one thing can be poisoned.

    Attributes:
        owed: the cards that are to come.
        of_bad: of these, the ones that the poisoned thing may keep.
    """

    world: World
    store: Poisoned
    owed: set[Card]
    of_bad: set[Card]

    def told(self) -> list[Card]:
        return [(int(each.slots["approval_id"]), each.recipient) for each in self.world.moveworks.delivered]


def scene(thing: str) -> Scene:
    """Return nine requests, an invoice, and one of a group with the bad person and one of a group without."""
    logging.getLogger("coupa_core").setLevel(logging.CRITICAL)
    store = Poisoned()
    world = World(store=store, settings=SETTINGS)
    world.moveworks.max_per_minute = None
    coupa = world.coupa.world
    owed: dict[int, list[str]] = {}
    for person in PEOPLE:
        owed[world.requisition(person)] = [person]
    invoice = coupa.add_document(
        approvable_type="InvoiceHeader",
        approvers=[world.person(PEOPLE[0])],
        invoice_number="I-1",
        created_by=world.person("sam@example.com"),
        requested_by=world.person("sam@example.com"),
    )
    groups = {}
    for name, members in (("Buyers", PEOPLE[1:3]), ("Sellers", [PEOPLE[BAD], PEOPLE[6]])):
        number = coupa.add_group(name=name, members=[world.person(each) for each in members])
        groups[name] = world.requisition(Group(number))
        owed[groups[name]] = list(members)
    cards: set[Card] = {
        (coupa.approvals_of(document)[0].id, person) for document, people in owed.items() for person in people
    }
    cards |= {(each.id, PEOPLE[0]) for each in coupa.documents["InvoiceHeader"].rows[invoice].approvals}
    bad_request = list(owed)[BAD]
    [bad_approval] = [each.id for each in coupa.approvals_of(bad_request)]
    of_bad = {card for card in cards if card[0] == bad_approval}
    if thing == "user":  # whoever is in a group with them may have to wait for what nobody knows
        sellers = coupa.approvals_of(groups["Sellers"])[0].id
        of_bad |= {card for card in cards if card[0] == sellers}
    return Scene(world, store, cards, of_bad)


def poison(here: Scene, thing: str, how: str) -> None:
    coupa = here.world.coupa
    [approval] = {number for number, person in here.of_bad if person == PEOPLE[BAD]} - _groups(here)
    if thing == "row":
        here.store.poison[approval] = how
        return
    number = {
        "approval": approval,
        "requisition-header": coupa.world.approval(approval).document.id,
        "user": here.world.person(PEOPLE[BAD]),
    }[thing]
    [poison_] = [each for each in POISONS if each == how]
    coupa.poison[thing, number] = poison_


def _groups(here: Scene) -> set[int]:
    rows = here.world.coupa.world.approvals.rows.values()
    return {row.id for row in rows if row.approver_type == "ApprovalGroup"}


CASES: tuple[tuple[str, str], ...] = tuple(
    (thing, how) for thing in THINGS for how in (ROW_POISONS if thing == "row" else POISONS)
)


SOME = tuple(
    case
    for case in dict.fromkeys(
        (*CASES[::5], *CASES[-2:], ("requisition-header", "500"), ("approval", "truncated"))
    )
    if case[1] != "huge"
)
"""Every thing, and most ways: what is huge takes long."""


def sweeping(thing: str, how: str) -> Tally:
    """Poison one thing before anybody is told: all others are told in the first sweep."""
    here = scene(thing)
    poison(here, thing, how)
    world = here.world
    world.sweep()
    others = here.owed - here.of_bad
    missing = others - set(here.told())
    assert not missing, f"not told in the same sweep: {sorted(missing)}"
    for number in {number for number, _ in here.of_bad}:
        assert _is_accounted(here, number, thing, how), f"nobody knows of {number}: {here.store.read(number)}"
    for _ in range(10):
        world.clock.advance(HOUR_S + 100)
        world.sweep()
    for number in {number for number, _ in here.of_bad}:
        row = here.store.read(number)
        is_told = any(number == told for told, _ in here.told())
        is_set_aside = row is not None and row.state is State.PARKED
        assert is_told or is_set_aside or _is_accounted(here, number, thing, how), (
            f"{number} is neither told nor set aside: {row}"
        )
    assert len(here.told()) == len(set(here.told())), "somebody was told twice"
    world.coupa.poison.clear()
    here.store.poison.clear()
    for _ in range(50):
        world.clock.advance(HOUR_S)
        world.sweep()
    lost = here.owed - set(here.told())
    return Tally(runs=1, steps=len(world.coupa.front.calls), faults=1, sent=len(here.told()), lost=len(lost))


def _is_accounted(here: Scene, number: int, thing: str, how: str) -> bool:
    """Tell whether an approval was told, or stands somewhere with a cause."""
    if any(number == told for told, _ in here.told()) or (thing, how) == ("approval", "missing"):
        return True  # what Coupa does not say is not known
    row = here.store.read(number)
    if row is not None:
        return bool(row.cause)
    status = here.store.status()
    counted = sum(status.counts.get(name, 0) for name in ("unreadable", "unasked", "rows_missed"))
    return bool(counted or status.owed)


def clicking(thing: str, how: str) -> Tally:
    """Poison one thing after everybody was told: all others decide, and no answer is false."""
    here = scene(thing)
    world = here.world
    world.sweep()
    assert set(here.told()) == here.owed, "not everybody was told before it begins"
    poison(here, thing, how)
    clicked, false_answers = set[int](), 0
    of_bad = {number for number, _ in here.of_bad}
    for card in list(world.moveworks.delivered):
        number = int(card.slots["approval_id"])
        if number in clicked:
            continue
        clicked.add(number)
        reply = world.click(card, card.recipient)
        is_said = reply.body.get("outcome") == "approved"
        is_done = number in {decision.approval_id for decision in world.coupa.decisions}
        false_answers += is_said and not is_done
        assert is_said or number in of_bad, f"{card.recipient} could not decide on {number}: {reply.body}"
    return Tally(
        runs=1, steps=len(world.coupa.front.calls), faults=1, sent=len(clicked), false_answers=false_answers
    )


def paging(way: Paging, *, most_rows: int | None = None, approvals: int = 130) -> Tally:
    """Let Coupa page as it likes for an hour, and as it should afterwards."""
    logging.getLogger("coupa_core").setLevel(logging.CRITICAL)
    world = World(settings=SETTINGS)
    world.moveworks.max_per_minute = None
    for number in range(approvals):
        world.requisition(PEOPLE[number % len(PEOPLE)])
    world.coupa.paging, world.coupa.most_rows = way, most_rows
    for _ in range(12):
        world.sweep()
        world.clock.advance(300)
    rows = {row.approval_id for row in world.store.open_entries().entries}
    waiting = set(world.coupa.world.approvals.rows)
    during = {int(each.slots["approval_id"]) for each in world.moveworks.delivered}
    if way == "shorter each time" or (way == "as asked" and most_rows):
        assert during == waiting, "rows that came, only fewer at a time, were not told"
    assert during <= rows, "a row was closed while its approval waits"
    world.coupa.paging, world.coupa.most_rows = "as asked", None
    for _ in range(20):
        world.sweep()
        world.clock.advance(60)
    told = [int(each.slots["approval_id"]) for each in world.moveworks.delivered]
    return Tally(
        runs=1,
        steps=len(world.coupa.front.calls),
        faults=1,
        sent=len(told),
        lost=len(waiting - set(told)),
        repeated=len(told) - len(set(told)),
    )


PAGES: tuple[tuple[Paging, int | None], ...] = (
    *((way, None) for way in PAGINGS[1:]),
    ("as asked", 1),
    ("as asked", 7),
    ("as asked", 49),
)
"""Every way of paging, and every number of rows that is fewer than was asked for, as far as it matters."""
