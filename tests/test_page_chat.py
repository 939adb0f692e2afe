"""The sandbox's page: its chats, and what they show of texts from other people."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from azure.functions.decorators.function_app import Function
from bridge import COUPA, JAMIE, ROBIN
from hypothesis import given
from hypothesis import strategies as st
from page_office import Office, opened
from pages import lists, section

from sandbox.moveworks import Delivered
from sandbox.page.chat import ASKED, WORDS
from sandbox.page.markup import drawn, shown

pytestmark = pytest.mark.slow


@pytest.fixture
def office(functions: list[Function]) -> Iterator[Office]:
    with opened(functions) as made:
        yield made


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
    office.change(LIST_TOKENS="off")
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


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("Do I have any approvals?", "1 approval is waiting for you in Coupa."),
        ("what is PENDING", "1 approval is waiting for you in Coupa."),
        ("anything waiting for me?", "1 approval is waiting for you in Coupa."),
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


@pytest.mark.parametrize(
    ("person", "decision", "said"),
    [
        (JAMIE, "explode", "There is no such button."),
        (ROBIN, "approve", "There is no such card in this chat."),
    ],
)
def test_nobody_presses_a_button_that_is_none_or_one_of_somebody_elses_chat(
    office: Office, person: str, decision: str, said: str
) -> None:
    office.told()

    assert said in office.do("/chat/click", person=person, card="notice-0-0", decision=decision)
    assert office.world.puts() == 0
