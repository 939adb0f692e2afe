"""Coupa's resources: pages, batches, single records, and the conditions for a believable answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from bridge import COUPA, World

from coupa_core.clock import Deadline
from coupa_core.coupa.client import Coupa
from coupa_core.coupa.fields import APPROVAL_FIELDS, DOCUMENT_FIELDS
from coupa_core.coupa.rows import PAGE, path_id
from coupa_core.documents import OrderChange, Requisition
from coupa_core.errors import Denied, Malformed, Refused, ServiceError, Unavailable, Unknown
from coupa_core.model import ALL_IDS, REQUISITION, Approval, Document, DocumentKind, Listing, Unreadable, Verb
from sandbox.coupa.world import Group
from sandbox.front import Call
from sandbox.serving import InProcess

BAD_BODIES = [
    "",
    "<?xml version='1.0'?><errors><error>No</error></errors>",
    "<html><title>Down</title></html>",
    '[{"id": 85001',
    '{"errors": {"base": ["No"]}}',
    "null",
    "7",
    '"[]"',
]

BAD_IDS: list[Any] = [None, 0, -1, "x", "1.5", 10**19, True, [], {}]


def client(world: World) -> Coupa:
    coupa = world.bridge.sweep.deps.coupa
    assert isinstance(coupa, Coupa)
    return coupa


def soon(world: World) -> Deadline:
    return Deadline(world.clock, 50.0)


def pending(world: World) -> Listing:
    return client(world).pending(soon(world))


def ids(listing: Listing) -> list[int]:
    return [approval.id for approval in listing.approvals]


def one(world: World, *approvers: Any) -> tuple[int, int]:
    """Enter a requisition and return its id and its first approval's."""
    rid = world.requisition(*(approvers or ("ann@example.com",)))
    return rid, world.coupa.world.approvals_of(rid)[0].id


def many(world: World, number: int) -> list[int]:
    return [one(world)[1] for _ in range(number)]


def reads(world: World, path: str = "/api/approvals$") -> list[dict[str, list[str]]]:
    """Return the queries that were asked of a path."""
    calls: list[Call] = world.coupa.front.calls
    matched = [call for call in calls if call.method == "GET" and f"{call.path}$".startswith(path)]
    return [parse_qs(call.query) for call in matched]


def answers(world: World, body: Any, *, path: str = "/api/approvals$", times: int | None = 1) -> None:
    """Let Coupa answer a read with something else, with status 200."""
    text = body if isinstance(body, str) else json.dumps(body)
    world.coupa.front.fail("replace", method="GET", path=path, status=200, body=text, times=times)


def before_page(world: World, number: int, work: Callable[[], object]) -> None:
    """Let somebody do something in Coupa just before a page is asked for."""

    class Meanwhile(InProcess):
        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            if request.path_url.startswith("/api/approvals?") and len(reads(world)) == number - 1:
                work()
            return super().send(request, *args, **kwargs)

    http_client = client(world)._access._http_client
    http_client._session.mount(COUPA, Meanwhile(world.coupa.front))


# Pages.


@pytest.mark.parametrize(("number", "pages"), [(0, 1), (1, 2), (49, 2), (50, 2), (51, 3), (100, 3)])
def test_every_pending_approval_is_listed_once(number: int, pages: int) -> None:
    world = World()
    made = many(world, number)

    listing = pending(world)

    assert ids(listing) == made
    assert listing.is_complete
    assert len(reads(world)) == pages
    assert (listing.unreadable, listing.unasked) == (0, 0)


@pytest.mark.parametrize("rows", [1, 20, 49])
def test_pages_with_fewer_rows_than_were_asked_for_hide_nothing(rows: int) -> None:
    world = World()
    made = many(world, 45)
    world.coupa.most_rows = rows

    listing = pending(world)

    assert ids(listing) == made
    assert listing.is_complete


def test_a_record_without_an_id_at_the_end_is_told_and_ends_the_list() -> None:
    world = World()
    first, last = many(world, 2)
    world.coupa.world.override(("approval", last), {"id": None})
    world.coupa.most_rows = 1

    listing = pending(world)

    assert (ids(listing), listing.unreadable, listing.is_complete) == ([first], 1, True)


def test_pages_are_asked_for_by_the_last_id_and_in_order() -> None:
    world = World()
    made = many(world, 60)

    pending(world)

    first, second, third = reads(world)
    assert first["id[gt]"] == ["0"]
    assert second["id[gt]"] == [str(made[49])]
    assert third["id[gt]"] == [str(made[59])]
    for asked in (first, second, third):
        assert asked["status"] == ["pending_approval"]
        assert asked["approvable_type[in]"] == [REQUISITION]
        assert (asked["order_by"], asked["dir"], asked["limit"]) == (["id"], ["asc"], ["50"])
        assert json.loads(asked["fields"][0]) == APPROVAL_FIELDS


