"""`python -m coupa_core.keys`: makes all keys of a deployment once, into a file, and prints them as commands.

What is made is never made anew: a second key under the name of the first would spoil every button and every
seal. It needs no other package than Python, reads no setting and asks nobody.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

SIGNING = ("ACTION_TOKEN_KEYS", "AUDIT_KEYS")
"""Settings of the app: keys with names of their own, so that they can be changed one by one."""

CALLING = ("DECISIONS_KEY", "RELAY_KEY", "OPERATORS_KEY")
"""The function keys of the three kinds of callers, for `infra/keys.bicepparam`."""

NAMES = (*SIGNING, *CALLING)

_LINE = re.compile(r"([A-Z_]+)=([A-Za-z0-9+/=:_,-]+)")

_FORMS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "az": lambda keys: "".join(f"export {name}='{value}'\n" for name, value in keys.items()),
    "azd": lambda keys: "".join(f"azd env set {name} '{value}'\n" for name, value in keys.items()),
    "powershell": lambda keys: "".join(f"$env:{name} = '{value}'\n" for name, value in keys.items()),
    "local": lambda keys: json.dumps({name: keys[name] for name in SIGNING}, indent=2) + "\n",
}
"""How the keys are given: to a shell for `az`, to azd, to PowerShell, or for the `Values` of a local file."""


def named_key(day: datetime) -> str:
    """Return a new key with a name of its own: `kid:base64key`, of 32 random bytes.

    Args:
        day: by which it is called; the rest of the name is random.
    """
    kid = f"{day:%y%m%d}-{secrets.token_hex(4)}"
    return f"{kid}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def made(now: datetime) -> dict[str, str]:
    """Return a new key for each name."""
    signing = {name: named_key(now) for name in SIGNING}
    return signing | {name: secrets.token_hex(32) for name in CALLING}


def read(path: Path) -> dict[str, str]:
    """Read the file.

    Raises:
        ValueError: it is none of ours, or not whole; the text shows no key.
    """
    lines = path.read_text("utf-8").splitlines()
    found = {match[1]: match[2] for line in lines if (match := _LINE.fullmatch(line))}
    if list(found) != list(NAMES):
        raise ValueError(f"{path} is no file of keys, or not whole: it must have {', '.join(NAMES)}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or show, and return the exit status.

    Args:
        arguments: of the command line; None for those of the process.

    Raises:
        SystemExit: with 2 when called wrongly.
    """
    parser = argparse.ArgumentParser(
        "python -m coupa_core.keys", description="Make the keys of a deployment."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    new = verbs.add_parser("new", help="make all keys, into a file that must not be there yet")
    new.add_argument("file", type=Path)
    show = verbs.add_parser("show", help="print the keys of that file as commands or as JSON")
    show.add_argument("file", type=Path)
    show.add_argument("--for", dest="form", choices=_FORMS, required=True)
    verbs.add_parser("one", help="print one new key with its own name, to put in front of an old one")
    asked = parser.parse_args(arguments)
    try:
        if asked.verb == "one":
            sys.stdout.write(f"{named_key(datetime.now(UTC))}\n")
        elif asked.verb == "show":
            sys.stdout.write(_FORMS[asked.form](read(asked.file)))
        else:
            _make(asked.file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{_said(error)}\n")
        return 1
    return 0


def _make(path: Path) -> None:
    """Write new keys, whole or not at all.

    Raises:
        ValueError: there are keys already, in the file or in this shell.
    """
    given = [name for name in NAMES if os.environ.get(name, "").strip()]
    if given:
        raise ValueError(
            f"Nothing was made: {', '.join(given)} is set in this shell, and what runs with it would not "
            "know the new one. Where nothing does, open a new terminal and try again."
        )
    text = "".join(f"{name}={value}\n" for name, value in made(datetime.now(UTC)).items())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ValueError(
            f"Nothing was made: {path} is there already, and its keys stay good. "
            f"`python -m coupa_core.keys show {path} --for az` prints them (or azd, powershell, local)."
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    sys.stdout.write(
        f"Made {', '.join(NAMES)} in {path}, which only you can read. Keep it in your password store; nobody "
        "can show these keys again.\n"
    )


def _said(error: OSError | ValueError) -> str:
    """Say what went wrong; of a file the system's own words."""
    if isinstance(error, FileNotFoundError):
        return f"{error.filename} is not there: `python -m coupa_core.keys new {error.filename}` makes it."
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
