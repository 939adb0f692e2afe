"""Rules for every test: no network but loopback, no settings of the machine, Azurite on request."""

from __future__ import annotations

import ipaddress
import logging
import os
import runpy
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from azure.data.tables import TableClient
from azure.functions.decorators.function_app import Function
from canaries import Guard

from coupa_core.app import _NOISY
from coupa_core.audit_log import AuditStore, MemoryAuditStore
from coupa_core.ledger import LedgerStore, MemoryStore
from coupa_core.settings import FORMER, HOST_STORAGE, NAMES
from coupa_core.table_audit_log import TableAuditStore
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client
from sandbox.azurite import INSTALL_HINT, Azurite, azurite, is_installed

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Where the tests were started in the background: a process that they start would ignore Ctrl-C, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run: a fresh clone says the same on any day. A busy machine fails nothing.
hypothesis.settings.register_profile("all", deadline=None, derandomize=True)
hypothesis.settings.register_profile("quick", deadline=None, derandomize=True, max_examples=20)
hypothesis.settings.load_profile("quick")

FUNCTION_APP = Path(__file__).parents[1] / "function_app.py"

LONG = {f"test_{each}.py" for each in ("page_browser", "proof", "run_it", "secrets", "venv", "walk")}
"""Files with tests of many seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first where processes share the work, and trace no slow test.

    Long tests that come last would let one process work alone. Tracing doubles a test's time, and the quick
    tests alone must cover every branch.

    Raises pytest.UsageError where a test is named after a set: one that comes out of a .pyc file can have
    another order than the one that was compiled, and all processes must find the same names.
    """
    for item in items:
        callspec = getattr(item, "callspec", None)
        sets = (
            [each for each in callspec.params.values() if isinstance(each, set | frozenset)]
            if callspec
            else []
        )
        if any(len(each) > 1 and str(each) in item.name for each in sets):
            raise pytest.UsageError(f"{item.nodeid}: name this test after something that has an order")
        if item.get_closest_marker("slow"):
            item.add_marker("no_cover")
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse to look up or reach any other machine, and fail the test even when the refusal was swallowed."""
    refused: list[Any] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host: Any) -> None:
        if not _is_here(host):
            refused.append(host)
            raise AssertionError(f"a test must not reach {host!r}")

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            check(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family != socket.AF_UNIX:
            check(address[0])
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        check(host)
        return getaddrinfo(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    yield
    assert not refused, f"the test tried to reach {refused}"


def _is_here(host: Any) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the settings of whoever runs the tests."""
    for name in (*NAMES, *FORMER, HOST_STORAGE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _no_secret_in_the_log() -> Iterator[None]:
    """Fail the test in whose log a secret of `canaries` shows, whoever wrote it and at whatever level."""
    guard, root = Guard(), logging.getLogger()
    for name in ("coupa_core", *_NOISY):  # as an earlier test may have left them
        logging.getLogger(name).setLevel(logging.NOTSET)
    root.addHandler(guard)
    yield
    root.removeHandler(guard)
    assert guard.seen == []


@pytest.fixture(scope="session")
def functions() -> list[Function]:
    """Return the functions of an app of their own, because an app can be asked for them only once."""
    return list(runpy.run_path(str(FUNCTION_APP))["app"].get_functions())


@pytest.fixture(scope="session")
def azurite_server() -> Iterator[Azurite]:
    """Run one table service for all tests; in CI its absence is a failure."""
    if not is_installed():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(INSTALL_HINT)
    with azurite(tables_only=True) as server:
        yield server


@pytest.fixture
def table(azurite_server: Azurite) -> Iterator[TableClient]:
    """Yield the SDK's client of a table that does not exist yet."""
    name = f"t{uuid.uuid4().hex}"
    with table_client(connection=azurite_server.connection_string, account_url="", table=name) as client:
        yield client


@pytest.fixture
def table_store(table: TableClient) -> TableStore:
    """Return a store on that table."""
    return TableStore(table)


@pytest.fixture
def table_stores(azurite_server: Azurite) -> Iterator[Callable[[], LedgerStore]]:
    """Return a maker of stores, each on a table of its own."""
    with ExitStack() as clients:

        def new() -> LedgerStore:
            name = f"t{uuid.uuid4().hex}"
            client = table_client(connection=azurite_server.connection_string, account_url="", table=name)
            return TableStore(clients.enter_context(client))

        yield new


@pytest.fixture(params=["memory", "table"])
def store(request: pytest.FixtureRequest) -> LedgerStore:
    """Return one store after the other, empty."""
    if request.param == "memory":
        return MemoryStore()
    stored: LedgerStore = request.getfixturevalue("table_store")
    return stored


@pytest.fixture(params=["memory", "table"])
def audit_store(request: pytest.FixtureRequest) -> AuditStore:
    """Return one store of the audit record after the other, empty."""
    if request.param == "memory":
        return MemoryAuditStore()
    return TableAuditStore(request.getfixturevalue("table"))