def test_all_types_are_asked_for_without_a_filter_on_types() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    _, requisition = one(world)
    invoice = world.coupa.world.add_document(
        approvable_type="InvoiceHeader", approvers=[world.person("ann@example.com")]
    )

    listing = pending(world)

    assert ids(listing) == [requisition, world.coupa.world.approvals_of(invoice)[0].id]
    assert "approvable_type[in]" not in reads(world)[0]


def test_ids_that_come_as_texts_are_paged_all_the_same() -> None:
    world = World()
    made = many(world, 60)
    for each in made:
        world.coupa.world.override(("approval", each), {"id": str(each)})

    listing = pending(world)

    assert ids(listing) == made
    assert listing.is_complete
    assert client(world).approval(made[0], soon(world)) is not None


def test_rows_that_leave_between_pages_hide_no_other() -> None:
    world = World()
    made = many(world, 110)
    left = [made[0], made[49], made[50]]
    ann = world.person("ann@example.com")

    def leave() -> None:
        for each in left:
            world.coupa.world.decide_in_coupa(each, by=ann, decision="approved")

    before_page(world, 2, leave)

    listing = pending(world)

    assert ids(listing) == [each for each in made if each != made[50]]
    assert listing.is_complete


def test_rows_that_enter_between_pages_are_listed_once() -> None:
    world = World()
    made = many(world, 110)
    entered: list[int] = []
    before_page(world, 3, lambda: entered.extend(many(world, 2)))

    listing = pending(world)

    assert ids(listing) == made + entered
    assert len(entered) == 2


def test_a_page_that_repeats_ends_the_list_as_incomplete() -> None:
    world = World()
    made = many(world, 120)
    rows = [{"id": each, "status": "pending_approval", "approvable-type": REQUISITION} for each in made[:50]]
    answers(world, rows, times=None)

    listing = pending(world)

    assert not listing.is_complete
    assert listing.failure is not None
    assert listing.failure.code == "coupa_pages"
    assert set(ids(listing)) == set(made[:50])
    assert len(reads(world)) == 2


@pytest.mark.parametrize("order", [list(reversed(range(1, 51))), [5, *range(6, 54), 4], [None] * 50])
def test_a_page_that_is_not_in_the_order_of_ids_ends_the_list_as_incomplete(order: list[int | None]) -> None:
    world = World()
    rows = [{"id": each, "status": "pending_approval", "approvable-type": REQUISITION} for each in order]
    answers(world, rows)

    listing = pending(world)

    assert not listing.is_complete
    assert len(listing.approvals) + listing.unreadable == 50
    assert len(reads(world)) == 1


@pytest.mark.parametrize(
    "fault",
    [{"kind": "answer", "status": 500}, {"kind": "answer", "status": 404}, {"kind": "cut"}]
    + [{"kind": "replace", "status": 200, "body": body} for body in BAD_BODIES],
    ids=str,
)
def test_a_page_that_fails_keeps_the_pages_before_it(fault: dict[str, Any]) -> None:
    world = World()
    made = many(world, 120)
    world.coupa.front.fail(**fault, method="GET", path="/api/approvals$", skip=1, times=None)

    listing = pending(world)

    assert ids(listing) == made[:50]
    assert not listing.is_complete
    assert isinstance(listing.failure, ServiceError)


@pytest.mark.parametrize("body", BAD_BODIES)
def test_an_answer_that_is_no_list_is_not_an_empty_list(body: str) -> None:
    world = World()
    many(world, 1)
    answers(world, body, times=None)

    listing = pending(world)

    assert not listing.is_complete
    assert isinstance(listing.failure, Malformed)


def test_rows_that_were_not_asked_for_are_left_out_and_counted() -> None:
    world = World()
    wanted = {"id": 1, "status": "pending_approval", "approvable-type": REQUISITION}
    rows = [
        wanted,
        {**wanted, "id": 2, "status": "approved"},
        {**wanted, "id": 3, "status": None},
        {**wanted, "id": 4, "approvable-type": "InvoiceHeader"},
        {"id": 5},
    ]
    answers(world, rows)

    listing = pending(world)

    assert ids(listing) == [1]
    assert listing.unasked == 4

    answers(world, rows[::-1])

    page = client(world).page(ALL_IDS, soon(world))

    assert [each.id for each in page.pending] == [1]
    assert (page.unasked, page.ended) == (4, [])


