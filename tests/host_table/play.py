"""Plays the rows on a host: each stage is started once, and its rows run one after another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from host_table import admin, crowds, faults, keys, routing, sizes
from host_table.hosts import Host, HostDidNotStart
from host_table.rows import DEVELOPMENT, PLAIN, Row, Stage
from host_table.wire import Answer, exchange, host_of

GROUPS: dict[Stage, dict[str, list[Row]]] = {
    PLAIN: {
        "keys": keys.ROWS,
        "methods": routing.METHODS,
        "paths": routing.PATHS,
        "what is given": routing.GIVEN,
        "sizes": sizes.ROWS,
        "admin": [*admin.FIRING, *admin.READING],
    },
    DEVELOPMENT: {"development": keys.DEVELOPMENT},
    **{stage: {"start-up": rows} for stage, rows in faults.ROWS.items()},
}
"""The single requests."""

Scene = Callable[["Place"], Iterator["Result"]]

CROWD_S = 30.0
"""How long may pass until those of a crowd that are refused have been told so."""


@dataclass(frozen=True)
class Result:
    """How a row was answered.

    Attributes:
        wrong: each way in which it was not right.
        left_out: why it was not played; empty where it was.
    """

    group: str
    name: str
    wrong: tuple[str, ...] = ()
    left_out: str = ""


@dataclass(frozen=True)
class Place:
    """A host that runs.

    Attributes:
        url: its address.
        keys: known for it.
        is_ours: its app is the one that tells what reached it.
    """

    url: str
    keys: Mapping[str, str]
    is_ours: bool = True

    def ask(self, row: Row) -> Answer:
        """Send a row's request."""
        host = host_of(self.url)
        return exchange(self.url, row.sent.pieces(host, self.keys), method=row.sent.method)

    def judge(self, row: Row, answer: Answer) -> list[str]:
        """Return what is wrong about an answer, without any key."""
        known = {**self.keys, "host": host_of(self.url)}
        found = row.wrong(answer, known) if self.is_ours else row.wrong_elsewhere(answer, known)
        return [self._without_keys(each) for each in found]

    def _without_keys(self, text: str) -> str:
        for name, key in self.keys.items():
            text = text.replace(key, f"{{{name}}}")
        return text

    def play(self, group: str, row: Row) -> Result:
        """Send a row's request, again where its answer may still become right."""
        end_s = time.monotonic() + row.within_s
        while True:
            wrong = self.judge(row, self.ask(row))
            if not wrong or time.monotonic() >= end_s:
                return Result(group, row.name, tuple(wrong))
            time.sleep(0.05)


def crowd(place: Place, scene: crowds.Crowd) -> Iterator[Result]:
    """Send one request many times at once; who is let in is to be answered, the others at once."""
    one = Row(scene.name, scene.sent, reaches="approve")
    with ThreadPoolExecutor(scene.size) as pool:
        sent = [pool.submit(place.ask, one) for _ in range(scene.size)]
        if scene.refused:
            told = _first(sent, scene.refused)
            wrong = [each for answer in told for each in place.judge(crowds.TOO_MANY, answer)]
            yield _counted(f"{scene.name}, {scene.refused} are told 429 at once", wrong, told, scene.refused)
        for row in scene.meanwhile:
            yield place.play("crowds", row)
        answers = [each.result() for each in sent]
    served = [answer for answer in answers if not place.judge(one, answer)]
    wanted = scene.size - scene.refused
    yield _counted(f"{scene.name}, {wanted} are served", [], served, wanted)
    most = max((json.loads(answer.body)["most"] for answer in served), default=0)
    wrong = [] if most == scene.running else [f"{most} ran at once, not {scene.running}"]
    yield Result("crowds", f"{scene.name}, {scene.running} run at once", tuple(wrong))
    for row in scene.after:
        yield place.play("crowds", row)


def _first(sent: list[Future[Answer]], number: int) -> list[Answer]:
    """Return the answers that come before anybody lets the others go on; waits for so many."""
    end_s = time.monotonic() + CROWD_S
    while sum(each.done() for each in sent) < number and time.monotonic() < end_s:
        time.sleep(0.05)
    return [each.result() for each in sent if each.done()]


def _counted(name: str, wrong: list[str], answers: list[Answer], wanted: int) -> Result:
    counted = [] if len(answers) == wanted else [f"{len(answers)} were, not {wanted}"]
    return Result("crowds", name, tuple(dict.fromkeys(counted + wrong)))


def killed(place: Place) -> Iterator[Result]:
    """Kill the worker while another click is in flight; then click once more."""
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(place.ask, crowds.KILLED_BESIDE)
        yield place.play("deaths", crowds.RUNNING)
        yield place.play("deaths", crowds.KILLING)
        wrong = place.judge(crowds.KILLED_BESIDE, beside.result())
        yield Result("deaths", crowds.KILLED_BESIDE.name, tuple(wrong))
    yield place.play("deaths", crowds.NEXT)


SCENES: dict[Stage, list[Scene]] = {
    crowds.MANY_THREADS: [partial(crowd, scene=crowds.CROWD)],
    crowds.BY_SETTINGS: [partial(crowd, scene=crowds.SIX)],
    crowds.EIGHT_THREADS: [partial(crowd, scene=crowds.EIGHT), killed],
}

STAGES = (*GROUPS, *SCENES)


def play(host: Host, stage: Stage) -> Iterator[Result]:
    """Start a host as this stage wants it, and play its rows there.

    Scenes are of hosts that run our app, where they can decide nothing.
    """
    rows = [(group, row) for group, rows in GROUPS.get(stage, {}).items() for row in rows]
    left_out = {row.name: host.left_out(row, stage) for _, row in rows}
    yield from (
        Result(group, row.name, left_out=left_out[row.name]) for group, row in rows if left_out[row.name]
    )
    scenes = SCENES.get(stage, []) if host.is_ours else []
    if not scenes and all(left_out.values()):
        if stage in SCENES:
            yield Result("crowds", stage.name, left_out="its own handlers are needed, and a start of its own")
        return
    try:
        with host.started(stage) as (url, known):
            place = Place(url, known, is_ours=host.is_ours)
            yield from (place.play(group, row) for group, row in rows if not left_out[row.name])
            for scene in scenes:
                yield from scene(place)
    except HostDidNotStart as error:
        yield Result("start", f"the host starts: {stage.name}", (str(error),))
        yield from (
            (Result(group, row.name, ("the host did not start",)))
            for group, row in rows
            if not left_out[row.name]
        )
