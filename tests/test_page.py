"""The sandbox's page without a browser: its answers and refusals, and its view of texts from other people."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from azure.functions.decorators.function_app import Function
from bridge import COUPA, MOVEWORKS, World
from hypothesis import given
from hypothesis import strategies as st
from pages import lists, section
from werkzeug.test import Client, TestResponse

from coupa_core import app
from sandbox.azurite import Azurite
from sandbox.coupa.world import Group
from sandbox.in_process import FunctionHost
from sandbox.moveworks import Delivered
from sandbox.neighbours import PEOPLE, Neighbours
from sandbox.page import Page, server
from sandbox.page.chat import ASKED, WORDS
from sandbox.page.form import Done
from sandbox.page.formats import CURRENCIES, instant, moment, money, quantity
from sandbox.page.here import KEPT, Outcome, Outcomes
from sandbox.page.kinds import KINDS, NAMES, Kind
from sandbox.page.markup import drawn, shown
from sandbox.page.plot import LINES_S, plotted
from sandbox.serving import served

pytestmark = pytest.mark.no_cover  # it is slow, and quicker tests ask for every branch

CHECKS = Path(__file__).parent / "npm" / "node_modules"
JAMIE, ROBIN, SAM = "jamie@example.com", "robin@example.com", "sam@example.com"


@dataclass
class Office:
    """The page on a whole bridge in this process, and somebody who sends its forms."""

    world: World
    around: Neighbours
    client: Client
    moved: list[float] = field(default_factory=list)

    def read(self, person: str = JAMIE, **query: str) -> str:
        answer = self.client.get("/", query_string={"as": person, **query})
        assert answer.status_code == 200
        return answer.text

    @cached_property
    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.read())
        assert found
        return found[1]

    def send(self, path: str, *, person: str = JAMIE, **fields: Any) -> TestResponse:
        return self.client.post(path, data={"token": self.token, "as": person, **fields})

    def do(self, path: str, *, person: str = JAMIE, **fields: Any) -> str:
        """Send a form and return the page that it leads to."""
        answer = self.send(path, person=person, **fields)
        assert answer.status_code == 303
        return self.client.get(answer.headers["Location"]).text

    def enter(self, title: str = "Desk", **fields: str) -> int:
        wish = {"kind": "request", "title": title, "copies": "1", "quantity": "2", "price": "10.00"}
        wish |= {"currency": "USD", "requester": self.user(SAM), "first": self.user(JAMIE)}
        self.do("/coupa/create", **{**wish, **fields})
        return int(self.world.coupa.world.documents["RequisitionHeader"].ids[-1])

    def told(self, title: str = "Desk") -> int:
        """Enter a request for Jamie, and have it announced."""
        number = self.enter(title)
        self.do("/bridge/sweep")
        return number

    def user(self, email: str) -> str:
        return f"user-{self.around.people[email]}"

    def click(self, person: str, decision: str = "approve", *, reason: str = "") -> str:
        """Press a button of the newest card in a chat."""
        card = re.findall(r'name="card" value="([^"]+)"', self.read(person))[-1]
        return self.do("/chat/click", person=person, card=card, decision=decision, reason=reason)


class Forms(HTMLParser):
    """The forms of a page, as a browser would send them untouched: fields and values, by action."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.of: dict[str, dict[str, str]] = {}
        self._now: dict[str, str] = {}
        self._name = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._now = self.of.setdefault(given["action"], {})
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self._now[given["name"]] = given.get("value", "")
        elif tag in ("select", "textarea"):
            self._name = given["name"]
            self._now[self._name] = ""
        elif tag == "option" and ("selected" in given or not self._now[self._name]):
            self._now[self._name] = given["value"]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "textarea" and self._name:
            self._now[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        self._name = "" if tag in ("select", "textarea") else self._name


@pytest.fixture
def office(functions: list[Function]) -> Iterator[Office]:
    world = World()
    app._built[:] = [world.bridge]
    people = {email: world.person(email, firstname=first) for email, (first, _) in PEOPLE.items()}
    around = Neighbours(
        world.coupa, world.moveworks, COUPA, MOVEWORKS, "memory", people, world.clock, store=None
    )
    moved: list[float] = []
    host = FunctionHost(functions, advance=moved.append)
    try:
        with served(host.wsgi) as url:
            yield Office(world, around, Client(Page(around, url)), moved)
    finally:
        app._built.clear()


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({}, {"token": "guessed"}),
        ({}, {"token": ""}),
        ({"Sec-Fetch-Site": "cross-site"}, {}),
        ({"Sec-Fetch-Site": "same-site"}, {}),
    ],
)
def test_a_post_that_this_page_did_not_make_does_nothing(
    office: Office, headers: dict[str, str], fields: dict[str, str]
) -> None:
    number = office.enter()

    answer = office.client.post(
        "/coupa/withdraw",
        data={"token": office.token, "document": str(number), **fields},
        headers=headers,
    )

    assert answer.status_code == 403
    assert office.world.coupa.world.document(number).status == "pending_approval"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7080", "127.0.0.1.evil.example:7080", ""])
