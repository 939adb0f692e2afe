"""`python -m coupa_core.keys`: makes all keys of a deployment once, into a file, and prints them as commands.

A key is never made twice: a second key under the same name would invalidate every button and every seal. It
needs no other package than Python, reads no setting and asks nobody.
"""

from __future__ import annotations

import argparse
import base64
import errno
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

_KEY = r'"[A-Za-z0-9_-]{1,16}": "[A-Za-z0-9+/]{43}="'
_FORMED = {
    **dict.fromkeys(SIGNING, re.compile(rf"{{{_KEY}(, {_KEY})*}}")),
    **dict.fromkeys(CALLING, re.compile(r"[0-9a-f]{64}")),
}
"""The form of a complete value of each key."""

_FORMS: Mapping[str, Callable[[Mapping[str, str]], str]] = {
    "az": lambda keys: "".join(f"export {name}='{value}'\n" for name, value in keys.items()),
    "azd": lambda keys: "".join(f"azd env set {name} '{value}'\n" for name, value in keys.items()),
    "powershell": lambda keys: "".join(f"$env:{name} = '{value}'\n" for name, value in keys.items()),
    "local": lambda keys: json.dumps({name: keys[name] for name in SIGNING}, indent=2) + "\n",
}
"""How the keys are given: to a shell for `az`, to azd, to PowerShell, or for the `Values` of a local file."""


def named_key(day: datetime) -> str:
    """Return a new key with a name of its own, as JSON: `{"kid": "base64key"}`, of 32 random bytes.

    Args:
        day: by which it is called; the rest of the name is random.
    """
    kid = f"{day:%y%m%d}-{secrets.token_hex(4)}"
    return json.dumps({kid: base64.b64encode(secrets.token_bytes(32)).decode()})


def made(now: datetime) -> dict[str, str]:
    """Return a new key for each name."""
    signing = {name: named_key(now) for name in SIGNING}
    return signing | {name: secrets.token_hex(32) for name in CALLING}


def read(path: Path) -> dict[str, str]:
    """Read the file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is none of ours, or not whole; the text shows no key.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ValueError(f"{path} is not UTF-8. Save it so, or {_ANEW}")
    found: dict[str, str] = {}
    wrong = []
    for number, line in enumerate(text.split("\n"), 1):
        name, _, value = line.strip().partition("=")
        if name in found:
            wrong.append(f"{name} stands in it twice")
        elif name in NAMES:
            found[name] = value
            wrong += [] if _FORMED[name].fullmatch(value) else [f"{name} is cut off or spoiled"]
        elif name and not name.startswith("#"):
            wrong.append(f"line {number} is none of its own")
    wrong += [f"{name} is missing" for name in NAMES if name not in found]
    wrong += _alike(found)
    if wrong:
        raise ValueError(f"{path} is not whole: {', '.join(wrong)}. Mend it, or {_ANEW}")
    return {name: found[name] for name in NAMES}


def _alike(found: Mapping[str, str]) -> list[str]:
    """Report duplicate keys: of a ring by name, of callers by value."""
    rings = {name: re.findall(r'"([^"]+)": ', found.get(name, "")) for name in SIGNING}
    twice = [f"{name} names two keys alike" for name, kids in rings.items() if len({*kids}) < len(kids)]
    first: dict[str, str] = {}
    same = [
        f"{name} is the same as {first[found[name]]}"
        for name in CALLING
        if found.get(name) and first.setdefault(found[name], name) != name
    ]
    return twice + same


_ANEW = (
    "take it from your password store anew; only where nothing runs with its keys yet, delete it and make "
    "others by `python -m coupa_core.keys new`."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Make or show, and return the exit status.

    Args:
        arguments: the arguments of the command line; None for those of the process.

    Raises:
        SystemExit: with 2, for a wrong argument.
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
    options = parser.parse_args(arguments)
    try:
        if options.verb == "one":
            text = f"{named_key(datetime.now(UTC))}\n"
        elif options.verb == "show":
            text = _FORMS[options.form](read(options.file))
        else:
            text = _make(options.file)
    except OSError as error:
        sys.stderr.write(f"{_file_error_text(error, options.file)}\n")
        return 1
    except ValueError as error:
        sys.stderr.write(f"Nothing {'is printed' if options.verb == 'show' else 'was made'}: {error}\n")
        return 1
    return _print(text)


def _print(text: str) -> int:
    """Print a text, and return the exit status."""
    try:
        if sys.stdout is None:  # closed before Python began
            raise BrokenPipeError
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError:
        if sys.stdout:
            # The rest is not written again when Python ends.
            # https://docs.python.org/3/library/signal.html#note-on-sigpipe
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write("The output takes nothing, so nothing is shown: give it a terminal or a file.\n")
        return 1
    return 0


def _make(path: Path) -> str:
    """Write new keys, whole or not at all, and return what is said of it.

    Raises:
        OSError: it cannot be written, or the path is that of a folder.
        ValueError: there is a file already, or keys in this shell.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    in_environment = [name for name in NAMES if os.environ.get(name, "").strip()]
    if in_environment:
        raise ValueError(
            f"{', '.join(in_environment)} is set in this shell, and what runs with it would not "
            "know the new one. Where nothing does, open a new terminal and try again."
        )
    text = "".join(f"{name}={value}\n" for name, value in made(datetime.now(UTC)).items())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        read(path)
        raise ValueError(
            f"{path} is there already, and its keys stay good. "
            f"`python -m coupa_core.keys show {path} --for az` prints them (or azd, powershell, local)."
        ) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise
    return (
        f"Made {', '.join(NAMES)} in {path}, which on Linux and macOS only you can read. Put it into your "
        "password store: no command can make the same keys again.\n"
    )


def _file_error_text(error: OSError, path: Path) -> str:
    """Report the state of the file, and what to do."""
    if not path.parent.is_dir():
        return f"{path.parent} is no folder that is there: make it, or name another."
    if isinstance(error, FileNotFoundError) and path.is_symlink():
        return f"{path} is a link to a file that is not there: mend the link, or delete it."
    if isinstance(error, FileNotFoundError):
        return (
            f"{path} is not there: take it from your password store, or where there are no keys yet, make it "
            f"by `python -m coupa_core.keys new {path}`."
        )
    return (
        f"{path} cannot be read or written ({error.strerror}): name a file that you may read, or a new one."
    )


if __name__ == "__main__":
    sys.exit(main())
