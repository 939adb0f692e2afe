"""The signed content: every field of a card is signed, or is listed with the reason why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from goldens import ACCOUNT, ASKER, CHAIN, RECORDS, approval

from coupa_core.content import content_hash, content_hashes
from coupa_core.coupa.fields import DOCUMENT_FIELDS
from coupa_core.documents import DOCUMENT_MODELS, Readable, parse_document
from coupa_core.model import Document
from coupa_core.notice import Style
from coupa_core.notice.fields import NAMES, UNSIGNED, values_of
from sandbox.coupa.query import View
from sandbox.coupa.resources import RESOURCES

LINES = {
    "RequisitionHeader": "requisition-lines",
    "ExpenseReport": "expense-lines",
    "InvoiceHeader": "invoice-lines",
    "OrderHeaderChange": "order-line-changes",
}
ANOTHER = {**ASKER, "id": 77, "fullname": "Somebody Else"}
MORE = [{"id": 9, "file": "https://files.test/other.pdf"}]
KWD = {"code": "KWD", "decimals": 3}


def line(**changes: Any) -> dict[str, Any]:
    """Return changes of the first line, by Coupa's names with underscores."""
    return {"line": {name.replace("_", "-"): value for name, value in changes.items()}}


COMMON: dict[str, list[dict[str, Any]]] = {
    "id": [{"id": 14171}],
    "creator": [{"created-by": ANOTHER}],
    "approved": [{"approvals": [CHAIN[0] | {"note": "Other words"}, CHAIN[1]]}],
    "next": [{"approvals": [*CHAIN, CHAIN[1] | {"id": 859, "position": 3}]}],
    "attachments": [{"attachments": MORE}],
    "status": [{"status": "draft"}],
    "submitted": [{"submitted-at": "2026-11-25T09:00:00-08:00"}],
    "why": [{"step": "ManagementHierarchyApproval"}],
}
OTHER_ACCOUNT = {"id": 32, "name": "Cars", "code": "6800-CAR"}
CODING = [
    line(account=OTHER_ACCOUNT, **{"account-allocations": []}),
    line(**{"account-allocations": [{"account": ACCOUNT}, {"account": OTHER_ACCOUNT}]}),
    line(account=None, **{"account-allocations": []}),
]
ITEM = [
    line(description="Something else"),
    line(quantity="11"),
    line(total="1.00"),
    line(currency=KWD),
    line(uom={"code": "PALLET"}),
]
OWN: dict[str, dict[str, list[dict[str, Any]]]] = {
    "RequisitionHeader": {
        "title": [{"req-title": "Cars"}],
        "requester": [{"requested-by": ANOTHER}],
        "amount": [{"total": "1.00"}, {"currency": KWD}],
        "items": [*ITEM, line(**{"unit-price": "7.00"})],
        "supplier": [line(supplier={"id": 8, "name": "Orange"})],
        "justification": [{"justification": "Because"}],
        "department": [{"department": {"name": "HR"}}],
        "need_by": [{"need-by-date": "2026-12-02T00:00:00-08:00"}],
        "comment": [{"comments": [{"id": 2, "comments": "hurry"}]}],
        "account": CODING,
        "off_catalogue": [line(**{"source-type": "Form"})],
        "no_contract": [line(contract=None)],
    },
    "ExpenseReport": {
        "title": [{"title": "Another fair"}],
        "requester": [{"expensed-by": ANOTHER}],
        "amount": [{"total": "1.00"}, {"currency": KWD}],
        "violations": [{"expense-violations": []}, {"expense-policy-violations": []}],
        "over_limit": [line(**{"over-limit": False})],
        "receipts": [line(**{"expense-artifacts": []})],
        "audit_score": [{"audit-score": 99}],
        "period": [{"start-date": "2026-11-01"}, {"end-date": "2026-11-09"}],
        "items": [
            line(description="Three nights"),
            line(amount="1.00"),
            line(currency=KWD),
            line(merchant="Hotel Ritz"),
            line(**{"expense-category": {"name": "Meals"}}),
            line(**{"expense-date": "2026-11-04"}),
        ],
        "auditor_note": [{"auditor-note": "Looks fine"}],
        "comment": [{"comments": [{"id": 2, "comments": "hurry"}]}],
        "attachments": [line(**{"expense-artifacts": [{"id": 1, "image-file-name": "x.jpg"}]})],
        "account": CODING,
    },
    "InvoiceHeader": {
        "title": [{"invoice-number": "INV-2"}],
        "requester": [{"requested-by": ANOTHER}],
        "supplier": [{"supplier": {"id": 8, "name": "Orange"}}],
        "amount": [{"total-with-taxes": "1.00"}, {"currency": KWD}],
        "invoice_date": [{"invoice-date": "2026-11-21"}],
        "tolerance": [{"tolerance-failures": "Another"}],
        "due": [{"net-due-date": "2026-12-21"}, {"payment-term": {"code": "Net 60"}}],
        "discount": [{"discount-due-date": "2026-12-02"}, {"discount-percent": 3}],
        "orders": [line(**{"po-number": "4500013"})],
        "items": [*ITEM, line(price="7.00")],
        "justification": [{"internal-note": "Other"}],
        "account": CODING,
        "no_contract": [{"contract": None} | line(contract=None)],
    },
    "OrderHeaderChange": {
        "title": [{"po-number": "4500013"}],
        "requester": [{"requester": ANOTHER}],
        "supplier": [{"supplier": {"id": 8, "name": "Orange"}}],
        "started_by": [{"supplier-initiated": False}],
        "cancels": [{"pending-cancel": False}],
        "amount": [{"total": "1.00"}, {"currency": KWD}, {"old-total": "5.00"}],
        "items": [*ITEM, line(price="7.00"), line(**{"pending-delete": False})],
        "account": CODING,
        "justification": [{"justification": "Because"}],
    },
    "Contract": {
        "title": [{"name": "Another"}],
        "requester": [{"submitter": ANOTHER}],
        "number": [{"number": "C-120"}],
        "supplier": [{"supplier": {"id": 8, "name": "Orange"}}],
        "amount": [{"minimum-value": "1.00"}, {"maximum-value": "1.00"}, {"currency": KWD}],
        "commitment": [{"min-commit": "1.00"}, {"max-commit": "1.00"}],
        "term": [{"term-type": "fixed"}],
        "period": [{"start-date": "2027-02-01"}, {"end-date": "2027-11-30"}],
        "renewal": [
            {"no-of-renewals": 4},
            {"renewal-length-value": 24},
            {"renewal-length-unit": "years"},
        ],
        "owner": [{"contract-owner": ANOTHER}],
        "department": [{"department": {"name": "HR"}}],
        "justification": [{"description": "Because"}],
    },
    "EasyFormResponse": {
        "title": [{"name": "Another"}],
        "requester": [{"requested-by": ANOTHER}],
    },
}


