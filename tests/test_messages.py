"""The messages beside the announcement: reminder, escalation, digest, follow-up, outcome and receipt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from goldens import approval, document, request

from coupa_core.model import Document, Verb
from coupa_core.notice import (
    HTML,
    MARKDOWN,
    MAX_ENTRIES,
    MAX_MESSAGE,
    PLAIN,
    Ended,
    Ending,
    Markup,
    Shown,
    Style,
    Waiting,
    closing,
    closings,
    digest,
    escalation,
    outcome,
    receipt,
    reminder,
)
from coupa_core.notice.catalogue import TEXTS

BASE = "https://acme.coupahost.com"
JAMIE = Shown(name="Jamie")
ENGLISH = Style(base_url=BASE, markup=PLAIN, zone="Europe/Berlin")
GERMAN = replace(ENGLISH, language="de")
NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
ASK = "To decide here, ask: “Do I have any approvals in Coupa?”"


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
To decide here, ask: “Do I have any approvals in Coupa?”
Open in Coupa (https://a.b)"""
    )


def test_a_digest_of_one_and_of_none_still_reads_well() -> None:
    one = digest([Waiting(request())], style=ENGLISH, now=NOW)
    none = digest([], style=ENGLISH, now=NOW, total=3)

    assert one.startswith("1 approval waits for you in Coupa:\n1. Purchase request 14170")
    assert none.split("\n") == ["3 approvals wait for you in Coupa", ASK, f"Open in Coupa ({BASE})"]


@pytest.mark.parametrize(
    ("given", "total", "more"), [(10, None, None), (11, None, 1), (5, 200, 195), (30, 2, 20)]
)
def test_a_digest_names_ten_and_counts_the_others(given: int, total: int | None, more: int | None) -> None:
    text = digest([Waiting(request())] * given, style=ENGLISH, now=NOW, total=total)

    rows = text.split("\n")
    assert sum(row[:1].isdigit() and ". " in row[:4] for row in rows) == min(given, MAX_ENTRIES)
    assert [row for row in rows if row.endswith(" more")] == ([f"+{more} more"] if more else [])


def test_a_digest_greets_whoever_has_a_name_and_nobody_else() -> None:
    items = [Waiting(request())]

    named = digest(items, style=ENGLISH, now=NOW, name="Jamie\n")

    assert named == f"Hi Jamie,\n\n{digest(items, style=ENGLISH, now=NOW)}"
    assert digest(items, style=ENGLISH, now=NOW, name="\u200b").startswith("1 approval")


def test_a_digest_says_how_to_decide_only_where_something_can_be_decided() -> None:
    assert ASK in digest([Waiting(request())], style=ENGLISH, now=NOW)
    assert "ask" not in digest([Waiting(request())], style=replace(ENGLISH, actions=()), now=NOW)


@pytest.mark.parametrize("language", TEXTS)
def test_whoever_builds_the_list_knows_what_digests_tell_people_to_ask(language: str) -> None:
    guide = Path(__file__).parents[1] / "docs" / "creator_studio" / "actions.md"

    assert TEXTS[language]["ask"] in guide.read_text("utf-8")


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
    assert text.count("<br>") == 3
    assert "&lt;/a&gt;&lt;b&gt;[x] (y)*&quot; 1. Approve" in text


def test_an_escalation_says_who_is_waited_for_how_long_and_that_it_stays_theirs() -> None:
    told: dict[str, Any] = {"waited": timedelta(days=3), "waits_for": "Jamie Doe", "name": "Robin"}

    english = escalation(approval(), request(), style=ENGLISH, **told)
    german = escalation(approval(), request(), style=GERMAN, **told)

    assert english.split("\n") == [
        "Hi Robin,",
        "",
        "💳 Purchase request 14170 (Laptops) has been waiting for Jamie Doe for 3 days:",
        "- Amount: USD 14,060.41",
        "- Requester: Jamie Lee",
        "For your information: it is still up to Jamie Doe to decide.",
        f"Open in Coupa ({BASE}/requisition_headers/14170)",
    ]
    assert german.split("\n")[2::3] == [
        "💳 Bestellanforderung 14170 (Laptops) wartet schon 3 Tage auf Jamie Doe:",
        "Zur Information: Die Entscheidung liegt weiterhin bei Jamie Doe.",
    ]


