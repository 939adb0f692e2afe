"""The pages of docs/creator_studio are true: calls, names, samples and answers."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from azure.functions.decorators.function_app import Function
from bridge import COUPA, LISTENER, World
from curl import Curl, parse
from goldens import readable
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
from openapi.errors import CODES, ERRORS
from pages import FOLDER, MAPPERS, PAGES, blocks, section, tables

from coupa_core.callers import CALLER_OF
from coupa_core.decide import Outcome
from coupa_core.decide.answers import LED
from coupa_core.documents import COMMENT_SCOPE, LEAST_SCOPES, READABLE, comment_scopes
from coupa_core.endings import End, Ending
from coupa_core.endpoints import Reply
from coupa_core.model import Verb
from coupa_core.moveworks import LOOK_IN_THE_LOG
from coupa_core.moveworks.listener import payload
from coupa_core.notice import Notice, Style, ended_as
from coupa_core.settings import NAMES
from sandbox.coupa.server import BASELINE
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered

pytestmark = pytest.mark.no_cover  # it is slow, and quicker tests ask for every branch

NOTICE = Notice(
    "ann@example.com",
    "<b>PO</b>",
    {"approval_id": "7", "action_token": "t"},
    actions={Verb.APPROVE: "Approve", Verb.REJECT: "Reject"},
)


CURLS = [
    pytest.param(page, block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "bash"))
]


@pytest.fixture(scope="module")
def place() -> Iterator[Hosted]:
    with hosted() as running:
        yield running


def spoken(page: str, heading: str) -> Curl:
    """Return the command under a heading."""
    [block] = re.findall(r"^```bash\n(.*?)^```$", section(page, heading), re.DOTALL | re.MULTILINE)
    return parse(block)


def mapped(mapper: dict[str, Any], slots: dict[str, Any]) -> dict[str, Any]:
    """Return what the data mapper makes of slots, as far as the pages use it."""
    made: dict[str, Any] = {}
    for name, value in mapper.items():
        if isinstance(value, dict):
            [(operator, each)] = value.items()
            assert operator == "MAP()"
            made[name] = [
                {key: item[path.removeprefix("item.")] for key, path in each["converter"].items()}
                for item in slots[each["items"]]
            ]
        elif value in slots:
            made[name] = slots[value]
    return made


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
    for block in blocks("actions.md", "bash"):
        curl = parse(block)
        if "action_token" not in curl.names():
            continue
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

    assert {"MOVEWORKS_EVENT_ID", "MOVEWORKS_LISTENER_SECRET", "COUPA_CLIENT_ID"} <= named
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
        required = re.search(r"required slots (.+?);", described)
        assert required
        for name in started["input_args"]:
            assert f"`{name}: data.{name}`" in described
            assert f"`{name}`" in required[1]


def test_the_names_of_actions_are_the_same_on_every_page() -> None:
    made = set(re.findall(r"^Name: `(coupa_[a-z_]+)`", PAGES["actions.md"], re.MULTILINE))
    made |= set(re.findall(r"^### `(coupa_[a-z_]+)`", PAGES["listener.md"], re.MULTILINE))
    made |= {"coupa_approvals", "coupa_notify_approver"}
    collection = json.loads((FOLDER / "postman_collection.json").read_text("utf-8"))
    made |= {each["key"] for each in collection["variable"]}

    for page, text in PAGES.items():
        named = set(re.findall(r"\b(coupa_[a-z_]+)\b", re.sub(r"\{\{.*?\}\}", "", text)))
        assert named <= made, page


def test_the_page_tells_to_look_into_the_log_as_the_bridge_does() -> None:
    assert LOOK_IN_THE_LOG in PAGES["listener.md"].replace("`", "")


def test_every_outcome_is_explained_with_its_own_sentence() -> None:
    rows = tables(section("answers.md", "What became of a click"))[0]
    shown = {row[0].strip("`"): row[2] for row in rows}

    assert list(shown) == [outcome.value for outcome in Outcome]
    style, what = Style(), "Purchase request 5001, “Laptops”, USD 1,800.00"
    at, about = datetime(2026, 11, 23, 9, tzinfo=UTC), "Purchase request 5001"
    how = ended_as(End(Ending.APPROVED, "Robin Vega", at), about, style)
    assert shown.pop("step_up") == style.colon(what, style.say("bar.too_great"))
    by_number = (Outcome.EXPIRED, Outcome.REASON_REQUIRED)
    said = {"what": what, "how": how, "length": "300", "room": "200", "words": "Budget line 7 is closed."}
    for outcome, sentence in shown.items():
        name = about if outcome in by_number else what if outcome in LED else ""
        assert sentence == style.colon(name, style.say(f"answer.{outcome}", **said))


def test_every_fault_that_is_explained_exists() -> None:
    known = {CODES.get(name, name) for name in ERRORS}

    rows = tables(section("answers.md", "Faults"))[0]
    explained = {code for row in rows for code in re.findall(r"`([a-z_]+)`", row[1])}

    assert {"token_refused", "no_actor"} <= explained <= known


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


def test_the_scopes_are_the_five_that_the_bridge_asks_for() -> None:
    rows = tables(section("coupa.md", "The five scopes"))[0]

    assert [row[0].strip("`") for row in rows] == LEAST_SCOPES.split()
    for page in ("coupa.md", "postman_collection.json"):
        assert LEAST_SCOPES in (FOLDER / page).read_text("utf-8")


def test_each_kind_of_document_names_the_scopes_that_are_asked_for() -> None:
    kinds = tables(section("coupa.md", "The five scopes"))[2]
    named = {
        kind.strip("`"): re.findall("`(.+?)`", f"{scope} {further}") for _, kind, scope, further in kinds
    }

    assert list(named)[:-1] == list(READABLE)
    for kind, scopes in list(named.items())[:-1]:
        asked = comment_scopes([kind]) if kind not in ("Contract", "EasyFormResponse") else []
        assert scopes == [READABLE[kind].scope, *asked]


# ---------------------------------------------------------------------- who calls what


def bridge_routes(functions: list[Function]) -> dict[tuple[str, str], str]:
    """Return the name of each function of the bridge, by its method and path."""
    triggers = {str(each.get_function_name()): each.get_trigger() for each in functions}
    return {
        (method.value, f"/api/{each.get_dict_repr()['route']}"): name
        for name, each in triggers.items()
        if each is not None and each.type == "httpTrigger"
        for method in each.get_dict_repr()["methods"]
    }


@pytest.mark.parametrize(("page", "block"), CURLS)
def test_every_curl_is_one_of_the_routes(functions: list[Function], page: str, block: str) -> None:
    curl = parse(block)
    if "<app>" not in curl.url:
        return
    path = urlsplit(curl.url).path
    called = re.sub(r"\{{2,3}approval_id\}{2,3}", "{approval_id}", path)

    assert (curl.method, called) in bridge_routes(functions), page


def test_every_route_of_the_connector_has_a_curl_and_the_key_table_says_whose_key_it_takes(
    functions: list[Function],
) -> None:
    called = {
        (
            parse(block).method,
            re.sub(r"\{{2,3}approval_id\}{2,3}", "{approval_id}", urlsplit(parse(block).url).path),
        )
        for block in blocks("actions.md", "bash")
    }
    routes = bridge_routes(functions)
    [rows] = [rows for rows in tables(section("README.md", "What you need from whom")) if len(rows[0]) == 3]

    assert {routes[each] for each in called} == {
        name for name, who in CALLER_OF.items() if who == "decisions"
    }
    for _, key, opens in rows:
        named = [tuple(route.split(" ")) for route in re.findall("`((?:GET|POST) .+?)`", opens)]
        assert named
        assert {CALLER_OF.get(routes[each], "none") for each in named} == {key.strip("`")}
    assert len(re.findall("`(?:GET|POST) ", rows[0][2])) == len(called)


# ---------------------------------------------------------------------- the chats of the test plan

A, B, SAM = "ann@example.com", "bob@example.com", "sam@example.com"
BRANCHES = {
    "Approve": "4. Branch Approve",
    "Reject": "5. Branch Reject",
    "Hold": "6. Branch Put on hold",
    "Ask": "7. Branch Ask the requester",
}
"""Where the event's path has what `actions.md` has under these headings."""

