"""The command that makes all keys: once, each with a name of its own, and in every requested form."""

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
from coupa_core.errors import SettingsError
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
    monkeypatch.setenv(name, "CANARY")

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

    ring = ", ".join(line.strip("{}") for line in capsys.readouterr().out.splitlines())
    given_keys = LEAST | {"ACTION_TOKEN_KEYS": f"{{{ring}}}"}
    assert len(read_settings(given_keys).action_token_keys) == 50


def test_a_file_that_is_not_there_is_named_with_how_it_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "prod.keys", "--for", "az"]) == 1

    said = capsys.readouterr()
    assert said.err == (
        "prod.keys is not there: take it from your password store, or where there are no keys yet, make it "
        "by `python -m coupa_core.keys new prod.keys`.\n"
    )


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the one line that is said where nothing is done."""
    capsys.readouterr()
    assert main(arguments or ["show", "prod.keys", "--for", "az"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    [line] = said.err.splitlines()
    return line


WHOLE = "".join(
    [
        *(f'{name}={{"k1": "{letter * 42}8="}}\n' for name, letter in zip(SIGNING, "QR", strict=True)),
        *(f"{name}={letter * 64}\n" for name, letter in zip(CALLING, "abc", strict=True)),
    ]
)


@given(st.integers(0, len(WHOLE) - 2))
def test_a_file_that_was_cut_off_anywhere_is_refused_and_shows_nothing_of_it(size: int) -> None:
    path = Path("cut.keys")
    path.write_text(WHOLE[:size])

    with pytest.raises(ValueError, match=r"^cut\.keys is not whole: ") as said:
        keys.read(path)

    assert all(line.partition("=")[2] not in str(said.value) for line in WHOLE.splitlines())
    assert all(name in str(said.value) for name in NAMES if f"{name}=" not in WHOLE[:size])


ANEW = (
    "take it from your password store anew; only where nothing runs with its keys yet, delete it and make "
    "others by `python -m coupa_core.keys new`."
)
FIRST = WHOLE.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (WHOLE.replace("RELAY_KEY", "RELAY_KEI"), "line 4 is none of its own, RELAY_KEY is missing"),
        (WHOLE.replace(FIRST, ""), "ACTION_TOKEN_KEYS is missing"),
        (WHOLE[:-2], "OPERATORS_KEY is cut off or spoiled"),
        (WHOLE + FIRST, "ACTION_TOKEN_KEYS stands in it twice"),
        (WHOLE + "CANARY=1\n", "line 6 is none of its own"),
        (
            WHOLE.replace(FIRST, FIRST[:-2] + "\n"),
            "ACTION_TOKEN_KEYS is cut off or spoiled",
        ),
        ("", ", ".join(f"{name} is missing" for name in NAMES)),
        (
            WHOLE.replace(FIRST, FIRST.replace("}", f", {FIRST.partition('{')[2]}", 1).rstrip() + "\n"),
            "ACTION_TOKEN_KEYS names two keys alike",
        ),
        (
            WHOLE.replace(FIRST, FIRST.replace("k1", "k" * 17)),
            "ACTION_TOKEN_KEYS is cut off or spoiled",
        ),
        (WHOLE.replace("b" * 64, "a" * 64), "RELAY_KEY is the same as DECISIONS_KEY"),
        (
            WHOLE.replace("b" * 64, "a" * 64).replace("c" * 64, "a" * 64),
            "RELAY_KEY is the same as DECISIONS_KEY, OPERATORS_KEY is the same as DECISIONS_KEY",
        ),
    ],
)
def test_a_file_that_is_not_whole_is_said_with_what_to_do(
    text: str, wrong: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "prod.keys").write_text(text)

    assert refused(capsys) == f"Nothing is printed: prod.keys is not whole: {wrong}. Mend it, or {ANEW}"


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.rstrip(),
        WHOLE.replace("\n", "\r\n"),
        f"\ufeff{WHOLE}",
        f"# of production\n\n{WHOLE}",
        "".join(reversed(WHOLE.splitlines(keepends=True))),
        WHOLE.replace(FIRST, FIRST.replace("}", f', "old": {FIRST.partition(": ")[2].strip()}')),
    ],
)
def test_a_file_that_an_editor_wrote_anew_is_still_whole(text: str, folder: Path) -> None:
    (folder / "prod.keys").write_bytes(text.encode())

    assert list(keys.read(folder / "prod.keys")) == list(NAMES)


@pytest.mark.parametrize("raw", [WHOLE.encode("utf-16"), WHOLE.encode("utf-16-le"), b"\xe4"])
def test_a_file_in_another_encoding_is_said(
    raw: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "prod.keys").write_bytes(raw)

    assert refused(capsys) == f"Nothing is printed: prod.keys is not UTF-8. Save it so, or {ANEW}"


@pytest.mark.parametrize("text", ["", WHOLE[:-9]])
def test_a_file_that_is_not_whole_is_not_called_good_where_keys_were_to_be_made(
    text: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "prod.keys").write_text(text)

    said = refused(capsys, "new", "prod.keys")

    assert said.startswith("Nothing was made: prod.keys is not whole: ")
    assert said.endswith(f"Mend it, or {ANEW}")
    assert (folder / "prod.keys").read_text() == text


@pytest.mark.slow
@given(
    st.lists(st.text("ab-_.é", min_size=1, max_size=18), min_size=1, max_size=3),
    st.lists(st.sampled_from("abc"), min_size=3, max_size=3),
)
def test_what_is_shown_the_app_takes_and_no_caller_has_the_key_of_another(
    kids: list[str], letters: list[str]
) -> None:
    key = "Q" * 42 + "8="
    ring = "{" + ", ".join(f'"{kid}": "{key}"' for kid in kids) + "}"
    callers = {name: letter * 64 for name, letter in zip(CALLING, letters, strict=True)}
    given_keys = {**dict.fromkeys(SIGNING, ring), **callers}
    Path("any.keys").write_text("".join(f"{name}={value}\n" for name, value in given_keys.items()))
    try:
        read_settings(LEAST | dict.fromkeys(SIGNING, ring))
    except SettingsError:
        is_good = False
    else:
        is_good = len(set(letters)) == 3
    try:
        shown = keys.read(Path("any.keys"))
    except ValueError:
        shown = {}

    assert shown == (given_keys if is_good else {})


@pytest.mark.parametrize("verb", [["new", "prod.keys"], ["show", "prod.keys", "--for", "az"]])
def test_a_link_to_nothing_is_said(verb: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "prod.keys").symlink_to("gone.keys")

    assert refused(capsys, *verb) == (
        "prod.keys is a link to a file that is not there: mend the link, or delete it."
    )


def test_an_output_that_takes_nothing_is_said_and_the_keys_are_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        for stream in (full, None):
            monkeypatch.setattr(sys, "stdout", stream)
            assert main(["new", f"{stream and 'full'}.keys"]) == 1
            assert capsys.readouterr().err == TAKES_NOTHING
            assert keys.read(folder / f"{stream and 'full'}.keys")


TAKES_NOTHING = "The output takes nothing, so nothing is shown: give it a terminal or a file.\n"


@pytest.mark.parametrize("ending", [">&-", ">/dev/full", ""])
@pytest.mark.parametrize("verb", ["new other.keys", "show prod.keys --for az", "one"])
def test_a_closed_output_is_one_sentence_and_no_traceback(verb: str, ending: str, folder: Path) -> None:
    (folder / "prod.keys").write_text(WHOLE)
    reading, writing = os.pipe()
    os.close(reading)
    line = f"{sys.executable} -S -m coupa_core.keys {verb} {ending}"
    there = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}

    done = subprocess.run(
        ["/bin/sh", "-c", line], env=there, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )

    os.close(writing)
    assert (done.returncode, done.stderr) == (1, TAKES_NOTHING)


@pytest.mark.parametrize("verb", [["new", "prod.keys"], ["show", "prod.keys", "--for", "az"]])
def test_a_folder_in_the_place_of_the_file_is_said(
    verb: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "prod.keys").mkdir()

    assert refused(capsys, *verb) == (
        "prod.keys cannot be read or written (Is a directory): name a file that you may read, or a new one."
    )


@pytest.mark.parametrize("folders", ["nowhere", "a.file"])
@pytest.mark.parametrize("verb", ["new {}", "show {} --for az"])
def test_a_folder_that_is_not_there_is_said(
    verb: str, folders: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.file").touch()

    assert refused(capsys, *verb.format(f"{folders}/prod.keys").split()) == (
        f"{folders} is no folder that is there: make it, or name another."
    )


def test_a_file_that_cannot_be_written_leaves_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        said = refused(capsys, "new", "prod.keys")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert said.startswith("prod.keys cannot be read or written (File too large): ")
    assert list(folder.iterdir()) == []


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
