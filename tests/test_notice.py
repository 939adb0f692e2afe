"""What an approver reads: complete, short, in Moveworks' markup, and safe whatever a requester writes."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from bridge import World
from goldens import PERSON, REQUEST, request
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coupa_core.model import Currency, Document
from coupa_core.notice import (
    LONG,
    MAX_LINES,
    MAX_MESSAGE,
    SHORT,
    Shown,
    amount,
    announcement,
    clean,
    link_to,
    minimal,
    slots,
)

LINK = "https://acme.coupahost.com/requisition_headers/14170"
JAMIE = Shown(name="Jamie")
LINE: dict[str, Any] = REQUEST["requisition-lines"][0]
ALLOWED = re.compile(r"</?b>|</?i>|<br>|<a href=\"[^\"<>]*\">|</a>")


def lines(text: str) -> list[str]:
    """Return a notice as a person reads it, line by line."""
    return [html.unescape(re.sub(r"<[^>]+>", "", line)) for line in text.split("<br>")]


def shown(**more: Any) -> list[str]:
    """Return the lines of the golden requisition's notice, with other values in some fields."""
    return lines(announcement(request(**more), link=LINK, shown=JAMIE))


def field(label: str, **more: Any) -> str | None:
    """Return the value of one field, or None when it is not shown."""
    found = [line.removeprefix(f"- {label}: ") for line in shown(**more) if line.startswith(f"- {label}: ")]
    assert len(found) <= 1
    return found[0] if found else None


def test_a_requisition_is_shown_with_what_is_needed_to_decide() -> None:
    creator = {**PERSON, "id": 43, "fullname": "Kim Park"}

    assert shown(**{"created-by": creator}) == [
        "Hi Jamie,",
        "",
        "💳 Purchase request pending your approval:",
        "- Requisition ID: 14170",
        "- Title: Laptops",
        "- Requester: Jamie Lee",
        "- Created by: Kim Park",
        "- Amount: USD 14,060.41",
        "- Item: MacBook Pro: 10 EA × USD 1,406.041 = USD 14,060.41",
        "- Vendor: Apple",
        "- Justification: New hires",
        "- Department: IT",
        "- Need by: 1 Dec 2026",
        "- Last comment: ok",
        "- Status: Pending approval",
        "Open in Coupa",
    ]


def test_the_markup_is_that_of_moveworks_samples() -> None:
    text = announcement(request(), link=LINK, shown=JAMIE)

    assert text.startswith("Hi Jamie,<br><br><b>💳 Purchase request pending your approval</b>:<br>- <i>")
    assert text.endswith(f'<br><a href="{LINK}">Open in Coupa</a>')
    assert "<" not in ALLOWED.sub("", text)


def test_changed_content_says_so() -> None:
    text = announcement(request(), link=LINK, shown=replace(JAMIE, is_changed=True))

    assert "Purchase request changed, still pending your approval" in text


def test_whoever_created_it_is_shown_only_when_it_is_somebody_else() -> None:
    assert field("Created by") is None
    assert field("Created by", **{"created-by": {**PERSON, "fullname": "Kim Park"}}) == "Kim Park"


def test_the_greeting_uses_the_name_there_is() -> None:
    assert lines(announcement(request(), link=LINK, shown=JAMIE))[0] == "Hi Jamie,"
    assert lines(announcement(request(), link=LINK, shown=Shown()))[0] == "Hi,"


def test_a_member_or_delegate_is_told_for_whom() -> None:
    text = announcement(request(), link=LINK, shown=replace(JAMIE, for_whom="Buyers & <Co>"))

    assert lines(text)[2] == "💳 Purchase request pending your approval (for Buyers & <Co>):"
    assert "Buyers &amp; &lt;Co&gt;" in text


def test_an_amount_that_is_too_great_for_chat_is_said_from_the_start() -> None:
    text = announcement(request(), link=LINK, shown=replace(JAMIE, in_coupa_only=True))

    assert lines(text)[-2:] == [
        "This amount is above what can be approved from chat; please decide in Coupa.",
        "Open in Coupa",
    ]


