"""What any table in Azure Table Storage needs: its client, the table itself, and what the SDK's errors mean.

It knows no row: `table_ledger` and `table_journal` do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import TableClient, TableTransactionError

from coupa_core.errors import Conflict, Unavailable, Unknown

SWEEP_OPTIONS: Mapping[str, Any] = {
    "connection_timeout": 3,
    "read_timeout": 5,
    "retry_total": 2,
    "retry_backoff_factor": 0.2,
    "retry_backoff_max": 1,
}
"""Seconds, where the SDK would wait 300 s for each of ten tries.

Source: azure-core, defaults of `ConnectionConfiguration` and `RetryPolicy`,
https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.policies.retrypolicy
"""

CLICK_OPTIONS: Mapping[str, Any] = {"connection_timeout": 1, "read_timeout": 2, "retry_total": 0}
"""A click has ten seconds in all."""

_NOT_FOUND = 404
_RACES = (409, 412)


def table_client(
    *, connection: str, account_url: str, table: str, options: Mapping[str, Any] = SWEEP_OPTIONS
) -> TableClient:
    """Make the client of a table; nothing is contacted yet.

    Args:
        connection: a connection string; not used with an account URL.
        account_url: `https://{account}.table.core.windows.net`; the app's managed identity is used.
        table: the table's name.
        options: time limits and repeats of the SDK, and its `transport` where a test brings one.
    """
    if not account_url:
        return TableClient.from_connection_string(connection, table, **options)
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415 - heavy, and only needed here

    return TableClient(account_url, table, credential=DefaultAzureCredential(), **options)


class Table:
    """A table that is made on first use, and whose errors are ours.

    Attributes:
        CODES: how the codes of its errors begin.
    """

    CODES: str

    def __init__(self, client: TableClient) -> None:
        self._client = client
        self._exists = False
        self._lock = threading.Lock()

    @contextmanager
    def _talking(self, what: str, *, makes: bool = True) -> Iterator[TableClient]:
        """Make the table if need be and asked for, and say what the SDK's errors mean."""
        try:
            if makes:
                self._create()
            yield self._client
        except (ResourceExistsError, ResourceModifiedError, ResourceNotFoundError) as error:
            self._doubt(error)
            raise self._conflict(what) from error
        except HttpResponseError as error:
            self._doubt(error)
            if isinstance(error, TableTransactionError) and error.status_code in _RACES:
                raise self._conflict(what) from error
            raise self._meaning(error, what) from error
        except AzureError as error:
            # The SDK says "request error" for a connection that broke after the request had left, too.
            raise Unknown(f"{self.CODES}_lost", f"cannot {what}: {type(error).__name__}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # What the SDK raises when something else answered in the place of the table service.
            text = f"cannot {what}: the answer cannot be read"
            raise Unknown(f"{self.CODES}_unreadable", text) from error

    def _create(self) -> None:
        if self._exists:
            return
        with self._lock:
            if not self._exists:
                with suppress(ResourceExistsError):  # the usual case
                    self._client.create_table()
                self._exists = True

    def _doubt(self, error: HttpResponseError) -> None:
        """Note that the table may be gone."""
        self._exists = self._exists and error.status_code != _NOT_FOUND

    def _conflict(self, what: str) -> Conflict:
        return Conflict(f"{self.CODES}_conflict", f"cannot {what}: it was changed meanwhile")

    def _meaning(self, error: HttpResponseError, what: str) -> Unavailable | Unknown:
        """Say what a refusal by the table service means: 4xx did nothing, anything else is not known."""
        status = error.status_code
        if status is None and isinstance(error, ClientAuthenticationError):
            return Unavailable(f"{self.CODES}_identity", f"cannot {what}: the app's identity got no token")
        # The reason is set on some paths only: an enum, or text if it is not known.
        reason = getattr(error, "error_code", None) or ""
        reason = getattr(reason, "value", reason)
        text = f"cannot {what}: the table service answered {status} {reason}".rstrip()
        if status is not None and status in range(400, 500) and status != 408:  # noqa: PLR2004
            return Unavailable(f"{self.CODES}_{status}", text, status=status)
        return Unknown(f"{self.CODES}_{status}", text, status=status)
