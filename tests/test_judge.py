"""The verdict on one approval: close, wait, park, leave alone, or tell, from one read after the claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from coupa_core.authority import Circle, EmailMap, deciders
from coupa_core.documents import Requisition
from coupa_core.ledger import MAX_UNCERTAIN, Entry, State, Told
from coupa_core.model import REQUISITION, Approval, Document, Person, Unreadable
from coupa_core.sweep.judge import (
    MAX_CIRCLE,
    Close,
    Park,
    Same,
    Tell,
    Verdict,
    Wait,
    judge,
    recipients_of,
    seen,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ROW = Entry(approval_id=7, state=State.CLAIMED, nonce="n", etag="e")


def approval(**fields: Any) -> Approval:
    """Return an approval of requisition 70 that waits for Ann."""
    return Approval.model_validate(
        {
            "id": 7,
            "status": "pending_approval",
            "approvable-type": REQUISITION,
            "approvable-id": 70,
            "approver-id": 12,
            "approver-type": "User",
            "approver": {"id": 12, "login": "ann", "email": "ann@example.com", "active": True},
            **fields,
        }
    )


def document(**fields: Any) -> Document:
    """Return requisition 70, which waits for approval 7."""
    return Requisition.model_validate(
        {
            "approvable-type": REQUISITION,
            "id": 70,
            "status": "pending_approval",
            "total": "10.00",
            "current-approval": {"id": 7},
            **fields,
        }
    )


def verdict(
    entry: Entry = ROW,
    told: Approval | None = None,
    about: Document | None = None,
    *,
    before: State | None = None,
    siblings: tuple[Approval, ...] = (),
    members: int = 0,
    shared: frozenset[str] = frozenset(),
    is_certain: bool = True,
) -> Verdict:
    asked, shown = told or approval(), about or document()
    people = [person(20 + number) for number in range(members)]
    circle = Circle(deciders(asked, members=people, delegates=(), emails=EmailMap()), is_certain)
    recipients = recipients_of(circle, shown, shared=shared, emails=EmailMap())
    return judge(entry, asked, shown, siblings=siblings, before=before, circle=circle, recipients=recipients)


def unknown(about: Document | None, told: Approval | None = None) -> Verdict:
    """Return the verdict on what Coupa does not return."""
    circle = Circle((), is_certain=True)
    return judge(ROW, told, about, siblings=(), before=None, circle=circle, recipients=())


def person(number: int) -> Person:
    return Person(id=number, email=f"p{number}@example.com", active=True)


def tell(
    entry: Entry = ROW, told: Approval | None = None, about: Document | None = None, **more: Any
) -> Tell:
    said = verdict(entry, told, about, **more)
    assert isinstance(said, Tell)
    return said


def unchanged(said: Verdict) -> Entry:
    """Return the row of an approval of which everybody knows."""
    assert isinstance(said, Same)
    return said.entry


def told(said: Tell) -> Entry:
    """Return the row after the notices were sent."""
    reached = Told(version=said.version, to=said.approver_key, at=NOW)
    people = {**said.entry.told, **dict.fromkeys((person.key for person in said.people), reached)}
    return replace(said.entry, state=State.SENT, told=people, sent_to=said.approver_key)


GROUP = {"approver-type": "ApprovalGroup", "approver": {"id": 12, "name": "Buyers"}}


def test_a_new_approval_is_told_to_its_approver() -> None:
    said = tell()

    [ann] = said.people
    assert (ann.key, ann.address, said.approver_key) == ("user:12", "ann@example.com", "user:12")
    assert not said.is_changed_for(ann)
    assert said.entry == replace(ROW, told={"user:12": Told()})


def test_an_approval_that_coupa_does_not_know_is_gone() -> None:
    assert unknown(None) == Close("gone")


@pytest.mark.parametrize(
    ("status", "cause"),
    [("approved", "approved"), ("on_hold", "on_hold"), (None, "unknown"), ("", "unknown")],
)
def test_an_approval_that_is_not_pending_is_closed_with_its_status(status: str | None, cause: str) -> None:
    assert verdict(told=approval(status=status)) == Close(cause)


def test_without_its_document_an_approval_waits() -> None:
    assert unknown(None, approval()) == Wait("document_unreadable")


@pytest.mark.parametrize(
    "fields",
    [{"status": "draft"}, {"current-approval": {"id": 6}}, {"current-approval": None}, {"status": None}],
    ids=str,
)
def test_whose_turn_has_not_come_waits(fields: dict[str, Any]) -> None:
    assert verdict(about=document(**fields)) == Wait("not_your_turn")


def test_in_a_document_that_cannot_be_read_an_approval_waits_with_the_cause() -> None:
    closed = Unreadable(type="InvoiceHeader", id=70, scope="core.invoice.read")

    assert verdict(about=closed) == Wait("unreadable:core.invoice.read")


def test_each_of_parallel_approvers_has_the_turn() -> None:
    fields = {"current-approval": {"id": 6}, "current-parallel-approvals": [{"id": 6}, {"id": 7}]}

    assert tell(about=document(**fields))


def test_the_turn_of_other_documents_goes_by_position() -> None:
    receipt = Document(type="ReceiptRequest", id=70)
    second = approval(**{"approvable-type": "ReceiptRequest", "position": 2})
    first = approval(**{"approvable-type": "ReceiptRequest", "position": 1, "id": 6})

    assert verdict(told=second, about=receipt, siblings=(first, second)) == Wait("not_your_turn")
    assert isinstance(verdict(told=second, about=receipt, siblings=(second,)), Tell)


@pytest.mark.parametrize(
    "fields",
    [
        GROUP,
        {"approver": None},
        {"approver": {"id": 12, "login": "ann"}},
        {"approver": {"id": 12, "email": "  "}},
        {"approver": {"id": 12, "email": "ann"}},
        {"approver": {"id": 12, "email": "ann smith@example.com"}},
        {"approver": {"id": 12, "email": "ann@example.com\u202e"}},
        {"approver": {"id": 12, "email": "ann@example.com", "active": False}},
        {"approver": {"email": "ann@example.com"}, "approver-id": None},
        {"approver": "Ann"},
    ],
    ids=lambda fields: str(fields.get("approver")),
)
def test_without_an_active_person_to_tell_an_approval_is_parked(fields: dict[str, Any]) -> None:
    assert verdict(told=approval(**fields)) == Park(ROW, "no_recipient")


def test_while_nobody_knows_who_may_decide_an_approval_waits() -> None:
    assert verdict(told=approval(**GROUP), is_certain=False) == Wait("people_unread")


def test_every_member_of_a_group_is_told_once() -> None:
    said = tell(told=approval(**GROUP), members=3)

    assert [each.key for each in said.people] == ["user:20", "user:21", "user:22"]
    assert unchanged(verdict(told(said), told=approval(**GROUP), members=3)) == told(said)


def test_a_row_keeps_the_members_in_the_order_in_which_coupa_names_them() -> None:
    said = tell(told=approval(**GROUP), members=8)

    assert list(said.entry.told) == [f"user:{20 + number}" for number in range(8)]


def test_a_member_who_joins_is_told_alone_and_one_who_left_again_after_coming_back() -> None:
    everybody = told(tell(told=approval(**GROUP), members=2))

    joined = tell(everybody, approval(**GROUP), members=3)
    left = verdict(told(joined), told=approval(**GROUP), members=2)
    assert isinstance(left, Same)
    back = tell(left.entry, approval(**GROUP), members=3)

    assert [each.key for each in joined.people] == ["user:22"]
    assert [each.key for each in back.people] == ["user:22"]
    assert not back.is_changed_for(back.people[0])


def test_while_the_members_are_uncertain_nobody_is_forgotten() -> None:
    everybody = told(tell(told=approval(**GROUP), members=3))

    still = verdict(everybody, told=approval(**GROUP), members=2, is_certain=False)
    assert unchanged(still) == everybody


def test_a_member_who_asked_for_the_purchase_is_not_told_unless_there_is_nobody_else() -> None:
    asked = document(**{"requested-by": {"id": 20}})

    among_others = tell(told=approval(**GROUP), about=asked, members=3)
    alone = tell(told=approval(**GROUP), about=asked, members=1)

    assert [each.key for each in among_others.people] == ["user:21", "user:22"]
    assert among_others.entry.told == dict.fromkeys(["user:20", "user:21", "user:22"], Told())
    assert [each.key for each in alone.people] == ["user:20"]


def test_nothing_goes_to_an_address_that_two_people_share() -> None:
    shared = frozenset({"p20@example.com"})

    assert [each.key for each in tell(told=approval(**GROUP), members=2, shared=shared).people] == ["user:21"]
    alone = verdict(told=approval(**GROUP), members=1, shared=shared)
    assert alone == Park(replace(ROW, told={"user:20": Told()}), "shared_address")


def test_a_group_that_is_too_large_for_a_row_is_parked() -> None:
    assert isinstance(verdict(told=approval(**GROUP), members=MAX_CIRCLE), Tell)
    assert verdict(told=approval(**GROUP), members=MAX_CIRCLE + 1) == Park(ROW, "group_too_large")


@pytest.mark.parametrize(
    "approver",
    [
        {"id": 12, "email": " ann@example.com ", "active": True},
        {"id": 12, "email": "ann@example.com"},
        {"email": "ann@example.com", "active": "yes"},
    ],
)
def test_a_person_is_told_even_when_details_are_missing(approver: dict[str, Any]) -> None:
    said = tell(told=approval(approver=approver))

    assert [(each.key, each.address) for each in said.people] == [("user:12", "ann@example.com")]
    assert said.approver_key == "user:12"


def test_the_version_that_was_told_is_not_told_again() -> None:
    assert unchanged(verdict(told(tell()))) == told(tell())


@pytest.mark.parametrize(
    "fields",
    [
        {"total": "10.01"},
        {"currency": {"code": "EUR"}},
        {"requested-by": {"id": 5}},
        {"requisition-lines": [{"id": 1, "description": "Laptop"}]},
        {"requisition-lines": [{"id": 1, "supplier": {"id": 3}}]},
        {"requisition-lines": [{"id": 1, "currency": {"code": "KWD"}}]},
        {"requisition-lines": [{"id": 1, "uom": {"code": "PALLET"}}]},
        {"req-title": "Another title"},
        {"justification": "Another reason"},
    ],
    ids=str,
)
def test_other_content_is_told_to_the_same_person_as_changed(fields: dict[str, Any]) -> None:
    said = tell(told(tell()), about=document(**fields))

    assert said.is_changed_for(said.people[0])


@pytest.mark.parametrize(
    "fields",
    [
        {"total": "10.0"},
        {"comments": [{"id": 1, "comments": "hello"}]},
        {"updated-at": "2026-11-23T00:30:00-08:00"},
        {"department": {"name": "HR"}},
    ],
    ids=str,
)
def test_what_does_not_matter_to_the_decision_is_not_told(fields: dict[str, Any]) -> None:
    assert isinstance(verdict(told(tell()), about=document(**fields)), Same)


def test_a_new_approver_is_told_as_if_it_were_new_and_the_old_one_again_when_it_comes_back() -> None:
    bob = approval(**{"approver-id": 13, "approver": {"id": 13, "email": "bob@example.com", "active": True}})
    first = tell()
    second = tell(told(first), bob)
    third = tell(told(second))

    for said, address in ((second, "bob@example.com"), (third, "ann@example.com")):
        assert [each.address for each in said.people] == [address]
        assert not said.is_changed_for(said.people[0])


def test_what_was_decided_here_and_waits_again_begins_a_new_round() -> None:
    decided = replace(
        told(tell()), state=State.CLAIMED, decision="approve", decided_by="ann@example.com", decided_at=NOW
    )

    again = tell(decided)

    assert again.entry.generation == 1
    assert (again.entry.decision, again.entry.decided_by, again.entry.decided_at) == ("", "", None)
    assert not decided.has_told("user:12", again.version)


def test_too_many_unknown_outcomes_park_an_approval_until_its_day_is_over() -> None:
    doubtful = replace(ROW, uncertain=MAX_UNCERTAIN)

    assert isinstance(verdict(replace(ROW, uncertain=MAX_UNCERTAIN - 1)), Tell)
    held = verdict(doubtful, before=State.CLAIMED)
    assert held == Park(replace(doubtful, told={"user:12": Told()}), "unknown_outcomes")
    assert isinstance(verdict(doubtful, before=State.PARKED), Tell)


def test_what_was_looked_at_is_noted() -> None:
    noted = seen(
        ROW,
        approval(**{"updated-at": "2026-11-23T00:30:00-08:00"}),
        document(**{"updated-at": "2026-11-23T00:40:00-08:00"}),
        NOW,
    )

    assert (noted.document_type, noted.document_id) == (REQUISITION, 70)
    assert noted.seen_approval == "2026-11-23T00:30:00-08:00"
    assert noted.seen_document == "2026-11-23T00:40:00-08:00"


def test_a_stamp_so_young_that_another_change_in_its_second_would_not_show_is_not_noted() -> None:
    young = (NOW - timedelta(seconds=9)).isoformat()

    noted = seen(ROW, approval(**{"updated-at": young}), document(**{"updated-at": young}), NOW)

    assert (noted.seen_approval, noted.seen_document) == ("", "")


@pytest.mark.parametrize(
    ("value", "noted"), [(None, ""), ("", ""), ("soon", "soon"), (5, "5"), ("x" * 70_000, "x" * 64)]
)
def test_a_stamp_that_is_no_time_is_noted_as_far_as_a_row_can_hold_it(value: Any, noted: str) -> None:
    row = seen(ROW, approval(**{"updated-at": value}), document(**{"updated-at": value}), NOW)

    assert (row.seen_approval, row.seen_document) == (noted, noted)


def test_what_is_missing_is_noted_as_missing() -> None:
    row = seen(ROW, approval(**{"approvable-type": None, "approvable-id": "x"}), None, NOW)

    assert (row.document_type, row.document_id, row.seen_document) == ("", None, "")
    assert seen(ROW, None, None, NOW) == ROW


def test_a_type_is_noted_as_far_as_a_row_can_hold_it() -> None:
    row = seen(ROW, approval(**{"approvable-type": "X" * 70_000}), None, NOW)

    assert row.document_type == "X" * 64
