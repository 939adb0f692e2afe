"""One event is one record, and one record is one line, whatever the logged fields hold."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bridge import JAMIE, SETTINGS, World
from unruly import after

from coupa_core import app
from coupa_core.ledger import Corrupt

pytestmark = pytest.mark.slow

BREAKS = {
    "LF": "\n",
    "CR": "\r",
    "CRLF": "\r\n",
    "VT": "\x0b",
    "FF": "\x0c",
    "FS": "\x1c",
    "NEL": "\x85",
    "LS": "\u2028",
    "PS": "\u2029",
    "NUL": "\x00",
    "BS": "\x08\x08\x08",
    "erase line": "\x1b[2K\r",
    "colour": "\x1b[31m",
    "title": "\x1b]0;x\x07",
    "CSI": "\x9b2J",
    "backwards": "\u202e",
}
FORGED = "ERROR coupa_core.decide: decision approval_id=1 verb=approve outcome=approved"


@contextmanager
def logged() -> Iterator[list[str]]:
    """Collect the lines of the log as a handler writes them; first comes how many records there were."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    records: list[logging.LogRecord] = []
    handler.addFilter(lambda record: records.append(record) or True)  # type: ignore[func-returns-value]
    product = logging.getLogger("coupa_core")
    product.addHandler(handler)
    lines: list[str] = []
    try:
        yield lines
    finally:
        product.removeHandler(handler)
    lines += [str(len(records)), *stream.getvalue().splitlines()]


def waiting() -> World:
    """Return a world in which a request waits for Jamie."""
    world = World()
    world.requisition(JAMIE)
    return world


def failing(path: str, text: str, *, by: str = "coupa", status: int = 400, kind: str = "json") -> World:
    """Return a world in which a service says that text in an error."""
    world = waiting()
    body = {
        "json": json.dumps({"errors": {"base": [text]}}),
        "code": json.dumps({"error": {"code": text, "message": text}}),
        "oauth": json.dumps({"error": text, "error_description": text}),
        "xml": f"<errors><error>{text}</error></errors>",
        "html": f"<html><title>{text}</title></html>",
    }[kind]
    front = (world.coupa if by == "coupa" else world.moveworks).front
    front.fail("answer", path=path, status=status, body=body, times=None)
    return world


def of_a_click(text: str) -> None:
    world = waiting()
    [card] = world.announced()
    world.coupa.front.fail(
        "answer", path="/api/approvals", status=403, body=json.dumps({"error": text}), times=None
    )
    world.click(card, JAMIE)


def in_a_content_type(text: str) -> None:
    world = waiting()
    kind = text.replace("\r", "").replace("\n", "").encode("latin-1", "replace").decode("latin-1")
    world.coupa.front.fail(
        "answer", status=200, headers={"Content-Type": f"text/{kind}"}, body="<", times=None
    )
    world.sweep()


def in_a_row(text: str) -> None:
    world, spoiled = World(), Corrupt(f"7{text}", f"state {text}")
    after(world.store, "open_entries", lambda opened: opened.corrupt.append(spoiled))
    world.sweep()


def in_coupas_data(text: str) -> None:
    world = World()
    request = world.requisition(JAMIE, title=text, justification=text, department=text)
    [approval] = world.coupa.world.approvals_of(request)
    [card] = world.announced()
    world.in_coupa(approval.id, JAMIE, "rejected", note=text)
    approval.raw |= {"status": text, "approvable-type": text, "approval-date": text, "updated-at": text}
    world.click(card, JAMIE)
    world.sweep()


def in_a_request(text: str) -> None:
    world = waiting()
    [card] = world.announced()
    route = {"approval_id": card.slots["approval_id"]}
    for each in ("X-Request-Id", "traceparent", "Idempotency-Key"):
        headers = {"X-Actor-Email": f"{text}@example.com", each: text}
        world.call("approve", headers=headers, route=route)
    world.call("approve", headers={"X-Actor-Email": JAMIE, "X-Action-Token": text}, route=route)
    world.call("decision", headers={"X-Actor-Email": JAMIE}, route=route, json={"decision": text})
    world.call("hold", headers={"X-Actor-Email": JAMIE}, route=route, json={text: text})
    world.call("trace", route={"approval_id": text})
    world.listed(text)
    world.click(card, JAMIE, "reject", reason=text)


def in_the_settings(text: str) -> None:
    given = {**SETTINGS, "COUPA_BASE_URL": text, "DOCUMENT_TYPES": text, "LEDGER_TABLE": text}
    given |= {
        "ACTION_TOKEN_KEYS": text,
        "POLL_SCHEDULE": text,
        "CLAIM_LEASE_S": text,
        "STEP_UP_OVER": "bypass" + text,
    }
    app._built.clear()
    with pytest.MonkeyPatch.context() as environment:
        for name, value in given.items():
            environment.setenv(name, value.replace("\0", ""))
        app.sweep()
        app.handle("status", headers={}, query={}, route={}, body=b"")


def of_a_service(path: str, **how: Any) -> Callable[[str], object]:
    """Return what sweeps while a service says a text in an error."""
    return lambda text: failing(path, text, **how).sweep()


FIELDS: dict[str, Callable[[str], object]] = {
    "of the list": of_a_service("/api/approvals"),
    "of the list, in XML": of_a_service("/api/approvals", kind="xml", status=500),
    "of a page": of_a_service("/api/approvals", kind="html", status=503),
    "of the token": of_a_service("/oauth2/token", kind="oauth", status=401),
    "of a redirect": of_a_service("/api/approvals", status=302),
    "of Moveworks": of_a_service("/messages/send", by="moveworks", kind="code"),
    "of a server at Moveworks": of_a_service("/messages/send", by="moveworks", kind="html", status=502),
    **{
        each.__name__: each
        for each in (of_a_click, in_a_content_type, in_a_row, in_coupas_data, in_a_request, in_the_settings)
    },
}


@pytest.mark.parametrize("name", BREAKS)
@pytest.mark.parametrize("field", FIELDS)
def test_no_field_begins_a_line_of_the_log_or_paints_over_one(field: str, name: str) -> None:
    with logged() as harmless:
        FIELDS[field](f"odd {FORGED}")
    with logged() as lines:
        FIELDS[field](f"odd{BREAKS[name]}{FORGED}")

    number, *said = lines
    assert int(number) == len(said) > 0
    assert number == harmless[0]
    assert [line for line in said if not line.isprintable()] == []
    assert [line for line in said if line.startswith(FORGED[:20])] == []
