"""The text for an approver: complete, short, in the channel's markup, safe whatever a requester writes."""

from __future__ import annotations

import doctest
import html
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from bridge import World
from goldens import (
    ASKER,
    CHAIN,
    CLIENT,
    PERSON,
    READER,
    RECORDS,
    REQUEST,
    WHEN,
    approval,
    card,
    document,
    request,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coupa_core.authority import Capacity, Right, TokenKeys
from coupa_core.documents import DOCUMENT_MODELS, OrderChange, parse_document
from coupa_core.model import Bar, Currency, Document, Verb
from coupa_core.notice import (
    LONG,
    MAX_LINES,
    MAX_MESSAGE,
    SHORT,
    ApprovalRequest,
    Style,
    choices,
    clean,
    compose,
    link_to,
)
from coupa_core.notice.catalogue import LANGUAGES
from coupa_core.notice.fields import HEAD, NAMES
from sandbox.coupa.world import Line

BASE = "https://acme.coupahost.com"
STYLE = Style(base_url=BASE)
LINK = f"{BASE}/requisition_headers/14170"
DEPLOYED = replace(READER, locale="")
HEADLINE = "💳 Jamie Lee asks for “Laptops”, USD 14,060.41, by Dec 1, 2026"
LINE: dict[str, Any] = REQUEST["requisition-lines"][0]
ALLOWED = re.compile(r"</?b>|</?i>|<br>|<a href=\"[^\"<>]*\">|</a>")


def lines(text: str) -> list[str]:
    """Return a notice in HTML as a person reads it, line by line."""
    return [html.unescape(re.sub(r"<[^>]+>", "", line)) for line in text.split("<br>")]


def told(what: Document, style: Style = STYLE, **more: Any) -> list[str]:
    """Return the lines of a document's notice."""
    return lines(card(what, style, about=approval(**more)))


def shown(**more: Any) -> list[str]:
    """Return the lines of the golden requisition's notice, with other values in some fields."""
    return told(request(**more))


def values(label: str, what: Document, style: Style = STYLE, **more: Any) -> list[str]:
    """Return the values that are shown under a label."""
    start = f"- {label}: "
    return [line.removeprefix(start) for line in told(what, style, **more) if line.startswith(start)]


def field(label: str, **more: Any) -> str | None:
    """Return the value of one field of the golden requisition, or None when it is not shown."""
    found = values(label, request(**more))
    assert len(found) <= 1
    return found[0] if found else None


def test_a_requisition_is_shown_with_what_is_needed_to_decide() -> None:
    creator = {**PERSON, "id": 43, "fullname": "Kim Park"}

    assert shown(**{"created-by": creator}) == [
        HEADLINE,
        "Purchase request 14170 needs your approval",
        "- Entered by: Kim Park",
        "- “MacBook Pro”: 10 EA × USD 1,406.041 = USD 14,060.41",
        "- Supplier: Apple",
        "- Account: 6400-IT (IT hardware)",
        "- Not from a catalogue: 1 item",
        "- Reason: New hires",
        "- Department: IT",
        "- Why this step: approval chain",
        "- Approved by: Robin Hale (Nov 22, 2026): Within the plan.",
        "- Next: nobody, yours is the last approval",
        "- Attachments: 2 (offer.pdf, specs.docx)",
        "- Last comment: ok (Jamie Lee)",
        "Open in Coupa",
    ]


def test_the_markup_is_that_of_moveworks_samples() -> None:
    text = card(request())

    assert text.startswith(f"<b>{HEADLINE}</b><br>Purchase request 14170 needs your approval<br>- “Mac")
    assert text.endswith(f'<br><a href="{LINK}">Open in Coupa</a>')
    assert "<" not in ALLOWED.sub("", text)


def test_changed_content_says_so_and_what_changed() -> None:
    before = '{"currency":"USD","lines":[[7,"3","1406.041","14060.41"]],"number":1,"total":"14060.41"}'

    assert lines(card(request(), is_changed=True, shown=before))[:3] == [
        HEADLINE,
        "Purchase request 14170 has changed and still needs your approval",
        "Item 1: 3 → 10",
    ]


@pytest.mark.parametrize(
    "creator",
    [
        {**PERSON, "id": 43},
        {**PERSON, "fullname": "Jamie Lee-Park"},
        None,
    ],
    ids=["of the same name", "the same by another name", "nobody"],
)
def test_whoever_entered_it_is_shown_only_when_it_is_somebody_else(creator: dict[str, Any] | None) -> None:
    assert field("Entered by", **{"created-by": creator}) is None
    assert field("Entered by", **{"created-by": {**PERSON, "id": 43, "fullname": "Kim Park"}}) == "Kim Park"


@pytest.mark.parametrize("capacity", [Capacity.MEMBER, Capacity.DELEGATE])
def test_a_member_or_delegate_is_told_for_whom(capacity: Capacity) -> None:
    asked = approval(approver_type="Group", approver={"name": "Buyers & <Co>"})

    text = card(request(), about=asked, reader=replace(READER, capacity=capacity))

    assert lines(text)[1] == "Purchase request 14170 needs your approval (for Buyers & <Co>)"
    assert "Buyers &amp; &lt;Co&gt;" in text


@pytest.mark.parametrize("is_short", [True, False])
def test_an_amount_that_is_too_great_for_chat_is_said_from_the_start(is_short: bool) -> None:  # noqa: FBT001
    assert lines(card(request(), bar=Bar.TOO_GREAT, is_short=is_short))[-2:] == [
        "This amount is too high to decide in chat; please decide in Coupa.",
        "Open in Coupa",
    ]


def test_whoever_asked_for_it_is_not_told_that_it_needs_their_approval() -> None:
    said = lines(card(request(), bar=Bar.OWN))

    assert said[1] == "Purchase request 14170 is waiting for approval"
    assert said[-2] == "You asked for this yourself, so please decide in Coupa."


@pytest.mark.parametrize(
    ("number", "currency", "text", "german"),
    [
        ("14060.41", Currency(code="USD"), "USD 14,060.41", "14.060,41 USD"),
        ("14060.4", Currency(code="USD"), "USD 14,060.40", "14.060,40 USD"),
        ("1406.041", Currency(code="USD"), "USD 1,406.041", "1.406,041 USD"),
        ("983", Currency(code="JPY"), "JPY 983", "983 JPY"),
        ("1234567", Currency(code="JPY", decimals=0), "JPY 1,234,567", "1.234.567 JPY"),
        ("1.5", Currency(code="KWD"), "KWD 1.500", "1,500 KWD"),
        ("1000", Currency(code="CLP"), "CLP 1,000", "1.000 CLP"),
        ("5", Currency(code="USD", decimals=4), "USD 5.0000", "5,0000 USD"),
        ("5", Currency(code="USD", decimals=99), "USD 5.00", "5,00 USD"),
        ("-12.5", Currency(code="EUR"), "EUR -12.50", "-12,50 EUR"),
        ("0", Currency(code="EUR"), "EUR 0.00", "0,00 EUR"),
        ("12.5", None, "12.50", "12,50"),
        ("12.5", Currency(), "12.50", "12,50"),
        ("12.5", Currency(code="Points"), "Points 12.50", "12,50 Points"),
        ("12.5", Currency(code="<b>"), "<b> 12.50", "12,50 <b>"),
        ("0.0000001", Currency(code="EUR"), "EUR 0.0000001", "0,0000001 EUR"),
        ("983.5", Currency(code="JPY"), "JPY 983.50", "983,50 JPY"),
    ],
)
def test_an_amount_is_grouped_and_has_its_currencys_decimals(
    number: str, currency: Currency | None, text: str, german: str
) -> None:
    assert STYLE.amount(Decimal(number), currency) == text
    assert Style(language="de").amount(Decimal(number), currency) == german


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({}, "“MacBook Pro”: 10 EA × USD 1,406.041 = USD 14,060.41"),
        ({"uom": None}, "“MacBook Pro”: 10 × USD 1,406.041 = USD 14,060.41"),
        ({"quantity": "2.50"}, "“MacBook Pro”: 2.5 EA × USD 1,406.041 = USD 14,060.41"),
        ({"quantity": None, "unit-price": None}, "“MacBook Pro”: USD 14,060.41"),
        ({"quantity": None}, "“MacBook Pro”: USD 1,406.041"),
        ({"unit-price": None, "total": None}, "“MacBook Pro”: 10 EA"),
        ({"quantity": None, "unit-price": None, "total": None}, "“MacBook Pro”"),
        ({"total": None}, "“MacBook Pro”: 10 EA × USD 1,406.041"),
        ({"description": None}, "(no description): 10 EA × USD 1,406.041 = USD 14,060.41"),
        ({"currency": None}, "“MacBook Pro”: 10 EA × USD 1,406.041 = USD 14,060.41"),
    ],
)
def test_a_line_says_how_many_of_what_at_which_price(change: dict[str, Any], text: str) -> None:
    assert f"- {text}" in shown(**{"requisition-lines": [{**LINE, **change}]})