@pytest.mark.parametrize(
    "row",
    [None, 7, "x", [], {}, *({"id": bad} for bad in BAD_IDS)],
    ids=str,
)
def test_a_row_without_a_usable_id_is_counted_and_spoils_no_other(row: Any) -> None:
    world = World()
    good = {"id": 7, "status": "pending_approval", "approvable-type": REQUISITION}
    answers(world, [row, good])

    listing = pending(world)

    assert ids(listing) == [7]
    assert listing.unreadable == 1
    assert listing.is_complete


# Batches.


def test_approvals_are_read_fifty_at_once_whatever_their_status() -> None:
    world = World()
    made = many(world, 101)
    world.coupa.world.decide_in_coupa(made[0], by=world.person("ann@example.com"), decision="approved")

    found = client(world).approvals([*made, made[3]], soon(world))

    assert set(found.by_id) == set(made)
    assert found.by_id[made[0]].status == "approved"
    asked = [query["id[in]"][0].split(",") for query in reads(world)]
    assert [len(batch) for batch in asked] == [50, 50, 1]


def test_nothing_is_asked_for_no_ids() -> None:
    world = World()

    assert client(world).approvals([], soon(world)).by_id == {}

    assert world.coupa.front.calls == []


def test_an_approval_that_is_gone_is_not_found() -> None:
    world = World()
    made = many(world, 2)
    rid = world.coupa.world.approval(made[0]).approvable_id
    world.coupa.world.withdraw(rid)

    found = client(world).approvals(made, soon(world))

    assert set(found.by_id) == {made[1]}
    assert found.unreadable == 0


def test_a_row_that_cannot_be_read_is_told_so_that_nothing_passes_for_gone() -> None:
    world = World()
    made = [*many(world, 1), 4242]
    answers(world, [{"id": made[0]}, {"id": None}])

    found = client(world).approvals(made, soon(world))

    assert set(found.by_id) == {made[0]}
    assert found.unreadable == 1


@pytest.mark.parametrize("most", [1, 7, 49])
def test_what_did_not_come_is_asked_for_again_where_an_answer_was_short(most: int) -> None:
    world = World()
    made = many(world, 60)
    world.coupa.most_rows = most

    found = client(world).approvals([*made, 4242], soon(world))

    assert set(found.by_id) == set(made)
    assert (found.failed, found.unreadable) == ({}, 0)


def test_an_answer_with_another_id_proves_nothing_to_be_gone() -> None:
    world = World()
    made = [*many(world, 1), 4242]
    answers(world, [{"id": str(made[0])}, {"id": 99}])

    found = client(world).approvals(made, soon(world))

    assert set(found.by_id) == {made[0]}
    assert found.unreadable == 1


def test_documents_are_read_fifty_at_once_with_all_that_a_notice_shows() -> None:
    world = World()
    made = many(world, 60)
    approvals = client(world).approvals(made, soon(world)).by_id.values()

    documents = client(world).documents(approvals, soon(world))

    assert {key for key, _ in documents.items()} == {approval.document_key for approval in approvals}
    assert all(document.lines for document in documents.values())
    asked = reads(world, "/api/requisitions$")
    assert [len(query["id[in]"][0].split(",")) for query in asked] == [50, 10]
    assert json.loads(asked[0]["fields"][0]) == DOCUMENT_FIELDS[DocumentKind.REQUISITION]


def test_documents_of_other_types_are_known_by_type_and_id_alone() -> None:
    world = World()
    other = Approval(id=1, approvable_type="ReceiptRequest", approvable_id=5001)
    untold = Approval(id=2, approvable_type="InvoiceHeader")
    nameless = Approval(id=3, approvable_id=12)
    coupa = client(world)

    documents = coupa.documents([other, untold, nameless], soon(world))

    assert documents == {
        ("ReceiptRequest", 5001): Document(type="ReceiptRequest", id=5001),
        ("", 12): Document(type="", id=12),
    }
    assert coupa.document(other, soon(world)) == Document(type="ReceiptRequest", id=5001)
    assert coupa.document(nameless, soon(world)) == Document(type="", id=12)
    assert coupa.document(untold, soon(world)) is None
    assert world.coupa.front.calls == []


def test_a_document_that_is_missing_or_unreadable_is_left_out() -> None:
    world = World()
    rid, aid = one(world)
    approval = client(world).approvals([aid], soon(world)).by_id[aid]
    gone = Approval(id=2, approvable_type=REQUISITION, approvable_id=4711)

    answers(world, [{"id": None}], path="/api/requisitions")
    assert client(world).documents([approval, gone], soon(world)) == {}

    assert set(client(world).documents([approval, gone], soon(world))) == {(REQUISITION, rid)}


MIXED = {
    REQUISITION: "requisitions",
    "ExpenseReport": "expense_reports",
    "InvoiceHeader": "invoices",
    "OrderHeaderChange": "purchase_order_changes",
    "Contract": "contracts",
    "EasyFormResponse": "easy_form_responses",
}


