"""The sandbox's page: its view of Coupa, and what its forms refuse."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from azure.functions.decorators.function_app import Function
from bridge import JAMIE, ROBIN, SAM
from hypothesis import given
from hypothesis import strategies as st
from page_office import Forms, Office, opened
from werkzeug.test import Client

from sandbox.coupa.world import Group
from sandbox.page import server
from sandbox.page.formats import CURRENCIES, instant, moment, money, quantity
from sandbox.page.kinds import KINDS, NAMES, Kind

pytestmark = pytest.mark.slow

CHECKS = Path(__file__).parent / "npm" / "node_modules"


@pytest.fixture
def office(functions: list[Function]) -> Iterator[Office]:
    with opened(functions) as made:
        yield made


@pytest.fixture
def all_kinds(office: Office) -> Office:
    """Return an office whose bridge announces every kind of document."""
    office.change(DOCUMENT_TYPES=",".join(NAMES))
    return office


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_each_kind_is_entered_as_its_example_told_and_opened_from_its_card(
    kind: Kind, all_kinds: Office
) -> None:
    office = all_kinds
    form = Forms(office.read(coupa=f"new/{kind.key}")).of["/coupa/create"]
    title = form[kind.fields[0].name]

    page = office.client.get(office.client.post("/coupa/create", data=form).headers["Location"]).text

    assert "Entered. The next sweep announces it." in page
    assert "Swept: 1 new notice." in office.do("/bridge/sweep")
    chat, _, _ = office.read(coupa="people").partition('id="coupa"')
    assert html.escape(title) in chat
    link = re.findall(r'<a href="([^"]+)"[^>]*>Open in Coupa</a>', chat)[-1]
    opened = office.client.get(html.unescape(link)).text
    # A form has no screen of its own in Coupa: the link leads to the list.
    at = 'id="documents"' if kind.key == "form" else '<article id="document"'
    assert html.escape(title) in opened.partition(at)[2]
    assert "approved, HTTP 200" in office.click(JAMIE)


def _worth(text: str) -> Decimal:
    return Decimal(text[4:].replace(",", ""))


MONEY, DAY = r"\b[A-Z]{3} [0-9][0-9,.]*[0-9]", r"\b[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4}"


@pytest.mark.parametrize(
    ("kind", "currency"),
    [*((each, "USD") for each in KINDS.values()), *((KINDS["invoice"], code) for code in CURRENCIES)],
    ids=lambda each: each if isinstance(each, str) else each.key,
)
def test_a_document_writes_money_and_days_as_its_card_does(
    kind: Kind, currency: str, all_kinds: Office
) -> None:
    office = all_kinds
    form = Forms(office.read(coupa=f"new/{kind.key}")).of["/coupa/create"] | {"currency": currency}
    form |= {"price": "1234.00"} if "price" in form else {}
    office.send("/coupa/create", **form)
    office.do("/bridge/sweep")
    [card] = office.world.moveworks.delivered
    number = next(iter(office.world.coupa.world.documents[kind.type].ids))
    shown_ = office.read(coupa=str(number)).partition('<article id="document"')[2].partition("<h4>")[0]
    seen = re.sub("<[^>]*>", " ", shown_)

    told = html.unescape(card.message)
    amounts = [{_worth(each): each for each in re.findall(MONEY, text)} for text in (told, seen)]
    shared = amounts[0].keys() & amounts[1].keys()
    assert {amounts[0][each] for each in shared} == {amounts[1][each] for each in shared}
    assert shared or not kind.is_money
    assert set(re.findall(DAY, seen)) <= set(re.findall(DAY, told))
    assert not re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}\.[0-9]", seen)


@given(st.decimals("0", "1e12", allow_nan=False, places=4), st.sampled_from([*CURRENCIES, "XYZ"]))
def test_money_and_quantities_are_written_without_loss(amount: Decimal, code: str) -> None:
    assert Decimal(money(amount, code).removeprefix(f"{code} ").replace(",", "")) == amount
    assert Decimal(quantity(amount).replace(",", "")) == amount


def test_times_are_written_as_on_a_card() -> None:
    for hour, said in ((0, "12:05 AM"), (9, "9:05 AM"), (12, "12:05 PM"), (23, "11:05 PM")):
        at = datetime(2026, 12, 1, hour, 5, 7, tzinfo=UTC)
        assert moment(at) == moment(at.isoformat()) == f"Dec 1, 2026 at {said}"
        assert instant(at) == f"Dec 1, {said[:-3]}:07{said[-3:]}"


def test_a_mistake_is_said_at_its_field_keeps_what_was_typed_and_is_seen_by_nobody_else(
    office: Office,
) -> None:
    form = Forms(office.read(coupa="new/request")).of["/coupa/create"]

    page = office.do("/coupa/create", **{**form, "title": "Desk <2>", "price": "cheap", "currency": "JPY"})
    elsewhere = Client(office.client.application).get("/", query_string={"as": JAMIE, "coupa": "new/request"})

    said = "Price must be a number such as 12.50."
    assert re.search(rf'id="new-request-price-wrong">{said}', page)
    assert page.count(said) == 1
    assert 'aria-invalid="true" aria-describedby="new-request-price-wrong"' in page
    typed = Forms(page).of["/coupa/create"]
    assert (typed["title"], typed["price"], typed["currency"]) == ("Desk <2>", "cheap", "JPY")
    assert {name: typed[name] for name in ("first", "needed_by")} == {
        name: form[name] for name in ("first", "needed_by")
    }
    assert said not in elsewhere.text
    assert said not in office.read(coupa="new/request")


NU, JAVA = CHECKS / "vnu-jar" / "build" / "dist" / "vnu.jar", shutil.which("java")


def test_the_validator_of_html_finds_nothing_on_any_screen(all_kinds: Office, tmp_path: Path) -> None:
    """It is the W3C's: https://validator.w3.org/nu/, which checks ARIA and the style sheet, too."""
    if not (JAVA and NU.exists()):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(
            "The validator is not here: it needs Java, and `npm ci` in tests/npm"
        )
    office = all_kinds
    pages = {"empty": office.read()}
    for key in KINDS:
        office.client.post("/coupa/create", data=Forms(office.read(coupa=f"new/{key}")).of["/coupa/create"])
        pages[f"new-{key}"] = office.read(coupa=f"new/{key}")
    office.enter("Desk <&> \N{CJK UNIFIED IDEOGRAPH-6905}", copies="2", then=office.user(ROBIN))
    pages["swept"] = office.do("/bridge/sweep")
    pages["clicked"] = office.click(JAMIE)
    pages["rejected"] = office.click(JAMIE, "reject", reason="Too dear.")
    pages["listed"] = office.do("/chat/write", message="any approvals?")
    number = office.world.moveworks.delivered[0].slots["approval_id"]
    pages |= {
        f"document-{each}": office.read(coupa=str(each), trace=number)
        for each in (5001, 5002, 5003, 5005, 5006)
    }
    office.do("/coupa/group", coupa="people", name="Smiths", member=office.user(ROBIN))
    pages["people"] = office.do(
        "/coupa/delegate", coupa="people", by=office.user(SAM), to=office.user(JAMIE), days="3"
    )
    pages["mistake"] = office.do(
        "/coupa/create", coupa="new/invoice", form="new-invoice", kind="invoice", number="x", supplier=""
    )
    pages["broken"] = office.do("/faults/break", service="Coupa", fault="down")
    for name, page in pages.items():
        (tmp_path / f"{name}.html").write_text(page, "utf-8")
    shutil.copy(Path(server.__file__).parent / "static" / "page.css", tmp_path)

    command = f"-XX:TieredStopAtLevel=1 -Xss4m -jar {NU} --format json --stdout --also-check-css"
    ran = subprocess.run([JAVA, *command.split(), tmp_path], capture_output=True, text=True, check=False)
    found = [
        f"{Path(each['url']).name}:{each['lastLine']} {each['message']}"
        for each in json.loads(ran.stdout)["messages"]
    ]

    assert len(pages) == len(list(tmp_path.glob("*.html"))) > 15
    assert found == []


