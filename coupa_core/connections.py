"""Connections that end in time, and sessions of `requests` on them that remember nothing.

A time limit of `requests` is one for each wait: a service that sends a byte a second never exceeds it.
Here each socket asks before each wait how much time is left to the work that uses it (`clock.until`), so that
connect, handshake, request, headers and body share one deadline, inside Azure's SDK as well.
It knows no service. The system's resolver takes no deadline, so that a thread of its own waits for it.
"""

from __future__ import annotations

import math
import socket
import ssl
import threading
import time
from concurrent.futures import Future
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from coupa_core.clock import time_left_s

POOL = 225
"""Connections kept for each host: the 25 workers of a sweep, beside 100 requests at once (`host.json`).

Each of these may read an approval and its document at the same time.

A narrower pool closes what does not fit and warns of each.
Source: https://urllib3.readthedocs.io/en/stable/advanced-usage.html#customizing-pool-behavior
"""

_HURRY_S = 0.001
"""Stands for no time: 0 would make a socket that does not wait but fails."""

if TYPE_CHECKING:

    class _Base(socket.socket): ...

else:
    _Base = object


class _Timely(_Base):
    """The methods of a socket that may wait, each limited by the time that is left.

    `settimeout` still says how long one wait may be.
    """

    _patience_s: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._patience_s = value
        super().settimeout(value)

    def _be_timely(self) -> None:
        left_s = time_left_s()
        if left_s <= 0:
            raise TimeoutError("the deadline has passed")
        if left_s < math.inf:
            super().settimeout(left_s if self._patience_s is None else min(self._patience_s, left_s))

    def recv_into(self, *args: Any) -> int:
        self._be_timely()
        return super().recv_into(*args)

    def send(self, *args: Any) -> int:
        self._be_timely()
        return super().send(*args)

    def sendall(self, *args: Any) -> None:
        self._be_timely()
        super().sendall(*args)


class _PlainSocket(_Timely, socket.socket):
    pass


class _SecureSocket(_Timely, ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as it is called
        self._be_timely()
        super().do_handshake(block)


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connected(self)

    def connect(self) -> None:
        self.ssl_context = create_urllib3_context()
        # Source: https://docs.python.org/3/library/ssl.html#ssl.SSLContext.sslsocket_class
        self.ssl_context.sslsocket_class = _SecureSocket
        super().connect()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Adapter(HTTPAdapter):
    """The transport of `requests` on such connections; it repeats nothing."""

    def __init__(self) -> None:
        super().__init__(pool_connections=2, pool_maxsize=POOL, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        _make_timely(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(*args, **kwargs)
        if isinstance(manager, ProxyManager):  # one for SOCKS connects in a way of its own
            _make_timely(manager)
        return manager


def session(*, use_proxy: bool = True) -> Session:
    """Make a session: connections that end in time, no repeats, and no cookies.

    A cookie that a service sets would tie requests together that have nothing to do with each other.

    Args:
        use_proxy: whether a proxy and certificates of the environment are used.
    """
    made = Session()
    made.trust_env = use_proxy
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _Adapter()
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


def _make_timely(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def _connected(connection: HTTPConnection) -> socket.socket:
    """Return a socket to where a connection leads.

    Raises:
        ConnectTimeoutError: there was no time.
        NewConnectionError: no such name, or nobody there. Nothing was sent in either case.
    """
    patience_s = connection.timeout if isinstance(connection.timeout, int | float) else math.inf
    end_s = time.monotonic() + min(patience_s, time_left_s())
    try:
        return _reached(connection, end_s)
    except TimeoutError as error:
        raise ConnectTimeoutError(connection, "no connection in time") from error
    except (OSError, UnicodeError) as error:
        raise NewConnectionError(connection, f"no connection: {error}") from error


def _reached(connection: HTTPConnection, end_s: float) -> socket.socket:
    """Connect to the first address that answers; each has its part of the time."""
    addresses = _looked_up(connection._dns_host.strip("[]"), connection.port, end_s)  # noqa: SLF001
    failure = OSError("the name has no address")
    for number, (family, kind, protocol, _, address) in enumerate(addresses):
        made = _PlainSocket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                made.setsockopt(*option)
            made.settimeout(_until(end_s, shared_by=len(addresses) - number))
            made.connect(address)
        except OSError as error:
            made.close()
            failure = error
        else:
            made.settimeout(_until(end_s))
            return made
    raise failure


def _until(end_s: float, *, shared_by: int = 1) -> float | None:
    """Return a time limit for a socket; None for none."""
    return None if end_s == math.inf else max(end_s - time.monotonic(), _HURRY_S) / shared_by


_lookups: dict[tuple[str, int], Future[list[Any]]] = {}
_lookups_lock = threading.Lock()


def _looked_up(host: str, port: int, end_s: float) -> list[Any]:
    """Return the addresses of a host as `getaddrinfo` does.

    One thread asks for a host at a time, so that a resolver that hangs holds no more of them.

    Raises:
        TimeoutError: the resolver did not answer in time.
        OSError, UnicodeError: there is no such name.
    """
    with _lookups_lock:
        lookup = _lookups.get((host, port))
        if lookup is None:
            lookup = _lookups[host, port] = Future()
            threading.Thread(target=_look_up, args=(host, port, lookup), daemon=True).start()
    return lookup.result(_until(end_s))


def _look_up(host: str, port: int, lookup: Future[list[Any]]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except BaseException as error:  # noqa: BLE001 - whoever asked gets it
        lookup.set_exception(error)
    else:
        lookup.set_result(found)
    finally:
        with _lookups_lock:
            del _lookups[host, port]
