"""The walk of docs/operations.md, played: every command runs, against stand-ins of the tools.

The stand-ins (`walk/stand_in.py`) know the tools' commands and options, and keep what Azure and GitHub would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from bridge import World
from canaries import API_KEY, CLIENT_ID, CLIENT_SECRET
from infra.snapshots import need_cli, parameters
from preflight import line_faults, read, text_of
from walk.page import PAGE, ROOT, WINDOWS, blocks
from walk.terminal import Folder, Terminal

from coupa_core import keys
from sandbox.serving import served

pytestmark = pytest.mark.slow

BLOCKS = blocks()
LOG_IN, SAY, MAKE = "1. Log in, and set up the commands", "2. Say what is deployed", "3. Make the keys, once"
GIVE, ASK, DEPLOY = (
    "4. Give the secrets to this terminal",
    "5. Ask the doctor",
    "6. Deploy, in one of three ways",
)
AZD, AZ, GITHUB = "With azd", "With az and func", "From GitHub"
LOOK, PILOT, WIDEN = "7. Look", "9. Pilot", "10. Widen"
UPGRADE, REMOVE = "Upgrade", "Remove and try again"

CHANNELS = {
    "events": {"MOVEWORKS_EVENT_ID": "event-1"},
    "listener": {
        "MOVEWORKS_LISTENER_ID": "listener-1",
        "SECRET_NAMES": "COUPA_CLIENT_SECRET,MOVEWORKS_LISTENER_SECRET,ACTION_TOKEN_KEYS,AUDIT_KEYS",
    },
}
FILLED = {
    "ALERT_EMAIL": "ops@example.com",
    "AZURE_SUBSCRIPTION_ID": "00000000-0000-0000-0000-00000000000a",
    "COUPA_BASE_URL": "https://acme.coupahost.com",
    "COUPA_CLIENT_ID": "client",
    "EMAIL_MAP": """'{"ann$HOME@corp.example": "ann@example.com"}'""",
    "TIME_ZONES": """'{"example.de": "Europe/Berlin"}'  # quoted for every reader""",
}
TYPED = {
    "COUPA_CLIENT_SECRET": "coupa's secret \\ $1",
    "MOVEWORKS_API_KEY": "moveworks' key",
    "MOVEWORKS_LISTENER_SECRET": "listener's secret",
}

FIRST = {
    "ALERT_EMAIL": "ops@example.com",
    "AZURE_ENV_NAME": "approvals-test",
    "AZURE_LOCATION": "westeurope",
    "COUPA_BASE_URL": "https://acme.coupahost.com",
    "COUPA_CLIENT_ID": "client",
    "DRY_RUN": "on",
    "SECRET_NAMES": "COUPA_CLIENT_SECRET,MOVEWORKS_API_KEY,ACTION_TOKEN_KEYS,AUDIT_KEYS",
    "EMAIL_MAP": '{"ann$HOME@corp.example": "ann@example.com"}',
    "TIME_ZONES": '{"example.de": "Europe/Berlin"}',
}
"""What a deployment gets of the file as it was filled in, but for the channel."""