def test_many_lines_and_vendors_are_counted() -> None:
    many = [
        {**LINE, "id": number, "description": f"Item {number}", "supplier": {"name": f"Vendor {number}"}}
        for number in range(300)
    ]

    text = shown(**{"requisition-lines": many})

    assert sum(line.startswith("- “Item ") for line in text) == MAX_LINES
    assert f"- +{300 - MAX_LINES} more" in text
    assert "- Supplier: Vendor 0, Vendor 1, Vendor 2, Vendor 3, Vendor 4, +295 more" in text


@pytest.mark.parametrize(
    ("need_by", "day"),
    [
        ("2026-12-01T00:00:00-08:00", "Dec 1, 2026"),
        ("2028-02-29", "Feb 29, 2028"),
        ("soon", None),
        (None, None),
    ],
)
def test_the_need_by_day_is_the_one_that_was_entered(need_by: str | None, day: str | None) -> None:
    ending = f", by {day}" if day else ""
    assert shown(**{"need-by-date": need_by})[0] == HEADLINE.removesuffix(", by Dec 1, 2026") + ending


def test_what_is_not_known_is_left_out() -> None:
    bare = parse_document("RequisitionHeader", {"id": 7})
    assert bare is not None

    assert told(bare, approver=None, type=None) == [
        "💳 Purchase request 7 needs your approval",
        "amount not stated",
        "Open in Coupa",
    ]


