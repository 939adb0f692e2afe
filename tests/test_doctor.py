"""The doctor is green on the sandbox, and names the cause of each fault and the value to change."""

from __future__ import annotations

import json
import random
import re
import runpy
import sys
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from bridge import COUPA, LISTENER, MOVEWORKS, SETTINGS, World
from canaries import CLIENT_ID, CLIENT_SECRET, NEEDLES, TOKEN_KEY
from ledger_contract import put, row
from werkzeug.wrappers import Request, Response

from coupa_core.app import Overrides
from coupa_core.doctor import Finding, Verdict, examine
from coupa_core.doctor import __main__ as command
from coupa_core.documents import SCOPES
from coupa_core.environment import environment_of
from coupa_core.errors import SettingsError
from coupa_core.facts import FACT_RESOURCES, Fact
from coupa_core.hosting import THREADS
from coupa_core.ledger import State
from coupa_core.schedule import Schedule
from coupa_core.settings import HOST_STORAGE, NAMES
from coupa_core.table_ledger import TableStore
from coupa_core.tables import table_client
from sandbox.azurite import ACCOUNT, KEY, Azurite
from sandbox.clock import ManualClock
from sandbox.coupa import CoupaSimulator
from sandbox.coupa.server import BASELINE, EVERY
from sandbox.coupa.world import DELETED
from sandbox.moveworks import MoveworksSimulator
from sandbox.serving import InProcess, served

JAMIE = "jamie@example.com"


@dataclass
class Stage:
    """The sandbox, and the command that looks at it.

    Attributes:
        settings: as the environment has them.
        clock: of the machine that asks; the services have the world's.
    """

    world: World
    settings: dict[str, str]
    clock: ManualClock = field(default_factory=ManualClock)
    coupa: Any = None
    moveworks: Any = None

    def overrides(self) -> Overrides:
        """Return what replaces the network."""
        return Overrides(
            self.clock,
            random.Random(1),
            coupa_session=_session(COUPA, self.coupa or self.world.coupa.front),
            moveworks_session=_session(MOVEWORKS, self.moveworks or self.world.moveworks.front),
        )

    def findings(self) -> list[Finding]:
        """Return what the doctor finds."""
        return list(examine(self.settings, self.overrides()))

    def wrong(self) -> dict[str, str]:
        """Return what must be changed, by what was looked at."""
        return {each.subject: each.text for each in self.findings() if each.verdict is Verdict.WRONG}

    def says(self, subject: str) -> list[Finding]:
        """Return the findings about one thing."""
        return [each for each in self.findings() if each.subject == subject]


def _session(base: str, front: Any) -> requests.Session:
    session = requests.Session()
    session.mount(base, InProcess(front))
    return session


@pytest.fixture
def stage(azurite_server: Azurite) -> Stage:
    """Return a sandbox on which all is well."""
    tables = {name: f"t{uuid.uuid4().hex}" for name in ("LEDGER_TABLE", "AUDIT_TABLE")}
    settings = {**SETTINGS, **tables, THREADS: "100", "LEDGER_CONNECTION": azurite_server.connection_string}
    return Stage(World(), settings)