def mixed(world: World, number: int = 1) -> list[Approval]:
    """Enter documents of every type and return their approvals."""
    ann = world.person("ann@example.com")
    for kind in MIXED:
        for _ in range(number):
            if kind == REQUISITION:
                one(world)
            else:
                world.coupa.world.add_document(approvable_type=kind, approvers=[ann])
    return pending(world).approvals


def test_each_type_is_read_from_its_own_resource_fifty_at_once_with_all_that_is_shown() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    approvals = mixed(world, 51)

    documents = client(world).documents(approvals, soon(world))

    assert set(documents) == {approval.document_key for approval in approvals}
    assert {key[0]: type(each).__name__ for key, each in documents.items()} == {
        REQUISITION: "Requisition",
        "ExpenseReport": "ExpenseReport",
        "InvoiceHeader": "Invoice",
        "OrderHeaderChange": "OrderChange",
        "Contract": "Contract",
        "EasyFormResponse": "Form",
    }
    for kind, resource in MIXED.items():
        first, second = reads(world, f"/api/{resource}$")
        assert [len(query["id[in]"][0].split(",")) for query in (first, second)] == [50, 1]
        assert (
            json.loads(first["fields"][0])
            == DOCUMENT_FIELDS[documents[kind, approvals_of(approvals, kind)].kind]
        )


def approvals_of(approvals: list[Approval], kind: str) -> int | None:
    """Return the id of the first document of a type."""
    return next(each.approvable_id for each in approvals if each.approvable_type == kind)


@pytest.mark.parametrize("status", [400, 403, 404])
@pytest.mark.parametrize(("kind", "resource"), MIXED.items())
def test_a_type_that_cannot_be_read_spoils_no_other_and_names_its_scope(
    kind: str, resource: str, status: int
) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    approvals = mixed(world)
    world.coupa.front.fail("answer", path=f"/api/{resource}$", status=status, body="{}", times=None)

    documents = client(world).documents(approvals, soon(world))

    closed = [each for each in documents.values() if isinstance(each, Unreadable)]
    assert [(each.type, each.cause.startswith("unreadable:core.")) for each in closed] == [(kind, True)]
    assert len(documents) == len(MIXED)
    (approval,) = [each for each in approvals if each.approvable_type == kind]
    with pytest.raises(ServiceError):
        client(world).document(approval, soon(world))


@pytest.mark.parametrize("status", [401, 429, 302])
def test_a_failure_that_is_not_about_one_type_is_raised(status: int) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    approvals = mixed(world)
    world.coupa.front.fail("answer", path="/api/invoices$", status=status, times=None)

    with pytest.raises(ServiceError):
        client(world).documents(approvals, soon(world))


@pytest.mark.parametrize("number", [1, 5])
@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ({"status": 500}, "document_coupa_500"),
        ({"status": 200, "body": "<html>"}, "document_not_json"),
        ({"status": 200, "body": "{}"}, "document_coupa_list"),
    ],
    ids=["500", "html", "list"],
)
def test_a_type_that_fails_spoils_no_other_and_names_its_failure(
    how: dict[str, Any], cause: str, number: int
) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    approvals = mixed(world, number)
    world.coupa.front.fail("answer", path="/api/invoices$", times=None, **how)

    documents = client(world).documents(approvals, soon(world))

    unread = [each for each in documents.values() if isinstance(each, Unreadable)]
    assert {each.type for each in unread} == {"InvoiceHeader"}
    assert len(unread) == number
    assert {each.cause for each in unread} == {cause}
    assert documents.keys() == {each.document_key for each in approvals}


@pytest.mark.parametrize("status", [401, 429, 500, 302])
def test_when_no_type_can_be_read_the_failure_is_raised(status: int) -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    approvals = mixed(world)
    for resource in MIXED.values():
        world.coupa.front.fail("answer", path=f"/api/{resource}$", status=status, times=None)

    with pytest.raises(ServiceError):
        client(world).documents(approvals, soon(world))


def test_without_the_rights_of_other_types_only_requisitions_are_read() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    approvals = mixed(world)
    for kind, resource in MIXED.items():
        if kind != REQUISITION:
            world.coupa.front.fail("answer", path=f"/api/{resource}$", status=403, times=None)

    documents = client(world).documents(approvals, soon(world))

    assert {key[0] for key, each in documents.items() if not isinstance(each, Unreadable)} == {REQUISITION}
    assert {each.cause for each in documents.values() if isinstance(each, Unreadable)} == {
        "unreadable:core.expense.read",
        "unreadable:core.invoice.read",
        "unreadable:core.purchase_order.read",
        "unreadable:core.contract.read",
        "unreadable:core.easy_form_response.read",
    }


