"""The pages of docs/creator_studio name what there is: settings, routes, slots, scopes and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import yaml
from azure.functions.decorators.function_app import Function
from curl import parse
from openapi.errors import CODES, ERRORS
from pages import FOLDER, PAGES, blocks, section, tables

from coupa_core.callers import CALLER_OF
from coupa_core.decide import Outcome
from coupa_core.decide.answers import LED
from coupa_core.documents import DOCUMENT_MODELS, LEAST_SCOPES, comment_scopes
from coupa_core.endings import End, Ending
from coupa_core.model import Verb
from coupa_core.moveworks import LOOK_IN_THE_LOG
from coupa_core.moveworks.listener import payload
from coupa_core.notice import Notice, Style, ended_as
from coupa_core.settings import NAMES

NOTICE = Notice(
    "ann@example.com",
    "<b>PO</b>",
    {"approval_id": "7", "action_token": "t"},
    actions={Verb.APPROVE: "Approve", Verb.REJECT: "Reject"},
)


def test_every_setting_that_is_named_exists() -> None:
    named = {
        name for text in PAGES.values() for name in re.findall(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`", text)
    }

    assert {"MOVEWORKS_EVENT_ID", "MOVEWORKS_LISTENER_SECRET", "COUPA_CLIENT_ID"} <= named
    assert named <= set(NAMES)


def test_every_route_that_is_named_exists(functions: list[Function]) -> None:
    named = {route for text in PAGES.values() for route in re.findall(r"`((?:GET|POST) /api/[^`]*)`", text)}

    assert {"GET /api/approvals", "POST /api/approvals/{approval_id}/decision"} <= named
    assert named <= {" ".join(each) for each in bridge_routes(functions)}


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

    assert list(named)[:-1] == list(DOCUMENT_MODELS)
    for kind, scopes in list(named.items())[:-1]:
        asked = comment_scopes([kind]) if kind not in ("Contract", "EasyFormResponse") else []
        assert scopes == [DOCUMENT_MODELS[kind].scope, *asked]


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


def test_every_route_of_the_connector_has_a_curl_and_the_key_table_says_whose_key_it_takes(
    functions: list[Function],
) -> None:
    called = {
        (curl.method, re.sub(r"\{{2,3}approval_id\}{2,3}", "{approval_id}", urlsplit(curl.url).path))
        for curl in map(parse, blocks("actions.md", "bash"))
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