ACCOUNTS = [{"account": {"id": number, "code": f"64-{number}"}} for number in range(1, 41)]


def bought(**more: Any) -> dict[str, Any]:
    """Return the golden line with other values, for a card."""
    return {"requisition-lines": [LINE | {name.replace("_", "-"): value for name, value in more.items()}]}


@pytest.mark.parametrize(
    ("coding", "said"),
    [
        ({"account": {"code": "64-1", "name": "IT"}, "account_allocations": []}, "64-1 (IT)"),
        ({"account": {"code": "64-1", "name": "64-1"}, "account_allocations": []}, "64-1"),
        ({"account": {"name": "IT"}, "account_allocations": None}, "IT"),
        ({"account": None, "account_allocations": ACCOUNTS[:3]}, "3 accounts"),
        ({"account": None, "account_allocations": ACCOUNTS}, "40 accounts"),
        ({"account": None, "account_allocations": ACCOUNTS[:1] * 2}, "64-1"),
        ({"account": None, "account_allocations": []}, None),
        ({"account": {}, "account_allocations": []}, None),
        ({"account": "64-1", "account_allocations": []}, None),
        ({"account": None, "account_allocations": "64-1"}, None),
        ({"account": None, "account_allocations": [*ACCOUNTS, {"account": None}]}, None),
        ({"account": None, "account_allocations": [*ACCOUNTS, "64-1"]}, None),
    ],
    ids=str,
)
def test_a_card_says_what_is_charged_and_nothing_where_one_account_is_not_known(
    coding: dict[str, Any], said: str | None
) -> None:
    assert field("Account", **bought(**coding)) == said


@pytest.mark.parametrize(
    "other",
    [
        {"account": None, "account-allocations": []},
        {"account-allocations": []},
        {"account": {"code": "6400-IT"}, "account-allocations": []},
    ],
    ids=["none", "not said", "known by its code only"],
)
def test_one_account_is_not_stated_where_another_line_may_have_none_or_another(other: dict[str, Any]) -> None:
    bare = {name: value for name, value in LINE.items() if name != "account"}

    assert field("Account", **{"requisition-lines": [LINE, LINE]}) == "6400-IT (IT hardware)"
    assert field("Account", **{"requisition-lines": [LINE, bare | other]}) is None


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (["Non-Catalog Request"], "1 item"),
        (["Non-Catalog Request", "non-catalog request "], "all 2 items"),
        (["Non-Catalog Request", None, "Form"], "1 of 3 items"),
        (["Form", None, "", 7, {}], None),
    ],
    ids=str,
)
def test_a_card_counts_the_lines_that_came_from_no_catalogue(sources: list[Any], said: str | None) -> None:
    some = [LINE | {"source-type": source} for source in sources]

    assert field("Not from a catalogue", **{"requisition-lines": some}) == said


def test_a_line_has_no_contract_only_where_coupa_says_so() -> None:
    unsaid = {name: value for name, value in LINE.items() if name != "contract"}
    stated = LINE | {"contract": None}

    def told_of(*some: dict[str, Any]) -> str | None:
        return field("Without a contract", **{"requisition-lines": list(some)})

    assert told_of(stated, stated) == "all 2 items"
    assert told_of(stated, LINE) == "1 of 2 items"
    assert told_of(unsaid, LINE | {"contract": "C-1"}, LINE | {"contract": {}}) is None


def test_a_contract_of_the_invoice_is_one_of_its_lines() -> None:
    line = RECORDS["InvoiceHeader"]["invoice-lines"][0] | {"contract": None}
    style = replace(STYLE, fields={"InvoiceHeader": ("no_contract",)})

    def told_of(**more: Any) -> list[str]:
        return values("Without a contract", document("InvoiceHeader", invoice_lines=[line], **more), style)

    assert told_of() == []
    assert told_of(contract=None) == ["1 item"]


@pytest.mark.parametrize("odd", [None, 1, 0, -1, "1", "many", {}, [], True])
def test_a_number_of_lines_that_is_missing_or_odd_changes_nothing(odd: Any) -> None:
    assert shown(**{"line-count": odd}) == shown()


