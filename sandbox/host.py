"""A local stand-in for the Azure Functions host: it serves a function app's routes and fires its timers.

It does not know this product: it serves any `function_app.py` of HTTP and timer functions. It has two
processes, as Azure's has: this one, and a worker that imports the app and runs its functions. It reproduces
Azure's route prefix, methods, keys, limits of host.json, sizes, the answers after a failure, a killed worker
and a time-out, schedules in UTC, and the status and the lock of each timer. It leaves out scaling and other
bindings.

Sources, read 2026-11:
    https://learn.microsoft.com/azure/azure-functions/functions-reference-python
    https://learn.microsoft.com/azure/azure-functions/functions-host-json
    https://github.com/Azure/azure-functions-host
"""

from __future__ import annotations

import sys

from sandbox.spawning import Child


def main() -> int:
    """Serve a function app until a signal ends the process; returns the exit status."""
    first = Child()  # like Azure's placeholder, it starts before the app is known
    from sandbox.command_line import run  # noqa: PLC0415 - the host's imports run meanwhile

    return run(first)


if __name__ == "__main__":
    sys.exit(main())
