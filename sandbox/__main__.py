"""`python -m sandbox`: only the simulated services, as `local.settings.json.example` expects them.

Copy that file to `local.settings.json` and start this. In another terminal, start `func start` or
`python -m sandbox.host --settings local.settings.json`.
"""

from __future__ import annotations

import sys
import threading

from sandbox.azurite import WELL_KNOWN_PORTS, AzuriteError
from sandbox.coupa.world import Line
from sandbox.demo import prepare_terminal
from sandbox.page import Page
from sandbox.services import APP_PORT, COUPA_PORT, MOVEWORKS_PORT, PAGE_PORT, free_port, is_free, services
from sandbox.serving import served


def main() -> int:
    """Run until Ctrl-C; returns the exit status, 1 when a port is in use."""
    prepare_terminal()
    for port in (COUPA_PORT, MOVEWORKS_PORT):
        if not is_free(port):
            print(f"Port {port} is taken, and local.settings.json names it; free it first.", file=sys.stderr)
            return 1
    try:
        with services(
            coupa_port=COUPA_PORT,
            moveworks_port=MOVEWORKS_PORT,
            tables_only=False,
            storage_ports=WELL_KNOWN_PORTS,
        ) as around:
            around.coupa.world.add_requisition(
                requested_by=around.people["sam@example.com"],
                title="Office chairs",
                justification="The old ones squeak.",
                lines=[Line("Chair, ergonomic", quantity="4", unit_price="389.5", supplier="Sitwell")],
                approvers=[around.people["robin@example.com"]],
            )
            page = Page(around, f"http://127.0.0.1:{APP_PORT}")
            with served(page, port=free_port(PAGE_PORT)) as page_url:
                around.page_url = page_url
                print(f"  page          {page_url}")
                print("One request waits for robin@example.com. Start the function app; Ctrl-C ends this.")
                threading.Event().wait()
    except AzuriteError as error:
        print(f"Azurite: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
