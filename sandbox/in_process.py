"""The functions of an app in this process, without sockets: for tests that need no worker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from azure.functions.decorators.function_app import Function

from sandbox.calls import Answer, Call
from sandbox.function_host import Functions
from sandbox.invocation import info_of, run
from sandbox.keys import Keys
from sandbox.requested import BadRequest, Requested, without_dots


class FunctionHost(Functions):
    """The functions of one app, callable as WSGI and by name.

    Args:
        functions: the result of `app.get_functions()`; an app returns it only once.
        function_key: the host's key, which opens all routes; None asks for no key, as `func start` does.
        function_keys: keys of single functions by the functions' names; each opens only its function.
        options: the options of `Functions`.

    Raises:
        ValueError: the worker would refuse a function; then no function of the app loads.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        *,
        function_key: str | None = None,
        function_keys: Mapping[str, str] | None = None,
        **options: Any,
    ) -> None:
        by_name = {info_of(each).name: each for each in functions}
        own = tuple((function_keys or {}).items()) if function_key is not None else ()

        def run_here(call: Call) -> Answer:
            return run(by_name[call.function], call)

        super().__init__(
            [info_of(each) for each in by_name.values()],
            run_here,
            keys=Keys(host=function_key, own=own),
            **options,
        )

    def wsgi(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request, as WSGI."""
        from http import HTTPStatus  # noqa: PLC0415

        answer = self.answer(requested(environ))
        try:
            phrase = HTTPStatus(answer.status).phrase
        except ValueError:
            phrase = "Unknown"
        headers = [*answer.headers]
        if not any(name.lower() == "content-length" for name, _ in headers) and answer.status not in {
            204,
            304,
        }:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(f"{answer.status} {phrase}", headers)
        return [answer.body]


def requested(environ: dict[str, Any]) -> Requested:
    """Return the request that a WSGI server has read."""
    names = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}
    headers = [
        (names.get(key) or key.removeprefix("HTTP_").replace("_", "-").lower(), str(value))
        for key, value in environ.items()
        if key.startswith("HTTP_") or (key in names and value)
    ]

    def read() -> bytes:
        length = environ.get("CONTENT_LENGTH")
        try:
            body: bytes = (
                environ["wsgi.input"].read(int(length) if length else -1) if _has_body(environ) else b""
            )
        except OSError as error:
            raise BadRequest from error
        if length and len(body) < int(length):
            raise BadRequest
        return b"" if "HTTP_TRANSFER_ENCODING" in environ else body

    # The raw path counts: in PATH_INFO the server has already decoded %2F to a slash.
    path = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO") or "/")
    return Requested(
        str(environ["REQUEST_METHOD"]),
        without_dots(path.partition("?")[0]),
        str(environ.get("QUERY_STRING", "")),
        headers,
        read,
        str(environ.get("wsgi.url_scheme", "http")),
    )


def _has_body(environ: dict[str, Any]) -> bool:
    return bool(environ.get("CONTENT_LENGTH")) or "HTTP_TRANSFER_ENCODING" in environ