@pytest.mark.parametrize(
    ("number", "currency", "text"),
    [
        ("14060.41", Currency(code="USD"), "USD 14,060.41"),
        ("14060.4", Currency(code="USD"), "USD 14,060.40"),
        ("1406.041", Currency(code="USD"), "USD 1,406.041"),
        ("983", Currency(code="JPY"), "JPY 983"),
        ("1234567", Currency(code="JPY", decimals=0), "JPY 1,234,567"),
        ("1.5", Currency(code="KWD"), "KWD 1.500"),
        ("1000", Currency(code="CLP"), "CLP 1,000"),
        ("5", Currency(code="USD", decimals=4), "USD 5.0000"),
        ("5", Currency(code="USD", decimals=99), "USD 5.00"),
        ("-12.5", Currency(code="EUR"), "EUR -12.50"),
        ("0", Currency(code="EUR"), "EUR 0.00"),
        ("12.5", None, "12.50"),
        ("12.5", Currency(), "12.50"),
        ("12.5", Currency(code="Points"), "Points 12.50"),
        ("12.5", Currency(code="<b>"), "<b> 12.50"),
        ("0.0000001", Currency(code="EUR"), "EUR 0.00"),
    ],
)
def test_an_amount_is_grouped_and_has_its_currencys_decimals(
    number: str, currency: Currency | None, text: str
) -> None:
    assert amount(Decimal(number), currency) == text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "MacBook Pro: 10 EA × USD 1,406.041 = USD 14,060.41"),
        ({"uom": None}, "MacBook Pro: 10 × USD 1,406.041 = USD 14,060.41"),
        ({"quantity": "2.50"}, "MacBook Pro: 2.5 EA × USD 1,406.041 = USD 14,060.41"),
        ({"quantity": None, "unit-price": None}, "MacBook Pro: USD 14,060.41"),
        ({"quantity": None}, "MacBook Pro: USD 1,406.041"),
        ({"unit-price": None, "total": None}, "MacBook Pro: 10 EA"),
        ({"quantity": None, "unit-price": None, "total": None}, "MacBook Pro"),
        ({"total": None}, "MacBook Pro: 10 EA × USD 1,406.041"),
        ({"description": None}, "(no description): 10 EA × USD 1,406.041 = USD 14,060.41"),
        ({"currency": None}, "MacBook Pro: 10 EA × USD 1,406.041 = USD 14,060.41"),
    ],
)
def test_a_line_says_how_many_of_what_at_which_price(change: dict[str, Any], text: str) -> None:
    assert field("Item", **{"requisition-lines": [{**LINE, **change}]}) == text


def test_many_lines_and_vendors_are_counted() -> None:
    many = [
        {**LINE, "id": number, "description": f"Item {number}", "supplier": {"name": f"Vendor {number}"}}
        for number in range(300)
    ]

    text = shown(**{"requisition-lines": many})

    assert sum(line.startswith("- Item: ") for line in text) == MAX_LINES
    assert f"- Items: +{300 - MAX_LINES} more" in text
    assert "- Vendor: Vendor 0, Vendor 1, Vendor 2, Vendor 3, Vendor 4, +295 more" in text


def test_the_last_comment_is_the_newest_by_its_time() -> None:
    said = [
        {"id": 1, "comments": "first", "created-at": "2026-11-23T09:00:00+01:00"},
        {"id": 2, "comments": "last", "created-at": "2026-11-23T08:30:00+00:00"},
        {"id": 3, "comments": "of no time", "created-at": "soon"},
    ]

    assert field("Last comment", comments=said) == "last"
    assert field("Last comment", comments=said[2:]) == "of no time"
    assert field("Last comment", comments=[]) is None


@pytest.mark.parametrize(
    ("need_by", "day"),
    [
        ("2026-12-01T00:00:00-08:00", "1 Dec 2026"),
        ("2028-02-29", "29 Feb 2028"),
        ("soon", None),
        (None, None),
    ],
)
def test_the_need_by_day_is_the_one_that_was_entered(need_by: str | None, day: str | None) -> None:
    assert field("Need by", **{"need-by-date": need_by}) == day


def test_what_is_not_known_is_left_out() -> None:
    bare = Document(type="RequisitionHeader", id=7)

    assert lines(announcement(bare, link=LINK, shown=Shown())) == [
        "Hi,",
        "",
        "💳 Purchase request pending your approval:",
        "- Requisition ID: 7",
        "Open in Coupa",
    ]


def test_a_document_of_another_type_has_a_generic_notice_with_a_link() -> None:
    other = Document(type="InvoiceHeader", id=7)
    link = link_to(other, base_url="https://acme.coupahost.com")

    assert link == "https://acme.coupahost.com"
    assert lines(announcement(other, link=link, shown=JAMIE)) == [
        "Hi Jamie,",
        "",
        "💳 Request pending your approval:",
        "- Request ID: 7",
        "Open in Coupa",
    ]


