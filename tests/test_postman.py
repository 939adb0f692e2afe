"""The Postman collection: every request of it works on the simulators, and fills the next one's variables."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
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

pytestmark = pytest.mark.no_cover  # it is slow, and quicker tests ask for every branch

COLLECTION: dict[str, Any] = json.loads(
    (ROOT / "docs" / "creator_studio" / "postman_collection.json").read_text("utf-8")
)
_VARIABLE = re.compile(r"\{\{([$a-z_]+)\}\}")
_KEPT = re.compile(
    r'pm\.collectionVariables\.set\("(?P<name>[a-z_]+)", pm\.response\.json\(\)(?P<path>.*)\);'
)


@pytest.fixture(scope="module")
def place() -> Iterator[Hosted]:
    with hosted() as running:
        yield running


class Runner:
    """What Postman does with the collection, as far as the collection asks for it."""

    def __init__(self, place: Hosted, email: str) -> None:
        self.values = {each["key"]: each["value"] for each in COLLECTION["variable"]} | {
            "coupa_url": place.coupa_url,
            "coupa_client_id": CLIENT_ID,
            "coupa_client_secret": CLIENT_SECRET,
            "moveworks_url": place.moveworks_url,
            "moveworks_api_key": API_KEY,
            "moveworks_event_id": EVENT_ID,
            "moveworks_listener_id": LISTENER_ID,
            "moveworks_listener_secret": LISTENER_SECRET,
            "bridge_url": place.app_url,
            "function_key": FUNCTION_KEY,
            "your_email": email,
            "$timestamp": "1795000000",
        }

    def run(self, folder: str, name: str) -> requests.Response:
        """Send one request and keep what its script keeps."""
        item = found(folder, name)
        request = item["request"]
        body = self._body(request.get("body"))
        for line in script(item, "prerequest"):
            if "HmacSHA256" in line:
                key = self.values["moveworks_listener_secret"].encode()
                self.values["signature"] = hmac.new(key, body or b"", hashlib.sha256).hexdigest()
        reply = requests.request(
            request["method"],
            self._fill(request["url"]["raw"]),
            headers={each["key"]: self._fill(each["value"]) for each in request["header"]},
            data=body,
            timeout=20,
        )
        for line in script(item, "test"):
            kept = _KEPT.fullmatch(line)
            assert kept, line
            self.values[kept["name"]] = str(picked(reply.json(), kept["path"]))
        return reply

    def _body(self, body: dict[str, Any] | None) -> bytes | None:
        if body is None:
            return None
        if body["mode"] == "urlencoded":
            return urlencode(
                [(each["key"], self._fill(each["value"])) for each in body["urlencoded"]]
            ).encode()
        return self._fill(body["raw"]).encode()

    def _fill(self, text: str) -> str:
        return _VARIABLE.sub(lambda variable: self.values[variable[1]], text)


def found(folder: str, name: str) -> dict[str, Any]:
    """Return one request of the collection."""
    [items] = [each["item"] for each in COLLECTION["item"] if each["name"] == folder]
    [item] = [each for each in items if each["name"] == name]
    request: dict[str, Any] = item
    return request


def script(item: dict[str, Any], listen: str) -> list[str]:
    """Return the lines of a request's script."""
    return [
        line
        for event in item.get("event", [])
        if event["listen"] == listen
        for line in event["script"]["exec"]
    ]


def picked(value: Any, path: str) -> Any:
    """Follow a path such as `[0]["approvable-id"].name` into JSON."""
    for number, quoted, name in re.findall(r'\[(\d+)\]|\["([^"]+)"\]|\.([a-z_]+)', path):
        value = value[int(number)] if number else value[quoted or name]
    return value


NAMES = [(folder["name"], item["name"]) for folder in COLLECTION["item"] for item in folder["item"]]
FIRST = {"Coupa": ["Token", "What waits"], "Moveworks": [], "Bridge": ["What waits for me"]}
"""What fills the variables, as the folders' descriptions say."""

OUTCOMES = {
    "Approve": "approved",
    "Reject": "rejected",
    "Hold": "held",
    "Decision": "approved",
    "Ask": "commented",
}


@pytest.mark.parametrize(("folder", "name"), NAMES)
def test_every_request_works(place: Hosted, folder: str, name: str) -> None:
    email = place.approver()
    runner = Runner(place, email)
    for first in [*FIRST[folder], *(["Approve"] if name == "Trace" else [])]:
        assert runner.run(folder, first).status_code == 200

    reply = runner.run(folder, name)

    assert reply.status_code == 200, reply.text
    if folder == "Bridge" and name in OUTCOMES:
        assert reply.json()["outcome"] == OUTCOMES[name]
    if name == "Decide several":
        assert [each["outcome"] for each in reply.json()["items"]] == ["approved"]
    if folder == "Coupa" and name in OUTCOMES:
        approval = place.coupa.world.approval(int(runner.values["coupa_approval_id"]))
        assert (approval.status, str(approval.note)) == (
            OUTCOMES[name],
            f"{OUTCOMES[name].title()} from Postman",
        )
    if name in ("Send a message for an event", "Notify the listener"):
        assert place.moveworks.delivered[-1].recipient == email


def test_the_collection_has_the_four_calls_of_the_guide_and_all_of_the_bridge() -> None:
    assert [name for folder, name in NAMES if folder == "Bridge"] == [
        *("Health", "What waits for me", "One of them", "What I decided"),
        *("Approve", "Reject", "Hold", "Decision", "Ask", "Decide several", "Status", "Trace"),
    ]
    guide = {("Coupa", "Token"), ("Coupa", "What waits"), ("Coupa", "One requisition")}
    assert guide | {("Moveworks", "Send a message for an event")} <= set(NAMES)


def test_the_collection_is_of_version_2_1_and_keeps_no_secret() -> None:
    assert COLLECTION["info"]["schema"].endswith("/json/collection/v2.1.0/collection.json")
    for variable in COLLECTION["variable"]:
        is_address = variable["key"].endswith("_url")
        assert bool(variable["value"]) is is_address, variable


def test_every_address_says_the_same_whole_and_in_parts() -> None:
    for folder, name in NAMES:
        url = found(folder, name)["request"]["url"]
        query = "&".join(f"{each['key']}={each['value']}" for each in url.get("query", []))
        whole = "/".join([*url["host"], *url["path"]]) + (f"?{query}" if query else "")
        assert url["raw"] == whole


def test_every_variable_is_declared_or_made_by_a_script() -> None:
    declared = {each["key"] for each in COLLECTION["variable"]} | {"signature", "$timestamp"}

    assert set(_VARIABLE.findall(json.dumps(COLLECTION))) <= declared