def test_another_name_that_leads_here_gets_nothing(office: Office, host: str) -> None:
    answer = office.client.get("/", headers={"Host": host})

    assert answer.status_code in (400, 421)
    assert "token" not in answer.text


def test_nothing_may_frame_it_run_in_it_or_be_kept_of_it(office: Office) -> None:
    headers = office.client.get("/").headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?! src=)|\sstyle=|\son\w+=", office.read())


def test_no_action_token_and_no_secret_is_on_the_page(office: Office) -> None:
    office.told()
    token = office.world.moveworks.delivered[0].slots["action_token"]

    page = office.read(trace=office.world.moveworks.delivered[0].slots["approval_id"])

    assert token not in page
    assert "c4n4ry" not in page


@pytest.mark.parametrize(
    ("message", "html_"),
    [
        ("<b>a</b> <i>b</i><br>c", "<b>a</b> <i>b</i><br>c"),
        ("<ul><li>a</li></ul>", "<ul><li>a</li></ul>"),
        ("<script>alert(1)</script>x", "x"),
        ("<img src=x onerror=alert(1)>x", "x"),
        ('<b onclick="a()" style="top:0">x</b>', "<b>x</b>"),
        ('<a href="javascript:alert(1)">x</a>', '<a rel="noreferrer">x</a>'),
        (
            '<a href="https://a.test/?b=1&amp;c">x</a>',
            '<a href="https://a.test/?b=1&amp;c" rel="noreferrer">x</a>',
        ),
        (
            f'<a href="{COUPA}/requisition_headers/5001">x</a>',
            '<a href="/?a=b&amp;at=/requisition_headers/5001" rel="noreferrer">x</a>',
        ),
        (f'<a href="{COUPA}">x</a>', '<a href="/?a=b&amp;at=" rel="noreferrer">x</a>'),
        (
            f'<a href="{COUPA}.evil.test/x">x</a>',
            f'<a href="{COUPA}.evil.test/x" rel="noreferrer">x</a>',
        ),
        ("1 &lt; 2", "1 &lt; 2"),
        ("<b>never closed", "<b>never closed</b>"),
    ],
)
def test_a_message_shows_the_known_markup_and_nothing_else(message: str, html_: str) -> None:
    assert shown(message, coupa_url=COUPA, inside=lambda path: f"/?a=b&at={path}") == html_


def test_a_message_of_the_listener_has_a_title_and_a_link_like_any_other() -> None:
    message = f"*Sam asks*\nNumber 7\n- Reason: https://a.test/x\nOpen in Coupa: {COUPA}/invoices/7"

    card = drawn(message, coupa_url=COUPA, inside=lambda path: f"/?at={path}")

    assert (card.title, card.lines) == ("Sam asks", ["Number 7"])
    assert card.facts == [("", "Reason: https://a.test/x")]
    assert card.links == ['<a href="/?at=/invoices/7" rel="noreferrer">Open in Coupa</a>']


