"""Decide which callers may call which route: the applications that Entra vouches for, of three kinds.

The host asks each kind for its own key (`infra/keys.bicep`); this module adds a second check, where the
settings name applications.
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
"""The kind of caller that each route is for; `health` is for anybody."""


class Callers:
    """The applications that may call, of each kind.

    Args:
        clients: client ids in small letters; where no kind has any, the host's keys are enough.
    """

    def __init__(self, clients: Mapping[Caller, Collection[str]]) -> None:
        self._clients = clients
        self._is_on = any(clients.values())

    @property
    def known_by(self) -> str:
        """Return how callers are known: `key`, or `key+entra`."""
        return "key+entra" if self._is_on else "key"

    def check(self, route: str, principal: str) -> None:
        """Let the applications of the route's kind pass.

        Args:
            route: name of the function, not `health`.
            principal: as for `entra_client`; empty when there is none.

        Raises:
            CallerError: there is no application, it is of another kind, or the kind has none.
        """
        if not self._is_on:
            return  # the host has asked for the key
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
        """Return the application that calls, for the log; `-` where no Entra setting asks for one.

        There the header is anybody's to write, so it says nothing.
        """
        return (entra_client(principal) if self._is_on else None) or "-"


def entra_client(header: str) -> str | None:
    """Return the client id of the application for which Entra issued the caller's token; None when unclear.

    Args:
        header: `X-MS-CLIENT-PRINCIPAL`, which App Service writes after it has checked the token: base64 of
            `{"claims": [{"typ": str, "val": str}]}`. No caller can set it while App Service stands in front.

    Source: https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
    """
    try:
        principal = json.loads(base64.b64decode(header, validate=True))
        claims = [(claim["typ"], claim["val"]) for claim in principal["claims"]]
    except (ValueError, RecursionError, KeyError, TypeError):
        return None
    # `appid` in tokens of version 1, `azp` in those of version 2; a person's token has them too, and `scp`.
    found = {str(value).lower() for name, value in claims if name in ("appid", "azp")}
    is_person = any(name in ("scp", _SCOPE_CLAIM) for name, _ in claims)
    return found.pop() if len(found) == 1 and not is_person else None