class Walk:
    """Somebody who follows the page, in one way over one channel.

    Attributes:
        is_nervous: each block is pasted twice.
        terminal: in which the next block is pasted.
    """

    def __init__(self, path: Path, way: str, channel: str, *, is_nervous: bool) -> None:
        self.folder, self.way, self.channel = Folder(path), way, channel
        self.is_nervous = is_nervous
        self.terminal = Terminal(self.folder)
        self.refused = 0

    def paste(self, *pasted: str) -> str:
        """Paste blocks that must succeed; a second time they may refuse, and must change nothing."""
        said = ""
        for block in pasted:
            asked = re.findall(r"^read -rs (\w+)", block, re.MULTILINE)
            typed = [TYPED[name] for name in asked]
            said, is_well = self.terminal.paste(block, *typed)
            assert (is_well, self.folder.errors[self.refused :]) == (True, []), f"{block}\n{said}"
            if self.is_nervous:
                self.terminal.paste(block, *typed)
                self.refused = len(self.folder.errors)
        return said

    def try_to(self, *pasted: str) -> str:
        """Paste blocks that may fail, and return what was said."""
        said = "".join(self.terminal.paste(block)[0] for block in pasted)
        self.refused = len(self.folder.errors)
        return said

    def another_terminal(self) -> None:
        """Close the terminal, and open another: what stood in variables is gone."""
        self.terminal.close()
        self.terminal = Terminal(self.folder)

    def fill_in(self, **values: str) -> None:
        """Log in, and write bridge.env."""
        copied, self.looked = BLOCKS[SAY]
        self.paste(*BLOCKS[LOG_IN], copied)
        self.folder.write(FILLED | CHANNELS[self.channel] | values)

    def begin(self) -> None:
        """Go to where the deployment begins, by what the look says."""
        self.fill_in()
        [to_do] = re.findall(r"wrong .*: (az provider register .*)", self.try_to(self.looked))
        self.paste(f"{to_do}\n", self.looked, *BLOCKS[MAKE])
        self.give_secrets()

    def give_secrets(self) -> None:
        """Give the secrets to this terminal, without that of the other channel."""
        other = {"events": "MOVEWORKS_LISTENER_SECRET", "listener": "MOVEWORKS_API_KEY"}[self.channel]
        self.paste(*(block for block in BLOCKS[GIVE] if other not in block))

    def make(self) -> list[str]:
        """Return the blocks that make everything."""
        return [*BLOCKS[DEPLOY], *([BLOCKS[AZD][0]] if self.way == "azd" else BLOCKS[AZ])]

    def change(self) -> dict[str, Any]:
        """Deploy a change of bridge.env, and return the variables that the parameters got."""
        if self.way != "github":
            self.paste(BLOCKS[AZD][1] if self.way == "azd" else BLOCKS[AZ][0])
            return self.last()
        self.paste(BLOCKS[GITHUB][1])
        run_workflow(self.folder)
        return self.last()

    def last(self) -> dict[str, Any]:
        """Return the variables of the last deployment, without secrets."""
        variables: dict[str, Any] = self.folder.deployed[-1]["variables"]
        return variables

    def group(self) -> dict[str, Any]:
        """Return what Azure holds of this environment."""
        [group] = self.folder.cloud["groups"].values()
        return dict(group)


def run_workflow(folder: Folder) -> None:
    """Do the step of the workflow that deploys the templates, with GitHub's variables only."""
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text("utf-8"))["jobs"]
    [script] = [step["run"] for step in jobs["deploy"]["steps"] if "what-if" in step.get("run", "")]
    environment = {
        "PATH": f"{folder.walk / 'bin'}:{os.environ['PATH']}",
        "RESOURCE_GROUP": "approvals-test",
        "VARIABLES": json.dumps(folder.cloud["github"]),
        "WALK": str(folder.walk),
    }
    shell = ["bash", "-eo", "pipefail", "-c", script]
    subprocess.run(shell, env=environment, cwd=folder.path, check=True, capture_output=True)


