"""`python -m coupa_core.audit`: check the audit log, or export it.

It reads the settings of the app from the environment, and missing ones from `local.settings.json`.
"""

from __future__ import annotations

import argparse
import io
import random
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TextIO

from coupa_core.app import Overrides, build_audit_logs
from coupa_core.audit.anchors import read_anchors
from coupa_core.audit.export import STYLES, write_rows
from coupa_core.audit_log import AuditLog, CheckReport, Place
from coupa_core.clock import SystemClock
from coupa_core.environment import LOCAL_SETTINGS, environment_of
from coupa_core.errors import ServiceError, SettingsError
from coupa_core.settings import Settings, read_settings

WELL, BROKEN, UNKNOWN = 0, 1, 2
"""The exit statuses: all is well, the chain is broken, or unknown."""


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code; a wrong usage raises SystemExit with 2."""
    args = _parse(arguments)
    try:
        settings = _settings()
        audit_log, _ = build_audit_logs(settings, Overrides(SystemClock(), random.Random()))  # noqa: S311 - jitter
        return _verify(audit_log, settings, args) if args.command == "verify" else _export(audit_log, args)
    except SettingsError as error:
        return _unknown(f"the settings are not right: {error}")
    except ServiceError as error:
        hint = "check LEDGER_CONNECTION, and the right to read the table's rows"
        return _unknown(f"{error} ({error.code}): {hint}")
    except OSError as error:
        return _unknown(f"cannot {'read' if args.command == 'verify' else 'write'}: {error}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m coupa_core.audit",
        description="Check the audit record, or write it out. The settings are those of the app, from the "
        f"environment and, for what is not there, from {LOCAL_SETTINGS} in this folder.",
        epilog="Ends with 0 when all is well, 1 when the chain is broken, 2 when neither can be said.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="check that nothing was changed, removed, added or reordered")
    verify.add_argument(
        "--retired",
        action="append",
        default=[],
        metavar="KID",
        help="a key that was yours and is gone: rows by it count as genuine where a known key goes on",
    )
    verify.add_argument(
        "--anchors",
        type=Path,
        metavar="FILE",
        help="lines of the app's log that begin with `audit day=`, exported as text, CSV or JSON: the record "
        "must have each row that they name",
    )
    export = commands.add_parser("export", help="write the rows of some days")
    export.add_argument("--format", choices=sorted(STYLES), required=True)
    export.add_argument("--out", type=Path, metavar="FILE", help="by default the standard output")
    for command in (verify, export):
        for name, dest, default in (("--from", "since", date.min), ("--to", "until", date.max)):
            command.add_argument(
                name,
                dest=dest,
                default=default,
                type=_day,
                metavar="DAY",
                required=command is export,
                help="UTC, such as 2026-11-23; this day is included",
            )
    args = parser.parse_args(arguments)
    if args.since > args.until:
        parser.error("--from must not be later than --to")
    return args


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day such as 2026-11-23") from None


def _settings() -> Settings:
    """Read the settings of the app.

    Raises:
        SettingsError: names what is missing or wrong.
    """
    settings = read_settings(environment_of(Path.cwd()))
    if settings.storage == "memory":
        raise SettingsError("LEDGER_CONNECTION: memory keeps nothing that this command could read")
    return settings


def _verify(audit_log: AuditLog, settings: Settings, args: argparse.Namespace) -> int:
    anchors: Mapping[Place, Collection[str]] = {}
    if args.anchors:
        with args.anchors.open(encoding="utf-8-sig", errors="replace") as lines:
            anchors = read_anchors(lines)
        if not anchors:
            return _unknown(f"no line of {args.anchors} begins with: audit day=")
    report = audit_log.verify(since=args.since, until=args.until, retired=args.retired, anchors=anchors)
    if report.broken:
        print(f"broken at {report.broken}")
        print(f"whole up to there: {_count_text(report)}")
        return BROKEN
    if report.last is None:
        return _unknown(
            f"nothing is recorded in table {settings.audit_table}: it was not begun, all of it is gone, or "
            "AUDIT_TABLE names another"
        )
    if report.unknown_kids:
        return _unknown(_missing_keys_text(report))
    print(f"all is well: {_count_text(report)}")
    if args.anchors:
        print(f"of {len(anchors)} places that the log names, {report.anchored} were compared")
    print(f"it ends at {report.last.day}, row {report.last.seq}, hash {report.last.hash}")
    return WELL


def _missing_keys_text(report: CheckReport) -> str:
    """Return which keys are missing, and what an operator can do about it."""
    kids = ", ".join(sorted(report.unknown_kids))
    return (
        f"nobody vouches for what was sealed by the key {kids} ({_count_text(report)}). "
        "If you had a key of that name, put it back behind the first one of AUDIT_KEYS, or of "
        "ACTION_TOKEN_KEYS if its name begins with a dot; if it is gone for good and a known key goes on "
        "after it, name it with --retired. If you never had one, somebody else wrote this: keep the table as "
        "it is, and name another in AUDIT_TABLE"
    )


def _count_text(report: CheckReport) -> str:
    figures = [f"rows {report.rows}", f"days {report.days}"]
    if report.unsealed:
        figures.append(f"rows whose key is not known any more {report.unsealed}")
    if report.purged:
        figures.append(f"rows purged {report.purged.purged}, up to {report.purged.day}")
    return ", ".join(figures)


def _export(audit_log: AuditLog, args: argparse.Namespace) -> int:
    with _output(args.out, "utf-8-sig" if args.format == "csv" else "utf-8") as out:
        number = write_rows(audit_log.rows(since=args.since, until=args.until), out, style=args.format)
    print(f"{number} rows written", file=sys.stderr)
    return WELL


@contextmanager
def _output(path: Path | None, encoding: str) -> Iterator[TextIO]:
    """Open the output; a file of that name appears when it is complete.

    A file begins with a byte order mark where the encoding says so: without it a spreadsheet would take
    letters beyond ASCII for others.
    """
    if path is None:
        out = io.TextIOWrapper(sys.stdout.buffer, "utf-8", errors="backslashreplace", newline="")
        try:
            yield out
        finally:
            out.detach()
        return
    part = path.with_name(f"{path.name}.part")
    with part.open("w", encoding=encoding, errors="backslashreplace", newline="") as file:
        yield file
    part.replace(path)


def _unknown(why: str) -> int:
    print(f"cannot tell: {why}", file=sys.stderr)
    return UNKNOWN