def test_of_lines_that_did_not_come_a_card_says_how_many_and_nothing_of_all_of_them() -> None:
    cut = shown(**{"line-count": 3} | bought(contract=None))

    assert "- +2 more" in cut
    assert not [line for line in cut if "ccount" in line or "catalogue" in line or "contract" in line]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("ManagementHierarchyApproval", ["management hierarchy"]),
        ("ApprovalChainApproval", ["approval chain"]),
        ("ManualBeginningApproval", ["added by hand"]),
        ("SelfApproval", []),
        ("", []),
        (None, []),
        (7, []),
        ({}, []),
    ],
)
def test_a_card_says_why_somebody_is_asked_where_the_type_of_the_step_is_known(
    step: Any, said: list[str]
) -> None:
    assert values("Why this step", request(), type=step) == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requested-by": None}, ["💳 Purchase request “Laptops”, USD 14,060.41, by Dec 1, 2026"]),
        (
            {"req-title": ""},
            ["💳 Purchase request 14170 needs your approval", "Jamie Lee, USD 14,060.41, by Dec 1, 2026"],
        ),
        ({"total": None}, ["💳 Jamie Lee asks for “Laptops”, amount not stated, by Dec 1, 2026"]),
        (
            {"req-title": "Laptops”, USD 5.00, by Jan 1 „x“ «y»"},
            ["💳 Jamie Lee asks for “Laptops', USD 5.00, by Jan 1 'x' 'y'”, USD 14,060.41, by Dec 1, 2026"],
        ),
    ],
    ids=str,
)
def test_the_first_line_says_who_asks_for_what_for_how_much_and_by_when(
    change: dict[str, Any], said: list[str]
) -> None:
    assert shown(**change)[: len(said)] == said


def test_a_document_of_another_type_has_a_generic_card_with_a_link() -> None:
    other = Document(type="ReceiptRequest", id=7)

    assert link_to(other, style=STYLE) == BASE
    assert told(other) == ["💳 Request 7 needs your approval", "Open in Coupa"]


def test_the_shortest_form_has_number_amount_and_link_and_nothing_that_others_wrote() -> None:
    assert lines(card(request(), is_short=True)) == [
        "💳 Purchase request 14170 needs your approval",
        "USD 14,060.41",
        "Open in Coupa",
    ]


def test_a_notice_has_the_slots_that_the_event_declares_and_the_reader_s_buttons() -> None:
    keys = TokenKeys({"k": b"x" * 32})
    turn = ApprovalRequest(
        approval=approval(), document=request(), right=Right(READER, (Verb.APPROVE, Verb.REJECT))
    )

    signed = compose(turn, style=STYLE, keys=keys, now=WHEN)
    bare = compose(replace(turn, right=Right(READER, bar=Bar.OWN)), style=STYLE, keys=None, now=WHEN)

    assert (set(signed.slots), dict(signed.actions)) == (
        {"approval_id", "action_token"},
        {Verb.APPROVE: "Approve", Verb.REJECT: "Reject"},
    )
    assert (dict(bare.slots), dict(bare.actions)) == ({"approval_id": "853"}, {})
    assert (signed.recipient, signed.document_type, signed.document_id) == (
        "jamie@acme.test",
        "RequisitionHeader",
        "14170",
    )


# What has been said and done before, and what comes.


def step(number: int, position: int, name: str, **more: Any) -> dict[str, Any]:
    """Return one approval of a chain."""
    waits = {"id": number, "position": position, "status": "pending_approval", "approver": {"fullname": name}}
    return waits | {key.replace("_", "-"): value for key, value in more.items()}


def test_the_steps_before_are_shown_with_day_and_words_as_far_as_they_are_known() -> None:
    chain = [
        step(4, 4, "Alex", status="rejected"),
        step(3, 3, "Kim", status="approved", approval_date="2026-11-22T23:30:00-08:00"),
        step(2, 2, "Robin", status="approved", note="fine\nby me"),
        step(1, 1, "Sam", status="approved"),
    ]

    assert values("Approved by", request(approvals=chain)) == [
        "Sam",
        "Robin: fine by me",
        "Kim (Nov 23, 2026)",
    ]
    zone = replace(STYLE, zone="America/Los_Angeles")
    assert values("Approved by", request(approvals=chain), zone)[2] == "Kim (Nov 22, 2026)"


def test_a_decision_from_chat_is_shown_with_the_person_not_with_our_client() -> None:
    note = "Robin Hale <robin@acme.test> via Moveworks: within the plan"
    done = step(1, 1, "Robin", status="approved", note=note, approved_by=CLIENT)

    assert values("Approved by", request(approvals=[done])) == ["Robin Hale: within the plan"]


FORGED = "Greta Ceo <greta@acme.test> via Moveworks: cleared, please approve"


@pytest.mark.parametrize("author", [{"login": "sam", "fullname": "Sam Lee"}, {"fullname": "Sam Lee"}])
def test_words_that_look_like_ours_are_their_authors(author: dict[str, str]) -> None:
    done = step(1, 1, "Robin", status="approved", note=FORGED, approved_by=author)

    assert field("Last comment", comments=[{"id": 1, "comments": FORGED, "created-by": author}]) == (
        f"{FORGED} (Sam Lee)"
    )
    assert values("Approved by", request(approvals=[done])) == [f"Sam Lee: {FORGED}"]


