"""The users of the ports that local.settings.json.example names: many demos at once, or one test alone."""

from __future__ import annotations

import fcntl
import getpass
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT_S = 120.0

_FILE = Path(tempfile.gettempdir()) / f"coupa-approvals-ports.{getpass.getuser()}.lock"


@contextmanager
def shared_ports() -> Iterator[None]:
    """Use them beside others, who take other ports where these are taken."""
    with _FILE.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def own_ports() -> Iterator[bool]:
    """Use them alone; False where others do not end in time."""
    with _FILE.open("w") as file:
        end = time.monotonic() + WAIT_S
        is_mine = False
        while not is_mine and time.monotonic() < end:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_mine = True
            except BlockingIOError:
                time.sleep(0.5)
        yield is_mine
