"""Access to Coupa: the token and its lifetime, and the repeated calls and their time."""

from __future__ import annotations

import json
import logging
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from threading import Barrier, Event
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests

from coupa_core.clock import Deadline
from coupa_core.coupa import Access
from coupa_core.documents import LEAST_SCOPES
from coupa_core.errors import Denied, Malformed, Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.http_client import HttpClient, ServiceResponse
from sandbox.clock import ManualClock
from sandbox.coupa import CoupaSimulator
from sandbox.serving import InProcess

HOUR = 3600.0
SECRET = "s3cr+t/&="


@dataclass
class Door:
    """Our access to one simulated Coupa with one pending approval."""

    secret: str = SECRET
    scopes: str = LEAST_SCOPES
    spare_scopes: str = ""
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.coupa = CoupaSimulator(clock=self.clock, client_id="the client", client_secret=SECRET)
        world = self.coupa.world
        ann = world.add_user(email="ann@example.com")
        self.document = world.add_requisition(requested_by=ann, approvers=[ann])
        self.approval = world.approvals_of(self.document)[0].id
        self.session = requests.Session()
        self.session.mount("https://", InProcess(self.coupa.front))
        self.access = Access(
            HttpClient(
                name="coupa", base_url="https://acme.coupahost.com", clock=self.clock, session=self.session
            ),
            client_id="the client",
            client_secret=self.secret,
            scopes=self.scopes,
            spare_scopes=self.spare_scopes,
            clock=self.clock,
            chance=random.Random(1),
        )

    def read(self, resource: str = "approvals", *, within_s: float = 50.0) -> Any:
        return self.access.read(resource, f"/api/{resource}", {}, Deadline(self.clock, within_s))

    def approve(self) -> ServiceResponse:
        path = f"/api/approvals/{self.approval}/approve"
        return self.access.send("PUT", path, {"reason": "fine"}, Deadline(self.clock, 10.0))

    def fails(self, **query: Any) -> ServiceError:
        with pytest.raises(ServiceError) as caught:
            self.read(**query)
        return caught.value

    @property
    def mints(self) -> int:
        return self.coupa.front.count("POST", "/oauth2/token")

    @property
    def reads(self) -> int:
        return self.coupa.front.count("GET")

    @property
    def tokens(self) -> list[str]:
        return [call.headers["Authorization"] for call in self.coupa.front.calls if call.method != "POST"]


@pytest.fixture
def door() -> Door:
    return Door()


# The token.


def test_the_token_is_asked_for_with_a_form_and_carried_as_bearer(door: Door) -> None:
    (row,) = door.read()

    asked, read = door.coupa.front.calls
    assert row["id"] == door.approval
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode()) == {
        "client_id": ["the client"],
        "client_secret": [SECRET],
        "scope": [LEAST_SCOPES],
        "grant_type": ["client_credentials"],
    }
    assert "Authorization" not in asked.headers
    assert read.headers["Authorization"].startswith("Bearer ey")


def test_threads_that_need_the_first_token_at_once_mint_it_once(door: Door) -> None:
    gate = Barrier(8)

    def read(_: int) -> int:
        gate.wait()
        return len(door.read())

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(8))) == [1] * 8

    assert door.mints == 1


def test_a_token_is_renewed_after_twenty_of_its_twenty_four_hours(door: Door) -> None:
    door.read()
    door.clock.advance(20 * HOUR - 1)
    door.read()
    assert door.mints == 1

    door.clock.advance(1)
    door.read()

    assert door.mints == 2
    assert len(set(door.tokens)) == 2


def test_a_token_that_cannot_be_renewed_is_kept_and_renewal_tried_again_in_a_minute(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    door.read()
    door.clock.advance(20 * HOUR)
    door.coupa.front.fail("answer", method="POST", status=503, times=2)

    door.read()
    door.clock.advance(59)
    door.read()
    assert door.mints == 2
    door.clock.advance(1)
    door.read()
    assert door.mints == 3
    door.clock.advance(60)
    door.read()

    assert door.mints == 4
    assert [call.status for call in door.coupa.front.calls if call.method == "GET"] == [200] * 5
    assert len(set(door.tokens)) == 2
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING] == [
        "coupa token not renewed code=coupa_token_503"
    ] * 2


def test_a_token_past_its_end_is_not_used_when_it_cannot_be_renewed(door: Door) -> None:
    door.read()
    door.clock.advance(24 * HOUR)
    door.coupa.front.fail("answer", method="POST", status=503, times=None)

    failure = door.fails()

    assert failure.code == "coupa_token_503"
    assert door.reads == 1


