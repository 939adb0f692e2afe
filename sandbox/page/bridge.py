"""The actions of the bridge and their reasons, as an operator sees them: its routes, its log, its audit log.

It reaches the function app through HTTP, the log as a file, and the audit log as rows of a table that this
sandbox runs. It reports each source that it cannot reach, and shows the rest.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import requests
from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.data.tables import TableClient

from sandbox.front import Call
from sandbox.page.form import Done, Form, Mistake
from sandbox.page.health import in_words, words
from sandbox.page.plot import plotted
from sandbox.services import Services

LINES, EVENTS, CALLS = 30, 15, 15
"""The number of shown entries of each, the newest ones."""

TIMEOUT_S = 6.0
CYCLES = timedelta(days=14)
"""The period of the shown cycle times."""

PATIENCE_S = 30.0
"""The longest wait for a sweep, in seconds."""

AUDIT_TABLE = "audit"
COLUMNS = ("at", "kind", "approval_id", "actor", "verb", "outcome", "cause")
"""The shown columns of an event."""

STEPS = {"900": "15 minutes", "3600": "1 hour", "86400": "1 day", "604800": "1 week"}
"""The possible moves of the time, in seconds."""

_TAIL_BYTES = 60_000
_OWN = ("'Functions.status'", "'Functions.trace'", "'Functions.health'")
"""Calls of this page itself, which would hide the rest of the log."""


class Bridge:
    """The function app, seen from outside.

    Args:
        around: the services around it.
        url: its address, without `/api`.
        log: the file of its log; None where it logs elsewhere.
    """

    def __init__(self, around: Services, url: str, log: Path | None) -> None:
        self._around = around
        self._url = url
        self._log = log
        self._cycles: tuple[object, dict[str, Any]] = (None, {})

    # ------------------------------------------------------------------ views

    def view(self, trace: str, broken: Iterable[str]) -> dict[str, Any]:
        """Return the view, with the trace of one approval if a number is given.

        Args:
            trace: the number, or empty.
            broken: the faults that the switches of the page have set.
        """
        status = self._get("/api/status")
        cycle = self._cycle(status.get("last_sweep_at"))
        people = {f"user:{number}": email for email, number in self._around.people.items()}
        return {
            "health": in_words(status, now=self._around.clock.now(), broken=broken),
            "trace": self._get(f"/api/approvals/{trace}/trace") if trace else None,
            "cycle": cycle,
            "plot": plotted(cycle.get("rows", []), people),
            "log": self._log_lines(),
            "audit": self._audit_events(),
            "calls": self._calls(),
            "now": self._around.clock.now(),
            "steps": STEPS,
        }

    def _cycle(self, last_sweep_at: object) -> dict[str, Any]:
        """Return the cycle times.

        They take as long as all the rest, so the page asks for them only after a sweep or a decision.
        """
        moment = (last_sweep_at, len(self._around.coupa.decisions))
        if self._cycles[0] != moment or "unreachable" in self._cycles[1]:
            since = (self._around.clock.now() - CYCLES).date()
            self._cycles = (moment, self._get(f"/api/cycle-times?from={since}"))
        return self._cycles[1]

    def _get(self, path: str) -> dict[str, Any]:
        """Return a JSON answer; `unreachable` gives the reason when there is none."""
        try:
            answer = requests.get(self._url + path, timeout=TIMEOUT_S).json()
        except requests.RequestException as error:
            return {"unreachable": f"The function app does not answer ({type(error).__name__})."}
        if "error" in answer:
            return {"unreachable": f"{answer['message']} ({answer['error']})"}
        return dict(answer)

    def _log_lines(self) -> list[str]:
        """Return the newest lines, newest first."""
        if self._log is None or not self._log.exists():
            return ["(The function app logs to its own terminal.)"]
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - _TAIL_BYTES), os.SEEK_SET)
            lines = file.read().decode("utf-8", "replace").splitlines()
        return [line for line in reversed(lines) if not any(own in line for own in _OWN)][:LINES]

    def _audit_events(self) -> dict[str, Any]:
        """Return `events`, newest first, or the reason for none: the newest day in the app's table."""
        if self._around.store is None:
            return {"unreachable": "The record is in the memory of the app."}
        if self._around.store.is_paused:
            return {"unreachable": "The table store does not answer."}
        events: deque[dict[str, Any]] = deque(maxlen=EVENTS)
        try:
            with TableClient.from_connection_string(
                self._around.storage, AUDIT_TABLE, connection_timeout=1, read_timeout=2, retry_total=0
            ) as table:
                newest = next(iter(table.list_entities(results_per_page=1)), None)
                if newest is not None:
                    rows = table.query_entities(
                        "PartitionKey eq @day", parameters={"day": newest["PartitionKey"]}
                    )
                    events.extend(_event(row["row"]) for row in rows if "row" in row)
        except ResourceNotFoundError:
            pass  # no table before the first event
        except (AzureError, ValueError) as error:
            return {"unreachable": f"The record cannot be read ({type(error).__name__})."}
        return {"events": list(reversed(events))}

    def _calls(self) -> list[tuple[str, Call]]:
        """Return the newest calls to the services, newest first."""
        fronts = {"Coupa": self._around.coupa.front, "Moveworks": self._around.moveworks.front}
        calls = [(name, call) for name, front in fronts.items() for call in front.calls[-CALLS:]]
        return sorted(calls, key=lambda each: each[1].at, reverse=True)[:CALLS]

    # ------------------------------------------------------------------ actions

    def sweep(self, form: Form) -> Done:  # noqa: ARG002 - as every action
        """Fire the timer function and wait for its sweep to end."""
        before, sent = self._get("/api/status"), len(self._around.moveworks.delivered)
        try:
            reply = requests.post(
                f"{self._url}/admin/functions/poll_approvals", json={"input": ""}, timeout=TIMEOUT_S
            )
        except requests.RequestException:
            return Done("sweep", "The function app does not answer.", is_bad=True)
        if reply.status_code != requests.codes.accepted:
            return Done("sweep", f"The function app refused: HTTP {reply.status_code}.", is_bad=True)
        end = time.monotonic() + PATIENCE_S
        while "last_sweep_at" in before and time.monotonic() < end:
            after = self._get("/api/status")
            if after.get("last_sweep_at", before["last_sweep_at"]) != before["last_sweep_at"]:
                return self._swept(after, len(self._around.moveworks.delivered) - sent)
            time.sleep(0.1)  # each call of the status makes the bridge list the pending approvals
        return Done("sweep", "The sweep has left no trace; the log says why.", is_bad=True)

    def _swept(self, after: dict[str, Any], told: int) -> Done:
        """Return the result of a sweep; a sweep that could not read or send has failed."""
        news = f"{told or 'no'} new notice{'' if told == 1 else 's'}"
        if after.get("failure"):
            said = f"Swept with a failure ({words(after['failure'])}): {news}."
            return Done("sweep", said, is_bad=True)
        return Done("sweep", f"Swept: {news}.")

    def advance(self, form: Form) -> Done:
        """Move the time of the app and of both simulators forward."""
        step = form.needed("seconds")
        if step not in STEPS:
            raise Mistake("Time does not move so far.")
        try:
            reply = requests.post(f"{self._url}/admin/clock", params={"advance": step}, timeout=TIMEOUT_S)
        except requests.RequestException:
            return Done("time", "The function app does not answer.", is_bad=True)
        if reply.status_code != requests.codes.ok:
            said = "This host keeps the machine's time; python -m sandbox.host --movable-clock does not."
            return Done("time", said, is_bad=True)
        self._around.clock.advance(float(step))
        return Done("time", f"It is {STEPS[step]} later.")


def _event(text: str) -> dict[str, str]:
    """Return the shown part of an audit log row: all columns, empty where the row has no value."""
    row = json.loads(text)
    event = row.get("event", row)
    return {name: str(event.get(name, "")) for name in COLUMNS}
