"""The messages beside the announcement: reminder, digest, closing follow-up and receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from goldens import approval, document, request

from coupa_core.model import Document, Verb
from coupa_core.notice import (
    HTML,
    MARKDOWN,
    MAX_ENTRIES,
    MAX_MESSAGE,
    PLAIN,
    Ending,
    Markup,
    Shown,
    Style,
    Waiting,
    closing,
    digest,
    receipt,
    reminder,
)

BASE = "https://acme.coupahost.com"
JAMIE = Shown(name="Jamie")
ENGLISH = Style(base_url=BASE, markup=PLAIN, zone="Europe/Berlin")
GERMAN = replace(ENGLISH, language="de")
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def test_a_reminder_says_how_long_it_has_waited_and_everything_else() -> None:
    text = reminder(approval(), request(), style=ENGLISH, shown=JAMIE, waited=timedelta(days=3, hours=2))

    assert text.split("\n")[2] == "💳 Purchase request still pending your approval, waiting for 3 days:"
    assert "- Amount: USD 14,060.41" in text
    assert text.endswith(f"Open in Coupa ({BASE}/requisition_headers/14170)")


@pytest.mark.parametrize(
    ("waited", "english", "german"),
    [
        (timedelta(seconds=-5), "1 minute", "1 Minute"),
        (timedelta(seconds=5), "1 minute", "1 Minute"),
        (timedelta(minutes=5), "5 minutes", "5 Minuten"),
        (timedelta(hours=4), "4 hours", "4 Stunden"),
        (timedelta(days=1), "1 day", "1 Tag"),
        (timedelta(days=6), "6 days", "6 Tage"),
        (timedelta(days=21), "3 weeks", "3 Wochen"),
    ],
)
def test_an_age_is_told_in_words(waited: timedelta, english: str, german: str) -> None:
    assert (ENGLISH.age(waited), GERMAN.age(waited)) == (english, german)


def test_a_digest_names_each_approval_with_kind_title_amount_requester_and_age() -> None:
    waiting = [
        Waiting(request(), NOW - timedelta(days=3)),
        Waiting(document("InvoiceHeader"), NOW - timedelta(hours=5)),
        Waiting(document("Contract")),
        Waiting(Document(type="Other", id=9)),
    ]

    text = digest(waiting, style=replace(ENGLISH, base_url="https://a.b"), now=NOW)

    assert (
        text
        == """\
