"""`make check-host`: plays the table on a host, and ends with 1 when a row is wrong.

With `--url`, the host is a deployed app, whose master key is in the environment as `MASTER_KEY`; otherwise it
is Microsoft's host where `func` is on the path, and the local host elsewhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from host_table.hosts import CoreTools, Deployed, Host, StandIn
from host_table.play import STAGES, Result, play

NOT_TRIED = "Microsoft's host was not tried: func is not on the path, and no URL was given."


class Refused(Exception):
    """What was asked for is not done; the message says what to do instead."""


def chosen(url: str, environ: Mapping[str, str]) -> Host:
    """Return the host that is asked.

    Args:
        url: of a deployed app; empty for none.
        environ: has `PATH`, and perhaps `MASTER_KEY`.

    Raises:
        Refused: the key would travel unencrypted, or the address is none.
    """
    if url:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Refused(f"{url!r} is no address: give one such as https://NAME.azurewebsites.net")
        key = environ.get("MASTER_KEY", "").strip()
        if key and parts.scheme == "http" and not _is_here(parts.hostname):
            raise Refused("the master key does not travel over http: give an address with https")
        keys = dict.fromkeys(("master_key", "master", "opens"), key) if key else {}
        return Deployed(f"{parts.scheme}://{parts.netloc}", keys)
    func = shutil.which("func", path=environ.get("PATH", ""))
    return CoreTools(func) if func else StandIn()


def _is_here(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def report(results: Sequence[Result], host: Host) -> int:
    """Print the wrong rows, what was left out, and the counts; returns the exit status."""
    wrong = [each for each in results if each.wrong]
    for each in wrong:
        print(f"WRONG {each.group}: {each.name}\n      {'; '.join(each.wrong)}")
    left_out: dict[str, list[str]] = {}
    for each in results:
        if each.left_out:
            left_out.setdefault(each.left_out, []).append(each.name)
    for why, names in left_out.items():
        print(f"\nleft out, because {why}:")
        print("\n".join(f"  {name}" for name in names))
    print(f"\n{'':<20}{'rows':>8}{'wrong':>8}{'left out':>10}")
    rows, bad, out = (
        Counter(each.group for each in some)
        for some in (results, wrong, [each for each in results if each.left_out])
    )
    for group in rows:
        print(f"{group:<20}{rows[group]:>8}{bad[group]:>8}{out[group]:>10}")
    print(f"{'together':<20}{rows.total():>8}{bad.total():>8}{out.total():>10}")
    played = rows.total() - out.total()
    print(f"\n{host.name}: {played} rows played, {bad.total()} wrong")
    return 1 if wrong or not played else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Play all stages; returns the exit status."""
    parser = argparse.ArgumentParser(prog="make check-host", description="A host, held against the table.")
    parser.add_argument("--url", default="", help="of a deployed app; nothing is decided there")
    options = parser.parse_args(arguments)
    try:
        host = chosen(options.url, os.environ)
    except Refused as refused:
        print(f"check-host: {refused}")
        return 2
    status = report([each for stage in STAGES for each in play(host, stage)], host)
    if isinstance(host, StandIn):
        print(NOT_TRIED)
    return status


if __name__ == "__main__":
    sys.exit(main())
