"""The app drops the caller's key: no log line, answer, row or call of ours has it, whatever fails.

The host passes it on, in the header and in the address. The guard of all tests looks at every log record.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import azure.functions as func
import pytest
from azure.functions.decorators.function_app import Function
from bridge import SETTINGS, World
from canaries import FUNCTION_KEY, MARK
from description import operations
from surface import JAMIE, Surface, surface
from test_app import configure

from coupa_core import app
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.endpoints import Request
from coupa_core.errors import BridgeError

PLACES = {
    "header": ("", f"x-functions-key: {FUNCTION_KEY}"),
    "header in capitals": ("", f"X-FUNCTIONS-KEY: {FUNCTION_KEY}"),
    "code": (f"code={FUNCTION_KEY}", ""),
    "CODE": (f"CODE={FUNCTION_KEY}", ""),
    "both": (f"code={FUNCTION_KEY}&code=other", f"x-functions-key: {FUNCTION_KEY}"),
}
"""A query and a header."""

NAMES = sorted(operations())


@pytest.fixture(scope="module")
def served(functions: list[Function]) -> Iterator[tuple[Surface, str, str]]:
    """Serve an app with a card of Jamie's; yields its id and its token, too."""
    world = World()
    world.requisition(JAMIE, holdable=True)
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    more = {"COMMENTS": "on", "RELAY_DOMAINS": "example.com"}
    with surface(functions, world, more) as place:
        [card] = world.announced()
        yield place, card.slots["approval_id"], card.slots["action_token"]


BODIES: Mapping[str, dict[str, Any]] = {
    "decision": {"decision": "approve"},
    "decide": {"decision": "approve", "items": [{"id": "7"}]},
    "comment": {"comment": "Why ten?"},
    "mute": {"hours": 1},
    "notifications": {"message": "hello", "recipients": ["ann@example.com"]},
}


def written(name: str, place: str, approval_id: str, token: str, body: bytes) -> bytes:
    """Return a request as bytes, with the key in a place."""
    query, header = PLACES[place]
    operation = operations()[name]
    path = "/api" + operation["path"].replace("{approval_id}", approval_id) + (f"?{query}" if query else "")
    lines = [f"{operation['method']} {path} HTTP/1.1", "Host: 127.0.0.1", f"X-Actor-Email: {JAMIE}"]
    lines += [f"X-Action-Token: {token}", "Idempotency-Key: once", *([header] if header else [])]
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def left(place: Surface) -> str:
    """Return all that the app left anywhere but in its log."""
    world = place.world
    rows = [repr(world.store.open_entries()), repr(world.store.status())]
    rows += [repr(row) for row in world.audit_store.rows(world.clock.now().date())]
    sent = [each.raw.decode("latin-1") for each in (*place.coupa.sent(), *place.moveworks.sent())]
    # Their own secrets are in what goes to them.
    return "\n".join([*rows, *(each.replace(SETTINGS["MOVEWORKS_API_KEY"], "") for each in sent)])


WRONG = {
    "good": None,
    "bad JSON": b"{",
    "unknown field": b'{"key": "x"}',
    "too large": b" " * 40_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("name", NAMES)
def test_no_route_leaves_the_key_anywhere(served: tuple[Surface, str, str], name: str, where: str) -> None:
    place, approval_id, token = served
    place.coupa.clear()
    place.moveworks.clear()

    for body in WRONG.values():
        sent = json.dumps(BODIES.get(name, {})).encode() if body is None else body
        for number in (approval_id, "7", "no number"):
            answer = place.raw(written(name, where, number.replace(" ", "%20"), token, sent))
            assert answer.startswith(b"HTTP/1.1 ")
            assert not answer.startswith(b"HTTP/1.1 401") or where == "both"
            assert MARK.encode() not in answer

    assert FUNCTION_KEY not in left(place)


@pytest.mark.parametrize("where", ["header", "code"])
@pytest.mark.parametrize("kind", ["answer", "cut", "truncate"])
def test_a_service_that_fails_brings_the_key_nowhere(
    served: tuple[Surface, str, str], kind: Any, where: str
) -> None:
    place, approval_id, token = served
    place.world.coupa.front.fail(kind, times=None)
    try:
        for name in NAMES:
            body = json.dumps(BODIES.get(name, {})).encode()
            assert MARK.encode() not in place.raw(written(name, where, approval_id, token, body))
    finally:
        place.world.coupa.front.heal()

    assert FUNCTION_KEY not in left(place)


@pytest.mark.parametrize("where", ["header", "code"])
def test_an_error_that_nobody_foresaw_shows_the_key_to_nobody(
    served: tuple[Surface, str, str],
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The error repeats the request that it was about, as a careless line would."""
    place, approval_id, _ = served

    def fails(request: Request) -> None:
        raise RuntimeError(f"cannot serve {request} {request.headers} {request.query}")

    routes = place.world.bridge.endpoints._routes
    monkeypatch.setattr(place.world.bridge.endpoints, "_routes", dict.fromkeys(routes, fails))

    for name in NAMES:
        answer = place.raw(written(name, where, approval_id, "none", b"{}"))
        assert answer.startswith(b"HTTP/1.1 500")
        assert MARK.encode() not in answer
    assert "cannot serve" in "".join(str(record.exc_info) for record in caplog.records)


@pytest.mark.parametrize("where", ["header", "query"])
def test_a_bridge_that_is_not_configured_shows_the_key_to_nobody(
    monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    settings = dict(SETTINGS)
    del settings["MOVEWORKS_API_KEY"]
    configure(monkeypatch, settings)
    given = {"x-functions-key": FUNCTION_KEY} if where == "header" else {}
    query = {"code": FUNCTION_KEY} if where == "query" else {}

    assert len(NAMES) > 10
    for name in NAMES:
        reply = app.handle(name, headers=given, query=query, route={}, body=b"")
        assert MARK not in f"{reply.text()}{reply.headers}"


def test_a_request_shows_neither_its_headers_nor_its_query() -> None:
    shown = repr(
        Request({"x-functions-key": FUNCTION_KEY}, {"code": FUNCTION_KEY}, {"approval_id": "7"}, b"x")
    )

    assert shown == "Request(route={'approval_id': '7'}, id='')"


def test_only_the_key_is_taken_out_of_a_request() -> None:
    given = {"X-Functions-Key": "k", "x-FUNCTIONS-key": "k", "X-Actor-Email": JAMIE, "code-of": "x"}

    assert app.without(given, "x-functions-key") == {"X-Actor-Email": JAMIE, "code-of": "x"}


def test_the_function_hands_on_no_address(functions: list[Function], monkeypatch: pytest.MonkeyPatch) -> None:
    """The host puts `code` into the address, and the app reads the parts of a request one by one."""
    asked: dict[str, Any] = {}

    def handle(name: str, **parts: Any) -> Any:
        asked.update(parts)
        raise BridgeError("stop", "here")

    monkeypatch.setattr(app, "handle", handle)
    [health] = [each for each in functions if each.get_function_name() == "health"]
    request = func.HttpRequest(
        "GET", f"https://app.test/api/health?code={FUNCTION_KEY}", params={"code": FUNCTION_KEY}, body=b""
    )

    with pytest.raises(BridgeError):
        health.get_user_function()(request)

    assert sorted(asked) == ["body", "headers", "query", "route"]
