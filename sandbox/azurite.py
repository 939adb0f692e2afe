"""Azurite, Microsoft's emulator of Azure Storage, as a child process on loopback ports.

It does not install Azurite (`npm ci` in sandbox/ does) and does not know the stored data.

Source: https://learn.microsoft.com/azure/storage/common/storage-use-azurite, read 2026-11.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

INSTALL_HINT = "Azurite is not installed: run `npm ci` in sandbox/, with Node.js 18 or later"

WELL_KNOWN_PORTS = (10000, 10001, 10002)
"""The default ports of tools for blobs, queues and tables."""

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's account and key: the same on every machine, published in its documentation."""

_NODE_MODULES = Path(__file__).parent / "node_modules"
_ALL_IN_ONE = _NODE_MODULES / "azurite" / "dist" / "src" / "azurite.js"
_TABLES_ONLY = _NODE_MODULES / "azurite" / "dist" / "src" / "table" / "main.js"
_START_S = 30.0
_STOP_S = 5.0


class AzuriteError(Exception):
    """Azurite did not start; the message gives the reason and Azurite's output."""


class Azurite:
    """A running Azurite.

    Attributes:
        ports: of blobs, queues and tables; only of tables when nothing else runs.
    """

    def __init__(self, process: subprocess.Popen[bytes], ports: Sequence[int], output: IO[bytes]) -> None:
        self.ports = tuple(ports)
        self._process = process
        self._output = output
        self._is_paused = False

    @property
    def connection_string(self) -> str:
        """Return the connection string for clients of Azure Storage."""
        services = ("Blob", "Queue", "Table")[-len(self.ports) :]
        endpoints = "".join(
            f"{service}Endpoint=http://127.0.0.1:{port}/{ACCOUNT};"
            for service, port in zip(services, self.ports, strict=True)
        )
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};{endpoints}"

    def wait_until_ready(self) -> None:
        """Return when every port answers.

        Raises:
            AzuriteError: it ended, or did not answer within half a minute.
        """
        end = time.monotonic() + _START_S
        for port in self.ports:
            while not _answers(port):
                if self._process.poll() is not None:
                    raise AzuriteError(f"Azurite ended with {self._process.returncode}: {self._said()}")
                if time.monotonic() > end:
                    raise AzuriteError(f"Azurite did not answer on port {port}: {self._said()}")
                time.sleep(0.05)

    @property
    def is_paused(self) -> bool:
        """Tell whether it accepts connections and does not answer."""
        return self._is_paused

    def pause(self) -> None:
        """Make it hang: it accepts connections and does not answer, like an overloaded service."""
        self._process.send_signal(signal.SIGSTOP)
        self._is_paused = True

    def resume(self) -> None:
        """Let it continue, with all waiting requests."""
        self._process.send_signal(signal.SIGCONT)
        self._is_paused = False

    def stop(self) -> None:
        """Stop it; data in memory is lost. A second call does nothing."""
        if self._process.poll() is None:
            if self._is_paused:
                self.resume()
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._output.close()

    def _said(self) -> str:
        self._output.seek(0)
        return self._output.read().decode(errors="replace")[-2000:].strip() or "(it printed nothing)"


def is_installed() -> bool:
    """Tell whether `azurite` can start it: Node.js is installed, and `npm ci` has run."""
    return shutil.which("node") is not None and _ALL_IN_ONE.exists()


@contextlib.contextmanager
def azurite(
    *, tables_only: bool = True, ports: Sequence[int] | None = None, location: Path | None = None
) -> Iterator[Azurite]:
    """Run Azurite while the block runs.

    Args:
        tables_only: only tables are needed; `func start` also needs blobs and queues.
        ports: of blobs, queues and tables (of tables only, with `tables_only`), such as `WELL_KNOWN_PORTS`;
            free ones by default.
        location: the folder that keeps the data; by default the data is in memory.

    Raises:
        AzuriteError: it is not installed, a port is in use, or it did not start.
    """
    node = shutil.which("node")
    if node is None or not is_installed():
        raise AzuriteError(INSTALL_HINT)
    used = _usable_ports(ports or (0,) * (1 if tables_only else 3))
    command = [node, str(_TABLES_ONLY if tables_only else _ALL_IN_ONE)]
    command += ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    command += ["--inMemoryPersistence"] if location is None else ["--location", str(location)]
    for service, port in zip(("blob", "queue", "table")[-len(used) :], used, strict=True):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    # A file, not a pipe: nobody reads the output, and a full pipe would stop Azurite.
    output = tempfile.TemporaryFile()  # noqa: SIM115 - the server closes it
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    server = Azurite(process, used, output)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def _usable_ports(wanted: Sequence[int]) -> list[int]:
    """Return the wanted ports, with a free port for each 0.

    Raises:
        AzuriteError: a port is in use; without this check, its owner would be taken for Azurite.
    """
    with contextlib.ExitStack() as probes:  # all are held until all are found, so that they differ
        found = []
        for port in wanted:
            probe = probes.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise AzuriteError(f"port {port} is taken") from error
            found.append(int(probe.getsockname()[1]))
        return found


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
