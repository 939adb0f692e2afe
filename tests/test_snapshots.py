"""Notices as people read them, kept as text: each kind in two languages and three currencies, and odd ones.

`REWRITE_SNAPSHOTS=1 pytest tests/test_snapshots.py` writes them anew; then read them, as an approver would.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from goldens import (
    CHAIN,
    CLIENT,
    EXPENSE,
    INVOICE,
    ORDER_CHANGE,
    PERSON,
    RECORDS,
    REQUEST,
    approval,
    document,
)

from coupa_core.documents import OrderChange
from coupa_core.model import Document, Verb
from coupa_core.notice import (
    HTML,
    MARKDOWN,
    PLAIN,
    Ended,
    Ending,
    Overdue,
    Shown,
    Style,
    Waiting,
    announcement,
    closing,
    closings,
    difference,
    digest,
    escalation,
    escalations,
    minimal,
    outcome,
    outcomes,
    receipt,
    reminder,
    shown_facts,
)

JAMIE = Shown(name="Jamie")
CHANGED = Shown(name="Jamie", is_changed=True)
FOLDER = Path(__file__).parent / "snapshots"
REWRITE = "REWRITE_SNAPSHOTS"
LANGUAGES = {"en": "en_US", "de": "de"}
DECIMALS = {"JPY": 0, "USD": 2, "KWD": 3}
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
MONEY = {
    *("total", "unit-price", "price", "amount", "limit-exceeded", "total-with-taxes"),
    *("minimum-value", "maximum-value", "min-commit", "max-commit"),
}
"""Attributes that are amounts."""

ROBIN, KIM = {**PERSON, "fullname": "Robin Hale"}, {**PERSON, "id": 44, "fullname": "Kim Park"}
LONG_CHAIN = [
    {
        **CHAIN[0],
        "id": 850,
        "position": 1,
        "note": "Kim Park <kim@acme.test> via Moveworks",
        "approver": KIM,
        "approved-by": CLIENT,
    },
    {**CHAIN[0], "position": 2},
    {**CHAIN[1], "position": 3},
    {
        **CHAIN[1],
        "id": 854,
        "position": 4,
        "parallel-group-name": None,
        "approver": {"fullname": "Alex Moreau"},
    },
]
LINE, EXPENSE_LINE = REQUEST["requisition-lines"][0], EXPENSE["expense-lines"][0]
RICH: dict[str, dict[str, Any]] = {
    "RequisitionHeader": {
        "created-by": KIM,
        "justification": "Three new colleagues start in January;\ntheir machines must be here by then.",
        "requisition-lines": [
            {**LINE, "quantity": "3", "unit-price": "1899.00", "total": "5697.00"},
            {
                **LINE,
                "id": 8,
                "description": "Docking station",
                "quantity": "3",
                "unit-price": "210.50",
                "total": "631.50",
                "supplier": {"id": 4, "name": "Hale & Sons"},
            },
            {
                **LINE,
                "id": 9,
                "description": "Set-up",
                "quantity": None,
                "unit-price": None,
                "total": "400.00",
            },
        ],
        "total": "6728.50",
        "approvals": LONG_CHAIN,
        "comments": [
            {"id": 1, "comments": "Is there a cheaper dock?", "created-by": {"fullname": "Robin Hale"}}
        ],
    },
    "ExpenseReport": {
        "expense-lines": [
            EXPENSE_LINE,
            {
                **EXPENSE_LINE,
                "id": 547,
                "description": "",
                "merchant": "Taxi Lyon",
                "amount": "40.00",
                "over-limit": False,
                "expense-category": {"name": "Taxi"},
                "expense-artifacts": [],
            },
            {
                **EXPENSE_LINE,
                "id": 548,
                "description": "Dinner with Moreau SA",
                "merchant": "Le Nord",
                "amount": "220.50",
                "over-limit": False,
                "expense-category": {"name": "Meals"},
                "expense-date": "2026-11-04T00:00:00-08:00",
            },
        ],
        "approvals": LONG_CHAIN,
    },
    "InvoiceHeader": {"approvals": LONG_CHAIN},
    "OrderHeaderChange": {"supplier-initiated": True, "pending-cancel": False, "approvals": LONG_CHAIN},
    "Contract": {},
    "EasyFormResponse": {"created-by": KIM, "approvals": LONG_CHAIN},
}
RICH["OrderHeaderChange"]["order-line-changes"] = [
    {**ORDER_CHANGE["order-line-changes"][0], "pending-delete": False},
    {**ORDER_CHANGE["order-line-changes"][0], "id": 82, "description": "Feet", "total": "0.00"},
]


def in_currency(value: Any, code: str, name: str = "") -> Any:
    """Return a record with its amounts in another currency, at its number of decimals."""
    if isinstance(value, dict):
        if name == "currency":
            return {"code": code, "decimals": DECIMALS[code]}
        return {key: in_currency(each, code, key) for key, each in value.items()}
    if isinstance(value, list):
        return [in_currency(each, code) for each in value]
    if name in MONEY and value is not None:
        return str(Decimal(value).quantize(Decimal(1).scaleb(-DECIMALS[code])))
    return value


def rich(kind: str, code: str) -> Document:
    """Return a document with much to show, in a currency."""
    made = document(kind, **in_currency({**RECORDS[kind], **RICH[kind]}, code))
    return made.model_copy(update={"old_total": Decimal(96)}) if isinstance(made, OrderChange) else made


def style_of(language: str, **more: Any) -> Style:
    base = Style(base_url="https://acme.coupahost.com", language=LANGUAGES[language], zone="Europe/Berlin")
    return replace(base, **{"markup": PLAIN, **more})


def kinds(language: str) -> Iterator[tuple[str, str]]:
    """Return the notices of each kind: name of the file, and text."""
    style = style_of(language)
    for kind in RECORDS:
        parts = [
            announcement(approval(holdable=True), rich(kind, code), style=style, shown=JAMIE)
            for code in DECIMALS
        ]
        yield kind, "\n\n".join(f"[{code}]\n{text}" for code, text in zip(DECIMALS, parts, strict=True))
    yield "Other", announcement(approval(), Document(type="ReceiptRequest", id=77), style=style, shown=JAMIE)


def markups() -> Iterator[tuple[str, str]]:
    """Return one notice in each markup."""
    for markup in (HTML, MARKDOWN):
        style = style_of("en", markup=markup)
        for kind in ("RequisitionHeader", "InvoiceHeader"):
            text = announcement(
                approval(), rich(kind, "USD"), style=style, shown=CHANGED, changes=["+1 item"]
            )
            yield f"{kind}.{markup.name}", text


def messages(language: str) -> str:
    """Return the other messages, one after the other."""
    style = style_of(language)
    request, invoice = rich("RequisitionHeader", "USD"), rich("InvoiceHeader", "KWD")
    waiting = [
        Waiting(request, NOW - timedelta(days=3)),
        Waiting(invoice, NOW - timedelta(hours=5)),
        *(Waiting(rich(kind, "JPY"), NOW - timedelta(minutes=90)) for kind in list(RECORDS)[1:]),
        Waiting(Document(type="ReceiptRequest", id=77)),
    ]
    before = shown_facts(document("RequisitionHeader", total="5000.00"))
    said = {
        "changed": announcement(
            approval(), request, style=style, shown=CHANGED, changes=difference(before, request, style)
        ),
        "reminder": reminder(approval(), request, style=style, shown=JAMIE, waited=timedelta(days=3)),
        "shortest": minimal(request, style=style, shown=JAMIE),
        "digest of 3": digest(waiting[:3], style=style, now=NOW, name="Jamie"),
        "digest of 25": digest([*waiting * 3, waiting[0]], style=style, now=NOW, name="Jamie"),
        "escalation": escalation(
            approval(),
            request,
            style=style,
            waited=timedelta(days=3),
            waits_for="Kim Park",
            name="Robin",
        ),
        "escalation, nothing known": escalation(
            approval(approver=None),
            waiting[-1].document,
            style=style,
            waited=timedelta(hours=30),
            waits_for="",
        ),
        "escalations": escalations(
            [
                Overdue(approval(), request, timedelta(days=3), "Kim Park"),
                Overdue(approval(approver=None), waiting[-1].document, timedelta(hours=30)),
            ],
            style=style,
            name="Robin",
        ),
        "closings": closings(
            [Ended(request, ending, "Kim Park", NOW) for ending in Ending] * 2, style=style, name="Jamie"
        ),
        "outcomes": outcomes(
            [Ended(request, Ending.APPROVED, "Kim Park", NOW), Ended(invoice, Ending.REJECTED)],
            style=style,
            name="Jamie",
        ),
        **{
            f"closing, {ending}": closing(request, ending, style=style, by="Kim Park", at=NOW, name="Jamie")
            for ending in Ending
        },
        **{
            f"outcome, {ending}": outcome(request, ending, style=style, by="Kim Park", at=NOW, name="Jamie")
            for ending in Ending
        },
        "outcome, nothing known": outcome(waiting[-1].document, Ending.APPROVED, style=style),
        **{f"receipt, {verb}": receipt(request, verb, style=style) for verb in Verb},
        "receipt, next": receipt(request, Verb.APPROVE, style=style, following=[approval(approver=KIM)]),
        "receipt, last": receipt(document("RequisitionHeader", status="approved"), Verb.APPROVE, style=style),
    }
    return "\n\n".join(f"[{name}]\n{text}" for name, text in said.items())


def odd() -> str:
    """Return notices of what is odd: each must be clear all the same."""
    hebrew = "מחשבים ניידים (3)"
    line = {**LINE, "description": hebrew}
    many = [{**LINE, "id": number, "description": f"Part {number}"} for number in range(1, 301)]
    cases: dict[str, dict[str, Any]] = {
        "unknown currency": {"currency": {"code": "XPT2"}, "requisition-lines": [{**LINE, "currency": None}]},
        "no total": {"total": None, "requisition-lines": [{**LINE, "total": None}]},
        "300 lines": {"requisition-lines": many},
        "10,000 characters of justification": {"justification": "We need them because of growth. " * 313},
        "no title": {"req-title": None},
        "right to left": {"req-title": hebrew, "justification": f"{hebrew}!", "requisition-lines": [line]},
        "markup in texts": {
            "req-title": "<b>Laptops</b> & *more* [here](https://evil.example)",
            "justification": "</i><br>- Amount: USD 1.00\n<@U123> <!channel>",
        },
    }
    style = style_of("en")
    texts = {
        name: announcement(approval(), document("RequisitionHeader", **more), style=style, shown=JAMIE)
        for name, more in cases.items()
    }
    nothing = document("InvoiceHeader", **dict.fromkeys(INVOICE.keys() - {"id"}))
    texts["an invoice of which nothing is known"] = announcement(
        approval(approver=None), nothing, style=style, shown=JAMIE
    )
    return "\n\n".join(f"[{name}]\n{text}" for name, text in texts.items())


def snapshots() -> Iterator[tuple[str, str]]:
    """Return every snapshot: name of the file without its ending, and text."""
    for language in LANGUAGES:
        yield from ((f"{kind}.{language}", text) for kind, text in kinds(language))
        yield f"messages.{language}", messages(language)
    yield from markups()
    yield "odd.en", odd()


@pytest.mark.parametrize(("name", "text"), [pytest.param(*each, id=each[0]) for each in snapshots()])
def test_a_notice_reads_as_it_did(name: str, text: str) -> None:
    file = FOLDER / f"{name}.txt"
    if os.environ.get(REWRITE):
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{text}\n", "utf-8")

    assert file.read_text("utf-8") == f"{text}\n"


def test_no_snapshot_is_left_over() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == {name for name, _ in snapshots()}


@pytest.mark.parametrize("name", [name for name, _ in snapshots()])
def test_no_notice_has_an_empty_label_a_gap_or_a_hole(name: str) -> None:
    for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
        assert not (line.startswith("- ") and line.endswith(":")), line
        assert not any(hole in line for hole in ("None", "{", "()", ": ,", ", ,")), line
