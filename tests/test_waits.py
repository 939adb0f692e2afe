"""The parts of the time until a decision: waiting for the bridge, for the person, and for Coupa."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from bridge import World
from ledger_contract import HOUR, NOW, row

from coupa_core.decide.waits import waits
from coupa_core.ledger import PersonState
from coupa_core.model import Approval, Document

JAMIE, ROBIN = "jamie@example.com", "robin@example.com"
SECOND = timedelta(seconds=1)
ME = "user:12"


def written(at: datetime) -> str:
    return at.isoformat()


def parts(
    *, approval: dict[str, Any] | None = None, steps: tuple[datetime, ...] = (), **given: Any
) -> dict[str, float]:
    """Return the parts of a wait: told at nine, clicked an hour later, confirmed after two seconds."""
    approved = [
        {"id": number, "status": "approved", "approval-date": written(at)}
        for number, at in enumerate(steps, 1)
    ]
    submitted = given.get("submitted_at")
    document = Document.model_validate(
        {"id": 70, "submitted_at": written(submitted) if submitted else None, "approvals": approved}
    )
    return waits(
        Approval(id=7, **(approval or {})),
        document,
        given.get("entry", row(told={ME: PersonState(version="v1", at=NOW)})),
        person=ME,
        clicked_at=NOW + HOUR,
        confirmed_at=NOW + HOUR + 2 * SECOND,
    )


def test_a_wait_is_split_at_the_notice_and_at_the_click() -> None:
    assert parts(submitted_at=NOW - 60 * SECOND) == {"queue_s": 60, "click_s": 3600, "write_s": 2}


def test_a_later_step_waits_from_the_approval_of_the_one_before() -> None:
    given = parts(submitted_at=NOW - 9 * HOUR, steps=(NOW - 5 * HOUR, NOW - HOUR))

    assert given["queue_s"] == 3600


def test_what_happened_after_the_notice_did_not_begin_the_wait() -> None:
    given = parts(submitted_at=NOW - HOUR, steps=(NOW + 60 * SECOND,))

    assert given["queue_s"] == 3600


@pytest.mark.parametrize(
    ("touched", "seen", "queue_s"),
    [
        (NOW - 60 * SECOND, NOW - 90 * SECOND, 90),
        (NOW + HOUR, NOW - 90 * SECOND, 90),
        (NOW - 60 * SECOND, None, 60),
        (NOW + HOUR, None, None),
        (None, None, None),
    ],
)
def test_where_coupa_says_no_turn_the_earliest_stamp_of_the_approval_counts(
    touched: datetime | None, seen: datetime | None, queue_s: float | None
) -> None:
    entry = row(told={ME: PersonState(version="v1", at=NOW)}, seen_approval=written(seen) if seen else "")
    given = parts(approval={"updated_at": written(touched) if touched else None}, entry=entry)

    assert given.get("queue_s") == queue_s
    assert given["click_s"] == 3600


@pytest.mark.parametrize(
    "entry",
    [
        None,
        row(told={"user:99": PersonState(version="v1", at=NOW)}),
        row(told={ME: PersonState()}),
        row(told={ME: PersonState(version="v1")}),
    ],
    ids=["no ledger", "another was told", "not told yet", "no time"],
)
def test_of_who_was_not_told_only_the_write_is_known(entry: Any) -> None:
    assert parts(submitted_at=NOW - HOUR, entry=entry) == {"write_s": 2}


def test_clocks_that_differ_make_no_negative_wait() -> None:
    told = row(told={ME: PersonState(version="v1", at=NOW + 2 * HOUR)})

    assert parts(submitted_at=NOW, entry=told)["click_s"] == 0


def decision_line(caplog: pytest.LogCaptureFixture) -> str:
    [line] = [text for each in caplog.records if (text := each.getMessage()).startswith("decision approval")]
    return line


def seconds_in(line: str) -> dict[str, float]:
    return {name: float(number) for name, number in re.findall(r" (\w+_s)=([0-9.]+)", line)}


def test_the_decisions_line_has_the_parts_of_its_wait(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.requisition(JAMIE)
    world.clock.advance(45)
    [card] = world.announced()
    world.clock.advance(600)
    world.coupa.front.latency_s = 0.25  # there and back

    with caplog.at_level(logging.INFO):
        assert world.click(card, JAMIE).body["outcome"] == "approved"

    spent = seconds_in(decision_line(caplog))
    assert list(spent) == ["queue_s", "click_s", "write_s"]
    assert 45 <= spent["queue_s"] <= 50  # the sweep itself takes a little
    assert spent["click_s"] == 600
    assert 1 <= spent["write_s"] <= 10


@pytest.mark.parametrize(("actor", "outcome"), [(ROBIN, "not_your_approval"), (JAMIE, "unconfirmed")])
def test_a_click_that_decided_nothing_ended_no_wait(
    caplog: pytest.LogCaptureFixture, actor: str, outcome: str
) -> None:
    world = World()
    world.requisition(JAMIE)
    world.person(ROBIN)
    [card] = world.announced()
    if outcome == "unconfirmed":
        world.coupa.front.fail("cut", method="PUT", times=None)

    with caplog.at_level(logging.INFO):
        assert world.click(card, actor).body["outcome"] == outcome

    assert seconds_in(decision_line(caplog)) == {}
