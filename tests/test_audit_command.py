"""The command line of the audit log, on Azurite: its findings, its files, and its exit status."""

from __future__ import annotations

import csv
import io
import itertools
import json
import logging
import os
import runpy
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from audit_log_contract import (
    DAY_S,
    FOREIGN_KEY,
    HOSTILE,
    MONDAY,
    TUESDAY,
    WEDNESDAY,
    audit_log_on,
    event,
    fill,
    full_event,
    head_of,
    put,
    rewrite,
    silently,
)
from azure.data.tables import TableClient, UpdateMode
from bridge import SETTINGS

from coupa_core.audit.command import main
from coupa_core.audit.export import COLUMNS, write_rows
from coupa_core.audit_log import (
    NAMES,
    AuditLog,
    Row,
    Seals,
    canonical,
    derived,
    row_hash,
)
from coupa_core.authority import keys_of
from coupa_core.table_audit_log import HEAD, TableAuditStore, partition, row_key
from coupa_core.tables import table_client
from sandbox.azurite import Azurite
from sandbox.clock import ManualClock

ROOT = Path(__file__).parents[1]
[(KID, ENCODED)] = json.loads(SETTINGS["ACTION_TOKEN_KEYS"]).items()
KEYS = derived(keys_of({KID: ENCODED}))
NOBODY = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a;"
EVENTS = 500


