"""Who may do what, cell by cell, through HTTP: the key, the person, the token, and the calls to Coupa."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.client import HTTPConnection
from itertools import product
from typing import Any

import pytest
import requests
from azure.functions.decorators.function_app import Function
from bridge import World
from canaries import FUNCTION_KEY, TOKEN_KEY
from surface import Surface, surface

from coupa_core import routes
from coupa_core.authority import TOKEN_LIFE, Offer, TokenKeys
from coupa_core.clock import Deadline
from coupa_core.content import content_hash
from coupa_core.coupa import Coupa
from coupa_core.documents import COMMENT_SCOPE
from coupa_core.report import Cause
from coupa_core.routes import Route
from sandbox.coupa.world import Group

SIGNER = TokenKeys({"k1": base64.b64decode(TOKEN_KEY)})
RETIRED = TokenKeys({"k0": b"a key that was in use until yesterday"})
APPROVER, DELEGATE, EXPIRED_DELEGATE = "jamie@example.com", "dee@example.com", "eli@example.com"
MEMBER, FORMER_MEMBER = "bea@example.com", "fay@example.com"
REQUESTER, FORMER_APPROVER, STRANGER = "sam@example.com", "ray@example.com", "mallory@example.com"
NOBODY = ""

OF_A_USER = (NOBODY, STRANGER, REQUESTER, APPROVER, FORMER_APPROVER, DELEGATE, EXPIRED_DELEGATE, MEMBER)
OF_A_GROUP = (NOBODY, STRANGER, REQUESTER, APPROVER, MEMBER, FORMER_MEMBER)
TOKENS = (
    "none",
    "expired",
    "of the future",
    "tampered",
    "of another approval",
    "of another person",
    "of an old version",
    "of an old round",
    "of a retired key",
    "good",
)
MAY_DECIDE = {"user": {APPROVER, DELEGATE}, "group": {MEMBER}}
ROUTES = ("approve", "reject", "decision", "decide", "comment")
DONE = {
    "approve": "approved",
    "reject": "rejected",
    "decision": "approved",
    "decide": "approved",
    "comment": "commented",
}


def documented(asked: str, actor: str, token: str, route: str) -> tuple[int, str]:
    """Return the status, and the outcome or error, that docs/api.md and docs/design.md promise."""
    if actor == NOBODY:
        return 403, "no_actor"
    if token in ("none", "of the future", "tampered", "of another approval", "of a retired key"):
        # Of several, each has its own answer, and the request as a whole was fine.
        return 200 if route == "decide" else 403, "token_refused"
    if token == "expired":
        return 200, "expired"
    if actor not in MAY_DECIDE[asked] or token == "of another person":
        return 200, "not_your_approval"
    if token in ("of an old version", "of an old round") and route != "comment":
        return 200, "changed"
    return 200, DONE[route]


@dataclass
class Stage:
    """A served app, and the people of the matrix."""

    surface: Surface
    _offered: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def world(self) -> World:
        return self.surface.world

    def __post_init__(self) -> None:
        world, coupa = self.world, self.world.coupa.world
        world.delegation(APPROVER, DELEGATE, end=timedelta(days=60))
        world.delegation(APPROVER, EXPIRED_DELEGATE, start=-timedelta(days=1), end=timedelta())
        for email in (STRANGER, FORMER_APPROVER):
            world.person(email)
        members = [world.person(MEMBER), world.person(FORMER_MEMBER)]
        self.group = coupa.add_group(name="Buyers", members=members)
        former = coupa.users.rows[world.person(FORMER_MEMBER)]
        coupa.groups.rows[self.group].users.remove(former)
        former.extra["approval-groups"].clear()
        self.open = {"user": self.fresh("user"), "group": self.fresh("group")}

    @property
    def coupa_calls(self) -> list[Any]:
        """Return what reached Coupa."""
        return list(self.world.coupa.front.calls)

    def fresh(self, asked: str) -> int:
        """Return a new approval, of the approver's or of the group's."""
        if asked == "group":
            return self.approval_of(self.world.requisition(Group(self.group)))
        number = self.approval_of(self.world.requisition(FORMER_APPROVER))
        self.world.coupa.world.reassign(number, to=self.world.person(APPROVER))
        return number

    def approval_of(self, document: int) -> int:
        found: int = self.world.coupa.world.approvals_of(document)[0].id
        return found

    def offered(self, approval_id: int) -> tuple[str, str]:
        """Return whom Coupa asks, and the digest of what they are asked about; neither changes here."""
        if approval_id not in self._offered:
            coupa = self.world.bridge.sweep.deps.coupa
            assert isinstance(coupa, Coupa)
            deadline = Deadline(self.world.clock, 30)
            approval = coupa.approval(approval_id, deadline)
            document = coupa.document(approval, deadline) if approval else None
            assert approval
            assert document
            self._offered[approval_id] = str(approval.approver_key), content_hash(document)
        return self._offered[approval_id]

    def token(self, kind: str, approval_id: int, asked: str, actor: str) -> str | None:
        """Return a token of this kind, otherwise good for the actor."""
        approver_key, content = self.offered(approval_id)
        now = self.world.clock.now()
        good = Offer(
            approval_id=approval_id,
            approver_key=approver_key,
            person=f"user:{self.world.people.get(actor, 1)}",
            content=content,
            generation=0,
            expires_at=now + TOKEN_LIFE,
        )
        others = {
            "expired": replace(good, expires_at=now),
            "of the future": replace(good, expires_at=now + TOKEN_LIFE + timedelta(days=2)),
            "of another approval": replace(good, approval_id=approval_id + 1),
            "of another person": replace(good, person=f"user:{self.world.people[REQUESTER]}"),
            "of an old version": replace(good, content="x" * 22),
            "of an old round": replace(good, generation=5),
        }
        if kind == "none":
            return None
        if kind == "of a retired key":
            return RETIRED.sign(good)
        token = SIGNER.sign(others.get(kind, good))
        if kind == "tampered":
            head, _, signature = token.rpartition(".")
            token = f"{head[:-1]}{'A' if head[-1] != 'A' else 'B'}.{signature}"
        return token

    def click(self, route: str, approval_id: int, actor: str, token: str | None) -> requests.Response:
        headers = {"X-Actor-Email": actor} if actor else {}
        if route == "decide":
            item = {"id": str(approval_id)} | ({"token": token} if token is not None else {})
            several = {"decision": "approve", "items": [item]}
            return self.surface.call("POST", "approvals/decide", headers=headers, json=several)
        if route == "comment":
            body = {"comment": "why?"}
        else:
            body = {"reason": "because"} | ({"decision": "approve"} if route == "decision" else {})
        if token is not None:
            headers["X-Action-Token"] = token
        return self.surface.call("POST", f"approvals/{approval_id}/{route}", headers=headers, json=body)

    @property
    def effects(self) -> int:
        """Return how many decisions and comments reached Coupa's door."""
        return self.world.puts() + self.world.coupa.front.count("POST", "/comments$")


