"""Many clicks on one card at once, against each other, Coupa's own screen, and lost answers."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from greenlet import getcurrent, greenlet

from proof.audit import Tally, audit
from proof.rig import Rig, click
from proof.seam import HTTP_MODES, Seam
from sandbox.coupa.world import NotAllowed
from sandbox.moveworks import Delivered

_DONE = {"approved": "approved", "rejected": "rejected"}


@dataclass(frozen=True)
class Crowd:
    """Who clicks at the same time.

    Attributes:
        name: for the table.
        verbs: one click each.
        screen: somebody decides on Coupa's own screen meanwhile.
        trouble: chance that a call to Coupa fails.
        strangers: clicks of people who are not the approver.
    """

    name: str
    verbs: tuple[str, ...]
    screen: bool = False
    trouble: float = 0.0
    strangers: int = 0


CROWDS = (
    Crowd("double", ("approve",) * 2),
    Crowd("triple", ("approve",) * 3),
    Crowd("fifty", ("approve",) * 50),
    Crowd("approve against reject", ("approve", "reject")),
    Crowd("both, twice, and strangers", ("approve", "reject") * 2, strangers=2),
    Crowd("Coupa's screen", ("approve",), screen=True),
    Crowd("Coupa's screen, both ways", ("approve", "reject"), screen=True),
    Crowd("Coupa in trouble", ("approve", "approve", "reject"), trouble=0.15),
    Crowd("Coupa in trouble, and its screen", ("approve", "reject"), screen=True, trouble=0.15),
)

LEARNED_FROM = ((CROWDS[-1], 106),)
"""A gateway's 200 for a decision that Coupa had refused was once taken for our own success."""


def crowding(crowd: Crowd, seed: int) -> Tally:
    """Let a crowd click, interleaved at every I/O step as the seed says, and check every answer."""
    chance = random.Random(f"{crowd.name}/{seed}")
    main = getcurrent()
    is_on = False

    def fate(_: int, name: str) -> str | None:
        if is_on and name.startswith("coupa") and chance.random() < crowd.trouble:
            return chance.choice(HTTP_MODES)
        return None

    def pause(name: str) -> None:
        # One thread speaks to the row of turns for all that wait; these clicks are one thread.
        if getcurrent() is not main and name not in ("store note", "store save_note"):
            main.switch()

    rig = Rig(settings={"COUPA_MAX_PER_SECOND": "25"})
    seam = Seam(decide=fate, pause=pause)
    poller = rig.poller(seam)
    rig.request(0)
    poller.sweep()
    [card] = rig.moveworks.delivered
    is_on = True
    answers: list[tuple[str, str]] = []

    def one(verb: str, actor: str | None) -> Callable[[], None]:
        return lambda: answers.append((verb, click(poller, card, verb, actor=actor)))

    works = [one(verb, None) for verb in crowd.verbs]
    works += [one("approve", f"person{number}@example.com") for number in range(1, crowd.strangers + 1)]

    def on_screen() -> None:
        main.switch()
        _on_screen(rig, card, chance.choice(("approved", "rejected")))

    if crowd.screen:
        works.append(on_screen)
    running = [greenlet(work) for work in works]
    while running:
        each = chance.choice(running)
        each.switch()
        if each.dead:
            running.remove(each)
    is_on = False
    tally = audit(rig, steps=len(seam.steps), faults=seam.faults)
    tally.false_answers = _false(rig, card, answers, crowd)
    return tally


def _on_screen(rig: Rig, card: Delivered, decision: str) -> None:
    try:
        rig.coupa.world.decide_in_coupa(
            int(card.slots["approval_id"]),
            by=rig.people[5],
            decision="approved" if decision == "approved" else "rejected",
        )
    except NotAllowed:
        return


def _false(rig: Rig, card: Delivered, answers: list[tuple[str, str]], crowd: Crowd) -> int:
    """Count answers that are not true, and effects beyond the first."""
    approval = rig.coupa.world.approvals.rows[int(card.slots["approval_id"])]
    ours = rig.coupa.decisions
    wrong = max(0, len(ours) - 1)
    if crowd.strangers:
        refusals = [outcome for _, outcome in answers if outcome == "not_your_approval"]
        wrong += len(refusals) != crowd.strangers
    for verb, outcome in answers:
        if outcome in _DONE:
            done = {"approve": "approved", "reject": "rejected"}[verb]
            # By our own PUT, and what stands in Coupa now.
            wrong += not (outcome == done == approval.status and len(ours) == 1)
        elif outcome == "already_decided":
            wrong += approval.is_open
    if not crowd.trouble and not crowd.screen:
        # Nothing failed: somebody was told that it is done.
        wrong += not any(outcome in _DONE for _, outcome in answers)
    return wrong
