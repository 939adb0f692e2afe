"""What docs/creator_studio tells a Moveworks builder is true: calls, names, samples and answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import yaml
from azure.functions.decorators.function_app import Function
from bridge import World
from curl import Curl, parse
from hosted import (
    API_KEY,
    CLIENT_ID,
    CLIENT_SECRET,
    EVENT_ID,
    FUNCTION_KEY,
    LISTENER_ID,
    LISTENER_SECRET,
    ROOT,
    Hosted,
    hosted,
)

from coupa_core.decide import Outcome
from coupa_core.documents import LEAST_SCOPES
from coupa_core.endings import End, Ending
from coupa_core.model import Verb
from coupa_core.moveworks import LOOK_IN_THE_LOG
from coupa_core.moveworks.listener import payload
from coupa_core.notice import Notice, Style, ended_as
from coupa_core.settings import NAMES
from sandbox.moveworks import Delivered

pytestmark = pytest.mark.no_cover  # it is slow, and quicker tests ask for every branch

FOLDER = ROOT / "docs" / "creator_studio"
PAGES = {page.name: page.read_text("utf-8") for page in sorted(FOLDER.glob("*.md"))}
NOTICE = Notice(
    "ann@example.com",
    "<b>PO</b>",
    {"approval_id": "7", "action_token": "t"},
    actions={Verb.APPROVE: "Approve", Verb.REJECT: "Reject"},
)


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGES[page], re.DOTALL | re.MULTILINE)


def tables(text: str) -> list[list[list[str]]]:
    """Return the tables of a text as rows of cells, without their heads."""
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    rows = [
        [[cell.strip() for cell in line[1:-1].split(" | ")] for line in table.splitlines()] for table in found
    ]
    return [table[2:] for table in rows]


def section(page: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)", PAGES[page], re.DOTALL | re.MULTILINE)
    assert match, heading
    return match[1]


CURLS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "bash"))
]


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


DONE = {"approve": "approved", "reject": "rejected", "hold": "held", "decision": "approved"}


def check(place: Hosted, curl: Curl, email: str, params: dict[str, str] | None = None) -> None:
    """Send a command, and see that it did what its page says."""
    told = len(place.moveworks.delivered)

    reply = curl.send(params)

    last = curl.url.partition("?")[0].rpartition("/")[2]
    assert reply.status_code == 200, reply.text
    if last in DONE:
        assert reply.json()["outcome"] == DONE[last]
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
    check(place, curl, email, {"reason": "Two are enough."} if asks_why else None)


@pytest.mark.parametrize("block", blocks("actions.md", "bash"))
def test_every_action_works_under_the_names_of_creator_studio_too(place: Hosted, block: str) -> None:
    renamed = tables(section("actions.md", "In Creator Studio and Agent Studio Classic"))[0]
    for here, there in renamed[:2]:
        for one, other in zip(re.findall("`(.+?)`", here), re.findall("`(.+?)`", there), strict=True):
            block = block.replace(one, other)
    curl = parse(block)
    curl.headers.pop("Idempotency-Key", None)

    reason = None
    if curl.url.endswith("/reject"):
        curl.body, reason = None, {"reason": 'Two\n"are" enough & <cheap>'}
    email = place.approver()
    assert not any("{{{" in text for text in [curl.url, *curl.headers.values()])
    check(place, ready(place, curl, email=email), email, reason)


def test_a_body_by_data_mapper_carries_any_text(place: Hosted) -> None:
    why = '"Too dear" said O\'Neil,\n& why <two>? \\ {{x}}'
    mappers = [yaml.safe_load(block) for block in blocks("actions.md", "yaml")]

    notes = []
    for mapper, action in zip(mappers, ("reject", "decision"), strict=True):
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
    for param in CURLS:
        page, block = param.values
        curl = parse(str(block))
        if "<app>" not in curl.url or curl.url.endswith("/health"):
            continue
        assert re.fullmatch(
            r"\{\{\{meta_info\.user\.email_addr\}\}\}|\{\{user\.email_addr\}\}|\{\{your_email\}\}",
            curl.headers["X-Actor-Email"],
        ), page
        assert "?" not in curl.url
        assert "email" not in (curl.body or "")


def test_without_the_connectors_key_every_call_about_approvals_is_refused(place: Hosted) -> None:
    email = place.approver()
    for block in blocks("actions.md", "bash"):
        curl = ready(place, parse(block), email=email)
        del curl.headers["x-functions-key"]

        reply = curl.send()

        assert (reply.status_code, reply.content) == (401, b"")


def test_every_setting_that_is_named_exists() -> None:
    named = {
        name for text in PAGES.values() for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`", text)
    }

    assert {"MOVEWORKS_CHANNEL", "MOVEWORKS_LISTENER_SECRET", "COUPA_CLIENT_ID"} <= named
    assert named <= set(NAMES)


def test_every_route_that_is_named_exists(functions: list[Function]) -> None:
    known = set()
    for function in functions:
        trigger = function.get_trigger()
        if trigger is not None and trigger.type == "httpTrigger":
            details = trigger.get_dict_repr()
            known |= {f"{method.value} /api/{details['route']}" for method in details["methods"]}

    named = {route for text in PAGES.values() for route in re.findall(r"`((?:GET|POST) /api/[^`]*)`", text)}

    assert {"GET /api/approvals", "POST /api/approvals/{approval_id}/decision"} <= named
    assert named <= known


def test_every_link_leads_somewhere_and_every_page_is_linked_from_the_first() -> None:
    for page, text in PAGES.items():
        for target, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", text):
            path = FOLDER / (target or page)
            assert path.exists(), (page, target)
            if anchor:
                heads = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^a-z0-9 _-]", "", head.lower()).replace(" ", "-") for head in heads}
                assert anchor in slugs, (page, anchor)

    linked = set(re.findall(r"\]\(([a-z_-]+\.(?:md|json))\)", PAGES["README.md"]))
    assert linked == {page.name for page in FOLDER.iterdir()} - {"README.md"}


def test_the_slots_are_those_of_a_notice() -> None:
    slots = set(NOTICE.slots)

    for page, heading in (("events.md", "2. The slots"), ("listener.md", "`coupa_approve_request`")):
        assert {row[0].strip("`") for row in tables(section(page, heading))[0]} == slots


def test_the_sample_of_the_listeners_payload_is_what_the_bridge_sends() -> None:
    [sample] = [json.loads(block) for block in blocks("listener.md", "json")]
    described = {
        name
        for row in tables(section("listener.md", "3. The payload"))[0]
        for name in re.findall("`(.+?)`", row[0])
    }

    sent = payload(NOTICE)

    assert list(sample) == list(sent)
    assert {name: type(value) for name, value in sample.items()} == {
        name: type(value) for name, value in sent.items()
    }
    assert sample["buttons"] == sent["buttons"]
    assert sample["schema_version"] == sent["schema_version"]
    assert len(sample["delivery_id"]) == len(str(sent["delivery_id"]))
    assert described == set(sent)


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in a value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(inner)


def _steps(value: Any, name: str) -> Iterator[dict[str, Any]]:
    """Yield every step of a kind in a compound action."""
    if isinstance(value, dict):
        if name in value:
            yield value[name]
        for inner in value.values():
            yield from _steps(inner, name)
    for inner in value if isinstance(value, list) else ():
        yield from _steps(inner, name)


def test_the_compound_action_maps_only_what_is_sent_and_known() -> None:
    [action] = [yaml.safe_load(block) for block in blocks("listener.md", "yaml")]
    outputs = {step["output_key"] for step in _steps(action, "action")}

    paths = {path for text in _texts(action) for path in re.findall(r"\bdata\.([a-z_.]+)", text)}
    for path in paths:
        first, *rest = path.split(".")
        if first == "payload":
            value: Any = payload(NOTICE)
            for part in rest:
                value = value[part]
        else:
            assert first in outputs

    assert {"payload.approver_email", "payload.message", "approver.user.record_id"} <= paths


def test_each_button_starts_a_process_that_has_its_arguments_as_slots() -> None:
    [action] = [yaml.safe_load(block) for block in blocks("listener.md", "yaml")]
    buttons = [button for step in _steps(action, "notify") for button in step.get("actions", [])]

    assert {button["key"] for button in buttons} == set(payload(NOTICE)["buttons"])  # type: ignore[call-overload]
    for button in buttons:
        started = button["conversation_action"]
        described = section("listener.md", f"`{started['conversation_process_name']}`")
        shared = section("listener.md", "`coupa_approve_request`")
        slots = {row[0].strip("`") for table in tables(described + shared) for row in table}
        assert set(started["input_args"]) == set(NOTICE.slots) <= slots
        for name in started["input_args"]:
            assert f"`{name}: data.{name}`" in described


def test_the_names_of_actions_are_the_same_on_every_page() -> None:
    made = set(re.findall(r"^Name: `(coupa_[a-z_]+)`", PAGES["actions.md"], re.MULTILINE))
    made |= set(re.findall(r"^### `(coupa_[a-z_]+)`", PAGES["listener.md"], re.MULTILINE))
    made |= {"coupa_approvals", "coupa_notify_approver"}

    for page, text in PAGES.items():
        named = set(re.findall(r"\b(coupa_[a-z_]+)\b", re.sub(r"\{\{.*?\}\}", "", text)))
        assert named <= made, page


def test_the_page_tells_to_look_into_the_log_as_the_bridge_does() -> None:
    assert LOOK_IN_THE_LOG in PAGES["listener.md"].replace("`", "")


def test_every_outcome_is_explained_with_its_own_sentence() -> None:
    rows = tables(section("answers.md", "What became of a click"))[0]
    shown = {row[0].strip("`"): row[2] for row in rows}

    assert list(shown) == [outcome.value for outcome in Outcome]
    style, what = Style(), "“Laptops”, USD 1,800.00"
    at, about = datetime(2026, 11, 23, 9, tzinfo=UTC), "Purchase request 5001"
    how = ended_as(End(Ending.APPROVED, "Robin Vega", at), about, style)
    assert shown.pop("step_up") == style.colon(what, style.say("bar.too_great"))
    said = {"what": what, "how": how, "length": "300", "room": "200", "words": "Budget line 7 is closed."}
    for outcome, sentence in shown.items():
        assert sentence == style.say(f"answer.{outcome}", **said)


def test_every_fault_that_is_explained_exists() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "coupa_core").rglob("*.py"))
    known = set(re.findall(r'CallerError\(\s*"([a-z_]+)"', sources)) | {"settings", "busy"}

    rows = tables(section("answers.md", "Faults"))[0]
    explained = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row[1])}

    assert {"token_refused", "no_actor"} <= explained <= known


def test_the_samples_of_answers_have_the_fields_of_real_ones(place: Hosted) -> None:
    clicked, listed, decided = (json.loads(block) for block in blocks("answers.md", "json"))
    email = place.approver()
    headers = {"x-functions-key": FUNCTION_KEY, "X-Actor-Email": email}

    real = requests.get(f"{place.app_url}/api/approvals", headers=headers, timeout=10).json()
    [card] = real["approvals"]
    headers["X-Action-Token"] = card["action_token"]
    url = f"{place.app_url}/api/approvals/{card['approval_id']}/approve"
    answer = requests.post(url, headers=headers, timeout=10).json()

    assert clicked == answer | {"approval_id": clicked["approval_id"]}
    assert list(listed) == list(real)
    assert list(listed["approvals"][0]) == list(card)
    assert listed["message"] == real["message"]
    past = requests.get(f"{place.app_url}/api/decisions", headers=headers, timeout=10).json()
    assert list(decided) == list(past)
    assert list(decided["decisions"][0]) == list(past["decisions"][0])
    assert decided["message"] == past["message"]


def test_the_scopes_are_the_five_that_the_bridge_asks_for() -> None:
    rows = tables(section("coupa.md", "The five scopes"))[0]

    assert [row[0].strip("`") for row in rows] == LEAST_SCOPES.split()
    for page in ("coupa.md", "postman_collection.json"):
        assert LEAST_SCOPES in (FOLDER / page).read_text("utf-8")


# ---------------------------------------------------------------------- the ten chats

A, B = "ann@example.com", "bob@example.com"


def _carded(**details: Any) -> tuple[World, Delivered]:
    world = World()
    world.person(B)
    world.requisition(A, **details)
    [card] = world.announced()
    return world, card


def _outcome(reply: Any) -> str:
    assert reply.status == 200, reply.body
    return f"`{reply.body['outcome']}`"


def _first() -> str:
    world, card = _carded()
    assert all(word in card.message for word in ("Laptops", "Sam", "1,800.00"))
    return "(card)" if card.recipient == A and not world.announced() else "?"


def _approve() -> str:
    world, card = _carded()
    said = _outcome(world.click(card, A))
    [approval] = world.coupa.world.approvals.rows.values()
    assert (approval.status, A in str(approval.note)) == ("approved", True)
    return said


def _approve_twice() -> str:
    world, card = _carded()
    world.click(card, A)
    said = _outcome(world.click(card, A))
    assert world.puts() == 1
    return said


def _reject_with(reason: str) -> str:
    world, card = _carded()
    said = _outcome(world.click(card, A, "reject", reason=reason))
    [approval] = world.coupa.world.approvals.rows.values()
    assert approval.is_open or str(approval.note).endswith(reason)
    return said


def _somebody_else() -> str:
    world, card = _carded()
    said = _outcome(world.click(card, B))
    assert world.puts() == 0
    return said


def _decided_in_coupa() -> str:
    world, card = _carded()
    world.coupa.world.decide_in_coupa(int(card.slots["approval_id"]), by=world.person(A), decision="approved")
    reply = world.click(card, A)
    assert "Approved by Ann Doe" in reply.body["message"]
    return _outcome(reply)


def _changed() -> str:
    world, card = _carded()
    [number] = {approval.document.id for approval in world.coupa.world.approvals.rows.values()}
    world.coupa.world.edit_line(number, 0, unit_price="950.00")
    reply = world.click(card, A)
    assert "1,900.00" in reply.body["content"]
    world.clock.advance(60)
    assert [each.recipient for each in world.announced()] == [A]
    return _outcome(reply)


def _asked() -> str:
    world, _ = _carded()
    reply = world.call("list_approvals", headers={"X-Actor-Email": A})
    return "(list)" if reply.body["count"] == len(reply.body["approvals"]) == 1 else "?"


def _hold() -> str:
    world, card = _carded(holdable=True)
    said = _outcome(world.click(card, A, "hold"))
    [approval] = world.coupa.world.approvals.rows.values()
    assert approval.status == "on_hold"
    return said


CHATS: list[Callable[[], str]] = [
    _first,
    _approve,
    _approve_twice,
    lambda: _reject_with(" "),
    lambda: _reject_with('"Too dear" said O\'Neil, & why <two>?'),
    _somebody_else,
    _decided_in_coupa,
    _changed,
    _asked,
    _hold,
]


@pytest.mark.parametrize("number", range(10))
def test_each_of_the_ten_chats_ends_as_the_test_plan_says(number: int) -> None:
    row = tables(PAGES["test-plan.md"])[0][number]

    assert row[0] == str(number + 1)
    assert CHATS[number]() == row[2]


def test_the_ten_chats_are_ten() -> None:
    assert len(tables(PAGES["test-plan.md"])[0]) == len(CHATS) == 10
