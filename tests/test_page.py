"""The sandbox's page without a browser: what it answers and refuses, and how it shows others' texts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from azure.functions.decorators.function_app import Function
from bridge import COUPA, MOVEWORKS, World
from werkzeug.test import Client, TestResponse

from coupa_core import app
from sandbox.azurite import Azurite
from sandbox.coupa.world import Group
from sandbox.host import FunctionHost
from sandbox.moveworks import Delivered
from sandbox.neighbours import PEOPLE, Neighbours
from sandbox.page import Page
from sandbox.page.chat import ASKED
from sandbox.page.markup import shown
from sandbox.serving import served

pytestmark = pytest.mark.no_cover  # it is slow, and quicker tests ask for every branch

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
        wish = {"title": title, "copies": "1", "quantity": "2", "price": "10.00", "currency": "USD"}
        wish |= {"requester": self.user(SAM), "first": self.user(JAMIE)}
        self.do("/coupa/create", **{**wish, **fields})
        return int(self.world.coupa.world.documents["RequisitionHeader"].ids[-1])

    def user(self, email: str) -> str:
        return f"user-{self.around.people[email]}"

    def click(self, person: str, decision: str = "approve", *, reason: str = "") -> str:
        """Press a button of the newest card in a chat."""
        card = re.findall(r'name="card" value="([^"]+)"', self.read(person))[-1]
        return self.do("/chat/click", person=person, card=card, decision=decision, reason=reason)


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


def test_a_request_goes_from_coupa_to_chat_and_back(office: Office) -> None:
    number = office.enter("Desk & <chair>")
    assert "Swept: 1 new notice." in office.do("/bridge/sweep")
    assert "Desk &amp; &lt;chair&gt;" in office.read(JAMIE)
    assert 'name="card"' not in office.read(ROBIN)

    page = office.click(JAMIE)

    assert "approved, HTTP 200" in page
    assert office.world.coupa.world.document(number).status == "approved"


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
    office.enter()
    office.do("/bridge/sweep")
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
            '<a href="#document-5001" rel="noreferrer">x</a>',
        ),
        ("1 &lt; 2", "1 &lt; 2"),
        ("<b>never closed", "<b>never closed</b>"),
    ],
)
def test_a_message_shows_the_known_markup_and_nothing_else(message: str, html_: str) -> None:
    assert shown(message, coupa_url=COUPA) == html_


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


def test_a_changed_request_is_shown_again_with_buttons_that_work(office: Office) -> None:
    number = office.enter()
    office.do("/bridge/sweep")
    office.do("/coupa/edit", document=number, line="0", quantity="3", price="20.00")

    assert "changed, HTTP 200" in office.click(JAMIE)

    assert "USD 60.00" in office.read(JAMIE)
    assert "approved, HTTP 200" in office.click(JAMIE)


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

    assert "Joined." in office.do("/coupa/join", group=number, member=office.user(JAMIE))
    assert "Left." in office.do("/coupa/leave", group=number, member=office.user(ROBIN))

    members = office.world.coupa.world.groups.rows[number].users
    assert [each.email for each in members] == [JAMIE]


def test_a_delegation_begins_and_ends(office: Office) -> None:
    office.do("/coupa/delegate", by=office.user(JAMIE), to=office.user(ROBIN), days="3")
    office.enter()
    office.do("/bridge/sweep")
    assert "for Jamie Doe" in office.read(ROBIN)

    assert "The delegation has ended." in office.do("/coupa/end-delegation", delegation="1")

    assert "not your approval" in office.click(ROBIN).replace("_", " ")


def test_what_was_sent_back_can_be_submitted_again(office: Office) -> None:
    number = office.enter()
    office.do("/bridge/sweep")
    assert "rejected, HTTP 200" in office.click(JAMIE, "reject", reason="Too dear.")
    assert "sent back: Jamie Doe" in office.read()

    office.do("/coupa/resubmit", document=number)

    assert "Swept: 1 new notice." in office.do("/bridge/sweep")


def test_coupas_own_screen_decides_once(office: Office) -> None:
    office.enter(then=office.user(ROBIN))
    [first, _] = office.world.coupa.world.approvals.ids
    act: dict[str, Any] = {
        "approval": first,
        "by": office.user(JAMIE),
        "decision": "approved",
        "note": "At my desk.",
    }

    assert "was approved in Coupa" in office.do("/coupa/decide", **act)
    assert "The approval is not pending." in office.do("/coupa/decide", **act)


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
    wish = {"title": "Desk", "copies": "1", "quantity": "1", "price": "1", "currency": "USD"}
    wish |= {"requester": office.user(SAM)}
    wish |= {"first": office.user(JAMIE)} if path == "/coupa/create" else {}

    page = office.do(path, **{**wish, **fields})

    assert said in html.unescape(page)


def test_a_button_that_is_none_is_not_pressed(office: Office) -> None:
    office.enter()
    office.do("/bridge/sweep")

    assert "There is no such button." in office.click(JAMIE, "explode")


def test_nobody_presses_a_button_of_somebody_elses_chat(office: Office) -> None:
    office.enter()
    office.do("/bridge/sweep")

    page = office.do("/chat/click", person=ROBIN, card="notice-0-0", decision="approve")

    assert "There is no such card in this chat." in page
    assert office.world.puts() == 0


@pytest.mark.parametrize(
    ("fault", "said"), [("down", "HTTP 503"), ("cut", "HTTP 503"), ("lost", "approved, HTTP 200")]
)
def test_a_fault_at_coupa_shows_in_the_answer_and_is_mended(office: Office, fault: str, said: str) -> None:
    office.enter()
    office.do("/bridge/sweep")
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


def test_a_host_that_cannot_move_time_says_so(office: Office, functions: list[Function]) -> None:
    with served(FunctionHost(functions).wsgi) as url:
        page = Office(office.world, office.around, Client(Page(office.around, url)))

        assert "keeps the machine's time" in html.unescape(page.do("/bridge/advance", seconds="900"))


def test_a_host_that_wants_a_key_is_said_to_refuse(office: Office, functions: list[Function]) -> None:
    with served(FunctionHost(functions, function_key="k").wsgi) as url:
        page = Office(office.world, office.around, Client(Page(office.around, url)))

        assert "The function app refused: HTTP 401." in page.do("/bridge/sweep")


def test_an_approval_is_traced(office: Office) -> None:
    office.enter()
    office.do("/bridge/sweep")
    number = office.world.moveworks.delivered[0].slots["approval_id"]

    assert f"{JAMIE} was told" in office.read(trace=number)
    assert "The bridge has never seen this approval." in office.read(trace="99")
    assert "never seen" not in office.read(trace="9<9")


def test_cycle_times_are_a_table_with_bars_as_long_as_the_waits(office: Office) -> None:
    assert "Nothing has been decided yet." in office.read()

    for title, person, days in (("Desk", JAMIE, 1), ("Chair", ROBIN, 2)):
        office.enter(title, first=office.user(person))
        office.do("/bridge/sweep")
        for _ in range(days):
            office.do("/bridge/advance", seconds="86400")
        office.click(person)
        office.do("/bridge/sweep")

    plot = office.read().partition('id="cycle"')[2].partition("</section>")[0]
    assert re.findall(r"<td>(1 d|2 d)</td>", plot) == ["1 d", "1 d", "2 d", "2 d"]
    assert re.findall(r'class="median" width="([\d.]+)"', plot) == ["50.0", "100.0"]


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