def test_a_token_that_has_not_settled_is_waited_for_and_not_replaced(door: Door) -> None:
    door.coupa.settle_s = 5.0

    assert len(door.read()) == 1

    assert door.mints == 1
    assert len(set(door.tokens)) == 1
    assert door.clock.monotonic() == 5.0


def test_waiting_for_a_token_to_settle_ends_with_the_deadline(door: Door) -> None:
    door.coupa.settle_s = 5.0

    failure = door.fails(within_s=3.0)

    assert isinstance(failure, Denied)
    assert failure.code == "coupa_401"
    assert door.clock.monotonic() < 3.0
    assert door.mints == 1


def test_a_token_that_died_is_replaced_exactly_once(door: Door) -> None:
    door.read()
    door.clock.advance(HOUR)
    door.coupa.desk.revoke()

    assert len(door.read()) == 1

    assert door.mints == 2
    assert door.reads == 3


def test_a_coupa_that_refuses_every_token_gets_one_new_one_and_no_more(door: Door) -> None:
    door.read()
    door.clock.advance(HOUR)
    door.coupa.front.fail("answer", method="GET", status=401, times=None)

    failure = door.fails()

    assert isinstance(failure, Denied)
    assert "COUPA_CLIENT_ID" in str(failure)
    assert door.mints == 2


def test_a_token_that_another_thread_has_replaced_is_not_replaced_again(door: Door) -> None:
    door.read()
    door.clock.advance(HOUR)
    door.coupa.desk.revoke()

    class Meanwhile(InProcess):
        """Lets a whole read of somebody else happen before the answer of the first one is seen."""

        def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
            reply = super().send(request, *args, **kwargs)
            if reply.status_code == 401 and len(door.tokens) == 2:
                door.read()
            return reply

    door.session.mount("https://", Meanwhile(door.coupa.front))

    assert len(door.read()) == 1

    assert door.mints == 2


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"secret": "another s3cret"}, 401), ({"scopes": f"{LEAST_SCOPES} core.invoice.read"}, 400)],
    ids=["secret", "scope"],
)
def test_refused_credentials_are_said_with_a_hint_and_no_secret(wrong: Any, status: int) -> None:
    door = Door(**wrong)

    failure = door.fails()

    assert isinstance(failure, Denied)
    assert (failure.code, failure.status) == (f"coupa_token_{status}", status)
    assert "check COUPA_CLIENT_ID, COUPA_CLIENT_SECRET and the client's scopes" in str(failure)
    assert door.secret not in str(failure)
    assert (door.mints, door.reads) == (1, 0)
    assert door.clock.monotonic() == 0


@pytest.mark.parametrize(
    ("expires_in", "life_s"),
    [
        (600, 600),
        ("7200", 7_200),
        (-5, 60),
        (0, 60),
        (10**9, 86_400),
        (None, 3_600),
        ("soon", 3_600),
        ([], 3_600),
        ("nan", 3_600),
        ("inf", 3_600),
        (10**400, 3_600),
    ],
    ids=lambda value: str(value)[:12],
)
def test_a_life_that_cannot_be_read_is_an_hour_and_no_life_is_less_than_a_minute(
    door: Door, expires_in: Any, life_s: float
) -> None:
    door.read()
    token = door.tokens[0].removeprefix("Bearer ")
    fresh = Door()
    fresh.coupa = door.coupa
    fresh.session.mount("https://", InProcess(door.coupa.front))
    body = json.dumps({"access_token": token, "expires_in": expires_in})
    door.coupa.front.fail("replace", method="POST", status=200, body=body)

    fresh.read()
    fresh.clock.advance(life_s * 20 / 24 - 0.1)
    fresh.read()
    assert door.mints == 2
    fresh.clock.advance(0.2)
    fresh.read()

    assert door.mints == 3


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Sign in</html>",
        "[]",
        "null",
        '"token"',
        "{}",
        '{"access_token": 5}',
        '{"access_token": null}',
        '{"access_token": ""}',
        '{"access_token": "a\\nb"}',
        '{"access_token": "t\\u00f6ken"}',
    ],
)
def test_a_token_answer_without_a_usable_token_reads_nothing(door: Door, body: str) -> None:
    door.coupa.front.fail("answer", method="POST", status=200, body=body, times=None)

    failure = door.fails()

    assert isinstance(failure, Malformed)
    assert door.reads == 0


SPARE = "core.budget.read core.supplier.read"