WORDS = {"Reject": ("comment_for_rejection", "reason"), "Ask": ("question_for_requester", "comment")}
"""What a person writes: as a slot for the data mapper, and as a name in the Params table."""


PLAN = tables(PAGES["test-plan.md"])[0]
[PILOT] = re.findall("`PILOT='(.+?)'`", PAGES["test-plan.md"])


def needed(chats: Iterable[int], channel: str) -> tuple[dict[str, str], set[str]]:
    """Return the settings and the scopes that the plan asks for before these chats."""
    settings: dict[str, str] = {}
    scopes: set[str] = set()
    for number in chats:
        needs = PLAN[number][2]
        for only, name, value in re.findall("(over the listener )?`([A-Z_]+)='?(.+?)'?`", needs):
            if not only or channel == "listener":
                both = name == "FACTS" and name in settings
                settings[name] = f"{settings[name]},{value}" if both else value
        scopes |= set(re.findall("`(core[a-z_.]+)`", needs))
    return settings, scopes


class Chats:
    """One bridge and the people who talk to it by the calls that the pages show, over one channel.

    What the plan asks for is set and granted, and nothing else.
    """

    def __init__(self, channel: str, chats: Iterable[int]) -> None:
        self.channel = channel
        settings, scopes = needed(chats, channel)
        pilot = PILOT.replace("<A>", A).replace("<B>", B).replace("<R>", SAM)
        defaults = dict.fromkeys(("LIST_TOKENS", "DIGEST_OVER", "CLOSING_NOTICE"), "")
        told = LISTENER if channel == "listener" else {}
        self.world = World(settings={**defaults, **told, "PILOT": pilot, **settings})
        self.world.coupa.desk.granted_scopes = BASELINE | scopes
        for person in (A, B, SAM):
            self.world.person(person)

    def enter(self, approver: str = A, **details: Any) -> Delivered:
        """Enter a request and return the one card that it leads to."""
        self.world.requisition(approver, **details)
        [card] = self.later()
        return card

    def later(self) -> list[Delivered]:
        """Return what comes within a minute."""
        self.world.clock.advance(60)
        return self.world.announced()

    def say(self, action: str, who: str, slots: Mapping[str, Any], words: str | None = None) -> Reply:
        """Do what a button does, by the documented call."""
        is_event = self.channel == "events" and action in BRANCHES
        curl = spoken("events.md", BRANCHES[action]) if is_event else spoken("actions.md", action)
        slot, name = WORDS.get(action, ("", ""))
        known = {**slots, slot: words or ""}
        platform = {
            "user.email_addr": who,
            "meta_info.user.email_addr": who,
            "meta_info.action_instance_id": f"{len(self.world.coupa.front.calls)}-{action[:4]}",
        }
        if action in MAPPERS:
            curl.body = None if is_event else json.dumps(mapped(MAPPERS[action], known))
        body = curl.body
        curl.body = None
        curl = curl.filled({**known, **platform})
        path = curl.url.partition("/api/")[2].split("/")
        route, number = (path[-1], path[1]) if len(path) == 3 else (path[-1], "")
        return self.world.call(
            {"approvals": "list_approvals", "decisions": "list_decisions"}.get(route, route),
            headers=curl.headers,
            route={"approval_id": number} if number else {},
            query={name: words} if is_event and words is not None else {},
            body=(body or "").encode(),
        )

    @property
    def approval(self) -> Any:
        """Return the newest approval, as Coupa has it."""
        return list(self.world.coupa.world.approvals.rows.values())[-1]