PIECES = [
    *("<b>", "</b>", "<i>", "</i>", "<br>", "\n", "- ", ": ", "<a href='x:y'>", '<a href="/?a">', "</a>"),
    *("*", f"x: {COUPA}/invoices/7", "<script>", "</script>", "<p", "<ul><li>", "&lt;", "<", ">", '"'),
    *("Supplier", "é", " "),
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_no_part_of_a_drawn_message_opens_what_another_closes(message: str) -> None:
    card = drawn(message, coupa_url=COUPA, inside=lambda path: f"/?at={path}")

    parts = [card.title, *card.lines, *card.links, *(part for fact in card.facts for part in fact)]
    again = [shown(part, coupa_url=COUPA, inside=str) for part in parts]
    assert parts == again
    assert "<script" not in "".join(parts)


def test_a_message_without_an_approval_offers_what_it_says_to_ask_and_nothing_else(office: Office) -> None:
    now, items = office.world.clock.now(), "<ul><li>Desk</li><li>Chair</li></ul>"
    office.world.moveworks.delivered += [
        Delivered(
            JAMIE, f"<b>2 approvals are waiting for you</b>{items}To decide here, ask: “{ASKED}”", {}, now
        ),
        Delivered(JAMIE, "It was approved by Robin Vega.", {}, now),
    ]

    log = office.read(JAMIE).partition('id="turns"')[2].partition("</ol>")[0]

    assert items in log
    assert re.findall(r"<button[^>]*>([^<]+)</button>", log) == [ASKED]
    assert 'name="card"' not in log


def test_the_list_shows_each_item_with_buttons_that_work(office: Office) -> None:
    office.enter("Desk")
    office.enter("Chair")

    page = office.do("/chat/ask")

    assert "2 approvals are waiting for you in Coupa." in page
    assert page.count('name="card"') == 2 * 2
    assert "approved, HTTP 200" in office.click(JAMIE)


def test_a_list_without_tokens_shows_each_item_and_offers_no_button(office: Office) -> None:
    office.world.settings["LIST_TOKENS"] = "off"
    office.world.restart()
    app._built[:] = [office.world.bridge]
    office.enter("Desk")

    page = office.do("/chat/ask")

    assert "1 approval is waiting for you in Coupa." in page
    assert "or open it in Coupa" in page
    assert 'name="card"' not in page
    assert 'name="tick-' not in page


def test_what_is_ticked_in_the_list_is_approved_together_and_the_rest_is_not(office: Office) -> None:
    office.enter("Desk", copies="3")
    page = office.do("/chat/ask")
    ticks = re.findall(r'name="(tick-[^"]+)"', page)
    [turn] = set(re.findall(r'name="turn" value="([^"]+)"', page))

    page = office.do("/chat/several", turn=turn, **dict.fromkeys(ticks[:2], "1"))

    assert "Approved: 2 requests." in page
    assert "85001 approved, 85002 approved, HTTP 200" in page
    assert [each.status for each in office.world.coupa.world.approvals.rows.values()] == [
        "approved",
        "approved",
        "pending_approval",
    ]
    assert "Nothing was ticked." in office.do("/chat/several", turn=turn)
    assert "Nothing was ticked." in office.do("/chat/several", turn=turn, person=ROBIN, **{ticks[2]: "1"})


@pytest.fixture
def all_kinds(office: Office) -> Office:
    """Return an office whose bridge announces every kind of document."""
    office.world.settings["DOCUMENT_TYPES"] = ",".join(NAMES)
    office.world.restart()
    app._built[:] = [office.world.bridge]
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


def test_outcomes_are_kept_for_the_newest_forms_only() -> None:
    outcomes = Outcomes()

    keys = [outcomes.keep(Outcome(Done("sweep", str(number)))) for number in range(KEPT + 1)]

    assert outcomes.get(keys[0]) == outcomes.get("guessed") == Outcome()
    assert outcomes.get(keys[-1]).done.said == str(KEPT)


def test_a_sweep_that_could_not_read_is_not_said_to_have_gone_well(office: Office) -> None:
    office.do("/faults/break", neighbour="Coupa", fault="down")

    page = office.do("/bridge/sweep")

    assert re.search(r'class="remark bad"[^>]*>Swept with a failure \(coupa 503\): no new notices', page)
    assert 'class="bad">Broken here on purpose: Coupa is down: HTTP 503.' in page
    assert "All is well" not in page
    office.do("/faults/mend", neighbour="Coupa")
    assert 'class="bad">The last sweep met a failure (coupa 503).' in office.read()
    assert "All is well: nothing is pending in Coupa." in office.do("/bridge/sweep")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("Do I have any approvals?", "1 approval is waiting for you in Coupa."),
        ("what is PENDING", "1 approval is waiting for you in Coupa."),
        ("anything waiting for me?", "1 approval is waiting for you in Coupa."),
        ("hello", "I can show what waits for you, and what you decided."),
        ("<b>hello</b>", "I can show what waits for you, and what you decided."),
    ],
)
def test_the_list_comes_to_whoever_asks_for_it_in_their_own_words(
    office: Office, typed: str, answer: str
) -> None:
    office.enter()

    page = html.unescape(office.do("/chat/write", message=typed))

    assert re.findall(r'<p class="bubble">(.+?)</p>', page)[0] == typed
    assert answer in page
    assert page.count("waiting for you in Coupa") == ("waiting" in answer)