def read(kind: str, change: dict[str, Any]) -> Document:
    """Return the golden document of a kind with a change in it."""
    raw = RECORDS[kind] | {name: value for name, value in change.items() if name not in ("line", "step")}
    if "line" in change:
        first, *rest = RECORDS[kind][LINES[kind]]
        raw |= {LINES[kind]: [first | change["line"], *rest]}
    document = parse_document(kind, raw)
    assert document is not None
    return document


def shown(name: str, document: Document, step: str = "ApprovalChainApproval") -> object:
    """Return what a card shows of one field, to whoever is asked by such a step."""
    values = values_of(approval(type=step), document, Style())
    # A supplier who wants an order changed stands in the first line, and not once more below.
    also = values.get("started_by") if name == "supplier" else None
    return values[name] or also or None


CHANGES = [
    (kind, name, change)
    for kind, own in OWN.items()
    for name, changes in (COMMON | own).items()
    if name in NAMES[DOCUMENT_MODELS[kind].kind]
    for change in changes
]


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
def test_every_field_that_a_card_can_show_is_gone_through(kind: str) -> None:
    assert {name for each, name, _ in CHANGES if each == kind} == set(NAMES[DOCUMENT_MODELS[kind].kind])


@pytest.mark.parametrize(("kind", "name", "change"), CHANGES, ids=str)
def test_what_a_card_shows_is_signed_or_listed_as_not_signed(
    kind: str, name: str, change: dict[str, Any]
) -> None:
    before, after = read(kind, {}), read(kind, change)
    if shown(name, before) == shown(name, after, **{key: change[key] for key in change if key == "step"}):
        # Contracts have neither chain nor attachments, forms no attachments: nothing of it can be shown.
        assert (kind, name) in NOTHING_TO_SHOW
        return

    assert (content_hash(before) == content_hash(after)) is (name in UNSIGNED)


