"""Texts of other people, through the real surface, seen as bytes: each stays text, in its field, on one line.

The encoder of this file makes the expected bytes, and the corpora hold the expected texts; the code under
test makes neither.
"""

from __future__ import annotations

import html
import json
import logging
import re
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import pytest
from azure.functions.decorators.function_app import Function
from bridge import World
from corpora import GOOD_IDS, IDS, MARK, REASONS, TEXTS
from surface import JAMIE, ROBIN, Sent, Surface, surface

from coupa_core.coupa.fields import APPROVAL_FIELDS, CHAIN_FIELDS, DOCUMENT_FIELDS
from coupa_core.model import DocumentKind
from sandbox.coupa.world import Line

pytestmark = pytest.mark.slow

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
"""https://www.rfc-editor.org/rfc/rfc3986#section-2.3"""


def encoded(text: str) -> str:
    """Encode a value of a query: space is +, unreserved stays, every other byte is %XX."""
    return "".join(
        "+" if byte == 0x20 else chr(byte) if byte in UNRESERVED else f"%{byte:02X}" for byte in text.encode()
    )


def escaped(text: str) -> str:
    """Escape for the markup of a notice."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#x27;")):
        text = text.replace(char, entity)
    return text


def fields(names: Sequence[Any]) -> str:
    return "fields=" + encoded(json.dumps(names).replace(", ", ",").replace(": ", ":"))


# ---------------------------------------------------------------------- ids


READ = re.compile(r"GET /api/(approvals|requisitions)(/[1-9][0-9]{0,18})?\?[A-Za-z0-9._~%+=&-]+")
WRITE = re.compile(r"PUT /api/approvals/[1-9][0-9]{0,18}/(approve|reject|hold)\?reason=[A-Za-z0-9._~%+-]*")
PEOPLE = re.compile(r"GET /api/(users|delegations)\?[A-Za-z0-9._~%+=&-]+")
ALLOWED = {
    "coupa": re.compile(f"POST /oauth2/token|{READ.pattern}|{WRITE.pattern}|{PEOPLE.pattern}"),
    "moveworks": re.compile(r"POST /rest/v1/events/[0-9a-f-]{36}/messages/send|GET /rest/v1/auth/test"),
}
HEADERS = {
    *("host", "user-agent", "accept", "accept-encoding", "connection"),
    *("authorization", "content-type", "content-length", "x-request-id"),
}


def faults_on_the_wire(app: Surface) -> list[str]:
    """Return every request that is not of the few forms there are, or has a header or a body too many."""
    faults = []
    everything = [("coupa", each) for each in app.coupa.sent()]
    everything += [("moveworks", each) for each in app.moveworks.sent()]
    for name, sent in everything:
        head = sent.raw.partition(b"\r\n\r\n")[0].decode("ascii")
        lines = head.split("\r\n")
        names = [line.partition(":")[0].lower() for line in lines[1:]]
        if (
            not ALLOWED[name].fullmatch(sent.target)
            or len(set(names)) < len(names)
            or not set(names) <= HEADERS
            or not any(re.fullmatch(r"(?i)x-request-id: [\w.-]{1,64}", line, re.ASCII) for line in lines)
            or "\n" in head.replace("\r\n", "")
            or _length(lines) != len(sent.body)
        ):
            faults.append(head)
    return faults


def _length(lines: list[str]) -> int:
    return sum(int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:"))


@contextmanager
def log_kept(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Collect what the product logs, and check that it is one printable line each, with none of the texts."""
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    said: list[str] = []
    yield said
    records = [record for record in caplog.records if record.name.startswith("coupa_core")]
    said += [record.getMessage() for record in records]
    assert [each for each in said if not each.isprintable()] == []
    assert [record.getMessage() for record in records if record.exc_info] == []


@pytest.mark.parametrize("number", GOOD_IDS)
def test_a_number_stands_in_the_url_as_it_came(functions: list[Function], number: str) -> None:
    with surface(functions, World()) as app:
        reply = app.call("GET", f"approvals/{number}", headers={"X-Actor-Email": JAMIE})
        targets = [each.target for each in app.coupa.sent()]

    assert reply.status_code == 404
    assert targets == ["POST /oauth2/token", f"GET /api/approvals/{number}?{fields(APPROVAL_FIELDS)}"]