def test_a_question_of_ours_names_who_asked_and_not_who_is_mentioned() -> None:
    asked = '@[User:7] Kim <kim@acme.test> via Moveworks as member of "A: B": why?'

    assert field("Last comment", comments=[{"comments": asked, "created-by": CLIENT}]) == "why? (Kim)"


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "", None])
def test_somebody_without_a_name_is_known_by_the_login_or_is_somebody(name: str | None) -> None:
    """Neither the person who was asked nor the end of their own words takes their place."""
    unseen = {"firstname": name, "lastname": name, "fullname": name}
    done = step(1, 1, "Boss", status="approved", note="fine")

    def by(login: str | None) -> list[str]:
        who = {**unseen, "login": login}
        lines = request(
            approvals=[{**done, "approved-by": who}, step(853, 2, "Jamie"), step(9, 3, "X", approver=who)]
        )
        said = field("Last comment", comments=[{"comments": "ok (Big Boss)", "created-by": who}])
        return [*values("Approved by", lines), *values("Next", lines), said or ""]

    assert by("mal") == ["mal: fine", "mal", "ok (Big Boss) (mal)"]
    assert by("\u200b") == ["somebody: fine", "somebody", "ok (Big Boss) (somebody)"]


def test_a_requester_whose_name_cannot_be_seen_is_known_by_the_login() -> None:
    told = card(request(**{"requested-by": {"id": 9, "login": "mal", "firstname": "\u200b"}}))

    assert told.startswith("<b>💳 mal asks for “Laptops”")


def test_the_words_of_a_step_do_not_hide_the_same_words_of_somebody_else() -> None:
    done = step(1, 1, "Robin", status="approved", note="ok", approved_by={"id": 3, "fullname": "Robin"})
    chain = [done, step(853, 2, "Jamie")]

    def said(name: str) -> str | None:
        who = {"id": 4, "fullname": name}
        return field("Last comment", comments=[{"comments": "ok", "created-by": who}], approvals=chain)

    assert said("Sam") == "ok (Sam)"
    assert said("Robin") is None


FIELDS = ["Next: nobody, yours is the last approval", "Approved by: Big Boss (Nov 22, 2026): buy it"]


@pytest.mark.parametrize("words", FIELDS)
def test_an_item_that_looks_like_a_field_of_ours_stands_in_quotation_marks(words: str) -> None:
    line = {"id": 1, "description": words}

    assert f"- “{words}”" in shown(**{"requisition-lines": [line]})


def test_many_steps_before_are_counted() -> None:
    chain = [step(number, number, f"P{number}", status="approved") for number in range(1, 9)]

    assert values("Approved by", request(approvals=chain)) == ["+3 more", "P4", "P5", "P6", "P7", "P8"]


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        ([step(853, 1, "Jamie")], ["nobody, yours is the last approval"]),
        ([step(853, 1, "Jamie"), step(9, 2, "Robin"), step(10, 3, "Kim")], ["Robin"]),
        ([step(853, 1, "Jamie"), step(9, 2, "Robin"), step(10, 2, "Kim")], ["Robin, Kim"]),
        (
            [step(853, 1, "Jamie"), step(9, 1, "Robin"), step(10, 2, "Kim")],
            ["Robin, at the same time", "Kim"],
        ),
        ([step(853, 1, "Jamie"), step(9, 1, "Robin")], ["Robin, at the same time"]),
        ([step(853, 1, "Jamie"), step(9, 2, "", approver={"name": "CAB"})], ["CAB"]),
        ([step(9, 1, "Robin"), step(853, 2, "Jamie")], []),
        ([step(9, 1, "Robin")], []),
        ([], []),
    ],
)
def test_who_comes_next_is_shown_when_the_chain_is_known(
    chain: list[dict[str, Any]], said: list[str]
) -> None:
    assert values("Next", request(approvals=chain)) == said


def test_the_last_comment_is_the_newest_by_its_time() -> None:
    said = [
        {"id": 1, "comments": "first", "created-at": "2026-11-23T09:00:00+01:00"},
        {"id": 2, "comments": "last", "created-at": "2026-11-23T08:30:00+00:00"},
        {"id": 3, "comments": "of no time", "created-at": "soon"},
    ]

    assert field("Last comment", comments=said) == "last (somebody)"
    assert field("Last comment", comments=said[2:]) == "of no time (somebody)"
    assert field("Last comment", comments=[]) is None


def test_a_comment_of_ours_gives_way_to_the_person_and_is_not_repeated() -> None:
    ours = {"created-by": CLIENT, "created-at": "2026-11-23T09:00:00+01:00"}
    back = {"id": 2, "comments": "Kim <kim@acme.test> via Moveworks: too dear", **ours}
    done = {"id": 1, "comments": "Robin Hale <r@acme.test> via Moveworks: Within the plan.", **ours}
    silent = {"id": 3, "comments": "Robin Hale <r@acme.test> via Moveworks", **ours}

    assert field("Last comment", comments=[back]) == "too dear (Kim)"
    assert field("Last comment", comments=[done, silent], approvals=CHAIN) is None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], None),
        ([{"id": 1, "file": "https://f.test/files/Angebot%20%C3%BC.pdf?x=1#y"}], "1 (Angebot ü.pdf)"),
        ([{"id": 1, "file": "offer #2?.pdf"}], "1 (offer #2?.pdf)"),
        ([{"id": 1, "url": "https://f.test/wiki/offer/"}, {"id": 2, "text": "a note"}], "2 (offer)"),
        ([{"id": 1}, {"id": 2}], "2"),
        ([{"file": f"{n}.pdf"} for n in range(7)], "7 (0.pdf, 1.pdf, 2.pdf, 3.pdf, 4.pdf, +2 more)"),
        ([{"file": "https://[/a.pdf"}], "1 (a.pdf)"),
    ],
)
def test_attachments_are_counted_and_named(files: list[dict[str, Any]], said: str | None) -> None:
    lone = [{**LINE, "attachments": []}]

    assert field("Attachments", attachments=files, requisition_lines=lone) == said