def order_change(world: World, order: int | None) -> Approval:
    """Enter a change of an order and return its approval."""
    ann = world.person("ann@example.com")
    number = world.coupa.world.add_document(
        approvable_type="OrderHeaderChange", approvers=[ann], order_header_id=order, total="120.00"
    )
    (listed,) = world.coupa.world.approvals_of(number)
    return Approval(id=listed.id, approvable_type="OrderHeaderChange", approvable_id=number)


def old_total(world: World, approval: Approval) -> Decimal | None:
    document = client(world).document(approval, soon(world))
    assert isinstance(document, OrderChange)
    return document.old_total


def test_a_change_of_an_order_is_read_with_what_the_order_comes_to_now() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    order = world.coupa.world.add_document(
        approvable_type="OrderHeader",
        approvers=[],
        status="issued",
        order_lines=[{"id": 1, "total": "80.00"}, {"id": 2, "total": "20.00"}],
    )

    assert old_total(world, order_change(world, order)) == Decimal(100)
    assert old_total(world, order_change(world, None)) is None
    assert old_total(world, order_change(world, 4711)) is None
    answers(world, ["x", {"id": order, "order-lines": "x"}], path="/api/purchase_orders$")
    assert old_total(world, order_change(world, order)) is None
    world.coupa.front.fail("answer", path="/api/purchase_orders", status=403, times=None)
    assert old_total(world, order_change(world, order)) is None


def test_orders_that_are_closed_to_us_hide_no_change_of_them() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    changes = [order_change(world, 4711 + each) for each in range(4)]
    world.coupa.front.fail("answer", path="/api/purchase_orders", status=403, times=None)

    documents = client(world).documents(changes, soon(world)).values()

    assert [type(each) for each in documents] == [OrderChange] * 4


def test_an_order_that_cannot_be_read_now_makes_only_its_own_change_unread() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    changes = [order_change(world, 4711 + each) for each in range(4)]
    world.coupa.front.fail(
        "answer", path="/api/purchase_orders", query=r"id\[in\]=(?:\d+,)*4712", status=500, times=None
    )

    documents = client(world).documents(changes, soon(world))

    unread = [each for each in documents.values() if isinstance(each, Unreadable)]
    assert [(each.id, each.cause) for each in unread] == [(changes[1].approvable_id, "document_coupa_500")]
    assert len(documents) == 4
    with pytest.raises(Unknown):
        client(world).document(changes[1], soon(world))


# One record.


def test_one_approval_and_its_document_are_read_by_their_ids() -> None:
    world = World()
    rid, aid = one(world)

    approval = client(world).approval(aid, soon(world))

    assert approval is not None
    assert approval.document_key == (REQUISITION, rid)
    document = client(world).document(approval, soon(world))
    assert document is not None
    assert document.id == rid


def test_a_record_that_coupa_does_not_know_is_none() -> None:
    world = World()
    approval = Approval(id=4711, approvable_type=REQUISITION, approvable_id=4711)

    assert client(world).approval(4711, soon(world)) is None
    assert client(world).document(approval, soon(world)) is None


@pytest.mark.parametrize("body", [*BAD_BODIES, "[]", '{"id": 4711}', '{"id": null}', "{}"])
def test_an_answer_that_is_not_the_record_is_not_believed(body: str) -> None:
    world = World()
    _, aid = one(world)
    answers(world, body, path=f"/api/approvals/{aid}", times=None)

    with pytest.raises(Malformed):
        client(world).approval(aid, soon(world))


def test_a_refusal_other_than_404_is_not_a_missing_record() -> None:
    world = World()
    _, aid = one(world)
    world.coupa.front.fail("answer", method="GET", path=f"/{aid}", status=400)

    with pytest.raises(Refused):
        client(world).approval(aid, soon(world))


# Lists with other questions.


def test_the_pending_approvals_of_one_document_are_its_own() -> None:
    world = World(settings={"DOCUMENT_TYPES": "*"})
    rid, _ = one(world, "ann@example.com", "bob@example.com")
    one(world)
    twin = world.coupa.world.add_document(
        approvable_type="InvoiceHeader", approvers=[world.person("ann@example.com")], id=rid
    )

    found = client(world).open_of(Document(type=REQUISITION, id=rid), soon(world))

    assert twin == rid
    assert [approval.document_key for approval in found] == [(REQUISITION, rid)] * 2


def test_the_pending_approvals_for_a_person_are_not_those_of_a_group_of_the_same_number() -> None:
    world = World()
    ann = world.person("ann@example.com")
    group = world.coupa.world.add_group(name="Buyers", members=[ann])
    one(world, Group(group))
    _, hers = one(world)
    one(world, "bob@example.com")

    found = client(world).pending_for([f"user:{ann}"], soon(world), more=soon(world))

    assert group == ann
    assert [approval.id for approval in found.approvals] == [hers]
    of_group = client(world).pending_for([f"group:{group}"], soon(world), more=soon(world))
    assert [approval.approver_key for approval in of_group.approvals] == [f"group:{group}"]