@pytest.fixture(scope="module")
def stage(functions: Sequence[Function]) -> Iterator[Stage]:
    world = World()
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    with surface(functions, world, {"COMMENTS": "on"}) as served:
        yield Stage(served)


CELLS = [
    *product(["user"], OF_A_USER, TOKENS, ROUTES),
    *product(["group"], OF_A_GROUP, TOKENS, ROUTES),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("asked", "actor", "token", "route"), CELLS, ids=lambda part: (part or "nobody").replace(" ", "-")
)
def test_each_cell_has_its_documented_answer_and_reaches_coupa_only_where_allowed(
    stage: Stage, asked: str, actor: str, token: str, route: str
) -> None:
    status, said = documented(asked, actor, token, route)
    is_allowed = said in DONE.values()
    approval_id = stage.fresh(asked) if is_allowed else stage.open[asked]
    before = stage.effects

    reply = stage.click(route, approval_id, actor, stage.token(token, approval_id, asked, actor))

    body: dict[str, Any] = reply.json()
    [body] = body.get("items", [body])
    assert (reply.status_code, body.get("outcome") or body.get("error")) == (status, said)
    assert stage.effects - before == is_allowed
    if body.get("error") == "token_refused":
        assert body["message"] == "The action token is missing or not valid here."


def test_the_matrix_is_as_large_as_it_must_be() -> None:
    assert len(CELLS) >= 200
    allowed = [cell for cell in CELLS if documented(*cell)[1] in DONE.values()]
    of_a_good_token = [cell for cell in allowed if cell[2] == "good"]
    assert len(of_a_good_token) == len(ROUTES) * 3
    assert {cell[3] for cell in allowed if cell not in of_a_good_token} == {"comment"}


KEYS: dict[str, tuple[dict[str, str], str]] = {
    "none": ({}, ""),
    "wrong in the header": ({"x-functions-key": "wrong"}, ""),
    "wrong in the query": ({}, "?code=wrong"),
    "right in the header": ({"x-functions-key": FUNCTION_KEY}, ""),
    "right in the query": ({}, f"?code={FUNCTION_KEY}"),
    "wrong in the header, right in the query": ({"x-functions-key": "wrong"}, f"?code={FUNCTION_KEY}"),
}


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "route", [each for each in routes.ROUTES if each.name != "health"], ids=lambda each: each.name
)
def test_every_route_but_health_asks_for_the_key(stage: Stage, route: Route, key: str) -> None:
    before = len(stage.coupa_calls)
    headers, query = KEYS[key]
    host = stage.surface.url.removeprefix("http://")
    caller = HTTPConnection(host, timeout=20)  # another client would put the key into its log
    path = route.path.format(approval_id=stage.open["user"])
    caller.request(route.method, f"/api/{path}{query}", headers=headers)
    status = caller.getresponse().status
    caller.close()

    is_known = key in ("right in the header", "right in the query")
    assert (status != 401) is is_known
    assert is_known or len(stage.coupa_calls) == before


def test_health_asks_for_no_key_and_tells_no_more_than_a_cause(stage: Stage) -> None:
    reply = requests.get(f"{stage.surface.url}/api/health", timeout=20)

    assert reply.status_code in (200, 503)
    assert reply.json() in ({"status": "ok"}, *({"status": "failing", "cause": cause} for cause in Cause))


def test_whoever_is_approver_and_requester_at_once_does_not_decide(stage: Stage) -> None:
    approval_id = stage.approval_of(stage.world.requisition(APPROVER, requester=APPROVER))
    token = stage.token("good", approval_id, "user", APPROVER)
    before = stage.world.puts()

    reply = stage.click("approve", approval_id, APPROVER, token)

    assert reply.json()["outcome"] == "not_your_approval"
    assert stage.world.puts() == before