# Kinds.


def test_an_expense_report_shows_what_breaks_the_policy_before_anything_else() -> None:
    line = RECORDS["ExpenseReport"]["expense-lines"][0]
    taxi = {
        **line,
        "id": 2,
        "description": "",
        "merchant": "Taxi Lyon",
        "amount": "40.00",
        "over-limit": False,
    }
    lunch = {"id": 3, "amount": "9.50", "requires-receipt": True, "expense-artifacts": []}
    breaches = [{"id": n, "receipt-missing": True, "limit-exceeded": None} for n in range(2)]
    report = document(
        "ExpenseReport",
        expense_lines=[line, {**taxi, "expense-artifacts": []}, lunch],
        expense_violations=[*breaches, {"id": 3}],
    )

    assert told(report)[:7] == [
        "💸 Jamie Lee claims expenses: “Sales fair in Lyon”, USD 1,240.50",
        "Expense report 14170 needs your approval",
        "- Policy violations: limit exceeded (USD 80.00), 2× receipt missing, policy violation",
        "- Over the limit: “Two nights”: USD 980.00",
        "- Missing receipts: 2 (Taxi Lyon, (no description))",
        "- Audit score: 26",
        "- Period: Nov 3, 2026 to Nov 5, 2026",
    ]
    assert told(report)[7:10] == [
        "- “Two nights” (“Hotel des Arts”, Lodging, Nov 3, 2026): USD 980.00",
        "- “Taxi Lyon” (Lodging, Nov 3, 2026): USD 40.00",
        "- (no description): USD 9.50",
    ]


def test_an_expense_report_in_order_shows_no_trouble() -> None:
    report = document(
        "ExpenseReport", expense_lines=[], expense_violations=[], expense_policy_violations=[], audit_score=0
    )

    text = "\n".join(told(report))

    assert not re.search("violation|limit|receipts", text)
    assert values("Audit score", report) == ["0"]


def test_a_credit_note_is_called_so() -> None:
    note = document("InvoiceHeader", document_type="Credit Note", total_with_taxes="-50.00")

    assert told(note)[:2] == [
        "🧾 Credit note “INV-2026-118” from Hale & Sons, USD -50.00, due Dec 20, 2026 (Net 30)",
        "Credit note 14170 needs your approval",
    ]
    assert told(document("InvoiceHeader", document_type=None))[1] == "Invoice 14170 needs your approval"


@pytest.mark.parametrize(
    ("change", "ending"),
    [
        ({}, "due Dec 20, 2026 (Net 30)"),
        ({"payment_term": None}, "due Dec 20, 2026"),
        ({"net_due_date": None}, "USD 11,900.00"),
    ],
    ids=str,
)
def test_an_invoice_says_first_from_whom_it_is_and_when_it_is_due(
    change: dict[str, Any], ending: str
) -> None:
    first = told(document("InvoiceHeader", **change))[0]

    assert first.startswith("🧾 Invoice “INV-2026-118” from Hale & Sons, USD 11,900.00")
    assert first.endswith(ending)


@pytest.mark.parametrize(
    ("change", "label", "said"),
    [
        ({"discount_percent": None}, "Discount until", ["Dec 1, 2026"]),
        ({"discount_percent": "0.5"}, "Discount until", ["Dec 1, 2026 (0.5%)"]),
        ({"discount_due_date": None}, "Discount until", []),
        ({"tolerance_failures": ""}, "Outside tolerance", []),
        ({"image_scan": None}, "Attachments", ["1 (offer.pdf)"]),
        ({"invoice_lines": [{"po-number": "1"}, {"po-number": "2"}, {"po-number": "1"}]}, "Orders", ["1, 2"]),
    ],
    ids=str,
)
def test_an_invoice_shows_dates_discount_and_orders_as_far_as_they_are_known(
    change: dict[str, Any], label: str, said: list[str]
) -> None:
    assert values(label, document("InvoiceHeader", **change)) == said


def change_of_order(before: str | None = None, **more: Any) -> Document:
    read = document("OrderHeaderChange", **more)
    assert isinstance(read, OrderChange)
    return read.model_copy(update={"old_total": Decimal(before) if before else None})


