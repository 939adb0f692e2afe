"""The command line of `python -m sandbox.host`."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from sandbox.console import log_to_stderr
from sandbox.ending import Ending
from sandbox.host import __doc__ as about
from sandbox.host_json import read_host_json
from sandbox.hosting import host
from sandbox.spawning import Child
from sandbox.worker import Worker

MAX_S = 86_400
"""The longest time of an option, in seconds."""


def take_settings(path: Path, environ: MutableMapping[str, str]) -> None:
    """Put the `Values` of a settings file into the environment, which has precedence, as with `func start`.

    Source: https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file

    Raises:
        ValueError: the file cannot be read, is not JSON, is encrypted, or has values that are not plain
            texts; the text is one sentence.
    """
    try:
        said = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON in UTF-8 ({error}): copy local.settings.json.example") from None
    values = (said.get("Values") or {}) if isinstance(said, dict) else None
    is_plain = isinstance(values, dict) and all(isinstance(each, str) for each in values.values())
    if values is None or not is_plain or said.get("IsEncrypted"):
        raise ValueError(f"{path.name}: its Values must be plain texts (see func settings decrypt)")
    for name, value in values.items():
        environ.setdefault(name, value)


def _own_key(text: str) -> tuple[str, str]:
    name, equals, key = text.partition("=")
    if not (name and equals and key):
        raise argparse.ArgumentTypeError("must be FUNCTION=KEY")
    return name, key


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds <= MAX_S:
        raise argparse.ArgumentTypeError(f"must be seconds from 0 to {MAX_S}")
    return seconds


def _port(text: str) -> int:
    if not 0 <= (port := int(text)) < 65_536:
        raise argparse.ArgumentTypeError("must be a port from 0 to 65535")
    return port


def _storage(text: str) -> Path:
    """Return the folder of the state; it is created where it is missing."""
    try:
        (folder := Path(text)).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be a folder: {error.strerror}") from None
    return folder


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.host", description=about.partition("\n")[0])
    here = Path(__file__).parents[1]
    parser.add_argument("--port", type=_port, default=7071)
    parser.add_argument("--app", type=Path, default=here, help="folder of function_app.py")
    parser.add_argument("--settings", type=Path, help="file of local settings, as Core Tools keep them")
    parser.add_argument("--function-key", help="ask for this key, as Azure does")
    own: dict[str, Any] = {"action": "append", "default": [], "metavar": "FUNCTION=KEY", "type": _own_key}
    parser.add_argument("--own-key", **own, help="a key that opens one function; may be repeated")
    parser.add_argument("--system-key", help="a key that opens nothing here")
    parser.add_argument("--master-key", help="a key that opens everything; admin asks for it then")
    parser.add_argument("--no-timers", action="store_true", help="leave the firing of timers to the caller")
    parser.add_argument("--movable-clock", action="store_true", help="let POST /admin/clock move the time")
    parser.add_argument(
        "--state", type=_storage, help="folder that remembers the timers, and that hosts share"
    )
    parser.add_argument("--lease", type=_seconds, default=60.0, help="seconds that a lock outlives its host")
    parser.add_argument(
        "--drain",
        type=_seconds,
        default=0.0,
        help="seconds that the host still serves after SIGTERM (Azure: 30)",
    )
    return parser


def run(first: Child) -> int:
    """Run the command line.

    Args:
        first: the process of the first worker.

    Returns:
        The exit status: 1 when the settings or host.json are wrong, the port is in use, or no worker stays
        alive.
    """
    options = _arguments().parse_args()
    log_to_stderr()
    app_dir = options.app.resolve()
    try:
        if options.settings:
            take_settings(options.settings, os.environ)
        settings = read_host_json(app_dir, os.environ)
    except ValueError as error:
        print(f"The host does not start: {error}", file=sys.stderr)
        return 1
    try:
        listening = socket.create_server(("127.0.0.1", options.port), backlog=1024)
    except OSError as error:
        print(f"Port {options.port} cannot be used: {os.strerror(error.errno or 0)}", file=sys.stderr)
        return 1
    worker = Worker(app_dir, timeout_s=settings.timeout_s, is_movable=options.movable_clock)
    ending = Ending(worker.kill)
    worker.start(first)
    return host(listening, worker, ending, options, settings)
