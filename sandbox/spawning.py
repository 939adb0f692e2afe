"""Starts the process of a worker; it imports next to nothing, for the host starts the first before all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib takes time
_BEGIN = "import sys; sys.path[0] = {root!r}; from sandbox.worker_process import main; main({descriptor})"


class Child:
    """A process, and our end of the line to it.

    Attributes:
        pid: of the process.
        line: our end.
    """

    def __init__(self) -> None:
        self.line, theirs = socket.socketpair()
        theirs.set_inheritable(True)
        code = _BEGIN.format(root=_ROOT, descriptor=theirs.fileno())
        self.pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
        theirs.close()
        self._is_over = False

    def is_over(self) -> bool:
        """Return whether it has ended; it is waited for then."""
        if not self._is_over:
            self._is_over = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self._is_over

    def kill(self) -> None:
        """End it, and wait until it has."""
        if not self._is_over:
            with contextlib.suppress(
                ProcessLookupError, ChildProcessError
            ):  # a signal came while it was waited for
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            self._is_over = True
