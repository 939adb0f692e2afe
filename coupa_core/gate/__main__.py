"""The command: one line for each finding. Exit status 0: all is well; 1: a fault; 2: a wrong argument."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from coupa_core.clock import Clock, SystemClock
from coupa_core.finding import Finding, Verdict
from coupa_core.gate.asking import Deployment
from coupa_core.gate.checkout import releases_of
from coupa_core.gate.health import Wanted, wait_for
from coupa_core.gate.host import host_findings
from coupa_core.gate.status import status_findings

WAIT_S = 600.0
"""The time to wait, in seconds: the roles of a first deployment need some minutes."""

NOW = "now"
"""The value of --since for sweeps from now on: an earlier one may be of the previous release."""

ANY = "any"
"""The value of --version that compares no release."""

MASTER_KEY, OPERATORS_KEY = "MASTER_KEY", "OPERATORS_KEY"
"""The variables with the keys; arguments would be visible to all processes of the machine."""


def main(
    arguments: Sequence[str] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    clock: Clock | None = None,
) -> int:
    """Ask, print, and return the exit status.

    Args:
        arguments: the arguments of the command line; None for those of the process.
        environment: the variables; None for those of the process.
        clock: the time; None for the machine's.

    Raises:
        SystemExit: with 2, for a wrong argument.
    """
    parser = argparse.ArgumentParser(
        "python -m coupa_core.gate",
        description="Ask a deployment whether it works. MASTER_KEY in the environment asks the host of its "
        "timer, too, OPERATORS_KEY the bridge of its last sweep.",
    )
    parser.add_argument("url", help="such as https://your-function-app.azurewebsites.net")
    parser.add_argument(
        "--version", default="", help="the release that must have swept; by default this folder's, or any"
    )
    parser.add_argument("--since", default=NOW, help="when its sweep must have begun; by default now")
    parser.add_argument("--wait", type=float, default=WAIT_S, help="seconds to wait for it (default 600)")
    options = parser.parse_args(arguments)
    variables = os.environ if environment is None else environment
    clock = clock or SystemClock()
    keys = {name: variables.get(name, "").strip() for name in (MASTER_KEY, OPERATORS_KEY)}
    try:
        deployment = Deployment(options.url)
    except ValueError as error:
        parser.error(str(error))
    if any(keys.values()) and not deployment.may_hold_keys:
        parser.error("a key goes over https only: give an address with https, or take the key away")
    findings: list[Finding] = []

    def tell(finding: Finding) -> None:
        sys.stdout.write(f"{finding}\n")
        sys.stdout.flush()
        findings.append(finding)

    since = clock.now().isoformat() if options.since == NOW else options.since
    versions = ("",) if options.version == ANY else (options.version,) if options.version else releases_of()
    tell(wait_for(deployment, Wanted(versions, since), clock, within_s=options.wait, tell=tell))
    if keys[MASTER_KEY]:
        for each in host_findings(deployment, keys[MASTER_KEY]):
            tell(each)
    if keys[OPERATORS_KEY]:
        for each in status_findings(deployment, keys[OPERATORS_KEY]):
            tell(each)
    return int(any(each.verdict is Verdict.WRONG for each in findings))


if __name__ == "__main__":
    sys.exit(main())
