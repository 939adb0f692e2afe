"""Starts the process of a worker; it imports almost nothing, because the host starts one first."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib takes time
_BEGIN = "import sys; sys.path[0] = {root!r}; from sandbox.worker_process import main; main({descriptor})"


class Child:
    """A process, and this side's end of the connection to it.

    Attributes:
        pid: of the process.
        line: this side's end.
    """

    def __init__(self) -> None:
        self.line, theirs = socket.socketpair()
        theirs.set_inheritable(True)
        code = _BEGIN.format(root=_ROOT, descriptor=theirs.fileno())
        self.pid = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
        theirs.close()
        self._is_over = False

    def is_over(self) -> bool:
        """Tell whether it has ended, and collect its status then."""
        if not self._is_over:
            self._is_over = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return self._is_over

    def kill(self) -> None:
        """End it, and wait for its end."""
        if not self._is_over:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):  # a signal came during the wait
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            self._is_over = True
