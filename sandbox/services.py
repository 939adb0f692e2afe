"""The services around the bridge, on this machine: Azurite, a simulated Coupa and a simulated Moveworks."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.azurite import INSTALL_HINT, Azurite, azurite, is_installed
from sandbox.clock import ManualClock, ShiftedClock
from sandbox.control import coupa_with_handles, moveworks_with_handles
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.server import EVERY
from sandbox.moveworks import MoveworksSimulator
from sandbox.serving import served

ROOT = Path(__file__).resolve().parent.parent
COUPA_PORT, MOVEWORKS_PORT, APP_PORT, PAGE_PORT = 7081, 7082, 7071, 7080
CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-secret"
EVENT_ID, API_KEY = "00000000-0000-4000-8000-000000000001", "sandbox-api-key"
LISTENER_ID, LISTENER_SECRET = "sandbox-listener", "sandbox-listener-secret"
TOKEN_KEYS = '{"sandbox": "c2FuZGJveC1vbmx5LWtleS1ub3QtZm9yLXByb2R1Y3Rpb24h"}'
PEOPLE = {
    "jamie@example.com": ("Jamie", "Fox"),
    "robin@example.com": ("Robin", "Vega"),
    "alex@example.com": ("Alex", "Kim"),
    "sam@example.com": ("Sam", "Stinson"),
    "mallory@example.com": ("Mallory", "Grey"),
}
MANAGERS = {
    "jamie@example.com": "robin@example.com",
    "alex@example.com": "robin@example.com",
    "sam@example.com": "jamie@example.com",
}
"""The manager of each person; the others have none."""


@dataclass
class Services:
    """The running services.

    Attributes:
        storage: a connection string, or `memory`.
        people: Coupa's user ids by e-mail.
        clock: the time of both simulators.
        store: the process behind `storage`; None for `memory`.
        page_url: the address of Coupa's screens for people, once the page runs.
    """

    coupa: CoupaSimulator
    moveworks: MoveworksSimulator
    coupa_url: str
    moveworks_url: str
    storage: str
    people: dict[str, int]
    clock: ShiftedClock | ManualClock
    store: Azurite | None
    page_url: str = ""

    def settings(self, *, channel: str = "events") -> dict[str, str]:
        """Return the settings with which the bridge finds the services and uses that channel."""
        return {
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "AzureWebJobsStorage": self.storage if self.storage != "memory" else "",
            "LEDGER_CONNECTION": self.storage,
            "LEDGER_TABLE": "approvals",
            "COUPA_BASE_URL": self.coupa_url,
            "COUPA_CLIENT_ID": CLIENT_ID,
            "COUPA_CLIENT_SECRET": CLIENT_SECRET,
            "COUPA_CLIENT_LOGIN": "api-client",
            "COUPA_MAX_PER_SECOND": "25",  # all that Coupa allows: there is no other caller here
            "MOVEWORKS_BASE_URL": self.moveworks_url,
            "MOVEWORKS_EVENT_ID": EVENT_ID if channel == "events" else "",
            "MOVEWORKS_API_KEY": API_KEY,
            "MOVEWORKS_LISTENER_ID": LISTENER_ID if channel == "listener" else "",
            "MOVEWORKS_LISTENER_SECRET": LISTENER_SECRET,
            "ACTION_TOKEN_KEYS": TOKEN_KEYS,
            "LIST_TOKENS": "on",  # here a person may play all people
        }


@contextlib.contextmanager
def services(
    *,
    coupa_port: int,
    moveworks_port: int,
    tables_only: bool = True,
    storage_ports: Sequence[int] | None = None,
) -> Iterator[Services]:
    """Run them while the block runs, and print their addresses.

    Args:
        coupa_port: must be free.
        moveworks_port: must be free.
        tables_only: leave out Azurite's blobs and queues, which `func start` needs.
        storage_ports: as for `sandbox.azurite.azurite`.

    Raises:
        AzuriteError: Azurite is installed and did not start.
    """
    with contextlib.ExitStack() as stack:
        server, clock = None, ShiftedClock()
        if is_installed():
            server = stack.enter_context(azurite(tables_only=tables_only, ports=storage_ports))
            storage = server.connection_string
            print("  table store   Azurite")
        else:
            storage = "memory"
            print(f"  table store   in memory, gone when the app ends. {INSTALL_HINT}")
        coupa = CoupaSimulator(
            clock=clock, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, granted_scopes=EVERY
        )
        moveworks = MoveworksSimulator(
            clock=clock,
            api_key=API_KEY,
            event_id=EVENT_ID,
            listener_id=LISTENER_ID,
            listener_secret=LISTENER_SECRET,
        )
        people = {
            email: coupa.world.add_user(email=email, firstname=first, lastname=last)
            for email, (first, last) in PEOPLE.items()
        }
        for email, manager in MANAGERS.items():
            coupa.world.users.rows[people[email]].manager = coupa.world.users.rows[people[manager]]
        coupa_url = stack.enter_context(
            served(coupa_with_handles(coupa, people, lambda: around.page_url), port=coupa_port)
        )
        print(f"  Coupa         {coupa_url}  (simulated)")
        moveworks_url = stack.enter_context(served(moveworks_with_handles(moveworks), port=moveworks_port))
        print(f"  Moveworks     {moveworks_url}  (simulated)")
        around = Services(coupa, moveworks, coupa_url, moveworks_url, storage, people, clock, server)
        yield around


def is_free(port: int) -> bool:
    """Tell whether a loopback port is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int) -> int:
    """Return the wanted port; when it is in use, another one, and say so."""
    if is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = int(probe.getsockname()[1])
    print(f"  (port {wanted} is taken; using {found})")
    return found
