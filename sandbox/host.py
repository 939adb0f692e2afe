"""A local stand-in for the Azure Functions host: serves a function app's routes and fires its timers.

It does not know this product; it serves any `function_app.py` of HTTP and timer functions. It is two
processes, as Azure's is: this one, and a worker that imports the app and runs its functions. What it keeps of
Azure: route prefix, methods, keys, limits of host.json, sizes, what a failure, a killed worker and a time-out
answer, schedules in UTC, the status and the lock of each timer. What it leaves out: scaling, other bindings.

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
    first = Child()  # like a placeholder of Azure's: it starts while nothing is known yet of the app
    from sandbox.command_line import run  # noqa: PLC0415 - what the host needs is imported meanwhile

    return run(first)


if __name__ == "__main__":
    sys.exit(main())
