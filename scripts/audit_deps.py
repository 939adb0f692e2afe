#!/usr/bin/env python3
"""Ask the advisory service whether a deployed package has a known vulnerability.

    audit_deps.py PATH_OF_PIP_AUDIT LIST_OF_WHAT_IS_DEPLOYED

Exit status 0: all packages were checked, and none is vulnerable; 1: some are, and are listed; 2: some could
not be checked, for example without a network. A check that did not happen never counts as passed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def main(pip_audit: str, deployed: str) -> int:
    """Run the audit and print the result."""
    command = [pip_audit, "--requirement", deployed, "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own tool
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        last = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"The advisory service cannot be reached from here; nothing was checked. ({last})")
        return 2
    found = [(each, advisory) for each in packages for advisory in each.get("vulns", [])]
    for each, advisory in found:
        fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
        print(f"{each['name']} {each['version']}: {advisory['id']}, fixed in {fixed}")
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    if found:
        return 1
    if unknown or not packages:
        print(f"{len(unknown)} of {len(packages)} packages are not known to the advisory service from here.")
        return 2
    print(f"{len(packages)} packages, no known hole.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
