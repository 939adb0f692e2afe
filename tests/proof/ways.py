"""The ways in which a host, its worker, or both end, each as observed or documented.

A way names the event during a step, the answer to the caller, and the action afterwards.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import ClassVar

from proof.callers import APPROVE, Caller
from proof.processes import ANSWER_S, ROOT
from proof.stage import Stage

BROKEN, EMPTY, CROWDED = "broken", "500 empty", "429 empty"
"""The connection ended; the host has answered for a function that is gone; it lets nobody in."""

TIMEOUT_S = 6
"""`functionTimeout` where something runs past it; the host ends the worker two seconds later."""

DRAIN_S = 120
"""The longest that a host serves on after it was told to end; longer than all that comes meanwhile takes."""

HEAD_START_S = 0.7
"""So long after its time is over a neighbour is joined by a click: the worker lives on for two seconds."""


class Way:
    """What comes, and what becomes of who was asking.

    Attributes:
        name: for the table.
        ends: whoever was asking a service is dead then.
        answers: what the caller may be answered; empty for any answer that has a body.
        options: of each host.
    """

    name: ClassVar[str]
    ends: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = (EMPTY,)
    options: ClassVar[tuple[str, ...]] = ()

    def prepare(self, stage: Stage) -> None:
        """Do what comes before."""

    def come(self, stage: Stage) -> None:
        """Come, while a step is under way."""
        raise NotImplementedError

    def clear_up(self, stage: Stage) -> None:
        """Wait until what was left has ended, and have a host again.

        Raises:
            AssertionError, TimeoutError: something did not end as it does.
        """

    def finish(self) -> None:
        """Wait for what was prepared, also where nothing came."""


class WorkerKilled(Way):
    """The worker is killed; the host starts another."""

    name = "worker killed"

    def come(self, stage: Stage) -> None:
        stage.host.kill_worker()


class MachineDies(Way):
    """Host and worker end at once; another machine starts."""

    name = "machine dies"
    answers = (BROKEN,)

    def come(self, stage: Stage) -> None:
        stage.host.fail()

    def clear_up(self, stage: Stage) -> None:
        stage.leave(stage.host)
        stage.start()


class HostKilled(Way):
    """The host is killed, another starts and sweeps, and only then the worker that was left goes on."""

    name = "host killed, worker left"
    ends = False
    answers = (BROKEN,)

    def come(self, stage: Stage) -> None:
        self._old = stage.host
        self._old.kill()
        stage.start()
        stage.leave(self._old)
        stage.host.fire()

    def clear_up(self, stage: Stage) -> None:
        self._old.await_workers()


class Drained(Way):
    """A deployment: the old host is told to end, the new one starts and sweeps, the old one finishes.

    As on Azure, the old one serves on for a while, also when nothing is in flight: somebody clicks there, and
    is told the truth. Then it is ended.
    """

    name = "drained by a deployment"
    ends = False
    answers = ()
    options = ("--drain", f"{DRAIN_S}")

    def prepare(self, stage: Stage) -> None:
        self._other = Caller(stage, stage.card(), APPROVE)

    def come(self, stage: Stage) -> None:
        self._old = stage.host
        self._old.drain()
        stage.start()
        stage.leave(self._old)
        stage.host.fire()

    def clear_up(self, stage: Stage) -> None:
        answer = self._other.click(self._old)
        assert answer.said, f"a click at the host that drains was answered {answer}"
        assert not self._other.untrue, self._other.untrue
        self._old.drain()  # the second time, which ends it at once
        status = self._old.await_exit()
        assert status == 0, f"the host that was drained ended with {status}"
        self._old.await_workers()


class OwnTimeout(Way):
    """What is asked for does not come, until the host ends the worker because of `functionTimeout`."""

    name = "own time-out"

    def come(self, stage: Stage) -> None:
        stage.host.await_another_worker(stage.host.worker)


class NeighboursTimeout(Way):
    """Another call hangs, and the host ends the worker with all that it runs; this one hangs on for a while.

    The host is full meanwhile: whoever else clicks is refused at once, and clicks again later.
    """

    name = "a neighbour's time-out"

    def prepare(self, stage: Stage) -> None:
        self._other = Caller(stage, stage.card(), APPROVE)
        host = stage.host
        self._neighbour = threading.Thread(target=lambda: host.post("/api/hang"), daemon=True)
        self._neighbour.start()
        time.sleep(TIMEOUT_S + HEAD_START_S)

    def come(self, stage: Stage) -> None:
        worker = stage.host.worker
        answer = self._other.click()
        assert str(answer) == CROWDED, f"a click into a full host was answered {answer}"
        stage.host.await_another_worker(worker)

    def finish(self) -> None:
        self._neighbour.join(ANSWER_S)

    def clear_up(self, stage: Stage) -> None:
        wrong = self._other.click_again()
        assert not wrong, wrong


def hanging_app(folder: Path) -> Path:
    """Write the product's app with a function that hangs, little time and room for two calls."""
    host = json.loads((ROOT / "host.json").read_text("utf-8"))
    host["functionTimeout"] = f"00:00:{TIMEOUT_S:02}"
    host["extensions"]["http"]["maxOutstandingRequests"] = 2
    (folder / "host.json").write_text(json.dumps(host), "utf-8")
    shutil.copy(Path(__file__).parent / "hanging_app.py", folder / "function_app.py")
    return folder
