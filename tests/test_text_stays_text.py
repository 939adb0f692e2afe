"""No text of other people makes markup, a link, a mention or an emoji in any channel, and its letters stay.

This file finds each channel's marks with its own rules, not with the rules that keep them out.
"""

from __future__ import annotations

import html
import re
import unicodedata
from html.parser import HTMLParser

import pytest
from bridge import LISTENER, World
from goldens import card
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coupa_core.documents import parse_document
from coupa_core.endpoints import Reply
from coupa_core.model import parse_approval
from coupa_core.moveworks import chat
from coupa_core.notice import Style, clean, is_blank, safe_html, text_to_html

ANN, JAMIE = "ann@example.com", "jamie@example.com"
PIECES = [
    *"aZ\u00e97 .:/@#!<>&\"'*_`~|[]()-+=\\\n\t\u3002\uff0e\u0301\U0001f4a9\ufe0f\u200b",
    *"\u202e\u2066\u3164\u2800\u034f\u00ad\u05d0\ud83d\ufffe",
    *("fire", "http", "www", "evil", "example", "com", "\u092d\u093e\u0930\u0924", "//", "users/all", "&lt;"),
    *("&#42;", "<b>", "</b>", "<a href='https://evil.example'>", "+1"),
]
written = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60)

BLANK = "\u115f\u1160\u3164\uffa0"
LINK = re.compile(
    r"(?i)https?://|(?<!hxxp)(?<!hxxps)://|\bwww\.|\]\(|<[!@#]|<users/"
    r"|(?<![\w.+@-])[^\s\x00-,./:-@\[-^`{-\x7f]+[.\u3002\uff0e\uff61][a-z\u0400-\u0fff][^\W\d_](?!\w*@)"
)
EMOJI = re.compile(r":[\w+'-]+:")
LOOKALIKES = str.maketrans({"\u2217": "*", "\u2035": "`", "\u223c": "~", "\uff3f": "_"})
"""No name of a host has one of these."""
MAIL = re.compile(r"[\w.+-]+@[\w.-]+")


def letters(text: str) -> str:
    """Return the letters and digits that can be seen, as people would read them aloud."""
    return "".join(char for char in text if char.isalnum() and char not in BLANK)


def read_aloud(text: str) -> str:
    """Return the letters of a text as they may be shown: `http` before `://` is the one word that changes."""
    return re.sub(r"(?i)http(?=s?://)", "hxxp", text)