def test_the_pending_approvals_of_many_are_asked_for_fifty_at_once() -> None:
    world = World()
    people = [f"user:{world.person(f'p{number}@example.com')}" for number in range(51)]
    one(world, "p50@example.com")

    assert len(client(world).pending_for(people, soon(world), more=soon(world)).approvals) == 1
    assert len(reads(world, "/api/approvals$")) == 3  # none of the first fifty; one, and no more


def test_a_list_that_breaks_off_is_an_error_where_only_the_whole_is_of_use() -> None:
    world = World()
    documents = [Document(type=REQUISITION, id=number) for number in range(1, 52)]
    world.coupa.front.fail("answer", method="GET", path="/api/approvals$", skip=1, times=None, status=500)

    with pytest.raises(Unknown):
        client(world).siblings(documents, soon(world))


def test_a_list_for_many_that_breaks_off_has_what_came_and_why() -> None:
    world = World()
    people = [f"user:{world.person(f'p{number}@example.com')}" for number in range(101)]
    _, first = one(world, "p0@example.com")
    one(world, "p50@example.com")
    world.coupa.front.fail("answer", method="GET", path="/api/approvals$", skip=1, times=None, status=500)

    found = client(world).pending_for(people, soon(world), more=soon(world))

    assert [approval.id for approval in found.approvals] == [first]
    assert (found.is_complete, isinstance(found.failure, Unknown)) == (False, True)


STAMP = "2026-11-23T01:30:00-08:00"


def test_only_documents_touched_since_a_stamp_are_edited() -> None:
    world = World()
    one(world)
    world.clock.advance(3600)
    rid, _ = one(world)

    stamps, rest = client(world).edited(REQUISITION, STAMP, ALL_IDS, soon(world))

    assert stamps == {(REQUISITION, rid): "2026-11-23T02:00:00-08:00"}
    assert rest == (1, rid - 1)
    assert client(world).edited(REQUISITION, STAMP, (1, rid - 1), soon(world)) == ({}, None)


def test_an_edited_requisition_without_a_stamp_or_an_id_spoils_no_other() -> None:
    world = World()
    answers(world, [{"id": None}, {"id": 6, "updated-at": "x"}, {"id": 5}], path="/api/requisitions")

    stamps, _ = client(world).edited(REQUISITION, STAMP, ALL_IDS, soon(world))

    assert stamps == {(REQUISITION, 5): "", (REQUISITION, 6): "x"}


def test_edits_out_of_order_are_a_clear_error() -> None:
    world = World()
    answers(world, [{"id": 5}, {"id": 6}], path="/api/requisitions")

    with pytest.raises(Malformed, match="by id"):
        client(world).edited(REQUISITION, STAMP, ALL_IDS, soon(world))


def test_types_are_readable_that_are_wanted_and_known() -> None:
    world = World(settings={"DOCUMENT_TYPES": "InvoiceHeader,ReceiptRequest"})

    assert client(world).readable([REQUISITION, "InvoiceHeader", "ReceiptRequest"]) == ["InvoiceHeader"]


def test_people_are_found_by_their_address() -> None:
    world = World()
    ann = world.person("ann+o'neil@example.com")
    world.person("bob@example.com")

    (person,) = client(world).people(["ann+o'neil@example.com"], soon(world))

    assert (person.id, person.email) == (ann, "ann+o'neil@example.com")
    assert client(world).people(["nobody@example.com"], soon(world)) == []


def test_people_that_are_no_records_are_left_out() -> None:
    world = World()
    answers(world, [None, 5, {"id": "x", "email": "ann@example.com"}, {"id": 7}], path="/api/users")

    (person,) = client(world).people(["ann@example.com"], soon(world))

    assert person.id == 7


def test_people_are_asked_for_fifty_at_once() -> None:
    world = World()
    emails = [f"p{number}@example.com" for number in range(51)]
    people = {world.person(email) for email in emails}

    assert {person.id for person in client(world).people(emails, soon(world))} == people
    assert len(reads(world, "/api/users$")) == 4  # each page is followed by a look for more


def test_users_are_read_by_id() -> None:
    world = World()
    ann = world.person("ann@example.com")

    read = client(world).users([ann, 999], soon(world))

    assert ([person.email for person in read.rows], read.failed) == (["ann@example.com"], {})


def test_users_come_with_the_id_of_their_manager() -> None:
    world = World()
    ann = world.person("ann@example.com")
    bob = world.person("bob@example.com", manager=ann)

    first, second = client(world).users([ann, bob], soon(world)).rows

    assert (first.manager, second.manager and second.manager.id) == (None, ann)


