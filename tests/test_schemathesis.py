"""Requests that Schemathesis generates from openapi.yaml: none fails, every answer is as described."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from azure.functions.decorators.function_app import Function
from bridge import World
from canaries import FUNCTION_KEY
from description import description, operations
from hypothesis import HealthCheck, given, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from surface import JAMIE, Surface, surface

from coupa_core.documents import COMMENT_SCOPE

pytestmark = pytest.mark.slow

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
SEVERAL = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def app(functions: list[Function]) -> Iterator[Surface]:
    """Serve one app with an approval that was announced to Jamie."""
    world = World()
    world.requisition(JAMIE, holdable=True)
    world.coupa.desk.granted_scopes |= {COMMENT_SCOPE}
    with surface(functions, world, {"COMMENTS": "on"}) as served:
        world.sweep()
        yield served


@cache
def schema() -> Any:
    """Read the file once, in the process that makes requests up from it."""
    return schemathesis.openapi.from_dict(description())


def takes(name: str, parameter: str) -> bool:
    """Tell whether an operation has this parameter."""
    return any(each["name"] == parameter for each in operations()[name].get("parameters", []))


def answers(app: Surface, name: str, mode: GenerationMode, **fixed: Any) -> Counter[int]:
    """Send what Schemathesis makes up, check each answer, and count those of the bridge by status."""
    operation = schema()[operations()[name]["path"]][operations()[name]["method"]]
    seen: Counter[int] = Counter()

    @SEVERAL
    @given(case=operation.as_strategy(generation_mode=mode, **fixed))
    def send(case: Case[Any]) -> None:
        headers = {"x-functions-key": FUNCTION_KEY}
        answer = case.call(base_url=f"{app.url}/api", session=app.session, headers=headers)
        if answer.status_code in {400, 404, 414, 431} and not _is_json(answer):
            return  # the host's own: no such path, or no HTTP
        seen[answer.status_code] += 1
        if name != "health" or answer.status_code != 503:  # red is no failure
            case.validate_response(answer, checks=CHECKS)

    send()
    return seen


def _is_json(answer: Any) -> bool:
    return bool(answer.headers.get("content-type") == ["application/json"])


@pytest.mark.parametrize("name", sorted(operations()))
def test_requests_as_described_are_answered_as_described(app: Surface, name: str) -> None:
    assert answers(app, name, RIGHT)


@pytest.mark.parametrize("name", sorted(set(operations()) - {"health"}))
def test_requests_that_are_not_as_described_are_answered_as_described(app: Surface, name: str) -> None:
    assert answers(app, name, WRONG)


@pytest.mark.parametrize("name", [each for each in sorted(operations()) if takes(each, "X-Actor-Email")])
def test_requests_of_the_approver_are_answered_as_described(app: Surface, name: str) -> None:
    [card] = app.world.moveworks.delivered
    fixed: dict[str, Any] = {
        "headers": {"X-Actor-Email": JAMIE, "X-Action-Token": card.slots["action_token"]},
        "query": {},
    }
    if takes(name, "approval_id"):
        fixed["path_parameters"] = {"approval_id": card.slots["approval_id"]}

    seen = answers(app, name, RIGHT, **fixed)

    assert seen.keys() & {200, 404, 409}  # it got past who acts, and the token