class Reader(HTMLParser):
    """What a chat program that knows HTML would see: tags, and text."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.shown = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.shown += "\n" if tag == "br" else ""

    def handle_data(self, data: str) -> None:
        self.shown += data
        self.texts.append(data)


def shows_nothing(char: str) -> bool:
    """Tell whether a character is hidden; a currency sign, emoji or ideograph may be too new for Python."""
    is_new = "\u20a0" <= char <= "\u20cf" or "\U0001f000" <= char <= "\U0003fffd"
    category = unicodedata.category(char)
    return category in ("Cf", "Cc", "Cs", "Co", "Cn") and not (category == "Cn" and is_new)


def faults(shown: str) -> list[str]:
    """Return what would be a link, a mention or an emoji, or turns the line around."""
    said = MAIL.sub("", re.sub("[\u2060\u2068\u2069]", "", shown))
    turning = [char for char in said if shows_nothing(char)]
    kept = [char for char in turning if char != "\n"]
    return [*LINK.findall(said), *EMOJI.findall(said), *kept]


def visible_of(text: str) -> str:
    """Return a text without what cannot be seen: that parts no letters."""
    gone = "[\u034f\ufe0f]"
    return "".join(char for char in re.sub(gone, "", text) if char.isspace() or not shows_nothing(char))


@pytest.mark.slow
@given(written)
@example("evil\u0301.example")
@example("\U0001f4a9.la")
@example("*b* _i_ `c` ~d~ :white_check_mark:")
@settings(max_examples=400, deadline=None)
def test_a_text_makes_no_link_mention_or_emoji_and_its_letters_stay(text: str) -> None:
    shown = clean(text, 10_000)

    assert faults(shown) == []
    assert letters(shown) == letters(read_aloud(visible_of(text)))
    assert is_blank(text) == (not shown)


@pytest.mark.slow
@given(written)
@example("*bold* _it_ `code` ~no~ ```x``` **b** __c__ snake_case _")
@example("# h\n> q\n---\n===\n+ x\n|a|\n1) x")
@settings(max_examples=400, deadline=None)
def test_over_the_listener_a_plain_message_stays_plain(text: str) -> None:
    shown = chat.chat_text(text_to_html(text, 10_000))

    marks = [
        *re.findall(r"[*`~<>]", shown),
        *re.findall(r"(?<![^\W_])_|_(?![^\W_])", shown),
        *re.findall(r"(?m)^(?:#|&gt;|=|\||\+|--)", shown),
        *re.findall(r"&(?!(?:amp|lt|gt);)", shown),
    ]
    assert marks == []
    seen = html.unescape(shown).translate(LOOKALIKES)
    assert faults(seen) == []
    assert letters(seen) == letters(read_aloud(visible_of(text)))


@pytest.mark.slow
@given(written, written)
@settings(max_examples=200, deadline=None)
def test_a_notice_has_no_marks_but_ours_whatever_its_title_and_lines_say(title: str, line: str) -> None:
    item = {"id": 1, "quantity": "2"}
    raw = {"id": 7, "req-title": title, "requisition-lines": [item | {"description": line}]}
    quiet_title = "x" if clean(title, 80) else ""
    quiet = {"id": 7, "req-title": quiet_title, "requisition-lines": [item | {"description": "x"}]}
    approval = parse_approval({"id": 1, "status": "pending_approval"})
    texts = []
    for each in (raw, quiet):
        document = parse_document("RequisitionHeader", each)
        assert approval is not None
        assert document is not None
        texts.append(card(document, Style(base_url="https://a.test"), about=approval))
    said, plainly = texts

    assert Reader(said).tags == Reader(plainly).tags
    assert chat.chat_text(said).count("*") == chat.chat_text(plainly).count("*") == 2


@pytest.mark.slow
@given(written)
@example("<b>\u202eevil</b> http://evil.example <a href='https://x.test/\u202e'>x</a>")
@example("<b></b> \u3164")
@settings(max_examples=300, deadline=None)
def test_markup_that_is_relayed_has_harmless_texts(text: str) -> None:
    shown = safe_html(text)

    reader = Reader(shown)
    assert set(reader.tags) <= {"b", "i", "br", "ul", "li", "a"}
    assert [faults(each) for each in reader.texts if faults(each)] == []
    assert (shown == "") == is_blank(reader.shown)
    assert not re.search("[\u202a-\u202e\u2066\u2067\ud800-\udfff]", shown)


# ---------------------------------------------------------------------- as people and callers see it

RELAY = {"RELAY_DOMAINS": "example.com", "RELAY_HTML": "on"}


def relayed(world: World, message: str, *, html: bool) -> Reply:
    return world.call("notifications", json={"message": message, "recipients": [ANN], "html": html})


def test_over_the_listener_a_title_has_no_marks() -> None:
    world = World(settings=LISTENER)
    card = world.offer(title="*bold* _i_ `c` ~s~ :white_check_mark: SKU_1_A")

    shown = "\u2217bold\u2217 \uff3fi\uff3f \u2035c\u2035 \u223cs\u223c \u2236white_check_mark: SKU_1_A"
    assert f"\u201c{shown}\u201d, USD" in card.message.split("\n")[0]


@pytest.mark.parametrize(
    "blank", ["\u3164", "\u2800", "\u115f\u1160", "\ufe0f", "\u200b \u3164", "\U000e0100"]
)
def test_a_title_that_shows_nothing_is_none(blank: str) -> None:
    world = World()
    card = world.offer(title=blank)

    assert "<i>Title</i>" not in card.message


@pytest.mark.parametrize("blank", ["\u3164", "\u2800 \u2800", "\u200b", "\n\n\u3164\n"])
def test_a_reason_a_question_and_a_message_that_show_nothing_are_none(blank: str) -> None:
    world = World(settings=RELAY)
    world.requisition(JAMIE)
    (card,) = world.announced()

    refused = world.click(card, JAMIE, "reject", reason=blank)
    asked = world.call(
        "comment", headers={"X-Actor-Email": JAMIE}, route={"approval_id": "1"}, json={"comment": blank}
    )
    replies = [relayed(world, blank, html=False), relayed(world, f"<b>{blank}</b><br>", html=True)]

    assert refused.body["outcome"] == "reason_required"
    assert (asked.status, asked.body["error"]) == (400, "no_comment")
    assert [(reply.status, reply.body["error"]) for reply in replies] == [(400, "bad_message")] * 2


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("<b>a\u202eb</b> \u2066c\u2069", "<b>ab</b> c"),
        ("see http://evil.example :fire:", "see hxxp://evil[.]example \u2236fire:"),
        ("<i>evil.example</i>", "<i>evil[.]example</i>"),
        (
            '<a href="https://x.test/?a=1&b=%2e">go to x.test</a>',
            '<a href="https://x.test/?a=1&amp;b=%2e">go to x[.]test</a>',
        ),
        ("1 &lt; 2 &amp; it's", "1 &lt; 2 &amp; it&#x27;s"),
        ("a <b>b</b> c", "a <b>b</b> c"),
    ],
)
def test_the_texts_of_relayed_markup_are_defused(message: str, shown: str) -> None:
    world = World(settings=RELAY)

    reply = relayed(world, message, html=True)

    assert reply.status == 200
    assert [each.message for each in world.moveworks.delivered] == [shown]


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ('<a href="https://x.test/a_b_c/_d_"><b>x</b></a>', "*x*: https://x.test/a_b_c/_d_"),
        ("<a>x</a>", "x"),
        ("<ul><li>a</li></ul>b", "\n- ab"),
        ("<b>*</b>", "*\u2217*"),
        ("<br>#1", "\n\u2060#1"),
        ("x<br>&gt; y", "x\n\u2060&gt; y"),
    ],
)
def test_marks_are_those_of_the_tags(markup: str, shown: str) -> None:
    assert chat.chat_text(markup) == shown