def _outcome(reply: Any) -> str:
    assert reply.status == 200, reply.body
    return f"`{reply.body['outcome']}`"


def _first(chats: Chats) -> str:
    card = chats.enter()
    assert all(word in card.message for word in ("Laptops", "Sam", "1,800.00"))
    return "(card)" if card.recipient == A and not chats.later() else "?"


def _approve(chats: Chats) -> str:
    said = _outcome(chats.say("Approve", A, chats.enter().slots))
    assert (chats.approval.status, A in str(chats.approval.note)) == ("approved", True)
    return said


def _approve_twice(chats: Chats) -> str:
    card = chats.enter()
    chats.say("Approve", A, card.slots)
    said = _outcome(chats.say("Approve", A, card.slots))
    assert chats.world.puts() == 1
    return said


def _reject_with(reason: str) -> Callable[[Chats], str]:
    def chat(chats: Chats) -> str:
        said = _outcome(chats.say("Reject", A, chats.enter().slots, reason))
        assert chats.approval.is_open or str(chats.approval.note).endswith(reason)
        return said

    return chat


def _somebody_else(chats: Chats) -> str:
    said = _outcome(chats.say("Approve", B, chats.enter().slots))
    assert chats.world.puts() == 0
    return said


def _decided_in_coupa(chats: Chats) -> str:
    card = chats.enter()
    chats.world.coupa.world.decide_in_coupa(chats.approval.id, by=chats.world.person(A), decision="approved")
    reply = chats.say("Approve", A, card.slots)
    assert "Approved by Ann Doe" in reply.body["message"]
    return _outcome(reply)


