"""The main job, told step by step and checked: from two requests in Coupa to Coupa's state in the end."""

from __future__ import annotations

import html
import re
import time

import requests

from sandbox.connector import Decision
from sandbox.coupa.world import Line
from sandbox.moveworks import Delivered
from sandbox.page.chat import Chats
from sandbox.services import Services

_PATIENCE_S = 60.0


class StoryError(Exception):
    """A step of the story failed."""


class Story:
    """The story, told on standard output and in the chats.

    Args:
        services: the services around the bridge.
        app_url: the address of the function app.
        chats: the chats of its people, which keep the messages and clicks.
    """

    def __init__(self, services: Services, app_url: str, chats: Chats) -> None:
        self._services = services
        self._app_url = app_url
        self._chats = chats
        self._step = 0

    def tell(self) -> None:
        """Tell it.

        Raises:
            StoryError: a step did not happen as it must.
        """
        self._say("Sam asks for laptops (Jamie, then Robin decide) and chairs (Robin decides) in Coupa.")
        laptops, chairs = self._enter()
        self._say("One sweep: each request is announced to the person whose turn it is.")
        to_jamie, to_robin = self._announced(2)
        self._expect([to_jamie.recipient, to_robin.recipient], ["jamie@example.com", "robin@example.com"])
        for each in (to_jamie, to_robin):
            self._show(each)
        self._say("A second sweep announces nothing.")
        self._announced(0)
        self._say("Mallory, who is not the approver, has got hold of Jamie's button and clicks Approve.")
        self._click(to_jamie, "mallory@example.com", "approve", "not_your_approval")
        self._say("Jamie clicks Approve.")
        self._click(to_jamie, "jamie@example.com", "approve", "approved")
        self._say("Jamie clicks once more; Coupa is not asked to decide twice.")
        self._click(to_jamie, "jamie@example.com", "approve", "approved")
        self._say("The next sweep tells the next step's approver, Robin.")
        [next_step] = self._announced(1)
        self._expect(next_step.recipient, "robin@example.com")
        self._show(next_step)
        self._say("Robin sends the chairs back: first without a reason, then with one.")
        self._click(to_robin, "robin@example.com", "reject", "reason_required")
        why = "Two are enough; take the cheaper model."
        self._click(to_robin, "robin@example.com", "reject", "rejected", why)
        self._say("The next sweep tells Sam what became of the chairs.")
        [outcome] = self._announced(1)
        self._expect(outcome.recipient, "sam@example.com")
        self._show(outcome)
        self._say("Robin asks: do I have any approvals in Coupa?")
        answer = self._chats.pending("robin@example.com").json()
        print(f"     {answer['message']}")
        self._expect(answer["count"], 1)
        self._say("What Coupa itself says now:")
        self._state(laptops, "pending_approval", ["approved", "pending_approval"])
        self._state(chairs, "draft", ["rejected"])
        self._end()

    def _enter(self) -> tuple[int, int]:
        world, ids = self._services.coupa.world, self._services.people
        laptops = world.add_requisition(
            requested_by=ids["sam@example.com"],
            title="MacBook Pro Retina 15",
            justification="Ten new colleagues start in January & need <fast> machines.",
            lines=[Line("MacBook Pro Retina 15", quantity="10", unit_price="1406.04", supplier="Apple")],
            approvers=[ids["jamie@example.com"], ids["robin@example.com"]],
        )
        chairs = world.add_requisition(
            requested_by=ids["sam@example.com"],
            title="Office chairs",
            justification="The old ones squeak.",
            currency="EUR",
            lines=[Line("Chair, ergonomic", quantity="4", unit_price="389.5", supplier="Sitwell")],
            approvers=[ids["robin@example.com"]],
        )
        return laptops, chairs

    def _announced(self, number: int) -> list[Delivered]:
        """Run a sweep and return the new notices, by recipient."""
        before = len(self._services.moveworks.delivered)
        sweep(self._app_url)
        new = self._services.moveworks.delivered[before:]
        self._expect(len(new), number)
        if not new:
            print("     (nothing was sent)")
        return sorted(new, key=lambda each: each.recipient)

    def _show(self, each: Delivered) -> None:
        print(f"     to {each.recipient}:")
        for line in plain(each.message).splitlines():
            print(f"     | {line}")
        if each.slots:
            print("     | [Approve]  [Reject]")

    def _click(self, card: Delivered, who: str, what: Decision, outcome: str, reason: str = "") -> None:
        reply = self._chats.decide(who, card.slots, what, reason)
        answer = reply.json()
        print(f"     {who} -> {what}: {reply.status_code} {answer.get('outcome')}: {answer['message']}")
        self._expect(answer.get("outcome"), outcome)

    def _state(self, number: int, status: str, chain: list[str]) -> None:
        """Show a requisition and its chain, and check their state."""
        state = requests.get(f"{self._services.coupa_url}/_sandbox/state", timeout=10).json()
        [document] = [each for each in state["RequisitionHeader"] if each["id"] == number]
        print(f"     requisition {number} {document['title']!r}: {document['status']}")
        for step in document["chain"]:
            print(f"       approval {step['id']}: {step['status']:<17}{step['note'] or ''}".rstrip())
        self._expect(document["status"], status)
        self._expect([step["status"] for step in document["chain"]], chain)

    def _end(self) -> None:
        """Count the calls to the services."""
        decisions, notices = len(self._services.coupa.decisions), len(self._services.moveworks.delivered)
        self._expect((decisions, notices), (2, 4))
        self._expect(self._services.moveworks.markup_faults, [])
        print(f"\n  Coupa took {decisions} decisions; {notices} notices were sent.")

    def _say(self, text: str) -> None:
        self._step += 1
        print(f"\n{self._step:>2}. {text}")

    def _expect(self, got: object, wanted: object) -> None:
        if got != wanted:
            raise StoryError(f"in step {self._step} {wanted!r} was expected, not {got!r}")


def sweep(app_url: str) -> None:
    """Fire the timer function and wait until its sweep has ended.

    Raises:
        StoryError: it did not end within a minute, or the function app does not give the end of the last one.
    """
    before = _last_sweep(app_url)
    requests.post(f"{app_url}/admin/functions/poll_approvals", json={"input": ""}, timeout=10)
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        if _last_sweep(app_url) != before:
            return
        time.sleep(0.05)
    raise StoryError("the sweep did not end within a minute")


def _last_sweep(app_url: str) -> object:
    status = requests.get(f"{app_url}/api/status", timeout=10).json()
    if "error" in status:
        raise StoryError(f"the function app answers {status['error']!r}: {status['message']}")
    return status.get("last_sweep_at")


def plain(message: str) -> str:
    """Return a notice as a terminal shows it."""
    text = re.sub(r'<a href="([^"]*)">([^<]*)</a>', r"\2: \1", message.replace("<br>", "\n"))
    return html.unescape(re.sub(r"<[^>]+>", "", text))
