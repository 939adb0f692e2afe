"""One process of a crowd: it approves everything on standard input at the same time, at a signal.

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

from coupa_core.app import Overrides, build
from coupa_core.clock import SystemClock
from coupa_core.endpoints import Request
from coupa_core.settings import read_settings


def main() -> None:
    """Read the cards, warm up, report that it is ready, wait for a line, click, and print the results."""
    logging.disable(logging.CRITICAL)
    cards: list[dict[str, str]] = json.loads(sys.stdin.readline())
    bridge = build(read_settings(dict(os.environ)), Overrides(SystemClock(), random.Random()))

    def call(name: str, card: dict[str, str]) -> dict[str, Any]:
        headers = {"X-Actor-Email": card["actor"], "X-Action-Token": card["action_token"]}
        began_s = time.monotonic()
        reply = bridge.endpoints.handle(
            name, Request(headers=headers, route={"approval_id": card["approval_id"]})
        )
        said = reply.body.get("outcome") or f"{reply.status} {reply.body.get('error')}"
        return {"said": said, "seconds": time.monotonic() - began_s}

    call("get_approval", cards[0])  # like an instance in use: with a token and a connection
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(len(cards)) as pool:
        print(json.dumps(list(pool.map(lambda card: call("approve", card), cards))), flush=True)


if __name__ == "__main__":
    main()