def spare(*, granted: bool) -> Door:
    """Return a door whose token is to have spare scopes, too."""
    door = Door(spare_scopes=SPARE)
    door.coupa.desk.granted_scopes |= set(SPARE.split()) if granted else {"core.budget.read"}
    return door


def asked_scopes(door: Door) -> list[str]:
    """Return what each token request asked for beside the least."""
    posts = [call for call in door.coupa.front.calls if call.method == "POST"]
    return [parse_qs(call.body.decode())["scope"][0].removeprefix(LEAST_SCOPES).strip() for call in posts]


def test_spare_scopes_are_asked_for_with_the_others() -> None:
    door = spare(granted=True)

    assert len(door.read()) == 1

    assert (door.mints, asked_scopes(door), door.access.withheld) == (1, [SPARE], "")


def test_a_spare_scope_that_is_not_granted_is_asked_for_once_in_a_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = spare(granted=False)
    door.read()
    door.clock.advance(25 * 3_600)

    door.read()

    assert (asked_scopes(door), door.access.withheld) == ([SPARE, "", ""], SPARE)
    assert caplog.text.count(f"coupa token without some scopes code=coupa_scope scopes={SPARE}") == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, '{"error_description":"The scope is not valid"}'),
        (400, "<p>no</p>"),
        (403, '{"error":"denied"}'),
    ],
)
def test_in_whichever_words_a_token_is_refused_it_is_asked_for_without_the_spare_scopes(
    status: int, body: str
) -> None:
    door = spare(granted=True)
    door.coupa.front.fail("answer", method="POST", path="/oauth2/token", status=status, body=body)

    assert len(door.read()) == 1

    assert (asked_scopes(door), door.access.withheld) == ([SPARE, ""], SPARE)


def test_what_is_refused_for_another_reason_is_not_asked_for_again() -> None:
    door = Door(spare_scopes=SPARE, secret="wrong")

    assert door.fails().code == "coupa_token_401"
    assert (door.mints, door.access.withheld) == (1, "")


def test_a_client_that_lacks_more_than_the_spare_scopes_gets_no_token() -> None:
    door = Door(spare_scopes=SPARE, scopes="core.invoice.read")

    assert door.fails().code == "coupa_token_400"
    assert (door.mints, door.access.withheld) == (2, "")


# Reading.


def test_a_missing_right_is_said_with_the_scope_that_gives_it() -> None:
    door = Door(scopes="core.approval.read")

    failure = door.fails(resource="requisitions")

    assert isinstance(failure, Denied)
    assert failure.code == "coupa_403"
    assert "the OAuth client probably lacks the scope core.requisition.read" in str(failure)
    assert door.reads == 1


def test_a_missing_right_to_something_else_is_said_without_a_scope(door: Door) -> None:
    assert "(a scope is missing)" in str(door.fails(resource="requisitions/1/comments"))


@pytest.mark.parametrize("status", [429, 503])
def test_a_pause_in_seconds_is_kept(door: Door, status: int) -> None:
    door.coupa.front.fail("answer", method="GET", status=status, headers={"Retry-After": "7"})

    assert len(door.read()) == 1

    assert door.clock.monotonic() == 7.0
    assert door.reads == 2


def test_a_pause_as_a_date_is_kept(door: Door) -> None:
    until = format_datetime(door.clock.now() + timedelta(seconds=9), usegmt=True)
    door.coupa.front.fail("answer", method="GET", status=429, headers={"Retry-After": until})

    assert len(door.read()) == 1

    assert door.clock.monotonic() == 9.0


def test_a_pause_longer_than_the_deadline_is_not_waited_for(door: Door) -> None:
    door.coupa.front.fail("answer", method="GET", status=429, headers={"Retry-After": "60"})

    failure = door.fails()

    assert isinstance(failure, Throttled)
    assert failure.retry_after_s == 60
    assert door.clock.monotonic() == 0
    assert door.reads == 1


def test_the_token_request_is_paused_like_any_read(door: Door) -> None:
    door.coupa.front.fail("answer", method="POST", status=429, headers={"Retry-After": "3"})

    assert len(door.read()) == 1

    assert door.clock.monotonic() == 3.0


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "answer", "status": 500},
        {"kind": "answer", "status": 502, "body": "<html>Bad gateway</html>"},
        {"kind": "answer", "status": 429},
        {"kind": "cut"},
        {"kind": "lose"},
        {"kind": "truncate"},
        {"kind": "replace", "status": 200, "body": "<?xml version='1.0'?><approvals/>"},
    ],
    ids=lambda fault: f"{fault['kind']}{fault.get('status', '')}",
)
def test_a_read_is_repeated_after_pauses_that_grow(door: Door, fault: dict[str, Any]) -> None:
    door.coupa.front.fail(**fault, method="GET", times=3)

    assert len(door.read()) == 1

    assert door.reads == 4
    assert 0 < door.clock.monotonic() <= 0.5 + 1 + 2