@pytest.mark.parametrize("verbs", [tuple(Verb), ()], ids=len)
def test_an_escalation_offers_nothing_to_decide(verbs: tuple[Verb, ...]) -> None:
    style = replace(ENGLISH, actions=verbs)
    text = escalation(approval(), request(), style=style, waited=timedelta(days=3), waits_for="Jamie Doe")

    assert "Possible here" not in text
    assert "ask" not in text


@pytest.mark.parametrize(
    ("approver", "waits", "decides"),
    [
        ({"fullname": "Kim Park"}, "has been waiting for Kim Park for 3 days", "still up to Kim Park"),
        ({"name": "Buyers"}, "has been waiting for Buyers for 3 days", "still up to Buyers"),
        (None, "has been waiting for approval for 3 days", "up to somebody else"),
    ],
)
def test_an_escalation_names_whom_coupa_asks_when_it_is_not_told_who(
    approver: dict[str, str] | None, waits: str, decides: str
) -> None:
    asked = approval(approver=approver)

    text = escalation(asked, request(), style=ENGLISH, waited=timedelta(days=3), waits_for="")

    assert f"(Laptops) {waits}:" in text
    assert f"For your information: it is {decides} to decide." in text


def test_several_cards_that_died_with_the_most_that_others_can_write_fit_into_a_message() -> None:
    worst = request(**{"req-title": "'" * 300})
    items = [Ended(worst, Ending.REASSIGNED, by="'" * 300, at=AT)] * 200

    text = closings(items, style=replace(GERMAN, markup=HTML), name="'" * 300)

    assert len(text) <= MAX_MESSAGE
    assert "+190 weitere" in text


