"""The calls of docs/creator_studio do what their pages say, against a whole app."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator

import pytest
import requests
from curl import Curl, parse
from hosted import (
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    EVENT_ID,
    FUNCTION_KEY,
    LISTENER_ID,
    LISTENER_SECRET,
    Hosted,
    hosted,
)
from pages import MAPPERS, PAGES, blocks, section, tables

from coupa_core.moveworks.listener import payload
from coupa_core.notice import Notice

pytestmark = pytest.mark.slow


CURLS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "bash"))
]


def every_curl() -> Iterator[Curl]:
    """Yield the commands of all pages."""
    for page in PAGES:
        yield from map(parse, blocks(page, "bash"))


@pytest.fixture(scope="module")
def place() -> Iterator[Hosted]:
    with hosted() as running:
        yield running


def ready(place: Hosted, curl: Curl, *, email: str) -> Curl:
    """Return the command with the sandbox's addresses, an approval that waits, and the connector's key."""
    for real, here in {
        "https://<app>.azurewebsites.net": place.app_url,
        "https://<instance>.coupahost.com": place.coupa_url,
        "https://api.moveworks.ai": place.moveworks_url,
    }.items():
        curl.url = curl.url.replace(real, here)
    assert curl.url.startswith("http://127.0.0.1:"), curl.url
    if curl.url.startswith((f"{place.app_url}/api/approvals", f"{place.app_url}/api/decisions")):
        curl.headers.setdefault("x-functions-key", FUNCTION_KEY)
    card = place.card(email)
    body = json.dumps(payload(Notice(email, "<b>Test</b>", {"approval_id": "1"})))
    values = {
        "approval_id": card["approval_id"],
        "action_token": card["action_token"],
        "comment_for_rejection": "Two are enough.",
        "question_for_requester": "Why two of them?",
        "decision": "approve",
        "meta_info.user.email_addr": email,
        "user.email_addr": email,
        "your_email": email,
        "meta_info.action_instance_id": "8b0d6c52-0000-4000-8000-000000000001",
        "function_key": FUNCTION_KEY,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "requisition_id": card["document_id"],
        "moveworks_event_id": EVENT_ID,
        "moveworks_api_key": API_KEY,
        "listener_id": LISTENER_ID,
        "payload": body,
        "signature": hmac.new(LISTENER_SECRET.encode(), body.encode(), hashlib.sha256).hexdigest(),
    }
    if "coupa_token" in curl.names():
        [token] = [parse(block) for block in blocks("coupa.md", "bash") if "/oauth2/token" in block]
        values["coupa_token"] = ready(place, token, email=email).send().json()["access_token"]
    return curl.filled(values)


DONE = {
    "approve": "approved",
    "reject": "rejected",
    "hold": "held",
    "decision": "approved",
    "comment": "commented",
}


def check(place: Hosted, curl: Curl, email: str, params: dict[str, str] | None = None) -> None:
    """Send a command, and see that it did what its page says."""
    told = len(place.moveworks.delivered)

    reply = curl.send(params)

    last = curl.url.partition("?")[0].rpartition("/")[2]
    assert reply.status_code == 200, reply.text
    if last in DONE:
        assert reply.json()["outcome"] == DONE[last]
    elif last == "decide":
        assert [each["outcome"] for each in reply.json()["items"]] == ["approved"]
    elif last in ("send", "notify"):
        assert "RECEIVED" in reply.text
        assert [each.recipient for each in place.moveworks.delivered[told:]] == [email]
    else:
        assert reply.json()


@pytest.mark.parametrize(("page", "block"), CURLS)
def test_every_curl_does_what_its_page_says(place: Hosted, page: str, block: str) -> None:
    email = place.approver()
    curl = ready(place, parse(block), email=email)

    # In the Params table of the path, as the page says; a call that approves takes a reason too.
    asks_why = page == "events.md" and "/api/approvals/" in curl.url and "approve" not in curl.url
    words = {"comment" if curl.url.endswith("/comment") else "reason": "Two are enough."}
    check(place, curl, email, words if asks_why else None)


@pytest.mark.parametrize("block", blocks("actions.md", "bash"))
def test_every_action_works_under_the_names_of_creator_studio_too(place: Hosted, block: str) -> None:
    renamed = tables(section("actions.md", "In Creator Studio and Agent Studio Classic"))[0]
    for here, there in renamed[:2]:
        for one, other in zip(re.findall("`(.+?)`", here), re.findall("`(.+?)`", there), strict=True):
            block = block.replace(one, other)
    curl = parse(block)
    curl.headers.pop("Idempotency-Key", None)

    reason = None
    for path, name in (("/reject", "reason"), ("/comment", "comment")):
        if curl.url.endswith(path):
            curl.body, reason = None, {name: 'Two\n"are" enough & <cheap>'}
    email = place.approver()
    assert not any("{{{" in text for text in [curl.url, *curl.headers.values()])
    check(place, ready(place, curl, email=email), email, reason)


def test_without_a_card_a_test_of_an_action_is_answered_as_the_page_says(place: Hosted) -> None:
    email = place.approver()
    takers = [curl for curl in map(parse, blocks("actions.md", "bash")) if "action_token" in curl.names()]
    assert takers
    for curl in takers:
        given = dict.fromkeys(curl.names(), "Words.") | {
            "approval_id": "1",
            "action_token": "none",
            "decision": "approve",
            "meta_info.user.email_addr": email,
        }
        curl.url = curl.url.replace("https://<app>.azurewebsites.net", place.app_url)
        curl.headers["x-functions-key"] = FUNCTION_KEY

        reply = curl.filled(given).send()

        several = reply.json().get("items")
        [said] = several or [reply.json()]
        assert (reply.status_code, said["error"]) == (200 if several else 403, "token_refused")


def test_a_body_by_data_mapper_carries_any_text(place: Hosted) -> None:
    why = '"Too dear" said O\'Neil,\n& why <two>? \\ {{x}}'
    mappers = {name: MAPPERS[name] for name in ("Reject", "Decision")}

    notes = []
    for mapper, action in zip(mappers.values(), ("reject", "decision"), strict=True):
        email = place.approver()
        curl = ready(
            place, parse(next(b for b in blocks("actions.md", "bash") if f"/{action}'" in b)), email=email
        )
        slots = {"comment_for_rejection": why, "decision": "reject"}
        curl.body = json.dumps({name: slots[slot] for name, slot in mapper.items()})
        approval_id = int(place.card(email)["approval_id"])
        assert curl.send().json()["outcome"] == "rejected"
        notes.append(place.coupa.world.approval(approval_id).note)

    for note in notes:
        assert note is not None
        assert note.endswith('via Moveworks: "Too dear" said O\'Neil, & why <two>? \\ {{x}}')


def test_the_person_is_in_the_header_of_every_call_about_approvals_and_in_no_slot() -> None:
    calls = [curl for curl in every_curl() if "<app>" in curl.url and not curl.url.endswith("/health")]

    assert {curl.headers["X-Actor-Email"] for curl in calls} == {
        "{{{meta_info.user.email_addr}}}",
        "{{user.email_addr}}",
        "{{your_email}}",
    }
    assert [curl for curl in calls if "?" in curl.url or "email" in (curl.body or "")] == []


def test_without_the_connectors_key_every_call_about_approvals_is_refused(place: Hosted) -> None:
    email = place.approver()
    calls = [ready(place, parse(block), email=email) for block in blocks("actions.md", "bash")]
    for curl in calls:
        del curl.headers["x-functions-key"]

    replies = [curl.send() for curl in calls]

    assert {(reply.status_code, reply.content) for reply in replies} == {(401, b"")}


def test_the_samples_of_answers_have_the_fields_of_real_ones(place: Hosted) -> None:
    clicked, several, listed, decided = (json.loads(block) for block in blocks("answers.md", "json"))
    email = place.approver()
    headers = {"x-functions-key": FUNCTION_KEY, "X-Actor-Email": email}

    real = requests.get(f"{place.app_url}/api/approvals", headers=headers, timeout=10).json()
    [card] = real["approvals"]
    headers["X-Action-Token"] = card["action_token"]
    url = f"{place.app_url}/api/approvals/{card['approval_id']}/approve"
    answer = requests.post(url, headers=headers, timeout=10).json()

    number = re.sub("[0-9]{4},", "5001,", answer["message"], count=1)
    assert clicked == answer | {"approval_id": clicked["approval_id"], "message": number}
    assert several["items"][0] == clicked
    token = {"headers": {"x-functions-key": FUNCTION_KEY, "X-Actor-Email": email}, "timeout": 10}
    items = [{"id": card["approval_id"], "token": card["action_token"]}, {"id": "85999", "token": "x"}]
    body = {"decision": "approve", "items": items}
    both = requests.post(f"{place.app_url}/api/approvals/decide", json=body, **token).json()  # type: ignore[arg-type]
    assert (list(several), several["message"]) == (list(both), both["message"])
    assert list(several["items"][1]) == list(both["items"][1])
    assert list(listed) == list(real)
    assert list(listed["approvals"][0]) == list(card)
    assert listed["message"] == real["message"]
    past = requests.get(f"{place.app_url}/api/decisions", headers=headers, timeout=10).json()
    assert list(decided) == list(past)
    assert list(decided["decisions"][0]) == list(past["decisions"][0])
    assert decided["message"] == past["message"]
