#!/usr/bin/env python3
"""Writes lines of `bridge.env`: all requested lines or none, and never half of the file.

`NAME=value` sets or adds a line, `NAME?=value` does so only for a name without a value, and `--app` sets the
name of this environment's function app, which Azure tells, and prints it. `bridge.env.bak` is the file
before.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from preflight import Unknown, ask, of_the_lines, read, text_of


def main(arguments: Sequence[str]) -> int:
    """Write the lines, and return the exit status.

    Args:
        arguments: `--app`, or the lines to set.
    """
    file = Path("bridge.env")
    try:
        if list(arguments) == ["--app"]:
            name = app_of({**os.environ, **read(text_of(file))})
            put(file, [f"AZURE_FUNCTION_APP_NAME={name}"])
            print(name)
        else:
            put(file, arguments)
    except Unknown as error:
        sys.stderr.write(f"wrong  {error}\n")
    except OSError as error:
        sys.stderr.write(f"wrong  {file} cannot be written ({error.strerror}), and is as it was: mend that\n")
    else:
        return 0
    return 1


def put(file: Path, lines: Sequence[str]) -> None:
    """Set lines of the file, in one step; other readers see all of them or none.

    Args:
        file: the file to replace, also at the end of a link.
        lines: each `NAME=value`, or `NAME?=value` for a name without a value.

    Raises:
        OSError: it cannot be written.
        Unknown: it cannot be read, or its readers would read the new lines differently.
    """
    file = file.resolve()
    before = text_of(file)
    rows = before.removesuffix("\n").split("\n")
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals:
            raise Unknown(f"{line} is not NAME=value, NAME?=value or --app")
        if name.endswith("?") and read("\n".join(rows)).get(name[:-1], "").strip():
            continue
        begin = name.removesuffix("?") + "="
        place = next((at for at, row in enumerate(rows) if row.startswith(begin)), len(rows))
        rows[place : place + 1] = [begin + value]
    text = "\n".join([*rows, ""])
    if wrong := list(of_the_lines(Path(file.name), text)):
        raise Unknown(f"{wrong[0]}. Nothing was changed")
    if text != before:
        _replace(file.with_name(f"{file.name}.bak"), before, like=file)
        _replace(file, text, like=file)


def _replace(file: Path, text: str, *, like: Path) -> None:
    """Write a new file beside it, which then replaces it."""
    handle, new = tempfile.mkstemp(".new", f"{like.name}.", like.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as written:
            written.write(text)
        Path(new).chmod(like.stat().st_mode)
        Path(new).replace(file)
    except OSError:
        Path(new).unlink()
        raise


def app_of(values: Mapping[str, str]) -> str:
    """Return the name of the function app of this environment, by the tag that the templates give it.

    Raises:
        Unknown: there is not exactly one, or Azure does not answer.
    """
    environment, group = (values.get(name, "").strip() for name in ("AZURE_ENV_NAME", "AZURE_RESOURCE_GROUP"))
    if not environment or not group:
        raise Unknown("AZURE_ENV_NAME or AZURE_RESOURCE_GROUP is not set: fill in its line in bridge.env")
    apps = ask("functionapp", "list", "--resource-group", group)
    names = [each["name"] for each in apps if (each.get("tags") or {}).get("azd-env-name") == environment]
    if not names:
        raise Unknown(
            f"{group} has no function app with the tag azd-env-name={environment}: deploy the templates "
            "first, or mend AZURE_ENV_NAME or AZURE_RESOURCE_GROUP in bridge.env"
        )
    if len(names) > 1:
        raise Unknown(
            f"{group} has several function apps with the tag azd-env-name={environment} ({', '.join(names)}):"
            " take the tag off those that are not the bridge"
        )
    return str(names[0])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
