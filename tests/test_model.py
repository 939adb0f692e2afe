"""Coupa's answers are read tolerantly: one bad field is lost, the other fields and the record are not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from goldens import PERSON, REQUEST, approval, request

from coupa_core.content import content_hash
from coupa_core.documents import parse_document
from coupa_core.errors import BridgeError
from coupa_core.model import (
    REQUISITION,
    Approval,
    Document,
    DocumentKind,
    FoundApprovals,
    Listing,
    current_of,
    fingerprint,
    has_turn,
    stamp,
    version,
)

LINE = REQUEST["requisition-lines"][0]


def test_an_answer_of_requisitions_cannot_claim_another_type() -> None:
    read = parse_document(REQUISITION, REQUEST | {"approvable-type": "Invoice", "type": "Other"})

    assert read is not None
    assert (read.type, read.kind) == (REQUISITION, DocumentKind.REQUISITION)


def test_of_an_unknown_type_only_type_and_id_are_there() -> None:
    document = Document(type="ExpenseReport", id=9)

    assert (document.kind, document.id, document.total) == (DocumentKind.OTHER, 9, None)


@pytest.mark.parametrize(
    ("person", "name"),
    [
        (PERSON, "Jamie Lee"),
        ({"firstname": "Jamie", "lastname": "Lee"}, "Jamie Lee"),
        ({"lastname": "Lee", "login": "jl"}, "Lee"),
        ({"login": "jl"}, "jl"),
        ({}, ""),
    ],
)
def test_a_person_has_the_best_name_there_is(person: dict[str, Any], name: str) -> None:
    requester = request(requested_by=person).requested_by

    assert requester is not None
    assert requester.name == name


@pytest.mark.parametrize(
    ("more", "is_group"),
    [
        ({"approver_type": "User"}, False),
        ({"approver_type": "ApprovalGroup"}, True),
        ({"approver_type": "UserGroup"}, True),
        ({"approver_type": "User", "approver": {"id": 1, "name": "Buyers"}}, False),
        ({"approver_type": None, "approver": {"id": 1, "name": "Buyers", "users": []}}, True),
        ({"approver_type": None, "approver": {"id": 1, "name": "Buyers", "login": "b"}}, False),
        ({"approver_type": None, "approver": {"id": 1, "name": "Buyers", "email": "b@x.test"}}, False),
        ({"approver_type": None, "approver": {"id": 1}}, False),
        ({"approver_type": None, "approver": None}, False),
    ],
)
def test_a_group_is_told_from_a_user(more: dict[str, Any], *, is_group: bool) -> None:
    assert approval(**more).is_for_group is is_group


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({}, "user:42"),
        ({"approver": None}, "user:42"),
        ({"approver": {"id": 0}, "approver_id": 9}, "user:9"),
        ({"approver_type": "ApprovalGroup", "approver": {"id": 3}}, "group:3"),
        ({"approver": None, "approver_id": None}, None),
    ],
)
def test_the_approver_key_names_who_must_decide(more: dict[str, Any], key: str | None) -> None:
    assert approval(**more).approver_key == key


def test_an_approval_says_whether_it_waits_and_for_which_document() -> None:
    assert approval().is_pending
    assert not approval(status="approved").is_pending
    assert approval().document_key == (REQUISITION, 14170)
    assert approval(approvable_type=None, approvable_id="x").document_key == ("", None)


def test_the_turn_is_with_the_lowest_position_and_whoever_is_parallel_to_it() -> None:
    def step(
        number: int, position: int | None, group: str | None, status: str = "pending_approval"
    ) -> Approval:
        return approval(id=number, position=position, parallel_group_name=group, status=status)

    assert current_of([step(1, 2, None), step(2, 1, None), step(3, 1, None)]) == {2, 3}
    assert current_of([step(1, 1, "IT"), step(2, 2, "IT"), step(3, 3, "HR")]) == {1, 2}
    assert current_of([step(1, 1, None, "approved"), step(2, 2, None), step(3, 3, None)]) == {2}
    assert current_of([step(1, None, None), step(2, 1, None)]) == {1}
    assert current_of([step(1, 1, None, "approved")]) == set()
    assert current_of([]) == set()


def test_a_requisition_names_whose_turn_it_is_and_must_itself_wait() -> None:
    mine, parallel, later = approval(id=853), approval(id=854), approval(id=855)

    assert has_turn(mine, request(), [later])
    assert has_turn(parallel, request(), [])
    assert not has_turn(later, request(), [])
    assert not has_turn(mine, request(status="draft"), [])
    assert not has_turn(mine, request(current_approval=None, current_parallel_approvals=None), [])
    assert has_turn(mine, request(current_approval=None, current_parallel_approvals=[{"id": 853}]), [])


def test_the_turn_in_a_document_that_names_none_comes_from_the_positions() -> None:
    other = Document(type="ExpenseReport", id=9)
    first, second = approval(id=1, position=1, parallel_group_name=None), approval(id=2, position=2)

    assert has_turn(first, other, [first, second])
    assert not has_turn(second, other, [first, second])
    assert has_turn(second, other, [approval(id=2, position=0, status="approved")])


@pytest.mark.parametrize(
    "change",
    [
        {"total": None},
        {"currency": None},
        {"requested_by": None},
        {"requisition_lines": []},
        {"requisition_lines": [LINE, LINE]},
        {"requisition_lines": [LINE | {"id": 8}]},
        {"requisition_lines": [LINE | {"quantity": None}]},
        {"requisition_lines": [LINE | {"supplier": {"name": "Apple"}}]},
        {"requisition_lines": [LINE | {"supplier": None}]},
    ],
    ids=json.dumps,
)
def test_content_that_came_went_or_was_doubled_has_another_digest(change: dict[str, Any]) -> None:
    assert content_hash(request(**change)) != content_hash(request())


@pytest.mark.parametrize(
    "change",
    [
        {"updated_at": "2027-01-01T00:00:00Z"},
        {"total": "14060.4100"},
        {"requested_by": {"id": 42}},
        {"requisition_lines": [LINE | {"unit-price": 1406.041, "quantity": "1e1"}]},
        {"current_approval": None},
    ],
    ids=json.dumps,
)
def test_what_does_not_matter_to_the_decision_leaves_the_digest(change: dict[str, Any]) -> None:
    assert content_hash(request(**change)) == content_hash(request())


def test_amounts_that_differ_in_the_last_digit_differ_in_the_digest() -> None:
    assert content_hash(request(total="9" * 20 + ".12345678")) != content_hash(
        request(total="9" * 20 + ".12345679")
    )


def test_the_order_of_lines_does_not_matter_even_without_ids() -> None:
    lines = [LINE, LINE | {"id": 8, "total": "5"}, LINE | {"id": None}, LINE | {"id": None, "total": "5"}]

    assert content_hash(request(requisition_lines=lines)) == content_hash(
        request(requisition_lines=lines[::-1])
    )


def test_a_lone_surrogate_in_a_text_has_a_digest_of_its_own() -> None:
    odd, other = (
        request(requisition_lines=[LINE | {"description": json.loads(text)}])
        for text in (r'"\ud83d"', r'"\ude00"')
    )

    assert odd.lines[0].description == "\ud83d"
    assert content_hash(odd) != content_hash(other)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-23T09:00:00Z", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23T01:00:00-08:00", datetime(2026, 11, 23, 9, tzinfo=UTC)),
        ("2026-11-23T09:00:00", None),
        ("0001-01-01T00:00:00+12:00", None),
        ("0001-12-31T23:59:59Z", None),
        ("0002-01-01T00:00:00Z", datetime(2, 1, 1, tzinfo=UTC)),
        ("9998-12-31T23:59:59Z", datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("9999-12-31T23:59:59-12:00", None),
        ("9999-01-01T00:00:00Z", None),
        ("\ud83d", None),
        ("2026-11-23", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_counts_only_with_its_offset(text: str | None, time: datetime | None) -> None:
    assert stamp(text) == time


def test_a_version_names_approver_content_and_round_and_is_short_and_safe() -> None:
    named = version(approver_key="user:1", content="c", generation=1)

    others = {
        version(approver_key="user:2", content="c", generation=1),
        version(approver_key="user:1", content="d", generation=1),
        version(approver_key="user:1", content="c", generation=2),
    }
    assert named not in others
    assert len(others) == 3
    assert named == version(approver_key="user:1", content="c", generation=1)
    assert len(named) == 22
    assert named.replace("-", "").replace("_", "").isalnum()
    assert fingerprint("") == "47DEQpj8HBSa-_TImW-5JA"


def test_a_list_is_complete_only_when_nothing_failed() -> None:
    assert Listing().is_complete
    assert not Listing(failure=BridgeError("x", "y")).is_complete
    assert (FoundApprovals().by_id, FoundApprovals().unreadable) == ({}, 0)