needs_jq = pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq, as GitHub's machines have it")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Walk]]:
    """Return what begins a walk in a folder of its own."""
    begun: list[Walk] = []

    def begin(way: str = "az", channel: str = "events", *, is_nervous: bool = False) -> Walk:
        begun.append(Walk(tmp_path, way, channel, is_nervous=is_nervous))
        return begun[-1]

    yield begin
    for walk in begun:
        walk.terminal.close()


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("way", ["azd", "az", pytest.param("github", marks=needs_jq)])
def test_the_walk_leads_to_its_end_and_nothing_is_lost_on_it(
    start: Callable[..., Walk], way: str, channel: str
) -> None:
    """Each block is pasted twice where that is no repetition: GitHub's way begins with those of az."""
    walk = start(way, channel, is_nervous=channel == "events" and way != "az")
    walk.begin()
    made = keys.read(walk.folder.path / "bridge.keys")

    walk.another_terminal()
    walk.give_secrets()
    walk.paste(*walk.make())
    if way == "github":
        walk.paste(BLOCKS[GITHUB][0])
    walk.paste(*BLOCKS[LOOK])

    first, secrets = FIRST | CHANNELS[channel], walk.group()["vault"]
    assert walk.last() == first
    assert secrets == {name: (made | TYPED)[name] for name in first["SECRET_NAMES"].split(",")}
    assert walk.group()["keys"] == {name: made[name] for name in keys.CALLING}

    walk.another_terminal()
    assert walk.change() == first

    walk.paste(*BLOCKS[PILOT])
    assert walk.change() == first | {"DRY_RUN": "off", "PILOT": "you@example.com"}

    walk.another_terminal()
    walk.paste(BLOCKS[WIDEN][1])
    if way == "github":
        walk.try_to(*re.findall(r"`(gh variable delete .*?)`", PAGE.read_text("utf-8")))
    assert walk.change() == first | {"DRY_RUN": "off"}
    assert walk.group()["vault"] == secrets
    assert walk.group()["keys"] == {name: made[name] for name in keys.CALLING}
    file = walk.folder.path / "bridge.env"
    assert list(line_faults(file, text_of(file))) == []


def test_the_name_of_the_app_is_one_line_of_the_file_however_often_and_wherever_it_is_put(
    start: Callable[..., Walk],
) -> None:
    walk = start("azd")
    walk.begin()
    walk.paste(*walk.make())
    file = walk.folder.path / "bridge.env"
    before = file.read_text("utf-8")
    file.write_text(before.rstrip("\n"), "utf-8")

    for _ in range(2):
        walk.paste(BLOCKS[LOOK][0])
        assert file.read_text("utf-8") == f"{before}AZURE_FUNCTION_APP_NAME=func-approvals-test-x7\n"

    walk.folder.write({"PILOT": "example.de"})
    walk.paste(BLOCKS[LOOK][0])
    assert read(text_of(file)) == read(before) | {
        "PILOT": "example.de",
        "AZURE_FUNCTION_APP_NAME": "func-approvals-test-x7",
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"PILOT": None}, "you@example.com"),
        ({"PILOT": "''"}, "you@example.com"),
        ({"PILOT": "boss@corp.example,team.example"}, "boss@corp.example,team.example"),
        ({"PILOT": None, "DRY_RUN": None}, "you@example.com"),
    ],
)
def test_the_pilot_is_never_sent_to_others_and_keeps_who_is_in_it(
    start: Callable[..., Walk], lines: dict[str, str | None], expected: str
) -> None:
    walk = start("azd")
    walk.fill_in()
    file = walk.folder.path / "bridge.env"
    kept = [line for line in file.read_text("utf-8").splitlines() if line.partition("=")[0] not in lines]
    file.write_text("\n".join([*kept, *(f"{name}={value}" for name, value in lines.items() if value), ""]))

    walk.paste(*BLOCKS[PILOT], *BLOCKS[PILOT])

    given = read(text_of(file))
    assert (given["PILOT"], given["DRY_RUN"]) == (expected, "off")