@pytest.mark.parametrize("manager", ["ann", [], {}, {"id": "x"}])
def test_a_manager_that_cannot_be_read_spoils_no_user(manager: Any) -> None:
    world = World()
    bob = world.person("bob@example.com")
    world.coupa.world.override(("user", bob), {"manager": manager})

    (person,) = client(world).users([bob], soon(world)).rows

    assert person.key == f"user:{bob}"
    assert person.manager is None or person.manager.key is None


def test_the_members_of_groups_are_those_whose_own_record_names_the_group() -> None:
    world = World()
    ann, bob = world.person("ann@example.com"), world.person("bob@example.com")
    buyers = world.coupa.world.add_group(name="Buyers", members=[ann, bob])
    payers = world.coupa.world.add_group(name="Payers", members=[bob])

    sellers = world.coupa.world.add_group(name="Sellers", members=[ann])

    found = client(world).members({buyers: "Buyers", payers: "Payers", 999: "None"}, soon(world))

    assert sellers not in found

    assert {group: [person.id for person in people] for group, people in found.items()} == {
        buyers: [ann, bob],
        payers: [bob],
        999: [],
    }


@pytest.mark.parametrize(
    ("name", "members"), [("Buyers", ["ann@example.com"]), ("Sellers", []), (None, [])], ids=str
)
def test_where_that_filter_is_refused_a_group_of_the_same_number_is_taken_only_with_the_same_name(
    name: str | None, members: list[str]
) -> None:
    world = World()
    group = world.coupa.world.add_group(name="Buyers", members=[world.person("ann@example.com")])
    world.coupa.front.fail("answer", path="/api/users$", status=400, times=None, body="{}")

    found = client(world).members({group: name}, soon(world))

    assert [person.email for person in found[group]] == members


@pytest.mark.parametrize("users", [None, "x", [None, {"id": "x"}]])
def test_a_group_whose_users_cannot_be_read_has_no_members(users: Any) -> None:
    world = World()
    group = world.coupa.world.add_group(name="Buyers", members=[world.person("ann@example.com")])
    world.coupa.world.override(("group", group), {"users": users})
    world.coupa.front.fail("answer", path="/api/users$", status=400, times=None, body="{}")

    assert client(world).members({group: "Buyers", 999: "Payers"}, soon(world)) == {group: [], 999: []}


def test_another_refusal_of_the_filter_is_an_error() -> None:
    world = World()
    world.coupa.front.fail("answer", path="/api/users$", status=404, times=None, body="{}")

    with pytest.raises(Refused):
        client(world).members({1: "Buyers"}, soon(world))


def test_delegations_that_ended_before_yesterday_are_not_read() -> None:
    world = World()
    ann, bob = world.person("ann@example.com"), world.person("bob@example.com")
    for days in (-3, -1, 5):
        world.delegation(ann, bob, start=-timedelta(days=9), end=timedelta(days=days))

    found = client(world).delegations(soon(world))

    assert [(each.of, each.delegate and each.delegate.email) for each in found] == [
        (ann, "bob@example.com")
    ] * 2


def test_a_delegation_that_is_no_record_spoils_no_other() -> None:
    world = World()
    answers(world, [None, "x", {"id": "?", "delegator-id": 7}], path="/api/delegations")

    assert [each.of for each in client(world).delegations(soon(world))] == [7]


# Decisions, ids, and what every request has.


@pytest.mark.parametrize(
    ("verb", "status"), [(Verb.APPROVE, "approved"), (Verb.REJECT, "rejected"), (Verb.HOLD, "on_hold")]
)
def test_a_decision_carries_its_reason_unchanged(verb: Verb, status: str) -> None:
    world = World()
    rid = world.requisition("ann@example.com", holdable=True)
    approval = world.coupa.world.approvals_of(rid)[0]
    reason = "a&b=c#d %41 + über"

    answered = client(world).decide(approval.id, verb, reason=reason, deadline=soon(world))

    assert answered == rid
    assert approval.status == status
    assert world.coupa.decisions[0].reason == reason
    assert world.coupa.updates == []


@pytest.mark.parametrize("body", ["", "<html></html>", "[]", '{"approvals": 7}', '{"id": '])
def test_an_answer_to_a_decision_that_is_no_record_is_known_as_such(body: str) -> None:
    world = World()
    _, aid = one(world)
    world.coupa.front.fail("replace", method="PUT", status=200, body=body)

    assert client(world).decide(aid, Verb.APPROVE, reason="", deadline=soon(world)) == 0