@pytest.fixture
def run(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Return the command, which returns its exit status and what it printed, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def told(*arguments: str, settings: Mapping[str, str] | None = None) -> tuple[int, str]:
        for name, value in (stage.settings if settings is None else settings).items():
            monkeypatch.setenv(name, value)
        status = command.main(arguments, overrides=stage.overrides())
        out = capsys.readouterr().out
        assert not [needle for needle in NEEDLES if needle in out]
        return status, out

    return told


@pytest.mark.slow
def test_on_the_sandbox_all_is_well(stage: Stage, run: Any) -> None:
    status, out = run()

    assert status == 0
    assert [line.split()[0] for line in out.splitlines()].count("wrong") == 0
    for line in (
        "ok    Coupa: takes our client and gave a token",
        "ok    core.requisition.read: requisitions can be read",
        "ok    Moveworks: takes our key",
        "note  MOVEWORKS_EVENT_ID: cannot be checked without sending a message",
        "ok    LEDGER_TABLE: a row can be written, read and deleted",
        "ok    AUDIT_TABLE: a row can be written, read and deleted",
        "ok    clock: agrees with coupa's within 30 s",
        "ok    clock: agrees with moveworks's within 30 s",
        "ok    ACTION_TOKEN_KEYS: k1 signs; how old the keys are is not known here",
    ):
        assert line in out
    assert stage.world.moveworks.delivered == []
    assert stage.world.puts() == 0


def test_nothing_is_left_in_the_tables(stage: Stage, run: Any) -> None:
    run()

    for name in ("LEDGER_TABLE", "AUDIT_TABLE"):
        connection = stage.settings["LEDGER_CONNECTION"]
        with table_client(connection=connection, account_url="", table=stage.settings[name]) as client:
            assert list(client.list_entities()) == []


# The faults.


def test_1_another_regions_host_does_not_take_the_key(stage: Stage) -> None:
    stage.moveworks = MoveworksSimulator(api_key="of another region", event_id="e", clock=stage.clock).front

    assert "MOVEWORKS_BASE_URL for your region" in stage.wrong()["Moveworks"]


def test_1_a_host_that_is_not_there_is_named_with_its_setting(stage: Stage) -> None:
    stage.moveworks = None
    stage.world.moveworks.front.fail("cut", times=None)

    assert "check MOVEWORKS_BASE_URL" in stage.wrong()["Moveworks"]


def test_2_another_instance_of_coupa_does_not_know_the_client(stage: Stage) -> None:
    stage.coupa = CoupaSimulator(clock=stage.clock, client_id="other", client_secret="other").front

    said = stage.wrong()

    assert "coupa_token answered 401" in said["Coupa"]
    assert said["Coupa"].endswith("check COUPA_BASE_URL, too")
    assert set(said) == {"Coupa"}


def test_3_a_bad_client_secret_is_named_with_its_setting(stage: Stage) -> None:
    stage.settings["COUPA_CLIENT_SECRET"] = "expired"

    assert "check COUPA_CLIENT_ID, COUPA_CLIENT_SECRET" in stage.wrong()["Coupa"]


@pytest.mark.parametrize("scope", ["core.approval.read", "core.requisition.read", "core.user.read"])
def test_4_to_6_a_scope_that_the_client_was_not_granted_is_named(stage: Stage, scope: str) -> None:
    stage.world.coupa.desk.granted_scopes = BASELINE - {scope}

    said = stage.wrong()

    assert set(said) == {"Coupa", scope}
    assert said[scope].startswith("is not granted: grant it to the OAuth client in Coupa")


@pytest.mark.parametrize("scope", ["core.comment.read", "core.comment.write"])
def test_a_scope_that_questions_need_and_the_client_was_not_granted_is_named(
    stage: Stage, scope: str
) -> None:
    stage.settings |= {"COMMENTS": "on", "DOCUMENT_TYPES": "InvoiceHeader"}
    granted = BASELINE | {"core.invoice.read", "core.comment.read", "core.comment.write"}
    stage.world.coupa.desk.granted_scopes = granted

    assert stage.wrong() == {}
    assert [each.verdict for each in stage.says("core.comment.read")] == [Verdict.OK]
    stage.world.coupa.desk.granted_scopes = granted - {scope}
    assert set(stage.wrong()) == {"Coupa", scope}


def test_7_a_wrong_event_id_is_said_to_show_only_when_something_is_sent(stage: Stage) -> None:
    stage.settings["MOVEWORKS_EVENT_ID"] = str(uuid.uuid4())

    [said] = stage.says("MOVEWORKS_EVENT_ID")

    assert said.verdict is Verdict.NOTE
    assert "without sending a message; a wrong one is moveworks_404" in said.text
    assert stage.wrong() == {}


def test_8_a_wrong_api_key_is_named_with_its_setting(stage: Stage) -> None:
    stage.settings["MOVEWORKS_API_KEY"] = "wrong"

    assert "check MOVEWORKS_API_KEY" in stage.wrong()["Moveworks"]


def test_9_a_key_with_a_line_break_at_its_end_is_named_and_works(stage: Stage) -> None:
    stage.settings["MOVEWORKS_API_KEY"] += "\n"

    [said] = stage.says("MOVEWORKS_API_KEY")

    assert (said.verdict, "take it out where it is set" in said.text) == (Verdict.NOTE, True)
    assert stage.wrong() == {}


def test_9_a_key_with_a_line_break_inside_is_named(stage: Stage) -> None:
    stage.settings["MOVEWORKS_API_KEY"] = "two\nlines"

    assert "enter it anew" in stage.wrong()["MOVEWORKS_API_KEY"]


def test_9_a_blank_setting_is_named_as_not_set(stage: Stage) -> None:
    stage.settings["STEP_UP_OVER"] = "\u00a0\r"

    [said] = stage.says("STEP_UP_OVER")

    assert (said.verdict, said.text) == (Verdict.NOTE, "is blank, which counts as not set")
    assert stage.wrong() == {}


def test_the_next_sweep_is_told_and_a_schedule_that_health_cannot_keep_up_with(stage: Stage) -> None:
    stage.settings["POLL_SCHEDULE"] = "30 */14 * * * *"
    [often] = stage.says("POLL_SCHEDULE")
    stage.settings["POLL_SCHEDULE"] = "0 */15 * * * *"
    [seldom] = stage.says("POLL_SCHEDULE")

    due = Schedule.of("30 */14 * * * *").after(stage.world.clock.now())
    assert (often.verdict, often.text) == (
        Verdict.OK,
        f"the next sweep is due at {due:%Y-%m-%d %H:%M:%S} UTC",
    )
    assert seldom.verdict is Verdict.NOTE
    assert "leaves 15 minutes or more between some sweeps: health then answers 503" in seldom.text


@pytest.mark.parametrize(
    ("schedule", "part"),
    [
        ("0 0 0 31 2 *", "never comes: none of its months has such a day"),
        ("0 0 0 * * 7", "has weekdays that the host does not know"),
        ("0 0 22-6 * * *", "has a range of hours that ends before it begins"),
        ("00:05:00", "must not be a span of time"),
    ],
)
def test_a_schedule_that_never_comes_or_that_the_host_refuses_is_wrong(
    stage: Stage, schedule: str, part: str
) -> None:
    stage.settings["POLL_SCHEDULE"] = schedule

    assert part in stage.wrong()["POLL_SCHEDULE"]


@pytest.fixture
def forbidding() -> Iterator[str]:
    """Serve a table service that gives nobody any right, and yield its connection string."""

    @Request.application
    def front(request: Request) -> Response:
        said = {"odata.error": {"code": "AuthorizationPermissionMismatch", "message": {"value": "no"}}}
        return Response(json.dumps(said), status=403, mimetype="application/json")

    with served(front) as url:
        yield (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
            f"TableEndpoint={url}/{ACCOUNT};"
        )


def test_10_tables_without_rights_are_named_with_the_role(stage: Stage, forbidding: str) -> None:
    stage.settings["LEDGER_CONNECTION"] = forbidding

    said = stage.wrong()

    assert set(said) == {"LEDGER_TABLE", "AUDIT_TABLE"}
    assert "answered 403 AuthorizationPermissionMismatch" in said["LEDGER_TABLE"]
    assert "the role Storage Table Data Contributor on the account" in said["LEDGER_TABLE"]


def test_11_a_storage_that_is_not_there_is_named_with_its_settings(stage: Stage) -> None:
    stage.settings["LEDGER_CONNECTION"] = (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"TableEndpoint=http://127.0.0.1:1/{ACCOUNT};"
    )

    said = stage.wrong()["LEDGER_TABLE"]

    assert "check LEDGER_CONNECTION, and the account's network rules" in said


def test_11_what_is_no_connection_string_is_named(stage: Stage) -> None:
    stage.settings["LEDGER_CONNECTION"] = "AccountName=acme"

    assert "is no connection string" in stage.wrong()["LEDGER_CONNECTION"]


def test_11_a_ledger_in_memory_is_no_fault_and_is_said(stage: Stage) -> None:
    stage.settings["LEDGER_CONNECTION"] = "memory"

    [said] = stage.says("LEDGER_CONNECTION")

    assert (said.verdict, "told again after a restart" in said.text) == (Verdict.NOTE, True)


@pytest.mark.parametrize(("step_s", "side"), [(3600, "ahead of"), (-3600, "behind")])
def test_12_a_clock_that_is_an_hour_off_is_named(stage: Stage, step_s: int, side: str) -> None:
    stage.clock.step(step_s)

    clocks = [each for each in stage.says("clock") if each.verdict is Verdict.WRONG]

    assert len(clocks) == 2
    for each, name in zip(clocks, ("coupa", "moveworks"), strict=True):
        assert re.match(rf"is (359|360)\d s {side} {name}'s: ", each.text)
    assert all("set this machine's clock by a time server" in each.text for each in clocks)


def test_services_that_say_no_time_say_nothing_of_the_clock(stage: Stage) -> None:
    for front in (stage.world.coupa.front, stage.world.moveworks.front):
        front.fail("answer", status=200, body="[]", headers={"Date": "now"}, times=None)

    assert stage.says("clock") == []


def test_13_a_key_vault_reference_that_is_not_resolved_is_named_with_the_role(stage: Stage) -> None:
    stage.settings["COUPA_CLIENT_SECRET"] = (
        "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)"
    )

    said = stage.wrong()["COUPA_CLIENT_SECRET"]

    assert "the Key Vault reference is not resolved" in said
    assert "the role Key Vault Secrets User" in said


def test_a_setting_that_is_gone_is_to_be_taken_away_where_it_is_set(stage: Stage) -> None:
    stage.settings["MOVEWORKS_CHANNEL"] = "events"

    said = stage.wrong()["MOVEWORKS_CHANNEL"]

    assert said.startswith("is gone since 0.3.0")
    assert said.endswith("; take it away where it is set")


def test_14_all_missing_and_wrong_settings_are_named_at_once(stage: Stage, run: Any) -> None:
    del stage.settings["MOVEWORKS_API_KEY"]
    stage.settings["COUPA_BASE_URL"] = "acme"

    status, out = run()

    assert status == 1
    where = "set it in the app's settings, or in local.settings.json on your machine"
    assert f"wrong MOVEWORKS_API_KEY: is missing; {where}" in out
    assert "wrong COUPA_BASE_URL: must be a URL such as https://name.example.com" in out
    assert out.count("wrong ") == 2


def test_a_page_in_the_place_of_coupa_is_named_with_its_setting(stage: Stage) -> None:
    stage.world.coupa.front.fail("answer", status=200, body="<html>parked</html>", times=None)

    assert "check COUPA_BASE_URL" in stage.wrong()["Coupa"]


def test_coupa_without_delegations_is_no_fault_and_is_said(stage: Stage) -> None:
    stage.world.coupa.front.fail("answer", status=403, path="/api/delegations", times=None)

    [said] = stage.says("delegations")

    assert said.verdict is Verdict.NOTE
    assert "coupa_403" in said.text


def test_lines_that_came_whole_are_said_and_those_that_nobody_counts_are_not_called_whole(
    stage: Stage,
) -> None:
    assert [each.verdict for each in stage.says("lines of requisitions")] == [Verdict.NOTE]
    stage.world.requisition(JAMIE)

    [said] = stage.says("lines of requisitions")

    assert (said.verdict, said.text) == (Verdict.OK, "all came, in 1 of the newest documents")


def test_a_document_that_came_with_fewer_lines_than_coupa_counts_is_named(stage: Stage) -> None:
    world = stage.world.coupa.world
    stage.settings["DOCUMENT_TYPES"] = "RequisitionHeader,InvoiceHeader"
    number = stage.world.requisition(JAMIE)
    stage.world.requisition(JAMIE)
    world.override(("requisition", number), {"requisition-lines": DELETED})
    bill = world.add_document(approvable_type="InvoiceHeader", approvers=[], invoice_lines=[{"id": 1}])
    world.override(("document", bill), {"line-count": "odd"})

    said = stage.wrong()

    assert said.keys() == {"lines of requisitions"}
    assert (
        f"1 of 2 documents came with fewer lines than Coupa counts in them ({number}: 0 of 1)"
        in (said["lines of requisitions"])
    )
    assert [each.verdict for each in stage.says("lines of invoices")] == [Verdict.NOTE]


def test_lines_that_cannot_be_read_are_named(stage: Stage) -> None:
    stage.world.requisition(JAMIE)
    front = stage.world.coupa.front
    front.fail("answer", status=400, path="/api/requisitions", query="line-count", times=None)

    assert stage.wrong().keys() == {"lines of requisitions"}


def test_only_what_the_enabled_types_need_is_asked_for(stage: Stage) -> None:
    stage.settings["DOCUMENT_TYPES"] = "InvoiceHeader"

    subjects = [each.subject for each in stage.findings()]

    assert "core.requisition.read" not in subjects
    assert "core.invoice.read" in subjects


@pytest.mark.parametrize("types", ["RequisitionHeader,InvoiceHeader", "*"])
def test_what_is_read_of_a_type_is_not_called_unread(stage: Stage, types: str) -> None:
    stage.settings["DOCUMENT_TYPES"] = f"{types},ReceiptRequest"
    stage.world.coupa.world.add_document(
        approvable_type="ReceiptRequest", approvers=[stage.world.person(JAMIE)]
    )
    stage.world.coupa.desk.granted_scopes = EVERY

    said = {each.subject: each for each in stage.findings()}

    assert said["core.invoice.read"].verdict is Verdict.OK
    assert "InvoiceHeader" not in said
    assert said["ReceiptRequest"].text.endswith("nothing else of it is read")


def test_a_type_of_which_coupa_has_no_approval_is_not_said_to_be_announced(stage: Stage) -> None:
    stage.settings["DOCUMENT_TYPES"] = "RequisitionHeader,ReqHeader"
    stage.world.requisition(JAMIE)

    said = stage.wrong()

    assert said.keys() == {"ReqHeader"}
    assert "nothing of it is announced" in said["ReqHeader"]


def test_where_approvals_of_a_type_cannot_be_looked_for_that_is_said(stage: Stage) -> None:
    stage.settings["DOCUMENT_TYPES"] = "RequisitionHeader,ReceiptRequest"
    stage.world.coupa.front.fail("answer", status=400, query="approvable_type.*Receipt", times=None)

    assert "cannot be looked for" in stage.wrong()["ReceiptRequest"]


def test_the_scope_of_each_readable_type_that_is_not_granted_is_named(stage: Stage) -> None:
    stage.settings["DOCUMENT_TYPES"] = "RequisitionHeader,InvoiceHeader"
    stage.world.coupa.desk.granted_scopes = EVERY - {"core.invoice.read"}

    assert set(stage.wrong()) == {"Coupa", "core.invoice.read"}


@pytest.mark.parametrize("fact", Fact)
def test_each_fact_that_is_switched_on_is_read_as_a_sweep_reads_it(stage: Stage, fact: Fact) -> None:
    stage.settings["FACTS"] = fact

    said = [each.text for each in stage.says(SCOPES["GET", FACT_RESOURCES[fact]])]

    assert f"{FACT_RESOURCES[fact]} can be read, for FACTS: {fact}" in said
    lines = [each.text for each in stage.says("core.requisition.read")]
    assert "requisitions can be read, for FACTS: what leads to facts" in lines


@pytest.mark.parametrize("fact", [fact for fact in Fact if fact is not Fact.OPEN_REQUESTS])
def test_the_scope_of_a_fact_that_is_not_granted_is_named(stage: Stage, fact: Fact) -> None:
    scope = SCOPES["GET", FACT_RESOURCES[fact]]
    stage.settings["FACTS"] = ",".join(Fact)
    stage.world.coupa.desk.granted_scopes = EVERY - {scope}

    assert set(stage.wrong()) == {scope}
    [note] = stage.says("FACTS")
    assert (note.verdict, scope in note.text) == (Verdict.NOTE, True)


def test_a_fact_and_a_type_whose_scopes_are_not_granted_are_both_named(stage: Stage) -> None:
    stage.settings |= {"FACTS": "budget", "DOCUMENT_TYPES": "RequisitionHeader,InvoiceHeader"}
    stage.world.coupa.desk.granted_scopes = EVERY - {"core.budget.read", "core.invoice.read"}

    assert set(stage.wrong()) == {"Coupa", "core.invoice.read", "core.budget.read"}


@pytest.mark.parametrize("body", ["{}", "[null, 1]", '[{"foo": 1}]', "<html>"])
@pytest.mark.parametrize("path", ["/api/budget_lines", "/api/requisitions"])
def test_records_of_a_fact_that_are_none_are_named(stage: Stage, path: str, body: str) -> None:
    stage.settings["FACTS"] = "budget"
    stage.world.coupa.front.fail("answer", path=path, query="segment-1", times=None, status=200, body=body)

    [said] = stage.wrong().values()

    assert "for FACTS: " in said
    assert "ask Coupa why, and look for a default API response filter" in said


def test_records_that_say_nothing_of_what_they_are_about_are_named(stage: Stage) -> None:
    stage.settings["FACTS"] = "budget"
    stage.world.coupa.front.fail(
        "answer", path="/api/budget_lines", times=None, status=200, body='[{"id": 1}, {"id": 2}]'
    )

    [said] = stage.wrong().values()

    assert said.startswith("none of 2 records of budget_lines says what it is about, for FACTS: budget")


def test_a_fact_that_coupa_closes_is_named_with_what_it_is_for(stage: Stage) -> None:
    stage.settings["FACTS"] = "budget,supplier_status"
    stage.world.coupa.front.fail("answer", path="/api/suppliers", times=None, status=403)

    said = stage.wrong()

    assert set(said) == {"core.supplier.read"}
    assert ", for FACTS: supplier_status: grant it to the OAuth client" in said["core.supplier.read"]


def test_the_listeners_faults_are_the_listeners(stage: Stage) -> None:
    stage.settings |= LISTENER

    said = {each.subject: each.text for each in stage.findings()}

    assert said["Moveworks"] == "takes our signed message"
    assert "MOVEWORKS_EVENT_ID" not in said
    assert "ErrorSignatureVerificationFailed" in said["MOVEWORKS_LISTENER_SECRET"]


def test_without_our_clients_login_it_is_said_what_cards_lack(stage: Stage) -> None:
    assert stage.says("COUPA_CLIENT_LOGIN") == []
    del stage.settings["COUPA_CLIENT_LOGIN"]

    [said] = stage.says("COUPA_CLIENT_LOGIN")

    assert (said.verdict, "cards name our client" in said.text) == (Verdict.NOTE, True)


def test_keys_are_named_by_their_kids(stage: Stage) -> None:
    stage.settings["ACTION_TOKEN_KEYS"] = json.dumps({"new": TOKEN_KEY, "old": TOKEN_KEY})
    stage.settings["AUDIT_KEYS"] = json.dumps({"seal": TOKEN_KEY})

    assert str(stage.says("ACTION_TOKEN_KEYS")[0]).startswith(
        "ok    ACTION_TOKEN_KEYS: new signs, old still verify;"
    )
    assert stage.says("AUDIT_KEYS")[0].text.startswith("seal signs;")


# The preview.


def test_the_preview_says_who_would_be_told_what_and_sends_and_writes_nothing(stage: Stage, run: Any) -> None:
    world = stage.world
    first = world.requisition(JAMIE, "robin@example.com", title="Ten <laptops>\x1b[31m")
    number = world.coupa.world.approvals_of(first)[0].id
    connection = stage.settings["LEDGER_CONNECTION"]
    with table_client(connection=connection, account_url="", table=stage.settings["LEDGER_TABLE"]) as client:
        store = TableStore(client)
        put(store, [row(4711, cause="gone from Coupa")])
        before = store.open_entries().entries
        status, out = run("--preview")
        after = store.open_entries().entries

    assert status == 0
    assert f"{JAMIE} would be told of approval {number}:" in out
    assert "Ten <laptops>" in out
    assert "\x1b" not in out
    assert "1 without a message: waiting not_your_turn" in out
    assert "sweep complete" in out
    assert before == after
    assert world.moveworks.delivered == []


def test_the_preview_knows_what_the_ledger_knows(stage: Stage, run: Any) -> None:
    world = stage.world
    for _ in range(2):
        world.requisition(JAMIE)
    world.sweep()
    told, closed = world.store.open_entries().entries
    connection = stage.settings["LEDGER_CONNECTION"]
    with table_client(connection=connection, account_url="", table=stage.settings["LEDGER_TABLE"]) as client:
        store = TableStore(client)
        put(store, [told])
        put(store, [type(closed)(**{**vars(closed), "state": State.CLOSED})], are_closed=True)
        _, out = run("--preview")

    assert f"would be told of approval {closed.approval_id}:" in out
    assert f"of approval {told.approval_id}:" not in out
    assert "1 without a message: sent" in out


def test_there_is_no_preview_while_something_is_wrong(stage: Stage, run: Any) -> None:
    stage.world.requisition(JAMIE)
    stage.settings["MOVEWORKS_API_KEY"] = "wrong"

    status, out = run("--preview")

    assert status == 1
    assert "would be told" not in out


# The command.


def test_a_wrong_call_ends_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["--no-such-thing"])

    assert ended.value.code == 2


