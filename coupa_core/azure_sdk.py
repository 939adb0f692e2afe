"""Azure's SDK, made to keep our deadlines: its transport, and the identity by which it is let in.

It knows no table: `tables` does.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import RequestsTransport

from coupa_core.clock import Clock, Deadline, time_left_s, until
from coupa_core.connections import session

ASK_S = 4.0
"""For a token, in all: the endpoint is on the machine, and a click has ten seconds."""

REST_S = 3.0
"""The time without a retry after a failure: otherwise clicks would wait for it one after the other."""

SPARE_S = 30.0
"""A token that is this near to its end is not used."""

_PATIENCE: Mapping[str, Any] = {"connection_timeout": 1, "read_timeout": 2, "retry_total": 1}


class OutOfTime(Exception):
    """The SDK was told to wait for longer than there is time."""


class Transport(RequestsTransport):  # type: ignore[misc]  # the SDK says no type of it
    """The SDK's way out, on our connections.

    The SDK waits for as long as any `Retry-After` says, in the credential as well, whatever its
    `retry_backoff_max` is; here a wait beyond the deadline is not begun.

    Source: https://github.com/Azure/azure-sdk-for-python, azure-core, `RetryPolicy._sleep_for_retry`
    """

    def __init__(self, **limits: Any) -> None:
        super().__init__(session=session(), **limits)

    def sleep(self, duration: float) -> None:
        """Wait before another try.

        Raises:
            OutOfTime: there would be no time for it.
        """
        if duration >= time_left_s():
            raise OutOfTime(f"told to wait {duration:.0f} s")
        time.sleep(duration)


@dataclass(frozen=True)
class _KeptToken:
    token: AccessTokenInfo
    renew_at: float


class Identity:
    """The app's identity at Azure: one token for all tables, requested by one thread, renewed before its end.

    It fits the SDK's `TokenCredential` and `SupportsTokenInfo`. While a token holds, nobody waits for another
    thread that asks for its successor.

    Args:
        source: where tokens come from.
        clock: the time.
    """

    def __init__(self, source: Any, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._turn = threading.Lock()
        self._kept: dict[object, _KeptToken] = {}
        self._rests_until = -math.inf

    def get_token(
        self,
        *scopes: str,
        claims: str | None = None,
        tenant_id: str | None = None,
        enable_cae: bool = False,
        **_: Any,
    ) -> AccessToken:
        """Return a token in the SDK's older form; see `get_token_info`."""
        options: TokenRequestOptions = {"enable_cae": enable_cae}
        if claims is not None:
            options["claims"] = claims
        if tenant_id is not None:
            options["tenant_id"] = tenant_id
        token = self.get_token_info(*scopes, options=options)
        return AccessToken(token.token, token.expires_on)

    def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a token that holds.

        Raises:
            ClientAuthenticationError: there is no token, and none was issued in time.
        """
        wanted = (scopes, *sorted((options or {}).items()))
        kept = self._kept.get(wanted)
        if kept and self._now_s() < kept.renew_at:
            return kept.token
        holds = kept is not None and self._now_s() < kept.token.expires_on - SPARE_S
        if self._turn.acquire(timeout=0 if holds else max(0.0, min(ASK_S, time_left_s()))):
            try:
                return self._renewed(wanted, scopes, options)
            except ClientAuthenticationError:
                if not holds:
                    raise
            finally:
                self._turn.release()
        if kept is None or not holds:
            raise ClientAuthenticationError("another thread requested a token, and got none in time")
        return kept.token

    def _renewed(
        self, wanted: object, scopes: tuple[str, ...], options: TokenRequestOptions | None
    ) -> AccessTokenInfo:
        """Return the token that somebody else has got meanwhile, or ask."""
        kept = self._kept.get(wanted)
        if kept and self._now_s() < kept.renew_at:
            return kept.token
        if self._clock.monotonic() < self._rests_until:
            raise ClientAuthenticationError("a token request failed a moment ago")
        try:
            with until(Deadline(self._clock, ASK_S)):
                token: AccessTokenInfo = self._source.get_token_info(*scopes, options=options or {})
        except Exception as error:  # the SDK raises whatever the endpoint provokes
            self._rests_until = self._clock.monotonic() + REST_S
            raise ClientAuthenticationError(f"no token: {type(error).__name__}") from error
        halfway = (self._now_s() + token.expires_on) / 2
        self._kept[wanted] = _KeptToken(token, min(halfway, token.refresh_on or math.inf))
        return token

    def _now_s(self) -> float:
        return self._clock.now().timestamp()


def app_identity(clock: Clock) -> Identity:
    """Return the app's identity; nothing is contacted yet.

    Where App Service runs it, that is its managed identity and nothing else: after a failure of the endpoint,
    `DefaultAzureCredential` goes on to try every tool that a developer might have. Elsewhere it is the
    developer.

    Source: https://learn.microsoft.com/azure/developer/python/sdk/authentication/credential-chains
    """
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415 - heavy

    options = {**_PATIENCE, "transport": Transport(**_PATIENCE)}
    if "IDENTITY_ENDPOINT" in os.environ:
        client_id = os.environ.get("AZURE_CLIENT_ID") or None
        return Identity(ManagedIdentityCredential(client_id=client_id, **options), clock)
    return Identity(DefaultAzureCredential(process_timeout=math.ceil(ASK_S), **options), clock)