def test_without_one_app_of_ours_nothing_is_published_and_no_role_is_taken(
    start: Callable[..., Walk],
) -> None:
    walk = start()
    walk.begin()
    walk.paste(*walk.make())
    kept = walk.folder.cloud
    publish, take_away = BLOCKS[AZ][1], BLOCKS[UPGRADE][1]

    def change(**app: Any) -> str:
        group = kept["groups"]["approvals-test"] | app
        changed = kept | {"groups": {"approvals-test": group}, "published": []}
        (walk.folder.walk / "cloud.json").write_text(json.dumps(changed), "utf-8")
        return walk.try_to(publish, take_away, *BLOCKS[LOOK][:1])

    assert (
        "has several function apps with the tag azd-env-name=approvals-test (func-approvals-test-x7, other)"
        in (change(copies=["other"]))
    )
    assert "has no function app with the tag azd-env-name=approvals-test: deploy" in change(name="approvals")
    assert walk.folder.cloud["published"] == []
    calls = (walk.folder.walk / "calls").read_text("utf-8")
    assert "role" not in calls
    assert (
        read(text_of(walk.folder.path / "bridge.env"))["AZURE_FUNCTION_APP_NAME"] == "func-approvals-test-x7"
    )


@pytest.mark.parametrize("page", [PAGE, WINDOWS])
def test_no_block_takes_the_first_of_what_azure_lists_or_edits_the_file_by_itself(page: Path) -> None:
    text = "".join(block for step in blocks(page).values() for block in step)

    assert re.findall(r"\[0\]|\bsed\b|-replace|Set-Content|> ?bridge\.env", text) == []


@pytest.mark.parametrize("page", [PAGE, WINDOWS])
@pytest.mark.parametrize("file", ["bridge.env", "bridge.keys"])
def test_no_step_deletes_a_file_that_a_later_one_reads(page: Path, file: str) -> None:
    walk = page.read_text("utf-8").partition("\n## What it costs")[0]
    steps = [step for step in re.split(r"^#+ ", walk, flags=re.MULTILINE) if file in step]
    deleting = rf"\bdelete (it|the file|`{file}`)|Remove-Item|\brm {file}"

    assert len(steps) > 1
    assert [step.partition("\n")[0] for step in steps[:-1] if re.search(deleting, step)] == []


def test_every_block_of_the_page_is_played() -> None:
    played = {LOG_IN, SAY, MAKE, GIVE, ASK, DEPLOY, AZD, AZ, GITHUB, LOOK, PILOT, WIDEN, UPGRADE, REMOVE}
    sizes = {name: len(BLOCKS[name]) for name in (SAY, AZD, AZ, GITHUB, PILOT, WIDEN, UPGRADE, REMOVE)}

    assert set(BLOCKS) == played
    assert list(sizes.values()) == [2, 2, 2, 2, 1, 2, 2, 2]


def test_an_upgrade_keeps_what_was_set(start: Callable[..., Walk]) -> None:
    walk = start("azd")
    walk.begin()
    walk.paste(*walk.make())
    before = walk.group()

    walk.another_terminal()
    walk.paste(*BLOCKS[UPGRADE])

    assert walk.group() == before
    assert walk.folder.cloud["published"] == ["azd", "azd"]


@pytest.mark.parametrize("way", ["azd", "az"])
def test_after_a_removal_the_vault_is_named_and_comes_back(start: Callable[..., Walk], way: str) -> None:
    walk = start(way)
    walk.begin()
    walk.paste(*walk.make())
    before = walk.group()
    removing, going_back = BLOCKS[REMOVE]
    walk.paste(removing)
    walk.another_terminal()

    said = walk.try_to(*BLOCKS[DEPLOY], walk.make()[1], going_back)

    assert "wrong  the vault kv-x7 was deleted, and its name is kept until 2027-02-27. Bring it back" in said
    assert "vault" not in walk.group()

    [back, *_] = re.findall(r"(az keyvault recover .*)\. Or choose another", said)
    walk.paste(back, BLOCKS[GIVE][0])
    walk.try_to(*walk.make())

    assert walk.group() == before


@pytest.mark.parametrize("way", ["azd", "az"])
def test_a_first_deployment_without_secrets_is_stopped_with_where_they_are_given(
    start: Callable[..., Walk], way: str
) -> None:
    walk = start(way)
    walk.begin()
    walk.another_terminal()

    said = walk.try_to(*walk.make()[:2])

    names = "COUPA_CLIENT_SECRET, MOVEWORKS_API_KEY, ACTION_TOKEN_KEYS, AUDIT_KEYS"
    assert f"this terminal does not have {names}, and there is no vault yet that does" in said
    assert "step 4 of docs/operations.md" in said
    assert walk.folder.cloud["deployments"] == []