def test_a_read_that_keeps_failing_ends_with_its_last_failure(door: Door) -> None:
    door.coupa.front.fail("answer", method="GET", status=500, body="<title>Ouch</title>", times=None)

    failure = door.fails()

    assert isinstance(failure, Unknown)
    assert str(failure) == "coupa answered 500 to GET approvals: Ouch"
    assert door.reads == 4


def test_a_coupa_that_hangs_takes_no_longer_than_the_deadline(door: Door) -> None:
    door.read()
    door.coupa.front.fail("slow", method="GET", seconds=1_000, times=None)

    failure = door.fails()

    assert failure.code in {"coupa_timeout", "coupa_late"}
    assert door.clock.monotonic() <= 50.0


@pytest.mark.parametrize("status", [400, 404, 422])
def test_what_coupa_refuses_is_not_asked_again(door: Door, status: int) -> None:
    door.coupa.front.fail("answer", method="GET", status=status)

    failure = door.fails()

    assert isinstance(failure, Refused)
    assert failure.status == status
    assert door.reads == 1


# Deciding.


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_decision_is_not_repeated_after_an_error(door: Door, status: int) -> None:
    door.coupa.front.fail("answer", method="PUT", status=status, headers={"Retry-After": "1"})

    assert door.approve().status == status

    assert door.coupa.front.count("PUT") == 1


@pytest.mark.parametrize("kind", ["cut", "lose"])
def test_a_decision_is_not_repeated_after_a_lost_answer(door: Door, kind: Any) -> None:
    door.coupa.front.fail(kind, method="PUT")

    with pytest.raises(Unknown):
        door.approve()

    assert door.coupa.front.count("PUT") == 1


def test_a_decision_is_repeated_after_a_dead_token_because_nothing_happened(door: Door) -> None:
    door.read()
    door.clock.advance(HOUR)
    door.coupa.desk.revoke()

    assert door.approve().ok

    assert door.coupa.front.count("PUT") == 2
    assert len(door.coupa.decisions) == 1


@pytest.mark.parametrize("fault", [{"kind": "cut"}, {"kind": "answer", "status": 500}], ids=["cut", "500"])
def test_a_decision_for_which_there_is_no_token_was_surely_not_sent(
    door: Door, fault: dict[str, Any]
) -> None:
    door.coupa.front.fail(**fault, method="POST")

    with pytest.raises(Unavailable):
        door.approve()

    assert door.coupa.front.count("PUT") == 0


class Hanging(InProcess):
    """Coupa, whose token endpoint answers only when told to."""

    def __init__(self, door: Door) -> None:
        super().__init__(door.coupa.front)
        self.is_asked, self.may_answer = Event(), Event()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        if "/oauth2/" in (request.url or ""):
            self.is_asked.set()
            self.may_answer.wait(10)
        return super().send(request, *args, **kwargs)


def test_nobody_waits_for_another_threads_token_longer_than_there_is_time() -> None:
    door = Door()
    hanging = Hanging(door)
    door.session.mount("https://", hanging)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(door.read)
        hanging.is_asked.wait(10)
        began_s = time.monotonic()
        with pytest.raises(Unavailable) as caught:
            door.access.send("GET", "/api/approvals", {}, Deadline(door.clock, 0.2))
        took_s = time.monotonic() - began_s
        hanging.may_answer.set()

    assert caught.value.code == "coupa_token_late"
    assert took_s < 5
    assert len(first.result()) == 1


def test_while_a_token_works_nobody_waits_for_the_thread_that_renews_it() -> None:
    door = Door()
    door.read()
    hanging = Hanging(door)
    door.session.mount("https://", hanging)
    door.clock.advance(21 * HOUR)
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(door.read)
        hanging.is_asked.wait(10)

        assert len(door.read()) == 1

        assert not renewing.done()
        hanging.may_answer.set()
    assert len(renewing.result()) == 1


def test_threads_that_wait_for_one_token_share_it() -> None:
    door = Door()
    hanging = Hanging(door)
    door.session.mount("https://", hanging)
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(door.read) for _ in range(2)]
        hanging.is_asked.wait(10)
        time.sleep(0.1)  # the other one waits by now
        hanging.may_answer.set()

    assert [len(each.result()) for each in both] == [1, 1]
    assert door.coupa.front.count(path="^/oauth2/") == 1
