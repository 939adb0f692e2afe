"""Access to Coupa: the OAuth token, the rules for 401, and reads with retries within a deadline.

It knows no resource. A decision goes through `send`, which never repeats a request that may have taken
effect.

Sources: "OpenID Connect clients" and "Exception handling and error codes" in the Core API's documentation,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
and the knowledge article "OAuth 2.0 getting started with the Coupa API".
"""

from __future__ import annotations

import logging
import math
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from coupa_core.clock import Clock, Deadline, time_left_s
from coupa_core.documents import SCOPES
from coupa_core.errors import Denied, Malformed, Refused, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.http_client import HttpClient, ServiceResponse, failure_of

SETTLE_S = 10.0
"""How long Coupa may refuse a new token; Coupa documents five seconds, and we allow ten.

Source: "OpenID Connect clients", the five-second buffer.
"""

RENEW_AT = 20 / 24
"""The part of its lifetime after which a token is renewed: 20 of 24 hours.

Source: "OAuth 2.0 getting started with the Coupa API".
"""

_READ_TRIES = 4
_BACKOFF_S, _BACKOFF_CAP_S = 0.5, 8.0
_READ_S = 20.0
logger = logging.getLogger(__name__)


class Access:
    """Requests to one Coupa instance with our client's rights.

    Args:
        http_client: the connection, with its allowed rate.
        client_id: the id of the OAuth client.
        client_secret: the secret of the OAuth client.
        scopes: the required scopes, space-separated.
        clock: the time, for expiry and back-off.
        chance: the source of jitter.
        spare_scopes: optional scopes, space-separated: a token may lack them.
    """

    def __init__(
        self,
        http_client: HttpClient,
        *,
        client_id: str,
        client_secret: str,
        scopes: str,
        clock: Clock,
        chance: random.Random,
        spare_scopes: str = "",
    ) -> None:
        self._http_client = http_client
        self._clock = clock
        self._chance = chance
        self._ahead_s = 0.0
        client = {"client_id": client_id, "client_secret": client_secret, "scope": scopes}
        self._token = _Token(http_client, client, clock, spare=spare_scopes)

    @property
    def withheld(self) -> str:
        """Return the spare scopes, space-separated, if Coupa gave a token only without them; else empty."""
        return self._token.withheld

    def read(
        self,
        resource: str,
        path: str,
        query: Mapping[str, str],
        deadline: Deadline,
        *,
        insists: bool = True,
        tries: int = _READ_TRIES,
    ) -> Any:
        """Return the JSON of a GET, with retries.

        The pause before a retry is exponential with full jitter and a cap, and at least `Retry-After`.

        Args:
            resource: the resource for messages, such as `approvals`.
            path: the path, from `/api/` on.
            query: the query parameters.
            deadline: the deadline for all tries and pauses.
            insists: retry after an unusable answer, too; otherwise the caller splits the request.
            tries: the most requests.

        Raises:
            ServiceError: the last try's failure.
        """
        for attempt in range(tries):
            try:
                reply = self.send("GET", path, query, deadline.within(_READ_S))
                if reply.ok:
                    return reply.json()
                raise self.failure(reply, "GET", resource, f"GET {resource}")
            except (Unknown, Throttled, Malformed, Unavailable) as failure:
                is_settled = isinstance(failure, Denied) or (
                    not insists and isinstance(failure, Unknown | Malformed)
                )
                if is_settled or attempt == tries - 1:
                    raise
                self._pause(failure, attempt, deadline)
        raise AssertionError("unreachable")  # pragma: no cover

    def _pause(self, failure: ServiceError, attempt: int, deadline: Deadline) -> None:
        """Wait before the next try; raise the failure if the deadline comes first."""
        pause_s = self._chance.uniform(0, min(_BACKOFF_CAP_S, _BACKOFF_S * 2**attempt))
        pause_s = max(pause_s, failure.retry_after_s or 0.0)
        if pause_s >= deadline.left_s():
            raise failure
        logger.info("coupa read repeated code=%s pause_s=%.1f attempt=%d", failure.code, pause_s, attempt + 1)
        self._clock.sleep(pause_s)

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        deadline: Deadline,
        payload: object = None,
    ) -> ServiceResponse:
        """Send a request with a token. A 401 had no effect, so even a decision is sent again after it.

        A 401 within ten seconds of minting means that the token is not valid yet: wait, and use it again. A
        later 401 means that the token is no longer valid: mint another, once.

        Raises:
            Unavailable: the request was certainly not sent.
            Unknown: the request was sent, and no complete answer came back.
        """
        minted_once = False
        while True:
            token = self._token.get(deadline)
            reply = self._http_client.send(
                method,
                path,
                params=query,
                payload=payload,
                headers={"Authorization": f"Bearer {token.value}"},
                deadline=deadline,
            )
            ahead_s = reply.ahead_s(self._clock.now())
            self._ahead_s = self._ahead_s if ahead_s is None else ahead_s
            if reply.status != 401:  # noqa: PLR2004
                return reply
            settling_s = token.minted_s + SETTLE_S - self._clock.monotonic()
            if settling_s > 0:
                if min(settling_s, 1.0) >= deadline.left_s():
                    return reply
                self._clock.sleep(min(settling_s, 1.0))
            elif minted_once:
                return reply
            else:
                minted_once = True
                self._token.drop(token)

    def now(self) -> datetime:
        """Return the time by Coupa's clock, from its last answer, for comparison with Coupa's stamps."""
        return self._clock.now() + timedelta(seconds=self._ahead_s)

    def failure(self, reply: ServiceResponse, method: str, resource: str, what: str) -> ServiceError:
        """Return the error for an answer other than 2xx; a 403 names the scope that is probably missing."""
        hint = ""
        if reply.status == 403:  # noqa: PLR2004
            scope = SCOPES.get((method, resource))
            hint = f"the OAuth client probably lacks the scope {scope}" if scope else "a scope is missing"
        if reply.status == 401:  # noqa: PLR2004
            hint = "check COUPA_CLIENT_ID and COUPA_CLIENT_SECRET"
        return failure_of(reply, name="coupa", what=what, now=self._clock.now(), hint=hint)


@dataclass(frozen=True)
class _Minted:
    value: str
    minted_s: float
    renew_s: float
    expires_s: float


class _Token:
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
        self._minted: _Minted | None = None

    def get(self, deadline: Deadline) -> _Minted:
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

    def _renewed(self, deadline: Deadline) -> _Minted:
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
            minted = _Minted(kept.value, kept.minted_s, now_s + 60, kept.expires_s)
        self._minted = minted
        return minted

    def drop(self, token: _Minted) -> None:
        """Forget a token that Coupa no longer accepts, unless another thread has already replaced it."""
        with self._lock:
            if self._minted and self._minted.value == token.value:
                self._minted = None

    def _mint(self, deadline: Deadline) -> _Minted:
        body = self._request(deadline).json()
        value = body.get("access_token") if isinstance(body, dict) else None
        if not isinstance(value, str) or not value or not value.isascii() or not value.isprintable():
            raise Malformed("coupa_token", "Coupa answered the token request without an access_token")
        now_s = self._clock.monotonic()
        life_s = _life_s(body.get("expires_in"))
        return _Minted(value, now_s, now_s + life_s * RENEW_AT, now_s + life_s)

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
                deadline=deadline.within(_READ_S),
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