def _changed(chats: Chats) -> str:
    card = chats.enter()
    chats.world.coupa.world.edit_line(chats.approval.document.id, 0, unit_price="950.00")
    reply = chats.say("Approve", A, card.slots)
    assert "1,900.00" in reply.body["content"]
    assert [each.recipient for each in chats.later()] == [A]
    return _outcome(reply)


def _listed(chats: Chats) -> str:
    chats.enter()
    reply = chats.say("List", A, {})
    return "(list)" if reply.body["count"] == len(reply.body["approvals"]) == 1 else "?"


def _hold(chats: Chats) -> str:
    said = _outcome(chats.say("Hold", A, chats.enter(holdable=True).slots))
    assert chats.approval.status == "on_hold"
    return said


def _ask(chats: Chats) -> str:
    said = _outcome(chats.say("Ask", A, chats.enter().slots, "Why two of them?"))
    [comment] = chats.approval.document.comments
    assert f"Ann Doe <{A}> via Moveworks: Why two of them?" in comment.comments
    [told] = chats.later()
    assert told.recipient == SAM
    assert all(text in told.message for text in ("Ann Doe asks about", "“Why two of them?”", "coupahost"))
    return said


def _answered(chats: Chats) -> str:
    _ask(chats)
    number = chats.approval.document.id
    chats.world.coupa.world.add_comment("requisition", number, by=chats.world.person(SAM), text="Two people.")
    [card] = chats.later()
    assert (card.recipient, "Sam Doe answered: “Two people.”" in card.message) == (A, True)
    assert chats.later() == []
    return _outcome(chats.say("Approve", A, card.slots))


def _several(chats: Chats) -> str:
    chats.enter()
    chats.enter(title="Chairs")
    chosen = chats.say("List", A, {}).body["approvals"]
    reply = chats.say(
        "Decide several", A, {"chosen": chosen, "decision": "approve", "comment_for_rejection": ""}
    )
    assert reply.body["message"] == "Approved: 2 requests."
    assert {each.status for each in chats.world.coupa.world.approvals.rows.values()} == {"approved"}
    [outcome] = {each["outcome"] for each in reply.body["items"]}
    return f"`{outcome}`"


def _german(chats: Chats) -> str:
    chats.world.coupa.world.users.rows[chats.world.person(B)].default_locale = "de"
    card = chats.enter(B)
    assert "wartet auf Ihre Genehmigung" in card.message or "Genehmigung" in card.message
    reply = chats.say("Approve", B, card.slots)
    assert reply.body["message"].startswith("Genehmigt: Bestellanforderung 5001, „Laptops“")
    return _outcome(reply)


def _decided(chats: Chats) -> str:
    chats.say("Approve", A, chats.enter().slots)
    reply = chats.say("What did I decide", A, {})
    assert reply.body["message"] == "1 decision of yours was found for the last 30 days."
    [made] = reply.body["decisions"]
    assert (made["status"], made["made_in"]) == ("approved", "chat")
    assert made["text"].endswith("“Laptops” · in chat")
    assert chats.say("What did I decide", B, {}).body["decisions"] == []
    return "(history)"


