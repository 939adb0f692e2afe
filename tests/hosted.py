"""The function app as a process that asks for a key, between simulated services, with one approver."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from proof.processes import Host

from coupa_core.documents import COMMENT_SCOPE
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.server import BASELINE
from sandbox.coupa.world import Line
from sandbox.moveworks import MoveworksSimulator
from sandbox.serving import served

ROOT = Path(__file__).resolve().parent.parent
FUNCTION_KEY = "function-key"
CLIENT_ID, CLIENT_SECRET = "client", "coupa-secret"
EVENT_ID, API_KEY = "5d4a2f6e-0000-4000-8000-000000000001", "api-key"
LISTENER_ID, LISTENER_SECRET = "coupa-approvals", "listener-secret"


@dataclass
class Hosted:
    """The app and its services, each with its address."""

    coupa: CoupaSimulator
    moveworks: MoveworksSimulator
    coupa_url: str
    moveworks_url: str
    app_url: str
    host: Host
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def approver(self, *, waiting: int = 1) -> str:
        """Return the e-mail of a new person for whom so many approvals wait that can also be held."""
        number = next(self._numbers)
        people = [
            self.coupa.world.add_user(email=f"{name}{number}@example.com", firstname=name, lastname="O'Neil")
            for name in ("sam", "jamie")
        ]
        for _ in range(waiting):
            self.coupa.world.add_requisition(
                requested_by=people[0],
                lines=[Line("Laptop", quantity="2", unit_price="900.00", supplier="ACME")],
                approvers=people[1:],
                holdable=True,
            )
        return f"jamie{number}@example.com"

    def card(self, email: str) -> dict[str, str]:
        """Return what waits for a person, as the list shows it."""
        reply = requests.get(
            f"{self.app_url}/api/approvals",
            headers={"x-functions-key": FUNCTION_KEY, "X-Actor-Email": email},
            timeout=60,
        )
        [card] = reply.json()["approvals"]
        shown: dict[str, str] = card
        return shown

    def click(
        self, email: str, card: dict[str, str], verb: str = "approve", **details: Any
    ) -> requests.Response:
        """Click a button of a card, as the connector does."""
        headers = {"x-functions-key": FUNCTION_KEY, "X-Actor-Email": email}
        headers |= {"X-Action-Token": card["action_token"], **details.pop("headers", {})}
        url = f"{self.app_url}/api/approvals/{card['approval_id']}/{verb}"
        return requests.post(url, headers=headers, timeout=60, **details)

    def kill_worker(self) -> None:
        """End the process that runs the functions, as a lack of memory does; the host stays."""
        self.host.kill_worker()

    def sweep(self) -> None:
        """Sweep once; health is green then, and the bridge has rows of what waits."""
        url = f"{self.app_url}/admin/functions/poll_approvals?wait=1"
        requests.post(url, headers={"x-functions-key": FUNCTION_KEY}, json={}, timeout=60).raise_for_status()


@contextlib.contextmanager
def hosted(app: Path = ROOT, more: Mapping[str, str] | None = None) -> Iterator[Hosted]:
    """Run everything while the block runs.

    Args:
        app: folder of the function app.
        more: settings, over those of a bridge that keeps its ledger in memory.

    Raises:
        RuntimeError: the app did not start.
    """
    scopes = BASELINE | {COMMENT_SCOPE}
    coupa = CoupaSimulator(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, granted_scopes=scopes)
    moveworks = MoveworksSimulator(
        api_key=API_KEY, event_id=EVENT_ID, listener_id=LISTENER_ID, listener_secret=LISTENER_SECRET
    )
    with served(coupa.front) as coupa_url, served(moveworks.front) as moveworks_url:
        settings = {
            "COUPA_BASE_URL": coupa_url,
            "COUPA_CLIENT_ID": CLIENT_ID,
            "COUPA_CLIENT_SECRET": CLIENT_SECRET,
            "COUPA_CLIENT_LOGIN": "api-client",
            "COUPA_MAX_PER_SECOND": "25",
            "MOVEWORKS_BASE_URL": moveworks_url,
            "MOVEWORKS_EVENT_ID": EVENT_ID,
            "MOVEWORKS_API_KEY": API_KEY,
            "ACTION_TOKEN_KEYS": '{"k1": "bm90LWEtc2VjcmV0LW5vdC1hLXNlY3JldC1ub3QtYS1zZWNyZXQ="}',
            "LIST_TOKENS": "on",
            "COMMENTS": "on",
            "RELAY_DOMAINS": "example.com",
            "LEDGER_CONNECTION": "memory",
            **(more or {}),
        }
        options = ("--no-timers", "--function-key", FUNCTION_KEY)
        host = Host(settings, app=app, options=options)
        try:
            place = Hosted(coupa, moveworks, coupa_url, moveworks_url, host.url, host)
            place.sweep()
            yield place
        finally:
            host.end()
