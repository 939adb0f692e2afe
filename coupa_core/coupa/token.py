"""Coupa's OAuth token: minted, renewed before it expires, and dropped when Coupa no longer accepts it.

Sources: "OpenID Connect clients" in the Core API's documentation,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
and the knowledge article "OAuth 2.0 getting started with the Coupa API".
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coupa_core.clock import Clock, Deadline, time_left_s
from coupa_core.errors import Denied, Malformed, Refused, ServiceError, Unavailable, Unknown
from coupa_core.http_client import HttpClient, ServiceResponse, failure_of

RENEW_AT = 20 / 24
"""The part of its lifetime after which a token is renewed: 20 of 24 hours.

Source: "OAuth 2.0 getting started with the Coupa API".
"""

READ_S = 20.0
"""The time limit of one try of a read or of a token request, in seconds."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Minted:
    """A token, and when it was minted, is renewed and expires, in seconds of the monotonic clock."""

    value: str
    minted_s: float
    renew_s: float
    expires_s: float


class Token:
    """The access token: one thread at a time mints it, before the old one expires.

    Coupa may revoke the old token when minting fails, so minting is rare: one token serves all requests, and
    refused scopes are not requested again.
    Source: "OpenID Connect clients".

    Attributes:
        withheld: the spare scopes, if Coupa gave a token only without them; else empty.
    """

    def __init__(
        self, http_client: HttpClient, client: Mapping[str, str], clock: Clock, *, spare: str
    ) -> None:
        self._http_client = http_client
        self._client = client
        self._spare = spare
        self.withheld = ""
        self._clock = clock
        self._lock = threading.Lock()
        self._minted: Minted | None = None

    def get(self, deadline: Deadline) -> Minted:
        """Return a valid token; while the present one is valid, no thread waits for its renewal.

        Raises:
            ServiceError: there is no valid token, and minting failed.
        """
        kept, now_s = self._minted, self._clock.monotonic()
        if kept and now_s < kept.renew_s:
            return kept
        is_valid = kept is not None and now_s < kept.expires_s
        if not self._lock.acquire(timeout=0 if is_valid else max(0.0, min(deadline.left_s(), time_left_s()))):
            if kept is not None and is_valid:
                return kept
            raise Unavailable(
                "coupa_token_late", "Coupa did not answer another thread's token request in time"
            )
        try:
            return self._renewed(deadline)
        finally:
            self._lock.release()

    def _renewed(self, deadline: Deadline) -> Minted:
        """Return the token that another thread has minted meanwhile, or mint one."""
        kept, now_s = self._minted, self._clock.monotonic()
        if kept and now_s < kept.renew_s:
            return kept
        try:
            minted = self._mint(deadline)
        except ServiceError as failure:
            if kept is None or now_s >= kept.expires_s:
                self._minted = None
                raise
            # It is valid for hours: use it, and try again in a minute.
            logger.warning("coupa token not renewed code=%s", failure.code)
            minted = Minted(kept.value, kept.minted_s, now_s + 60, kept.expires_s)
        self._minted = minted
        return minted

    def drop(self, token: Minted) -> None:
        """Forget a token that Coupa no longer accepts, unless another thread has already replaced it."""
        with self._lock:
            if self._minted and self._minted.value == token.value:
                self._minted = None

    def _mint(self, deadline: Deadline) -> Minted:
        body = self._request(deadline).json()
        value = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
            raise Malformed("coupa_token", "Coupa answered the token request without an access_token")
        now_s = self._clock.monotonic()
        life_s = _life_s(body.get("expires_in"))
        return Minted(value, now_s, now_s + life_s * RENEW_AT, now_s + life_s)

    def _request(self, deadline: Deadline) -> ServiceResponse:
        """Request a token; if Coupa refuses it, for any reason, request it once without the spare scopes.

        In no case has the request that needs the token been sent.
        """
        spare = "" if self.withheld else self._spare
        reply = self._answer(spare, deadline)
        if spare and reply.status in (400, 403):
            narrow = self._answer("", deadline)
            if narrow.ok:
                self.withheld = spare
                logger.error("coupa token without some scopes code=coupa_scope scopes=%s", spare)
            reply = narrow
        if reply.ok:
            return reply
        hint = "check COUPA_CLIENT_ID, COUPA_CLIENT_SECRET and the client's scopes"
        failure = failure_of(
            reply, name="coupa_token", what="the token request", now=self._clock.now(), hint=hint
        )
        if isinstance(failure, Refused):
            # A repeat with the same credentials is useless, and no other request works without a token.
            raise Denied(failure.code, str(failure), status=reply.status)
        if isinstance(failure, Unknown):
            wait_s = failure.retry_after_s
            raise Unavailable(failure.code, str(failure), status=reply.status, retry_after_s=wait_s)
        raise failure

    def _answer(self, spare: str, deadline: Deadline) -> ServiceResponse:
        scope = f"{self._client['scope']} {spare}".strip()
        try:
            return self._http_client.send(
                "POST",
                "/oauth2/token",
                form={**self._client, "scope": scope, "grant_type": "client_credentials"},
                deadline=deadline.within(READ_S),
            )
        except Unknown as lost:
            raise Unavailable(lost.code, str(lost)) from lost


def _life_s(value: Any) -> float:
    """Return `expires_in` in seconds, from a minute to a day; an hour if it is invalid."""
    try:
        life_s = float(value)
    except (TypeError, ValueError, OverflowError):
        life_s = math.nan
    return min(max(life_s, 60.0), 86_400.0) if math.isfinite(life_s) else 3_600.0
