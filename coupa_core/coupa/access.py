"""Access to Coupa: requests with a token, the rules for 401, and reads with retries within a deadline.

It has no resources; `token` mints the token. A decision goes through `send`, which never repeats a request
that may have taken effect.

Sources: "OpenID Connect clients" and "Exception handling and error codes" in the Core API's documentation,
https://compass.coupa.com/en-us/products/product-documentation/integration-technical-documentation/the-coupa-core-api
and the knowledge article "OAuth 2.0 getting started with the Coupa API".
"""

from __future__ import annotations

import logging
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from coupa_core.clock import Clock, Deadline
from coupa_core.coupa.token import READ_S, Token
from coupa_core.documents import SCOPES
from coupa_core.errors import Denied, Malformed, ServiceError, Throttled, Unavailable, Unknown
from coupa_core.http_client import HttpClient, ServiceResponse, failure_of

SETTLE_S = 10.0
"""How long Coupa may refuse a new token; Coupa documents five seconds, and we allow ten.

Source: "OpenID Connect clients", the five-second buffer.
"""

_READ_TRIES = 4
_BACKOFF_S, _BACKOFF_CAP_S = 0.5, 8.0
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
        self._token = Token(http_client, client, clock, spare=spare_scopes)

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
                reply = self.send("GET", path, query, deadline.within(READ_S))
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
