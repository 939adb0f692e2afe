"""Authorise callers: which Entra application may call which route.

The host requires a function key for each kind of caller (`infra/keys.bicep`). Where the settings name Entra
applications, this module adds a second check.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Collection, Mapping

from coupa_core.errors import CallerError
from coupa_core.routes import ROUTES, Caller

_SCOPE_CLAIM = "http://schemas.microsoft.com/identity/claims/scope"

logger = logging.getLogger(__name__)


CALLER_OF: Mapping[str, Caller] = {each.name: each.caller for each in ROUTES if each.caller}
"""The kind of caller that may use each route; `health` is public and has none."""


class Callers:
    """The applications that may call, by kind of caller.

    Args:
        clients: client ids in lower case; without any, the host's keys are enough.
    """

    def __init__(self, clients: Mapping[Caller, Collection[str]]) -> None:
        self._clients = clients
        self._is_on = any(clients.values())

    @property
    def known_by(self) -> str:
        """Return how callers are authenticated: `key` or `key+entra`."""
        return "key+entra" if self._is_on else "key"

    def check(self, route: str, principal: str) -> None:
        """Accept only an application of the route's kind of caller.

        Args:
            route: the name of the function, not `health`.
            principal: the header, as for `entra_client`; empty without one.

        Raises:
            CallerError: the request has no application, its application is of another kind, or the settings
                name no application of this kind.
        """
        if not self._is_on:
            return  # the host has checked the key
        client = entra_client(principal)
        if client is None:
            raise CallerError("no_caller", "The request has no Entra token of an application.", status=401)
        kind = CALLER_OF[route]
        if not self._clients[kind]:
            logger.warning("closed route=%s: the ENTRA settings name no client of the kind %s", route, kind)
            raise CallerError("route_closed", "No application may call this route.", status=403)
        if client not in self._clients[kind]:
            raise CallerError("caller_refused", "This application may not call this route.", status=403)

    def client(self, principal: str) -> str:
        """Return the calling application's client id for the log; `-` where no Entra setting requires one.

        Without that setting anybody can send the header, so it proves nothing.
        """
        return (entra_client(principal) if self._is_on else None) or "-"


def entra_client(header: str) -> str | None:
    """Return the client id of the application for which Entra issued the token; None when it is ambiguous.

    Args:
        header: `X-MS-CLIENT-PRINCIPAL`, which App Service sets after it has validated the token: base64 of
            `{"claims": [{"typ": str, "val": str}]}`. No caller can set it while App Service authentication is
            on.

    Source: https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
    """
    try:
        principal = json.loads(base64.b64decode(header, validate=True))
        claims = [(claim["typ"], claim["val"]) for claim in principal["claims"]]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    # Version 1 tokens have `appid`, version 2 tokens `azp`. A person's token has them too, and also `scp`.
    found = {str(value).lower() for name, value in claims if name in ("appid", "azp")}
    is_person = any(name in ("scp", _SCOPE_CLAIM) for name, _ in claims)
    return found.pop() if len(found) == 1 and not is_person else None
