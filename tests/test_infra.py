"""The deployment has the intended resources, and each injected fault is found.

The rules read kept snapshots of the sent resources; with the Bicep CLI, the templates are compiled.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from infra.faults import GONE, MEANT_OTHERWISE, REFUSED, SENT
from infra.rules import RULES, alerts
from infra.snapshots import KEY, ROOT, WAYS

from coupa_core.settings import FORMER
from infra import snapshots

MAKE = "REWRITE_SNAPSHOTS=1 make infra, with the Bicep CLI on PATH, makes them anew"


@pytest.fixture(scope="session")
def sent() -> dict[str, Any]:
    """Return the kept snapshots."""
    return snapshots.loaded()


@pytest.mark.parametrize("rule", RULES)
def test_what_is_sent_keeps_the_rule(sent: dict[str, Any], rule: str) -> None:
    assert RULES[rule](sent) == []


def sow(place: Any, which: tuple[str, str], path: str, new: Any) -> None:
    """Put something at a path in one of the resources, or take away what is there."""
    kind, text = which
    key: Any = next(at for at, each in enumerate(place) if each["type"] == kind and text in json.dumps(each))
    for name in path.split(".") if path else ():
        place, key = place[key], int(name) if name.isdigit() else name
        if isinstance(place, list) and isinstance(key, str):
            key = [each["name"] for each in place].index(key)
    if new is GONE:
        del place[key]
    else:
        place[key] = new


@pytest.mark.parametrize("fault", SENT, ids=lambda fault: f"{fault[0]}: {fault[-1]}")
def test_a_fault_in_what_is_sent_is_seen_by_its_rule(sent: dict[str, Any], fault: tuple[Any, ...]) -> None:
    rule, way, which, path, new, complaint = fault
    wrong_way = {**sent, way: deepcopy(sent[way])}
    sow(wrong_way[way]["predictedResources"], which, path, new)

    said = RULES[rule](wrong_way)

    assert any(complaint in each for each in said), said


def test_every_rule_has_a_fault_that_it_sees() -> None:
    assert {fault[0] for fault in SENT} == set(RULES)


def test_an_output_that_gives_a_secret_away_is_seen(sent: dict[str, Any]) -> None:
    for name, value in (("AZURE_KEY_NAME", "[listKeys('x').keys[0].value]"), ("SECRET", "x")):
        wrong_way = {**sent, "events": {**sent["events"], "outputs": {name: value}}}
        assert RULES["secrets"](wrong_way) == [f"events: the output {name} gives a secret away"]


def test_every_alert_has_its_page_with_three_steps(sent: dict[str, Any]) -> None:
    pages = re.split(r"^## ", (ROOT / "docs" / "runbook.md").read_text("utf-8"), flags=re.MULTILINE)
    steps = {page.split("\n")[0].strip("`"): len(re.findall(r"^\d\. ", page, re.MULTILINE)) for page in pages}

    names = {alert["name"] for alert in alerts(sent["events"])} | {"health"}
    assert [name for name in sorted(names) if steps.get(name, 0) < 3] == []


def test_the_kept_snapshots_are_of_these_templates() -> None:
    if "REWRITE_SNAPSHOTS" in os.environ:
        pytest.skip("they are being made anew")

    kept = json.loads(snapshots.MADE_OF.read_text("utf-8"))["sha256"]
    assert snapshots.made_of() == kept, f"the kept snapshots are old: {MAKE}"


def test_no_file_stands_where_the_compiler_writes_what_it_makes_of_a_template() -> None:
    templates = [*(ROOT / "infra").rglob("*.bicep")]

    assert templates
    assert [path.name for path in templates if path.with_suffix(".json").exists()] == []


@pytest.fixture
def infra(tmp_path: Path) -> Path:
    """Return a copy of the templates, to compile."""
    snapshots.need_cli()
    return Path(shutil.copytree(ROOT / "infra", tmp_path / "infra"))


@pytest.mark.slow
def test_the_templates_compile_to_the_kept_snapshots(infra: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = dict(zip(WAYS, pool.map(lambda way: snapshots.snapshot(infra, way), WAYS), strict=True))

    assert [each for each in made.values() if isinstance(each, str)] == []
    if "REWRITE_SNAPSHOTS" in os.environ:
        for way, each in made.items():
            text = json.dumps(each, indent=2, ensure_ascii=False)
            (snapshots.KEPT / f"{way}.json").write_text(f"{text}\n", "utf-8")
        of = {"bicep": snapshots.version(), "sha256": snapshots.made_of()}
        snapshots.MADE_OF.write_text(f"{json.dumps(of, indent=2)}\n", "utf-8")
    else:
        assert made == snapshots.loaded(), MAKE


def sow_in(infra: Path, faults: list[tuple[str, str, str, str]]) -> list[str]:
    """Put faults into a copy of the templates, and return the complaints that must come."""
    for file, old, new, _ in faults:
        source = (infra / file).read_text("utf-8")
        assert old in source, f"the fault no longer fits {file}: {old}"
        (infra / file).write_text(source.replace(old, new, 1), "utf-8")
    return [complaint for *_, complaint in faults]


@pytest.mark.slow
def test_the_compiler_refuses_what_cannot_be_meant(infra: Path) -> None:
    complaints = sow_in(infra, REFUSED)

    said = snapshots.parameters(infra, WAYS["events"])

    assert isinstance(said, str)
    assert [complaint for complaint in complaints if complaint not in said] == [], said


@pytest.mark.slow
def test_a_fault_that_compiles_is_seen_in_what_would_be_sent(infra: Path) -> None:
    complaints = sow_in(infra, MEANT_OTHERWISE)
    made = snapshots.snapshot(infra, "listener-all")
    assert not isinstance(made, str), made

    sent = {**snapshots.loaded(), "listener-all": made}
    said = "\n".join(each for rule in RULES.values() for each in rule(sent))

    assert [complaint for complaint in complaints if complaint not in said] == [], said


@pytest.mark.slow
def test_an_event_and_a_listener_are_not_deployed_together(infra: Path) -> None:
    said = snapshots.parameters(infra, WAYS["listener"] | {"MOVEWORKS_EVENT_ID": "event-1"})

    assert "MOVEWORKS_LISTENER_ID stands beside MOVEWORKS_EVENT_ID: take one of them away" in str(said)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMER)
def test_a_name_that_is_gone_is_refused_with_what_takes_its_place(infra: Path, name: str) -> None:
    said = snapshots.parameters(infra, WAYS["events"] | {name: "off"})

    assert f"{name} {FORMER[name]}" in str(said)


@pytest.mark.slow
def test_what_cannot_be_deployed_is_refused_before_anything_is(infra: Path) -> None:
    said = snapshots.parameters(
        infra,
        {
            "ALERT_EMAIL": "",
            "AUDIT_KEYS": KEY,
            "COUPA_BASE_URL": "",
            "ENABLE_NETWORK": "perhaps",
            "ENTRA_APP_CLIENT_ID": "10000000-0000-4000-8000-0000000000ab",
            "ENTRA_CLIENTS": "{}",
            "HTTP_CONCURRENCY": "many",
            "MOVEWORKS_API_KEY": KEY,
            "SECRET_NAMES": "COUPA_CLIENT_SECRET, COUPA_SECRET",
        },
    )

    assert isinstance(said, str)
    for complaint in (
        'Environment variable "AZURE_ENV_NAME" does not exist',
        'Environment variable "COUPA_CLIENT_ID" does not exist',
        "too short to assign",
        "AUDIT_KEYS, MOVEWORKS_API_KEY: a value is given and the app would not read it",
        "set SECRET_NAMES=COUPA_CLIENT_SECRET,COUPA_SECRET,AUDIT_KEYS,MOVEWORKS_API_KEY",
        "SECRET_NAMES has COUPA_SECRET: it may name ACTION_TOKEN_KEYS, AUDIT_KEYS",
        'parameter "enableNetwork"',
        'parameter "httpConcurrency"',
        "ENTRA_APP_CLIENT_ID is set and nobody may call",
    ):
        assert complaint in said, said
    assert KEY not in said
