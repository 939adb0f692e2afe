"""The Postman collection, as Newman plays it: whole and by folder, with nothing and two waiting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from description import operations
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
from packages import said

from coupa_core.callers import CALLER_OF

pytestmark = pytest.mark.slow

FILE = ROOT / "docs" / "creator_studio" / "postman_collection.json"
COLLECTION: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
FOLDERS = {folder["name"]: folder["item"] for folder in COLLECTION["item"]}
REQUESTS = [(folder, item) for folder, items in FOLDERS.items() for item in items]
OF_THE_BRIDGE = [
    item["request"] for _, item in REQUESTS if item["request"]["url"]["raw"].startswith("{{bridge_url}}")
]
_VARIABLE = re.compile(r"\{\{([$a-z_]+)\}\}")


def route_of(request: dict[str, Any]) -> str:
    """Return method and path of a request to the bridge, as its description has them."""
    path = request["url"]["raw"].partition("/api")[2]
    return f"{request['method']} {re.sub(r'{{.+?}}', '{approval_id}', path)}"


def each_route(operation: dict[str, Any]) -> str:
    """Return the same of an operation that is described."""
    return f"{operation['method']} {operation['path']}"


@dataclass(frozen=True)
class Played:
    """What became of one request."""

    name: str
    sent: bool
    url: str
    status: int
    body: str
    logged: list[str]
    passed: list[str]
    failed: list[str]

    @property
    def answer(self) -> Any:
        """Return its answer."""
        return json.loads(self.body)


def play(place: Hosted, *runs: tuple[str, dict[str, str]]) -> list[list[Played]]:
    """Play each run: a folder, or all of them for "", with what a person has filled in."""
    values = {
        "coupa_url": place.coupa_url,
        "coupa_client_id": CLIENT_ID,
        "coupa_client_secret": CLIENT_SECRET,
        "moveworks_url": place.moveworks_url,
        "moveworks_api_key": API_KEY,
        "moveworks_event_id": EVENT_ID,
        "moveworks_listener_id": LISTENER_ID,
        "moveworks_listener_secret": LISTENER_SECRET,
        "bridge_url": place.app_url,
        "decisions_key": FUNCTION_KEY,
        "relay_key": FUNCTION_KEY,
        "operators_key": FUNCTION_KEY,
        "your_email": "nobody@example.com",
    }
    asked = [{"folder": folder, "values": own} for folder, own in runs]
    told = said("play.js", {"collection": str(FILE), "values": values, "runs": asked})
    return [[Played(**each) for each in run] for run in told]


@dataclass(frozen=True)
class Walk:
    """The runs of all that is tested here, by what waited: for one person, or for `Coupa` in all."""

    nothing: dict[str, list[Played]]
    two: dict[str, list[Played]]
    six: list[Played]
    refused: list[Played]


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """Play the collection in one place and three starts of Node.js."""
    names = ["", *FOLDERS]
    with hosted() as place:
        nothing = dict(zip(names, play(place, *((name, {}) for name in names)), strict=True))
        person = place.approver(waiting=2)
        place.sweep()
        [whole] = play(place, ("", {"your_email": person}))
        people = [{"your_email": place.approver(waiting=2)} for _ in FOLDERS]
        seen = {"parked_approval_id": place.card(place.approver())["approval_id"]}
        six = ("Bridge", {"your_email": place.approver(waiting=6)})
        place.sweep()
        many, *alone, refused = play(place, six, *zip(FOLDERS, people, strict=True), ("Operators", seen))
        yield Walk(nothing, {"": whole, **dict(zip(FOLDERS, alone, strict=True))}, many, refused)


def sent(run: list[Played]) -> dict[str, Played]:
    """Return the requests of a run that were sent, by name."""
    return {each.name: each for each in run if each.sent}


def part(run: list[Played], folder: str) -> list[Played]:
    """Return what a run of the whole collection played of a folder."""
    before = sum(len(FOLDERS[name]) for name in list(FOLDERS)[: list(FOLDERS).index(folder)])
    return run[before : before + len(FOLDERS[folder])]


def test_whatever_waits_every_request_that_is_sent_asserts_and_none_fails(walk: Walk) -> None:
    runs = [*walk.nothing.values(), *walk.two.values(), walk.six]

    assert [each.failed for run in runs for each in run if each.failed] == []
    assert all(each.passed for run in runs for each in sent(run).values())
    assert not any("//" in each.url.partition("://")[2] for run in runs for each in run)
    assert len(walk.two[""]) == len(REQUESTS)


def test_whatever_waits_a_request_that_is_not_sent_says_what_is_empty_and_what_fills_it(walk: Walk) -> None:
    variables = {each["key"] for each in COLLECTION["variable"]}

    left = [each for run in [*walk.nothing.values(), *walk.two.values()] for each in run if not each.sent]
    assert left
    for each in left:
        [sentence] = each.logged
        found = re.fullmatch(r"Not sent: ([a-z_, ]+) (?:is|are) empty; run “([^”]+)” first.*\.", sentence)
        assert found, sentence
        assert set(found[1].split(", ")) <= variables
        folder, name = found[2].split(" / ")
        assert name in {item["name"] for item in FOLDERS[folder]}


def test_with_nothing_waiting_what_needs_an_approval_is_not_sent(walk: Walk) -> None:
    reads = {
        "Moveworks": {"Test the key", "Send a message for an event", "Notify the listener"},
        "Bridge": {"Health", "What waits for me", "What I decided"},
        "Relay": {"Relay a message"},
        "Operators": {"Status", "Cycle times", "Send everything again"},
        "Coupa": {"Token", "What waits"},
    }

    for folder, names in reads.items():
        assert set(sent(walk.nothing[folder])) == names
    assert set(sent(walk.nothing[""])) == set().union(*reads.values())


def test_with_two_waiting_each_decision_takes_one_and_the_rest_is_not_sent(walk: Walk) -> None:
    for run in (part(walk.two[""], "Bridge"), walk.two["Bridge"]):
        done = sent(run)
        assert {each["name"] for each in FOLDERS["Bridge"]} - set(done) == {
            *("Hold", "Decision", "Decide several"),
        }
        assert [done[name].answer["outcome"] for name in ("Ask", "Approve", "Reject")] == [
            *("commented", "approved", "rejected"),
        ]
        decided = [done[name].answer["approval_id"] for name in ("Approve", "Reject")]
        assert {each["approval_id"] for each in done["What I decided"].answer["decisions"]} == set(decided)


def test_with_enough_waiting_each_decision_of_the_bridge_does_what_it_is_called(walk: Walk) -> None:
    done = sent(walk.six)

    assert {
        name: done[name].answer["outcome"] for name in ("Ask", "Approve", "Reject", "Hold", "Decision")
    } == {
        "Ask": "commented",
        "Approve": "approved",
        "Reject": "rejected",
        "Hold": "held",
        "Decision": "approved",
    }
    assert [each["outcome"] for each in done["Decide several"].answer["items"]] == ["approved"]
    assert done["What I decided"].answer["count"] == 5


def test_what_coupa_decides_leaves_the_bridge_what_it_needs(walk: Walk) -> None:
    done = sent(walk.two["Coupa"])

    assert [done[name].answer["status"] for name in ("Approve", "Reject")] == ["approved", "draft"]
    assert list(FOLDERS)[-1] == "Coupa"
    assert {"Ask", "Approve", "Reject"} <= set(sent(part(walk.two[""], "Bridge")))


def test_operators_see_and_change_what_the_bridge_has_a_row_of(walk: Walk) -> None:
    for run in (part(walk.two[""], "Operators"), walk.two["Operators"]):
        assert {each["name"] for each in FOLDERS["Operators"]} - set(sent(run)) == {"Unpark"}
        assert sent(run)["Mute"].answer["cause"] == "muted"


def test_an_answer_that_is_a_fault_fails_its_request_with_the_bridges_own_sentence(walk: Walk) -> None:
    last = walk.refused[-1]

    assert (last.name, last.status) == ("Unpark", 409)
    assert "This approval is not parked." in last.failed[0]


def test_the_collection_has_every_route_of_the_bridge_and_the_four_calls_of_the_guide() -> None:
    assert set(map(route_of, OF_THE_BRIDGE)) == set(map(each_route, operations().values()))
    guide = {("Coupa", "Token"), ("Coupa", "What waits"), ("Coupa", "One requisition")}
    names = {(folder, item["name"]) for folder, item in REQUESTS}
    assert guide | {("Moveworks", "Send a message for an event")} <= names


@pytest.mark.parametrize("request_", OF_THE_BRIDGE, ids=route_of)
def test_every_request_has_the_key_of_its_kind_of_caller_and_no_other(request_: dict[str, Any]) -> None:
    [name] = [name for name, each in operations().items() if route_of(request_) == each_route(each)]

    keys = [each["value"] for each in request_["header"] if each["key"] == "x-functions-key"]

    assert keys == ([f"{{{{{CALLER_OF[name]}_key}}}}"] if name in CALLER_OF else [])


def test_the_collection_is_of_version_2_1_and_keeps_no_secret() -> None:
    assert COLLECTION["info"]["schema"].endswith("/json/collection/v2.1.0/collection.json")
    for variable in COLLECTION["variable"]:
        is_address = variable["key"].endswith("_url")
        assert bool(variable["value"]) is is_address, variable


@pytest.mark.parametrize(("_", "item"), REQUESTS, ids=lambda each: each if isinstance(each, str) else "")
def test_every_address_says_the_same_whole_and_in_parts(_: str, item: dict[str, Any]) -> None:
    url = item["request"]["url"]
    query = "&".join(f"{each['key']}={each['value']}" for each in url.get("query", []))

    assert url["raw"] == "/".join([*url["host"], *url["path"]]) + (f"?{query}" if query else "")


def test_everything_is_described_and_every_variable_is_used() -> None:
    variables = {each["key"]: each["description"] for each in COLLECTION["variable"]}
    page = FILE.with_name("postman.md").read_text("utf-8")
    kept = set(re.findall(r'collectionVariables\.set\("(\w+)"', json.dumps(COLLECTION).replace("\\", "")))
    used = set(_VARIABLE.findall(json.dumps(COLLECTION["item"])))

    assert all(variables.values())
    assert all(item["request"]["description"] for _, item in REQUESTS)
    assert all(folder["description"] for folder in COLLECTION["item"])
    assert used - set(variables) == {"signature", "$timestamp"}
    assert set(variables) == (used | kept | {"moveworks_listener_secret"}) - {"signature", "$timestamp"}
    for name, description in variables.items():
        assert (name in kept) is ("Filled by “" in description), name
        assert f"| `{name}` | {description} |" in page