AT = datetime(2026, 11, 25, 23, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ending", "english", "german"),
    [
        (
            Ending.APPROVED,
            "Purchase request 14170 (Laptops) was approved by Kim on Nov 26, 2026 at 12:05 AM.",
            "Bestellanforderung 14170 (Laptops) wurde am 26.11.2026 um 00:05 Uhr von Kim genehmigt.",
        ),
        (
            Ending.WITHDRAWN,
            "Purchase request 14170 (Laptops) was withdrawn by Kim on Nov 26, 2026 at 12:05 AM.",
            "Bestellanforderung 14170 (Laptops) wurde am 26.11.2026 um 00:05 Uhr von Kim zurückgezogen.",
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


def test_a_closing_follow_up_and_an_outcome_greet_whoever_has_a_name_and_nobody_else() -> None:
    for tell in (closing, outcome):
        plain = tell(request(), Ending.APPROVED, style=ENGLISH)
        assert tell(request(), Ending.APPROVED, style=ENGLISH, name="Jamie") == f"Hi Jamie,\n\n{plain}"


@pytest.mark.parametrize(
    ("ending", "english", "german"),
    [
        (
            Ending.APPROVED,
            "was approved by Ann Doe on Nov 26, 2026 at 12:05 AM.",
            "wurde am 26.11.2026 um 00:05 Uhr von Ann Doe genehmigt.",
        ),
        (
            Ending.REJECTED,
            "was rejected by Ann Doe on Nov 26, 2026 at 12:05 AM.",
            "wurde am 26.11.2026 um 00:05 Uhr von Ann Doe abgelehnt.",
        ),
        (
            Ending.ON_HOLD,
            "was put on hold by Ann Doe on Nov 26, 2026 at 12:05 AM.",
            "wurde am 26.11.2026 um 00:05 Uhr von Ann Doe zurückgestellt.",
        ),
        (
            Ending.WITHDRAWN,
            "was withdrawn by Ann Doe on Nov 26, 2026 at 12:05 AM.",
            "wurde am 26.11.2026 um 00:05 Uhr von Ann Doe zurückgezogen.",
        ),
        (
            Ending.REASSIGNED,
            "now waits for somebody else's approval.",
            "wartet jetzt auf die Genehmigung einer anderen Person.",
        ),
        (Ending.ENDED, "no longer waits for approval.", "wartet nicht mehr auf Genehmigung."),
    ],
)
def test_an_outcome_tells_the_requester_what_became_of_the_request(
    ending: Ending, english: str, german: str
) -> None:
    first = outcome(request(), ending, style=ENGLISH, by="Ann Doe", at=AT).split("\n")
    other = outcome(request(), ending, style=GERMAN, by="Ann Doe", at=AT).split("\n")

    assert first == [
        f"Your purchase request 14170 (Laptops) {english}",
        f"Open in Coupa ({BASE}/requisition_headers/14170)",
    ]
    assert other[0] == f"Ihre Bestellanforderung 14170 (Laptops) {german}"


@pytest.mark.parametrize(
    ("about", "english", "german"),
    [
        (document("RequisitionHeader"), "Your purchase request", "Ihre Bestellanforderung"),
        (document("ExpenseReport"), "Your expense report", "Ihre Spesenabrechnung"),
        (document("InvoiceHeader"), "Your invoice", "Ihre Rechnung"),
        (
            document("InvoiceHeader", **{"document-type": "Credit Note"}),
            "Your credit note",
            "Ihre Gutschrift",
        ),
        (document("OrderHeaderChange"), "Your purchase order change", "Ihre Bestelländerung"),
        (document("Contract"), "Your contract", "Ihr Vertrag"),
        (document("EasyFormResponse"), "Your form", "Ihr Formular"),
        (Document(type="ReceiptRequest", id=14170), "Your request", "Ihr Vorgang"),
    ],
    ids=lambda each: each if isinstance(each, str) else each.type,
)
def test_an_outcome_calls_each_kind_the_requesters(about: Document, english: str, german: str) -> None:
    assert outcome(about, Ending.ENDED, style=ENGLISH).startswith(f"{english} 14170 ")
    assert outcome(about, Ending.ENDED, style=GERMAN).startswith(f"{german} 14170 ")


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


NOTHING = Document(type="ReceiptRequest", id=77)
ROUGH: list[Any] = [
    pytest.param("</a><b>[x](https://evil.example)\n1. Approve <!channel> @here" * 2_000, id="markup"),
    pytest.param("מחשבים ניידים (3)", id="right to left"),
    pytest.param("\u202etxet\u2066", id="bidirectional"),
    pytest.param("{document} %s {0}", id="braces"),
]


def others(document: Document, style: Style, text: str) -> list[str]:
    """Return each message in which others' words stand, with theirs."""
    named: dict[str, Any] = {"style": style, "name": text}
    return [
        digest([Waiting(document)] * 12, now=NOW, **named),
        escalation(approval(approver=None), document, waited=timedelta(days=3), waits_for=text, **named),
        *(closing(document, ending, by=text, at=AT, **named) for ending in Ending),
        *(outcome(document, ending, by=text, at=AT, **named) for ending in Ending),
    ]


@pytest.mark.parametrize("text", ROUGH)
@pytest.mark.parametrize("markup", [HTML, MARKDOWN, PLAIN], ids=lambda each: str(each.name))
@pytest.mark.parametrize("style", [ENGLISH, GERMAN], ids=["en", "de"])
def test_texts_of_others_stay_short_on_their_line_and_without_marks(
    style: Style, markup: Markup, text: str
) -> None:
    about = request(**{"req-title": text, "requested-by": {"id": 1, "fullname": text}})
    tame = request(**{"req-title": "x", "requested-by": {"id": 1, "fullname": "x"}})
    marked = replace(style, markup=markup)

    for said, plain in zip(others(about, marked, text), others(tame, marked, "x"), strict=True):
        assert len(said) <= MAX_MESSAGE
        assert said.count("\n") == plain.count("\n")
        assert said.count("<br>") == plain.count("<br>")
        assert said.count("\u2068") == said.count("\u2069")
        assert not any(char in said for char in "\u202e\u2066")
        assert "https://evil" not in said
        if markup is HTML:
            assert said.count("<") == plain.count("<")


@pytest.mark.parametrize("style", [ENGLISH, GERMAN], ids=["en", "de"])
def test_a_document_of_which_nothing_is_known_is_told_by_its_number(style: Style) -> None:
    for said in others(NOTHING, style, ""):
        assert " 77" in said
        assert not any(hole in said for hole in ("None", "{", "()", "  ", " ,", " ."))
