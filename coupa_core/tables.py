"""The common part of tables in Azure Table Storage: the client, the table itself, and the SDK's errors.

This module knows no row: `table_ledger` and `table_audit_log` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import HTTPPolicy
from azure.data.tables import TableClient, TableTransactionError

from coupa_core.azure_sdk import Identity, OutOfTime, Transport, app_identity
from coupa_core.clock import Deadline, SystemClock, time_left_s, until
from coupa_core.errors import Conflict, ServiceError, SettingsError, Unavailable, Unknown, one_line

SWEEP_OPTIONS: Mapping[str, Any] = {
    "connection_timeout": 3,
    "read_timeout": 10,
    "retry_total": 2,
    "retry_backoff_factor": 0.2,
    "retry_backoff_max": 1,
}
"""Seconds, where the SDK would wait 300 s for each of ten tries.

The service works on a query for up to five seconds before it answers with a part and a continuation: a client
that waits for less can never read a busy table, however often it asks.

Source: https://learn.microsoft.com/rest/api/storageservices/query-timeout-and-pagination;
azure-core, defaults of `ConnectionConfiguration` and `RetryPolicy`,
https://learn.microsoft.com/python/api/azure-core/azure.core.pipeline.policies.retrypolicy
"""

CLICK_OPTIONS: Mapping[str, Any] = {"connection_timeout": 1, "read_timeout": 2, "retry_total": 0}
"""Time limits for clicks: a click has ten seconds in all, and reads single rows by key, which is quick."""

REQUEST_S = 25.0
"""The most seconds of one request, all its tries together: a sweep has fifty for everything."""

_AT_ONCE = 100
"""Rows that one transaction takes.

