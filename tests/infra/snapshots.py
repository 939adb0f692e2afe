"""The resources that Azure would get: the Bicep CLI's snapshots of each way to deploy, kept beside the tests.

With the CLI in the version that made them, the tests make them anew and compare; elsewhere, a hash shows
whether the templates are unchanged. `REWRITE_SNAPSHOTS=1 pytest tests/test_infra.py`
writes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from settings_pages import PLAIN

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "snapshots"
MADE_OF = KEPT / "made-of.json"

Snapshot = dict[str, Any]

CLIENTS = [f"{number}0000000-0000-4000-8000-0000000000ab" for number in range(1, 5)]
KEY = "a-canary-that-must-be-nowhere-" * 2

_ASKED = {
    "AZURE_ENV_NAME": "approvals-test",
    "ALERT_EMAIL": "ops@example.com",
    "COUPA_BASE_URL": "https://acme.coupahost.com",
    "COUPA_CLIENT_ID": "client",
}
_ALL = (
    {name: f'{name} as typed: "quotes", \\ and ö' for name in PLAIN}
    | _ASKED
    | {
        "ACTION_TOKEN_KEYS": KEY,
        "ALLOWED_IPS": " 203.0.113.0/24, ,198.51.100.7/32",
        "ALWAYS_READY_INSTANCES": "1",
        "AUDIT_KEYS": KEY,
        "BUDGET_START_DATE": "2026-12-01",
        "COUPA_CLIENT_SECRET": KEY,
        "EMAIL_MAP": '{"ann@corp.example": "ann@example.com"}',
        "ENABLE_AVAILABILITY_TEST": "true",
        "ENABLE_NETWORK": "true",
        "ENTRA_APP_CLIENT_ID": CLIENTS[0],
        "ENTRA_CLIENTS": json.dumps(
            {
                "decisions": [CLIENTS[1].upper(), CLIENTS[2]],
                "relay": [CLIENTS[3]],
                "operators": [CLIENTS[2]],
            }
        ),
        "HTTP_CONCURRENCY": "50",
        "MANY_PEOPLE": "50",
        "MONTHLY_BUDGET": "50",
        "TAGS": '{"cost-center": "42"}',
        "TIME_ZONES": '{"example.de": "Europe/Berlin"}',
        "ZONE_REDUNDANT": "true",
    }
)
_OPTIONAL = re.findall(
    r"readEnvironmentVariable\('(\w+)', ''\)", (ROOT / "infra" / "main.bicepparam").read_text("utf-8")
)
_NAMES = "COUPA_CLIENT_SECRET, {}, ACTION_TOKEN_KEYS, AUDIT_KEYS"
_LISTENER = {"MOVEWORKS_EVENT_ID": "", "MOVEWORKS_LISTENER_ID": "coupa_approvals"}

WAYS = {
    "events": _ASKED,
    "events-all": _ALL
    | {
        "MOVEWORKS_API_KEY": KEY,
        "MOVEWORKS_LISTENER_ID": "",
        "SECRET_NAMES": _NAMES.format("MOVEWORKS_API_KEY"),
    },
    "listener": dict.fromkeys(_OPTIONAL, "") | _ASKED | _LISTENER,
    "listener-all": _ALL
    | _LISTENER
    | {
        "LIST_TOKENS": " ",
        "MOVEWORKS_LISTENER_SECRET": KEY,
        "SECRET_NAMES": json.dumps(_NAMES.format("MOVEWORKS_LISTENER_SECRET").split(",")),
        "SITE_UPDATE_STRATEGY": "RollingUpdate",
    },
    "keys": {
        "AZURE_FUNCTION_APP_NAME": "func-approvals-test",
        "DECISIONS_KEY": KEY,
        "OPERATORS_KEY": KEY,
        "RELAY_KEY": KEY,
    },
}
"""The variables of each way: plain and with all switched on, for both channels; and the callers' keys."""


def loaded() -> dict[str, Snapshot]:
    """Return the kept snapshots by the name of their way."""
    return {way: json.loads((KEPT / f"{way}.json").read_text("utf-8")) for way in WAYS}


def made_of() -> str:
    """Return a hash of all that a snapshot follows from."""
    files = [
        path for path in sorted((ROOT / "infra").rglob("*")) if path.is_file() and path.suffix != ".yaml"
    ]
    parts = [part for path in files for part in (path.relative_to(ROOT).as_posix(), path.read_text("utf-8"))]
    return hashlib.sha256(json.dumps([parts, WAYS], sort_keys=True).encode()).hexdigest()


def cli() -> str | None:
    """Return the Bicep CLI: the one on PATH, or that of az."""
    own = Path(os.environ.get("AZURE_CONFIG_DIR", "~/.azure")).expanduser() / "bin" / "bicep"
    return shutil.which("bicep") or shutil.which(own)


@cache
def version() -> str:
    """Return the version of the CLI; empty where there is none."""
    found = re.search(r"\d+\.\d+\.\d+", run("--version").stdout) if cli() else None
    return found[0] if found else ""


def need_cli() -> None:
    """Skip a test where there is no CLI of the version that made the snapshots: others say other things."""
    wanted: str = json.loads(MADE_OF.read_text("utf-8"))["bicep"]
    if version() != wanted and "REWRITE_SNAPSHOTS" not in os.environ:
        here = version() or "none"
        pytest.skip(f"the templates were not compiled: Bicep CLI {wanted} is wanted, and {here} is here")


def run(*arguments: str | Path, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the CLI with no variables but these, and those that it needs."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "XDG_CACHE_HOME") if name in os.environ}
    # Without ICU, where a machine has none; and starting sooner, because nothing runs for long.
    dotnet = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "DOTNET_TieredPGO": "0"}
    environment = {**kept, **dotnet, **(variables or {})}
    command = [str(cli()), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def parameters(infra: Path, variables: dict[str, str]) -> dict[str, Any] | str:
    """Return the parameters that a deployment gets from these variables, or why there is none."""
    done = run("build-params", infra / "main.bicepparam", "--stdout", variables=variables)
    if done.returncode:
        return done.stderr
    given = json.loads(json.loads(done.stdout)["parametersJson"])["parameters"]
    return {name: each["value"] for name, each in given.items()}


def snapshot(infra: Path, way: str) -> Snapshot | str:
    """Return what Azure would be sent by a copy of the templates, or why nothing; the ids are made up."""
    file = infra / ("keys.bicepparam" if way == "keys" else "main.bicepparam")
    ids = ("--subscription-id", CLIENTS[0], "--tenant-id", CLIENTS[0])
    place = ("--resource-group", "approvals", "--location", "westeurope")
    # Each on a file of its own, so that several can be made at once.
    own = shutil.copy(file, file.with_name(f"{way}-of-{file.name}"))
    done = run("snapshot", own, "--mode", "overwrite", *ids, *place, variables=WAYS[way])
    written = Path(own).with_suffix(".snapshot.json")
    if not written.exists():
        return done.stderr + done.stdout
    made: Snapshot = json.loads(written.read_text("utf-8"))
    return {**made, "outputs": dict(sorted(made["outputs"].items()))}  # they come in any order