def test_steps_may_be_parallel_and_of_groups(office: Office) -> None:
    office.do("/coupa/group", name="Smiths", member=office.user(ROBIN))
    group = office.world.coupa.world.groups.ids[-1]
    number = office.enter(beside=f"group-{group}", then=office.user(ROBIN))

    steps = office.world.coupa.world.document(number).steps

    jamie, robin = office.around.people[JAMIE], office.around.people[ROBIN]
    assert steps == [[jamie, Group(group)], robin]


def test_people_join_and_leave_groups(office: Office) -> None:
    office.do("/coupa/group", name="Smiths", member=office.user(ROBIN))
    number = office.world.coupa.world.groups.ids[-1]

    assert "Joined." in office.do("/coupa/join", coupa="people", group=number, member=office.user(JAMIE))
    assert "Left." in office.do("/coupa/leave", coupa="people", group=number, member=office.user(ROBIN))

    members = office.world.coupa.world.groups.rows[number].users
    assert [each.email for each in members] == [JAMIE]


def test_a_delegation_begins_and_ends(office: Office) -> None:
    office.do("/coupa/delegate", by=office.user(JAMIE), to=office.user(ROBIN), days="3")
    office.told()
    assert "for Jamie Doe" in office.read(ROBIN)

    assert "The delegation has ended." in office.do("/coupa/end-delegation", coupa="people", delegation="1")

    assert "not your approval" in office.click(ROBIN).replace("_", " ")