EXAMPLES = [
    (name, typed)
    for name in ("coupa_my_approvals", "coupa_my_decisions")
    for typed in lists(section("plugins.md", f"`{name}`"))[0]
]
"""What people write, beside the plugin that it triggers."""


@pytest.mark.parametrize(("plugin", "typed"), EXAMPLES)
def test_what_triggers_a_plugin_is_answered_as_by_it(office: Office, plugin: str, typed: str) -> None:
    office.enter("Desk <b>1</b>")
    office.do("/bridge/sweep")
    office.click(JAMIE)
    office.enter("Chair")

    page = (
        html.unescape(office.do("/chat/write", message=typed)).partition(typed)[2].partition('id="coupa"')[0]
    )

    if plugin == "coupa_my_decisions":
        assert "1 decision of yours was found for the last 30 days." in page
        assert re.search("Approved on .+: “Desk <b>1</b>” · in chat", page)
        assert re.search(r'<a href="/\?[^"]*coupa=5001[^"]*"[^>]*>Open in Coupa</a>', page)
        assert "waiting for you" not in page
    else:
        assert "1 approval is waiting for you in Coupa." in page
        assert "decision of yours" not in page


@pytest.mark.parametrize("language", WORDS)
def test_both_questions_that_are_proposed_are_understood_in_each_language(
    office: Office, language: str
) -> None:
    office.world.coupa.world.users.rows[office.around.people[JAMIE]].default_locale = language
    proposed = re.findall("[“«「] ?(.+?) ?[”»」]", WORDS[language].lost)

    pages = [office.do("/chat/write", message=typed) for typed in proposed]

    assert proposed[0] == WORDS[language].asked
    assert "list, HTTP 200" in pages[0]
    assert "decisions, HTTP 200" in pages[1]


def test_nothing_is_said_to_a_message_that_is_none(office: Office) -> None:
    page = office.do("/chat/write", message="  ", form="write")

    assert 'id="write-message-wrong">Type a message first.' in page
    assert 'class="bubble"' not in page


