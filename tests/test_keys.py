"""The command that makes all keys: once, each with a name of its own, and in every form that is asked for."""

from __future__ import annotations

import json
import os
import resource
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_settings import LEAST

from coupa_core import keys
from coupa_core.keys import CALLING, NAMES, SIGNING, main
from coupa_core.settings import read_settings

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, in which the command runs without keys of this shell."""
    monkeypatch.chdir(tmp_path)
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def shown(form: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["show", "prod.keys", "--for", form]) == 0
    return capsys.readouterr().out


def test_all_keys_are_made_at_once_and_only_their_owner_can_read_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "prod.keys"]) == 0

    made = keys.read(folder / "prod.keys")
    settings = read_settings(LEAST | {name: made[name] for name in SIGNING})
    kids = [*settings.action_token_keys, *settings.audit_keys]
    out = capsys.readouterr().out
    assert (len(kids), len(set(kids)), len({made[name] for name in CALLING})) == (2, 2, 3)
    assert all(len(made[name]) == 64 for name in CALLING)
    assert (folder / "prod.keys").stat().st_mode & 0o077 == 0
    assert not [value for value in made.values() if value in out]
    assert all(name in out for name in NAMES)


def test_a_block_that_is_pasted_twice_makes_no_second_key(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", "prod.keys"])
    before = (folder / "prod.keys").read_bytes()
    capsys.readouterr()

    assert main(["new", "prod.keys"]) == 1

    said = capsys.readouterr()
    assert (folder / "prod.keys").read_bytes() == before
    assert said.out == ""
    assert said.err == (
        "Nothing was made: prod.keys is there already, and its keys stay good. "
        "`python -m coupa_core.keys show prod.keys --for az` prints them (or azd, powershell, local).\n"
    )


@pytest.mark.parametrize("name", NAMES)
def test_keys_of_this_shell_are_not_overwritten(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "k1:CANARY")

    assert main(["new", "prod.keys"]) == 1

    said = capsys.readouterr().err
    assert said.startswith(f"Nothing was made: {name} is set in this shell")
    assert "CANARY" not in said
    assert list(folder.iterdir()) == []


def test_each_form_gives_the_same_keys_as_often_as_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["new", "prod.keys"])
    made = keys.read(folder / "prod.keys")

    for _ in range(2):
        azd = [shlex.split(line) for line in shown("azd", capsys).splitlines()]
        assert azd == [["azd", "env", "set", name, value] for name, value in made.items()]
        assert json.loads(shown("local", capsys)) == {name: made[name] for name in SIGNING}
        script = shown("az", capsys) + 'printf "%s\\n" ' + " ".join(f'"${name}"' for name in NAMES)
        printed = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
        assert printed.stdout.splitlines() == list(made.values())
        assert shown("powershell", capsys).splitlines() == [
            f"$env:{name} = '{value}'" for name, value in made.items()
        ]


def test_a_key_to_put_in_front_has_a_name_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(50):
        assert main(["one"]) == 0

    ring = ",".join(capsys.readouterr().out.split())
    assert len(read_settings(LEAST | {"ACTION_TOKEN_KEYS": ring}).action_token_keys) == 50


def test_a_file_that_is_not_there_is_named_with_how_it_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "prod.keys", "--for", "az"]) == 1

    said = capsys.readouterr()
    assert said.err == "prod.keys is not there: `python -m coupa_core.keys new prod.keys` makes it.\n"


@given(st.integers(0, 4))
def test_a_file_that_was_cut_off_is_refused_and_never_half_used(lines: int) -> None:
    path = Path("cut.keys")
    whole = "".join(f"{name}=CANARY\n" for name in NAMES)
    path.write_text("".join(whole.splitlines(keepends=True)[:lines]))

    with pytest.raises(ValueError, match=r"cut\.keys is no file of keys, or not whole") as said:
        keys.read(path)

    assert "CANARY" not in str(said.value)


def test_a_file_that_cannot_be_written_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        status = main(["new", "prod.keys"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert (status, list(folder.iterdir())) == (1, [])
    assert "File too large" in capsys.readouterr().err


def test_a_folder_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "nowhere/prod.keys"]) == 1

    assert "nowhere/prod.keys" in capsys.readouterr().err


def test_it_runs_with_nothing_but_python_as_the_documents_say(folder: Path) -> None:
    bare = [sys.executable, "-S", "-m", "coupa_core.keys"]
    there = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

    made = [
        subprocess.run([*bare, "new", "prod.keys"], cwd=folder, env=there, capture_output=True, check=False)
        for _ in range(2)
    ]

    assert [each.returncode for each in made] == [0, 1]
    assert [path.name for path in folder.iterdir()] == ["prod.keys"]


@pytest.mark.parametrize("arguments", [[], ["new"], ["show", "a"], ["show", "a", "--for", "x"], ["forge"]])
def test_a_wrong_call_ends_with_2(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["keys", *arguments])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "coupa_core" / "keys.py"), run_name="__main__")

    assert ended.value.code == 2
