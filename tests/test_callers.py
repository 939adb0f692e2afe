"""Who may call which route: the kinds of callers, and the application that App Service vouches for."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest
from azure.functions.decorators.function_app import Function

from coupa_core.callers import CALLER_OF, Caller, Callers, entra_client
from coupa_core.errors import CallerError


def principal(*claims: Any) -> str:
    said = {"auth_typ": "aad", "claims": [{"typ": name, "val": value} for name, value in claims]}
    return base64.b64encode(json.dumps(said).encode()).decode()


APP = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"


@pytest.mark.parametrize(
    ("header", "client"),
    [
        (principal(("appid", APP.upper()), ("aud", "x")), APP),
        (principal(("azp", APP)), APP),
        (principal(("azp", APP), ("appid", APP)), APP),
        (principal(("azp", APP), ("appid", "another")), None),
        (principal(("azp", APP), ("scp", "user_impersonation")), None),
        (principal(("aud", APP)), None),
        (principal(("azp", 5)), "5"),
        ("", None),
        ("not base64", None),
        (base64.b64encode(b"[]").decode(), None),
        (base64.b64encode(b"{}").decode(), None),
        (base64.b64encode(b'{"claims": [5]}').decode(), None),
        (base64.b64encode(b'{"claims": [{"typ": "azp"}]}').decode(), None),
        (base64.b64encode(b"[" * 100_000).decode(), None),
    ],
)
def test_the_calling_application_is_the_one_that_app_service_vouches_for(
    header: str, client: str | None
) -> None:
    assert entra_client(header) == client


def callers(**clients: str) -> Callers:
    return Callers({kind: (clients[kind],) if kind in clients else () for kind in Caller})


def answer(known: Callers, route: str, header: str) -> tuple[int, str] | None:
    """Return the status and the code of a refusal."""
    try:
        known.check(route, header)
    except CallerError as error:
        return error.status, error.code
    return None


ALL = {kind: f"{number}f2504e0-4f89-41d3-9a0c-0305e82c3301" for number, kind in enumerate(Caller)}
"""A client id for each kind."""


@pytest.mark.parametrize("route", CALLER_OF)
def test_each_route_takes_the_applications_of_its_kind_and_no_other(route: str) -> None:
    known = callers(**ALL)

    said = {kind: answer(known, route, principal(("azp", client))) for kind, client in ALL.items()}

    assert known.known_by == "key+entra"
    assert said.pop(CALLER_OF[route]) is None
    assert set(said.values()) == {(403, "caller_refused")}
    assert answer(known, route, principal(("azp", APP))) == (403, "caller_refused")
    assert answer(known, route, "") == answer(known, route, "x") == (401, "no_caller")


@pytest.mark.parametrize("named", list(Caller))
@pytest.mark.parametrize("route", CALLER_OF)
def test_a_kind_without_applications_is_closed_and_the_operator_is_told(
    named: Caller, route: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    said = answer(callers(**{named: APP}), route, principal(("azp", APP)))

    if named is CALLER_OF[route]:
        assert (said, caplog.messages) == (None, [])
    else:
        assert said == (403, "route_closed")
        assert caplog.messages == [
            f"closed route={route}: the ENTRA settings name no client of the kind {CALLER_OF[route]}"
        ]


@pytest.mark.parametrize("route", CALLER_OF)
def test_where_no_application_is_named_the_key_that_the_host_asks_for_is_enough(route: str) -> None:
    known = callers()

    assert known.known_by == "key"
    assert answer(known, route, "") is None


def test_every_function_but_health_and_the_timer_is_for_one_kind_of_caller(
    functions: list[Function],
) -> None:
    names = {function.get_function_name() for function in functions}

    assert names - set(CALLER_OF) == {"health", "poll_approvals"}