def test_many_cards_at_once_are_short_and_days_and_speakers_are_told_apart(office: Office) -> None:
    office.told("Desk")
    office.do("/bridge/advance", seconds="86400")
    office.enter("Chair", copies="3")
    office.do("/bridge/sweep")
    office.do("/chat/ask")

    log = office.read().partition('id="turns"')[2].partition("</ol>\n</div>")[0]

    days = re.findall(r'class="day"[^>]*><time datetime="([^"]+)">', log)
    assert days == sorted(set(days))
    assert len(days) == 2
    speakers = re.findall(r'class="(own|bot) begins"', log)
    assert speakers == ["bot", "bot", "own", "bot"]
    assert log.count('class="more"') == 3 + 4
    assert log.count("waiting for you in Coupa") == 1


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
    pages["broken"] = office.do("/faults/break", neighbour="Coupa", fault="down")
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
    act: dict[str, Any] = {
        "coupa": "5001",
        "approval": first,
        "by": office.user(JAMIE),
        "decision": "approved",
        "note": "At my desk.",
    }

    assert "was approved in Coupa" in office.do("/coupa/decide", **act)
    assert "The approval is not pending." in office.do("/coupa/decide", **act)


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
        (
            "/coupa/delegate",
            {"by": "user-102", "to": "user-102", "days": "1"},
            "Nobody is their own delegate.",
        ),
        (
            "/coupa/delegate",
            {"by": "user-102", "to": "user-103", "days": "999"},
            "Days must be from 1 to 365.",
        ),
        ("/coupa/end-delegation", {"delegation": "7"}, "There is no such delegation."),
        ("/chat/click", {"card": "turn-9-0", "decision": "approve"}, "There is no such card in this chat."),
        ("/chat/several", {"turn": "turn-0", "tick-turn-0-0": "1"}, "Nothing was ticked."),
        ("/bridge/advance", {"seconds": "1"}, "Time does not move so far."),
        ("/faults/break", {"neighbour": "Coupa", "fault": "x"}, "There is no such switch."),
        ("/faults/break", {"neighbour": "Table store", "fault": "hang"}, "There is no such switch."),
        ("/faults/mend", {"neighbour": "x"}, "There is no such neighbour."),
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


def test_a_button_that_is_none_is_not_pressed(office: Office) -> None:
    office.told()

    assert "There is no such button." in office.click(JAMIE, "explode")


def test_nobody_presses_a_button_of_somebody_elses_chat(office: Office) -> None:
    office.told()

    page = office.do("/chat/click", person=ROBIN, card="notice-0-0", decision="approve")

    assert "There is no such card in this chat." in page
    assert office.world.puts() == 0


@pytest.mark.parametrize(
    ("fault", "said"), [("down", "HTTP 503"), ("cut", "HTTP 503"), ("lost", "approved, HTTP 200")]
)
def test_a_fault_at_coupa_shows_in_the_answer_and_is_mended(office: Office, fault: str, said: str) -> None:
    office.told()
    assert "Now: " in office.do("/faults/break", neighbour="Coupa", fault=fault)
    assert said in office.click(JAMIE)
    assert "Coupa works again." in office.do("/faults/mend", neighbour="Coupa")

    assert "approved, HTTP 200" in office.click(JAMIE)


def test_a_table_store_that_hangs_is_said_and_mended(office: Office, azurite_server: Azurite) -> None:
    office.around.store = azurite_server
    office.around.storage = azurite_server.connection_string
    try:
        assert "The table store does not answer." in office.do(
            "/faults/break", neighbour="Table store", fault="hang"
        )
        assert "Now: does not answer" in office.read()
    finally:
        page = office.do("/faults/mend", neighbour="Table store")

    assert "Table store works again." in page
    assert "does not answer" not in page.partition("Audit record")[2].partition("</div>")[0]


def test_time_moves_for_everybody(office: Office) -> None:
    before = office.around.clock.now()

    assert "It is 1 day later." in office.do("/bridge/advance", seconds="86400")

    assert (office.around.clock.now() - before).days == 1
    assert office.moved == [86_400]


def test_it_says_when_time_cannot_be_moved_or_the_app_is_away(office: Office) -> None:
    alone = Office(office.world, office.around, Client(Page(office.around, "http://127.0.0.1:9")))
    office.world.moveworks.delivered.append(
        Delivered(JAMIE, "Hi", {"approval_id": "1"}, office.world.clock.now())
    )

    assert "The function app does not answer" in alone.read(trace="85001")
    assert "The function app does not answer." in alone.do("/bridge/sweep")
    assert "The function app does not answer." in alone.do("/bridge/advance", seconds="900")
    assert "no answer" in alone.do("/chat/ask")
    assert "no answer" in alone.click(JAMIE)


