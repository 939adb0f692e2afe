#!/usr/bin/env python3
"""Read the locks: the pinned version of each package, with its marker and hashes.

    locks.py        prints the deployed packages, as the lines of requirements.txt that apply in the cloud

These lines have no markers, because some scanners evaluate markers with their own Python, and others not at
all. The script writes no locks: `make lock` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
DEPLOYED = "requirements.txt"
CLOUD = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
"""The marker values of the function app that infra/modules/function-app.bicep creates."""


@dataclass(frozen=True)
class Locked:
    """One version of a package, with the marker under which it is installed.

    Attributes:
        name: normalised by PEP 503: in lower case, with hyphens.
        hashes: the hashes of the allowed files, each `sha256:` and 64 digits.
    """

    name: str
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]

    def holds(self, environment: Mapping[str, str] | None = None) -> bool:
        """Tell whether it is installed in this environment; by default, the Python that runs this."""
        return self.marker is None or self.marker.evaluate(dict(environment or {}))


def locked(path: Path) -> list[Locked]:
    """Return every entry of a lock, in its order.

    Raises:
        InvalidRequirement: an entry is invalid.
        ValueError: an entry is not pinned to one version.
    """
    lines = path.read_text("utf-8").replace("\\\n", " ").splitlines()
    return [_parsed(line) for line in lines if line and not line.startswith(("#", "-"))]


def _parsed(line: str) -> Locked:
    asked, *hashes = (each.strip() for each in line.split(" --hash="))
    requirement = Requirement(asked)
    pins = list(requirement.specifier)
    if [pin.operator for pin in pins] != ["=="]:
        raise ValueError(f"{asked} is not pinned to one version; run make lock")
    [pin] = pins
    return Locked(canonicalize_name(requirement.name), pin.version, requirement.marker, tuple(hashes))


def main() -> None:
    """Print the deployed packages."""
    for each in locked(ROOT / DEPLOYED):
        if each.holds(CLOUD):
            print(f"{each.name}=={each.version}", *(f"--hash={digest}" for digest in each.hashes))


if __name__ == "__main__":
    main()