def test_the_shortest_form_has_id_amount_and_link() -> None:
    assert lines(minimal(request(), link=LINK, shown=JAMIE))[2:] == [
        "💳 Purchase request pending your approval:",
        "- Purchase request ID: 14170",
        "- Amount: USD 14,060.41",
        "Open in Coupa",
    ]


def test_the_slots_are_texts_of_the_names_that_the_event_declares() -> None:
    assert slots(853, "v1.k.p.s") == {"approval_id": "853", "action_token": "v1.k.p.s"}
    assert slots(853, None) == {"approval_id": "853"}


# What others write.


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("\u202egnp.exe\u2066", "gnp[.]exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("http://evil.example HTTPS://evil.example", "hxxp://evil[.]example hxxpS://evil[.]example"),
        ("ftp://evil.example javascript://x", "ftp[:]//evil[.]example javascript[:]//x"),
        ("WWW.evil.example www.1.example", "www[.]evil[.]example www[.]1[.]example"),
        (
            "evil.example/login -evil.example +evil.example",
            "evil[.]example/login -evil[.]example +evil[.]example",
        ),
        (
            "evil\u3002example xn--e1awd7f.xn--p1ai \u0435.\u0440\u0443",
            "evil[.]example xn--e1awd7f[.]xn--p1ai \u0435[.]\u0440\u0443",
        ),
        (
            "Jamie <jamie.doe@mail.acme.test> evil.example@x",
            "Jamie <jamie.doe@mail.acme.test> evil[.]example@x",
        ),
        ("2.5 kg, v1.2.3, 10.4.2026, U.S., e.g. No.7", "2.5 kg, v1.2.3, 10.4.2026, U.S., e.g. No.7"),
        ("<!channel> <@U123> <#C1> <users/all> < 5", "< !channel> < @U123> < #C1> < users/all> < 5"),
        ("[click](x)", "[click] (x)"),
        ("  ", ""),
        (None, ""),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_a_text_of_others_is_one_harmless_line(written: str | None, kept: str) -> None:
    assert clean(written, SHORT) == kept


TEXTS = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</i><b>Status</b>: Approved<br>",
            '"><a href="https://evil.example">Approve</a>',
            "&lt;b&gt; &amp; &#60;br&#62;",
            "- <i>Amount</i>: USD 1.00",
            "x" * 10_000,
            "<" * 10_000,
            "\u202e" * 10_000,
            "\n- Amount: USD 1.00",
        ]
    ),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(TEXTS, TEXTS)
@example("<" * 10_000, "<" * 10_000)
def test_no_text_breaks_out_of_its_field(one: str, other: str) -> None:
    person = {**PERSON, "firstname": one, "fullname": other, "login": one}
    document = request(
        **{
            "req-title": one,
            "justification": other,
            "status": one,
            "currency": {"code": other},
            "requested-by": person,
            "created-by": {**person, "fullname": one},
            "department": {"name": other},
            "need-by-date": one,
            "requisition-lines": [
                {**LINE, "description": one, "supplier": {"name": other}, "uom": {"code": one}}
            ]
            * 9,
            "comments": [{"id": 1, "comments": other, "created-at": one}],
        }
    )

    text = announcement(document, link=LINK, shown=Shown(name=one, for_whom=other))

    assert 1 <= len(text) <= MAX_MESSAGE
    assert "<" not in ALLOWED.sub("", text)
    assert text.count("<a ") == 1
    rows = lines(text)
    assert sum(row.startswith("- Amount: ") for row in rows) == 1
    assert len(rows) <= 16 + MAX_LINES
    assert all(len(row) <= LONG + SHORT for row in rows)


def test_when_even_the_caps_are_not_enough_the_shortest_form_is_sent() -> None:
    """Every escaped character is five: the longest texts in every field still fit, a longer link does not."""
    long_link = f"https://acme.coupahost.com/{'x' * (MAX_MESSAGE - 300)}"

    text = announcement(request(), link=long_link, shown=JAMIE)

    assert len(text) <= MAX_MESSAGE
    assert "Justification" not in text


def test_moveworks_takes_the_worst_notice_and_finds_no_fault_in_it() -> None:
    world = World()
    worst = "<b>" + "&<>\"'\n\u202e http://evil.example" * 400
    world.requisition("jamie@example.com", title=worst, justification=worst, department=worst)

    [card] = world.announced()

    assert world.moveworks.markup_faults == []
    assert "evil.example" not in re.findall(r'href="([^"]*)"', card.message)[0]
