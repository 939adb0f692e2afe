#!/usr/bin/env python3
"""Set lines of `bridge.env`, atomically: all of them or none.

`NAME=value` sets or adds a line; `NAME?=value` does so only for a name without a value. `--app` looks up this
environment's function app in Azure, sets its name and prints it. `bridge.env.bak` is the previous file.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from preflight import Unknown, az, line_faults, read, text_of


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
    """Set lines of the file atomically: other readers see all of them or none.

    Args:
        file: the file, or a link to it.
        lines: each `NAME=value`, or `NAME?=value` for a name without a value.

    Raises:
        OSError: the file cannot be written.
        Unknown: the file cannot be read, or its readers would parse the new lines differently.
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
    if wrong := list(line_faults(Path(file.name), text)):
        raise Unknown(f"{wrong[0]}. Nothing was changed")
    if text != before:
        _replace(file.with_name(f"{file.name}.bak"), before, like=file)
        _replace(file, text, like=file)


def _replace(file: Path, text: str, *, like: Path) -> None:
    """Write a temporary file in the same folder, and rename it."""
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
    """Return the name of this environment's function app, which has a tag of the templates.

    Raises:
        Unknown: there is no such app or more than one, or `az` fails.
    """
    environment, group = (values.get(name, "").strip() for name in ("AZURE_ENV_NAME", "AZURE_RESOURCE_GROUP"))
    if not environment or not group:
        raise Unknown("AZURE_ENV_NAME or AZURE_RESOURCE_GROUP is not set: fill in its line in bridge.env")
    apps = az("functionapp", "list", "--resource-group", group)
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
