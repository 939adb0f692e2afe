"""Azure's SDK under our deadlines: a token is requested once, and nobody waits for a dead endpoint."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from slow import identity_at, slow
from tls import certificate, served_securely
from werkzeug.wrappers import Request, Response

from coupa_core.azure_sdk import ASK_S, REST_S, SPARE_S, Identity, OutOfTime, Transport, app_identity
from coupa_core.clock import Deadline, SystemClock, until
from coupa_core.errors import Unavailable, Unknown
from coupa_core.table_ledger import TableStore
from coupa_core.tables import CLICK_OPTIONS, SWEEP_OPTIONS, table_client
from sandbox.clock import ManualClock
from sandbox.serving import served

SCOPE = "https://storage.azure.com/.default"
HOUR_S = 3600


@dataclass
class Source:
    """Where tokens come from: counts, fails when told to, and waits when told to."""

    clock: ManualClock
    is_down: bool = False
    error: Exception = field(default_factory=lambda: ClientAuthenticationError("no token"))
    refresh_on: int | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.may_answer.set()

    def get_token_info(self, *scopes: str, options: dict[str, Any]) -> AccessTokenInfo:
        self.asked.append(options)
        self.may_answer.wait(10)
        if self.is_down:
            raise self.error
        expires_on = int(self.clock.now().timestamp()) + HOUR_S
        return AccessTokenInfo(f"token {len(self.asked)}", expires_on, refresh_on=self.refresh_on)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def source(clock: ManualClock) -> Source:
    return Source(clock)


@pytest.fixture
def identity(source: Source, clock: ManualClock) -> Identity:
    return Identity(source, clock)


def test_one_token_serves_everybody_until_half_of_its_life_is_over(
    identity: Identity, source: Source, clock: ManualClock
) -> None:
    first = identity.get_token_info(SCOPE)
    clock.advance(HOUR_S / 2 - 1)
    assert identity.get_token_info(SCOPE) == first
    clock.advance(2)

    assert identity.get_token_info(SCOPE).token == "token 2"
    assert len(source.asked) == 2


def test_a_token_is_renewed_when_azure_says_so(source: Source, clock: ManualClock) -> None:
    source.refresh_on = int(clock.now().timestamp()) + 60
    identity = Identity(source, clock)
    identity.get_token_info(SCOPE)
    clock.advance(61)

    assert identity.get_token_info(SCOPE).token == "token 2"


def test_a_challenge_gets_a_token_of_its_own(identity: Identity, source: Source) -> None:
    plain = identity.get_token(SCOPE)
    other = identity.get_token(SCOPE, tenant_id="tenant", claims="claims")

    assert (plain.token, other.token) == ("token 1", "token 2")
    assert source.asked == [
        {"enable_cae": False},
        {"enable_cae": False, "tenant_id": "tenant", "claims": "claims"},
    ]


def test_many_at_once_ask_once(identity: Identity, source: Source) -> None:
    source.may_answer.clear()
    with ThreadPoolExecutor(10) as pool:
        tokens = [pool.submit(identity.get_token_info, SCOPE) for _ in range(10)]
        time.sleep(0.05)
        source.may_answer.set()

    assert {each.result().token for each in tokens} == {"token 1"}
    assert len(source.asked) == 1


def test_nobody_waits_for_the_successor_of_a_token_that_holds(
    identity: Identity, source: Source, clock: ManualClock
) -> None:
    identity.get_token_info(SCOPE)
    clock.advance(HOUR_S / 2 + 1)
    source.may_answer.clear()
    with ThreadPoolExecutor(1) as pool:
        renewed = pool.submit(identity.get_token_info, SCOPE)
        while len(source.asked) < 2:
            time.sleep(0.01)

        meanwhile = identity.get_token_info(SCOPE)

        source.may_answer.set()
    assert (meanwhile.token, renewed.result().token) == ("token 1", "token 2")


def test_nobody_waits_longer_than_there_is_time(identity: Identity, source: Source) -> None:
    source.may_answer.clear()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(identity.get_token_info, SCOPE)
        while not source.asked:
            time.sleep(0.01)
        with until(Deadline(SystemClock(), 0.1)), pytest.raises(ClientAuthenticationError):
            identity.get_token_info(SCOPE)
        source.may_answer.set()

    assert len(source.asked) == 1


@pytest.mark.parametrize(
    "error", [ServiceRequestError("no"), OutOfTime("told to wait"), ValueError("no JSON")]
)
def test_whatever_the_endpoint_provokes_means_that_there_is_no_token(
    identity: Identity, source: Source, error: Exception
) -> None:
    source.is_down, source.error = True, error

    with pytest.raises(ClientAuthenticationError):
        identity.get_token_info(SCOPE)


def test_after_a_failure_nobody_asks_again_for_a_moment(
    identity: Identity, source: Source, clock: ManualClock
) -> None:
    source.is_down = True
    for _ in range(5):
        with pytest.raises(ClientAuthenticationError):
            identity.get_token_info(SCOPE)
    assert len(source.asked) == 1
    source.is_down = False
    clock.advance(REST_S)

    assert identity.get_token_info(SCOPE).token == "token 2"


def test_a_token_is_used_to_its_end_while_there_is_no_other(
    identity: Identity, source: Source, clock: ManualClock
) -> None:
    first = identity.get_token_info(SCOPE)
    source.is_down = True
    clock.advance(HOUR_S - SPARE_S - 1)
    assert identity.get_token_info(SCOPE) == first
    clock.advance(2)

    with pytest.raises(ClientAuthenticationError):
        identity.get_token_info(SCOPE)


def test_app_service_means_its_managed_identity_and_nothing_else() -> None:
    with identity_at("http://127.0.0.1:1"):
        assert isinstance(app_identity(SystemClock())._source, ManagedIdentityCredential)

    assert isinstance(app_identity(SystemClock())._source, DefaultAzureCredential)


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    transport = Transport()
    transport.sleep(0.001)
    began_s = time.monotonic()

    with until(Deadline(SystemClock(), 5)), pytest.raises(OutOfTime):
        transport.sleep(20)
    transport.close()

    assert time.monotonic() - began_s < 2


def test_a_busy_table_that_asks_for_a_long_wait_is_left_alone() -> None:
    began_s = time.monotonic()
    with slow("503, Retry-After 75") as (url, hits):
        connection = f"AccountName=a;AccountKey=a2V5;TableEndpoint={url}/a"
        with (
            table_client(
                connection=connection, account_url="", table="approvals", options=SWEEP_OPTIONS
            ) as client,
            until(Deadline(SystemClock(), 5)),
            pytest.raises(Unknown) as caught,
        ):
            TableStore(client).status()

    assert caught.value.code == "ledger_wait"
    assert len(hits) == 1
    assert time.monotonic() - began_s < 4


def test_without_time_left_a_table_is_not_asked() -> None:
    with slow("silent") as (url, hits):
        connection = f"AccountName=a;AccountKey=a2V5;TableEndpoint={url}/a"
        with (
            table_client(connection=connection, account_url="", table="approvals") as client,
            until(Deadline(SystemClock(), 0)),
            pytest.raises(Unavailable) as caught,
        ):
            TableStore(client).status()

    assert caught.value.code == "ledger_late"
    assert hits == []


# The real libraries, up to a table behind TLS.


@contextmanager
def azure(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Run an identity's endpoint and a table service; yields the account's URL and the requests to each."""
    asked: list[str] = []
    tables: list[str] = []

    def token(request: Request) -> Response:
        asked.append(request.args["client_id"])
        said = {"access_token": f"t{len(asked)}", "expires_on": str(int(time.time()) + HOUR_S)}
        return Response(json.dumps({**said, "resource": "r", "token_type": "Bearer"}))

    def table(request: Request) -> Response:
        tables.append(request.headers["Authorization"])
        body = '{"odata.error":{"code":"ResourceNotFound"}}'
        return Response(body, status=404, mimetype="application/json")

    with (
        served(Request.application(token)) as endpoint,
        served_securely(Request.application(table), certificate(folder)) as url,
        identity_at(endpoint),
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("REQUESTS_CA_BUNDLE", str(folder / "certificate.pem"))
        yield url, asked, tables


def test_all_tables_of_a_process_share_one_token(tmp_path: Path) -> None:
    with azure(tmp_path) as (url, asked, tables):
        identity = app_identity(SystemClock())
        for options in (SWEEP_OPTIONS, CLICK_OPTIONS):
            for name in ("approvals", "audit"):
                with table_client(
                    connection="", account_url=url, table=name, options=options, identity=identity
                ) as client:
                    store = TableStore(client)
                    store._exists = True
                    store.status()

    assert asked == ["client"]
    assert tables == ["Bearer t1"] * 4


def test_an_identity_that_is_silent_is_waited_for_once(tmp_path: Path) -> None:
    with slow("silent") as (endpoint, hits), identity_at(endpoint):
        identity = app_identity(SystemClock())
        with table_client(
            connection="", account_url="https://localhost", table="approvals", identity=identity
        ) as client:
            began_s = time.monotonic()
            for _ in range(5):
                with until(Deadline(SystemClock(), 0.4)), pytest.raises(Unavailable) as caught:
                    TableStore(client).status()

                assert caught.value.code == "ledger_identity"

    assert len(hits) == 1
    assert time.monotonic() - began_s < ASK_S