def test_a_change_of_an_order_shows_who_started_it_both_totals_and_a_cancellation() -> None:
    by_person: dict[str, Any] = {"supplier_initiated": False, "pending_cancel": False}

    def first(what: Document) -> str:
        return told(what)[0].removeprefix("🔁 ")

    start = "Hale & Sons asks to change order “4500012”, "
    assert first(change_of_order()) == f"{start}USD 120.00"
    assert first(change_of_order("100")) == f"{start}USD 100.00 → USD 120.00"
    assert first(change_of_order("120")) == f"{start}USD 120.00"
    assert first(change_of_order(**by_person)).startswith("Jamie Lee asks to change order")
    assert first(change_of_order(supplier=None, order_line_changes=[])).startswith("The supplier asks to")
    assert "- The whole order is to be cancelled." in told(change_of_order())
    assert "- The whole order is to be cancelled." not in told(change_of_order(**by_person))
    assert "- to be removed: “Shelf”: 4 EA × USD 30.00 = USD 120.00" in told(change_of_order())
    assert (values("Supplier", change_of_order()), values("Requester", change_of_order())) == (
        [],
        ["Jamie Lee"],
    )
    assert values("Supplier", change_of_order(**by_person)) == ["Hale & Sons"]
    assert values("Requester", change_of_order(**by_person)) == []
    assert link_to(change_of_order(), style=STYLE) == f"{BASE}/order_headers/2079"
    assert link_to(change_of_order(order_header_id=None), style=STYLE) == BASE


@pytest.mark.parametrize(
    ("change", "label", "said"),
    [
        ({"max_commit": "0.00"}, "Commitment", ["from USD 5,000.00"]),
        ({"term_type": "fixed"}, "Term", ["fixed"]),
        ({"term_type": "per_project"}, "Term", ["Per project"]),
        ({"term_type": None}, "Term", []),
        ({"end_date": None}, "Period", ["from Jan 1, 2027"]),
        ({"start_date": None}, "Period", ["until Dec 31, 2027"]),
        ({"no_of_renewals": None}, "Renewal", ["12 months"]),
        ({"renewal_length_value": None}, "Renewal", ["3 ×"]),
        ({"renewal_length_unit": "moons"}, "Renewal", ["3 × 12 moons"]),
        ({"renewal_length_unit": None}, "Renewal", ["3 × 12"]),
    ],
    ids=str,
)
def test_a_contract_shows_value_term_and_renewal_as_far_as_they_are_stated(
    change: dict[str, Any], label: str, said: list[str]
) -> None:
    assert values(label, document("Contract", **change)) == said


@pytest.mark.parametrize(
    ("change", "value"),
    [
        ({}, "USD 10,000.00 to USD 48,000.00"),
        ({"minimum_value": "0.00"}, "up to USD 48,000.00"),
        ({"maximum_value": None}, "from USD 10,000.00"),
        ({"maximum_value": "10000"}, "USD 10,000.00"),
        ({"maximum_value": "0.00", "minimum_value": "0.00"}, "amount not stated"),
    ],
    ids=str,
)
def test_a_contract_says_first_what_it_is_worth(change: dict[str, Any], value: str) -> None:
    start = "📄 Jamie Lee submits a contract: “Cleaning of the head office”"

    assert told(document("Contract", **change))[0] == f"{start}, {value}"


# Choices.


@pytest.mark.parametrize("kind", DOCUMENT_MODELS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_field_that_can_be_chosen_can_be_shown_in_every_language(language: str, kind: str) -> None:
    names = tuple(sorted(NAMES[DOCUMENT_MODELS[kind].kind]))

    text = card(document(kind), Style(language=language, fields={kind: names}), reader=DEPLOYED)

    assert len(lines(text)) > len(names) - len(HEAD[DOCUMENT_MODELS[kind].kind])
    assert "{" not in text


def test_the_fields_are_those_that_were_chosen_in_their_order_and_the_first_lines_stay() -> None:
    style = replace(STYLE, fields={"RequisitionHeader": ("department", "amount", "supplier", "submitted")})

    assert told(request(), style)[:-1] == [
        HEADLINE,
        "Purchase request 14170 needs your approval",
        "- Department: IT",
        "- Supplier: Apple",
        "- Submitted: Nov 22, 2026",
    ]
    assert len(told(document("Contract"), style)) > 10


@pytest.mark.parametrize(
    ("actions", "buttons"),
    [(tuple(Verb), ["Approve", "Reject", "Put on hold"]), ((Verb.APPROVE,), ["Approve"]), ((), [])],
)
def test_only_what_is_possible_is_offered(actions: tuple[Verb, ...], buttons: list[str]) -> None:
    turn = ApprovalRequest(approval=approval(), document=request(), right=Right(READER, actions))

    assert list(compose(turn, style=STYLE, keys=None, now=WHEN).actions.values()) == buttons


@pytest.mark.parametrize(
    ("links", "kind", "url"),
    [
        ({"*": "{base}/x/{type}/{id}"}, "Contract", f"{BASE}/x/Contract/14170"),
        (
            {"*": "{base}/x", "Contract": "{base}/contracts/show/{id}"},
            "Contract",
            f"{BASE}/contracts/show/14170",
        ),
        ({"Contract": "{base}/y"}, "InvoiceHeader", f"{BASE}/invoices/14170"),
        (
            {"*": "https://portal.test/?d={type}.{id}"},
            "InvoiceHeader",
            "https://portal.test/?d=InvoiceHeader.14170",
        ),
    ],
)
def test_links_follow_the_template(links: dict[str, str], kind: str, url: str) -> None:
    assert link_to(document(kind), style=replace(STYLE, links=links)) == url


def test_a_type_is_quoted_in_a_link() -> None:
    odd = Document(type='Easy::Form"/../<x>', id=7)

    url = link_to(odd, style=replace(STYLE, links={"*": "{base}/{type}/{id}"}))

    assert url == f"{BASE}/Easy%3A%3AForm%22%2F..%2F%3Cx%3E/7"


def test_the_examples_of_the_settings_are_true() -> None:
    assert doctest.testmod(choices).failed == 0


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
        ("\u05de\u05d7\u05e9\u05d1\u05d9\u05dd 12", "\u2068\u05de\u05d7\u05e9\u05d1\u05d9\u05dd 12\u2069"),
        ("\u202e\u062d\u0627\u0633\u0648\u0628", "\u2068\u062d\u0627\u0633\u0648\u0628\u2069"),
    ],
)
def test_a_text_of_others_is_one_harmless_line(written: str | None, kept: str) -> None:
    assert clean(written, SHORT) == kept


