"""Who may call which route: the kinds of callers, and the application that App Service confirms."""

from __future__ import annotations

import base64
import json
import logging
from typing import Any

import pytest

from coupa_core.callers import CALLER_OF, Callers, entra_client
from coupa_core.errors import CallerError
from coupa_core.routes import Caller


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


# Which route takes which application is in `test_callers_matrix.py`, cell by cell.


@pytest.mark.parametrize("named", list(Caller))
def test_a_kind_without_applications_is_closed_and_the_operator_is_told(
    named: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    known = Callers({kind: (APP,) if kind is named else () for kind in Caller})

    assert known.known_by == "key+entra"
    for route, kind in CALLER_OF.items():
        caplog.clear()
        if kind is named:
            known.check(route, principal(("azp", APP)))
            assert caplog.messages == []
            continue
        with pytest.raises(CallerError) as caught:
            known.check(route, principal(("azp", APP)))
        assert (caught.value.status, caught.value.code) == (403, "route_closed")
        assert caplog.messages == [
            f"closed route={route}: the ENTRA settings name no client of the kind {kind}"
        ]