def test_an_id_of_coupas_goes_into_no_url_unless_it_is_a_number(
    functions: list[Function], caplog: pytest.LogCaptureFixture
) -> None:
    """Coupa's own answers may be wrong, or somebody else's: whatever stands for an id stays out of a path."""
    world = World()
    for place, number in enumerate(IDS):
        for key in ("approvable-id", "approver-id"):
            request = world.requisition(JAMIE, title=f"{key} {place}")
            [approval] = world.coupa.world.approvals_of(request)
            approval.raw[key] = number
    world.requisition(ROBIN)

    with log_kept(caplog), surface(functions, world) as app:
        summary = app.world.sweep()
        told = [each.recipient for each in app.world.moveworks.delivered]

        assert summary.is_complete
        assert ROBIN in told
        assert faults_on_the_wire(app) == []


# ---------------------------------------------------------------------- reasons


@pytest.fixture(scope="module")
def decided(functions: list[Function]) -> Iterator[tuple[Surface, list[Any]]]:
    """Serve an app in which Jamie has a card for each reason, and one more."""
    world = World()
    for _ in range(2 * len(REASONS) + 20):
        world.requisition(JAMIE)
    with surface(functions, world) as app:
        yield app, list(world.announced())


@pytest.mark.parametrize("place", ["body", "query"])
def test_a_reason_arrives_as_one_encoded_parameter(
    decided: tuple[Surface, list[Any]], place: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, cards = decided
    wrong: list[object] = []
    with log_kept(caplog) as said:
        for given, shown in REASONS:
            card = cards.pop()
            app.coupa.clear()
            if place == "body":
                reply = app.click(card, "reject", json={"reason": given})
            elif len(given.encode()) <= 1_500:
                reply = app.click(card, "reject", params={"reason": given})
            else:
                continue
            number = card.slots["approval_id"]
            expected = f"PUT /api/approvals/{number}/reject?reason={encoded(MARK + shown)}"
            sent = [each.target for each in app.coupa.sent() if each.target.startswith("PUT")]
            [decision] = app.world.coupa.decisions[-1:]
            if (
                reply.json().get("outcome") != "rejected"
                or sent != [expected]
                or (decision.approval_id, decision.reason) != (int(number), MARK + shown)
            ):
                wrong.append((given[:40], reply.json(), sent))
            wrong += [(given[:40], fault) for fault in faults_on_the_wire(app)]
            app.moveworks.clear()

    assert wrong == []
    assert not any("X-Injected" in each or "evil" in each for each in said)


# ---------------------------------------------------------------------- texts


LABELS = (
    *("Entered by", "", "Supplier", "Without a contract", "Reason", "Department", "Why this step"),
    *("Approved by", "Next", "Attachments", "Last comment"),
)
"""In the order of a card; an item has none."""

ROW = re.compile(r"- (?:<i>([A-Za-z ]+)</i>: )?(.+)")
MARKS = re.compile("(?:'*[\"“”„‟«»「」『』]['\"]*|''+|``+|<<+|>>+)")
"""Marks of a quotation as they stand in the corpora, which would seem to end that of the title."""

ENTITY = re.compile(r"&(?:amp|lt|gt|quot|#x27);")
LINK = re.compile(
    r"(?i)https?:|(?<!hxxp)(?<!hxxps)://|\bwww\.|\]\(|<[!@#]|<users/"
    r"|(?<![\w.+@-])(?:[\w-]+[.\u3002\uff0e\uff61])+[a-z\u0400-\u04ff]{2,}(?!@)"
)
"""What chat programs make a link or a mention of; written apart from the rules that keep it out."""


def faults_of_a_notice(message: str, link: str, title: str) -> list[str]:
    """Take a notice apart and return everything that its author did not put there."""
    first, *rows, last = message.split("<br>")
    faults = []
    asked = f"Purchase request {link.rpartition('/')[2]} needs your approval"
    head = first.removeprefix("<b>\U0001f4b3 ").removesuffix("</b>")
    second = rows.pop(0)
    harmless = escaped(MARKS.sub("'", title))
    quoted = f"asks for “{harmless}”, "
    marks = [head.count(each) for each in (quoted, "“", "”")]
    if (marks != [1, 1, 1] or second != asked) if title else (head != asked):
        faults.append(f"begins {first!r} {second!r}")
    if last != f'<a href="{link}">Open in Coupa</a>':
        faults.append(f"ends {last!r}")
    found = [ROW.fullmatch(row) for row in rows]
    labels = [(match[1] or "") if match else "?" for match in found]
    if not set(labels) <= set(LABELS) or labels != sorted(set(labels), key=LABELS.index):
        faults.append(f"has the fields {labels}")
    for value in [head, *(match[2] for match in found if match)]:
        text = html.unescape(value)
        if set(value) & set("<>\"'") or "&" in ENTITY.sub("", value) or escaped(text) != value:
            faults.append(f"has markup: {value!r}")
        if "  " in text or any(
            unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in text
        ):
            faults.append(f"is not one line: {value!r}")
        if hit := LINK.search(re.sub(r"[\w.+-]+@[\w.-]+", "", text)):
            faults.append(f"has a link or a mention: {hit[0]!r} in {value!r}")
        if len(text) > 500 + 80 + len(" ()") + 4:  # words, a name, and what keeps their direction apart
            faults.append(f"is too long: {len(text)}")
    return faults


def hostile(world: World, place: int, text: str) -> int:
    """Enter a requisition in which everything that a person can write is this text."""
    asker = world.coupa.world.add_user(email=f"asker{place}@example.com", firstname=text, lastname=text)
    maker = world.coupa.world.add_user(email=f"maker{place}@example.com", firstname=f"{text} ", lastname="M")
    decider = world.coupa.world.add_user(email=f"decider{place}@example.com", firstname=text, lastname=text)
    request = world.coupa.world.add_requisition(
        requested_by=asker,
        created_by=maker,
        title=text,
        justification=text,
        department=text,
        need_by=text,
        lines=[Line(text, quantity="2", unit_price="5.00", supplier=text, uom=text)],
        approvers=[decider],
    )
    document = world.coupa.world.requisition(request)
    world.coupa.world.comment(document, by=asker, text=text)
    document.raw["currency"] = {"code": text, "decimals": 2}
    [approval] = world.coupa.world.approvals_of(request)
    approval.raw |= {"note": text, "parallel-group-name": text}
    return request


@pytest.fixture(scope="module")
def told(functions: list[Function]) -> Iterator[tuple[Surface, list[int], list[Sent]]]:
    """Serve an app that has announced a requisition for each text; also their ids and what was sent."""
    world = World()
    requests = [hostile(world, place, text) for place, (text, _) in enumerate(TEXTS)]
    with surface(functions, world, {"COUPA_MAX_PER_SECOND": "25"}) as app:
        while len(world.moveworks.delivered) < len(TEXTS):
            before = len(world.moveworks.delivered)
            world.sweep()
            assert len(world.moveworks.delivered) > before, world.store.status().counts
        yield app, requests, sorted(app.moveworks.sent(), key=_place_of)


def _place_of(sent: Sent) -> int:
    """Return which of the deciders it was sent to."""
    found = re.search(r"decider([0-9]+)@", json.dumps(json.loads(sent.body)))
    return int(found[1]) if found else -1


def test_the_corpora_are_large_enough_and_each_text_is_another() -> None:
    assert len(set(IDS)) == len(IDS) >= 60
    assert len(dict(REASONS)) == len(REASONS) >= 80
    assert len(dict(TEXTS)) == len(TEXTS) >= 150


def test_no_text_leaves_its_field_in_a_notice(told: tuple[Surface, list[int], list[Sent]]) -> None:
    app, requests, sent = told
    base = app.coupa.url
    wrong = []

    for each, (given, shown), request in zip(sent, TEXTS, requests, strict=True):
        message = json.loads(each.body)["message"]
        wrong += [
            (given[:40], fault)
            for fault in faults_of_a_notice(message, f"{base}/requisition_headers/{request}", shown)
        ]
        if len(message) > 20_000:
            wrong.append((given[:40], "is too long for Moveworks"))

    assert not wrong, "\n".join(map(str, wrong))
    assert faults_on_the_wire(app) == []
    assert app.world.moveworks.markup_faults == []


def test_no_text_leaves_its_field_in_a_list_or_is_answered_otherwise_than_announced(
    told: tuple[Surface, list[int], list[Sent]], caplog: pytest.LogCaptureFixture
) -> None:
    app, requests, sent = told
    with log_kept(caplog):
        for place, (each, request) in enumerate(zip(sent, requests, strict=True)):
            if place % 3 == 0:  # all would only take longer: the text is the same
                reply = app.call("GET", "approvals", params={"approver_email": f"decider{place}@example.com"})

                [card] = reply.json()["approvals"]
                assert card["text"] == json.loads(each.body)["message"]
                assert card["link"] == f"{app.coupa.url}/requisition_headers/{request}"

    assert faults_on_the_wire(app) == []


def test_who_decided_and_how_is_one_harmless_line(
    functions: list[Function], caplog: pytest.LogCaptureFixture
) -> None:
    """Names, notes and statuses come back in the answer to a late click."""
    world = World()
    ends = []
    for place, (text, _) in enumerate(TEXTS[::2]):
        request = world.requisition(JAMIE)
        [approval] = world.coupa.world.approvals_of(request)
        other = world.coupa.world.add_user(email=f"other{place}@example.com", firstname=text, lastname="")
        ends.append((approval, other, text))
    with log_kept(caplog) as said, surface(functions, world) as app:
        cards = {card.slots["approval_id"]: card for card in world.announced()}
        for place, (approval, other, text) in enumerate(ends):
            note = f"{text} via Moveworks" if place % 2 else ""
            world.coupa.world.decide_in_coupa(approval.id, by=other, decision="rejected", note=note)
            approval.raw |= {"status": f"{text}_x" if place % 3 == 0 else "rejected", "approval-date": text}

            reply = app.click(cards[str(approval.id)], "approve")

            answer = reply.json()
            assert (reply.status_code, answer["outcome"]) == (200, "already_decided")
            values = [answer["message"], answer["status"], answer["decided_by"]]
            assert [each for each in values if each and not each.isprintable()] == []
            assert [LINK.search(re.sub(r"[\w.+-]+@[\w.-]+", "", each)) for each in values] == [None] * 3
            assert not answer["decided_at"]  # it is no date
            assert len(answer["message"]) < 250

    assert not any("rejected_x" in each for each in said)
    assert world.puts() == 0


def test_what_operators_see_holds_no_text_of_others(told: tuple[Surface, list[int], list[Sent]]) -> None:
    app, requests, _ = told
    numbers = chain.from_iterable(app.world.coupa.world.approvals_of(request) for request in requests[::10])
    answers = [app.call("GET", f"approvals/{approval.id}/trace") for approval in numbers]
    answers.append(app.call("GET", "status"))
    pages = [answer.text for answer in answers]

    assert {answer.status_code for answer in answers} == {200}
    texts = [given for given, _ in TEXTS if len(given) > 12]
    assert [text for text in texts if any(json.dumps(text)[1:-1] in page for page in pages)] == []
    # A trace names whom it is about; who asked, and for what, is Coupa's to show.
    assert [page for page in pages if re.search("(asker|maker)[0-9]", page)] == []
    assert [place for place, page in enumerate(pages[:-1]) if f"decider{10 * place}@" not in page] == []


def test_the_requests_for_a_requisition_are_as_written_down(functions: list[Function]) -> None:
    """The whole of one click on the wire, byte by byte but for the headers."""
    world = World()
    request = world.requisition(JAMIE)
    with surface(functions, world) as app:
        [card] = world.announced()
        number = card.slots["approval_id"]
        app.coupa.clear()

        app.click(card, "approve", json={"reason": "a&b=c #d"})

        reason = "reason=Jamie+Doe+%3Cjamie%40example.com%3E+via+Moveworks%3A+a%26b%3Dc+%23d"
        shown = fields(DOCUMENT_FIELDS[DocumentKind.REQUISITION])
        assert [each.target for each in app.coupa.sent()] == [
            f"GET /api/approvals?id%5Bin%5D={number}&limit=50&{fields(APPROVAL_FIELDS)}",
            f"GET /api/requisitions?id%5Bin%5D={request}&limit=50&{shown}",
            f"PUT /api/approvals/{number}/approve?{reason}",
            f"GET /api/requisitions?id%5Bin%5D={request}&limit=50&{fields(CHAIN_FIELDS)}",
        ]
        assert [each.body for each in app.coupa.sent()] == [b"", b"", b"", b""]