TEXTS_OF_OTHERS = st.one_of(
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
            "**bold** _it_ `code` ~~no~~ [a](https://evil.example) <https://evil.example>",
            "![](https://evil.example/x.png)",
            "1. one\n# two\n> three\n\n---\n    four",
            "\\*not\\* \\",
            "| a | b |\n|---|---|",
            "{amount} {} {0.__class__}",
        ]
    ),
)


def worst(one: str, other: str) -> Document:
    """Return a requisition that has texts of others wherever there is room for them."""
    person = {**PERSON, "firstname": one, "fullname": other, "login": one}
    return request(
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
            "approvals": [step(853, 2, one), step(1, 1, other, status="approved", note=one)],
            "attachments": [{"file": one}, {"url": other}],
        }
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(TEXTS_OF_OTHERS, TEXTS_OF_OTHERS)
@example("<" * 10_000, "<" * 10_000)
def test_no_text_breaks_out_of_its_field(one: str, other: str) -> None:
    who = {**PERSON, "firstname": one}

    text = card(
        worst(one, other), about=approval(approver=who), reader=replace(READER, capacity=Capacity.MEMBER)
    )

    assert 1 <= len(text) <= MAX_MESSAGE
    assert "<" not in ALLOWED.sub("", text)
    assert text.count("<a ") == 1
    rows = lines(text)
    assert sum(row.startswith("- Department: ") for row in rows) <= 1
    assert len(rows) <= 21 + MAX_LINES
    assert all(len(row) <= LONG + 3 * SHORT for row in rows)


def test_when_even_the_caps_are_not_enough_the_shortest_form_is_sent() -> None:
    """Every escaped character is five: the longest texts in every field still fit, a longer link does not."""
    long_link = Style(links={"*": f"https://acme.coupahost.com/{'x' * (MAX_MESSAGE - 300)}"})

    text = card(request(), long_link)

    assert len(text) <= MAX_MESSAGE
    assert lines(text)[:2] == ["💳 Purchase request 14170 needs your approval", "USD 14,060.41"]


def test_moveworks_takes_the_worst_notice_and_finds_no_fault_in_it() -> None:
    world = World()
    dreadful = "<b>" + "&<>\"'\n\u202e http://evil.example" * 400
    world.requisition("jamie@example.com", title=dreadful, justification=dreadful, department=dreadful)

    [card] = world.announced()

    assert world.moveworks.markup_faults == []
    assert "evil.example" not in re.findall(r'href="([^"]*)"', card.message)[0]


def test_the_chain_and_the_files_reach_the_approver_from_coupa() -> None:
    world = World()
    line = Line("Chair", amount="90.00", attachments=("offer.pdf",))
    number = world.requisition("jamie@example.com", "robin@example.com", lines=[line])
    first = world.coupa.world.approvals_of(number)[0]
    world.coupa.world.decide_in_coupa(
        first.id, by=world.person("jamie@example.com"), decision="approved", note="fine by me"
    )

    [card] = world.announced()

    assert card.recipient == "robin@example.com"
    assert "<i>Approved by</i>: Jamie Doe (Nov 23, 2026): fine by me" in card.message
    assert "<i>Next</i>: nobody, yours is the last approval" in card.message
    assert "<i>Attachments</i>: 1 (offer.pdf)" in card.message


def test_the_asker_of_a_document_is_who_it_is_for() -> None:
    """The separation of duties looks at `requested_by` and `created_by`, whatever Coupa calls them."""
    for kind in RECORDS:
        asked = document(kind).requested_by
        assert asked is not None, kind
        assert asked.id == ASKER["id"], kind
