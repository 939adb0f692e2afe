"""The check before a deployment: the form of bridge.env, and the message when it cannot be read.

test_walk.py plays its questions to Azure.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bridge_env
import preflight
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from walk.page import ROOT, WINDOWS

from coupa_core.settings import NAMES

FILE = Path("bridge.env")
KNOWN = (*NAMES, *preflight.NEEDED, *preflight.TOOL_SETTINGS, "SECRET_NAMES")


def said(text: str) -> list[str]:
    """Return what is said of the lines of a file."""
    return list(preflight.line_faults(FILE, text))


def test_the_example_passes_without_a_word() -> None:
    text = preflight.text_of(ROOT / "bridge.env.example", is_windows=False)

    assert said(text) == []
    assert list(preflight.name_faults(FILE, preflight.read(text))) == []


@pytest.mark.parametrize(
    "line",
    [
        *("", "   ", "# a comment", "  # a comment", "PILOT=", "PILOT=  ", "PILOT=a@b.example,b.example"),
        *("PILOT=b.example # who begins", "PILOT='' # nobody", """STEP_UP_OVER='{"USD": 10000}'"""),
        *("""TIME_ZONES='{"example.de": "Europe/Berlin"}'  # it's quoted""", 'ALERT_EMAIL="a b"'),
        *(
            "COUPA_BASE_URL=https://acme.coupahost.com",
            "POLL_SCHEDULE='0 * * * * *'",
            "PILOT=münchen.example",
        ),
    ],
)
def test_a_line_that_all_read_alike_passes_without_a_word(line: str) -> None:
    assert said(f"{line}\n") == []


NOT_A_LINE = "line 1 of bridge.env is neither NAME=value from its first letter on nor a comment (#)"
NOT_A_VALUE = (
    "PILOT in bridge.env has blanks, quotes or signs of a shell: write PILOT='...', with neither a ' inside "
    "nor a \\ at its end"
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        *(
            (line, NOT_A_LINE)
            for line in ("export PILOT=a", " PILOT=a", "PILOT = a", "PILOT", "pilot=a", "=a")
        ),
        *(
            (f"PILOT={value}", NOT_A_VALUE)
            for value in (
                *(" a", "a b", "'a", "a'", "'a'b", "'a''b'", '"a', '"a"b"', '{"a": "b"}', "$HOME", '"$HOME"'),
                *("`id`", '"`id`"', "a\\b", '"a\\b"', "'a\\'", "a;b", "a&b", "a|b", "a>b", "a<b", "(a)", "~"),
                *("a#b", "# a", "  # a", "a # b # c", "'a'#b", "a\u00a0", "a\u2028b"),
            )
        ),
    ],
)
def test_a_line_that_somebody_reads_differently_is_named_with_how_it_is_written(
    line: str, expected: str
) -> None:
    assert said(f"{line}\n") == [expected]


def test_a_name_that_stands_twice_is_said_once_for_each_line_too_many() -> None:
    assert said("PILOT=a\nDRY_RUN=on\n# PILOT=b\nPILOT=c\n") == [
        "PILOT stands in bridge.env twice: take one of the lines out"
    ]


def test_a_file_that_ends_within_a_line_is_named() -> None:
    assert said("PILOT=a") == [
        "bridge.env ends within a line, so that what is added becomes part of it: end its last line"
    ]
    assert said("") == []


def test_no_complaint_shows_a_value() -> None:
    assert "CANARY" not in " ".join(said("PILOT='CANARY\nexport A=CANARY\nDRY_RUN=CANARY x\nCANARY\n"))


