"""The answer of a service, unchanged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from coupa_core.clock import countable
from coupa_core.errors import (
    Malformed,
    one_line,
)

_OK = range(200, 300)


@dataclass(frozen=True)
class ServiceResponse:
    """The answer of a service: status, headers with lower-case names, and the whole body.

    Attributes:
        sent: the values of the request; a service that repeats them in an error must not put them in a log.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent: tuple[str, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        """Tell whether it is any 2xx."""
        return self.status in _OK

    def json(self) -> Any:
        """Return the body as JSON, numbers with a point as `Decimal`.

        Raises:
            Malformed: empty, HTML, XML, cut off, not UTF-8, NaN, or nested without end.
        """
        try:
            return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)
        except (ValueError, ArithmeticError, RecursionError) as error:
            kind = one_line(self.headers.get("content-type", "no content type").split(";")[0], 60)
            raise Malformed(
                "not_json", f"answered {self.status} with {len(self.body)} bytes of {kind}, not JSON"
            ) from error

    def retry_after_s(self, now: datetime) -> float | None:
        """Return the seconds to wait by `Retry-After`, a number or a date; None without a valid one.

        Source: https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
        """
        value = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", value):
            return float(value)
        at = _http_date(value)
        return max(0.0, (at - now).total_seconds()) if at else None

    def ahead_s(self, now: datetime) -> float | None:
        """Return how far the service's clock is ahead of ours, in whole seconds, by its `Date`.

        Source: https://www.rfc-editor.org/rfc/rfc9110#name-date
        """
        at = _http_date(self.headers.get("date", ""))
        return (at - now).total_seconds() if at else None


def _http_date(value: str) -> datetime | None:
    try:
        return countable(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