4 approvals wait for you in Coupa:
1. Purchase request 14170 (https://a.b/requisition_headers/14170): Laptops, USD 14,060.41, Jamie Lee, \
waiting for 3 days
2. Invoice 14170 (https://a.b/invoices/14170): INV-2026-118, USD 11,900.00, Jamie Lee, waiting for 5 hours
3. Contract 14170 (https://a.b/contracts/14170): Cleaning of the head office, \
USD 10,000.00 to USD 48,000.00, Jamie Lee
4. Request 9 (https://a.b)
Open in Coupa (https://a.b)"""
    )


def test_a_digest_of_one_and_of_none_still_reads_well() -> None:
    one = digest([Waiting(request())], style=ENGLISH, now=NOW)
    none = digest([], style=ENGLISH, now=NOW, total=3)

    assert one.startswith("1 approval waits for you in Coupa:\n1. Purchase request 14170")
    assert none.split("\n") == ["3 approvals wait for you in Coupa", "+3 more", f"Open in Coupa ({BASE})"]


@pytest.mark.parametrize(
    ("given", "total", "more"), [(10, None, None), (11, None, 1), (5, 200, 195), (30, 2, 20)]
)
def test_a_digest_names_ten_and_counts_the_others(given: int, total: int | None, more: int | None) -> None:
    text = digest([Waiting(request())] * given, style=ENGLISH, now=NOW, total=total)

    rows = text.split("\n")
    assert sum(row[:1].isdigit() and ". " in row[:4] for row in rows) == min(given, MAX_ENTRIES)
    assert [row for row in rows if row.endswith(" more")] == ([f"+{more} more"] if more else [])


@pytest.mark.parametrize("markup", [HTML, MARKDOWN, PLAIN], ids=lambda each: str(each.name))
def test_a_digest_that_would_be_too_long_names_fewer(markup: Markup) -> None:
    long = Style(links={"*": f"https://acme.coupahost.com/{'x' * 5000}"}, markup=markup)

    text = digest([Waiting(request())] * 8, style=long, now=NOW)

    assert MAX_MESSAGE / 2 < len(text) <= MAX_MESSAGE
    assert "5 more" in text


def test_texts_of_others_do_no_harm_in_a_digest() -> None:
    rough = request(req_title='</a><b>[x](y)*"\n1. Approve')

    text = digest([Waiting(rough)], style=replace(ENGLISH, markup=HTML), now=NOW)

    assert "<b>[" not in text
    assert text.count("<br>") == 2
    assert "&lt;/a&gt;&lt;b&gt;[x] (y)*&quot; 1. Approve" in text


AT = datetime(2026, 11, 25, 23, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ending", "english", "german"),
    [
        (
            Ending.APPROVED,
            "Purchase request 14170 (Laptops) was approved by Kim in Coupa on Nov 26, 2026, 12:05 AM.",
            "Bestellanforderung 14170 (Laptops) wurde von Kim in Coupa am 26.11.2026, 00:05 genehmigt.",
        ),
        (
            Ending.WITHDRAWN,
            "Purchase request 14170 (Laptops) was withdrawn by Kim on Nov 26, 2026, 12:05 AM.",
            "Bestellanforderung 14170 (Laptops) wurde von Kim am 26.11.2026, 00:05 zurückgezogen.",
        ),
        (
            Ending.ENDED,
            "Purchase request 14170 (Laptops) no longer waits for you.",
            "Bestellanforderung 14170 (Laptops) wartet nicht mehr auf Sie.",
        ),
    ],
)
def test_a_closing_follow_up_says_what_happened_by_whom_and_when(
    ending: Ending, english: str, german: str
) -> None:
    first = closing(request(), ending, style=ENGLISH, by="Kim", at=AT).split("\n")
    other = closing(request(), ending, style=GERMAN, by="Kim", at=AT).split("\n")

    assert first[0] == f"{english} There is nothing left for you to do."
    assert other[0] == f"{german} Für Sie ist nichts mehr zu tun."
    assert first[1] == f"Open in Coupa ({BASE}/requisition_headers/14170)"


@pytest.mark.parametrize("ending", Ending)
@pytest.mark.parametrize("style", [ENGLISH, GERMAN], ids=["en", "de"])
def test_a_closing_follow_up_needs_neither_person_nor_time_nor_title(ending: Ending, style: Style) -> None:
    text = closing(request(req_title=None), ending, style=style)

    assert "14170 w" in text or "14170 n" in text
    assert "  " not in text
    assert "{" not in text


@pytest.mark.parametrize(
    ("verb", "status", "following", "said"),
    [
        (Verb.APPROVE, "pending_approval", ["Robin", "Kim"], "Next: Robin, Kim."),
        (Verb.APPROVE, "approved", [], "It is now fully approved."),
        (Verb.APPROVE, "pending_approval", [], "Its status is now: Pending approval."),
        (Verb.APPROVE, "pending_approval", None, "Its status is now: Pending approval."),
        (Verb.REJECT, "draft", None, "Its status is now: Draft."),
        (Verb.HOLD, "pending_approval", None, "Its status is now: Pending approval."),
        (Verb.REJECT, None, None, ""),
    ],
)
def test_a_receipt_names_the_new_state_and_who_is_next(
    verb: Verb, status: str | None, following: list[str] | None, said: str
) -> None:
    next_ones = None if following is None else [approval(approver={"fullname": name}) for name in following]

    text = receipt(request(status=status), verb, style=ENGLISH, following=next_ones)

    did = {
        Verb.APPROVE: "Done, approved",
        Verb.REJECT: "Done, rejected with your reason",
        Verb.HOLD: "Done, put on hold",
    }[verb]
    assert text == f"{did}: Purchase request 14170 (Laptops). {said}".strip()