def _lines(card: Delivered) -> list[str]:
    """Return the lines of a card, over either channel, without what makes them bold."""
    return [line.strip("*") for line in readable(card.message).splitlines()]


def _sensitive(chats: Chats) -> str:
    card = chats.enter(department="HR", justification="A new colleague.")
    number = chats.approval.document.id
    head, why, link = _lines(card)
    assert head.endswith(f" Purchase request {number} needs your approval")
    assert why == "This is neither shown nor decided in chat; please open it in Coupa."
    assert f"{COUPA}/requisition_headers/{number}" in link
    [listed] = chats.say("List", A, {}).body["approvals"]
    assert not any(word in listed["text"] for word in ("Laptop", "Sam", "900.00", "colleague"))
    # The listener shows no button: who has one has it from the list.
    assert bool(card.slots) is (chats.channel == "events")
    slots = card.slots or listed
    reply = chats.say("Approve", A, slots)
    assert (reply.body["link"], chats.approval.is_open) == (f"{COUPA}/requisition_headers/{number}", True)
    return _outcome(reply)


def _budget(chats: Chats) -> str:
    coupa = chats.world.coupa.world
    period = coupa.add_period("FY26 Q4")
    left = {"remaining": "66883.00", "pending_requisitions_amount": "1800.00"}
    coupa.add_reference("budget_lines", period=period, account="HQ-IT", currency="USD", **left)
    line = Line("Laptop", quantity="2", unit_price="900.00", account="HQ-IT-Assets", period=period)
    card = chats.enter(lines=[line])
    said = "FY26 Q4, HQ / IT: USD 66,883.00 remaining, USD 1,800.00 in pending requests"
    assert f"- Budget line in Coupa: {said}" in _lines(card)
    return _outcome(chats.say("Approve", A, card.slots))


def _duplicate(chats: Chats) -> str:
    first = chats.enter()
    number = chats.approval.document.id
    second = chats.enter()
    assert "Possible duplicate" not in first.message
    twin = f"- Possible duplicate (same supplier and amount): Purchase request {number} (Nov 23, 2026)"
    assert twin in _lines(second)
    return _outcome(chats.say("Reject", A, second.slots, "Entered twice."))


CHATS: list[Callable[[Chats], str]] = [
    _first,
    _approve,
    _approve_twice,
    _reject_with(" "),
    _reject_with('"Too dear" said O\'Neil, & why <two>?'),
    _somebody_else,
    _decided_in_coupa,
    _changed,
    _listed,
    _hold,
    _ask,
    _answered,
    _several,
    _german,
    _decided,
    _sensitive,
    _budget,
    _duplicate,
]


@pytest.mark.parametrize("channel", ["events", "listener"])
@pytest.mark.parametrize("number", range(18))
def test_each_chat_ends_as_the_test_plan_says_by_the_documented_calls(number: int, channel: str) -> None:
    """With what its line asks for alone, and with what all of them ask for."""
    row = PLAN[number]

    assert row[0] == str(number + 1)
    assert CHATS[number](Chats(channel, [number])) == row[3]
    assert CHATS[number](Chats(channel, range(18))) == row[3]


def test_everybody_in_the_test_plan_is_in_its_pilot_and_all_that_it_asks_for_is_a_setting() -> None:
    people = set(re.findall(r"\(([A-Z])\)", PAGES["test-plan.md"].partition("| # |")[0]))
    settings, scopes = needed(range(18), "listener")

    assert {f"<{each}>" for each in people} == set(PILOT.split(",")) == {"<A>", "<B>", "<R>"}
    assert settings.keys() == {"COMMENTS", "LIST_TOKENS", "SENSITIVE", "FACTS"}
    assert settings.keys() <= set(NAMES)
    assert f"`FACTS={settings['FACTS']}`" in PAGES["test-plan.md"]
    assert COMMENT_SCOPE in scopes


def test_the_chats_are_as_many_as_the_page_says() -> None:
    assert len(PLAN) == len(CHATS) == 18
    assert PAGES["test-plan.md"].startswith("# Eighteen chats")