def by_the_shell(line: str) -> str:
    """Return what a shell takes for the value of PILOT."""
    script = f"{line}\nprintf '%s' \"$PILOT\""
    there = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nowhere"}
    done = subprocess.run(["/bin/sh"], input=script.encode(), env=there, capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode()


def by_powershell(line: str) -> str:
    """Return what the line of the page for Windows takes for the value, by its own pattern."""
    [pattern, again] = re.findall(r"-match '(\^\(\\w.*?)'\) \{", WINDOWS.read_text("utf-8"))
    assert pattern == again
    found = re.match(pattern.replace("''", "'"), line)
    assert found
    return found[2].strip("'").strip('"')


@given(st.text("ab'\"\\ \t#$*~;{}:=ü", max_size=8))
@example("'a # b' # c")
@example('{"a": "b"}')
@settings(max_examples=200)
def test_what_passes_is_read_alike_by_a_shell_powershell_and_this(value: str) -> None:
    line = f"PILOT={value}"
    if said(f"{line}\n") == []:
        assert preflight.read(f"{line}\n")["PILOT"] == by_the_shell(line) == by_powershell(line)


def settings_lines() -> Iterator[tuple[str, str]]:
    """Yield each line of a document that sets one of our names, with where it stands, but for commands."""
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        source = page.read_text("utf-8")
        lines = [
            *(
                line
                for block in re.findall(r"```\w*\n(.*?)```", source, re.DOTALL)
                for line in block.split("\n")
            ),
            *re.findall(r"`([^`\n]+)`", source),
        ]
        for line in lines:
            if line.partition("=")[0] in KNOWN and "=" in line and " make " not in line:
                yield str(page.relative_to(ROOT)), line


def test_each_line_of_the_documents_can_be_pasted_into_the_file() -> None:
    lines = list(settings_lines())

    assert len(lines) > 30
    assert [(page, line) for page, line in lines if said(f"{line}\n")] == []


# ---------------------------------------------------------------------- values that cannot be meant

WHOLE = {
    "ALERT_EMAIL": "ops@example.com",
    "AZURE_ENV_NAME": "approvals-test",
    "AZURE_LOCATION": "westeurope",
    "AZURE_RESOURCE_GROUP": "approvals-test",
    "AZURE_SUBSCRIPTION_ID": "a",
    "COUPA_BASE_URL": "https://acme.coupahost.com",
    "COUPA_CLIENT_ID": "client",
    "MOVEWORKS_EVENT_ID": "event-1",
}
LISTENER = {
    "MOVEWORKS_EVENT_ID": "",
    "MOVEWORKS_LISTENER_ID": "listener-1",
    "SECRET_NAMES": "COUPA_CLIENT_SECRET,MOVEWORKS_LISTENER_SECRET,ACTION_TOKEN_KEYS,AUDIT_KEYS",
}


def of_values(**changed: str) -> list[str]:
    """Return what is said of the values of a file that is whole but for these."""
    values = WHOLE | changed
    return [*preflight.value_faults(values), *preflight.app_faults(values)]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        LISTENER,
        {"DRY_RUN": "", "PILOT": "you@example.com"},
        {"ENTRA_APP_CLIENT_ID": "x", "ENTRA_CLIENTS": '{"relay": ["00000000-0000-0000-0000-00000000000a"]}'},
        {"ACTION_TOKEN": "off", "SECRET_NAMES": "COUPA_CLIENT_SECRET,MOVEWORKS_API_KEY,AUDIT_KEYS"},
    ],
)
def test_values_that_the_app_starts_with_pass_before_there_are_secrets(changed: dict[str, str]) -> None:
    assert of_values(**changed) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(
            ("ALERT_EMAIL", value, "ALERT_EMAIL is not one address such as ops@example.com")
            for value in (
                "ops",
                "ops@example",
                "ops@example.com;x",
                "a@b.example,c@d.example",
                "@example.com",
            )
        ),
        ("AZURE_ENV_NAME", "Approvals_Test!", "AZURE_ENV_NAME is not 1 to 32 letters, digits and hyphens"),
        (
            "COUPA_BASE_URL",
            "acme.coupahost.com",
            "COUPA_BASE_URL: must be a URL such as https://name.example.com",
        ),
        ("DRY_RUN", "onn", "DRY_RUN: must be on or off"),
        (
            "ACTION_TOKEN_KEYS",
            "k1:CANARY",
            "ACTION_TOKEN_KEYS: must be a JSON object from names to keys",
        ),
        ("RELAY", "off", "RELAY: is gone since 0.3.0: RELAY_DOMAINS opens the relay"),
    ],
)
def test_a_value_that_the_app_or_azure_would_refuse_is_named(name: str, value: str, expected: str) -> None:
    [said] = of_values(**{name: value})

    assert said.startswith(expected)
    assert "CANARY" not in said