def test_without_settings_the_command_names_them_and_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["doctor"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(command.__file__), run_name="__main__")

    assert ended.value.code == 1
    assert "wrong COUPA_BASE_URL: is missing" in capsys.readouterr().out


def test_settings_come_from_the_file_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COUPA_CLIENT_ID", CLIENT_ID)
    values = {"COUPA_CLIENT_ID": "of the file", "COUPA_CLIENT_SECRET": CLIENT_SECRET, "CLAIM_LEASE_S": 60}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}), encoding="utf-8-sig")

    read = environment_of(tmp_path)

    assert (read["COUPA_CLIENT_ID"], read["COUPA_CLIENT_SECRET"]) == (CLIENT_ID, CLIENT_SECRET)
    assert read["CLAIM_LEASE_S"] == "60"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"Values": []}', '{"IsEncrypted": true, "Values": {"A": "x"}}', "[" * 100_000]
)
def test_a_file_of_settings_that_cannot_be_read_is_named(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "local.settings.json").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SettingsError, match=r"local\.settings\.json"):
        environment_of(tmp_path)
    assert command.main([]) == 1
    assert capsys.readouterr().out.startswith("wrong local.settings.json: ")


def out_of(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the command prints in a folder, where the environment has nothing but a client's id."""
    monkeypatch.chdir(folder)
    for name in (*NAMES, HOST_STORAGE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COUPA_CLIENT_ID", CLIENT_ID)
    assert command.main([]) == 1
    return capsys.readouterr().out


def test_what_comes_from_the_local_file_is_named_and_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    values = {"COUPA_CLIENT_ID": "x", "COUPA_CLIENT_SECRET": CLIENT_SECRET, "PILOT": " ", "OTHER": "y"}
    (tmp_path / "local.settings.json").write_text(json.dumps({"Values": values}), encoding="utf-8")

    given = "it gives COUPA_CLIENT_SECRET, which the environment does not"
    said = f"note  local.settings.json: is read, too: {given}"
    out = out_of(tmp_path, monkeypatch, capsys)
    assert out.splitlines()[0] == said
    assert CLIENT_SECRET not in out

    (tmp_path / "bridge.env").touch()
    out = out_of(tmp_path, monkeypatch, capsys)
    assert out.splitlines()[0] == f"{said}; to look at bridge.env alone, move it away"


def test_where_there_is_a_bridge_env_the_advice_is_to_mend_that_and_to_type_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bridge.env").touch()

    out = out_of(tmp_path, monkeypatch, capsys)

    file, typed = "set it in bridge.env, and ask again by step 5", "give it to this terminal by step 4"
    for name, where in {
        "COUPA_BASE_URL": file,
        "MOVEWORKS_EVENT_ID": file,
        "COUPA_CLIENT_SECRET": typed,
        "MOVEWORKS_API_KEY": typed,
        "ACTION_TOKEN_KEYS": typed,
    }.items():
        assert f"wrong {name}: is missing; {where} of docs/operations.md\n" in out
    assert "local.settings.json" not in out


# ---------------------------------------------------------------------- the pilot


def piloted(stage: Stage, who: str) -> list[str]:
    """Return what is said of a pilot while three approvals wait, after one sweep of the app."""
    for person in ("jamie@example.com", "robin@example.com", "eva@example.de"):
        stage.world.requisition(person)
    stage.settings["PILOT"] = stage.world.settings["PILOT"] = who
    stage.world.store = TableStore(
        table_client(
            connection=stage.settings["LEDGER_CONNECTION"],
            account_url="",
            table=stage.settings["LEDGER_TABLE"],
            options={},
        )
    )
    stage.world.restart()
    stage.world.sweep()
    return [str(each) for each in stage.says("PILOT")]


def test_the_pilot_is_named_with_how_many_wait(stage: Stage) -> None:
    [said] = piloted(stage, "jamie@example.com")

    assert said == (
        "note  PILOT: is on: of 3 people whom Coupa asks now it names 1; 2 approvals wait for nothing but "
        "that it names the others or is empty"
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("exampel.com", "wrong PILOT: entry 2 fits nobody whom Coupa asks now: did you mean example.com?"),
        (
            "robyn@example.com",
            "wrong PILOT: entry 2 fits nobody whom Coupa asks now: did you mean robin@example.com?",
        ),
        (
            "other.test",
            (
                "note  PILOT: entry 2 fits nobody whom Coupa asks now; the domains of those whom it asks: "
                "example.com, example.de"
            ),
        ),
    ],
)
def test_an_entry_that_fits_nobody_is_said_and_one_that_may_be_meant(
    stage: Stage, entry: str, said: str
) -> None:
    assert piloted(stage, f"jamie@example.com,{entry}")[1:] == [said]


def test_without_a_pilot_nothing_is_said_of_it(stage: Stage) -> None:
    assert stage.says("PILOT") == []


def test_a_pilot_of_which_coupa_says_nothing_is_named_all_the_same(stage: Stage) -> None:
    stage.settings["PILOT"] = "jamie@example.com"
    stage.coupa = CoupaSimulator(client_id="another", client_secret="another").front

    [said] = map(str, stage.says("PILOT"))

    assert said.startswith("note  PILOT: is on, and others are told nothing; who waits cannot be read now (")