NOTHING_TO_SHOW = {
    ("Contract", "approved"),
    ("Contract", "next"),
    ("Contract", "attachments"),
    ("Contract", "submitted"),
    ("EasyFormResponse", "attachments"),
}


def missing(attributes: list[Any], views: Sequence[View], path: str = "") -> Iterator[str]:
    """Yield the requested attributes that all these views of the simulated Coupa lack, as paths."""
    for each in attributes:
        if isinstance(each, dict):
            for name, inner in each.items():
                below = [one for view in views for one in view.nested.get(name.replace("_", "-"), ())]
                yield from missing(inner, below, f"{path}{name}/") if below else [f"{path}{name}"]
        elif not any(each in view.leaves for view in views):
            yield f"{path}{each}"


@pytest.mark.parametrize("model", DOCUMENT_MODELS.values())
def test_the_simulated_coupa_has_every_attribute_that_a_document_requests(model: type[Readable]) -> None:
    lacking = list(missing(DOCUMENT_FIELDS[model.kind], [RESOURCES[model.resource].view]))

    assert lacking == [], "add it in sandbox/coupa/attributes.py or resources.py"


def test_whatever_is_not_signed_is_a_field_and_has_a_reason() -> None:
    assert set(UNSIGNED) <= {name for names in NAMES.values() for name in names}
    assert all(len(reason) > 10 for reason in UNSIGNED.values())


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("RequisitionHeader", {"need-by-date": "2026-12-01T00:00:00+01:00"}),
        ("RequisitionHeader", {"requested-by": {"id": 42, "fullname": "Jamie Married"}}),
        ("RequisitionHeader", line(supplier={"id": 3, "name": "Apple Inc."})),
        ("RequisitionHeader", line(currency=None)),
        ("RequisitionHeader", {"total": 14060.41}),
    ],
)
def test_another_spelling_of_the_same_is_the_same(kind: str, change: dict[str, Any]) -> None:
    assert content_hash(read(kind, change)) == content_hash(read(kind, {}))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("RequisitionHeader", {"requested-by": {"fullname": "Jamie Lee"}}),
        ("InvoiceHeader", {"document-type": "Credit Note"}),
    ],
)
def test_a_person_without_an_id_counts_by_name_and_a_credit_note_is_no_invoice(
    kind: str, change: dict[str, Any]
) -> None:
    assert content_hash(read(kind, change)) != content_hash(read(kind, {}))


RELEASED = {
    "RequisitionHeader": "GHZXv7nlCawB27ct7_Z1MQ",
    "ExpenseReport": "k25D-prg3JBu5Vl6AQbt2Q",
    "InvoiceHeader": "HRrjk-MN19iCdCZTeL8biw",
    "OrderHeaderChange": "2Y4fKkdUeJhlasoQnZgacg",
    "Contract": "Qq8vAy8ie-FXMgtBxS3fJg",
    "EasyFormResponse": "wdjVbzdX72G1YIBPG8wqyg",
}
"""What version 0.1 wrote into tokens and rows for the golden documents."""


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
def test_the_recipe_of_the_last_release_gives_what_its_tokens_and_rows_hold(kind: str) -> None:
    today, before = content_hashes(read(kind, {}))

    assert before == RELEASED[kind]
    assert (today == content_hash(read(kind, {})), today != before, len(today)) == (True, True, 22)


def test_the_digest_of_a_requisition_is_the_one_that_rows_and_tokens_hold() -> None:
    """A change of it would tell everybody that everything changed, and spoil every button."""
    assert content_hash(read("RequisitionHeader", {})) == "wu-x9f4vGcW9Q0ULq9GiNA"


def test_of_a_type_that_is_not_read_only_its_name_and_number_are_signed() -> None:
    one, other = Document(type="Odd", id=7), Document(type="Odd", id=8)

    assert content_hashes(one)[1] == "VRWBDJfRn7Ff8-9m8qxTsA"
    assert content_hash(one) != content_hash(other)
