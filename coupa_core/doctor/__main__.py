"""The command: one line for each check. Exit status 0: all is well; 1: a fault; 2: a wrong argument."""

from __future__ import annotations

import argparse
import logging
import random
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from coupa_core.app import Overrides
from coupa_core.clock import SystemClock
from coupa_core.doctor.checks import examine
from coupa_core.doctor.preview import preview
from coupa_core.environment import LOCAL_SETTINGS, environment_of, given_by_file, trimmed
from coupa_core.errors import BridgeError
from coupa_core.finding import Finding, Verdict
from coupa_core.settings import HOST_STORAGE, NAMES, read_settings

BRIDGE_ENV = "bridge.env"
"""The file of an environment in Azure; the shell reads it, not the doctor."""


def main(arguments: Sequence[str] | None = None, *, overrides: Overrides | None = None) -> int:
    """Check, print, and return the exit status.

    Args:
        arguments: the arguments of the command line; None for those of the process.
        overrides: the clock, and replacements for real services.

    Raises:
        SystemExit: with 2, for a wrong argument.
    """
    parser = argparse.ArgumentParser(
        "python -m coupa_core.doctor",
        description="Check what the bridge needs, by the environment and local.settings.json.",
    )
    parser.add_argument("--preview", action="store_true", help="say who would be told what; nothing is sent")
    options = parser.parse_args(arguments)
    logging.getLogger("coupa_core").addHandler(logging.NullHandler())  # the findings have the same
    overrides = overrides or Overrides(SystemClock(), random.Random())  # noqa: S311 - jitter
    try:
        folder = Path.cwd()
        environment = environment_of(folder)
        is_well = True
        is_walk = (folder / BRIDGE_ENV).exists()
        for finding in chain(_origin(folder), examine(environment, overrides, is_walk=is_walk)):
            sys.stdout.write(f"{finding}\n")
            is_well = is_well and finding.verdict is not Verdict.WRONG
        if options.preview and is_well:
            for line in preview(read_settings(environment), overrides).lines():
                sys.stdout.write(f"{line}\n")
    except BridgeError as error:
        sys.stdout.write(f"{Verdict.WRONG:<5} {error}\n")
        return 1
    return 0 if is_well else 1


def _origin(folder: Path) -> Iterator[Finding]:
    """Report the settings that come from a file, so that nobody takes them for those of the terminal."""
    names = [name for name in (*NAMES, HOST_STORAGE) if trimmed(given_by_file(folder).get(name, ""))]
    if names:
        text = f"is read, too: it gives {', '.join(names)}, which the environment does not"
        more = f"; to look at {BRIDGE_ENV} alone, move it away"
        yield Finding(Verdict.NOTE, LOCAL_SETTINGS, text + more * (folder / BRIDGE_ENV).exists())


if __name__ == "__main__":
    sys.exit(main())