def test_a_decision_that_coupa_refuses_is_said_with_its_words() -> None:
    world = World()
    _, aid = one(world)
    world.coupa.world.decide_in_coupa(aid, by=world.person("ann@example.com"), decision="rejected")

    with pytest.raises(ServiceError) as caught:
        client(world).decide(aid, Verb.APPROVE, reason="", deadline=soon(world))

    assert isinstance(caught.value, Refused)
    assert caught.value.status in {400, 404}
    assert f"approve approval {aid}" in str(caught.value)
    assert world.puts() == 1


def test_a_decision_with_no_time_left_is_not_sent() -> None:
    world = World()
    _, aid = one(world)
    pending(world)

    with pytest.raises(Unavailable):
        client(world).decide(aid, Verb.APPROVE, reason="", deadline=Deadline(world.clock, 0))

    assert world.puts() == 0


@pytest.mark.parametrize("number", [1, 10**19 - 1])
def test_an_id_is_one_to_nineteen_digits(number: int) -> None:
    assert path_id(number) == str(number)


@pytest.mark.parametrize("bad", [0, -1, 10**19, True, "1", "1/approve", 1.0, None, "\uff11"])
def test_nothing_else_than_an_id_gets_into_a_path(bad: Any) -> None:
    world = World()

    with pytest.raises(Malformed):
        path_id(bad)
    with pytest.raises(Malformed):
        client(world).decide(bad, Verb.APPROVE, reason="", deadline=soon(world))

    assert world.coupa.front.calls == []


def test_every_read_asks_for_json_and_names_its_fields() -> None:
    world = World()
    many(world, 3)
    (card, *_) = world.announced()
    world.clock.advance(60)
    world.click(card, "ann@example.com")
    headers: Mapping[str, str] = {"X-Actor-Email": "ann@example.com"}
    world.call("list_approvals", headers=headers)
    world.sweep()

    calls = [call for call in world.coupa.front.calls if call.path.startswith("/api/")]

    assert {call.path.split("/")[2] for call in calls} == {
        "approvals",
        "requisitions",
        "users",
        "delegations",
    }
    assert {call.headers["Accept"] for call in calls} == {"application/json"}
    for call in calls:
        if call.method == "GET":
            assert json.loads(parse_qs(call.query)["fields"][0])


def test_a_page_is_as_long_as_coupa_allows() -> None:
    assert PAGE == 50


def test_the_siblings_of_many_documents_are_asked_for_fifty_at_once_and_kept_apart() -> None:
    world = World()
    made = many(world, 51)
    documents = [world.coupa.world.approval(each).approvable_id for each in made]
    wanted = [Document(type=REQUISITION, id=number) for number in documents]
    twin = Document(type="InvoiceHeader", id=documents[0])

    found = client(world).siblings([*wanted, twin], soon(world))

    assert [[each.id for each in found[REQUISITION, number]] for number in documents] == [
        [each] for each in made
    ]
    assert found["InvoiceHeader", documents[0]] == []
    assert len(reads(world, "/api/approvals$")) == 4  # each page is followed by a look for more


def test_siblings_that_come_out_of_order_are_not_taken_for_all() -> None:
    world = World()
    number = one(world)[0]
    step = {"status": "pending_approval", "approvable-type": REQUISITION, "approvable-id": number}
    answers(world, [{**step, "id": 7}, {**step, "id": 3}])

    with pytest.raises(Malformed):
        client(world).siblings([Document(type=REQUISITION, id=number)], soon(world))


def test_how_far_a_requisition_has_come_is_read_with_its_approvals() -> None:
    world = World()
    rid, aid = one(world)

    chains = client(world).chains([rid, 4711], soon(world))

    assert set(chains) == {rid}
    step = chains[rid].step(aid)
    assert step is not None
    assert step.status == "pending_approval"
    assert chains[rid].step(4711) is None
    assert chains[rid].next_names == ["Ann Doe"]


@pytest.mark.parametrize(("body", "answered"), [("", 0), ("<html>", 0), ("[]", 0), ('{"id": 12}', 12)])
def test_a_comment_is_known_by_the_id_that_coupa_answers_with(body: str, answered: int) -> None:
    world = World()
    world.coupa.front.fail(
        "answer", method="POST", path="/api/requisitions/7/comments", status=200, body=body
    )

    assert client(world).comment(Requisition(type="RequisitionHeader", id=7), "why?", soon(world)) == answered
    assert json.loads(world.coupa.front.calls[-1].body) == {"comments": "why?"}


def test_a_comment_without_the_scope_is_denied_and_sent_once() -> None:
    world = World()
    rid, _ = one(world)

    with pytest.raises(Denied, match=r"core\.comment\.write"):
        client(world).comment(Requisition(type="RequisitionHeader", id=rid), "why?", soon(world))
    assert world.coupa.front.count("POST", "comments") == 1
