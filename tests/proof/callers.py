"""The people who click while a process dies: their answers, whether these are true, and their next action.

Moveworks either sends the same click again, or it does not, and the approver asks for the list.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import requests

from proof.processes import Host
from proof.stage import Stage

APPROVE, REJECT = "approve", "reject"
DONE = {APPROVE: "approved", REJECT: "rejected"}
OVER = {*DONE.values(), "already_decided"}
"""Outcomes after which nobody clicks again."""

PATIENCE_S = 16.0
"""After this Creator Studio gives up.

Source: https://developer.moveworks.com/creator-studio/api-configuration/
"""

TRIES = 8
BETWEEN_S = 5
"""From one try to the next."""


@dataclass(frozen=True)
class Answer:
    """What a caller was answered.

    Attributes:
        status: of HTTP; 0 where the connection broke or nothing came in time.
        said: the outcome or the code of the error; empty where there is no body.
        body: of it.
    """

    status: int
    said: str = ""
    body: Any = None

    @property
    def is_decided(self) -> bool:
        """Tell whether it says that the approval is over."""
        return self.said in OVER

    def __str__(self) -> str:
        """Return it as the table names it."""
        return f"{self.status} {self.said or 'empty'}" if self.status else "broken"


class Caller:
    """An approver, and the connector that calls for them.

    Args:
        stage: where the app is.
        number: the approval, of which they were told.
        verb: the button.

    Attributes:
        untrue: answers that said what is not so.
    """

    def __init__(self, stage: Stage, number: int, verb: str) -> None:
        self._stage = stage
        self._number = number
        self._verb = verb
        [self._card, *_] = stage.told(number)
        self._key = str(uuid.uuid4())
        self.untrue: list[str] = []

    def click(self, host: Host | None = None) -> Answer:
        """Click, at the host that serves now or at another one; a false answer is noted."""
        before = len(self._stage.decided(self._number))
        headers = {
            "X-Actor-Email": self._card.recipient,
            "X-Action-Token": self._card.slots["action_token"],
            "Idempotency-Key": self._key,
        }
        path = f"approvals/{self._number}/{self._verb}"
        answer = self._ask("POST", path, host, headers=headers, json={"reason": "because"})
        if not self._is_true(answer, before):
            self.untrue.append(f"{self._verb} of {self._number} was answered {answer}")
        return answer

    def click_again(self) -> str:
        """Send the same click until it is answered; return what is wrong with how that ends, or nothing."""
        for _ in range(TRIES):
            if self.click().is_decided:
                return self._wrong_end()
            self._stage.pass_time(BETWEEN_S)
        return f"{self._verb} of {self._number} had no answer in {TRIES} tries"

    def look(self) -> str:
        """Ask for the list and click on what is in it, as another click; return what is wrong, or nothing."""
        for _ in range(TRIES):
            params = {"approver_email": self._card.recipient}
            answer = self._ask("GET", "approvals", headers={}, params=params)
            if answer.status == requests.codes.ok:
                break
            self._stage.pass_time(BETWEEN_S)
        else:
            return f"the list with {self._number} had no answer in {TRIES} tries"
        is_listed = str(self._number) in {each["approval_id"] for each in answer.body["approvals"]}
        if is_listed != self._stage.approval(self._number).is_open:
            return f"{self._number} is {'' if is_listed else 'not '}in the list, against Coupa"
        self._key = str(uuid.uuid4())
        return self.click_again() if is_listed else self._wrong_end()

    def _wrong_end(self) -> str:
        """Return what is wrong where the click should have decided once."""
        status, ours = self._stage.approval(self._number).status, self._stage.decided(self._number)
        is_right = status == DONE[self._verb] and len(ours) == 1
        return "" if is_right else f"{self._verb} of {self._number}: Coupa has {status}, we decided {ours}"

    def _is_true(self, answer: Answer, before: int) -> bool:
        """Tell whether Coupa says the same; an error with a body says that nothing was decided."""
        approval, ours = self._stage.approval(self._number), self._stage.decided(self._number)
        if answer.said in DONE.values():
            return answer.said == approval.status == DONE[self._verb] and len(ours) == 1
        if answer.said == "already_decided":
            return not approval.is_open
        return not (answer.said and answer.status >= 400) or len(ours) == before

    def _ask(self, method: str, path: str, host: Host | None = None, **options: Any) -> Answer:
        url = f"{(host or self._stage.host).url}/api/{path}"
        try:
            reply = requests.request(method, url, timeout=PATIENCE_S, **options)
        except (requests.ConnectionError, requests.Timeout):
            return Answer(0)
        if not reply.content:
            return Answer(reply.status_code)
        body = reply.json()
        return Answer(reply.status_code, str(body.get("outcome") or body.get("error") or "a body"), body)
