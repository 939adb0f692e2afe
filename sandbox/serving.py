"""Two ways to reach a simulator: over a loopback socket, or in this process without a socket."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from wsgiref.types import WSGIApplication

import requests
from requests.adapters import BaseAdapter
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import EnvironBuilder, run_wsgi_app

from sandbox.front import DRIPS, ConnectionCut


class _Quiet(WSGIRequestHandler):
    """A request handler that prints nothing; Werkzeug closes each connection after its answer."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Stay silent: the simulators keep their own record."""


@contextmanager
def served(app: WSGIApplication, *, port: int = 0) -> Iterator[str]:
    """Serve an application on a loopback socket while the block runs.

    Args:
        app: the WSGI application.
        port: the port; 0 takes a free one.

    Yields:
        The base URL, such as `http://127.0.0.1:40123`.

    Raises:
        OSError: the port is in use.
    """
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class InProcess(BaseAdapter):
    """A `requests` transport that calls a WSGI application directly: the same bytes, without a socket.

    Mount it on a session: `session.mount("http://coupa.test", InProcess(app))`.
    """

    def __init__(self, app: WSGIApplication) -> None:
        super().__init__()
        self._app = app

    def send(  # noqa: D417, PLR0917 - the arguments are those of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002, FBT001, FBT002
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: ARG002, FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Pass the request to the application.

        Args:
            timeout: seconds; the application sees the read timeout as `sandbox.timeout_s`.

        Raises:
            requests.ReadTimeout: the application took longer than the read timeout.
            requests.ConnectionError: the application cut the connection.
        """
        path, _, query = request.path_url.partition("?")
        environ = EnvironBuilder(
            method=request.method or "GET",
            path=path,
            base_url=(request.url or "").removesuffix(request.path_url),
            headers=[(str(key), _text(value)) for key, value in request.headers.items()],
            data=request.body if isinstance(request.body, bytes) else (request.body or "").encode(),
        ).get_environ()
        environ |= {"RAW_URI": path, "QUERY_STRING": query}
        drips: list[bool] = []  # the environment is copied on the way
        environ[DRIPS] = drips
        environ["sandbox.timeout_s"] = timeout[1] if isinstance(timeout, tuple) else timeout
        try:
            pieces, status, headers = run_wsgi_app(self._app, environ)
        except ConnectionCut as cut:
            if cut.timed_out:
                raise requests.ReadTimeout("the simulator was too slow", request=request) from cut
            raise requests.ConnectionError("the simulator cut the connection", request=request) from cut
        body = _Arriving(pieces) if drips else io.BytesIO(b"".join(pieces))
        return self._reply(request, body, status, dict(headers))

    def close(self) -> None:
        """Do nothing: no connection is open."""

    def _reply(
        self, request: requests.PreparedRequest, body: Any, status: str, headers: dict[str, Any]
    ) -> requests.Response:
        reply = requests.Response()
        code, _, reply.reason = status.partition(" ")
        reply.status_code = int(code)
        reply.headers.update(headers)
        reply.raw = body
        reply.url = request.url or ""
        reply.request = request
        return reply


class _Arriving:
    """A body whose next piece is made on demand."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)

    def read(self, _size: int = -1, **_options: Any) -> bytes:
        """Return the next piece, or nothing after the last one."""
        return next(self._pieces, b"")

    def close(self) -> None:
        """Drop the rest."""
        self._pieces = iter(())


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
