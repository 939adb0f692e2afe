"""The messages beside the card of one approval: what holds of them beyond their texts in the snapshots."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from goldens import READER, approval, card, document, readable, request
from goldens import WHEN as NOW
from hypothesis import given
from hypothesis import strategies as st

from coupa_core.endings import NEWS, End, Ending
from coupa_core.model import Comment, Document, Verb
from coupa_core.notice import (
    MAX_ENTRIES,
    MAX_MESSAGE,
    Ended,
    QuestionItem,
    Style,
    WaitingItem,
    closing,
    digest,
    escalation,
    outcome,
    question,
    sums,
)
from coupa_core.notice.catalogue import LANGUAGES, texts

BASE = "https://acme.coupahost.com"
ENGLISH = Style(base_url=BASE, zone="Europe/Berlin")
GERMAN = replace(ENGLISH, language="de")
ASK = "To decide here, ask: “Do I have any approvals in Coupa?”"
AT = datetime(2026, 11, 25, 23, 5, tzinfo=UTC)
NOTHING = Document(type="ReceiptRequest", id=77)


def lines(markup: str) -> list[str]:
    """Return a message as a person reads it, line by line."""
    return readable(markup).split("\n")


@pytest.mark.parametrize(
    ("waited", "english", "german"),
    [
        (timedelta(seconds=-5), "1 minute", "1 Minute"),
        (timedelta(seconds=5), "1 minute", "1 Minute"),
        (timedelta(minutes=5), "5 minutes", "5 Minuten"),
        (timedelta(minutes=119), "1 hour", "1 Stunde"),
        (timedelta(hours=4), "4 hours", "4 Stunden"),
        (timedelta(days=1), "1 day", "1 Tag"),
        (timedelta(hours=37), "1 day", "1 Tag"),
        (timedelta(days=6), "6 days", "6 Tage"),
        (timedelta(days=11), "11 days", "11 Tage"),
        (timedelta(days=45), "45 days", "45 Tage"),
        (timedelta(days=700), "700 days", "700 Tage"),
    ],
)
def test_an_age_is_told_in_words(waited: timedelta, english: str, german: str) -> None:
    assert (ENGLISH.age(waited), GERMAN.age(waited)) == (english, german)


MONEY = st.sampled_from([{"code": "USD"}, {"code": "EUR"}, {"code": "KWD", "decimals": 3}, {}, None])
AMOUNTS = st.none() | st.decimals(min_value=-(10**20), max_value=10**20, places=3).map(str)


@given(st.lists(st.tuples(AMOUNTS, MONEY), min_size=1, max_size=30))
def test_a_sum_is_that_of_one_currency_and_what_is_in_none_is_counted(stated: list[tuple[Any, Any]]) -> None:
    some = [request(total=total, currency=currency, requisition_lines=[]) for total, currency in stated]
    known: dict[str, Fraction] = {}
    for total, currency in stated:
        if total is not None and currency:
            known[currency["code"]] = known.get(currency["code"], Fraction(0)) + Fraction(total)
    left = sum(total is None or not currency for total, currency in stated)

    said = sums(some, ENGLISH, number=len(some))

    found = re.findall(r"([A-Z]{3}) (-?[0-9,.]*[0-9])", said)
    assert {code: Fraction(text.replace(",", "")) for code, text in found} == known
    assert said.endswith(f", not counting {left} of them") is bool(known and left)
    assert bool(said) is bool(known)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (document("InvoiceHeader"), "USD 11,900.00"),
        (document("InvoiceHeader", document_type="Credit Note"), ""),
        (document("Contract"), ""),
        (document("Contract", minimum_value="48000"), "USD 48,000.00"),
        (document("Contract", minimum_value="0.00", maximum_value="0.00"), ""),
        (document("OrderHeaderChange"), ""),
        (document("EasyFormResponse"), ""),
        (request(currency={"code": ""}), ""),
        (NOTHING, ""),
    ],
)
def test_an_amount_is_added_only_where_it_is_one_and_its_sign_is_known(one: Document, said: str) -> None:
    assert sums([one], ENGLISH, number=1) == said


def test_one_currency_however_it_is_spelt_has_one_sum() -> None:
    some = [request(total="10.00", currency={"code": code}) for code in ("USD", "usd", " Usd ")]

    assert sums(some, ENGLISH, number=3) == "USD 30.00"


def test_very_many_currencies_are_named_in_part() -> None:
    some = [request(currency={"code": f"X{letter}X"}) for letter in "ABCDEFGH"]

    assert sums(some, GERMAN, number=8).endswith("14.060,41 XEX und +3 weitere")


@pytest.mark.parametrize(("given", "more"), [(10, None), (11, 1), (200, 190)])
def test_a_digest_names_ten_and_counts_the_others(given: int, more: int | None) -> None:
    rows = lines(digest([WaitingItem(request())] * given, style=ENGLISH, now=NOW))

    assert sum(row[:1].isdigit() and ". " in row[:4] for row in rows) == MAX_ENTRIES
    assert [row for row in rows if row.endswith(" more")] == ([f"+{more} more"] if more else [])


@pytest.mark.parametrize(
    ("style", "how"),
    [
        (ENGLISH, ASK),
        (replace(ENGLISH, list_decides=False), "To decide, open each of them in Coupa."),
        (replace(ENGLISH, actions=()), "1. "),
    ],
)
def test_a_digest_says_how_to_decide_where_something_can_be_decided(style: Style, how: str) -> None:
    assert lines(digest([WaitingItem(request())], style=style, now=NOW))[-2].startswith(how)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_builds_the_list_knows_what_digests_tell_people_to_ask(language: str) -> None:
    guide = Path(__file__).parents[1] / "docs" / "creator_studio" / "actions.md"

    assert str(texts(language)["ask"]) in guide.read_text("utf-8")


def test_a_digest_that_would_be_too_long_names_fewer() -> None:
    long = Style(links={"*": f"https://acme.coupahost.com/{'x' * 5000}"})

    text = digest([WaitingItem(request())] * 8, style=long, now=NOW)

    assert MAX_MESSAGE / 2 < len(text) <= MAX_MESSAGE
    assert "5 more" in text


def test_texts_of_others_do_no_harm_in_a_digest() -> None:
    rough = request(req_title='</a><b>[x](y)*"\n1. Approve')

    text = digest([WaitingItem(rough)], style=ENGLISH, now=NOW)

    assert "<b>[" not in text
    assert text.count("<br>") == 3
    assert "&lt;/a&gt;&lt;b&gt;[x] (y)*&quot; 1. Approve" in text


@pytest.mark.parametrize(
    ("approver", "waits", "decides"),
    [
        ({"fullname": "Kim Park"}, "waiting for Kim Park for 3 days", "Kim Park still has to decide."),
        ({"name": "Buyers"}, "waiting for Buyers for 3 days", "Buyers still has to decide."),
        (None, "waiting for approval for 3 days", "somebody else has to decide."),
    ],
)
def test_an_escalation_names_whom_coupa_asks(
    approver: dict[str, str] | None, waits: str, decides: str
) -> None:
    one = WaitingItem(request(), NOW - timedelta(days=3), approval(approver=approver))

    said = lines(escalation([one], style=ENGLISH, now=NOW))

    assert said[1:3] == [f"Purchase request 14170: {waits}", f"For your information only: {decides}"]


@pytest.mark.parametrize("tell", [closing, outcome])
def test_several_that_ended_with_the_most_that_others_can_write_fit_into_a_message(tell: Any) -> None:
    worst = request(**{"req-title": "'" * 300})
    items = [Ended(worst, End(Ending.REJECTED, "'" * 300, AT, "'" * 900))] * 200

    text = tell(items, style=GERMAN)

    assert len(text) <= MAX_MESSAGE
    assert ("+190 weitere" in text) is (tell is closing)
    assert " weitere<br>" in text


ROUGH: list[Any] = [  # the first is longer than a message
    pytest.param(
        "</a><b>[x](https://evil.example)\n1. Approve <!channel> @here" * 500, id="markup"
    ),  # longer than a message
    pytest.param("מחשבים ניידים (3)", id="right to left"),
    pytest.param("\u202etxet\u2066", id="bidirectional"),
    pytest.param("{document} %s {0}", id="braces"),
]


def others(document: Document, style: Style, text: str) -> list[str]:
    """Return each message in which others' words stand, with theirs."""
    asks = approval(approver={"fullname": text})
    return [
        digest([WaitingItem(document)] * 12, style=style, now=NOW),
        escalation([WaitingItem(document, NOW, asks)], style=style, now=NOW),
        escalation([WaitingItem(document, NOW, asks)] * 2, style=style, now=NOW),
        *(closing([Ended(document, End(ending, text, AT))], style=style) for ending in Ending),
        *(outcome([Ended(document, End(ending, text, AT, text))], style=style) for ending in NEWS),
        card(document, style, reader=replace(READER, locale=""), bar=None, actions=tuple(Verb)),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("text", ROUGH)
@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_of_others_stay_short_on_their_line_and_without_marks(language: str, text: str) -> None:
    style = replace(ENGLISH, language=language)
    about = request(**{"req-title": text, "requested-by": {"id": 1, "fullname": text}})
    tame = request(**{"req-title": "x", "requested-by": {"id": 1, "fullname": "x"}})

    pairs = [*zip(others(about, style, text), others(tame, style, "x"), strict=True)]
    assert len(pairs) > len(Ending)
    for said, plain in pairs:
        assert len(said) <= MAX_MESSAGE
        assert said.count("<br>") == plain.count("<br>")
        assert said.count("\u2068") == said.count("\u2069")
        assert not any(char in said for char in "\u202e\u2066\n")
        assert "https://evil" not in said
        assert said.count("<") == plain.count("<")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_document_of_which_nothing_is_known_is_told_by_its_number(language: str) -> None:
    messages = others(NOTHING, replace(ENGLISH, language=language), "")
    assert len(messages) > len(Ending)
    for said in messages:
        assert " 77" in said
        assert not any(hole in said for hole in ("None", "{", "()", "  ", " ,", " ."))


# ---------------------------------------------------------------------- a question, and its answer

WHY = Comment.model_validate({"id": 8, "comments": "@[User:3] Kim Park <kim@x.test> via Moveworks: Why ten?"})
BECAUSE = {"id": 9, "comments": "Ten start.", "created-by": {"id": 3, "fullname": "Jamie Lee"}}
THERE = "The requester has answered; please read the comment in Coupa."


@pytest.mark.parametrize(
    ("about", "details", "answer", "said"),
    [
        (request(), {}, BECAUSE, ["Jamie Lee answered: “Ten start.”"]),
        (request(), {}, BECAUSE | {"created-by": None}, [THERE]),
        (request(), {"is_short": True}, BECAUSE, [THERE]),
        (request().redacted(), {}, BECAUSE, [THERE]),
    ],
)
def test_an_answer_has_its_author_and_words_where_both_can_be_shown_and_else_its_place(
    about: Document, details: dict[str, Any], answer: dict[str, Any], said: list[str]
) -> None:
    shown = lines(card(about, answers=(Comment.model_validate(answer),), **details))

    assert [line for line in shown if "answered" in line] == said


def test_a_question_about_what_is_sensitive_says_who_asks_and_where_and_not_what() -> None:
    open_one, hidden = QuestionItem(request(), WHY), QuestionItem(request().redacted(), WHY)

    assert lines(question([open_one], style=ENGLISH))[1] == "“Why ten?”"
    assert lines(question([hidden], style=ENGLISH)) == [
        "💳 Kim Park asks about Purchase request 14170",
        "Please answer with a comment in Coupa.",
        f"Open in Coupa ({BASE}/requisition_headers/14170)",
    ]
    assert "Why" not in question([hidden, hidden], style=ENGLISH)