def run(settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coupa_core.audit", *arguments],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def settings_of(server: Azurite, table: str) -> dict[str, str]:
    return {**SETTINGS, "LEDGER_CONNECTION": server.connection_string, "AUDIT_TABLE": table}


# A thousand events of two processes.


@dataclass(frozen=True)
class Record:
    """What two processes have written: where it is, and all that lies there."""

    settings: dict[str, str]
    entities: list[dict[str, Any]]

    def days(self) -> list[date]:
        """Return the days that have rows, the earliest first."""
        parts = sorted(
            {each["PartitionKey"] for each in self.entities if each["RowKey"] != HEAD}, reverse=True
        )
        return [date.fromisoformat(part.partition("_")[2]) for part in sorted(parts, reverse=True)]


@pytest.fixture(scope="module")
def record(azurite_server: Azurite) -> Record:
    """Let two processes append 500 events each at the same time."""
    settings = settings_of(azurite_server, f"t{uuid.uuid4().hex}")
    writers = [
        subprocess.Popen(
            [sys.executable, "tests/audit_log_writer.py", name, str(EVENTS)],
            cwd=ROOT,
            env={**os.environ, **settings},
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("jamie", "robin")
    ]
    said = [writer.communicate(timeout=300)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0], said
    with client_of(settings) as client:
        return Record(settings, [{**each} for each in client.list_entities()])


def client_of(settings: dict[str, str]) -> TableClient:
    return table_client(
        connection=settings["LEDGER_CONNECTION"], account_url="", table=settings["AUDIT_TABLE"]
    )


@pytest.mark.slow
def test_a_thousand_events_of_two_processes_hang_together_and_none_is_lost(record: Record) -> None:
    done = run(record.settings, "verify")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"all is well: rows 1000, days {len(record.days())}\n")
    assert len(record.days()) >= 4
    said = [json.loads(each["row"])["event"] for each in record.entities if each["RowKey"] != HEAD]
    numbers = [(each["actor"], each["approval_id"]) for each in said]
    wanted = [(f"{name}@example.com", number) for name in ("jamie", "robin") for number in range(EVENTS)]
    assert sorted(numbers) == wanted


@pytest.mark.slow
def test_an_export_of_all_says_what_was_written(record: Record, tmp_path: Path) -> None:
    first, *_, last = record.days()
    file = tmp_path / "all.jsonl"

    done = run(
        record.settings,
        *("export", "--from", str(first), "--to", str(last), "--format", "jsonl", "--out", str(file)),
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1000 rows written\n")
    lines = file.read_text("utf-8").splitlines()
    rows = [each["row"] for each in record.entities if each["RowKey"] != HEAD]
    events = [json.loads(row)["event"] for row in rows]
    exported = [{name: value for name, value in json.loads(line).items() if name in NAMES} for line in lines]
    assert sorted(map(canonical, exported)) == sorted(map(canonical, events))


# In this process.


@pytest.fixture
def table_of(
    azurite_server: Azurite, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[TableAuditStore]:
    """Configure this process for a table of its own, in an empty folder, and yield the store."""
    monkeypatch.chdir(tmp_path)
    settings = settings_of(azurite_server, f"t{uuid.uuid4().hex}")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with client_of(settings) as client:
        yield TableAuditStore(client)


@pytest.mark.slow
def test_a_record_that_is_whole_ends_with_0_and_says_where_it_ends(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)

    assert main(["verify"]) == 0

    end = next(head for _, head in table_of.heads())
    assert end is not None
    assert capsys.readouterr().out == (
        f"all is well: rows 12, days 3\nit ends at 2026-11-25, row 4, hash {end.hash}\n"
    )


def test_a_record_that_is_broken_ends_with_1_and_says_how_far_it_is_whole(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)
    table_of._client.delete_entity(partition(TUESDAY), row_key(3))

    assert main(["verify"]) == 1

    assert capsys.readouterr().out == (
        "broken at 2026-11-24, row 3: removed (the next that is there is row 4)\n"
        "whole up to there: rows 5, days 1\n"
    )


def change(store: TableAuditStore) -> None:
    rows = list(store.rows(TUESDAY))
    rows[2] = replace(rows[2], text=rows[2].text.replace('"approval_id":6', '"approval_id":9'))
    put(store, head_of(store, TUESDAY), rows)


def remove_a_day(store: TableAuditStore) -> None:
    store.erase(TUESDAY, with_head=True)


def roll_back_a_head(store: TableAuditStore) -> None:
    """Put up a head of some minutes ago, which was sealed genuinely."""
    head, rows = head_of(store, WEDNESDAY), list(store.rows(WEDNESDAY))
    put(store, Seals(KEYS).sealed(replace(head, seq=3, hash=rows[2].hash)), rows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "place"),
    [
        (change, "2026-11-24, row 3: changed"),
        (remove_a_day, "2026-11-24: removed"),
        (roll_back_a_head, "2026-11-25: head does not fit"),
    ],
)
def test_what_was_spoiled_in_the_table_is_found_and_its_place_is_named(
    table_of: TableAuditStore,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[TableAuditStore], None],
    place: str,
) -> None:
    """What else a stranger does is in `test_audit_log_chain.py`."""
    fill(table_of, keys=KEYS)
    spoil(table_of)

    assert main(["verify"]) == 1

    assert capsys.readouterr().out.startswith(f"broken at {place}")


@pytest.mark.slow
def test_the_rows_of_some_days_can_be_checked_alone(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)
    table_of._client.delete_entity(partition(TUESDAY), row_key(3))

    assert main(["verify", "--to", "2026-11-23"]) == 0
    assert main(["verify", "--from", "2026-11-25"]) == 0
    assert main(["verify", "--from", "2026-11-24", "--to", "2026-11-24"]) == 1
    assert "all is well: rows 4, days 1\n" in capsys.readouterr().out


def test_what_was_purged_and_what_is_unsealed_is_told(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = ManualClock()
    old = audit_log_on(table_of, clock=clock, keys={".old": FOREIGN_KEY})
    for _ in range(3):
        old.append([event(1), event(2)])
        clock.advance(DAY_S)
    both = audit_log_on(table_of, clock=clock, keys={**KEYS, ".old": FOREIGN_KEY})
    both.append([event(3)])
    both.purge(keep_days=2)

    assert main(["verify"]) == 0

    assert capsys.readouterr().out.splitlines()[0] == (
        "all is well: rows 5, days 3, rows whose key is not known any more 4, rows purged 2, up to 2026-11-23"
    )


@pytest.mark.slow
def test_a_record_whose_end_nobody_vouches_for_ends_with_2_and_names_the_key(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys={"other": FOREIGN_KEY})

    assert main(["verify"]) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        "cannot tell: nobody vouches for what was sealed by the key other (rows 12, days 3, "
        "rows whose key is not known any more 12). If you had a key of that name, put it back"
    )
    assert "keep the table as it is, and name another in AUDIT_TABLE" in said.err


@pytest.mark.slow
def test_a_record_that_was_made_anew_ends_with_2_before_and_after_the_next_event(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody with the rights to the table puts another name on everything, then the app has an event."""
    audit_log = fill(table_of, keys=KEYS)
    rewrite(table_of, kid="k0", actor="mallory@example.com")

    assert main(["verify"]) == 2
    assert audit_log.record([event(99)], required=False) is False
    assert main(["verify"]) == 2
    assert main(["verify", "--retired", "k0"]) == 2

    assert capsys.readouterr().err.count("nobody vouches for what was sealed by the key k0 ") == 3


def test_a_key_that_is_gone_can_be_named_as_retired(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    silently(table_of, before={"old": FOREIGN_KEY}, after=KEYS)

    assert main(["verify"]) == 2
    assert main(["verify", "--retired", "older", "--retired", "old"]) == 0

    assert "all is well: rows 3, days 2, rows whose key is not known any more 2" in capsys.readouterr().out


# Anchors.


@pytest.fixture
def log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Callable[[], Path]:
    """Return what exports the log of the app so far, as the portal does."""
    caplog.set_level(logging.INFO, logger="coupa_core")

    def export() -> Path:
        file = tmp_path / "query_data.csv"
        with file.open("w", encoding="utf-8-sig", newline="") as lines:
            rows = csv.writer(lines, quoting=csv.QUOTE_ALL)
            rows.writerow(["timestamp [UTC]", "message"])
            rows.writerows(["11/23/2026, 9:00:00.000 AM", each.getMessage()] for each in caplog.records)
        return file

    return export


def test_a_record_that_has_all_that_the_log_names_ends_with_0(
    table_of: TableAuditStore, log: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)

    assert main(["verify", "--anchors", str(log())]) == 0

    assert "of 3 places that the log names, 3 were compared\n" in capsys.readouterr().out


@pytest.mark.slow
def test_rows_and_head_that_were_set_back_together_end_with_1_by_the_log(
    table_of: TableAuditStore, log: Callable[[], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    audit_log = fill(table_of, keys=KEYS)
    head = {**table_of._client.get_entity(partition(WEDNESDAY), row_key(0))}
    audit_log.append([event(99)])
    table_of._client.delete_entity(partition(WEDNESDAY), row_key(5))
    table_of._client.upsert_entity(head, mode=UpdateMode.REPLACE)

    assert main(["verify"]) == 0
    assert main(["verify", "--anchors", str(log())]) == 1
    audit_log.append([event(100)])
    assert main(["verify"]) == 0
    assert main(["verify", "--anchors", str(log())]) == 1

    said = capsys.readouterr().out
    assert "broken at 2026-11-25, row 5: removed (it was noted outside of the store: set back)\n" in said
    assert "broken at 2026-11-25, row 5: not what was noted (" in said


def test_a_file_without_anchors_ends_with_2(
    table_of: TableAuditStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)
    file = tmp_path / "log.txt"
    file.write_text("sweep complete duration_s=1.0\n")

    assert main(["verify", "--anchors", str(file)]) == 2
    assert main(["verify", "--anchors", str(tmp_path / "nowhere")]) == 2

    said = capsys.readouterr().err
    assert "begins with: audit day=" in said
    assert "cannot read" in said


def test_a_record_that_is_not_there_ends_with_2(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """All of it may be gone: that is nothing to call well."""
    assert main(["verify"]) == 2

    assert "nothing is recorded in table" in capsys.readouterr().err
    assert table_of.head(MONDAY) is None


# Exports.


def written(store: TableAuditStore) -> AuditLog:
    """Append events whose every text is hostile, and one with all fields."""
    audit_log = audit_log_on(store, keys=KEYS)
    audit_log.append([full_event(), event(1)])
    audit_log.append([event(index, actor=text, cause=text, verb=text) for index, text in enumerate(HOSTILE)])
    return audit_log


EXPORT = ["export", "--from", "2026-11-23", "--to", "2026-11-23", "--format"]
NUMBERS = ("approval_id", "document_id", "generation")


def expected() -> list[dict[str, Any]]:
    """Return what the events say, in their order."""
    texts = [event(index, actor=text, cause=text, verb=text) for index, text in enumerate(HOSTILE)]
    return [each.values() for each in (full_event(), event(1), *texts)]


def check_hashes(rows: list[dict[str, Any]]) -> None:
    """Check the chain of what was exported, without the table."""
    prev = "0" * 64
    for row in rows:
        said = {"event": {name: row[name] for name in NAMES if name in row}}
        said |= {"day": row["day"], "seq": row["seq"], "kid": row["kid"], "nonce": row["nonce"]}
        assert row["prev"] == prev
        prev = row_hash(prev, canonical(said))
        assert row["hash"] == prev
        assert Seals(KEYS).hold(row["kid"], text=prev, seal=row["seal"])


def test_json_lines_say_what_was_recorded_and_can_be_checked_without_the_table(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    written(table_of)

    assert main([*EXPORT, "jsonl"]) == 0

    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == f"{len(rows)} rows written\n"
    assert [{name: row[name] for name in NAMES if name in row} for row in rows] == expected()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    check_hashes(rows)


def test_csv_says_what_was_recorded_and_no_cell_is_a_formula(
    table_of: TableAuditStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(table_of)
    file = tmp_path / "out.csv"

    assert main([*EXPORT, "csv", "--out", str(file)]) == 0

    assert capsys.readouterr().out == ""
    data = file.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")  # without it a spreadsheet takes the letters for others
    with file.open(encoding="utf-8-sig", newline="") as lines:
        cells = list(csv.DictReader(lines))
    assert tuple(cells[0]) == COLUMNS
    harmless = [text for row in cells for text in row.values()]
    assert not [text for text in harmless if text.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d"))]
    rows = [plain(row) for row in cells]
    assert [{name: row[name] for name in NAMES if name in row} for row in rows] == expected()
    check_hashes(rows)
    assert [each.name for each in tmp_path.iterdir()] == ["out.csv"]


def plain(cells: dict[str, str]) -> dict[str, Any]:
    """Take the first apostrophe off, and make numbers of numbers."""
    texts = {name: text.removeprefix("'") for name, text in cells.items() if text}
    return {name: int(text) if name in (*NUMBERS, "seq") else text for name, text in texts.items()}


def test_csv_on_the_standard_output_has_no_byte_order_mark(
    table_of: TableAuditStore, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    written(table_of)

    assert main([*EXPORT, "csv"]) == 0

    assert capsysbinary.readouterr().out.startswith(b'"day","seq","kind","at",')


def test_only_the_days_that_were_asked_for_are_exported(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)

    assert main(["export", "--from", "2026-11-24", "--to", "2026-11-24", "--format", "jsonl"]) == 0

    assert [json.loads(line)["approval_id"] for line in capsys.readouterr().out.splitlines()] == [
        4,
        5,
        6,
        7,
        8,
    ]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["csv", "jsonl"])
def test_a_row_that_cannot_be_read_does_not_block_the_others(
    table_of: TableAuditStore, capsys: pytest.CaptureFixture[str], style: str
) -> None:
    fill(table_of, keys=KEYS)
    row = {**table_of._client.get_entity(partition(MONDAY), row_key(2)), "row": "=not json"}
    table_of._client.upsert_entity(row, mode=UpdateMode.REPLACE)

    assert main([*EXPORT, style]) == 0

    said = capsys.readouterr()
    assert said.err == "3 rows written\n"
    assert ('"\'=not json"' if style == "csv" else '"unreadable": "=not json"') in said.out


def test_a_text_that_cannot_be_encoded_is_written_all_the_same() -> None:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="backslashreplace")
    row = Row(1, canonical({"event": {"actor": "\ud83d"}, "day": "x"}), "", "", "")

    assert write_rows([(MONDAY, row)], out, style="jsonl") == 1


@pytest.mark.parametrize("style", ["csv", "jsonl"])
def test_rows_are_written_as_they_come_and_none_is_held(style: str) -> None:
    """There is no end to them; whoever held them would never write one."""
    row = Row(1, canonical({"event": {"actor": "a"}}), "", "", "")
    out = _Full(lines=1_000)

    with pytest.raises(OSError, match="full"):
        write_rows(itertools.repeat((MONDAY, row)), out, style=style)


class _Full(io.StringIO):
    """A file on a disk that takes so many lines."""

    def __init__(self, *, lines: int) -> None:
        super().__init__()
        self._left = lines

    def write(self, text: str) -> int:
        self._left -= 1
        if self._left < 0:
            raise OSError("full")
        return len(text)


def test_an_export_that_was_broken_off_leaves_no_file_of_that_name(
    table_of: TableAuditStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "LEDGER_CONNECTION", os.environ["LEDGER_CONNECTION"].replace("127.0.0.1:", "127.0.0.1:1")
    )
    file = tmp_path / "out.csv"
    file.write_text("the one of yesterday")

    assert main([*EXPORT, "csv", "--out", str(file)]) == 2

    assert file.read_text() == "the one of yesterday"


# What is wrong with the settings, the store, or the usage.


def test_a_file_that_cannot_be_written_ends_with_2(
    table_of: TableAuditStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*EXPORT, "csv", "--out", str(tmp_path / "nowhere" / "out.csv")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_missing_settings_end_with_2_and_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main(["verify"]) == 2

    said = capsys.readouterr().err
    assert said.startswith("cannot tell: the settings are not right: ")
    assert "COUPA_BASE_URL: is missing" in said
    assert "LEDGER_CONNECTION: is missing" in said


def test_a_record_in_memory_cannot_be_read_by_another_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)

    assert main(["verify"]) == 2
    assert "LEDGER_CONNECTION: memory keeps nothing" in capsys.readouterr().err


def test_a_store_that_is_not_there_ends_with_2_and_says_what_to_check(
    table_of: TableAuditStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = (
        "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:1/a;"
    )
    monkeypatch.setenv("LEDGER_CONNECTION", connection)

    assert main(["verify"]) == 2

    said = capsys.readouterr().err
    assert "(audit_lost)" in said
    assert "check LEDGER_CONNECTION" in said


def test_what_the_environment_does_not_say_comes_from_the_local_settings(
    table_of: TableAuditStore,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(table_of, keys=KEYS)
    values: dict[str, Any] = {name: os.environ[name] for name in SETTINGS}
    for name in SETTINGS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COUPA_CLIENT_ID", " ")
    values |= {"AUDIT_TABLE": "another", "Number": 5}
    text = json.dumps({"IsEncrypted": False, "Values": values})
    (tmp_path / "local.settings.json").write_bytes(b"\xef\xbb\xbf" + text.encode())

    assert main(["verify"]) == 0  # the table is that of the environment
    monkeypatch.delenv("AUDIT_TABLE")
    assert main(["verify"]) == 2
    assert "table another" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"Values": []}', '{"Values": null}', "\xff"])
def test_local_settings_that_cannot_be_read_end_with_2(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "local.settings.json").write_bytes(text.encode("latin-1"))

    assert main(["verify"]) == 2
    assert "local.settings.json: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["check"],
        ["verify", "--from", "yesterday"],
        ["verify", "--from", "2026-11-24", "--to", "2026-11-23"],
        ["export", "--from", "2026-11-23", "--format", "csv"],
        ["export", "--from", "2026-11-23", "--to", "2026-11-23"],
        [*EXPORT, "xlsx"],
    ],
)
def test_a_wrong_usage_ends_with_2_and_shows_the_right_one(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: python -m coupa_core.audit" in capsys.readouterr().err


def test_the_module_can_be_run(
    table_of: TableAuditStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(table_of, keys=KEYS)
    monkeypatch.setattr(sys, "argv", ["audit", "verify"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("coupa_core.audit", run_name="__main__")

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("all is well")