NOT_YET = {
    "AZURE_LOCATION=westindia": "westindia does not offer Flex Consumption: set AZURE_LOCATION to another",
    "MOVEWORKS_CHANNEL=events": "MOVEWORKS_CHANNEL: is gone since 0.3.0: MOVEWORKS_EVENT_ID or",
    "MOVEWORKS_EVENT_ID=": "MOVEWORKS_EVENT_ID is not set: Moveworks' studio shows it",
    "SECRET_NAMES=COUPA_CLIENT_SECRET": "SECRET_NAMES does not have MOVEWORKS_API_KEY",
    "ALERT_EMAIL=": "ALERT_EMAIL is not set: fill in its line in bridge.env",
    "REMIND_AFTER_HOUR=24": "REMIND_AFTER_HOUR stands in bridge.env, and nothing reads it: "
    "did you mean REMIND_AFTER_HOURS?",
    "ZZZ=1": "ZZZ stands in bridge.env, and nothing reads it: take the line out",
    "AUDIT_KEYS=k1:abc": "AUDIT_KEYS stands in bridge.env: take it out; secrets are given by the terminal",
    "AZURE_SUBSCRIPTION_ID=other": "az uses the subscription Approvals: az account set --subscription other",
    "COUPA_CLIENT_ID='open": "COUPA_CLIENT_ID in bridge.env has blanks, quotes or signs of a shell: write",
}


def test_what_cannot_succeed_is_named_with_what_to_do_next(start: Callable[..., Walk]) -> None:
    walk = start()
    walk.fill_in()
    before = (walk.folder.path / "bridge.env").read_text("utf-8")
    look = walk.looked.splitlines(keepends=True)[-1]
    walk.try_to("az provider register --namespace Microsoft.OperationalInsights --wait\n")

    for line, expected in NOT_YET.items():
        (walk.folder.path / "bridge.env").write_text(before)
        walk.folder.write(dict([line.split("=", 1)]))
        said = walk.try_to(look)
        assert f"wrong  {expected}" in said, f"{line}: {said}"
        assert "abc" not in said

    (walk.folder.path / "bridge.env").write_text(before)
    (walk.folder.walk / "cloud.json").unlink()
    assert "nobody is logged in? az login" in walk.try_to(look)
    (walk.folder.walk / "bin" / "az").unlink()
    assert "wrong  az is not here: install the Azure CLI" in walk.try_to(
        f"PATH={walk.folder.walk}/bin\n{look}"
    )


def test_azd_deploys_nothing_that_cannot_succeed(start: Callable[..., Walk]) -> None:
    walk = start("azd")
    walk.begin()
    walk.folder.write({"AZURE_LOCATION": "westindia"})

    said = walk.try_to(walk.make()[1])

    assert "westindia does not offer Flex Consumption" in said
    assert "'preprovision' hook failed" in said
    assert walk.folder.cloud["deployments"] == []


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_doctor_asks_both_services_and_names_a_pilot_that_fits_nobody(
    start: Callable[..., Walk], channel: str
) -> None:
    world = World()
    world.requisition("robin@example.com")
    known = {"COUPA_CLIENT_SECRET": CLIENT_SECRET, "MOVEWORKS_API_KEY": API_KEY}
    walk = start(channel=channel)
    with served(world.coupa.front) as coupa, served(world.moveworks.front) as moveworks:
        walk.fill_in(COUPA_BASE_URL=coupa, MOVEWORKS_BASE_URL=moveworks, COUPA_CLIENT_ID=CLIENT_ID)
        walk.folder.write({"PILOT": "exampel.com"})
        walk.paste(*BLOCKS[MAKE])
        walk.give_secrets()
        said = walk.try_to(*(f"{name}='{value}'\n" for name, value in known.items()), *BLOCKS[ASK])
        assert "ok    Coupa: takes our client and gave a token" in said
        assert "PILOT: entry 1 fits nobody whom Coupa asks now: did you mean example.com?" in said
        walk.folder.write({"PILOT": "example.com", "RELAY": "off"})
        said = walk.try_to(BLOCKS[WIDEN][0])

    assert "wrong RELAY: is gone since 0.3.0: RELAY_DOMAINS opens the relay" in said


