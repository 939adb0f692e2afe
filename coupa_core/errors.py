"""The errors of this package, one class for each thing to do next.

They say nothing to the approver: `endpoints` and `decide` hold those sentences. A message names the
operation, the cause and what the operator can do; never a secret, a body or a person.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Anything that this package raises on purpose.

    Attributes:
        code: stable short name, for logs, alerts and callers.
        language: the locale of the person who reads it; empty if unknown.
        about: the name of the request that it is about, as that person may know it; possibly empty.
    """

    language = ""
    about = ""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class SettingsError(BridgeError):
    """The configuration is incomplete or wrong: the operator mends the settings named in the message."""

    def __init__(self, message: str) -> None:
        super().__init__("settings", message)


class CallerError(BridgeError):
    """The request cannot be served as it is: the caller mends it.

    Attributes:
        status: the HTTP status to answer: 400 to 404, 409, 411, 413 or 429.
    """

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(code, message)
        self.status = status


class Busy(BridgeError):
    """There is no room for the request at this moment: nothing was done, the caller tries again.

    Attributes:
        retry_after_s: after how many seconds there may be.
    """

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__("busy", message)
        self.retry_after_s = retry_after_s


class ServiceError(BridgeError):
    """A service (Coupa, Moveworks, the table store) failed or refused a request.

    Attributes:
        status: the HTTP status it answered, or None without an answer.
        retry_after_s: how long it asked us to wait, in seconds, or None.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(code, message)
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def may_be_of_one(self) -> bool:
        """Tell whether it may be about one record, and not about the service, the rate or the time."""
        return not isinstance(self, Unavailable | Conflict) or self.status == 403  # noqa: PLR2004


class Refused(ServiceError):
    """The service refused this one request: nothing happened, and a repeat is useless.

    Attributes:
        is_considered: the service itself refused; otherwise a gateway may have answered in its place.
        user_message: the cause, in the service's own words for people; empty without any.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        is_considered: bool = False,
        user_message: str = "",
    ) -> None:
        super().__init__(code, message, status=status)
        self.is_considered = is_considered
        self.user_message = user_message


class Unavailable(ServiceError):
    """Nothing happened, and not because of the request: ask again later."""


class Throttled(Unavailable):
    """The service wants fewer requests: nothing happened, wait `retry_after_s`."""


class Denied(Unavailable):
    """Credentials or rights are missing: nothing happened, the operator must act."""


class Unknown(ServiceError):
    """It may or may not have happened: read back before anything else."""


class Malformed(ServiceError):
    """The service answered with success and something that cannot be read."""


class Conflict(ServiceError):
    """The stored row is no longer the one that was read: read again."""


def one_line(text: str, limit: int) -> str:
    """Fold a text that others wrote into one line of at most `limit` characters that is safe in a log."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * limit]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
