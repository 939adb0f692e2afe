"""No secret leaves, whatever fails: not in a log record, an HTTP answer, a row or a message.

The secrets are new in every run, and the tests look for them in every usual encoding. Every service fails in
every possible way, and repeats our request in its error.
"""

from __future__ import annotations

import base64
import html
import itertools
import json
import logging
import secrets
import socket
import traceback
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from azure.functions.decorators.function_app import Function
from bridge import SETTINGS, World
from canaries import aligned
from surface import JAMIE, Surface, surface
from werkzeug.wrappers import Request, Response

from coupa_core import app
from coupa_core.tables import table_client
from sandbox.azurite import KEY as STORAGE_KEY
from sandbox.azurite import Azurite
from sandbox.front import Environ, FaultKind, StartResponse
from sandbox.serving import served

pytestmark = pytest.mark.slow


def _new() -> str:
    """Make up a secret; some of its characters must be written otherwise in a URL, in HTML and in JSON."""
    return f"{secrets.token_urlsafe(18)}+/&=\"'%{secrets.token_urlsafe(12)}"


def _short() -> str:
    """Make up a secret of sixteen characters."""
    return f"{secrets.token_urlsafe(9)[:12]}+/&7"


def forms(secret: str) -> set[str]:
    """Return a secret and what others make of it, and both halves of each long one."""
    data = secret.encode()
    urlsafe = {each.replace("+", "-").replace("/", "_") for each in aligned(secret)}
    written = {
        *(secret, quote(secret), quote(secret, safe=""), quote_plus(secret), quote(quote(secret, safe=""))),
        *(html.escape(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]),
        *(data.hex(), data.hex().upper(), *aligned(secret), *urlsafe),
        *(secret.upper(), secret.lower(), secret[::-1], data.hex()[::-1]),
        *(_escaped(secret), "".join(f"%{each:02X}" for each in data)),
    }
    halves = {part for each in written for part in (each[: len(each) // 2], each[len(each) // 2 :])}
    return written | {part for part in halves if len(part) >= 16}


@dataclass
class Vault:
    """The secrets of one run, by name."""

    client_id: str = field(default_factory=_new)
    client_secret: str = field(default_factory=_new)
    api_key: str = field(default_factory=_short)
    function_key: str = field(default_factory=_new)
    old_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    token_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def settings(self) -> dict[str, str]:
        """Return them as settings."""
        return {
            "COUPA_CLIENT_ID": self.client_id,
            "COUPA_CLIENT_SECRET": self.client_secret,
            "MOVEWORKS_API_KEY": self.api_key,
            "ACTION_TOKEN_KEYS": json.dumps({"now": self.token_key, "old": self.old_key}),
        }

    def lasting(self) -> dict[str, str]:
        """Return those that no answer and no message may hold either."""
        keys = {f"{name} as bytes": base64.b64decode(key).hex() for name, key in (("token", self.token_key),)}
        return {**vars(self), **keys, "storage_key": STORAGE_KEY}


class Gossip:
    """A service that, when told to, answers a path with an error that repeats the whole request."""

    def __init__(self, behind: Callable[[Environ, StartResponse], Any]) -> None:
        self._behind = behind
        self.answer: Callable[[Request], Response] | None = None
        self.path = ""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Any:
        request = Request(environ)
        if self.answer is not None and self.path in request.path:
            return self.answer(request)(environ, start_response)
        return self._behind(environ, start_response)


def _repeated(request: Request) -> str:
    """Return what was sent: first the credentials, because errors are cut."""
    head = (
        f"authorization={request.headers.get('Authorization', '')} x={request.headers.get('x-ms-date', '')}"
    )
    return f"{head} body={request.get_data(as_text=True)} query={request.query_string.decode()}"


def _as_json(text: str, status: int) -> Response:
    return Response(json.dumps({"errors": {"base": [text]}}), status=status, mimetype="application/json")


def _flat(text: str, status: int) -> Response:
    body = {"error": text, "error_description": text, "message": text, "code": text, "access_token": text}
    return Response(json.dumps(body), status=status, mimetype="application/json")


def _in_xml(text: str, status: int) -> Response:
    return Response(
        f"<errors><error>{html.escape(text)}</error></errors>", status=status, mimetype="text/xml"
    )


def _in_html(text: str, status: int) -> Response:
    return Response(f"<html><title>{html.escape(text)}</title>{text}", status=status, mimetype="text/html")


def _in_base64(text: str, status: int) -> Response:
    return _as_json(base64.b64encode(text.encode()).decode(), status)


def _in_hex(text: str, status: int) -> Response:
    return _as_json(text.encode().hex(), status)


def _in_a_url(text: str, status: int) -> Response:
    return _as_json(f"see {quote(text)} or {quote_plus(text)}", status)


def _reversed(text: str, status: int) -> Response:
    return _as_json(text[::-1], status)


def _in_capitals(text: str, status: int) -> Response:
    return _as_json(text.upper(), status)


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(each):04x}" for each in text)


def _in_escapes(text: str, status: int) -> Response:
    return _as_json(f"{json.dumps(text)} {_escaped(text[:60])}", status)


def _in_a_header(text: str, status: int) -> Response:
    odd = quote(text)
    named = {
        "Location": f"http://127.0.0.1:1/?{odd}",
        "Retry-After": odd,
        "Content-Type": f"text/{odd}",
        "X-A": odd,
    }
    return Response("<", status=status, headers=named)


GOSSIP = (
    *(_as_json, _flat, _in_xml, _in_html, _in_base64, _in_hex, _in_a_url, _in_a_header),
    *(_reversed, _in_capitals, _in_escapes),
)
STATUSES = (200, 302, 400, 401, 403, 404, 409, 429, 500, 503)
TOKEN_ANSWERS = (
    *(
        '{"token": "%s"}',
        '{"access_token": ["%s"]}',
        '{"access_token": "%s\\n"}',
        '{"access_token": "\\u00e9%s"}',
        '["%s"]',
    ),
    *(
        '{"access_token": {"value": "%s"}}',
        '"%s"',
        "%s",
        "<html>%s",
        '{"access_token": "%s"',
        '{"access_token": "", "x": "%s"}',
    ),
)


LOGGERS = {"coupa_core", "host", "urllib3", "azure"}


@dataclass
class Spill:
    """Everything that left in one run."""

    answers: list[str] = field(default_factory=list)
    offers: list[str] = field(default_factory=list)

    def ask(
        self, served: Surface, vault: Vault, method: str, path: str, *, body: bytes = b"", **headers: str
    ) -> str:
        """Send a request by hand, because a client's own log would hold the key, and keep the answer."""
        lines = [f"{method} /api/{path} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [] if "code=" in path else [f"x-functions-key: {vault.function_key}"]
        answer = served.raw("\r\n".join([*lines, "", ""]).encode(), body).decode("latin-1")
        self.answers.append(answer)
        return answer


def use(spill: Spill, served: Surface, vault: Vault, cards: list[Any]) -> None:
    """Do everything once: a sweep, every kind of click, the list, what operators see."""
    served.world.sweep()
    call(spill, served, vault, cards)


def call(spill: Spill, served: Surface, vault: Vault, cards: list[Any]) -> None:
    """Do everything but a sweep."""
    key = quote(vault.function_key, safe="")
    for card, verb in zip(cards, ("approve", "reject", "hold", "approve"), strict=False):
        path = f"approvals/{card.slots['approval_id']}/{verb}"
        token = card.slots["action_token"]
        spill.ask(
            served, vault, "POST", path, body=b'{"reason": "x"}', X_Actor_Email=JAMIE, X_Action_Token=token
        )
    spill.ask(served, vault, "POST", f"approvals/7/approve?code={key}&action_token=x", X_Actor_Email=JAMIE)
    spill.ask(served, vault, "GET", f"approvals?approver_email={JAMIE}&code={key}")
    spill.ask(served, vault, "GET", f"approvals/{cards[-1].slots['approval_id']}", X_Actor_Email=JAMIE)
    for path in ("status", "health", f"approvals/{cards[0].slots['approval_id']}/trace?code={key}x"):
        spill.ask(served, vault, "GET", path)


def renewed(served: Surface) -> None:
    """Forget the bearer token, as a new process would."""
    access = served.world.bridge.sweep.deps.coupa._access
    access._token._minted = None


def gossip_of_all(
    spill: Spill, served: Surface, vault: Vault, cards: list[Any], *, coupa: Gossip, moveworks: Gossip
) -> None:
    """Let each service fail in each way at each of its paths, while what asks it is done."""
    world, statuses = served.world, itertools.cycle(STATUSES)
    for front, path in (
        *((coupa, "/oauth2/token"), (coupa, "/api/"), (coupa, "/approve"), (coupa, "/users")),
        *((moveworks, "/messages/send"), (moveworks, "/rest/")),
    ):
        for gossip in GOSSIP:
            front.path, status = path, next(statuses)
            front.answer = lambda request, gossip=gossip, status=status: gossip(_repeated(request), status)
            renewed(served)
            world.requisition(JAMIE)
            world.sweep()
            if front is coupa:
                call(spill, served, vault, cards)
            world.clock.advance(120)
        asked = len(served.moveworks.connections)
        call(spill, served, vault, cards)
        assert len(served.moveworks.connections) == asked  # only sweeps ask Moveworks
        front.answer = None


@pytest.fixture
def every_record(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Keep the records of every logger at every level, urllib3's and azure's, too."""
    loggers = [
        logging.getLogger(name) for name in ("urllib3", "azure", "azure.core.pipeline.policies", "host")
    ]
    caplog.set_level(logging.DEBUG)
    for each in loggers:
        each.setLevel(logging.DEBUG)
    yield caplog
    for each in loggers:
        each.setLevel(logging.NOTSET)


def written(record: logging.LogRecord) -> str:
    """Return everything that a handler could write of a record."""
    said = [record.getMessage()]
    if record.exc_info and record.exc_info[1]:
        said += ["".join(traceback.format_exception(record.exc_info[1]))]
    for each in record.args if isinstance(record.args, tuple) else ():
        if isinstance(each, BaseException):
            said += ["".join(traceback.format_exception(each)), repr(each.args)]
        elif not isinstance(each, str | int | float):
            said += [repr(each)]
    return "\n".join(said)


def found(secrets_by_name: dict[str, str], texts: list[str], where: str) -> list[str]:
    """Return which secrets show in which texts."""
    whole = "\n".join(dict.fromkeys(texts))
    return [
        f"{name} as {form!r} in {where}"
        for name, secret in secrets_by_name.items()
        for form in forms(secret)
        if form in whole
    ]


def test_no_secret_leaves_however_the_services_fail(
    functions: list[Function], azurite_server: Azurite, every_record: pytest.LogCaptureFixture
) -> None:
    vault, spill, world = Vault(), Spill(), World()
    world.coupa.desk.client_id, world.coupa.desk.client_secret = vault.client_id, vault.client_secret
    world.moveworks.api_key = vault.api_key
    table = f"t{uuid.uuid4().hex}"
    coupa, moveworks = Gossip(world.coupa.front), Gossip(world.moveworks.front)
    settings = vault.settings() | {
        "LEDGER_CONNECTION": azurite_server.connection_string,
        "LEDGER_TABLE": table,
        "AUDIT_TABLE": f"{table}audit",
    }
    for _ in range(4):
        world.requisition(JAMIE, holdable=True)
    with surface(
        functions,
        world,
        settings,
        coupa_app=coupa,
        moveworks_app=moveworks,
        function_key=vault.function_key,
    ) as served:
        cards = list(world.announced())
        gossip_of_all(spill, served, vault, cards[:1], coupa=coupa, moveworks=moveworks)
        coupa.path = "/oauth2/token"
        for text in TOKEN_ANSWERS:
            coupa.answer = lambda _, text=text: Response(text.replace("%s", vault.client_secret))
            renewed(served)
            world.sweep()
        coupa.answer = None
        kinds: tuple[FaultKind, ...] = ("cut", "lose", "truncate")
        for kind in kinds:
            for service in (world.coupa.front, world.moveworks.front):
                service.fail(kind, times=2)
                renewed(served)
                use(spill, served, vault, cards)
        world.clock.advance(120)
        world.sweep()
        use(spill, served, vault, cards)
        messages = served.messages()
        bearers = list(world.coupa.desk._tokens)
    offers = [card.slots["action_token"] for card in world.moveworks.delivered]
    with table_client(connection=azurite_server.connection_string, account_url="", table=table) as client:
        rows = [repr(dict(row)) for row in client.list_entities()]

    records = [written(record) for record in every_record.records]
    lasting = vault.lasting() | {"bearer": bearers[-1]}
    everything = lasting | {"offer": offers[-1]}
    assert (len(records) > 2_000, len(bearers) > 10, len(offers) > 20, len(rows) > 40) == (True,) * 4
    assert found(everything, records, "the log") == []
    assert found(lasting, spill.answers, "an answer") == []
    assert found(everything, rows, "a row") == []
    assert found(everything, messages, "a message") == []
    left = "\n".join([*records, *rows, *messages])
    assert [token for token in bearers + offers if token[-80:] in left] == []
    assert not any("?code=" in record or "&code=" in record for record in records)
    assert {record.name.partition(".")[0] for record in every_record.records} >= LOGGERS
    statuses = {answer.split()[1] for answer in spill.answers}
    assert {"200", "401", "403", "502", "503"} <= statuses
    assert "500" not in statuses


# The SDK asks an XML error for its truth, which Python 3.12 and later warn of.
@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
def test_no_secret_leaves_when_a_service_cannot_be_reached(
    functions: list[Function], azurite_server: Azurite, every_record: pytest.LogCaptureFixture
) -> None:
    """No TLS where it was expected, nobody there, a table service that is none, or has another key."""
    vault, spill, world = Vault(), Spill(), World()
    world.requisition(JAMIE)
    cards = list(world.announced())
    gossip = lambda environ, start: _flat(_repeated(Request(environ)), 403)(environ, start)  # noqa: E731
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"127.0.0.1:{closed.getsockname()[1]}"
    with served(gossip) as elsewhere:
        plain = elsewhere.removeprefix("http://")
        other = base64.b64encode(vault.api_key.encode()).decode()
        storage = (
            f"DefaultEndpointsProtocol=http;AccountName=a;TableEndpoint={elsewhere}/a;AccountKey={other}"
        )
        for changed in (
            {"COUPA_BASE_URL": f"https://{plain}"},
            {"COUPA_BASE_URL": f"http://{nobody}"},
            {"MOVEWORKS_BASE_URL": f"https://{plain}"},
            {"MOVEWORKS_BASE_URL": f"http://{nobody}"},
            {"LEDGER_CONNECTION": storage},
            {"LEDGER_CONNECTION": storage.replace(elsewhere, f"http://{nobody}")},
            {"LEDGER_CONNECTION": storage.replace(other, vault.api_key[:20])},
            {"LEDGER_CONNECTION": azurite_server.connection_string.replace(STORAGE_KEY, other)},
        ):
            given = vault.settings() | changed
            with surface(functions, world, given, function_key=vault.function_key) as app_served:
                use(spill, app_served, vault, cards)

    records = [written(record) for record in every_record.records]
    everything = vault.lasting() | {"another storage key": other}
    assert len(records) > 100
    assert found(everything, records, "the log") == []
    assert found(everything, spill.answers, "an answer") == []


def test_no_secret_leaves_when_it_stands_in_the_wrong_setting(
    functions: list[Function], every_record: pytest.LogCaptureFixture
) -> None:
    vault, spill = Vault(), Spill()
    others = ("COUPA_SCOPES", "DOCUMENT_TYPES", "LINK_TEMPLATE", "LEDGER_TABLE", "ACTION_TOKEN")
    more = ("CLAIM_LEASE_S", "POLL_SCHEDULE", "STEP_UP_OVER", "COUPA_MAX_PER_SECOND")
    misplaced = (
        vault.client_secret,
        f"https://user:{vault.client_secret}@acme.example",
        f"k1:{vault.token_key}:{vault.client_secret}",
        f"bypass {vault.api_key}",
    )
    with surface(functions, World(), function_key=vault.function_key) as app_served:
        for name in (*SETTINGS, *others, *more):
            for secret in misplaced:
                with pytest.MonkeyPatch.context() as environment:
                    for each, value in (SETTINGS | vault.settings() | {name: secret}).items():
                        environment.setenv(each, value)
                    app._built.clear()
                    if "is not configured" in spill.ask(app_served, vault, "GET", "approvals/1/trace"):
                        app.sweep()

    records = [written(record) for record in every_record.records]
    assert sum("is not configured" in answer for answer in spill.answers) > 40
    assert sum("sweep not possible" in record for record in records) > 40
    assert found(vault.lasting(), records, "the log") == []
    assert found(vault.lasting(), spill.answers, "an answer") == []


def test_the_search_finds_what_it_is_meant_to_find() -> None:
    """Guard the guard: each way of writing is found wherever it stands."""
    secret = _new()
    for before in ("", "a", "ab", "abc"):
        text = f"{before}{secret} and more"
        for each in (
            *(text, quote(text), quote_plus(text), html.escape(text), json.dumps(text), repr(text)),
            *(
                text.encode().hex(),
                base64.b64encode(text.encode()).decode(),
                base64.urlsafe_b64encode(text.encode()).decode(),
            ),
        ):
            assert found({"secret": secret}, [each], "it") != []
    assert found({"secret": secret}, ["nothing of it"], "it") == []