def test_the_compiler_takes_what_was_filled_in_and_refuses_a_name_that_is_gone() -> None:
    need_cli()
    sent = parameters(ROOT / "infra", FIRST | CHANNELS["listener"] | {"PILOT": "example.de"})
    refused = parameters(ROOT / "infra", FIRST | {"MOVEWORKS_CHANNEL": "listener"})

    assert isinstance(sent, dict), sent
    assert sent["settings"].items() >= {"MOVEWORKS_LISTENER_ID": "listener-1", "PILOT": "example.de"}.items()
    assert json.loads(sent["settings"]["EMAIL_MAP"]) == {"ann$HOME@corp.example": "ann@example.com"}
    assert sent["secretNames"] == CHANNELS["listener"]["SECRET_NAMES"].split(",")
    assert "MOVEWORKS_CHANNEL is gone since 0.3.0" in str(refused)


def test_the_costs_follow_from_what_is_said_of_them() -> None:
    text = PAGE.read_text("utf-8").partition("## What it costs")[2].partition("\n## ")[0]
    rows = re.findall(
        r"^\| ([\d,]+) \| (\d+), (\d+) \| ([\d.]+) \| ([\d,]+) \| ([\d.]+) \|$", text, re.MULTILINE
    )

    assert len(rows) == 3
    for pending, calls, more, seconds, used, cost in rows:
        number = int(pending.replace(",", ""))
        assert int(more) == int(calls) + (number // 50 if number > 100 else 0)
        average = 0.9 * (1 + 0.2 * int(calls)) + 0.1 * (1 + 0.2 * int(more))
        assert float(seconds) == pytest.approx(average)
        assert int(used.replace(",", "")) == pytest.approx(43_800 * 2 * average)
        assert float(cost) == pytest.approx((43_800 * 2 * average - 100_000) * 0.000026, abs=0.005)


def tools_of(text: str) -> list[str]:
    """Return the calls of the tools and their options, whatever the shell."""
    lines = [line for line in text.replace("curl.exe", "curl").splitlines() if "pip install" not in line]
    pattern = r"(?<![\w-])(?:az|azd|func|gh|curl)(?: [a-z][\w-]*)+|--(?!for )[a-z-]+(?: [\w./:=-]+)?"
    return [*re.findall(pattern, "\n".join(lines)), *re.findall(r"coupa_core\.\w+|scripts/\w+\.py", text)]


def test_the_page_for_windows_has_the_same_commands_in_the_same_steps() -> None:
    windows = blocks(WINDOWS)

    assert list(windows) == list(BLOCKS)
    for name, step in BLOCKS.items():
        typed = "".join(step).replace("make package", "scripts/package.py")
        bash = tools_of(typed.replace("make gate URL=", "coupa_core.gate "))
        assert tools_of("".join(windows[name])) == bash, name
    assert [len(windows[name]) for name in (SAY, AZ)] == [2, 2]


@pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell is not here to parse its page")
def test_powershell_can_parse_its_page() -> None:
    for step in blocks(WINDOWS).values():
        for block in step:
            parse = "[void][scriptblock]::Create([Console]::In.ReadToEnd())"
            command = ["pwsh", "-NoProfile", "-Command", parse]
            subprocess.run(command, input=block, text=True, check=True)
