"""One process that approves the cards on standard input: a crowd at once, or one card after the other.

It imports `coupa_core` from the `PYTHONPATH`, so that an earlier build can be measured in the same way.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from coupa_core import app
from coupa_core.clock import SystemClock
from coupa_core.endpoints import Request
from coupa_core.settings import read_settings

IN_TURN = "in-turn"
"""The argument for one card after the other."""

PAUSE_S = 1.0
"""The pause between clicks in turn, so that none waits for the permits of the one before, in seconds."""


class Clicker:
    """Approves cards through the measured build."""

    def __init__(self) -> None:
        # Earlier builds call the class `Parts`.
        overrides = vars(app).get("Overrides") or vars(app)["Parts"]
        settings = read_settings(dict(os.environ))
        self._endpoints = app.build(settings, overrides(SystemClock(), random.Random())).endpoints

    def call(self, name: str, card: dict[str, str]) -> dict[str, Any]:
        """Call a route for a card; return the outcome and the duration in seconds."""
        headers = {"X-Actor-Email": card["actor"], "X-Action-Token": card["action_token"]}
        began_s = time.monotonic()
        reply = self._endpoints.handle(
            name, Request(headers=headers, route={"approval_id": card["approval_id"]})
        )
        said = reply.body.get("outcome") or f"{reply.status} {reply.body.get('error')}"
        return {"said": said, "seconds": time.monotonic() - began_s}


def main() -> None:
    """Read the cards and approve them; a crowd warms up, reports that it is ready, and waits for a line."""
    logging.disable(logging.CRITICAL)
    cards: list[dict[str, str]] = json.loads(sys.stdin.readline())
    clicker = Clicker()
    if sys.argv[1:] == [IN_TURN]:
        answers = []
        for card in cards:
            answers.append(clicker.call("approve", card))
            time.sleep(PAUSE_S)
    else:
        clicker.call("get_approval", cards[0])  # like an instance in use: with a token and a connection
        print("ready", flush=True)
        sys.stdin.readline()
        with ThreadPoolExecutor(len(cards)) as pool:
            answers = list(pool.map(lambda card: clicker.call("approve", card), cards))
    print(json.dumps(answers), flush=True)


if __name__ == "__main__":
    main()
