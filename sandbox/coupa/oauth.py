"""The OAuth token end point: it takes client credentials and returns a bearer token with a lifetime.

It knows no other grant, and does not know the use of a token.

Where Coupa's public pages are silent, this simulator takes the stricter reading: a request without a scope
gets no token, and the credentials must be in the body.

Sources, read 2026-11, under
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
    oauth-2.0-and-oidc/openid-connect-clients           the form, the JWT, five seconds to settle, lost tokens
and https://compass.coupa.com/en-us/products/core-platform/integration-playbooks-and-resources/\
integration-knowledge-articles/oauth-2.0-getting-started-with-coupa-api
    24 hours. The errors are those of RFC 6749.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Request, Response

from sandbox.clock import Clock

LIFE_S: Final = 86_400


class TokenRefused(Exception):
    """A bearer token is unknown, expired or has not settled."""


@dataclass(frozen=True)
class _Minted:
    scopes: frozenset[str]
    at_s: float


class TokenDesk:
    """Mints tokens for one client and checks them.

    Args:
        clock: its monotonic time counts the lifetime of tokens.
        client_id: of the one client.
        client_secret: of the one client.
        granted_scopes: the scopes that the client may request.
    """

    def __init__(
        self, clock: Clock, *, client_id: str, client_secret: str, granted_scopes: frozenset[str]
    ) -> None:
        self.client_id, self.client_secret = client_id, client_secret
        self.granted_scopes = granted_scopes
        self._clock = clock
        self._tokens: dict[str, _Minted] = {}
        self._minted = 0
        self._lock = threading.Lock()

    def answer(self, request: Request, *, kills: bool) -> Response:
        """Answer a token request.

        Args:
            request: form-encoded.
            kills: whether a refusal ends every token, as Coupa's page warns.
        """
        refusal = self._refusal(request)
        if refusal is None:
            return _json(self._mint(request.form["scope"].split()), 200)
        if kills:
            self.revoke()
        status, error, description = refusal
        return _json({"error": error, "error_description": description}, status)

    def scopes(self, authorization: str, *, settle_s: float) -> frozenset[str]:
        """Return the scopes of a bearer token.

        Raises:
            TokenRefused: it cannot be used now, or not any more.
        """
        kind, _, token = authorization.partition(" ")
        minted = self._tokens.get(token)
        if kind.lower() != "bearer" or minted is None:
            raise TokenRefused("The access token is unknown")
        age_s = self._clock.monotonic() - minted.at_s
        if age_s >= LIFE_S:
            raise TokenRefused("The access token has expired")
        if age_s < settle_s:
            raise TokenRefused("The access token is not known yet")
        return minted.scopes

    def revoke(self) -> None:
        """End every token."""
        with self._lock:
            self._tokens.clear()

    def _refusal(self, request: Request) -> tuple[int, str, str] | None:
        """Return the reason for no token: status, error and description."""
        if request.mimetype != "application/x-www-form-urlencoded":
            return 400, "invalid_request", "The request must be form-encoded"
        form = request.form
        if form.get("grant_type") != "client_credentials":
            return 400, "unsupported_grant_type", "The grant type is not supported"
        given = (form.get("client_id", ""), form.get("client_secret", ""))
        if not (_same(given[0], self.client_id) and _same(given[1], self.client_secret)):
            return 401, "invalid_client", "The client is unknown or not authenticated"
        asked = set(form.get("scope", "").split())
        if not asked or asked - self.granted_scopes:
            return 400, "invalid_scope", "The scope is missing, unknown or not granted"
        return None

    def _mint(self, scopes: list[str]) -> dict[str, str | int]:
        now = self._clock.now()
        with self._lock:
            self._minted += 1
            claims = {
                "iss": "https://coupa.test",
                "aud": self.client_id,
                "jti": f"{self._minted:032x}",
                "iat": int(now.timestamp()),
                "exp": int(now.timestamp()) + LIFE_S,
                "scope": scopes,
            }
            token = ".".join((_part({"typ": "JWT", "alg": "RS256"}), _part(claims), "s" * 342))
            self._tokens[token] = _Minted(frozenset(scopes), self._clock.monotonic())
        return {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": LIFE_S,
            "scope": " ".join(scopes),
        }


def _part(claims: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode(), right.encode())


def _json(body: dict[str, str | int] | dict[str, str], status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")
