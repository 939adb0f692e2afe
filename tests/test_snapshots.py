"""Messages as people read them, kept as text: each kind in every language, in three currencies, and odd ones.

`REWRITE_SNAPSHOTS=1 pytest tests/test_snapshots.py` writes them anew; then read them, as an approver would.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
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
    READER,
    RECORDS,
    REQUEST,
    WHEN,
    approval,
    card,
    document,
    readable,
)

from coupa_core.authority import Capacity
from coupa_core.decide.answers import BARRED
from coupa_core.documents import OrderChange
from coupa_core.endings import NEWS, End, Ending
from coupa_core.model import Bar, Document
from coupa_core.notice import (
    Ended,
    Style,
    WaitingItem,
    closing,
    digest,
    escalation,
    outcome,
    shown_figures,
)
from coupa_core.notice.catalogue import LANGUAGES

FOLDER = Path(__file__).parent / "snapshots"
REWRITE = "REWRITE_SNAPSHOTS"
DECIMALS = {"JPY": 0, "USD": 2, "KWD": 3}
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
            {**LINE, "quantity": "3", "unit-price": "1899.00", "total": "5697.00", "source-type": None},
            {
                **LINE,
                "id": 8,
                "description": "Docking station",
                "quantity": "3",
                "unit-price": "210.50",
                "total": "631.50",
                "supplier": {"id": 4, "name": "Hale & Sons"},
                "contract": None,
                "account": None,
                "account-allocations": [{"account": {"id": 32}}, {"account": {"id": 33}}],
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
    base = Style(base_url="https://acme.coupahost.com", language=language, zone="Europe/Berlin")
    return replace(base, **more)


def told(what: Document, style: Style, **more: Any) -> str:
    """Return a card as its reader sees it; the language is the style's."""
    return readable(card(what, style, reader=replace(READER, locale=""), **more))


def kinds(language: str) -> str:
    """Return the card of each kind."""
    style = style_of(language)
    said = {kind: told(rich(kind, "USD"), style, about=approval(holdable=True)) for kind in RECORDS}
    said["Other"] = told(Document(type="ReceiptRequest", id=77), style)
    return "\n\n".join(f"[{name}]\n{text}" for name, text in said.items())


def currencies() -> str:
    """Return one card in each currency, for a reader in two places."""
    styles = {"en_US": style_of("en_US"), "de_CH": style_of("de_CH")}
    return "\n\n".join(
        f"[{code}, {locale}]\n{told(rich('RequisitionHeader', code), style)}"
        for code in DECIMALS
        for locale, style in styles.items()
    )


def messages(language: str) -> str:
    """Return the other messages, one after the other."""
    style = style_of(language)
    request, invoice = rich("RequisitionHeader", "USD"), rich("InvoiceHeader", "KWD")
    asks = approval(approver=KIM)
    nothing = Document(type="ReceiptRequest", id=77)
    waiting = [
        WaitingItem(request, WHEN - timedelta(days=3), asks),
        WaitingItem(invoice, WHEN - timedelta(hours=5), asks),
        *(WaitingItem(rich(kind, "JPY"), WHEN - timedelta(minutes=90)) for kind in list(RECORDS)[1:]),
        WaitingItem(nothing, WHEN - timedelta(hours=30), approval(approver=None)),
    ]
    before = shown_figures(document("RequisitionHeader", total="5000.00"))
    member = replace(READER, locale="", capacity=Capacity.MEMBER)
    group = approval(approver_type="Group", approver={"name": "Buyers"})
    why = {Ending.REJECTED: "Too dear"}
    said = {
        "changed": told(request, style, is_changed=True, shown=before),
        "reminder": told(request, style, waited=timedelta(days=3)),
        "for a group": readable(card(request, style, about=group, reader=member)).partition("\n- ")[0],
        "shortest": told(request, style, is_short=True),
        "unread": told(Document(type="ReceiptRequest", id=77), style, is_unread=True),
        **{f"not in chat, {bar}": told(request, style, bar=bar, is_short=True) for bar in BARRED},
        "not in chat, sensitive": told(request.redacted(), style, bar=Bar.SENSITIVE),
        "listed, decided elsewhere": told(
            request, replace(style, list_decides=False), is_short=True, is_listed=True
        ),
        "digest of 3": readable(digest(waiting[:3], style=style, now=WHEN)),
        "reminders, 2": readable(digest(waiting[:2], style=style, now=WHEN, is_again=True)),
        "digest of 25": readable(digest([*waiting * 3, waiting[0]], style=style, now=WHEN)),
        "escalation": readable(escalation(waiting[:1], style=style, now=WHEN)),
        "escalation, nothing known": readable(escalation(waiting[-1:], style=style, now=WHEN)),
        "escalations": readable(escalation([waiting[0], waiting[-1]], style=style, now=WHEN)),
        "closings": readable(
            closing([Ended(request, End(ending, "Kim Park", WHEN)) for ending in Ending] * 2, style=style)
        ),
        "outcomes": readable(
            outcome(
                [
                    Ended(request, End(Ending.APPROVED, "Kim Park", WHEN)),
                    Ended(invoice, End(Ending.REJECTED, words="Too dear")),
                ],
                style=style,
            )
        ),
        **{
            f"closing, {ending}": readable(
                closing([Ended(request, End(ending, "Kim Park", WHEN))], style=style)
            )
            for ending in Ending
        },
        **{
            f"outcome, {ending}": readable(
                outcome(
                    [Ended(request, End(ending, "Kim Park", WHEN, why.get(ending, "")))],
                    style=style,
                )
            )
            for ending in NEWS
        },
        "outcome, nothing known": readable(outcome([Ended(nothing, End(Ending.APPROVED))], style=style)),
    }
    return "\n\n".join(f"[{name}]\n{text}" for name, text in said.items())