Source: https://learn.microsoft.com/rest/api/storageservices/performing-entity-group-transactions
"""

_NOT_FOUND = 404
_RACES = (409, 412)


class _InTime(HTTPPolicy[Any, Any]):
    """A policy that limits a request with all its tries; it runs before the retry policy."""

    def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        with until(Deadline(SystemClock(), REQUEST_S)):
            return self.next.send(request)


def table_client(
    *,
    connection: str,
    account_url: str,
    table: str,
    options: Mapping[str, Any] = SWEEP_OPTIONS,
    identity: Identity | None = None,
) -> TableClient:
    """Make the client of a table, without contacting it.

    Args:
        connection: a connection string; not used with an account URL.
        account_url: `https://{account}.table.core.windows.net`; the app's identity is used.
        table: the table's name.
        options: time limits of one try, and repeats; the deadline around a call always holds.
        identity: shared by the clients of a process; a new one where it is left out.

    Raises:
        SettingsError: the connection string is not valid.
    """
    given = {**options, "transport": Transport(**options), "per_call_policies": [_InTime()]}
    if not account_url:
        try:
            return TableClient.from_connection_string(connection, table, **given)
        except ValueError:
            raise SettingsError("LEDGER_CONNECTION: is no connection string of a storage account") from None
    return TableClient(account_url, table, credential=identity or app_identity(SystemClock()), **given)


class Table:
    """A table that is made on first use, and raises the errors of this package.

    Attributes:
        CODES: the prefix of its error codes.
    """

    CODES: str

    def __init__(self, client: TableClient) -> None:
        self._client = client
        self._exists = False

    @contextmanager
    def _talking(self, what: str, *, makes: bool = True) -> Iterator[TableClient]:
        """Make the table where it is missing and wanted, and translate the SDK's errors."""
        if time_left_s() <= 0:
            raise Unavailable(f"{self.CODES}_late", f"cannot {what}: no time is left")
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
        except OutOfTime as error:
            text = f"cannot {what}: the table service is busy ({error})"
            raise Unknown(f"{self.CODES}_wait", text) from error
        except AzureError as error:
            # The SDK calls it a request error, too, where a connection broke after the request had left.
            raise Unknown(f"{self.CODES}_lost", f"cannot {what}: {type(error).__name__}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # The SDK raises these when something else answered in place of the table service.
            text = f"cannot {what}: the answer cannot be read"
            raise Unknown(f"{self.CODES}_unreadable", text) from error

    def _purge(self, what: str, where: str, values: Mapping[str, str]) -> int:
        """Delete the rows that are found, all of one partition, a hundred at once; return their number.

        A batch that fails does not stop the others.

        Raises:
            ServiceError: the first failure, raised at the end.
        """
        purged, failures = 0, list[ServiceError]()
        try:
            for keys in self._batches(what, where, values):
                failure = self._failure_of(what, keys)
                if failure is None:
                    purged += len(keys)
                else:
                    failures.append(failure)
        except ServiceError as failure:
            failures.append(failure)
        if failures:
            first = failures[0]
            text = f"{first}; rows deleted: {purged}, failures: {len(failures)}"
            raise type(first)(first.code, text, status=first.status) from first
        return purged

    def _batches(self, what: str, where: str, values: Mapping[str, str]) -> Iterator[list[dict[str, str]]]:
        """Yield the keys of the rows that are found, in batches of one transaction."""
        with self._talking(what) as client:
            select = ["PartitionKey", "RowKey"]
            found = client.query_entities(
                where, parameters=dict(values), select=select, results_per_page=_AT_ONCE
            )
        pages = found.by_page()
        while True:
            # Only the request is translated here, not the work with the keys.
            with self._talking(what):
                page = next(pages, None)
                keys = [{name: row[name] for name in select} for row in page or ()]
            if page is None:
                return
            if keys:
                yield keys

    def _failure_of(self, what: str, keys: Sequence[Mapping[str, str]]) -> ServiceError | None:
        """Delete rows by their keys; return the failure, if any."""
        try:
            with self._talking(what) as client:
                _delete(client, keys)
        except ServiceError as failure:
            return failure
        return None

    def _create(self) -> None:
        """Make the table; two threads at once do no harm, and neither waits for the other."""
        if not self._exists:
            with suppress(ResourceExistsError):  # the usual case
                self._client.create_table()
            self._exists = True

    def _doubt(self, error: HttpResponseError) -> None:
        """Remember that the table may be gone."""
        self._exists = self._exists and error.status_code != _NOT_FOUND

    def _conflict(self, what: str) -> Conflict:
        return Conflict(f"{self.CODES}_conflict", f"cannot {what}: it was changed meanwhile")

    def _meaning(self, error: HttpResponseError, what: str) -> Unavailable | Unknown:
        """Translate a refusal by the table service: 4xx changed nothing; any other outcome is unknown."""
        status = error.status_code
        if status is None and isinstance(error, ClientAuthenticationError):
            return Unavailable(f"{self.CODES}_identity", f"cannot {what}: the app's identity got no token")
        # The reason is set on some paths only: an enum, or text if it is not known.
        reason = getattr(error, "error_code", None) or ""
        reason = one_line(str(getattr(reason, "value", reason)), 60)
        text = f"cannot {what}: the table service answered {status} {reason}".rstrip()
        if status is not None and status in range(400, 500) and status != 408:  # noqa: PLR2004
            return Unavailable(f"{self.CODES}_{status}", text, status=status)
        return Unknown(f"{self.CODES}_{status}", text, status=status)


def _delete(client: TableClient, keys: Sequence[Mapping[str, str]]) -> None:
    """Delete rows in one transaction; one by one where some are gone, since a transaction is all or nothing.

    A missing row counts as deleted: by another process, or by this one. The SDK repeats a transaction after
    an error, although the service may have done it.
    """
    try:
        client.submit_transaction([("delete", dict(key)) for key in keys])
    except HttpResponseError as error:
        if error.status_code != _NOT_FOUND:
            raise
        for key in keys:
            client.delete_entity(dict(key))  # a missing row is no error of the SDK