@pytest.mark.parametrize(
    ("key", "path", "said"),
    [
        (None, "/bridge/advance", "keeps the machine's time"),
        ("k", "/bridge/sweep", "The function app refused: HTTP 401."),
    ],
)
def test_a_host_that_cannot_move_time_or_wants_a_key_is_said_to(
    office: Office, functions: list[Function], key: str | None, path: str, said: str
) -> None:
    with served(FunctionHost(functions, function_key=key).wsgi) as url:
        page = Office(office.world, office.around, Client(Page(office.around, url)))

        assert said in html.unescape(page.do(path, seconds="900"))


def test_an_approval_is_traced(office: Office) -> None:
    office.told()
    number = office.world.moveworks.delivered[0].slots["approval_id"]

    assert f"{JAMIE} was told" in office.read(trace=number)
    assert "The bridge has never seen this approval." in office.read(trace="99")
    assert "never seen" not in office.read(trace="9<9")


def test_cycle_times_are_a_plot_with_bars_as_long_as_the_waits(office: Office) -> None:
    assert "Nothing has been decided yet." in office.read()

    for title, person, days in (("Desk", JAMIE, 1), ("Chair", ROBIN, 2)):
        office.enter(title, first=office.user(person))
        office.do("/bridge/sweep")
        for _ in range(days):
            office.do("/bridge/advance", seconds="86400")
        office.click(person)
        office.do("/bridge/sweep")

    plot = office.read().partition('id="cycle"')[2].partition("</details>")[0]
    assert re.findall(r"<span>([a-z@.]+): purchase request", plot) == [JAMIE, ROBIN]
    assert re.findall(r'class="value">(1 d|2 d)', plot) == ["1 d", "2 d"]
    one, two = map(float, re.findall(r'class="median" y="2" width="([\d.]+)"', plot))
    assert 0 < one < two < 100
    assert re.findall(r"<text[^>]*>([^<]+)</text>", plot) == [
        "0 s",
        "10 s",
        "1 min",
        "10 min",
        "1 h",
        "1 d",
        "7 d",
    ]


@given(st.lists(st.tuples(st.floats(0, 1e8), st.floats(0, 1e8)).map(sorted), max_size=6))
def test_every_bar_fits_into_the_grid(waits: list[list[float]]) -> None:
    rows = [
        {"week": "2026-W48", "document_type": "Contract", "approver": "user:7", "count": 1}
        | {"median_s": median, "p95_s": p95}
        for median, p95 in waits
    ]

    plot = plotted(rows, {"user:7": JAMIE})

    assert len(plot.bars) == len(rows)
    assert all(0 <= bar.median_width <= bar.p95_width <= 100 for bar in plot.bars)
    assert plot.grid == sorted(plot.grid)
    assert plot.grid[0] == (0, "0 s")
    assert plot.grid[-1][0] <= 100
    longest = max((p95 for _, p95 in waits), default=0.0)
    assert longest > LINES_S[-1] or plot.grid[-1][0] == 100


def test_the_log_is_shown_from_its_end_and_never_as_markup(office: Office, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("earliest\n" + "filler\n" * 5_000 + "<b>last</b>\n", "utf-8")

    page = Client(Page(office.around, "http://127.0.0.1:9", log=log)).get("/").text

    assert "&lt;b&gt;last&lt;/b&gt;" in page
    assert "earliest" not in page


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/page.css", 200),
        ("GET", "/page.js", 200),
        ("GET", "/server.py", 404),
        ("GET", "/../server.py", 404),
        ("PUT", "/", 405),
        ("HEAD", "/", 200),
    ],
)
def test_there_is_one_page_and_two_files(office: Office, method: str, path: str, status: int) -> None:
    assert office.client.open(path, method=method).status_code == status


def test_a_form_that_is_none_is_404_and_a_huge_one_is_refused(office: Office) -> None:
    assert office.send("/coupa/burn").status_code == 404
    assert office.send("/chat/ask", reason="x" * 70_000).status_code == 413