def test_each_fault_of_the_values_has_a_line_of_its_own() -> None:
    said = of_values(DRY_RUN="onn", LINK_TEMPLATE="x", NOTICE_FIELDS="x")

    assert {line.partition(":")[0] for line in said} == {"DRY_RUN", "LINK_TEMPLATE", "NOTICE_FIELDS"}
    assert len(said) == 3


@pytest.mark.slow
def test_a_line_of_the_file_counts_and_not_what_the_shell_has_beside_it(tmp_path: Path) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in (WHOLE | {"MOVEWORKS_EVENT_ID": ""}).items())
    (tmp_path / "bridge.env").write_text(lines)

    assert run(tmp_path, MOVEWORKS_EVENT_ID="event-1", DRY_RUN="on").startswith(
        "wrong  MOVEWORKS_EVENT_ID is not set: "
    )

    (tmp_path / "bridge.env").write_text(lines.replace("MOVEWORKS_EVENT_ID=\n", ""))
    assert run(tmp_path, MOVEWORKS_EVENT_ID="event-1", DRY_RUN="onn").startswith("wrong  DRY_RUN: must be on")


NOT_LOOKED_AT = (
    "note   No module named 'pydantic' in this Python, so no value was looked at: "
    "the Python of step 2 does that"
)


def test_a_python_without_what_the_app_needs_says_that_values_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "bridge.env").write_text("".join(f"{name}={value}\n" for name, value in WHOLE.items()))
    script = [sys.executable, "-SI", str(ROOT / "scripts" / "preflight.py")]

    done = subprocess.run(
        script, cwd=tmp_path, env={"PATH": "/nowhere"}, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines() == [
        NOT_LOOKED_AT,
        "wrong  az is not here: install the Azure CLI, and open a new terminal",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["", "func-payroll"])
def test_an_answer_of_az_that_is_no_json_is_said(tmp_path: Path, answer: str) -> None:
    (tmp_path / "bridge.env").write_text("".join(f"{name}={value}\n" for name, value in WHOLE.items()))
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\necho {answer}\n")
    az.chmod(0o755)

    assert run(tmp_path, PATH=str(tmp_path)) == (
        "wrong  az account show gave no JSON: see what it prints by itself\n"
    )


# ---------------------------------------------------------------------- lines that are written


def test_all_lines_are_written_or_none_and_what_is_asked_for_twice_is_there_once(tmp_path: Path) -> None:
    file = tmp_path / "bridge.env"
    file.write_text("# PILOT=\nDRY_RUN=on\nA=1")

    bridge_env.put(file, ["PILOT?=a@b.example", "DRY_RUN=off"])
    bridge_env.put(file, ["PILOT?=c@d.example", "DRY_RUN=off"])

    assert file.read_text() == "# PILOT=\nDRY_RUN=off\nA=1\nPILOT=a@b.example\n"
    assert (tmp_path / "bridge.env.bak").read_text() == "# PILOT=\nDRY_RUN=on\nA=1"


@pytest.mark.parametrize("line", ["PILOT = a", " PILOT=a", "export PILOT=a", "PILOT=a\nPILOT=b", "PILOT='a"])
def test_nothing_is_written_into_a_file_that_somebody_reads_differently(tmp_path: Path, line: str) -> None:
    file = tmp_path / "bridge.env"
    file.write_text(f"DRY_RUN=on\n{line}\n")

    with pytest.raises(preflight.Unknown, match=r"Nothing was changed$"):
        bridge_env.put(file, ["DRY_RUN=off", "PILOT?=you@example.com"])

    assert file.read_text() == f"DRY_RUN=on\n{line}\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("line", ["PILOT=a b", "PILOT", "pilot=a", "=a", ""])
def test_a_line_that_could_not_be_read_is_not_written(tmp_path: Path, line: str) -> None:
    file = tmp_path / "bridge.env"
    file.write_text("DRY_RUN=on\n")

    with pytest.raises(preflight.Unknown):
        bridge_env.put(file, [line, "DRY_RUN=off"])

    assert file.read_text() == "DRY_RUN=on\n"


def test_a_link_and_the_rights_of_the_file_stay(tmp_path: Path) -> None:
    kept, link = tmp_path / "team.env", tmp_path / "bridge.env"
    kept.write_text("DRY_RUN=on\n")
    kept.chmod(0o640)
    link.symlink_to(kept)

    bridge_env.put(link, ["DRY_RUN=off"])

    assert link.is_symlink()
    assert kept.read_text() == "DRY_RUN=off\n"
    assert kept.stat().st_mode & 0o777 == 0o640


@pytest.mark.slow
def test_many_who_write_at_once_never_lose_the_file(tmp_path: Path) -> None:
    file = tmp_path / "bridge.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in WHOLE.items()))

    def write(turn: int) -> bool:
        bridge_env.put(file, [f"AZURE_FUNCTION_APP_NAME=func-{turn}"])
        return preflight.read(file.read_text()).items() >= WHOLE.items()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(write, range(200)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bridge.env", "bridge.env.bak"]


# ---------------------------------------------------------------------- files that nobody can read


def run(folder: Path, **environment: str) -> str:
    """Run the script in a folder in which it must fail, and return what it prints."""
    script = [sys.executable, str(ROOT / "scripts" / "preflight.py")]
    there = {"PATH": "/nowhere", **environment}
    done = subprocess.run(script, cwd=folder, env=there, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


NOT_UTF_8 = "wrong  bridge.env is not plain UTF-8: save it so, without a byte order mark\n"
LINE_ENDS = (
    "wrong  bridge.env has the line ends of Windows, which become part of its values: save it with LF\n"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("PILOT=a\n".encode("utf-16"), NOT_UTF_8),
        ("PILOT=a\n".encode("utf-16-le"), NOT_UTF_8),
        ("PILOT=a\n".encode("utf-8-sig"), NOT_UTF_8),
        ("PILOT=ä\n".encode("latin-1"), NOT_UTF_8),
        (b"PILOT=a\r\nDRY_RUN=on\r\n", LINE_ENDS),
    ],
)
def test_a_file_in_another_encoding_is_said_and_nothing_else(
    tmp_path: Path, raw: bytes, expected: str
) -> None:
    (tmp_path / "bridge.env").write_bytes(raw)

    assert run(tmp_path) == expected


def test_a_folder_in_the_place_of_the_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "bridge.env").mkdir()

    assert run(tmp_path) == "wrong  bridge.env is no file that you may read (Is a directory): mend that\n"


@pytest.mark.slow
def test_a_file_that_is_not_there_is_said_unless_the_environment_has_all(tmp_path: Path) -> None:
    needed = dict.fromkeys((*preflight.NEEDED, "MOVEWORKS_EVENT_ID"), "x") | {
        "ALERT_EMAIL": "ops@example.com",
        "COUPA_BASE_URL": "https://acme.coupahost.com",
    }

    assert run(tmp_path) == (
        "wrong  bridge.env is not in this folder: go to the folder of the environment, or make it by step 2 "
        "of docs/operations.md\n"
    )
    assert run(tmp_path, **needed).startswith("wrong  az is not here")


def test_on_windows_its_own_line_ends_are_taken_because_no_shell_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "bridge.env"
    file.write_bytes(b"PILOT=a\r\nDRY_RUN=on\r\n")

    assert preflight.read(preflight.text_of(file, is_windows=True)) == {"PILOT": "a", "DRY_RUN": "on"}

    file.write_bytes(b"PILOT=a\rDRY_RUN=on\r")
    with pytest.raises(preflight.Unknown, match="save it with LF"):
        preflight.text_of(file, is_windows=True)