def odd() -> str:
    """Return cards of what is odd: each must be clear all the same."""
    hebrew = "מחשבים ניידים (3)"
    line = {**LINE, "description": hebrew}
    many = [{**LINE, "id": number, "description": f"Part {number}"} for number in range(1, 301)]
    cases: dict[str, dict[str, Any]] = {
        "unknown currency": {"currency": {"code": "XPT2"}, "requisition-lines": [{**LINE, "currency": None}]},
        "no total": {"total": None, "requisition-lines": [{**LINE, "total": None}]},
        "300 lines": {"requisition-lines": many},
        "10,000 characters of justification": {"justification": "We need them because of growth. " * 313},
        "no title": {"req-title": None},
        "no title and nobody": {"req-title": None, "requested-by": None},
        "nobody": {"requested-by": None},
        "right to left": {"req-title": hebrew, "justification": f"{hebrew}!", "requisition-lines": [line]},
        "markup in texts": {
            "req-title": "<b>Laptops</b> & *more* [here](https://evil.example)",
            "justification": "</i><br>- Amount: USD 1.00\n<@U123> <!channel>",
        },
    }
    style = style_of("en")
    texts = {name: told(document("RequisitionHeader", **more), style) for name, more in cases.items()}
    nothing = document("InvoiceHeader", **dict.fromkeys(INVOICE.keys() - {"id"}))
    texts["an invoice of which nothing is known"] = told(nothing, style, about=approval(approver=None))
    return "\n\n".join(f"[{name}]\n{text}" for name, text in texts.items())


SNAPSHOTS: dict[str, Callable[[], str]] = {
    **{f"cards.{language}": partial(kinds, language) for language in LANGUAGES},
    **{f"messages.{language}": partial(messages, language) for language in LANGUAGES},
    "cards.html": lambda: card(rich("RequisitionHeader", "USD"), style_of("en"), reader=READER),
    "currencies": currencies,
    "odd.en": odd,
}
"""The text of each snapshot, by the name of its file without the ending."""


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_notice_reads_as_it_did(name: str) -> None:
    file, text = FOLDER / f"{name}.txt", SNAPSHOTS[name]()
    if os.environ.get(REWRITE):
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"{text}\n", "utf-8")

    assert file.read_text("utf-8") == f"{text}\n"


def test_no_snapshot_is_left_over() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == SNAPSHOTS.keys()


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_no_notice_has_an_empty_label_a_gap_or_a_hole(name: str) -> None:
    for line in (FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
        assert not (line.startswith("- ") and line.endswith(":")), line
        assert not any(hole in line for hole in ("None", "{", "()", ": ,", ", ,")), line