def test_what_was_sent_back_can_be_submitted_again(office: Office) -> None:
    number = office.told()
    assert "rejected, HTTP 200" in office.click(JAMIE, "reject", reason="Too dear.")
    assert "Sent back: Jamie Doe" in office.read(coupa=str(number))

    office.do("/coupa/resubmit", document=number)

    assert "Swept: 1 new notice." in office.do("/bridge/sweep")


def test_coupas_own_screen_decides_once(office: Office) -> None:
    office.enter(then=office.user(ROBIN))
    [first, _] = office.world.coupa.world.approvals.ids
    act = {"coupa": "5001", "approval": str(first), "by": office.user(JAMIE), "decision": "approved"}
    act["note"] = "At my desk."

    assert "was approved in Coupa" in office.do("/coupa/decide", **act)
    assert "The approval is not pending." in office.do("/coupa/decide", **act)


TO_OTHER = {"by": "user-102", "to": "user-103", "days": "1"}
FORMS = {
    "/coupa/create": {"form": "new-request", "coupa": "new/request"},
    "/coupa/reassign": {"form": "reassign-85001", "coupa": "5001"},
    "/coupa/delegate": {"form": "delegate", "coupa": "people"},
}
"""What the forms say of themselves, where a person's mistake is in a field."""


@pytest.mark.parametrize(
    ("path", "fields", "said"),
    [
        ("/coupa/create", {"title": ""}, "Title is missing."),
        ("/coupa/create", {"title": "x" * 256}, "Title is longer than 255 characters."),
        ("/coupa/create", {"price": "cheap"}, "Price must be a number such as 12.50."),
        ("/coupa/create", {"price": "NaN"}, "Price must be above zero"),
        ("/coupa/create", {"quantity": "-1"}, "Quantity must be above zero"),
        ("/coupa/create", {"quantity": "1e999"}, "Quantity must be above zero"),
        ("/coupa/create", {"currency": "XXX"}, "That currency is not offered here."),
        ("/coupa/create", {"copies": "0"}, "Copies must be from 1 to 25."),
        ("/coupa/create", {"copies": "26"}, "Copies must be from 1 to 25."),
        ("/coupa/create", {"first": ""}, "Somebody must decide first."),
        ("/coupa/create", {"first": "user-2"}, "First is unknown."),
        ("/coupa/create", {"requester": "group-101"}, "Requester must be a person."),
        ("/coupa/edit", {"document": "1", "line": "0"}, "There is no such document."),
        ("/coupa/edit", {"document": "5001", "line": "7"}, "There is no such line."),
        ("/coupa/withdraw", {"document": "x"}, "Document must be a whole number."),
        ("/coupa/decide", {"approval": "1"}, "That approval is not there any more."),
        ("/coupa/decide", {"approval": "85001", "decision": "x"}, "There is no such button."),
        ("/coupa/reassign", {"approval": "85001"}, "Somebody must get it."),
        ("/coupa/join", {"group": "7"}, "There is no such group."),
        ("/coupa/delegate", {**TO_OTHER, "to": "user-102"}, "Nobody is their own delegate."),
        ("/coupa/delegate", {**TO_OTHER, "days": "999"}, "Days must be from 1 to 365."),
        ("/coupa/end-delegation", {"delegation": "7"}, "There is no such delegation."),
        ("/chat/click", {"card": "turn-9-0", "decision": "approve"}, "There is no such card in this chat."),
        ("/chat/several", {"turn": "turn-0", "tick-turn-0-0": "1"}, "Nothing was ticked."),
        ("/bridge/advance", {"seconds": "1"}, "Time does not move so far."),
        ("/faults/break", {"service": "Coupa", "fault": "x"}, "There is no such switch."),
        ("/faults/break", {"service": "Table store", "fault": "hang"}, "There is no such switch."),
        ("/faults/mend", {"service": "x"}, "There is no such service."),
    ],
)
def test_what_cannot_be_done_is_said(office: Office, path: str, fields: dict[str, str], said: str) -> None:
    office.world.coupa.world.add_group(name="Smiths", members=[])
    office.enter()
    wish = {"kind": "request", "title": "Desk", "copies": "1", "quantity": "1", "price": "1"}
    wish |= {"currency": "USD", "requester": office.user(SAM), "document": "5001"}
    wish |= {"first": office.user(JAMIE)} if path == "/coupa/create" else {}

    page = html.unescape(office.do(path, **{**wish, **FORMS.get(path, {}), **fields}))
    without_form = html.unescape(office.do(path, **{**wish, **fields}))

    assert page.count(said) == 1
    assert ('<span class="wrong"' in page) is (path in FORMS)
    assert without_form.count(said) == 1
